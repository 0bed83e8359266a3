# `lib.lists`.
lib:
let
  inherit (builtins) elemAt genList length foldl' head tail concatLists filter;
in
rec {
  inherit (builtins)
    map filter concatMap concatLists genList length head tail elem elemAt isList any all sort partition groupBy
    foldl';

  singleton = x: [ x ];
  forEach = list: f: map f list;
  foldr = f: start: list:
    let
      count = length list;
      from = n: if n == count then start else f (elemAt list n) (from (n + 1));
    in from 0;
  fold = foldr;
  foldl = f: start: list:
    let upTo = n: if n == 0 then start else f (upTo (n - 1)) (elemAt list (n - 1));
    in upTo (length list);
  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  imap1 = f: imap0 (n: f (n + 1));
  ifilter0 = keep: list:
    map (n: elemAt list n) (filter (n: keep n (elemAt list n)) (genList (n: n) (length list)));
  flatten = x: if builtins.isList x then builtins.concatMap flatten x else [ x ];
  remove = unwanted: filter (x: x != unwanted);
  findSingle = wanted: none: several: list:
    let found = filter wanted list;
    in if found == [ ] then none else if length found == 1 then head found else several;
  findFirstIndex = wanted: none: list:
    let
      count = length list;
      from = n: if n == count then none else if wanted (elemAt list n) then n else from (n + 1);
    in from 0;
  findFirst = wanted: none: list:
    let index = findFirstIndex wanted null list;
    in if index == null then none else elemAt list index;
  count = wanted: list: length (filter wanted list);
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  toList = x: if builtins.isList x then x else [ x ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  replicate = count: x: genList (_: x) count;
  zipListsWith = f: left: right:
    genList (n: f (elemAt left n) (elemAt right n)) (lib.min (length left) (length right));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  reverseList = list: let last = length list - 1; in genList (n: elemAt list (last - n)) (last + 1);
  sortOn = key: list:
    map (pair: elemAt pair 1) (builtins.sort (a: b: head a < head b) (map (x: [ (key x) x ]) list));
  compareLists = compare: left: right:
    let
      from = n:
        if n == length left then (if n == length right then 0 else -1)
        else if n == length right then 1
        else
          let order = compare (elemAt left n) (elemAt right n);
          in if order == 0 then from (n + 1) else order;
    in from 0;
  naturalSort = list:
    let
      parts = text: map (part: if builtins.isList part then lib.toIntBase10 (head part) else part)
        (builtins.split "(0|[1-9][0-9]*)" text);
      keyed = map (text: [ (parts text) text ]) list;
    in map (pair: elemAt pair 1) (builtins.sort (a: b: compareLists lib.compare (head a) (head b) < 0) keyed);
  sublist = start: count: list:
    genList (n: elemAt list (start + n)) (lib.max 0 (lib.min count (length list - start)));
  take = count: sublist 0 count;
  drop = count: list: sublist count (length list) list;
  takeEnd = count: list: drop (lib.max 0 (length list - count)) list;
  dropEnd = count: list: take (lib.max 0 (length list - count)) list;
  last = list:
    if list == [ ] then throw "lists.last: list must not be empty!" else elemAt list (length list - 1);
  init = list:
    if list == [ ] then throw "lists.init: list must not be empty!" else take (length list - 1) list;
  crossLists = f: foldl (fs: args: builtins.concatMap (g: map g args) fs) [ f ];
  unique = foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  uniqueStrings = list: builtins.attrNames (builtins.groupBy (x: x) list);
  allUnique = list: length (unique list) == length list;
  intersectLists = wanted: filter (x: builtins.elem x wanted);
  subtractLists = unwanted: filter (x: !builtins.elem x unwanted);
  mutuallyExclusive = left: right: !builtins.any (x: builtins.elem x right) left;
  groupBy' = f: start: key: list: builtins.mapAttrs (_: foldl f start) (builtins.groupBy key list);
  concatAttrValues = set: concatLists (builtins.attrValues set);
  replaceElemAt = list: index: new:
    if index < 0 || index >= length list then
      throw "'lists.replaceElemAt' called with index ${toString index} on a list of size ${toString (length list)}"
    else genList (n: if n == index then new else elemAt list n) (length list);
  hasPrefix = start: list: take (length start) list == start;
  removePrefix = start: list:
    if hasPrefix start list then drop (length start) list
    else throw "lib.lists.removePrefix: First argument is not a list prefix of the second argument";
  commonPrefix = left: right:
    let
      pairs = zipLists left right;
      differs = findFirstIndex (pair: pair.fst != pair.snd) (length pairs) pairs;
    in take differs left;
  listDfs = stopOnCycles: before: list:
    let
      walk = current: visited: rest:
        let
          split = builtins.partition (x: before x current) rest;
          loops = filter (x: before x current) visited;
        in
        if stopOnCycles && loops != [ ] then { cycle = current; inherit loops visited rest; }
        else if split.right == [ ] then { minimal = current; inherit visited rest; }
        else walk (head split.right) ([ current ] ++ visited) (tail split.right ++ split.wrong);
    in walk (head list) [ ] (tail list);
  toposort = before: list:
    let
      found = listDfs true before list;
      others = toposort before (found.visited ++ found.rest);
    in
    if length list < 2 then { result = list; }
    else if found ? cycle then { cycle = reverseList ([ found.cycle ] ++ found.visited); inherit (found) loops; }
    else if others ? cycle then others
    else { result = [ found.minimal ] ++ others.result; };
}
