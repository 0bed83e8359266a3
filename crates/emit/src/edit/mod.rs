//! Edits of the person's own files, at the place where each value was written, each proven by
//! evaluating again.
//!
//! An option can be changed in several places: in the literal that made the value, where the value
//! is used, beside its siblings, or where the set around it is used. The places are tried in this
//! order. An edit counts only when, after it, the whole configuration evaluates to exactly what it
//! evaluated to before, but for the options that were meant to change.

mod compare;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rules::{Change, LayoutEdit, ListEdit};
use serde_json::Value;
use source::{Attr, Attrs, Binding, FileId, Files, Node, OptionPath, Origin, Span, Tree};

use compare::{differences, plain};
pub use text::TextEdit;
pub(crate) use text::nix_literal;
use text::with_syntax;

/// New texts by the path under which [`Files`] shows the file.
pub type Texts = BTreeMap<Arc<str>, String>;

/// A configuration that can be evaluated with some files replaced.
pub struct Configuration<'a> {
    /// The files as read.
    pub files: &'a Files,
    /// What the configuration evaluated to: every option that its files define.
    pub tree: &'a Tree,
    /// Evaluates again with these texts in place of the files'.
    pub evaluate: &'a dyn Fn(&Texts) -> Tree,
}

/// Edits that were proven, and what came of each finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits {
    /// The new text of each file that changes.
    pub texts: Texts,
    /// The options that change, with their new values.
    pub changed: BTreeMap<OptionPath, Option<Value>>,
    /// For each finding that asked for edits (by its number in the input): what came of it.
    pub outcomes: BTreeMap<usize, EditOutcome>,
}

/// What came of a finding's edits.
#[derive(Clone, Debug, PartialEq)]
pub enum EditOutcome {
    /// They are in [`Edits::texts`]; this is this finding's part of them.
    Proven(Vec<TextEdit>),
    /// They were dropped, for this reason.
    Dropped(String),
}

/// One option that is to change, for all findings that want it.
struct Target {
    path: OptionPath,
    goal: Goal,
    findings: BTreeSet<usize>,
    /// What each finding wants of a list.
    wants: BTreeMap<usize, Vec<ListEdit>>,
    /// The place in [`PLACES`] that is tried now.
    place: usize,
}

enum Goal {
    List {
        edits: Vec<ListEdit>,
        old: Vec<String>,
        new: Vec<String>,
    },
    Value(Value),
    Gone,
}

/// Where an option can be changed, in the order of preference.
#[derive(Clone, Copy)]
enum Where {
    /// In the literal that made the value.
    Literal,
    /// In the expression to the right of the option's own binding.
    Use,
    /// In a new binding beside its siblings.
    Sibling,
    /// In a `//` where the set around it is used.
    EnclosingUse,
}

const PLACES: [Where; 4] = [Where::Literal, Where::Use, Where::Sibling, Where::EnclosingUse];

impl Goal {
    /// The value after the change.
    fn value(&self) -> Option<Value> {
        match self {
            Goal::List { new, .. } => Some(Value::from(new.clone())),
            Goal::Value(value) => Some(value.clone()),
            Goal::Gone => None,
        }
    }
}

