//! Everything that was read, in one plain struct.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use source::{FileId, Sourced};

use crate::arc_tools::{ArcSamples, ArcSummary};
use crate::attributes::BtrfsAttributes;
use crate::boot::UnitTime;
use crate::btrfs::{BtrfsDeviceErrors, BtrfsUsage};
use crate::cpu::CpuFacts;
use crate::detect::Kind;
use crate::df::DfRow;
use crate::disk::{BlockDevice, Controller, DiskFacts};
use crate::files::{Compression, FileExtents, FileFlags};
use crate::fio::FioJob;
use crate::io::{CpuUse, DeviceIo};
use crate::iotop::ProcessIo;
use crate::kernel_log::KernelTrouble;
use crate::luks::Luks;
use crate::lvm::{LogicalVolume, PhysicalVolume, VolumeGroup};
use crate::md::MdArray;
use crate::memory::{MemoryFacts, Swap};
use crate::mounts::Mount;
use crate::names::Names;
use crate::nvme::NvmeNamespace;
use crate::pg_stat::PgStat;
use crate::pressure::Pressures;
use crate::settings::PgSetting;
use crate::subvolumes::{Balance, BtrfsCommits, Qgroup, Scrub, Subvolume};
use crate::versions::Versions;
use crate::vmstat::Vmstat;
use crate::zfs::{ArcStats, Counters, ZfsProperty, Zpool, ZpoolStatus};
use crate::zpool_iostat::ZpoolIo;

/// A fact that some file may have given.
pub type Fact<T> = Option<Sourced<T>>;

