# Every layer that there is: LUKS, btrfs, RAID1, LVM with a thin pool, ext4, xfs, and a pool of OpenZFS
# with everything that a pool may have beside its data.
{
  disko.devices = {
    disk = {
      system = {
        type = "disk";
        device = "/dev/disk/by-id/virtio-VIRT-0815";
        content = {
          type = "filesystem";
          format = "ext4";
          mountpoint = "/";
          mountOptions = [ "noatime" ];
        };
      };
      fast = {
        type = "disk";
        device = "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_S4EWNX0R123456";
        content = {
          type = "gpt";
          partitions = {
            ESP = {
              size = "256M";
              type = "EF00";
              content = {
                type = "filesystem";
                format = "vfat";
                mountpoint = "/boot/efi";
                mountOptions = [ "umask=0077" ];
              };
            };
            swap = {
              size = "512M";
              content = {
                type = "luks";
                name = "cryptswap";
                settings.allowDiscards = true;
                content = {
                  type = "swap";
                  priority = 10;
                };
              };
            };
            files = {
              size = "100%";
              content = {
                type = "luks";
                name = "files";
                settings.allowDiscards = true;
                settings.bypassWorkqueues = true;
                content = {
                  type = "btrfs";
                  subvolumes = {
                    srv = {
                      mountpoint = "/srv/files";
                      mountOptions = [ "noatime" ];
                    };
                    home = {
                      mountpoint = "/home";
                      mountOptions = [ "compress=zstd:1" ];
                    };
                    nix = {
                      mountpoint = "/nix";
                      mountOptions = [
                        "noatime"
                        "compress=zstd:3"
                      ];
                    };
                  };
                };
              };
            };
          };
        };
      };
      left = {
        type = "disk";
        device = "/dev/disk/by-id/scsi-35000c500a1b2c3d4";
        content = {
          type = "gpt";
          partitions.raid = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "mirror";
            };
          };
        };
      };
      right = {
        type = "disk";
        device = "/dev/disk/by-id/scsi-35000c500a1b2c3d5";
        content = {
          type = "gpt";
          partitions.raid = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "mirror";
            };
          };
        };
      };
      tank0 = {
        type = "disk";
        device = "/dev/disk/by-id/ata-QEMU_HARDDISK_WD-WX11A22B3344";
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
      tank1 = {
        type = "disk";
        device = "/dev/disk/by-id/ata-QEMU_HARDDISK_WD-WX11A22B5566";
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
      helper = {
        type = "disk";
        device = "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_PHKS7335001X";
        content = {
          type = "gpt";
          partitions = {
            log = {
              size = "512M";
              content = {
                type = "zfs";
                pool = "tank";
              };
            };
            special = {
              size = "1G";
              content = {
                type = "zfs";
                pool = "tank";
              };
            };
            cache = {
              size = "100%";
              content = {
                type = "zfs";
                pool = "tank";
              };
            };
          };
        };
      };
    };
    mdadm.mirror = {
      type = "mdadm";
      level = 1;
      content = {
        type = "lvm_pv";
        vg = "pool";
      };
    };
    lvm_vg.pool = {
      type = "lvm_vg";
      lvs = {
        thin = {
          size = "600M";
          lvm_type = "thin-pool";
        };
        redis = {
          size = "400M";
          lvm_type = "thinlv";
          pool = "thin";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/var/lib/redis";
            mountOptions = [ "noatime" ];
          };
        };
        media = {
          size = "400M";
          content = {
            type = "filesystem";
            format = "xfs";
            mountpoint = "/srv/media";
            mountOptions = [
              "noatime"
              "logbsize=256k"
            ];
          };
        };
      };
    };
    zpool.tank = {
      type = "zpool";
      mode = {
        topology = {
          type = "topology";
          vdev = [
            {
              mode = "mirror";
              members = [
                "tank0"
                "tank1"
              ];
            }
          ];
          log = [ { members = [ "/dev/disk/by-partlabel/disk-helper-log" ]; } ];
          special = [ { members = [ "/dev/disk/by-partlabel/disk-helper-special" ]; } ];
          cache = [ "/dev/disk/by-partlabel/disk-helper-cache" ];
        };
      };
      options = {
        ashift = "12";
        autotrim = "on";
      };
      rootFsOptions = {
        compression = "lz4";
        mountpoint = "none";
        acltype = "posixacl";
        xattr = "sa";
        atime = "off";
      };
      datasets = {
        postgres = {
          type = "zfs_fs";
          mountpoint = "/var/lib/postgresql";
          options = {
            mountpoint = "legacy";
            recordsize = "16K";
            logbias = "throughput";
          };
        };
        archive = {
          type = "zfs_fs";
          mountpoint = "/srv/archive";
          options = {
            recordsize = "1M";
            compression = "zstd-6";
            special_small_blocks = "32K";
          };
        };
        vm = {
          type = "zfs_volume";
          size = "512M";
          options.volblocksize = "16k";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/srv/vm";
          };
        };
      };
    };
  };
  boot.kernel.sysctl = {
    "vm.swappiness" = 10;
    "vm.dirty_ratio" = 20;
  };
  services.postgresql.enable = true;
  services.redis.servers."".enable = true;
}
