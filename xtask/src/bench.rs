//! What answering for one host costs, what evaluation costs beside Nix, and what provenance adds to it:
//! always whole processes, in turn, on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// How often each command runs; the median counts.
const RUNS: usize = 41;
/// The same for evaluations, which take longer.
const EVALUATIONS: usize = 11;
/// The same for fleets, which take longer still.
const FLEETS: usize = 3;

/// What is evaluated beside Nix, by the files in `xtask/bench`; the last number is the goal: at most
/// this part of Nix's time.
const CASES: &[(&str, f64)] = &[
    ("fib", 1.0),
    ("fold", 1.0),
    ("update", 1.0),
    ("sort", 1.0),
    ("strings", 1.0),
    ("with", 1.0),
];

/// One command and what its runs took.
struct Row {
    name: String,
    command: Vec<String>,
    samples: Vec<(Duration, u64)>,
}

impl Row {
    fn new(name: impl Into<String>, command: &[&str]) -> Self {
        Self {
            name: name.into(),
            command: command.iter().map(|it| (*it).to_owned()).collect(),
            samples: Vec::new(),
        }
    }

    /// Wall time in milliseconds: minimum, median, maximum.
    fn wall(&self) -> [f64; 3] {
        spread(self.samples.iter().map(|(wall, _)| wall.as_secs_f64() * 1000.0))
    }

    /// Peak memory in MiB: minimum, median, maximum.
    fn peak(&self) -> [f64; 3] {
        spread(self.samples.iter().map(|(_, kib)| *kib as f64 / 1024.0))
    }
}

/// `bench`: builds the release binary and prints what a report on one host costs.
pub(crate) fn host() -> anyhow::Result<()> {
    let root = root()?;
    let binary = built(&root, &[], "release")?;
    let layout = root.join("examples/laptop/disko.nix").display().to_string();
    let facts = root.join("examples/laptop/facts").display().to_string();
    let advise = [&binary, "check", &layout, "--facts", &facts, "--fail-on", "never"];
    let mut rows = vec![Row::new("disko-advise check, with facts", &advise)];
    if has_nix() {
        let nix = ["nix-instantiate", "--eval", "--strict", "--json", &layout];
        rows.push(Row::new("nix-instantiate --eval --strict --json", &nix));
    }
    in_turn(&mut rows, RUNS)?;
    table(&rows, RUNS);
    Ok(())
}

/// `bench nix`: evaluation beside Nix. `NIXPKGS_LIB` and `DISKO` name trees for the run of the real
/// module system over disko's example layouts.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn nix() -> anyhow::Result<()> {
    ensure!(has_nix(), "nix-instantiate is not here (apt-get install nix-bin)");
    let root = root()?;
    let binary = built(&root, &[], "release")?;
    let mut rows = Vec::new();
    let mut goals = Vec::new();
    let mut pair = |name: &str, goal: f64, arguments: &[String]| {
        let with = |program: &[&str]| -> Vec<String> {
            let program = program.iter().map(|it| (*it).to_owned());
            program.chain(arguments.iter().cloned()).collect()
        };
        for (who, command) in [
            ("disko-advise", with(&[&binary, "eval", "--json"])),
            ("nix", with(&["nix-instantiate", "--eval", "--strict", "--json"])),
        ] {
            rows.push(Row {
                name: format!("{name}: {who}"),
                command,
                samples: Vec::new(),
            });
        }
        goals.push((name.to_owned(), goal));
    };
    let file = |path: &str| root.join(path).display().to_string();
    pair("one layout", 0.3, &[file("examples/laptop/disko.nix")]);
    match (std::env::var("NIXPKGS_LIB"), std::env::var("DISKO")) {
        (Ok(lib), Ok(disko)) => {
            let argument = |name: &str, value: &str| ["--argstr", name, value].map(str::to_owned);
            let mut arguments = vec![file("crates/layout/tests/disko.nix")];
            arguments.extend(argument("disko", &disko));
            arguments.extend(argument("lib", &lib));
            arguments.extend(argument("layouts", &format!("{disko}/example")));
            arguments.extend(["-I".to_owned(), disko, "-I".to_owned(), lib]);
            pair("evalModules", 1.0, &arguments);
        }
        _ => println!("NIXPKGS_LIB and DISKO are not both set: no run of evalModules"),
    }
    for (name, goal) in CASES {
        pair(name, *goal, &[file(&format!("xtask/bench/{name}.nix"))]);
    }
    in_turn(&mut rows, EVALUATIONS)?;
    table(&rows, EVALUATIONS);
    println!(
        "\n{:40} {:>12} {:>12} {:>12}",
        "part of Nix", "time", "goal", "memory"
    );
    for (both, (name, goal)) in rows.chunks(2).zip(&goals) {
        let [ours, nix] = both else { continue };
        println!(
            "{name:40} {:>12.2} {goal:>12.1} {:>12.2}",
            ours.wall()[1] / nix.wall()[1],
            ours.peak()[1] / nix.peak()[1],
        );
    }
    Ok(())
}

