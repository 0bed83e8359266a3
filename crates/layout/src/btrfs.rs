//! What btrfs does with mount options, and which mount decides.
//!
//! btrfs(5): "Most mount options apply to the whole filesystem and only options in the first
//! mounted subvolume will take effect."
//! The parser's rules (which option undoes which) are those of `btrfs_parse_param` in the
//! kernel's [fs/btrfs/super.c](https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/fs/btrfs/super.c).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use source::Unknown;

use crate::model::{DeviceId, Kind, Layout, Mount, MountOption, Text, split_options};

/// What a mount option of a btrfs filesystem applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole filesystem: the first mount decides, and later mounts are ignored without a word.
    Filesystem,
    /// The one mount: `noatime`, `ro`, `nodev` …
    Mount,
    /// What is mounted: `subvol`, `subvolid`, `device`.
    Selection,
    /// Read by mount(8), systemd or NixOS, never by the kernel: `defaults`, `nofail`, `x-…`.
    Userspace,
    /// Not a name that btrfs(5) or mount(8) knows; the kernel refuses a mount with it.
    Unrecognised,
}

/// What an option of this name applies to, on btrfs.
///
/// Sources: btrfs(5) for the options of btrfs; mount(8) "filesystem-independent mount options";
/// systemd.mount(5). `lazytime`, `sync` and `dirsync` are flags of the superblock (mount(2)),
/// so they belong to the filesystem although they look like `noatime`.
pub fn scope(key: &str) -> Scope {
    if setting(key).is_some() {
        return Scope::Filesystem;
    }
    match key {
        "subvol" | "subvolid" | "device" => Scope::Selection,
        "ro" | "rw" | "atime" | "noatime" | "relatime" | "norelatime" | "strictatime" | "nostrictatime"
        | "diratime" | "nodiratime" | "dev" | "nodev" | "suid" | "nosuid" | "exec" | "noexec"
        | "symfollow" | "nosymfollow" | "bind" | "rbind" | "remount" | "private" | "rprivate" | "shared"
        | "rshared" | "slave" | "rslave" | "unbindable" | "runbindable" => Scope::Mount,
        "defaults" | "auto" | "noauto" | "fail" | "nofail" | "_netdev" | "user" | "nouser" | "users"
        | "owner" | "group" | "comment" | "silent" | "loud" | "mand" | "nomand" | "_rnetdev" | "helper"
        | "uhelper" | "loop" | "offset" | "sizelimit" => Scope::Userspace,
        _ if ["x-", "X-", "verity."].iter().any(|it| key.starts_with(it)) => Scope::Userspace,
        "context" | "fscontext" | "defcontext" | "rootcontext" => Scope::Filesystem,
        _ => Scope::Unrecognised,
    }
}

/// The setting that a filesystem-wide option of btrfs(5) belongs to: `nodatacow` and `datacow`
/// are both of `datacow`. `None` for every other option.
pub fn setting(key: &str) -> Option<&'static str> {
    Some(match key {
        "acl" | "noacl" => "acl",
        "autodefrag" | "noautodefrag" => "autodefrag",
        "barrier" | "nobarrier" => "barrier",
        "check_int" | "check_int_data" | "check_int_print_mask" => "check_int",
        "clear_cache" => "clear_cache",
        "commit" => "commit",
        "compress" | "compress-force" => "compress",
        "datacow" | "nodatacow" => "datacow",
        "datasum" | "nodatasum" => "datasum",
        "degraded" => "degraded",
        "dirsync" => "dirsync",
        "discard" | "nodiscard" => "discard",
        "enospc_debug" | "noenospc_debug" => "enospc_debug",
        "fatal_errors" => "fatal_errors",
        "flushoncommit" | "noflushoncommit" => "flushoncommit",
        "fragment" => "fragment",
        "ignorebadroots" | "ignoredatacsums" | "nologreplay" | "norecovery" | "recovery" | "rescue"
        | "usebackuproot" => "rescue",
        "inode_cache" | "noinode_cache" => "inode_cache",
        "iversion" | "noiversion" => "iversion",
        "lazytime" | "nolazytime" => "lazytime",
        "max_inline" => "max_inline",
        "metadata_ratio" => "metadata_ratio",
        "alloc_start" | "subvolrootid" => "obsolete",
        "ref_verify" => "ref_verify",
        "rescan_uuid_tree" => "rescan_uuid_tree",
        "skip_balance" => "skip_balance",
        "space_cache" | "nospace_cache" => "space_cache",
        "ssd" | "nossd" => "ssd",
        "ssd_spread" | "nossd_spread" => "ssd_spread",
        "sync" | "async" => "sync",
        "thread_pool" => "thread_pool",
        "treelog" | "notreelog" => "treelog",
        "user_subvol_rm_allowed" => "user_subvol_rm_allowed",
        _ => return None,
    })
}

