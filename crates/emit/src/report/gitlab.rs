//! The report as GitLab's code quality report, which merge requests show.
//!
//! The format: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::json::{Report, Severity};

/// An element for each finding that has a place, in the configuration or else in what was measured: GitLab
/// shows none without one.
///
/// The fingerprint is made of rule, file and subject, so that a finding is the same one when lines move.
pub fn gitlab(report: &Report) -> Value {
    let findings = report.findings.iter().filter_map(|finding| {
        let written = finding.locations.first();
        let (file, begin, end) = match (written, finding.evidence.first()) {
            (Some(it), _) => (&it.file, it.start.line, it.end.line),
            (None, Some(it)) => (&it.file, it.line, it.line),
            (None, None) => return None,
        };
        let identity = format!("{}\0{file}\0{}", finding.rule, finding.subject);
        let fingerprint: String = Sha256::digest(identity)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(json!({
            "description": finding.message,
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Info => "info",
            },
            "location": {
                "path": file,
                "lines": { "begin": begin, "end": end },
            },
        }))
    });
    Value::Array(findings.collect())
}
