//! A world in which some files have another text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use source::{FileKind, World, WorldError};

/// Reads through to another world, but for the files that have a new text.
pub(crate) struct Overlay<'a> {
    below: &'a dyn World,
    texts: BTreeMap<PathBuf, Arc<[u8]>>,
}

impl<'a> Overlay<'a> {
    /// The world `below` with these texts, by full path.
    pub(crate) fn new(below: &'a dyn World, texts: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let texts = texts
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes().into()))
            .collect();
        Self { below, texts }
    }
}

impl World for Overlay<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, WorldError> {
        match self.texts.get(path) {
            Some(text) => Ok(text.clone()),
            None => self.below.read(path),
        }
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, WorldError> {
        self.below.kind(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<(String, FileKind)>, WorldError> {
        self.below.list(path)
    }
}
