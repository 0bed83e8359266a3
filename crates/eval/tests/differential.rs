//! Random expressions, each evaluated by real Nix and here: the same value, or a failure of both.
//!
//! Needs `nix` on the path, and says so when it is not there. `EVAL_DIFFERENTIAL` is the number of
//! expressions (2,000 when not set), `EVAL_DIFFERENTIAL_SEED` the seed (0 when not set).
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)]

mod disk;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use disk::Disk;
use eval::{Evaluator, Options};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use source::Files;

/// Makes any value one that `toJSON` takes, and that Nix 2.8 writes as later ones do: its JSON has
/// floats without a fraction as integers.
const NORMAL: &str = "let n = v: let t = builtins.typeOf v; in if t == \"lambda\" then \"<LAMBDA>\" \
    else if t == \"set\" then builtins.mapAttrs (_: n) v else if t == \"list\" then map n v \
    else if t == \"path\" then \"path:\" + toString v \
    else if t == \"float\" then \"float:\" + toString v else v; in n";

/// The variables that every expression sees.
const SCOPE: &str = "let i = 7; j = -3; fl = 2.5; t = true; s = \"abc\"; u = \"x-1.2\"; l = [ 3 1 2 ]; \
    m = [ \"b\" \"a\" ]; a = { x = 1; y.z = \"q\"; \"k k\" = [ ]; }; e = { }; f = x: x; g = { p, q ? 5, ... }: p; \
    h = x: y: y; in ";

type Text = BoxedStrategy<String>;

/// Expressions of each type, up to one depth.
#[derive(Clone)]
struct Level {
    int: Text,
    float: Text,
    bool: Text,
    string: Text,
    list: Text,
    attrs: Text,
    function: Text,
    any: Text,
}

/// Fills the `%` of a template with the parts.
fn fill(template: &'static str, parts: Vec<Text>) -> Text {
    parts
        .prop_map(move |parts| {
            let mut parts = parts.into_iter();
            let mut out = String::new();
            for letter in template.chars() {
                if letter == '%' {
                    out.push_str(&parts.next().unwrap_or_default());
                } else {
                    out.push(letter);
                }
            }
            out
        })
        .boxed()
}

fn words(all: &'static [&'static str]) -> Text {
    proptest::sample::select(all).prop_map(str::to_owned).boxed()
}

fn union(all: Vec<Text>) -> Text {
    proptest::strategy::Union::new(all).boxed()
}

fn leaves() -> Level {
    let int = union(vec![
        words(&["i", "j", "0", "1", "2", "(-1)", "a.x", "42"]),
        (0i64..200).prop_map(|number| number.to_string()).boxed(),
    ]);
    let float = words(&["fl", "1.5", "0.25", "3.0", "(-0.5)", "100.125", "1.0e3"]);
    let bool = words(&["t", "true", "false"]);
    let string = words(&[
        "s",
        "u",
        "\"\"",
        "\"a\"",
        "\"b c\"",
        "\"x\\ny\"",
        "\"1.10-pre2\"",
        "a.y.z",
        "\"\\${q}\"",
        "''a\\nb''",
        "\"$${\"",
        "\"10\"",
        "\"k k\"",
        "\"x\"",
        "''  z''",
        "http://a.b/c",
    ]);
    let list = words(&[
        "l",
        "m",
        "[ ]",
        "[ 1 2.0 ]",
        "[ s i t null ]",
        "[ [ ] [ 1 ] ]",
        "a.\"k k\"",
        "[ f ]",
    ]);
    let attrs = words(&[
        "a",
        "e",
        "{ }",
        "{ x = 2; }",
        "a.y",
        "{ x = i; p = s; }",
        "rec { x = 1; y = x; }",
        "{ __toString = self: \"str\"; }",
        "{ outPath = \"/o\"; }",
        "{ inherit i s; }",
        "{ inherit (a) x; }",
        "{ __functor = self: x: x; p = 1; }",
    ]);
    let function = words(&[
        "f",
        "h",
        "(x: x)",
        "(x: y: x)",
        "g",
        "({ x ? 1, ... }: x)",
        "toString",
        "builtins.length",
        "builtins.typeOf",
        "(builtins.add 1)",
        "(x: [ x x ])",
        "({ ... }@all: all)",
        "builtins.isInt",
    ]);
    let any = union(vec![
        int.clone(),
        float.clone(),
        bool.clone(),
        string.clone(),
        list.clone(),
        attrs.clone(),
        function.clone(),
        words(&["null", "(throw \"t\")", "(abort \"q\")", "builtins.nullx"]),
    ]);
    Level {
        int,
        float,
        bool,
        string,
        list,
        attrs,
        function,
        any,
    }
}

