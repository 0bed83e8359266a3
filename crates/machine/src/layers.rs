//! The whole stack of a machine's storage in one graph: declared disk, observed disk, partition, LUKS,
//! LVM, RAID, filesystem, mount, workload, each joined with what the layout and what the machine say of
//! it, and each knowing what it lies on and what it holds.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use facts::{BlockDevice, BlockKind, DiskFacts, Facts, Unreal};
use layout::{Device, DeviceId, Kind, SwapDevice};
use source::Bytes;

use crate::{Disk, LiveMount, Machine, Mount, Workload, stack};

/// What a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerKind {
    /// A physical disk, or what looks like one.
    Disk,
    /// A partition.
    Partition,
    /// An encrypted container.
    Luks,
    /// A software RAID.
    Raid,
    /// A volume group.
    VolumeGroup,
    /// A logical volume.
    LogicalVolume,
    /// A ZFS pool.
    Pool,
    /// A ZFS filesystem dataset.
    Dataset,
    /// A ZFS volume.
    Zvol,
    /// A filesystem.
    Filesystem,
    /// A subvolume of btrfs or bcachefs.
    Subvolume,
    /// A swap area.
    Swap,
    /// A place where something is mounted.
    Mount,
    /// Something that runs there.
    Workload,
    /// A device of a kind that is not known here.
    Other,
}

impl LayerKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Partition => "partition",
            Self::Luks => "luks",
            Self::Raid => "raid",
            Self::VolumeGroup => "volume group",
            Self::LogicalVolume => "logical volume",
            Self::Pool => "pool",
            Self::Dataset => "dataset",
            Self::Zvol => "zvol",
            Self::Filesystem => "filesystem",
            Self::Subvolume => "subvolume",
            Self::Swap => "swap",
            Self::Mount => "mount",
            Self::Workload => "workload",
            Self::Other => "device",
        }
    }
}

/// One layer: declared, observed, or both.
#[derive(Clone, Debug)]
pub struct Layer<'a> {
    /// What it is.
    pub kind: LayerKind,
    /// What it is called: `sda`, `crypted`, `btrfs`, `/home`.
    pub name: String,
    /// The node of the layout.
    pub device: Option<&'a Device>,
    /// The block device as lsblk or sysfs listed it; of a filesystem that only the machine shows, the
    /// one that it was found on.
    pub block: Option<&'a BlockDevice>,
    /// The disk.
    pub disk: Option<&'a DiskFacts>,
    /// What NixOS mounts.
    pub mount: Option<&'a Mount>,
    /// What is mounted.
    pub live_mount: Option<&'a LiveMount>,
    /// What NixOS swaps to.
    pub swap: Option<&'a SwapDevice>,
    /// What is swapped to.
    pub live_swap: Option<&'a facts::Swap>,
    /// What runs there: named by the person, or turned on by the configuration.
    pub workload: Option<Workload>,
    /// Of a declared layer whose block device no name tells: what it is recognised by, a phrase.
    pub inferred: Option<String>,
    /// The declared logical volume that LVM made this one for, by its name: `thin` of `thin_tdata`.
    pub part_of: Option<String>,
    /// The device that all requests to a logical volume pass through, where that is an inner one: the
    /// `-tpool` of a thin pool, which the volumes in the pool lie on while the pool itself is idle.
    pub carrier: Option<&'a BlockDevice>,
    /// The layers that it lies on, as indices into [`Stack::layers`].
    pub on: Vec<usize>,
    /// The layers that lie on it.
    pub holds: Vec<usize>,
}

impl<'a> Layer<'a> {
    fn new(kind: LayerKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            device: None,
            block: None,
            disk: None,
            mount: None,
            live_mount: None,
            swap: None,
            live_swap: None,
            workload: None,
            inferred: None,
            part_of: None,
            carrier: None,
            on: Vec::new(),
            holds: Vec::new(),
        }
    }

    /// Whether the layout declares it.
    pub fn is_declared(&self) -> bool {
        self.device.is_some() || self.mount.is_some() || self.workload.is_some()
    }

    /// Whether the machine shows it.
    pub fn is_observed(&self) -> bool {
        self.block.is_some() || self.disk.is_some() || self.live_mount.is_some() || self.live_swap.is_some()
    }
}

/// All layers.
#[derive(Clone, Debug, Default)]
pub struct Stack<'a> {
    /// The layers; lower ones need not come first.
    pub layers: Vec<Layer<'a>>,
}

impl<'a> Stack<'a> {
    /// The stack of a machine.
    pub fn of(machine: &'a Machine) -> Self {
        let mut join = Join {
            machine,
            stack: Stack::default(),
            devices: HashMap::new(),
            blocks: HashMap::new(),
            block_index: machine
                .facts
                .blocks
                .iter()
                .enumerate()
                .map(|(at, block)| (&*block.name.value, at))
                .collect(),
            live_mounts: machine
                .facts
                .mounts
                .iter()
                .map(|mount| (&*mount.mountpoint.value, mount))
                .collect(),
            listed_mounts: listed_mounts(&machine.facts),
            named: HashMap::new(),
            named_until: 0,
        };
        join.declare();
        join.find_blocks();
        join.find_volumes();
        join.inner_volumes();
        join.observe();
        join.filesystems();
        join.mounts();
        join.swaps();
        join.workloads();
        join.stack
    }

