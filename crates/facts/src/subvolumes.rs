//! More of btrfs: `filesystem df`, `subvolume list`, `qgroup show`, `scrub status`, `balance status`,
//! and `commit_stats` of sysfs.

use std::sync::Arc;

use source::{Bytes, Millis, Sourced};

use crate::btrfs::{BtrfsUsage, Profile, ProfileUsage, block_group, is_rounded};
use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::number;

/// A subvolume, from `btrfs subvolume list`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subvolume {
    /// Its number.
    pub id: Sourced<u64>,
    /// Its path below the top level.
    pub path: Sourced<Arc<str>>,
    /// The subvolume that it lies in; 5 is the top level.
    pub top_level: Fact<u64>,
    /// The UUID of the subvolume that it is a snapshot of (`-q`).
    pub parent_uuid: Fact<Arc<str>>,
    /// Its own UUID (`-u`).
    pub uuid: Fact<Arc<str>>,
    /// When the snapshot was taken (`-s`).
    pub taken: Fact<Arc<str>>,
}

/// A quota group, from `btrfs qgroup show`. That there is one shows that quotas are on.
#[derive(Clone, Debug, PartialEq)]
pub struct Qgroup {
    /// `level/id`; level 0 is a subvolume.
    pub id: Sourced<Arc<str>>,
    /// What it refers to.
    pub referenced: Fact<Bytes>,
    /// What only it refers to.
    pub exclusive: Fact<Bytes>,
    /// The subvolume's path, in newer versions.
    pub path: Fact<Arc<str>>,
}

/// A scrub, from `btrfs scrub status`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scrub {
    /// The filesystem.
    pub uuid: Fact<Arc<str>>,
    /// `finished`, `running`, `aborted`, `interrupted`; nothing if none ever ran.
    pub status: Fact<Arc<str>>,
    /// When it began.
    pub started: Fact<Arc<str>>,
    /// How long it took.
    pub duration: Fact<Arc<str>>,
    /// How much there is to scrub.
    pub total: Fact<Bytes>,
    /// What it found, in btrfs-progs's words: `no errors found`, `csum=3`.
    pub errors: Fact<Arc<str>>,
    /// The counters of errors that are not zero (`-R`).
    pub counts: Vec<Sourced<Arc<str>>>,
}

/// A balance, from `btrfs balance status`.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The mountpoint that was asked.
    pub mountpoint: Sourced<Arc<str>>,
    /// `No balance found`, `running`, `paused`.
    pub status: Sourced<Arc<str>>,
}

/// How transactions went since the filesystem was mounted, from `/sys/fs/btrfs/UUID/commit_stats`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BtrfsCommits {
    /// The filesystem, from the file's path.
    pub uuid: Option<Arc<str>>,
    /// How many there were.
    pub commits: Fact<u64>,
    /// How long the last one took.
    pub last: Fact<Millis>,
    /// How long the longest took.
    pub max: Fact<Millis>,
    /// How long all took.
    pub total: Fact<Millis>,
}

/// The most rows that are kept: a machine with hourly snapshots has some ten thousand.
const MOST: usize = 200_000;

/// `Data, RAID1: total=204.75MiB, used=100.00MiB`
fn df_row(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (name, rest) = text.split_once(": total=")?;
    let (kind, profile) = name.split_once(", ")?;
    let (total, used) = rest.split_once(", used=")?;
    Some((kind, profile, total, used.trim_end()))
}

/// Whether a line is one of `btrfs filesystem df`.
pub(crate) fn is_df(line: &str) -> bool {
    df_row(line.trim()).is_some()
}

/// `btrfs filesystem df`: a part of what `usage` tells, so it is kept as one.
pub(crate) fn df(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut usage = BtrfsUsage {
        mountpoint: place
            .heading
            .clone()
            .filter(|heading| heading.value.starts_with('/')),
        ..BtrfsUsage::default()
    };
    while let Some(line) = lines.next() {
        let Some((kind, profile, total, used)) = df_row(line.text.trim()) else {
            continue;
        };
        let (Some(size), Some(in_use)) = (number::size(total), number::size(used)) else {
            place.warn(&line, total, "not a size in range");
            continue;
        };
        usage.rounded |= is_rounded(total);
        if kind == "GlobalReserve" {
            usage.global_reserve = Some(line.sourced(size, total));
            usage.global_reserve_used = Some(line.sourced(in_use, used));
            continue;
        }
        let kind = block_group(&kind.replace(", ", "+"));
        let (Some(kind), Some(known)) = (kind, Profile::parse(profile)) else {
            place.warn(&line, profile, "no kind of btrfs chunk that is known");
            continue;
        };
        if usage.profiles.len() < 64 {
            usage.profiles.push(ProfileUsage {
                kind,
                profile: line.sourced(known, profile),
                size: line.sourced(size, total),
                used: line.sourced(in_use, used),
                devices: Vec::new(),
            });
        }
    }
    facts.btrfs.push(usage);
}

