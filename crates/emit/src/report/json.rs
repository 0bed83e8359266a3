//! The JSON report, version 1. The schema is generated from these types.

use rules::{Change, Judgement, ListEdit, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use source::{Files, LineColumn, Span};

use crate::edit::{EditOutcome, Edits, TextEdit, nix_literal};

/// A whole report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always 1. It grows when a field changes its meaning or goes.
    pub version: u32,
    /// The host that it is about.
    #[serde(default)]
    pub host: Host,
    /// The findings, the most important first.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub undecided: Vec<Undecided>,
    /// What may be behind the symptoms that the person named.
    pub diagnoses: Vec<Diagnosis>,
    /// The counts.
    pub summary: Summary,
}

/// The host that a report is about, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name: `networking.hostName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Maker and product of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The models of its disks, in the order of their names; a model stands as often as it is there.
    #[serde(default)]
    pub disks: Vec<String>,
    /// The files of its configuration that were read.
    #[serde(default)]
    pub files: Vec<String>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// `error`, `warning` or `info`.
    pub severity: Severity,
    /// `certain`, `likely` or `possible`.
    pub confidence: Confidence,
    /// An option path, a device or a mountpoint.
    pub subject: String,
    /// What is wrong, in one phrase.
    pub message: String,
    /// Why it matters.
    pub because: Vec<String>,
    /// Where it was written.
    pub locations: Vec<Location>,
    /// What was measured.
    pub evidence: Vec<Evidence>,
    /// What the change is expected to bring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// What has to happen until the change is in effect.
    pub reach: Reach,
    /// Whether `apply` may write it.
    pub safety: Safety,
    /// What to do.
    pub changes: Vec<ChangeReport>,
    /// The proven edits of the person's own files that do it. Empty when there are none.
    #[serde(default)]
    pub edits: Vec<FileEdit>,
    /// What it costs or risks.
    pub costs: Vec<String>,
    /// How to undo it.
    pub rollback: Vec<String>,
    /// How to see that it worked.
    pub verify: Vec<String>,
    /// Who says so.
    pub sources: Vec<SourceReport>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Unsafe, will not boot, or loses data.
    Error,
    /// Declared but without effect, or a measured bottleneck.
    Warning,
    /// An improvement whose gain is likely but unmeasured here.
    Info,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It is.
    Certain,
    /// It is, unless something unusual was done.
    Likely,
    /// It may be.
    Possible,
}

/// What has to happen until a change is in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Nothing.
    Live,
    /// A remount.
    Remount,
    /// A restart of the service.
    ServiceRestart,
    /// A reboot.
    Reboot,
    /// Nothing, but data written before stays as it is.
    NewWrites,
    /// The filesystem unmounted.
    Offline,
    /// A new filesystem, pool, array or container.
    Recreate,
}

/// Whether `apply` may write a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// It does.
    Safe,
    /// Only when the person names it.
    Unsafe,
    /// Never.
    Manual,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file, as it was given.
    pub file: String,
    /// The first character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
    /// A remark; may be empty.
    pub label: String,
}

/// A position, both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A line of the machine's own output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The file that holds it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The line's text.
    pub quote: String,
    /// A remark; may be empty.
    pub label: String,
}

/// What a change is expected to bring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// What is measured.
    pub metric: String,
    /// The low end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The high end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The unit of both.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Where the numbers are from.
    pub basis: Basis,
}

/// Where numbers are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Measured on this machine.
    MeasuredHere,
    /// Measured in an experiment that can be run again.
    Lab,
    /// Published.
    Literature,
    /// Computed.
    Model,
    /// There are none.
    Unknown,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeReport {
    /// What it changes: the layout, the generated module, or nothing by itself: a command or words.
    pub target: Target,
    /// The option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// The value that comes in, or goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The change as a person would say or type it.
    pub text: String,
}

/// A proven edit of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FileEdit {
    /// The file, as it was given.
    pub file: String,
    /// The first character that goes.
    pub start: Position,
    /// One past the last character that goes. Where nothing goes, the same as `start`.
    pub end: Position,
    /// What comes in its place.
    pub text: String,
}

/// What a change changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The layout.
    Disko,
    /// The generated NixOS module.
    Nixos,
    /// A command for the person to run, or words.
    Command,
}

/// What is done to an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// It gets a value.
    Set,
    /// Its definition goes.
    Unset,
    /// An element is added at the end.
    Append,
    /// An element is removed.
    Remove,
    /// An element is replaced.
    Replace,
}

/// Who says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceReport {
    /// The title.
    pub title: String,
    /// The address.
    pub url: String,
}