/// What the machine's own outputs say.
///
/// Everything is optional: what no file gave is empty or `None`, never guessed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Which files were read, and as what.
    pub files: Vec<FileRead>,
    /// The Nix system: `x86_64-linux`.
    pub system: Fact<Arc<str>>,
    /// What systemd-detect-virt calls the machine's virtualisation: `none`, `kvm`, `vmware` …
    pub virtualisation: Fact<Arc<str>>,
    /// Whether the machine boots by UEFI.
    pub uefi: Fact<bool>,
    /// The machine's maker and model, as its firmware names them.
    pub product: Fact<Arc<str>>,
    /// `desktop`, `laptop` …, as far as the report knows it (servers often count as desktops).
    pub form_factor: Fact<Arc<str>>,
    /// The processors.
    pub cpu: CpuFacts,
    /// The memory.
    pub memory: MemoryFacts,
    /// The disks, each once, whichever tools named it.
    /// Things that only look like disks are among them; see [`DiskFacts::is_disk`].
    pub disks: Vec<DiskFacts>,
    /// The block devices as lsblk or sysfs list them: disks, partitions, crypt, LVM, RAID.
    pub blocks: Vec<BlockDevice>,
    /// The storage controllers.
    pub controllers: Vec<Controller>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// The rows of `df`. Several rows can be one filesystem; see [`DfRow`].
    pub df: Vec<DfRow>,
    /// `btrfs filesystem usage`, one of each filesystem that was asked.
    pub btrfs: Vec<BtrfsUsage>,
    /// `btrfs subvolume list`.
    pub subvolumes: Vec<Subvolume>,
    /// `btrfs qgroup show`. Quotas are on where there are any.
    pub qgroups: Vec<Qgroup>,
    /// `btrfs scrub status`.
    pub scrubs: Vec<Scrub>,
    /// `btrfs balance status`.
    pub balances: Vec<Balance>,
    /// `/sys/fs/btrfs/UUID/commit_stats`.
    pub btrfs_commits: Vec<BtrfsCommits>,
    /// `compsize`.
    pub compression: Vec<Compression>,
    /// `lsattr`.
    pub file_flags: Vec<FileFlags>,
    /// `cryptsetup luksDump` and `cryptsetup status`.
    pub luks: Vec<Luks>,
    /// Kernel parameters by name: `vm.dirty_ratio`.
    pub sysctl: BTreeMap<Arc<str>, Sourced<Arc<str>>>,
    /// What iotop measured of each command.
    pub processes: Vec<ProcessIo>,
    /// Whether the kernel accounts for delays (`kernel.task_delayacct`), as far as iotop showed it.
    /// Without, iotop knows no waiting times.
    pub delay_accounting: Fact<bool>,
    /// What fio measured.
    pub fio: Vec<FioJob>,
    /// PostgreSQL's settings by name.
    pub postgres: BTreeMap<Arc<str>, PgSetting>,
    /// Redis's `INFO` by name.
    pub redis: BTreeMap<Arc<str>, Sourced<Arc<str>>>,
    /// `btrfs device stats`.
    pub btrfs_errors: Vec<BtrfsDeviceErrors>,
    /// What iostat measured of each device.
    pub io: Vec<DeviceIo>,
    /// What iostat measured of the processors meanwhile.
    pub cpu_use: Option<CpuUse>,
    /// Pressure stall information.
    pub pressure: Pressures,
    /// Swap in use, from `/proc/swaps` or a facter report.
    pub swaps: Vec<Swap>,
    /// `zpool list`.
    pub zpools: Vec<Zpool>,
    /// `zpool status`.
    pub zpool_status: Vec<ZpoolStatus>,
    /// `zfs get all` and `zpool get all`: one row for each property of each dataset.
    pub zfs: Vec<ZfsProperty>,
    /// OpenZFS's cache.
    pub arc: Option<ArcStats>,
    /// OpenZFS's intent log, from `/proc/spl/kstat/zfs/zil`.
    pub zil: Option<Counters>,
    /// `arc_summary`. [`Self::arc`] says more where both are at hand.
    pub arc_summary: Option<ArcSummary>,
    /// `arcstat`.
    pub arc_samples: Option<ArcSamples>,
    /// `zpool iostat`: pools and their parts.
    pub zpool_io: Vec<ZpoolIo>,
    /// Parameters of OpenZFS's kernel module by name, from a copy of `/sys/module/zfs/parameters`.
    pub zfs_parameters: BTreeMap<Arc<str>, Sourced<Arc<str>>>,
    /// Copies of `/sys/fs/btrfs`, one of each filesystem.
    pub btrfs_attributes: Vec<BtrfsAttributes>,
    /// Arrays of Linux software RAID.
    pub md: Vec<MdArray>,
    /// LVM's logical volumes.
    pub lvs: Vec<LogicalVolume>,
    /// LVM's volume groups.
    pub vgs: Vec<VolumeGroup>,
    /// LVM's physical volumes.
    pub pvs: Vec<PhysicalVolume>,
    /// How NVMe namespaces are formatted, from `nvme id-ns`.
    pub nvme: Vec<NvmeNamespace>,
    /// What the kernel complained of, by kind and device.
    pub kernel_log: Vec<KernelTrouble>,
    /// `vmstat`.
    pub vmstat: Option<Vmstat>,
    /// `filefrag`.
    pub file_extents: Vec<FileExtents>,
    /// `systemd-analyze blame`.
    pub unit_times: Vec<UnitTime>,
    /// PostgreSQL's `pg_stat_*`.
    pub pg_stat: Vec<PgStat>,
    /// The versions of what runs there.
    pub versions: Versions,
    /// Facts that two files tell differently.
    pub contradictions: Vec<Contradiction>,
    /// What the disks and block devices are called.
    pub(crate) names: Names,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRead {
    /// The file.
    pub file: FileId,
    /// Its path, with the section's name behind a `#` where a file holds several outputs.
    pub path: Arc<str>,
    /// What it was understood as.
    pub kind: Kind,
}

/// Two files that tell the same fact differently. Both are right about what they read:
/// a report may be older than a live listing, and kernel names move between boots.
#[derive(Clone, Debug, PartialEq)]
pub struct Contradiction {
    /// What the fact is of: a device, a mountpoint, `the machine`.
    pub subject: Arc<str>,
    /// Which fact.
    pub fact: &'static str,
    /// The value that [`Facts`] carries.
    pub kept: Sourced<String>,
    /// The other value.
    pub other: Sourced<String>,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} is {} in one file and {} in another",
            self.fact, self.subject, self.kept.value, self.other.value
        )
    }
}

