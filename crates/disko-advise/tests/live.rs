//! Layouts with the facts of the machines that they are for: what `facts` and `drift` say of them.
//!
//! `tests/live/README.md` says where each is from.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "reads the cases from the repository")]

use std::path::{Path, PathBuf};

use disko_advise::emit::report::drift::{rows, text as drift_text};
use disko_advise::emit::report::{drift, facts as facts_report};
use disko_advise::emit::{DriftReport, FactsReport};
use disko_advise::facts::Input;
use disko_advise::machine::{LayerKind, Rebuild, Row, Stack, Workload};
use disko_advise::source::MemoryWorld;
use disko_advise::{Advice, Evaluation, Question, advise};
use expect_test::expect_file;

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/live")
        .join(case)
}

/// The advice on a case, with PostgreSQL where its data would be.
fn case(name: &str) -> Advice {
    // Two bundles are of one machine.
    let own = folder(name).join("layout.nix");
    let layout = if own.exists() {
        own
    } else {
        folder("every-layer").join("layout.nix")
    };
    let layout = std::fs::read_to_string(layout).unwrap();
    let mut facts: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder(name).join("facts"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (format!("facts/{name}"), std::fs::read(entry.path()).unwrap())
        })
        .filter(|(name, _)| name != "facts/manifest.json")
        .collect();
    facts.sort();
    let world = MemoryWorld::new().with("/layout.nix", layout);
    let evaluation = Evaluation::default();
    let mut question = Question::new(&world, Path::new("/layout.nix"), &evaluation);
    question.facts = facts
        .iter()
        .map(|(name, bytes)| Input::new(name.as_str(), bytes))
        .collect();
    question.workloads = vec![Workload {
        name: "postgresql".into(),
        mountpoint: Some("/var/lib/postgresql/15".into()),
    }];
    advise(question)
}

#[track_caller]
fn check(name: &str) {
    let advice = case(name);
    let rows = rows(&advice.machine, &advice.judgement);
    let whole = facts_report::text(&advice.files, &advice.machine);
    // The list of figures is shown by the readers' own tests.
    let joined = whole.split("# facts\n").next().unwrap();
    let shown = format!("{joined}# drift\n\n{}", drift_text(&rows, true));
    expect_file![folder(name).join("expected.txt")].assert_eq(&shown);

    for (schema, report) in [
        (
            drift::schema(),
            serde_json::to_value(DriftReport::new(&advice.files, &rows)).unwrap(),
        ),
        (
            facts_report::schema(),
            serde_json::to_value(FactsReport::new(&advice.files, &advice.machine, &advice.problems)).unwrap(),
        ),
    ] {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn a_bundle_of_a_real_machine() {
    check("loop-devices");
}

#[test]
fn a_bundle_of_every_layer() {
    check("every-layer");
}

#[test]
fn a_bundle_that_was_interrupted() {
    check("interrupted");
}

#[test]
fn a_bundle_of_a_machine_that_fails() {
    check("failing");

    let advice = case("failing");
    let told: Vec<String> = advice
        .judgement
        .findings
        .iter()
        .map(|it| format!("{:?} [{}] {}\n", it.severity(), it.rule.id, it.finding.message))
        .collect();
    expect_file![folder("failing").join("findings.txt")].assert_eq(&told.concat());
}

#[test]
fn a_stack_through_every_layer() {
    check("luks-lvm");
}

#[test]
fn properties_that_a_rebuild_does_not_apply() {
    check("zfs");
}

#[test]
fn disks_that_are_not_those_of_the_layout() {
    check("moved-disk");
}

#[test]
fn a_filesystem_whose_first_mount_is_not_certain() {
    check("siblings");
}

#[test]
fn the_stack_joins_in_both_directions() {
    let advice = case("luks-lvm");
    let stack = Stack::of(&advice.machine);
    let find = |kind, name: &str| {
        stack
            .layers
            .iter()
            .position(|it| it.kind == kind && it.name == name)
            .unwrap()
    };
    let disk = find(LayerKind::Disk, "main");
    let workload = find(LayerKind::Workload, "postgresql");
    assert!(stack.below(workload).contains(&disk));
    assert!(stack.above(disk).contains(&workload));
    let other = find(LayerKind::Disk, "sda");
    assert!(!stack.above(other).contains(&workload));
    for (at, layer) in stack.layers.iter().enumerate() {
        for on in &layer.on {
            assert!(
                stack.layers[*on].holds.contains(&at),
                "{} and what it lies on",
                layer.name
            );
        }
        assert!(!stack.below(at).contains(&at), "{} lies on itself", layer.name);
    }
    // No listing tells the link that the layout names the disk by; the partitions' labels do.
    assert_eq!(stack.layers[disk].disk.unwrap().kernel_name(), Some("nvme0n1"));
}

fn row(rows: &[Row], subject: &str, setting: &str) -> Row {
    rows.iter()
        .find(|it| it.subject == subject && it.setting == setting)
        .unwrap_or_else(|| panic!("no row of {subject} {setting}"))
        .clone()
}

#[test]
fn what_a_rebuild_does_follows_what_nixos_does() {
    let of = |name: &str| {
        let advice = case(name);
        rows(&advice.machine, &advice.judgement)
    };
    let loops = of("loop-devices");
    // A remount of one subvolume sets it for all, until the first mount decides again.
    let home = row(&loops, "/srv/pool/home", "compress");
    assert_eq!(home.rebuild, Rebuild::Remount);
    assert_eq!(home.next_boot.text(), Some("off"));
    assert_eq!(
        row(&loops, "/srv/pool", "compress").recommended.text(),
        Some("zstd:1")
    );
    // xfs takes it at the next mount only; nobody declared the discard that is live.
    assert_eq!(row(&loops, "/srv/xfs", "logbsize").rebuild, Rebuild::NextBoot);
    assert_eq!(row(&loops, "/srv/ext4", "discard").next_boot.text(), None);

    let zfs = of("zfs");
    assert_eq!(row(&zfs, "tank/media", "recordsize").rebuild, Rebuild::Command);
    assert_eq!(
        row(&zfs, "tank/media", "recordsize").next_boot.text(),
        Some("128K")
    );
    assert_eq!(
        row(&zfs, "tank/samba", "casesensitivity").rebuild,
        Rebuild::Recreate
    );
    assert_eq!(row(&zfs, "tank", "ashift").rebuild, Rebuild::Recreate);
    assert_eq!(row(&zfs, "tank/vm", "volblocksize").rebuild, Rebuild::Agrees);

    let luks = of("luks-lvm");
    assert_eq!(row(&luks, "crypted", "allowDiscards").rebuild, Rebuild::NextBoot);
    assert_eq!(row(&luks, "vm.swappiness", "value").rebuild, Rebuild::AtOnce);
    assert!(row(&luks, "vm.dirty_background_bytes", "value").agrees());
    assert_eq!(row(&luks, "/boot", "umask").rebuild, Rebuild::Agrees);

    let siblings = of("siblings");
    let nix = row(&siblings, "/nix", "compress");
    assert_eq!(nix.next_boot.text(), Some("zstd:1 or zstd:9"));
    assert!(row(&siblings, "/", "size").agrees());
    // Somebody set it by hand; the next boot knows nothing of it.
    assert_eq!(row(&siblings, "/persist", "commit").next_boot.text(), Some("30"));
    assert_eq!(row(&siblings, "/nix", "dev").rebuild, Rebuild::Remount);
}
