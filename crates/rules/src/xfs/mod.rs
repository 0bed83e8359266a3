//! xfs.

pub(crate) mod removed_options;
