//! `explain` and `rules`.

use std::process::ExitCode;

use disko_advise::rules::{RULES, rule};

use crate::output;

/// Shows the page of a rule.
pub(crate) fn page(name: &str) -> anyhow::Result<ExitCode> {
    let Some(rule) = rule(name) else {
        let near: Vec<_> = RULES
            .iter()
            .map(|rule| rule.id)
            .filter(|id| id.contains(name) || name.contains(id))
            .collect();
        let hint = if near.is_empty() {
            "`rules` lists all".to_owned()
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        anyhow::bail!("no rule is called {name}; {hint}");
    };
    output::print(rule.page)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists all rules, a line each.
pub(crate) fn list() -> anyhow::Result<ExitCode> {
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let lines: String = RULES
        .iter()
        .map(|rule| {
            format!(
                "{:width$}  {:7}  {}\n",
                rule.id,
                rule.severity.name(),
                rule.summary
            )
        })
        .collect();
    output::print(&lines)?;
    Ok(ExitCode::SUCCESS)
}
