//! Deduplication that costs more than it saves.

use super::{declared, holds_files};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-dedup-off",
    summary: "deduplication without a sign that it saves anything",
    page: include_str!("dedup_off.md"),
    severity: Severity::Warning,
    check: Check::Pool(check),
    sources: &[
        Source::new(
            "OpenZFS, workload tuning: deduplication",
            "https://openzfs.github.io/openzfs-docs/Performance%20and%20Tuning/Workload%20Tuning.html#deduplication",
        ),
        super::ZFSPROPS,
    ],
    verified: "OpenZFS 2.4 documentation",
};

/// From this ratio on it may be worth its price.
const WORTH: f64 = 2.0;

fn check(pool: Pool<'_>) -> Known<Verdict> {
    let mut on: Vec<(&Dataset, &Property)> = Vec::new();
    let mut any = false;
    for (_, dataset) in pool.datasets() {
        any |= holds_files(dataset);
        let Some(dedup) = declared(&dataset.options, "dedup")? else {
            continue;
        };
        if &*dedup.value.value != "off" {
            on.push((dataset, dedup));
        }
    }
    let Some((dataset, dedup)) = on.first() else {
        return Ok(if any { Clear } else { NotApplicable });
    };
    let observed = pool
        .machine()
        .facts
        .zpools
        .iter()
        .find(|it| it.name.value == pool.declared.name);
    let ratio = observed.and_then(|it| it.dedup_ratio.as_ref());
    if ratio.is_some_and(|it| it.value >= WORTH) {
        return Ok(Clear);
    }
    let message = match ratio {
        Some(ratio) => format!(
            "deduplication saves next to nothing here: the ratio is {:.2}",
            ratio.value
        ),
        None => format!(
            "deduplication is on for {}: each write and each delete looks up a table of all blocks",
            dataset.name
        ),
    };
    let mut placed =
        Draft::new(pool.subject(), message).at(&dedup.value.origin, "for this dataset and all below it");
    for (_, more) in on.iter().skip(1) {
        placed = placed.and(&more.value.origin, "and here");
    }
    if let Some(ratio) = ratio {
        placed = placed.and(&ratio.origin, "blocks are hardly ever alike");
    }
    let mut argued = placed
        .because("the table has an entry for each block; what of it is not in memory is read from the disks at random, for each block that is written or freed")
        .because("most systems hold few equal blocks: what is equal in the Nix store is better found by `nix.optimise.automatic`, and compression saves more for less")
        .impact(Impact::unmeasured("writes, deletes and memory"))
        .cost("copies written from now on take up their own room")
        .cost("blocks that are in the table stay in it until they are rewritten or deleted, and deleting them is what is slow")
        .cost("the edit is for the next time the pool is made: disko sets properties only then, so run the command too")
        .verify(format!("zfs get -r dedup {0}; zdb -S {0} (what it would save; reads the whole pool)", pool.declared.name));
    if ratio.is_none() {
        argued = argued.confidence(Confidence::Likely);
    }
    let mut edits = Vec::new();
    for (dataset, old) in &on {
        argued = argued
            .command(
                format!("zfs set dedup=off {}", dataset.name),
                "stops it for what is written from now on",
            )
            .rollback(format!("zfs set dedup={} {}", old.value.value, dataset.name));
        edits.push(LayoutEdit::Set {
            path: dataset.options.place.path.join("dedup"),
            value: "off".into(),
        });
    }
    Ok(argued.change(EditReach::NewWrites, edits))
}
