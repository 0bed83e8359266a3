# What layouts use of nixpkgs' `lib`, by its documented behaviour.
# `part` reads a file beside this one; it does so only when something of the file is used.
part:
let
  trivial = part "trivial" lib;
  lists = part "lists" lib;
  attrsets = part "attrsets" lib;
  strings = part "strings" lib;
  modules = part "modules" lib;
  types = part "types" lib;

  lib = {
    inherit trivial lists attrsets modules types;
    strings = removeAttrs strings [ "versions" "generators" ];
    fixedPoints = { inherit (trivial) fix fix' converge extends composeExtensions composeManyExtensions
      makeExtensible makeExtensibleWithCustomName toExtension; };
    asserts = { inherit (trivial) assertMsg assertOneOf assertEachOneOf; };
    debug = { inherit (trivial) trace traceIf traceVal traceValFn traceSeq traceValSeq traceValSeqFn addErrorContext
      unsafeGetAttrPos; };
    options = { inherit (modules) mkOption isOption mkEnableOption literalExpression literalMD showOption showFiles
      unknownModule getValues getFiles mergeOneOption mergeUniqueOption mergeEqualOption mergeDefaultOption; };
    inherit (strings) versions generators;

    inherit (builtins) getContext hasContext hashString parseDrvName placeholder fromJSON fromTOML toFile toJSON
      toString toXML tryEval readDir dirOf baseNameOf isPath;
    inherit (trivial) add sub mul div lessThan seq deepSeq genericClosure isBool isInt isFloat pathExists readFile
      bitAnd bitOr bitXor bitNot ceil floor id const pipe concat or and xor flip mergeAttrs defaultTo mapNullable
      boolToString boolToYesNo min max mod compare splitByAndCompare importJSON importTOML warn warnIf warnIfNot
      throwIf throwIfNot info showWarnings checkListOfEnum isFunction functionArgs setFunctionArgs
      mirrorFunctionArgs toFunction fromHexString toHexString toBaseDigits fix fix' converge extends
      composeExtensions composeManyExtensions makeExtensible makeExtensibleWithCustomName toExtension assertMsg
      assertOneOf trace traceIf traceVal traceValFn traceSeq traceValSeq traceValSeqFn addErrorContext
      unsafeGetAttrPos;
    inherit (lists) map filter concatMap concatLists genList length head tail elem elemAt isList any all sort
      partition groupBy foldl' singleton forEach foldr fold foldl imap0 imap1 ifilter0 flatten remove findSingle
      findFirst count optional optionals toList range replicate zipListsWith zipLists reverseList sortOn
      compareLists naturalSort sublist take drop takeEnd dropEnd last init crossLists unique uniqueStrings
      allUnique intersectLists subtractLists mutuallyExclusive groupBy' concatAttrValues replaceElemAt listDfs
      toposort;
    inherit (attrsets) attrNames attrValues hasAttr getAttr isAttrs intersectAttrs removeAttrs mapAttrs
      listToAttrs catAttrs zipAttrsWith attrByPath hasAttrByPath setAttrByPath getAttrFromPath attrVals getAttrs
      filterAttrs filterAttrsRecursive foldlAttrs foldAttrs collect nameValuePair mapAttrs' mapAttrsToList
      attrsToList concatMapAttrs mapAttrsRecursive mapAttrsRecursiveCond mapAttrsToListRecursive
      mapAttrsToListRecursiveCond genAttrs genAttrs' isDerivation optionalAttrs zipAttrsWithNames zipAttrs
      recursiveUpdateUntil recursiveUpdate matchAttrs mergeAttrsList overrideExisting showAttrPath getOutput getBin
      getLib getDev getMan recurseIntoAttrs dontRecurseIntoAttrs cartesianProduct mapCartesianProduct
      updateManyAttrsByPath;
    inherit (strings) concatStringsSep stringLength substring replaceStrings match split typeOf isString
      unsafeDiscardStringContext appendContext join concatStrings concatMapStrings concatImapStrings intersperse
      concatMapStringsSep concatImapStringsSep concatMapAttrsStringSep concatLines replaceString trim trimWith
      makeSearchPath makeSearchPathOutput makeLibraryPath makeIncludePath makeBinPath optionalString hasPrefix
      hasSuffix hasInfix removePrefix removeSuffix stringToCharacters stringAsChars escape escapeRegex escapeXML
      escapeURL escapeShellArg escapeShellArgs isValidPosixName toShellVar toShellVars lowerChars upperChars
      toLower toUpper toSentenceCase splitString splitStringBy versionOlder versionAtLeast getName getVersion
      nameFromURL enableFeature enableFeatureAs withFeature withFeatureAs cmakeOptionType cmakeBool cmakeFeature
      mesonOption mesonBool mesonEnable fixedWidthString fixedWidthNumber toInt toIntBase10 fileContents
      isStringLike isStorePath addContextFrom;
    inherit (modules) mkIf mkAssert mkMerge mkOverride mkOptionDefault mkDefault mkImageMediaOverride mkForce
      mkVMOverride mkOrder mkBefore mkAfter mkDefinition mkFixStrictness setDefaultModuleLocation mkOption isOption
      mkEnableOption literalExpression literalMD showOption showFiles unknownModule getValues getFiles
      mergeOneOption mergeUniqueOption mergeEqualOption mergeDefaultOption;
    inherit (types) mkOptionType isType setType isOptionType;
  };
in
lib
