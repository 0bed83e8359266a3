//! Access times on ext4.

use crate::luks::{a_medium, confidence, medium};
use crate::options::{edit, known, without, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "ext4-noatime-lazytime",
    summary: "reading files writes their access times to a slow disk",
    page: include_str!("noatime_lazytime.md"),
    severity: Severity::Info,
    check: Check::Filesystem(check),
    sources: &[
        Source::new(
            "mount(8), filesystem-independent mount options",
            "https://man7.org/linux/man-pages/man8/mount.8.html#FILESYSTEM-INDEPENDENT_MOUNT_OPTIONS",
        ),
        Source::new(
            "tmpfiles.d(5), age",
            "https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html#Age",
        ),
    ],
    verified: "Linux 6.18, util-linux 2.41",
};

fn check(filesystem: Filesystem<'_>) -> Known<Verdict> {
    if filesystem.format() != "ext4" {
        return Ok(NotApplicable);
    }
    let options = filesystem.options();
    known(filesystem.mount)?;
    if options.has("ro") {
        return Ok(NotApplicable);
    }
    let choice = options.last(&["atime", "noatime", "relatime", "norelatime", "strictatime"]);
    if choice.is_some_and(|it| it.key == "noatime") {
        return Ok(implied_nodiratime(&filesystem));
    }
    if options.has("lazytime") {
        return Ok(Clear);
    }
    let strict = choice.filter(|it| matches!(it.key, "strictatime" | "norelatime"));
    let (media, sure) = match slow_medium(&filesystem)? {
        Some(found) => found,
        None => return Ok(Clear),
    };

    let mountpoint = filesystem.mountpoint();
    let mut placed = Draft::new(
        filesystem.subject(),
        match strict {
            Some(_) => format!(
                "each read of a file on {mountpoint} writes its access time to the {}",
                medium(media.value)
            ),
            None => format!(
                "reading a file on {mountpoint} can write its access time to the {}",
                medium(media.value)
            ),
        },
    )
    .at(
        filesystem.origin(),
        if strict.is_some() {
            "without `lazytime`"
        } else {
            "neither `noatime` nor `lazytime`"
        },
    );
    if let Some(strict) = strict {
        placed = placed.and(&strict.element.origin, "each read updates the access time");
    }
    placed = placed.and(&media.origin, a_medium(media.value));
    let live = filesystem.machine().facts.mount_at(mountpoint);
    if let Some(live) = live.filter(|live| live.has("relatime")) {
        placed = placed.and(
            &live.source.origin,
            "mounted with `relatime`, the kernel's default",
        );
    }
    let mut argued = placed.because(if strict.is_some() {
        "every read becomes a change of an inode, which the journal writes out every few seconds"
    } else {
        "`relatime` writes an access time once a day for a file that is read, and after each change: walking a large tree (a backup, `find`, an indexer) turns into as many scattered writes, one for each file read"
    });
    argued = argued
        .confidence(confidence(sure))
        .impact(Impact::unmeasured("writes while many files are read"))
        .rollback(format!(
            "remove the option; on the running system also: mount -o remount,{} {mountpoint}",
            if strict.is_some() {
                "nolazytime"
            } else {
                "relatime"
            }
        ))
        .verify(format!("findmnt -no OPTIONS {mountpoint}"));
    // Whoever asked for exact access times keeps them: they only reach the disk later.
    let add = if strict.is_some() { "lazytime" } else { "noatime" };
    argued = if strict.is_some() {
        argued.cost("after a power cut, access times can be up to a day old")
    } else {
        argued.cost("what goes by access times (mutt's mailboxes, `find -atime`, systemd-tmpfiles, which keeps what was lately read) no longer sees reads; with `lazytime` in its place they stay, and are written at most once a day")
    };
    let mut edits = vec![LayoutEdit::Options {
        list: options.place.path.clone(),
        edits: vec![ListEdit::Add(add.to_owned())],
    }];
    if let Some(choice) = choice.filter(|_| strict.is_none()) {
        edits = vec![LayoutEdit::Options {
            list: options.place.path.clone(),
            edits: vec![ListEdit::Replace {
                option: written(&choice),
                with: add.to_owned(),
            }],
        }];
    }
    Ok(argued.change(EditReach::Remount, edits))
}

/// The first disk below on which a stray write is dear: one that rotates, or a memory card.
fn slow_medium(filesystem: &Filesystem<'_>) -> Known<Option<(Sourced<Media>, Sureness)>> {
    let disks = filesystem.disks();
    if disks.is_empty() {
        filesystem.media()?;
    }
    find_known(disks.iter().map(Disk::media), |(media, _)| {
        matches!(media.value, Media::Hdd | Media::Mmc)
    })
}

/// `noatime` covers directories too.
fn implied_nodiratime(filesystem: &Filesystem<'_>) -> Verdict {
    let options = filesystem.options();
    let Some(redundant) = options.last(&["nodiratime"]) else {
        return Clear;
    };
    Draft::new(
        filesystem.subject(),
        format!(
            "`nodiratime` says nothing on {}: `noatime` covers directories too",
            filesystem.mountpoint()
        ),
    )
    .at(&redundant.element.origin, "implied by `noatime`")
    .because("`noatime` stops the access times of all inodes, of which directories are one kind")
    .cost("none")
    .rollback("put it back; nothing changes")
    .verify(format!("findmnt -no OPTIONS {}", filesystem.mountpoint()))
    .change(
        EditReach::Remount,
        [edit(options, without(filesystem.mount, &[written(&redundant)]))],
    )
}
