//! Mounts a layout's subvolumes on a real btrfs, in the order in which NixOS mounts them, before and
//! after the advised edit, and reads from `/proc/mounts` what is in effect.
//!
//! Needs root, loop devices and btrfs-progs. Where they are missing it says so and does nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what did not run"
)]
#![expect(clippy::disallowed_methods, reason = "this test is about the world")]

use std::path::{Path, PathBuf};
use std::process::Command;

use disko_advise::layout::Layout;
use disko_advise::source::{Files, MemoryWorld};
use disko_advise::{Evaluation, Question, advise, declare};

/// The layout of disko's `example/btrfs-subvolumes.nix`, from its tree when `DISKO` names it, or
/// one of the same shape.
fn layout_text() -> String {
    match std::env::var_os("DISKO") {
        Some(tree) => std::fs::read_to_string(Path::new(&tree).join("example/btrfs-subvolumes.nix")).unwrap(),
        None => {
            eprintln!("DISKO is not set: a layout of the same shape stands in for disko's own example");
            include_str!("../../../tests/cases/compression-not-on-root.nix").to_owned()
        }
    }
}

fn declared(text: &str) -> Layout {
    let world = MemoryWorld::new().with("/disko.nix", text);
    declare(
        &world,
        &Files::new(),
        Path::new("/disko.nix"),
        &Evaluation::default(),
        &|| false,
    )
    .layout
}

/// Runs a program that must succeed, and gives what it printed.
#[track_caller]
fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|why| panic!("{program}: {why}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A btrfs in a file; unmounted and detached when it goes.
struct Scratch {
    folder: tempfile::TempDir,
    device: String,
}

impl Scratch {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        std::fs::File::create(&image).unwrap().set_len(512 << 20).unwrap();
        let device = run("losetup", &["--find", "--show", image.to_str().unwrap()]);
        run("mkfs.btrfs", &["--quiet", &device]);
        Self { folder, device }
    }

    fn at(&self, mountpoint: &str) -> PathBuf {
        self.folder
            .path()
            .join("root")
            .join(mountpoint.trim_start_matches('/'))
    }

    fn make_subvolumes(&self, layout: &Layout) {
        let top = self.folder.path().join("top");
        std::fs::create_dir_all(&top).unwrap();
        run("mount", &[&self.device, top.to_str().unwrap()]);
        for mount in layout.mounts.iter().filter(|it| &*it.fs_type == "btrfs") {
            let options = mount.options.iter().map(|it| &*it.value);
            let Some(name) = options.filter_map(|it| it.strip_prefix("subvol=")).next_back() else {
                continue;
            };
            let path = top.join(name.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            run("btrfs", &["subvolume", "create", path.to_str().unwrap()]);
        }
        run("umount", &[top.to_str().unwrap()]);
    }

    /// Mounts as NixOS does: `/`, then what the initrd needs, then the rest, outer before inner;
    /// gives the options in effect by mountpoint, and unmounts again.
    fn boot(&self, layout: &Layout) -> Vec<(String, String)> {
        let mut mounts: Vec<_> = layout
            .mounts
            .iter()
            .filter(|it| &*it.fs_type == "btrfs")
            .collect();
        mounts.sort_by_key(|it| {
            (
                &*it.mountpoint.value != "/",
                !it.needed_for_boot,
                it.mountpoint.value.clone(),
            )
        });
        for mount in &mounts {
            let at = self.at(&mount.mountpoint.value);
            std::fs::create_dir_all(&at).unwrap();
            let options: Vec<_> = mount.options.iter().map(|it| &*it.value).collect();
            run(
                "mount",
                &["-o", &options.join(","), &self.device, at.to_str().unwrap()],
            );
        }
        let table = std::fs::read_to_string("/proc/mounts").unwrap();
        let found = mounts
            .iter()
            .map(|mount| {
                let at = self.at(&mount.mountpoint.value);
                let at = at.to_str().unwrap().trim_end_matches('/');
                let line = table.lines().find(|line| line.split(' ').nth(1) == Some(at));
                let options = line
                    .and_then(|line| line.split(' ').nth(3))
                    .unwrap_or_else(|| panic!("{at} is not mounted"));
                (mount.mountpoint.value.to_string(), options.to_owned())
            })
            .collect();
        for mount in mounts.iter().rev() {
            run("umount", &[self.at(&mount.mountpoint.value).to_str().unwrap()]);
        }
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .args(["-R", "-q"])
            .arg(self.folder.path().join("root"))
            .status();
        let _ = Command::new("losetup").args(["--detach", &self.device]).status();
    }
}

fn can_mount() -> bool {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|it| it.stdout.starts_with(b"0\n"));
    let tools = Command::new("mkfs.btrfs").arg("--version").output().is_ok();
    let loops = Path::new("/dev/loop-control").exists();
    root && tools && loops
}

#[test]
fn compression_is_in_effect_after_the_advised_edit_and_not_before() {
    if !can_mount() {
        eprintln!("NOT RUN: needs root, loop devices and mkfs.btrfs (apt-get install btrfs-progs)");
        return;
    }
    let before = layout_text();
    let world = MemoryWorld::new().with("/disko.nix", &before);
    let evaluation = Evaluation::default();
    let advice = advise(Question::new(&world, Path::new("/disko.nix"), &evaluation));
    let after = &advice.edits.texts["/disko.nix"];

    let scratch = Scratch::new();
    let declared_before = declared(&before);
    let declared_after = declared(after);
    scratch.make_subvolumes(&declared_before);
    let compressed = |options: &str| options.split(',').any(|it| it.starts_with("compress="));

    let asked = declared_before
        .mounts
        .iter()
        .filter(|it| it.declared.has("compress"))
        .count();
    assert!(asked > 0, "the layout asks for compression somewhere");
    for (mountpoint, options) in scratch.boot(&declared_before) {
        assert!(
            !compressed(&options),
            "{mountpoint} is compressed before the edit: {options}"
        );
    }
    for (mountpoint, options) in scratch.boot(&declared_after) {
        assert!(
            compressed(&options),
            "{mountpoint} is not compressed after the edit: {options}"
        );
    }
}
