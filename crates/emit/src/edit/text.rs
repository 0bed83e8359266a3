//! Edits of Nix text that keep formatting and comments.

use rnix::ast::{self, BinOpKind, Expr, HasEntry};
use rnix::{SyntaxKind, SyntaxNode, TextRange, TextSize};
use rowan::ast::AstNode;
use serde_json::Value;
use source::{Binding, FileId, Files, Span};

/// Replaces a range of a file's text. An empty range inserts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextEdit {
    /// What is replaced.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}

impl TextEdit {
    fn replace(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }

    fn insert(file: FileId, at: u32, text: impl Into<String>) -> Self {
        Self {
            span: Span::new(file, at, at),
            text: text.into(),
        }
    }
}

/// Applies edits of one file to its text. Equal edits count once; inserts at one place follow each
/// other in their order. `None` when two edits overlap or do not fit the text.
pub(crate) fn apply(text: &str, edits: &[TextEdit]) -> Option<String> {
    let mut ordered: Vec<&TextEdit> = Vec::new();
    for edit in edits {
        if !ordered.contains(&edit) {
            ordered.push(edit);
        }
    }
    ordered.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for edit in ordered {
        let range = edit.span.range();
        if range.start < at {
            return None;
        }
        result.push_str(text.get(at..range.start)?);
        result.push_str(&edit.text);
        at = range.end;
    }
    result.push_str(text.get(at..)?);
    Some(result)
}

/// A file's syntax, for finding out what stands at a span.
///
/// The evaluator has parsed the file before and refused it if it was nested too deeply,
/// so the stack taken here suffices; the tree does not outlive the call.
pub(crate) fn with_syntax<T>(files: &Files, file: FileId, f: impl FnOnce(Syntax<'_>) -> T) -> T {
    const STACK: usize = 256 << 20;
    let source = files.get(file);
    stacker::grow(STACK, || {
        let parsed = rnix::Root::parse(&source.text);
        f(Syntax {
            file,
            text: &source.text,
            root: parsed.syntax(),
        })
    })
}

/// See [`with_syntax`].
pub(crate) struct Syntax<'a> {
    file: FileId,
    text: &'a str,
    root: SyntaxNode,
}

