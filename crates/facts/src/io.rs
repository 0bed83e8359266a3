//! iostat: what was measured of devices and processors, over any number of reports.
//!
//! Fields as sysstat's `iostat.c` and iostat(1) define them, under their old and new names.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use source::{Bytes, BytesPerSecond, Millis, Origin, PerSecond, Percent, Quote, Sourced};

use crate::disk::{self, Index};
use crate::facts::{Fact, Facts, whole_disk};
use crate::input::{Line, Lines, Place};
use crate::json::{Pull, Stop, Token};
use crate::number::{self, leading_decimal};
use crate::series::{Kept, Series};

/// What iostat measured of one device.
///
/// Every series carries the line of its largest sample.
/// Latencies and request sizes count only the intervals in which there were such requests:
/// the zero that iostat prints for an idle interval is not a latency.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceIo {
    /// The device's kernel name.
    pub name: Arc<str>,
    /// What time the figures cover.
    pub window: Window,
    /// `r/s`
    pub reads: Fact<Series<PerSecond>>,
    /// `w/s`
    pub writes: Fact<Series<PerSecond>>,
    /// `d/s`
    pub discards: Fact<Series<PerSecond>>,
    /// `f/s`; the kernel does not count flushes of partitions.
    pub flushes: Fact<Series<PerSecond>>,
    /// `tps`: requests of all kinds, where iostat told no more.
    pub transfers: Fact<Series<PerSecond>>,
    /// `rkB/s`
    pub read_rate: Fact<Series<BytesPerSecond>>,
    /// `wkB/s`
    pub write_rate: Fact<Series<BytesPerSecond>>,
    /// `dkB/s`
    pub discard_rate: Fact<Series<BytesPerSecond>>,
    /// `kB/s` of the short listing.
    pub rate: Fact<Series<BytesPerSecond>>,
    /// `%rrqm`: reads that were merged before they were sent.
    pub reads_merged: Fact<Series<Percent>>,
    /// `%wrqm`
    pub writes_merged: Fact<Series<Percent>>,
    /// `r_await`: from queueing to completion.
    pub read_wait: Fact<Series<Millis>>,
    /// `w_await`
    pub write_wait: Fact<Series<Millis>>,
    /// `d_await`
    pub discard_wait: Fact<Series<Millis>>,
    /// `f_await`: what a flush of the device's cache costs.
    pub flush_wait: Fact<Series<Millis>>,
    /// `await`, where iostat told reads and writes together.
    pub wait: Fact<Series<Millis>>,
    /// `rareq-sz`
    pub read_size: Fact<Series<Bytes>>,
    /// `wareq-sz`
    pub write_size: Fact<Series<Bytes>>,
    /// `areq-sz`, or `avgrq-sz` of old versions, which counted in sectors of 512 bytes.
    pub request_size: Fact<Series<Bytes>>,
    /// `aqu-sz`: requests in the queue.
    pub queue: Fact<Series<f64>>,
    /// `%util`: the share of the time with at least one request in flight.
    /// On SSDs, NVMe and RAID this being full does not mean that the device is.
    pub busy: Fact<Series<Percent>>,
}

/// What time a measurement covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// Everything since boot in one figure: the only report, or the only sample of a counter.
    SinceBoot,
    /// The intervals between the reports. The first report, since boot, is not among them.
    Intervals,
}

/// What iostat measured of the processors.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuUse {
    /// What time the figures cover.
    pub window: Window,
    /// Programs.
    pub user: Fact<Series<Percent>>,
    /// The kernel.
    pub system: Fact<Series<Percent>>,
    /// Idle with a request outstanding. This is idle time; pressure stall information says more.
    pub iowait: Fact<Series<Percent>>,
    /// Taken by the host of a virtual machine.
    pub steal: Fact<Series<Percent>>,
    /// Idle.
    pub idle: Fact<Series<Percent>>,
}

/// A column of iostat, in the order of [`LIMITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Metric {
    Reads,
    Writes,
    Discards,
    Flushes,
    Transfers,
    ReadRate,
    WriteRate,
    DiscardRate,
    Rate,
    ReadsMerged,
    WritesMerged,
    ReadWait,
    WriteWait,
    DiscardWait,
    FlushWait,
    Wait,
    ReadSize,
    WriteSize,
    RequestSize,
    Queue,
    Busy,
}

const METRICS: usize = 21;

/// Above these a value is taken for the slip of a counter, not for a measurement:
/// iostat prints 2^64 and the like when a device is replugged between two reports.
const LIMITS: [f64; METRICS] = [
    1e9, 1e9, 1e9, 1e9, 1e9, // requests a second
    1e13, 1e13, 1e13, 1e13, // bytes a second
    100.01, 100.01, // merged, percent
    1e8, 1e8, 1e8, 1e8, 1e8, // milliseconds: a day
    1e10, 1e10, 1e10, // bytes a request
    1e9, 110.0, // queue, percent busy
];

