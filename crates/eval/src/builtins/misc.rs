//! Types, control, files, and conversion to and from other formats.

use std::rc::Rc;

use source::FileKind;

use super::{Builtin, builtin, string};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, internal};
use crate::ops::{Builder, Coerce};
use crate::paths;
use crate::symbol::Sym;
use crate::value::{Made, Text, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("abort", 1, 0b1, abort),
    builtin("addErrorContext", 2, 0, add_error_context),
    builtin("baseNameOf", 1, 0b1, base_name_of),
    builtin("break", 1, 0b1, break_),
    builtin("convertHash", 1, 0b1, convert_hash),
    builtin("deepSeq", 2, 0b1, deep_seq),
    builtin("dirOf", 1, 0b1, dir_of),
    builtin("findFile", 2, 0b11, find_file),
    builtin("fromJSON", 1, 0b1, from_json),
    builtin("fromTOML", 1, 0b1, from_toml),
    builtin("hashFile", 2, 0b11, hash_file),
    builtin("hashString", 2, 0b01, hash_string),
    builtin("import", 1, 0b1, import),
    builtin("isBool", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| matches!(value, Value::Bool(..)))
    }),
    builtin("isFloat", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| matches!(value, Value::Float(..)))
    }),
    builtin("isFunction", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| {
            matches!(value, Value::Lambda(..) | Value::Builtin(..))
        })
    }),
    builtin("isInt", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| matches!(value, Value::Int(..)))
    }),
    builtin("isNull", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| matches!(value, Value::Null(_)))
    }),
    builtin("isPath", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| matches!(value, Value::Path(..)))
    }),
    builtin("isString", 1, 0b1, |ev, args, made| {
        is(ev, args, made, |value| matches!(value, Value::Str(..)))
    }),
    builtin("pathExists", 1, 0b1, path_exists),
    builtin("readDir", 1, 0b1, read_dir),
    builtin("readFile", 1, 0b1, read_file),
    builtin("readFileType", 1, 0b1, read_file_type),
    builtin("scopedImport", 2, 0b11, scoped_import),
    builtin("seq", 2, 0b1, seq),
    builtin("throw", 1, 0b1, throw),
    builtin("toJSON", 1, 0b1, to_json),
    builtin("toPath", 1, 0b1, to_path),
    builtin("toXML", 1, 0b1, to_xml),
    builtin("trace", 2, 0b1, trace),
    builtin("traceVerbose", 2, 0, trace_verbose),
    builtin("tryEval", 1, 0, try_eval),
    builtin("typeOf", 1, 0b1, type_of),
    builtin("warn", 2, 0b1, warn),
];

fn is(ev: &Evaluator<'_>, args: &[Value], made: Made, test: fn(&Value) -> bool) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    ev.is_kind(value, test, made)
}

fn type_of(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let name: &[u8] = match ev.force(value)? {
        Value::Null(_) => b"null",
        Value::Bool(..) => b"bool",
        Value::Int(..) => b"int",
        Value::Float(..) => b"float",
        Value::Str(..) => b"string",
        Value::Path(..) => b"path",
        Value::List(..) => b"list",
        Value::Attrs(..) => b"set",
        Value::Lambda(..) | Value::Builtin(..) => b"lambda",
        Value::Unknown(unknown, _) => return Err(Error::unknown(unknown)),
        Value::Thunk(_) => return Err(internal()),
    };
    Ok(string(name, made))
}

/// The text of an error message that the program gives.
fn message(ev: &Evaluator<'_>, value: &Value) -> Result<String> {
    let mut builder = Builder::default();
    ev.coerce(value, Coerce::Interpolation, &mut builder)?;
    Ok(String::from_utf8_lossy(&builder.bytes).into_owned())
}

fn abort(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [text] = args else { return Err(internal()) };
    let text = message(ev, text)?;
    Err(ev.error_made(
        made,
        ErrorKind::Abort,
        format!("evaluation aborted with the following error message: '{text}'"),
    ))
}

fn throw(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [text] = args else { return Err(internal()) };
    let text = message(ev, text)?;
    Err(ev.error_made(made, ErrorKind::Throw, text))
}

