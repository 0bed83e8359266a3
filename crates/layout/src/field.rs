//! Reading typed fields out of a [`Tree`], with a problem and a place for what does not fit.

use std::sync::Arc;

use source::{Attr, Attrs, Binding, Node, OptionPath, Origin, Problem, Sourced, Span, Tree, Unknown};

use crate::model::{Layout, MountOptions, Place, Properties, Property, Text, UnknownPart};

/// What an option was set to.
#[derive(Clone, Debug)]
pub(crate) enum Field<T> {
    /// Nobody set it.
    Absent,
    /// It was set to `null`.
    Null,
    /// Its value.
    Known(T),
    /// It was set, to something that is not known, failed or has the wrong type.
    /// A problem or an unknown part has been noted.
    Unknown(Arc<Unknown>),
}

impl<T> Field<T> {
    /// The value, if there is a known one.
    pub(crate) fn known(self) -> Option<T> {
        match self {
            Field::Known(value) => Some(value),
            Field::Absent | Field::Null | Field::Unknown(_) => None,
        }
    }
}

/// A set of the layout with its option path.
#[derive(Clone)]
pub(crate) struct Set<'a> {
    /// Its attributes.
    pub(crate) attrs: &'a Attrs,
    /// Its option path.
    pub(crate) path: OptionPath,
    /// The expression that made it.
    pub(crate) origin: &'a Origin,
    /// What set it.
    pub(crate) bindings: &'a [Binding],
    /// Whose defaults hold for what is not set in it: `disko` or `nixos`.
    pub(crate) of: &'static str,
}

impl<'a> Set<'a> {
    /// Where the set is named, for messages about it as a whole.
    pub(crate) fn span(&self) -> Option<Span> {
        name_origin(self.bindings, self.origin).span()
    }

    /// The attribute of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Attr> {
        self.attrs.get(name)
    }
}

/// Where the name of an attribute was written; where its value stands when no binding is known.
pub(crate) fn name_origin(bindings: &[Binding], value: &Origin) -> Origin {
    match bindings.first() {
        Some(binding) => Origin::Nix(binding.name),
        None => value.clone(),
    }
}

