//! What follows from the layout and the facts as a whole, found once: which observed disk a declared one
//! must be, where its name is masked and only one disk is left; which disks hold ZFS.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use facts::{BlockDevice, DiskFacts};
use layout::{Device, DeviceId, Kind};
use source::Bytes;

use crate::{Disk, Machine, disagree, stack};

/// What is inferred of a machine, once something asks for it.
///
/// It is of the layout and the facts that the machine has at that time: who changes them afterwards makes
/// a new one.
#[derive(Debug, Default)]
pub struct Inferred {
    disks: OnceLock<HashMap<DeviceId, usize>>,
    zfs: OnceLock<ZfsDisks>,
}

/// The disks that hold a part of a ZFS pool.
#[derive(Debug, Default)]
struct ZfsDisks {
    /// The declared ones.
    declared: HashSet<DeviceId>,
    /// The observed ones, by kernel name.
    observed: HashSet<Arc<str>>,
}

/// Whether a link is the declared one with a token of `disko-advise collect` in the place of the serial
/// number or of the whole name.
pub(crate) fn masks(link: &str, declared: &str) -> bool {
    let Some(mask) = Mask::of(link) else {
        return false;
    };
    declared
        .strip_prefix(mask.before)
        .and_then(|rest| rest.strip_suffix(mask.after))
        .is_some_and(|hidden| mask.hides(hidden))
}

/// A masked link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Mask<'a> {
    /// What stands before the token.
    before: &'a str,
    /// What stands after it.
    after: &'a str,
    /// Whether the token hides the name of udev as a whole, not a serial number alone.
    whole: bool,
}

impl<'a> Mask<'a> {
    fn of(link: &'a str) -> Option<Self> {
        let (folder, name) = link.rsplit_once('/')?;
        let folder = link.get(..folder.len() + 1)?;
        if let Some((before, after)) = name.split_once("serial-") {
            return Some(Self {
                before: link.get(..folder.len() + before.len())?,
                after: after.trim_start_matches(|c: char| c.is_ascii_digit()),
                whole: false,
            });
        }
        let after = name.strip_prefix("name-")?;
        Some(Self {
            before: folder,
            after: after.trim_start_matches(|c: char| c.is_ascii_digit()),
            whole: true,
        })
    }

    /// Whether the token can hide this.
    fn hides(&self, hidden: &str) -> bool {
        if hidden.is_empty() || hidden.contains('/') {
            return false;
        }
        // The numbers that NVMe and world wide names consist of; without a model in it, the name of a bus
        // fits every disk on it.
        let number = |it: &str| {
            ["eui.", "naa.", "nvme.", "uuid.", "0x"]
                .iter()
                .any(|prefix| it.starts_with(prefix))
        };
        let bus = self.before.rsplit('/').next().unwrap_or_default();
        match bus {
            "" if self.whole => hidden
                .split_once('-')
                .is_some_and(|(bus, rest)| matches!(bus, "wwn" | "nvme") && number(rest)),
            "wwn-" | "nvme-" => number(hidden),
            _ => !self.whole,
        }
    }
}

impl Machine {
    /// The observed disk that a declared one must be: its name is masked, it is the only disk left that
    /// the mask can hide, no other declared disk can be that one, and nothing speaks against it.
    pub(crate) fn inferred_disk(&self, device: DeviceId) -> Option<&DiskFacts> {
        let found = self.inferred.disks.get_or_init(|| disks(self));
        self.facts.disks.get(*found.get(&device)?)
    }

    /// The disks of the pools of the layout, and those on which a listing found a part of a pool.
    fn zfs_disks(&self) -> &ZfsDisks {
        self.inferred.zfs.get_or_init(|| {
            let of_pools = self.pools().flat_map(|pool| pool.disks());
            let parts = self.facts.blocks.iter().filter(|block| {
                let fstype = block.fstype.as_ref();
                fstype.is_some_and(|it| &*it.value == "zfs_member")
            });
            ZfsDisks {
                declared: of_pools.filter_map(|disk| Some(disk.device?.id)).collect(),
                observed: parts
                    .flat_map(|block| std::iter::once(&block.name).chain(&block.parents))
                    .map(|name| Arc::clone(&name.value))
                    .collect(),
            }
        })
    }
}

