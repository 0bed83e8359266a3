# Swap files in subvolumes and in the top level, and the order in which NixOS gets them.
{
  disko.devices.disk.main = {
    device = "/dev/vdb";
    content = {
      type = "gpt";
      partitions = {
        root = {
          size = "100%";
          content = {
            type = "btrfs";
            mountpoint = "/";
            mountOptions = [ "noatime" ];
            swap = {
              first.size = "1G";
              second = {
                size = "2G";
                path = "dir/second";
                priority = -2;
              };
            };
            subvolumes = {
              "@swap" = {
                mountpoint = "/.swapvol";
                swap = {
                  swapfile = {
                    size = "20M";
                    priority = 3;
                    options = [
                      "defaults"
                      "nofail"
                    ];
                  };
                  rel-path = {
                    size = "20M";
                    path = "rel-path";
                  };
                };
              };
              "@other" = {
                mountpoint = "/other";
                swap.file.size = "1M";
              };
            };
          };
        };
        partition = {
          size = "1G";
          content.type = "swap";
        };
      };
    };
  };
}
