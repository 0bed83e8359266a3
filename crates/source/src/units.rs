//! Units live in types.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Kibibytes.
    pub const fn kib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 10))
    }

    /// Mebibytes.
    pub const fn mib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 20))
    }

    /// Gibibytes.
    pub const fn gib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 30))
    }

    /// The difference, or zero when `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This as a part of `whole`; `None` when `whole` is zero.
    pub fn of(self, whole: Self) -> Option<Ratio> {
        (whole.0 > 0).then(|| Ratio(self.0 as f64 / whole.0 as f64))
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Bytes {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0), Add::add)
    }
}

/// Binary units with one decimal where it says something: `512 B`, `4 KiB`, `1.5 GiB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut scaled = self.0 as f64;
        let mut unit = 0;
        while scaled >= 1024.0 && unit + 1 < UNITS.len() {
            scaled /= 1024.0;
            unit += 1;
        }
        let tenths = (scaled * 10.0).round() / 10.0;
        let name = UNITS.get(unit).copied().unwrap_or("B");
        if tenths.fract() == 0.0 {
            write!(f, "{tenths:.0} {name}")
        } else {
            write!(f, "{tenths:.1} {name}")
        }
    }
}

/// A part of a whole, 1.0 being all of it. Shown as a percentage.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Ratio(pub f64);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Percent(self.0 * 100.0))
    }
}

/// A percentage, 100.0 being all.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Percent(pub f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        if tenths.fract() == 0.0 || tenths.abs() >= 10.0 {
            write!(f, "{:.0} %", self.0)
        } else {
            write!(f, "{tenths:.1} %")
        }
    }
}

/// A duration in milliseconds, as the tools print it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Millis(pub f64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1000.0 {
            write!(f, "{:.1} s", self.0 / 1000.0)
        } else {
            write!(f, "{:.1} ms", self.0)
        }
    }
}

/// A rate: so many of something a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct PerSecond(pub f64);

impl fmt::Display for PerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.abs() >= 10.0 || self.0.fract() == 0.0 {
            write!(f, "{:.0}/s", self.0)
        } else {
            write!(f, "{:.1}/s", self.0)
        }
    }
}

/// A rate of data, in bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct BytesPerSecond(pub f64);

impl fmt::Display for BytesPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A float that is too large or no number becomes the nearest integer, or zero.
        write!(f, "{}/s", Bytes(self.0.round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_as_people_say_them() {
        let shown: Vec<_> = [512, 4096, 1536 << 20, 1 << 40, u64::MAX]
            .map(|n| Bytes(n).to_string())
            .into();
        assert_eq!(shown, ["512 B", "4 KiB", "1.5 GiB", "1 TiB", "16 EiB"]);
    }

    #[test]
    fn rates_say_per_second() {
        assert_eq!(PerSecond(0.25).to_string(), "0.2/s");
        assert_eq!(PerSecond(1234.5).to_string(), "1234/s");
        assert_eq!(BytesPerSecond(1536.0 * 1024.0).to_string(), "1.5 MiB/s");
    }

    #[test]
    fn percentages_keep_a_decimal_only_below_ten() {
        assert_eq!(Percent(3.12).to_string(), "3.1 %");
        assert_eq!(Percent(97.46).to_string(), "97 %");
        assert_eq!(Ratio(0.5).to_string(), "50 %");
    }
}
