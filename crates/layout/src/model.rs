//! The types. Devices live in one list and name each other by [`DeviceId`], because a layout is
//! not a tree: volume groups, arrays and pools are fed by members that stand elsewhere.

use std::sync::Arc;

use source::{Binding, OptionPath, Origin, Problem, Sourced, Unknown};

/// Names one device of a [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub u32);

/// A piece of text with its origin.
pub type Text = Sourced<Arc<str>>;

/// A layout as declared, and what disko makes of it.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Every node, parents before their children, in the order in which disko visits them.
    pub devices: Vec<Device>,
    /// What NixOS mounts, by mountpoint, in the order of the names as Nix keeps them.
    pub mounts: Vec<Mount>,
    /// What NixOS swaps to, in disko's order.
    pub swaps: Vec<SwapDevice>,
    /// `boot.initrd.luks.devices`, by name.
    pub luks: Vec<LuksDevice>,
    /// `boot.resumeDevice`, if the layout sets it.
    pub resume_device: Option<Text>,
    /// What is not known because it depends on something that nobody gave, sorted by path.
    pub unknown: Vec<UnknownPart>,
    /// What could not be read, with its place.
    pub problems: Vec<Problem>,
}

/// A part of the layout that depends on something nobody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPart {
    /// Where in the layout.
    pub path: OptionPath,
    /// What it depends on, and why that is not known.
    pub because: Arc<Unknown>,
}

/// A node of the layout.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id, the index in [`Layout::devices`].
    pub id: DeviceId,
    /// The option path, such as `disko.devices.disk.main.content.partitions.root`.
    pub path: OptionPath,
    /// The node that it lies in: a partition's table, a filesystem's partition.
    pub parent: Option<DeviceId>,
    /// The set that declares it.
    pub origin: Origin,
    /// The bindings that set it, for edits.
    pub bindings: Vec<Binding>,
    /// The block device that it is or lies on, as disko computes it
    /// (`/dev/disk/by-partlabel/disk-main-root`, `/dev/mapper/crypted`); `None` when unknown or none.
    pub node: Option<Arc<str>>,
    /// What it is.
    pub kind: Kind,
}

/// What a device is, and what was set on it. Options nobody set are `None` or empty:
/// disko's defaults are filled in only where a field's documentation says so.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `disk.<name>`
    Disk(Disk),
    /// A GPT.
    Gpt(Gpt),
    /// A legacy partition table, `type = "table"`.
    Table(Table),
    /// A partition of either.
    Partition(Partition),
    /// A LUKS container.
    Luks(Luks),
    /// A btrfs filesystem.
    Btrfs(Btrfs),
    /// A btrfs subvolume.
    Subvolume(Subvolume),
    /// Any other filesystem made by `mkfs.<format>`.
    Filesystem(Filesystem),
    /// A swap partition or volume.
    Swap(Swap),
    /// A member of a volume group.
    LvmPv(Member),
    /// `lvm_vg.<name>`
    LvmVg(Group),
    /// A logical volume.
    LvmLv(LvmLv),
    /// A member of an md array.
    Mdraid(Member),
    /// `mdadm.<name>`
    Mdadm(Mdadm),
    /// A member of a ZFS pool.
    ZfsMember(Member),
    /// `zpool.<name>`
    Zpool(Box<Zpool>),
    /// A ZFS filesystem dataset.
    Dataset(Dataset),
    /// A ZFS volume.
    Zvol(Zvol),
    /// `nodev.<mountpoint>`: tmpfs and other mounts without a device.
    Nodev(Nodev),
    /// A member of a bcachefs filesystem.
    BcachefsMember(Member),
    /// `bcachefs_filesystems.<name>`
    Bcachefs(Bcachefs),
    /// A bcachefs subvolume.
    BcachefsSubvolume(BcachefsSubvolume),
    /// A filesystem of a host without disko: one `fileSystems.<mountpoint>`.
    PlainMount(PlainMount),
    /// A node type that this program does not know.
    Other(OtherKind),
}

