# A mirror with three datasets.
{
  disko.devices = {
    disk = {
      a = {
        type = "disk";
        device = "/dev/sda";
        content = {
          type = "gpt";
          partitions.zfs = {
            size = "100%";
            content = {
              type = "zfs";
              pool = "tank";
            };
          };
        };
      };
      b = {
        type = "disk";
        device = "/dev/sdb";
        content = {
          type = "gpt";
          partitions.zfs = {
            size = "100%";
            content = {
              type = "zfs";
              pool = "tank";
            };
          };
        };
      };
    };
    zpool.tank = {
      type = "zpool";
      mode = "mirror";
      options.ashift = "12";
      options.autotrim = "on";
      rootFsOptions.compression = "zstd";
      datasets = {
        media = {
          type = "zfs_fs";
          mountpoint = "/srv/media";
          options.recordsize = "1M";
        };
        samba = {
          type = "zfs_fs";
          mountpoint = "/srv/samba";
          options.casesensitivity = "insensitive";
          options.atime = "off";
        };
        vm = {
          type = "zfs_volume";
          size = "32G";
          options.volblocksize = "16k";
        };
      };
    };
  };
}
