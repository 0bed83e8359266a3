//! Files kept in the repository, against what would be generated today.

use std::path::{Path, PathBuf};

use crate::fragments;
use crate::machine;
use crate::module::{Hosts, LAPTOP};

/// The page of a rule whose first example leads to a fragment.
const PAGE: &str = include_str!("../../../rules/src/memory/zram.md");

/// A host that is given the first example on the page, with what follows.
fn host(folder: &Path, more: &str) -> String {
    let example = fragments::examples(PAGE).into_iter().next().unwrap();
    assert!(
        fragments::case(folder, &example),
        "the example leads to no fragment"
    );
    let facts: Vec<String> = example
        .files
        .iter()
        .filter(|(name, _)| name != "disko.nix")
        .map(|(name, _)| folder.join(name).display().to_string())
        .collect();
    format!(
        "{}/disko.nix {{ disko.advise = {{ enable = true; failOn = \"never\"; facts = [ {} ]; {more} }}; }}",
        folder.display(),
        facts.join(" ")
    )
}

/// A folder for a case, and in it the fragment as the host itself generates it.
fn generated(hosts: &Hosts, folder: &Path) -> PathBuf {
    let built = hosts
        .build(&host(folder, ""), "host.config.disko.advise.tuning.generated")
        .good();
    machine::output(&built)
}

#[test]
fn the_fragment_is_generated_as_the_program_prints_it() {
    for hosts in Hosts::each("the_fragment_is_generated_as_the_program_prints_it") {
        let folder = tempfile::tempdir().unwrap();
        let built = generated(&hosts, folder.path());
        let ours = std::fs::read_to_string(folder.path().join("tuning.nix")).unwrap();
        assert_eq!(std::fs::read_to_string(built).unwrap(), ours);
    }
}

/// The check passes on what was generated also where it is in force, and fails with the difference
/// once it is another.
#[test]
fn a_stale_fragment_is_refused() {
    for hosts in Hosts::each("a_stale_fragment_is_refused") {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("committed.nix");
        std::fs::copy(generated(&hosts, folder.path()), &file).unwrap();
        let settings = format!(
            "check.stale = true; tuning.enable = true; tuning.file = {};",
            file.display()
        );
        let modules = host(folder.path(), &settings);
        let in_force = hosts.json(&modules, "host.config.zramSwap.enable");
        assert_eq!(in_force, true);
        let stale = "builtins.elemAt host.config.system.checks 1";
        hosts.build(&modules, stale).good();

        // As well where the file is imported like any other.
        let by_hand = format!("check.stale = true; tuning.file = {};", file.display());
        let by_hand = format!("{} {}", host(folder.path(), &by_hand), file.display());
        assert_eq!(hosts.json(&by_hand, "host.config.zramSwap.enable"), true);
        hosts.build(&by_hand, stale).good();

        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, text.replace("mkOverride 900 true", "mkOverride 900 false")).unwrap();
        let run = hosts.build(&modules, stale);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        for line in [
            "-  zramSwap.enable = lib.mkOverride 900 false;",
            "+  zramSwap.enable = lib.mkOverride 900 true;",
            "disko.advise.tuning.file is not what would be generated today",
        ] {
            assert!(run.stderr.contains(line), "no `{line}` in\n{}", run.stderr);
        }
    }
}

/// The findings of a report in the repository are warnings of the evaluation, and it must be current.
#[test]
fn a_committed_report_is_told_and_held_to() {
    for hosts in Hosts::each("a_committed_report_is_told_and_held_to") {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let quiet = format!("{LAPTOP} {{ disko.advise.facts = [ ]; }}");
        let built = hosts.build(&quiet, "host.config.disko.advise.report").good();
        std::fs::copy(machine::output(&built), &file).unwrap();
        let modules = format!(
            "{quiet} {{ disko.advise.check.stale = true; disko.advise.committedReport = {}; }}",
            file.display()
        );
        let warnings = hosts.json(&modules, "host.config.warnings");
        expect_test::expect![[r#"["disko-advise: warning[btrfs-compress-missing-on-root]: compression is off on the whole filesystem: / is mounted first and does not ask for it"]"#]]
            .assert_eq(&warnings.to_string());
        let stale = "builtins.elemAt host.config.system.checks 1";
        hosts.build(&modules, stale).good();
        let mended = format!("{modules} {}", crate::module::MENDED);
        let run = hosts.build(&mended, stale);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(
            run.stderr
                .contains("disko.advise.committedReport is not what would be generated today"),
            "{}",
            run.stderr
        );
    }
}

/// There is nothing to be stale without a file, which is no state to pass over in silence.
#[test]
fn nothing_to_hold_is_an_error() {
    for hosts in Hosts::each("nothing_to_hold_is_an_error") {
        let failed = |settings: &str| {
            hosts.json(
                &format!("{LAPTOP} {{ disko.advise = {{ {settings} }}; }}"),
                "map (it: it.message) (builtins.filter (it: !it.assertion) host.config.assertions)",
            )
        };
        expect_test::expect![[r#"["disko.advise.check.stale: neither disko.advise.tuning.file nor disko.advise.committedReport is set, so nothing can be stale"]"#]]
            .assert_eq(&failed("check.stale = true;").to_string());
        expect_test::expect![[r#"["disko.advise.tuning.enable: set disko.advise.tuning.file to what `disko-advise tuning` printed"]"#]]
            .assert_eq(&failed("tuning.enable = true;").to_string());
    }
}
