//! Thin pools and snapshots without room.

use machine::facts::LogicalVolume;

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "lvm-full",
    summary: "a thin pool or a snapshot of LVM that is full or nearly so",
    page: include_str!("full.md"),
    severity: Severity::Error,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "lvmthin(7): data space exhaustion, metadata space exhaustion",
            "https://man7.org/linux/man-pages/man7/lvmthin.7.html",
        ),
        Source::new("lvs(8)", "https://man7.org/linux/man-pages/man8/lvs.8.html"),
    ],
    verified: "Linux 6.1, LVM 2.03.16: a thin pool and a snapshot filled to the end",
};

/// From here on dmeventd warns of a pool or a snapshot.
const NEARLY: Percent = Percent(80.0);

/// What is short of room.
struct Short<'f> {
    volume: &'f LogicalVolume,
    origin: &'f source::Origin,
    text: String,
    kind: Room,
    full: bool,
}

/// The room that is short.
#[derive(Clone, Copy, PartialEq)]
enum Room {
    Data,
    Metadata,
    Snapshot,
}

fn check(machine: &Machine) -> Known<Verdict> {
    let facts = &machine.facts;
    let mut found: Vec<_> = facts.lvs.iter().flat_map(short).collect();
    // A pool whose writes fail comes before a snapshot that is lost already.
    found.sort_by_key(|it| (!it.full, it.kind == Room::Snapshot));
    let Some(first) = found.first() else {
        // A pool or a snapshot whose state nobody asked the kernel for (`lvs --readonly`).
        let blind = |it: &&LogicalVolume| is_pool(it) || it.is_snapshot() == Some(true);
        // One that is not active has nothing to tell.
        let tells = |it: &LogicalVolume| matches!(attribute(it, 4), Some(b'a' | b'X'));
        let unknown = facts
            .lvs
            .iter()
            .filter(blind)
            .any(|it| it.data.is_none() && tells(it));
        let declared = machine
            .layout
            .devices
            .iter()
            .any(|it| matches!(it.kind, Kind::LvmVg(_)));
        let asked = !facts.lvs.is_empty();
        return match (machine.is_observed() && declared && !asked) || unknown {
            true => Err(Missing::new(
                "how full the pools and snapshots of LVM are",
                "`lvs -a --units b --reportformat json > lvs.json` as root",
            )),
            false if asked => Ok(Clear),
            false => Ok(NotApplicable),
        };
    };
    let name = path(first.volume);
    let mut placed =
        Draft::new(&name, format!("{name}: {}", first.text)).at(first.origin, first.text.clone());
    for other in found.iter().skip(1) {
        placed = placed.and(other.origin, format!("{}: {}", path(other.volume), other.text));
    }
    let mut argued = match (first.kind, first.full) {
        (Room::Data, true) => placed.because("writes to every volume of the pool wait, for a minute by default, and fail then; what the page cache held by that time is lost, and the filesystems in it are damaged"),
        (Room::Metadata, true) => placed.because("a pool without room for its metadata takes no writes any more, and has to be repaired"),
        (Room::Snapshot, true) => placed.because("a snapshot that could not keep what its origin overwrote is worth nothing any more: neither can it be read nor merged"),
        (Room::Snapshot, false) => placed.because("a snapshot that is full is thrown away; its origin goes on"),
        (Room::Data | Room::Metadata, false) => placed.because("a pool promises its volumes more than it has; when it is full, their writes fail, and their filesystems are damaged"),
    };
    if !first.full {
        argued = argued.severity(Severity::Warning);
    }
    let group = first.volume.group.as_ref().map_or("", |it| &it.value);
    let free = facts.vgs.iter().find(|it| &*it.name.value == group);
    if let Some(free) = free.and_then(|it| it.free.as_ref()) {
        argued = argued.because(format!("the volume group {group} has {} left", free.value));
    }
    let argued = match (first.kind, first.full) {
        (Room::Snapshot, true) => argued
            .command(
                format!("lvremove {name}"),
                "after whoever made the snapshot knows that it is lost",
            )
            .cost("none: what was in it is lost already")
            .verify(format!(
                "lvs -a {group} shows no snapshot with an I in its attributes"
            )),
        (Room::Snapshot, false) => argued
            .command(
                format!("lvextend -L +SIZE {name}"),
                "gives the snapshot more room",
            )
            .cost("the room is taken from the volume group")
            .verify(format!("lvs -a {group} shows a smaller Data%")),
        (Room::Data, _) => argued
            .command(
                "fstrim -av",
                "gives back what the filesystems in it have deleted, where discards reach the pool",
            )
            .command(
                format!("lvextend -L +SIZE {name}"),
                "gives the pool more room; where the group has none: vgextend first",
            )
            .cost("the room is taken from the volume group")
            .verify(format!(
                "lvs -a {group} shows a smaller Data%, and no D among the attributes"
            )),
        (Room::Metadata, _) => argued
            .command(
                format!("lvextend --poolmetadatasize +SIZE {name}"),
                "gives the pool's metadata more room, up to 15.88 GiB",
            )
            .cost("the room is taken from the volume group")
            .verify(format!("lvs -a {group} shows a smaller Meta%")),
    };
    let undo = match (first.kind, first.full) {
        (Room::Snapshot, true) => "none: what was in it cannot be had back",
        _ => "none is needed: what was made larger stays so",
    };
    Ok(argued
        .rollback(undo)
        .advise(
            Reach::Live,
            match (first.kind, first.full) {
                (Room::Snapshot, true) => "make the backup or the upgrade that the snapshot was for anew, and remove it",
                (_, true) => "give it room now, then check the filesystems in it; `thin_pool_autoextend_threshold` in lvm.conf does the former by itself from then on",
                (_, false) => "give it room before it is full; `thin_pool_autoextend_threshold` and `snapshot_autoextend_threshold` in lvm.conf do that by themselves",
            },
        ))
}

