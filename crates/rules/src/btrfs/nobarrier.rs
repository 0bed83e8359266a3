//! Writes that may reach the disk in any order.

use machine::btrfs_options::filesystem_wide;

use super::{edit, known_options, without};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-nobarrier",
    summary: "nobarrier: a power failure can destroy the filesystem",
    page: include_str!("nobarrier.md"),
    severity: Severity::Error,
    check: Check::Btrfs(check),
    sources: &[super::MOUNT_OPTIONS],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

const OPTION: &str = "nobarrier";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let asking: Vec<_> = mounts
        .iter()
        .filter_map(|mount| {
            let wide = filesystem_wide(&mount.options().list);
            let it = wide.get("barrier").filter(|it| it.value == "off")?;
            Some((*mount, it.option))
        })
        .collect();
    let deciding = btrfs.deciding_mounts();
    let decides = |mount: &BtrfsMount<'_>| deciding.iter().any(|it| it.mountpoint() == mount.mountpoint());
    let Some((first, option)) = asking.iter().find(|(it, _)| decides(it)).or(asking.first()) else {
        known_options(&mounts)?;
        return Ok(if mounts.is_empty() { NotApplicable } else { Clear });
    };

    let mountpoint = first.mountpoint();
    let (message, label) = if decides(first) {
        (
            format!("with `{OPTION}` on {mountpoint} a power failure can destroy the whole filesystem"),
            "holds for every subvolume",
        )
    } else {
        (
            format!(
                "`{OPTION}` on {mountpoint} does nothing at boot, and after a remount of {mountpoint} a power failure can destroy the whole filesystem"
            ),
            "ignored at boot; a remount, as by `nixos-rebuild switch`, turns it on for the whole filesystem",
        )
    };
    let mut placed = Draft::new(btrfs.subject(), message).at(&option.element.origin, label);
    let mut shown = vec![&option.element.origin];
    for (_, other) in &asking {
        if !shown.contains(&&other.element.origin) {
            shown.push(&other.element.origin);
            placed = placed.and(&other.element.origin, "the same here");
        }
    }
    let live = mounts.iter().find_map(|mount| {
        let live = btrfs.machine().facts.mount_at(mount.mountpoint())?;
        live.options.iter().find(|it| &*it.value == OPTION)
    });
    if let Some(set) = live {
        placed = placed.and(&set.origin, "in effect right now");
    }
    let edits: Vec<_> = mounts
        .iter()
        .filter(|mount| mount.options().has(OPTION))
        .map(|mount| edit(mount.options(), without(mount, &[OPTION.to_owned()])))
        .collect();
    Ok(placed
        .because("btrfs writes new metadata elsewhere and then lets the superblock point to it; without barriers the disk may store the superblock first, and after a power failure it points to metadata that was never written")
        .cost("a flush for each commit, which a disk with protection against power loss answers at once")
        .command(
            format!("mount -o remount,barrier {mountpoint}"),
            "for the running system; leaving the option out of a remount does not change it",
        )
        .verify(format!("findmnt -no OPTIONS {mountpoint} does not show {OPTION}"))
        .rollback("none that is safe")
        .change(EditReach::Reboot, edits))
}
