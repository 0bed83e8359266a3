//! Functions on attribute sets.

use std::rc::Rc;

use smallvec::SmallVec;

use super::{Builtin, builtin, list};
use crate::code::{Expr, Params};
use crate::error::Error;
use crate::evaluator::{Evaluator, Result, internal};
use crate::symbol::Sym;
use crate::value::{Attrs, CARRIED, Entry, Function, Made, State, Thunk, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("attrNames", 1, 0b1, attr_names),
    builtin("attrValues", 1, 0b1, attr_values),
    builtin("catAttrs", 2, 0b11, cat_attrs),
    builtin("functionArgs", 1, 0b1, function_args),
    builtin("getAttr", 2, 0b11, get_attr),
    builtin("hasAttr", 2, 0b11, has_attr),
    builtin("intersectAttrs", 2, 0b11, intersect_attrs),
    builtin("isAttrs", 1, 0b1, is_attrs),
    builtin("listToAttrs", 1, 0b1, list_to_attrs),
    builtin("mapAttrs", 2, 0b10, map_attrs),
    builtin("removeAttrs", 2, 0b11, remove_attrs),
    builtin("unsafeGetAttrPos", 2, 0b11, attr_pos),
    builtin("zipAttrsWith", 2, 0b01, zip_attrs_with),
];

/// A set all of whose names are known.
fn closed(ev: &Evaluator<'_>, value: &Value) -> Result<Rc<Attrs>> {
    let attrs = ev.want_attrs(value)?;
    match &attrs.open {
        Some(open) => Err(Error::unknown(open.clone())),
        None => Ok(attrs),
    }
}

fn by_name<'a>(ev: &Evaluator<'_>, attrs: &'a Attrs) -> Vec<&'a Entry> {
    let mut entries: Vec<&Entry> = attrs.entries().iter().collect();
    ev.symbols.sort_by_name(&mut entries, |entry| entry.name);
    entries
}

fn attr_names(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [set] = args else { return Err(internal()) };
    let set = closed(ev, set)?;
    let names = by_name(ev, &set)
        .into_iter()
        .map(|entry| Value::Str(ev.symbols.text(entry.name), made));
    Ok(list(names.collect(), made))
}

fn attr_values(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [set] = args else { return Err(internal()) };
    let set = closed(ev, set)?;
    let values = by_name(ev, &set).into_iter().map(|entry| entry.value.clone());
    Ok(list(values.collect(), made))
}

fn get_attr(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [name, set] = args else { return Err(internal()) };
    let name = ev.want_plain_string(name)?;
    let symbol = ev.symbol(&name)?;
    match ev.force(set)? {
        Value::Attrs(attrs, _) => match (attrs.get(symbol), &attrs.open) {
            (Some(value), _) => ev.force(value),
            (None, Some(open)) => Ok(ev.unknown_attr(open, symbol, None)),
            (None, None) => Err(Error::new(
                crate::error::ErrorKind::Missing,
                format!("attribute '{}' missing", name.lossy()),
            )),
        },
        Value::Unknown(unknown, _) => Ok(ev.unknown_attr(&unknown, symbol, None)),
        other => Err(ev.wrong("a set", &other)),
    }
}

fn has_attr(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [name, set] = args else { return Err(internal()) };
    let name = ev.symbol(&*ev.want_plain_string(name)?)?;
    let attrs = ev.want_attrs(set)?;
    match (attrs.get(name), &attrs.open) {
        (Some(_), _) => Ok(Value::Bool(true, made)),
        (None, Some(open)) => Err(Error::unknown(open.clone())),
        (None, None) => Ok(Value::Bool(false, made)),
    }
}

fn is_attrs(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    ev.is_kind(value, |value| matches!(value, Value::Attrs(..)), made)
}

