# A set that grows by one attribute, four thousand times.
let
  grown = builtins.foldl' (set: n: set // { "a${toString n}" = n; }) { } (
    builtins.genList (x: x) 4000
  );
in
builtins.length (builtins.attrNames grown)
