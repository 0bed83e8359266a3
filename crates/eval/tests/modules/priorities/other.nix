{ lib, ... }:
{
  disko.devices.disk.main = {
    device = "/dev/nvme0n1";
    content.partitions.root = {
      size = "10G";
      content = {
        format = "xfs";
        mountOptions = [ "noatime" ];
      };
    };
  };
  disko.devices.disk.forced = {
    device = "/dev/plain";
    type = "disk";
    content = { type = "gpt"; partitions.x.size = "1G"; };
  };
  fileSystems."/" = {
    options = lib.mkForce [ "b" ];
    device = "y";
    fsType = lib.mkOverride 900 "btrfs";
  };
  fileSystems."/gone" = { fsType = "ext4"; device = "there"; };
  extra.plain = lib.mkDefault 2;
  boot.kernel.sysctl = { "vm.swappiness" = 60; "vm.other" = lib.mkOverride 900 3; };
  swapDevices = [ { device = "/dev/swap"; priority = lib.mkDefault 5; } ];
}
