//! A measurement that was taken many times, in constant memory.

use source::{Origin, Quote, Sourced};

use crate::facts::Fact;
use crate::input::Line;

/// What is kept of a measurement that was taken again and again.
///
/// Percentiles are exact up to 32 samples and within 1.6 % beyond:
/// then they are read from a histogram of 32 steps per doubling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series<T> {
    /// How many samples there were.
    pub samples: u64,
    /// Their mean.
    pub mean: T,
    /// Half of the samples are at or below this.
    pub p50: T,
    /// 95 of 100 samples are at or below this.
    pub p95: T,
    /// 99 of 100 samples are at or below this.
    pub p99: T,
    /// The largest sample.
    pub max: T,
}

impl<T> Series<T> {
    /// The same series in another unit.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Series<U> {
        Series {
            samples: self.samples,
            mean: f(self.mean),
            p50: f(self.p50),
            p95: f(self.p95),
            p99: f(self.p99),
            max: f(self.max),
        }
    }
}

/// How many samples are kept as they are before the histogram starts.
const EXACT: usize = 32;

/// Steps per doubling: the top five bits of the fraction of an `f64`.
const STEPS: u64 = 32;

/// Octaves of the histogram: exponents of two from [`FIRST`] up to [`LAST`].
const OCTAVES: usize = (LAST - FIRST) as usize;

/// Gathers samples that are finite and not below zero.
#[derive(Clone, Debug)]
pub(crate) struct Gather {
    samples: u64,
    sum: f64,
    max: f64,
    zeroes: u64,
    /// The first samples above zero, as long as they are few.
    exact: Vec<f64>,
    /// For each octave where its steps stand in `counts`, from 1; 0 if none of it came.
    places: [u8; OCTAVES],
    /// The counts of each step of the octaves that came.
    counts: Vec<[u32; STEPS as usize]>,
}

impl Default for Gather {
    fn default() -> Self {
        Self {
            samples: 0,
            sum: 0.0,
            max: 0.0,
            zeroes: 0,
            exact: Vec::new(),
            places: [0; OCTAVES],
            counts: Vec::new(),
        }
    }
}

/// The exponent of the first octave kept, 2^-8, less than the hundredths that tools print;
/// and one past the last, 2^63.
const FIRST: i64 = -8;
const LAST: i64 = 64;

impl Gather {
    /// Adds a sample. Whether it is the largest so far.
    #[inline]
    pub(crate) fn add(&mut self, sample: f64) -> bool {
        let largest = self.samples == 0 || sample > self.max;
        self.samples += 1;
        // Most figures of most logs are zeroes.
        if sample <= 0.0 {
            self.zeroes += 1;
            return largest;
        }
        if largest {
            self.max = sample;
        }
        self.sum += sample;
        if self.counts.is_empty() {
            self.add_exact(sample);
        } else {
            self.count(sample);
        }
        largest
    }

    #[cold]
    fn add_exact(&mut self, sample: f64) {
        if self.exact.len() < EXACT {
            self.exact.push(sample);
            return;
        }
        for kept in std::mem::take(&mut self.exact) {
            self.count(kept);
        }
        self.count(sample);
    }

    #[inline]
    fn count(&mut self, sample: f64) {
        let bits = sample.to_bits();
        let octave = ((bits >> 52) & 0x7ff) as i64 - 1023;
        let step = if octave < FIRST { 0 } else { (bits >> 47) % STEPS };
        let octave = (octave.clamp(FIRST, LAST - 1) - FIRST) as usize;
        let Some(place) = self.places.get_mut(octave) else {
            return;
        };
        if *place == 0 {
            self.counts.push([0; STEPS as usize]);
            // There are fewer octaves than a byte counts.
            *place = self.counts.len() as u8;
        }
        let steps = self.counts.get_mut(usize::from(*place) - 1);
        if let Some(count) = steps.and_then(|steps| steps.get_mut(step as usize)) {
            *count = count.saturating_add(1);
        }
    }

