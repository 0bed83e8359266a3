//! zstd at a level that costs more than it saves.

use machine::btrfs_options::{FilesystemWide, filesystem_wide};

use super::{COSTLY_LEVEL, edit, is_faulty, known_options, worthwhile, written, zstd_level};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-zstd-level-too-high",
    summary: "a zstd level that costs far more time than it saves space",
    page: include_str!("zstd_level_too_high.md"),
    severity: Severity::Info,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "btrfs, compression: levels",
        "https://btrfs.readthedocs.io/en/latest/Compression.html#compression-levels",
    )],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// Levels from here on hold back even a rotating disk: level 15 compresses 16 MB/s on two processors.
/// The levels below, down to [`COSTLY_LEVEL`], reach some 80 MB/s there, which flash outruns.
const SLOWER_THAN_ANY_DISK: i32 = 12;

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let deciding = btrfs.deciding_mounts();
    if deciding.is_empty() || is_faulty(btrfs) || mounts.iter().all(is_archive) {
        return Ok(NotApplicable);
    }
    let costly: Vec<_> = deciding
        .iter()
        .filter_map(|mount| {
            let (option, level) = effective_level(&filesystem_wide(&mount.options().list))?;
            (level >= COSTLY_LEVEL).then_some((*mount, option, level))
        })
        .collect();
    let Some((first, option, level)) = costly.first() else {
        known_options(&deciding)?;
        return Ok(Clear);
    };
    if *level < SLOWER_THAN_ANY_DISK {
        let is_flash = |media: &Media| matches!(media, Media::Ssd | Media::Nvme);
        if !btrfs.media()?.iter().any(|(_, media, _)| is_flash(&media.value)) {
            return Ok(Clear);
        }
    }

    let text = written(option);
    let wanted = worthwhile(&mounts, option);
    let message = format!(
        "everything that is written is compressed with `{text}`, a level that costs far more time than it saves space"
    );
    let mut placed =
        Draft::new(btrfs.subject(), message).at(&option.element.origin, "holds for the whole filesystem");
    for (_, other, _) in costly.iter().skip(1) {
        if other.element.origin != option.element.origin {
            placed = placed.and(&other.element.origin, "holds if this subvolume is mounted first");
        }
    }
    let declared = filesystem_wide(&first.options().list).compression();
    if let Some(live) = btrfs.machine().facts.mount_at(first.mountpoint())
        && let Some(set) = live.option(option.key)
        && filesystem_wide(&live.options).compression() == declared
    {
        placed = placed.and(&set.origin, "mounted so right now");
    }
    // Every list that asks for a costly level, so that no remount brings it back.
    let edits: Vec<_> = mounts
        .iter()
        .filter_map(|mount| {
            let asked = filesystem_wide(&mount.options().list).get("compress")?.option;
            (zstd_level(&asked)? >= COSTLY_LEVEL).then(|| {
                let replace = ListEdit::Replace {
                    option: written(&asked),
                    with: wanted.clone(),
                };
                edit(mount.options(), vec![replace])
            })
        })
        .collect();
    let mountpoint = first.mountpoint();
    Ok(placed
        .because("each level takes more processor time than the one before, and from 9 on the files hardly become smaller: 82 MB of libraries and text took 0.26 s at level 3, 0.99 s at level 9 and 5.26 s at level 15 (two processors, Linux 6.18), for 35 %, 33 % and 31 % of the size")
        .because("what is written waits for the compression when the disk is faster than the processors")
        .impact(Impact::range(
            "time to compress at levels 9 to 15, in multiples of level 3",
            3.8,
            20.0,
            "×",
            ImpactBasis::Lab,
        ))
        .confidence(Confidence::Likely)
        .cost("what is written from then on takes some 5 to 16 % more space; what is on the disk stays as it is")
        .verify(format!("findmnt -no OPTIONS {mountpoint} shows {wanted}"))
        .rollback(format!(
            "put `{text}` back; data that was written meanwhile keeps its level"
        ))
        .change(EditReach::Remount, edits))
}

/// The zstd level that a list leaves in effect, and the option that says so.
fn effective_level<'a>(wide: &FilesystemWide<'a>) -> Option<(MountOption<'a>, i32)> {
    let option = wide.get("compress")?.option;
    Some((option, zstd_level(&option)?))
}

/// Whether a mount holds what is written once and rarely read: there a high level has its place.
fn is_archive(mount: &BtrfsMount<'_>) -> bool {
    let mountpoint = mount.mountpoint().to_ascii_lowercase();
    ["archive", "backup"].iter().any(|name| mountpoint.contains(name))
}
