//! Mount options that the kernel's xfs no longer knows.

use crate::options::{edit, known, without, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "xfs-removed-options",
    summary: "a mount option that xfs refuses to mount with",
    page: include_str!("removed_options.md"),
    severity: Severity::Error,
    check: Check::Filesystem(check),
    sources: &[Source::new(
        "The SGI XFS Filesystem: removed mount options",
        "https://docs.kernel.org/admin-guide/xfs.html#removed-mount-options",
    )],
    verified: "Linux 6.18.44: each option of the list mounted",
};

/// The options that xfs knew once, and the release of Linux that no longer takes them.
const REMOVED: &[(&str, (u64, u64))] = &[
    ("delaylog", (4, 0)),
    ("nodelaylog", (4, 0)),
    ("ihashsize", (4, 0)),
    ("irixsgid", (4, 0)),
    ("osyncisdsync", (4, 0)),
    ("osyncisosync", (4, 0)),
    ("barrier", (4, 19)),
    ("nobarrier", (4, 19)),
];

/// Options that do nothing any more and are on their way out. The documentation lists them as removed
/// in 6.18; Linux 6.18.44 still mounts with them and logs that they are deprecated.
const LEAVING: &[&str] = &["ikeep", "noikeep", "attr2", "noattr2"];

fn removed_in(key: &str) -> Option<(u64, u64)> {
    REMOVED
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, version)| *version)
}

fn check(filesystem: Filesystem<'_>) -> Known<Verdict> {
    if filesystem.format() != "xfs" {
        return Ok(NotApplicable);
    }
    let options = filesystem.options();
    let bad: Vec<(MountOption<'_>, Option<(u64, u64)>)> = options
        .iter()
        .filter(|option| removed_in(option.key).is_some() || LEAVING.contains(&option.key))
        .map(|option| (option, removed_in(option.key)))
        .collect();
    if bad.is_empty() {
        return known(filesystem.mount).map(|()| Clear);
    }
    let kernel = filesystem.machine().facts.versions.kernel.as_ref();
    let refused = |since: &Option<(u64, u64)>| {
        since.is_some_and(|(major, minor)| kernel.is_none_or(|it| it.value.at_least(major, minor)))
    };
    let gone: Vec<_> = bad.iter().filter(|(_, since)| refused(since)).collect();
    let Some((first, since)) = gone.first().copied().or_else(|| bad.first()) else {
        return Ok(Clear);
    };
    let mountpoint = filesystem.mountpoint();
    // systemd waits for every mount that is not marked, and gives up on the boot when one fails.
    let may_fail = options.has("nofail") || options.has("noauto");
    let message = if gone.is_empty() {
        format!(
            "`{}` does nothing for {mountpoint} and is on its way out of xfs",
            first.key
        )
    } else if filesystem.mount.needed_for_boot || mountpoint == "/" {
        format!(
            "this machine will not boot: xfs refuses to mount {mountpoint} with `{}`",
            first.key
        )
    } else if may_fail {
        format!(
            "{mountpoint} will not mount: xfs refuses the option `{}`",
            first.key
        )
    } else {
        format!(
            "the next boot ends in emergency mode: xfs refuses to mount {mountpoint} with `{}`",
            first.key
        )
    };
    let label = |option: &MountOption<'_>, since: &Option<(u64, u64)>| match since {
        Some((major, minor)) if refused(since) => {
            format!("`{}` was removed in Linux {major}.{minor}", option.key)
        }
        Some((major, minor)) => format!("`{}` is gone from Linux {major}.{minor} on", option.key),
        None => format!(
            "`{}` is deprecated: the kernel warns of it in its log",
            option.key
        ),
    };
    let mut placed = Draft::new(filesystem.subject(), message).at(&first.element.origin, label(first, since));
    for (option, since) in bad.iter().filter(|(option, _)| option.key != first.key) {
        placed = placed.and(&option.element.origin, label(option, since));
    }
    if let Some(kernel) = kernel {
        placed = placed.and(&kernel.origin, format!("this kernel is {}", kernel.value));
    }
    let mut argued = placed.because(if gone.is_empty() {
        "the kernel's documentation lists it as removed; Linux 6.18 still mounts with a warning in its log, and a later kernel may refuse"
    } else {
        "xfs refuses a mount as a whole when it does not know one of its options, and a running system can hide that until the next boot, because what is mounted stays mounted"
    });
    if gone.is_empty() {
        argued = argued.severity(Severity::Warning);
    }
    if bad.iter().any(|(option, _)| option.key == "nobarrier") {
        argued = argued.because(
            "there is no safe replacement for `nobarrier`: without write barriers a power cut corrupts the filesystem, unless every cache below keeps its contents",
        );
    }
    let names: Vec<String> = bad.iter().map(|(option, _)| written(option)).collect();
    Ok(argued
        .cost("none: what the options once chose is how xfs works today, or cannot be chosen any more")
        .rollback(if gone.is_empty() {
            "put the option back"
        } else {
            "put the option back; the next mount fails then"
        })
        .verify(format!(
            "before the next boot: findmnt --verify, then mount -o remount {mountpoint}"
        ))
        .change(
            EditReach::Remount,
            [edit(options, without(filesystem.mount, &names))],
        ))
}
