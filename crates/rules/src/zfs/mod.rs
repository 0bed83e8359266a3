//! ZFS.

use machine::{Dataset, Machine, Pool, Properties, Property};
use source::{Known, Missing};

pub(crate) mod arc_max_explicit;
pub(crate) mod ashift;
pub(crate) mod atime;
pub(crate) mod capacity;
pub(crate) mod compression_off;
pub(crate) mod dedup_off;
pub(crate) mod pool_faults;
pub(crate) mod swap_zvol;
pub(crate) mod sync_disabled;

/// The manual of dataset properties.
pub(crate) const ZFSPROPS: crate::Source = crate::Source::new(
    "zfsprops(7)",
    "https://openzfs.github.io/openzfs-docs/man/master/7/zfsprops.7.html",
);

/// A property that a set writes.
///
/// # Errors
/// [`Missing`] when whether or to what it is set depends on something nobody gave.
pub(crate) fn declared<'a>(properties: &'a Properties, name: &str) -> Known<Option<&'a Property>> {
    match (properties.get(name), properties.unknown(name)) {
        (Some(property), _) => Ok(Some(property)),
        (None, None) => Ok(None),
        (None, Some(unknown)) => Err(Missing::new(
            format!("`{}.{name}`", properties.place.path),
            format!("give `{}`: {}", unknown.name, unknown.because),
        )),
    }
}

/// What the layout gives a dataset for a property: its own, or that of the nearest dataset above it.
///
/// # Errors
/// See [`declared`].
pub(crate) fn inherited<'a>(pool: &Pool<'a>, dataset: &Dataset, name: &str) -> Known<Option<&'a Property>> {
    let mut path: &str = &dataset.name;
    loop {
        let found = pool.datasets().find(|(_, it)| &*it.name == path);
        if let Some((_, found)) = found
            && let Some(property) = declared(&found.options, name)?
        {
            return Ok(Some(property));
        }
        match path.rsplit_once('/') {
            Some((above, _)) => path = above,
            None => return Ok(None),
        }
    }
}

/// Whether files are kept in a dataset: it is mounted somewhere, as far as the layout says.
pub(crate) fn holds_files(dataset: &Dataset) -> bool {
    let by_disko = dataset.mountpoint.is_some();
    let property = dataset.options.get("mountpoint").map(|it| &*it.value.value);
    by_disko || property.is_some_and(|it| !matches!(it, "none" | "legacy"))
}

/// The version of OpenZFS that runs.
///
/// # Errors
/// [`Missing`] when nothing told it.
pub(crate) fn version(machine: &Machine) -> Known<&source::Sourced<machine::Version>> {
    let versions = &machine.facts.versions;
    versions
        .openzfs_module
        .as_ref()
        .or(versions.openzfs.as_ref())
        .ok_or_else(|| Missing::new("the version of OpenZFS", "`zfs version > versions.txt`"))
}
