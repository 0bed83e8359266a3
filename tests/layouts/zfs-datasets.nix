# Datasets: `zfsutil` unless the property `mountpoint` is `legacy`; none at all for `none`,
# `canmount = off` and those without disko's own `mountpoint`. The pool has a root dataset.
{
  disko.devices = {
    disk.main = {
      device = "/dev/vda";
      content = {
        type = "gpt";
        partitions.zfs = {
          size = "100%";
          content = {
            type = "zfs";
            pool = "zroot";
          };
        };
      };
    };
    zpool = {
      zroot = {
        type = "zpool";
        mode = "mirror";
        options = {
          ashift = "12";
          cachefile = "none";
        };
        rootFsOptions = {
          compression = "zstd";
          "com.sun:auto-snapshot" = "false";
        };
        mountpoint = "/";
        mountOptions = [ "noatime" ];
        datasets = {
          plain = {
            type = "zfs_fs";
            mountpoint = "/plain";
          };
          legacy = {
            type = "zfs_fs";
            options.mountpoint = "legacy";
            mountpoint = "/legacy";
            mountOptions = [ "nodev" ];
          };
          property = {
            type = "zfs_fs";
            options.mountpoint = "/elsewhere";
            mountpoint = "/property";
          };
          none = {
            type = "zfs_fs";
            options.mountpoint = "none";
            mountpoint = "/none";
          };
          off = {
            type = "zfs_fs";
            options.canmount = "off";
            mountpoint = "/off";
          };
          noauto = {
            type = "zfs_fs";
            options.canmount = "noauto";
            mountpoint = "/noauto";
          };
          unmounted.type = "zfs_fs";
          "nested/dataset" = {
            type = "zfs_fs";
            mountpoint = "/nested";
            options = {
              encryption = "aes-256-gcm";
              keyformat = "passphrase";
              keylocation = "file:///tmp/secret.key";
              recordsize = "16k";
            };
          };
          renamed = {
            name = "other";
            type = "zfs_fs";
            mountpoint = "/other";
          };
        };
      };
      attribute = {
        name = "tank";
        type = "zpool";
        rootFsOptions.mountpoint = "none";
        mountpoint = "/tank";
        datasets.a = {
          type = "zfs_fs";
          mountpoint = "/tank/a";
        };
      };
      hidden = {
        type = "zpool";
        rootFsOptions.canmount = "off";
        mountpoint = "/hidden";
        datasets = { };
      };
      legacy = {
        type = "zpool";
        rootFsOptions.mountpoint = "legacy";
        mountpoint = "/pool-legacy";
        datasets = { };
      };
    };
  };
}
