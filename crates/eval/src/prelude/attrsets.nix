# `lib.attrsets`.
# Sets are narrowed with `removeAttrs` and changed with `mapAttrs` and `//` rather than built anew,
# so that an attribute stays the one that a person wrote.
lib:
let
  inherit (builtins) attrNames attrValues elemAt filter foldl' head isAttrs length listToAttrs mapAttrs tail;
in
rec {
  inherit (builtins)
    attrNames attrValues hasAttr getAttr isAttrs intersectAttrs removeAttrs mapAttrs listToAttrs catAttrs
    zipAttrsWith;

  attrByPath = path: default: set:
    if path == [ ] then set
    else if isAttrs set && set ? ${head path} then attrByPath (tail path) default set.${head path}
    else default;
  hasAttrByPath = path: set:
    path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  longestValidPathPrefix = path: set:
    let
      upTo = n:
        if n < length path && hasAttrByPath (lib.take (n + 1) path) set then upTo (n + 1) else lib.take n path;
    in upTo 0;
  setAttrByPath = path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
  getAttrFromPath = path: set:
    attrByPath path (throw "cannot find attribute '${lib.concatStringsSep "." path}'") set;
  attrVals = names: set: map (name: set.${name}) names;
  getAttrs = names: set: lib.genAttrs names (name: set.${name});
  filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
  filterAttrsRecursive = keep: set:
    mapAttrs (_: value: if isAttrs value then filterAttrsRecursive keep value else value) (filterAttrs keep set);
  foldlAttrs = f: start: set: foldl' (sum: name: f sum name set.${name}) start (attrNames set);
  foldAttrs = f: start: sets: builtins.zipAttrsWith (_: lib.foldr f start) sets;
  collect = wanted: value:
    if wanted value then [ value ]
    else if isAttrs value then builtins.concatMap (collect wanted) (attrValues value)
    else [ ];
  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
  mapAttrsRecursiveCond = descend: f:
    let
      below = path: mapAttrs (name: value:
        if isAttrs value && descend value then below (path ++ [ name ]) value else f (path ++ [ name ]) value);
    in below [ ];
  mapAttrsToListRecursive = mapAttrsToListRecursiveCond (_: _: true);
  mapAttrsToListRecursiveCond = descend: f: set:
    let
      below = path: value:
        if isAttrs value && (path == [ ] || descend path value) then
          builtins.concatMap (name: below (path ++ [ name ]) value.${name}) (attrNames value)
        else [ (f path value) ];
    in below [ ] set;
  genAttrs = names: f: listToAttrs (map (name: { inherit name; value = f name; }) names);
  genAttrs' = items: f: listToAttrs (map f items);
  isDerivation = value: (value.type or null) == "derivation";
  optionalAttrs = condition: set: if condition then set else { };
  zipAttrsWithNames = names: f: sets:
    lib.genAttrs names (name: f name (builtins.catAttrs name sets));
  zipAttrs = builtins.zipAttrsWith (_: values: values);
  recursiveUpdateUntil = stop: left: right:
    let
      both = path: old: new:
        old // mapAttrs (name: value:
          let here = path ++ [ name ];
          in if !(old ? ${name}) || stop here old.${name} value then value else both here old.${name} value) new;
    in both [ ] left right;
  recursiveUpdate = recursiveUpdateUntil (_: old: new: !(isAttrs old && isAttrs new));
  matchAttrs = pattern: set:
    builtins.all (name:
      set ? ${name} && (
        if isAttrs pattern.${name} then isAttrs set.${name} && matchAttrs pattern.${name} set.${name}
        else pattern.${name} == set.${name}
      )) (attrNames pattern);
  mergeAttrsList = foldl' (sum: set: sum // set) { };
  overrideExisting = old: new: old // builtins.intersectAttrs old new;
  showAttrPath = path:
    if path == [ ] then "<root attribute path>" else lib.concatMapStringsSep "." lib.strings.escapeNixIdentifier path;
  unionOfDisjoint = left: right:
    left // right // mapAttrs (name: _:
      throw "unionOfDisjoint: collision on ${name}; complete list: ${
        builtins.concatStringsSep " " (attrNames (builtins.intersectAttrs left right))
      }") (builtins.intersectAttrs left right);
  getOutput = output: package:
    if package.outputSpecified or false then package else package.${output} or package.out or package;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getMan = getOutput "man";
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };
  cartesianProduct = sets:
    foldl' (made: name: builtins.concatMap (set: map (value: set // { ${name} = value; }) sets.${name}) made)
      [ { } ] (attrNames sets);
  mapCartesianProduct = f: sets: map f (cartesianProduct sets);
  updateManyAttrsByPath =
    let
      # `found` is a list of the value that is there, or of none.
      change = path: changes: found:
        let
          sorted = builtins.partition (change: change.path == [ ]) changes;
          set = if found == [ ] then { } else head found;
          deeper = mapAttrs (name: inner:
            change (path ++ [ name ]) (map (one: one // { path = tail one.path; }) inner)
              (if set ? ${name} then [ set.${name} ] else [ ]))
            (builtins.groupBy (change: head change.path) sorted.wrong);
          start =
            if sorted.wrong != [ ] then set // deeper
            else if found == [ ] then throw "updateManyAttrsByPath: '${showAttrPath path}' does not exist"
            else head found;
        in foldl' (result: one: one.update result) start sorted.right;
    in changes: set: change [ ] changes [ set ];
}
