//! `facter.json`, the hardware report of nixos-facter.
//!
//! Fields as `pkg/facter` and `pkg/hwinfo` of nix-community/nixos-facter write them.
//! Every key is optional: some people keep a file that holds nothing but `system`.

use std::collections::BTreeSet;
use std::sync::Arc;

use source::{Bytes, Origin, Sourced};

use crate::disk::{
    self, Controller, ControllerKind, DiskFacts, Index, RAID_DRIVERS, Transport, Unreal, transport_of_driver,
};
use crate::facts::{Facts, put};
use crate::input::Place;
use crate::json::{Doc, Json};
use crate::memory::Swap;

/// Whether a document is a hardware report.
pub(crate) fn is(root: &Json) -> bool {
    root.get("hardware").is_some()
        || root.get("smbios").is_some()
        || root.get("virtualisation").is_some()
        || (root.get("system").and_then(Json::text).is_some() && root.members().len() <= 3)
}

pub(crate) fn read(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts, index: &mut Index) {
    let machine = "the machine";
    let contradictions = &mut facts.contradictions;
    put(
        &mut facts.system,
        doc.text(root, "system"),
        machine,
        "the system",
        contradictions,
    );
    put(
        &mut facts.virtualisation,
        doc.text(root, "virtualisation"),
        machine,
        "the virtualisation",
        contradictions,
    );
    if let Some(uefi) = root.get("uefi") {
        let supported = doc.truth(place, uefi, "supported");
        put(
            &mut facts.uefi,
            supported,
            machine,
            "whether it boots by UEFI",
            contradictions,
        );
    }
    if let Some(system) = root.at(&["smbios", "system"]) {
        let (maker, product) = (doc.text(system, "manufacturer"), doc.text(system, "product"));
        let name = match (maker, product) {
            (Some(maker), Some(product)) => Some(Sourced::new(
                Arc::from(format!("{} {}", maker.value, product.value)),
                product.origin,
            )),
            (maker, product) => product.or(maker),
        };
        put(&mut facts.product, name, machine, "the product", contradictions);
    }
    if let Some(hardware) = root.get("hardware") {
        if let Some(system) = hardware.get("system") {
            put(
                &mut facts.form_factor,
                doc.text(system, "form_factor"),
                machine,
                "the form factor",
                contradictions,
            );
        }
        cpu(place, doc, hardware, facts);
        memory(place, doc, root, hardware, facts);
        let controllers = controllers(place, doc, hardware);
        for entry in list(hardware, "disk") {
            if let Some(disk) = disk(place, doc, entry, &controllers) {
                disk::add(facts, index, disk);
            } else {
                doc.warn(place, entry, "a disk of the report without any name");
            }
        }
        facts.controllers.extend(controllers);
    }
    for entry in list(root, "swap") {
        let Some(path) = doc.text(entry, "path") else {
            continue;
        };
        if facts.swaps.iter().any(|swap| swap.path.value == path.value) {
            continue;
        }
        // pkg/ephem/swap.go passes on the kibibytes of /proc/swaps.
        let mut kib = |name: &str| {
            let count = doc.whole(place, entry, name)?;
            (count.value <= 1 << 53).then(|| count.map(Bytes::kib))
        };
        let (size, used) = (kib("size"), kib("used"));
        let priority = entry.get("priority").and_then(|value| {
            let number = crate::json::integer(value)?;
            Some(doc.sourced(number, value))
        });
        facts.swaps.push(Swap {
            path,
            kind: doc.text(entry, "type"),
            size,
            used,
            priority,
        });
    }
}

fn list<'j>(of: &'j Json, name: &str) -> &'j [Json] {
    of.get(name).map_or(&[], Json::list)
}

fn cpu(place: &mut Place<'_>, doc: &Doc<'_>, hardware: &Json, facts: &mut Facts) {
    let sockets = list(hardware, "cpu");
    let Some(first) = sockets.first() else { return };
    let cpu = &mut facts.cpu;
    let machine = "the processor";
    let contradictions = &mut facts.contradictions;
    put(
        &mut cpu.model,
        doc.text(first, "model_name"),
        machine,
        "the model",
        contradictions,
    );
    put(
        &mut cpu.architecture,
        doc.text(first, "architecture"),
        machine,
        "the architecture",
        contradictions,
    );
    put(
        &mut cpu.sockets,
        Some(doc.sourced(sockets.len() as u64, first.get("architecture").unwrap_or(first))),
        machine,
        "the number of sockets",
        contradictions,
    );
    let mut sum = |name: &str, most: u64| {
        let counts: Vec<Sourced<u64>> = sockets
            .iter()
            .filter_map(|socket| doc.whole(place, socket, name))
            .filter(|count| count.value > 0)
            .collect();
        if counts.len() != sockets.len() {
            return None;
        }
        let total = counts
            .iter()
            .fold(0_u64, |sum, count| sum.saturating_add(count.value));
        if total > most {
            if let Some(value) = first.get(name) {
                doc.warn(place, value, format_args!("a machine with {total} {name}"));
            }
            return None;
        }
        let origin = Origin::derived(counts.into_iter().map(|count| count.origin));
        Some(Sourced::new(total, origin))
    };
    // Linux is built for at most 8192 processors (arch/x86/Kconfig, NR_CPUS_RANGE_END).
    let (cores, threads) = (sum("cores", 8192), sum("siblings", 8192));
    put(&mut cpu.cores, cores, machine, "the cores", contradictions);
    put(&mut cpu.threads, threads, machine, "the threads", contradictions);
    let flags = |socket: &Json| -> BTreeSet<Arc<str>> {
        list(socket, "features")
            .iter()
            .filter_map(Json::text)
            .map(Arc::clone)
            .collect()
    };
    let features = sockets
        .iter()
        .map(flags)
        .reduce(|all, more| all.intersection(&more).cloned().collect())
        .unwrap_or_default();
    if let (Some(at), false, None) = (first.get("features"), features.is_empty(), &cpu.features) {
        // The line of `aes` is what a report about encryption shows.
        let shown = at
            .list()
            .iter()
            .find(|flag| flag.text().is_some_and(|flag| &**flag == "aes"))
            .unwrap_or(at);
        cpu.features = Some(doc.sourced(features, shown));
    }
}

