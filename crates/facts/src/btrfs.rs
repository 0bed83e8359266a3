//! What btrfs-progs print: `btrfs filesystem usage`, `btrfs filesystem df`, `btrfs device stats`.

use std::fmt;
use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::facts::{Fact, Facts, put};
use crate::input::{Line, Lines, Place};
use crate::number;

/// The space of one btrfs, as `btrfs filesystem usage` tells it.
///
/// Without `-b` the sizes are rounded to three digits; [`Self::rounded`] says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BtrfsUsage {
    /// The path that was asked, if the output's surroundings tell it: the tool itself does not.
    pub mountpoint: Fact<Arc<str>>,
    /// All devices together.
    pub device_size: Fact<Bytes>,
    /// What chunks are made of.
    pub allocated: Fact<Bytes>,
    /// What no chunk holds yet. When this is gone and metadata is full, writes fail
    /// although `df` shows room.
    pub unallocated: Fact<Bytes>,
    /// Devices that are not there.
    pub missing: Fact<Bytes>,
    /// What of the chunks is used, copies counted.
    pub used: Fact<Bytes>,
    /// Free for data, as the data profile would use it.
    pub free_estimated: Fact<Bytes>,
    /// The same if all new chunks took the profile that needs most.
    pub free_min: Fact<Bytes>,
    /// What `df` shows.
    pub free_statfs: Fact<Bytes>,
    /// Raw bytes that a byte of data takes: 2 for RAID1 and DUP.
    pub data_ratio: Fact<f64>,
    /// Raw bytes that a byte of metadata takes.
    pub metadata_ratio: Fact<f64>,
    /// The reserve that the filesystem keeps for itself.
    pub global_reserve: Fact<Bytes>,
    /// What of the reserve is used. Above zero, metadata space is short right now.
    pub global_reserve_used: Fact<Bytes>,
    /// Whether data or metadata is spread over several profiles: an unfinished conversion.
    pub multiple_profiles: Fact<bool>,
    /// The space by kind and profile.
    pub profiles: Vec<ProfileUsage>,
    /// What is unallocated on each device; needs root.
    pub unallocated_on: Vec<DeviceSpace>,
    /// Whether the sizes are rounded.
    pub rounded: bool,
}

/// The space that one kind of chunk takes in one profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileUsage {
    /// What is in it.
    pub kind: BlockGroup,
    /// How it is laid out.
    pub profile: Sourced<Profile>,
    /// The size, copies not counted.
    pub size: Sourced<Bytes>,
    /// What of it is used.
    pub used: Sourced<Bytes>,
    /// The share of it on each device, copies counted; needs root.
    pub devices: Vec<DeviceSpace>,
}

/// Space on one device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSpace {
    /// The device; `missing` where it is gone.
    pub device: Sourced<Arc<str>>,
    /// How much.
    pub size: Sourced<Bytes>,
}

/// What a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockGroup {
    /// Files.
    Data,
    /// Trees.
    Metadata,
    /// The map of the chunks.
    System,
    /// Data and metadata together (`mkfs.btrfs --mixed`).
    Mixed,
}

impl fmt::Display for BlockGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Metadata => "metadata",
            Self::System => "system",
            Self::Mixed => "data and metadata",
        })
    }
}

/// How chunks are laid out over devices. See mkfs.btrfs(8), PROFILES.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// One copy.
    Single,
    /// Two copies on one device.
    Dup,
    /// Striped.
    Raid0,
    /// Two copies on two devices.
    Raid1,
    /// Three copies on three devices.
    Raid1c3,
    /// Four copies on four devices.
    Raid1c4,
    /// Striped mirrors.
    Raid10,
    /// Striped with one parity.
    Raid5,
    /// Striped with two parities.
    Raid6,
}

impl Profile {
    /// A profile by its name in any letters: `DUP`, `single`, `RAID1C3`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "single" => Self::Single,
            "dup" => Self::Dup,
            "raid0" => Self::Raid0,
            "raid1" => Self::Raid1,
            "raid1c3" => Self::Raid1c3,
            "raid1c4" => Self::Raid1c4,
            "raid10" => Self::Raid10,
            "raid5" => Self::Raid5,
            "raid6" => Self::Raid6,
            _ => return None,
        })
    }

    /// How many copies of each block there are; parity is none.
    pub fn copies(self) -> u32 {
        match self {
            Self::Single | Self::Raid0 | Self::Raid5 | Self::Raid6 => 1,
            Self::Dup | Self::Raid1 | Self::Raid10 => 2,
            Self::Raid1c3 => 3,
            Self::Raid1c4 => 4,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single => "single",
            Self::Dup => "dup",
            Self::Raid0 => "raid0",
            Self::Raid1 => "raid1",
            Self::Raid1c3 => "raid1c3",
            Self::Raid1c4 => "raid1c4",
            Self::Raid10 => "raid10",
            Self::Raid5 => "raid5",
            Self::Raid6 => "raid6",
        })
    }
}

