//! The example of three hosts: every check passes, and fails once its layout is made wrong.

use std::path::Path;

use crate::machine::{Machine, Run, copy_folder};

/// A host, an edit that makes its layout wrong, and the finding that says so.
pub(crate) const WRONG: &[(&str, (&str, &str), &str)] = &[
    (
        "desktop",
        (
            "mountOptions = [ \"compress=zstd\" ];\n                };\n                \"/home\".mountpoint = \"/home\";",
            "};\n                \"/home\" = { mountpoint = \"/home\"; mountOptions = [ \"compress=zstd\" ]; };",
        ),
        "warning[btrfs-compress-missing-on-root]",
    ),
    (
        "files",
        (
            "datasets.files = {",
            "datasets.swap = { type = \"zfs_volume\"; size = \"8G\"; content.type = \"swap\"; };\n      datasets.files = {",
        ),
        "error[zfs-swap-zvol]",
    ),
    (
        "database",
        ("[ \"noatime\" ]", "[ \"noatime\" \"nobarrier\" ]"),
        "error[xfs-removed-options]",
    ),
];

fn check(nix: &Machine, disko: &Path, hosts: &Path, name: &str) -> Run {
    let input = |path: &Path| format!("path:{}", path.display());
    nix.flake(
        &["build", "--no-link", "--print-build-logs"],
        &[
            "--override-input",
            "disko",
            &input(disko),
            "--override-input",
            "disko-advise",
            &input(&nix.repository),
            &format!("path:{}#checks.x86_64-linux.{name}", hosts.display()),
        ],
    )
}

#[test]
fn each_host_is_checked() {
    for nix in Machine::each("each_host_is_checked") {
        let Some(disko) = nix.trees("each_host_is_checked") else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().canonicalize().unwrap().join("hosts");
        copy_folder(&nix.repository.join("examples/hosts"), &hosts).unwrap();
        for (name, (right, wrong), finding) in WRONG {
            let file = hosts.join(format!("hosts/{name}.nix"));
            let mended = std::fs::read_to_string(&file).unwrap();
            check(nix, &disko, &hosts, name).good();

            assert!(mended.contains(right), "{name}");
            std::fs::write(&file, mended.replacen(right, wrong, 1)).unwrap();
            let run = check(nix, &disko, &hosts, name);
            assert_eq!(run.status, Some(1), "{name}\n{}", run.stderr);
            assert!(run.stderr.contains(finding), "{name}\n{}", run.stderr);

            std::fs::write(&file, mended).unwrap();
            check(nix, &disko, &hosts, name).good();
        }
    }
}

/// `nix-eval-jobs` and Hydra take each attribute by itself, build what it evaluates to elsewhere, and do not
/// build while they evaluate.
#[test]
fn each_check_is_a_job_by_itself() {
    const TEST: &str = "each_check_is_a_job_by_itself";
    for nix in Machine::each(TEST) {
        let Some(disko) = nix.trees(TEST) else { continue };
        let input = |path: &Path| format!("path:{}", path.display());
        let eval = |output: &str, apply: &str| -> serde_json::Value {
            let printed = nix
                .flake(
                    &[
                        "eval",
                        "--json",
                        "--option",
                        "allow-import-from-derivation",
                        "false",
                        "--apply",
                        apply,
                    ],
                    &[
                        "--override-input",
                        "disko",
                        &input(&disko),
                        "--override-input",
                        "disko-advise",
                        &input(&nix.repository),
                        &format!("{}#{output}", input(&nix.repository.join("examples/hosts"))),
                    ],
                )
                .good();
            serde_json::from_str(&printed).unwrap()
        };
        // What `nix-eval-jobs` tells of a job.
        const JOB: &str =
            "it: { inherit (it) type name system drvPath; outputs = it.outputs or [ it.outputName ]; }";
        let names = eval("checks.x86_64-linux", "builtins.attrNames");
        assert_eq!(
            names,
            serde_json::json!(["database", "desktop", "files", "fleet"])
        );
        let mut derivations = std::collections::BTreeSet::new();
        for name in names.as_array().unwrap() {
            let name = name.as_str().unwrap();
            let job = eval(&format!("checks.x86_64-linux.{name}"), JOB);
            assert_eq!(job["type"], "derivation", "{name}");
            assert_eq!(job["system"], "x86_64-linux", "{name}");
            assert_eq!(job["outputs"], serde_json::json!(["out"]), "{name}");
            assert!(
                derivations.insert(job["drvPath"].as_str().unwrap().to_owned()),
                "{name}"
            );
            // Hydra walks down sets to the same jobs.
            let hydra = eval(&format!("hydraJobs.checks.x86_64-linux.{name}"), JOB);
            assert_eq!(hydra, job, "{name}");
        }
    }
}
