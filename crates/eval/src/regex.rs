//! POSIX extended regular expressions, matched in linear time.
//!
//! Nix matches with C++'s `std::regex` in `extended` mode, which backtracks: a hostile pattern
//! takes exponential time there. Here a pattern becomes an automaton of `regex-automata`.
//! What is matched is the same. `match` needs the whole text, so only one length is possible and
//! the groups are those of the first way in order of preference, as a backtracking matcher finds
//! them. `split` needs the longest match at the leftmost place: an automaton for all matches
//! finds its end, then the groups are found inside it as for `match`.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

/// A compiled pattern.
pub(crate) struct Pattern {
    /// Finds the groups of a match that takes a whole text.
    whole: Regex,
    /// Finds where the leftmost match starts, and the longest one there.
    longest: Regex,
    groups: usize,
}

/// Places of the whole match and of each group.
type Captures = Vec<Option<(usize, usize)>>;

/// How deep groups may nest in a pattern.
const NESTING: u32 = 250;
/// How much memory a compiled pattern may take.
const SIZE: usize = 32 << 20;

impl Pattern {
    pub(crate) fn new(pattern: &[u8]) -> Result<Self, String> {
        let mut parser = Parser {
            text: pattern,
            at: 0,
            groups: 0,
            depth: 0,
        };
        let hir = parser.alternatives()?;
        if parser.at < pattern.len() {
            return Err("unmatched ')'".into());
        }
        let groups = parser.groups as usize;
        let build = |hir: &Hir, kind: MatchKind| {
            let config = Regex::config()
                .match_kind(kind)
                .utf8_empty(false)
                .nfa_size_limit(Some(SIZE))
                .onepass_size_limit(Some(1 << 20));
            Regex::builder()
                .configure(config)
                .syntax(syntax::Config::new().utf8(false).unicode(false))
                .build_from_hir(hir)
                .map_err(|error| match error.size_limit() {
                    Some(_) => "memory limit exceeded by the regular expression".to_owned(),
                    None => error.to_string(),
                })
        };
        let anchored = Hir::concat(vec![Hir::look(Look::Start), hir.clone(), Hir::look(Look::End)]);
        Ok(Self {
            whole: build(&anchored, MatchKind::LeftmostFirst)?,
            longest: build(&hir, MatchKind::All)?,
            groups,
        })
    }

    /// The groups of a match of the whole text, without the match itself.
    pub(crate) fn match_whole(&self, text: &[u8]) -> Option<Captures> {
        let mut captures = self.whole.create_captures();
        self.whole.captures(Input::new(text), &mut captures);
        if !captures.is_match() {
            return None;
        }
        Some(
            (1..=self.groups)
                .map(|group| captures.get_group(group).map(|span| (span.start, span.end)))
                .collect(),
        )
    }

    /// The leftmost, longest match from `at` on, with its groups. `not_empty_here`: an empty match
    /// at `at` itself does not count, since the last one was there.
    pub(crate) fn search(&self, text: &[u8], at: usize, not_empty_here: bool) -> Option<Captures> {
        let mut from = at;
        loop {
            if from > text.len() {
                return None;
            }
            // Automata for all matches report, unanchored, no leftmost place; each place is tried
            // only after a search says that there is a match at all.
            let half = self
                .longest
                .search_half(&Input::new(text).range(from..).earliest(true))?;
            let mut start = from;
            let limit = half.offset();
            let found = loop {
                if start > limit {
                    break None;
                }
                let input = Input::new(text).range(start..).anchored(Anchored::Yes);
                if let Some(found) = self.longest.search(&input) {
                    break Some(found);
                }
                start += 1;
            }?;
            if found.start() == found.end() && not_empty_here && found.start() == at {
                from = at + 1;
                continue;
            }
            let (start, end) = (found.start(), found.end());
            let part = text.get(start..end)?;
            let groups = self.match_whole(part)?;
            let mut captures = vec![Some((start, end))];
            captures.extend(
                groups
                    .into_iter()
                    .map(|group| group.map(|(a, b)| (a + start, b + start))),
            );
            return Some(captures);
        }
    }
}

