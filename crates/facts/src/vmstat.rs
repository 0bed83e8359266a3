//! vmstat: what memory, swap, blocks and processors did, over any number of samples.
//!
//! Columns as vmstat(8) of procps names them, with any of `-a -n -t -w -y -S`.

use source::{Bytes, BytesPerSecond, PerSecond, Percent};

use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::io::Window;
use crate::number;
use crate::series::{Kept, Series};

/// What vmstat measured of the whole machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Vmstat {
    /// What time the rates and shares cover.
    pub window: Window,
    /// `r`: processes that run or wait for a processor.
    pub running: Fact<Series<f64>>,
    /// `b`: processes that wait for I/O and cannot be interrupted.
    pub blocked: Fact<Series<f64>>,
    /// `swpd`: swap in use.
    pub swapped: Fact<Series<Bytes>>,
    /// `free`: memory that nothing uses; little of it is no sign of want.
    pub free: Fact<Series<Bytes>>,
    /// `buff`
    pub buffers: Fact<Series<Bytes>>,
    /// `cache`
    pub cache: Fact<Series<Bytes>>,
    /// `inact`, with `-a`.
    pub inactive: Fact<Series<Bytes>>,
    /// `active`, with `-a`.
    pub active: Fact<Series<Bytes>>,
    /// `si`: what came back from swap.
    pub swap_in: Fact<Series<BytesPerSecond>>,
    /// `so`: what went out to swap.
    pub swap_out: Fact<Series<BytesPerSecond>>,
    /// `bi`: what came from block devices.
    pub read: Fact<Series<BytesPerSecond>>,
    /// `bo`: what went to block devices.
    pub written: Fact<Series<BytesPerSecond>>,
    /// `in`: interrupts.
    pub interrupts: Fact<Series<PerSecond>>,
    /// `cs`: switches of context.
    pub switches: Fact<Series<PerSecond>>,
    /// `us`: programs.
    pub user: Fact<Series<Percent>>,
    /// `sy`: the kernel.
    pub system: Fact<Series<Percent>>,
    /// `id`: idle.
    pub idle: Fact<Series<Percent>>,
    /// `wa`: idle with a request outstanding. This is idle time; pressure stall information says more.
    pub iowait: Fact<Series<Percent>>,
    /// `st`: taken by the host of a virtual machine.
    pub steal: Fact<Series<Percent>>,
}

/// What a column counts in.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    /// Memory, in the unit that `-S` sets.
    Memory,
    /// Blocks of 1024 bytes a second, whatever `-S` says.
    Blocks,
    /// A share of the processors.
    Share,
}

/// The columns in the order of [`Vmstat`]'s fields, and the most that is believed of each in its base unit.
const COLUMNS: [(&str, Unit, f64); 19] = [
    ("r", Unit::Count, 1e9),
    ("b", Unit::Count, 1e9),
    ("swpd", Unit::Memory, 1e18),
    ("free", Unit::Memory, 1e18),
    ("buff", Unit::Memory, 1e18),
    ("cache", Unit::Memory, 1e18),
    ("inact", Unit::Memory, 1e18),
    ("active", Unit::Memory, 1e18),
    ("si", Unit::Memory, 1e13),
    ("so", Unit::Memory, 1e13),
    ("bi", Unit::Blocks, 1e13),
    ("bo", Unit::Blocks, 1e13),
    ("in", Unit::Count, 1e12),
    ("cs", Unit::Count, 1e12),
    ("us", Unit::Share, 100.0),
    ("sy", Unit::Share, 100.0),
    ("id", Unit::Share, 100.0),
    ("wa", Unit::Share, 100.0),
    ("st", Unit::Share, 100.0),
];

/// Whether a line names the columns of vmstat.
pub(crate) fn is_header(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    (words.next(), words.next(), words.next()) == (Some("r"), Some("b"), Some("swpd"))
}

/// The size of the unit that `-S` set, by the command's words: `vmstat -S M 1`, `vmstat -SM`.
/// The output itself does not tell it.
fn unit_of_words<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<f64> {
    let size = |letter: &str| match letter {
        "k" => Some(1e3),
        "K" => Some(1024.0),
        "m" => Some(1e6),
        "M" => Some(1024.0 * 1024.0),
        _ => None,
    };
    while let Some(word) = words.next() {
        let word = word.trim_start_matches('-');
        if word == "S" || word == "unit" {
            return size(words.next()?);
        }
        if let Some(size) = word
            .strip_prefix('S')
            .or_else(|| word.strip_prefix("unit="))
            .and_then(size)
        {
            return Some(size);
        }
    }
    None
}

fn skips_boot(command: &str) -> bool {
    command
        .split_ascii_whitespace()
        .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('y'))
}

