{ lib, ... }:
{
  options.zramSwap = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = false;
    };
    priority = lib.mkOption {
      type = lib.types.int;
      default = 5;
    };
    memoryPercent = lib.mkOption {
      type = lib.types.ints.positive;
      default = 50;
    };
  };
}
