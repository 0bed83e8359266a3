# Three filesystems on whole disks; compression is asked for where it does not count.
{
  disko.devices.disk = {
    one = {
      type = "disk";
      device = "/dev/loop0";
      content = {
        type = "btrfs";
        subvolumes = {
          "/root" = {
            mountpoint = "/srv/pool";
            mountOptions = [ "noatime" ];
          };
          "/home" = {
            mountpoint = "/srv/pool/home";
            mountOptions = [ "compress=zstd:1" ];
          };
        };
      };
    };
    two = {
      type = "disk";
      device = "/dev/loop1";
      content = {
        type = "filesystem";
        format = "ext4";
        mountpoint = "/srv/ext4";
        mountOptions = [ "noatime" ];
      };
    };
    three = {
      type = "disk";
      device = "/dev/loop2";
      content = {
        type = "filesystem";
        format = "xfs";
        mountpoint = "/srv/xfs";
        mountOptions = [ "logbsize=256k" ];
      };
    };
  };
}
