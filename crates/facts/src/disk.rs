//! Disks, the devices on them, and the controllers they hang on.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use source::{Bytes, Known, Missing, Origin, Percent, Sourced};

use crate::facts::{Fact, Facts, kernel_name, put};

/// One disk, with what all tools say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiskFacts {
    /// The kernel's name at the time: `sda`, `nvme0n1`. It may be another after the next boot.
    pub name: Fact<Arc<str>>,
    /// Every path that leads to it: `/dev/disk/by-id/…`, `/dev/disk/by-path/…`, `/dev/sda`.
    pub links: Vec<Sourced<Arc<str>>>,
    /// The model's full name: from the by-id link where the report's own is cut off.
    pub model: Fact<Arc<str>>,
    /// The maker, where a tool names one.
    pub vendor: Fact<Arc<str>>,
    /// The serial number, perhaps masked.
    pub serial: Fact<Arc<str>>,
    /// How large it is.
    pub size: Fact<Bytes>,
    /// The sector that it shows: 512 or 4096.
    pub logical_sector: Fact<Bytes>,
    /// The sector that it writes. Only lsblk and sysfs know it, and disks at times lie.
    pub physical_sector: Fact<Bytes>,
    /// Whether the kernel takes it for a rotating disk. See [`Self::media`] for what that is worth.
    pub rotational: Fact<bool>,
    /// Whether it can be taken out.
    pub removable: Fact<bool>,
    /// The kernel driver: `nvme`, `ahci`, `usb-storage`, `megaraid_sas` …
    pub driver: Fact<Arc<str>>,
    /// What it is attached by.
    pub transport: Fact<Transport>,
    /// The RAID controller that it hides behind: what is seen may be the controller's own volume.
    pub behind_raid: Fact<Arc<str>>,
    /// The I/O schedulers that the kernel offers for it, and the one in use.
    pub scheduler: Fact<Scheduler>,
    /// The settings of its queue.
    pub queue: QueueFacts,
    /// Rotations a minute, as the disk itself tells; 0 for flash.
    pub rotation: Fact<u64>,
    /// What the disk says of its own health.
    pub health: Health,
    /// What is exported here although it is no disk.
    pub unreal: Fact<Unreal>,
}

/// What a disk says of its own health, from `smartctl -j` or `nvme smart-log -o json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Whether its own assessment is good. Many disks fail without ever saying so.
    pub passed: Fact<bool>,
    /// Sectors that were replaced (attribute 5), or grown defects of SAS.
    pub reallocated: Fact<u64>,
    /// Sectors that could not be read and wait (attribute 197).
    pub pending: Fact<u64>,
    /// Sectors that could not be read at all (attribute 198, or media errors of NVMe).
    pub uncorrectable: Fact<u64>,
    /// Transfers that were broken (attribute 199): mostly the cable.
    pub transfer_errors: Fact<u64>,
    /// Attributes that are, or were, below their threshold.
    pub failed_attributes: Vec<Sourced<Arc<str>>>,
    /// NVMe's warnings as bits; zero when there are none.
    pub critical_warning: Fact<u64>,
    /// What of its life is used up, as the maker counts it; may exceed 100 (NVMe).
    pub used: Fact<Percent>,
    /// What of the spare blocks is left (NVMe).
    pub spare: Fact<Percent>,
    /// The temperature in degrees Celsius.
    pub temperature: Fact<u64>,
    /// How long it has run, in hours.
    pub hours: Fact<u64>,
    /// What the host read from it over its life (NVMe).
    pub read: Fact<Bytes>,
    /// What the host wrote to it over its life (NVMe).
    pub written: Fact<Bytes>,
    /// How often its power went without notice (NVMe).
    pub unsafe_shutdowns: Fact<u64>,
}

impl Health {
    /// Takes what it did not know from another tool's report.
    fn fill(&mut self, new: Self) {
        fn fill<T>(slot: &mut Fact<T>, new: Fact<T>) {
            if slot.is_none() {
                *slot = new;
            }
        }
        fill(&mut self.passed, new.passed);
        fill(&mut self.reallocated, new.reallocated);
        fill(&mut self.pending, new.pending);
        fill(&mut self.uncorrectable, new.uncorrectable);
        fill(&mut self.transfer_errors, new.transfer_errors);
        fill(&mut self.critical_warning, new.critical_warning);
        fill(&mut self.used, new.used);
        fill(&mut self.spare, new.spare);
        fill(&mut self.temperature, new.temperature);
        fill(&mut self.hours, new.hours);
        fill(&mut self.read, new.read);
        fill(&mut self.written, new.written);
        fill(&mut self.unsafe_shutdowns, new.unsafe_shutdowns);
        if self.failed_attributes.is_empty() {
            self.failed_attributes = new.failed_attributes;
        }
    }

