//! The built-in library against nixpkgs' own.
//!
//! `NIXPKGS_LIB` names a copy of nixpkgs' `lib` folder. With it, real Nix evaluates every case
//! with both libraries; without it, our evaluator is still held to what real Nix and the real
//! library gave, kept in `prelude/expected.json` (written anew with `UPDATE_EXPECT=1`).
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod nix;

use std::collections::BTreeMap;
use std::path::Path;

use eval::{Evaluator, Options};
use expect_test::{expect, expect_file};
use source::{Files, MemoryWorld};

const CASES: &str = include_str!("prelude/cases.nix");
const RESULTS: &str = include_str!("prelude/results.nix");

type Results = BTreeMap<String, serde_json::Value>;

fn folder(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The prelude as an expression for real Nix.
fn prelude() -> String {
    let prelude = folder("src/prelude");
    format!("import {prelude}/lib.nix (name: import ({prelude} + \"/${{name}}.nix\"))")
}

fn results(lib: &str) -> Results {
    let text = nix::json(&format!("import {}/results.nix ({lib})", folder("tests/prelude")));
    serde_json::from_value(text).expect("a set of results")
}

/// One case a line, so that a difference is one line.
fn lines(results: &Results) -> String {
    let mut text = String::new();
    for (name, cases) in results {
        for case in cases.as_array().into_iter().flatten() {
            text.push_str(&format!("{name} {case}\n"));
        }
    }
    text
}

#[test]
fn real_nix_gives_the_same_with_the_prelude_as_with_nixpkgs() {
    let Some(real) = nix::tree("NIXPKGS_LIB", "the prelude under real Nix") else {
        return;
    };
    let theirs = lines(&results(&format!("import {real}")));
    expect_file!["prelude/expected.txt"].assert_eq(&theirs);
    let ours = lines(&results(&prelude()));
    similar_lines(&ours, &theirs);
    assert!(theirs.lines().count() > 550, "{} cases", theirs.lines().count());
}

fn similar_lines(ours: &str, theirs: &str) {
    let differ: Vec<_> = ours.lines().zip(theirs.lines()).filter(|(a, b)| a != b).collect();
    assert!(
        differ.is_empty() && ours.len() == theirs.len(),
        "{} differ: {differ:#?}",
        differ.len()
    );
}

fn evaluate(expression: &str) -> serde_json::Value {
    let world = MemoryWorld::new()
        .with("/t/cases.nix", CASES)
        .with("/t/results.nix", RESULTS);
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let lib = evaluator.builtin_lib().expect("the built-in library");
    let function = evaluator
        .expression("test", expression, Path::new("/t"))
        .expect("a function");
    let value = evaluator
        .call(&function, lib)
        .unwrap_or_else(|error| panic!("{expression}: {error}"));
    let json = evaluator
        .json(&value)
        .unwrap_or_else(|error| panic!("{expression}: {error} {:?}", error.problem().notes));
    serde_json::from_slice(&json).expect("JSON")
}

#[test]
fn our_evaluator_gives_what_real_nix_gives_with_nixpkgs() {
    let ours = serde_json::from_value(evaluate("import ./results.nix")).expect("a set of results");
    similar_lines(&lines(&ours), include_str!("prelude/expected.txt"));
}

#[test]
fn which_functions_have_no_case() {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let lib = evaluator.builtin_lib().expect("the built-in library");
    let covered: Vec<String> =
        serde_json::from_value(evaluate("lib: builtins.attrNames (import ./results.nix lib)"))
            .expect("names");
    let all = evaluator.attrs(&lib).expect("a set");
    let uncovered: Vec<_> = all
        .iter()
        .map(|attr| &*attr.name)
        .filter(|name| !covered.iter().any(|known| known == name))
        .collect();
    // They read files, say something, or only pass a builtin on.
    expect!["addErrorContext debug fileContents genericClosure importJSON importTOML info pathExists placeholder readDir readFile toFile trace traceIf traceSeq traceVal traceValFn traceValSeq traceValSeqFn unsafeGetAttrPos"].assert_eq(&uncovered.join(" "));
    assert!(all.len() > 300, "{} names in the library", all.len());
}

#[test]
fn what_the_library_lacks_is_unknown_by_its_name() {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let lib = evaluator.builtin_lib().expect("the built-in library");
    for (expression, name) in [
        ("lib: lib.disko.mkThing 1", "lib.disko.mkThing …"),
        (
            "lib: lib.strings.levenshtein \"a\" \"b\"",
            "lib.strings.levenshtein …",
        ),
        ("lib: with lib; evalModules { }", "lib.evalModules …"),
        ("lib: lib.types.attrTag", "lib.types.attrTag"),
    ] {
        let function = evaluator
            .expression("test", expression, Path::new("/"))
            .expect("a function");
        let value = evaluator.call(&function, lib.clone()).expect("a value");
        assert_eq!(format!("{value:?}"), format!("«unknown {name}»"));
    }
}
