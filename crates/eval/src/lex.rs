//! Bytes to tokens, by the rules of Nix's own lexer: the longest match wins.
//!
//! The lexer knows nothing of strings and interpolation: the parser reads those itself,
//! because only it knows when one ends. It works on bytes, since Nix strings are bytes.

use crate::syntax::Range;

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Ident,
    Int,
    Float,
    /// A path up to its end or to the first `${`.
    Path,
    /// `~/…`
    HomePath,
    SearchPath,
    Uri,
    If,
    Then,
    Else,
    Assert,
    With,
    Let,
    In,
    Rec,
    Inherit,
    Or,
    Ellipsis,
    Equal,
    NotEqual,
    LessEq,
    MoreEq,
    And,
    OrOr,
    Implies,
    Update,
    Concat,
    PipeFrom,
    PipeInto,
    DollarCurly,
    Quote,
    IndentQuote,
    /// Any other single byte.
    Byte(u8),
    /// The end of the file.
    End,
    /// A comment that never ends.
    OpenComment,
}

impl Token {
    /// What an error calls the token.
    pub(crate) fn describe(self) -> String {
        match self {
            Token::Ident => "an identifier".into(),
            Token::Int => "an integer".into(),
            Token::Float => "a floating-point literal".into(),
            Token::Path => "a path".into(),
            Token::HomePath => "a '~/…' path".into(),
            Token::SearchPath => "a '<…>' path".into(),
            Token::Uri => "a URI".into(),
            Token::If => "'if'".into(),
            Token::Then => "'then'".into(),
            Token::Else => "'else'".into(),
            Token::Assert => "'assert'".into(),
            Token::With => "'with'".into(),
            Token::Let => "'let'".into(),
            Token::In => "'in'".into(),
            Token::Rec => "'rec'".into(),
            Token::Inherit => "'inherit'".into(),
            Token::Or => "'or'".into(),
            Token::Ellipsis => "'...'".into(),
            Token::Equal => "'=='".into(),
            Token::NotEqual => "'!='".into(),
            Token::LessEq => "'<='".into(),
            Token::MoreEq => "'>='".into(),
            Token::And => "'&&'".into(),
            Token::OrOr => "'||'".into(),
            Token::Implies => "'->'".into(),
            Token::Update => "'//'".into(),
            Token::Concat => "'++'".into(),
            Token::PipeFrom => "'<|'".into(),
            Token::PipeInto => "'|>'".into(),
            Token::DollarCurly => "'${'".into(),
            Token::Quote => "'\"'".into(),
            Token::IndentQuote => "the start of an indented string".into(),
            Token::Byte(byte) if byte.is_ascii_graphic() => format!("'{}'", byte as char),
            Token::Byte(byte) => format!("byte 0x{byte:02x}"),
            Token::End => "the end of the file".into(),
            Token::OpenComment => "a comment that does not end".into(),
        }
    }
}

/// Letters that a path is made of.
pub(crate) fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+')
}

fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'%' | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'-'
                | b'_'
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
        )
}

