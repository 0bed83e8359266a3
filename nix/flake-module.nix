# The module for flake-parts: a check of every host, and the summary of them all.
{
  config,
  lib,
  flake-parts-lib,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  advise = import ./lib.nix;
  cfg = config.disko-advise;

  # The platform that a host is for; null for one of which only its facts are given.
  platform = host: host.pkgs.stdenv.hostPlatform.system or null;
in
{
  _file = ./flake-module.nix;
  key = toString ./flake-module.nix;

  options.disko-advise = {
    hosts = mkOption {
      type = types.lazyAttrsOf types.raw;
      default = config.flake.nixosConfigurations or { };
      defaultText = literalExpression "config.flake.nixosConfigurations";
      example = literalExpression "removeAttrs config.flake.nixosConfigurations [ \"installer\" ]";
      description = ''
        The hosts to be checked: whole systems, or what `lib.hostFacts` gave.
        Each is checked on the platform that it is for.
      '';
    };

    settings = mkOption {
      type = types.functionTo (types.lazyAttrsOf types.raw);
      default = _: { };
      defaultText = literalExpression "_: { }";
      example = literalExpression ''name: { failOn = if name == "backup" then "error" else "warning"; }'';
      description = ''
        What else `lib.mkCheck` takes, such as `failOn`, `facts` or `ignore`, by the name of the host.
        It wins over what the host's own NixOS module says.
      '';
    };

    last = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = literalExpression "./fleet.json";
      description = "The `fleet.json` of an earlier summary, against which the trend is told.";
    };
  };

  options.perSystem = flake-parts-lib.mkPerSystemOption (
    { pkgs, ... }:
    {
      options.disko-advise.package = mkOption {
        type = types.package;
        default = pkgs.disko-advise or (pkgs.callPackage ./package.nix { });
        defaultText = literalExpression "pkgs.disko-advise";
        example = literalExpression "inputs'.disko-advise.packages.default";
        description = "The disko-advise that judges.";
      };
    }
  );

  config.perSystem =
    {
      config,
      pkgs,
      system,
      ...
    }:
    let
      hosts = lib.filterAttrs (
        _: host:
        lib.elem (platform host) [
          null
          system
        ]
      ) cfg.hosts;
    in
    lib.mkIf (hosts != { }) {
      checks = lib.mapAttrs' (name: lib.nameValuePair "disko-advise-${name}") (
        advise.mkFleetCheck {
          inherit pkgs hosts;
          inherit (config.disko-advise) package;
          inherit (cfg) settings last;
        }
      );
    };
}
