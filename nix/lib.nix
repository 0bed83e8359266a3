# What the flake offers as `lib`: pure functions, builtins only.
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    concatStringsSep
    elem
    filter
    foldl'
    isAttrs
    isFunction
    isList
    isPath
    isString
    listToAttrs
    mapAttrs
    toJSON
    ;

  merge = foldl' (all: one: all // one) { };

  # The attributes for which the predicate holds.
  filterAttrs =
    keep: attrs:
    listToAttrs (
      concatMap (
        name:
        if keep name attrs.${name} then
          [
            {
              inherit name;
              value = attrs.${name};
            }
          ]
        else
          [ ]
      ) (attrNames attrs)
    );

  # The value below a path, `null` when there is none.
  find =
    path: value: foldl' (value: name: if isAttrs value then value.${name} or null else null) value path;

  # A set of one value below a path.
  below =
    path: value:
    if path == [ ] then value else { ${builtins.head path} = below (builtins.tail path) value; };

  recursiveMerge = foldl' (
    a: b:
    if isAttrs a && isAttrs b then
      a
      // mapAttrs (
        name: value:
        if a ? ${name} then
          recursiveMerge [
            a.${name}
            value
          ]
        else
          value
      ) b
    else
      b
  ) { };

  # Plain data of an evaluated option, for JSON: no functions, no packages, nothing that nobody set, and
  # no reference to the store, since only the text is looked at.
  plain =
    value:
    if isString value then
      builtins.unsafeDiscardStringContext value
    else if isPath value then
      toString value
    else if isList value then
      map plain (filter (element: !isFunction element) value)
    else if isAttrs value then
      if value.type or null == "derivation" then
        builtins.unsafeDiscardStringContext (toString value)
      else
        mapAttrs (_: plain) (filterAttrs (_: value: value != null && !isFunction value) value)
    else
      value;

  hooks = [
    "preCreateHook"
    "postCreateHook"
    "preMountHook"
    "postMountHook"
    "preUnmountHook"
    "postUnmountHook"
  ];

  # An evaluated disko node without what disko itself computes and without shell code.
  # `[ "defaults" ]` is what disko fills in where nobody sets mount options.
  node =
    value:
    if isList value then
      map node value
    else if isAttrs value && value.type or null != "derivation" then
      mapAttrs (_: node) (
        filterAttrs (
          name: value:
          builtins.substring 0 1 name != "_"
          && !elem name hooks
          && value != null
          && !(
            elem name [
              "mountOptions"
              "defaultMountOptions"
            ]
            && value == [ "defaults" ]
          )
        ) value
      )
    else
      plain value;

  kinds = [
    "bcachefs_filesystems"
    "disk"
    "lvm_vg"
    "mdadm"
    "nodev"
    "zpool"
  ];

  # The layout that a host declares: what disko was given, and beside it what others add to
  # `fileSystems`, `swapDevices` and `boot.initrd.luks.devices`.
  #
  # With `disko.enableConfig = false` disko only formats: what is mounted, and how, stands in
  # `fileSystems` alone, so that is all that is looked at.
  layoutOf =
    config:
    let
      counts = config.disko.enableConfig or true;
      disko = if counts then config.disko.devices or { } else { };
      devices = filterAttrs (_: value: value != { }) (
        listToAttrs (
          map (kind: {
            name = kind;
            value = settle (node (disko.${kind} or { }));
          }) kinds
        )
      );
      # What disko's nodes define, as a list of definitions.
      made = name: (disko._config.${name} or { }).contents or [ ];

      mounts = merge (made "fileSystems");
      final = config.fileSystems or { };
      # What NixOS or disko put there by themselves, and will again.
      implied = option: option == "x-initrd.mount" || builtins.match "subvol=.*" option != null;
      # Mounts of which somebody has taken options away (`lib.mkForce`), and those taken away whole.
      reduced = filterAttrs (
        mountpoint: value:
        !(final ? ${mountpoint})
        || builtins.any (option: !elem option final.${mountpoint}.options) (value.options or [ ])
      ) mounts;
      # Such a mount is told as it turned out, in the place of what disko was given.
      settle =
        value:
        if isList value then
          map settle value
        else if isAttrs value then
          let
            inner = mapAttrs (_: settle) value;
          in
          if isString (value.mountpoint or null) && reduced ? ${value.mountpoint} then
            if final ? ${value.mountpoint} then
              inner
              // {
                mountOptions = filter (option: !implied option) (plain final.${value.mountpoint}.options);
              }
            else
              removeAttrs inner [ "mountpoint" ]
          else
            inner
        else
          value;

      mount =
        mountpoint: value:
        let
          added = filter (
            option: option != "x-initrd.mount" && !elem option (mounts.${mountpoint}.options or [ ])
          ) value.options;
        in
        if reduced ? ${mountpoint} then
          { }
        else if mounts ? ${mountpoint} then
          (if added == [ ] then { } else { options = added; })
        else
          {
            inherit (value) device fsType options;
            neededForBoot = value.neededForBoot or false;
          };

      swaps = map (swap: swap.device) (builtins.concatLists (made "swapDevices"));
      opened = concatMap (boot: attrNames (boot.initrd.luks.devices or { })) (made "boot");
    in
    filterAttrs (_: value: value != { } && value != [ ]) {
      disko = if devices == { } then { } else { inherit devices; };
      fileSystems = plain (
        filterAttrs (_: value: value != { }) (mapAttrs mount (config.fileSystems or { }))
      );
      swapDevices = map (
        swap:
        plain {
          inherit (swap) device;
          priority = swap.priority or null;
          discardPolicy = swap.discardPolicy or null;
          options = swap.options or null;
          randomEncryption = {
            enable = swap.randomEncryption.enable or false;
            allowDiscards = swap.randomEncryption.allowDiscards or false;
          };
        }
      ) (filter (swap: !elem swap.device swaps) (config.swapDevices or [ ]));
      boot =
        let
          rest = filterAttrs (name: _: !elem name opened) (config.boot.initrd.luks.devices or { });
        in
        if rest == { } then
          { }
        else
          {
            initrd.luks.devices = mapAttrs (
              _: device:
              plain {
                inherit (device) device;
                allowDiscards = device.allowDiscards or null;
                bypassWorkqueues = device.bypassWorkqueues or null;
              }
            ) rest;
          };
    };

  # The options beside the layout that are looked at, as `a.b.c`. What NixOS fills in by itself is no
  # decision of anyone's, so of `decided` only what somebody set is told; of `complete` it counts too
  # that there are none. `cargo xtask tidy` compares the lists with what rules ask for.
  optionsRead = mapAttrs (_: map (path: filter isString (builtins.split "\\." path))) (
    builtins.fromJSON (builtins.readFile ./options-read.json)
  );

  settingsOf =
    config: options:
    let
      isSet =
        path: value:
        let
          option = find path options;
        in
        if options == null then
          !elem value [
            null
            false
            ""
            [ ]
            { }
          ]
        else
          # 1500 is the priority of an option's own default.
          value != null && option != null && option.highestPrio or 1500 < 1500;
      tell =
        keep: path:
        let
          value = find path config;
        in
        if keep path value then below path (plain value) else { };
    in
    recursiveMerge (
      map (tell isSet) optionsRead.decided ++ map (tell (_: value: value != null)) optionsRead.complete
    );

  # What runs on a host and uses its storage, by name, with the folder that its data is in.
  workloadsOf = import ./workloads.nix;

  # JSON with a line for each value, so that a report can point at one.
  prettyJson =
    indent: value:
    let
      inner = indent + "  ";
      block =
        open: lines: close:
        if lines == [ ] then
          open + close
        else
          "${open}\n${concatStringsSep ",\n" (map (line: inner + line) lines)}\n${indent}${close}";
    in
    if isAttrs value then
      block "{" (map (name: "${toJSON name}: ${prettyJson inner value.${name}}") (attrNames value)) "}"
    else if isList value then
      if builtins.any (element: isAttrs element || isList element) value then
        block "[" (map (prettyJson inner) value) "]"
      else
        "[${concatStringsSep ", " (map toJSON value)}]"
    else
      toJSON value;

  # What the program is asked: a layout, and beside it the settings.
  # Strings of JSON are strings of TOML too.
  question =
    {
      host,
      facts,
      workloads,
      failOn,
      ignore,
    }:
    {
      layout = prettyJson "" host.configuration + "\n";
      settings = ''
        fail-on = ${toJSON failOn}
        facts = [${concatStringsSep ", " (map (file: toJSON "${file}") facts)}]
        workload = [${
          concatStringsSep ", " (
            map (name: toJSON (if workloads.${name} == null then name else "${name}=${workloads.${name}}")) (
              attrNames workloads
            )
          )
        }]
        [allow]
        ${concatStringsSep "\n" (
          map (rule: "${toJSON rule} = ${toJSON ignore.${rule}}") (attrNames ignore)
        )}
      '';
      passAsFile = [
        "layout"
        "settings"
      ];
    };

  asked =
    {
      pkgs,
      host,
      package ? pkgs.disko-advise or (pkgs.callPackage ./package.nix { }),
      facts ? host.facts pkgs,
      workloads ? host.workloads,
      failOn ? "warning",
      ignore ? { },
    }:
    {
      inherit pkgs package;
      inherit (host) name;
      attributes = question {
        inherit
          host
          facts
          workloads
          failOn
          ignore
          ;
      };
      prepare = ''
        cp "$layoutPath" ${host.name}.json
        cp "$settingsPath" disko-advise.toml
      '';
    };

  hostFacts =
    host:
    let
      config = host.config or host;
      facter = config.hardware.facter or { };
    in
    {
      # A machine may get its name from the network, and has none here.
      name = if config.networking.hostName or "" == "" then "host" else config.networking.hostName;
      configuration = recursiveMerge [
        (
          if config.networking.hostName or "" != "" then
            { networking.hostName = plain config.networking.hostName; }
          else
            { }
        )
        (settingsOf config (host.options or null))
        (layoutOf config)
      ];
      workloads = workloadsOf config;
      facts =
        pkgs:
        if facter.reportPath or null != null then
          [ facter.reportPath ]
        else if facter.report or { } != { } then
          [ (pkgs.writeText "facter.json" (toJSON facter.report)) ]
        else
          [ ];
    };

  mkCheck =
    arguments:
    let
      it = asked arguments;
    in
    it.pkgs.runCommand "disko-advise-${it.name}" it.attributes ''
      ${it.prepare}
      status=0
      ${it.package}/bin/disko-advise check ${it.name}.json > report.txt || status=$?
      case $status in
        0) cp report.txt "$out" ;;
        1)
          cat report.txt >&2
          # Of a build that fails, Nix and the tools around it show the last lines, so these name the rules.
          found=$(grep -oE '^[a-z]+\[[a-z0-9-]+\]' report.txt | sort -u | paste -sd ' ' || true)
          echo "the disk layout of ${it.name} does not pass: $found" >&2
          echo "mend it, or let a rule be ignored with a reason" >&2
          exit 1
          ;;
        *)
          echo "the disk layout of ${it.name} could not be judged" >&2
          exit 1
          ;;
      esac
    '';

  mkReport =
    arguments:
    let
      it = asked (arguments // { failOn = "never"; });
    in
    it.pkgs.runCommand "disko-advise-${it.name}.json" it.attributes ''
      ${it.prepare}
      ${it.package}/bin/disko-advise check ${it.name}.json --format json > "$out"
    '';

  mkTuning =
    arguments:
    let
      it = asked (arguments // { failOn = "never"; });
    in
    it.pkgs.runCommand "disko-advise-${it.name}-tuning.nix" it.attributes ''
      ${it.prepare}
      ${it.package}/bin/disko-advise tuning ${it.name}.json > "$out"
    '';

  mkStaleCheck =
    {
      pkgs,
      name,
      files,
    }:
    pkgs.runCommand "disko-advise-${name}-stale" { } ''
      stale=
      ${concatStringsSep "\n" (
        map (file: ''
          if ! diff -u --label ${file.label} --label "what would be generated today" \
            ${file.committed} ${file.generated} >&2; then
            echo "${file.label} is not what would be generated today: replace it by ${file.generated}" >&2
            stale=1
          fi
        '') files
      )}
      [ -z "$stale" ] || exit 1
      touch "$out"
    '';

  mkLiveCheck =
    arguments:
    let
      it = asked (arguments // { facts = [ ]; });
      question = it.pkgs.runCommand "disko-advise-${it.name}-question" it.attributes ''
        mkdir "$out"
        cd "$out"
        ${it.prepare}
      '';
    in
    it.pkgs.writeShellScript "disko-advise-${it.name}-live" ''
      set -euo pipefail
      # While a system is installed, what runs is the installer: it tells nothing of the machine to be.
      [ -e /run/booted-system ] || exit 0
      # `collect` looks for the tools of the running system itself.
      export PATH="$PATH:${it.pkgs.coreutils}/bin"
      scratch=$(mktemp -d)
      trap 'rm -rf "$scratch"' EXIT
      # What could not be read is missing in the bundle, and rules that need it are undecided. Names stay
      # as they are, since the configuration calls devices by them; nobody keeps the bundle.
      ${it.package}/bin/disko-advise collect --unmasked -o "$scratch/bundle" >"$scratch/log" 2>&1 || {
        cat "$scratch/log" >&2
        echo "disko-advise: the state of this machine could not be read; NIXOS_NO_CHECK=1 switches all the same" >&2
        exit 1
      }
      against=(${question}/${it.name}.json --facts "$scratch/bundle")
      status=0
      ${it.package}/bin/disko-advise check "''${against[@]}" >"$scratch/report" 2>"$scratch/log" || status=$?
      case $status in
        0) exit 0 ;;
        1)
          cat "$scratch/report" >&2
          # What is declared, beside what is live and what a boot will make of it.
          ${it.package}/bin/disko-advise drift "''${against[@]}" >&2 || true
          echo "disko-advise: the new configuration does not suit this machine as it is now; NIXOS_NO_CHECK=1 switches all the same" >&2
          ;;
        *)
          cat "$scratch/log" >&2
          echo "disko-advise: the new configuration could not be judged; NIXOS_NO_CHECK=1 switches all the same" >&2
          ;;
      esac
      exit 1
    '';

  # What the module was told, for a host that has it.
  toldByModule =
    host:
    let
      told = host.config.disko.advise or { };
    in
    if told ? failOn then
      {
        inherit (told)
          facts
          workloads
          failOn
          ;
        ignore = mapAttrs (_: rule: rule.reason) told.ignore;
      }
    else
      { };