/// Reads tokens from a text. Cheap to copy, for looking ahead.
#[derive(Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    /// The next byte to read.
    pub(crate) at: usize,
    /// Where the run of path bytes ends that was looked at last. Without it,
    /// `1+1+1+…` would be scanned to its end again for each of its tokens.
    path_run: (usize, usize),
    /// The same for the letters of a URI's scheme.
    scheme_run: (usize, usize),
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            path_run: (0, 0),
            scheme_run: (0, 0),
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    fn starts_with(&self, at: usize, what: &[u8]) -> bool {
        self.text.get(at..).is_some_and(|rest| rest.starts_with(what))
    }

    /// The end of the run of bytes from `at` that `keep` accepts.
    fn run(&self, at: usize, keep: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.iter().position(|&byte| !keep(byte)).unwrap_or(rest.len())
    }

    fn path_run_end(&mut self, at: usize) -> usize {
        let (start, end) = self.path_run;
        if start <= at && at < end {
            return end;
        }
        let end = self.run(at, is_path_byte);
        self.path_run = (at, end);
        end
    }

    fn scheme_run_end(&mut self, at: usize) -> usize {
        let (start, end) = self.scheme_run;
        if start <= at && at < end {
            return end;
        }
        let end = self.run(at, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
        });
        self.scheme_run = (at, end);
        end
    }

    /// Steps over white space and comments; false when a comment does not end.
    fn skip_trivia(&mut self) -> bool {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'#') => self.at = self.run(self.at, |byte| byte != b'\n' && byte != b'\r'),
                Some(b'/') if self.byte(self.at + 1) == Some(b'*') => {
                    let mut at = self.at + 2;
                    loop {
                        at = self.run(at, |byte| byte != b'*');
                        match self.byte(at + 1) {
                            None => return false,
                            Some(b'/') => break,
                            Some(_) => at += 1,
                        }
                    }
                    self.at = at + 2;
                }
                _ => return true,
            }
        }
    }

    /// The next token and where it stands.
    pub(crate) fn next(&mut self) -> (Token, Range) {
        if !self.skip_trivia() {
            let range = Range::new(self.at, self.text.len());
            self.at = self.text.len();
            return (Token::OpenComment, range);
        }
        let start = self.at;
        let (token, end) = self.token_at(start);
        self.at = end;
        (token, Range::new(start, end))
    }

    fn token_at(&mut self, at: usize) -> (Token, usize) {
        let Some(first) = self.byte(at) else {
            return (Token::End, at);
        };
        let (mut token, mut end) = self.short_token(at, first);
        let mut longer = |candidate: Option<(Token, usize)>| {
            if let Some((kind, stop)) = candidate
                && stop > end
            {
                (token, end) = (kind, stop);
            }
        };
        match first {
            b'~' => longer(self.home_path(at)),
            b'<' => longer(self.search_path(at)),
            _ => {
                longer(self.path(at, first));
                if first.is_ascii_alphabetic() {
                    longer(self.uri(at));
                }
            }
        }
        // The `${` that makes a segment a path is not part of it.
        if matches!(token, Token::Path | Token::HomePath) && self.starts_with(end - 2, b"${") {
            end -= 2;
        }
        (token, end)
    }

    fn short_token(&self, at: usize, first: u8) -> (Token, usize) {
        let second = self.byte(at + 1);
        let two = |token| (token, at + 2);
        match (first, second) {
            (b'a'..=b'z' | b'A'..=b'Z' | b'_', _) => {
                let end = self.run(at, |byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\'' | b'-')
                });
                let token = match self.text.get(at..end).unwrap_or_default() {
                    b"if" => Token::If,
                    b"then" => Token::Then,
                    b"else" => Token::Else,
                    b"assert" => Token::Assert,
                    b"with" => Token::With,
                    b"let" => Token::Let,
                    b"in" => Token::In,
                    b"rec" => Token::Rec,
                    b"inherit" => Token::Inherit,
                    b"or" => Token::Or,
                    _ => Token::Ident,
                };
                (token, end)
            }
            (b'0'..=b'9', _) => self.number(at),
            (b'.', Some(b'.')) if self.byte(at + 2) == Some(b'.') => (Token::Ellipsis, at + 3),
            (b'.', Some(b'0'..=b'9')) => (Token::Float, self.fraction(at)),
            (b'=', Some(b'=')) => two(Token::Equal),
            (b'!', Some(b'=')) => two(Token::NotEqual),
            (b'<', Some(b'=')) => two(Token::LessEq),
            (b'>', Some(b'=')) => two(Token::MoreEq),
            (b'&', Some(b'&')) => two(Token::And),
            (b'|', Some(b'|')) => two(Token::OrOr),
            (b'-', Some(b'>')) => two(Token::Implies),
            (b'/', Some(b'/')) => two(Token::Update),
            (b'+', Some(b'+')) => two(Token::Concat),
            (b'<', Some(b'|')) => two(Token::PipeFrom),
            (b'|', Some(b'>')) => two(Token::PipeInto),
            (b'$', Some(b'{')) => two(Token::DollarCurly),
            (b'"', _) => (Token::Quote, at + 1),
            (b'\'', Some(b'\'')) => two(Token::IndentQuote),
            _ => (Token::Byte(first), at + 1),
        }
    }

    /// A fraction and an exponent, from the point on.
    fn fraction(&self, point: usize) -> usize {
        let end = self.run(point + 1, |byte| byte.is_ascii_digit());
        if !matches!(self.byte(end), Some(b'e' | b'E')) {
            return end;
        }
        let sign = usize::from(matches!(self.byte(end + 1), Some(b'+' | b'-')));
        let digits = end + 1 + sign;
        let stop = self.run(digits, |byte| byte.is_ascii_digit());
        if stop > digits { stop } else { end }
    }

    fn number(&self, at: usize) -> (Token, usize) {
        let end = self.run(at, |byte| byte.is_ascii_digit());
        if self.byte(end) != Some(b'.') {
            return (Token::Int, end);
        }
        let leading_zero = self.byte(at) == Some(b'0');
        let digit_after = self.byte(end + 1).is_some_and(|byte| byte.is_ascii_digit());
        if !leading_zero || (end == at + 1 && digit_after) {
            (Token::Float, self.fraction(end))
        } else {
            (Token::Int, end)
        }
    }

    /// Path letters with at least one slash, each slash followed by a letter; or one segment
    /// with its slash before `${` (whose two bytes are counted here, to compare lengths).
    fn path(&mut self, at: usize, first: u8) -> Option<(Token, usize)> {
        if !is_path_byte(first) && first != b'/' {
            return None;
        }
        let slash = self.path_run_end(at);
        if self.byte(slash) != Some(b'/') {
            return None;
        }
        if self.starts_with(slash + 1, b"${") {
            return Some((Token::Path, slash + 3));
        }
        self.path_tail(slash).map(|end| (Token::Path, end))
    }

    /// The end of `(/letters)+/?` from a slash on.
    fn path_tail(&mut self, slash: usize) -> Option<usize> {
        let mut end = None;
        let mut at = slash;
        while self.byte(at) == Some(b'/') && self.byte(at + 1).is_some_and(is_path_byte) {
            at = self.run(at + 1, is_path_byte);
            end = Some(at);
        }
        let end = end?;
        Some(if self.byte(end) == Some(b'/') {
            end + 1
        } else {
            end
        })
    }

    fn home_path(&mut self, at: usize) -> Option<(Token, usize)> {
        if self.starts_with(at, b"~/${") {
            return Some((Token::HomePath, at + 4));
        }
        self.path_tail(at + 1).map(|end| (Token::HomePath, end))
    }

    fn search_path(&mut self, at: usize) -> Option<(Token, usize)> {
        let mut end = self.run(at + 1, is_path_byte);
        if end == at + 1 {
            return None;
        }
        while self.byte(end) == Some(b'/') && self.byte(end + 1).is_some_and(is_path_byte) {
            end = self.run(end + 1, is_path_byte);
        }
        (self.byte(end) == Some(b'>')).then_some((Token::SearchPath, end + 1))
    }

    fn uri(&mut self, at: usize) -> Option<(Token, usize)> {
        let colon = self.scheme_run_end(at);
        if self.byte(colon) != Some(b':') {
            return None;
        }
        let end = self.run(colon + 1, is_uri_byte);
        (end > colon + 1).then_some((Token::Uri, end))
    }

    /// The next piece of a path after an interpolation: letters and slashes.
    pub(crate) fn path_piece(&mut self) -> Option<Range> {
        let start = self.at;
        let letters = self.run(start, is_path_byte);
        let end = match self.byte(letters) {
            Some(b'/') => self.path_tail(letters).unwrap_or(letters + 1),
            _ => letters,
        };
        self.at = end;
        (end > start).then(|| Range::new(start, end))
    }
}