impl BtrfsUsage {
    /// The space of one kind, over all its profiles.
    pub fn of(&self, kind: BlockGroup) -> impl Iterator<Item = &ProfileUsage> {
        self.profiles.iter().filter(move |usage| usage.kind == kind)
    }

    /// The devices, each once, in the order of the output.
    pub fn devices(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let spaces = self
            .unallocated_on
            .iter()
            .chain(self.profiles.iter().flat_map(|usage| &usage.devices));
        for space in spaces {
            if !names.contains(&space.device.value) {
                names.push(Arc::clone(&space.device.value));
            }
        }
        names
    }
}

/// What `btrfs device stats` counted of one device since its counters were reset.
#[derive(Clone, Debug, PartialEq)]
pub struct BtrfsDeviceErrors {
    /// The path that was asked, where a heading tells it.
    pub mountpoint: Fact<Arc<str>>,
    /// The device; one that is missing is `devid:2`, `<missing disk>` before btrfs-progs 5.
    pub device: Sourced<Arc<str>>,
    /// Writes that failed.
    pub write: Fact<u64>,
    /// Reads that failed.
    pub read: Fact<u64>,
    /// Flushes that failed.
    pub flush: Fact<u64>,
    /// Blocks whose checksum was wrong.
    pub corruption: Fact<u64>,
    /// Blocks that were older than they should be.
    pub generation: Fact<u64>,
}

impl BtrfsDeviceErrors {
    /// Whether these are counters of the device in the filesystem that was asked. A number that stands
    /// for a missing device says so of its own filesystem only.
    fn is_of(&self, asked: Option<&Sourced<Arc<str>>>) -> bool {
        let own = self.mountpoint.as_ref().map(|it| &it.value);
        let named = self.device.value.starts_with('/');
        named || own == asked.map(|it| &it.value)
    }

    /// The counters that are not zero, with their names.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, &Sourced<u64>)> {
        [
            ("write errors", &self.write),
            ("read errors", &self.read),
            ("flush errors", &self.flush),
            ("corruption errors", &self.corruption),
            ("generation errors", &self.generation),
        ]
        .into_iter()
        .filter_map(|(name, count)| Some((name, count.as_ref().filter(|count| count.value > 0)?)))
    }
}

/// Leaves out what `btrfs filesystem df` told of a filesystem that `btrfs filesystem usage` tells more
/// of, so that one filesystem stands once.
pub(crate) fn join(facts: &mut crate::facts::Facts) {
    let asked = |usage: &BtrfsUsage| usage.mountpoint.as_ref().map(|it| Arc::clone(&it.value));
    let whole: std::collections::BTreeSet<_> = facts
        .btrfs
        .iter()
        .filter(|usage| usage.device_size.is_some())
        .filter_map(asked)
        .collect();
    facts.btrfs.retain(|usage| {
        usage.device_size.is_some() || asked(usage).is_none_or(|mountpoint| !whole.contains(&mountpoint))
    });
}

/// The most filesystems, and devices of one, that are kept.
const MOST: usize = 10_000;

/// What the lines below a heading are.
enum Section {
    None,
    Overall,
    Profile,
    Unallocated,
    /// Kinds this reader does not know, so that a later btrfs-progs does no harm.
    Unknown,
    /// The table of `-T`: the columns of its header.
    Table(Vec<(BlockGroup, Profile)>),
}

