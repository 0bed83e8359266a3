//! `facts`: what was observed, and how it joins what is declared.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;
use disko_advise::emit::FactsReport;
use disko_advise::emit::report::facts::text;
use disko_advise::machine::Machine;
use disko_advise::source::{Files, Problem};

use crate::args::{Facts, Format};
use crate::collect::Manifest;
use crate::input::{Case, inputs, report, workload};
use crate::output;

pub(crate) fn run(args: &Facts) -> anyhow::Result<ExitCode> {
    if let Some(path) = args.path.as_deref().filter(|path| holds_layout(path)) {
        let case = Case::new(Some(path), &args.evaluation, &args.facts, &args.workload, &[])?;
        let advice = case.advice()?;
        return print(args, &advice.files, &advice.machine, &advice.problems);
    }
    let here = std::env::current_dir()?;
    let mut paths: Vec<PathBuf> = args.path.iter().chain(&args.facts).cloned().collect();
    if paths.is_empty() {
        // Standing in a bundle, one means that.
        ensure!(
            Manifest::of(&here).is_some(),
            "nothing to read: give a bundle, --facts PATH, or gather one with `disko-advise collect -o DIR`"
        );
        paths.push(PathBuf::from("."));
    }
    let files = Files::below(&here.canonicalize().unwrap_or(here).to_string_lossy());
    let (facts, problems) = disko_advise::facts::read(&files, inputs(&paths)?);
    report(&files, &problems, true);
    ensure!(
        !facts.is_empty(),
        "{}: no facts were understood",
        paths[0].display()
    );
    let machine = Machine {
        facts,
        workloads: args
            .workload
            .iter()
            .map(|it| workload(it))
            .collect::<Result<_, _>>()?,
        ..Machine::default()
    };
    print(args, &files, &machine, &problems)
}

fn print(args: &Facts, files: &Files, machine: &Machine, problems: &[Problem]) -> anyhow::Result<ExitCode> {
    match args.format {
        Format::Json => output::print_json(&FactsReport::new(files, machine, problems))?,
        Format::Text => output::print(&text(files, machine))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a path is a layout and not facts: a Nix file, or a folder with Nix files that is no bundle.
fn holds_layout(path: &Path) -> bool {
    let is_nix = |path: &Path| path.extension().is_some_and(|it| it == "nix");
    if !path.is_dir() {
        return is_nix(path);
    }
    Manifest::of(path).is_none()
        && path
            .read_dir()
            .is_ok_and(|mut entries| entries.any(|it| it.is_ok_and(|it| is_nix(&it.path()))))
}
