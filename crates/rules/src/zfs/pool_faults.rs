//! Pools that are not whole.

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-pool-faults",
    summary: "a pool that lacks a disk or counts errors",
    page: include_str!("pool_faults.md"),
    severity: Severity::Error,
    check: Check::Host(check),
    sources: &[Source::new(
        "zpool-status(8)",
        "https://openzfs.github.io/openzfs-docs/man/master/8/zpool-status.8.html",
    )],
    verified: "OpenZFS 2.3.2: pools with disks that were taken offline, overwritten, unreadable and removed; OpenZFS 2.4 documentation",
};

const DAMAGED: &str = "data is damaged beyond repair";

/// What is wrong with a pool: the line that shows it, and what it says.
fn faults(pool: &machine::facts::ZpoolStatus) -> Vec<(&source::Origin, String)> {
    let mut faults = Vec::new();
    if let Some(state) = pool.state.as_ref().filter(|it| &*it.value != "ONLINE") {
        faults.push((&state.origin, format!("it is {}", state.value)));
    }
    if let Some(errors) = pool.errors.as_ref().filter(|it| tells_damage(&it.value)) {
        faults.push((&errors.origin, DAMAGED.to_owned()));
    }
    // Parts of the pool only: what the pool and its groups count comes from them.
    for vdev in pool.vdevs.iter().filter(|it| it.depth > 0) {
        for (count, what) in [
            (&vdev.read, "failed reads"),
            (&vdev.write, "failed writes"),
            (&vdev.checksum, "wrong checksums"),
        ] {
            if let Some(count) = count.as_ref().filter(|it| it.value > 0) {
                faults.push((
                    &count.origin,
                    format!("{} {what} of {}", count.value, vdev.name.value),
                ));
            }
        }
        if let Some(state) = vdev.state.as_ref().filter(|_| is_gone(vdev)) {
            faults.push((&state.origin, format!("{} is {}", vdev.name.value, state.value)));
        }
    }
    faults
}

/// Whether the line of errors tells of damaged data: `3 data errors, use '-v' for a list`, or the
/// heading of that list. It may also say that nobody knows: `List of errors unavailable: …`.
fn tells_damage(errors: &str) -> bool {
    let counted = errors.split_once(" data errors").map(|(count, _)| count.parse());
    matches!(counted, Some(Ok(1_u64..))) || errors.starts_with("Permanent errors have been detected")
}

/// Whether a pool itself is not as it should be, and not only a counter of one of its disks.
fn is_hurt(pool: &machine::facts::ZpoolStatus) -> bool {
    pool.state.as_ref().is_some_and(|it| &*it.value != "ONLINE")
        || pool.errors.as_ref().is_some_and(|it| tells_damage(&it.value))
}

/// Whether a pool waits for its disks.
fn is_suspended(pool: &machine::facts::ZpoolStatus) -> bool {
    pool.state.as_ref().is_some_and(|it| &*it.value == "SUSPENDED")
}

/// Whether a part of a pool does not work at all.
fn is_gone(vdev: &machine::facts::Vdev) -> bool {
    let gone = |state: &str| matches!(state, "FAULTED" | "UNAVAIL" | "REMOVED" | "OFFLINE");
    vdev.state.as_ref().is_some_and(|it| gone(&it.value))
}

/// The resilver that is under way. When the new disk is gone too, its group is, and ZFS goes on to say
/// that the resilver is in progress.
fn resilver(pool: &machine::facts::ZpoolStatus) -> Option<&source::Sourced<std::sync::Arc<str>>> {
    let replacing = |vdev: &machine::facts::Vdev| {
        ["replacing-", "spare-"]
            .iter()
            .any(|group| vdev.name.value.starts_with(group))
    };
    let stuck = pool.vdevs.iter().any(|vdev| replacing(vdev) && is_gone(vdev));
    let scan = pool.scan.as_ref().filter(|_| !stuck);
    scan.filter(|it| it.value.starts_with("resilver in progress"))
}

