# Subvolumes: the option lists as written with `subvol=` behind, one without options, one that is
# not mounted, one with an empty list and one with another name than its attribute's.
{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/disk/by-id/nvme-SAMSUNG_1";
    content = {
      type = "gpt";
      partitions.root = {
        size = "100%";
        content = {
          type = "btrfs";
          extraArgs = [
            "-f"
            "--csum xxhash"
          ];
          subvolumes = {
            "/rootfs".mountpoint = "/";
            "/home" = {
              mountOptions = [ "compress=zstd" ];
              mountpoint = "/home";
            };
            "/home/user" = { };
            "/nix" = {
              mountOptions = [
                "compress=zstd,noatime"
                "discard=async"
              ];
              mountpoint = "/nix";
            };
            empty = {
              mountOptions = [ ];
              mountpoint = "/empty";
            };
            unmounted.mountOptions = [ "noatime" ];
            attribute = {
              name = "@log";
              mountpoint = "/var/log";
              extraArgs = [ "-p" ];
            };
          };
        };
      };
    };
  };
}