/// A filesystem-wide setting that a list of options leaves in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied<'a> {
    /// The setting, one of [`setting`]'s: `compress`, `datacow`, `discard` …
    pub setting: &'static str,
    /// What it is set to, in one spelling: `off` and `on` for switches, `zstd:3`, `force:zstd:1`,
    /// `async`, `v2`, `30`. Levels and modes that were left out are the kernel's defaults.
    pub value: String,
    /// The option that set it.
    pub option: MountOption<'a>,
}

/// An option that a later one of the same list undoes.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancelled<'a> {
    /// The option without effect.
    pub option: MountOption<'a>,
    /// The later option that undoes it.
    pub by: MountOption<'a>,
}

/// The filesystem-wide settings that a list of options asks for, were it mounted first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilesystemWide<'a> {
    /// The settings in effect, in the order of their options.
    pub settings: Vec<Applied<'a>>,
    /// Options that a later one of the same list undoes.
    pub cancelled: Vec<Cancelled<'a>>,
}

/// The compression that a filesystem is mounted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compression {
    /// How.
    pub algorithm: Algorithm,
    /// The level; the kernel's default 3 filled in for zstd and zlib, `None` for lzo.
    pub level: Option<i32>,
    /// Whether files that look incompressible are compressed too (`compress-force`).
    pub force: bool,
}

/// The algorithms that btrfs compresses with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// zlib, what `compress` without a value means.
    Zlib,
    /// LZO
    Lzo,
    /// Zstandard
    Zstd,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Zlib => "zlib",
            Algorithm::Lzo => "lzo",
            Algorithm::Zstd => "zstd",
        })
    }
}

/// What a `compress` or `compress-force` option asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compress {
    /// Compression, so.
    On(Compression),
    /// `compress=no`, `compress=none`
    Off,
    /// A value that btrfs does not know; the kernel refuses the mount.
    Invalid,
}

/// Reads a `compress` or `compress-force` option; `None` for any other.
///
/// btrfs(5) names the algorithms and levels (zlib 1 to 9; zstd 1 to 15, and since Linux 6.15
/// -15 to -1); a level that is out of range is cut to it by the kernel, and 0 means the default.
pub fn compress(option: &MountOption<'_>) -> Option<Compress> {
    let force = match option.key {
        "compress" => false,
        "compress-force" => true,
        _ => return None,
    };
    let on = |algorithm, level| {
        Some(Compress::On(Compression {
            algorithm,
            level,
            force,
        }))
    };
    let Some(value) = option.value else {
        return on(Algorithm::Zlib, Some(3));
    };
    let (name, level) = match value.split_once(':') {
        Some((name, level)) => (name, level.parse::<i32>().ok().filter(|level| *level != 0)),
        None => (value, None),
    };
    match name {
        "zlib" => on(Algorithm::Zlib, Some(level.unwrap_or(3).clamp(1, 9))),
        "zstd" => on(Algorithm::Zstd, Some(level.unwrap_or(3).clamp(-15, 15))),
        "lzo" => on(Algorithm::Lzo, None),
        _ if value.starts_with("no") => Some(Compress::Off),
        _ => Some(Compress::Invalid),
    }
}