impl Syntax<'_> {
    fn span(&self, range: TextRange) -> Span {
        Span::new(self.file, range.start().into(), range.end().into())
    }

    /// The expression that covers exactly this span.
    fn expression(&self, span: Span) -> Option<Expr> {
        let range = TextRange::new(TextSize::new(span.start), TextSize::new(span.end));
        if span.file != self.file || !self.root.text_range().contains_range(range) {
            return None;
        }
        let element = self.root.covering_element(range);
        let node = element.into_node().or_else(|| {
            let offset = range.start();
            self.root
                .token_at_offset(offset)
                .right_biased()
                .and_then(|token| token.parent())
        })?;
        node.ancestors()
            .take_while(|node| range.contains_range(node.text_range()))
            .filter(|node| node.text_range() == range)
            .find_map(Expr::cast)
    }

    /// Adds elements to the list that stands at `span`: to the list itself, or to the list on the
    /// right of a `++`.
    pub(crate) fn append_to_list(&self, span: Span, elements: &[String]) -> Option<Vec<TextEdit>> {
        let list = match self.expression(span)? {
            Expr::List(list) => list,
            Expr::BinOp(operation) if operation.operator() == Some(BinOpKind::Concat) => {
                let Some(Expr::List(list)) = operation.rhs() else {
                    return None;
                };
                list
            }
            _ => return None,
        };
        let literals: Vec<String> = elements.iter().map(|it| string_literal(it)).collect();
        let Some(last) = list.items().last() else {
            let text = format!("[ {} ]", literals.join(" "));
            return Some(vec![TextEdit::replace(
                self.span(list.syntax().text_range()),
                text,
            )]);
        };
        let last = self.span(last.syntax().text_range());
        let open = u32::from(list.syntax().text_range().start());
        let multi_line = self
            .text
            .get(open as usize..last.start as usize)
            .is_some_and(|it| it.contains('\n'));
        if !multi_line {
            let text: String = literals.iter().map(|it| format!(" {it}")).collect();
            return Some(vec![TextEdit::insert(self.file, last.end, text)]);
        }
        let indent = self.indent_of(last.start);
        let text: String = literals.iter().map(|it| format!("\n{indent}{it}")).collect();
        Some(vec![TextEdit::insert(
            self.file,
            self.after_comment(last.end),
            text,
        )])
    }

    /// Puts another string where a string literal stands.
    pub(crate) fn replace_string(&self, span: Span, with: &str) -> Option<Vec<TextEdit>> {
        self.plain_string(span)?;
        Some(vec![TextEdit::replace(span, string_literal(with))])
    }

    /// Removes string literals from the lists that they stand in, each with the blank before it, or
    /// with its line when nothing else stands there but a comment. A list that is left without any
    /// element and only added to another one goes with its `++`, if `with_lists`.
    pub(crate) fn remove_elements(&self, spans: &[Span], with_lists: bool) -> Option<Vec<TextEdit>> {
        let mut lists: Vec<(ast::List, Vec<Span>)> = Vec::new();
        for &span in spans {
            let list = ast::List::cast(self.plain_string(span)?.syntax().parent()?)?;
            match lists.iter_mut().find(|(it, _)| *it == list) {
                Some((_, removed)) if removed.contains(&span) => {}
                Some((_, removed)) => removed.push(span),
                None => lists.push((list, vec![span])),
            }
        }
        let mut edits = Vec::new();
        for (list, removed) in lists {
            let emptied = with_lists && list.items().count() == removed.len();
            match self.operand_removal(&list).filter(|_| emptied) {
                Some(edit) => edits.push(edit),
                None => edits.extend(removed.into_iter().map(|span| self.removal(span))),
            }
        }
        Some(edits)
    }

    /// Takes a list and its `++` away from the list that it is added to, if no comment is lost by that.
    fn operand_removal(&self, list: &ast::List) -> Option<TextEdit> {
        let operation = ast::BinOp::cast(list.syntax().parent()?)?;
        if operation.operator() != Some(BinOpKind::Concat) {
            return None;
        }
        let (left, right) = (operation.lhs()?, operation.rhs()?);
        let (left, right) = (left.syntax().text_range(), right.syntax().text_range());
        let range = if *list.syntax() == *operation.rhs()?.syntax() {
            TextRange::new(left.end(), right.end())
        } else {
            TextRange::new(left.start(), right.start())
        };
        let commented = operation
            .syntax()
            .descendants_with_tokens()
            .any(|it| it.kind() == SyntaxKind::TOKEN_COMMENT && range.contains_range(it.text_range()));
        (!commented).then(|| TextEdit::replace(self.span(range), ""))
    }

    /// A string without interpolation.
    fn plain_string(&self, span: Span) -> Option<ast::Str> {
        let Expr::Str(literal) = self.expression(span)? else {
            return None;
        };
        let plain = literal
            .syntax()
            .children()
            .all(|child| child.kind() != SyntaxKind::NODE_INTERPOL);
        plain.then_some(literal)
    }

    fn removal(&self, span: Span) -> TextEdit {
        let before = self.text.get(..span.start as usize).unwrap_or("");
        let after = self.text.get(span.end as usize..).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let alone_before = before.get(line_start..).is_some_and(|it| it.trim().is_empty());
        let rest_of_line = after.lines().next().unwrap_or("");
        // A comment on a line of one element is about that element.
        let rest = rest_of_line.trim();
        if alone_before && (rest.is_empty() || rest.starts_with('#')) && line_start > 0 {
            let end = span.end as usize + rest_of_line.len();
            return TextEdit::replace(Span::new(self.file, line_start as u32 - 1, end as u32), "");
        }
        let blank = before.len() - before.trim_end_matches([' ', '\t']).len();
        TextEdit::replace(Span::new(self.file, span.start - blank as u32, span.end), "")
    }

    /// Puts a new value where the right side of a binding stands.
    pub(crate) fn replace_value(&self, binding: Binding, value: &Value) -> Option<Vec<TextEdit>> {
        self.expression(binding.value)?;
        Some(vec![TextEdit::replace(binding.value, nix_literal(value))])
    }

    /// Puts a new value where a literal stands, wherever that is.
    pub(crate) fn replace_literal(&self, span: Span, value: &Value) -> Option<Vec<TextEdit>> {
        let simple = match self.expression(span)? {
            Expr::Literal(_) | Expr::List(_) => true,
            Expr::Str(_) => self.plain_string(span).is_some(),
            Expr::Ident(ident) => {
                let name = ident.ident_token().map(|token| token.text().to_owned());
                matches!(name.as_deref(), Some("true" | "false" | "null"))
            }
            _ => false,
        };
        simple.then(|| vec![TextEdit::replace(span, nix_literal(value))])
    }

    /// Adds elements where the list is used: `mountOptions = opts;` becomes
    /// `mountOptions = opts ++ [ "noatime" ];`.
    pub(crate) fn append_at_use(&self, binding: Binding, elements: &[String]) -> Option<Vec<TextEdit>> {
        let literals: Vec<String> = elements.iter().map(|it| string_literal(it)).collect();
        self.operator_at_use(
            binding,
            &format!("++ [ {} ]", literals.join(" ")),
            &[BinOpKind::Concat],
        )
    }

    /// Adds options where a set is used: `"/root" = common;` becomes
    /// `"/root" = common // { mountOptions = [ … ]; };`.
    pub(crate) fn update_at_use(
        &self,
        binding: Binding,
        path: &[&str],
        value: &Value,
    ) -> Option<Vec<TextEdit>> {
        let update = format!("// {{ {} = {}; }}", attribute_path(path), nix_literal(value));
        self.operator_at_use(binding, &update, &[BinOpKind::Update])
    }

    fn operator_at_use(
        &self,
        binding: Binding,
        operation: &str,
        same: &[BinOpKind],
    ) -> Option<Vec<TextEdit>> {
        if binding.kind == source::BindingKind::Inherit {
            return None;
        }
        let bare = match self.expression(binding.value)? {
            Expr::BinOp(operation) => operation.operator().is_some_and(|it| same.contains(&it)),
            Expr::Apply(_)
            | Expr::AttrSet(_)
            | Expr::Ident(_)
            | Expr::List(_)
            | Expr::Paren(_)
            | Expr::Select(_) => true,
            _ => false,
        };
        let Span { file, start, end } = binding.value;
        Some(if bare {
            vec![TextEdit::insert(file, end, format!(" {operation}"))]
        } else {
            vec![
                TextEdit::insert(file, start, "("),
                TextEdit::insert(file, end, format!(") {operation}")),
            ]
        })
    }

    /// Adds a binding after one of its siblings, in the sibling's own style: below a dotted path if
    /// that has one, on a line of its own if that stands so.
    pub(crate) fn bind_beside(
        &self,
        sibling: Binding,
        path: &[&str],
        value: &Value,
    ) -> Option<Vec<TextEdit>> {
        let Span { file, start, end } = sibling.whole;
        let prefix = match sibling.kind {
            source::BindingKind::Plain => self.text.get(start as usize..sibling.name.start as usize)?,
            source::BindingKind::Inherit => return None,
        };
        let binding = format!("{prefix}{} = {};", attribute_path(path), nix_literal(value));
        let line_start = self.line_start(start);
        let alone = self
            .text
            .get(line_start as usize..start as usize)?
            .trim()
            .is_empty();
        Some(if alone {
            let indent = self.indent_of(start);
            vec![TextEdit::insert(
                file,
                self.after_comment(end),
                format!("\n{indent}{binding}"),
            )]
        } else {
            vec![TextEdit::insert(file, end, format!(" {binding}"))]
        })
    }

    /// Adds a binding to a set literal that has none.
    pub(crate) fn bind_in_empty_set(
        &self,
        span: Span,
        path: &[&str],
        value: &Value,
    ) -> Option<Vec<TextEdit>> {
        let Expr::AttrSet(set) = self.expression(span)? else {
            return None;
        };
        if set.entries().next().is_some() {
            return None;
        }
        let text = format!("{{ {} = {}; }}", attribute_path(path), nix_literal(value));
        Some(vec![TextEdit::replace(span, text)])
    }

    /// Removes a binding.
    pub(crate) fn unbind(&self, binding: Binding) -> Option<Vec<TextEdit>> {
        match binding.kind {
            source::BindingKind::Plain => Some(vec![self.removal(binding.whole)]),
            source::BindingKind::Inherit => None,
        }
    }

    fn line_start(&self, at: u32) -> u32 {
        self.text
            .get(..at as usize)
            .and_then(|it| it.rfind('\n'))
            .map_or(0, |it| it as u32 + 1)
    }

    fn indent_of(&self, at: u32) -> &str {
        let line = self
            .text
            .get(self.line_start(at) as usize..at as usize)
            .unwrap_or("");
        line.get(..line.len() - line.trim_start().len()).unwrap_or("")
    }

    /// Past a comment that follows on the same line, which belongs to what stands before it.
    fn after_comment(&self, at: u32) -> u32 {
        let rest = self
            .text
            .get(at as usize..)
            .and_then(|it| it.lines().next())
            .unwrap_or("");
        if rest.trim_start().starts_with('#') {
            at + rest.trim_end().len() as u32
        } else {
            at
        }
    }
}

