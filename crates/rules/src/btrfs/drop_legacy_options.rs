//! Options that the kernel refuses, that do harm at each mount, or that change nothing.

use machine::btrfs_options::filesystem_wide;
use source::Origin;

use super::{edit, known_options, listed, without, written};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "btrfs-drop-legacy-options",
    summary: "mount options that the kernel refuses, or that change nothing",
    page: include_str!("drop_legacy_options.md"),
    severity: Severity::Info,
    check: Check::Btrfs(check),
    sources: &[
        super::MOUNT_OPTIONS,
        Source::new(
            "btrfs, changes by kernel version (6.2, 6.7, 6.8, 6.16)",
            "https://btrfs.readthedocs.io/en/latest/Kernel-by-version.html",
        ),
        Source::new(
            "mkfs.btrfs(8): features and their defaults",
            "https://btrfs.readthedocs.io/en/latest/mkfs.btrfs.html",
        ),
    ],
    verified: "Linux 6.18, btrfs-progs 6.19",
};

/// What an option does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    /// Nothing.
    Nothing,
    /// Work or a risk at each mount.
    Harm,
    /// The mount fails.
    Refused,
}

/// One option to drop.
struct Legacy<'a> {
    option: MountOption<'a>,
    text: String,
    effect: Effect,
    /// A remark at its place.
    label: String,
    /// Why, as a sentence.
    because: &'static str,
    /// What comes in its place.
    instead: Option<&'static str>,
    /// Whether it stands in the list once more, after this place.
    again: bool,
    /// Whether it is certain.
    confidence: Confidence,
}

/// What is to be dropped from the list of one mount.
struct List<'a> {
    mount: BtrfsMount<'a>,
    found: Vec<Legacy<'a>>,
}

fn check(btrfs: Btrfs<'_>) -> Known<Verdict> {
    let mounts = btrfs.mounts();
    let deciding = btrfs.deciding_mounts();
    let mut missing = None;
    let mut lists: Vec<List<'_>> = Vec::new();
    for mount in mounts.iter().filter(|it| it.options().unknown.is_none()) {
        let decides = deciding.iter().any(|it| it.mountpoint() == mount.mountpoint());
        let wide = filesystem_wide(&mount.options().list);
        let mut found: Vec<Legacy<'_>> = Vec::new();
        let options: Vec<_> = mount.options().iter().collect();
        for (index, option) in options.iter().enumerate() {
            // What a later option undoes is told by btrfs-uniform-fs-options.
            if wide.cancelled.iter().any(|it| it.option == *option) {
                continue;
            }
            match legacy(btrfs, mount, option, decides) {
                Ok(Some(it)) => found.push(it),
                Ok(None) => {
                    let text = written(option);
                    let rest = options.get(index + 1..).unwrap_or(&[]);
                    if rest.iter().any(|later| written(later) == text) {
                        found.push(nothing(
                            *option,
                            "stands in the list once more".to_owned(),
                            REPEATED,
                            true,
                        ));
                    }
                }
                Err(fact) => {
                    missing.get_or_insert(fact);
                }
            }
        }
        if !found.is_empty() {
            lists.push(List { mount: *mount, found });
        }
    }
    if lists.is_empty() {
        known_options(&mounts)?;
        return match missing {
            Some(fact) => Err(fact),
            None if mounts.is_empty() => Ok(NotApplicable),
            None => Ok(Clear),
        };
    }
    Ok(finding(btrfs, &lists))
}

const DETECTED: &str = "the kernel switches `ssd` on by itself where the disk does not rotate";
const FREE_SPACE_TREE: &str = "a filesystem that has a free space tree uses it unasked, and every one has that was made with btrfs-progs 5.15 or later or was mounted once with `space_cache=v2`";
const IMPLIED: &str = "`noatime` covers folders too, and stands above `relatime`";
const DISKO_ADDS: &str = "disko appends `subvol=` with the subvolume's name to its options";
const ASYNC_UNASKED: &str =
    "since Linux 6.2 btrfs discards asynchronously without being asked wherever the disk can";
const REPEATED: &str = "an option that stands twice in one list counts once";
const REMOVED: &str = "a kernel that does not know an option refuses the whole mount: what needs the filesystem does not start, and with `/` on it the machine does not boot";
const LATER_MOUNT: &str = "only the options of the subvolume that is mounted first are looked at";

