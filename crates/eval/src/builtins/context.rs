//! String contexts: what in the store a string depends on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Builtin, builtin, list, string};
use crate::evaluator::{Evaluator, Result, internal};
use crate::ops::{Builder, Coerce};
use crate::symbol::Sym;
use crate::value::{Context, Contexts, Made, Text, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("addDrvOutputDependencies", 1, 0b1, add_drv_output_dependencies),
    builtin("appendContext", 2, 0b11, append_context),
    builtin("getContext", 1, 0b1, get_context),
    builtin("hasContext", 1, 0b1, has_context),
    builtin("unsafeDiscardOutputDependency", 1, 0b1, discard_output_dependency),
    builtin("unsafeDiscardStringContext", 1, 0b1, discard_context),
];

fn text(ev: &Evaluator<'_>, value: &Value) -> Result<Text> {
    let mut builder = Builder::default();
    ev.coerce(value, Coerce::Interpolation, &mut builder)?;
    Ok(builder.finish())
}

fn discard_context(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let text = text(ev, value)?;
    Ok(string(text.bytes(), made))
}

fn has_context(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let text = ev.want_string(value)?;
    Ok(Value::Bool(text.context.is_some(), made))
}

fn with_contexts(text: &Text, contexts: Contexts, made: Made) -> Value {
    let builder = Builder {
        bytes: text.bytes().to_vec(),
        contexts,
    };
    builder.value(made)
}

fn discard_output_dependency(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let text = text(ev, value)?;
    let contexts = text
        .context
        .iter()
        .flat_map(|context| context.iter())
        .map(|context| match context {
            Context::Deep(drv) => Context::Path(drv.clone()),
            other => other.clone(),
        })
        .collect();
    Ok(with_contexts(&text, contexts, made))
}

fn add_drv_output_dependencies(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let text = text(ev, value)?;
    let contexts: Vec<Context> = text
        .context
        .iter()
        .flat_map(|context| context.iter().cloned())
        .collect();
    let [context] = contexts.as_slice() else {
        return Err(ev.other_error(format!(
            "context of string '{}' must have exactly one element, but has {}",
            text.lossy(),
            contexts.len()
        )));
    };
    let context = match context {
        Context::Path(path) if path.ends_with(".drv") => Context::Deep(path.clone()),
        Context::Path(path) => return Err(ev.other_error(format!("path '{path}' is not a derivation"))),
        Context::Built { output, .. } => {
            return Err(ev.other_error(format!(
                "`addDrvOutputDependencies` can only act on derivations, not on a derivation output such as '{output}'"
            )));
        }
        deep @ Context::Deep(_) => deep.clone(),
    };
    Ok(with_contexts(&text, Contexts::from([context]), made))
}

#[derive(Default)]
struct Uses {
    path: bool,
    all_outputs: bool,
    outputs: Vec<Arc<str>>,
}

fn get_context(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let text = ev.want_string(value)?;
    let mut uses: BTreeMap<Arc<str>, Uses> = BTreeMap::new();
    for context in text.context.iter().flat_map(|context| context.iter()) {
        match context {
            Context::Path(path) => uses.entry(path.clone()).or_default().path = true,
            Context::Deep(drv) => uses.entry(drv.clone()).or_default().all_outputs = true,
            Context::Built { drv, output } => {
                uses.entry(drv.clone()).or_default().outputs.push(output.clone())
            }
        }
    }
    let named = uses
        .into_iter()
        .map(|(path, uses)| {
            let mut parts = Vec::new();
            if uses.path {
                parts.push((Sym::PATH, Value::Bool(true, made)));
            }
            if uses.all_outputs {
                parts.push((Sym::ALL_OUTPUTS, Value::Bool(true, made)));
            }
            if !uses.outputs.is_empty() {
                let outputs = uses.outputs.iter().map(|output| string(output.as_bytes(), made));
                parts.push((Sym::OUTPUTS, list(outputs.collect(), made)));
            }
            (ev.symbols.intern(&path), ev.attrs_of(parts, made))
        })
        .collect();
    Ok(ev.attrs_of(named, made))
}

fn append_context(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value, added] = args else {
        return Err(internal());
    };
    let text = ev.want_string(value)?;
    let mut contexts: Contexts = text
        .context
        .iter()
        .flat_map(|context| context.iter().cloned())
        .collect();
    for entry in ev.want_attrs(added)?.entries() {
        let path: Arc<str> = (&*ev.symbols.name(entry.name)).into();
        if !path.starts_with("/nix/store/") {
            return Err(ev.other_error(format!("context key '{path}' is not a store path")));
        }
        let uses = ev.want_attrs(&entry.value)?;
        if let Some(value) = uses.get(Sym::PATH)
            && ev.want_bool(value)?
        {
            contexts.insert(Context::Path(path.clone()));
        }
        if let Some(value) = uses.get(Sym::ALL_OUTPUTS)
            && ev.want_bool(value)?
        {
            if !path.ends_with(".drv") {
                return Err(ev.other_error(format!(
                    "tried to add all-outputs context of {path}, which is not a derivation, to a string"
                )));
            }
            contexts.insert(Context::Deep(path.clone()));
        }
        if let Some(value) = uses.get(Sym::OUTPUTS) {
            let outputs = ev.want_list(value)?;
            if !outputs.items().is_empty() && !path.ends_with(".drv") {
                return Err(ev.other_error(format!(
                    "tried to add derivation output context of {path}, which is not a derivation, to a string"
                )));
            }
            for output in outputs.items() {
                let output = ev.want_plain_string(output)?;
                contexts.insert(Context::Built {
                    drv: path.clone(),
                    output: output.lossy().as_ref().into(),
                });
            }
        }
    }
    Ok(with_contexts(&text, contexts, made))
}
