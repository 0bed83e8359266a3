//! What an evaluation may use, and what it may cost.

use std::path::{Path, PathBuf};

/// Bounds on what an evaluation may cost. Meeting one is an error that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many calls and thunks may be evaluated in all.
    pub steps: u64,
    /// How deeply calls and thunks may be nested.
    pub depth: u32,
    /// How much memory values may take at once, in bytes; an estimate.
    pub memory: usize,
    /// How deeply an expression may be nested in the text.
    pub nesting: u32,
    /// The largest file that is read, in bytes.
    pub file: usize,
}

impl Default for Limits {
    /// Enough for any real configuration: 2 billion steps, 60,000 levels, 4 GiB.
    fn default() -> Self {
        Self {
            steps: 2_000_000_000,
            depth: 60_000,
            memory: 4 << 30,
            nesting: 10_000,
            file: 64 << 20,
        }
    }
}

/// How a path is shown in reports.
pub type ShowPath<'a> = Box<dyn Fn(&Path) -> String + 'a>;

/// How to evaluate.
#[derive(Default)]
pub struct Options<'a> {
    /// Bounds on the cost.
    pub limits: Limits,
    /// What `<name>` finds: a name (or the empty name, for a folder of such) and where it is.
    pub search_path: Vec<(String, PathBuf)>,
    /// Asked from time to time; when it gives true, the evaluation ends with the `time` limit.
    /// The core has no clock, so that a wall-clock limit is the caller's to measure.
    pub interrupt: Option<Box<dyn Fn() -> bool + 'a>>,
    /// How a path is shown in reports; as it is when not given.
    pub show_path: Option<ShowPath<'a>>,
    /// Undefined variables fail only when they are used. Nix refuses the whole file.
    pub lenient: bool,
    /// What `builtins.getEnv` gives, by name; anything else is the empty string, as in Nix's pure
    /// evaluation.
    pub environment: Vec<(String, String)>,
    /// The folder that `~/…` stands for. Not given, such a path fails when it is needed.
    pub home: Option<PathBuf>,
    /// Dates in `fromTOML` become sets with `_type = "timestamp"`, as with Nix's experimental
    /// feature; not given, they are errors.
    pub toml_timestamps: bool,
    /// Files and folders that Nix would copy into its store become the store paths that they would
    /// have, for which they are read whole. Not set, such a path is unknown.
    pub hash_sources: bool,
    /// `builtins.warn` ends the evaluation, as with Nix's setting `abort-on-warn`, so that the chain
    /// of calls that led to the warning is seen.
    pub abort_on_warn: bool,
    /// What `builtins.currentSystem` gives. Not given, it is unknown.
    pub system: Option<String>,
}