/// What one option sets, in one spelling.
fn spelled(option: &MountOption<'_>) -> Option<(&'static str, String)> {
    let setting = setting(option.key)?;
    let value = match (option.key, option.value) {
        ("compress" | "compress-force", _) => match compress(option)? {
            Compress::On(compression) => {
                let force = if compression.force { "force:" } else { "" };
                match compression.level {
                    Some(level) => format!("{force}{}:{level}", compression.algorithm),
                    None => format!("{force}{}", compression.algorithm),
                }
            }
            Compress::Off => "off".to_owned(),
            Compress::Invalid => option.value.unwrap_or_default().to_owned(),
        },
        ("discard", None) => "sync".to_owned(),
        ("space_cache", None) => "v1".to_owned(),
        ("async", None) => "off".to_owned(),
        (_, Some(value)) => value.to_owned(),
        // No setting of btrfs that stands for "on" starts with these letters.
        (key, None) if key.starts_with("no") && setting != "rescue" => "off".to_owned(),
        (key, None) if setting == "rescue" => key.to_owned(),
        (_, None) => "on".to_owned(),
    };
    Some((setting, value))
}

/// The filesystem-wide settings that a list of mount options asks for.
///
/// Comma-joined elements are split, the last of several options of one setting wins, and options
/// that exclude each other cancel: `nodatacow` turns compression and checksums off, compression
/// and `datasum` turn `nodatacow` off, `ssd_spread` implies `ssd`, `nossd` undoes both.
pub fn filesystem_wide(list: &[Text]) -> FilesystemWide<'_> {
    let mut wide = FilesystemWide::default();
    for option in split_options(list) {
        let Some((setting, value)) = spelled(&option) else {
            continue;
        };
        if setting == "rescue" {
            wide.add_rescue(value, option);
            continue;
        }
        wide.undo(setting, &value, &option);
        let compresses = setting == "compress" && value != "off";
        match (setting, &*value) {
            ("datacow", "off") => {
                wide.undo_unless("compress", "off", &option);
                wide.undo_unless("datasum", "off", &option);
                wide.set("datacow", value, option);
                wide.set("datasum", "off".to_owned(), option);
            }
            ("datasum", "on") => {
                wide.undo_unless("datacow", "on", &option);
                wide.set("datasum", value, option);
            }
            ("compress", _) if compresses => {
                wide.undo_unless("datacow", "on", &option);
                wide.undo_unless("datasum", "on", &option);
                wide.set("compress", value, option);
            }
            ("ssd_spread", "on") => {
                wide.undo_unless("ssd", "on", &option);
                wide.set("ssd_spread", value, option);
            }
            ("ssd", "off") => {
                wide.undo_unless("ssd_spread", "off", &option);
                wide.set("ssd", value, option);
            }
            _ => wide.set(setting, value, option),
        }
    }
    wide
}

impl<'a> FilesystemWide<'a> {
    /// What a setting is, if an option of the list decides it.
    pub fn get(&self, setting: &str) -> Option<&Applied<'a>> {
        self.settings.iter().find(|applied| applied.setting == setting)
    }

    /// The compression in effect; `None` when files are not compressed.
    pub fn compression(&self) -> Option<Compression> {
        match compress(&self.get("compress")?.option)? {
            Compress::On(compression) => Some(compression),
            Compress::Off | Compress::Invalid => None,
        }
    }

    /// Whether `nodatacow` is in effect.
    pub fn nodatacow(&self) -> bool {
        self.get("datacow").is_some_and(|applied| applied.value == "off")
    }

    /// Whether both ask for the same settings with the same values.
    pub fn same(&self, other: &FilesystemWide<'_>) -> bool {
        fn sorted<'b>(wide: &'b FilesystemWide<'_>) -> Vec<(&'static str, &'b str)> {
            let mut settings: Vec<_> = wide
                .settings
                .iter()
                .map(|applied| (applied.setting, &*applied.value))
                .collect();
            settings.sort_unstable();
            settings.dedup();
            settings
        }
        sorted(self) == sorted(other)
    }

    fn set(&mut self, setting: &'static str, value: String, option: MountOption<'a>) {
        self.settings.retain(|applied| applied.setting != setting);
        self.settings.push(Applied {
            setting,
            value,
            option,
        });
    }

    /// Takes back a setting that has another value than the new one.
    fn undo_unless(&mut self, setting: &str, value: &str, by: &MountOption<'a>) {
        let found = self
            .settings
            .iter()
            .position(|applied| applied.setting == setting && applied.value != value);
        if let Some(at) = found {
            let applied = self.settings.remove(at);
            self.note_cancelled(applied.option, *by);
        }
    }

    /// Notes that a setting is set anew to something else.
    fn undo(&mut self, setting: &str, value: &str, by: &MountOption<'a>) {
        let earlier = self
            .get(setting)
            .filter(|applied| applied.value != value)
            .map(|applied| applied.option);
        if let Some(option) = earlier {
            self.note_cancelled(option, *by);
        }
    }

    /// An option that set two settings is noted once. One option undoes three settings at most.
    fn note_cancelled(&mut self, option: MountOption<'a>, by: MountOption<'a>) {
        let cancelled = Cancelled { option, by };
        if !self
            .cancelled
            .iter()
            .rev()
            .take(3)
            .any(|noted| *noted == cancelled)
        {
            self.cancelled.push(cancelled);
        }
    }

    /// Each rescue option is a flag of its own: they add up, joined by colons as in `rescue=a:b`.
    fn add_rescue(&mut self, value: String, option: MountOption<'a>) {
        match self
            .settings
            .iter_mut()
            .find(|applied| applied.setting == "rescue")
        {
            Some(applied) => {
                applied.value.push(':');
                applied.value.push_str(&value);
                applied.option = option;
            }
            None => self.set("rescue", value, option),
        }
    }
}

