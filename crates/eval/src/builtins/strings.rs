//! Functions on strings.

use std::io::Write as _;
use std::rc::Rc;

use super::{Builtin, builtin, list, string};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, internal};
use crate::ops::{Builder, Coerce};
use crate::regex::Pattern;
use crate::symbol::Sym;
use crate::value::{Made, Text, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("compareVersions", 2, 0b01, compare_versions),
    builtin("concatStringsSep", 2, 0b11, concat_strings_sep),
    builtin("match", 2, 0b01, match_),
    builtin("parseDrvName", 1, 0b1, parse_drv_name),
    builtin("replaceStrings", 3, 0b111, replace_strings),
    builtin("split", 2, 0b01, split),
    builtin("splitVersion", 1, 0b1, split_version),
    builtin("stringLength", 1, 0b1, string_length),
    builtin("substring", 3, 0b111, substring),
    builtin("toString", 1, 0b1, to_string),
];

fn to_string(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    match ev.force(value)? {
        Value::Str(text, _) => Ok(Value::Str(text, made)),
        Value::Int(number, _) => {
            // Twenty digits are the most that one has, with its sign.
            let mut digits = [0; 20];
            let mut rest = &mut digits[..];
            let _written = write!(rest, "{number}");
            let left = rest.len();
            let written = digits.len() - left;
            Ok(string(digits.get(..written).unwrap_or_default(), made))
        }
        value => {
            let mut builder = Builder::default();
            ev.coerce(&value, Coerce::Everything, &mut builder)?;
            Ok(builder.value(made))
        }
    }
}

fn string_length(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [value] = args else { return Err(internal()) };
    let mut builder = Builder::default();
    ev.coerce(value, Coerce::Interpolation, &mut builder)?;
    Ok(Value::Int(builder.bytes.len() as i64, made))
}

fn substring(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [start, length, text] = args else {
        return Err(internal());
    };
    let start = ev.want_int(start)?;
    let length = ev.want_int(length)?;
    let Ok(start) = usize::try_from(start) else {
        return Err(ev.other_error("negative start position in 'substring'"));
    };
    let text = match ev.force(text)? {
        Value::Str(text, _) => text,
        other => {
            let mut builder = Builder::default();
            ev.coerce(&other, Coerce::Interpolation, &mut builder)?;
            Rc::new(builder.finish())
        }
    };
    let whole = text.bytes().len();
    let start = start.min(whole);
    // A negative length means up to the end.
    let end = match usize::try_from(length) {
        Ok(length) => start.saturating_add(length).min(whole),
        Err(_) => whole,
    };
    let part = text.bytes().get(start..end).unwrap_or_default();
    Ok(Value::Str(
        Rc::new(Text::copied(part, text.context.clone())),
        made,
    ))
}

fn concat_strings_sep(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [separator, items] = args else {
        return Err(internal());
    };
    let separator = ev.want_string(separator)?;
    let items = ev.want_list(items)?;
    let mut builder = Builder::default();
    for (index, item) in items.items().iter().enumerate() {
        if index > 0 {
            builder.push(&separator);
        }
        ev.coerce(item, Coerce::Interpolation, &mut builder)?;
        if builder.bytes.len() > 1 << 16 {
            ev.check_text(builder.bytes.len())?;
        }
    }
    if let Some(context) = &separator.context {
        builder.contexts.extend(context.iter().cloned());
    }
    Ok(builder.value(made))
}

fn replace_strings(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [from, to, text] = args else {
        return Err(internal());
    };
    let from = ev.want_list(from)?;
    let to = ev.want_list(to)?;
    if from.items().len() != to.items().len() {
        return Err(ev.other_error(
            "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths",
        ));
    }
    let patterns: Vec<Rc<Text>> = from
        .items()
        .iter()
        .map(|item| ev.want_string(item))
        .collect::<Result<_>>()?;
    let text = ev.want_string(text)?;
    let bytes = text.bytes();
    let mut replacements: Vec<Option<Rc<Text>>> = vec![None; patterns.len()];
    let mut builder = Builder::default();
    if let Some(context) = &text.context {
        builder.contexts.extend(context.iter().cloned());
    }
    // Which patterns can start with a byte, so that each position tries only those.
    let mut at = 0;
    let mut checked = 0;
    while at <= bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let hit = patterns
            .iter()
            .position(|pattern| rest.starts_with(pattern.bytes()));
        match hit {
            Some(index) => {
                let replacement = match replacements.get(index) {
                    Some(Some(known)) => known.clone(),
                    _ => {
                        let item = to.items().get(index).ok_or_else(internal)?;
                        let replacement = ev.want_string(item)?;
                        if let Some(slot) = replacements.get_mut(index) {
                            *slot = Some(replacement.clone());
                        }
                        replacement
                    }
                };
                builder.push(&replacement);
                let length = patterns.get(index).map_or(0, |pattern| pattern.bytes().len());
                if length == 0 {
                    builder.bytes.extend(rest.first());
                    at += 1;
                } else {
                    at += length;
                }
            }
            None => {
                builder.bytes.extend(rest.first());
                at += 1;
            }
        }
        if builder.bytes.len() - checked > 1 << 16 {
            checked = builder.bytes.len();
            ev.check_text(checked)?;
        }
    }
    Ok(builder.value(made))
}

