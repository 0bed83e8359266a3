//! Values, thunks and environments.
//!
//! A [`Value`] is 16 bytes: a tag, the position of the expression that made it, and a payload.
//! Nothing here recurses without bound on drop: whatever can nest goes through [`release`].

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use source::Unknown;
use thin_vec::ThinVec;

use crate::code::{Code, ExprId};
use crate::error::Error;
use crate::evaluator::Evaluator;
use crate::frames::Frame;
use crate::symbol::Sym;

/// The expression that made a value, and the call in which it was evaluated.
///
/// A position is an index into the evaluator's tables, 0 for a value that no text made. Seven bytes,
/// so that a [`Value`] with its tag stays at sixteen. Empty when provenance is compiled out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made(#[cfg(feature = "provenance")] [u8; 7]);

impl Made {
    pub(crate) const NOWHERE: Self = Self(
        #[cfg(feature = "provenance")]
        [0; 7],
    );

    #[cfg(feature = "provenance")]
    pub(crate) fn at(position: u32, frame: Frame) -> Self {
        let [a, b, c, d] = position.to_le_bytes();
        let [e, f, g, _] = frame.0.to_le_bytes();
        Self([a, b, c, d, e, f, g])
    }

    #[cfg(not(feature = "provenance"))]
    pub(crate) fn at(_position: u32, _frame: Frame) -> Self {
        Self()
    }

    /// The position; 0 when there is none.
    #[cfg(feature = "provenance")]
    pub(crate) fn position(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }

    #[cfg(not(feature = "provenance"))]
    #[allow(clippy::unused_self)]
    pub(crate) fn position(self) -> u32 {
        0
    }

    /// The call in which the expression was evaluated.
    #[cfg(feature = "provenance")]
    pub(crate) fn frame(self) -> Frame {
        let [_, _, _, _, e, f, g] = self.0;
        Frame(u32::from_le_bytes([e, f, g, 0]))
    }
}

/// A Nix value, perhaps not yet evaluated. Cheap to clone.
///
/// Values belong to the [`Evaluator`] that made them and are of no use with another one.
/// [`Evaluator::force`] turns a [`Value::Thunk`] into one of the other kinds.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// `null`
    Null(Made),
    /// `true` or `false`
    Bool(bool, Made),
    /// An integer.
    Int(i64, Made),
    /// A float.
    Float(f64, Made),
    /// A string.
    Str(Rc<Text>, Made),
    /// An absolute path.
    Path(Rc<Text>, Made),
    /// A list.
    List(Rc<List>, Made),
    /// An attribute set.
    Attrs(Rc<Attrs>, Made),
    /// A function written in Nix.
    Lambda(Rc<Closure>, Made),
    /// A function of the language, or one made in Rust, with the arguments it has so far.
    Builtin(Rc<Applied>, Made),
    /// A value that depends on something nobody gave.
    Unknown(Rc<Unknown>, Made),
    /// A value not yet evaluated, or one that was and is shared.
    Thunk(Rc<Thunk>),
}

impl Value {
    /// A string without context.
    pub fn string(text: impl AsRef<[u8]>) -> Self {
        Value::Str(Rc::new(Text::new(text.as_ref())), Made::NOWHERE)
    }

    /// An integer.
    pub fn int(number: i64) -> Self {
        Value::Int(number, Made::NOWHERE)
    }

    /// A float.
    pub fn float(number: f64) -> Self {
        Value::Float(number, Made::NOWHERE)
    }

    /// `true` or `false`.
    pub fn bool(truth: bool) -> Self {
        Value::Bool(truth, Made::NOWHERE)
    }

    /// `null`.
    pub fn null() -> Self {
        Value::Null(Made::NOWHERE)
    }

    /// An absolute path.
    pub fn path(path: impl AsRef<[u8]>) -> Self {
        Value::Path(Rc::new(Text::new(path.as_ref())), Made::NOWHERE)
    }

    /// A list of these.
    pub fn list(items: Vec<Value>) -> Self {
        Value::List(Rc::new(List::new(items)), Made::NOWHERE)
    }

