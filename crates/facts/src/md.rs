//! Linux software RAID: `/proc/mdstat` and `mdadm --detail`.
//!
//! Lines as `md_seq_show` of the kernel's `drivers/md/md.c` and mdadm's `Detail.c` print them.

use std::sync::Arc;

use source::{Bytes, Percent, Sourced};

use crate::facts::{Fact, Facts, kernel_name};
use crate::input::{Line, Lines, Place};
use crate::number;

/// An array, from either listing or both.
#[derive(Clone, Debug, PartialEq)]
pub struct MdArray {
    /// `md0`, `md/root`, without `/dev/`.
    pub name: Sourced<Arc<str>>,
    /// `raid1`, `raid5`, `raid10` …
    pub level: Fact<Arc<str>>,
    /// `active`, `inactive`, or mdadm's `clean, degraded, recovering`.
    pub state: Fact<Arc<str>>,
    /// What it offers.
    pub size: Fact<Bytes>,
    /// What lies on one device before the next one's turn.
    pub chunk: Fact<Bytes>,
    /// `left-symmetric`, `near=2`, or the kernel's number of the algorithm.
    pub layout: Fact<Arc<str>>,
    /// The version of the superblock: `1.2`, `imsm`.
    pub metadata: Fact<Arc<str>>,
    /// How many devices it should have.
    pub devices: Fact<u64>,
    /// How many of them work.
    pub working: Fact<u64>,
    /// The write-intent bitmap, in the listing's words.
    pub bitmap: Fact<Arc<str>>,
    /// What is under way: `recovery`, `resync`, `reshape`, `check`, `rebuild`; `DELAYED` and `PENDING` too.
    pub action: Fact<Arc<str>>,
    /// How far that is.
    pub progress: Fact<Percent>,
    /// The array's UUID, as mdadm writes it.
    pub uuid: Fact<Arc<str>>,
    /// What it is made of.
    pub members: Vec<MdMember>,
}

impl MdArray {
    /// Whether devices are missing or failed; `None` if the listing does not count them.
    pub fn is_degraded(&self) -> Option<Sourced<bool>> {
        let (devices, working) = (self.devices.as_ref()?, self.working.as_ref()?);
        let origin = source::Origin::derived([devices.origin.clone(), working.origin.clone()]);
        Some(Sourced::new(working.value < devices.value, origin))
    }
}

/// A device of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct MdMember {
    /// The device, without `/dev/`.
    pub device: Sourced<Arc<str>>,
    /// What it does there.
    pub state: Sourced<MdState>,
    /// Its number there: its place, or for one that was added later the next number that was free.
    pub number: Fact<u64>,
}

/// What a device does in its array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MdState {
    /// Holds data that is in use.
    Active,
    /// The same, read only when no other can be.
    WriteMostly,
    /// Waits.
    Spare,
    /// Is being written from the others.
    Rebuilding,
    /// Is about to take another's place.
    Replacement,
    /// Holds the journal.
    Journal,
    /// Failed.
    Faulty,
}

/// The most arrays, and the most devices of one (md takes up to 2048).
const MOST: usize = 4096;

/// Whether a line is the first of an array in `/proc/mdstat`.
fn array(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(" : ")?;
    let named = name.starts_with("md") && !name.contains(' ');
    let rest = rest.trim_start();
    (named && (rest.starts_with("active") || rest.starts_with("inactive"))).then_some((name, rest))
}

/// Whether a line is one of `/proc/mdstat`.
pub(crate) fn is_mdstat(line: &str) -> bool {
    line.starts_with("Personalities :") || array(line).is_some()
}

/// Whether a line heads an array in `mdadm --detail`.
fn is_detail_header(line: &str) -> bool {
    line.starts_with("/dev/md") && line.ends_with(':') && !line.contains(' ')
}

/// Whether a line is one that only `mdadm --detail` prints.
pub(crate) fn is_detail(line: &str) -> bool {
    line.split_once(" : ")
        .is_some_and(|(name, _)| matches!(name.trim(), "Raid Level" | "Raid Devices" | "Working Devices"))
}

