//! `collect`, and what `facts`, `drift` and `check` make of its bundles.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what did not run"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_disko-advise");

fn run(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).output().unwrap()
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {stderr}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn manifest(bundle: &Path) -> Value {
    let text = fs::read(bundle.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&text).unwrap();
    let schema: Value = serde_json::from_str(&succeeds(&run(&["schema", "manifest"]))).unwrap();
    valid(&schema, &manifest);
    manifest
}

#[track_caller]
fn valid(schema: &Value, document: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|it| it.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// The steps of a program.
fn steps<'a>(manifest: &'a Value, program: &str) -> Vec<&'a Value> {
    manifest["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["command"][0] == *program)
        .collect()
}

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs `collect` with programs of our own before the real ones.
fn collect_with(tools: &Path, args: &[&str]) -> Output {
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    Command::new(BINARY)
        .arg("collect")
        .args(args)
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn tools_that_hang_or_never_stop_do_not_hold_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).unwrap();
    script(
        &tools,
        "lsblk",
        "echo '{ \"blockdevices\": ['; trap '' INT TERM; sleep 1000 & sleep 1000",
    );
    script(
        &tools,
        "findmnt",
        "while :; do echo findmnt findmnt findmnt; done",
    );
    script(&tools, "df", "echo df: no such thing >&2; exit 7");
    let bundle = folder.path().join("bundle");
    let started = Instant::now();
    succeeds(&collect_with(
        &tools,
        &["-o", bundle.to_str().unwrap(), "--limit", "2s"],
    ));
    assert!(
        started.elapsed() < Duration::from_secs(240),
        "the limits are seconds; a thousand is a hang"
    );

    let manifest = manifest(&bundle);
    assert_eq!(manifest["complete"], true);
    let lsblk = steps(&manifest, "lsblk")[0];
    assert_eq!(
        (&lsblk["timed_out"], &lsblk["signal"]),
        (&Value::Bool(true), &Value::from(9))
    );
    assert!(lsblk["file"].is_null());
    let findmnt = steps(&manifest, "findmnt")[0];
    assert!(
        findmnt["cut"] == true || findmnt["timed_out"] == true,
        "{findmnt}"
    );
    // Half a document is none, and what is none is no document at all.
    assert!(!bundle.join("findmnt.json").exists());
    let df = steps(&manifest, "df")[0];
    assert_eq!(
        (&df["status"], &df["error"]),
        (&Value::from(7), &Value::from("df: no such thing"))
    );
    assert!(!bundle.join("df.txt").exists());
}

#[test]
fn serial_numbers_stay_home_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).unwrap();
    const SERIAL: &str = "WD-WCC4E1234567";
    const UUID: &str = "6f1c7a0e-aaaa-bbbb-cccc-444455556666";
    script(
        &tools,
        "lsblk",
        &format!(
            r#"echo '{{"blockdevices": [{{"name": "sdz", "kname": "sdz", "path": "/dev/sdz", "type": "disk", "size": 1000204886016, "serial": "{SERIAL}", "wwn": "0x50014ee2b1234567", "uuid": "{UUID}", "fstype": "btrfs"}}]}}'"#
        ),
    );
    script(
        &tools,
        "smartctl",
        &format!(
            r#"echo '{{"serial_number": "{SERIAL}", "wwn": {{"naa": 5, "oui": 5358, "id": 11234567890}}}}'"#
        ),
    );
    let all = |bundle: &Path| -> String {
        fs::read_dir(bundle)
            .unwrap()
            .map(|entry| String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned())
            .collect()
    };
    let masked = folder.path().join("masked");
    succeeds(&collect_with(&tools, &["-o", masked.to_str().unwrap()]));
    let text = all(&masked);
    for secret in [SERIAL, UUID, "50014ee2b1234567", "11234567890"] {
        assert!(!text.contains(secret), "{secret} is in the masked bundle");
    }
    let smartctl: Value =
        serde_json::from_slice(&fs::read(masked.join("smartctl-sdz.json")).unwrap()).unwrap();
    let lsblk: Value = serde_json::from_slice(&fs::read(masked.join("lsblk.json")).unwrap()).unwrap();
    assert_eq!(
        smartctl["serial_number"], lsblk["blockdevices"][0]["serial"],
        "what joins the two files still does"
    );
    assert_eq!(manifest(&masked)["masked"], true);

    let whole = folder.path().join("whole");
    succeeds(&collect_with(
        &tools,
        &["--unmasked", "-o", whole.to_str().unwrap()],
    ));
    let text = all(&whole);
    assert!(text.contains(SERIAL) && text.contains(UUID));
    assert_eq!(manifest(&whole)["masked"], false);
}