    /// A value that depends on something nobody gave.
    ///
    /// `name` is what it depends on, as one would write it; `because` is why that is not known.
    pub fn unknown(name: &str, because: &str) -> Self {
        let unknown = Unknown {
            name: name.into(),
            because: because.into(),
            span: None,
        };
        Value::Unknown(Rc::new(unknown), Made::NOWHERE)
    }

    /// The text, if this is an evaluated string or path that is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self.resolved() {
            Value::Str(text, _) | Value::Path(text, _) => std::str::from_utf8(text.bytes()).ok(),
            _ => None,
        }
    }

    /// The elements, if this is an evaluated list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list, _) => Some(list.items()),
            _ => None,
        }
    }

    /// This value, unless it is a thunk.
    fn resolved(&self) -> &Self {
        self
    }

    /// The same value, made at another expression.
    #[must_use]
    pub(crate) fn made_at(self, made: Made) -> Self {
        match self {
            Value::Null(_) => Value::Null(made),
            Value::Bool(it, _) => Value::Bool(it, made),
            Value::Int(it, _) => Value::Int(it, made),
            Value::Float(it, _) => Value::Float(it, made),
            Value::Str(it, _) => Value::Str(it, made),
            Value::Path(it, _) => Value::Path(it, made),
            Value::List(it, _) => Value::List(it, made),
            Value::Attrs(it, _) => Value::Attrs(it, made),
            Value::Lambda(it, _) => Value::Lambda(it, made),
            Value::Builtin(it, _) => Value::Builtin(it, made),
            Value::Unknown(it, _) => Value::Unknown(it, made),
            thunk @ Value::Thunk(_) => thunk,
        }
    }

    /// This constant, made by the same expression in this call.
    #[cfg(feature = "provenance")]
    pub(crate) fn made_in(&self, frame: Frame) -> Self {
        let moved = |made: &Made| Made::at(made.position(), frame);
        match self {
            Value::Null(made) => Value::Null(moved(made)),
            Value::Bool(it, made) => Value::Bool(*it, moved(made)),
            Value::Int(it, made) => Value::Int(*it, moved(made)),
            Value::Float(it, made) => Value::Float(*it, moved(made)),
            Value::Str(it, made) => Value::Str(it.clone(), moved(made)),
            Value::Path(it, made) => Value::Path(it.clone(), moved(made)),
            Value::List(it, made) => Value::List(it.clone(), moved(made)),
            Value::Attrs(it, made) => Value::Attrs(it.clone(), moved(made)),
            Value::Lambda(it, made) => Value::Lambda(it.clone(), moved(made)),
            Value::Builtin(it, made) => Value::Builtin(it.clone(), moved(made)),
            Value::Unknown(it, made) => Value::Unknown(it.clone(), moved(made)),
            Value::Thunk(thunk) => Value::Thunk(thunk.clone()),
        }
    }

    #[cfg(not(feature = "provenance"))]
    pub(crate) fn made_in(&self, _frame: Frame) -> Self {
        self.clone()
    }

    /// Which expression made it.
    pub(crate) fn made(&self) -> Made {
        match self {
            Value::Null(made)
            | Value::Bool(_, made)
            | Value::Int(_, made)
            | Value::Float(_, made)
            | Value::Str(_, made)
            | Value::Path(_, made)
            | Value::List(_, made)
            | Value::Attrs(_, made)
            | Value::Lambda(_, made)
            | Value::Builtin(_, made)
            | Value::Unknown(_, made) => *made,
            Value::Thunk(thunk) => thunk.peek().map_or(Made::NOWHERE, |value| value.made()),
        }
    }

    /// Whether others can be reached from the value, perhaps itself.
    pub(crate) fn can_hold_others(&self) -> bool {
        match self {
            Value::List(list, _) => !list.items.is_empty(),
            Value::Attrs(attrs, _) => !attrs.entries.is_empty(),
            Value::Lambda(..) => true,
            Value::Builtin(applied, _) => {
                !applied.args.is_empty() || !matches!(applied.function, Function::Builtin(_))
            }
            _ => false,
        }
    }

    /// What error messages call the kind of value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null(_) => "null",
            Value::Bool(..) => "a Boolean",
            Value::Int(..) => "an integer",
            Value::Float(..) => "a float",
            Value::Str(text, _) if text.context.is_some() => "a string with context",
            Value::Str(..) => "a string",
            Value::Path(..) => "a path",
            Value::List(..) => "a list",
            Value::Attrs(..) => "a set",
            Value::Lambda(..) => "a function",
            Value::Builtin(applied, _) if applied.args.is_empty() => "a built-in function",
            Value::Builtin(applied, _) if matches!(applied.function, Function::Lambda(_)) => "a function",
            Value::Builtin(..) => "a partially applied built-in function",
            Value::Unknown(..) => "unknown",
            Value::Thunk(_) => "a thunk",
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(it, _) => write!(f, "{it}"),
            Value::Int(it, _) => write!(f, "{it}"),
            Value::Float(it, _) => write!(f, "{it}"),
            Value::Str(it, _) => write!(f, "{:?}", String::from_utf8_lossy(it.bytes())),
            Value::Path(it, _) => write!(f, "{}", String::from_utf8_lossy(it.bytes())),
            Value::Unknown(it, _) => write!(f, "«unknown {}»", it.name),
            other => write!(f, "«{}»", other.kind()),
        }
    }
}

