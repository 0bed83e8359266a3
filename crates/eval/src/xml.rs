//! Values as XML, as `nix-instantiate --eval --xml` prints them.

use rustc_hash::FxHashSet;

use crate::code::{Expr, Params};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::ops::{Builder, STEPS_OF_A_PART};
use crate::print::shortest;
use crate::symbol::Sym;
use crate::value::{Attrs, Function, Value};

/// How deep XML may be nested. Each line is indented by its depth, so that the text of n levels
/// takes n² bytes.
const DEEPEST: usize = 5_000;

/// What stays the same while one value is written.
struct Writer<'e, 'a> {
    ev: &'e Evaluator<'a>,
    strict: bool,
    locations: bool,
    /// Derivations written already: they are not repeated.
    drvs: FxHashSet<Vec<u8>>,
    out: &'e mut Builder,
}

impl Evaluator<'_> {
    pub(crate) fn write_xml(
        &self,
        value: &Value,
        strict: bool,
        locations: bool,
        out: &mut Builder,
    ) -> Result<()> {
        out.bytes
            .extend_from_slice(b"<?xml version='1.0' encoding='utf-8'?>\n<expr>\n");
        let mut writer = Writer {
            ev: self,
            strict,
            locations,
            drvs: FxHashSet::default(),
            out,
        };
        writer.value(value, 1)?;
        out.bytes.extend_from_slice(b"</expr>\n");
        Ok(())
    }
}

