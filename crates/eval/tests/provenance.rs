//! Every value knows the expression that made it and the calls in which it was made, every
//! attribute the binding that set it.
#![cfg(feature = "provenance")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod disk;
#[allow(dead_code)]
mod nix;

use std::path::Path;

use eval::{Evaluator, Options, TreeLimits};
use expect_test::{Expect, expect};
use source::{Entered, Files, MemoryWorld, Provenance, Span, Step, Tree, World};

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

/// A place and its text, cut where it grows long.
fn place(files: &Files, span: Span) -> String {
    let text = files.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(48).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}: {short}{more}", files.place(span))
}

fn step(files: &Files, step: &Step) -> String {
    let entered = match &step.entered {
        Entered::Function { name, called, .. } => {
            let name = name.as_deref().unwrap_or("a function");
            match called.as_deref() {
                Some(by) if by.rsplit('.').next() != Some(name) => format!("{name}, by {by},"),
                _ => name.to_owned(),
            }
        }
        Entered::File(file) => files.get(*file).path.to_string(),
    };
    let again = if step.repeats { " again and again" } else { "" };
    match step.at {
        Some(at) => format!("{entered} entered{again} at {}", place(files, at)),
        None => format!("{entered} entered{again} by the program"),
    }
}

/// All that is known of a value, a line each; steps for which `hidden` holds are left out.
fn told(files: &Files, it: &Provenance, hidden: impl Fn(&Step) -> bool) -> String {
    let mut lines = Vec::new();
    if let Some(made) = it.made {
        lines.push(format!("made {}", place(files, made)));
    }
    if let Some(definition) = it.definition {
        lines.push(format!("written for {}", place(files, definition.whole)));
    }
    for part in &it.path {
        for binding in &part.bindings {
            lines.push(format!("{} set {}", part.name, place(files, binding.whole)));
        }
    }
    for (what, steps) in [("held", &it.held), ("in", &it.chain)] {
        let shown = steps.iter().filter(|it| !hidden(it));
        lines.extend(shown.map(|it| format!("{what} {}", step(files, it))));
    }
    lines.join("\n") + "\n"
}

fn provenance_in(world: &dyn World, entry: &str, path: &[&str]) -> String {
    let files = Files::new();
    let evaluator = Evaluator::new(world, &files, Options::default());
    let value = evaluator.file(Path::new(entry)).unwrap();
    let found = evaluator.provenance(&value, path).unwrap();
    told(&files, &found, |_| false)
}

fn check(text: &str, path: &[&str], expected: Expect) {
    let world = MemoryWorld::new().with("/m.nix", text).with(
        "/lib.nix",
        "{\n  mk = kind: { inherit kind; on = true; };\n  genAttrs = names: f: builtins.listToAttrs (map (n: { name = n; value = f n; }) names);\n  mkIf = condition: content: { _type = \"if\"; inherit condition content; };\n  mkDefault = content: { _type = \"override\"; priority = 1000; inherit content; };\n}",
    );
    expected.assert_eq(&provenance_in(&world, "/m.nix", path));
}

