//! Two evaluated configurations, option by option.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use source::{Attrs, Node, OptionPath, Tree};

/// Every option whose value differs, with the value it has afterwards (`None`: it is gone).
///
/// Sets are compared attribute by attribute and lists of sets element by element
/// (the segment is then the index); any other list is one value.
pub(crate) fn differences(before: &Tree, after: &Tree) -> BTreeMap<OptionPath, Option<Value>> {
    let mut found = BTreeMap::new();
    compare(Some(before), Some(after), &OptionPath::default(), &mut found);
    found
}

fn compare(
    before: Option<&Tree>,
    after: Option<&Tree>,
    path: &OptionPath,
    found: &mut BTreeMap<OptionPath, Option<Value>>,
) {
    if let (Some(Node::List(old)), Some(Node::List(new))) =
        (before.map(|it| &it.node), after.map(|it| &it.node))
        && old.len() == new.len()
        && old.iter().any(|element| matches!(element.node, Node::Attrs(_)))
    {
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            compare(Some(old), Some(new), &path.join(&index.to_string()), found);
        }
        return;
    }
    let old_attrs = before.and_then(Tree::as_attrs);
    let new_attrs = after.and_then(Tree::as_attrs);
    match (old_attrs, new_attrs) {
        (Some(old), Some(new)) => compare_attrs(old, new, path, found),
        // A set that appears or goes is the sum of what is in it.
        (None, Some(new)) if before.is_none() && !new.is_empty() => {
            compare_attrs(&Attrs::new(), new, path, found);
        }
        (Some(old), None) if after.is_none() && !old.is_empty() => {
            compare_attrs(old, &Attrs::new(), path, found);
        }
        _ => {
            let (old, new) = (before.map(plain), after.map(plain));
            if old != new {
                found.insert(path.clone(), new);
            }
        }
    }
}

fn compare_attrs(
    old: &Attrs,
    new: &Attrs,
    path: &OptionPath,
    found: &mut BTreeMap<OptionPath, Option<Value>>,
) {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        let tree = |attrs: &Attrs| attrs.get(name).map(|attr| attr.tree.clone());
        compare(tree(old).as_ref(), tree(new).as_ref(), &path.join(name), found);
    }
}

/// A value without its places. What is not known or failed compares by what it says.
pub(crate) fn plain(tree: &Tree) -> Value {
    match &tree.node {
        Node::Null => Value::Null,
        Node::Bool(it) => json!(it),
        Node::Int(it) => json!(it),
        Node::Float(it) => json!(it),
        Node::Str(it) | Node::Path(it) => json!(&**it),
        Node::List(elements) => Value::Array(elements.iter().map(plain).collect()),
        Node::Attrs(attrs) => Value::Object(
            attrs
                .iter()
                .map(|(name, attr)| (name.to_string(), plain(&attr.tree)))
                .collect::<Map<_, _>>(),
        ),
        Node::Function => json!({ "«function»": true }),
        Node::Unknown(it) => json!({ "«unknown»": &*it.name }),
        Node::Failed(it) => json!({ "«failed»": it.message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use source::Origin;

    fn tree(value: &Value) -> Tree {
        let node = match value {
            Value::Object(map) => Node::Attrs(
                map.iter()
                    .map(|(name, it)| {
                        (
                            name.as_str().into(),
                            source::Attr {
                                tree: tree(it),
                                bindings: Vec::new(),
                            },
                        )
                    })
                    .collect(),
            ),
            Value::Array(list) => Node::List(list.iter().map(tree).collect()),
            Value::String(text) => Node::Str(text.as_str().into()),
            Value::Bool(it) => Node::Bool(*it),
            Value::Number(it) => Node::Int(it.as_i64().unwrap()),
            Value::Null => Node::Null,
        };
        Tree::new(node, Origin::Derived(Box::new([])))
    }

    #[test]
    fn only_what_differs_is_named() {
        let before =
            json!({ "a": { "l": ["x"], "k": 1 }, "b": [{ "c": 1 }, { "c": 2 }], "gone": { "d": 1 } });
        let after =
            json!({ "a": { "l": ["x", "y"], "k": 1, "new": { "e": true } }, "b": [{ "c": 1 }, { "c": 3 }] });
        let found: Vec<_> = differences(&tree(&before), &tree(&after))
            .into_iter()
            .map(|(path, value)| format!("{path} = {}", value.map_or("-".into(), |it| it.to_string())))
            .collect();
        assert_eq!(
            found,
            [
                "a.l = [\"x\",\"y\"]",
                "a.new.e = true",
                "b.\"1\".c = 3",
                "gone.d = -"
            ]
        );
    }
}
