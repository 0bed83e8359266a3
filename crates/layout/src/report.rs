//! What `disko-advise layout FILE --format json` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use source::Tree;

use crate::json;
use crate::model::{Layout, LuksDevice, Mount, SwapDevice, UnknownPart};

/// A disk layout, and what disko makes of it for NixOS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayoutReport {
    /// The version of this format.
    pub version: u32,
    /// `disko.devices` as the person set it, without defaults. Parts that are not known are left
    /// out; in lists they are `null`. `null` for a host without disko.
    pub devices: Value,
    /// `fileSystems` by mountpoint, exactly as disko gives it to NixOS.
    pub file_systems: BTreeMap<String, FileSystemReport>,
    /// `swapDevices`, in disko's order.
    pub swap_devices: Vec<SwapDeviceReport>,
    /// `boot.initrd.luks.devices` by name.
    pub luks: BTreeMap<String, LuksReport>,
    /// The parts of the layout that depend on something that nobody gave, or that could not be read.
    pub unknown: Vec<UnknownReport>,
}

/// One entry of `fileSystems`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileSystemReport {
    /// The device; `null` when it is not known.
    pub device: Option<String>,
    /// The filesystem type.
    pub fs_type: String,
    /// The mount options in order.
    pub options: Vec<String>,
    /// `neededForBoot`, where something sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_for_boot: Option<bool>,
}

/// One entry of `swapDevices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SwapDeviceReport {
    /// The device or file; `null` when it is not known.
    pub device: Option<String>,
    /// The priority; `null` leaves it to the kernel.
    pub priority: Option<i64>,
    /// `once`, `pages` or `both`; `null` for none.
    pub discard_policy: Option<String>,
    /// Encryption with a new key at each boot.
    pub random_encryption: RandomEncryptionReport,
    /// Options for swapon in order.
    pub options: Vec<String>,
}

/// `randomEncryption` of a swap device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RandomEncryptionReport {
    /// Whether it is encrypted.
    pub enable: bool,
    /// Whether discards pass through the encryption.
    pub allow_discards: bool,
}

/// One entry of `boot.initrd.luks.devices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LuksReport {
    /// The device that is opened; `null` when it is not known.
    pub device: Option<String>,
    /// The settings, as in NixOS.
    #[serde(flatten)]
    pub settings: BTreeMap<String, Value>,
}

/// A part of the layout that is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownReport {
    /// Its option path.
    pub path: String,
    /// What it depends on, or why it could not be read.
    pub because: String,
}

impl LayoutReport {
    /// The version of the format.
    pub const VERSION: u32 = 1;

    /// The report on a layout. `devices` is the tree that it was read from, if it was disko's.
    pub fn new(layout: &Layout, devices: Option<&Tree>) -> Self {
        Self {
            version: Self::VERSION,
            devices: devices.and_then(json::from_tree).unwrap_or(Value::Null),
            file_systems: layout
                .mounts
                .iter()
                .map(|mount| (mount.mountpoint.value.to_string(), file_system(mount)))
                .collect(),
            swap_devices: layout.swaps.iter().map(swap_device).collect(),
            luks: layout
                .luks
                .iter()
                .map(|device| (device.name.to_string(), luks(device)))
                .collect(),
            unknown: layout.unknown.iter().map(unknown).collect(),
        }
    }
}

/// The JSON schema of [`LayoutReport`].
pub fn schema() -> Value {
    schemars::schema_for!(LayoutReport).to_value()
}

fn file_system(mount: &Mount) -> FileSystemReport {
    FileSystemReport {
        device: mount.device.as_deref().map(str::to_owned),
        fs_type: mount.fs_type.to_string(),
        options: mount
            .options
            .iter()
            .map(|option| option.value.to_string())
            .collect(),
        needed_for_boot: mount.needed_for_boot_set.as_ref().map(|set| set.value),
    }
}

fn swap_device(swap: &SwapDevice) -> SwapDeviceReport {
    SwapDeviceReport {
        device: swap.device.as_deref().map(str::to_owned),
        priority: swap.priority,
        discard_policy: swap.discard_policy.as_deref().map(str::to_owned),
        random_encryption: RandomEncryptionReport {
            enable: swap.random_encryption,
            allow_discards: swap.random_encryption_discards,
        },
        options: swap.options.iter().map(ToString::to_string).collect(),
    }
}

fn luks(device: &LuksDevice) -> LuksReport {
    LuksReport {
        device: device.device.as_deref().map(str::to_owned),
        settings: device
            .settings
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
    }
}

fn unknown(part: &UnknownPart) -> UnknownReport {
    let path = part.path.to_string();
    let because = if *part.because.name == *path {
        part.because.because.to_string()
    } else {
        format!("depends on {}: {}", part.because.name, part.because.because)
    };
    UnknownReport { path, because }
}
