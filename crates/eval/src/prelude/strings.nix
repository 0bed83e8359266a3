# `lib.strings`, `lib.versions` and the simple `lib.generators`.
lib:
let
  inherit (builtins)
    concatStringsSep elemAt filter genList head isList isString length match replaceStrings split stringLength
    substring toJSON;

  # The printable ASCII characters and the blanks, by their codes.
  ascii = {
    "\t" = 9; "\n" = 10; "\r" = 13; " " = 32; "!" = 33; "\"" = 34; "#" = 35; "$" = 36; "%" = 37; "&" = 38;
    "'" = 39; "(" = 40; ")" = 41; "*" = 42; "+" = 43; "," = 44; "-" = 45; "." = 46; "/" = 47; "0" = 48;
    "1" = 49; "2" = 50; "3" = 51; "4" = 52; "5" = 53; "6" = 54; "7" = 55; "8" = 56; "9" = 57; ":" = 58;
    ";" = 59; "<" = 60; "=" = 61; ">" = 62; "?" = 63; "@" = 64; "A" = 65; "B" = 66; "C" = 67; "D" = 68;
    "E" = 69; "F" = 70; "G" = 71; "H" = 72; "I" = 73; "J" = 74; "K" = 75; "L" = 76; "M" = 77; "N" = 78;
    "O" = 79; "P" = 80; "Q" = 81; "R" = 82; "S" = 83; "T" = 84; "U" = 85; "V" = 86; "W" = 87; "X" = 88;
    "Y" = 89; "Z" = 90; "[" = 91; "\\" = 92; "]" = 93; "^" = 94; "_" = 95; "`" = 96; "a" = 97; "b" = 98;
    "c" = 99; "d" = 100; "e" = 101; "f" = 102; "g" = 103; "h" = 104; "i" = 105; "j" = 106; "k" = 107;
    "l" = 108; "m" = 109; "n" = 110; "o" = 111; "p" = 112; "q" = 113; "r" = 114; "s" = 115; "t" = 116;
    "u" = 117; "v" = 118; "w" = 119; "x" = 120; "y" = 121; "z" = 122; "{" = 123; "|" = 124; "}" = 125;
    "~" = 126;
  };

  first = count: text: substring 0 count text;
  last = count: text: let size = stringLength text; in substring (lib.max 0 (size - count)) size text;

  numberIn = text:
    let found = match "[[:space:]]*(-?[[:digit:]]+)[[:space:]]*" text;
    in if found == null then null else head found;
