//! Debug output made short enough to be read in a snapshot.

/// A piece of Rust's debug output.
enum Piece {
    Atom(String),
    Struct(String, Vec<(String, Piece)>),
    Tuple(String, Vec<Piece>),
    List(Vec<Piece>),
    Map(Vec<(Piece, Piece)>),
}

/// Shows a value: empty fields left out, and each sourced value followed by
/// `‹line: what is highlighted›`.
pub(crate) fn show(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let mut rest = text.as_str();
    let piece = parse(&mut rest);
    let mut shown = String::new();
    write(&piece, 0, &mut shown);
    shown.push('\n');
    shown
}

fn parse(rest: &mut &str) -> Piece {
    *rest = rest.trim_start();
    let head = if rest.starts_with('"') {
        let mut end = 1;
        let bytes = rest.as_bytes();
        while bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        take(rest, end + 1)
    } else {
        let end = rest
            .find(|c: char| "({[,]})=: ".contains(c))
            .unwrap_or(rest.len());
        take(rest, end)
    };
    match rest.trim_start().chars().next() {
        Some('{') if !head.starts_with('"') => {
            open(rest);
            if head.is_empty() {
                return Piece::Map(parts(rest, '}', |rest| {
                    let key = parse(rest);
                    if rest.trim_start().starts_with(':') {
                        open(rest);
                        let value = parse(rest);
                        (key, value)
                    } else {
                        (key, Piece::Atom(String::new()))
                    }
                }));
            }
            Piece::Struct(
                head,
                parts(rest, '}', |rest| {
                    let end = rest.find(':').unwrap();
                    let name = take(rest, end).trim().to_owned();
                    open(rest);
                    (name, parse(rest))
                }),
            )
        }
        Some('(') => {
            open(rest);
            Piece::Tuple(head, parts(rest, ')', parse))
        }
        Some('[') => {
            open(rest);
            Piece::List(parts(rest, ']', parse))
        }
        _ => Piece::Atom(head),
    }
}

fn take(rest: &mut &str, end: usize) -> String {
    let (head, tail) = rest.split_at(end);
    *rest = tail;
    head.to_owned()
}

fn open(rest: &mut &str) {
    *rest = &rest.trim_start()[1..];
}

fn parts<T>(rest: &mut &str, close: char, mut one: impl FnMut(&mut &str) -> T) -> Vec<T> {
    let mut found = Vec::new();
    loop {
        *rest = rest.trim_start().trim_start_matches(',').trim_start();
        if rest.starts_with(close) {
            open(rest);
            return found;
        }
        found.push(one(rest));
    }
}

fn is_empty(piece: &Piece) -> bool {
    match piece {
        Piece::Atom(atom) => atom == "None",
        Piece::List(parts) => parts.is_empty(),
        Piece::Map(parts) => parts.is_empty(),
        Piece::Struct(_, fields) => !fields.is_empty() && fields.iter().all(|(_, field)| is_empty(field)),
        Piece::Tuple(..) => false,
    }
}

/// The quotes of an origin: `3: noatime`.
fn origin(piece: &Piece) -> String {
    match piece {
        Piece::Tuple(name, parts) if name == "Derived" => {
            let Some(Piece::List(parts)) = parts.first() else {
                return "?".to_owned();
            };
            parts.iter().map(origin).collect::<Vec<_>>().join(" + ")
        }
        Piece::Tuple(_, parts) => parts.first().map_or("?".to_owned(), origin),
        Piece::Struct(_, fields) => {
            let field = |name: &str| {
                fields
                    .iter()
                    .find(|(field, _)| field == name)
                    .map(|(_, piece)| piece)
            };
            let atom = |piece: Option<&Piece>| match piece {
                Some(Piece::Atom(atom)) => atom.clone(),
                _ => String::new(),
            };
            let text = atom(field("text"));
            let text = text
                .trim_matches('"')
                .replace("\\\"", "\"")
                .replace("\\t", "\t")
                .replace("\\\\", "\\");
            let (from, to) = match field("highlight") {
                Some(Piece::Tuple(_, ends)) => {
                    let end = |at: usize| match ends.get(at) {
                        Some(Piece::Atom(end)) => end.parse::<usize>().unwrap(),
                        _ => 0,
                    };
                    (end(0), end(1))
                }
                _ => (0, 0),
            };
            format!(
                "{}: {}",
                atom(field("line")),
                text.get(from..to).unwrap_or("highlight outside of the text")
            )
        }
        Piece::Atom(atom) => atom.clone(),
        Piece::List(_) | Piece::Map(_) => "?".to_owned(),
    }
}

fn write(piece: &Piece, depth: usize, shown: &mut String) {
    let indent = |shown: &mut String, depth: usize| {
        shown.push('\n');
        shown.push_str(&"  ".repeat(depth));
    };
    match piece {
        Piece::Atom(atom) => shown.push_str(atom.trim_matches('"')),
        Piece::Tuple(name, parts) if name == "Some" && parts.len() == 1 => write(&parts[0], depth, shown),
        Piece::Tuple(name, parts) => {
            shown.push_str(name);
            shown.push('(');
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    shown.push_str(", ");
                }
                write(part, depth + 1, shown);
            }
            shown.push(')');
        }
        Piece::List(parts) => {
            for part in parts {
                indent(shown, depth);
                shown.push_str("- ");
                write(part, depth + 1, shown);
            }
        }
        Piece::Map(parts) => {
            let bare = |part: &(Piece, Piece)| matches!(&part.1, Piece::Atom(atom) if atom.is_empty());
            if parts.iter().all(bare) {
                for (at, (key, _)) in parts.iter().enumerate() {
                    if at > 0 {
                        shown.push(' ');
                    }
                    write(key, depth, shown);
                }
                return;
            }
            for (key, value) in parts {
                indent(shown, depth);
                write(key, depth, shown);
                if !matches!(value, Piece::Atom(atom) if atom.is_empty()) {
                    shown.push_str(" = ");
                    write(value, depth + 1, shown);
                }
            }
        }
        Piece::Struct(name, fields) if name == "Sourced" => {
            write(&fields[0].1, depth, shown);
            shown.push_str(&format!("  ‹{}›", origin(&fields[1].1)));
        }
        Piece::Struct(name, fields) if name == "Series" => {
            shown.push_str("series");
            for (field, value) in fields {
                shown.push_str(&format!(" {field}="));
                write(value, depth, shown);
            }
        }
        Piece::Struct(name, fields) if name == "Version" => {
            write(&fields[1].1, depth, shown);
            shown.push_str(" = ");
            if let Piece::List(numbers) = &fields[0].1 {
                for number in numbers {
                    shown.push('.');
                    write(number, depth, shown);
                }
            }
        }
        Piece::Struct(name, fields) => {
            shown.push_str(name);
            for (field, value) in fields {
                if is_empty(value) {
                    continue;
                }
                indent(shown, depth + 1);
                shown.push_str(field);
                shown.push_str(": ");
                write(value, depth + 2, shown);
            }
        }
    }
}
