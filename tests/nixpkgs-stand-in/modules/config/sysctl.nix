{ lib, ... }:
let
  value = lib.mkOptionType {
    name = "sysctl option value";
    check =
      value: builtins.isBool value || builtins.isString value || builtins.isInt value || value == null;
    merge = lib.options.mergeOneOption;
  };
in
{
  options.boot.kernel.sysctl = lib.mkOption {
    type = lib.types.submodule { freeformType = lib.types.attrsOf value; };
    default = { };
  };
}
