# Every example of disko as a host: what our module makes of it, and what NixOS gets of it.
{ pkgs, disko }:
let
  inherit (pkgs) lib;
  folder = /. + disko + "/example";
  advise = import ../../nix/lib.nix;

  # As disko's command calls a layout's function: arguments with defaults keep them, which the
  # module system would not let them.
  call =
    value:
    if builtins.isFunction value then
      value (builtins.intersectAttrs (builtins.functionArgs value) { inherit lib; })
    else
      value;
  host =
    file:
    import ./host.nix {
      inherit pkgs disko;
      modules = [ (call (import (folder + "/${file}"))) ];
    };
  wanted = file: kind: kind == "regular" && lib.hasSuffix ".nix" file;
in
lib.mapAttrs (
  file: _:
  let
    system = host file;
  in
  {
    inherit (advise.hostFacts { inherit (system) config options; }) configuration;
    fileSystems = lib.mapAttrs (_: mount: {
      inherit (mount) device fsType options;
    }) system.config.fileSystems;
    swapDevices = map (swap: {
      inherit (swap)
        device
        discardPolicy
        options
        priority
        randomEncryption
        ;
    }) system.config.swapDevices;
    luks = lib.attrNames system.config.boot.initrd.luks.devices;
  }
) (lib.filterAttrs wanted (builtins.readDir folder))
