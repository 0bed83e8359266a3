//! btrfs filesystems.

use facts::{BtrfsDeviceErrors, BtrfsUsage, Media, Sureness};
use layout::btrfs::{EffectiveOptions, FirstMount, effective_options, first_mounted, mounts_of_filesystem};
use layout::{Device, Kind, Mount, MountOptions};
use source::{Known, Missing, Sourced};

use crate::{Disk, Luks, Machine, disk, stack};

/// A btrfs filesystem: declared, observed, or both.
#[derive(Clone, Copy)]
pub struct Btrfs<'a> {
    machine: &'a Machine,
    /// The node of the layout.
    pub device: Option<&'a Device>,
    observed: Option<&'a BtrfsUsage>,
}

/// One of the places where a btrfs filesystem is mounted.
#[derive(Clone, Copy)]
pub struct BtrfsMount<'a> {
    /// What NixOS mounts.
    pub mount: &'a Mount,
    /// The subvolume, or the filesystem itself for its top level.
    pub device: &'a Device,
}

impl<'a> BtrfsMount<'a> {
    /// The mountpoint.
    pub fn mountpoint(&self) -> &'a str {
        &self.mount.mountpoint.value
    }

    /// The list of options that the layout's author controls.
    pub fn options(&self) -> &'a MountOptions {
        &self.mount.declared
    }
}

impl<'a> Btrfs<'a> {
    pub(crate) fn declared(machine: &'a Machine, device: &'a Device) -> Option<Self> {
        matches!(device.kind, Kind::Btrfs(_)).then_some(Self {
            machine,
            device: Some(device),
            observed: None,
        })
    }

    pub(crate) fn observed(machine: &'a Machine, usage: &'a BtrfsUsage) -> Self {
        Self {
            machine,
            device: None,
            observed: Some(usage),
        }
    }

