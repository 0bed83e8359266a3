//! Merging against the real module system, disko's own types among the options.
//!
//! `NIXPKGS_LIB` and `DISKO` name copies of nixpkgs' `lib` folder and of disko. Without them the
//! hosts of `modules/` are still held to what real Nix gave for them, in `modules/*/expected.json`.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod disk;
mod nix;

use std::collections::BTreeMap;
use std::path::Path;

use disk::Disk;
use eval::{Evaluator, Host, HostOptions, Options};
use expect_test::expect_file;
use serde_json::Value as Json;
use source::{Files, Node, Tree};

const HOSTS: &[&str] = &[
    "conditions",
    "imports",
    "nested",
    "options",
    "orders",
    "priorities",
    "submodules",
];

const PATHS: &[&str] = &[
    "boot.extraModprobeConfig",
    "boot.initrd.luks.devices",
    "boot.kernel.sysctl",
    "disko.devices",
    "extra",
    "fileSystems",
    "swapDevices",
];

fn json(tree: &Tree) -> Json {
    match &tree.node {
        Node::Null => Json::Null,
        Node::Bool(it) => (*it).into(),
        Node::Int(it) => (*it).into(),
        Node::Float(it) => (*it).into(),
        Node::Str(it) | Node::Path(it) => (&**it).into(),
        Node::List(items) => items.iter().map(json).collect::<Vec<_>>().into(),
        Node::Attrs(attrs) => {
            let fields = attrs
                .iter()
                .map(|(name, attr)| (name.to_string(), json(&attr.tree)));
            fields.collect::<serde_json::Map<_, _>>().into()
        }
        Node::Function => "<function>".into(),
        Node::Unknown(unknown) => format!("<unknown {}>", unknown.name).into(),
        Node::Failed(problem) => format!("<failed {problem}>").into(),
    }
}

fn file(host: &str) -> String {
    format!("{}/tests/modules/{host}/main.nix", env!("CARGO_MANIFEST_DIR"))
}

/// What our own merging gives, with the built-in library or another.
fn ours(host: &str, lib: Option<&str>) -> BTreeMap<String, Json> {
    read(&file(host), lib)
}

fn read(file: &str, lib: Option<&str>) -> BTreeMap<String, Json> {
    let files = Files::new();
    let evaluator = Evaluator::new(&Disk, &files, Options::default());
    let options = HostOptions {
        lib: lib.map(Into::into),
        ..HostOptions::default()
    };
    let host = Host::open(&evaluator, Path::new(file), &options).expect("a host");
    let mut found = BTreeMap::new();
    for path in PATHS {
        let segments: Vec<_> = path.split('.').collect();
        if let Some(tree) = host.option(&segments) {
            found.insert((*path).to_owned(), json(&tree));
        }
    }
    assert!(host.problems().is_empty(), "{:?}", host.problems());
    found
}

fn pretty(values: &BTreeMap<String, Json>) -> String {
    serde_json::to_string_pretty(values).expect("JSON") + "\n"
}

#[test]
fn hosts_are_merged_as_nixos_merges_them() {
    for host in HOSTS {
        let ours = pretty(&ours(host, None));
        expect_file![format!("modules/{host}/expected.json")].assert_eq(&ours);
    }
}

#[test]
fn what_is_expected_is_what_real_nix_gives() {
    let Some(lib) = nix::tree("NIXPKGS_LIB", "merging under real Nix") else {
        return;
    };
    let Some(disko) = nix::tree("DISKO", "merging under real Nix") else {
        return;
    };
    for host in HOSTS {
        let ours = ours(host, None);
        assert_eq!(
            pretty(&ours),
            pretty(&real(&lib, &disko, &file(host), &ours)),
            "{host}"
        );
    }
}

/// What real Nix gives for the same options.
fn real(lib: &str, disko: &str, main: &str, ours: &BTreeMap<String, Json>) -> BTreeMap<String, Json> {
    let given = serde_json::to_string(&serde_json::to_string(ours).expect("JSON")).expect("a string");
    let given = given.replace("${", "\\${");
    let merged = nix::json(&format!(
        "import {}/tests/modules/real.nix {{ lib = import {lib}; disko = {disko}; main = {main}; ours = builtins.fromJSON {given}; }}",
        env!("CARGO_MANIFEST_DIR"),
    ));
    serde_json::from_value(merged).expect("a set")
}

#[test]
fn the_examples_of_disko_are_read_as_real_nix_reads_them() {
    let Some(lib) = nix::tree("NIXPKGS_LIB", "the examples of disko") else {
        return;
    };
    let Some(disko) = nix::tree("DISKO", "the examples of disko") else {
        return;
    };
    let mut count = 0;
    for entry in std::fs::read_dir(format!("{disko}/example")).expect("disko's examples") {
        let path = entry.expect("an example").path();
        if path.extension().is_none_or(|extension| extension != "nix") {
            continue;
        }
        let main = path.display().to_string();
        let ours = read(&main, None);
        assert!(ours.contains_key("disko.devices"), "{main}");
        // Those with an argument of their own are functions that one calls, not modules.
        let module = format!(
            "(let m = import {main}; in if builtins.isFunction m && (builtins.functionArgs m) ? disks then m {{ lib = import {lib}; }} else {main})"
        );
        assert_eq!(
            pretty(&ours),
            pretty(&real(&lib, &disko, &module, &ours)),
            "{main}"
        );
        count += 1;
    }
    assert!(count >= 35, "{count} examples");
    eprintln!("{count} examples of disko");
}

#[test]
fn the_real_library_gives_the_same_as_the_built_in_one() {
    let Some(lib) = nix::tree("NIXPKGS_LIB", "merging with the real library") else {
        return;
    };
    for host in HOSTS {
        assert_eq!(
            pretty(&ours(host, Some(&lib))),
            pretty(&ours(host, None)),
            "{host}"
        );
    }
}
