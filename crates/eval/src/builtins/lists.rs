//! Functions on lists.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Builtin, builtin, list};
use crate::error::Error;
use crate::evaluator::{Evaluator, Result, internal};
use crate::symbol::Sym;
use crate::value::{Attrs, Entry, Made, State, Thunk, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("all", 2, 0b11, all),
    builtin("any", 2, 0b11, any),
    builtin("concatLists", 1, 0b1, concat_lists),
    builtin("concatMap", 2, 0b11, concat_map),
    builtin("elem", 2, 0b10, elem),
    builtin("elemAt", 2, 0b11, elem_at),
    builtin("filter", 2, 0b10, filter),
    builtin("foldl'", 3, 0b101, fold),
    builtin("genList", 2, 0b10, gen_list),
    builtin("genericClosure", 1, 0b1, generic_closure),
    builtin("groupBy", 2, 0b11, group_by),
    builtin("head", 1, 0b1, head),
    builtin("isList", 1, 0b1, is_list),
    builtin("length", 1, 0b1, length),
    builtin("map", 2, 0b10, map),
    builtin("partition", 2, 0b11, partition),
    builtin("sort", 2, 0b10, sort),
    builtin("tail", 1, 0b1, tail),
];

fn is_list(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    ev.is_kind(value, |value| matches!(value, Value::List(..)), made)
}

fn length(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [items] = args else { return Err(internal()) };
    Ok(Value::Int(ev.want_list(items)?.items().len() as i64, made))
}

fn head(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [items] = args else { return Err(internal()) };
    match ev.want_list(items)?.items().first() {
        Some(first) => ev.force(first),
        None => Err(ev.other_error("'builtins.head' called on an empty list")),
    }
}

fn tail(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [items] = args else { return Err(internal()) };
    match ev.want_list(items)?.items().split_first() {
        Some((_, rest)) => {
            ev.charge(rest.len() as u64 * crate::ops::STEPS_OF_AN_ELEMENT)?;
            ev.check_memory(rest.len() * 16)?;
            Ok(list(rest.to_vec(), made))
        }
        None => Err(ev.other_error("'builtins.tail' called on an empty list")),
    }
}

fn elem_at(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [items, index] = args else {
        return Err(internal());
    };
    let items = ev.want_list(items)?;
    let index = ev.want_int(index)?;
    match usize::try_from(index)
        .ok()
        .and_then(|index| items.items().get(index))
    {
        Some(item) => ev.force(item),
        None => Err(ev.other_error(format!(
            "'builtins.elemAt' called with index {index} on a list of size {}",
            items.items().len()
        ))),
    }
}

fn map(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, items] = args else {
        return Err(internal());
    };
    let items = ev.want_list(items)?;
    if items.items().is_empty() {
        return Ok(Value::List(items, made));
    }
    let function = Rc::new((ev.want_function(function)?, made));
    ev.check_memory(items.items().len() * 128)?;
    let items = items
        .items()
        .iter()
        .map(|item| Evaluator::later_shared(&function, item));
    Ok(list(items.collect(), made))
}

fn filter(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [predicate, items] = args else {
        return Err(internal());
    };
    let items = ev.want_list(items)?;
    if items.items().is_empty() {
        return Ok(Value::List(items, made));
    }
    let predicate = ev.want_function(predicate)?;
    let mut kept = Vec::new();
    for item in items.items() {
        let answer = ev.apply(&predicate, std::slice::from_ref(item), made)?;
        if ev.want_bool(&answer)? {
            kept.push(item.clone());
        }
    }
    if kept.len() == items.items().len() {
        return Ok(Value::List(items, made));
    }
    Ok(list(kept, made))
}

fn elem(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [wanted, items] = args else {
        return Err(internal());
    };
    let mut unknown = None;
    for item in ev.want_list(items)?.items() {
        match ev.equal(wanted, item) {
            Ok(true) => return Ok(Value::Bool(true, made)),
            Ok(false) => {}
            Err(error) if error.as_unknown().is_some() => unknown = Some(error),
            Err(error) => return Err(error),
        }
    }
    unknown.map_or(Ok(Value::Bool(false, made)), Err)
}

/// Adds the elements of a list to others, and of one that is not known those that are.
fn add_elements(
    ev: &Evaluator<'_>,
    inner: &Value,
    all: &mut Vec<Value>,
    unknown: &mut Option<Rc<source::Unknown>>,
) -> Result<()> {
    if let Value::Unknown(..) = inner {
        let (elements, depends_on) = ev.elements_in_part(inner).ok_or_else(internal)?;
        all.extend(elements);
        *unknown = unknown.take().or(depends_on);
    } else {
        all.extend_from_slice(ev.want_list(inner)?.items());
    }
    if all.len() > 1 << 12 {
        ev.check_memory(all.len() * 16)?;
    }
    Ok(())
}

