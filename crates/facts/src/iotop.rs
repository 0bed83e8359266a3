//! iotop in batch mode: which processes read and write, over any number of samples.
//!
//! Rows of python's iotop and of iotop-c, with any of `-o -k -t -q -qq -qqq`.

use std::collections::HashMap;
use std::sync::Arc;

use source::{BytesPerSecond, Percent, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::number;
use crate::series::{Kept, Series};

/// What one command read and wrote, whatever processes and threads it had.
///
/// Writes often appear under a kernel thread (`kworker`, `btrfs-transaction`, `jbd2`, `z_wr_iss`)
/// and not under the program that caused them.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessIo {
    /// The command line, cut to a length that can be shown; in brackets if it is a kernel thread.
    pub command: Arc<str>,
    /// The user.
    pub user: Arc<str>,
    /// Reads, per row in which it was listed.
    pub read: Sourced<Series<BytesPerSecond>>,
    /// Writes.
    pub write: Sourced<Series<BytesPerSecond>>,
    /// The time that it waited for a disk. Missing where delay accounting is off.
    pub waiting: Fact<Series<Percent>>,
    /// The time that it waited for swap.
    pub swapping: Fact<Series<Percent>>,
}

impl ProcessIo {
    /// Whether it is a thread of the kernel. iotop puts these in brackets, iotop-c does not.
    pub fn is_kernel(&self) -> bool {
        const THREADS: &[&str] = &[
            "kworker/",
            "kswapd",
            "jbd2/",
            "btrfs-",
            "xfsaild/",
            "xfs-",
            "txg_sync",
            "z_wr_",
            "z_rd_",
            "dmcrypt_write",
            "dm_",
            "kcompactd",
            "khugepaged",
        ];
        self.command.starts_with('[') || THREADS.iter().any(|name| self.command.starts_with(name))
    }
}

struct Command {
    user: Arc<str>,
    read: Kept,
    write: Kept,
    waiting: Kept,
    swapping: Kept,
}