fn remove_attrs(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [set, names] = args else {
        return Err(internal());
    };
    let attrs = ev.want_attrs(set)?;
    let mut gone: SmallVec<[Sym; 8]> = SmallVec::new();
    for name in ev.want_list(names)?.items() {
        let name = ev.want_plain_string(name)?;
        if let Some(symbol) = std::str::from_utf8(name.bytes())
            .ok()
            .and_then(|name| ev.symbols.find(name))
        {
            gone.push(symbol);
        }
    }
    gone.sort_unstable();
    if !attrs
        .entries()
        .iter()
        .any(|entry| gone.binary_search(&entry.name).is_ok())
    {
        return Ok(Value::Attrs(attrs, made));
    }
    let kept: Vec<Entry> = attrs
        .entries()
        .iter()
        .filter(|entry| gone.binary_search(&entry.name).is_err())
        .cloned()
        .collect();
    Ok(Value::Attrs(
        Rc::new(Attrs::with_open(kept, attrs.open.clone())),
        made,
    ))
}

fn list_to_attrs(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [items] = args else { return Err(internal()) };
    let items = ev.want_list(items)?;
    let mut entries: Vec<Entry> = Vec::with_capacity(items.items().len());
    let missing = |name: &str| {
        ev.other_error(format!(
            "attribute '{name}' missing in an element of the list given to 'builtins.listToAttrs'"
        ))
    };
    for item in items.items() {
        let pair = ev.want_attrs(item)?;
        let name = pair.get(Sym::NAME).ok_or_else(|| missing("name"))?;
        let name = ev.symbol(&*ev.want_plain_string(name)?)?;
        match pair.find(Sym::VALUE) {
            Some(value) => entries.push(Entry {
                name,
                binding: value.binding,
                value: value.value.clone(),
            }),
            // What does not count need not be there.
            None if entries.iter().any(|entry| entry.name == name) => {}
            None => return Err(missing("value")),
        }
    }
    // The first of several with one name counts; the order is stable.
    entries.sort_by_key(|entry| entry.name);
    entries.dedup_by_key(|entry| entry.name);
    Ok(Value::Attrs(Rc::new(Attrs::new(entries)), made))
}

fn intersect_attrs(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [left, right] = args else {
        return Err(internal());
    };
    let left = closed(ev, left)?;
    let right = ev.want_attrs(right)?;
    if let Some(open) = &right.open {
        // Which of the names are there is not known; those that are known are kept.
        let entries = left
            .entries()
            .iter()
            .map(|entry| match right.find(entry.name) {
                Some(found) => found.clone(),
                None => Entry {
                    name: entry.name,
                    binding: 0,
                    value: ev.unknown_attr(open, entry.name, None),
                },
            })
            .collect();
        return Ok(Value::Attrs(Rc::new(Attrs::new(entries)), made));
    }
    // Walk the smaller set; take the values of the right one.
    let entries: Vec<Entry> = if left.len() < right.len() {
        left.entries()
            .iter()
            .filter_map(|entry| right.find(entry.name).cloned())
            .collect()
    } else {
        right
            .entries()
            .iter()
            .filter(|entry| left.find(entry.name).is_some())
            .cloned()
            .collect()
    };
    Ok(Value::Attrs(Rc::new(Attrs::new(entries)), made))
}

fn cat_attrs(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [name, sets] = args else {
        return Err(internal());
    };
    let name = ev.symbol(&*ev.want_plain_string(name)?)?;
    let mut found = Vec::new();
    for set in ev.want_list(sets)?.items() {
        let attrs = ev.want_attrs(set)?;
        match (attrs.get(name), &attrs.open) {
            (Some(value), _) => found.push(value.clone()),
            (None, Some(open)) => return Err(Error::unknown(open.clone())),
            (None, None) => {}
        }
    }
    Ok(list(found, made))
}

