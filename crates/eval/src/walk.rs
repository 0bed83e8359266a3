//! Walking values lazily from Rust, and making them.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use source::{Binding, Problem, Span, Unknown};

use crate::code::{Expr, Params};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, internal};
use crate::symbol::Sym;
use crate::value::{Applied, Attrs, Entry, Function, Made, Native, State, Text, Thunk, Value};

/// One attribute of a set, its value perhaps not yet evaluated.
#[derive(Clone, Debug)]
pub struct AttrValue {
    /// The name.
    pub name: Arc<str>,
    /// The value.
    pub value: Value,
    /// The bindings that set it, in the order of the text; empty for a name made at run time.
    pub bindings: Vec<Binding>,
    pub(crate) binding: u32,
}

/// One argument of a function that takes a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormalArg {
    /// The name.
    pub name: Arc<str>,
    /// Whether it may be left out.
    pub has_default: bool,
    /// Where the name stands.
    pub span: Option<Span>,
}

/// What a function takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Anything: `x: …`, or a builtin.
    One {
        /// The name of the argument; empty for a builtin.
        name: Arc<str>,
    },
    /// A set: `{ a, b ? 1, ... }: …`.
    Set {
        /// The arguments by name.
        formals: Vec<FormalArg>,
        /// Whether others are allowed.
        ellipsis: bool,
    },
}

