# Mounts without a device: the special filesystem types name their own, a bind mount has one,
# others get `none`.
{
  disko.devices.nodev = {
    "/" = {
      fsType = "tmpfs";
      mountOptions = [
        "size=2G"
        "mode=755"
      ];
    };
    "/tmp" = {
      fsType = "tmpfs";
      device = "scratch";
    };
    "/scratch".fsType = "ramfs";
    "/srv" = {
      fsType = "none";
      device = "/data/srv";
      mountOptions = [ "bind" ];
    };
    "/mnt/remote".fsType = "nfs";
    overlay = {
      fsType = "overlay";
      mountpoint = "/merged";
      mountOptions = [ "lowerdir=/a:/b" ];
    };
    "/unmounted" = {
      fsType = "tmpfs";
      mountpoint = null;
    };
  };
}
