# A host that throws away all that disko defines, and swap that gives way to disko's.
{ lib, ... }:
{
  disko.devices.disk.main = {
    device = "/dev/vda";
    content = {
      type = "gpt";
      partitions = {
        root = {
          size = "100%";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
          };
        };
        swap = {
          size = "8G";
          content.type = "swap";
        };
      };
    };
  };
  fileSystems = lib.mkForce {
    "/" = {
      device = "tmpfs";
      fsType = "tmpfs";
      options = [ "mode=0755" ];
    };
  };
  swapDevices = lib.mkDefault [ { device = "/swapfile"; } ];
}
