//! Declared, live, effective after the next boot, recommended: one row for each setting of each mount,
//! device, dataset and kernel parameter, and what a rebuild does to it.
//!
//! What `nixos-rebuild switch` does is read from `switch-to-configuration-ng` of nixpkgs
//! (`pkgs/by-name/sw/switch-to-configuration-ng/src/main.rs`): it compares the old and the new fstab,
//! remounts what has other options (`/` and `/nix` too), mounts anew what has another device or type
//! (but for `/` and `/nix`), turns off swap that is gone, and leaves the priority of swap as it is.
//! disko's own options beyond `fileSystems`, `swapDevices` and `boot.initrd.luks.devices` are read when
//! the disks are made, never by a rebuild.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use layout::btrfs::{EffectiveOptions, FilesystemWide, Scope, filesystem_wide, scope};
use layout::{Kind, Mount, Properties, Text, split_options};
use source::{Node, OptionPath, Origin, Sourced, Tree};

use crate::{Btrfs, LiveMount, Machine, stack};

/// What findings ask for, as far as it can be put into a table.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Lists of mount options as they are to be, by their option path.
    pub lists: BTreeMap<OptionPath, Vec<String>>,
    /// Values of other options, of the layout or of NixOS; `None` when the option is to go.
    pub values: BTreeMap<OptionPath, Option<String>>,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// A mountpoint.
    Mount,
    /// A disk, a LUKS container, a swap device.
    Device,
    /// A ZFS pool, dataset or volume.
    Dataset,
    /// A kernel parameter.
    Sysctl,
    /// Another option of NixOS.
    Option,
}

/// One cell of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nobody says anything: the default holds.
    #[default]
    Unset,
    /// This.
    Value {
        /// The value.
        text: String,
        /// Where it was written, or the line that shows it.
        origin: Option<Origin>,
    },
    /// Not known, and why.
    Unknown(String),
}

impl Cell {
    fn new(text: impl Into<String>, origin: Option<&Origin>) -> Self {
        Self::Value {
            text: text.into(),
            origin: origin.cloned(),
        }
    }

    /// The value, if there is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Value { text, .. } => Some(text),
            Self::Unset | Self::Unknown(_) => None,
        }
    }

    /// Where the value is from.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Value { origin, .. } => origin.as_ref(),
            Self::Unset | Self::Unknown(_) => None,
        }
    }
}

/// What `nixos-rebuild switch` does to a setting that is declared and live differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rebuild {
    /// Nothing is to be done: declared and live agree, or nothing is declared.
    Agrees,
    /// It is set at once.
    AtOnce,
    /// The mount is remounted with the new options, if they changed since the last rebuild.
    Remount,
    /// Nothing; the next boot does it.
    NextBoot,
    /// Nothing, and neither does a boot: a command has to.
    Command,
    /// Nothing, ever: it is fixed when the filesystem, pool or container is made.
    Recreate,
}

impl Rebuild {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::AtOnce => "at-once",
            Self::Remount => "remount",
            Self::NextBoot => "next-boot",
            Self::Command => "command",
            Self::Recreate => "recreate",
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is about.
    pub about: About,
    /// Which one: `/home`, `sda`, `tank/data`, `vm.swappiness`.
    pub subject: String,
    /// Which setting of it: `compress`, `scheduler`, `recordsize`.
    pub setting: String,
    /// What the configuration says.
    pub declared: Cell,
    /// What is in effect now.
    pub live: Cell,
    /// What will be in effect after the next boot of this configuration.
    pub next_boot: Cell,
    /// What the findings ask for.
    pub recommended: Cell,
    /// What a rebuild does about it.
    pub rebuild: Rebuild,
    /// Why the columns differ, and what to do, one phrase each.
    pub notes: Vec<String>,
}

impl Row {
    fn new(about: About, subject: impl Into<String>, setting: impl Into<String>) -> Self {
        Self {
            about,
            subject: subject.into(),
            setting: setting.into(),
            declared: Cell::Unset,
            live: Cell::Unset,
            next_boot: Cell::Unset,
            recommended: Cell::Unset,
            rebuild: Rebuild::Agrees,
            notes: Vec::new(),
        }
    }

    /// Whether all that is known says the same.
    pub fn agrees(&self) -> bool {
        let values: BTreeSet<&str> = [&self.declared, &self.live, &self.next_boot, &self.recommended]
            .into_iter()
            .filter_map(Cell::text)
            .collect();
        values.len() <= 1
            && !matches!(self.next_boot, Cell::Unknown(_))
            // Something that is set now and that nobody declares goes with the next boot.
            && !(self.live.text().is_some() && self.declared == Cell::Unset && self.next_boot == Cell::Unset && self.about == About::Mount)
    }

    /// Whether what is declared and what is live are both known and differ.
    pub fn contradicts(&self) -> bool {
        matches!((self.declared.text(), self.live.text()), (Some(declared), Some(live)) if declared != live)
    }

