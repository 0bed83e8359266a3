//! The NixOS module beside the real disko, in the real module system.

use std::path::PathBuf;
use std::process::Command;

use expect_test::expect;

use crate::machine::{self, Machine, Run};

/// Hosts with the real disko.
pub(crate) struct Hosts {
    pub(crate) nix: &'static Machine,
    pub(crate) disko: PathBuf,
}

impl Hosts {
    /// Every Nix with the source trees; if they are not there, says loudly that the test did not run.
    pub(crate) fn each(test: &str) -> impl Iterator<Item = Self> {
        Machine::each(test).filter_map(move |nix| {
            let disko = nix.trees(test)?;
            Some(Self { nix, disko })
        })
    }

    /// An expression that has `pkgs`, `disko` and the `host` of these modules in scope.
    fn expression(&self, modules: &str, body: &str) -> String {
        format!(
            "let pkgs = (builtins.getFlake \"path:${{toString ./tests/nixpkgs-stand-in}}\")\
             .legacyPackages.${{builtins.currentSystem}}; \
             disko = \"{}\"; \
             host = import ./tests/nix/host.nix {{ inherit pkgs disko; modules = [ {modules} ]; }}; \
             advise = import ./nix/lib.nix; in {body}",
            self.disko.display()
        )
    }

    /// Builds what `body` is; a derivation that the module names must not need another to be built
    /// before it can be evaluated.
    pub(crate) fn build(&self, modules: &str, body: &str) -> Run {
        let expression = self.expression(modules, body);
        let args = [
            "build",
            "--no-link",
            "--json",
            "--print-build-logs",
            "--impure",
            "--option",
            "allow-import-from-derivation",
            "false",
            "--expr",
            &expression,
        ];
        self.nix.nix(&args)
    }

    /// The strict JSON of what `body` is.
    #[track_caller]
    pub(crate) fn json(&self, modules: &str, body: &str) -> serde_json::Value {
        let expression = self.expression(modules, body);
        let printed = self
            .nix
            .nix(&["eval", "--json", "--impure", "--expr", &expression])
            .good();
        serde_json::from_str(&printed).unwrap()
    }

    #[track_caller]
    pub(crate) fn check(&self, modules: &str) -> Run {
        self.build(modules, "builtins.head host.config.system.checks")
    }
}

/// The laptop of the examples, whose compression has no effect.
pub(crate) const LAPTOP: &str =
    "./examples/laptop/disko.nix { disko.advise.enable = true; networking.hostName = \"laptop\"; }";

/// Puts the compression where it counts.
pub(crate) const MENDED: &str = "{ disko.devices.disk.main.content.partitions.nixos.content.subvolumes.\"/rootfs\"\
    .mountOptions = [ \"compress=zstd\" ]; }";

#[test]
fn a_wrong_layout_is_not_built() {
    for hosts in Hosts::each("a_wrong_layout_is_not_built") {
        let run = hosts.check(LAPTOP);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        for line in [
            "warning[btrfs-compress-missing-on-root]: compression is off on the whole filesystem",
            "--> laptop.json:",
            "the disk layout of laptop does not pass: warning[btrfs-compress-missing-on-root]\n",
        ] {
            assert!(run.stderr.contains(line), "no `{line}` in\n{}", run.stderr);
        }
    }
}

#[test]
fn a_mended_layout_is_built() {
    for hosts in Hosts::each("a_mended_layout_is_built") {
        hosts.check(&format!("{LAPTOP} {MENDED}")).good();
    }
}

