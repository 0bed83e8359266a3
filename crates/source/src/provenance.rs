//! How a value came about.

use std::sync::Arc;

use crate::{Binding, FileId, Span};

/// How one value of a result came about: the expression that made it, the bindings on the way to it
/// and the calls and imports in which that expression was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The expression that made the value; `None` for a value that no text made.
    pub made: Option<Span>,
    /// The binding around that expression in the text: what a person wrote, whatever the value
    /// went through before it became a part of the result.
    pub definition: Option<Binding>,
    /// The bindings that set each part of the path, outermost first. Those of the last part are what
    /// set the value in the result.
    pub path: Vec<PathPart>,
    /// The calls and imports in which the set or list that holds the value was made, innermost
    /// first, as far as they are not among those of `chain`: what took the value in.
    pub held: Vec<Step>,
    /// The calls and imports in which the value was made, innermost first, out to the entry.
    pub chain: Vec<Step>,
}

/// One name of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPart {
    /// The name of an attribute, or the index of an element.
    pub name: Arc<str>,
    /// The bindings that set it, in the order of the text; none for an element, and for a name made
    /// at run time.
    pub bindings: Vec<Binding>,
}

/// One call or import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was entered.
    pub entered: Entered,
    /// The expression that called or imported; `None` when the program that evaluates did.
    pub at: Option<Span>,
    /// Whether the call came about inside itself so often that further times are left out here.
    pub repeats: bool,
}

/// What a [`Step`] entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// A function.
    Function {
        /// The attribute or variable that it was bound to where it was written.
        name: Option<Arc<str>>,
        /// The function's own text.
        span: Option<Span>,
        /// What the expression calls, as written there; another function when it hands this one
        /// on, as `map` does.
        called: Option<Arc<str>>,
    },
    /// A file.
    File(FileId),
}
