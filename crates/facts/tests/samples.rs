//! Every sample that a real tool made, read and shown.
//!
//! `samples/README.md` says which command made which sample.
//! Bless with `UPDATE_EXPECT=1` and read what changed.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "these tests read the samples"
)]

mod show;

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use facts::Input;
use source::Files;

/// The files below a folder of samples, sorted, with their paths relative to it.
fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(folder);
    let mut found = Vec::new();
    let mut todo: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Each sample alone, shown one after the other.
fn each(folder: &str) -> String {
    let mut shown = String::new();
    for (path, bytes) in samples(folder) {
        let files = Files::new();
        let (facts, problems) = facts::read(&files, [Input::new(path.as_str(), bytes.as_slice())]);
        shown.push_str(&format!("=== {path}\n{}", show::show(&facts)));
        for problem in problems {
            let place = problem.span.map(|span| files.place(span)).unwrap_or_default();
            shown.push_str(&format!("problem: {place} {problem}\n"));
        }
        shown.push('\n');
    }
    shown
}

/// All samples of a folder as one bundle.
fn bundle(folder: &str) -> String {
    let inputs = samples(folder);
    let files = Files::new();
    let (facts, problems) = facts::read(
        &files,
        inputs
            .iter()
            .map(|(path, bytes)| Input::new(path.as_str(), bytes.as_slice())),
    );
    let mut shown = show::show(&facts);
    for problem in problems {
        shown.push_str(&format!("problem: {problem}\n"));
    }
    shown
}

macro_rules! read {
    ($($name:ident: $how:ident($folder:literal);)*) => {
        $(
            #[test]
            fn $name() {
                expect_file![concat!("expected/", stringify!($name), ".txt")].assert_eq(&$how($folder));
            }
        )*
    };
}

read! {
    boot: each("boot");
    btrfs: each("btrfs");
    cryptsetup: each("cryptsetup");
    df: each("df");
    diskstats: bundle("diskstats");
    facter: each("facter");
    files: each("files");
    fio: each("fio");
    findmnt: each("findmnt");
    iostat: each("iostat");
    iotop: each("iotop");
    kernel: each("kernel");
    lsblk: each("lsblk");
    lvm: each("lvm");
    md: each("md");
    nvme: each("nvme");
    proc: each("proc");
    services: each("services");
    smartctl: each("smartctl");
    sysctl: each("sysctl");
    sysfs: bundle("sysfs");
    versions: each("versions");
    vmstat: each("vmstat");
    zfs: each("zfs");
}

/// A report of one machine and a listing of another, as when a bundle was put together by mistake:
/// the disk is one, and what the two say of it is kept with both sources.
#[test]
fn contradictions() {
    let find = |folder: &str, name: &str| {
        let all = samples(folder);
        all.into_iter().find(|(path, _)| path == name).unwrap().1
    };
    let (report, listing) = (find("facter", "vm-small.json"), find("lsblk", "O-b.json"));
    let mounts = b"/dev/vda / ext4 rw,noatime 0 0\n";
    let live = find("proc", "mounts");
    let files = Files::new();
    let (facts, problems) = facts::read(
        &files,
        [
            Input::new("facter.json", report.as_slice()),
            Input::new("lsblk.json", listing.as_slice()),
            Input::new("proc-mounts", live.as_slice()),
            Input::new("mounts-before", mounts.as_slice()),
        ],
    );
    assert_eq!(problems, []);
    let shown = format!(
        "{}\n{}",
        show::show(&facts.contradictions),
        show::show(&facts.disk_by_name("/dev/vda").unwrap())
    );
    expect_file!["expected/contradictions.txt"].assert_eq(&shown);
}
