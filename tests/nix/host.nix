# A host: the real disko beside our module, evaluated by the real module system.
{
  # The stand-in for nixpkgs, evaluated with NIXPKGS_LIB.
  pkgs,
  # The source tree of disko.
  disko,
  # What the host's owner writes.
  modules,
}:
pkgs.lib.evalModules {
  class = "nixos";
  specialArgs.modulesPath = throw "no test needs modulesPath";
  modules = [
    ../nixpkgs-stand-in/nixos.nix
    (/. + disko + "/module.nix")
    ../../modules/nixos.nix
    { _module.args.pkgs = pkgs; }
  ]
  ++ modules;
}
