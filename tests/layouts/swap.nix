# Swap partitions with everything that can be set on them, and one on a whole disk.
{
  disko.devices.disk = {
    main = {
      device = "/dev/vda";
      content = {
        type = "gpt";
        partitions = {
          encrypted = {
            size = "10M";
            content = {
              type = "swap";
              randomEncryption = true;
              priority = 100;
            };
          };
          encrypted-discard = {
            size = "10M";
            content = {
              type = "swap";
              randomEncryption = true;
              discardPolicy = "pages";
            };
          };
          plain = {
            size = "100%";
            content = {
              type = "swap";
              discardPolicy = "both";
              resumeDevice = true;
              extraArgs = [ "-L swap" ];
              mountOptions = [
                "defaults"
                "nofail"
              ];
            };
          };
        };
      };
    };
    whole = {
      device = "/dev/vdb";
      content = {
        type = "swap";
        priority = 0;
      };
    };
  };
}
