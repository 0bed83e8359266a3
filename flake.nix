{
  description = "Storage-tuning advice for NixOS: what a disko layout declares without effect, and what holds the machine back";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # Builtins only, so that evaluating the flake needs no particular `lib`.
      perSystem =
        make:
        builtins.listToAttrs (
          map
            (system: {
              name = system;
              value = make nixpkgs.legacyPackages.${system} system;
            })
            [
              "x86_64-linux"
              "aarch64-linux"
            ]
        );
    in
    {
      packages = perSystem (
        pkgs: system: {
          disko-advise = pkgs.callPackage ./nix/package.nix { };
          default = self.packages.${system}.disko-advise;
        }
      );

      apps = perSystem (
        _: system: {
          advise = {
            type = "app";
            program = "${self.packages.${system}.disko-advise}/bin/disko-advise";
            meta.description = "Judge a disk layout";
          };
          default = self.apps.${system}.advise;
        }
      );

      overlays.default = final: _: {
        disko-advise = final.callPackage ./nix/package.nix { };
      };

      nixosModules.default = import ./modules/nixos.nix;

      # For flake-parts, which calls its modules `flakeModules`.
      flakeModules.default = ./nix/flake-module.nix;

      lib = import ./nix/lib.nix;

      checks = perSystem (
        _: system: {
          inherit (self.packages.${system}) disko-advise;
        }
      );

      templates = {
        default = {
          path = ./examples/hosts;
          description = "Hosts whose disk layouts are checked before they are deployed";
        };
        flake-parts = {
          path = ./examples/flake-parts;
          description = "The same, with flake-parts";
        };
      };

      formatter = perSystem (pkgs: _: pkgs.nixfmt-tree);
    };
}
