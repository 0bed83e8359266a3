# What of a system's derivation differs from that of the same host without our module, for one that only
# imports the module, one that sets what is of no use without `enable`, and one that enables it.
{
  pkgs,
  disko,
  modules,
}:
let
  inherit (pkgs) lib;
  system =
    more:
    (import ./host.nix {
      inherit pkgs disko;
      modules = modules ++ more;
    }).config.system.build.toplevel.drvAttrs;
  without =
    (pkgs.lib.evalModules {
      class = "nixos";
      specialArgs.modulesPath = throw "no test needs modulesPath";
      modules = [
        ../nixpkgs-stand-in/nixos.nix
        (/. + disko + "/module.nix")
        { _module.args.pkgs = pkgs; }
      ]
      ++ modules;
    }).config.system.build.toplevel.drvAttrs;
  differing =
    with_:
    lib.filter (name: with_.${name} or null != without.${name} or null) (
      lib.attrNames (without // with_)
    );
in
{
  imported = differing (system [ ]);
  unused = differing (system [
    {
      disko.advise.failOn = "error";
      disko.advise.workloads.desktop = null;
    }
  ]);
  enabled = differing (system [ { disko.advise.enable = true; } ]);
}