/// Which mount of a btrfs filesystem is the first one.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstMount<'a> {
    /// This one.
    Known(&'a Mount),
    /// One of these, by the chance of the boot: systemd mounts what does not lie below another
    /// of them in no certain order. Or perhaps a subvolume whose mountpoint is not known.
    Undefined {
        /// The mounts that can come first, by mountpoint.
        candidates: Vec<&'a Mount>,
    },
    /// The layout mounts nothing of it.
    NotMounted,
}

/// The mounts of a btrfs filesystem and its subvolumes, in the order of the mountpoints.
/// `filesystem` is the btrfs node, not a subvolume.
pub fn mounts_of_filesystem(layout: &Layout, filesystem: DeviceId) -> Vec<&Mount> {
    let Some(device) = layout.device(filesystem) else {
        return Vec::new();
    };
    let Kind::Btrfs(btrfs) = &device.kind else {
        return Vec::new();
    };
    let mut mounts: Vec<&Mount> = std::iter::once(&filesystem)
        .chain(&btrfs.subvolumes)
        .flat_map(|id| layout.mounts_of(*id))
        .collect();
    mounts.sort_by(|a, b| a.mountpoint.value.cmp(&b.mountpoint.value));
    mounts
}

/// Which mount of a btrfs filesystem NixOS makes first.
///
/// NixOS mounts `/` first, then in the initrd what is `neededForBoot` or one of
/// [`MOUNTED_IN_INITRD`](crate::MOUNTED_IN_INITRD), then the rest. Within a stage systemd waits
/// only for mountpoints further up (systemd.mount(5), "Default Dependencies": a mount unit
/// requires the units of its parent directories), so that siblings come in no certain order.
/// What is mounted on demand (`noauto`, `x-systemd.automount`) counts only when nothing else is
/// mounted.
pub fn first_mounted(layout: &Layout, filesystem: DeviceId) -> FirstMount<'_> {
    let mut mounts = mounts_of_filesystem(layout, filesystem);
    if mounts.iter().any(|mount| at_boot(mount)) {
        mounts.retain(|mount| at_boot(mount));
    }
    if mounts.iter().any(|mount| mount.needed_for_boot) {
        mounts.retain(|mount| mount.needed_for_boot);
    }
    // What lies below another one comes after it.
    let mountpoints: BTreeSet<&str> = mounts.iter().map(|mount| &*mount.mountpoint.value).collect();
    let first: Vec<&Mount> = mounts
        .into_iter()
        .filter(|mount| !ancestors(&mount.mountpoint.value).any(|above| mountpoints.contains(above)))
        .collect();
    match first.as_slice() {
        [] => FirstMount::NotMounted,
        [only] if &*only.mountpoint.value == "/" || unknown_mount(layout, filesystem).is_none() => {
            FirstMount::Known(only)
        }
        _ => FirstMount::Undefined { candidates: first },
    }
}

