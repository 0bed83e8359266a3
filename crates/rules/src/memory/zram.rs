//! Swap in compressed memory.

use source::Node;

use super::{SYSCTL_VM, set_sysctl, size, sysctl};
use crate::luks::a_medium;
use crate::metrics::{Felt, felt, share};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zram",
    summary: "memory is short, and what is swapped out goes to a slow disk or nowhere",
    page: include_str!("zram.md"),
    severity: Severity::Info,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "zram: compressed RAM-based block devices",
            "https://docs.kernel.org/admin-guide/blockdev/zram.html",
        ),
        SYSCTL_VM,
        Source::new(
            "NixOS, nixos/modules/config/zram.nix",
            "https://github.com/NixOS/nixpkgs/blob/master/nixos/modules/config/zram.nix",
        ),
    ],
    verified: "Linux 6.18, NixOS 26.05",
};

/// Up to here zram is worth having whatever swap lies on.
const SMALL: Bytes = Bytes::gib(16);

/// Less than this in swap is what the kernel puts there on any long day.
const IN_USE: Bytes = Bytes::mib(256);

fn check(machine: &Machine) -> Known<Verdict> {
    let enable = &["zramSwap", "enable"];
    if let Some(decided) = machine.config.set(enable) {
        let on = decided.node == Node::Bool(true);
        return Ok(if on { Clear } else { NotApplicable });
    }
    if compressed_already(machine) {
        return Ok(Clear);
    }
    let memory = size(machine)?;
    let slow = slow_swap(machine);
    // hwinfo rounds and the kernel keeps some to itself, never the other way round.
    if memory.value > SMALL && matches!(slow, Ok(None)) {
        return Ok(NotApplicable);
    }
    let Some(Shortage {
        evidence,
        label,
        message,
        pressed,
    }) = shortage(machine)?
    else {
        return Ok(Clear);
    };
    let slow = if memory.value > SMALL {
        slow?
    } else {
        slow.unwrap_or(None)
    };

    let mut placed = Draft::new("host", message)
        .at(&evidence, label)
        .and(&memory.origin, format!("{} of memory", memory.value));
    if let Some((name, media)) = &slow {
        placed = placed.and(
            &media.origin,
            format!("swap lies on {name}, {}", a_medium(media.value)),
        );
    }
    let without_swap = has_no_swap(machine);
    let mut argued = placed
        .because(if without_swap {
            "without swap the kernel can only throw out pages of files, programs among them, and reads them again at once"
        } else {
            "a page that comes back from zram costs microseconds of CPU; from a disk it costs a read, and from a rotating one a seek"
        })
        .impact(Impact::unmeasured("time lost to swapping"))
        .cost("CPU time to compress, and what is in zram still takes up memory, about a third of its size with ordinary data; it helps little where memory is full of what does not compress")

        .verify("zramctl and swapon --show after nixos-rebuild switch; cat /proc/pressure/memory under the same work")
        .rollback("remove the settings and rebuild; what zram holds moves back into memory, so do it when there is room");
    if !without_swap {
        argued = argued.cost("swap on a disk stays as it is and is used when zram is full; hibernation needs it and cannot use zram");
    }
    argued = if pressed {
        argued.severity(Severity::Warning)
    } else {
        argued
            .because("what lies in swap may lie there unused: `vmstat 1` (si) tells whether it is read back")
            .confidence(Confidence::Possible)
    };
    let option = |path: &[&str]| source::OptionPath::new(path.iter().copied());
    let mut settings = vec![NixosSetting {
        option: option(enable),
        value: true.into(),
        reason: "swaps into compressed memory, up to half of it, before any disk".into(),
    }];
    // NixOS gives zram priority 5; disks have a negative one unless something gives them another.
    let highest = machine.layout.swaps.iter().filter_map(|swap| swap.priority).max();
    if highest.is_some_and(|priority| priority >= 5)
        && machine.config.set(&["zramSwap", "priority"]).is_none()
    {
        settings.push(NixosSetting {
            option: option(&["zramSwap", "priority"]),
            value: highest.map_or(100, |it| it.saturating_add(1).min(32_767)).into(),
            reason: "above the swap that the layout gives a priority of its own".into(),
        });
    }
    if sysctl(machine, "vm.swappiness").is_none() {
        settings.push(set_sysctl(
            "vm.swappiness",
            180,
            "swap in memory is cheaper than reading files again; 60 is meant for disks, 200 is the most",
        ));
    }
    if sysctl(machine, "vm.page-cluster").is_none() {
        settings.push(set_sysctl(
            "vm.page-cluster",
            0,
            "reading eight pages ahead pays off on disks; in memory it only decompresses what nobody asked for",
        ));
    }
    Ok(argued.setting(EditReach::Live, settings))
}

