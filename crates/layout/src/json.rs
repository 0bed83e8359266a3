//! Trees as plain JSON.

use serde_json::{Map, Number, Value};
use source::{Node, Tree};

/// Values nested deeper than this are left out: the program that reads the JSON would recurse.
const DEEPEST: usize = 200;

/// The value as JSON. What is not known, failed or a function is left out of sets, and is `null`
/// in lists, so that the other elements keep their places; `None` when that is the value itself.
pub(crate) fn from_tree(tree: &Tree) -> Option<Value> {
    convert(tree, 0)
}

fn convert(tree: &Tree, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    Some(match &tree.node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(value) => Value::Number(Number::from(*value)),
        Node::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Node::Str(text) | Node::Path(text) => Value::String(text.to_string()),
        Node::List(elements) => Value::Array(
            elements
                .iter()
                .map(|element| convert(element, depth + 1).unwrap_or(Value::Null))
                .collect(),
        ),
        Node::Attrs(attrs) => Value::Object(
            attrs
                .iter()
                .filter_map(|(name, attr)| Some((name.to_string(), convert(&attr.tree, depth + 1)?)))
                .collect::<Map<_, _>>(),
        ),
        Node::Function | Node::Unknown(_) | Node::Failed(_) => return None,
    })
}
