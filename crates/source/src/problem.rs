//! What is wrong with an input, said with a place and without stopping.

use std::fmt;

use crate::Span;

/// How bad a problem of the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth a word; nothing was left out.
    Note,
    /// Something was not understood and left out.
    Warning,
    /// Something could not be read at all.
    Error,
}

/// Something wrong with an input. Reading goes on after it.
///
/// Messages start in lower case and end without a full stop, as the compiler's do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// Where, when there is a place to show.
    pub span: Option<Span>,
    /// The chain that led there (calls, imports), innermost first.
    pub notes: Vec<Note>,
}

/// A step of the chain that led to a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What happened there: "while calling `f`".
    pub message: String,
    /// Where.
    pub span: Option<Span>,
}

impl Problem {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            message: message.into(),
            span: None,
            notes: Vec::new(),
        }
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            ..Self::error(message)
        }
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.span = span.or(self.span);
        self
    }

    /// The same problem with one step more of the chain that led to it.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>, span: Option<Span>) -> Self {
        self.notes.push(Note {
            message: message.into(),
            span,
        });
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
