//! `df`, in every shape that coreutils and busybox print.

use std::sync::Arc;

use source::{Bytes, Percent, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::number;

/// A row of `df`.
///
/// On btrfs and ZFS these figures are estimates: what decides whether the disk is full is
/// `btrfs filesystem usage` and `zpool list`. Rows with the same source and size are one
/// filesystem mounted several times; do not add them up.
#[derive(Clone, Debug, PartialEq)]
pub struct DfRow {
    /// What is mounted.
    pub source: Fact<Arc<str>>,
    /// The filesystem's type, with `-T` or `--output`.
    pub fstype: Fact<Arc<str>>,
    /// Where it is mounted.
    pub mountpoint: Fact<Arc<str>>,
    /// All of it. Rounded when `df` was asked for human-readable sizes.
    pub size: Fact<Bytes>,
    /// What is used.
    pub used: Fact<Bytes>,
    /// What a person without privileges can still write.
    pub available: Fact<Bytes>,
    /// Used as a share of used and available.
    pub used_share: Fact<Percent>,
    /// Inodes, where they were asked for (`-i`, `--output`).
    pub inodes: Fact<u64>,
    /// Inodes in use.
    pub inodes_used: Fact<u64>,
    /// Whether the sizes are rounded (`-h`, `-H`), or exact to the block size.
    /// `-H` counts in powers of 1000 and looks as `-h` does, so it is known only by the command line.
    pub rounded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Source,
    Fstype,
    Size,
    Used,
    Available,
    Share,
    Mountpoint,
    Inodes,
    InodesUsed,
    InodesFree,
    InodesShare,
    File,
}

/// The columns that a header names, and what a number without a unit counts.
struct Header {
    columns: Vec<Column>,
    block: u64,
}

/// Whether a line is a header of `df`.
pub(crate) fn is_header(line: &str) -> bool {
    header(line).is_some_and(|header| {
        let has = |column| header.columns.contains(&column);
        (has(Column::Mountpoint) || has(Column::Source))
            && (has(Column::Size)
                || has(Column::Used)
                || has(Column::Available)
                || has(Column::Share)
                || has(Column::Inodes))
    })
}

fn header(line: &str) -> Option<Header> {
    let text = line.replace("Mounted on", "Mounted_on");
    let mut block = 1024;
    let mut columns = Vec::new();
    let mut inodes = false;
    for word in text.split_ascii_whitespace() {
        let column = match word {
            "Filesystem" | "Source" => Column::Source,
            "Type" => Column::Fstype,
            "Mounted_on" | "Mounted" => Column::Mountpoint,
            "Used" => Column::Used,
            "Available" | "Avail" => Column::Available,
            "Use%" | "Capacity" => Column::Share,
            "Size" => Column::Size,
            "Inodes" => {
                inodes = true;
                Column::Inodes
            }
            "IUsed" => Column::InodesUsed,
            "IFree" => Column::InodesFree,
            "IUse%" => Column::InodesShare,
            "File" => Column::File,
            _ => {
                // `1K-blocks`, `1024-blocks`, `1B-blocks`, `512-blocks`, `1MB-blocks`.
                let unit = word.strip_suffix("-blocks")?;
                block = number::size(unit)?.0;
                Column::Size
            }
        };
        columns.push(column);
    }
    // With -i alone the sizes of the header are counts of inodes.
    if inodes && !columns.contains(&Column::Size) {
        block = 1;
    }
    (columns.len() >= 2).then_some(Header { columns, block })
}

/// Any output of `df` with its header, several after one another too.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let thousands = place.command.as_ref().is_some_and(|command| {
        command
            .split_ascii_whitespace()
            .any(|word| word == "-H" || word == "--si")
    });
    let mut current: Option<Header> = None;
    // A long device name pushes the rest of its row onto the next line (busybox, older coreutils).
    let mut pushed: Option<Sourced<Arc<str>>> = None;
    while let Some(line) = lines.next() {
        let text = line.text.trim_end();
        if text.trim().is_empty() || text.starts_with(['#', '$']) {
            continue;
        }
        if is_header(text) {
            current = header(text);
            pushed = None;
            continue;
        }
        let Some(header) = &current else { continue };
        if text.starts_with("df: ") {
            // An error message that was caught with the output.
            place.warn(&line, text, text);
            continue;
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if let ([only], None) = (words.as_slice(), &pushed)
            && header.columns.first() == Some(&Column::Source)
            && header.columns.len() > 2
        {
            pushed = Some(line.text_at(only));
            continue;
        }
        if facts.df.len() >= MOST {
            place.tell_file("more than 100000 rows; the rest is left out");
            return;
        }
        if let Some(row) = row(place, &line, header, &words, pushed.take(), thousands) {
            facts.df.push(row);
        }
    }
}

