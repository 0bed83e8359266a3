//! What is generated from the module and the program, and kept in the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use expect_test::expect_file;

use crate::machine::{self, Machine};

#[test]
fn the_page_of_options_is_current() {
    for nix in Machine::each("the_page_of_options_is_current") {
        let Some(lib) = std::env::var_os("NIXPKGS_LIB").map(std::path::PathBuf::from) else {
            nix.trees("the_page_of_options_is_current");
            continue;
        };
        let expression = format!(
            "import ./nix/options-doc.nix {{ lib = import {}; }}",
            lib.canonicalize().unwrap().display()
        );
        let page = nix
            .nix(&["eval", "--raw", "--impure", "--expr", &expression])
            .good();
        expect_file!["../../../../docs/options.md"].assert_eq(&page);
    }
}

/// Every option has a type, a default, an example and a description.
#[test]
fn every_option_is_documented() {
    let page = include_str!("../../../../docs/options.md");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert!(sections.len() >= 20, "only {} options", sections.len());
    for section in sections {
        let name = section.lines().next().unwrap();
        for part in ["\nType: ", "\nExample:"] {
            assert!(section.contains(part), "{name} lacks {part:?}");
        }
        // Of an attribute that the person names there can be no default.
        assert!(
            section.contains("\nDefault:") || name.contains("<name>"),
            "{name} lacks a default"
        );
        let description = section.lines().nth(2).unwrap();
        assert!(
            description.len() > 10 && !description.starts_with("Type:"),
            "{name} is not described"
        );
    }
}

/// The module knows the names of all rules, to warn of others.
#[test]
fn the_module_knows_the_rules() {
    let output = Command::new(env!("CARGO_BIN_EXE_disko-advise"))
        .arg("rules")
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    let mut text = serde_json::to_string_pretty(&names).unwrap();
    text.push('\n');
    assert!(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../nix/rules.json")
            .exists()
    );
    expect_file!["../../../../nix/rules.json"].assert_eq(&text);
}

/// Every option that a rule or the module reads is one of NixOS, declared where we say. `NIXOS_OPTIONS` tells
/// of the modules that it is about, and the modules below `NIXOS_MODULES` are asked themselves.
#[test]
fn options_that_are_read_are_those_of_nixos() {
    const TEST: &str = "options_that_are_read_are_those_of_nixos";
    let declared: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../../../nix/options-declared.json")).unwrap();
    if let Some(file) = std::env::var_os("NIXOS_OPTIONS") {
        let nixos: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let told: BTreeSet<&str> = nixos
            .values()
            .filter_map(|it| it["declaredIn"].as_str())
            .collect();
        let mut compared = 0;
        for (option, file) in &declared {
            let file = format!("nixos/modules/{file}");
            if !told.contains(&*file) {
                continue;
            }
            assert!(nixos.contains_key(option), "NixOS has no option {option}");
            let real = &nixos[option];
            assert_eq!(real["declaredIn"], *file, "{option}");
            assert_eq!(real.get("status"), None, "{option} is only another name of one");
            compared += 1;
        }
        assert!(compared >= 10, "only {compared} options were compared");
        workloads_are_read_where_nixos_has_them(&nixos);
    } else {
        machine::not_run(TEST, "set NIXOS_OPTIONS to a list of NixOS's options");
    }

    let Some(modules) = std::env::var_os("NIXOS_MODULES").map(std::path::PathBuf::from) else {
        return machine::not_run(
            TEST,
            "set NIXOS_MODULES to files of nixpkgs' folder nixos/modules",
        );
    };
    for nix in Machine::each(TEST) {
        if nix.trees(TEST).is_none() {
            continue;
        }
        let expression = format!(
            "import ./tests/nix/undeclared.nix {{ lib = (builtins.getFlake \"path:${{toString \
             ./tests/nixpkgs-stand-in}}\").lib; modules = \"{}\"; }}",
            modules.canonicalize().unwrap().display()
        );
        let printed = nix
            .nix(&["eval", "--json", "--impure", "--expr", &expression])
            .good();
        let judged: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(judged["undeclared"], serde_json::json!([]));
        let asked = judged["asked"].as_u64().unwrap();
        assert!(asked >= 3, "only {asked} options were asked for");
    }
}

/// What `nix/workloads.nix` spells out is an option, part of the way to one, or a key below one without a
/// fixed set of keys.
fn workloads_are_read_where_nixos_has_them(nixos: &BTreeMap<String, serde_json::Value>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nix/workloads.nix");
    let text = std::fs::read_to_string(file).unwrap();
    let paths = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c))
        .filter(|word| {
            ["services.", "virtualisation."]
                .iter()
                .any(|root| word.starts_with(root))
        });
    let mut compared = 0;
    for path in paths {
        let service: Vec<&str> = path.splitn(3, '.').collect();
        let known = format!("{}.{}.", service[0], service[1]);
        if !nixos.keys().any(|option| option.starts_with(&known)) {
            continue;
        }
        let below = format!("{path}.");
        let ahead = nixos.keys().any(|option| option.starts_with(&below));
        let option = nixos
            .iter()
            .find(|(option, _)| path == *option || path.starts_with(&format!("{option}.")));
        assert!(ahead || option.is_some(), "NixOS has no option {path}");
        if let Some((name, option)) = option {
            assert_eq!(option.get("status"), None, "{name} is only another name of one");
        }
        compared += 1;
    }
    assert!(compared >= 8, "only {compared} options of services were compared");
}