/// Whether a line is one of `btrfs subvolume list`, plain or as a table (`-t`).
pub(crate) fn is_subvolume(line: &str) -> bool {
    (line.starts_with("ID ") && line.contains(" gen ") && line.contains(" path ")) || is_subvolume_table(line)
}

fn is_subvolume_table(line: &str) -> bool {
    line.starts_with("ID\tgen\t") && line.contains("path")
}

/// `btrfs subvolume list`.
pub(crate) fn subvolumes(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut columns: Vec<String> = Vec::new();
    while let Some(line) = lines.next() {
        let text = line.text;
        if is_subvolume_table(text) {
            columns = fields(text).map(str::to_owned).collect();
            continue;
        }
        if text.trim().is_empty() || text.starts_with("--") {
            continue;
        }
        if facts.subvolumes.len() >= MOST {
            place.tell_file("more than 200000 subvolumes; the rest is left out");
            return;
        }
        let pairs: Vec<(&str, &str)> = if columns.is_empty() {
            named_fields(text)
        } else {
            columns.iter().map(String::as_str).zip(fields(text)).collect()
        };
        let find = |name: &str| {
            let value = pairs.iter().find(|(key, _)| *key == name)?.1;
            (!value.is_empty() && value != "-").then_some(value)
        };
        let number = |name: &str| {
            let value = find(name)?;
            Some(line.sourced(number::whole(value)?, value))
        };
        let (Some(id), Some(path)) = (number("ID"), find("path")) else {
            place.warn(&line, text, "not a row of btrfs subvolume list");
            continue;
        };
        let text_of = |name: &str| find(name).map(|value| line.text_at(value));
        facts.subvolumes.push(Subvolume {
            id,
            path: line.text_at(path),
            top_level: number("top level"),
            parent_uuid: text_of("parent_uuid"),
            uuid: text_of("uuid"),
            taken: text_of("otime"),
        });
    }
}

/// The columns of a table; several tabs can stand between two.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split('\t').map(str::trim).filter(|field| !field.is_empty())
}

/// `ID 259 gen 9 top level 5 otime 2026-11-21 02:28:50 path home-snap`
fn named_fields(text: &str) -> Vec<(&str, &str)> {
    const NAMES: &[&str] = &[
        "ID",
        "gen",
        "cgen",
        "parent",
        "top level",
        "otime",
        "parent_uuid",
        "received_uuid",
        "uuid",
        "path",
    ];
    let mut pairs = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let named = NAMES.iter().find(|name| {
            rest.strip_prefix(**name)
                .is_some_and(|after| after.starts_with(' '))
        });
        let Some(name) = named else { break };
        let after = rest.get(name.len()..).unwrap_or("").trim_start();
        if *name == "path" {
            pairs.push((*name, after));
            break;
        }
        // A time holds a blank.
        let blanks = if *name == "otime" { 2 } else { 1 };
        let end = after
            .match_indices(' ')
            .nth(blanks - 1)
            .map_or(after.len(), |(at, _)| at);
        let (value, next) = after.split_at_checked(end).unwrap_or((after, ""));
        pairs.push((*name, value));
        rest = next.trim_start();
    }
    pairs
}

/// Whether a line heads `btrfs qgroup show`.
pub(crate) fn is_qgroup_header(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("qgroupid"))
        && words.next().is_some()
}

