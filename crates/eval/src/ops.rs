//! Operators, equality, order, and turning values into strings.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::io::Write as _;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use source::Unknown;

use crate::code::{Code, ExprId};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, internal};
use crate::paths;
use crate::symbol::Sym;
use crate::syntax::Op;
use crate::value::{Attrs, Context, Contexts, Entry, Env, List, Made, Text, Value};

/// Which values [`Evaluator::coerce`] turns into strings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coerce {
    /// What `"${…}"` and `+` take: strings, paths, sets with `__toString` or `outPath`.
    Interpolation,
    /// What `toString` takes as well: numbers, Booleans, null, lists.
    Everything,
    /// As `Everything`, but paths are copied into the store: the variables of a derivation.
    Environment,
    /// Strings, sets that stand for one, and paths by their letters.
    Path,
}

/// The largest buffer that is kept for the next string, in bytes.
const LARGEST_BUFFER: usize = 1 << 16;

/// A string under construction.
pub(crate) struct Builder {
    pub(crate) bytes: Vec<u8>,
    pub(crate) contexts: Contexts,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            // Most strings fit, and growing step by step costs more than the bytes.
            bytes: Vec::with_capacity(32),
            contexts: Contexts::new(),
        }
    }
}

impl Builder {
    pub(crate) fn push(&mut self, text: &Text) {
        self.bytes.extend_from_slice(text.bytes());
        if let Some(context) = &text.context {
            self.contexts.extend(context.iter().cloned());
        }
    }

    /// A builder that writes into a buffer, which [`Self::finish_in`] gives back.
    fn inside(buffer: &Cell<Vec<u8>>) -> Self {
        Self {
            bytes: buffer.take(),
            contexts: Contexts::new(),
        }
    }

    /// The string, copied out of the buffer.
    fn finish_in(mut self, buffer: &Cell<Vec<u8>>) -> Text {
        let context = (!self.contexts.is_empty()).then(|| Rc::new(self.contexts));
        let text = Text::copied(&self.bytes, context);
        if self.bytes.capacity() <= LARGEST_BUFFER {
            self.bytes.clear();
            buffer.set(self.bytes);
        }
        text
    }

    pub(crate) fn finish(self) -> Text {
        let context = (!self.contexts.is_empty()).then(|| Rc::new(self.contexts));
        Text::from_vec(self.bytes, context)
    }

    pub(crate) fn value(self, made: Made) -> Value {
        Value::Str(Rc::new(self.finish()), made)
    }
}

/// How many steps copying an attribute, or an element of a list, counts for: about a nanosecond
/// a step. A set that grows one attribute at a time is copied each time, so that the cost of n
/// attributes is n².
const STEPS_OF_AN_ATTRIBUTE: u64 = 8;
pub(crate) const STEPS_OF_AN_ELEMENT: u64 = 8;
/// How many bytes of text one step copies.
const BYTES_OF_A_STEP: u64 = 4;
/// How many steps a part of a value counts for that is written as text. What a value holds twice
/// is written twice, so that 60 lists, each holding the next one twice, are 2^60 parts.
pub(crate) const STEPS_OF_A_PART: u64 = 64;

/// Pairs of lists and of sets that the comparison at hand has been through.
///
/// A value may hold another in many places: two trees of 60 levels that are built from 60 lists
/// have 2^60 leaves. Each pair of lists is compared once.
#[derive(Default)]
pub(crate) struct Compared {
    /// How many comparisons are under way, one inside the other.
    nested: Cell<u32>,
    /// How many pairs the outermost one has met.
    met: Cell<u32>,
    /// The pairs that are equal as far as known, by address, and what they depend on if that
    /// is not known. The values are kept with them, so that no address is used anew.
    alike: RefCell<FxHashMap<(usize, usize), Alike>>,
}

/// Two values that do not differ, and the unknown that they would have to be compared by.
struct Alike {
    _values: (Value, Value),
    depends_on: Option<Rc<Unknown>>,
}

/// From how many pairs on they are remembered: a comparison of less costs less than that.
const REMEMBERED_FROM: u32 = 1 << 10;

