//! JSON with places: every value and every key keeps the bytes that it was written in.
//!
//! The grammar is that of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).
//! What cannot be read is a [`Problem`] with a place, and everything before it is still given:
//! a truncated file yields the values that it holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Attr, Attrs, Binding, BindingKind, FileId, Files, Node, Origin, Problem, Span, Tree};

/// Values nested deeper than this are left out, with a problem. Readers of a [`Tree`] recurse,
/// and a layout is some twenty levels deep.
pub const DEEPEST: usize = 256;

/// A file with more values than this is cut there, with a problem. An evaluated layout has some thousands.
pub const MOST_VALUES: usize = 1_000_000;

/// Problems after this many are counted and not listed.
const MOST_PROBLEMS: usize = 50;

/// Reads the JSON text of a file of `files`.
///
/// Objects become [`Node::Attrs`] whose bindings name the key (with its quotes) and the value;
/// every value's origin is [`Origin::Nix`] with exactly the bytes of the value.
/// Integers that fit 64 bits are [`Node::Int`], all other numbers [`Node::Float`].
/// Of a key given twice the last one counts, as in most readers, with a warning.
/// A text that holds no value at all gives [`Node::Failed`]; a value that is cut short keeps what it has.
pub fn parse(files: &Files, file: FileId) -> (Tree, Vec<Problem>) {
    let source = files.get(file);
    let mut reader = Reader {
        text: &source.text,
        file,
        at: 0,
        values: 0,
        problems: Vec::new(),
        unlisted: 0,
    };
    let tree = reader.document();
    let mut problems = reader.problems;
    if reader.unlisted > 0 {
        problems.push(Problem::warning(format!(
            "{} more problems in this file are not listed",
            reader.unlisted
        )));
    }
    (tree, problems)
}

/// Reading stopped here; the problem has been noted.
struct Stop;