/// An option that changes nothing.
fn nothing<'a>(option: MountOption<'a>, label: String, because: &'static str, again: bool) -> Legacy<'a> {
    Legacy {
        option,
        text: written(&option),
        effect: Effect::Nothing,
        label,
        because,
        instead: None,
        again,
        confidence: Confidence::Certain,
    }
}

/// What is to be said of one option, if anything.
///
/// # Errors
/// [`Missing`] when it depends on the kernel and that is not known.
fn legacy<'a>(
    btrfs: Btrfs<'a>,
    mount: &BtrfsMount<'a>,
    option: &MountOption<'a>,
    decides: bool,
) -> Known<Option<Legacy<'a>>> {
    let options = mount.options();
    let kernel = btrfs.machine().facts.versions.kernel.as_ref();
    let idle = |label: &str, because| Ok(Some(nothing(*option, label.to_owned(), because, false)));
    match (option.key, option.value) {
        ("ssd", None) => {
            let rotates = |media: &Vec<(_, Sourced<Media>, _)>| {
                media.iter().all(|(_, media, _)| media.value == Media::Hdd)
            };
            if btrfs.media().as_ref().is_ok_and(rotates) {
                idle("not for a rotating disk, and no gain on others", DETECTED)
            } else {
                idle("the kernel detects it", DETECTED)
            }
        }
        ("space_cache", Some("v2")) => {
            // Where the old cache is in use, this option is what converts it.
            if lives_with_v1(btrfs, mount) {
                Ok(None)
            } else {
                idle("what the kernel does unasked", FREE_SPACE_TREE)
            }
        }
        ("nodiratime", None) if options.has("noatime") => idle("covered by `noatime`", IMPLIED),
        ("relatime", None) if options.has("noatime") => idle("`noatime` wins over it", IMPLIED),
        ("subvol", Some(name)) => Ok(subvolume(mount, *option, name)),
        ("discard", Some("async")) => match kernel {
            Some(kernel) if kernel.value.at_least(6, 2) => idle("what the kernel does unasked", ASYNC_UNASKED),
            Some(_) => Ok(None),
            None => Err(Missing::new(
                "the version of the kernel: since Linux 6.2 `discard=async` is what btrfs does unasked",
                "`uname -a > versions.txt`",
            )),
        },
        ("space_cache" | "nospace_cache", _) if !decides => idle("ignored: not mounted first", LATER_MOUNT),
        ("space_cache", None | Some("v1")) if lives_with_v1(btrfs, mount) => Ok(Some(Legacy {
            option: *option,
            text: written(option),
            effect: Effect::Harm,
            label: "keeps the free space in the old format".to_owned(),
            because: "the first version of the free space cache slows down badly on filesystems of many terabytes, and Linux 6.18 warns that it will be removed",
            instead: Some("space_cache=v2"),
            again: false,
            confidence: Confidence::Certain,
        })),
        ("space_cache", None | Some("v1")) | ("nospace_cache", None) => Ok(Some(Legacy {
            option: *option,
            text: written(option),
            effect: Effect::Refused,
            label: "refused where the filesystem has a free space tree, as all have that btrfs-progs 5.15 or later made".to_owned(),
            because: "with a free space tree the mount fails (\"cannot disable free-space-tree\"), because these options ask for the format before it",
            instead: None,
            again: false,
            confidence: Confidence::Likely,
        })),
        ("clear_cache" | "rescan_uuid_tree", None) if !decides => idle("ignored: not mounted first", LATER_MOUNT),
        ("clear_cache", None) => harm(*option, "builds the free space tree anew at every mount", "`clear_cache` is for one mount, after the free space tree was damaged; left in the list it makes every boot wait"),
        ("rescan_uuid_tree", None) => harm(*option, "checks the whole UUID tree at every mount", "`rescan_uuid_tree` is for one mount, after the tree was damaged"),
        ("usebackuproot", None) => harm(*option, "is a rescue option, and deprecated", "`usebackuproot` is for one mount of a damaged filesystem: left in the list it silently takes an older state when the newest cannot be read; Linux 6.18 calls it deprecated in favour of `rescue=usebackuproot`"),
        (key, _) => Ok(removed(key).map(|(major, minor)| refused(btrfs, *option, options, major, minor))),
    }
}

fn harm<'a>(option: MountOption<'a>, label: &str, because: &'static str) -> Known<Option<Legacy<'a>>> {
    Ok(Some(Legacy {
        option,
        text: written(&option),
        effect: Effect::Harm,
        label: label.to_owned(),
        because,
        instead: None,
        again: false,
        confidence: Confidence::Certain,
    }))
}

