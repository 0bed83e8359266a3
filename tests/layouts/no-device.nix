# A template: the disk's device is set elsewhere. Partitions are named by label all the same.
{ lib, ... }:
{
  disko.devices.disk.main = {
    type = "disk";
    destroy = false;
    imageSize = "10G";
    content = {
      type = "gpt";
      partitions = {
        boot = {
          size = "1M";
          type = "EF02";
          attributes = [ 0 ];
        };
        root = {
          name = lib.concatStrings [
            "ro"
            "ot"
          ];
          size = "100%";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
          };
        };
      };
    };
  };
}
