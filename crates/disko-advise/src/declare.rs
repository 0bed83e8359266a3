//! From a path to what is declared there.

use std::path::Path;

use eval::{Argument, Evaluator, Host, HostOptions};
use layout::{Layout, Order, Plain, Priorities};
use source::{Attr, Attrs, Files, Node, Origin, Problem, Tree, World, json};

/// How Nix is evaluated.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// A nixpkgs `lib` to evaluate with; the built-in one when `None`.
    pub lib: Option<std::path::PathBuf>,
    /// The JSON of the NixOS options that the layout reads as `config`, with the name of its file.
    pub config: Option<(String, String)>,
    /// Arguments for the file's function, as Nix expressions.
    pub arguments: Vec<(String, String)>,
    /// Arguments for the file's function, as strings.
    pub strings: Vec<(String, String)>,
    /// Which layout of a file that holds several: the name of the host.
    pub host: Option<String>,
}

/// What is declared.
pub struct Declared {
    /// Every option that the files define, from the root.
    pub tree: Tree,
    /// The disk layout.
    pub layout: Layout,
    /// What was wrong with the files.
    pub problems: Vec<Problem>,
    /// Whether a layout was found.
    pub found: bool,
    /// Whether the files are Nix that a person wrote, and can be edited.
    pub editable: bool,
    /// Whether this is the machine's whole configuration.
    pub complete: bool,
}

impl Declared {
    /// What was set below `disko.devices`, or below `fileSystems` for a host without disko.
    pub fn devices(&self) -> Option<&Tree> {
        self.tree
            .lookup(["disko", "devices"])
            .or_else(|| self.tree.lookup(["fileSystems"]))
    }
}

fn nothing() -> Tree {
    Tree::new(Node::Attrs(Attrs::new()), Origin::Derived(Box::new([])))
}

/// A set of one attribute that nobody wrote.
fn below(name: &str, tree: Tree) -> Tree {
    let origin = tree.origin.clone();
    let attrs = Attrs::from([(
        name.into(),
        Attr {
            tree,
            bindings: Vec::new(),
        },
    )]);
    Tree::new(Node::Attrs(attrs), origin)
}

/// Evaluates what stands at `entry` (an absolute path) and models it.
/// The files that are read are added to `files`. `interrupt` is asked from time to time whether
/// it has taken too long.
pub fn declare(
    world: &dyn World,
    files: &Files,
    entry: &Path,
    evaluation: &Evaluation,
    interrupt: &dyn Fn() -> bool,
) -> Declared {
    let mut problems = Vec::new();
    let is_json = entry
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("json"));
    let mut priorities = Priorities::new();
    let tree = if is_json {
        from_json(world, files, entry, &mut problems)
    } else {
        from_nix(
            world,
            files,
            entry,
            evaluation,
            interrupt,
            &mut priorities,
            &mut problems,
        )
    };
    let tree = tree.unwrap_or_else(nothing);
    let found = model(&tree, &priorities);
    if found.is_none() && problems.is_empty() {
        problems.push(Problem::error(
            "no disk layout: neither `disko.devices` nor `fileSystems` is set",
        ));
    }
    Declared {
        layout: found.clone().unwrap_or_default(),
        found: found.is_some(),
        tree,
        problems,
        editable: !is_json,
        complete: false,
    }
}

/// The layout of a configuration; `None` when it has none.
fn model(tree: &Tree, priorities: &Priorities) -> Option<Layout> {
    let plain = Plain {
        file_systems: tree.lookup(["fileSystems"]),
        swap_devices: tree.lookup(["swapDevices"]),
        luks: tree.lookup(["boot", "initrd", "luks", "devices"]),
        priorities: Some(priorities),
    };
    let devices = tree.lookup(["disko", "devices"]);
    if devices.is_none() && plain.file_systems.is_none() {
        return None;
    }
    let mut layout = devices.map(layout::read).unwrap_or_default();
    let enabled = tree.lookup(["disko", "enableConfig"]);
    if let Some(Node::Bool(false)) = enabled.map(|it| &it.node) {
        layout::without_config(&mut layout);
    }
    layout::overlay_plain(&mut layout, &plain, Order::default());
    Some(layout)
}

fn from_nix(
    world: &dyn World,
    files: &Files,
    entry: &Path,
    evaluation: &Evaluation,
    interrupt: &dyn Fn() -> bool,
    priorities: &mut Priorities,
    problems: &mut Vec<Problem>,
) -> Option<Tree> {
    let options = eval::Options {
        interrupt: Some(Box::new(interrupt)),
        lenient: true,
        ..eval::Options::default()
    };
    let evaluator = Evaluator::new(world, files, options);
    let expressions = evaluation
        .arguments
        .iter()
        .map(|(name, it)| (name, Argument::Expression(it.clone())));
    let strings = evaluation
        .strings
        .iter()
        .map(|(name, it)| (name, Argument::Text(it.clone())));
    let options = HostOptions {
        arguments: expressions
            .chain(strings)
            .map(|(name, it)| (name.clone(), it))
            .collect(),
        config: evaluation.config.as_ref().map(|(_, text)| text.clone()),
        lib: evaluation.lib.clone(),
        host: evaluation.host.clone(),
    };
    let tree = match Host::open(&evaluator, entry, &options) {
        Ok(host) => {
            let tree = host.option(&[]);
            *priorities = host.priorities();
            problems.extend(host.problems());
            tree
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    problems.extend(evaluator.take_problems());
    tree
}

/// The JSON of `config.disko.devices`, of a set that holds it, or of plain `fileSystems`.
fn from_json(world: &dyn World, files: &Files, entry: &Path, problems: &mut Vec<Problem>) -> Option<Tree> {
    let bytes = match world.read(entry) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.push(Problem::error(error.reason));
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let file = files.add(entry.to_string_lossy(), &*text);
    let (tree, more) = json::parse(files, file);
    problems.extend(more);
    const DEVICES: [&str; 6] = [
        "bcachefs_filesystems",
        "disk",
        "lvm_vg",
        "mdadm",
        "nodev",
        "zpool",
    ];
    if tree.get("disko").is_some() || tree.get("fileSystems").is_some() {
        Some(tree)
    } else if tree.get("devices").is_some() {
        Some(below("disko", tree))
    } else if DEVICES.iter().any(|name| tree.get(name).is_some()) {
        Some(below("disko", below("devices", tree)))
    } else {
        None
    }
}
