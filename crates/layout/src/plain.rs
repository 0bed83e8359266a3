//! What a host sets without disko, or in addition to it: `fileSystems`, `swapDevices` and
//! `boot.initrd.luks.devices`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use source::{Binding, Level, Node, OptionPath, Problem, Sourced, Span, Tree};

use crate::disko::SPECIAL_TYPES;
use crate::field::{Field, Set, entry_name, name_origin, place};
use crate::model::*;
use crate::{json, merge};

/// The plain NixOS options that mount, swap and decrypt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain<'a> {
    /// The tree at `fileSystems`.
    pub file_systems: Option<&'a Tree>,
    /// The tree at `swapDevices`.
    pub swap_devices: Option<&'a Tree>,
    /// The tree at `boot.initrd.luks.devices`.
    pub luks: Option<&'a Tree>,
    /// With which priority the values of these trees are defined; ordinary ones when `None`.
    pub priorities: Option<&'a Priorities>,
}

/// Priorities of definitions by the option, or the part of one, that they are on: `lib.mkForce` on
/// `fileSystems."/".options` is 50 at that path. What is not in it has the priority of its own kind,
/// [`ORDINARY`].
pub type Priorities = BTreeMap<OptionPath, i64>;

/// The priority of a definition without `lib.mkForce` and the like, and of all that disko defines:
/// `defaultOverridePriority` in
/// [lib/modules.nix](https://github.com/NixOS/nixpkgs/blob/master/lib/modules.nix), and `_config` of
/// [disko's types](https://github.com/nix-community/disko/tree/master/lib/types), which has no marks.
pub const ORDINARY: i64 = 100;

/// How a definition of the host stands to disko's of the same option. Of two that do not weigh the
/// same only one counts, of lists and sets as of all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// `lib.mkDefault`: disko's counts.
    Less,
    /// They are merged.
    Same,
    /// `lib.mkForce`: the host's counts.
    More,
}

/// How disko's module and the host's own files stand to each other. It decides whose elements
/// come first in a list that both define.
///
/// The module system goes through its modules from the last to the first, and through the imports
/// of a module before the module itself. The definitions of one mount are themselves modules (of a
/// submodule), so for mount options it turns round once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// disko's module stands before the host's in the list of modules, as in most flakes:
    /// disko's mount options come first, and the host's swap devices.
    #[default]
    Beside,
    /// The host's file itself imports disko's module, or that module stands after the host's:
    /// the host's mount options come first, and disko's swap devices.
    Imported,
}

/// Reads the storage of a host that does without disko.
///
/// The mounts of one btrfs device become one [`Btrfs`] with a [`Subvolume`] for each `subvol=`;
/// every other mount is a [`PlainMount`]. A filesystem on `/dev/mapper/<name>` lies in the LUKS
/// container of that name.
/// Never fails: see [`crate::read`].
pub fn read_plain(file_systems: &Tree, swap_devices: Option<&Tree>, luks: Option<&Tree>) -> Layout {
    let mut layout = Layout::default();
    let plain = Plain {
        file_systems: Some(file_systems),
        swap_devices,
        luks,
        priorities: None,
    };
    overlay_plain(&mut layout, &plain, Order::default());
    layout
}

/// Adds to a layout what the host's own files set beside it, merged as NixOS merges it: mounts
/// of the layout get the options and `neededForBoot`, other mounts, swap devices and LUKS devices
/// are added.
///
/// Where a definition has another priority than disko's own, see [`Plain::priorities`], one of the
/// two counts alone: of the whole option, of one mount, or of one attribute of it.
pub fn overlay_plain(layout: &mut Layout, plain: &Plain<'_>, order: Order) {
    let mut overlay = Overlay {
        lower: lower_devices(layout),
        layout,
        order,
        priorities: plain.priorities,
    };
    if let Some(tree) = plain.luks {
        overlay.luks(tree);
    }
    if let Some(tree) = plain.file_systems {
        overlay.file_systems(tree);
    }
    if let Some(tree) = plain.swap_devices {
        overlay.swap_devices(tree);
    }
    layout.sort_unknown();
}

