//! `arc_summary` and `arcstat`, and `zarcsummary` and `zarcstat` as OpenZFS 2.4 calls them.
//!
//! Both print `/proc/spl/kstat/zfs/arcstats`, rounded; where that file is at hand it says more.

use std::collections::BTreeMap;
use std::sync::Arc;

use source::{Bytes, PerSecond, Percent, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::number;
use crate::series::{Kept, Series};

/// What `arc_summary` tells of OpenZFS's cache. Shares cover all the time since the module was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArcSummary {
    /// How large the cache is. It is given back under pressure, so it is not memory in use.
    pub size: Fact<Bytes>,
    /// How large it wants to be.
    pub target: Fact<Bytes>,
    /// How small it may become.
    pub min: Fact<Bytes>,
    /// How large it may become.
    pub max: Fact<Bytes>,
    /// `HEALTHY`, or `THROTTLED` where allocations had to wait for the cache.
    pub health: Fact<Arc<str>>,
    /// Hits as a share of all accesses.
    pub hits: Fact<Percent>,
    /// Hits as a share of what programs asked for: data.
    pub demand_data_hits: Fact<Percent>,
    /// Hits as a share of what programs asked for: metadata.
    pub demand_metadata_hits: Fact<Percent>,
    /// How large the second level is; nothing where there is none.
    pub l2_size: Fact<Bytes>,
    /// Hits as a share of what the second level was asked for.
    pub l2_hits: Fact<Percent>,
    /// The module's parameters, where they were asked for: `zfs_arc_max`.
    pub tunables: BTreeMap<Arc<str>, Sourced<Arc<str>>>,
}

/// What `arcstat` measured, interval by interval.
///
/// The first line of a run covers either all the time since boot or hardly any, depending on the version;
/// its rates and shares are left out. Shares count only the intervals in which there was something to hit.
#[derive(Clone, Debug, PartialEq)]
pub struct ArcSamples {
    /// `read`: accesses of the cache.
    pub accesses: Fact<Series<PerSecond>>,
    /// `miss`
    pub misses: Fact<Series<PerSecond>>,
    /// `hit%`, or 100 less `miss%`.
    pub hits: Fact<Series<Percent>>,
    /// `ddh%`: of data that programs asked for.
    pub demand_data_hits: Fact<Series<Percent>>,
    /// `dmh%`: of metadata that programs asked for.
    pub demand_metadata_hits: Fact<Series<Percent>>,
    /// `ph%`: of what was prefetched.
    pub prefetch_hits: Fact<Series<Percent>>,
    /// `size` or `arcsz`: how large the cache is.
    pub size: Fact<Series<Bytes>>,
    /// `c`: how large it wants to be.
    pub target: Fact<Series<Bytes>>,
    /// `avail`: memory that it could still take; below nothing it shrinks, which is shown as nothing here.
    pub available: Fact<Series<Bytes>>,
    /// `l2read`
    pub l2_accesses: Fact<Series<PerSecond>>,
    /// `l2hit%`
    pub l2_hits: Fact<Series<Percent>>,
}

/// Whether a line is the title of `arc_summary`.
pub(crate) fn is_summary(line: &str) -> bool {
    line.starts_with("ZFS Subsystem Report")
        || line.starts_with("ARC size (current):")
        || line.starts_with("ARC Size:")
}

/// Whether a line heads `arcstat`.
pub(crate) fn is_arcstat_header(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let has = |name: &str| words.contains(&name);
    words
        .first()
        .is_some_and(|first| matches!(*first, "time" | "Time"))
        && has("read")
        && (has("size") || has("arcsz") || has("c") || has("ph%"))
}

