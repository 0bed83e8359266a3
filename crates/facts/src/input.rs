//! One input of [`read`](crate::read), and its lines.

use std::fmt;
use std::io::{BufRead, Read};
use std::sync::Arc;

use source::{FileId, Origin, Problem, Quote, Sourced, Span};

/// The largest file whose text is kept in [`source::Files`], so that a problem in it has a span.
/// Of larger ones only the quoted lines stay.
pub(crate) const KEPT: usize = 1 << 20;

/// The longest line that is looked at; what is beyond is left out.
const LONGEST_LINE: usize = 1 << 20;

/// How much of a stream is taken at once at most.
const CHUNK: usize = 256 << 10;

/// How many problems of one file are told one by one.
const PROBLEMS: u32 = 20;

/// One file of facts: its path as it is shown, and its bytes.
///
/// The bytes are read once from front to end, so a log of any length can be given.
pub struct Input<'a> {
    /// The path, relative to its bundle. Its last part helps where contents look alike.
    pub path: Arc<str>,
    /// The command that made the file, when somebody knows it: `iostat -x -y -o JSON 1 60`.
    pub command: Option<Arc<str>>,
    /// The bytes.
    pub bytes: Box<dyn BufRead + 'a>,
}

impl<'a> Input<'a> {
    /// A file whose bytes are in memory.
    pub fn new(path: impl Into<Arc<str>>, bytes: &'a [u8]) -> Self {
        Self::streamed(path, bytes)
    }

    /// A file whose bytes come as they are read.
    pub fn streamed(path: impl Into<Arc<str>>, bytes: impl BufRead + 'a) -> Self {
        Self {
            path: path.into(),
            command: None,
            bytes: Box::new(bytes),
        }
    }

