# As nixpkgs' own `default.nix` is called: `import nixpkgs { system = "x86_64-linux"; }`.
{
  system ? builtins.currentSystem,
  config ? { },
  overlays ? [ ],
}:
let
  packages = import ./packages.nix (import ./lib/of-tree.nix // { inherit system; });
  extended = builtins.foldl' (prev: overlay: prev // overlay extended prev) packages overlays;
in
extended
// {
  inherit config overlays;
  # Where those who have only packages find NixOS.
  path = ./.;
}