/// What a column's name means, and what its unit is worth in bytes, milliseconds, and so on.
fn column(name: &[u8]) -> Option<(Metric, f64)> {
    const KIB: f64 = 1024.0;
    const MIB: f64 = 1024.0 * 1024.0;
    const SECTOR: f64 = 512.0;
    Some(match name {
        b"r/s" => (Metric::Reads, 1.0),
        b"w/s" => (Metric::Writes, 1.0),
        b"d/s" => (Metric::Discards, 1.0),
        b"f/s" => (Metric::Flushes, 1.0),
        b"tps" => (Metric::Transfers, 1.0),
        b"rkB/s" | b"kB_read/s" => (Metric::ReadRate, KIB),
        b"wkB/s" | b"kB_wrtn/s" => (Metric::WriteRate, KIB),
        b"dkB/s" | b"kB_dscd/s" => (Metric::DiscardRate, KIB),
        b"rMB/s" | b"MB_read/s" => (Metric::ReadRate, MIB),
        b"wMB/s" | b"MB_wrtn/s" => (Metric::WriteRate, MIB),
        b"dMB/s" | b"MB_dscd/s" => (Metric::DiscardRate, MIB),
        b"rsec/s" | b"Blk_read/s" => (Metric::ReadRate, SECTOR),
        b"wsec/s" | b"Blk_wrtn/s" => (Metric::WriteRate, SECTOR),
        b"kB/s" => (Metric::Rate, KIB),
        b"MB/s" => (Metric::Rate, MIB),
        b"sec/s" => (Metric::Rate, SECTOR),
        b"rrqm" | b"%rrqm" => (Metric::ReadsMerged, 1.0),
        b"wrqm" | b"%wrqm" => (Metric::WritesMerged, 1.0),
        b"r_await" => (Metric::ReadWait, 1.0),
        b"w_await" => (Metric::WriteWait, 1.0),
        b"d_await" => (Metric::DiscardWait, 1.0),
        b"f_await" => (Metric::FlushWait, 1.0),
        b"await" => (Metric::Wait, 1.0),
        b"rareq-sz" => (Metric::ReadSize, KIB),
        b"wareq-sz" => (Metric::WriteSize, KIB),
        b"areq-sz" => (Metric::RequestSize, KIB),
        b"avgrq-sz" => (Metric::RequestSize, SECTOR),
        b"aqu-sz" | b"avgqu-sz" => (Metric::Queue, 1.0),
        b"util" | b"%util" => (Metric::Busy, 1.0),
        _ => return None,
    })
}

/// For each metric the one that tells whether there was anything to measure it on; itself if none does.
const OCCASIONS: [usize; METRICS] = {
    let mut all = [0; METRICS];
    let mut at = 0;
    while at < METRICS {
        all[at] = at;
        at += 1;
    }
    all[Metric::ReadWait as usize] = Metric::Reads as usize;
    all[Metric::ReadSize as usize] = Metric::Reads as usize;
    all[Metric::WriteWait as usize] = Metric::Writes as usize;
    all[Metric::WriteSize as usize] = Metric::Writes as usize;
    all[Metric::DiscardWait as usize] = Metric::Discards as usize;
    all[Metric::FlushWait as usize] = Metric::Flushes as usize;
    all[Metric::Wait as usize] = Metric::Transfers as usize;
    all[Metric::RequestSize as usize] = Metric::Transfers as usize;
    all
};

/// Where a value's letters stand: the line, and the bytes in its row's text.
type Spot = (u32, u32, u32);

/// One row: a device's figures in one report.
struct Row {
    /// The value in base units; NaN where the row has none.
    values: [f64; METRICS],
    /// Where its letters stand: the line, and the place in the row's text; of use where there is a value.
    places: [Spot; METRICS],
}

impl Row {
    fn new() -> Self {
        Self {
            values: [f64::NAN; METRICS],
            places: [(0, 0, 0); METRICS],
        }
    }

    /// Makes it a row without values.
    fn clear(&mut self) {
        self.values = [f64::NAN; METRICS];
    }

    #[inline]
    fn set(&mut self, metric: Metric, value: f64, place: Spot) {
        let at = metric as usize;
        if let (Some(slot), Some(spot)) = (self.values.get_mut(at), self.places.get_mut(at)) {
            *slot = value;
            *spot = place;
        }
    }
}

struct Device {
    name: Arc<str>,
    metrics: [Kept; METRICS],
}

/// The devices of a log.
#[derive(Default)]
struct Log {
    devices: Vec<Device>,
    index: HashMap<Arc<str>, usize>,
    cpu: [Kept; CPU.len()],
    /// The device after the last one: rows come in the same order in each report.
    next: usize,
    /// Whether there were more devices than are kept.
    left_out: bool,
}