fn concat_lists(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [lists] = args else { return Err(internal()) };
    let lists = ev.want_list(lists)?;
    let mut all = Vec::new();
    let mut unknown = None;
    for inner in lists.items() {
        add_elements(ev, &ev.force(inner)?, &mut all, &mut unknown)?;
    }
    match unknown {
        Some(unknown) => Ok(ev.list_in_part(&unknown, all)),
        None => Ok(list(all, made)),
    }
}

fn concat_map(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, items] = args else {
        return Err(internal());
    };
    let function = ev.want_function(function)?;
    let items = ev.want_list(items)?;
    let mut all = Vec::new();
    let mut unknown = None;
    for item in items.items() {
        let inner = ev.caught(ev.apply(&function, std::slice::from_ref(item), made))?;
        add_elements(ev, &inner, &mut all, &mut unknown)?;
    }
    match unknown {
        Some(unknown) => Ok(ev.list_in_part(&unknown, all)),
        None => Ok(list(all, made)),
    }
}

fn fold(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, start, items] = args else {
        return Err(internal());
    };
    let function = ev.want_function(function)?;
    let items = ev.want_list(items)?;
    if items.items().is_empty() {
        return ev.force(start);
    }
    let mut result = start.clone();
    for item in items.items() {
        result = ev.apply(&function, &[result, item.clone()], made)?;
    }
    Ok(result)
}

fn any(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    quantify(ev, args, made, true)
}

fn all(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    quantify(ev, args, made, false)
}

/// Whether some element gives `decisive`; one that does decides even beside unknown ones.
fn quantify(ev: &Evaluator<'_>, args: &[Value], made: Made, decisive: bool) -> Result<Value> {
    let [predicate, items] = args else {
        return Err(internal());
    };
    let predicate = ev.want_function(predicate)?;
    let mut unknown = None;
    for item in ev.want_list(items)?.items() {
        let answer = ev
            .apply(&predicate, std::slice::from_ref(item), made)
            .and_then(|answer| ev.want_bool(&answer));
        match answer {
            Ok(answer) if answer == decisive => return Ok(Value::Bool(decisive, made)),
            Ok(_) => {}
            Err(error) if error.as_unknown().is_some() => unknown = Some(error),
            Err(error) => return Err(error),
        }
    }
    unknown.map_or(Ok(Value::Bool(!decisive, made)), Err)
}

fn gen_list(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, count] = args else {
        return Err(internal());
    };
    let count = ev.want_int(count)?;
    let Ok(length) = usize::try_from(count) else {
        return Err(ev.other_error(format!("cannot create list of size {count}")));
    };
    ev.check_memory(length.saturating_mul(128))?;
    if length == 0 {
        return Ok(list(Vec::new(), made));
    }
    let function = Rc::new((ev.want_function(function)?, made));
    let items = (0..count).map(|index| Value::Thunk(Thunk::new(State::ApplyInt(function.clone(), index))));
    Ok(list(items.collect(), made))
}

fn partition(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [predicate, items] = args else {
        return Err(internal());
    };
    let predicate = ev.want_function(predicate)?;
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for item in ev.want_list(items)?.items() {
        let answer = ev.apply(&predicate, std::slice::from_ref(item), made)?;
        if ev.want_bool(&answer)? {
            right.push(item.clone());
        } else {
            wrong.push(item.clone());
        }
    }
    let named = vec![(Sym::RIGHT, list(right, made)), (Sym::WRONG, list(wrong, made))];
    Ok(ev.attrs_of(named, made))
}

fn group_by(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, items] = args else {
        return Err(internal());
    };
    let function = ev.want_function(function)?;
    let mut groups: rustc_hash::FxHashMap<Sym, Vec<Value>> = rustc_hash::FxHashMap::default();
    for item in ev.want_list(items)?.items() {
        let key = ev.apply(&function, std::slice::from_ref(item), made)?;
        let key = ev.symbol(&*ev.want_plain_string(&key)?)?;
        groups.entry(key).or_default().push(item.clone());
    }
    let mut entries: Vec<Entry> = groups
        .into_iter()
        .map(|(name, items)| Entry {
            name,
            binding: 0,
            value: list(items, made),
        })
        .collect();
    entries.sort_by_key(|entry| entry.name);
    Ok(Value::Attrs(Rc::new(Attrs::new(entries)), made))
}

fn sort(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [comparator, items] = args else {
        return Err(internal());
    };
    let items = ev.want_list(items)?;
    if items.items().is_empty() {
        return Ok(Value::List(items, made));
    }
    let comparator = ev.want_function(comparator)?;
    let plain_order = matches!(&comparator, Value::Builtin(applied, _)
        if applied.args.is_empty() && matches!(applied.function, crate::value::Function::Builtin(it) if it.name == "lessThan"));
    let mut sorted = items.items().to_vec();
    let less = |a: &Value, b: &Value| -> Result<bool> {
        if plain_order {
            let (a, b) = (ev.force(a)?, ev.force(b)?);
            return Ok(ev.order(&a, &b)? == Some(Ordering::Less));
        }
        let answer = ev.apply(&comparator, &[a.clone(), b.clone()], made)?;
        ev.want_bool(&answer)
    };
    for item in &mut sorted {
        *item = ev.force(item)?;
    }
    merge_sort(&mut sorted, &less)?;
    Ok(list(sorted, made))
}