/// The version of Linux that refuses an option it once knew.
///
/// From "changes by kernel version"; each was tried on Linux 6.18. `norecovery` never worked on
/// a mount that can be written to.
fn removed(key: &str) -> Option<(u64, u64)> {
    Some(match key {
        "check_int" | "check_int_data" | "check_int_print_mask" => (6, 7),
        "inode_cache" | "noinode_cache" | "recovery" | "alloc_start" | "subvolrootid" => (6, 8),
        "nologreplay" => (6, 16),
        "norecovery" => (4, 5),
        _ => return None,
    })
}

fn refused<'a>(
    btrfs: Btrfs<'_>,
    option: MountOption<'a>,
    options: &MountOptions,
    major: u64,
    minor: u64,
) -> Legacy<'a> {
    let kernel = btrfs.machine().facts.versions.kernel.as_ref();
    let text = written(&option);
    let (effect, label, confidence) = match (option.key, kernel) {
        ("norecovery", _) if options.has("ro") => (
            Effect::Harm,
            "leaves what was written last unread".to_owned(),
            Confidence::Certain,
        ),
        ("norecovery", _) => (
            Effect::Refused,
            "refused on a mount that can be written to".to_owned(),
            Confidence::Certain,
        ),
        (_, Some(kernel)) if kernel.value.at_least(major, minor) => (
            Effect::Refused,
            format!("Linux {} does not know it", kernel.value),
            Confidence::Certain,
        ),
        (_, Some(kernel)) => (
            Effect::Harm,
            format!(
                "is still taken by Linux {}; {major}.{minor} and later refuse the mount",
                kernel.value
            ),
            Confidence::Certain,
        ),
        (_, None) => (
            Effect::Refused,
            format!("Linux {major}.{minor} and later do not know it"),
            Confidence::Likely,
        ),
    };
    Legacy {
        option,
        text,
        effect,
        label,
        because: if option.key == "norecovery" {
            "`norecovery` leaves the log of the last seconds unread, so that the kernel takes it only together with `ro`"
        } else {
            REMOVED
        },
        instead: None,
        again: false,
        confidence,
    }
}

/// An explicit `subvol=` where disko appends its own.
fn subvolume<'a>(mount: &BtrfsMount<'_>, option: MountOption<'a>, name: &str) -> Option<Legacy<'a>> {
    let appended = mount.mount.options.get(mount.options().list.len()..)?;
    let own = appended.iter().find_map(|it| it.value.strip_prefix("subvol="))?;
    let bare = |name: &str| name.trim_matches('/').to_owned();
    if bare(own) == bare(name) {
        return Some(nothing(
            option,
            "disko adds it by itself".to_owned(),
            DISKO_ADDS,
            false,
        ));
    }
    Some(Legacy {
        effect: Effect::Harm,
        ..nothing(
            option,
            format!("has no effect: disko appends `subvol={own}`, and the last one counts"),
            DISKO_ADDS,
            false,
        )
    })
}

/// Whether the filesystem is mounted with the first version of the free space cache right now.
fn lives_with_v1(btrfs: Btrfs<'_>, mount: &BtrfsMount<'_>) -> bool {
    let live = btrfs.machine().facts.mount_at(mount.mountpoint());
    live.is_some_and(|it| it.has("space_cache") || it.has("space_cache=v1"))
}