#[test]
fn a_bundle_is_readable_by_its_owner_alone_and_replaces_only_bundles() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("deep/er/bundle");
    let shown = bundle.to_str().unwrap();
    succeeds(&run(&["collect", "-o", shown]));
    assert_eq!(fs::metadata(&bundle).unwrap().permissions().mode() & 0o777, 0o700);
    succeeds(&run(&["collect", "-o", shown]));

    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.txt"), "years of work").unwrap();
    let refused = run(&["collect", "-o", other.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is not empty and no bundle"));
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}

#[test]
fn interrupted_it_leaves_a_usable_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let mut child = Command::new(BINARY)
        .args(["collect", "--duration", "600s", "-o", bundle.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().starts_with("watching for 600 s")),
        "it never began to watch"
    );
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        rest.iter().any(|line| line.starts_with("interrupted: ")),
        "{rest:?}"
    );

    let manifest = manifest(&bundle);
    assert_eq!(
        (&manifest["complete"], &manifest["interrupted"]),
        (&Value::Bool(false), &Value::Bool(true))
    );
    assert!(manifest["sampled_seconds"].as_u64().unwrap() < 600);
    let facts: Value = serde_json::from_str(&succeeds(&run(&[
        "facts",
        bundle.to_str().unwrap(),
        "--format",
        "json",
    ])))
    .unwrap();
    assert!(!facts["facts"].as_array().unwrap().is_empty());
}

#[test]
fn interrupted_early_it_lists_only_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let mut child = Command::new(BINARY)
        .args(["collect", "-o", bundle.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(" /proc/")));
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    lines.for_each(|line| drop(line.unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let manifest = manifest(&bundle);
    assert_eq!(manifest["complete"], false);
    for step in manifest["steps"].as_array().unwrap() {
        if let Some(file) = step["file"].as_str() {
            assert!(bundle.join(file).is_file(), "{step}");
        }
    }
    succeeds(&run(&["facts", bundle.to_str().unwrap()]));
}

/// Filesystems on loop devices, unmounted and detached when they go, whatever happens.
struct Scratch {
    folder: tempfile::TempDir,
    devices: Vec<String>,
    mounted: Vec<PathBuf>,
}

#[track_caller]
fn must(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|why| panic!("{program}: {why}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Scratch {
    /// btrfs with two subvolumes, ext4 and xfs; `None` where that cannot be.
    fn new() -> Option<Self> {
        let root = Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|it| it.stdout == b"0\n");
        let tools = ["mkfs.btrfs", "mkfs.ext4", "mkfs.xfs"]
            .iter()
            .all(|tool| Command::new(tool).arg("-V").output().is_ok());
        if !(root && tools && Path::new("/dev/loop-control").exists()) {
            eprintln!(
                "NOT RUN: needs root, loop devices, btrfs-progs, e2fsprogs and xfsprogs \
                 (apt-get install btrfs-progs e2fsprogs xfsprogs)"
            );
            return None;
        }
        let mut scratch = Self {
            folder: tempfile::tempdir().unwrap(),
            devices: Vec::new(),
            mounted: Vec::new(),
        };
        // Another user has to get to what is mounted below.
        fs::set_permissions(scratch.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for kind in ["btrfs", "ext4", "xfs"] {
            let image = scratch.folder.path().join(kind);
            fs::File::create(&image).unwrap().set_len(512 << 20).unwrap();
            let device = must("losetup", &["--find", "--show", image.to_str().unwrap()]);
            scratch.devices.push(device.clone());
            must(&format!("mkfs.{kind}"), &["-q", &device]);
        }
        let top = scratch.at("top");
        scratch.mount(0, "top", "rw");
        for name in ["root", "home"] {
            must(
                "btrfs",
                &["subvolume", "create", top.join(name).to_str().unwrap()],
            );
        }
        must("umount", &[top.to_str().unwrap()]);
        scratch.mounted.pop();
        scratch.mount(0, "pool", "subvol=root,noatime");
        scratch.mount(0, "pool/home", "subvol=home,compress=zstd:1");
        scratch.mount(1, "ext4", "noatime,discard");
        scratch.mount(2, "xfs", "rw");
        Some(scratch)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("mnt").join(name)
    }

    fn mount(&mut self, device: usize, name: &str, options: &str) {
        let at = self.at(name);
        fs::create_dir_all(&at).unwrap();
        must(
            "mount",
            &["-o", options, &self.devices[device], at.to_str().unwrap()],
        );
        self.mounted.push(at);
    }

    fn layout(&self) -> String {
        let disk = |name: &str, device: usize, content: String| {
            format!(
                r#"disko.devices.disk.{name} = {{ type = "disk"; device = "{}"; content = {content}; }};"#,
                self.devices[device]
            )
        };
        let shown = |name: &str| self.at(name).display().to_string();
        format!(
            "{{\n{}\n{}\n{}\n}}\n",
            disk(
                "one",
                0,
                format!(
                    r#"{{ type = "btrfs"; subvolumes = {{
                         "/root" = {{ mountpoint = "{}"; mountOptions = [ "noatime" ]; }};
                         "/home" = {{ mountpoint = "{}"; mountOptions = [ "compress=zstd:1" ]; }};
                       }}; }}"#,
                    shown("pool"),
                    shown("pool/home")
                )
            ),
            disk(
                "two",
                1,
                format!(
                    r#"{{ type = "filesystem"; format = "ext4"; mountpoint = "{}"; mountOptions = [ "noatime" ]; }}"#,
                    shown("ext4")
                )
            ),
            disk(
                "three",
                2,
                format!(
                    r#"{{ type = "filesystem"; format = "xfs"; mountpoint = "{}"; mountOptions = [ "logbsize=256k" ]; }}"#,
                    shown("xfs")
                )
            ),
        )
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for at in self.mounted.iter().rev() {
            let _ = Command::new("umount").arg("--lazy").arg(at).status();
        }
        for device in &self.devices {
            let _ = Command::new("losetup").args(["--detach", device]).status();
        }
    }
}