impl Writer<'_, '_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<()> {
        let ev = self.ev;
        ev.charge(STEPS_OF_A_PART)?;
        if depth > DEEPEST {
            let message = format!("the depth limit of {DEEPEST} levels of XML was reached");
            return Err(Error::new(ErrorKind::Limit("depth"), message));
        }
        if self.out.bytes.len() > 1 << 16 {
            ev.check_text(self.out.bytes.len())?;
        }
        let value = match value {
            Value::Thunk(_) if self.strict => ev.force(value)?,
            Value::Thunk(thunk) => match thunk.peek() {
                Some(value) => value,
                None => {
                    self.empty(depth, "unevaluated", &[]);
                    return Ok(());
                }
            },
            other => other.clone(),
        };
        match &value {
            Value::Null(_) => self.empty(depth, "null", &[]),
            Value::Bool(truth, _) => {
                self.empty(
                    depth,
                    "bool",
                    &[("value", if *truth { b"true" } else { b"false" })],
                );
            }
            Value::Int(number, _) => {
                self.empty(depth, "int", &[("value", number.to_string().as_bytes())]);
            }
            Value::Float(number, _) => {
                self.empty(depth, "float", &[("value", shortest(*number).as_bytes())]);
            }
            Value::Str(text, _) => {
                if let Some(context) = &text.context {
                    self.out.contexts.extend(context.iter().cloned());
                }
                self.empty(depth, "string", &[("value", text.bytes())]);
            }
            Value::Path(path, _) => self.empty(depth, "path", &[("value", path.bytes())]),
            Value::List(items, _) => {
                self.open(depth, "list", &[]);
                for item in items.items() {
                    ev.deeper(|| self.value(item, depth + 1))?;
                }
                self.close(depth, "list");
            }
            Value::Attrs(attrs, _) => {
                if let Some(open) = &attrs.open {
                    return Err(Error::unknown(open.clone()));
                }
                if ev.is_derivation(attrs)? {
                    self.derivation(attrs, depth)?;
                } else {
                    self.open(depth, "attrs", &[]);
                    self.attrs(attrs, depth + 1)?;
                    self.close(depth, "attrs");
                }
            }
            Value::Lambda(closure, _) => {
                let places = self.place(ev.span_at(value.made().position()));
                self.open_with(depth, "function", &places);
                if let Expr::Lambda(lambda) = closure.code.expr(closure.lambda) {
                    self.params(&lambda.params, 0, depth + 1);
                }
                self.close(depth, "function");
            }
            Value::Builtin(applied, _) => match &applied.function {
                // The function that is left when the first arguments are given.
                Function::Lambda(closure) => {
                    self.open(depth, "function", &[]);
                    if let Expr::Lambda(lambda) = closure.code.expr(closure.lambda) {
                        self.params(&lambda.params, applied.args.len(), depth + 1);
                    }
                    self.close(depth, "function");
                }
                _ => self.empty(depth, "unevaluated", &[]),
            },
            Value::Unknown(unknown, _) => return Err(Error::unknown(unknown.clone())),
            Value::Thunk(_) => self.empty(depth, "unevaluated", &[]),
        }
        Ok(())
    }

    fn params(&mut self, params: &Params, given: usize, depth: usize) {
        let ev = self.ev;
        match params {
            Params::Simple(names) => {
                if let Some(&name) = names.get(given) {
                    let name = ev.symbols.name(name);
                    self.empty(depth, "varpat", &[("name", name.as_bytes())]);
                }
            }
            Params::Set {
                formals,
                ellipsis,
                bind,
            } => {
                let mut about = Vec::new();
                if *ellipsis {
                    about.push(("ellipsis", "1".to_owned()));
                }
                if let Some(name) = bind {
                    about.push(("name", ev.symbols.name(*name).to_string()));
                }
                self.open_with(depth, "attrspat", &about);
                let mut names: Vec<Sym> = formals.iter().map(|formal| formal.name).collect();
                ev.symbols.sort_by_name(&mut names, |&name| name);
                for name in names {
                    let name = ev.symbols.name(name);
                    self.empty(depth + 1, "attr", &[("name", name.as_bytes())]);
                }
                self.close(depth, "attrspat");
            }
        }
    }

    fn derivation(&mut self, attrs: &Attrs, depth: usize) -> Result<()> {
        let text = |name: Sym| -> Result<Option<String>> {
            let value = match attrs.get(name) {
                None => return Ok(None),
                Some(value) if self.strict => self.ev.force(value)?,
                Some(Value::Thunk(thunk)) => match thunk.peek() {
                    Some(value) => value,
                    None => return Ok(None),
                },
                Some(other) => other.clone(),
            };
            Ok(value.as_str().map(str::to_owned))
        };
        let drv = text(Sym::DRV_PATH)?;
        let path = text(Sym::OUT_PATH)?;
        let about: Vec<_> = [("drvPath", drv.clone()), ("outPath", path)]
            .into_iter()
            .filter_map(|(key, text)| text.map(|text| (key, text)))
            .collect();
        self.open_with(depth, "derivation", &about);
        match drv {
            Some(drv) if !drv.is_empty() && self.drvs.insert(drv.clone().into_bytes()) => {
                self.attrs(attrs, depth + 1)?;
            }
            _ => self.empty(depth + 1, "repeated", &[]),
        }
        self.close(depth, "derivation");
        Ok(())
    }

    fn attrs(&mut self, attrs: &Attrs, depth: usize) -> Result<()> {
        let ev = self.ev;
        for entry in ev.sorted(attrs) {
            let bindings = if entry.binding & crate::value::CARRIED == 0 {
                ev.bindings_of(entry.binding)
            } else {
                Vec::new()
            };
            let place = bindings.first().map(|binding| binding.name);
            let mut about = self.place(place);
            about.push(("name", ev.symbols.name(entry.name).to_string()));
            about.sort_by_key(|(key, _)| *key);
            self.open_with(depth, "attr", &about);
            ev.deeper(|| self.value(&entry.value, depth + 1))
                .map_err(|error| ev.noted_attr(error, &entry))?;
            self.close(depth, "attr");
        }
        Ok(())
    }

    fn place(&self, span: Option<source::Span>) -> Vec<(&'static str, String)> {
        match span {
            Some(span) if self.locations => {
                let file = self.ev.files.get(span.file);
                let at = file.line_column(span.start);
                vec![
                    ("column", at.column.to_string()),
                    ("line", at.line.to_string()),
                    ("path", file.path.to_string()),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn start(&mut self, depth: usize, name: &str, about: &[(&str, &[u8])]) {
        let out = &mut self.out.bytes;
        out.resize(out.len() + depth * 2, b' ');
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        for (key, text) in about {
            out.push(b' ');
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"=\"");
            for &byte in *text {
                match byte {
                    b'"' => out.extend_from_slice(b"&quot;"),
                    b'<' => out.extend_from_slice(b"&lt;"),
                    b'>' => out.extend_from_slice(b"&gt;"),
                    b'&' => out.extend_from_slice(b"&amp;"),
                    // Kept through an XML parser only as a reference.
                    b'\n' => out.extend_from_slice(b"&#xA;"),
                    other => out.push(other),
                }
            }
            out.push(b'"');
        }
    }

    fn empty(&mut self, depth: usize, name: &str, about: &[(&str, &[u8])]) {
        self.start(depth, name, about);
        self.out.bytes.extend_from_slice(b" />\n");
    }

    fn open(&mut self, depth: usize, name: &str, about: &[(&str, &[u8])]) {
        self.start(depth, name, about);
        self.out.bytes.extend_from_slice(b">\n");
    }

    fn open_with(&mut self, depth: usize, name: &str, about: &[(&str, String)]) {
        let about: Vec<(&str, &[u8])> = about.iter().map(|(key, text)| (*key, text.as_bytes())).collect();
        self.open(depth, name, &about);
    }

    fn close(&mut self, depth: usize, name: &str) {
        let out = &mut self.out.bytes;
        out.resize(out.len() + depth * 2, b' ');
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b">\n");
    }
}
