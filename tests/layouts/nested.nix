# Arrays, groups, encryption and pools on top of each other.
{
  disko.devices = {
    disk.a = {
      device = "/dev/vda";
      content = {
        type = "luks";
        name = "outer";
        content = {
          type = "mdraid";
          name = "md";
        };
      };
    };
    mdadm.md = {
      level = 1;
      content = {
        type = "lvm_pv";
        vg = "vg";
      };
    };
    lvm_vg.vg = {
      type = "lvm_vg";
      lvs.zfs = {
        size = "100%";
        content = {
          type = "luks";
          name = "inner";
          content = {
            type = "zfs";
            pool = "tank";
          };
        };
      };
    };
    zpool.tank = {
      type = "zpool";
      datasets.vol = {
        type = "zfs_volume";
        size = "1T";
        content = {
          type = "luks";
          name = "innermost";
          initrdUnlock = false;
          content = {
            type = "table";
            partitions = [
              {
                name = "root";
                content = {
                  type = "filesystem";
                  format = "ext4";
                  mountpoint = "/deep";
                };
              }
            ];
          };
        };
      };
    };
  };
}