/// Reads the POSIX grammar.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    groups: u32,
    depth: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn alternatives(&mut self) -> Result<Hir, String> {
        let mut branches = vec![self.branch()?];
        while self.peek() == Some(b'|') {
            self.at += 1;
            branches.push(self.branch()?);
        }
        Ok(Hir::alternation(branches))
    }

    fn branch(&mut self) -> Result<Hir, String> {
        let mut pieces = Vec::new();
        while let Some(byte) = self.peek() {
            if byte == b'|' || (byte == b')' && self.depth > 0) {
                break;
            }
            let Some(atom) = self.atom()? else { break };
            pieces.push(self.repeated(atom)?);
        }
        Ok(Hir::concat(pieces))
    }

    fn atom(&mut self) -> Result<Option<Hir>, String> {
        let Some(byte) = self.peek() else { return Ok(None) };
        self.at += 1;
        Ok(Some(match byte {
            b'(' => {
                if self.depth >= NESTING {
                    return Err(format!("groups nest deeper than {NESTING}"));
                }
                self.groups += 1;
                let index = self.groups;
                self.depth += 1;
                let inner = self.alternatives()?;
                self.depth -= 1;
                if self.peek() != Some(b')') {
                    return Err("unmatched '('".into());
                }
                self.at += 1;
                Hir::capture(regex_syntax::hir::Capture {
                    index,
                    name: None,
                    sub: Box::new(inner),
                })
            }
            b')' => {
                self.at -= 1;
                return Err("unmatched ')'".into());
            }
            b'[' => self.bracket()?,
            b'.' => {
                let mut class = ClassBytes::new([ClassBytesRange::new(0, 0)]);
                class.negate();
                Hir::class(Class::Bytes(class))
            }
            b'^' => Hir::look(Look::Start),
            b'$' => Hir::look(Look::End),
            b'*' | b'+' | b'?' => return Err("nothing to repeat".into()),
            b'{' => return Err("nothing to repeat before '{'".into()),
            b'\\' => match self.peek() {
                Some(escaped) if b".[]{}()\\*+?|^$/".contains(&escaped) => {
                    self.at += 1;
                    Hir::literal([escaped])
                }
                Some(escaped) => return Err(format!("invalid escape '\\{}'", escaped as char)),
                None => return Err("trailing backslash".into()),
            },
            other => Hir::literal([other]),
        }))
    }

    fn repeated(&mut self, mut atom: Hir) -> Result<Hir, String> {
        loop {
            let (min, max) = match self.peek() {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => {
                    self.at += 1;
                    let min = self.number()?;
                    let max = if self.peek() == Some(b',') {
                        self.at += 1;
                        if self.peek() == Some(b'}') {
                            None
                        } else {
                            Some(self.number()?)
                        }
                    } else {
                        Some(min)
                    };
                    if self.peek() != Some(b'}') || max.is_some_and(|max| max < min) {
                        return Err("invalid range in '{}'".into());
                    }
                    (min, max)
                }
                _ => return Ok(atom),
            };
            self.at += 1;
            atom = Hir::repetition(Repetition {
                min,
                max,
                greedy: true,
                sub: Box::new(atom),
            });
        }
    }

    fn number(&mut self) -> Result<u32, String> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .filter(|&number| number <= 100_000)
            .ok_or_else(|| "invalid number in '{}'".into())
    }

    fn bracket(&mut self) -> Result<Hir, String> {
        let negated = self.peek() == Some(b'^');
        if negated {
            self.at += 1;
        }
        let mut class = ClassBytes::empty();
        let mut first = true;
        loop {
            let Some(byte) = self.peek() else {
                return Err("unmatched '['".into());
            };
            if byte == b']' && !first {
                self.at += 1;
                break;
            }
            first = false;
            let start = match (byte, self.text.get(self.at + 1)) {
                (b'[', Some(b':')) => {
                    let name = self.named(b':')?;
                    for range in named_class(&name)? {
                        class.push(range);
                    }
                    continue;
                }
                (b'[', Some(&kind @ (b'.' | b'='))) => {
                    let name = self.named(kind)?;
                    match name.as_slice() {
                        [single] => *single,
                        _ => return Err("invalid collating element".into()),
                    }
                }
                _ => {
                    self.at += 1;
                    byte
                }
            };
            let is_range =
                self.peek() == Some(b'-') && self.text.get(self.at + 1).is_some_and(|&byte| byte != b']');
            if !is_range {
                class.push(ClassBytesRange::new(start, start));
                continue;
            }
            self.at += 1;
            let end = match (self.peek(), self.text.get(self.at + 1)) {
                (Some(b'['), Some(&kind @ (b'.' | b'='))) => match self.named(kind)?.as_slice() {
                    [single] => *single,
                    _ => return Err("invalid collating element".into()),
                },
                (Some(byte), _) => {
                    self.at += 1;
                    byte
                }
                (None, _) => return Err("unmatched '['".into()),
            };
            if end < start {
                return Err("invalid range in '[]'".into());
            }
            class.push(ClassBytesRange::new(start, end));
        }
        if negated {
            class.negate();
        }
        Ok(Hir::class(Class::Bytes(class)))
    }

    /// The name in `[:name:]`, `[.name.]` or `[=name=]`.
    fn named(&mut self, kind: u8) -> Result<Vec<u8>, String> {
        let start = self.at + 2;
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest
            .windows(2)
            .position(|pair| pair == [kind, b']'])
            .ok_or("unmatched '[' in a bracket expression")?;
        self.at = start + length + 2;
        Ok(rest.get(..length).unwrap_or_default().to_vec())
    }
}

fn named_class(name: &[u8]) -> Result<Vec<ClassBytesRange>, String> {
    let ranges: &[(u8, u8)] = match name {
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"blank" => &[(b' ', b' '), (b'\t', b'\t')],
        b"cntrl" => &[(0, 31), (127, 127)],
        b"digit" | b"d" => &[(b'0', b'9')],
        b"graph" => &[(33, 126)],
        b"lower" => &[(b'a', b'z')],
        b"print" => &[(32, 126)],
        b"punct" => &[(33, 47), (58, 64), (91, 96), (123, 126)],
        b"space" | b"s" => &[(9, 13), (b' ', b' ')],
        b"upper" => &[(b'A', b'Z')],
        b"w" => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
        b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => {
            return Err(format!(
                "unknown character class '{}'",
                String::from_utf8_lossy(name)
            ));
        }
    };
    Ok(ranges
        .iter()
        .map(|&(start, end)| ClassBytesRange::new(start, end))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn the_longest_alternative_wins_when_searching() {
        let pattern = Pattern::new(b"a|ab|abc").unwrap();
        assert_eq!(pattern.search(b"xabcd", 0, false), Some(vec![Some((1, 4))]));
    }

    #[test]
    fn a_pattern_made_to_backtrack_is_quick() {
        let pattern = Pattern::new(b"(a*)*b").unwrap();
        assert_eq!(pattern.match_whole(&[b'a'; 100_000]), None);
    }
}
