//! How fast logs are read, and in how much memory, beside jq and Python's json doing the same with JSON.
//!
//! The logs are samples that real tools made, repeated with other figures up to a size.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// The size of each log.
const SIZE: u64 = 1 << 30;

/// What jq and Python read: they hold the whole document in memory, some ten times its size.
const SMALL: u64 = 100 << 20;

/// The log that is never a file.
const ENDLESS: u64 = 10 << 30;

/// How often each log is read; the median counts.
const RUNS: usize = 3;

const JQ: &str = "[.sysstat.hosts[].statistics[1:][].disk[] | {d: .disk_device, w: .r_await}] | group_by(.d) \
                  | map({(.[0].d): {mean: (map(.w) | add / length), max: (map(.w) | max)}}) | add";

const PYTHON: &str = r"import json, sys
waits = {}
for host in json.load(open(sys.argv[1]))['sysstat']['hosts']:
    for report in host['statistics'][1:]:
        for disk in report['disk']:
            waits.setdefault(disk['disk_device'], []).append(disk['r_await'])
print({name: (sum(all) / len(all), max(all)) for name, all in waits.items()})
";

/// Figures that differ from one repetition to the next, the same in each run of the benchmark.
struct Vary(u64);

impl Vary {
    fn next(&mut self) -> u64 {
        // Knuth's MMIX generator.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// The text with other digits behind each point, and no larger a figure before it.
    fn text(&mut self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut varied = bytes.to_vec();
        for at in 1..bytes.len().saturating_sub(2) {
            let digits = [at - 1, at + 1, at + 2].map(|at| bytes[at].is_ascii_digit());
            if bytes[at] == b'.' && digits == [true; 3] {
                let whole = varied[at - 1] - b'0';
                varied[at - 1] = b'0' + (self.next() % (u64::from(whole) + 1)) as u8;
                // A share of 100.00 may not grow.
                if bytes[..at].ends_with(b"100") {
                    continue;
                }
                varied[at + 1] = b'0' + (self.next() % 10) as u8;
                varied[at + 2] = b'0' + (self.next() % 10) as u8;
            }
        }
        String::from_utf8_lossy(&varied).into_owned()
    }
}

/// A log: what begins it, what is repeated in other figures, and what ends it.
struct Log {
    name: &'static str,
    head: String,
    blocks: Vec<String>,
    tail: String,
}

impl Log {
    fn all(samples: &Path) -> anyhow::Result<Vec<Self>> {
        let read = |path: &str| std::fs::read_to_string(samples.join(path)).with_context(|| path.to_owned());
        let mut vary = Vary(1);
        let mut blocks = |text: &str, before: &str| -> Vec<String> {
            (0..200).map(|_| format!("{before}{}", vary.text(text))).collect()
        };
        let json = read("iostat/x.json")?;
        let start = json
            .find("\"statistics\": [")
            .context("no statistics in the sample")?
            + 15;
        let end = json.rfind("\t\t\t]").context("no end of the statistics")?;
        let (head, body, tail) = (&json[..start], json[start..end].trim(), &json[end..]);
        let text = read("iostat/x.txt")?;
        let (run, reports) = text.split_once('\n').context("no line in the sample")?;
        let iotop = read("iotop/b-o-k.txt")?;
        let counters = read("diskstats/diskstats")?;
        // Counters that grow from sample to sample.
        let grown = (0..200_u64)
            .map(|round| {
                let row = |line: &str| {
                    let mut grown = String::new();
                    for (at, word) in line.split_ascii_whitespace().enumerate() {
                        match word.parse::<u64>() {
                            Ok(count) if at > 2 => grown.push_str(&format!(" {}", count + round)),
                            _ if at < 2 => grown.push_str(&format!("{word:>5}")),
                            _ => grown.push_str(&format!(" {word}")),
                        }
                    }
                    grown + "\n"
                };
                counters.lines().map(row).collect()
            })
            .collect();
        Ok(vec![
            Self {
                name: "iostat.json",
                head: format!("{head}\n{body}"),
                blocks: blocks(body, ",\n"),
                tail: tail.to_owned(),
            },
            Self {
                name: "iostat.txt",
                head: format!("{run}\n"),
                blocks: blocks(reports, ""),
                tail: String::new(),
            },
            Self {
                name: "iotop.txt",
                head: String::new(),
                blocks: blocks(&iotop, ""),
                tail: String::new(),
            },
            Self {
                name: "diskstats",
                head: String::new(),
                blocks: grown,
                tail: String::new(),
            },
        ])
    }