/// Makes the edits of these findings' changes and proves them. `changes` holds, for each finding in
/// the order of importance, its number and its changes; changes that are no layout edits are passed over.
pub fn edit<'c>(
    configuration: &Configuration<'_>,
    changes: impl IntoIterator<Item = (usize, &'c [Change])>,
) -> Edits {
    let mut dropped = BTreeMap::new();
    let mut targets = gather(configuration.tree, changes, &mut dropped);
    let mut proven: Vec<(Target, Vec<TextEdit>)> = Vec::new();

    // Most often everything can be done in the first place that offers itself, and one evaluation proves it.
    let first: Option<Vec<_>> = targets
        .iter_mut()
        .map(|target| next_edits(configuration, target))
        .collect();
    match first {
        Some(edits) if proves(configuration, &targets, edits.iter().flatten()).is_some() => {
            proven = targets.into_iter().zip(edits).collect();
        }
        _ => {
            for mut group in independent(configuration, targets) {
                match prove_group(configuration, &mut group) {
                    Some(edits) => proven.extend(group.into_iter().zip(edits)),
                    None => {
                        // Together they do not work out; some of them may, one by one.
                        for mut target in group {
                            target.place = 0;
                            let mut alone = [target];
                            match prove_group(configuration, &mut alone) {
                                Some(edits) => proven.extend(alone.into_iter().zip(edits)),
                                None => drop_target(&alone[0], &mut dropped),
                            }
                        }
                    }
                }
            }
        }
    }

    // A finding stands or falls as a whole.
    while let Some(at) = proven
        .iter()
        .position(|(target, _)| target.findings.iter().all(|it| dropped.contains_key(it)))
    {
        proven.remove(at);
    }
    let (targets, edits): (Vec<_>, Vec<_>) = proven.into_iter().unzip();
    let Some(texts) = proves(configuration, &targets, edits.iter().flatten()) else {
        let reason = "the edits do not work out together".to_owned();
        let all = targets.iter().flat_map(|target| target.findings.iter().copied());
        dropped.extend(all.map(|finding| (finding, reason.clone())));
        return Edits {
            outcomes: outcomes(dropped, BTreeMap::new()),
            ..Edits::default()
        };
    };
    let findings: BTreeSet<usize> = targets
        .iter()
        .flat_map(|target| target.findings.iter().copied())
        .collect();
    let done = findings
        .into_iter()
        .filter(|finding| !dropped.contains_key(finding))
        .map(|finding| {
            let mut own: Vec<TextEdit> = Vec::new();
            for (target, edits) in targets.iter().zip(&edits) {
                if target.findings.contains(&finding) {
                    let part = part(configuration, target, finding, edits);
                    // What several options share is changed once.
                    own.extend(
                        part.into_iter()
                            .filter(|edit| !own.contains(edit))
                            .collect::<Vec<_>>(),
                    );
                }
            }
            (finding, own)
        });
    let done = done.collect();
    let changed = targets
        .iter()
        .map(|target| (target.path.clone(), target.goal.value()))
        .collect();
    Edits {
        texts,
        changed,
        outcomes: outcomes(dropped, done),
    }
}

/// What a finding has of the edits of an option that others change too: its own elements of the list,
/// or all of them where they cannot be told apart.
fn part(
    configuration: &Configuration<'_>,
    target: &Target,
    finding: usize,
    edits: &[TextEdit],
) -> Vec<TextEdit> {
    let alone = || {
        let (Goal::List { old, .. }, Some(Where::Literal)) = (&target.goal, PLACES.get(target.place)) else {
            return None;
        };
        let wants = target.wants.get(&finding)?;
        let goal = Goal::List {
            edits: wants.clone(),
            old: old.clone(),
            new: edited_list(old, wants),
        };
        in_literal(
            configuration.files,
            lookup(configuration.tree, &target.path)?,
            &goal,
        )
    };
    (target.findings.len() > 1)
        .then(alone)
        .flatten()
        .filter(|own| own.iter().all(|edit| edits.contains(edit)))
        .unwrap_or_else(|| edits.to_vec())
}

fn outcomes(
    dropped: BTreeMap<usize, String>,
    done: BTreeMap<usize, Vec<TextEdit>>,
) -> BTreeMap<usize, EditOutcome> {
    let done = done
        .into_iter()
        .map(|(finding, edits)| (finding, EditOutcome::Proven(edits)));
    let dropped = dropped
        .into_iter()
        .map(|(finding, reason)| (finding, EditOutcome::Dropped(reason)));
    done.chain(dropped).collect()
}

fn drop_target(target: &Target, dropped: &mut BTreeMap<usize, String>) {
    for &finding in &target.findings {
        dropped.entry(finding).or_insert_with(|| {
            format!(
                "no place was found where `{}` can be changed without changing anything else",
                target.path
            )
        });
    }
}

