//! The whole stack of a machine's storage in one graph: declared disk, observed disk, partition, LUKS,
//! LVM, RAID, filesystem, mount, workload, each joined with what the layout and what the machine say of
//! it, and each knowing what it lies on and what it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use facts::{BlockDevice, BlockKind, DiskFacts, Facts};
use layout::{Device, DeviceId, Kind, SwapDevice};

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
        };
        join.declare();
        join.find_blocks();
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

struct Join<'a> {
    machine: &'a Machine,
    stack: Stack<'a>,
    devices: HashMap<DeviceId, usize>,
    /// The layer of a block device, by its kernel name.
    blocks: HashMap<&'a str, usize>,
    block_index: HashMap<&'a str, usize>,
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
        for device in &self.machine.layout.devices {
            let Some(&upper) = self.devices.get(&device.id) else {
                continue;
            };
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
                    let observed = Disk::declared(self.machine, device).and_then(|disk| disk.observed);
                    match (observed, &declared.device) {
                        (Some(observed), _) => self.take_disk(at, observed),
                        // Files and other things that only stand in for a disk, as in a virtual machine.
                        (None, Some(file)) => match self.facts().disk_by_name(&file.value) {
                            Some(disk) => self.take_disk(at, disk),
                            None => self.take_block(at, self.facts().block_by_name(&file.value)),
                        },
                        (None, None) => {}
                    }
                }
                Kind::Partition(_) | Kind::Luks(_) | Kind::LvmLv(_) | Kind::Mdadm(_) => {
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
            let mut layer = Layer::new(kind, name.value.to_string());
            layer.block = Some(block);
            let at = self.stack.add(layer);
            self.blocks.insert(&block.name.value, at);
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
        // The last one wins where several are stacked.
        let live: BTreeMap<&str, &'a LiveMount> = self
            .facts()
            .mounts
            .iter()
            .map(|mount| (&*mount.mountpoint.value, mount))
            .collect();
        for (mountpoint, mount) in live {
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

    fn dataset(&mut self, name: &str) -> usize {
        let find = |stack: &Stack<'_>, kind, name: &str| {
            stack
                .layers
                .iter()
                .position(|layer| layer.kind == kind && layer.name == name)
        };
        if let Some(at) = find(&self.stack, LayerKind::Dataset, name) {
            return at;
        }
        let pool = name.split('/').next().unwrap_or(name);
        let lower = match find(&self.stack, LayerKind::Pool, pool) {
            Some(at) => at,
            None => self.stack.add(Layer::new(LayerKind::Pool, pool)),
        };
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
        let said = self.machine.workloads.iter().cloned();
        let set = self.machine.services().filter(|it| !self.machine.runs(it.name));
        let set = set.map(|it| Workload {
            name: it.name.into(),
            mountpoint: Some(it.folder.into()),
        });
        for workload in said.chain(set) {
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