fn new(name: Sourced<Arc<str>>) -> MdArray {
    MdArray {
        name,
        level: None,
        state: None,
        size: None,
        chunk: None,
        layout: None,
        metadata: None,
        devices: None,
        working: None,
        bitmap: None,
        action: None,
        progress: None,
        uuid: None,
        members: Vec::new(),
    }
}

/// Whether two listings tell of one array. `mdadm --detail /dev/md/root` keeps the name that it was
/// asked with, which the kernel does not know; the devices tell which of its arrays that is.
fn is_one(known: &MdArray, new: &MdArray) -> bool {
    if known.name.value == new.name.value {
        return true;
    }
    let linked = |array: &MdArray| array.name.value.starts_with("md/");
    let level = |array: &MdArray| array.level.as_ref().map(|it| it.value.clone());
    let devices = |array: &MdArray| {
        // mdadm has no name for a device that failed and is gone.
        let there = array
            .members
            .iter()
            .filter(|it| it.state.value != MdState::Faulty);
        let mut devices: Vec<_> = there.map(|it| it.device.value.clone()).collect();
        devices.sort();
        devices
    };
    linked(known) != linked(new)
        && level(known) == level(new)
        && !devices(known).is_empty()
        && devices(known) == devices(new)
}

/// Takes an array in; what another listing told of it stays, and what is new is added.
fn add(facts: &mut Facts, new: MdArray) {
    let Some(known) = facts.md.iter_mut().find(|known| is_one(known, &new)) else {
        if facts.md.len() < MOST {
            facts.md.push(new);
        }
        return;
    };
    if known.name.value.starts_with("md/") {
        // The kernel's own name is the one that its log and other listings use.
        known.name = new.name;
    }
    fn fill<T>(slot: &mut Fact<T>, new: Fact<T>) {
        if slot.is_none() {
            *slot = new;
        }
    }
    fill(&mut known.level, new.level);
    fill(&mut known.state, new.state);
    fill(&mut known.size, new.size);
    fill(&mut known.chunk, new.chunk);
    fill(&mut known.layout, new.layout);
    fill(&mut known.metadata, new.metadata);
    fill(&mut known.devices, new.devices);
    fill(&mut known.working, new.working);
    fill(&mut known.bitmap, new.bitmap);
    fill(&mut known.action, new.action);
    fill(&mut known.progress, new.progress);
    fill(&mut known.uuid, new.uuid);
    if known.members.is_empty() {
        known.members = new.members;
    }
}

/// A count of KiB as bytes.
fn kib(place: &mut Place<'_>, line: &Line<'_>, word: &str) -> Fact<Bytes> {
    let bytes = number::whole(word)
        .and_then(|count| count.checked_mul(1024))
        .filter(|bytes| *bytes <= 1 << 63);
    if bytes.is_none() {
        place.warn(line, word, "not a size in range");
    }
    Some(line.sourced(Bytes(bytes?), word))
}

/// `/proc/mdstat`.
pub(crate) fn mdstat(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut current: Option<MdArray> = None;
    while let Some(line) = lines.next() {
        if let Some((name, rest)) = array(line.text) {
            if let Some(done) = current.take() {
                add(facts, done);
            }
            current = Some(mdstat_head(&line, name, rest));
            continue;
        }
        let text = line.text.trim();
        if text.is_empty() || text.starts_with("unused devices") || text.starts_with("Personalities") {
            if let Some(done) = current.take() {
                add(facts, done);
            }
            continue;
        }
        if let Some(array) = &mut current {
            mdstat_line(place, &line, text, array);
        }
    }
    if let Some(done) = current {
        add(facts, done);
    }
}

