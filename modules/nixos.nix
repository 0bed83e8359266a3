# The NixOS module: the layout that is about to be deployed is judged with it.
{
  config,
  options,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    literalExpression
    mkEnableOption
    mkIf
    mkOption
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

  # A module's top-level names must be known before any option is read, so they are spelled out.
  names = [
    "boot"
    "hardware"
    "services"
    "zramSwap"
  ];
  fragment = if cfg.tuning.file == null then { } else import cfg.tuning.file { inherit lib; };
in
{
  _class = "nixos";
  _file = ./nixos.nix;
  # Importing it twice is importing it once.
  key = toString ./nixos.nix;

  options.disko.advise = {
    enable = mkEnableOption "a check of the disk layout whenever the system is built";

    package = mkOption {
      type = types.package;
      default = pkgs.disko-advise or (pkgs.callPackage ../nix/package.nix { });
      defaultText = literalExpression "pkgs.disko-advise";
      description = "The disko-advise that judges.";
    };

    facts = mkOption {
      type = types.listOf types.path;
      default = host.facts pkgs;
      defaultText = literalExpression "the report of hardware.facter, when there is one";
      example = literalExpression "[ ./facter.json ./facts ]";
      description = ''
        What is known of the machine: a facter.json, folders of tool outputs, or single outputs.
        Without any, only the layout is judged.
      '';
    };

    workloads = mkOption {
      type = types.attrsOf (types.nullOr types.str);
      default = host.workloads;
      defaultText = literalExpression "what config.services and config.virtualisation enable";
      example = {
        postgresql = "/var/lib/postgresql/17";
        desktop = null;
      };
      description = "What runs on the machine, and the folder that its data is in.";
    };

    failOn = mkOption {
      type = types.enum [
        "never"
        "info"
        "warning"
        "error"
      ];
      default = "warning";
      example = "error";
      description = "The severity from which on a finding keeps the system from being built.";
    };

    ignore = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.reason = mkOption {
            type = types.nonEmptyStr;
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
          What `disko-advise tuning` printed, kept in the repository.
          Whatever is set elsewhere wins over it.
        '';
      };
    };

    report = mkOption {
      type = types.package;
      readOnly = true;
      default = advise.mkReport (removeAttrs arguments [ "failOn" ]);
      defaultText = literalExpression "a derivation of the JSON report";
      description = "The report for other programs, as `disko-advise check --format json` prints it.";
    };
  };

  config =
    lib.genAttrs names (
      name: mkIf cfg.tuning.enable (fragment.${name} or { })
    )
    // {
      assertions = [
        {
          assertion = cfg.tuning.enable -> cfg.tuning.file != null;
          message = "disko.advise.tuning.enable: set disko.advise.tuning.file to what `disko-advise tuning` printed";
        }
        {
          assertion = cfg.tuning.enable -> removeAttrs fragment names == { };
          message = "disko.advise.tuning.file sets ${
            lib.concatStringsSep ", " (lib.attrNames (removeAttrs fragment names))
          }, which this module does not pass on: import the file instead";
        }
      ];
      system.checks = mkIf cfg.enable [ (advise.mkCheck arguments) ];
    };
}
