//! `smartctl -j` with `-a`, `-x` or `-i`: what a disk says of itself.
//!
//! Fields as smartmontools 7 writes them; ATA attributes by their number,
//! since their names differ between makers.

use std::sync::Arc;

use source::{Bytes, Percent, Sourced};

use crate::disk::{self, DiskFacts, Health, Index, Transport};
use crate::facts::{Fact, Facts, kernel_name};
use crate::input::Place;
use crate::json::{Doc, Json};

/// Whether a document is smartctl's.
pub(crate) fn is(root: &Json) -> bool {
    root.get("smartctl").is_some()
}

pub(crate) fn read(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts, index: &mut Index) {
    let Some(path) = root.get("device").and_then(|device| doc.text(device, "name")) else {
        place.tell_file("smartctl opened no device");
        return;
    };
    let kind = root.get("device").and_then(|device| doc.text(device, "type"));
    let protocol = root.get("device").and_then(|device| doc.text(device, "protocol"));
    let transport = protocol.and_then(|protocol| {
        let transport = match &*protocol.value {
            "NVMe" => Transport::Nvme,
            // Behind USB the type is `sat` too, so this says nothing of the cable.
            "SCSI" => Transport::Scsi,
            _ => return None,
        };
        Some(Sourced::new(transport, protocol.origin))
    });
    // `megaraid,3` is a disk behind the controller; the path names its volume.
    let behind = kind.filter(|kind| kind.value.contains(','));
    let hidden = behind.is_some();
    let name = path
        .clone()
        .map(|path| Arc::from(controller_less(kernel_name(&path))));
    let capacity = root.get("user_capacity");
    let size = capacity.and_then(|capacity| doc.size(place, capacity, "bytes"));
    let mut sector = |name: &str| {
        let size = doc.whole(place, root, name)?;
        let fits = size.value.is_power_of_two() && (512..=65536).contains(&size.value);
        fits.then(|| size.map(Bytes))
    };
    let (logical_sector, physical_sector) = (sector("logical_block_size"), sector("physical_block_size"));
    // The fastest disks turn 15000 times a minute.
    let rotation = doc
        .whole(place, root, "rotation_rate")
        .filter(|rate| rate.value <= 20_000);
    disk::add(
        facts,
        index,
        DiskFacts {
            name: (!hidden).then_some(name),
            links: if hidden {
                vec![behind_link(&path, root, doc)]
            } else {
                vec![path]
            },
            model: doc
                .text(root, "model_name")
                .or_else(|| doc.text(root, "scsi_model_name")),
            serial: doc.text(root, "serial_number"),
            size: size.filter(|size| size.value.0 > 0),
            logical_sector,
            physical_sector,
            transport: transport.filter(|_| !hidden),
            behind_raid: behind,
            rotation,
            health: health(place, doc, root),
            ..DiskFacts::default()
        },
    );
}

/// The name that tells disks behind one controller apart.
fn behind_link(path: &Sourced<Arc<str>>, root: &Json, doc: &Doc<'_>) -> Sourced<Arc<str>> {
    let shown = root
        .get("device")
        .and_then(|device| doc.text(device, "info_name"));
    shown.unwrap_or_else(|| path.clone())
}

/// `nvme0n1` where smartctl was asked for the controller `nvme0`: its first namespace.
fn controller_less(name: &str) -> String {
    let controller = name
        .strip_prefix("nvme")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if controller {
        format!("{name}n1")
    } else {
        name.to_owned()
    }
}

fn health(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json) -> Health {
    let mut health = Health {
        passed: root
            .get("smart_status")
            .and_then(|status| doc.truth(place, status, "passed")),
        // Beyond these a sensor is broken; a SCSI disk without one says 0.
        temperature: root
            .get("temperature")
            .and_then(|temperature| doc.whole(place, temperature, "current"))
            .filter(|degrees| (1..150).contains(&degrees.value)),
        hours: root
            .get("power_on_time")
            .and_then(|time| doc.whole(place, time, "hours")),
        reallocated: doc.whole(place, root, "scsi_grown_defect_list"),
        ..Health::default()
    };
    let table = root
        .at(&["ata_smart_attributes", "table"])
        .map_or(&[][..], Json::list);
    for attribute in table.iter().take(256) {
        let Some(id) = attribute.get("id").and_then(crate::json::integer) else {
            continue;
        };
        let failed = doc.text(attribute, "when_failed");
        if let (Some(when), Some(name)) = (failed, doc.text(attribute, "name")) {
            let text = format!("{} ({})", name.value, when.value);
            health
                .failed_attributes
                .push(Sourced::new(Arc::from(text), when.origin));
        }
        let slot = match id {
            5 => &mut health.reallocated,
            197 => &mut health.pending,
            198 => &mut health.uncorrectable,
            199 => &mut health.transfer_errors,
            _ => continue,
        };
        // Some makers keep other counts in the upper bytes of the six.
        let raw = attribute
            .get("raw")
            .and_then(|raw| doc.whole(place, raw, "value"));
        *slot = raw.map(|raw| raw.map(|count| count & 0xffff_ffff));
    }
    if let Some(log) = root.get("nvme_smart_health_information_log") {
        nvme(place, doc, log, &mut health);
    }
    health
}

/// NVMe's health log.
fn nvme(place: &mut Place<'_>, doc: &Doc<'_>, log: &Json, health: &mut Health) {
    health.critical_warning = doc.whole(place, log, "critical_warning");
    health.uncorrectable = doc.whole(place, log, "media_errors");
    // The maker's estimate goes up to 255 (NVMe base specification, SMART / health information).
    health.read = crate::nvme::units(doc.whole(place, log, "data_units_read"));
    health.written = crate::nvme::units(doc.whole(place, log, "data_units_written"));
    health.unsafe_shutdowns = doc.whole(place, log, "unsafe_shutdowns");
    let mut share = |name: &str, most: u64| -> Fact<Percent> {
        let share = doc.whole(place, log, name).filter(|share| share.value <= most)?;
        Some(share.map(|share| Percent(share as f64)))
    };
    health.used = share("percentage_used", 255);
    health.spare = share("available_spare", 100);
}
