# Definitions merged by the module system: `mkMerge`, `mkIf`, `mkDefault`, `mkForce`, order.
{ lib, ... }:
{
  disko.devices = lib.mkMerge [
    {
      disk.main = {
        device = lib.mkDefault "/dev/vda";
        content = {
          type = "gpt";
          partitions.root = {
            size = "100%";
            content = {
              type = "btrfs";
              subvolumes."/nix" = {
                mountpoint = "/nix";
                mountOptions = [ "noatime" ];
              };
            };
          };
        };
      };
    }
    {
      disk.main.content.partitions.root.content.subvolumes."/nix".mountOptions = lib.mkBefore [ "compress=zstd" ];
    }
    (lib.mkIf true {
      disk.main.device = "/dev/vdb";
      disk.main.content.partitions.root.content.subvolumes = {
        "/root" = {
          mountpoint = "/";
          mountOptions = lib.mkForce [ "compress=no" ];
        };
      };
    })
    (lib.mkIf false { nodev."/tmp".fsType = "tmpfs"; })
    {
      disk.main.content.partitions.root.content.subvolumes."/root".mountOptions = [ "lost" ];
    }
  ];
}