    /// The layers that lie on nothing.
    pub fn roots(&self) -> impl Iterator<Item = usize> {
        (0..self.layers.len()).filter(|at| self.layers.get(*at).is_some_and(|it| it.on.is_empty()))
    }

    /// Everything that a layer lies on, nearest first.
    pub fn below(&self, at: usize) -> Vec<usize> {
        self.reach(at, |layer| &layer.on)
    }

    /// Everything that lies on a layer, nearest first.
    pub fn above(&self, at: usize) -> Vec<usize> {
        self.reach(at, |layer| &layer.holds)
    }

    fn reach(&self, at: usize, next: for<'b> fn(&'b Layer<'a>) -> &'b [usize]) -> Vec<usize> {
        let mut seen = BTreeSet::from([at]);
        let mut queue = std::collections::VecDeque::from([at]);
        let mut found = Vec::new();
        while let Some(at) = queue.pop_front() {
            for &other in self.layers.get(at).map(next).into_iter().flatten() {
                if seen.insert(other) {
                    found.push(other);
                    queue.push_back(other);
                }
            }
        }
        found
    }

    fn add(&mut self, layer: Layer<'a>) -> usize {
        self.layers.push(layer);
        self.layers.len() - 1
    }

    /// Takes a layer off everything that it lies on, and tells what that was.
    fn lift(&mut self, at: usize) -> Vec<usize> {
        let below = self.layers.get_mut(at).map(|it| std::mem::take(&mut it.on));
        let below = below.unwrap_or_default();
        for lower in &below {
            if let Some(layer) = self.layers.get_mut(*lower) {
                layer.holds.retain(|it| *it != at);
            }
        }
        below
    }

    /// Puts `upper` on `lower`, unless it lies there already, through other layers too.
    fn put(&mut self, upper: usize, lower: usize) {
        if upper == lower || self.below(upper).contains(&lower) || self.below(lower).contains(&upper) {
            return;
        }
        if let Some(layer) = self.layers.get_mut(upper) {
            layer.on.push(lower);
        }
        if let Some(layer) = self.layers.get_mut(lower) {
            layer.holds.push(upper);
        }
    }
}

/// Layers that LVM puts between a logical volume and what lies below it, as the end of their name in
/// device-mapper (`lib/activate/dev_manager.c` of LVM2). All requests to the volume pass through them.
const CARRIERS: [&str; 3] = ["tpool", "real", "vpool"];

/// Ends of the names of volumes that LVM makes for another one, before a number where there are several
/// (lvmthin(7), lvmraid(7), lvmcache(7), lvmvdo(7); lvm(8) reserves them).
const PARTS: [&str; 16] = [
    "_tdata", "_tmeta", "_cdata", "_cmeta", "_corig", "_cvol", "_wcorig", "_vdata", "_vorigin", "_rimage",
    "_rmeta", "_mimage", "_mlog", "_imeta", "_iorig", "_cow",
];

/// The name in device-mapper of the volume that an inner one was made for.
fn volume_of_part(name: &str) -> Option<&str> {
    if let Some(volume) = name.strip_suffix("-cow") {
        return Some(volume);
    }
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = match digits.strip_suffix('_') {
        Some(stem) if digits.len() < name.len() => stem,
        _ => name,
    };
    PARTS
        .iter()
        .find_map(|end| stem.strip_suffix(end))
        .filter(|it| !it.is_empty())
}

struct Join<'a> {
    machine: &'a Machine,
    stack: Stack<'a>,
    devices: HashMap<DeviceId, usize>,
    /// The layer of a block device, by its kernel name.
    blocks: HashMap<&'a str, usize>,
    block_index: HashMap<&'a str, usize>,
    /// What is mounted, by mountpoint. The last one wins where several are stacked.
    live_mounts: BTreeMap<&'a str, &'a LiveMount>,
    /// The block devices of mountpoints, as lsblk lists them where nothing else tells what is mounted.
    listed_mounts: HashMap<&'a str, &'a str>,
    /// The pools and datasets among the layers before `named_until`, by name.
    named: HashMap<LayerKind, HashMap<String, usize>>,
    named_until: usize,
}