fn break_(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    ev.force(value)
}

fn add_error_context(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [context, value] = args else {
        return Err(internal());
    };
    match ev.force(value) {
        Ok(value) => Ok(value),
        Err(error) if error.as_unknown().is_some() => Err(error),
        Err(error) => {
            let text = message(ev, context)?;
            Err(error.note(text, ev.span_at(made.position())))
        }
    }
}

fn seq(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [first, second] = args else {
        return Err(internal());
    };
    ev.force(first)?;
    ev.force(second)
}

fn deep_seq(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [first, second] = args else {
        return Err(internal());
    };
    ev.force_deep(first)?;
    ev.force(second)
}

fn trace(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [first, second] = args else {
        return Err(internal());
    };
    let shown = match ev.force(first)? {
        Value::Str(text, _) => text.lossy().into_owned(),
        other => ev.brief(&other),
    };
    ev.add_trace(format!("trace: {shown}"));
    ev.force(second)
}

/// Only traces when Nix is asked to be verbose, which is not an input here.
fn trace_verbose(ev: &Evaluator<'_>, args: &[Value], _: Made) -> Result<Value> {
    let [_, second] = args else { return Err(internal()) };
    ev.force(second)
}

fn warn(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [first, second] = args else {
        return Err(internal());
    };
    let text = ev.want_string(first)?;
    ev.add_trace(format!("evaluation warning: {}", text.lossy()));
    if ev.options.abort_on_warn {
        return Err(ev.error_made(
            made,
            ErrorKind::Abort,
            "aborting to reveal stack trace of warning, as abort-on-warn is set",
        ));
    }
    ev.force(second)
}

fn try_eval(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    ev.tries.set(ev.tries.get() + 1);
    let forced = ev.force(value);
    ev.tries.set(ev.tries.get() - 1);
    let (success, value) = match forced {
        Ok(Value::Unknown(unknown, _)) => return Err(Error::unknown(unknown)),
        Ok(value) => (true, value),
        Err(error) if error.is_catchable() => (false, Value::Bool(false, made)),
        Err(error) => return Err(error),
    };
    let named = vec![(Sym::SUCCESS, Value::Bool(success, made)), (Sym::VALUE, value)];
    Ok(ev.attrs_of(named, made))
}

// ----- files --------------------------------------------------------------------------------------

/// The path that a value stands for, to be read.
pub(super) fn path(ev: &Evaluator<'_>, value: &Value) -> Result<Vec<u8>> {
    let mut builder = Builder::default();
    ev.coerce(value, Coerce::Path, &mut builder)?;
    if builder.bytes.first() != Some(&b'/') {
        return Err(ev.other_error(format!(
            "string '{}' doesn't represent an absolute path",
            String::from_utf8_lossy(&builder.bytes)
        )));
    }
    if !builder.contexts.is_empty() {
        return Err(Error::unknown(Rc::new(source::Unknown {
            name: String::from_utf8_lossy(&builder.bytes).as_ref().into(),
            because: "the store is not an input".into(),
            span: None,
        })));
    }
    Ok(paths::canonical(&builder.bytes))
}

fn import(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [target] = args else { return Err(internal()) };
    let target = path(ev, target)?;
    ev.deeper(|| ev.import(&target, made))
}

fn scoped_import(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [scope, target] = args else {
        return Err(internal());
    };
    let target = path(ev, target)?;
    ev.scoped_import(scope, &target, made)
}

fn is_link(ev: &Evaluator<'_>, path: &[u8]) -> bool {
    let folder = crate::files::parent(path);
    let name = path.get(folder.len()..).unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let name = name.trim_start_matches('/');
    ev.list_folder(folder).is_ok_and(|entries| {
        entries
            .iter()
            .any(|(entry, kind)| entry == name && *kind == FileKind::Symlink)
    })
}

