//! `zpool iostat` with any of `-v -l -q -H -p -y -T -n`, over any number of reports.
//!
//! Columns as zpool-iostat(8) names them; the order is that of OpenZFS's `zpool_main.c`.

use std::collections::HashMap;
use std::sync::Arc;

use source::{Bytes, BytesPerSecond, Millis, PerSecond, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::io::Window;
use crate::number;
use crate::series::{Kept, Series};

/// What `zpool iostat` measured of a pool or of a part of it.
///
/// Waits count only the intervals in which there was something to wait for.
#[derive(Clone, Debug, PartialEq)]
pub struct ZpoolIo {
    /// The pool.
    pub pool: Arc<str>,
    /// The pool itself, or the vdev as the listing names it: `raidz1-0`, `sda1`.
    pub name: Sourced<Arc<str>>,
    /// How deep in the tree; the pool is at 0. With `-H` the listing is flat,
    /// and what is no pool is at 1.
    pub depth: usize,
    /// What time the figures cover.
    pub window: Window,
    /// `capacity alloc`; devices inside a mirror or RAIDZ have none.
    pub allocated: Fact<Bytes>,
    /// `capacity free`
    pub free: Fact<Bytes>,
    /// `operations read`
    pub reads: Fact<Series<PerSecond>>,
    /// `operations write`
    pub writes: Fact<Series<PerSecond>>,
    /// `bandwidth read`
    pub read_rate: Fact<Series<BytesPerSecond>>,
    /// `bandwidth write`
    pub write_rate: Fact<Series<BytesPerSecond>>,
    /// `total_wait read`: queueing and disk.
    pub read_wait: Fact<Series<Millis>>,
    /// `total_wait write`
    pub write_wait: Fact<Series<Millis>>,
    /// `disk_wait read`: the disk alone. It does not count flushes.
    pub disk_read_wait: Fact<Series<Millis>>,
    /// `disk_wait write`
    pub disk_write_wait: Fact<Series<Millis>>,
    /// `syncq_wait read`: in the queue of what somebody waits for.
    pub sync_read_wait: Fact<Series<Millis>>,
    /// `syncq_wait write`
    pub sync_write_wait: Fact<Series<Millis>>,
    /// `asyncq_wait read`: in the queue of prefetches.
    pub async_read_wait: Fact<Series<Millis>>,
    /// `asyncq_wait write`: in the queue of transaction groups.
    pub async_write_wait: Fact<Series<Millis>>,
    /// `scrub wait`
    pub scrub_wait: Fact<Series<Millis>>,
    /// `trim wait`
    pub trim_wait: Fact<Series<Millis>>,
}

impl ZpoolIo {
    /// Whether it is the pool itself.
    pub fn is_pool(&self) -> bool {
        self.depth == 0
    }
}

/// The columns behind the two of capacity that are series, in order.
const SERIES: usize = 14;
/// How many of them are rates rather than times.
const RATES: usize = 4;

/// A vdev of the log.
struct Row {
    pool: Arc<str>,
    name: Sourced<Arc<str>>,
    depth: usize,
    allocated: Fact<Bytes>,
    free: Fact<Bytes>,
    first: [Kept; SERIES],
    rest: [Kept; SERIES],
    reports: u64,
}

/// The most rows that are told apart.
const MOST: usize = 20_000;

/// Whether a line is the second of the header: `pool  alloc  free  read  write …`.
pub(crate) fn is_header(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    words.next().is_some()
        && words.next() == Some("alloc")
        && words.next() == Some("free")
        && words.next() == Some("read")
}

/// Whether a line is a row of `-H`: a name and figures between tabs.
pub(crate) fn is_scripted_row(line: &str) -> bool {
    let mut fields = line.split('\t');
    let named = fields.next().is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.:/ ".contains(&b))
    });
    let mut count = 0;
    let figures = fields.all(|field| {
        count += 1;
        field == "-" || time(field).is_some() || number::size(field).is_some()
    });
    named && figures && matches!(count, 6 | 13..=29)
}