    /// What is wrong, each with its count: reasons to look after the disk before its speed.
    pub fn faults(&self) -> Vec<Sourced<String>> {
        let mut faults = Vec::new();
        if let Some(passed) = self.passed.as_ref().filter(|passed| !passed.value) {
            faults.push(Sourced::new(
                "the disk says that it is failing".to_owned(),
                passed.origin.clone(),
            ));
        }
        for (name, count) in [
            ("reallocated sectors", &self.reallocated),
            ("pending sectors", &self.pending),
            ("uncorrectable errors", &self.uncorrectable),
            ("broken transfers", &self.transfer_errors),
        ] {
            if let Some(count) = count.as_ref().filter(|count| count.value > 0) {
                faults.push(Sourced::new(
                    format!("{} {name}", count.value),
                    count.origin.clone(),
                ));
            }
        }
        if let Some(warning) = self.critical_warning.as_ref().filter(|warning| warning.value > 0) {
            let text = format!("critical warning {:#04x}", warning.value);
            faults.push(Sourced::new(text, warning.origin.clone()));
        }
        faults
    }
}

/// The settings of a disk's queue, from `/sys/block/*/queue` or lsblk.
///
/// <https://docs.kernel.org/admin-guide/abi-stable.html#file-testing-sysfs-block> says what each is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueFacts {
    /// `nr_requests`
    pub requests: Fact<u64>,
    /// `read_ahead_kb`
    pub read_ahead: Fact<Bytes>,
    /// `discard_granularity`, zero when the device cannot discard.
    pub discard_granularity: Fact<Bytes>,
    /// `discard_max_bytes`, zero when discards are off.
    pub discard_max: Fact<Bytes>,
    /// `max_sectors_kb`
    pub max_request: Fact<Bytes>,
    /// `write_cache`: `write back` or `write through`.
    pub write_cache: Fact<Arc<str>>,
    /// `wbt_lat_usec`: the latency that writeback is throttled for, in microseconds; 0 is off.
    pub writeback_latency: Fact<u64>,
    /// `zoned`: `none`, `host-aware`, `host-managed`.
    pub zoned: Fact<Arc<str>>,
    /// `rq_affinity`
    pub affinity: Fact<u64>,
    /// `nomerges`
    pub no_merges: Fact<u64>,
    /// `iostats`
    pub io_stats: Fact<bool>,
    /// `optimal_io_size`
    pub optimal_io: Fact<Bytes>,
    /// `minimum_io_size`
    pub minimum_io: Fact<Bytes>,
}

/// The schedulers of a queue: `[none] mq-deadline bfq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduler {
    /// The one in use.
    pub active: Arc<str>,
    /// All that are offered; only the one in use where lsblk told it.
    pub offered: Vec<Arc<str>>,
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.active)
    }
}

impl Scheduler {
    /// The text of `queue/scheduler`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut active = None;
        let mut offered = Vec::new();
        for word in text.split_ascii_whitespace() {
            let bare = word.trim_start_matches('[').trim_end_matches(']');
            if bare.len() != word.len() {
                active = Some(Arc::from(bare));
            }
            offered.push(Arc::from(bare));
        }
        let active = active.or_else(|| match offered.as_slice() {
            [only] => Some(Arc::clone(only)),
            _ => None,
        })?;
        Some(Self { active, offered })
    }
}

/// What a disk is attached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// PCI Express or a fabric, with the NVMe protocol.
    Nvme,
    /// Serial ATA. hwinfo calls it IDE.
    Sata,
    /// Serial-attached SCSI.
    Sas,
    /// SCSI without more being known of it.
    Scsi,
    /// USB: an enclosure, a stick, or the installer's medium.
    Usb,
    /// A virtual disk of a virtual machine.
    Virtio,
    /// A memory card or soldered eMMC.
    Mmc,
    /// Over a network: iSCSI, Fibre Channel.
    Network,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nvme => "NVMe",
            Self::Sata => "SATA",
            Self::Sas => "SAS",
            Self::Scsi => "SCSI",
            Self::Usb => "USB",
            Self::Virtio => "virtio",
            Self::Mmc => "MMC",
            Self::Network => "network",
        })
    }
}

