//! A closed, bounded evaluator of the Nix language that remembers where every value was written.
//!
//! Takes Nix text, and files through [`source::World`]; gives [`Value`]s that are evaluated when
//! they are needed, [`source::Tree`]s of them, and Nix's own printed forms.
//! Never builds, fetches, writes, runs a program, or reads the environment, the clock, or a file
//! that the world does not give.
//!
//! # Evaluate a file
//!
//! ```
//! use eval::{Evaluator, Options, TreeLimits};
//! use source::{Files, MemoryWorld};
//! use std::path::Path;
//!
//! let world = MemoryWorld::new()
//!     .with("/etc/disk.nix", "{ size = 2 * 512; mount = import ./mount.nix; }")
//!     .with("/etc/mount.nix", "{ path = \"/nix\"; options = [ \"noatime\" ]; }");
//! let files = Files::new();
//! let evaluator = Evaluator::new(&world, &files, Options::default());
//! let value = evaluator.file(Path::new("/etc/disk.nix"))?;
//! assert_eq!(
//!     evaluator.json(&value)?,
//!     br#"{"mount":{"options":["noatime"],"path":"/nix"},"size":1024}"#
//! );
//!
//! // Where was `mount.path` set?
//! let tree = evaluator.tree(&value, TreeLimits::default());
//! let path = tree.get("mount").unwrap().tree.get("path").unwrap();
//! assert_eq!(files.place(path.tree.origin.span().unwrap()), "/etc/mount.nix:1:10");
//! assert_eq!(files.text(path.bindings[0].whole), "path = \"/nix\";");
//!
//! // Change it there.
//! let span = path.tree.origin.span().unwrap();
//! let mut text = files.get(span.file).text.to_string();
//! text.replace_range(span.range(), "\"/gnu\"");
//! assert_eq!(text, "{ path = \"/gnu\"; options = [ \"noatime\" ]; }");
//! # Ok::<(), eval::Error>(())
//! ```
//!
//! # Evaluate with unknowns
//!
//! ```
//! use eval::{Evaluator, Options, TreeLimits, Value};
//! use source::{Files, MemoryWorld, Node};
//! use std::path::Path;
//!
//! let world = MemoryWorld::new();
//! let files = Files::new();
//! let evaluator = Evaluator::new(&world, &files, Options::default());
//! let function = evaluator.expression(
//!     "host.nix",
//!     "{ config, ... }: { name = config.networking.hostName; kind = if config.fast then \"ssd\" else \"ssd\"; }",
//!     Path::new("/"),
//! )?;
//! let config = evaluator.open_attrs("config", "other modules set it", []);
//! let value = evaluator.call(&function, evaluator.attrs_value([("config", config)]))?;
//! let tree = evaluator.tree(&value, TreeLimits::default());
//! // What depends on it is a named unknown; where both branches agree, the value is known.
//! let Node::Unknown(unknown) = &tree.get("name").unwrap().tree.node else { panic!() };
//! assert_eq!(&*unknown.name, "config.networking.hostName");
//! assert_eq!(tree.get("kind").unwrap().tree.as_str(), Some("ssd"));
//! # Ok::<(), eval::Error>(())
//! ```

mod builtins;
mod code;
mod error;
mod evaluator;
mod files;
mod frames;
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
#[cfg(feature = "provenance")]
mod provenance;
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
pub use options::{Limits, Options, ShowPath};
pub use prelude::is_builtin_file;
pub use tree::TreeLimits;
pub use value::{Applied, Attrs, Closure, List, Made, Native, Text, Thunk, Value};
pub use walk::{Arguments, AttrValue, FormalArg};
