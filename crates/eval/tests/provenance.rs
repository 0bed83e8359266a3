//! Every value knows the expression that made it, every attribute the binding that set it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use eval::{Evaluator, Options, TreeLimits};
use source::{Files, MemoryWorld, Tree};

/// The text of the expression that made the value below the path, and of its bindings' values.
fn made(world: &MemoryWorld, text: &str, path: &[&str]) -> (String, Vec<String>) {
    let files = Files::new();
    let evaluator = Evaluator::new(world, &files, Options::default());
    let value = evaluator.expression("main.nix", text, Path::new("/")).unwrap();
    let tree: Tree = evaluator.tree(&value, TreeLimits::default());
    let mut at = &tree;
    let mut bindings = Vec::new();
    for name in path {
        if let Ok(index) = name.parse::<usize>()
            && let Some(list) = at.as_list()
        {
            at = &list[index];
            continue;
        }
        let attr = at.get(name).unwrap();
        bindings = attr
            .bindings
            .iter()
            .map(|binding| files.text(binding.whole))
            .collect();
        at = &attr.tree;
    }
    let span = at.origin.span().unwrap();
    (files.text(span), bindings)
}

#[test]
fn literals_are_where_they_were_written() {
    let world = MemoryWorld::new();
    let (text, bindings) = made(&world, "{ a.b = [ 1 \"x\" ]; }", &["a", "b", "1"]);
    assert_eq!(text, "\"x\"");
    assert_eq!(bindings, ["a.b = [ 1 \"x\" ];"]);
}

#[test]
fn values_keep_their_origin_on_the_way() {
    let world = MemoryWorld::new().with("/lib.nix", "{ mk = v: { options = v; }; }");
    for (text, path, wanted) in [
        ("let f = x: { inherit x; }; in f \"v\"", &["x"][..], "\"v\""),
        (
            "builtins.listToAttrs [ { name = \"n\"; value = 7; } ]",
            &["n"],
            "7",
        ),
        ("builtins.mapAttrs (n: v: v) { a = 5; }", &["a"], "5"),
        ("map (x: x) [ 1 2 3 ]", &["2"], "3"),
        ("{ a = 1; } // { a = 2; }", &["a"], "2"),
        ("with { y = \"w\"; }; { a = y; }", &["a"], "\"w\""),
        ("{ a = builtins.head [ 9 ]; }", &["a"], "9"),
        ("(import /lib.nix).mk [ \"o\" ]", &["options", "0"], "\"o\""),
        ("{ a = if true then 1 else 2; }", &["a"], "1"),
        ("{ a = { }.b or 3; }", &["a"], "3"),
        ("{ a = 1 + 2; }", &["a"], "1 + 2"),
        ("{ a = toString 4; }", &["a"], "toString 4"),
        ("let s = { z = 8; }; in { inherit (s) z; }", &["z"], "8"),
        ("({ d ? \"dflt\" }: { inherit d; }) { }", &["d"], "\"dflt\""),
    ] {
        assert_eq!(made(&world, text, path).0, wanted, "{text}");
    }
}

#[test]
fn an_attribute_set_in_parts_has_all_its_bindings() {
    let world = MemoryWorld::new();
    let (_, bindings) = made(&world, "{ a.b = 1; a.c = 2; }", &["a"]);
    assert_eq!(bindings, ["a.b = 1;", "a.c = 2;"]);
}

#[test]
fn inherited_attributes_point_at_the_inherit() {
    let world = MemoryWorld::new();
    let (_, bindings) = made(&world, "let x = 1; in { inherit x; }", &["x"]);
    assert_eq!(bindings, ["inherit x;"]);
}

#[test]
fn errors_say_where_and_how_they_were_reached() {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let text = "let f = x: x + 1; in { a = f \"s\"; }.a";
    let error = evaluator
        .expression("main.nix", text, Path::new("/"))
        .unwrap_err();
    let problem = error.problem();
    assert_eq!(problem.message, "cannot coerce an integer to a string: 1");
    assert_eq!(files.text(problem.span.unwrap()), "x + 1");
    assert_eq!(problem.notes[0].message, "while calling `f`");
}
