//! Verdicts in; edits, a NixOS module fragment and reports out.
//!
//! Takes a [`rules::Judgement`] and the configuration that it is about.
//! Gives new texts for the person's own files, each proven by evaluating again; the text of a
//! generated module; reports as text, JSON, SARIF and annotations; and the sum of a fleet's reports.
//! Never decides what is to be done, and never writes.

mod diff;
mod edit;
pub mod fleet;
mod module;
pub mod report;

pub use diff::unified;
pub use edit::{Configuration, EditOutcome, Edits, TextEdit, Texts, edit};
pub use module::module;
pub use report::drift::DriftReport;
pub use report::facts::FactsReport;
pub use report::github::github;
pub use report::gitlab::gitlab;
pub use report::json::Report;
pub use report::sarif::sarif;
pub use report::text::{Look, problem, text};
