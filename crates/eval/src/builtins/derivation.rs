//! Derivations as plain values: the store paths that Nix would give them, without a store.
//!
//! How a store path is computed is described in the Nix manual, "Store path specification",
//! <https://nix.dev/manual/nix/latest/protocols/store-path>, and how a derivation is hashed in
//! "Derivation outputs and types". Nothing is written: the paths name what Nix would build.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::{Builtin, builtin, list, string};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, internal};
use crate::frames::Frame;
use crate::hash::{self, Algorithm};
use crate::ops::{Builder, Coerce};
use crate::symbol::Sym;
use crate::value::{Context, Contexts, Env, Made, State, Text, Thunk, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("derivation", 1, 0b1, derivation),
    builtin("derivationStrict", 1, 0b1, derivation_strict),
    builtin("placeholder", 1, 0b1, placeholder),
    builtin("toFile", 2, 0b11, to_file),
];

pub(super) const STORE: &str = "/nix/store";

/// What is remembered of a derivation, for those that depend on it.
pub(crate) struct Known {
    outputs: BTreeSet<Arc<str>>,
    input_drvs: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    input_sources: BTreeSet<Arc<str>>,
    /// The hash that stands for it among another's inputs; one per output if its hash is fixed.
    modulo: Vec<u8>,
}

pub(super) fn store_path(kind: &str, digest: &[u8], name: &str) -> String {
    let text = format!("{kind}:sha256:{}:{STORE}:{name}", hash::hex(digest));
    let full = Algorithm::Sha256.digest(text.as_bytes());
    let mut short = [0u8; 20];
    for (index, byte) in full.iter().enumerate() {
        if let Some(slot) = short.get_mut(index % 20) {
            *slot ^= byte;
        }
    }
    format!("{STORE}/{}-{name}", hash::base32(&short))
}

fn text_path<'r>(name: &str, contents: &[u8], references: impl Iterator<Item = &'r Arc<str>>) -> String {
    let references: BTreeSet<&Arc<str>> = references.collect();
    let mut kind = "text".to_owned();
    for reference in references {
        kind.push(':');
        kind.push_str(reference);
    }
    store_path(&kind, &Algorithm::Sha256.digest(contents), name)
}

pub(super) fn check_name(ev: &Evaluator<'_>, name: &str) -> Result<()> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > 211 {
        "it is longer than 211 characters"
    } else if name == "." || name == ".." || name.starts_with(".-") || name.starts_with("..-") {
        "it starts with dots alone"
    } else if name
        .bytes()
        .any(|byte| !byte.is_ascii_alphanumeric() && !b"+-._?=".contains(&byte))
    {
        "it has characters other than letters, digits and +-._?="
    } else {
        return Ok(());
    };
    Err(ev.other_error(format!("invalid derivation name '{name}': {reason}")))
}

struct Derivation {
    /// Name to path, hash algorithm and hash.
    outputs: BTreeMap<Arc<str>, (String, String, String)>,
    input_drvs: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    input_sources: BTreeSet<Arc<str>>,
    system: Vec<u8>,
    builder: Vec<u8>,
    args: Vec<Vec<u8>>,
    env: BTreeMap<Vec<u8>, Vec<u8>>,
}

fn aterm_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

