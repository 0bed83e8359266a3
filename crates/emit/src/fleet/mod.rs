//! The reports of many hosts, summed up.
//!
//! Takes one [`Report`] a host, in any number: of each only what is counted is kept.
//! Gives a [`Summary`]: hosts by finding, by severity and by hardware, what one edit of a file that
//! several hosts share would mend, and the trend against an earlier summary.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::json::{FileEdit, Report, Severity};
pub use text::text;

/// The reports of a fleet as they come in.
#[derive(Debug, Default)]
pub struct Fleet {
    hosts: BTreeMap<String, HostSummary>,
    failed: BTreeMap<String, String>,
    severities: BTreeMap<String, Severity>,
    /// How many hosts read a file.
    readers: BTreeMap<String, usize>,
    edits: BTreeMap<Vec<FileEdit>, Mended>,
    missing: BTreeMap<(String, String), usize>,
}

/// What one edit mends: rules, by host.
#[derive(Debug, Default)]
struct Mended {
    rules: BTreeSet<String>,
    hosts: BTreeSet<String>,
}

impl Fleet {
    /// Takes in a host's report. A second one of the same name is left out and named among the failed.
    pub fn add(&mut self, host: &str, report: &Report) {
        if self.hosts.contains_key(host) {
            let why = "there is more than one report of this name: the first one counts";
            self.failed.insert(host.to_owned(), why.to_owned());
            return;
        }
        let mut sum = HostSummary {
            product: report.host.product.clone(),
            disks: report.host.disks.clone(),
            findings: BTreeMap::new(),
            worst: None,
        };
        for finding in &report.findings {
            *sum.findings.entry(finding.rule.clone()).or_default() += 1;
            sum.worst = sum.worst.into_iter().chain([finding.severity]).min();
            let severity = self
                .severities
                .entry(finding.rule.clone())
                .or_insert(finding.severity);
            *severity = finding.severity.min(*severity);
            if !finding.edits.is_empty() {
                let mended = self.edits.entry(finding.edits.clone()).or_default();
                mended.rules.insert(finding.rule.clone());
                mended.hosts.insert(host.to_owned());
            }
        }
        for file in report.host.files.iter().collect::<BTreeSet<_>>() {
            *self.readers.entry(file.clone()).or_default() += 1;
        }
        let missing: BTreeSet<_> = report
            .undecided
            .iter()
            .flat_map(|it| &it.missing)
            .map(|it| (it.fact.clone(), it.obtain.clone()))
            .collect();
        for fact in missing {
            *self.missing.entry(fact).or_default() += 1;
        }
        self.hosts.insert(host.to_owned(), sum);
    }

    /// Takes in that a host has no report, and why.
    pub fn fail(&mut self, host: &str, why: &str) {
        self.failed.insert(host.to_owned(), why.to_owned());
    }

    /// What all reports say together, against an earlier summary if there is one.
    pub fn summary(self, last: Option<&Summary>) -> Summary {
        let trend = last.map(|last| Trend::between(last, &self.hosts));
        let mut edits: Vec<SharedEdit> = self
            .edits
            .into_iter()
            .filter(|(_, mended)| mended.hosts.len() > 1)
            .map(|(edits, mended)| {
                let files: BTreeSet<&str> = edits.iter().map(|edit| edit.file.as_str()).collect();
                // Who reads all of the files reads each of them: the rarest one bounds it.
                let readers = files.iter().filter_map(|file| self.readers.get(*file)).min();
                SharedEdit {
                    rules: mended.rules.into_iter().collect(),
                    readers: readers.copied().unwrap_or(0).max(mended.hosts.len()),
                    hosts: mended.hosts.into_iter().collect(),
                    edits,
                }
            })
            .collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.hosts.len()));
        let mut missing: Vec<MissingSum> = self
            .missing
            .into_iter()
            .map(|((fact, obtain), hosts)| MissingSum { fact, obtain, hosts })
            .collect();
        missing.sort_by_key(|it| std::cmp::Reverse(it.hosts));
        Summary {
            version: 1,
            counts: Counts::of(&self.hosts, self.failed.len()),
            rules: rules(&self.hosts, &self.severities),
            products: products(&self.hosts),
            disks: disks(&self.hosts),
            edits,
            missing,
            trend,
            failed: self.failed,
            hosts: self.hosts,
        }
    }
}

/// What a fleet's reports say together, version 1. The schema is generated from these types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Always 1. It grows when a field changes its meaning or goes.
    pub version: u32,
    /// Hosts by the worst that was found on them.
    pub counts: Counts,
    /// By rule, the one with the most hosts first.
    pub rules: Vec<RuleSum>,
    /// By maker and product of the machine, the most common first.
    pub products: Vec<HardwareSum>,
    /// By model of disk, the most common first.
    pub disks: Vec<HardwareSum>,
    /// Edits that several hosts ask for alike, since they share the file. Each is proven for each of
    /// these hosts.
    pub edits: Vec<SharedEdit>,
    /// Facts that rules could not do without, the most often missed first.
    pub missing: Vec<MissingSum>,
    /// What changed since an earlier summary, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// Hosts without a report, and why.
    pub failed: BTreeMap<String, String>,
    /// Every host.
    pub hosts: BTreeMap<String, HostSummary>,
}

/// Hosts by the worst that was found on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Hosts with a report.
    pub judged: usize,
    /// Hosts without one.
    pub failed: usize,
    /// With an error.
    pub error: usize,
    /// With a warning and no error.
    pub warning: usize,
    /// With nothing but suggestions.
    pub info: usize,
    /// With no finding.
    pub none: usize,
}

