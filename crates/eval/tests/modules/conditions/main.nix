{ config, lib, ... }:
{
  options.my = {
    ssd = lib.mkEnableOption "an SSD";
    swap = lib.mkOption { type = lib.types.nullOr lib.types.str; default = null; };
  };
  config = lib.mkMerge [
    { my.ssd = true; }
    (lib.mkIf config.my.ssd {
      fileSystems."/".options = [ "ssd" ];
      fileSystems."/if" = lib.mkIf (config.my.swap != null) { device = "never"; };
    })
    (lib.mkIf (!config.my.ssd) { fileSystems."/hdd".device = "never"; })
    {
      fileSystems."/" = {
        device = lib.mkIf true (lib.mkIf true (lib.mkMerge [ (lib.mkIf false "a") "b" ]));
        options = [ (lib.mkIf true "in-list") (lib.mkIf false "not-in-list") "plain" (lib.mkForce "forced") ];
      };
      swapDevices = lib.optional (config.my.swap != null) { device = config.my.swap; };
      extra = { a = lib.mkIf false 1; b = lib.mkMerge [ ]; c = lib.mkMerge [ { x = 1; } (lib.mkIf true { y = lib.mkDefault 2; }) ]; };
      disko.devices.disk = lib.mkIf config.my.ssd {
        main = { type = "disk"; device = "/dev/sda"; content = lib.mkIf true { type = "gpt"; partitions = lib.mkMerge [ { a.size = "1G"; } (lib.mkIf config.my.ssd { b.size = "2G"; }) (lib.mkIf false { c.size = "3G"; }) ]; }; };
        none = lib.mkIf false { type = "disk"; device = "/dev/sdb"; };
      };
    }
  ];
}
