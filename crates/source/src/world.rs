//! The one door to the world, and a world in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link (only from [`World::list`], which does not follow them).
    Symlink,
    /// A device, a socket, a pipe.
    Other,
}

/// What stands at a path, a link not followed: what an archive would keep of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A regular file, and whether its owner may execute it.
    File {
        /// Whether the owner's executable bit is set.
        executable: bool,
    },
    /// A folder.
    Directory,
    /// A symbolic link, and what it names as it is written.
    Link(PathBuf),
    /// A device, a socket, a pipe.
    Other,
}

/// Why the world did not give what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldError {
    /// The path that was asked for.
    pub path: PathBuf,
    /// Why, in the operating system's words.
    pub reason: String,
}

impl WorldError {
    /// An error about a path.
    pub fn new(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for WorldError {}

/// What the core may ask of the world: to read. Everything else is the binary's business.
///
/// Implementations confine themselves to roots, resolve symbolic links first, and bound sizes;
/// a refusal is a [`WorldError`] like any other.
pub trait World {
    /// The bytes of a file.
    ///
    /// # Errors
    /// When the file is not there, may not be read, is too large, or lies outside the roots.
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, WorldError>;

    /// What a path names, links followed; `None` when nothing is there.
    ///
    /// # Errors
    /// When the path lies outside the roots or may not be looked at.
    fn kind(&self, path: &Path) -> Result<Option<FileKind>, WorldError>;

    /// The entries of a folder by name, sorted; links are not followed.
    ///
    /// # Errors
    /// When it is no folder, may not be read, or lies outside the roots.
    fn list(&self, path: &Path) -> Result<Vec<(String, FileKind)>, WorldError>;

    /// What stands at a path, links not followed; `None` when nothing is there.
    ///
    /// A world that cannot tell need not have it: everything else works without.
    ///
    /// # Errors
    /// When the path lies outside the roots, may not be looked at, or this world cannot tell.
    fn entry(&self, path: &Path) -> Result<Option<Entry>, WorldError> {
        Err(WorldError::new(
            path,
            "whether it is executable, and where it links to, is not known here",
        ))
    }
}

/// A world of files in memory, for tests, pages and libraries. It has no links.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    files: BTreeMap<PathBuf, Arc<[u8]>>,
}

impl MemoryWorld {
    /// An empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same world with one file more (or replaced).
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, bytes: impl AsRef<[u8]>) -> Self {
        self.insert(path, bytes);
        self
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<PathBuf>, bytes: impl AsRef<[u8]>) {
        self.files
            .insert(normalise(&path.into()), Arc::from(bytes.as_ref()));
    }
}

/// The path without `.` and `..`, by its letters alone.
fn normalise(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

impl World for MemoryWorld {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, WorldError> {
        self.files
            .get(&normalise(path))
            .cloned()
            .ok_or_else(|| WorldError::new(path, "no such file"))
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, WorldError> {
        let path = normalise(path);
        if self.files.contains_key(&path) {
            return Ok(Some(FileKind::File));
        }
        let below = self.files.keys().any(|file| file.starts_with(&path));
        Ok(below.then_some(FileKind::Directory))
    }

    fn list(&self, path: &Path) -> Result<Vec<(String, FileKind)>, WorldError> {
        let path = normalise(path);
        let mut entries = BTreeMap::new();
        for file in self.files.keys() {
            let Ok(below) = file.strip_prefix(&path) else {
                continue;
            };
            let mut components = below.components();
            let Some(first) = components.next() else { continue };
            let kind = if components.next().is_some() {
                FileKind::Directory
            } else {
                FileKind::File
            };
            entries.insert(first.as_os_str().to_string_lossy().into_owned(), kind);
        }
        if entries.is_empty() {
            return Err(WorldError::new(path, "no such folder"));
        }
        Ok(entries.into_iter().collect())
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, WorldError> {
        Ok(self.kind(path)?.map(|kind| match kind {
            FileKind::Directory => Entry::Directory,
            _ => Entry::File { executable: false },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_exist_through_their_files() {
        let world = MemoryWorld::new().with("/a/b.nix", "1").with("/a/c/d.nix", "2");
        assert_eq!(world.kind(Path::new("/a")), Ok(Some(FileKind::Directory)));
        assert_eq!(world.kind(Path::new("/a/./x/../b.nix")), Ok(Some(FileKind::File)));
        assert_eq!(world.kind(Path::new("/z")), Ok(None));
        let names: Vec<_> = world.list(Path::new("/a")).unwrap();
        assert_eq!(
            names,
            [
                ("b.nix".to_owned(), FileKind::File),
                ("c".to_owned(), FileKind::Directory)
            ]
        );
    }
}
