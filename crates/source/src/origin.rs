//! Where a value comes from.

use std::sync::Arc;

use crate::{FileId, Span};

/// A value together with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// Pairs a value with its origin.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// The same origin for a value made from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced {
            value: f(self.value),
            origin: self.origin,
        }
    }

    /// A `Sourced` that borrows the value.
    pub fn as_ref(&self) -> Sourced<&T> {
        Sourced {
            value: &self.value,
            origin: self.origin.clone(),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Someone wrote it here: in Nix, or in the JSON of an evaluated layout.
    Nix(Span),
    /// Nobody wrote it: `of` (NixOS or disko) defines or defaults `option` so.
    Default {
        /// The option, for instance `services.fstrim.enable`.
        option: Arc<str>,
        /// Who sets the default: `nixos`, `disko`, `kernel`, `openzfs` …
        of: &'static str,
    },
    /// Read from the machine's own output.
    Probe(Quote),
    /// Computed from these.
    Derived(Box<[Origin]>),
}

impl Origin {
    /// The span where a person wrote it, if one did; the first one of a derived value.
    pub fn span(&self) -> Option<Span> {
        match self {
            Origin::Nix(span) => Some(*span),
            Origin::Derived(parts) => parts.iter().find_map(Origin::span),
            Origin::Default { .. } | Origin::Probe(_) => None,
        }
    }

    /// The line of the machine's output that it was read from, if it was.
    pub fn quote(&self) -> Option<&Quote> {
        match self {
            Origin::Probe(quote) => Some(quote),
            Origin::Derived(parts) => parts.iter().find_map(Origin::quote),
            Origin::Default { .. } | Origin::Nix(_) => None,
        }
    }

    /// The origin of something that was made from all of these.
    pub fn derived(parts: impl IntoIterator<Item = Origin>) -> Self {
        let mut parts: Vec<_> = parts.into_iter().collect();
        if parts.len() == 1 {
            parts.remove(0)
        } else {
            Origin::Derived(parts.into())
        }
    }
}

/// One line of a tool's output, kept so that it can be shown as evidence
/// after a log of any length has streamed by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quote {
    /// The file that held the output. Its text need not have been kept.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The line's text, cut to a length that a terminal can show.
    pub text: Arc<str>,
    /// The bytes of `text` that hold the value.
    pub highlight: (u32, u32),
}

impl Quote {
    /// The longest text that a quote keeps, in bytes.
    pub const LONGEST: usize = 240;

    /// Quotes a line, with `value` (a slice of `text` by content) highlighted.
    /// Lines longer than [`Self::LONGEST`] are cut around the value.
    pub fn new(file: FileId, line: u32, text: &str, value: &str) -> Self {
        let text = text.trim_end();
        let at = if value.is_empty() { None } else { text.find(value) };
        match at {
            Some(at) => Self::at(file, line, text, at..at + value.len()),
            None => Self::at(file, line, text, 0..text.len()),
        }
    }

    /// Quotes a line, with these bytes of `text` highlighted: for a value whose letters
    /// stand in the line more than once.
    /// Lines longer than [`Self::LONGEST`] are cut around the value.
    pub fn at(file: FileId, line: u32, text: &str, value: std::ops::Range<usize>) -> Self {
        let text = text.trim_end();
        let end = value.end.min(text.len());
        let start = value.start.min(end);
        if text.len() <= Self::LONGEST {
            return Self {
                file,
                line,
                text: text.into(),
                highlight: (start as u32, end as u32),
            };
        }
        let mut from = start.saturating_sub(Self::LONGEST / 3);
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let mut to = (from + Self::LONGEST).min(text.len());
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        let cut = text.get(from..to).unwrap_or("");
        Self {
            file,
            line,
            text: cut.into(),
            highlight: ((start - from) as u32, (end - from).min(cut.len()) as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_its_value() {
        let line = format!("{}NEEDLE{}", "x".repeat(1000), "y".repeat(1000));
        let quote = Quote::new(FileId(0), 1, &line, "NEEDLE");
        assert!(quote.text.len() <= Quote::LONGEST);
        let (start, end) = quote.highlight;
        assert_eq!(&quote.text[start as usize..end as usize], "NEEDLE");
    }
}
