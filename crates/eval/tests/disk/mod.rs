//! The file system as a world, for tests that run over whole source trees.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use source::{Entry, FileKind, World, WorldError};

/// Every file there is.
pub(crate) struct Disk;

impl World for Disk {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, WorldError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(WorldError::new(path, error.to_string())),
        }
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, WorldError> {
        Ok(std::fs::metadata(path).ok().map(|about| kind(about.file_type())))
    }

    fn list(&self, path: &Path) -> Result<Vec<(String, FileKind)>, WorldError> {
        let failed = |error: std::io::Error| WorldError::new(path, error.to_string());
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = kind(entry.file_type().map_err(failed)?);
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind));
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, WorldError> {
        let Ok(about) = std::fs::symlink_metadata(path) else {
            return Ok(None);
        };
        Ok(Some(match kind(about.file_type()) {
            FileKind::File => Entry::File {
                executable: about.permissions().mode() & 0o100 != 0,
            },
            FileKind::Directory => Entry::Directory,
            FileKind::Symlink => Entry::Link(
                std::fs::read_link(path).map_err(|error| WorldError::new(path, error.to_string()))?,
            ),
            FileKind::Other => Entry::Other,
        }))
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