fn mdstat_head(line: &Line<'_>, name: &str, rest: &str) -> MdArray {
    let mut array = new(line.text_at(name));
    for (at, word) in rest.split_ascii_whitespace().enumerate() {
        if at == 0 {
            array.state = Some(line.text_at(word));
        } else if let Some((device, role)) = word.split_once('[') {
            let number = role.split(']').next().unwrap_or("");
            // The kernel prints several marks in a row: `sdb1[1](W)(F)`.
            let is = |mark: &str| role.contains(mark);
            let state = if is("(F)") {
                MdState::Faulty
            } else if is("(J)") {
                MdState::Journal
            } else if is("(S)") {
                MdState::Spare
            } else if is("(R)") {
                MdState::Replacement
            } else if is("(W)") {
                MdState::WriteMostly
            } else {
                MdState::Active
            };
            if array.members.len() < MOST {
                array.members.push(MdMember {
                    device: line.text_at(device),
                    state: line.sourced(state, word),
                    number: number::whole(number).map(|it| line.sourced(it, number)),
                });
            }
        } else if !word.starts_with('(') && array.level.is_none() {
            // `(read-only)` and `(auto-read-only)` stand in brackets before the level.
            array.level = Some(line.text_at(word));
        }
    }
    array
}

fn mdstat_line(place: &mut Place<'_>, line: &Line<'_>, text: &str, array: &mut MdArray) {
    if let Some((blocks, rest)) = text.split_once(" blocks") {
        array.size = kib(place, line, blocks);
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        for (at, word) in words.iter().copied().enumerate() {
            let next = words.get(at + 1).copied().unwrap_or("").trim_end_matches(',');
            match word {
                "super" => array.metadata = Some(line.text_at(next)),
                "algorithm" | "near-copies" | "far-copies" => array.layout = Some(line.text_at(next)),
                _ => {}
            }
            if next == "chunk" || next == "chunks" {
                let size = number::size(word);
                if size.is_none() {
                    place.warn(line, word, "not a size in range");
                }
                array.chunk = size.map(|size| line.sourced(size, word));
            }
            // `[3/2]`: wanted and working.
            let counts = word
                .strip_prefix('[')
                .and_then(|word| word.strip_suffix(']'))
                .and_then(|word| word.split_once('/'));
            if let Some((wanted, working)) = counts {
                let mut count = |word: &str| {
                    let count = number::whole(word);
                    if count.is_none() {
                        place.warn(line, word, "not a count of devices");
                    }
                    Some(line.sourced(count?, word))
                };
                (array.devices, array.working) = (count(wanted), count(working));
            }
            // `[U_U]`: which of the places have a device that works.
            let places = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
            if let Some(places) = places.filter(|it| it.bytes().all(|b| matches!(b, b'U' | b'_'))) {
                mark_rebuilding(array, places);
            }
        }
    } else if let Some(bitmap) = text.strip_prefix("bitmap: ") {
        array.bitmap = Some(line.text_at(bitmap));
    } else if let Some((before, after)) = text
        .split_once('=')
        .filter(|_| !text.starts_with("[="))
        .or_else(|| text.split_once("] ").and_then(|(_, rest)| rest.split_once('=')))
    {
        let before = before.rsplit(']').next().unwrap_or(before).trim();
        if !matches!(before, "recovery" | "resync" | "reshape" | "check" | "repair") {
            return;
        }
        array.action = Some(line.text_at(before));
        let figure = after.split_ascii_whitespace().next().unwrap_or("");
        match number::percent(figure).filter(|share| figure.ends_with('%') && *share <= 100.0) {
            Some(share) => array.progress = Some(line.sourced(Percent(share), figure)),
            // `resync=DELAYED`, `resync=PENDING`
            None if matches!(figure, "DELAYED" | "PENDING" | "REMOTE") => {}
            None => place.warn(line, figure, "not a share of an array"),
        }
    }
}

/// Marks the members that are written from the others or wait for that: the kernel lists them as if they
/// held data, and only counts them out. A member's number is its place, until it is one that was added
/// later; of those the last are the ones that are not in use yet.
fn mark_rebuilding(array: &mut MdArray, places: &str) {
    let in_use = |member: &MdMember| matches!(member.state.value, MdState::Active | MdState::WriteMostly);
    let listed = array.members.iter().filter(|it| in_use(it)).count();
    let working = places.bytes().filter(|it| *it == b'U').count();
    let mut numbered: Vec<_> = array.members.iter_mut().filter(|it| in_use(it)).collect();
    numbered.sort_by_key(|member| {
        let number = member.number.as_ref().map_or(0, |it| it.value);
        let place = usize::try_from(number)
            .ok()
            .and_then(|at| places.as_bytes().get(at));
        (place != Some(&b'_'), std::cmp::Reverse(number))
    });
    for member in numbered.into_iter().take(listed.saturating_sub(working)) {
        member.state.value = MdState::Rebuilding;
    }
}

