//! Runs every rule on every subject.

use machine::Machine;
use source::{Known, Missing};

use crate::{Check, Finding, RULES, Rule, Severity, Verdict};

/// What all rules said.
#[derive(Default)]
pub struct Judgement {
    /// The findings, the most important first: by severity, then confidence, then rule.
    pub findings: Vec<Outcome>,
    /// What could not be judged, and what is missing for it.
    pub undecided: Vec<Undecided>,
    /// How many subjects were looked at and in order.
    pub clear: usize,
    /// How many rules had no subject, or found themselves not concerned.
    pub not_applicable: usize,
}

/// A finding with its rule.
pub struct Outcome {
    /// The rule.
    pub rule: &'static Rule,
    /// The finding.
    pub finding: Finding,
}

impl Outcome {
    /// The finding's severity, or else the rule's.
    pub fn severity(&self) -> Severity {
        self.finding.severity.unwrap_or(self.rule.severity)
    }
}

/// A rule that could not judge a subject.
pub struct Undecided {
    /// The rule.
    pub rule: &'static Rule,
    /// The subject.
    pub subject: String,
    /// The fact that is missing.
    pub missing: Missing,
}

/// Runs all rules on a machine.
pub fn judge(machine: &Machine) -> Judgement {
    judge_by(machine, RULES)
}

/// Runs some rules on a machine.
pub fn judge_by(machine: &Machine, rules: &'static [Rule]) -> Judgement {
    let mut judgement = Judgement::default();
    for rule in rules {
        let mut record = |subject: String, verdict: Known<Verdict>| match verdict {
            Ok(Verdict::Finding(finding)) => {
                judgement.findings.push(Outcome {
                    rule,
                    finding: *finding,
                });
                true
            }
            Ok(Verdict::Clear) => {
                judgement.clear += 1;
                true
            }
            Ok(Verdict::NotApplicable) => false,
            Err(missing) => {
                judgement.undecided.push(Undecided {
                    rule,
                    subject,
                    missing,
                });
                true
            }
        };
        let mut concerned = false;
        match rule.check {
            Check::Host(check) => concerned |= record("host".into(), check(machine)),
            Check::Disk(check) => {
                machine
                    .disks()
                    .for_each(|disk| concerned |= record(disk.subject(), check(disk)));
            }
            Check::Luks(check) => {
                machine
                    .luks()
                    .for_each(|luks| concerned |= record(luks.subject(), check(luks)));
            }
            Check::Btrfs(check) => {
                machine
                    .btrfs()
                    .for_each(|btrfs| concerned |= record(btrfs.subject(), check(btrfs)));
            }
            Check::Filesystem(check) => {
                machine
                    .filesystems()
                    .for_each(|it| concerned |= record(it.subject(), check(it)));
            }
            Check::Pool(check) => {
                machine
                    .pools()
                    .for_each(|pool| concerned |= record(pool.subject(), check(pool)));
            }
            Check::Swap(check) => {
                machine
                    .swaps()
                    .for_each(|swap| concerned |= record(swap.subject(), check(swap)));
            }
        }
        if !concerned {
            judgement.not_applicable += 1;
        }
    }
    judgement.findings.sort_by(|a, b| {
        let key = |it: &Outcome| std::cmp::Reverse((it.severity(), it.finding.confidence));
        key(a)
            .cmp(&key(b))
            .then_with(|| a.rule.id.cmp(b.rule.id))
            .then_with(|| a.finding.subject.cmp(&b.finding.subject))
    });
    judgement
}