/// The parts of a row.
struct Row<'t> {
    user: &'t str,
    read: (&'t str, f64),
    write: (&'t str, f64),
    swapping: Option<(&'t str, f64)>,
    waiting: Option<(&'t str, f64)>,
    /// What stands there where delay accounting is off.
    unavailable: Option<&'t str>,
    command: &'t str,
}

/// A word and what is left behind it.
#[inline]
fn word(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte))?;
    let length = bytes.get(start..)?.iter().position(blank);
    let end = length.map_or(bytes.len(), |length| start + length);
    // Blanks are letters of their own in UTF-8, so these are boundaries.
    Some((text.get(start..end)?, text.get(end..)?))
}

/// What stands behind blanks.
fn behind_blanks(text: &str) -> &str {
    let start = text.bytes().position(|byte| byte != b' ').unwrap_or(text.len());
    text.get(start..).unwrap_or("")
}

/// A rate such as `2329.58 K/s`, in bytes a second.
fn rate(text: &str) -> Option<((&str, f64), &str)> {
    let (figure, rest) = word(text)?;
    let (unit, rest) = word(rest)?;
    let factor = match unit {
        "B/s" => 1.0,
        "K/s" => 1024.0,
        "M/s" => 1024.0 * 1024.0,
        "G/s" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let rate = number::amount(figure)? * factor;
    (rate < 1e13).then_some(((figure, rate), rest))
}

/// A share such as `12.34 %`.
fn share(text: &str) -> Option<((&str, f64), &str)> {
    let (figure, rest) = word(text)?;
    let (sign, rest) = word(rest)?;
    let share = number::amount(figure).filter(|share| *share <= 100.01)?;
    (sign == "%").then_some(((figure, share), rest))
}

fn row(line: &str) -> Option<Row<'_>> {
    let (mut first, mut rest) = word(line)?;
    // With -t the time stands in front.
    if first.contains(':') {
        (first, rest) = word(rest)?;
    }
    if !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (priority, rest) = word(rest)?;
    // `be/4`, `rt/0`, `idle`, `?dif`: a class and a number.
    if !(priority.contains('/') || priority.starts_with('?') || priority == "idle") {
        return None;
    }
    let (user, rest) = word(rest)?;
    let (read, rest) = rate(rest)?;
    let (write, rest) = rate(rest)?;
    let (mut swapping, mut waiting, mut unavailable) = (None, None, None);
    let mut command = behind_blanks(rest);
    if let Some((swap, rest)) = share(rest) {
        let (wait, rest) = share(rest)?;
        (swapping, waiting) = (Some(swap), Some(wait));
        command = behind_blanks(rest);
    } else if let Some((mark @ "?unavailable?", rest)) = word(rest) {
        unavailable = Some(mark);
        command = behind_blanks(rest);
    }
    Some(Row {
        user,
        read,
        write,
        swapping,
        waiting,
        unavailable,
        command,
    })
}

/// Whether a line is a row of iotop or its totals.
pub(crate) fn is(line: &str) -> bool {
    line.contains("Total DISK READ") || row(line).is_some()
}

/// The most commands that are told apart. The ones that write most come early in each sample.
const MOST: usize = 10_000;

/// The longest command that is kept.
const LONGEST: usize = 200;

pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut commands: Vec<(Arc<str>, Command)> = Vec::new();
    let mut index: HashMap<Arc<str>, usize> = HashMap::new();
    let mut last = 0;
    let mut left_out = false;
    while let Some(line) = lines.next() {
        let Some(row) = row(line.text) else {
            let text = line.text.trim();
            if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(" DISK READ") {
                place.warn(&line, text, "not a row of iotop");
            }
            continue;
        };
        if let Some(mark) = row.unavailable
            && facts.delay_accounting.is_none()
        {
            facts.delay_accounting = Some(line.sourced(false, mark));
        }
        let mut end = LONGEST.min(row.command.len());
        while !row.command.is_char_boundary(end) {
            end -= 1;
        }
        let command = row.command.get(..end).unwrap_or("").trim_end();
        // Many threads of one command stand below one another, and the samples list them in much the same order.
        let guess = [last, last + 1]
            .into_iter()
            .find(|at| commands.get(*at).is_some_and(|(known, _)| &**known == command));
        let at = match guess.or_else(|| index.get(command).copied()) {
            Some(at) => at,
            None if commands.len() >= MOST => {
                left_out = true;
                continue;
            }
            None => {
                let name: Arc<str> = Arc::from(command);
                index.insert(Arc::clone(&name), commands.len());
                let new = Command {
                    user: Arc::from(row.user),
                    read: Kept::default(),
                    write: Kept::default(),
                    waiting: Kept::default(),
                    swapping: Kept::default(),
                };
                commands.push((name, new));
                commands.len() - 1
            }
        };
        last = at;
        let Some((_, kept)) = commands.get_mut(at) else {
            continue;
        };
        kept.read.add(&line, row.read.0, row.read.1);
        kept.write.add(&line, row.write.0, row.write.1);
        if let Some((at, share)) = row.swapping {
            kept.swapping.add(&line, at, share);
        }
        if let Some((at, share)) = row.waiting {
            kept.waiting.add(&line, at, share);
        }
    }
    if left_out {
        place.tell_file(format_args!("more than {MOST} commands; the rest is left out"));
    }
    for (name, kept) in commands {
        let (Some(read), Some(write)) = (
            kept.read.sourced(BytesPerSecond),
            kept.write.sourced(BytesPerSecond),
        ) else {
            continue;
        };
        let waiting = kept.waiting.sourced(Percent);
        // Without -o every thread of the machine is listed; the idle ones say nothing.
        let waited = waiting
            .as_ref()
            .is_some_and(|waiting: &Sourced<Series<Percent>>| waiting.value.max.0 > 0.0);
        if read.value.max.0 <= 0.0 && write.value.max.0 <= 0.0 && !waited {
            continue;
        }
        facts.processes.push(ProcessIo {
            command: name,
            user: kept.user,
            read,
            write,
            waiting,
            swapping: kept.swapping.sourced(Percent),
        });
    }
}