fn finding(btrfs: Btrfs<'_>, lists: &[List<'_>]) -> Verdict {
    let mut all: Vec<(&BtrfsMount<'_>, &Legacy<'_>)> = lists
        .iter()
        .flat_map(|list| list.found.iter().map(|it| (&list.mount, it)))
        .collect();
    all.sort_by_key(|(_, it)| std::cmp::Reverse((it.effect, it.confidence)));
    let texts = |which: &dyn Fn(&Legacy<'_>) -> bool| -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for (_, it) in all.iter().filter(|(_, it)| which(it)) {
            let text = format!("`{}`", it.text);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    };
    let Some((first_mount, worst)) = all.first() else {
        return Clear;
    };
    let is_cache = |it: &Legacy<'_>| it.option.key.ends_with("space_cache");
    let refused = texts(&|it| it.effect == Effect::Refused && !is_cache(it));
    let old_cache = texts(&|it| it.effect == Effect::Refused && is_cache(it));
    let harm = texts(&|it| it.effect == Effect::Harm);
    let nothing = texts(&|it| it.effect == Effect::Nothing && !it.again);
    let twice = texts(&|it| it.again);
    let one_or_more =
        |count: usize, one: &'static str, more: &'static str| if count == 1 { one } else { more };
    let mut parts: Vec<String> = Vec::new();
    if !refused.is_empty() {
        let certain = all
            .iter()
            .any(|(_, it)| it.effect == Effect::Refused && it.confidence == Confidence::Certain);
        let subject = if certain {
            "the kernel refuses"
        } else {
            "current kernels refuse"
        };
        parts.push(format!(
            "{subject} to mount the filesystem with {}",
            listed(&refused)
        ));
    }
    if !old_cache.is_empty() {
        parts.push(format!(
            "a filesystem that a current mkfs.btrfs made cannot be mounted with {}",
            listed(&old_cache)
        ));
    }
    if harm.len() == 1 && parts.is_empty() {
        parts.push(format!(
            "{} on {} {}",
            listed(&harm),
            first_mount.mountpoint(),
            worst.label
        ));
    } else if !harm.is_empty() {
        let verb = one_or_more(harm.len(), "does", "do");
        parts.push(format!("{} {verb} more harm than good", listed(&harm)));
    }
    if !nothing.is_empty() {
        let subject = one_or_more(nothing.len(), "the mount option", "the mount options");
        let verb = one_or_more(nothing.len(), "changes", "change");
        parts.push(format!("{subject} {} {verb} nothing", listed(&nothing)));
    }
    if !twice.is_empty() {
        let verb = one_or_more(twice.len(), "stands", "stand");
        parts.push(format!("{} {verb} twice in one list", listed(&twice)));
    }
    let mut draft =
        Draft::new(btrfs.subject(), parts.join("; ")).at(&worst.option.element.origin, &*worst.label);
    let mut shown: Vec<(&Origin, &str)> = vec![(&worst.option.element.origin, &worst.label)];
    for (_, it) in all.iter().skip(1) {
        let place = (&it.option.element.origin, &*it.label);
        if !shown.contains(&place) {
            shown.push(place);
            draft = draft.and(place.0, place.1);
        }
    }
    if let Some(live) = all.iter().find_map(|(mount, it)| {
        it.instead?;
        let live = btrfs.machine().facts.mount_at(mount.mountpoint())?;
        live.options.iter().find(|it| it.value.starts_with("space_cache"))
    }) {
        draft = draft.and(&live.origin, "the old format is in use right now");
    }
    let mut reasons: Vec<&'static str> = Vec::new();
    for (_, it) in &all {
        if !reasons.contains(&it.because) {
            reasons.push(it.because);
        }
    }
    let Some((first, rest)) = reasons.split_first() else {
        return Clear;
    };
    let mut argued = draft.because(*first);
    for reason in rest {
        argued = argued.because(*reason);
    }
    let (severity, reach) = match worst.effect {
        Effect::Refused => (Severity::Error, EditReach::Reboot),
        Effect::Harm => (Severity::Warning, EditReach::Reboot),
        Effect::Nothing => (Severity::Info, EditReach::Remount),
    };
    argued = argued.cost(if all.iter().any(|(_, it)| it.instead.is_some()) {
        "the first mount with `space_cache=v2` builds the tree, which takes minutes on a large filesystem"
    } else if worst.effect == Effect::Nothing {
        "none: the kernel does the same by itself"
    } else {
        "none: no filesystem needs the option to be mounted"
    });
    argued
        .severity(severity)
        .confidence(worst.confidence)
        .verify(format!(
            "after the next boot: findmnt -no OPTIONS {}",
            first_mount.mountpoint()
        ))
        .rollback("put the options back")
        .change(reach, lists.iter().map(changes))
}

/// The edit of one list.
fn changes(list: &List<'_>) -> LayoutEdit {
    let (again, rest): (Vec<_>, Vec<_>) = list.found.iter().partition(|it| it.again);
    let gone: Vec<String> = rest
        .iter()
        .filter(|it| it.instead.is_none())
        .map(|it| it.text.clone())
        .collect();
    let mut edits = without(&list.mount, &gone);
    edits.extend(rest.iter().filter_map(|it| {
        Some(ListEdit::Replace {
            option: it.text.clone(),
            with: it.instead?.to_owned(),
        })
    }));
    edits.extend(
        again
            .iter()
            .map(|it| it.text.clone())
            .filter(|it| !gone.contains(it))
            .map(ListEdit::Once),
    );
    edit(list.mount.options(), edits)
}
