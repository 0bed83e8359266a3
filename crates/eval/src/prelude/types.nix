# `lib.types`: a type has a name, a check and a way to merge definitions.
lib:
let
  inherit (builtins) all isAttrs isBool isFloat isInt isList isString typeOf;
  inherit (lib) getValues mergeEqualOption mergeOneOption;

  plain = name: check: mkOptionType { inherit name check; merge = mergeEqualOption; };
  part = type: path: value: type.merge path [ { file = lib.modules.unknownModule; inherit value; } ];

  between = low: high: plain "intBetween" (x: isInt x && low <= x && x <= high);
  sized = name: bits: low: high: between low high // { name = "${name}${toString bits}"; };
  halfOf = bits: if bits == 1 then 1 else 2 * halfOf (bits - 1);
  signed = bits: sized "signedInt" bits (-halfOf bits) (halfOf bits - 1);
  unsigned = bits: sized "unsignedInt" bits 0 (2 * halfOf bits - 1);

  mkOptionType = declaration:
    { check = _: true; merge = lib.modules.mergeDefaultOption; emptyValue = { }; nestedTypes = { }; }
    // declaration // { _type = "option-type"; };
in
rec {
  inherit mkOptionType;
  isType = type: value: (value._type or "") == type;
  setType = type: value: value // { _type = type; };
  isOptionType = isType "option-type";

  raw = mkOptionType { name = "raw"; merge = mergeOneOption; };
  anything = mkOptionType {
    name = "anything";
    merge = path: definitions:
      if all isAttrs (getValues definitions) then (attrsOf anything).merge path definitions
      else mergeEqualOption path definitions;
  };
  unspecified = mkOptionType { name = "unspecified"; };
  bool = plain "bool" isBool;
  boolByOr = bool // {
    name = "boolByOr";
    merge = _: definitions: builtins.any (value: value) (getValues definitions);
  };
  int = plain "int" isInt;
  float = plain "float" isFloat;
  number = either int float;
  ints = {
    inherit between;
    unsigned = plain "unsignedInt" (x: isInt x && x >= 0);
    positive = plain "positiveInt" (x: isInt x && x > 0);
    u8 = unsigned 8;
    u16 = unsigned 16;
    u32 = unsigned 32;
    s8 = signed 8;
    s16 = signed 16;
    s32 = signed 32;
  };
  port = ints.u16;
  numbers = {
    between = low: high: addCheck number (x: low <= x && x <= high) // { name = "numberBetween"; };
    nonnegative = addCheck number (x: x >= 0) // { name = "numberNonnegative"; };
    positive = addCheck number (x: x > 0) // { name = "numberPositive"; };
  };

  str = plain "str" isString;
  nonEmptyStr = plain "nonEmptyStr" (x: isString x && builtins.match "[ \t\n]*" x == null);
  singleLineStr = plain "singleLineStr" (x: isString x && builtins.match "[^\n\r]*\n?" x != null)
    // { merge = path: definitions: lib.removeSuffix "\n" (mergeEqualOption path definitions); };
  strMatching = pattern:
    plain "strMatching ${lib.strings.escapeNixString pattern}" (x: isString x && builtins.match pattern x != null);
  separatedString = separator: mkOptionType {
    name = "separatedString";
    check = isString;
    merge = _: definitions: builtins.concatStringsSep separator (getValues definitions);
    functor.payload.sep = separator;
  };
  lines = separatedString "\n";
  commas = separatedString ",";
  envVar = separatedString ":";
  passwdEntry = type: addCheck type (text: !(lib.hasInfix ":" text || lib.hasInfix "\n" text)) // {
    name = "passwdEntry ${type.name}";
  };
  attrs = mkOptionType {
    name = "attrs";
    check = isAttrs;
    merge = _: definitions: lib.mergeAttrsList (getValues definitions);
    emptyValue.value = { };
  };
  package = mkOptionType {
    name = "package";
    check = x: lib.isDerivation x || lib.isStorePath x;
    merge = mergeOneOption;
  };
  shellPackage = package // { check = x: lib.isDerivation x && x ? shellPath; };
  path = mkOptionType {
    name = "path";
    check = x: lib.strings.isStringLike x && builtins.substring 0 1 (toString x) == "/";
    merge = mergeEqualOption;
  };
  pathInStore = mkOptionType {
    name = "path";
    check = x: lib.strings.isStringLike x && builtins.match "${builtins.storeDir}/[^.].*" (toString x) != null;
    merge = mergeEqualOption;
  };

  listOf = type: mkOptionType {
    name = "listOf";
    check = isList;
    merge = path: definitions: builtins.concatMap (definition: map (part type path) definition.value) definitions;
    emptyValue.value = [ ];
    nestedTypes.elemType = type;
  };
  nonEmptyListOf = type: addCheck (listOf type) (list: list != [ ]) // { emptyValue = { }; };
  attrsOf = type: mkOptionType {
    name = "attrsOf";
    check = isAttrs;
    merge = path: definitions:
      builtins.zipAttrsWith (name: type.merge (path ++ [ name ])) (map (definition:
        builtins.mapAttrs (_: value: { inherit (definition) file; inherit value; }) definition.value) definitions);
    emptyValue.value = { };
    nestedTypes.elemType = type;
  };
  lazyAttrsOf = type: attrsOf type // { name = "lazyAttrsOf"; };
  uniq = unique { message = ""; };
  unique = { message }: type: type // {
    name = "unique";
    merge = lib.modules.mergeUniqueOption { inherit message; inherit (type) merge; };
    nestedTypes.elemType = type;
  };
  nullOr = type: mkOptionType {
    name = "nullOr";
    check = x: x == null || type.check x;
    merge = path: definitions:
      if all (value: value == null) (getValues definitions) then null
      else if builtins.any (value: value == null) (getValues definitions) then
        throw "The option `${lib.showOption path}' is defined both null and not null, in ${lib.modules.showFiles (lib.modules.getFiles definitions)}."
      else type.merge path definitions;
    emptyValue.value = null;
    nestedTypes.elemType = type;
  };
  functionTo = type: mkOptionType {
    name = "functionTo";
    check = lib.isFunction;
    merge = path: definitions: x:
      type.merge path (map (definition: definition // { value = definition.value x; }) definitions);
    nestedTypes.elemType = type;
  };
  submodule = modules: submoduleWith { modules = lib.toList modules; shorthandOnlyDefinesConfig = true; };
  submoduleWith = { modules, shorthandOnlyDefinesConfig ? null, ... }: mkOptionType {
    name = "submodule";
    check = x: isAttrs x || lib.isFunction x || path.check x;
    # Who merges definitions of a submodule needs its declarations.
    getSubModules = modules;
    emptyValue.value = { };
  };
  deferredModule = mkOptionType {
    name = "deferredModule";
    check = x: isAttrs x || lib.isFunction x || path.check x;
    merge = path: definitions: { imports = getValues definitions; };
  };
  optionType = mkOptionType { name = "optionType"; check = isOptionType; };
  enum = values: plain "enum" (x: builtins.elem x values) // { functor.payload = { inherit values; }; };
  either = left: right: mkOptionType {
    name = "either";
    check = x: left.check x || right.check x;
    merge = path: definitions:
      let fits = type: all type.check (getValues definitions);
      in
      if fits left then left.merge path definitions
      else if fits right then right.merge path definitions
      else mergeEqualOption path definitions;
    nestedTypes = { inherit left right; };
  };
  oneOf = types:
    if types == [ ] then throw "types.oneOf needs to get at least one type in its argument"
    else builtins.foldl' either (builtins.head types) (builtins.tail types);
  coercedTo = from: by: to: mkOptionType {
    name = "coercedTo";
    check = x: to.check x || from.check x && to.check (by x);
    merge = path: definitions:
      to.merge path (map (definition:
        definition // { value = if from.check definition.value then by definition.value else definition.value; }) definitions);
    emptyValue = to.emptyValue;
    nestedTypes = { coercedType = from; finalType = to; };
  };
  addCheck = type: check: type // { check = x: type.check x && check x; };
}
