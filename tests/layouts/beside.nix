# What hosts set beside disko: options and `neededForBoot` for disko's own mounts, further mounts,
# swap and LUKS settings.
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
            content = {
              type = "btrfs";
              subvolumes = {
                "/root" = {
                  mountpoint = "/";
                  mountOptions = [ "compress=zstd" ];
                };
                "/persist".mountpoint = "/persist";
              };
            };
          };
        };
        swap = {
          size = "8G";
          content.type = "swap";
        };
      };
    };
  };
  fileSystems."/".options = [
    "noatime"
    "ssd"
  ];
  fileSystems."/persist".neededForBoot = true;
  fileSystems."/mnt/snapshots" = {
    device = "/dev/mapper/crypted";
    fsType = "btrfs";
    options = [
      "subvol=snapshots"
      "noauto"
    ];
  };
  fileSystems."/media" = {
    device = "nas:/media";
    fsType = "nfs";
  };
  boot.initrd.luks.devices.crypted.allowDiscards = true;
  boot.initrd.luks.devices.backup.device = "/dev/disk/by-uuid/6b7d5f0c-0e3b-4a63-9a3a-0c6f2f1a2b3c";
  swapDevices = [ { device = "/swapfile"; } ];
  services.fstrim.enable = lib.mkDefault true;
  networking.hostName = "beside";
}
