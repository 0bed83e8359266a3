//! What lies under what.

use std::collections::BTreeSet;

use layout::{Device, DeviceId, Kind};

use crate::{Disk, Machine};

/// Everything that a device lies on, nearest first: partitions, containers, groups, arrays, disks.
pub(crate) fn under(machine: &Machine, id: DeviceId) -> Vec<&Device> {
    let mut seen = BTreeSet::from([id]);
    let mut found = Vec::new();
    let mut queue = std::collections::VecDeque::from(machine.layout.below(id));
    while let Some(next) = queue.pop_front() {
        if !seen.insert(next) {
            continue;
        }
        let Some(device) = machine.layout.device(next) else {
            continue;
        };
        found.push(device);
        queue.extend(machine.layout.below(next));
    }
    found
}

/// The disks that a device lies on.
///
/// A host without disko declares no disks: there, what was observed tells which disk the lowest
/// device file that the configuration names lies on.
pub(crate) fn disks_under(machine: &Machine, id: DeviceId) -> Vec<Disk<'_>> {
    let below = under(machine, id);
    let declared: Vec<_> = below
        .iter()
        .filter(|device| matches!(device.kind, Kind::Disk(_)))
        .filter_map(|device| Disk::declared(machine, device))
        .collect();
    if !declared.is_empty() {
        return declared;
    }
    let mut lowest_first = below
        .into_iter()
        .rev()
        .chain(machine.layout.device(id))
        .filter_map(|device| device.node.as_deref());
    lowest_first
        .find_map(|node| {
            let disks = machine.facts.disks_under(node);
            (!disks.is_empty()).then_some(disks)
        })
        .unwrap_or_default()
        .into_iter()
        .filter(|disk| disk.is_disk())
        .map(|disk| Disk::observed(machine, disk))
        .collect()
}