/// Whether zram or zswap compresses what is swapped out already.
fn compressed_already(machine: &Machine) -> bool {
    let facts = &machine.facts;
    let zram = facts.swaps.iter().any(|swap| swap.is_zram())
        || facts
            .disks
            .iter()
            .any(|disk| disk.kernel_name().is_some_and(|name| name.starts_with("zram")));
    let zswap_full = facts.memory.zswap.as_ref().is_some_and(|it| it.value > Bytes(0));
    let parameters = machine
        .config
        .set(&["boot", "kernelParams"])
        .and_then(|tree| tree.as_list());
    let zswap_asked = parameters.is_some_and(|list| {
        list.iter()
            .filter_map(|it| it.as_str())
            .any(|it| matches!(it, "zswap.enabled=1" | "zswap.enabled=Y" | "zswap.enabled=y"))
    });
    let others = [
        ["boot", "zswap", "enable"],
        ["services", "zram-generator", "enable"],
    ];
    zram || zswap_full || zswap_asked || others.iter().any(|path| machine.config.is_true(path))
}

/// The first swap that lies on a slow disk: its name and medium.
fn slow_swap(machine: &Machine) -> Known<Option<(String, Sourced<Media>)>> {
    let mut disks: Vec<Disk<'_>> = machine.swaps().flat_map(|swap| swap.disks()).collect();
    for swap in &machine.facts.swaps {
        let below = machine.facts.disks_under(&swap.path.value);
        disks.extend(machine.disks().filter(|disk| {
            disk.observed
                .is_some_and(|it| below.iter().any(|found| std::ptr::eq(*found, it)))
        }));
    }
    let found = find_known(
        disks
            .iter()
            .map(|disk| disk.media().map(|(media, _)| (disk.name(), media))),
        |(_, media)| matches!(media.value, Media::Hdd | Media::Mmc),
    )?;
    Ok(found)
}

/// Whether the machine has no swap at all, as far as it is known.
fn has_no_swap(machine: &Machine) -> bool {
    machine.layout.swaps.is_empty() && machine.facts.swaps.is_empty()
}

/// What shows that memory is short.
struct Shortage {
    /// The measurement.
    evidence: source::Origin,
    /// Its label.
    label: String,
    /// The finding's message.
    message: String,
    /// Whether tasks were seen to wait for memory, and not only something in swap.
    pressed: bool,
}

/// What shows that memory is short; `None` when measurements show that it is not.
fn shortage(machine: &Machine) -> Known<Option<Shortage>> {
    let facts = &machine.facts;
    let pressure = facts.pressure.memory.as_ref();
    let felt_some = pressure
        .filter(|it| felt(it) > Felt::Low)
        .and_then(|it| it.some.as_ref());
    if let Some(stall) = felt_some {
        let some = share(stall);
        let time = if stall.interval.is_some() {
            "the time between the samples"
        } else {
            "the last minute"
        };
        let rest = if has_no_swap(machine) {
            "there is no swap for what nobody uses"
        } else {
            "what is swapped out goes to a disk"
        };
        return Ok(Some(Shortage {
            evidence: some.origin.clone(),
            label: "tasks waited for memory".into(),
            message: format!(
                "for {} of {time} something waited for memory, and {rest}",
                some.value
            ),
            pressed: true,
        }));
    }
    let swapped_out = |evidence: &source::Origin, label: String, used: Bytes| {
        Ok(Some(Shortage {
            evidence: evidence.clone(),
            label,
            message: format!("{used} is swapped out to a disk"),
            pressed: false,
        }))
    };
    let used = facts.swaps.iter().filter_map(|swap| swap.used.as_ref());
    if let Some(used) = used
        .filter(|used| used.value >= IN_USE)
        .max_by_key(|used| used.value)
    {
        return swapped_out(&used.origin, format!("{} swapped out", used.value), used.value);
    }
    let meminfo = facts
        .memory
        .swap_total
        .as_ref()
        .zip(facts.memory.swap_free.as_ref());
    if let Some((total, free)) = meminfo {
        let used = total.value - free.value;
        if used >= IN_USE {
            return swapped_out(
                &free.origin,
                format!("free of {}: {used} is swapped out", total.value),
                used,
            );
        }
    }
    if pressure.is_some() {
        return Ok(None);
    }
    Err(Missing::new(
        "whether memory is short",
        "`cat /proc/pressure/memory > psi-memory` under the usual work",
    ))
}
