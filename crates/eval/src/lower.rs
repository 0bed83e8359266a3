//! Syntax to code: variables become (depth, slot), attribute paths become nested sets,
//! and every name, binding and expression gets its place in the tables.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use source::{BindingKind, FileId};

use crate::builtins;
use crate::code::{
    AttrCode, AttrsCode, BindingData, Code, Expr, ExprId, FormalCode, LambdaCode, LetCode, NameCode, Params,
    SelectCode,
};
use crate::frames;
use crate::parse::SyntaxError;
use crate::paths;
use crate::symbol::{Sym, Symbols};
use crate::syntax::{Attr, AttrName, Entry, Node, NodeId, Part, Range, Syntax};
use crate::value::{Made, Text, Value};

/// What lowering needs to know of the file and of the evaluator.
pub(crate) struct Input<'a> {
    pub(crate) syntax: &'a Syntax,
    pub(crate) symbols: &'a Symbols,
    pub(crate) file: FileId,
    /// The position of the file's first expression.
    pub(crate) base: u32,
    /// The folder that relative paths start from.
    pub(crate) folder: &'a [u8],
    /// The bindings of all files; those of this one are added.
    pub(crate) bindings: &'a mut Vec<BindingData>,
    /// The folder that `~` stands for, if it is known.
    pub(crate) home: Option<&'a [u8]>,
    /// Names that `scopedImport` gives, in the order of their slots.
    pub(crate) scope: Option<&'a [Sym]>,
}

/// What lowering gives.
pub(crate) struct Lowered {
    pub(crate) code: Code,
    pub(crate) root: ExprId,
    /// The variables that nothing defines, in the order of the text.
    pub(crate) undefined: Vec<SyntaxError>,
}

pub(crate) fn lower(input: Input<'_>, root: NodeId) -> Result<Lowered, SyntaxError> {
    let mut lowering = Lowering {
        code: Code {
            base: input.base,
            file: input.file,
            exprs: Vec::with_capacity(input.syntax.len()),
            ranges: Vec::with_capacity(input.syntax.len()),
        },
        scopes: Vec::new(),
        undefined: Vec::new(),
        input,
    };
    if let Some(names) = lowering.input.scope {
        lowering.scopes.push(names_frame(names.iter().copied()));
    }
    let root = lowering.expr(root)?;
    Ok(Lowered {
        code: lowering.code,
        root,
        undefined: lowering.undefined,
    })
}

enum Frame {
    Names(FxHashMap<Sym, u32>),
    With,
    /// A scope without names, for the sources of `inherit (e)` in a set that is not `rec`.
    Hidden,
}

fn names_frame(names: impl Iterator<Item = Sym>) -> Frame {
    Frame::Names(
        names
            .enumerate()
            .map(|(slot, name)| (name, slot as u32))
            .collect(),
    )
}

type Result<T, E = SyntaxError> = std::result::Result<T, E>;

struct Lowering<'a> {
    input: Input<'a>,
    code: Code,
    scopes: Vec<Frame>,
    undefined: Vec<SyntaxError>,
}

/// A set while its attribute paths are being merged.
struct Set {
    rec: bool,
    range: Range,
    defs: FxHashMap<Sym, Def>,
    dynamic: Vec<(NodeId, DefValue, u32)>,
    sources: Vec<NodeId>,
}

struct Def {
    value: DefValue,
    /// Where the name stands, for the error about a second definition.
    place: Range,
    binding: u32,
}

enum DefValue {
    Node(NodeId),
    Set(Box<Set>),
    /// `inherit name;`
    Inherit(Sym, Range),
    /// `inherit (source) name;`
    InheritFrom(usize, Sym, Range),
}

impl Set {
    fn new(rec: bool, range: Range) -> Self {
        Self {
            rec,
            range,
            defs: FxHashMap::default(),
            dynamic: Vec::new(),
            sources: Vec::new(),
        }
    }
}

impl<'a> Lowering<'a> {
    fn add(&mut self, expr: Expr, range: Range) -> ExprId {
        self.code.exprs.push(expr);
        self.code.ranges.push(range);
        ExprId(self.code.exprs.len() as u32 - 1)
    }

    fn constant(&mut self, range: Range, value: impl FnOnce(Made) -> Value) -> ExprId {
        let made = Made::at(
            self.code.base + self.code.exprs.len() as u32,
            frames::Frame::ENTRY,
        );
        self.add(Expr::Const(value(made)), range)
    }

