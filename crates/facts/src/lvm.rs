//! LVM: `lvs`, `vgs`, `pvs` and `lvm fullreport` with `--reportformat json`.
//!
//! Fields and attributes as lvs(8), vgs(8), pvs(8) and lvmreport(7) name them.

use std::sync::Arc;

use source::{Bytes, Percent, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::Place;
use crate::json::{Doc, Json, shorten};
use crate::number;

/// A logical volume.
#[derive(Clone, Debug, PartialEq)]
pub struct LogicalVolume {
    /// Its name, without the brackets that LVM puts around internal volumes.
    pub name: Sourced<Arc<str>>,
    /// Its volume group.
    pub group: Fact<Arc<str>>,
    /// `lv_attr`: ten letters, the first its kind, the fifth its state, the ninth its health.
    pub attributes: Fact<Arc<str>>,
    /// How large it is; of a thin one, how large it claims to be.
    pub size: Fact<Bytes>,
    /// The thin or cache pool that it lies in.
    pub pool: Fact<Arc<str>>,
    /// What it is a snapshot of.
    pub origin: Fact<Arc<str>>,
    /// How full a snapshot, pool or thin volume is.
    pub data: Fact<Percent>,
    /// How full a pool's metadata is. At 100 % the pool stops.
    pub metadata: Fact<Percent>,
    /// How far a mirror or RAID is in sync.
    pub synced: Fact<Percent>,
    /// `linear`, `raid,raid1`, `thin,pool` …, where the column was asked for.
    pub layout: Fact<Arc<str>>,
    /// What it lies on, in LVM's words, where the column was asked for.
    pub devices: Fact<Arc<str>>,
    /// The chunk of a snapshot, thin pool or cache, where the column was asked for.
    pub chunk: Fact<Bytes>,
}

impl LogicalVolume {
    fn attribute(&self, at: usize) -> Option<u8> {
        self.attributes.as_ref()?.value.as_bytes().get(at).copied()
    }

    /// Whether it is an old-style snapshot, which slows each first write of its origin. Thin ones do not.
    pub fn is_snapshot(&self) -> Option<bool> {
        self.attribute(0).map(|kind| matches!(kind, b's' | b'S'))
    }

    /// Whether it is a thin volume, or a pool of thin volumes.
    pub fn is_thin(&self) -> Option<bool> {
        self.attribute(0).map(|kind| matches!(kind, b'V' | b't'))
    }

    /// Whether a device under it is missing or has failed.
    pub fn is_damaged(&self) -> Option<bool> {
        // `p`artial, `r`efresh needed, `m`ismatches, `F`ailed, out of `D`ata space, `M`etadata read only.
        self.attribute(8)
            .map(|health| matches!(health, b'p' | b'r' | b'm' | b'F' | b'D' | b'M'))
    }
}

/// A volume group.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeGroup {
    /// Its name.
    pub name: Sourced<Arc<str>>,
    /// `vg_attr`: six letters, the fourth a `p` when a device is missing.
    pub attributes: Fact<Arc<str>>,
    /// How large it is.
    pub size: Fact<Bytes>,
    /// What of it no volume has.
    pub free: Fact<Bytes>,
    /// Its extents' size, where the column was asked for.
    pub extent: Fact<Bytes>,
}

/// A physical volume.
#[derive(Clone, Debug, PartialEq)]
pub struct PhysicalVolume {
    /// Its device.
    pub device: Sourced<Arc<str>>,
    /// Its volume group; missing where it is in none.
    pub group: Fact<Arc<str>>,
    /// How large it is.
    pub size: Fact<Bytes>,
    /// What of it no volume has.
    pub free: Fact<Bytes>,
}

/// The most of each kind.
const MOST: usize = 100_000;

/// Whether a document is a report of LVM.
pub(crate) fn is(root: &Json) -> bool {
    root.get("report").is_some_and(|report| {
        report
            .list()
            .iter()
            .flat_map(Json::members)
            .any(|(name, _)| matches!(&**name, "lv" | "vg" | "pv"))
    })
}