/// `vg/lv`, as the commands of LVM take it.
fn path(volume: &LogicalVolume) -> String {
    match &volume.group {
        Some(group) => format!("{}/{}", group.value, volume.name.value),
        None => volume.name.value.to_string(),
    }
}

fn attribute(volume: &LogicalVolume, at: usize) -> Option<u8> {
    volume.attributes.as_ref()?.value.as_bytes().get(at).copied()
}

fn is_pool(volume: &LogicalVolume) -> bool {
    attribute(volume, 0) == Some(b't')
}

/// What of a volume is short of room.
fn short(volume: &LogicalVolume) -> Vec<Short<'_>> {
    let mut found = Vec::new();
    let mut add = |origin, text, kind, full| {
        found.push(Short {
            volume,
            origin,
            text,
            kind,
            full,
        });
    };
    let share = |share: &Sourced<Percent>| (share.value >= NEARLY).then_some(share.value);
    if is_pool(volume) {
        if let Some((data, used)) = volume.data.as_ref().and_then(|it| Some((it, share(it)?))) {
            let full = used >= Percent(100.0) || attribute(volume, 8) == Some(b'D');
            add(
                &data.origin,
                format!("the thin pool's data is {used} full"),
                Room::Data,
                full,
            );
        }
        if let Some((metadata, used)) = volume.metadata.as_ref().and_then(|it| Some((it, share(it)?))) {
            let full = used >= Percent(100.0) || attribute(volume, 8) == Some(b'M');
            add(
                &metadata.origin,
                format!("the thin pool's metadata is {used} full"),
                Room::Metadata,
                full,
            );
        }
    } else if volume.is_snapshot() == Some(true) {
        let lost = matches!(attribute(volume, 4), Some(b'I' | b'S'));
        if let (true, Some(attributes)) = (lost, &volume.attributes) {
            add(
                &attributes.origin,
                "the snapshot ran full, and is lost".to_owned(),
                Room::Snapshot,
                true,
            );
        } else if let Some((data, used)) = volume.data.as_ref().and_then(|it| Some((it, share(it)?))) {
            add(
                &data.origin,
                format!("the snapshot is {used} full"),
                Room::Snapshot,
                false,
            );
        }
    }
    found
}