    /// How many samples came.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// What was gathered; `None` if nothing was.
    pub(crate) fn series(&self) -> Option<Series<f64>> {
        if self.samples == 0 {
            return None;
        }
        let mut sorted = self.exact.clone();
        sorted.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            // The smallest sample that has at least this share of all samples at or below it.
            let rank = ((share * self.samples as f64).ceil() as u64).max(1);
            if rank <= self.zeroes {
                return 0.0;
            }
            if rank >= self.samples {
                return self.max;
            }
            if self.counts.is_empty() {
                let at = (rank - self.zeroes - 1) as usize;
                return sorted.get(at).copied().unwrap_or(self.max);
            }
            self.nth_of_histogram(rank - self.zeroes)
        };
        Some(Series {
            samples: self.samples,
            mean: self.sum / self.samples as f64,
            p50: quantile(0.50),
            p95: quantile(0.95),
            p99: quantile(0.99),
            max: self.max,
        })
    }

    fn nth_of_histogram(&self, rank: u64) -> f64 {
        let mut seen = 0;
        for (octave, place) in self.places.iter().enumerate() {
            let Some(counts) = usize::from(*place)
                .checked_sub(1)
                .and_then(|at| self.counts.get(at))
            else {
                continue;
            };
            for (step, &count) in counts.iter().enumerate() {
                seen += u64::from(count);
                if seen >= rank {
                    let middle = 1.0 + (step as f64 + 0.5) / STEPS as f64;
                    let scale = 2_f64.powi((octave as i64 + FIRST) as i32);
                    return (middle * scale).min(self.max);
                }
            }
        }
        self.max
    }
}

/// A measurement and the line of its largest sample.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) gather: Gather,
    pub(crate) quote: Option<Quote>,
}

impl Kept {
    /// Adds a sample that was read at `at`, a part of the line.
    pub(crate) fn add(&mut self, line: &Line<'_>, at: &str, value: f64) {
        if self.gather.add(value) {
            self.quote = Some(line.quote(at));
        }
    }

    /// What was gathered, in its unit; `None` if nothing was.
    pub(crate) fn sourced<T>(self, unit: impl FnMut(f64) -> T) -> Fact<Series<T>> {
        let series = self.gather.series()?;
        Some(Sourced::new(series.map(unit), Origin::Probe(self.quote?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(samples: impl IntoIterator<Item = f64>) -> Series<f64> {
        let mut gather = Gather::default();
        for sample in samples {
            gather.add(sample);
        }
        gather.series().unwrap()
    }

    #[test]
    fn one_sample_is_its_own_percentiles() {
        let series = gather([12.34]);
        assert_eq!((series.p50, series.p99, series.max), (12.34, 12.34, 12.34));
    }

    #[test]
    fn few_samples_are_exact() {
        let series = gather((1..=20).map(f64::from));
        assert_eq!(
            (series.p50, series.p95, series.p99, series.max, series.mean),
            (10.0, 19.0, 20.0, 20.0, 10.5)
        );
    }

    #[test]
    fn many_samples_are_within_the_promise() {
        // A long tail, as latencies have it, in an order that is not sorted.
        let samples: Vec<f64> = (0_u64..100_000)
            .map(|n| 0.01 + ((n * 7919) % 100_000) as f64 / 100_000.0)
            .map(|share| 0.2 / (1.02 - share).max(0.001))
            .collect();
        let series = gather(samples.iter().copied());
        let mut sorted = samples;
        sorted.sort_by(f64::total_cmp);
        for (share, got) in [(0.50, series.p50), (0.95, series.p95), (0.99, series.p99)] {
            let exact = sorted[(share * sorted.len() as f64).ceil() as usize - 1];
            assert!(
                (got - exact).abs() / exact < 0.016,
                "{share}: {got} against {exact}"
            );
        }
    }

    #[test]
    fn an_idle_disk_is_idle_at_its_median() {
        let series = gather((0..100).map(|n| if n < 97 { 0.0 } else { 50.0 }));
        assert_eq!((series.p50, series.p95, series.p99), (0.0, 0.0, 50.0));
    }
}
