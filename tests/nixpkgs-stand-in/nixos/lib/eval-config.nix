# As nixpkgs' own file of this name is called, by `lib.nixosSystem` and by colmena.
{
  system,
  modules,
  specialArgs ? { },
}:
let
  plain = import ../.. { inherit system; };
  inherit (plain) lib;
  anything = lib.mkOption {
    type = lib.types.raw;
    default = { };
  };
  evaluated = lib.evalModules {
    class = "nixos";
    specialArgs = {
      modulesPath = throw "the stand-in has no NixOS modules";
    }
    // specialArgs;
    modules = [
      ../../nixos.nix
      (
        { config, ... }:
        {
          # What deployment tools set besides; nothing is made of it but packages.
          options = {
            nixpkgs.overlays = lib.mkOption {
              type = lib.types.listOf lib.types.raw;
              default = [ ];
            };
            nixpkgs.config = anything;
            system.activationScripts = anything;
            systemd.paths = anything;
          };
          config._module.args.pkgs = import ../.. {
            inherit system;
            inherit (config.nixpkgs) overlays;
          };
        }
      )
    ]
    ++ modules;
  };
in
evaluated // { inherit (evaluated._module.args) pkgs; }
