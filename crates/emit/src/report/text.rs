//! The report for people: what was declared, what was measured, why it matters and what to do,
//! in one picture for each finding.

use std::collections::BTreeMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Patch, Renderer, Snippet};
use rules::{Change, Diagnosis, Judgement, Outcome, Safety, Status};
use source::{FileId, Files, Problem, SourceFile, Span};

use crate::edit::{EditOutcome, Edits, TextEdit, nix_literal};

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used.
    pub colour: bool,
    /// The width of the terminal in characters.
    pub width: usize,
}

impl Look {
    pub(super) fn renderer(self) -> Renderer {
        let renderer = if self.colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.decor_style(DecorStyle::Ascii).term_width(self.width)
    }

    /// A sentence broken into lines that fit behind `= note: `. Commands are not broken: they are
    /// there to be copied.
    fn wrapped(self, sentence: &str) -> String {
        const BEFORE: usize = 12;
        textwrap::fill(sentence, self.width.saturating_sub(BEFORE))
    }
}

/// The whole report.
pub fn text(
    files: &Files,
    judgement: &Judgement,
    edits: &Edits,
    diagnoses: &[Diagnosis],
    look: Look,
) -> String {
    let mut report: String = diagnoses.iter().map(|it| diagnosis(files, it)).collect();
    if !report.is_empty() {
        report.push('\n');
    }
    for (number, outcome) in judgement.findings.iter().enumerate() {
        report.push_str(&finding(files, outcome, edits.outcomes.get(&number), look));
        report.push_str("\n\n");
    }
    report.push_str(&closing_line(judgement));
    report.push('\n');
    report
}

/// A line for what may be behind a symptom, and one for each measurement.
fn diagnosis(files: &Files, it: &Diagnosis) -> String {
    let status = match it.status {
        Status::Confirmed => "yes",
        Status::Refuted => "no",
        Status::Unconfirmed => "not measured",
    };
    let mut text = format!(
        "\"{}\": {}? {status} (rules: {})\n",
        it.symptom,
        it.hypothesis,
        it.rules.join(", ")
    );
    for (quote, label) in &it.evidence {
        text.push_str(&format!(
            "    {}:{}: {label}\n",
            files.get(quote.file).path,
            quote.line
        ));
    }
    text
}

/// One line that counts every verdict.
fn closing_line(judgement: &Judgement) -> String {
    let mut by_severity: BTreeMap<rules::Severity, usize> = BTreeMap::new();
    for outcome in &judgement.findings {
        *by_severity.entry(outcome.severity()).or_default() += 1;
    }
    let findings = match judgement.findings.len() {
        0 => "no findings".to_owned(),
        count => {
            let parts: Vec<_> = by_severity
                .iter()
                .rev()
                .map(|(severity, count)| match severity {
                    rules::Severity::Error => plural(*count, "error"),
                    rules::Severity::Warning => plural(*count, "warning"),
                    rules::Severity::Info => plural(*count, "suggestion"),
                })
                .collect();
            format!("{} ({})", plural(count, "finding"), parts.join(", "))
        }
    };
    format!(
        "{findings} · {} clear · {} not applicable · {} undecided",
        judgement.clear,
        judgement.not_applicable,
        judgement.undecided.len(),
    )
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 {
        format!("1 {word}")
    } else {
        format!("{count} {word}s")
    }
}

/// A file, and the places in it with their remarks.
type Labelled<'a> = (std::sync::Arc<SourceFile>, Vec<(Span, &'a str)>);

