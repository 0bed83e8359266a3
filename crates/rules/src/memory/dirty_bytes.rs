//! How much may wait in memory to be written to a slow disk.

use super::{SYSCTL_VM, set_sysctl, size, sysctl};
use crate::luks::{a_medium, confidence};
use crate::metrics::{Felt, fault, felt, memory_is_short, share};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "vm-dirty-bytes",
    summary: "more waits to be written than a slow disk can take in seconds, and everything stalls",
    page: include_str!("dirty_bytes.md"),
    severity: Severity::Warning,
    check: Check::Host(check),
    sources: &[
        SYSCTL_VM,
        Source::new(
            "PSI, pressure stall information",
            "https://docs.kernel.org/accounting/psi.html",
        ),
    ],
    verified: "Linux 6.18: defaults read on a stock kernel",
};

/// From this much on a fifth of the memory is more than a hard disk writes in ten seconds.
const LARGE: Bytes = Bytes::gib(8);

/// More than this waiting to be written keeps a hard disk busy for seconds.
const BACKLOG: Bytes = Bytes::gib(1);

const KEYS: [&str; 4] = [
    "vm.dirty_bytes",
    "vm.dirty_background_bytes",
    "vm.dirty_ratio",
    "vm.dirty_background_ratio",
];

fn check(machine: &Machine) -> Known<Verdict> {
    let slow = slow_disk(machine);
    if let Ok(None) = slow {
        return Ok(NotApplicable);
    }
    if sysctl(machine, "vm.dirty_bytes").is_some() {
        return Ok(Clear);
    }
    let Some(pressure) = machine.facts.pressure.io.as_ref() else {
        return Err(Missing::new(
            "whether anything stalls on the disks",
            "`cat /proc/pressure/io > psi-io` during a stall",
        ));
    };
    let stalls = pressure
        .full
        .as_ref()
        .map(share)
        .filter(|share| share.value > Percent(5.0));
    let Some(stalls) = stalls.filter(|_| felt(pressure) > Felt::Low) else {
        return Ok(Clear);
    };
    // Short memory and failing disks stall as well, and are no matter of writeback.
    if memory_is_short(machine) == Some(true) || fault(machine).is_some() {
        return Ok(Clear);
    }
    let memory = size(machine)?;
    if memory.value < LARGE {
        return Ok(NotApplicable);
    }
    let Some(slow) = slow? else {
        return Ok(NotApplicable);
    };
    let Some(backlog) = backlog(machine, &slow)? else {
        return Ok(Clear);
    };

    let percent = match sysctl(machine, "vm.dirty_ratio").map(|tree| &tree.node) {
        Some(source::Node::Int(set)) => u64::try_from(*set).unwrap_or(20).min(100),
        _ => 20,
    };
    let limit = Bytes(memory.value.0 / 100 * percent);
    let measured = pressure.full.as_ref().is_some_and(|it| it.interval.is_some());
    let time = if measured {
        "the time between the samples"
    } else {
        "the last minute"
    };
    let small = slow.media.value == Media::Mmc;
    let (background, most) = if small {
        (Bytes::mib(64), Bytes::mib(256))
    } else {
        (Bytes::mib(256), Bytes::gib(1))
    };
    let mut placed = Draft::new(
        "host",
        format!(
            "for {} of {time} everything stood still: up to {limit} may pile up in memory before writers to {} are slowed down",
            stalls.value, slow.name
        ),
    )
    .at(&stalls.origin, "every task that had work to do waited")
        .and(&backlog.0, backlog.1)
    .and(&slow.media.origin, format!("{} is {}", slow.name, a_medium(slow.media.value)))
    .and(&memory.origin, format!("{} of memory, of which up to {percent} % may wait to be written", memory.value));
    let ratios: Vec<_> = KEYS
        .iter()
        .filter(|key| key.ends_with("ratio"))
        .filter_map(|key| Some((*key, sysctl(machine, key)?)))
        .collect();
    for (key, tree) in &ratios {
        placed = placed.and(&tree.origin, format!("`{key}` is set here"));
    }
    let argued = placed
        .because(format!("the kernel lets programs write into memory until {percent} % of what is available waits to be written; {} then needs long for that, and meanwhile whoever reads or syncs waits behind it", slow.name))
        .because("a limit in bytes slows the writer down early instead, and keeps the queue short for everyone else")
        .confidence(confidence(slow.sure).min(Confidence::Likely))
        .impact(Impact::unmeasured("the longest stall during large writes"))
        .cost("a burst that fitted into memory before (unpacking, copying) now runs at the disk's speed")
        .cost("bytes and ratio exclude each other in the kernel: if another file sets vm.dirty_ratio or vm.dirty_background_ratio, take that out")
        .verify("grep -E '^(Dirty|Writeback):' /proc/meminfo and cat /proc/pressure/io during the same work")
        .rollback("sysctl -w vm.dirty_ratio=20 vm.dirty_background_ratio=10 (the kernel's defaults; they zero the bytes)");
    let command = format!(
        "sysctl -w vm.dirty_background_bytes={} vm.dirty_bytes={}",
        background.0, most.0
    );
    let argued = argued.command(command, "tries it at once, until the next boot");
    if !ratios.is_empty() {
        return Ok(argued.advise(
            Reach::Live,
            format!(
                "put `\"vm.dirty_bytes\" = {}` and `\"vm.dirty_background_bytes\" = {}` in the place of the ratios: of the two kinds the one that is set last counts",
                most.0, background.0
            ),
        ));
    }
    let mut settings = vec![set_sysctl(
        "vm.dirty_bytes",
        most.0,
        format!("writers wait from {most} on; the default is 20 % of memory, up to {limit} here"),
    )];
    if sysctl(machine, "vm.dirty_background_bytes").is_none() {
        settings.push(set_sysctl(
            "vm.dirty_background_bytes",
            background.0,
            format!("writing starts at {background}; the default is 10 % of memory"),
        ));
    }
    Ok(argued.setting(EditReach::Live, settings))
}