fn path_exists(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [target] = args else { return Err(internal()) };
    let mut builder = Builder::default();
    ev.coerce(target, Coerce::Path, &mut builder)?;
    let slash = matches!(builder.bytes.last(), Some(b'/')) || builder.bytes.ends_with(b"/.");
    let target = path(ev, target)?;
    let kind = ev.path_kind(&target)?;
    let exists = match kind {
        Some(FileKind::Directory) => true,
        Some(_) => !slash,
        // A link to nowhere is there, though what it names is not.
        None => !slash && is_link(ev, &target),
    };
    Ok(Value::Bool(exists, made))
}

fn read_file(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [target] = args else { return Err(internal()) };
    let target = path(ev, target)?;
    let bytes = ev.read_bytes(&target)?;
    if bytes.contains(&0) {
        return Err(ev.other_error(format!(
            "the contents of the file '{}' cannot be represented as a Nix string",
            String::from_utf8_lossy(&target)
        )));
    }
    Ok(string(&bytes, made))
}

fn kind_name(kind: FileKind) -> &'static [u8] {
    match kind {
        FileKind::File => b"regular",
        FileKind::Directory => b"directory",
        FileKind::Symlink => b"symlink",
        FileKind::Other => b"unknown",
    }
}

fn read_dir(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [target] = args else { return Err(internal()) };
    let target = path(ev, target)?;
    let named = ev
        .list_folder(&target)?
        .into_iter()
        .map(|(name, kind)| (ev.symbols.intern(&name), string(kind_name(kind), made)))
        .collect();
    Ok(ev.attrs_of(named, made))
}

fn read_file_type(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [target] = args else { return Err(internal()) };
    let target = path(ev, target)?;
    let folder = crate::files::parent(&target);
    let name = target.get(folder.len()..).unwrap_or_default();
    let name = String::from_utf8_lossy(name).trim_start_matches('/').to_owned();
    if name.is_empty() {
        return Ok(string(b"directory", made));
    }
    let found = ev
        .list_folder(folder)?
        .into_iter()
        .find(|(entry, _)| *entry == name);
    match found {
        Some((_, kind)) => Ok(string(kind_name(kind), made)),
        None => Err(Error::new(
            ErrorKind::World,
            format!("path '{}' does not exist", String::from_utf8_lossy(&target)),
        )),
    }
}

fn find_file(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [places, name] = args else {
        return Err(internal());
    };
    let places = ev.want_list(places)?;
    let name = ev.want_plain_string(name)?;
    let name = name.lossy();
    for place in places.items() {
        let place = ev.want_attrs(place)?;
        let prefix = match place.get(Sym::PREFIX) {
            Some(prefix) => ev.want_plain_string(prefix)?.lossy().into_owned(),
            None => String::new(),
        };
        let Some(base) = place.get(Sym::PATH) else {
            return Err(ev.other_error("attribute 'path' missing in an element of the search path"));
        };
        let mut builder = Builder::default();
        ev.coerce(base, Coerce::Path, &mut builder)?;
        let base = paths::canonical(&builder.bytes);
        if let Some(found) = ev.search(&prefix, &base, &name)? {
            return Ok(Value::Path(Rc::new(Text::from_vec(found, None)), made));
        }
    }
    Err(ev.not_in_search_path(&name, made))
}

fn to_path(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let path = path(ev, value)?;
    Ok(Value::Str(Rc::new(Text::from_vec(path, None)), made))
}

fn base_name_of(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let mut builder = Builder::default();
    ev.coerce(value, Coerce::Path, &mut builder)?;
    let bytes = &builder.bytes;
    // One trailing slash does not count.
    let trimmed = match bytes.split_last() {
        Some((b'/', rest)) if !rest.is_empty() => rest,
        _ => bytes,
    };
    let name = match trimmed.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => trimmed.get(slash + 1..).unwrap_or_default().to_vec(),
        None => trimmed.to_vec(),
    };
    builder.bytes = name;
    Ok(builder.value(made))
}

fn dir_of(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    match ev.force(value)? {
        Value::Path(path, _) => {
            let parent = crate::files::parent(path.bytes()).to_vec();
            Ok(Value::Path(Rc::new(Text::from_vec(parent, None)), made))
        }
        other => {
            let mut builder = Builder::default();
            ev.coerce(&other, Coerce::Path, &mut builder)?;
            let parent = match builder.bytes.iter().rposition(|&byte| byte == b'/') {
                Some(0) => b"/".to_vec(),
                Some(slash) => builder.bytes.get(..slash).unwrap_or_default().to_vec(),
                None => b".".to_vec(),
            };
            builder.bytes = parent;
            Ok(builder.value(made))
        }
    }
}

