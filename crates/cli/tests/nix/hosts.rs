//! The example of three hosts: every check passes, and fails once its layout is made wrong.

use std::path::Path;

use crate::machine::{Machine, Run, copy_folder};

/// A host, an edit that makes its layout wrong, and the finding that says so.
const WRONG: &[(&str, (&str, &str), &str)] = &[
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
