//! Processors.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::Fact;

/// What is known of the processors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpuFacts {
    /// The model's name, where the report has one.
    pub model: Fact<Arc<str>>,
    /// `x86_64`, `aarch64` …
    pub architecture: Fact<Arc<str>>,
    /// How many sockets are filled.
    pub sockets: Fact<u64>,
    /// Cores of all sockets. A virtual machine shows the cores it was given.
    pub cores: Fact<u64>,
    /// Hardware threads of all sockets.
    pub threads: Fact<u64>,
    /// The feature flags that every socket has: `aes`, `avx2`, `sha_ni` …
    pub features: Fact<BTreeSet<Arc<str>>>,
}

impl CpuFacts {
    /// Whether the processor has a feature; `None` if its features are not known.
    pub fn has(&self, feature: &str) -> Option<bool> {
        self.features
            .as_ref()
            .map(|features| features.value.contains(feature))
    }
}
