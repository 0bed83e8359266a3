//! TRIM that makes every commit wait, or that never happens.

use machine::btrfs_options::filesystem_wide;
use source::{Node, OptionPath};

use super::{edit, is_faulty, known_options, listed, without, written};
use crate::Argued;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-discard-async",
    summary: "discard in its synchronous form, or turned off with no trim in its place",
    page: include_str!("discard_async.md"),
    severity: Severity::Info,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "btrfs, trim/discard",
            "https://btrfs.readthedocs.io/en/latest/Trim.html",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

const FSTRIM: [&str; 3] = ["services", "fstrim", "enable"];

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let deciding = btrfs.deciding_mounts();
    if deciding.is_empty() || is_faulty(btrfs) {
        return Ok(NotApplicable);
    }
    known_options(&deciding)?;
    let asks = |mount: &BtrfsMount<'_>, value: &str| {
        filesystem_wide(&mount.options().list)
            .get("discard")
            .is_some_and(|it| it.value == value)
    };
    let synchronous = deciding.iter().any(|mount| asks(mount, "sync"));
    let off = deciding.iter().all(|mount| asks(mount, "off"));
    if !synchronous && !off {
        return Ok(Clear);
    }
    let fstrim = &btrfs.machine().config;
    if off && !fstrim.set(&FSTRIM).is_some_and(|it| it.node == Node::Bool(false)) {
        // NixOS trims once a week unless it is told not to.
        return Ok(Clear);
    }
    let contradicted = synchronous
        && mounts
            .iter()
            .any(|mount| asks(mount, "async") || asks(mount, "off"));
    if !contradicted {
        let is_flash = |media: &Media| matches!(media, Media::Ssd | Media::Nvme | Media::Mmc);
        if !btrfs.media()?.iter().any(|(_, media, _)| is_flash(&media.value)) {
            return Ok(Clear);
        }
    }
    Ok(if synchronous {
        synchronously(btrfs, &mounts, &deciding, contradicted)
    } else {
        never(btrfs, &mounts, &deciding)
    })
}

/// What an option of a list says of discards, if it is the one that counts there.
fn discards<'a>(mount: &BtrfsMount<'a>) -> Option<(MountOption<'a>, String)> {
    let wide = filesystem_wide(&mount.options().list);
    let it = wide.get("discard")?;
    Some((it.option, it.value.clone()))
}

fn synchronously(
    btrfs: Btrfs<'_>,
    mounts: &[BtrfsMount<'_>],
    deciding: &[BtrfsMount<'_>],
    contradicted: bool,
) -> Verdict {
    let decides = |mount: &BtrfsMount<'_>| deciding.iter().any(|it| it.mountpoint() == mount.mountpoint());
    let said: Vec<_> = mounts
        .iter()
        .filter_map(|mount| discards(mount).map(|(option, value)| (*mount, option, value)))
        .collect();
    let Some((first, option, _)) = said
        .iter()
        .find(|(mount, _, value)| value == "sync" && decides(mount))
    else {
        return Clear;
    };
    let text = written(option);
    let mountpoint = first.mountpoint();
    let label = if deciding.len() == 1 {
        "synchronous, for the whole filesystem"
    } else {
        "synchronous, for the whole filesystem when it is mounted first"
    };
    let mut placed = Draft::new(
        btrfs.subject(),
        format!("with `{text}` on {mountpoint} every commit of the filesystem waits until the disk has trimmed what was freed"),
    )
    .at(&option.element.origin, label);
    let mut shown = vec![&option.element.origin];
    for (mount, option, value) in &said {
        if shown.contains(&&option.element.origin) {
            continue;
        }
        shown.push(&option.element.origin);
        placed = placed.and(
            &option.element.origin,
            match (&**value, decides(mount)) {
                ("sync", _) => "synchronous as well",
                (_, false) => "has no effect: not mounted first",
                (_, true) => "has an effect only if it is mounted first",
            },
        );
    }
    if let Some(live) = btrfs.machine().facts.mount_at(mountpoint)
        && let Some(set) = live.options.iter().find(|it| &*it.value == "discard")
    {
        placed = placed.and(&set.origin, "mounted so right now");
    }
    let blocked = btrfs.luks().into_iter().find(|luks| {
        let unknown = btrfs
            .machine()
            .layout
            .unknown_at(&luks.device.path.join("settings"));
        unknown.is_none() && luks.declared.allow_discards.as_ref().is_none_or(|it| !it.value)
    });
    let mut argued = placed.because("freed extents are trimmed one by one before the commit is done; the asynchronous form gathers them, sends fewer and larger requests and makes nothing wait");
    if blocked.is_some() {
        argued = argued.because("the LUKS container below does not let discards through, so that this costs nothing yet; it will once it does (`luks-allow-discards`)");
    }
    if contradicted {
        argued = argued.severity(Severity::Warning);
    }
    let texts = |value: &str, mount: &BtrfsMount<'_>| -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for option in mount.options().iter() {
            let sync = option.key == "discard" && matches!(option.value, None | Some("sync"));
            if value == "sync" && sync && !texts.contains(&written(&option)) {
                texts.push(written(&option));
            }
        }
        texts
    };
    let edits: Vec<_> = said
        .iter()
        .filter(|(_, _, value)| value == "sync")
        .map(|(mount, _, value)| edit(mount.options(), asynchronous(btrfs, mount, &texts(value, mount))))
        .collect();
    argued = argued.because(if unasked(btrfs) {
        "since Linux 6.2 the asynchronous form is what the kernel does unasked"
    } else {
        "the asynchronous form exists since Linux 5.6"
    });
    let (argued, reach) = at_once(btrfs, argued, mountpoint);
    argued
        .impact(Impact::unmeasured("latency of commits while files are deleted"))
        .cost("blocks are trimmed some seconds after they are freed instead of at once")
        .verify(format!("findmnt -no OPTIONS {mountpoint} shows discard=async"))
        .rollback(format!(
            "mount -o remount,discard=sync {mountpoint}, and the option back in the list"
        ))
        .change(reach, edits)
}

