//! The I/O scheduler of rotating disks.

use source::Node;

use crate::metrics::fault;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "blk-scheduler-hdd",
    summary: "a rotating disk with a scheduler that does not suit what the machine is for",
    page: include_str!("scheduler_hdd.md"),
    severity: Severity::Info,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "BFQ, kernel documentation",
            "https://docs.kernel.org/block/bfq-iosched.html",
        ),
        Source::new(
            "Deadline I/O scheduler tunables",
            "https://docs.kernel.org/block/deadline-iosched.html",
        ),
        Source::new(
            "nixpkgs#318600: hardware.block",
            "https://github.com/NixOS/nixpkgs/pull/318600",
        ),
    ],
    verified: "Linux 6.18, NixOS 25.05",
};

/// What the machine is for.
enum Use {
    /// Somebody sits in front of it: why it is taken for that, as a phrase.
    Desktop(String, Option<source::Origin>),
    /// Nobody does.
    Server,
}

fn check(machine: &Machine) -> Known<Verdict> {
    let rotating = machine
        .disks()
        .filter(|disk| !disk.holds_zfs() && !flag_lies(disk))
        // Whichever disk of the layout it is, the scheduler is set for the one that was observed.
        .filter_map(
            |disk| match disk.observed.map_or_else(|| disk.media(), |it| it.media()) {
                Ok((media, Sureness::Certain)) if media.value == Media::Hdd => Some(Ok((disk, media))),
                // A model's name is a guess, and a listing tells more.
                Ok((media, Sureness::Guess)) if media.value == Media::Hdd => Some(Err(unknown(&disk))),
                Ok(_) => None,
                Err(missing) => Some(Err(missing)),
            },
        );
    let (mut disks, mut missing) = (Vec::new(), None);
    for found in rotating {
        match found {
            Ok(disk) => disks.push(disk),
            Err(fact) => missing = missing.or(Some(fact)),
        }
    }
    if disks.is_empty() {
        return missing.map_or(Ok(NotApplicable), Err);
    }
    if chosen(machine) {
        return Ok(Clear);
    }
    let mut schedulers = Vec::new();
    for (disk, media) in &disks {
        schedulers.push((*disk, media, disk.scheduler()?));
    }
    // `none` and `kyber` suit no rotating disk; `bfq` is a choice that was made.
    let unsorted = |active: &str| matches!(active, "none" | "kyber");
    let worst = schedulers.iter().find(|(_, _, it)| unsorted(&it.value.active));
    if worst.is_none() && schedulers.iter().all(|(_, _, it)| &*it.value.active == "bfq") {
        return Ok(Clear);
    }
    if fault(machine).is_some() {
        return Ok(NotApplicable);
    }
    let used_for = used_for(machine);
    let wanted = match (&used_for, worst) {
        (Ok(Use::Desktop(..)), _) => "bfq",
        (Ok(Use::Server), None) => return Ok(Clear),
        (Err(missing), None) => return Err(missing.clone()),
        (_, Some(_)) => "mq-deadline",
    };
    let release = machine.facts.versions.nixos.as_ref().ok_or_else(|| {
        Missing::new(
            "the release of NixOS (`hardware.block` is there since 25.05)",
            "`nixos-version > versions.txt`",
        )
    })?;

    let Some((disk, media, scheduler)) =
        worst.or_else(|| schedulers.iter().find(|(_, _, it)| &*it.value.active != "bfq"))
    else {
        return Ok(Clear);
    };
    let active = &scheduler.value.active;
    let message = if wanted == "bfq" {
        format!(
            "one large copy can hold up everything else on {}: its scheduler is `{active}`",
            disk.name()
        )
    } else {
        format!(
            "requests reach the rotating disk {} unsorted: its scheduler is `{active}`",
            disk.name()
        )
    };
    let mut placed = Draft::new("host", message)
        .at(&scheduler.origin, format!("`{active}` on {}", disk.name()))
        .and(&media.origin, "a rotating disk");
    for (other, _, scheduler) in &schedulers {
        if other.name() != disk.name() && &*scheduler.value.active != wanted {
            placed = placed.and(
                &scheduler.origin,
                format!("`{}` on {}", scheduler.value.active, other.name()),
            );
        }
    }
    let mut argued = match &used_for {
        Ok(Use::Desktop(why, origin)) => {
            if let Some(origin) = origin {
                placed = placed.and(origin, why.clone());
            }
            placed
                .because(format!("`{active}` serves requests by place and deadline, whoever sent them; `bfq` shares the disk's time between programs and lets the small reads of what one waits for through first"))
                                .because("the IOWeight= of a systemd service means something to `bfq` alone")
                .impact(Impact::unmeasured("how long a program takes to start while something copies"))
                .cost("less throughput with many writers at once, and more CPU time for each request")
        }
        _ => placed
            .because("a rotating disk answers in the order of the heads' way; without a scheduler nothing sorts the requests but the drive's own queue, and reads wait behind writes without a limit")
            .impact(Impact::unmeasured("latency of reads while something writes"))
            .cost("none that is known on a rotating disk"),
    };
    if !release.value.at_least(25, 5) {
        return Ok(argued
            .command(
                format!("echo {wanted} > /sys/block/{}/queue/scheduler", disk.name()),
                "tries it at once, until the next boot",
            )
            .verify("grep . /sys/block/*/queue/scheduler")
            .rollback(format!("echo {active} > /sys/block/{}/queue/scheduler", disk.name()))
            .advise(
                Reach::Live,
                format!("this NixOS is {}, which has no option for it: set it by a rule in `services.udev.extraRules`: ACTION==\"add|change\", KERNEL==\"sd[a-z]*\", ATTR{{queue/rotational}}==\"1\", ATTR{{queue/scheduler}}=\"{wanted}\"", release.value),
            ));
    }
    for (disk, _, _) in &schedulers {
        argued = argued.command(
            format!("echo {wanted} > /sys/block/{}/queue/scheduler", disk.name()),
            "tries it at once, until the next boot",
        );
    }
    Ok(argued
        .verify("grep . /sys/block/*/queue/scheduler")
        .rollback(format!(
            "remove the setting and reboot, or: echo {active} > /sys/block/{}/queue/scheduler",
            disk.name()
        ))
        .setting(
            EditReach::Live,
            [NixosSetting {
                option: source::OptionPath::new(["hardware", "block", "defaultSchedulerRotational"]),
                value: wanted.into(),
                reason: match wanted {
                    "bfq" => {
                        "shares a rotating disk between programs; disks of a ZFS pool keep `none`".into()
                    }
                    _ => "sorts requests and limits how long a read waits; disks of a ZFS pool keep `none`"
                        .into(),
                },
            }],
        ))
}

