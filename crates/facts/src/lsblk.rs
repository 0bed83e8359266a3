//! `lsblk -J`, with `-O -b` or any other columns, of util-linux 2.27 and later.

use std::collections::HashSet;
use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::disk::{self, BlockDevice, BlockKind, DiskFacts, Index, QueueFacts, Scheduler, Transport};
use crate::facts::{Fact, Facts, kernel_name};
use crate::input::Place;
use crate::json::{Doc, Json};

pub(crate) fn read(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts, index: &mut Index) {
    // A device that lies on several is listed below each of them.
    let mut seen: HashSet<Arc<str>> = HashSet::new();
    let mut todo: Vec<(Option<Sourced<Arc<str>>>, &Json)> = root
        .get("blockdevices")
        .map_or(&[][..], Json::list)
        .iter()
        .rev()
        .map(|entry| (None, entry))
        .collect();
    while let Some((parent, entry)) = todo.pop() {
        let shown = doc.text(entry, "name").map(|name| name.map(|name| bare(&name)));
        let kernel = doc.text(entry, "kname").map(|name| name.map(|name| bare(&name)));
        let path = doc.text(entry, "path");
        let Some(name) = kernel
            .clone()
            .or_else(|| shown.clone())
            .or_else(|| path.clone().map(|path| path.map(|path| bare(&path))))
        else {
            doc.warn(place, entry, "a device of lsblk without a name");
            continue;
        };
        for child in entry.get("children").map_or(&[][..], Json::list).iter().rev() {
            todo.push((Some(name.clone()), child));
        }
        // Without the tree (`-l`), the column names the parent.
        let parent = parent.or_else(|| doc.text(entry, "pkname").map(|name| name.map(|name| bare(&name))));
        if !seen.insert(Arc::clone(&name.value)) {
            let known = index.block(facts, &name.value);
            if let (Some(known), Some(parent)) = (known, parent)
                && !known.parents.iter().any(|old| old.value == parent.value)
            {
                known.parents.push(parent);
            }
            continue;
        }
        let kind = doc.text(entry, "type");
        let kind = match &kind {
            Some(kind) => BlockKind::of_lsblk(&kind.value),
            None if parent.is_none() => BlockKind::Disk,
            None => BlockKind::Other(Arc::from("")),
        };
        let size = doc.size(place, entry, "size").filter(|size| size.value.0 > 0);
        let logical_sector = sector(place, doc, entry, "log-sec");
        let physical_sector = sector(place, doc, entry, "phy-sec");
        let discard_granularity = doc.size(place, entry, "disc-gran");
        let discard_max = doc.size(place, entry, "disc-max");
        if kind == BlockKind::Disk || kind == BlockKind::Rom {
            disk::add(
                facts,
                index,
                DiskFacts {
                    name: Some(name.clone()),
                    links: links(doc, entry, &name),
                    model: doc.text(entry, "model"),
                    // PCI devices have a number here, which names nobody.
                    vendor: doc
                        .text(entry, "vendor")
                        .filter(|vendor| !vendor.value.starts_with("0x")),
                    serial: doc.text(entry, "serial"),
                    size: size.clone(),
                    logical_sector: logical_sector.clone(),
                    physical_sector: physical_sector.clone(),
                    rotational: doc.truth(place, entry, "rota"),
                    removable: doc.truth(place, entry, "rm"),
                    transport: transport(doc, entry),
                    scheduler: doc
                        .text(entry, "sched")
                        .and_then(|text| Some(Sourced::new(Scheduler::parse(&text.value)?, text.origin))),
                    queue: QueueFacts {
                        requests: doc.whole(place, entry, "rq-size"),
                        read_ahead: doc
                            .whole(place, entry, "ra")
                            .filter(|kib| kib.value < 1 << 40)
                            .map(|kib| kib.map(Bytes::kib)),
                        discard_granularity: discard_granularity.clone(),
                        discard_max: discard_max.clone(),
                        zoned: doc.text(entry, "zoned"),
                        optimal_io: doc.size(place, entry, "opt-io"),
                        minimum_io: doc.size(place, entry, "min-io"),
                        ..QueueFacts::default()
                    },
                    ..DiskFacts::default()
                },
            );
        }
        let mapped = match (&shown, &kernel) {
            (Some(shown), Some(kernel)) if shown.value != kernel.value => Some(shown.clone()),
            _ => path.as_ref().and_then(|path| {
                let mapped = path.value.strip_prefix("/dev/mapper/")?;
                Some(Sourced::new(Arc::from(mapped), path.origin.clone()))
            }),
        };
        let block = BlockDevice {
            mapped,
            path,
            kind,
            parents: parent.into_iter().collect(),
            fstype: doc.text(entry, "fstype"),
            uuid: doc.text(entry, "uuid"),
            label: doc.text(entry, "label"),
            partuuid: doc.text(entry, "partuuid"),
            partlabel: doc.text(entry, "partlabel"),
            mountpoints: mountpoints(doc, entry),
            size,
            start: start(place, doc, entry),
            logical_sector,
            physical_sector,
            discard_granularity,
            discard_max,
            name,
        };
        add(facts, index, block);
    }
}