/// One rule over the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSum {
    /// The rule's name.
    pub rule: String,
    /// The worst severity of its findings.
    pub severity: Severity,
    /// Hosts with a finding of it.
    pub hosts: usize,
    /// Its findings.
    pub findings: usize,
}

/// One kind of hardware over the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HardwareSum {
    /// The maker and product, or the model.
    pub name: String,
    /// Hosts that have it.
    pub hosts: usize,
    /// Of these, the hosts with findings.
    pub with_findings: usize,
    /// Hosts by rule.
    pub rules: BTreeMap<String, usize>,
}

/// An edit that several hosts ask for alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedEdit {
    /// The rules whose findings it mends.
    pub rules: Vec<String>,
    /// The hosts that ask for it.
    pub hosts: Vec<String>,
    /// How many hosts read the file, with these. For those that do not ask for it, it is not proven.
    pub readers: usize,
    /// The edit.
    pub edits: Vec<FileEdit>,
}

/// A fact that rules could not do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingSum {
    /// What is not known.
    pub fact: String,
    /// How to obtain it.
    pub obtain: String,
    /// On how many hosts.
    pub hosts: usize,
}

/// One host of a summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostSummary {
    /// Maker and product of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The models of its disks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<String>,
    /// The worst severity of its findings; none without findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Severity>,
    /// Findings by rule.
    pub findings: BTreeMap<String, usize>,
}

/// What changed since an earlier summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// Hosts that were not there.
    pub new_hosts: Vec<String>,
    /// Hosts that are not there any more.
    pub gone_hosts: Vec<String>,
    /// What changed on the hosts that were there, by rule. Rules without a change are left out.
    pub rules: BTreeMap<String, RuleTrend>,
}

/// What changed of one rule, on hosts that are in both summaries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleTrend {
    /// Hosts that have a finding of it now.
    pub appeared: Vec<String>,
    /// Hosts that had one.
    pub mended: Vec<String>,
}

impl Counts {
    fn of(hosts: &BTreeMap<String, HostSummary>, failed: usize) -> Self {
        let mut counts = Self {
            judged: hosts.len(),
            failed,
            ..Self::default()
        };
        for host in hosts.values() {
            *match host.worst {
                Some(Severity::Error) => &mut counts.error,
                Some(Severity::Warning) => &mut counts.warning,
                Some(Severity::Info) => &mut counts.info,
                None => &mut counts.none,
            } += 1;
        }
        counts
    }
}

impl Trend {
    fn between(last: &Summary, now: &BTreeMap<String, HostSummary>) -> Self {
        let mut trend = Self::default();
        for (name, host) in now {
            let Some(before) = last.hosts.get(name) else {
                trend.new_hosts.push(name.clone());
                continue;
            };
            for rule in host.findings.keys() {
                if !before.findings.contains_key(rule) {
                    trend
                        .rules
                        .entry(rule.clone())
                        .or_default()
                        .appeared
                        .push(name.clone());
                }
            }
            for rule in before.findings.keys() {
                if !host.findings.contains_key(rule) {
                    trend
                        .rules
                        .entry(rule.clone())
                        .or_default()
                        .mended
                        .push(name.clone());
                }
            }
        }
        let gone = last.hosts.keys().filter(|name| !now.contains_key(*name));
        trend.gone_hosts = gone.cloned().collect();
        trend
    }
}

/// Hosts and findings by rule.
fn rules(hosts: &BTreeMap<String, HostSummary>, severities: &BTreeMap<String, Severity>) -> Vec<RuleSum> {
    let mut sums: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (rule, count) in hosts.values().flat_map(|host| &host.findings) {
        let sum = sums.entry(rule).or_default();
        sum.0 += 1;
        sum.1 += count;
    }
    let mut rules: Vec<RuleSum> = sums
        .into_iter()
        .map(|(rule, (hosts, findings))| RuleSum {
            rule: rule.to_owned(),
            severity: severities.get(rule).copied().unwrap_or(Severity::Info),
            hosts,
            findings,
        })
        .collect();
    rules.sort_by_key(|it| (it.severity, std::cmp::Reverse(it.hosts)));
    rules
}

fn products(hosts: &BTreeMap<String, HostSummary>) -> Vec<HardwareSum> {
    hardware(hosts, |host| host.product.iter().map(String::as_str).collect())
}

fn disks(hosts: &BTreeMap<String, HostSummary>) -> Vec<HardwareSum> {
    hardware(hosts, |host| host.disks.iter().map(String::as_str).collect())
}

fn hardware<'h>(
    hosts: &'h BTreeMap<String, HostSummary>,
    names: impl Fn(&'h HostSummary) -> BTreeSet<&'h str>,
) -> Vec<HardwareSum> {
    let mut sums: BTreeMap<&str, HardwareSum> = BTreeMap::new();
    for host in hosts.values() {
        for name in names(host) {
            let sum = sums.entry(name).or_insert_with(|| HardwareSum {
                name: name.to_owned(),
                hosts: 0,
                with_findings: 0,
                rules: BTreeMap::new(),
            });
            sum.hosts += 1;
            sum.with_findings += usize::from(!host.findings.is_empty());
            for rule in host.findings.keys() {
                *sum.rules.entry(rule.clone()).or_default() += 1;
            }
        }
    }
    let mut sums: Vec<_> = sums.into_values().collect();
    sums.sort_by_key(|it| std::cmp::Reverse(it.hosts));
    sums
}

/// The JSON schema of [`Summary`].
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Summary).to_value()
}
