//! Physical disks.

use facts::{DiskFacts, Media, Scheduler, Sureness};
use layout::{Device, Kind};
use source::{Bytes, Known, Missing, Origin, Sourced};

use crate::{Machine, disagree};

/// The command that tells what facter does not: rotation, sectors, schedulers.
const LSBLK: &str = "`lsblk -J -O -b > lsblk.json`";

/// A disk: declared, observed, or both.
#[derive(Clone, Copy)]
pub struct Disk<'a> {
    machine: &'a Machine,
    /// The node of the layout.
    pub device: Option<&'a Device>,
    /// What was observed of it.
    pub observed: Option<&'a DiskFacts>,
}

impl<'a> Disk<'a> {
    /// The view of a `disk.<name>`, joined with the observed disk of that device file.
    pub(crate) fn declared(machine: &'a Machine, device: &'a Device) -> Option<Self> {
        let Kind::Disk(_) = &device.kind else {
            return None;
        };
        Some(Self {
            machine,
            device: Some(device),
            observed: Self::seen(machine, device).or_else(|| machine.inferred_disk(device.id)),
        })
    }

    /// The observed disk that a listing tells for a `disk.<name>`.
    pub(crate) fn seen(machine: &'a Machine, device: &'a Device) -> Option<&'a DiskFacts> {
        let Kind::Disk(disk) = &device.kind else {
            return None;
        };
        disk.device
            .as_ref()
            .and_then(|file| machine.facts.disk_by_name(&file.value))
            // A link that no listing tells: the labels of its partitions tell the disk.
            .or_else(|| disagree::disk_of_partitions(machine, device))
            .filter(|found| found.is_disk())
    }

    /// The view of a disk that the layout does not name.
    pub(crate) fn observed(machine: &'a Machine, disk: &'a DiskFacts) -> Self {
        Self {
            machine,
            device: None,
            observed: Some(disk),
        }
    }

    /// The machine that it is in.
    pub fn machine(&self) -> &'a Machine {
        self.machine
    }

    /// What reports call it: the option path, or the device.
    pub fn subject(&self) -> String {
        match (self.device, self.observed) {
            (Some(device), _) => device.path.to_string(),
            (None, Some(disk)) => format!("/dev/{}", disk.shown_name().trim_start_matches("/dev/")),
            (None, None) => "disk".to_owned(),
        }
    }

    /// The short name: the kernel's when it is known, else the device file of the layout.
    pub fn name(&self) -> String {
        if let Some(name) = self.observed.and_then(DiskFacts::kernel_name) {
            return name.to_owned();
        }
        match self.device_file() {
            Some(file) => file.value.to_string(),
            None => self.subject(),
        }
    }

    /// The device file that the layout names.
    pub fn device_file(&self) -> Option<&'a layout::Text> {
        match &self.device?.kind {
            Kind::Disk(disk) => disk.device.as_ref(),
            _ => None,
        }
    }

    /// What stores the data, as far as this is sure of a disk that was inferred. An observed disk says it best; else the name of the device file does
    /// for NVMe and MMC, which nothing else is called.
    ///
    /// # Errors
    /// [`Missing`] when neither tells.
    pub fn media(&self) -> Known<(Sourced<Media>, Sureness)> {
        if let Some(disk) = self.observed {
            let (media, sure) = disk.media()?;
            // What is declared on a disk that was inferred is no surer of it than that.
            let sure = if self.is_inferred() {
                sure.min(Sureness::Likely)
            } else {
                sure
            };
            return Ok((media, sure));
        }
        if let Some(file) = self.device_file() {
            let name = file.value.rsplit('/').next().unwrap_or_default();
            let media = if name.starts_with("nvme") {
                Some(Media::Nvme)
            } else if name.starts_with("mmc") {
                Some(Media::Mmc)
            } else {
                None
            };
            if let Some(media) = media {
                return Ok((Sourced::new(media, file.origin.clone()), Sureness::Certain));
            }
        }
        Err(Missing::new(
            format!("what kind of disk {} is", self.name()),
            self.how_to_see(),
        ))
    }

    /// The scheduler in use.
    ///
    /// # Errors
    /// [`Missing`] when nothing told it.
    pub fn scheduler(&self) -> Known<&'a Sourced<Scheduler>> {
        self.observed
            .and_then(|disk| disk.scheduler.as_ref())
            .ok_or_else(|| Missing::new(format!("the I/O scheduler of {}", self.name()), LSBLK))
    }

    /// The sector that it shows.
    ///
    /// # Errors
    /// [`Missing`] when nothing told it.
    pub fn logical_sector(&self) -> Known<&'a Sourced<Bytes>> {
        self.observed
            .and_then(|disk| disk.logical_sector.as_ref())
            .ok_or_else(|| Missing::new(format!("the logical sector size of {}", self.name()), LSBLK))
    }

    /// The sector that it writes.
    ///
    /// # Errors
    /// [`Missing`] when nothing told it. A facter report never does.
    pub fn physical_sector(&self) -> Known<&'a Sourced<Bytes>> {
        self.observed
            .and_then(|disk| disk.physical_sector.as_ref())
            .ok_or_else(|| Missing::new(format!("the physical sector size of {}", self.name()), LSBLK))
    }

    /// Where the disk is named: in the layout, or in what was observed.
    pub fn origin(&self) -> Option<&'a Origin> {
        let named = self
            .observed
            .and_then(|disk| disk.name.as_ref())
            .map(|name| &name.origin);
        self.device_file().map(|file| &file.origin).or(named)
    }

    fn how_to_see(&self) -> &'static str {
        if self.machine.is_observed() {
            LSBLK
        } else {
            "a facter.json, or `lsblk -J -O -b > lsblk.json`"
        }
    }
}

/// The media of several disks, each.
///
/// # Errors
/// [`Missing`] for the first disk whose medium is not known, or when there is no disk at all.
pub(crate) fn media_of<'a>(disks: &[Disk<'a>], of: &str) -> Known<Vec<(Disk<'a>, Sourced<Media>, Sureness)>> {
    if disks.is_empty() {
        return Err(Missing::new(format!("which disk {of} is on"), LSBLK));
    }
    disks
        .iter()
        .map(|disk| disk.media().map(|(media, sure)| (*disk, media, sure)))
        .collect()
}