/// The options that are to change, each once, with all that the findings want of it.
fn gather<'c>(
    tree: &Tree,
    changes: impl IntoIterator<Item = (usize, &'c [Change])>,
    dropped: &mut BTreeMap<usize, String>,
) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for (finding, changes) in changes {
        for change in changes {
            let Change::Layout(wanted) = change else { continue };
            if let Err(reason) = merge(tree, &mut targets, finding, wanted) {
                dropped.insert(finding, reason);
            }
        }
    }
    // What only a dropped finding wanted is not to be done.
    targets.retain(|target| target.findings.iter().any(|it| !dropped.contains_key(it)));
    // An option that already is as wanted needs no edit.
    targets.retain(|target| lookup(tree, &target.path).map(|attr| plain(&attr.tree)) != target.goal.value());
    targets
}

fn merge(tree: &Tree, targets: &mut Vec<Target>, finding: usize, wanted: &LayoutEdit) -> Result<(), String> {
    let path = match wanted {
        LayoutEdit::Options { list, .. } => list,
        LayoutEdit::Set { path, .. } | LayoutEdit::Unset { path } => path,
    };
    let wants = match wanted {
        LayoutEdit::Options { edits, .. } => edits.clone(),
        LayoutEdit::Set { .. } | LayoutEdit::Unset { .. } => Vec::new(),
    };
    let existing = targets.iter().position(|target| target.path == *path);
    let goal = match (wanted, existing.map(|at| &targets[at].goal)) {
        (LayoutEdit::Options { edits, .. }, previous) => {
            let old = match lookup(tree, path) {
                None => Vec::new(),
                Some(attr) => {
                    strings(&attr.tree).ok_or_else(|| format!("`{path}` is not a list of known strings"))?
                }
            };
            let mut all = match previous {
                None => Vec::new(),
                Some(Goal::List { edits, .. }) => edits.clone(),
                Some(_) => return Err(format!("another finding gives `{path}` a different value")),
            };
            for edit in edits {
                if let Some(other) = all.iter().find(|other| clash(other, edit)) {
                    return Err(format!("another finding wants `{path}` otherwise ({other:?})"));
                }
                if !all.contains(edit) {
                    all.push(edit.clone());
                }
            }
            let new = edited_list(&old, &all);
            Goal::List { edits: all, old, new }
        }
        (LayoutEdit::Set { value, .. }, None) => Goal::Value(value.clone()),
        (LayoutEdit::Set { value, .. }, Some(Goal::Value(other))) if other == value => {
            Goal::Value(value.clone())
        }
        (LayoutEdit::Unset { .. }, None | Some(Goal::Gone)) => Goal::Gone,
        (_, Some(_)) => return Err(format!("another finding gives `{path}` a different value")),
    };
    match existing {
        Some(at) => {
            targets[at].goal = goal;
            targets[at].findings.insert(finding);
            targets[at].wants.entry(finding).or_default().extend(wants);
        }
        None => targets.push(Target {
            path: path.clone(),
            goal,
            findings: [finding].into(),
            wants: [(finding, wants)].into(),
            place: 0,
        }),
    }
    Ok(())
}

/// Whether two edits of one list contradict each other: they give the same key different values,
/// or one takes away what the other puts in.
fn clash(one: &ListEdit, other: &ListEdit) -> bool {
    fn puts(edit: &ListEdit) -> Option<&str> {
        match edit {
            ListEdit::Add(option) | ListEdit::Replace { with: option, .. } => Some(option),
            ListEdit::Remove(_) | ListEdit::Once(_) => None,
        }
    }
    fn takes(edit: &ListEdit) -> Option<&str> {
        match edit {
            ListEdit::Add(_) | ListEdit::Once(_) => None,
            ListEdit::Remove(option) | ListEdit::Replace { option, .. } => Some(option),
        }
    }
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    if one == other {
        return false;
    }
    matches!((puts(one), puts(other)), (Some(a), Some(b)) if a != b && key(a) == key(b))
        || matches!((puts(one), takes(other)), (Some(a), Some(b)) if a == b)
        || matches!((takes(one), puts(other)), (Some(a), Some(b)) if a == b)
        || matches!((one, other), (ListEdit::Replace { option: a, .. }, ListEdit::Remove(b))
            | (ListEdit::Remove(b), ListEdit::Replace { option: a, .. }) if a == b)
}

/// The list after the edits. Elements may hold several options joined by commas.
fn edited_list(old: &[String], edits: &[ListEdit]) -> Vec<String> {
    let added = edits.iter().filter_map(|edit| match edit {
        ListEdit::Add(option) => Some(option.clone()),
        _ => None,
    });
    edited_elements(old, edits)
        .into_iter()
        .flatten()
        .chain(added)
        .collect()
}

