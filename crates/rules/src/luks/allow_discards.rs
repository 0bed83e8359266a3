//! Discards that a container keeps from the SSD below it.

use source::Origin;

use super::{DM_CRYPT, a_medium, confidence, flash_below, medium, refresh};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "luks-allow-discards",
    summary: "an encrypted SSD is never told which blocks are free",
    page: include_str!("allow_discards.md"),
    severity: Severity::Warning,
    check: Check::Luks(check),
    sources: &[
        DM_CRYPT,
        Source::new(
            "cryptsetup-open(8), --allow-discards",
            "https://man7.org/linux/man-pages/man8/cryptsetup-open.8.html",
        ),
        Source::new(
            "btrfs, Trim/discard",
            "https://btrfs.readthedocs.io/en/latest/Trim.html",
        ),
    ],
    verified: "Linux 6.18, cryptsetup 2.7, disko 878ec37",
};

/// Something above a container that sends discards.
struct Asker {
    /// Where it is written.
    origin: Origin,
    /// What it does, as a label.
    label: String,
    /// What it is, within a sentence.
    name: String,
    /// Whether someone wrote down that it should discard; else it does so by default.
    written: bool,
}

fn check(luks: Luks<'_>) -> Known<Verdict> {
    if luks.declared.initrd_unlock.as_ref().is_some_and(|it| !it.value) {
        return Ok(NotApplicable);
    }
    let opened_so = luks.declared.extra_open_args.iter().any(|arg| {
        arg.value
            .split_whitespace()
            .any(|word| word == "--allow-discards")
    });
    let declared = luks.declared.allow_discards.as_ref();
    if opened_so || declared.is_some_and(|it| it.value) {
        return Ok(Clear);
    }
    if declared.is_none() {
        luks.known_setting("allowDiscards")?;
    }
    let askers = askers(&luks);
    let Some(first) = askers.first() else {
        return Ok(NotApplicable);
    };
    // A LUKS2 header can hold the flag as well; then discards pass although nothing declares it.
    let observed = luks.observed_discard();
    if observed.is_some_and(|it| it.value > Bytes(0)) {
        return Ok(Clear);
    }
    let Some((media, sure)) = flash_below(&luks)? else {
        return Ok(NotApplicable);
    };
    let takes_none = |disk: &Disk<'_>| {
        disk.observed
            .and_then(|it| it.queue.discard_max.as_ref())
            .is_some_and(|it| it.value == Bytes(0))
    };
    let disks = luks.disks();
    if disks.iter().all(takes_none) {
        return Ok(NotApplicable);
    }

    let message = format!(
        "the {} is never told which blocks are free: the container above it passes no discards on",
        medium(media.value)
    );
    let place = match declared {
        Some(off) => off.origin.clone(),
        None => luks.settings_origin(),
    };
    let mut placed = Draft::new(luks.subject(), message)
        .at(
            &place,
            match declared {
                Some(_) => "turns discards off for everything inside",
                None => "opened without `allowDiscards`",
            },
        )
        .and(&first.origin, first.label.clone());
    if media.origin != first.origin {
        placed = placed.and(&media.origin, format!("{} below it", a_medium(media.value)));
    }
    if let Some(observed) = observed {
        placed = placed.and(&observed.origin, "the opened container takes no discards");
    }

    let mut argued = placed
        .because(format!(
            "dm-crypt offers no discards unless it is told to, so {} finds nothing to send them to, and says nothing",
            first.name
        ))
        .because("a drive that is not told what is free has less room to spread and collect its writes in, which costs write speed and endurance as it fills up")
        .confidence(confidence(sure))
        .impact(Impact::unmeasured("write speed and endurance of the drive once all of it was written"))
        .cost("whoever reads the raw drive sees which blocks are in use, and from that how full it is and what kind of filesystem it holds; the contents stay secret. Leave it off where nobody may be able to tell that there is data at all")
        .rollback("remove the setting and reboot; blocks that were discarded meanwhile show as free until they are written again")
        .needs_a_word();
    if let Some(name) = luks.mapper_name() {
        argued = argued
            .command(
                refresh(&luks, "--allow-discards", name),
                "turns it on at once, until the container is closed",
            )
            .verify(format!(
                "after the next boot: lsblk -D /dev/mapper/{name} (DISC-MAX above 0B), then fstrim -av"
            ));
    } else {
        argued = argued.verify("after the next boot: lsblk -D (DISC-MAX above 0B), then fstrim -av");
    }
    Ok(argued.change(
        EditReach::Reboot,
        [LayoutEdit::Set {
            path: luks.setting("allowDiscards"),
            value: true.into(),
        }],
    ))
}

