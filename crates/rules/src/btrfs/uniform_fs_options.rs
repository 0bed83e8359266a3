//! Options that are declared, but are not what the filesystem is mounted with.

use std::sync::Arc;

use machine::btrfs_options::{self, Applied, FilesystemWide, filesystem_wide};
use source::Origin;

use super::{edit, known_options, listed, without, worthwhile, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-uniform-fs-options",
    summary: "mount options that are declared but not in effect",
    page: include_str!("uniform_fs_options.md"),
    severity: Severity::Warning,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "disko, lib/types/btrfs.nix: which mountOptions are used",
            "https://github.com/nix-community/disko/blob/master/lib/types/btrfs.nix",
        ),
        Source::new(
            "systemd.mount(5): the order of mount units",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.mount.html",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19, disko 878ec37",
};

/// Settings of which other rules speak, or that are read at a mount and not kept.
const NOT_COMPARED: [&str; 10] = [
    "barrier",
    "check_int",
    "clear_cache",
    "datacow",
    "datasum",
    "fragment",
    "inode_cache",
    "obsolete",
    "ref_verify",
    "rescue",
];

/// Settings that are good for every subvolume when they were written for the filesystem.
/// The others of a list that nothing mounts are better left unused, or are defaults.
const WORTH_MOVING: [&str; 7] = [
    "acl",
    "autodefrag",
    "commit",
    "compress",
    "flushoncommit",
    "max_inline",
    "user_subvol_rm_allowed",
];

/// What was found, gathered into one finding for the filesystem.
#[derive(Default)]
struct Found<'a> {
    /// The places and remarks, the main one first.
    places: Vec<(&'a Origin, String)>,
    /// The options without effect, with where they stand and how many they are:
    /// "`commit=120` on /home".
    idle: Vec<(String, usize)>,
    /// Why the last of them has none.
    why_idle: String,
    /// What depends on the order of the boot.
    by_chance: Vec<String>,
    because: Vec<&'static str>,
    costs: Vec<&'static str>,
    edits: Vec<LayoutEdit>,
    /// What is mounted right now, where it agrees.
    live: Vec<(&'a Origin, String)>,
}

const FIRST_COUNTS: &str = "of the subvolumes of one filesystem the first that is mounted decides: `compress`, `autodefrag`, `commit`, `discard` and most other options of btrfs hold for the whole filesystem, and later mounts are ignored without a word";
const AFTER_SWITCH: &str = "after `nixos-rebuild switch` it can look as if the option worked, because the switch remounts the subvolume and a remount changes the whole filesystem; the next boot undoes it";
const LAST_COUNTS: &str =
    "options of one list are read in order, and a later one undoes an earlier one of the same kind";
const NO_ORDER: &str = "systemd mounts siblings in no certain order, and the first one decides for the whole filesystem, so that the options can change from one boot to the next";
const TOP_LEVEL_UNUSED: &str = "disko uses the `mountOptions` of the filesystem only for its own `mountpoint`, and it has none; subvolumes do not inherit them";
const SUBVOLUME_UNUSED: &str =
    "a subvolume without `mountpoint` is not mounted, so that its `mountOptions` are not used";

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let mut found = Found::default();
    let known: Vec<BtrfsMount<'_>> = mounts
        .iter()
        .filter(|mount| mount.options().unknown.is_none())
        .copied()
        .collect();

    undone_in_one_list(&mut found, &known);
    let deciding = btrfs.deciding_mounts();
    if known_options(&deciding).is_ok() {
        match deciding.as_slice() {
            [] => {}
            [first] => ignored_on_later_mounts(&mut found, btrfs, first, &known),
            candidates => by_chance(&mut found, candidates, &known),
        }
    }
    lists_that_nothing_mounts(&mut found, btrfs, &known);

    if found.places.is_empty() {
        known_options(&mounts)?;
        return Ok(if mounts.is_empty() { NotApplicable } else { Clear });
    }
    Ok(found.finish(btrfs, &mounts))
}

impl<'a> Found<'a> {
    /// An option that has no effect where it stands, and what to say of it there.
    fn idle(&mut self, origin: &'a Origin, option: &str, on: &str, label: String, why: impl Into<String>) {
        // A list that several subvolumes share is shown once.
        let seen = |(known, text): &(&Origin, String)| known.span() == origin.span() && *text == label;
        if origin.span().is_none() || !self.places.iter().any(seen) {
            self.places.push((origin, label));
        }
        self.idle.push((format!("`{option}` {on}"), 1));
        self.why_idle = why.into();
    }

