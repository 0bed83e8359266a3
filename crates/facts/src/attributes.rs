//! Copies of kernel attributes that hold one value a file: `/sys/fs/btrfs` and `/sys/module/zfs/parameters`.

use std::collections::BTreeMap;
use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::number;

/// What the kernel tells of a mounted btrfs in `/sys/fs/btrfs/UUID` (btrfs(5), `fs/btrfs/sysfs.c`).
#[derive(Clone, Debug, PartialEq)]
pub struct BtrfsAttributes {
    /// The filesystem's UUID.
    pub uuid: Arc<str>,
    /// The files by their path below: `features/free_space_tree`, `allocation/data/total_bytes`, `sectorsize`.
    pub values: BTreeMap<Arc<str>, Sourced<Arc<str>>>,
}

impl BtrfsAttributes {
    /// Whether it has a feature: `free_space_tree`, `block_group_tree`, `compress_zstd` …
    /// `None` where the features were not copied.
    pub fn has_feature(&self, name: &str) -> Option<bool> {
        let has = |(path, _): (&Arc<str>, _)| path.strip_prefix("features/") == Some(name);
        let any = self.values.keys().any(|path| path.starts_with("features/"));
        any.then(|| self.values.iter().any(has))
    }

    /// A figure of the allocator: `bytes_used`, `total_bytes`, `disk_total` of `data`, `metadata`, `system`.
    pub fn allocation(&self, group: &str, figure: &str) -> Fact<Bytes> {
        let value = self.values.get(&*format!("allocation/{group}/{figure}"))?;
        Some(Sourced::new(number::size(&value.value)?, value.origin.clone()))
    }
}

/// The UUID and the attribute that a path names.
pub(crate) fn btrfs(path: &str) -> Option<(&str, &str)> {
    let at = path.find("fs/btrfs/")? + "fs/btrfs/".len();
    let (uuid, rest) = path.get(at..)?.split_once('/')?;
    let is_uuid = uuid.len() == 36 && uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    // Read apart.
    (is_uuid && !rest.is_empty() && rest != "commit_stats").then_some((uuid, rest))
}

/// The parameter of OpenZFS that a path names.
pub(crate) fn zfs(path: &str) -> Option<&str> {
    let (_, name) = path.rsplit_once("module/zfs/parameters/")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// The most attributes: a filesystem has some hundred.
const MOST: usize = 10_000;

/// One attribute, whichever its path names.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let path = Arc::clone(&place.name);
    let Some(line) = lines.next() else { return };
    let value = line.text_at(line.text.trim());
    if value.value.is_empty() {
        return;
    }
    if let Some(name) = zfs(&path) {
        if facts.zfs_parameters.len() < MOST {
            facts.zfs_parameters.insert(Arc::from(name), value);
        }
    } else if let Some((uuid, name)) = btrfs(&path) {
        let at = facts
            .btrfs_attributes
            .iter()
            .position(|known| &*known.uuid == uuid);
        if at.is_none() && facts.btrfs_attributes.len() < MOST {
            facts.btrfs_attributes.push(BtrfsAttributes {
                uuid: Arc::from(uuid),
                values: BTreeMap::new(),
            });
        }
        let last = facts.btrfs_attributes.len().saturating_sub(1);
        if let Some(known) = facts.btrfs_attributes.get_mut(at.unwrap_or(last))
            && &*known.uuid == uuid
            && known.values.len() < MOST
        {
            known.values.insert(Arc::from(name), value);
        }
    }
}
