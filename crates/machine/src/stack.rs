//! What lies under what.

use std::collections::BTreeSet;

use facts::{BlockDevice, Facts};
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

/// The block device that a device file of the layout names, as a listing has it.
pub(crate) fn block_of<'a>(facts: &'a Facts, node: &str) -> Option<&'a BlockDevice> {
    facts
        .block_by_name(node)
        .or_else(|| facts.block_by_name(&lvm_mapper(node)?))
}

/// The device-mapper name of a logical volume's path: dashes in either name are doubled
/// (lvm(8), "Valid Names"; `dm_build_dm_name`).
pub(crate) fn lvm_mapper(node: &str) -> Option<String> {
    let (group, volume) = node.strip_prefix("/dev/")?.split_once('/')?;
    if volume.contains('/') || matches!(group, "mapper" | "disk" | "md" | "zvol") {
        return None;
    }
    let doubled = |name: &str| name.replace('-', "--");
    Some(format!("/dev/mapper/{}-{}", doubled(group), doubled(volume)))
}

/// The block device that a node of the layout is: of a container the opened one, which lies on the
/// device file that the node names.
pub(crate) fn block_of_device<'a>(facts: &'a Facts, device: &Device) -> Option<&'a BlockDevice> {
    match &device.kind {
        Kind::Luks(luks) => facts.block_by_name(&format!("/dev/mapper/{}", luks.name.as_ref()?.value)),
        _ => block_of(facts, device.node.as_deref()?),
    }
}