impl<'a> Join<'a> {
    fn facts(&self) -> &'a Facts {
        &self.machine.facts
    }

    fn layer(&self, at: usize) -> Option<&Layer<'a>> {
        self.stack.layers.get(at)
    }

    /// The nodes of the layout. Tables and members are no layers of their own: what lies on them lies
    /// on the partition or disk that they are in.
    fn declare(&mut self) {
        for device in &self.machine.layout.devices {
            let parent = device
                .parent
                .and_then(|parent| self.devices.get(&parent).copied());
            let Some((kind, name)) = described(device) else {
                if let Some(parent) = parent {
                    self.devices.insert(device.id, parent);
                }
                continue;
            };
            let mut layer = Layer::new(kind, name);
            layer.device = Some(device);
            let at = self.stack.add(layer);
            self.devices.insert(device.id, at);
        }
        let pools: HashMap<(DeviceId, &str), DeviceId> = self
            .machine
            .layout
            .devices
            .iter()
            .filter_map(|device| match &device.kind {
                Kind::LvmLv(volume) => Some(((device.parent?, &*volume.name), device.id)),
                _ => None,
            })
            .collect();
        for device in &self.machine.layout.devices {
            let Some(&upper) = self.devices.get(&device.id) else {
                continue;
            };
            // A volume in a thin pool lies on the pool, and through it on the group.
            if let Some(&pool) = thin_pool(device, &pools).and_then(|pool| self.devices.get(&pool)) {
                self.stack.put(upper, pool);
                continue;
            }
            for below in self.machine.layout.below(device.id) {
                if let Some(&lower) = self.devices.get(&below)
                    && described(device).is_some()
                {
                    self.stack.put(upper, lower);
                }
            }
        }
    }

    /// Finds the block device of each declared layer: by the names that disko gives it, else by what
    /// lies below or above it.
    fn find_blocks(&mut self) {
        for at in 0..self.stack.layers.len() {
            let Some(device) = self.layer(at).and_then(|layer| layer.device) else {
                continue;
            };
            match &device.kind {
                Kind::Disk(declared) => {
                    let disk = Disk::declared(self.machine, device);
                    match (disk.and_then(|disk| disk.observed), &declared.device) {
                        (Some(observed), _) => {
                            self.take_disk(at, observed);
                            if disk.is_some_and(|it| it.is_inferred()) {
                                self.infer(at, "the only disk left that its masked name can mean".to_owned());
                            }
                        }
                        // Files and other things that only stand in for a disk, as in a virtual machine.
                        (None, Some(file)) => match self.facts().disk_by_name(&file.value) {
                            Some(disk) => self.take_disk(at, disk),
                            None => self.take_block(at, self.facts().block_by_name(&file.value)),
                        },
                        (None, None) => {}
                    }
                }
                // A volume of a pool goes by its link.
                Kind::Partition(_) | Kind::Luks(_) | Kind::LvmLv(_) | Kind::Mdadm(_) | Kind::Zvol(_) => {
                    self.take_block(at, stack::block_of_device(self.facts(), device));
                }
                _ => {}
            }
        }
        // A link that no listing knows: an array is what lies on its members, a container on its partition.
        for at in 0..self.stack.layers.len() {
            let Some(layer) = self.layer(at).filter(|it| it.block.is_none()) else {
                continue;
            };
            let wanted = match layer.kind {
                LayerKind::Raid => |kind: &BlockKind| matches!(kind, BlockKind::Raid(_)),
                LayerKind::Luks => |kind: &BlockKind| *kind == BlockKind::Crypt,
                _ => continue,
            };
            let lower: Option<Vec<&str>> = layer
                .on
                .iter()
                .map(|on| Some(&*self.layer(*on)?.block?.name.value))
                .collect();
            let Some(lower) = lower.filter(|it| !it.is_empty()) else {
                continue;
            };
            let mut candidates = self.facts().blocks.iter().filter(|block| {
                wanted(&block.kind)
                    && lower
                        .iter()
                        .all(|name| block.parents.iter().any(|parent| &*parent.value == *name))
            });
            let (first, more) = (candidates.next(), candidates.next());
            if more.is_none() {
                self.take_block(at, first);
            }
        }
    }

    fn infer(&mut self, at: usize, by: String) {
        if let Some(layer) = self.stack.layers.get_mut(at) {
            layer.inferred = Some(by);
        }
    }

    /// Finds the block devices of volumes of ZFS pools, `zd0` and so on, whose link no listing tells: by
    /// where the layout mounts them, swaps to them or stacks on them, else by a size that no other has.
    fn find_volumes(&mut self) {
        let is_volume = |block: &BlockDevice| Unreal::of_name(&block.name.value) == Some(Unreal::Zvol);
        let whole = |block: &&BlockDevice| block.kind != BlockKind::Partition && is_volume(block);
        let free: BTreeMap<&'a str, &'a BlockDevice> = self
            .facts()
            .blocks
            .iter()
            .filter(whole)
            .filter(|it| !self.blocks.contains_key(&*it.name.value))
            // One whose link is known is another one than those that are looked for.
            .filter(|it| self.facts().volume_of(&it.name.value).is_none())
            .map(|it| (&*it.name.value, it))
            .collect();
        if free.is_empty() {
            return;
        }
        let sizes = volume_sizes(self.facts());
        let mut open: Vec<(usize, Option<Bytes>)> = Vec::new();
        for (at, layer) in self.stack.layers.iter().enumerate() {
            if layer.kind == LayerKind::Zvol && layer.block.is_none() {
                open.push((at, sizes.get(&*layer.name).copied()));
            }
        }
        let fits = |size: Option<Bytes>, block: &BlockDevice| match (size, &block.size) {
            (Some(size), Some(of)) => size == of.value,
            _ => true,
        };
        // What each can be by its use, and how many can be the same one.
        let mut claims: HashMap<&str, usize> = HashMap::new();
        let mut found: Vec<(usize, &'a BlockDevice, String)> = Vec::new();
        for &(at, size) in &open {
            let used = self.used_volumes(at);
            for block in used.keys() {
                *claims.entry(block).or_default() += 1;
            }
            if let (1, Some((name, by))) = (used.len(), used.into_iter().next())
                && let Some(&block) = free.get(name).filter(|it| fits(size, it))
            {
                found.push((at, block, by));
            }
        }
        for (at, block, by) in found {
            if claims.get(&*block.name.value) == Some(&1) {
                self.take_block(at, Some(block));
                self.infer(at, by);
            }
        }
        // A size counts where it is the only one among all volumes and all devices that are left.
        let mut devices: HashMap<Bytes, Vec<&'a BlockDevice>> = HashMap::new();
        for block in free.into_values() {
            if let (false, Some(size)) = (self.blocks.contains_key(&*block.name.value), &block.size) {
                devices.entry(size.value).or_default().push(block);
            }
        }
        let mut volumes: HashMap<Bytes, usize> = HashMap::new();
        for size in sizes.values() {
            *volumes.entry(*size).or_default() += 1;
        }
        for (at, size) in open {
            let Some(size) = size.filter(|_| self.layer(at).is_some_and(|it| it.block.is_none())) else {
                continue;
            };
            if let (Some(1), Some([block])) = (volumes.get(&size), devices.get(&size).map(|it| &it[..])) {
                self.take_block(at, Some(block));
                self.infer(at, "the only volume of its size".to_owned());
            }
        }
    }

    /// The volumes of pools that what is declared on a layer is seen to lie on, each with how it is seen.
    fn used_volumes(&self, at: usize) -> BTreeMap<&'a str, String> {
        let mut used = BTreeMap::new();
        let mut see = |device: &str, by: String| {
            for name in self.volumes_under(device) {
                used.entry(name).or_insert_with(|| by.clone());
            }
        };
        for above in std::iter::once(at).chain(self.stack.above(at)) {
            let Some(layer) = self.layer(above) else { continue };
            if let Some(block) = layer.block.filter(|_| above != at) {
                see(&block.name.value, format!("what lies below {}", layer.name));
            }
            let Some(device) = layer.device else { continue };
            for mount in self.machine.layout.mounts_of(device.id) {
                let mountpoint = &*mount.mountpoint.value;
                let live = self.live_mounts.get(mountpoint).map(|it| &*it.source.value);
                if let Some(source) = live.or_else(|| self.listed_mounts.get(mountpoint).copied()) {
                    see(source, format!("what is mounted at {mountpoint}"));
                }
            }
            if let Kind::Swap(_) = device.kind {
                for live in &self.facts().swaps {
                    see(&live.path.value, "what is swapped to".to_owned());
                }
            }
        }
        used
    }

    /// The volumes of pools that a device lies on, itself among them.
    fn volumes_under(&self, device: &str) -> Vec<&'a str> {
        let facts = self.facts();
        let disks = facts.disks_under(device).into_iter();
        let named = disks.filter_map(|it| it.kernel_name());
        named
            .filter(|name| Unreal::of_name(name) == Some(Unreal::Zvol))
            .collect()
    }

    /// Joins what LVM makes for a declared volume with it: the data and the metadata of a thin pool, the
    /// images of a RAID, the layer between a thin pool and the volumes in it.
    fn inner_volumes(&mut self) {
        let mut declared: HashMap<&'a str, usize> = HashMap::new();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        for (at, layer) in self.stack.layers.iter().enumerate() {
            if layer.kind != LayerKind::LogicalVolume {
                continue;
            }
            if let Some(mapped) = layer.block.and_then(|it| it.mapped.as_ref()) {
                declared.insert(&mapped.value, at);
            } else if let Some(node) = layer.device.and_then(|it| it.node.as_deref())
                && let Some(mapped) = stack::lvm_mapper(node)
            {
                // A thin pool that nobody activates by itself has no device of its own name.
                by_name.insert(mapped.trim_start_matches("/dev/mapper/").to_owned(), at);
            }
        }
        if declared.is_empty() && by_name.is_empty() {
            return;
        }
        let of = |mapped: &str| declared.get(mapped).or_else(|| by_name.get(mapped)).copied();
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for block in &self.facts().blocks {
            let Some(mapped) = block.mapped.as_ref().filter(|_| block.kind == BlockKind::Lvm) else {
                continue;
            };
            if self.blocks.contains_key(&*block.name.value) {
                continue;
            }
            if let Some((volume, end)) = mapped.value.rsplit_once('-')
                && CARRIERS.contains(&end)
                && let Some(at) = of(volume)
            {
                self.blocks.insert(&block.name.value, at);
                if let Some(layer) = self.stack.layers.get_mut(at) {
                    layer.block.get_or_insert(block);
                    layer.carrier = Some(block);
                }
                continue;
            }
            // Images of images: the data of a thin pool on a RAID.
            let mut inner = &*mapped.value;
            while let Some(outer) = volume_of_part(inner) {
                inner = outer;
                let Some(at) = of(inner) else { continue };
                let Some(whole) = self.layer(at) else { break };
                let (device, group) = (whole.device, inner.len() - lvm_name(inner).len());
                let mut layer = Layer::new(
                    LayerKind::LogicalVolume,
                    mapped.value.get(group..).unwrap_or_default().replace("--", "-"),
                );
                layer.part_of = Some(whole.name.clone());
                layer.device = device;
                layer.block = Some(block);
                let part = self.stack.add(layer);
                self.blocks.insert(&block.name.value, part);
                parts.push((part, at));
                break;
            }
        }
        // The parts lie where the whole was, and the whole on them.
        let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
        for &(_, whole) in &parts {
            if let Entry::Vacant(slot) = below.entry(whole) {
                slot.insert(self.stack.lift(whole));
            }
        }
        for (part, whole) in parts {
            for lower in below.get(&whole).into_iter().flatten() {
                self.stack.put(part, *lower);
            }
            self.stack.put(whole, part);
        }
    }

    fn take_disk(&mut self, at: usize, disk: &'a DiskFacts) {
        let name = disk.kernel_name();
        let block = name.and_then(|name| self.block_named(name));
        if let Some(layer) = self.stack.layers.get_mut(at) {
            layer.disk = Some(disk);
            layer.block = block;
        }
        if let Some(name) = name {
            self.blocks.entry(name).or_insert(at);
        }
    }

    fn take_block(&mut self, at: usize, block: Option<&'a BlockDevice>) {
        let Some(block) = block else { return };
        if self.blocks.contains_key(&*block.name.value) {
            return;
        }
        if let Some(layer) = self.stack.layers.get_mut(at) {
            layer.block = Some(block);
        }
        self.blocks.insert(&block.name.value, at);
    }

    fn block_named(&self, name: &str) -> Option<&'a BlockDevice> {
        let at = self.block_index.get(name)?;
        self.facts().blocks.get(*at)
    }

    /// The block devices and disks that the layout does not declare, and what lies on what.
    fn observe(&mut self) {
        let facts = self.facts();
        for block in &facts.blocks {
            let idle_loop = block.kind == BlockKind::Loop && block.size.is_none();
            if self.blocks.contains_key(&*block.name.value) || idle_loop || block.kind == BlockKind::Rom {
                continue;
            }
            let kind = match &block.kind {
                BlockKind::Disk | BlockKind::Loop => LayerKind::Disk,
                BlockKind::Partition => LayerKind::Partition,
                BlockKind::Crypt => LayerKind::Luks,
                BlockKind::Lvm => LayerKind::LogicalVolume,
                BlockKind::Raid(_) => LayerKind::Raid,
                BlockKind::Rom | BlockKind::Other(_) => LayerKind::Other,
            };
            let name = block.mapped.as_ref().unwrap_or(&block.name);
            let volume = Unreal::of_name(&block.name.value) == Some(Unreal::Zvol) && kind == LayerKind::Disk;
            let dataset = facts.volume_of(&block.name.value).filter(|_| volume);
            let kind = if volume { LayerKind::Zvol } else { kind };
            let mut layer = Layer::new(kind, dataset.unwrap_or(&name.value));
            layer.block = Some(block);
            let at = self.stack.add(layer);
            self.blocks.insert(&block.name.value, at);
            if let Some(pool) = dataset.and_then(|it| it.split('/').next()) {
                let pool = self.pool(pool);
                self.stack.put(at, pool);
            }
        }
        for disk in &facts.disks {
            let Some(name) = disk.kernel_name() else {
                if disk.is_disk() && !self.has_disk(disk) {
                    let mut layer = Layer::new(LayerKind::Disk, disk.shown_name());
                    layer.disk = Some(disk);
                    self.stack.add(layer);
                }
                continue;
            };
            match self.blocks.get(name) {
                Some(&at) => {
                    if let Some(layer) = self.stack.layers.get_mut(at)
                        && layer.kind == LayerKind::Disk
                    {
                        layer.disk.get_or_insert(disk);
                    }
                }
                None if disk.is_disk() => {
                    let mut layer = Layer::new(LayerKind::Disk, name);
                    layer.disk = Some(disk);
                    let at = self.stack.add(layer);
                    self.blocks.insert(name, at);
                }
                None => {}
            }
        }
        for block in &facts.blocks {
            let Some(&upper) = self.blocks.get(&*block.name.value) else {
                continue;
            };
            for parent in &block.parents {
                if let Some(&lower) = self.blocks.get(&*parent.value) {
                    self.stack.put(upper, lower);
                }
            }
        }
    }

    fn has_disk(&self, disk: &DiskFacts) -> bool {
        self.stack
            .layers
            .iter()
            .any(|layer| layer.disk.is_some_and(|it| std::ptr::eq(it, disk)))
    }

    /// What lies on a layer directly and is of one of these kinds.
    fn held(&self, at: usize, kinds: &[LayerKind]) -> Option<usize> {
        let layer = self.layer(at)?;
        layer
            .holds
            .iter()
            .copied()
            .find(|held| self.layer(*held).is_some_and(|it| kinds.contains(&it.kind)))
    }

    /// Filesystems that were found on block devices and that the layout does not put there.
    fn filesystems(&mut self) {
        const USES: [LayerKind; 5] = [
            LayerKind::Filesystem,
            LayerKind::Swap,
            LayerKind::Pool,
            LayerKind::Luks,
            LayerKind::Raid,
        ];
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for layer in 0..self.stack.layers.len() {
            if let Some(it) = self.layer(layer).filter(|it| it.kind == LayerKind::Pool) {
                known.insert(format!("zfs {}", it.name), layer);
            }
        }
        for block in &self.facts().blocks {
            let (Some(fstype), Some(&at)) = (&block.fstype, self.blocks.get(&*block.name.value)) else {
                continue;
            };
            let label = block.label.as_ref().map(|it| it.value.to_string());
            let (kind, key, name) = match &*fstype.value {
                "crypto_LUKS" | "LVM2_member" | "linux_raid_member" | "bcache" => continue,
                "zfs_member" => {
                    let Some(pool) = label else { continue };
                    (LayerKind::Pool, format!("zfs {pool}"), pool)
                }
                "swap" => (LayerKind::Swap, String::new(), "swap".to_owned()),
                other => {
                    let key = match &block.uuid {
                        Some(uuid) if matches!(other, "btrfs" | "bcachefs") => {
                            format!("{other} {}", uuid.value)
                        }
                        _ => String::new(),
                    };
                    (LayerKind::Filesystem, key, other.to_owned())
                }
            };
            if let Some(held) = self.held(at, &USES) {
                if !key.is_empty() {
                    known.entry(key).or_insert(held);
                }
                continue;
            }
            let upper = match known.get(&key).filter(|_| !key.is_empty()) {
                Some(upper) => *upper,
                None => {
                    let mut layer = Layer::new(kind, name);
                    layer.block = Some(block);
                    self.stack.add(layer)
                }
            };
            if !key.is_empty() {
                known.insert(key, upper);
            }
            self.stack.put(upper, at);
        }
    }

    fn mounts(&mut self) {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for mount in &self.machine.layout.mounts {
            let mut layer = Layer::new(LayerKind::Mount, mount.mountpoint.value.to_string());
            layer.mount = Some(mount);
            let at = self.stack.add(layer);
            places.entry(&mount.mountpoint.value).or_insert(at);
            if let Some(&lower) = self.devices.get(&mount.device_id) {
                self.stack.put(at, lower);
            }
        }
        for (mountpoint, mount) in std::mem::take(&mut self.live_mounts) {
            if let Some(&at) = places.get(mountpoint) {
                if let Some(layer) = self.stack.layers.get_mut(at) {
                    layer.live_mount = Some(mount);
                }
                // A host without disko names no disks; the mount joins its filesystem to one.
                self.join_plain(at, mount);
                continue;
            }
            let Some(lower) = self.lower_of(mount) else {
                continue;
            };
            let mut layer = Layer::new(LayerKind::Mount, mountpoint);
            layer.live_mount = Some(mount);
            let at = self.stack.add(layer);
            self.stack.put(at, lower);
        }
        if self.facts().mounts.is_empty() {
            for block in &self.facts().blocks {
                let Some(&at) = self.blocks.get(&*block.name.value) else {
                    continue;
                };
                let lower = self
                    .held(at, &[LayerKind::Filesystem, LayerKind::Swap])
                    .unwrap_or(at);
                for place in &block.mountpoints {
                    if place.value.starts_with('/') && !places.contains_key(&*place.value) {
                        let upper = self
                            .stack
                            .add(Layer::new(LayerKind::Mount, place.value.to_string()));
                        self.stack.put(upper, lower);
                    }
                }
            }
        }
    }

    /// Joins the filesystem of a declared mount that lies on no declared disk with its device.
    fn join_plain(&mut self, at: usize, mount: &'a LiveMount) {
        let declared = self.stack.below(at);
        let grounded = declared.iter().any(|it| {
            self.layer(*it).is_some_and(|layer| {
                layer.block.is_some() || layer.disk.is_some() || layer.kind == LayerKind::Disk
            })
        });
        if grounded {
            return;
        }
        let lowest = declared.last().copied().unwrap_or(at);
        if let Some(&block) = self
            .facts()
            .block_by_name(&mount.source.value)
            .and_then(|block| self.blocks.get(&*block.name.value))
        {
            self.stack.put(lowest, block);
        }
    }

    /// The layer that a live mount shows: its filesystem, its dataset.
    fn lower_of(&mut self, mount: &'a LiveMount) -> Option<usize> {
        let source = &*mount.source.value;
        if &*mount.fstype.value == "zfs" {
            return Some(self.dataset(source));
        }
        let block = self
            .facts()
            .block_by_name(source)
            .and_then(|block| self.blocks.get(&*block.name.value).copied());
        if let Some(block) = block {
            return Some(self.held(block, &[LayerKind::Filesystem]).unwrap_or(block));
        }
        if !source.starts_with("/dev/") {
            return None;
        }
        // No listing has the device: the mounts of one filesystem are still told by it.
        let name = format!("{} on {source}", mount.fstype.value);
        let known = self
            .stack
            .layers
            .iter()
            .position(|it| it.kind == LayerKind::Filesystem && it.name == name);
        let at = match known {
            Some(at) => at,
            None => self.stack.add(Layer::new(LayerKind::Filesystem, name)),
        };
        for disk in self.facts().disks_under(source) {
            if let Some(&lower) = disk.kernel_name().and_then(|name| self.blocks.get(name)) {
                self.stack.put(at, lower);
            }
        }
        Some(at)
    }

    /// The first layer of a kind and name.
    fn find(&mut self, kind: LayerKind, name: &str) -> Option<usize> {
        for (at, layer) in self.stack.layers.iter().enumerate().skip(self.named_until) {
            if matches!(layer.kind, LayerKind::Pool | LayerKind::Dataset) {
                let names = self.named.entry(layer.kind).or_default();
                names.entry(layer.name.clone()).or_insert(at);
            }
        }
        self.named_until = self.stack.layers.len();
        self.named.get(&kind)?.get(name).copied()
    }

    fn pool(&mut self, name: &str) -> usize {
        match self.find(LayerKind::Pool, name) {
            Some(at) => at,
            None => self.stack.add(Layer::new(LayerKind::Pool, name)),
        }
    }

    fn dataset(&mut self, name: &str) -> usize {
        if let Some(at) = self.find(LayerKind::Dataset, name) {
            return at;
        }
        let lower = self.pool(name.split('/').next().unwrap_or(name));
        let at = self.stack.add(Layer::new(LayerKind::Dataset, name));
        self.stack.put(at, lower);
        at
    }

    fn swaps(&mut self) {
        for swap in &self.machine.layout.swaps {
            let Some(&on) = self.devices.get(&swap.device_id) else {
                continue;
            };
            let at = match self.layer(on).map(|it| it.kind) {
                Some(LayerKind::Swap) => on,
                _ => {
                    let name = swap.device.as_deref().unwrap_or("swap file");
                    let at = self.stack.add(Layer::new(LayerKind::Swap, name));
                    self.stack.put(at, on);
                    at
                }
            };
            if let Some(layer) = self.stack.layers.get_mut(at) {
                layer.swap = Some(swap);
            }
        }
        for live in &self.facts().swaps {
            let path = &*live.path.value;
            let block = stack::block_of(self.facts(), path).map(|it| &*it.name.value);
            let on = block.and_then(|name| self.blocks.get(name).copied());
            let declared = self.stack.layers.iter().position(|layer| {
                let file = layer.swap.and_then(|it| it.device.as_deref());
                file.is_some_and(|file| {
                    file == path
                        || (block.is_some()
                            && stack::block_of(self.facts(), file).map(|it| &*it.name.value) == block)
                })
            });
            let at = declared.or_else(|| on.and_then(|on| self.held(on, &[LayerKind::Swap])));
            let at = match at {
                Some(at) => at,
                None => {
                    let at = self.stack.add(Layer::new(LayerKind::Swap, path));
                    if let Some(lower) = on.or_else(|| self.mount_above(path)) {
                        self.stack.put(at, lower);
                    }
                    at
                }
            };
            if let Some(layer) = self.stack.layers.get_mut(at) {
                layer.live_swap = Some(live);
            }
        }
    }

    /// The mount that a path lies in.
    fn mount_above(&self, path: &str) -> Option<usize> {
        let inside = |mountpoint: &str| {
            mountpoint == "/"
                || path
                    .strip_prefix(mountpoint)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (0..self.stack.layers.len())
            .filter(|at| {
                self.layer(*at)
                    .is_some_and(|it| it.kind == LayerKind::Mount && inside(&it.name))
            })
            .max_by_key(|at| self.layer(*at).map_or(0, |it| it.name.len()))
    }

    fn workloads(&mut self) {
        for workload in self.machine.running() {
            let mut layer = Layer::new(LayerKind::Workload, workload.name.to_string());
            let lower = workload
                .mountpoint
                .as_deref()
                .and_then(|path| self.mount_above(path));
            layer.workload = Some(workload);
            let at = self.stack.add(layer);
            if let Some(lower) = lower {
                self.stack.put(at, lower);
            }
        }
    }
}

