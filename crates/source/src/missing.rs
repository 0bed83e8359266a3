//! Not knowing is a value.

use std::fmt;

/// Something known, or the fact that is missing for it.
pub type Known<T> = Result<T, Missing>;

/// A fact that nobody gave, and how a person obtains it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// What is missing, as a phrase: "whether /dev/sda is rotational".
    pub fact: String,
    /// The command or the file that gives it: "`lsblk -J -O -b > lsblk.json`".
    pub obtain: String,
}

impl Missing {
    /// Names a missing fact and how to obtain it.
    pub fn new(fact: impl Into<String>, obtain: impl Into<String>) -> Self {
        Self {
            fact: fact.into(),
            obtain: obtain.into(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.fact, self.obtain)
    }
}