// ----- formats ------------------------------------------------------------------------------------

fn to_json(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let mut builder = Builder::default();
    ev.write_json(value, true, &mut builder)?;
    Ok(builder.value(made))
}

fn from_json(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [text] = args else { return Err(internal()) };
    let text = ev.want_plain_string(text)?;
    crate::json::parse(ev, text.bytes(), made)
}

fn from_toml(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [text] = args else { return Err(internal()) };
    let text = ev.want_plain_string(text)?;
    crate::toml::parse(ev, text.bytes(), made)
}

fn to_xml(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let mut builder = Builder::default();
    ev.write_xml(value, true, false, &mut builder)?;
    Ok(builder.value(made))
}

fn hash_string(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [algorithm, text] = args else {
        return Err(internal());
    };
    let algorithm = ev.want_plain_string(algorithm)?;
    let hash = crate::hash::Algorithm::named(&algorithm.lossy())
        .ok_or_else(|| ev.other_error(format!("unknown hash algorithm '{}'", algorithm.lossy())))?;
    let text = ev.want_string(text)?;
    Ok(string(
        crate::hash::hex(&hash.digest(text.bytes())).as_bytes(),
        made,
    ))
}

fn hash_file(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [algorithm, file] = args else {
        return Err(internal());
    };
    let algorithm = ev.want_plain_string(algorithm)?;
    let hash = crate::hash::Algorithm::named(&algorithm.lossy())
        .ok_or_else(|| ev.other_error(format!("unknown hash algorithm '{}'", algorithm.lossy())))?;
    let file = path(ev, file)?;
    let bytes = ev.read_bytes(&file)?;
    Ok(string(crate::hash::hex(&hash.digest(&bytes)).as_bytes(), made))
}

fn convert_hash(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [argument] = args else { return Err(internal()) };
    let argument = ev.want_attrs(argument)?;
    let part = |name: Sym| {
        argument
            .get(name)
            .map(|value| ev.want_plain_string(value))
            .transpose()
    };
    let missing = |name: &str| {
        ev.other_error(format!(
            "attribute '{name}' missing in the argument of 'builtins.convertHash'"
        ))
    };
    let hash = part(Sym::HASH)?.ok_or_else(|| missing("hash"))?;
    let algorithm = part(Sym::ALGO)?;
    let format = part(Sym::TO_HASH_FORMAT)?.ok_or_else(|| missing("toHashFormat"))?;
    let converted = crate::hash::convert(
        &hash.lossy(),
        algorithm.as_ref().map(|text| text.lossy()).as_deref(),
        &format.lossy(),
    )
    .map_err(|reason| ev.other_error(reason))?;
    Ok(string(converted.as_bytes(), made))
}

impl Evaluator<'_> {
    fn add_trace(&self, text: String) {
        // A loop that traces must not fill the memory.
        const MOST: usize = 10_000;
        let mut traces = self.traces.borrow_mut();
        if traces.len() < MOST {
            traces.push(text);
        }
    }

    /// Evaluates a value and everything in it.
    pub(crate) fn force_deep(&self, value: &Value) -> Result<()> {
        let mut seen = rustc_hash::FxHashSet::default();
        self.force_all(value, &mut seen)
    }

    fn force_all(&self, value: &Value, seen: &mut rustc_hash::FxHashSet<usize>) -> Result<()> {
        match self.force(value)? {
            Value::List(items, _) if seen.insert(Rc::as_ptr(&items) as usize) => {
                for item in items.items() {
                    self.deeper(|| self.force_all(item, seen))?;
                }
            }
            Value::Attrs(attrs, _) if seen.insert(Rc::as_ptr(&attrs) as usize) => {
                for entry in attrs.entries() {
                    self.deeper(|| self.force_all(&entry.value, seen))
                        .map_err(|error| self.noted_attr(error, entry))?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
