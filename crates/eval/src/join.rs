//! Conditions that depend on unknowns: both branches are tried, and kept where they agree.

use std::rc::Rc;

use source::Unknown;

use crate::error::Error;
use crate::evaluator::{Evaluator, Result};
use crate::symbol::Sym;
use crate::value::{Applied, Attrs, Entry, Function, List, Made, Native, State, Thunk, Value};

/// How many conditions may be tried both ways at once, one inside the other. A recursion that an
/// unknown number should end would otherwise double its work with each level.
const MOST_GUESSES: u32 = 12;

impl Evaluator<'_> {
    /// The value of a conditional whose condition is not known.
    ///
    /// Where both branches agree, that is the value; sets and lists are compared part by part,
    /// each when it is needed. The rest is unknown. A branch that the author made throw cannot be
    /// the one that is taken where there is a value at all, as `assert` does not fail on what is not
    /// known; inside `tryEval` it can. A branch that fails otherwise leaves the whole unknown: the
    /// condition may be there to avoid it.
    pub(crate) fn both(
        &self,
        unknown: &Rc<Unknown>,
        then: impl FnOnce() -> Result<Value>,
        otherwise: impl FnOnce() -> Result<Value>,
    ) -> Result<Value> {
        let guesses = self.guesses.get();
        if guesses >= MOST_GUESSES {
            return Err(Error::unknown(unknown.clone()));
        }
        self.guesses.set(guesses + 1);
        let then = self.caught(self.deeper(then));
        let otherwise = match &then {
            Err(error) if error.is_limit() => Err(error.clone()),
            _ => self.caught(self.deeper(otherwise)),
        };
        self.guesses.set(guesses);
        match (then, otherwise) {
            (Ok(then), Ok(otherwise)) => self.join(unknown, then, otherwise),
            (Err(error), Err(_)) => Err(error),
            (Err(error), _) | (_, Err(error)) if error.is_limit() => Err(error),
            (Err(error), Ok(value)) | (Ok(value), Err(error))
                if error.is_refusal() && self.tries.get() == 0 =>
            {
                Ok(value)
            }
            _ => Err(Error::unknown(unknown.clone())),
        }
    }

    /// What is the same in both values; the rest depends on the unknown.
    fn join(&self, unknown: &Rc<Unknown>, a: Value, b: Value) -> Result<Value> {
        match (&a, &b) {
            (Value::Attrs(x, made), Value::Attrs(y, _)) => {
                if Rc::ptr_eq(x, y) {
                    return Ok(a);
                }
                Ok(Value::Attrs(Rc::new(self.join_attrs(unknown, x, y)), *made))
            }
            (Value::List(x, made), Value::List(y, _)) if x.items().len() == y.items().len() => {
                if Rc::ptr_eq(x, y) {
                    return Ok(a);
                }
                let items = x
                    .items()
                    .iter()
                    .zip(y.items())
                    .map(|(a, b)| self.joined(unknown, a.clone(), b.clone()))
                    .collect();
                Ok(Value::List(Rc::new(List::new(items)), *made))
            }
            // The elements that both have; how many there are beyond them is not known.
            (Value::List(x, _), Value::List(y, _)) => {
                let mut elements: Vec<Value> = x
                    .items()
                    .iter()
                    .zip(y.items())
                    .map(|(a, b)| self.joined(unknown, a.clone(), b.clone()))
                    .collect();
                elements.push(Value::Unknown(unknown.clone(), Made::NOWHERE));
                Ok(self.list_in_part(unknown, elements))
            }
            (Value::Lambda(..) | Value::Builtin(..), Value::Lambda(..) | Value::Builtin(..)) => {
                Ok(self.join_functions(unknown, a, b))
            }
            (Value::Unknown(x, _), Value::Unknown(y, _))
                if x.name == y.name && (Rc::ptr_eq(x, y) || !self.is_known_in_part(x, y)) =>
            {
                Ok(a)
            }
            (Value::Unknown(..), _) | (_, Value::Unknown(..)) => Err(Error::unknown(unknown.clone())),
            _ if same_scalar(&a, &b) => Ok(a),
            _ => Err(Error::unknown(unknown.clone())),
        }
    }

    fn is_known_in_part(&self, x: &Rc<Unknown>, y: &Rc<Unknown>) -> bool {
        self.partial.elements(x).is_some() || self.partial.elements(y).is_some()
    }

    fn joined(&self, unknown: &Rc<Unknown>, a: Value, b: Value) -> Value {
        if let (Value::Thunk(x), Value::Thunk(y)) = (&a, &b)
            && Rc::ptr_eq(x, y)
        {
            return a;
        }
        let unknown = unknown.clone();
        Value::Thunk(Thunk::new(State::Native(Box::new(move |evaluator| {
            evaluator.both(&unknown, || evaluator.force(&a), || evaluator.force(&b))
        }))))
    }

    fn join_attrs(&self, unknown: &Rc<Unknown>, x: &Attrs, y: &Attrs) -> Attrs {
        let mut names: Vec<Sym> = x
            .entries()
            .iter()
            .chain(y.entries())
            .map(|entry| entry.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            let entry = match (x.find(name), y.find(name)) {
                (Some(a), Some(b)) => Entry {
                    name,
                    binding: if a.binding == b.binding { a.binding } else { 0 },
                    value: self.joined(unknown, a.value.clone(), b.value.clone()),
                },
                // There or not there, depending on what is not known.
                (Some(one), None) | (None, Some(one)) => Entry {
                    name,
                    binding: one.binding,
                    value: Value::Unknown(unknown.clone(), Made::NOWHERE),
                },
                (None, None) => continue,
            };
            entries.push(entry);
        }
        Attrs::with_open(entries, x.open.clone().or_else(|| y.open.clone()))
    }

    fn join_functions(&self, unknown: &Rc<Unknown>, a: Value, b: Value) -> Value {
        let made = a.made();
        let unknown = unknown.clone();
        let native = Native {
            name: "both branches of a condition".into(),
            arity: 1,
            formals: None,
            run: Box::new(move |evaluator, args| {
                evaluator.both(
                    &unknown,
                    || evaluator.apply(&a, args, made),
                    || evaluator.apply(&b, args, made),
                )
            }),
        };
        let applied = Applied {
            function: Function::Native(Rc::new(native)),
            args: smallvec::SmallVec::new(),
        };
        Value::Builtin(Rc::new(applied), made)
    }
}

fn same_scalar(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null(_), Value::Null(_)) => true,
        (Value::Bool(x, _), Value::Bool(y, _)) => x == y,
        (Value::Int(x, _), Value::Int(y, _)) => x == y,
        (Value::Float(x, _), Value::Float(y, _)) => x == y,
        (Value::Str(x, _), Value::Str(y, _)) => x.bytes() == y.bytes() && x.context == y.context,
        (Value::Path(x, _), Value::Path(y, _)) => x.bytes() == y.bytes(),
        _ => false,
    }
}
