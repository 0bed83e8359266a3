//! A fully evaluated value that remembers where each part of it was written.
//!
//! This is what the evaluator hands out and what the layout is read from.
//! It holds no closures and no thunks: parts that could not be had are values too,
//! [`Node::Unknown`] and [`Node::Failed`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Origin, Problem, Span};

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The value.
    pub node: Node,
    /// The expression that made the value: a literal, an operator, a call of a builtin.
    /// [`Origin::Derived`] where several definitions were merged into one value.
    pub origin: Origin,
}

/// The kinds of value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(Arc<str>),
    /// A path, absolute.
    Path(Arc<str>),
    /// A list.
    List(Vec<Tree>),
    /// An attribute set.
    Attrs(Attrs),
    /// A function; what it would give cannot be shown.
    Function,
    /// A value that depends on something nobody gave.
    Unknown(Arc<Unknown>),
    /// A part whose evaluation failed. The rest of the value is still there.
    Failed(Arc<Problem>),
}

/// The attributes of a set, in the order of their names, as Nix keeps them.
pub type Attrs = BTreeMap<Arc<str>, Attr>;

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attr {
    /// The value.
    pub tree: Tree,
    /// The bindings that set it: one, or several when modules were merged.
    /// Empty for a name made by a builtin such as `listToAttrs`.
    pub bindings: Vec<Binding>,
}

/// A place in the text that gave an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Binding {
    /// The last element of the attribute path on the left: `c` in `a.b.c = e;`.
    pub name: Span,
    /// The expression on the right, `e`; for `inherit`, the name itself.
    pub value: Span,
    /// The whole binding with its semicolon.
    pub whole: Span,
    /// How it binds.
    pub kind: BindingKind,
}

/// How a binding binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BindingKind {
    /// `a = e;`
    Plain,
    /// `inherit a;` or `inherit (e) a;`
    Inherit,
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unknown {
    /// What it depends on, as one would write it: `config.networking.hostName`, `inputs.self`, `device`.
    pub name: Arc<str>,
    /// Why that is not known: "argument without a default that nobody gave".
    pub because: Arc<str>,
    /// Where it was asked for.
    pub span: Option<Span>,
}

impl Tree {
    /// A value with its origin.
    pub fn new(node: Node, origin: Origin) -> Self {
        Self { node, origin }
    }

    /// The attributes, if it is a set.
    pub fn as_attrs(&self) -> Option<&Attrs> {
        match &self.node {
            Node::Attrs(attrs) => Some(attrs),
            _ => None,
        }
    }

    /// The text, if it is a string or a path.
    pub fn as_str(&self) -> Option<&str> {
        match &self.node {
            Node::Str(text) | Node::Path(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Tree]> {
        match &self.node {
            Node::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The attribute of that name, if it is a set that has one.
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.as_attrs()?.get(name)
    }

    /// The value below a path of names.
    pub fn lookup<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Tree> {
        path.into_iter()
            .try_fold(self, |tree, name| tree.get(name).map(|attr| &attr.tree))
    }

    /// What Nix calls the type of the value, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.node {
            Node::Null => "null",
            Node::Bool(_) => "a Boolean",
            Node::Int(_) => "an integer",
            Node::Float(_) => "a float",
            Node::Str(_) => "a string",
            Node::Path(_) => "a path",
            Node::List(_) => "a list",
            Node::Attrs(_) => "a set",
            Node::Function => "a function",
            Node::Unknown(_) => "unknown",
            Node::Failed(_) => "an error",
        }
    }
}