/// `bench provenance`: what remembering costs, beside a build that has it compiled out.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn provenance() -> anyhow::Result<()> {
    let root = root()?;
    let with = built(&root, &[], "release")?;
    let without = built(&root, &["--no-default-features"], "without-provenance")?;
    let mut cases: Vec<(String, Vec<String>)> = CASES
        .iter()
        .map(|(name, _)| {
            let file = root.join(format!("xtask/bench/{name}.nix"));
            ((*name).to_owned(), vec![file.display().to_string()])
        })
        .collect();
    if let (Ok(lib), Ok(disko)) = (std::env::var("NIXPKGS_LIB"), std::env::var("DISKO")) {
        let file = root.join("crates/layout/tests/disko.nix").display().to_string();
        let layouts = format!("{disko}/example");
        let arguments = [
            &file, "--argstr", "disko", &disko, "--argstr", "lib", &lib, "--argstr", "layouts", &layouts,
            "-I", &disko, "-I", &lib,
        ];
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        cases.push(("evalModules".to_owned(), arguments));
    }
    let mut rows = Vec::new();
    for (name, arguments) in &cases {
        for (which, binary) in [("with", &with), ("without", &without)] {
            let mut row = Row::new(format!("{name}: {which}"), &[binary, "eval", "--json"]);
            row.command.extend(arguments.iter().cloned());
            rows.push(row);
        }
    }
    in_turn(&mut rows, EVALUATIONS)?;
    table(&rows, EVALUATIONS);
    println!("\n{:40} {:>12} {:>12}", "what provenance adds", "time", "memory");
    for (both, (name, _)) in rows.chunks(2).zip(&cases) {
        let [with, without] = both else { continue };
        println!(
            "{name:40} {:>11.1}% {:>11.1}%",
            (with.wall()[1] / without.wall()[1] - 1.0) * 100.0,
            (with.peak()[1] / without.peak()[1] - 1.0) * 100.0,
        );
    }
    Ok(())
}

/// `bench fleet`: judging hosts with their facts and summing them up, for growing numbers of hosts.
///
/// Each host has a file of its own and one of the sample reports of nixos-facter. Two of three import a
/// layout that they share; the others have that of the example.
pub(crate) fn fleet() -> anyhow::Result<()> {
    let root = root()?;
    let binary = built(&root, &[], "release")?;
    let mut reports: Vec<PathBuf> = std::fs::read_dir(root.join("crates/facts/samples/facter"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    reports.sort();
    let shared = std::fs::read_to_string(root.join("tests/cases/compression-not-on-root.nix"))?;
    let own = std::fs::read_to_string(root.join("examples/laptop/disko.nix"))?;
    let folder = root.join("target/bench-fleet");
    let mut rows = Vec::new();
    for hosts in [1_000, 3_000, 10_000] {
        let all = folder.join(hosts.to_string());
        if all.exists() {
            std::fs::remove_dir_all(&all)?;
        }
        std::fs::create_dir_all(&all)?;
        std::fs::write(all.join("shared.nix"), &shared)?;
        // What is above it is read too: the files of a host may be anywhere in its repository.
        std::fs::write(all.join("flake.nix"), "{ outputs = _: { }; }\n")?;
        for host in 0..hosts {
            let one = all.join(format!("hosts/host-{host:05}"));
            std::fs::create_dir_all(&one)?;
            let layout = if host % 3 == 0 {
                &own
            } else {
                "{ imports = [ ../../shared.nix ]; }\n"
            };
            std::fs::write(one.join("disko.nix"), layout)?;
            if let Some(report) = reports.get(host % reports.len()) {
                std::fs::copy(report, one.join("facter.json"))?;
            }
        }
        let hosts_of = all.join("hosts").display().to_string();
        rows.push(Row::new(
            format!("fleet of {hosts} hosts"),
            &[&binary, "fleet", &hosts_of, "--fail-on", "never"],
        ));
    }
    in_turn(&mut rows, FLEETS)?;
    table(&rows, FLEETS);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn root() -> anyhow::Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?)
}

fn has_nix() -> bool {
    Command::new("nix-instantiate").arg("--version").output().is_ok()
}

/// The path of the release binary, built into a folder of the target folder.
fn built(root: &Path, features: &[&str], folder: &str) -> anyhow::Result<String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = if folder == "release" {
        target
    } else {
        target.join(folder)
    };
    let built = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "disko-advise-cli",
            "--target-dir",
        ])
        .arg(&target)
        .args(features)
        .current_dir(root)
        .status()?;
    ensure!(built.success(), "the release build failed");
    Ok(target.join("release/disko-advise").display().to_string())
}

/// Runs all in turn, so that a machine that grows slower slows all.
fn in_turn(rows: &mut [Row], runs: usize) -> anyhow::Result<()> {
    for _ in 0..runs {
        for row in &mut *rows {
            let taken = sample(&row.command).with_context(|| row.name.clone())?;
            row.samples.push(taken);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn table(rows: &[Row], runs: usize) {
    println!(
        "{:40} {:>24} {:>24}",
        format!("whole process, {runs} runs"),
        "wall ms (min med max)",
        "peak MiB (min med max)"
    );
    for row in rows {
        let (wall, peak) = (row.wall(), row.peak());
        println!(
            "{:40} {:>8.2}{:>8.2}{:>8.2} {:>8.1}{:>8.1}{:>8.1}",
            row.name, wall[0], wall[1], wall[2], peak[0], peak[1], peak[2]
        );
    }
}

/// Wall time, and peak resident memory in KiB as time(1) tells it.
///
/// The time is taken in a run without time(1), so that it is not in the figure.
fn sample(command: &[String]) -> anyhow::Result<(Duration, u64)> {
    let (program, args) = command.split_first().context("an empty command")?;
    let started = Instant::now();
    let status = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let wall = started.elapsed();
    ensure!(status.success(), "{program} failed");
    let timed = Command::new("/usr/bin/time")
        .args(["-f", "%M"])
        .args(command)
        .stdout(Stdio::null())
        .output()
        .context("/usr/bin/time (apt-get install time)")?;
    let text = String::from_utf8_lossy(&timed.stderr);
    let peak = text
        .lines()
        .next_back()
        .and_then(|it| it.trim().parse().ok())
        .context("time(1) printed no figure")?;
    Ok((wall, peak))
}

fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len() - 1;
    [sorted[0], sorted[last / 2], sorted[last]]
}