/// `btrfs qgroup show`, with any flags.
pub(crate) fn qgroups(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut has_path = false;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if is_qgroup_header(text) {
            has_path = text.ends_with("Path");
            continue;
        }
        if text.is_empty() || text.starts_with("--") {
            continue;
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (id, referenced, exclusive) = match words.as_slice() {
            [id, referenced, exclusive, ..] if id.contains('/') => (*id, *referenced, *exclusive),
            _ => {
                place.warn(&line, text, "not a row of btrfs qgroup show");
                continue;
            }
        };
        if facts.qgroups.len() >= MOST {
            place.tell_file("more than 200000 quota groups; the rest is left out");
            return;
        }
        let size = |text: &str| Some(line.sourced(number::size(text)?, text));
        let path = words.last().filter(|_| has_path && words.len() > 3);
        facts.qgroups.push(Qgroup {
            id: line.text_at(id),
            referenced: size(referenced),
            exclusive: size(exclusive),
            path: path.map(|path| line.text_at(path)),
        });
    }
}

/// What `btrfs scrub status` says when nothing was found.
const NO_ERRORS: &str = "no errors found";

/// `btrfs scrub status`, of one filesystem or several.
pub(crate) fn scrub(_place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut current: Option<Scrub> = None;
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.text.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        if name == "UUID" {
            facts.scrubs.extend(current.take());
            if facts.scrubs.len() >= 10_000 {
                return;
            }
        }
        let scrub = current.get_or_insert_default();
        let text = Some(line.text_at(value));
        match name {
            "UUID" => scrub.uuid = text,
            "Status" => scrub.status = text,
            "Scrub started" | "Scrub resumed" => scrub.started = text,
            "Duration" => scrub.duration = text,
            "Total to scrub" => scrub.total = number::size(value).map(|size| line.sourced(size, value)),
            // `-d` tells it for each device: one that found something counts.
            "Error summary" => {
                let known = scrub.errors.as_ref().is_some_and(|it| &*it.value != NO_ERRORS);
                if !known || value != NO_ERRORS {
                    scrub.errors = text;
                }
            }
            // `csum_discards` counts the checksums that were let go after use, as many as blocks: no error.
            _ if name.ends_with("_errors") => {
                let counted = number::whole(value).is_some_and(|count| count > 0);
                if counted && name != "corrected_errors" && scrub.counts.len() < 64 {
                    scrub.counts.push(line.text_at(line.text.trim()));
                }
            }
            _ => {}
        }
    }
    facts.scrubs.extend(current);
}

/// What a line of `btrfs balance status` says, and of which mountpoint.
fn balance_line(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix("No balance found on '") {
        return Some((rest.strip_suffix('\'')?, "No balance found"));
    }
    let (mountpoint, status) = text.strip_prefix("Balance on '")?.split_once("' is ")?;
    Some((mountpoint, status))
}

/// Whether a line is one of `btrfs balance status`.
pub(crate) fn is_balance(line: &str) -> bool {
    balance_line(line.trim()).is_some()
}

/// `btrfs balance status`.
pub(crate) fn balance(_place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    while let Some(line) = lines.next() {
        let Some((mountpoint, status)) = balance_line(line.text.trim()) else {
            continue;
        };
        if facts.balances.len() < 10_000 {
            facts.balances.push(Balance {
                mountpoint: line.text_at(mountpoint),
                status: line.sourced(Arc::from(status), status),
            });
        }
    }
}

/// Whether text is that of `commit_stats`; older kernels, 6.1 among them, have no `cur_commit_ms`.
pub(crate) fn is_commits(first: &str, second: &str) -> bool {
    first.starts_with("commits ")
        && (second.starts_with("cur_commit_ms ") || second.starts_with("last_commit_ms "))
}

/// `/sys/fs/btrfs/UUID/commit_stats`.
pub(crate) fn commits(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut folders = place.name.split('/').rev().skip(1);
    let mut commits = BtrfsCommits {
        uuid: folders.next().filter(|uuid| uuid.len() == 36).map(Arc::from),
        ..BtrfsCommits::default()
    };
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.text.trim().split_once(' ') else {
            continue;
        };
        let Some(count) = number::whole(value) else {
            place.warn(&line, value, "not a count");
            continue;
        };
        let time = |line: &Line<'_>| Some(line.sourced(Millis(count as f64), value));
        match name {
            "commits" => commits.commits = Some(line.sourced(count, value)),
            "last_commit_ms" => commits.last = time(&line),
            "max_commit_ms" => commits.max = time(&line),
            "total_commit_ms" => commits.total = time(&line),
            _ => {}
        }
    }
    facts.btrfs_commits.push(commits);
}
