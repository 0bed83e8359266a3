{ lib, ... }:
let
  ext4 = import ./ext4.nix;
in
{
  disks = lib.mkMerge [
    (lib.mkIf true { root.kind = lib.mkDefault "btrfs"; })
    (lib.genAttrs [ "home" ] (name: ext4 [ "noatime" ]))
    { swap = { }; }
  ];
}
