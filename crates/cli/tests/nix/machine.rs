//! The Nix of this machine, and a newer one beside it, each with a store of its own.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What a run of Nix gave.
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// What was printed by a run that has to succeed.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        self.stdout
    }
}

/// Past the capture of the test runner, which would keep the word of a passing test.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Says loudly that a test did not run, and why.
pub(crate) fn not_run(test: &str, why: &str) {
    say(&format!("\n*** {test}: NOT RUN: {why}. ***\n"));
}

/// Nix, and a copy of this repository without what was built in it.
pub(crate) struct Machine {
    pub(crate) repository: PathBuf,
    /// What `nix --version` says.
    pub(crate) version: String,
    /// The program, and what stands before its own arguments.
    program: Vec<OsString>,
    state: PathBuf,
    _copy: tempfile::TempDir,
}

impl Machine {
    /// Every Nix that can build here: the one on `PATH`, and the one in the root of a Linux
    /// distribution that `NEWER_NIX` names. If there is none, or the newer one is missing, says loudly
    /// what did not run, and why.
    pub(crate) fn each(test: &str) -> impl Iterator<Item = &'static Self> {
        static MACHINES: OnceLock<[Result<Machine, String>; 2]> = OnceLock::new();
        let machines = MACHINES.get_or_init(|| [Self::on_path(), Self::newer()]);
        let test = test.to_owned();
        machines
            .iter()
            .zip(["", " (this is about the newer Nix)"])
            .filter_map(move |(machine, which)| {
                match machine {
                    Ok(machine) => say(&format!("{test}: {}", machine.version)),
                    Err(why) => not_run(&test, &format!("{why}{which}")),
                }
                machine.as_ref().ok()
            })
    }

    fn on_path() -> Result<Self, String> {
        Self::new(vec!["nix".into()], "nix")
            .map_err(|why| format!("{why}. These tests need `nix` (2.8 or later) on PATH"))
    }

    /// The Nix in a tree of its own runs on this machine by way of the tree's dynamic loader.
    fn newer() -> Result<Self, String> {
        let Some(tree) = std::env::var_os("NEWER_NIX").map(PathBuf::from) else {
            return Err("set NEWER_NIX to the root of a Linux distribution with a newer `nix`".to_owned());
        };
        let one = |folder: &str, wanted: &dyn Fn(&str) -> bool| {
            let entries = std::fs::read_dir(tree.join(folder)).ok()?;
            let mut found: Vec<_> = entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.file_name().is_some_and(|it| wanted(&it.to_string_lossy())))
                .collect();
            found.sort();
            found.into_iter().next()
        };
        let libraries = one("usr/lib", &|name| name.ends_with("-linux-gnu"))
            .ok_or_else(|| format!("{} holds no usr/lib/*-linux-gnu", tree.display()))?;
        let loader = one(
            &libraries.strip_prefix(&tree).unwrap().to_string_lossy(),
            &|name| name.starts_with("ld-linux"),
        )
        .ok_or_else(|| format!("{} holds no dynamic loader", libraries.display()))?;
        let program = vec![
            loader.into(),
            "--library-path".into(),
            libraries.into(),
            tree.join("usr/bin/nix").into(),
            // It would be started without the loader. (Of 2.8 an empty one is an error.)
            "--option".into(),
            "build-hook".into(),
            "".into(),
        ];
        Self::new(program, "newer-nix")
    }

    fn new(program: Vec<OsString>, state: &str) -> Result<Self, String> {
        if std::env::var_os("NIX_BUILD_TOP").is_some() {
            return Err("inside a Nix build no other can be made".to_owned());
        }
        let version = Command::new(&program[0])
            .args(&program[1..])
            .arg("--version")
            .output()
            .map_err(|_| "`nix` cannot be run".to_owned())?;
        if !version.status.success() {
            return Err(format!(
                "`nix --version` fails: {}",
                String::from_utf8_lossy(&version.stderr).trim()
            ));
        }
        let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
        let repository = copy
            .path()
            .canonicalize()
            .map_err(|error| error.to_string())?
            .join("repository");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        copy_folder(&from, &repository).map_err(|error| error.to_string())?;
        let machine = Self {
            repository,
            version: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            program,
            state: Path::new(env!("CARGO_TARGET_TMPDIR")).join(state),
            _copy: copy,
        };
        let probe = "let pkgs = (builtins.getFlake \"path:${toString ./tests/nixpkgs-stand-in}\")\
            .legacyPackages.${builtins.currentSystem}; in pkgs.writeText \"probe\" \"built\"";
        let run = machine.nix(&["build", "--no-link", "--impure", "--expr", probe]);
        match run.status {
            Some(0) => Ok(machine),
            _ => Err(format!(
                "{} builds nothing here with the programs of this machine:\n{}",
                machine.version, run.stderr
            )),
        }
    }

    /// The source tree of disko that the environment names, if it names nixpkgs' `lib` too. If not,
    /// says loudly that the test did not run.
    pub(crate) fn trees(&self, test: &str) -> Option<PathBuf> {
        let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.exists());
        match (named("DISKO"), named("NIXPKGS_LIB")) {
            (Some(disko), Some(_)) => disko.canonicalize().ok(),
            _ => {
                not_run(
                    test,
                    "set DISKO to a source tree of disko and NIXPKGS_LIB to the folder `lib` of nixpkgs",
                );
                None
            }
        }
    }

    /// Whether this Nix came before a version.
    pub(crate) fn is_older_than(&self, version: &str) -> bool {
        let compared = format!("builtins.compareVersions builtins.nixVersion \"{version}\" < 0");
        self.nix(&["eval", "--expr", &compared]).good().trim() == "true"
    }

    /// Runs `nix` in the repository.
    pub(crate) fn nix(&self, args: &[&str]) -> Run {
        let mut command = Command::new(&self.program[0]);
        command
            .args(&self.program[1..])
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(["--option", "substituters", ""])
            .args(["--option", "build-users-group", ""])
            .args(["--option", "sandbox", "false"])
            .arg("--offline")
            .args(args)
            .current_dir(&self.repository)
            .env("NIX_REMOTE", "")
            .env("NIX_STORE_DIR", self.state.join("store"))
            .env("NIX_STATE_DIR", self.state.join("state"))
            .env("NIX_LOG_DIR", self.state.join("log"))
            .env("NIX_CONF_DIR", self.state.join("no-configuration"))
            .env("XDG_CACHE_HOME", self.state.join("cache"))
            .env("STAND_IN_CARGO_TARGET_DIR", self.state.join("cargo"))
            .env_remove("CARGO_TARGET_DIR");
        if std::env::var_os("NIX_FULL_BUILD").is_none() {
            command.env("STAND_IN_BINARY", env!("CARGO_BIN_EXE_disko-advise"));
        }
        let output = command.output().expect("nix can be run");
        Run {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a program that runs Nix itself, in a mount namespace where `/nix` holds only what such
    /// programs have built: some know no other store than `/nix/store`. Fails, with the reason, where
    /// there can be no such namespace.
    pub(crate) fn run(&self, folder: &Path, program: &[&str]) -> Result<Run, String> {
        let commands = self.state.join("commands");
        let nix = self.state.join("nix");
        let configuration = self.state.join("configuration");
        for folder in [&commands, &nix, &configuration] {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        let mut settings = "experimental-features = nix-command flakes\nsubstituters =\n\
            build-users-group =\nsandbox = false\n"
            .to_owned();
        // The newer Nix is started by way of a loader, and knows by its name which command it is.
        if let [loader, flag, libraries, program, ..] = &self.program[..] {
            settings += "build-hook =\n";
            for name in ["nix", "nix-instantiate", "nix-store"] {
                let script = format!(
                    "#!/bin/sh\nexec {} {} {} --argv0 {name} {} \"$@\"\n",
                    loader.display(),
                    flag.display(),
                    libraries.display(),
                    program.display()
                );
                let file = commands.join(name);
                std::fs::write(&file, script).map_err(|error| error.to_string())?;
                let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                std::fs::set_permissions(&file, executable).map_err(|error| error.to_string())?;
            }
        }
        std::fs::write(configuration.join("nix.conf"), settings).map_err(|error| error.to_string())?;

        let inside = |program: &[&str]| {
            let mut path = commands.clone().into_os_string();
            path.push(":");
            path.push(std::env::var_os("PATH").unwrap_or_default());
            Command::new("unshare")
                .args(["--map-root-user", "--mount", "sh", "-c"])
                .args(["mount --bind \"$0\" /nix && exec \"$@\""])
                .arg(&nix)
                .args(program)
                .current_dir(folder)
                .env("PATH", path)
                .env("NIX_REMOTE", "")
                .env("NIX_CONF_DIR", &configuration)
                .env("XDG_CACHE_HOME", self.state.join("cache"))
                .env("STAND_IN_BINARY", env!("CARGO_BIN_EXE_disko-advise"))
                .output()
                .map_err(|error| format!("`unshare` cannot be run: {error}"))
        };
        let probe = inside(&["true"])?;
        if !probe.status.success() {
            return Err(format!(
                "no other folder can be bound to /nix here: {}",
                String::from_utf8_lossy(&probe.stderr).trim()
            ));
        }
        let output = inside(program)?;
        Ok(Run {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command of `nix` that takes a flake, with the stand-in for nixpkgs; what comes after
    /// its flags stands last.
    pub(crate) fn flake(&self, command: &[&str], last: &[&str]) -> Run {
        let stand_in = format!("path:{}/tests/nixpkgs-stand-in", self.repository.display());
        let mut args = command.to_vec();
        args.extend([
            "--impure",
            "--no-write-lock-file",
            "--override-input",
            "nixpkgs",
            &stand_in,
        ]);
        // Without a repository around it, `.` is a flake of the kind `path:`.
        args.extend(last);
        self.nix(&args)
    }

    /// Builds a flake's output that has to succeed.
    #[track_caller]
    pub(crate) fn build(&self, of: &str) -> PathBuf {
        let json = self.flake(&["build", "--no-link", "--json"], &[of]).good();
        output(&json)
    }
}

/// The one output in what `nix build --json` printed.
pub(crate) fn output(printed: &str) -> PathBuf {
    let built: serde_json::Value = serde_json::from_str(printed).unwrap();
    let path = built
        .pointer("/0/outputs/out")
        .and_then(serde_json::Value::as_str);
    path.expect("an output").into()
}

/// Copies a folder without what was built, the fuzzers' finds and git's own files.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if ["target", ".git", "fuzz"].iter().any(|it| name == *it) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(name))?;
        } else {
            std::fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// All files below a folder.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}