/// The thin pool that a logical volume is declared in. disko visits the volumes of a group one after the
/// other, below the group.
fn thin_pool(device: &Device, pools: &HashMap<(DeviceId, &str), DeviceId>) -> Option<DeviceId> {
    let Kind::LvmLv(volume) = &device.kind else {
        return None;
    };
    let pool = volume.pool.as_ref()?;
    pools.get(&(device.parent?, &*pool.value)).copied()
}

/// The block devices of mountpoints, by lsblk; none where the mounts themselves were read.
fn listed_mounts(facts: &Facts) -> HashMap<&str, &str> {
    let unread = facts.mounts.is_empty();
    let blocks = facts.blocks.iter().filter(|_| unread);
    blocks
        .flat_map(|block| {
            let places = block.mountpoints.iter();
            places.map(|place| (&*place.value, &*block.name.value))
        })
        .collect()
}

/// The sizes of the volumes of ZFS pools, by their names.
fn volume_sizes(facts: &Facts) -> BTreeMap<&str, Bytes> {
    facts
        .zfs
        .iter()
        .filter(|it| &*it.property == "volsize")
        .filter_map(|it| Some((&*it.dataset, Bytes(it.value.value.parse().ok()?))))
        .collect()
}

/// The name of a volume in a name of device-mapper, where dashes of either name are doubled.
fn lvm_name(mapped: &str) -> &str {
    let mut rest = mapped;
    while let Some((_, after)) = rest.split_once('-') {
        match after.strip_prefix('-') {
            Some(after) => rest = after,
            None => return after,
        }
    }
    rest
}

