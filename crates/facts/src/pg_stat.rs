//! PostgreSQL's `pg_stat_*` views, as CSV with a header or as JSON.
//!
//! Columns as the chapter "The Cumulative Statistics System" of PostgreSQL's manual names them.

use std::collections::BTreeMap;
use std::sync::Arc;

use source::{Origin, PerSecond, Ratio, Sourced};

use crate::facts::Facts;
use crate::input::{Lines, Place};
use crate::io::Window;
use crate::json::{Doc, Json};
use crate::number;
use crate::settings::csv;

/// A row of a view: all that it counts, once or twice.
///
/// Read once the counters cover the time since they were reset, mostly since the cluster was made;
/// read twice, the time between.
#[derive(Clone, Debug, PartialEq)]
pub struct PgStat {
    /// The view, as its columns tell it: `pg_stat_bgwriter`.
    pub view: &'static str,
    /// What the row is of: a database, a table, `client backend relation normal`.
    /// Empty in views of one row.
    pub key: Arc<str>,
    /// The later sample's numbers by column.
    pub values: BTreeMap<Arc<str>, Sourced<f64>>,
    /// The earlier sample's, if there are two.
    pub before: Option<BTreeMap<Arc<str>, Sourced<f64>>>,
    /// The time between the two in seconds, from a file's name.
    pub seconds: Option<f64>,
}

impl PgStat {
    /// What time [`Self::delta`] covers.
    pub fn window(&self) -> Window {
        match self.before {
            Some(_) => Window::Intervals,
            None => Window::SinceBoot,
        }
    }

    /// A number of the later sample.
    pub fn get(&self, column: &str) -> Option<&Sourced<f64>> {
        self.values.get(column)
    }

    /// How far a counter went: between the samples, or since the reset.
    /// `None` where it was reset in between.
    pub fn delta(&self, column: &str) -> Option<Sourced<f64>> {
        let last = self.get(column)?;
        let Some(before) = &self.before else {
            return Some(last.clone());
        };
        let first = before.get(column)?;
        let went = last.value - first.value;
        let origin = Origin::derived([first.origin.clone(), last.origin.clone()]);
        (went >= 0.0).then(|| Sourced::new(went, origin))
    }

    /// How fast a counter went between the samples.
    pub fn rate(&self, column: &str) -> Option<Sourced<PerSecond>> {
        self.before.as_ref()?;
        let seconds = self.seconds.filter(|seconds| *seconds > 0.0)?;
        Some(self.delta(column)?.map(|count| PerSecond(count / seconds)))
    }

    /// One counter's share of itself and another: `blks_hit` of it and `blks_read`.
    pub fn share(&self, part: &str, other: &str) -> Option<Sourced<Ratio>> {
        let (part, other) = (self.delta(part)?, self.delta(other)?);
        let all = part.value + other.value;
        let origin = Origin::derived([part.origin, other.origin]);
        (all > 0.0).then(|| Sourced::new(Ratio(part.value / all), origin))
    }
}

/// The views: their names, columns that only they have together, and the columns that name a row.
const VIEWS: &[(&str, &[&str], &[&str])] = &[
    ("pg_stat_checkpointer", &["num_timed", "buffers_written"], &[]),
    ("pg_stat_bgwriter", &["buffers_clean", "maxwritten_clean"], &[]),
    ("pg_stat_wal", &["wal_records", "wal_bytes"], &[]),
    (
        "pg_stat_io",
        &["backend_type", "object", "context", "reads"],
        &["backend_type", "object", "context"],
    ),
    (
        "pg_stat_database",
        &["datname", "blks_read", "blks_hit"],
        &["datname"],
    ),
    (
        "pg_stat_user_tables",
        &["relname", "seq_scan", "n_tup_upd"],
        &["schemaname", "relname"],
    ),
    (
        "pg_statio_user_tables",
        &["relname", "heap_blks_read"],
        &["schemaname", "relname"],
    ),
    ("pg_stat_archiver", &["archived_count", "failed_count"], &[]),
];

