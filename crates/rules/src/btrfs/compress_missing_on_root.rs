//! Compression that is asked for, but not where it counts.

use machine::btrfs_options::{Compression, filesystem_wide};

use super::{compression, known_options, worthwhile, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-compress-missing-on-root",
    summary: "compression is asked for on a subvolume whose options do not count",
    page: include_str!("compress_missing_on_root.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "disko#331: compress on a subvolume is ignored",
            "https://github.com/nix-community/disko/issues/331",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// A mount that asks for compression: the option, and what it says.
type Asking<'a> = (BtrfsMount<'a>, MountOption<'a>, Compression);

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let asking: Vec<Asking<'_>> = mounts
        .iter()
        .filter_map(|mount| compression(mount).map(|(option, compression)| (*mount, option, compression)))
        .collect();
    if asking.is_empty() {
        known_options(&mounts)?;
        return Ok(NotApplicable);
    }
    let deciding = btrfs.deciding_mounts();
    known_options(&deciding)?;
    // What `fileSystems` adds to the layout's own list counts as well.
    let says_nothing = |mount: &&BtrfsMount<'_>| {
        let wide = filesystem_wide(&mount.mount.options);
        ["compress", "datacow", "datasum"]
            .iter()
            .all(|setting| wide.get(setting).is_none())
    };
    let lacking: Vec<_> = deciding.iter().filter(says_nothing).collect();
    let Some(first) = lacking.first() else {
        return Ok(Clear);
    };

    let wanted = wanted(&mounts, &asking);
    let one = deciding.len() == 1;
    let subject = btrfs.subject();
    let message = if one {
        format!(
            "compression is off on the whole filesystem: {} is mounted first and does not ask for it",
            first.mountpoint()
        )
    } else {
        "whether compression is on depends on which subvolume happens to be mounted first".to_owned()
    };
    let mut placed = Draft::new(subject, message).at(
        &first.mount.mountpoint.origin,
        if one {
            "mounted first, without `compress`: this decides for every subvolume"
        } else {
            "may be mounted first, without `compress`"
        },
    );
    for mount in lacking.iter().skip(1) {
        placed = placed.and(
            &mount.mount.mountpoint.origin,
            "may be mounted first, without `compress`",
        );
    }
    for (_, option, _) in &asking {
        let label = if one {
            "has no effect"
        } else {
            "has an effect only if it is mounted first"
        };
        placed = placed.and(&option.element.origin, label);
    }
    // What is mounted now is shown only where it agrees: after a `nixos-rebuild switch` it may look
    // as if the option worked, until the next boot.
    let live = btrfs.machine().facts.mount_at(first.mountpoint());
    if let Some(live) =
        live.filter(|live| live.option("compress").is_none() && live.option("compress-force").is_none())
    {
        placed = placed.and(&live.source.origin, "mounted without `compress` right now");
    }

    let mut edits: Vec<LayoutEdit> = lacking
        .iter()
        .map(|mount| LayoutEdit::Options {
            list: mount.options().place.path.clone(),
            edits: vec![ListEdit::Add(wanted.clone())],
        })
        .collect();
    edits.extend(
        asking
            .iter()
            .filter(|(_, option, _)| written(option) != wanted)
            .map(|(mount, option, _)| LayoutEdit::Options {
                list: mount.options().place.path.clone(),
                edits: vec![ListEdit::Replace {
                    option: written(option),
                    with: wanted.clone(),
                }],
            }),
    );

    let mountpoint = first.mountpoint();
    let mut argued = placed
        .because("btrfs has one compression setting for each filesystem: the options of the subvolume that is mounted first count, those of later ones are ignored without a word")
        .cost("CPU time when data is written; what is on the disk already stays uncompressed until it is rewritten")
        .verify(format!("after the next boot: findmnt -no OPTIONS {mountpoint}"))
        .rollback(format!("remove the option; on the running system also: mount -o remount,compress=no {mountpoint}"));
    if wanted.contains("zstd") {
        argued = argued.impact(Impact::range(
            "space saved on a sample of libraries and text",
            56.0,
            57.0,
            "%",
            ImpactBasis::Lab,
        ));
    }
    Ok(argued.change(EditReach::Remount, edits))
}

/// The option to use everywhere: the one that most subvolumes ask for, of equally many the one of
/// the first mountpoint, at a level that is worth its price.
fn wanted(mounts: &[BtrfsMount<'_>], asking: &[Asking<'_>]) -> String {
    let count = |text: &str| {
        asking
            .iter()
            .filter(|(_, option, _)| written(option) == text)
            .count()
    };
    let mut best: Option<&Asking<'_>> = None;
    for candidate in asking {
        if best.is_none_or(|best| count(&written(&candidate.1)) > count(&written(&best.1))) {
            best = Some(candidate);
        }
    }
    match best {
        Some((_, option, _)) => worthwhile(mounts, option),
        None => "compress=zstd".to_owned(),
    }
}
