//! What would run away ends soon, with an error that says why.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use eval::{Error, ErrorKind, Evaluator, Limits, Options, Value};
use source::{Files, MemoryWorld};

/// Evaluates with a memory limit of half a gibibyte and a wall-clock limit, and prints strictly.
fn run(text: &str) -> Result<String, Error> {
    let started = Instant::now();
    let options = Options {
        limits: Limits {
            memory: 512 << 20,
            ..Limits::default()
        },
        interrupt: Some(Box::new(move || started.elapsed() > Duration::from_secs(20))),
        ..Options::default()
    };
    run_with(options, text)
}

/// Evaluates with a hundredth of the steps that are allowed otherwise, and no clock.
fn run_soon(text: &str) -> Result<String, Error> {
    let options = Options {
        limits: Limits {
            memory: 512 << 20,
            steps: 20_000_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    run_with(options, text)
}

fn run_with(options: Options<'_>, text: &str) -> Result<String, Error> {
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, options);
    let value = evaluator.expression("limit.nix", text, Path::new("/"))?;
    let printed = evaluator.print(&value, true)?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

fn limit_of(text: &str) -> &'static str {
    limit(run(text))
}

fn limit(result: Result<String, Error>) -> &'static str {
    match result {
        Err(error) => match error.kind() {
            ErrorKind::Limit(name) => name,
            ErrorKind::InfiniteRecursion => "recursion",
            ErrorKind::Syntax => "syntax",
            other => panic!("{other:?}: {error}"),
        },
        Ok(text) => panic!("gave {} bytes", text.len()),
    }
}

#[test]
fn a_million_nested_lists_are_refused() {
    let text = "[".repeat(1_000_000);
    let error = run(&text).unwrap_err();
    assert_eq!(
        error.message(),
        "expression nested deeper than 10000 levels (limit)"
    );
}

#[test]
fn every_way_to_nest_is_bounded() {
    for (open, end) in [
        ("!", "true"),
        ("- ", "1"),
        ("a: ", "1"),
        ("if true then 1 else ", "1"),
        ("let a = 1; in ", "a"),
        ("with {}; ", "1"),
        ("assert true; ", "1"),
        ("1 -> ", "1"),
        ("{} // ", "{}"),
        ("[] ++ ", "[]"),
        ("1 + ", "1"),
        ("f ", "1"),
        ("a.b ", "1"),
        ("\"${", "1"),
        ("''${", "1"),
        ("{ a = ", "1"),
        ("({ a ? ", "1"),
        ("(", "1"),
        ("a.", "a = 1"),
        ("x |> ", "x"),
        ("x <| ", "x"),
        ("./${", "1"),
        ("rec { inherit (", "1"),
        ("x ? a || ", "x"),
    ] {
        let text = open.repeat(200_000) + end;
        let error = run(&text).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Syntax, "{open}");
    }
}

#[test]
fn a_deep_expression_within_the_limit_is_evaluated() {
    let text = format!("{}1{}", "(1 + ".repeat(4_000), ")".repeat(4_000));
    assert_eq!(run(&text).unwrap(), "4001");
}

#[test]
fn a_scan_over_operators_without_spaces_takes_linear_time() {
    let text = "1+".repeat(4_000) + "1";
    assert_eq!(run(&text).unwrap(), "4001");
    let long = format!("[ {} ]", "a.b-c+d ".repeat(200_000));
    assert!(run(&long).is_err());
}

#[test]
fn runaway_evaluations_name_their_limit() {
    assert_eq!(limit_of("builtins.genList (x: x) 1000000000000"), "memory");
    assert_eq!(
        limit_of("let double = n: s: if n == 0 then s else double (n - 1) (s + s); in double 40 \"x\""),
        "memory"
    );
    assert_eq!(limit_of("let f = x: f (x + 1); in f 0"), "depth");
    assert_eq!(limit_of("let f = x: 1 + f x; in f 0"), "depth");
    assert_eq!(limit_of("let x = x; in x"), "recursion");
    assert_eq!(limit_of("let f = x: [ (f x) ]; in f 0"), "depth");
    assert_eq!(
        limit_of(
            "let l = builtins.genList (x: x) 100000; d = n: if n == 0 then l else let r = d (n - 1); in r ++ r; in d 20"
        ),
        "memory"
    );
    assert_eq!(
        limit_of("builtins.concatStringsSep \"x\" (builtins.genList (x: \"aaaaaaaaaaaaaaaa\") 10000000)"),
        "memory"
    );
}