fn finding(files: &Files, outcome: &Outcome, edit: Option<&EditOutcome>, look: Look) -> String {
    let it = &outcome.finding;
    let level = match outcome.severity() {
        rules::Severity::Error => Level::ERROR,
        rules::Severity::Warning => Level::WARNING,
        rules::Severity::Info => Level::INFO,
    };
    let mut group = level
        .primary_title(&it.message)
        .id(outcome.rule.id)
        .elements(Vec::<Element<'_>>::new());

    let mut sources: BTreeMap<FileId, Labelled<'_>> = BTreeMap::new();
    let mut order = Vec::new();
    for label in &it.locations {
        let entry = sources.entry(label.span.file).or_insert_with(|| {
            order.push(label.span.file);
            (files.get(label.span.file), Vec::new())
        });
        entry.1.push((label.span, &label.text));
    }
    let primary = it.locations.first().map(|label| label.span);
    for file in &order {
        let Some((source, labels)) = sources.get(file) else {
            continue;
        };
        let mut snippet = Snippet::source(&*source.text).path(&*source.path);
        for (span, text) in labels {
            let kind = if Some(*span) == primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let annotation = kind.span(first_line(source, *span));
            snippet = snippet.annotation(if text.is_empty() {
                annotation
            } else {
                annotation.label(*text)
            });
        }
        group = group.element(snippet);
    }
    let quoted: Vec<_> = it
        .evidence
        .iter()
        .map(|piece| (files.get(piece.quote.file), piece))
        .collect();
    for (source, piece) in &quoted {
        let (start, end) = piece.quote.highlight;
        let kind = if primary.is_none() && std::ptr::eq(*piece, &it.evidence[0]) {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let annotation = kind.span(start as usize..end as usize);
        group = group.element(
            Snippet::source(&*piece.quote.text)
                .path(&*source.path)
                .line_start(piece.quote.line as usize)
                .annotation(if piece.text.is_empty() {
                    annotation
                } else {
                    annotation.label(&*piece.text)
                }),
        );
    }
    for reason in &it.because {
        group = group.element(Level::NOTE.message(look.wrapped(reason)));
    }
    let who: Vec<_> = outcome.rule.sources.iter().map(|source| source.title).collect();
    group = group.element(Level::NOTE.message(format!("{} · {}", it.confidence.name(), who.join("; "))));
    if let Some(impact) = &it.impact {
        let figure = match impact.range {
            Some((low, high)) if low == high => format!("{low} {} ({})", impact.unit, impact.basis.name()),
            Some((low, high)) => format!("{low} to {high} {} ({})", impact.unit, impact.basis.name()),
            None => "not measured here".to_owned(),
        };
        group = group.element(Level::NOTE.message(format!("effect: {}: {figure}", impact.metric)));
    }
    for cost in &it.costs {
        group = group.element(Level::NOTE.message(look.wrapped(&format!("cost: {cost}"))));
    }

    let mut groups = vec![group];
    groups.extend(remedy(files, outcome, edit));
    look.renderer().render(&groups)
}

/// What to do: the proven edit as a picture, everything else in words.
fn remedy<'a>(files: &Files, outcome: &'a Outcome, edit: Option<&EditOutcome>) -> Vec<Group<'a>> {
    let it = &outcome.finding;
    let when = match it.reach {
        rules::Reach::Live => "takes effect at once",
        rules::Reach::Remount => "takes effect with the next `nixos-rebuild switch`, which remounts",
        rules::Reach::ServiceRestart => "takes effect when the service restarts",
        rules::Reach::Reboot => "takes effect with the next boot",
        rules::Reach::NewWrites => "takes effect at once, for data written from then on",
        rules::Reach::Offline => "needs the filesystem unmounted",
        rules::Reach::Recreate => {
            "only for a new filesystem, pool or container: what is on it now would be lost"
        }
    };
    let mut words: Vec<String> = it.advice.clone();
    let mut settings = Vec::new();
    for change in &it.changes {
        match change {
            Change::Nixos(setting) => {
                settings.push(format!("{} = {};", setting.option, nix_literal(&setting.value)));
            }
            Change::Command(command) => words.push(format!("{}: {}", command.purpose, command.text)),
            Change::Layout(_) => {}
        }
    }
    let commands = it.changes.iter().any(|it| matches!(it, Change::Command(_)));
    let mut groups = Vec::new();
    match edit {
        Some(EditOutcome::Proven(edits)) => {
            // disko reads properties of pools and datasets only when it makes them.
            let when = if it.reach == rules::Reach::Live && commands {
                "for when it is made anew; the command below changes what is there"
            } else {
                when
            };
            let title = match it.safety {
                Safety::Safe => when.to_owned(),
                Safety::Unsafe | Safety::Manual => format!("{when}; `apply` writes it only when asked to"),
            };
            let mut group = Level::HELP
                .secondary_title(title)
                .elements(Vec::<Element<'_>>::new());
            for (source, patches) in by_file(files, edits) {
                let mut snippet = Snippet::source(source.text.to_string()).path(source.path.to_string());
                for edit in patches {
                    snippet = snippet.patch(Patch::new(edit.span.range(), edit.text));
                }
                group = group.element(snippet);
            }
            groups.push(group);
        }
        Some(EditOutcome::Dropped(reason)) => {
            words.insert(0, format!("to be changed by hand, since {reason}:"));
            words.splice(1..1, it.changes.iter().flat_map(in_words));
        }
        // Nothing here can be edited: the layout was given as JSON.
        None => {
            words.splice(0..0, it.changes.iter().flat_map(in_words));
        }
    }
    if let [only] = &settings[..] {
        let title = format!("for the module that `tuning` prints; {when}: {only}");
        groups.push(Group::with_title(Level::HELP.secondary_title(title)));
    } else if !settings.is_empty() {
        let title = format!("for the module that `tuning` prints; {when}:");
        let lines = settings
            .into_iter()
            .map(|line| Level::NOTE.no_name().message(line));
        groups.push(Level::HELP.secondary_title(title).elements(lines));
    }
    if !words.is_empty() {
        let title = if groups.is_empty() {
            match it.reach {
                // What is done at once needs no word about when.
                rules::Reach::Live => words.remove(0),
                _ => format!("{} ({when})", words.remove(0)),
            }
        } else {
            words.remove(0)
        };
        groups.push(Group::with_title(Level::HELP.secondary_title(title)));
    }
    let tail = words
        .into_iter()
        .chain(it.verify.iter().map(|text| format!("to verify: {text}")))
        .chain(it.rollback.iter().map(|text| format!("to undo: {text}")));
    for line in tail {
        groups = match groups.pop() {
            Some(last) => {
                groups.push(last.element(Level::NOTE.message(line)));
                groups
            }
            None => vec![Group::with_title(Level::HELP.secondary_title(line))],
        };
    }
    groups
}

fn in_words(change: &Change) -> Vec<String> {
    match change {
        Change::Layout(rules::LayoutEdit::Options { list, edits }) => {
            edits.iter().map(|edit| super::in_words(list, edit)).collect()
        }
        Change::Layout(rules::LayoutEdit::Set { path, value }) => {
            vec![format!("set {path} = {};", nix_literal(value))]
        }
        Change::Layout(rules::LayoutEdit::Unset { path }) => vec![format!("remove {path}")],
        Change::Nixos(_) | Change::Command(_) => Vec::new(),
    }
}

fn by_file(files: &Files, edits: &[TextEdit]) -> Vec<(std::sync::Arc<SourceFile>, Vec<TextEdit>)> {
    let mut found: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edit in edits {
        let of_file = found.entry(edit.span.file).or_default();
        if !of_file.contains(edit) {
            of_file.push(edit.clone());
        }
    }
    found
        .into_iter()
        .map(|(file, edits)| (files.get(file), edits))
        .collect()
}

/// A span cut to its first line, so that a set of fifty lines is not drawn whole.
///
/// The text of a file that is not UTF-8 is not byte for byte what was evaluated: a span of it is
/// moved to where characters begin.
pub(super) fn first_line(source: &SourceFile, span: Span) -> std::ops::Range<usize> {
    let text = &*source.text;
    let boundary = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let range = boundary(span.start)..boundary(span.end.max(span.start));
    let covered = text.get(range.clone()).unwrap_or("");
    let first = covered.lines().next().unwrap_or("");
    let shortest = covered.chars().next().map_or(0, char::len_utf8);
    range.start..range.start + first.len().max(shortest)
}

/// A problem of the input, drawn like a finding. Ends with a line break.
pub fn problem(files: &Files, problem: &Problem, look: Look) -> String {
    let level = match problem.level {
        source::Level::Error => Level::ERROR,
        source::Level::Warning => Level::WARNING,
        source::Level::Note => Level::NOTE,
    };
    let title = level.primary_title(&problem.message);
    let main = problem.span.map(|span| (files.get(span.file), span));
    let mut group = match &main {
        Some((source, span)) => title.element(
            Snippet::source(&*source.text)
                .path(&*source.path)
                .annotation(AnnotationKind::Primary.span(first_line(source, *span))),
        ),
        None => Group::with_title(title),
    };
    for note in &problem.notes {
        let place = note
            .span
            .map(|span| format!(" ({})", files.place(span)))
            .unwrap_or_default();
        group = group.element(Level::NOTE.message(format!("{}{place}", note.message)));
    }
    let mut text = look.renderer().render(&[group]);
    text.push('\n');
    text
}
