//! Many hosts: a derivation each, and their summary; also by way of flake-parts.

use std::path::PathBuf;

use crate::machine::{self, Machine, Run, copy_folder};
use crate::module::{Hosts, LAPTOP, MENDED};

#[test]
fn each_host_is_a_derivation_of_its_own() {
    for hosts in Hosts::each("each_host_is_a_derivation_of_its_own") {
        let judged = hosts.json("", "import ./tests/nix/fleet.nix { inherit pkgs disko; }");
        expect_test::expect![[r#"
            {
              "changed": [
                "first"
              ],
              "fromFacts": true,
              "names": [
                "first",
                "fleet",
                "second"
              ],
              "needed": [
                "first",
                "second"
              ],
              "reserved": false
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&judged).unwrap());
    }
}

fn flake_parts(
    nix: &Machine,
    folder: &std::path::Path,
    test: &str,
    command: &[&str],
    output: &str,
) -> Option<Run> {
    let disko = nix.trees(test)?;
    let Some(parts) = std::env::var_os("FLAKE_PARTS").map(PathBuf::from) else {
        machine::not_run(test, "set FLAKE_PARTS to a source tree of flake-parts");
        return None;
    };
    let input = |path: &std::path::Path| format!("path:{}", path.display());
    let stand_in = input(&nix.repository.join("tests/nixpkgs-stand-in"));
    Some(nix.flake(
        command,
        &[
            "--override-input",
            "disko",
            &input(&disko),
            "--override-input",
            "disko-advise",
            &input(&nix.repository),
            "--override-input",
            "flake-parts",
            &input(&parts.canonicalize().unwrap()),
            "--override-input",
            "flake-parts/nixpkgs-lib",
            &stand_in,
            &format!("path:{}{output}", folder.display()),
        ],
    ))
}

#[test]
fn flake_parts_get_a_check_of_every_host() {
    const TEST: &str = "flake_parts_get_a_check_of_every_host";
    for nix in Machine::each(TEST) {
        // flake-parts asks inputs whether they are flakes in a way that older ones do not know.
        if nix.is_older_than("2.12") {
            machine::not_run(
                TEST,
                &format!("flake-parts needs Nix 2.12, this is {}", nix.version),
            );
            continue;
        }
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().canonicalize().unwrap().join("flake");
        copy_folder(&nix.repository.join("examples/flake-parts"), &folder).unwrap();
        let Some(shown) = flake_parts(
            nix,
            &folder,
            TEST,
            &["eval", "--json", "--apply", "builtins.attrNames"],
            "#checks.x86_64-linux",
        ) else {
            continue;
        };
        assert_eq!(
            shown.good().trim(),
            r#"["disko-advise-fleet","disko-advise-laptop"]"#
        );
        let build = || {
            flake_parts(
                nix,
                &folder,
                TEST,
                &["build", "--no-link", "--print-build-logs"],
                "#checks.x86_64-linux.disko-advise-laptop",
            )
            .unwrap()
        };
        build().good();
        let file = folder.join("laptop.nix");
        let right = std::fs::read_to_string(&file).unwrap();
        let wrong = right.replacen("[ \"noatime\" ]", "[ \"noatime\" \"nobarrier\" ]", 1);
        assert_ne!(right, wrong);
        std::fs::write(&file, wrong).unwrap();
        let run = build();
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(
            run.stderr.contains("error[xfs-removed-options]"),
            "{}",
            run.stderr
        );
    }
}

/// The summary is asked of the program once for people and once for programs, with the report of every
/// host and what was before.
#[test]
fn the_summary_is_given_every_report() {
    // It says how it was called, and what was there.
    const PACKAGE: &str = "pkgs.runCommand \"told\" { } ''
        mkdir -p $out/bin
        cat >$out/bin/disko-advise <<'END'
        #!/bin/bash
        if [ \"$1\" = fleet ]; then
          echo \"$@\" | sed 's, /.*,,'
          for report in reports/*; do
            [ -s \"$report\" ] && basename \"$report\"
          done
        else
          exec BINARY \"$@\"
        fi
        END
        chmod +x $out/bin/disko-advise
      ''";
    for hosts in Hosts::each("the_summary_is_given_every_report") {
        let package = PACKAGE.replace("BINARY", env!("CARGO_BIN_EXE_disko-advise"));
        let fleet = format!(
            "(advise.mkFleetCheck {{ inherit pkgs; package = {package}; last = ./nix/rules.json; hosts = {{ \
             facter = host; b = advise.hostFacts host; }}; }}).fleet"
        );
        let built = hosts.build("./examples/laptop/disko.nix", &fleet).good();
        let folder = machine::output(&built);
        let text = std::fs::read_to_string(folder.join("fleet.text")).unwrap();
        expect_test::expect![[r#"
            fleet reports --fail-on never --format text --last
            b.report.json
            facter.report.json
        "#]]
        .assert_eq(&text);
        let json = std::fs::read_to_string(folder.join("fleet.json")).unwrap();
        assert!(
            json.starts_with("fleet reports --fail-on never --format json --last"),
            "{json}"
        );
    }
}

/// A container among the hosts passes, and the summary is of the others. Its log is no place for a bar.
#[test]
fn a_host_without_disks_is_left_out() {
    for hosts in Hosts::each("a_host_without_disks_is_left_out") {
        let built = |output: &str| {
            let fleet = format!(
                "(advise.mkFleetCheck {{ inherit pkgs; hosts = {{ laptop = host; container = import \
                 ./tests/nix/host.nix {{ inherit pkgs disko; modules = [ {{ disko.advise.enable = true; }} ]; }}; \
                 }}; }}).{output}"
            );
            hosts.build(LAPTOP, &fleet)
        };
        let passed = machine::output(&built("container").good());
        expect_test::expect![[r#"
            container declares no disks: there is nothing to judge
        "#]]
        .assert_eq(&std::fs::read_to_string(passed).unwrap());
        let run = built("fleet");
        assert!(!run.stderr.contains('█'), "{}", run.stderr);
        let json = machine::output(&run.good()).join("fleet.json");
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let judged: Vec<_> = json["hosts"].as_object().unwrap().keys().collect();
        assert_eq!(judged, ["laptop"]);
    }
}

/// The summary as the program makes it, and the trend against an earlier one.
#[test]
fn the_summary_is_made_by_the_program() {
    for hosts in Hosts::each("the_summary_is_made_by_the_program") {
        let fleet = |more: &str, last: &str| {
            let fleet = format!(
                "(advise.mkFleetCheck {{ inherit pkgs; {last} hosts = {{ wrong = host; other = \
                 advise.hostFacts (import ./tests/nix/host.nix {{ inherit pkgs disko; modules = [ {LAPTOP} {more} ]; }}); \
                 }}; }}).fleet"
            );
            machine::output(&hosts.build(LAPTOP, &fleet).good())
        };
        let first = fleet("", "");
        let text = std::fs::read_to_string(first.join("fleet.text")).unwrap();
        assert!(text.contains("btrfs-compress-missing-on-root"), "{text}");
        let json = std::fs::read_to_string(first.join("fleet.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        expect_test::expect![[r#"{"other":{"findings":{"btrfs-compress-missing-on-root":1},"worst":"warning"},"wrong":{"findings":{"btrfs-compress-missing-on-root":1},"worst":"warning"}}"#]].assert_eq(&json["hosts"].to_string());
        let schema = std::process::Command::new(env!("CARGO_BIN_EXE_disko-advise"))
            .args(["schema", "fleet"])
            .output()
            .unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&json));

        let kept = tempfile::tempdir().unwrap();
        let last = kept.path().join("fleet.json");
        std::fs::copy(first.join("fleet.json"), &last).unwrap();
        let second = fleet(MENDED, &format!("last = {};", last.display()));
        let text = std::fs::read_to_string(second.join("fleet.text")).unwrap();
        expect_test::expect![[r#"
            2 hosts judged: 0 with errors, 1 with warnings, 0 with suggestions, 1 without findings

            findings
              warning  btrfs-compress-missing-on-root       1 host  (+0 -1)

            what would decide more
                   2  how full the chunks of disko.devices.disk.main.content.partitions.nixos.content are: `btrfs filesystem usage -b / > btrfs-usage.txt` as root
                   2  how long tasks wait for the disks: `cat /proc/pressure/io > psi-io` while it is slow
                   2  how much memory the machine has: a facter.json, or `cat /proc/meminfo > meminfo`
                   2  whether the devices of disko.devices.disk.main.content.partitions.nixos.content reported errors: `btrfs device stats / > btrfs-device-stats.txt` as root

            since the last run
              btrfs-compress-missing-on-root mended on 1 host: other
        "#]]
        .assert_eq(&text);
    }
}