    fn reason(&mut self, reason: &'static str) {
        if !self.because.contains(&reason) {
            self.because.push(reason);
        }
    }

    fn cost(&mut self, cost: &'static str) {
        if !self.costs.contains(&cost) {
            self.costs.push(cost);
        }
    }

    fn finish(self, btrfs: Btrfs<'_>, mounts: &[BtrfsMount<'_>]) -> Verdict {
        let mut parts = self.by_chance.clone();
        match self.idle.as_slice() {
            [] => {}
            [(only, count)] => {
                let verb = if *count == 1 { "has" } else { "have" };
                parts.push(format!("{only} {verb} no effect: {}", self.why_idle));
            }
            several => {
                let count: usize = several.iter().map(|(_, count)| count).sum();
                let names: Vec<&String> = several.iter().map(|(name, _)| name).collect();
                parts.push(format!(
                    "{count} mount options have no effect: {}",
                    listed(&names)
                ));
            }
        }
        let mut places = self.places.into_iter().chain(self.live);
        let draft = Draft::new(btrfs.subject(), parts.join("; "));
        let Some((origin, label)) = places.next() else {
            return Clear;
        };
        let mut placed = draft.at(origin, label);
        for (origin, label) in places {
            placed = placed.and(origin, label);
        }
        let (first, rest) = self.because.split_first().unwrap_or((&FIRST_COUNTS, &[]));
        let mut argued = placed.because(*first);
        for reason in rest {
            argued = argued.because(*reason);
        }
        for cost in self.costs {
            argued = argued.cost(cost);
        }
        if let Some(mount) = btrfs.deciding_mounts().first().or(mounts.first()) {
            argued = argued.verify(format!(
                "after the next boot: findmnt -no OPTIONS {}",
                mount.mountpoint()
            ));
        }
        argued
            .rollback("revert the edit and switch to the configuration again")
            .change(EditReach::Remount, merged(self.edits))
    }
}

/// The edits of one list as one edit, each change once.
fn merged(edits: Vec<LayoutEdit>) -> Vec<LayoutEdit> {
    let mut all: Vec<LayoutEdit> = Vec::new();
    for new in edits {
        let same = all.iter_mut().find_map(|known| match (known, &new) {
            (LayoutEdit::Options { list, edits }, LayoutEdit::Options { list: path, .. }) if list == path => {
                Some(edits)
            }
            _ => None,
        });
        match (same, new) {
            (Some(known), LayoutEdit::Options { edits, .. }) => {
                for edit in edits {
                    if !known.contains(&edit) {
                        known.push(edit);
                    }
                }
            }
            (_, new) => all.push(new),
        }
    }
    all
}

/// Options that a later one of the same list undoes.
fn undone_in_one_list<'a>(found: &mut Found<'a>, mounts: &[BtrfsMount<'a>]) {
    for mount in mounts {
        let wide = filesystem_wide(&mount.options().list);
        let stays: Vec<String> = wide.settings.iter().map(|it| written(&it.option)).collect();
        let mut gone: Vec<String> = Vec::new();
        for undone in &wide.cancelled {
            let concerns_cow =
                |it: &MountOption<'_>| matches!(it.key, "nodatacow" | "datacow" | "nodatasum" | "datasum");
            let (option, by) = (written(&undone.option), written(&undone.by));
            if concerns_cow(&undone.option) || concerns_cow(&undone.by) || stays.contains(&option) {
                continue;
            }
            found.idle(
                &undone.option.element.origin,
                &option,
                &format!("on {}", mount.mountpoint()),
                format!("has no effect: `{by}` after it undoes it"),
                format!("`{by}` stands after it in the same list and undoes it"),
            );
            found.reason(LAST_COUNTS);
            if !gone.contains(&option) {
                gone.push(option);
            }
        }
        if !gone.is_empty() {
            let edits = without(mount, &gone);
            found.edits.push(edit(mount.options(), edits));
        }
    }
}

