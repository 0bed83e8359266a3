//! The evaluator: forcing, calling, and each kind of expression.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use source::{Binding, FileId, Files, Span, Unknown, World};

use crate::builtins;
use crate::code::{AttrsCode, BindingData, Code, Expr, ExprId, LambdaCode, NameCode, Params, SelectCode};
use crate::error::{Error, ErrorKind};
use crate::frames::{Callee, Frame, Frames};
use crate::ops::Compared;
use crate::options::Options;
use crate::partial::Partial;
use crate::symbol::{Sym, Symbols};
use crate::syntax::{Op, Range};
use crate::value::{
    Applied, Attrs, Closure, Entries, Entry, Env, Function, List, Made, State, Text, Thunk, Value, live,
};

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// How much stack must be left before a recursion takes a new piece, and how large a piece is.
const RED_ZONE: usize = 128 << 10;
const STACK_PIECE: usize = 16 << 20;
/// How many parts a set or list may have that is made before it is known to be needed.
const SHORT: usize = 8;
/// Before anything is known of a stack.
const NOWHERE_ROOMY: (usize, usize) = (usize::MAX, 0);

/// Evaluates Nix expressions against one [`World`].
///
/// Evaluators share nothing: several may live side by side, on one thread or on many.
pub struct Evaluator<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) files: &'a Files,
    pub(crate) options: Options<'a>,
    pub(crate) symbols: Symbols,
    /// The code of each file read, in the order of their positions.
    pub(crate) codes: RefCell<Vec<Rc<Code>>>,
    next_position: Cell<u32>,
    pub(crate) frames: Frames,
    pub(crate) bindings: RefCell<Vec<BindingData>>,
    /// What each imported file gave.
    pub(crate) imports: RefCell<FxHashMap<Vec<u8>, Value>>,
    pub(crate) file_ids: RefCell<FxHashMap<Vec<u8>, FileId>>,
    /// What may close a cycle: scopes whose variables see each other, and thunks that gave
    /// something that can refer back to them. Broken up when the evaluator is dropped.
    scopes: Watched<Env>,
    settled: Watched<Thunk>,
    steps: Cell<u64>,
    /// The step at which evaluation ends: the limit of the options, or a nearer one.
    last_step: Cell<u64>,
    depth: Cell<u32>,
    /// Room for strings that are being put together.
    pub(crate) scratch: Cell<Vec<u8>>,
    /// Between which addresses a frame has [`RED_ZONE`] of stack below it: the lowest, and where
    /// that was last seen. Anywhere else it is looked up.
    roomy: Cell<(usize, usize)>,
    /// The memory that this thread's values took before this evaluator.
    baseline: usize,
    /// How many conditions that depend on unknowns are being tried both ways.
    pub(crate) guesses: Cell<u32>,
    /// How many `tryEval` are being forced, one inside the other.
    pub(crate) tries: Cell<u32>,
    /// What is known of unknowns.
    pub(crate) partial: Partial,
    /// What the comparison that is running found out so far.
    pub(crate) compared: Compared,
    pub(crate) traces: RefCell<Vec<String>>,
    pub(crate) problems: RefCell<Vec<source::Problem>>,
    builtins: OnceCell<Value>,
    pub(crate) derivations: RefCell<FxHashMap<std::sync::Arc<str>, Rc<builtins::KnownDerivation>>>,
    /// The store paths of what was copied whole.
    pub(crate) sources: RefCell<FxHashMap<Vec<u8>, std::sync::Arc<str>>>,
    pub(crate) patterns: RefCell<FxHashMap<Vec<u8>, Rc<crate::regex::Pattern>>>,
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        self.scopes.each(|scope| scope.clear());
        self.settled.each(|thunk| drop(thunk.state.take()));
    }
}

/// Handles of what exists, without keeping it.
struct Watched<T> {
    all: RefCell<Vec<Weak<T>>>,
    /// At how many handles those of what is gone are thrown away.
    next_sweep: Cell<usize>,
}

impl<T> Watched<T> {
    const SMALLEST_SWEEP: usize = 1024;

    fn new() -> Self {
        Self {
            all: RefCell::default(),
            next_sweep: Cell::new(Self::SMALLEST_SWEEP),
        }
    }

    fn add(&self, item: &Rc<T>) {
        let mut all = self.all.borrow_mut();
        if all.len() >= self.next_sweep.get() {
            all.retain(|item| item.strong_count() > 0);
            self.next_sweep.set((all.len() * 2).max(Self::SMALLEST_SWEEP));
        }
        all.push(Rc::downgrade(item));
    }

    fn each(&self, run: impl Fn(&T)) {
        for item in self.all.take() {
            if let Some(item) = item.upgrade() {
                run(&item);
            }
        }
    }
}

impl<'a> Evaluator<'a> {
    /// An evaluator that reads files from `world` and registers them in `files` as it does.
    pub fn new(world: &'a dyn World, files: &'a Files, options: Options<'a>) -> Self {
        let nowhere = BindingData {
            file: FileId(0),
            name: Range::default(),
            value: Range::default(),
            whole: Range::default(),
            kind: source::BindingKind::Plain,
            next: 0,
        };
        Self {
            world,
            files,
            last_step: Cell::new(options.limits.steps),
            options,
            symbols: Symbols::new(),
            codes: RefCell::default(),
            // 0 means no position.
            next_position: Cell::new(1),
            frames: Frames::new(),
            bindings: RefCell::new(vec![nowhere]),
            imports: RefCell::default(),
            file_ids: RefCell::default(),
            scopes: Watched::new(),
            settled: Watched::new(),
            steps: Cell::new(0),
            depth: Cell::new(0),
            scratch: Cell::default(),
            roomy: Cell::new(NOWHERE_ROOMY),
            baseline: live(),
            guesses: Cell::new(0),
            tries: Cell::new(0),
            partial: Partial::default(),
            compared: Compared::default(),
            traces: RefCell::default(),
            problems: RefCell::default(),
            builtins: OnceCell::new(),
            derivations: RefCell::default(),
            sources: RefCell::default(),
            patterns: RefCell::default(),
        }
    }