/// What is seen of a declared disk without inferring anything, and where it stands.
fn disks(machine: &Machine) -> HashMap<DeviceId, usize> {
    let facts = &machine.facts;
    let declared = machine
        .layout
        .devices
        .iter()
        .filter_map(|device| match &device.kind {
            Kind::Disk(disk) => Some((device, disk.device.as_ref()?)),
            _ => None,
        });
    let mut taken: HashSet<*const DiskFacts> = HashSet::new();
    let mut open = Vec::new();
    for (device, file) in declared {
        match Disk::seen(machine, device) {
            Some(disk) => {
                taken.insert(std::ptr::from_ref(disk));
            }
            None => open.push((device, &*file.value)),
        }
    }
    if open.is_empty() {
        return HashMap::new();
    }
    let all = facts.disks.iter().enumerate();
    let free =
        Masks::of(all.filter(|(_, disk)| disk.is_disk() && !taken.contains(&std::ptr::from_ref(*disk))));
    let mut claims: HashMap<usize, usize> = HashMap::new();
    let mut only = Vec::new();
    for (device, file) in open {
        let candidates = free.candidates(file);
        for at in &candidates.0 {
            *claims.entry(*at).or_default() += 1;
        }
        if let [at] = candidates.0[..] {
            only.push((device, at));
        }
    }
    only.retain(|(_, at)| claims.get(at) == Some(&1));
    if only.is_empty() {
        return HashMap::new();
    }
    let against = Against::new(machine);
    only.into_iter()
        .filter(|(device, at)| {
            facts
                .disks
                .get(*at)
                .is_some_and(|disk| !against.speaks(device, disk))
        })
        .map(|(device, at)| (device.id, at))
        .collect()
}

/// The masked links of disks, by what stands before the token.
pub(crate) struct Masks<'a>(HashMap<&'a str, BTreeMap<Mask<'a>, Few>>);

impl<'a> Masks<'a> {
    pub(crate) fn of(disks: impl Iterator<Item = (usize, &'a DiskFacts)>) -> Self {
        let mut masks: HashMap<&str, BTreeMap<Mask<'_>, Few>> = HashMap::new();
        for (at, disk) in disks {
            for mask in disk.links.iter().filter_map(|link| Mask::of(&link.value)) {
                masks
                    .entry(mask.before)
                    .or_default()
                    .entry(mask)
                    .or_default()
                    .add(at);
            }
        }
        Self(masks)
    }

    /// The disks that a declared link can mean.
    fn candidates(&self, declared: &str) -> Few {
        let mut candidates = Few::default();
        for (end, _) in declared.char_indices().chain([(declared.len(), ' ')]) {
            let (before, rest) = declared.split_at(end);
            for (mask, disks) in self.0.get(before).into_iter().flatten() {
                if rest
                    .strip_suffix(mask.after)
                    .is_some_and(|hidden| mask.hides(hidden))
                {
                    candidates.join(disks);
                }
            }
        }
        candidates
    }

    /// Whether a declared link can mean one of the disks.
    pub(crate) fn can_mean(&self, declared: &str) -> bool {
        !self.candidates(declared).0.is_empty()
    }
}

/// Up to two: more are as good as two where only one will do.
#[derive(Debug, Default)]
struct Few(Vec<usize>);

impl Few {
    fn add(&mut self, at: usize) {
        if self.0.len() < 2 && !self.0.contains(&at) {
            self.0.push(at);
        }
    }

    fn join(&mut self, other: &Self) {
        other.0.iter().for_each(|at| self.add(*at));
    }
}

/// What can speak against a declared disk being an observed one.
struct Against<'a> {
    machine: &'a Machine,
    /// What is declared in each node.
    inside: HashMap<DeviceId, Vec<&'a Device>>,
    /// The partitions of each disk.
    partitions: HashMap<&'a str, Vec<&'a BlockDevice>>,
    /// The live sources of the mounts that lie on one declared disk alone.
    sources: HashMap<DeviceId, Vec<&'a str>>,
}

impl<'a> Against<'a> {
    fn new(machine: &'a Machine) -> Self {
        let mut inside: HashMap<DeviceId, Vec<&Device>> = HashMap::new();
        for device in &machine.layout.devices {
            if let Some(parent) = device.parent {
                inside.entry(parent).or_default().push(device);
            }
        }
        let mut partitions: HashMap<&str, Vec<&BlockDevice>> = HashMap::new();
        for block in &machine.facts.blocks {
            for parent in &block.parents {
                partitions.entry(&*parent.value).or_default().push(block);
            }
        }
        let live: HashMap<&str, &str> = machine
            .facts
            .mounts
            .iter()
            .map(|it| (&*it.mountpoint.value, &*it.source.value))
            .collect();
        let mut sources: HashMap<DeviceId, Vec<&str>> = HashMap::new();
        for mount in &machine.layout.mounts {
            let Some(source) = live.get(&*mount.mountpoint.value) else {
                continue;
            };
            let own = machine.layout.device(mount.device_id);
            let mut disks = own
                .into_iter()
                .chain(stack::under(machine, mount.device_id))
                .filter(|it| matches!(it.kind, Kind::Disk(_)));
            if let (Some(disk), None) = (disks.next(), disks.next()) {
                sources.entry(disk.id).or_default().push(source);
            }
        }
        Self {
            machine,
            inside,
            partitions,
            sources,
        }
    }