fn aterm_list<T>(items: impl Iterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

impl Derivation {
    /// The text of the `.drv` file. With `inputs`, those stand for the derivations it needs.
    fn aterm(&self, inputs: Option<&BTreeMap<String, BTreeSet<Arc<str>>>>) -> Vec<u8> {
        let mut out = b"Derive(".to_vec();
        aterm_list(
            self.outputs.iter(),
            &mut out,
            |(name, (path, algorithm, digest)), out| {
                out.push(b'(');
                for (index, part) in [&**name, path, algorithm, digest].into_iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    aterm_string(part.as_bytes(), out);
                }
                out.push(b')');
            },
        );
        out.push(b',');
        let write_input = |path: &str, outputs: &BTreeSet<Arc<str>>, out: &mut Vec<u8>| {
            out.push(b'(');
            aterm_string(path.as_bytes(), out);
            out.push(b',');
            aterm_list(outputs.iter(), out, |output, out| {
                aterm_string(output.as_bytes(), out)
            });
            out.push(b')');
        };
        match inputs {
            Some(inputs) => aterm_list(inputs.iter(), &mut out, |(path, outputs), out| {
                write_input(path, outputs, out);
            }),
            None => aterm_list(self.input_drvs.iter(), &mut out, |(path, outputs), out| {
                write_input(path, outputs, out);
            }),
        }
        out.push(b',');
        aterm_list(self.input_sources.iter(), &mut out, |path, out| {
            aterm_string(path.as_bytes(), out);
        });
        // As Nix writes it: the system alone is between quotes as it is.
        out.extend_from_slice(b",\"");
        out.extend_from_slice(&self.system);
        out.push(b'"');
        out.push(b',');
        aterm_string(&self.builder, &mut out);
        out.push(b',');
        aterm_list(self.args.iter(), &mut out, |arg, out| aterm_string(arg, out));
        out.push(b',');
        aterm_list(self.env.iter(), &mut out, |(name, value), out| {
            out.push(b'(');
            aterm_string(name, out);
            out.push(b',');
            aterm_string(value, out);
            out.push(b')');
        });
        out.push(b')');
        out
    }

    /// The hash of the derivation with each derivation that it needs replaced by its own hash.
    fn modulo(&self, ev: &Evaluator<'_>) -> Result<Vec<u8>> {
        let known = ev.derivations.borrow();
        let mut inputs: BTreeMap<String, BTreeSet<Arc<str>>> = BTreeMap::new();
        for (path, outputs) in &self.input_drvs {
            let input = known.get(path).ok_or_else(|| not_here(path))?;
            inputs
                .entry(hash::hex(&input.modulo))
                .or_default()
                .extend(outputs.iter().cloned());
        }
        Ok(Algorithm::Sha256.digest(&self.aterm(Some(&inputs))))
    }
}

fn not_here(path: &str) -> Error {
    Error::unknown(Rc::new(source::Unknown {
        name: path.into(),
        because: "the store is not an input".into(),
        span: None,
    }))
}

