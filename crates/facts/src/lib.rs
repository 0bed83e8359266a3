//! The text of each tool's output → typed facts that remember the line they were read from.
//!
//! Takes bytes, front to end, once; gives [`Facts`] and [`Problem`]s.
//! Never runs a tool, never touches a file, never judges, never stops at bad input:
//! what was not understood is a problem with its place, and the rest is read.
//!
//! ```
//! use facts::Input;
//!
//! let mounts = b"/dev/sda2 / btrfs rw,noatime,compress=zstd:1,subvol=/root 0 0\n";
//! let files = source::Files::new();
//! let (facts, problems) = facts::read(&files, [Input::new("proc-mounts", mounts)]);
//!
//! assert!(problems.is_empty());
//! let root = facts.mount_at("/").unwrap();
//! assert_eq!(root.option("compress").unwrap().value, "zstd:1");
//! assert_eq!(root.subvolume(), Some("root"));
//! ```

mod arc_tools;
mod attributes;
mod boot;
mod btrfs;
mod cpu;
mod detect;
mod df;
mod disk;
mod diskstats;
mod facter;
mod facts;
mod files;
mod fio;
mod input;
mod io;
mod iotop;
mod json;
mod kernel_log;
mod links;
mod lsblk;
mod luks;
mod lvm;
mod md;
mod memory;
mod mounts;
mod names;
mod number;
mod nvme;
mod pg_stat;
mod pressure;
mod series;
mod settings;
mod smart;
mod subvolumes;
mod sysctl;
mod sysfs;
mod versions;
mod vmstat;
mod zfs;
mod zpool_iostat;

use std::io::{Cursor, Read};
use std::sync::Arc;

use source::{Files, Origin, Problem, Quote, Sourced};

pub use crate::arc_tools::{ArcSamples, ArcSummary};
pub use crate::attributes::BtrfsAttributes;
pub use crate::boot::UnitTime;
pub use crate::btrfs::{BlockGroup, BtrfsDeviceErrors, BtrfsUsage, DeviceSpace, Profile, ProfileUsage};
pub use crate::cpu::CpuFacts;
pub use crate::detect::Kind;
pub use crate::df::DfRow;
pub use crate::disk::{
    BlockDevice, BlockKind, Controller, ControllerKind, DiskFacts, Health, Media, QueueFacts, Scheduler,
    Sureness, Transport, Unreal,
};
pub use crate::facts::{Contradiction, Fact, Facts, FileRead, kernel_name, whole_disk};
pub use crate::files::{Compression, CompressionRow, FileExtents, FileFlags};
pub use crate::fio::{FioJob, FioSide};
pub use crate::input::Input;
pub use crate::io::{CpuUse, DeviceIo, Window};
pub use crate::iotop::ProcessIo;
pub use crate::kernel_log::{KernelTrouble, TroubleKind};
pub use crate::luks::Luks;
pub use crate::lvm::{LogicalVolume, PhysicalVolume, VolumeGroup};
pub use crate::md::{MdArray, MdMember, MdState};
pub use crate::memory::{MemoryFacts, Swap};
pub use crate::mounts::Mount;
pub use crate::nvme::{LbaFormat, NvmeNamespace};
pub use crate::pg_stat::PgStat;
pub use crate::pressure::{Pressure, Pressures, Resource, Stall};
pub use crate::series::Series;
pub use crate::settings::PgSetting;
pub use crate::subvolumes::{Balance, BtrfsCommits, Qgroup, Scrub, Subvolume};
pub use crate::versions::{Version, Versions};
pub use crate::vmstat::Vmstat;
pub use crate::zfs::{
    ArcStats, Counters, Kstat, PropertySource, Vdev, VdevClass, ZfsProperty, Zpool, ZpoolStatus,
};
pub use crate::zpool_iostat::ZpoolIo;

use crate::disk::{Index, Report};
use crate::input::{Content, Lines, Place};
use crate::json::{Doc, Pull, Token};
use crate::names::Names;

/// The largest document that is read as a whole. Logs may be of any length.
const LARGEST_DOCUMENT: u64 = 64 << 20;