/// A figure of time in milliseconds: `5ms`, `131us`, `828ns`, `1s`; bare ones (`-p`) are nanoseconds.
fn time(word: &str) -> Option<f64> {
    let unit_at = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
    let (figure, unit) = word.split_at_checked(unit_at)?;
    let factor = match unit {
        "" | "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    // A wait of more than a day is the slip of a counter.
    number::amount(figure)
        .map(|figure| figure * factor)
        .filter(|wait| *wait <= 1e8)
}

/// A log of any length. The first report covers the time since boot and is left out where others follow.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let told_y = |command: &str| {
        command
            .split_ascii_whitespace()
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('y'))
    };
    let name = place.name.rsplit('/').next().unwrap_or("");
    let mut no_boot = match &place.command {
        Some(command) => told_y(command),
        None => name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word == "y"),
    };
    let mut rows: Vec<Row> = Vec::new();
    // Older versions call every mirror of a pool `mirror`, so the how manieth of a name counts.
    let mut index: HashMap<(Arc<str>, Arc<str>, u32), usize> = HashMap::new();
    let mut seen: HashMap<Arc<str>, u32> = HashMap::new();
    let mut pool: Arc<str> = Arc::from("");
    // What a pool's own row and its parts' rows add up to, to tell where the next one begins.
    let mut flat = Flat::default();
    let mut left_out = false;
    while let Some(line) = lines.next() {
        let text = line.text.trim_end();
        let first = text.split_ascii_whitespace().next().unwrap_or("");
        if first.ends_with(['$', '#']) && text.contains("zpool iostat") {
            no_boot |= told_y(text);
            continue;
        }
        if first.is_empty() || first == "capacity" || first.starts_with("---") || is_header(text) {
            if first.starts_with("---") {
                flat.headed = true;
            }
            continue;
        }
        let indent = text.len() - text.trim_start().len();
        let mut words: Vec<&str> = if text.contains('\t') {
            text.split('\t').collect()
        } else {
            text.split_ascii_whitespace().collect()
        };
        let (Some(name), true) = (words.first().copied().map(str::trim), words.len() >= 7) else {
            // `logs`, `cache`, and the times of `-T`.
            continue;
        };
        words.remove(0);
        if words.get(2..4).is_some_and(|ops| {
            ops.iter()
                .any(|word| *word != "-" && number::size(word).is_none())
        }) {
            // `Mon Mar 15 13:48:44 MST 2021`, `logs - - - - - -`.
            continue;
        }
        let size = |word: &str| number::size(word);
        let (alloc, free) = (
            words.first().copied().unwrap_or("-"),
            words.get(1).copied().unwrap_or("-"),
        );
        let depth = if flat.headed {
            if indent == 0 { 0 } else { indent / 2 }
        } else {
            usize::from(!flat.begins_pool(facts, name, size(alloc), &pool))
        };
        // Headings of classes have no figures at all.
        if words.iter().all(|word| *word == "-") {
            continue;
        }
        if depth == 0 {
            pool = Arc::from(name);
            seen.clear();
        }
        let word: Arc<str> = Arc::from(name);
        if seen.len() >= MOST {
            left_out = true;
            continue;
        }
        let nth = seen.entry(Arc::clone(&word)).or_default();
        let key = (Arc::clone(&pool), word, *nth);
        *nth = nth.saturating_add(1);
        let at = match index.get(&key) {
            Some(at) => *at,
            None if rows.len() >= MOST => {
                left_out = true;
                continue;
            }
            None => {
                index.insert(key, rows.len());
                rows.push(Row {
                    pool: Arc::clone(&pool),
                    name: line.text_at(name),
                    depth,
                    allocated: None,
                    free: None,
                    first: Default::default(),
                    rest: Default::default(),
                    reports: 0,
                });
                rows.len() - 1
            }
        };
        let Some(row) = rows.get_mut(at) else { continue };
        row.reports += 1;
        let mut capacity = |word: &str| {
            if word == "-" {
                return None;
            }
            let size = size(word);
            if size.is_none() {
                place.warn(&line, word, "not a size in range");
            }
            Some(line.sourced(size?, word))
        };
        // A pool's capacity is that of the last report.
        row.allocated = capacity(alloc).or(row.allocated.take());
        row.free = capacity(free).or(row.free.take());
        let into = if row.reports == 1 && !no_boot {
            &mut row.first
        } else {
            &mut row.rest
        };
        figures(place, &line, words.get(2..).unwrap_or(&[]), into);
    }
    if left_out {
        place.tell_file(format_args!("more than {MOST} vdevs; the rest is left out"));
    }
    for row in rows {
        if facts.zpool_io.len() < MOST {
            facts.zpool_io.push(made(row));
        }
    }
}

