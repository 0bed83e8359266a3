# As much of nixpkgs as the flake of this repository asks for, made of what is on the machine: real
# derivations whose builder is the host's bash and whose compiler is the host's cargo. For tests where
# nixpkgs cannot be had: `--impure --override-input nixpkgs path:tests/nixpkgs-stand-in`.
#
# Environment:
#   NIXPKGS_LIB                   a copy of nixpkgs' folder `lib`; without it `lib` is next to nothing
#   STAND_IN_BINARY               a program that cargo has built already and that Rust packages install
#                                 instead of building and checking themselves
#   STAND_IN_CARGO_TARGET_DIR     where cargo keeps what it built, across builds
{
  description = "A stand-in for nixpkgs";

  outputs =
    { self }:
    let
      inherit (import ./lib/of-tree.nix) lib;
    in
    {
      lib = lib // {
        nixosSystem = import ./nixos/lib/eval-config.nix;
      };
      legacyPackages = builtins.listToAttrs (
        map
          (system: {
            name = system;
            value = import ./. { inherit system; };
          })
          [
            "x86_64-linux"
            "aarch64-linux"
          ]
      );
    };
}