    fn settle(mut self, different: Rebuild) -> Self {
        if self.contradicts() {
            self.rebuild = different;
            if different == Rebuild::Remount {
                self.notes.push(format!(
                    "a rebuild remounts {} only when its options in the fstab change with it",
                    self.subject
                ));
            }
        }
        self
    }
}

/// The table of a machine.
pub fn drift(machine: &Machine, wanted: &Wanted) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut used = BTreeSet::new();
    for btrfs in machine.btrfs().filter(|it| it.device.is_some()) {
        of_btrfs(machine, btrfs, wanted, &mut rows);
    }
    for mount in &machine.layout.mounts {
        of_mount(machine, mount, wanted, &mut rows);
    }
    datasets(machine, wanted, &mut used, &mut rows);
    disks(machine, wanted, &mut used, &mut rows);
    containers(machine, wanted, &mut used, &mut rows);
    swaps(machine, &mut rows);
    sysctls(machine, wanted, &mut used, &mut rows);
    for (path, value) in &wanted.values {
        if !used.contains(path) {
            rows.push(other_option(machine, path, value.as_deref()));
        }
    }
    rows.sort_by(|a, b| (a.about, &a.subject, &a.setting).cmp(&(b.about, &b.subject, &b.setting)));
    rows
}

/// A list of options as the kernel would get it.
fn list(options: &[String]) -> Vec<Text> {
    let nowhere = Origin::Default {
        option: Arc::from("mountOptions"),
        of: "recommended",
    };
    options
        .iter()
        .map(|option| Sourced::new(Arc::from(option.as_str()), nowhere.clone()))
        .collect()
}

/// What a filesystem-wide setting of btrfs is when no option sets it and `/proc/mounts` says nothing
/// of it, by btrfs(5). `None` where the kernel decides by the device.
fn btrfs_default(setting: &str) -> Option<&'static str> {
    Some(match setting {
        "compress"
        | "autodefrag"
        | "flushoncommit"
        | "lazytime"
        | "ssd_spread"
        | "enospc_debug"
        | "user_subvol_rm_allowed"
        | "skip_balance"
        | "degraded"
        | "sync"
        | "dirsync" => "off",
        "datacow" | "datasum" | "treelog" | "barrier" | "acl" => "on",
        "commit" => "30",
        "max_inline" => "2048",
        _ => return None,
    })
}

fn setting_cell(wide: &FilesystemWide<'_>, setting: &str, default: bool, near: Option<&Origin>) -> Cell {
    match wide.get(setting) {
        Some(applied) => Cell::new(&applied.value, Some(&applied.option.element.origin)),
        None => match btrfs_default(setting).filter(|_| default) {
            Some(value) => Cell::new(value, near),
            None => Cell::Unset,
        },
    }
}

/// The settings that one mount decides for a whole btrfs.
fn of_btrfs(machine: &Machine, btrfs: Btrfs<'_>, wanted: &Wanted, rows: &mut Vec<Row>) {
    let mounts = btrfs.mounts();
    let effective = btrfs.effective_options();
    let live_of = |mountpoint: &str| {
        machine
            .facts
            .mount_at(mountpoint)
            .filter(|live| &*live.fstype.value == "btrfs")
    };
    let recommended: Vec<Option<Vec<Text>>> = mounts
        .iter()
        .map(|it| {
            wanted
                .lists
                .get(&it.options().place.path)
                .map(|options| list(options))
        })
        .collect();

    let mut settings: BTreeSet<&'static str> = BTreeSet::new();
    let mut lists: Vec<&[Text]> = mounts.iter().map(|it| &it.mount.options[..]).collect();
    lists.extend(recommended.iter().flatten().map(|it| &it[..]));
    for options in &lists {
        settings.extend(filesystem_wide(options).settings.iter().map(|it| it.setting));
    }
    for live in mounts.iter().filter_map(|it| live_of(it.mountpoint())) {
        // What the kernel turns on by itself is no drift.
        let wide = filesystem_wide(&live.options);
        settings.extend(wide.settings.iter().map(|it| it.setting).filter(|setting| {
            btrfs_default(setting)
                .is_some_and(|default| wide.get(setting).is_some_and(|it| it.value != default))
        }));
    }
    let deciding: Vec<&str> = btrfs.deciding_mounts().iter().map(|it| it.mountpoint()).collect();

    for (mount, wanted) in mounts.iter().zip(&recommended) {
        let live = live_of(mount.mountpoint());
        let declared = filesystem_wide(&mount.mount.options);
        for &setting in &settings {
            let mut row = Row::new(About::Mount, mount.mountpoint(), setting);
            row.declared = match &mount.options().unknown {
                Some(because) => Cell::Unknown(format!("depends on {}", because.name)),
                None => setting_cell(&declared, setting, false, None),
            };
            row.live = match live {
                Some(live) => {
                    let near = live.options.first().map(|it| &it.origin);
                    setting_cell(&filesystem_wide(&live.options), setting, true, near)
                }
                None => Cell::Unknown(not_seen(machine, mount.mountpoint())),
            };
            row.next_boot = match &effective {
                EffectiveOptions::Known { options, .. } => match setting_cell(options, setting, true, None) {
                    // The kernel decides by the device, as it did for the mount that is there.
                    Cell::Unset => row.live.clone(),
                    known => known,
                },
                EffectiveOptions::Undefined { candidates } => {
                    let values: BTreeSet<String> = candidates
                        .iter()
                        .map(|(_, wide)| {
                            setting_cell(wide, setting, true, None)
                                .text()
                                .unwrap_or("-")
                                .to_owned()
                        })
                        .collect();
                    let values: Vec<_> = values.into_iter().collect();
                    Cell::new(values.join(" or "), None)
                }
                EffectiveOptions::Unknown { because, .. } => {
                    Cell::Unknown(format!("depends on {}", because.name))
                }
                EffectiveOptions::NotMounted => Cell::Unset,
            };
            if let Some(wanted) = wanted {
                row.recommended = setting_cell(&filesystem_wide(wanted), setting, false, None);
            }
            let row = explain_btrfs(row, mount.mountpoint(), &deciding);
            rows.push(row);
        }
    }
}

