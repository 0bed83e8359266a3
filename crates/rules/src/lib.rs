//! The rules: a machine in, verdicts out.
//!
//! Takes a [`machine::Machine`] and gives a [`Judgement`]: for every rule and every subject that the
//! rule looks at, one of *finding, clear, not applicable, undecided*.
//! Never does input or output, and never formats text for a terminal.
//!
//! One rule is one `.rs` file beside one `.md` file of the same name.
//! The page is the documentation and the test: its examples run.

mod change;
mod engine;
mod finding;
mod known;
mod options;
mod registry;
mod rule;
mod symptom;

mod bcachefs;
mod block;
mod btrfs;
mod ext4;
mod f2fs;
mod filesystem;
mod luks;
mod lvm;
mod md;
mod memory;
mod metrics;
mod xfs;
mod zfs;

pub use change::{Change, Command, EditReach, LayoutEdit, ListEdit, NixosSetting, Reach, Safety};
pub use engine::{Judgement, Outcome, Undecided, judge, judge_by};
pub use finding::{
    Argued, Confidence, Draft, Evidence, Finding, Impact, ImpactBasis, Label, Placed, Severity,
};
pub use known::find_known;
pub use registry::{RULES, rule};
pub use rule::{Check, Rule, Source, Verdict};
pub use symptom::{Diagnosis, Status, diagnose};

/// What a rule file starts from.
mod prelude {
    pub(crate) use crate::Verdict::{Clear, NotApplicable};
    pub(crate) use crate::{
        Check, Confidence, Draft, EditReach, Impact, ImpactBasis, LayoutEdit, ListEdit, NixosSetting, Reach,
        Rule, Severity, Source, Verdict, find_known,
    };
    pub(crate) use machine::*;
    pub(crate) use source::{Bytes, Known, Missing, Percent, Ratio, Sourced};
}