/// Notes what the strings of a derivation refer to as what it needs.
fn add_inputs(ev: &Evaluator<'_>, drv: &mut Derivation, contexts: &Contexts) -> Result<()> {
    let known = ev.derivations.borrow();
    for context in contexts {
        match context {
            Context::Path(path) => {
                drv.input_sources.insert(path.clone());
            }
            Context::Built { drv: path, output } => {
                drv.input_drvs
                    .entry(path.clone())
                    .or_default()
                    .insert(output.clone());
            }
            // The whole of what the derivation needs, with all outputs.
            Context::Deep(path) => {
                let mut queue = vec![path.clone()];
                let mut seen = BTreeSet::new();
                while let Some(path) = queue.pop() {
                    if !seen.insert(path.clone()) {
                        continue;
                    }
                    drv.input_sources.insert(path.clone());
                    let Some(input) = known.get(&path) else {
                        if path.ends_with(".drv") {
                            return Err(not_here(&path));
                        }
                        continue;
                    };
                    drv.input_drvs
                        .entry(path)
                        .or_default()
                        .extend(input.outputs.iter().cloned());
                    drv.input_sources.extend(input.input_sources.iter().cloned());
                    queue.extend(input.input_drvs.keys().cloned());
                }
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Fixed {
    hash: Option<String>,
    algorithm: Option<String>,
    recursive: bool,
}

fn derivation_strict(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [argument] = args else { return Err(internal()) };
    let attrs = ev.want_attrs(argument)?;
    if let Some(open) = &attrs.open {
        return Err(Error::unknown(open.clone()));
    }
    let Some(name) = attrs.get(Sym::NAME) else {
        return Err(Error::new(ErrorKind::Missing, "attribute 'name' missing"));
    };
    let name = ev.want_plain_string(name)?.lossy().into_owned();
    check_name(ev, &name)?;
    let flag = |name: Sym| attrs.get(name).map_or(Ok(false), |value| ev.want_bool(value));
    let structured = flag(Sym::STRUCTURED_ATTRS)?;
    let ignore_nulls = flag(Sym::IGNORE_NULLS)?;

    let mut drv = Derivation {
        outputs: BTreeMap::new(),
        input_drvs: BTreeMap::new(),
        input_sources: BTreeSet::new(),
        system: Vec::new(),
        builder: Vec::new(),
        args: Vec::new(),
        env: BTreeMap::new(),
    };
    let mut contexts = Contexts::new();
    let mut outputs: Vec<String> = vec!["out".to_owned()];
    let mut fixed = Fixed::default();
    let mut json = b"{".to_vec();
    for entry in ev.sorted(&attrs) {
        if entry.name == Sym::IGNORE_NULLS {
            continue;
        }
        if ignore_nulls && matches!(ev.force(&entry.value)?, Value::Null(_)) {
            continue;
        }
        let key = ev.symbols.name(entry.name);
        let noted = |error: Error| ev.noted_attr(error, &entry);
        match entry.name {
            Sym::CONTENT_ADDRESSED | Sym::IMPURE => {
                if ev.want_bool(&entry.value).map_err(noted)? {
                    return Err(ev.other_error(format!("'{key}' needs an experimental feature of Nix")));
                }
            }
            Sym::ARGS => {
                for arg in ev.want_list(&entry.value).map_err(noted)?.items() {
                    let mut builder = Builder::default();
                    ev.coerce(arg, Coerce::Environment, &mut builder).map_err(noted)?;
                    contexts.append(&mut builder.contexts);
                    drv.args.push(builder.bytes);
                }
            }
            Sym::STRUCTURED_ATTRS if structured => {}
            _ if structured => {
                if json.len() > 1 {
                    json.push(b',');
                }
                crate::json::quote(key.as_bytes(), &mut json).map_err(|reason| ev.other_error(reason))?;
                json.push(b':');
                let mut builder = Builder::default();
                ev.write_json(&entry.value, true, &mut builder).map_err(noted)?;
                json.extend_from_slice(&builder.bytes);
                contexts.append(&mut builder.contexts);
                let text = |value: &Value| ev.want_string(value).map(|text| text.bytes().to_vec());
                match entry.name {
                    Sym::BUILDER => drv.builder = text(&entry.value).map_err(noted)?,
                    Sym::SYSTEM => drv.system = text(&entry.value).map_err(noted)?,
                    Sym::OUTPUTS => {
                        outputs = ev
                            .want_list(&entry.value)
                            .map_err(noted)?
                            .items()
                            .iter()
                            .map(|output| Ok(ev.want_plain_string(output)?.lossy().into_owned()))
                            .collect::<Result<_>>()
                            .map_err(noted)?;
                    }
                    name => {
                        if matches!(
                            name,
                            Sym::OUTPUT_HASH | Sym::OUTPUT_HASH_ALGO | Sym::OUTPUT_HASH_MODE
                        ) {
                            let bytes = text(&entry.value).map_err(noted)?;
                            fix(ev, &mut fixed, name, &String::from_utf8_lossy(&bytes)).map_err(noted)?;
                        }
                    }
                }
            }
            _ => {
                let mut builder = Builder::default();
                ev.coerce(&entry.value, Coerce::Environment, &mut builder)
                    .map_err(noted)?;
                contexts.append(&mut builder.contexts);
                let text = String::from_utf8_lossy(&builder.bytes).into_owned();
                match entry.name {
                    Sym::BUILDER => drv.builder.clone_from(&builder.bytes),
                    Sym::SYSTEM => drv.system.clone_from(&builder.bytes),
                    Sym::OUTPUTS => outputs = text.split_whitespace().map(str::to_owned).collect(),
                    name => fix(ev, &mut fixed, name, &text).map_err(noted)?,
                }
                drv.env.insert(key.as_bytes().to_vec(), builder.bytes);
            }
        }
    }
    if structured {
        json.push(b'}');
        drv.env.insert(b"__json".to_vec(), json);
    }
    add_inputs(ev, &mut drv, &contexts)?;
    if drv.builder.is_empty() {
        return Err(ev.other_error("required attribute 'builder' missing"));
    }
    if drv.system.is_empty() {
        return Err(ev.other_error("required attribute 'system' missing"));
    }
    if name.ends_with(".drv") {
        return Err(ev.other_error(format!(
            "the name of a derivation cannot end in '.drv', but '{name}' does"
        )));
    }
    let unique: BTreeSet<&String> = outputs.iter().collect();
    if outputs.is_empty() {
        return Err(ev.other_error("derivation cannot have an empty set of outputs"));
    }
    if unique.len() < outputs.len() {
        return Err(ev.other_error("duplicate derivation output"));
    }
    if outputs.iter().any(|output| output == "drvPath") {
        return Err(ev.other_error("invalid derivation output name 'drvPath'"));
    }
    for output in &outputs {
        check_name(ev, output)?;
    }
    name_outputs(ev, &mut drv, &name, &outputs, &fixed)
        .and_then(|modulo| finish(ev, drv, &name, modulo, made))
}

fn fix(ev: &Evaluator<'_>, fixed: &mut Fixed, name: Sym, text: &str) -> Result<()> {
    match name {
        Sym::OUTPUT_HASH => fixed.hash = Some(text.to_owned()),
        Sym::OUTPUT_HASH_ALGO => fixed.algorithm = (!text.is_empty()).then(|| text.to_owned()),
        Sym::OUTPUT_HASH_MODE => match text {
            "recursive" | "nar" => fixed.recursive = true,
            "flat" => fixed.recursive = false,
            other => {
                return Err(ev.other_error(format!("invalid value '{other}' for 'outputHashMode' attribute")));
            }
        },
        _ => {}
    }
    Ok(())
}

/// Gives each output its path; returns the hash that stands for the derivation elsewhere.
fn name_outputs(
    ev: &Evaluator<'_>,
    drv: &mut Derivation,
    name: &str,
    outputs: &[String],
    fixed: &Fixed,
) -> Result<Vec<u8>> {
    if let Some(hash) = &fixed.hash {
        let [output] = outputs else {
            return Err(ev.other_error("multiple outputs are not supported in fixed-output derivations"));
        };
        if output != "out" {
            return Err(ev.other_error("a fixed-output derivation must have the output 'out'"));
        }
        let hash = if hash.is_empty() {
            // The hash that stands for one not known yet.
            let algorithm = fixed.algorithm.as_deref().unwrap_or("sha256");
            let algorithm = Algorithm::named(algorithm)
                .ok_or_else(|| ev.other_error(format!("unknown hash algorithm '{algorithm}'")))?;
            (algorithm, vec![0; algorithm.length()])
        } else {
            hash::parse(hash, fixed.algorithm.as_deref()).map_err(|reason| ev.other_error(reason))?
        };
        let (algorithm, digest) = hash;
        let mode = if fixed.recursive { "r:" } else { "" };
        let spelled = format!("{mode}{}", algorithm.name());
        let hex = hash::hex(&digest);
        let path = if fixed.recursive && algorithm == Algorithm::Sha256 {
            store_path("source", &digest, name)
        } else {
            let inner = Algorithm::Sha256.digest(format!("fixed:out:{spelled}:{hex}:").as_bytes());
            store_path("output:out", &inner, name)
        };
        let modulo = Algorithm::Sha256.digest(format!("fixed:out:{spelled}:{hex}:{path}").as_bytes());
        drv.env.insert(b"out".to_vec(), path.clone().into_bytes());
        drv.outputs.insert("out".into(), (path, spelled, hex));
        return Ok(modulo);
    }
    for output in outputs {
        drv.env.insert(output.clone().into_bytes(), Vec::new());
        drv.outputs.insert(
            output.as_str().into(),
            (String::new(), String::new(), String::new()),
        );
    }
    let masked = drv.modulo(ev)?;
    for output in outputs {
        let full = if output == "out" {
            name.to_owned()
        } else {
            format!("{name}-{output}")
        };
        let path = store_path(&format!("output:{output}"), &masked, &full);
        drv.env
            .insert(output.clone().into_bytes(), path.clone().into_bytes());
        drv.outputs
            .insert(output.as_str().into(), (path, String::new(), String::new()));
    }
    drv.modulo(ev)
}

fn finish(ev: &Evaluator<'_>, drv: Derivation, name: &str, modulo: Vec<u8>, made: Made) -> Result<Value> {
    let contents = drv.aterm(None);
    let references = drv.input_sources.iter().chain(drv.input_drvs.keys());
    let path: Arc<str> = text_path(&format!("{name}.drv"), &contents, references).into();
    let mut named = vec![(
        Sym::DRV_PATH,
        with_context(&path, Context::Deep(path.clone()), made),
    )];
    for (output, (out_path, ..)) in &drv.outputs {
        let context = Context::Built {
            drv: path.clone(),
            output: output.clone(),
        };
        named.push((ev.symbols.intern(output), with_context(out_path, context, made)));
    }
    let known = Known {
        outputs: drv.outputs.into_keys().collect(),
        input_drvs: drv.input_drvs,
        input_sources: drv.input_sources,
        modulo,
    };
    ev.derivations.borrow_mut().insert(path, Rc::new(known));
    Ok(ev.attrs_of(named, made))
}

pub(super) fn with_context(text: &str, context: Context, made: Made) -> Value {
    let text = Text::from_vec(text.as_bytes().to_vec(), Some(Rc::new(Contexts::from([context]))));
    Value::Str(Rc::new(text), made)
}

/// What the outputs of one derivation share.
struct Shared {
    attrs: Value,
    strict: Value,
    outputs: Vec<(Sym, Rc<Text>)>,
    /// The sets that stand for the outputs, in their order. Each holds all of them, so that what
    /// walks a derivation comes back to where it was; the evaluator breaks the cycle.
    sets: Rc<Env>,
    made: Made,
}

fn derivation(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [argument] = args else { return Err(internal()) };
    let attrs = ev.want_attrs(argument)?;
    let outputs = match attrs.get(Sym::OUTPUTS) {
        Some(outputs) => ev
            .want_list(outputs)?
            .items()
            .iter()
            .map(|output| {
                let output = ev.want_plain_string(output)?;
                Ok((ev.symbol(&output)?, output))
            })
            .collect::<Result<Vec<_>>>()?,
        None => match &attrs.open {
            Some(open) => return Err(Error::unknown(open.clone())),
            None => vec![(Sym::OUT, Rc::new(Text::new(b"out")))],
        },
    };
    let strict_argument = argument.clone();
    let strict = Value::Thunk(Thunk::new(State::Native(Box::new(move |ev| {
        derivation_strict(ev, std::slice::from_ref(&strict_argument), made)
            .map_err(|error| error.at(ev.span_at(made.position())))
    }))));
    let sets = Env::empty(None, Frame::ENTRY, outputs.len());
    ev.remember(&sets);
    let shared = Rc::new(Shared {
        attrs: ev.force(argument)?,
        strict,
        outputs,
        sets,
        made,
    });
    for index in 0..shared.outputs.len() {
        let held = shared.clone();
        let set = State::Native(Box::new(move |ev| output_value(ev, &held, index)));
        shared.sets.set(index, Value::Thunk(Thunk::new(set)));
    }
    match shared.sets.get(0) {
        Some(first) => ev.force(first),
        None => Err(ev.other_error("derivation cannot have an empty set of outputs")),
    }
}

/// The set that stands for one output.
fn output_value(ev: &Evaluator<'_>, shared: &Rc<Shared>, index: usize) -> Result<Value> {
    let made = shared.made;
    let Some((output, output_name)) = shared.outputs.get(index) else {
        return Err(ev.other_error("derivation cannot have an empty set of outputs"));
    };
    let strict_part = |name: Sym| {
        let shared = shared.clone();
        Value::Thunk(Thunk::new(State::Native(Box::new(move |ev| {
            let strict = ev.want_attrs(&shared.strict)?;
            match strict.get(name) {
                Some(value) => ev.force(value),
                None => Err(ev.other_error(format!("attribute '{}' missing", ev.symbols.name(name)))),
            }
        }))))
    };
    let mut named: Vec<(Sym, Value)> = Vec::new();
    for (other, (name, _)) in shared.outputs.iter().enumerate() {
        if !named.iter().any(|(known, _)| known == name) {
            named.extend(shared.sets.get(other).map(|set| (*name, set.clone())));
        }
    }
    let all = (0..shared.outputs.len()).filter_map(|other| shared.sets.get(other).cloned());
    let special = [
        (Sym::ALL, list(all.collect(), made)),
        (Sym::DRV_ATTRS, shared.attrs.clone()),
        (Sym::OUT_PATH, strict_part(*output)),
        (Sym::DRV_PATH, strict_part(Sym::DRV_PATH)),
        (Sym::TYPE, string(b"derivation", made)),
        (Sym::OUTPUT_NAME, Value::Str(output_name.clone(), made)),
    ];
    for (name, value) in special {
        named.retain(|(known, _)| *known != name);
        named.push((name, value));
    }
    let more = ev.attrs_of(named, made);
    ev.update(shared.attrs.clone(), more, made)
}

/// What stands in a derivation for the path of one of its own outputs.
fn placeholder(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [output] = args else { return Err(internal()) };
    let output = ev.want_plain_string(output)?;
    let text = [b"nix-output:", output.bytes()].concat();
    let digest = Algorithm::Sha256.digest(&text);
    Ok(string(format!("/{}", hash::base32(&digest)).as_bytes(), made))
}

/// The path that the file would have in the store; nothing is written.
fn to_file(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [name, contents] = args else {
        return Err(internal());
    };
    let name = ev.want_plain_string(name)?.lossy().into_owned();
    check_name(ev, &name)?;
    let contents = ev.want_string(contents)?;
    let mut references: Vec<Arc<str>> = Vec::new();
    for context in contents.context.iter().flat_map(|context| context.iter()) {
        match context {
            Context::Path(path) => references.push(path.clone()),
            Context::Deep(path) | Context::Built { drv: path, .. } => {
                return Err(ev.other_error(format!(
                    "files created by builtins.toFile may not reference derivations, but '{name}' references {path}"
                )));
            }
        }
    }
    let path: Arc<str> = text_path(&name, contents.bytes(), references.iter()).into();
    Ok(with_context(&path, Context::Path(path.clone()), made))
}
