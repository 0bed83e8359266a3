# An installer's image: the layout is for disko's scripts only, NixOS gets nothing from it.
{ lib, ... }:
{
  disko.enableConfig = lib.mkForce false;
  disko.devices = {
    disk.main = {
      device = "/dev/vda";
      content = {
        type = "gpt";
        partitions = {
          root = {
            size = "100%";
            content = {
              type = "luks";
              name = "crypted";
              content = {
                type = "filesystem";
                format = "ext4";
                mountpoint = "/";
              };
            };
          };
          swap = {
            size = "8G";
            content = {
              type = "swap";
              resumeDevice = true;
            };
          };
        };
      };
    };
  };
  fileSystems."/" = lib.mkDefault {
    device = "tmpfs";
    fsType = "tmpfs";
  };
}
