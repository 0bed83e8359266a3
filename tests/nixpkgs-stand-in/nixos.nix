# NixOS as far as tests of the module and of fragments go: the options that these read and set, declared
# with the types and defaults of NixOS 26.11, and nothing made of them. Each group names the file of nixpkgs' `nixos/modules` that declares it.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  flag = option types.bool;
  service.options.enable = flag false;
in
{
  # What these declare, fragments and our module set. Each stands where NixOS has it, and NixOS's own takes its place
  # where NIXOS_MODULES names nixpkgs' folder `nixos/modules`, or one with some of its files.
  imports =
    let
      folder = builtins.getEnv "NIXOS_MODULES";
      real = file: /. + folder + "/${file}";
    in
    map
      (
        file: if folder != "" && builtins.pathExists (real file) then real file else ./modules + "/${file}"
      )
      [
        "config/sysctl.nix"
        "config/zram.nix"
        "hardware/block.nix"
        "misc/assertions.nix"
        "system/activation/pre-switch-check.nix"
      ];

  options = {
    # misc/meta.nix
    meta = option types.raw { };

    # system/activation/top-level.nix, system/build.nix
    system.checks = option (types.listOf types.package) [ ];
    system.build = option (types.submodule { freeformType = types.lazyAttrsOf types.raw; }) { };

    # tasks/network-interfaces.nix
    networking.hostName = option types.str "nixos";
    networking.hostId = option (types.nullOr types.str) null;

    # tasks/filesystems.nix
    fileSystems = mkOption {
      default = { };
      apply = lib.filterAttrs (_: mount: mount.enable);
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              enable = flag true;
              mountPoint = option types.str name;
              device = option (types.nullOr types.nonEmptyStr) null;
              fsType = mkOption { type = types.nonEmptyStr; };
              options = option (types.nonEmptyListOf types.nonEmptyStr) [ "defaults" ];
              neededForBoot = flag false;
            };
          }
        )
      );
    };

    # config/swap.nix
    swapDevices = option (types.listOf (
      types.submodule {
        options = {
          device = mkOption { type = types.nonEmptyStr; };
          priority = option (types.nullOr types.int) null;
          size = option (types.nullOr types.int) null;
          discardPolicy = option (types.nullOr (
            types.enum [
              "once"
              "pages"
              "both"
            ]
          )) null;
          options = option (types.listOf types.nonEmptyStr) [ "defaults" ];
          randomEncryption = option (types.coercedTo types.bool (enable: { inherit enable; }) (
            types.submodule {
              options = {
                enable = flag false;
                allowDiscards = flag false;
              };
            }
          )) false;
        };
      }
    )) [ ];

    boot = {
      # system/boot/luksroot.nix
      initrd.luks.devices = option (types.attrsOf (
        types.submodule {
          freeformType = types.attrsOf types.raw;
          options = {
            device = mkOption { type = types.str; };
            allowDiscards = flag false;
            bypassWorkqueues = flag false;
          };
        }
      )) { };
      # system/boot/kernel.nix
      initrd.kernelModules = option (types.listOf types.str) [ ];
      initrd.availableKernelModules = option (types.listOf types.str) [ ];
      # system/boot/stage-1.nix
      resumeDevice = option types.str "";
      # tasks/filesystems.nix
      supportedFilesystems = option (types.attrsOf types.bool) { };
      zfs.package = option types.package pkgs.zfs;
      # tasks/swraid.nix
      swraid.enable = flag false;
      swraid.mdadmConf = option types.lines "";
      # system/boot/kernel.nix
      kernelParams = option (types.listOf (
        types.strMatching ''([^"[:space:]]|"[^"]*")+''
        // {
          name = "kernelParam";
          description = "string, with spaces inside double quotes";
          descriptionClass = "noun";
        }
      )) [ ];
      kernelPackages = option types.raw { };
      # system/boot/modprobe.nix
      extraModprobeConfig = option types.lines "";
      # system/boot/loader
      loader.systemd-boot.enable = flag false;
      loader.grub.efiSupport = flag false;
      loader.grub.devices = option (types.listOf types.str) [ ];
    };

    # config/users-groups.nix
    users.users = option (types.attrsOf types.anything) { };
    users.groups = option (types.attrsOf types.anything) { };

    # system/boot/systemd.nix, system/boot/systemd/tmpfiles.nix
    systemd.services = option (types.attrsOf types.anything) { };
    systemd.timers = option (types.attrsOf types.anything) { };
    systemd.tmpfiles.settings = option (types.attrsOf types.anything) { };

    # config/nix.nix, config/power-management.nix, config/system-environment.nix, programs/
    nix.settings = option (types.attrsOf types.anything) { };
    powerManagement.cpuFreqGovernor = option (types.nullOr types.str) null;
    environment.etc = option (types.attrsOf (
      types.submodule (
        { name, config, ... }:
        {
          freeformType = types.attrsOf types.anything;
          options.text = option (types.nullOr types.lines) null;
          options.source = option types.path (pkgs.writeText (baseNameOf name) config.text);
        }
      )
    )) { };
    programs.sway.enable = flag false;

    hardware = {
      # hardware/facter/default.nix
      facter.reportPath = option (types.nullOr types.path) null;
      facter.report = option (types.attrsOf types.anything) { };
    };

    # The modules of the services.
    services = {
      btrbk.instances = option (types.attrsOf types.raw) { };
      fstrim = {
        enable = flag true;
      };
      mysql = service.options // {
        dataDir = option types.path "/var/lib/mysql";
      };
      postgresql = service.options // {
        dataDir = option types.path "/var/lib/postgresql/18";
      };
      redis.servers = option (types.attrsOf (types.submodule service)) { };
      samba = service.options;
      snapper.configs = option (types.attrsOf types.raw) { };
      udev.extraRules = option types.lines "";
      udev.packages = option (types.listOf types.path) [ ];
      xserver.enable = flag false;
      zfs.trim.enable = flag true;
      # services/system/zram-generator.nix
      zram-generator.enable = flag false;
      zram-generator.settings = option (types.attrsOf types.anything) { };
    };
    virtualisation.libvirtd.enable = flag false;
    virtualisation.docker.enable = flag false;
  };

  # system/activation/top-level.nix: a derivation that depends on whatever is set, and in `passedChecks` on
  # the checks.
  config.system.build.toplevel =
    pkgs.runCommand "nixos-system-${config.networking.hostName}"
      {
        configuration = builtins.toJSON {
          inherit (config)
            boot
            environment
            fileSystems
            hardware
            nix
            powerManagement
            programs
            services
            swapDevices
            systemd
            users
            ;
          virtualisation = { inherit (config.virtualisation) docker libvirtd; };
          # NixOS's own module has options that were removed beside these, which cannot be read.
          zramSwap = { inherit (config.zramSwap) enable memoryPercent priority; };
          inherit (config.system) preSwitchChecks;
        };
        passedChecks = lib.concatStringsSep " " config.system.checks;
      }
      ''
        mkdir -p "$out/bin"
        echo "$configuration" >"$out/configuration.json"
        # By this file deployment tools know a system.
        install -m 755 /bin/true "$out/bin/switch-to-configuration"
      '';
}