/// Two trees of 60 levels, each built from 60 lists or sets, are compared pair by pair.
#[test]
fn trees_that_share_their_branches_are_compared_once() {
    let tree = |leaf: &str, made: &str| {
        format!("(let t = n: if n == 0 then {leaf} else let s = t (n - 1); in {made}; in t 60)")
    };
    let (lists, sets) = ("[ s s ]", "{ a = s; b = [ s ]; }");
    for made in [lists, sets] {
        let (one, two) = (tree("1", made), tree("2", made));
        assert_eq!(run(&format!("{one} == {one}")).unwrap(), "true");
        assert_eq!(run(&format!("{one} == {two}")).unwrap(), "false");
        assert_eq!(run(&format!("{one} != {two}")).unwrap(), "true");
        assert_eq!(
            run(&format!("builtins.elem {one} [ {two} {one} ]")).unwrap(),
            "true"
        );
    }
    let (one, two) = (tree("1", lists), tree("2", lists));
    assert_eq!(run(&format!("{one} < {two}")).unwrap(), "true");
    assert_eq!(run(&format!("{one} < {one}")).unwrap(), "false");
    // A function is no other function, however often it is met.
    let functions = tree("(x: x)", lists);
    assert_eq!(run(&format!("{functions} == {functions}")).unwrap(), "false");
    // One comparison knows nothing of another: these are made and dropped one by one.
    let many = "builtins.all (n: builtins.genList (i: [ i n ]) 2000 == builtins.genList (i: [ i 1 ]) 2000) \
                [ 1 1 1 ]";
    assert_eq!(run(many).unwrap(), "true");
    let last =
        "builtins.genList (i: [ i ]) 5000 == builtins.genList (i: [ (if i == 4999 then 0 else i) ]) 5000";
    assert_eq!(run(last).unwrap(), "false");
}

/// An unknown leaf of such a tree does not make the comparison go through all 2^60 of them.
#[test]
fn trees_that_share_an_unknown_are_compared_once() {
    let text = "let u = builtins.currentTime; t = n: if n == 0 then [ u ] else let s = t (n - 1); in [ s s ]; \
                in t 60 == t 60";
    let world = MemoryWorld::new();
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let value = evaluator.expression("limit.nix", text, Path::new("/")).unwrap();
    assert!(matches!(value, Value::Unknown(..)));
}

#[test]
fn what_grows_by_being_copied_is_charged_for_the_copies() {
    let growing = |count: u32| {
        format!(
            "builtins.length (builtins.attrNames (builtins.foldl' \
             (a: n: a // {{ \"x${{toString n}}\" = n; }}) {{ }} (builtins.genList (x: x) {count})))"
        )
    };
    assert_eq!(run(&growing(4_000)).unwrap(), "4000");
    assert_eq!(limit(run_soon(&growing(100_000))), "step");
    let list = "builtins.length (builtins.foldl' (a: n: a ++ [ n ]) [ ] (builtins.genList (x: x) 100000))";
    assert_eq!(limit(run_soon(list)), "step");
    let sorted =
        "builtins.elemAt (builtins.sort builtins.lessThan (builtins.genList (x: 20000 - x) 20000)) 0";
    assert_eq!(run_soon(sorted).unwrap(), "1");
}