fn explain_btrfs(row: Row, mountpoint: &str, deciding: &[&str]) -> Row {
    let mut row = row.settle(Rebuild::Remount);
    // What an undeclared setting gets is told too, where another mount's option gives it.
    let decided_elsewhere = match (row.declared.text(), row.next_boot.text()) {
        (Some(declared), Some(next)) => declared != next,
        (None, Some(next)) => {
            row.declared == Cell::Unset
                && btrfs_default(&row.setting) != Some(next)
                && row.next_boot.origin() != row.live.origin()
        }
        _ => false,
    };
    if decided_elsewhere {
        row.notes.push(match deciding {
            [first] => format!("{first} is mounted first and decides for the whole filesystem"),
            several => format!(
                "which of {} is mounted first is not certain, and the first one decides",
                several.join(", ")
            ),
        });
    }
    if row.rebuild == Rebuild::Remount {
        let until = if row.declared.text() == row.next_boot.text() {
            String::new()
        } else {
            ", until the next boot".to_owned()
        };
        row.notes.push(format!(
            "remounting {mountpoint} sets it for the whole filesystem at once{until}"
        ));
    }
    if row.declared == Cell::Unset
        && let (Some(live), Some(next)) = (row.live.text(), row.next_boot.text())
        && live != next
    {
        row.notes.push(format!(
            "no option of {mountpoint} sets {} to {live}; a remount that does not name it leaves it",
            row.setting
        ));
    }
    row
}

/// Why a mountpoint's live state is not known.
fn not_seen(machine: &Machine, mountpoint: &str) -> String {
    if machine.facts.mounts.is_empty() {
        "/proc/mounts was not given".to_owned()
    } else {
        format!("{mountpoint} is not mounted")
    }
}

/// A setting of one mount and its value, from one option: the last one of a setting counts.
fn per_mount(key: &str) -> Option<(&'static str, &'static str)> {
    Some(match key {
        "noatime" => ("atime", "noatime"),
        "relatime" => ("atime", "relatime"),
        "strictatime" | "norelatime" => ("atime", "strictatime"),
        "ro" => ("access", "ro"),
        "rw" => ("access", "rw"),
        "nodev" => ("dev", "off"),
        "dev" => ("dev", "on"),
        "nosuid" => ("suid", "off"),
        "suid" => ("suid", "on"),
        "noexec" => ("exec", "off"),
        "exec" => ("exec", "on"),
        _ => return None,
    })
}

/// The defaults of mount(8) and, for `atime`, of Linux since 2.6.30.
const PER_MOUNT: [(&str, &str); 5] = [
    ("atime", "relatime"),
    ("access", "rw"),
    ("dev", "on"),
    ("suid", "on"),
    ("exec", "on"),
];

fn per_mount_cell(options: &[Text], setting: &str) -> Cell {
    let last = split_options(options).rev().find_map(|option| {
        let (of, value) = per_mount(option.key)?;
        (of == setting).then_some((value, option.element))
    });
    match last {
        Some((value, element)) => Cell::new(value, Some(&element.origin)),
        None => Cell::Unset,
    }
}

/// Options of filesystems other than btrfs that the kernel shows in `/proc/mounts` whenever they are in
/// effect: where such a one is not shown, it is not.
const SHOWN: [&str; 11] = [
    "discard",
    "commit",
    "data",
    "lazytime",
    "logbsize",
    "allocsize",
    "stripe",
    "size",
    "mode",
    "umask",
    "compress_algorithm",
];