/// Whether no listing could tell that the disk rotates: behind USB and RAID controllers, over a
/// network and in a virtual machine the kernel's flag says what it likes.
fn flag_lies(disk: &Disk<'_>) -> bool {
    let observed = disk.observed;
    let transport = observed.and_then(|it| it.transport.as_ref()).map(|it| it.value);
    disk.machine().facts.is_virtual() == Some(true)
        || observed.is_some_and(|it| it.behind_raid.is_some())
        || matches!(
            transport,
            Some(Transport::Usb | Transport::Virtio | Transport::Network)
        )
}

fn unknown(disk: &Disk<'_>) -> Missing {
    Missing::new(
        format!("whether {} really rotates, and its scheduler", disk.name()),
        "`lsblk -J -O -b > lsblk.json`",
    )
}

/// Whether the configuration chooses schedulers already.
fn chosen(machine: &Machine) -> bool {
    let block = |name| machine.config.set(&["hardware", "block", name]);
    let named = |tree: &source::Tree| tree.as_str().is_some();
    let by_udev = machine.config.set(&["services", "udev", "extraRules"]);
    block("defaultSchedulerRotational").is_some_and(named)
        || block("defaultScheduler").is_some_and(named)
        || block("scheduler")
            .and_then(|tree| tree.as_attrs())
            .is_some_and(|it| !it.is_empty())
        || by_udev
            .and_then(|tree| tree.as_str())
            .is_some_and(|rules| rules.contains("queue/scheduler"))
}

/// What the machine is for.
///
/// # Errors
/// [`Missing`] when nothing tells: facter calls many servers desktops.
fn used_for(machine: &Machine) -> Known<Use> {
    const GRAPHICAL: [&[&str]; 6] = [
        &["services", "xserver", "enable"],
        &["services", "displayManager", "enable"],
        &["services", "desktopManager", "plasma6", "enable"],
        &["services", "desktopManager", "gnome", "enable"],
        &["programs", "hyprland", "enable"],
        &["programs", "sway", "enable"],
    ];
    const SERVING: [&str; 6] = ["server", "postgresql", "mysql", "nfs", "samba", "libvirt"];
    if machine.runs("desktop") {
        return Ok(Use::Desktop("somebody works at it".into(), None));
    }
    let graphical = GRAPHICAL
        .iter()
        .filter_map(|option| machine.config.set(option))
        .find(|tree| tree.node == Node::Bool(true));
    if let Some(tree) = graphical {
        return Ok(Use::Desktop(
            "somebody works at it".into(),
            Some(tree.origin.clone()),
        ));
    }
    let form = machine.facts.form_factor.as_ref();
    if let Some(form) =
        form.filter(|it| matches!(&*it.value, "laptop" | "notebook" | "convertible" | "tablet"))
    {
        return Ok(Use::Desktop(
            "somebody works at it".into(),
            Some(form.origin.clone()),
        ));
    }
    if SERVING.iter().any(|name| machine.runs(name)) || machine.config.complete {
        return Ok(Use::Server);
    }
    Err(Missing::new(
        "whether somebody works at the machine or it only serves others",
        "`--workload desktop` or `--workload server`",
    ))
}
