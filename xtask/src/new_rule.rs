//! Writes the two files of a new rule and registers it.

use std::path::Path;

use anyhow::{Context, bail, ensure};

/// Makes `crates/rules/src/AREA/NAME.{rs,md}` and adds the rule to its area and to the registry.
/// `name` is in snake case and does not repeat the area.
#[expect(clippy::print_stderr, reason = "a chore talks to whoever runs it")]
pub(crate) fn run(area: &str, name: &str) -> anyhow::Result<()> {
    let snake = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
    };
    ensure!(snake(area) && snake(name), "AREA and NAME are in snake case");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/rules/src");
    let folder = root.join(area);
    let module = folder.join("mod.rs");
    if !module.exists() {
        bail!("there is no area {area}: make crates/rules/src/{area}/mod.rs and name it in lib.rs first");
    }
    let id = format!("{area}-{}", name.replace('_', "-"));
    let code = folder.join(format!("{name}.rs"));
    ensure!(!code.exists(), "{id} exists");

    std::fs::write(&code, rule(&id, name))?;
    std::fs::write(folder.join(format!("{name}.md")), page(&id))?;
    insert(&module, &format!("pub(crate) mod {name};"), "pub(crate) mod ")?;
    insert(
        &root.join("registry.rs"),
        &format!("    crate::{area}::{name}::RULE,"),
        "    crate::",
    )?;
    tell_module(&root.join("../../../nix/rules.json"), &id)?;
    eprintln!("made {id}: write its page first, then `cargo test -p disko-advise --test pages`");
    Ok(())
}

/// Adds a name to those that the NixOS module knows.
fn tell_module(path: &Path, id: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut names: Vec<String> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    names.push(id.to_owned());
    names.sort();
    std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(&names)?))?;
    Ok(())
}

/// Adds a line among the lines that begin alike, in their order; at the end when there is none.
fn insert(path: &Path, line: &str, alike: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines: Vec<&str> = text.lines().collect();
    let at = match lines.iter().position(|it| it.starts_with(alike) && *it > line) {
        Some(at) => at,
        None => lines
            .iter()
            .rposition(|it| it.starts_with(alike))
            .map_or(lines.len(), |last| last + 1),
    };
    lines.insert(at, line);
    std::fs::write(path, format!("{}\n", lines.join("\n")))?;
    Ok(())
}

fn rule(id: &str, name: &str) -> String {
    format!(
        r##"//! What the rule finds, in one sentence.

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {{
    id: "{id}",
    summary: "",
    page: include_str!("{name}.md"),
    severity: Severity::Warning,
    check: Check::Host(check),
    sources: &[],
    verified: "",
}};

fn check(_machine: &Machine) -> Known<Verdict> {{
    Ok(NotApplicable)
}}
"##
    )
}

fn page(id: &str) -> String {
    format!(
        "# {id}

## What it finds

## Why it matters

## When it does not apply

## Fires

```nix file=disko.nix
```

```report
```

## Stays silent

```nix file=disko.nix
```

```report
```

## Undecided

```nix file=disko.nix
```

```report
```

## What the change does, and what it does not

## Sources
"
    )
}
