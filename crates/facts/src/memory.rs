//! Memory and swap: `/proc/meminfo`, `/proc/swaps`.

use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::number;

/// What is known of the memory.
///
/// The three totals differ by nature and are no contradiction: the firmware counts what is
/// plugged in, hwinfo rounds, and the kernel leaves out what it keeps to itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryFacts {
    /// The modules that the firmware lists, summed up.
    pub modules: Fact<Bytes>,
    /// What hwinfo makes of the memory map, rounded by it, at times below the truth.
    pub physical: Fact<Bytes>,
    /// `MemTotal`: what the kernel has to give.
    pub total: Fact<Bytes>,
    /// `MemAvailable`: what programs could get without swapping. OpenZFS's cache is not in it.
    pub available: Fact<Bytes>,
    /// `MemFree`.
    pub free: Fact<Bytes>,
    /// `Cached`: the page cache. OpenZFS's cache is not in it.
    pub cached: Fact<Bytes>,
    /// `Dirty`: waiting to be written.
    pub dirty: Fact<Bytes>,
    /// `Writeback`: being written.
    pub writeback: Fact<Bytes>,
    /// `SwapTotal`.
    pub swap_total: Fact<Bytes>,
    /// `SwapFree`.
    pub swap_free: Fact<Bytes>,
    /// `Zswap`: memory that zswap holds.
    pub zswap: Fact<Bytes>,
    /// `Committed_AS`: what was promised to programs.
    pub committed: Fact<Bytes>,
}

impl MemoryFacts {
    /// The machine's memory, from the best source there is:
    /// the kernel's total, else the modules, else hwinfo's figure.
    pub fn size(&self) -> Option<&Sourced<Bytes>> {
        self.total
            .as_ref()
            .or(self.modules.as_ref())
            .or(self.physical.as_ref())
    }
}

/// One swap device or file in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Swap {
    /// The device or file.
    pub path: Sourced<Arc<str>>,
    /// `partition` or `file`.
    pub kind: Fact<Arc<str>>,
    /// How large it is.
    pub size: Fact<Bytes>,
    /// How much of it is used.
    pub used: Fact<Bytes>,
    /// The higher is used first; the kernel's own choices are negative.
    pub priority: Fact<i64>,
}

impl Swap {
    /// Whether this is compressed memory rather than a disk.
    pub fn is_zram(&self) -> bool {
        self.path.value.starts_with("/dev/zram")
    }
}

/// `/proc/meminfo`, see proc_meminfo(5). Values are in kibibytes, although the file says kB.
pub(crate) fn meminfo(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let memory = &mut facts.memory;
    while let Some(line) = lines.next() {
        let Some((name, rest)) = line.text.split_once(':') else {
            continue;
        };
        let slot = match name.trim() {
            "MemTotal" => &mut memory.total,
            "MemAvailable" => &mut memory.available,
            "MemFree" => &mut memory.free,
            "Cached" => &mut memory.cached,
            "Dirty" => &mut memory.dirty,
            "Writeback" => &mut memory.writeback,
            "SwapTotal" => &mut memory.swap_total,
            "SwapFree" => &mut memory.swap_free,
            "Zswap" => &mut memory.zswap,
            "Committed_AS" => &mut memory.committed,
            _ => continue,
        };
        let value = rest.trim();
        let number = value.split_ascii_whitespace().next().unwrap_or("");
        match kibibytes(number) {
            // A later sample of the same file replaces an earlier one.
            Some(bytes) => *slot = Some(line.sourced(bytes, value)),
            None => place.warn(
                &line,
                value,
                format_args!("{} is not a size that memory can have", name.trim()),
            ),
        }
    }
}

/// A count of kibibytes whose bytes are a size that can be.
fn kibibytes(text: &str) -> Option<Bytes> {
    let count = number::whole(text)?;
    (count <= 1 << 53).then_some(Bytes::kib(count))
}

/// `/proc/swaps`, see proc_swaps(5): sizes in kibibytes.
pub(crate) fn swaps(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    while let Some(line) = lines.next() {
        let fields: Vec<&str> = line.text.split_ascii_whitespace().collect();
        let (path, rest) = match fields.as_slice() {
            ["Filename", ..] | [] => continue,
            // A blank in a file's name is written \040, so a row has five fields.
            [path, rest @ ..] if rest.len() == 4 => (*path, rest),
            _ => {
                place.warn(&line, line.text, "not a row of /proc/swaps");
                continue;
            }
        };
        let &[kind, size, used, priority] = rest else {
            continue;
        };
        let mut bytes = |text: &str| match kibibytes(text) {
            Some(bytes) => Some(line.sourced(bytes, text)),
            None => {
                place.warn(&line, text, "not a size of swap");
                None
            }
        };
        let swap = Swap {
            path: line.sourced(Arc::from(&*crate::mounts::unescape(path)), path),
            kind: Some(line.text_at(kind)),
            size: bytes(size),
            used: bytes(used),
            priority: priority
                .parse()
                .ok()
                .filter(|number| (-32768..=32767).contains(number))
                .map(|number| line.sourced(number, priority)),
        };
        if swap.priority.is_none() {
            place.warn(&line, priority, "not a priority of swap");
        }
        facts.swaps.push(swap);
    }
}
