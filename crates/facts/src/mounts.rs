//! What is mounted: `/proc/mounts` and `findmnt -J`.

use std::borrow::Cow;
use std::sync::Arc;

use source::Sourced;

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::json::{Doc, Json};

/// A mounted filesystem.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// What is mounted: a device, a dataset, `tmpfs`.
    pub source: Sourced<Arc<str>>,
    /// Where.
    pub mountpoint: Sourced<Arc<str>>,
    /// The filesystem's type.
    pub fstype: Sourced<Arc<str>>,
    /// The options in the kernel's order.
    pub options: Vec<Sourced<Arc<str>>>,
    /// The filesystem's UUID, where `findmnt` told it.
    pub uuid: Fact<Arc<str>>,
}

impl Mount {
    /// Whether an option is set, by its whole text (`noatime`, `compress=zstd:3`).
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|set| &*set.value == option)
    }

    /// What an option with a value is set to: `zstd:3` of `compress=zstd:3`. The last one counts.
    pub fn option(&self, name: &str) -> Option<Sourced<&str>> {
        self.options.iter().rev().find_map(|set| {
            let value = set.value.strip_prefix(name)?.strip_prefix('=')?;
            Some(Sourced::new(value, set.origin.clone()))
        })
    }

    /// The btrfs subvolume, without its leading slash: `home` of `subvol=/home`.
    /// The top level is the empty text.
    pub fn subvolume(&self) -> Option<&str> {
        if &*self.fstype.value != "btrfs" {
            return None;
        }
        self.option("subvol").map(|set| set.value.trim_start_matches('/'))
    }
}

/// The text of a field in which blanks, tabs, line breaks, `\` and `#` stand as octal numbers,
/// as getmntent(3) reads it.
pub(crate) fn unescape(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = match (byte, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'))
            }
            _ => None,
        };
        match octal {
            Some(code) => {
                bytes.push(code);
                rest = after.get(3..).unwrap_or(&[]);
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The most mounts that are kept. Machines with many containers have some ten thousand.
const MOST: usize = 100_000;

/// `/proc/mounts`, see proc_pid_mounts(5).
pub(crate) fn proc_mounts(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut mounts = Vec::new();
    while let Some(line) = lines.next() {
        let fields: Vec<&str> = line.text.split([' ', '\t']).filter(|f| !f.is_empty()).collect();
        let (source, mountpoint, fstype, options) = match fields.as_slice() {
            [] => continue,
            [source, mountpoint, fstype, options, ..] => (*source, *mountpoint, *fstype, *options),
            _ => {
                place.warn(&line, line.text, "not a row of /proc/mounts");
                continue;
            }
        };
        if mounts.len() >= MOST {
            place.tell_file("more than 100000 mounts; the rest is left out");
            break;
        }
        let text = |field: &str| line.sourced(Arc::from(&*unescape(field)), field);
        mounts.push(Mount {
            source: text(source),
            mountpoint: text(mountpoint),
            fstype: text(fstype),
            options: split_options(options).map(text).collect(),
            uuid: None,
        });
    }
    add(facts, mounts);
}

/// Options apart; a comma inside quotation marks (SELinux contexts) does not part them.
fn split_options(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    options
        .split(move |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .filter(|option| !option.is_empty())
}

/// `findmnt -J`, with whatever columns.
pub(crate) fn findmnt(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts) {
    let mut mounts = Vec::new();
    let mut todo: Vec<&Json> = root
        .get("filesystems")
        .map_or(&[][..], Json::list)
        .iter()
        .rev()
        .collect();
    while let Some(entry) = todo.pop() {
        if let Some(children) = entry.get("children") {
            todo.extend(children.list().iter().rev());
        }
        let (Some(source), Some(mountpoint), Some(fstype)) = (
            doc.text(entry, "source"),
            doc.text(entry, "target"),
            doc.text(entry, "fstype"),
        ) else {
            if entry.members().is_empty() {
                doc.warn(place, entry, "not an entry of findmnt");
            }
            continue;
        };
        let options = entry.get("options").or_else(|| entry.get("vfs-options"));
        let options = options
            .and_then(|value| Some((value, value.text()?)))
            .map(|(value, text)| {
                split_options(text)
                    .map(|option| doc.sourced(Arc::from(option), value))
                    .collect()
            })
            .unwrap_or_default();
        mounts.push(Mount {
            // A subvolume or bind mount is shown as /dev/sda2[/home].
            source: source.map(|source| match source.split_once('[') {
                Some((device, _)) if device.starts_with('/') => Arc::from(device),
                _ => source,
            }),
            mountpoint,
            fstype,
            options,
            uuid: doc.text(entry, "uuid"),
        });
    }
    add(facts, mounts);
}

/// Adds what one file lists as mounted. A second listing only adds what the first has not,
/// and tells where the two differ.
fn add(facts: &mut Facts, mounts: Vec<Mount>) {
    if facts.mounts.is_empty() {
        facts.mounts = mounts;
        return;
    }
    let known: std::collections::HashMap<Arc<str>, usize> = facts
        .mounts
        .iter()
        .enumerate()
        .map(|(at, mount)| (Arc::clone(&mount.mountpoint.value), at))
        .collect();
    for new in mounts {
        let at = known.get(&new.mountpoint.value).copied();
        let Some(old) = at.and_then(|at| facts.mounts.get_mut(at)) else {
            facts.mounts.push(new);
            continue;
        };
        if old.uuid.is_none() {
            old.uuid = new.uuid.clone();
        }
        let options = |mount: &Mount| {
            let mut options: Vec<&str> = mount.options.iter().map(|option| &*option.value).collect();
            options.sort_unstable();
            options.join(",")
        };
        let (before, after) = (options(old), options(&new));
        let subject = Arc::clone(&new.mountpoint.value);
        let origin = |mount: &Mount| {
            mount
                .options
                .first()
                .map_or_else(|| mount.mountpoint.origin.clone(), |option| option.origin.clone())
        };
        if old.source.value != new.source.value {
            let (kept, other) = (old.source.clone(), new.source);
            facts.contradict(&subject, "the mounted device", &kept, &other);
        } else if before != after && !new.options.is_empty() {
            let (kept, other) = (
                Sourced::new(before, origin(old)),
                Sourced::new(after, origin(&new)),
            );
            facts.contradict(&subject, "the mount options", &kept, &other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_names() {
        assert_eq!(unescape(r"/mnt/a\040b\011c\134d"), "/mnt/a b\tc\\d");
        assert_eq!(unescape(r"\04"), r"\04");
        assert_eq!(unescape(r"\777"), r"\777");
        assert_eq!(unescape(r"\303\251"), "é");
    }

    #[test]
    fn a_quoted_comma_parts_nothing() {
        let options: Vec<_> = split_options(r#"rw,context="a:b,c",noatime,"#).collect();
        assert_eq!(options, ["rw", r#"context="a:b,c""#, "noatime"]);
    }
}
