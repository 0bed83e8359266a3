//! The report as SARIF 2.1.0, which code hosts show beside the lines that it is about.
//!
//! The format: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeMap;

use rules::RULES;
use serde_json::{Value, json};

use super::json::{Evidence, FileEdit, Finding, Location, Position, Report, Severity};

/// The report as SARIF of one run.
///
/// `layout` is what was judged, as the person named it: the run is told apart by it from those of other
/// layouts. GitHub makes a category of it, and refuses an upload of two runs of one category
/// (`areAllRunsUnique` in github/codeql-action, `src/sarif/index.ts`). `version` is that of the program.
/// Each result has a fingerprint of its rule and subject, so that a host of code knows it again when lines
/// move.
pub fn sarif(report: &Report, layout: &str, version: &str) -> Value {
    let numbers: BTreeMap<&str, usize> = RULES.iter().enumerate().map(|(at, rule)| (rule.id, at)).collect();
    let descriptors: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.summary },
                // GitHub wants both.
                "fullDescription": { "text": rule.summary },
                "help": { "text": rule.page, "markdown": rule.page },
                "helpUri": rule.sources.first().map(|source| source.url),
                "defaultConfiguration": { "level": level(match rule.severity {
                    rules::Severity::Error => Severity::Error,
                    rules::Severity::Warning => Severity::Warning,
                    rules::Severity::Info => Severity::Info,
                }) },
            })
        })
        .collect();
    let results: Vec<Value> = report.findings.iter().map(|it| result(it, &numbers)).collect();
    // What comes behind the last slash would be the number of one run among others.
    let category = match layout.trim_start_matches("./").trim_end_matches('/') {
        "" | "." => "disko-advise/".to_owned(),
        layout => format!("disko-advise/{layout}/"),
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "disko-advise",
                "semanticVersion": version,
                "rules": descriptors,
            } },
            "automationDetails": { "id": category },
            // Columns of `Position` count characters.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding, numbers: &BTreeMap<&str, usize>) -> Value {
    let mut text = format!("{}.", finding.message);
    for sentence in &finding.because {
        text.push(' ');
        text.push_str(sentence);
    }
    for change in &finding.changes {
        text.push_str("\n\n");
        text.push_str(&change.text);
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": text },
        "partialFingerprints": { "ruleAndSubject/v1": format!("{}:{}", finding.rule, finding.subject) },
        "properties": { "confidence": finding.confidence, "reach": finding.reach, "safety": finding.safety },
    });
    if let Some(number) = numbers.get(finding.rule.as_str()) {
        result["ruleIndex"] = json!(number);
    }
    // The first place is what the finding is about, the others explain it. What was measured counts as a
    // place too: GitHub takes no result without one.
    let written = finding.locations.iter().map(place);
    let mut places = written.chain(finding.evidence.iter().map(measured));
    if let Some(first) = places.next() {
        result["locations"] = json!([first]);
    }
    let related: Vec<Value> = places
        .enumerate()
        .map(|(id, mut place)| {
            place["id"] = json!(id);
            place
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if !finding.edits.is_empty() {
        result["fixes"] = json!([fix(&finding.edits)]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn place(location: &Location) -> Value {
    labelled(
        &location.file,
        region(location.start, location.end),
        &location.label,
    )
}

fn measured(evidence: &Evidence) -> Value {
    let region = json!({ "startLine": evidence.line, "snippet": { "text": evidence.quote } });
    labelled(&evidence.file, region, &evidence.label)
}

fn labelled(file: &str, region: Value, label: &str) -> Value {
    let mut value = json!({ "physicalLocation": { "artifactLocation": artifact(file), "region": region } });
    if !label.is_empty() {
        value["message"] = json!({ "text": label });
    }
    value
}

fn fix(edits: &[FileEdit]) -> Value {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for edit in edits {
        files.entry(&edit.file).or_default().push(json!({
            "deletedRegion": region(edit.start, edit.end),
            "insertedContent": { "text": edit.text },
        }));
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(file, replacements)| {
            json!({ "artifactLocation": artifact(file), "replacements": replacements })
        })
        .collect();
    json!({
        "description": { "text": "evaluated again after the change: nothing else changes" },
        "artifactChanges": changes,
    })
}

/// A file as a URI reference: what is no letter of a path there is written as percent and number.
fn artifact(file: &str) -> Value {
    let mut uri = String::with_capacity(file.len());
    if file.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@+,=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    json!({ "uri": uri })
}

fn region(start: Position, end: Position) -> Value {
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(artifact("hosts/a b/disko.nix")["uri"], "hosts/a%20b/disko.nix");
        assert_eq!(
            artifact("/etc/nixos/ü.nix")["uri"],
            "file:///etc/nixos/%C3%BC.nix"
        );
    }
}
