//! disko's node types, and what each of them gives to NixOS.
//!
//! The options, their defaults and the NixOS configuration that a node makes are those of
//! [disko](https://github.com/nix-community/disko), `lib/default.nix` and `lib/types/*.nix`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use source::{Binding, Node, OptionPath, Origin, Problem, Sourced, Tree};

use crate::field::{Field, Set, entry_name, name_origin, place};
use crate::model::*;
use crate::{json, names};

/// Content nested deeper than this is left out with a problem. Real layouts stay below ten.
const DEEPEST: usize = 64;

/// The kinds of top-level devices, in the order in which disko visits them.
const TOP: [&str; 6] = [
    "bcachefs_filesystems",
    "disk",
    "lvm_vg",
    "mdadm",
    "nodev",
    "zpool",
];

/// The options that every node type has.
const HOOKS: [&str; 6] = [
    "preCreateHook",
    "postCreateHook",
    "preMountHook",
    "postMountHook",
    "preUnmountHook",
    "postUnmountHook",
];

/// The filesystem types whose device NixOS and disko name after the type.
pub(crate) const SPECIAL_TYPES: [&str; 6] = ["proc", "sysfs", "tmpfs", "ramfs", "devtmpfs", "devpts"];

/// Reads a disko layout: the tree at `disko.devices`.
///
/// Never fails: what is not known, failed or does not fit its option is in
/// [`Layout::unknown`] and [`Layout::problems`] with its option path and place, and the rest is read.
pub fn read(devices: &Tree) -> Layout {
    let mut reader = Reader::default();
    reader.top(devices);
    reader.finish()
}

/// What a reader collects: the devices, and what they give to NixOS in disko's order.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) layout: Layout,
    /// Definitions of `fileSystems`, not yet merged.
    pub(crate) mounts: Vec<Mount>,
    /// Definitions of `boot.initrd.luks.devices`, not yet merged.
    pub(crate) luks: Vec<LuksDevice>,
    /// Definitions of `boot.resumeDevice`.
    resume: Vec<Text>,
}

/// What a node lies in.
#[derive(Clone)]
struct Outer {
    id: DeviceId,
    /// Its `type`, for names of partitions.
    type_name: Arc<str>,
    /// Its name, for names of partitions.
    name: Option<Arc<str>>,
    /// The device file that content gets.
    device: Option<Arc<str>>,
    /// Whether disko lets a partition table lie in it.
    tables: bool,
}

/// A device that is about to be added.
struct New<'a> {
    path: &'a OptionPath,
    parent: Option<DeviceId>,
    origin: &'a Origin,
    bindings: &'a [Binding],
    node: Option<Arc<str>>,
}

impl<'a> New<'a> {
    fn of(set: &'a Set<'a>, parent: Option<DeviceId>, node: Option<Arc<str>>) -> Self {
        Self {
            path: &set.path,
            parent,
            origin: set.origin,
            bindings: set.bindings,
            node,
        }
    }
}

/// What a node asks NixOS to mount.
struct Wanted<'a> {
    id: DeviceId,
    mountpoint: Option<&'a Text>,
    device: Option<Arc<str>>,
    fs_type: Arc<str>,
    options: Vec<Text>,
    declared: &'a MountOptions,
}

impl Reader {
    // ---- the frame -------------------------------------------------------------------------

    fn top(&mut self, devices: &Tree) {
        let path = OptionPath::new(["disko", "devices"]);
        let attrs = match &devices.node {
            Node::Attrs(attrs) => attrs,
            Node::Null => return,
            _ => {
                self.layout.note_unfit(&path, devices, "a set");
                return;
            }
        };
        let set = Set {
            attrs,
            path,
            origin: &devices.origin,
            bindings: &[],
            of: "disko",
        };
        self.check_options(&set, "", &TOP, false);
        for kind in TOP {
            for (name, set) in self.layout.sets(&set, kind) {
                match kind {
                    "bcachefs_filesystems" => self.bcachefs(&name, &set),
                    "disk" => self.disk(&name, &set),
                    "lvm_vg" => self.volume_group(&name, &set),
                    "mdadm" => self.array(&name, &set),
                    "nodev" => self.nodev(&name, &set),
                    _ => self.pool(&name, &set),
                }
            }
        }
    }

    /// Adds a device.
    fn push(&mut self, new: New<'_>, kind: Kind) -> DeviceId {
        let id = DeviceId(self.layout.devices.len() as u32);
        self.layout.devices.push(Device {
            id,
            path: new.path.clone(),
            parent: new.parent,
            origin: new.origin.clone(),
            bindings: new.bindings.to_vec(),
            node: new.node,
            kind,
        });
        id
    }

    /// What a device is, for filling in what is known only after its children.
    pub(crate) fn kind_mut(&mut self, id: DeviceId) -> Option<&mut Kind> {
        self.layout
            .devices
            .get_mut(id.0 as usize)
            .map(|device| &mut device.kind)
    }

    /// Notes the options that disko does not have. Internal ones (`_config` …) stand in the JSON
    /// of an evaluated layout.
    fn check_options(&mut self, set: &Set<'_>, type_name: &str, options: &[&str], hooks: bool) {
        for (name, attr) in set.attrs {
            let known = options.contains(&&**name)
                || (hooks && HOOKS.contains(&&**name))
                || name.starts_with('_')
                || &**name == "type";
            if !known {
                let of = if type_name.is_empty() {
                    String::new()
                } else {
                    format!(" of `{type_name}`")
                };
                let message = format!("{} is not an option{of}; ignored", set.path.join(name));
                let span = name_origin(&attr.bindings, &attr.tree.origin).span();
                self.layout.problems.push(Problem::warning(message).at(span));
            }
        }
    }

    /// The `device` that was set, or the one that the node lies on.
    fn own_device(&mut self, set: &Set<'_>, inherited: &Option<Arc<str>>) -> Option<Arc<str>> {
        match self.layout.text(set, "device") {
            Field::Absent => inherited.clone(),
            Field::Known(device) => Some(device.value),
            Field::Null | Field::Unknown(_) => None,
        }
    }

