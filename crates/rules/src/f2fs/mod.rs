//! f2fs.

pub(crate) mod compress_reality;
