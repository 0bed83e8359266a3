//! A long time until what was written is on the disk.

use machine::btrfs_options::filesystem_wide;

use super::{edit, known_options, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-commit-interval",
    summary: "so long an interval of commits that a power cut loses many minutes of work",
    page: include_str!("commit_interval.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[super::MOUNT_OPTIONS],
    verified: "Linux 6.18: mounted with `commit=400`",
};

/// Above this the kernel warns, in seconds.
const EXCESSIVE: u64 = 300;
/// What stands in its place: four times the default of 30 seconds.
const WANTED: &str = "commit=120";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let deciding = btrfs.deciding_mounts();
    if deciding.is_empty() {
        return Ok(NotApplicable);
    }
    let asking = deciding.iter().find_map(|mount| Some((mount, seconds(mount)?)));
    let Some((first, (option, interval))) = asking else {
        known_options(&deciding)?;
        return Ok(Clear);
    };
    let mountpoint = first.mountpoint();
    let mut placed = Draft::new(
        btrfs.subject(),
        format!(
            "a power cut loses up to {} minutes of what was written: `{}`",
            interval.div_ceil(60),
            written(&option)
        ),
    )
    .at(&option.element.origin, "holds for the whole filesystem");
    let live = btrfs.machine().facts.mount_at(mountpoint);
    if let Some(set) = live.and_then(|live| live.option("commit")) {
        placed = placed.and(&set.origin, "mounted so right now");
    }
    let edits: Vec<_> = btrfs
        .mounts()
        .iter()
        .filter_map(|mount| {
            let (option, _) = seconds(mount)?;
            let replace = ListEdit::Replace {
                option: written(&option),
                with: WANTED.to_owned(),
            };
            Some(edit(mount.options(), vec![replace]))
        })
        .collect();
    Ok(placed
        .because("what no program asked to be flushed is written with the next commit, every 30 seconds by default; until then it is in memory only")
        .because("programs that call fsync gain nothing from a long interval, and of the others most of the gain is there at a minute or two; above five minutes the kernel itself warns")
        .impact(Impact::unmeasured("what is lost in a power cut"))
        .cost("metadata is written a little more often")
        .command(
            format!("mount -o remount,{WANTED} {mountpoint}"),
            "sets it at once",
        )
        .verify(format!("findmnt -no OPTIONS {mountpoint} shows {WANTED}"))
        .rollback("put the value back")
        .change(EditReach::Remount, edits))
}

/// An interval that is too long, and the option that sets it.
fn seconds<'a>(mount: &BtrfsMount<'a>) -> Option<(MountOption<'a>, u64)> {
    let wide = filesystem_wide(&mount.options().list);
    let option = wide.get("commit")?.option;
    let seconds: u64 = option.value?.parse().ok()?;
    (seconds > EXCESSIVE).then_some((option, seconds))
}