/// `mdadm --detail`, of one array or several.
pub(crate) fn detail(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut current: Option<MdArray> = None;
    let mut in_table = false;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if is_detail_header(text) {
            if let Some(done) = current.take() {
                add(facts, done);
            }
            let name = kernel_name(text.trim_end_matches(':'));
            let name = name.strip_prefix("/dev/").unwrap_or(name);
            current = Some(new(line.text_at(name)));
            in_table = false;
            continue;
        }
        let Some(array) = &mut current else { continue };
        if text.starts_with("Number ") && text.ends_with("State") {
            in_table = true;
        } else if in_table {
            if let Some(member) = member(&line, text)
                && array.members.len() < MOST
            {
                array.members.push(member);
            }
        } else if let Some((name, value)) = text.split_once(" : ") {
            field(place, &line, name.trim(), value.trim(), array);
        }
    }
    if let Some(done) = current {
        add(facts, done);
    }
}

fn field(place: &mut Place<'_>, line: &Line<'_>, name: &str, value: &str, array: &mut MdArray) {
    let fact = Some(line.text_at(value));
    let first = value.split_ascii_whitespace().next().unwrap_or("");
    let mut count = || {
        let count = number::whole(first);
        if count.is_none() {
            place.warn(line, value, "not a count of devices");
        }
        Some(line.sourced(count?, first))
    };
    match name {
        "Version" => array.metadata = fact,
        "Raid Level" => array.level = fact,
        "State" => array.state = fact,
        "Layout" => array.layout = fact,
        "UUID" => array.uuid = fact,
        "Intent Bitmap" | "Consistency Policy" if array.bitmap.is_none() => {
            array.bitmap = fact.filter(|_| name == "Intent Bitmap" || value == "bitmap");
        }
        "Raid Devices" => array.devices = count(),
        "Active Devices" => array.working = count(),
        // In KiB, with the same in two other units in brackets.
        "Array Size" => array.size = kib(place, line, first),
        "Chunk Size" => {
            let size = number::size(value);
            if size.is_none() {
                place.warn(line, value, "not a size in range");
            }
            array.chunk = size.map(|size| line.sourced(size, value));
        }
        "Rebuild Status" | "Resync Status" | "Reshape Status" | "Check Status" => {
            array.action = name.split(' ').next().map(|kind| {
                let action = line.text_at(kind);
                action.map(|kind| Arc::from(kind.to_ascii_lowercase()))
            });
            let share = number::percent(first).filter(|share| first.ends_with('%') && *share <= 100.0);
            if share.is_none() {
                place.warn(line, value, "not a share of an array");
            }
            array.progress = share.map(|share| line.sourced(Percent(share), first));
        }
        _ => {}
    }
}

/// A row of the devices: `0  253  32  0  active sync  /dev/vdc`.
fn member(line: &Line<'_>, text: &str) -> Option<MdMember> {
    let (rest, device) = text.rsplit_once(' ')?;
    let device = device.strip_prefix("/dev/")?;
    let has = |word: &str| rest.split_ascii_whitespace().any(|known| known == word);
    let state = if has("faulty") {
        MdState::Faulty
    } else if has("rebuilding") {
        MdState::Rebuilding
    } else if has("spare") {
        MdState::Spare
    } else if has("journal") {
        MdState::Journal
    } else if has("replacement") {
        MdState::Replacement
    } else if has("writemostly") {
        MdState::WriteMostly
    } else if has("active") {
        MdState::Active
    } else {
        return None;
    };
    let number = rest.split_ascii_whitespace().next().unwrap_or("");
    Some(MdMember {
        device: line.text_at(device),
        state: line.sourced(state, rest.trim()),
        number: number::whole(number).map(|it| line.sourced(it, number)),
    })
}