fn map_attrs(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, set] = args else {
        return Err(internal());
    };
    let attrs = ev.want_attrs(set)?;
    ev.check_memory(attrs.len() * 160)?;
    let shared = Rc::new((function.clone(), made));
    let entries = attrs
        .entries()
        .iter()
        .map(|entry| {
            let state = match &entry.value {
                Value::Thunk(thunk) => State::ApplyNamed(shared.clone(), entry.name, thunk.clone()),
                known => {
                    let name = Value::Str(ev.symbols.text(entry.name), made);
                    State::Apply2(Box::new((function.clone(), name, known.clone(), made)))
                }
            };
            Entry {
                name: entry.name,
                binding: match entry.binding {
                    0 => 0,
                    binding => binding | CARRIED,
                },
                value: Value::Thunk(Thunk::new(state)),
            }
        })
        .collect();
    let open = attrs.open.clone();
    Ok(Value::Attrs(Rc::new(Attrs::with_open(entries, open)), made))
}

fn zip_attrs_with(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function, sets] = args else {
        return Err(internal());
    };
    let function = &ev.want_function(function)?;
    let sets = ev.want_list(sets)?;
    let sets = sets
        .items()
        .iter()
        .map(|set| ev.want_attrs(set))
        .collect::<Result<Vec<_>>>()?;
    if let Some(open) = sets.iter().find_map(|set| set.open.as_ref()) {
        return Err(Error::unknown(open.clone()));
    }
    let mut gathered: Vec<&Entry> = sets.iter().flat_map(|set| set.entries()).collect();
    // A stable order: the values of one name stay in the order of the sets.
    gathered.sort_by_key(|entry| entry.name);
    let entries = gathered
        .chunk_by(|a, b| a.name == b.name)
        .filter_map(|group| {
            let name = group.first()?.name;
            let text = Value::Str(ev.symbols.text(name), made);
            let values = group.iter().map(|entry| entry.value.clone()).collect();
            let parts = (function.clone(), text, list(values, made), made);
            Some(Entry {
                name,
                binding: 0,
                value: Value::Thunk(Thunk::new(State::Apply2(Box::new(parts)))),
            })
        })
        .collect();
    Ok(Value::Attrs(Rc::new(Attrs::new(entries)), made))
}

fn function_args(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [function] = args else { return Err(internal()) };
    let function = ev.force(function)?;
    let mut entries = Vec::new();
    match &function {
        Value::Lambda(closure, _) => {
            if let Expr::Lambda(lambda) = closure.code.expr(closure.lambda)
                && let Params::Set { formals, .. } = &lambda.params
            {
                for formal in formals {
                    entries.push(Entry {
                        name: formal.name,
                        binding: ev.formal_binding(closure.code.file, formal.range),
                        value: Value::Bool(formal.default.is_some(), made),
                    });
                }
            }
        }
        Value::Builtin(applied, _) => {
            if let Function::Native(native) = &applied.function
                && let Some(formals) = &native.formals
            {
                for (name, has_default) in formals {
                    entries.push(Entry {
                        name: ev.symbols.intern(name),
                        binding: 0,
                        value: Value::Bool(*has_default, made),
                    });
                }
                entries.sort_by_key(|entry| entry.name);
            }
        }
        // A set with `__functor` is none to Nix; `lib.functionArgs` looks into it.
        other => return Err(ev.wrong("a function", other)),
    }
    Ok(Value::Attrs(Rc::new(Attrs::new(entries)), made))
}

fn attr_pos(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [name, set] = args else { return Err(internal()) };
    let name = ev.symbol(&*ev.want_plain_string(name)?)?;
    let attrs = ev.want_attrs(set)?;
    let Some(entry) = attrs.find(name) else {
        return Ok(Value::Null(made));
    };
    let bindings = ev.bindings.borrow();
    match bindings.get(entry.binding as usize) {
        Some(data) if entry.binding > 0 => Ok(ev.position_value(data.file, Some(&data.name), made)),
        _ => Ok(Value::Null(made)),
    }
}