struct Reader<'a> {
    text: &'a str,
    file: FileId,
    at: usize,
    values: usize,
    problems: Vec<Problem>,
    unlisted: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Tree {
        // Some editors and shells put a byte order mark first.
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        self.blank();
        if self.peek().is_none() {
            let problem = Problem::error("the file holds no JSON value").at(Some(self.span(0)));
            self.problem(problem.clone());
            return self.failed(problem, 0);
        }
        let (tree, stopped) = self.value(0);
        if stopped.is_ok() {
            self.blank();
            if self.peek().is_some() {
                let rest = Span::new(self.file, self.at as u32, self.text.len() as u32);
                self.problem(
                    Problem::warning("text after the end of the JSON value is ignored").at(Some(rest)),
                );
            }
        }
        tree
    }

    /// A value that starts at the current byte. With `Err`, what of it could be read.
    fn value(&mut self, depth: usize) -> (Tree, Result<(), Stop>) {
        let start = self.at;
        self.values += 1;
        if self.values > MOST_VALUES {
            return self.stop(
                format!("more than {MOST_VALUES} values; the rest is left out"),
                start,
            );
        }
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEEPEST => self.skip_too_deep(start),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => match self.string() {
                Ok(text) => (self.tree(Node::Str(text), start), Ok(())),
                Err(stop) => {
                    let problem = Problem::error("unterminated string").at(Some(self.span(start)));
                    (self.failed(problem, start), Err(stop))
                }
            },
            Some(b'-' | b'0'..=b'9') => self.number(start),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(_) => self.stop("expected a JSON value".to_owned(), start),
            None => self.stop("the file ends where a JSON value should be".to_owned(), start),
        }
    }

    fn object(&mut self, depth: usize) -> (Tree, Result<(), Stop>) {
        let start = self.at;
        let mut attrs: Attrs = BTreeMap::new();
        self.at += 1;
        let ended = self.members(depth, &mut attrs);
        (self.tree(Node::Attrs(attrs), start), ended)
    }

    fn members(&mut self, depth: usize, attrs: &mut Attrs) -> Result<(), Stop> {
        self.blank();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let key = self.string()?;
            let name = self.span(start);
            self.blank();
            if !self.eat(b':') {
                return Err(self.unexpected("`:` after the key"));
            }
            self.blank();
            let (tree, ended) = self.value(depth + 1);
            let value = tree.origin.span().unwrap_or(name);
            let binding = Binding {
                name,
                value,
                whole: Span::new(self.file, name.start, value.end.max(name.end)),
                kind: BindingKind::Plain,
            };
            let message = format!("the key \"{key}\" is given twice; the last one counts");
            let attr = Attr {
                tree,
                bindings: vec![binding],
            };
            if attrs.insert(key, attr).is_some() {
                self.problem(Problem::warning(message).at(Some(name)));
            }
            ended?;
            self.blank();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> (Tree, Result<(), Stop>) {
        let start = self.at;
        let mut elements = Vec::new();
        self.at += 1;
        let ended = self.elements(depth, &mut elements);
        (self.tree(Node::List(elements), start), ended)
    }

    fn elements(&mut self, depth: usize, elements: &mut Vec<Tree>) -> Result<(), Stop> {
        self.blank();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.blank();
            let (tree, ended) = self.value(depth + 1);
            elements.push(tree);
            ended?;
            self.blank();
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    /// Steps over an object or an array that lies too deep, by its brackets alone.
    fn skip_too_deep(&mut self, start: usize) -> (Tree, Result<(), Stop>) {
        let mut open = 0usize;
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'"' => {
                    while let Some(&byte) = bytes.get(self.at) {
                        self.at += 1;
                        match byte {
                            b'\\' => self.at += 1,
                            b'"' => break,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        self.at = self.at.min(bytes.len());
        let problem = Problem::error(format!("nested more than {DEEPEST} levels deep; left out"))
            .at(Some(Span::new(self.file, start as u32, start as u32 + 1)));
        self.problem(problem.clone());
        let ended = if open == 0 { Ok(()) } else { Err(Stop) };
        (self.failed(problem, start), ended)
    }

    /// A string in double quotes, unescaped. Stops only when its end is missing.
    fn string(&mut self) -> Result<Arc<str>, Stop> {
        let start = self.at;
        self.at += 1;
        let rest = self.text.get(self.at..).unwrap_or("");
        let plain = rest
            .bytes()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
            .unwrap_or(rest.len());
        let plain_text = rest.get(..plain).unwrap_or("");
        self.at += plain;
        if self.eat(b'"') {
            return Ok(plain_text.into());
        }
        let mut text = plain_text.to_owned();
        loop {
            let here = self.at;
            let Some(next) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
                self.problem(Problem::error("the file ends inside a string").at(Some(self.span(start))));
                return Err(Stop);
            };
            self.at += next.len_utf8();
            match next {
                '"' => return Ok(text.into()),
                '\\' => match self.escape() {
                    Some(character) => text.push(character),
                    None => {
                        text.push(char::REPLACEMENT_CHARACTER);
                        self.problem(Problem::error("not a JSON escape").at(Some(self.span(here))));
                    }
                },
                '\0'..='\x1f' => {
                    // A raw control character is an error of the writer, and its meaning is plain.
                    text.push(next);
                    self.problem(
                        Problem::warning("a control character in a JSON string should be escaped")
                            .at(Some(self.span(here))),
                    );
                }
                other => text.push(other),
            }
        }
    }

    /// What follows a backslash; surrogate pairs are one character.
    fn escape(&mut self) -> Option<char> {
        let letter = self.text.get(self.at..)?.chars().next()?;
        self.at += letter.len_utf8();
        Some(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex4()?;
                if !(0xd800..0xdc00).contains(&first) {
                    // A lone low surrogate is no character: `from_u32` says so.
                    return char::from_u32(first);
                }
                let before = self.at;
                if !(self.eat(b'\\') && self.eat(b'u')) {
                    self.at = before;
                    return None;
                }
                match self.hex4() {
                    Some(second @ 0xdc00..0xe000) => {
                        return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                    }
                    _ => {
                        self.at = before;
                        return None;
                    }
                }
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self, start: usize) -> (Tree, Result<(), Stop>) {
        self.eat(b'-');
        let whole = self.at;
        self.digits();
        let mut integer = true;
        let digits = self.text.get(whole..self.at).unwrap_or("");
        let mut right = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
        if self.eat(b'.') {
            integer = false;
            right &= self.digits() > 0;
        }
        if self.eat(b'e') || self.eat(b'E') {
            integer = false;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            right &= self.digits() > 0;
        }
        if !right {
            return self.stop("not a JSON number".to_owned(), start);
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if integer && let Ok(number) = text.parse::<i64>() {
            return (self.tree(Node::Int(number), start), Ok(()));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => (self.tree(Node::Float(number), start), Ok(())),
            _ => {
                let problem = Problem::error("the number is too large").at(Some(self.span(start)));
                self.problem(problem.clone());
                (self.failed(problem, start), Ok(()))
            }
        }
    }

    fn word(&mut self, word: &str, node: Node) -> (Tree, Result<(), Stop>) {
        let start = self.at;
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            (self.tree(node, start), Ok(()))
        } else {
            self.stop("expected a JSON value".to_owned(), start)
        }
    }

    /// How many digits there were.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.file, start as u32, self.at as u32)
    }

    /// The character at the current byte, or nothing at the end of the text.
    fn here(&self) -> Span {
        let next = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let end = self.at + next.map_or(0, char::len_utf8);
        Span::new(self.file, self.at as u32, end as u32)
    }

    fn tree(&self, node: Node, start: usize) -> Tree {
        Tree::new(node, Origin::Nix(self.span(start)))
    }

    fn failed(&self, problem: Problem, start: usize) -> Tree {
        self.tree(Node::Failed(Arc::new(problem)), start)
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    fn unexpected(&mut self, wanted: &str) -> Stop {
        let message = if self.peek().is_none() {
            format!("the file ends where {wanted} should be")
        } else {
            format!("expected {wanted}")
        };
        self.problem(Problem::error(message).at(Some(self.here())));
        Stop
    }

    fn stop(&mut self, message: String, start: usize) -> (Tree, Result<(), Stop>) {
        let problem = Problem::error(message).at(Some(self.here()));
        self.problem(problem.clone());
        (self.failed(problem, start), Err(Stop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn read(text: &str) -> (Files, Tree, Vec<Problem>) {
        let files = Files::new();
        let file = files.add("layout.json", text);
        let (tree, problems) = parse(&files, file);
        (files, tree, problems)
    }

    fn draw(out: &mut String, files: &Files, tree: &Tree, indent: usize) {
        let text = files.text(tree.origin.span().unwrap());
        let pad = "  ".repeat(indent);
        match &tree.node {
            Node::Attrs(attrs) => {
                writeln!(out, "a set of {text:?}").unwrap();
                for (name, attr) in attrs {
                    let binding = attr.bindings[0];
                    let key = files.text(binding.name);
                    let whole = files.text(binding.whole);
                    write!(out, "{pad}  {name:?} from {key} in {whole:?}: ").unwrap();
                    draw(out, files, &attr.tree, indent + 1);
                }
            }
            Node::List(elements) => {
                writeln!(out, "a list of {text:?}").unwrap();
                for element in elements {
                    write!(out, "{pad}  - ").unwrap();
                    draw(out, files, element, indent + 1);
                }
            }
            Node::Failed(problem) => writeln!(out, "failed: {problem} of {text:?}").unwrap(),
            node => writeln!(out, "{node:?} of {text:?}").unwrap(),
        }
    }

    fn check(text: &str, expected: Expect) {
        let (files, tree, problems) = read(text);
        let mut out = String::new();
        draw(&mut out, &files, &tree, 0);
        for problem in problems {
            let place = problem.span.map(|span| files.place(span)).unwrap_or_default();
            writeln!(out, "{:?} {place}: {problem}", problem.level).unwrap();
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn every_value_and_key_has_its_bytes() {
        check(
            r#" { "disko" : {"devices": [ 1, -2.5e1 ,"é\n\ud83d\ude00" , true,null ] } } "#,
            expect![[r#"
                a set of "{ \"disko\" : {\"devices\": [ 1, -2.5e1 ,\"é\\n\\ud83d\\ude00\" , true,null ] } }"
                  "disko" from "disko" in "\"disko\" : {\"devices\": [ 1, -2.5e1 ,\"é\\n\\ud83d\\ude00\" , true,null ] }": a set of "{\"devices\": [ 1, -2.5e1 ,\"é\\n\\ud83d\\ude00\" , true,null ] }"
                    "devices" from "devices" in "\"devices\": [ 1, -2.5e1 ,\"é\\n\\ud83d\\ude00\" , true,null ]": a list of "[ 1, -2.5e1 ,\"é\\n\\ud83d\\ude00\" , true,null ]"
                      - Int(1) of "1"
                      - Float(-25.0) of "-2.5e1"
                      - Str("é\n😀") of "\"é\\n\\ud83d\\ude00\""
                      - Bool(true) of "true"
                      - Null of "null"
            "#]],
        );
    }

    #[test]
    fn a_truncated_file_keeps_what_it_has() {
        check(
            r#"{"a": [1, {"b": "x"#,
            expect![[r#"
            a set of "{\"a\": [1, {\"b\": \"x"
              "a" from "a" in "\"a\": [1, {\"b\": \"x": a list of "[1, {\"b\": \"x"
                - Int(1) of "1"
                - a set of "{\"b\": \"x"
                  "b" from "b" in "\"b\": \"x": failed: unterminated string of "\"x"
            Error layout.json:1:17: the file ends inside a string
        "#]],
        );
        check(
            r#"{"a": [1, 2], "c"#,
            expect![[r#"
            a set of "{\"a\": [1, 2], \"c"
              "a" from "a" in "\"a\": [1, 2]": a list of "[1, 2]"
                - Int(1) of "1"
                - Int(2) of "2"
            Error layout.json:1:15: the file ends inside a string
        "#]],
        );
        check(
            r#"{"a": [1, 2]"#,
            expect![[r#"
            a set of "{\"a\": [1, 2]"
              "a" from "a" in "\"a\": [1, 2]": a list of "[1, 2]"
                - Int(1) of "1"
                - Int(2) of "2"
            Error layout.json:1:13: the file ends where `,` or `}` should be
        "#]],
        );
        check(
            "",
            expect![[r#"
            failed: the file holds no JSON value of ""
            Error layout.json:1:1: the file holds no JSON value
        "#]],
        );
        check(
            "[1,",
            expect![[r#"
            a list of "[1,"
              - Int(1) of "1"
              - failed: the file ends where a JSON value should be of ""
            Error layout.json:1:4: the file ends where a JSON value should be
        "#]],
        );
    }

    #[test]
    fn faults_inside_a_value_do_not_stop_the_rest() {
        check(
            r#"{"a": "\q \ud800 z", "b": 1e999, "b": "tab	here", "c": 18446744073709551615}"#,
            expect![[r#"
                a set of "{\"a\": \"\\q \\ud800 z\", \"b\": 1e999, \"b\": \"tab\there\", \"c\": 18446744073709551615}"
                  "a" from "a" in "\"a\": \"\\q \\ud800 z\"": Str("� � z") of "\"\\q \\ud800 z\""
                  "b" from "b" in "\"b\": \"tab\there\"": Str("tab\there") of "\"tab\there\""
                  "c" from "c" in "\"c\": 18446744073709551615": Float(1.8446744073709552e19) of "18446744073709551615"
                Error layout.json:1:8: not a JSON escape
                Error layout.json:1:11: not a JSON escape
                Error layout.json:1:27: the number is too large
                Warning layout.json:1:43: a control character in a JSON string should be escaped
                Warning layout.json:1:34: the key "b" is given twice; the last one counts
            "#]],
        );
        check(
            "[1] x",
            expect![[r#"
            a list of "[1]"
              - Int(1) of "1"
            Warning layout.json:1:5: text after the end of the JSON value is ignored
        "#]],
        );
        check(
            "[01]",
            expect![[r#"
            a list of "[01"
              - failed: not a JSON number of "01"
            Error layout.json:1:4: not a JSON number
        "#]],
        );
        check(
            "[NaN, 1]",
            expect![[r#"
            a list of "["
              - failed: expected a JSON value of ""
            Error layout.json:1:2: expected a JSON value
        "#]],
        );
        check(
            "not json",
            expect![[r#"
            failed: expected a JSON value of ""
            Error layout.json:1:1: expected a JSON value
        "#]],
        );
    }

    #[test]
    fn nesting_is_bounded_and_what_follows_is_read() {
        let deep = format!("[{}\"]\"{}, 7]", "[".repeat(100_000), "]".repeat(100_000));
        let (files, tree, problems) = read(&deep);
        assert_eq!(problems.len(), 1);
        assert_eq!(files.place(problems[0].span.unwrap()), "layout.json:1:257");
        assert_eq!(tree.as_list().unwrap()[1].node, Node::Int(7));
        let (_, _, problems) = read(&"[".repeat(1_000_000));
        assert_eq!(problems.len(), 1);
        let (_, _, problems) = read(&"{\"a\":".repeat(1_000_000));
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn problems_and_values_are_bounded() {
        let (_, _, problems) = read(&format!("\"{}\"", "\\q".repeat(1000)));
        assert_eq!(problems.len(), MOST_PROBLEMS + 1);
        let (_, tree, problems) = read(&format!("[{}0]", "0,".repeat(MOST_VALUES)));
        assert_eq!(tree.as_list().unwrap().len(), MOST_VALUES);
        assert_eq!(problems.len(), 1);
    }

    /// Our tree as serde_json would hold it.
    fn plain(tree: &Tree) -> serde_json::Value {
        match &tree.node {
            Node::Null => serde_json::Value::Null,
            Node::Bool(value) => (*value).into(),
            Node::Int(value) => (*value).into(),
            Node::Float(value) => (*value).into(),
            Node::Str(text) => (&**text).into(),
            Node::List(elements) => elements.iter().map(plain).collect::<Vec<_>>().into(),
            Node::Attrs(attrs) => attrs
                .iter()
                .map(|(name, attr)| (name.to_string(), plain(&attr.tree)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => panic!("no JSON value: {other:?}"),
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            (-1e300..1e300f64).prop_map(|float| (float + 0.5).into()),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::btree_map(".*", inner, 0..8)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    /// Each value's bytes, read alone by serde_json, are that value.
    fn spans_hold(files: &Files, tree: &Tree) {
        let text = files.text(tree.origin.span().unwrap());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            plain(tree)
        );
        for element in tree.as_list().unwrap_or_default() {
            spans_hold(files, element);
        }
        for (name, attr) in tree.as_attrs().into_iter().flatten() {
            let key = files.text(attr.bindings[0].name);
            assert_eq!(serde_json::from_str::<String>(&key).unwrap(), **name);
            assert_eq!(Some(attr.bindings[0].value), attr.tree.origin.span());
            spans_hold(files, &attr.tree);
        }
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let (files, tree, problems) = read(&text);
            prop_assert!(problems.is_empty(), "{problems:?}");
            prop_assert_eq!(plain(&tree), value);
            spans_hold(&files, &tree);
        }

        #[test]
        fn agrees_with_serde_json_on_what_is_wrong(text in r#"([\[\]{}:, ."\\0-9eEtu+-]|true|null|"[a-z\\u0-9]*"|[0-9]+){0,12}"#) {
            let (_, tree, problems) = read(&text);
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(value) => {
                    let only_warned = problems.iter().all(|problem| problem.level < crate::Level::Error);
                    prop_assert!(only_warned, "{problems:?}");
                    // serde_json holds integers of up to 64 bits unsigned; here they are floats, as in Nix.
                    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
                        prop_assert_eq!(plain(&tree), value);
                    }
                }
                Err(_) => prop_assert!(!problems.is_empty()),
            }
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let (_, _, problems) = read(&text);
            let unmarked = text.trim_start_matches('\u{feff}');
            let right = serde_json::from_str::<serde_json::Value>(unmarked).is_ok();
            prop_assert!(right || !problems.is_empty());
        }
    }
}
