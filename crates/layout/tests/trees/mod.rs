//! Trees written as JSON, and layouts as text.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::fmt::Write as _;
use std::sync::Arc;

use layout::Layout;
use layout::report::LayoutReport;
use source::{Files, Node, Problem, Tree, Unknown};

/// The tree of a JSON text. A string `"?name"` stands for a value that depends on `name`, and
/// `"!reason"` for one whose evaluation failed.
pub(crate) fn tree(files: &Files, text: &str) -> Tree {
    let (mut tree, problems) = source::json::parse(files, files.add("layout.json", text));
    assert_eq!(problems, [], "the test's own JSON");
    mark(&mut tree);
    tree
}

fn mark(tree: &mut Tree) {
    match &mut tree.node {
        Node::Str(text) => {
            let span = tree.origin.span();
            if let Some(name) = text.strip_prefix('?') {
                tree.node = Node::Unknown(Arc::new(Unknown {
                    name: name.into(),
                    because: "nobody gave it".into(),
                    span,
                }));
            } else if let Some(reason) = text.strip_prefix('!') {
                tree.node = Node::Failed(Arc::new(Problem::error(reason).at(span)));
            }
        }
        Node::List(elements) => elements.iter_mut().for_each(mark),
        Node::Attrs(attrs) => attrs.values_mut().for_each(|attr| mark(&mut attr.tree)),
        _ => {}
    }
}

/// A layout as text: its devices, what NixOS gets, what is not known, what is wrong.
pub(crate) fn dump(layout: &Layout, files: &Files) -> String {
    let mut text = String::new();
    for device in &layout.devices {
        let kind = format!("{:?}", device.kind);
        let kind = kind.split('(').next().unwrap_or_default();
        let node = device.node.as_deref().unwrap_or("-");
        let path = device.path.to_string();
        let path = path.strip_prefix("disko.devices.").unwrap_or(&path);
        let below: Vec<String> = layout
            .below(device.id)
            .iter()
            .map(|id| id.0.to_string())
            .collect();
        let _ = writeln!(
            text,
            "{} {kind} {path} {node} on [{}]",
            device.id.0,
            below.join(" ")
        );
    }
    let report = LayoutReport::new(layout, None);
    for (mountpoint, mount) in &report.file_systems {
        let boot = match mount.needed_for_boot {
            Some(boot) => format!(" neededForBoot={boot}"),
            None => String::new(),
        };
        let device = mount.device.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "mount {mountpoint} {device} {} {:?}{boot}",
            mount.fs_type, mount.options
        );
    }
    for swap in &report.swap_devices {
        let _ = writeln!(
            text,
            "swap {} priority={:?} discard={:?} random={} {:?}",
            swap.device.as_deref().unwrap_or("-"),
            swap.priority,
            swap.discard_policy,
            swap.random_encryption.enable,
            swap.options
        );
    }
    for (name, luks) in &report.luks {
        let device = luks.device.as_deref().unwrap_or("-");
        let settings: Vec<String> = luks
            .settings
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let _ = writeln!(text, "luks {name} {device} {}", settings.join(" "));
    }
    if let Some(resume) = &layout.resume_device {
        let _ = writeln!(text, "resume {}", resume.value);
    }
    for unknown in &report.unknown {
        let _ = writeln!(text, "unknown {}: {}", unknown.path, unknown.because);
    }
    for problem in &layout.problems {
        let place = problem
            .span
            .map_or_else(|| "?".to_owned(), |span| files.text(span));
        let place: String = place.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{:?} {} at {place}", problem.level, problem.message);
    }
    text
}