const CPU: [&[u8]; 5] = [b"user", b"system", b"iowait", b"steal", b"idle"];

/// The most devices of one log.
const MOST: usize = 20_000;

impl Log {
    fn device(&mut self, name: &str) -> Option<&mut Device> {
        let at = match self.devices.get(self.next) {
            Some(device) if &*device.name == name => self.next,
            _ => match self.index.get(name) {
                Some(&at) => at,
                None if self.devices.len() >= MOST => {
                    self.left_out = true;
                    return None;
                }
                None => {
                    let name: Arc<str> = Arc::from(name);
                    self.index.insert(Arc::clone(&name), self.devices.len());
                    self.devices.push(Device {
                        name,
                        metrics: std::array::from_fn(|_| Kept::default()),
                    });
                    self.devices.len() - 1
                }
            },
        };
        self.next = at + 1;
        if self.next == self.devices.len() {
            self.next = 0;
        }
        self.devices.get_mut(at)
    }

    /// Adds a row whose text is `text`; `quote` makes the quote of a value in it.
    fn add(&mut self, name: &str, row: &Row, quote: impl Fn(Spot) -> Quote) {
        let Some(device) = self.device(name) else { return };
        let measured = device.metrics.iter_mut().zip(&row.values).zip(&OCCASIONS);
        for (at, ((kept, value), occasion)) in measured.enumerate() {
            let value = *value;
            if value.is_nan() {
                continue;
            }
            if *occasion != at {
                // Without the count, a latency above zero shows that there was a request.
                let count = row.values.get(*occasion).copied().unwrap_or(f64::NAN);
                let shown = if count.is_nan() { value } else { count };
                if shown <= 0.0 {
                    continue;
                }
            }
            if kept.gather.add(value) {
                kept.quote = row.places.get(at).map(|place| quote(*place));
            }
        }
    }
}

/// What is read of a log: the first report apart from the rest.
struct Reading {
    first: Log,
    rest: Log,
    /// The reports since the last heading.
    report: u64,
    reports: u64,
    /// Whether the first report covers an interval too (`-y`).
    skips_boot: bool,
    /// What the last row looked like.
    shape: Shape,
    row: Row,
    name: String,
}

impl Reading {
    fn new(place: &Place<'_>) -> Self {
        Self {
            first: Log::default(),
            rest: Log::default(),
            report: 0,
            reports: 0,
            skips_boot: skips_boot(place),
            shape: Shape::default(),
            row: Row::new(),
            name: String::new(),
        }
    }

    /// The log that the report at hand belongs to.
    fn log(&mut self) -> &mut Log {
        log_of(&mut self.first, &mut self.rest, self.report, self.skips_boot)
    }

    /// Reads a row that stands in one line and has the fields of the row before, as nearly all have.
    /// Gives how long it is.
    fn row_of_shape(&mut self, file: source::FileId, text: &[u8], line: u32) -> Option<usize> {
        self.name.clear();
        self.row.clear();
        let length = self.shape.fits(text, line, &mut self.name, &mut self.row)?;
        let log = log_of(&mut self.first, &mut self.rest, self.report, self.skips_boot);
        log.add(&self.name, &self.row, |spot| {
            quote(file, text.get(..length).unwrap_or(text), spot)
        });
        Some(length)
    }

    fn finish(self, place: &mut Place<'_>, facts: &mut Facts, index: &mut Index) {
        if self.first.left_out || self.rest.left_out {
            place.tell_file(format_args!("more than {MOST} devices; the rest is left out"));
        }
        let measured =
            |log: &Log| !log.devices.is_empty() || log.cpu.iter().any(|kept| kept.gather.samples() > 0);
        let (log, window) = if measured(&self.rest) {
            (self.rest, Window::Intervals)
        } else {
            (self.first, Window::SinceBoot)
        };
        let [user, system, iowait, steal, idle] = log.cpu.map(|kept| sourced(kept, Percent));
        if idle.is_some() || user.is_some() {
            let new = CpuUse {
                window,
                user,
                system,
                iowait,
                steal,
                idle,
            };
            // Intervals say more than an average since boot.
            if facts.cpu_use.as_ref().is_none_or(|known| known.window < window) {
                facts.cpu_use = Some(new);
            }
        }
        let known: HashMap<Arc<str>, usize> = facts
            .io
            .iter()
            .enumerate()
            .map(|(at, io)| (Arc::clone(&io.name), at))
            .collect();
        for device in log.devices {
            let new = device_io(device, window);
            disk_of(facts, index, &new);
            match known.get(&new.name).and_then(|at| facts.io.get_mut(*at)) {
                Some(known) if known.window < window => *known = new,
                Some(_) => {}
                None => facts.io.push(new),
            }
        }
    }
}