#[test]
fn through_a_function() {
    check(
        "let mk = size: { inherit size; unit = \"G\"; }; in {\n  a = mk 5;\n}",
        &["a", "unit"],
        expect![[r#"
            made /m.nix:1:39: "G"
            written for /m.nix:1:32: unit = "G";
            a set /m.nix:2:3: a = mk 5;
            unit set /m.nix:1:32: unit = "G";
            in mk entered at /m.nix:2:7: mk 5
            in /m.nix entered by the program
        "#]],
    );
    check(
        "let mk = size: { inherit size; unit = \"G\"; }; in {\n  a = mk 5;\n}",
        &["a", "size"],
        expect![[r#"
            made /m.nix:2:10: 5
            written for /m.nix:2:3: a = mk 5;
            a set /m.nix:2:3: a = mk 5;
            size set /m.nix:1:18: inherit size;
            held mk entered at /m.nix:2:7: mk 5
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_functions_of_functions_and_default_arguments() {
    check(
        "let\n  outer = f: f { };\n  inner = { size ? 7 }: { inherit size; };\nin { a = outer inner; }",
        &["a", "size"],
        expect![[r#"
            made /m.nix:3:20: 7
            written for /m.nix:3:3: inner = { size ? 7 }: { inherit size; };
            a set /m.nix:4:6: a = outer inner;
            size set /m.nix:3:27: inherit size;
            in inner, by f, entered at /m.nix:2:14: f { }
            in outer entered at /m.nix:4:10: outer inner
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_map_and_gen_attrs() {
    check(
        "{ a = map (n: { number = n; twice = n * 2; }) [ 1 2 ]; }",
        &["a", "1", "twice"],
        expect![[r#"
            made /m.nix:1:37: n * 2
            written for /m.nix:1:29: twice = n * 2;
            a set /m.nix:1:3: a = map (n: { number = n; twice = n * 2; }) [ 1 …
            twice set /m.nix:1:29: twice = n * 2;
            in a function, by map, entered at /m.nix:1:7: map (n: { number = n; twice = n * 2; }) [ 1 2 ]
            in /m.nix entered by the program
        "#]],
    );
    check(
        "{ a = (import ./lib.nix).genAttrs [ \"x\" \"y\" ] (name: { id = 1; }); }",
        &["a", "y", "id"],
        expect![[r#"
            made /m.nix:1:61: 1
            written for /m.nix:1:56: id = 1;
            a set /m.nix:1:3: a = (import ./lib.nix).genAttrs [ "x" "y" ] (nam…
            y set /lib.nix:3:66: value = f n;
            id set /m.nix:1:56: id = 1;
            in a function, by f, entered at /lib.nix:3:74: f n
            in a function, by map, entered at /lib.nix:3:46: map (n: { name = n; value = f n; }) names
            in genAttrs entered at /m.nix:1:7: (import ./lib.nix).genAttrs [ "x" "y" ] (name: {…
            in /m.nix entered by the program
        "#]],
    );
    check(
        "{ a = builtins.mapAttrs (n: v: { value = v; })\n { x = 1; }; b = builtins.genList (i: i + 1) 3; }",
        &["a", "x"],
        expect![[r#"
            made /m.nix:1:32: { value = v; }
            written for /m.nix:1:3: a = builtins.mapAttrs (n: v: { value = v; }) { x…
            a set /m.nix:1:3: a = builtins.mapAttrs (n: v: { value = v; }) { x…
            x set /m.nix:2:4: x = 1;
            in a function, by builtins.mapAttrs, entered at /m.nix:1:7: builtins.mapAttrs (n: v: { value = v; }) { x = 1…
            in /m.nix entered by the program
        "#]],
    );
    check(
        "{ b = builtins.genList (i: i + 1) 3; }",
        &["b", "2"],
        expect![[r#"
            made /m.nix:1:28: i + 1
            written for /m.nix:1:3: b = builtins.genList (i: i + 1) 3;
            b set /m.nix:1:3: b = builtins.genList (i: i + 1) 3;
            in a function, by builtins.genList, entered at /m.nix:1:7: builtins.genList (i: i + 1) 3
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_an_update() {
    check(
        "let base = { a = 1; b = 2; }; in\nbase // { b = 3; }",
        &["b"],
        expect![[r#"
            made /m.nix:2:15: 3
            written for /m.nix:2:11: b = 3;
            b set /m.nix:2:11: b = 3;
            in /m.nix entered by the program
        "#]],
    );
    check(
        "let base = { a = 1; b = 2; }; in\nbase // { b = 3; }",
        &["a"],
        expect![[r#"
            made /m.nix:1:18: 1
            written for /m.nix:1:14: a = 1;
            a set /m.nix:1:14: a = 1;
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_with_and_inherit() {
    check(
        "let s = { z = 8; }; in\nwith { w = 9; }; { a = w; inherit (s) z; }",
        &["a"],
        expect![[r#"
            made /m.nix:2:12: 9
            written for /m.nix:2:8: w = 9;
            a set /m.nix:2:20: a = w;
            in /m.nix entered by the program
        "#]],
    );
    check(
        "let s = { z = 8; }; in\nwith { w = 9; }; { a = w; inherit (s) z; }",
        &["z"],
        expect![[r#"
            made /m.nix:1:15: 8
            written for /m.nix:1:11: z = 8;
            z set /m.nix:2:27: inherit (s) z;
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_the_wrappers_of_modules() {
    check(
        "with import ./lib.nix;\n{ a = mkIf true (mkDefault [ \"x\" ]); }",
        &["a", "content", "content", "0"],
        expect![[r#"
            made /m.nix:2:30: "x"
            written for /m.nix:2:3: a = mkIf true (mkDefault [ "x" ]);
            a set /m.nix:2:3: a = mkIf true (mkDefault [ "x" ]);
            content set /lib.nix:4:46: inherit condition content;
            content set /lib.nix:5:63: inherit content;
            in /m.nix entered by the program
        "#]],
    );
    check(
        "with import ./lib.nix;\n{ a = mkIf true (mkDefault [ \"x\" ]); }",
        &["a", "content", "priority"],
        expect![[r#"
            made /lib.nix:5:57: 1000
            written for /lib.nix:5:46: priority = 1000;
            a set /m.nix:2:3: a = mkIf true (mkDefault [ "x" ]);
            content set /lib.nix:4:46: inherit condition content;
            priority set /lib.nix:5:46: priority = 1000;
            in mkDefault entered at /m.nix:2:18: mkDefault [ "x" ]
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_imports_of_imports() {
    let world = MemoryWorld::new()
        .with("/a.nix", "{ a = import ./b.nix { kind = \"x\"; }; }")
        .with("/b.nix", "{ kind }:\n{ inherit kind; b = import ./c.nix; }")
        .with("/c.nix", "{ deep = 1; }");
    expect![[r#"
        made /c.nix:1:10: 1
        written for /c.nix:1:3: deep = 1;
        a set /a.nix:1:3: a = import ./b.nix { kind = "x"; };
        b set /b.nix:2:17: b = import ./c.nix;
        deep set /c.nix:1:3: deep = 1;
        in /c.nix entered at /b.nix:2:21: import ./c.nix
        in a function, by import, entered at /a.nix:1:7: import ./b.nix { kind = "x"; }
        in /a.nix entered by the program
    "#]]
    .assert_eq(&provenance_in(&world, "/a.nix", &["a", "b", "deep"]));
}

#[test]
fn an_unknown_is_where_it_was_asked_for() {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let text = "config: { name = config.host; }";
    let function = evaluator.expression("m.nix", text, Path::new("/")).unwrap();
    let config = evaluator.open_attrs("config", "nobody gave it", []);
    let value = evaluator.call(&function, config).unwrap();
    let found = evaluator.provenance(&value, &["name"]).unwrap();
    expect![[r#"
        made m.nix:1:18: config.host
        written for m.nix:1:11: name = config.host;
        name set m.nix:1:11: name = config.host;
        held a function entered by the program
    "#]]
    .assert_eq(&told(&files, &found, |_| false));
}

#[test]
fn what_is_not_there_is_an_error_with_a_place() {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let value = evaluator
        .expression("m.nix", "{ a = [ 1 ]; }", Path::new("/"))
        .unwrap();
    for (path, message, at) in [
        (&["b"][..], "there is no 'b' in this value", "{ a = [ 1 ]; }"),
        (&["a", "1"], "there is no '1' in this value", "[ 1 ]"),
        (&["a", "x"], "there is no 'x' in this value", "[ 1 ]"),
    ] {
        let error = evaluator.provenance(&value, path).unwrap_err();
        assert_eq!(error.message(), message);
        assert_eq!(files.text(error.span().unwrap()), at);
    }
}

#[test]
fn a_deep_recursion_keeps_its_outermost_laps_and_its_last() {
    check(
        "let\n  down = n: if n == 0 then { end = \"here\"; } else down (n - 1);\nin down 5000",
        &["end"],
        expect![[r#"
            made /m.nix:2:36: "here"
            written for /m.nix:2:30: end = "here";
            end set /m.nix:2:30: end = "here";
            in down entered again and again at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:2:51: down (n - 1)
            in down entered at /m.nix:3:4: down 5000
            in /m.nix entered by the program
        "#]],
    );
    // A call for each element, each made inside the one before.
    check(
        "let\n  next = n: { value = n; rest = next (n + 1); };\n  nth = l: n: if n == 0 then l else nth l.rest (n - 1);\nin { a = nth (next 0) 4000; }",
        &["a", "value"],
        expect![[r#"
            made /m.nix:2:39: n + 1
            written for /m.nix:2:26: rest = next (n + 1);
            a set /m.nix:4:6: a = nth (next 0) 4000;
            value set /m.nix:2:15: value = n;
            in next entered again and again at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:2:33: next (n + 1)
            in next entered at /m.nix:4:15: next 0
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn nested_uses_of_one_function_are_told_apart() {
    check(
        "let inherit (import ./lib.nix) genAttrs; in\ngenAttrs [ \"a\" ] (x:\n  genAttrs [ \"b\" ] (y:\n    genAttrs [ \"c\" ] (z: { v = 1; })))",
        &["a", "b", "c", "v"],
        expect![[r#"
            made /m.nix:4:32: 1
            written for /m.nix:4:28: v = 1;
            a set /lib.nix:3:66: value = f n;
            b set /lib.nix:3:66: value = f n;
            c set /lib.nix:3:66: value = f n;
            v set /m.nix:4:28: v = 1;
            in a function, by f, entered at /lib.nix:3:74: f n
            in a function, by map, entered at /lib.nix:3:46: map (n: { name = n; value = f n; }) names
            in genAttrs entered at /m.nix:4:5: genAttrs [ "c" ] (z: { v = 1; })
            in a function, by f, entered at /lib.nix:3:74: f n
            in a function, by map, entered at /lib.nix:3:46: map (n: { name = n; value = f n; }) names
            in genAttrs entered at /m.nix:3:3: genAttrs [ "b" ] (y: genAttrs [ "c" ] (z: { v = …
            in a function, by f, entered at /lib.nix:3:74: f n
            in a function, by map, entered at /lib.nix:3:46: map (n: { name = n; value = f n; }) names
            in genAttrs entered at /m.nix:2:1: genAttrs [ "a" ] (x: genAttrs [ "b" ] (y: genAtt…
            in /m.nix entered by the program
        "#]],
    );
}

#[test]
fn through_the_real_module_system() {
    let Some(lib) = nix::tree("NIXPKGS_LIB", "provenance through evalModules") else {
        return;
    };
    let folder = format!("{}/tests/provenance", env!("CARGO_MANIFEST_DIR"));
    let files = Files::below(&folder);
    let evaluator = Evaluator::new(&disk::Disk, &files, Options::default());
    let function = evaluator.file(Path::new(&format!("{folder}/main.nix"))).unwrap();
    let given = evaluator.attrs_value([("lib", evaluator.file(Path::new(&lib)).unwrap())]);
    let config = evaluator.call(&function, given).unwrap();
    let of = |path: &[&str]| {
        let found = evaluator.provenance(&config, path).unwrap();
        let in_lib = |span: Span| files.get(span.file).path.starts_with(&lib);
        // How the library does it is the library's business, and changes with it.
        let mut own = found.clone();
        for part in &mut own.path {
            part.bindings.retain(|it| !in_lib(it.whole));
        }
        told(&files, &own, |step| step.at.is_some_and(in_lib))
    };
    expect![[r#"
        made disks.nix:7:48: "btrfs"
        written for disks.nix:7:22: root.kind = lib.mkDefault "btrfs";
        in evalModules entered at main.nix:2:2: lib.evalModules { modules = [ ./options.nix ./di…
        in a function entered by the program
        in main.nix entered by the program
    "#]]
    .assert_eq(&of(&["disks", "root", "kind"]));
    expect![[r#"
        made disks.nix:8:44: "noatime"
        written for disks.nix:6:3: disks = lib.mkMerge [ (lib.mkIf true { root.kind…
        in genAttrs entered at disks.nix:8:6: lib.genAttrs [ "home" ] (name: ext4 [ "noatime" …
        in evalModules entered at main.nix:2:2: lib.evalModules { modules = [ ./options.nix ./di…
        in a function entered by the program
        in main.nix entered by the program
    "#]]
    .assert_eq(&of(&["disks", "home", "options", "0"]));
    expect![[r#"
        made options.nix:8:19: "none"
        written for options.nix:8:9: default = "none";
        in evalModules entered at main.nix:2:2: lib.evalModules { modules = [ ./options.nix ./di…
        in a function entered by the program
        in main.nix entered by the program
    "#]]
    .assert_eq(&of(&["disks", "swap", "kind"]));
    expect![[r#"
        made main.nix:6:14: "inline"
        written for main.nix:6:7: name = "inline";
        held evalModules entered at main.nix:2:2: lib.evalModules { modules = [ ./options.nix ./di…
        in a function entered by the program
        in main.nix entered by the program
    "#]]
    .assert_eq(&of(&["name"]));
}
