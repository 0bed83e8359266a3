//! `eval`: the evaluator alone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use disko_advise::eval::{Error, ErrorKind, Evaluator, Options, Value};
use disko_advise::source::Files;

use crate::args::Eval;
use crate::live_world::LiveWorld;
use crate::{COULD_NOT_RUN, output};

/// How long an evaluation may take.
const LONGEST: Duration = Duration::from_secs(600);

pub(crate) fn run(args: &Eval) -> anyhow::Result<ExitCode> {
    let here = std::env::current_dir()
        .context("the current folder")?
        .canonicalize()?;
    let entry =
        match &args.file {
            Some(file) => Some(here.join(file).canonicalize().map_err(|error| {
                anyhow::anyhow!("{}: {}", file.display(), crate::live_world::reason(&error))
            })?),
            None => None,
        };
    let search_path = args
        .search_path
        .iter()
        .map(|it| search_entry(&here, it))
        .collect::<Vec<_>>();
    let around = LiveWorld::around(entry.as_deref().unwrap_or(&here));
    let world =
        LiveWorld::new(std::iter::once(around).chain(search_path.iter().map(|(_, path)| path.clone())));
    let files = Files::below(&here.to_string_lossy());
    let deadline = Instant::now() + LONGEST;
    let options = Options {
        search_path,
        hash_sources: true,
        abort_on_warn: args.abort_on_warn || abort_on_warn(),
        interrupt: Some(Box::new(move || Instant::now() > deadline)),
        ..Options::default()
    };
    let evaluator = Evaluator::new(&world, &files, options);
    let printed = evaluate(&evaluator, args, entry.as_deref(), &here);
    // What is left of the values ends with the process, all at once.
    let evaluator = std::mem::ManuallyDrop::new(evaluator);
    for trace in evaluator.take_traces() {
        output::hint(&format!("trace: {trace}"));
    }
    match printed {
        Ok(bytes) => {
            output::print_bytes(&bytes)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let problem = error.problem();
            output::stderr(&disko_advise::emit::problem(
                &files,
                &problem,
                output::look_of_stderr(),
            ));
            Ok(ExitCode::from(COULD_NOT_RUN))
        }
    }
}

/// Whether the environment asks for it, in the words that Nix takes.
fn abort_on_warn() -> bool {
    std::env::var("NIX_ABORT_ON_WARN").is_ok_and(|value| ["1", "true", "yes"].contains(&&*value))
}

fn evaluate(
    evaluator: &Evaluator<'_>,
    args: &Eval,
    entry: Option<&Path>,
    here: &Path,
) -> Result<Vec<u8>, Error> {
    let mut value = match (entry, &args.expr) {
        (Some(file), _) => evaluator.file(file)?,
        (None, expression) => {
            evaluator.expression("(expression)", expression.as_deref().unwrap_or(""), here)?
        }
    };
    let mut given: Vec<(String, Value)> = Vec::new();
    for pair in args.arg.chunks_exact(2) {
        given.push((
            pair[0].clone(),
            evaluator.expression("(argument)", &pair[1], here)?,
        ));
    }
    for pair in args.argstr.chunks_exact(2) {
        given.push((pair[0].clone(), Value::string(&pair[1])));
    }
    // As Nix does: a function is called with the arguments that were given, or on the way to an attribute.
    if !given.is_empty() || args.attr.is_some() {
        value = evaluator.auto_call(&value, &given)?;
    }
    if args.origin {
        return origin(evaluator, args, &value);
    }
    if let Some(path) = args.attr.as_deref().filter(|it| !it.is_empty()) {
        for segment in segments(path) {
            value = evaluator.auto_call(&value, &given)?;
            value = step(evaluator, &value, &segment, path)?;
        }
        value = evaluator.auto_call(&value, &given)?;
    }
    let mut bytes = if args.json {
        evaluator.json(&value)?
    } else if args.xml {
        evaluator.xml(&value, true, true)?
    } else {
        evaluator.print(&value, true)?
    };
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Where the value at the path of `-A` comes from, in pictures or as JSON.
#[cfg(feature = "provenance")]
fn origin(evaluator: &Evaluator<'_>, args: &Eval, value: &Value) -> Result<Vec<u8>, Error> {
    use disko_advise::emit::report::provenance;

    let attr = args.attr.as_deref().filter(|it| !it.is_empty());
    let segments = attr.map(segments).unwrap_or_default();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let found = evaluator.provenance(value, &path)?;
    let of = attr.unwrap_or("the value");
    let files = evaluator.files();
    if args.json {
        let report = provenance::report(files, of, &found);
        let text = serde_json::to_string_pretty(&report);
        let text = text.map_err(|error| Error::new(ErrorKind::Other, error.to_string()))?;
        return Ok(format!("{text}\n").into_bytes());
    }
    Ok(provenance::text(files, of, &found, output::look()).into_bytes())
}

#[cfg(not(feature = "provenance"))]
fn origin(_: &Evaluator<'_>, _: &Eval, _: &Value) -> Result<Vec<u8>, Error> {
    let message = "this program was built without provenance";
    Err(Error::new(ErrorKind::Other, message))
}

/// The attribute of a set, or the element of a list; the whole path is for messages.
fn step(evaluator: &Evaluator<'_>, value: &Value, segment: &str, path: &str) -> Result<Value, Error> {
    let fail = |message: String| Error::new(ErrorKind::Type, message);
    match segment.parse::<usize>() {
        Ok(index) => {
            let found = evaluator.list(value)?.get(index).cloned();
            found.ok_or_else(|| {
                fail(format!(
                    "list index {index} in selection path '{path}' is out of range"
                ))
            })
        }
        Err(_) => match evaluator.attr(value, segment)? {
            Some(attr) => Ok(attr.value),
            None => Err(fail(format!(
                "attribute '{segment}' in selection path '{path}' not found"
            ))),
        },
    }
}

/// `a."b.c".0`, taken apart: quotes keep dots together.
fn segments(path: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    for letter in path.chars() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted => found.push(String::new()),
            _ => {
                if let Some(last) = found.last_mut() {
                    last.push(letter);
                }
            }
        }
    }
    found
}

/// `NAME=PATH` or `PATH`.
fn search_entry(here: &Path, text: &str) -> (String, PathBuf) {
    let (name, path) = text.split_once('=').unwrap_or(("", text));
    (name.to_owned(), here.join(path))
}
