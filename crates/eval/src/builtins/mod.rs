//! The functions of the language.

mod context;
mod derivation;
mod flake_ref;
mod impure;
mod lists;
mod misc;
mod numbers;
mod sets;
mod sources;
mod strings;

use std::rc::Rc;

use smallvec::SmallVec;

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::value::{Applied, Attrs, Entry, Function, List, Made, State, Text, Thunk, Value};

/// One function of the language.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) arity: usize,
    /// Which arguments are always evaluated, in their order, before anything else happens: bit
    /// `i` for argument `i`. Those need no thunk.
    pub(crate) strict: u8,
    pub(crate) run: Run,
}

pub(crate) type Run = fn(&Evaluator<'_>, &[Value], Made) -> Result<Value>;

pub(crate) use derivation::Known as KnownDerivation;

const fn builtin(name: &'static str, arity: usize, strict: u8, run: Run) -> Builtin {
    Builtin {
        name,
        arity,
        strict,
        run,
    }
}

static TABLE: &[&[Builtin]] = &[
    context::TABLE,
    derivation::TABLE,
    flake_ref::TABLE,
    impure::TABLE,
    lists::TABLE,
    misc::TABLE,
    numbers::TABLE,
    sets::TABLE,
    sources::TABLE,
    strings::TABLE,
];

/// Those that are in scope without `builtins.`; all others are with two underscores before them.
const GLOBAL: &[&str] = &[
    "abort",
    "baseNameOf",
    "break",
    "derivation",
    "derivationStrict",
    "dirOf",
    "fetchGit",
    "fetchMercurial",
    "fetchTarball",
    "fetchTree",
    "fetchFinalTree",
    "fromTOML",
    "import",
    "isNull",
    "map",
    "placeholder",
    "removeAttrs",
    "scopedImport",
    "throw",
    "toString",
];

fn find(name: &str) -> Option<&'static Builtin> {
    TABLE
        .iter()
        .flat_map(|part| part.iter())
        .find(|builtin| builtin.name == name)
}

pub(crate) fn value_of(builtin: &'static Builtin) -> Value {
    let applied = Applied {
        function: Function::Builtin(builtin),
        args: SmallVec::new(),
    };
    Value::Builtin(Rc::new(applied), Made::NOWHERE)
}

/// The value of a name that is in scope everywhere.
pub(crate) fn global(name: &str) -> Option<Value> {
    let plain = match name.strip_prefix("__") {
        Some(plain) if !GLOBAL.contains(&plain) => plain,
        Some(_) => return None,
        None if GLOBAL.contains(&name) => name,
        None => return None,
    };
    if let Some(builtin) = find(plain) {
        return Some(value_of(builtin));
    }
    if CONSTANTS.contains(&plain) {
        let name = plain.to_owned();
        return Some(Value::Thunk(Thunk::new(State::Native(Box::new(
            move |evaluator| Ok(constant(evaluator, &name)),
        )))));
    }
    None
}

const CONSTANTS: &[&str] = &[
    "currentSystem",
    "currentTime",
    "langVersion",
    "nixPath",
    "nixVersion",
    "storeDir",
];

/// The version of Nix whose language this is.
pub(crate) const NIX_VERSION: &str = "2.33.0";

fn constant(evaluator: &Evaluator<'_>, name: &str) -> Value {
    match name {
        "langVersion" => Value::int(6),
        "nixVersion" => Value::string(NIX_VERSION),
        "storeDir" => Value::string("/nix/store"),
        "nixPath" => {
            let prefix = evaluator.symbols.intern("prefix");
            let path = evaluator.symbols.intern("path");
            let entries = evaluator.options.search_path.iter().map(|(name, place)| {
                let named = vec![
                    (prefix, Value::string(name)),
                    (path, Value::string(place.to_string_lossy().as_bytes())),
                ];
                evaluator.attrs_of(named, Made::NOWHERE)
            });
            Value::list(entries.collect())
        }
        "currentSystem" => match &evaluator.options.system {
            Some(system) => Value::string(system),
            None => Value::unknown(
                "builtins.currentSystem",
                "which machine this is for is not an input",
            ),
        },
        _ => Value::unknown("builtins.currentTime", "the clock is not an input"),
    }
}

