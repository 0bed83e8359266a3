{ lib, ... }@args:
with lib;
let
  options = [ "noatime" "compress=zstd" ];
  subvolume = mountpoint: extra: { inherit mountpoint; mountOptions = options ++ extra; };
in
{
  disko = mkMerge [
    { devices.disk = genAttrs [ "a" "b" ] (name: { device = mkDefault "/dev/${name}"; type = "disk"; content = { type = "gpt"; partitions.p = { size = "100%"; content = { type = "btrfs"; subvolumes = mapAttrs (path: extra: subvolume "/${name}${path}" extra) { "/x" = [ ]; "/y" = optionals (name == "a") [ "ro" ]; }; }; }; }; }); }
    (mkIf (args ? lib) { devices.disk.a.device = "/dev/override"; })
    (setAttrByPath [ "devices" "disk" "b" "content" "partitions" "p" "priority" ] 3)
  ];
  fileSystems = foldl' recursiveUpdate { } [
    { "/".options = [ "first" ]; }
    { "/".options = [ "second" ]; "/".device = "d"; }
  ];
}
