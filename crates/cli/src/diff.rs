//! `diff`: the proven edits as a unified diff.

use std::process::ExitCode;

use disko_advise::emit::unified;

use crate::args::{Edit, Include};
use crate::input::Case;
use crate::output;

pub(crate) fn run(args: &Edit) -> anyhow::Result<ExitCode> {
    let case = Case::of(&args.input)?;
    let advice = case.advice()?;
    let edits = advice.edits_to_write(args.include.contains(&Include::Unsafe));
    for (path, new) in &edits.texts {
        let Some(file) = advice.files.find(path) else {
            continue;
        };
        let old = advice.files.get(file);
        if path.starts_with('/') {
            output::hint(&format!(
                "{path} lies outside of this folder: apply its part in /"
            ));
        }
        output::print(&unified(path.trim_start_matches('/'), &old.text, new))?;
    }
    said(&advice, &edits, args);
    Ok(ExitCode::SUCCESS)
}

/// Says on stderr what the edits leave out.
pub(crate) fn said(advice: &disko_advise::Advice, edits: &disko_advise::emit::Edits, args: &Edit) {
    use disko_advise::emit::EditOutcome;
    if edits.texts.is_empty() {
        output::hint("nothing to change");
    }
    let held_back = advice.held_back();
    if held_back > 0 && !args.include.contains(&Include::Unsafe) {
        let s = if held_back == 1 { "" } else { "s" };
        output::hint(&format!(
            "{held_back} edit{s} left out that trade something away: --include unsafe"
        ));
    }
    for (number, outcome) in &edits.outcomes {
        if let (EditOutcome::Dropped(reason), Some(found)) = (outcome, advice.judgement.findings.get(*number))
        {
            output::hint(&format!(
                "left out {} ({}): {reason}",
                found.rule.id, found.finding.subject
            ));
        }
    }
}