/// What in the container sends discards. `services.fstrim.enable` and `services.zfs.trim.enable` are
/// on unless someone turns them off.
fn askers(luks: &Luks<'_>) -> Vec<Asker> {
    let machine = luks.machine();
    let off = |path: &[&str]| {
        let value = machine.config.set(path).map(|tree| &tree.node);
        value == Some(&source::Node::Bool(false))
    };
    let fstrim = !off(&["services", "fstrim", "enable"]);
    let zpool_trim = !off(&["services", "zfs", "trim", "enable"]);
    let mut askers: Vec<(usize, Asker)> = Vec::new();
    for device in luks.holds() {
        let mut push = |asker: Asker| askers.push((0, asker));
        match &device.kind {
            Kind::Zpool(pool) => {
                let autotrim = pool.options.get("autotrim").filter(|it| &*it.value.value == "on");
                if let Some(autotrim) = autotrim {
                    push(Asker {
                        origin: autotrim.value.origin.clone(),
                        label: "has no effect".into(),
                        name: "ZFS".into(),
                        written: true,
                    });
                } else if zpool_trim {
                    push(Asker {
                        origin: named_at(&device.bindings, &device.origin),
                        label: "NixOS trims this pool every week, without effect".into(),
                        name: "the weekly `zpool trim`".into(),
                        written: false,
                    });
                }
            }
            Kind::Swap(swap) => {
                if let Some(policy) = &swap.discard_policy {
                    push(Asker {
                        origin: policy.origin.clone(),
                        label: "has no effect".into(),
                        name: "the swap inside".into(),
                        written: true,
                    });
                }
            }
            _ => {
                for mount in machine.layout.mounts_of(device.id) {
                    let depth = mount.mountpoint.value.len();
                    askers.extend(mount_asks(mount, fstrim).map(|asker| (depth, asker)));
                }
            }
        }
    }
    // What someone wrote down comes before what happens by default, and `/` before what is below.
    askers.sort_by_key(|(depth, asker)| (!asker.written, *depth));
    askers.into_iter().map(|(_, asker)| asker).collect()
}

/// How a mounted filesystem sends discards: by a mount option, by itself, or through fstrim.
fn mount_asks(mount: &Mount, fstrim: bool) -> Option<Asker> {
    let option = mount.declared.last(&["discard", "nodiscard"]);
    if let Some(option) = option.filter(|it| it.key == "discard") {
        return Some(Asker {
            origin: option.element.origin.clone(),
            label: "has no effect".into(),
            name: "the filesystem inside".into(),
            written: true,
        });
    }
    match &*mount.fs_type {
        "btrfs" if option.is_none() => Some(Asker {
            origin: mount.mountpoint.origin.clone(),
            label: "btrfs discards what is freed here by itself (since Linux 6.2), without effect".into(),
            name: "btrfs".into(),
            written: false,
        }),
        "btrfs" | "ext4" | "xfs" | "f2fs" | "vfat" | "bcachefs" if fstrim => Some(Asker {
            origin: mount.mountpoint.origin.clone(),
            label: "NixOS trims this every week, without effect".into(),
            name: "the weekly `fstrim`".into(),
            written: false,
        }),
        _ => None,
    }
}
