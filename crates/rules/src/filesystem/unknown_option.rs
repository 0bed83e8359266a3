//! Mount options that the filesystem never had.

use machine::btrfs_options::{Scope, scope};

use crate::options::{edit, known, without, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "fs-unknown-option",
    summary: "a mount option that the filesystem does not know, so that the mount is refused",
    page: include_str!("unknown_option.md"),
    severity: Severity::Error,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "btrfs(5), mount options",
            "https://btrfs.readthedocs.io/en/latest/btrfs-man5.html#mount-options",
        ),
        Source::new(
            "ext4(5), mount options",
            "https://man7.org/linux/man-pages/man5/ext4.5.html",
        ),
        Source::new(
            "The SGI XFS Filesystem: mount options",
            "https://docs.kernel.org/admin-guide/xfs.html#mount-options",
        ),
    ],
    verified: "Linux 6.18.44: mounted with options of each kind",
};

/// What ext4 takes or once took, by `fs/ext4/super.c`, without what every filesystem takes.
const EXT4: &[&str] = &[
    "abort",
    "acl",
    "auto_da_alloc",
    "barrier",
    "bh",
    "block_validity",
    "bsddf",
    "bsdgroups",
    "check",
    "commit",
    "data",
    "data_err",
    "dax",
    "debug",
    "debug_want_extra_isize",
    "delalloc",
    "dioread_lock",
    "dioread_nolock",
    "discard",
    "errors",
    "extents",
    "fc_debug_force",
    "fc_debug_max_replay",
    "grpid",
    "grpjquota",
    "grpquota",
    "i_version",
    "init_itable",
    "inlinecrypt",
    "inode_readahead_blks",
    "journal",
    "journal_async_commit",
    "journal_checksum",
    "journal_dev",
    "journal_ioprio",
    "journal_path",
    "jqfmt",
    "max_batch_time",
    "max_dir_size_kb",
    "mb_optimize_scan",
    "mblk_io_submit",
    "min_batch_time",
    "minixdf",
    "no_mbcache",
    "no_prefetch_block_bitmaps",
    "noacl",
    "noauto_da_alloc",
    "nobarrier",
    "nobh",
    "noblock_validity",
    "nocheck",
    "nodelalloc",
    "nodioread_nolock",
    "nodiscard",
    "noextents",
    "nogrpid",
    "noinit_itable",
    "nojournal_checksum",
    "noload",
    "nombcache",
    "nomblk_io_submit",
    "noquota",
    "norecovery",
    "noreservation",
    "nouid32",
    "nouser_xattr",
    "nowarn_on_error",
    "oldalloc",
    "orlov",
    "prefetch_block_bitmaps",
    "prjquota",
    "quota",
    "reservation",
    "resgid",
    "resuid",
    "sb",
    "stripe",
    "sysvgroups",
    "test_dummy_encryption",
    "user_xattr",
    "usrjquota",
    "usrquota",
    "warn_on_error",
];

/// What xfs takes or once took, by `fs/xfs/xfs_super.c`, without what every filesystem takes. Those that it
/// no longer takes are `xfs-removed-options`' affair.
const XFS: &[&str] = &[
    "allocsize",
    "attr2",
    "barrier",
    "biosize",
    "bsdgroups",
    "dax",
    "delaylog",
    "discard",
    "dmapi",
    "dmi",
    "errortag",
    "filestreams",
    "gqnoenforce",
    "gquota",
    "grpid",
    "grpquota",
    "ihashsize",
    "ikeep",
    "inode32",
    "inode64",
    "irixsgid",
    "largeio",
    "lifetime",
    "logbsize",
    "logbufs",
    "logdev",
    "max_atomic_write",
    "max_open_zones",
    "mtpt",
    "noalign",
    "noattr2",
    "nobarrier",
    "nodelaylog",
    "nodiscard",
    "nogrpid",
    "noikeep",
    "nolargeio",
    "nolifetime",
    "noquota",
    "norecovery",
    "nouuid",
    "osyncisdsync",
    "osyncisosync",
    "pqnoenforce",
    "pquota",
    "prjquota",
    "qnoenforce",
    "quota",
    "rtdev",
    "sunit",
    "swalloc",
    "swidth",
    "sysvgroups",
    "uqnoenforce",
    "uquota",
    "usrquota",
    "wsync",
    "xdsm",
];

/// What mount(8) and the kernel take of every filesystem.
fn is_general(key: &str) -> bool {
    const SUPERBLOCK: [&str; 11] = [
        "async",
        "context",
        "defcontext",
        "dirsync",
        "fscontext",
        "iversion",
        "lazytime",
        "noiversion",
        "nolazytime",
        "rootcontext",
        "sync",
    ];
    matches!(scope(key), Scope::Mount | Scope::Userspace) || SUPERBLOCK.contains(&key)
}