/// Adds a block device; one that sysfs told before is completed.
fn add(facts: &mut Facts, index: &mut Index, new: BlockDevice) {
    match index.block(facts, &new.name.value) {
        // The listing says more than the copy of sysfs does; what only the copy said stays.
        Some(known) => {
            let old = std::mem::replace(known, new);
            for parent in old.parents {
                if !known.parents.iter().any(|other| other.value == parent.value) {
                    known.parents.push(parent);
                }
            }
            fn keep<T>(slot: &mut Fact<T>, old: Fact<T>) {
                if slot.is_none() {
                    *slot = old;
                }
            }
            keep(&mut known.mapped, old.mapped);
            keep(&mut known.path, old.path);
            keep(&mut known.size, old.size);
            keep(&mut known.start, old.start);
            keep(&mut known.fstype, old.fstype);
            keep(&mut known.uuid, old.uuid);
            keep(&mut known.logical_sector, old.logical_sector);
            keep(&mut known.physical_sector, old.physical_sector);
            keep(&mut known.discard_granularity, old.discard_granularity);
            keep(&mut known.discard_max, old.discard_max);
        }
        None => index.push_block(facts, new),
    }
}

/// A name that `lsblk -p` gave as a path.
fn bare(name: &str) -> Arc<str> {
    let name = name.strip_prefix("/dev/mapper/").unwrap_or(name);
    Arc::from(kernel_name(name))
}

/// Sectors are powers of two from 512 bytes to 64 KiB.
fn sector(place: &mut Place<'_>, doc: &Doc<'_>, entry: &Json, name: &str) -> Fact<Bytes> {
    let size = doc.size(place, entry, name)?;
    if size.value.0.is_power_of_two() && (512..=65536).contains(&size.value.0) {
        return Some(size);
    }
    if let Some(value) = entry.get(name) {
        doc.warn(place, value, format_args!("a sector of {} bytes", size.value.0));
    }
    None
}

/// lsblk counts the start in 512-byte sectors, as sysfs does.
fn start(place: &mut Place<'_>, doc: &Doc<'_>, entry: &Json) -> Fact<Bytes> {
    let sectors = doc.whole(place, entry, "start")?;
    let bytes = sectors.value.checked_mul(512)?;
    Some(Sourced::new(Bytes(bytes), sectors.origin))
}

/// One mountpoint (util-linux before 2.37), or a list of them with nulls in it.
fn mountpoints(doc: &Doc<'_>, entry: &Json) -> Vec<Sourced<Arc<str>>> {
    let listed = entry.get("mountpoints").map_or(&[][..], Json::list);
    let mut found: Vec<Sourced<Arc<str>>> = listed
        .iter()
        .filter_map(|value| Some(doc.sourced(Arc::clone(value.text()?), value)))
        .collect();
    if let Some(one) = doc.text(entry, "mountpoint")
        && !found.iter().any(|other| other.value == one.value)
    {
        found.push(one);
    }
    found
}

fn links(doc: &Doc<'_>, entry: &Json, name: &Sourced<Arc<str>>) -> Vec<Sourced<Arc<str>>> {
    let mut links = vec![Sourced::new(
        Arc::from(format!("/dev/{}", name.value)),
        name.origin.clone(),
    )];
    // util-linux 2.39 has the link that udev made.
    if let Some(link) = doc.text(entry, "id-link") {
        links.push(link.map(|link| Arc::from(format!("/dev/disk/by-id/{link}"))));
    }
    // udev's rule 60-persistent-storage.rules makes wwn-$ID_WWN of the same number.
    if let Some(wwn) = doc.text(entry, "wwn") {
        let folder = if wwn.value.starts_with("0x") {
            "wwn-"
        } else {
            "nvme-"
        };
        links.push(wwn.map(|wwn| Arc::from(format!("/dev/disk/by-id/{folder}{wwn}"))));
    }
    links
}

fn transport(doc: &Doc<'_>, entry: &Json) -> Fact<Transport> {
    let tran = doc.text(entry, "tran")?;
    let transport = match &*tran.value {
        "nvme" => Transport::Nvme,
        "sata" | "ata" => Transport::Sata,
        "sas" => Transport::Sas,
        "usb" => Transport::Usb,
        "virtio" => Transport::Virtio,
        "mmc" => Transport::Mmc,
        "iscsi" | "fc" | "fcoe" => Transport::Network,
        "spi" => Transport::Scsi,
        _ => return None,
    };
    Some(Sourced::new(transport, tran.origin))
}
