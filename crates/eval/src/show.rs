//! Expressions as `nix-instantiate --parse` prints them.

use std::path::Path;

use source::BindingKind;

use crate::code::{AttrsCode, Code, Expr, ExprId, NameCode, Params, SelectCode};
use crate::evaluator::{Evaluator, Result, path_bytes};
use crate::print::{identifier, quote, shortest};
use crate::symbol::Sym;
use crate::syntax::Op;
use crate::value::Value;

impl Evaluator<'_> {
    /// The expression as `nix-instantiate --parse` prints it: attribute paths merged, operators
    /// in parentheses, names in their order.
    ///
    /// # Errors
    /// When the text is not an expression, or a variable in it is undefined.
    pub fn show_syntax(&self, name: &str, text: &[u8], base: &Path) -> Result<Vec<u8>> {
        let file = self.files.add(name, String::from_utf8_lossy(text));
        let (code, root) = self.load(file, text, &path_bytes(base), None)?;
        let mut shower = Shower {
            ev: self,
            code: &code,
            text,
            out: Vec::new(),
        };
        shower.expr(root);
        Ok(shower.out)
    }
}

struct Shower<'e, 'a> {
    ev: &'e Evaluator<'a>,
    code: &'e Code,
    text: &'e [u8],
    out: Vec<u8>,
}

impl Shower<'_, '_> {
    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn name(&mut self, name: Sym) {
        identifier(self.ev.symbols.name(name).as_bytes(), &mut self.out);
    }

