//! JSON that remembers where each value stood, read without recursion.
//!
//! A pull tokenizer works over a window of the input, so a log of any length can be read;
//! a small tree is built on it for documents that fit into memory.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::BufRead;
use std::sync::Arc;

use source::{Bytes, FileId, Origin, Quote, Sourced, Span};

use crate::input::Place;
use crate::number;

/// The deepest nesting that is read. No tool nests more than ten levels.
const DEEPEST: usize = 256;

/// The most values that a document may hold.
const MOST_VALUES: usize = 2_000_000;

/// How much of the input is taken into the window at once.
const CHUNK: usize = 64 << 10;

/// The longest single value (or marked stretch of values) that is held in the window.
const LONGEST_VALUE: usize = 4 << 20;

/// A piece of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Object,
    ObjectEnd,
    Array,
    ArrayEnd,
    /// A member's name; its letters are the last text.
    Key,
    /// A string; its letters are the last text.
    Text,
    /// A number; its letters are the last text.
    Number,
    True,
    False,
    Null,
    /// The end of the input, outside of all values.
    End,
}

/// Why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) line: u32,
    pub(crate) because: &'static str,
}

impl Stop {
    /// The input ended inside a value.
    pub(crate) const CUT: &'static str = "the file ends in the middle of a value";
}

/// Reads one token after the other.
pub(crate) struct Pull<R> {
    bytes: R,
    window: Vec<u8>,
    at: usize,
    /// The byte of the input at which the window begins.
    base: u64,
    line: u32,
    ended: bool,
    /// For each open bracket whether it is an object's.
    open: Vec<bool>,
    key_next: bool,
    /// The last token's letters, as places in the window.
    last: (usize, usize),
    escaped: bool,
    /// The start of the stretch that stays in the window.
    mark: Option<usize>,
}

impl<R: BufRead> Pull<R> {
    pub(crate) fn new(bytes: R) -> Self {
        Self {
            bytes,
            window: Vec::new(),
            at: 0,
            base: 0,
            line: 1,
            ended: false,
            open: Vec::new(),
            key_next: false,
            last: (0, 0),
            escaped: false,
            mark: None,
        }
    }

    /// The line of the last token.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// How many brackets are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Where the last token stands in the input, quotation marks left out.
    pub(crate) fn range(&self) -> (u64, u64) {
        (self.base + self.last.0 as u64, self.base + self.last.1 as u64)
    }

    /// The last token's letters as they stand in the input.
    pub(crate) fn raw(&self) -> &[u8] {
        self.window.get(self.last.0..self.last.1).unwrap_or(&[])
    }

