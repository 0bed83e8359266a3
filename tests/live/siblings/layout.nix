# / is in memory; /nix and /persist are mounted in no certain order.
{
  disko.devices = {
    nodev."/" = {
      fsType = "tmpfs";
      mountOptions = [
        "size=2G"
        "mode=755"
      ];
    };
    disk.main = {
      type = "disk";
      device = "/dev/nvme0n1";
      content = {
        type = "btrfs";
        subvolumes = {
          "/nix" = {
            mountpoint = "/nix";
            mountOptions = [
              "compress=zstd:1"
              "noatime"
              "nodev"
            ];
          };
          "/persist" = {
            mountpoint = "/persist";
            mountOptions = [ "compress=zstd:9" ];
          };
        };
      };
    };
  };
  fileSystems."/persist".neededForBoot = true;
}
