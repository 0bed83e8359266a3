//! JSON text to values, and the parts of values to JSON.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::symbol::Sym;
use crate::value::{List, Made, Text, Value};

/// Writes a JSON string; fails on bytes that are not UTF-8, as Nix does.
pub(crate) fn quote(text: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        let byte = text.get(at).copied().unwrap_or(0);
        format!("invalid UTF-8 byte at index {at}: 0x{byte:02X}")
    })?;
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            other => out.push(other),
        }
    }
    out.push(b'"');
    Ok(())
}

/// A float as JSON: the shortest digits that give it back, always with a point or an exponent.
pub(crate) fn float(number: f64) -> String {
    if !number.is_finite() {
        return "null".into();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0.0" } else { "0.0" }.into();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..15).contains(&exponent) {
        let text = number.to_string();
        return if text.contains('.') {
            text
        } else {
            format!("{text}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Reads JSON text.
pub(crate) fn parse(ev: &Evaluator<'_>, text: &[u8], made: Made) -> Result<Value> {
    let mut parser = Parser {
        ev,
        text,
        at: 0,
        made,
    };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.error("unexpected text after the value"));
    }
    Ok(value)
}

struct Parser<'e, 'a> {
    ev: &'e Evaluator<'a>,
    text: &'e [u8],
    at: usize,
    made: Made,
}

impl Parser<'_, '_> {
    fn error(&self, what: &str) -> Error {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Error::new(
            ErrorKind::Other,
            format!("JSON parse error at line {line}, column {column}: {what}"),
        )
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value> {
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.error("invalid literal"))
    }

    fn value(&mut self) -> Result<Value> {
        let ev = self.ev;
        ev.deeper(|| self.value_inner())
    }

    fn value_inner(&mut self) -> Result<Value> {
        match self.peek() {
            Some(b'n') => self.word(b"null", Value::Null(self.made)),
            Some(b't') => self.word(b"true", Value::Bool(true, self.made)),
            Some(b'f') => self.word(b"false", Value::Bool(false, self.made)),
            Some(b'"') => {
                let text = self.string()?;
                if text.contains(&0) {
                    return Err(self.error("a string contains a null byte"));
                }
                Ok(Value::Str(Rc::new(Text::from_vec(text, None)), self.made))
            }
            Some(b'[') => self.array(),
            Some(b'{') => self.object(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.error("expected a value")),
        }
    }

    fn array(&mut self) -> Result<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(self.list(items));
        }
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(self.list(items));
                }
                _ => return Err(self.error("expected ',' or ']'")),
            }
        }
    }

    fn list(&self, items: Vec<Value>) -> Value {
        Value::List(Rc::new(List::new(items)), self.made)
    }

    fn object(&mut self) -> Result<Value> {
        self.at += 1;
        let mut named: BTreeMap<Sym, Value> = BTreeMap::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(self.ev.attrs_of(Vec::new(), self.made));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a name in quotes"));
            }
            let name = self.string()?;
            if name.contains(&0) {
                return Err(self.error("a name contains a null byte"));
            }
            let name = String::from_utf8_lossy(&name).into_owned();
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.error("expected ':'"));
            }
            self.at += 1;
            self.space();
            let value = self.value()?;
            // The last of several with one name counts.
            named.insert(self.ev.symbols.intern(&name), value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(self.ev.attrs_of(named.into_iter().collect(), self.made));
                }
                _ => return Err(self.error("expected ',' or '}'")),
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.error("invalid number"));
        }
        let mut float = false;
        if self.peek() == Some(b'.') {
            float = true;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.error("invalid number"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            float = true;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.error("invalid number"));
            }
        }
        let text = String::from_utf8_lossy(self.text.get(start..self.at).unwrap_or_default()).into_owned();
        if !float {
            if let Ok(number) = text.parse::<i64>() {
                return Ok(Value::Int(number, self.made));
            }
            if text.parse::<u64>().is_ok() {
                return Err(self.error(&format!("the number {text} does not fit a 64-bit signed integer")));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number, self.made)),
            _ => Err(self.error("number out of range")),
        }
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        let text = std::str::from_utf8(digits).unwrap_or("");
        match u32::from_str_radix(text, 16) {
            Ok(code) if text.len() == 4 && !text.starts_with('+') => {
                self.at += 4;
                Ok(code)
            }
            _ => Err(self.error("'\\u' must be followed by 4 hex digits")),
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(escape) = self.peek() else {
            return Err(self.error("missing closing quote"));
        };
        self.at += 1;
        match escape {
            b'"' | b'\\' | b'/' => out.push(escape),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let first = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    if self.text.get(self.at..self.at + 2) != Some(b"\\u") {
                        return Err(self.error("a high surrogate must be followed by a low one"));
                    }
                    self.at += 2;
                    let second = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err(self.error("a high surrogate must be followed by a low one"));
                    }
                    0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                let Some(letter) = char::from_u32(code) else {
                    return Err(self.error("a low surrogate must follow a high one"));
                };
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err(self.error("invalid escape")),
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Vec<u8>> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(self.error("missing closing quote"));
            };
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.escape(&mut out)?,
                0..0x20 => return Err(self.error("control characters must be escaped")),
                other => out.push(other),
            }
        }
        if std::str::from_utf8(&out).is_err() {
            return Err(self.error("invalid UTF-8"));
        }
        Ok(out)
    }
}
