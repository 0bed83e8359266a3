# Which of the options that we read the modules of NixOS at hand do not declare, and how many were asked for.
{
  lib,
  # A folder with files of nixpkgs' `nixos/modules`.
  modules,
}:
let
  declared = builtins.fromJSON (builtins.readFile ../../nix/options-declared.json);
  file = option: /. + modules + "/${declared.${option}}";
  asked = lib.filter (option: builtins.pathExists (file option)) (lib.attrNames declared);
  # Options are there to be seen before anything is configured.
  options =
    option:
    (lib.evalModules {
      class = "nixos";
      modules = [
        (file option)
        {
          _module.check = false;
          _module.args = {
            pkgs = throw "no option depends on pkgs to be there";
            utils = throw "no option depends on utils to be there";
          };
        }
      ];
    }).options;
in
{
  asked = lib.length asked;
  undeclared = lib.filter (
    option: !lib.isOption (lib.attrByPath (lib.splitString "." option) null (options option))
  ) asked;
}