    /// The `name` that was set, or the attribute's.
    fn own_name(&mut self, set: &Set<'_>, attribute: &str) -> Option<Arc<str>> {
        match self.layout.text(set, "name") {
            Field::Absent => Some(attribute.into()),
            Field::Known(name) => Some(name.value),
            Field::Null | Field::Unknown(_) => None,
        }
    }

    /// A required option; a problem is noted when it is missing.
    fn required(&mut self, set: &Set<'_>, name: &str) -> Option<Text> {
        match self.layout.text(set, name) {
            Field::Known(text) => Some(text),
            Field::Absent | Field::Null => {
                let message = format!("{} has no `{name}`, which disko requires", set.path);
                self.layout.problems.push(Problem::error(message).at(set.span()));
                None
            }
            Field::Unknown(_) => None,
        }
    }

    // ---- what NixOS gets -------------------------------------------------------------------

    fn want_mount(&mut self, wanted: Wanted<'_>) {
        self.want_mount_needed(wanted, None);
    }

    fn want_mount_needed(&mut self, wanted: Wanted<'_>, needed: Option<Sourced<bool>>) {
        let Some(mountpoint) = wanted.mountpoint else {
            return;
        };
        self.mounts.push(Mount {
            mountpoint: mountpoint.clone(),
            device: wanted.device,
            fs_type: wanted.fs_type,
            options: wanted.options,
            declared: wanted.declared.clone(),
            needed_for_boot: false,
            needed_for_boot_set: needed,
            device_id: wanted.id,
        });
    }

    /// Swap files: options of a btrfs filesystem and of its subvolumes.
    fn swap_files(&mut self, set: &Set<'_>) -> Vec<SwapFile> {
        self.layout
            .sets(set, "swap")
            .into_iter()
            .map(|(name, set)| {
                self.check_options(
                    &set,
                    "btrfs swap",
                    &["size", "path", "priority", "options"],
                    false,
                );
                let path = match self.layout.text(&set, "path") {
                    Field::Absent => Some(Text::new(name.clone(), name_origin(set.bindings, set.origin))),
                    other => other.known(),
                };
                SwapFile {
                    path,
                    size: self.layout.text(&set, "size").known(),
                    priority: self.layout.integer(&set, "priority").known(),
                    options: self.layout.mount_options(&set, "options"),
                    name,
                }
            })
            .collect()
    }

    fn want_swap_files(&mut self, id: DeviceId, mountpoint: Option<&Text>, files: &[SwapFile]) {
        for file in files {
            let (Some(mountpoint), Some(path)) = (mountpoint, &file.path) else {
                continue;
            };
            self.layout.swaps.push(SwapDevice {
                device: Some(format!("{}/{}", mountpoint.value, path.value).into()),
                priority: file.priority.as_ref().map(|priority| priority.value),
                discard_policy: None,
                random_encryption: false,
                random_encryption_discards: false,
                options: or_defaults(&file.options, &["defaults"])
                    .into_iter()
                    .map(|option| option.value)
                    .collect(),
                device_id: id,
            });
        }
    }

    /// Notes swap files that nothing mounts: disko cannot name them, and its evaluation stops.
    fn check_swap_files(&mut self, set: &Set<'_>, files: &[SwapFile]) {
        if let (false, Some(attr)) = (files.is_empty(), set.get("swap")) {
            let absent = matches!(
                set.get("mountpoint").map(|attr| &attr.tree.node),
                None | Some(Node::Null)
            );
            if absent {
                let message = format!(
                    "{} has swap files but no `mountpoint`, so disko cannot name them",
                    set.path
                );
                let span = name_origin(&attr.bindings, &attr.tree.origin).span();
                self.layout.problems.push(Problem::error(message).at(span));
            }
        }
    }

    // ---- disks and partition tables --------------------------------------------------------

    fn disk(&mut self, attribute: &Arc<str>, set: &Set<'_>) {
        self.check_options(
            set,
            "disk",
            &["name", "device", "destroy", "imageName", "imageSize", "content"],
            true,
        );
        let name = match self.layout.text(set, "name") {
            Field::Absent => Some(attribute.replace('/', "_").into()),
            other => other.known().map(|name| name.value),
        };
        let device = self.layout.text(set, "device").known();
        let node = device.as_ref().map(|device| device.value.clone());
        let destroy = self.layout.boolean(set, "destroy").known();
        let kind = Kind::Disk(Disk {
            name: name.clone().unwrap_or_else(|| attribute.clone()),
            device,
            destroy,
        });
        let id = self.push(New::of(set, None, node.clone()), kind);
        let outer = Outer {
            id,
            type_name: "disk".into(),
            name,
            device: node,
            tables: true,
        };
        self.content(set, &outer, 0);
    }

    fn gpt(&mut self, set: &Set<'_>, outer: &Outer, depth: usize) {
        self.check_options(
            set,
            "gpt",
            &["device", "partitions", "efiGptPartitionFirst"],
            true,
        );
        let device = self.own_device(set, &outer.device);
        let id = self.push(New::of(set, Some(outer.id), device), Kind::Gpt(Gpt::default()));
        let partitions = self.layout.sets(set, "partitions");
        let numbers = if &*outer.type_name == "mdadm" {
            partition_numbers(&partitions)
        } else {
            BTreeMap::new()
        };
        let mut hybrid = false;
        for (attribute, set) in &partitions {
            self.check_options(
                set,
                "gpt partition",
                &[
                    "name",
                    "device",
                    "priority",
                    "uuid",
                    "label",
                    "size",
                    "alignment",
                    "start",
                    "end",
                    "attributes",
                    "content",
                    "hybrid",
                ],
                false,
            );
            hybrid |= set
                .get("hybrid")
                .is_some_and(|attr| !matches!(attr.tree.node, Node::Null));
            let name = self.own_name(set, attribute);
            let label = self.layout.text(set, "label");
            let device = self.partition_device(set, outer, name.as_deref(), &label, &numbers);
            let kind = Kind::Partition(Partition {
                name: name.clone().unwrap_or_else(|| attribute.clone()),
                size: self.layout.text(set, "size").known(),
                start: self.layout.text(set, "start").known(),
                end: self.layout.text(set, "end").known(),
                type_code: self.layout.text(set, "type").known(),
                label: label.known(),
            });
            let partition = self.push(New::of(set, Some(id), device.clone()), kind);
            let outer = Outer {
                id: partition,
                type_name: "gpt".into(),
                name: None,
                device,
                tables: false,
            };
            self.content(set, &outer, depth);
        }
        if let Some(Kind::Gpt(gpt)) = self.kind_mut(id) {
            gpt.hybrid = hybrid;
        }
    }