/// The forms that give any type, with parts of that type.
fn general(same: &Text, l: &Level) -> Vec<Text> {
    let (b, x, n, at) = (&l.bool, same, &l.int, &l.attrs);
    let t = |template, parts: &[&Text]| fill(template, parts.iter().map(|&part| part.clone()).collect());
    vec![
        t("(if % then % else %)", &[b, x, x]),
        t("(let i = %; in %)", &[n, x]),
        t("(let s = %; l = [ s ]; in %)", &[&l.string, x]),
        t("(let inherit (%) x; in %)", &[at, x]),
        t("(with %; %)", &[at, x]),
        t("(with { i = %; zz = %; }; %)", &[n, x, x]),
        t("(assert %; %)", &[b, x]),
        t("((x: %) %)", &[x, &l.any]),
        t("((i: j: %) % %)", &[x, n, n]),
        t("(({ i, j ? i, ... }: %) %)", &[x, at]),
        t("(({ i ? %, s ? \"d\" }@a: %) { })", &[n, x]),
        t("((a@{ x, ... }: %) %)", &[x, at]),
        t("(({ i, j }: %) { i = %; j = %; })", &[x, n, n]),
        t("{ v = %; }.v", &[x]),
        t("(%.zz or %)", &[at, x]),
        t("(%.x.y.z or %)", &[at, x]),
        t("(builtins.head [ % ])", &[x]),
        t("(builtins.elemAt [ % % ] %)", &[x, x, n]),
        t("(builtins.seq % %)", &[&l.any, x]),
        t("(builtins.deepSeq % %)", &[&l.any, x]),
        t("(f %)", &[x]),
        t("(h % %)", &[&l.any, x]),
        t("(g { p = %; r = 1; })", &[x]),
        t("(rec { w = %; v = w; }).v", &[x]),
        t("(builtins.getAttr \"k\" { k = %; })", &[x]),
        t(
            "(let r = builtins.tryEval %; in if r.success then r.value else %)",
            &[x, x],
        ),
        t("(builtins.addErrorContext \"c\" %)", &[x]),
        t("(let { body = %; i = 3; })", &[x]),
        t("({ __functor = self: y: %; } %)", &[x, n]),
        t("(builtins.foldl' (acc: y: acc) % %)", &[x, &l.list]),
    ]
}

