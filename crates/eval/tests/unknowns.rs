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
    check("assert config.ok; 3", &expect!["3"]);
}

#[test]
fn a_branch_that_throws_is_not_taken_where_there_is_a_value() {
    check("if config.x then throw \"no\" else 2", &expect!["2"]);
    check("if config.x then 2 else abort \"no\"", &expect!["2"]);
    check(
        "if config.x then { a = throw \"no\"; } else { a = 2; }",
        &expect!["{a = 2;}"],
    );
    check(
        "builtins.tryEval (if config.x then throw \"no\" else 2)",
        &expect!["?config.x"],
    );
    // The condition may be there to avoid these.
    check("if config.x then {}.a else 2", &expect!["?config.x"]);
    check("if config.x then 1 / 0 else 2", &expect!["?config.x"]);
}

#[test]
fn the_known_part_of_nested_values_is_kept() {
    check(
        "if config.x then { a = { p = 1; q = 2; r.s = [ 1 2 ]; }; } else { a = { p = 1; q = 3; r.s = [ 1 3 ]; }; }",
        &expect!["{a = {p = 1; q = ?config.x; r = {s = [1 ?config.x];};};}"],
    );
    check(
        "(if config.x then { a.b = 1; } else { a.b = 1; c = 2; }).a.b",
        &expect!["1"],
    );
    check(
        "(if config.x then { a.b = 1; } else { a.b = 1; c = 2; }) ? c",
        &expect!["?config.x"],
    );
    check(
        "{ a = 1; } // (if config.x then { b = 2; } else { })",
        &expect!["{a = 1; b = ?config.x;}"],
    );
    check(
        "{ a = 1; b = 1; } // (if config.x then { b = 2; } else { })",
        &expect!["{a = 1; b = ?config.x;}"],
    );
    check(
        "{ a = 1; b = 1; } // disk",
        &expect!["{a = ?disk.a; b = ?disk.b;}"],
    );
    check("disk // { a = 1; }", &expect!["{a = 1;}"]);
    check("if config.x then \"s\" else \"s\"", &expect![[r#""s""#]]);
    check("if config.x then ./a else ./a", &expect!["/a"]);
}

#[test]
fn the_known_elements_of_a_list_are_kept() {
    check("[ 1 2 ] ++ disk ++ [ 3 ]", &expect!["[1 2 ?disk 3]"]);
    check(
        "[ 1 ] ++ (if config.x then [ 2 ] else [ ])",
        &expect!["[1 ?config.x]"],
    );
    check(
        "(if config.x then [ 1 2 ] else [ 1 3 4 ]) ++ [ 5 ]",
        &expect!["[1 ?config.x ?config.x 5]"],
    );
    check(
        "builtins.concatLists [ [ 1 ] disk [ 2 ] ]",
        &expect!["[1 ?disk 2]"],
    );
    check(
        "builtins.concatMap (x: if x == 2 then disk else [ x ]) [ 1 2 3 ]",
        &expect!["[1 ?disk 3]"],
    );
    check(
        "let optionals = c: l: if c then l else [ ]; in { o = [ \"noatime\" ] ++ optionals config.ssd [ \"ssd\" ]; }",
        &expect![[r#"{o = ["noatime" ?config.ssd];}"#]],
    );
    // How long it is nobody knows, nor which element is which.
    check("builtins.length ([ 1 ] ++ disk)", &expect!["?disk"]);
    check("builtins.elemAt ([ 1 ] ++ disk) 0", &expect!["?disk"]);
    check("map (x: x + 1) ([ 1 ] ++ disk)", &expect!["?disk"]);
    check("[ ([ 1 ] ++ disk) ] == [ ([ 2 ] ++ disk) ]", &expect!["?disk"]);
    check(
        "if config.x then [ 1 ] ++ disk else [ 2 ] ++ disk",
        &expect!["?config.x"],
    );
    check(
        "[ ([ 1 ] ++ 5) ]",
        &expect!["[!expected a list but found an integer: 5]"],
    );
    check(
        "[ (disk ++ 5) ]",
        &expect!["[!expected a list but found an integer: 5]"],
    );
}

#[test]
fn what_an_operator_or_a_builtin_needs_is_what_its_result_depends_on() {
    check(
        "[ (true && disk) (disk && true) (false || disk) (disk || disk) ]",
        &expect!["[?disk ?disk ?disk ?disk]"],
    );
    check(
        "[ (false -> disk) (disk -> true) (true -> disk) (disk -> false) (! disk) ]",
        &expect!["[true true ?disk ?disk ?disk]"],
    );
    check(
        "config.x != null && builtins.stringLength 5 > 1",
        &expect!["?config.x"],
    );
    check("config.x == null || throw \"no\"", &expect!["?config.x"]);
    check("assert config.x == null || throw \"no\"; 1", &expect!["1"]);
    check("[ (true && throw \"no\") ]", &expect!["[!no]"]);
    check("{ a = 1; }.${disk}", &expect!["?disk"]);
    check(
        "{ a.${disk} = 1; b = 2; }",
        &expect!["{a = {${disk} = 1;}; b = 2;}"],
    );
    check(
        "{ ${disk.name} = { x = 1; }; b = 2; }",
        &expect!["{${disk.name} = {x = 1;}; b = 2;}"],
    );
    check("map (d: { device = d; }) disk", &expect!["?disk"]);
    check(
        "builtins.listToAttrs (map (d: { name = d; value = 1; }) disk)",
        &expect!["?disk"],
    );
    check(
        "builtins.mapAttrs (n: v: v) (disk // { a = 1; })",
        &expect!["{a = 1;}"],
    );
    check("builtins.typeOf disk", &expect!["?disk"]);
    check(
        "[ (toString disk) (builtins.elemAt [ 1 2 ] disk) (- disk) (disk < 2) (disk == null) ]",
        &expect!["[?disk ?disk ?disk ?disk ?disk]"],
    );
    check("builtins.tryEval disk", &expect!["?disk"]);
    check("({ a, b ? 1, ... }: [ a b ]) disk", &expect!["[?disk.a ?disk.b]"]);
    check("import (disk + \"/x.nix\")", &expect!["?disk"]);
    check(
        "let inherit (config.my) a; in { inherit a; inherit (config.my.b) c; }",
        &expect!["{a = ?config.my.a; c = ?config.my.b.c;}"],
    );
    check("[ (throw \"no ${disk}\") ]", &expect!["[?disk]"]);
}

/// `{{mainDisk}}` is text that somebody else fills in.
#[test]
fn placeholders_are_values() {
    check(
        "{ device = \"{{mainDisk}}\"; }",
        &expect![[r#"{device = "{{mainDisk}}";}"#]],
    );
    check(
        "\"/dev/disk/by-id/{{mainDisk}}-part${toString 1}\"",
        &expect![[r#""/dev/disk/by-id/{{mainDisk}}-part1""#]],
    );
    check(
        "''\n  {{ mainDisk }}\n  x\n''",
        &expect![[r#""{{ mainDisk }}\nx\n""#]],
    );
    check("/dev + \"/{{mainDisk}}\"", &expect!["/dev/{{mainDisk}}"]);
    check(
        "builtins.listToAttrs [ { name = \"{{disk}}\"; value = 1; } ]",
        &expect!["{{{disk}} = 1;}"],
    );
    check(
        "{ \"{{disk}}\".size = \"@SIZE@\"; }",
        &expect![[r#"{{{disk}} = {size = "@SIZE@";};}"#]],
    );
    check(
        "builtins.match \".*\\\\{\\\\{([a-zA-Z]+)}}\" \"/dev/{{mainDisk}}\"",
        &expect![[r#"["mainDisk"]"#]],
    );
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
