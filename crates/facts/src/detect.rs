//! What a file is: its content decides, its name helps where contents look alike.

use crate::input::Place;
use crate::{
    arc_tools, attributes, boot, btrfs, df, diskstats, files, io, iotop, kernel_log, links, luks, md,
    pg_stat, settings, subvolumes, sysctl, sysfs, versions, vmstat, zfs, zpool_iostat,
};

/// What a file was understood as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `facter.json`
    Facter,
    /// `lsblk -J`
    Lsblk,
    /// `findmnt -J`
    Findmnt,
    /// `iostat -o JSON`
    IostatJson,
    /// `iostat`
    IostatText,
    /// `df`
    Df,
    /// `btrfs filesystem usage`
    BtrfsUsage,
    /// `btrfs device stats`
    BtrfsDeviceStats,
    /// `/proc/mounts`
    Mounts,
    /// `/proc/swaps`
    Swaps,
    /// `/proc/meminfo`
    Meminfo,
    /// `/proc/pressure/*`
    Pressure,
    /// Lines that tell versions.
    Versions,
    /// `zpool list`
    ZpoolList,
    /// `zpool status`
    ZpoolStatus,
    /// `zfs get`, `zpool get`
    ZfsGet,
    /// `/proc/spl/kstat/zfs/*`
    Kstat,
    /// A file of a copy of `/sys/block`.
    Sysfs,
    /// `btrfs filesystem df`
    BtrfsDf,
    /// `btrfs subvolume list`
    BtrfsSubvolumes,
    /// `btrfs qgroup show`
    BtrfsQgroups,
    /// `btrfs scrub status`
    BtrfsScrub,
    /// `btrfs balance status`
    BtrfsBalance,
    /// `/sys/fs/btrfs/UUID/commit_stats`
    BtrfsCommits,
    /// `compsize`
    Compsize,
    /// `lsattr`
    Lsattr,
    /// `cryptsetup luksDump`, `cryptsetup status`
    Luks,
    /// `sysctl -a`, a copy of `/proc/sys`
    Sysctl,
    /// `iotop -b`
    Iotop,
    /// `/proc/diskstats`
    Diskstats,
    /// `fio --output-format=json`
    Fio,
    /// `smartctl -j`
    Smartctl,
    /// PostgreSQL's `pg_settings`
    PgSettings,
    /// Redis's `INFO`
    RedisInfo,
    /// The links of `/dev/disk`
    Links,
    /// A file of a copy of `/sys/fs/btrfs` or `/sys/module/zfs/parameters`
    Attribute,
    /// `zpool iostat`
    ZpoolIostat,
    /// `arc_summary`, `zarcsummary`
    ArcSummary,
    /// `arcstat`, `zarcstat`
    Arcstat,
    /// `/proc/mdstat`
    Mdstat,
    /// `mdadm --detail`
    Mdadm,
    /// `lvs`, `vgs`, `pvs` with `--reportformat json`
    Lvm,
    /// `dmesg`, `journalctl -k`
    KernelLog,
    /// `vmstat`
    Vmstat,
    /// `nvme smart-log -o json`
    NvmeSmartLog,
    /// `nvme id-ns -o json`
    NvmeIdNs,
    /// PostgreSQL's `pg_stat_*`
    PgStat,
    /// `filefrag`
    Filefrag,
    /// `systemd-analyze blame`
    Blame,
}

impl Kind {
    /// Whether it may be of any length: samples taken again and again.
    pub(crate) fn is_log(self) -> bool {
        matches!(
            self,
            Self::IostatJson
                | Self::IostatText
                | Self::Iotop
                | Self::Diskstats
                | Self::ZpoolIostat
                | Self::Arcstat
                | Self::Vmstat
                | Self::KernelLog
        )
    }

