//! `fleet`: the reports of many hosts, summed up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, bail, ensure};
use disko_advise::emit::Report;
use disko_advise::emit::fleet::{self, Fleet, Summary};
use disko_advise::emit::report::json::Severity;
use disko_advise::rules;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{self, Evaluation, FailOn, Format};
use crate::check::status;
use crate::input::Case;
use crate::live_world::{read_file, reason};
use crate::{COULD_NOT_RUN, output};

/// What makes a folder that of a host.
const OF_A_HOST: [&str; 5] = [
    "disko.json",
    "disko.nix",
    "disko-config.nix",
    "facter.json",
    "disko-advise.toml",
];

/// How deep folders are searched for hosts and reports.
const DEEPEST: u32 = 8;
/// How many reports may wait for their turn, for each thread: more would only use memory.
const WAITING: usize = 16;

/// Where a host's report comes from.
enum Source {
    /// It is there.
    Report(PathBuf),
    /// The host in this folder is judged.
    Host(PathBuf),
}

pub(crate) fn run(args: &args::Fleet) -> anyhow::Result<ExitCode> {
    let last = args.last.as_deref().map(earlier).transpose()?;
    let mut sources = Vec::new();
    for path in &args.paths {
        gather(path, true, 0, &mut sources)?;
    }
    ensure!(!sources.is_empty(), "no report and no host among these folders");
    let summary = sum(args, &sources).summary(last.as_ref());
    match args.format {
        Format::Text => output::print(&fleet::text(&summary))?,
        Format::Json => output::print_json(&summary)?,
    }
    let worst = summary.hosts.values().filter_map(|host| host.worst).min();
    let worst = worst.map(|severity| match severity {
        Severity::Error => rules::Severity::Error,
        Severity::Warning => rules::Severity::Warning,
        Severity::Info => rules::Severity::Info,
    });
    if summary.counts.judged == 0 {
        bail!("none of the hosts could be judged");
    }
    let status = status(args.fail_on, worst);
    // Silence about a host must not pass for a clean bill.
    if status == ExitCode::SUCCESS && !summary.failed.is_empty() && args.fail_on != FailOn::Never {
        return Ok(ExitCode::from(COULD_NOT_RUN));
    }
    Ok(status)
}

/// The summary of an earlier run.
fn earlier(path: &Path) -> anyhow::Result<Summary> {
    let shown = path.display();
    let bytes = read_file(path).map_err(|why| anyhow::anyhow!("{shown}: {why}"))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{shown}: not what `fleet --format json` prints"))
}

/// The reports and hosts at a path. Of what a person named, everything must be one of the two.
fn gather(path: &Path, named: bool, depth: u32, found: &mut Vec<Source>) -> anyhow::Result<()> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| anyhow::anyhow!("{shown}: {}", reason(&error)))?;
    if metadata.is_file() {
        if named || path.extension().is_some_and(|it| it == "json") {
            found.push(Source::Report(path.to_owned()));
        }
        return Ok(());
    }
    if !metadata.is_dir() || depth > DEEPEST {
        return Ok(());
    }
    if OF_A_HOST.iter().any(|name| path.join(name).exists()) {
        found.push(Source::Host(path.to_owned()));
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|error| anyhow::anyhow!("{shown}: {}", reason(&error)))?;
    let mut below = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()
        .with_context(|| shown.to_string())?;
    below.sort();
    for path in below {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            gather(&path, false, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Reads or makes every report, several at a time, and sums them up in the order of the sources, so
/// that the same input gives the same summary.
fn sum(args: &args::Fleet, sources: &[Source]) -> Fleet {
    let jobs = args.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let bar = ProgressBar::new(sources.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} hosts, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let mut fleet = Fleet::default();
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::sync_channel(jobs * WAITING);
    thread::scope(|scope| {
        for _ in 0..jobs.min(sources.len()) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some((at, source)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    sources.get(at).map(|source| (at, source))
                } {
                    if send.send((at, report(args, source))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut early = BTreeMap::new();
        let mut turn = 0;
        for (at, result) in receive {
            early.insert(at, result);
            while let Some((name, result)) = early.remove(&turn) {
                match result {
                    Ok(report) => fleet.add(&name, &report),
                    Err(why) => fleet.fail(&name, &why),
                }
                turn += 1;
                bar.inc(1);
            }
        }
    });
    bar.finish_and_clear();
    fleet
}

/// The name and the report of a host; why there is none, in words.
fn report(args: &args::Fleet, source: &Source) -> (String, Result<Box<Report>, String>) {
    match source {
        Source::Report(path) => {
            let stem = path.file_stem().map(|it| it.to_string_lossy().into_owned());
            let stem = stem.unwrap_or_else(|| path.display().to_string());
            let report = read_file(path).and_then(|bytes| {
                serde_json::from_slice::<Report>(&bytes).map_err(|error| {
                    format!(
                        "{}: not what `check --format json` prints: {error}",
                        path.display()
                    )
                })
            });
            match report {
                Ok(report) => (report.host.name.clone().unwrap_or(stem), Ok(Box::new(report))),
                Err(why) => (stem, Err(why)),
            }
        }
        Source::Host(folder) => {
            let shown = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            let name = shown.file_name().map(|it| it.to_string_lossy().into_owned());
            let name = name.unwrap_or_else(|| folder.display().to_string());
            (name, judge(args, folder).map_err(|error| format!("{error:#}")))
        }
    }
}

fn judge(args: &args::Fleet, folder: &Path) -> anyhow::Result<Box<Report>> {
    let evaluation = Evaluation {
        lib: args.lib.clone(),
        ..Evaluation::default()
    };
    let json = folder.join("disko.json");
    let entry = if json.exists() { &json } else { folder };
    let facts: Vec<PathBuf> = ["facter.json", "facts"]
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.exists())
        .collect();
    let case = Case::new(Some(entry), &evaluation, &facts, &[], &[])?;
    Ok(Box::new(case.quiet_advice()?.report()))
}
