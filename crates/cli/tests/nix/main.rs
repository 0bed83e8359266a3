//! The flake, under the real Nix of this machine.
//!
//! nixpkgs is stood in for by `tests/nixpkgs-stand-in`, whose derivations really run, with the programs of
//! this machine. The package installs the binary of this test run; with `NIX_FULL_BUILD` set it is built
//! and tested by cargo inside the derivation instead, which takes minutes.
//! Tests of the module need `NIXPKGS_LIB` and `DISKO`, copies of nixpkgs' folder `lib` and of disko.
//! Without `nix`, or inside a Nix build, each test says loudly that it did not run.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests stop at what is wrong"
)]

mod fleet;
mod fragments;
mod hosts;
mod live;
mod machine;
mod module;
mod options;
mod stale;
mod tools;

use expect_test::expect;
use machine::Machine;

#[test]
fn the_flake_is_sound() {
    for nix in Machine::each("the_flake_is_sound") {
        nix.flake(&["flake", "check", "--no-build"], &[]).good();
        let shown = nix.flake(&["flake", "show", "--json"], &[]).good();
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let mut names = Vec::new();
        outputs("", &shown, &mut names);
        names.retain(|name| !name.contains("aarch64"));
        expect![[r#"
        apps.x86_64-linux.advise
        apps.x86_64-linux.default
        checks.x86_64-linux.disko-advise
        flakeModules
        formatter.x86_64-linux
        lib
        nixosModules.default
        overlays.default
        packages.x86_64-linux.default
        packages.x86_64-linux.disko-advise
        templates.default
        templates.flake-parts"#]]
        .assert_eq(&names.join("\n"));
    }
}

fn outputs(path: &str, shown: &serde_json::Value, names: &mut Vec<String>) {
    let Some(attrs) = shown.as_object() else { return };
    if attrs.contains_key("type") || attrs.is_empty() {
        names.push(path.trim_start_matches('.').to_owned());
        return;
    }
    for (name, below) in attrs {
        outputs(&format!("{path}.{name}"), below, names);
    }
}

#[test]
fn the_package_holds_program_pages_and_completions() {
    for nix in Machine::each("the_package_holds_program_pages_and_completions") {
        let out = nix.build(".#disko-advise");
        let mut files = Vec::new();
        machine::files(&out, &mut files);
        let mut files: Vec<_> = files
            .iter()
            .map(|file| file.strip_prefix(&out).unwrap().display().to_string())
            .filter(|file| !file.contains("-wrapped"))
            .collect();
        files.sort();
        expect![[r#"
            bin/disko-advise
            share/bash-completion/completions/disko-advise.bash
            share/fish/vendor_completions.d/disko-advise.fish
            share/man/man1/disko-advise-apply.1
            share/man/man1/disko-advise-check.1
            share/man/man1/disko-advise-collect.1
            share/man/man1/disko-advise-completions.1
            share/man/man1/disko-advise-diff.1
            share/man/man1/disko-advise-drift.1
            share/man/man1/disko-advise-eval.1
            share/man/man1/disko-advise-explain.1
            share/man/man1/disko-advise-facts.1
            share/man/man1/disko-advise-fleet.1
            share/man/man1/disko-advise-layout.1
            share/man/man1/disko-advise-rules.1
            share/man/man1/disko-advise-schema.1
            share/man/man1/disko-advise-tuning.1
            share/man/man1/disko-advise.1
            share/zsh/site-functions/_disko-advise"#]]
        .assert_eq(&files.join("\n"));
    }
}

#[test]
fn nix_run_prints_the_report() {
    for nix in Machine::each("nix_run_prints_the_report") {
        for app in [".#advise", "."] {
            let run = nix.flake(&["run"], &[app, "--", "examples/laptop/disko.nix"]);
            let direct = std::process::Command::new(env!("CARGO_BIN_EXE_disko-advise"))
                .arg("examples/laptop/disko.nix")
                .current_dir(&nix.repository)
                .output()
                .unwrap();
            assert_eq!(run.status, Some(1), "{}", run.stderr);
            assert!(run.stdout.contains("warning[btrfs-compress-missing-on-root]"));
            assert_eq!(run.stdout, String::from_utf8_lossy(&direct.stdout));
        }
    }
}

/// The packaged program evaluates layouts with nixpkgs' own library.
#[test]
fn the_package_brings_the_library() {
    for nix in Machine::each("the_package_brings_the_library") {
        if nix.trees("the_package_brings_the_library").is_none() {
            continue;
        }
        // A function that is not built in.
        let layout = r#"{ lib, ... }: { disko.devices.disk.a = { type = "disk";
        device = "/dev/sd${toString (lib.strings.levenshtein "a" "bcd")}"; }; }"#;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("disko.nix");
        std::fs::write(&file, layout).unwrap();
        let args = ["layout", "--format", "json", &file.to_string_lossy()];
        let device = |printed: &[u8]| {
            let layout: serde_json::Value = serde_json::from_slice(printed).unwrap();
            layout.pointer("/devices/disk/a/device").cloned()
        };
        let direct = std::process::Command::new(env!("CARGO_BIN_EXE_disko-advise"))
            .args(args)
            .output()
            .unwrap();
        assert_eq!(device(&direct.stdout), None);
        let packaged = nix.flake(&["run"], &[&[".", "--"], &args[..]].concat()).good();
        assert_eq!(device(packaged.as_bytes()), Some("/dev/sd3".into()));
    }
}

#[test]
fn default_nix_gives_the_package() {
    for nix in Machine::each("default_nix_gives_the_package") {
        let of_flake = nix.flake(&["eval", "--raw"], &[".#disko-advise.drvPath"]).good();
        let expression = "(import ./default.nix { pkgs = (builtins.getFlake \"path:${toString ./tests/nixpkgs-stand-in}\").legacyPackages.${builtins.currentSystem}; }).name";
        let name = nix
            .nix(&["eval", "--raw", "--impure", "--expr", expression])
            .good();
        assert!(of_flake.ends_with(&format!("{name}.drv")), "{of_flake} {name}");
    }
}

/// `nix flake init -t` gives a folder that is the example.
#[test]
fn templates_are_the_examples() {
    for nix in Machine::each("templates_are_the_examples") {
        for (name, example, file) in [
            ("default", "hosts", "hosts/desktop.nix"),
            ("flake-parts", "flake-parts", "laptop.nix"),
        ] {
            let temporary = tempfile::tempdir().unwrap();
            let folder = temporary.path().join("new");
            let template = format!("path:{}#{name}", nix.repository.display());
            let to = folder.display().to_string();
            nix.nix(&["flake", "new", "--template", &template, &to]).good();
            for file in ["flake.nix", file] {
                let made = std::fs::read_to_string(folder.join(file)).unwrap();
                let ours = nix.repository.join("examples").join(example).join(file);
                assert_eq!(made, std::fs::read_to_string(ours).unwrap());
            }
        }
    }
}

/// The check itself gets by with builtins, so it is built, and fails, wherever there is a Nix.
#[test]
fn the_check_needs_no_library() {
    for nix in Machine::each("the_check_needs_no_library") {
        let check = |root: &str| {
            let expression = format!(
                "let pkgs = (builtins.getFlake \"path:${{toString ./tests/nixpkgs-stand-in}}\")\
                 .legacyPackages.${{builtins.currentSystem}}; advise = import ./nix/lib.nix; \
                 mount = options: {{ device = \"/dev/disk/by-label/nixos\"; fsType = \"btrfs\"; inherit options; }}; \
                 in (advise.mkFleetCheck {{ inherit pkgs; hosts.plain = advise.hostFacts {{ config = {{ fileSystems = {{ \
                 \"/\" = mount [ {root} ]; \"/home\" = mount [ \"subvol=home\" \"compress=zstd\" ]; }}; }}; }}; }}).plain"
            );
            nix.nix(&[
                "build",
                "--no-link",
                "--impure",
                "--print-build-logs",
                "--expr",
                &expression,
            ])
        };
        check("\"subvol=root\" \"compress=zstd\"").good();
        let run = check("\"subvol=root\"");
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(
            run.stderr.contains("warning[btrfs-compress-missing-on-root]"),
            "{}",
            run.stderr
        );
    }
}
