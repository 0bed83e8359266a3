//! Findings, and the builder that does not let one out without a place, a reason and a remedy.

use source::{Origin, Quote, Span};

use crate::{Change, Command, EditReach, LayoutEdit, NixosSetting, Reach, Safety, Verdict};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// An improvement whose gain is likely but unmeasured here.
    Info,
    /// Declared but without effect, or a measured bottleneck.
    Warning,
    /// Unsafe, will not boot, or loses data.
    Error,
}

impl Severity {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It may be.
    Possible,
    /// It is, unless something unusual was done.
    Likely,
    /// It is.
    Certain,
}

impl Confidence {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}

/// A place in what the person wrote, with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// The remark; empty for a bare underline.
    pub text: String,
}

/// A line of the machine's own output, with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The line.
    pub quote: Quote,
    /// The remark.
    pub text: String,
}

/// What the change is expected to bring. A number without a basis cannot be built.
#[derive(Clone, Debug, PartialEq)]
pub struct Impact {
    /// What is measured: "space saved", "write latency".
    pub metric: String,
    /// The low and the high end, when there are numbers.
    pub range: Option<(f64, f64)>,
    /// The unit of the range: "%".
    pub unit: String,
    /// Where the numbers are from.
    pub basis: ImpactBasis,
}

/// Where the numbers of an [`Impact`] are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImpactBasis {
    /// Measured on this machine.
    MeasuredHere,
    /// Measured in an experiment that can be run again.
    Lab,
    /// Published.
    Literature,
    /// Computed.
    Model,
    /// Not known; then there is no range.
    Unknown,
}

impl ImpactBasis {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            ImpactBasis::MeasuredHere => "measured-here",
            ImpactBasis::Lab => "lab",
            ImpactBasis::Literature => "literature",
            ImpactBasis::Model => "model",
            ImpactBasis::Unknown => "unknown",
        }
    }
}

impl Impact {
    /// A range with its basis.
    pub fn range(metric: &str, low: f64, high: f64, unit: &str, basis: ImpactBasis) -> Self {
        Self {
            metric: metric.into(),
            range: Some((low, high)),
            unit: unit.into(),
            basis,
        }
    }

    /// An effect that nobody has put a number to.
    pub fn unmeasured(metric: &str) -> Self {
        Self {
            metric: metric.into(),
            range: None,
            unit: String::new(),
            basis: ImpactBasis::Unknown,
        }
    }
}

/// Something wrong, with everything a person needs to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is about: an option path, a device, a mountpoint.
    pub subject: String,
    /// Overrides the rule's severity.
    pub severity: Option<Severity>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What is wrong, as a lower-case phrase.
    pub message: String,
    /// Why it matters, one sentence each.
    pub because: Vec<String>,
    /// Where it was written; the first is the main place.
    pub locations: Vec<Label>,
    /// What was measured.
    pub evidence: Vec<Evidence>,
    /// What the change brings.
    pub impact: Option<Impact>,
    /// What has to happen until the change is in effect; the furthest of all changes.
    pub reach: Reach,
    /// Whether `apply` may write it.
    pub safety: Safety,
    /// What to do, as data.
    pub changes: Vec<Change>,
    /// What to do, in words, where there is nothing to write.
    pub advice: Vec<String>,
    /// What it costs or risks.
    pub costs: Vec<String>,
    /// How to undo it.
    pub rollback: Vec<String>,
    /// How to see that it worked.
    pub verify: Vec<String>,
}

/// A finding begun: what is wrong, with which subject.
#[must_use]
pub struct Draft(Finding);

/// A draft that says where.
#[must_use]
pub struct Placed(Finding);

/// A placed draft that says why. It still needs a remedy to become a finding.
#[must_use]
pub struct Argued(Finding);

