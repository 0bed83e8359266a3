//! What the tests share: the real disko under the real Nix, and comparing with it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use eval::{Evaluator, Host, HostOptions, Options};
use layout::report::LayoutReport;
use layout::{Layout, Order, Plain, Priorities};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use source::{Files, MemoryWorld, Node, Tree};

/// A layout evaluated by the real disko.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Evaluated {
    /// `disko.devices` as its author set it.
    pub(crate) devices: Value,
    /// What the file sets beside disko.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) beside: Option<Beside>,
    /// What NixOS gets when the file itself imports disko's module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) importing: Option<Made>,
    /// What NixOS gets when disko's module stands before the file in the list of modules.
    #[serde(flatten)]
    pub(crate) made: Made,
}

/// Options that a file sets beside disko.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Beside {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_systems: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) swap_devices: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) luks: Option<Value>,
}

/// What NixOS gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Made {
    pub(crate) file_systems: Value,
    pub(crate) swap_devices: Value,
    pub(crate) luks: Value,
    pub(crate) resume_device: Value,
}

/// The source trees that the environment names: disko's, and the folder `lib` of nixpkgs.
/// Says so loudly when they are not there.
pub(crate) fn trees(test: &str) -> Option<(PathBuf, PathBuf)> {
    let named = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.exists())
    };
    match (named("DISKO"), named("NIXPKGS_LIB")) {
        (Some(disko), Some(lib)) => Some((disko, lib)),
        _ => {
            // Past the capture of the test runner, which would keep the word of a passing test.
            let _ = writeln!(
                std::io::stderr(),
                "\n*** {test}: NOT RUN. ***\n\
                 *** Set DISKO to a source tree of disko and NIXPKGS_LIB to the folder `lib` of \
                 nixpkgs, with `nix-instantiate` on PATH. ***\n"
            );
            None
        }
    }
}

/// Evaluates every layout of a folder with the real disko, in one run of Nix.
pub(crate) fn evaluate(disko: &Path, lib: &Path, layouts: &Path) -> BTreeMap<String, Evaluated> {
    let state = tempfile::tempdir().expect("a folder for Nix's state");
    let output = Command::new("nix-instantiate")
        .env("NIX_REMOTE", "")
        // A builder of Nix names its store here, which may be another.
        .env_remove("NIX_STORE")
        .env("NIX_STATE_DIR", state.path())
        .args(["--eval", "--strict", "--json"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disko.nix"))
        .args(["--option", "substituters", ""])
        .args(["--argstr", "disko"])
        .arg(disko.canonicalize().expect("DISKO"))
        .args(["--argstr", "lib"])
        .arg(lib.canonicalize().expect("NIXPKGS_LIB"))
        .args(["--argstr", "layouts"])
        .arg(layouts.canonicalize().expect("the folder of layouts"))
        .output()
        .expect("nix-instantiate on PATH");
    assert!(
        output.status.success(),
        "nix-instantiate failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the JSON that disko.nix prints")
}

/// A JSON value as a tree, by way of its text.
pub(crate) fn tree(files: &Files, name: &str, value: &Value) -> Tree {
    let text = serde_json::to_string_pretty(value).expect("JSON prints");
    let (tree, problems) = source::json::parse(files, files.add(name, text));
    assert_eq!(problems, [], "reading the JSON of {name}");
    tree
}

/// What this crate makes of a layout.
pub(crate) fn made(layout: &Layout, devices: &Tree) -> (Value, Made) {
    let report = serde_json::to_value(LayoutReport::new(layout, Some(devices))).expect("a report is JSON");
    let part = |name: &str| report.get(name).cloned().unwrap_or(Value::Null);
    let made = Made {
        file_systems: part("fileSystems"),
        swap_devices: part("swapDevices"),
        luks: part("luks"),
        resume_device: layout
            .resume_device
            .as_ref()
            .map_or("".into(), |device| Value::from(&*device.value)),
    };
    (part("devices"), made)
}

/// The trees that a layout is read from.
#[derive(Default)]
pub(crate) struct Trees {
    /// `disko.devices`
    pub(crate) devices: Option<Tree>,
    /// `fileSystems`
    pub(crate) file_systems: Option<Tree>,
    /// `swapDevices`
    pub(crate) swap_devices: Option<Tree>,
    /// `boot.initrd.luks.devices`
    pub(crate) luks: Option<Tree>,
    /// The weight of what stands in the three trees beside disko.
    pub(crate) priorities: Priorities,
    /// `disko.enableConfig`
    pub(crate) disabled: bool,
}

impl Trees {
    /// The trees of the JSON that the real Nix printed.
    pub(crate) fn of_json(name: &str, evaluated: &Evaluated) -> Self {
        let files = Files::new();
        let part = |value: &Option<Value>| value.as_ref().map(|value| tree(&files, name, value));
        let beside = evaluated.beside.as_ref();
        Self {
            devices: Some(tree(&files, name, &evaluated.devices)),
            file_systems: beside.and_then(|beside| part(&beside.file_systems)),
            swap_devices: beside.and_then(|beside| part(&beside.swap_devices)),
            luks: beside.and_then(|beside| part(&beside.luks)),
            ..Self::default()
        }
    }

    /// The trees that our own evaluator makes of the file.
    pub(crate) fn of_nix(file: &Path) -> Self {
        let world = MemoryWorld::new().with(file, std::fs::read(file).expect("the layout's text"));
        let files = Files::new();
        let evaluator = Evaluator::new(&world, &files, Options::default());
        let host = Host::open(&evaluator, file, &HostOptions::default()).expect("the file is Nix");
        let trees = Self {
            devices: host.option(&["disko", "devices"]),
            file_systems: host.option(&["fileSystems"]),
            swap_devices: host.option(&["swapDevices"]),
            luks: host.option(&["boot", "initrd", "luks", "devices"]),
            priorities: host.priorities(),
            disabled: host
                .option(&["disko", "enableConfig"])
                .is_some_and(|it| matches!(it.node, Node::Bool(false))),
        };
        assert_eq!(host.problems(), [], "evaluating {}", file.display());
        trees
    }
}

/// Compares what this crate makes of a layout with what the real disko made of it.
pub(crate) fn compare(name: &str, evaluated: &Evaluated, trees: &Trees) {
    let devices = trees
        .devices
        .as_ref()
        .unwrap_or_else(|| panic!("{name} sets no devices"));
    let plain = Plain {
        file_systems: trees.file_systems.as_ref(),
        swap_devices: trees.swap_devices.as_ref(),
        luks: trees.luks.as_ref(),
        priorities: Some(&trees.priorities),
    };
    let given = |order: Order| {
        let mut layout = layout::read(devices);
        if trees.disabled {
            layout::without_config(&mut layout);
        }
        layout::overlay_plain(&mut layout, &plain, order);
        assert_eq!(layout.unknown, [], "{name}: all of it is known");
        made(&layout, devices)
    };
    let (set, got) = given(Order::Beside);
    assert_eq!(set, evaluated.devices, "{name}: what the author set");
    assert_eq!(got, evaluated.made, "{name}: what NixOS gets");
    let importing = evaluated.importing.as_ref().unwrap_or(&evaluated.made);
    assert_eq!(
        given(Order::Imported).1,
        *importing,
        "{name}: importing disko's module"
    );
}
