//! What no compiler checks: the direction of dependencies, and that every file says what it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// What each crate may depend on among the crates of this workspace.
const MAY_USE: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("eval", &["source"]),
    ("layout", &["source"]),
    ("facts", &["source"]),
    ("machine", &["facts", "layout", "source"]),
    ("rules", &["machine", "source"]),
    ("emit", &["machine", "rules", "source"]),
    (
        "disko-advise",
        &["emit", "eval", "facts", "layout", "machine", "rules", "source"],
    ),
    ("cli", &["disko-advise"]),
];

/// Checks the whole tree and names everything that is wrong.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut wrong = Vec::new();
    let names: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for (name, may_use) in MAY_USE {
        let manifest = root.join("crates").join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or("");
        let dependencies = dependencies.split("\n[").next().unwrap_or("");
        for line in dependencies.lines() {
            let used = line.split(['.', ' ', '=']).next().unwrap_or("");
            if names.contains(&used) && !may_use.contains(&used) {
                wrong.push(format!("{name} depends on {used}"));
            }
        }
    }
    for file in sources(&root.join("crates"))?
        .into_iter()
        .chain(sources(&root.join("xtask"))?)
    {
        let text = std::fs::read_to_string(&file)?;
        if !text.starts_with("//!") {
            wrong.push(format!(
                "{} does not say what it is in its first line",
                file.display()
            ));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        bail!("{}", wrong.join("\n"))
    }
}

fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        super::run().unwrap();
    }
}
