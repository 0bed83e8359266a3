# Evaluates layouts with the real disko and the real nixpkgs `lib`: for each layout what its author
# set (`devices`) and what disko makes of it for NixOS.
#
#   nix-instantiate --eval --strict --json disko.nix \
#     --argstr disko DISKO --argstr lib NIXPKGS/lib --argstr layouts FOLDER
{
  # The source tree of disko.
  disko,
  # The folder `lib` of nixpkgs.
  lib,
  # A folder of layouts: every `.nix` file in it, and every folder with a `configuration.nix`.
  layouts,
}:
let
  nixpkgs = import (/. + lib);
  inherit (nixpkgs) mkOption types;
  folder = /. + layouts;

  files = nixpkgs.concatMapAttrs (
    name: kind:
    if kind == "directory" && builtins.pathExists (folder + "/${name}/configuration.nix") then
      { ${name} = folder + "/${name}/configuration.nix"; }
    else if nixpkgs.hasSuffix ".nix" name then
      { ${nixpkgs.removeSuffix ".nix" name} = folder + "/${name}"; }
    else
      { }
  ) (builtins.readDir folder);

  # disko's command calls a layout's function with `lib`; arguments with defaults keep them.
  call =
    value:
    if builtins.isFunction value then
      value (
        builtins.intersectAttrs (builtins.functionArgs value) {
          lib = nixpkgs;
          pkgs = throw "a layout has no pkgs";
        }
      )
    else
      value;

  # The NixOS options that disko sets, declared as NixOS declares them as far as disko's values go.
  nixos = {
    config._module.check = false;
    options = {
      fileSystems = mkOption {
        default = { };
        type = types.attrsOf (
          types.submodule {
            options = {
              device = mkOption { type = types.nullOr types.str; };
              fsType = mkOption { type = types.str; };
              options = mkOption {
                type = types.listOf types.str;
                default = [ "defaults" ];
              };
              neededForBoot = mkOption {
                type = types.nullOr types.bool;
                default = null;
              };
            };
          }
        );
      };
      swapDevices = mkOption {
        default = [ ];
        type = types.listOf (
          types.submodule {
            options = {
              device = mkOption { type = types.str; };
              priority = mkOption {
                type = types.nullOr types.int;
                default = null;
              };
              discardPolicy = mkOption {
                type = types.nullOr types.str;
                default = null;
              };
              randomEncryption = {
                enable = mkOption {
                  type = types.bool;
                  default = false;
                };
                allowDiscards = mkOption {
                  type = types.bool;
                  default = false;
                };
              };
              options = mkOption {
                type = types.listOf types.str;
                default = [ "defaults" ];
              };
            };
          }
        );
      };
      boot.resumeDevice = mkOption {
        type = types.str;
        default = "";
      };
      boot.initrd.luks.devices = mkOption {
        default = { };
        type = types.attrsOf (types.submodule { freeformType = types.attrsOf types.anything; });
      };
    };
  };

  evaluate =
    modules:
    (nixpkgs.evalModules {
      modules = [ nixos ] ++ modules;
      specialArgs.modulesPath = throw "a layout needs no modulesPath";
    }).config;

  # What disko, and the file beside it, make for NixOS.
  made = config: {
    fileSystems = builtins.mapAttrs (
      _: mount: nixpkgs.filterAttrs (name: value: name != "neededForBoot" || value != null) mount
    ) config.fileSystems;
    inherit (config) swapDevices;
    luks = config.boot.initrd.luks.devices;
    inherit (config.boot) resumeDevice;
  };

  # A value of any kind: sets are merged name by name, lists joined, anything else has to be equal.
  anything = nixpkgs.mkOptionType {
    name = "anything";
    merge =
      loc: defs:
      let
        all = predicate: builtins.all (def: predicate def.value) defs;
      in
      if all builtins.isAttrs then
        (types.attrsOf anything).merge loc defs
      else if all builtins.isList then
        (types.listOf anything).merge loc defs
      else
        nixpkgs.mergeEqualOption loc defs;
  };
  anythingElse = mkOption {
    type = anything;
    default = null;
  };

  # What the author set, beside disko too. A layout that calls disko itself gets a stand-in that
  # hands the set back.
  set =
    file:
    let
      standIn = {
        config = layout: { inherit (layout) disko; };
        create = _: "";
        mount = _: "";
      };
      load =
        path: if toString path == toString (/. + disko) then (_: standIn) else builtins.import path;
      config =
        (nixpkgs.evalModules {
          modules = [
            {
              config._module.check = false;
              options.disko.devices = anythingElse;
              options.fileSystems = anythingElse;
              options.swapDevices = anythingElse;
              options.boot.initrd.luks.devices = anythingElse;
            }
            (call (builtins.scopedImport { import = load; } file))
          ];
        }).config;
      beside = nixpkgs.filterAttrs (_: value: value != null) {
        inherit (config) fileSystems swapDevices;
        luks = config.boot.initrd.luks.devices;
      };
    in
    {
      inherit (config.disko) devices;
    }
    // nixpkgs.optionalAttrs (beside != { }) {
      inherit beside;
      # The other order of the modules: the layout's file imports disko's module.
      importing = made (evaluate [
        {
          imports = [ (/. + disko + "/module.nix") ];
          config = call (import file);
        }
      ]);
    };
in
builtins.mapAttrs (
  _: file:
  set file
  // made (evaluate [
    (/. + disko + "/module.nix")
    (call (import file))
  ])
) files
