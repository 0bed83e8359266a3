{ lib, ... }:
{
  disko.devices = lib.mkMerge [
    {
      disk.main.content.partitions.root.content = lib.mkMerge [
        { subvolumes."/".mountOptions = [ "two-a" ]; extraArgs = [ "two-a" ]; preMountHook = "two-a"; }
        { subvolumes."/".mountOptions = [ "two-b" ]; extraArgs = [ "two-b" ]; preMountHook = "two-b"; }
      ];
    }
    { nodev."/tmp".mountOptions = [ "two-a" ]; }
    { nodev."/tmp".mountOptions = [ "two-b" ]; }
  ];
  fileSystems."/" = lib.mkMerge [ { options = [ "two-a" ]; } { options = [ "two-b" ]; } ];
  swapDevices = lib.mkBefore [ { device = "two"; } ];
  boot.extraModprobeConfig = lib.mkBefore "two";
  extra.list = lib.mkBefore [ "two" ];
  extra.deep.er = [ "two" ];
}