/// What a string depends on in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Context {
    /// A path in the store, by its letters.
    Path(Arc<str>),
    /// All of a derivation: `=…drv`.
    Deep(Arc<str>),
    /// One output of a derivation: `!out!…drv`.
    Built { drv: Arc<str>, output: Arc<str> },
}

pub(crate) type Contexts = BTreeSet<Context>;

/// The bytes of a string, and what in the store it depends on.
pub struct Text {
    bytes: SmallVec<[u8; 16]>,
    pub(crate) context: Option<Rc<Contexts>>,
}

impl Text {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self::from_small(SmallVec::from_slice(bytes), None)
    }

    pub(crate) fn from_vec(bytes: Vec<u8>, context: Option<Rc<Contexts>>) -> Self {
        let bytes = if bytes.len() <= 16 {
            SmallVec::from_slice(&bytes)
        } else {
            SmallVec::from_vec(bytes)
        };
        Self::from_small(bytes, context)
    }

    /// A copy of the bytes.
    pub(crate) fn copied(bytes: &[u8], context: Option<Rc<Contexts>>) -> Self {
        Self::from_small(SmallVec::from_slice(bytes), context)
    }

    /// One text after another, neither with a context.
    pub(crate) fn joined(first: &[u8], second: &[u8]) -> Self {
        let mut bytes = SmallVec::with_capacity(first.len() + second.len());
        bytes.extend_from_slice(first);
        bytes.extend_from_slice(second);
        Self::from_small(bytes, None)
    }

    fn from_small(bytes: SmallVec<[u8; 16]>, context: Option<Rc<Contexts>>) -> Self {
        let text = Self { bytes, context };
        account(text.weight());
        text
    }

    fn weight(&self) -> usize {
        if self.bytes.spilled() {
            self.bytes.capacity() + 48
        } else {
            48
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text; bytes that are not UTF-8 are replaced.
    pub fn lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        refund(self.weight());
    }
}

/// The elements of a list.
pub struct List {
    items: Vec<Value>,
}

impl List {
    pub(crate) fn new(items: Vec<Value>) -> Self {
        account(48 + items.capacity() * 16);
        Self { items }
    }

    /// The elements, perhaps not yet evaluated.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// The elements, to be changed in place; their number must go through [`Self::extend`].
    pub(crate) fn extend(&mut self, more: &[Value]) {
        let before = self.items.capacity();
        self.items.extend_from_slice(more);
        account((self.items.capacity() - before) * 16);
    }
}

impl Drop for List {
    fn drop(&mut self) {
        refund(48 + self.items.capacity() * 16);
        if self.items.iter().any(may_nest) {
            release(Garbage::Values(std::mem::take(&mut self.items)));
        }
    }
}

/// Marks a binding that an attribute kept from the set that it was made of, as `mapAttrs` does.
/// It is where the attribute was written, though to `unsafeGetAttrPos` it has no place.
pub(crate) const CARRIED: u32 = 1 << 31;

