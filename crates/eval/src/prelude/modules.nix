# `lib.modules` and `lib.options`: the marks that the module system reads.
# The sets are those of nixpkgs to the letter, for files nest and compare them.
lib:
rec {
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkAssert = assertion: message: content: mkIf (if assertion then true else throw "\nFailed assertion: ${message}") content;
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkOptionDefault = mkOverride 1500;
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  defaultOverridePriority = 100;
  mkOrder = priority: content: { _type = "order"; inherit priority content; };
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  defaultOrderPriority = 1000;
  mkDefinition = definition: definition // { _type = "definition"; };
  mkFixStrictness = content: content;
  setDefaultModuleLocation = file: module: { _file = file; imports = [ module ]; };

  mkOption = declaration: declaration // { _type = "option"; };
  isOption = value: (value._type or "") == "option";
  mkEnableOption = name: mkOption {
    default = false;
    example = true;
    description = "Whether to enable ${name}.";
    type = lib.types.bool;
  };
  literalExpression = text: { _type = "literalExpression"; inherit text; };
  literalMD = text: { _type = "literalMD"; inherit text; };
  showOption = path:
    lib.concatMapStringsSep "." (part:
      if part == "*" || builtins.match "<.*>" part != null then part else lib.strings.escapeNixIdentifier part) path;
  showFiles = files: lib.concatMapStringsSep " and " (file: "`${file}'") files;
  unknownModule = "<unknown-file>";
  getValues = map (definition: definition.value);
  getFiles = map (definition: definition.file);

  mergeOneOption = mergeUniqueOption { message = ""; };
  mergeUniqueOption = { message, merge ? _: definitions: (builtins.head definitions).value }: path: definitions:
    if builtins.length definitions == 1 then merge path definitions
    else throw "The option `${showOption path}' is defined multiple times while it's expected to be unique.\n${message}";
  mergeEqualOption = path: definitions:
    let first = (builtins.head definitions).value;
    in
    if builtins.all (definition: definition.value == first) (builtins.tail definitions) then first
    else throw "The option `${showOption path}' has conflicting definition values in ${showFiles (getFiles definitions)}";
  mergeDefaultOption = path: definitions:
    let
      values = getValues definitions;
      all = is: builtins.all is values;
    in
    if builtins.length values == 1 then builtins.head values
    else if all lib.isFunction then x: mergeDefaultOption path (map (definition: definition // { value = definition.value x; }) definitions)
    else if all builtins.isList then builtins.concatLists values
    else if all builtins.isAttrs then lib.mergeAttrsList values
    else if all builtins.isBool then builtins.any (value: value) values
    else if all builtins.isString then lib.concatStrings values
    else if all builtins.isInt then mergeEqualOption path definitions
    else throw "Cannot merge definitions of `${showOption path}'";
}