impl Facts {
    /// The disk of that name: `nvme0n1`, `/dev/sda`, or any link such as `/dev/disk/by-id/…`.
    ///
    /// A partition's name gives no disk; [`Self::disk_under`] goes down to it.
    pub fn disk_by_name(&self, name: &str) -> Option<&DiskFacts> {
        if self.names.is_of(self) {
            return self.disks.get(self.names.disk([kernel_name(name), name])?);
        }
        self.disks.iter().find(|disk| disk.is_named(name))
    }

    /// The block device of that name, path or link, as lsblk listed it.
    pub fn block_by_name(&self, name: &str) -> Option<&BlockDevice> {
        let short = kernel_name(name);
        let found = if self.names.is_of(self) {
            self.names.block([short, name]).and_then(|at| self.blocks.get(at))
        } else {
            self.blocks.iter().find(|block| {
                &*block.name.value == short
                    || block.path.as_ref().is_some_and(|path| &*path.value == name)
                    || block.mapper_path().is_some_and(|path| path == name)
                    || block.links().any(|link| *link == *name)
            })
        };
        // A link that names a whole disk, or a volume of a pool.
        found.or_else(|| {
            let disk = self.disk_by_name(name).filter(|_| name.contains('/'))?;
            let own = disk.kernel_name().filter(|own| *own != short)?;
            self.block_by_name(own)
        })
    }

    /// The volume of a ZFS pool that a block device is, by the link that OpenZFS gives it: `tank/vm` of
    /// `zd0`.
    pub fn volume_of(&self, device: &str) -> Option<&str> {
        let links = &self.disk_by_name(device)?.links;
        links
            .iter()
            .find_map(|link| link.value.strip_prefix("/dev/zvol/"))
    }

    /// The disks that a device lies on, through partitions, LUKS, LVM and RAID.
    ///
    /// Without a listing of the layers, a partition's name still tells its disk
    /// (`/dev/nvme0n1p2` lies on `nvme0n1`), and so does a link that ends in `-partN`.
    pub fn disks_under(&self, device: &str) -> Vec<&DiskFacts> {
        let mut found: Vec<&DiskFacts> = Vec::new();
        let mut todo: Vec<Arc<str>> = vec![Arc::from(device)];
        let mut seen: std::collections::BTreeSet<Arc<str>> = std::collections::BTreeSet::new();
        while let Some(name) = todo.pop() {
            if !seen.insert(Arc::clone(&name)) {
                continue;
            }
            if let Some(disk) = self.disk_by_name(&name) {
                if !found.iter().any(|known| std::ptr::eq(*known, disk)) {
                    found.push(disk);
                }
                continue;
            }
            if let Some(block) = self
                .block_by_name(&name)
                .filter(|block| !block.parents.is_empty())
            {
                todo.extend(block.parents.iter().map(|parent| Arc::clone(&parent.value)));
            } else if let Some(whole) = whole_disk(&name) {
                todo.push(Arc::from(whole));
            }
        }
        found
    }

    /// The only disk that a device lies on; `None` if there are several or none.
    pub fn disk_under(&self, device: &str) -> Option<&DiskFacts> {
        match self.disks_under(device).as_slice() {
            [disk] => Some(disk),
            _ => None,
        }
    }

    /// What iostat measured of a device, by its kernel name, path, or any link.
    pub fn io_of(&self, device: &str) -> Option<&DeviceIo> {
        let by = |name: &str| self.io_named(name);
        by(kernel_name(device))
            .or_else(|| by(self.disk_by_name(device)?.kernel_name()?))
            .or_else(|| by(&self.block_by_name(device)?.name.value))
    }

    /// What iostat measured of the device that it calls so.
    pub fn io_named(&self, name: &str) -> Option<&DeviceIo> {
        if self.names.is_of(self) {
            return self.io.get(self.names.io(name)?);
        }
        self.io.iter().find(|io| &*io.name == name)
    }

    /// The first row of `df` of a mountpoint.
    pub fn df_at(&self, mountpoint: &str) -> Option<&DfRow> {
        if self.names.is_of(self) {
            return self.df.get(self.names.df(mountpoint)?);
        }
        let mut rows = self.df.iter();
        rows.find(|row| row.mountpoint.as_ref().is_some_and(|it| &*it.value == mountpoint))
    }