impl Evaluator<'_> {
    /// Compares two lists or sets unless this comparison has done so before.
    fn compared(&self, a: &Value, b: &Value, run: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let state = &self.compared;
        let key = match (a, b) {
            (Value::List(x, _), Value::List(y, _)) => (Rc::as_ptr(x) as usize, Rc::as_ptr(y) as usize),
            (Value::Attrs(x, _), Value::Attrs(y, _)) => (Rc::as_ptr(x) as usize, Rc::as_ptr(y) as usize),
            _ => return run(),
        };
        let met = state.met.get().saturating_add(1);
        state.met.set(met);
        if met > REMEMBERED_FROM
            && let Some(alike) = state.alike.borrow().get(&key)
        {
            return alike
                .depends_on
                .clone()
                .map_or(Ok(true), |it| Err(Error::unknown(it)));
        }
        let nested = state.nested.get();
        state.nested.set(nested + 1);
        let result = run();
        state.nested.set(nested);
        if nested == 0 {
            state.met.set(0);
            let alike = state.alike.take();
            drop(alike);
        } else if met > REMEMBERED_FROM {
            let depends_on = match &result {
                Ok(true) => Some(None),
                Err(error) => error.as_unknown().map(|unknown| Some(unknown.clone())),
                Ok(false) => None,
            };
            if let Some(depends_on) = depends_on {
                let _values = (a.clone(), b.clone());
                let alike = Alike { _values, depends_on };
                state.alike.borrow_mut().insert(key, alike);
            }
        }
        result
    }

    pub(crate) fn operate(&self, op: Op, a: Value, b: Value, made: Made) -> Result<Value> {
        if op == Op::Update {
            return self.update(a, b, made);
        }
        if op == Op::Concat {
            return self.concat(a, b, made);
        }
        if let Value::Unknown(unknown, _) = &a {
            return Err(Error::unknown(unknown.clone()));
        }
        match op {
            Op::Equal => Ok(Value::Bool(self.equal_forced(&a, &b, false)?, made)),
            Op::NotEqual => Ok(Value::Bool(!self.equal_forced(&a, &b, false)?, made)),
            _ if matches!(b, Value::Unknown(..)) => {
                let Value::Unknown(unknown, _) = b else {
                    return Err(internal());
                };
                Err(Error::unknown(unknown))
            }
            Op::Add => self.add(a, b, made),
            Op::Sub | Op::Mul | Op::Div => self.arithmetic(op, &a, &b, made),
            Op::Less => Ok(Value::Bool(self.order(&a, &b)? == Some(Ordering::Less), made)),
            Op::More => Ok(Value::Bool(self.order(&b, &a)? == Some(Ordering::Less), made)),
            // As `!(b < a)`, which tells for values that have no order, such as NaN.
            Op::LessEq => Ok(Value::Bool(self.order(&b, &a)? != Some(Ordering::Less), made)),
            Op::MoreEq => Ok(Value::Bool(self.order(&a, &b)? != Some(Ordering::Less), made)),
            Op::Concat | Op::Update | Op::And | Op::Or | Op::Implies => Err(internal()),
        }
    }

    pub(crate) fn arithmetic(&self, op: Op, a: &Value, b: &Value, made: Made) -> Result<Value> {
        let overflow = |doing: String| Error::new(ErrorKind::Other, format!("integer overflow in {doing}"));
        match (a, b) {
            (Value::Int(x, _), Value::Int(y, _)) => {
                let (x, y) = (*x, *y);
                let result = match op {
                    Op::Add => x
                        .checked_add(y)
                        .ok_or_else(|| overflow(format!("adding {x} + {y}"))),
                    Op::Sub => x
                        .checked_sub(y)
                        .ok_or_else(|| overflow(format!("subtracting {x} - {y}"))),
                    Op::Mul => x
                        .checked_mul(y)
                        .ok_or_else(|| overflow(format!("multiplying {x} * {y}"))),
                    _ if y == 0 => Err(Error::new(ErrorKind::Other, "division by zero")),
                    _ => x
                        .checked_div(y)
                        .ok_or_else(|| overflow(format!("dividing {x} / {y}"))),
                };
                Ok(Value::Int(result?, made))
            }
            (Value::Int(..) | Value::Float(..), Value::Int(..) | Value::Float(..)) => {
                let (x, y) = (as_float(a), as_float(b));
                let result = match op {
                    Op::Add => x + y,
                    Op::Sub => x - y,
                    Op::Mul => x * y,
                    _ if y == 0.0 => return Err(Error::new(ErrorKind::Other, "division by zero")),
                    _ => x / y,
                };
                Ok(Value::Float(result, made))
            }
            (Value::Int(..) | Value::Float(..), other) | (other, _) => Err(self.wrong(
                if matches!(a, Value::Float(..)) || matches!(b, Value::Float(..)) {
                    "a float"
                } else {
                    "an integer"
                },
                other,
            )),
        }
    }

    fn add(&self, a: Value, b: Value, made: Made) -> Result<Value> {
        match (&a, &b) {
            (Value::Int(..) | Value::Float(..), Value::Int(..) | Value::Float(..)) => {
                self.arithmetic(Op::Add, &a, &b, made)
            }
            (Value::Str(x, _), Value::Str(y, _)) => {
                let length = x.bytes().len() + y.bytes().len();
                if length > 1 << 12 {
                    self.charge(length as u64 / BYTES_OF_A_STEP)?;
                    self.check_text(length)?;
                }
                if x.context.is_none() && y.context.is_none() {
                    return Ok(Value::Str(Rc::new(Text::joined(x.bytes(), y.bytes())), made));
                }
                let mut builder = Builder::default();
                builder.push(x);
                builder.push(y);
                Ok(builder.value(made))
            }
            (Value::Int(..) | Value::Float(..), other) => Err(Error::new(
                ErrorKind::Type,
                format!("cannot add {} to {}", other.kind(), a.kind()),
            )),
            (Value::Path(path, _), other) => {
                let mut builder = Builder::default();
                builder.bytes.extend_from_slice(path.bytes());
                self.coerce(other, Coerce::Path, &mut builder)?;
                self.finish_path(builder, made)
            }
            (first, second) => {
                let mut builder = Builder::default();
                // A path is copied into the store behind a string, not behind a set that becomes one.
                let how = match first {
                    Value::Str(..) => Coerce::Interpolation,
                    _ => Coerce::Path,
                };
                self.coerce(first, how, &mut builder)?;
                self.coerce(second, how, &mut builder)?;
                Ok(builder.value(made))
            }
        }
    }

    fn finish_path(&self, builder: Builder, made: Made) -> Result<Value> {
        if !builder.contexts.is_empty() {
            return Err(Error::new(
                ErrorKind::Other,
                "a string that refers to a store path cannot be appended to a path",
            ));
        }
        let path = paths::canonical(&builder.bytes);
        Ok(Value::Path(Rc::new(Text::from_vec(path, None)), made))
    }

    pub(crate) fn eval_interpolated(
        &self,
        code: &Rc<Code>,
        id: ExprId,
        parts: &[ExprId],
        env: &Rc<Env>,
    ) -> Result<Value> {
        let mut builder = Builder::inside(&self.scratch);
        for &part in parts {
            match self.eval(code, part, env)? {
                Value::Str(text, _) => builder.push(&text),
                other => self
                    .coerce(&other, Coerce::Interpolation, &mut builder)
                    .map_err(|error| error.at(Self::span_of(code, part)))?,
            }
            if builder.bytes.len() > 1 << 12 {
                self.charge(builder.bytes.len() as u64 / BYTES_OF_A_STEP)?;
                self.check_text(builder.bytes.len())?;
            }
        }
        let text = builder.finish_in(&self.scratch);
        Ok(Value::Str(Rc::new(text), Made::at(code.position(id), env.frame)))
    }

    pub(crate) fn eval_path(
        &self,
        code: &Rc<Code>,
        id: ExprId,
        parts: &[ExprId],
        env: &Rc<Env>,
    ) -> Result<Value> {
        let mut builder = Builder::default();
        for &part in parts {
            let value = self.eval(code, part, env)?;
            self.coerce(&value, Coerce::Path, &mut builder)
                .map_err(|error| error.at(Self::span_of(code, part)))?;
        }
        self.finish_path(builder, Made::at(code.position(id), env.frame))
            .map_err(|error| error.at(Self::span_of(code, id)))
    }

    /// Appends what a value is as a string.
    pub(crate) fn coerce(&self, value: &Value, how: Coerce, out: &mut Builder) -> Result<()> {
        let value = self.force(value)?;
        match &value {
            Value::Str(text, _) => out.push(text),
            Value::Path(path, _) if matches!(how, Coerce::Interpolation | Coerce::Environment) => {
                let copy = self.copied(path.bytes(), value.made())?;
                out.bytes.extend_from_slice(copy.as_bytes());
                out.contexts.insert(Context::Path(copy));
            }
            Value::Path(path, _) => out.push(path),
            Value::Attrs(attrs, _) => {
                if let Some(function) = attrs.get(Sym::TO_STRING) {
                    let text =
                        self.deeper(|| self.apply(function, std::slice::from_ref(&value), value.made()))?;
                    return self.deeper(|| self.coerce(&text, how, out));
                }
                if let Some(path) = attrs.get(Sym::OUT_PATH) {
                    return self.deeper(|| self.coerce(path, how, out));
                }
                if let Some(open) = &attrs.open {
                    return Err(Error::unknown(open.clone()));
                }
                return Err(self.no_string(&value));
            }
            Value::Unknown(unknown, _) => return Err(Error::unknown(unknown.clone())),
            _ if !matches!(how, Coerce::Everything | Coerce::Environment) => {
                return Err(self.no_string(&value));
            }
            Value::Bool(true, _) => out.bytes.push(b'1'),
            Value::Bool(false, _) | Value::Null(_) => {}
            Value::Int(number, _) => {
                // Writing to a vector cannot fail.
                let _written = write!(out.bytes, "{number}");
            }
            Value::Float(number, _) => out.bytes.extend_from_slice(fixed(*number).as_bytes()),
            Value::List(list, _) => {
                let items = list.items();
                for (index, item) in items.iter().enumerate() {
                    self.charge(STEPS_OF_A_PART)?;
                    let item = self.force(item)?;
                    self.deeper(|| self.coerce(&item, how, out))?;
                    // An empty list leaves no space behind it.
                    let empty = matches!(&item, Value::List(inner, _) if inner.items().is_empty());
                    if index + 1 < items.len() && !empty {
                        out.bytes.push(b' ');
                    }
                    if out.bytes.len() > 1 << 16 {
                        self.check_text(out.bytes.len())?;
                    }
                }
            }
            _ => return Err(self.no_string(&value)),
        }
        Ok(())
    }

    #[cold]
    fn no_string(&self, value: &Value) -> Error {
        Error::new(
            ErrorKind::Type,
            format!(
                "cannot coerce {} to a string: {}",
                value.kind(),
                self.brief(value)
            ),
        )
    }

    fn concat(&self, a: Value, b: Value, made: Made) -> Result<Value> {
        match (a, b) {
            (Value::List(x, _), Value::List(y, _)) => {
                if y.items().is_empty() {
                    return Ok(Value::List(x, made));
                }
                if x.items().is_empty() {
                    return Ok(Value::List(y, made));
                }
                let mut x = x;
                if let Some(list) = Rc::get_mut(&mut x) {
                    list.extend(y.items());
                    return Ok(Value::List(x, made));
                }
                let length = x.items().len() + y.items().len();
                self.charge(length as u64 * STEPS_OF_AN_ELEMENT)?;
                if length > 1 << 12 {
                    self.check_memory(length * 16)?;
                }
                let mut items = Vec::with_capacity(length);
                items.extend_from_slice(x.items());
                items.extend_from_slice(y.items());
                Ok(Value::List(Rc::new(List::new(items)), made))
            }
            (a, b) => match (self.elements_in_part(&a), self.elements_in_part(&b)) {
                (Some((mut elements, x)), Some((more, y))) => {
                    elements.extend(more);
                    match x.or(y) {
                        Some(unknown) => Ok(self.list_in_part(&unknown, elements)),
                        None => Err(internal()),
                    }
                }
                (None, _) => Err(self.wrong("a list", &a)),
                (_, None) => Err(self.wrong("a list", &b)),
            },
        }
    }

    pub(crate) fn update(&self, a: Value, b: Value, made: Made) -> Result<Value> {
        // An unknown set is one that is open for every name.
        let set = |value: Value| match value {
            Value::Attrs(attrs, _) => Ok(attrs),
            Value::Unknown(unknown, _) => Ok(Rc::new(Attrs::with_open(Vec::new(), Some(unknown)))),
            other => Err(self.wrong("a set", &other)),
        };
        let (a, b) = (set(a)?, set(b)?);
        if b.is_empty() && b.open.is_none() {
            return Ok(Value::Attrs(a, made));
        }
        if a.is_empty() && a.open.is_none() {
            return Ok(Value::Attrs(b, made));
        }
        let length = a.len() + b.len();
        self.charge(length as u64 * STEPS_OF_AN_ATTRIBUTE)?;
        if length > 1 << 12 {
            self.check_memory(length * 24)?;
        }
        let merged = match &b.open {
            None => merge(a.entries(), b.entries()),
            // Any attribute of the left set may be replaced by one of the right set's that is not known.
            Some(open) => {
                let hidden: Vec<Entry> = a
                    .entries()
                    .iter()
                    .map(|entry| Entry {
                        value: self.unknown_attr(open, entry.name, None),
                        ..entry.clone()
                    })
                    .collect();
                merge(&hidden, b.entries())
            }
        };
        let open = b.open.clone().or_else(|| a.open.clone());
        Ok(Value::Attrs(Rc::new(Attrs::with_open(merged, open)), made))
    }

    /// Whether two values are equal, as `==` sees it.
    pub(crate) fn equal(&self, a: &Value, b: &Value) -> Result<bool> {
        let a = self.force(a)?;
        let b = self.force(b)?;
        self.equal_forced(&a, &b, false)
    }

    /// `same`: both are one and the same element, in which case a function is equal to itself.
    fn equal_forced(&self, a: &Value, b: &Value, same: bool) -> Result<bool> {
        Ok(match (a, b) {
            (Value::Unknown(unknown, _), _) | (_, Value::Unknown(unknown, _)) => {
                return Err(Error::unknown(unknown.clone()));
            }
            (Value::Int(x, _), Value::Int(y, _)) => x == y,
            (Value::Int(..) | Value::Float(..), Value::Int(..) | Value::Float(..)) => {
                as_float(a) == as_float(b)
            }
            (Value::Null(_), Value::Null(_)) => true,
            (Value::Bool(x, _), Value::Bool(y, _)) => x == y,
            (Value::Str(x, _), Value::Str(y, _)) | (Value::Path(x, _), Value::Path(y, _)) => {
                Rc::ptr_eq(x, y) || x.bytes() == y.bytes()
            }
            (Value::List(x, _), Value::List(y, _)) => {
                if x.items().len() != y.items().len() {
                    return Ok(false);
                }
                self.compared(a, b, || self.all_equal(x.items().iter().zip(y.items())))?
            }
            (Value::Attrs(x, _), Value::Attrs(y, _)) => self.compared(a, b, || self.equal_attrs(x, y))?,
            (Value::Lambda(x, _), Value::Lambda(y, _)) => same && Rc::ptr_eq(x, y),
            (Value::Builtin(x, _), Value::Builtin(y, _)) => same && Rc::ptr_eq(x, y),
            _ => false,
        })
    }

    /// Whether all pairs are equal. A pair that differs decides, even beside an unknown one.
    fn all_equal<'v>(&self, pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Result<bool> {
        let mut unknown = None;
        for (x, y) in pairs {
            let equal = self.deeper(|| {
                let same = same_cell(x, y);
                let (x, y) = (self.force(x)?, self.force(y)?);
                // What is one and the same is not looked into, as in Nix.
                if same && !matches!(x, Value::Unknown(..)) {
                    return Ok(true);
                }
                self.equal_forced(&x, &y, same)
            });
            match equal {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) if error.as_unknown().is_some() => unknown = Some(error),
                Err(error) => return Err(error),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    fn equal_attrs(&self, x: &Rc<Attrs>, y: &Rc<Attrs>) -> Result<bool> {
        if self.is_derivation(x)?
            && self.is_derivation(y)?
            && let (Some(x), Some(y)) = (x.get(Sym::OUT_PATH), y.get(Sym::OUT_PATH))
        {
            return self.deeper(|| self.equal(x, y));
        }
        if let Some(open) = x.open.as_ref().or(y.open.as_ref()) {
            return Err(Error::unknown(open.clone()));
        }
        if x.len() != y.len() {
            return Ok(false);
        }
        // As Nix does: the values before the first name that differs are compared.
        let pairs = x.entries().iter().zip(y.entries());
        let same = pairs.clone().take_while(|(a, b)| a.name == b.name);
        let named = pairs.clone().all(|(a, b)| a.name == b.name);
        match self.all_equal(same.map(|(a, b)| (&a.value, &b.value))) {
            Err(error) if !named && error.as_unknown().is_some() => Ok(false),
            equal => Ok(equal? && named),
        }
    }

    pub(crate) fn is_derivation(&self, attrs: &Attrs) -> Result<bool> {
        let Some(kind) = attrs.get(Sym::TYPE) else {
            return Ok(false);
        };
        Ok(matches!(self.force(kind)?, Value::Str(text, _) if text.bytes() == b"derivation"))
    }

    /// How two values of the same kind are ordered; `None` when one is NaN.
    pub(crate) fn order(&self, a: &Value, b: &Value) -> Result<Option<Ordering>> {
        match (a, b) {
            (Value::Int(x, _), Value::Int(y, _)) => Ok(Some(x.cmp(y))),
            (Value::Int(..) | Value::Float(..), Value::Int(..) | Value::Float(..)) => {
                Ok(as_float(a).partial_cmp(&as_float(b)))
            }
            (Value::Str(x, _), Value::Str(y, _)) | (Value::Path(x, _), Value::Path(y, _)) => {
                Ok(Some(x.bytes().cmp(y.bytes())))
            }
            (Value::List(x, _), Value::List(y, _)) => {
                let (x, y) = (x.items(), y.items());
                for index in 0.. {
                    let (a, b) = match (x.get(index), y.get(index)) {
                        (None, None) => return Ok(Some(Ordering::Equal)),
                        (None, Some(_)) => return Ok(Some(Ordering::Less)),
                        (Some(_), None) => return Ok(Some(Ordering::Greater)),
                        (Some(a), Some(b)) => (a, b),
                    };
                    let same = same_cell(a, b);
                    let (a, b) = (self.force(a)?, self.force(b)?);
                    if !self.deeper(|| self.equal_forced(&a, &b, same))? {
                        return self.deeper(|| self.order(&a, &b));
                    }
                }
                Ok(None)
            }
            (Value::Unknown(unknown, _), _) | (_, Value::Unknown(unknown, _)) => {
                Err(Error::unknown(unknown.clone()))
            }
            (x, y) => Err(Error::new(
                ErrorKind::Type,
                format!("cannot compare {} with {}", x.kind(), y.kind()),
            )),
        }
    }
}