    /// The same input, with the command line that made it.
    #[must_use]
    pub fn made_by(mut self, command: impl Into<Arc<str>>) -> Self {
        self.command = Some(command.into());
        self
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("path", &self.path)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

/// The first bytes of an input, and what is left of it.
pub(crate) enum Content<'a> {
    /// All of it.
    Whole(String),
    /// It is larger than [`KEPT`].
    Large {
        head: Vec<u8>,
        rest: Box<dyn BufRead + 'a>,
    },
}

/// Takes an input up to [`KEPT`] bytes into memory.
pub(crate) fn open(mut bytes: Box<dyn BufRead + '_>) -> Result<Content<'_>, String> {
    let mut head = Vec::new();
    let taken = bytes.by_ref().take(KEPT as u64 + 1).read_to_end(&mut head);
    match taken {
        Err(error) if head.is_empty() => Err(error.to_string()),
        Ok(_) | Err(_) if head.len() <= KEPT => Ok(Content::Whole(text(head))),
        _ => Ok(Content::Large { head, rest: bytes }),
    }
}

/// Bytes as text. What is not UTF-8 is shown as the replacement character;
/// UTF-16 as PowerShell and some editors write it is read too.
fn text(bytes: Vec<u8>) -> String {
    let wide = |pairs: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = pairs
            .chunks_exact(2)
            .map(|pair| match pair {
                &[a, b] => unit([a, b]),
                _ => 0,
            })
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Where a reader stands: the file, and where its problems go.
pub(crate) struct Place<'p> {
    /// The file.
    pub(crate) file: FileId,
    /// The name that its contents go by: the path of the file, or of the section of it.
    pub(crate) name: Arc<str>,
    /// The heading of the section, if the file has several under headings.
    pub(crate) heading: Option<Sourced<Arc<str>>>,
    /// The command that made the file, if it is known.
    pub(crate) command: Option<Arc<str>>,
    /// Whether the text is kept, so that a span means something.
    pub(crate) kept: bool,
    problems: &'p mut Vec<Problem>,
    told: u32,
}

impl<'p> Place<'p> {
    pub(crate) fn new(
        file: FileId,
        name: Arc<str>,
        command: Option<Arc<str>>,
        kept: bool,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self {
            file,
            name,
            heading: None,
            command,
            kept,
            problems,
            told: 0,
        }
    }

    /// Tells a problem about a part of a line; after twenty of one file only that there are more.
    pub(crate) fn warn(&mut self, line: &Line<'_>, value: &str, message: impl fmt::Display) {
        let span = line.span(self.kept, value);
        self.tell(line.no, span, message);
    }

    /// Tells a problem at a line, with its span if there is one.
    pub(crate) fn tell(&mut self, line: u32, span: Option<Span>, message: impl fmt::Display) {
        self.told = self.told.saturating_add(1);
        if self.told > PROBLEMS + 1 {
            return;
        }
        if self.told > PROBLEMS {
            self.problems.push(Problem::warning(format!(
                "{}: more problems of this kind follow and are not shown",
                self.name
            )));
            return;
        }
        let problem = match span {
            Some(_) => Problem::warning(message.to_string()).at(span),
            None => Problem::warning(format!("{}:{line}: {message}", self.name)),
        };
        self.problems.push(problem);
    }

    /// Tells a problem of the file as a whole.
    pub(crate) fn tell_file(&mut self, message: impl fmt::Display) {
        self.told = self.told.saturating_add(1);
        if self.told <= PROBLEMS {
            self.problems
                .push(Problem::warning(format!("{}: {message}", self.name)));
        }
    }
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'t> {
    /// The file.
    pub(crate) file: FileId,
    /// The line's number, from 1.
    pub(crate) no: u32,
    /// The byte of the file at which the line begins.
    offset: u64,
    /// The text without its line break.
    pub(crate) text: &'t str,
}

impl<'t> Line<'t> {
    /// The bytes of the line where `value`, a part of [`Self::text`], stands.
    fn range(&self, value: &str) -> std::ops::Range<usize> {
        let start = (value.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let inside = start
            .checked_add(value.len())
            .is_some_and(|end| end <= self.text.len());
        if inside {
            start..start + value.len()
        } else {
            let at = self.text.find(value).unwrap_or(0);
            at..at + value.len().min(self.text.len().saturating_sub(at))
        }
    }

    /// Quotes the line with `value`, a part of it, highlighted.
    pub(crate) fn quote(&self, value: &str) -> Quote {
        Quote::at(self.file, self.no, self.text, self.range(value))
    }

    /// The origin of something read at `value`, a part of the line.
    pub(crate) fn origin(&self, value: &str) -> Origin {
        Origin::Probe(self.quote(value))
    }

    /// `value` as read at `at`, a part of the line.
    pub(crate) fn sourced<T>(&self, value: T, at: &str) -> Sourced<T> {
        Sourced::new(value, self.origin(at))
    }

    /// The text of `at`, a part of the line.
    pub(crate) fn text_at(&self, at: &str) -> Sourced<Arc<str>> {
        self.sourced(Arc::from(at), at)
    }

    fn span(&self, kept: bool, value: &str) -> Option<Span> {
        if !kept {
            return None;
        }
        let range = self.range(value);
        let start = u32::try_from(self.offset + range.start as u64).ok()?;
        let end = u32::try_from(self.offset + range.end as u64).ok()?;
        Some(Span::new(self.file, start, end))
    }
}

/// The lines of an input, from memory or as they come.
pub(crate) struct Lines<'a> {
    file: FileId,
    no: u32,
    offset: u64,
    /// How many lines more are read.
    left: u64,
    /// Whether there were more.
    cut: bool,
    feed: Feed<'a>,
}

enum Feed<'a> {
    Text(&'a str),
    Stream {
        bytes: Box<dyn BufRead + 'a>,
        /// What was taken of the bytes; what stands before `at` has been given.
        window: Vec<u8>,
        at: usize,
        lossy: String,
    },
}

impl<'a> Lines<'a> {
    /// The lines of a text that starts at this line and byte of the file.
    pub(crate) fn of(file: FileId, text: &'a str, first_line: u32, offset: u64) -> Self {
        Self {
            file,
            no: first_line.saturating_sub(1),
            offset,
            left: u64::MAX,
            cut: false,
            feed: Feed::Text(text),
        }
    }

    /// The lines of a large input.
    pub(crate) fn stream(file: FileId, head: Vec<u8>, rest: Box<dyn BufRead + 'a>) -> Self {
        Self {
            file,
            no: 0,
            offset: 0,
            left: u64::MAX,
            cut: false,
            feed: Feed::Stream {
                bytes: rest,
                window: head,
                at: 0,
                lossy: String::new(),
            },
        }
    }

    /// Reads at most so many lines; [`Self::was_cut`] tells whether there were more.
    pub(crate) fn limit(&mut self, lines: u64) {
        self.left = lines;
    }

    /// Whether lines were left out.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut
    }

    /// The next line, without its line break.
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        let start = self.offset;
        if self.left == 0 {
            self.cut = true;
            return None;
        }
        self.left -= 1;
        match &mut self.feed {
            Feed::Text(rest) => {
                if rest.is_empty() {
                    return None;
                }
                let (line, after) = match memchr::memchr(b'\n', rest.as_bytes()) {
                    Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
                    None => (*rest, ""),
                };
                self.offset += (rest.len() - after.len()) as u64;
                *rest = after;
                self.no = self.no.saturating_add(1);
                Some(Line {
                    file: self.file,
                    no: self.no,
                    offset: start,
                    text: line.strip_suffix('\r').unwrap_or(line),
                })
            }
            Feed::Stream {
                bytes,
                window,
                at,
                lossy,
            } => {
                // How much of the line is known to hold no break, and how much of it was left out.
                let mut searched = 0;
                let mut left_out = 0_u64;
                let (line, used) = loop {
                    let rest = window.get(*at..).unwrap_or(&[]);
                    if let Some(end) = memchr::memchr(b'\n', rest.get(searched..).unwrap_or(&[])) {
                        let end = searched + end;
                        break (*at..*at + end, end + 1);
                    }
                    searched = rest.len();
                    if searched > LONGEST_LINE {
                        left_out += (searched - LONGEST_LINE) as u64;
                        window.truncate(*at + LONGEST_LINE);
                        searched = LONGEST_LINE;
                    }
                    if *at > 0 {
                        window.drain(..*at);
                        *at = 0;
                    }
                    // A read error ends the log as its end would: what came before it stands.
                    let count = match bytes.fill_buf() {
                        Ok(chunk) => {
                            let chunk = chunk.get(..CHUNK).unwrap_or(chunk);
                            window.extend_from_slice(chunk);
                            chunk.len()
                        }
                        Err(_) => 0,
                    };
                    bytes.consume(count);
                    if count == 0 {
                        if searched == 0 {
                            return None;
                        }
                        break (*at..*at + searched, searched);
                    }
                };
                *at += used;
                self.offset += used as u64 + left_out;
                let line = window.get(line).unwrap_or(&[]);
                self.no = self.no.saturating_add(1);
                let text = match std::str::from_utf8(line) {
                    Ok(text) => text,
                    Err(_) => {
                        lossy.clear();
                        lossy.push_str(&String::from_utf8_lossy(line));
                        lossy.as_str()
                    }
                };
                Some(Line {
                    file: self.file,
                    no: self.no,
                    offset: start,
                    text: text.strip_suffix('\r').unwrap_or(text),
                })
            }
        }
    }
}
