//! Metadata of several devices that one lost device takes away.

use source::Origin;

use super::mkfs;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-multidev-metadata-raid1",
    summary: "metadata of a filesystem over several devices that does not survive the loss of one",
    page: include_str!("multidev_metadata_raid1.md"),
    severity: Severity::Error,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "mkfs.btrfs(8), profiles",
        "https://btrfs.readthedocs.io/en/latest/mkfs.btrfs.html#profiles",
    )],
    verified: "btrfs-progs 6.19",
};

/// Profiles that lose the filesystem with one device, when there are several.
fn is_lost_with_one(profile: Profile) -> bool {
    matches!(profile, Profile::Single | Profile::Dup | Profile::Raid0)
}

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    if let Some(usage) = btrfs.usage() {
        let devices = usage.devices().len();
        if devices < 2 {
            return Ok(NotApplicable);
        }
        let weak = usage
            .of(BlockGroup::Metadata)
            .find(|it| is_lost_with_one(it.profile.value));
        return Ok(match weak {
            Some(it) => finding(btrfs, it.profile.value, devices, &it.profile.origin, true),
            None => Clear,
        });
    }
    let asked = mkfs(btrfs);
    let devices = asked.more_devices.len() + 1;
    if btrfs.device.is_none() || devices < 2 {
        return Ok(NotApplicable);
    }
    // Without an argument mkfs.btrfs takes RAID1 for the metadata of several devices.
    Ok(match asked.metadata {
        Some((profile, arg)) if is_lost_with_one(profile) => {
            finding(btrfs, profile, devices, &arg.origin, false)
        }
        _ => Clear,
    })
}

fn finding(btrfs: Btrfs<'_>, profile: Profile, devices: usize, origin: &Origin, exists: bool) -> Verdict {
    let mountpoint = btrfs
        .deciding_mounts()
        .first()
        .map_or_else(|| "/".to_owned(), |it| it.mountpoint().to_owned());
    let message = format!(
        "the metadata of {devices} devices is {profile}: one lost device takes the whole filesystem with it"
    );
    let mut argued = Draft::new(btrfs.subject(), message)
        .at(origin, "no copy of the metadata on another device")
        .because(
            "without its metadata nothing on the filesystem can be found, whatever the profile of the data",
        )
        .because("mkfs.btrfs itself takes raid1 for the metadata of several devices")
        .cost("twice the room for metadata compared with one copy, which is one or two percent of the data")
        .verify(format!("btrfs filesystem usage {mountpoint} | grep Metadata"))
        .rollback(format!("btrfs balance start -f -mconvert={profile} {mountpoint}"));
    if exists {
        argued = argued.command(
            format!("btrfs balance start -mconvert=raid1 {mountpoint}"),
            "copies the metadata to a second device, while the filesystem is in use",
        );
    }
    argued.advise(
        Reach::Live,
        if exists {
            "convert the metadata of the filesystem that there is; `extraArgs` are read only when a filesystem is made"
        } else {
            "leave the profile of the metadata out of `extraArgs`, or make it raid1, for the next filesystem; convert the one that there is: btrfs balance start -mconvert=raid1"
        },
    )
}