    /// The text that an expression covers, which for a variable is its name.
    fn source(&self, id: ExprId) -> &[u8] {
        let range = self.code.ranges.get(id.0 as usize).copied().unwrap_or_default();
        self.text
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    fn variable(&mut self, id: ExprId) {
        let name = self.source(id).to_vec();
        // The names after `inherit` may be quoted.
        let name = name
            .strip_prefix(b"\"")
            .and_then(|name| name.strip_suffix(b"\""))
            .unwrap_or(&name);
        identifier(name, &mut self.out);
    }

    fn expr(&mut self, id: ExprId) {
        stacker::maybe_grow(64 << 10, 2 << 20, || self.expr_inner(id));
    }

    fn operator(&mut self, left: ExprId, sign: &str, right: ExprId) {
        self.push("(");
        self.expr(left);
        self.push(sign);
        self.expr(right);
        self.push(")");
    }

    fn call(&mut self, function: &str, left: ExprId, right: ExprId) {
        self.push("(");
        self.push(function);
        self.push(" ");
        self.expr(left);
        self.push(" ");
        self.expr(right);
        self.push(")");
    }

    fn expr_inner(&mut self, id: ExprId) {
        let code = self.code;
        match code.expr(id) {
            Expr::Const(Value::Int(number, _)) => self.push(&number.to_string()),
            Expr::Const(Value::Float(number, _)) => self.push(&shortest(*number)),
            Expr::Const(Value::Str(text, _)) => quote(text.bytes(), &mut self.out),
            Expr::Const(Value::Path(path, _)) => self.out.extend_from_slice(path.bytes()),
            Expr::Const(_)
            | Expr::Var { .. }
            | Expr::WithVar(_)
            | Expr::Undefined(_)
            | Expr::Builtins
            | Expr::Missing => self.variable(id),
            Expr::CurPos => self.push("__curPos"),
            Expr::Impure(_) => {
                let text = self.source(id).to_vec();
                self.out.extend_from_slice(&text);
            }
            Expr::SearchPath(name) => {
                self.push("(__findFile __nixPath ");
                quote(name.as_bytes(), &mut self.out);
                self.push(")");
            }
            Expr::Interpolated(parts) | Expr::PathInterpolated(parts) => {
                self.push("(");
                for (index, &part) in parts.iter().enumerate() {
                    if index > 0 {
                        self.push(" + ");
                    }
                    self.expr(part);
                }
                self.push(")");
            }
            Expr::List(items) => {
                self.push("[ ");
                for &item in items {
                    self.push("(");
                    self.expr(item);
                    self.push(") ");
                }
                self.push("]");
            }
            Expr::Attrs(attrs) => {
                if attrs.rec {
                    self.push("rec ");
                }
                self.push("{ ");
                self.bindings(attrs);
                self.push("}");
            }
            Expr::Let(inner) => {
                self.push("(let ");
                self.bindings(&inner.bindings);
                self.push("in ");
                self.expr(inner.body);
                self.push(")");
            }
            Expr::Lambda(lambda) => match &lambda.params {
                Params::Simple(names) => {
                    for &name in names {
                        self.push("(");
                        self.name(name);
                        self.push(": ");
                    }
                    self.expr(lambda.body);
                    for _ in names {
                        self.push(")");
                    }
                }
                Params::Set { .. } => self.formals(&lambda.params, lambda.body),
            },
            Expr::Apply { function, args } => {
                self.push("(");
                self.expr(*function);
                for &arg in args {
                    self.push(" ");
                    self.expr(arg);
                }
                self.push(")");
            }
            Expr::SelectOne { from, name } => {
                self.push("(");
                self.expr(*from);
                self.push(").");
                self.name(*name);
            }
            Expr::Select(select) => {
                self.push("(");
                self.expr(select.from);
                self.push(").");
                self.path(select);
                if let Some(default) = select.default {
                    self.push(" or (");
                    self.expr(default);
                    self.push(")");
                }
            }
            Expr::HasAttr(select) => {
                self.push("((");
                self.expr(select.from);
                self.push(") ? ");
                self.path(select);
                self.push(")");
            }
            Expr::If {
                condition,
                then,
                otherwise,
            } => {
                self.push("(if ");
                self.expr(*condition);
                self.push(" then ");
                self.expr(*then);
                self.push(" else ");
                self.expr(*otherwise);
                self.push(")");
            }
            Expr::Assert { condition, body } => {
                self.push("assert ");
                self.expr(*condition);
                self.push("; ");
                self.expr(*body);
            }
            Expr::With { from, body } => {
                self.push("(with ");
                self.expr(*from);
                self.push("; ");
                self.expr(*body);
                self.push(")");
            }
            Expr::Not(operand) => {
                self.push("(! ");
                self.expr(*operand);
                self.push(")");
            }
            Expr::Negate(operand) => {
                self.push("(__sub 0 ");
                self.expr(*operand);
                self.push(")");
            }
            &Expr::Binary(op, left, right) => match op {
                Op::Add => self.operator(left, " + ", right),
                Op::Sub => self.call("__sub", left, right),
                Op::Mul => self.call("__mul", left, right),
                Op::Div => self.call("__div", left, right),
                Op::Concat => self.operator(left, " ++ ", right),
                Op::Update => self.operator(left, " // ", right),
                Op::Equal => self.operator(left, " == ", right),
                Op::NotEqual => self.operator(left, " != ", right),
                Op::Less => self.call("__lessThan", left, right),
                Op::More => self.call("__lessThan", right, left),
                Op::LessEq => {
                    self.push("(! ");
                    self.call("__lessThan", right, left);
                    self.push(")");
                }
                Op::MoreEq => {
                    self.push("(! ");
                    self.call("__lessThan", left, right);
                    self.push(")");
                }
                Op::And => self.operator(left, " && ", right),
                Op::Or => self.operator(left, " || ", right),
                Op::Implies => self.operator(left, " -> ", right),
            },
        }
    }

    fn path(&mut self, select: &SelectCode) {
        for (index, &name) in select.path.iter().enumerate() {
            if index > 0 {
                self.push(".");
            }
            match name {
                NameCode::Static(name) => self.name(name),
                NameCode::Dynamic(id) => {
                    self.push("\"${");
                    self.expr(id);
                    self.push("}\"");
                }
            }
        }
    }

    fn formals(&mut self, params: &Params, body: ExprId) {
        let Params::Set {
            formals,
            ellipsis,
            bind,
        } = params
        else {
            return;
        };
        self.push("({ ");
        let mut sorted: Vec<_> = formals.iter().collect();
        self.ev.symbols.sort_by_name(&mut sorted, |formal| formal.name);
        let mut first = true;
        for formal in sorted {
            if !std::mem::take(&mut first) {
                self.push(", ");
            }
            self.name(formal.name);
            if let Some(default) = formal.default {
                self.push(" ? ");
                self.expr(default);
            }
        }
        if *ellipsis {
            self.push(if first { "..." } else { ", ..." });
        }
        self.push(" }");
        if let Some(bind) = bind {
            self.push(" @ ");
            self.name(*bind);
        }
        self.push(": ");
        self.expr(body);
        self.push(")");
    }

    fn bindings(&mut self, attrs: &AttrsCode) {
        let inherited = |ev: &Evaluator<'_>, binding: u32| {
            ev.bindings
                .borrow()
                .get(binding as usize)
                .is_some_and(|data| data.kind == BindingKind::Inherit)
        };
        let ev = self.ev;
        let code = self.code;
        let mut sorted: Vec<_> = attrs.entries.iter().collect();
        ev.symbols.sort_by_name(&mut sorted, |entry| entry.name);
        // The slot of the source that an `inherit (source)` takes the name from.
        let source = |value: ExprId| match code.expr(value) {
            Expr::SelectOne { from, .. } => match code.expr(*from) {
                Expr::Var { slot, .. } => {
                    let before = if attrs.rec { attrs.entries.len() } else { 0 };
                    Some((*slot as usize).saturating_sub(before))
                }
                _ => None,
            },
            _ => None,
        };
        let (from_around, others): (Vec<_>, Vec<_>) = sorted
            .into_iter()
            .partition(|entry| inherited(ev, entry.binding) && source(entry.value).is_none());
        if !from_around.is_empty() {
            self.push("inherit");
            for entry in from_around {
                self.push(" ");
                self.name(entry.name);
            }
            self.push("; ");
        }
        for (index, &from) in attrs.sources.iter().enumerate() {
            let names: Vec<Sym> = others
                .iter()
                .filter(|entry| inherited(ev, entry.binding) && source(entry.value) == Some(index))
                .map(|entry| entry.name)
                .collect();
            if names.is_empty() {
                continue;
            }
            self.push("inherit (");
            self.expr(from);
            self.push(")");
            for name in names {
                self.push(" ");
                self.name(name);
            }
            self.push("; ");
        }
        for entry in others {
            if !inherited(ev, entry.binding) {
                self.name(entry.name);
                self.push(" = ");
                self.expr(entry.value);
                self.push("; ");
            }
        }
        for &(name, value, _) in &attrs.dynamic {
            self.push("\"${");
            self.expr(name);
            self.push("}\" = ");
            self.expr(value);
            self.push("; ");
        }
    }
}
