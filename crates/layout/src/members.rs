//! Joins the members of groups, arrays, pools and filesystems with what they are members of.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Device, DeviceId, Kind, Layout, Member, Vdev, ZpoolMode};

/// Which kind of group a member belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Lvm,
    Md,
    Zfs,
    Bcachefs,
}

/// Fills in the members of every group, and the devices of every vdev.
pub(crate) fn join(layout: &mut Layout) {
    let mut members: BTreeMap<(Family, Arc<str>), Vec<DeviceId>> = BTreeMap::new();
    for device in &layout.devices {
        let (family, member): (Family, &Member) = match &device.kind {
            Kind::LvmPv(member) => (Family::Lvm, member),
            Kind::Mdraid(member) => (Family::Md, member),
            Kind::ZfsMember(member) => (Family::Zfs, member),
            Kind::BcachefsMember(member) => (Family::Bcachefs, member),
            _ => continue,
        };
        if let Some(of) = &member.of {
            let key = (family, of.value.clone());
            members.entry(key).or_default().push(device.id);
        }
    }
    let of = |family: Family, name: &Arc<str>| -> Vec<DeviceId> {
        members.get(&(family, name.clone())).cloned().unwrap_or_default()
    };
    for at in 0..layout.devices.len() {
        let Some(mut kind) = layout.devices.get(at).map(|device| device.kind.clone()) else {
            continue;
        };
        match &mut kind {
            Kind::LvmVg(group) => group.members = of(Family::Lvm, &group.name),
            Kind::Mdadm(array) => array.members = of(Family::Md, &array.name),
            Kind::Bcachefs(filesystem) => filesystem.members = of(Family::Bcachefs, &filesystem.name),
            Kind::Zpool(pool) => {
                pool.members = of(Family::Zfs, &pool.name);
                if let ZpoolMode::Topology(topology) = &mut pool.mode {
                    let found = PoolMembers::new(layout, &pool.members);
                    let vdevs = [
                        &mut topology.vdev,
                        &mut topology.log,
                        &mut topology.special,
                        &mut topology.dedup,
                    ];
                    for vdev in vdevs.into_iter().flatten() {
                        found.fill(vdev);
                    }
                }
            }
            _ => continue,
        }
        if let Some(device) = layout.devices.get_mut(at) {
            device.kind = kind;
        }
    }
}

/// The members of a pool, by their device files and by the disks that they lie on.
struct PoolMembers<'a> {
    by_node: BTreeMap<&'a str, DeviceId>,
    by_disk: BTreeMap<&'a str, Vec<DeviceId>>,
}

impl<'a> PoolMembers<'a> {
    fn new(layout: &'a Layout, members: &[DeviceId]) -> Self {
        let mut found = Self {
            by_node: BTreeMap::new(),
            by_disk: BTreeMap::new(),
        };
        for id in members {
            if let Some(node) = layout.device(*id).and_then(|device| device.node.as_deref()) {
                found.by_node.entry(node).or_insert(*id);
            }
            if let Some(Device {
                kind: Kind::Disk(disk),
                node,
                ..
            }) = layout.disk_of(*id)
            {
                found.by_disk.entry(&disk.name).or_default().push(*id);
                if let Some(node) = node {
                    found.by_disk.entry(node).or_default().push(*id);
                }
            }
        }
        found
    }

    fn find(&self, member: &str) -> Option<DeviceId> {
        let by_node = if member.starts_with('/') {
            self.by_node.get(member)
        } else {
            self.by_node
                .get(&*format!("/dev/disk/by-partlabel/disk-{member}-zfs"))
        };
        by_node
            .copied()
            .or_else(|| match self.by_disk.get(member)?.as_slice() {
                [only] => Some(*only),
                _ => None,
            })
    }

    fn fill(&self, vdev: &mut Vdev) {
        vdev.devices = vdev
            .members
            .iter()
            .filter_map(|member| self.find(&member.value))
            .collect();
    }
}

impl Layout {
    /// The device that a topology of a pool means by `member` (a vdev's member, a cache device, a
    /// spare), among the pool's `members`.
    ///
    /// disko takes a path as it is, and the name of a disk as the partition `zfs` of that disk.
    /// The name or the device of a disk without such a partition is accepted here when just one
    /// of the members lies on that disk.
    pub fn pool_member(&self, members: &[DeviceId], member: &str) -> Option<DeviceId> {
        PoolMembers::new(self, members).find(member)
    }

    /// The disk that a device lies on by its parents alone, groups and arrays left aside.
    pub fn disk_of(&self, id: DeviceId) -> Option<&Device> {
        let mut device = self.device(id)?;
        while let Some(parent) = device.parent {
            device = self.device(parent)?;
        }
        matches!(device.kind, Kind::Disk(_)).then_some(device)
    }
}
