//! Pools that are nearly full.

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-capacity",
    summary: "a pool that is nearly full",
    page: include_str!("capacity.md"),
    severity: Severity::Warning,
    check: Check::Host(check),
    sources: &[Source::new(
        "OpenZFS, workload tuning: free space",
        "https://openzfs.github.io/openzfs-docs/Performance%20and%20Tuning/Workload%20Tuning.html#free-space",
    )],
    verified: "OpenZFS 2.4 documentation",
};

fn check(machine: &Machine) -> Known<Verdict> {
    let pools = &machine.facts.zpools;
    if pools.is_empty() {
        return match machine.pools().next() {
            None => Ok(NotApplicable),
            Some(pool) => Err(Missing::new(
                format!("how full the pool {} is", pool.declared.name),
                "`zpool list -Hp > zpool-list.txt`",
            )),
        };
    }
    let full = |pool: &machine::Zpool| pool.capacity.as_ref().map_or(0.0, |it| it.value.0);
    let Some(pool) = pools.iter().max_by(|a, b| full(a).total_cmp(&full(b))) else {
        return Ok(NotApplicable);
    };
    let Some(capacity) = pool.capacity.as_ref().filter(|it| it.value > Percent(80.0)) else {
        return Ok(Clear);
    };
    let name = &pool.name.value;
    let (severity, meaning) = if capacity.value > Percent(95.0) {
        (
            Severity::Error,
            "writes are about to fail: ZFS keeps about a thirty-second of the pool for itself, and refuses ordinary writes when the rest is gone",
        )
    } else if capacity.value > Percent(90.0) {
        (
            Severity::Warning,
            "with less than a tenth free, more and more regions of the disks have only small gaps left, and ZFS searches for one that fits: writes become slow and scattered",
        )
    } else {
        (
            Severity::Info,
            "there is room still: OpenZFS's documentation asks for a tenth to be kept free, and new files scatter more as the gaps become smaller",
        )
    };
    let free = pool.free.as_ref();
    let message = match free {
        Some(free) => format!("the pool {name} is {} full, {} free", capacity.value, free.value),
        None => format!("the pool {name} is {} full", capacity.value),
    };
    let mut placed = Draft::new(name, message).at(&capacity.origin, "of the pool's raw space");
    for other in pools.iter().filter(|other| other.name.value != *name) {
        if let Some(capacity) = other.capacity.as_ref().filter(|it| it.value > Percent(80.0)) {
            placed = placed.and(
                &capacity.origin,
                format!("{} is {} full too", other.name.value, capacity.value),
            );
        }
    }
    Ok(placed
        .because(meaning)
        .severity(severity)
        .cost("what is deleted frees room only when no snapshot holds it any more")
        .verify(format!("zpool list {name}"))
        .advise(
            Reach::Live,
            format!("see what holds the space: zfs list -o space -r {name} (USEDSNAP is held by snapshots), and zfs list -t snapshot -s used; delete, or add disks"),
        ))
}
