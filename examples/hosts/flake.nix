# Three hosts whose disk layouts are checked before anything is deployed: `nix flake check`.
{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    disko.url = "github:nix-community/disko";
    disko.inputs.nixpkgs.follows = "nixpkgs";
    disko-advise.url = "github:disko-advise/disko-advise";
    disko-advise.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      self,
      nixpkgs,
      disko,
      disko-advise,
    }:
    let
      system = "x86_64-linux";
      host =
        name:
        nixpkgs.lib.nixosSystem {
          inherit system;
          modules = [
            disko.nixosModules.disko
            # With the module, `nixos-rebuild` refuses a wrong layout as well.
            disko-advise.nixosModules.default
            {
              disko.advise.enable = true;
              # Name here what the machine says of itself, and far more can be judged:
              # facts = [ ./facts/${name} ], a bundle of `disko-advise collect`, or a facter.json.
              disko.advise.facts = [ ];
            }
            { networking.hostName = name; }
            (./hosts + "/${name}.nix")
          ];
        };
    in
    {
      nixosConfigurations = {
        desktop = host "desktop";
        files = host "files";
        database = host "database";
      };

      # One derivation a host, so that they are built side by side, and `fleet`, the summary of all.
      checks.${system} = disko-advise.lib.mkFleetCheck {
        pkgs = nixpkgs.legacyPackages.${system};
        hosts = self.nixosConfigurations;
      };

      # The same for Hydra.
      hydraJobs = { inherit (self) checks; };
    };
}
