//! Filesystems other than btrfs, ZFS and bcachefs.

use facts::{Media, Sureness};
use layout::{Device, Mount, MountOptions};
use source::{Known, Origin, Sourced};

use crate::{Disk, Machine, disk, stack};

/// A mounted filesystem of the layout: ext4, xfs, vfat, f2fs …
#[derive(Clone, Copy)]
pub struct Filesystem<'a> {
    machine: &'a Machine,
    /// The node of the layout.
    pub device: &'a Device,
    /// What NixOS mounts.
    pub mount: &'a Mount,
}

impl<'a> Filesystem<'a> {
    pub(crate) fn new(machine: &'a Machine, mount: &'a Mount) -> Option<Self> {
        const OTHERS: [&str; 9] = [
            "btrfs", "zfs", "bcachefs", "tmpfs", "ramfs", "overlay", "none", "nfs", "nfs4",
        ];
        let device = machine.layout.device(mount.device_id)?;
        (!OTHERS.contains(&&*mount.fs_type)).then_some(Self {
            machine,
            device,
            mount,
        })
    }

    /// The machine that it is in.
    pub fn machine(&self) -> &'a Machine {
        self.machine
    }

    /// What reports call it.
    pub fn subject(&self) -> String {
        self.device.path.to_string()
    }

    /// `ext4`, `xfs` …
    pub fn format(&self) -> &'a str {
        &self.mount.fs_type
    }

    /// The mountpoint.
    pub fn mountpoint(&self) -> &'a str {
        &self.mount.mountpoint.value
    }

    /// The list of options that the layout's author controls.
    pub fn options(&self) -> &'a MountOptions {
        &self.mount.declared
    }

    /// Where the filesystem, or its list of options, was written.
    pub fn origin(&self) -> &'a Origin {
        let options = self.options();
        if options.written {
            &options.place.origin
        } else {
            &self.mount.mountpoint.origin
        }
    }

    /// The disks that it lies on.
    pub fn disks(&self) -> Vec<Disk<'a>> {
        stack::disks_under(self.machine, self.device.id)
    }

    /// The media that it lies on, one for each disk.
    ///
    /// # Errors
    /// [`source::Missing`] for the first disk whose medium is not known.
    pub fn media(&self) -> Known<Vec<(Disk<'a>, Sourced<Media>, Sureness)>> {
        disk::media_of(&self.disks(), &self.subject())
    }
}
