//! `check`: the report.

use std::process::ExitCode;

use disko_advise::Advice;
use disko_advise::emit::report::facts::{contradictions, unreported};
use disko_advise::emit::{github, gitlab, sarif, text};
use disko_advise::rules::{Outcome, Severity};

use crate::args::{Check, FailOn, ReportFormat};
use crate::input::Case;
use crate::{FINDINGS, output};

pub(crate) fn run(args: &Check) -> anyhow::Result<ExitCode> {
    let case = Case::of(&args.input)?;
    let advice = case.advice()?;
    match args.format {
        ReportFormat::Json => output::print_json(&advice.report())?,
        ReportFormat::Sarif => {
            let version = env!("CARGO_PKG_VERSION");
            output::print_json(&sarif(&advice.report(), &case.given.to_string_lossy(), version))?;
        }
        ReportFormat::Github => output::print(&github(&advice.report()))?,
        ReportFormat::Gitlab => output::print_json(&gitlab(&advice.report()))?,
        ReportFormat::Text => {
            output::print(&text(
                &advice.files,
                &advice.judgement,
                &advice.edits,
                &advice.diagnoses,
                output::look(),
            ))?;
            let disagreements = unreported(&advice.machine, &advice.judgement);
            if !disagreements.is_empty() {
                output::print(&format!(
                    "\nsources contradict each other:\n{}",
                    contradictions(&advice.files, &disagreements)
                ))?;
            }
            hints(&advice);
        }
    }
    let fail_on = args.fail_on.or(case.settings.fail_on).unwrap_or(FailOn::Warning);
    let worst = advice.judgement.findings.iter().map(Outcome::severity).max();
    Ok(status(fail_on, worst))
}

/// The exit status when this is the worst that was found.
pub(crate) fn status(fail_on: FailOn, worst: Option<Severity>) -> ExitCode {
    let threshold = match fail_on {
        FailOn::Never => return ExitCode::SUCCESS,
        FailOn::Info => Severity::Info,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
    };
    if worst >= Some(threshold) {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    }
}

/// What would decide the undecided. Without any facts, one line; with some, each way to obtain a
/// missing one once.
fn hints(advice: &Advice) {
    let undecided = &advice.judgement.undecided;
    if undecided.is_empty() {
        return;
    }
    if !advice.machine.is_observed() {
        output::hint(
            "the layout alone decides only so much: add --facts with a facter.json, `lsblk -J -O -b`, \
             `btrfs filesystem usage -b`, /proc/pressure/io … (--format json lists what each rule misses)",
        );
        return;
    }
    let mut ways: Vec<(&str, Vec<&str>)> = Vec::new();
    for undecided in undecided {
        let way = undecided.missing.obtain.as_str();
        let fact = undecided.missing.fact.as_str();
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, facts)) if facts.contains(&fact) => {}
            Some((_, facts)) => facts.push(fact),
            None => ways.push((way, vec![fact])),
        }
    }
    for (way, facts) in ways {
        let more = match &facts[..] {
            [first, second, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second} and {} more", rest.len())
            }
            all => all.join(", "),
        };
        output::hint(&format!("to know {more}: {way}"));
    }
}
