//! `apply`: writes the proven edits, each file at once or not at all.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use disko_advise::emit::unified;

use crate::args::{Edit, Include};
use crate::input::Case;
use crate::live_world::read_file;
use crate::{diff, output};

pub(crate) fn run(args: &Edit) -> anyhow::Result<ExitCode> {
    let case = Case::of(&args.input)?;
    let advice = case.advice()?;
    let edits = advice.edits_to_write(args.include.contains(&Include::Unsafe));
    let mut ready = Vec::new();
    for (path, new) in &edits.texts {
        let Some(file) = advice.files.find(path) else {
            continue;
        };
        let old = advice.files.get(file);
        let full = advice.files.full_path(path);
        ready.push((
            prepare(Path::new(&full), path, &old.text, new)?,
            full,
            old,
            path,
            new,
        ));
    }
    // Nothing has been written yet; from here on each file is replaced at one stroke.
    for (prepared, full, old, path, new) in ready {
        ensure!(
            unchanged(Path::new(&full), &old.text),
            "{path}: changed meanwhile; nothing was written to it"
        );
        prepared
            .persist(&full)
            .with_context(|| format!("{path}: could not be replaced"))?;
        output::print(&unified(path.trim_start_matches('/'), &old.text, new))?;
    }
    diff::said(&advice, &edits, args);
    Ok(ExitCode::SUCCESS)
}

/// A file beside the one to replace, with the new text and the old one's permissions.
fn prepare(path: &Path, shown: &str, old: &str, new: &str) -> anyhow::Result<tempfile::NamedTempFile> {
    ensure!(
        unchanged(path, old),
        "{shown}: changed meanwhile; nothing was written"
    );
    let folder = path.parent().unwrap_or(Path::new("/"));
    let metadata = std::fs::metadata(path).with_context(|| shown.to_owned())?;
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("{shown}: its folder cannot be written to"))?;
    file.write_all(new.as_bytes())?;
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn unchanged(path: &Path, text: &str) -> bool {
    read_file(path).is_ok_and(|bytes| bytes == text.as_bytes())
}