impl Kind {
    /// Where the device itself is mounted, if it is a kind that can be and is.
    pub fn mountpoint(&self) -> Option<&Text> {
        match self {
            Kind::Btrfs(btrfs) => btrfs.mountpoint.as_ref(),
            Kind::Subvolume(subvolume) => subvolume.mountpoint.as_ref(),
            Kind::Filesystem(filesystem) => filesystem.mountpoint.as_ref(),
            Kind::Dataset(dataset) => dataset.mountpoint.as_ref(),
            Kind::Nodev(nodev) => nodev.mountpoint.as_ref(),
            Kind::Bcachefs(bcachefs) => bcachefs.mountpoint.as_ref(),
            Kind::BcachefsSubvolume(subvolume) => subvolume.mountpoint.as_ref(),
            Kind::PlainMount(mount) => Some(&mount.mountpoint),
            Kind::Disk(_)
            | Kind::Gpt(_)
            | Kind::Table(_)
            | Kind::Partition(_)
            | Kind::Luks(_)
            | Kind::Swap(_)
            | Kind::LvmPv(_)
            | Kind::LvmVg(_)
            | Kind::LvmLv(_)
            | Kind::Mdraid(_)
            | Kind::Mdadm(_)
            | Kind::ZfsMember(_)
            | Kind::Zpool(_)
            | Kind::Zvol(_)
            | Kind::BcachefsMember(_)
            | Kind::Other(_) => None,
        }
    }
}

/// `disk.<name>`
#[derive(Clone, Debug)]
pub struct Disk {
    /// The name: what was set, or the attribute's.
    pub name: Arc<str>,
    /// The device file, if it was set: by-id, kernel name, or a placeholder.
    pub device: Option<Text>,
    /// `destroy`, if it was set.
    pub destroy: Option<Sourced<bool>>,
}

/// A GPT.
#[derive(Clone, Debug, Default)]
pub struct Gpt {
    /// Whether any partition asks for an entry in a hybrid MBR.
    pub hybrid: bool,
}

/// A legacy table.
#[derive(Clone, Debug)]
pub struct Table {
    /// `gpt` or `msdos`.
    pub format: Option<Text>,
}

/// A partition.
#[derive(Clone, Debug)]
pub struct Partition {
    /// The name: what was set, or the attribute's; empty for a legacy partition without one.
    pub name: Arc<str>,
    /// `size`, as written (`512M`, `100%`).
    pub size: Option<Text>,
    /// `start`, as written.
    pub start: Option<Text>,
    /// `end`, as written.
    pub end: Option<Text>,
    /// The GPT type code (`EF00`) or the legacy `part-type`.
    pub type_code: Option<Text>,
    /// The label, if set.
    pub label: Option<Text>,
}

/// A LUKS container.
#[derive(Clone, Debug)]
pub struct Luks {
    /// The mapper name, if it is known.
    pub name: Option<Text>,
    /// `settings.allowDiscards`.
    pub allow_discards: Option<Sourced<bool>>,
    /// `settings.bypassWorkqueues`.
    pub bypass_workqueues: Option<Sourced<bool>>,
    /// The set `settings`, if it was written.
    pub settings: Option<Place>,
    /// `extraFormatArgs`.
    pub extra_format_args: Vec<Text>,
    /// `extraOpenArgs`.
    pub extra_open_args: Vec<Text>,
    /// `initrdUnlock`, disko's default `true` filled in; `None` when not known.
    pub initrd_unlock: Option<Sourced<bool>>,
}

/// A btrfs filesystem.
#[derive(Clone, Debug)]
pub struct Btrfs {
    /// `extraArgs` of `mkfs.btrfs`; further device files in it are members too.
    pub extra_args: Vec<Text>,
    /// `mountOptions` of the top level (used only with a mountpoint).
    pub mount_options: MountOptions,
    /// The mountpoint of the top level.
    pub mountpoint: Option<Text>,
    /// Swap files in the top level.
    pub swap_files: Vec<SwapFile>,
    /// The subvolumes, in the order of their attribute names.
    pub subvolumes: Vec<DeviceId>,
}

