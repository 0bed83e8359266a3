//! nvme-cli: `nvme smart-log -o json` and `nvme id-ns -o json`.
//!
//! Neither names its device, so the file's name or heading or the command must.
//! Fields as the NVM Express base specification defines them (health log, Identify Namespace).

use std::sync::Arc;

use source::{Bytes, Percent, Sourced};

use crate::disk::{self, DiskFacts, Health, Index, Transport};
use crate::facts::{Fact, Facts};
use crate::input::Place;
use crate::json::{Doc, Json};

/// How a namespace is formatted, and how it could be.
#[derive(Clone, Debug, PartialEq)]
pub struct NvmeNamespace {
    /// The namespace's device: `nvme0n1`.
    pub device: Arc<str>,
    /// Its formats.
    pub formats: Vec<LbaFormat>,
}

impl NvmeNamespace {
    /// The format in use.
    pub fn in_use(&self) -> Option<&LbaFormat> {
        self.formats.iter().find(|format| format.in_use)
    }

    /// The format without metadata that the maker calls the fastest, and of those the one with the
    /// largest sector, if it is another than the one in use and not slower by the maker's own word.
    pub fn better(&self) -> Option<&LbaFormat> {
        let used = self.in_use()?;
        self.formats
            .iter()
            .filter(|format| format.metadata.value == used.metadata.value)
            .min_by_key(|format| (format.performance.value, std::cmp::Reverse(format.sector.value)))
            .filter(|best| {
                (best.performance.value, std::cmp::Reverse(best.sector.value))
                    < (used.performance.value, std::cmp::Reverse(used.sector.value))
            })
    }
}

/// A format that a namespace offers.
#[derive(Clone, Debug, PartialEq)]
pub struct LbaFormat {
    /// Its number, as `nvme format --lbaf` takes it.
    pub number: usize,
    /// The sector.
    pub sector: Sourced<Bytes>,
    /// Bytes of metadata beside each sector.
    pub metadata: Sourced<Bytes>,
    /// The maker's ranking: 0 is best, 3 degraded.
    pub performance: Sourced<u64>,
    /// Whether it is the one in use.
    pub in_use: bool,
}

/// Whether a document is a health log.
pub(crate) fn is_smart_log(root: &Json) -> bool {
    root.get("critical_warning").is_some() && root.get("data_units_read").is_some()
}

/// Whether a document describes a namespace.
pub(crate) fn is_namespace(root: &Json) -> bool {
    root.get("lbafs").is_some() && root.get("flbas").is_some()
}

/// The namespace that a text names: `nvme0n1` in `nvme-id-ns-nvme0n1.json`, in `nvme id-ns /dev/nvme0`.
fn namespace(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| {
        let rest = word.strip_prefix("nvme")?;
        let (controller, number) = rest.split_once('n').unwrap_or((rest, "1"));
        let digits =
            |text: &str| !text.is_empty() && text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit());
        (digits(controller) && digits(number)).then(|| format!("nvme{controller}n{number}"))
    })
}

/// The device that the surroundings of a document name. Without one it is told what to do.
fn device(place: &mut Place<'_>) -> Option<Arc<str>> {
    let command = place.command.as_deref().and_then(namespace);
    let found = command.or_else(|| {
        // The folder may be a bundle's, so the file's own name and heading count.
        namespace(place.name.rsplit('/').next().unwrap_or("")).or_else(|| namespace(&place.name))
    });
    if found.is_none() {
        place.tell_file(
            "it does not say which NVMe device this is of; a name such as nvme0n1-smart-log.json does",
        );
    }
    found.map(Arc::from)
}

/// `nvme smart-log -o json`.
pub(crate) fn smart_log(
    place: &mut Place<'_>,
    doc: &Doc<'_>,
    root: &Json,
    facts: &mut Facts,
    index: &mut Index,
) {
    let Some(name) = device(place) else { return };
    let origin = doc.origin(root.get("critical_warning").unwrap_or(root));
    let share = |place: &mut Place<'_>, name: &str, most: u64| -> Fact<Percent> {
        let share = doc.whole(place, root, name)?;
        if share.value > most {
            if let Some(value) = root.get(name) {
                doc.warn(
                    place,
                    value,
                    format_args!("`{name}` is {}, more than {most}", share.value),
                );
            }
            return None;
        }
        Some(share.map(|share| Percent(share as f64)))
    };
    // Kelvin; beyond 150 degrees Celsius a sensor is broken.
    let temperature = doc
        .whole(place, root, "temperature")
        .and_then(|kelvin| {
            let celsius = kelvin.value.checked_sub(273)?;
            Some(Sourced::new(celsius, kelvin.origin))
        })
        .filter(|degrees| degrees.value < 150);
    let health = Health {
        critical_warning: doc.whole(place, root, "critical_warning"),
        uncorrectable: doc.whole(place, root, "media_errors"),
        // The maker's estimate goes up to 255.
        used: share(place, "percent_used", 255),
        spare: share(place, "avail_spare", 100),
        temperature,
        hours: doc.whole(place, root, "power_on_hours"),
        read: units(doc.whole(place, root, "data_units_read")),
        written: units(doc.whole(place, root, "data_units_written")),
        unsafe_shutdowns: doc.whole(place, root, "unsafe_shutdowns"),
        ..Health::default()
    };
    disk::add(
        facts,
        index,
        DiskFacts {
            name: Some(Sourced::new(name, origin.clone())),
            transport: Some(Sourced::new(Transport::Nvme, origin)),
            health,
            ..DiskFacts::default()
        },
    );
}

/// Data units are of 1000 sectors of 512 bytes (base specification, health log).
pub(crate) fn units(count: Fact<u64>) -> Fact<Bytes> {
    let count = count?;
    let bytes = count.value.checked_mul(512_000)?;
    Some(Sourced::new(Bytes(bytes), count.origin))
}

/// `nvme id-ns -o json`.
pub(crate) fn id_ns(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts) {
    let Some(device) = device(place) else { return };
    // Bits 0 to 3, and 5 and 6 above them, are the number of the format in use.
    let used = doc
        .whole(place, root, "flbas")
        .map(|bits| ((bits.value & 0xf) | (bits.value >> 1 & 0x30)) as usize);
    let mut formats = Vec::new();
    let listed = root.get("lbafs").map_or(&[][..], Json::list);
    for (number, format) in listed.iter().enumerate().take(64) {
        let (Some(power), Some(metadata), Some(performance)) = (
            doc.whole(place, format, "ds"),
            doc.whole(place, format, "ms"),
            doc.whole(place, format, "rp"),
        ) else {
            continue;
        };
        // A power of two; formats that are not available have 0.
        if power.value == 0 {
            continue;
        }
        if !(9..=16).contains(&power.value) || metadata.value > 65_536 || performance.value > 3 {
            doc.warn(place, format, "no format that an NVMe namespace can have");
            continue;
        }
        formats.push(LbaFormat {
            number,
            sector: power.map(|power| Bytes(1 << power)),
            metadata: metadata.map(Bytes),
            performance,
            in_use: used == Some(number),
        });
    }
    if facts.nvme.len() < 10_000 {
        facts.nvme.push(NvmeNamespace { device, formats });
    }
}
