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
