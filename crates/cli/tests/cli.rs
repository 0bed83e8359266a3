//! The binary as a person meets it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what did not run"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::{Expect, expect};

/// A layout whose compression has no effect.
const INEFFECTIVE: &str = r#"{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/nvme0n1";
    content = {
      type = "btrfs";
      subvolumes = {
        "/root" = { mountpoint = "/"; };
        "/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
      };
    };
  };
}
"#;

/// A layout in which nothing is wrong.
const FINE: &str = r#"{ disko.devices.disk.main = { type = "disk"; device = "/dev/sda"; }; }"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_disko-advise"))
            .args(args)
            .current_dir(self.0.path())
            .env_remove("NO_COLOR")
            .output()
            .unwrap()
    }

    /// Status, stdout and stderr in one text.
    #[track_caller]
    fn check(&self, args: &[&str], expected: &Expect) {
        let output = self.run(args);
        let whole = format!(
            "status {}\n{}{}",
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        // clap leaves blanks at the ends of lines.
        let trimmed: String = whole
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect();
        expected.assert_eq(&trimmed);
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn help_is_worth_reading() {
    Folder::new().check(
        &["--help"],
        &expect![[r#"
            status 0
            Storage-tuning advice for NixOS: reads your disko.nix, shows what is declared without effect or
            holds the machine back, and hands back a proven diff and a NixOS module.

            Without a verb, `check` is meant: `disko-advise disko.nix` reports.

            Exit status: 0, nothing at or above --fail-on; 1, findings; 2, could not run.

            Usage: disko-advise <COMMAND>

            Commands:
              check        Report what is wrong and what to do
              diff         Print the proven edits as a unified diff, for `patch -p1` or `git apply`
              apply        Write the proven, safe edits into the files
              tuning       Print a NixOS module with the settings that belong outside the layout
              layout       Print the typed layout, and the fileSystems and swapDevices that disko makes of it
              fleet        Sum up the reports of many hosts; status 2 when one of them could not be judged
              facts        Print what was observed, each figure with the line that it was read from
              drift        Compare declared, live, effective after the next boot, and recommended
              collect      Gather a bundle of facts on this machine; reads only, and says what it could not read
              eval         Evaluate a Nix file or expression, as `nix-instantiate --eval --strict` does
              explain      Show the page of a rule
              rules        List all rules
              schema       Print the JSON schema of an output
              completions  Print completions for a shell

            Options:
              -h, --help
                      Print help (see a summary with '-h')

              -V, --version
                      Print version
        "#]],
    );
    Folder::new().check(
        &["check", "--help"],
        &expect![[r#"
            status 0
            Report what is wrong and what to do

            Usage: disko-advise check [OPTIONS] [PATH]

            Arguments:
              [PATH]
                      A .nix file, a folder, or the JSON of an evaluated layout [default: this folder]

            Options:
                  --facts <PATH>
                      A facter.json, a folder of tool outputs, or one tool's output; may be given again

                  --workload <NAME[=MOUNTPOINT]>
                      Something that runs on the machine, and where its data is, such as
                      postgresql=/var/lib/postgresql

                  --symptom <TEXT>
                      What you complain about, in your words, such as "builds are slow"

                  --lib <PATH>
                      A nixpkgs lib to evaluate with, instead of the built-in one

                  --arg <NAME> <EXPR>
                      Give the function's argument NAME the value of a Nix expression

                  --argstr <NAME> <VALUE>
                      Give the function's argument NAME a string

                  --host <NAME>
                      Of a file with several hosts, read this one

                  --config <FILE>
                      The JSON of other NixOS options (`config`) that the layout reads

                  --format <FORMAT>
                      How to print the report

                      Possible values:
                      - text:   For people
                      - json:   For programs; `schema report` prints what is in it
                      - sarif:  SARIF 2.1.0, for code scanning
                      - github: Annotations of GitHub Actions
                      - gitlab: A code quality report of GitLab

                      [default: text]

                  --fail-on <FAIL_ON>
                      The severity from which on the exit status is 1 [default: warning]

                      Possible values:
                      - never:   Never: 0 even with errors
                      - info:    From a suggestion on
                      - warning: From a warning on
                      - error:   From an error on

              -h, --help
                      Print help (see a summary with '-h')
        "#]],
    );
}

#[test]
fn what_cannot_run_is_one_clear_line_and_status_2() {
    let folder = Folder::new()
        .with("fine.nix", FINE)
        .with("other.nix", "{ services.openssh.enable = true; }");
    folder.check(
        &["--no-such-flag"],
        &expect![[r#"
        status 2
        error: unexpected argument '--no-such-flag' found (see `disko-advise --help`)
    "#]],
    );
    folder.check(
        &["missing.nix"],
        &expect![[r#"
        status 2
        error: missing.nix: no such file or folder
    "#]],
    );
    folder.check(
        &["other.nix"],
        &expect![[r#"
        status 2
        error: other.nix: no disk layout: neither `disko.devices` nor `fileSystems` is set
    "#]],
    );
    folder.check(
        &["fine.nix", "--facts", "missing.json"],
        &expect![[r#"
        status 2
        error: missing.json: no such file or directory
    "#]],
    );
    folder.check(
        &["explain", "btrfs-compress-missing"],
        &expect![[r#"
        status 2
        error: no rule is called btrfs-compress-missing; did you mean btrfs-compress-missing-on-root?
    "#]],
    );
    folder.check(&["fine.nix", "--format", "yaml"], &expect![[r#"
        status 2
        error: invalid value 'yaml' for '--format <FORMAT>' [possible values: text, json, sarif, github, gitlab] (see `disko-advise --help`)
    "#]]);
}

#[test]
fn the_status_tells_whether_there_are_findings() {
    let folder = Folder::new()
        .with("fine.nix", FINE)
        .with("disko.nix", INEFFECTIVE);
    let status = |args: &[&str]| folder.run(args).status.code();
    assert_eq!(status(&["fine.nix"]), Some(0));
    assert_eq!(status(&["disko.nix"]), Some(1));
    assert_eq!(status(&["check", "disko.nix", "--fail-on", "error"]), Some(0));
    assert_eq!(status(&["check", "disko.nix", "--fail-on", "never"]), Some(0));
    // A folder is searched for its layout.
    assert_eq!(status(&[]), Some(1));
}

#[test]
fn reports_and_layouts_are_what_their_schemas_say() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = Folder::new();
    let json =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&stdout(&folder.run(args))).unwrap() };
    let report = jsonschema::validator_for(&json(&["schema", "report"])).unwrap();
    let layout = jsonschema::validator_for(&json(&["schema", "layout"])).unwrap();
    let mut seen = 0;
    let layouts = fs::read_dir(repository.join("tests/layouts"))
        .unwrap()
        .flatten()
        .map(|it| it.path());
    for path in layouts.chain([repository.join("examples/laptop/disko.nix")]) {
        if path.extension().is_some_and(|it| it == "nix") {
            let path = path.to_str().unwrap();
            let facts = repository.join("examples/laptop/facts");
            let args = [
                "check",
                path,
                "--facts",
                facts.to_str().unwrap(),
                "--symptom",
                "builds are slow",
                "--format",
                "json",
            ];
            report
                .validate(&json(&args))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            layout
                .validate(&json(&["layout", path, "--format", "json"]))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            seen += 1;
        }
    }
    assert!(seen > 20);
}

#[test]
fn a_diff_applies_with_patch_and_with_git() {
    let folder = Folder::new().with("disko.nix", INEFFECTIVE);
    let diff = folder.run(&["diff", "disko.nix"]);
    assert!(diff.status.success());
    let folder = folder.with("advice.patch", &diff.stdout);
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .current_dir(folder.0.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run("git", &["init", "--quiet"]);
    run("git", &["apply", "--check", "advice.patch"]);
    run("patch", &["--quiet", "-p1", "--input", "advice.patch"]);
    assert_eq!(stdout(&folder.run(&["diff", "disko.nix"])), "");
}

#[test]
fn apply_writes_what_diff_shows_and_then_is_silent() {
    let folder = Folder::new().with("disko.nix", INEFFECTIVE);
    let diff = stdout(&folder.run(&["diff", "disko.nix"]));
    let applied = folder.run(&["apply", "disko.nix"]);
    assert_eq!(stdout(&applied), diff);
    assert!(
        fs::read_to_string(folder.path("disko.nix"))
            .unwrap()
            .contains("mountOptions = [ \"compress=zstd\" ]; };\n        \"/home\"")
    );
    assert_eq!(folder.run(&["disko.nix"]).status.code(), Some(0));
    assert_eq!(stdout(&folder.run(&["apply", "disko.nix"])), "");
}

#[test]
fn a_suppression_needs_a_reason() {
    let allowed = INEFFECTIVE.replace(
        "        \"/root\"",
        "        # disko-advise: allow btrfs-compress-missing-on-root -- an experiment\n        \"/root\"",
    );
    let folder = Folder::new().with("disko.nix", &allowed);
    assert_eq!(folder.run(&["disko.nix"]).status.code(), Some(0));
    let folder = Folder::new().with("disko.nix", allowed.replace(" -- an experiment", ""));
    let output = folder.run(&["disko.nix"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("without a reason"));

    let settings = "[allow]\nbtrfs-compress-missing-on-root = \"an experiment\"\n";
    let folder = Folder::new()
        .with("disko.nix", INEFFECTIVE)
        .with("disko-advise.toml", settings);
    assert_eq!(folder.run(&["disko.nix"]).status.code(), Some(0));
    let folder = folder.with("disko-advise.toml", "[allow]\nno-such-rule = \"why\"\n");
    assert_eq!(folder.run(&["disko.nix"]).status.code(), Some(2));
}

/// Bad layouts end with status 2 and a clear line; bad facts are named, and the layout is judged.
#[test]
fn bad_input_is_a_clear_problem() {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let huge = format!("{{ x = \"{}\"; }}", "a".repeat(100 << 20));
    let bad: [(&str, Vec<u8>); 8] = [
        ("empty.nix", Vec::new()),
        ("binary.nix", (0..=255).cycle().take(65_536).collect()),
        ("truncated.nix", INEFFECTIVE.as_bytes()[..150].to_vec()),
        ("deep-lists.nix", nested("[", "]").into_bytes()),
        ("deep-sets.nix", nested("{ a = ", "; }").into_bytes()),
        ("huge.nix", huge.clone().into_bytes()),
        ("deep.json", nested("[", "]").into_bytes()),
        ("empty.json", Vec::new()),
    ];
    for (name, bytes) in bad {
        let folder = Folder::new().with(name, bytes);
        let output = folder.run(&[name]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        assert!(stderr.contains(name), "{name} is not named: {stderr}");
        assert!(
            stderr.len() < 4_000,
            "{name}: {} bytes of complaints",
            stderr.len()
        );
    }
    let bad_facts: [(&str, Vec<u8>); 7] = [
        ("facter.json", Vec::new()),
        ("facter.json", b"{ \"hardware\": { \"disk\": [ {".to_vec()),
        ("facter.json", nested("[", "]").into_bytes()),
        ("iostat.json", (0..=255).cycle().take(65_536).collect()),
        (
            "btrfs-usage.txt",
            b"Overall:\n    Device size:\t\t many\n".to_vec(),
        ),
        (
            "psi-io",
            b"some avg10=-1 avg60=nan avg300=1e999 total=x\n".to_vec(),
        ),
        ("notes.txt", vec![b'a'; 100 << 20]),
    ];
    for (name, bytes) in bad_facts {
        let folder = Folder::new().with("disko.nix", INEFFECTIVE).with(name, bytes);
        let output = folder.run(&["disko.nix", "--facts", name]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(1),
            "the layout is judged all the same; {name}: {stderr}"
        );
        assert!(
            stdout(&output).contains("btrfs-compress-missing-on-root"),
            "{name}"
        );
        assert!(stderr.contains(name), "{name} is not named: {stderr}");
        assert!(
            stderr.len() < 4_000,
            "{name}: {} bytes of complaints",
            stderr.len()
        );
    }
}

/// The first run of the README, as the terminal shows it.
#[test]
fn the_picture_in_the_readme_is_what_the_first_run_prints() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO_BIN_EXE_disko-advise"))
        .args(["examples/laptop/disko.nix", "--facts", "examples/laptop/facts"])
        .current_dir(repository)
        .env_remove("NO_COLOR")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let picture = anstyle_svg::Term::new().render_svg(&stdout(&output));
    expect_test::expect_file!["../../../docs/first-run.svg"].assert_eq(&picture);
}

#[test]
fn the_tuning_module_is_nix_even_when_empty() {
    let folder = Folder::new().with("fine.nix", FINE);
    folder.check(
        &["tuning", "fine.nix"],
        &expect![[r#"
        status 0
        { ... }:
        { }
        nothing to set outside the layout
    "#]],
    );
}

#[test]
fn eval_prints_as_nix_does() {
    let folder = Folder::new().with("a.nix", "{ x ? 1 }: { y = [ x 1.5 \"a\\n\" ]; }");
    folder.check(
        &["eval", "a.nix", "-A", "y.1"],
        &expect![[r#"
        status 0
        1.5
    "#]],
    );
    folder.check(
        &["eval", "a.nix", "--arg", "x", "2 + 3", "--json"],
        &expect![[r#"
            status 0
            {"y":[5,1.5,"a\n"]}
        "#]],
    );
    folder.check(
        &["eval", "-E", "1 + \"a\""],
        &expect![[r#"
        status 2
        error: cannot add a string to an integer
         --> (expression):1:1
          |
        1 | 1 + "a"
          | ^^^^^^^
    "#]],
    );
}

/// A machine on which the first mount decided, as `/proc/mounts` shows it.
const MOUNTS: &str = "\
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
/dev/nvme0n1 / btrfs rw,relatime,ssd,discard=async,space_cache=v2,subvolid=256,subvol=/root 0 0
/dev/nvme0n1 /home btrfs rw,noatime,ssd,discard=async,space_cache=v2,subvolid=257,subvol=/home 0 0
";

#[test]
fn drift_has_four_columns() {
    let folder = Folder::new()
        .with("disko.nix", INEFFECTIVE)
        .with("proc-mounts", MOUNTS);
    folder.check(
        &["drift", "disko.nix", "--facts", "proc-mounts"],
        &expect![[r#"
            status 0
            what   setting   declared  live     next boot  recommended  a rebuild
            /      compress  -         off      off        zstd:3
            /home  atime     -         noatime  relatime   -
            /home  compress  zstd:3    off      off        -            remounts if changed

            /home: no option asks for the live atime; the next boot mounts with relatime
            /home: a rebuild remounts /home only when its options in the fstab change with it
            /home: / is mounted first and decides for the whole filesystem
            /home: remounting /home sets it for the whole filesystem at once, until the next boot

            3 settings
        "#]],
    );
    folder.check(
        &["drift", "disko.nix"],
        &expect![[r#"
        status 0
        what   setting   declared  live  next boot  recommended  a rebuild
        /      compress  -         ?     off        zstd:3
        /home  compress  zstd:3    ?     off        -

        /: not known: /proc/mounts was not given
        /home: / is mounted first and decides for the whole filesystem
        /home: not known: /proc/mounts was not given

        2 settings
        nothing is live here: add --facts with a bundle of `disko-advise collect`
    "#]],
    );
}

#[test]
fn facts_say_where_each_figure_is_from() {
    let folder = Folder::new()
        .with("disko.nix", INEFFECTIVE)
        .with("proc-mounts", MOUNTS)
        .with("shopping.txt", "milk\n")
        .with("meminfo", "MemTotal:       16 kB\nMemFree:        lots kB\n");
    folder.check(
        &[
            "facts",
            "--facts",
            "proc-mounts",
            "--facts",
            "shopping.txt",
            "meminfo",
        ],
        &expect![[r#"
            status 0
            # storage

            filesystem btrfs on /dev/nvme0n1
              mount /  rw,relatime,ssd,discard=async,space_cache=v2,subvolid=256,subvol=/root  (proc-mounts:2)
              mount /home  rw,noatime,ssd,discard=async,space_cache=v2,subvolid=257,subvol=/home  (proc-mounts:3)

            # facts

            memory
              total    16 KiB                                            meminfo:1

            mount /proc
              of       proc                                              proc-mounts:1
              type     proc                                              proc-mounts:1
              options  rw,nosuid,nodev,noexec,relatime                   proc-mounts:1

            mount /
              of       /dev/nvme0n1                                      proc-mounts:2
              type     btrfs                                             proc-mounts:2
              options  rw,relatime,ssd,discard=async,space_cache=v2,subvolid=256,subvol=/root  proc-mounts:2

            mount /home
              of       /dev/nvme0n1                                      proc-mounts:3
              type     btrfs                                             proc-mounts:3
              options  rw,noatime,ssd,discard=async,space_cache=v2,subvolid=257,subvol=/home  proc-mounts:3
            warning: MemFree is not a size that memory can have
             --> meminfo:2:17
              |
            2 | MemFree:        lots kB
              |                 ^^^^^^^
            warning: shopping.txt: not understood: it is no output that is known here
        "#]],
    );
    folder.check(
        &[
            "facts",
            "disko.nix",
            "--facts",
            "proc-mounts",
            "--workload",
            "mail=/home/mail",
        ],
        &expect![[r#"
            status 0
            # storage

            disk main
              filesystem btrfs
                subvolume /home
                  mount /home  rw,noatime,ssd,discard=async,space_cache=v2,subvolid=257,subvol=/home  (proc-mounts:3)
                    workload mail
                subvolume /root
                  mount /  rw,relatime,ssd,discard=async,space_cache=v2,subvolid=256,subvol=/root  (proc-mounts:2)

            # contradictions

            /home: compress
              zstd:3  disko.nix:9
              off     proc-mounts:3

            # facts

            mount /proc
              of       proc                                              proc-mounts:1
              type     proc                                              proc-mounts:1
              options  rw,nosuid,nodev,noexec,relatime                   proc-mounts:1

            mount /
              of       /dev/nvme0n1                                      proc-mounts:2
              type     btrfs                                             proc-mounts:2
              options  rw,relatime,ssd,discard=async,space_cache=v2,subvolid=256,subvol=/root  proc-mounts:2

            mount /home
              of       /dev/nvme0n1                                      proc-mounts:3
              type     btrfs                                             proc-mounts:3
              options  rw,noatime,ssd,discard=async,space_cache=v2,subvolid=257,subvol=/home  proc-mounts:3
        "#]],
    );
    folder.check(
        &["facts", "shopping.txt"],
        &expect![[r#"
        status 2
        warning: shopping.txt: not understood: it is no output that is known here
        error: shopping.txt: no facts were understood
    "#]],
    );
    folder.check(
        &["facts"],
        &expect![[r#"
        status 2
        error: nothing to read: give a bundle, --facts PATH, or gather one with `disko-advise collect -o DIR`
    "#]],
    );
}

#[test]
fn what_contradicts_the_layout_and_no_finding_tells_is_told_by_check() {
    let folder = Folder::new()
        .with("disko.nix", FINE)
        .with(
            "lsblk.json",
            r#"{"blockdevices": [{"name": "vda", "kname": "vda", "type": "disk", "size": 1073741824, "rota": false}]}"#,
        );
    folder.check(
        &["disko.nix", "--facts", "lsblk.json"],
        &expect![[r#"
            status 0
            no findings · 0 clear · 42 not applicable · 4 undecided

            sources contradict each other:
            disko.devices.disk.main: the disk is not among those that are there
              /dev/sda  disko.nix:1
              /dev/vda  lsblk.json:1
            to know what kind of disk /dev/sda is: `lsblk -J -O -b > lsblk.json`
            to know how long tasks wait for the disks: `cat /proc/pressure/io > psi-io` while it is slow
            to know whether anything stalls on the disks: `cat /proc/pressure/io > psi-io` during a stall
            to know how much memory the machine has: a facter.json, or `cat /proc/meminfo > meminfo`
        "#]],
    );
}

#[test]
fn what_facts_and_drift_print_fits_their_schemas() {
    let folder = Folder::new()
        .with("disko.nix", INEFFECTIVE)
        .with("proc-mounts", MOUNTS);
    for verb in ["facts", "drift"] {
        let schema: serde_json::Value =
            serde_json::from_str(&stdout(&folder.run(&["schema", verb]))).unwrap();
        let args = [verb, "disko.nix", "--facts", "proc-mounts", "--format", "json"];
        let report: serde_json::Value = serde_json::from_str(&stdout(&folder.run(&args))).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{verb}: {errors:?}");
        assert_eq!(report["version"], 1);
    }
}
#[test]
fn eval_says_where_a_value_comes_from() {
    let folder = Folder::new()
        .with(
            "main.nix",
            "let\n  mk = import ./mk.nix;\nin\n{\n  root = mk \"/dev/sda\";\n}\n",
        )
        .with("mk.nix", "device: {\n  type = \"btrfs\";\n  inherit device;\n}\n");
    folder.check(
        &["eval", "main.nix", "-A", "root.type", "--where"],
        &expect![[r#"
            status 0
            note: where root.type comes from
             --> mk.nix:2:10
              |
            2 |   type = "btrfs";
              |   ----   ^^^^^^^ made here
              |   |
              |   `type` is set here
              |
             ::: main.nix:5:3
              |
            5 |   root = mk "/dev/sda";
              |   ---- `root` is set here
              |
             ::: main.nix:5:10
              |
            5 |   root = mk "/dev/sda";
              |          ------------- `mk` is called here
              |
              = note: evaluation begins with main.nix
        "#]],
    );
    folder.check(
        &["eval", "main.nix", "-A", "root.device", "--where"],
        &expect![[r#"
            status 0
            note: where root.device comes from
             --> main.nix:5:13
              |
            5 |   root = mk "/dev/sda";
              |   ----      ^^^^^^^^^^ made here
              |   |
              |   `root` is set here
              |
             ::: mk.nix:3:11
              |
            3 |   inherit device;
              |           ------ `device` is set here
              |
             ::: main.nix:5:10
              |
            5 |   root = mk "/dev/sda";
              |          ------------- `mk` is called here, which sets `device`
              |
              = note: evaluation begins with main.nix
        "#]],
    );
    folder.check(
        &["eval", "main.nix", "-A", "root.type", "--where", "--json"],
        &expect![[r#"
            status 0
            {
              "version": 1,
              "of": "root.type",
              "made": {
                "file": "mk.nix",
                "start": {
                  "line": 2,
                  "column": 10
                },
                "end": {
                  "line": 2,
                  "column": 17
                },
                "label": "made here"
              },
              "definition": {
                "file": "mk.nix",
                "start": {
                  "line": 2,
                  "column": 3
                },
                "end": {
                  "line": 2,
                  "column": 18
                },
                "label": ""
              },
              "path": [
                {
                  "name": "root",
                  "bindings": [
                    {
                      "file": "main.nix",
                      "start": {
                        "line": 5,
                        "column": 3
                      },
                      "end": {
                        "line": 5,
                        "column": 24
                      },
                      "label": ""
                    }
                  ]
                },
                {
                  "name": "type",
                  "bindings": [
                    {
                      "file": "mk.nix",
                      "start": {
                        "line": 2,
                        "column": 3
                      },
                      "end": {
                        "line": 2,
                        "column": 18
                      },
                      "label": ""
                    }
                  ]
                }
              ],
              "held": [],
              "chain": [
                {
                  "kind": "call",
                  "called": "mk",
                  "function": {
                    "file": "mk.nix",
                    "start": {
                      "line": 1,
                      "column": 1
                    },
                    "end": {
                      "line": 4,
                      "column": 2
                    },
                    "label": ""
                  },
                  "at": {
                    "file": "main.nix",
                    "start": {
                      "line": 5,
                      "column": 10
                    },
                    "end": {
                      "line": 5,
                      "column": 23
                    },
                    "label": "`mk` is called here"
                  },
                  "repeats": false
                },
                {
                  "kind": "import",
                  "name": "main.nix",
                  "repeats": false
                }
              ]
            }
        "#]],
    );
    folder.check(
        &["eval", "main.nix", "-A", "root.none", "--where"],
        &expect![[r#"
        status 2
        error: there is no 'none' in this value
         --> mk.nix:1:9
          |
        1 | device: {
          |         ^
    "#]],
    );
}

#[test]
fn a_report_can_be_shown_beside_the_lines_of_a_pull_request() {
    let folder = Folder::new().with("disko.nix", INEFFECTIVE);
    folder.check(&["disko.nix", "--format", "github"], &expect![[r#"
        status 1
        ::warning file=disko.nix,line=8,endLine=8,col=34,endColumn=37,title=btrfs-compress-missing-on-root::compression is off on the whole filesystem: / is mounted first and does not ask for it%0Aadd "compress=zstd" to disko.devices.disk.main.content.subvolumes."/root".mountOptions
    "#]]);
    folder.check(&["disko.nix", "--format", "gitlab"], &expect![[r#"
        status 1
        [
          {
            "check_name": "btrfs-compress-missing-on-root",
            "description": "compression is off on the whole filesystem: / is mounted first and does not ask for it",
            "fingerprint": "f965dc480897b3c7267eae316c55f353175c4c1e5838c207560dffd5afa244e1",
            "location": {
              "lines": {
                "begin": 8,
                "end": 8
              },
              "path": "disko.nix"
            },
            "severity": "major"
          }
        ]
    "#]]);

    let output = folder.run(&["disko.nix", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(1));
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    expect![[r#"
        {
          "fixes": [
            {
              "artifactChanges": [
                {
                  "artifactLocation": {
                    "uri": "disko.nix"
                  },
                  "replacements": [
                    {
                      "deletedRegion": {
                        "endColumn": 38,
                        "endLine": 8,
                        "startColumn": 38,
                        "startLine": 8
                      },
                      "insertedContent": {
                        "text": " mountOptions = [ \"compress=zstd\" ];"
                      }
                    }
                  ]
                }
              ],
              "description": {
                "text": "evaluated again after the change: nothing else changes"
              }
            }
          ],
          "level": "warning",
          "locations": [
            {
              "message": {
                "text": "mounted first, without `compress`: this decides for every subvolume"
              },
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "disko.nix"
                },
                "region": {
                  "endColumn": 37,
                  "endLine": 8,
                  "startColumn": 34,
                  "startLine": 8
                }
              }
            }
          ],
          "message": {
            "text": "compression is off on the whole filesystem: / is mounted first and does not ask for it. btrfs has one compression setting for each filesystem: the options of the subvolume that is mounted first count, those of later ones are ignored without a word\n\nadd \"compress=zstd\" to disko.devices.disk.main.content.subvolumes.\"/root\".mountOptions"
          },
          "partialFingerprints": {
            "ruleAndSubject/v1": "btrfs-compress-missing-on-root:disko.devices.disk.main.content"
          },
          "properties": {
            "confidence": "certain",
            "reach": "remount",
            "safety": "safe"
          },
          "relatedLocations": [
            {
              "id": 0,
              "message": {
                "text": "has no effect"
              },
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "disko.nix"
                },
                "region": {
                  "endColumn": 75,
                  "endLine": 9,
                  "startColumn": 60,
                  "startLine": 9
                }
              }
            }
          ],
          "ruleId": "btrfs-compress-missing-on-root",
          "ruleIndex": 7
        }"#]].assert_eq(&serde_json::to_string_pretty(result).unwrap());
}

/// Hosts that share a file in which something is without effect, one that is fine, one that is no layout.
fn hosts() -> Folder {
    let folder = Folder::new().with("flake.nix", "{ outputs = _: { }; }");
    for name in ["hosts", "hosts/a", "hosts/b", "hosts/c", "hosts/d"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    let facter = r#"{ "version": 1, "system": "x86_64-linux", "hardware": {},
      "smbios": { "system": { "manufacturer": "Maker", "product": "One" } } }"#;
    folder
        .with("shared.nix", INEFFECTIVE)
        .with("hosts/a/disko.nix", "{ imports = [ ../../shared.nix ]; }")
        .with("hosts/a/facter.json", facter)
        .with("hosts/b/disko.nix", "{ imports = [ ../../shared.nix ]; }")
        .with("hosts/c/disko.nix", FINE)
        .with("hosts/d/disko.nix", "{ }")
}

#[test]
fn a_fleet_is_summed_up() {
    let folder = hosts();
    folder.check(&["fleet", "hosts"], &expect![[r#"
        status 1
        3 hosts judged: 0 with errors, 2 with warnings, 0 with suggestions, 1 without findings

        findings
          warning  btrfs-compress-missing-on-root       2 hosts

        one edit for several hosts
          shared.nix:8:38
            insert mountOptions = [ "compress=zstd" ];
            mends btrfs-compress-missing-on-root on 2 hosts

        machines
               1  Maker One  1 with findings, most of all btrfs-compress-missing-on-root (1)

        what would decide more
               3  how long tasks wait for the disks: `cat /proc/pressure/io > psi-io` while it is slow
               3  how much memory the machine has: a facter.json, or `cat /proc/meminfo > meminfo`
               2  how full the chunks of disko.devices.disk.main.content are: `btrfs filesystem usage -b / > btrfs-usage.txt` as root
               2  whether snapshots of disko.devices.disk.main.content are taken: import the NixOS modules that set `services.snapper` or `services.btrbk`
               2  whether the devices of disko.devices.disk.main.content reported errors: `btrfs device stats / > btrfs-device-stats.txt` as root
               1  what kind of disk /dev/sda is: a facter.json, or `lsblk -J -O -b > lsblk.json`
               1  whether /dev/nvme0n1 is healthy: `smartctl -x -j /dev/nvme0n1 > smartctl.json` as root
               1  whether anything stalls on the disks: `cat /proc/pressure/io > psi-io` during a stall

        not judged
          d: hosts/d: no disk layout: neither `disko.devices` nor `fileSystems` is set
    "#]]);

    let json = folder.run(&["fleet", "hosts", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&stdout(&folder.run(&["schema", "fleet"]))).unwrap();
    jsonschema::validate(&schema, &summary).unwrap();

    // Mended in the shared file, one host gone, and a new one that has its report already.
    let last = folder.path("last.json");
    fs::write(&last, &json.stdout).unwrap();
    let diff = folder.run(&["apply", "hosts/a"]);
    assert!(diff.status.success(), "{}", String::from_utf8_lossy(&diff.stderr));
    fs::remove_dir_all(folder.path("hosts/c")).unwrap();
    let report = folder.run(&["check", "hosts/b", "--format", "json"]);
    fs::write(folder.path("hosts/e.json"), &report.stdout).unwrap();
    folder.check(&["fleet", "hosts", "--last", "last.json"], &expect![[r#"
        status 2
        3 hosts judged: 0 with errors, 0 with warnings, 0 with suggestions, 3 without findings

        machines
               1  Maker One  0 with findings

        what would decide more
               3  how full the chunks of disko.devices.disk.main.content are: `btrfs filesystem usage -b / > btrfs-usage.txt` as root
               3  how long tasks wait for the disks: `cat /proc/pressure/io > psi-io` while it is slow
               3  how much memory the machine has: a facter.json, or `cat /proc/meminfo > meminfo`
               3  whether snapshots of disko.devices.disk.main.content are taken: import the NixOS modules that set `services.snapper` or `services.btrbk`
               3  whether the devices of disko.devices.disk.main.content reported errors: `btrfs device stats / > btrfs-device-stats.txt` as root
               1  whether /dev/nvme0n1 is healthy: `smartctl -x -j /dev/nvme0n1 > smartctl.json` as root

        since the last run
          btrfs-compress-missing-on-root mended on 2 hosts: a, b
          new: e
          gone: c

        not judged
          d: hosts/d: no disk layout: neither `disko.devices` nor `fileSystems` is set
    "#]]);
}

#[test]
fn a_fleet_is_the_same_however_many_work_at_it() {
    let folder = hosts();
    let alone = stdout(&folder.run(&["fleet", "hosts", "--jobs", "1", "--format", "json"]));
    let many = stdout(&folder.run(&["fleet", "hosts", "--jobs", "4", "--format", "json"]));
    assert_eq!(alone, many);
}

#[test]
fn what_is_no_report_is_named_and_the_rest_is_summed_up() {
    let folder = hosts().with("bad.json", "{ \"version\": 1 }");
    folder.check(
        &["fleet", "hosts/c", "bad.json"],
        &expect![[r#"
            status 2
            1 host judged: 0 with errors, 0 with warnings, 0 with suggestions, 1 without findings

            what would decide more
                   1  how long tasks wait for the disks: `cat /proc/pressure/io > psi-io` while it is slow
                   1  how much memory the machine has: a facter.json, or `cat /proc/meminfo > meminfo`
                   1  what kind of disk /dev/sda is: a facter.json, or `lsblk -J -O -b > lsblk.json`
                   1  whether anything stalls on the disks: `cat /proc/pressure/io > psi-io` during a stall

            not judged
              bad: bad.json: not what `check --format json` prints: missing field `findings` at line 1 column 16
        "#]],
    );
    folder.check(
        &["fleet", "bad.json"],
        &expect![[r#"
        status 2
        0 hosts judged: 0 with errors, 0 with warnings, 0 with suggestions, 0 without findings

        not judged
          bad: bad.json: not what `check --format json` prints: missing field `findings` at line 1 column 16
        error: none of the hosts could be judged
    "#]],
    );
    folder.check(
        &["fleet", "nowhere"],
        &expect![[r#"
        status 2
        error: nowhere: no such file or directory
    "#]],
    );
}

/// What is shown elsewhere fits what is asked for there: SARIF its official schema (`SARIF_SCHEMA` names the
/// file, `Schemata/sarif-schema-2.1.0.json` of oasis-tcs/sarif-spec) and what GitHub wants beyond that
/// (docs.github.com, "SARIF support for code scanning"), GitLab's report the fields of its documentation.
#[test]
fn what_hosts_of_code_read_is_what_they_ask_for() {
    let schema = std::env::var_os("SARIF_SCHEMA").map(|file| {
        let mut schema: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        // A pattern with a bracket too many, which no engine that is strict takes; we name no language.
        for of in ["run", "toolComponent"] {
            let language = &mut schema["definitions"][of]["properties"]["language"];
            language.as_object_mut().unwrap().remove("pattern");
        }
        jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
    });
    if schema.is_none() {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"\n*** SARIF against its schema: NOT RUN: set SARIF_SCHEMA to sarif-schema-2.1.0.json. ***\n\n",
        );
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A disk that fails has no place in the layout.
    let failing = r#"{ "json_format_version": [1, 0], "smartctl": { "argv": ["smartctl", "-x", "-j", "/dev/nvme0n1"] },
        "device": { "name": "/dev/nvme0n1", "type": "nvme", "protocol": "NVMe" }, "smart_status": { "passed": false } }"#;
    let mut results = 0;
    let mut elsewhere = 0;
    let mut rules = BTreeSet::new();
    let mut layouts: Vec<PathBuf> = fs::read_dir(repository.join("tests/layouts"))
        .unwrap()
        .flatten()
        .map(|it| it.path())
        .filter(|path| path.extension().is_some_and(|it| it == "nix"))
        .collect();
    layouts.sort();
    layouts.push(repository.join("examples/laptop/disko.nix"));
    for layout in layouts {
        let folder = Folder::new()
            .with("hosts/my disko.nix", fs::read_to_string(&layout).unwrap())
            .with("smartctl.json", failing);
        let check = |format: &str| -> serde_json::Value {
            let run = folder.run(&[
                "check",
                "./hosts/my disko.nix",
                "--facts",
                "smartctl.json",
                "--fail-on",
                "never",
                "--format",
                format,
            ]);
            serde_json::from_slice(&run.stdout).unwrap()
        };
        let log = check("sarif");
        if let Some(schema) = &schema {
            let errors: Vec<String> = schema
                .iter_errors(&log)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", layout.display());
        }
        let run = &log["runs"][0];
        // By this GitHub tells the runs of one upload apart.
        assert_eq!(run["automationDetails"]["id"], "disko-advise/hosts/my disko.nix/");
        let descriptors = run["tool"]["driver"]["rules"].as_array().unwrap();
        for descriptor in descriptors {
            for text in ["shortDescription", "fullDescription", "help"] {
                let text = descriptor[text]["text"].as_str().unwrap();
                assert!(!text.is_empty(), "{descriptor}");
            }
            assert!(descriptor["shortDescription"]["text"].as_str().unwrap().len() <= 1024);
            assert!(descriptor["helpUri"].as_str().unwrap().starts_with("https://"));
        }
        let mut fingerprints = BTreeSet::new();
        for result in run["results"].as_array().unwrap() {
            results += 1;
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(descriptors[index]["id"], result["ruleId"]);
            rules.insert(result["ruleId"].as_str().unwrap().to_owned());
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let fingerprint = &result["partialFingerprints"]["ruleAndSubject/v1"];
            assert!(
                fingerprints.insert(fingerprint.as_str().unwrap().to_owned()),
                "{fingerprint}"
            );
            let places = result["locations"].as_array().unwrap();
            assert_eq!(places.len(), 1);
            let related = result["relatedLocations"].as_array();
            for place in places.iter().chain(related.into_iter().flatten()) {
                let place = &place["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert!(["hosts/my%20disko.nix", "smartctl.json"].contains(&uri), "{uri}");
                let region = &place["region"];
                let one_based = |name: &str| region.get(name).is_none_or(|it| it.as_u64().unwrap() >= 1);
                assert!(region["startLine"].as_u64().unwrap() >= 1, "{place}");
                assert!(
                    ["startColumn", "endLine", "endColumn"].into_iter().all(one_based),
                    "{place}"
                );
            }
            if places[0]["physicalLocation"]["artifactLocation"]["uri"] == "smartctl.json" {
                elsewhere += 1;
            }
        }

        let mut fingerprints = BTreeSet::new();
        let shown = check("gitlab");
        let shown = shown.as_array().unwrap();
        assert_eq!(shown.len(), run["results"].as_array().unwrap().len());
        for finding in shown {
            assert!(!finding["description"].as_str().unwrap().is_empty());
            assert!(rules.contains(finding["check_name"].as_str().unwrap()));
            assert!(
                ["info", "minor", "major", "critical", "blocker"]
                    .contains(&finding["severity"].as_str().unwrap())
            );
            assert!(fingerprints.insert(finding["fingerprint"].as_str().unwrap().to_owned()));
            let path = finding["location"]["path"].as_str().unwrap();
            assert!(["hosts/my disko.nix", "smartctl.json"].contains(&path), "{path}");
            assert!(finding["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        }
    }
    assert!(
        results >= 20 && rules.len() >= 8,
        "only {results} results of {rules:?}"
    );
    assert!(elsewhere > 0, "no finding without a place in the layout");
}