/// What is listed among disks and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreal {
    /// Compressed memory.
    Zram,
    /// A volume of a ZFS pool.
    Zvol,
    /// A file.
    Loop,
    /// Memory.
    Ram,
    /// A drive for discs.
    Optical,
    /// The small boot and key areas of an eMMC chip.
    MmcBoot,
    /// Software RAID.
    Md,
    /// A device-mapper target: LUKS, LVM, multipath.
    Mapper,
    /// A network block device.
    Nbd,
    /// A card reader or an enclosure with nothing in it.
    Empty,
}

impl fmt::Display for Unreal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zram => "compressed memory",
            Self::Zvol => "a ZFS volume",
            Self::Loop => "a file",
            Self::Ram => "memory",
            Self::Optical => "a drive for discs",
            Self::MmcBoot => "a boot area of eMMC",
            Self::Md => "software RAID",
            Self::Mapper => "a device-mapper target",
            Self::Nbd => "a network block device",
            Self::Empty => "a reader with nothing in it",
        })
    }
}

impl Unreal {
    /// What a kernel name gives away.
    pub fn of_name(name: &str) -> Option<Self> {
        let numbered = |prefix: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        if numbered("zram") {
            Some(Self::Zram)
        } else if numbered("zd") {
            Some(Self::Zvol)
        } else if numbered("loop") {
            Some(Self::Loop)
        } else if numbered("ram") {
            Some(Self::Ram)
        } else if numbered("sr") || numbered("fd") {
            Some(Self::Optical)
        } else if numbered("mmcblk") && (name.contains("boot") || name.contains("rpmb")) {
            Some(Self::MmcBoot)
        } else if numbered("md") || name.starts_with("md_") {
            Some(Self::Md)
        } else if numbered("dm-") {
            Some(Self::Mapper)
        } else if numbered("nbd") {
            Some(Self::Nbd)
        } else {
            None
        }
    }
}

/// What stores the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Media {
    /// Rotating platters.
    Hdd,
    /// Flash behind SATA, SAS or USB.
    Ssd,
    /// Flash behind NVMe.
    Nvme,
    /// eMMC or a memory card.
    Mmc,
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hdd => "HDD",
            Self::Ssd => "SSD",
            Self::Nvme => "NVMe",
            Self::Mmc => "MMC",
        })
    }
}

/// How sure it is what stores the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sureness {
    /// From the model's name alone.
    Guess,
    /// From the kernel's flag, on a path where the flag is known to lie:
    /// behind USB, a RAID controller, or in a virtual machine.
    Likely,
    /// NVMe, MMC, what the disk itself tells, or the kernel's flag of a disk that it sees itself.
    Certain,
}

impl DiskFacts {
    /// Whether it goes by that name, path or link.
    pub fn is_named(&self, name: &str) -> bool {
        let short = kernel_name(name);
        self.name.as_ref().is_some_and(|own| &*own.value == short)
            || self.links.iter().any(|link| &*link.value == name)
    }

    /// The kernel's name.
    pub fn kernel_name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| &*name.value)
    }

    /// The name that a report shows: the kernel's, else the first link.
    pub fn shown_name(&self) -> &str {
        self.kernel_name()
            .or_else(|| self.links.first().map(|link| &*link.value))
            .unwrap_or("an unnamed disk")
    }

    /// Whether it is a disk that a machine can be installed on: not compressed memory,
    /// not a volume of another filesystem, not an empty reader.
    pub fn is_disk(&self) -> bool {
        self.unreal.is_none()
    }

    /// Whether it hangs on USB: often the installer's medium, at times an enclosure with data.
    pub fn is_usb(&self) -> bool {
        self.transport
            .as_ref()
            .is_some_and(|transport| transport.value == Transport::Usb)
    }

    /// What stores the data, as far as something says so; how sure it is stands beside it.
    ///
    /// # Errors
    /// [`Missing`] when neither the driver, nor the kernel's flag, nor the model's name tells.
    pub fn media(&self) -> Known<(Sourced<Media>, Sureness)> {
        let transport = self.transport.as_ref().map(|transport| transport.value);
        let by = |origin: &Origin, media| Sourced::new(media, origin.clone());
        if let Some(of) = &self.transport {
            match of.value {
                Transport::Nvme => return Ok((by(&of.origin, Media::Nvme), Sureness::Certain)),
                Transport::Mmc => return Ok((by(&of.origin, Media::Mmc), Sureness::Certain)),
                _ => {}
            }
        }
        if let Some(rotation) = &self.rotation {
            let media = if rotation.value > 0 {
                Media::Hdd
            } else {
                Media::Ssd
            };
            return Ok((by(&rotation.origin, media), Sureness::Certain));
        }
        if let Some(rotational) = &self.rotational {
            let media = if rotational.value { Media::Hdd } else { Media::Ssd };
            let lies = self.behind_raid.is_some()
                || matches!(
                    transport,
                    Some(Transport::Usb | Transport::Virtio | Transport::Network)
                );
            // A disk of which nothing but the flag is known may be any of these.
            let sure = if lies || (transport.is_none() && self.driver.is_none()) {
                Sureness::Likely
            } else {
                Sureness::Certain
            };
            return Ok((by(&rotational.origin, media), sure));
        }
        if let Some(model) = &self.model
            && let Some(media) = media_of_model(&model.value)
        {
            return Ok((by(&model.origin, media), Sureness::Guess));
        }
        Err(Missing::new(
            format!("whether {} is rotational", self.shown_name()),
            "`lsblk -J -O -b > lsblk.json`",
        ))
    }
}

