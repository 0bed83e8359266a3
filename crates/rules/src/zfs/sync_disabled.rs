//! Writes that ZFS confirms before they are safe.

use std::sync::Arc;

use super::{ZFSPROPS, declared};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-sync-disabled",
    summary: "ZFS confirms writes that a power cut loses",
    page: include_str!("sync_disabled.md"),
    severity: Severity::Error,
    check: Check::Pool(check),
    sources: &[
        ZFSPROPS,
        Source::new(
            "zfs(4), zfs_txg_timeout",
            "https://openzfs.github.io/openzfs-docs/man/master/4/zfs.4.html",
        ),
    ],
    verified: "OpenZFS 2.4 documentation, disko 878ec37",
};

/// Where nobody minds the loss: what is there is made again.
const SCRATCH: [&str; 9] = [
    "/tmp",
    "/var/tmp",
    "/var/cache",
    "/nix/var/nix/builds",
    "scratch",
    "cache",
    "builds",
    "tmp",
    "ccache",
];

fn check(pool: Pool<'_>) -> Known<Verdict> {
    let mut off: Vec<(Arc<str>, &Property)> = Vec::new();
    for (_, dataset) in pool.datasets() {
        let Some(sync) = declared(&dataset.options, "sync")? else {
            continue;
        };
        if &*sync.value.value == "disabled" && !is_scratch(dataset) {
            off.push((dataset.name.clone(), sync));
        }
    }
    let Some((first, sync)) = off.first() else {
        return Ok(if pool.datasets().next().is_some() {
            Clear
        } else {
            NotApplicable
        });
    };
    let shown = match off.len() {
        1 => format!("on {first}"),
        more => format!("on {first} and {} more", more - 1),
    };
    let mut placed = Draft::new(
        pool.subject(),
        format!("a power cut loses writes that were confirmed: `sync` is disabled {shown}"),
    )
    .at(&sync.value.origin, "fsync returns before anything is written");
    for (name, sync) in off.iter().skip(1) {
        placed = placed.and(&sync.value.origin, format!("on {name} too"));
    }
    let mut argued = placed
        .because("a database, a mail server or a file server that calls fsync is told that its data is safe; it is in memory only, until the next transaction group is written (5 seconds by default, longer under load)")
        .because("the pool itself stays whole: after a power cut it is as it was some seconds before, which is why programs see a past that they had already confirmed to others")
        .impact(Impact::unmeasured("what is lost in a power cut"))
        .cost("what calls fsync waits for the disks again; on rotating disks that is slow, and a mirrored log device with power-loss protection is the remedy")
        .cost("the edit is for the next time the pool is made: disko sets properties only then, so run the commands too")
        .verify(format!("zfs get -r sync {}", pool.declared.name));
    let mut edits = Vec::new();
    for (name, _) in &off {
        argued = argued
            .command(
                format!("zfs set sync=standard {name}"),
                "sets it on the pool that runs",
            )
            .rollback(format!("zfs set sync=disabled {name}"));
        let set = pool
            .datasets()
            .find(|(_, it)| it.name == *name)
            .map(|(_, it)| &it.options.place);
        if let Some(place) = set {
            edits.push(LayoutEdit::Set {
                path: place.path.join("sync"),
                value: "standard".into(),
            });
        }
    }
    Ok(argued.change(EditReach::Live, edits))
}

/// Whether what a dataset holds is made again when it is lost, as its place or name says.
fn is_scratch(dataset: &Dataset) -> bool {
    let by_property = dataset.options.get("mountpoint").map(|it| &*it.value.value);
    let place = dataset.mountpoint.as_ref().map(|it| &*it.value).or(by_property);
    let last = dataset.name.rsplit('/').next().unwrap_or_default();
    place.is_some_and(|place| SCRATCH.contains(&place)) || SCRATCH.contains(&last)
}