/// `btrfs filesystem usage`, of one filesystem or of several after one another.
pub(crate) fn usage(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    // With a command line known, the paths stand in it in order.
    let mut asked = asked_paths(place);
    asked.reverse();
    let mut named = place
        .heading
        .clone()
        .filter(|heading| heading.value.starts_with('/'));
    let mut current: Option<BtrfsUsage> = None;
    let mut section = Section::None;
    let mut kinds: Vec<(BlockGroup, String)> = Vec::new();
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if text == "Overall:" {
            finish(place, facts, current.take());
            let mountpoint = named.take().or_else(|| {
                let path = asked.pop()?;
                Some(line.sourced(path, text))
            });
            current = Some(BtrfsUsage {
                mountpoint,
                ..BtrfsUsage::default()
            });
            section = Section::Overall;
            continue;
        }
        if let Some(path) = path_line(text) {
            // The path of the next filesystem: `==> /mnt <==`, `/mnt:`, `# btrfs filesystem usage /mnt`.
            named = Some(line.sourced(Arc::from(path), path));
            continue;
        }
        let Some(usage) = &mut current else { continue };
        if text.is_empty() {
            if !matches!(section, Section::Table(_)) {
                section = Section::None;
            }
            continue;
        }
        if text.starts_with("WARNING:") || text.starts_with("ERROR:") {
            continue;
        }
        if matches!(section, Section::Overall) {
            overall(place, &line, usage);
            continue;
        }
        if text == "Unallocated:" {
            section = Section::Unallocated;
        } else if text.contains(": Size:") {
            section = match profile_line(place, &line) {
                Some(profile) if usage.profiles.len() < MOST => {
                    usage.rounded |= is_rounded(text);
                    usage.profiles.push(profile);
                    Section::Profile
                }
                _ => Section::Unknown,
            };
        } else if text.starts_with("Id ") && text.contains("Path") {
            section = Section::Table(table_header(&kinds, text));
        } else if let Section::Table(columns) = &section {
            table_row(place, &line, columns, usage);
        } else if let Some(groups) = table_kinds(text) {
            kinds = groups;
        } else {
            match section {
                Section::Profile => {
                    let space = device_space(place, &line);
                    if let (Some(last), Some(space)) = (usage.profiles.last_mut(), space) {
                        usage.rounded |= is_rounded(text);
                        if last.devices.len() < MOST {
                            last.devices.push(space);
                        }
                    }
                }
                Section::Unallocated => {
                    if let Some(space) = device_space(place, &line) {
                        usage.rounded |= is_rounded(text);
                        if usage.unallocated_on.len() < MOST {
                            usage.unallocated_on.push(space);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    finish(place, facts, current);
}

/// The paths of a command `btrfs filesystem usage -b /a /b`.
fn asked_paths(place: &Place<'_>) -> Vec<Arc<str>> {
    let command = place.command.as_deref().unwrap_or("");
    command
        .split_ascii_whitespace()
        .skip_while(|word| !word.starts_with("us"))
        .filter(|word| word.starts_with('/'))
        .map(Arc::from)
        .collect()
}

fn finish(place: &mut Place<'_>, facts: &mut Facts, usage: Option<BtrfsUsage>) {
    let Some(mut usage) = usage else { return };
    if facts.btrfs.len() >= MOST {
        place.tell_file("more than 10000 filesystems; the rest is left out");
        return;
    }
    if usage.device_size.is_none() && usage.profiles.is_empty() {
        place.tell_file("usage of a btrfs without its device size: the output is cut off");
    }
    // More cannot be used of a thing than there is of it.
    let over = |part: &Fact<Bytes>, whole: &Fact<Bytes>| matches!((part, whole), (Some(part), Some(whole)) if part.value > whole.value);
    if over(&usage.allocated, &usage.device_size) || over(&usage.unallocated, &usage.device_size) {
        place.tell_file("more is allocated than the devices hold; both figures are left out");
        usage.allocated = None;
        usage.unallocated = None;
    }
    facts.btrfs.push(usage);
}

/// The path that a line between outputs names: a heading, or the command that a person typed.
fn path_line(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix("==> ") {
        let path = rest.strip_suffix(" <==")?;
        return path.starts_with('/').then_some(path);
    }
    let command = text
        .strip_prefix(['#', '$', '+'])
        .map(str::trim_start)
        .unwrap_or(text);
    if text.contains("btrfs ") && text.contains(" us") {
        return command
            .split_ascii_whitespace()
            .last()
            .filter(|word| word.starts_with('/'));
    }
    let path = text.strip_suffix(':')?;
    (path.starts_with('/') && !path.contains(": ")).then_some(path)
}

/// Whether a size in a line has a unit with a fraction, so that digits were cut.
pub(crate) fn is_rounded(text: &str) -> bool {
    text.contains("iB")
        || text.contains("kB")
        || text.contains("MB")
        || text.contains("GB")
        || text.contains("TB")
}

fn overall(place: &mut Place<'_>, line: &Line<'_>, usage: &mut BtrfsUsage) {
    let Some((name, rest)) = line.text.trim().split_once(':') else {
        return;
    };
    let value = rest.split_ascii_whitespace().next().unwrap_or("");
    // (min: 966393856), (used: 0)
    let inside = rest
        .split_once('(')
        .and_then(|(_, inside)| inside.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim().trim_end_matches(')')));
    let mut size = |text: &str| {
        let bytes = number::size(text);
        if bytes.is_none() {
            place.warn(line, text, format_args!("{name} is not a size in range"));
        }
        bytes.map(|bytes| line.sourced(bytes, text))
    };
    match name {
        "Device size" => usage.device_size = size(value),
        "Device allocated" => usage.allocated = size(value),
        "Device unallocated" => usage.unallocated = size(value),
        "Device missing" => usage.missing = size(value),
        "Used" => usage.used = size(value),
        "Free (estimated)" => {
            usage.free_estimated = size(value);
            if let Some(("min", least)) = inside {
                usage.free_min = size(least);
            }
        }
        "Free (statfs, df)" => usage.free_statfs = size(value),
        "Data ratio" | "Metadata ratio" => {
            // RAID1C4 stores four times; parity profiles lie between one and two.
            let ratio = number::amount(value).filter(|ratio| (0.9..=10.0).contains(ratio));
            // An empty filesystem has no ratio: 0.00.
            let none = number::amount(value) == Some(0.0);
            let slot = if name == "Data ratio" {
                &mut usage.data_ratio
            } else {
                &mut usage.metadata_ratio
            };
            *slot = ratio.map(|ratio| line.sourced(ratio, value));
            if slot.is_none() && !none {
                place.warn(line, value, format_args!("{name} cannot be {value}"));
            }
        }
        "Global reserve" => {
            usage.global_reserve = size(value);
            if let Some(("used", used)) = inside {
                usage.global_reserve_used = size(used);
            }
        }
        "Multiple profiles" => usage.multiple_profiles = Some(line.sourced(value != "no", rest.trim())),
        _ => {}
    }
    if !matches!(name, "Data ratio" | "Metadata ratio" | "Multiple profiles") {
        usage.rounded |= is_rounded(value);
    }
}

/// What a chunk of that name holds.
pub(crate) fn block_group(name: &str) -> Option<BlockGroup> {
    Some(match name {
        "Data" => BlockGroup::Data,
        "Metadata" => BlockGroup::Metadata,
        "System" => BlockGroup::System,
        "Data+Metadata" => BlockGroup::Mixed,
        _ => return None,
    })
}

/// `Data,RAID1: Size:219873280, Used:104857600 (47.69%)`
fn profile_line(place: &mut Place<'_>, line: &Line<'_>) -> Option<ProfileUsage> {
    let (name, rest) = line.text.trim().split_once(": ")?;
    let (kind, profile) = name.split_once(',')?;
    let (kind, profile) = (kind.trim(), profile.trim());
    let (Some(kind), Some(known)) = (block_group(kind), Profile::parse(profile)) else {
        place.warn(
            line,
            name,
            format_args!("{name} is no kind of btrfs chunk that is known"),
        );
        return None;
    };
    let mut sizes = rest.split_ascii_whitespace().filter_map(|word| {
        let text = word.trim_end_matches(',').rsplit_once(':')?.1;
        Some((text, number::size(text)))
    });
    let (Some((size_text, Some(size))), Some((used_text, Some(used)))) = (sizes.next(), sizes.next()) else {
        place.warn(line, rest, "sizes of chunks that are not in range");
        return None;
    };
    if used > size {
        place.warn(line, used_text, "more is used of the chunks than they hold");
        return None;
    }
    Some(ProfileUsage {
        kind,
        profile: line.sourced(known, profile),
        size: line.sourced(size, size_text),
        used: line.sourced(used, used_text),
        devices: Vec::new(),
    })
}

/// `/dev/loop1 204.75MiB`
fn device_space(place: &mut Place<'_>, line: &Line<'_>) -> Option<DeviceSpace> {
    let text = line.text.trim();
    let (device, size_text) = text.rsplit_once([' ', '\t'])?;
    let device = device.trim_end();
    match number::size(size_text) {
        Some(size) => Some(DeviceSpace {
            device: line.text_at(device),
            size: line.sourced(size, size_text),
        }),
        None => {
            place.warn(line, size_text, "not a size in range");
            None
        }
    }
}

/// The first line of the header of `-T`: `Data  Metadata  System`.
fn table_kinds(text: &str) -> Option<Vec<(BlockGroup, String)>> {
    text.split_ascii_whitespace()
        .map(|word| Some((block_group(word)?, word.to_owned())))
        .collect()
}

/// The second line: `Id Path  RAID1  RAID1  RAID1  Unallocated Total Slack`.
fn table_header(kinds: &[(BlockGroup, String)], text: &str) -> Vec<(BlockGroup, Profile)> {
    text.split_ascii_whitespace()
        .skip(2)
        .map_while(Profile::parse)
        .zip(kinds)
        .map(|(profile, (kind, _))| (*kind, profile))
        .collect()
}

/// A device's row, or the rows `Total` and `Used`.
fn table_row(
    place: &mut Place<'_>,
    line: &Line<'_>,
    columns: &[(BlockGroup, Profile)],
    usage: &mut BtrfsUsage,
) {
    let mut words: Vec<&str> = line.text.split_ascii_whitespace().collect();
    let first = words.first().copied().unwrap_or("");
    if first.starts_with("--") || words.len() < 2 {
        return;
    }
    usage.rounded |= is_rounded(line.text);
    let named = matches!(first, "Total" | "Used");
    words.drain(..if named { 1 } else { 2.min(words.len()) });
    let device = line.text.split_ascii_whitespace().nth(1).unwrap_or("");
    for (index, (kind, profile)) in columns.iter().enumerate() {
        let Some(&text) = words.get(index) else { break };
        if text == "-" {
            continue;
        }
        let Some(size) = number::size(text) else {
            place.warn(line, text, "not a size in range");
            continue;
        };
        let at = usage
            .profiles
            .iter()
            .position(|known| known.kind == *kind && known.profile.value == *profile);
        let at = at.unwrap_or_else(|| {
            usage.profiles.push(ProfileUsage {
                kind: *kind,
                profile: line.sourced(*profile, text),
                size: line.sourced(Bytes(0), text),
                used: line.sourced(Bytes(0), text),
                devices: Vec::new(),
            });
            usage.profiles.len() - 1
        });
        let Some(known) = usage.profiles.get_mut(at) else {
            continue;
        };
        match first {
            "Total" => known.size = line.sourced(size, text),
            "Used" => known.used = line.sourced(size, text),
            _ if known.devices.len() < MOST => known.devices.push(DeviceSpace {
                device: line.text_at(device),
                size: line.sourced(size, text),
            }),
            _ => {}
        }
    }
    let unallocated = words.get(columns.len()).copied().filter(|_| !named);
    if let Some((text, size)) = unallocated.and_then(|text| Some((text, number::size(text)?)))
        && usage.unallocated_on.len() < MOST
    {
        usage.unallocated_on.push(DeviceSpace {
            device: line.text_at(device),
            size: line.sourced(size, text),
        });
    }
}

/// Whether a line is one of `btrfs device stats`.
pub(crate) fn is_device_stats(line: &str) -> bool {
    line.starts_with('[') && line.contains("].") && line.contains("_errs")
}

/// `btrfs device stats`: `[/dev/sda].write_io_errs    0`.
pub(crate) fn device_stats(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let asked = place.heading.clone().filter(|it| it.value.starts_with('/'));
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        let Some((device, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once("].")) else {
            continue;
        };
        let mut words = rest.split_ascii_whitespace();
        let (name, text) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let Some(count) = number::whole(text) else {
            place.warn(&line, text, "not a count of errors");
            continue;
        };
        let at = facts
            .btrfs_errors
            .iter()
            .rposition(|known| &*known.device.value == device && known.is_of(asked.as_ref()));
        let at = match at {
            Some(at) => at,
            None if facts.btrfs_errors.len() >= MOST => {
                place.tell_file("more than 10000 devices; the rest is left out");
                return;
            }
            None => {
                facts.btrfs_errors.push(BtrfsDeviceErrors {
                    mountpoint: asked.clone(),
                    device: line.text_at(device),
                    write: None,
                    read: None,
                    flush: None,
                    corruption: None,
                    generation: None,
                });
                facts.btrfs_errors.len() - 1
            }
        };
        let Some(known) = facts.btrfs_errors.get_mut(at) else {
            continue;
        };
        let (slot, fact) = match name {
            "write_io_errs" => (&mut known.write, "write errors"),
            "read_io_errs" => (&mut known.read, "read errors"),
            "flush_io_errs" => (&mut known.flush, "flush errors"),
            "corruption_errs" => (&mut known.corruption, "corruption errors"),
            "generation_errs" => (&mut known.generation, "generation errors"),
            _ => continue,
        };
        let new = Some(line.sourced(count, text));
        put(slot, new, device, fact, &mut facts.contradictions);
    }
}