    /// The command or file whose output it is.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Facter => "facter.json",
            Self::Lsblk => "lsblk -J",
            Self::Findmnt => "findmnt -J",
            Self::IostatJson => "iostat -o JSON",
            Self::IostatText => "iostat",
            Self::Df => "df",
            Self::BtrfsUsage => "btrfs filesystem usage",
            Self::BtrfsDeviceStats => "btrfs device stats",
            Self::Mounts => "/proc/mounts",
            Self::Swaps => "/proc/swaps",
            Self::Meminfo => "/proc/meminfo",
            Self::Pressure => "/proc/pressure",
            Self::Versions => "versions",
            Self::ZpoolList => "zpool list",
            Self::ZpoolStatus => "zpool status",
            Self::ZfsGet => "zfs get",
            Self::Kstat => "a kstat",
            Self::Sysfs => "/sys/block",
            Self::BtrfsDf => "btrfs filesystem df",
            Self::BtrfsSubvolumes => "btrfs subvolume list",
            Self::BtrfsQgroups => "btrfs qgroup show",
            Self::BtrfsScrub => "btrfs scrub status",
            Self::BtrfsBalance => "btrfs balance status",
            Self::BtrfsCommits => "commit_stats",
            Self::Compsize => "compsize",
            Self::Lsattr => "lsattr",
            Self::Luks => "cryptsetup",
            Self::Sysctl => "sysctl",
            Self::Iotop => "iotop",
            Self::Diskstats => "/proc/diskstats",
            Self::Fio => "fio",
            Self::Smartctl => "smartctl -j",
            Self::PgSettings => "pg_settings",
            Self::RedisInfo => "redis INFO",
            Self::Links => "/dev/disk",
            Self::Attribute => "a kernel attribute",
            Self::ZpoolIostat => "zpool iostat",
            Self::ArcSummary => "arc_summary",
            Self::Arcstat => "arcstat",
            Self::Mdstat => "/proc/mdstat",
            Self::Mdadm => "mdadm --detail",
            Self::Lvm => "LVM's report",
            Self::KernelLog => "dmesg",
            Self::Vmstat => "vmstat",
            Self::NvmeSmartLog => "nvme smart-log",
            Self::NvmeIdNs => "nvme id-ns",
            Self::PgStat => "pg_stat",
            Self::Filefrag => "filefrag",
            Self::Blame => "systemd-analyze blame",
        }
    }
}

