//! What is set beside the layout, and what runs there.

use std::sync::Arc;

use source::{Known, Missing, Node, OptionPath, Tree};

/// The NixOS options that the configuration at hand sets.
#[derive(Debug, Default)]
pub struct Config {
    /// The options, as one tree from the root.
    pub options: Option<Tree>,
    /// Whether this is the whole configuration of the machine, so that what is not set here is not
    /// set at all. A `disko.nix` alone is not.
    pub complete: bool,
}

impl Config {
    /// What the configuration at hand sets an option to.
    pub fn set(&self, path: &[&str]) -> Option<&Tree> {
        let tree = self.options.as_ref()?.lookup(path.iter().copied())?;
        (!matches!(tree.node, Node::Unknown(_) | Node::Failed(_))).then_some(tree)
    }

    /// The value of an option: `Ok(None)` when it is certain that nobody sets it.
    ///
    /// # Errors
    /// [`Missing`] when the configuration at hand does not set it but another file may.
    pub fn get(&self, path: &[&str]) -> Known<Option<&Tree>> {
        match self.set(path) {
            Some(tree) => Ok(Some(tree)),
            None if self.complete => Ok(None),
            None => Err(Missing::new(
                format!("the value of `{}`", OptionPath::new(path.iter().copied())),
                "import the NixOS module, or give `--config config.json`",
            )),
        }
    }

    /// Whether an option is set to `true` by the configuration at hand.
    pub fn is_true(&self, path: &[&str]) -> bool {
        self.set(path).is_some_and(|tree| tree.node == Node::Bool(true))
    }
}

/// Something that runs on the machine and uses its storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// `postgresql`, `desktop`, `nix-builds` …
    pub name: Arc<str>,
    /// Where its data is, if that was said.
    pub mountpoint: Option<Arc<str>>,
}
