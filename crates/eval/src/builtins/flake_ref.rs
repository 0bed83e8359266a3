//! Flake references between their two forms: a set of attributes and a URL-like string.
//!
//! The forms are those of the Nix manual, "nix flake: flake reference attributes and URL-like
//! syntax", <https://nix.dev/manual/nix/latest/command-ref/new-cli/nix3-flake>.

use std::collections::BTreeMap;

use super::{Builtin, builtin, string};
use crate::evaluator::{Evaluator, Result, internal};
use crate::value::{Made, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("flakeRefToString", 1, 0b1, flake_ref_to_string),
    builtin("parseFlakeRef", 1, 0b1, parse_flake_ref),
];

/// Hosts of which a reference names owner and repository.
const FORGES: [&str; 3] = ["github", "gitlab", "sourcehut"];

fn is_revision(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@/".contains(&byte) {
                (byte as char).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn parse_flake_ref(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [text] = args else { return Err(internal()) };
    let text = ev.want_plain_string(text)?.lossy().into_owned();
    let wrong = || ev.other_error(format!("'{text}' is not a valid flake reference"));
    let (body, query) = text.split_once('?').unwrap_or((&text, ""));
    if body.contains('#') || query.contains('#') {
        return Err(ev.other_error(format!("unexpected fragment in flake reference '{text}'")));
    }
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        parts.insert(name.to_owned(), decode(value).ok_or_else(wrong)?);
    }
    let mut set = |name: &str, value: &str| parts.insert(name.to_owned(), value.to_owned());
    match body.split_once(':') {
        Some((forge, path)) if FORGES.contains(&forge) => {
            set("type", forge);
            let segments: Vec<&str> = path.splitn(3, '/').collect();
            match segments.as_slice() {
                [owner, repo] => {
                    set("owner", owner);
                    set("repo", repo);
                }
                [owner, repo, version] => {
                    set("owner", owner);
                    set("repo", repo);
                    set(if is_revision(version) { "rev" } else { "ref" }, version);
                }
                _ => return Err(wrong()),
            }
        }
        Some(("path", path)) => {
            set("type", "path");
            set("path", path);
        }
        Some((scheme, _)) if scheme == "git" || scheme.starts_with("git+") => {
            set("type", "git");
            set("url", body.strip_prefix("git+").unwrap_or(body));
        }
        Some((scheme, _)) if scheme == "hg" || scheme.starts_with("hg+") => {
            set("type", "hg");
            set("url", body.strip_prefix("hg+").unwrap_or(body));
        }
        Some((scheme, _)) if matches!(scheme, "http" | "https" | "file") || scheme.contains('+') => {
            let plain = body
                .strip_prefix("tarball+")
                .or_else(|| body.strip_prefix("file+"))
                .unwrap_or(body);
            let archive = [
                ".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst",
            ]
            .iter()
            .any(|ending| plain.ends_with(ending));
            let tarball = body.starts_with("tarball+") || (archive && !body.starts_with("file+"));
            set("type", if tarball { "tarball" } else { "file" });
            set("url", plain);
        }
        Some(("flake", path)) => indirect(path, &mut parts).ok_or_else(wrong)?,
        Some(_) => return Err(wrong()),
        None if body.starts_with('/') => {
            set("type", "path");
            set("path", body);
        }
        None if body.starts_with('.') => {
            return Err(ev.other_error(format!(
                "flake reference '{text}' is a relative path, which has no base here"
            )));
        }
        None => indirect(body, &mut parts).ok_or_else(wrong)?,
    }
    let named = parts
        .into_iter()
        .map(|(name, value)| {
            let value = match (name.as_str(), value.parse::<i64>()) {
                ("lastModified" | "revCount", Ok(number)) => Value::Int(number, made),
                ("submodules" | "shallow" | "lfs" | "exportIgnore" | "allRefs" | "unpack", _) => {
                    Value::Bool(value == "1", made)
                }
                _ => string(value.as_bytes(), made),
            };
            (ev.symbols.intern(&name), value)
        })
        .collect();
    Ok(ev.attrs_of(named, made))
}

fn indirect(path: &str, parts: &mut BTreeMap<String, String>) -> Option<()> {
    parts.insert("type".into(), "indirect".into());
    let mut segments = path.split('/');
    let id = segments.next().filter(|id| {
        id.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })?;
    parts.insert("id".into(), id.into());
    for segment in segments {
        let name = if is_revision(segment) { "rev" } else { "ref" };
        parts.insert(name.into(), segment.into());
    }
    Some(())
}

fn flake_ref_to_string(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [attrs] = args else { return Err(internal()) };
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    for entry in ev.want_attrs(attrs)?.entries() {
        let name = ev.symbols.name(entry.name).to_string();
        let text = match ev.force(&entry.value)? {
            Value::Int(number, _) if number >= 0 => number.to_string(),
            Value::Int(number, _) => {
                return Err(ev.other_error(format!(
                    "negative value given for flake ref attr {name}: {number}"
                )));
            }
            Value::Bool(truth, _) => if truth { "1" } else { "0" }.to_owned(),
            Value::Str(text, _) => text.lossy().into_owned(),
            other => return Err(ev.wrong("an integer, a Boolean or a string", &other)),
        };
        parts.insert(name, text);
    }
    let missing = |name: &str| ev.other_error(format!("attribute '{name}' of a flake reference is missing"));
    let kind = parts.remove("type").ok_or_else(|| missing("type"))?;
    let mut take = |name: &str| parts.remove(name);
    let mut text = match kind.as_str() {
        forge if FORGES.contains(&forge) => {
            let owner = take("owner").ok_or_else(|| missing("owner"))?;
            let repo = take("repo").ok_or_else(|| missing("repo"))?;
            let mut text = format!("{forge}:{}/{}", encode(&owner), encode(&repo));
            if let Some(version) = take("ref").or_else(|| take("rev")) {
                text.push('/');
                text.push_str(&encode(&version));
            }
            text
        }
        "indirect" => {
            let mut text = format!("flake:{}", encode(&take("id").ok_or_else(|| missing("id"))?));
            for part in [take("ref"), take("rev")].into_iter().flatten() {
                text.push('/');
                text.push_str(&encode(&part));
            }
            text
        }
        "path" => format!("path:{}", encode(&take("path").ok_or_else(|| missing("path"))?)),
        "git" | "hg" => {
            let url = take("url").ok_or_else(|| missing("url"))?;
            if url.starts_with(&format!("{kind}:")) {
                url
            } else {
                format!("{kind}+{url}")
            }
        }
        "tarball" | "file" => take("url").ok_or_else(|| missing("url"))?,
        other => return Err(ev.other_error(format!("flake reference type '{other}' is not known"))),
    };
    for (index, (name, value)) in parts.iter().enumerate() {
        text.push(if index == 0 && !text.contains('?') {
            '?'
        } else {
            '&'
        });
        text.push_str(&format!("{name}={}", encode(value)));
    }
    Ok(string(text.as_bytes(), made))
}
