//! Devices of a filesystem that are missing or reported errors.

use super::listed;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-dev-errors",
    summary: "a device of a btrfs filesystem is missing or reported errors",
    page: include_str!("dev_errors.md"),
    severity: Severity::Error,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "btrfs-device(8): stats",
        "https://btrfs.readthedocs.io/en/latest/btrfs-device.html",
    )],
    verified: "btrfs-progs 6.2 on Linux 6.1: a device overwritten, scrubbed and taken away; btrfs-progs 6.19",
};

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mountpoint = btrfs
        .deciding_mounts()
        .first()
        .map_or_else(|| "/".to_owned(), |it| it.mountpoint().to_owned());
    let usage = btrfs.usage();
    let missing = usage
        .and_then(|it| it.missing.as_ref())
        .filter(|it| it.value.0 > 0);
    if btrfs.device_counters().is_empty() && missing.is_none() {
        return Err(Missing::new(
            format!("whether the devices of {} reported errors", btrfs.subject()),
            format!("`btrfs device stats {mountpoint} > btrfs-device-stats.txt` as root"),
        ));
    }
    let faulty = btrfs.faulty_devices();
    let mut faults = faulty.iter().flat_map(|device| {
        device
            .faults()
            .map(|(name, count)| (&*device.device.value, name, count))
    });
    let first = faults.next();
    let rest: Vec<_> = faults.collect();

    let mut told: Vec<String> = Vec::new();
    if let Some(missing) = missing {
        told.push(format!("a device of {} is missing", missing.value));
    }
    told.extend(faulty.iter().map(|device| {
        let counts: Vec<String> = device
            .faults()
            .map(|(name, count)| counted(count.value, name))
            .collect();
        format!("{} reported {}", named(&device.device.value), listed(&counts))
    }));
    let drafted = Draft::new(btrfs.subject(), listed(&told));
    let mut placed = match (missing, first) {
        (Some(missing), _) => drafted.at(&missing.origin, "what the missing device had"),
        (None, Some((device, name, count))) => drafted.at(&count.origin, label(device, name)),
        (None, None) => return Ok(Clear),
    };
    let told_first = first.filter(|_| missing.is_some());
    for (device, name, count) in told_first.iter().chain(&rest) {
        placed = placed.and(&count.origin, label(device, name));
    }
    let has = |kind: &str| first.iter().chain(&rest).any(|(_, name, _)| *name == kind);
    let mut argued = match missing {
        Some(_) => placed.because("what lay on the missing device has one copy less, or none; what is written meanwhile may get one copy only, and stays so until a balance"),
        None => placed.because("the counters only ever grow until they are reset: they tell that it happened, not when"),
    };
    if has("corruption errors") {
        argued = argued.because("a block whose checksum is wrong was changed after it was written: by the disk, by its cable, or by faulty memory");
    }
    if has("generation errors") {
        argued = argued.because("a block that is older than it should be tells of a write that was reported as done and was not: a disk that keeps writes in its cache against orders, or a power failure");
    }
    if has("read errors") || has("write errors") || has("flush errors") {
        argued = argued
            .because("reads, writes or flushes that failed point to the disk, its cable or its controller");
    }
    argued = argued
        .because("advice about speed is held back for this filesystem until that is settled")
        .cost("a scrub reads everything that is stored, which takes hours on a large disk");
    if missing.is_some() {
        // Its number stands where the counters have no name for it.
        let number = btrfs
            .device_counters()
            .iter()
            .find_map(|it| it.device.value.strip_prefix("devid:").map(str::to_owned));
        argued = argued
            .command(
                format!("btrfs filesystem show {mountpoint}"),
                "the numbers of the devices, with the one that is missing",
            )
            .command(
                format!(
                    "btrfs replace start {} /dev/NEW {mountpoint}",
                    number.as_deref().unwrap_or("NUMBER")
                ),
                "puts a new device in the place of the missing one, where it cannot be connected again",
            );
    }
    argued = argued
        .command(
            format!("btrfs scrub start -B {mountpoint}"),
            "reads everything, and repairs what has a good second copy; `dmesg` then names the files that could not be repaired",
        );
    for device in faulty.iter().filter(|it| it.device.value.starts_with('/')) {
        argued = argued.command(
            format!("smartctl -x {}", device.device.value),
            "what the disk itself says; a growing count of CRC errors points to the cable",
        );
    }
    Ok(argued
        .verify(format!(
            "after the cause is gone: btrfs device stats --reset {mountpoint}, and all stay 0"
        ))
        .rollback("none is needed: nothing is changed")
        .advise(
            Reach::Live,
            match missing {
                Some(_) => "bring the backup up to date first; then connect the missing device again or replace it, before anything is tuned",
                None => "bring the backup up to date first; then find the cause, before anything is tuned",
            },
        ))
}

/// "1 read error", "3 read errors".
fn counted(count: u64, name: &str) -> String {
    match count {
        1 => format!("1 {}", name.trim_end_matches('s')),
        _ => format!("{count} {name}"),
    }
}

fn label(device: &str, name: &str) -> String {
    format!("{name} of {}", named(device))
}

/// A device in a sentence: one that is missing has only a number.
fn named(device: &str) -> String {
    match device.strip_prefix("devid:") {
        Some(number) => format!("the missing device {number}"),
        None => device.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_error_is_singular() {
        assert_eq!(super::counted(1, "read errors"), "1 read error");
        assert_eq!(super::counted(2, "read errors"), "2 read errors");
    }
}
