# Other filesystems: on a whole disk, with options in one element, unmounted.
{
  disko.devices.disk = {
    whole = {
      device = "/dev/sdb";
      content = {
        type = "filesystem";
        format = "ext4";
        extraArgs = [ "-m0" ];
        mountpoint = "/srv";
      };
    };
    main = {
      device = "/dev/sda";
      content = {
        type = "gpt";
        partitions = {
          a = {
            size = "10G";
            content = {
              type = "filesystem";
              format = "f2fs";
              mountpoint = "/";
              extraArgs = [
                "-O"
                "extra_attr,inode_checksum,sb_checksum,compression"
              ];
              mountOptions = [ "compress_algorithm=zstd:6,compress_chksum,atgc,gc_merge,lazytime,nodiscard" ];
            };
          };
          b = {
            start = "-10G";
            end = "-0";
            content = {
              type = "filesystem";
              format = "bcachefs";
              mountpoint = "/var/lib";
            };
          };
          c = {
            size = "10G";
            content = {
              type = "filesystem";
              format = "ntfs3";
              mountpoint = null;
            };
          };
        };
      };
    };
  };
}
