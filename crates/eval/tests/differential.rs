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
    h = x: y: y; d = derivation { name = \"n\"; system = \"s\"; builder = \"b\"; }; in ";

/// How many of the expressions that differ, the shortest first, are made smaller.
const SHRUNK: usize = 4;

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
        words(&[
            "i",
            "j",
            "0",
            "1",
            "2",
            "(-1)",
            "a.x",
            "42",
            "9223372036854775807",
            "4611686018427387904",
        ]),
        (0i64..200).prop_map(|number| number.to_string()).boxed(),
    ]);
    let float = words(&[
        "fl",
        "1.5",
        "0.25",
        "3.0",
        "(-0.5)",
        "100.125",
        "1.0e3",
        ".5",
        "1.0e-7",
        "0.1",
        "1.0E10",
        "3.0e15",
        "123456789.123",
        "1e9",
    ]);
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
        "\"\\t\\\\\\\"\"",
        "''\n    a\n      b\n  ''",
        "''\n\tx\n''",
        "''a ''\\n '''${\"b\"} ''${\"c\"}''",
        "d.outPath",
        "\"${d}/x\"",
        "d.drvPath",
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
        "[ { key = 1; } { key = 2; } ]",
        "[ { x = 1; } a e ]",
        "[ true 1 1.0 \"1\" /a ]",
        "[ d /a/b ]",
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
        "{ __functor = self: { x ? 1, ... }: self.p; p = 1; }",
        "{ type = \"derivation\"; outPath = \"/o\"; }",
        "{ name = \"x\"; value = i; }",
        "{ \"k k\".x = 1; y.z = s; }",
        "d",
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
        "(x: x.x)",
        "(x: x == 1)",
        "({ x, y ? x, ... }: y)",
        "(builtins.getAttr \"x\")",
        "(x: builtins.toJSON (norm x))",
        "builtins.attrNames",
        "(x: throw \"f\")",
        "{ __functor = self: y: [ self.p y ]; p = 2; }",
    ]);
    let any = union(vec![
        int.clone(),
        float.clone(),
        bool.clone(),
        string.clone(),
        list.clone(),
        attrs.clone(),
        function.clone(),
        words(&[
            "null",
            "(throw \"t\")",
            "(abort \"q\")",
            "builtins.nullx",
            "(assert false; 1)",
            "/a/b",
            "/.",
            "<nowhere>",
            "(let x = x; in x)",
        ]),
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
    // Nix 2.8 cuts an index to 32 bits.
    let small = words(&["0", "1", "2", "(-1)"]);
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
        t("(builtins.elemAt [ % % ] %)", &[x, x, &small]),
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
        t("(builtins.foldl' (acc: y: y) % [ 1 % ])", &[&l.any, x]),
        t("({ __functor = self: self.k; k = y: %; } %)", &[x, &l.any]),
        t("(builtins.trace \"c\" %)", &[x]),
        t("({ ${%} = %; }.${%} or %)", &[&l.string, x, &l.string, x]),
        t("({ x.${%} = %; }.x.abc or %)", &[&l.string, x, x]),
        t("(builtins.getAttr % { abc = %; x = %; })", &[&l.string, x, x]),
        t("(rec { inherit (%) x; r = %; }.r)", &[at, x]),
        t("(let inherit (builtins) head map; in head (map f [ % ]))", &[x]),
        t("(let a = { b = %; }; in with a; with e; b)", &[x]),
        t("(let b = 1; in with { b = %; c = %; }; c)", &[&l.any, x]),
        t("((x: with x; i) { i = %; })", &[x]),
        // What is lazy: the parts beside the one that is asked for are not looked at.
        t(
            "(builtins.mapAttrs (n: v: if n == \"x\" then v else throw n) { x = %; y = 1; }).x",
            &[x],
        ),
        t(
            "(builtins.listToAttrs [ { name = \"x\"; value = %; } { name = \"y\"; value = abort \"z\"; } { name = \"x\"; } ]).x",
            &[x],
        ),
        t(
            "(builtins.zipAttrsWith (n: v: builtins.elemAt v %) [ { x = %; } { x = %; y = abort \"z\"; } ]).x",
            &[&small, x, x],
        ),
        t(
            "(builtins.elemAt (builtins.genList (k: if k == 1 then % else throw \"k\") 3) 1)",
            &[x],
        ),
        t(
            "(builtins.elemAt (map (x: x %) [ (y: throw \"k\") (y: %) ]) 1)",
            &[&l.any, x],
        ),
        t(
            "(builtins.intersectAttrs { x = abort \"z\"; } { x = %; y = abort \"z\"; }).x",
            &[x],
        ),
        t(
            "(builtins.head (builtins.filter (x: true) [ % (throw \"k\") ]))",
            &[x],
        ),
        t("({ x = throw \"k\"; } // { x = %; }).x", &[x]),
        t(
            "(builtins.removeAttrs { x = %; y = throw \"k\"; } [ \"y\" % ]).x",
            &[x, &l.string],
        ),
        t("(builtins.head ([ % ] ++ [ (throw \"k\") ]))", &[x]),
        t(
            "(builtins.catAttrs \"x\" [ { x = throw \"k\"; } { x = %; } ] == [ ] || true -> %)",
            &[x, x],
        ),
        t("(if builtins.isFunction % then % else %)", &[&l.any, x, x]),
        t("(let r = { a = %; b = r.a; }; in r.b)", &[x]),
        t("((let y = %; in x: y) %)", &[x, &l.any]),
        t("(let x = { y = { } // { z = %; }; }; in x.y.z)", &[x]),
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
    // Nix 2.8 writes half a letter as JSON.
    let accented = t("\"é${%}ß\"", &[s]);
    let num = union(vec![n.clone(), n.clone(), fl.clone()]);
    // Nix 2.8 cuts an index to 32 bits.
    let index = union(vec![
        words(&["0", "1", "2", "(-1)"]),
        t("(builtins.length %)", &[li]),
        t("(builtins.stringLength %)", &[s]),
    ]);
    let name = words(&["x", "y", "\"k k\"", "p", "zz"]);
    // What Nix 2.8 evaluates even where later ones do not need it.
    let text = words(&["\"\"", "\"a\"", "\"<>\"", "\"x-1.2\""]);
    let path = union(vec![
        words(&["/a/b", "/.", "/a/../b", "/a/./c.nix"]),
        t("/a/${%}/b", &[s]),
        t("/a${%}", &[s]),
        t("(/. + %)", &[s]),
        t("(/a + \"/${%}\")", &[s]),
        t("(dirOf %)", &[&words(&["/a/b/c", "/a", "/."])]),
    ]);
    // No group under a repetition that can match nothing, `(a*)+`: the library that Nix uses goes
    // round once more for nothing, so that the group is empty; POSIX has it keep what it matched.
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
        "^a",
        "c$",
        "(^|x)b",
        "[]a]",
        "[^]a]+",
        "[a-]",
        "[[:alpha:][:space:]]*",
        "((a)|b)+",
        "(|a)b",
        "a{0}b?",
        "a{1,}",
        "x{2,1}",
        "(a",
        "a)",
        "[a",
        "*a",
        "a|",
        "\\\\$",
        ".*(b.*)?",
        "([[:upper:]]|[0-9.])",
        "(.)(.)(.)",
    ]);
    let toml = words(&[
        "x = 1",
        "x = \\\"q\\\"",
        "[a]\\nx = 1\\n[a.b]\\ny = [1, 2]",
        "x = 1.5\\ny = true",
        "x.y = 1\\nx.z = [ { p = 1 }, { q = 2 } ]",
        "[[x]]\\ny = 1\\n[[x]]\\ny = 2",
        "x = 0xff\\ny = 0o17\\nz = 0b11",
        "x = 1_000\\ny = +2\\nz = -3",
        "x = 1e3\\ny = -0.0",
        "x = 'lit\\\\eral'",
        "\\\"k k\\\" = { }",
        "x = 1\\nx = 2",
        "x = ",
        "[x]\\n[x]",
        "x = [1, \\\"a\\\"]",
        "# nothing",
        "",
        "x = 9223372036854775807",
    ]);
    let json = words(&[
        "1",
        "-0",
        "1.5",
        "1e3",
        "-2.50E-1",
        "[]",
        "{}",
        "[1,[2,{\\\"x\\\":null}],true]",
        "{\\\"x\\\":1,\\\"x\\\":2}",
        "\\\"\\\\u00e9\\\\n\\\"",
        "\\\"\\\\ud83d\\\\ude00\\\"",
        "\\\"\\\\ud83d\\\"",
        "[1,]",
        "nul",
        "01",
        "1 2",
        "",
        " { \\\"a\\\" : [ ] } ",
        "9223372036854775807",
        "-9223372036854775808",
        "'a'",
        "[1 2]",
        "{\\\"a\\\"}",
        ".5",
    ]);
    // Nix writes a system as it is into the file, which a quote in it would break.
    let system = words(&["\"x86_64-linux\"", "i", "d.name", "(throw \"t\")"]);
    let algorithm = words(&["\"md5\"", "\"sha1\"", "\"sha256\"", "\"sha512\"", "\"sha3\""]);

    // Two things are not asked because Nix 2.8 differs from later ones: it rounds an integer by way
    // of a float, and lets a derivation be named `.`.
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
        t("(builtins.floor (% + 0.25))", &[&num]),
        t("(builtins.ceil (0.5 * %))", &[&num]),
        t("(builtins.foldl' (x: y: x + y) % %)", &[n, li]),
        t("(builtins.fromJSON (builtins.toJSON (norm %)))", &[n]),
        t("(builtins.length (builtins.attrNames %))", &[at]),
        t("(% % %)", &[fu, any, any]),
        t("(builtins.head (builtins.sort builtins.lessThan %))", &[li]),
        t("(% + % * % - %)", &[n, n, n, n]),
        t("(builtins.sub % %)", &[n, n]),
        t("(builtins.mul % %)", &[n, n]),
        t("(builtins.div % %)", &[n, n]),
        t("(-(%) - 1)", &[n]),
        t("(builtins.fromTOML \"x = ${toString %}\").x", &[n]),
        t(
            "(builtins.unsafeGetAttrPos \"x\" { ${%} = %; x = %; \"k k\" = { x = 1; }; }).column",
            &[s, any, any],
        ),
        t("(builtins.unsafeGetAttrPos % %).line", &[s, at]),
        t(
            "(builtins.stringLength (builtins.head (builtins.attrNames (builtins.getContext %))))",
            &[s],
        ),
        t("(let x = { __functor = self: y: y + %; }; in x %)", &[n, n]),
        t("(builtins.foldl' % 0 %)", &[fu, li]),
        t("(builtins.stringLength %)", &[&accented]),
    ]);
    let mut float = general(fl, l);
    float.extend([
        t("(% + %)", &[&num, fl]),
        t("(% * %)", &[fl, &num]),
        t("(% - %)", &[fl, fl]),
        t("(% / %)", &[&num, fl]),
        t("(-%)", &[fl]),
        t("(builtins.mul % %)", &[fl, &num]),
        t("(builtins.div % %)", &[fl, &num]),
        t("(builtins.sub % %)", &[&num, fl]),
        t("(% * % / %)", &[fl, &num, fl]),
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
        t("(% < %)", &[any, any]),
        t("(% < %)", &[li, li]),
        t("(% <= %)", &[&path, &path]),
        t("(% == %)", &[fu, any]),
        t("(% == %)", &[&num, &num]),
        t("(% == %)", &[s, s]),
        t("(let q = %; in q == q)", &[any]),
        t("(let q = %; in [ q ] == [ q ])", &[any]),
        t("(let q = { x = %; }; in q == q // { })", &[any]),
        t("(% ? % && % || !%)", &[at, &name, b, b]),
        t("(% ? %.%)", &[any, &name, &name]),
        t("(!% ? x)", &[at]),
        t("(% -> % -> %)", &[b, b, b]),
        t("(builtins.hasContext %)", &[s]),
        t("(builtins.unsafeGetAttrPos % % == null)", &[s, at]),
        t("(builtins.isString %)", &[any]),
        t("(builtins.isPath %)", &[any]),
        t("(builtins.isBool %)", &[any]),
        t("(builtins.any % %)", &[fu, li]),
        t("(builtins.all % %)", &[fu, li]),
        t("(builtins.pathExists %)", &[&path]),
        t("(% < %)", &[&accented, s]),
        t("(builtins.match \"%\" % == null)", &[&regex, &accented]),
    ]);
    let mut string = general(s, l);
    string.extend([
        t("(% + %)", &[s, s]),
        t("\"<${%}>\"", &[s]),
        t("\"${%}-${toString %}\"", &[s, any]),
        t("''\\n  q ${%}\\n    r\\n''", &[s]),
        t("''${%} ''$ ''' x''", &[s]),
        t("(toString %)", &[any]),
        t("(builtins.substring % % %)", &[&index, &index, s]),
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
        t("(toString %)", &[&path]),
        t("(toString (% + %))", &[&path, s]),
        t("(% + %)", &[s, &path]),
        t("(baseNameOf %)", &[&path]),
        t("(toString (dirOf %))", &[&path]),
        t("(toString %)", &[fl]),
        t("(builtins.hashString % %)", &[&algorithm, s]),
        t("(placeholder %)", &[s]),
        t("(builtins.hashString % (builtins.toJSON %))", &[&algorithm, &accented]),
        t("(builtins.hashString % (builtins.toXML %))", &[&algorithm, &accented]),
        t("(builtins.unsafeDiscardStringContext %)", &[s]),
        t("(builtins.toJSON (builtins.getContext %))", &[s]),
        t("(builtins.toJSON (builtins.getContext (builtins.toJSON (norm %))))", &[any]),
        t("(builtins.unsafeDiscardOutputDependency %)", &[s]),
        t("(builtins.appendContext % (builtins.getContext %))", &[s, s]),
        t("(derivation { name = \"n\"; system = %; builder = \"b\"; x = %; }).drvPath", &[&system, any]),
        t("(derivation { name = \"n\" + %; system = \"s\"; builder = %; args = %; }).outPath", &[s, s, li]),
        t("(derivation ({ name = \"n\"; system = \"s\"; builder = \"b\"; } // %)).outPath", &[at]),
        t("(derivation { name = \"n\"; system = \"s\"; builder = \"b\"; outputs = [ \"out\" \"dev\" ]; x = %; }).dev.outPath", &[s]),
        t("(derivation { name = \"n\"; system = \"s\"; builder = \"b\"; x = %; }).name", &[any]),
        t("(builtins.toFile \"n\" %)", &[s]),
        t("(builtins.toXML %)", &[at]),
        t("(builtins.toXML %)", &[fl]),
        t("''\n    ${%}\n  a${%}\n    ''${x}\n''", &[s, s]),
        t("''  ${%}\n\n     b '''\n  ''", &[s]),
        t("\"a${\"b${%}\" + %}$\"", &[s, s]),
        t("(builtins.concatStringsSep % (map toString %))", &[s, li]),
        t("(builtins.substring % (-1) %)", &[&index, s]),
        t("(builtins.replaceStrings (map toString %) m %)", &[li, s]),
        t("{ __toString = self: self.x + %; x = %; }", &[s, s]),
        t("\"${{ __toString = self: %; }}\"", &[s]),
        t("\"${{ outPath = %; }}\"", &[s]),
        t("(toString { outPath = %; })", &[any]),
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
        t("(builtins.genList (x: x * %) %)", &[n, &index]),
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
        t("(builtins.sort (x: y: x > y) %)", &[li]),
        t("(builtins.genericClosure { startSet = %; operator = (x: % x); })", &[li, fu]),
        t("(map (x: x.key) (builtins.genericClosure { startSet = [ { key = %; } { key = %; } ]; operator = x: [ { key = \"z\"; } { inherit (x) key; } ]; }))", &[any, any]),
        t("(builtins.zipAttrsWith % [ % % ]).x", &[fu, at, at]),
        t("(builtins.concatMap % %)", &[fu, li]),
        t("(builtins.genList (x: % x) %)", &[fu, &index]),
        t("(builtins.attrValues (builtins.mapAttrs (n: v: n) %))", &[at]),
        t("(builtins.elemAt % %)", &[li, &index]),
        t("(builtins.filter builtins.isString (builtins.split \"%\" %))", &[&regex, s]),
        t("(builtins.match \"(%)(%).*\" %)", &[&regex, &regex, s]),
        t("(builtins.groupBy toString %).\"1\"", &[li]),
        t("(builtins.fromJSON \"[%]\")", &[&json]),
        t("(% ++ % ++ %)", &[li, li, li]),
        t("(map (x: x.outPath or x) %)", &[li]),
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
        t("(builtins.fromTOML \"%\")", &[&toml]),
        t("(builtins.fromJSON \"%\")", &[&json]),
        t("(builtins.getContext %)", &[s]),
        t("(builtins.functionArgs %)", &[fu]),
        t("{ ${if % then null else \"x\"} = %; }", &[b, any]),
        t("{ x.${%} = %; x.y = %; }", &[s, any, any]),
        t("{ \"${%}\".x = %; }", &[s, any]),
        t("rec { ${%} = i; i = %; }", &[s, any]),
        t("{ inherit (% // { x = %; }) x; }", &[at, any]),
        t("{ inherit i; ${%} = %; inherit (a) x; }", &[s, any]),
        t("(let x = %; in { inherit x; y = { inherit x; }; })", &[any]),
        t("(builtins.mapAttrs (n: v: v) (% // %))", &[at, at]),
        t("(builtins.zipAttrsWith (n: v: %) [ % % ])", &[any, at, at]),
        t("(builtins.zipAttrsWith (n: builtins.concatLists) [ { x = %; } { x = %; y = %; } ])", &[li, li, li]),
        t("(builtins.listToAttrs %)", &[li]),
        t("(builtins.groupBy % %)", &[fu, li]),
        t(
            "{ x = (builtins.unsafeGetAttrPos % %).line; }",
            &[s, at],
        ),
        t("(% // % // %)", &[at, at, at]),
        t("{ __functor = self: x: %; __functionArgs = %; }", &[any, at]),
        t("(removeAttrs (derivation { name = \"n\" + %; system = \"s\"; builder = \"b\"; x = %; }) [ \"all\" \"out\" \"outPath\" \"drvAttrs\" ])", &[s, any]),
        t("(derivation { name = \"n\"; system = \"s\"; builder = \"b\"; x = %; y = %; }).drvAttrs", &[any, any]),
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
        t("(builtins.mapAttrs (n: %))", &[fu]),
        t("(builtins.foldl' (acc: x: %))", &[any]),
        t("({ x ? %, y ? x, ... }@args: args // { inherit y; })", &[any]),
        t("(args@{ x, ... }: %)", &[any]),
        t("(x: y: % (y x))", &[fu]),
        t("(builtins.getAttr %)", &[s]),
        t("(builtins.seq % %)", &[any, fu]),
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
///
/// The store is one below the temporary folder, since Nix writes there what `derivation` and
/// `toFile` make. The program reads lines, so that what has several goes through a file.
fn nix(expressions: &[String]) -> Vec<Option<String>> {
    let scratch = std::env::temp_dir().join("nix-differential");
    std::fs::create_dir_all(&scratch).unwrap();
    let mut results = vec![None; expressions.len()];
    let mut start = 0;
    while start < expressions.len() {
        let mut script = String::new();
        for (index, expression) in expressions.iter().enumerate().skip(start) {
            let mut wrapped = wrap(expression);
            if wrapped.contains('\n') {
                let file = scratch.join(format!("{}-{index}.nix", std::process::id()));
                std::fs::write(&file, wrapped).unwrap();
                wrapped = format!("import {}", file.display());
            }
            script.push_str(&format!("{wrapped}\n\"@@{index}@@\"\n"));
        }
        let mut child = Command::new("nix")
            .args(["--extra-experimental-features", "nix-command"])
            .args(["--option", "fsync-metadata", "false", "repl", "--store"])
            .arg(scratch.join("store"))
            .env("NIX_REMOTE", "")
            // A builder of Nix names its store here, which may be another.
            .env_remove("NIX_STORE")
            .env("NIX_STATE_DIR", &scratch)
            .env("TERM", "dumb")
            // What takes more ends the program, which is a failure, and not the machine.
            .env("GC_MAXIMUM_HEAP_SIZE", "3G")
            // `-/a/b` is a path: it begins where the expression stands.
            .current_dir("/")
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

/// What this evaluator gives; where it fails, why. The names are ones that it has met before.
fn ours(expression: &str, names: &[String]) -> Result<String, String> {
    let files = Files::new();
    let started = Instant::now();
    let options = Options {
        hash_sources: true,
        interrupt: Some(Box::new(move || started.elapsed() > Duration::from_secs(10))),
        ..Options::default()
    };
    let evaluator = Evaluator::new(&Disk, &files, options);
    for name in names {
        let met = format!("{{ \"{name}\" = 1; }}");
        evaluator
            .expression("(name)", &met, Path::new("/"))
            .map_err(|error| error.to_string())?;
    }
    let printed = evaluator
        .expression("(random)", &wrap(expression), Path::new("/"))
        .and_then(|value| evaluator.print(&value, true))
        .map_err(|error| error.message().to_owned())?;
    // Nix 2.8 does not escape `${` when it prints a string.
    Ok(String::from_utf8_lossy(&printed).replace("\\${", "${"))
}

/// How the two results of one expression stand to each other.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    /// The same value, or a failure of both.
    Same,
    /// Here an integer overflows, or a float is rounded to none, which is an error in a current Nix;
    /// Nix 2.8 wraps around.
    Overflow,
    /// Two attributes of a set would decide differently (one fails, one differs from its partner,
    /// another fails otherwise), and which is looked at first is chance: Nix goes by the order in
    /// which it met their names, in 2.8 by the addresses of these. Shown for the expression at
    /// hand: the same evaluation gives what Nix gives when it has met the names in another order.
    Order,
    Differs,
}

fn compare(expression: &str, theirs: Option<&String>) -> Verdict {
    let agrees = |ours: &Result<String, String>| ours.as_ref().ok() == theirs;
    let first = ours(expression, &[]);
    if agrees(&first) {
        return Verdict::Same;
    }
    if first
        .is_err_and(|why| why.starts_with("integer overflow in") || why.ends_with("does not fit an integer"))
    {
        return Verdict::Overflow;
    }
    let mut names: Vec<String> = expression
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()))
        .map(str::to_owned)
        .chain(["k k".to_owned()])
        .collect();
    names.sort();
    names.dedup();
    // Each name first, and each last; of two names both orders are among these.
    for turned in [false, true] {
        for _ in 0..names.len() {
            names.rotate_left(1);
            let mut order = names.clone();
            if turned {
                order.reverse();
            }
            if agrees(&ours(expression, &order)) {
                return Verdict::Order;
            }
        }
    }
    Verdict::Differs
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
    let (mut overflows, mut orders) = (0, 0);
    let mut differences = Vec::new();
    while compared < count {
        let batch = 200.min(count - compared);
        let trees: Vec<_> = (0..batch)
            .map(|_| strategy.new_tree(&mut runner).unwrap())
            .collect();
        let texts: Vec<String> = trees.iter().map(|tree| tree.current()).collect();
        let theirs = nix(&texts);
        for ((text, theirs), tree) in texts.iter().zip(theirs).zip(trees) {
            compared += 1;
            values += usize::from(theirs.is_some());
            match compare(text, theirs.as_ref()) {
                Verdict::Same => continue,
                Verdict::Overflow => {
                    overflows += 1;
                    continue;
                }
                Verdict::Order => {
                    orders += 1;
                    continue;
                }
                Verdict::Differs => {}
            }
            differences.push((text.clone(), tree));
        }
    }
    println!("{compared} expressions with seed {seed}: {values} values, the rest failed in both");
    println!("of these {overflows} overflowed here alone, and {orders} hung on the order of names");
    let differing = differences.len();
    differences.sort_by_key(|(text, _)| text.len());
    let shown: Vec<String> = differences
        .into_iter()
        .enumerate()
        .map(|(index, (text, tree))| {
            // To shrink one takes seconds.
            let text = if index < SHRUNK { shrink(tree) } else { text };
            let theirs = nix(std::slice::from_ref(&text)).remove(0);
            let ours = ours(&text, &[]);
            format!("{text}\n  nix:  {theirs:?}\n  ours: {ours:?}")
        })
        .collect();
    assert!(
        shown.is_empty(),
        "{differing} of {compared} differ (seed {seed}):\n{}",
        shown.join("\n")
    );
}

/// The smallest expression that still differs.
fn shrink(tree: impl ValueTree<Value = String>) -> String {
    let first = tree.current();
    let mut runner = TestRunner::new(Config {
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let verdict = runner.run_one(tree, |text| {
        let theirs = nix(std::slice::from_ref(&text)).remove(0);
        if compare(&text, theirs.as_ref()) == Verdict::Differs {
            Err(TestCaseError::fail("differs"))
        } else {
            Ok(())
        }
    });
    match verdict {
        Err(TestError::Fail(_, smallest)) => smallest,
        _ => first,
    }
}
