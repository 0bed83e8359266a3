# Two nodes that mount the same thing at one mountpoint: NixOS joins their lists of options.
{
  disko.devices = {
    disk.main = {
      device = "/dev/vda";
      content = {
        type = "filesystem";
        format = "ext4";
        mountpoint = "/data";
        mountOptions = [ "noatime" ];
      };
    };
    nodev.again = {
      fsType = "ext4";
      device = "/dev/vda";
      mountpoint = "/data";
      mountOptions = [
        "nodev"
        "noatime"
      ];
    };
  };
}
