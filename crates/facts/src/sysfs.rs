//! A copy of `/sys/block` or `/sys/class/block`: one file for each attribute, its path tells which.

use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::disk::{self, BlockDevice, BlockKind, DiskFacts, Index, Scheduler};
use crate::facts::{Facts, whole_disk};
use crate::input::{Lines, Place};
use crate::number;

/// The device and the attribute that a path names: `sda` and `queue/rotational` of
/// `sys/block/sda/queue/rotational`; the partition for `sys/block/sda/sda1/size`.
pub(crate) fn attribute(path: &str) -> Option<(&str, &str)> {
    const KNOWN: &[&str] = &[
        "size",
        "start",
        "removable",
        "ro",
        "dm/name",
        "dm/uuid",
        "md/level",
        "md/stripe_cache_size",
        "device/model",
        "device/vendor",
        "device/serial",
    ];
    let at = path
        .rfind("/block/")
        .map(|at| at + "/block/".len())
        .or_else(|| path.starts_with("block/").then_some("block/".len()))?;
    let (device, rest) = path.get(at..)?.split_once('/')?;
    let known = |attribute: &str| attribute.starts_with("queue/") || KNOWN.contains(&attribute);
    if known(rest) {
        return Some((device, rest));
    }
    let (part, rest) = rest.split_once('/')?;
    (part.starts_with(device) && known(rest)).then_some((part, rest))
}

/// One attribute.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts, index: &mut Index) {
    let path = Arc::clone(&place.name);
    let Some((device, attribute)) = attribute(&path) else {
        return;
    };
    let Some(line) = lines.next() else {
        return;
    };
    let text = line.text.trim();
    if text.is_empty() {
        return;
    }
    // The kernel writes a slash in a name as an exclamation mark.
    let name = line.sourced(Arc::from(device.replace('!', "/")), text);
    let mut disk = DiskFacts {
        name: Some(name.clone()),
        ..DiskFacts::default()
    };
    let mut block = BlockDevice {
        name: name.clone(),
        mapped: None,
        path: None,
        kind: BlockKind::Disk,
        parents: Vec::new(),
        fstype: None,
        uuid: None,
        label: None,
        partuuid: None,
        partlabel: None,
        mountpoints: Vec::new(),
        size: None,
        start: None,
        logical_sector: None,
        physical_sector: None,
        discard_granularity: None,
        discard_max: None,
    };
    let number = number::whole(text).map(|number| line.sourced(number, text));
    // Most of the files hold a number.
    let scaled = |scale: u64| {
        let number = number.clone()?;
        let bytes = number
            .value
            .checked_mul(scale)
            .filter(|bytes| *bytes <= 1 << 63)?;
        Some(Sourced::new(Bytes(bytes), number.origin))
    };
    let sector =
        || scaled(1).filter(|size| size.value.0.is_power_of_two() && (512..=65536).contains(&size.value.0));
    let flag = || {
        let number = number.clone()?;
        (number.value <= 1).then(|| number.map(|number| number == 1))
    };
    let text_fact = Some(line.text_at(text));
    let understood = match attribute {
        "size" => {
            // In sectors of 512 bytes whatever the disk's own are.
            let size = scaled(512);
            disk.size = size.clone().filter(|size| size.value.0 > 0);
            block.size = disk.size.clone();
            size.is_some()
        }
        "start" => set(&mut block.start, scaled(512)),
        "removable" => set(&mut disk.removable, flag()),
        "queue/rotational" => set(&mut disk.rotational, flag()),
        "queue/logical_block_size" => {
            block.logical_sector = sector();
            set(&mut disk.logical_sector, sector())
        }
        "queue/physical_block_size" => {
            block.physical_sector = sector();
            set(&mut disk.physical_sector, sector())
        }
        "queue/scheduler" => {
            let scheduler = Scheduler::parse(text).map(|scheduler| line.sourced(scheduler, text));
            set(&mut disk.scheduler, scheduler)
        }
        "queue/nr_requests" => set(&mut disk.queue.requests, number.clone()),
        "queue/read_ahead_kb" => set(&mut disk.queue.read_ahead, scaled(1024)),
        "queue/discard_granularity" => {
            block.discard_granularity = scaled(1);
            set(&mut disk.queue.discard_granularity, scaled(1))
        }
        "queue/discard_max_bytes" => {
            block.discard_max = scaled(1);
            set(&mut disk.queue.discard_max, scaled(1))
        }
        "queue/max_sectors_kb" => set(&mut disk.queue.max_request, scaled(1024)),
        "queue/optimal_io_size" => set(&mut disk.queue.optimal_io, scaled(1)),
        "queue/minimum_io_size" => set(&mut disk.queue.minimum_io, scaled(1)),
        "queue/write_cache" => set(&mut disk.queue.write_cache, text_fact),
        "queue/zoned" => set(&mut disk.queue.zoned, text_fact),
        "queue/wbt_lat_usec" => set(&mut disk.queue.writeback_latency, number.clone()),
        "queue/rq_affinity" => set(&mut disk.queue.affinity, number.clone()),
        "queue/nomerges" => set(&mut disk.queue.no_merges, number.clone()),
        "queue/iostats" => set(&mut disk.queue.io_stats, flag()),
        "device/model" => set(&mut disk.model, text_fact),
        "device/vendor" => {
            // PCI devices have a number here, which names nobody.
            disk.vendor = text_fact.filter(|vendor| !vendor.value.starts_with("0x"));
            true
        }
        "device/serial" => set(&mut disk.serial, text_fact),
        "dm/name" => set(&mut block.mapped, text_fact),
        "dm/uuid" => {
            block.kind = if text.starts_with("CRYPT-") {
                BlockKind::Crypt
            } else if text.starts_with("LVM-") {
                BlockKind::Lvm
            } else {
                BlockKind::Other(Arc::from("dm"))
            };
            true
        }
        "md/level" => {
            block.kind = BlockKind::Raid(Arc::from(text));
            true
        }
        // An attribute that nothing asks for.
        _ => true,
    };
    if !understood {
        place.warn(
            &line,
            text,
            format_args!("{attribute} of {device} cannot be {text:?}"),
        );
        return;
    }
    let partition = whole_disk(device).map(str::to_owned);
    if let Some(parent) = &partition {
        block.kind = BlockKind::Partition;
        block.parents.push(line.sourced(Arc::from(parent.as_str()), text));
    } else {
        disk::add(facts, index, disk);
    }
    merge(facts, index, block);
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    *slot = value;
    slot.is_some()
}

/// Completes what other attributes of the same device told.
fn merge(facts: &mut Facts, index: &mut Index, new: BlockDevice) {
    let Some(known) = index.block(facts, &new.name.value) else {
        index.push_block(facts, new);
        return;
    };
    if known.kind == BlockKind::Disk {
        known.kind = new.kind;
    }
    if known.parents.is_empty() {
        known.parents = new.parents;
    }
    let keep = |slot: &mut Option<Sourced<Bytes>>, new| {
        if slot.is_none() {
            *slot = new;
        }
    };
    keep(&mut known.size, new.size);
    keep(&mut known.start, new.start);
    keep(&mut known.logical_sector, new.logical_sector);
    keep(&mut known.physical_sector, new.physical_sector);
    keep(&mut known.discard_granularity, new.discard_granularity);
    keep(&mut known.discard_max, new.discard_max);
    if known.mapped.is_none() {
        known.mapped = new.mapped;
    }
}