fn memory(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, hardware: &Json, facts: &mut Facts) {
    for entry in list(hardware, "memory") {
        for resource in list(entry, "resources") {
            if resource
                .get("type")
                .and_then(Json::text)
                .is_some_and(|kind| &**kind == "phys_mem")
            {
                let size = doc.size(place, resource, "range").filter(|size| size.value.0 > 0);
                if facts.memory.physical.is_none() {
                    facts.memory.physical = size;
                }
            }
        }
    }
    let modules: Vec<Sourced<u64>> = root
        .get("smbios")
        .map_or(&[][..], |smbios| list(smbios, "memory_device"))
        .iter()
        .filter_map(|module| doc.whole(place, module, "size"))
        // Empty slots have size 0.
        .filter(|kibibytes| kibibytes.value > 0)
        .collect();
    if modules.is_empty() || facts.memory.modules.is_some() {
        return;
    }
    let kibibytes = modules
        .iter()
        .fold(0_u64, |sum, module| sum.saturating_add(module.value));
    if kibibytes > 1 << 40 {
        place.tell_file("the memory modules add up to more than a pebibyte; they are left out");
        return;
    }
    let origin = Origin::derived(modules.into_iter().map(|module| module.origin));
    facts.memory.modules = Some(Sourced::new(Bytes::kib(kibibytes), origin));
}

fn controllers(place: &mut Place<'_>, doc: &Doc<'_>, hardware: &Json) -> Vec<Controller> {
    list(hardware, "storage_controller")
        .iter()
        .map(|entry| {
            // The name of the class is missing for the most common ones; the number is there.
            let class = entry.get("sub_class");
            let number = class.and_then(|class| {
                let by_value = class.get("value").and_then(crate::json::integer);
                by_value.or_else(|| {
                    let hex = class.get("hex")?.text()?;
                    i64::from_str_radix(hex, 16).ok()
                })
            });
            let driver = doc.text(entry, "driver");
            let kind = match number {
                Some(0x00) => ControllerKind::Scsi,
                Some(0x01) => ControllerKind::Ide,
                Some(0x04) => ControllerKind::Raid,
                Some(0x06) => ControllerKind::Sata,
                Some(0x07) => ControllerKind::Sas,
                Some(0x08) => ControllerKind::Nvme,
                _ => ControllerKind::Other,
            };
            let name = |part: &str| {
                let named = entry.get(part)?;
                doc.text(named, "name")
            };
            Controller {
                kind: doc.sourced(
                    kind,
                    class
                        .and_then(|class| class.get("hex").or_else(|| class.get("value")))
                        .unwrap_or(entry),
                ),
                driver,
                model: name("device").or_else(|| name("vendor")),
                index: doc.whole(place, entry, "index").map(|index| index.value),
            }
        })
        .collect()
}