/// A btrfs subvolume.
#[derive(Clone, Debug)]
pub struct Subvolume {
    /// The name inside the filesystem (`/rootfs`, `@home`).
    pub name: Arc<str>,
    /// Where it is mounted, if it is.
    pub mountpoint: Option<Text>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
    /// Swap files in it.
    pub swap_files: Vec<SwapFile>,
}

/// A swap file of a btrfs subvolume.
#[derive(Clone, Debug)]
pub struct SwapFile {
    /// The attribute name.
    pub name: Arc<str>,
    /// The path below the mountpoint, disko's default (the name) filled in; `None` when not known.
    pub path: Option<Text>,
    /// The size, as written.
    pub size: Option<Text>,
    /// The priority.
    pub priority: Option<Sourced<i64>>,
    /// Options for swapon.
    pub options: MountOptions,
}

/// A filesystem other than btrfs.
#[derive(Clone, Debug)]
pub struct Filesystem {
    /// `ext4`, `xfs`, `vfat` …
    pub format: Text,
    /// The mountpoint, if it is mounted.
    pub mountpoint: Option<Text>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
    /// `extraArgs` of mkfs.
    pub extra_args: Vec<Text>,
}

/// A swap device.
#[derive(Clone, Debug)]
pub struct Swap {
    /// `discardPolicy`.
    pub discard_policy: Option<Text>,
    /// `priority`.
    pub priority: Option<Sourced<i64>>,
    /// `randomEncryption`.
    pub random_encryption: Option<Sourced<bool>>,
    /// `resumeDevice`.
    pub resume_device: Option<Sourced<bool>>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
}

/// A member of a volume group, an array, a pool or a bcachefs filesystem.
#[derive(Clone, Debug)]
pub struct Member {
    /// The name of what it is a member of (`vg`, `name`, `pool`, `filesystem`), if it is known.
    pub of: Option<Text>,
}

/// A volume group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The name.
    pub name: Arc<str>,
    /// Its physical volumes.
    pub members: Vec<DeviceId>,
}

/// A logical volume.
#[derive(Clone, Debug)]
pub struct LvmLv {
    /// The name.
    pub name: Arc<str>,
    /// The size, as written.
    pub size: Option<Text>,
    /// `lvm_type`.
    pub lvm_type: Option<Text>,
    /// The thin pool.
    pub pool: Option<Text>,
    /// `extraArgs` of lvcreate.
    pub extra_args: Vec<Text>,
}

/// An md array.
#[derive(Clone, Debug)]
pub struct Mdadm {
    /// The name.
    pub name: Arc<str>,
    /// The RAID level, disko's default 1 filled in; `None` when not known.
    pub level: Option<Sourced<i64>>,
    /// `metadata`.
    pub metadata: Option<Text>,
    /// `extraArgs` of mdadm.
    pub extra_args: Vec<Text>,
    /// Its members.
    pub members: Vec<DeviceId>,
}

/// A ZFS pool.
#[derive(Clone, Debug)]
pub struct Zpool {
    /// The name.
    pub name: Arc<str>,
    /// How its members are arranged.
    pub mode: ZpoolMode,
    /// `options` (`-o` of zpool create), by name.
    pub options: Properties,
    /// `rootFsOptions` (`-O`), by name.
    pub root_fs_options: Properties,
    /// `mountpoint` of the pool's root dataset.
    pub mountpoint: Option<Text>,
    /// `mountOptions` of the root dataset.
    pub mount_options: MountOptions,
    /// All member devices of the layout (`type = "zfs"`).
    pub members: Vec<DeviceId>,
    /// The datasets and volumes, in the order of their attribute names. Among them is the root
    /// dataset, which disko calls `__root`: it has the pool's name, `rootFsOptions`, `mountpoint`
    /// and `mountOptions`.
    pub datasets: Vec<DeviceId>,
}

/// How a pool's members are arranged.
#[derive(Clone, Debug)]
pub enum ZpoolMode {
    /// `""`, `"mirror"`, `"raidz"` …, over all members.
    Simple(Text),
    /// `mode.topology`
    Topology(Topology),
    /// Not known.
    Unknown,
}

