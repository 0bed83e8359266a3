//! Errors as values.

use std::fmt;
use std::rc::Rc;

use source::{Note, Problem, Span, Unknown};

/// Why an evaluation stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not an expression.
    Syntax,
    /// A value of another type was needed.
    Type,
    /// A variable or an attribute that is not there.
    Missing,
    /// `throw`; `tryEval` catches it.
    Throw,
    /// A failed `assert`; `tryEval` catches it.
    Assert,
    /// `abort`
    Abort,
    /// A value that needs itself.
    InfiniteRecursion,
    /// A limit of [`crate::Limits`], by its name.
    Limit(&'static str),
    /// The world did not give a file, or it lies outside the roots.
    World,
    /// It would build, fetch, write, run a program, or read the environment or the clock.
    Impure,
    /// It depends on something nobody gave.
    Unknown(Rc<Unknown>),
    /// Anything else: division by zero, an index out of bounds …
    Other,
}

/// An error with its place and the chain that led to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Error(Rc<Data>);

#[derive(Clone, Debug)]
struct Data {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    notes: Vec<Note>,
    /// How many steps of the chain were left out.
    omitted: u32,
}

/// How many steps of the chain of calls an error keeps.
const LONGEST_CHAIN: usize = 40;

impl Error {
    /// An error without a place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Rc::new(Data {
            kind,
            message: message.into(),
            span: None,
            notes: Vec::new(),
            omitted: 0,
        }))
    }

    /// The failure of something that depends on an unknown.
    pub fn unknown(unknown: Rc<Unknown>) -> Self {
        let message = format!("depends on `{}`: {}", unknown.name, unknown.because);
        let span = unknown.span;
        Self::new(ErrorKind::Unknown(unknown), message).at(span)
    }

    /// Why.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The unknown that this is about, if it is about one.
    pub fn as_unknown(&self) -> Option<&Rc<Unknown>> {
        match &self.0.kind {
            ErrorKind::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// Whether `tryEval` catches it.
    pub fn is_catchable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Throw | ErrorKind::Assert)
    }

    /// Whether the author of the expression refuses to give a value: `throw`, `abort`, a failed `assert`.
    pub(crate) fn is_refusal(&self) -> bool {
        self.is_catchable() || matches!(self.0.kind, ErrorKind::Abort)
    }

    /// Whether a limit was met, so that a larger limit could give a value.
    pub fn is_limit(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Limit(_))
    }

    /// The same error at a place, unless it has one.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        if self.0.span.is_none() && span.is_some() {
            Rc::make_mut(&mut self.0).span = span;
        }
        self
    }

    /// The same error with one step more of the chain that led to it.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>, span: Option<Span>) -> Self {
        let data = Rc::make_mut(&mut self.0);
        if data.notes.len() < LONGEST_CHAIN {
            data.notes.push(Note {
                message: message.into(),
                span,
            });
        } else {
            data.omitted += 1;
        }
        self
    }

    /// Whether a further [`Self::note`] would be kept.
    pub(crate) fn wants_notes(&self) -> bool {
        self.0.notes.len() < LONGEST_CHAIN && !matches!(self.0.kind, ErrorKind::Unknown(_))
    }

    /// The error as every other crate shows it; what would colour its text is left out, as Nix does
    /// where it does not write to a terminal.
    pub fn problem(&self) -> Problem {
        let mut problem = Problem::error(without_colours(&self.0.message)).at(self.0.span);
        problem.notes.clone_from(&self.0.notes);
        if self.0.omitted > 0 {
            let message = format!("and {} calls further out", self.0.omitted);
            problem.notes.push(Note { message, span: None });
        }
        problem
    }
}

/// The text without the control sequences that set colours, `ESC [ … m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        match rest.strip_prefix('m') {
            Some(rest) => out.push_str(rest),
            None => {
                out.push_str("\u{1b}[");
                out.push_str(part);
            }
        }
    }
    out
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
