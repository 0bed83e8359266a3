//! Where something is named.

use source::{Binding, Origin};

/// Where the name of a value was written: the left side of its first binding, which is one line
/// where the value may be many. The value itself when nothing binds it.
pub fn named_at(bindings: &[Binding], value: &Origin) -> Origin {
    match bindings.first() {
        Some(binding) => Origin::Nix(binding.name),
        None => value.clone(),
    }
}