/// `mode.topology` of a pool.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// Storage vdevs.
    pub vdev: Vec<Vdev>,
    /// Log vdevs (SLOG).
    pub log: Vec<Vdev>,
    /// Special allocation vdevs.
    pub special: Vec<Vdev>,
    /// Dedup vdevs.
    pub dedup: Vec<Vdev>,
    /// Cache devices (L2ARC).
    pub cache: Vec<Text>,
    /// Hot spares.
    pub spare: Vec<Text>,
}

/// A vdev of a topology.
#[derive(Clone, Debug)]
pub struct Vdev {
    /// `""` (disko's default), `mirror`, `raidz1` …; `None` when not known.
    pub mode: Option<Text>,
    /// Members, as written: a path, or the name of a disk.
    pub members: Vec<Text>,
    /// The members found in the layout.
    pub devices: Vec<DeviceId>,
}

/// A ZFS filesystem dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The full name with the pool: `tank/data`; the pool's alone for its root dataset.
    pub name: Arc<str>,
    /// `options`, by name (`rootFsOptions` of the pool for its root dataset).
    pub options: Properties,
    /// `mountpoint` (disko's own; `options.mountpoint` is among the options).
    pub mountpoint: Option<Text>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
}

/// A ZFS volume.
#[derive(Clone, Debug)]
pub struct Zvol {
    /// The full name with the pool.
    pub name: Arc<str>,
    /// The size, as written.
    pub size: Option<Text>,
    /// `options`, by name.
    pub options: Properties,
}

/// A mount without a device.
#[derive(Clone, Debug)]
pub struct Nodev {
    /// `fsType`
    pub fs_type: Text,
    /// The mountpoint: what was set, or the attribute's name; `None` for an explicit `null`.
    pub mountpoint: Option<Text>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
}

/// A bcachefs filesystem.
#[derive(Clone, Debug)]
pub struct Bcachefs {
    /// The name.
    pub name: Arc<str>,
    /// `extraFormatArgs`.
    pub extra_format_args: Vec<Text>,
    /// The mountpoint.
    pub mountpoint: Option<Text>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
    /// The UUID: what was set, or the one that disko makes of the name.
    pub uuid: Option<Text>,
    /// Its members.
    pub members: Vec<DeviceId>,
    /// The subvolumes, in the order of their attribute names.
    pub subvolumes: Vec<DeviceId>,
}

/// A bcachefs subvolume.
#[derive(Clone, Debug)]
pub struct BcachefsSubvolume {
    /// The name inside the filesystem.
    pub name: Arc<str>,
    /// Where it is mounted, if it is.
    pub mountpoint: Option<Text>,
    /// `mountOptions`.
    pub mount_options: MountOptions,
}

/// One `fileSystems.<mountpoint>` of a host without disko.
#[derive(Clone, Debug)]
pub struct PlainMount {
    /// The mountpoint.
    pub mountpoint: Text,
    /// `fsType`.
    pub fs_type: Text,
    /// `options`.
    pub mount_options: MountOptions,
}

/// A node of a type that this program does not know.
#[derive(Clone, Debug)]
pub struct OtherKind {
    /// The `type`, if there was one.
    pub type_name: Option<Text>,
}

/// Where a value stands that can be edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The option path of the value.
    pub path: OptionPath,
    /// The expression that made the value.
    pub origin: Origin,
    /// The bindings that set it; empty when nothing did.
    pub bindings: Vec<Binding>,
}

/// A list of mount options, as one list of the layout.
///
/// `list` is what was written; empty with `place.bindings` empty when nobody wrote one
/// (disko then uses `[ "defaults" ]`).
#[derive(Clone, Debug, PartialEq)]
pub struct MountOptions {
    /// The option path and where the list was written.
    pub place: Place,
    /// The elements as written. One element may hold several options joined by commas.
    pub list: Vec<Text>,
    /// Whether anything wrote the list.
    pub written: bool,
    /// What the list depends on when it, or an element of it, is not known.
    pub unknown: Option<Arc<Unknown>>,
}

/// One mount option, a comma-joined element split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MountOption<'a> {
    /// `compress` in `compress=zstd`.
    pub key: &'a str,
    /// `zstd` in `compress=zstd`.
    pub value: Option<&'a str>,
    /// The list element that holds it.
    pub element: &'a Text,
    /// The index of that element in [`MountOptions::list`].
    pub index: usize,
}

