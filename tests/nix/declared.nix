# What the stand-in for NixOS declares, as its documentation would list it.
{ pkgs }:
let
  inherit (pkgs) lib;
  evaluated = lib.evalModules {
    class = "nixos";
    modules = [
      ../nixpkgs-stand-in/nixos.nix
      { _module.args.pkgs = pkgs; }
    ];
  };
in
builtins.listToAttrs (
  map (option: {
    inherit (option) name;
    value = {
      inherit (option) type;
      default = option.default.text or null;
    };
  }) (lib.optionAttrSetToDocList (removeAttrs evaluated.options [ "_module" ]))
)