/// The log that a report belongs to. When others follow, the first report says nothing any more.
fn log_of<'l>(first: &'l mut Log, rest: &'l mut Log, report: u64, skips_boot: bool) -> &'l mut Log {
    if report <= 1 && !skips_boot {
        return first;
    }
    if rest.devices.is_empty() && !first.devices.is_empty() {
        first.devices = Vec::new();
        first.index = HashMap::new();
    }
    rest
}

/// A device that only iostat named is a disk all the same.
fn disk_of(facts: &mut Facts, index: &mut Index, io: &DeviceIo) {
    if whole_disk(&io.name).is_some() || disk::Unreal::of_name(&io.name).is_some() || index.has_disk(&io.name)
    {
        return;
    }
    let series = [io.reads.as_ref(), io.transfers.as_ref()]
        .into_iter()
        .flatten()
        .next();
    let Some(quote) = series.and_then(|series| series.origin.quote()) else {
        return;
    };
    let named = Quote::new(quote.file, quote.line, &quote.text, &io.name);
    disk::add(
        facts,
        index,
        disk::DiskFacts {
            name: Some(Sourced::new(Arc::clone(&io.name), Origin::Probe(named))),
            ..Default::default()
        },
    );
}

fn sourced<T>(kept: Kept, unit: impl FnMut(f64) -> T) -> Fact<Series<T>> {
    kept.sourced(unit)
}

fn device_io(device: Device, window: Window) -> DeviceIo {
    let [
        reads,
        writes,
        discards,
        flushes,
        transfers,
        read_rate,
        write_rate,
        discard_rate,
        rate,
        reads_merged,
        writes_merged,
        read_wait,
        write_wait,
        discard_wait,
        flush_wait,
        wait,
        read_size,
        write_size,
        request_size,
        queue,
        busy,
    ] = device.metrics;
    let bytes = |size: f64| Bytes(size.round() as u64);
    DeviceIo {
        name: device.name,
        window,
        reads: sourced(reads, PerSecond),
        writes: sourced(writes, PerSecond),
        discards: sourced(discards, PerSecond),
        flushes: sourced(flushes, PerSecond),
        transfers: sourced(transfers, PerSecond),
        read_rate: sourced(read_rate, BytesPerSecond),
        write_rate: sourced(write_rate, BytesPerSecond),
        discard_rate: sourced(discard_rate, BytesPerSecond),
        rate: sourced(rate, BytesPerSecond),
        reads_merged: sourced(reads_merged, Percent),
        writes_merged: sourced(writes_merged, Percent),
        read_wait: sourced(read_wait, Millis),
        write_wait: sourced(write_wait, Millis),
        discard_wait: sourced(discard_wait, Millis),
        flush_wait: sourced(flush_wait, Millis),
        wait: sourced(wait, Millis),
        read_size: sourced(read_size, bytes),
        write_size: sourced(write_size, bytes),
        request_size: sourced(request_size, bytes),
        queue: sourced(queue, |length| length),
        busy: sourced(busy, Percent),
    }
}

/// Whether the log was made with `-y`, so that its first report is no average since boot:
/// by the command that made it, or by a name such as `iostat-y.json` or `iostat-xy.txt`.
fn skips_boot(place: &Place<'_>) -> bool {
    if let Some(command) = &place.command {
        return has_y(command);
    }
    let name = place.name.rsplit('/').next().unwrap_or("");
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        let letters = word.len() <= 6 && word.bytes().all(|letter| b"cdhkmpstxyzN".contains(&letter));
        let once = word
            .bytes()
            .enumerate()
            .all(|(at, letter)| word.bytes().take(at).all(|before| before != letter));
        word == "y" || (letters && once && word.contains('x') && word.contains('y'))
    })
}

/// Whether a command line has the flag `-y`, alone or among others.
fn has_y(command: &str) -> bool {
    command
        .split_ascii_whitespace()
        .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('y'))
}

/// A decimal number as iostat prints it.
fn decimal(digits: &[u8]) -> Option<f64> {
    match leading_decimal(digits) {
        Some((value, length)) if length == digits.len() => Some(value),
        _ => number::amount(std::str::from_utf8(digits).ok()?),
    }
}

/// Whether a value can be what its column says.
fn believed(metric: Metric, value: f64) -> bool {
    LIMITS.get(metric as usize).is_some_and(|limit| value <= *limit)
}

/// `iostat -o JSON`, with any other flags, of any length; several logs after one another too.
pub(crate) fn json(place: &mut Place<'_>, bytes: impl BufRead, facts: &mut Facts, index: &mut Index) {
    let mut reading = Reading::new(place);
    let mut pull = Pull::new(bytes);
    if let Err(stop) = json_logs(place, &mut pull, &mut reading) {
        let because = if stop.because == Stop::CUT {
            format!("the log is cut off here, after {} reports", reading.reports)
        } else {
            format!("{}; {} reports came before", stop.because, reading.reports)
        };
        place.tell(stop.line, None, because);
    }
    reading.finish(place, facts, index);
}