/// The settings of one mount alone, and on filesystems other than btrfs and ZFS all its options.
fn of_mount(machine: &Machine, mount: &Mount, wanted: &Wanted, rows: &mut Vec<Row>) {
    let mountpoint = &*mount.mountpoint.value;
    let live = machine.facts.mount_at(mountpoint);
    let recommended = wanted.lists.get(&mount.declared.place.path).map(|it| list(it));
    let on_demand =
        split_options(&mount.options).any(|it| matches!(it.key, "noauto" | "x-systemd.automount"));
    if live.is_none() && machine.facts.has_all_mounts() && !on_demand {
        let mut row = Row::new(About::Mount, mountpoint, "mounted");
        row.declared = Cell::new("yes", Some(&mount.mountpoint.origin));
        row.live = Cell::new("no", None);
        row.next_boot = Cell::new("yes", None);
        row.notes
            .push("a rebuild mounts what is new in the configuration".to_owned());
        rows.push(row.settle(Rebuild::AtOnce));
        return;
    }
    if let Some(live) = live
        && *live.fstype.value != *mount.fs_type
        && &*mount.fs_type != "auto"
    {
        let mut row = Row::new(About::Mount, mountpoint, "type");
        row.declared = Cell::new(&*mount.fs_type, Some(&mount.mountpoint.origin));
        row.live = Cell::new(&*live.fstype.value, Some(&live.fstype.origin));
        row.next_boot = Cell::Unknown(format!(
            "if that is what is on the declared device, mounting it as {} fails",
            mount.fs_type
        ));
        row.notes
            .push("the filesystem there is another one; nothing is formatted by a rebuild".to_owned());
        rows.push(row.settle(Rebuild::NextBoot));
        return;
    }
    let live_cell =
        |live: &LiveMount, setting: &str, default: &str| match per_mount_cell(&live.options, setting) {
            Cell::Unset => {
                // The kernel shows no option for what is the default; without any of the three, atime is strict.
                let value = if setting == "atime" {
                    "strictatime"
                } else {
                    default
                };
                Cell::new(value, live.options.first().map(|it| &it.origin))
            }
            shown => shown,
        };
    for (setting, default) in PER_MOUNT {
        let mut row = Row::new(About::Mount, mountpoint, setting);
        row.declared = per_mount_cell(&mount.options, setting);
        row.live = match live {
            Some(live) => live_cell(live, setting, default),
            None => Cell::Unknown(not_seen(machine, mountpoint)),
        };
        row.next_boot = match &row.declared {
            Cell::Unset => Cell::new(default, None),
            declared => declared.clone(),
        };
        if let Some(options) = &recommended {
            row.recommended = per_mount_cell(options, setting);
        }
        let silent = row.declared == Cell::Unset
            && row.recommended == Cell::Unset
            && row.live.text().is_none_or(|live| live == default);
        if row.declared == Cell::Unset && row.live.text().is_some_and(|live| live != default) {
            row.notes.push(format!(
                "no option asks for the live {setting}; the next boot mounts with {default}"
            ));
        }
        // A dataset's properties decide, unless an option of the mount does.
        if !silent && (&*mount.fs_type != "zfs" || row.declared != Cell::Unset) {
            rows.push(row.settle(Rebuild::Remount));
        }
    }
    if matches!(&*mount.fs_type, "btrfs" | "zfs") {
        return;
    }
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for options in std::iter::once(&mount.options[..]).chain(recommended.as_deref()) {
        keys.extend(
            split_options(options)
                .map(|it| bare(it.key))
                .filter(|key| counts(key)),
        );
    }
    if let Some(live) = live {
        let told = ["discard", "commit", "data", "lazytime"];
        keys.extend(
            split_options(&live.options)
                .map(|it| it.key)
                .filter(|key| told.contains(key)),
        );
    }
    for key in keys {
        let mut row = Row::new(About::Mount, mountpoint, key);
        row.declared = option_cell(&mount.options, key);
        row.live = match live {
            Some(live) => match live_option(live, key, row.declared.text()) {
                Cell::Unset if row.declared != Cell::Unset && SHOWN.contains(&key) => {
                    Cell::new("off", live.options.first().map(|it| &it.origin))
                }
                Cell::Unset if row.declared != Cell::Unset => {
                    Cell::Unknown(format!("/proc/mounts does not show {key}"))
                }
                shown => shown,
            },
            None => Cell::Unknown(not_seen(machine, mountpoint)),
        };
        row.next_boot = row.declared.clone();
        if let Some(options) = &recommended {
            row.recommended = match option_cell(options, key) {
                Cell::Unset if row.declared != Cell::Unset => Cell::new("off", None),
                asked => asked,
            };
        }
        if row.declared == Cell::Unset && row.live.text().is_some() {
            row.notes.push(format!(
                "no option of {mountpoint} asks for {key}; the next boot mounts without"
            ));
        }
        let fixed = fixed_at_mount(&mount.fs_type, key);
        let mut row = row.settle(if fixed {
            Rebuild::NextBoot
        } else {
            Rebuild::Remount
        });
        if row.rebuild == Rebuild::NextBoot {
            row.notes.push(format!(
                "{} takes {key} when it is mounted, not when it is remounted",
                mount.fs_type
            ));
        }
        rows.push(row);
    }
}

