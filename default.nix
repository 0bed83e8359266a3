# For those who use no flakes: `nix-build` makes the package, with the nixpkgs that flake.lock pins.
{
  system ? builtins.currentSystem,
  pkgs ?
    let
      inherit ((builtins.fromJSON (builtins.readFile ./flake.lock)).nodes.nixpkgs) locked;
    in
    import (fetchTarball {
      url = "https://github.com/${locked.owner}/${locked.repo}/archive/${locked.rev}.tar.gz";
      sha256 = locked.narHash;
    }) { inherit system; },
}:
pkgs.callPackage ./nix/package.nix { }