/// One attribute of a set.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Sym,
    /// The binding that set it, an index into the evaluator's table; 0 for none. Perhaps [`CARRIED`].
    pub(crate) binding: u32,
    pub(crate) value: Value,
}

/// The entries of a set; two need no further allocation, as in `{ name = …; value = …; }`.
pub(crate) type Entries = SmallVec<[Entry; 2]>;

/// An attribute set: entries sorted by symbol.
pub struct Attrs {
    entries: Entries,
    /// Set for a set of which only a part is known: what an attribute that is not among the
    /// entries depends on.
    pub(crate) open: Option<Rc<Unknown>>,
}

impl Attrs {
    /// Entries must be sorted by symbol, without duplicates.
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self::with_open(entries, None)
    }

    pub(crate) fn with_open(entries: Vec<Entry>, open: Option<Rc<Unknown>>) -> Self {
        let entries = if entries.len() <= 2 {
            entries.into_iter().collect()
        } else {
            Entries::from_vec(entries)
        };
        Self::over(entries, open)
    }

    /// Entries must be sorted by symbol, without duplicates.
    pub(crate) fn small(entries: Entries, open: Option<Rc<Unknown>>) -> Self {
        Self::over(entries, open)
    }

    fn over(entries: Entries, open: Option<Rc<Unknown>>) -> Self {
        let attrs = Self { entries, open };
        account(attrs.weight());
        attrs
    }

    fn weight(&self) -> usize {
        96 + if self.entries.spilled() {
            self.entries.capacity() * 24
        } else {
            0
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn find(&self, name: Sym) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by_key(&name, |entry| entry.name)
            .ok()?;
        self.entries.get(at)
    }

    pub(crate) fn get(&self, name: Sym) -> Option<&Value> {
        self.find(name).map(|entry| &entry.value)
    }

    /// How many attributes are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no attribute is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Drop for Attrs {
    fn drop(&mut self) {
        refund(self.weight());
        if self.entries.iter().any(|entry| may_nest(&entry.value)) {
            release(Garbage::Entries(std::mem::take(&mut self.entries)));
        }
    }
}

/// A function written in Nix, and the variables it sees.
pub struct Closure {
    pub(crate) code: Rc<Code>,
    pub(crate) lambda: ExprId,
    pub(crate) env: Rc<Env>,
}

/// What a function made in Rust runs.
type Run = dyn for<'e> Fn(&Evaluator<'e>, &[Value]) -> Result<Value, Error>;

/// A function made in Rust.
pub struct Native {
    pub(crate) name: String,
    pub(crate) arity: usize,
    /// For a function that takes a set: its arguments, and whether each may be left out.
    pub(crate) formals: Option<Vec<(String, bool)>>,
    pub(crate) run: Box<Run>,
}

/// What an [`Applied`] calls when it has all its arguments.
#[derive(Clone)]
pub(crate) enum Function {
    /// A function of the language, by its index.
    Builtin(&'static crate::builtins::Builtin),
    Native(Rc<Native>),
    /// A function of several arguments written in Nix that has not got all of them yet.
    Lambda(Rc<Closure>),
}

/// A function with fewer arguments than it needs.
pub struct Applied {
    pub(crate) function: Function,
    pub(crate) args: SmallVec<[Value; 2]>,
}

impl Drop for Applied {
    fn drop(&mut self) {
        if self.args.iter().any(may_nest) {
            release(Garbage::Values(self.args.drain(..).collect()));
        }
    }
}

/// What an unevaluated value is made of, or the value.
#[derive(Default)]
pub(crate) enum State {
    Done(Value),
    Code(Rc<Code>, ExprId, Rc<Env>),
    /// The application of a function to a value; with the call that made it, as in the next ones.
    Apply(Box<(Value, Value, Made)>),
    /// The application of a shared function to a number, for `genList`.
    ApplyInt(Rc<(Value, Made)>, i64),
    /// The application of a shared function to a thunk, for `map`.
    ApplyThunk(Rc<(Value, Made)>, Rc<Thunk>),
    /// The application of a shared function to a name and a thunk, for `mapAttrs`.
    ApplyNamed(Rc<(Value, Made)>, Sym, Rc<Thunk>),
    /// The application of a function to two values.
    Apply2(Box<(Value, Value, Value, Made)>),
    /// The same as another value.
    Alias(Value),
    /// Given by Rust.
    Native(Box<NativeThunk>),
    /// Being evaluated: asking for it again is infinite recursion.
    #[default]
    Blackhole,
    Failed(Error),
}

/// What a thunk made in Rust runs.
pub(crate) type NativeThunk = dyn for<'e> Fn(&Evaluator<'e>) -> Result<Value, Error>;

