//! What is known of values that are not known as a whole.
//!
//! A list to which something unknown is added is unknown: nobody can tell its length. Yet the
//! elements beside what is unknown are in it for certain, and are kept for whoever shows the value
//! or merges it. In the same way the arguments of a function that is unknown are kept: a layout may
//! lie in them, whatever the function makes of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use source::Unknown;

use crate::evaluator::Evaluator;
use crate::value::{Made, Value};

/// How many unknowns are told apart, and how many elements are kept of one. More are unknown as
/// any other.
const MOST: usize = 100_000;
const MOST_ELEMENTS: usize = 10_000;

/// By the address of the unknown, which is kept with it.
#[derive(Default)]
pub(crate) struct Partial {
    known: RefCell<FxHashMap<usize, Known>>,
    keeps_arguments: Cell<bool>,
}

struct Known {
    /// So that the address is not used anew.
    _unknown: Rc<Unknown>,
    elements: Option<Rc<[Value]>>,
    arguments: Option<Rc<[Value]>>,
}

impl Partial {
    fn add(&self, unknown: &Rc<Unknown>, elements: Option<Rc<[Value]>>, arguments: Option<Rc<[Value]>>) {
        let mut known = self.known.borrow_mut();
        if known.len() < MOST {
            let entry = Known {
                _unknown: unknown.clone(),
                elements,
                arguments,
            };
            known.insert(Rc::as_ptr(unknown) as usize, entry);
        }
    }

    /// From now on the arguments of unknown functions are kept.
    pub(crate) fn keep_arguments(&self) {
        self.keeps_arguments.set(true);
    }

    /// The elements of a list of which some are known. What is unknown stands as one element.
    pub(crate) fn elements(&self, unknown: &Rc<Unknown>) -> Option<Rc<[Value]>> {
        let known = self.known.borrow();
        known.get(&(Rc::as_ptr(unknown) as usize))?.elements.clone()
    }

    /// The unknown as what depends on it depends on it: without elements, which are its own.
    pub(crate) fn plain(&self, unknown: &Rc<Unknown>) -> Rc<Unknown> {
        match self.elements(unknown) {
            Some(_) => Rc::new(Unknown::clone(unknown)),
            None => unknown.clone(),
        }
    }

    /// What the function was called with that gave this, or that gave what this is a part of.
    pub(crate) fn arguments(&self, unknown: &Rc<Unknown>) -> Option<Rc<[Value]>> {
        let known = self.known.borrow();
        known.get(&(Rc::as_ptr(unknown) as usize))?.arguments.clone()
    }

    /// Remembers that an unknown is what calling another with these arguments gives.
    pub(crate) fn called(&self, function: &Rc<Unknown>, args: &[Value], result: &Rc<Unknown>) {
        if self.keeps_arguments.get() {
            let before = self.arguments(function).unwrap_or_default();
            let all = before.iter().chain(args).cloned().collect();
            self.add(result, None, Some(all));
        }
    }

    /// Remembers that an unknown is a part of another.
    pub(crate) fn part(&self, of: &Rc<Unknown>, part: &Rc<Unknown>) {
        if self.keeps_arguments.get()
            && let Some(arguments) = self.arguments(of)
        {
            self.add(part, None, Some(arguments));
        }
    }
}

impl Evaluator<'_> {
    /// The list of which only these elements are known, those that are [`Value::Unknown`] standing
    /// for any number; it depends on the unknown.
    pub(crate) fn list_in_part(&self, unknown: &Rc<Unknown>, elements: Vec<Value>) -> Value {
        let whole = Rc::new(Unknown::clone(unknown));
        if elements.len() <= MOST_ELEMENTS {
            self.partial.add(&whole, Some(elements.into()), None);
        }
        Value::Unknown(whole, Made::NOWHERE)
    }

    /// The elements of a list, or those that are known of one that is not, with what it depends on
    /// then; `None` for what is no list.
    pub(crate) fn elements_in_part(&self, value: &Value) -> Option<(Vec<Value>, Option<Rc<Unknown>>)> {
        match value {
            Value::List(list, _) => Some((list.items().to_vec(), None)),
            Value::Unknown(unknown, _) => {
                let elements = match self.partial.elements(unknown) {
                    Some(elements) => elements.to_vec(),
                    // Without what is known of it, lest an element be a list again.
                    None => vec![Value::Unknown(unknown.clone(), Made::NOWHERE)],
                };
                Some((elements, Some(unknown.clone())))
            }
            _ => None,
        }
    }
}
