//! TOML text to values.

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::symbol::Sym;
use crate::value::{List, Made, Text, Value};
use std::rc::Rc;

/// Reads TOML text. Dates are refused, as in Nix without an experimental feature.
pub(crate) fn parse(ev: &Evaluator<'_>, text: &[u8], made: Made) -> Result<Value> {
    let error = |reason: String| Error::new(ErrorKind::Other, format!("while parsing TOML: {reason}"));
    let text = std::str::from_utf8(text).map_err(|_| error("the text is not UTF-8".into()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|reason: toml::de::Error| error(reason.message().to_owned()))?;
    convert(ev, toml::Value::Table(table), made)
}

/// A date with the digits after the second in groups of three, as Nix writes them.
fn thousands(date: &str) -> String {
    let Some((before, after)) = date.split_once('.') else {
        return date.to_owned();
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, zone) = after.split_at_checked(digits).unwrap_or((after, ""));
    let zeros = "0".repeat((3 - digits % 3) % 3);
    format!("{before}.{fraction}{zeros}{zone}")
}

fn convert(ev: &Evaluator<'_>, value: toml::Value, made: Made) -> Result<Value> {
    let no_nul = |text: &str| {
        if text.contains('\0') {
            return Err(ev.other_error("while parsing TOML: a string contains a null byte"));
        }
        Ok(())
    };
    Ok(match value {
        toml::Value::String(text) => {
            no_nul(&text)?;
            Value::Str(Rc::new(Text::new(text.as_bytes())), made)
        }
        toml::Value::Integer(number) => Value::Int(number, made),
        toml::Value::Float(number) => Value::Float(number, made),
        toml::Value::Boolean(truth) => Value::Bool(truth, made),
        toml::Value::Datetime(date) if ev.options.toml_timestamps => {
            let kind = ev.symbols.intern("_type");
            let text = |text: &str| Value::Str(Rc::new(Text::new(text.as_bytes())), made);
            ev.attrs_of(
                vec![
                    (kind, text("timestamp")),
                    (Sym::VALUE, text(&thousands(&date.to_string()))),
                ],
                made,
            )
        }
        toml::Value::Datetime(_) => {
            return Err(ev.other_error("while parsing TOML: dates and times are not supported"));
        }
        toml::Value::Array(items) => {
            let items: Vec<Value> = items
                .into_iter()
                .map(|item| ev.deeper(|| convert(ev, item, made)))
                .collect::<Result<_>>()?;
            Value::List(Rc::new(List::new(items)), made)
        }
        toml::Value::Table(table) => {
            let mut named = Vec::with_capacity(table.len());
            for (name, value) in table {
                no_nul(&name)?;
                named.push((ev.symbols.intern(&name), ev.deeper(|| convert(ev, value, made))?));
            }
            ev.attrs_of(named, made)
        }
    })
}