/// A value that is evaluated when it is first needed.
pub struct Thunk {
    pub(crate) state: Cell<State>,
}

const THUNK_WEIGHT: usize = 48;

impl Thunk {
    pub(crate) fn new(state: State) -> Rc<Self> {
        account(THUNK_WEIGHT);
        Rc::new(Self {
            state: Cell::new(state),
        })
    }

    pub(crate) fn code(code: &Rc<Code>, expr: ExprId, env: &Rc<Env>) -> Value {
        Value::Thunk(Self::new(State::Code(code.clone(), expr, env.clone())))
    }

    /// Puts another state in the place of one that owns nothing.
    #[inline]
    pub(crate) fn put(&self, state: State) {
        // What was there is known to need no drop, which the compiler cannot see.
        std::mem::forget(self.state.replace(state));
    }

    /// Looks at the value, if it is known already; what looks must not ask for the thunk itself.
    #[inline(always)]
    pub(crate) fn look<T>(&self, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let state = self.state.take();
        let found = match &state {
            State::Done(value) => read(value),
            _ => None,
        };
        self.put(state);
        found
    }

    /// The value, if it is known already.
    #[inline]
    pub(crate) fn peek(&self) -> Option<Value> {
        self.look(|value| Some(value.clone()))
    }

    /// The value, if it is known already and an integer.
    pub(crate) fn peek_int(&self) -> Option<i64> {
        self.look(|value| match value {
            Value::Int(number, _) => Some(*number),
            _ => None,
        })
    }
}

impl Drop for Thunk {
    fn drop(&mut self) {
        refund(THUNK_WEIGHT);
        match self.state.get_mut() {
            State::Done(value) if !may_nest(value) => {}
            State::Code(_, _, env) if Rc::strong_count(env) > 1 => {}
            State::Blackhole | State::Failed(_) => {}
            _ => release(Garbage::State(self.state.take())),
        }
    }
}

/// A variable of an environment.
pub(crate) type Slot = OnceCell<Value>;

/// The values of the variables of one scope, and the scope around it.
pub(crate) struct Env {
    pub(crate) up: Option<Rc<Env>>,
    // Two variables need no further allocation; most functions take no more.
    first: Slot,
    second: Slot,
    rest: ThinVec<Slot>,
    /// The call that the scope belongs to.
    pub(crate) frame: Frame,
}

impl Env {
    fn weight(&self) -> usize {
        80 + if self.rest.is_empty() {
            0
        } else {
            16 + self.rest.len() * 16
        }
    }

    /// A scope with one variable, inside another.
    #[inline]
    pub(crate) fn one(up: &Rc<Env>, frame: Frame, value: Value) -> Rc<Self> {
        account(80);
        Rc::new(Self {
            up: Some(up.clone()),
            first: OnceCell::from(value),
            second: OnceCell::new(),
            rest: ThinVec::new(),
            frame,
        })
    }

    /// A scope with two variables, inside another.
    #[inline]
    pub(crate) fn two(up: &Rc<Env>, frame: Frame, first: Value, second: Value) -> Rc<Self> {
        account(80);
        Rc::new(Self {
            up: Some(up.clone()),
            first: OnceCell::from(first),
            second: OnceCell::from(second),
            rest: ThinVec::new(),
            frame,
        })
    }

