//! Filesystems that the kernel found damaged, or that take no writes any more.

use machine::facts::{BlockDevice, KernelTrouble, TroubleKind};

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "fs-damaged",
    summary: "a filesystem of which the kernel says that it is damaged or stopped",
    page: include_str!("damaged.md"),
    severity: Severity::Error,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "ext4 Data Structures and Algorithms: superblock, s_state and s_error_count",
            "https://docs.kernel.org/filesystems/ext4/globals.html#super-block",
        ),
        Source::new(
            "The SGI XFS Filesystem: error handling",
            "https://docs.kernel.org/admin-guide/xfs.html#error-handling",
        ),
        Source::new("e2fsck(8)", "https://man7.org/linux/man-pages/man8/e2fsck.8.html"),
        Source::new(
            "xfs_repair(8)",
            "https://man7.org/linux/man-pages/man8/xfs_repair.8.html",
        ),
    ],
    verified: "Linux 6.1: an inode of ext4 cleared, XFS on an array that failed, ext4 on a thin pool that was full",
};

/// The filesystem that a message is of, by its first word.
fn format(text: &str) -> Option<&'static str> {
    [
        ("EXT4-fs", "ext4"),
        ("JBD2", "ext4"),
        ("Aborting journal", "ext4"),
        ("XFS", "xfs"),
        ("F2FS-fs", "f2fs"),
        ("BTRFS", "btrfs"),
    ]
    .iter()
    .find_map(|(begins, format)| text.starts_with(begins).then_some(*format))
}

/// Whether a message is of a filesystem as a whole. What btrfs counts for each device, and repairs, is
/// told by `btrfs-dev-errors`.
fn tells(trouble: &KernelTrouble) -> bool {
    match trouble.kind {
        TroubleKind::ReadOnly => format(&trouble.first.value).is_some(),
        TroubleKind::Filesystem | TroubleKind::Checksum => {
            format(&trouble.first.value).is_some_and(|format| format != "btrfs")
        }
        _ => false,
    }
}

fn check(machine: &Machine) -> Known<Verdict> {
    let facts = &machine.facts;
    if !facts.has_kernel_log() {
        return match machine.is_observed() && machine.filesystems().next().is_some() {
            true => Err(Missing::new(
                "whether the kernel found a filesystem damaged",
                "`dmesg > dmesg.txt` as root",
            )),
            false => Ok(NotApplicable),
        };
    }
    let mut found: Vec<_> = facts.kernel_log.iter().filter(|it| tells(it)).collect();
    // What stopped comes first.
    found.sort_by_key(|trouble| trouble.kind != TroubleKind::ReadOnly);
    let Some(first) = found.first() else {
        return Ok(Clear);
    };
    let device = &*first.subject;
    let block = facts.block_by_name(device);
    let place = |device: &str| match facts.block_by_name(device).and_then(mountpoint) {
        Some(mountpoint) => format!("{mountpoint} on {device}"),
        None => format!("on {device}"),
    };
    let stopped = first.kind == TroubleKind::ReadOnly;
    let message = match stopped {
        true => format!("the filesystem {} takes no writes any more", place(device)),
        false => format!("the kernel reports errors of the filesystem {}", place(device)),
    };
    let mut placed = Draft::new(device, message).at(&first.first.origin, "the first message of it");
    for other in found.iter().skip(1) {
        let text = match &*other.subject == device {
            true => other.kind.to_string(),
            false => format!("{} {} too", other.kind, place(&other.subject)),
        };
        placed = placed.and(&other.last.origin, text);
    }
    let mut argued = placed.because("a filesystem that found itself damaged, or lost a write, spreads the damage with what is written from then on, until it was checked");
    if stopped {
        argued = argued.because("the filesystem stopped to keep what it has; programs that write to it fail");
    }
    let argued = argued
        .because("a disk, an array or a pool below it that fails is a common cause, and is told by itself")
        .cost("the filesystem is away while it is checked; a check that repairs may take files away")
        .verify("after the cause is gone and the filesystem was checked: dmesg stays quiet about it")
        .rollback("none is needed: nothing is changed");
    let path = match block.and_then(|it| it.path.as_ref()) {
        Some(path) => path.value.to_string(),
        None => format!("/dev/{device}"),
    };
    let argued = match format(&first.first.value) {
        Some("ext4") => argued
            .command(
                format!("tune2fs -l {path}"),
                "how many errors ext4 has recorded, the first and the last of them",
            )
            .command(
                format!("e2fsck -fn {path}"),
                "when it is not mounted: looks, and repairs nothing",
            ),
        Some("xfs") => argued.command(
            format!("xfs_repair -n {path}"),
            "when it is not mounted: looks, and repairs nothing",
        ),
        Some("f2fs") => argued.command(
            format!("fsck.f2fs --dry-run {path}"),
            "when it is not mounted: looks, and repairs nothing",
        ),
        _ => argued.command(
            format!("btrfs check --readonly {path}"),
            "when it is not mounted: looks, and repairs nothing",
        ),
    };
    Ok(argued.advise(
        Reach::Live,
        "bring the backup up to date first, and find what fails below it; then unmount the filesystem and check it",
    ))
}

/// Where a device is mounted.
fn mountpoint(block: &BlockDevice) -> Option<&str> {
    block.mountpoints.first().map(|it| &*it.value)
}
