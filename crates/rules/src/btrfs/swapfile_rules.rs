//! Swap files where btrfs cannot have them.

use machine::Kind;
use source::Origin;

use super::mkfs;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-swapfile-rules",
    summary: "a swap file on btrfs that cannot be switched on, or that forbids snapshots",
    page: include_str!("swapfile_rules.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[Source::new(
        "btrfs(5), swapfile support",
        "https://btrfs.readthedocs.io/en/latest/Swapfile.html",
    )],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// A subvolume with swap files.
struct Holder<'a> {
    mountpoint: &'a str,
    origin: &'a Origin,
}

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let holders: Vec<Holder<'_>> = mounts
        .iter()
        .filter_map(|mount| {
            let files = match &mount.device.kind {
                Kind::Btrfs(it) => &it.swap_files,
                Kind::Subvolume(it) => &it.swap_files,
                _ => return None,
            };
            let size = files.first()?.size.as_ref();
            Some(Holder {
                mountpoint: mount.mountpoint(),
                origin: size.map_or(&mount.mount.mountpoint.origin, |it| &it.origin),
            })
        })
        .collect();
    let Some(first) = holders.first() else {
        return Ok(NotApplicable);
    };

    let asked = mkfs(btrfs);
    let several = asked
        .more_devices
        .first()
        .map(|it| (&it.origin, "a second device".to_owned()));
    let profile = asked
        .data
        .filter(|(profile, _)| *profile != Profile::Single)
        .map(|(profile, arg)| (&arg.origin, format!("data is {profile}")));
    let observed = btrfs.usage().and_then(|usage| {
        let data = usage
            .of(BlockGroup::Data)
            .find(|it| it.profile.value != Profile::Single)?;
        Some((&data.profile.origin, format!("data is {}", data.profile.value)))
    });
    let certain = profile.or(observed).map(|place| (place, Confidence::Certain));
    // On several devices it depends on where the file happens to lie.
    let likely = several.map(|place| (place, Confidence::Likely));
    if let Some(((origin, label), confidence)) = certain.or(likely) {
        let message = format!(
            "the swap file on {} cannot be switched on: the filesystem is not on one device with one copy of data",
            first.mountpoint
        );
        return Ok(Draft::new(btrfs.subject(), message)
            .at(first.origin, "the swap file")
            .and(origin, label)
            .because("swap needs to know where its blocks lie and that nothing moves them; btrfs can promise that only for a file on one device whose data has one copy, and refuses swapon otherwise")
            .confidence(confidence)
            .cost("a partition has to be made for it, or memory is spent on compressing (zram)")
            .verify("swapon --show")
            .rollback("none is needed: nothing is changed")
            .advise(
                Reach::Recreate,
                "use a swap partition, or `zramSwap.enable = true`, instead of the file",
            ));
    }

    let snapped = btrfs
        .machine()
        .config
        .set(&["services", "snapper", "configs"])
        .and_then(|configs| {
            configs.as_attrs()?.values().find_map(|config| {
                let subvolume = &config.tree.get("SUBVOLUME")?.tree;
                let path = subvolume.as_str()?;
                let holder = holders.iter().find(|holder| holder.mountpoint == path)?;
                Some((holder, &subvolume.origin))
            })
        });
    let Some((holder, origin)) = snapped else {
        return Ok(Clear);
    };
    let mountpoint = holder.mountpoint;
    Ok(Draft::new(
        btrfs.subject(),
        format!("no snapshot of {mountpoint} can be taken while its swap file is in use"),
    )
    .at(origin, "snapshots are to be taken of it")
    .and(holder.origin, "a swap file in the same subvolume")
    .because("a snapshot would share the blocks of the swap file, so that btrfs refuses it (\"Text file busy\"); and a file that was once in a snapshot cannot be switched on again")
    .cost("the swap file has to be made anew in its own subvolume")
    .verify("swapon --show, and a snapshot by hand")
    .rollback("none is needed: nothing is changed")
    .advise(
        Reach::Live,
        "give the swap file a subvolume of its own, such as `\"/swap\" = { mountpoint = \"/.swapvol\"; swap.swapfile.size = …; }`, and take no snapshots of that one",
    ))
}