/// Reads the outputs of any tools that this crate knows, in any order.
///
/// The content decides what each input is; its name helps where contents look alike.
/// The texts of inputs up to 1 MiB are added to `files`, so that problems in them have spans;
/// of larger ones the lines that facts quote are kept.
/// An input that is nothing known is a problem, and the rest is read.
/// Where two inputs tell a fact differently, live listings count before hardware reports,
/// else the first one counts; both stand in [`Facts::contradictions`].
pub fn read<'a>(files: &Files, inputs: impl IntoIterator<Item = Input<'a>>) -> (Facts, Vec<Problem>) {
    let mut facts = Facts::default();
    let mut index = Index::default();
    let mut problems = Vec::new();
    for input in inputs {
        let Input { path, command, bytes } = input;
        match input::open(bytes) {
            Ok(Content::Whole(text)) => {
                let text: Arc<str> = Arc::from(text);
                let file = files.add(Arc::clone(&path), Arc::clone(&text));
                let place = Place::new(file, Arc::clone(&path), command, true, &mut problems);
                whole(place, &text, &mut facts, &mut index);
            }
            Ok(Content::Large { head, rest }) => {
                let file = files.add(Arc::clone(&path), "");
                let place = Place::new(file, Arc::clone(&path), command, false, &mut problems);
                large(place, head, rest, &mut facts, &mut index);
            }
            Err(error) => problems.push(Problem::error(format!("{path}: {error}"))),
        }
    }
    diskstats::finish(&mut facts, &mut index);
    btrfs::join(&mut facts);
    for report in std::mem::take(&mut index.reports) {
        let mut place = Place::new(report.file, report.name, None, report.kept, &mut problems);
        let doc = Doc::new(report.file, &report.text, report.line, report.offset);
        facter::read(&mut place, &doc, &doc.read().root, &mut facts, &mut index);
    }
    facts.names = Names::new(&facts);
    (facts, problems)
}

/// A file that is in memory: one output, or several under `==> name <==` as head(1) and tail(1) put them.
fn whole(mut place: Place<'_>, text: &str, facts: &mut Facts, index: &mut Index) {
    if text.trim().is_empty() {
        place.tell_file("the file is empty");
        return;
    }
    let path = Arc::clone(&place.name);
    let sections = sections(text);
    if sections.iter().all(|section| section.text.trim().is_empty()) {
        place.tell_file("the file holds headings and nothing below them");
        return;
    }
    for section in sections {
        if let Some(name) = section.name {
            place.name = Arc::from(format!("{path}#{name}"));
            let heading = format!("==> {name} <==");
            let quote = Quote::new(place.file, section.line.saturating_sub(1), &heading, name);
            place.heading = Some(Sourced::new(Arc::from(name), Origin::Probe(quote)));
        }
        if section.text.trim().is_empty() {
            continue;
        }
        one(&mut place, &section, facts, index);
    }
}

/// A part of a file.
struct Section<'t> {
    name: Option<&'t str>,
    text: &'t str,
    line: u32,
    offset: u64,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let heading = |line: &str| line.starts_with("==> ") && line.trim_end().ends_with(" <==");
    if !text.lines().any(heading) {
        return vec![Section {
            name: None,
            text,
            line: 1,
            offset: 0,
        }];
    }
    let mut found = Vec::new();
    let mut name = None;
    let (mut start, mut first) = (0, 1);
    let (mut at, mut number) = (0, 0_u32);
    let mut close = |name, start: usize, end: usize, line| {
        found.push(Section {
            name,
            text: text.get(start..end).unwrap_or(""),
            line,
            offset: start as u64,
        });
    };
    for line in text.split_inclusive('\n') {
        number = number.saturating_add(1);
        let bare = line.trim_end();
        if heading(bare) {
            close(name, start, at, first);
            name = bare
                .strip_prefix("==> ")
                .and_then(|rest| rest.strip_suffix(" <=="));
            start = at + line.len();
            first = number.saturating_add(1);
        }
        at += line.len();
    }
    close(name, start, text.len(), first);
    found
}

fn one(place: &mut Place<'_>, section: &Section<'_>, facts: &mut Facts, index: &mut Index) {
    let text = section.text;
    if looks_like_json(text) {
        if is_iostat(text.as_bytes()) {
            note(place, facts, Kind::IostatJson);
            io::json(place, text.as_bytes(), facts, index);
            return;
        }
        document(place, text, section.line, section.offset, facts, index);
        return;
    }
    let Some(kind) = detect::text(place, text) else {
        not_understood(place);
        return;
    };
    note(place, facts, kind);
    let mut lines = Lines::of(place.file, text, section.line, section.offset);
    by_lines(place, kind, &mut lines, facts, index);
}

