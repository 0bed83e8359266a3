//! Measured pressure on the disks.

use super::{Felt, fault, felt, memory_is_short, share};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "m-psi-io",
    summary: "tasks wait for the disks, as measured",
    page: include_str!("psi_io.md"),
    severity: Severity::Warning,
    check: Check::Host(check),
    sources: &[
        Source::new(
            "PSI, pressure stall information",
            "https://docs.kernel.org/accounting/psi.html",
        ),
        Source::new("iostat(1)", "https://man7.org/linux/man-pages/man1/iostat.1.html"),
    ],
    verified: "Linux 6.18",
};

fn check(machine: &Machine) -> Known<Verdict> {
    let pressure = machine.facts.pressure.io.as_ref().ok_or_else(|| {
        Missing::new(
            "how long tasks wait for the disks",
            "`cat /proc/pressure/io > psi-io` while it is slow",
        )
    })?;
    let felt = felt(pressure);
    if felt == Felt::Low {
        return Ok(Clear);
    }
    let shown: Vec<_> = [&pressure.some, &pressure.full]
        .into_iter()
        .flatten()
        .map(share)
        .collect();
    let Some(first) = shown.first() else {
        return Ok(Clear);
    };
    let measured = pressure.some.as_ref().is_some_and(|it| it.interval.is_some());
    let time = if measured {
        "the time between the samples"
    } else {
        "the last minute"
    };
    let message = match &pressure.full {
        Some(full) => format!(
            "for {} of {time} something waited for the disks, for {} everything did",
            first.value,
            share(full).value
        ),
        None => format!("for {} of {time} something waited for the disks", first.value),
    };
    let message = if felt == Felt::High {
        message
    } else {
        format!("{message}: noticeable")
    };
    let mut placed = Draft::new("host", message).at(&first.origin, "at least one task waited");
    if let (Some(_), Some(full)) = (&pressure.some, &pressure.full) {
        placed = placed.and(&share(full).origin, "every task that had work to do waited");
    }

    let fault = fault(machine);
    if let Some((origin, what)) = &fault {
        placed = placed.and(origin, what.clone());
    }
    let short = memory_is_short(machine);
    if short == Some(true)
        && let Some(memory) = machine
            .facts
            .pressure
            .memory
            .as_ref()
            .and_then(|it| it.some.as_ref())
    {
        placed = placed.and(&share(memory).origin, "and tasks wait for memory too");
    }
    let busiest = busiest(machine);
    if let Some((name, queue)) = &busiest {
        placed = placed.and(
            &queue.origin,
            format!(
                "{name} has the longest queue: {:.1} requests on average",
                queue.value
            ),
        );
    }

    let argued = placed.because("this is time in which work stood still, measured by the scheduler: unlike %iowait and %util it says what the waiting cost");
    let (argued, advice) = if fault.is_some() {
        (
            argued.because("a disk that fails answers slowly, and no setting makes up for it"),
            "find and replace what fails first; judge the speed again after that".to_owned(),
        )
    } else if short == Some(true) {
        (
            argued.because("tasks wait for memory at the same time: pages are thrown out and read again, and the disk is busy with that"),
            "free memory or add some before anything about the disks: look at `ps -eo rss,cmd --sort=-rss | head`, and at what swaps in `vmstat 1` (si, so)".to_owned(),
        )
    } else {
        let next = match &busiest {
            Some((name, _)) => format!("look at {name} first: large r_await with reads means seeks or a cold cache, large f_await with few MB/s means waiting for flushes (databases, fsync), large w_await after bursts means writeback"),
            None => "see which disk it is, and whether it reads, writes or flushes: `iostat -x -y -o JSON 5 12 > iostat.json`".to_owned(),
        };
        let memory = match short {
            Some(_) => "",
            None => "; add `/proc/pressure/memory`, since short memory shows as busy disks too",
        };
        (
            argued,
            format!("{next}; then which program: `iotop -b -o -n 5`{memory}"),
        )
    };
    Ok(argued
        .cost("none: this only tells where to look")
        .verify("cat /proc/pressure/io while the same work runs (some avg60 below 10, full avg60 below 5)")
        .rollback("nothing was changed")
        .advise(Reach::Live, advice))
}

/// The disk with the longest queue, if iostat measured any that had one.
fn busiest(machine: &Machine) -> Option<(String, Sourced<f64>)> {
    machine
        .facts
        .io
        .iter()
        .filter(|io| io.window == Window::Intervals)
        .filter(|io| {
            !["dm-", "md", "loop", "zram", "zd"]
                .iter()
                .any(|it| io.name.starts_with(it))
        })
        .filter_map(|io| {
            let queue = io.queue.as_ref()?;
            let mean = queue.value.mean;
            (mean >= 1.0).then(|| (io.name.to_string(), Sourced::new(mean, queue.origin.clone())))
        })
        .max_by(|(_, a), (_, b)| a.value.total_cmp(&b.value))
}
