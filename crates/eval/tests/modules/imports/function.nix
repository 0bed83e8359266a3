{ device ? "/dev/none", size ? "100%" }:
{ lib, ... }:
{
  disko.devices.disk.main = {
    inherit device;
    type = "disk";
    content = {
      type = "gpt";
      partitions = lib.listToAttrs (lib.imap1 (index: mountpoint: lib.nameValuePair "part${toString index}" {
        inherit size;
        content = { type = "filesystem"; format = "ext4"; inherit mountpoint; };
      }) [ "/" "/data" ]);
    };
  };
}
