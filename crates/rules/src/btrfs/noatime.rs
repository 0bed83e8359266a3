//! Access times that are written where every write of metadata is dear.

use machine::Kind;
use source::{Origin, Tree};

use super::{edit, is_faulty, known_options, listed};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-noatime",
    summary: "access times are recorded where snapshots or a rotating disk make that dear",
    page: include_str!("noatime.md"),
    severity: Severity::Info,
    check: Check::Btrfs(check),
    sources: &[
        Source::new(
            "btrfs(5), notes on generic mount options: noatime",
            "https://btrfs.readthedocs.io/en/latest/btrfs-man5.html#notes-on-generic-mount-options",
        ),
        Source::new(
            "Atime and btrfs: a bad combination? (LWN, 2012)",
            "https://lwn.net/Articles/499293/",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// The settings of NixOS that take snapshots.
const SNAPSHOTS: [[&str; 3]; 2] = [
    ["services", "snapper", "configs"],
    ["services", "btrbk", "instances"],
];

/// Why access times are dear here.
struct Dear<'a> {
    /// The mountpoints that it holds for; `None` for all.
    only: Option<Vec<&'a str>>,
    origin: &'a Origin,
    label: String,
    because: &'static str,
    confidence: Confidence,
}

const SHARED: &str = "after a snapshot every block of metadata is shared with it, so that the copy is a real one each time: reading through a folder once writes its metadata anew and makes the snapshot grow";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let mut recording: Vec<_> = mounts
        .iter()
        .filter(|mount| mount.options().unknown.is_none() && records(mount))
        .copied()
        .collect();
    if mounts.is_empty() || is_faulty(btrfs) {
        return Ok(NotApplicable);
    }
    if recording.is_empty() {
        known_options(&mounts)?;
        return Ok(Clear);
    }
    let Some(dear) = dear(btrfs, &recording)? else {
        return Ok(Clear);
    };
    if let Some(only) = &dear.only {
        recording.retain(|mount| only.contains(&mount.mountpoint()));
    }
    let [first, others @ ..] = recording.as_slice() else {
        return Ok(Clear);
    };

    let names: Vec<&str> = recording.iter().map(BtrfsMount::mountpoint).collect();
    let message = format!(
        "reading files on {} writes metadata: access times are recorded",
        listed(&names)
    );
    let label = "no `noatime`: mounted with `relatime`, the kernel's default";
    let mut placed = Draft::new(btrfs.subject(), message).at(place(first), label);
    for (index, mount) in others.iter().enumerate() {
        // A list that several subvolumes share is shown once.
        let before = recording.iter().take(index + 1);
        if before.into_iter().all(|it| place(it) != place(mount)) {
            placed = placed.and(place(mount), label);
        }
    }
    placed = placed.and(dear.origin, dear.label);
    let live = recording.iter().find_map(|mount| {
        let live = btrfs.machine().facts.mount_at(mount.mountpoint())?;
        live.options.iter().find(|it| &*it.value == "relatime")
    });
    if let Some(live) = live {
        placed = placed.and(&live.origin, "mounted so right now");
    }
    let edits: Vec<_> = recording
        .iter()
        .map(|mount| edit(mount.options(), vec![ListEdit::Add("noatime".to_owned())]))
        .collect();
    let mountpoint = first.mountpoint();
    Ok(placed
        .because("with `relatime` the first read of a file after it changed, or after a day, writes its access time, and on btrfs that copies a block of metadata")
        .because(dear.because)
        .confidence(dear.confidence)
        .impact(Impact::unmeasured("writes caused by reading"))
        .cost("programs that compare access times (mutt with mbox files) no longer see that a file was read")
        .verify(format!("findmnt -no OPTIONS {mountpoint} shows noatime"))
        .rollback(format!("mount -o remount,relatime {mountpoint}, and the option out of the list"))
        .change(EditReach::Remount, edits))
}