/// The options of a list in order, comma-joined elements split.
///
/// disko and NixOS join the elements with commas, so that one element may hold several options
/// (disko's own `example/f2fs.nix` does it).
pub fn split_options(list: &[Text]) -> impl DoubleEndedIterator<Item = MountOption<'_>> {
    list.iter().enumerate().flat_map(|(index, element)| {
        element
            .value
            .split(',')
            .filter(|option| !option.is_empty())
            .map(move |option| {
                let (key, value) = match option.split_once('=') {
                    Some((key, value)) => (key, Some(value)),
                    None => (option, None),
                };
                MountOption {
                    key,
                    value,
                    element,
                    index,
                }
            })
    })
}

impl MountOptions {
    /// The options in order, comma-joined elements split.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = MountOption<'_>> {
        split_options(&self.list)
    }

    /// The last option with one of these keys: inside one list the last one wins.
    pub fn last(&self, keys: &[&str]) -> Option<MountOption<'_>> {
        self.iter().rfind(|option| keys.contains(&option.key))
    }

    /// Whether an option with this key stands in the list.
    pub fn has(&self, key: &str) -> bool {
        self.iter().any(|option| option.key == key)
    }
}

/// Properties of a pool or a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// The option path of the set, and where it was written.
    pub place: Place,
    /// The properties by name, with the place of each.
    pub values: Vec<Property>,
    /// The names of properties that were set to something not known, and what that depends on.
    pub unknown: Vec<(Arc<str>, Arc<Unknown>)>,
    /// What the whole set depends on when it is not known.
    pub whole_unknown: Option<Arc<Unknown>>,
}

/// One property.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The name: `ashift`, `com.sun:auto-snapshot`.
    pub name: Arc<str>,
    /// The value.
    pub value: Text,
    /// The bindings that set it.
    pub bindings: Vec<Binding>,
}

impl Properties {
    /// The property of that name.
    pub fn get(&self, name: &str) -> Option<&Property> {
        self.values.iter().find(|property| &*property.name == name)
    }

    /// Why it is not known whether and to what this property is set; `None` when it is known.
    pub fn unknown(&self, name: &str) -> Option<&Arc<Unknown>> {
        self.unknown
            .iter()
            .find(|(unknown, _)| &**unknown == name)
            .map(|(_, because)| because)
            .or(self.whole_unknown.as_ref())
    }
}

/// One entry of `fileSystems`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// The mountpoint.
    pub mountpoint: Text,
    /// The device, as NixOS gets it: a device file, a dataset name, `none`; `None` when not known.
    pub device: Option<Arc<str>>,
    /// The filesystem type.
    pub fs_type: Arc<str>,
    /// The options in order, as disko gives them to NixOS (its default `defaults` and what it
    /// appends, such as `subvol=`, included).
    pub options: Vec<Text>,
    /// The list that the layout's author controls.
    pub declared: MountOptions,
    /// Whether NixOS mounts it in the initrd: `neededForBoot`, or one of the paths that it always does.
    pub needed_for_boot: bool,
    /// `neededForBoot` as something set it (disko does so for bcachefs, a person in `fileSystems`).
    pub needed_for_boot_set: Option<Sourced<bool>>,
    /// The node of the layout that asks for the mount: a subvolume, a filesystem, a dataset.
    pub device_id: DeviceId,
}

/// One entry of `swapDevices`.
#[derive(Clone, Debug)]
pub struct SwapDevice {
    /// The device or file; `None` when not known.
    pub device: Option<Arc<str>>,
    /// The priority, if set.
    pub priority: Option<i64>,
    /// `discardPolicy`, if set.
    pub discard_policy: Option<Arc<str>>,
    /// `randomEncryption.enable`.
    pub random_encryption: bool,
    /// `randomEncryption.allowDiscards`.
    pub random_encryption_discards: bool,
    /// Options for swapon.
    pub options: Vec<Arc<str>>,
    /// The node of the layout that asks for it.
    pub device_id: DeviceId,
}

