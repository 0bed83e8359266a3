//! The world as it is, confined to roots.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disko_advise::source::{Entry, FileKind, World, WorldError};

/// The largest file that is read whole. A layout is some kilobytes.
const LARGEST: u64 = 128 << 20;

/// Reads files below its roots. Links are resolved first, so that none leads out.
pub(crate) struct LiveWorld {
    roots: Vec<PathBuf>,
}

impl LiveWorld {
    /// A world of these files and folders.
    pub(crate) fn new(roots: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            roots: roots
                .into_iter()
                .filter_map(|root| root.canonicalize().ok())
                .collect(),
        }
    }

    /// The world around a layout: the flake or the repository that it stands in, else its folder.
    pub(crate) fn around(path: &Path) -> PathBuf {
        let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = if absolute.is_dir() {
            absolute.as_path()
        } else {
            absolute.parent().unwrap_or(&absolute)
        };
        folder
            .ancestors()
            .find(|it| it.join("flake.nix").exists() || it.join(".git").exists())
            .unwrap_or(folder)
            .to_owned()
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, WorldError> {
        let real = path
            .canonicalize()
            .map_err(|error| WorldError::new(path, reason(&error)))?;
        if self.roots.iter().any(|root| real.starts_with(root)) {
            Ok(real)
        } else {
            Err(WorldError::new(path, "lies outside of what may be read"))
        }
    }
}

impl World for LiveWorld {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, WorldError> {
        let real = self.resolve(path)?;
        read_file(&real)
            .map(Into::into)
            .map_err(|why| WorldError::new(path, why))
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, WorldError> {
        if !path.exists() {
            return Ok(None);
        }
        let real = self.resolve(path)?;
        let kind = std::fs::metadata(&real).map_err(|error| WorldError::new(path, reason(&error)))?;
        Ok(Some(kind_of(kind.file_type())))
    }

    fn list(&self, path: &Path) -> Result<Vec<(String, FileKind)>, WorldError> {
        let real = self.resolve(path)?;
        let fail = |error: std::io::Error| WorldError::new(path, reason(&error));
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&real).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let kind = kind_of(entry.file_type().map_err(fail)?);
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind));
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, WorldError> {
        let fail = |error: std::io::Error| WorldError::new(path, reason(&error));
        let about = match std::fs::symlink_metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        let real = match path.parent() {
            // It is the link that must lie inside, not what it names.
            Some(folder) if about.is_symlink() => {
                self.resolve(folder)?.join(path.file_name().unwrap_or_default())
            }
            _ => self.resolve(path)?,
        };
        entry_of(&real, &about).map(Some).map_err(fail)
    }
}

fn entry_of(path: &Path, about: &std::fs::Metadata) -> std::io::Result<Entry> {
    Ok(match kind_of(about.file_type()) {
        FileKind::File => Entry::File {
            executable: about.permissions().mode() & 0o100 != 0,
        },
        FileKind::Directory => Entry::Directory,
        FileKind::Symlink => Entry::Link(std::fs::read_link(path)?),
        FileKind::Other => Entry::Other,
    })
}

/// The bytes of a regular file of bearable size; why not, in words.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| reason(&error))?;
    if metadata.is_dir() {
        return Err("is a folder".to_owned());
    }
    if metadata.len() > LARGEST {
        return Err(format!("is larger than {} MiB", LARGEST >> 20));
    }
    std::fs::read(path).map_err(|error| reason(&error))
}

/// An error of the operating system without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn kind_of(kind: std::fs::FileType) -> FileKind {
    if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Symlink
    } else {
        FileKind::Other
    }
}
