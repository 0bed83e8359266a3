//! Tokens to syntax: the grammar of Nix by recursive descent.
//!
//! The parser is the crate's own rather than `rnix`. Three requirements decide that:
//! an `rnix` parse stops at 512 levels and its trees are dropped recursively;
//! its tokenizer scans `1+1+1+…` once per token, so that a hostile file costs quadratic time;
//! and it differs from Nix in what is a path, a URI and a number, and needs UTF-8.
//! Here nodes live in one flat table, nesting is counted and refused beyond a limit, the stack
//! grows when needed, and every token follows the rules of Nix's own lexer.

use crate::lex::{Lexer, Token};
use crate::symbol::{Sym, Symbols};
use crate::syntax::{Attr, AttrName, Entry, Formal, Formals, Node, NodeId, Op, Part, Range, Syntax};

/// Why a text is not an expression.
#[derive(Clone, Debug)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) range: Range,
}

type Parsed<T> = Result<T, SyntaxError>;

/// Parses a whole file. `limit` is how deep an expression may nest.
pub(crate) fn parse(text: &[u8], symbols: &Symbols, limit: u32) -> Parsed<(Syntax, NodeId)> {
    let mut parser = Parser {
        text,
        lexer: Lexer::new(text),
        symbols,
        syntax: Syntax::default(),
        token: Token::End,
        range: Range::default(),
        last_end: 0,
        nesting: 0,
        limit,
    };
    parser.advance();
    let root = parser.expr()?;
    parser.expect(Token::End)?;
    Ok((parser.syntax, root))
}

struct Parser<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    symbols: &'a Symbols,
    syntax: Syntax,
    /// The token not yet consumed, and its place.
    token: Token,
    range: Range,
    /// Where the last consumed token ended.
    last_end: u32,
    nesting: u32,
    limit: u32,
}

/// A piece of an indented string before its indentation is taken off.
enum Piece {
    /// As written: its spaces count as indentation.
    Text(Vec<u8>, Range),
    /// From an escape: its spaces do not.
    Escaped(Vec<u8>, Range),
    Expr(NodeId),
}

