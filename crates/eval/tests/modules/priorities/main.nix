{ lib, ... }:
{
  imports = [ ./other.nix ];
  disko.devices.disk.main = {
    device = lib.mkDefault "/dev/sda";
    type = "disk";
    content = {
      type = "gpt";
      partitions.root = {
        size = lib.mkForce "100%";
        content = {
          type = "filesystem";
          format = lib.mkOverride 70 "ext4";
          mountpoint = "/";
          mountOptions = lib.mkDefault [ "lost" ];
        };
      };
    };
  };
  disko.devices.disk.forced = lib.mkForce {
    device = "/dev/forced";
    type = "disk";
  };
  fileSystems."/" = {
    options = lib.mkForce [ "a" ];
    device = lib.mkDefault "x";
    fsType = lib.mkDefault "ext4";
  };
  fileSystems."/gone" = lib.mkDefault { device = "gone"; };
  extra.plain = lib.mkOptionDefault 1;
  boot = lib.mkForce { kernel.sysctl."vm.swappiness" = 1; };
  swapDevices = lib.mkDefault [ { device = "/dev/never"; } ];
}
