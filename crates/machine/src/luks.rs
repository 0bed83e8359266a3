//! LUKS containers.

use facts::{Media, Sureness};
use layout::{Device, Kind};
use source::{Bytes, Known, Missing, OptionPath, Origin, Sourced};

use crate::{Disk, Machine, disk, named_at, stack};

/// A LUKS container of the layout.
#[derive(Clone, Copy)]
pub struct Luks<'a> {
    machine: &'a Machine,
    /// The node of the layout.
    pub device: &'a Device,
    /// What was declared.
    pub declared: &'a layout::Luks,
}

impl<'a> Luks<'a> {
    pub(crate) fn new(machine: &'a Machine, device: &'a Device) -> Option<Self> {
        match &device.kind {
            Kind::Luks(declared) => Some(Self {
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

    /// The name that it is opened by, `crypted` of `/dev/mapper/crypted`, if it is known.
    pub fn mapper_name(&self) -> Option<&'a str> {
        self.declared.name.as_ref().map(|name| &*name.value)
    }

    /// How large a discard the opened container takes, as observed: zero when it takes none.
    pub fn observed_discard(&self) -> Option<&'a Sourced<Bytes>> {
        let mapper = format!("/dev/mapper/{}", self.mapper_name()?);
        let block = self.machine.facts.block_by_name(&mapper)?;
        block.discard_max.as_ref().or(block.discard_granularity.as_ref())
    }

    /// The option path of a setting that NixOS opens it with: `….settings.allowDiscards`.
    pub fn setting(&self, name: &str) -> OptionPath {
        match &self.declared.settings {
            Some(settings) => settings.path.join(name),
            None => self.device.path.join("settings").join(name),
        }
    }

    /// Where its settings are written; where it is named when there are none.
    pub fn settings_origin(&self) -> Origin {
        match (&self.declared.settings, &self.declared.name) {
            (Some(settings), _) => named_at(&settings.bindings, &settings.origin),
            (None, Some(name)) if name.origin.span().is_some() => name.origin.clone(),
            _ => named_at(&self.device.bindings, &self.device.origin),
        }
    }

    /// That a setting which reads as not set was really not set.
    ///
    /// # Errors
    /// [`source::Missing`] when it, or something that it lies in, depends on something nobody gave.
    pub fn known_setting(&self, name: &str) -> Known<()> {
        match self.machine.layout.unknown_at(&self.setting(name)) {
            None => Ok(()),
            Some(part) => Err(Missing::new(
                format!("`{}` of {}", name, self.subject()),
                format!("give `{}`: {}", part.because.name, part.because.because),
            )),
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

    /// The nodes of the layout that lie on it, directly or through other layers.
    pub fn holds(&self) -> Vec<&'a Device> {
        let id = self.device.id;
        self.machine
            .layout
            .devices
            .iter()
            .filter(|device| {
                stack::under(self.machine, device.id)
                    .iter()
                    .any(|below| below.id == id)
            })
            .collect()
    }
}
