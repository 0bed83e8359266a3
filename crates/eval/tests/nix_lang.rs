//! Runs the language tests of the Nix project.
//!
//! `NIX_TESTS` names the root of a copy of the Nix repository; without it nothing runs, and the
//! test says so. `tests/nix-lang/not-passing.txt` in the workspace root lists the tests that do
//! not pass, each with its reason; one that is listed and passes is a failure.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)]

mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use disk::Disk;
use eval::{Evaluator, Limits, Options, Value};
use source::Files;

/// What one test gave: its output, or its error with whether that has a place.
struct Outcome {
    printed: Result<Vec<u8>, (String, bool)>,
}

/// The flags of a test that matter here.
#[derive(Default)]
struct Flags {
    args: Vec<(String, String, bool)>,
    attr: Option<String>,
    search: Vec<(String, PathBuf)>,
    /// The features that are off by default and on for this test.
    features: String,
}

fn flags(tests: &Path, name: &str) -> Flags {
    let mut flags = Flags::default();
    let text = std::fs::read_to_string(tests.join(format!("{name}.flags"))).unwrap_or_default();
    let line: String = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--arg" | "--argstr" => {
                let name = words.next().unwrap_or_default().to_owned();
                let value = words.next().unwrap_or_default().to_owned();
                flags.args.push((name, value, word == "--argstr"));
            }
            "-A" => flags.attr = words.next().map(str::to_owned),
            "-I" => {
                let place = words.next().unwrap_or_default();
                let (prefix, path) = place.split_once('=').unwrap_or(("", place));
                let root = tests.parent().unwrap_or(tests);
                flags.search.push((prefix.to_owned(), root.join(path)));
            }
            "--extra-experimental-features" => flags.features.push_str(words.next().unwrap_or_default()),
            _ => {}
        }
    }
    flags
}

fn run(tests: &Path, name: &str, xml: bool, parse: bool) -> Outcome {
    let root = tests.parent().unwrap_or(tests);
    let flags = flags(tests, name);
    let started = Instant::now();
    let mut search_path = flags.search;
    search_path.push((String::new(), tests.join("dir3")));
    search_path.push((String::new(), tests.join("dir4")));
    let options = Options {
        limits: Limits {
            memory: 2 << 30,
            ..Limits::default()
        },
        search_path,
        environment: vec![("TEST_VAR".to_owned(), "foo".to_owned())],
        home: Some(PathBuf::from("/fake-home")),
        hash_sources: true,
        toml_timestamps: flags.features.contains("parse-toml-timestamps"),
        interrupt: Some(Box::new(move || started.elapsed() > Duration::from_secs(20))),
        ..Options::default()
    };
    let files = Files::new();
    let evaluator = Evaluator::new(&Disk, &files, options);
    let path = tests.join(format!("{name}.nix"));
    let printed = (|| {
        if parse {
            let bytes = std::fs::read(&path).unwrap();
            return evaluator.show_syntax(name, &bytes, tests);
        }
        let mut args = Vec::new();
        for (name, value, string) in &flags.args {
            let value = if *string {
                Value::string(value)
            } else {
                evaluator.expression("(argument)", value, root)?
            };
            args.push((name.clone(), value));
        }
        let mut value = evaluator.file(&path)?;
        value = evaluator.auto_call(&value, &args)?;
        for part in flags.attr.iter().flat_map(|attr| attr.split('.')) {
            if let Some(below) = evaluator.select(&value, [part])? {
                value = below;
            }
        }
        if xml {
            evaluator.xml(&value, true, false)
        } else {
            evaluator.print(&value, true)
        }
    })();
    Outcome {
        printed: printed.map_err(|error| {
            let problem = error.problem();
            let placed = problem.span.is_some() || problem.notes.iter().any(|note| note.span.is_some());
            (problem.message, placed)
        }),
    }
}

/// Failures whose only place is where a value was made: they have none without the feature
/// `provenance`.
const PLACED_BY_ORIGIN: &[&str] = &[
    "eval-fail-derivation-name",
    "eval-fail-fetchTree-negative",
    "eval-fail-fetchTree-relative-path",
    "eval-fail-fetchurl-baseName",
    "eval-fail-fetchurl-baseName-attrs",
    "eval-fail-fetchurl-baseName-attrs-name",
    "eval-fail-zipAttrsWith-3",
];

/// Why a test did not pass, or `None` when it did.
fn judge(tests: &Path, name: &str) -> Option<String> {
    let pwd = tests.parent().unwrap_or(tests).display().to_string();
    let expected = |ending: &str| std::fs::read(tests.join(format!("{name}.{ending}"))).ok();
    let xml = expected("exp.xml");
    let outcome = run(tests, name, xml.is_some(), name.starts_with("parse-"));
    if name.contains("-fail-") {
        return match outcome.printed {
            Ok(_) => Some("should have failed".to_owned()),
            Err((_, true)) => None,
            Err(_) if !cfg!(feature = "provenance") && PLACED_BY_ORIGIN.contains(&name) => None,
            Err((message, false)) => Some(format!("failed without a place: {message}")),
        };
    }
    match (outcome.printed, xml.or_else(|| expected("exp"))) {
        (Err((message, _)), _) => Some(format!("failed: {message}")),
        (Ok(_), None) => None,
        (Ok(printed), Some(wanted)) => {
            let mut text = String::from_utf8_lossy(&printed).replace(&pwd, "/pwd");
            if !text.ends_with('\n') {
                text.push('\n');
            }
            let wanted = String::from_utf8_lossy(&wanted).into_owned();
            (text != wanted).then(|| format!("gave {text}instead of {wanted}"))
        }
    }
}

#[test]
fn nix_language_tests() {
    let Some(root) = std::env::var_os("NIX_TESTS") else {
        println!("NOT RUN: the language tests of Nix. Set NIX_TESTS to the root of the Nix repository.");
        return;
    };
    let tests = Path::new(&root).join("tests/functional/lang");
    let mut names: BTreeSet<String> = BTreeSet::new();
    for entry in std::fs::read_dir(&tests).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".nix")
            && (name.starts_with("eval-") || name.starts_with("parse-"))
            // As the project's own runner, which skips these.
            && !tests.join(format!("{name}.exp-disabled")).exists()
        {
            names.insert(name.to_owned());
        }
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/nix-lang/not-passing.txt");
    let listed: BTreeMap<String, String> = std::fs::read_to_string(list)
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            (name.to_owned(), reason.trim().to_owned())
        })
        .collect();

    let mut passed: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut complaints = Vec::new();
    for name in &names {
        let kind = ["eval-okay", "eval-fail", "parse-okay", "parse-fail"]
            .into_iter()
            .find(|kind| name.starts_with(kind))
            .unwrap_or("other");
        let verdict = judge(&tests, name);
        let counts = passed.entry(kind).or_default();
        counts.1 += 1;
        counts.0 += usize::from(verdict.is_none());
        match (verdict, listed.get(name)) {
            (None, None) => {}
            (Some(why), None) => complaints.push(format!("{name}: {why}")),
            (Some(_), Some(reason)) if !reason.is_empty() => {}
            (Some(_), Some(_)) => complaints.push(format!("{name} is listed without a reason")),
            (None, Some(_)) => complaints.push(format!("{name} passes: take it from the list")),
        }
    }
    for name in listed.keys().filter(|name| !names.contains(*name)) {
        complaints.push(format!("{name} is listed, but there is no such test"));
    }
    for (kind, (good, all)) in &passed {
        println!("{kind}: {good} of {all}");
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
