//! Linux software RAID.

pub(crate) mod degraded;
