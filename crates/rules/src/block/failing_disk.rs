//! Disks that say, or of which the kernel says, that they fail.

use machine::facts::{KernelTrouble, TroubleKind};

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "blk-failing-disk",
    summary: "a disk that reports errors or is worn out",
    page: include_str!("failing_disk.md"),
    severity: Severity::Error,
    check: Check::Disk(check),
    sources: &[
        Source::new(
            "smartctl(8)",
            "https://man7.org/linux/man-pages/man8/smartctl.8.html",
        ),
        Source::new(
            "NVM Express Base Specification 2.0, SMART / Health Information log page",
            "https://nvmexpress.org/specifications/",
        ),
    ],
    verified: "smartmontools 7.3, nvme-cli 2.3, Linux 6.18",
};

/// From here on an SSD is near the end of what its maker promised, in per cent.
const WORN: Percent = Percent(90.0);

/// Why what cannot be read matters.
const UNREAD: &str = "sectors that cannot be read are data that is lost, unless another disk has a copy";

/// A sign of a fault.
struct Sign {
    origin: source::Origin,
    text: String,
    severity: Severity,
    because: &'static str,
}

fn check(disk: Disk<'_>) -> Known<Verdict> {
    if !disk.machine().is_observed() {
        return Ok(NotApplicable);
    }
    let facts = &disk.machine().facts;
    let name = disk.name();
    let mut signs: Vec<Sign> = disk.observed.map(by_itself).unwrap_or_default();
    signs.extend(facts.troubles_of(&name).filter_map(by_kernel));
    let Some(worst) = signs.iter().map(|sign| sign.severity).max() else {
        let told = disk.observed.is_some_and(|it| {
            let health = &it.health;
            health.passed.is_some() || health.critical_warning.is_some()
        });
        return match told {
            true => Ok(Clear),
            false if !tells(&disk) => Ok(NotApplicable),
            false => Err(Missing::new(
                format!("whether {name} is healthy"),
                format!("`smartctl -x -j {} > smartctl.json` as root", device(&name)),
            )),
        };
    };
    signs.sort_by_key(|sign| std::cmp::Reverse(sign.severity));
    let texts: Vec<&str> = signs.iter().map(|sign| &*sign.text).collect();
    let message = match worst {
        Severity::Error => format!("{name} is failing: {}", crate::btrfs::listed(&texts)),
        _ => format!("{name} needs a look: {}", crate::btrfs::listed(&texts)),
    };
    let mut signs = signs.iter();
    let Some(first) = signs.next() else {
        return Ok(Clear);
    };
    let mut placed = Draft::new(disk.subject(), message).at(&first.origin, first.text.clone());
    let mut reasons = vec![first.because];
    for sign in signs {
        placed = placed.and(&sign.origin, sign.text.clone());
        if !reasons.contains(&sign.because) {
            reasons.push(sign.because);
        }
    }
    let mut argued = placed.because("a disk that retries or fails is slow in ways that no setting mends, and what is measured meanwhile says nothing of how it should be tuned");
    for reason in reasons {
        argued = argued.because(reason);
    }
    if let Some(inferred) = disk.inferred() {
        argued = argued.because(inferred);
    }
    let advice = match worst {
        Severity::Error => "bring the backup up to date first; then replace the disk",
        _ => {
            "bring the backup up to date and see whether the figures grow: then replace the disk, or its cable where only transfers broke"
        }
    };
    Ok(argued
        .severity(worst)
        .cost("none: the disk is only asked")
        .command(
            format!("smartctl -x {}", device(&name)),
            "all that the disk says of itself, with its log of errors",
        )
        .verify("the figures no longer grow, and dmesg stays quiet")
        .rollback("none is needed: nothing is changed")
        .advise(Reach::Live, advice))
}

/// Whether the disk can be asked: it is there, as far as is known, and no virtual one.
fn tells(disk: &Disk<'_>) -> bool {
    let facts = &disk.machine().facts;
    let is_there = disk.observed.is_some() || !facts.disks.iter().any(machine::facts::DiskFacts::is_disk);
    let transport = disk.observed.and_then(|it| it.transport.as_ref());
    let is_virtual = facts.is_virtual() == Some(true)
        || transport.is_some_and(|it| matches!(it.value, Transport::Virtio | Transport::Network))
        || ["/dev/vd", "/dev/xvd", "vd", "xvd"]
            .iter()
            .any(|prefix| disk.name().starts_with(prefix));
    is_there && !is_virtual
}