    fn inside(&self, device: &Device) -> impl Iterator<Item = &'a Device> {
        self.inside.get(&device.id).into_iter().flatten().copied()
    }

    fn speaks(&self, declared: &Device, disk: &DiskFacts) -> bool {
        let facts = &self.machine.facts;
        let Some(name) = disk.kernel_name() else {
            return true;
        };
        let elsewhere = self
            .sources
            .get(&declared.id)
            .into_iter()
            .flatten()
            .any(|source| {
                let under = facts.disks_under(source);
                !under.is_empty() && !under.iter().any(|it| std::ptr::eq(*it, disk))
            });
        let there = self.partitions.get(name).map_or(&[][..], |it| it);
        let on_it = facts.block_by_name(name).and_then(|it| it.fstype.as_ref());
        let mut size = Bytes(0);
        let other = self.inside(declared).any(|content| {
            if matches!(content.kind, Kind::Gpt(_) | Kind::Table(_)) {
                let partitions = self.inside(content).filter_map(|it| match &it.kind {
                    Kind::Partition(partition) => Some(partition),
                    _ => None,
                });
                let least = partitions.filter_map(|it| least_size(&it.size.as_ref()?.value));
                size = Bytes(least.fold(size.0, u64::saturating_add));
                // Labels that were read and are not the declared ones, which would have told the disk.
                on_it.is_some() || there.iter().any(|it| it.partlabel.is_some())
            } else {
                let wanted = disagree::blkid_name(content);
                let differs = |wanted| on_it.is_some_and(|it| !disagree::same_content(&it.value, wanted));
                !there.is_empty() || wanted.is_some_and(differs)
            }
        });
        elsewhere || other || disk.size.as_ref().is_some_and(|it| it.value < size)
    }
}

/// The size that a partition is declared with, as sgdisk(8) counts: binary units. `None` for a share.
fn least_size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

impl Disk<'_> {
    /// Whether a ZFS pool of the layout, or one that was observed, lies on it.
    pub fn holds_zfs(&self) -> bool {
        let zfs = self.machine().zfs_disks();
        let name = self.observed.and_then(DiskFacts::kernel_name);
        self.device.is_some_and(|it| zfs.declared.contains(&it.id))
            || name.is_some_and(|it| zfs.observed.contains(it))
    }

    /// Whether no listing tells which observed disk the declared one is, and only inference does.
    pub fn is_inferred(&self) -> bool {
        let (Some(device), Some(observed)) = (self.device, self.observed) else {
            return false;
        };
        let inferred = self.machine().inferred_disk(device.id);
        inferred.is_some_and(|it| std::ptr::eq(it, observed))
    }

    /// That the declared disk is only taken for the observed one, and why: a sentence for what is advised
    /// because of it. `None` where a listing tells the disk.
    pub fn inferred(&self) -> Option<String> {
        let device = self.device.filter(|_| self.is_inferred())?;
        Some(format!(
            "that {} is `{}` is inferred: no other disk is left that its masked name can mean. Compare the \
             serial number before you act on it",
            self.name(),
            device.path
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_hides_a_serial_number_and_nothing_else() {
        let id = |name: &str| format!("/dev/disk/by-id/{name}");
        let masks = |link: &str, declared: &str| masks(&id(link), &id(declared));
        assert!(masks("ata-Example_SSD_serial-12", "ata-Example_SSD_S1"));
        assert!(masks(
            "usb-Example_Stick_serial-3-0:0",
            "usb-Example_Stick_S1-0:0"
        ));
        assert!(masks("virtio-serial-1", "virtio-root"));
        assert!(masks("scsi-3serial-8", "scsi-35000c500a1b2c3d4"));
        assert!(masks("wwn-serial-8", "wwn-0x5000c500a1b2c3d4"));
        assert!(masks("name-3", "wwn-0x5000c500a1b2c3d4"));
        assert!(masks("name-3", "nvme-eui.0025385b71b00001"));
        assert!(masks(
            "nvme-serial-4",
            "nvme-nvme.8086-50484b53-51454d55-00000001"
        ));
        // Another model, another end, no serial number, another disk's whole name.
        assert!(!masks("ata-Example_SSD_serial-12", "ata-Example_HDD_S1"));
        assert!(!masks("usb-Example_Stick_serial-3-0:0", "usb-Example_Stick_S1"));
        assert!(!masks("ata-Example_SSD_serial-12", "ata-Example_SSD_"));
        assert!(!masks("nvme-serial-4", "nvme-Example_SSD_S1"));
        assert!(!masks("name-3", "nvme-Example_SSD_S1"));
        assert!(!masks("ata-Example_SSD_S1", "ata-Example_SSD_S1"));
    }

    #[test]
    fn sizes_of_partitions_are_read_where_they_are_sizes() {
        let read: Vec<_> = ["512M", "1T", "100%", "", "7", "99999999999999999999G", "20P"]
            .map(least_size)
            .into();
        assert_eq!(
            read,
            [
                Some(512 << 20),
                Some(1 << 40),
                None,
                None,
                None,
                None,
                Some(20 << 50)
            ]
        );
    }
}