/// What a model's name gives away. Only patterns that the makers use for one kind alone.
fn media_of_model(model: &str) -> Option<Media> {
    let model = model.replace('_', " ").to_ascii_uppercase();
    if model.contains("SSD") || model.contains("SOLID STATE") || model.contains("NVME") {
        return Some(Media::Ssd);
    }
    let word = |prefix: &str| model.split([' ', '-']).any(|word| word.starts_with(prefix));
    // Crucial, Micron, Kingston, Samsung (data centre), Intel, SanDisk.
    let flash = [
        "CT240", "CT250", "CT480", "CT500", "CT1000", "CT2000", "CT4000", "MTFDDA", "SA400", "SUV500", "MZ7",
        "SSDSC", "SDSSD",
    ];
    if flash.iter().any(|prefix| word(prefix)) {
        return Some(Media::Ssd);
    }
    // Seagate ST<GB><letters>: ST4000DM004, ST16000NM003G.
    let seagate = model.split([' ', '-']).any(|word| {
        word.strip_prefix("ST").is_some_and(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let after = rest.get(digits..digits + 2).unwrap_or("");
            (3..=6).contains(&digits)
                && ["DM", "NM", "VN", "VX", "LM", "LX", "NT", "AS", "DX", "NE"].contains(&after)
        })
    });
    // Western Digital WD<digits>E…/F…, Toshiba DT/MG/MQ/AL/HDW, HGST HUS/HDN/HTS/HUH.
    let digital = model.split([' ', '-']).any(|word| {
        word.strip_prefix("WD").is_some_and(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let letter = rest.as_bytes().get(digits);
            (2..=4).contains(&digits) && matches!(letter, Some(b'E' | b'F' | b'J' | b'P' | b'K'))
        })
    });
    let others = [
        "DT01AC", "MG0", "MG1", "MQ01", "MQ04", "AL13", "AL14", "AL15", "HDWD", "HDWE", "HDWG", "HDWR",
        "HUS72", "HUH72", "HDN72", "HTS54", "HTS72", "HDS72",
    ];
    (seagate || digital || others.iter().any(|prefix| word(prefix))).then_some(Media::Hdd)
}

/// A device as lsblk or sysfs lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockDevice {
    /// The kernel's name: `sda1`, `dm-0`.
    pub name: Sourced<Arc<str>>,
    /// The device-mapper name: `crypted` of `/dev/mapper/crypted`.
    pub mapped: Fact<Arc<str>>,
    /// The path that lsblk gives: `/dev/sda1`, `/dev/mapper/crypted`.
    pub path: Fact<Arc<str>>,
    /// What it is.
    pub kind: BlockKind,
    /// The kernel names of the devices that it lies on. RAID and LVM have several.
    pub parents: Vec<Sourced<Arc<str>>>,
    /// The filesystem or other format on it: `btrfs`, `crypto_LUKS`, `zfs_member`, `swap` …
    pub fstype: Fact<Arc<str>>,
    /// The filesystem's UUID. Members of one btrfs share it.
    pub uuid: Fact<Arc<str>>,
    /// The filesystem's label.
    pub label: Fact<Arc<str>>,
    /// The partition's UUID.
    pub partuuid: Fact<Arc<str>>,
    /// The partition's label: how disko names partitions.
    pub partlabel: Fact<Arc<str>>,
    /// Where it is mounted.
    pub mountpoints: Vec<Sourced<Arc<str>>>,
    /// How large it is.
    pub size: Fact<Bytes>,
    /// Where a partition begins, in bytes from the start of its disk (512-byte sectors in sysfs and lsblk).
    pub start: Fact<Bytes>,
    /// Logical sector.
    pub logical_sector: Fact<Bytes>,
    /// Physical sector.
    pub physical_sector: Fact<Bytes>,
    /// `discard_granularity`; zero when it cannot discard, as LUKS without `allowDiscards`.
    pub discard_granularity: Fact<Bytes>,
    /// `discard_max_bytes`
    pub discard_max: Fact<Bytes>,
}