/// Why it is not known whether and where some subvolume of a filesystem is mounted.
fn unknown_mount(layout: &Layout, filesystem: DeviceId) -> Option<&Arc<Unknown>> {
    let path = &layout.device(filesystem)?.path;
    let depth = path.segments().len();
    layout.unknown_below(path).iter().find_map(|part| {
        let below: Vec<&str> = part
            .path
            .segments()
            .iter()
            .skip(depth)
            .map(|segment| &**segment)
            .collect();
        matches!(
            below.as_slice(),
            ["mountpoint" | "subvolumes"] | ["subvolumes", _] | ["subvolumes", _, "mountpoint"]
        )
        .then_some(&part.because)
    })
}

/// Whether it is mounted at boot without anybody asking for it.
fn at_boot(mount: &Mount) -> bool {
    !split_options(&mount.options).any(|option| matches!(option.key, "noauto" | "x-systemd.automount"))
}

/// The folders that a mountpoint lies in, `/` first; none for `/` itself.
fn ancestors(mountpoint: &str) -> impl Iterator<Item = &str> {
    mountpoint
        .match_indices('/')
        .filter_map(move |(at, _)| match at {
            0 if mountpoint.len() > 1 => mountpoint.get(..1),
            0 => None,
            _ => mountpoint.get(..at),
        })
        .filter(move |above| above.len() < mountpoint.len())
}

/// The filesystem-wide options that are in effect on a btrfs filesystem after boot.
#[derive(Clone, Debug, PartialEq)]
pub enum EffectiveOptions<'a> {
    /// These, because of `decided_by`: the first mount, or several that can be first and all ask
    /// for the same.
    Known {
        /// The mounts that decide.
        decided_by: Vec<&'a Mount>,
        /// What is in effect.
        options: FilesystemWide<'a>,
    },
    /// One of these, by the chance of the boot.
    Undefined {
        /// The mounts that can come first, with what each of them asks for.
        candidates: Vec<(&'a Mount, FilesystemWide<'a>)>,
    },
    /// Not known: the options of a mount that decides, or the mountpoint of a subvolume that
    /// may be mounted before it.
    Unknown {
        /// That mount.
        mount: &'a Mount,
        /// What its options, or the mountpoint, depend on.
        because: &'a Arc<Unknown>,
    },
    /// The layout mounts nothing of it.
    NotMounted,
}

/// The filesystem-wide options that are in effect on a btrfs filesystem after boot: those of the
/// first mount. A later remount of any subvolume, which `nixos-rebuild switch` does to a mount
/// whose options changed, rewrites them for all until the next boot.
pub fn effective_options(layout: &Layout, filesystem: DeviceId) -> EffectiveOptions<'_> {
    let deciding = match first_mounted(layout, filesystem) {
        FirstMount::NotMounted => return EffectiveOptions::NotMounted,
        FirstMount::Known(mount) => vec![mount],
        FirstMount::Undefined { candidates } => {
            if let (Some(because), Some(mount)) = (unknown_mount(layout, filesystem), candidates.first()) {
                return EffectiveOptions::Unknown { mount, because };
            }
            candidates
        }
    };
    for mount in &deciding {
        if let Some(because) = &mount.declared.unknown {
            return EffectiveOptions::Unknown { mount, because };
        }
    }
    let candidates: Vec<(&Mount, FilesystemWide<'_>)> = deciding
        .iter()
        .map(|mount| (*mount, filesystem_wide(&mount.options)))
        .collect();
    let uniform = match candidates.split_first() {
        Some(((_, first), rest)) => rest
            .iter()
            .all(|(_, wide)| wide.same(first))
            .then(|| first.clone()),
        None => None,
    };
    match uniform {
        Some(options) => EffectiveOptions::Known {
            decided_by: deciding,
            options,
        },
        None => EffectiveOptions::Undefined { candidates },
    }
}

/// The btrfs node that a subvolume's mount belongs to, or the node itself.
pub fn filesystem_of(layout: &Layout, id: DeviceId) -> Option<DeviceId> {
    let device = layout.device(id)?;
    match &device.kind {
        Kind::Btrfs(_) => Some(id),
        Kind::Subvolume(_) => device.parent,
        _ => None,
    }
}
