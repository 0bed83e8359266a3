# `lib.trivial`, `lib.fixedPoints`, `lib.asserts` and `lib.debug`: numbers, booleans, functions.
lib:
let
  hexDigits = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "A" "B" "C" "D" "E" "F" ];
  hexValues = builtins.listToAttrs (
    builtins.genList (n: { name = builtins.elemAt hexDigits n; value = n; }) 16
    ++ builtins.genList (n: { name = builtins.elemAt [ "a" "b" "c" "d" "e" "f" ] n; value = n + 10; }) 6
  );
in
rec {
  inherit (builtins)
    add sub lessThan seq deepSeq genericClosure isBool isInt isFloat pathExists readFile bitAnd bitOr bitXor
    ceil floor;

  id = x: x;
  const = x: _: x;
  pipe = builtins.foldl' (value: f: f value);
  concat = x: y: x ++ y;
  or = x: y: x || y;
  and = x: y: x && y;
  xor = x: y: x != y;
  bitNot = x: -1 - x;
  mul = x: y: x * y;
  div = builtins.div;
  flip = f: x: y: f y x;
  mergeAttrs = x: y: x // y;
  defaultTo = default: value: if value == null then default else value;
  mapNullable = f: value: if value == null then null else f value;
  boolToString = condition: if condition then "true" else "false";
  boolToYesNo = condition: if condition then "yes" else "no";
  min = x: y: if x < y then x else y;
  max = x: y: if x > y then x else y;
  mod = number: by: number - by * builtins.div number by;
  compare = x: y: if x < y then -1 else if y < x then 1 else 0;
  splitByAndCompare = first: yes: no: x: y:
    if first x then (if first y then yes x y else -1)
    else if first y then 1
    else no x y;

  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);

  warn = builtins.warn or (message: builtins.trace "evaluation warning: ${message}");
  warnIf = condition: message: if condition then warn message else id;
  warnIfNot = condition: warnIf (!condition);
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  info = message: builtins.trace "INFO: ${message}";
  showWarnings = warnings: value: lib.foldr warn value warnings;
  checkListOfEnum = message: valid: given:
    let strange = lib.subtractLists valid given;
    in throwIf (strange != [ ])
      "${message}: ${lib.concatStringsSep ", " (map toString strange)} unexpected; valid ones: ${lib.concatStringsSep ", " (map toString valid)}";

  isFunction = f: builtins.isFunction f || (builtins.isAttrs f && f ? __functor && isFunction (f.__functor f));
  functionArgs = f:
    if builtins.isAttrs f && f ? __functor then f.__functionArgs or (functionArgs (f.__functor f))
    else builtins.functionArgs f;
  setFunctionArgs = f: arguments: { __functor = _: f; __functionArgs = arguments; };
  mirrorFunctionArgs = f: let arguments = functionArgs f; in g: setFunctionArgs g arguments;
  toFunction = value: if isFunction value then value else _: value;

  fromHexString = text:
    let
      digits = lib.stringToCharacters (lib.removePrefix "0x" text);
    in builtins.foldl' (sum: digit: sum * 16 + hexValues.${digit}) 0 digits;
  toHexString = number: lib.concatMapStrings (builtins.elemAt hexDigits) (toBaseDigits 16 number);
  toBaseDigits = base: number:
    let
      digits = n: if n < base then [ n ] else digits (n / base) ++ [ (mod n base) ];
    in digits number;

  fix = f: let value = f value; in value;
  fix' = f: let value = f value // { __unfix__ = f; }; in value;
  converge = f: start: let next = f start; in if next == start then start else converge f next;
  extends = overlay: f: final: let previous = f final; in previous // overlay final previous;
  composeExtensions = first: second: final: previous:
    let made = first final previous;
    in made // second final (previous // made);
  composeManyExtensions = lib.foldr composeExtensions (_: _: { });
  makeExtensible = makeExtensibleWithCustomName "extend";
  makeExtensibleWithCustomName = name: f:
    fix' (final: f final // { ${name} = overlay: makeExtensibleWithCustomName name (extends overlay f); });
  toExtension = f:
    if isFunction f then
      final: previous: let made = f previous; in if isFunction made then f final previous else made
    else _: _: f;

  assertMsg = condition: message: condition || throw message;
  assertOneOf = name: value: allowed:
    assertMsg (builtins.elem value allowed)
      "${name} must be one of ${builtins.toJSON allowed}, but is: ${builtins.toJSON value}";
  assertEachOneOf = name: values: allowed: builtins.all (value: assertOneOf name value allowed) values;

  trace = builtins.trace;
  traceIf = condition: message: value: if condition then trace message value else value;
  traceVal = traceValFn id;
  traceValFn = f: value: trace (f value) value;
  traceSeq = shown: trace (builtins.deepSeq shown shown);
  traceValSeq = traceValSeqFn id;
  traceValSeqFn = f: value: traceSeq (f value) value;
  addErrorContext = builtins.addErrorContext;
  unsafeGetAttrPos = builtins.unsafeGetAttrPos;
}