    /// A scope with copies of these variables, inside another.
    #[inline]
    pub(crate) fn holding(up: &Rc<Env>, frame: Frame, values: &[Value]) -> Rc<Self> {
        match values {
            [one] => Self::one(up, frame, one.clone()),
            [first, second] => Self::two(up, frame, first.clone(), second.clone()),
            more => Self::of(Some(up.clone()), frame, more.iter().cloned()),
        }
    }

    /// A scope with these variables.
    pub(crate) fn of(
        up: Option<Rc<Env>>,
        frame: Frame,
        mut values: impl ExactSizeIterator<Item = Value>,
    ) -> Rc<Self> {
        let first = values.next().map_or_else(OnceCell::new, OnceCell::from);
        let second = values.next().map_or_else(OnceCell::new, OnceCell::from);
        let rest = if values.len() == 0 {
            ThinVec::new()
        } else {
            values.map(OnceCell::from).collect()
        };
        let env = Self {
            up,
            first,
            second,
            rest,
            frame,
        };
        account(env.weight());
        Rc::new(env)
    }

    /// A scope whose variables are set later with [`Self::set`].
    pub(crate) fn empty(up: Option<Rc<Env>>, frame: Frame, slots: usize) -> Rc<Self> {
        let rest = if slots > 2 {
            (2..slots).map(|_| OnceCell::new()).collect()
        } else {
            ThinVec::new()
        };
        let env = Self {
            up,
            first: OnceCell::new(),
            second: OnceCell::new(),
            rest,
            frame,
        };
        account(env.weight());
        Rc::new(env)
    }