impl BlockDevice {
    /// `/dev/mapper/crypted`, for what device-mapper made.
    pub(crate) fn mapper_path(&self) -> Option<String> {
        let mapped = self.mapped.as_ref()?;
        Some(format!("/dev/mapper/{}", mapped.value))
    }

    /// The udev links that follow from what is known of it, such as
    /// `/dev/disk/by-partlabel/disk-main-root`; each with its name as it is, and as udev escapes it.
    pub fn links(&self) -> impl Iterator<Item = Arc<str>> {
        [
            ("by-uuid", &self.uuid),
            ("by-label", &self.label),
            ("by-partuuid", &self.partuuid),
            ("by-partlabel", &self.partlabel),
        ]
        .into_iter()
        .filter_map(|(folder, name)| Some((folder, name.as_ref()?)))
        .flat_map(|(folder, name)| {
            let escaped = Some(udev_escape(&name.value)).filter(|it| it.contains('\\'));
            std::iter::once(name.value.to_string())
                .chain(escaped)
                .map(move |name| Arc::from(format!("/dev/disk/{folder}/{name}")))
        })
    }
}

/// A name as udev writes it into a link: what is not safe becomes `\x20` and so on
/// (`udev_replace_chars` and `encode_devnode_name` in systemd).
fn udev_escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c) || !c.is_ascii() {
            escaped.push(c);
        } else {
            escaped.push_str(&format!("\\x{:02x}", u32::from(c)));
        }
    }
    escaped
}

/// What a block device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A whole disk, or what looks like one.
    Disk,
    /// A partition.
    Partition,
    /// An open LUKS or plain dm-crypt container.
    Crypt,
    /// A logical volume.
    Lvm,
    /// Software RAID, of the level that lsblk names: `raid1`.
    Raid(Arc<str>),
    /// A file.
    Loop,
    /// A drive for discs.
    Rom,
    /// Anything else, as lsblk calls it: `mpath`, `dm`, `zram` …
    Other(Arc<str>),
}

impl BlockKind {
    /// What lsblk calls its type.
    pub(crate) fn of_lsblk(kind: &str) -> Self {
        match kind {
            "disk" => Self::Disk,
            "part" => Self::Partition,
            "crypt" => Self::Crypt,
            "lvm" => Self::Lvm,
            "loop" => Self::Loop,
            "rom" => Self::Rom,
            raid if raid.starts_with("raid") || raid == "linear" => Self::Raid(Arc::from(raid)),
            other => Self::Other(Arc::from(other)),
        }
    }
}

/// A storage controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Controller {
    /// What it is.
    pub kind: Sourced<ControllerKind>,
    /// The kernel driver.
    pub driver: Fact<Arc<str>>,
    /// The maker's or the model's name, where the report has one.
    pub model: Fact<Arc<str>>,
    /// The report's number for it; a disk is attached to it by this.
    pub index: Option<u64>,
}

/// The kinds of storage controller, by PCI class 01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControllerKind {
    /// 0108: NVMe
    Nvme,
    /// 0106: SATA (AHCI)
    Sata,
    /// 0104: RAID
    Raid,
    /// 0107: SAS
    Sas,
    /// 0100: SCSI
    Scsi,
    /// 0101: IDE
    Ide,
    /// Anything else, virtio among it.
    Other,
}

impl fmt::Display for ControllerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nvme => "NVMe",
            Self::Sata => "SATA",
            Self::Raid => "RAID",
            Self::Sas => "SAS",
            Self::Scsi => "SCSI",
            Self::Ide => "IDE",
            Self::Other => "another kind",
        })
    }
}

/// Drivers whose disks may be volumes of the controller, or disks passed through it.
pub(crate) const RAID_DRIVERS: &[&str] = &[
    "megaraid_sas",
    "mpt3sas",
    "mpi3mr",
    "mpt2sas",
    "mptsas",
    "aacraid",
    "hpsa",
    "smartpqi",
    "arcmsr",
    "3w-9xxx",
    "3w-sas",
];