fn not_understood(place: &mut Place<'_>) {
    place.tell_file("not understood: it is no output that is known here");
}

fn note(place: &Place<'_>, facts: &mut Facts, kind: Kind) {
    facts.files.push(FileRead {
        file: place.file,
        path: Arc::clone(&place.name),
        kind,
    });
}

/// Whether a text begins as a JSON document does. A bracket begins the lines of
/// `btrfs device stats` and dmesg too, so what stands behind it counts.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    match text.strip_prefix('[') {
        Some(rest) => rest.trim_start().starts_with(['{', '[', '"']),
        None => text.starts_with('{'),
    }
}

/// Whether a document begins as iostat's does: its first member is `sysstat`.
fn is_iostat(head: &[u8]) -> bool {
    let mut pull = Pull::new(head);
    matches!(pull.next(), Ok(Token::Object))
        && matches!(pull.next(), Ok(Token::Key))
        && pull.raw() == b"sysstat"
}

/// A file too large to be kept: logs stream, documents are read whole up to a limit.
fn large(
    mut place: Place<'_>,
    head: Vec<u8>,
    rest: Box<dyn std::io::BufRead + '_>,
    facts: &mut Facts,
    index: &mut Index,
) {
    let shown = String::from_utf8_lossy(head.get(..64 << 10).unwrap_or(&head)).into_owned();
    let json = looks_like_json(&shown);
    if json && is_iostat(&head) {
        note(&place, facts, Kind::IostatJson);
        io::json(&mut place, Cursor::new(head).chain(rest), facts, index);
        return;
    }
    if json {
        let mut bytes = Vec::new();
        let taken = Cursor::new(head)
            .chain(rest)
            .take(LARGEST_DOCUMENT + 1)
            .read_to_end(&mut bytes);
        if taken.is_err() || bytes.len() as u64 > LARGEST_DOCUMENT {
            place.tell_file("a JSON document of more than 64 MiB is not read");
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        document(&mut place, &text, 1, 0, facts, index);
        return;
    }
    let Some(kind) = detect::text(&place, &shown) else {
        not_understood(&mut place);
        return;
    };
    note(&place, facts, kind);
    let mut lines = Lines::stream(place.file, head, rest);
    by_lines(&mut place, kind, &mut lines, facts, index);
}

/// The most lines of an output that is no log.
const MOST_LINES: u64 = 1_000_000;

fn by_lines(place: &mut Place<'_>, kind: Kind, lines: &mut Lines<'_>, facts: &mut Facts, index: &mut Index) {
    if !kind.is_log() {
        lines.limit(MOST_LINES);
    }
    reader(place, kind, lines, facts, index);
    if lines.was_cut() {
        place.tell_file("more than a million lines; the rest is left out");
    }
}

fn reader(place: &mut Place<'_>, kind: Kind, lines: &mut Lines<'_>, facts: &mut Facts, index: &mut Index) {
    match kind {
        Kind::IostatText => io::text(place, lines, facts, index),
        Kind::Df => df::read(place, lines, facts),
        Kind::BtrfsUsage => btrfs::usage(place, lines, facts),
        Kind::BtrfsDeviceStats => btrfs::device_stats(place, lines, facts),
        Kind::Mounts => mounts::proc_mounts(place, lines, facts),
        Kind::Swaps => memory::swaps(place, lines, facts),
        Kind::Meminfo => memory::meminfo(place, lines, facts),
        Kind::Pressure => {
            let seconds = detect::seconds_later(&place.name);
            pressure::read(place, lines, facts, seconds);
        }
        Kind::Versions => versions::read(place, lines, facts),
        Kind::ZpoolList => zfs::zpool_list(place, lines, facts),
        Kind::ZpoolStatus => zfs::zpool_status(place, lines, facts),
        Kind::ZfsGet => zfs::properties(place, lines, facts),
        Kind::Kstat => {
            let seconds = detect::seconds_later(&place.name);
            zfs::kstat(place, lines, facts, seconds);
        }
        Kind::BtrfsDf => subvolumes::df(place, lines, facts),
        Kind::BtrfsSubvolumes => subvolumes::subvolumes(place, lines, facts),
        Kind::BtrfsQgroups => subvolumes::qgroups(place, lines, facts),
        Kind::BtrfsScrub => subvolumes::scrub(place, lines, facts),
        Kind::BtrfsBalance => subvolumes::balance(place, lines, facts),
        Kind::BtrfsCommits => subvolumes::commits(place, lines, facts),
        Kind::Compsize => files::compsize(place, lines, facts),
        Kind::Lsattr => files::lsattr(place, lines, facts),
        Kind::Luks => luks::read(place, lines, facts),
        Kind::Sysctl => sysctl::read(place, lines, facts),
        Kind::Iotop => iotop::read(place, lines, facts),
        Kind::Diskstats => {
            let seconds = detect::seconds_later(&place.name);
            diskstats::read(place, lines, index, seconds);
        }
        Kind::PgSettings => settings::pg_csv(place, lines, facts),
        Kind::RedisInfo => settings::redis(place, lines, facts),
        Kind::Links => links::read(place, lines, facts, index),
        Kind::Sysfs => sysfs::read(place, lines, facts, index),
        Kind::Attribute => attributes::read(place, lines, facts),
        Kind::ZpoolIostat => zpool_iostat::read(place, lines, facts),
        Kind::ArcSummary => arc_tools::summary(place, lines, facts),
        Kind::Arcstat => arc_tools::arcstat(place, lines, facts),
        Kind::Mdstat => md::mdstat(place, lines, facts),
        Kind::Mdadm => md::detail(place, lines, facts),
        Kind::KernelLog => kernel_log::read(place, lines, facts),
        Kind::Vmstat => vmstat::read(place, lines, facts),
        Kind::Filefrag => files::filefrag(place, lines, facts),
        Kind::Blame => boot::read(place, lines, facts),
        Kind::PgStat => {
            let seconds = detect::seconds_later(&place.name);
            pg_stat::read(place, lines, facts, seconds);
        }
        // These are documents and logs in JSON, read elsewhere.
        Kind::Facter
        | Kind::Lsblk
        | Kind::Findmnt
        | Kind::IostatJson
        | Kind::Fio
        | Kind::Smartctl
        | Kind::Lvm
        | Kind::NvmeSmartLog
        | Kind::NvmeIdNs => {}
    }
}

fn document(place: &mut Place<'_>, text: &str, line: u32, offset: u64, facts: &mut Facts, index: &mut Index) {
    let doc = Doc::new(place.file, text, line, offset);
    let read = doc.read();
    if let Some(stop) = &read.stop {
        place.tell(stop.line.saturating_add(line - 1), None, stop.because);
    }
    let root = &read.root;
    let kind = if root.get("blockdevices").is_some() {
        Kind::Lsblk
    } else if root.get("filesystems").is_some() {
        Kind::Findmnt
    } else if smart::is(root) {
        Kind::Smartctl
    } else if fio::is(root) {
        Kind::Fio
    } else if settings::is_pg_json(root) {
        Kind::PgSettings
    } else if pg_stat::is_json(root) {
        Kind::PgStat
    } else if lvm::is(root) {
        Kind::Lvm
    } else if kernel_log::is_json(root) {
        Kind::KernelLog
    } else if nvme::is_smart_log(root) {
        Kind::NvmeSmartLog
    } else if nvme::is_namespace(root) {
        Kind::NvmeIdNs
    } else if facter::is(root) {
        Kind::Facter
    } else {
        not_understood(place);
        return;
    };
    note(place, facts, kind);
    match kind {
        Kind::Lsblk => lsblk::read(place, &doc, root, facts, index),
        Kind::Findmnt => mounts::findmnt(place, &doc, root, facts),
        Kind::Smartctl => smart::read(place, &doc, root, facts, index),
        Kind::Fio => fio::read(place, &doc, root, facts),
        Kind::PgSettings => settings::pg_json(&doc, root, facts),
        Kind::PgStat => {
            let seconds = detect::seconds_later(&place.name);
            pg_stat::json(place, &doc, root, facts, seconds);
        }
        Kind::Lvm => lvm::read(place, &doc, root, facts),
        Kind::KernelLog => kernel_log::json(place, &doc, root, facts),
        Kind::NvmeSmartLog => nvme::smart_log(place, &doc, root, facts, index),
        Kind::NvmeIdNs => nvme::id_ns(place, &doc, root, facts),
        _ => index.reports.push(Report {
            file: place.file,
            name: Arc::clone(&place.name),
            kept: place.kept,
            text: Arc::from(text),
            line,
            offset,
        }),
    }
}