    /// What is mounted there. The last one wins where several are stacked.
    pub fn mount_at(&self, mountpoint: &str) -> Option<&Mount> {
        if self.names.is_of(self) {
            return self.mounts.get(self.names.mount(mountpoint)?);
        }
        self.mounts
            .iter()
            .rev()
            .find(|mount| &*mount.mountpoint.value == mountpoint)
    }

    /// Whether the whole table of mounts was read. A part of it, as a person saves it, says nothing of what
    /// it leaves out.
    pub fn has_all_mounts(&self) -> bool {
        if self.names.is_of(self) {
            return self.names.has_proc();
        }
        self.mounts.iter().any(|it| &*it.fstype.value == "proc")
    }

    /// The usage of the btrfs that was asked by this mountpoint, or that has this device.
    pub fn btrfs_of(&self, mountpoint_or_device: &str) -> Option<&BtrfsUsage> {
        let of_mountpoint = self.btrfs.iter().find(|usage| {
            let asked = usage.mountpoint.as_ref().map(|asked| &*asked.value);
            asked == Some(mountpoint_or_device)
        });
        of_mountpoint.or_else(|| {
            self.btrfs.iter().find(|usage| {
                usage
                    .devices()
                    .iter()
                    .any(|device| &**device == mountpoint_or_device)
            })
        })
    }

    /// A property of a dataset or pool, as `zfs get -Hp all` gave it.
    pub fn zfs_property(&self, dataset: &str, property: &str) -> Option<&ZfsProperty> {
        self.zfs_rows(dataset).find(|row| &*row.property == property)
    }

    /// The properties of a dataset, and of the pool of that name, in their order.
    pub fn zfs_rows<'f, 'd>(
        &'f self,
        dataset: &'d str,
    ) -> impl Iterator<Item = &'f ZfsProperty> + use<'f, 'd> {
        let known = self.names.is_of(self);
        let found = if known { self.names.zfs(dataset) } else { &[] };
        let all = if known { &[][..] } else { &self.zfs[..] };
        let of_name = all.iter().filter(move |row| &*row.dataset == dataset);
        found.iter().filter_map(|at| self.zfs.get(*at)).chain(of_name)
    }

    /// The array of that name: `md0`, `/dev/md/root`.
    pub fn md_by_name(&self, name: &str) -> Option<&MdArray> {
        let name = name.strip_prefix("/dev/").unwrap_or(name);
        self.md.iter().find(|array| &*array.name.value == name)
    }

    /// What `zpool iostat` measured of a pool.
    pub fn zpool_io_of(&self, pool: &str) -> Option<&ZpoolIo> {
        self.zpool_io.iter().find(|io| io.is_pool() && &*io.pool == pool)
    }

    /// How the namespace of that name is formatted: `nvme0n1`, `/dev/nvme0n1`.
    pub fn nvme_namespace(&self, name: &str) -> Option<&NvmeNamespace> {
        self.nvme
            .iter()
            .find(|namespace| &*namespace.device == kernel_name(name))
    }

    /// What the kernel complained of about a device: `sda`, `/dev/nvme0n1` (its controller `nvme0` too).
    pub fn troubles_of<'f>(&'f self, device: &'f str) -> impl Iterator<Item = &'f KernelTrouble> {
        let name = kernel_name(device);
        let controller = name.strip_prefix("nvme").and_then(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            name.get(.."nvme".len() + digits)
        });
        self.kernel_log
            .iter()
            .filter(move |trouble| &*trouble.subject == name || Some(&*trouble.subject) == controller)
    }

    /// Whether a log of the kernel was read, so that an empty [`Self::kernel_log`] means something.
    pub fn has_kernel_log(&self) -> bool {
        self.files.iter().any(|file| file.kind == Kind::KernelLog)
    }

    /// The rows of a view of PostgreSQL: `pg_stat_database`.
    pub fn pg_stat_of<'f>(&'f self, view: &'f str) -> impl Iterator<Item = &'f PgStat> {
        self.pg_stat.iter().filter(move |row| row.view == view)
    }

    /// Whether the machine is a virtual one, if that is known.
    pub fn is_virtual(&self) -> Option<bool> {
        self.virtualisation.as_ref().map(|kind| &*kind.value != "none")
    }

    /// Whether any file was understood.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Notes that two files tell a fact differently.
    pub(crate) fn contradict<T: fmt::Display>(
        &mut self,
        subject: &str,
        fact: &'static str,
        kept: &Sourced<T>,
        other: &Sourced<T>,
    ) {
        self.contradictions.push(Contradiction {
            subject: Arc::from(subject),
            fact,
            kept: Sourced::new(kept.value.to_string(), kept.origin.clone()),
            other: Sourced::new(other.value.to_string(), other.origin.clone()),
        });
    }
}