/// Options of later mounts that are not what the first mount asks for.
fn ignored_on_later_mounts<'a>(
    found: &mut Found<'a>,
    btrfs: Btrfs<'a>,
    first: &BtrfsMount<'a>,
    mounts: &[BtrfsMount<'a>],
) {
    let effective = filesystem_wide(&first.options().list);
    let mut shown: Vec<&'static str> = Vec::new();
    for mount in mounts {
        if mount.device.id == first.device.id && mount.mountpoint() == first.mountpoint() {
            continue;
        }
        let mut gone = Vec::new();
        let mut edits = Vec::new();
        for declared in filesystem_wide(&mount.options().list).settings {
            if !is_ignored(&declared, &effective) || already_so(mount, &declared) {
                continue;
            }
            let option = written(&declared.option);
            let decides = effective.get(declared.setting);
            let label = match decides {
                Some(it) => format!(
                    "has no effect: {} is mounted first, with `{}`",
                    first.mountpoint(),
                    written(&it.option)
                ),
                None => format!(
                    "has no effect: {} is mounted first, without `{}`",
                    first.mountpoint(),
                    declared.option.key
                ),
            };
            found.idle(
                &declared.option.element.origin,
                &option,
                &format!("on {}", mount.mountpoint()),
                label,
                format!(
                    "{} is mounted first and decides for the whole filesystem",
                    first.mountpoint()
                ),
            );
            found.reason(FIRST_COUNTS);
            found.reason(AFTER_SWITCH);
            live(found, btrfs, mount, &declared, decides);
            match decides {
                None => {
                    found.cost("if the option was meant for the whole filesystem, put it on the subvolume that is mounted first instead");
                    gone.push(option);
                }
                // Who asks for "off" here does not mean to ask for what is on.
                Some(_) if declared.value == "off" => gone.push(option),
                Some(it) => {
                    let wanted = worthwhile(mounts, &it.option);
                    for (mount, from) in [(mount, &option), (first, &written(&it.option))] {
                        if *from != wanted {
                            let replace = ListEdit::Replace {
                                option: from.clone(),
                                with: wanted.clone(),
                            };
                            found.edits.push(edit(mount.options(), vec![replace]));
                        }
                    }
                    if !shown.contains(&it.setting) {
                        shown.push(it.setting);
                    }
                }
            }
        }
        edits.extend(without(mount, &gone));
        if !edits.is_empty() {
            found.edits.push(edit(mount.options(), edits));
        }
    }
    for setting in shown {
        if let Some(it) = effective.get(setting) {
            found.places.push((
                &it.option.element.origin,
                "in effect on every subvolume".to_owned(),
            ));
        }
    }
}

/// Whether a subvolume is as its option says, for another reason: swap files are never compressed,
/// because they are not copied on write.
fn already_so(mount: &BtrfsMount<'_>, declared: &Applied<'_>) -> bool {
    let swaps = matches!(&mount.device.kind, Kind::Subvolume(it) if !it.swap_files.is_empty());
    swaps && declared.setting == "compress" && declared.value == "off"
}

/// Whether a setting of a later mount is something else than what the first mount leaves in effect,
/// and no other rule speaks of it.
fn is_ignored(declared: &Applied<'_>, effective: &FilesystemWide<'_>) -> bool {
    let setting = declared.setting;
    let decides = effective.get(setting);
    let without_checksums = ["datacow", "datasum"]
        .iter()
        .any(|it| effective.get(it).is_some_and(|it| it.value == "off"));
    match setting {
        _ if NOT_COMPARED.contains(&setting) => false,
        // A first mount that says nothing: btrfs-compress-missing-on-root. One that turns checksums
        // off: btrfs-nocow-never-global.
        "compress" if without_checksums || (decides.is_none() && declared.value != "off") => false,
        // btrfs-discard-async
        "discard" if decides.is_some_and(|it| it.value == "sync") => false,
        // btrfs-drop-legacy-options: the first mount is refused.
        "space_cache" if decides.is_some_and(|it| it.value != "v2") || declared.value != "v2" => false,
        _ => match decides {
            Some(it) => it.value != declared.value,
            None => !is_default(declared),
        },
    }
}

/// Whether a setting is what the kernel does unasked. What it finds out by itself (`ssd`, asynchronous
/// discard) counts as that.
fn is_default(it: &Applied<'_>) -> bool {
    matches!(
        (it.setting, &*it.value),
        ("acl" | "treelog" | "ssd" | "datacow" | "datasum", "on")
            | (
                "autodefrag"
                    | "compress"
                    | "enospc_debug"
                    | "flushoncommit"
                    | "ssd_spread"
                    | "sync"
                    | "lazytime"
                    | "iversion",
                "off"
            )
            | ("commit", "30")
            | ("discard", "async")
            | ("space_cache", "v2")
    )
}