/// `arc_summary` with any sections, of OpenZFS 0.7 and later.
pub(crate) fn summary(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut arc = ArcSummary::default();
    let mut section = String::new();
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if let Some((name, value)) = tunable(line.text)
            .filter(|_| section.starts_with("Tunables") || section.starts_with("ZFS Tunable"))
        {
            if arc.tunables.len() < 10_000 {
                arc.tunables.insert(Arc::from(name), line.text_at(value));
            }
            continue;
        }
        let Some((name, value)) = text.split_once(':').filter(|_| !text.starts_with('-')) else {
            continue;
        };
        // `Target Size: (Adaptive)  100.00%  7.83 GiB` of the old report.
        let (name, value) = match value
            .trim_start()
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
        {
            Some((_, rest)) => (name, rest),
            None => (name, value),
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if !line.text.starts_with([' ', '\t']) {
            section = text.to_owned();
        }
        let of_l2 = section.starts_with("L2ARC") || section.starts_with("L2 ARC");
        let name = name.split(" (").next().unwrap_or("");
        match name {
            "arc status" | "arc summary" => {
                let health = value.trim_matches(['(', ')']);
                arc.health = (!health.is_empty()).then(|| line.text_at(health));
            }
            // Renamed in OpenZFS 2.3.
            "arc size" => arc.size = bytes(place, &line, value),
            "current size" if section.starts_with("ARC status") => arc.size = bytes(place, &line, value),
            "min target size" => arc.min = bytes(place, &line, value),
            "max target size" => arc.max = bytes(place, &line, value),
            "target size" if !of_l2 => arc.target = bytes(place, &line, value),
            "min size" => arc.min = bytes(place, &line, value),
            "max size" => arc.max = bytes(place, &line, value),
            "total hits" | "cache hit ratio" if !of_l2 => arc.hits = share(place, &line, value),
            "demand data hits" | "data demand efficiency" => {
                arc.demand_data_hits = share(place, &line, value)
            }
            "demand metadata hits" => arc.demand_metadata_hits = share(place, &line, value),
            "l2arc size" | "l2 arc size" => arc.l2_size = bytes(place, &line, value),
            "hit ratio" if of_l2 => arc.l2_hits = share(place, &line, value),
            _ => {}
        }
    }
    if facts.arc_summary.is_none() {
        facts.arc_summary = Some(arc);
    }
}

/// A row of the parameters: `zfs_arc_max    0`, or `zfs_arc_max=0` with `-a`.
fn tunable(line: &str) -> Option<(&str, &str)> {
    let text = line.trim();
    let at = text.find(|c: char| c == '=' || c.is_whitespace())?;
    let (name, value) = text.split_at_checked(at)?;
    let value = value.trim_start_matches(|c: char| c == '=' || c.is_whitespace());
    let named = line.starts_with([' ', '\t'])
        && name.contains('_')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (named && !value.is_empty()).then_some((name, value))
}

/// The size at the end of a row: `14.2 %  106.5 MiB`, `0 Bytes`, `7.22    GiB`.
fn bytes(place: &mut Place<'_>, line: &Line<'_>, value: &str) -> Fact<Bytes> {
    let (rest, unit) = value.rsplit_once(char::is_whitespace)?;
    let figure = rest.split_ascii_whitespace().next_back()?;
    let unit = unit.strip_suffix("ytes").unwrap_or(unit);
    let size = number::size(&format!("{figure}{unit}"));
    if size.is_none() {
        place.warn(line, value, "not a size in range");
    }
    Some(line.sourced(size?, figure))
}

/// The share at the front of a row: `99.9 %`, `95.11%`, `< 0.1 %`.
fn share(place: &mut Place<'_>, line: &Line<'_>, value: &str) -> Fact<Percent> {
    // `n/a` where there was nothing.
    let (figure, _) = value.split_once('%')?;
    let figure = figure.trim_start_matches('<').trim();
    let share = number::percent(figure).filter(|share| *share <= 100.0);
    if share.is_none() {
        place.warn(line, value, "not a share");
    }
    Some(line.sourced(Percent(share?), figure))
}

/// A column of arcstat, in the order of [`ArcSamples`].
fn column(name: &str) -> Option<usize> {
    Some(match name {
        "read" => 0,
        "miss" => 1,
        "hit%" => 2,
        "ddh%" => 3,
        "dmh%" => 4,
        "ph%" => 5,
        "size" | "arcsz" => 6,
        "c" => 7,
        "avail" => 8,
        "l2read" => 9,
        "l2hit%" => 10,
        _ => return None,
    })
}

const COLUMNS: usize = 11;