/// Where the command stands in a line that somebody typed: `$ vmstat 1`, `root@host:~# vmstat 1`.
fn prompt(line: &str) -> Option<usize> {
    let typed = line.split_ascii_whitespace().next()?.ends_with(['$', '#']);
    line.find("vmstat").filter(|_| typed)
}

/// vmstat's table of any length. The first sample covers the time since boot and is left out
/// where others follow, unless the command or the file's name tells `-y`.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let name = place.name.rsplit('/').next().unwrap_or("");
    let mut unit = match &place.command {
        Some(command) => unit_of_words(command.split_ascii_whitespace()),
        None => unit_of_words(name.split(|c: char| !c.is_ascii_alphanumeric())),
    }
    .unwrap_or(1024.0);
    let mut no_boot = match &place.command {
        Some(command) => skips_boot(command),
        None => name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word == "y"),
    };
    let mut columns: Vec<Option<usize>> = Vec::new();
    let mut first: [Kept; COLUMNS.len()] = Default::default();
    let mut rest: [Kept; COLUMNS.len()] = Default::default();
    let mut samples = 0_u64;
    while let Some(line) = lines.next() {
        let text = line.text;
        if let Some(at) = prompt(text) {
            let command = text.get(at..).unwrap_or("");
            unit = unit_of_words(command.split_ascii_whitespace()).unwrap_or(1024.0);
            no_boot = skips_boot(command);
            samples = 0;
        } else if is_header(text) {
            columns = text
                .split_ascii_whitespace()
                .map(|name| COLUMNS.iter().position(|(known, ..)| *known == name))
                .collect();
        } else if !columns.is_empty() && text.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            samples += 1;
            let into = if samples == 1 && !no_boot {
                &mut first
            } else {
                &mut rest
            };
            row(place, &line, &columns, unit, into);
        }
    }
    let measured = |log: &[Kept]| log.iter().any(|kept| kept.gather.samples() > 0);
    let window = if measured(&rest) {
        Window::Intervals
    } else {
        Window::SinceBoot
    };
    if window == Window::SinceBoot {
        if !measured(&first) {
            return;
        }
        rest = first;
    }
    if facts.vmstat.as_ref().is_some_and(|known| known.window >= window) {
        return;
    }
    facts.vmstat = Some(made(rest, window));
}

fn row(place: &mut Place<'_>, line: &Line<'_>, columns: &[Option<usize>], unit: f64, into: &mut [Kept]) {
    let count = line.text.split_ascii_whitespace().count();
    // The zone of `-t` is one word in the header and two in the row.
    if count + 1 < columns.len() || columns.iter().flatten().count() > count {
        place.warn(line, line.text, "not a whole row of vmstat");
        return;
    }
    for (word, known) in line.text.split_ascii_whitespace().zip(columns) {
        let Some((at, (name, kind, most))) = known.and_then(|at| Some((at, COLUMNS.get(at)?))) else {
            continue;
        };
        let factor = match kind {
            Unit::Count | Unit::Share => 1.0,
            Unit::Memory => unit,
            Unit::Blocks => 1024.0,
        };
        let value = number::whole(word).map(|count| count as f64 * factor);
        match (value.filter(|value| value <= most), into.get_mut(at)) {
            (Some(value), Some(kept)) => kept.add(line, word, value),
            _ => place.warn(line, word, format_args!("{word} cannot be vmstat's `{name}`")),
        }
    }
}

fn made(kept: [Kept; COLUMNS.len()], window: Window) -> Vmstat {
    let [
        running,
        blocked,
        swapped,
        free,
        buffers,
        cache,
        inactive,
        active,
        swap_in,
        swap_out,
        read,
        written,
        interrupts,
        switches,
        user,
        system,
        idle,
        iowait,
        steal,
    ] = kept;
    let bytes = |kept: Kept| kept.sourced(|bytes| Bytes(bytes.round() as u64));
    Vmstat {
        window,
        running: running.sourced(|count| count),
        blocked: blocked.sourced(|count| count),
        swapped: bytes(swapped),
        free: bytes(free),
        buffers: bytes(buffers),
        cache: bytes(cache),
        inactive: bytes(inactive),
        active: bytes(active),
        swap_in: swap_in.sourced(BytesPerSecond),
        swap_out: swap_out.sourced(BytesPerSecond),
        read: read.sourced(BytesPerSecond),
        written: written.sourced(BytesPerSecond),
        interrupts: interrupts.sourced(PerSecond),
        switches: switches.sourced(PerSecond),
        user: user.sourced(Percent),
        system: system.sourced(Percent),
        idle: idle.sourced(Percent),
        iowait: iowait.sourced(Percent),
        steal: steal.sourced(Percent),
    }
}