/// What is mounted right now, where it agrees that the option is not in effect: after a
/// `nixos-rebuild switch` it may look as if it were, until the next boot.
fn live<'a>(
    found: &mut Found<'a>,
    btrfs: Btrfs<'a>,
    mount: &BtrfsMount<'a>,
    declared: &Applied<'a>,
    decides: Option<&Applied<'a>>,
) {
    let Some(live) = btrfs.machine().facts.mount_at(mount.mountpoint()) else {
        return;
    };
    let mounted = live
        .options
        .iter()
        .find(|option| option_setting(&option.value) == Some(declared.setting));
    let now = filesystem_wide(&live.options);
    let value = now.get(declared.setting).map(|it| &*it.value);
    match (mounted, decides) {
        (Some(option), Some(it)) if value == Some(&*it.value) => {
            let text = format!("mounted with `{}` right now", option.value);
            found.live.push((&option.origin, text));
        }
        (None, None) => {
            let text = format!("mounted without `{}` right now", declared.option.key);
            found.live.push((&live.source.origin, text));
        }
        _ => {}
    }
}

/// The setting of an option with or without a value.
fn option_setting(option: &str) -> Option<&'static str> {
    btrfs_options::setting(option.split('=').next().unwrap_or_default())
}

/// Settings on which the mounts that may come first do not agree.
fn by_chance<'a>(found: &mut Found<'a>, candidates: &[BtrfsMount<'a>], mounts: &[BtrfsMount<'a>]) {
    let wides: Vec<_> = candidates
        .iter()
        .map(|mount| (mount, filesystem_wide(&mount.options().list)))
        .collect();
    let mut settings: Vec<&'static str> = Vec::new();
    for (_, wide) in &wides {
        for it in &wide.settings {
            if !settings.contains(&it.setting) && !NOT_COMPARED.contains(&it.setting) {
                settings.push(it.setting);
            }
        }
    }
    let without_checksums = |wide: &FilesystemWide<'_>| {
        ["datacow", "datasum"]
            .iter()
            .any(|it| wide.get(it).is_some_and(|it| it.value == "off"))
    };
    for setting in settings {
        let answers: Vec<_> = wides
            .iter()
            .map(|(mount, wide)| (*mount, wide.get(setting).cloned()))
            .collect();
        let values: Vec<_> = answers
            .iter()
            .map(|(_, it)| it.as_ref().filter(|it| !is_default(it)).map(|it| &*it.value))
            .collect();
        if values.windows(2).all(|pair| pair.first() == pair.last()) {
            continue;
        }
        let told_elsewhere = match setting {
            "compress" => {
                answers.iter().any(|(_, it)| it.is_none())
                    || wides.iter().any(|(_, wide)| without_checksums(wide))
            }
            "discard" => values.contains(&Some("sync")),
            "space_cache" => true,
            _ => false,
        };
        if told_elsewhere {
            continue;
        }
        let Some(wanted) = most_asked(mounts, setting) else {
            continue;
        };
        let key = wanted.split('=').next().unwrap_or_default().to_owned();
        let names: Vec<_> = candidates.iter().map(BtrfsMount::mountpoint).collect();
        found.by_chance.push(format!(
            "what `{key}` is depends on which of {} is mounted first",
            listed(&names)
        ));
        found.reason(NO_ORDER);
        for (mount, answer) in &answers {
            match answer {
                Some(it) => found.places.push((
                    &it.option.element.origin,
                    format!("in effect only if {} is mounted first", mount.mountpoint()),
                )),
                None => found.places.push((
                    &mount.mount.mountpoint.origin,
                    format!("may be mounted first, without `{key}`"),
                )),
            }
        }
        for mount in mounts {
            let wide = filesystem_wide(&mount.options().list);
            let is_candidate = candidates.iter().any(|it| it.device.id == mount.device.id);
            let change = match wide.get(setting).map(|it| written(&it.option)) {
                None if is_candidate => ListEdit::Add(wanted.clone()),
                Some(option) if option != wanted => ListEdit::Replace {
                    option,
                    with: wanted.clone(),
                },
                None | Some(_) => continue,
            };
            found.edits.push(edit(mount.options(), vec![change]));
        }
        found.cost("the option that most subvolumes ask for comes to hold for all of them");
    }
}