/// Sets a fact that was not known. One that was known stays, and if the new value is another,
/// the two are a contradiction.
pub(crate) fn put<T: PartialEq + fmt::Display>(
    slot: &mut Fact<T>,
    new: Fact<T>,
    subject: &str,
    fact: &'static str,
    contradictions: &mut Vec<Contradiction>,
) {
    let Some(new) = new else { return };
    match slot {
        None => *slot = Some(new),
        Some(known) if known.value == new.value => {}
        Some(known) => contradictions.push(Contradiction {
            subject: Arc::from(subject),
            fact,
            kept: Sourced::new(known.value.to_string(), known.origin.clone()),
            other: Sourced::new(new.value.to_string(), new.origin),
        }),
    }
}

/// The kernel's name in a path: `nvme0n1` of `/dev/nvme0n1`. A link stays as it is.
pub fn kernel_name(path: &str) -> &str {
    match path.strip_prefix("/dev/") {
        Some(rest) if !rest.contains('/') => rest,
        _ => path,
    }
}

/// The whole disk of a partition, by the letters of its name alone:
/// `sda` of `sda1`, `nvme0n1` of `nvme0n1p2`, `…-part3` without its end.
///
/// The kernel puts a `p` between a name that ends in a digit and the partition's number
/// (`block/partitions/core.c`); udev appends `-partN` to its links.
pub fn whole_disk(name: &str) -> Option<&str> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return None;
    }
    let stem = name.get(..name.len() - digits)?;
    if let Some(link) = stem.strip_suffix("-part") {
        return Some(link);
    }
    if stem.contains("/disk/by-") {
        return None;
    }
    let short = kernel_name(stem);
    if let Some(before) = stem.strip_suffix('p') {
        let ends_in_digit = before.ends_with(|c: char| c.is_ascii_digit());
        return ends_in_digit.then_some(before);
    }
    let lettered = ["sd", "hd", "vd", "xvd"].iter().any(|prefix| {
        short
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase()))
    });
    lettered.then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_names_its_disk() {
        let shown: Vec<_> = [
            "sda1",
            "/dev/sda12",
            "nvme0n1p2",
            "/dev/nvme0n1",
            "mmcblk0p1",
            "mmcblk0",
            "/dev/disk/by-id/ata-X_Y-part3",
            "/dev/disk/by-id/ata-X_Y9",
            "dm-0",
            "md127",
            "md127p1",
            "/dev/mapper/crypt1",
            "loop0",
            "7",
            "",
        ]
        .map(|name| (name, whole_disk(name)))
        .into();
        expect_test::expect![[r#"
            [
                (
                    "sda1",
                    Some(
                        "sda",
                    ),
                ),
                (
                    "/dev/sda12",
                    Some(
                        "/dev/sda",
                    ),
                ),
                (
                    "nvme0n1p2",
                    Some(
                        "nvme0n1",
                    ),
                ),
                (
                    "/dev/nvme0n1",
                    None,
                ),
                (
                    "mmcblk0p1",
                    Some(
                        "mmcblk0",
                    ),
                ),
                (
                    "mmcblk0",
                    None,
                ),
                (
                    "/dev/disk/by-id/ata-X_Y-part3",
                    Some(
                        "/dev/disk/by-id/ata-X_Y",
                    ),
                ),
                (
                    "/dev/disk/by-id/ata-X_Y9",
                    None,
                ),
                (
                    "dm-0",
                    None,
                ),
                (
                    "md127",
                    None,
                ),
                (
                    "md127p1",
                    Some(
                        "md127",
                    ),
                ),
                (
                    "/dev/mapper/crypt1",
                    None,
                ),
                (
                    "loop0",
                    None,
                ),
                (
                    "7",
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
}
