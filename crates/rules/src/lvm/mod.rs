//! LVM.

pub(crate) mod full;