fn json_logs<R: BufRead>(
    place: &mut Place<'_>,
    pull: &mut Pull<R>,
    reading: &mut Reading,
) -> Result<(), Stop> {
    loop {
        match pull.next()? {
            Token::End => return Ok(()),
            Token::Key if pull.raw() == b"statistics" => {
                // Each host and each run has its own first report.
                reading.report = 0;
                let token = pull.next()?;
                if token == Token::Array {
                    json_reports(place, pull, reading)?;
                } else {
                    pull.skip(token)?;
                }
            }
            _ => {}
        }
    }
}

fn json_reports<R: BufRead>(
    place: &mut Place<'_>,
    pull: &mut Pull<R>,
    reading: &mut Reading,
) -> Result<(), Stop> {
    loop {
        match pull.next()? {
            Token::Object => {
                reading.report += 1;
                reading.reports += 1;
                json_report(place, pull, reading)?;
            }
            Token::ArrayEnd | Token::End => return Ok(()),
            token => pull.skip(token)?,
        }
    }
}

fn json_report<R: BufRead>(
    place: &mut Place<'_>,
    pull: &mut Pull<R>,
    reading: &mut Reading,
) -> Result<(), Stop> {
    loop {
        match pull.next()? {
            Token::Key => {
                let disks = pull.raw() == b"disk";
                let cpu = pull.raw() == b"avg-cpu";
                let token = pull.next()?;
                match token {
                    Token::Array if disks => json_disks(place, pull, reading)?,
                    Token::Object if cpu => json_cpu(place, pull, reading)?,
                    token => pull.skip(token)?,
                }
            }
            Token::ObjectEnd | Token::End => return Ok(()),
            token => pull.skip(token)?,
        }
    }
}

fn json_disks<R: BufRead>(
    place: &mut Place<'_>,
    pull: &mut Pull<R>,
    reading: &mut Reading,
) -> Result<(), Stop> {
    let file = place.file;
    let mut name = String::new();
    loop {
        match pull.next()? {
            Token::Object => {
                let line = pull.line();
                let mut length = reading.row_of_shape(file, pull.at_hand(), line);
                if length.is_none()
                    && let Some(text) = pull.flat_object()
                {
                    reading.shape = Shape::of(text);
                    length = reading.row_of_shape(file, text, line);
                }
                if let Some(length) = length {
                    pull.skip_flat_object(length);
                    continue;
                }
                name.clear();
                let mut row = Row::new();
                pull.mark();
                // A number that may go on behind a comma: where it stands, and what it is.
                let mut whole: Option<(u64, u64, Metric, f64)> = None;
                loop {
                    match pull.next()? {
                        Token::ObjectEnd => break,
                        Token::Key => {}
                        Token::Number => {
                            // With a decimal comma, `1,23` reads as two numbers.
                            let (start, end) = pull.range();
                            let base = pull.mark_start();
                            if let Some((first, behind, metric, unit)) = whole.take() {
                                let at = |offset: u64| (offset - base) as usize;
                                let text = pull.marked().get(at(first)..at(end)).unwrap_or(&[]);
                                let value = decimal(text).map(|value| value * unit);
                                if let Some(value) = value.filter(|_| behind + 1 == start) {
                                    row.set(metric, value, (pull.line(), at(first) as u32, at(end) as u32));
                                }
                            }
                            continue;
                        }
                        token => {
                            pull.skip(token)?;
                            continue;
                        }
                    }
                    let known = column(pull.raw());
                    let device = pull.raw() == b"disk_device";
                    let token = pull.next()?;
                    match (token, known) {
                        (Token::Text, None) if device => name.push_str(&pull.text()),
                        // With a decimal comma the number is no JSON number, but a string in some versions.
                        (Token::Number | Token::Text, Some((metric, unit))) => {
                            let value = decimal(pull.raw()).map(|value| value * unit);
                            match value.filter(|value| believed(metric, *value)) {
                                Some(value) => {
                                    let (start, end) = pull.range();
                                    let base = pull.mark_start();
                                    let at = |offset: u64| (offset - base) as u32;
                                    row.set(metric, value, (pull.line(), at(start), at(end)));
                                    whole = Some((start, end, metric, unit));
                                }
                                None => {
                                    let text = crate::json::shorten(&pull.text());
                                    place.tell(
                                        pull.line(),
                                        None,
                                        format_args!("{name}: {text} cannot be what iostat measured"),
                                    );
                                }
                            }
                        }
                        (token, _) => pull.skip(token)?,
                    }
                    if pull.mark_is_too_long() {
                        pull.unmark();
                        return Err(Stop {
                            line: pull.line(),
                            because: "a device's figures take more than 4 MiB",
                        });
                    }
                }
                if !name.is_empty() {
                    let text = pull.marked();
                    reading.log().add(&name, &row, |spot| quote(file, text, spot));
                }
                pull.unmark();
            }
            Token::ArrayEnd | Token::End => return Ok(()),
            token => pull.skip(token)?,
        }
    }
}