    /// The files that spans refer to.
    pub fn files(&self) -> &'a Files {
        self.files
    }

    // ----- places ---------------------------------------------------------------------------

    /// The text that a position covers.
    pub(crate) fn span_at(&self, position: u32) -> Option<Span> {
        let codes = self.codes.borrow();
        let index = codes
            .partition_point(|code| code.base <= position)
            .checked_sub(1)?;
        let code = codes.get(index)?;
        let range = code.ranges.get((position - code.base) as usize)?;
        (position > 0).then(|| Span::new(code.file, range.start, range.end))
    }

    pub(crate) fn span_of(code: &Code, id: ExprId) -> Option<Span> {
        let range = code.ranges.get(id.0 as usize)?;
        Some(Span::new(code.file, range.start, range.end))
    }

    /// The bindings of an entry of the table, in the order of the text.
    pub(crate) fn bindings_of(&self, binding: u32) -> Vec<Binding> {
        let table = self.bindings.borrow();
        let mut found = Vec::new();
        let mut at = binding & !crate::value::CARRIED;
        while at != 0 {
            let Some(data) = table.get(at as usize) else { break };
            let span = |range: Range| Span::new(data.file, range.start, range.end);
            found.push(Binding {
                name: span(data.name),
                value: span(data.value),
                whole: span(data.whole),
                kind: data.kind,
            });
            at = data.next;
        }
        found
    }

    /// A binding that stands for the argument of a function.
    pub(crate) fn formal_binding(&self, file: FileId, range: Range) -> u32 {
        let mut bindings = self.bindings.borrow_mut();
        bindings.push(BindingData {
            file,
            name: range,
            value: range,
            whole: range,
            kind: source::BindingKind::Plain,
            next: 0,
        });
        bindings.len() as u32 - 1
    }

    pub(crate) fn error_at(
        &self,
        code: &Code,
        id: ExprId,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Error {
        Error::new(kind, message).at(Self::span_of(code, id))
    }

    pub(crate) fn error_made(&self, made: Made, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).at(self.span_at(made.position()))
    }

    // ----- limits ---------------------------------------------------------------------------

    fn limit(name: &'static str, bound: impl std::fmt::Display) -> Error {
        Error::new(
            ErrorKind::Limit(name),
            format!("the {name} limit of {bound} was reached"),
        )
    }

    /// Counts one step, and now and then looks at the other limits.
    pub(crate) fn step(&self) -> Result<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps & 0x3ff == 0 {
            self.check_limits(steps)
        } else {
            Ok(())
        }
    }

    /// Counts so many steps at once: what one operation on something large costs.
    pub(crate) fn charge(&self, cost: u64) -> Result<()> {
        let before = self.steps.get();
        let steps = before.saturating_add(cost);
        self.steps.set(steps);
        if before >> 10 == steps >> 10 {
            Ok(())
        } else {
            self.check_limits(steps)
        }
    }

    #[cold]
    fn check_limits(&self, steps: u64) -> Result<()> {
        if steps > self.last_step.get() {
            return Err(Self::limit("step", self.last_step.get()));
        }
        self.check_memory(0)?;
        if let Some(interrupt) = &self.options.interrupt
            && interrupt()
        {
            return Err(Error::new(ErrorKind::Limit("time"), "the time limit was reached"));
        }
        Ok(())
    }

    /// As [`Self::check_memory`], for a string of so many bytes, which may take an eighth of the
    /// limit: one that doubles ends before it has cost seconds.
    pub(crate) fn check_text(&self, length: usize) -> Result<()> {
        self.check_memory(length)?;
        let longest = self.options.limits.memory / 8;
        if length > longest {
            let message = format!(
                "the memory limit was reached: a string may take {} of it",
                source::Bytes(longest as u64)
            );
            return Err(Error::new(ErrorKind::Limit("memory"), message));
        }
        Ok(())
    }

    /// Fails when so many bytes more would be too many.
    pub(crate) fn check_memory(&self, more: usize) -> Result<()> {
        let taken = live().saturating_sub(self.baseline).saturating_add(more);
        if taken > self.options.limits.memory {
            let bound = source::Bytes(self.options.limits.memory as u64);
            return Err(Self::limit("memory", bound));
        }
        Ok(())
    }

    /// Runs with so many steps more at most, and never more than are left.
    pub(crate) fn within_steps<T>(&self, more: u64, run: impl FnOnce() -> T) -> T {
        let last = self.last_step.get();
        self.last_step
            .set(self.steps.get().saturating_add(more).min(last));
        let result = run();
        self.last_step.set(last);
        result
    }

    /// How many steps (calls and thunks) were taken so far.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Runs one level deeper, on a larger stack when this one is nearly used up.
    pub(crate) fn deeper<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.step()?;
        let depth = self.depth.get();
        if depth >= self.options.limits.depth {
            return Err(Self::limit(
                "depth",
                format_args!("{} levels", self.options.limits.depth),
            ));
        }
        if depth == 0 {
            // Whoever asks may be on another stack than when it asked last.
            self.roomy.set(NOWHERE_ROOMY);
        }
        self.depth.set(depth + 1);
        let result = self.roomy(run);
        self.depth.set(depth);
        result
    }

    /// Runs on this stack, or on a larger one when this one is nearly used up: as
    /// [`stacker::maybe_grow`], but for a stack that was met before the answer costs two comparisons.
    #[inline(always)]
    fn roomy<T>(&self, run: impl FnOnce() -> T) -> T {
        if self.has_room() {
            run()
        } else {
            self.find_room(run)
        }
    }

    /// Runs where at least `red_zone` bytes of stack are left, on a new piece of stack if there are
    /// less here. What is known of one stack is forgotten with it: another may come to lie there.
    pub(crate) fn on_stack<T>(&self, red_zone: usize, piece: usize, run: impl FnOnce() -> T) -> T {
        let before = self.roomy.replace(NOWHERE_ROOMY);
        let result = stacker::maybe_grow(red_zone, piece, run);
        self.roomy.set(before);
        result
    }

    /// Whether this stack is known to have [`RED_ZONE`] left.
    #[inline(always)]
    fn has_room(&self) -> bool {
        let marker = 0u8;
        let here = std::ptr::from_ref(&marker).addr();
        let (lowest, highest) = self.roomy.get();
        here > lowest && here <= highest
    }

    #[cold]
    #[inline(never)]
    fn find_room<T>(&self, run: impl FnOnce() -> T) -> T {
        match stacker::remaining_stack() {
            Some(left) if left > RED_ZONE => {
                let marker = 0u8;
                let here = std::ptr::from_ref(&marker).addr();
                self.roomy.set((here.saturating_sub(left - RED_ZONE), here));
                run()
            }
            _ => self.on_stack(RED_ZONE, STACK_PIECE, run),
        }
    }

    // ----- files ----------------------------------------------------------------------------

    /// Takes a parsed and lowered text into the tables.
    pub(crate) fn load(
        &self,
        file: FileId,
        text: &[u8],
        folder: &[u8],
        scope: Option<&[Sym]>,
    ) -> Result<(Rc<Code>, ExprId)> {
        // Sets inside sets are dropped by recursion, as deep as the text may nest.
        stacker::maybe_grow(8 << 20, 32 << 20, || self.load_inner(file, text, folder, scope))
    }

    fn load_inner(
        &self,
        file: FileId,
        text: &[u8],
        folder: &[u8],
        scope: Option<&[Sym]>,
    ) -> Result<(Rc<Code>, ExprId)> {
        let syntax_error = |error: crate::parse::SyntaxError| {
            let span = Span::new(file, error.range.start, error.range.end);
            Error::new(ErrorKind::Syntax, error.message).at(Some(span))
        };
        let (syntax, root) =
            crate::parse::parse(text, &self.symbols, self.options.limits.nesting).map_err(syntax_error)?;
        let lowered = crate::lower::lower(
            crate::lower::Input {
                syntax: &syntax,
                symbols: &self.symbols,
                file,
                base: self.next_position.get(),
                folder,
                home: self.options.home.as_deref().map(path_bytes).as_deref(),
                bindings: &mut self.bindings.borrow_mut(),
                scope,
            },
            root,
        )
        .map_err(syntax_error)?;
        if let Some(first) = lowered.undefined.into_iter().next()
            && !self.options.lenient
        {
            let error = syntax_error(first);
            return Err(error);
        }
        let code = Rc::new(lowered.code);
        self.next_position.set(code.base + code.exprs.len() as u32);
        self.codes.borrow_mut().push(code.clone());
        Ok((code, lowered.root))
    }

    /// The name that a path is registered under.
    pub(crate) fn shown_path(&self, path: &Path) -> String {
        match &self.options.show_path {
            Some(show) => show(path),
            None => path.display().to_string(),
        }
    }

    /// Parses an expression and evaluates it to its outermost constructor.
    ///
    /// `name` is what reports call the text; relative paths start from the folder `base`.
    ///
    /// # Errors
    /// When the text is not an expression or its evaluation fails.
    pub fn expression(&self, name: &str, text: &str, base: &Path) -> Result<Value> {
        let file = self.files.add(name, text);
        let (code, root) = self.load(file, text.as_bytes(), &path_bytes(base), None)?;
        self.top(|| self.eval(&code, root, &Env::empty(None, Frame::ENTRY, 0)))
    }

    /// Parses a text and says why it is not an expression, if it is not.
    ///
    /// # Errors
    /// The syntax error, or that a variable is undefined.
    pub fn check_syntax(&self, name: &str, text: &str) -> Result<()> {
        let file = self.files.add(name, text);
        self.load(file, text.as_bytes(), b"/", None).map(|_| ())
    }

    /// Reads and evaluates a file to its outermost constructor; a folder stands for its `default.nix`.
    ///
    /// # Errors
    /// When the world does not give the file, it is not an expression, or its evaluation fails.
    pub fn file(&self, path: &Path) -> Result<Value> {
        self.top(|| self.import(&path_bytes(path), Made::NOWHERE))
    }

    /// Runs at the outermost level: what depends on an unknown is a value there.
    pub(crate) fn top(&self, run: impl FnOnce() -> Result<Value>) -> Result<Value> {
        self.caught(self.on_stack(RED_ZONE, STACK_PIECE, run))
    }

    /// Turns the failure of something that depends on an unknown into the unknown.
    pub(crate) fn caught(&self, result: Result<Value>) -> Result<Value> {
        match result {
            Err(error) => match error.as_unknown() {
                Some(unknown) => Ok(Value::Unknown(self.partial.plain(unknown), Made::NOWHERE)),
                None => Err(error),
            },
            ok => ok,
        }
    }

    // ----- forcing and calling --------------------------------------------------------------

    /// The value itself rather than a thunk.
    ///
    /// # Errors
    /// When its evaluation fails. What depends on an unknown does not fail: it is a [`Value::Unknown`].
    pub fn force(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Thunk(thunk) => self.force_thunk(thunk),
            other => Ok(other.clone()),
        }
    }

    #[inline]
    pub(crate) fn force_thunk(&self, thunk: &Rc<Thunk>) -> Result<Value> {
        match thunk.peek() {
            Some(value) => Ok(value),
            None => self.force_anew(thunk),
        }
    }

    /// Forces a thunk that is not known to be forced.
    fn force_anew(&self, thunk: &Rc<Thunk>) -> Result<Value> {
        match thunk.state.take() {
            State::Code(code, id, env) => match self.deeper(|| self.eval(&code, id, &env)) {
                Ok(value) => {
                    self.settle_value(thunk, &value);
                    Ok(value)
                }
                Err(error) => self.settle_error(thunk, error, || State::Code(code, id, env)),
            },
            other => self.force_other(thunk, other),
        }
    }

    /// Forces a thunk that is no expression.
    #[inline(never)]
    fn force_other(&self, thunk: &Rc<Thunk>, state: State) -> Result<Value> {
        match state {
            State::Done(value) => {
                let result = value.clone();
                thunk.state.set(State::Done(value));
                Ok(result)
            }
            State::Code(code, id, env) => {
                let result = self.deeper(|| self.eval(&code, id, &env));
                self.settle(thunk, result, || State::Code(code, id, env))
            }
            State::Apply(parts) => {
                let result = self.deeper(|| {
                    let (function, argument, made) = &*parts;
                    self.apply(function, std::slice::from_ref(argument), *made)
                });
                self.settle(thunk, result, || State::Apply(parts))
            }
            State::ApplyInt(function, number) => {
                let result = self.deeper(|| {
                    let (callee, made) = &*function;
                    self.apply(callee, &[Value::Int(number, *made)], *made)
                });
                self.settle(thunk, result, || State::ApplyInt(function, number))
            }
            State::ApplyThunk(function, argument) => {
                let result = self.deeper(|| {
                    let (callee, made) = &*function;
                    self.apply(callee, &[Value::Thunk(argument.clone())], *made)
                });
                self.settle(thunk, result, || State::ApplyThunk(function, argument))
            }
            State::ApplyNamed(function, name, argument) => {
                let result = self.deeper(|| {
                    let (callee, made) = &*function;
                    let name = Value::Str(self.symbols.text(name), *made);
                    self.apply(callee, &[name, Value::Thunk(argument.clone())], *made)
                });
                self.settle(thunk, result, || State::ApplyNamed(function, name, argument))
            }
            State::Apply2(parts) => {
                let result = self.deeper(|| {
                    let (function, first, second, made) = &*parts;
                    self.apply(function, &[first.clone(), second.clone()], *made)
                });
                self.settle(thunk, result, || State::Apply2(parts))
            }
            State::Alias(value) => {
                let result = self.deeper(|| self.force(&value));
                self.settle(thunk, result, || State::Alias(value))
            }
            State::Native(run) => {
                let result = self.deeper(|| run(self));
                self.settle(thunk, result, || State::Native(run))
            }
            State::Failed(error) => {
                thunk.state.set(State::Failed(error.clone()));
                Err(error)
            }
            State::Blackhole => Err(Error::new(
                ErrorKind::InfiniteRecursion,
                "infinite recursion encountered",
            )),
        }
    }

    /// Keeps what a thunk gave; `again` is its state when a limit stopped it.
    fn settle(
        &self,
        thunk: &Rc<Thunk>,
        result: Result<Value>,
        again: impl FnOnce() -> State,
    ) -> Result<Value> {
        match result {
            Ok(value) => {
                self.settle_value(thunk, &value);
                Ok(value)
            }
            Err(error) => self.settle_error(thunk, error, again),
        }
    }

    /// Keeps what a thunk gave that is being evaluated.
    #[inline]
    fn settle_value(&self, thunk: &Rc<Thunk>, value: &Value) {
        if value.can_hold_others() {
            self.settled.add(thunk);
        }
        thunk.put(State::Done(value.clone()));
    }

    #[cold]
    fn settle_error(&self, thunk: &Thunk, error: Error, again: impl FnOnce() -> State) -> Result<Value> {
        if let Some(unknown) = error.as_unknown() {
            let value = Value::Unknown(self.partial.plain(unknown), Made::NOWHERE);
            thunk.state.set(State::Done(value.clone()));
            return Ok(value);
        }
        if error.is_limit() {
            thunk.state.set(again());
        } else {
            thunk.state.set(State::Failed(error.clone()));
        }
        Err(error)
    }

    /// Calls a function with one argument.
    ///
    /// # Errors
    /// When it is no function, or the call fails.
    pub fn call(&self, function: &Value, argument: Value) -> Result<Value> {
        self.top(|| {
            let made = function.made();
            self.apply(function, &[argument], made)
        })
    }

    /// Calls a function, forced or not, with arguments.
    pub(crate) fn apply(&self, function: &Value, args: &[Value], made: Made) -> Result<Value> {
        // The commonest call of all: a function of exactly so many arguments.
        if let Value::Lambda(closure, _) = function
            && let Expr::Lambda(lambda) = closure.code.expr(closure.lambda)
            && let Params::Simple(names) = &lambda.params
            && names.len() == args.len()
        {
            let frame = self.entered(made, closure);
            let env = Env::holding(&closure.env, frame, args);
            return self.run(closure, lambda, &env);
        }
        let mut function = self.force(function)?;
        let mut args = args;
        loop {
            if args.is_empty() {
                return Ok(function);
            }
            function = match &function {
                Value::Lambda(closure, _) => {
                    let Expr::Lambda(lambda) = closure.code.expr(closure.lambda) else {
                        return Err(internal());
                    };
                    match &lambda.params {
                        Params::Simple(names) => {
                            let arity = names.len();
                            let Some((now, later)) = args.split_at_checked(arity) else {
                                return Ok(self.partial(closure.clone(), args.iter().cloned(), made));
                            };
                            args = later;
                            let frame = self.entered(made, closure);
                            let env = Env::of(Some(closure.env.clone()), frame, now.iter().cloned());
                            self.run(closure, lambda, &env)?
                        }
                        Params::Set { .. } => {
                            let Some((now, later)) = args.split_first() else {
                                return Err(internal());
                            };
                            args = later;
                            let env = self.bind_formals(closure, lambda, now, made)?;
                            self.run(closure, lambda, &env)?
                        }
                    }
                }
                Value::Builtin(applied, _) => {
                    let arity = self.arity(&applied.function);
                    let missing = arity.saturating_sub(applied.args.len());
                    let Some((now, later)) = args.split_at_checked(missing) else {
                        let mut all = applied.args.clone();
                        all.extend(args.iter().cloned());
                        let more = Applied {
                            function: applied.function.clone(),
                            args: all,
                        };
                        return Ok(Value::Builtin(Rc::new(more), made));
                    };
                    args = later;
                    if applied.args.is_empty() {
                        self.invoke(&applied.function, now, made)?
                    } else if let ([held], [new]) = (&*applied.args, now) {
                        self.invoke(&applied.function, &[held.clone(), new.clone()], made)?
                    } else {
                        let mut all = applied.args.clone();
                        all.extend(now.iter().cloned());
                        self.invoke(&applied.function, &all, made)?
                    }
                }
                Value::Attrs(attrs, _) => {
                    let Some(functor) = attrs.get(Sym::FUNCTOR) else {
                        if let Some(open) = &attrs.open {
                            return Err(Error::unknown(self.applied_unknown(open, args)));
                        }
                        return Err(self.not_a_function(&function, made));
                    };
                    let this = function.clone();
                    self.deeper(|| self.apply(functor, &[this], made))?
                }
                Value::Unknown(unknown, _) => {
                    return Ok(Value::Unknown(self.applied_unknown(unknown, args), made));
                }
                other => return Err(self.not_a_function(other, made)),
            };
        }
    }

    /// The result of calling an unknown: `f …`.
    fn applied_unknown(&self, unknown: &Rc<Unknown>, args: &[Value]) -> Rc<Unknown> {
        let name = if unknown.name.ends_with(" …") {
            unknown.name.clone()
        } else {
            format!("{} …", unknown.name).into()
        };
        let result = Rc::new(Unknown {
            name,
            because: unknown.because.clone(),
            span: unknown.span,
        });
        self.partial.called(unknown, args, &result);
        result
    }

    #[cold]
    fn not_a_function(&self, value: &Value, made: Made) -> Error {
        self.error_made(
            made,
            ErrorKind::Type,
            format!(
                "attempt to call something which is not a function but {}",
                value.kind()
            ),
        )
    }

    fn partial(&self, closure: Rc<Closure>, args: impl Iterator<Item = Value>, made: Made) -> Value {
        let applied = Applied {
            function: Function::Lambda(closure),
            args: args.collect(),
        };
        Value::Builtin(Rc::new(applied), made)
    }

    pub(crate) fn arity(&self, function: &Function) -> usize {
        match function {
            Function::Builtin(builtin) => builtin.arity,
            Function::Native(native) => native.arity,
            Function::Lambda(closure) => match closure.code.expr(closure.lambda) {
                Expr::Lambda(lambda) => match &lambda.params {
                    Params::Simple(names) => names.len(),
                    Params::Set { .. } => 1,
                },
                _ => 1,
            },
        }
    }

    /// Calls a function that has all its arguments.
    fn invoke(&self, function: &Function, args: &[Value], made: Made) -> Result<Value> {
        match function {
            Function::Builtin(builtin) => self.invoke_builtin(builtin, args, made),
            Function::Native(native) => {
                self.step()?;
                (native.run)(self, args).map_err(|error| self.noted_builtin(error, &native.name, made))
            }
            Function::Lambda(closure) => {
                let Expr::Lambda(lambda) = closure.code.expr(closure.lambda) else {
                    return Err(internal());
                };
                let frame = self.entered(made, closure);
                let env = Env::holding(&closure.env, frame, args);
                self.run(closure, lambda, &env)
            }
        }
    }

    #[inline]
    fn invoke_builtin(&self, builtin: &builtins::Builtin, args: &[Value], made: Made) -> Result<Value> {
        self.step()?;
        match (builtin.run)(self, args, made) {
            Err(error) => Err(self.noted_builtin(error, builtin.name, made)),
            value => value,
        }
    }

    #[cold]
    fn noted_builtin(&self, error: Error, name: &str, made: Made) -> Error {
        let span = self.span_at(made.position());
        let error = error.at(span);
        if error.wants_notes() && !matches!(name, "throw" | "abort" | "addErrorContext" | "seq" | "deepSeq") {
            return error.note(format!("while calling the '{name}' builtin"), span);
        }
        error
    }

    /// The frame of a call: `made` is the call's expression and the frame that it stands in.
    #[inline]
    fn entered(&self, made: Made, closure: &Closure) -> Frame {
        self.frames
            .enter(made, Callee::function(closure.code.position(closure.lambda)))
    }

    /// Evaluates the body of a function in the scope of its arguments.
    fn run(&self, closure: &Closure, lambda: &LambdaCode, env: &Rc<Env>) -> Result<Value> {
        self.deeper(|| self.eval(&closure.code, lambda.body, env))
    }

    /// The scope of a function that takes a set.
    fn bind_formals(
        &self,
        closure: &Closure,
        lambda: &LambdaCode,
        argument: &Value,
        made: Made,
    ) -> Result<Rc<Env>> {
        let Params::Set {
            formals,
            ellipsis,
            bind,
        } = &lambda.params
        else {
            return Err(internal());
        };
        let argument = self.force(argument)?;
        let env = Env::empty(
            Some(closure.env.clone()),
            self.entered(made, closure),
            formals.len() + usize::from(bind.is_some()),
        );
        if lambda.has_defaults {
            self.remember(&env);
        }
        let (attrs, open) = match &argument {
            Value::Attrs(attrs, _) => (Some(attrs), attrs.open.as_ref()),
            Value::Unknown(unknown, _) => (None, Some(unknown)),
            other => {
                let what = self.function_name(lambda);
                return Err(self.error_at(
                    &closure.code,
                    closure.lambda,
                    ErrorKind::Type,
                    format!("{what} takes a set, but was given {}", other.kind()),
                ));
            }
        };
        let mut taken = 0;
        for (slot, formal) in formals.iter().enumerate() {
            let given = attrs.and_then(|attrs| attrs.get(formal.name));
            let value = match (given, open, formal.default) {
                (Some(value), ..) => {
                    taken += 1;
                    value.clone()
                }
                (None, Some(unknown), _) => {
                    let span = Span::new(closure.code.file, formal.range.start, formal.range.end);
                    self.unknown_attr(unknown, formal.name, Some(span))
                }
                (None, None, Some(default)) => self.delay_in_scope(&closure.code, default, &env),
                (None, None, None) => {
                    let name = self.symbols.name(formal.name);
                    let what = self.function_name(lambda);
                    return Err(self.error_at(
                        &closure.code,
                        closure.lambda,
                        ErrorKind::Type,
                        format!("{what} called without required argument '{name}'"),
                    ));
                }
            };
            env.set(slot, value);
        }
        if bind.is_some() {
            env.set(formals.len(), argument.clone());
        }
        if !*ellipsis
            && let Some(attrs) = attrs
            && attrs.len() > taken
        {
            let unexpected = attrs
                .entries()
                .iter()
                .find(|entry| !formals.iter().any(|formal| formal.name == entry.name));
            if let Some(entry) = unexpected {
                let name = self.symbols.name(entry.name);
                let what = self.function_name(lambda);
                return Err(self.error_at(
                    &closure.code,
                    closure.lambda,
                    ErrorKind::Type,
                    format!("{what} called with unexpected argument '{name}'"),
                ));
            }
        }
        Ok(env)
    }

    fn function_name(&self, lambda: &LambdaCode) -> String {
        match lambda.name {
            Some(name) => format!("function '{}'", self.symbols.name(name)),
            None => "function 'anonymous lambda'".into(),
        }
    }

    /// Remembers a scope that may be part of a cycle, to be taken apart with the evaluator.
    pub(crate) fn remember(&self, scope: &Rc<Env>) {
        self.scopes.add(scope);
    }

    // ----- expressions ----------------------------------------------------------------------

    /// The value of an expression, evaluated when it is needed; at once where that costs nothing.
    pub(crate) fn delay(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Value {
        match code.expr(id) {
            Expr::Const(value) => value.made_in(env.frame),
            Expr::Var { depth, slot } => match lookup(env, *depth, *slot) {
                Some(value) => value.clone(),
                None => Thunk::code(code, id, env),
            },
            Expr::Lambda(_) => Self::closure(code, id, env),
            Expr::List(items) if items.is_empty() => Value::List(
                Rc::new(List::new(Vec::new())),
                Made::at(code.position(id), env.frame),
            ),
            &Expr::Binary(op, left, right) => match Self::cheap_number(code, id, op, left, right, env) {
                Some(value) => value,
                None => Thunk::code(code, id, env),
            },
            _ => Thunk::code(code, id, env),
        }
    }

    /// A sum or difference of integers that are known already: cheaper to compute than to delay,
    /// and nothing in it can fail or run on.
    fn cheap_number(
        code: &Rc<Code>,
        id: ExprId,
        op: Op,
        left: ExprId,
        right: ExprId,
        env: &Rc<Env>,
    ) -> Option<Value> {
        let known = |id: ExprId| match code.expr(id) {
            Expr::Const(Value::Int(number, _)) => Some(*number),
            Expr::Var { depth, slot } => match lookup(env, *depth, *slot)? {
                Value::Int(number, _) => Some(*number),
                Value::Thunk(thunk) => thunk.peek_int(),
                _ => None,
            },
            _ => None,
        };
        let number = match op {
            Op::Add => known(left)?.checked_add(known(right)?),
            Op::Sub => known(left)?.checked_sub(known(right)?),
            _ => None,
        }?;
        Some(Value::Int(number, Made::at(code.position(id), env.frame)))
    }

    fn closure(code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Value {
        let closure = Closure {
            code: code.clone(),
            lambda: id,
            env: env.clone(),
        };
        Value::Lambda(Rc::new(closure), Made::at(code.position(id), env.frame))
    }

    /// Evaluates an expression to its outermost constructor; never gives a thunk. Grows the stack,
    /// since expressions nest deeply too.
    pub(crate) fn eval(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Result<Value> {
        // Each of these has the six arguments that registers take, and looks after the stack itself.
        let expr = code.expr(id);
        match expr {
            Expr::Const(value) => Ok(value.made_in(env.frame)),
            Expr::Var { .. } => self.eval_var(code, id, expr, env),
            Expr::Apply { .. } => self.eval_apply(code, id, expr, env),
            Expr::SelectOne { .. } => self.eval_select_one(code, id, expr, env),
            Expr::Binary(..) => self.eval_binary(code, id, expr, env),
            Expr::If { .. } | Expr::Assert { .. } => self.eval_if(code, id, env),
            Expr::Let(_) | Expr::With { .. } => self.eval_opened(code, id, env),
            Expr::WithVar(_) => self.eval_with_var(code, id, expr, env),
            Expr::Select(select) => self.eval_select(code, id, select, env),
            Expr::HasAttr(select) => self.eval_has_attr(code, id, select, env),
            Expr::Attrs(attrs) => self.eval_attrs(code, id, attrs, env),
            _ => self.eval_rest(code, id, expr, env),
        }
    }

    #[inline(never)]
    fn eval_var(&self, code: &Code, id: ExprId, expr: &Expr, env: &Rc<Env>) -> Result<Value> {
        let Expr::Var { depth, slot } = *expr else {
            return Err(internal());
        };
        match lookup(env, depth, slot) {
            Some(value) => self.found(value, code, id),
            None => Err(self.needs_itself(code, id)),
        }
    }

    /// The value of what an expression found.
    #[inline]
    fn found(&self, value: &Value, code: &Code, id: ExprId) -> Result<Value> {
        match value {
            Value::Thunk(thunk) => match thunk.peek() {
                Some(value) => Ok(value),
                None => self.force_at(thunk, code, id),
            },
            known => Ok(known.clone()),
        }
    }

    /// Forces a thunk that an expression asks for.
    #[inline(never)]
    fn force_at(&self, thunk: &Rc<Thunk>, code: &Code, id: ExprId) -> Result<Value> {
        match self.force_anew(thunk) {
            Err(error) => Err(error.at(Self::span_of(code, id))),
            value => value,
        }
    }

    #[cold]
    fn needs_itself(&self, code: &Code, id: ExprId) -> Error {
        let message = "infinite recursion encountered";
        self.error_at(code, id, ErrorKind::InfiniteRecursion, message)
    }

    /// Conditions, one after another as in `if … else if …`, without recursion.
    #[inline(never)]
    fn eval_if(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Result<Value> {
        if !self.has_room() {
            return self.find_room(|| self.eval_if(code, id, env));
        }
        let mut id = id;
        loop {
            match code.expr(id) {
                Expr::If {
                    condition,
                    then,
                    otherwise,
                } => match self.eval(code, *condition, env) {
                    Ok(Value::Bool(true, _)) => id = *then,
                    Ok(Value::Bool(false, _)) => id = *otherwise,
                    other => {
                        let unknown = self.expect_unknown_condition(code, *condition, other)?;
                        return self.both(
                            &unknown,
                            || self.eval(code, *then, env),
                            || self.eval(code, *otherwise, env),
                        );
                    }
                },
                Expr::Assert { condition, body } => match self.eval(code, *condition, env) {
                    Ok(Value::Bool(true, _)) => id = *body,
                    Ok(Value::Bool(false, _)) => return Err(self.failed_assertion(code, *condition)),
                    other => {
                        // An assertion that cannot be judged is taken to hold: it guards, it does
                        // not compute.
                        self.expect_unknown_condition(code, *condition, other)?;
                        id = *body;
                    }
                },
                _ => return self.eval(code, id, env),
            }
        }
    }

    /// The body of a `let` or `with` in its scope; of several around each other, without recursion.
    #[inline(never)]
    fn eval_opened(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Result<Value> {
        if !self.has_room() {
            return self.find_room(|| self.eval_opened(code, id, env));
        }
        let mut id = id;
        let mut opened: Option<Rc<Env>> = None;
        loop {
            let around = opened.as_ref().unwrap_or(env);
            let scope = match code.expr(id) {
                Expr::Let(inner) => {
                    id = inner.body;
                    self.open_scope(code, &inner.bindings, around)
                }
                Expr::With { from, body } => {
                    let from = match code.expr(*from) {
                        // A plain set costs less to make than to delay.
                        Expr::Attrs(attrs) if !attrs.rec && attrs.dynamic.is_empty() => {
                            self.eval_attrs(code, *from, attrs, around)?
                        }
                        _ => self.delay(code, *from, around),
                    };
                    id = *body;
                    Env::one(around, around.frame, from)
                }
                _ => return self.eval(code, id, around),
            };
            opened = Some(scope);
        }
    }

    /// The expressions that are met less often or open scopes.
    #[inline(never)]
    fn eval_rest(&self, code: &Rc<Code>, id: ExprId, expr: &Expr, env: &Rc<Env>) -> Result<Value> {
        if !self.has_room() {
            return self.find_room(|| self.eval_rest(code, id, expr, env));
        }
        let made = Made::at(code.position(id), env.frame);
        match expr {
            Expr::List(items) => {
                let items = items.iter().map(|&item| self.delay(code, item, env)).collect();
                Ok(Value::List(Rc::new(List::new(items)), made))
            }
            Expr::Lambda(_) => Ok(Self::closure(code, id, env)),
            Expr::Undefined(name) => {
                let message = format!("undefined variable '{}'", self.symbols.name(*name));
                Err(self.error_at(code, id, ErrorKind::Missing, message))
            }
            Expr::Builtins => Ok(self.builtins()),
            Expr::CurPos => Ok(self.position_value(code.file, code.ranges.get(id.0 as usize), made)),
            Expr::SearchPath(name) => self.find_in_search_path(name, made),
            Expr::Impure(reason) => Err(self.error_at(code, id, ErrorKind::Impure, reason.to_string())),
            Expr::Interpolated(parts) => self.eval_interpolated(code, id, parts, env),
            Expr::PathInterpolated(parts) => self.eval_path(code, id, parts, env),
            Expr::Not(operand) => match self.eval(code, *operand, env)? {
                Value::Bool(truth, _) => Ok(Value::Bool(!truth, made)),
                other => Err(self.expected("a Boolean", &other, code, *operand)),
            },
            Expr::Negate(operand) => match self.eval(code, *operand, env)? {
                Value::Int(number, _) => match number.checked_neg() {
                    Some(number) => Ok(Value::Int(number, made)),
                    None => Err(self.error_at(
                        code,
                        id,
                        ErrorKind::Other,
                        format!("integer overflow in subtracting {number} from 0"),
                    )),
                },
                Value::Float(number, _) => Ok(Value::Float(0.0 - number, made)),
                other => Err(self.expected("an integer", &other, code, *operand)),
            },
            // The others are `eval`'s.
            _ => Err(internal()),
        }
    }

    /// Evaluates a subexpression, which must not be unknown.
    pub(crate) fn eval_known(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Result<Value> {
        match self.eval(code, id, env)? {
            Value::Unknown(unknown, _) => Err(Error::unknown(unknown)),
            value => Ok(value),
        }
    }

    fn expect_unknown_condition(
        &self,
        code: &Code,
        id: ExprId,
        condition: Result<Value>,
    ) -> Result<Rc<Unknown>> {
        match condition {
            Ok(Value::Unknown(unknown, _)) => Ok(unknown),
            Ok(other) => Err(self.expected("a Boolean", &other, code, id)),
            Err(error) => match error.as_unknown() {
                Some(unknown) => Ok(unknown.clone()),
                None => Err(error),
            },
        }
    }

    #[cold]
    pub(crate) fn expected(&self, what: &str, found: &Value, code: &Code, id: ExprId) -> Error {
        match found {
            Value::Unknown(unknown, _) => Error::unknown(unknown.clone()),
            found => self.error_at(
                code,
                id,
                ErrorKind::Type,
                format!(
                    "expected {what} but found {}: {}",
                    found.kind(),
                    self.brief(found)
                ),
            ),
        }
    }

    #[cold]
    fn failed_assertion(&self, code: &Code, condition: ExprId) -> Error {
        let text = Self::span_of(code, condition).map_or_else(String::new, |span| self.files.text(span));
        let mut words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() > 80 {
            words = words.chars().take(79).chain(['…']).collect();
        }
        self.error_at(
            code,
            condition,
            ErrorKind::Assert,
            format!("assertion '{words}' failed"),
        )
    }

    /// The scope of a `let` or a `rec` set, its variables unevaluated.
    fn open_scope(&self, code: &Rc<Code>, bindings: &AttrsCode, env: &Rc<Env>) -> Rc<Env> {
        let scope = Env::empty(Some(env.clone()), env.frame, bindings.slots());
        self.remember(&scope);
        let mut slot = 0;
        if bindings.rec {
            // What `__overrides` may replace must be behind a thunk.
            let overridden = bindings.entries.iter().any(|entry| entry.name == Sym::OVERRIDES);
            for entry in &bindings.entries {
                let value = if overridden {
                    Thunk::code(code, entry.value, if entry.inner { &scope } else { env })
                } else if entry.inner {
                    self.delay_in_scope(code, entry.value, &scope)
                } else {
                    self.delay(code, entry.value, env)
                };
                scope.set(slot, value);
                slot += 1;
            }
        }
        for &source in &bindings.sources {
            let around = if bindings.rec { &scope } else { env };
            scope.set(slot, Thunk::code(code, source, around));
            slot += 1;
        }
        scope
    }

    /// As [`Self::delay`], but everything that holds the scope is behind a thunk, so that
    /// clearing the scope's thunks breaks every cycle.
    fn delay_in_scope(&self, code: &Rc<Code>, id: ExprId, scope: &Rc<Env>) -> Value {
        match code.expr(id) {
            Expr::Const(value) => value.made_in(scope.frame),
            Expr::Lambda(_) => Value::Thunk(Thunk::new(State::Done(Self::closure(code, id, scope)))),
            _ => Thunk::code(code, id, scope),
        }
    }

    fn eval_attrs(&self, code: &Rc<Code>, id: ExprId, attrs: &AttrsCode, env: &Rc<Env>) -> Result<Value> {
        if !self.has_room() {
            return self.find_room(|| self.eval_attrs(code, id, attrs, env));
        }
        let made = Made::at(code.position(id), env.frame);
        if !attrs.rec && attrs.dynamic.is_empty() && attrs.sources.is_empty() {
            return Ok(Value::Attrs(self.plain_attrs(code, attrs, env), made));
        }
        let mut entries = Entries::with_capacity(attrs.entries.len() + attrs.dynamic.len());
        let scope = (attrs.slots() > 0 || attrs.rec).then(|| self.open_scope(code, attrs, env));
        let inner = scope.as_ref().unwrap_or(env);
        for (slot, entry) in attrs.entries.iter().enumerate() {
            let known = if attrs.rec { inner.get(slot) } else { None };
            let value = match known {
                Some(value) => value.clone(),
                None if entry.inner => self.delay(code, entry.value, inner),
                None => self.delay(code, entry.value, env),
            };
            entries.push(Entry {
                name: entry.name,
                binding: entry.binding,
                value,
            });
        }
        if attrs.rec && attrs.entries.iter().any(|entry| entry.name == Sym::OVERRIDES) {
            self.apply_overrides(attrs, inner, &mut entries)
                .map_err(|error| error.at(Self::span_of(code, id)))?;
        }
        let mut open = None;
        if !attrs.dynamic.is_empty() {
            let around = if attrs.rec { inner } else { env };
            open = self.add_dynamic(code, attrs, around, &mut entries)?;
        }
        Ok(Value::Attrs(Rc::new(Attrs::small(entries, open)), made))
    }

    /// A set that opens no scope and whose names are all in the text.
    fn plain_attrs(&self, code: &Rc<Code>, attrs: &AttrsCode, env: &Rc<Env>) -> Rc<Attrs> {
        let entries = attrs.entries.iter().map(|entry| Entry {
            name: entry.name,
            binding: entry.binding,
            value: self.delay(code, entry.value, env),
        });
        let entries = if attrs.entries.len() <= 2 {
            entries.collect()
        } else {
            Entries::from_vec(entries.collect())
        };
        Rc::new(Attrs::small(entries, None))
    }

    /// Adds the attributes whose names are computed.
    ///
    /// An attribute whose name is not known keeps its place under what the name depends on,
    /// `${config.disk}`, so that what is in it is not lost; the set is then open, and what its names
    /// depend on is given.
    #[inline(never)]
    fn add_dynamic(
        &self,
        code: &Rc<Code>,
        attrs: &AttrsCode,
        env: &Rc<Env>,
        entries: &mut Entries,
    ) -> Result<Option<Rc<Unknown>>> {
        let mut open = None;
        for (name, value, binding) in &attrs.dynamic {
            let symbol = match self.eval_known(code, *name, env) {
                Ok(Value::Null(_)) => continue,
                Ok(Value::Str(text, _)) => self.name_of(&text, code, *name)?,
                Ok(other) => return Err(self.expected("a string", &other, code, *name)),
                Err(error) => match error.as_unknown() {
                    Some(unknown) => {
                        open.get_or_insert_with(|| unknown.clone());
                        self.symbols.intern(&format!("${{{}}}", unknown.name))
                    }
                    None => return Err(error),
                },
            };
            let value = self.delay(code, *value, env);
            match entries.binary_search_by_key(&symbol, |entry| entry.name) {
                Ok(_) => {
                    let message = format!(
                        "dynamic attribute '{}' already defined",
                        self.symbols.name(symbol)
                    );
                    return Err(self.error_at(code, *name, ErrorKind::Other, message));
                }
                Err(at) => entries.insert(
                    at,
                    Entry {
                        name: symbol,
                        binding: *binding,
                        value,
                    },
                ),
            }
        }
        Ok(open)
    }

    /// The symbol of a name computed at run time, which must not refer to the store.
    pub(crate) fn name_of(&self, text: &Text, code: &Code, id: ExprId) -> Result<Sym> {
        self.plain(text)
            .and_then(|()| self.symbol(text))
            .map_err(|error| error.at(Self::span_of(code, id)))
    }

    pub(crate) fn symbol(&self, text: &Text) -> Result<Sym> {
        match std::str::from_utf8(text.bytes()) {
            Ok(name) => Ok(self.symbols.intern(name)),
            Err(_) => Err(Error::new(ErrorKind::Other, "attribute name is not UTF-8")),
        }
    }

    /// `__overrides` of a `rec` set replaces attributes also where others of the set refer to them.
    #[inline(never)]
    fn apply_overrides(&self, attrs: &AttrsCode, scope: &Rc<Env>, entries: &mut Entries) -> Result<()> {
        let overrides = entries
            .iter()
            .find(|entry| entry.name == Sym::OVERRIDES)
            .map(|entry| entry.value.clone());
        let Some(overrides) = overrides else { return Ok(()) };
        let overrides = self.want_attrs(&overrides)?;
        for over in overrides.entries() {
            match entries.binary_search_by_key(&over.name, |entry| entry.name) {
                Ok(at) => {
                    let slot = attrs.entries.iter().position(|entry| entry.name == over.name);
                    if let Some(Value::Thunk(thunk)) = slot.and_then(|slot| scope.get(slot)) {
                        thunk.state.set(State::Alias(over.value.clone()));
                    }
                    if let Some(entry) = entries.get_mut(at) {
                        entry.value = over.value.clone();
                        entry.binding = over.binding;
                    }
                }
                Err(at) => entries.insert(at, over.clone()),
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn eval_with_var(&self, code: &Rc<Code>, id: ExprId, expr: &Expr, env: &Rc<Env>) -> Result<Value> {
        let Expr::WithVar(variable) = expr else {
            return Err(internal());
        };
        let (name, ref depths) = **variable;
        // A set of which only a part is known may or may not have the name. The inner ones
        // shadow the outer ones, yet a name that some known set has is taken from there:
        // `with lib; with pkgs;` would otherwise know nothing of `lib`.
        let mut open = None;
        let mut scope = env;
        let mut at = 0;
        for &depth in depths {
            while at < depth {
                let Some(up) = &scope.up else {
                    return Err(internal());
                };
                scope = up;
                at += 1;
            }
            let forced;
            let from = match scope.get(0) {
                Some(Value::Thunk(thunk)) => {
                    forced = self.force_thunk(thunk)?;
                    &forced
                }
                Some(known) => known,
                None => continue,
            };
            match from {
                Value::Attrs(attrs, _) => {
                    if let Some(value) = attrs.get(name) {
                        return self.found(value, code, id);
                    }
                    if open.is_none() {
                        open.clone_from(&attrs.open);
                    }
                }
                Value::Unknown(unknown, _) => {
                    if open.is_none() {
                        open = Some(unknown.clone());
                    }
                }
                other => return Err(self.expected("a set", other, code, id)),
            }
        }
        match open {
            Some(unknown) => Ok(self.unknown_attr(&unknown, name, Self::span_of(code, id))),
            None => {
                let message = format!("undefined variable '{}'", self.symbols.name(name));
                Err(self.error_at(code, id, ErrorKind::Missing, message))
            }
        }
    }

    #[inline(never)]
    fn eval_apply(&self, code: &Rc<Code>, id: ExprId, expr: &Expr, env: &Rc<Env>) -> Result<Value> {
        let Expr::Apply { function, args } = expr else {
            return Err(internal());
        };
        if !self.has_room() {
            return self.find_room(|| self.eval_apply(code, id, expr, env));
        }
        match self.eval_call(code, id, *function, args, env) {
            Err(error) => Err(self.noted_call(error, code, id, *function)),
            value => value,
        }
    }

    #[cold]
    fn noted_call(&self, error: Error, code: &Code, id: ExprId, function: ExprId) -> Error {
        let span = Self::span_of(code, id);
        let had_place = error.span().is_some();
        let error = error.at(span);
        if had_place && error.wants_notes() {
            let called = Self::span_of(code, function).map_or_else(String::new, |span| self.files.text(span));
            let message = if called.len() <= 40 && !called.contains('\n') {
                format!("while calling `{called}`")
            } else {
                "while calling a function".to_owned()
            };
            return error.note(message, span);
        }
        error
    }

    fn eval_call(
        &self,
        code: &Rc<Code>,
        id: ExprId,
        function: ExprId,
        args: &[ExprId],
        env: &Rc<Env>,
    ) -> Result<Value> {
        let made = Made::at(code.position(id), env.frame);
        let evaluated;
        let callee = match code.expr(function) {
            Expr::Const(value) => value,
            _ => {
                evaluated = self.eval(code, function, env)?;
                &evaluated
            }
        };
        match callee {
            Value::Lambda(closure, _) => {
                if let Expr::Lambda(lambda) = closure.code.expr(closure.lambda)
                    && let Params::Simple(names) = &lambda.params
                    && names.len() == args.len()
                {
                    let frame = self.entered(made, closure);
                    let scope = match *args {
                        [one] => Env::one(&closure.env, frame, self.argument(code, one, env)),
                        [first, second] => {
                            let first = self.argument(code, first, env);
                            Env::two(&closure.env, frame, first, self.argument(code, second, env))
                        }
                        _ => {
                            let values = args.iter().map(|&arg| self.argument(code, arg, env));
                            Env::of(Some(closure.env.clone()), frame, values)
                        }
                    };
                    return self.run(closure, lambda, &scope);
                }
            }
            Value::Builtin(applied, _) => {
                if let Function::Builtin(builtin) = applied.function
                    && applied.args.is_empty()
                    && builtin.arity == args.len()
                {
                    match *args {
                        [one] => {
                            let value = self.handed(builtin.strict & 1, code, one, env)?;
                            return self.invoke_builtin(builtin, &[value], made);
                        }
                        [first, second] => {
                            let first = self.handed(builtin.strict & 1, code, first, env)?;
                            let second = self.handed(builtin.strict & 2, code, second, env)?;
                            return self.invoke_builtin(builtin, &[first, second], made);
                        }
                        [first, second, third] => {
                            let first = self.handed(builtin.strict & 1, code, first, env)?;
                            let second = self.handed(builtin.strict & 2, code, second, env)?;
                            let third = self.handed(builtin.strict & 4, code, third, env)?;
                            return self.invoke_builtin(builtin, &[first, second, third], made);
                        }
                        // No function of the language takes more.
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        match *args {
            [one] => self.apply(callee, &[self.argument(code, one, env)], made),
            _ => {
                let values: SmallVec<[Value; 4]> =
                    args.iter().map(|&arg| self.argument(code, arg, env)).collect();
                self.apply(callee, &values, made)
            }
        }
    }

    /// An argument of a function of the language: evaluated unless it is not strict in it.
    #[inline]
    fn handed(&self, strict: u8, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Result<Value> {
        if strict == 0 {
            Ok(self.argument(code, id, env))
        } else {
            self.eval(code, id, env)
        }
    }

    /// As [`Self::delay`], for the argument of a call. A short set or list is made at once: it is
    /// nearly always looked into, and nothing in making it can fail.
    fn argument(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Value {
        match code.expr(id) {
            Expr::Attrs(attrs)
                if !attrs.rec
                    && attrs.dynamic.is_empty()
                    && attrs.sources.is_empty()
                    && attrs.entries.len() <= SHORT =>
            {
                Value::Attrs(
                    self.plain_attrs(code, attrs, env),
                    Made::at(code.position(id), env.frame),
                )
            }
            Expr::List(items) if items.len() <= SHORT => {
                let items = items.iter().map(|&item| self.delay(code, item, env)).collect();
                Value::List(Rc::new(List::new(items)), Made::at(code.position(id), env.frame))
            }
            _ => self.delay(code, id, env),
        }
    }

    #[inline(never)]
    fn eval_select_one(&self, code: &Rc<Code>, id: ExprId, expr: &Expr, env: &Rc<Env>) -> Result<Value> {
        let Expr::SelectOne { from, name } = *expr else {
            return Err(internal());
        };
        if !self.has_room() {
            return self.find_room(|| self.eval_select_one(code, id, expr, env));
        }
        // A set that a variable holds is looked into where it is: most often what is wanted is
        // known already, and then it is all that need be counted.
        if let Expr::Var { depth, slot } = *code.expr(from) {
            match lookup(env, depth, slot) {
                Some(Value::Attrs(attrs, _)) => {
                    if let Some(value) = attrs.get(name) {
                        return self.found(value, code, id);
                    }
                }
                Some(Value::Thunk(thunk)) => {
                    let known = thunk.look(|set| match set {
                        Value::Attrs(attrs, _) => match attrs.get(name)? {
                            Value::Thunk(value) => Some(value.peek().ok_or_else(|| value.clone())),
                            known => Some(Ok(known.clone())),
                        },
                        _ => None,
                    });
                    match known {
                        Some(Ok(value)) => return Ok(value),
                        Some(Err(thunk)) => return self.force_at(&thunk, code, id),
                        None => {}
                    }
                }
                _ => {}
            }
        }
        match self.eval(code, from, env)? {
            Value::Attrs(attrs, _) => match attrs.get(name) {
                Some(value) => self.found(value, code, id),
                None => match &attrs.open {
                    Some(open) => Ok(self.unknown_attr(open, name, Self::span_of(code, id))),
                    None => Err(self.missing_attr(code, id, name, &attrs)),
                },
            },
            Value::Unknown(unknown, _) => Ok(self.unknown_attr(&unknown, name, Self::span_of(code, id))),
            other => Err(self.expected("a set", &other, code, from)),
        }
    }

    #[cold]
    fn missing_attr(&self, code: &Code, id: ExprId, name: Sym, attrs: &Attrs) -> Error {
        let wanted = self.symbols.name(name);
        let mut message = format!("attribute '{wanted}' missing");
        let close = attrs
            .entries()
            .iter()
            .map(|entry| self.symbols.name(entry.name))
            .filter_map(|have| distance(&wanted, &have).map(|distance| (distance, have)))
            .min();
        if let Some((_, have)) = close {
            message.push_str(&format!("; did you mean '{have}'?"));
        }
        self.error_at(code, id, ErrorKind::Missing, message)
    }

    /// The unknown `name.attr`.
    pub(crate) fn unknown_attr(&self, unknown: &Rc<Unknown>, attr: Sym, span: Option<Span>) -> Value {
        let segment = source::OptionPath::new([&*self.symbols.name(attr)]);
        let part = Rc::new(Unknown {
            name: format!("{}.{segment}", unknown.name).into(),
            because: unknown.because.clone(),
            span: span.or(unknown.span),
        });
        self.partial.part(unknown, &part);
        Value::Unknown(part, Made::NOWHERE)
    }

    #[inline]
    fn path_name(&self, code: &Rc<Code>, name: NameCode, env: &Rc<Env>) -> Result<Sym> {
        match name {
            NameCode::Static(name) => Ok(name),
            NameCode::Dynamic(id) => self.dynamic_name(code, id, env),
        }
    }

    #[inline(never)]
    fn dynamic_name(&self, code: &Rc<Code>, id: ExprId, env: &Rc<Env>) -> Result<Sym> {
        match self.eval_known(code, id, env)? {
            Value::Str(text, _) => self.name_of(&text, code, id),
            other => Err(self.expected("a string", &other, code, id)),
        }
    }

    #[inline(never)]
    fn eval_select(&self, code: &Rc<Code>, id: ExprId, select: &SelectCode, env: &Rc<Env>) -> Result<Value> {
        if !self.has_room() {
            return self.find_room(|| self.eval_select(code, id, select, env));
        }
        let mut value = self.eval(code, select.from, env)?;
        for &name in &select.path {
            let name = self.path_name(code, name, env)?;
            value = match (&value, select.default) {
                (Value::Attrs(attrs, _), default) => match (attrs.get(name), &attrs.open, default) {
                    (Some(value), ..) => self.found(value, code, id)?,
                    (None, Some(open), _) => self.unknown_attr(open, name, Self::span_of(code, id)),
                    (None, None, Some(default)) => return self.eval(code, default, env),
                    (None, None, None) => return Err(self.missing_attr(code, id, name, attrs)),
                },
                (Value::Unknown(unknown, _), _) => self.unknown_attr(unknown, name, Self::span_of(code, id)),
                (_, Some(default)) => return self.eval(code, default, env),
                (other, None) => return Err(self.expected("a set", other, code, select.from)),
            };
        }
        Ok(value)
    }

    #[inline(never)]
    fn eval_has_attr(
        &self,
        code: &Rc<Code>,
        id: ExprId,
        select: &SelectCode,
        env: &Rc<Env>,
    ) -> Result<Value> {
        if !self.has_room() {
            return self.find_room(|| self.eval_has_attr(code, id, select, env));
        }
        let made = Made::at(code.position(id), env.frame);
        let mut value = self.eval(code, select.from, env)?;
        for (index, &name) in select.path.iter().enumerate() {
            let name = self.path_name(code, name, env)?;
            let last = index + 1 == select.path.len();
            value = match &value {
                Value::Attrs(attrs, _) => match (attrs.get(name), &attrs.open) {
                    (Some(Value::Unknown(unknown, _)), _) if last => {
                        return Err(Error::unknown(unknown.clone()));
                    }
                    (Some(_), _) if last => return Ok(Value::Bool(true, made)),
                    (Some(value), _) => self.force(value)?,
                    (None, Some(open)) => self.unknown_attr(open, name, Self::span_of(code, id)),
                    (None, None) => return Ok(Value::Bool(false, made)),
                },
                Value::Unknown(unknown, _) => self.unknown_attr(unknown, name, Self::span_of(code, id)),
                _ => return Ok(Value::Bool(false, made)),
            };
            if last && let Value::Unknown(unknown, _) = value {
                return Err(Error::unknown(unknown));
            }
        }
        Ok(Value::Bool(true, made))
    }

    #[inline(never)]
    fn eval_binary(&self, code: &Rc<Code>, id: ExprId, expr: &Expr, env: &Rc<Env>) -> Result<Value> {
        let Expr::Binary(op, left, right) = *expr else {
            return Err(internal());
        };
        if !self.has_room() {
            return self.find_room(|| self.eval_binary(code, id, expr, env));
        }
        let made = Made::at(code.position(id), env.frame);
        match op {
            Op::And | Op::Or | Op::Implies => return self.eval_logic(code, op, left, right, env, made),
            // The elements of the known side are known whatever the other one is.
            Op::Concat => {
                let a = self.caught(self.eval(code, left, env))?;
                let b = self.caught(self.eval(code, right, env))?;
                return self
                    .operate(op, a, b, made)
                    .map_err(|error| error.at(Self::span_of(code, id)));
            }
            _ => {}
        }
        let a = self.eval(code, left, env)?;
        let b = self.eval(code, right, env)?;
        // The commonest cases first; everything else is `operate`.
        if let (Value::Int(x, _), Value::Int(y, _)) = (&a, &b) {
            let (x, y) = (*x, *y);
            match op {
                Op::Add => {
                    if let Some(sum) = x.checked_add(y) {
                        return Ok(Value::Int(sum, made));
                    }
                }
                Op::Sub => {
                    if let Some(difference) = x.checked_sub(y) {
                        return Ok(Value::Int(difference, made));
                    }
                }
                Op::Less => return Ok(Value::Bool(x < y, made)),
                Op::LessEq => return Ok(Value::Bool(x <= y, made)),
                Op::More => return Ok(Value::Bool(x > y, made)),
                Op::MoreEq => return Ok(Value::Bool(x >= y, made)),
                Op::Equal => return Ok(Value::Bool(x == y, made)),
                Op::NotEqual => return Ok(Value::Bool(x != y, made)),
                _ => {}
            }
        }
        self.operate(op, a, b, made)
            .map_err(|error| error.at(Self::span_of(code, id)))
    }

    #[inline(never)]
    fn eval_logic(
        &self,
        code: &Rc<Code>,
        op: Op,
        left: ExprId,
        right: ExprId,
        env: &Rc<Env>,
        made: Made,
    ) -> Result<Value> {
        // The value of the left side that decides, and what it decides.
        let (deciding, decided) = match op {
            Op::And => (false, false),
            Op::Or => (true, true),
            _ => (false, true),
        };
        let unknown = match self.eval(code, left, env) {
            Ok(Value::Bool(truth, _)) if truth == deciding => return Ok(Value::Bool(decided, made)),
            Ok(Value::Bool(..)) => None,
            other => Some(self.expect_unknown_condition(code, left, other)?),
        };
        match (self.eval(code, right, env), unknown) {
            (Ok(Value::Bool(truth, _)), None) => Ok(Value::Bool(truth, made)),
            // Whatever the left side is, the right side alone decides.
            (Ok(Value::Bool(truth, _)), Some(_)) if truth == decided => Ok(Value::Bool(decided, made)),
            (Err(error), Some(_)) if error.is_limit() => Err(error),
            // What the right side needs to be a value may be what the left side asks for.
            (_, Some(unknown)) => Err(Error::unknown(unknown)),
            (other, None) => Err(self.expected("a Boolean", &other?, code, right)),
        }
    }

    // ----- helpers for builtins -------------------------------------------------------------

    /// A value as a set.
    pub(crate) fn want_attrs(&self, value: &Value) -> Result<Rc<Attrs>> {
        match self.force(value)? {
            Value::Attrs(attrs, _) => Ok(attrs),
            other => Err(self.wrong("a set", &other)),
        }
    }

    /// A type error without a place yet.
    #[cold]
    pub(crate) fn wrong(&self, what: &str, found: &Value) -> Error {
        match found {
            Value::Unknown(unknown, _) => Error::unknown(unknown.clone()),
            found => Error::new(
                ErrorKind::Type,
                format!(
                    "expected {what} but found {}: {}",
                    found.kind(),
                    self.brief(found)
                ),
            ),
        }
    }

    /// The set of all builtins.
    pub(crate) fn builtins(&self) -> Value {
        self.builtins.get_or_init(|| builtins::all(self)).clone()
    }

    /// `{ file, line, column }` of a place, as `__curPos` gives it.
    pub(crate) fn position_value(&self, file: FileId, range: Option<&Range>, made: Made) -> Value {
        let Some(range) = range else {
            return Value::Null(made);
        };
        let source = self.files.get(file);
        let at = source.line_column(range.start);
        // Nix counts bytes, reports count letters.
        let before = source.text.get(..range.start as usize).unwrap_or_default();
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
        // The whole path, whatever reports show of it.
        let known = self.file_ids.borrow();
        let path = known.iter().find(|(_, id)| **id == file).map(|(path, _)| path);
        let path = path.map_or(source.path.as_bytes(), Vec::as_slice);
        let mut entries = vec![
            Entry {
                name: Sym::FILE,
                binding: 0,
                value: Value::Str(Rc::new(Text::new(path)), made),
            },
            Entry {
                name: Sym::LINE,
                binding: 0,
                value: Value::Int(i64::from(at.line), made),
            },
            Entry {
                name: Sym::COLUMN,
                binding: 0,
                value: Value::Int(column as i64, made),
            },
        ];
        entries.sort_by_key(|entry| entry.name);
        Value::Attrs(Rc::new(Attrs::new(entries)), made)
    }

    /// Makes a set of named values.
    pub(crate) fn attrs_of(&self, named: Vec<(Sym, Value)>, made: Made) -> Value {
        let mut entries: Vec<Entry> = named
            .into_iter()
            .map(|(name, value)| Entry {
                name,
                binding: 0,
                value,
            })
            .collect();
        entries.sort_by_key(|entry| entry.name);
        Value::Attrs(Rc::new(Attrs::new(entries)), made)
    }
}

/// An error that only a mistake in this crate can cause.
#[cold]
pub(crate) fn internal() -> Error {
    Error::new(ErrorKind::Other, "internal error of the evaluator")
}

fn lookup(env: &Rc<Env>, depth: u32, slot: u32) -> Option<&Value> {
    let mut env = env;
    for _ in 0..depth {
        env = env.up.as_ref()?;
    }
    env.get(slot as usize)
}

/// The bytes of a path; what is not Unicode is replaced.
pub(crate) fn path_bytes(path: &Path) -> Vec<u8> {
    crate::paths::canonical(path.to_string_lossy().as_bytes())
}

/// The path of bytes that Nix holds.
pub(crate) fn bytes_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// The edit distance of two names when it is small.
fn distance(a: &str, b: &str) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 2 || a.len() > 64 || b.len() > 64 {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*slot + 1);
            diagonal = *slot;
            *slot = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().filter(|&distance| distance <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known of a piece of stack must not outlive it: a frame that comes to lie where it was
    /// would be taken for one with room below it, and a deep recursion would overflow.
    #[test]
    fn a_piece_of_stack_that_was_freed_is_forgotten() {
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(|| {
            let files = Files::default();
            let world = source::MemoryWorld::default();
            let evaluator = Evaluator::new(&world, &files, Options::default());
            let value = evaluator
                .expression("«test»", "{ a = [ { b = 1 + 1; } ]; }", Path::new("/"))
                .unwrap();
            assert_eq!(evaluator.roomy.get(), NOWHERE_ROOMY, "after an expression");
            evaluator.tree(&value, crate::TreeLimits::default());
            assert_eq!(evaluator.roomy.get(), NOWHERE_ROOMY, "after a tree");
            evaluator.json(&value).unwrap();
            assert_eq!(evaluator.roomy.get(), NOWHERE_ROOMY, "after JSON");
        });
        thread.unwrap().join().unwrap();
    }
}
