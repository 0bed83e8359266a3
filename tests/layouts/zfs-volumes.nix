# ZFS volumes and what may lie on them.
{
  disko.devices = {
    disk.main = {
      device = "/dev/vda";
      content = {
        type = "zfs";
        pool = "tank";
      };
    };
    zpool.tank = {
      type = "zpool";
      mode = "";
      datasets = {
        ext4 = {
          type = "zfs_volume";
          size = "10M";
          options.volblocksize = "16k";
          extraArgs = [ "-s" ];
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/ext4onzfs";
          };
        };
        swap = {
          type = "zfs_volume";
          size = "10M";
          content = {
            type = "swap";
            priority = 7;
          };
        };
        crypt = {
          name = "secret";
          type = "zfs_volume";
          size = "10M";
          content = {
            type = "luks";
            name = "vol";
            content = {
              type = "btrfs";
              mountpoint = "/vol";
            };
          };
        };
        raw = {
          type = "zfs_volume";
          size = "10M";
        };
      };
    };
  };
}
