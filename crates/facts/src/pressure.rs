//! Pressure stall information: `/proc/pressure/{io,memory,cpu,irq}`.
//!
//! Format: <https://docs.kernel.org/accounting/psi.html>.

use source::{Percent, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::number;

/// The pressure on each resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pressures {
    /// Tasks that waited for a disk.
    pub io: Option<Pressure>,
    /// Tasks that waited for memory.
    pub memory: Option<Pressure>,
    /// Tasks that waited for a processor.
    pub cpu: Option<Pressure>,
    /// Time that went to interrupts.
    pub irq: Option<Pressure>,
}

/// The pressure on one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pressure {
    /// At least one task stalled.
    pub some: Option<Stall>,
    /// All tasks that were not idle stalled at once. Means nothing for `cpu` as a whole machine.
    pub full: Option<Stall>,
}

/// How much of the time was lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Stall {
    /// In the last ten seconds.
    pub avg10: Sourced<Percent>,
    /// In the last minute.
    pub avg60: Sourced<Percent>,
    /// In the last five minutes.
    pub avg300: Sourced<Percent>,
    /// Since boot, in microseconds.
    pub total: Fact<u64>,
    /// Between two samples of the file, when both were given and the time between them is known.
    pub interval: Fact<Percent>,
}

/// Which resource a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `/proc/pressure/io`
    Io,
    /// `/proc/pressure/memory`
    Memory,
    /// `/proc/pressure/cpu`
    Cpu,
    /// `/proc/pressure/irq`
    Irq,
}

impl Resource {
    /// The resource that a path names: `psi-io`, `/proc/pressure/memory`, `pressure-cpu-60s-later`.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        name.split(|c: char| !c.is_ascii_alphanumeric())
            .find_map(|word| match word {
                "io" => Some(Self::Io),
                "memory" | "mem" => Some(Self::Memory),
                "cpu" => Some(Self::Cpu),
                "irq" => Some(Self::Irq),
                _ => None,
            })
    }
}

/// A pressure file, or several with their paths in front of each line as `grep . /proc/pressure/*` gives.
/// `seconds` is the time since the first sample, if the file's name tells it.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts, seconds: Option<f64>) {
    let of_name = Resource::of_path(&place.name);
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if text.is_empty() {
            continue;
        }
        let (path, row) = match text.split_once(':') {
            Some((path, row)) if row.contains("avg10=") => (Some(path), row),
            _ => (None, text),
        };
        let resource = path.and_then(Resource::of_path).or(of_name);
        let Some(resource) = resource else {
            place.warn(
                &line,
                text,
                "pressure on what? Name the file `psi-io`, `psi-memory` or `psi-cpu`",
            );
            return;
        };
        let Some((full, new)) = stall(place, &line, row.trim()) else {
            continue;
        };
        let slot = match resource {
            Resource::Io => &mut facts.pressure.io,
            Resource::Memory => &mut facts.pressure.memory,
            Resource::Cpu => &mut facts.pressure.cpu,
            Resource::Irq => &mut facts.pressure.irq,
        };
        let pressure = slot.get_or_insert_default();
        let slot = if full {
            &mut pressure.full
        } else {
            &mut pressure.some
        };
        *slot = Some(match slot.take() {
            None => new,
            Some(known) => later(known, new, seconds),
        });
    }
}

/// Two samples: the later one's averages, and what the counters say of the time between.
fn later(a: Stall, b: Stall, seconds: Option<f64>) -> Stall {
    let count = |stall: &Stall| stall.total.as_ref().map_or(0, |total| total.value);
    let (first, mut last) = if count(&a) <= count(&b) { (a, b) } else { (b, a) };
    let (Some(from), Some(to)) = (&first.total, &last.total) else {
        return last;
    };
    if let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) {
        let lost = to.value.saturating_sub(from.value) as f64 / 1e6;
        let share = Percent((100.0 * lost / seconds).min(100.0));
        let origin = source::Origin::derived([from.origin.clone(), to.origin.clone()]);
        last.interval = Some(Sourced::new(share, origin));
    }
    last
}

/// A row, and whether it is the `full` one.
fn stall(place: &mut Place<'_>, line: &Line<'_>, row: &str) -> Option<(bool, Stall)> {
    let mut fields = row.split_ascii_whitespace();
    let full = match fields.next()? {
        "some" => false,
        "full" => true,
        _ => {
            place.warn(line, row, "not a row of pressure stall information");
            return None;
        }
    };
    let (mut averages, mut total) = ([None, None, None], None);
    for field in fields {
        let Some((name, text)) = field.split_once('=') else {
            continue;
        };
        let slot = match name {
            "avg10" => averages.first_mut(),
            "avg60" => averages.get_mut(1),
            "avg300" => averages.get_mut(2),
            "total" => {
                total = number::whole(text).map(|count| line.sourced(count, text));
                continue;
            }
            _ => continue,
        };
        let share = number::amount(text).filter(|share| *share <= 100.0);
        if let (Some(slot), Some(share)) = (slot, share) {
            *slot = Some(line.sourced(Percent(share), field));
        } else {
            place.warn(line, field, format_args!("{field} is not a share of the time"));
        }
    }
    match averages {
        [Some(avg10), Some(avg60), Some(avg300)] => Some((
            full,
            Stall {
                avg10,
                avg60,
                avg300,
                total,
                interval: None,
            },
        )),
        _ => {
            place.warn(
                line,
                row,
                "a row of pressure stall information without its averages",
            );
            None
        }
    }
}
