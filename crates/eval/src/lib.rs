//! A closed, bounded evaluator of the Nix language that remembers where every value was written.
//!
//! Takes Nix text, and files through [`source::World`]; gives [`Value`]s that are evaluated when
//! they are needed, [`source::Tree`]s of them, and Nix's own printed forms.
//! Never builds, fetches, writes, runs a program, or reads the environment, the clock, or a file
//! that the world does not give.

mod builtins;
mod code;
mod error;
mod evaluator;
mod files;
mod hash;
mod host;
mod join;
mod json;
mod lex;
mod lower;
mod modules;
mod ops;
mod options;
mod parse;
mod paths;
mod prelude;
mod print;
mod regex;
mod show;
mod symbol;
mod syntax;
mod toml;
mod tree;
mod value;
mod walk;
mod xml;

pub use error::{Error, ErrorKind};
pub use evaluator::Evaluator;
pub use host::{Argument, Host, HostOptions};
pub use options::{Limits, Options};
pub use prelude::is_builtin_file;
pub use tree::TreeLimits;
pub use value::{Applied, Attrs, Closure, List, Made, Native, Text, Thunk, Value};
pub use walk::{Arguments, AttrValue, FormalArg};
