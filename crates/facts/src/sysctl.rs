//! Kernel parameters: `sysctl -a`, or a copy of `/proc/sys`.

use std::sync::Arc;

use crate::facts::Facts;
use crate::input::{Line, Lines, Place};

/// The parameter that a path below `/proc/sys` names: `vm.dirty_ratio`.
pub(crate) fn of_path(path: &str) -> Option<String> {
    let at = path.rfind("proc/sys/")? + "proc/sys/".len();
    let name = path.get(at..).filter(|name| !name.is_empty())?;
    Some(name.replace('/', "."))
}

/// A line of `sysctl -a`: `vm.dirty_ratio = 20`.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let named = name.contains(['.', '/'])
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-/*:@".contains(&b));
    named.then(|| (name, value.trim()))
}

/// Whether a line is one of `sysctl -a`. Settings of the kernel begin with one of its folders.
pub(crate) fn is(line: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "abi", "crypto", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm",
    ];
    setting(line).is_some_and(|(name, _)| {
        let folder = name.split(['.', '/']).next().unwrap_or("");
        FOLDERS.contains(&folder)
    })
}

/// The most parameters that are kept: a machine has some thousand.
const MOST: usize = 100_000;

pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let of_path = of_path(&place.name);
    while let Some(line) = lines.next() {
        if facts.sysctl.len() >= MOST {
            place.tell_file("more than 100000 kernel parameters; the rest is left out");
            return;
        }
        match (&of_path, setting(line.text)) {
            (Some(name), _) => {
                let value = line.text.trim();
                if !value.is_empty() {
                    add(facts, &line, name, value);
                }
                return;
            }
            (None, Some((name, value))) => add(facts, &line, &name.replace('/', "."), value),
            (None, None) => {}
        }
    }
}

fn add(facts: &mut Facts, line: &Line<'_>, name: &str, value: &str) {
    let new = line.text_at(value);
    match facts.sysctl.get(name) {
        Some(known) if known.value == new.value => {}
        Some(known) => {
            let known = known.clone();
            facts.contradict(name, "the kernel parameter", &known, &new);
        }
        None => {
            facts.sysctl.insert(Arc::from(name), new);
        }
    }
}
