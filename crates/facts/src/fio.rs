//! `fio --output-format=json`: what a benchmark measured here.

use std::sync::Arc;

use source::{BytesPerSecond, Millis, PerSecond, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::Place;
use crate::json::{Doc, Json};

/// A job of fio.
#[derive(Clone, Debug, PartialEq)]
pub struct FioJob {
    /// Its name.
    pub name: Fact<Arc<str>>,
    /// Its options, the global ones too: `rw`, `bs`, `iodepth`, `direct`, `directory`, `filename` …
    pub options: Vec<(Arc<str>, Sourced<Arc<str>>)>,
    /// The reads.
    pub read: Option<FioSide>,
    /// The writes.
    pub write: Option<FioSide>,
    /// What `fsync` and `fdatasync` took, 99 of 100 of them.
    pub sync_p99: Fact<Millis>,
}

impl FioJob {
    /// An option.
    pub fn option(&self, name: &str) -> Option<&Sourced<Arc<str>>> {
        self.options
            .iter()
            .rev()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| value)
    }
}

/// The reads or the writes of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct FioSide {
    /// Requests a second.
    pub iops: Fact<PerSecond>,
    /// Bytes a second.
    pub rate: Fact<BytesPerSecond>,
    /// From submission to completion, on average.
    pub mean: Fact<Millis>,
    /// 99 of 100 requests took at most this.
    pub p99: Fact<Millis>,
}

/// Whether a document is fio's.
pub(crate) fn is(root: &Json) -> bool {
    root.get("fio version").is_some() && root.get("jobs").is_some()
}

pub(crate) fn read(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts) {
    let global = root.get("global options");
    for job in root.get("jobs").map_or(&[][..], Json::list).iter().take(10_000) {
        let options = [global, job.get("job options")]
            .into_iter()
            .flatten()
            .flat_map(Json::members)
            .filter_map(|(name, value)| {
                Some((Arc::clone(name), doc.sourced(Arc::clone(value.text()?), value)))
            })
            .collect();
        let sync_p99 = job.at(&["sync", "lat_ns", "percentile"]).and_then(|percentiles| {
            let nanoseconds = doc.amount(place, percentiles, "99.000000")?;
            Some(nanoseconds.map(|ns| Millis(ns / 1e6)))
        });
        let mut side = |name: &str| {
            let side = job.get(name)?;
            let requests = doc.whole(place, side, "total_ios").map_or(0, |count| count.value);
            if requests == 0 {
                return None;
            }
            let p99 = side.at(&["clat_ns", "percentile"]).and_then(|percentiles| {
                let nanoseconds = doc.amount(place, percentiles, "99.000000")?;
                Some(nanoseconds.map(|ns| Millis(ns / 1e6)))
            });
            let mean = side
                .get("clat_ns")
                .and_then(|clat| doc.amount(place, clat, "mean"))
                .map(|mean| mean.map(|ns| Millis(ns / 1e6)));
            Some(FioSide {
                iops: doc.amount(place, side, "iops").map(|rate| rate.map(PerSecond)),
                rate: doc
                    .amount(place, side, "bw_bytes")
                    .map(|rate| rate.map(BytesPerSecond)),
                mean,
                p99,
            })
        };
        let (read, write) = (side("read"), side("write"));
        facts.fio.push(FioJob {
            name: doc.text(job, "jobname"),
            options,
            read,
            write,
            sync_p99,
        });
    }
}
