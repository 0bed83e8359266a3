{ lib }:
(lib.evalModules {
  modules = [
    ./options.nix
    ./disks.nix
    { name = "inline"; }
  ];
}).config
