# The legacy table numbers the partitions of a list, and each kind of device in its own way.
let
  table = device: mountpoint: {
    inherit device;
    type = "disk";
    content = {
      type = "table";
      format = "msdos";
      partitions = [
        {
          name = "grub";
          start = "0";
          end = "1M";
          part-type = "primary";
          flags = [ "bios_grub" ];
        }
        {
          name = "data";
          start = "1M";
          end = "100%";
          fs-type = "ext4";
          bootable = true;
          content = {
            type = "filesystem";
            format = "ext4";
            inherit mountpoint;
          };
        }
      ];
    };
  };
in
{
  disko.devices.disk = {
    sda = table "/dev/sda" "/sda";
    xvdb = table "/dev/xvdb" "/xvdb";
    nvme = table "/dev/nvme0n1" "/nvme";
    mmc = table "/dev/mmcblk0" "/mmc";
    id = table "/dev/disk/by-id/ata-DISK_1" "/id";
    zvol = table "/dev/zvol/tank/vm" "/zvol";
    md = table "/dev/md/raid" "/md";
    md1 = table "/dev/md/raid1" "/md1";
    mapper = table "/dev/mapper/vg-lv" "/mapper";
    loop = table "/dev/loop7" "/loop";
  };
}
