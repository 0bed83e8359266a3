# A flake made with flake-parts: every host in `nixosConfigurations` is checked.
{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    flake-parts.url = "github:hercules-ci/flake-parts";
    flake-parts.inputs.nixpkgs-lib.follows = "nixpkgs";
    disko.url = "github:nix-community/disko";
    disko.inputs.nixpkgs.follows = "nixpkgs";
    disko-advise.url = "github:disko-advise/disko-advise";
    disko-advise.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    inputs:
    inputs.flake-parts.lib.mkFlake { inherit inputs; } {
      imports = [ inputs.disko-advise.flakeModules.default ];

      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];

      flake.nixosConfigurations.laptop = inputs.nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          inputs.disko.nixosModules.disko
          ./laptop.nix
        ];
      };
    };
}
