//! What a rule is.

use machine::{Btrfs, Disk, Filesystem, Luks, Machine, Pool, Swap};
use source::Known;

use crate::{Finding, Severity};

/// A rule: plain data and one function.
pub struct Rule {
    /// The name: kebab-case, area first, and it reads well after "allow".
    pub id: &'static str,
    /// What it finds, in one lower-case phrase.
    pub summary: &'static str,
    /// The page, Markdown.
    pub page: &'static str,
    /// The severity of its findings, unless a finding says otherwise.
    pub severity: Severity,
    /// What it looks at, and the function that looks.
    pub check: Check,
    /// Who says so. Never empty.
    pub sources: &'static [Source],
    /// The version of the upstream software or documentation that the claims were checked against.
    pub verified: &'static str,
}

/// The subject of a rule, and its function. Each subject gets a verdict of its own,
/// so that one blind disk does not hide the others.
#[derive(Clone, Copy)]
pub enum Check {
    /// The whole machine.
    Host(fn(&Machine) -> Known<Verdict>),
    /// Each physical disk.
    Disk(fn(Disk<'_>) -> Known<Verdict>),
    /// Each LUKS container.
    Luks(fn(Luks<'_>) -> Known<Verdict>),
    /// Each btrfs filesystem.
    Btrfs(fn(Btrfs<'_>) -> Known<Verdict>),
    /// Each filesystem that is not btrfs, ZFS or bcachefs and is mounted.
    Filesystem(fn(Filesystem<'_>) -> Known<Verdict>),
    /// Each ZFS pool.
    Pool(fn(Pool<'_>) -> Known<Verdict>),
    /// Each swap device or file.
    Swap(fn(Swap<'_>) -> Known<Verdict>),
}

/// What a rule says of a subject. That it cannot say is `Err(Missing)`.
pub enum Verdict {
    /// The rule is not about this subject.
    NotApplicable,
    /// Looked at, and in order.
    Clear,
    /// Something is wrong.
    Finding(Box<Finding>),
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The title: "btrfs(5), mount options".
    pub title: &'static str,
    /// The address.
    pub url: &'static str,
}

impl Source {
    /// A source with its title and address.
    pub const fn new(title: &'static str, url: &'static str) -> Self {
        Self { title, url }
    }
}
