//! Compression of what does not compress.

use machine::btrfs_options::filesystem_wide;

use super::{edit, is_faulty, is_store_only, known_options, worthwhile, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-compress-force",
    summary: "compress-force, which also works on what does not become smaller",
    page: include_str!("compress_force.md"),
    severity: Severity::Info,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "btrfs, compression: incompressible data",
        "https://btrfs.readthedocs.io/en/latest/Compression.html#incompressible-data",
    )],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

const OPTION: &str = "compress-force";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let deciding = btrfs.deciding_mounts();
    if deciding.is_empty() || is_faulty(btrfs) {
        return Ok(NotApplicable);
    }
    if is_store_only(&mounts) {
        return Ok(Clear);
    }
    let asking = deciding.iter().find_map(|mount| Some((mount, forced(mount)?)));
    let Some((first, option)) = asking else {
        known_options(&deciding)?;
        return Ok(Clear);
    };
    let mountpoint = first.mountpoint();
    let wanted = worthwhile(&mounts, &option);
    let mut placed = Draft::new(
        btrfs.subject(),
        format!(
            "`{}` compresses everything that is written, also what does not become smaller",
            written(&option)
        ),
    )
    .at(&option.element.origin, "holds for the whole filesystem");
    let live = btrfs.machine().facts.mount_at(mountpoint);
    if let Some(set) = live.and_then(|live| live.option(OPTION)) {
        placed = placed.and(&set.origin, "mounted so right now");
    }
    // A subvolume that asks for something else is `btrfs-uniform-fs-options`' affair.
    let same = |mount: &&BtrfsMount<'_>| forced(mount).is_some_and(|it| written(&it) == written(&option));
    let edits: Vec<_> = mounts
        .iter()
        .filter(same)
        .map(|mount| {
            let replace = ListEdit::Replace {
                option: written(&option),
                with: wanted.clone(),
            };
            edit(mount.options(), vec![replace])
        })
        .collect();
    Ok(placed
        .because("`compress` looks at a sample of the data and lets alone what does not compress: films, photographs, archives, what is encrypted; forced, each of these goes through the compressor again and again for nothing")
        .because("it also overrides what somebody said of single folders: with it a file below a folder of `btrfs property set … compression none` was compressed all the same (Linux 6.18)")
        .because("btrfs's documentation does not recommend it")
        .impact(Impact::unmeasured("processor time while incompressible data is written"))
        .cost("the guess errs at times: libraries and text that were forced took 17 % less space than with `compress` (82 MB, zstd:3, Linux 6.18); on a filesystem of such files alone, let it be")
        .verify(format!("findmnt -no OPTIONS {mountpoint} shows {wanted}"))
        .rollback("put the option back; what was written meanwhile stays as it is")
        .change(EditReach::Remount, edits))
}

/// The option that forces compression, where it is in effect.
fn forced<'a>(mount: &BtrfsMount<'a>) -> Option<MountOption<'a>> {
    let wide = filesystem_wide(&mount.options().list);
    let option = wide.get("compress")?.option;
    wide.compression()?.force.then_some(option)
}
