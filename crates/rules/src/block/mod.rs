//! The block layer.

pub(crate) mod failing_disk;
pub(crate) mod scheduler_hdd;
pub(crate) mod scheduler_on_dm;
