//! What `tuning` prints, imported beside the real disko in the real module system.
//!
//! The cases are the examples on the rules' pages: every one that asks for a setting outside the layout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine;
use crate::module::Hosts;

/// An example on a page.
#[derive(Default)]
pub(crate) struct Example {
    /// Names and texts.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) workloads: Vec<String>,
}

/// Every example on a page.
pub(crate) fn examples(page: &str) -> Vec<Example> {
    let mut all = Vec::new();
    let mut example = Example::default();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if info == "report" {
            all.push(std::mem::take(&mut example));
            continue;
        }
        for word in info.split(' ') {
            if let Some(name) = word.strip_prefix("file=") {
                example.files.push((name.to_owned(), block.join("\n") + "\n"));
            } else if let Some(name) = word.strip_prefix("workload=") {
                example.workloads.push(name.to_owned());
            }
        }
    }
    all
}

/// Writes an example and its fragment into a folder; nothing when there is nothing to set.
pub(crate) fn case(folder: &Path, example: &Example) -> bool {
    std::fs::create_dir_all(folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_disko-advise"));
    command.current_dir(folder).args(["tuning", "disko.nix"]);
    for (name, text) in &example.files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if !name.ends_with(".nix") && name != "disko-advise.toml" {
            command.args(["--facts", name]);
        }
    }
    for name in &example.workloads {
        command.args(["--workload", name]);
    }
    let output = command.output().unwrap();
    std::fs::write(folder.join("tuning.nix"), &output.stdout).unwrap();
    output.status.success() && output.stdout.starts_with(b"# Storage tuning")
}

/// A folder for each example on a rule's page that leads to a fragment.
fn every_case(cases: &Path) {
    let mut pages: Vec<PathBuf> = Vec::new();
    machine::files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/src"),
        &mut pages,
    );
    pages.retain(|file| file.extension().is_some_and(|it| it == "md"));
    pages.sort();
    for page in &pages {
        let name = page.file_stem().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(page).unwrap();
        for (number, example) in examples(&text).iter().enumerate() {
            let folder = cases.join(format!("{name}-{number}"));
            let has_layout = example.files.iter().any(|(name, _)| name == "disko.nix");
            if !has_layout || !case(&folder, example) {
                let _ = std::fs::remove_dir_all(&folder);
            }
        }
    }
}

/// Neither formatter that people use on their repositories changes a fragment.
#[test]
fn fragments_are_what_formatters_make_of_them() {
    let cases = tempfile::tempdir().unwrap();
    every_case(cases.path());
    let mut compared = 0;
    for entry in std::fs::read_dir(cases.path()).unwrap() {
        let file = entry.unwrap().path().join("tuning.nix");
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(nixpkgs_fmt::reformat_string(&text), text);
        assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} fragments were compared");
}

/// Our own files are what `nix fmt` makes of them; UPDATE_EXPECT formats them.
#[test]
fn our_nix_is_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("flake.nix"), root.join("default.nix")];
    for folder in [
        "dev",
        "examples",
        "modules",
        "nix",
        "tests/nix",
        "tests/nixpkgs-stand-in",
    ] {
        if root.join(folder).exists() {
            machine::files(&root.join(folder), &mut files);
        }
    }
    files.retain(|file| file.extension().is_some_and(|it| it == "nix") && file.exists());
    // Inside a Nix build there are only the examples.
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        expect_test::expect_file![file.canonicalize().unwrap()].assert_eq(&nixfmt_rs::format(&text).unwrap());
    }
}

/// What we set is what NixOS declares, of the type that the stand-in gives it: `NIXOS_OPTIONS` names a JSON
/// file of the options of NixOS's storage modules, as its documentation lists them (`type`, and `status` of
/// one that is renamed or removed). A module that is not in it proves nothing.
fn nixos_has(hosts: &Hosts, set: &BTreeSet<String>) {
    const TEST: &str = "nixos_has";
    let Some(file) = std::env::var_os("NIXOS_OPTIONS") else {
        return machine::not_run(TEST, "set NIXOS_OPTIONS to a list of NixOS's options");
    };
    let text = std::fs::read_to_string(file).unwrap();
    let nixos: serde_json::Value = serde_json::from_str(&text).unwrap();
    let declared = hosts.json("", "import ./tests/nix/declared.nix { inherit pkgs; }");
    // Also what the module itself sets.
    let by_module = [
        "assertions",
        "services.udev.extraRules",
        "system.checks",
        "system.preSwitchChecks",
        "warnings",
    ];
    let mut compared = 0;
    for option in set.iter().map(String::as_str).chain(by_module) {
        // A key of a set without a declaration for each.
        let option = option.split(".\"").next().unwrap();
        let module = option.rsplit_once('.').map_or(option, |(module, _)| module);
        let known = nixos.as_object().unwrap().keys();
        let Some(real) = nixos.get(option) else {
            let covered = known.into_iter().any(|it| it.starts_with(&format!("{module}.")));
            assert!(!covered, "NixOS has no option {option}");
            continue;
        };
        assert_eq!(real.get("status"), None, "{option}");
        assert_eq!(real["readOnly"], false, "{option}");
        assert_eq!(real["type"], declared[option]["type"], "{option}");
        compared += 1;
    }
    assert!(compared >= 8, "only {compared} options were compared");
}

#[test]
fn fragments_set_what_they_say_and_give_way() {
    for hosts in Hosts::each("fragments_set_what_they_say_and_give_way") {
        let cases = tempfile::tempdir().unwrap();
        every_case(cases.path());
        let judged = hosts.json(
            "",
            &format!(
                "import ./tests/nix/fragments.nix {{ inherit pkgs disko; cases = \"{}\"; }}",
                cases.path().canonicalize().unwrap().display()
            ),
        );
        let judged = judged.as_array().unwrap();
        let mut options = BTreeSet::new();
        for case in judged {
            let name = &case["name"];
            for option in case["options"].as_array().unwrap() {
                options.insert(option.as_str().unwrap().to_owned());
            }
            for how in ["imported", "byModule", "overDefaults"] {
                assert_eq!(case[how], case["wanted"], "{name} {how} {}", case["options"]);
            }
            assert_eq!(case["underPerson"], case["person"], "{name} {}", case["options"]);
            assert_eq!(case["withoutEnable"], true, "{name}");
            assert_eq!(case["mounts"], true, "{name}");
            assert_eq!(case["rendered"], true, "{name}");
        }
        nixos_has(&hosts, &options);
        let options: Vec<_> = options.into_iter().collect();
        expect_test::expect![[r#"
        boot.kernel.sysctl."vm.dirty_background_bytes"
        boot.kernel.sysctl."vm.dirty_bytes"
        boot.kernel.sysctl."vm.page-cluster"
        boot.kernel.sysctl."vm.swappiness"
        boot.kernelParams
        hardware.block.defaultSchedulerRotational
        zramSwap.enable
        zramSwap.priority"#]]
        .assert_eq(&options.join("\n"));
        assert!(judged.len() >= 5, "only {} fragments were judged", judged.len());
    }
}
