//! Which disk or block device goes by a name, found without looking at each of ten thousand.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::disk::{BlockDevice, DiskFacts};

/// The positions of disks and block devices by everything that they are called.
///
/// It is built when all inputs have been read. Facts that were put together or added to in another way
/// have an index of another length, which [`Self::is_of`] tells.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Names {
    disks: HashMap<Arc<str>, usize>,
    blocks: HashMap<Arc<str>, usize>,
    lengths: (usize, usize),
}

impl Names {
    pub(crate) fn new(disks: &[DiskFacts], blocks: &[BlockDevice]) -> Self {
        let mut names = Self {
            lengths: (disks.len(), blocks.len()),
            ..Self::default()
        };
        for (at, disk) in disks.iter().enumerate() {
            for name in disk.name.iter().chain(&disk.links) {
                names.disks.entry(Arc::clone(&name.value)).or_insert(at);
            }
        }
        for (at, block) in blocks.iter().enumerate() {
            let own = std::iter::once(&block.name).chain(&block.path);
            // A mapper name is shown where the kernel's own is dm-N.
            let mapped = block.mapper_path().map(Arc::from);
            let own = own.map(|it| Arc::clone(&it.value)).chain(mapped);
            for name in own.chain(block.links()) {
                names.blocks.entry(name).or_insert(at);
            }
        }
        names
    }

    /// Whether it was built of as many disks and block devices as these.
    pub(crate) fn is_of(&self, disks: &[DiskFacts], blocks: &[BlockDevice]) -> bool {
        self.lengths == (disks.len(), blocks.len())
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
