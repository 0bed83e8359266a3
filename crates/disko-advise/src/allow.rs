//! Suppressions: findings that a person has looked at and lets stand, with the reason.

use std::collections::BTreeMap;

use rules::{Judgement, Outcome};
use source::{Files, Problem, Span};

/// The mark of a suppression in a comment: `# disko-advise: allow RULE -- reason`.
const MARK: &str = "disko-advise: allow ";

/// Takes the findings out that are allowed: by name, or by a comment above one of their lines.
/// Gives how many, and a problem for each comment that gives no reason or names no rule.
pub(crate) fn suppress(
    files: &Files,
    judgement: &mut Judgement,
    by_name: &BTreeMap<String, String>,
) -> (usize, Vec<Problem>) {
    let mut problems: Vec<Problem> = Vec::new();
    let before = judgement.findings.len();
    judgement.findings.retain(|outcome| {
        if by_name.contains_key(outcome.rule.id) {
            return false;
        }
        !outcome
            .finding
            .locations
            .iter()
            .any(|label| above(files, label.span, outcome, &mut problems))
    });
    problems.dedup();
    (before - judgement.findings.len(), problems)
}

/// Whether a comment right above a line allows a finding.
fn above(files: &Files, span: Span, outcome: &Outcome, problems: &mut Vec<Problem>) -> bool {
    let file = files.get(span.file);
    let mut line = file.line_column(span.start).line;
    while line > 1 {
        line -= 1;
        let Some(comment) = file.line_text(line).trim().strip_prefix('#') else {
            return false;
        };
        let Some(allowed) = comment.trim().strip_prefix(MARK) else {
            continue;
        };
        let (name, reason) = allowed.split_once("--").unwrap_or((allowed, ""));
        let problem = |message: String| Problem::warning(message).at(Some(span));
        if rules::rule(name.trim()).is_none() {
            problems.push(problem(format!(
                "the comment above allows `{}`, which is no rule",
                name.trim()
            )));
        } else if reason.trim().is_empty() {
            let message = format!(
                "the comment above allows {} without a reason: add ` -- why`",
                name.trim()
            );
            problems.push(problem(message));
        } else if name.trim() == outcome.rule.id {
            return true;
        }
    }
    false
}
