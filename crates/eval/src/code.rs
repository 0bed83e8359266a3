//! What the evaluator runs: expressions with variables resolved, in one flat table per file.

use std::rc::Rc;

use source::{BindingKind, FileId};

use crate::symbol::Sym;
use crate::syntax::{Op, Range};
use crate::value::Value;

/// Names an expression of a [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExprId(pub(crate) u32);

/// The expressions of one file.
pub(crate) struct Code {
    /// The position of the expression with id 0; that of id `n` is `base + n`.
    pub(crate) base: u32,
    pub(crate) file: FileId,
    pub(crate) exprs: Vec<Expr>,
    pub(crate) ranges: Vec<Range>,
}

impl Code {
    pub(crate) fn expr(&self, id: ExprId) -> &Expr {
        const MISSING: &Expr = &Expr::Missing;
        // Ids are only made together with their expressions, so the lookup always finds one.
        self.exprs.get(id.0 as usize).unwrap_or(MISSING)
    }

    pub(crate) fn position(&self, id: ExprId) -> u32 {
        self.base + id.0
    }
}

/// A binding, as the evaluator's table keeps it.
#[derive(Clone, Debug)]
pub(crate) struct BindingData {
    pub(crate) file: FileId,
    pub(crate) name: Range,
    pub(crate) value: Range,
    pub(crate) whole: Range,
    pub(crate) kind: BindingKind,
    /// Another binding that sets a part of the same attribute (`a.b = 1; a.c = 2;`), or 0.
    pub(crate) next: u32,
}

/// One attribute or variable of a set, `rec` set or `let`.
pub(crate) struct AttrCode {
    pub(crate) name: Sym,
    pub(crate) value: ExprId,
    pub(crate) binding: u32,
    /// Evaluated in the scope that the construct opens, not in the one around it.
    pub(crate) inner: bool,
}

/// A set, a `rec` set or the bindings of a `let`.
pub(crate) struct AttrsCode {
    /// Names are variables: slot `i` is entry `i`, then come the sources of `inherit (e)`.
    pub(crate) rec: bool,
    /// Sorted by symbol.
    pub(crate) entries: Box<[AttrCode]>,
    /// The `e` of each `inherit (e) …`.
    pub(crate) sources: Box<[ExprId]>,
    /// Name, value, binding.
    pub(crate) dynamic: Box<[(ExprId, ExprId, u32)]>,
}

impl AttrsCode {
    /// How many slots the scope has that the construct opens.
    pub(crate) fn slots(&self) -> usize {
        self.sources.len() + if self.rec { self.entries.len() } else { 0 }
    }
}

pub(crate) struct LetCode {
    pub(crate) bindings: AttrsCode,
    pub(crate) body: ExprId,
}

pub(crate) struct FormalCode {
    pub(crate) name: Sym,
    pub(crate) default: Option<ExprId>,
    /// The binding-like place of the name, for `functionArgs` positions.
    pub(crate) range: Range,
}

pub(crate) enum Params {
    /// `a: b: c:` takes three at once; slot `i` is argument `i`.
    Simple(Box<[Sym]>),
    /// `{ a, b ? 1, ... }@all`: slot `i` is formal `i` in the order of symbols, `all` comes last.
    Set {
        formals: Box<[FormalCode]>,
        ellipsis: bool,
        bind: Option<Sym>,
    },
}

pub(crate) struct LambdaCode {
    pub(crate) params: Params,
    pub(crate) body: ExprId,
    /// The attribute or variable that the function was bound to.
    pub(crate) name: Option<Sym>,
    /// Whether a default refers back to the scope, so that it is a cycle.
    pub(crate) has_defaults: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum NameCode {
    Static(Sym),
    Dynamic(ExprId),
}

pub(crate) struct SelectCode {
    pub(crate) from: ExprId,
    pub(crate) path: Box<[NameCode]>,
    pub(crate) default: Option<ExprId>,
}

pub(crate) enum Expr {
    /// An id of another table; never evaluated.
    Missing,
    Const(Value),
    Var {
        depth: u32,
        slot: u32,
    },
    /// A name that only `with` can give; the scopes of the `with`s around, innermost first.
    WithVar(Box<(Sym, Box<[u32]>)>),
    /// A name that nothing gives.
    Undefined(Sym),
    Builtins,
    CurPos,
    SearchPath(Rc<str>),
    /// What no closed evaluator can give, with the reason.
    Impure(Rc<str>),
    Interpolated(Box<[ExprId]>),
    PathInterpolated(Box<[ExprId]>),
    List(Box<[ExprId]>),
    Attrs(Box<AttrsCode>),
    Let(Box<LetCode>),
    Lambda(Box<LambdaCode>),
    Apply {
        function: ExprId,
        args: Box<[ExprId]>,
    },
    /// `from.name`
    SelectOne {
        from: ExprId,
        name: Sym,
    },
    Select(Box<SelectCode>),
    HasAttr(Box<SelectCode>),
    If {
        condition: ExprId,
        then: ExprId,
        otherwise: ExprId,
    },
    Assert {
        condition: ExprId,
        body: ExprId,
    },
    With {
        from: ExprId,
        body: ExprId,
    },
    Not(ExprId),
    Negate(ExprId),
    Binary(Op, ExprId, ExprId),
}