/// The device files that the devices of a layout offer to what lies on them.
fn lower_devices(layout: &Layout) -> BTreeMap<Arc<str>, DeviceId> {
    let mut lower = BTreeMap::new();
    for device in &layout.devices {
        let mut offer = |name: Arc<str>| {
            lower.entry(name).or_insert(device.id);
        };
        match &device.kind {
            Kind::Luks(luks) => {
                if let Some(name) = &luks.name {
                    offer(format!("/dev/mapper/{}", name.value).into());
                }
            }
            Kind::LvmLv(volume) => {
                if let Some(node) = &device.node {
                    offer(node.clone());
                }
                // The device mapper's own name of it: hyphens in names are doubled.
                let group = device.parent.and_then(|group| layout.device(group));
                if let Some(Kind::LvmVg(group)) = group.map(|group| &group.kind) {
                    let doubled = |name: &str| name.replace('-', "--");
                    offer(format!("/dev/mapper/{}-{}", doubled(&group.name), doubled(&volume.name)).into());
                }
            }
            Kind::Disk(_) | Kind::Partition(_) | Kind::Mdadm(_) | Kind::Zvol(_) => {
                if let Some(node) = &device.node {
                    offer(node.clone());
                }
            }
            _ => {}
        }
    }
    lower
}

/// Takes away what disko makes of a layout when `disko.enableConfig` is off, as for an installer's
/// image: its mounts, swap and LUKS devices are the business of nobody but disko's scripts.
pub fn without_config(layout: &mut Layout) {
    layout.mounts.clear();
    layout.swaps.clear();
    layout.luks.clear();
    layout.resume_device = None;
}

struct Overlay<'l> {
    layout: &'l mut Layout,
    lower: BTreeMap<Arc<str>, DeviceId>,
    order: Order,
    priorities: Option<&'l Priorities>,
}

/// One `fileSystems.<name>`.
struct Entry<'a> {
    set: Set<'a>,
    mountpoint: Text,
    device: Field<Text>,
    fs_type: Field<Text>,
    options: MountOptions,
    needed: Option<Sourced<bool>>,
}