in
rec {
  inherit (builtins)
    compareVersions concatStringsSep stringLength substring replaceStrings match split toJSON fromJSON typeOf
    isString isPath baseNameOf storeDir parseDrvName hashString readFile unsafeDiscardStringContext hasContext
    getContext appendContext;
  inherit (builtins) toString;
  unsafeDiscardOutputDependency = builtins.unsafeDiscardOutputDependency;

  join = concatStringsSep;
  concatStrings = concatStringsSep "";
  concatMapStrings = f: list: concatStrings (map f list);
  concatImapStrings = f: list: concatStrings (lib.imap1 f list);
  intersperse = between: list:
    if list == [ ] then [ ]
    else [ (head list) ] ++ builtins.concatMap (x: [ between x ]) (builtins.tail list);
  concatMapStringsSep = between: f: list: concatStringsSep between (map f list);
  concatImapStringsSep = between: f: list: concatStringsSep between (lib.imap1 f list);
  concatMapAttrsStringSep = between: f: set: concatStringsSep between (lib.mapAttrsToList f set);
  concatLines = lines: if lines == [ ] then "" else concatStringsSep "\n" lines + "\n";
  replaceString = from: to: replaceStrings [ from ] [ to ];
  replicate = count: text: concatStrings (genList (_: text) count);
  trim = trimWith { start = true; end = true; };
  trimWith = { start ? false, end ? false }: text:
    let
      blank = " \t\r\n";
      found = match "[${blank}]*(.*[^${blank}])[${blank}]*" text;
      leading = match "[${blank}]*(.*)" text;
      trailing = match "(.*[^${blank}])[${blank}]*" text;
      part = parts: if parts == null then "" else head parts;
    in
    if start && end then part found
    else if start then part leading
    else if end then part trailing
    else text;
  makeSearchPath = below: paths: concatStringsSep ":" (map (path: path + "/" + below) (filter (x: x != null) paths));
  makeSearchPathOutput = output: below: packages: makeSearchPath below (map (lib.getOutput output) packages);
  makeLibraryPath = makeSearchPathOutput "lib" "lib";
  makeIncludePath = makeSearchPathOutput "dev" "include";
  makeBinPath = makeSearchPathOutput "bin" "bin";
  normalizePath = path:
    builtins.foldl' (made: letter: if letter == "/" && hasSuffix "/" made then made else made + letter) ""
      (stringToCharacters path);
  optionalString = condition: text: if condition then text else "";
  hasPrefix = start: text: first (stringLength start) text == start;
  hasSuffix = end: text: stringLength text >= stringLength end && last (stringLength end) text == end;
  hasInfix = part: text: length (split (escapeRegex part) text) > 1;
  removePrefix = start: text:
    if hasPrefix start text then substring (stringLength start) (stringLength text) text else text;
  removeSuffix = end: text:
    if hasSuffix end text then first (stringLength text - stringLength end) text else text;
  stringToCharacters = text: genList (n: substring n 1 text) (stringLength text);
  stringAsChars = f: text: concatMapStrings f (stringToCharacters text);
  charToInt = letter: ascii.${letter};

  escape = letters: replaceStrings letters (map (letter: "\\${letter}") letters);
  escapeC = letters: replaceStrings letters (map (letter: "\\x${lib.toLower (lib.toHexString (charToInt letter))}") letters);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeXML = replaceStrings [ "\"" "'" "<" ">" "&" ] [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
  escapeURL =
    let unsafe = filter (letter: match "[A-Za-z0-9_.~-]" letter == null) (builtins.attrNames ascii);
    in replaceStrings unsafe (map (letter: "%" + fixedWidthString 2 "0" (lib.toHexString ascii.${letter})) unsafe);
  escapeShellArg = value:
    let text = toString value;
    in if match "[[:alnum:],._+:@%/-]+" text == null then "'${replaceStrings [ "'" ] [ "'\\''" ] text}'" else text;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  escapeNixString = text: escape [ "$" ] (toJSON text);
  escapeNixIdentifier = name:
    let
      keywords = [ "assert" "else" "if" "in" "inherit" "let" "or" "rec" "then" "with" ];
      plain = match "[a-zA-Z_][a-zA-Z0-9_'-]*" name != null && !builtins.elem name keywords;
    in if plain then name else escapeNixString name;
  isValidPosixName = name: match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
  toShellVar = name: value:
    if !isValidPosixName name then throw "toShellVar: ${name} is not a valid shell variable name"
    else if builtins.isAttrs value && !isStringLike value then
      "declare -A ${name}=(${
        concatStringsSep " " (lib.mapAttrsToList (key: part: "[${escapeShellArg key}]=${escapeShellArg part}") value)
      })"
    else if isList value then "declare -a ${name}=(${escapeShellArgs value})"
    else "${name}=${escapeShellArg value}";
  toShellVars = set: concatStringsSep "\n" (lib.mapAttrsToList toShellVar set);

  lowerChars = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperChars = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  toLower = replaceStrings upperChars lowerChars;
  toUpper = replaceStrings lowerChars upperChars;
  toSentenceCase = text: toUpper (first 1 text) + toLower (substring 1 (stringLength text) text);
  splitString = by: text:
    if by == "" then throw "splitString: the separator must not be empty"
    else filter isString (split (escapeRegex by) text);
  splitStringBy = cut: keep: text:
    let
      letters = stringToCharacters text;
      step = state: here:
        if cut state.before here then
          { before = here; done = state.done ++ [ state.word ]; word = if keep then here else ""; }
        else state // { before = here; word = state.word + here; };
      end = builtins.foldl' step { before = ""; done = [ ]; word = ""; } letters;
    in if text == "" then [ "" ] else end.done ++ [ end.word ];

  versionOlder = than: version: compareVersions version than == 1;
  versionAtLeast = version: least: !versionOlder version least;
  getName = x:
    if builtins.isAttrs x then x.pname or (getName x.name) else (builtins.parseDrvName x).name;
  getVersion = x:
    if builtins.isAttrs x then x.version or (getVersion x.name) else (builtins.parseDrvName x).version;
  nameFromURL = url: by: head (splitString by (lib.last (splitString "/" url)));

  enableFeature = on: feature: "--${if on then "enable" else "disable"}-${feature}";
  enableFeatureAs = on: feature: value: enableFeature on feature + optionalString on "=${value}";
  withFeature = on: feature: "--${if on then "with" else "without"}-${feature}";
  withFeatureAs = on: feature: value: withFeature on feature + optionalString on "=${value}";
  cmakeOptionType = kind: feature: value: "-D${feature}:${toUpper kind}=${value}";
  cmakeBool = name: on: cmakeOptionType "BOOL" name (toUpper (lib.boolToString on));
  cmakeFeature = cmakeOptionType "STRING";
  mesonOption = feature: value: "-D${feature}=${value}";
  mesonBool = feature: on: mesonOption feature (lib.boolToString on);
  mesonEnable = feature: on: mesonOption feature (if on then "enabled" else "disabled");

  fixedWidthString = width: filler: text:
    if stringLength text > width then
      throw "fixedWidthString: requested string length (${toString width}) must not be shorter than actual length (${toString (stringLength text)})"
    else if stringLength text == width then text
    else filler + fixedWidthString (width - stringLength filler) filler text;
  fixedWidthNumber = width: number: fixedWidthString width "0" (toString number);
  floatToString = number: toString number;
  toInt = text:
    let digits = numberIn text;
    in
    if digits == null then throw "toInt: Could not convert ${escapeNixString text} to int."
    else if match "-?0[[:digit:]]+" digits != null then
      throw "toInt: Ambiguity in interpretation of ${escapeNixString text} between octal and zero padded integer."
    else toIntBase10 text;
  toIntBase10 = text:
    let
      digits = numberIn text;
      parts = match "(-?)0*([[:digit:]]+)" digits;
    in
    if digits == null then throw "toIntBase10: Could not convert ${escapeNixString text} to int."
    else builtins.fromJSON (head parts + elemAt parts 1);
  fileContents = file: removeSuffix "\n" (builtins.readFile file);
  readPathsFromFile = root: file:
    map (path: root + ("/" + path))
      (filter (line: line != "" && !hasPrefix "#" line) (splitString "\n" (builtins.readFile file)));
  isStringLike = x: isString x || builtins.isPath x || builtins.isAttrs x && (x ? outPath || x ? __toString);
  isConvertibleWithToString = x:
    isList x && builtins.all isConvertibleWithToString x || isStringLike x
    || builtins.elem (builtins.typeOf x) [ "null" "int" "float" "bool" ];
  isStorePath = x:
    let text = toString x;
    in isStringLike x && substring 0 1 text == "/" && dirOf text == builtins.storeDir;
  addContextFrom = source: target: first 0 source + target;
  commonPrefixLength = left: right:
    let
      limit = lib.min (stringLength left) (stringLength right);
      from = n: if n < limit && substring n 1 left == substring n 1 right then from (n + 1) else n;
    in from 0;
  commonSuffixLength = left: right:
    let
      limit = lib.min (stringLength left) (stringLength right);
      at = text: n: substring (stringLength text - 1 - n) 1 text;
      from = n: if n < limit && at left n == at right n then from (n + 1) else n;
    in from 0;

  versions = rec {
    inherit (builtins) compareVersions splitVersion;
    major = version: elemAt (splitVersion version) 0;
    minor = version: elemAt (splitVersion version) 1;
    patch = version: elemAt (splitVersion version) 2;
    majorMinor = version: concatStringsSep "." (lib.take 2 (splitVersion version));
    pad = count: version:
      let
        numbers = head (match "([^-]*)(-.*)?" version);
        rest = substring (stringLength numbers) (stringLength version) version;
        parts = splitVersion numbers;
      in concatStringsSep "." (lib.take count (parts ++ genList (_: "0") (lib.max 0 (count - length parts)))) + rest;
  };

  generators = rec {
    toJSON = _: builtins.toJSON;
    mkValueStringDefault = _: value:
      if value == true then "true"
      else if value == false then "false"
      else if value == null then "null"
      else if builtins.isInt value || builtins.isFloat value || isString value || isStringLike value then toString value
      else throw "generators.mkValueStringDefault: ${builtins.typeOf value} not supported";
    mkKeyValueDefault = { mkValueString ? mkValueStringDefault { } }: between: key: value:
      "${escape [ between ] key}${between}${mkValueString value}";
    toKeyValue =
      { mkKeyValue ? mkKeyValueDefault { } "=", listsAsDuplicateKeys ? false, indent ? "" }: set:
      let
        line = key: value: "${indent}${mkKeyValue key value}\n";
        lines = key: value: map (line key) (if listsAsDuplicateKeys && isList value then value else [ value ]);
      in concatStrings (builtins.concatLists (lib.mapAttrsToList lines set));
    toINI = {
        mkSectionName ? escape [ "[" "]" ],
        mkKeyValue ? mkKeyValueDefault { } "=",
        listsAsDuplicateKeys ? false,
      }: sections:
      concatStringsSep "\n" (lib.mapAttrsToList
        (name: set: "[${mkSectionName name}]\n" + toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } set) sections);
  };
}
