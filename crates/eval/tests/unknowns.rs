//! What nobody gave flows as a named unknown, and what does not depend on it is still known.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use eval::{Evaluator, Options, TreeLimits, Value};
use expect_test::{Expect, expect};
use source::{Files, MemoryWorld, Node, Tree};

/// A tree in one line: unknowns as `?name`, failures as `!message`.
fn show(tree: &Tree) -> String {
    match &tree.node {
        Node::Null => "null".into(),
        Node::Bool(it) => it.to_string(),
        Node::Int(it) => it.to_string(),
        Node::Float(it) => it.to_string(),
        Node::Str(it) => format!("{it:?}"),
        Node::Path(it) => it.to_string(),
        Node::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Node::Attrs(attrs) => {
            let parts: Vec<String> = attrs
                .iter()
                .map(|(name, attr)| format!("{name} = {};", show(&attr.tree)))
                .collect();
            format!("{{{}}}", parts.join(" "))
        }
        Node::Function => "«function»".into(),
        Node::Unknown(it) => format!("?{}", it.name),
        Node::Failed(it) => format!("!{}", it.message),
    }
}

/// Calls a function with an open `config`, an unknown `pkgs` and an unknown `disk`.
fn check(body: &str, expected: &Expect) {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let text = format!("{{ config, pkgs, disk, ... }}: {body}");
    let function = evaluator.expression("module.nix", &text, Path::new("/")).unwrap();
    let config = evaluator.open_attrs(
        "config",
        "other modules set it",
        [(
            "networking",
            evaluator.attrs_value([("hostName", Value::string("nas"))]),
        )],
    );
    let argument = evaluator.attrs_value([
        ("config", config),
        ("pkgs", Value::unknown("pkgs", "nixpkgs is not an input")),
        ("disk", Value::unknown("disk", "an argument that nobody gave")),
    ]);
    let value = evaluator.call(&function, argument).unwrap();
    let shown = show(&evaluator.tree(&value, TreeLimits::default()));
    expected.assert_eq(&shown);
}

#[test]
fn unknowns_name_themselves() {
    check("config.a.\"b c\".d", &expect![[r#"?config.a."b c".d"#]]);
    check("config.networking.hostName", &expect![[r#""nas""#]]);
    check("pkgs.callPackage ./x { }", &expect!["?pkgs.callPackage …"]);
    check("[ 1 disk \"${disk}-x\" ]", &expect!["[1 ?disk ?disk]"]);
    check("with pkgs; hello", &expect!["?pkgs.hello"]);
    check("config.x or 1", &expect!["?config.x"]);
    check("config ? x", &expect!["?config.x"]);
    check("disk + 1", &expect!["?disk"]);
    check("builtins.fetchurl \"http://x\"", &expect!["?builtins.fetchurl …"]);
    check("builtins.currentTime", &expect!["?builtins.currentTime"]);
}

#[test]
fn what_decides_alone_decides() {
    check("false && disk", &expect!["false"]);
    check("disk == 1 && false", &expect!["false"]);
    check("disk == 1 || true", &expect!["true"]);
    check("[ 1 disk ] == [ 2 disk ]", &expect!["false"]);
    check("builtins.elem 2 [ disk 2 ]", &expect!["true"]);
    check("builtins.length [ disk disk ]", &expect!["2"]);
    check("(disk // { a = 1; }).a", &expect!["1"]);
    check("({ a = 1; } // disk).a", &expect!["?disk.a"]);
}

#[test]
fn both_branches_are_kept_where_they_agree() {
    check("if config.x then 1 else 1", &expect!["1"]);
    check("if config.x then 1 else 2", &expect!["?config.x"]);
    check(
        "if config.x then { a = 1; b = 2; } else { a = 1; b = 3; c = 4; }",
        &expect!["{a = 1; b = ?config.x; c = ?config.x;}"],
    );
    check(
        "(if config.x then (n: { a = n; }) else (n: { a = n; b = 1; })) 5",
        &expect!["{a = 5; b = ?config.x;}"],
    );
    check("if config.x then throw \"no\" else 2", &expect!["?config.x"]);
    check("assert config.ok; 3", &expect!["3"]);
}

#[test]
fn an_unknown_recursion_ends() {
    check(
        "let f = n: if n < disk then [ n ] ++ f (n + 1) else [ ]; in f 0",
        &expect!["?disk"],
    );
}

#[test]
fn a_failure_stays_in_its_place() {
    check(
        "{ a = 1; b = throw \"no\"; c = [ (1 + \"\") 2 ]; }",
        &expect![[r#"{a = 1; b = !no; c = [!cannot add a string to an integer 2];}"#]],
    );
}
