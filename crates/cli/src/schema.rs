//! `schema`: the JSON schemas of what is printed.

use std::process::ExitCode;

use disko_advise::{emit, layout};

use crate::args::SchemaOf;
use crate::{collect, output};

pub(crate) fn run(of: SchemaOf) -> anyhow::Result<ExitCode> {
    let schema = match of {
        SchemaOf::Report => emit::report::json::schema(),
        SchemaOf::Layout => layout::report::schema(),
        SchemaOf::Fleet => emit::fleet::schema(),
        SchemaOf::Facts => emit::report::facts::schema(),
        SchemaOf::Drift => emit::report::drift::schema(),
        SchemaOf::Manifest => collect::schema(),
    };
    output::print_json(&schema)?;
    Ok(ExitCode::SUCCESS)
}
