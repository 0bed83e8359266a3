//! An allocation scheme for flash of the first generation.

use machine::btrfs_options::filesystem_wide;

use super::{edit, known_options, without};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-ssd-spread",
    summary: "ssd_spread, which scatters data for the sake of flash that is no longer made",
    page: include_str!("ssd_spread.md"),
    severity: Severity::Info,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "btrfs, changes by kernel version (6.17)",
            "https://btrfs.readthedocs.io/en/latest/Kernel-by-version.html",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

const OPTION: &str = "ssd_spread";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let deciding = btrfs.deciding_mounts();
    if deciding.is_empty() || super::is_faulty(btrfs) {
        return Ok(NotApplicable);
    }
    let asking = deciding.iter().find_map(|mount| {
        let wide = filesystem_wide(&mount.options().list);
        let it = wide.get(OPTION).filter(|it| it.value == "on")?;
        Some((mount, it.option))
    });
    let Some((first, option)) = asking else {
        known_options(&deciding)?;
        return Ok(Clear);
    };
    let mountpoint = first.mountpoint();
    let mounts = btrfs.mounts();
    let edits: Vec<_> = mounts
        .iter()
        .filter(|mount| mount.options().has(OPTION))
        .map(|mount| edit(mount.options(), without(mount, &[OPTION.to_owned()])))
        .collect();
    let mut placed = Draft::new(
        btrfs.subject(),
        format!("`{OPTION}` on {mountpoint} makes btrfs seek large free areas, and fragments what is free"),
    )
    .at(&option.element.origin, "holds for the whole filesystem");
    let live = btrfs.machine().facts.mount_at(mountpoint);
    if let Some(set) = live.and_then(|live| live.options.iter().find(|it| &*it.value == OPTION)) {
        placed = placed.and(&set.origin, "mounted so right now");
    }
    let mut argued = placed
        .because("the scheme was made for flash whose controller was poor; since Linux 4.14 even `ssd` no longer follows it, because flash of today gains nothing and the free space falls to pieces");
    if btrfs
        .machine()
        .facts
        .versions
        .kernel
        .as_ref()
        .is_some_and(|kernel| !kernel.value.at_least(6, 17))
    {
        argued = argued.because("before Linux 6.17 it also hands out far more chunks than are needed, until nothing is unallocated");
    }
    Ok(argued
        .impact(Impact::unmeasured("fragmentation of free space"))
        .cost("none on flash of today")
        .command(
            format!("mount -o remount,nossd_spread {mountpoint}"),
            "for the running system; leaving the option out of a remount does not change it",
        )
        .verify(format!("findmnt -no OPTIONS {mountpoint} does not show {OPTION}"))
        .rollback("put the option back")
        .change(EditReach::Reboot, edits))
}
