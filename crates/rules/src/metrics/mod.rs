//! What measurements say by themselves.

use machine::facts::TroubleKind;
use machine::{Machine, Pressure, Stall};
use source::{Origin, Percent, Sourced};

pub(crate) mod psi_io;

/// From these shares of the time on, `some` and `full`, pressure is felt, and is high.
const FELT: (Percent, Percent) = (Percent(10.0), Percent(5.0));
const HIGH: (Percent, Percent) = (Percent(30.0), Percent(15.0));

/// How much pressure there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Felt {
    /// Not worth a word.
    Low,
    /// Felt by who works there.
    Noticeable,
    /// High.
    High,
}

/// The share to judge by: measured between two samples where there were two, else the last minute's.
pub(crate) fn share(stall: &Stall) -> &Sourced<Percent> {
    stall.interval.as_ref().unwrap_or(&stall.avg60)
}

/// How much pressure a resource is under.
pub(crate) fn felt(pressure: &Pressure) -> Felt {
    let above = |limits: (Percent, Percent)| {
        let over = |stall: &Option<Stall>, limit| stall.as_ref().is_some_and(|it| share(it).value > limit);
        over(&pressure.some, limits.0) || over(&pressure.full, limits.1)
    };
    if above(HIGH) {
        Felt::High
    } else if above(FELT) {
        Felt::Noticeable
    } else {
        Felt::Low
    }
}

/// Whether tasks wait for memory; `None` when nothing told.
pub(crate) fn memory_is_short(machine: &Machine) -> Option<bool> {
    machine
        .facts
        .pressure
        .memory
        .as_ref()
        .map(|it| felt(it) > Felt::Low)
}

/// The first sign of a fault: errors that a filesystem counted, a pool or an array that is not whole, a
/// disk that says that it fails, or one of which the kernel's log says so.
/// Advice on speed has to wait for it.
pub(crate) fn fault(machine: &Machine) -> Option<(Origin, String)> {
    let facts = &machine.facts;
    let by_btrfs = || {
        facts.btrfs_errors.iter().find_map(|device| {
            let (name, count) = device.faults().next()?;
            Some((
                count.origin.clone(),
                format!("{} has {} {name}", device.device.value, count.value),
            ))
        })
    };
    let by_zfs = || {
        facts.zpool_status.iter().find_map(|pool| {
            let state = pool.state.as_ref().filter(|it| &*it.value != "ONLINE")?;
            Some((
                state.origin.clone(),
                format!("the pool {} is {}", pool.pool.value, state.value),
            ))
        })
    };
    let by_md = || {
        facts.md.iter().find_map(|array| {
            array.is_degraded().filter(|it| it.value)?;
            Some((
                array.working.as_ref()?.origin.clone(),
                format!("the array {} lacks a device", array.name.value),
            ))
        })
    };
    let by_disk = || {
        facts.disks.iter().filter(|disk| disk.is_disk()).find_map(|disk| {
            let health = &disk.health;
            let failed = health.passed.as_ref().filter(|it| !it.value).map(|it| &it.origin);
            let warned = health.critical_warning.as_ref().filter(|it| it.value > 0);
            let origin = failed.or(warned.map(|it| &it.origin))?;
            Some((
                origin.clone(),
                format!("{} says that it is failing", disk.shown_name()),
            ))
        })
    };
    let by_kernel = || {
        // Empty drives and loop devices fail requests every day.
        let is_disk = |name: &str| {
            ["sd", "nvme", "vd", "xvd", "mmcblk"]
                .iter()
                .any(|it| name.starts_with(it))
        };
        let trouble = facts
            .kernel_log
            .iter()
            .filter(|it| is_disk(&it.subject))
            .find(|it| {
                matches!(
                    it.kind,
                    TroubleKind::IoError | TroubleKind::MediumError | TroubleKind::ControllerDown
                )
            })?;
        Some((
            trouble.last.origin.clone(),
            format!("{} has {} {}", trouble.subject, trouble.count, trouble.kind),
        ))
    };
    by_btrfs()
        .or_else(by_zfs)
        .or_else(by_md)
        .or_else(by_disk)
        .or_else(by_kernel)
}