/// The set `builtins`.
pub(crate) fn all(evaluator: &Evaluator<'_>) -> Value {
    let mut entries: Vec<Entry> = TABLE
        .iter()
        .flat_map(|part| part.iter())
        .map(|builtin| Entry {
            name: evaluator.symbols.intern(builtin.name),
            binding: 0,
            value: value_of(builtin),
        })
        .collect();
    let mut add = |name: &str, value: Value| {
        entries.push(Entry {
            name: evaluator.symbols.intern(name),
            binding: 0,
            value,
        });
    };
    add("true", Value::bool(true));
    add("false", Value::bool(false));
    add("null", Value::null());
    for name in CONSTANTS {
        add(name, constant(evaluator, name));
    }
    add(
        "builtins",
        Value::Thunk(Thunk::new(State::Native(Box::new(|evaluator| {
            Ok(evaluator.builtins())
        })))),
    );
    entries.sort_by_key(|entry| entry.name);
    Value::Attrs(Rc::new(Attrs::new(entries)), Made::NOWHERE)
}

// ----- what the builtins share ------------------------------------------------------------------

impl Evaluator<'_> {
    pub(crate) fn want_int(&self, value: &Value) -> Result<i64> {
        match value {
            Value::Int(number, _) => Ok(*number),
            Value::Thunk(thunk) => self.want_int(&self.force_thunk(thunk)?),
            other => Err(self.wrong("an integer", other)),
        }
    }

    pub(crate) fn want_bool(&self, value: &Value) -> Result<bool> {
        match value {
            Value::Bool(truth, _) => Ok(*truth),
            Value::Thunk(thunk) => self.want_bool(&self.force_thunk(thunk)?),
            other => Err(self.wrong("a Boolean", other)),
        }
    }

    pub(crate) fn want_list(&self, value: &Value) -> Result<Rc<List>> {
        match value {
            Value::List(list, _) => Ok(list.clone()),
            Value::Thunk(thunk) => match self.force_thunk(thunk)? {
                Value::List(list, _) => Ok(list),
                other => Err(self.wrong("a list", &other)),
            },
            other => Err(self.wrong("a list", other)),
        }
    }

    pub(crate) fn want_string(&self, value: &Value) -> Result<Rc<Text>> {
        match value {
            Value::Str(text, _) => Ok(text.clone()),
            Value::Thunk(thunk) => match self.force_thunk(thunk)? {
                Value::Str(text, _) => Ok(text),
                other => Err(self.wrong("a string", &other)),
            },
            other => Err(self.wrong("a string", other)),
        }
    }

    /// Whether a value is of a kind, as `isAttrs` and its like ask.
    pub(crate) fn is_kind(&self, value: &Value, kind: fn(&Value) -> bool, made: Made) -> Result<Value> {
        match value {
            Value::Unknown(unknown, _) => Err(Error::unknown(unknown.clone())),
            Value::Thunk(thunk) => self.is_kind(&self.force_thunk(thunk)?, kind, made),
            value => Ok(Value::Bool(kind(value), made)),
        }
    }

    /// A string that must not refer to the store.
    pub(crate) fn want_plain_string(&self, value: &Value) -> Result<Rc<Text>> {
        let text = self.want_string(value)?;
        self.plain(&text)?;
        Ok(text)
    }

    /// Refuses a text that refers to the store.
    pub(crate) fn plain(&self, text: &Text) -> Result<()> {
        if text.context.is_none() {
            return Ok(());
        }
        let message = format!(
            "the string '{}' is not allowed to refer to a store path",
            text.lossy()
        );
        Err(Error::new(ErrorKind::Other, message))
    }

    /// Something that can be called.
    pub(crate) fn want_function(&self, value: &Value) -> Result<Value> {
        let value = self.force(value)?;
        match &value {
            Value::Lambda(..) | Value::Builtin(..) => Ok(value),
            Value::Attrs(attrs, _) if attrs.get(crate::symbol::Sym::FUNCTOR).is_some() => Ok(value),
            other => Err(self.wrong("a function", other)),
        }
    }

    /// The application of a function, evaluated when it is needed.
    /// `made` is the call that asks for it.
    pub(crate) fn later(&self, function: &Value, argument: &Value, made: Made) -> Value {
        let parts = (function.clone(), argument.clone(), made);
        Value::Thunk(Thunk::new(State::Apply(Box::new(parts))))
    }

    /// As [`Self::later`], for many arguments of one function.
    pub(crate) fn later_shared(function: &Rc<(Value, Made)>, argument: &Value) -> Value {
        Value::Thunk(Thunk::new(match argument {
            Value::Thunk(argument) => State::ApplyThunk(function.clone(), argument.clone()),
            other => State::Apply(Box::new((function.0.clone(), other.clone(), function.1))),
        }))
    }

    pub(crate) fn other_error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Other, message)
    }
}

fn list(items: Vec<Value>, made: Made) -> Value {
    Value::List(Rc::new(List::new(items)), made)
}

fn string(bytes: &[u8], made: Made) -> Value {
    Value::Str(Rc::new(Text::new(bytes)), made)
}
