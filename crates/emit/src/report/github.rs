//! The report as workflow commands of GitHub Actions, which annotate the lines of a pull request.
//!
//! The format and its escapes:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use super::json::{Report, Severity};

/// A line for each finding.
pub fn github(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = finding.locations.first() {
            properties.push(format!("file={}", property(&place.file)));
            properties.push(format!("line={}", place.start.line));
            properties.push(format!("endLine={}", place.end.line));
            // GitHub shows columns only within one line.
            if place.start.line == place.end.line {
                properties.push(format!("col={}", place.start.column));
                properties.push(format!("endColumn={}", place.end.column));
            }
        }
        properties.push(format!("title={}", property(&finding.rule)));
        let mut message = finding.message.clone();
        for change in &finding.changes {
            message.push('\n');
            message.push_str(&change.text);
        }
        text.push_str(&format!(
            "::{command} {}::{}\n",
            properties.join(","),
            data(&message)
        ));
    }
    text
}

/// A message with the characters that end it written as numbers.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, which colons and commas end too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_written_as_numbers() {
        assert_eq!(data("100% of a: b,\r\nc"), "100%25 of a: b,%0D%0Ac");
        assert_eq!(property("a: b,c"), "a%3A b%2Cc");
    }
}