    fn text(&mut self, text: &[u8], range: Range) -> ExprId {
        let text = Rc::new(Text::new(text));
        self.constant(range, |made| Value::Str(text, made))
    }

    fn binding(&mut self, name: Range, value: Range, whole: Range, kind: BindingKind) -> u32 {
        let file = self.input.file;
        self.input.bindings.push(BindingData {
            file,
            name,
            value,
            whole,
            kind,
            next: 0,
        });
        self.input.bindings.len() as u32 - 1
    }

    fn expr(&mut self, id: NodeId) -> Result<ExprId> {
        self.named_expr(id, None)
    }

    fn named_expr(&mut self, id: NodeId, name: Option<Sym>) -> Result<ExprId> {
        stacker::maybe_grow(64 << 10, 2 << 20, || self.expr_inner(id, name))
    }

    fn exprs(&mut self, ids: &[NodeId]) -> Result<Box<[ExprId]>> {
        ids.iter().map(|&id| self.expr(id)).collect()
    }

    fn expr_inner(&mut self, id: NodeId, name: Option<Sym>) -> Result<ExprId> {
        let syntax: &'a Syntax = self.input.syntax;
        let range = syntax.range(id);
        let expr = match syntax.node(id) {
            Node::Null => return Ok(self.constant(range, Value::Null)),
            Node::Int(number) => return Ok(self.constant(range, |made| Value::Int(*number, made))),
            Node::Float(number) => return Ok(self.constant(range, |made| Value::Float(*number, made))),
            Node::Str(text) => return Ok(self.text(text, range)),
            Node::Interpolated(parts) => Expr::Interpolated(self.parts(parts)?),
            Node::Path(text) => match self.resolve_path(text) {
                Ok(path) => {
                    let path = Rc::new(Text::new(&path));
                    return Ok(self.constant(range, |made| Value::Path(path, made)));
                }
                Err(impure) => Expr::Impure(impure),
            },
            Node::PathInterpolated(parts) => {
                let mut lowered = Vec::with_capacity(parts.len());
                let mut impure = None;
                for (index, part) in parts.iter().enumerate() {
                    lowered.push(match part {
                        Part::Text(text, range) if index == 0 => match self.resolve_path(text) {
                            Ok(mut path) => {
                                if text.last() == Some(&b'/') && path != b"/" {
                                    path.push(b'/');
                                }
                                self.text(&path, *range)
                            }
                            Err(reason) => {
                                impure = Some(reason);
                                self.text(b"", *range)
                            }
                        },
                        Part::Text(text, range) => self.text(text, *range),
                        Part::Expr(node) => self.expr(*node)?,
                    });
                }
                match impure {
                    Some(reason) => Expr::Impure(reason),
                    None => Expr::PathInterpolated(lowered.into()),
                }
            }
            Node::SearchPath(text) => {
                let names = ["__findFile", "__nixPath"].map(|name| self.input.symbols.intern(name));
                let shadowed = self.scopes.iter().any(|frame| match frame {
                    Frame::Names(known) => names.iter().any(|name| known.contains_key(name)),
                    _ => false,
                });
                if shadowed {
                    // `<name>` is short for a call that sees the variables in scope.
                    let [function, places] = names.map(|name| self.variable(name, range));
                    let name = self.text(text, range);
                    Expr::Apply {
                        function,
                        args: Box::new([places, name]),
                    }
                } else {
                    Expr::SearchPath(String::from_utf8_lossy(text).into())
                }
            }
            Node::Var(name) => return Ok(self.variable(*name, range)),
            Node::CurPos => Expr::CurPos,
            Node::List(items) => Expr::List(self.exprs(items)?),
            Node::Attrs { rec, entries } => {
                let set = self.collect(*rec, range, entries)?;
                Expr::Attrs(Box::new(self.set(set)?))
            }
            Node::LegacyLet(entries) => {
                let set = self.collect(true, range, entries)?;
                let attrs = self.set(set)?;
                let from = self.add(Expr::Attrs(Box::new(attrs)), range);
                Expr::SelectOne {
                    from,
                    name: Sym::BODY,
                }
            }
            Node::Let { entries, body } => {
                let set = self.collect(true, range, entries)?;
                self.let_in(set, *body)?
            }
            Node::Lambda { .. } => self.lambda(id, name)?,
            Node::Apply { .. } => self.apply(id)?,
            Node::Select { from, path, default } => {
                let from = self.expr(*from)?;
                match (path.as_slice(), default) {
                    (
                        [
                            Attr {
                                name: AttrName::Static(name),
                                ..
                            },
                        ],
                        None,
                    ) => Expr::SelectOne { from, name: *name },
                    _ => {
                        let path = self.path(path)?;
                        let default = default.map(|node| self.expr(node)).transpose()?;
                        Expr::Select(Box::new(SelectCode { from, path, default }))
                    }
                }
            }
            Node::HasAttr { from, path } => {
                let from = self.expr(*from)?;
                let path = self.path(path)?;
                Expr::HasAttr(Box::new(SelectCode {
                    from,
                    path,
                    default: None,
                }))
            }
            Node::If {
                condition,
                then,
                otherwise,
            } => Expr::If {
                condition: self.expr(*condition)?,
                then: self.expr(*then)?,
                otherwise: self.expr(*otherwise)?,
            },
            Node::Assert { condition, body } => Expr::Assert {
                condition: self.expr(*condition)?,
                body: self.expr(*body)?,
            },
            Node::With { from, body } => {
                let from = self.expr(*from)?;
                self.scopes.push(Frame::With);
                let body = self.expr(*body);
                self.scopes.pop();
                Expr::With { from, body: body? }
            }
            Node::Not(operand) => Expr::Not(self.expr(*operand)?),
            Node::Negate(operand) => Expr::Negate(self.expr(*operand)?),
            Node::Binary(op, left, right) => Expr::Binary(*op, self.expr(*left)?, self.expr(*right)?),
        };
        Ok(self.add(expr, range))
    }