/// What a node of the layout is as a layer, and its name; `None` for tables and members.
fn described(device: &Device) -> Option<(LayerKind, String)> {
    let known = |name: &Option<layout::Text>, otherwise: &str| {
        name.as_ref()
            .map_or_else(|| otherwise.to_owned(), |it| it.value.to_string())
    };
    Some(match &device.kind {
        Kind::Disk(disk) => (LayerKind::Disk, disk.name.to_string()),
        Kind::Partition(partition) => (LayerKind::Partition, partition.name.to_string()),
        Kind::Luks(luks) => (LayerKind::Luks, known(&luks.name, "luks")),
        Kind::Btrfs(_) => (LayerKind::Filesystem, "btrfs".to_owned()),
        Kind::Subvolume(subvolume) => (LayerKind::Subvolume, subvolume.name.to_string()),
        Kind::Filesystem(filesystem) => (LayerKind::Filesystem, filesystem.format.value.to_string()),
        Kind::Swap(_) => (LayerKind::Swap, "swap".to_owned()),
        Kind::LvmVg(group) => (LayerKind::VolumeGroup, group.name.to_string()),
        Kind::LvmLv(volume) => (LayerKind::LogicalVolume, volume.name.to_string()),
        Kind::Mdadm(array) => (LayerKind::Raid, array.name.to_string()),
        Kind::Zpool(pool) => (LayerKind::Pool, pool.name.to_string()),
        Kind::Dataset(dataset) => (LayerKind::Dataset, dataset.name.to_string()),
        Kind::Zvol(volume) => (LayerKind::Zvol, volume.name.to_string()),
        Kind::Nodev(nodev) => (LayerKind::Filesystem, nodev.fs_type.value.to_string()),
        Kind::Bcachefs(filesystem) => (LayerKind::Filesystem, format!("bcachefs {}", filesystem.name)),
        Kind::BcachefsSubvolume(subvolume) => (LayerKind::Subvolume, subvolume.name.to_string()),
        Kind::PlainMount(mount) => (LayerKind::Filesystem, mount.fs_type.value.to_string()),
        Kind::Other(_) => (LayerKind::Other, device.path.to_string()),
        Kind::Gpt(_)
        | Kind::Table(_)
        | Kind::LvmPv(_)
        | Kind::Mdraid(_)
        | Kind::ZfsMember(_)
        | Kind::BcachefsMember(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_volumes_name_their_outer_one() {
        let outer: Vec<_> = [
            "vg-pool_tdata",
            "vg-pool_tdata_rimage_12",
            "vg-data_rmeta_0",
            "vg-snap-cow",
            "vg-data_mlog",
            "vg-data",
            "vg-data_2",
            "_tdata",
            "",
        ]
        .map(volume_of_part)
        .into();
        assert_eq!(
            outer,
            [
                Some("vg-pool"),
                Some("vg-pool_tdata"),
                Some("vg-data"),
                Some("vg-snap"),
                Some("vg-data"),
                None,
                None,
                None,
                None,
            ]
        );
    }

    #[test]
    fn the_first_single_dash_ends_the_group() {
        let names: Vec<_> = [
            "vg-data",
            "my--vg-data",
            "vg-my--data",
            "a----b-c",
            "data",
            "a--b",
            "",
        ]
        .map(lvm_name)
        .into();
        assert_eq!(names, ["data", "data", "my--data", "c", "data", "b", ""]);
    }
}