/// Whether a filesystem knows, or once knew, an option; `None` for filesystems that are not looked at.
fn knows(format: &str, key: &str) -> Option<bool> {
    Some(match format {
        "btrfs" => scope(key) != Scope::Unrecognised,
        "ext4" => is_general(key) || EXT4.contains(&key),
        "xfs" => is_general(key) || XFS.contains(&key),
        _ => return None,
    })
}

fn check(machine: &Machine) -> Known<Verdict> {
    let mounts: Vec<_> = machine
        .layout
        .mounts
        .iter()
        .filter(|mount| knows(&mount.fs_type, "ro").is_some())
        .collect();
    if mounts.is_empty() {
        return Ok(NotApplicable);
    }
    let bad: Vec<_> = mounts
        .iter()
        .filter_map(|mount| {
            let unknown = |option: &MountOption<'_>| knows(&mount.fs_type, option.key) == Some(false);
            let options: Vec<_> = mount.declared.iter().filter(unknown).collect();
            Some((*mount, *options.first()?, options))
        })
        .collect();
    let Some((mount, option, _)) = bad.first() else {
        return mounts.iter().try_for_each(|mount| known(mount)).map(|()| Clear);
    };
    let mountpoint = &mount.mountpoint.value;
    let format = &mount.fs_type;
    let options = &mount.declared;
    let message = if mount.needed_for_boot || &**mountpoint == "/" {
        format!(
            "this machine will not boot: {format} has no mount option `{}`, and refuses to mount {mountpoint}",
            option.key
        )
    } else if options.has("nofail") || options.has("noauto") {
        format!(
            "{mountpoint} will not mount: {format} has no mount option `{}`",
            option.key
        )
    } else {
        format!(
            "the next boot ends in emergency mode: {format} has no mount option `{}`, and refuses to mount {mountpoint}",
            option.key
        )
    };
    let subject = machine
        .layout
        .device(mount.device_id)
        .map_or_else(|| mountpoint.to_string(), |device| device.path.to_string());
    let mut placed = Draft::new(subject, message).at(&option.element.origin, label(format, option));
    for (mount, _, options) in &bad {
        for other in options
            .iter()
            .filter(|it| it.element.origin != option.element.origin)
        {
            placed = placed.and(&other.element.origin, label(&mount.fs_type, other));
        }
    }
    let mut argued = placed.because("the kernel refuses a mount as a whole when it does not know one of its options, and a running system can hide that until the next boot, because what is mounted stays mounted");
    if option.key == "csum" {
        argued = argued.because("the checksum of a btrfs is chosen when it is made (`mkfs.btrfs --csum xxhash`, disko's `extraArgs`), and stays what it is");
    }
    let edits: Vec<_> = bad
        .iter()
        .map(|(mount, _, options)| {
            let gone: Vec<String> = options.iter().map(written).collect();
            edit(&mount.declared, without(mount, &gone))
        })
        .collect();
    Ok(argued
        .cost("none: an option that is refused never did anything")
        .rollback("put the option back; the next mount fails then")
        .verify(format!("before the next boot: mount -o remount {mountpoint}"))
        .change(EditReach::Remount, edits))
}

/// What is wrong with an option, and what may have been meant.
fn label(format: &str, option: &MountOption<'_>) -> String {
    const ALL: [&str; 12] = [
        "compress",
        "compress-force",
        "noatime",
        "relatime",
        "nodiratime",
        "discard",
        "nodiscard",
        "commit",
        "autodefrag",
        "subvol",
        "lazytime",
        "nofail",
    ];
    let meant = ALL
        .iter()
        .chain(EXT4)
        .chain(XFS)
        .find(|name| knows(format, name) == Some(true) && is_close(name, option.key));
    if let Some(meant) = meant {
        return format!("no option of {format}; `{meant}` perhaps");
    }
    let other = ["btrfs", "ext4", "xfs"]
        .iter()
        .find(|other| knows(other, option.key) == Some(true));
    match other {
        Some(other) => format!("an option of {other}, not of {format}"),
        None => format!("no option of {format}"),
    }
}

/// Whether one letter more, less, or other makes one name of the other.
fn is_close(known: &str, written: &str) -> bool {
    let same = known
        .bytes()
        .zip(written.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let (known, written) = (known.as_bytes(), written.as_bytes());
    let rest = |name: &[u8], skip: usize| name.get(same + skip..).unwrap_or_default().to_vec();
    known != written
        && written.len() > 3
        && (rest(known, 1) == rest(written, 0)
            || rest(known, 0) == rest(written, 1)
            || rest(known, 1) == rest(written, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_one_letter_is_recognised() {
        assert!(is_close("compress", "compres"));
        assert!(is_close("noatime", "noattime"));
        assert!(is_close("relatime", "relotime"));
        assert!(!is_close("discard", "discard"));
        assert!(!is_close("commit", "comm"));
    }
}
