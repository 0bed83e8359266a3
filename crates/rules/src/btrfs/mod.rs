//! btrfs.

use machine::btrfs_options::{Algorithm, Compress, Compression, compress, filesystem_wide};
use machine::{Btrfs, BtrfsMount, Kind, MountOption, Profile, Text};
use source::Known;

pub(crate) use crate::options::{edit, written};
use crate::{ListEdit, options};

pub(crate) mod autodefrag;
pub(crate) mod commit_interval;
pub(crate) mod compress_force;
pub(crate) mod compress_missing_on_root;
pub(crate) mod dev_errors;
pub(crate) mod discard_async;
pub(crate) mod drop_legacy_options;
pub(crate) mod enospc_unallocated;
pub(crate) mod metadata_single;
pub(crate) mod multidev_metadata_raid1;
pub(crate) mod noatime;
pub(crate) mod nobarrier;
pub(crate) mod nocow_never_global;
pub(crate) mod raid56_warn;
pub(crate) mod ssd_spread;
pub(crate) mod swapfile_rules;
pub(crate) mod uniform_fs_options;
pub(crate) mod zstd_level_too_high;

/// Levels of zstd from here on cost much and gain little; see `btrfs-zstd-level-too-high`.
pub(crate) const COSTLY_LEVEL: i32 = 8;

/// The manual of the mount options.
pub(crate) const MOUNT_OPTIONS: crate::Source = crate::Source::new(
    "btrfs(5), mount options",
    "https://btrfs.readthedocs.io/en/latest/btrfs-man5.html#mount-options",
);

/// The compression that a list asks for, and the option that asks for it.
/// `None` also for `compress=no`, and for compression that a later option of the list undoes.
pub(crate) fn compression<'a>(mount: &BtrfsMount<'a>) -> Option<(MountOption<'a>, Compression)> {
    let wide = filesystem_wide(&mount.options().list);
    let option = wide.get("compress")?.option;
    Some((option, wide.compression()?))
}

/// That the options of each of these mounts are known.
///
/// # Errors
/// [`Missing`] for the first list that depends on something nobody gave.
pub(crate) fn known_options(mounts: &[BtrfsMount<'_>]) -> Known<()> {
    mounts.iter().try_for_each(|mount| options::known(mount.mount))
}

/// Several things named in one breath: `a`, `a and b`, `a, b and c`; of more than five the first
/// four and how many more there are.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, second, third, fourth, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second}, {third}, {fourth} and {} more", rest.len())
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The edits that take options out of the list of a mount; see [`options::without`].
pub(crate) fn without(mount: &BtrfsMount<'_>, gone: &[String]) -> Vec<ListEdit> {
    options::without(mount.mount, gone)
}

/// The zstd level that an option asks for, if it asks for zstd.
pub(crate) fn zstd_level(option: &MountOption<'_>) -> Option<i32> {
    match compress(option)? {
        Compress::On(it) if it.algorithm == Algorithm::Zstd => it.level,
        Compress::On(_) | Compress::Off | Compress::Invalid => None,
    }
}

/// What to write for an option that asks for compression: the same, but at a level that is worth its price,
/// and not forced where more than a store is on the filesystem.
pub(crate) fn worthwhile(mounts: &[BtrfsMount<'_>], option: &MountOption<'_>) -> String {
    let text = if zstd_level(option) >= Some(COSTLY_LEVEL) {
        cheaper(mounts, option)
    } else {
        written(option)
    };
    match text.strip_prefix("compress-force") {
        Some(rest) if !is_store_only(mounts) => format!("compress{rest}"),
        _ => text,
    }
}

/// Whether nothing but Nix's store is on a filesystem: libraries and programs, of which some more compress
/// than is guessed from a sample.
pub(crate) fn is_store_only(mounts: &[BtrfsMount<'_>]) -> bool {
    mounts.iter().all(|mount| mount.mountpoint().starts_with("/nix"))
}

/// What to put in place of a costly level: what most of the other subvolumes ask for in the same way
/// (`compress` or `compress-force`) at a level that is worth its price, else level 3.
fn cheaper(mounts: &[BtrfsMount<'_>], costly: &MountOption<'_>) -> String {
    let mut asked: Vec<(String, usize)> = Vec::new();
    for (option, _) in mounts.iter().filter_map(compression) {
        if option.key != costly.key || zstd_level(&option).is_none_or(|level| level >= COSTLY_LEVEL) {
            continue;
        }
        let text = written(&option);
        match asked.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => asked.push((text, 1)),
        }
    }
    // Of equally many the first one: `max_by_key` gives the last, so it is asked from the end.
    asked
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or_else(|| format!("{}=zstd:3", costly.key), |(text, _)| text)
}

/// Whether a device of the filesystem reported errors: then nothing is said about speed until that
/// is looked into.
pub(crate) fn is_faulty(btrfs: Btrfs<'_>) -> bool {
    !btrfs.faulty_devices().is_empty()
}

/// What `extraArgs` ask mkfs.btrfs for.
#[derive(Default)]
pub(crate) struct Mkfs<'a> {
    /// The profile of data, with the argument that names it.
    pub(crate) data: Option<(Profile, &'a Text)>,
    /// The profile of metadata, with the argument that names it.
    pub(crate) metadata: Option<(Profile, &'a Text)>,
    /// Further devices of the filesystem.
    pub(crate) more_devices: Vec<&'a Text>,
}

/// What the layout asks mkfs.btrfs for: see mkfs.btrfs(8), `--data`, `--metadata`.
pub(crate) fn mkfs(btrfs: Btrfs<'_>) -> Mkfs<'_> {
    let mut asked = Mkfs::default();
    let Some(Kind::Btrfs(it)) = btrfs.device.map(|device| &device.kind) else {
        return asked;
    };
    let mut args = it.extra_args.iter();
    while let Some(arg) = args.next() {
        let text = &*arg.value;
        let (is_data, given) = match text.split_once('=') {
            Some(("--data", value)) => (true, Some((value, arg))),
            Some(("--metadata", value)) => (false, Some((value, arg))),
            _ => match text {
                "-d" | "--data" => (true, args.next().map(|next| (&*next.value, next))),
                "-m" | "--metadata" => (false, args.next().map(|next| (&*next.value, next))),
                _ if text.starts_with("-d") => (true, text.get(2..).map(|value| (value, arg))),
                _ if text.starts_with("-m") => (false, text.get(2..).map(|value| (value, arg))),
                _ => {
                    if text.starts_with('/') {
                        asked.more_devices.push(arg);
                    }
                    continue;
                }
            },
        };
        let profile = given.and_then(|(value, arg)| Some((Profile::parse(value.trim())?, arg)));
        if is_data {
            asked.data = profile;
        } else {
            asked.metadata = profile;
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a and b");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c, d and e");
        assert_eq!(
            listed(&["a", "b", "c", "d", "e", "f", "g"]),
            "a, b, c, d and 3 more"
        );
    }
}
