# Calls of `lib` functions, by the function's name.
# The prelude and nixpkgs' own `lib` must give the same for each; a failure is equal to a failure.
lib:
with builtins;
let
  abc = { a = 1; b = 2; c = 3; };
  deep = { a = { b = { c = 1; d = null; }; e = [ 1 { f = 2; } ]; }; g = "x"; };
  words = [ "noatime" "compress=zstd" "noatime" "" "ssd" ];
  numbers = [ 3 1 2 3 10 (-4) 1 ];
  fails = throw "must not be forced";
  package = { name = "foo-1.2.3"; pname = "foo"; version = "1.2.3"; outPath = "/foo"; bin = "/foo-bin"; dev = "/foo-dev"; type = "derivation"; };
  definitions = map (value: { file = "f.nix"; inherit value; });
  samples = [
    null true false 0 1 (-1) 255 256 65535 65536 1.5 "" "x" "a b" "two\nlines" "line\n" "/dev/sda" "relative/path" /dev/sda
    [ ] [ "x" ] [ 1 ] [ null ] { } { a = 1; } { a = "x"; } (x: x) package
  ];
  # What a type is to those who use it: its name and what it accepts.
  type = t: { inherit (t) name; accepts = map t.check samples; };
  merged = t: values: t.merge [ "a" "b" ] (definitions values);