impl Layout {
    /// Puts the unknown parts into the order that looking them up relies on.
    pub(crate) fn sort_unknown(&mut self) {
        self.unknown.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// Notes that a part is not known.
    pub(crate) fn note_unknown(&mut self, path: &OptionPath, because: &Arc<Unknown>) {
        self.unknown.push(UnknownPart {
            path: path.clone(),
            because: because.clone(),
        });
    }

    /// Notes that a part cannot be read, as an error and as unknown. `reason` reads on after the
    /// path: `is a string, not a list`.
    pub(crate) fn note_bad(&mut self, path: &OptionPath, reason: &str, span: Option<Span>) -> Arc<Unknown> {
        let problem = Problem::error(format!("{path} {reason}")).at(span);
        self.note_problem(path, reason, problem)
    }

    fn note_problem(&mut self, path: &OptionPath, reason: &str, problem: Problem) -> Arc<Unknown> {
        let because = Arc::new(Unknown {
            name: path.to_string().into(),
            because: reason.into(),
            span: problem.span,
        });
        self.problems.push(problem);
        self.note_unknown(path, &because);
        because
    }

    /// Notes why a value is not of the kind that its option takes.
    pub(crate) fn note_unfit(&mut self, path: &OptionPath, tree: &Tree, expected: &str) -> Arc<Unknown> {
        match &tree.node {
            Node::Unknown(because) => {
                self.note_unknown(path, because);
                because.clone()
            }
            Node::Failed(failed) => {
                let mut problem = Problem::clone(failed);
                problem.message = format!("{path}: {}", failed.message);
                problem.span = problem.span.or(tree.origin.span());
                self.note_problem(path, &format!("failed: {}", failed.message), problem)
            }
            _ => {
                let reason = format!("is {}, not {expected}", tree.kind());
                self.note_bad(path, &reason, tree.origin.span())
            }
        }
    }

    /// Any option, `convert` saying whether its value fits.
    fn field<T>(
        &mut self,
        set: &Set<'_>,
        name: &str,
        expected: &str,
        convert: impl FnOnce(&Node) -> Option<T>,
    ) -> Field<Sourced<T>> {
        let Some(attr) = set.get(name) else {
            return Field::Absent;
        };
        if matches!(attr.tree.node, Node::Null) {
            return Field::Null;
        }
        match convert(&attr.tree.node) {
            Some(value) => Field::Known(Sourced::new(value, attr.tree.origin.clone())),
            None => Field::Unknown(self.note_unfit(&set.path.join(name), &attr.tree, expected)),
        }
    }

    /// A string. Paths count as strings, as they do wherever Nix wants one in a layout.
    pub(crate) fn text(&mut self, set: &Set<'_>, name: &str) -> Field<Text> {
        self.field(set, name, "a string", |node| match node {
            Node::Str(text) | Node::Path(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A string that starts with a slash.
    pub(crate) fn absolute(&mut self, set: &Set<'_>, name: &str) -> Field<Text> {
        self.field(set, name, "an absolute path", |node| match node {
            Node::Str(text) | Node::Path(text) if text.starts_with('/') => Some(text.clone()),
            _ => None,
        })
    }

    /// A Boolean.
    pub(crate) fn boolean(&mut self, set: &Set<'_>, name: &str) -> Field<Sourced<bool>> {
        self.field(set, name, "a Boolean", |node| match node {
            Node::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// An integer.
    pub(crate) fn integer(&mut self, set: &Set<'_>, name: &str) -> Field<Sourced<i64>> {
        self.field(set, name, "an integer", |node| match node {
            Node::Int(value) => Some(*value),
            _ => None,
        })
    }

    /// A list of strings; elements that are none are noted and left out.
    /// `None` when nobody set it.
    fn text_list(&mut self, set: &Set<'_>, name: &str) -> (Option<Vec<Text>>, Option<Arc<Unknown>>) {
        let Some(attr) = set.get(name) else {
            return (None, None);
        };
        let path = set.path.join(name);
        let Some(elements) = attr.tree.as_list() else {
            return (
                Some(Vec::new()),
                Some(self.note_unfit(&path, &attr.tree, "a list of strings")),
            );
        };
        let mut texts = Vec::with_capacity(elements.len());
        let mut unknown = None;
        for (index, element) in elements.iter().enumerate() {
            match &element.node {
                Node::Str(text) | Node::Path(text) => {
                    texts.push(Text::new(text.clone(), element.origin.clone()));
                }
                _ => {
                    let path = path.join(&entry_name(index));
                    let because = self.note_unfit(&path, element, "a string");
                    unknown.get_or_insert(because);
                }
            }
        }
        (Some(texts), unknown)
    }

    /// A list of strings, empty when nobody set it.
    pub(crate) fn texts(&mut self, set: &Set<'_>, name: &str) -> Vec<Text> {
        self.text_list(set, name).0.unwrap_or_default()
    }

    /// A list of mount options.
    pub(crate) fn mount_options(&mut self, set: &Set<'_>, name: &str) -> MountOptions {
        let (list, unknown) = self.text_list(set, name);
        MountOptions {
            place: place(set, name),
            written: list.is_some(),
            list: list.unwrap_or_default(),
            unknown,
        }
    }

    /// A set, unless it is absent, `null` or not one.
    pub(crate) fn set<'a>(&mut self, set: &Set<'a>, name: &str) -> Field<Set<'a>> {
        let Some(attr) = set.get(name) else {
            return Field::Absent;
        };
        self.set_of(attr, set.path.join(name), set.of)
    }

    /// An attribute's value as a set.
    pub(crate) fn set_of<'a>(
        &mut self,
        attr: &'a Attr,
        path: OptionPath,
        of: &'static str,
    ) -> Field<Set<'a>> {
        match &attr.tree.node {
            Node::Null => Field::Null,
            Node::Attrs(attrs) => Field::Known(Set {
                attrs,
                path,
                origin: &attr.tree.origin,
                bindings: &attr.bindings,
                of,
            }),
            _ => Field::Unknown(self.note_unfit(&path, &attr.tree, "a set")),
        }
    }

    /// The sets inside a set of sets, by name; what is none is noted and left out.
    pub(crate) fn sets<'a>(&mut self, set: &Set<'a>, name: &str) -> Vec<(Arc<str>, Set<'a>)> {
        let Some(outer) = self.set(set, name).known() else {
            return Vec::new();
        };
        outer
            .attrs
            .iter()
            .filter_map(|(name, attr)| {
                let path = outer.path.join(name);
                match self.set_of(attr, path, outer.of) {
                    Field::Known(inner) => Some((name.clone(), inner)),
                    Field::Null => {
                        self.note_unfit(&outer.path.join(name), &attr.tree, "a set");
                        None
                    }
                    Field::Absent | Field::Unknown(_) => None,
                }
            })
            .collect()
    }

    /// A set of properties, as ZFS has them: strings by name.
    pub(crate) fn properties(&mut self, set: &Set<'_>, name: &str) -> Properties {
        let mut properties = Properties {
            place: place(set, name),
            values: Vec::new(),
            unknown: Vec::new(),
            whole_unknown: None,
        };
        match self.set(set, name) {
            Field::Absent | Field::Null => {}
            Field::Unknown(because) => properties.whole_unknown = Some(because),
            Field::Known(set) => {
                for (name, attr) in set.attrs {
                    match self.text(&set, name) {
                        Field::Known(value) => properties.values.push(Property {
                            name: name.clone(),
                            value,
                            bindings: attr.bindings.clone(),
                        }),
                        Field::Unknown(because) => properties.unknown.push((name.clone(), because)),
                        Field::Null => {
                            let because = self.note_unfit(&set.path.join(name), &attr.tree, "a string");
                            properties.unknown.push((name.clone(), because));
                        }
                        Field::Absent => {}
                    }
                }
            }
        }
        properties
    }
}

/// What the module system calls the element of a list at this index, as in its error messages.
pub(crate) fn entry_name(index: usize) -> String {
    format!("[definition 1-entry {}]", index + 1)
}

/// The place of an option of a set.
pub(crate) fn place(set: &Set<'_>, name: &str) -> Place {
    let path = set.path.join(name);
    match set.get(name) {
        Some(attr) => Place {
            path,
            origin: attr.tree.origin.clone(),
            bindings: attr.bindings.clone(),
        },
        None => Place {
            origin: Origin::Default {
                option: path.to_string().into(),
                of: set.of,
            },
            path,
            bindings: Vec::new(),
        },
    }
}
