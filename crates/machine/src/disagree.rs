//! Contradictions: where two sources tell the same thing differently.
//!
//! They are facts in themselves. Both sides are shown with their places; which one is right only the
//! person knows.

use std::collections::HashSet;
use std::sync::Arc;

use facts::kernel_name;
use layout::{Device, Kind};
use source::{Origin, Sourced};

use crate::drift::{Row, Wanted, drift};
use crate::inferred::{Masks, masks};
use crate::{Disk, Machine, stack};

/// Two sources that tell one thing differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// What it is about: a device, a mountpoint, an option path.
    pub subject: String,
    /// Which fact of it.
    pub fact: String,
    /// What one source says: the layout where it says anything.
    pub one: Sourced<String>,
    /// What the other source says.
    pub other: Sourced<String>,
}

impl Machine {
    /// Every contradiction between two tools, and between the layout and the machine.
    pub fn disagreements(&self) -> Vec<Disagreement> {
        let mut found: Vec<Disagreement> = self
            .facts
            .contradictions
            .iter()
            .map(|it| Disagreement {
                subject: it.subject.to_string(),
                fact: it.fact.to_owned(),
                one: it.kept.clone(),
                other: it.other.clone(),
            })
            .collect();
        let listed = Listed::new(self);
        for device in &self.layout.devices {
            if matches!(device.kind, Kind::Disk(_)) {
                found.extend(missing_disk(self, device, &listed));
            }
            found.extend(other_content(self, device));
        }
        let rows = drift(self, &Wanted::default());
        for it in rows.iter().filter(|row| row.contradicts()).filter_map(of_row) {
            // What blkid found on the device was said already.
            let said = it.fact == "type"
                && found
                    .iter()
                    .any(|other| other.one.value == it.one.value && other.other.value == it.other.value);
            if !said {
                found.push(it);
            }
        }
        found
    }
}

/// A row of the table as a contradiction, when both sides have a place.
fn of_row(row: &Row) -> Option<Disagreement> {
    let side = |cell: &crate::Cell| Some(Sourced::new(cell.text()?.to_owned(), cell.origin()?.clone()));
    let one = side(&row.declared)?;
    let other = side(&row.live).or_else(|| {
        // What is not there has no line; the declaration is then the only place.
        Some(Sourced::new(
            row.live.text()?.to_owned(),
            Origin::Derived(Box::new([])),
        ))
    })?;
    Some(Disagreement {
        subject: row.subject.clone(),
        fact: row.setting.clone(),
        one,
        other,
    })
}

/// What the listings say of disks as a whole.
struct Listed<'a> {
    /// The folders of the links that they tell, and whether the links there are names or numbers: lsblk
    /// tells the world wide number of a disk, and no other link in that folder.
    folders: HashSet<(&'a str, bool)>,
    /// The links that are masked.
    masks: Masks<'a>,
    /// The names of the disks.
    names: Vec<&'a Sourced<Arc<str>>>,
}

impl<'a> Listed<'a> {
    fn new(machine: &'a Machine) -> Self {
        let disks = &machine.facts.disks;
        let links = disks.iter().flat_map(|disk| &disk.links);
        Self {
            folders: links.filter_map(|link| folder(&link.value)).collect(),
            masks: Masks::of(disks.iter().enumerate()),
            names: disks
                .iter()
                .filter(|disk| disk.is_disk())
                .filter_map(|disk| disk.name.as_ref())
                .collect(),
        }
    }
}

/// The folder of a link, and whether its name is a world wide number, masked or not.
fn folder(link: &str) -> Option<(&str, bool)> {
    let (folder, name) = link.rsplit_once('/')?;
    let number = [
        "wwn-",
        "nvme-eui.",
        "nvme-nvme.",
        "nvme-uuid.",
        "nvme-serial-",
        "name-",
    ];
    Some((folder, number.iter().any(|prefix| name.starts_with(prefix))))
}

