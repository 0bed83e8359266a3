# What the real module system makes of a host, cut to the attributes that `ours` has:
# disko's types fill in defaults that nobody wrote.
{ lib, disko, main, ours }:
let
  # A value merged as the options of NixOS and disko merge theirs: lists one after the other.
  value = lib.mkOptionType {
    name = "value";
    merge = loc: definitions:
      let all = is: builtins.all (definition: is definition.value) definitions;
      in
      if all builtins.isList then (lib.types.listOf value).merge loc definitions
      else if all builtins.isAttrs then (lib.types.attrsOf value).merge loc definitions
      else lib.options.mergeEqualOption loc definitions;
  };
  free = lib.types.submodule { freeformType = lib.types.attrsOf value; };
  option = type: default: lib.mkOption { inherit type default; };
  evaluated = lib.evalModules {
    modules = [
      main
      {
        config._module.check = false;
        options = {
          disko.devices = option (import (disko + "/lib") { inherit lib; }).toplevel { };
          fileSystems = option (lib.types.attrsOf free) { };
          swapDevices = option (lib.types.listOf free) [ ];
          boot.initrd.luks.devices = option (lib.types.attrsOf free) { };
          boot.kernel.sysctl = option (lib.types.attrsOf lib.types.raw) { };
          boot.extraModprobeConfig = option lib.types.lines "";
          extra = option (lib.types.attrsOf value) { };
        };
      }
    ];
  };
  # Sets of which every name was written by someone.
  written = [ "disk" "partitions" "subvolumes" "datasets" "zpool" "nodev" "fileSystems" "devices" "sysctl" "extra" ];
  cut = name: ours: real:
    if builtins.isAttrs ours && builtins.isAttrs real then
      builtins.mapAttrs (name: part: if real ? ${name} then cut name part real.${name} else "<not in NixOS>") ours
      // (if builtins.elem name written then
        builtins.mapAttrs (_: _: "<only in NixOS>")
          (lib.filterAttrs (name: _: !(ours ? ${name}) && builtins.substring 0 1 name != "_"
            && !builtins.elem name [ "bcachefs_filesystems" "disk" "lvm_vg" "mdadm" "nodev" "zpool" ]) real)
      else { })
    else if builtins.isList ours && builtins.isList real && builtins.length ours == builtins.length real then
      lib.zipListsWith (cut "") ours real
    else real;
in
builtins.mapAttrs (path: part: cut (lib.last (lib.splitString "." path)) part
  (lib.attrByPath (lib.splitString "." path) null evaluated.config)) ours
