# A function with defaults that makes its layout of lists, as many real files do.
{
  disks ? [
    "/dev/nvme0n1"
    "/dev/nvme1n1"
  ],
  shared ? [
    "compress=zstd"
    "noatime"
  ],
  lib,
  ...
}:
let
  subvolume = mountpoint: {
    inherit mountpoint;
    mountOptions = shared ++ lib.optionals (mountpoint == "/nix") [ "nodev" ];
  };
  raid = lib.length disks > 1;
in
{
  disko.devices = {
    disk = lib.listToAttrs (
      lib.imap0 (index: device: {
        name = "disk${toString index}";
        value = {
          inherit device;
          type = "disk";
          content = {
            type = "gpt";
            partitions = {
              ESP = lib.mkIf (index == 0) {
                size = "1G";
                type = "EF00";
                content = {
                  type = "filesystem";
                  format = "vfat";
                  mountpoint = "/boot";
                  mountOptions = [ "umask=0077" ];
                };
              };
              root = {
                size = "100%";
                content =
                  if index == 0 then
                    {
                      type = "btrfs";
                      extraArgs = lib.optional raid "-d raid1";
                      subvolumes = lib.genAttrs [ "/nix" "/home" "/" ] subvolume;
                    }
                  else
                    {
                      type = "luks";
                      name = "crypt-${toString index}";
                      settings = {
                        allowDiscards = lib.mkDefault false;
                      }
                      // {
                        bypassWorkqueues = true;
                      };
                    };
              };
            };
          };
        };
      }) disks
    );
  };
}