/// The device file of a disk by its name.
fn device(name: &str) -> String {
    format!("/dev/{}", name.strip_prefix("/dev/").unwrap_or(name))
}

/// What the disk says of itself.
fn by_itself(disk: &machine::facts::DiskFacts) -> Vec<Sign> {
    let health = &disk.health;
    let mut signs = Vec::new();
    let mut sign = |origin: &source::Origin, text: String, severity, because| {
        signs.push(Sign {
            origin: origin.clone(),
            text,
            severity,
            because,
        });
    };
    const ITSELF: &str = "a disk says so late: of those that fail, many never do";
    if let Some(passed) = health.passed.as_ref().filter(|it| !it.value) {
        sign(
            &passed.origin,
            "its own assessment is that it fails".into(),
            Severity::Error,
            ITSELF,
        );
    }
    if let Some(warning) = health.critical_warning.as_ref().filter(|it| it.value > 0) {
        sign(
            &warning.origin,
            format!("critical warning {:#04x}", warning.value),
            Severity::Error,
            "the bits are, from the lowest: few spare blocks, temperature, reliability, read-only, failed backup of its memory",
        );
    }
    for failed in &health.failed_attributes {
        sign(
            &failed.origin,
            format!("{} is, or was, below its threshold", failed.value),
            Severity::Error,
            ITSELF,
        );
    }
    for (count, what) in [
        (&health.pending, "pending sectors"),
        (&health.uncorrectable, "uncorrectable errors"),
    ] {
        if let Some(count) = count.as_ref().filter(|it| it.value > 0) {
            sign(
                &count.origin,
                format!("{} {what}", count.value),
                Severity::Error,
                UNREAD,
            );
        }
    }
    if let Some(count) = health.reallocated.as_ref().filter(|it| it.value > 0) {
        sign(
            &count.origin,
            format!("{} reallocated sectors", count.value),
            Severity::Warning,
            "a disk that has begun to replace sectors often goes on: what counts is whether the figure grows",
        );
    }
    if let Some(count) = health.transfer_errors.as_ref().filter(|it| it.value > 0) {
        sign(
            &count.origin,
            format!("{} broken transfers", count.value),
            Severity::Warning,
            "transfers break on the way: mostly it is the cable or its plug; the count never goes back, so only growth matters",
        );
    }
    if let Some(used) = health.used.as_ref().filter(|it| it.value >= WORN) {
        sign(
            &used.origin,
            format!("{} of its rated life is used", used.value),
            Severity::Warning,
            "the maker promises no more writes than that; disks often last longer, without a promise",
        );
    }
    signs
}

/// What the kernel's log says of it.
fn by_kernel(trouble: &KernelTrouble) -> Option<Sign> {
    let (severity, because) = match trouble.kind {
        TroubleKind::MediumError => (Severity::Error, UNREAD),
        TroubleKind::IoError => (
            Severity::Error,
            "a request that fails reaches the filesystem as lost data or a lost write",
        ),
        TroubleKind::ControllerDown => (
            Severity::Error,
            "a disk that drops out takes its filesystem with it; power saving of the link is a common cause with NVMe",
        ),
        TroubleKind::Timeout => (
            Severity::Warning,
            "a request without an answer holds up everything behind it, for up to half a minute",
        ),
        TroubleKind::CommandFailed | TroubleKind::LinkReset => (
            Severity::Warning,
            "commands that are repeated and links that are reset are seconds of standstill: mostly it is the cable, its plug or the power",
        ),
        _ => return None,
    };
    Some(Sign {
        origin: trouble.last.origin.clone(),
        // The kernel tells one failure in several lines, and leaves lines out of a flood.
        text: match trouble.count {
            1 => format!("{}, in the kernel's log", trouble.kind),
            count => format!("{}, in {count} lines of the kernel's log", trouble.kind),
        },
        severity,
        because,
    })
}