    /// The device file of a GPT partition: by UUID if it has one; by number on an md array, whose
    /// partition labels udev does not link; by label otherwise.
    fn partition_device(
        &mut self,
        set: &Set<'_>,
        table: &Outer,
        name: Option<&str>,
        label: &Field<Text>,
        numbers: &BTreeMap<Arc<str>, usize>,
    ) -> Option<Arc<str>> {
        match self.layout.text(set, "device") {
            Field::Absent => {}
            Field::Known(device) => return Some(device.value),
            Field::Null | Field::Unknown(_) => return None,
        }
        match self.layout.text(set, "uuid") {
            Field::Absent | Field::Null => {}
            Field::Known(uuid) => return Some(format!("/dev/disk/by-partuuid/{}", uuid.value).into()),
            Field::Unknown(_) => return None,
        }
        if &*table.type_name == "mdadm" {
            let number = numbers.get(name?)?;
            let array = table.name.as_deref()?;
            return Some(format!("/dev/disk/by-id/md-name-any:{array}-part{number}").into());
        }
        let label = match label {
            Field::Known(label) => label.value.to_string(),
            Field::Absent => names::partition_label(&table.type_name, table.name.as_deref()?, name?),
            Field::Null | Field::Unknown(_) => return None,
        };
        match names::escape_udev_link(&label) {
            Some(link) => Some(format!("/dev/disk/by-partlabel/{link}").into()),
            None => {
                let message = format!(
                    "{}: disko makes no device name of the label `{}`, which is not plain ASCII",
                    set.path,
                    label.escape_debug()
                );
                self.layout.problems.push(Problem::error(message).at(set.span()));
                None
            }
        }
    }

    fn table(&mut self, set: &Set<'_>, outer: &Outer, depth: usize) {
        self.check_options(set, "table", &["device", "format", "partitions"], true);
        let device = self.own_device(set, &outer.device);
        let format = self.layout.text(set, "format").known();
        let id = self.push(
            New::of(set, Some(outer.id), device.clone()),
            Kind::Table(Table { format }),
        );
        let Some(attr) = set.get("partitions") else {
            return;
        };
        let path = set.path.join("partitions");
        let Some(elements) = attr.tree.as_list() else {
            self.layout.note_unfit(&path, &attr.tree, "a list");
            return;
        };
        let mut unnumbered = false;
        for (index, element) in elements.iter().enumerate() {
            let path = path.join(&entry_name(index));
            let Some(attrs) = element.as_attrs() else {
                self.layout.note_unfit(&path, element, "a set");
                continue;
            };
            let set = Set {
                attrs,
                path,
                origin: &element.origin,
                bindings: &[],
                of: "disko",
            };
            self.check_options(
                &set,
                "table partition",
                &[
                    "name",
                    "part-type",
                    "fs-type",
                    "start",
                    "end",
                    "flags",
                    "bootable",
                    "content",
                ],
                false,
            );
            let node = device
                .as_deref()
                .and_then(|device| names::numbered_device(device, index + 1))
                .map(Arc::from);
            unnumbered |= node.is_none();
            let kind = Kind::Partition(Partition {
                name: self
                    .layout
                    .text(&set, "name")
                    .known()
                    .map_or_else(|| "".into(), |name| name.value),
                size: None,
                start: self.layout.text(&set, "start").known(),
                end: self.layout.text(&set, "end").known(),
                type_code: self.layout.text(&set, "part-type").known(),
                label: None,
            });
            let partition = self.push(New::of(&set, Some(id), node.clone()), kind);
            let outer = Outer {
                id: partition,
                type_name: "table".into(),
                name: None,
                device: node,
                tables: false,
            };
            self.content(&set, &outer, depth);
        }
        if let (true, Some(device)) = (unnumbered, &device) {
            let message = format!(
                "{}: disko does not know how the partitions of `{device}` are named",
                set.path
            );
            self.layout.problems.push(Problem::error(message).at(set.span()));
        }
    }

    // ---- content ---------------------------------------------------------------------------

    /// The `content` of a node, if it has one.
    fn content(&mut self, set: &Set<'_>, outer: &Outer, depth: usize) {
        if let Field::Known(content) = self.layout.set(set, "content") {
            self.node(&content, outer, depth + 1);
        }
    }

    fn node(&mut self, set: &Set<'_>, outer: &Outer, depth: usize) {
        if depth > DEEPEST {
            let reason = format!("is nested more than {DEEPEST} levels deep; left out");
            self.layout.note_bad(&set.path, &reason, set.span());
            return;
        }
        let Some(type_name) = self.required(set, "type") else {
            self.other(set, None, outer, depth);
            return;
        };
        if matches!(&*type_name.value, "gpt" | "table") && !outer.tables {
            let message = format!("{}: disko lets no partition table lie here", set.path);
            self.layout
                .problems
                .push(Problem::error(message).at(type_name.origin.span()));
        }
        match &*type_name.value {
            "gpt" => self.gpt(set, outer, depth),
            "table" => self.table(set, outer, depth),
            "luks" => self.luks(set, outer, depth),
            "btrfs" => self.btrfs(set, outer),
            "filesystem" => self.filesystem(set, &type_name, outer, depth),
            "swap" => self.swap(set, outer),
            "lvm_pv" => self.member(set, outer, "vg", Kind::LvmPv),
            "mdraid" => self.member(set, outer, "name", Kind::Mdraid),
            "zfs" => self.member(set, outer, "pool", Kind::ZfsMember),
            "bcachefs" => self.member(set, outer, "filesystem", Kind::BcachefsMember),
            _ => {
                let message = format!(
                    "{}: `{}` is not a type of disko's that is known here; only what lies in it is read",
                    set.path, type_name.value
                );
                self.layout
                    .problems
                    .push(Problem::warning(message).at(type_name.origin.span()));
                self.other(set, Some(type_name), outer, depth);
            }
        }
    }

