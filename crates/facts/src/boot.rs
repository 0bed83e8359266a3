//! `systemd-analyze blame`: what each unit took to start.

use std::sync::Arc;

use source::{Millis, Sourced};

use crate::facts::Facts;
use crate::input::{Lines, Place};
use crate::number;

/// A unit that was started. Units start beside one another, so the times do not add up to the boot's.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitTime {
    /// The unit: `dev-nvme0n1p2.device`, `zfs-import-cache.service`.
    pub unit: Sourced<Arc<str>>,
    /// From its start to its being up.
    pub time: Sourced<Millis>,
}

/// A time as systemd writes it, and the unit behind it: `1min 2.345s foo.service`, `345ms x.mount`.
fn row(line: &str) -> Option<(f64, &str, &str)> {
    let text = line.trim();
    let (time, unit) = text.rsplit_once(' ')?;
    const KINDS: &[&str] = &[
        ".service",
        ".device",
        ".mount",
        ".socket",
        ".target",
        ".swap",
        ".timer",
        ".path",
        ".automount",
        ".scope",
        ".slice",
    ];
    if !KINDS.iter().any(|kind| unit.ends_with(kind)) {
        return None;
    }
    let mut millis = 0.0;
    for word in time.split_ascii_whitespace() {
        let at = word.find(|c: char| c.is_ascii_alphabetic())?;
        let (figure, name) = word.split_at_checked(at)?;
        let factor = match name {
            "us" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            "min" => 60e3,
            "h" => 3600e3,
            "d" => 86_400e3,
            _ => return None,
        };
        millis += number::amount(figure)? * factor;
    }
    Some((millis, time.trim(), unit)).filter(|(millis, ..)| millis.is_finite())
}

/// Whether a line is one of `systemd-analyze blame`.
pub(crate) fn is(line: &str) -> bool {
    row(line).is_some()
}

/// The most units that are kept.
const MOST: usize = 100_000;

pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    while let Some(line) = lines.next() {
        let Some((millis, time, unit)) = row(line.text) else {
            continue;
        };
        if facts.unit_times.len() >= MOST {
            place.tell_file("more than 100000 units; the rest is left out");
            return;
        }
        // A boot of a month is none.
        if millis > 2.6e9 {
            place.warn(&line, time, "not a time that a unit takes");
            continue;
        }
        facts.unit_times.push(UnitTime {
            unit: line.text_at(unit),
            time: line.sourced(Millis(millis), time),
        });
    }
}
