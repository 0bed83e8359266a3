//! Files, and byte ranges inside them.

use std::cell::RefCell;
use std::sync::Arc;

/// Names one file of a [`Files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in a file: `start` is included, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `file` from byte `start` up to byte `end`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// Whether `inner` lies wholly inside this span, or is equal to it.
    pub fn contains(self, inner: Span) -> bool {
        self.file == inner.file && self.start <= inner.start && inner.end <= self.end
    }

    /// The bytes as a range for indexing the file's text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place as an editor names it: both counts start at 1, the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// One file: the name that the person knows it by, and its text.
#[derive(Debug)]
pub struct SourceFile {
    /// The path as it is shown.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    line_starts: Box<[u32]>,
}

impl SourceFile {
    fn new(path: Arc<str>, text: Arc<str>) -> Self {
        let line_starts = std::iter::once(0)
            .chain(
                text.bytes()
                    .enumerate()
                    .filter(|&(_, byte)| byte == b'\n')
                    .map(|(at, _)| at as u32 + 1),
            )
            .collect();
        Self {
            path,
            text,
            line_starts,
        }
    }

    /// Line and column of a byte offset; an offset past the end counts as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let line = self
            .line_starts
            .partition_point(|&start| start <= offset)
            .saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0) as usize;
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self
            .text
            .get(start..end)
            .map_or(0, |before| before.chars().count());
        LineColumn {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }
    }

    /// The text of a line (from 1) without its line break; empty past the end.
    pub fn line_text(&self, line: u32) -> &str {
        let index = line.saturating_sub(1) as usize;
        let Some(&start) = self.line_starts.get(index) else {
            return "";
        };
        let rest = self.text.get(start as usize..).unwrap_or("");
        rest.lines().next().unwrap_or("")
    }
}

/// The files that a run has read, only ever added to.
///
/// Texts are shared, so a clone of one is cheap. Files of 4 GiB and more cannot be held;
/// readers of large logs stream and keep [`Quote`](crate::Quote)s instead.
#[derive(Debug, Default)]
pub struct Files {
    files: RefCell<Vec<Arc<SourceFile>>>,
    base: Option<Box<str>>,
}

impl Files {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// No files yet; those below the folder `base` will be shown relative to it.
    pub fn below(base: &str) -> Self {
        let base = format!("{}/", base.trim_end_matches('/'));
        Self {
            base: Some(base.into()),
            ..Self::default()
        }
    }

    /// The path as reports show it.
    pub fn shown_path(&self, path: &str) -> String {
        let rest = self.base.as_deref().and_then(|base| path.strip_prefix(base));
        rest.unwrap_or(path).to_owned()
    }

    /// The path of a file as it was added, given the path as it is shown.
    pub fn full_path(&self, shown: &str) -> String {
        match &self.base {
            Some(base) if !shown.starts_with('/') => format!("{base}{shown}"),
            _ => shown.to_owned(),
        }
    }

    /// Adds a file and gives its name. `path` is what reports show, without the base.
    pub fn add(&self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let path: Arc<str> = path.into();
        let shown: Arc<str> = if self.base.is_some() {
            self.shown_path(&path).into()
        } else {
            path
        };
        let mut files = self.files.borrow_mut();
        files.push(Arc::new(SourceFile::new(shown, text.into())));
        FileId(files.len() as u32 - 1)
    }

    /// The file of that name. An id of another `Files` gives an empty file.
    pub fn get(&self, id: FileId) -> Arc<SourceFile> {
        self.files
            .borrow()
            .get(id.0 as usize)
            .cloned()
            .unwrap_or_else(|| Arc::new(SourceFile::new("?".into(), "".into())))
    }

    /// The file whose shown path is `path`, if one was added.
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.files
            .borrow()
            .iter()
            .position(|file| &*file.path == path)
            .map(|at| FileId(at as u32))
    }

    /// The shown paths of all files, in the order in which they were added.
    pub fn paths(&self) -> Vec<Arc<str>> {
        self.files.borrow().iter().map(|file| file.path.clone()).collect()
    }

    /// The text that a span covers; empty when the span does not fit its file.
    pub fn text(&self, span: Span) -> String {
        self.get(span.file)
            .text
            .get(span.range())
            .unwrap_or("")
            .to_owned()
    }

    /// `path:line:column` of where a span starts.
    pub fn place(&self, span: Span) -> String {
        let file = self.get(span.file);
        let LineColumn { line, column } = file.line_column(span.start);
        format!("{}:{line}:{column}", file.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let files = Files::new();
        let id = files.add("a.nix", "é = 1;\nb = 2;\n");
        let file = files.get(id);
        assert_eq!(file.line_column(3), LineColumn { line: 1, column: 3 });
        assert_eq!(file.line_column(8), LineColumn { line: 2, column: 1 });
        assert_eq!(file.line_column(999), LineColumn { line: 3, column: 1 });
        assert_eq!(file.line_text(2), "b = 2;");
        assert_eq!(file.line_text(9), "");
    }

    #[test]
    fn paths_below_the_base_are_shown_without_it() {
        let files = Files::below("/etc/nixos");
        let inside = files
            .get(files.add("/etc/nixos/hosts/disko.nix", ""))
            .path
            .clone();
        let outside = files.get(files.add("/srv/disko.nix", "")).path.clone();
        assert_eq!((&*inside, &*outside), ("hosts/disko.nix", "/srv/disko.nix"));
        assert_eq!(files.full_path(&inside), "/etc/nixos/hosts/disko.nix");
        assert_eq!(files.full_path(&outside), "/srv/disko.nix");
    }

    #[test]
    fn an_offset_inside_a_character_is_not_a_panic() {
        let files = Files::new();
        let file = files.get(files.add("a.nix", "é"));
        assert_eq!(file.line_column(1), LineColumn { line: 1, column: 1 });
    }
}