/// What becomes of each element: its new text, or `None` when it goes.
fn edited_elements(old: &[String], edits: &[ListEdit]) -> Vec<Option<String>> {
    let mut list: Vec<Option<String>> = old.iter().cloned().map(Some).collect();
    for edit in edits {
        match edit {
            ListEdit::Add(_) => {}
            ListEdit::Remove(option) => list.iter_mut().for_each(|it| substitute(it, option, None)),
            ListEdit::Once(option) => {
                let holds = |it: &Option<String>| {
                    it.as_ref()
                        .is_some_and(|text| text.split(',').any(|part| part == option))
                };
                let last = list.iter().rposition(holds).unwrap_or(0);
                list.iter_mut()
                    .take(last)
                    .for_each(|it| substitute(it, option, None));
            }
            ListEdit::Replace { option, with } => {
                list.iter_mut().for_each(|it| substitute(it, option, Some(with)));
            }
        }
    }
    list
}

fn substitute(element: &mut Option<String>, option: &str, with: Option<&str>) {
    let Some(text) = element else { return };
    if !text.split(',').any(|part| part == option) {
        return;
    }
    let parts: Vec<&str> = text
        .split(',')
        .filter_map(|part| if part == option { with } else { Some(part) })
        .collect();
    *element = (!parts.is_empty()).then(|| parts.join(","));
}

/// The strings of a list; `None` when it is no list, or holds something else.
fn strings(tree: &Tree) -> Option<Vec<String>> {
    tree.as_list()?
        .iter()
        .map(|element| element.as_str().map(str::to_owned))
        .collect()
}

/// The attribute at an option path; a segment below a list is an index.
fn lookup<'t>(tree: &'t Tree, path: &OptionPath) -> Option<&'t Attr> {
    let mut tree = tree;
    let mut found = None;
    for segment in path.segments() {
        match &tree.node {
            Node::List(elements) => tree = elements.get(segment.parse::<usize>().ok()?)?,
            Node::Attrs(attrs) => {
                let attr = attrs.get(segment)?;
                found = Some(attr);
                tree = &attr.tree;
            }
            _ => return None,
        }
    }
    found
}

/// The value at an option path, elements of lists included.
fn lookup_tree<'t>(tree: &'t Tree, path: &OptionPath) -> Option<&'t Tree> {
    path.segments()
        .iter()
        .try_fold(tree, |tree, segment| match &tree.node {
            Node::List(elements) => elements.get(segment.parse::<usize>().ok()?),
            Node::Attrs(attrs) => attrs.get(segment).map(|attr| &attr.tree),
            _ => None,
        })
}

/// The edits of the first place, from the target's current one on, that can be edited at all.
fn next_edits(configuration: &Configuration<'_>, target: &mut Target) -> Option<Vec<TextEdit>> {
    while let Some(&place) = PLACES.get(target.place) {
        if let Some(edits) = edits_at(configuration, target, place).filter(|edits| !edits.is_empty()) {
            return Some(edits);
        }
        target.place += 1;
    }
    None
}

fn edits_at(configuration: &Configuration<'_>, target: &Target, place: Where) -> Option<Vec<TextEdit>> {
    let Configuration { files, tree, .. } = configuration;
    let written = lookup(tree, &target.path);
    match (place, written) {
        (Where::Literal, Some(attr)) => in_literal(files, attr, &target.goal),
        (Where::Use, Some(attr)) => {
            let binding = single(attr)?;
            in_syntax(files, binding, |syntax| match &target.goal {
                Goal::List { old, new, .. } if new.len() > old.len() && new.starts_with(old) => {
                    syntax.append_at_use(binding, new.get(old.len()..)?)
                }
                Goal::List { .. } | Goal::Value(_) => syntax.replace_value(binding, &target.goal.value()?),
                Goal::Gone => None,
            })
        }
        (Where::Sibling, None) => {
            let (set, rest) = enclosing(tree, &target.path)?;
            let rest: Vec<&str> = rest.iter().map(|it| &**it).collect();
            let value = target.goal.value()?;
            match sibling(set.as_attrs()?) {
                Some(beside) => in_syntax(files, beside, |syntax| syntax.bind_beside(beside, &rest, &value)),
                None => {
                    let span = set.origin.span()?;
                    with_syntax(files, span.file, |syntax| {
                        syntax.bind_in_empty_set(span, &rest, &value)
                    })
                }
            }
        }
        (Where::EnclosingUse, None) => {
            let parent = target.path.parent();
            let binding = single(lookup(tree, &parent)?)?;
            let name = target.path.segments().last()?;
            let value = target.goal.value()?;
            in_syntax(files, binding, |syntax| {
                syntax.update_at_use(binding, &[name], &value)
            })
        }
        _ => None,
    }
}

