//! The syntax tree: nodes in one flat table, so that no nesting, however deep, recurses on drop.

use crate::symbol::Sym;

/// Names a node of a [`Syntax`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) u32);

/// A range of bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Range {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Range {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The smallest range that covers both.
    pub(crate) fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// One file's syntax.
#[derive(Default)]
pub(crate) struct Syntax {
    nodes: Vec<Node>,
    ranges: Vec<Range>,
    depths: Vec<u32>,
}

impl Syntax {
    pub(crate) fn push(&mut self, node: Node, range: Range, depth: u32) -> NodeId {
        self.nodes.push(node);
        self.ranges.push(range);
        self.depths.push(depth);
        NodeId(self.nodes.len() as u32 - 1)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        // Ids are only made by `push`, so the lookup always finds one.
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Null)
    }

    pub(crate) fn range(&self, id: NodeId) -> Range {
        self.ranges.get(id.0 as usize).copied().unwrap_or_default()
    }

    /// How many nodes deep the expression is at its deepest.
    pub(crate) fn depth(&self, id: NodeId) -> u32 {
        self.depths.get(id.0 as usize).copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// A part of an interpolated string or path.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(Vec<u8>, Range),
    Expr(NodeId),
}

/// One element of an attribute path.
#[derive(Clone, Debug)]
pub(crate) struct Attr {
    pub(crate) name: AttrName,
    pub(crate) range: Range,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum AttrName {
    Static(Sym),
    Dynamic(NodeId),
}

/// What stands between the braces of a set, or after `let`.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// `a.b = e;`
    Bind {
        path: Vec<Attr>,
        value: NodeId,
        /// The expression as written, parentheses included.
        value_range: Range,
        whole: Range,
    },
    /// `inherit a b;` or `inherit (from) a b;`
    Inherit {
        from: Option<NodeId>,
        names: Vec<(Sym, Range)>,
        whole: Range,
    },
}

/// One argument of a function that takes a set.
#[derive(Clone, Debug)]
pub(crate) struct Formal {
    pub(crate) name: Sym,
    pub(crate) range: Range,
    pub(crate) default: Option<NodeId>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Formals {
    pub(crate) formals: Vec<Formal>,
    pub(crate) ellipsis: bool,
}

/// The binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Concat,
    Update,
    Equal,
    NotEqual,
    Less,
    LessEq,
    More,
    MoreEq,
    And,
    Or,
    Implies,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Null,
    Int(i64),
    Float(f64),
    Str(Vec<u8>),
    Interpolated(Vec<Part>),
    /// A path without interpolation, as written.
    Path(Vec<u8>),
    /// A path with interpolation; the first part is text.
    PathInterpolated(Vec<Part>),
    SearchPath(Vec<u8>),
    Var(Sym),
    CurPos,
    List(Vec<NodeId>),
    Attrs {
        rec: bool,
        entries: Vec<Entry>,
    },
    LegacyLet(Vec<Entry>),
    Let {
        entries: Vec<Entry>,
        body: NodeId,
    },
    Lambda {
        arg: Option<(Sym, Range)>,
        formals: Option<Formals>,
        body: NodeId,
    },
    Apply {
        function: NodeId,
        argument: NodeId,
    },
    Select {
        from: NodeId,
        path: Vec<Attr>,
        default: Option<NodeId>,
    },
    HasAttr {
        from: NodeId,
        path: Vec<Attr>,
    },
    If {
        condition: NodeId,
        then: NodeId,
        otherwise: NodeId,
    },
    Assert {
        condition: NodeId,
        body: NodeId,
    },
    With {
        from: NodeId,
        body: NodeId,
    },
    Not(NodeId),
    Negate(NodeId),
    Binary(Op, NodeId, NodeId),
}
