//! bcachefs.

pub(crate) mod out_of_tree;
