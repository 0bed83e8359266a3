# bcachefs: the UUID made of the name or set, options without repetitions, subvolumes.
{
  disko.devices = {
    disk = {
      a = {
        device = "/dev/vda";
        content = {
          type = "bcachefs";
          filesystem = "pool";
          label = "ssd.a";
          extraFormatArgs = [ "--discard" ];
        };
      };
      b = {
        device = "/dev/vdb";
        content = {
          type = "gpt";
          partitions.b = {
            size = "100%";
            content = {
              type = "bcachefs";
              filesystem = "pool";
            };
          };
        };
      };
    };
    bcachefs_filesystems = {
      pool = {
        type = "bcachefs_filesystem";
        extraFormatArgs = [ "--compression=lz4" ];
        passwordFile = "/tmp/secret.key";
        subvolumes = {
          "/root".mountpoint = "/";
          "subvolumes/home" = {
            mountpoint = "/home";
            mountOptions = [
              "noatime"
              "X-mount.mkdir"
              "noatime"
            ];
          };
          unmounted = { };
          attribute = {
            name = "//twice";
            mountpoint = "/twice";
          };
        };
      };
      set = {
        type = "bcachefs_filesystem";
        uuid = "64e50034-ebe2-eaf8-1f93-cf56266a8d86";
        mountpoint = "/set";
      };
      options = {
        name = "named";
        type = "bcachefs_filesystem";
        mountpoint = "/options";
        mountOptions = [
          "verbose"
          "noatime"
        ];
      };
    };
  };
}
