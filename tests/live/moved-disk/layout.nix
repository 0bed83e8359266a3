# One disk that is gone, and one that has become another.
{
  disko.devices.disk = {
    gone = {
      type = "disk";
      device = "/dev/sdc";
      content = {
        type = "filesystem";
        format = "ext4";
        mountpoint = "/srv";
      };
    };
    main = {
      type = "disk";
      device = "/dev/sda";
      content = {
        type = "gpt";
        partitions.root = {
          size = "100%";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
          };
        };
      };
    };
  };
}
