//! Evaluates a file or an expression and prints it, as `nix-instantiate --eval --strict` does.
//!
//! ```text
//! instantiate [--json | --xml | --xml-locations | --lazy | --parse] [-I NAME=PATH]… (FILE | -E EXPR)
//! ```
//!
//! Reads any file: for a program that must not, see the roots of the command line's own world.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use eval::{Evaluator, Options};
use source::{FileKind, Files, World, WorldError};

/// The file system as it is.
struct Disk;

fn failed(path: &Path, error: &std::io::Error) -> WorldError {
    WorldError::new(path, error.to_string())
}

impl World for Disk {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, WorldError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(failed(path, &error)),
        }
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, WorldError> {
        Ok(std::fs::metadata(path).ok().map(|about| kind(about.file_type())))
    }

    fn list(&self, path: &Path) -> Result<Vec<(String, FileKind)>, WorldError> {
        let read = || -> std::io::Result<Vec<(String, FileKind)>> {
            let mut entries = Vec::new();
            for entry in std::fs::read_dir(path)? {
                let entry = entry?;
                entries.push((
                    entry.file_name().to_string_lossy().into_owned(),
                    kind(entry.file_type()?),
                ));
            }
            entries.sort();
            Ok(entries)
        };
        read().map_err(|error| failed(path, &error))
    }
}

fn kind(file: std::fs::FileType) -> FileKind {
    if file.is_dir() {
        FileKind::Directory
    } else if file.is_file() {
        FileKind::File
    } else if file.is_symlink() {
        FileKind::Symlink
    } else {
        FileKind::Other
    }
}

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut mode = String::new();
    let mut source = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" | "--xml" | "--xml-locations" | "--lazy" | "--parse" => mode = arg,
            "-I" => {
                let place = args.next().unwrap_or_default();
                let (name, path) = place.split_once('=').unwrap_or(("", &place));
                options.search_path.push((name.to_owned(), PathBuf::from(path)));
            }
            "-E" => source = args.next().map(Err),
            _ => source = Some(Ok(PathBuf::from(arg))),
        }
    }
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let files = Files::new();
    let evaluator = Evaluator::new(&Disk, &files, options);
    let result = match &source {
        Some(Ok(path)) => evaluator.file(&here.join(path)),
        Some(Err(text)) => evaluator.expression("(string)", text, &here),
        None => return ExitCode::from(2),
    };
    let printed = result.and_then(|value| match mode.as_str() {
        "--json" => evaluator.json(&value),
        "--xml" => evaluator.xml(&value, true, false),
        "--xml-locations" => evaluator.xml(&value, true, true),
        "--lazy" => evaluator.print(&value, false),
        _ => evaluator.print(&value, true),
    });
    for trace in evaluator.take_traces() {
        eprintln!("{trace}");
    }
    match printed {
        Ok(mut text) => {
            if mode != "--xml" && mode != "--xml-locations" {
                text.push(b'\n');
            }
            match std::io::stdout().write_all(&text) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::from(2),
            }
        }
        Err(error) => {
            let problem = error.problem();
            eprintln!("error: {problem}");
            if let Some(span) = problem.span {
                eprintln!("  at {}", files.place(span));
            }
            for note in problem.notes {
                match note.span {
                    Some(span) => eprintln!("  … {} at {}", note.message, files.place(span)),
                    None => eprintln!("  … {}", note.message),
                }
            }
            ExitCode::FAILURE
        }
    }
}
