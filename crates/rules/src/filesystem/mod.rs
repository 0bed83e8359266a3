//! What holds for filesystems of several kinds.

pub(crate) mod damaged;
pub(crate) mod unknown_option;