/// Writes to the three filesystems until it is told to stop.
fn load(
    scratch: &Scratch,
) -> (
    std::sync::Arc<std::sync::atomic::AtomicBool>,
    Vec<std::thread::JoinHandle<()>>,
) {
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let threads = ["pool/home", "ext4", "xfs"]
        .map(|name| {
            let path = scratch.at(name).join("load");
            let stop = std::sync::Arc::clone(&stop);
            std::thread::spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let mut file = fs::File::create(&path).unwrap();
                    for _ in 0..64 {
                        file.write_all(&[7; 16 << 10]).unwrap();
                    }
                    file.sync_all().unwrap();
                    // Enough to be seen; other tests want the disk too.
                    std::thread::sleep(Duration::from_millis(50));
                }
            })
        })
        .into();
    (stop, threads)
}

#[test]
fn a_bundle_of_real_filesystems_under_load_replays() {
    let Some(scratch) = Scratch::new() else { return };
    let bundle = scratch.folder.path().join("bundle");
    let (stop, threads) = load(&scratch);
    let collected = run(&["collect", "--duration", "2s", "-o", bundle.to_str().unwrap()]);
    // The same by somebody who may do little, with a copy of the program that they may run.
    let binary = scratch.folder.path().join("disko-advise");
    fs::copy(BINARY, &binary).unwrap();
    let theirs = scratch.folder.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    must("chown", &["65534:65534", theirs.to_str().unwrap()]);
    let as_nobody_with = |capabilities: &[&str], program: &Path, args: &[&str]| {
        Command::new("setpriv")
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .args(capabilities)
            .arg(program)
            .args(args)
            .output()
            .unwrap()
    };
    let as_nobody = |program: &Path, args: &[&str]| as_nobody_with(&[], program, args);
    let to = theirs.to_str().unwrap();
    // A builder of Nix works in a folder that nobody else may look into.
    let reachable = as_nobody(Path::new("test"), &["-w", to]).status.success();
    let unprivileged = reachable.then(|| as_nobody(&binary, &["collect", "--duration", "1s", "-o", to]));
    if !reachable {
        eprintln!("NOT RUN without privileges: the temporary folder is closed to other users");
    }
    // By one who is not root and has the capabilities that the tools need, as a service may have them.
    let capable = scratch.folder.path().join("capable");
    fs::create_dir(&capable).unwrap();
    must("chown", &["65534:65534", capable.to_str().unwrap()]);
    let needed = "+sys_admin,+sys_rawio,+dac_read_search,+syslog";
    let needed = ["--inh-caps", needed, "--ambient-caps", needed];
    let privileged =
        reachable.then(|| as_nobody_with(&needed, &binary, &["collect", "-o", capable.to_str().unwrap()]));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    threads.into_iter().for_each(|it| it.join().unwrap());
    succeeds(&collected);
    privileged.iter().for_each(|it| {
        succeeds(it);
    });
    unprivileged.iter().for_each(|it| {
        succeeds(it);
    });

    let ours = manifest(&bundle);
    assert_eq!(
        (&ours["complete"], &ours["as_root"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    let answered = steps(&ours, "btrfs")
        .iter()
        .filter(|it| it["status"] == 0)
        .count();
    assert!(answered >= 4, "{ours}");
    if reachable {
        let least = manifest(&theirs);
        assert_eq!(least["as_root"], false);
        let refused: Vec<&str> = least["steps"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|step| step["error"].as_str())
            .collect();
        assert!(
            refused.iter().any(|why| why.contains("not permitted")),
            "{refused:?}"
        );
        let capable = manifest(&capable);
        assert_eq!(
            (&capable["as_root"], &capable["lacking"]),
            (&Value::Bool(false), &ours["lacking"])
        );
        let failed = |manifest: &Value| -> Vec<String> {
            let steps = steps(manifest, "btrfs").into_iter();
            let failed = steps.filter(|it| it["status"] != 0);
            failed.map(|it| it["command"].to_string()).collect()
        };
        assert_eq!(
            failed(&capable),
            failed(&ours),
            "capabilities are enough for btrfs"
        );
    }

    // Nothing in it tells which filesystem this was.
    let mut uuid = String::new();
    for entry in fs::read_dir("/sys/fs/btrfs").unwrap() {
        let path = entry.unwrap().path();
        let device = scratch.devices[0].trim_start_matches("/dev/");
        if path.join("devices").join(device).exists() {
            uuid = path.file_name().unwrap().to_string_lossy().into_owned();
        }
    }
    assert_eq!(uuid.len(), 36);
    for entry in fs::read_dir(&bundle).unwrap() {
        let path = entry.unwrap().path();
        let mut text = Vec::new();
        fs::File::open(&path).unwrap().read_to_end(&mut text).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(&uuid), "{} names the filesystem", path.display());
    }

    let layout = scratch.folder.path().join("layout.nix");
    fs::write(&layout, scratch.layout()).unwrap();
    let layout = layout.to_str().unwrap();
    let others = [&theirs, &capable].into_iter().filter(|_| reachable);
    for facts in std::iter::once(&bundle).chain(others) {
        let facts = facts.to_str().unwrap();
        let report: Value = serde_json::from_str(&succeeds(&run(&[
            "facts", layout, "--facts", facts, "--format", "json",
        ])))
        .unwrap();
        let schema: Value = serde_json::from_str(&succeeds(&run(&["schema", "facts"]))).unwrap();
        valid(&schema, &report);
        for name in ["pool", "pool/home", "ext4", "xfs"] {
            let mountpoint = scratch.at(name).display().to_string();
            let layers = report["layers"].as_array().unwrap();
            let mount = layers
                .iter()
                .find(|it| it["kind"] == "mount" && it["name"] == *mountpoint)
                .unwrap_or_else(|| panic!("{mountpoint} is not in the stack"));
            assert_eq!(
                (&mount["declared"], &mount["observed"]),
                (&Value::Bool(true), &Value::Bool(true))
            );
            assert!(!mount["figures"].as_array().unwrap().is_empty(), "{mount}");
        }
        for fact in report["facts"].as_array().unwrap() {
            assert!(
                !fact["places"].as_array().unwrap().is_empty(),
                "{fact} says not from where"
            );
        }

        let drift: Value = serde_json::from_str(&succeeds(&run(&[
            "drift", layout, "--facts", facts, "--format", "json",
        ])))
        .unwrap();
        let row = |subject: &str, setting: &str| {
            let subject = scratch.at(subject).display().to_string();
            let rows = drift["rows"].as_array().unwrap();
            rows.iter()
                .find(|it| it["subject"] == *subject && it["setting"] == *setting)
                .unwrap_or_else(|| panic!("no row of {subject} {setting}"))
                .clone()
        };
        // The kernel itself shows that the first mount decided.
        let home = row("pool/home", "compress");
        assert_eq!(
            (
                &home["declared"]["value"],
                &home["live"]["value"],
                &home["next_boot"]["value"]
            ),
            (&Value::from("zstd:1"), &Value::from("off"), &Value::from("off"))
        );
        assert_eq!(row("pool", "compress")["recommended"]["value"], "zstd:1");
        assert_eq!(row("ext4", "discard")["live"]["value"], "on");
        assert_eq!(row("xfs", "logbsize")["rebuild"], "next-boot");

        let check = run(&["check", layout, "--facts", facts]);
        assert_eq!(check.status.code(), Some(1));
        let text = String::from_utf8_lossy(&check.stdout);
        assert!(text.contains("btrfs-compress-missing-on-root"), "{text}");
        assert!(text.contains("sources contradict each other"), "{text}");
        // The finding tells it; the contradiction is not told once more.
        let contradictions = text.split("sources contradict each other").nth(1).unwrap();
        assert!(!contradictions.contains("compress"), "{contradictions}");
    }
}
