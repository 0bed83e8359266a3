//! Arrays that lack a device.

use machine::facts::TroubleKind;

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
    let lacking: Vec<_> = facts
        .md
        .iter()
        .filter(|array| array.is_degraded().is_some_and(|it| it.value))
        .filter_map(|array| Some((array, array.devices.as_ref()?, array.working.as_ref()?)))
        .collect();
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
        if member.state.value == machine::facts::MdState::Faulty {
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
    let lost = facts
        .troubles_of(name)
        .find(|it| it.kind == TroubleKind::ArrayDegraded);
    if let Some(lost) = lost {
        placed = placed.and(&lost.last.origin, "when it was lost");
    }
    // Only these put a device in the place of the one that is missing.
    let rebuilds = |action: &str| action.starts_with("recovery") || action.starts_with("rebuild");
    let rebuilding = array.action.as_ref().filter(|it| rebuilds(&it.value));
    if let Some(action) = &array.action {
        let text = match &array.progress {
            Some(progress) => format!("{} is under way: {}", action.value, progress.value),
            None => format!("{} is under way", action.value),
        };
        placed = placed.and(&action.origin, text);
    }
    let mut argued = placed
        .because("most arrays lose everything with the next device that fails, and the devices that are left are as old as the one that failed, and read in full to rebuild it")
        .because("a degraded array is slow by itself: what lay on the lost device is computed from all others, or read from fewer copies, so that nothing measured on it now says how it should be tuned");
    if rebuilding.is_some() {
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
        Some(_) => argued.advise(
            Reach::Live,
            "let it finish, and bring the backup up to date meanwhile",
        ),
        None => argued.advise(
            Reach::Live,
            format!(
                "bring the backup up to date first; then replace the device: mdadm /dev/{name} --add /dev/NEW"
            ),
        ),
    })
}