/// What tells where a pool begins in the listing of `-H`, which is flat.
#[derive(Default)]
struct Flat {
    /// Whether the listing has headers, so that indents tell.
    headed: bool,
    any: bool,
    left: Option<u64>,
}

impl Flat {
    /// A pool that another listing names begins where its name stands. Without one, the first row is a
    /// pool, and so is one that follows when the parts of the last pool have all that the pool has.
    fn begins_pool(&mut self, facts: &Facts, name: &str, alloc: Option<Bytes>, current: &str) -> bool {
        let known = facts.zpools.iter().any(|pool| &*pool.name.value == name)
            || facts.zpool_status.iter().any(|pool| &*pool.pool.value == name);
        let whole = self.left == Some(0);
        let begins = !self.any || known || name == current || (whole && alloc.is_some());
        let alloc = alloc.map(|alloc| alloc.0);
        if begins {
            self.any = true;
            self.left = alloc;
        } else if let (Some(left), Some(alloc)) = (self.left, alloc) {
            self.left = left.checked_sub(alloc);
        }
        begins
    }
}

fn figures(place: &mut Place<'_>, line: &Line<'_>, words: &[&str], into: &mut [Kept; SERIES]) {
    for (at, (word, kept)) in words.iter().copied().zip(into.iter_mut()).enumerate() {
        if word == "-" {
            continue;
        }
        let value = if at < RATES {
            number::size(word)
                .map(|size| size.0 as f64)
                .filter(|rate| *rate < 1e13)
        } else {
            time(word)
        };
        match value {
            Some(value) => kept.add(line, word, value),
            None => place.warn(
                line,
                word,
                format_args!("{word} cannot be what zpool iostat measured"),
            ),
        }
    }
}

fn made(row: Row) -> ZpoolIo {
    let measured = row.rest.iter().any(|kept| kept.gather.samples() > 0);
    let (kept, window) = if measured {
        (row.rest, Window::Intervals)
    } else {
        (row.first, Window::SinceBoot)
    };
    let [
        reads,
        writes,
        read_rate,
        write_rate,
        read_wait,
        write_wait,
        disk_read_wait,
        disk_write_wait,
        sync_read_wait,
        sync_write_wait,
        async_read_wait,
        async_write_wait,
        scrub_wait,
        trim_wait,
    ] = kept;
    ZpoolIo {
        pool: row.pool,
        name: row.name,
        depth: row.depth,
        window,
        allocated: row.allocated,
        free: row.free,
        reads: reads.sourced(PerSecond),
        writes: writes.sourced(PerSecond),
        read_rate: read_rate.sourced(BytesPerSecond),
        write_rate: write_rate.sourced(BytesPerSecond),
        read_wait: read_wait.sourced(Millis),
        write_wait: write_wait.sourced(Millis),
        disk_read_wait: disk_read_wait.sourced(Millis),
        disk_write_wait: disk_write_wait.sourced(Millis),
        sync_read_wait: sync_read_wait.sourced(Millis),
        sync_write_wait: sync_write_wait.sourced(Millis),
        async_read_wait: async_read_wait.sourced(Millis),
        async_write_wait: async_write_wait.sourced(Millis),
        scrub_wait: scrub_wait.sourced(Millis),
        trim_wait: trim_wait.sourced(Millis),
    }
}