    fn parts(&mut self, parts: &[Part]) -> Result<Box<[ExprId]>> {
        parts
            .iter()
            .map(|part| match part {
                Part::Text(text, range) => Ok(self.text(text, *range)),
                Part::Expr(node) => self.expr(*node),
            })
            .collect()
    }

    /// The absolute path of a path literal, or why there is none.
    fn resolve_path(&self, text: &[u8]) -> Result<Vec<u8>, Rc<str>> {
        match text.first() {
            Some(b'~') => {
                if let Some(home) = self.input.home {
                    let rest = text.get(1..).unwrap_or_default();
                    return Ok(paths::canonical(&[home, rest].concat()));
                }
                let shown = String::from_utf8_lossy(text);
                Err(format!("the path '{shown}' lies in a home folder, which is not an input here").into())
            }
            Some(b'/') => Ok(paths::canonical(text)),
            _ => {
                let mut whole = self.input.folder.to_vec();
                whole.push(b'/');
                whole.extend_from_slice(text);
                Ok(paths::canonical(&whole))
            }
        }
    }

    fn variable(&mut self, name: Sym, range: Range) -> ExprId {
        let mut withs = Vec::new();
        for (depth, frame) in self.scopes.iter().rev().enumerate() {
            match frame {
                Frame::Names(names) => {
                    if let Some(&slot) = names.get(&name) {
                        let depth = depth as u32;
                        return self.add(Expr::Var { depth, slot }, range);
                    }
                }
                Frame::With => withs.push(depth as u32),
                Frame::Hidden => {}
            }
        }
        match name {
            Sym::TRUE => return self.constant(range, |made| Value::Bool(true, made)),
            Sym::FALSE => return self.constant(range, |made| Value::Bool(false, made)),
            Sym::NULL => return self.constant(range, Value::Null),
            Sym::BUILTINS => return self.add(Expr::Builtins, range),
            _ => {}
        }
        let text = self.input.symbols.name(name);
        if let Some(value) = builtins::global(&text) {
            return self.constant(range, |made| value.made_at(made));
        }
        if !withs.is_empty() {
            return self.add(Expr::WithVar(Box::new((name, withs.into()))), range);
        }
        self.undefined.push(SyntaxError {
            message: format!("undefined variable '{text}'"),
            range,
        });
        self.add(Expr::Undefined(name), range)
    }

    fn path(&mut self, path: &[Attr]) -> Result<Box<[NameCode]>> {
        path.iter()
            .map(|attr| {
                Ok(match attr.name {
                    AttrName::Static(name) => NameCode::Static(name),
                    AttrName::Dynamic(node) => NameCode::Dynamic(self.expr(node)?),
                })
            })
            .collect()
    }

