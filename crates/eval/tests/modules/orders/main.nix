{ lib, ... }:
{
  imports = [ ./one.nix ./two.nix ];
  disko.devices.disk.main.content.partitions.root.content = {
    subvolumes."/".mountOptions = [ "main" ];
    extraArgs = [ "main" ];
    preMountHook = "main";
  };
  disko.devices.nodev."/tmp" = { fsType = "tmpfs"; mountOptions = [ "main" ]; };
  fileSystems."/".options = [ "main" ];
  swapDevices = [ { device = "main"; } ];
  boot.extraModprobeConfig = "main";
  extra.list = lib.mkOrder 1200 [ "main" ];
  extra.deep.er = [ "main" ];
}
