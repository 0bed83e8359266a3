# md arrays of whole disks, with names and levels, holding LUKS and a filesystem.
{
  disko.devices = {
    disk = {
      a = {
        device = "/dev/sda";
        content = {
          type = "mdraid";
          name = "fast";
        };
      };
      b = {
        device = "/dev/sdb";
        content = {
          type = "mdraid";
          name = "fast";
        };
      };
      c = {
        device = "/dev/sdc";
        content = {
          type = "mdraid";
          name = "slow";
        };
      };
    };
    mdadm = {
      attribute = {
        name = "fast";
        type = "mdadm";
        level = 0;
        content = {
          type = "luks";
          name = "fast";
          settings.allowDiscards = true;
          content = {
            type = "btrfs";
            subvolumes = {
              "@" = {
                mountpoint = "/";
                mountOptions = [ "compress-force=zstd:1" ];
              };
              "@nix".mountpoint = "/nix";
            };
          };
        };
      };
      slow = {
        content = {
          type = "filesystem";
          format = "ext4";
          mountpoint = "/slow";
        };
      };
    };
  };
}
