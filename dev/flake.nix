# Tools for work on this repository: `nix develop ./dev`.
# A flake of its own, so that users of the other one inherit none of its inputs.
{
  description = "Development tools of disko-advise";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    {
      devShells = builtins.listToAttrs (
        map
          (system: {
            name = system;
            value.default =
              let
                pkgs = nixpkgs.legacyPackages.${system};
              in
              pkgs.mkShell {
                packages = [
                  pkgs.cargo
                  pkgs.clippy
                  pkgs.rustc
                  pkgs.rustfmt
                  pkgs.rust-analyzer
                  pkgs.nixfmt-tree
                  # What tests and benches run beside cargo.
                  pkgs.btrfs-progs
                  pkgs.fio
                  pkgs.git
                  pkgs.gnupatch
                  pkgs.hyperfine
                  pkgs.jq
                ];
                NIXPKGS_LIB = "${nixpkgs}/lib";
              };
          })
          [
            "x86_64-linux"
            "aarch64-linux"
          ]
      );
    };
}
