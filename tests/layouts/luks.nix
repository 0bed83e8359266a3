# LUKS: settings go into the initrd's entry and win over disko's device, `initrdUnlock = false`
# leaves it out, and a partition table may lie in it.
{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/nvme0n1";
    content = {
      type = "gpt";
      partitions = {
        root = {
          size = "50%";
          content = {
            type = "luks";
            name = "crypted";
            passwordFile = "/tmp/secret.key";
            additionalKeyFiles = [ "/tmp/additional.key" ];
            extraFormatArgs = [ "--pbkdf argon2id" ];
            extraOpenArgs = [ "--timeout 10" ];
            settings = {
              allowDiscards = true;
              bypassWorkqueues = true;
              crypttabExtraOpts = [
                "fido2-device=auto"
                "token-timeout=10"
              ];
              keyFileSize = 2048;
            };
            content = {
              type = "btrfs";
              mountpoint = "/";
              mountOptions = [
                "compress=zstd"
                "noatime"
              ];
            };
          };
        };
        data = {
          size = "10G";
          content = {
            type = "luks";
            name = "data";
            initrdUnlock = false;
            content = {
              type = "gpt";
              partitions.inner = {
                size = "100%";
                content = {
                  type = "luks";
                  name = "inner";
                  settings.device = "/dev/disk/by-uuid/0d6ed4d8-b1ee-4b5f-9ef0-7d0b1a4a8f0c";
                  content = {
                    type = "filesystem";
                    format = "xfs";
                    mountpoint = "/data";
                  };
                };
              };
            };
          };
        };
        empty = {
          size = "1G";
          content = {
            type = "luks";
            name = "empty";
            device = "/dev/nvme0n1p7";
          };
        };
      };
    };
  };
}
