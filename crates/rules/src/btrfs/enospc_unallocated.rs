//! No room for new chunks, while those that there are stand half empty.

use super::is_faulty;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-enospc-unallocated",
    summary: "nearly nothing is unallocated: writes will fail although df shows room",
    page: include_str!("enospc_unallocated.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[
        Source::new(
            "btrfs-balance(8): filters, ENOSPC",
            "https://btrfs.readthedocs.io/en/latest/btrfs-balance.html",
        ),
        Source::new(
            "btrfs-filesystem(8): usage",
            "https://btrfs.readthedocs.io/en/latest/btrfs-filesystem.html",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// The largest chunk of data, and of metadata on a filesystem larger than [`LARGE`].
const CHUNK: u64 = 1 << 30;
/// The largest chunk of metadata on a smaller filesystem.
const SMALL_CHUNK: u64 = 256 << 20;
/// Where the kernel's larger chunks of metadata begin (fs/btrfs/volumes.c,
/// `init_alloc_chunk_ctl_policy_regular`).
const LARGE: u64 = 50 << 30;
/// From here on one twentieth of the filesystem is room enough, however large it is.
const AMPLE: u64 = 50 << 30;

/// Where one filesystem stands.
struct Room {
    /// What new chunks can be made of, raw, where it lies.
    placeable: u64,
    /// What one more chunk of metadata takes, copies counted.
    metadata_chunk: u64,
    /// Below this the room is tight.
    enough: u64,
}

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let usage = btrfs.known_usage()?;
    let mountpoint = btrfs
        .deciding_mounts()
        .first()
        .map(|it| it.mountpoint().to_owned())
        .or_else(|| usage.mountpoint.as_ref().map(|it| it.value.to_string()))
        .unwrap_or_else(|| "/".to_owned());
    let lacks = |what: &str| {
        Missing::new(
            format!("{what} of {}", btrfs.subject()),
            format!("`btrfs filesystem usage -b {mountpoint} > btrfs-usage.txt` as root"),
        )
    };
    let size = usage.device_size.as_ref().ok_or_else(|| lacks("the size"))?;
    let unallocated = usage
        .unallocated
        .as_ref()
        .ok_or_else(|| lacks("what is not allocated"))?;
    if usage.of(BlockGroup::Mixed).next().is_some() {
        return Ok(NotApplicable);
    }
    let data = fullest(usage, BlockGroup::Data).ok_or_else(|| lacks("how full the data chunks are"))?;
    let metadata =
        fullest(usage, BlockGroup::Metadata).ok_or_else(|| lacks("how full the metadata chunks are"))?;

    let room = room(usage, size.value, unallocated.value, metadata, data);
    let (data_size, data_used) = sum(usage, BlockGroup::Data);
    let (metadata_size, metadata_used) = sum(usage, BlockGroup::Metadata);
    let slack = data_size - data_used;
    let reserve_used = usage.global_reserve_used.as_ref().filter(|it| it.value.0 > 0);
    let part = |part: Bytes, whole: Bytes| part.of(whole).map_or(0.0, |ratio| ratio.0);
    let metadata_part = part(metadata_used, metadata_size);
    let can_compact = part(slack, data_size) > 0.2 && slack.0 >= CHUNK.min(size.value.0 / 10);
    let tight = room.placeable < room.enough;
    let imminent = room.placeable < room.metadata_chunk && (metadata_part > 0.9 || reserve_used.is_some());
    if !imminent && !(tight && (can_compact || metadata_part > 0.8)) {
        return Ok(Clear);
    }

    let free = Bytes(room.placeable);
    let message = if imminent {
        format!(
            "writes on {mountpoint} are about to fail: metadata is {} full, and only {free} is left for more of it",
            Ratio(metadata_part)
        )
    } else if can_compact {
        format!(
            "only {free} on {mountpoint} can still become new chunks, while {slack} lie idle inside data chunks"
        )
    } else {
        format!(
            "only {free} on {mountpoint} can still become new chunks, metadata is {} full, and the data chunks are full too",
            Ratio(metadata_part)
        )
    };
    let spread = room.placeable < unallocated.value.0;
    let unallocated_label = if spread {
        format!(
            "of this, {free} lie so that {} chunks can be made of them",
            metadata.profile.value
        )
    } else {
        format!(
            "what new chunks are made of; one of metadata takes {}",
            Bytes(room.metadata_chunk)
        )
    };
    let mut placed = Draft::new(btrfs.subject(), message)
        .at(&unallocated.origin, unallocated_label)
        .and(
            &metadata.used.origin,
            format!("metadata: {} of {metadata_size} used", Ratio(metadata_part)),
        )
        .and(
            &data.used.origin,
            format!("data: {slack} of {data_size} not used"),
        );
    if let Some(reserve) = reserve_used {
        placed = placed.and(&reserve.origin, "the last reserve is being used");
    }
    let mut argued = placed
        .because("btrfs hands out space in chunks for data or for metadata, and files that are deleted leave their chunks half empty; when nothing is unallocated and the metadata chunks are full, every write fails with \"no space left\", although `df` shows room, and deleting single files does not help")
        .verify(format!("btrfs filesystem usage -b {mountpoint} | grep -i unallocated"))
        .rollback(format!("none is needed; a balance can be stopped at any time: btrfs balance cancel {mountpoint}"));
    if imminent {
        argued = argued.severity(Severity::Error);
    }
    if is_faulty(btrfs) {
        return Ok(argued.advise(
            Reach::Live,
            "a device reported errors: look into them before a balance reads and writes what is there; until then delete old snapshots and files, or add a device for a time",
        ));
    }
    if !can_compact {
        return Ok(argued.advise(
            Reach::Live,
            "make room: delete old snapshots and files, or add a device or enlarge the filesystem; a balance has nothing to gather here",
        ));
    }
    argued = argued
        .cost("a balance reads and writes the data that it moves, for minutes to hours; with quotas on it is slower still")
        .command(
            format!("btrfs balance start -dusage=0 {mountpoint}"),
            "first: gives back the data chunks that are empty, which needs no room itself",
        );
    if imminent {
        let step = last_step(part(data_used, data_size));
        return Ok(argued
            .command(
                format!("btrfs balance start -dusage={step} {mountpoint}"),
                "then, once there is room for one more chunk: gathers what lies in data chunks that are partly full",
            )
            .advise(
                Reach::Live,
                "run the first command; if nothing is unallocated after it, the second fails for want of room: then add a spare device for a time (`btrfs device add`, what is on it is lost), run the second, and take it out again (`btrfs device remove`), or delete snapshots and folders of many small files; never a balance without filters, and none of metadata",
            ));
    }
    let enough = Bytes(room.enough);
    for (index, step) in steps(part(data_used, data_size)).into_iter().enumerate() {
        argued = argued.command(
            format!("btrfs balance start -dusage={step} {mountpoint}"),
            if index == 0 {
                format!("then: gathers what lies in data chunks that are less than {step} % full")
            } else {
                format!("only while less than {enough} is unallocated")
            },
        );
    }
    Ok(argued.advise(
        Reach::Live,
        "run these one after another, each only while it is still needed; a balance without filters takes longest, and one of metadata takes away the room that metadata needs",
    ))
}

/// How full the data chunks may be that are gathered at most, in percent: a little more than all
/// are on the average. Chunks that full are there, and gathering fuller ones gains little.
fn last_step(average: f64) -> u64 {
    (((average * 10.0).ceil() * 10.0 + 5.0).round() as u64).max(50)
}

/// How full the data chunks may be that are gathered, step by step, in percent.
fn steps(average: f64) -> Vec<u64> {
    let last = last_step(average);
    [10, 25, 50]
        .into_iter()
        .filter(|step| *step < last)
        .chain([last])
        .collect()
}

/// The largest line of one kind: what most of it is laid out as.
fn fullest(usage: &BtrfsUsage, kind: BlockGroup) -> Option<&ProfileUsage> {
    usage.of(kind).max_by_key(|it| it.size.value)
}

/// Size and use of one kind, over all its profiles.
fn sum(usage: &BtrfsUsage, kind: BlockGroup) -> (Bytes, Bytes) {
    let size = usage.of(kind).map(|it| it.size.value).sum();
    let used = usage.of(kind).map(|it| it.used.value).sum();
    (size, used)
}

fn room(
    usage: &BtrfsUsage,
    size: Bytes,
    unallocated: Bytes,
    metadata: &ProfileUsage,
    data: &ProfileUsage,
) -> Room {
    // The kernel makes no chunk larger than a tenth of the filesystem.
    let chunk = CHUNK.min(size.0 / 10);
    let copies = |it: &ProfileUsage| u64::from(it.profile.value.copies());
    let most_copies = copies(metadata).max(copies(data));
    let free: Vec<u64> = usage.unallocated_on.iter().map(|it| it.size.value.0).collect();
    // Without root the tool tells the sum alone.
    let placeable = if free.is_empty() {
        unallocated.0
    } else {
        placeable(&free, devices_needed(metadata.profile.value)).min(unallocated.0)
    };
    Room {
        placeable,
        metadata_chunk: if size.0 > LARGE {
            chunk
        } else {
            chunk.min(SMALL_CHUNK)
        }
        .saturating_mul(copies(metadata)),
        enough: (2 * chunk)
            .saturating_mul(most_copies)
            .max((size.0 / 20).min(AMPLE)),
    }
}

/// How many devices one chunk needs at least; see mkfs.btrfs(8), PROFILES.
fn devices_needed(profile: Profile) -> u64 {
    match profile {
        Profile::Single | Profile::Dup | Profile::Raid0 => 1,
        Profile::Raid1 | Profile::Raid10 | Profile::Raid5 => 2,
        Profile::Raid1c3 | Profile::Raid6 => 3,
        Profile::Raid1c4 => 4,
    }
}

/// How much of the free space of several devices can be used by chunks that each need room on so
/// many different devices.
///
/// With `depth` bytes on each of `needed` devices at a time, a device gives at most `depth` of its
/// own space: the largest `depth` is sought for which all give `needed × depth` together.
fn placeable(free: &[u64], needed: u64) -> u64 {
    let gives = |depth: u64| -> u64 {
        free.iter()
            .fold(0, |sum, it| sum.saturating_add((*it).min(depth)))
    };
    let (mut low, mut high) = (0, free.iter().fold(0_u64, |sum, it| sum.saturating_add(*it)));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if gives(middle) >= middle.saturating_mul(needed) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low.saturating_mul(needed)
}

#[cfg(test)]
mod tests {
    use super::{placeable, steps};

    #[test]
    fn mirrors_need_room_on_two_devices() {
        // One device: all of it.
        assert_eq!(placeable(&[7], 1), 7);
        // A mirror cannot use what the larger device has alone.
        assert_eq!(placeable(&[10, 2], 2), 4);
        assert_eq!(placeable(&[10, 0], 2), 0);
        // Two small ones pair with one large one.
        assert_eq!(placeable(&[10, 4, 4], 2), 16);
        assert_eq!(placeable(&[6, 6, 6], 2), 18);
        assert_eq!(placeable(&[6, 6, 1], 3), 3);
        assert_eq!(placeable(&[], 2), 0);
        assert_eq!(placeable(&[u64::MAX, u64::MAX], 1), u64::MAX);
    }

    #[test]
    fn the_last_step_takes_chunks_of_average_fill() {
        assert_eq!(steps(0.3), [10, 25, 50]);
        assert_eq!(steps(0.65), [10, 25, 50, 75]);
        assert_eq!(steps(0.79), [10, 25, 50, 85]);
    }
}
