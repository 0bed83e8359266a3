//! `drift`: declared, live, effective after the next boot, recommended.

use std::process::ExitCode;

use disko_advise::emit::DriftReport;
use disko_advise::emit::report::drift::{rows, text};

use crate::args::{Drift, Format};
use crate::input::Case;
use crate::output;

pub(crate) fn run(args: &Drift) -> anyhow::Result<ExitCode> {
    let case = Case::of(&args.input)?;
    let advice = case.advice()?;
    let rows = rows(&advice.machine, &advice.judgement);
    match args.format {
        Format::Json => output::print_json(&DriftReport::new(&advice.files, &rows))?,
        Format::Text => output::print(&text(&rows, args.all))?,
    }
    if !advice.machine.is_observed() {
        output::hint("nothing is live here: add --facts with a bundle of `disko-advise collect`");
    }
    Ok(ExitCode::SUCCESS)
}
