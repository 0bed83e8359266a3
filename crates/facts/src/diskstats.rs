//! `/proc/diskstats`: counters since boot; two samples with the time between them are an interval.
//!
//! Fields: <https://docs.kernel.org/admin-guide/iostats.html>.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use source::{Bytes, BytesPerSecond, FileId, Millis, Origin, PerSecond, Percent, Quote, Sourced};

use crate::disk::{self, Index};
use crate::facts::{Fact, Facts, whole_disk};
use crate::input::{Line, Lines, Place};
use crate::io::{DeviceIo, Window};
use crate::number;
use crate::series::{Kept, Series};

/// How many counters there are: Linux 5.5 has 17.
const COUNTERS: usize = 24;

/// One sample of one device.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The counters behind the name, in their order in the file.
    counters: [u64; COUNTERS],
    /// How many of them the kernel has.
    count: usize,
    file: FileId,
    line: u32,
    text: String,
}

impl Sample {
    fn get(&self, at: usize) -> Option<u64> {
        self.counters.get(at).copied().filter(|_| at < self.count)
    }

    fn quote(&self, range: std::ops::Range<usize>) -> Quote {
        Quote::at(self.file, self.line, &self.text, range)
    }
}

/// A device: its first sample and its last one.
#[derive(Debug)]
struct Device {
    name: Arc<str>,
    first: Sample,
    later: Option<Sample>,
    /// What a request took in each interval of a log, in the order of [`WAITS`].
    waits: [Kept; WAITS.len()],
}

/// Where the milliseconds stand and where the requests that took them: reads, writes, discards, flushes.
const WAITS: [(usize, usize); 4] = [(3, 0), (7, 4), (14, 11), (16, 15)];

impl Device {
    /// Takes in what requests took between two samples. The time between them does not matter for that.
    fn interval(waits: &mut [Kept], before: &[u64; COUNTERS], line: &Line<'_>, after: &[u64; COUNTERS]) {
        for (kept, (time, count)) in waits.iter_mut().zip(WAITS) {
            let went = |at: usize| after.get(at)?.checked_sub(*before.get(at)?);
            let (Some(time), Some(count)) = (went(time), went(count).filter(|count| *count > 0)) else {
                // Nothing was asked for, or the machine was started anew.
                continue;
            };
            if kept.gather.add(time as f64 / count as f64) {
                kept.quote = Some(line.quote(line.text));
            }
        }
    }
}

/// All samples of a run.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    devices: Vec<Device>,
    index: HashMap<Arc<str>, usize>,
    /// The device after the last one: rows come in the same order in each sample.
    next: usize,
    seconds: Option<f64>,
}

/// Where the next word stands.
#[inline]
fn word(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = from + text.get(from..)?.iter().position(|byte| *byte != b' ')?;
    let length = text.get(start..)?.iter().position(|byte| *byte == b' ');
    Some((start, length.map_or(text.len(), |length| start + length)))
}

