//! Values to [`source::Tree`]: everything evaluated, each part with its origin, failures and
//! unknowns in their places.

use std::rc::Rc;
use std::sync::Arc;

use source::{Attr, Node, Origin, Problem, Tree, Unknown};

use crate::error::Error;
use crate::evaluator::Evaluator;
use crate::symbol::Sym;
use crate::value::Value;

/// How much of a value [`Evaluator::tree`] evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// How deep it goes; what lies deeper is a [`Node::Failed`].
    pub depth: u32,
    /// How many values it gives at most; the rest is a [`Node::Failed`].
    pub nodes: usize,
}

impl Default for TreeLimits {
    /// 200 levels and a million values.
    fn default() -> Self {
        Self {
            depth: 200,
            nodes: 1_000_000,
        }
    }
}

impl Evaluator<'_> {
    /// Evaluates everything in a value. Never fails as a whole: a part that fails is a
    /// [`Node::Failed`], one that depends on something nobody gave is a [`Node::Unknown`], and
    /// the rest is there. A derivation is not walked: it stands as the string of its path where
    /// that is known, as an unknown otherwise.
    pub fn tree(&self, value: &Value, limits: TreeLimits) -> Tree {
        let mut left = limits.nodes;
        self.on_stack(1 << 20, 16 << 20, || self.subtree(value, limits.depth, &mut left))
    }

    /// The text of the expression that made an evaluated value, as an origin.
    pub fn origin(&self, value: &Value) -> Origin {
        match self.span_at(value.made().position()) {
            Some(span) => Origin::Nix(span),
            None => Origin::Derived(Box::default()),
        }
    }

    fn failed(&self, error: &Error) -> Tree {
        if let Some(unknown) = error.as_unknown() {
            return self.unknown_tree(unknown);
        }
        let origin = error
            .span()
            .map_or_else(|| Origin::Derived(Box::default()), Origin::Nix);
        Tree::new(Node::Failed(Arc::new(error.problem())), origin)
    }

    fn unknown_tree(&self, unknown: &Rc<Unknown>) -> Tree {
        let origin = unknown
            .span
            .map_or_else(|| Origin::Derived(Box::default()), Origin::Nix);
        Tree::new(Node::Unknown(Arc::new(Unknown::clone(unknown))), origin)
    }

    fn subtree(&self, value: &Value, depth: u32, left: &mut usize) -> Tree {
        let forced = match self.deeper(|| self.force(value)) {
            Ok(forced) => forced,
            Err(error) => return self.failed(&error),
        };
        let origin = self.origin(&forced);
        if depth == 0 || *left == 0 {
            let what = if depth == 0 { "levels" } else { "values" };
            let problem = Problem::error(format!("more {what} than are looked at")).at(origin.span());
            return Tree::new(Node::Failed(Arc::new(problem)), origin);
        }
        *left -= 1;
        let text = |bytes: &[u8]| -> Arc<str> { String::from_utf8_lossy(bytes).into() };
        let node = match &forced {
            Value::Null(_) => Node::Null,
            Value::Bool(truth, _) => Node::Bool(*truth),
            Value::Int(number, _) => Node::Int(*number),
            Value::Float(number, _) => Node::Float(*number),
            Value::Str(it, _) => Node::Str(text(it.bytes())),
            Value::Path(it, _) => Node::Path(text(it.bytes())),
            Value::List(items, _) => {
                let mut trees = Vec::with_capacity(items.items().len().min(*left));
                for item in items.items() {
                    trees.push(self.subtree_deeper(item, depth - 1, left));
                    if *left == 0 {
                        break;
                    }
                }
                Node::List(trees)
            }
            Value::Attrs(attrs, _) => {
                match self.is_derivation(attrs) {
                    Ok(false) => {}
                    Ok(true) => {
                        return match attrs.get(Sym::OUT_PATH) {
                            Some(path) => self.subtree_deeper(path, depth - 1, left),
                            None => Tree::new(Node::Attrs(source::Attrs::new()), origin),
                        };
                    }
                    // Whether it is one is not known: then it is shown as what it is.
                    Err(_) => {}
                }
                let mut named = source::Attrs::new();
                for entry in attrs.entries() {
                    if *left == 0 {
                        break;
                    }
                    let name: Arc<str> = (&*self.symbols.name(entry.name)).into();
                    let tree = self.subtree_deeper(&entry.value, depth - 1, left);
                    let bindings = self.bindings_of(entry.binding);
                    named.insert(name, Attr { tree, bindings });
                }
                Node::Attrs(named)
            }
            Value::Lambda(..) | Value::Builtin(..) => Node::Function,
            Value::Unknown(unknown, _) => match self.partial.elements(unknown) {
                // What is unknown in it is an element that is unknown.
                Some(elements) => {
                    let mut trees = Vec::new();
                    for item in elements.iter().take(*left) {
                        trees.push(self.subtree_deeper(item, depth - 1, left));
                    }
                    Node::List(trees)
                }
                None => return self.unknown_tree(unknown),
            },
            Value::Thunk(_) => Node::Null,
        };
        Tree::new(node, origin)
    }

    fn subtree_deeper(&self, value: &Value, depth: u32, left: &mut usize) -> Tree {
        self.on_stack(128 << 10, 16 << 20, || self.subtree(value, depth, left))
    }
}
