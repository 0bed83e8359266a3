//! Values as Nix, JSON and XML text, exactly as `nix-instantiate --eval` prints them.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::ops::{Builder, Coerce, STEPS_OF_A_PART};
use crate::symbol::Sym;
use crate::value::{Attrs, Entry, Function, Value};

/// How much of a value an error message shows.
const BRIEF: usize = 120;

impl Evaluator<'_> {
    /// The value as `nix-instantiate --eval` prints it; with `strict`, everything in it is
    /// evaluated first.
    ///
    /// # Errors
    /// When a part of it fails, or depends on something nobody gave.
    pub fn print(&self, value: &Value, strict: bool) -> Result<Vec<u8>> {
        self.on_stack(1 << 20, 16 << 20, || {
            if strict {
                self.force_deep(value)?;
            }
            let mut out = Vec::new();
            self.write_nix(value, &mut out, &mut FxHashSet::default())?;
            Ok(out)
        })
    }

    /// The value as `nix-instantiate --eval --json` prints it.
    ///
    /// # Errors
    /// When a part of it fails, is a function, or depends on something nobody gave.
    pub fn json(&self, value: &Value) -> Result<Vec<u8>> {
        self.on_stack(1 << 20, 16 << 20, || {
            let mut out = Builder::default();
            self.write_json(value, self.options.hash_sources, &mut out)?;
            Ok(out.bytes)
        })
    }

    /// The value as `nix-instantiate --eval --xml` prints it; with `locations`, attributes and
    /// functions carry their places.
    ///
    /// # Errors
    /// When a part of it fails, or depends on something nobody gave.
    pub fn xml(&self, value: &Value, strict: bool, locations: bool) -> Result<Vec<u8>> {
        self.on_stack(1 << 20, 16 << 20, || {
            let mut out = Builder::default();
            self.write_xml(value, strict, locations, &mut out)?;
            Ok(out.bytes)
        })
    }

    fn write_nix(&self, value: &Value, out: &mut Vec<u8>, seen: &mut FxHashSet<usize>) -> Result<()> {
        if out.len() > 1 << 16 {
            self.check_text(out.len())?;
        }
        let resolved;
        let (identity, value) = match value {
            Value::Thunk(thunk) => match thunk.peek() {
                Some(inner) => {
                    resolved = inner;
                    (Some(Rc::as_ptr(thunk) as usize), &resolved)
                }
                None => {
                    out.extend_from_slice(b"<CODE>");
                    return Ok(());
                }
            },
            other => (None, other),
        };
        match value {
            Value::Null(_) => out.extend_from_slice(b"null"),
            Value::Bool(truth, _) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Value::Int(number, _) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number, _) => out.extend_from_slice(shortest(*number).as_bytes()),
            Value::Str(text, _) => quote(text.bytes(), out),
            Value::Path(path, _) => out.extend_from_slice(path.bytes()),
            Value::List(items, _) => {
                // Nix knows a list again by the place of the value, not of its elements.
                let identity = identity.unwrap_or(Rc::as_ptr(items) as usize);
                if !items.items().is_empty() && !seen.insert(identity) {
                    out.extend_from_slice("«repeated»".as_bytes());
                    return Ok(());
                }
                out.extend_from_slice(b"[ ");
                for item in items.items() {
                    self.deeper(|| self.write_nix(item, out, seen))?;
                    out.push(b' ');
                }
                out.push(b']');
            }
            Value::Attrs(attrs, _) => {
                if !attrs.is_empty() && !seen.insert(Rc::as_ptr(attrs) as usize) {
                    out.extend_from_slice("«repeated»".as_bytes());
                    return Ok(());
                }
                if let Some(open) = &attrs.open {
                    return Err(Error::unknown(open.clone()));
                }
                out.extend_from_slice(b"{ ");
                for entry in self.sorted(attrs) {
                    identifier(self.symbols.name(entry.name).as_bytes(), out);
                    out.extend_from_slice(b" = ");
                    self.deeper(|| self.write_nix(&entry.value, out, seen))?;
                    out.extend_from_slice(b"; ");
                }
                out.push(b'}');
            }
            Value::Lambda(..) => out.extend_from_slice(b"<LAMBDA>"),
            Value::Builtin(applied, _) => out.extend_from_slice(match applied.function {
                Function::Lambda(_) => b"<LAMBDA>",
                _ if applied.args.is_empty() => b"<PRIMOP>",
                _ => b"<PRIMOP-APP>",
            }),
            Value::Unknown(unknown, _) => return Err(Error::unknown(unknown.clone())),
            Value::Thunk(_) => out.extend_from_slice(b"<CODE>"),
        }
        Ok(())
    }

    pub(crate) fn sorted(&self, attrs: &Attrs) -> Vec<Entry> {
        let mut entries = attrs.entries().to_vec();
        self.symbols.sort_by_name(&mut entries, |entry| entry.name);
        entries
    }

    /// A value for an error message: at most one line, nothing new evaluated.
    pub(crate) fn brief(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write_brief(value, &mut out, 0);
        if out.chars().count() > BRIEF {
            out = out.chars().take(BRIEF - 1).chain(['…']).collect();
        }
        out
    }

    fn write_brief(&self, value: &Value, out: &mut String, depth: usize) {
        if out.len() > BRIEF * 2 {
            return;
        }
        let evaluated = match value {
            Value::Thunk(thunk) => thunk.peek(),
            other => Some(other.clone()),
        };
        match evaluated {
            Some(Value::Str(text, _)) => {
                let mut quoted = Vec::new();
                let cut = text.bytes().get(..BRIEF).unwrap_or(text.bytes());
                quote(cut, &mut quoted);
                out.push_str(&String::from_utf8_lossy(&quoted));
            }
            Some(Value::List(items, _)) => {
                out.push_str("[ ");
                if depth > 2 && !items.items().is_empty() {
                    out.push_str("… ");
                } else {
                    for item in items.items().iter().take(10) {
                        self.write_brief(item, out, depth + 1);
                        out.push(' ');
                    }
                    if items.items().len() > 10 {
                        out.push_str("… ");
                    }
                }
                out.push(']');
            }
            Some(Value::Attrs(attrs, _)) => {
                out.push_str("{ ");
                if depth > 2 && !attrs.is_empty() {
                    out.push_str("… ");
                } else {
                    for entry in self.sorted(&attrs).iter().take(10) {
                        let mut name = Vec::new();
                        identifier(self.symbols.name(entry.name).as_bytes(), &mut name);
                        out.push_str(&String::from_utf8_lossy(&name));
                        out.push_str(" = ");
                        self.write_brief(&entry.value, out, depth + 1);
                        out.push_str("; ");
                    }
                    if attrs.len() > 10 {
                        out.push_str("… ");
                    }
                }
                out.push('}');
            }
            Some(Value::Unknown(unknown, _)) => {
                out.push('«');
                out.push_str(&unknown.name);
                out.push('»');
            }
            Some(Value::Lambda(..) | Value::Builtin(..)) => out.push_str("«function»"),
            Some(Value::Null(_)) => out.push_str("null"),
            Some(Value::Bool(truth, _)) => out.push_str(if truth { "true" } else { "false" }),
            Some(Value::Int(number, _)) => out.push_str(&number.to_string()),
            Some(Value::Float(number, _)) => out.push_str(&shortest(number)),
            Some(Value::Path(path, _)) => out.push_str(&path.lossy()),
            Some(Value::Thunk(_)) | None => out.push('…'),
        }
    }

    // ----- JSON -----------------------------------------------------------------------------

    /// `store`: as `builtins.toJSON`, which copies paths into the store.
    pub(crate) fn write_json(&self, value: &Value, store: bool, out: &mut Builder) -> Result<()> {
        self.charge(STEPS_OF_A_PART)?;
        if out.bytes.len() > 1 << 16 {
            self.check_text(out.bytes.len())?;
        }
        let value = self.force(value)?;
        let quoted = |text: &[u8], out: &mut Builder| {
            crate::json::quote(text, &mut out.bytes)
                .map_err(|reason| self.other_error(format!("JSON serialization error: {reason}")))
        };
        match &value {
            Value::Null(_) => out.bytes.extend_from_slice(b"null"),
            Value::Bool(truth, _) => out
                .bytes
                .extend_from_slice(if *truth { b"true" } else { b"false" }),
            Value::Int(number, _) => out.bytes.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number, _) => out
                .bytes
                .extend_from_slice(crate::json::float(*number).as_bytes()),
            Value::Str(text, _) => {
                if let Some(context) = &text.context {
                    out.contexts.extend(context.iter().cloned());
                }
                quoted(text.bytes(), out)?;
            }
            Value::Path(path, _) => {
                if store {
                    let mut text = Builder::default();
                    self.coerce(&value, Coerce::Interpolation, &mut text)?;
                    out.contexts.append(&mut text.contexts);
                    quoted(&text.bytes, out)?;
                } else {
                    quoted(path.bytes(), out)?;
                }
            }
            Value::List(items, _) => {
                out.bytes.push(b'[');
                for (index, item) in items.items().iter().enumerate() {
                    if index > 0 {
                        out.bytes.push(b',');
                    }
                    self.deeper(|| self.write_json(item, store, out))?;
                }
                out.bytes.push(b']');
            }
            Value::Attrs(attrs, _) => {
                if let Some(function) = attrs.get(Sym::TO_STRING) {
                    let text =
                        self.deeper(|| self.apply(function, std::slice::from_ref(&value), value.made()))?;
                    let mut string = Builder::default();
                    self.coerce(&text, Coerce::Path, &mut string)?;
                    out.contexts.append(&mut string.contexts);
                    return quoted(&string.bytes, out);
                }
                if let Some(path) = attrs.get(Sym::OUT_PATH) {
                    return self.deeper(|| self.write_json(path, store, out));
                }
                if let Some(open) = &attrs.open {
                    return Err(Error::unknown(open.clone()));
                }
                out.bytes.push(b'{');
                for (index, entry) in self.sorted(attrs).iter().enumerate() {
                    if index > 0 {
                        out.bytes.push(b',');
                    }
                    quoted(self.symbols.name(entry.name).as_bytes(), out)?;
                    out.bytes.push(b':');
                    self.deeper(|| self.write_json(&entry.value, store, out))
                        .map_err(|error| self.noted_attr(error, entry))?;
                }
                out.bytes.push(b'}');
            }
            Value::Unknown(unknown, _) => return Err(Error::unknown(unknown.clone())),
            other => {
                let span = self.span_at(other.made().position());
                let message = format!("cannot convert {} to JSON", other.kind());
                return Err(Error::new(ErrorKind::Type, message).at(span));
            }
        }
        Ok(())
    }

    #[cold]
    pub(crate) fn noted_attr(&self, error: Error, entry: &Entry) -> Error {
        let place = self
            .bindings_of(entry.binding)
            .first()
            .map(|binding| binding.name);
        let error = error.at(place);
        if error.wants_notes() {
            let name = self.symbols.name(entry.name);
            return error.note(format!("while evaluating the attribute '{name}'"), place);
        }
        error
    }
}

/// A string literal.
pub(crate) fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'$' if text.get(index + 1) == Some(&b'{') => out.extend_from_slice(b"\\$"),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

/// An attribute name, quoted when it is no identifier.
pub(crate) fn identifier(name: &[u8], out: &mut Vec<u8>) {
    const RESERVED: [&[u8]; 9] = [
        b"if", b"then", b"else", b"assert", b"with", b"let", b"in", b"rec", b"inherit",
    ];
    let plain = name
        .first()
        .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'\''))
        && !RESERVED.contains(&name);
    if plain {
        out.extend_from_slice(name);
    } else {
        quote(name, out);
    }
}

/// A float with up to six significant digits, as C++ streams and `%g` give it.
pub(crate) fn shortest(number: f64) -> String {
    if number.is_nan() || number.is_infinite() {
        return crate::ops::fixed(number);
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.into();
    }
    // Rounding to six digits may carry into the next power of ten, so the exponent is read
    // from the rounded text.
    let scientific = format!("{number:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| -> String {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        trim(&format!("{number:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
    }
}
