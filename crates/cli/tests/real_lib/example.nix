# What the real module system and the real types of disko make of one of disko's examples.
{ lib, disko, file }:
let
  # Names that begin with an underscore are for disko itself, and need packages.
  plain = value:
    if builtins.isAttrs value then
      builtins.mapAttrs (_: plain) (lib.filterAttrs (name: _: builtins.substring 0 1 name != "_") value)
    else if builtins.isList value then map plain value
    else if builtins.isFunction value then "<function>"
    else value;
  example = import file;
  evaluated = lib.evalModules {
    modules = [
      file
      {
        config._module = {
          check = false;
          args = { pkgs = { }; disks = [ "/dev/vda" "/dev/vdb" "/dev/vdc" "/dev/vdd" ]; };
        };
        options.disko.devices = lib.mkOption { type = (import (disko + "/lib") { inherit lib; }).toplevel; };
      }
    ];
  };
  # This one calls disko itself, and what it gives are the scripts.
  alone = example { inherit lib; pkgs.writeScriptBin = name: text: { inherit name text; }; };
in
if baseNameOf file == "configuration.nix" then {
  packages = alone.environment.systemPackages;
  boot = alone.boot;
}
else plain evaluated.config.disko.devices