impl Overlay<'_> {
    fn weight(&self, path: &OptionPath) -> Weight {
        match self.priorities.and_then(|priorities| priorities.get(path)) {
            Some(priority) if *priority > ORDINARY => Weight::Less,
            Some(priority) if *priority < ORDINARY => Weight::More,
            _ => Weight::Same,
        }
    }

    /// Notes that a definition does nothing.
    fn outweighed(&mut self, path: &OptionPath, at: Option<Span>) {
        let message =
            format!("{path} has no effect: disko defines it too, and what `lib.mkDefault` says gives way");
        let mut problem = Problem::warning(message).at(at);
        problem.level = Level::Note;
        self.layout.problems.push(problem);
    }

    /// Whether an attribute of a set that disko defines too has no effect, which is noted.
    fn gives_way(&mut self, set: &Set<'_>, name: &str) -> bool {
        let path = set.path.join(name);
        let Some(attr) = set.get(name) else { return false };
        let less = self.weight(&path) == Weight::Less;
        if less {
            self.outweighed(&path, name_origin(&attr.bindings, &attr.tree.origin).span());
        }
        less
    }

    fn push(
        &mut self,
        set: &Set<'_>,
        parent: Option<DeviceId>,
        node: Option<Arc<str>>,
        kind: Kind,
    ) -> DeviceId {
        let id = DeviceId(self.layout.devices.len() as u32);
        self.layout.devices.push(Device {
            id,
            path: set.path.clone(),
            parent,
            origin: set.origin.clone(),
            bindings: set.bindings.to_vec(),
            node,
            kind,
        });
        id
    }

    /// The tree as a set of sets by name.
    fn sets<'a>(&mut self, tree: &'a Tree, path: &OptionPath) -> Vec<(Arc<str>, Set<'a>)> {
        let attrs = match &tree.node {
            Node::Attrs(attrs) => attrs,
            Node::Null => return Vec::new(),
            _ => {
                self.layout.note_unfit(path, tree, "a set");
                return Vec::new();
            }
        };
        attrs
            .iter()
            .filter_map(|(name, attr)| {
                let set = self.layout.set_of(attr, path.join(name), "nixos").known()?;
                Some((name.clone(), set))
            })
            .collect()
    }

    // ---- LUKS ------------------------------------------------------------------------------

    fn luks(&mut self, tree: &Tree) {
        let path = OptionPath::new(["boot", "initrd", "luks", "devices"]);
        let mut definitions = std::mem::take(&mut self.layout.luks);
        match self.weight(&path) {
            Weight::Less if !definitions.is_empty() => {
                self.layout.luks = definitions;
                return self.outweighed(&path, tree.origin.span());
            }
            Weight::More => definitions.clear(),
            _ => {}
        }
        let mut known: BTreeMap<Arc<str>, DeviceId> = definitions
            .iter()
            .map(|device| (device.name.clone(), device.device_id))
            .collect();
        for (attribute, set) in self.sets(tree, &path) {
            let name = match self.layout.text(&set, "name") {
                Field::Absent => attribute.clone(),
                Field::Known(name) => name.value,
                Field::Null | Field::Unknown(_) => continue,
            };
            let twice = definitions.iter().any(|device| device.name == name);
            match self.weight(&set.path) {
                Weight::Less if twice => {
                    self.outweighed(&set.path, name_origin(set.bindings, set.origin).span());
                    continue;
                }
                Weight::More => definitions.retain(|device| device.name != name),
                _ => {}
            }
            let forced: BTreeSet<&str> = set
                .attrs
                .keys()
                .map(|name| &**name)
                .filter(|name| self.weight(&set.path.join(name)) == Weight::More)
                .collect();
            let mut outweighed: BTreeSet<&str> = BTreeSet::new();
            if let Some(theirs) = definitions.iter_mut().find(|device| device.name == name) {
                if forced.contains("device") {
                    theirs.device = None;
                }
                theirs.settings.retain(|(name, _)| !forced.contains(&**name));
                let defined: BTreeSet<Arc<str>> =
                    theirs.settings.iter().map(|(name, _)| name.clone()).collect();
                for name in set.attrs.keys() {
                    if (&**name == "device" || defined.contains(name)) && self.gives_way(&set, name) {
                        outweighed.insert(name);
                    }
                }
            }
            let device = self
                .layout
                .text(&set, "device")
                .known()
                .filter(|_| !outweighed.contains("device"))
                .map(|device| device.value);
            let allow_discards = self.layout.boolean(&set, "allowDiscards").known();
            let bypass_workqueues = self.layout.boolean(&set, "bypassWorkqueues").known();
            let settings = set
                .attrs
                .iter()
                .filter(|(name, _)| !matches!(&***name, "device" | "name"))
                .filter(|(name, _)| !outweighed.contains(&***name))
                .filter_map(|(name, attr)| Some((name.clone(), json::from_tree(&attr.tree)?)))
                .collect();
            let id = match known.get(&name) {
                Some(&id) => {
                    if let Some(Kind::Luks(luks)) = self.kind_mut(id) {
                        for (place, given, name) in [
                            (&mut luks.allow_discards, allow_discards, "allowDiscards"),
                            (&mut luks.bypass_workqueues, bypass_workqueues, "bypassWorkqueues"),
                        ] {
                            if place.is_none() || forced.contains(name) {
                                *place = given.or(place.take());
                            }
                        }
                    }
                    id
                }
                None => {
                    let kind = Kind::Luks(Luks {
                        name: Some(Text::new(name.clone(), name_origin(set.bindings, set.origin))),
                        allow_discards,
                        bypass_workqueues,
                        settings: Some(Place {
                            path: set.path.clone(),
                            origin: set.origin.clone(),
                            bindings: set.bindings.to_vec(),
                        }),
                        extra_format_args: Vec::new(),
                        extra_open_args: Vec::new(),
                        initrd_unlock: Some(Sourced::new(true, set.origin.clone())),
                    });
                    let parent = self.below(device.as_ref());
                    let id = self.push(&set, parent, device.clone(), kind);
                    self.lower
                        .entry(format!("/dev/mapper/{name}").into())
                        .or_insert(id);
                    known.insert(name.clone(), id);
                    id
                }
            };
            definitions.push(LuksDevice {
                name,
                device,
                settings,
                device_id: id,
            });
        }
        merge::luks(self.layout, definitions);
    }

    fn kind_mut(&mut self, id: DeviceId) -> Option<&mut Kind> {
        self.layout
            .devices
            .get_mut(id.0 as usize)
            .map(|device| &mut device.kind)
    }

    fn below(&self, device: Option<&Arc<str>>) -> Option<DeviceId> {
        self.lower.get(device?).copied()
    }

    // ---- mounts ----------------------------------------------------------------------------

    fn file_systems(&mut self, tree: &Tree) {
        let path = OptionPath::new(["fileSystems"]);
        match self.weight(&path) {
            Weight::Less if !self.layout.mounts.is_empty() => {
                return self.outweighed(&path, tree.origin.span());
            }
            Weight::More => self.layout.mounts.clear(),
            _ => {}
        }
        let mut present: BTreeMap<Arc<str>, usize> = self
            .layout
            .mounts
            .iter()
            .enumerate()
            .map(|(index, mount)| (mount.mountpoint.value.clone(), index))
            .collect();
        let mut off: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut fresh: Vec<Entry<'_>> = Vec::new();
        for (attribute, set) in self.sets(tree, &path) {
            let mountpoint = match self.layout.absolute(&set, "mountPoint") {
                Field::Absent => Text::new(attribute, name_origin(set.bindings, set.origin)),
                Field::Known(mountpoint) => mountpoint,
                Field::Null | Field::Unknown(_) => continue,
            };
            if present.contains_key(&mountpoint.value) {
                match self.weight(&set.path) {
                    Weight::Less => {
                        self.outweighed(&set.path, name_origin(set.bindings, set.origin).span());
                        continue;
                    }
                    Weight::More => {
                        present.remove(&mountpoint.value);
                        off.insert(mountpoint.value.clone());
                    }
                    Weight::Same => {}
                }
            }
            if let Field::Known(Sourced { value: false, .. }) = self.layout.boolean(&set, "enable") {
                off.insert(mountpoint.value);
                continue;
            }
            let entry = Entry {
                device: self.layout.text(&set, "device"),
                fs_type: self.layout.text(&set, "fsType"),
                options: self.layout.mount_options(&set, "options"),
                needed: self.layout.boolean(&set, "neededForBoot").known(),
                mountpoint,
                set,
            };
            match present.remove(&entry.mountpoint.value) {
                Some(index) => self.merge_entry(index, entry),
                None => fresh.push(entry),
            }
        }
        self.layout
            .mounts
            .retain(|mount| !off.contains(&mount.mountpoint.value));
        self.add_entries(fresh);
        self.layout
            .mounts
            .sort_by(|a, b| a.mountpoint.value.cmp(&b.mountpoint.value));
    }

    /// Merges a definition into a mount of the layout.
    fn merge_entry(&mut self, index: usize, entry: Entry<'_>) {
        let Some(mut mount) = self.layout.mounts.get(index).cloned() else {
            return;
        };
        let at = &entry.mountpoint.origin;
        let other = mount.mountpoint.origin.clone();
        let set = &entry.set;
        let forced = |name: &str| self.weight(&set.path.join(name)) == Weight::More;
        let (device_forced, type_forced, options_forced) =
            (forced("device"), forced("fsType"), forced("options"));
        if let Field::Known(device) = &entry.device
            && !self.gives_way(set, "device")
        {
            match &mount.device {
                Some(known) if *known != device.value && !device_forced => {
                    let path = set.path.join("device");
                    let problem = merge::conflict(&path, known, &device.value, at, &other);
                    self.layout.problems.push(problem);
                }
                Some(_) if !device_forced => {}
                _ => mount.device = Some(device.value.clone()),
            }
        } else if device_forced {
            mount.device = None;
        }
        if let Field::Known(fs_type) = &entry.fs_type
            && fs_type.value != mount.fs_type
            && !self.gives_way(set, "fsType")
        {
            if type_forced {
                mount.fs_type = fs_type.value.clone();
            } else {
                let path = set.path.join("fsType");
                let problem = merge::conflict(&path, &mount.fs_type, &fs_type.value, at, &other);
                self.layout.problems.push(problem);
            }
        }
        if options_forced {
            // What disko appends, such as `subvol=`, is gone with the rest of its list.
            mount.options.clone_from(&entry.options.list);
            mount.declared = entry.options;
        } else if !self.gives_way(set, "options") {
            match self.order {
                Order::Beside => mount.options.extend(entry.options.list),
                Order::Imported => {
                    mount.options.splice(0..0, entry.options.list);
                }
            }
            if mount.declared.unknown.is_none() {
                mount.declared.unknown = entry.options.unknown;
            }
        }
        if let (Some(first), Some(second)) = (&mount.needed_for_boot_set, &entry.needed)
            && first.value != second.value
        {
            let path = set.path.join("neededForBoot");
            let problem = merge::conflict(
                &path,
                &first.value.to_string(),
                &second.value.to_string(),
                at,
                &other,
            );
            self.layout.problems.push(problem);
        }
        mount.needed_for_boot_set = mount.needed_for_boot_set.or(entry.needed);
        merge::settle_boot(&mut mount);
        if let Some(place) = self.layout.mounts.get_mut(index) {
            *place = mount;
        }
    }

    /// Adds mounts that the layout does not have.
    fn add_entries(&mut self, entries: Vec<Entry<'_>>) {
        let mut filesystems: BTreeMap<Arc<str>, DeviceId> = self
            .layout
            .devices
            .iter()
            .filter(|device| matches!(device.kind, Kind::Btrfs(_)))
            .filter_map(|device| Some((device.node.clone()?, device.id)))
            .collect();
        for entry in entries {
            let fs_type = match &entry.fs_type {
                Field::Known(fs_type) => fs_type.clone(),
                Field::Absent => Text::new("auto".into(), place(&entry.set, "fsType").origin),
                Field::Null | Field::Unknown(_) => continue,
            };
            let device = self.device_of(&entry, &fs_type.value);
            let id = if &*fs_type.value == "btrfs" {
                self.btrfs(&entry, device.as_ref(), &mut filesystems)
            } else {
                let kind = Kind::PlainMount(PlainMount {
                    mountpoint: entry.mountpoint.clone(),
                    fs_type: fs_type.clone(),
                    mount_options: entry.options.clone(),
                });
                let parent = self.below(device.as_ref());
                self.push(&entry.set, parent, device.clone(), kind)
            };
            let options = if entry.options.written {
                entry.options.list.clone()
            } else {
                vec![Text::new("defaults".into(), entry.options.place.origin.clone())]
            };
            let mut mount = Mount {
                mountpoint: entry.mountpoint,
                device,
                fs_type: fs_type.value,
                options,
                declared: entry.options,
                needed_for_boot: false,
                needed_for_boot_set: entry.needed,
                device_id: id,
            };
            merge::check(self.layout, &mount);
            merge::settle_boot(&mut mount);
            self.layout.mounts.push(mount);
        }
    }

    /// The device that NixOS mounts: what was set, by the label, or the type's own name.
    fn device_of(&mut self, entry: &Entry<'_>, fs_type: &str) -> Option<Arc<str>> {
        match &entry.device {
            Field::Known(device) => Some(device.value.clone()),
            Field::Unknown(_) => None,
            Field::Absent | Field::Null => match self.layout.text(&entry.set, "label") {
                Field::Known(label) => Some(format!("/dev/disk/by-label/{}", label.value).into()),
                Field::Unknown(_) => None,
                Field::Absent | Field::Null if SPECIAL_TYPES.contains(&fs_type) => Some(fs_type.into()),
                Field::Absent | Field::Null => {
                    let message = format!(
                        "{} names no `device`, and nothing in the layout is mounted there",
                        entry.set.path
                    );
                    let problem = Problem::warning(message).at(entry.mountpoint.origin.span());
                    self.layout.problems.push(problem);
                    None
                }
            },
        }
    }

    /// A mount of a btrfs filesystem: its top level, or one of its subvolumes.
    fn btrfs(
        &mut self,
        entry: &Entry<'_>,
        device: Option<&Arc<str>>,
        filesystems: &mut BTreeMap<Arc<str>, DeviceId>,
    ) -> DeviceId {
        let known = device.and_then(|device| filesystems.get(device)).copied();
        let filesystem = known.unwrap_or_else(|| {
            let kind = Kind::Btrfs(Btrfs {
                extra_args: Vec::new(),
                mount_options: MountOptions {
                    place: place(&entry.set, "options"),
                    list: Vec::new(),
                    written: false,
                    unknown: None,
                },
                mountpoint: None,
                swap_files: Vec::new(),
                subvolumes: Vec::new(),
            });
            let parent = self.below(device);
            let id = self.push(&entry.set, parent, device.cloned(), kind);
            if let Some(device) = device {
                filesystems.insert(device.clone(), id);
            }
            id
        });
        let name = subvolume_name(&entry.options);
        if let (None, Some(Kind::Btrfs(btrfs))) = (&name, self.kind_mut(filesystem))
            && btrfs.mountpoint.is_none()
        {
            btrfs.mountpoint = Some(entry.mountpoint.clone());
            btrfs.mount_options = entry.options.clone();
            return filesystem;
        }
        let kind = Kind::Subvolume(Subvolume {
            name: name.unwrap_or_else(|| "/".into()),
            mountpoint: Some(entry.mountpoint.clone()),
            mount_options: entry.options.clone(),
            swap_files: Vec::new(),
        });
        let id = self.push(&entry.set, Some(filesystem), device.cloned(), kind);
        if let Some(Kind::Btrfs(btrfs)) = self.kind_mut(filesystem) {
            btrfs.subvolumes.push(id);
        }
        id
    }

    // ---- swap ------------------------------------------------------------------------------

    fn swap_devices(&mut self, tree: &Tree) {
        let path = OptionPath::new(["swapDevices"]);
        match self.weight(&path) {
            Weight::Less if !self.layout.swaps.is_empty() => {
                return self.outweighed(&path, tree.origin.span());
            }
            Weight::More => self.layout.swaps.clear(),
            _ => {}
        }
        let elements = match &tree.node {
            Node::List(elements) => elements,
            Node::Null => return,
            _ => {
                self.layout.note_unfit(&path, tree, "a list");
                return;
            }
        };
        let mut swaps = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let path = path.join(&entry_name(index));
            let Some(attrs) = element.as_attrs() else {
                self.layout.note_unfit(&path, element, "a set");
                continue;
            };
            let bindings: &[Binding] = &[];
            let set = Set {
                attrs,
                path,
                origin: &element.origin,
                bindings,
                of: "nixos",
            };
            swaps.push(self.swap_device(&set));
        }
        match self.order {
            Order::Beside => {
                self.layout.swaps.splice(0..0, swaps);
            }
            Order::Imported => self.layout.swaps.extend(swaps),
        }
    }

    fn swap_device(&mut self, set: &Set<'_>) -> SwapDevice {
        let device = match self.layout.text(set, "device") {
            Field::Known(device) => Some(device.value),
            Field::Unknown(_) => None,
            Field::Absent | Field::Null => self
                .layout
                .text(set, "label")
                .known()
                .map(|label| format!("/dev/disk/by-label/{}", label.value).into()),
        };
        // A Boolean stands for a set with `enable`.
        let (random, discards) = match set.get("randomEncryption").map(|attr| &attr.tree.node) {
            Some(Node::Attrs(_)) => match self.layout.set(set, "randomEncryption").known() {
                Some(inner) => (
                    self.layout.boolean(&inner, "enable").known(),
                    self.layout
                        .boolean(&inner, "allowDiscards")
                        .known()
                        .is_some_and(|allow| allow.value),
                ),
                None => (None, false),
            },
            _ => (self.layout.boolean(set, "randomEncryption").known(), false),
        };
        let swap = Swap {
            discard_policy: self.layout.text(set, "discardPolicy").known(),
            priority: self.layout.integer(set, "priority").known(),
            random_encryption: random,
            resume_device: None,
            mount_options: self.layout.mount_options(set, "options"),
        };
        let parent = self.below(device.as_ref());
        let id = self.push(set, parent, device.clone(), Kind::Swap(swap.clone()));
        let options = if swap.mount_options.written {
            swap.mount_options
                .list
                .iter()
                .map(|option| option.value.clone())
                .collect()
        } else {
            vec!["defaults".into()]
        };
        SwapDevice {
            device,
            priority: swap.priority.map(|priority| priority.value),
            discard_policy: swap.discard_policy.map(|policy| policy.value),
            random_encryption: swap.random_encryption.is_some_and(|random| random.value),
            random_encryption_discards: discards,
            options,
            device_id: id,
        }
    }
}

/// The subvolume that a list of options selects; `None` for the top level. The last of several
/// counts, as with mount(8).
fn subvolume_name(options: &MountOptions) -> Option<Arc<str>> {
    let option = options.last(&["subvol", "subvolid"])?;
    match (option.key, option.value?) {
        ("subvol", "/" | "") | ("subvolid", "5" | "0") => None,
        ("subvol", name) => Some(name.into()),
        (_, number) => Some(format!("subvolid={number}").into()),
    }
}