fn in_syntax<T>(files: &Files, binding: Binding, f: impl FnOnce(text::Syntax<'_>) -> Option<T>) -> Option<T> {
    with_syntax(files, binding.whole.file, f)
}

/// The one binding that set an attribute; `None` when modules were merged.
fn single(attr: &Attr) -> Option<Binding> {
    match attr.bindings[..] {
        [binding] => Some(binding),
        _ => None,
    }
}

/// Edits of the literals that made a value.
fn in_literal(files: &Files, attr: &Attr, goal: &Goal) -> Option<Vec<TextEdit>> {
    match goal {
        Goal::List { edits, .. } => {
            let mut made = Vec::new();
            let old = strings(&attr.tree)?;
            let elements = attr
                .tree
                .as_list()?
                .iter()
                .zip(&old)
                .zip(edited_elements(&old, edits));
            let mut removed: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
            for ((element, old), new) in elements {
                if new.as_ref() == Some(old) {
                    continue;
                }
                let Origin::Nix(span) = element.origin else {
                    return None;
                };
                match &new {
                    Some(text) => made.extend(with_syntax(files, span.file, |syntax| {
                        syntax.replace_string(span, text)
                    })?),
                    None => removed.entry(span.file).or_default().push(span),
                }
            }
            let added = edited_list(&[], edits);
            for (file, spans) in removed {
                made.extend(with_syntax(files, file, |syntax| {
                    syntax.remove_elements(&spans, added.is_empty())
                })?);
            }
            if !added.is_empty() {
                // Of several merged lists the last one is last in the result too.
                let span = match &attr.tree.origin {
                    Origin::Nix(span) => *span,
                    Origin::Derived(parts) => parts.iter().rev().find_map(Origin::span)?,
                    Origin::Default { .. } | Origin::Probe(_) => return None,
                };
                made.extend(with_syntax(files, span.file, |syntax| {
                    syntax.append_to_list(span, &added)
                })?);
            }
            Some(made)
        }
        Goal::Value(value) => {
            let Origin::Nix(span) = attr.tree.origin else {
                return None;
            };
            with_syntax(files, span.file, |syntax| syntax.replace_literal(span, value))
        }
        Goal::Gone => {
            let binding = single(attr)?;
            in_syntax(files, binding, |syntax| syntax.unbind(binding))
        }
    }
}

/// The deepest set on the way to an option that exists, and the rest of the path.
fn enclosing<'t>(tree: &'t Tree, path: &OptionPath) -> Option<(&'t Tree, Vec<Arc<str>>)> {
    let mut at = path.parent();
    let mut rest = vec![path.segments().last()?.clone()];
    loop {
        if let Some(set) = lookup_tree(tree, &at) {
            return matches!(set.node, Node::Attrs(_)).then_some((set, rest));
        }
        rest.insert(0, at.segments().last()?.clone());
        at = at.parent();
    }
}

/// The binding that a new one should follow: the last one, in the text, with a plain value.
/// A set or a list as value tends to be long, and what follows it is hard to find.
fn sibling(attrs: &Attrs) -> Option<Binding> {
    let single = |attr: &Attr| single(attr).filter(|it| it.kind == source::BindingKind::Plain);
    let scalar = |attr: &&Attr| !matches!(attr.tree.node, Node::Attrs(_) | Node::List(_));
    let last = |a: &Binding, b: &Binding| a.whole.cmp(&b.whole);
    let plain = attrs.values().filter(scalar).filter_map(single).max_by(last);
    plain.or_else(|| attrs.values().filter_map(single).max_by(last))
}

