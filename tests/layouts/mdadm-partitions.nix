# Partitions on an md array are named by number, and the numbers follow the priorities:
# the BIOS boot partition first, the one that takes the rest last.
{
  disko.devices = {
    disk = builtins.listToAttrs (
      map
        (name: {
          inherit name;
          value = {
            device = "/dev/${name}";
            content = {
              type = "gpt";
              partitions.md = {
                size = "100%";
                content = {
                  type = "mdraid";
                  name = "raid1";
                };
              };
            };
          };
        })
        [
          "vda"
          "vdb"
        ]
    );
    mdadm.raid1 = {
      level = 1;
      metadata = "1.2";
      extraArgs = [ "--assume-clean" ];
      content = {
        type = "gpt";
        partitions = {
          all = {
            size = "100%";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/";
            };
          };
          x-bios = {
            type = "EF02";
            size = "1M";
          };
          data = {
            size = "10G";
            content = {
              type = "filesystem";
              format = "xfs";
              mountpoint = "/data";
            };
          };
          early = {
            priority = 1;
            size = "1G";
            content = {
              type = "swap";
              priority = 5;
            };
          };
          zz = {
            name = "esp";
            size = "512M";
            content = {
              type = "filesystem";
              format = "vfat";
              mountpoint = "/boot";
            };
          };
        };
      };
    };
  };
}
