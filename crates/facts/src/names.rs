//! Which disk, block device, mount or row goes by a name, found without looking at each of ten thousand.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::facts::Facts;

/// The positions of disks and block devices by everything that they are called, of mounts and rows of df
/// by their mountpoint, of properties by their dataset, of measurements by their device.
///
/// It is built when all inputs have been read. Facts that were put together or added to in another way
/// have an index of another length, which [`Self::is_of`] tells.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Names {
    disks: HashMap<Arc<str>, usize>,
    blocks: HashMap<Arc<str>, usize>,
    /// The last mount of each mountpoint.
    mounts: HashMap<Arc<str>, usize>,
    df: HashMap<Arc<str>, usize>,
    zfs: HashMap<Arc<str>, Vec<usize>>,
    io: HashMap<Arc<str>, usize>,
    /// Whether `proc` is among the mounts.
    proc: bool,
    lengths: [usize; 6],
}

/// How many there are of each.
fn lengths(facts: &Facts) -> [usize; 6] {
    [
        facts.disks.len(),
        facts.blocks.len(),
        facts.mounts.len(),
        facts.df.len(),
        facts.zfs.len(),
        facts.io.len(),
    ]
}

impl Names {
    pub(crate) fn new(facts: &Facts) -> Self {
        let mut names = Self {
            lengths: lengths(facts),
            ..Self::default()
        };
        for (at, disk) in facts.disks.iter().enumerate() {
            for name in disk.name.iter().chain(&disk.links) {
                names.disks.entry(Arc::clone(&name.value)).or_insert(at);
            }
        }
        for (at, block) in facts.blocks.iter().enumerate() {
            let own = std::iter::once(&block.name).chain(&block.path);
            // A mapper name is shown where the kernel's own is dm-N.
            let mapped = block.mapper_path().map(Arc::from);
            let own = own.map(|it| Arc::clone(&it.value)).chain(mapped);
            for name in own.chain(block.links()) {
                names.blocks.entry(name).or_insert(at);
            }
        }
        for (at, mount) in facts.mounts.iter().enumerate() {
            names.mounts.insert(Arc::clone(&mount.mountpoint.value), at);
            names.proc |= &*mount.fstype.value == "proc";
        }
        for (at, row) in facts.df.iter().enumerate() {
            if let Some(mountpoint) = &row.mountpoint {
                names.df.entry(Arc::clone(&mountpoint.value)).or_insert(at);
            }
        }
        for (at, row) in facts.zfs.iter().enumerate() {
            names.zfs.entry(Arc::clone(&row.dataset)).or_default().push(at);
        }
        for (at, io) in facts.io.iter().enumerate() {
            names.io.entry(Arc::clone(&io.name)).or_insert(at);
        }
        names
    }

    /// Whether it was built of as many as there are in these facts.
    pub(crate) fn is_of(&self, facts: &Facts) -> bool {
        self.lengths == lengths(facts)
    }

    /// The last mount at a mountpoint.
    pub(crate) fn mount(&self, mountpoint: &str) -> Option<usize> {
        self.mounts.get(mountpoint).copied()
    }

    /// Whether `proc` is mounted, as in every table of a running machine.
    pub(crate) fn has_proc(&self) -> bool {
        self.proc
    }

    /// The first row of df of a mountpoint.
    pub(crate) fn df(&self, mountpoint: &str) -> Option<usize> {
        self.df.get(mountpoint).copied()
    }

    /// The properties of a dataset or pool.
    pub(crate) fn zfs(&self, dataset: &str) -> &[usize] {
        self.zfs.get(dataset).map_or(&[], |it| it)
    }

    /// What was measured of a device.
    pub(crate) fn io(&self, name: &str) -> Option<usize> {
        self.io.get(name).copied()
    }

    /// The first disk with one of these names.
    pub(crate) fn disk(&self, names: [&str; 2]) -> Option<usize> {
        names
            .iter()
            .filter_map(|name| self.disks.get(*name).copied())
            .min()
    }

    /// The first block device with one of these names.
    pub(crate) fn block(&self, names: [&str; 2]) -> Option<usize> {
        names
            .iter()
            .filter_map(|name| self.blocks.get(*name).copied())
            .min()
    }
}

/// It says nothing that the disks and block devices do not, and in no order: facts are shown without it.
impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().finish()
    }
}
