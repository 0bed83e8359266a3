# The NixOS module's service that gathers a bundle of facts on the running machine, now and then.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.disko.advise.collect;
  capabilities = [
    "CAP_SYS_ADMIN"
    "CAP_SYS_RAWIO"
    "CAP_SYSLOG"
    "CAP_DAC_READ_SEARCH"
  ];
in
{
  _class = "nixos";
  _file = ./collect.nix;
  key = toString ./collect.nix;

  options.disko.advise.collect = {
    enable = lib.mkEnableOption "" // {
      description = ''
        Whether a service gathers now and then, read-only, what this machine says of its storage, into a
        bundle that {option}`disko.advise.facts` and `--facts` take.

        It runs as a user of its own, who may write to {option}`disko.advise.collect.directory` only, with
        four of root's capabilities: `CAP_SYS_ADMIN` (what btrfs, ZFS and dm-crypt are asked by ioctl),
        `CAP_SYS_RAWIO` (SMART data of ATA disks), `CAP_SYSLOG` (the kernel's log, for errors of disks) and
        `CAP_DAC_READ_SEARCH` (block devices, and folders of services that only these may read).
        Block devices can be opened for reading only, of other devices just those of NVMe, ZFS, btrfs, the
        device mapper and the kernel's log.
        It has no network, and gets the processor and the disks only when nothing else wants them.

        Nothing of it makes a mount namespace (`ProtectSystem`, `PrivateTmp` and the like): inside one,
        every mount looks read-only and new ones appear, so that the facts would be false.
      '';
    };

    interval = mkOption {
      type = types.nonEmptyStr;
      default = "daily";
      example = "Mon *-*-* 04:00:00";
      description = "When it runs, as `OnCalendar` of {manpage}`systemd.timer(5)`.";
    };

    directory = mkOption {
      type = types.strMatching "/.*[^/]";
      default = "/var/lib/disko-advise";
      example = "/srv/facts";
      description = ''
        Where the bundles go: `bundle` is the last one, `previous` the one before.
        Made, for the user `disko-advise` alone, if it is not there.
      '';
    };

    duration = mkOption {
      type = types.strMatching "[0-9]+(s|min|h)";
      default = "60s";
      example = "10min";
      description = "How long it watches the load of the machine.";
    };

    packages = mkOption {
      type = types.listOf types.package;
      default = [
        pkgs.util-linux
        pkgs.smartmontools
        pkgs.nvme-cli
        pkgs.sysstat
      ]
      ++ lib.optional (config.boot.supportedFilesystems.btrfs or false) pkgs.btrfs-progs
      ++ lib.optional (config.boot.supportedFilesystems.zfs or false) config.boot.zfs.package
      ++ lib.optional (config.boot.initrd.luks.devices != { }) pkgs.cryptsetup;
      defaultText = literalExpression ''
        [ pkgs.util-linux pkgs.smartmontools pkgs.nvme-cli pkgs.sysstat ]
        ++ what belongs to the file systems and the encryption of this machine
      '';
      example = literalExpression "[ pkgs.util-linux pkgs.btrfs-progs ]";
      description = "The tools that are asked. One that is missing is noted in the bundle.";
    };
  };

  config = lib.mkIf cfg.enable {
    users.users.disko-advise = {
      isSystemUser = true;
      group = "disko-advise";
    };
    users.groups.disko-advise = { };

    # `cryptsetup status` opens this node for writing. What may then be asked of it takes CAP_SYS_ADMIN,
    # so belonging to the group is worth nothing by itself.
    services.udev.extraRules = ''
      KERNEL=="device-mapper", GROUP="disko-advise", MODE="0660"
    '';

    systemd.tmpfiles.settings.disko-advise.${cfg.directory}.d = {
      mode = "0700";
      user = "disko-advise";
      group = "disko-advise";
    };

    systemd.services.disko-advise-collect = {
      description = "Gather what this machine says of its storage";
      documentation = [ "man:disko-advise-collect(1)" ];
      after = [ "local-fs.target" ];
      path = cfg.packages;
      # The old bundle stays until the new one is whole.
      script = ''
        rm -rf new
        ${config.disko.advise.package}/bin/disko-advise collect -o new --duration ${cfg.duration}
        if [ -e bundle ]; then
          rm -rf previous
          mv bundle previous
        fi
        mv new bundle
      '';
      serviceConfig = {
        Type = "oneshot";
        WorkingDirectory = cfg.directory;
        UMask = "0077";

        # It waits for everyone else, and cannot fill the memory.
        Nice = 19;
        CPUSchedulingPolicy = "batch";
        IOSchedulingClass = "idle";
        MemoryMax = "1G";
        TasksMax = 64;

        # What each capability is for stands in the description of `enable`.
        User = "disko-advise";
        Group = "disko-advise";
        CapabilityBoundingSet = capabilities;
        AmbientCapabilities = capabilities;
        NoNewPrivileges = true;
        RestrictSUIDSGID = true;
        RemoveIPC = true;
        KeyringMode = "private";

        # The disks are read, never written. `zfs` and `cryptsetup` open their control nodes for writing
        # to ask anything at all.
        DevicePolicy = "closed";
        DeviceAllow = [
          "block-* r"
          "char-nvme r"
          "char-nvme-generic r"
          "/dev/btrfs-control r"
          "/dev/kmsg r"
          "/dev/mapper/control rw"
          "/dev/zfs rw"
        ];

        # What is asked of systemd goes through a socket in the file system. `PrivateNetwork` would make
        # a mount namespace.
        IPAddressDeny = "any";
        RestrictAddressFamilies = [ "AF_UNIX" ];

        # The rest of the kernel.
        ProtectClock = true;
        ProtectHostname = true;
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        RestrictNamespaces = true;
        RestrictRealtime = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
          "syslog"
        ];
        SystemCallErrorNumber = "EPERM";
      };
    };

    systemd.timers.disko-advise-collect = {
      description = "Gather what this machine says of its storage";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = cfg.interval;
        # Machines of a fleet do not all start at once, and one that was off catches up.
        RandomizedDelaySec = "30m";
        Persistent = true;
      };
    };
  };
}
