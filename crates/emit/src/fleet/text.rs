//! The summary for people.

use std::collections::BTreeMap;

use super::{HardwareSum, RuleTrend, SharedEdit, Summary, Trend};
use crate::report::json::Severity;

/// How many rows a table has at most; what is left out is counted.
const MOST_ROWS: usize = 20;
/// How many hosts are named at one place.
const MOST_NAMES: usize = 5;

/// The summary as text.
pub fn text(summary: &Summary) -> String {
    let counts = &summary.counts;
    let mut text = format!(
        "{} judged: {} with errors, {} with warnings, {} with suggestions, {} without findings\n",
        hosts(counts.judged),
        counts.error,
        counts.warning,
        counts.info,
        counts.none
    );
    if !summary.rules.is_empty() {
        text.push_str("\nfindings\n");
        let width = summary.rules.iter().map(|it| it.rule.len()).max().unwrap_or(0);
        for it in &summary.rules {
            let severity = match it.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            let change = summary
                .trend
                .as_ref()
                .and_then(|trend| trend.rules.get(&it.rule))
                .map_or_else(String::new, change);
            text.push_str(&format!(
                "  {severity:7}  {:width$}  {:>6} {}{change}\n",
                it.rule,
                it.hosts,
                if it.hosts == 1 { "host" } else { "hosts" },
            ));
        }
    }
    if !summary.edits.is_empty() {
        text.push_str("\none edit for several hosts\n");
        let rows = summary.edits.iter().map(shared_edit);
        text.push_str(&table(rows, summary.edits.len(), "edits"));
    }
    text.push_str(&hardware("machines", &summary.products));
    text.push_str(&hardware("disks", &summary.disks));
    if !summary.missing.is_empty() {
        text.push_str("\nwhat would decide more\n");
        let rows = summary
            .missing
            .iter()
            .map(|it| format!("  {:>6}  {}: {}\n", it.hosts, it.fact, it.obtain));
        text.push_str(&table(rows, summary.missing.len(), "facts"));
    }
    if let Some(trend) = &summary.trend {
        text.push_str(&trend_text(trend));
    }
    if !summary.failed.is_empty() {
        text.push_str("\nnot judged\n");
        let rows = summary
            .failed
            .iter()
            .map(|(host, why)| format!("  {host}: {why}\n"));
        text.push_str(&table(rows, summary.failed.len(), "hosts"));
    }
    text
}

/// The first rows, and a count of the others.
fn table(rows: impl Iterator<Item = String>, count: usize, what: &str) -> String {
    let mut text: String = rows.take(MOST_ROWS).collect();
    if count > MOST_ROWS {
        text.push_str(&format!(
            "  … and {} {what} more (--format json has all)\n",
            count - MOST_ROWS
        ));
    }
    text
}

fn hosts(count: usize) -> String {
    if count == 1 {
        "1 host".to_owned()
    } else {
        format!("{count} hosts")
    }
}

fn change(trend: &RuleTrend) -> String {
    format!("  (+{} -{})", trend.appeared.len(), trend.mended.len())
}

fn shared_edit(it: &SharedEdit) -> String {
    let mut text = String::new();
    let others = it.readers - it.hosts.len();
    for edit in &it.edits {
        text.push_str(&format!(
            "  {}:{}:{}\n",
            edit.file, edit.start.line, edit.start.column
        ));
        let verb = if edit.start == edit.end { "insert" } else { "write" };
        for line in edit.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            text.push_str(&format!("    {verb} {line}\n"));
        }
        if edit.text.trim().is_empty() {
            text.push_str("    remove what stands there\n");
        }
    }
    text.push_str(&format!(
        "    mends {} on {}",
        it.rules.join(", "),
        hosts(it.hosts.len())
    ));
    if others > 0 {
        text.push_str(&format!(
            "; {} more read the file and do not ask for it: look at {} first",
            hosts(others),
            if others == 1 { "it" } else { "them" }
        ));
    }
    text.push('\n');
    text
}

fn hardware(title: &str, sums: &[HardwareSum]) -> String {
    if sums.is_empty() {
        return String::new();
    }
    let width = sums.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    let rows = sums.iter().map(|it| {
        let mut rules: Vec<(&String, &usize)> = it.rules.iter().collect();
        rules.sort_by_key(|(_, hosts)| std::cmp::Reverse(**hosts));
        let most = rules.first().map_or_else(String::new, |(rule, hosts)| {
            format!(", most of all {rule} ({hosts})")
        });
        format!(
            "  {:>6}  {:width$}  {} with findings{most}\n",
            it.hosts, it.name, it.with_findings
        )
    });
    format!("\n{title}\n{}", table(rows, sums.len(), title))
}

fn trend_text(trend: &Trend) -> String {
    let mut text = String::from("\nsince the last run\n");
    let mut rows: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut row = |order, what: &str, names: &[String]| {
        if !names.is_empty() {
            let row = format!("  {what} on {}: {}\n", hosts(names.len()), some(names));
            rows.entry(order).or_default().push(row);
        }
    };
    for (rule, change) in &trend.rules {
        row(0, &format!("{rule} appeared"), &change.appeared);
        row(1, &format!("{rule} mended"), &change.mended);
    }
    let rows: Vec<String> = rows.into_values().flatten().collect();
    let count = rows.len();
    text.push_str(&table(rows.into_iter(), count, "changes"));
    for (what, names) in [("new", &trend.new_hosts), ("gone", &trend.gone_hosts)] {
        if !names.is_empty() {
            text.push_str(&format!("  {what}: {}\n", some(names)));
        }
    }
    if count == 0 && trend.new_hosts.is_empty() && trend.gone_hosts.is_empty() {
        text.push_str("  nothing changed\n");
    }
    text
}

/// The first names, and a count of the others.
fn some(names: &[String]) -> String {
    let first = names
        .iter()
        .take(MOST_NAMES)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