fn view<'c>(
    columns: impl Iterator<Item = &'c str> + Clone,
) -> Option<(&'static str, &'static [&'static str])> {
    VIEWS
        .iter()
        .find(|(_, needed, _)| {
            needed
                .iter()
                .all(|name| columns.clone().any(|column| column == *name))
        })
        .map(|(view, _, key)| (*view, *key))
}

/// Whether a line heads a view as CSV.
pub(crate) fn is_header(line: &str) -> bool {
    let fields = csv(line.trim());
    fields.len() > 2 && view(fields.iter().map(|field| &**field)).is_some()
}

/// Whether a document is a view as a list of objects.
pub(crate) fn is_json(root: &Json) -> bool {
    let row = root.list().first();
    row.is_some_and(|row| view(row.members().iter().map(|(name, _)| &**name)).is_some())
}

/// The most rows: of `pg_stat_user_tables` a large database has ten thousands.
const MOST: usize = 100_000;

/// A view as CSV with a header. `seconds` is the time since the first sample, if the file's name tells it.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts, seconds: Option<f64>) {
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut of: Option<(&'static str, &'static [&'static str])> = None;
    let mut index = Index::of(facts);
    while let Some(line) = lines.next() {
        let text = line.text.trim_end();
        if text.is_empty() {
            continue;
        }
        let fields = csv(text);
        if let Some(found) = view(fields.iter().map(|field| &**field)) {
            of = Some(found);
            names = fields.iter().map(|field| Arc::from(&**field)).collect();
            continue;
        }
        let Some((view, keys)) = of else { continue };
        if fields.len() != names.len() {
            place.warn(&line, text, "not a whole row of the view");
            continue;
        }
        let find = |name: &str| {
            names
                .iter()
                .position(|known| &**known == name)
                .and_then(|at| fields.get(at))
        };
        let key = keys
            .iter()
            .filter_map(|name| find(name))
            .map(|field| &**field)
            .collect::<Vec<_>>()
            .join(" ");
        let mut values = BTreeMap::new();
        for (name, field) in names.iter().zip(&fields) {
            if let Some(value) = number(field) {
                values.insert(Arc::clone(name), line.sourced(value, field));
            }
        }
        if !index.add(facts, view, key, values, seconds) {
            place.tell_file("more than 100000 rows; the rest is left out");
            return;
        }
    }
}

/// A view as JSON.
pub(crate) fn json(
    place: &mut Place<'_>,
    doc: &Doc<'_>,
    root: &Json,
    facts: &mut Facts,
    seconds: Option<f64>,
) {
    let mut index = Index::of(facts);
    for row in root.list() {
        let Some((view, keys)) = view(row.members().iter().map(|(name, _)| &**name)) else {
            doc.warn(place, row, "not a row of the view");
            continue;
        };
        let key = keys
            .iter()
            .filter_map(|name| row.get(name)?.text())
            .map(|text| &**text)
            .collect::<Vec<_>>()
            .join(" ");
        let mut values = BTreeMap::new();
        for (name, value) in row.members() {
            if let Some(number) = value.letters().and_then(number) {
                values.insert(Arc::clone(name), doc.sourced(number, value));
            }
        }
        if !index.add(facts, view, key, values, seconds) {
            place.tell_file("more than 100000 rows; the rest is left out");
            return;
        }
    }
}

/// A counter, a time in milliseconds; what is a name, a date or nothing is none.
fn number(text: &str) -> Option<f64> {
    number::amount(text).filter(|number| number.is_finite())
}

/// Where the rows stand in [`Facts`].
struct Index(BTreeMap<(&'static str, Arc<str>), usize>);

impl Index {
    fn of(facts: &Facts) -> Self {
        let rows = facts.pg_stat.iter().enumerate();
        Self(
            rows.map(|(at, row)| ((row.view, Arc::clone(&row.key)), at))
                .collect(),
        )
    }

    /// Adds a row; false where there are too many.
    fn add(
        &mut self,
        facts: &mut Facts,
        view: &'static str,
        key: String,
        values: BTreeMap<Arc<str>, Sourced<f64>>,
        seconds: Option<f64>,
    ) -> bool {
        let key: Arc<str> = Arc::from(key);
        let known = self
            .0
            .get(&(view, Arc::clone(&key)))
            .and_then(|at| facts.pg_stat.get_mut(*at));
        if let Some(known) = known {
            // The sample with the larger counters is the later one, unless its name tells it.
            let sum = |values: &BTreeMap<Arc<str>, Sourced<f64>>| {
                values.values().map(|value| value.value).sum::<f64>()
            };
            let later = seconds.is_some() || sum(&values) >= sum(&known.values);
            if !later {
                known.before = Some(values);
            } else {
                let earlier = std::mem::replace(&mut known.values, values);
                // Of three the outermost count.
                known.before.get_or_insert(earlier);
            }
            known.seconds = seconds.or(known.seconds);
            return true;
        }
        if facts.pg_stat.len() >= MOST {
            return false;
        }
        self.0.insert((view, Arc::clone(&key)), facts.pg_stat.len());
        facts.pg_stat.push(PgStat {
            view,
            key,
            values,
            before: None,
            seconds: None,
        });
        true
    }
}
