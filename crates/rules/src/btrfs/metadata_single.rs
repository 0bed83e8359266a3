//! Metadata that there is one copy of.

use super::{is_faulty, mkfs};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-metadata-single",
    summary: "one copy of the metadata, so that one bad block can cost the filesystem",
    page: include_str!("metadata_single.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "mkfs.btrfs(8), DUP profiles on a single device",
        "https://btrfs.readthedocs.io/en/latest/mkfs.btrfs.html#dup-profiles-on-a-single-device",
    )],
    verified: "btrfs-progs 6.19",
};

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let asked = mkfs(btrfs);
    if is_faulty(btrfs) || btrfs.device.is_some() && !asked.more_devices.is_empty() {
        return Ok(NotApplicable);
    }
    let mountpoint = btrfs
        .deciding_mounts()
        .first()
        .map_or_else(|| "/".to_owned(), |it| it.mountpoint().to_owned());
    let usage = btrfs.usage();
    if usage.is_some_and(|it| it.devices().len() > 1) {
        return Ok(NotApplicable);
    }
    let single = match usage {
        Some(usage) => usage
            .of(BlockGroup::Metadata)
            .find(|it| it.profile.value == Profile::Single)
            .map(|it| &it.profile.origin),
        // A filesystem that mkfs.btrfs 5.15 or later makes without being asked has two copies.
        None => match asked.metadata {
            Some((profile, arg)) => (profile == Profile::Single).then_some(&arg.origin),
            None if btrfs.machine().is_observed() => {
                btrfs.known_usage()?;
                None
            }
            None => None,
        },
    };
    let Some(origin) = single else {
        return Ok(Clear);
    };
    let mut placed = Draft::new(
        btrfs.subject(),
        "there is one copy of the metadata: one bad block of it can cost the filesystem",
    )
    .at(origin, "one copy");
    if usage.is_some()
        && let Some((Profile::Single, arg)) = asked.metadata
    {
        placed = placed.and(&arg.origin, "made so");
    }
    let argued = placed
        .because("btrfs sees by its checksums that a block is bad, and mends it from another copy if there is one; without its metadata the data is not found any more")
        .because("before btrfs-progs 5.15 mkfs.btrfs chose this for flash, because some of it keeps one copy of equal blocks; since then it makes two on any device")
        .cost("metadata takes twice the room, mostly some gigabytes at most, and is written twice");
    let later = "in the layout, take `-m single` out of `extraArgs` for the next time that it is made";
    if let Some(unallocated) = usage.and_then(lacks_room) {
        return Ok(argued
            .because(format!(
                "{} are unallocated, too little to write the chunks of metadata anew: a conversion that runs out of room midway can leave the filesystem read-only",
                unallocated.value
            ))
            .verify(format!("btrfs filesystem usage {mountpoint} shows more unallocated than twice the metadata and 1 GiB"))
            .rollback("none is needed: nothing is changed")
            .advise(
                Reach::Live,
                format!("make room before anything else: delete what is not needed, old snapshots first, and run this program again; {later}"),
            ));
    }
    Ok(argued
        .command(
            format!("btrfs balance start -mconvert=dup {mountpoint}"),
            "makes the second copy while the filesystem is in use; `-f` is not needed, since nothing becomes less safe",
        )
        .verify(format!("btrfs filesystem df {mountpoint} shows Metadata, DUP"))
        .rollback(format!("btrfs balance start -f -mconvert=single {mountpoint}"))
        .advise(
            Reach::Live,
            format!("run the command; {later}"),
        ))
}

/// The unallocated space, if there is too little of it for a second copy of the metadata: each chunk
/// is written anew, twice, before the old one is given back.
fn lacks_room(usage: &BtrfsUsage) -> Option<&source::Sourced<Bytes>> {
    let chunks = usage.of(BlockGroup::Metadata);
    let size: u64 = chunks.map(|it| it.size.value.0).sum();
    let needed = Bytes(size.saturating_mul(2)) + Bytes::gib(1);
    usage.unallocated.as_ref().filter(|it| it.value < needed)
}