/// The name of a row, and its counters; how many there are.
fn row<'t>(line: &'t str, counters: &mut [u64; COUNTERS]) -> Option<(&'t str, usize)> {
    let text = line.trim_ascii_end().as_bytes();
    let mut at = 0;
    for _ in 0..2 {
        let (start, end) = word(text, at)?;
        let (_, length) = number::leading_whole(text.get(start..)?)?;
        if start + length != end {
            return None;
        }
        at = end;
    }
    let (start, end) = word(text, at)?;
    let name = line.get(start..end)?;
    at = end;
    let mut count = 0;
    let mut rest = text.get(at..)?;
    while let Some((b' ', behind)) = rest.split_first() {
        let Some((number, length)) = number::leading_whole(behind) else {
            // Columns are aligned by more blanks than one.
            rest = behind;
            continue;
        };
        rest = behind.get(length..)?;
        // Counters of a newer kernel than is known here say nothing.
        if let Some(slot) = counters.get_mut(count) {
            *slot = number;
            count += 1;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    (count >= 11 && name.starts_with(|c: char| c.is_ascii_alphabetic())).then_some((name, count))
}

/// Whether a line is one of `/proc/diskstats`: two numbers, a name, and at least eleven counters.
pub(crate) fn is(line: &str) -> bool {
    row(line, &mut [0; COUNTERS]).is_some()
}

/// The most devices.
const MOST: usize = 65_536;

pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, index: &mut Index, seconds: Option<f64>) {
    let samples = &mut index.diskstats;
    samples.seconds = seconds.or(samples.seconds);
    let mut counters = [0; COUNTERS];
    let mut left_out = false;
    while let Some(line) = lines.next() {
        let Some((name, count)) = row(line.text, &mut counters) else {
            if !line.text.trim().is_empty() {
                place.warn(&line, line.text, "not a row of /proc/diskstats");
            }
            continue;
        };
        let known = match samples.devices.get(samples.next) {
            Some(device) if &*device.name == name => Some(samples.next),
            _ => samples.index.get(name).copied(),
        };
        let at = known.unwrap_or(samples.devices.len());
        samples.next = if at + 1 < samples.devices.len() { at + 1 } else { 0 };
        match samples.devices.get_mut(at) {
            // A log may be of any length, so the buffers stay.
            Some(Device {
                later: Some(later),
                waits,
                ..
            }) => {
                Device::interval(waits, &later.counters, &line, &counters);
                later.counters = counters;
                later.count = count;
                later.file = line.file;
                later.line = line.no;
                line.text.clone_into(&mut later.text);
            }
            found => {
                let sample = Sample {
                    counters,
                    count,
                    file: line.file,
                    line: line.no,
                    text: line.text.to_owned(),
                };
                if let Some(device) = found {
                    Device::interval(&mut device.waits, &device.first.counters, &line, &counters);
                    device.later = Some(sample);
                } else if samples.devices.len() < MOST {
                    let name: Arc<str> = Arc::from(name);
                    samples.index.insert(Arc::clone(&name), samples.devices.len());
                    samples.devices.push(Device {
                        name,
                        first: sample,
                        later: None,
                        waits: Default::default(),
                    });
                    samples.next = 0;
                } else {
                    left_out = true;
                }
            }
        }
    }
    if left_out {
        place.tell_file(format_args!("more than {MOST} devices; the rest is left out"));
    }
}

/// Makes rates of the counters, when all files are read.
pub(crate) fn finish(facts: &mut Facts, index: &mut Index) {
    let mut samples = std::mem::take(&mut index.diskstats);
    samples.devices.sort_by(|one, other| one.name.cmp(&other.name));
    let known: HashSet<Arc<str>> = facts.io.iter().map(|io| Arc::clone(&io.name)).collect();
    for Device {
        name,
        first,
        later,
        waits,
    } in samples.devices
    {
        if known.contains(&name) {
            continue;
        }
        let mut io = device(Arc::clone(&name), &first, later.as_ref(), samples.seconds);
        // Of a log the percentiles over its intervals say more than one mean over all of it.
        let slots = [
            &mut io.read_wait,
            &mut io.write_wait,
            &mut io.discard_wait,
            &mut io.flush_wait,
        ];
        for (slot, kept) in slots.into_iter().zip(waits) {
            if kept.gather.samples() > 1 {
                *slot = kept.sourced(Millis);
            }
        }
        if io.queue.is_none() && io.read_wait.is_none() && io.write_wait.is_none() {
            continue;
        }
        let known =
            index.has_disk(&name) || disk::Unreal::of_name(&name).is_some() || whole_disk(&name).is_some();
        if !known {
            let at = first.text.find(&*name).unwrap_or(0);
            let named = first.quote(at..at + name.len());
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
                let counters = sample.counters.iter().take(11);
                counters.fold(0_u64, |sum, n| sum.saturating_add(*n))
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
        let to = last.get(at)?;
        let from = early.map_or(0, |early| early.get(at).unwrap_or(0));
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
        Origin::Probe(sample.quote(range))
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
