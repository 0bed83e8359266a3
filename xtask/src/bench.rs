//! What answering for one host costs, as a whole process, beside what Nix needs to evaluate the same file.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// How often each command runs; the median counts.
const RUNS: usize = 41;

/// Builds the release binary and prints a table: wall time and peak memory, minimum, median, maximum.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--package", "disko-advise-cli"])
        .current_dir(&root)
        .status()?;
    ensure!(built.success(), "the release build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let binary = target.join("release/disko-advise").display().to_string();
    let layout = root.join("examples/laptop/disko.nix").display().to_string();
    let facts = root.join("examples/laptop/facts").display().to_string();

    let advise = vec![
        binary,
        "check".into(),
        layout.clone(),
        "--facts".into(),
        facts,
        "--fail-on".into(),
        "never".into(),
    ];
    let nix: Vec<String> = ["nix-instantiate", "--eval", "--strict", "--json", &layout]
        .map(str::to_owned)
        .to_vec();
    let mut rows = vec![("disko-advise check, with facts", advise, Vec::new())];
    if Command::new("nix-instantiate").arg("--version").output().is_ok() {
        rows.push(("nix-instantiate --eval --strict --json", nix, Vec::new()));
    } else {
        println!("nix-instantiate is not here: no comparison (apt-get install nix-bin)");
    }
    // In turn, so that a machine that grows slower slows both.
    for _ in 0..RUNS {
        for (name, command, samples) in &mut rows {
            samples.push(sample(command).with_context(|| (*name).to_owned())?);
        }
    }
    println!(
        "{:40} {:>24} {:>24}",
        format!("whole process, {RUNS} runs"),
        "wall ms (min med max)",
        "peak MiB (min med max)"
    );
    for (name, _, samples) in &rows {
        let wall = spread(samples.iter().map(|(wall, _)| wall.as_secs_f64() * 1000.0));
        let peak = spread(samples.iter().map(|(_, kib)| *kib as f64 / 1024.0));
        println!(
            "{name:40} {:>8.2}{:>8.2}{:>8.2} {:>8.1}{:>8.1}{:>8.1}",
            wall[0], wall[1], wall[2], peak[0], peak[1], peak[2]
        );
    }
    Ok(())
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