    /// `f a b`, `b |> f a`: one call of `f` with two arguments.
    fn apply(&mut self, id: NodeId) -> Result<Expr> {
        let syntax: &'a Syntax = self.input.syntax;
        let mut args = Vec::new();
        let mut function = id;
        while let Node::Apply {
            function: inner,
            argument,
            ..
        } = syntax.node(function)
        {
            args.push(*argument);
            function = *inner;
        }
        let function = self.expr(function)?;
        args.reverse();
        let args = self.exprs(&args)?;
        Ok(Expr::Apply { function, args })
    }

    fn lambda(&mut self, id: NodeId, name: Option<Sym>) -> Result<Expr> {
        let syntax: &'a Syntax = self.input.syntax;
        let mut names = Vec::new();
        let mut body = id;
        while let Node::Lambda {
            arg: Some((arg, _)),
            formals: None,
            body: inner,
        } = syntax.node(body)
        {
            names.push(*arg);
            body = *inner;
        }
        if !names.is_empty() {
            self.scopes.push(names_frame(names.iter().copied()));
            let body = self.expr(body);
            self.scopes.pop();
            return Ok(Expr::Lambda(Box::new(LambdaCode {
                params: Params::Simple(names.into()),
                body: body?,
                name,
                has_defaults: false,
            })));
        }
        let Node::Lambda {
            arg,
            formals: Some(formals),
            body,
        } = syntax.node(id)
        else {
            return Ok(Expr::Missing);
        };
        let mut sorted: Vec<_> = formals.formals.iter().collect();
        sorted.sort_by_key(|formal| formal.name);
        let bind = arg.map(|(name, _)| name);
        self.scopes
            .push(names_frame(sorted.iter().map(|formal| formal.name).chain(bind)));
        let lowered = self.formals_and_body(&sorted, *body);
        self.scopes.pop();
        let (lowered, body) = lowered?;
        Ok(Expr::Lambda(Box::new(LambdaCode {
            has_defaults: lowered.iter().any(|formal| formal.default.is_some()),
            params: Params::Set {
                formals: lowered,
                ellipsis: formals.ellipsis,
                bind,
            },
            body,
            name,
        })))
    }

    fn formals_and_body(
        &mut self,
        formals: &[&crate::syntax::Formal],
        body: NodeId,
    ) -> Result<(Box<[FormalCode]>, ExprId)> {
        let mut lowered = Vec::with_capacity(formals.len());
        for formal in formals {
            lowered.push(FormalCode {
                name: formal.name,
                default: formal
                    .default
                    .map(|node| self.named_expr(node, Some(formal.name)))
                    .transpose()?,
                range: formal.range,
            });
        }
        Ok((lowered.into(), self.expr(body)?))
    }

    fn let_in(&mut self, set: Set, body: NodeId) -> Result<Expr> {
        let mut lowered_body = None;
        let bindings = self.set_with(set, |lowering| {
            lowered_body = Some(lowering.expr(body)?);
            Ok(())
        })?;
        let body = lowered_body.unwrap_or(ExprId(0));
        Ok(Expr::Let(Box::new(LetCode { bindings, body })))
    }

    fn set(&mut self, set: Set) -> Result<AttrsCode> {
        self.set_with(set, |_| Ok(()))
    }