#[test]
fn a_closure_without_end_is_ended_by_its_size() {
    let closure = |first: &str, next: &str| {
        format!(
            "builtins.length (builtins.genericClosure \
             {{ startSet = [ {{ key = {first}; }} ]; operator = x: {next}; }})"
        )
    };
    for next in ["x.key + 1", "x.key - 1", "x.key + 0.5", "x.key - 0.5"] {
        let text = closure("0", &format!("[ {{ key = {next}; }} ]"));
        assert_eq!(limit(run_soon(&text)), "step", "{next}");
    }
    assert_eq!(
        limit(run_soon(&closure("\"\"", "[ { key = x.key + \"x\"; } ]"))),
        "step"
    );
    // Keys before, between and after others, each once.
    let cycle = closure("0", "map (n: { key = n; }) [ (x.key * 7 + 3) (x.key * 5) ]")
        .replace("x.key * 7 + 3", "if x.key > 4000 then 0 else 4001 - x.key")
        .replace("x.key * 5", "if x.key > 4000 then 1 else x.key + 1");
    assert_eq!(run_soon(&cycle).unwrap(), "4002");
}

#[test]
fn what_is_written_twice_is_charged_twice() {
    let tree = "(let t = n: if n == 0 then 1 else let s = t (n - 1); in [ s s ]; in t 60)";
    let deep = "(builtins.foldl' (a: n: [ a ]) [ ] (builtins.genList (x: x) 1000000))";
    let lazy = "(let f = n: if n == 0 then [ ] else [ (f (n - 1)) ]; in f 1000000)";
    for (name, expected) in [("toJSON", "step"), ("toXML", "step"), ("toString", "step")] {
        assert_eq!(
            limit(run_soon(&format!("builtins.{name} {tree}"))),
            expected,
            "{name}"
        );
        assert_eq!(
            limit(run_soon(&format!("builtins.{name} {deep}"))),
            "depth",
            "{name}"
        );
        assert_eq!(
            limit(run_soon(&format!("builtins.{name} {lazy}"))),
            "depth",
            "{name}"
        );
    }
    let shallow = deep.replace("1000000", "2000");
    assert_eq!(
        run_soon(&format!("builtins.stringLength (builtins.toXML {shallow})")).unwrap(),
        "8042073"
    );
}

#[test]
fn a_text_that_grows_by_being_replaced_is_bounded() {
    let text = "let s = builtins.concatStringsSep \"\" (builtins.genList (x: \"a\") 30000); in builtins.replaceStrings [ \"a\" ] [ s ] s";
    assert_eq!(limit_of(text), "memory");
}

#[test]
fn a_derivation_that_holds_itself_is_walked_once() {
    let text = "let d = derivation { name = \"n\"; system = \"s\"; builder = \"b\"; }; in builtins.deepSeq d d.out.all == [ d ]";
    assert_eq!(run(text).unwrap(), "true");
}

#[test]
fn a_pattern_made_to_backtrack_is_quick() {
    let text = "builtins.match \"(a*)*(a*)*(a|a)*b\" (builtins.concatStringsSep \"\" (builtins.genList (x: \"a\") 20000))";
    assert_eq!(run(text).unwrap(), "null");
    let error = run("builtins.match \"((((a{1,1000}){1,1000}){1,1000}){1,1000})\" \"a\"").unwrap_err();
    assert!(error.message().contains("memory limit"), "{error}");
}

#[test]
fn deep_values_are_dropped_without_recursion() {
    let text = "let l = builtins.foldl' (acc: x: { next = acc; x = [ acc ]; }) null (builtins.genList (x: x) 300000); in builtins.seq l 1";
    assert_eq!(run(text).unwrap(), "1");
    let text = "let l = builtins.foldl' (acc: x: [ acc ]) [ ] (builtins.genList (x: x) 300000); in builtins.length l";
    assert_eq!(run(text).unwrap(), "1");
}

#[test]
fn steps_are_counted() {
    let world = MemoryWorld::new();
    let files = Files::new();
    let options = Options {
        limits: Limits {
            steps: 10_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    let evaluator = Evaluator::new(&world, &files, options);
    let text = "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 100000)";
    let error = evaluator
        .expression("steps.nix", text, Path::new("/"))
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Limit("step"));
}

#[test]
fn two_evaluators_run_side_by_side_on_two_threads() {
    let threads: Vec<_> = (0..2)
        .map(|offset| {
            std::thread::spawn(move || {
                run(&format!(
                    "builtins.foldl' (a: b: a + b) {offset} (builtins.genList (x: x) 1000)"
                ))
                .unwrap()
            })
        })
        .collect();
    let results: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(results, ["499500", "499501"]);
}