fn deeper(l: &Level) -> Level {
    let t = |template, parts: &[&Text]| fill(template, parts.iter().map(|&part| part.clone()).collect());
    let (n, fl, b, s, li, at, fu, any) = (
        &l.int,
        &l.float,
        &l.bool,
        &l.string,
        &l.list,
        &l.attrs,
        &l.function,
        &l.any,
    );
    let num = union(vec![n.clone(), n.clone(), fl.clone()]);
    let name = words(&["x", "y", "\"k k\"", "p", "zz"]);
    // What Nix 2.8 evaluates even where later ones do not need it.
    let text = words(&["\"\"", "\"a\"", "\"<>\"", "\"x-1.2\""]);
    let regex = words(&[
        "a",
        "(a|b)*",
        "([a-z]+)",
        "[[:digit:]]+",
        "(.)(.)?",
        "a{1,2}",
        "",
        "x|(y)",
        "([0-9]+)\\\\.([0-9]+)",
        "[^a]*",
        "(a)?b",
        "\\\\.",
        "-",
        "(x*)(x)",
        "ab|abc",
    ]);

    let mut int = general(n, l);
    int.extend([
        t("(% + %)", &[n, n]),
        t("(% - %)", &[n, n]),
        t("(% * %)", &[n, n]),
        t("(% / %)", &[n, n]),
        t("(-%)", &[n]),
        t("(builtins.length %)", &[li]),
        t("(builtins.stringLength %)", &[s]),
        t("(builtins.compareVersions % %)", &[s, s]),
        t("(builtins.bitAnd % %)", &[n, n]),
        t("(builtins.bitOr % %)", &[n, n]),
        t("(builtins.bitXor % %)", &[n, n]),
        t("(builtins.add % %)", &[n, n]),
        t("(builtins.floor %)", &[&num]),
        t("(builtins.ceil %)", &[&num]),
        t("(builtins.foldl' (x: y: x + y) % %)", &[n, li]),
        t("(builtins.fromJSON (builtins.toJSON (norm %)))", &[n]),
        t("(builtins.length (builtins.attrNames %))", &[at]),
        t("(% % %)", &[fu, any, any]),
        t("(builtins.head (builtins.sort builtins.lessThan %))", &[li]),
        t("(% + % * % - %)", &[n, n, n, n]),
    ]);
    let mut float = general(fl, l);
    float.extend([
        t("(% + %)", &[&num, fl]),
        t("(% * %)", &[fl, &num]),
        t("(% - %)", &[fl, fl]),
        t("(% / %)", &[&num, fl]),
        t("(-%)", &[fl]),
        t("(builtins.mul % %)", &[fl, &num]),
    ]);
    let mut bool = general(b, l);
    bool.extend([
        t("(% == %)", &[any, any]),
        t("(% != %)", &[any, any]),
        t("(% == %)", &[at, at]),
        t("(% == %)", &[li, li]),
        t("(% < %)", &[&num, &num]),
        t("(% <= %)", &[s, s]),
        t("(% > %)", &[li, li]),
        t("(% >= %)", &[any, any]),
        t("(% && %)", &[b, b]),
        t("(% || %)", &[b, b]),
        t("(% -> %)", &[b, b]),
        t("(!%)", &[b]),
        t("(% ? %)", &[at, &name]),
        t("(% ? x.y)", &[any]),
        t("(% ? ${%})", &[at, s]),
        t("(builtins.hasAttr % %)", &[s, at]),
        t("(builtins.elem % %)", &[any, li]),
        t("(builtins.all (x: x == %) %)", &[any, li]),
        t("(builtins.any builtins.isString %)", &[li]),
        t("(builtins.isAttrs %)", &[any]),
        t("(builtins.isList %)", &[any]),
        t("(builtins.isFunction %)", &[any]),
        t("(builtins.isFloat %)", &[any]),
        t("(isNull %)", &[any]),
        t("(builtins.lessThan % %)", &[any, any]),
        t("(builtins.tryEval %).success", &[any]),
        t("(builtins.tryEval (builtins.deepSeq % 1)).success", &[any]),
        t("(% == % && % || %)", &[n, n, b, b]),
    ]);
    let mut string = general(s, l);
    string.extend([
        t("(% + %)", &[s, s]),
        t("\"<${%}>\"", &[s]),
        t("\"${%}-${toString %}\"", &[s, any]),
        t("''\\n  q ${%}\\n    r\\n''", &[s]),
        t("''${%} ''$ ''' x''", &[s]),
        t("(toString %)", &[any]),
        t("(builtins.substring % % %)", &[n, n, s]),
        t("(builtins.concatStringsSep % %)", &[s, li]),
        t(
            "(builtins.replaceStrings [ % % ] [ % % ] %)",
            &[s, s, &text, &text, s],
        ),
        t(
            "(builtins.replaceStrings [ \"a\" \"\" ] [ % \"-\" ] %)",
            &[&text, s],
        ),
        t("(builtins.toJSON (norm %))", &[any]),
        t("(builtins.typeOf %)", &[any]),
        t("(builtins.hashString \"sha256\" %)", &[s]),
        t("(builtins.hashString \"md5\" %)", &[s]),
        t("(builtins.baseNameOf %)", &[s]),
        t("(dirOf %)", &[s]),
        t("(builtins.toXML %)", &[any]),
        t("(toString (/a + %))", &[s]),
        t("(builtins.parseDrvName %).name", &[s]),
        t("(builtins.head (builtins.attrNames %))", &[at]),
        t("(map toString %)", &[li]),
        t("(\"${%}\" + %)", &[any, s]),
        t("(% + %)", &[any, any]),
    ]);
    let mut list = general(li, l);
    list.extend([
        t("[ % ]", &[any]),
        t("[ % % ]", &[any, any]),
        t("[ % (%) % ]", &[n, s, any]),
        t("(% ++ %)", &[li, li]),
        t("(map (x: % x) %)", &[fu, li]),
        t("(map (x: %) %)", &[any, li]),
        t("(builtins.filter (x: x != %) %)", &[any, li]),
        t("(builtins.filter (x: % x) %)", &[fu, li]),
        t("(builtins.genList (x: % x) 3)", &[fu]),
        t("(builtins.genList (x: x * %) %)", &[n, n]),
        t("(builtins.tail %)", &[li]),
        t("(builtins.concatLists [ % % ])", &[li, li]),
        t("(builtins.concatMap (x: [ x % ]) %)", &[any, li]),
        t("(builtins.sort (x: y: x < y) %)", &[li]),
        t("(builtins.sort builtins.lessThan (map toString %))", &[li]),
        t("(builtins.attrNames %)", &[at]),
        t("(builtins.attrValues %)", &[at]),
        t("(builtins.catAttrs % [ % % ])", &[s, at, at]),
        t("(builtins.split \"%\" %)", &[&regex, s]),
        t("(builtins.match \"%\" %)", &[&regex, s]),
        t("(builtins.splitVersion %)", &[s]),
        t("(builtins.partition (x: x == %) %).wrong", &[any, li]),
        t("(map (x: x.key) (builtins.genericClosure { startSet = [ { key = %; } ]; operator = x: if x.key < 3 then [ { key = x.key + 1; } ] else [ ]; }))", &[n]),
        t("(builtins.fromJSON (builtins.toJSON (norm %)))", &[li]),
        t("(builtins.foldl' (acc: x: [ x ] ++ acc) [ ] %)", &[li]),
    ]);
    let mut attrs = general(at, l);
    attrs.extend([
        t("{ x = %; y = %; }", &[any, any]),
        t("{ x.y = %; x.z = %; }", &[any, any]),
        t("{ x = { p = %; }; x.q = %; }", &[any, any]),
        t("{ ${%} = %; }", &[s, any]),
        t("{ \"a${%}\" = %; x = 1; }", &[s, any]),
        t("rec { x = %; y = x; z.x = y; }", &[any]),
        t("rec { i = %; x = i + 1; inherit s; }", &[n]),
        t("{ inherit (%) x y; i = %; }", &[at, any]),
        t("(% // %)", &[at, at]),
        t("(% // { x = %; })", &[at, any]),
        t("(builtins.mapAttrs (n: v: [ n % ]) %)", &[any, at]),
        t("(builtins.mapAttrs % %)", &[fu, at]),
        t(
            "(builtins.listToAttrs [ { name = %; value = %; } { name = \"x\"; value = 2; } ])",
            &[s, any],
        ),
        t("(removeAttrs % [ \"x\" % ])", &[at, s]),
        t("(builtins.intersectAttrs % %)", &[at, at]),
        t("(builtins.zipAttrsWith (n: v: v) [ % % ])", &[at, at]),
        t("(builtins.groupBy (x: toString x) %)", &[li]),
        t("(builtins.partition (x: x == %) %)", &[any, li]),
        t("(builtins.functionArgs ({ x, i ? %, ... }: %))", &[n, any]),
        t("(builtins.tryEval %)", &[any]),
        t("(builtins.parseDrvName %)", &[s]),
        t("(builtins.fromJSON (builtins.toJSON (norm %)))", &[at]),
        t(
            "(builtins.foldl' (acc: x: acc // { \"k${toString x}\" = x; }) { } %)",
            &[li],
        ),
        t("{ __toString = self: %; x = 1; }", &[s]),
    ]);
    let mut function = general(fu, l);
    function.extend([
        t("(x: %)", &[any]),
        t("(x: y: %)", &[any]),
        t("({ x, i ? %, ... }: %)", &[n, any]),
        t("(%: %)", &[&words(&["i", "s", "l", "a"]), any]),
        t("(builtins.filter %)", &[fu]),
        t("(builtins.map %)", &[fu]),
        t("(x: % x)", &[fu]),
        t("{ __functor = self: x: %; }", &[any]),
    ]);
    let [int, float, bool, string, list, attrs, function] =
        [int, float, bool, string, list, attrs, function].map(union);
    // Mostly what the place wants; sometimes anything, which is often ill-typed.
    let mixed =
        |right: Text| proptest::strategy::Union::new_weighted(vec![(14, right), (1, l.any.clone())]).boxed();
    let any = union(vec![
        int.clone(),
        float.clone(),
        bool.clone(),
        string.clone(),
        list.clone(),
        attrs.clone(),
        function.clone(),
        l.any.clone(),
    ]);
    Level {
        int: mixed(int),
        float: mixed(float),
        bool: mixed(bool),
        string: mixed(string),
        list: mixed(list),
        attrs: mixed(attrs),
        function: mixed(function),
        any,
    }
}