in
{
  id = [ (lib.id 1) ];
  const = [ (lib.const 1 fails) ];
  pipe = [ (lib.pipe 2 [ (x: x + 2) (x: x * 3) ]) (lib.pipe 1 [ ]) ];
  concat = [ (lib.concat [ 1 ] [ 2 ]) ];
  or = [ (lib.or false true) (lib.or true fails) ];
  and = [ (lib.and false fails) (lib.and true false) ];
  xor = [ (lib.xor true false) (lib.xor true true) ];
  bitAnd = [ (lib.bitAnd 12 10) ];
  bitOr = [ (lib.bitOr 12 10) ];
  bitXor = [ (lib.bitXor 12 10) ];
  bitNot = [ (lib.bitNot 5) (lib.bitNot (-1)) ];
  boolToString = [ (lib.boolToString true) (lib.boolToString false) ];
  boolToYesNo = [ (lib.boolToYesNo true) (lib.boolToYesNo false) ];
  mergeAttrs = [ (lib.mergeAttrs abc { b = 9; d = 4; }) ];
  flip = [ (lib.flip (a: b: a - b) 1 10) ];
  defaultTo = [ (lib.defaultTo 1 null) (lib.defaultTo fails false) ];
  mapNullable = [ (lib.mapNullable (x: x + 1) null) (lib.mapNullable (x: x + 1) 2) ];
  min = [ (lib.min 1 2) (lib.min 2 1) (lib.min "a" "b") ];
  max = [ (lib.max 1 2) (lib.max 2 1) (lib.max 1.5 1) ];
  mod = [ (lib.mod 11 10) (lib.mod (-7) 3) ];
  compare = [ (lib.compare 1 2) (lib.compare 2 2) (lib.compare "b" "a") ];
  splitByAndCompare = [
    (sort (a: b: lib.splitByAndCompare (lib.hasPrefix "z") lib.compare lib.compare a b < 0) [ "b" "zb" "a" "za" ])
  ];
  seq = [ (lib.seq 1 2) (lib.seq fails 2) ];
  deepSeq = [ (lib.deepSeq { a = 1; } 2) (lib.deepSeq { a = fails; } 2) ];
  lessThan = [ (lib.lessThan 1 2) ];
  add = [ (lib.add 1 2) ];
  sub = [ (lib.sub 1 2) ];
  mul = [ (lib.mul 3 2) ];
  div = [ (lib.div 7 2) (lib.div 7 2.0) ];
  ceil = [ (lib.ceil 1.2) ];
  floor = [ (lib.floor 1.8) ];
  isBool = [ (map lib.isBool samples) ];
  isInt = [ (map lib.isInt samples) ];
  isFloat = [ (map lib.isFloat samples) ];
  isString = [ (map lib.isString samples) ];
  isList = [ (map lib.isList samples) ];
  isAttrs = [ (map lib.isAttrs samples) ];
  isPath = [ (map lib.isPath samples) ];
  isFunction = [ (map lib.isFunction samples) (lib.isFunction { __functor = self: x: x; }) ];
  functionArgs = [
    (lib.functionArgs ({ a, b ? 1, ... }: a))
    (lib.functionArgs (x: x))
    (lib.functionArgs { __functor = self: { c }: c; })
  ];
  setFunctionArgs = [ (lib.functionArgs (lib.setFunctionArgs (x: x) { d = true; })) (lib.setFunctionArgs (x: x + 1) { } 2) ];
  mirrorFunctionArgs = [ (lib.functionArgs (lib.mirrorFunctionArgs ({ a, b ? 2 }: a) (x: x))) ];
  toFunction = [ (lib.toFunction 1 2) (lib.toFunction (x: x + 1) 2) ];
  fromHexString = [ (lib.fromHexString "FF") (lib.fromHexString "0x7fa") ];
  toHexString = [ (lib.toHexString 250) (lib.toHexString 0) (lib.toHexString 4096) ];
  toBaseDigits = [ (lib.toBaseDigits 2 6) (lib.toBaseDigits 16 250) (lib.toBaseDigits 10 0) ];
  warn = [ (lib.warn "w" 1) ];
  warnIf = [ (lib.warnIf false fails 1) (lib.warnIf true "w" 1) ];
  warnIfNot = [ (lib.warnIfNot true fails 1) ];
  throwIf = [ (lib.throwIf false fails 1) (lib.throwIf true "no" 1) ];
  throwIfNot = [ (lib.throwIfNot true fails 1) (lib.throwIfNot false "no" 1) ];
  showWarnings = [ (lib.showWarnings [ "a" "b" ] 1) ];
  checkListOfEnum = [ (lib.checkListOfEnum "m" [ "a" "b" ] [ "a" ] 1) (lib.checkListOfEnum "m" [ "a" ] [ "c" ] 1) ];
  assertMsg = [ (lib.assertMsg true fails) (lib.assertMsg false "no") ];
  assertOneOf = [ (lib.assertOneOf "x" 1 [ 1 2 ]) (lib.assertOneOf "x" 3 [ 1 2 ]) ];
  fix = [ (lib.fix (self: { a = 1; b = self.a + 1; })) ];
  "fix'" = [ (removeAttrs (lib.fix' (self: { a = 1; b = self.a + 1; })) [ "__unfix__" ]) ];
  converge = [ (lib.converge (x: x / 2) 16) ];
  extends = [ (lib.fix (lib.extends (final: prev: { b = prev.b + 10; c = final.b; }) (self: { a = 1; b = self.a; }))) ];
  composeExtensions = [
    (lib.fix (lib.extends (lib.composeExtensions (f: p: { a = p.a + 1; }) (f: p: { a = p.a * 10; })) (self: { a = 1; })))
  ];
  composeManyExtensions = [
    (lib.fix (lib.extends (lib.composeManyExtensions [ (f: p: { a = p.a + 1; }) (f: p: { b = p.a; }) ]) (self: { a = 1; })))
  ];
  makeExtensible = [ ((lib.makeExtensible (self: { a = 1; b = self.a; })).extend (f: p: { a = p.a + 5; })).b ];
  makeExtensibleWithCustomName = [ ((lib.makeExtensibleWithCustomName "more" (self: { a = 1; })).more (f: p: { a = 2; })).a ];
  toExtension = [ (lib.toExtension { a = 1; } { } { }) (lib.toExtension (p: { b = p.a; }) { } { a = 3; }) (lib.toExtension (f: p: { c = f.x; }) { x = 1; } { }) ];

  attrByPath = [ (lib.attrByPath [ "a" "b" "c" ] 0 deep) (lib.attrByPath [ "a" "z" ] 0 deep) (lib.attrByPath [ "g" "z" ] 0 deep) (lib.attrByPath [ ] 0 abc) ];
  hasAttrByPath = [ (lib.hasAttrByPath [ "a" "b" ] deep) (lib.hasAttrByPath [ "a" "z" ] deep) (lib.hasAttrByPath [ ] fails) (lib.hasAttrByPath [ "g" "x" ] deep) ];
  setAttrByPath = [ (lib.setAttrByPath [ "a" "b" ] 3) (lib.setAttrByPath [ ] 3) ];
  getAttrFromPath = [ (lib.getAttrFromPath [ "a" "b" "c" ] deep) ];
  attrVals = [ (lib.attrVals [ "c" "a" ] abc) ];
  attrNames = [ (lib.attrNames abc) ];
  attrValues = [ (lib.attrValues abc) ];
  getAttrs = [ (lib.getAttrs [ "c" "a" ] abc) ];
  catAttrs = [ (lib.catAttrs "a" [ abc { } { a = 7; } ]) ];
  hasAttr = [ (lib.hasAttr "a" abc) ];
  getAttr = [ (lib.getAttr "a" abc) ];
  intersectAttrs = [ (lib.intersectAttrs { a = 0; z = 0; } abc) ];
  removeAttrs = [ (lib.removeAttrs abc [ "a" "q" ]) ];
  mapAttrs = [ (lib.mapAttrs (n: v: n + toString v) abc) ];
  listToAttrs = [ (lib.listToAttrs [ { name = "x"; value = 1; } { name = "x"; value = 2; } ]) ];
  zipAttrsWith = [ (lib.zipAttrsWith (n: vs: { inherit n vs; }) [ abc { a = 5; } ]) ];
  filterAttrs = [ (lib.filterAttrs (n: v: v > 1) abc) (lib.filterAttrs (n: v: n == "a") abc) ];
  filterAttrsRecursive = [ (lib.filterAttrsRecursive (n: v: v != null) deep) ];
  foldlAttrs = [ (lib.foldlAttrs (sum: n: v: sum + n + toString v) "" abc) ];
  foldAttrs = [ (lib.foldAttrs (x: xs: [ x ] ++ xs) [ ] [ { a = 2; } { a = 3; b = 4; } ]) ];
  collect = [ (lib.collect isList deep) (lib.collect (x: x ? c) deep) ];
  nameValuePair = [ (lib.nameValuePair "a" 1) ];
  "mapAttrs'" = [ (lib.mapAttrs' (n: v: lib.nameValuePair ("x" + n) (v * 2)) abc) ];
  mapAttrsToList = [ (lib.mapAttrsToList (n: v: n + toString v) abc) ];
  attrsToList = [ (lib.attrsToList abc) ];
  concatMapAttrs = [ (lib.concatMapAttrs (n: v: { "${n}1" = v; "${n}2" = v + 1; }) abc) ];
  mapAttrsRecursive = [ (lib.mapAttrsRecursive (p: v: concatStringsSep "-" p) deep) ];
  mapAttrsRecursiveCond = [ (lib.mapAttrsRecursiveCond (v: !(v ? c)) (p: v: p) deep) ];
  mapAttrsToListRecursive = [ (lib.mapAttrsToListRecursive (p: v: { inherit p v; }) deep) ];
  mapAttrsToListRecursiveCond = [ (lib.mapAttrsToListRecursiveCond (p: v: !(v ? c)) (p: v: { inherit p v; }) deep) ];
  genAttrs = [ (lib.genAttrs [ "a" "b" ] (n: n + n)) ];
  "genAttrs'" = [ (lib.genAttrs' [ 1 2 ] (n: lib.nameValuePair "n${toString n}" n)) ];
  isDerivation = [ (map lib.isDerivation samples) ];
  optionalAttrs = [ (lib.optionalAttrs true abc) (lib.optionalAttrs false fails) ];
  zipAttrsWithNames = [ (lib.zipAttrsWithNames [ "a" ] (n: vs: vs) [ abc { a = 9; } ]) ];
  zipAttrs = [ (lib.zipAttrs [ abc { a = 9; } ]) ];
  recursiveUpdateUntil = [ (lib.recursiveUpdateUntil (p: l: r: p == [ "a" "b" ] || !(isAttrs l && isAttrs r)) deep { a.b.z = 1; g = 2; a.n = 1; }) ];
  recursiveUpdate = [ (lib.recursiveUpdate deep { a.b.z = 1; g.h = 2; a.e = 1; k = 1; }) ];
  matchAttrs = [ (lib.matchAttrs { a.b.c = 1; } deep) (lib.matchAttrs { a.b.c = 2; } deep) (lib.matchAttrs { z = 1; } deep) ];
  mergeAttrsList = [ (lib.mergeAttrsList [ abc { a = 4; } { d = 5; } ]) (lib.mergeAttrsList [ ]) ];
  overrideExisting = [ (lib.overrideExisting abc { a = 9; z = 1; }) ];
  showAttrPath = [ (lib.showAttrPath [ "foo" "10" "bar" ]) (lib.showAttrPath [ ]) (lib.showAttrPath [ "a b" "if" ]) ];
  getOutput = [ (lib.getOutput "dev" package) (lib.getOutput "nope" package) ];
  getBin = [ (lib.getBin package) ];
  getLib = [ (lib.getLib package) ];
  getDev = [ (lib.getDev package) ];
  getMan = [ (lib.getMan package) ];
  recurseIntoAttrs = [ (lib.recurseIntoAttrs abc) ];
  dontRecurseIntoAttrs = [ (lib.dontRecurseIntoAttrs abc) ];
  cartesianProduct = [ (lib.cartesianProduct { a = [ 1 2 ]; b = [ 10 20 ]; }) (lib.cartesianProduct { }) ];
  mapCartesianProduct = [ (lib.mapCartesianProduct ({ a, b }: "${a}-${b}") { a = [ "1" "2" ]; b = [ "3" "4" ]; }) ];
  updateManyAttrsByPath = [
    (lib.updateManyAttrsByPath [ { path = [ "a" "b" ]; update = old: { d = old.c; }; } { path = [ "a" "b" "c" ]; update = old: old + 1; } ] { a.b.c = 0; x = 1; })
    (lib.updateManyAttrsByPath [ { path = [ "n" "m" ]; update = _: 1; } ] { a = 1; })
    (lib.updateManyAttrsByPath [ { path = [ ]; update = old: old // { z = 1; }; } ] { a = 1; })
  ];

  singleton = [ (lib.singleton 1) ];
  map = [ (lib.map (x: x + 1) numbers) ];
  filter = [ (lib.filter (x: x > 1) numbers) ];
  concatMap = [ (lib.concatMap (x: [ x x ]) numbers) ];
  concatLists = [ (lib.concatLists [ [ 1 ] [ ] [ 2 3 ] ]) ];
  genList = [ (lib.genList (x: x * x) 5) ];
  length = [ (lib.length numbers) ];
  head = [ (lib.head numbers) ];
  tail = [ (lib.tail numbers) ];
  elem = [ (lib.elem 3 numbers) (lib.elem 99 numbers) ];
  elemAt = [ (lib.elemAt numbers 1) ];
  any = [ (lib.any (x: x > 9) numbers) ];
  all = [ (lib.all (x: x > 9) numbers) ];
  sort = [ (lib.sort lessThan numbers) ];
  partition = [ (lib.partition (x: x > 2) numbers) ];
  groupBy = [ (lib.groupBy (x: if x > 2 then "big" else "small") numbers) ];
  "foldl'" = [ (lib.foldl' (a: b: a + b) 0 numbers) ];
  forEach = [ (lib.forEach numbers (x: x + 1)) ];
  foldr = [ (lib.foldr (a: b: "(${toString a}${b})") "z" numbers) (lib.foldr (a: b: a) 0 [ 1 fails ]) ];
  fold = [ (lib.fold (a: b: a - b) 0 [ 1 2 3 ]) ];
  foldl = [ (lib.foldl (a: b: "(${a}${toString b})") "z" numbers) ];
  imap0 = [ (lib.imap0 (i: v: "${toString i}${v}") words) ];
  imap1 = [ (lib.imap1 (i: v: "${toString i}${v}") words) ];
  ifilter0 = [ (lib.ifilter0 (i: v: i == 0 || v > 2) numbers) ];
  flatten = [ (lib.flatten [ 1 [ 2 [ 3 ] 4 ] [ ] ]) (lib.flatten 1) ];
  remove = [ (lib.remove 3 numbers) ];
  findSingle = [ (lib.findSingle (x: x == 3) "none" "multiple" numbers) (lib.findSingle (x: x == 10) "none" "multiple" numbers) (lib.findSingle (x: x == 99) "none" "multiple" numbers) ];
  findFirst = [ (lib.findFirst (x: x > 3) 7 numbers) (lib.findFirst (x: x > 99) 7 numbers) (lib.findFirst (x: x == 1) fails [ 1 fails ]) ];
  count = [ (lib.count (x: x == 3) numbers) ];
  optional = [ (lib.optional true 1) (lib.optional false fails) ];
  optionals = [ (lib.optionals true [ 1 ]) (lib.optionals false fails) ];
  toList = [ (lib.toList 1) (lib.toList [ 1 ]) (lib.toList null) ];
  range = [ (lib.range 2 4) (lib.range 3 2) (lib.range (-1) 1) ];
  replicate = [ (lib.replicate 3 "a") (lib.replicate 0 "a") ];
  zipListsWith = [ (lib.zipListsWith (a: b: a + b) [ 1 2 3 ] [ 10 20 ]) ];
  zipLists = [ (lib.zipLists [ 1 2 ] [ "a" "b" "c" ]) ];
  reverseList = [ (lib.reverseList numbers) (lib.reverseList [ ]) ];
  sortOn = [ (lib.sortOn stringLength words) ];
  compareLists = [ (lib.compareLists lib.compare [ ] [ ]) (lib.compareLists lib.compare [ ] [ 1 ]) (lib.compareLists lib.compare [ 1 2 ] [ 1 1 9 ]) (lib.compareLists lib.compare [ 1 ] [ ]) ];
  naturalSort = [ (lib.naturalSort [ "disk11" "disk8" "disk100" "disk9" ]) (lib.naturalSort [ "v0.2" "v0.15" "v0.0.9" ]) (lib.naturalSort [ "10.46.133.149" "10.5.16.62" "10.54.16.25" ]) ];
  sublist = [ (lib.sublist 1 3 numbers) (lib.sublist 5 9 numbers) (lib.sublist 50 1 numbers) ];
  take = [ (lib.take 2 numbers) (lib.take 99 numbers) (lib.take 0 numbers) ];
  drop = [ (lib.drop 2 numbers) (lib.drop 99 numbers) ];
  takeEnd = [ (lib.takeEnd 2 numbers) (lib.takeEnd 99 numbers) (lib.takeEnd 0 numbers) ];
  dropEnd = [ (lib.dropEnd 2 numbers) (lib.dropEnd 99 numbers) ];
  last = [ (lib.last numbers) (lib.last [ ]) ];
  init = [ (lib.init numbers) (lib.init [ ]) ];
  crossLists = [ (lib.crossLists (x: y: "${toString x}${toString y}") [ [ 1 2 ] [ 3 4 ] ]) ];
  unique = [ (lib.unique numbers) (lib.unique words) (lib.unique [ { a = 1; } { a = 1; } ]) ];
  uniqueStrings = [ (lib.uniqueStrings words) ];
  allUnique = [ (lib.allUnique numbers) (lib.allUnique [ 1 2 ]) ];
  intersectLists = [ (lib.intersectLists [ 1 2 3 ] [ 6 3 2 3 ]) ];
  subtractLists = [ (lib.subtractLists [ 3 2 ] numbers) ];
  mutuallyExclusive = [ (lib.mutuallyExclusive [ 1 2 ] [ 3 4 ]) (lib.mutuallyExclusive [ 1 2 ] [ 2 4 ]) ];
  "groupBy'" = [ (lib.groupBy' add 0 (x: if x > 2 then "big" else "small") numbers) ];
  concatAttrValues = [ (lib.concatAttrValues { a = [ 1 ]; b = [ 2 3 ]; }) ];
  replaceElemAt = [ (lib.replaceElemAt [ 1 2 3 ] 1 "x") (lib.replaceElemAt [ 1 ] 5 "x") ];
  listDfs = [ (lib.listDfs true lib.hasPrefix [ "/home/user" "other" "/" "/home" ]) (lib.listDfs true lib.hasPrefix [ "/home/user" "other" "/" "/home" "/" ]) ];
  toposort = [
    (lib.toposort lib.hasPrefix [ "/home/user" "other" "/" "/home" ])
    (lib.toposort lib.hasPrefix [ "/home/user" "other" "/" "/home" "/" ])
    (lib.toposort lib.hasPrefix [ "other" "/home/user" "/home" "/" ])
    (lib.toposort (a: b: a < b) [ 3 2 1 ])
    (lib.toposort (a: b: a < b) [ ])
  ];

  stringLength = [ (lib.stringLength "é") ];
  substring = [ (lib.substring 1 2 "abcd") ];
  replaceStrings = [ (lib.replaceStrings [ "a" "" ] [ "b" "-" ] "aXa") ];
  match = [ (lib.match "(a+)(b*)" "aab") (lib.match "a" "b") ];
  split = [ (lib.split "(-)" "a-b") ];
  typeOf = [ (map lib.typeOf samples) ];
  concatStringsSep = [ (lib.concatStringsSep "," words) ];
  join = [ (lib.join "," words) ];
  concatStrings = [ (lib.concatStrings words) ];
  concatMapStrings = [ (lib.concatMapStrings (x: "<${x}>") words) ];
  concatImapStrings = [ (lib.concatImapStrings (i: x: "${toString i}${x}") words) ];
  intersperse = [ (lib.intersperse "/" [ "usr" "local" "bin" ]) (lib.intersperse 0 [ ]) (lib.intersperse 0 [ 1 ]) ];
  concatMapStringsSep = [ (lib.concatMapStringsSep "-" lib.toUpper words) ];
  concatImapStringsSep = [ (lib.concatImapStringsSep "-" (i: x: toString (i * stringLength x)) words) ];
  concatMapAttrsStringSep = [ (lib.concatMapAttrsStringSep "\n" (n: v: "${n}: ${toString v}") abc) ];
  concatLines = [ (lib.concatLines words) (lib.concatLines [ ]) ];
  replaceString = [ (lib.replaceString "a" "b" "banana") ];
  trim = [ (lib.trim "  a b\t\n") (lib.trim "") (lib.trim "   ") (lib.trim "a") ];
  trimWith = [ (lib.trimWith { start = true; } "  a ") (lib.trimWith { end = true; } "  a ") (lib.trimWith { end = true; } "   ") (lib.trimWith { start = true; } "   ") (lib.trimWith { } " a ") ];
  makeSearchPath = [ (lib.makeSearchPath "bin" [ "/base" "/usr" null ]) ];
  makeSearchPathOutput = [ (lib.makeSearchPathOutput "dev" "bin" [ package ]) ];
  makeLibraryPath = [ (lib.makeLibraryPath [ "/usr" package ]) ];
  makeIncludePath = [ (lib.makeIncludePath [ "/usr" package ]) ];
  makeBinPath = [ (lib.makeBinPath [ "/base" package ]) ];
  optionalString = [ (lib.optionalString true "a") (lib.optionalString false fails) ];
  hasPrefix = [ (lib.hasPrefix "foo" "foobar") (lib.hasPrefix "foo" "barfoo") (lib.hasPrefix "" "x") (lib.hasPrefix "long" "l") ];
  hasSuffix = [ (lib.hasSuffix "foo" "foobar") (lib.hasSuffix "foo" "barfoo") (lib.hasSuffix "" "x") (lib.hasSuffix "long" "g") ];
  hasInfix = [ (lib.hasInfix "b." "ab.c") (lib.hasInfix "b." "abxc") (lib.hasInfix "" "x") (lib.hasInfix "a" "") ];
  removePrefix = [ (lib.removePrefix "foo." "foo.bar.baz") (lib.removePrefix "xxx" "foo") ];
  removeSuffix = [ (lib.removeSuffix "front" "homefront") (lib.removeSuffix "xxx" "homefront") ];
  stringToCharacters = [ (lib.stringToCharacters "abc") (lib.stringToCharacters "") ];
  stringAsChars = [ (lib.stringAsChars (x: if x == "a" then "i" else x) "nax") ];
  escape = [ (lib.escape [ "(" ")" ] "(foo)") ];
  escapeRegex = [ (lib.escapeRegex "[^a-z]*.\\{1}|?+$()") ];
  escapeXML = [ (lib.escapeXML ''"test" 'test' < & >'') ];
  escapeURL = [ (lib.escapeURL "foo/bar baz?ä~_-.") ];
  escapeShellArg = [ (lib.escapeShellArg "esc'ape\nme") (lib.escapeShellArg "plain-1.2/x") (lib.escapeShellArg "") (lib.escapeShellArg 5) ];
  escapeShellArgs = [ (lib.escapeShellArgs [ "one" "two three" "four'five" ]) ];
  isValidPosixName = [ (map lib.isValidPosixName [ "foo_bar000" "0-bad.jpg" "" "_" ]) ];
  toShellVar = [ (lib.toShellVar "a" "x y") (lib.toShellVar "a" [ 1 "x y" ]) (lib.toShellVar "a" { b = 1; "c d" = "e f"; }) (lib.toShellVar "0" "x") (lib.toShellVar "a" true) ];
  toShellVars = [ (lib.toShellVars { a = 1; b = [ "x" ]; }) ];
  lowerChars = [ lib.lowerChars ];
  upperChars = [ lib.upperChars ];
  toLower = [ (lib.toLower "HoMe-É1") ];
  toUpper = [ (lib.toUpper "home-é1") ];
  toSentenceCase = [ (lib.toSentenceCase "hOME sweet") (lib.toSentenceCase "") ];
  splitString = [ (lib.splitString "." "foo.bar.baz") (lib.splitString "/" "/usr/local/bin") (lib.splitString "," "") (lib.splitString "ab" "1ab2ab") ];
  splitStringBy = [
    (lib.splitStringBy (prev: curr: elem curr [ "." "-" ]) false "foo.bar-baz")
    (lib.splitStringBy (prev: curr: elem curr [ "." "-" ]) true "foo.bar-baz")
    (lib.splitStringBy (prev: curr: match "[a-z]" prev != null && match "[A-Z]" curr != null) true "fooBarBaz")
    (lib.splitStringBy (prev: curr: curr == ".") false ".foo.bar.")
    (lib.splitStringBy (prev: curr: curr == ".") false "")
  ];
  versionOlder = [ (lib.versionOlder "1.1" "1.2") (lib.versionOlder "1.1" "1.1") ];
  versionAtLeast = [ (lib.versionAtLeast "1.1" "1.0") (lib.versionAtLeast "1.1" "1.1") (lib.versionAtLeast "1.1" "1.2") ];
  getName = [ (lib.getName "youtube-dl-2016.01.01") (lib.getName package) (lib.getName { name = "a-1"; }) ];
  getVersion = [ (lib.getVersion "youtube-dl-2016.01.01") (lib.getVersion package) (lib.getVersion { name = "a-1"; }) ];
  nameFromURL = [ (lib.nameFromURL "https://nixos.org/releases/nix/nix-1.7/nix-1.7-x86_64-linux.tar.bz2" "-") ];
  enableFeature = [ (lib.enableFeature true "shared") (lib.enableFeature false "shared") ];
  enableFeatureAs = [ (lib.enableFeatureAs true "shared" "foo") (lib.enableFeatureAs false "shared" fails) ];
  withFeature = [ (lib.withFeature true "shared") (lib.withFeature false "shared") ];
  withFeatureAs = [ (lib.withFeatureAs true "shared" "foo") (lib.withFeatureAs false "shared" fails) ];
  cmakeOptionType = [ (lib.cmakeOptionType "string" "ENGINE" "sdl2") ];
  cmakeBool = [ (lib.cmakeBool "ENABLE_X" false) ];
  cmakeFeature = [ (lib.cmakeFeature "MODULES" "badblock") ];
  mesonOption = [ (lib.mesonOption "engine" "opengl") ];
  mesonBool = [ (lib.mesonBool "hardened" true) ];
  mesonEnable = [ (lib.mesonEnable "docs" true) (lib.mesonEnable "docs" false) ];
  fixedWidthString = [ (lib.fixedWidthString 5 "0" "15") (lib.fixedWidthString 2 "0" "15") (lib.fixedWidthString 1 "0" "15") ];
  fixedWidthNumber = [ (lib.fixedWidthNumber 5 15) ];
  toInt = [ (lib.toInt "1337") (lib.toInt "-4") (lib.toInt " 123 ") (lib.toInt "0") (lib.toInt "00024") (lib.toInt "3.14") (lib.toInt "") (lib.toInt "x1") (lib.toInt "-0") ];
  toIntBase10 = [ (lib.toIntBase10 "00024") (lib.toIntBase10 "0") (lib.toIntBase10 "000") (lib.toIntBase10 "x") (lib.toIntBase10 " 7 ") ];
  isStringLike = [ (map lib.isStringLike samples) ];
  isStorePath = [ (map lib.isStorePath samples) ];
  addContextFrom = [ (lib.addContextFrom "a" "bar") ];
  unsafeDiscardStringContext = [ (lib.unsafeDiscardStringContext "a") ];
  hasContext = [ (lib.hasContext "a") ];
  getContext = [ (lib.getContext "a") ];
  appendContext = [ (lib.appendContext "a" { }) ];
  hashString = [ (lib.hashString "sha256" "a") ];
  parseDrvName = [ (lib.parseDrvName "nix-0.12pre12876") ];
  fromJSON = [ (lib.fromJSON "[1,{\"a\":null}]") ];
  fromTOML = [ (lib.fromTOML "a = 1") ];
  toJSON = [ (lib.toJSON deep) ];
  toString = [ (lib.toString [ 1 true null "x" ]) ];
  toXML = [ (lib.toXML abc) ];
  tryEval = [ (lib.tryEval 1) ];
  dirOf = [ (lib.dirOf "/a/b") ];
  baseNameOf = [ (lib.baseNameOf "/a/b") ];

  mkIf = [ (lib.mkIf true { a = 1; }) (lib.mkIf false fails).condition ];
  mkAssert = [ (lib.mkAssert true fails 1) ];
  mkMerge = [ (lib.mkMerge [ { a = 1; } { b = 2; } ]) ];
  mkOverride = [ (lib.mkOverride 10 1) ];
  mkOptionDefault = [ (lib.mkOptionDefault 1) ];
  mkDefault = [ (lib.mkDefault 1) (lib.mkDefault (lib.mkIf true [ 1 ])) ];
  mkImageMediaOverride = [ (lib.mkImageMediaOverride 1) ];
  mkForce = [ (lib.mkForce 1) ];
  mkVMOverride = [ (lib.mkVMOverride 1) ];
  mkOrder = [ (lib.mkOrder 10 [ 1 ]) ];
  mkBefore = [ (lib.mkBefore [ 1 ]) ];
  mkAfter = [ (lib.mkAfter [ 1 ]) ];
  mkDefinition = [ (lib.mkDefinition { file = "a"; value = 1; }) ];
  mkFixStrictness = [ (lib.mkFixStrictness 1) ];
  setDefaultModuleLocation = [ (lib.setDefaultModuleLocation "f" { a = 1; }) ];
  mkOption = [ (lib.mkOption { default = 1; }) (lib.mkOption { }) ];
  isOption = [ (lib.isOption (lib.mkOption { })) (lib.isOption { }) (lib.isOption 1) ];
  mkEnableOption = [ (removeAttrs (lib.mkEnableOption "x") [ "type" ]) (lib.mkEnableOption "x").type.name ];
  literalExpression = [ (lib.literalExpression "x") ];
  literalMD = [ (lib.literalMD "x") ];
  showOption = [ (lib.showOption [ "foo" "bar.baz" "tux" ]) (lib.showOption [ "a" "2b" "*" "<name>" "if" ]) ];
  showFiles = [ (lib.showFiles [ "a" "b" ]) ];
  unknownModule = [ lib.options.unknownModule ];
  getValues = [ (lib.getValues (definitions [ 1 2 ])) ];
  getFiles = [ (lib.getFiles (definitions [ 1 2 ])) ];
  mergeOneOption = [ (lib.mergeOneOption [ "a" ] (definitions [ 1 ])) (lib.mergeOneOption [ "a" ] (definitions [ 1 1 ])) ];
  mergeUniqueOption = [ (lib.mergeUniqueOption { message = "m"; } [ "a" ] (definitions [ 1 ])) (lib.mergeUniqueOption { message = "m"; } [ "a" ] (definitions [ 1 1 ])) ];
  mergeEqualOption = [ (lib.mergeEqualOption [ "a" ] (definitions [ 1 1 ])) (lib.mergeEqualOption [ "a" ] (definitions [ 1 2 ])) ];
  mergeDefaultOption = [
    (lib.mergeDefaultOption [ "a" ] (definitions [ [ 1 ] [ 2 ] ]))
    (lib.mergeDefaultOption [ "a" ] (definitions [ { a = 1; } { b = 2; } ]))
    (lib.mergeDefaultOption [ "a" ] (definitions [ "x" "y" ]))
    (lib.mergeDefaultOption [ "a" ] (definitions [ true false ]))
    (lib.mergeDefaultOption [ "a" ] (definitions [ 1 1 ]))
    (lib.mergeDefaultOption [ "a" ] (definitions [ 1 2 ]))
    (lib.mergeDefaultOption [ "a" ] (definitions [ 1 "x" ]))
  ];
  mkOptionType = [ (let t = lib.mkOptionType { name = "mine"; }; in { inherit (t) name _type; ok = t.check 1; merged = merged t [ [ 1 ] [ 2 ] ]; }) ];
  isType = [ (lib.isType "a" { _type = "a"; }) (lib.isType "a" { }) ];
  setType = [ (lib.setType "a" { b = 1; }) ];
  isOptionType = [ (lib.isOptionType lib.types.str) (lib.isOptionType { }) ];

  versions = [
    (lib.versions.splitVersion "1.2.3") (lib.versions.major "1.2.3") (lib.versions.minor "1.2.3") (lib.versions.patch "1.2.3")
    (lib.versions.majorMinor "1.2.3") (lib.versions.pad 3 "1.2") (lib.versions.pad 3 "1.3-rc1") (lib.versions.pad 2 "1.2.3.4")
  ];
  generators = [
    (lib.generators.toJSON { } abc)
    (lib.generators.toKeyValue { } { a = 1; b = true; c = "x"; d = null; "e=f" = 1.5; })
    (lib.generators.toKeyValue { listsAsDuplicateKeys = true; indent = "  "; } { a = [ 1 2 ]; })
    (lib.generators.toINI { } { foo = { hi = "there"; ciao = "bar"; }; "b[c]" = { also = 1; }; })
  ];
  options = [ (lib.options.showOption [ "a" ]) ];
  fixedPoints = [ (lib.fixedPoints.fix (self: { a = 1; })) ];
  asserts = [ (lib.asserts.assertEachOneOf "x" [ 1 2 ] [ 1 2 3 ]) (lib.asserts.assertEachOneOf "x" [ 1 9 ] [ 1 2 3 ]) ];
  trivial = [ (lib.trivial.id 1) (lib.trivial.min 1 2) ];
  modules = [ (lib.modules.mkDefault 1) lib.modules.defaultOverridePriority lib.modules.defaultOrderPriority ];
  lists = [
    (lib.lists.flatten [ [ 1 ] ]) (lib.lists.elem 1 numbers) (lib.lists.hasPrefix [ 3 1 ] numbers) (lib.lists.hasPrefix [ 1 ] numbers)
    (lib.lists.removePrefix [ 3 1 ] numbers) (lib.lists.removePrefix [ 9 ] numbers) (lib.lists.commonPrefix [ 1 2 3 ] [ 1 2 4 5 ])
    (lib.lists.commonPrefix [ 1 ] [ 1 2 ]) (lib.lists.findFirstIndex (x: x > 3) null numbers) (lib.lists.findFirstIndex (x: x > 99) null numbers)
  ];
  attrsets = [
    (lib.attrsets.genAttrs [ "a" ] (n: n)) (lib.attrsets.longestValidPathPrefix [ "a" "b" "z" ] deep) (lib.attrsets.longestValidPathPrefix [ ] fails)
    (lib.attrsets.unionOfDisjoint { a = 1; } { b = 2; }) (lib.attrsets.unionOfDisjoint { a = 1; } { a = 2; })
  ];
  strings = [
    (lib.strings.concatStringsSep "," words) (lib.strings.normalizePath "/a//b///c/") (lib.strings.escapeC [ " " "J" ] "foo bar J")
    (lib.strings.charToInt "A") (lib.strings.charToInt "(") (lib.strings.escapeNixString "hello\${}\n\"") (map lib.strings.escapeNixIdentifier [ "hello" "0abc" "a'b" "if" "or" "a-b" "" ])
    (lib.strings.floatToString 1.5) (lib.strings.commonPrefixLength "fooX" "fooYY") (lib.strings.commonSuffixLength "Xfoo" "YYfoo")
    (map lib.strings.isConvertibleWithToString samples) (lib.strings.replicate 3 "v")
  ];
  types = [
    (type lib.types.raw) (type lib.types.anything) (type lib.types.unspecified) (type lib.types.bool) (type lib.types.boolByOr)
    (type lib.types.int) (type lib.types.float) (type lib.types.number) (type lib.types.ints.unsigned) (type lib.types.ints.positive)
    (type lib.types.ints.u8) (type lib.types.ints.u16) (type lib.types.ints.u32) (type lib.types.ints.s8) (type lib.types.ints.s16) (type lib.types.ints.s32)
    (type (lib.types.ints.between 1 300)) (type lib.types.port) (type lib.types.numbers.positive).accepts (type lib.types.numbers.nonnegative).accepts
    (type (lib.types.numbers.between 0 1.6)).accepts
    (type lib.types.str) (type lib.types.nonEmptyStr) (type lib.types.singleLineStr) (type (lib.types.strMatching "[a-z]*")) (type lib.types.lines)
    (type lib.types.commas) (type lib.types.envVar) (type (lib.types.separatedString "")) (type (lib.types.passwdEntry lib.types.str)).accepts
    (type lib.types.attrs) (type lib.types.package) (type lib.types.shellPackage).accepts (type lib.types.path) (type lib.types.pathInStore)
    (type (lib.types.listOf lib.types.str)) (type (lib.types.nonEmptyListOf lib.types.str)) (type (lib.types.attrsOf lib.types.str))
    (type (lib.types.lazyAttrsOf lib.types.int)) (type (lib.types.uniq lib.types.str)).accepts (type (lib.types.nullOr lib.types.str))
    (type (lib.types.nullOr (lib.types.listOf lib.types.int))) (type (lib.types.functionTo lib.types.str))
    (type (lib.types.submodule { })).name (type lib.types.deferredModule).accepts (type lib.types.optionType).accepts
    (type (lib.types.enum [ "x" 1 null ])) (type (lib.types.enum [ ])) (type (lib.types.enum [ 1 ])) (type (lib.types.either lib.types.str lib.types.int))
    (type (lib.types.oneOf [ lib.types.str lib.types.int lib.types.bool ])) (type (lib.types.coercedTo lib.types.int toString lib.types.str))
    (type (lib.types.addCheck lib.types.int (x: x > 1))).accepts
    (type (lib.types.listOf (lib.types.attrsOf (lib.types.either lib.types.str lib.types.int)))).name
    (merged lib.types.str [ "a" "a" ]) (merged lib.types.str [ "a" "b" ]) (merged lib.types.lines [ "a" "b" ])
    (merged (lib.types.listOf lib.types.int) [ [ 1 ] [ 2 3 ] ]) (merged (lib.types.attrsOf lib.types.int) [ { a = 1; } { b = 2; a = 1; } ])
    (merged (lib.types.attrsOf (lib.types.listOf lib.types.int)) [ { a = [ 1 ]; } { a = [ 2 ]; } ])
    (merged (lib.types.nullOr lib.types.int) [ null null ]) (merged (lib.types.nullOr lib.types.int) [ null 1 ])
    (merged (lib.types.uniq lib.types.int) [ 1 1 ]) (merged lib.types.anything [ { a.b = 1; } { a.c = [ 1 ]; } ]) (merged lib.types.anything [ 1 2 ])
    (merged lib.types.boolByOr [ true false ]) (merged lib.types.attrs [ { a = 1; } { a = 2; b = 1; } ])
    (merged (lib.types.either lib.types.int (lib.types.listOf lib.types.int)) [ [ 1 ] [ 2 ] ])
    (merged (lib.types.coercedTo lib.types.int toString lib.types.lines) [ 1 "b" ]) (merged lib.types.singleLineStr [ "a\n" "a\n" ])
    (merged lib.types.raw [ 1 1 ]) (merged (lib.types.enum [ 1 2 ]) [ 1 1 ]) (merged (lib.types.functionTo lib.types.lines) [ (x: x) (x: x + "2") ] "1")
  ];
}
