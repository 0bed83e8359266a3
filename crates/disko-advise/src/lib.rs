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

mod advise;
mod allow;
mod declare;
mod overlay;

pub use {emit, eval, facts, layout, machine, rules, source};

pub use advise::{Advice, Question, advise};
pub use declare::{Declared, Evaluation, declare};
