//! What is generated from the module and the program, and kept in the repository.

use std::path::Path;
use std::process::Command;

use expect_test::expect_file;

use crate::machine::Machine;

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
