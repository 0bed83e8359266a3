//! Swap.

use layout::{Device, Kind, SwapDevice};

use crate::{Disk, Machine, stack};

/// A swap device or file of the layout.
#[derive(Clone, Copy)]
pub struct Swap<'a> {
    machine: &'a Machine,
    /// What NixOS swaps to.
    pub declared: &'a SwapDevice,
}

/// What swap lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SwapBacking {
    /// A partition or a logical volume.
    BlockDevice,
    /// A file on btrfs.
    BtrfsFile,
    /// A volume of a ZFS pool.
    Zvol,
    /// A file elsewhere.
    File,
}

impl<'a> Swap<'a> {
    pub(crate) fn new(machine: &'a Machine, declared: &'a SwapDevice) -> Self {
        Self { machine, declared }
    }

    /// The machine that it is in.
    pub fn machine(&self) -> &'a Machine {
        self.machine
    }

    /// The node of the layout that asks for it.
    pub fn device(&self) -> Option<&'a Device> {
        self.machine.layout.device(self.declared.device_id)
    }

    /// What reports call it.
    pub fn subject(&self) -> String {
        match (self.device(), &self.declared.device) {
            (Some(device), _) => device.path.to_string(),
            (None, Some(file)) => file.to_string(),
            (None, None) => "swap".to_owned(),
        }
    }

    /// What it lies on.
    pub fn backing(&self) -> SwapBacking {
        let Some(device) = self.device() else {
            return SwapBacking::File;
        };
        match device.kind {
            Kind::Btrfs(_) | Kind::Subvolume(_) => return SwapBacking::BtrfsFile,
            Kind::PlainMount(_) => return SwapBacking::File,
            _ => {}
        }
        let on_zvol = stack::under(self.machine, device.id)
            .iter()
            .any(|it| matches!(it.kind, Kind::Zvol(_)));
        // Without disko the device file tells it: volumes appear below /dev/zvol.
        let file = self.declared.device.as_deref().unwrap_or("/dev/");
        if on_zvol || file.starts_with("/dev/zvol/") || file.starts_with("/dev/zd") {
            SwapBacking::Zvol
        } else if file.starts_with("/dev/") {
            SwapBacking::BlockDevice
        } else {
            SwapBacking::File
        }
    }

    /// The disks that it lies on.
    pub fn disks(&self) -> Vec<Disk<'a>> {
        stack::disks_under(self.machine, self.declared.device_id)
    }
}