/// A disk that the layout names and that no listing has, or that is another one than its partitions say.
fn missing_disk(machine: &Machine, device: &Device, listed: &Listed<'_>) -> Option<Disagreement> {
    let Kind::Disk(declared) = &device.kind else {
        return None;
    };
    let file = declared.device.as_ref()?;
    let facts = &machine.facts;
    let by_name = facts.disk_by_name(&file.value);
    let by_partition = disk_of_partitions(machine, device);
    let shown = |disk: &facts::DiskFacts| {
        let name = disk.name.as_ref()?;
        Some(Sourced::new(format!("/dev/{}", name.value), name.origin.clone()))
    };
    let disagreement = |fact: &str, other| Disagreement {
        subject: device.path.to_string(),
        fact: fact.to_owned(),
        one: Sourced::new(file.value.to_string(), file.origin.clone()),
        other,
    };
    match (by_name, by_partition) {
        (Some(named), Some(labelled)) if !std::ptr::eq(named, labelled) => Some(disagreement(
            "the disk, and the one that its partitions are on",
            shown(labelled)?,
        )),
        (Some(_), _) => None,
        (None, labelled) => {
            // A kind of name that no listing tells may well be there.
            let plain = kernel_name(&file.value) != &*file.value;
            let told = folder(&file.value).is_some_and(|it| listed.folders.contains(&it));
            let names = &listed.names;
            let masked = |disk: &facts::DiskFacts| disk.links.iter().any(|it| masks(&it.value, &file.value));
            // In a masked bundle a disk may well have the declared name below the mask.
            let hidden = labelled.map_or_else(|| listed.masks.can_mean(&file.value), masked);
            if !(plain || told) || names.is_empty() || hidden {
                return None;
            }
            if let Some(labelled) = labelled {
                return Some(disagreement(
                    "the disk, by the labels of its partitions",
                    shown(labelled)?,
                ));
            }
            let all: Vec<String> = names
                .iter()
                .take(8)
                .map(|it| format!("/dev/{}", it.value))
                .collect();
            let more = if names.len() > all.len() { " …" } else { "" };
            Some(disagreement(
                "the disk is not among those that are there",
                Sourced::new(
                    format!("{}{more}", all.join(", ")),
                    Origin::derived(names.iter().take(8).map(|it| it.origin.clone())),
                ),
            ))
        }
    }
}

/// The disk that the partitions of a declared disk are on, by their labels.
pub(crate) fn disk_of_partitions<'a>(machine: &'a Machine, disk: &Device) -> Option<&'a facts::DiskFacts> {
    let facts = &machine.facts;
    let below = |device: &Device| {
        let table = device.parent?;
        let parent = machine.layout.device(table)?.parent;
        Some(table == disk.id || parent == Some(disk.id))
    };
    // disko visits a disk's parts before it goes on to the next disk.
    let after = machine.layout.devices.iter().skip(disk.id.0 as usize + 1);
    after
        .take_while(|device| device.parent.is_some_and(|parent| parent >= disk.id))
        .filter(|device| matches!(device.kind, Kind::Partition(_)) && below(device) == Some(true))
        .filter_map(|device| facts.block_by_name(device.node.as_deref()?))
        .find_map(|block| facts.disk_under(&block.name.value))
}

/// What blkid calls the content that the layout declares; `None` where it finds nothing, or something else
/// at every boot.
pub(crate) fn blkid_name(device: &Device) -> Option<&str> {
    Some(match &device.kind {
        Kind::Luks(_) => "crypto_LUKS",
        Kind::Btrfs(_) => "btrfs",
        Kind::Filesystem(filesystem) => &filesystem.format.value,
        Kind::LvmPv(_) => "LVM2_member",
        Kind::Mdraid(_) => "linux_raid_member",
        Kind::ZfsMember(_) => "zfs_member",
        Kind::Swap(swap) if swap.random_encryption.as_ref().is_none_or(|it| !it.value) => "swap",
        _ => return None,
    })
}

/// Whether what blkid found is what was declared.
pub(crate) fn same_content(found: &str, wanted: &str) -> bool {
    // blkid has one name for the family.
    found == wanted || (matches!(wanted, "fat" | "msdos" | "fat32" | "vfat") && found == "vfat")
}

/// What blkid finds on a device whose content the layout declares, when it is something else.
fn other_content(machine: &Machine, device: &Device) -> Option<Disagreement> {
    let wanted = blkid_name(device)?;
    let holder = machine.layout.device(device.parent?)?;
    let block = match &holder.kind {
        Kind::Disk(_) => {
            let disk = Disk::declared(machine, holder)?.observed?;
            machine.facts.block_by_name(disk.kernel_name()?)?
        }
        _ => stack::block_of_device(&machine.facts, holder)?,
    };
    let found = block.fstype.as_ref()?;
    (!same_content(&found.value, wanted)).then(|| Disagreement {
        subject: device.path.to_string(),
        fact: format!("what is on {}", block.path.as_ref().unwrap_or(&block.name).value),
        one: Sourced::new(wanted.to_owned(), device.origin.clone()),
        other: Sourced::new(found.value.to_string(), found.origin.clone()),
    })
}
