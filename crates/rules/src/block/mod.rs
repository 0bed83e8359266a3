//! The block layer.

pub(crate) mod scheduler_hdd;