/// What real Nix gives for each expression; `None` where it fails.
fn nix(expressions: &[String]) -> Vec<Option<String>> {
    let mut results = vec![None; expressions.len()];
    let mut start = 0;
    while start < expressions.len() {
        let mut script = String::new();
        for (index, expression) in expressions.iter().enumerate().skip(start) {
            let wrapped = wrap(expression);
            script.push_str(&format!("{wrapped}\n\"@@{index}@@\"\n"));
        }
        let mut child = Command::new("nix")
            .args(["--extra-experimental-features", "nix-command", "repl"])
            .env("NIX_REMOTE", "")
            .env("NIX_STATE_DIR", std::env::temp_dir().join("nix-differential"))
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            let _closed_early = stdin.write_all(script.as_bytes());
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut pending: Option<String> = None;
        let mut reached = start;
        for line in text.lines() {
            let line = plain(line);
            if let Some(index) = line
                .strip_prefix("\"@@")
                .and_then(|rest| rest.strip_suffix("@@\""))
            {
                let index: usize = index.parse().unwrap();
                results[index] = pending.take();
                reached = index + 1;
            } else if line.starts_with('"') {
                pending = Some(line);
            }
        }
        // Where it stopped, that expression ended the program: a failure.
        start = if reached < expressions.len() {
            reached + 1
        } else {
            reached
        };
    }
    results
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            for skipped in letters.by_ref() {
                if skipped == 'm' {
                    break;
                }
            }
        } else {
            out.push(letter);
        }
    }
    out
}