/// A transport from a driver's name, where the driver serves one alone.
pub(crate) fn transport_of_driver(driver: &str) -> Option<Transport> {
    Some(match driver {
        "nvme" => Transport::Nvme,
        "ahci" | "ata_piix" | "sata_nv" | "sata_sil" | "sata_mv" => Transport::Sata,
        "usb-storage" | "uas" => Transport::Usb,
        "mmcblk" | "sdhci" | "sdhci-pci" | "sdhci-tegra" => Transport::Mmc,
        driver if driver.starts_with("virtio") => Transport::Virtio,
        driver if driver.starts_with("sdhci") => Transport::Mmc,
        _ => return None,
    })
}

/// A transport that a kernel name gives away.
pub(crate) fn transport_of_name(name: &str) -> Option<Transport> {
    if name.starts_with("nvme") {
        Some(Transport::Nvme)
    } else if name.starts_with("mmcblk") {
        Some(Transport::Mmc)
    } else if name.starts_with("vd") {
        Some(Transport::Virtio)
    } else {
        None
    }
}

/// Adds a disk as one file tells it: merged with the same disk of another file, if there is one.
pub(crate) fn add(facts: &mut Facts, index: &mut Index, mut new: DiskFacts) {
    if let (None, Some(name)) = (&new.unreal, &new.name) {
        new.unreal = Unreal::of_name(&name.value).map(|kind| Sourced::new(kind, name.origin.clone()));
    }
    if let (None, Some(name)) = (&new.transport, &new.name) {
        new.transport = transport_of_name(&name.value).map(|kind| Sourced::new(kind, name.origin.clone()));
    }
    let long = new.serial.as_ref().filter(|serial| serial.value.len() >= 6);
    let by_serial = long
        .and_then(|serial| index.serials.get(&serial.value).copied())
        .filter(|at| facts.disks.get(*at).is_some_and(|known| fits(known, &new)));
    let name = new.name.as_ref().map(|name| &name.value);
    let at = by_serial
        .or_else(|| index.disks.get(name?).copied())
        .or_else(|| lasting_links(&new).find_map(|link| index.disks.get(link).copied()));
    let at = match at {
        Some(at) => {
            if let Some(known) = facts.disks.get_mut(at) {
                // Compressed memory and files are made anew, and differ each time.
                let passing = known.unreal.is_some();
                let mut differences = Vec::new();
                merge(known, new, &mut differences);
                if !passing {
                    facts.contradictions.append(&mut differences);
                }
            }
            at
        }
        None => {
            facts.disks.push(new);
            facts.disks.len() - 1
        }
    };
    let Some(known) = facts.disks.get(at) else {
        return;
    };
    for name in known
        .name
        .iter()
        .map(|name| &name.value)
        .chain(lasting_links(known))
    {
        index.disks.entry(Arc::clone(name)).or_insert(at);
    }
    if let Some(serial) = &known.serial {
        index.serials.entry(Arc::clone(&serial.value)).or_insert(at);
    }
}

/// The links that name the same disk after the next boot.
fn lasting_links(disk: &DiskFacts) -> impl Iterator<Item = &Arc<str>> {
    disk.links
        .iter()
        .map(|link| &link.value)
        .filter(|link| link.contains("/by-id/"))
}

/// Where the devices stand in [`Facts`], so that ten thousand of them are joined in no time.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Disks by kernel name and by lasting link.
    disks: HashMap<Arc<str>, usize>,
    /// Disks by serial number.
    serials: HashMap<Arc<str>, usize>,
    /// Block devices by kernel name.
    blocks: HashMap<Arc<str>, usize>,
    /// Counters of `/proc/diskstats`, which become rates when all files are read.
    pub(crate) diskstats: crate::diskstats::Samples,
    /// Hardware reports, which are read last: a live listing counts before them.
    pub(crate) reports: Vec<Report>,
}

/// A hardware report that waits until the live listings are read.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) file: source::FileId,
    pub(crate) name: Arc<str>,
    pub(crate) kept: bool,
    pub(crate) text: Arc<str>,
    pub(crate) line: u32,
    pub(crate) offset: u64,
}

impl Index {
    /// Whether a disk of that kernel name is known.
    pub(crate) fn has_disk(&self, name: &str) -> bool {
        self.disks.contains_key(name)
    }

    /// The block device of that name, if it was added before.
    pub(crate) fn block<'f>(&self, facts: &'f mut Facts, name: &str) -> Option<&'f mut BlockDevice> {
        facts.blocks.get_mut(*self.blocks.get(name)?)
    }

    /// Adds a block device of a name that is new.
    pub(crate) fn push_block(&mut self, facts: &mut Facts, block: BlockDevice) {
        self.blocks
            .insert(Arc::clone(&block.name.value), facts.blocks.len());
        facts.blocks.push(block);
    }
}

