//! `schema`: the JSON schemas of what is printed.

use std::process::ExitCode;

use disko_advise::{emit, layout};

use crate::args::SchemaOf;
use crate::output;

pub(crate) fn run(of: SchemaOf) -> anyhow::Result<ExitCode> {
    let schema = match of {
        SchemaOf::Report => emit::report::json::schema(),
        SchemaOf::Layout => layout::report::schema(),
        SchemaOf::Fleet => emit::fleet::schema(),
    };
    output::print_json(&schema)?;
    Ok(ExitCode::SUCCESS)
}