/// A size: `60.00m`, `<19.98g`, `62914560B`; a bare number is in bytes (`--units b --nosuffix`).
fn size(place: &mut Place<'_>, doc: &Doc<'_>, row: &Json, name: &str) -> Fact<Bytes> {
    let value = row.get(name)?;
    let letters = value.text()?.trim();
    if letters.is_empty() {
        return None;
    }
    // `<` tells that the figure was rounded up. Units in capitals are powers of 1000.
    let bare = letters.trim_start_matches(['<', '>']);
    let number = bare.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match bare.get(number.len()..)? {
        "" | "b" | "B" => Some(1.0),
        "s" => Some(512.0),
        "k" => Some(1024.0),
        "m" => Some(1024_f64.powi(2)),
        "g" => Some(1024_f64.powi(3)),
        "t" => Some(1024_f64.powi(4)),
        "p" => Some(1024_f64.powi(5)),
        "e" => Some(1024_f64.powi(6)),
        "K" => Some(1e3),
        "M" => Some(1e6),
        "G" => Some(1e9),
        "T" => Some(1e12),
        "P" => Some(1e15),
        "E" => Some(1e18),
        _ => None,
    };
    let bytes = match (factor, number::whole(number)) {
        (Some(1.0), Some(bytes)) => Some(bytes),
        _ => number::amount(number)
            .zip(factor)
            .map(|(number, factor)| (number * factor).round())
            .filter(|bytes| *bytes <= 2_f64.powi(63))
            .map(|bytes| bytes as u64),
    };
    match bytes.filter(|bytes| *bytes <= 1 << 63) {
        Some(bytes) => Some(doc.sourced(Bytes(bytes), value)),
        None => {
            doc.warn(
                place,
                value,
                format_args!("`{name}` is {}, not a size in range", shorten(letters)),
            );
            None
        }
    }
}

fn share(place: &mut Place<'_>, doc: &Doc<'_>, row: &Json, name: &str) -> Fact<Percent> {
    let value = row.get(name)?;
    let letters = value.text()?.trim();
    if letters.is_empty() {
        return None;
    }
    match number::percent(letters).filter(|share| *share <= 100.0) {
        Some(share) => Some(doc.sourced(Percent(share), value)),
        None => {
            doc.warn(
                place,
                value,
                format_args!("`{name}` is {}, not a share", shorten(letters)),
            );
            None
        }
    }
}

/// The rows of all reports in the document.
pub(crate) fn read(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts) {
    let reports = root.get("report").map_or(&[][..], Json::list);
    for (kind, rows) in reports.iter().flat_map(Json::members) {
        for row in rows.list() {
            if facts.lvs.len().max(facts.vgs.len()).max(facts.pvs.len()) >= MOST {
                place.tell_file("more than 100000 volumes; the rest is left out");
                return;
            }
            match &**kind {
                "lv" => lv(place, doc, row, facts),
                "vg" => vg(place, doc, row, facts),
                "pv" => pv(place, doc, row, facts),
                // `pvseg`, `seg`: pieces of the volumes.
                _ => {}
            }
        }
    }
}

fn lv(place: &mut Place<'_>, doc: &Doc<'_>, row: &Json, facts: &mut Facts) {
    let Some(name) = doc.text(row, "lv_name") else {
        // Some rows of a full report are pieces without a name.
        return;
    };
    let name = name.map(|name| Arc::from(name.trim_matches(['[', ']'])));
    let new = LogicalVolume {
        group: doc.text(row, "vg_name"),
        attributes: doc.text(row, "lv_attr"),
        size: size(place, doc, row, "lv_size"),
        pool: doc.text(row, "pool_lv"),
        origin: doc.text(row, "origin"),
        data: share(place, doc, row, "data_percent"),
        metadata: share(place, doc, row, "metadata_percent"),
        synced: share(place, doc, row, "copy_percent"),
        layout: doc.text(row, "lv_layout"),
        devices: doc.text(row, "devices"),
        chunk: size(place, doc, row, "chunk_size").filter(|size| size.value.0 > 0),
        name,
    };
    let group = |lv: &LogicalVolume| lv.group.as_ref().map(|group| Arc::clone(&group.value));
    // A volume of several segments has a row for each; so has one that two reports list.
    match facts
        .lvs
        .iter_mut()
        .rev()
        .take(64)
        .find(|known| known.name.value == new.name.value && group(known) == group(&new))
    {
        Some(known) if known.size.is_some() || new.size.is_none() => {}
        Some(known) => *known = new,
        None => facts.lvs.push(new),
    }
}

fn vg(place: &mut Place<'_>, doc: &Doc<'_>, row: &Json, facts: &mut Facts) {
    let Some(name) = doc.text(row, "vg_name") else {
        return;
    };
    facts.vgs.push(VolumeGroup {
        name,
        attributes: doc.text(row, "vg_attr"),
        size: size(place, doc, row, "vg_size"),
        free: size(place, doc, row, "vg_free"),
        extent: size(place, doc, row, "vg_extent_size"),
    });
}

fn pv(place: &mut Place<'_>, doc: &Doc<'_>, row: &Json, facts: &mut Facts) {
    let Some(device) = doc.text(row, "pv_name") else {
        return;
    };
    facts.pvs.push(PhysicalVolume {
        device,
        group: doc.text(row, "vg_name"),
        size: size(place, doc, row, "pv_size"),
        free: size(place, doc, row, "pv_free"),
    });
}
