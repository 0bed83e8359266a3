//! How much memory ZFS's cache may take.

use source::Node;

use super::version;
use crate::metrics::{Felt, felt, share};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-arc-max-explicit",
    summary: "ZFS's cache may take nearly all memory beside something else that needs it",
    page: include_str!("arc_max_explicit.md"),
    severity: Severity::Info,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "zfs(4), zfs_arc_max",
            "https://openzfs.github.io/openzfs-docs/man/master/4/zfs.4.html",
        ),
        Source::new(
            "openzfs#15437: arc_default_max on Linux should match FreeBSD",
            "https://github.com/openzfs/zfs/pull/15437",
        ),
    ],
    verified: "OpenZFS 2.2.9, 2.3.0 and 2.4 sources",
};

/// What turns a desktop on, which needs memory of its own beside a filesystem, as services do.
const DESKTOP: [[&str; 3]; 2] = [
    ["services", "xserver", "enable"],
    ["services", "displayManager", "enable"],
];

/// Redis is not enabled as a whole: each of its servers is.
const REDIS_SERVERS: [&str; 3] = ["services", "redis", "servers"];

fn check(machine: &Machine) -> Known<Verdict> {
    let Some(pool) = machine.pools().next() else {
        return Ok(NotApplicable);
    };
    let version = version(machine)?;
    if !version.value.at_least(2, 3) {
        return Ok(NotApplicable);
    }
    if mentions(machine, &["boot", "kernelParams"]) || mentions(machine, &["boot", "extraModprobeConfig"]) {
        return Ok(Clear);
    }
    let memory = machine.facts.memory.size().ok_or_else(|| {
        Missing::new(
            "how much memory the machine has",
            "a facter.json, or `cat /proc/meminfo > meminfo`",
        )
    })?;
    let default = default_max(memory.value);
    let arc = machine.facts.arc.as_ref();
    let limit = arc.and_then(|arc| arc.max());
    // Someone set it where this program does not look.
    if limit.as_ref().is_some_and(|it| it.value.0 < default.0 / 10 * 9) {
        return Ok(Clear);
    }
    let size = arc.and_then(|arc| arc.size());
    let pressure = machine
        .facts
        .pressure
        .memory
        .as_ref()
        .filter(|it| felt(it) > Felt::Low)
        .and_then(|it| it.some.as_ref())
        .map(share);
    // Memory is short, and it is not the cache that holds it.
    if pressure.is_some() && size.as_ref().is_some_and(|it| it.value.0 < memory.value.0 / 4) {
        return Ok(Clear);
    }
    let Some((name, place)) = hungry(machine) else {
        return if machine.config.complete {
            Ok(NotApplicable)
        } else {
            Err(Missing::new(
                "what else on the machine needs memory",
                "name it: `--workload postgresql`, `libvirt`, `desktop` …",
            ))
        };
    };

    let half = Bytes(memory.value.0 / 2);
    let max = Bytes::gib((half.0 >> 30).max(1));
    let mut placed = Draft::new(
        "host",
        format!(
            "ZFS's cache may grow to {default} of {} beside {name}",
            memory.value
        ),
    )
    .at(
        &named_at(&pool.device.bindings, &pool.device.origin),
        "cached in memory without a limit of its own",
    )
    .and(&memory.origin, format!("{} of memory", memory.value))
    .and(
        &version.origin,
        "since 2.3 the limit is all memory but 1 GiB (or 5/8 of it if that is more); it was half before",
    );
    if let Some(place) = place {
        placed = placed.and(&place, "needs memory too");
    }
    if let Some(limit) = &limit {
        placed = placed.and(&limit.origin, format!("the limit in effect: {}", limit.value));
    }
    if let Some(size) = &size {
        placed = placed.and(&size.origin, format!("the cache holds {}", size.value));
    }
    let mut argued = match pressure {
        Some(share) => placed
            .and(&share.origin, "tasks wait for memory")
            .because("the cache gives memory back only when the kernel asks for it, and slower than programs take it; meanwhile they wait or are swapped out"),
        None => placed
            .because("the cache gives memory back only when the kernel asks for it, and slower than a program that starts or a database that grows takes it; until then it waits, swaps, or is killed"),
    };
    // Only what was measured on both sides is a bottleneck.
    argued = match (pressure, &size) {
        (Some(_), Some(_)) => argued.severity(Severity::Warning),
        _ => argued.confidence(Confidence::Likely),
    };
    let bytes = max.0;
    Ok(argued
        .impact(Impact::unmeasured("stalls when programs need memory quickly"))
        .cost(format!("a smaller cache means more reads from the disks; {max} is half of the memory, as before 2.3: work out your own from what {name} needs at its peak"))
        .command(
            format!("echo {bytes} > /sys/module/zfs/parameters/zfs_arc_max"),
            "sets it until the next boot; the cache shrinks as memory is asked for, not at once",
        )
        .verify("after the next boot: grep -E '^(c_max|size) ' /proc/spl/kstat/zfs/arcstats")
        .rollback("remove the parameter and reboot; on the running system the default cannot be asked for again")
        .setting(
            EditReach::Reboot,
            [NixosSetting {
                option: source::OptionPath::new(["boot", "kernelParams"]),
                value: serde_json::json!([format!("zfs.zfs_arc_max={bytes}")]),
                reason: format!("ZFS's cache up to {max}, half of the memory; since OpenZFS 2.3 the default is nearly all of it"),
            }],
        ))
}

/// `arc_default_max` of OpenZFS 2.3 and later: all memory but 1 GiB, or 5/8 of it if that is more.
fn default_max(memory: Bytes) -> Bytes {
    (memory - Bytes::gib(1)).max(Bytes(memory.0 / 8 * 5))
}

/// Whether an option, a text or a list of texts, sets `zfs_arc_max`.
fn mentions(machine: &Machine, option: &[&str]) -> bool {
    let named = |tree: &source::Tree| tree.as_str().is_some_and(|text| text.contains("zfs_arc_max"));
    machine.config.set(option).is_some_and(|tree| match &tree.node {
        Node::List(elements) => elements.iter().any(named),
        _ => named(tree),
    })
}

/// Something that needs memory beside ZFS, and where it is turned on if that is written.
fn hungry(machine: &Machine) -> Option<(&'static str, Option<source::Origin>)> {
    let by_service = || {
        let mut services = machine.services();
        services.find_map(|it| Some((it.name, Some(it.set?.origin.clone()))))
    };
    let desktop = || {
        let tree = DESKTOP.iter().find_map(|option| {
            let tree = machine.config.set(option)?;
            (tree.node == Node::Bool(true)).then_some(tree)
        })?;
        Some(("desktop", Some(tree.origin.clone())))
    };
    let redis = || Some(("redis", Some(redis_server(machine)?)));
    let said = || {
        let mut services = machine.services().map(|it| it.name).chain(["desktop", "redis"]);
        Some((services.find(|name| machine.runs(name))?, None))
    };
    by_service().or_else(desktop).or_else(redis).or_else(said)
}

/// Where the first server of Redis is turned on.
fn redis_server(machine: &Machine) -> Option<source::Origin> {
    let servers = machine.config.set(&REDIS_SERVERS)?.as_attrs()?;
    servers.values().find_map(|server| {
        let enable = server.tree.lookup(["enable"])?;
        (enable.node == Node::Bool(true)).then(|| enable.origin.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_nearly_all_memory() {
        assert_eq!(default_max(Bytes::gib(64)), Bytes::gib(63));
        assert_eq!(default_max(Bytes::gib(2)), Bytes::mib(1280));
        assert_eq!(default_max(Bytes(0)), Bytes(0));
    }
}
