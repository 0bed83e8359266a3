{ lib, ... }:
{
  disko.devices = {
    disk.main = lib.mkMerge [
      { type = "disk"; device = "/dev/sda"; }
      ({ name, ... }: { imageName = name; })
      {
        content = {
          type = "gpt";
          partitions = {
            ESP = { type = "EF00"; size = "500M"; content = { type = "filesystem"; format = "vfat"; mountpoint = "/boot"; mountOptions = [ "umask=0077" ]; }; };
            luks = {
              size = "100%";
              content = {
                type = "luks";
                name = "crypted";
                settings = { allowDiscards = true; };
                content = {
                  type = "btrfs";
                  extraArgs = [ "-f" ];
                  subvolumes = {
                    "/root" = { mountpoint = "/"; mountOptions = [ "compress=zstd" "noatime" ]; };
                    "/home" = { mountpoint = "/home"; };
                  };
                };
              };
            };
          };
        };
      }
      { content.partitions.luks.content.settings.bypassWorkqueues = lib.mkDefault true; }
      { content.partitions.luks.content.content.subvolumes."/home".mountOptions = [ "x" ]; }
      { content.partitions.luks.content.content.subvolumes."/home".mountOptions = [ "y" ]; }
    ];
    zpool.tank = {
      type = "zpool";
      mode = "mirror";
      rootFsOptions = lib.mkMerge [ { compression = "zstd"; } { atime = "off"; } ];
      datasets."a/b" = lib.mkMerge [ { type = "zfs_fs"; options.mountpoint = "legacy"; } { mountpoint = "/a"; options.x = "1"; } ];
    };
  };
}