/// What most mounts ask for, of equally many the first; a zstd level at a price worth paying.
fn most_asked(mounts: &[BtrfsMount<'_>], setting: &str) -> Option<String> {
    let asked: Vec<MountOption<'_>> = mounts
        .iter()
        .filter_map(|mount| Some(filesystem_wide(&mount.options().list).get(setting)?.option))
        .collect();
    let count = |text: &str| asked.iter().filter(|it| written(it) == text).count();
    let best = asked.iter().rev().max_by_key(|option| count(&written(option)))?;
    Some(worthwhile(mounts, best))
}

/// Lists of options that disko does not use because nothing is mounted with them.
fn lists_that_nothing_mounts<'a>(found: &mut Found<'a>, btrfs: Btrfs<'a>, mounts: &[BtrfsMount<'a>]) {
    let Some(filesystem) = btrfs.device else { return };
    let layout = &btrfs.machine().layout;
    let nodes = std::iter::once(filesystem).chain(layout.children(filesystem.id));
    for device in nodes {
        let (options, mountpoint, name): (_, _, Option<&Arc<str>>) = match &device.kind {
            Kind::Btrfs(it) => (&it.mount_options, &it.mountpoint, None),
            Kind::Subvolume(it) => (&it.mount_options, &it.mountpoint, Some(&it.name)),
            _ => continue,
        };
        let unknown =
            layout.unknown_at(&device.path.join("mountpoint")).is_some() || options.unknown.is_some();
        let mounted = mountpoint.is_some() || layout.mounts_of(device.id).next().is_some();
        let says_something = options.iter().any(|option| option.key != "defaults");
        if unknown || mounted || !options.written || !says_something {
            continue;
        }
        let on = match name {
            None => "of the filesystem itself".to_owned(),
            Some(name) => format!("of the subvolume {name}"),
        };
        let texts: Vec<String> = options.iter().map(|it| format!("`{}`", written(&it))).collect();
        found.places.push((
            &options.place.origin,
            match name {
                None => "used nowhere: the filesystem has no `mountpoint` of its own".to_owned(),
                Some(_) => "used nowhere: the subvolume has no `mountpoint`".to_owned(),
            },
        ));
        found.idle.push((format!("{} {on}", listed(&texts)), texts.len()));
        match name {
            None => {
                found.why_idle = "it has no `mountpoint` of its own".to_owned();
                found.reason(TOP_LEVEL_UNUSED);
                let moved = moved(options, mounts);
                if !moved.is_empty() {
                    found.cost("the options come into effect on the subvolumes for the first time");
                }
                found.edits.extend(moved);
            }
            Some(_) => {
                found.why_idle = "it has no `mountpoint` and is not mounted by itself".to_owned();
                found.reason(SUBVOLUME_UNUSED);
                found.cost("if the subvolume was meant to be mounted, give it a `mountpoint` instead");
            }
        }
        found.edits.push(LayoutEdit::Unset {
            path: options.place.path.clone(),
        });
    }
}

/// The edits that give the mounted subvolumes what was written for the filesystem and no subvolume
/// says otherwise.
fn moved(options: &MountOptions, mounts: &[BtrfsMount<'_>]) -> Vec<LayoutEdit> {
    const ACCESS_TIMES: [&str; 5] = ["noatime", "relatime", "atime", "strictatime", "ro"];
    let wide = filesystem_wide(&options.list);
    let mut adds: Vec<String> = Vec::new();
    for it in wide.settings.iter().filter(|it| !is_default(it)) {
        let said = mounts
            .iter()
            .any(|mount| filesystem_wide(&mount.options().list).get(it.setting).is_some());
        if said || !WORTH_MOVING.contains(&it.setting) {
            continue;
        }
        adds.push(worthwhile(mounts, &it.option));
    }
    let noatime = options.has("noatime");
    mounts
        .iter()
        .filter_map(|mount| {
            let mut edits: Vec<_> = adds.iter().cloned().map(ListEdit::Add).collect();
            if noatime && mount.options().last(&ACCESS_TIMES).is_none() {
                edits.push(ListEdit::Add("noatime".to_owned()));
            }
            (!edits.is_empty()).then(|| edit(mount.options(), edits))
        })
        .collect()
}