impl Parser<'_> {
    fn advance(&mut self) {
        self.last_end = self.range.end;
        (self.token, self.range) = self.lexer.next();
    }

    fn error<T>(&self, message: impl Into<String>, range: Range) -> Parsed<T> {
        Err(SyntaxError {
            message: message.into(),
            range,
        })
    }

    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = self.token.describe();
        if wanted.is_empty() {
            self.error(format!("syntax error, unexpected {found}"), self.range)
        } else {
            self.error(
                format!("syntax error, unexpected {found}, expecting {wanted}"),
                self.range,
            )
        }
    }

    fn expect(&mut self, token: Token) -> Parsed<()> {
        if self.token == token {
            self.advance();
            Ok(())
        } else {
            self.unexpected(&token.describe())
        }
    }

    fn expect_byte(&mut self, byte: u8) -> Parsed<()> {
        self.expect(Token::Byte(byte))
    }

    fn is_byte(&self, byte: u8) -> bool {
        self.token == Token::Byte(byte)
    }

    /// The token after the current one.
    fn peek(&self) -> Token {
        self.lexer.clone().next().0
    }

    fn peek_two(&self) -> (Token, Token) {
        let mut ahead = self.lexer.clone();
        let first = ahead.next().0;
        (first, ahead.next().0)
    }

    fn slice(&self, range: Range) -> &[u8] {
        self.text
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    fn symbol(&self, range: Range) -> Sym {
        // Identifiers are ASCII by the lexer's rules.
        self.symbols.intern(&String::from_utf8_lossy(self.slice(range)))
    }

    fn since(&self, start: u32) -> Range {
        Range {
            start,
            end: self.last_end,
        }
    }

    /// Adds a node over children; refuses one that is too deep.
    fn push(&mut self, node: Node, range: Range, children: &[NodeId]) -> Parsed<NodeId> {
        let deepest = self.deepest(children);
        self.push_over(node, range, deepest)
    }

    fn deepest(&self, children: &[NodeId]) -> u32 {
        children
            .iter()
            .map(|&id| self.syntax.depth(id))
            .max()
            .unwrap_or(0)
    }

    /// Adds a node over children of which the deepest has that depth.
    fn push_over(&mut self, node: Node, range: Range, deepest: u32) -> Parsed<NodeId> {
        let depth = deepest.saturating_add(1);
        if depth > self.limit {
            return self.too_deep(range);
        }
        Ok(self.syntax.push(node, range, depth))
    }

    fn too_deep<T>(&self, range: Range) -> Parsed<T> {
        self.error(
            format!("expression nested deeper than {} levels (limit)", self.limit),
            range,
        )
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= self.limit {
            return self.too_deep(self.range);
        }
        self.nesting += 1;
        let result = stacker::maybe_grow(64 << 10, 2 << 20, || parse(self));
        self.nesting -= 1;
        result
    }

    fn expr(&mut self) -> Parsed<NodeId> {
        self.nested(Self::expr_function)
    }

    fn expr_function(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        match self.token {
            Token::Ident => match self.peek() {
                Token::Byte(b':') => {
                    let arg = (self.symbol(self.range), self.range);
                    self.advance();
                    self.advance();
                    self.lambda(start, Some(arg), None)
                }
                Token::Byte(b'@') => {
                    let arg = (self.symbol(self.range), self.range);
                    self.advance();
                    self.advance();
                    if !self.is_byte(b'{') {
                        return self.unexpected("'{'");
                    }
                    let formals = self.formals()?;
                    self.expect_byte(b':')?;
                    self.lambda(start, Some(arg), Some(formals))
                }
                _ => self.expr_if(),
            },
            Token::Byte(b'{') if self.at_formals() => {
                let formals = self.formals()?;
                let mut arg = None;
                if self.is_byte(b'@') {
                    self.advance();
                    if self.token != Token::Ident {
                        return self.unexpected("an identifier");
                    }
                    arg = Some((self.symbol(self.range), self.range));
                    self.advance();
                }
                self.expect_byte(b':')?;
                self.lambda(start, arg, Some(formals))
            }
            Token::Assert => {
                self.advance();
                let condition = self.expr()?;
                self.expect_byte(b';')?;
                let body = self.expr()?;
                let node = Node::Assert { condition, body };
                self.push(node, self.since(start), &[condition, body])
            }
            Token::With => {
                self.advance();
                let from = self.expr()?;
                self.expect_byte(b';')?;
                let body = self.expr()?;
                self.push(Node::With { from, body }, self.since(start), &[from, body])
            }
            Token::Let if self.peek() != Token::Byte(b'{') => {
                self.advance();
                let (entries, deepest) = self.entries(Token::In)?;
                for entry in &entries {
                    if let Entry::Bind { path, .. } = entry
                        && let Some(Attr {
                            name: AttrName::Dynamic(_),
                            range,
                        }) = path.first()
                    {
                        return self.error("dynamic attributes not allowed in let", *range);
                    }
                }
                let body = self.expr()?;
                let deepest = deepest.max(self.syntax.depth(body));
                self.push_over(Node::Let { entries, body }, self.since(start), deepest)
            }
            _ => self.expr_if(),
        }
    }

    fn lambda(&mut self, start: u32, arg: Option<(Sym, Range)>, formals: Option<Formals>) -> Parsed<NodeId> {
        if let Some(formals) = &formals {
            self.check_formals(formals, arg)?;
        }
        let body = self.expr()?;
        let mut children = vec![body];
        if let Some(formals) = &formals {
            children.extend(formals.formals.iter().filter_map(|formal| formal.default));
        }
        let node = Node::Lambda { arg, formals, body };
        self.push(node, self.since(start), &children)
    }

    fn check_formals(&self, formals: &Formals, arg: Option<(Sym, Range)>) -> Parsed<()> {
        let mut seen = rustc_hash::FxHashSet::default();
        for (name, range) in formals
            .formals
            .iter()
            .map(|formal| (formal.name, formal.range))
            .chain(arg)
        {
            if !seen.insert(name) {
                let name = self.symbols.name(name);
                return self.error(format!("duplicate formal function argument '{name}'"), range);
            }
        }
        Ok(())
    }

    /// Whether the brace at hand opens arguments rather than a set.
    fn at_formals(&self) -> bool {
        matches!(
            self.peek_two(),
            (Token::Ellipsis, _)
                | (Token::Byte(b'}'), Token::Byte(b':' | b'@'))
                | (Token::Ident, Token::Byte(b',' | b'?' | b'}'))
        )
    }

    fn formals(&mut self) -> Parsed<Formals> {
        self.expect_byte(b'{')?;
        let mut formals = Formals::default();
        loop {
            match self.token {
                Token::Byte(b'}') => break,
                Token::Ellipsis => {
                    formals.ellipsis = true;
                    self.advance();
                    break;
                }
                Token::Ident => {
                    let name = self.symbol(self.range);
                    let range = self.range;
                    self.advance();
                    let mut default = None;
                    if self.is_byte(b'?') {
                        self.advance();
                        default = Some(self.expr()?);
                    }
                    formals.formals.push(Formal { name, range, default });
                    if self.is_byte(b',') {
                        self.advance();
                    } else if !self.is_byte(b'}') {
                        return self.unexpected("',' or '}'");
                    }
                }
                _ => return self.unexpected("an identifier, '...' or '}'"),
            }
        }
        self.expect_byte(b'}')?;
        Ok(formals)
    }

    fn expr_if(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        if self.token == Token::If {
            self.advance();
            let condition = self.expr()?;
            self.expect(Token::Then)?;
            let then = self.expr()?;
            self.expect(Token::Else)?;
            let otherwise = self.expr()?;
            let node = Node::If {
                condition,
                then,
                otherwise,
            };
            return self.push(node, self.since(start), &[condition, then, otherwise]);
        }
        let first = self.operators(0)?;
        match self.token {
            Token::PipeInto => {
                let mut argument = first;
                while self.token == Token::PipeInto {
                    self.advance();
                    let function = self.operators(0)?;
                    let node = Node::Apply { function, argument };
                    argument = self.push(node, self.since(start), &[function, argument])?;
                }
                if self.token == Token::PipeFrom {
                    return self.unexpected("");
                }
                Ok(argument)
            }
            Token::PipeFrom => {
                let mut chain = vec![(first, start)];
                while self.token == Token::PipeFrom {
                    self.advance();
                    let at = self.range.start;
                    chain.push((self.operators(0)?, at));
                }
                if self.token == Token::PipeInto {
                    return self.unexpected("");
                }
                let Some((mut argument, _)) = chain.pop() else {
                    return Ok(first);
                };
                while let Some((function, at)) = chain.pop() {
                    let node = Node::Apply { function, argument };
                    argument = self.push(node, self.since(at), &[function, argument])?;
                }
                Ok(argument)
            }
            _ => Ok(first),
        }
    }

    /// Operators that bind at least as tightly as `least`, by precedence climbing.
    fn operators(&mut self, least: u8) -> Parsed<NodeId> {
        let start = self.range.start;
        let mut left = match self.token {
            Token::Byte(b'!') => {
                self.advance();
                let operand = self.nested(|parser| parser.operators(8))?;
                self.push(Node::Not(operand), self.since(start), &[operand])?
            }
            Token::Byte(b'-') => {
                self.advance();
                let operand = self.nested(|parser| parser.operators(13))?;
                self.push(Node::Negate(operand), self.since(start), &[operand])?
            }
            _ => self.application()?,
        };
        // The level of the last operator that may not be repeated without parentheses.
        let mut once = None;
        loop {
            let (level, op, right_level) = match self.token {
                Token::Implies => (1, Op::Implies, 1),
                Token::OrOr => (2, Op::Or, 3),
                Token::And => (3, Op::And, 4),
                Token::Equal => (4, Op::Equal, 5),
                Token::NotEqual => (4, Op::NotEqual, 5),
                Token::Byte(b'<') => (5, Op::Less, 6),
                Token::LessEq => (5, Op::LessEq, 6),
                Token::Byte(b'>') => (5, Op::More, 6),
                Token::MoreEq => (5, Op::MoreEq, 6),
                Token::Update => (6, Op::Update, 6),
                Token::Byte(b'+') => (8, Op::Add, 9),
                Token::Byte(b'-') => (8, Op::Sub, 9),
                Token::Byte(b'*') => (9, Op::Mul, 10),
                Token::Byte(b'/') => (9, Op::Div, 10),
                Token::Concat => (10, Op::Concat, 10),
                Token::Byte(b'?') => {
                    if least > 11 {
                        return Ok(left);
                    }
                    if once == Some(11) {
                        return self.unexpected("");
                    }
                    self.advance();
                    let mut children = vec![left];
                    let path = self.attr_path(&mut children)?;
                    let node = Node::HasAttr { from: left, path };
                    left = self.push(node, self.since(start), &children)?;
                    once = Some(11);
                    continue;
                }
                _ => return Ok(left),
            };
            if level < least {
                return Ok(left);
            }
            if once == Some(level) {
                return self.unexpected("");
            }
            self.advance();
            let right = self.nested(|parser| parser.operators(right_level))?;
            left = self.push(Node::Binary(op, left, right), self.since(start), &[left, right])?;
            once = matches!(level, 4 | 5).then_some(level);
        }
    }

    fn starts_simple(&self) -> bool {
        matches!(
            self.token,
            Token::Ident
                | Token::Int
                | Token::Float
                | Token::Path
                | Token::HomePath
                | Token::SearchPath
                | Token::Uri
                | Token::Let
                | Token::Rec
                | Token::Quote
                | Token::IndentQuote
                | Token::Byte(b'(' | b'[' | b'{')
        )
    }

    fn application(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        let mut function = self.select()?;
        while self.starts_simple() {
            let argument = self.select()?;
            let node = Node::Apply { function, argument };
            function = self.push(node, self.since(start), &[function, argument])?;
        }
        Ok(function)
    }

    fn select(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        let from = self.simple()?;
        if self.is_byte(b'.') {
            self.advance();
            let mut children = vec![from];
            let path = self.attr_path(&mut children)?;
            let mut default = None;
            if self.token == Token::Or {
                self.advance();
                let value = self.nested(Self::select)?;
                children.push(value);
                default = Some(value);
            }
            let node = Node::Select { from, path, default };
            return self.push(node, self.since(start), &children);
        }
        if self.token == Token::Or {
            // `f or`: before it was a keyword, `or` was a function of nixpkgs.
            let argument = self.push(Node::Var(Sym::OR), self.range, &[])?;
            self.advance();
            let node = Node::Apply {
                function: from,
                argument,
            };
            return self.push(node, self.since(start), &[from, argument]);
        }
        Ok(from)
    }

    fn attr_path(&mut self, children: &mut Vec<NodeId>) -> Parsed<Vec<Attr>> {
        let mut path = vec![self.attr(children)?];
        while self.is_byte(b'.') {
            self.advance();
            path.push(self.attr(children)?);
        }
        Ok(path)
    }

    fn attr(&mut self, children: &mut Vec<NodeId>) -> Parsed<Attr> {
        let range = self.range;
        match self.token {
            Token::Ident => {
                let name = AttrName::Static(self.symbol(range));
                self.advance();
                Ok(Attr { name, range })
            }
            Token::Or => {
                self.advance();
                Ok(Attr {
                    name: AttrName::Static(Sym::OR),
                    range,
                })
            }
            Token::Quote => {
                let node = self.string()?;
                self.named(node, range.start, children)
            }
            Token::DollarCurly => {
                self.advance();
                let node = self.expr()?;
                self.expect_byte(b'}')?;
                self.named(node, range.start, children)
            }
            _ => self.unexpected("an attribute name"),
        }
    }

    /// A name given by an expression: static when it is a plain string.
    fn named(&mut self, node: NodeId, start: u32, children: &mut Vec<NodeId>) -> Parsed<Attr> {
        let range = self.since(start);
        let name = match self.syntax.node(node) {
            Node::Str(text) => match std::str::from_utf8(text) {
                Ok(text) => AttrName::Static(self.symbols.intern(text)),
                Err(_) => return self.error("attribute name is not UTF-8", range),
            },
            _ => {
                children.push(node);
                AttrName::Dynamic(node)
            }
        };
        Ok(Attr { name, range })
    }

    fn simple(&mut self) -> Parsed<NodeId> {
        let range = self.range;
        match self.token {
            Token::Ident => {
                let name = self.symbol(range);
                self.advance();
                let node = if name == Sym::CUR_POS {
                    Node::CurPos
                } else {
                    Node::Var(name)
                };
                self.push(node, range, &[])
            }
            Token::Int => {
                let text = String::from_utf8_lossy(self.slice(range)).into_owned();
                match text.parse() {
                    Ok(number) => {
                        self.advance();
                        self.push(Node::Int(number), range, &[])
                    }
                    Err(_) => self.error(format!("invalid integer '{text}'"), range),
                }
            }
            Token::Float => {
                let text = String::from_utf8_lossy(self.slice(range)).into_owned();
                match text.parse::<f64>() {
                    // As `strtod` reports overflow and underflow.
                    Ok(number)
                        if number.is_finite()
                            && (number == 0.0 || number.is_normal() || number.is_subnormal()) =>
                    {
                        self.advance();
                        self.push(Node::Float(number), range, &[])
                    }
                    _ => self.error(format!("invalid float '{text}'"), range),
                }
            }
            Token::Quote => self.string(),
            Token::IndentQuote => self.indented_string(),
            Token::Path | Token::HomePath => self.path(),
            Token::SearchPath => {
                let text = self.slice(range);
                let name = text.get(1..text.len() - 1).unwrap_or_default().to_vec();
                self.advance();
                self.push(Node::SearchPath(name), range, &[])
            }
            Token::Uri => {
                let text = self.slice(range).to_vec();
                self.advance();
                self.push(Node::Str(text), range, &[])
            }
            Token::Byte(b'(') => {
                self.advance();
                let inner = self.expr()?;
                self.expect_byte(b')')?;
                Ok(inner)
            }
            Token::Byte(b'[') => {
                self.advance();
                let mut items = Vec::new();
                while !self.is_byte(b']') {
                    if !self.starts_simple() {
                        return self.unexpected("an element or ']'");
                    }
                    items.push(self.nested(Self::select)?);
                }
                self.advance();
                let children = items.clone();
                self.push(Node::List(items), self.since(range.start), &children)
            }
            Token::Byte(b'{') => {
                self.advance();
                self.set(range.start, false)
            }
            Token::Rec => {
                self.advance();
                self.expect_byte(b'{')?;
                self.set(range.start, true)
            }
            Token::Let => {
                self.advance();
                self.expect_byte(b'{')?;
                let (entries, deepest) = self.entries(Token::Byte(b'}'))?;
                self.push_over(Node::LegacyLet(entries), self.since(range.start), deepest)
            }
            _ => self.unexpected(""),
        }
    }

    fn set(&mut self, start: u32, rec: bool) -> Parsed<NodeId> {
        let (entries, deepest) = self.entries(Token::Byte(b'}'))?;
        self.push_over(Node::Attrs { rec, entries }, self.since(start), deepest)
    }

    /// Bindings up to `close`, which is consumed, and how deep they nest. An attribute path
    /// nests as deep as it is long.
    fn entries(&mut self, close: Token) -> Parsed<(Vec<Entry>, u32)> {
        let mut entries = Vec::new();
        let mut deepest = 0;
        while self.token != close {
            let start = self.range.start;
            if self.token == Token::Inherit {
                self.advance();
                let mut from = None;
                if self.is_byte(b'(') {
                    self.advance();
                    let node = self.expr()?;
                    self.expect_byte(b')')?;
                    deepest = deepest.max(self.syntax.depth(node));
                    from = Some(node);
                }
                let mut names = Vec::new();
                while !self.is_byte(b';') {
                    let attr = self.attr(&mut Vec::new())?;
                    match attr.name {
                        AttrName::Static(name) => names.push((name, attr.range)),
                        AttrName::Dynamic(_) => {
                            return self.error("dynamic attributes not allowed in inherit", attr.range);
                        }
                    }
                }
                self.advance();
                entries.push(Entry::Inherit {
                    from,
                    names,
                    whole: self.since(start),
                });
                continue;
            }
            let mut children = Vec::new();
            let path = self.attr_path(&mut children)?;
            self.expect_byte(b'=')?;
            let value_start = self.range.start;
            let value = self.expr()?;
            let value_range = self.since(value_start);
            children.push(value);
            deepest = deepest.max(self.deepest(&children).saturating_add(path.len() as u32));
            self.expect_byte(b';')?;
            entries.push(Entry::Bind {
                path,
                value,
                value_range,
                whole: self.since(start),
            });
        }
        self.advance();
        Ok((entries, deepest))
    }

    fn interpolation(&mut self) -> Parsed<NodeId> {
        // The raw position stands on `${`.
        self.lexer.at += 2;
        self.advance();
        let node = self.expr()?;
        if !self.is_byte(b'}') {
            return self.unexpected("'}'");
        }
        // Not `advance`: what follows is text, not a token.
        self.lexer.at = self.range.end as usize;
        Ok(node)
    }

    fn raw(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.lexer.at + ahead).copied()
    }

    fn no_nul(&self, text: &[u8], range: Range) -> Parsed<()> {
        if text.contains(&0) {
            return self.error("input string contains a null byte", range);
        }
        Ok(())
    }

    /// Ends a string or path whose text was read raw: goes on with the token after it.
    fn resume(&mut self) {
        self.range = Range::new(self.lexer.at, self.lexer.at);
        self.advance();
    }

    /// A string in double quotes; the quote is the current token.
    fn string(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        self.lexer.at = self.range.end as usize;
        let mut parts: Vec<Part> = Vec::new();
        let mut children = Vec::new();
        let mut text = Vec::new();
        let mut text_start = self.lexer.at;
        loop {
            match (self.raw(0), self.raw(1)) {
                (None, _) => {
                    let end = Range::new(self.text.len(), self.text.len());
                    return self.error("syntax error, unexpected end of file in a string", end);
                }
                (Some(b'"'), _) => break,
                (Some(b'$'), Some(b'{')) => {
                    self.flush(&mut parts, &mut text, text_start)?;
                    let node = self.interpolation()?;
                    children.push(node);
                    parts.push(Part::Expr(node));
                    text_start = self.lexer.at;
                }
                // A dollar takes the next byte with it, so that `$${` is text.
                (Some(b'$'), Some(b'$')) => {
                    text.extend_from_slice(b"$$");
                    self.lexer.at += 2;
                    // `$$$` followed by `{`: the pair is consumed, the third starts anew.
                }
                (Some(b'\\'), Some(escaped)) => {
                    text.push(unescape(escaped));
                    self.lexer.at += 2;
                }
                (Some(b'\\'), None) => self.lexer.at += 1,
                (Some(b'\r'), following) => {
                    text.push(b'\n');
                    self.lexer.at += if following == Some(b'\n') { 2 } else { 1 };
                }
                (Some(byte), _) => {
                    text.push(byte);
                    self.lexer.at += 1;
                }
            }
        }
        self.flush(&mut parts, &mut text, text_start)?;
        self.lexer.at += 1;
        self.resume();
        self.finish_string(parts, start, &children)
    }

    fn flush(&mut self, parts: &mut Vec<Part>, text: &mut Vec<u8>, start: usize) -> Parsed<()> {
        if !text.is_empty() {
            let range = Range::new(start, self.lexer.at);
            self.no_nul(text, range)?;
            parts.push(Part::Text(std::mem::take(text), range));
        }
        Ok(())
    }

    fn finish_string(&mut self, mut parts: Vec<Part>, start: u32, children: &[NodeId]) -> Parsed<NodeId> {
        let range = self.since(start);
        if children.is_empty() {
            let text = match parts.pop() {
                Some(Part::Text(text, _)) => text,
                _ => Vec::new(),
            };
            return self.push(Node::Str(text), range, &[]);
        }
        self.push(Node::Interpolated(parts), range, children)
    }

    fn indented_string(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        self.lexer.at = self.range.end as usize;
        // Spaces up to the first line break do not count.
        let mut spaces = 0;
        while self.raw(spaces) == Some(b' ') {
            spaces += 1;
        }
        if self.raw(spaces) == Some(b'\n') {
            self.lexer.at += spaces + 1;
        }
        let mut pieces = Vec::new();
        let mut children = Vec::new();
        let mut text = Vec::new();
        let mut text_start = self.lexer.at;
        loop {
            let at = self.lexer.at;
            let escape: (&[u8], usize) = match (self.raw(0), self.raw(1), self.raw(2)) {
                (None, ..) => {
                    let end = Range::new(self.text.len(), self.text.len());
                    return self.error("syntax error, unexpected end of file in a string", end);
                }
                (Some(b'\''), Some(b'\''), Some(b'$')) => (b"$", 3),
                (Some(b'\''), Some(b'\''), Some(b'\'')) => (b"''", 3),
                (Some(b'\''), Some(b'\''), Some(b'\\')) if self.raw(3).is_some() => (b"", 4),
                (Some(b'\''), Some(b'\''), _) => break,
                (Some(b'\''), Some(b'$'), _) => (b"'", 1),
                (Some(b'$'), Some(b'{'), _) => {
                    self.flush_piece(&mut pieces, &mut text, text_start)?;
                    let node = self.interpolation()?;
                    children.push(node);
                    pieces.push(Piece::Expr(node));
                    text_start = self.lexer.at;
                    continue;
                }
                (Some(b'$'), Some(b'\''), _) | (Some(b'$'), None, _) => (b"$", 1),
                (Some(first @ (b'$' | b'\'')), Some(second), _) => {
                    text.push(first);
                    text.push(second);
                    self.lexer.at += 2;
                    continue;
                }
                (Some(byte), ..) => {
                    text.push(byte);
                    self.lexer.at += 1;
                    continue;
                }
            };
            self.flush_piece(&mut pieces, &mut text, text_start)?;
            let (meaning, length) = escape;
            let meaning = if length == 4 {
                let escaped = self.raw(3).unwrap_or(b'\\');
                // As in a plain string, a carriage return after the backslash stays one.
                vec![unescape(escaped)]
            } else {
                meaning.to_vec()
            };
            self.lexer.at += length;
            let range = Range::new(at, self.lexer.at);
            self.no_nul(&meaning, range)?;
            pieces.push(Piece::Escaped(meaning, range));
            text_start = self.lexer.at;
        }
        self.flush_piece(&mut pieces, &mut text, text_start)?;
        self.lexer.at += 2;
        self.resume();
        let parts = strip_indentation(pieces);
        self.finish_string(parts, start, &children)
    }

    fn flush_piece(&mut self, pieces: &mut Vec<Piece>, text: &mut Vec<u8>, start: usize) -> Parsed<()> {
        if !text.is_empty() {
            let range = Range::new(start, self.lexer.at);
            self.no_nul(text, range)?;
            pieces.push(Piece::Text(std::mem::take(text), range));
        }
        Ok(())
    }

    /// A path, with or without interpolation; its first piece is the current token.
    fn path(&mut self) -> Parsed<NodeId> {
        let start = self.range.start;
        let first = self.slice(self.range).to_vec();
        self.lexer.at = self.range.end as usize;
        let mut slash = first.last() == Some(&b'/');
        let mut parts = vec![Part::Text(first, self.range)];
        let mut children = Vec::new();
        loop {
            if (self.raw(0), self.raw(1)) == (Some(b'$'), Some(b'{')) {
                let node = self.interpolation()?;
                children.push(node);
                parts.push(Part::Expr(node));
                slash = false;
            } else if let Some(range) = self.lexer.path_piece() {
                let text = self.slice(range).to_vec();
                slash = text.last() == Some(&b'/');
                parts.push(Part::Text(text, range));
            } else {
                break;
            }
        }
        let end = self.lexer.at;
        if slash {
            return self.error("path has a trailing slash", Range::new(start as usize, end));
        }
        self.resume();
        let range = Range::new(start as usize, end);
        if children.is_empty() {
            let mut text = Vec::new();
            for part in parts {
                if let Part::Text(piece, _) = part {
                    text.extend_from_slice(&piece);
                }
            }
            return self.push(Node::Path(text), range, &[]);
        }
        self.push(Node::PathInterpolated(parts), range, &children)
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

/// Takes the least indentation of all lines off each line, as Nix does for `''…''`.
fn strip_indentation(pieces: Vec<Piece>) -> Vec<Part> {
    let mut least = usize::MAX;
    let mut at_line_start = true;
    let mut indent = 0;
    for piece in &pieces {
        let Piece::Text(text, _) = piece else {
            if at_line_start {
                at_line_start = false;
                least = least.min(indent);
            }
            continue;
        };
        for &byte in text {
            if at_line_start {
                match byte {
                    b' ' => indent += 1,
                    // A line of spaces alone says nothing about the indentation.
                    b'\n' => indent = 0,
                    _ => {
                        at_line_start = false;
                        least = least.min(indent);
                    }
                }
            } else if byte == b'\n' {
                at_line_start = true;
                indent = 0;
            }
        }
    }

    let mut parts = Vec::new();
    let last = pieces.len().saturating_sub(1);
    at_line_start = true;
    let mut dropped = 0;
    for (index, piece) in pieces.into_iter().enumerate() {
        let (text, range) = match piece {
            Piece::Expr(node) => {
                at_line_start = false;
                dropped = 0;
                parts.push(Part::Expr(node));
                continue;
            }
            Piece::Escaped(text, range) | Piece::Text(text, range) => (text, range),
        };
        let mut kept = Vec::with_capacity(text.len());
        for byte in text {
            if at_line_start {
                match byte {
                    b' ' => {
                        dropped += 1;
                        if dropped > least {
                            kept.push(byte);
                        }
                        continue;
                    }
                    b'\n' => dropped = 0,
                    _ => {
                        at_line_start = false;
                        dropped = 0;
                    }
                }
            } else if byte == b'\n' {
                at_line_start = true;
            }
            kept.push(byte);
        }
        // A last line of spaces alone is only there to indent the closing quotes.
        if index == last
            && let Some(line_break) = kept.iter().rposition(|&byte| byte == b'\n')
            && kept.iter().skip(line_break + 1).all(|&byte| byte == b' ')
        {
            kept.truncate(line_break + 1);
        }
        if kept.is_empty() {
            continue;
        }
        match parts.last_mut() {
            Some(Part::Text(before, whole)) => {
                before.extend_from_slice(&kept);
                *whole = whole.to(range);
            }
            _ => parts.push(Part::Text(kept, range)),
        }
    }
    parts
}