    fn slot(&self, index: usize) -> Option<&Slot> {
        match index {
            0 => Some(&self.first),
            1 => Some(&self.second),
            _ => self.rest.get(index - 2),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Value> {
        self.slot(index).and_then(OnceCell::get)
    }

    /// Sets a variable that was not set before.
    pub(crate) fn set(&self, index: usize, value: Value) {
        if let Some(slot) = self.slot(index) {
            let _already = slot.set(value);
        }
    }

    /// Drops what the unevaluated variables hold, to break cycles through this scope.
    pub(crate) fn clear(&self) {
        for slot in [&self.first, &self.second].into_iter().chain(&self.rest) {
            if let Some(Value::Thunk(thunk)) = slot.get() {
                drop(thunk.state.take());
            }
        }
    }
}

impl Drop for Env {
    fn drop(&mut self) {
        refund(self.weight());
        let nests = self.up.as_ref().is_some_and(|up| Rc::strong_count(up) == 1)
            || self.first.get().is_some_and(may_nest)
            || self.second.get().is_some_and(may_nest)
            || self.rest.iter().any(|slot| slot.get().is_some_and(may_nest));
        if nests {
            let up = self.up.take();
            let inline = (self.first.take(), self.second.take());
            release(Garbage::Env(up, inline, std::mem::take(&mut self.rest)));
        }
    }
}

/// Whether dropping the value could drop others inside it.
fn may_nest(value: &Value) -> bool {
    match value {
        Value::List(it, _) => Rc::strong_count(it) == 1,
        Value::Attrs(it, _) => Rc::strong_count(it) == 1,
        Value::Lambda(it, _) => Rc::strong_count(it) == 1,
        Value::Builtin(it, _) => Rc::strong_count(it) == 1,
        Value::Thunk(it) => Rc::strong_count(it) == 1,
        _ => false,
    }
}

/// What a dropped structure held. The fields are only there to be dropped.
enum Garbage {
    State(#[allow(dead_code)] State),
    Values(#[allow(dead_code)] Vec<Value>),
    Entries(#[allow(dead_code)] Entries),
    Env(
        #[allow(dead_code)] Option<Rc<Env>>,
        #[allow(dead_code)] (Option<Value>, Option<Value>),
        #[allow(dead_code)] ThinVec<Slot>,
    ),
}

/// How many drops may nest on the stack before the rest is put aside.
const DROP_DEPTH: u32 = 64;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PENDING: RefCell<Vec<Garbage>> = const { RefCell::new(Vec::new()) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Drops what may hold a structure of any depth without recursing deeper than [`DROP_DEPTH`].
///
/// The list of what is put aside is per thread, since a destructor takes no arguments.
fn release(garbage: Garbage) {
    let depth = DEPTH.get();
    if depth >= DROP_DEPTH {
        // While the thread itself ends, the list may be gone; then what it holds is small enough.
        let _ended = PENDING.try_with(|pending| pending.borrow_mut().push(garbage));
        return;
    }
    DEPTH.set(depth + 1);
    drop(garbage);
    if depth == 0 {
        while let Ok(Some(next)) = PENDING.try_with(|pending| pending.borrow_mut().pop()) {
            drop(next);
        }
    }
    DEPTH.set(depth);
}

/// Counts memory that a value takes.
pub(crate) fn account(bytes: usize) {
    LIVE.set(LIVE.get() + bytes);
}

pub(crate) fn refund(bytes: usize) {
    LIVE.set(LIVE.get().saturating_sub(bytes));
}

/// An estimate of the memory that the values of this thread take, in bytes.
pub(crate) fn live() -> usize {
    LIVE.get()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use source::{Files, MemoryWorld};

    use super::live;
    use crate::{Evaluator, Host, HostOptions, Options};

    /// What is still there when an evaluator and all it gave are gone.
    fn left_after(run: impl FnOnce(&Evaluator<'_>)) -> usize {
        let before = live();
        let world = MemoryWorld::new()
            .with("/file.nix", "let all = { inherit all; n = 1; }; in all")
            .with(
                "/host.nix",
                "{ config, lib, ... }: { fileSystems = lib.mkIf (config.swapDevices == [ ]) { }; x = { name, ... }: name; }",
            );
        let files = Files::new();
        let evaluator = Evaluator::new(&world, &files, Options::default());
        run(&evaluator);
        drop(evaluator);
        live() - before
    }

    #[test]
    fn values_that_refer_to_themselves_go_with_their_evaluator() {
        for text in [
            "let x = { inherit x; }; in x",
            "rec { a = 1; b = { inherit a; c = b; }; }.b",
            "let fix = f: let x = f x; in x; in fix (self: { a = 1; b = self.a; inherit self; })",
            "let f = n: if n == 0 then 0 else f (n - 1); in f 100",
            "let even = n: n == 0 || odd (n - 1); odd = n: n != 0 && even (n - 1); in even 10",
            "({ a ? b, b ? (x: a), c ? { inherit b c; } }: b 1) { a = 5; }",
            "({ f ? (n: if n == 0 then 0 else f (n - 1)) }: f 3) { }",
            "({ f ? (n: f), ... }@all: { inherit f all; }) { }",
            "let list = [ list 1 ]; in builtins.length list",
            "let s = { __functor = self: x: self; me = s; }; in s 1",
            "rec { __overrides = { a = 2; }; a = 1; b = { inherit a; }; }.b",
            "let attrs = builtins.mapAttrs (n: v: attrs) { a = 1; b = 2; }; in attrs.a.b",
            "let ones = builtins.genList (i: ones) 3; in builtins.elemAt ones 1",
            "let part = a: b: c: part; in part 1",
            "let x = with { y = x; }; { inherit y; }; in x.y",
            "let x = { inherit (x) a; b = x.a; }; in x.b or 1",
            "import /file.nix",
            "let x = { y = (a: a) x; }; in x.y",
            "let x = { y = builtins.sort (a: b: true) [ x ]; }; in x.y",
            "let x = { y = builtins.attrValues { inherit x; }; }; in builtins.head x.y",
            "let e = builtins.tryEval (throw (toString e)); in builtins.length [ e ]",
        ] {
            let left = left_after(|evaluator| {
                let value = evaluator.expression("cycle.nix", text, Path::new("/"));
                let value = value.and_then(|value| evaluator.force(&value));
                drop(value.map(|value| evaluator.print(&value, false)));
            });
            assert_eq!(left, 0, "{text}");
        }
    }

    #[test]
    fn a_host_goes_with_its_evaluator() {
        let left = left_after(|evaluator| {
            let options = HostOptions::default();
            let host = Host::open(evaluator, Path::new("/host.nix"), &options);
            drop(host.map(|host| host.option(&["fileSystems"])));
        });
        assert_eq!(left, 0);
    }
}