fn disk(place: &mut Place<'_>, doc: &Doc<'_>, entry: &Json, controllers: &[Controller]) -> Option<DiskFacts> {
    // /class/block/sda; the exclamation mark stands for a slash (cciss!c0d0).
    let name = doc
        .text(entry, "sysfs_id")
        .and_then(|id| {
            let name = id.value.rsplit('/').next()?.replace('!', "/");
            (!name.is_empty()).then(|| Sourced::new(Arc::from(name), id.origin))
        })
        .or_else(|| {
            let path = doc.text(entry, "unix_device_name")?;
            Some(path.map(|path| Arc::from(crate::facts::kernel_name(&path))))
        });
    let links: Vec<_> = list(entry, "unix_device_names")
        .iter()
        .filter_map(|link| Some(doc.sourced(Arc::clone(link.text()?), link)))
        .collect();
    if name.is_none() && links.is_empty() {
        return None;
    }
    let mut disk = DiskFacts {
        name,
        links,
        serial: doc.text(entry, "serial"),
        driver: doc.text(entry, "driver"),
        vendor: entry.get("vendor").and_then(|vendor| doc.text(vendor, "name")),
        ..DiskFacts::default()
    };
    // hwinfo says "Disk" where it knows nothing, and cuts SATA names at 16 bytes.
    let told = doc.text(entry, "model").filter(|model| &*model.value != "Disk");
    disk.model = match (told, full_model(&disk)) {
        (Some(told), Some(full)) if disk::model_key(&full.value) == disk::model_key(&told.value) => {
            Some(told)
        }
        (told, full) => full.or(told),
    };
    // A reader without a medium has no sectors; a disk that could not be opened, as in a container, tells
    // nothing of them.
    let mut empty = None;
    for resource in list(entry, "resources") {
        let kind = resource.get("type").and_then(Json::text);
        if kind.is_none_or(|kind| &**kind != "size") {
            continue;
        }
        let (Some(count), Some(sector)) = (
            doc.whole(place, resource, "value_1"),
            doc.whole(place, resource, "value_2"),
        ) else {
            continue;
        };
        // Sectors are powers of two from 512 bytes to 64 KiB (block/blk-settings.c).
        if !sector.value.is_power_of_two() || !(512..=65536).contains(&sector.value) {
            doc.warn(
                place,
                resource,
                format_args!("a sector of {} bytes", sector.value),
            );
            continue;
        }
        match count
            .value
            .checked_mul(sector.value)
            .filter(|bytes| *bytes <= 1 << 63)
        {
            Some(0) => empty = Some(Sourced::new(Unreal::Empty, count.origin)),
            Some(bytes) => {
                disk.size = Some(Sourced::new(Bytes(bytes), count.origin));
                disk.logical_sector = Some(sector.map(Bytes));
            }
            None => doc.warn(
                place,
                resource,
                format_args!("a disk of {} sectors of {} bytes", count.value, sector.value),
            ),
        }
    }
    let classes = list(entry, "class_list");
    let class = |name: &str| {
        classes
            .iter()
            .find(|class| class.text().is_some_and(|text| &**text == name))
    };
    let bus = entry.get("bus_type").and_then(|bus| doc.text(bus, "name"));
    let by_driver = disk.driver.as_ref().and_then(|driver| {
        let transport = transport_of_driver(&driver.value)?;
        Some(Sourced::new(transport, driver.origin.clone()))
    });
    disk.transport = class("nvme")
        .map(|class| doc.sourced(Transport::Nvme, class))
        .or(by_driver)
        .or_else(|| class("usb").map(|class| doc.sourced(Transport::Usb, class)))
        .or_else(|| {
            let bus = bus?;
            let transport = match &*bus.value {
                "NVME" => Transport::Nvme,
                // Every SATA disk is listed as IDE.
                "IDE" => Transport::Sata,
                "SCSI" => Transport::Scsi,
                _ => return None,
            };
            Some(Sourced::new(transport, bus.origin))
        });
    let attached = doc.whole(place, entry, "attached_to").map(|index| index.value);
    let controller = controllers
        .iter()
        .find(|controller| controller.index.is_some() && controller.index == attached);
    let by_driver = disk
        .driver
        .as_ref()
        .filter(|driver| RAID_DRIVERS.contains(&&*driver.value))
        .cloned();
    let nvme = disk
        .transport
        .as_ref()
        .is_some_and(|transport| transport.value == Transport::Nvme);
    disk.behind_raid = by_driver.or_else(|| {
        let controller = controller.filter(|controller| controller.kind.value == ControllerKind::Raid)?;
        // Intel's VMD shows as a RAID controller and hides nothing of an NVMe disk.
        let driver = controller.driver.as_ref().filter(|_| !nvme)?;
        Some(driver.clone())
    });
    let listed = disk.name.as_ref().and_then(|name| {
        let kind = Unreal::of_name(&name.value)?;
        Some(Sourced::new(kind, name.origin.clone()))
    });
    disk.unreal = listed.or(empty.filter(|_| disk.size.is_none()));
    Some(disk)
}

/// The model's full name from the link `/dev/disk/by-id/ata-MODEL_SERIAL`:
/// the SCSI inquiry string that hwinfo shows is cut at 16 bytes.
fn full_model(disk: &DiskFacts) -> Option<Sourced<Arc<str>>> {
    disk.links.iter().find_map(|link| {
        let id = link.value.strip_prefix("/dev/disk/by-id/")?;
        let (bus, rest) = id.split_once('-')?;
        if !matches!(bus, "ata" | "nvme" | "scsi" | "usb" | "mmc") {
            return None;
        }
        if rest.starts_with("eui.") || rest.starts_with("nvme.") || rest.starts_with("uuid.") {
            return None;
        }
        let model = match &disk.serial {
            Some(serial) if rest.contains(&*serial.value) => rest
                .split(&*serial.value)
                .next()
                .unwrap_or(rest)
                .trim_end_matches('_'),
            _ => rest.rsplit_once('_')?.0,
        };
        // scsi-3600… is a number, not a name.
        let named = model.chars().any(|c| c.is_ascii_alphabetic()) && bus != "scsi";
        // udev writes blanks as underscores.
        (named && !model.is_empty())
            .then(|| Sourced::new(Arc::from(model.replace('_', " ")), link.origin.clone()))
    })
}