    /// The last token's letters, escapes resolved.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        let raw = String::from_utf8_lossy(self.raw());
        if self.escaped {
            Cow::Owned(unescape(&raw))
        } else {
            raw
        }
    }

    /// From here on the letters stay at hand for [`Self::marked`].
    pub(crate) fn mark(&mut self) {
        self.mark = Some(self.last.0);
    }

    /// The letters from the mark to the end of the last token.
    pub(crate) fn marked(&self) -> &[u8] {
        let start = self.mark.unwrap_or(self.last.0);
        self.window.get(start..self.last.1).unwrap_or(&[])
    }

    /// The input's byte at which the marked stretch begins.
    pub(crate) fn mark_start(&self) -> u64 {
        self.base + self.mark.unwrap_or(self.last.0) as u64
    }

    pub(crate) fn unmark(&mut self) {
        self.mark = None;
    }

    /// The letters from the last token on, as far as they are at hand.
    pub(crate) fn at_hand(&self) -> &[u8] {
        self.window.get(self.last.0..).unwrap_or(&[])
    }

    /// The letters of the object that was just opened, if they are at hand and stand in one line.
    /// One that holds another is given up to the end of that.
    pub(crate) fn flat_object(&self) -> Option<&[u8]> {
        let rest = self.at_hand();
        let end = memchr::memchr2(b'}', b'\n', rest)?;
        let text = rest.get(..=end)?;
        (text.last() == Some(&b'}')).then_some(text)
    }

    /// Goes on behind the object that was just opened, which is so long and stands in one line.
    pub(crate) fn skip_flat_object(&mut self, length: usize) {
        self.at = self.last.0 + length;
        self.last.1 = self.at;
        self.open.pop();
        self.key_next = false;
    }

    /// Makes sure that a byte is at hand; `None` at the end of the input.
    fn peek(&mut self) -> Option<u8> {
        loop {
            if let Some(&byte) = self.window.get(self.at) {
                return Some(byte);
            }
            if self.ended || !self.refill() {
                return None;
            }
        }
    }

    fn refill(&mut self) -> bool {
        let keep = self.mark.unwrap_or(self.at).min(self.last.0).min(self.at);
        if keep > 0 {
            self.window.drain(..keep);
            self.base += keep as u64;
            self.at -= keep;
            self.last = (self.last.0 - keep, self.last.1.saturating_sub(keep));
            self.mark = self.mark.map(|mark| mark - keep);
        }
        // A read error ends the input as its end would: what came before it stands.
        let Ok(chunk) = self.bytes.fill_buf() else {
            self.ended = true;
            return false;
        };
        let size = chunk.len().min(CHUNK);
        self.window.extend_from_slice(chunk.get(..size).unwrap_or(chunk));
        self.bytes.consume(size);
        self.ended = size == 0;
        size > 0
    }

    fn stop<T>(&self, because: &'static str) -> Result<T, Stop> {
        Err(Stop {
            line: self.line,
            because,
        })
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token, Stop> {
        // What lies before is not needed any more unless it is marked.
        self.last = (self.at, self.at);
        loop {
            let Some(byte) = self.peek() else {
                return if self.open.is_empty() {
                    Ok(Token::End)
                } else {
                    self.stop(Stop::CUT)
                };
            };
            match byte {
                b'\n' => self.line = self.line.saturating_add(1),
                b' ' | b'\t' | b'\r' | b':' => {}
                b',' => self.key_next = self.open.last() == Some(&true),
                // A byte order mark.
                0xef | 0xbb | 0xbf => {}
                _ => break,
            }
            self.at += 1;
            self.last = (self.at, self.at);
        }
        let start = self.at;
        let byte = self.peek().unwrap_or(b' ');
        self.escaped = false;
        let token = match byte {
            b'{' => self.bracket(Some(true)),
            b'[' => self.bracket(Some(false)),
            b'}' | b']' => self.bracket(None),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", Token::True),
            b'f' => self.word(b"false", Token::False),
            b'n' => self.word(b"null", Token::Null),
            _ => self.stop("this is not JSON"),
        }?;
        if self.last.0 == start && self.last.1 == start {
            self.last = (start, self.at);
        }
        Ok(token)
    }

    fn bracket(&mut self, opens: Option<bool>) -> Result<Token, Stop> {
        self.at += 1;
        match opens {
            Some(object) => {
                if self.open.len() >= DEEPEST {
                    return self.stop("values are nested deeper than 256 levels");
                }
                self.open.push(object);
                self.key_next = object;
                Ok(if object { Token::Object } else { Token::Array })
            }
            None => {
                let Some(object) = self.open.pop() else {
                    return self.stop("a bracket is closed that was never opened");
                };
                self.key_next = false;
                Ok(if object { Token::ObjectEnd } else { Token::ArrayEnd })
            }
        }
    }

    fn string(&mut self) -> Result<Token, Stop> {
        self.at += 1;
        let mut from = self.at;
        loop {
            let rest = self.window.get(from..).unwrap_or(&[]);
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(at) => {
                    let at = from + at;
                    if self.window.get(at) == Some(&b'"') {
                        self.last.1 = at;
                        break;
                    }
                    self.escaped = true;
                    from = at + 2;
                    // The byte after the backslash may not be at hand yet.
                    while self.window.len() < from {
                        let before = self.window.len();
                        let moved = self.base;
                        if !self.refill() {
                            return self.stop(Stop::CUT);
                        }
                        from -= (self.base - moved) as usize;
                        if self.window.len() == before {
                            return self.stop(Stop::CUT);
                        }
                    }
                }
                None => {
                    let seen = self.window.len();
                    if seen - self.at > LONGEST_VALUE {
                        return self.stop("a string is longer than 4 MiB");
                    }
                    let moved = self.base;
                    if !self.refill() {
                        return self.stop(Stop::CUT);
                    }
                    from = seen - (self.base - moved) as usize;
                }
            }
        }
        let end = self.last.1;
        self.last = (self.at, end);
        let breaks = self.window.get(self.at..end).unwrap_or(&[]);
        let breaks = memchr::memchr_iter(b'\n', breaks).count();
        self.line = self
            .line
            .saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.at = end + 1;
        let key = self.key_next;
        self.key_next = false;
        Ok(if key { Token::Key } else { Token::Text })
    }

    fn number(&mut self) -> Result<Token, Stop> {
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
            if self.at - self.last.0 > 1024 {
                return self.stop("a number is longer than 1024 digits");
            }
        }
        self.last.1 = self.at;
        Ok(Token::Number)
    }

    fn word(&mut self, word: &[u8], token: Token) -> Result<Token, Stop> {
        for &letter in word {
            match self.peek() {
                Some(byte) if byte == letter => self.at += 1,
                Some(_) => return self.stop("this is not JSON"),
                None => return self.stop(Stop::CUT),
            }
        }
        self.last.1 = self.at;
        Ok(token)
    }

    /// Skips the rest of the value whose first token was `token`.
    pub(crate) fn skip(&mut self, token: Token) -> Result<(), Stop> {
        if !matches!(token, Token::Object | Token::Array) {
            return Ok(());
        }
        let outside = self.depth().saturating_sub(1);
        while self.depth() > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Whether the marked stretch has grown beyond what is held.
    pub(crate) fn mark_is_too_long(&self) -> bool {
        self.mark.is_some_and(|mark| self.at - mark > LONGEST_VALUE)
    }
}

