# The NixOS module: the layout that is about to be deployed is judged with it.
{
  config,
  options,
  lib,
  pkgs,
  extendModules,
  ...
}:
let
  inherit (lib)
    literalExpression
    mkEnableOption
    mkIf
    mkOption
    optional
    optionals
    types
    ;
  advise = import ../nix/lib.nix;
  cfg = config.disko.advise;
  host = advise.hostFacts { inherit config options; };

  arguments = {
    inherit pkgs host;
    inherit (cfg)
      package
      facts
      workloads
      failOn
      ;
    ignore = lib.mapAttrs (_: rule: rule.reason) cfg.ignore;
  };

  # This host without the fragment, whether this module sets it or somebody imports the file: what is
  # generated for a host that has it already must not depend on what it sets.
  bare =
    if cfg.tuning.file == null then
      { inherit config options; }
    else
      extendModules {
        modules = [
          {
            disabledModules = [ cfg.tuning.file ];
            disko.advise.tuning.enable = lib.mkOverride 1 false;
          }
        ];
      };

  # Whether there is anything to judge; a container has no mounts of its own.
  judged = host.configuration ? disko || host.configuration ? fileSystems;

  # A module's top-level names must be known before any option is read, so they are spelled out.
  names = [
    "boot"
    "environment"
    "hardware"
    "nix"
    "powerManagement"
    "programs"
    "services"
    "systemd"
    "virtualisation"
    "zramSwap"
  ];
  fragment =
    if cfg.tuning.file == null then
      { }
    else
      let
        it = import cfg.tuning.file;
      in
      if builtins.isFunction it then it { inherit config lib pkgs; } else it;

  # The rules of this version, to tell a misspelt name before anything is built.
  rules = builtins.fromJSON (builtins.readFile ../nix/rules.json);

  severity = types.enum [
    "never"
    "info"
    "warning"
    "error"
  ];
  reason = types.addCheck types.nonEmptyStr (text: builtins.match "[[:space:]]*" text == null) // {
    description = "text that is not blank";
    descriptionClass = "noun";
  };

  reported =
    if cfg.committedReport == null then [ ] else (lib.importJSON cfg.committedReport).findings;

  live = advise.mkLiveCheck (
    removeAttrs arguments [ "facts" ] // { inherit (cfg.preSwitchCheck) failOn; }
  );