in
{
  # What a host tells of itself: `{ name, configuration, workloads, facts }`.
  #
  # Takes a host's `config`, or the whole system (`nixosConfigurations.<name>`), which also knows what
  # somebody set and what is a default of NixOS. `configuration` is plain data: the disko layout, what
  # others add to it, and the options that advice depends on. `facts` takes `pkgs` and gives the files.
  inherit hostFacts;

  # A derivation that fails, with the report on stderr, when the layout of a host is wrong.
  #
  # `pkgs`, `host` (of `hostFacts`), and what has a default: `package`, `facts` (files), `workloads`
  # (data folder or null, by name), `failOn` ("never", "info", "warning" or "error"), `ignore` (the
  # reason, by rule). Its output is the report.
  inherit mkCheck;

  # A derivation of the report for programs (JSON), whatever it says. Takes what `mkCheck` takes.
  inherit mkReport;

  # A derivation of the NixOS module that `disko-advise tuning` prints. Takes what `mkCheck` takes.
  inherit mkTuning;

  # A derivation that fails, with the difference on stderr, when a file kept in the repository is not
  # what would be generated today. Takes `pkgs`, a `name`, and `files`: a list of sets of `label` (how
  # the person calls the file), `committed` (the file) and `generated` (a derivation).
  inherit mkStaleCheck;

  # A program that gathers what the machine that it runs on says of itself, and fails, with the report
  # on stderr, when the layout does not suit it. Takes what `mkCheck` takes; facts are those that it
  # gathers.
  inherit mkLiveCheck;

  # Checks of many hosts: `{ <host> = derivation; …; fleet = derivation; }`.
  #
  # `pkgs` are those of the machines that build the checks, whatever the hosts are. `hosts` holds, by
  # name, whole systems (`nixosConfigurations`, colmena's `nodes`) or what `hostFacts` gave. A host with
  # the module is judged by its own settings. `settings` takes a host's name and gives what else
  # `mkCheck` takes. `fleet` sums up the reports of all hosts, whatever they say, in `fleet.text` and
  # `fleet.json`; its attribute `reports` are the reports, by host. `last` is the `fleet.json` of an
  # earlier time, against which it tells the trend.
  # Every report and every check is a derivation of its own, so that they are built side by side and
  # only those whose host has changed. A host without disks, as a container is, passes and has no report.
  mkFleetCheck =
    {
      pkgs,
      hosts,
      package ? pkgs.disko-advise or (pkgs.callPackage ./package.nix { }),
      settings ? _: { },
      last ? null,
    }:
    let
      arguments = mapAttrs (
        name: host:
        {
          inherit pkgs package;
          host = (if host ? configuration then host else hostFacts host) // {
            inherit name;
            configuration = recursiveMerge [
              host.configuration or (hostFacts host).configuration
              { networking.hostName = name; }
            ];
          };
        }
        // toldByModule host
        // settings name
      ) hosts;
      # A container has no disks of its own, and a report of none cannot be made.
      hasDisks = { host, ... }: host.configuration ? disko || host.configuration ? fileSystems;
      reports = mapAttrs (_: mkReport) (filterAttrs (_: hasDisks) arguments);
    in
    if hosts ? fleet then
      throw "mkFleetCheck: a host is called `fleet`, which is the name of the summary"
    else
      mapAttrs (
        name: it:
        if hasDisks it then
          mkCheck it
        else
          pkgs.writeText "disko-advise-${name}" "${name} declares no disks: there is nothing to judge\n"
      ) arguments
      // {
        fleet =
          pkgs.runCommand "disko-advise-fleet"
            {
              # As a file, because the command line of ten thousand hosts would be too long.
              list = concatStringsSep "" (attrValues (mapAttrs (name: report: "${name} ${report}\n") reports));
              passAsFile = [ "list" ];
            }
            ''
              mkdir reports "$out"
              while read -r name report; do
                ln -s "$report" "reports/$name.report.json"
              done <"$listPath"
              for format in text json; do
                # A builder writes to a terminal of its own: without the file, a bar would move in its log.
                status=0
                ${package}/bin/disko-advise fleet reports --fail-on never --format "$format" ${
                  if last == null then "" else "--last ${last}"
                } > "$out/fleet.$format" 2> log || status=$?
                cat log >&2
                [ $status = 0 ]
              done
            ''
          // {
            inherit reports;
          };
      };
}
