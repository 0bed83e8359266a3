//! Arrays that lack a device.

use machine::facts::{MdArray, MdMember, MdState, TroubleKind};

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "md-degraded",
    summary: "a software RAID that lacks a device",
    page: include_str!("degraded.md"),
    severity: Severity::Error,
    check: Check::Host(check),
    sources: &[Source::new(
        "md(4)",
        "https://man7.org/linux/man-pages/man4/md.4.html",
    )],
    verified: "Linux 6.18, mdadm 4.2: an array with a device marked as failed",
};

/// Whether a device is put in the place of one that is missing, or waits for its turn: the kernel calls
/// that `recovery` while it lasts and `resync` while it is put off, mdadm calls it a rebuild.
/// A check or a reshape brings no device back.
fn is_mended(array: &MdArray) -> bool {
    let action = array.action.as_ref().map_or("", |it| &it.value);
    let waits = array.progress.is_none() && action == "resync";
    let is_filled = |member: &MdMember| member.state.value == MdState::Rebuilding;
    action.starts_with("recovery")
        || action.starts_with("rebuild")
        || (waits && array.members.iter().any(is_filled))
}

/// Whether more devices are gone than the level can do without. For raid10 that depends on which.
fn is_lost(array: &MdArray) -> bool {
    let (Some(devices), Some(working), Some(level)) = (&array.devices, &array.working, &array.level) else {
        return false;
    };
    let gone = devices.value.saturating_sub(working.value);
    match &*level.value {
        "raid0" | "linear" => gone > 0,
        "raid1" => working.value == 0,
        "raid4" | "raid5" => gone > 1,
        "raid6" => gone > 2,
        _ => false,
    }
}

fn check(machine: &Machine) -> Known<Verdict> {
    let facts = &machine.facts;
    if facts.md.is_empty() {
        let declared = machine
            .layout
            .devices
            .iter()
            .any(|device| matches!(device.kind, Kind::Mdadm(_)));
        return match declared && machine.is_observed() {
            false => Ok(NotApplicable),
            true => Err(Missing::new(
                "whether all devices of the arrays work",
                "`cat /proc/mdstat > mdstat`",
            )),
        };
    }
    let mut lacking: Vec<_> = facts
        .md
        .iter()
        .filter(|array| array.is_degraded().is_some_and(|it| it.value))
        .filter_map(|array| Some((array, array.devices.as_ref()?, array.working.as_ref()?)))
        .collect();
    // What is lost comes first, and then what nobody mends yet.
    lacking.sort_by_key(|(array, ..)| (!is_lost(array), is_mended(array)));
    let Some((array, devices, working)) = lacking.first() else {
        return Ok(Clear);
    };
    let name = &array.name.value;
    let mut placed = Draft::new(
        format!("/dev/{name}"),
        format!(
            "{name} works with {} of its {} devices",
            working.value, devices.value
        ),
    )
    .at(&working.origin, "so many work");
    for member in &array.members {
        if member.state.value == MdState::Faulty {
            placed = placed.and(&member.device.origin, format!("{} failed", member.device.value));
        }
    }
    for (other, devices, working) in lacking.iter().skip(1) {
        placed = placed.and(
            &working.origin,
            format!(
                "{} works with {} of {} too",
                other.name.value, working.value, devices.value
            ),
        );
    }
    // `md/raid1:md127: Disk failure on sdb1, disabling device.`
    let dropped = facts
        .kernel_log
        .iter()
        .filter(|it| it.kind == TroubleKind::ArrayDegraded && it.last.value.contains(&format!(":{name}: ")));
    for dropped in dropped {
        placed = placed.and(&dropped.last.origin, format!("when {} was lost", dropped.subject));
    }
    let lost = is_lost(array);
    let rebuilding = is_mended(array) && !lost;
    if let Some(action) = &array.action {
        let text = match &array.progress {
            Some(progress) => format!("{} is under way: {}", action.value, progress.value),
            None => format!("{} waits for its turn", action.value),
        };
        placed = placed.and(&action.origin, text);
    }
    if lost {
        return Ok(placed
            .because("an array of this level cannot do without so many: it takes no writes any more, and what it has cannot be read in full")
            .because("devices that drop out together mostly have a cable, a controller or the power in common, and hold their data still")
            .cost("a wrong guess overwrites what is left: where the data matters, work on copies of the devices")
            .command(
                format!("mdadm --detail /dev/{name}"),
                "names the devices that are missing",
            )
            .command(
                "mdadm --examine /dev/MEMBER | grep -E 'Events|Update Time|Array State'",
                "how far each device came: those whose counts of events are close belong together",
            )
            .verify("cat /proc/mdstat shows U for as many devices as the level needs")
            .rollback("none is needed: nothing is changed")
            .advise(
                Reach::Live,
                format!("neither add nor create anything: find what the devices have in common; then stop the array and try mdadm --assemble --force /dev/{name} with its old devices"),
            ));
    }
    let mut argued = placed
        .because("most arrays lose everything with the next device that fails, and the devices that are left are as old as the one that failed, and read in full to rebuild it")
        .because("a degraded array is slow by itself: what lay on the lost device is computed from all others, or read from fewer copies, so that nothing measured on it now says how it should be tuned");
    if rebuilding {
        argued = argued.severity(Severity::Warning);
    }
    let argued = argued
        .cost("a rebuild reads every device in full, for hours on large disks")
        .command(
            format!("mdadm --detail /dev/{name}"),
            "names the device that is missing",
        )
        .verify("cat /proc/mdstat shows U for every device, and no F")
        .rollback("none is needed: nothing is changed");
    Ok(match rebuilding {
        true => argued.advise(
            Reach::Live,
            "let it finish, and bring the backup up to date meanwhile",
        ),
        false => argued.advise(
            Reach::Live,
            format!(
                "bring the backup up to date first; then replace the device: mdadm /dev/{name} --add /dev/NEW"
            ),
        ),
    })
}