    /// The machine that it is in.
    pub fn machine(&self) -> &'a Machine {
        self.machine
    }

    /// What reports call it: the option path, or the mountpoint that was asked about.
    pub fn subject(&self) -> String {
        match (self.device, self.observed) {
            (Some(device), _) => device.path.to_string(),
            (None, Some(usage)) => usage
                .mountpoint
                .as_ref()
                .map_or_else(|| "btrfs".to_owned(), |it| it.value.to_string()),
            (None, None) => "btrfs".to_owned(),
        }
    }

    /// Where the layout mounts it, by mountpoint.
    pub fn mounts(&self) -> Vec<BtrfsMount<'a>> {
        let Some(filesystem) = self.device else {
            return Vec::new();
        };
        let mounts = mounts_of_filesystem(&self.machine.layout, filesystem.id);
        mounts.into_iter().filter_map(|mount| self.view(mount)).collect()
    }

    /// The mounts whose options count for the whole filesystem: the one that is mounted first, or all
    /// that may be when their order is not fixed.
    pub fn deciding_mounts(&self) -> Vec<BtrfsMount<'a>> {
        let Some(filesystem) = self.device else {
            return Vec::new();
        };
        let deciding = match first_mounted(&self.machine.layout, filesystem.id) {
            FirstMount::NotMounted => Vec::new(),
            FirstMount::Known(mount) => vec![mount],
            FirstMount::Undefined { candidates } => candidates,
        };
        deciding
            .into_iter()
            .filter_map(|mount| self.view(mount))
            .collect()
    }

    /// The filesystem-wide options that are in effect after boot.
    pub fn effective_options(&self) -> EffectiveOptions<'a> {
        match self.device {
            Some(filesystem) => effective_options(&self.machine.layout, filesystem.id),
            None => EffectiveOptions::NotMounted,
        }
    }

    fn view(&self, mount: &'a Mount) -> Option<BtrfsMount<'a>> {
        let device = self.machine.layout.device(mount.device_id)?;
        Some(BtrfsMount { mount, device })
    }

    /// The disks that it lies on.
    pub fn disks(&self) -> Vec<Disk<'a>> {
        match (self.device, self.observed) {
            (Some(device), _) => stack::disks_under(self.machine, device.id),
            (None, Some(usage)) => usage
                .devices()
                .iter()
                .flat_map(|device| self.machine.facts.disks_under(device))
                .map(|found| Disk::observed(self.machine, found))
                .collect(),
            (None, None) => Vec::new(),
        }
    }

    /// The media that it lies on, one for each disk.
    ///
    /// # Errors
    /// [`Missing`] for the first disk whose medium is not known.
    pub fn media(&self) -> Known<Vec<(Disk<'a>, Sourced<Media>, Sureness)>> {
        disk::media_of(&self.disks(), &self.subject())
    }

    /// The LUKS containers that it lies on.
    pub fn luks(&self) -> Vec<Luks<'a>> {
        let Some(device) = self.device else {
            return Vec::new();
        };
        stack::under(self.machine, device.id)
            .into_iter()
            .filter_map(|below| Luks::new(self.machine, below))
            .collect()
    }

    /// What `btrfs filesystem usage` said of it.
    pub fn usage(&self) -> Option<&'a BtrfsUsage> {
        if self.observed.is_some() {
            return self.observed;
        }
        let facts = &self.machine.facts;
        let by_mountpoint = self
            .mounts()
            .into_iter()
            .find_map(|it| facts.btrfs_of(it.mountpoint()));
        let by_device = || facts.btrfs_of(self.device?.node.as_deref()?);
        by_mountpoint.or_else(by_device).or_else(|| {
            // The one filesystem that there is, asked without a name that could be joined.
            let only = self
                .machine
                .layout
                .devices
                .iter()
                .filter(|it| matches!(it.kind, Kind::Btrfs(_)))
                .count();
            match &facts.btrfs[..] {
                [usage] if only == 1 && usage.mountpoint.is_none() => Some(usage),
                _ => None,
            }
        })
    }

    /// What `btrfs filesystem usage` said of it, or that it was not asked.
    ///
    /// # Errors
    /// [`Missing`] with the command.
    pub fn known_usage(&self) -> Known<&'a BtrfsUsage> {
        self.usage().ok_or_else(|| {
            let mountpoint = self.mounts().first().map_or("/", BtrfsMount::mountpoint);
            Missing::new(
                format!("how full the chunks of {} are", self.subject()),
                format!("`btrfs filesystem usage -b {mountpoint} > btrfs-usage.txt` as root"),
            )
        })
    }

    /// What `btrfs device stats` counted of its devices; empty when it was not asked.
    ///
    /// A device is told by the name that `btrfs filesystem usage` or `/proc/mounts` gives it, or by
    /// the disk below it. Counters of a machine with one btrfs can be of no other.
    pub fn device_counters(&self) -> Vec<&'a BtrfsDeviceErrors> {
        let facts = &self.machine.facts;
        let mut names = self.usage().map(BtrfsUsage::devices).unwrap_or_default();
        names.extend(self.mounts().iter().filter_map(|mount| {
            let live = facts.mount_at(mount.mountpoint())?;
            Some(live.source.value.clone())
        }));
        let disks = self.disks();
        let only = self.machine.btrfs().nth(1).is_none();
        let mounts = self.mounts();
        facts
            .btrfs_errors
            .iter()
            .filter(|errors| {
                let name = &errors.device.value;
                let asked = errors.mountpoint.as_ref();
                let here =
                    asked.is_some_and(|it| mounts.iter().any(|mount| mount.mountpoint() == &*it.value));
                only || here
                    || names.contains(name)
                    || facts.disks_under(name).iter().any(|below| {
                        disks
                            .iter()
                            .any(|disk| disk.observed.is_some_and(|it| std::ptr::eq(it, *below)))
                    })
            })
            .collect()
    }

    /// The devices of it that reported errors.
    pub fn faulty_devices(&self) -> Vec<&'a BtrfsDeviceErrors> {
        let mut counters = self.device_counters();
        counters.retain(|errors| errors.faults().next().is_some());
        counters
    }
}
