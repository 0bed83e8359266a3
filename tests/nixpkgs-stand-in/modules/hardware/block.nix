{ lib, ... }:
let
  default = lib.mkOption {
    type = lib.types.nullOr lib.types.nonEmptyStr;
    default = null;
  };
in
{
  options.hardware.block = {
    defaultScheduler = default;
    defaultSchedulerRotational = default;
    scheduler = lib.mkOption {
      type = lib.types.attrsOf lib.types.nonEmptyStr;
      default = { };
    };
  };
}