/// Whether two reports of one serial number can be one disk: masked numbers repeat.
fn fits(a: &DiskFacts, b: &DiskFacts) -> bool {
    match (&a.size, &b.size) {
        (Some(a), Some(b)) => a.value == b.value,
        _ => false,
    }
}

fn merge(known: &mut DiskFacts, new: DiskFacts, contradictions: &mut Vec<crate::facts::Contradiction>) {
    let subject = known.shown_name().to_owned();
    let mut set = |slot: &mut Fact<Arc<str>>, new, fact| put(slot, new, &subject, fact, contradictions);
    set(&mut known.name, new.name, "the kernel name");
    set(&mut known.driver, new.driver, "the driver");
    set(&mut known.queue.write_cache, new.queue.write_cache, "write_cache");
    set(&mut known.queue.zoned, new.queue.zoned, "zoned");
    // Makers, models and serial numbers are written in several ways; only what cannot be
    // the same thing is a contradiction.
    if let (Some(a), Some(b)) = (&known.model, &new.model) {
        if model_key(&a.value).len() < model_key(&b.value).len() && alike(&a.value, &b.value) {
            known.model = new.model;
        } else if !alike(&a.value, &b.value) {
            set(&mut known.model, new.model, "the model");
        }
    } else {
        set(&mut known.model, new.model, "the model");
    }
    if let (Some(a), Some(b)) = (&known.serial, &new.serial) {
        if !alike(&a.value, &b.value) {
            set(&mut known.serial, new.serial, "the serial number");
        }
    } else {
        set(&mut known.serial, new.serial, "the serial number");
    }
    if known.vendor.is_none() {
        known.vendor = new.vendor;
    }
    for link in new.links {
        if !known.links.iter().any(|old| old.value == link.value) {
            known.links.push(link);
        }
    }
    let mut bytes = |slot: &mut Fact<Bytes>, new, fact| put(slot, new, &subject, fact, contradictions);
    bytes(&mut known.size, new.size, "the size");
    bytes(
        &mut known.logical_sector,
        new.logical_sector,
        "the logical sector",
    );
    bytes(
        &mut known.physical_sector,
        new.physical_sector,
        "the physical sector",
    );
    bytes(&mut known.queue.read_ahead, new.queue.read_ahead, "read_ahead_kb");
    bytes(
        &mut known.queue.discard_granularity,
        new.queue.discard_granularity,
        "discard_granularity",
    );
    bytes(
        &mut known.queue.discard_max,
        new.queue.discard_max,
        "discard_max_bytes",
    );
    bytes(
        &mut known.queue.max_request,
        new.queue.max_request,
        "max_sectors_kb",
    );
    bytes(
        &mut known.queue.optimal_io,
        new.queue.optimal_io,
        "optimal_io_size",
    );
    bytes(
        &mut known.queue.minimum_io,
        new.queue.minimum_io,
        "minimum_io_size",
    );
    let mut truth = |slot: &mut Fact<bool>, new, fact| put(slot, new, &subject, fact, contradictions);
    truth(&mut known.rotational, new.rotational, "rotational");
    truth(&mut known.removable, new.removable, "removable");
    truth(&mut known.queue.io_stats, new.queue.io_stats, "iostats");
    let mut count = |slot: &mut Fact<u64>, new, fact| put(slot, new, &subject, fact, contradictions);
    count(&mut known.queue.requests, new.queue.requests, "nr_requests");
    count(
        &mut known.queue.writeback_latency,
        new.queue.writeback_latency,
        "wbt_lat_usec",
    );
    count(&mut known.queue.affinity, new.queue.affinity, "rq_affinity");
    count(&mut known.queue.no_merges, new.queue.no_merges, "nomerges");
    // lsblk tells only the active scheduler; the longer list says more about the same.
    match (&known.scheduler, &new.scheduler) {
        (Some(a), Some(b)) if a.value.active == b.value.active => {
            if a.value.offered.len() < b.value.offered.len() {
                known.scheduler = new.scheduler;
            }
        }
        _ => put(
            &mut known.scheduler,
            new.scheduler,
            &subject,
            "the scheduler",
            contradictions,
        ),
    }
    // The more exact transport wins: lsblk tells SATA from SAS where hwinfo says SCSI.
    match (&known.transport, &new.transport) {
        (Some(a), Some(b)) if a.value == Transport::Scsi && b.value != Transport::Scsi => {
            known.transport = new.transport;
        }
        (Some(_), Some(b)) if b.value == Transport::Scsi => {}
        _ => put(
            &mut known.transport,
            new.transport,
            &subject,
            "the transport",
            contradictions,
        ),
    }
    if known.behind_raid.is_none() {
        known.behind_raid = new.behind_raid;
    }
    if known.rotation.is_none() {
        known.rotation = new.rotation;
    }
    known.health.fill(new.health);
    match (&known.unreal, &new.unreal) {
        (Some(a), None) if a.value == Unreal::Empty && known.size.is_some() => known.unreal = None,
        (None, Some(b)) if b.value == Unreal::Empty => {}
        (None, _) => known.unreal = new.unreal,
        _ => {}
    }
}

