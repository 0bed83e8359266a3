{ lib, ... }:
{
  imports = [ ./three.nix ];
  disko.devices.disk.main = {
    device = "/dev/sda";
    type = "disk";
    content = {
      type = "gpt";
      partitions.root = {
        size = "100%";
        content = {
          type = "btrfs";
          subvolumes."/" = { mountpoint = "/"; mountOptions = lib.mkMerge [ [ "one" ] (lib.mkBefore [ "one-before" ]) [ "one-again" ] (lib.mkAfter [ "one-after" ]) ]; };
          extraArgs = [ "one" ];
          preMountHook = "one";
        };
      };
    };
  };
  disko.devices.nodev."/tmp".mountOptions = [ "one" ];
  fileSystems."/".options = lib.mkAfter [ "one" ];
  swapDevices = [ { device = "one"; } ];
  boot.extraModprobeConfig = "one";
  extra.list = [ "one" ];
  extra.deep = { er = lib.mkBefore [ "one" ]; };
}