/// The fields of a row that stands in one line, as its letters between the values:
/// most rows are the row before with other numbers.
#[derive(Default)]
struct Shape {
    fields: Vec<(Box<[u8]>, Field)>,
}

/// What stands in a field.
#[derive(Clone, Copy)]
enum Field {
    Name,
    Value(Metric, f64),
    Other,
}

/// The letters of a string or number that starts here.
fn value_end(text: &[u8], start: usize, quoted: bool) -> Option<usize> {
    let rest = text.get(start..)?;
    let end = if quoted {
        memchr::memchr2(b'"', b'\\', rest).filter(|at| rest.get(*at) == Some(&b'"'))?
    } else {
        rest.iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-'))?
    };
    Some(start + end)
}

impl Shape {
    /// The shape of an object of strings and numbers alone; that of any other fits nothing.
    fn of(text: &[u8]) -> Self {
        let mut fields = Vec::new();
        let mut at = 0;
        while fields.len() < 64 {
            let field = (|| {
                let key = memchr::memchr(b'"', text.get(at..)?)? + at + 1;
                // The mark that closes a string value stands before the next key.
                let key = match fields.last() {
                    Some((_, Field::Name)) => memchr::memchr(b'"', text.get(key..)?)? + key + 1,
                    _ => key,
                };
                let key_end = value_end(text, key, true)?;
                let colon = text
                    .get(key_end + 1)
                    .filter(|byte| **byte == b':')
                    .map(|_| key_end + 2)?;
                let blanks = text
                    .get(colon..)?
                    .iter()
                    .take_while(|byte| **byte == b' ')
                    .count();
                let quoted = text.get(colon + blanks) == Some(&b'"');
                let start = colon + blanks + usize::from(quoted);
                let end = value_end(text, start, quoted)?;
                let name = text.get(key..key_end)?;
                let field = match column(name) {
                    _ if name == b"disk_device" && quoted => Field::Name,
                    Some((metric, unit)) if !quoted => Field::Value(metric, unit),
                    None if !quoted => Field::Other,
                    _ => return None,
                };
                Some((Box::from(text.get(at..start)?), field, end))
            })();
            let Some((between, field, end)) = field else { break };
            fields.push((between, field));
            at = end;
        }
        // What is left must be the closing bracket, else something was not understood.
        if text.get(at..) != Some(b"}") {
            fields.clear();
        }
        Self { fields }
    }

    /// Reads a row of this shape, which may be followed by anything, and gives its length.
    /// `None` if it has another, or a value that cannot be: then the tokens tell.
    fn fits(&self, text: &[u8], line: u32, name: &mut String, row: &mut Row) -> Option<usize> {
        let mut rest = text;
        for (between, field) in &self.fields {
            rest = rest.strip_prefix(&**between)?;
            let start = text.len() - rest.len();
            let length = match field {
                Field::Name => {
                    let length = value_end(rest, 0, true)?;
                    name.push_str(std::str::from_utf8(rest.get(..length)?).ok()?);
                    length
                }
                Field::Other => value_end(rest, 0, false)?,
                Field::Value(metric, unit) => {
                    let (value, length) = leading_decimal(rest)?;
                    let value = value * unit;
                    if !believed(*metric, value) {
                        return None;
                    }
                    row.set(*metric, value, (line, start as u32, (start + length) as u32));
                    length
                }
            };
            rest = rest.get(length..)?;
        }
        let closed = !self.fields.is_empty() && rest.first() == Some(&b'}') && !name.is_empty();
        closed.then_some(text.len() - rest.len() + 1)
    }
}

/// Quotes the line of a value in a device's text, which may be spread over several lines.
fn quote(file: source::FileId, text: &[u8], (line, start, end): Spot) -> Quote {
    let (start, end) = (start as usize, end as usize);
    let before = text.get(..start).unwrap_or(&[]);
    let from = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let after = text.get(end..).unwrap_or(&[]);
    let to = memchr::memchr(b'\n', after).map_or(text.len(), |at| end + at);
    let shown = String::from_utf8_lossy(text.get(from..to).unwrap_or(&[]));
    let trimmed = shown.trim_start();
    let indent = shown.len() - trimmed.len();
    let at = |offset: usize| offset.saturating_sub(from + indent);
    Quote::at(file, line, trimmed, at(start)..at(end))
}