/// A stable sort that bears a comparison that fails or is no order.
pub(super) fn merge_sort(
    items: &mut Vec<Value>,
    less: &dyn Fn(&Value, &Value) -> Result<bool>,
) -> Result<()> {
    let mut width = 1;
    let length = items.len();
    while width < length {
        let mut merged = Vec::with_capacity(length);
        for pair in items.chunks(width * 2) {
            let (left, right) = pair.split_at_checked(width).unwrap_or((pair, &[]));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                // The right one goes first only if it is truly less: equal ones keep their order.
                if less(b, a)? {
                    merged.extend(right.next().cloned());
                } else {
                    merged.extend(left.next().cloned());
                }
            }
            merged.extend(left.cloned());
            merged.extend(right.cloned());
        }
        *items = merged;
        width *= 2;
    }
    Ok(())
}

/// How many steps an element of a closure counts for. Nothing else in the language runs on without
/// nesting deeper or holding a list of a known length, so that one that never ends must be told
/// from a large one by its size: the limit on steps lets it have half a million elements.
const STEPS_OF_A_MEMBER: u64 = 4_000;

/// Keys in their order, as Nix keeps them, so that what cannot be compared is an error; in pieces,
/// so that a key before many others moves few.
#[derive(Default)]
struct Keys {
    /// None of them is empty.
    pieces: Vec<Vec<Value>>,
}

impl Keys {
    const LARGEST_PIECE: usize = 1 << 10;

    /// Adds a key; whether it is new.
    fn insert(
        &mut self,
        key: Value,
        order: impl Fn(&Value, &Value) -> Result<Option<Ordering>>,
    ) -> Result<bool> {
        // The last piece that does not begin after the key.
        let (mut low, mut high) = (0, self.pieces.len());
        while low < high {
            let middle = (low + high) / 2;
            let Some(first) = self.pieces.get(middle).and_then(|piece| piece.first()) else {
                break;
            };
            match order(&key, first)? {
                Some(Ordering::Less) => high = middle,
                Some(Ordering::Equal) => return Ok(false),
                _ => low = middle + 1,
            }
        }
        let at = low.saturating_sub(1);
        let Some(piece) = self.pieces.get_mut(at) else {
            self.pieces.push(vec![key]);
            return Ok(true);
        };
        let (mut low, mut high) = (0, piece.len());
        while low < high {
            let middle = (low + high) / 2;
            let Some(other) = piece.get(middle) else { break };
            match order(&key, other)? {
                Some(Ordering::Less) => high = middle,
                Some(Ordering::Equal) => return Ok(false),
                _ => low = middle + 1,
            }
        }
        piece.insert(low, key);
        if piece.len() > Self::LARGEST_PIECE {
            let half = piece.split_off(piece.len() / 2);
            self.pieces.insert(at + 1, half);
        }
        Ok(true)
    }
}

fn generic_closure(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [argument] = args else { return Err(internal()) };
    let argument = ev.want_attrs(argument)?;
    let part = |name: Sym| {
        argument.get(name).ok_or_else(|| {
            ev.other_error(format!(
                "attribute '{}' missing in the argument of 'builtins.genericClosure'",
                ev.symbols.name(name)
            ))
        })
    };
    let start = ev.want_list(part(Sym::START_SET)?)?;
    if start.items().is_empty() {
        return Ok(Value::List(start, made));
    }
    let operator = ev.want_function(part(Sym::OPERATOR)?)?;
    let mut queue: std::collections::VecDeque<Value> = start.items().iter().cloned().collect();
    let mut keys = Keys::default();
    let mut all = Vec::new();
    while let Some(item) = queue.pop_front() {
        let attrs = ev.want_attrs(&item)?;
        let Some(key) = attrs.get(Sym::KEY) else {
            return Err(ev.other_error("attribute 'key' missing in an element of 'builtins.genericClosure'"));
        };
        let key = ev.force(key)?;
        if let Value::Unknown(unknown, _) = &key {
            return Err(Error::unknown(unknown.clone()));
        }
        if let Value::Str(text, _) = &key {
            // It is compared with many of the others.
            ev.charge(text.bytes().len() as u64 * 4)?;
        }
        if all.is_empty() {
            // A single key is compared with itself, so that a key without order is an error.
            ev.order(&key, &key)?;
        }
        if !keys.insert(key, |a, b| ev.order(a, b))? {
            continue;
        }
        all.push(item.clone());
        ev.charge(STEPS_OF_A_MEMBER)?;
        if all.len() % 1024 == 0 {
            ev.check_memory(all.len() * 64)?;
        }
        let more = ev.apply(&operator, &[item], made)?;
        for next in ev.want_list(&more)?.items() {
            ev.want_attrs(next)?;
            queue.push_back(next.clone());
        }
    }
    Ok(list(all, made))
}