/// A figure of arcstat: counts are shortened in powers of 1000, sizes in powers of 1024, unless `-p`.
fn figure(at: usize, word: &str) -> Option<f64> {
    match at {
        2..=5 | 10 => number::percent(word).filter(|share| *share <= 100.0),
        6..=8 => {
            // Memory that is short is a negative number.
            if at == 8
                && word
                    .strip_prefix('-')
                    .is_some_and(|rest| number::size(rest).is_some())
            {
                return Some(0.0);
            }
            number::size(word).map(|size| size.0 as f64)
        }
        _ => {
            let bare = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let factor = match word.get(bare.len()..)? {
                "" => 1.0,
                "K" | "k" => 1e3,
                "M" | "m" => 1e6,
                "G" | "g" => 1e9,
                _ => return None,
            };
            number::amount(bare)
                .map(|count| count * factor)
                .filter(|rate| *rate <= 1e12)
        }
    }
}

/// `arcstat`, of any length.
pub(crate) fn arcstat(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut columns: Vec<Option<usize>> = Vec::new();
    let mut miss_share = None;
    // Where the counts stand that the shares are of.
    let mut occasions: [Option<usize>; COLUMNS] = [None; COLUMNS];
    let mut kept: [Kept; COLUMNS] = Default::default();
    let mut rows = 0_u64;
    while let Some(line) = lines.next() {
        let text = line.text;
        if text.contains("arcstat") {
            rows = 0;
            continue;
        }
        if is_arcstat_header(text) {
            columns = text.split_ascii_whitespace().map(column).collect();
            let place = |wanted: &str| text.split_ascii_whitespace().position(|name| name == wanted);
            miss_share = place("miss%");
            let (read, l2) = (place("read"), place("l2read"));
            occasions = [None; COLUMNS];
            for (column, count) in [
                (2, read),
                (3, place("ddread")),
                (4, place("dmread")),
                (5, place("pread")),
                (10, l2),
            ] {
                if let Some(slot) = occasions.get_mut(column) {
                    *slot = count;
                }
            }
            continue;
        }
        if columns.is_empty() || !text.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if words.len() != columns.len() {
            place.warn(&line, text, "not a whole row of arcstat");
            continue;
        }
        rows += 1;
        // A share of nothing is printed as 0, and is none.
        let idle = |column: usize| {
            let count = occasions
                .get(column)
                .copied()
                .flatten()
                .and_then(|at| words.get(at));
            // `0`, and since OpenZFS 2.3 `0.0`.
            count.is_some_and(|count| number::amount(count) == Some(0.0))
        };
        for (at, (word, known)) in words.iter().copied().zip(&columns).enumerate() {
            if miss_share == Some(at) {
                let share = number::percent(word).filter(|share| *share <= 100.0);
                if let (Some(share), true, Some(kept)) = (share, rows > 1 && !idle(2), kept.get_mut(2)) {
                    kept.add(&line, word, 100.0 - share);
                }
                continue;
            }
            let Some((known, kept)) = known.and_then(|known| Some((known, kept.get_mut(known)?))) else {
                continue;
            };
            match figure(known, word) {
                // A size is what it is at any moment.
                Some(value) if (6..=8).contains(&known) || (rows > 1 && !idle(known)) => {
                    kept.add(&line, word, value)
                }
                Some(_) => {}
                None => place.warn(
                    &line,
                    word,
                    format_args!("{word} cannot be what arcstat measured"),
                ),
            }
        }
    }
    if rows == 0 || facts.arc_samples.is_some() {
        return;
    }
    let [
        accesses,
        misses,
        hits,
        data,
        metadata,
        prefetch,
        size,
        target,
        available,
        l2,
        l2_hits,
    ] = kept;
    let bytes = |kept: Kept| kept.sourced(|size| Bytes(size.round() as u64));
    facts.arc_samples = Some(ArcSamples {
        accesses: accesses.sourced(PerSecond),
        misses: misses.sourced(PerSecond),
        hits: hits.sourced(Percent),
        demand_data_hits: data.sourced(Percent),
        demand_metadata_hits: metadata.sourced(Percent),
        prefetch_hits: prefetch.sourced(Percent),
        size: bytes(size),
        target: bytes(target),
        available: bytes(available),
        l2_accesses: l2.sourced(PerSecond),
        l2_hits: l2_hits.sourced(Percent),
    });
}