    /// A node of an unknown type. What lies in it is looked for in every set and list inside,
    /// on a device that is not known.
    fn other(&mut self, set: &Set<'_>, type_name: Option<Text>, outer: &Outer, depth: usize) {
        let device = self.own_device(set, &outer.device);
        let name: Arc<str> = type_name.as_ref().map_or("".into(), |name| name.value.clone());
        let id = self.push(
            New::of(set, Some(outer.id), device),
            Kind::Other(OtherKind { type_name }),
        );
        let inside = Outer {
            id,
            type_name: name,
            name: None,
            device: None,
            tables: true,
        };
        for (name, attr) in set.attrs {
            if !name.starts_with('_') {
                self.search(
                    &attr.tree,
                    &attr.bindings,
                    set.path.join(name),
                    &inside,
                    depth + 1,
                );
            }
        }
    }

    /// Looks for nodes of known types inside a value.
    fn search(&mut self, tree: &Tree, bindings: &[Binding], path: OptionPath, outer: &Outer, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match &tree.node {
            Node::Attrs(attrs) => {
                let set = Set {
                    attrs,
                    path,
                    origin: &tree.origin,
                    bindings,
                    of: "disko",
                };
                if attrs.get("type").is_some_and(|attr| attr.tree.as_str().is_some()) {
                    self.node(&set, outer, depth);
                } else {
                    for (name, attr) in attrs {
                        self.search(&attr.tree, &attr.bindings, set.path.join(name), outer, depth + 1);
                    }
                }
            }
            Node::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.search(element, &[], path.join(&entry_name(index)), outer, depth + 1);
                }
            }
            Node::Unknown(_) | Node::Failed(_) => {
                self.layout.note_unfit(&path, tree, "a value");
            }
            _ => {}
        }
    }

    fn member(&mut self, set: &Set<'_>, outer: &Outer, of: &str, kind: fn(Member) -> Kind) {
        let options: &[&str] = if of == "filesystem" {
            &["device", "filesystem", "extraFormatArgs", "label"]
        } else {
            &["device", of]
        };
        let type_name = set
            .get("type")
            .and_then(|attr| attr.tree.as_str())
            .unwrap_or_default();
        self.check_options(set, type_name, options, true);
        let device = self.own_device(set, &outer.device);
        let of = self.required(set, of);
        self.push(New::of(set, Some(outer.id), device), kind(Member { of }));
    }

    fn luks(&mut self, set: &Set<'_>, outer: &Outer, depth: usize) {
        self.check_options(
            set,
            "luks",
            &[
                "device",
                "name",
                "keyFile",
                "passwordFile",
                "askPassword",
                "settings",
                "additionalKeyFiles",
                "initrdUnlock",
                "extraFormatArgs",
                "extraOpenArgs",
                "content",
            ],
            true,
        );
        let device = self.own_device(set, &outer.device);
        let name = self.required(set, "name");
        let settings = self.layout.set(set, "settings").known();
        let (allow_discards, bypass_workqueues) = match &settings {
            Some(settings) => (
                self.layout.boolean(settings, "allowDiscards").known(),
                self.layout.boolean(settings, "bypassWorkqueues").known(),
            ),
            None => (None, None),
        };
        let initrd_unlock = match self.layout.boolean(set, "initrdUnlock") {
            Field::Known(unlock) => Some(unlock),
            Field::Absent => Some(Sourced::new(true, place(set, "initrdUnlock").origin)),
            Field::Null | Field::Unknown(_) => None,
        };
        let unlock = initrd_unlock.as_ref().is_some_and(|unlock| unlock.value);
        let kind = Kind::Luks(Luks {
            name: name.clone(),
            allow_discards,
            bypass_workqueues,
            settings: set.get("settings").map(|_| place(set, "settings")),
            extra_format_args: self.layout.texts(set, "extraFormatArgs"),
            extra_open_args: self.layout.texts(set, "extraOpenArgs"),
            initrd_unlock,
        });
        let id = self.push(New::of(set, Some(outer.id), device.clone()), kind);
        if let (true, Some(name)) = (unlock, &name) {
            // The settings win over the device that disko gives.
            let own = settings.as_ref().and_then(|settings| settings.get("device"));
            self.luks.push(LuksDevice {
                name: name.value.clone(),
                device: match own {
                    Some(attr) => attr.tree.as_str().map(Arc::from),
                    None => device,
                },
                settings: settings.map_or_else(Vec::new, |settings| {
                    settings
                        .attrs
                        .iter()
                        .filter(|(name, _)| &***name != "device")
                        .filter_map(|(name, attr)| Some((name.clone(), json::from_tree(&attr.tree)?)))
                        .collect()
                }),
                device_id: id,
            });
        }
        let name = name.map(|name| name.value);
        let outer = Outer {
            id,
            type_name: "luks".into(),
            device: name.as_ref().map(|name| format!("/dev/mapper/{name}").into()),
            name,
            tables: true,
        };
        self.content(set, &outer, depth);
    }

    fn btrfs(&mut self, set: &Set<'_>, outer: &Outer) {
        self.check_options(
            set,
            "btrfs",
            &[
                "device",
                "extraArgs",
                "mountOptions",
                "subvolumes",
                "mountpoint",
                "swap",
            ],
            true,
        );
        let device = self.own_device(set, &outer.device);
        let mount_options = self.layout.mount_options(set, "mountOptions");
        let mountpoint = self.layout.absolute(set, "mountpoint").known();
        let swap_files = self.swap_files(set);
        self.check_swap_files(set, &swap_files);
        let kind = Kind::Btrfs(Btrfs {
            extra_args: self.layout.texts(set, "extraArgs"),
            mount_options: mount_options.clone(),
            mountpoint: mountpoint.clone(),
            swap_files: swap_files.clone(),
            subvolumes: Vec::new(),
        });
        let id = self.push(New::of(set, Some(outer.id), device.clone()), kind);
        let mut subvolumes = Vec::new();
        for (attribute, set) in self.layout.sets(set, "subvolumes") {
            self.check_options(
                &set,
                "btrfs subvolume",
                &["name", "extraArgs", "mountOptions", "mountpoint", "swap"],
                false,
            );
            let name = self.own_name(&set, &attribute);
            let subvolume = Subvolume {
                name: name.clone().unwrap_or(attribute),
                mountpoint: self.layout.absolute(&set, "mountpoint").known(),
                mount_options: self.layout.mount_options(&set, "mountOptions"),
                swap_files: self.swap_files(&set),
            };
            self.check_swap_files(&set, &subvolume.swap_files);
            let subvolume_id = self.push(
                New::of(&set, Some(id), device.clone()),
                Kind::Subvolume(subvolume.clone()),
            );
            let mut options = or_defaults(&subvolume.mount_options, &["defaults"]);
            if let Some(name) = name {
                options.push(disko_text(&set, "mountOptions", format!("subvol={name}")));
            }
            self.want_mount(Wanted {
                id: subvolume_id,
                mountpoint: subvolume.mountpoint.as_ref(),
                device: device.clone(),
                fs_type: "btrfs".into(),
                options,
                declared: &subvolume.mount_options,
            });
            self.want_swap_files(subvolume_id, subvolume.mountpoint.as_ref(), &subvolume.swap_files);
            subvolumes.push(subvolume_id);
        }
        if let Some(Kind::Btrfs(btrfs)) = self.kind_mut(id) {
            btrfs.subvolumes = subvolumes;
        }
        self.want_mount(Wanted {
            id,
            mountpoint: mountpoint.as_ref(),
            device,
            fs_type: "btrfs".into(),
            options: or_defaults(&mount_options, &["defaults"]),
            declared: &mount_options,
        });
        self.want_swap_files(id, mountpoint.as_ref(), &swap_files);
    }

    fn filesystem(&mut self, set: &Set<'_>, type_name: &Text, outer: &Outer, depth: usize) {
        self.check_options(
            set,
            "filesystem",
            &["device", "extraArgs", "mountOptions", "mountpoint", "format"],
            true,
        );
        let Some(format) = self.required(set, "format") else {
            self.other(set, Some(type_name.clone()), outer, depth);
            return;
        };
        let device = self.own_device(set, &outer.device);
        let filesystem = Filesystem {
            format: format.clone(),
            mountpoint: self.layout.absolute(set, "mountpoint").known(),
            mount_options: self.layout.mount_options(set, "mountOptions"),
            extra_args: self.layout.texts(set, "extraArgs"),
        };
        let id = self.push(
            New::of(set, Some(outer.id), device.clone()),
            Kind::Filesystem(filesystem.clone()),
        );
        self.want_mount(Wanted {
            id,
            mountpoint: filesystem.mountpoint.as_ref(),
            device,
            fs_type: format.value,
            options: or_defaults(&filesystem.mount_options, &["defaults"]),
            declared: &filesystem.mount_options,
        });
    }

    fn swap(&mut self, set: &Set<'_>, outer: &Outer) {
        self.check_options(
            set,
            "swap",
            &[
                "device",
                "discardPolicy",
                "extraArgs",
                "mountOptions",
                "priority",
                "randomEncryption",
                "resumeDevice",
            ],
            true,
        );
        let device = self.own_device(set, &outer.device);
        let swap = Swap {
            discard_policy: self.layout.text(set, "discardPolicy").known(),
            priority: self.layout.integer(set, "priority").known(),
            random_encryption: self.layout.boolean(set, "randomEncryption").known(),
            resume_device: self.layout.boolean(set, "resumeDevice").known(),
            mount_options: self.layout.mount_options(set, "mountOptions"),
        };
        let id = self.push(
            New::of(set, Some(outer.id), device.clone()),
            Kind::Swap(swap.clone()),
        );
        if let (Some(Sourced { value: true, origin }), Some(device)) = (&swap.resume_device, &device) {
            self.resume.push(Text::new(device.clone(), origin.clone()));
        }
        self.layout.swaps.push(SwapDevice {
            device,
            priority: swap.priority.map(|priority| priority.value),
            random_encryption: swap.random_encryption.is_some_and(|random| random.value),
            random_encryption_discards: swap.discard_policy.is_some(),
            discard_policy: swap.discard_policy.map(|policy| policy.value),
            options: or_defaults(&swap.mount_options, &["defaults"])
                .into_iter()
                .map(|option| option.value)
                .collect(),
            device_id: id,
        });
    }

    // ---- groups, arrays and filesystems over several devices -----------------------------------

    fn volume_group(&mut self, attribute: &Arc<str>, set: &Set<'_>) {
        self.check_options(set, "lvm_vg", &["name", "lvs"], true);
        let name = self.own_name(set, attribute);
        let kind = Kind::LvmVg(Group {
            name: name.clone().unwrap_or_else(|| attribute.clone()),
            members: Vec::new(),
        });
        let id = self.push(New::of(set, None, None), kind);
        for (attribute, set) in self.layout.sets(set, "lvs") {
            self.check_options(
                &set,
                "logical volume",
                &[
                    "name",
                    "priority",
                    "size",
                    "lvm_type",
                    "extraArgs",
                    "pool",
                    "content",
                ],
                false,
            );
            let own = self.own_name(&set, &attribute);
            let device: Option<Arc<str>> = match (&name, &own) {
                (Some(group), Some(own)) => Some(format!("/dev/{group}/{own}").into()),
                _ => None,
            };
            let kind = Kind::LvmLv(LvmLv {
                name: own.unwrap_or(attribute),
                size: self.layout.text(&set, "size").known(),
                lvm_type: self.layout.text(&set, "lvm_type").known(),
                pool: self.layout.text(&set, "pool").known(),
                extra_args: self.layout.texts(&set, "extraArgs"),
            });
            let volume = self.push(New::of(&set, Some(id), device.clone()), kind);
            let outer = Outer {
                id: volume,
                type_name: "lvm_vg".into(),
                name: name.clone(),
                device,
                tables: false,
            };
            self.content(&set, &outer, 0);
        }
    }

    fn array(&mut self, attribute: &Arc<str>, set: &Set<'_>) {
        self.check_options(
            set,
            "mdadm",
            &["name", "level", "metadata", "content", "extraArgs"],
            true,
        );
        let name = self.own_name(set, attribute);
        let device: Option<Arc<str>> = name.as_ref().map(|name| format!("/dev/md/{name}").into());
        let level = match self.layout.integer(set, "level") {
            Field::Known(level) => Some(level),
            Field::Absent => Some(Sourced::new(1, place(set, "level").origin)),
            Field::Null | Field::Unknown(_) => None,
        };
        let kind = Kind::Mdadm(Mdadm {
            name: name.clone().unwrap_or_else(|| attribute.clone()),
            level,
            metadata: self.layout.text(set, "metadata").known(),
            extra_args: self.layout.texts(set, "extraArgs"),
            members: Vec::new(),
        });
        let id = self.push(New::of(set, None, device.clone()), kind);
        let outer = Outer {
            id,
            type_name: "mdadm".into(),
            name,
            device,
            tables: true,
        };
        self.content(set, &outer, 0);
    }

    fn nodev(&mut self, attribute: &Arc<str>, set: &Set<'_>) {
        self.check_options(
            set,
            "nodev",
            &["fsType", "device", "mountpoint", "mountOptions"],
            true,
        );
        let Some(fs_type) = self.required(set, "fsType") else {
            self.push(
                New::of(set, None, None),
                Kind::Other(OtherKind { type_name: None }),
            );
            return;
        };
        let default: Arc<str> = if SPECIAL_TYPES.contains(&&*fs_type.value) {
            fs_type.value.clone()
        } else {
            "none".into()
        };
        let device = self.own_device(set, &Some(default));
        let mountpoint = match self.layout.absolute(set, "mountpoint") {
            Field::Absent if attribute.starts_with('/') => Some(Text::new(
                attribute.clone(),
                name_origin(set.bindings, set.origin),
            )),
            Field::Absent => {
                let message = format!(
                    "{}: the name of a `nodev` without `mountpoint` is not an absolute path",
                    set.path
                );
                self.layout.problems.push(Problem::error(message).at(set.span()));
                None
            }
            other => other.known(),
        };
        let nodev = Nodev {
            fs_type: fs_type.clone(),
            mountpoint,
            mount_options: self.layout.mount_options(set, "mountOptions"),
        };
        let id = self.push(New::of(set, None, device.clone()), Kind::Nodev(nodev.clone()));
        self.want_mount(Wanted {
            id,
            mountpoint: nodev.mountpoint.as_ref(),
            device,
            fs_type: fs_type.value,
            options: or_defaults(&nodev.mount_options, &["defaults"]),
            declared: &nodev.mount_options,
        });
    }

    fn bcachefs(&mut self, attribute: &Arc<str>, set: &Set<'_>) {
        self.check_options(
            set,
            "bcachefs_filesystem",
            &[
                "name",
                "extraFormatArgs",
                "mountOptions",
                "mountpoint",
                "uuid",
                "passwordFile",
                "subvolumes",
            ],
            true,
        );
        let name = self.own_name(set, attribute);
        let uuid = match (self.layout.text(set, "uuid"), &name) {
            (Field::Known(uuid), _) => Some(uuid),
            (Field::Absent, Some(name)) => Some(Text::new(
                names::bcachefs_uuid(name).into(),
                place(set, "uuid").origin,
            )),
            _ => None,
        };
        let device: Option<Arc<str>> = uuid
            .as_ref()
            .map(|uuid| format!("/dev/disk/by-uuid/{}", uuid.value).into());
        let mount_options = self.layout.mount_options(set, "mountOptions");
        let mountpoint = self.layout.absolute(set, "mountpoint").known();
        let kind = Kind::Bcachefs(Bcachefs {
            name: name.unwrap_or_else(|| attribute.clone()),
            extra_format_args: self.layout.texts(set, "extraFormatArgs"),
            mountpoint: mountpoint.clone(),
            mount_options: mount_options.clone(),
            uuid,
            members: Vec::new(),
            subvolumes: Vec::new(),
        });
        let id = self.push(New::of(set, None, device.clone()), kind);
        let needed = |set: &Set<'_>| {
            Some(Sourced::new(
                true,
                Origin::Default {
                    option: format!("{}.neededForBoot", set.path).into(),
                    of: "disko",
                },
            ))
        };
        let mut options = vec![disko_text(set, "mountOptions", "X-mount.mkdir".to_owned())];
        options.extend(or_defaults(&mount_options, &["X-mount.mkdir"]));
        self.want_mount_needed(
            Wanted {
                id,
                mountpoint: mountpoint.as_ref(),
                device: device.clone(),
                fs_type: "bcachefs".into(),
                options: unique(options),
                declared: &mount_options,
            },
            needed(set),
        );
        let mut subvolumes = Vec::new();
        for (attribute, set) in self.layout.sets(set, "subvolumes") {
            self.check_options(
                &set,
                "bcachefs subvolume",
                &["name", "mountOptions", "mountpoint"],
                false,
            );
            let name = self.own_name(&set, &attribute);
            let subvolume = BcachefsSubvolume {
                name: name.clone().unwrap_or(attribute),
                mountpoint: self.layout.absolute(&set, "mountpoint").known(),
                mount_options: self.layout.mount_options(&set, "mountOptions"),
            };
            let subvolume_id = self.push(
                New::of(&set, Some(id), device.clone()),
                Kind::BcachefsSubvolume(subvolume.clone()),
            );
            let mut options = vec![disko_text(&set, "mountOptions", "X-mount.mkdir".to_owned())];
            if let Some(name) = name {
                let name = name.strip_prefix('/').unwrap_or(&name);
                options.push(disko_text(&set, "mountOptions", format!("X-mount.subdir={name}")));
            }
            // disko's default for a subvolume is the same two options again.
            options.extend(subvolume.mount_options.list.iter().cloned());
            self.want_mount_needed(
                Wanted {
                    id: subvolume_id,
                    mountpoint: subvolume.mountpoint.as_ref(),
                    device: device.clone(),
                    fs_type: "bcachefs".into(),
                    options: unique(options),
                    declared: &subvolume.mount_options,
                },
                needed(&set),
            );
            subvolumes.push(subvolume_id);
        }
        if let Some(Kind::Bcachefs(bcachefs)) = self.kind_mut(id) {
            bcachefs.subvolumes = subvolumes;
        }
    }

    // ---- ZFS -------------------------------------------------------------------------------

    fn pool(&mut self, attribute: &Arc<str>, set: &Set<'_>) {
        self.check_options(
            set,
            "zpool",
            &[
                "name",
                "mode",
                "options",
                "rootFsOptions",
                "mountpoint",
                "mountOptions",
                "datasets",
            ],
            true,
        );
        let name = self.own_name(set, attribute);
        let mode = self.pool_mode(set);
        let root = Dataset {
            name: name.clone().unwrap_or_else(|| attribute.clone()),
            options: self.layout.properties(set, "rootFsOptions"),
            mountpoint: self.layout.absolute(set, "mountpoint").known(),
            mount_options: self.layout.mount_options(set, "mountOptions"),
        };
        let kind = Kind::Zpool(Box::new(Zpool {
            name: root.name.clone(),
            mode,
            options: self.layout.properties(set, "options"),
            root_fs_options: root.options.clone(),
            mountpoint: root.mountpoint.clone(),
            mount_options: root.mount_options.clone(),
            members: Vec::new(),
            datasets: Vec::new(),
        }));
        let id = self.push(New::of(set, None, None), kind);

        // disko adds the pool's root dataset under this name to those of the layout.
        const ROOT: &str = "__root";
        let mut root = Some(root);
        let mut datasets = Vec::new();
        let path = set.path.join("datasets").join(ROOT);
        for (attribute, inner) in self.layout.sets(set, "datasets") {
            if &*attribute == ROOT {
                // The JSON of an evaluated layout holds it; a person has no business there.
                if inner.get("_name").is_none() {
                    let message = format!(
                        "{path} is what disko calls the pool's root dataset: use the pool's own options"
                    );
                    self.layout
                        .problems
                        .push(Problem::error(message).at(inner.span()));
                }
                continue;
            }
            if *attribute > *ROOT
                && let Some(root) = root.take()
            {
                datasets.push(self.root_dataset(set, &path, id, name.is_some(), root));
            }
            datasets.push(self.dataset(&attribute, &inner, id, name.as_deref()));
        }
        if let Some(root) = root {
            datasets.push(self.root_dataset(set, &path, id, name.is_some(), root));
        }
        if let Some(Kind::Zpool(pool)) = self.kind_mut(id) {
            pool.datasets = datasets;
        }
    }

    fn pool_mode(&mut self, set: &Set<'_>) -> ZpoolMode {
        let Some(attr) = set.get("mode") else {
            return ZpoolMode::Simple(Text::new("".into(), place(set, "mode").origin));
        };
        if let Some(mode) = attr.tree.as_str() {
            return ZpoolMode::Simple(Text::new(mode.into(), attr.tree.origin.clone()));
        }
        let path = set.path.join("mode");
        if attr.tree.as_attrs().is_none() {
            self.layout.note_unfit(&path, &attr.tree, "a string or a set");
            return ZpoolMode::Unknown;
        }
        let Some(topology) = self.layout.set_of(attr, path, set.of).known().and_then(|mode| {
            match self.layout.set(&mode, "topology") {
                Field::Absent | Field::Null => {
                    let message = format!("{} has no `topology`, which disko requires", mode.path);
                    self.layout.problems.push(Problem::error(message).at(mode.span()));
                    None
                }
                other => other.known(),
            }
        }) else {
            return ZpoolMode::Unknown;
        };
        self.check_options(
            &topology,
            "topology",
            &["vdev", "spare", "log", "dedup", "special", "cache"],
            false,
        );
        ZpoolMode::Topology(Topology {
            vdev: self.vdevs(&topology, "vdev"),
            log: self.vdevs(&topology, "log"),
            special: self.vdevs(&topology, "special"),
            dedup: self.vdevs(&topology, "dedup"),
            cache: self.layout.texts(&topology, "cache"),
            spare: self.layout.texts(&topology, "spare"),
        })
    }

    /// A list of vdevs. `special` may be one vdev without a list around it.
    fn vdevs(&mut self, topology: &Set<'_>, name: &str) -> Vec<Vdev> {
        let Some(attr) = topology.get(name) else {
            return Vec::new();
        };
        let path = topology.path.join(name);
        match &attr.tree.node {
            Node::Null if name == "special" => Vec::new(),
            Node::Attrs(attrs) if name == "special" => {
                let set = Set {
                    attrs,
                    path,
                    origin: &attr.tree.origin,
                    bindings: &attr.bindings,
                    of: "disko",
                };
                vec![self.vdev(&set)]
            }
            Node::List(elements) => elements
                .iter()
                .enumerate()
                .filter_map(|(index, element)| {
                    let path = path.join(&entry_name(index));
                    match element.as_attrs() {
                        Some(attrs) => Some(self.vdev(&Set {
                            attrs,
                            path,
                            origin: &element.origin,
                            bindings: &[],
                            of: "disko",
                        })),
                        None => {
                            self.layout.note_unfit(&path, element, "a set");
                            None
                        }
                    }
                })
                .collect(),
            _ => {
                self.layout.note_unfit(&path, &attr.tree, "a list");
                Vec::new()
            }
        }
    }

    fn vdev(&mut self, set: &Set<'_>) -> Vdev {
        self.check_options(set, "vdev", &["mode", "members"], false);
        Vdev {
            mode: match self.layout.text(set, "mode") {
                Field::Known(mode) => Some(mode),
                Field::Absent => Some(Text::new("".into(), place(set, "mode").origin)),
                Field::Null | Field::Unknown(_) => None,
            },
            members: self.layout.texts(set, "members"),
            devices: Vec::new(),
        }
    }

    fn root_dataset(
        &mut self,
        set: &Set<'_>,
        path: &OptionPath,
        pool: DeviceId,
        named: bool,
        root: Dataset,
    ) -> DeviceId {
        let new = New {
            path,
            parent: Some(pool),
            origin: set.origin,
            bindings: set.bindings,
            node: None,
        };
        let id = self.push(new, Kind::Dataset(root.clone()));
        let device = named.then(|| root.name.clone());
        self.want_dataset(set, "mountOptions", id, device, &root);
        id
    }

    fn dataset(
        &mut self,
        attribute: &Arc<str>,
        set: &Set<'_>,
        pool: DeviceId,
        pool_name: Option<&str>,
    ) -> DeviceId {
        let outer = Outer {
            id: pool,
            type_name: "zpool".into(),
            name: None,
            device: None,
            tables: false,
        };
        let type_name = self.required(set, "type");
        let own = self.own_name(set, attribute);
        let full: Option<Arc<str>> = match (pool_name, &own) {
            (Some(pool), Some(own)) => Some(format!("{pool}/{own}").into()),
            _ => None,
        };
        // A name for people where the real one is not known.
        let shown = full.clone().unwrap_or_else(|| attribute.clone());
        match type_name.as_ref().map(|name| &*name.value) {
            Some("zfs_fs") => {
                self.check_options(
                    set,
                    "zfs_fs",
                    &["name", "options", "mountOptions", "mountpoint"],
                    true,
                );
                let dataset = Dataset {
                    name: shown,
                    options: self.layout.properties(set, "options"),
                    mountpoint: self.layout.absolute(set, "mountpoint").known(),
                    mount_options: self.layout.mount_options(set, "mountOptions"),
                };
                let id = self.push(New::of(set, Some(pool), None), Kind::Dataset(dataset.clone()));
                self.want_dataset(set, "mountOptions", id, full, &dataset);
                id
            }
            Some("zfs_volume") => {
                self.check_options(
                    set,
                    "zfs_volume",
                    &["name", "options", "extraArgs", "mountOptions", "size", "content"],
                    true,
                );
                let device: Option<Arc<str>> = full.map(|full| format!("/dev/zvol/{full}").into());
                let kind = Kind::Zvol(Zvol {
                    name: shown,
                    size: self.layout.text(set, "size").known(),
                    options: self.layout.properties(set, "options"),
                });
                let id = self.push(New::of(set, Some(pool), device.clone()), kind);
                let inside = Outer {
                    id,
                    type_name: "zfs_volume".into(),
                    name: own,
                    device,
                    tables: false,
                };
                self.content(set, &inside, 0);
                id
            }
            _ => {
                let id = DeviceId(self.layout.devices.len() as u32);
                if let Some(name) = &type_name {
                    let message = format!(
                        "{}: `{}` is not a type of dataset that is known here; only what lies in it is read",
                        set.path, name.value
                    );
                    self.layout
                        .problems
                        .push(Problem::warning(message).at(name.origin.span()));
                }
                self.other(set, type_name, &outer, 0);
                id
            }
        }
    }

    /// A dataset is in `fileSystems` unless ZFS is told not to mount it; `zfsutil` goes along
    /// unless its `mountpoint` property leaves mounting to `mount`.
    fn want_dataset(
        &mut self,
        set: &Set<'_>,
        options_name: &str,
        id: DeviceId,
        device: Option<Arc<str>>,
        dataset: &Dataset,
    ) {
        let properties = &dataset.options;
        if properties.unknown("mountpoint").is_some() || properties.unknown("canmount").is_some() {
            return;
        }
        let is = |name: &str, value: &str| {
            properties
                .get(name)
                .is_some_and(|property| &*property.value.value == value)
        };
        if is("mountpoint", "none") || is("canmount", "off") {
            return;
        }
        let mut options = or_defaults(&dataset.mount_options, &["defaults"]);
        if !is("mountpoint", "legacy") {
            options.push(disko_text(set, options_name, "zfsutil".to_owned()));
        }
        self.want_mount(Wanted {
            id,
            mountpoint: dataset.mountpoint.as_ref(),
            device,
            fs_type: "zfs".into(),
            options,
            declared: &dataset.mount_options,
        });
    }

    // ---- the end ---------------------------------------------------------------------------

    /// Merges what the nodes ask for, and joins members with what they are members of.
    pub(crate) fn finish(mut self) -> Layout {
        crate::merge::mounts(&mut self.layout, self.mounts);
        crate::merge::luks(&mut self.layout, self.luks);
        crate::merge::resume(&mut self.layout, self.resume);
        crate::members::join(&mut self.layout);
        self.layout.sort_unknown();
        self.layout
    }
}

