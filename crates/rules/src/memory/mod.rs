//! Memory and swap.

use machine::Machine;
use source::{Known, Missing, Node, OptionPath, Sourced};

use crate::NixosSetting;

pub(crate) mod dirty_bytes;
pub(crate) mod zram;

/// The kernel's page of the `vm` settings.
pub(crate) const SYSCTL_VM: crate::Source = crate::Source::new(
    "Documentation for /proc/sys/vm/",
    "https://docs.kernel.org/admin-guide/sysctl/vm.html",
);

/// How much memory the machine has.
///
/// # Errors
/// [`Missing`] when nothing told it.
pub(crate) fn size(machine: &Machine) -> Known<&Sourced<source::Bytes>> {
    machine.facts.memory.size().ok_or_else(|| {
        Missing::new(
            "how much memory the machine has",
            "a facter.json, or `cat /proc/meminfo > meminfo`",
        )
    })
}

/// What the configuration at hand sets a `boot.kernel.sysctl` key to.
pub(crate) fn sysctl<'a>(machine: &'a Machine, key: &str) -> Option<&'a source::Tree> {
    machine
        .config
        .set(&["boot", "kernel", "sysctl", key])
        .filter(|tree| tree.node != Node::Null)
}

/// A setting of a `boot.kernel.sysctl` key.
pub(crate) fn set_sysctl(key: &str, value: u64, reason: impl Into<String>) -> NixosSetting {
    NixosSetting {
        option: OptionPath::new(["boot", "kernel", "sysctl", key]),
        value: value.into(),
        reason: reason.into(),
    }
}
