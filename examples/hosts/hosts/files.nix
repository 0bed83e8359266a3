# A file server: a ZFS mirror for the files beside a small disk for the system.
{
  networking.hostId = "8425e349";
  services.samba.enable = true;

  disko.devices = {
    disk = {
      system = {
        type = "disk";
        device = "/dev/sda";
        content = {
          type = "gpt";
          partitions = {
            ESP = {
              size = "1G";
              type = "EF00";
              content = {
                type = "filesystem";
                format = "vfat";
                mountpoint = "/boot";
                mountOptions = [ "umask=0077" ];
              };
            };
            swap = {
              size = "8G";
              content = {
                type = "swap";
              };
            };
            root = {
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
      left = {
        type = "disk";
        device = "/dev/sdb";
        content = {
          type = "zfs";
          pool = "tank";
        };
      };
      right = {
        type = "disk";
        device = "/dev/sdc";
        content = {
          type = "zfs";
          pool = "tank";
        };
      };
    };
    zpool.tank = {
      type = "zpool";
      mode = "mirror";
      options.ashift = "12";
      rootFsOptions = {
        mountpoint = "none";
        compression = "lz4";
        atime = "off";
      };
      datasets.files = {
        type = "zfs_fs";
        mountpoint = "/srv/files";
        options.mountpoint = "legacy";
      };
    };
  };
}