    /// Writes the log up to a size, and gives how much that is.
    fn write(&self, mut to: impl Write, size: u64) -> std::io::Result<u64> {
        to.write_all(self.head.as_bytes())?;
        let mut written = self.head.len() as u64;
        for block in self.blocks.iter().cycle() {
            if written >= size {
                break;
            }
            to.write_all(block.as_bytes())?;
            written += block.len() as u64;
        }
        to.write_all(self.tail.as_bytes())?;
        to.flush()?;
        Ok(written + self.tail.len() as u64)
    }
}

/// What a command took: wall and processor seconds, and peak resident memory in MiB.
struct Cost {
    wall: f64,
    cpu: f64,
    peak: f64,
}

/// Runs a command below time(1); the log goes to its stdin where there is one.
fn cost(command: &[&str], stdin: Option<(&Log, u64)>) -> anyhow::Result<Cost> {
    let mut child = Command::new("/usr/bin/time")
        .args(["-f", "%e %U %S %M"])
        .args(command)
        .stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("/usr/bin/time (apt-get install time)")?;
    if let (Some((log, size)), Some(pipe)) = (stdin, child.stdin.take()) {
        log.write(BufWriter::with_capacity(1 << 20, pipe), size)?;
    }
    let done = child.wait_with_output()?;
    ensure!(done.status.success(), "{} failed", command.join(" "));
    let told = String::from_utf8_lossy(&done.stderr);
    let figures: Vec<f64> = told
        .lines()
        .next_back()
        .unwrap_or("")
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    match figures[..] {
        [wall, user, system, kib] => Ok(Cost {
            wall,
            cpu: user + system,
            peak: kib / 1024.0,
        }),
        _ => anyhow::bail!("time(1) printed no figures: {told}"),
    }
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn row(name: &str, bytes: u64, mut costs: Vec<Cost>) {
    costs.sort_by(|one, other| one.wall.total_cmp(&other.wall));
    let cost = &costs[costs.len() / 2];
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{name:38} {megabytes:>8.0} {:>8.2} {:>8.2} {:>12.0} {:>10.1}",
        cost.wall,
        cost.cpu,
        megabytes / cost.cpu.max(0.01),
        cost.peak
    );
}

/// Deletes the scratch folder when the benchmark ends, however it ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes the logs, reads each, and prints a table.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--package", "disko-advise-facts"])
        .args(["--example", "read_log"])
        .current_dir(&root)
        .status()?;
    ensure!(built.success(), "the release build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let reader = target.join("release/examples/read_log").display().to_string();
    let scratch = Scratch(target.join("bench-facts"));
    std::fs::create_dir_all(&scratch.0)?;
    let logs = Log::all(&root.join("crates/facts/samples"))?;
    println!(
        "{:38} {:>8} {:>8} {:>8} {:>12} {:>10}",
        "", "MB", "wall s", "CPU s", "MB/s of CPU", "peak MiB"
    );
    for log in &logs {
        let path = scratch.0.join(log.name);
        let bytes = log.write(BufWriter::with_capacity(1 << 20, File::create(&path)?), SIZE)?;
        let shown = path.display().to_string();
        let costs = (0..RUNS)
            .map(|_| cost(&[&reader, &shown], None))
            .collect::<anyhow::Result<_>>()?;
        row(log.name, bytes, costs);
        std::fs::remove_file(&path)?;
    }
    let (json, text) = (&logs[0], &logs[1]);
    row(
        "iostat.txt from a pipe, never a file",
        ENDLESS,
        vec![cost(&[&reader, "/dev/stdin"], Some((text, ENDLESS)))?],
    );
    let path = scratch.0.join("small.json");
    let bytes = json.write(BufWriter::new(File::create(&path)?), SMALL)?;
    let shown = path.display().to_string();
    row("iostat.json, small", bytes, vec![cost(&[&reader, &shown], None)?]);
    for (name, command) in [
        ("  the same with jq", ["jq", JQ, &shown]),
        ("  the same with Python's json", ["python3", "-c", PYTHON]),
    ] {
        let mut command = command.to_vec();
        if command[0] == "python3" {
            command.push(&shown);
        }
        match cost(&command, None) {
            Ok(cost) => row(name, bytes, vec![cost]),
            Err(why) => println!("{name}: {why}"),
        }
    }
    Ok(())
}