/// Options that a remount does not change: on xfs all but a few (`xfs_fs_reconfigure` in
/// `fs/xfs/xfs_super.c`), on ext4 the mode of the journal (ext4(5), `data=`).
fn fixed_at_mount(fs_type: &str, key: &str) -> bool {
    match fs_type {
        "xfs" => !matches!(key, "inode32" | "inode64" | "lazytime"),
        "ext3" | "ext4" => key == "data",
        _ => false,
    }
}

/// An option without the `no` of its opposite.
fn bare(key: &str) -> &str {
    match key {
        "nodiscard" => "discard",
        "nobarrier" => "barrier",
        "nolazytime" => "lazytime",
        _ => key,
    }
}

/// Whether an option is one of the filesystem: not of one mount, not for userspace.
fn counts(key: &str) -> bool {
    matches!(scope(key), Scope::Filesystem | Scope::Unrecognised) && per_mount(key).is_none()
}

fn option_cell(options: &[Text], key: &str) -> Cell {
    let last = split_options(options).rev().find(|it| bare(it.key) == key);
    match last {
        Some(option) => {
            let value = match option.value {
                Some(value) => value,
                None if option.key == key => "on",
                None => "off",
            };
            Cell::new(value, Some(&option.element.origin))
        }
        None => Cell::Unset,
    }
}

/// What `/proc/mounts` shows for an option, in the spelling that was declared where both mean the same.
fn live_option(live: &LiveMount, key: &str, declared: Option<&str>) -> Cell {
    if key == "umask" {
        // vfat shows two masks for one.
        let (files, folders) = (
            option_cell(&live.options, "fmask"),
            option_cell(&live.options, "dmask"),
        );
        return match (files.text(), folders.text()) {
            (Some(files_mask), Some(folders_mask)) if files_mask == folders_mask => {
                same_spelling(files.clone(), declared)
            }
            _ => Cell::Unset,
        };
    }
    same_spelling(option_cell(&live.options, key), declared)
}

/// The cell in the declared spelling where the two are the same number: `2G` and `2097152k`,
/// `0077` and `077`.
fn same_spelling(live: Cell, declared: Option<&str>) -> Cell {
    match (live, declared) {
        (Cell::Value { text, origin }, Some(declared)) if equal(&text, declared) => Cell::Value {
            text: declared.to_owned(),
            origin,
        },
        (live, _) => live,
    }
}

