//! What would build, fetch, write, run a program, or read the environment: unknowns that say so.

use std::rc::Rc;

use source::Unknown;

use super::{Builtin, builtin, string};
use crate::error::Error;
use crate::evaluator::{Evaluator, Result, internal};
use crate::ops::{Builder, Coerce};
use crate::value::{Made, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("exec", 1, 0, |ev, _, made| {
        refuse(ev, made, "exec", "it would run a program")
    }),
    builtin("fetchClosure", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchClosure")
    }),
    builtin("fetchFinalTree", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchFinalTree")
    }),
    builtin("fetchGit", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchGit")
    }),
    builtin("fetchMercurial", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchMercurial")
    }),
    builtin("fetchTarball", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchTarball")
    }),
    builtin("fetchTree", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchTree")
    }),
    builtin("fetchurl", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "fetchurl")
    }),
    builtin("getFlake", 1, 0b1, |ev, args, made| {
        fetch(ev, args, made, "getFlake")
    }),
    builtin("getEnv", 1, 0b1, get_env),
    builtin("importNative", 2, 0, |ev, _, made| {
        refuse(ev, made, "importNative", "it would run a program")
    }),
    builtin("outputOf", 2, 0, |ev, _, made| {
        refuse(ev, made, "outputOf", "it would build")
    }),
    builtin("storePath", 1, 0b1, store_path),
];

fn refuse(ev: &Evaluator<'_>, made: Made, name: &str, because: &str) -> Result<Value> {
    Err(Error::unknown(Rc::new(Unknown {
        name: format!("builtins.{name} …").into(),
        because: because.into(),
        span: ev.span_at(made.position()),
    })))
}

fn fetch(ev: &Evaluator<'_>, args: &[Value], made: Made, name: &str) -> Result<Value> {
    let [argument] = args else { return Err(internal()) };
    match ev.force(argument)? {
        Value::Str(..) | Value::Attrs(..) | Value::Path(..) => refuse(ev, made, name, "it would fetch"),
        other => Err(ev.wrong("a set or a string", &other)),
    }
}

/// A variable that the caller gave; none is read.
fn get_env(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [name] = args else { return Err(internal()) };
    let name = ev.want_plain_string(name)?;
    let value = ev
        .options
        .environment
        .iter()
        .find(|(known, _)| known.as_bytes() == name.bytes())
        .map_or("", |(_, value)| value);
    Ok(string(value.as_bytes(), made))
}

fn store_path(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [path] = args else { return Err(internal()) };
    let mut builder = Builder::default();
    ev.coerce(path, Coerce::Path, &mut builder)?;
    if !builder.bytes.starts_with(b"/nix/store/") {
        return Err(ev.other_error(format!(
            "path '{}' is not in the Nix store",
            String::from_utf8_lossy(&builder.bytes)
        )));
    }
    refuse(ev, made, "storePath", "the store is not an input")
}