impl Draft {
    /// Begins a finding about `subject`.
    pub fn new(subject: impl ToString, message: impl Into<String>) -> Self {
        Self(Finding {
            subject: subject.to_string(),
            severity: None,
            confidence: Confidence::Certain,
            message: message.into(),
            because: Vec::new(),
            locations: Vec::new(),
            evidence: Vec::new(),
            impact: None,
            reach: Reach::Live,
            safety: Safety::Safe,
            changes: Vec::new(),
            advice: Vec::new(),
            costs: Vec::new(),
            rollback: Vec::new(),
            verify: Vec::new(),
        })
    }

    /// The main place: where it was written, or the line of output that shows it.
    pub fn at(mut self, origin: &Origin, label: impl Into<String>) -> Placed {
        place(&mut self.0, origin, label.into());
        Placed(self.0)
    }
}

/// Adds a place of either kind; an origin without a place adds nothing.
fn place(finding: &mut Finding, origin: &Origin, text: String) {
    if let Some(span) = origin.span() {
        finding.locations.push(Label { span, text });
    } else if let Some(quote) = origin.quote() {
        finding.evidence.push(Evidence {
            quote: quote.clone(),
            text,
        });
    }
}

impl Placed {
    /// One place more, of either kind.
    pub fn and(mut self, origin: &Origin, label: impl Into<String>) -> Self {
        place(&mut self.0, origin, label.into());
        self
    }

    /// Why it matters, as a sentence without a full stop.
    pub fn because(mut self, reason: impl Into<String>) -> Argued {
        self.0.because.push(reason.into());
        Argued(self.0)
    }
}

impl Argued {
    /// One reason more.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.0.because.push(reason.into());
        self
    }

    /// How sure, when it is not certain.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.0.confidence = confidence;
        self
    }

    /// A severity other than the rule's.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.0.severity = Some(severity);
        self
    }

    /// What the change is expected to bring.
    pub fn impact(mut self, impact: Impact) -> Self {
        self.0.impact = Some(impact);
        self
    }

    /// What it costs or risks.
    pub fn cost(mut self, cost: impl Into<String>) -> Self {
        self.0.costs.push(cost.into());
        self
    }

    /// How to undo it, beyond reverting the edit.
    pub fn rollback(mut self, text: impl Into<String>) -> Self {
        self.0.rollback.push(text.into());
        self
    }

    /// A command that shows whether it worked.
    pub fn verify(mut self, text: impl Into<String>) -> Self {
        self.0.verify.push(text.into());
        self
    }

    /// The person has to say the word before `apply` writes it.
    pub fn needs_a_word(mut self) -> Self {
        self.0.safety = self.0.safety.max(Safety::Unsafe);
        self
    }

    /// A command to run beside or instead of an edit.
    pub fn command(mut self, text: impl Into<String>, purpose: impl Into<String>) -> Self {
        self.0.changes.push(Change::Command(Command {
            text: text.into(),
            purpose: purpose.into(),
        }));
        self
    }

    /// Finishes with edits of the layout.
    pub fn change(mut self, reach: EditReach, edits: impl IntoIterator<Item = LayoutEdit>) -> Verdict {
        self.0.changes.splice(0..0, edits.into_iter().map(Change::Layout));
        self.finish(reach.into())
    }

    /// Finishes with settings for the generated module.
    pub fn setting(mut self, reach: EditReach, settings: impl IntoIterator<Item = NixosSetting>) -> Verdict {
        self.0
            .changes
            .splice(0..0, settings.into_iter().map(Change::Nixos));
        self.finish(reach.into())
    }

    /// Finishes with words: nothing will be written.
    pub fn advise(mut self, reach: Reach, advice: impl Into<String>) -> Verdict {
        self.0.advice.insert(0, advice.into());
        self.0.safety = Safety::Manual;
        self.finish(reach)
    }

    fn finish(mut self, reach: Reach) -> Verdict {
        self.0.reach = reach;
        Verdict::Finding(Box::new(self.0))
    }
}