/// One entry of `boot.initrd.luks.devices`.
#[derive(Clone, Debug)]
pub struct LuksDevice {
    /// The mapper name.
    pub name: Arc<str>,
    /// The device that is opened.
    pub device: Option<Arc<str>>,
    /// `settings`, merged in by disko: names and values as JSON.
    pub settings: Vec<(Arc<str>, serde_json::Value)>,
    /// The LUKS node.
    pub device_id: DeviceId,
}

impl Layout {
    /// The device of that id; `None` for an id of another layout.
    pub fn device(&self, id: DeviceId) -> Option<&Device> {
        self.devices.get(id.0 as usize)
    }

    /// The mount at this mountpoint.
    pub fn mount(&self, mountpoint: &str) -> Option<&Mount> {
        self.mounts_at(mountpoint).first()
    }

    /// The mounts at a mountpoint; more than one only where `fileSystems` gives two entries one
    /// `mountPoint`.
    fn mounts_at(&self, mountpoint: &str) -> &[Mount] {
        let start = self
            .mounts
            .partition_point(|mount| &*mount.mountpoint.value < mountpoint);
        let end = self
            .mounts
            .partition_point(|mount| &*mount.mountpoint.value <= mountpoint);
        self.mounts.get(start..end).unwrap_or_default()
    }

    /// The mounts that a device asks for by itself, its children left aside.
    pub fn mounts_of(&self, id: DeviceId) -> impl Iterator<Item = &Mount> {
        self.device(id)
            .and_then(|device| device.kind.mountpoint())
            .map_or(&[][..], |mountpoint| self.mounts_at(&mountpoint.value))
            .iter()
            .filter(move |mount| mount.device_id == id)
    }

    /// Why the value at `path` is not known: it, or something that it lies in, depends on
    /// something nobody gave. An option that reads as `None` and for which this is `None` too
    /// was really not set.
    pub fn unknown_at(&self, path: &OptionPath) -> Option<&UnknownPart> {
        let mut above = path.clone();
        loop {
            let at = self.unknown.partition_point(|part| part.path < above);
            match self.unknown.get(at) {
                Some(part) if part.path == above => return Some(part),
                _ if above.segments().is_empty() => return None,
                _ => above = above.parent(),
            }
        }
    }

    /// The parts at or below a path that are not known.
    pub fn unknown_below(&self, path: &OptionPath) -> &[UnknownPart] {
        let start = self.unknown.partition_point(|part| part.path < *path);
        let rest = self.unknown.get(start..).unwrap_or_default();
        let length = rest.partition_point(|part| part.path.starts_with(path));
        rest.get(..length).unwrap_or_default()
    }

    /// The devices directly inside this one.
    pub fn children(&self, id: DeviceId) -> impl Iterator<Item = &Device> {
        let listed: Option<&[DeviceId]> = match self.device(id).map(|device| &device.kind) {
            Some(Kind::Btrfs(btrfs)) => Some(&btrfs.subvolumes),
            Some(Kind::Bcachefs(bcachefs)) => Some(&bcachefs.subvolumes),
            Some(Kind::Zpool(pool)) => Some(&pool.datasets),
            _ => None,
        };
        let after = match listed {
            Some(_) => &[],
            // Parents stand before their children.
            None => self.devices.get(id.0 as usize + 1..).unwrap_or_default(),
        };
        listed
            .unwrap_or_default()
            .iter()
            .filter_map(|child| self.device(*child))
            .chain(after.iter().filter(move |device| device.parent == Some(id)))
    }

    /// What a device directly lies on: its parent, and for groups, arrays, pools and
    /// multi-device filesystems their members.
    pub fn below(&self, id: DeviceId) -> Vec<DeviceId> {
        let Some(device) = self.device(id) else {
            return Vec::new();
        };
        let members: &[DeviceId] = match &device.kind {
            Kind::LvmVg(group) => &group.members,
            Kind::Mdadm(array) => &array.members,
            Kind::Zpool(pool) => &pool.members,
            Kind::Bcachefs(filesystem) => &filesystem.members,
            _ => &[],
        };
        device
            .parent
            .iter()
            .copied()
            .chain(members.iter().copied())
            .collect()
    }
}