/// Something that could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undecided {
    /// The rule's name.
    pub rule: String,
    /// An option path, a device, a mountpoint or `host`.
    pub subject: String,
    /// What is missing for it.
    pub missing: Vec<MissingFact>,
}

/// A fact that is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MissingFact {
    /// What is not known.
    pub fact: String,
    /// How to obtain it.
    pub obtain: String,
}

/// What may be behind a symptom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The symptom, in the person's words.
    pub symptom: String,
    /// What may be behind it.
    pub hypothesis: String,
    /// `confirmed`, `refuted` or `unconfirmed`.
    pub status: Status,
    /// What was measured for or against it.
    pub evidence: Vec<Evidence>,
    /// The rules that bear on it.
    pub rules: Vec<String>,
}

/// What became of a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Measurements show it.
    Confirmed,
    /// Measurements speak against it.
    Refuted,
    /// Nothing was measured that would tell.
    Unconfirmed,
}

/// The counts of verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Findings.
    pub finding: usize,
    /// Subjects that were looked at and are in order.
    pub clear: usize,
    /// Rules that had no subject here.
    pub not_applicable: usize,
    /// Subjects that could not be judged.
    pub undecided: usize,
}

impl Report {
    /// The report of a judgement. Edits that were dropped are reported as words.
    pub fn new(
        files: &Files,
        host: Host,
        judgement: &Judgement,
        edits: &Edits,
        diagnoses: &[rules::Diagnosis],
    ) -> Self {
        Self {
            version: 1,
            host,
            findings: judgement
                .findings
                .iter()
                .enumerate()
                .map(|(number, outcome)| finding(files, outcome, edits.outcomes.get(&number)))
                .collect(),
            undecided: judgement
                .undecided
                .iter()
                .map(|it| Undecided {
                    rule: it.rule.id.into(),
                    subject: it.subject.clone(),
                    missing: vec![MissingFact {
                        fact: it.missing.fact.clone(),
                        obtain: it.missing.obtain.clone(),
                    }],
                })
                .collect(),
            diagnoses: diagnoses.iter().map(|it| diagnosis(files, it)).collect(),
            summary: Summary {
                finding: judgement.findings.len(),
                clear: judgement.clear,
                not_applicable: judgement.not_applicable,
                undecided: judgement.undecided.len(),
            },
        }
    }
}

/// The JSON schema of [`Report`].
pub fn schema() -> Value {
    schemars::schema_for!(Report).to_value()
}

fn diagnosis(files: &Files, it: &rules::Diagnosis) -> Diagnosis {
    Diagnosis {
        symptom: it.symptom.clone(),
        hypothesis: it.hypothesis.to_owned(),
        status: match it.status {
            rules::Status::Confirmed => Status::Confirmed,
            rules::Status::Refuted => Status::Refuted,
            rules::Status::Unconfirmed => Status::Unconfirmed,
        },
        evidence: it
            .evidence
            .iter()
            .map(|(quote, label)| evidence(files, quote, label))
            .collect(),
        rules: it.rules.iter().map(|rule| (*rule).to_owned()).collect(),
    }
}

fn evidence(files: &Files, quote: &source::Quote, label: &str) -> Evidence {
    Evidence {
        file: files.get(quote.file).path.to_string(),
        line: quote.line,
        quote: quote.text.to_string(),
        label: label.to_owned(),
    }
}

