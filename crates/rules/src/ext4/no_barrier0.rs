//! ext4 without what makes it survive a power cut.

use crate::options::{edit, known, without, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "ext4-no-barrier0",
    summary: "a mount option that gives up the safety of ext4 in a power cut",
    page: include_str!("no_barrier0.md"),
    severity: Severity::Error,
    check: Check::Filesystem(check),
    sources: &[Source::new(
        "ext4, kernel documentation: mount options",
        "https://docs.kernel.org/admin-guide/ext4.html#options",
    )],
    verified: "Linux 6.18",
};

/// What an option gives up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Danger {
    /// Files that hold what others deleted.
    Stale,
    /// The filesystem itself.
    Corrupt,
}

fn danger(option: &MountOption<'_>) -> Option<Danger> {
    match (option.key, option.value) {
        ("nobarrier", _) | ("barrier", Some("0")) | ("journal_async_commit", _) => Some(Danger::Corrupt),
        ("data", Some("writeback")) => Some(Danger::Stale),
        _ => None,
    }
}

fn check(filesystem: Filesystem<'_>) -> Known<Verdict> {
    if !matches!(filesystem.format(), "ext4" | "ext3") {
        return Ok(NotApplicable);
    }
    let options = filesystem.options();
    // A later `barrier` or `barrier=1` takes an earlier `nobarrier` back.
    let barrier = options.last(&["barrier", "nobarrier"]).and_then(|it| danger(&it));
    let barrier_off = barrier.is_some();
    let bad: Vec<_> = options
        .iter()
        .filter(|it| barrier_off || !matches!(it.key, "barrier" | "nobarrier"))
        .filter_map(|it| danger(&it).map(|danger| (it, danger)))
        .collect();
    let Some((worst, what)) = bad.iter().max_by_key(|(_, danger)| *danger) else {
        return known(filesystem.mount).map(|()| Clear);
    };
    let mountpoint = filesystem.mountpoint();
    let message = match what {
        Danger::Corrupt => format!(
            "a power cut can corrupt {mountpoint}: it is mounted with `{}`",
            written(worst)
        ),
        Danger::Stale => format!(
            "after a power cut, files on {mountpoint} can hold what others deleted: it is mounted with `{}`",
            written(worst)
        ),
    };
    let label = |option: &MountOption<'_>| match option.key {
        "journal_async_commit" => "the commit is written without waiting for what it commits",
        "data" => "data is not written before the metadata that points to it",
        _ => "the drive may write the journal in any order",
    };
    let mut placed = Draft::new(filesystem.subject(), message).at(&worst.element.origin, label(worst));
    for (option, _) in bad.iter().filter(|(option, _)| option.key != worst.key) {
        placed = placed.and(&option.element.origin, label(option));
    }
    let mut reasons = Vec::new();
    if *what == Danger::Corrupt {
        reasons.push("a journal is worth something only if a commit reaches the platter or the flash after what it commits; without barriers the drive's cache decides, and after a power cut the journal can be replayed over data that was never written");
        reasons.push("a drive whose cache survives a power cut ignores flushes anyway, so there is nothing to gain where it would be safe");
    }
    if bad.iter().any(|(_, danger)| *danger == Danger::Stale) {
        reasons.push("with `data=writeback` a file can be extended on disk before its contents are there: after a power cut it holds what was in those blocks before, perhaps of another user");
    }
    let mut reasons = reasons.into_iter();
    let Some(first) = reasons.next() else {
        return Ok(Clear);
    };
    let mut argued = placed.because(first);
    for reason in reasons {
        argued = argued.because(reason);
    }
    if *what == Danger::Stale {
        argued = argued.severity(Severity::Warning);
    }
    if barrier_off {
        argued = argued.command(
            format!("mount -o remount,barrier {mountpoint}"),
            "turns barriers on at once; a remount that only leaves the option out does not",
        );
    }
    let names: Vec<String> = bad.iter().map(|(option, _)| written(option)).collect();
    Ok(argued
        .cost(match what {
            Danger::Corrupt => "what calls fsync waits for the drive to confirm again, as it does by default",
            Danger::Stale => "data is written before the metadata that points to it, as it is by default",
        })
        .verify(format!("findmnt -no OPTIONS {mountpoint}"))
        .rollback("put the option back")
        // ext4 keeps both through a remount that no longer names them (tried on Linux 6.18).
        .change(
            EditReach::Reboot,
            [edit(options, without(filesystem.mount, &names))],
        ))
}