/// The most rows that are kept.
const MOST: usize = 100_000;

fn row(
    place: &mut Place<'_>,
    line: &Line<'_>,
    header: &Header,
    words: &[&str],
    pushed: Option<Sourced<Arc<str>>>,
    thousands: bool,
) -> Option<DfRow> {
    let columns = header.columns.as_slice();
    let columns = match &pushed {
        Some(_) => columns.get(1..).unwrap_or(&[]),
        None => columns,
    };
    if words.len() < columns.len() {
        place.warn(line, line.text, "a row of df with too few columns");
        return None;
    }
    // Names hold blanks: the mountpoint takes what is left at the end,
    // and a source what is left at the start.
    let extra = words.len() - columns.len();
    let last_is_name = columns.last() == Some(&Column::Mountpoint);
    let first_is_name = columns.first() == Some(&Column::Source);
    // Which of the two names holds the blanks shows where the first number stands.
    let number_at = columns
        .iter()
        .position(|column| !matches!(column, Column::Source | Column::Fstype));
    let shift = match number_at {
        Some(at) if first_is_name => (0..=extra)
            .find(|shift| {
                columns.iter().enumerate().skip(at).all(|(index, column)| {
                    let word = words.get(index + shift).copied().unwrap_or("");
                    matches!(
                        column,
                        Column::Mountpoint | Column::File | Column::Source | Column::Fstype
                    ) || word == "-"
                        || word.starts_with(|c: char| c.is_ascii_digit())
                })
            })
            .unwrap_or(0),
        _ => 0,
    };
    let mut row = DfRow {
        source: pushed,
        fstype: None,
        mountpoint: None,
        size: None,
        used: None,
        available: None,
        used_share: None,
        inodes: None,
        inodes_used: None,
        rounded: false,
    };
    for (index, column) in columns.iter().enumerate() {
        let at = if index == 0 && first_is_name {
            0
        } else {
            index + shift
        };
        let word = words.get(at).copied().unwrap_or("");
        let word = match column {
            Column::Source if index == 0 => stretch(line, word, words.get(shift).copied().unwrap_or(word)),
            Column::Mountpoint if index + 1 == columns.len() && last_is_name => {
                stretch(line, word, words.last().copied().unwrap_or(word))
            }
            _ => word,
        };
        if word == "-" {
            continue;
        }
        let mut size = |word: &str| {
            let bare = number::whole(word);
            let bytes = match bare {
                Some(blocks) => blocks
                    .checked_mul(header.block)
                    .and_then(|n| number::size(&n.to_string())),
                None if thousands => number::size(&format!("{word}B")),
                None => number::size(word),
            };
            row.rounded |= bare.is_none();
            match bytes {
                Some(bytes) => Some(line.sourced(bytes, word)),
                None => {
                    place.warn(line, word, format_args!("{word} is not a size in range"));
                    None
                }
            }
        };
        match column {
            Column::Source => row.source = Some(line.text_at(word)),
            Column::Fstype => row.fstype = Some(line.text_at(word)),
            Column::Mountpoint => row.mountpoint = Some(line.text_at(word)),
            Column::Size => row.size = size(word),
            Column::Used => row.used = size(word),
            Column::Available => {
                // Busybox and coreutils show a full reserve as a negative number.
                row.available = match word.strip_prefix('-') {
                    Some(_) => Some(line.sourced(Bytes(0), word)),
                    None => size(word),
                }
            }
            Column::Share => {
                row.used_share = match number::percent(word) {
                    Some(share) if share <= 100.0 => Some(line.sourced(Percent(share), word)),
                    _ => {
                        place.warn(line, word, format_args!("{word} is not a share"));
                        None
                    }
                };
            }
            Column::Inodes => row.inodes = number::whole(word).map(|n| line.sourced(n, word)),
            Column::InodesUsed => row.inodes_used = number::whole(word).map(|n| line.sourced(n, word)),
            Column::InodesFree | Column::InodesShare | Column::File => {}
        }
    }
    Some(row)
}

/// The part of a line from one of its words to another.
fn stretch<'t>(line: &Line<'t>, first: &'t str, last: &'t str) -> &'t str {
    let text = line.text;
    let at = |word: &str| (word.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    match (at(first), at(last)) {
        (Some(start), Some(end)) => text.get(start..end + last.len()).unwrap_or(first),
        _ => first,
    }
}