fn finding(files: &Files, outcome: &Outcome, edit: Option<&EditOutcome>) -> Finding {
    let it = &outcome.finding;
    let mut changes: Vec<_> = it
        .changes
        .iter()
        .flat_map(|change| change_reports(change, edit))
        .collect();
    changes.extend(it.advice.iter().map(|advice| ChangeReport {
        target: Target::Command,
        path: None,
        op: None,
        value: None,
        text: advice.clone(),
    }));
    Finding {
        rule: outcome.rule.id.into(),
        severity: match outcome.severity() {
            rules::Severity::Error => Severity::Error,
            rules::Severity::Warning => Severity::Warning,
            rules::Severity::Info => Severity::Info,
        },
        confidence: match it.confidence {
            rules::Confidence::Certain => Confidence::Certain,
            rules::Confidence::Likely => Confidence::Likely,
            rules::Confidence::Possible => Confidence::Possible,
        },
        subject: it.subject.clone(),
        message: it.message.clone(),
        because: it.because.clone(),
        locations: it
            .locations
            .iter()
            .map(|label| location(files, label.span, &label.text))
            .collect(),
        evidence: it
            .evidence
            .iter()
            .map(|piece| evidence(files, &piece.quote, &piece.text))
            .collect(),
        impact: it.impact.as_ref().map(|impact| Impact {
            metric: impact.metric.clone(),
            low: impact.range.map(|range| range.0),
            high: impact.range.map(|range| range.1),
            unit: impact.unit.clone(),
            basis: match impact.basis {
                rules::ImpactBasis::MeasuredHere => Basis::MeasuredHere,
                rules::ImpactBasis::Lab => Basis::Lab,
                rules::ImpactBasis::Literature => Basis::Literature,
                rules::ImpactBasis::Model => Basis::Model,
                rules::ImpactBasis::Unknown => Basis::Unknown,
            },
        }),
        reach: match it.reach {
            rules::Reach::Live => Reach::Live,
            rules::Reach::Remount => Reach::Remount,
            rules::Reach::ServiceRestart => Reach::ServiceRestart,
            rules::Reach::Reboot => Reach::Reboot,
            rules::Reach::NewWrites => Reach::NewWrites,
            rules::Reach::Offline => Reach::Offline,
            rules::Reach::Recreate => Reach::Recreate,
        },
        safety: match it.safety {
            rules::Safety::Safe => Safety::Safe,
            rules::Safety::Unsafe => Safety::Unsafe,
            rules::Safety::Manual => Safety::Manual,
        },
        changes,
        edits: match edit {
            Some(EditOutcome::Proven(edits)) => edits.iter().map(|it| file_edit(files, it)).collect(),
            _ => Vec::new(),
        },
        costs: it.costs.clone(),
        rollback: it.rollback.clone(),
        verify: it.verify.clone(),
        sources: outcome
            .rule
            .sources
            .iter()
            .map(|source| SourceReport {
                title: source.title.into(),
                url: source.url.into(),
            })
            .collect(),
    }
}

pub(super) fn location(files: &Files, span: Span, label: &str) -> Location {
    let (file, start, end) = place(files, span);
    Location {
        file,
        start,
        end,
        label: label.to_owned(),
    }
}

fn file_edit(files: &Files, edit: &TextEdit) -> FileEdit {
    let (file, start, end) = place(files, edit.span);
    FileEdit {
        file,
        start,
        end,
        text: edit.text.clone(),
    }
}

/// The file of a span, where it starts and where it ends.
fn place(files: &Files, span: Span) -> (String, Position, Position) {
    let file = files.get(span.file);
    let position = |at| {
        let LineColumn { line, column } = file.line_column(at);
        Position { line, column }
    };
    (file.path.to_string(), position(span.start), position(span.end))
}

fn change_reports(change: &Change, edit: Option<&EditOutcome>) -> Vec<ChangeReport> {
    let report = |target, path: &source::OptionPath, op, value, text| ChangeReport {
        target,
        path: Some(path.to_string()),
        op: Some(op),
        value,
        text,
    };
    // An edit that could not be proven is advice in words.
    let by_hand = match edit {
        Some(EditOutcome::Dropped(reason)) => format!(" (by hand: {reason})"),
        _ => String::new(),
    };
    match change {
        Change::Layout(rules::LayoutEdit::Options { list, edits }) => edits
            .iter()
            .map(|one| {
                let (op, value) = match one {
                    ListEdit::Add(option) => (Op::Append, option),
                    ListEdit::Remove(option) | ListEdit::Once(option) => (Op::Remove, option),
                    ListEdit::Replace { with, .. } => (Op::Replace, with),
                };
                let text = format!("{}{by_hand}", super::in_words(list, one));
                report(Target::Disko, list, op, Some(value.as_str().into()), text)
            })
            .collect(),
        Change::Layout(rules::LayoutEdit::Set { path, value }) => {
            let text = format!("set {path} = {};{by_hand}", nix_literal(value));
            vec![report(Target::Disko, path, Op::Set, Some(value.clone()), text)]
        }
        Change::Layout(rules::LayoutEdit::Unset { path }) => {
            vec![report(
                Target::Disko,
                path,
                Op::Unset,
                None,
                format!("remove {path}{by_hand}"),
            )]
        }
        Change::Nixos(setting) => {
            let text = format!(
                "{} = {}; # {}",
                setting.option,
                nix_literal(&setting.value),
                setting.reason
            );
            let op = if setting.value.is_array() {
                Op::Append
            } else {
                Op::Set
            };
            vec![report(
                Target::Nixos,
                &setting.option,
                op,
                Some(setting.value.clone()),
                text,
            )]
        }
        Change::Command(command) => vec![ChangeReport {
            target: Target::Command,
            path: None,
            op: None,
            value: None,
            text: format!("{} # {}", command.text, command.purpose),
        }],
    }
}
