//! Datasets that are stored uncompressed.

use super::{ZFSPROPS, holds_files, inherited, version};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-compression-off",
    summary: "datasets that ZFS stores uncompressed",
    page: include_str!("compression_off.md"),
    severity: Severity::Info,
    check: Check::Pool(check),
    sources: &[
        Source::new(
            "OpenZFS, workload tuning: compression",
            "https://openzfs.github.io/openzfs-docs/Performance%20and%20Tuning/Workload%20Tuning.html#compression",
        ),
        ZFSPROPS,
    ],
    verified: "OpenZFS 2.4 documentation",
};

fn check(pool: Pool<'_>) -> Known<Verdict> {
    let datasets: Vec<_> = pool
        .datasets()
        .filter(|(_, dataset)| holds_files(dataset))
        .collect();
    if datasets.is_empty() {
        return Ok(NotApplicable);
    }
    let machine = pool.machine();
    // A dataset, where it says that it is off, and whether a pool that exists was asked.
    let mut off: Vec<(&Dataset, source::Origin, bool)> = Vec::new();
    let mut silent = Vec::new();
    for (_, dataset) in &datasets {
        let observed = machine.facts.zfs_property(&dataset.name, "compression");
        if let Some(row) = observed {
            if &*row.value.value == "off" {
                off.push((dataset, row.value.origin.clone(), true));
            }
        } else if let Some(declared) = inherited(&pool, dataset, "compression")? {
            if &*declared.value.value == "off" {
                off.push((dataset, declared.value.origin.clone(), false));
            }
        } else {
            silent.push(dataset);
        }
    }
    let Some((first, origin, exists)) = off.first() else {
        // What nobody sets is on in a pool that OpenZFS 2.2 or later made.
        return match silent.first() {
            None => Ok(Clear),
            Some(_) if !machine.is_observed() => Ok(Clear),
            Some(dataset) if version(machine).is_ok_and(|it| it.value.at_least(2, 2)) => Err(Missing::new(
                format!(
                    "whether {} is compressed: a pool from before OpenZFS 2.2 is not by default",
                    dataset.name
                ),
                "`zfs get -Hp all > zfs-get.txt`",
            )),
            Some(dataset) => Err(Missing::new(
                format!("whether {} is compressed", dataset.name),
                "`zfs get -Hp all > zfs-get.txt`",
            )),
        };
    };
    let names: Vec<&str> = off.iter().map(|(dataset, _, _)| &*dataset.name).collect();
    let shown = crate::btrfs::listed(&names);
    let mut placed = Draft::new(pool.subject(), format!("ZFS stores {shown} uncompressed")).at(origin, "off");
    if *exists && let Some(declared) = inherited(&pool, first, "compression")? {
        let text = match &*declared.value.value {
            "off" => "declared so".to_owned(),
            value => format!("`{value}` is declared, and has no effect on a pool that exists"),
        };
        placed = placed.and(&declared.value.origin, text);
    }
    let mut argued = placed
        .because("LZ4 compresses faster than disks write and gives up early on what does not compress, so that reads and writes of the rest become smaller for next to nothing")
        .because("compression also takes the zeros out of the last record of each file, which otherwise takes up a whole one")
        .impact(Impact::unmeasured("space, and data read and written"))
        .cost("only what is written from then on is compressed; on a processor that is always busy, even LZ4 is felt");
    let mut edits = Vec::new();
    let mut holders: Vec<&str> = Vec::new();
    for (dataset, _, exists) in &off {
        let row = machine.facts.zfs_property(&dataset.name, "compression");
        let declared = inherited(&pool, dataset, "compression")?.filter(|it| &*it.value.value == "off");
        // The dataset of the layout that the value comes from.
        let holder = pool.datasets().map(|(_, it)| it).find(|it| {
            let own = it.options.get("compression");
            own.is_some_and(|own| declared.is_some_and(|it| it.value.origin == own.value.origin))
        });
        if !exists && let Some(holder) = holder {
            let edit = LayoutEdit::Set {
                path: holder.options.place.path.join("compression"),
                value: "lz4".into(),
            };
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
        // What a dataset inherits is set where it comes from.
        let set_on: &str = match row.map(|row| &row.source) {
            Some(PropertySource::Inherited(from)) => from,
            Some(PropertySource::Default) => &pool.declared.name,
            Some(_) => &dataset.name,
            None => holder.map_or(&dataset.name, |it| &it.name),
        };
        if !holders.contains(&set_on) {
            holders.push(set_on);
        }
    }
    for name in holders {
        argued = argued
            .command(
                format!("zfs set compression=lz4 {name}"),
                "sets it on the pool that runs; datasets below inherit it",
            )
            .rollback(format!("zfs set compression=off {name}"));
    }
    let argued = argued.verify(format!(
        "zfs get -r compression,compressratio {}",
        pool.declared.name
    ));
    if edits.is_empty() {
        return Ok(argued.advise(
            Reach::NewWrites,
            format!("run the commands, and write `rootFsOptions.compression = \"lz4\"` into disko.devices.zpool.{} for the next time that the pool is made: disko sets properties only then", pool.declared.name),
        ));
    }
    Ok(argued
        .cost("the edit is for the next time the pool is made: disko sets properties only then, so run the commands too")
        .change(EditReach::NewWrites, edits))
}