/// What text that is no JSON is, by its first lines and its place's name.
pub(crate) fn text(place: &Place<'_>, head: &str) -> Option<Kind> {
    if sysfs::attribute(&place.name).is_some() {
        return Some(Kind::Sysfs);
    }
    if sysctl::of_path(&place.name).is_some_and(|name| name != "kernel.osrelease") {
        return Some(Kind::Sysctl);
    }
    if attributes::btrfs(&place.name).is_some() || attributes::zfs(&place.name).is_some() {
        return Some(Kind::Attribute);
    }
    let mut lines = head.lines().filter(|line| !line.trim().is_empty()).take(200);
    let first = lines.next()?;
    let all = || {
        std::iter::once(first).chain(
            head.lines()
                .filter(|line| !line.trim().is_empty())
                .take(200)
                .skip(1),
        )
    };
    let second = lines.next().unwrap_or("");
    let any = |is: &dyn Fn(&str) -> bool| all().any(is);
    if links::is(first) {
        return Some(Kind::Links);
    }
    if zfs::is_kstat(first, second) {
        return Some(Kind::Kstat);
    }
    if subvolumes::is_commits(first, second) {
        return Some(Kind::BtrfsCommits);
    }
    // What can only be one thing comes first.
    if any(&|line| line.trim() == "Overall:") && any(&|line| line.trim_start().starts_with("Device size:")) {
        return Some(Kind::BtrfsUsage);
    }
    // A log of the kernel may hold anything that others print.
    if all().take(3).any(kernel_log::is) || kernel_log::is_name(&place.name) {
        return Some(Kind::KernelLog);
    }
    if any(&btrfs::is_device_stats) {
        return Some(Kind::BtrfsDeviceStats);
    }
    if any(&subvolumes::is_df) {
        return Some(Kind::BtrfsDf);
    }
    if any(&subvolumes::is_subvolume) {
        return Some(Kind::BtrfsSubvolumes);
    }
    if any(&subvolumes::is_qgroup_header) {
        return Some(Kind::BtrfsQgroups);
    }
    if any(&|line| line.starts_with("UUID:"))
        && any(&|line| {
            line.starts_with("Error summary:")
                || line.contains("no stats available")
                || line.trim_start().starts_with("data_extents_scrubbed:")
        })
    {
        return Some(Kind::BtrfsScrub);
    }
    if any(&subvolumes::is_balance) {
        return Some(Kind::BtrfsBalance);
    }
    if any(&files::is_compsize_header) {
        return Some(Kind::Compsize);
    }
    if any(&|line| luks::is_dump(line) || luks::is_status(line)) {
        return Some(Kind::Luks);
    }
    if any(&settings::is_redis) {
        return Some(Kind::RedisInfo);
    }
    if settings::is_pg_header(first) {
        return Some(Kind::PgSettings);
    }
    if pg_stat::is_header(first) {
        return Some(Kind::PgStat);
    }
    if any(&md::is_mdstat) {
        return Some(Kind::Mdstat);
    }
    if any(&md::is_detail) {
        return Some(Kind::Mdadm);
    }
    if any(&vmstat::is_header) {
        return Some(Kind::Vmstat);
    }
    if any(&arc_tools::is_summary) {
        return Some(Kind::ArcSummary);
    }
    if any(&arc_tools::is_arcstat_header) {
        return Some(Kind::Arcstat);
    }
    if any(&zpool_iostat::is_header) {
        return Some(Kind::ZpoolIostat);
    }
    if any(&files::is_filefrag) {
        return Some(Kind::Filefrag);
    }
    if any(&|line| line.contains("avg10=") && line.contains("avg300=")) {
        return Some(Kind::Pressure);
    }
    if any(&|line| line.starts_with("MemTotal:")) {
        return Some(Kind::Meminfo);
    }
    if any(&|line| line.starts_with("Filename") && line.contains("Priority")) {
        return Some(Kind::Swaps);
    }
    if any(&|line| io::is_header(line) || line.starts_with("avg-cpu:")) {
        return Some(Kind::IostatText);
    }
    if any(&df::is_header) {
        return Some(Kind::Df);
    }
    if any(&|line| line.trim_start().starts_with("pool: "))
        && any(&|line| line.trim_start().starts_with("state: "))
    {
        return Some(Kind::ZpoolStatus);
    }
    if any(&zfs::is_zpool_header) || any(&zfs::is_zpool_row) {
        return Some(Kind::ZpoolList);
    }
    if all().take(5).any(zpool_iostat::is_scripted_row) {
        return Some(Kind::ZpoolIostat);
    }
    if all().take(5).any(boot::is) {
        return Some(Kind::Blame);
    }
    if all().take(5).any(zfs::is_property_row) {
        return Some(Kind::ZfsGet);
    }
    if all().take(5).any(diskstats::is) {
        return Some(Kind::Diskstats);
    }
    if all().take(5).any(iotop::is) {
        return Some(Kind::Iotop);
    }
    if all().take(5).any(files::is_lsattr) {
        return Some(Kind::Lsattr);
    }
    if all().take(5).any(sysctl::is) {
        return Some(Kind::Sysctl);
    }
    if all().take(5).any(is_mount) {
        return Some(Kind::Mounts);
    }
    let osrelease = place.name.ends_with("/osrelease");
    if osrelease || any(&versions::is) {
        return Some(Kind::Versions);
    }
    None
}

/// Whether a line is one of `/proc/mounts`: six fields, two numbers at the end, a path in the second.
fn is_mount(line: &str) -> bool {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    match fields.as_slice() {
        [_, mountpoint, _, options, dump, pass] => {
            mountpoint.starts_with('/')
                && options
                    .split(',')
                    .any(|option| option == "rw" || option == "ro" || option == "defaults")
                && [dump, pass]
                    .iter()
                    .all(|number| number.bytes().all(|b| b.is_ascii_digit()))
        }
        _ => false,
    }
}

/// The seconds that a name such as `arcstats-60s-later` tells; `-5min-later` and `-1h-later` too.
pub(crate) fn seconds_later(name: &str) -> Option<f64> {
    let stem = name.rsplit('/').next().unwrap_or(name);
    let at = stem.find("-later")?;
    let word = stem.get(..at)?.rsplit(['-', '_', '.']).next()?;
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let number: f64 = word.get(..digits)?.parse().ok()?;
    let unit = match word.get(digits..)? {
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    (number > 0.0).then_some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_time_between() {
        assert_eq!(seconds_later("bundle/arcstats-60s-later"), Some(60.0));
        assert_eq!(seconds_later("psi-io-5min-later.txt"), Some(300.0));
        assert_eq!(seconds_later("arcstats"), None);
        assert_eq!(seconds_later("arcstats-0s-later"), None);
    }
}
