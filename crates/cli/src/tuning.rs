//! `tuning`: the NixOS module.

use std::process::ExitCode;

use disko_advise::emit::module;

use crate::args::Input;
use crate::input::Case;
use crate::output;

pub(crate) fn run(args: &Input) -> anyhow::Result<ExitCode> {
    let case = Case::of(args)?;
    let advice = case.advice()?;
    match module(&advice.judgement) {
        Some(text) => output::print(&text)?,
        None => {
            // Still a module, so that a script may import what this prints.
            output::print("{ ... }:\n{ }\n")?;
            output::hint("nothing to set outside the layout");
        }
    }
    Ok(ExitCode::SUCCESS)
}
