//! The storage-tuning adviser for NixOS, as a library: evaluate, model, advise, edit.
//!
//! Everything that the binary prints, a program can have from here.
//! The world is reached through [`source::World`] only; nothing is written.
//!
//! ```
//! use std::path::Path;
//!
//! use disko_advise::source::{Files, MemoryWorld};
//! use disko_advise::{Evaluation, Question, advise};
//!
//! let world = MemoryWorld::new().with(
//!     "/etc/nixos/disko.nix",
//!     r#"{
//!       disko.devices.disk.main = {
//!         type = "disk";
//!         device = "/dev/nvme0n1";
//!         content = {
//!           type = "btrfs";
//!           subvolumes."/rootfs".mountpoint = "/";
//!           subvolumes."/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
//!         };
//!       };
//!     }"#,
//! );
//! let evaluation = Evaluation::default();
//! let question = Question::new(&world, Path::new("/etc/nixos/disko.nix"), &evaluation);
//! let advice = advise(question);
//!
//! // Compression is asked for on /home, but / is mounted first and decides.
//! let finding = &advice.judgement.findings[0];
//! assert_eq!(finding.rule.id, "btrfs-compress-missing-on-root");
//!
//! // The proven edit puts it where it counts.
//! let edited = &advice.edits.texts["/etc/nixos/disko.nix"];
//! assert!(edited.contains(r#"subvolumes."/rootfs".mountOptions = [ "compress=zstd" ];"#));
//! ```
//!
//! # Evaluate, and ask where a value was set
//!
//! ```
//! use std::path::Path;
//!
//! use disko_advise::eval::{Error, Evaluator, Options};
//! use disko_advise::source::{Files, MemoryWorld};
//!
//! # #[cfg(feature = "provenance")] {
//! let world = MemoryWorld::new()
//!     .with("/disko.nix", "{ disko.devices.disk.main = import ./main.nix; }")
//!     .with("/main.nix", "{ type = \"disk\"; device = \"/dev/sda\"; }");
//! let files = Files::new();
//! let evaluator = Evaluator::new(&world, &files, Options::default());
//! let layout = evaluator.file(Path::new("/disko.nix"))?;
//!
//! let path = ["disko", "devices", "disk", "main", "device"];
//! let from = evaluator.provenance(&layout, &path)?;
//! assert_eq!(files.place(from.made.unwrap()), "/main.nix:1:27");
//! assert_eq!(files.text(from.path[4].bindings[0].whole), "device = \"/dev/sda\";");
//! assert_eq!(files.place(from.chain[0].at.unwrap()), "/disko.nix:1:29");
//! # }
//! # Ok::<(), Error>(())
//! ```
//!
//! # Declare a layout that depends on what is not there
//!
//! What nobody gave is an unknown with a name, and the rest is judged. A broken file is a problem
//! with a place.
//!
//! ```
//! use std::path::Path;
//!
//! use disko_advise::source::{Files, MemoryWorld};
//! use disko_advise::{Evaluation, declare};
//!
//! let world = MemoryWorld::new()
//!     .with(
//!         "/disko.nix",
//!         r#"{ config, ... }: {
//!           disko.devices.disk.main = {
//!             type = "disk";
//!             device = config.my.disk;
//!             content = { type = "filesystem"; format = "ext4"; mountpoint = "/"; };
//!           };
//!         }"#,
//!     )
//!     .with("/broken.nix", "{ disko.devices = ");
//! let files = Files::new();
//! let evaluation = Evaluation::default();
//! let declared = declare(&world, &files, Path::new("/disko.nix"), &evaluation, &|| false);
//! let unknown = &declared.layout.unknown[0];
//! assert_eq!(unknown.path.to_string(), "disko.devices.disk.main.device");
//! assert_eq!(&*unknown.because.name, "config.my.disk");
//! assert_eq!(declared.layout.mounts[0].mountpoint.value.to_string(), "/");
//!
//! let declared = declare(&world, &files, Path::new("/broken.nix"), &evaluation, &|| false);
//! let problem = &declared.problems[0];
//! assert_eq!(files.place(problem.span.unwrap()), "/broken.nix:1:19");
//! ```

mod advise;
mod allow;
mod declare;
mod overlay;

pub use {emit, eval, facts, layout, machine, rules, source};

pub use advise::{Advice, Question, advise};
pub use declare::{Declared, Evaluation, declare};