impl Evaluator<'_> {
    /// The attributes of a set, by name, their values not yet evaluated.
    ///
    /// # Errors
    /// When the value fails or is no set. Of a set of which only a part is known, that part.
    pub fn attrs(&self, value: &Value) -> Result<Vec<AttrValue>> {
        let attrs = self.known_attrs(value)?;
        Ok(self
            .sorted(&attrs)
            .into_iter()
            .map(|entry| self.attr_value(entry))
            .collect())
    }

    fn known_attrs(&self, value: &Value) -> Result<Rc<Attrs>> {
        self.want_attrs(value)
    }

    fn attr_value(&self, entry: Entry) -> AttrValue {
        AttrValue {
            name: (&*self.symbols.name(entry.name)).into(),
            bindings: self.bindings_of(entry.binding),
            binding: entry.binding,
            value: entry.value,
        }
    }

    /// The attribute of that name; `None` when the set has none. What an open or unknown set does
    /// not know is unknown.
    ///
    /// # Errors
    /// When the value fails or is no set.
    pub fn attr(&self, value: &Value, name: &str) -> Result<Option<AttrValue>> {
        let symbol = self.symbols.intern(name);
        let unknown = |unknown: &Rc<Unknown>| AttrValue {
            name: name.into(),
            value: self.unknown_attr(unknown, symbol, None),
            bindings: Vec::new(),
            binding: 0,
        };
        match self.force(value)? {
            Value::Attrs(attrs, _) => Ok(match (attrs.find(symbol), &attrs.open) {
                (Some(entry), _) => Some(self.attr_value(entry.clone())),
                (None, Some(open)) => Some(unknown(open)),
                (None, None) => None,
            }),
            Value::Unknown(it, _) => Ok(Some(unknown(&it))),
            other => Err(self.wrong("a set", &other)),
        }
    }

    /// The value below a path of names, evaluated; `None` when some name is not there.
    ///
    /// # Errors
    /// When something on the way fails or is no set.
    pub fn select<'n>(
        &self,
        value: &Value,
        path: impl IntoIterator<Item = &'n str>,
    ) -> Result<Option<Value>> {
        let mut value = self.force(value)?;
        for name in path {
            match self.attr(&value, name)? {
                Some(attr) => value = self.force(&attr.value)?,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// The elements of a list, not yet evaluated.
    ///
    /// # Errors
    /// When the value fails or is no list.
    pub fn list(&self, value: &Value) -> Result<Vec<Value>> {
        Ok(self.want_list(value)?.items().to_vec())
    }

    /// The text of a string.
    ///
    /// # Errors
    /// When the value fails or is no string.
    pub fn string(&self, value: &Value) -> Result<String> {
        Ok(self.want_string(value)?.lossy().into_owned())
    }

    /// Whether only a part of the set is known, and what the rest depends on.
    pub fn openness(&self, value: &Value) -> Option<Unknown> {
        match self.force(value).ok()? {
            Value::Attrs(attrs, _) => attrs.open.as_deref().cloned(),
            Value::Unknown(unknown, _) => Some(Unknown::clone(&unknown)),
            _ => None,
        }
    }

    /// What a function takes; `None` for what is no function.
    ///
    /// # Errors
    /// When the value fails.
    pub fn arguments(&self, value: &Value) -> Result<Option<Arguments>> {
        let anything = || Arguments::One { name: "".into() };
        Ok(match self.force(value)? {
            Value::Lambda(closure, _) => {
                let Expr::Lambda(lambda) = closure.code.expr(closure.lambda) else {
                    return Err(internal());
                };
                Some(match &lambda.params {
                    Params::Simple(names) => Arguments::One {
                        name: names
                            .first()
                            .map_or_else(|| "".into(), |&name| (&*self.symbols.name(name)).into()),
                    },
                    Params::Set {
                        formals, ellipsis, ..
                    } => {
                        let mut formals: Vec<FormalArg> = formals
                            .iter()
                            .map(|formal| FormalArg {
                                name: (&*self.symbols.name(formal.name)).into(),
                                has_default: formal.default.is_some(),
                                span: Some(Span::new(
                                    closure.code.file,
                                    formal.range.start,
                                    formal.range.end,
                                )),
                            })
                            .collect();
                        formals.sort_by(|a, b| a.name.cmp(&b.name));
                        Arguments::Set {
                            formals,
                            ellipsis: *ellipsis,
                        }
                    }
                })
            }
            Value::Builtin(applied, _) => Some(match &applied.function {
                Function::Native(native) => match &native.formals {
                    Some(formals) => Arguments::Set {
                        formals: formals
                            .iter()
                            .map(|(name, has_default)| FormalArg {
                                name: name.as_str().into(),
                                has_default: *has_default,
                                span: None,
                            })
                            .collect(),
                        ellipsis: true,
                    },
                    None => anything(),
                },
                _ => anything(),
            }),
            Value::Attrs(attrs, _) if attrs.get(Sym::FUNCTOR).is_some() => {
                let functor = attrs.get(Sym::FUNCTOR).cloned();
                let this = Value::Attrs(attrs, Made::NOWHERE);
                match functor {
                    Some(functor) => {
                        let inner = self.call(&functor, this)?;
                        return self.deeper(|| self.arguments(&inner));
                    }
                    None => None,
                }
            }
            _ => None,
        })
    }

    /// Calls a function that takes a set with those of the arguments that it names, as
    /// `nix-instantiate` does with `--arg`; with all of them when it takes others as well. Any
    /// other value stays as it is.
    ///
    /// # Errors
    /// When the value or the call fails, or an argument without a default is not among them.
    pub fn auto_call(&self, function: &Value, given: &[(String, Value)]) -> Result<Value> {
        let function = self.force(function)?;
        if let Value::Attrs(attrs, _) = &function {
            return match attrs.get(Sym::FUNCTOR) {
                Some(functor) => {
                    let inner = self.call(functor, function.clone())?;
                    self.deeper(|| self.auto_call(&inner, given))
                }
                None => Ok(function),
            };
        }
        let Value::Lambda(..) = &function else {
            return Ok(function);
        };
        let Some(Arguments::Set { formals, ellipsis }) = self.arguments(&function)? else {
            return Ok(function);
        };
        let mut passed: Vec<(&str, Value)> = Vec::new();
        for (name, value) in given {
            if ellipsis || formals.iter().any(|formal| *formal.name == **name) {
                passed.push((name, value.clone()));
            }
        }
        if let Some(missing) = formals
            .iter()
            .find(|formal| !formal.has_default && !given.iter().any(|(name, _)| **name == *formal.name))
        {
            return Err(Error::new(
                ErrorKind::Type,
                format!(
                    "cannot evaluate a function that has an argument without a value ('{}')",
                    missing.name
                ),
            )
            .at(missing.span));
        }
        let argument = self.attrs_value(passed);
        self.call(&function, argument)
    }

    /// A set of these attributes; the last of several with one name counts.
    pub fn attrs_value<'n>(&self, attrs: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
        let entries = attrs.into_iter().map(|(name, value)| Entry {
            name: self.symbols.intern(name),
            binding: 0,
            value,
        });
        self.attrs_from(entries.collect(), None)
    }

    /// A set of attributes of other sets, which keep their bindings. With `open`, whatever else
    /// is asked of the set is an unknown below that name.
    pub fn attrs_with(&self, attrs: impl IntoIterator<Item = AttrValue>, open: Option<Unknown>) -> Value {
        let entries = attrs.into_iter().map(|attr| Entry {
            name: self.symbols.intern(&attr.name),
            binding: attr.binding,
            value: attr.value,
        });
        self.attrs_from(entries.collect(), open)
    }

    /// A set of which only these attributes are known. Asking for another gives the unknown
    /// `name.attr`.
    pub fn open_attrs<'n>(
        &self,
        name: &str,
        because: &str,
        known: impl IntoIterator<Item = (&'n str, Value)>,
    ) -> Value {
        let entries = known.into_iter().map(|(name, value)| Entry {
            name: self.symbols.intern(name),
            binding: 0,
            value,
        });
        let open = Unknown {
            name: name.into(),
            because: because.into(),
            span: None,
        };
        self.attrs_from(entries.collect(), Some(open))
    }

    fn attrs_from(&self, entries: Vec<Entry>, open: Option<Unknown>) -> Value {
        let by_name: std::collections::BTreeMap<_, _> =
            entries.into_iter().map(|entry| (entry.name, entry)).collect();
        let entries = by_name.into_values().collect();
        Value::Attrs(
            Rc::new(Attrs::with_open(entries, open.map(Rc::new))),
            Made::NOWHERE,
        )
    }

    /// A function made in Rust, with `arity` arguments, which it gets unevaluated.
    ///
    /// What it returns as an error about an unknown (see [`Error::unknown`]) becomes that unknown.
    pub fn native(
        &self,
        name: &str,
        arity: usize,
        run: impl for<'e> Fn(&Evaluator<'e>, &[Value]) -> Result<Value, Error> + 'static,
    ) -> Value {
        self.native_with(name, arity.max(1), None, run)
    }

    /// A function made in Rust that takes a set: what `builtins.functionArgs` says of it are
    /// the names given, each with whether it may be left out.
    pub fn native_with_formals(
        &self,
        name: &str,
        formals: &[(&str, bool)],
        run: impl for<'e> Fn(&Evaluator<'e>, &[Value]) -> Result<Value, Error> + 'static,
    ) -> Value {
        let formals = formals
            .iter()
            .map(|(name, default)| ((*name).to_owned(), *default));
        self.native_with(name, 1, Some(formals.collect()), run)
    }

    fn native_with(
        &self,
        name: &str,
        arity: usize,
        formals: Option<Vec<(String, bool)>>,
        run: impl for<'e> Fn(&Evaluator<'e>, &[Value]) -> Result<Value, Error> + 'static,
    ) -> Value {
        let native = Native {
            name: name.to_owned(),
            arity,
            formals,
            run: Box::new(run),
        };
        let applied = Applied {
            function: Function::Native(Rc::new(native)),
            args: SmallVec::new(),
        };
        Value::Builtin(Rc::new(applied), Made::NOWHERE)
    }

    /// A value that Rust gives when it is first needed.
    pub fn lazy(&self, run: impl for<'e> Fn(&Evaluator<'e>) -> Result<Value, Error> + 'static) -> Value {
        Value::Thunk(Thunk::new(State::Native(Box::new(move |evaluator| {
            run(evaluator).and_then(|value| evaluator.force(&value))
        }))))
    }

    /// The application of a function, evaluated when it is first needed.
    pub fn lazy_call(&self, function: &Value, argument: Value) -> Value {
        self.later(function, &argument, function.made())
    }

    /// `a // b`.
    ///
    /// # Errors
    /// When one of them fails or is no set.
    pub fn updated(&self, a: &Value, b: &Value) -> Result<Value> {
        let (a, b) = (self.force(a)?, self.force(b)?);
        let made = b.made();
        self.top(|| self.update(a, b, made))
    }

    /// Whether two values are equal; an error about the unknown when one is not known.
    ///
    /// # Errors
    /// When a part that must be compared fails or is unknown.
    pub fn equals(&self, a: &Value, b: &Value) -> Result<bool> {
        self.equal(a, b)
    }

    /// The same value, as if the expression that made `like` had made it. The value must be
    /// evaluated.
    #[must_use]
    pub fn with_origin_of(&self, value: Value, like: &Value) -> Value {
        let made = like.made();
        value.made_at(made)
    }

    /// A string that keeps the origin of the value it was made from.
    pub fn string_like(&self, text: &str, like: &Value) -> Value {
        Value::Str(Rc::new(Text::new(text.as_bytes())), like.made())
    }

    /// Takes what `trace` and `warn` said so far.
    pub fn take_traces(&self) -> Vec<String> {
        std::mem::take(&mut self.traces.borrow_mut())
    }

    /// Adds a problem to those of this run.
    pub fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Takes the problems that were met so far without ending the run.
    pub fn take_problems(&self) -> Vec<Problem> {
        std::mem::take(&mut self.problems.borrow_mut())
    }
}
