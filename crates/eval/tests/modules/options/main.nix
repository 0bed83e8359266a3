{ config, lib, ... }:
let
  cfg = config.storage;
  inherit (lib) mkOption types;
in
{
  imports = [ ./use.nix ];
  options.storage = {
    device = mkOption { type = types.str; default = "/dev/default"; };
    lines = mkOption { type = types.lines; default = ""; };
    sizes = mkOption { type = types.attrsOf (types.either types.str types.int); default = { }; };
    either = mkOption { type = types.either types.str (types.listOf types.str); default = "one"; };
    coerced = mkOption { type = types.coercedTo types.int toString types.str; default = 5; };
    applied = mkOption { type = types.listOf types.str; default = [ ]; apply = map (x: "<${x}>"); };
    replaced = mkOption { type = types.attrsOf types.str; default = { c = "z"; }; };
    unset = mkOption { type = types.nullOr (types.listOf types.int); };
    disks = mkOption {
      default = { };
      type = types.attrsOf (types.submodule ({ name, config, ... }: {
        options = {
          path = mkOption { type = types.str; default = "/dev/${name}"; };
          parts = mkOption { type = types.listOf (types.submodule { options.size = mkOption { default = "1G"; type = types.str; }; options.tag = mkOption { type = types.str; }; }); default = [ ]; };
          count = mkOption { type = types.int; default = builtins.length config.parts; };
        };
      }));
    };
  };
  config = {
    extra = { inherit (cfg) device lines sizes either coerced applied replaced unset disks; };
    storage.lines = "main";
    storage.applied = [ "main" ];
    storage.replaced.b = "y";
    disko.devices.disk = lib.mapAttrs (name: disk: { type = "disk"; device = disk.path; imageSize = toString disk.count; }) cfg.disks;
  };
}
