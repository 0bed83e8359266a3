# nixpkgs' `lib`, and the folder that it is in: null without NIXPKGS_LIB.
let
  tree = builtins.getEnv "NIXPKGS_LIB";
in
rec {
  folder =
    if tree == "" then
      null
    else if builtins.pathExists (/. + tree + "/lib/default.nix") then
      /. + tree + "/lib"
    else
      /. + tree;
  lib = if folder == null then import ./. else import folder;
}
