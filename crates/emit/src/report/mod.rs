//! Reports: the same findings for people and for programs.

pub mod json;
pub mod text;
