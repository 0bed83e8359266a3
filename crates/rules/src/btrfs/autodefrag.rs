//! Defragmenting beside a database.

use machine::btrfs_options::filesystem_wide;
use source::Node;

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

/// What writes small pieces into large files all the time, as workloads are called, with the option that
/// turns it on and the folder that its data is in unless something else was said.
const SMALL_WRITERS: &[(&str, &[&str], &str)] = &[
    (
        "postgresql",
        &["services", "postgresql", "enable"],
        "/var/lib/postgresql",
    ),
    ("mysql", &["services", "mysql", "enable"], "/var/lib/mysql"),
    (
        "libvirt",
        &["virtualisation", "libvirtd", "enable"],
        "/var/lib/libvirt",
    ),
    ("incus", &["virtualisation", "incus", "enable"], "/var/lib/incus"),
];

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
    let Some((name, place)) = SMALL_WRITERS.iter().find_map(|it| writes_here(btrfs, it)) else {
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
        format!("`{OPTION}` writes the files of {name} again and again"),
    )
    .at(&option.element.origin, "holds for the whole filesystem");
    if let Some(place) = place {
        placed = placed.and(&place, "writes small pieces into large files");
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

/// Whether something of the list writes to this filesystem, and where that is said.
fn writes_here(
    btrfs: Btrfs<'_>,
    (name, option, folder): &(&'static str, &[&str], &str),
) -> Option<(&'static str, Option<source::Origin>)> {
    let machine = btrfs.machine();
    let workload = machine.workloads.iter().find(|it| &*it.name == *name);
    let set = machine
        .config
        .set(option)
        .filter(|it| it.node == Node::Bool(true));
    if workload.is_none() && set.is_none() {
        return None;
    }
    let folder = workload.and_then(|it| it.mountpoint.as_deref()).unwrap_or(folder);
    let holds = |mountpoint: &str| {
        let rest = folder.strip_prefix(mountpoint.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let nearest = machine
        .layout
        .mounts
        .iter()
        .filter(|mount| holds(&mount.mountpoint.value))
        .max_by_key(|mount| mount.mountpoint.value.len())?;
    btrfs
        .mounts()
        .iter()
        .any(|mount| std::ptr::eq(mount.mount, nearest))
        .then(|| (*name, set.map(|it| it.origin.clone())))
}
