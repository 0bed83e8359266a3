# Every class of vdev; members by the name of a disk, by partition and by disk; `special` as one
# vdev without a list.
let
  member = pool: device: {
    inherit device;
    content = {
      type = "gpt";
      partitions.zfs = {
        size = "100%";
        content = {
          type = "zfs";
          inherit pool;
        };
      };
    };
  };
in
{
  disko.devices = {
    disk = {
      data1 = member "tank" "/dev/vda";
      data2 = member "tank" "/dev/vdb";
      log = member "tank" "/dev/vdc";
      special = member "tank" "/dev/vdd";
      cache = member "tank" "/dev/vde";
      spare = member "tank" "/dev/vdf";
      dedup = member "tank" "/dev/vdg";
      whole = {
        device = "/dev/disk/by-id/wwn-0x5000c500af8b2a14";
        content = {
          type = "zfs";
          pool = "other";
        };
      };
    };
    zpool = {
      tank = {
        type = "zpool";
        mode.topology = {
          type = "topology";
          vdev = [
            {
              mode = "mirror";
              members = [
                "data1"
                "/dev/disk/by-partlabel/disk-data2-zfs"
              ];
            }
          ];
          log = [ { members = [ "log" ]; } ];
          special.members = [ "special" ];
          dedup = [ { members = [ "dedup" ]; } ];
          cache = [ "cache" ];
          spare = [ "spare" ];
        };
        mountpoint = "/tank";
        datasets = { };
      };
      other = {
        type = "zpool";
        mode.topology = {
          type = "topology";
          vdev = [ { members = [ "/dev/disk/by-id/wwn-0x5000c500af8b2a14" ]; } ];
          special = null;
        };
        datasets.home = {
          type = "zfs_fs";
          mountpoint = "/home";
        };
      };
    };
  };
}