    /// Lowers a set; `inside` runs in the scope that it opens.
    fn set_with(&mut self, set: Set, inside: impl FnOnce(&mut Self) -> Result<()>) -> Result<AttrsCode> {
        let Set {
            rec,
            defs,
            dynamic,
            sources,
            ..
        } = set;
        let mut defs: Vec<_> = defs.into_iter().collect();
        defs.sort_by_key(|(name, _)| *name);
        let names: Vec<Sym> = defs.iter().map(|(name, _)| *name).collect();
        let source_slot = if rec { names.len() } else { 0 };
        let opens = rec || !sources.is_empty();

        // What is evaluated in the scope around is lowered first, before that scope is left.
        let mut values = Vec::with_capacity(defs.len());
        let mut waiting = Vec::new();
        for (index, (name, def)) in defs.into_iter().enumerate() {
            let inner = match &def.value {
                DefValue::Inherit(..) => false,
                DefValue::InheritFrom(..) => true,
                DefValue::Node(_) | DefValue::Set(_) => rec,
            };
            values.push(AttrCode {
                name,
                value: ExprId(0),
                binding: def.binding,
                inner,
            });
            if inner {
                waiting.push((index, def.value));
            } else {
                let value = self.def(name, def.value, source_slot)?;
                if let Some(slot) = values.get_mut(index) {
                    slot.value = value;
                }
            }
        }
        let mut outer_sources = Vec::new();
        let mut outer_dynamic = Vec::new();
        if !rec {
            for &source in &sources {
                outer_sources.push(self.expr(source)?);
            }
        }
        let mut inner_dynamic = Vec::new();
        for (name, value, binding) in dynamic {
            if rec {
                inner_dynamic.push((name, value, binding));
            } else {
                let name = self.expr(name)?;
                let value = self.def(Sym::EMPTY, value, source_slot)?;
                outer_dynamic.push((name, value, binding));
            }
        }

        if opens {
            self.scopes.push(if rec {
                names_frame(names.iter().copied())
            } else {
                Frame::Hidden
            });
        }
        for (index, value) in waiting {
            let name = names.get(index).copied().unwrap_or(Sym::EMPTY);
            let value = self.def(name, value, source_slot)?;
            if let Some(slot) = values.get_mut(index) {
                slot.value = value;
            }
        }
        if rec {
            for &source in &sources {
                outer_sources.push(self.expr(source)?);
            }
            for (name, value, binding) in inner_dynamic {
                let name = self.expr(name)?;
                let value = self.def(Sym::EMPTY, value, source_slot)?;
                outer_dynamic.push((name, value, binding));
            }
        }
        inside(self)?;
        if opens {
            self.scopes.pop();
        }
        Ok(AttrsCode {
            rec,
            entries: values.into(),
            sources: outer_sources.into(),
            dynamic: outer_dynamic.into(),
        })
    }

    fn def(&mut self, name: Sym, value: DefValue, source_slot: usize) -> Result<ExprId> {
        match value {
            DefValue::Node(node) => self.named_expr(node, Some(name)),
            DefValue::Set(set) => {
                let range = set.range;
                let attrs = stacker::maybe_grow(64 << 10, 2 << 20, || self.set(*set))?;
                Ok(self.add(Expr::Attrs(Box::new(attrs)), range))
            }
            DefValue::Inherit(name, range) => Ok(self.variable(name, range)),
            DefValue::InheritFrom(source, name, range) => {
                let slot = (source_slot + source) as u32;
                let from = self.add(Expr::Var { depth: 0, slot }, range);
                Ok(self.add(Expr::SelectOne { from, name }, range))
            }
        }
    }

    /// Merges the attribute paths of a set's entries.
    fn collect(&mut self, rec: bool, range: Range, entries: &'a [Entry]) -> Result<Set> {
        let mut set = Set::new(rec, range);
        self.collect_into(&mut set, entries)?;
        Ok(set)
    }

    fn collect_into(&mut self, set: &mut Set, entries: &'a [Entry]) -> Result<()> {
        for entry in entries {
            match entry {
                Entry::Bind {
                    path,
                    value,
                    value_range,
                    whole,
                } => self.bind(set, path, *value, *value_range, *whole)?,
                Entry::Inherit { from, names, whole } => {
                    let source = set.sources.len();
                    set.sources.extend(from);
                    for &(name, range) in names {
                        let binding = self.binding(range, range, *whole, BindingKind::Inherit);
                        let value = match from {
                            Some(_) => DefValue::InheritFrom(source, name, range),
                            None => DefValue::Inherit(name, range),
                        };
                        if let Some(before) = set.defs.get(&name) {
                            return self.duplicate(&[name], range, before.place);
                        }
                        let def = Def {
                            value,
                            place: range,
                            binding,
                        };
                        set.defs.insert(name, def);
                    }
                }
            }
        }
        Ok(())
    }

    fn duplicate<T>(&self, path: &[Sym], range: Range, before: Range) -> Result<T> {
        let shown: Vec<String> = path
            .iter()
            .map(|&name| self.input.symbols.name(name).to_string())
            .collect();
        let _ = before;
        Err(SyntaxError {
            message: format!("attribute '{}' already defined", shown.join(".")),
            range,
        })
    }

