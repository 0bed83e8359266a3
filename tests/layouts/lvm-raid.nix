# Volume groups and logical volumes with names of their own, over several physical volumes.
{
  disko.devices = {
    disk = {
      one = {
        device = "/dev/vda";
        content = {
          type = "lvm_pv";
          vg = "data";
        };
      };
      two = {
        device = "/dev/vdb";
        content = {
          type = "gpt";
          partitions.pv = {
            size = "100%";
            content = {
              type = "lvm_pv";
              vg = "data";
            };
          };
        };
      };
    };
    lvm_vg.group = {
      name = "data";
      type = "lvm_vg";
      lvs = {
        a = {
          name = "mirror";
          size = "100M";
          lvm_type = "mirror";
          extraArgs = [ "--stripes 2" ];
          content = {
            type = "filesystem";
            format = "xfs";
            mountpoint = "/home";
            mountOptions = [ "pquota" ];
          };
        };
        b = {
          size = "100%FREE";
          lvm_type = "raid0";
          content = {
            type = "btrfs";
            subvolumes."/nix".mountpoint = "/nix";
          };
        };
      };
    };
  };
}