/// Groups of targets whose edits do not touch the same place.
fn independent(configuration: &Configuration<'_>, targets: Vec<Target>) -> Vec<Vec<Target>> {
    let mut groups: Vec<(BTreeSet<TextEdit>, Vec<Target>)> = Vec::new();
    for mut target in targets {
        let mut places: BTreeSet<TextEdit> = next_edits(configuration, &mut target)
            .unwrap_or_default()
            .into_iter()
            .collect();
        target.place = 0;
        let mut group = vec![target];
        let touches = |a: &BTreeSet<TextEdit>, b: &BTreeSet<TextEdit>| {
            a.iter().any(|one| b.iter().any(|other| one.span == other.span))
        };
        while let Some(at) = groups.iter().position(|(others, _)| touches(others, &places)) {
            let (others, members) = groups.remove(at);
            places.extend(others);
            group.splice(0..0, members);
        }
        groups.push((places, group));
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Tries the places of a group one after the other until its edits are proven.
fn prove_group(configuration: &Configuration<'_>, group: &mut [Target]) -> Option<Vec<Vec<TextEdit>>> {
    loop {
        let edits: Vec<_> = group
            .iter_mut()
            .map(|target| next_edits(configuration, target))
            .collect::<Option<_>>()?;
        if proves(configuration, group, edits.iter().flatten()).is_some() {
            return Some(edits);
        }
        group.iter_mut().for_each(|target| target.place += 1);
    }
}

/// Applies the edits and evaluates again: the new texts, if exactly the targets changed, to what they were meant to be.
fn proves<'e>(
    configuration: &Configuration<'_>,
    targets: &[Target],
    edits: impl Iterator<Item = &'e TextEdit>,
) -> Option<Texts> {
    let texts = apply_all(configuration.files, edits)?;
    if targets.is_empty() {
        return Some(texts);
    }
    let after = (configuration.evaluate)(&texts);
    let changed = differences(configuration.tree, &after);
    let intended: BTreeMap<_, _> = targets
        .iter()
        .map(|target| (target.path.clone(), target.goal.value()))
        .collect();
    (changed == intended).then_some(texts)
}

fn apply_all<'e>(files: &Files, edits: impl Iterator<Item = &'e TextEdit>) -> Option<Texts> {
    let mut by_file: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edit in edits {
        by_file.entry(edit.span.file).or_default().push(edit.clone());
    }
    by_file
        .into_iter()
        .map(|(file, edits)| {
            let source = files.get(file);
            // What stands for bytes that are not UTF-8 must not be written back in their place.
            let faithful = !source.text.contains(char::REPLACEMENT_CHARACTER);
            Some((
                source.path.clone(),
                text::apply(&source.text, &edits).filter(|_| faithful)?,
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(options: &[&str]) -> Vec<String> {
        options.iter().map(|&it| it.to_owned()).collect()
    }

    #[test]
    fn joined_options_are_edited_one_by_one() {
        let edits = [
            ListEdit::Remove("ssd".into()),
            ListEdit::Replace {
                option: "compress=zstd:15".into(),
                with: "compress=zstd:3".into(),
            },
            ListEdit::Add("noatime".into()),
        ];
        let new = edited_list(&list(&["ssd,compress=zstd:15", "ssd"]), &edits);
        assert_eq!(new, ["compress=zstd:3", "noatime"]);
    }

    #[test]
    fn of_several_equal_options_the_last_one_stays() {
        let new = edited_list(
            &list(&["noatime", "ro", "noatime"]),
            &[ListEdit::Once("noatime".into())],
        );
        assert_eq!(new, ["ro", "noatime"]);
    }

    #[test]
    fn edits_clash_when_they_disagree_about_a_key() {
        let add = |it: &str| ListEdit::Add(it.into());
        let remove = |it: &str| ListEdit::Remove(it.into());
        assert!(clash(&add("compress=zstd:1"), &add("compress=zstd:3")));
        assert!(clash(&add("noatime"), &remove("noatime")));
        assert!(!clash(&add("noatime"), &add("noatime")));
        assert!(!clash(&add("noatime"), &remove("ssd")));
    }
}
