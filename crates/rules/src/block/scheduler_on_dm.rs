//! Schedulers for devices that have none.

use source::Node;

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "blk-scheduler-on-dm",
    summary: "an I/O scheduler for a device that queues nothing itself",
    page: include_str!("scheduler_on_dm.md"),
    severity: Severity::Info,
    check: Check::Host(check),
    sources: &[Source::new(
        "Linux, block layer: multi-queue",
        "https://docs.kernel.org/block/blk-mq.html",
    )],
    verified: "Linux 6.18 documentation",
};

const OPTION: [&str; 3] = ["hardware", "block", "scheduler"];

/// Names of devices that hand each request on as it comes, and what they are.
const THROUGH: &[(&str, &str)] = &[
    ("dm-", "device mapper: LUKS, LVM"),
    ("md", "software RAID"),
    ("zram", "compressed memory"),
    ("bcache", "a cache over another disk"),
];

fn check(machine: &Machine) -> Known<Verdict> {
    let Some(tree) = machine.config.options.as_ref().and_then(|it| it.lookup(OPTION)) else {
        return Ok(NotApplicable);
    };
    if let Node::Unknown(unknown) = &tree.node {
        return Err(Missing::new(
            "what `hardware.block.scheduler` is",
            format!("give `{}`: {}", unknown.name, unknown.because),
        ));
    }
    let Some(attrs) = tree.as_attrs().filter(|it| !it.is_empty()) else {
        return Ok(NotApplicable);
    };
    let bad: Vec<_> = attrs
        .iter()
        .filter_map(|(pattern, attr)| {
            let (_, what) = THROUGH.iter().find(|(prefix, _)| pattern.starts_with(prefix))?;
            let chosen = attr.tree.as_str()?;
            (chosen != "none").then(|| (pattern, named_at(&attr.bindings, &attr.tree.origin), what))
        })
        .collect();
    let Some((pattern, origin, what)) = bad.first() else {
        return Ok(Clear);
    };
    let mut placed = Draft::new(
        format!("hardware.block.scheduler.\"{pattern}\""),
        format!("a scheduler for `{pattern}` does nothing: such a device queues nothing itself"),
    )
    .at(origin, **what);
    for (_, origin, what) in bad.iter().skip(1) {
        placed = placed.and(origin, **what);
    }
    Ok(placed
        .because("requests go through such a device to the disks below it, and are sorted there; the kernel has no scheduler but `none` for a driver that has no queue of its own")
        .because("what was meant to be tuned is not: the disks below keep their own scheduler")
        .confidence(Confidence::Likely)
        .cost("none; only a multipath device that queues requests itself (`queue_mode rq`) has a scheduler that counts")
        .verify("grep . /sys/block/*/queue/scheduler")
        .rollback("put the setting back; nothing changes")
        .advise(
            Reach::Live,
            "take the setting out, and name the disks below instead (`sd[a-z]*`, `nvme[0-9]*`) if they need another scheduler than they have",
        ))
}