fn ours(expression: &str) -> Option<String> {
    let files = Files::new();
    let started = Instant::now();
    let options = Options {
        interrupt: Some(Box::new(move || started.elapsed() > Duration::from_secs(10))),
        ..Options::default()
    };
    let evaluator = Evaluator::new(&Disk, &files, options);
    let value = evaluator
        .expression("(random)", &wrap(expression), Path::new("/"))
        .ok()?;
    let printed = evaluator.print(&value, true).ok()?;
    // Nix 2.8 does not escape `${` when it prints a string.
    Some(String::from_utf8_lossy(&printed).replace("\\${", "${"))
}

/// The whole expression as both evaluate it.
fn wrap(expression: &str) -> String {
    format!("let norm = {NORMAL}; in builtins.toJSON (norm ({SCOPE}{expression}))")
}

#[test]
fn random_expressions_agree_with_nix() {
    let installed = Command::new("nix").arg("--version").output().is_ok();
    if !installed {
        println!("NOT RUN: the comparison with real Nix, since `nix` is not on the path.");
        return;
    }
    let setting = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let count = setting("EVAL_DIFFERENTIAL", 2000) as usize;
    let seed = setting("EVAL_DIFFERENTIAL_SEED", 0);
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut level = leaves();
    let mut levels = vec![level.clone()];
    for _ in 0..4 {
        level = deeper(&level);
        levels.push(level.clone());
    }
    let strategy = proptest::strategy::Union::new(levels.into_iter().skip(1).map(|level| level.any));

    let mut compared = 0;
    let mut values = 0;
    let mut differences = Vec::new();
    while compared < count {
        let batch = 1000.min(count - compared);
        let trees: Vec<_> = (0..batch)
            .map(|_| strategy.new_tree(&mut runner).unwrap())
            .collect();
        let texts: Vec<String> = trees.iter().map(|tree| tree.current()).collect();
        let theirs = nix(&texts);
        for ((text, theirs), tree) in texts.iter().zip(theirs).zip(trees) {
            let ours = ours(text);
            compared += 1;
            values += usize::from(theirs.is_some());
            if ours == theirs {
                continue;
            }
            if differences.len() < 10 {
                let smaller = shrink(tree);
                differences.push(format!("{smaller}\n  nix:  {theirs:?}\n  ours: {ours:?}"));
            } else {
                differences.push(text.clone());
            }
        }
    }
    println!("{compared} expressions with seed {seed}: {values} values, the rest failed in both");
    assert!(
        differences.is_empty(),
        "{} of {compared} differ (seed {seed}):\n{}",
        differences.len(),
        differences
            .iter()
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// The smallest expression that still differs.
fn shrink(tree: impl ValueTree<Value = String>) -> String {
    let first = tree.current();
    let mut runner = TestRunner::new(Config {
        max_shrink_iters: 80,
        failure_persistence: None,
        ..Config::default()
    });
    let verdict = runner.run_one(tree, |text| {
        if nix(std::slice::from_ref(&text))[0] == ours(&text) {
            Ok(())
        } else {
            Err(TestCaseError::fail("differs"))
        }
    });
    match verdict {
        Err(TestError::Fail(_, smallest)) => smallest,
        _ => first,
    }
}