fn json_cpu<R: BufRead>(
    place: &mut Place<'_>,
    pull: &mut Pull<R>,
    reading: &mut Reading,
) -> Result<(), Stop> {
    pull.mark();
    let mut found: [Option<(f64, Spot)>; CPU.len()] = [None; CPU.len()];
    loop {
        match pull.next()? {
            Token::ObjectEnd => break,
            Token::Key => {}
            token => {
                pull.skip(token)?;
                continue;
            }
        }
        let known = CPU.iter().position(|name| *name == pull.raw());
        let token = pull.next()?;
        if let (Token::Number, Some(slot)) = (token, known.and_then(|at| found.get_mut(at))) {
            if let Some(share) = decimal(pull.raw()).filter(|share| *share <= 100.01) {
                let (start, end) = pull.range();
                let base = pull.mark_start();
                *slot = Some((share, (pull.line(), (start - base) as u32, (end - base) as u32)));
            }
        } else {
            pull.skip(token)?;
        }
    }
    let (file, text) = (place.file, pull.marked());
    for (kept, found) in reading.log().cpu.iter_mut().zip(found) {
        if let Some((share, spot)) = found
            && kept.gather.add(share)
        {
            kept.quote = Some(quote(file, text, spot));
        }
    }
    pull.unmark();
    Ok(())
}

