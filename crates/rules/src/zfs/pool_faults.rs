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
    verified: "OpenZFS 2.4 documentation",
};

const DAMAGED: &str = "data is damaged beyond repair";

/// What is wrong with a pool: the line that shows it, and what it says.
fn faults(pool: &machine::facts::ZpoolStatus) -> Vec<(&source::Origin, String)> {
    let mut faults = Vec::new();
    if let Some(state) = pool.state.as_ref().filter(|it| &*it.value != "ONLINE") {
        faults.push((&state.origin, format!("it is {}", state.value)));
    }
    let data = |text: &str| text != "No known data errors" && !text.is_empty();
    if let Some(errors) = pool.errors.as_ref().filter(|it| data(&it.value)) {
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
        let gone = |state: &str| matches!(state, "FAULTED" | "UNAVAIL" | "REMOVED" | "OFFLINE");
        if let Some(state) = vdev.state.as_ref().filter(|it| gone(&it.value)) {
            faults.push((&state.origin, format!("{} is {}", vdev.name.value, state.value)));
        }
    }
    faults
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
    let found = pools.iter().find_map(|pool| {
        let faults = faults(pool);
        Some((pool, faults.first().cloned()?, faults))
    });
    let Some((pool, (origin, text), faults)) = found else {
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