/// A number of bytes as OpenZFS takes sizes, where the declared value is a size with a unit: `8192` as `8K`
/// beside `16K`. `None` where it is no whole number of any unit.
fn in_units(live: &str, declared: &str) -> Option<String> {
    let digits = declared.bytes().take_while(u8::is_ascii_digit).count();
    let unit = declared.get(digits..)?.trim_end_matches(['B', 'i']);
    let with_unit = digits > 0 && unit.len() == 1 && "kmgtpKMGTP".contains(unit);
    let bytes: u64 = live.parse().ok().filter(|it| *it > 0 && with_unit)?;
    let (shift, letter) = [(50, 'P'), (40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')]
        .into_iter()
        .find(|(shift, _)| bytes.trailing_zeros() >= *shift)?;
    let (whole, lower) = (bytes >> shift, unit.chars().all(|c| c.is_ascii_lowercase()));
    let letter = if lower {
        letter.to_ascii_lowercase()
    } else {
        letter
    };
    (live != declared).then(|| format!("{whole}{letter}"))
}

/// Whether two spellings are of one value: sizes in any binary unit, numbers with zeroes before them.
fn equal(a: &str, b: &str) -> bool {
    let size = |text: &str| -> Option<u64> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim_end_matches(['B', 'i']).to_ascii_lowercase().as_str() {
            "" => 0,
            "k" => 10,
            "m" => 20,
            "g" => 30,
            "t" => 40,
            "p" => 50,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(1 << shift)
    };
    // OpenZFS takes `acltype=posixacl` and shows it as `posix` (zfsprops(7)).
    a == b || matches!((size(a), size(b)), (Some(a), Some(b)) if a == b) || (a, b) == ("posix", "posixacl")
}

/// Properties that OpenZFS fixes when the dataset is made (zfsprops(7): "can only be set at creation").
const FIXED: [&str; 8] = [
    "casesensitivity",
    "encryption",
    "keyformat",
    "normalization",
    "pbkdf2iters",
    "pbkdf2salt",
    "utf8only",
    "volblocksize",
];

fn datasets(machine: &Machine, wanted: &Wanted, used: &mut BTreeSet<OptionPath>, rows: &mut Vec<Row>) {
    for device in &machine.layout.devices {
        match &device.kind {
            Kind::Dataset(dataset) => {
                properties(
                    machine,
                    wanted,
                    used,
                    rows,
                    &dataset.name,
                    &dataset.options,
                    false,
                );
            }
            Kind::Zvol(volume) => {
                properties(machine, wanted, used, rows, &volume.name, &volume.options, false);
                if let Some(size) = &volume.size {
                    rows.extend(volume_size(machine, &volume.name, size));
                }
            }
            Kind::Zpool(pool) => properties(machine, wanted, used, rows, &pool.name, &pool.options, true),
            _ => {}
        }
    }
}

/// The size of a volume, which disko gives it when it is made (`zfs create -V`).
fn volume_size(machine: &Machine, name: &str, declared: &Text) -> Option<Row> {
    let live = machine.facts.zfs_property(name, "volsize")?;
    let mut row = Row::new(About::Dataset, name, "volsize");
    row.declared = Cell::new(&*declared.value, Some(&declared.origin));
    let bytes = Cell::new(&*live.value.value, Some(&live.value.origin));
    row.live = match same_spelling(bytes, row.declared.text()) {
        Cell::Value { text, origin } => Cell::Value {
            text: in_units(&text, &declared.value).unwrap_or(text),
            origin,
        },
        other => other,
    };
    row.next_boot = row.live.clone();
    let mut row = row.settle(Rebuild::Command);
    if row.rebuild == Rebuild::Command {
        row.notes.push(format!(
            "disko sets it when the volume is made only: `zfs set volsize={} {name}` grows it, and a smaller \
             one cuts off what lies at its end",
            declared.value
        ));
    }
    Some(row)
}

fn properties(
    machine: &Machine,
    wanted: &Wanted,
    used: &mut BTreeSet<OptionPath>,
    rows: &mut Vec<Row>,
    name: &str,
    declared: &Properties,
    of_pool: bool,
) {
    let mut names: BTreeSet<Cow<'_, str>> = declared
        .values
        .iter()
        .map(|it| Cow::Borrowed(&*it.name))
        .collect();
    for path in wanted
        .values
        .keys()
        .filter(|path| path.parent() == declared.place.path)
    {
        if let Some(last) = path.segments().last() {
            names.insert(Cow::Owned(last.to_string()));
        }
    }
    let versions = &machine.facts.versions;
    let xattr_on_is_sa = [&versions.openzfs_module, &versions.openzfs]
        .into_iter()
        .flatten()
        .next()
        .is_some_and(|version| version.value.at_least(2, 3));
    for property in names {
        let mut row = Row::new(About::Dataset, name, &*property);
        let set = declared.get(&property);
        row.declared = match (set, declared.unknown(&property)) {
            (Some(set), _) => Cell::new(&*set.value.value, Some(&set.value.origin)),
            (None, Some(because)) => Cell::Unknown(format!("depends on {}", because.name)),
            (None, None) => Cell::Unset,
        };
        let live = machine
            .facts
            .zfs_rows(name)
            .find(|it| it.of_pool == of_pool && *it.property == *property);
        row.live = match live {
            Some(live) => {
                let text = match row.declared.text() {
                    // From 2.3, `on` is another word for `sa`, and what `zfs get` shows of either;
                    // before, it was one for `dir`. OpenZFS 2.3.2 shows it so.
                    Some("sa") if *property == *"xattr" && &*live.value.value == "on" && xattr_on_is_sa => {
                        "sa"
                    }
                    _ => &*live.value.value,
                };
                let live = Cell::new(text, Some(&live.value.origin));
                same_spelling(live, row.declared.text())
            }
            None => Cell::Unknown(format!(
                "`{} get -Hp all` was not given, or does not name it",
                if of_pool { "zpool" } else { "zfs" }
            )),
        };
        if let (Some(declared), Cell::Value { text, .. }) = (row.declared.text(), &mut row.live)
            && let Some(spelled) = in_units(text, declared)
        {
            *text = spelled;
        }
        // A pool keeps its properties; neither a rebuild nor a boot looks at the layout.
        row.next_boot = row.live.clone();
        let path = declared.place.path.join(&property);
        if let Some(value) = wanted.values.get(&path) {
            row.recommended = value.as_deref().map_or(Cell::Unset, |it| Cell::new(it, None));
            used.insert(path);
        }
        let fixed = FIXED.contains(&&*property) || (of_pool && &*property == "ashift");
        let mut row = row.settle(if fixed {
            Rebuild::Recreate
        } else {
            Rebuild::Command
        });
        match (row.rebuild, row.declared.text()) {
            (Rebuild::Command, Some(value)) => {
                let tool = if of_pool { "zpool" } else { "zfs" };
                row.notes.push(format!(
                    "disko sets it when the pool is made only: `{tool} set {property}={value} {name}`"
                ));
            }
            (Rebuild::Recreate, _) => row.notes.push(format!(
                "{property} is fixed when it is made: it takes a new {} and a copy of the data",
                if of_pool { "pool" } else { "dataset" }
            )),
            _ => {}
        }
        rows.push(row);
    }
}

fn tree_text(tree: &Tree) -> Option<String> {
    Some(match &tree.node {
        Node::Bool(it) => it.to_string(),
        Node::Int(it) => it.to_string(),
        Node::Float(it) => it.to_string(),
        Node::Str(it) | Node::Path(it) => it.to_string(),
        Node::List(items) => items.iter().filter_map(tree_text).collect::<Vec<_>>().join(" "),
        _ => return None,
    })
}

fn config_cell(machine: &Machine, path: &[&str]) -> Cell {
    match machine.config.set(path) {
        Some(tree) => tree_text(tree).map_or(Cell::Unset, |text| Cell::new(text, Some(&tree.origin))),
        None => Cell::Unset,
    }
}

fn disks(machine: &Machine, wanted: &Wanted, used: &mut BTreeSet<OptionPath>, rows: &mut Vec<Row>) {
    const BY_ROTATION: [&str; 3] = ["hardware", "block", "defaultSchedulerRotational"];
    const ANY: [&str; 3] = ["hardware", "block", "defaultScheduler"];
    for disk in machine.disks() {
        let name = disk.name();
        let rotational = disk
            .observed
            .and_then(|it| it.rotational.as_ref())
            .map(|it| it.value);
        let mut paths: Vec<Vec<&str>> = vec![vec!["hardware", "block", "scheduler", &name]];
        if rotational == Some(true) {
            paths.push(BY_ROTATION.to_vec());
        }
        paths.push(ANY.to_vec());
        let mut row = Row::new(About::Device, &name, "scheduler");
        row.declared = paths
            .iter()
            .map(|path| config_cell(machine, path))
            .find(|it| *it != Cell::Unset)
            .unwrap_or_default();
        let live = disk.observed.and_then(|it| it.scheduler.as_ref());
        row.live = match live {
            Some(live) => Cell::new(&*live.value.active, Some(&live.origin)),
            None => Cell::Unknown("no listing tells the scheduler".to_owned()),
        };
        row.next_boot = row.declared.clone();
        for path in &paths {
            let path = OptionPath::new(path.iter().copied());
            if let Some(Some(value)) = wanted.values.get(&path) {
                if row.recommended == Cell::Unset {
                    row.recommended = Cell::new(value, None);
                }
                used.insert(path);
            }
        }
        let known = row.declared != Cell::Unset || row.recommended != Cell::Unset || live.is_some();
        if known {
            let mut row = row.settle(Rebuild::AtOnce);
            if row.rebuild == Rebuild::AtOnce {
                row.notes
                    .push("a udev rule sets it when the disk appears or `udevadm trigger` asks".to_owned());
            }
            rows.push(row);
        }
    }
}

fn containers(machine: &Machine, wanted: &Wanted, used: &mut BTreeSet<OptionPath>, rows: &mut Vec<Row>) {
    for luks in machine.luks() {
        let name = luks.mapper_name().map_or_else(|| luks.subject(), str::to_owned);
        let observed: Vec<_> = machine
            .facts
            .luks
            .iter()
            .filter(|it| it.name.as_ref().is_some_and(|it| *it.value == *name))
            .collect();
        let flag = |names: &[&str]| {
            observed
                .iter()
                .flat_map(|it| &it.flags)
                .find(|flag| names.contains(&&*flag.value))
        };
        let discards = flag(&["discards", "allow-discards"])
            .map(|it| (true, &it.origin))
            .or_else(|| {
                let max = luks.observed_discard()?;
                Some((max.value.0 > 0, &max.origin))
            });
        let workqueues = flag(&["no_read_workqueue", "no-read-workqueue"])
            .map(|it| (true, &it.origin))
            .or_else(|| {
                let open = observed.iter().find(|it| it.open)?;
                Some((false, &open.name.as_ref()?.origin))
            });
        for (setting, declared, live) in [
            ("allowDiscards", &luks.declared.allow_discards, discards),
            ("bypassWorkqueues", &luks.declared.bypass_workqueues, workqueues),
        ] {
            let mut row = Row::new(About::Device, &name, setting);
            if let Some(declared) = declared {
                row.declared = Cell::new(declared.value.to_string(), Some(&declared.origin));
            }
            row.live = match live {
                Some((on, origin)) => Cell::new(on.to_string(), Some(origin)),
                None => Cell::Unknown("neither lsblk nor `cryptsetup status` tells it".to_owned()),
            };
            row.next_boot = match &row.declared {
                Cell::Unset => Cell::new("false", None),
                declared => declared.clone(),
            };
            let path = luks.setting(setting);
            if let Some(value) = wanted.values.get(&path) {
                row.recommended = value.as_deref().map_or(Cell::Unset, |it| Cell::new(it, None));
                used.insert(path);
            }
            let mut row = row.settle(Rebuild::NextBoot);
            if row.rebuild == Rebuild::NextBoot {
                row.notes
                    .push("the container is opened at boot, and a rebuild does not open it again".to_owned());
            }
            if row.declared == Cell::Unset && row.live.text() == Some("true") {
                row.next_boot = Cell::Unknown("a flag in the LUKS header may keep it".to_owned());
            }
            if row.declared != Cell::Unset
                || row.recommended != Cell::Unset
                || row.live.text() == Some("true")
            {
                rows.push(row);
            }
        }
    }
}

fn swaps(machine: &Machine, rows: &mut Vec<Row>) {
    let facts = &machine.facts;
    if facts.swaps.is_empty() {
        return;
    }
    for swap in machine.swaps() {
        let Some(file) = swap.declared.device.as_deref() else {
            continue;
        };
        let name_of = |file: &str| stack::block_of(facts, file).map(|it| &it.name.value);
        let block = name_of(file);
        let live = facts.swaps.iter().find(|live| {
            &*live.path.value == file || (block.is_some() && name_of(&live.path.value) == block)
        });
        let mut used = Row::new(About::Device, file, "swap");
        let origin = swap.device().map(|it| &it.origin);
        used.declared = Cell::new("on", origin);
        used.live = match live {
            Some(live) => Cell::new("on", Some(&live.path.origin)),
            // A file or a link of another name may be the one that is listed.
            None if block.is_some() || !file.starts_with("/dev/") => Cell::new("off", None),
            None => Cell::Unknown(format!("no listing names {file}")),
        };
        used.next_boot = Cell::new("on", None);
        rows.push(used.settle(Rebuild::AtOnce));
        if let (Some(priority), Some(live)) =
            (swap.declared.priority, live.and_then(|it| it.priority.as_ref()))
        {
            let mut row = Row::new(About::Device, file, "priority");
            row.declared = Cell::new(priority.to_string(), origin);
            row.live = Cell::new(live.value.to_string(), Some(&live.origin));
            row.next_boot = row.declared.clone();
            let mut row = row.settle(Rebuild::NextBoot);
            if row.rebuild == Rebuild::NextBoot {
                row.notes.push(
                    "a rebuild does not touch swap that is on; turn it off and on, or reboot".to_owned(),
                );
            }
            rows.push(row);
        }
    }
}

fn sysctls(machine: &Machine, wanted: &Wanted, used: &mut BTreeSet<OptionPath>, rows: &mut Vec<Row>) {
    const OPTION: [&str; 3] = ["boot", "kernel", "sysctl"];
    let option = OptionPath::new(OPTION);
    let mut keys: BTreeSet<String> = BTreeSet::new();
    if let Some(attrs) = machine.config.set(&OPTION).and_then(Tree::as_attrs) {
        keys.extend(attrs.keys().map(ToString::to_string));
    }
    for path in wanted.values.keys().filter(|path| path.parent() == option) {
        keys.extend(path.segments().last().map(ToString::to_string));
    }
    for key in keys {
        let mut path = OPTION.to_vec();
        path.push(&key);
        let mut row = Row::new(About::Sysctl, &key, "value");
        row.declared = match config_cell(machine, &path) {
            // NixOS writes true and false as the kernel's 1 and 0.
            Cell::Value { text, origin } => Cell::Value {
                text: match &*text {
                    "true" => "1".to_owned(),
                    "false" => "0".to_owned(),
                    _ => text,
                },
                origin,
            },
            other => other,
        };
        row.live = match machine.facts.sysctl.get(&*key) {
            Some(live) => {
                let spelled = live.value.split_whitespace().collect::<Vec<_>>().join(" ");
                Cell::new(spelled, Some(&live.origin))
            }
            None => Cell::Unknown("no listing of kernel parameters names it".to_owned()),
        };
        row.next_boot = row.declared.clone();
        let path = OptionPath::new(path.iter().copied());
        if let Some(value) = wanted.values.get(&path) {
            row.recommended = value.as_deref().map_or(Cell::Unset, |it| Cell::new(it, None));
            used.insert(path);
        }
        rows.push(row.settle(Rebuild::AtOnce));
    }
}

fn other_option(machine: &Machine, path: &OptionPath, value: Option<&str>) -> Row {
    let segments: Vec<&str> = path.segments().iter().map(|it| &**it).collect();
    let mut row = Row::new(About::Option, path.to_string(), "value");
    row.declared = config_cell(machine, &segments);
    row.next_boot = row.declared.clone();
    row.live = Cell::Unknown("an option of NixOS is nothing that the machine shows".to_owned());
    row.recommended = value.map_or(Cell::Unset, |it| Cell::new(it, None));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_the_unit_that_was_declared() {
        let shown: Vec<_> = [
            ("8192", "16K"),
            ("131072", "1M"),
            ("131072", "1m"),
            ("1500000000", "1G"),
            ("1073741825", "1G"),
            ("0", "1G"),
            ("9", "12"),
            ("lz4", "zstd-6"),
            ("none", "10G"),
            ("8192", ""),
        ]
        .map(|(live, declared)| in_units(live, declared))
        .into();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            shown,
            [
                some("8K"),
                some("128K"),
                some("128k"),
                None,
                None,
                None,
                None,
                None,
                None,
                None
            ]
        );
    }
}
