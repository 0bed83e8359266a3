# btrfs right on a disk without a table, and on a second device of another one.
{
  disko.devices.disk = {
    data = {
      device = "/dev/disk/by-id/ata-WDC_1";
      content = {
        type = "btrfs";
        extraArgs = [
          "-d raid1"
          "/dev/mapper/p1"
        ];
        mountpoint = "/data";
        subvolumes = {
          a.mountpoint = "/data/a";
          b = { };
        };
      };
    };
    other = {
      device = "/dev/disk/by-id/ata-WDC_2";
      content = {
        type = "luks";
        name = "p1";
        settings.keyFile = "/tmp/secret.key";
      };
    };
    blank.device = "/dev/sdc";
    nothing = {
      device = "/dev/sdd";
      content = null;
    };
  };
}
