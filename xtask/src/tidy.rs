//! What no compiler checks: the direction of dependencies, that every file says what it is, and that the
//! NixOS module tells of every option that a rule asks for.

use std::collections::BTreeMap;
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

/// The names at the top of NixOS's options below which rules look.
const ROOTS: [&str; 11] = [
    "boot",
    "environment",
    "hardware",
    "networking",
    "nix",
    "powerManagement",
    "programs",
    "services",
    "systemd",
    "virtualisation",
    "zramSwap",
];

/// Options that rules ask for and that `nix/options-read.json` need not name, with the reason.
const TOLD_OTHERWISE: [(&str, &str); 2] = [
    ("boot.initrd.luks.devices", "part of the layout"),
    (
        "services.redis.servers",
        "the module tells them as a workload; their settings may hold passwords",
    ),
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
    wrong.extend(untold(&root)?);
    if wrong.is_empty() {
        Ok(())
    } else {
        bail!("{}", wrong.join("\n"))
    }
}

/// The options that rules ask for and that the NixOS module does not tell them.
fn untold(root: &Path) -> anyhow::Result<Vec<String>> {
    let list = root.join("nix/options-read.json");
    let text = std::fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let lists: BTreeMap<String, Vec<String>> =
        serde_json::from_str(&text).with_context(|| list.display().to_string())?;
    let told: Vec<Vec<&str>> = lists
        .values()
        .flatten()
        .map(String::as_str)
        .chain(TOLD_OTHERWISE.iter().map(|(path, _)| *path))
        .map(|path| path.split('.').collect())
        .collect();
    let mut wrong = undeclared(root, lists.values().flatten().map(String::as_str))?;
    for name in ["rules", "machine"] {
        for file in sources(&root.join("crates").join(name).join("src"))? {
            let text = std::fs::read_to_string(&file)?;
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            for path in option_paths(code) {
                let is_told = told
                    .iter()
                    .any(|told| told.iter().zip(&path).all(|(told, asked)| same(told, asked)));
                if !is_told {
                    wrong.push(format!(
                        "{} asks for the option {}, which nix/options-read.json does not name: the NixOS \
                         module will not tell of it",
                        file.display(),
                        path.iter()
                            .map(|part| part.unwrap_or("*"))
                            .collect::<Vec<_>>()
                            .join(".")
                    ));
                }
            }
        }
    }
    Ok(wrong)
}

/// Options that are asked for and of which nobody has looked up where NixOS declares them. A test of the
/// module holds what is written there to NixOS itself.
fn undeclared<'o>(root: &Path, read: impl Iterator<Item = &'o str>) -> anyhow::Result<Vec<String>> {
    let list = root.join("nix/options-declared.json");
    let text = std::fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let declared: BTreeMap<String, String> =
        serde_json::from_str(&text).with_context(|| list.display().to_string())?;
    Ok(read
        .chain(TOLD_OTHERWISE.iter().map(|(path, _)| *path))
        .filter(|option| !declared.contains_key(*option))
        .map(|option| {
            format!(
                "nix/options-declared.json does not say which module of NixOS declares {option}: there may \
                 be no such option"
            )
        })
        .collect())
}

fn same(told: &str, asked: &Option<&str>) -> bool {
    asked.is_none_or(|asked| asked == told)
}

/// The option paths that code spells out to look them up: lists of names of which the first is a root.
/// A part that is no literal is `None`. Paths of what is to be set are left out.
fn option_paths(code: &str) -> Vec<Vec<Option<&str>>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('[') {
        let (before, rest) = (&code[..at], &code[at + 1..]);
        let Some(end) = rest.find(['[', ']', ';', '(']) else {
            continue;
        };
        if !rest[end..].starts_with(']') || before.ends_with("OptionPath::new(") {
            continue;
        }
        let path: Vec<Option<&str>> = rest[..end]
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.strip_prefix('"').and_then(|it| it.strip_suffix('"')))
            .collect();
        if let [Some(first), _, ..] = path[..]
            && ROOTS.contains(&first)
        {
            found.push(path);
        }
    }
    found
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
    fn paths_that_are_looked_up_are_found() {
        let code = r#"config.set(&["services", "fstrim", "enable"]); [("a", &["boot", "kernelParams"])];
            option: OptionPath::new(["boot", "kernel", "sysctl", key]), config.set(&["hardware", "block", name]);
            const ALL: [[&str; 2]; 1] = [["zramSwap", "enable"]]; ["btrfs", "services"]; names["boot"]"#;
        let found: Vec<String> = super::option_paths(code)
            .iter()
            .map(|path| {
                path.iter()
                    .map(|it| it.unwrap_or("*"))
                    .collect::<Vec<_>>()
                    .join(".")
            })
            .collect();
        assert_eq!(
            found,
            [
                "services.fstrim.enable",
                "boot.kernelParams",
                "hardware.block.*",
                "zramSwap.enable"
            ]
        );
    }

    #[test]
    fn the_tree_is_tidy() {
        super::run().unwrap();
    }
}