/// A value as Nix text, on one line.
pub(crate) fn nix_literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(it) => it.to_string(),
        // A negative number needs parentheses only inside lists and applications.
        Value::Number(it) => it.to_string(),
        Value::String(it) => string_literal(it),
        Value::Array(list) if list.is_empty() => "[ ]".into(),
        Value::Array(list) => {
            let elements: Vec<_> = list
                .iter()
                .map(|it| match it {
                    Value::Number(number) if number.to_string().starts_with('-') => format!("({number})"),
                    other => nix_literal(other),
                })
                .collect();
            format!("[ {} ]", elements.join(" "))
        }
        Value::Object(map) if map.is_empty() => "{ }".into(),
        Value::Object(map) => {
            let bindings: Vec<_> = map
                .iter()
                .map(|(name, it)| format!("{} = {};", attribute_path(&[name]), nix_literal(it)))
                .collect();
            format!("{{ {} }}", bindings.join(" "))
        }
    }
}

fn attribute_path(path: &[&str]) -> String {
    source::OptionPath::new(path.iter().copied()).to_string()
}

/// A string as Nix text in double quotes.
pub(crate) fn string_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ => literal.push(c),
        }
    }
    literal.push('"');
    literal.replace("${", "\\${")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text after an edit of the first thing that `needle` finds.
    #[track_caller]
    fn edited(text: &str, needle: &str, edit: impl Fn(&Syntax<'_>, Span) -> Option<Vec<TextEdit>>) -> String {
        let files = Files::new();
        let file = files.add("disko.nix", text);
        let start = text.find(needle).unwrap() as u32;
        let span = Span::new(file, start, start + needle.len() as u32);
        let edits = with_syntax(&files, file, |syntax| edit(&syntax, span)).unwrap();
        let result = apply(text, &edits).unwrap();
        assert!(rnix::Root::parse(&result).errors().is_empty(), "{result}");
        result
    }

    fn add(syntax: &Syntax<'_>, span: Span) -> Option<Vec<TextEdit>> {
        syntax.append_to_list(span, &["noatime".into()])
    }

    #[test]
    fn an_element_joins_its_list_in_the_style_of_the_list() {
        assert_eq!(
            edited("{ o = [ \"a\" ]; }", "[ \"a\" ]", add),
            "{ o = [ \"a\" \"noatime\" ]; }"
        );
        assert_eq!(edited("{ o = [ ]; }", "[ ]", add), "{ o = [ \"noatime\" ]; }");
        assert_eq!(
            edited(
                "{\n  o = [\n    \"a\" # why\n  ];\n}",
                "[\n    \"a\" # why\n  ]",
                add
            ),
            "{\n  o = [\n    \"a\" # why\n    \"noatime\"\n  ];\n}",
        );
        assert_eq!(
            edited("{ o = base ++ [ \"a\" ]; }", "base ++ [ \"a\" ]", add),
            "{ o = base ++ [ \"a\" \"noatime\" ]; }",
        );
    }

    #[test]
    fn an_element_leaves_with_its_blank_or_its_line() {
        let remove = |syntax: &Syntax<'_>, span: Span| syntax.remove_elements(&[span], true);
        assert_eq!(
            edited("{ o = [ \"a\" \"b\" ]; }", "\"b\"", remove),
            "{ o = [ \"a\" ]; }"
        );
        assert_eq!(edited("[\n  \"a\"\n  \"b\"\n]", "\"b\"", remove), "[\n  \"a\"\n]");
        assert_eq!(
            edited("[\n  \"a\"\n  \"b\" # why\n]", "\"b\"", remove),
            "[\n  \"a\"\n]"
        );
        assert_eq!(
            edited("[\n  \"a\" \"b\" # why\n]", "\"b\"", remove),
            "[\n  \"a\" # why\n]"
        );
        assert_eq!(edited("{ o = [ \"b\" ]; }", "\"b\"", remove), "{ o = [ ]; }");
    }

    #[test]
    fn a_list_that_is_emptied_leaves_with_its_operator() {
        let remove = |syntax: &Syntax<'_>, span: Span| syntax.remove_elements(&[span], true);
        for (before, after) in [
            ("{ o = base ++ [ \"b\" ]; }", "{ o = base; }"),
            ("{ o = [ \"b\" ] ++ base; }", "{ o = base; }"),
            ("{ o = base ++ [ \"b\" ] ++ more; }", "{ o = base ++ more; }"),
            ("{ o =\n  base\n  ++ [\n    \"b\"\n  ];\n}", "{ o =\n  base;\n}"),
            ("{ o = base ++ [ \"a\" \"b\" ]; }", "{ o = base ++ [ \"a\" ]; }"),
            // A comment is not lost with a list that it may not be about.
            (
                "{ o = base /* first */ ++ [ \"b\" ]; }",
                "{ o = base /* first */ ++ [ ]; }",
            ),
        ] {
            assert_eq!(edited(before, "\"b\"", remove), after);
        }
    }

    #[test]
    fn an_interpolated_string_is_left_alone() {
        let files = Files::new();
        let file = files.add("a.nix", "[ \"${x}\" ]");
        let span = Span::new(file, 2, 8);
        assert_eq!(
            with_syntax(&files, file, |syntax| syntax.remove_elements(&[span], true)),
            None
        );
    }

    #[test]
    fn a_literal_escapes_what_nix_would_read() {
        assert_eq!(string_literal("a\"${b}\\\n"), r#""a\"\${b}\\\n""#);
        assert_eq!(
            nix_literal(&serde_json::json!([-1, "x", { "a b": true }])),
            r#"[ (-1) "x" { "a b" = true; } ]"#
        );
    }
}