/// A name without what tools write differently: blanks, underscores, small letters.
pub(crate) fn model_key(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Whether two names can be one: one begins with the other, or ends with it
/// (the maker's name in front), blanks and underscores aside.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (model_key(a), model_key(b));
    a.is_empty()
        || b.is_empty()
        || a.starts_with(&b)
        || b.starts_with(&a)
        || a.ends_with(&b)
        || b.ends_with(&a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_give_away_what_they_are() {
        let shown: Vec<_> = [
            "ST16000NM003G-2KH113",
            "ST3000DM001-1CH166",
            "WDC_WD1001FAES-75W7A0",
            "WDC WD40EFRX-68N32N0",
            "WDC WDS100T2B0A-00SM50",
            "TOSHIBA DT01ACA300",
            "Samsung SSD 860 EVO 500GB",
            "Micron_1100_MTFDDAK256TBN",
            "CT1000MX500SSD1",
            "KINGSTON SA400S37240G",
            "QEMU HARDDISK",
            "PERC H730P Mini",
            "STORAGE DEVICE",
            "",
        ]
        .map(|model| (model, media_of_model(model)))
        .into();
        expect_test::expect![[r#"
            [
                (
                    "ST16000NM003G-2KH113",
                    Some(
                        Hdd,
                    ),
                ),
                (
                    "ST3000DM001-1CH166",
                    Some(
                        Hdd,
                    ),
                ),
                (
                    "WDC_WD1001FAES-75W7A0",
                    Some(
                        Hdd,
                    ),
                ),
                (
                    "WDC WD40EFRX-68N32N0",
                    Some(
                        Hdd,
                    ),
                ),
                (
                    "WDC WDS100T2B0A-00SM50",
                    None,
                ),
                (
                    "TOSHIBA DT01ACA300",
                    Some(
                        Hdd,
                    ),
                ),
                (
                    "Samsung SSD 860 EVO 500GB",
                    Some(
                        Ssd,
                    ),
                ),
                (
                    "Micron_1100_MTFDDAK256TBN",
                    Some(
                        Ssd,
                    ),
                ),
                (
                    "CT1000MX500SSD1",
                    Some(
                        Ssd,
                    ),
                ),
                (
                    "KINGSTON SA400S37240G",
                    Some(
                        Ssd,
                    ),
                ),
                (
                    "QEMU HARDDISK",
                    None,
                ),
                (
                    "PERC H730P Mini",
                    None,
                ),
                (
                    "STORAGE DEVICE",
                    None,
                ),
                (
                    "",
                    None,
                ),
            ]
        "#]]
        .assert_debug_eq(&shown);
    }

    #[test]
    fn the_scheduler_in_use_stands_in_brackets() {
        let shown: Vec<_> = ["[none] mq-deadline kyber bfq\n", "none", "mq-deadline none", ""]
            .map(Scheduler::parse)
            .into();
        expect_test::expect![[r#"
            [
                Some(
                    Scheduler {
                        active: "none",
                        offered: [
                            "none",
                            "mq-deadline",
                            "kyber",
                            "bfq",
                        ],
                    },
                ),
                Some(
                    Scheduler {
                        active: "none",
                        offered: [
                            "none",
                        ],
                    },
                ),
                None,
                None,
            ]
        "#]]
        .assert_debug_eq(&shown);
    }

    #[test]
    fn a_cut_model_is_the_same_model() {
        assert!(alike("ST3000DM001-1CH1", "ST3000DM001-1CH166"));
        assert!(alike("Samsung_SSD_860_EVO_500GB", "Samsung SSD 860"));
        assert!(alike("WD40EFRX", "WDC WD40EFRX"));
        assert!(!alike("ST3000DM001", "ST4000DM001"));
    }
}
