//! From what a person complains about to what may be behind it, and whether the measurements say so.

use machine::Machine;
use source::{Percent, Quote};

use crate::Judgement;

/// What may be behind a symptom.
pub struct Diagnosis {
    /// The symptom, in the person's words.
    pub symptom: String,
    /// What may be behind it, as a phrase.
    pub hypothesis: &'static str,
    /// What became of it.
    pub status: Status,
    /// What was measured for or against it, with a remark.
    pub evidence: Vec<(Quote, String)>,
    /// The rules that bear on it.
    pub rules: &'static [&'static str],
}

/// What became of a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Measurements show it.
    Confirmed,
    /// Measurements speak against it.
    Refuted,
    /// Nothing was measured that would tell.
    Unconfirmed,
}

/// A hypothesis: the words that call for it, and how it is tested.
struct Hypothesis {
    /// A symptom that has one of these words calls for it.
    words: &'static [&'static str],
    claim: &'static str,
    rules: &'static [&'static str],
    /// What the measurements say; `None` when they do not tell. Without a test, only a finding of
    /// one of the rules confirms it.
    test: Option<Test>,
}

/// Whether the measurements confirm a hypothesis, and which they are.
type Test = fn(&Machine) -> Option<(bool, Vec<(Quote, String)>)>;

/// The hypotheses, the cheapest to test first.
const HYPOTHESES: &[Hypothesis] = &[
    Hypothesis {
        words: &[
            "slow", "sluggish", "stall", "hang", "freeze", "lag", "latency", "wait",
        ],
        claim: "tasks wait for the disks",
        rules: &["m-psi-io"],
        test: Some(io_pressure),
    },
    Hypothesis {
        words: &[
            "slow", "sluggish", "stall", "hang", "freeze", "lag", "swap", "memory", "oom",
        ],
        claim: "memory is short, and pages are read again and again",
        rules: &["zram"],
        test: Some(memory_pressure),
    },
    Hypothesis {
        words: &["stall", "freeze", "hang", "periodic", "burst", "copy", "copying"],
        claim: "writes pile up in memory and are then flushed all at once",
        rules: &["vm-dirty-bytes"],
        test: Some(dirty_backlog),
    },
    Hypothesis {
        words: &["space", "full", "enospc", "no space", "disk full"],
        claim: "btrfs has no unallocated space left, although df shows free space",
        rules: &["btrfs-enospc-unallocated"],
        test: Some(unallocated),
    },
    Hypothesis {
        words: &["compress", "compression", "space", "size", "big", "large"],
        claim: "compression is declared but not in effect",
        rules: &["btrfs-compress-missing-on-root", "btrfs-uniform-fs-options"],
        // What is mounted now does not tell what holds after the next boot; the rules do.
        test: None,
    },
];

/// What may be behind each symptom. `judgement` confirms a hypothesis whose rule has a finding.
pub fn diagnose(machine: &Machine, judgement: &Judgement, symptoms: &[String]) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    for symptom in symptoms {
        let text = symptom.to_lowercase();
        for hypothesis in HYPOTHESES
            .iter()
            .filter(|it| it.words.iter().any(|word| text.contains(word)))
        {
            let (status, evidence) = match hypothesis.test.and_then(|test| test(machine)) {
                Some((true, evidence)) => (Status::Confirmed, evidence),
                Some((false, evidence)) => (Status::Refuted, evidence),
                None => {
                    let convicted = |rule: &str| judgement.findings.iter().any(|it| it.rule.id == rule);
                    let confirmed = hypothesis.rules.iter().any(|rule| convicted(rule));
                    (
                        if confirmed {
                            Status::Confirmed
                        } else {
                            Status::Unconfirmed
                        },
                        Vec::new(),
                    )
                }
            };
            found.push(Diagnosis {
                symptom: symptom.clone(),
                hypothesis: hypothesis.claim,
                status,
                evidence,
                rules: hypothesis.rules,
            });
        }
    }
    found
}

/// From these shares of the last minute on, `some` and `full`, pressure is felt.
const SOME: Percent = Percent(10.0);
const FULL: Percent = Percent(5.0);

fn pressure(pressure: Option<&machine::Pressure>) -> Option<(bool, Vec<(Quote, String)>)> {
    let pressure = pressure?;
    let some = pressure.some.as_ref().map(|it| &it.avg60);
    let full = pressure.full.as_ref().map(|it| &it.avg60);
    let high = some.is_some_and(|it| it.value > SOME) || full.is_some_and(|it| it.value > FULL);
    let evidence = some
        .iter()
        .map(|it| (it, "some task waited for this share of the last minute"))
        .chain(
            full.iter()
                .map(|it| (it, "every task that could have run waited")),
        )
        .filter_map(|(it, label)| Some((it.origin.quote()?.clone(), format!("{}: {label}", it.value))))
        .collect();
    (some.is_some() || full.is_some()).then_some((high, evidence))
}

fn io_pressure(machine: &Machine) -> Option<(bool, Vec<(Quote, String)>)> {
    pressure(machine.facts.pressure.io.as_ref())
}

fn memory_pressure(machine: &Machine) -> Option<(bool, Vec<(Quote, String)>)> {
    pressure(machine.facts.pressure.memory.as_ref())
}

/// More than this waiting to be written takes any disk seconds.
const BACKLOG: source::Bytes = source::Bytes::gib(2);

fn dirty_backlog(machine: &Machine) -> Option<(bool, Vec<(Quote, String)>)> {
    let dirty = machine.facts.memory.dirty.as_ref()?;
    let quote = dirty.origin.quote()?.clone();
    Some((
        dirty.value > BACKLOG,
        vec![(quote, format!("{} waits to be written", dirty.value))],
    ))
}

fn unallocated(machine: &Machine) -> Option<(bool, Vec<(Quote, String)>)> {
    let known: Vec<_> = machine
        .btrfs()
        .filter_map(|btrfs| btrfs.usage())
        .filter_map(|usage| Some((usage.unallocated.as_ref()?, usage.device_size.as_ref()?)))
        .collect();
    if known.is_empty() {
        return None;
    }
    let short = |(free, size): &&(&source::Sourced<source::Bytes>, &source::Sourced<source::Bytes>)| {
        free.value < source::Bytes::gib(2).max(source::Bytes(size.value.0 / 20))
    };
    let convicting: Vec<_> = known.iter().filter(short).collect();
    let shown = if convicting.is_empty() {
        known.iter().collect()
    } else {
        convicting.clone()
    };
    let evidence = shown
        .iter()
        .filter_map(|(free, _)| {
            Some((
                free.origin.quote()?.clone(),
                format!("{} unallocated", free.value),
            ))
        })
        .collect();
    Some((!convicting.is_empty(), evidence))
}
