//! xfs.

pub(crate) mod discard;
pub(crate) mod removed_options;