/// The text of a string with its escapes resolved; what is no escape stays as it is.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('u') => {
                let mut unit = || {
                    let digits: String = chars.by_ref().take(4).collect();
                    u16::from_str_radix(&digits, 16).unwrap_or(0xfffd)
                };
                let first = unit();
                if (0xd800..0xdc00).contains(&first) {
                    // The second half of a pair follows as `\uXXXX`; anything else is shown as unknown.
                    let mut rest = chars.clone();
                    let pair = rest.next() == Some('\\') && rest.next() == Some('u');
                    let digits: String = rest.by_ref().take(4).collect();
                    let second = u16::from_str_radix(&digits, 16).unwrap_or(0);
                    if pair && (0xdc00..0xe000).contains(&second) {
                        chars = rest;
                        text.push_str(&String::from_utf16_lossy(&[first, second]));
                    } else {
                        text.push(char::REPLACEMENT_CHARACTER);
                    }
                } else {
                    text.push_str(&String::from_utf16_lossy(&[first]));
                }
            }
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

/// A value of a document.
#[derive(Clone, Debug)]
pub(crate) struct Json {
    pub(crate) node: Node,
    /// The line, from 1.
    line: u32,
    /// Where its letters stand in the document.
    range: (u32, u32),
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// A number, as it was written.
    Number(Box<str>),
    Text(Arc<str>),
    List(Vec<Json>),
    Map(Vec<(Arc<str>, Json)>),
}

