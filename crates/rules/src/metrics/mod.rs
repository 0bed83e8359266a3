//! What measurements say by themselves.

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

/// The first sign of a fault: errors that a filesystem counted, a pool that is not whole.
/// Advice on speed has to wait for it.
pub(crate) fn fault(machine: &Machine) -> Option<(Origin, String)> {
    let facts = &machine.facts;
    let by_btrfs = facts.btrfs_errors.iter().find_map(|device| {
        let (name, count) = device.faults().next()?;
        Some((
            count.origin.clone(),
            format!("{} has {} {name}", device.device.value, count.value),
        ))
    });
    by_btrfs.or_else(|| {
        facts.zpool_status.iter().find_map(|pool| {
            let state = pool.state.as_ref().filter(|it| &*it.value != "ONLINE")?;
            Some((
                state.origin.clone(),
                format!("the pool {} is {}", pool.pool.value, state.value),
            ))
        })
    })
}