/// Whether two parts of larger values are one and the same, before they are evaluated. That is
/// how Nix tells whether a function is equal to itself.
fn same_cell(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Thunk(x), Value::Thunk(y)) => Rc::ptr_eq(x, y),
        (Value::Lambda(x, _), Value::Lambda(y, _)) => Rc::ptr_eq(x, y),
        (Value::Builtin(x, _), Value::Builtin(y, _)) => Rc::ptr_eq(x, y),
        (Value::Attrs(x, _), Value::Attrs(y, _)) => Rc::ptr_eq(x, y),
        (Value::List(x, _), Value::List(y, _)) => Rc::ptr_eq(x, y),
        _ => false,
    }
}

/// The entries of both, those of `b` winning; both are sorted.
fn merge(a: &[Entry], b: &[Entry]) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    // A small right side is the common case: copy runs of the left side between its names.
    let mut rest = a;
    for entry in b {
        let before = rest.partition_point(|left| left.name < entry.name);
        let (run, after) = rest.split_at_checked(before).unwrap_or((rest, &[]));
        merged.extend_from_slice(run);
        merged.push(entry.clone());
        rest = match after.split_first() {
            Some((first, others)) if first.name == entry.name => others,
            _ => after,
        };
    }
    merged.extend_from_slice(rest);
    merged
}

fn as_float(value: &Value) -> f64 {
    match value {
        Value::Int(number, _) => *number as f64,
        Value::Float(number, _) => *number,
        _ => f64::NAN,
    }
}

/// A float with six decimals, as `toString` gives it.
pub(crate) fn fixed(number: f64) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.into();
    }
    format!("{number:.6}")
}
