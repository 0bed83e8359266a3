//! Access times on ZFS: declared, and in effect.

use super::{ZFSPROPS, holds_files, inherited};
use crate::luks::{confidence, medium};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-atime",
    summary: "reading files on ZFS writes their access times",
    page: include_str!("atime.md"),
    severity: Severity::Info,
    check: Check::Pool(check),
    sources: &[
        ZFSPROPS,
        Source::new(
            "openzfs#13614: relatime is on by default",
            "https://github.com/openzfs/zfs/pull/13614",
        ),
    ],
    verified: "OpenZFS 2.4 documentation, disko 878ec37",
};

/// How to see what is in effect.
const ZFS_GET: &str = "`zfs get -Hp all > zfs-get.txt`";

fn check(pool: Pool<'_>) -> Known<Verdict> {
    let datasets: Vec<_> = pool
        .datasets()
        .filter(|(_, dataset)| holds_files(dataset))
        .collect();
    if datasets.is_empty() {
        return Ok(NotApplicable);
    }
    let facts = &pool.machine().facts;
    let observed = |dataset: &Dataset| facts.zfs_property(&dataset.name, "atime");
    let mut open = Vec::new();
    for (device, dataset) in &datasets {
        let declared = inherited(&pool, dataset, "atime")?;
        let on_by_choice = declared.is_some_and(|it| &*it.value.value == "on");
        let off = declared.filter(|it| &*it.value.value == "off");
        match (off, observed(dataset)) {
            (Some(off), Some(row)) if row.is_on() == Some(true) => {
                return Ok(not_in_effect(&pool, dataset, off, row));
            }
            // In effect already: only a new pool would lack it.
            (None, Some(row)) if row.is_on() == Some(false) => {}
            (None, _) if !on_by_choice => open.push((*device, *dataset)),
            _ => {}
        }
    }
    let Some((device, dataset)) = open.first().copied() else {
        return Ok(Clear);
    };

    // With relatime, reading costs a write a day for each file; without it, one for each read.
    let relatime = relatime(&pool, dataset)?;
    let every_read = relatime.as_ref().filter(|it| !it.value);
    let disks = pool.disks();
    if disks.is_empty() {
        return Err(Missing::new(
            format!("which disks the pool {} is on", pool.declared.name),
            "`lsblk -J -O -b > lsblk.json`",
        ));
    }
    let slow = find_known(disks.iter().map(Disk::media), |(media, _)| {
        matches!(media.value, Media::Hdd | Media::Mmc)
    });
    let slow = match every_read {
        Some(_) => slow.unwrap_or(None),
        None => slow?,
    };
    if slow.is_none() && every_read.is_none() {
        return match relatime {
            Some(_) => Ok(Clear),
            None => Err(Missing::new(
                format!("whether `relatime` is on for {}", dataset.name),
                ZFS_GET,
            )),
        };
    }

    let names: Vec<&str> = open.iter().map(|(_, dataset)| &*dataset.name).collect();
    let shown = match names.as_slice() {
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} other datasets", rest.len()),
        [] => String::new(),
    };
    let message = match every_read {
        Some(_) => format!("each read of a file in {shown} writes its access time"),
        None => format!("reading files in {shown} writes access times to the disks"),
    };
    let mut placed = Draft::new(pool.subject(), message).at(
        &named_at(&device.bindings, &device.origin),
        "`atime` is on: ZFS's default",
    );
    if let Some(row) = observed(dataset) {
        placed = placed.and(&row.value.origin, "in effect");
    }
    if let Some(relatime) = every_read {
        placed = placed.and(&relatime.origin, "at each read, not once a day");
    }
    if let Some((media, _)) = &slow {
        placed = placed.and(&media.origin, format!("a {}", medium(media.value)));
    }
    let mut argued = placed.because("ZFS never writes in place: an access time is a new copy of the file's metadata block and of every block above it, and a snapshot keeps the old ones");
    if every_read.is_none() {
        argued = argued.because(match relatime {
            Some(_) => "`relatime` keeps it to one update a day for each file that is read; a backup or a search still touches every file once",
            None => "with `relatime`, the default of pools that were made since OpenZFS 2.2, that is one update a day for each file that is read; without it, one for each read",
        });
    }
    if let Some((_, sure)) = &slow {
        argued = argued.confidence(confidence(*sure));
    }
    let name = &pool.declared.name;
    let argued = argued
        .impact(Impact::unmeasured(
            "writes and growth of snapshots while many files are read",
        ))
        .cost("what goes by access times (mutt's mailboxes, `find -atime`) no longer sees reads")
        .command(
            format!("zfs set atime=off {name}"),
            "sets it on the pool that runs; datasets inherit it",
        )
        .verify(format!("zfs get -r atime {name}"))
        .rollback(format!("zfs inherit atime {name}"));
    // A pool that was looked at exists: what it needs is the command.
    if observed(dataset).is_some() {
        return Ok(argued.advise(
            Reach::Live,
            format!("run the command, and write `rootFsOptions.atime = \"off\"` into disko.devices.zpool.{name} for the next time that the pool is made: disko sets properties only then"),
        ));
    }
    let edits = vec![LayoutEdit::Set {
        path: pool.device.path.join("rootFsOptions").join("atime"),
        value: "off".into(),
    }];
    Ok(argued
        .cost("the edit is for the next time the pool is made: disko sets properties only then, so run the command too")
        .change(EditReach::Live, edits))
}

/// `atime=off` is declared, but the pool was made before that.
fn not_in_effect(pool: &Pool<'_>, dataset: &Dataset, off: &Property, row: &ZfsProperty) -> Verdict {
    // Set where it was declared, so that what lies below inherits it; but a value of the dataset's own
    // does not give way to an inherited one.
    let own = matches!(row.source, PropertySource::Local | PropertySource::Received);
    let holder = pool
        .datasets()
        .filter(|_| !own)
        .find(|(_, it)| {
            it.options
                .get("atime")
                .is_some_and(|own| own.value.origin == off.value.origin)
        })
        .map_or(&dataset.name, |(_, it)| &it.name);
    Draft::new(
        pool.subject(),
        format!("`atime` is declared off for {} but is on", dataset.name),
    )
    .at(&off.value.origin, "has no effect on a pool that exists")
    .and(&row.value.origin, "in effect")
    .because("disko sets properties when it creates a dataset; a rebuild never runs `zfs set`")
    .severity(Severity::Warning)
    .cost("what goes by access times no longer sees reads")
    .command(
        format!("zfs set atime=off {holder}"),
        "makes the pool what the layout says",
    )
    .verify(format!("zfs get -r atime {holder}"))
    .rollback(format!("zfs inherit atime {holder}"))
    .advise(Reach::Live, "run the command; the layout is right as it is")
}

/// Whether access times are kept to one update a day: as observed, else as declared; `None` when
/// neither tells, because the default depends on the version that made the pool.
fn relatime(pool: &Pool<'_>, dataset: &Dataset) -> Known<Option<Sourced<bool>>> {
    if let Some(row) = pool.machine().facts.zfs_property(&dataset.name, "relatime") {
        return Ok(row.is_on().map(|on| Sourced::new(on, row.value.origin.clone())));
    }
    let declared = inherited(pool, dataset, "relatime")?;
    Ok(declared.map(|it| Sourced::new(&*it.value.value == "on", it.value.origin.clone())))
}
