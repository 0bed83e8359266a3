//! The binary `disko-advise`: one file a verb, and the real world.
//!
//! Reads files, writes to the terminal, and is the only crate that may do either.
//! Holds no logic: what it prints, the library has made.

mod apply;
mod args;
mod check;
mod collect;
mod diff;
mod drift;
mod eval;
mod explain;
mod facts;
mod fleet;
mod input;
mod layout;
mod live_world;
mod output;
mod progress;
mod schema;
mod settings;
mod tuning;

use std::process::ExitCode;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use args::{Cli, Verb};

/// Evaluation makes and drops small values by the million, which this one does fastest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Findings at or above `--fail-on`.
const FINDINGS: u8 = 1;
/// The run did not come to a result.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(with_verb(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let result = match cli.verb {
        Verb::Check(args) => check::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Apply(args) => apply::run(&args),
        Verb::Tuning(args) => tuning::run(&args),
        Verb::Layout(args) => layout::run(&args),
        Verb::Fleet(args) => fleet::run(&args),
        Verb::Facts(args) => facts::run(&args),
        Verb::Drift(args) => drift::run(&args),
        Verb::Collect(args) => collect::run(&args),
        Verb::Eval(args) => eval::run(&args),
        Verb::Explain { rule } => explain::page(&rule),
        Verb::Rules => explain::list(),
        Verb::Schema { of } => schema::run(of),
        Verb::Completions { shell } => completions(shell),
        Verb::Man { folder } => man(&folder),
    };
    match result {
        Ok(code) => code,
        // Whoever reads the output has seen enough; that is no failure of ours.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Puts `check` before arguments that name no verb.
fn with_verb(mut args: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    const OWN: [&str; 5] = ["-h", "--help", "-V", "--version", "help"];
    let command = Cli::command();
    let named = args.get(1).and_then(|first| first.to_str()).is_some_and(|first| {
        OWN.contains(&first) || command.get_subcommands().any(|verb| verb.get_name() == first)
    });
    if !named {
        args.insert(1.min(args.len()), "check".into());
    }
    args
}

/// Help goes to stdout; a wrong flag is one clear line and status 2.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(COULD_NOT_RUN),
        };
    }
    let text = error.to_string();
    // The first paragraph says what is wrong; tips and usage follow it.
    let line: Vec<&str> = text
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    let line = line.join(" ");
    let line = line.trim_start_matches("error: ");
    output::error(&format!("{line} (see `disko-advise --help`)"));
    ExitCode::from(COULD_NOT_RUN)
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "disko-advise", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// The pages come from the same descriptions as `--help`.
fn man(folder: &std::path::Path) -> anyhow::Result<ExitCode> {
    clap_mangen::generate_to(Cli::command(), folder).with_context(|| folder.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|it| it.kind() == std::io::ErrorKind::BrokenPipe)
}