/// Whether the kernel is known to discard asynchronously unasked.
fn unasked(btrfs: Btrfs<'_>) -> bool {
    let kernel = btrfs.machine().facts.versions.kernel.as_ref();
    kernel.is_some_and(|kernel| kernel.value.at_least(6, 2))
}

/// How far the edits reach. Where they only take an option out, a remount leaves it as it is, and a
/// command does at once what the next boot does.
fn at_once(btrfs: Btrfs<'_>, argued: Argued, mountpoint: &str) -> (Argued, EditReach) {
    if !unasked(btrfs) {
        return (argued, EditReach::Remount);
    }
    let command = format!("mount -o remount,discard=async {mountpoint}");
    let purpose = "for the running system; leaving the option out of a remount does not change it";
    (argued.command(command, purpose), EditReach::Reboot)
}

/// The edits that put the asynchronous form in place of these options.
fn asynchronous(btrfs: Btrfs<'_>, mount: &BtrfsMount<'_>, gone: &[String]) -> Vec<ListEdit> {
    if unasked(btrfs) {
        return without(mount, gone);
    }
    gone.iter()
        .map(|option| ListEdit::Replace {
            option: option.clone(),
            with: "discard=async".to_owned(),
        })
        .collect()
}

/// `nodiscard`, and no weekly trim either.
fn never(btrfs: Btrfs<'_>, mounts: &[BtrfsMount<'_>], deciding: &[BtrfsMount<'_>]) -> Verdict {
    let off: Vec<_> = mounts
        .iter()
        .filter_map(|mount| discards(mount).map(|(option, value)| (*mount, option, value)))
        .filter(|(_, _, value)| value == "off")
        .collect();
    let Some((first, option, _)) = off
        .iter()
        .find(|(mount, _, _)| deciding.iter().any(|it| it.mountpoint() == mount.mountpoint()))
    else {
        return Clear;
    };
    let mountpoint = first.mountpoint();
    let mut placed = Draft::new(
        btrfs.subject(),
        format!(
            "the flash below is never trimmed: `nodiscard` on {mountpoint}, and `{}` is false",
            OptionPath::new(FSTRIM)
        ),
    )
    .at(&option.element.origin, "no discard, for the whole filesystem");
    if let Some(fstrim) = btrfs.machine().config.set(&FSTRIM) {
        placed = placed.and(&fstrim.origin, "no weekly trim either");
    }
    let edits: Vec<_> = off
        .iter()
        .map(|(mount, option, _)| edit(mount.options(), asynchronous(btrfs, mount, &[written(option)])))
        .collect();
    let names: Vec<_> = off.iter().map(|(mount, _, _)| mount.mountpoint()).collect();
    let argued = placed
        .because("flash that is not told what is free has fewer blocks to write to: it copies more in the background, wears faster and slows down as it fills")
        .impact(Impact::unmeasured("write speed and wear of a disk that has been full"))
        .cost("an encrypted disk shows which blocks are free");
    let (argued, reach) = at_once(btrfs, argued, mountpoint);
    argued
        .verify(format!("findmnt -no OPTIONS {mountpoint} shows discard=async"))
        .rollback(format!("put `nodiscard` back on {}", listed(&names)))
        .change(reach, edits)
}