/// Whether a line heads the devices of iostat's text output.
pub(crate) fn is_header(line: &str) -> bool {
    if !line.starts_with("Device") && !line.trim_end().ends_with(" Device") {
        return false;
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let names = match words.as_slice() {
        ["Device" | "Device:", names @ ..] => names,
        [names @ .., "Device"] => names,
        _ => return false,
    };
    names.len() >= 2 && names.iter().any(|name| column(name.as_bytes()).is_some())
}

/// The columns of a table in the text output.
#[derive(Default)]
struct Table {
    /// The line that heads it.
    header: String,
    columns: Vec<Option<(Metric, f64)>>,
    /// With `-h` the device's name stands at the end of the row.
    name_last: bool,
}

impl Table {
    fn of(header: &str) -> Self {
        let name_last = !header.starts_with("Device");
        let columns = header
            .split_ascii_whitespace()
            .skip(usize::from(!name_last))
            .filter(|name| *name != "Device")
            .map(|name| column(name.as_bytes()))
            .collect();
        Self {
            header: header.to_owned(),
            columns,
            name_last,
        }
    }
}

/// iostat's text output, with any flags, of any length, of old and new versions.
pub(crate) fn text(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts, index: &mut Index) {
    let mut reading = Reading::new(place);
    // The last table: all reports of a run have the same one, which ends at an empty line.
    let mut table = Table::default();
    let mut in_table = false;
    let mut cpu_header = String::new();
    let mut cpu_columns: Vec<Option<usize>> = Vec::new();
    let mut cpu_next = false;
    // A report begins with the processors if they are listed, else with the first table of the run.
    let mut cpu_began = false;
    let mut first_header: Option<String> = None;
    while let Some(line) = lines.next() {
        if in_table && !table.name_last && plain_row(&line, &table.columns, &mut reading) {
            continue;
        }
        let first = line.text.split_ascii_whitespace().next().unwrap_or("");
        match first {
            "" => {
                in_table = false;
                cpu_next = false;
            }
            // `Linux 6.18.44 (host)  11/21/26  _x86_64_  (2 CPU)` heads a run.
            "Linux" => {
                reading.report = 0;
                cpu_began = false;
                first_header = None;
                in_table = false;
            }
            "avg-cpu:" => {
                reading.report += 1;
                reading.reports += 1;
                cpu_began = true;
                if cpu_header != line.text {
                    line.text.clone_into(&mut cpu_header);
                    cpu_columns = line
                        .text
                        .split_ascii_whitespace()
                        .skip(1)
                        .map(|name| {
                            let name = name.trim_start_matches('%').as_bytes();
                            CPU.iter().position(|known| *known == name)
                        })
                        .collect();
                }
                cpu_next = true;
                in_table = false;
            }
            _ if table.header == line.text || is_header(line.text) => {
                if first_header.is_none() {
                    first_header = Some(line.text.to_owned());
                }
                if !cpu_began && first_header.as_deref() == Some(line.text) {
                    reading.report += 1;
                    reading.reports += 1;
                }
                if table.header != line.text {
                    table = Table::of(line.text);
                }
                in_table = true;
                cpu_next = false;
            }
            _ if first.ends_with(['$', '#']) && line.text.contains("iostat") => {
                reading.skips_boot |= has_y(line.text);
            }
            _ => {
                if in_table {
                    text_row(place, &line, &table, &mut reading);
                } else if cpu_next {
                    cpu_next = false;
                    text_cpu(&line, &cpu_columns, &mut reading);
                }
            }
        }
    }
    reading.finish(place, facts, index);
}

/// Reads a row whose figures are all plain numbers that can be, as nearly all rows are.
/// False if it is another line; then nothing was read of it.
fn plain_row(line: &Line<'_>, columns: &[Option<(Metric, f64)>], reading: &mut Reading) -> bool {
    reading.row.clear();
    let Some(name_end) = plain_figures(line, columns, &mut reading.row) else {
        return false;
    };
    let name = line.text.get(..name_end).unwrap_or("").trim_end_matches(':');
    let log = log_of(
        &mut reading.first,
        &mut reading.rest,
        reading.report,
        reading.skips_boot,
    );
    log.add(name, &reading.row, |(_, start, end)| {
        Quote::at(line.file, line.no, line.text, start as usize..end as usize)
    });
    true
}

/// The figures of such a row; where its name ends.
fn plain_figures(line: &Line<'_>, columns: &[Option<(Metric, f64)>], row: &mut Row) -> Option<usize> {
    let text = line.text.as_bytes();
    let name_end = text.iter().position(|byte| *byte == b' ')?;
    let mut at = name_end;
    for known in columns {
        let blanks = text.get(at..)?.iter().take_while(|byte| **byte == b' ').count();
        let start = at + blanks;
        let (value, length) = leading_decimal(text.get(start..)?)?;
        at = start + length;
        if blanks == 0 {
            return None;
        }
        if let Some((metric, unit)) = known {
            let value = Some(value * unit).filter(|value| believed(*metric, *value))?;
            row.set(*metric, value, (line.no, start as u32, at as u32));
        }
    }
    (name_end > 0 && at == text.len()).then_some(name_end)
}

fn text_row(place: &mut Place<'_>, line: &Line<'_>, table: &Table, reading: &mut Reading) {
    let text = line.text.trim_end();
    let (name, figures) = if table.name_last {
        text.rsplit_once(' ')
            .map_or(("", text), |(figures, name)| (name, figures))
    } else {
        let text = text.trim_start();
        text.split_once([' ', '\t']).unwrap_or((text, ""))
    };
    let mut row = Row::new();
    let mut words = figures.split_ascii_whitespace();
    let mut count = 0;
    for (word, known) in words.by_ref().zip(&table.columns) {
        count += 1;
        let Some((metric, unit)) = known else { continue };
        let value = text_value(word, *unit).filter(|value| believed(*metric, *value));
        match value {
            Some(value) => {
                let start = (word.as_ptr() as usize).wrapping_sub(line.text.as_ptr() as usize);
                row.set(
                    *metric,
                    value,
                    (line.no, start as u32, (start + word.len()) as u32),
                );
            }
            None => place.warn(
                line,
                word,
                format_args!("{name}: {word} cannot be what iostat measured"),
            ),
        }
    }
    if count < table.columns.len() || words.next().is_some() {
        // The last row of a log that was cut off, or a line that is no row.
        place.warn(line, line.text, "not a whole row of iostat");
        return;
    }
    let name = name.trim_end_matches(':');
    reading.log().add(name, &row, |(_, start, end)| {
        Quote::at(line.file, line.no, line.text, start as usize..end as usize)
    });
}

/// A figure in base units. With `-h` sizes carry their own units (`8.1k`) and shares their sign.
fn text_value(word: &str, unit: f64) -> Option<f64> {
    let bare = word.strip_suffix('%').unwrap_or(word);
    if let Some(value) = decimal(bare.as_bytes()) {
        return Some(value * unit);
    }
    word.ends_with(['k', 'M', 'G', 'T', 'P'])
        .then(|| number::size(word))
        .flatten()
        .map(|bytes| bytes.0 as f64)
}

fn text_cpu(line: &Line<'_>, columns: &[Option<usize>], reading: &mut Reading) {
    let log = reading.log();
    for (word, known) in line.text.split_ascii_whitespace().zip(columns) {
        let kept = known.and_then(|at| log.cpu.get_mut(at));
        let share = text_value(word, 1.0).filter(|share| *share <= 100.01);
        if let (Some(kept), Some(share)) = (kept, share)
            && kept.gather.add(share)
        {
            kept.quote = Some(line.quote(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_the_nearest_float() {
        for text in [
            "0",
            "0.00",
            "12.34",
            "2800.17",
            "999999999.99",
            "0,50",
            "184467440737095.51",
            "12345678901234567890.5",
        ] {
            let plain = text.replace(',', ".").parse::<f64>().unwrap();
            assert_eq!(decimal(text.as_bytes()), Some(plain), "{text}");
        }
        for text in ["", ".", "-1", "1.2.3", "nan", "-nan", "1e5", "inf"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_flag_y_is_found_where_it_was_written() {
        assert!(has_y("iostat -xzy 1 5") && has_y("iostat -x -y -o JSON 1"));
        assert!(!has_y("iostat -x --pretty 1"));
    }
}
