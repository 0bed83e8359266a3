//! The typed disk layout, and what disko makes of it.
//!
//! Takes a [`source::Tree`]: what `disko.devices` evaluated to, the JSON of it, or the plain
//! `fileSystems` of a host without disko.
//! Gives a [`Layout`]: every device of the layout with where each value was written, and the
//! `fileSystems`, `swapDevices` and LUKS devices that NixOS gets from it.
//! Never judges, and never fails: what it cannot read is a [`source::Problem`] and is left out.
//!
//! ```
//! use layout::btrfs::{EffectiveOptions, effective_options};
//!
//! let files = source::Files::new();
//! let file = files.add(
//!     "layout.json",
//!     r#"{ "disk": { "main": { "device": "/dev/sda", "content": { "type": "btrfs", "subvolumes": {
//!          "@": { "mountpoint": "/" },
//!          "@home": { "mountpoint": "/home", "mountOptions": [ "compress=zstd" ] } } } } } }"#,
//! );
//! let (devices, problems) = source::json::parse(&files, file);
//! assert!(problems.is_empty());
//! let layout = layout::read(&devices);
//!
//! let home = layout.mount("/home").ok_or("no such mount")?;
//! assert_eq!(home.device.as_deref(), Some("/dev/sda"));
//! let options: Vec<&str> = home.options.iter().map(|option| &*option.value).collect();
//! assert_eq!(options, ["compress=zstd", "subvol=@home"]);
//!
//! // The root is mounted first, so its options hold for the whole filesystem: no compression.
//! let filesystem = layout::btrfs::filesystem_of(&layout, home.device_id).ok_or("not btrfs")?;
//! match effective_options(&layout, filesystem) {
//!     EffectiveOptions::Known { options, .. } => assert_eq!(options.compression(), None),
//!     other => return Err(format!("{other:?}").into()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod btrfs;
mod disko;
mod field;
mod json;
mod members;
mod merge;
mod model;
mod names;
mod plain;
pub mod report;

pub use disko::read;
pub use merge::MOUNTED_IN_INITRD;
pub use model::*;
pub use plain::{ORDINARY, Order, Plain, Priorities, overlay_plain, read_plain, without_config};
