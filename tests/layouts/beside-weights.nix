# What hosts set beside disko with another weight than disko's own definitions: of two that differ in
# weight only one counts, whole lists included.
{ lib, ... }:
{
  disko.devices.disk.main = {
    device = "/dev/vda";
    content = {
      type = "gpt";
      partitions = {
        root = {
          size = "100%";
          content = {
            type = "luks";
            name = "crypted";
            settings.allowDiscards = true;
            content = {
              type = "btrfs";
              subvolumes = {
                "/root" = {
                  mountpoint = "/";
                  mountOptions = [ "compress=zstd" ];
                };
                "/home" = {
                  mountpoint = "/home";
                  mountOptions = [ "noatime" ];
                };
                "/log".mountpoint = "/var/log";
                "/srv".mountpoint = "/srv";
                "/nix".mountpoint = "/nix";
              };
            };
          };
        };
        other = {
          size = "10G";
          content = {
            type = "luks";
            name = "other";
            settings.bypassWorkqueues = true;
          };
        };
        swap = {
          size = "8G";
          content.type = "swap";
        };
      };
    };
  };
  fileSystems = {
    # The list stands alone, without `subvol=`.
    "/".options = lib.mkForce [
      "subvol=/root"
      "noatime"
    ];
    # This has no effect, but for what disko does not define.
    "/home" = {
      options = lib.mkDefault [ "compress=zstd" ];
      device = lib.mkDefault "/dev/vdz";
      neededForBoot = lib.mkDefault true;
    };
    # The mount is another one.
    "/srv" = lib.mkForce {
      device = "/dev/vdb1";
      fsType = "ext4";
    };
    # This mount has no effect at all.
    "/var/log" = lib.mkDefault {
      device = "/dev/vdc1";
      fsType = "xfs";
    };
    "/nix".device = lib.mkOverride 90 "/dev/disk/by-label/nix";
    # Nobody else defines it.
    "/media" = lib.mkDefault {
      device = "nas:/media";
      fsType = "nfs";
    };
  };
  boot.initrd.luks.devices = {
    crypted.allowDiscards = lib.mkForce false;
    other = {
      bypassWorkqueues = lib.mkDefault false;
      device = lib.mkForce "/dev/vdd";
    };
  };
  swapDevices = lib.mkForce [ { device = "/swapfile"; } ];
}