#[test]
fn a_finding_can_be_let_stand() {
    for hosts in Hosts::each("a_finding_can_be_let_stand") {
        for settings in [
            "{ disko.advise.ignore.btrfs-compress-missing-on-root.reason = \"as it is on its \\\"sister\\\"\"; }",
            "{ disko.advise.failOn = \"error\"; }",
        ] {
            hosts.check(&format!("{LAPTOP} {settings}")).good();
        }
        // A rule that is none is not passed over in silence.
        let run = hosts.check(&format!(
            "{LAPTOP} {{ disko.advise.ignore.btrfs-compres.reason = \"x\"; }}"
        ));
        assert_eq!(run.status, Some(1));
        assert!(
            run.stderr.contains("no rule is called btrfs-compres")
                && run.stderr.contains("could not be judged"),
            "{}",
            run.stderr
        );
        // Neither is one without a reason.
        let run = hosts.check(&format!(
            "{LAPTOP} {{ disko.advise.ignore.btrfs-noatime.reason = \"\"; }}"
        ));
        assert!(
            run.stderr.contains("disko.advise.ignore.btrfs-noatime.reason"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn without_enable_nothing_is_checked() {
    for hosts in Hosts::each("without_enable_nothing_is_checked") {
        let checks = hosts.json("./examples/laptop/disko.nix", "host.config.system.checks");
        assert_eq!(checks, serde_json::json!([]));
    }
}

#[test]
fn facts_of_the_host_are_judged_too() {
    for hosts in Hosts::each("facts_of_the_host_are_judged_too") {
        let facts = "{ disko.advise.facts = [ ./examples/laptop/facts ]; }";
        let run = hosts.check(&format!("{LAPTOP} {MENDED} {facts}"));
        assert_eq!(run.status, Some(1));
        assert!(
            run.stderr.contains("warning[btrfs-enospc-unallocated]"),
            "{}",
            run.stderr
        );

        // By default they are those of NixOS's own facter module.
        let facter = "{ hardware.facter.reportPath = ./examples/laptop/facts/facter.json; }";
        let paths = hosts.json(
            &format!("{LAPTOP} {facter}"),
            "map baseNameOf host.config.disko.advise.facts",
        );
        assert_eq!(paths, serde_json::json!(["facter.json"]));
        let without = hosts.json(LAPTOP, "host.config.disko.advise.facts");
        assert_eq!(without, serde_json::json!([]));
    }
}

#[test]
fn the_report_is_there_for_other_programs() {
    for hosts in Hosts::each("the_report_is_there_for_other_programs") {
        let path = machine::output(&hosts.build(LAPTOP, "host.config.disko.advise.report").good());
        let text = std::fs::read_to_string(path).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rule = report.pointer("/findings/0/rule").unwrap();
        assert_eq!(rule, "btrfs-compress-missing-on-root");
    }
}

#[test]
fn workloads_are_found_and_can_be_named() {
    for hosts in Hosts::each("workloads_are_found_and_can_be_named") {
        let services = "{ services.postgresql.enable = true; services.postgresql.dataDir = \"/data/pg\"; \
        virtualisation.docker.enable = true; services.redis.servers.a.enable = true; }";
        let found = hosts.json(
            &format!("{LAPTOP} {services}"),
            "host.config.disko.advise.workloads",
        );
        expect![[r#"{"docker":"/var/lib/docker","postgresql":"/data/pg","redis":"/var/lib/redis-a"}"#]]
            .assert_eq(&found.to_string());
        let named = "{ disko.advise.workloads = { desktop = null; mail = \"/var/mail\"; }; }";
        let found = hosts.json(
            &format!("{LAPTOP} {services} {named}"),
            "host.config.disko.advise.workloads",
        );
        expect![[r#"{"desktop":null,"mail":"/var/mail"}"#]].assert_eq(&found.to_string());
        hosts
            .check(&format!("{LAPTOP} {MENDED} {services} {named}"))
            .good();
    }
}

#[test]
fn a_host_without_disko_is_judged_by_its_file_systems() {
    for hosts in Hosts::each("a_host_without_disko_is_judged_by_its_file_systems") {
        let root = "{ disko.advise.enable = true; fileSystems.\"/\" = { device = \"/dev/disk/by-label/nixos\"; \
        fsType = \"btrfs\"; options = [ \"subvol=root\" ]; }; }";
        let home = "{ fileSystems.\"/home\" = { device = \"/dev/disk/by-label/nixos\"; fsType = \"btrfs\"; \
        options = [ \"subvol=home\" \"compress=zstd\" ]; }; }";
        hosts.check(root).good();
        let run = hosts.check(&format!("{root} {home}"));
        assert_eq!(run.status, Some(1));
        assert!(
            run.stderr.contains("warning[btrfs-compress-missing-on-root]"),
            "{}",
            run.stderr
        );
    }
}

/// What somebody adds to a mount of disko is handed over beside the layout, and only that.
#[test]
fn what_others_add_to_a_mount_is_told() {
    for hosts in Hosts::each("what_others_add_to_a_mount_is_told") {
        let added = "{ fileSystems.\"/\".options = [ \"x-initrd.mount\" \"noatime\" ]; \
        fileSystems.\"/mnt\" = { device = \"/dev/sdb1\"; fsType = \"ext4\"; }; }";
        let told = hosts.json(
            &format!("{LAPTOP} {added}"),
            "(advise.hostFacts { inherit (host) config options; }).configuration.fileSystems",
        );
        expect![[r#"{"/":{"options":["noatime"]},"/mnt":{"device":"/dev/sdb1","fsType":"ext4","neededForBoot":false,"options":["defaults"]}}"#]].assert_eq(&told.to_string());
    }
}

/// The layout that the module hands over gives NixOS exactly what disko gives it: all of disko's own
/// examples.
#[test]
fn the_layout_is_handed_over_exactly() {
    for hosts in Hosts::each("the_layout_is_handed_over_exactly") {
        let all = hosts.json("", "import ./tests/nix/layouts.nix { inherit pkgs disko; }");
        let folder = tempfile::tempdir().unwrap();
        let mut mounts = 0;
        for (name, host) in all.as_object().unwrap() {
            let file = folder.path().join("host.json");
            std::fs::write(&file, host["configuration"].to_string()).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_disko-advise"))
                .args(["layout", "--format", "json"])
                .arg(&file)
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{name}: {errors}");
            assert_eq!(errors, "", "{name}");
            let ours: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let mut ours_mounts = ours["fileSystems"].clone();
            for mount in ours_mounts.as_object_mut().unwrap().values_mut() {
                mount.as_object_mut().unwrap().remove("neededForBoot");
            }
            assert_eq!(ours_mounts, host["fileSystems"], "{name}");
            assert_eq!(ours["swapDevices"], host["swapDevices"], "{name}");
            let luks: Vec<_> = ours["luks"].as_object().unwrap().keys().collect();
            assert_eq!(serde_json::json!(luks), host["luks"], "{name}");
            mounts += ours_mounts.as_object().unwrap().len();
        }
        assert!(mounts > 100, "only {mounts} mounts were compared");
    }
}

/// A host with nothing to say is the same derivation, but for the check.
#[test]
fn the_system_is_the_same_but_for_the_check() {
    for hosts in Hosts::each("the_system_is_the_same_but_for_the_check") {
        let same =
            "import ./tests/nix/same.nix { inherit pkgs disko; modules = [ ./examples/laptop/disko.nix ]; }";
        let told = hosts.json("", same);
        expect![[r#"{"enabled":["passedChecks"],"imported":[],"unused":[]}"#]].assert_eq(&told.to_string());
    }
}

#[test]
fn what_can_be_said_without_building_is_a_warning() {
    for hosts in Hosts::each("what_can_be_said_without_building_is_a_warning") {
        let warnings = |modules: &str| {
            let said = hosts.json(modules, "host.config.warnings");
            let said: Vec<String> = serde_json::from_value(said).unwrap();
            said.join("\n")
        };
        let quiet = "{ disko.advise.facts = [ ]; }";
        assert_eq!(warnings(&format!("{LAPTOP} {quiet}")), "");
        assert_eq!(
            warnings("./examples/laptop/disko.nix"),
            "",
            "without enable, nothing is said"
        );
        let facts = "{ disko.advise.facts = [ ./examples/laptop/facts ]; }";
        assert_eq!(warnings(&format!("{LAPTOP} {facts}")), "");
        expect![[
            "disko.advise.facts is empty, so only the layout is judged and most rules stay undecided; \
             name a facter.json or a bundle of `disko-advise collect`, or set it to [ ] if that is meant"
        ]]
        .assert_eq(&warnings(LAPTOP));
        let ignore = "{ disko.advise.ignore.btrfs-compres.reason = \"x\"; \
                      disko.advise.ignore.btrfs-noatime.reason = \"y\"; }";
        expect!["disko.advise.ignore.btrfs-compres: no rule is called btrfs-compres"]
            .assert_eq(&warnings(&format!("{LAPTOP} {quiet} {ignore}")));
        let container = "{ disko.advise.enable = true; }";
        expect![[
            "disko.advise.enable: there is neither a disko layout nor a file system here, so nothing is checked"
        ]]
        .assert_eq(&warnings(container));
        let checks = hosts.json(container, "host.config.system.checks");
        assert_eq!(checks, serde_json::json!([]));
    }
}

/// Reasons that say nothing are refused, also those of blanks.
#[test]
fn a_reason_is_not_blank() {
    for hosts in Hosts::each("a_reason_is_not_blank") {
        let run = hosts.check(&format!(
            "{LAPTOP} {{ disko.advise.ignore.btrfs-noatime.reason = \"  \"; }}"
        ));
        assert_eq!(run.status, Some(1));
        assert!(run.stderr.contains("text that is not blank"), "{}", run.stderr);
    }
}

/// Without `disko.enableConfig` disko mounts nothing, so its options are nobody's.
#[test]
fn a_layout_that_only_formats_does_not_count() {
    for hosts in Hosts::each("a_layout_that_only_formats_does_not_count") {
        let own = "{ disko.enableConfig = false; fileSystems.\"/\" = { device = \"/dev/vda\"; fsType = \"ext4\"; }; }";
        let told = hosts.json(
            &format!("{LAPTOP} {own}"),
            "(advise.hostFacts { inherit (host) config options; }).configuration",
        );
        assert_eq!(told.get("disko"), None);
        let mounts: Vec<_> = told["fileSystems"].as_object().unwrap().keys().collect();
        assert_eq!(mounts, ["/"]);
        hosts.check(&format!("{LAPTOP} {own}")).good();
    }
}

/// What somebody forces on a mount of disko, or takes away whole, is told as it turned out.
#[test]
fn what_is_forced_on_a_mount_is_told() {
    for hosts in Hosts::each("what_is_forced_on_a_mount_is_told") {
        let forced = "({ lib, ... }: { \
            fileSystems.\"/nix\".options = lib.mkForce [ \"subvol=/nix\" \"noatime\" \"x-initrd.mount\" ]; \
            fileSystems.\"/home\".enable = false; })";
        let modules = format!("{LAPTOP} {forced}");
        let told = hosts.json(
            &modules,
            "(advise.hostFacts { inherit (host) config options; }).configuration",
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host.json");
        std::fs::write(&file, told.to_string()).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_disko-advise"))
            .args(["layout", "--format", "json"])
            .arg(&file)
            .output()
            .unwrap();
        let ours: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let wanted = hosts.json(
            &modules,
            "builtins.mapAttrs (_: mount: builtins.sort builtins.lessThan mount.options) host.config.fileSystems",
        );
        let ours: std::collections::BTreeMap<_, _> = ours["fileSystems"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(mountpoint, mount)| {
                let mut options: Vec<_> = mount["options"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|option| option.as_str().unwrap())
                    .filter(|option| *option != "x-initrd.mount")
                    .collect();
                options.sort_unstable();
                (mountpoint.clone(), options.join(","))
            })
            .collect();
        let wanted: std::collections::BTreeMap<_, _> = wanted
            .as_object()
            .unwrap()
            .iter()
            .map(|(mountpoint, options)| {
                let options: Vec<_> = options
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|option| option.as_str().unwrap())
                    .filter(|option| *option != "x-initrd.mount")
                    .collect();
                (mountpoint.clone(), options.join(","))
            })
            .collect();
        assert_eq!(ours, wanted);
        assert!(!wanted.contains_key("/home"));
        assert_eq!(wanted["/nix"], "noatime,subvol=/nix");
    }
}

/// What a service's module says of its folder is what is told; what it does not say is `null`, and an
/// option that was removed (NixOS then throws where it is read) is passed over.
#[test]
fn workloads_have_the_folder_that_their_service_names() {
    const CONFIG: &str = r##"{
        services = {
          nfs.server = { enable = true; exports = "# exports\n/export/home 10.0.0.0/8(rw)\n/export/x *(ro)"; };
          samba = { enable = true; settings = { global.workgroup = "X"; films.path = "/tank/films"; }; };
          minio = { enable = true; dataDir = [ "/data/a" "/data/b" ]; };
          prometheus = { enable = true; stateDir = "prometheus2"; };
          litestream = { enable = true; settings.dbs = [ { path = "/var/lib/app/app.db"; } ]; };
          redis.servers = { "".enable = true; cache.enable = false; };
          mongodb = { enable = true; };
          gitea = throw "removed";
          forgejo.enable = throw "removed";
          jellyfin = { enable = true; dataDir = throw "removed"; };
          mysql.enable = false;
        };
        virtualisation.docker = { enable = true; daemon.settings.data-root = "/tank/docker"; };
    }"##;
    for nix in Machine::each("workloads_have_the_folder_that_their_service_names") {
        let expression = format!("((import ./nix/lib.nix).hostFacts {{ config = {CONFIG}; }}).workloads");
        let found = nix
            .nix(&["eval", "--json", "--impure", "--expr", &expression])
            .good();
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        expect![[r#"
            {
              "docker": "/tank/docker",
              "jellyfin": null,
              "litestream": "/var/lib/app",
              "minio": "/data/a",
              "mongodb": null,
              "nfs": "/export/home",
              "prometheus": "/var/lib/prometheus2",
              "redis": "/var/lib/redis",
              "samba": "/tank/films"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&found).unwrap());
    }
}