fn check(machine: &Machine) -> Known<Verdict> {
    let pools = &machine.facts.zpool_status;
    if pools.is_empty() {
        return match machine.pools().next() {
            Some(pool) if machine.is_observed() => Err(Missing::new(
                format!("whether the pool {} is whole", pool.declared.name),
                "`zpool status -p > zpool-status.txt`",
            )),
            _ => Ok(NotApplicable),
        };
    }
    let mut found: Vec<_> = pools
        .iter()
        .filter_map(|pool| {
            let faults = faults(pool);
            Some((pool, faults.first().cloned()?, faults))
        })
        .collect();
    // What stands still comes first, and then what nobody mends yet.
    found.sort_by_key(|(pool, ..)| (!is_suspended(pool), !is_hurt(pool), resilver(pool).is_some()));
    let mut found = found.into_iter();
    let Some((pool, (origin, text), faults)) = found.next() else {
        return Ok(Clear);
    };
    let name = &pool.pool.value;
    let texts: Vec<&str> = faults.iter().map(|(_, text)| &**text).collect();
    let lost = pool.state.as_ref().is_some_and(|it| &*it.value != "ONLINE");
    let damaged = texts.contains(&DAMAGED);
    let what = match lost || damaged {
        true => "is not whole",
        false => "counts errors",
    };
    let mut placed = Draft::new(
        name,
        format!("the pool {name} {what}: {}", crate::btrfs::listed(&texts)),
    )
    .at(origin, text);
    for (origin, text) in faults.iter().skip(1) {
        placed = placed.and(origin, text.clone());
    }
    for (other, (origin, text), _) in found {
        placed = placed.and(origin, format!("the pool {} too: {text}", other.pool.value));
    }
    if is_suspended(pool) {
        return Ok(placed
            .because("OpenZFS lost more disks of the pool than it can do without, and holds every write back until they are there again: what waits for the pool cannot even be killed")
            .cost("what was written last is lost where the disks do not come back before the machine is started anew")
            .command(format!("zpool status -v {name}"), "the disks that do not answer")
            .command(
                format!("zpool clear {name}"),
                "after they are connected again: goes on where it stopped",
            )
            .verify(format!("zpool status {name}: the pool is ONLINE, and a scrub finds nothing"))
            .rollback("none is needed: nothing is changed")
            .advise(
                Reach::Live,
                "connect the disks again (cable, power, controller) before the machine is started anew, then clear the pool and scrub it",
            ));
    }
    let resilver = resilver(pool);
    if let Some(resilver) = resilver {
        placed = placed.and(&resilver.origin, "a disk is being filled from the others");
    }
    let mut argued = placed
        .because("advice about speed has to wait: a disk that fails slows its whole group, and a resilver reads all of it");
    if damaged {
        argued =
            argued.because("`zpool status -v` names the damaged files: they come back from the backup only");
    }
    if lost {
        argued = argued.because(
            "with fewer disks than it should have, the pool may not survive the next one that fails",
        );
    }
    if !lost && !damaged {
        argued = argued
            .because("ZFS repaired what it counts here from another copy; the counters stay until `zpool clear`, so what matters is whether they grow")
            .severity(Severity::Warning);
    }
    if resilver.is_some() {
        return Ok(argued
            .severity(Severity::Warning)
            .cost("the resilver takes time from everything else until it is done")
            .verify(format!(
                "zpool status {name}: the resilver is done, and the pool ONLINE"
            ))
            .rollback("none is needed: nothing is changed")
            .advise(
                Reach::Live,
                "let the resilver finish, and bring the backup up to date meanwhile",
            ));
    }
    Ok(argued
        .cost("a scrub reads everything that is stored, which takes hours on large disks")
        .command(
            format!("zpool status -v {name}"),
            "names the damaged files and the disks that are concerned",
        )
        .command(
            format!("zpool scrub {name}"),
            "reads everything, and repairs what has a good second copy",
        )
        .verify(format!("after the cause is gone: zpool clear {name}, a scrub, and all counters stay 0"))
        .rollback("none is needed: nothing is changed")
        .advise(
            Reach::Live,
            format!("bring the backup up to date first; then find the cause (disk, cable, memory), and replace what failed: zpool replace {name} OLD NEW"),
        ))
}
