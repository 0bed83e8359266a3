//! The machine as rules see it: what is declared, joined with what was observed.
//!
//! Takes a [`layout::Layout`], the [`facts::Facts`] and the NixOS options that are set beside the
//! layout. Gives views ([`Disk`], [`Btrfs`], [`Luks`] …) that answer in a rule's own terms.
//! Never shows evaluator internals, and never judges.

mod btrfs;
mod config;
mod disagree;
mod disk;
mod drift;
mod filesystem;
mod inferred;
mod layers;
mod luks;
mod named;
mod pool;
mod service;
mod stack;
mod swap;

use std::collections::HashSet;

use facts::Facts;
use layout::Layout;

pub use btrfs::{Btrfs, BtrfsMount};
pub use config::{Config, Workload};
pub use disagree::Disagreement;
pub use disk::Disk;
pub use drift::{About, Cell, Rebuild, Row, Wanted, drift};
pub use facts;
pub use facts::{
    BlockGroup, BtrfsDeviceErrors, BtrfsUsage, DeviceIo, DeviceSpace, Media, Mount as LiveMount, Pressure,
    Profile, ProfileUsage, PropertySource, Scheduler, Stall, Sureness, Transport, Version, Window,
    ZfsProperty, Zpool,
};
pub use filesystem::Filesystem;
pub use inferred::Inferred;
pub use layers::{Layer, LayerKind, Stack};
pub use layout::btrfs as btrfs_options;
pub use layout::{
    Dataset, Device, DeviceId, Kind, Mount, MountOption, MountOptions, Properties, Property, Text, ZpoolMode,
};
pub use luks::Luks;
pub use named::named_at;
pub use pool::Pool;
pub use service::Service;
pub use swap::{Swap, SwapBacking};

/// Everything that is known of one machine.
#[derive(Debug, Default)]
pub struct Machine {
    /// What is declared.
    pub layout: Layout,
    /// What was observed.
    pub facts: Facts,
    /// The NixOS options that are set beside the layout.
    pub config: Config,
    /// What runs on it, as far as the person or the configuration says.
    pub workloads: Vec<Workload>,
    /// What is inferred of it; empty until something asks.
    pub inferred: Inferred,
}

impl Machine {
    /// The physical disks: first those of the layout, then those that were only observed.
    pub fn disks(&self) -> impl Iterator<Item = Disk<'_>> {
        let declared: Vec<Disk<'_>> = self
            .layout
            .devices
            .iter()
            .filter_map(|device| Disk::declared(self, device))
            .collect();
        let known: HashSet<_> = declared
            .iter()
            .filter_map(|disk| disk.observed)
            .map(std::ptr::from_ref)
            .collect();
        let only_observed = self
            .facts
            .disks
            .iter()
            .filter(|disk| disk.is_disk())
            .filter(move |disk| !known.contains(&std::ptr::from_ref(*disk)));
        declared
            .into_iter()
            .chain(only_observed.map(|disk| Disk::observed(self, disk)))
    }

    /// The disk that a node of the layout declares; `None` when the node is no disk.
    pub fn disk_of<'a>(&'a self, device: &'a Device) -> Option<Disk<'a>> {
        Disk::declared(self, device)
    }

    /// The btrfs that a node of the layout declares; `None` when the node is none.
    pub fn btrfs_of<'a>(&'a self, device: &'a Device) -> Option<Btrfs<'a>> {
        Btrfs::declared(self, device)
    }

    /// The LUKS containers of the layout.
    pub fn luks(&self) -> impl Iterator<Item = Luks<'_>> {
        self.layout
            .devices
            .iter()
            .filter_map(|device| Luks::new(self, device))
    }

    /// The btrfs filesystems: first those of the layout, then those that were only observed.
    pub fn btrfs(&self) -> impl Iterator<Item = Btrfs<'_>> {
        let declared = || {
            self.layout
                .devices
                .iter()
                .filter_map(|device| Btrfs::declared(self, device))
        };
        let only_observed = self.facts.btrfs.iter().filter(move |usage| {
            !declared().any(|known| known.usage().is_some_and(|it| std::ptr::eq(it, *usage)))
        });
        declared().chain(only_observed.map(|usage| Btrfs::observed(self, usage)))
    }

    /// The mounted filesystems of the layout that are not btrfs, ZFS, bcachefs or without a device.
    pub fn filesystems(&self) -> impl Iterator<Item = Filesystem<'_>> {
        self.layout
            .mounts
            .iter()
            .filter_map(|mount| Filesystem::new(self, mount))
    }

    /// The ZFS pools of the layout.
    pub fn pools(&self) -> impl Iterator<Item = Pool<'_>> {
        self.layout
            .devices
            .iter()
            .filter_map(|device| Pool::new(self, device))
    }

    /// The swap devices and files of the layout.
    pub fn swaps(&self) -> impl Iterator<Item = Swap<'_>> {
        self.layout.swaps.iter().map(|declared| Swap::new(self, declared))
    }

    /// Whether anything was observed at all. On a layout alone, an improvement that is worth showing
    /// only on some hardware stays silent.
    pub fn is_observed(&self) -> bool {
        !self.facts.is_empty()
    }

    /// Whether a workload of that name runs here.
    pub fn runs(&self, name: &str) -> bool {
        self.workloads.iter().any(|workload| &*workload.name == name)
    }
}
