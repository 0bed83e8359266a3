//! Defragmenting beside a database.

use machine::btrfs_options::filesystem_wide;

use super::{edit, is_faulty, known_options, without};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-autodefrag",
    summary: "autodefrag beside a database or virtual machines, whose small writes it multiplies",
    page: include_str!("autodefrag.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "btrfs, defragmentation",
            "https://btrfs.readthedocs.io/en/latest/Defragmentation.html",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

const OPTION: &str = "autodefrag";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let deciding = btrfs.deciding_mounts();
    if deciding.is_empty() || is_faulty(btrfs) {
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
    let machine = btrfs.machine();
    let Some(service) = machine.services().find(|it| writes_here(btrfs, it)) else {
        return match machine.config.complete || !machine.workloads.is_empty() {
            true => Ok(Clear),
            false => Err(Missing::new(
                "whether a database or virtual machines write here",
                "name what runs: `--workload postgresql`, `libvirt`, `desktop` …",
            )),
        };
    };
    let mountpoint = first.mountpoint();
    let edits: Vec<_> = btrfs
        .mounts()
        .iter()
        .filter(|mount| mount.options().has(OPTION))
        .map(|mount| edit(mount.options(), without(mount, &[OPTION.to_owned()])))
        .collect();
    let mut placed = Draft::new(
        btrfs.subject(),
        format!("`{OPTION}` writes the files of {} again and again", service.name),
    )
    .at(&option.element.origin, "holds for the whole filesystem");
    if let Some(set) = service.set {
        placed = placed.and(&set.origin, "writes small pieces into large files");
    }
    let live = machine.facts.mount_at(mountpoint);
    if let Some(set) = live.and_then(|live| live.options.iter().find(|it| &*it.value == OPTION)) {
        placed = placed.and(&set.origin, "mounted so right now");
    }
    Ok(placed
        .because("it takes each small write into a file as a reason to read what stands around it and to write all of that anew; btrfs(5) says that it is made for small files, and not well suited for databases and images of virtual machines")
        .because("what a snapshot or a reflink shares with the file is no longer shared afterwards, so that space fills up")
        .impact(Impact::unmeasured("writes beyond what programs ask for"))
        .confidence(Confidence::Likely)
        .cost("small files that programs append to fragment more; on flash that is hardly felt")
        .command(
            format!("mount -o remount,noautodefrag {mountpoint}"),
            "for the running system; leaving the option out of a remount does not change it",
        )
        .verify(format!("findmnt -no OPTIONS {mountpoint} does not show {OPTION}"))
        .rollback("put the option back")
        .change(EditReach::Reboot, edits))
}

/// Whether a service has its data on this filesystem.
fn writes_here(btrfs: Btrfs<'_>, service: &machine::Service<'_>) -> bool {
    let holds = |mountpoint: &str| {
        let rest = service.folder.strip_prefix(mountpoint.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mounts = btrfs.machine().layout.mounts.iter();
    let nearest = mounts
        .filter(|mount| holds(&mount.mountpoint.value))
        .max_by_key(|mount| mount.mountpoint.value.len());
    nearest.is_some_and(|nearest| {
        let mounts = btrfs.mounts();
        mounts.iter().any(|mount| std::ptr::eq(mount.mount, nearest))
    })
}