    fn bind(
        &mut self,
        set: &mut Set,
        path: &'a [Attr],
        value: NodeId,
        value_range: Range,
        whole: Range,
    ) -> Result<()> {
        let Some((last, before)) = path.split_last() else {
            return Ok(());
        };
        let start = path.first().map_or(whole, |attr| attr.range);
        let path_range = start.to(last.range);
        let mut names = Vec::with_capacity(path.len());
        let mut set = set;
        for attr in before {
            let implied = attr.range.to(value_range);
            let binding = self.binding(attr.range, value_range, whole, BindingKind::Plain);
            match attr.name {
                AttrName::Static(name) => {
                    names.push(name);
                    if set.defs.contains_key(&name) {
                        let Some(def) = set.defs.get_mut(&name) else {
                            return Ok(());
                        };
                        self.open_def(def)?;
                        self.chain(def.binding, binding);
                        let place = def.place;
                        match &mut def.value {
                            DefValue::Set(inner) => set = inner,
                            _ => return self.duplicate(&names, path_range, place),
                        }
                    } else {
                        let def = set.defs.entry(name).or_insert(Def {
                            value: DefValue::Set(Box::new(Set::new(false, implied))),
                            place: path_range,
                            binding,
                        });
                        match &mut def.value {
                            DefValue::Set(inner) => set = inner,
                            _ => return Ok(()),
                        }
                    }
                }
                AttrName::Dynamic(node) => {
                    set.dynamic
                        .push((node, DefValue::Set(Box::new(Set::new(false, implied))), binding));
                    match set.dynamic.last_mut() {
                        Some((_, DefValue::Set(inner), _)) => set = inner,
                        _ => return Ok(()),
                    }
                }
            }
        }
        let binding = self.binding(last.range, value_range, whole, BindingKind::Plain);
        match last.name {
            AttrName::Dynamic(node) => set.dynamic.push((node, DefValue::Node(value), binding)),
            AttrName::Static(name) => {
                names.push(name);
                let def = Def {
                    value: DefValue::Node(value),
                    place: path_range,
                    binding,
                };
                self.define(set, &mut names, name, def)?;
            }
        }
        Ok(())
    }

    /// Notes that one more binding sets a part of the same attribute.
    fn chain(&mut self, first: u32, more: u32) {
        let mut at = first;
        while let Some(binding) = self.input.bindings.get(at as usize) {
            if binding.next == 0 {
                break;
            }
            at = binding.next;
        }
        if let Some(binding) = self.input.bindings.get_mut(at as usize) {
            binding.next = more;
        }
    }

    /// Turns a definition by a literal set into one that more attributes can be added to.
    fn open_def(&mut self, def: &mut Def) -> Result<()> {
        if let DefValue::Node(node) = def.value
            && let Some(set) = self.literal_set(node)?
        {
            def.value = DefValue::Set(Box::new(set));
        }
        Ok(())
    }

    fn literal_set(&mut self, node: NodeId) -> Result<Option<Set>> {
        let syntax: &'a Syntax = self.input.syntax;
        match syntax.node(node) {
            Node::Attrs { rec, entries } => Ok(Some(self.collect(*rec, syntax.range(node), entries)?)),
            _ => Ok(None),
        }
    }

    fn define(&mut self, set: &mut Set, path: &mut Vec<Sym>, name: Sym, mut def: Def) -> Result<()> {
        let existing = match set.defs.entry(name) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(def);
                return Ok(());
            }
            std::collections::hash_map::Entry::Occupied(taken) => taken.into_mut(),
        };
        self.open_def(existing)?;
        self.open_def(&mut def)?;
        match (&mut existing.value, def.value) {
            (DefValue::Set(into), DefValue::Set(from)) => {
                self.chain(existing.binding, def.binding);
                stacker::maybe_grow(64 << 10, 2 << 20, || self.merge(into, *from, path))
            }
            _ => self.duplicate(path, def.place, existing.place),
        }
    }

    /// Adds the attributes of one literal set to another; a `rec` of the added one is lost, as in Nix.
    fn merge(&mut self, into: &mut Set, from: Set, path: &mut Vec<Sym>) -> Result<()> {
        let shift = into.sources.len();
        into.sources.extend(from.sources);
        let mut defs: Vec<_> = from.defs.into_iter().collect();
        defs.sort_by_key(|(_, def)| def.place);
        for (name, mut def) in defs {
            if let DefValue::InheritFrom(source, ..) = &mut def.value {
                *source += shift;
            }
            path.push(name);
            self.define(into, path, name, def)?;
            path.pop();
        }
        into.dynamic.extend(from.dynamic);
        Ok(())
    }
}
