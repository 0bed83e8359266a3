//! Checksums turned off for a whole filesystem.

use machine::btrfs_options::filesystem_wide;
use source::Origin;

use super::{edit, known_options, listed, without, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-nocow-never-global",
    summary: "nodatacow or nodatasum as a mount option: it turns checksums off for the whole filesystem",
    page: include_str!("nocow_never_global.md"),
    severity: Severity::Error,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "btrfs scrub: what it cannot do without checksums",
            "https://btrfs.readthedocs.io/en/latest/Scrub.html",
        ),
        Source::new(
            "btrfs, file attributes: C",
            "https://btrfs.readthedocs.io/en/latest/btrfs-man5.html#file-attributes",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// What a list with the option does with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It is mounted first: in effect after each boot.
    Boot,
    /// One of several that may be mounted first.
    Chance,
    /// Mounted later: ignored at boot, in effect after a remount.
    Remount,
    /// A later option of the same list undoes it.
    Undone,
}

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let deciding = btrfs.deciding_mounts();
    let mut asking = Vec::new();
    for mount in &mounts {
        let wide = filesystem_wide(&mount.options().list);
        for option in mount.options().iter() {
            if !matches!(option.key, "nodatacow" | "nodatasum") {
                continue;
            }
            let in_list = ["datacow", "datasum"]
                .iter()
                .any(|setting| wide.get(setting).is_some_and(|it| it.option == option));
            let is_first = deciding.iter().any(|it| it.mountpoint() == mount.mountpoint());
            let effect = match (in_list, is_first, deciding.len()) {
                (false, _, _) => Effect::Undone,
                (true, true, 1) => Effect::Boot,
                (true, true, _) => Effect::Chance,
                (true, false, _) => Effect::Remount,
            };
            asking.push((*mount, option, effect));
        }
    }
    // The one that does most comes first.
    asking.sort_by_key(|(_, _, effect)| match effect {
        Effect::Boot => 0,
        Effect::Chance => 1,
        Effect::Remount => 2,
        Effect::Undone => 3,
    });
    let Some((worst, option, effect)) = asking.first() else {
        known_options(&mounts)?;
        return Ok(if mounts.is_empty() { NotApplicable } else { Clear });
    };

    let text = option.key;
    let what = if text == "nodatacow" {
        "checksums, compression and copy-on-write"
    } else {
        "checksums and compression"
    };
    let mountpoint = worst.mountpoint();
    let message = match effect {
        Effect::Boot => {
            format!("`{text}` on {mountpoint} turns {what} off for every subvolume of the filesystem")
        }
        Effect::Chance => format!(
            "`{text}` on {mountpoint} turns {what} off for every subvolume of the filesystem whenever it is mounted first"
        ),
        Effect::Remount => format!(
            "`{text}` on {mountpoint} does nothing at boot, and turns {what} off for every subvolume as soon as {mountpoint} is remounted"
        ),
        Effect::Undone => format!(
            "`{text}` on {mountpoint} has no effect here, and would turn {what} off for every subvolume without the option after it"
        ),
    };
    let mut shown: Vec<&Origin> = Vec::new();
    let mut places = asking.iter().filter_map(|(mount, option, effect)| {
        let origin = &option.element.origin;
        if shown.contains(&origin) {
            return None;
        }
        shown.push(origin);
        let label = match effect {
            Effect::Boot => "holds for the whole filesystem, not for this subvolume alone".to_owned(),
            Effect::Chance => format!("holds for the whole filesystem when {} is mounted first", mount.mountpoint()),
            Effect::Remount => "ignored at boot; a remount, as by `nixos-rebuild switch`, turns it on for the whole filesystem".to_owned(),
            Effect::Undone => "undone by a later option of the same list".to_owned(),
        };
        Some((origin, label))
    });
    let Some((origin, label)) = places.next() else {
        return Ok(Clear);
    };
    let mut placed = Draft::new(btrfs.subject(), message).at(origin, label);
    for (origin, label) in places {
        placed = placed.and(origin, label);
    }
    if *effect == Effect::Boot
        && let Some(first) = deciding.first()
        && let Some(compress) = undone_compression(&first.options().list)
    {
        placed = placed.and(&compress.element.origin, "undone by it: nothing is compressed");
    }
    let live = mounts.iter().find_map(|mount| {
        let live = btrfs.machine().facts.mount_at(mount.mountpoint())?;
        live.options
            .iter()
            .find(|it| matches!(&*it.value, "nodatacow" | "nodatasum"))
            .map(|it| (mount.mountpoint(), it))
    });
    if let Some((at, option)) = live {
        placed = placed.and(
            &option.origin,
            format!("in effect on {at} right now, and so everywhere"),
        );
    }

    let edits: Vec<_> = mounts
        .iter()
        .filter_map(|mount| {
            let mut gone: Vec<String> = Vec::new();
            for option in mount.options().iter() {
                if matches!(option.key, "nodatacow" | "nodatasum") && !gone.contains(&written(&option)) {
                    gone.push(written(&option));
                }
            }
            (!gone.is_empty()).then(|| edit(mount.options(), without(mount, &gone)))
        })
        .collect();
    let names: Vec<&str> = mounts.iter().map(BtrfsMount::mountpoint).collect();
    let argued = placed.because("btrfs has one such setting for each filesystem: files that are written under it, on any subvolume, have no checksum, so that damage is neither seen nor repaired, not even by RAID1, which then returns either copy");
    let mut argued = if *effect == Effect::Undone {
        argued
            .because("options of one list are read in order: here the last one keeps checksums, and in another order the same options would turn them off")
            .severity(Severity::Warning)
            .cost("none: what is mounted stays the same")
    } else {
        argued
            .because("no file that is written meanwhile is compressed")
            .cost(format!(
                "what was written without checksums stays so until it is copied anew, on {}: cp --reflink=never",
                listed(&names)
            ))
            .cost("without it, files that are overwritten at random (databases, images of virtual machines) fall into many pieces, which a rotating disk feels; on flash no difference could be measured")
            .command(
            format!("mount -o remount,datasum {mountpoint}"),
                "turns copy-on-write and checksums on again at once, on every subvolume; leaving the option out of a remount does not",
            )
    };
    if *effect != Effect::Undone {
        let folder = match mountpoint {
            "/" => "/var/lib/nocow".to_owned(),
            _ => format!("{mountpoint}/nocow"),
        };
        argued = argued.command(
            format!("mkdir {folder} && chattr +C {folder}"),
            "only where overwriting in place is wanted (images of virtual machines, a database on a rotating disk): a folder with an attribute of its own, set while it is empty; data comes in with `cp --reflink=never`",
        );
    }
    let reach = match effect {
        Effect::Undone => EditReach::Remount,
        // A remount without the option does not turn it off.
        Effect::Boot | Effect::Chance | Effect::Remount => EditReach::Reboot,
    };
    Ok(argued
        .verify(format!(
            "findmnt -no OPTIONS {mountpoint} shows neither nodatacow nor nodatasum"
        ))
        .rollback("none is needed: files that were written with checksums stay readable either way")
        .change(reach, edits))
}

/// An option that asks for compression and that `nodatacow` or `nodatasum` after it undoes.
fn undone_compression(list: &[Sourced<std::sync::Arc<str>>]) -> Option<MountOption<'_>> {
    filesystem_wide(list)
        .cancelled
        .into_iter()
        .find(|it| it.option.key.starts_with("compress") && matches!(it.by.key, "nodatacow" | "nodatasum"))
        .map(|it| it.option)
}
