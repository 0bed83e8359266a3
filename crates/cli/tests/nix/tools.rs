//! The tools that deploy and evaluate fleets, as the documentation has them run: colmena, nix-eval-jobs.

use std::path::{Path, PathBuf};

use crate::hosts::WRONG;
use crate::machine::{Machine, Run, copy_folder, not_run};

/// A flake whose inputs are folders of this machine, written down in its lock file: these tools take no
/// `--override-input`.
fn lock(nix: &Machine, folder: &Path, inputs: &[(&str, &Path)]) -> Result<(), String> {
    let mut arguments = vec!["nix", "flake", "lock", "--impure"];
    let inputs: Vec<_> = inputs
        .iter()
        .map(|(name, path)| (*name, format!("path:{}", path.display())))
        .collect();
    for (name, path) in &inputs {
        arguments.extend(["--override-input", name, path]);
    }
    nix.run(folder, &arguments)?.good();
    Ok(())
}

/// What the documentation shows of colmena: a whole `flake.nix`.
fn documented(repository: &Path) -> String {
    let page = std::fs::read_to_string(repository.join("docs/ci.md")).unwrap();
    let (_, section) = page.split_once("### colmena\n").unwrap();
    let (_, block) = section.split_once("```nix\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// Makes the layout of a host wrong.
fn edit(folder: &Path, (name, (right, wrong), _): &(&str, (&str, &str), &str)) {
    let file = folder.join(format!("hosts/{name}.nix"));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(right), "{name}");
    std::fs::write(&file, text.replacen(right, wrong, 1)).unwrap();
}

/// The program of colmena, which is built where its source is.
fn colmena_of(source: &Path) -> Option<PathBuf> {
    ["release", "debug"]
        .iter()
        .map(|profile| source.join("target").join(profile).join("colmena"))
        .find(|program| program.exists())
}

#[test]
fn colmena_builds_no_wrong_layout() {
    const TEST: &str = "colmena_builds_no_wrong_layout";
    for nix in Machine::each(TEST) {
        let Some(disko) = nix.trees(TEST) else { continue };
        let tree = std::env::var_os("COLMENA").and_then(|it| PathBuf::from(it).canonicalize().ok());
        let Some((tree, program)) = tree.and_then(|it| Some((it.clone(), colmena_of(&it)?))) else {
            not_run(
                TEST,
                "set COLMENA to a source tree of colmena in which `cargo build` has run",
            );
            return;
        };
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().canonicalize().unwrap();
        let hive = folder.join("hive");
        copy_folder(&nix.repository.join("examples/hosts/hosts"), &hive.join("hosts")).unwrap();
        std::fs::write(hive.join("flake.nix"), documented(&nix.repository)).unwrap();
        // Without what was built in it, which all would be copied to the store.
        let colmena = folder.join("colmena");
        copy_folder(&tree, &colmena).unwrap();
        // Of what colmena's flake needs to make its packages, which are not asked for.
        let nothing = folder.join("nothing");
        std::fs::create_dir(&nothing).unwrap();
        let none = "{ outputs = _: { lib.eachSystem = _: _: { }; }; }";
        std::fs::write(nothing.join("flake.nix"), none).unwrap();

        let stand_in = nix.repository.join("tests/nixpkgs-stand-in");
        let locked = lock(
            nix,
            &hive,
            &[
                ("nixpkgs", &stand_in),
                ("disko", &disko),
                ("disko/nixpkgs", &stand_in),
                ("disko-advise", &nix.repository),
                ("disko-advise/nixpkgs", &stand_in),
                ("colmena", &colmena),
                ("colmena/nixpkgs", &stand_in),
                ("colmena/stable", &stand_in),
                ("colmena/nix-github-actions", &nothing),
                ("colmena/flake-compat", &nothing),
                ("colmena/flake-utils", &nothing),
            ],
        );
        if let Err(why) = locked {
            not_run(TEST, &why);
            continue;
        }
        let program = program.to_string_lossy();
        let colmena = |arguments: &[&str]| -> Run {
            // The stand-in reads the environment.
            nix.run(&hive, &[&[&*program, "--impure"], arguments].concat())
                .unwrap()
        };

        let set = colmena(&[
            "eval",
            "-E",
            "{ nodes, ... }: builtins.mapAttrs (_: node: node.config.disko.advise.failOn) nodes",
        ])
        .good();
        expect_test::expect![[r#"{"database":"warning","desktop":"warning","files":"warning"}"#]]
            .assert_eq(set.trim());

        let built = colmena(&["apply", "build"]);
        for (name, _, finding) in WRONG {
            assert!(built.stderr.contains(&format!("-nixos-system-{name}")));
            assert!(!built.stderr.contains(finding), "{}", built.stderr);
        }
        built.good();

        for wrong in WRONG {
            let (name, (_, _), finding) = wrong;
            let file = hive.join(format!("hosts/{name}.nix"));
            let right = std::fs::read_to_string(&file).unwrap();
            edit(&hive, wrong);
            let run = colmena(&["apply", "build"]);
            assert_ne!(run.status, Some(0), "{name}\n{}", run.stderr);
            for of_host in [
                format!("{name} | {finding}: "),
                format!("{name} | the disk layout of {name} does not pass: {finding}\n"),
            ] {
                assert!(run.stderr.contains(&of_host), "no `{of_host}` in\n{}", run.stderr);
            }
            for (other, _, _) in WRONG {
                let built = run.stderr.contains(&format!("{other} | Built \""));
                assert_eq!(built, other != name, "{other}\n{}", run.stderr);
            }
            // The same by the flake's own checks, which take their hosts from the hive.
            let check = |name: &str| {
                let output = format!(".#checks.x86_64-linux.{name}");
                nix.run(
                    &hive,
                    &[
                        "nix",
                        "build",
                        "--impure",
                        "--no-link",
                        "--print-build-logs",
                        &output,
                    ],
                )
                .unwrap()
            };
            let run = check(name);
            assert_eq!(run.status, Some(1), "{}", run.stderr);
            assert!(run.stderr.contains(finding), "{}", run.stderr);
            check("fleet").good();
            std::fs::write(&file, right).unwrap();
            check(name).good();
        }
        colmena(&["build"]).good();
    }
}

/// The jobs that `nix-eval-jobs` told of, by their names.
fn jobs(printed: &str) -> std::collections::BTreeMap<String, serde_json::Value> {
    printed
        .lines()
        .map(|line| {
            let job: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(job["attr"].is_string(), "no job: {line}");
            (job["attr"].as_str().unwrap().to_owned(), job)
        })
        .collect()
}

#[test]
fn nix_eval_jobs_tells_of_every_check() {
    const TEST: &str = "nix_eval_jobs_tells_of_every_check";
    // One Nix is enough beside the one that the program brings with it.
    let Some(nix) = Machine::each(TEST).next() else {
        return;
    };
    let Some(disko) = nix.trees(TEST) else { return };
    let Some(program) = std::env::var_os("NIX_EVAL_JOBS") else {
        not_run(TEST, "set NIX_EVAL_JOBS to the program `nix-eval-jobs`");
        return;
    };
    // Its lines are read with it, as the documentation does.
    if std::process::Command::new("jq")
        .arg("--version")
        .output()
        .is_err()
    {
        not_run(TEST, "`jq` cannot be run");
        return;
    }
    let program = program.to_string_lossy().into_owned();
    let temporary = tempfile::tempdir().unwrap();
    let hosts = temporary.path().canonicalize().unwrap().join("hosts");
    copy_folder(&nix.repository.join("examples/hosts"), &hosts).unwrap();
    let stand_in = nix.repository.join("tests/nixpkgs-stand-in");
    let locked = lock(
        nix,
        &hosts,
        &[
            ("nixpkgs", &stand_in),
            ("disko", &disko),
            ("disko/nixpkgs", &stand_in),
            ("disko-advise", &nix.repository),
            ("disko-advise/nixpkgs", &stand_in),
        ],
    );
    if let Err(why) = locked {
        return not_run(TEST, &why);
    }
    // Older ones take no relative path.
    let roots = hosts.join("gcroots").to_string_lossy().into_owned();
    let evaluate = |arguments: &[&str]| {
        let common = [
            &*program,
            "--impure",
            "--workers",
            "2",
            "--gc-roots-dir",
            &*roots,
            "--option",
            "allow-import-from-derivation",
            "false",
        ];
        nix.run(&hosts, &[&common, arguments].concat()).unwrap()
    };
    let checks = jobs(&evaluate(&["--flake", ".#checks.x86_64-linux"]).good());
    assert_eq!(
        checks.keys().collect::<Vec<_>>(),
        ["database", "desktop", "files", "fleet"]
    );
    let derivation = |job: &serde_json::Value| {
        assert_eq!(job.get("error"), None, "{job}");
        assert_eq!(job["system"], "x86_64-linux", "{job}");
        job["drvPath"].as_str().unwrap().to_owned()
    };
    for job in checks.values() {
        let drv = derivation(job);
        let root = hosts.join("gcroots").join(Path::new(&drv).file_name().unwrap());
        assert!(root.symlink_metadata().is_ok(), "{drv} is not kept");
    }

    // As Hydra calls it for a flake (NixOS/hydra, `hydra-eval-jobset`); older ones know no `--select`.
    let help = evaluate(&["--help"]);
    if (help.stdout + &help.stderr).contains("--select") {
        let hydra = evaluate(&[
            "--option",
            "eval-cache",
            "false",
            "--flake",
            ".",
            "--select",
            "flake: flake.outputs.hydraJobs or flake.outputs.checks",
            "--max-jobs",
            "1",
            "--meta",
            "--constituents",
            "--force-recurse",
            "--max-memory-size",
            "4096",
        ]);
        let hydra = jobs(&hydra.good());
        assert_eq!(hydra.len(), checks.len());
        for (name, job) in &checks {
            let of_hydra = &hydra[&format!("checks.x86_64-linux.{name}")];
            assert_eq!(derivation(of_hydra), derivation(job), "{name}");
        }
    } else {
        not_run(
            TEST,
            "this nix-eval-jobs knows no --select, so it is not called as by Hydra",
        );
    }

    // What the documentation has a person type.
    let pipe = || {
        let script = format!(
            "set -o pipefail; '{program}' --impure --flake .#checks.x86_64-linux --workers 8 \
                 --gc-roots-dir \"$PWD/gcroots\" | jq --raw-output '.drvPath // error(.error)' | xargs \
                 nix-store --realise --keep-going"
        );
        nix.run(&hosts, &["bash", "-c", &script]).unwrap()
    };
    assert_eq!(pipe().good().lines().count(), 4);
    for wrong in WRONG {
        edit(&hosts, wrong);
    }
    let run = pipe();
    assert_ne!(run.status, Some(0));
    for (name, _, finding) in WRONG {
        for line in [
            format!("{finding}: "),
            format!("the disk layout of {name} does not pass: {finding}\n"),
        ] {
            assert!(run.stderr.contains(&line), "no `{line}` in\n{}", run.stderr);
        }
    }
    // One host that cannot be evaluated takes none of the others with it.
    std::fs::write(
        hosts.join("hosts/files.nix"),
        "{ disko.devices = throw \"no disk is known\"; }",
    )
    .unwrap();
    let run = pipe();
    assert_ne!(run.status, Some(0));
    assert!(run.stderr.contains("no disk is known"), "{}", run.stderr);
    for (name, _, _) in WRONG {
        let judged = run
            .stderr
            .contains(&format!("the disk layout of {name} does not pass"));
        assert_eq!(judged, *name != "files", "{}", run.stderr);
    }
}
