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
    if felt(pressure) == Felt::Low {
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
    if let Some(io) = &busiest {
        placed = placed.and(&io.queue.origin, io.label());
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
            Some(io) => format!("look at {} first: {}", io.name, io.meaning()),
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
        .verify("cat /proc/pressure/io while the same work runs (some avg60 below 10, full avg60 below 5)")
        .advise(Reach::Live, advice))
}

/// The disk with the longest queue, as iostat measured it.
struct Busiest {
    name: String,
    queue: Sourced<f64>,
    /// What requests of each kind wait, where there were any, with the time that all of them wait
    /// in a second.
    waits: Vec<(Request, f64, f64)>,
}

/// The kinds of request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    Reads,
    Writes,
    Flushes,
}

impl Busiest {
    fn label(&self) -> String {
        let mut text = format!(
            "{} has the longest queue, {:.1} requests on average",
            self.name, self.queue.value
        );
        for (kind, wait, _) in &self.waits {
            let name = match kind {
                Request::Reads => "reads",
                Request::Writes => "writes",
                Request::Flushes => "flushes",
            };
            text.push_str(&format!(", {name} wait {wait:.0} ms"));
        }
        text
    }

    /// What the kind of request that most of the waiting is for stands for.
    fn meaning(&self) -> &'static str {
        match self.waits.iter().max_by(|(_, _, a), (_, _, b)| a.total_cmp(b)) {
            Some((Request::Reads, ..)) => {
                "most of the waiting is for reads: seeks, or data that no longer fits into the cache"
            }
            Some((Request::Writes, ..)) => {
                "most of the waiting is for writes: what piled up in memory is written back, or more comes than the disk takes"
            }
            Some((Request::Flushes, ..)) => {
                "most of the waiting is for flushes: something syncs often (a database, a journal), and the disk takes long to confirm"
            }
            None => "its queue is the longest",
        }
    }
}

/// The disk with the longest queue, if iostat measured any that had one. Figures since boot do not count.
fn busiest(machine: &Machine) -> Option<Busiest> {
    const NO_DISK: [&str; 5] = ["dm-", "md", "loop", "zram", "zd"];
    let mean = |io: &DeviceIo| io.queue.as_ref().map_or(0.0, |it| it.value.mean);
    let io = machine
        .facts
        .io
        .iter()
        .filter(|io| io.window == Window::Intervals)
        .filter(|io| !NO_DISK.iter().any(|it| io.name.starts_with(it)))
        .filter(|io| mean(io) >= 1.0)
        .max_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    let queue = io.queue.as_ref()?;
    let kinds = [
        (Request::Reads, &io.read_wait, &io.reads),
        (Request::Writes, &io.write_wait, &io.writes),
        (Request::Flushes, &io.flush_wait, &io.flushes),
    ];
    let waits = kinds
        .into_iter()
        .filter_map(|(kind, wait, rate)| {
            let (wait, rate) = (wait.as_ref()?.value.mean.0, rate.as_ref()?.value.mean.0);
            (rate > 0.0).then_some((kind, wait, wait * rate))
        })
        .collect();
    Some(Busiest {
        name: io.name.to_string(),
        queue: Sourced::new(queue.value.mean, queue.origin.clone()),
        waits,
    })
}