impl Json {
    /// The member of that name, if it is an object that has one; the last one if it has several.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.members()
            .iter()
            .rev()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    }

    /// The value below a path of names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Json> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    pub(crate) fn members(&self) -> &[(Arc<str>, Json)] {
        match &self.node {
            Node::Map(members) => members,
            _ => &[],
        }
    }

    pub(crate) fn list(&self) -> &[Json] {
        match &self.node {
            Node::List(values) => values,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The letters of a number, or of a string that should be one.
    pub(crate) fn letters(&self) -> Option<&str> {
        match &self.node {
            Node::Number(letters) => Some(letters),
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }
}

/// A document and where it stands.
pub(crate) struct Doc<'t> {
    pub(crate) file: FileId,
    text: &'t str,
    /// The byte and the line of the file at which the document begins.
    offset: u64,
    first_line: u32,
}

/// What was read of a document, and why no more.
pub(crate) struct Read {
    pub(crate) root: Json,
    pub(crate) stop: Option<Stop>,
}

impl<'t> Doc<'t> {
    pub(crate) fn new(file: FileId, text: &'t str, first_line: u32, offset: u64) -> Self {
        Self {
            file,
            text,
            offset,
            first_line,
        }
    }

    /// Reads the document's first value. One that is cut off gives what was there,
    /// its brackets closed where the text ends.
    pub(crate) fn read(&self) -> Read {
        let mut pull = Pull::new(self.text.as_bytes());
        let mut open: Vec<(Option<Arc<str>>, Json)> = Vec::new();
        let mut name: Option<Arc<str>> = None;
        // Names repeat; each is kept once.
        let mut names: HashSet<Arc<str>> = HashSet::new();
        let mut values = 0_usize;
        let null = Json {
            node: Node::Null,
            line: 1,
            range: (0, 0),
        };
        let stop = loop {
            let token = match pull.next() {
                Ok(token) => token,
                Err(stop) => break Some(stop),
            };
            let (start, end) = pull.range();
            let range = (to_u32(start), to_u32(end));
            let line = pull.line();
            let here = |node| Json { node, line, range };
            values += 1;
            if values > MOST_VALUES {
                break Some(Stop {
                    line,
                    because: "the file holds more than two million values",
                });
            }
            let done = match token {
                Token::End => break None,
                Token::Key => {
                    let key = pull.text();
                    let key = match names.get(&*key) {
                        Some(known) => Arc::clone(known),
                        None => {
                            let new: Arc<str> = Arc::from(&*key);
                            names.insert(Arc::clone(&new));
                            new
                        }
                    };
                    name = Some(key);
                    continue;
                }
                Token::Object => {
                    open.push((name.take(), here(Node::Map(Vec::new()))));
                    continue;
                }
                Token::Array => {
                    open.push((name.take(), here(Node::List(Vec::new()))));
                    continue;
                }
                Token::ObjectEnd | Token::ArrayEnd => match open.pop() {
                    Some((outer, value)) => {
                        name = outer;
                        value
                    }
                    None => continue,
                },
                Token::Text => here(Node::Text(Arc::from(&*pull.text()))),
                Token::Number => here(Node::Number(Box::from(&*pull.text()))),
                Token::True => here(Node::Bool(true)),
                Token::False => here(Node::Bool(false)),
                Token::Null => here(Node::Null),
            };
            match open.last_mut() {
                None => {
                    return Read {
                        root: done,
                        stop: None,
                    };
                }
                Some((_, outer)) => put(outer, name.take(), done),
            }
        };
        let mut root = None;
        while let Some((name, mut value)) = open.pop() {
            if let Some((inner_name, inner)) = root.take() {
                put(&mut value, inner_name, inner);
            }
            root = Some((name, value));
        }
        Read {
            root: root.map_or(null, |(_, value)| value),
            stop,
        }
    }

    /// The lines around a value, as far as a quote shows them, and where it stands in them.
    fn around(&self, value: &Json) -> (&'t str, std::ops::Range<usize>) {
        let (start, end) = (value.range.0 as usize, value.range.1 as usize);
        let mut from = start.saturating_sub(2 * Quote::LONGEST);
        while !self.text.is_char_boundary(from) {
            from -= 1;
        }
        let mut to = (end + 2 * Quote::LONGEST).min(self.text.len());
        while !self.text.is_char_boundary(to) {
            to -= 1;
        }
        let before = self.text.get(from..start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(from, |at| from + at + 1);
        let after = self.text.get(end..to).unwrap_or("");
        let line_end = after.find('\n').map_or(to, |at| end + at);
        let line = self.text.get(line_start..line_end).unwrap_or("");
        let indent = line.len() - line.trim_start().len();
        let shift = line_start + indent.min(start.saturating_sub(line_start));
        (
            self.text.get(shift..line_end).unwrap_or(""),
            start.saturating_sub(shift)..end.saturating_sub(shift),
        )
    }

    /// Quotes the line of a value with the value highlighted.
    pub(crate) fn quote(&self, value: &Json) -> Quote {
        let (line, range) = self.around(value);
        let number = value.line.saturating_add(self.first_line.saturating_sub(1));
        Quote::at(self.file, number, line, range)
    }

    pub(crate) fn origin(&self, value: &Json) -> Origin {
        Origin::Probe(self.quote(value))
    }

    pub(crate) fn sourced<T>(&self, made: T, at: &Json) -> Sourced<T> {
        Sourced::new(made, self.origin(at))
    }

    /// Tells a problem at a value.
    pub(crate) fn warn(&self, place: &mut Place<'_>, value: &Json, message: impl std::fmt::Display) {
        let line = value.line.saturating_add(self.first_line.saturating_sub(1));
        let end = u32::try_from(self.offset + u64::from(value.range.1));
        let span = match (place.kept, end) {
            (true, Ok(end)) => {
                let start = end - (value.range.1 - value.range.0);
                Some(Span::new(self.file, start, end))
            }
            _ => None,
        };
        place.tell(line, span, message);
    }

    /// A member that is a string with something in it.
    pub(crate) fn text(&self, of: &Json, name: &str) -> Option<Sourced<Arc<str>>> {
        let value = of.get(name)?;
        let text = value.text()?;
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        Some(self.sourced(Arc::from(trimmed), value))
    }

    /// A member that is a whole number, written as one or as a string; null is none.
    pub(crate) fn whole(&self, place: &mut Place<'_>, of: &Json, name: &str) -> Option<Sourced<u64>> {
        let value = of.get(name)?;
        let letters = match (&value.node, value.letters()) {
            (Node::Null, _) => return None,
            (_, Some(letters)) => letters.trim(),
            (_, None) => {
                self.warn(place, value, format_args!("`{name}` is not a number"));
                return None;
            }
        };
        match number::whole(letters) {
            Some(number) => Some(self.sourced(number, value)),
            None => {
                self.warn(
                    place,
                    value,
                    format_args!("`{name}` is {}, not a whole number in range", shorten(letters)),
                );
                None
            }
        }
    }

    /// A member that is a size in bytes, or with a unit as in `"size": "1.8T"`.
    pub(crate) fn size(&self, place: &mut Place<'_>, of: &Json, name: &str) -> Option<Sourced<Bytes>> {
        let value = of.get(name)?;
        if value.is_null() {
            return None;
        }
        match value.letters().and_then(|letters| number::size(letters.trim())) {
            Some(bytes) => Some(self.sourced(bytes, value)),
            None => {
                self.warn(place, value, format_args!("`{name}` is not a size in range"));
                None
            }
        }
    }

    /// A member that is a number, not below zero.
    pub(crate) fn amount(&self, place: &mut Place<'_>, of: &Json, name: &str) -> Option<Sourced<f64>> {
        let value = of.get(name)?;
        if value.is_null() {
            return None;
        }
        let number = value
            .letters()
            .and_then(|letters| letters.trim().replace(',', ".").parse::<f64>().ok())
            .filter(|number| number.is_finite() && *number >= 0.0);
        match number {
            Some(number) => Some(self.sourced(number, value)),
            None => {
                self.warn(
                    place,
                    value,
                    format_args!("`{name}` is not a number that it can be"),
                );
                None
            }
        }
    }

    /// A member that is true or false; older tools write `"1"` and `"0"`.
    pub(crate) fn truth(&self, place: &mut Place<'_>, of: &Json, name: &str) -> Option<Sourced<bool>> {
        let value = of.get(name)?;
        let truth = match (&value.node, value.letters()) {
            (Node::Null, _) => return None,
            (Node::Bool(truth), _) => Some(*truth),
            (_, Some("1" | "true" | "yes")) => Some(true),
            (_, Some("0" | "false" | "no")) => Some(false),
            _ => None,
        };
        match truth {
            Some(truth) => Some(self.sourced(truth, value)),
            None => {
                self.warn(place, value, format_args!("`{name}` is neither true nor false"));
                None
            }
        }
    }
}

/// Letters from the input, short enough for a message.
pub(crate) fn shorten(letters: &str) -> String {
    let mut shown: String = letters.chars().take(40).collect();
    if shown.len() < letters.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

fn to_u32(offset: u64) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn put(outer: &mut Json, name: Option<Arc<str>>, value: Json) {
    match &mut outer.node {
        Node::Map(members) => members.push((name.unwrap_or_default(), value)),
        Node::List(values) => values.push(value),
        _ => {}
    }
}

/// A whole number that may be negative, written as a number or a string.
pub(crate) fn integer(value: &Json) -> Option<i64> {
    value.letters()?.trim().parse().ok()
}
