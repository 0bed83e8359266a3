# disko visits arrays and pools of all kinds in the order of their kinds' names: the disks' swap
# comes before that of volume groups, then md arrays, then pools.
{
  disko.devices = {
    zpool.a = {
      type = "zpool";
      datasets = {
        Z = {
          type = "zfs_volume";
          size = "1G";
          content.type = "swap";
        };
        a = {
          type = "zfs_volume";
          size = "1G";
          content.type = "swap";
        };
      };
    };
    mdadm.a = {
      content.type = "swap";
    };
    lvm_vg.a = {
      type = "lvm_vg";
      lvs.swap = {
        size = "1G";
        content.type = "swap";
      };
    };
    disk = {
      b = {
        device = "/dev/vdb";
        content.type = "swap";
      };
      a = {
        device = "/dev/vda";
        content = {
          type = "gpt";
          partitions = {
            z = {
              priority = 1;
              size = "1G";
              content.type = "swap";
            };
            B = {
              size = "1G";
              content.type = "swap";
            };
            a = {
              size = "1G";
              content = {
                type = "luks";
                name = "swap";
                content.type = "swap";
              };
            };
          };
        };
      };
    };
  };
}
