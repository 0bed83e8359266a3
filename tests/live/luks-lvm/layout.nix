# Partition, LUKS, LVM and two filesystems; the disk is named by a link.
{
  disko.devices = {
    disk.main = {
      type = "disk";
      device = "/dev/disk/by-id/nvme-Example_SSD_1TB_0123456789";
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
          luks = {
            size = "100%";
            content = {
              type = "luks";
              name = "crypted";
              settings.allowDiscards = true;
              content = {
                type = "lvm_pv";
                vg = "main-pool";
              };
            };
          };
        };
      };
    };
    lvm_vg.main-pool = {
      type = "lvm_vg";
      lvs = {
        root = {
          size = "100G";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
            mountOptions = [ "noatime" ];
          };
        };
        data = {
          size = "100%FREE";
          content = {
            type = "filesystem";
            format = "xfs";
            mountpoint = "/var/lib/postgresql";
          };
        };
        swap = {
          size = "8G";
          content = {
            type = "swap";
            priority = 10;
          };
        };
      };
    };
  };
  boot.kernel.sysctl = {
    "vm.swappiness" = 10;
    "vm.dirty_background_bytes" = 67108864;
  };
}