/// The list of options of a mount, or its mountpoint when nobody wrote a list.
fn place<'a>(mount: &BtrfsMount<'a>) -> &'a Origin {
    let options = mount.options();
    if options.written {
        &options.place.origin
    } else {
        &mount.mount.mountpoint.origin
    }
}

/// Whether a mount records access times because nobody decided about it. Files of swap are not read
/// as files, and a read-only mount records nothing.
fn records(mount: &BtrfsMount<'_>) -> bool {
    let holds_swap = match &mount.device.kind {
        Kind::Btrfs(it) => !it.swap_files.is_empty(),
        Kind::Subvolume(it) => !it.swap_files.is_empty(),
        _ => false,
    };
    let decided = ["noatime", "relatime", "atime", "strictatime", "ro"];
    mount.options().last(&decided).is_none() && (!holds_swap || mount.mountpoint() == "/")
}

/// Why access times are dear here; `None` when it is known that they are not.
///
/// # Errors
/// [`Missing`] when neither snapshots nor a rotating disk are known of, and one of them may be there.
fn dear<'a>(btrfs: Btrfs<'a>, recording: &[BtrfsMount<'a>]) -> Known<Option<Dear<'a>>> {
    let machine = btrfs.machine();
    for path in &SNAPSHOTS {
        let Some(tree) = machine.config.set(path).filter(|tree| is_filled(tree)) else {
            continue;
        };
        let only = snapper_subvolumes(tree);
        let concerned = |only: &Vec<&str>| recording.iter().any(|mount| only.contains(&mount.mountpoint()));
        if only.as_ref().is_none_or(concerned) {
            return Ok(Some(Dear {
                only,
                origin: &tree.origin,
                label: "snapshots are taken".to_owned(),
                because: SHARED,
                confidence: Confidence::Likely,
            }));
        }
    }
    let media = btrfs.media();
    if let Ok(media) = &media
        && let Some((disk, media, _)) = media.iter().find(|(_, media, _)| media.value == Media::Hdd)
    {
        let origin = disk
            .observed
            .and_then(|it| it.rotational.as_ref())
            .map(|it| &it.origin);
        if let Some(origin) = origin.or_else(|| disk.origin()) {
            return Ok(Some(Dear {
                only: None,
                origin,
                label: format!("the disk is a rotating one ({})", media.value),
                because: "a rotating disk has to seek for each of these writes",
                confidence: Confidence::Likely,
            }));
        }
    }
    // A subvolume for snapshots says that they are meant to be taken. On a layout alone that is not
    // enough for an improvement.
    if machine.is_observed()
        && let Some(filesystem) = btrfs.device
        && let Some((device, name)) = machine
            .layout
            .children(filesystem.id)
            .find_map(|device| match &device.kind {
                Kind::Subvolume(it) if it.name.to_ascii_lowercase().contains("snapshot") => {
                    Some((device, &it.name))
                }
                _ => None,
            })
    {
        return Ok(Some(Dear {
            only: None,
            origin: &device.origin,
            label: format!("{name} is there for snapshots"),
            because: SHARED,
            confidence: Confidence::Possible,
        }));
    }
    media?;
    for path in &SNAPSHOTS {
        if machine.config.get(path).is_err() {
            return Err(Missing::new(
                format!("whether snapshots of {} are taken", btrfs.subject()),
                "import the NixOS modules that set `services.snapper` or `services.btrbk`",
            ));
        }
    }
    Ok(None)
}

/// The mountpoints that snapper takes snapshots of; `None` when not all of them are known, or when
/// these are not snapper's settings.
fn snapper_subvolumes(configs: &Tree) -> Option<Vec<&str>> {
    configs
        .as_attrs()?
        .values()
        .map(|config| config.tree.get("SUBVOLUME")?.tree.as_str())
        .collect()
}

/// Whether a set has an attribute.
fn is_filled(tree: &Tree) -> bool {
    tree.as_attrs().is_some_and(|attrs| !attrs.is_empty())
}
