# The disks that `../vm/failing.sh` breaks: RAID1 and RAID6, a mirror and a single disk of OpenZFS, btrfs on two
# disks and on one, ext4, and a thin pool that is smaller than what lies in it.
let
  disk = device: partitions: {
    type = "disk";
    inherit device;
    content = {
      type = "gpt";
      inherit partitions;
    };
  };
  raid = name: size: {
    inherit size;
    content = {
      type = "mdraid";
      inherit name;
    };
  };
  pool = name: size: {
    inherit size;
    content = {
      type = "zfs";
      pool = name;
    };
  };
  filesystem = format: mountpoint: {
    type = "filesystem";
    inherit format mountpoint;
    mountOptions = [ "noatime" ];
  };
in
{
  disko.devices = {
    disk = {
      system = {
        type = "disk";
        device = "/dev/disk/by-id/virtio-VIRT-0815";
        content = filesystem "ext4" "/";
      };
      a = disk "/dev/disk/by-id/scsi-35000c500a1b2c3da" {
        mirror = raid "mirror" "220M";
        tank = pool "tank" "300M";
        six = raid "six" "100%";
      };
      b = disk "/dev/disk/by-id/scsi-35000c500a1b2c3db" {
        mirror = raid "mirror" "220M";
        tank = pool "tank" "300M";
        six = raid "six" "100%";
      };
      c = disk "/dev/disk/by-id/scsi-35000c500a1b2c3dc" {
        files = {
          size = "400M";
          content = {
            type = "btrfs";
            extraArgs = [
              "-d"
              "raid1"
              "-m"
              "raid1"
              "/dev/disk/by-partlabel/disk-d-files"
            ];
            mountpoint = "/srv/files";
            mountOptions = [ "noatime" ];
          };
        };
        six = raid "six" "100%";
      };
      d = disk "/dev/disk/by-id/scsi-35000c500a1b2c3dd" {
        files.size = "400M";
        six = raid "six" "100%";
      };
      e = disk "/dev/disk/by-id/ata-QEMU_HARDDISK_WD-WX11A22B3344" {
        lvm = {
          size = "400M";
          content = {
            type = "lvm_pv";
            vg = "pool";
          };
        };
        notes = {
          size = "100M";
          content = filesystem "ext4" "/srv/notes";
        };
      };
      sata = disk "/dev/disk/by-id/ata-QEMU_HARDDISK_WD-WX11A22B5566" {
        media = {
          size = "100%";
          content = filesystem "ext4" "/srv/media";
        };
      };
      scsi = disk "/dev/disk/by-id/scsi-35000c500a1b2c3de" {
        backup = {
          size = "100%";
          content = {
            type = "btrfs";
            mountpoint = "/srv/backup";
            mountOptions = [ "noatime" ];
          };
        };
      };
      nvme = disk "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_S4EWNX0R123456" {
        scratch = pool "scratch" "100%";
      };
    };
    mdadm = {
      mirror = {
        type = "mdadm";
        level = 1;
        content = filesystem "ext4" "/srv/mirror";
      };
      six = {
        type = "mdadm";
        level = 6;
        content = filesystem "xfs" "/srv/six";
      };
    };
    lvm_vg.pool = {
      type = "lvm_vg";
      lvs = {
        thin = {
          size = "100M";
          lvm_type = "thin-pool";
        };
        big = {
          size = "300M";
          lvm_type = "thinlv";
          pool = "thin";
          content = filesystem "ext4" "/srv/big";
        };
        plain.size = "60M";
      };
    };
    zpool = {
      tank = {
        type = "zpool";
        mode = "mirror";
        options.ashift = "12";
        rootFsOptions.mountpoint = "none";
        datasets.files = {
          type = "zfs_fs";
          mountpoint = "/srv/tank";
        };
      };
      scratch = {
        type = "zpool";
        options.ashift = "12";
        mountpoint = "/srv/scratch";
      };
    };
  };
}
