{
  disko.devices.disk.main.content.partitions.root.content = {
    subvolumes."/".mountOptions = [ "three" ];
    extraArgs = [ "three" ];
    preMountHook = "three";
  };
  disko.devices.nodev."/tmp".mountOptions = [ "three" ];
  fileSystems."/".options = [ "three" ];
  swapDevices = [ { device = "three"; } ];
  boot.extraModprobeConfig = "three";
  extra.list = [ "three" ];
  extra.deep.er = [ "three" ];
}
