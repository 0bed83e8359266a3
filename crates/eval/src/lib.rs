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
//! # #[cfg(feature = "provenance")] {
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
//! # }
//! # Ok::<(), eval::Error>(())
//! ```
//!
//! # Ask where a value comes from
//!
//! A [`source::Tree`] knows for each part the expression that made it and the bindings that set it.
//! [`Evaluator::provenance`] tells the calls and imports between as well.
//!
//! ```
//! use eval::{Evaluator, Options};
//! use source::{Files, MemoryWorld};
//! use std::path::Path;
//!
//! # #[cfg(feature = "provenance")] {
//! let world = MemoryWorld::new()
//!     .with("/main.nix", "{ root = (import ./fs.nix).btrfs \"/dev/sda\"; }")
//!     .with("/fs.nix", "{ btrfs = device: { type = \"btrfs\"; inherit device; }; }");
//! let files = Files::new();
//! let evaluator = Evaluator::new(&world, &files, Options::default());
//! let value = evaluator.file(Path::new("/main.nix"))?;
//!
//! let from = evaluator.provenance(&value, &["root", "type"])?;
//! assert_eq!(files.place(from.made.unwrap()), "/fs.nix:1:28");
//! assert_eq!(files.text(from.path[1].bindings[0].whole), "type = \"btrfs\";");
//! let call = &from.chain[0];
//! assert_eq!(files.place(call.at.unwrap()), "/main.nix:1:10");
//! # }
//! # Ok::<(), eval::Error>(())
//! ```
//!
//! # Errors are values
//!
//! ```
//! use eval::{ErrorKind, Evaluator, Options};
//! use source::{Files, MemoryWorld};
//! use std::path::Path;
//!
//! let world = MemoryWorld::new();
//! let files = Files::new();
//! let evaluator = Evaluator::new(&world, &files, Options::default());
//! let text = "let half = n: n / 0; in half 4";
//! let error = evaluator.expression("sum.nix", text, Path::new("/")).unwrap_err();
//! assert_eq!(error.kind(), &ErrorKind::Other);
//! assert_eq!(error.message(), "division by zero");
//! assert_eq!(files.place(error.span().unwrap()), "sum.nix:1:15");
//! // How it was reached is in the notes.
//! assert_eq!(error.problem().notes[0].message, "while calling `half`");
//! ```
//!
//! # Side by side
//!
//! There is no global state: any number of evaluators live beside each other. A value stays on the
//! thread of its evaluator; what leaves it is a [`source::Tree`].
//!
//! ```
//! use eval::{Evaluator, Options, TreeLimits};
//! use source::{Files, MemoryWorld, Node};
//! use std::path::Path;
//!
//! let threads = [20, 22].map(|n| {
//!     std::thread::spawn(move || {
//!         let (world, files) = (MemoryWorld::new(), Files::new());
//!         let evaluator = Evaluator::new(&world, &files, Options::default());
//!         let value = evaluator.expression("n.nix", &format!("{n} * 2"), Path::new("/"));
//!         let value = value.map_err(|error| error.problem())?;
//!         let tree = evaluator.tree(&value, TreeLimits::default());
//!         Ok::<_, source::Problem>(tree.node)
//!     })
//! });
//! let results = threads.map(|thread| thread.join().unwrap().unwrap());
//! assert_eq!(results, [Node::Int(40), Node::Int(44)]);
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
mod partial;
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
