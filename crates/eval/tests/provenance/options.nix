{ lib, ... }:
let
  inherit (lib) mkOption types;
  disk = types.submodule {
    options = {
      kind = mkOption {
        type = types.str;
        default = "none";
      };
      options = mkOption { type = types.listOf types.str; };
    };
  };
in
{
  options.disks = mkOption { type = types.attrsOf disk; };
  options.name = mkOption { type = types.str; };
}
