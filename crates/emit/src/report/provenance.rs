//! Where a value comes from, drawn place by place, and the same as JSON.

use annotate_snippets::{AnnotationKind, Element, Level, Snippet};
use schemars::JsonSchema;
use serde::Serialize;
use source::{Binding, Entered, FileId, Files, Provenance, Span, Step};

use super::json::{Location, location};
use super::text::{Look, first_line};

/// A picture of each place: the expression that made the value and the bindings on the way to it,
/// then the calls and imports, innermost first. `of` is what is asked about. Ends with a line break.
pub fn text(files: &Files, of: &str, provenance: &Provenance, look: Look) -> String {
    let mut notes = Vec::new();
    let mut pictures = here(provenance);
    let last = provenance.path.last().map_or("the value", |part| &*part.name);
    for (number, step) in provenance.held.iter().chain(&provenance.chain).enumerate() {
        let mut label = label(files, step);
        if number == 0 && !provenance.held.is_empty() {
            label.push_str(&format!(", which sets `{last}`"));
        }
        match step.at {
            Some(at) => pictures.push((at.file, vec![(at, label)])),
            None => notes.push(label),
        }
    }
    if provenance.made.is_none() {
        notes.insert(0, "no text made this value".to_owned());
    }
    let sources: Vec<_> = pictures
        .into_iter()
        .map(|(file, labels)| (files.get(file), labels))
        .collect();
    let mut group = Level::NOTE
        .primary_title(format!("where {of} comes from"))
        .elements(Vec::<Element<'_>>::new());
    for (index, (source, labels)) in sources.iter().enumerate() {
        let mut snippet = Snippet::source(&*source.text).path(&*source.path);
        for (number, (span, label)) in labels.iter().enumerate() {
            let kind = if index == 0 && number == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            snippet = snippet.annotation(kind.span(first_line(source, *span)).label(&**label));
        }
        group = group.element(snippet);
    }
    for note in notes {
        group = group.element(Level::NOTE.message(note));
    }
    let mut text = look.renderer().render(&[group]);
    text.push('\n');
    text
}

/// The places of the value itself, those in one file together: what made it comes first.
fn here(provenance: &Provenance) -> Vec<(FileId, Vec<(Span, String)>)> {
    let mut pictures: Vec<(FileId, Vec<(Span, String)>)> = Vec::new();
    let mut add = |span: Span, label: String| {
        let at = match pictures.iter().position(|(file, _)| *file == span.file) {
            Some(at) => at,
            None => {
                pictures.push((span.file, Vec::new()));
                pictures.len() - 1
            }
        };
        if let Some((_, labels)) = pictures.get_mut(at)
            && labels.iter().all(|(known, _)| *known != span)
        {
            labels.push((span, label));
        }
    };
    if let Some(made) = provenance.made {
        add(made, "made here".to_owned());
    }
    for part in provenance.path.iter().rev() {
        for binding in &part.bindings {
            add(binding.name, format!("`{}` is set here", part.name));
        }
    }
    if let Some(definition) = provenance.definition {
        add(definition.name, "written for this".to_owned());
    }
    pictures
}

/// What happened at a step, in words.
fn label(files: &Files, step: &Step) -> String {
    let mut words = match &step.entered {
        Entered::Function { name, called, .. } => {
            let by = called
                .as_deref()
                .filter(|it| it.len() <= 40 && !it.contains('\n'));
            let last = by.map(|it| it.rsplit('.').next().unwrap_or(it));
            match (name.as_deref(), by) {
                (Some(name), _) if step.at.is_none() => format!("`{name}` is called by the program"),
                (None, _) if step.at.is_none() => "a function is called by the program".to_owned(),
                // By another name, or handed on, as by `map`.
                (Some(name), Some(by)) if last != Some(name) => {
                    format!("`{name}` is called here, through `{by}`")
                }
                (Some(name), _) | (None, Some(name)) => format!("`{name}` is called here"),
                (None, None) => "a function is called here".to_owned(),
            }
        }
        Entered::File(file) if step.at.is_none() => {
            format!("evaluation begins with {}", files.get(*file).path)
        }
        Entered::File(file) => format!("{} is imported here", files.get(*file).path),
    };
    if step.repeats {
        words.push_str(", also from inside itself");
    }
    words
}

/// Where a value comes from, for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProvenanceReport {
    /// Always 1. It grows when a field changes its meaning or goes.
    pub version: u32,
    /// What was asked about.
    pub of: String,
    /// The expression that made the value; absent for a value that no text made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Location>,
    /// The binding around that expression in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Location>,
    /// The bindings that set each part of the path, outermost first.
    pub path: Vec<PartReport>,
    /// The calls and imports in which the set or list that holds the value was made, innermost
    /// first, as far as they are not in `chain`.
    pub held: Vec<StepReport>,
    /// The calls and imports in which the value was made, innermost first.
    pub chain: Vec<StepReport>,
}

/// One name of the path.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PartReport {
    /// The name.
    pub name: String,
    /// The bindings that set it.
    pub bindings: Vec<Location>,
}

/// One call or import.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepReport {
    /// `call` or `import`.
    pub kind: &'static str,
    /// The function's name, where it has one; the path of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the expression calls, as written there; another function when it hands this one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The function's own text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Location>,
    /// The expression that called or imported; absent when the program did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
    /// Whether the call came about inside itself as well.
    pub repeats: bool,
}

/// The provenance as JSON shows it.
pub fn report(files: &Files, of: &str, provenance: &Provenance) -> ProvenanceReport {
    let place = |span: Span, label: &str| location(files, span, label);
    let set = |binding: &Binding| place(binding.whole, "");
    ProvenanceReport {
        version: 1,
        of: of.to_owned(),
        made: provenance.made.map(|span| place(span, "made here")),
        definition: provenance.definition.as_ref().map(set),
        path: provenance
            .path
            .iter()
            .map(|part| PartReport {
                name: part.name.to_string(),
                bindings: part.bindings.iter().map(set).collect(),
            })
            .collect(),
        held: provenance.held.iter().map(|it| step_report(files, it)).collect(),
        chain: provenance.chain.iter().map(|it| step_report(files, it)).collect(),
    }
}

fn step_report(files: &Files, step: &Step) -> StepReport {
    let owned = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    let (kind, name, called, function) = match &step.entered {
        Entered::Function { name, called, span } => ("call", owned(name), owned(called), *span),
        Entered::File(file) => ("import", Some(files.get(*file).path.to_string()), None, None),
    };
    StepReport {
        kind,
        name,
        called,
        function: function.map(|span| location(files, span, "")),
        at: step.at.map(|span| location(files, span, &label(files, step))),
        repeats: step.repeats,
    }
}
