//! `/proc/diskstats`: counters since boot; two samples with the time between them are an interval.
//!
//! Fields: <https://docs.kernel.org/admin-guide/iostats.html>.

use std::collections::BTreeMap;
use std::sync::Arc;

use source::{Bytes, BytesPerSecond, FileId, Millis, Origin, PerSecond, Percent, Quote, Sourced};

use crate::disk::{self, Index};
use crate::facts::{Fact, Facts, whole_disk};
use crate::input::{Lines, Place};
use crate::io::{DeviceIo, Window};
use crate::number;
use crate::series::Series;

/// One sample of one device.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The counters behind the name, in their order in the file.
    counters: Vec<u64>,
    file: FileId,
    line: u32,
    text: Arc<str>,
}

/// All samples of a run.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    devices: BTreeMap<Arc<str>, (Sample, Option<Sample>)>,
    seconds: Option<f64>,
}

/// Whether a line is one of `/proc/diskstats`: two numbers, a name, and at least eleven counters.
pub(crate) fn is(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let numbers = words
        .by_ref()
        .take(2)
        .filter(|word| number::whole(word).is_some())
        .count()
        == 2;
    let named = words
        .next()
        .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
    let rest: Vec<&str> = words.collect();
    numbers && named && rest.len() >= 11 && rest.iter().all(|word| number::whole(word).is_some())
}

/// The most devices.
const MOST: usize = 65_536;

pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, index: &mut Index, seconds: Option<f64>) {
    let samples = &mut index.diskstats;
    samples.seconds = seconds.or(samples.seconds);
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.text.split_ascii_whitespace().collect();
        let (name, counters) = match words.as_slice() {
            [] => continue,
            [_, _, name, counters @ ..] if counters.len() >= 11 => (*name, counters),
            _ => {
                place.warn(&line, line.text, "not a row of /proc/diskstats");
                continue;
            }
        };
        let Some(counters) = counters
            .iter()
            .map(|word| number::whole(word))
            .collect::<Option<Vec<u64>>>()
        else {
            place.warn(&line, line.text, "a counter that is no number");
            continue;
        };
        let quote = line.quote(name);
        let new = Sample {
            counters,
            file: quote.file,
            line: quote.line,
            text: quote.text,
        };
        if let Some((_, later)) = samples.devices.get_mut(name) {
            *later = Some(new);
        } else if samples.devices.len() < MOST {
            samples.devices.insert(Arc::from(name), (new, None));
        }
    }
}

/// Makes rates of the counters, when all files are read.
pub(crate) fn finish(facts: &mut Facts, index: &mut Index) {
    let samples = std::mem::take(&mut index.diskstats);
    for (name, (first, later)) in samples.devices {
        if facts.io.iter().any(|io| io.name == name) {
            continue;
        }
        let io = device(Arc::clone(&name), &first, later.as_ref(), samples.seconds);
        if io.queue.is_none() && io.read_wait.is_none() && io.write_wait.is_none() {
            continue;
        }
        let known =
            index.has_disk(&name) || disk::Unreal::of_name(&name).is_some() || whole_disk(&name).is_some();
        if !known {
            let named = Quote::new(first.file, first.line, &first.text, &name);
            disk::add(
                facts,
                index,
                disk::DiskFacts {
                    name: Some(Sourced::new(name, Origin::Probe(named))),
                    ..disk::DiskFacts::default()
                },
            );
        }
        facts.io.push(io);
    }
}

fn device(name: Arc<str>, first: &Sample, later: Option<&Sample>, seconds: Option<f64>) -> DeviceIo {
    // With one sample the counters themselves are the difference to the boot.
    let (early, last) = match later {
        Some(later) => {
            let sum = |sample: &Sample| {
                sample
                    .counters
                    .iter()
                    .take(11)
                    .fold(0_u64, |sum, n| sum.saturating_add(*n))
            };
            if sum(later) >= sum(first) {
                (Some(first), later)
            } else {
                (Some(later), first)
            }
        }
        None => (None, first),
    };
    let delta = |at: usize| {
        let to = *last.counters.get(at)?;
        let from = early.map_or(0, |early| early.counters.get(at).copied().unwrap_or(0));
        to.checked_sub(from).map(|count| count as f64)
    };
    let quote = |sample: &Sample, at: usize| {
        // The counter is the word of that place behind the device's numbers and its name.
        let word = sample.text.split_ascii_whitespace().nth(at + 3).unwrap_or("");
        let start = (word.as_ptr() as usize).wrapping_sub(sample.text.as_ptr() as usize);
        let range = if word.is_empty() {
            0..sample.text.len()
        } else {
            start..start + word.len()
        };
        Origin::Probe(Quote::at(sample.file, sample.line, &sample.text, range))
    };
    let origin = |at: usize| match early {
        Some(early) => Origin::derived([quote(early, at), quote(last, at)]),
        None => quote(last, at),
    };
    let interval = seconds.filter(|_| early.is_some());
    fn one<T: Copy>(value: T) -> Series<T> {
        Series {
            samples: 1,
            mean: value,
            p50: value,
            p95: value,
            p99: value,
            max: value,
        }
    }
    let rate = |at: usize| Some((delta(at)? / interval?, origin(at)));
    let per_second = |at: usize| -> Fact<Series<PerSecond>> {
        let (rate, origin) = rate(at)?;
        Some(Sourced::new(one(PerSecond(rate)), origin))
    };
    // Sectors are of 512 bytes here, whatever the disk's own are.
    let bytes_rate = |at: usize| -> Fact<Series<BytesPerSecond>> {
        let (rate, origin) = rate(at)?;
        Some(Sourced::new(one(BytesPerSecond(rate * 512.0)), origin))
    };
    let each = |what: usize, count: usize| Some(delta(what)? / delta(count).filter(|count| *count > 0.0)?);
    let wait = |time: usize, count: usize| -> Fact<Series<Millis>> {
        Some(Sourced::new(one(Millis(each(time, count)?)), origin(time)))
    };
    let size = |sectors: usize, count: usize| -> Fact<Series<Bytes>> {
        let bytes = each(sectors, count)? * 512.0;
        Some(Sourced::new(one(Bytes(bytes.round() as u64)), origin(sectors)))
    };
    let merged = |merges: usize, count: usize| -> Fact<Series<Percent>> {
        let (merged, sent) = (delta(merges)?, delta(count)?);
        let all = merged + sent;
        (all > 0.0).then(|| Sourced::new(one(Percent(100.0 * merged / all)), origin(merges)))
    };
    let share = |at: usize| {
        let (rate, origin) = rate(at)?;
        Some((rate / 1000.0, origin))
    };
    DeviceIo {
        name,
        window: if early.is_some() {
            Window::Intervals
        } else {
            Window::SinceBoot
        },
        reads: per_second(0),
        writes: per_second(4),
        discards: per_second(11),
        flushes: per_second(15),
        transfers: None,
        read_rate: bytes_rate(2),
        write_rate: bytes_rate(6),
        discard_rate: bytes_rate(13),
        rate: None,
        reads_merged: merged(1, 0),
        writes_merged: merged(5, 4),
        read_wait: wait(3, 0),
        write_wait: wait(7, 4),
        discard_wait: wait(14, 11),
        flush_wait: wait(16, 15),
        wait: None,
        read_size: size(2, 0),
        write_size: size(6, 4),
        request_size: None,
        queue: share(10).map(|(length, origin)| Sourced::new(one(length), origin)),
        busy: share(9).map(|(busy, origin)| Sourced::new(one(Percent((busy * 100.0).min(100.0))), origin)),
    }
}
