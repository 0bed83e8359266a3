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
    path: value:
    foldl' (value: name: if isAttrs value then value.${name} or null else null) value path;

  # A set of one value below a path.
  below =
    path: value:
    if path == [ ] then
      value
    else
      { ${builtins.head path} = below (builtins.tail path) value; };

  recursiveMerge = foldl' (
    a: b:
    if isAttrs a && isAttrs b then
      a // mapAttrs (name: value: if a ? ${name} then recursiveMerge [ a.${name} value ] else value) b
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
          && !(elem name [
            "mountOptions"
            "defaultMountOptions"
          ] && value == [ "defaults" ])
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
  layoutOf =
    config:
    let
      disko = config.disko.devices or { };
      devices = filterAttrs (_: value: value != { }) (
        listToAttrs (
          map (kind: {
            name = kind;
            value = node (disko.${kind} or { });
          }) kinds
        )
      );
      # What disko's nodes define, as a list of definitions.
      made = name: (disko._config.${name} or { }).contents or [ ];

      mounts = merge (made "fileSystems");
      mount =
        mountpoint: value:
        let
          added = filter (
            option: option != "x-initrd.mount" && !elem option (mounts.${mountpoint}.options or [ ])
          ) value.options;
        in
        if mounts ? ${mountpoint} then
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

  # The options beside the layout that are looked at. What NixOS fills in by itself is no decision of
  # anyone's, so of the first list only what somebody set is told.
  decided = map (filter isString) (
    map (builtins.split "\\.") [
      "boot.extraModprobeConfig"
      "boot.kernelParams"
      "boot.zswap.enable"
      "hardware.block.defaultScheduler"
      "hardware.block.defaultSchedulerRotational"
      "hardware.block.scheduler"
      "programs.hyprland.enable"
      "programs.sway.enable"
      "services.desktopManager.gnome.enable"
      "services.desktopManager.plasma6.enable"
      "services.displayManager.enable"
      "services.fstrim.enable"
      "services.udev.extraRules"
      "services.xserver.enable"
      "services.zfs.trim.enable"
      "services.zram-generator.enable"
      "zramSwap.enable"
      "zramSwap.priority"
    ]
  );
  # Of these it counts too that there are none.
  complete = [
    [
      "services"
      "btrbk"
      "instances"
    ]
    [
      "services"
      "snapper"
      "configs"
    ]
    [
      "boot"
      "kernel"
      "sysctl"
    ]
  ];

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
      map (tell isSet) decided ++ map (tell (_: value: value != null)) complete
    );

  # What runs on a host and uses its storage, by name, with the folder that its data is in.
  workloadsOf =
    config:
    let
      services = config.services or { };
      virtualisation = config.virtualisation or { };
      redis = filter (server: server.enable or false) (attrValues (services.redis.servers or { }));
      graphical =
        services.xserver.enable or false
        || services.displayManager.enable or false
        || config.programs.hyprland.enable or false
        || config.programs.sway.enable or false;
    in
    mapAttrs (_: it: plain it.data) (
      filterAttrs (_: it: it.enable) {
        desktop = {
          enable = graphical;
          data = "/home";
        };
        docker = {
          enable = virtualisation.docker.enable or false;
          data = virtualisation.docker.daemon.settings.data-root or "/var/lib/docker";
        };
        incus = {
          enable = virtualisation.incus.enable or false;
          data = "/var/lib/incus";
        };
        libvirt = {
          enable = virtualisation.libvirtd.enable or false;
          data = "/var/lib/libvirt";
        };
        mysql = {
          enable = services.mysql.enable or false;
          data = services.mysql.dataDir or "/var/lib/mysql";
        };
        nfs = {
          enable = services.nfs.server.enable or false;
          data = "/srv";
        };
        podman = {
          enable = virtualisation.podman.enable or false;
          data = "/var/lib/containers";
        };
        postgresql = {
          enable = services.postgresql.enable or false;
          data = services.postgresql.dataDir or "/var/lib/postgresql";
        };
        redis = {
          enable = redis != [ ];
          data = (builtins.head redis).settings.dir or "/var/lib";
        };
        samba = {
          enable = services.samba.enable or false;
          data = "/srv";
        };
      }
    );

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

  # A folder with what the program is asked, and the shell words that ask it.
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
            map (
              name: toJSON (if workloads.${name} == null then name else "${name}=${workloads.${name}}")
            ) (attrNames workloads)
          )
        }]
        [allow]
        ${concatStringsSep "\n" (map (rule: "${toJSON rule} = ${toJSON ignore.${rule}}") (attrNames ignore))}
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
in
{
  # What a host tells of itself: `{ name, configuration, workloads, facts }`.
  #
  # Takes a host's `config`, or the whole system (`nixosConfigurations.<name>`), which also knows what
  # somebody set and what is a default of NixOS. `configuration` is plain data: the disko layout, what
  # others add to it, and the options that advice depends on. `facts` takes `pkgs` and gives the files.
  hostFacts =
    host:
    let
      config = host.config or host;
      facter = config.hardware.facter or { };
    in
    {
      name = config.networking.hostName or "host";
      configuration = recursiveMerge [
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

  # A derivation that fails, with the report on stderr, when the layout of a host is wrong.
  #
  # `pkgs`, `host` (of `hostFacts`), and what has a default: `package`, `facts` (files), `workloads`
  # (data folder or null, by name), `failOn` ("never", "info", "warning" or "error"), `ignore` (the
  # reason, by rule). Its output is the report.
  mkCheck =
    arguments:
    let
      it = asked arguments;
    in
    it.pkgs.runCommand "disko-advise-${it.name}" it.attributes ''
      ${it.prepare}
      if ${it.package}/bin/disko-advise check ${it.name}.json > report.txt; then
        cp report.txt "$out"
      else
        cat report.txt >&2
        echo "the disk layout of ${it.name} does not pass: mend it, or let a rule be ignored with a reason" >&2
        exit 1
      fi
    '';

  # A derivation of the report for programs (JSON), whatever it says. Takes what `mkCheck` takes.
  mkReport =
    arguments:
    let
      it = asked (arguments // { failOn = "never"; });
    in
    it.pkgs.runCommand "disko-advise-${it.name}.json" it.attributes ''
      ${it.prepare}
      ${it.package}/bin/disko-advise check ${it.name}.json --format json > "$out"
    '';
}
