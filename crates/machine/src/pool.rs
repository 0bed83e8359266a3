//! ZFS pools.

use layout::{Dataset, Device, Kind, Zpool};
use source::Origin;

use crate::{Disk, Machine, stack};

/// A ZFS pool of the layout.
#[derive(Clone, Copy)]
pub struct Pool<'a> {
    machine: &'a Machine,
    /// The node of the layout.
    pub device: &'a Device,
    /// What was declared.
    pub declared: &'a Zpool,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(machine: &'a Machine, device: &'a Device) -> Option<Self> {
        match &device.kind {
            Kind::Zpool(declared) => Some(Self {
                machine,
                device,
                declared,
            }),
            _ => None,
        }
    }

    /// The machine that it is in.
    pub fn machine(&self) -> &'a Machine {
        self.machine
    }

    /// What reports call it.
    pub fn subject(&self) -> String {
        self.device.path.to_string()
    }

    /// Where the pool was written.
    pub fn origin(&self) -> &'a Origin {
        &self.device.origin
    }

    /// The disks that it lies on.
    pub fn disks(&self) -> Vec<Disk<'a>> {
        stack::disks_under(self.machine, self.device.id)
    }

    /// Its filesystem datasets with their nodes, in the order of their names.
    pub fn datasets(&self) -> impl Iterator<Item = (&'a Device, &'a Dataset)> {
        self.declared.datasets.iter().filter_map(|&id| {
            let device = self.machine.layout.device(id)?;
            match &device.kind {
                Kind::Dataset(dataset) => Some((device, dataset)),
                _ => None,
            }
        })
    }
}