in
{
  _class = "nixos";
  _file = ./nixos.nix;
  # Importing it twice is importing it once.
  key = toString ./nixos.nix;

  imports = [ ./collect.nix ];

  options.disko.advise = {
    enable = mkEnableOption "a check of the disk layout whenever the system is built";

    package = mkOption {
      type = types.package;
      default = pkgs.disko-advise or (pkgs.callPackage ../nix/package.nix { });
      defaultText = literalExpression "pkgs.disko-advise";
      example = literalExpression "inputs.disko-advise.packages.x86_64-linux.default";
      description = "The disko-advise that judges.";
    };

    facts = mkOption {
      type = types.listOf types.path;
      default = host.facts pkgs;
      defaultText = literalExpression "the report of hardware.facter, when there is one";
      example = literalExpression "[ ./facter.json ./facts ]";
      description = ''
        What is known of the machine: a facter.json, folders of tool outputs (bundles of
        `disko-advise collect`), or single outputs.

        Without any, only the layout is judged, which leaves most rules undecided, and the evaluation
        warns of that.
        An empty list that you write yourself says that it is meant to be so.
      '';
    };

    workloads = mkOption {
      type = types.attrsOf (types.nullOr (types.strMatching "/.*"));
      default = host.workloads;
      defaultText = literalExpression "what config.services, config.programs and config.virtualisation enable";
      example = literalExpression ''
        options.disko.advise.workloads.default // {
          postgresql = "/data/postgresql";
          desktop = null;
        }
      '';
      description = ''
        What runs on the machine, and the folder that its data is in; `null` when that is not known.
        What you set here takes the place of what was found.
      '';
    };

    failOn = mkOption {
      type = severity;
      default = "warning";
      example = "error";
      description = "The severity from which on a finding keeps the system from being built.";
    };

    ignore = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.reason = mkOption {
            type = reason;
            example = "the pool is made anew next month";
            description = "Why the rule does not matter here.";
          };
        }
      );
      default = { };
      example.btrfs-noatime.reason = "mail is read by access time";
      description = "Rules whose findings are let stand, by name; `disko-advise rules` lists them.";
    };

    tuning = {
      enable = mkEnableOption "the settings of {option}`disko.advise.tuning.file`";

      file = mkOption {
        type = types.nullOr types.path;
        default = null;
        example = literalExpression "./tuning.nix";
        description = ''
          What `disko-advise tuning` printed, or a copy of {option}`disko.advise.tuning.generated`, kept
          in the repository.
          Whatever is set elsewhere wins over it, and turning
          {option}`disko.advise.tuning.enable` off takes all of it back.
        '';
      };

      generated = mkOption {
        type = types.package;
        readOnly = true;
        default = advise.mkTuning (
          arguments // { host = advise.hostFacts { inherit (bare) config options; }; }
        );
        defaultText = literalExpression "a derivation of the file";
        example = literalExpression "nixosConfigurations.host.config.disko.advise.tuning.generated";
        description = ''
          What would be generated for this host today, as if nothing of it were set yet.
        '';
      };
    };

    check.stale = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether the system is built only while {option}`disko.advise.tuning.file` is, to the letter,
        {option}`disko.advise.tuning.generated`, and {option}`disko.advise.committedReport` is
        {option}`disko.advise.report`.
        If not, the difference is printed.
      '';
    };

    report = mkOption {
      type = types.package;
      readOnly = true;
      default = advise.mkReport (removeAttrs arguments [ "failOn" ]);
      defaultText = literalExpression "a derivation of the JSON report";
      example = literalExpression "nixosConfigurations.host.config.disko.advise.report";
      description = "The report for other programs, as `disko-advise check --format json` prints it.";
    };

    committedReport = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = literalExpression "./report.json";
      description = ''
        A copy of {option}`disko.advise.report`, kept in the repository.
        What it finds, from warnings on, is said whenever the configuration is evaluated; nothing has to
        be built for that.
        {option}`disko.advise.check.stale` holds it to what is true today.
      '';
    };

    preSwitchCheck = {
      enable = mkEnableOption "" // {
        description = ''
          Whether to look at the running machine before it switches to a configuration.
          What the machine says of itself is gathered (`disko-advise collect`), the new layout is judged
          with that, and a layout that does not suit keeps the machine from switching.

          It is one of {option}`system.preSwitchChecks`: `NIXOS_NO_CHECK=1` in the environment passes over
          all of these.
          While a system is being installed it says nothing, since what runs then is the installer.
        '';
      };

      failOn = mkOption {
        type = severity;
        default = cfg.failOn;
        defaultText = literalExpression "config.disko.advise.failOn";
        example = "error";
        description = "The severity from which on a finding keeps the machine from switching.";
      };
    };
  };

  config = lib.genAttrs names (name: mkIf cfg.tuning.enable (fragment.${name} or { })) // {
    assertions = [
      {
        assertion = cfg.tuning.enable -> cfg.tuning.file != null;
        message = "disko.advise.tuning.enable: set disko.advise.tuning.file to what `disko-advise tuning` printed";
      }
      {
        assertion = cfg.tuning.enable -> removeAttrs fragment names == { };
        message = "disko.advise.tuning.file sets ${lib.concatStringsSep ", " (lib.attrNames (removeAttrs fragment names))}, which this module does not pass on: import the file instead";
      }
      {
        assertion = cfg.check.stale -> cfg.tuning.file != null || cfg.committedReport != null;
        message = "disko.advise.check.stale: neither disko.advise.tuning.file nor disko.advise.committedReport is set, so nothing can be stale";
      }
      {
        assertion = cfg.preSwitchCheck.enable -> options.system ? preSwitchChecks;
        message = "disko.advise.preSwitchCheck.enable: this NixOS has no system.preSwitchChecks";
      }
    ];

    # All that can be said without building anything.
    warnings =
      map (rule: "disko.advise.ignore.${rule}: no rule is called ${rule}") (
        lib.attrNames (removeAttrs cfg.ignore rules)
      )
      ++ optionals cfg.enable (
        optional (!judged)
          "disko.advise.enable: there is neither a disko layout nor a file system here, so nothing is checked"
        ++
          optional
            (
              judged
              && cfg.facts == [ ]
              && options.disko.advise.facts.highestPrio >= (lib.mkOptionDefault null).priority
            )
            "disko.advise.facts is empty, so only the layout is judged and most rules stay undecided; name a facter.json or a bundle of `disko-advise collect`, or set it to [ ] if that is meant"
        ++ map (finding: "disko-advise: ${finding.severity}[${finding.rule}]: ${finding.message}") (
          lib.filter (finding: finding.severity != "info") reported
        )
      );

    system = {
      checks =
        optional (cfg.enable && judged) (advise.mkCheck arguments)
        ++ optional cfg.check.stale (
          advise.mkStaleCheck {
            inherit pkgs;
            inherit (host) name;
            files =
              optional (cfg.tuning.file != null) {
                label = "disko.advise.tuning.file";
                committed = cfg.tuning.file;
                inherit (cfg.tuning) generated;
              }
              ++ optional (cfg.committedReport != null) {
                label = "disko.advise.committedReport";
                committed = cfg.committedReport;
                generated = cfg.report;
              };
          }
        );
    }
    # Older ones lack it.
    // lib.optionalAttrs (options.system ? preSwitchChecks) {
      preSwitchChecks = mkIf cfg.preSwitchCheck.enable {
        disko-advise = ''
          ${live} "$@"
        '';
      };
    };
  };
}
