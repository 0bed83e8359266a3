//! The vocabulary that every other crate shares: files and spans, where a value comes from,
//! what is not known, and the one door to the world.
//!
//! Takes nothing and gives types.
//! Never depends on another crate of this workspace, and never touches the world itself:
//! [`World`] is a trait, and the only implementation here lives in memory.

mod file;
pub mod json;
mod missing;
mod origin;
mod path;
mod problem;
mod provenance;
mod tree;
mod units;
mod world;

pub use file::{FileId, Files, LineColumn, SourceFile, Span};
pub use missing::{Known, Missing};
pub use origin::{Origin, Quote, Sourced};
pub use path::OptionPath;
pub use problem::{Level, Note, Problem};
pub use provenance::{Entered, PathPart, Provenance, Step};
pub use tree::{Attr, Attrs, Binding, BindingKind, Node, Tree, Unknown};
pub use units::{Bytes, BytesPerSecond, Millis, PerSecond, Percent, Ratio};
pub use world::{Entry, FileKind, MemoryWorld, World, WorldError};
