//! What is known of files: `compsize` and `lsattr`.

use std::sync::Arc;

use source::{Bytes, Percent, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::number;

/// How well files are compressed, from `compsize`.
#[derive(Clone, Debug, PartialEq)]
pub struct Compression {
    /// The path that was asked, if the output's surroundings tell it: the tool itself does not.
    pub path: Fact<Arc<str>>,
    /// A row for each algorithm, for `none` and for `prealloc`, and `TOTAL`.
    pub rows: Vec<CompressionRow>,
}

/// A row of `compsize`.
#[derive(Clone, Debug, PartialEq)]
pub struct CompressionRow {
    /// `TOTAL`, `none`, `zlib`, `lzo`, `zstd`, `prealloc`.
    pub kind: Sourced<Arc<str>>,
    /// What is left after compression, as a share.
    pub share: Fact<Percent>,
    /// What it takes on disk.
    pub disk: Fact<Bytes>,
    /// What it would take uncompressed.
    pub uncompressed: Fact<Bytes>,
    /// What files refer to.
    pub referenced: Fact<Bytes>,
}

impl Compression {
    /// The row of a kind.
    pub fn row(&self, kind: &str) -> Option<&CompressionRow> {
        self.rows.iter().find(|row| &*row.kind.value == kind)
    }
}

/// The attributes of a file, from `lsattr`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFlags {
    /// The file.
    pub path: Sourced<Arc<str>>,
    /// Its flags: letters and dashes. `C` is no copy-on-write, `c` compression, `m` none.
    pub flags: Sourced<Arc<str>>,
}

impl FileFlags {
    /// Whether a flag is set.
    pub fn has(&self, flag: char) -> bool {
        self.flags.value.contains(flag)
    }
}

/// How many pieces a file has, from `filefrag`.
///
/// On btrfs a compressed file has a piece for each 128 KiB, so this does not tell how scattered it is.
#[derive(Clone, Debug, PartialEq)]
pub struct FileExtents {
    /// The file.
    pub path: Sourced<Arc<str>>,
    /// Its pieces.
    pub extents: Sourced<u64>,
    /// How large it is, with `-v`.
    pub size: Fact<Bytes>,
}

/// The path and the count of a line such as `a: 40 extents found`.
fn extents(line: &str) -> Option<(&str, &str)> {
    let found = line.trim_end();
    // On ext2 and ext3 `, perfection would be 1 extent` follows.
    let found = found.split(", perfection would be").next().unwrap_or(found);
    let rest = found
        .strip_suffix(" extents found")
        .or_else(|| found.strip_suffix(" extent found"))?;
    let (path, count) = rest.rsplit_once(": ")?;
    let counted = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    (counted && !path.is_empty()).then_some((path, count))
}

/// Whether a line is one of `filefrag`.
pub(crate) fn is_filefrag(line: &str) -> bool {
    extents(line).is_some() || line.starts_with("Filesystem type is: ")
}

/// `filefrag`, with `-v` or without.
pub(crate) fn filefrag(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut size = None;
    while let Some(line) = lines.next() {
        if let Some(rest) = line.text.strip_prefix("File size of ") {
            // `File size of NAME is BYTES (5120 blocks of 4096 bytes)`
            let figure = rest
                .rsplit_once(" is ")
                .and_then(|(_, rest)| rest.split(' ').next());
            size = figure.and_then(|figure| Some(line.sourced(number::size(figure)?, figure)));
            if size.is_none() {
                place.warn(&line, rest, "not a size in range");
            }
        } else if let Some((path, count)) = extents(line.text) {
            if facts.file_extents.len() >= MOST {
                place.tell_file("more than 100000 files; the rest is left out");
                return;
            }
            match number::whole(count) {
                Some(pieces) => facts.file_extents.push(FileExtents {
                    path: line.text_at(path),
                    extents: line.sourced(pieces, count),
                    size: size.take(),
                }),
                None => place.warn(&line, count, "not a count of extents"),
            }
        }
    }
}

/// The most files and rows that are kept.
const MOST: usize = 100_000;

/// Whether a line heads `compsize`.
pub(crate) fn is_compsize_header(line: &str) -> bool {
    line.starts_with("Type ") && line.contains("Disk Usage") && line.contains("Referenced")
}

/// `compsize`, with `-b` or without.
pub(crate) fn compsize(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let heading = place
        .heading
        .clone()
        .filter(|heading| heading.value.starts_with('/'));
    let mut in_table = false;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if is_compsize_header(text) {
            if facts.compression.len() >= MOST {
                return;
            }
            facts.compression.push(Compression {
                path: heading.clone(),
                rows: Vec::new(),
            });
            in_table = true;
            continue;
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [kind, share, disk, uncompressed, referenced] = *words.as_slice() else {
            in_table = false;
            continue;
        };
        if !in_table {
            continue;
        }
        let mut size = |text: &str| match number::size(text) {
            Some(size) => Some(line.sourced(size, text)),
            None => {
                place.warn(&line, text, "not a size in range");
                None
            }
        };
        let row = CompressionRow {
            disk: size(disk),
            uncompressed: size(uncompressed),
            referenced: size(referenced),
            share: number::percent(share).map(|percent| line.sourced(Percent(percent), share)),
            kind: line.text_at(kind),
        };
        if let Some(last) = facts.compression.last_mut()
            && last.rows.len() < 16
        {
            last.rows.push(row);
        }
    }
}

/// The flags and the path of a line of `lsattr`.
fn attributes(line: &str) -> Option<(&str, &str)> {
    let (flags, path) = line.split_once(' ')?;
    let lettered = (16..=32).contains(&flags.len())
        && flags.contains('-')
        && flags.bytes().all(|b| b == b'-' || b.is_ascii_alphabetic());
    let path = path.trim_start();
    (lettered && !path.is_empty()).then_some((flags, path))
}

/// Whether a line is one of `lsattr`.
pub(crate) fn is_lsattr(line: &str) -> bool {
    attributes(line).is_some()
}

/// `lsattr`, with `-d` or `-R` or without.
pub(crate) fn lsattr(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    while let Some(line) = lines.next() {
        if facts.file_flags.len() >= MOST {
            place.tell_file("more than 100000 files; the rest is left out");
            return;
        }
        if let Some((flags, path)) = attributes(line.text.trim_end()) {
            facts.file_flags.push(FileFlags {
                path: line.text_at(path),
                flags: line.text_at(flags),
            });
        }
    }
}