/// The components of a version: runs of digits, and runs of other letters between `.` and `-`.
fn components(version: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = version;
    std::iter::from_fn(move || {
        while let Some((b'.' | b'-', after)) = rest.split_first() {
            rest = after;
        }
        let first = *rest.first()?;
        let length = if first.is_ascii_digit() {
            rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
        } else {
            rest.iter()
                .take_while(|&&byte| !byte.is_ascii_digit() && byte != b'.' && byte != b'-')
                .count()
        };
        let (component, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(component)
    })
}

fn component_less(a: &[u8], b: &[u8]) -> bool {
    let number = |text: &[u8]| {
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i32>().ok())
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a < b,
        (Some(_), None) if b == b"pre" => false,
        (None, Some(_)) if a == b"pre" => true,
        _ if a.is_empty() && number(b).is_some() => true,
        _ if a == b"pre" && b != b"pre" => true,
        _ if b == b"pre" => false,
        // A number comes after letters: 2.3a is older than 2.3.1.
        (_, Some(_)) => true,
        (Some(_), _) => false,
        _ => a < b,
    }
}

fn compare_versions(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [a, b] = args else { return Err(internal()) };
    let a = ev.want_plain_string(a)?;
    let b = ev.want_plain_string(b)?;
    let (mut x, mut y) = (components(a.bytes()), components(b.bytes()));
    loop {
        let (a, b) = (x.next(), y.next());
        if a.is_none() && b.is_none() {
            return Ok(Value::Int(0, made));
        }
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        if component_less(a, b) {
            return Ok(Value::Int(-1, made));
        }
        if component_less(b, a) {
            return Ok(Value::Int(1, made));
        }
    }
}

fn split_version(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [version] = args else { return Err(internal()) };
    let version = ev.want_plain_string(version)?;
    let parts = components(version.bytes()).map(|component| string(component, made));
    Ok(list(parts.collect(), made))
}

fn parse_drv_name(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [name] = args else { return Err(internal()) };
    let name = ev.want_plain_string(name)?;
    let bytes = name.bytes();
    // The version starts after the first dash that no letter follows.
    let dash = bytes
        .windows(2)
        .position(|pair| matches!(pair, [b'-', next] if !next.is_ascii_alphabetic()));
    let (name, version) = match dash {
        Some(dash) => (
            bytes.get(..dash).unwrap_or_default(),
            bytes.get(dash + 1..).unwrap_or_default(),
        ),
        None => (bytes, &[][..]),
    };
    let named = vec![
        (Sym::NAME, string(name, made)),
        (Sym::VERSION, string(version, made)),
    ];
    Ok(ev.attrs_of(named, made))
}

/// A compiled pattern, kept for the next use.
fn pattern(ev: &Evaluator<'_>, text: &Text) -> Result<Rc<Pattern>> {
    if let Some(known) = ev.patterns.borrow().get(text.bytes()) {
        return Ok(known.clone());
    }
    let compiled = Pattern::new(text.bytes()).map_err(|reason| {
        Error::new(
            ErrorKind::Other,
            format!("invalid regular expression '{}': {reason}", text.lossy()),
        )
    })?;
    let compiled = Rc::new(compiled);
    ev.patterns
        .borrow_mut()
        .insert(text.bytes().to_vec(), compiled.clone());
    Ok(compiled)
}

fn groups(text: &[u8], captures: &[Option<(usize, usize)>], made: Made) -> Value {
    let groups = captures.iter().map(|capture| match capture {
        Some((start, end)) => string(text.get(*start..*end).unwrap_or_default(), made),
        None => Value::Null(made),
    });
    list(groups.collect(), made)
}

fn match_(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [regex, text] = args else {
        return Err(internal());
    };
    let regex = ev.want_plain_string(regex)?;
    let pattern = pattern(ev, &regex)?;
    let text = ev.want_string(text)?;
    match pattern.match_whole(text.bytes()) {
        Some(captures) => Ok(groups(text.bytes(), &captures, made)),
        None => Ok(Value::Null(made)),
    }
}

fn split(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [regex, text] = args else {
        return Err(internal());
    };
    let regex = ev.want_plain_string(regex)?;
    let pattern = pattern(ev, &regex)?;
    let text = ev.want_string(text)?;
    let bytes = text.bytes();
    let mut parts = Vec::new();
    let mut last = 0;
    let mut at = 0;
    let mut after_empty = false;
    while at <= bytes.len() {
        ev.step()?;
        let found = pattern.search(bytes, at, after_empty);
        let Some(captures) = found else { break };
        let Some((Some((start, end)), inner)) = captures.split_first().map(|(whole, inner)| (*whole, inner))
        else {
            break;
        };
        parts.push(string(bytes.get(last..start).unwrap_or_default(), made));
        parts.push(groups(bytes, inner, made));
        last = end;
        at = end;
        after_empty = start == end;
    }
    if parts.is_empty() {
        return Ok(list(vec![Value::Str(text, made)], made));
    }
    parts.push(string(bytes.get(last..).unwrap_or_default(), made));
    Ok(list(parts, made))
}