/// The number of each GPT partition: its place when they are sorted by priority, those of one
/// priority by the names of their attributes.
fn partition_numbers(partitions: &[(Arc<str>, Set<'_>)]) -> BTreeMap<Arc<str>, usize> {
    let text = |set: &Set<'_>, name: &str| -> Option<Arc<str>> {
        set.get(name).and_then(|attr| attr.tree.as_str()).map(Arc::from)
    };
    let mut order: Vec<(i64, Arc<str>)> = partitions
        .iter()
        .map(|(attribute, set)| {
            let set_priority = set.get("priority").and_then(|attr| match attr.tree.node {
                Node::Int(priority) => Some(priority),
                _ => None,
            });
            let priority = set_priority.unwrap_or_else(|| {
                if text(set, "size").as_deref() == Some("100%") {
                    9001
                } else if text(set, "type").as_deref() == Some("EF02") {
                    100
                } else {
                    1000
                }
            });
            (priority, text(set, "name").unwrap_or_else(|| attribute.clone()))
        })
        .collect();
    order.sort_by_key(|(priority, _)| *priority);
    let mut numbers = BTreeMap::new();
    for (index, (_, name)) in order.into_iter().enumerate() {
        numbers.entry(name).or_insert(index + 1);
    }
    numbers
}

/// The list as written, or disko's default for it.
fn or_defaults(options: &MountOptions, defaults: &[&str]) -> Vec<Text> {
    if options.written {
        options.list.clone()
    } else {
        defaults
            .iter()
            .map(|&option| Text::new(option.into(), options.place.origin.clone()))
            .collect()
    }
}

/// Text that disko itself adds to an option.
fn disko_text(set: &Set<'_>, option: &str, text: String) -> Text {
    Text::new(
        text.into(),
        Origin::Default {
            option: set.path.join(option).to_string().into(),
            of: "disko",
        },
    )
}

/// The list without repetitions, the first of each kept.
fn unique(mut list: Vec<Text>) -> Vec<Text> {
    let mut seen = BTreeSet::new();
    list.retain(|text| seen.insert(text.value.clone()));
    list
}
