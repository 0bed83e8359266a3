//! Definitions of one thing from several places, merged as NixOS merges them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use source::{OptionPath, Origin, Problem};

use crate::field::name_origin;
use crate::model::{Device, Layout, LuksDevice, Mount, Text};

/// The mountpoints that NixOS always mounts in the initrd: `pathsNeededForBoot` in
/// [nixos/lib/utils.nix](https://github.com/NixOS/nixpkgs/blob/master/nixos/lib/utils.nix).
pub const MOUNTED_IN_INITRD: [&str; 9] = [
    "/",
    "/nix",
    "/nix/store",
    "/var",
    "/var/log",
    "/var/lib",
    "/var/lib/nixos",
    "/etc",
    "/usr",
];

/// Two definitions that NixOS refuses to merge.
pub(crate) fn conflict(path: &OptionPath, first: &str, second: &str, at: &Origin, other: &Origin) -> Problem {
    Problem::error(format!(
        "{path} is defined twice with different values, `{first}` and `{second}`; the first is taken here"
    ))
    .at(at.span())
    .note("the other definition", other.span())
}

/// Merges the definitions of `fileSystems`: one mount a mountpoint, in the order of the names,
/// with the options of all its definitions. The module system joins those of one mount from the
/// last definition to the first.
pub(crate) fn mounts(layout: &mut Layout, definitions: Vec<Mount>) {
    let mut by_mountpoint: BTreeMap<Arc<str>, Vec<Mount>> = BTreeMap::new();
    for mount in definitions {
        check(layout, &mount);
        let name = mount.mountpoint.value.clone();
        by_mountpoint.entry(name).or_default().push(mount);
    }
    for definitions in by_mountpoint.into_values() {
        let options = definitions
            .iter()
            .rev()
            .flat_map(|mount| mount.options.iter().cloned())
            .collect();
        let mut definitions = definitions.into_iter();
        let Some(mut first) = definitions.next() else {
            continue;
        };
        for second in definitions {
            merge_mount(layout, &mut first, second);
        }
        first.options = options;
        settle_boot(&mut first);
        layout.mounts.push(first);
    }
}

/// Works out whether NixOS mounts it in the initrd.
pub(crate) fn settle_boot(mount: &mut Mount) {
    mount.needed_for_boot = mount.needed_for_boot_set.as_ref().is_some_and(|set| set.value)
        || MOUNTED_IN_INITRD.contains(&&*mount.mountpoint.value);
}

/// Notes what NixOS refuses in one definition by itself.
pub(crate) fn check(layout: &mut Layout, mount: &Mount) {
    let name = &mount.mountpoint.value;
    let span = mount.mountpoint.origin.span();
    if name.len() > 1 && name.ends_with('/') {
        let message = format!("the mountpoint `{name}` ends with a slash, which NixOS refuses");
        layout.problems.push(Problem::error(message).at(span));
    }
    let declared = &mount.declared;
    if mount.options.is_empty() && declared.unknown.is_none() {
        let message = format!(
            "{} is empty: NixOS takes no empty list of mount options",
            declared.place.path
        );
        let span = declared.place.origin.span().or(span);
        layout.problems.push(Problem::error(message).at(span));
    }
}

fn merge_mount(layout: &mut Layout, first: &mut Mount, second: Mount) {
    let path = OptionPath::new(["fileSystems", &*first.mountpoint.value]);
    let (at, other) = (&second.mountpoint.origin, &first.mountpoint.origin);
    if let (Some(a), Some(b)) = (&first.device, &second.device)
        && a != b
    {
        let problem = conflict(&path.join("device"), a, b, at, other);
        layout.problems.push(problem);
    }
    if first.fs_type != second.fs_type {
        let problem = conflict(&path.join("fsType"), &first.fs_type, &second.fs_type, at, other);
        layout.problems.push(problem);
    }
    first.device = first.device.take().or(second.device);
    if first.declared.unknown.is_none() {
        first.declared.unknown = second.declared.unknown;
    }
    first.needed_for_boot_set = first.needed_for_boot_set.take().or(second.needed_for_boot_set);
}

/// Merges the definitions of `boot.initrd.luks.devices`: one entry a name, in the order of the
/// names, with the settings of all its definitions.
pub(crate) fn luks(layout: &mut Layout, definitions: Vec<LuksDevice>) {
    let mut by_name: BTreeMap<Arc<str>, Vec<LuksDevice>> = BTreeMap::new();
    for device in definitions {
        by_name.entry(device.name.clone()).or_default().push(device);
    }
    layout.luks = by_name
        .into_values()
        .filter_map(|definitions| merge_luks(&layout.devices, &mut layout.problems, definitions))
        .collect();
}

fn merge_luks(
    devices: &[Device],
    problems: &mut Vec<Problem>,
    definitions: Vec<LuksDevice>,
) -> Option<LuksDevice> {
    let place = |device: &LuksDevice| match devices.get(device.device_id.0 as usize) {
        Some(device) => name_origin(&device.bindings, &device.origin),
        None => Origin::Derived(Box::new([])),
    };
    let mut definitions = definitions.into_iter();
    let mut first = definitions.next()?;
    let mut settings: BTreeMap<Arc<str>, Value> = std::mem::take(&mut first.settings).into_iter().collect();
    let path = OptionPath::new(["boot", "initrd", "luks", "devices", &*first.name]);
    for second in definitions {
        let (at, other) = (place(&second), place(&first));
        if let (Some(a), Some(b)) = (&first.device, &second.device)
            && a != b
        {
            problems.push(conflict(&path.join("device"), a, b, &at, &other));
        }
        first.device = first.device.take().or(second.device);
        for (name, value) in second.settings {
            match settings.get(&name) {
                Some(known) if *known != value => {
                    let (a, b) = (known.to_string(), value.to_string());
                    problems.push(conflict(&path.join(&name), &a, &b, &at, &other));
                }
                Some(_) => {}
                None => {
                    settings.insert(name, value);
                }
            }
        }
    }
    first.settings = settings.into_iter().collect();
    Some(first)
}

/// Merges the definitions of `boot.resumeDevice`.
pub(crate) fn resume(layout: &mut Layout, definitions: Vec<Text>) {
    let mut definitions = definitions.into_iter();
    layout.resume_device = definitions.next();
    for other in definitions {
        if let Some(first) = &layout.resume_device
            && first.value != other.value
        {
            let path = OptionPath::new(["boot", "resumeDevice"]);
            let problem = conflict(&path, &first.value, &other.value, &other.origin, &first.origin);
            layout.problems.push(problem);
        }
    }
}
