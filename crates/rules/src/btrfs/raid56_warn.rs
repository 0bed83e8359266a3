//! RAID5 and RAID6 of btrfs.

use source::Origin;

use super::mkfs;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-raid56-warn",
    summary: "RAID5 or RAID6 of btrfs, which its documentation keeps for testing",
    page: include_str!("raid56_warn.md"),
    severity: Severity::Error,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "btrfs(5), RAID56 status and recommended practices",
        "https://btrfs.readthedocs.io/en/latest/btrfs-man5.html#raid56-status-and-recommended-practices",
    )],
    verified: "btrfs-progs 6.19",
};

/// What of the filesystem is laid out so.
struct Parity<'a> {
    profile: Profile,
    metadata: bool,
    origin: &'a Origin,
}

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let is_parity = |profile: Profile| matches!(profile, Profile::Raid5 | Profile::Raid6);
    let mut found: Vec<Parity<'_>> = Vec::new();
    let exists = btrfs.usage();
    if let Some(usage) = exists {
        found.extend(
            usage
                .profiles
                .iter()
                .filter(|it| is_parity(it.profile.value) && it.kind != BlockGroup::System)
                .map(|it| Parity {
                    profile: it.profile.value,
                    metadata: it.kind != BlockGroup::Data,
                    origin: &it.profile.origin,
                }),
        );
    } else {
        let asked = mkfs(btrfs);
        for (asked, metadata) in [(asked.metadata, true), (asked.data, false)] {
            if let Some((profile, arg)) = asked.filter(|(profile, _)| is_parity(*profile)) {
                found.push(Parity {
                    profile,
                    metadata,
                    origin: &arg.origin,
                });
            }
        }
    }
    found.sort_by_key(|it| !it.metadata);
    let [first, rest @ ..] = found.as_slice() else {
        return Ok(Clear);
    };
    let mountpoint = btrfs
        .deciding_mounts()
        .first()
        .map_or_else(|| "/".to_owned(), |it| it.mountpoint().to_owned());
    let of = |it: &Parity<'_>| if it.metadata { "metadata" } else { "data" };
    let message = match rest.first() {
        Some(second) => format!(
            "{} is {} and {} is {}: a crash can leave parity that does not match",
            of(first),
            first.profile,
            of(second),
            second.profile
        ),
        None => format!(
            "{} is {}: a crash can leave parity that does not match",
            of(first),
            first.profile
        ),
    };
    let mut placed =
        Draft::new(btrfs.subject(), message).at(first.origin, format!("parity for {}", of(first)));
    for it in rest {
        placed = placed.and(it.origin, format!("parity for {}", of(it)));
    }
    let better = |it: &Parity<'_>| {
        if it.profile == Profile::Raid6 {
            "raid1c3"
        } else {
            "raid1"
        }
    };
    let mut argued = placed
        .because("data and parity of a stripe are not written at one instant; after a power failure they can disagree, and a later loss of a device is then mended with wrong parity (the \"write hole\")")
        .because("the documentation of btrfs says not to use it in production, and never for metadata")
        .cost("raid1 and raid1c3 hold two and three copies, and so take more room than parity")
        .verify(format!("btrfs filesystem usage {mountpoint}"))
        .rollback("convert back in the same way");
    if !first.metadata {
        argued = argued.severity(Severity::Warning);
    }
    if exists.is_some() {
        for it in &found {
            let letter = if it.metadata { 'm' } else { 'd' };
            argued = argued.command(
                format!("btrfs balance start -{letter}convert={} {mountpoint}", better(it)),
                format!(
                    "rewrites the {} while the filesystem is in use, given enough room",
                    of(it)
                ),
            );
        }
    }
    Ok(argued.advise(
        Reach::Live,
        if first.metadata {
            "metadata belongs on raid1 (raid1c3 beside raid6); data on parity only with a backup and protection against power failures, else raid1, or ZFS raidz"
        } else {
            "keep a backup, protect the machine against power failures and scrub after each crash; else convert the data to raid1, or use ZFS raidz"
        },
    ))
}
