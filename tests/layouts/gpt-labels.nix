# How a GPT partition is named: by its label, made of the disk's name and its own, escaped as in a
# udev link, hashed when longer than a GPT holds; by UUID; by a label or a device that was set.
{
  disko.devices.disk = {
    "by-path/pci-0000:00:17.0" = {
      device = "/dev/disk/by-path/pci-0000:00:17.0-ata-1";
      content = {
        type = "gpt";
        partitions = {
          ESP = {
            type = "EF00";
            size = "512M";
            content = {
              type = "filesystem";
              format = "vfat";
              mountpoint = "/boot";
              mountOptions = [ "umask=0077" ];
            };
          };
          "a name (with) 100% & more, or less" = {
            size = "1G";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/odd name";
            };
          };
        };
      };
    };
    renamed = {
      name = "main";
      device = "{{mainDisk}}";
      content = {
        type = "gpt";
        efiGptPartitionFirst = false;
        partitions = {
          exactly-thirty-six-bytes-long = {
            # disk-main-… is 39 bytes: hashed.
            size = "1G";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/hashed";
            };
          };
          just-thirty-six-bytes-long = {
            size = "1G";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/whole";
            };
          };
          by-uuid = {
            uuid = "809b3a2b-828a-4730-95e1-75b6343e415a";
            size = "1G";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/by-uuid";
            };
          };
          by-label = {
            label = "nix os";
            size = "1G";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/by-label";
            };
          };
          every-character = {
            label = " !\"#\$%&'()*+,-./0189:;<=>?@AMZ[\\]^_`amz{|}~\t";
            size = "1G";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/every-character";
            };
          };
          by-device = {
            device = "/dev/vda7";
            size = "1G";
            hybrid.mbrPartitionType = "0x0c";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/by-device";
            };
          };
          by-content-device = {
            size = "1G";
            content = {
              type = "filesystem";
              device = "/dev/disk/by-label/data";
              format = "xfs";
              mountpoint = "/by-content-device";
            };
          };
          own-name = {
            name = "root";
            size = "100%";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/";
            };
          };
          unformatted.size = "1M";
        };
      };
    };
  };
}