/// A slow disk that the page cache writes to.
struct Slow {
    name: String,
    media: Sourced<Media>,
    sure: Sureness,
    write_bound: Option<(bool, source::Origin)>,
}

/// The first slow disk that is not all ZFS's: OpenZFS keeps accounts of its own for what is dirty.
fn slow_disk(machine: &Machine) -> Known<Option<Slow>> {
    let candidates = machine.disks().filter(|disk| !disk.holds_zfs());
    let found = find_known(
        candidates.map(|disk| disk.media().map(|(media, sure)| (disk, media, sure))),
        |(_, media, _)| matches!(media.value, Media::Hdd | Media::Mmc),
    )?;
    Ok(found.map(|(disk, media, sure)| {
        let io = machine
            .facts
            .io_of(&disk.name())
            .filter(|io| io.window == Window::Intervals);
        let write_bound = io.and_then(|io| {
            let (reads, writes) = (io.read_rate.as_ref()?, io.write_rate.as_ref()?);
            Some((writes.value.mean.0 > reads.value.mean.0, writes.origin.clone()))
        });
        Slow {
            name: disk.name(),
            media,
            sure,
            write_bound,
        }
    }))
}

/// What shows that writes are what the machine waits for: memory that waits to be written, or a
/// disk that mostly writes. `None` when measurements show that they are not.
fn backlog(machine: &Machine, slow: &Slow) -> Known<Option<(source::Origin, String)>> {
    let memory = &machine.facts.memory;
    if let Some(dirty) = &memory.dirty {
        let writeback = memory.writeback.as_ref().map_or(Bytes(0), |it| it.value);
        let waits = dirty.value + writeback;
        if waits >= BACKLOG {
            return Ok(Some((
                dirty.origin.clone(),
                format!("with what is being written: {waits} waits for the disk"),
            )));
        }
    }
    match (&slow.write_bound, &memory.dirty) {
        (Some((true, origin)), None) => Ok(Some((
            origin.clone(),
            format!("{} writes more than it reads", slow.name),
        ))),
        (Some(_), _) | (None, Some(_)) => Ok(None),
        (None, None) => Err(Missing::new(
            "how much waits to be written",
            "`cat /proc/meminfo > meminfo` during a stall",
        )),
    }
}
