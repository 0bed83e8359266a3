//! Which mount options of btrfs are in effect, and whose.
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at what is wrong")]

mod trees;

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use layout::btrfs::{
    Algorithm, Compression, EffectiveOptions, FilesystemWide, FirstMount, Scope, effective_options,
    filesystem_wide, first_mounted, scope, setting,
};
use layout::{DeviceId, Kind, Layout, Text};
use source::{Files, Origin};
use trees::tree;

fn list(options: &[&str]) -> Vec<Text> {
    options
        .iter()
        .map(|&option| Text::new(Arc::from(option), Origin::Derived(Box::new([]))))
        .collect()
}

fn show(wide: &FilesystemWide<'_>) -> String {
    let mut text = String::new();
    for applied in &wide.settings {
        let _ = write!(
            text,
            "{}={} ({}) ",
            applied.setting, applied.value, applied.option.key
        );
    }
    for cancelled in &wide.cancelled {
        let _ = write!(text, "-{}[{}] ", cancelled.option.key, cancelled.by.key);
    }
    text.trim_end().to_owned()
}

fn wide(options: &[&str]) -> String {
    show(&filesystem_wide(&list(options)))
}

#[test]
fn the_last_of_one_setting_wins_and_opposites_cancel() {
    let lists: &[&[&str]] = &[
        &["noatime", "compress=zstd", "subvol=/root", "nofail"],
        &["compress"],
        &["compress=zlib", "compress-force=lzo"],
        &["compress-force=zstd:1", "compress=zstd:1"],
        &["compress=zstd", "compress=no"],
        &["compress=zstd:0", "ssd"],
        &["compress=zstd:99"],
        &["compress=zstd:-3"],
        &["compress=brotli"],
        &["nodatacow", "compress=zstd"],
        &["compress=zstd", "nodatacow"],
        &["compress=zstd,noatime,nodatacow"],
        &["nodatacow", "datacow"],
        &["nodatacow", "datasum"],
        &["nodatasum", "compress-force=lzo"],
        &["nodatacow", "compress=no"],
        &["ssd_spread", "nossd"],
        &["nossd", "ssd_spread"],
        &["discard", "discard=async"],
        &["discard=async", "nodiscard"],
        &["space_cache", "space_cache=v2", "nospace_cache"],
        &["ro", "rescue=usebackuproot", "nologreplay", "usebackuproot"],
        &["autodefrag", "autodefrag"],
        &["commit=30", "nobarrier", "notreelog", "flushoncommit", "lazytime"],
        &["", ",", "=", "compress=", "x-systemd.automount"],
    ];
    let mut text = String::new();
    for options in lists {
        let _ = writeln!(text, "{} -> {}", options.join(" "), wide(options));
    }
    expect![[r#"
        noatime compress=zstd subvol=/root nofail -> compress=zstd:3 (compress)
        compress -> compress=zlib:3 (compress)
        compress=zlib compress-force=lzo -> compress=force:lzo (compress-force) -compress[compress-force]
        compress-force=zstd:1 compress=zstd:1 -> compress=zstd:1 (compress) -compress-force[compress]
        compress=zstd compress=no -> compress=off (compress) -compress[compress]
        compress=zstd:0 ssd -> compress=zstd:3 (compress) ssd=on (ssd)
        compress=zstd:99 -> compress=zstd:15 (compress)
        compress=zstd:-3 -> compress=zstd:-3 (compress)
        compress=brotli -> compress=brotli (compress)
        nodatacow compress=zstd -> compress=zstd:3 (compress) -nodatacow[compress]
        compress=zstd nodatacow -> datacow=off (nodatacow) datasum=off (nodatacow) -compress[nodatacow]
        compress=zstd,noatime,nodatacow -> datacow=off (nodatacow) datasum=off (nodatacow) -compress[nodatacow]
        nodatacow datacow -> datasum=off (nodatacow) datacow=on (datacow) -nodatacow[datacow]
        nodatacow datasum -> datasum=on (datasum) -nodatacow[datasum]
        nodatasum compress-force=lzo -> compress=force:lzo (compress-force) -nodatasum[compress-force]
        nodatacow compress=no -> datacow=off (nodatacow) datasum=off (nodatacow) compress=off (compress)
        ssd_spread nossd -> ssd=off (nossd) -ssd_spread[nossd]
        nossd ssd_spread -> ssd_spread=on (ssd_spread) -nossd[ssd_spread]
        discard discard=async -> discard=async (discard) -discard[discard]
        discard=async nodiscard -> discard=off (nodiscard) -discard[nodiscard]
        space_cache space_cache=v2 nospace_cache -> space_cache=off (nospace_cache) -space_cache[space_cache] -space_cache[nospace_cache]
        ro rescue=usebackuproot nologreplay usebackuproot -> rescue=usebackuproot:nologreplay:usebackuproot (usebackuproot)
        autodefrag autodefrag -> autodefrag=on (autodefrag)
        commit=30 nobarrier notreelog flushoncommit lazytime -> commit=30 (commit) barrier=off (nobarrier) treelog=off (notreelog) flushoncommit=on (flushoncommit) lazytime=on (lazytime)
         , = compress= x-systemd.automount -> compress= (compress)
    "#]].assert_eq(&text);
}

#[test]
fn compression_is_read_with_its_level() {
    let of = |options: &[&str]| filesystem_wide(&list(options)).compression();
    assert_eq!(
        of(&["compress-force=zstd:7"]),
        Some(Compression {
            algorithm: Algorithm::Zstd,
            level: Some(7),
            force: true
        })
    );
    assert_eq!(of(&["compress=zstd", "nodatacow"]), None);
    assert_eq!(of(&["compress=none"]), None);
    assert_eq!(of(&["noatime"]), None);
    assert!(filesystem_wide(&list(&["compress=zstd", "nodatacow"])).nodatacow());
    assert!(!filesystem_wide(&list(&["nodatacow", "compress=zstd"])).nodatacow());
}

#[test]
fn one_setting_in_two_spellings_is_the_same() {
    let same = |a: &[&str], b: &[&str]| filesystem_wide(&list(a)).same(&filesystem_wide(&list(b)));
    assert!(!same(&["compress=zstd"], &["ssd,compress=zstd:3"]));
    assert!(same(&["compress=zstd", "noatime"], &["relatime,compress=zstd:3"]));
    assert!(same(&["discard"], &["discard=sync"]));
    assert!(same(&["ssd", "compress=lzo"], &["compress=lzo", "ssd"]));
    assert!(!same(&["compress=zstd"], &["compress-force=zstd"]));
    assert!(!same(&["compress=zstd"], &[]));
}

#[test]
fn options_have_a_scope() {
    let scopes: Vec<String> = [
        "compress-force",
        "nodatacow",
        "discard",
        "user_subvol_rm_allowed",
        "lazytime",
        "noatime",
        "ro",
        "subvol",
        "defaults",
        "x-systemd.automount",
        "X-mount.mkdir",
        "compres",
    ]
    .iter()
    .map(|key| format!("{key}: {:?}", scope(key)))
    .collect();
    expect![[r#"
        compress-force: Filesystem
        nodatacow: Filesystem
        discard: Filesystem
        user_subvol_rm_allowed: Filesystem
        lazytime: Filesystem
        noatime: Mount
        ro: Mount
        subvol: Selection
        defaults: Userspace
        x-systemd.automount: Userspace
        X-mount.mkdir: Userspace
        compres: Unrecognised"#]]
    .assert_eq(&scopes.join("\n"));
    assert_eq!(scope("verity.roothash"), Scope::Userspace);
    assert_eq!(scope("no-such-option"), Scope::Unrecognised);
    assert_eq!(setting("nossd"), Some("ssd"));
}

/// A layout with one btrfs filesystem of these subvolumes (mountpoint, options), `beside` it.
fn layout_of(subvolumes: &[(&str, &str)], beside: &str) -> (Layout, DeviceId) {
    let subvolumes: Vec<String> = subvolumes
        .iter()
        .map(|(mountpoint, options)| {
            format!(r#""@{mountpoint}": {{ "mountpoint": "{mountpoint}", "mountOptions": [ {options} ] }}"#)
        })
        .collect();
    let text = format!(
        r#"{{ "disk": {{ "main": {{ "device": "/dev/sda", "content": {{ "type": "btrfs", "subvolumes": {{ {} }} }} }} }}{beside} }}"#,
        subvolumes.join(", ")
    );
    let files = Files::new();
    let layout = layout::read(&tree(&files, &text));
    assert_eq!(layout.problems, []);
    let filesystem = layout
        .devices
        .iter()
        .find(|device| matches!(device.kind, Kind::Btrfs(_)))
        .map(|device| device.id)
        .expect("the filesystem");
    (layout, filesystem)
}

fn decide(subvolumes: &[(&str, &str)], beside: &str, expected: Expect) {
    let (layout, filesystem) = layout_of(subvolumes, beside);
    let first = match first_mounted(&layout, filesystem) {
        FirstMount::Known(mount) => format!("first {}", mount.mountpoint.value),
        FirstMount::Undefined { candidates } => {
            let names: Vec<&str> = candidates.iter().map(|mount| &*mount.mountpoint.value).collect();
            format!("one of {}", names.join(" "))
        }
        FirstMount::NotMounted => "not mounted".to_owned(),
    };
    let effective = match effective_options(&layout, filesystem) {
        EffectiveOptions::Known { options, .. } => format!("known: {}", show(&options)),
        EffectiveOptions::Undefined { candidates } => {
            let each: Vec<String> = candidates
                .iter()
                .map(|(mount, wide)| format!("{}: {}", mount.mountpoint.value, show(wide)))
                .collect();
            format!("undefined: {}", each.join(" | "))
        }
        EffectiveOptions::Unknown { mount, because } => {
            format!("{} depends on {}", mount.mountpoint.value, because.name)
        }
        EffectiveOptions::NotMounted => "not mounted".to_owned(),
    };
    expected.assert_eq(&format!("{first}; {effective}"));
}

#[test]
fn the_root_decides_for_the_whole_filesystem() {
    decide(
        &[
            ("/", r#""noatime""#),
            ("/home", r#""compress=zstd""#),
            ("/nix", r#""compress=zstd""#),
        ],
        "",
        expect!["first /; known: "],
    );
}

#[test]
fn without_the_root_the_initrd_mounts_come_first() {
    let tmpfs = r#", "nodev": { "/": { "fsType": "tmpfs" } }"#;
    decide(
        &[("/home", r#""ssd""#), ("/nix", r#""compress=zstd""#)],
        tmpfs,
        expect!["first /nix; known: compress=zstd:3 (compress)"],
    );
    decide(
        &[
            ("/nix", r#""compress=zstd""#),
            ("/nix/store", r#""ssd""#),
            ("/home", r#""ssd""#),
        ],
        tmpfs,
        expect!["first /nix; known: compress=zstd:3 (compress)"],
    );
}

#[test]
fn siblings_of_one_stage_have_no_order() {
    let tmpfs = r#", "nodev": { "/": { "fsType": "tmpfs" } }"#;
    decide(
        &[("/nix", r#""compress=zstd""#), ("/var", r#""ssd""#)],
        tmpfs,
        expect!["one of /nix /var; undefined: /nix: compress=zstd:3 (compress) | /var: ssd=on (ssd)"],
    );
    decide(
        &[
            ("/nix", r#""compress=zstd", "noatime""#),
            ("/var", r#""compress=zstd:3""#),
        ],
        tmpfs,
        expect!["one of /nix /var; known: compress=zstd:3 (compress)"],
    );
    decide(
        &[
            ("/data", r#""compress=zstd""#),
            ("/data/sub", r#""ssd""#),
            ("/database", r#""ssd""#),
        ],
        "",
        expect![
            "one of /data /database; undefined: /data: compress=zstd:3 (compress) | /database: ssd=on (ssd)"
        ],
    );
}

#[test]
fn mounts_on_demand_do_not_decide() {
    decide(
        &[
            ("/a", r#""noauto", "compress=zstd""#),
            ("/b", r#""ssd""#),
            ("/c", r#""x-systemd.automount""#),
        ],
        "",
        expect!["first /b; known: ssd=on (ssd)"],
    );
    decide(
        &[("/a", r#""noauto", "compress=zstd""#)],
        "",
        expect!["first /a; known: compress=zstd:3 (compress)"],
    );
}

#[test]
fn an_unknown_list_that_decides_is_unknown() {
    decide(
        &[("/", r#""noatime", "?options""#), ("/home", r#""ssd""#)],
        "",
        expect!["first /; / depends on options"],
    );
    decide(
        &[("/", r#""noatime""#), ("/home", r#""?options""#)],
        "",
        expect!["first /; known: "],
    );
}

#[test]
fn a_subvolume_with_an_unknown_mountpoint_may_come_first() {
    let unknown = |root: &str| {
        let files = Files::new();
        let text = format!(
            r#"{{ "disk": {{ "a": {{ "device": "/dev/sda", "content": {{ "type": "btrfs", "subvolumes": {{
              "@a": {{ "mountpoint": "{root}", "mountOptions": [ "ssd" ] }}, "@b": {{ "mountpoint": "?where" }} }} }} }} }} }}"#
        );
        let layout = layout::read(&tree(&files, &text));
        let filesystem = DeviceId(1);
        matches!(
            effective_options(&layout, filesystem),
            EffectiveOptions::Unknown { because, .. } if &*because.name == "where"
        )
    };
    assert!(unknown("/data"));
    assert!(!unknown("/"), "nothing is mounted before the root");
}

#[test]
fn what_is_not_mounted_has_no_options() {
    decide(&[], "", expect!["not mounted; not mounted"]);
}
