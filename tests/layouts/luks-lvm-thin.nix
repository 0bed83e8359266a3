# LUKS below a volume group, a thin pool, and LUKS above a logical volume.
{
  disko.devices = {
    disk.main = {
      device = "/dev/vda";
      content = {
        type = "gpt";
        partitions.luks = {
          size = "100%";
          content = {
            type = "luks";
            name = "pv";
            content = {
              type = "lvm_pv";
              vg = "pool";
            };
          };
        };
      };
    };
    lvm_vg.pool = {
      type = "lvm_vg";
      lvs = {
        thinpool = {
          size = "100G";
          lvm_type = "thin-pool";
        };
        root = {
          size = "10M";
          lvm_type = "thinlv";
          pool = "thinpool";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
            mountOptions = [ "defaults" ];
          };
        };
        home-dir = {
          size = "10M";
          lvm_type = "thinlv";
          pool = "thinpool";
          content = {
            type = "luks";
            name = "home";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/home";
            };
          };
        };
        raw.size = "10M";
        swap = {
          size = "100%";
          content = {
            type = "swap";
            discardPolicy = "once";
          };
        };
      };
    };
  };
}
