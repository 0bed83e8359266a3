//! Kernel messages about storage, from `dmesg` in any of its shapes or from `journalctl -k`.
//!
//! What each message means stands beside where the kernel prints it; the names of the sources are those
//! of Linux and of OpenZFS.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use source::Sourced;

use crate::facts::Facts;
use crate::input::{Lines, Place};
use crate::json::{Doc, Json};

/// Messages of one kind about one device.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTrouble {
    /// What happened.
    pub kind: TroubleKind,
    /// What it happened to, as the message names it: `sda`, `ata1`, `nvme0`, `dm-0`, a task, a pool.
    /// Empty where the message names nothing.
    pub subject: Arc<str>,
    /// How many lines told it. The kernel leaves out lines of a flood, so there may have been more.
    pub count: u64,
    /// The first of them, without its time.
    pub first: Sourced<Arc<str>>,
    /// The last of them.
    pub last: Sourced<Arc<str>>,
}

/// What the kernel complains of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TroubleKind {
    /// A request failed (`blk-core.c`, `buffer.c`).
    IoError,
    /// A sector cannot be read (`critical medium error`, a sense key of SCSI).
    MediumError,
    /// A command failed or was retried (`libata-eh.c`, `scsi_logging.c`).
    CommandFailed,
    /// A command got no answer in time (`nvme/host/pci.c`, `virtio_blk`, SCSI).
    Timeout,
    /// The link to the device was reset, slowed or lost (`libata-core.c`, `uas.c`): cable or power, mostly.
    LinkReset,
    /// The controller of an NVMe disk went away (`nvme/host/pci.c`).
    ControllerDown,
    /// A task waited for minutes (`hung_task.c`).
    HungTask,
    /// A filesystem found itself damaged, or could not write (btrfs, ext4, xfs, f2fs, jbd2).
    Filesystem,
    /// What was read does not have the checksum that it should (btrfs, xfs, ext4, ZFS).
    Checksum,
    /// A filesystem or pool stopped taking writes.
    ReadOnly,
    /// A device fell out of an array (`md`).
    ArrayDegraded,
    /// A device ran out of room (thin pools of device-mapper, loop files, zram).
    OutOfSpace,
}

impl fmt::Display for TroubleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IoError => "failed requests",
            Self::MediumError => "unreadable sectors",
            Self::CommandFailed => "failed commands",
            Self::Timeout => "timeouts",
            Self::LinkReset => "resets of the link",
            Self::ControllerDown => "losses of the controller",
            Self::HungTask => "tasks that hung",
            Self::Filesystem => "errors of the filesystem",
            Self::Checksum => "wrong checksums",
            Self::ReadOnly => "stops of writing",
            Self::ArrayDegraded => "devices lost from the array",
            Self::OutOfSpace => "times out of room",
        })
    }
}

/// The most kinds and devices that are told apart.
const MOST: usize = 10_000;

/// The message of a line, without its time and level: of `[   12.345678] sd 0:0:0:0: …`, `[Sat Nov 21
/// 06:19:03 2026] …`, `kern  :err   : [   12.3] …`, `<3>[   12.3] …`, `2026-11-21T06:19:03,123456+00:00 …`,
/// `Nov 21 06:19:03 host kernel: …`.
pub(crate) fn message(line: &str) -> Option<&str> {
    if let Some((before, after)) = line.split_once(" kernel: ")
        && before.len() < 160
        && before.contains(':')
    {
        // journalctl of some versions keeps the seconds since boot.
        return Some(bracketed(after).unwrap_or(after));
    }
    let rest = match line.strip_prefix('<') {
        Some(level) => level.split_once('>').filter(|(level, _)| level.len() <= 3)?.1,
        None => match line.split_once(": [").filter(|(level, _)| is_level(level)) {
            Some(_) => line.get(line.find('[')?..)?,
            None => line,
        },
    };
    if let Some(message) = bracketed(rest) {
        return Some(message);
    }
    // `dmesg --time-format=iso`
    let (time, message) = rest.split_once(' ')?;
    let iso = time.len() >= 25 && time.as_bytes().get(10) == Some(&b'T') && time.contains(',');
    iso.then_some(message)
}

/// `kern  :err   `, as `dmesg -x` puts it before the time.
fn is_level(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(facility, _)| matches!(facility.trim(), "kern" | "user" | "daemon" | "syslog"))
}

/// What stands behind a time in brackets: seconds since boot, or a date; `[T123]` of newer kernels follows at times.
fn bracketed(text: &str) -> Option<&str> {
    let (time, message) = text.strip_prefix('[')?.split_once("] ")?;
    let time = time.trim_start();
    let seconds = time.split_once('.').is_some_and(|(whole, part)| {
        [whole, part]
            .iter()
            .all(|half| !half.is_empty() && half.bytes().all(|b| b.is_ascii_digit()))
    });
    let date = time.len() >= 20
        && ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "]
            .iter()
            .any(|day| time.starts_with(day));
    if !seconds && !date {
        return None;
    }
    let caller = message
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
        .filter(|(caller, _)| caller.trim_start().starts_with(['T', 'C']) && caller.len() < 12);
    Some(caller.map_or(message, |(_, rest)| rest.trim_start()))
}

/// Whether a line is one of the kernel's log.
pub(crate) fn is(line: &str) -> bool {
    message(line).is_some()
}

/// Whether a file is called what people call a copy of the kernel's log: `dmesg.txt`. Without its
/// times (`dmesg --notime`) only that tells it.
pub(crate) fn is_name(name: &str) -> bool {
    let file = name.rsplit(['/', '#']).next().unwrap_or(name);
    file.strip_prefix("dmesg")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}

/// What stands between two texts.
fn between<'t>(text: &'t str, from: &str, to: &[char]) -> Option<&'t str> {
    let at = text.find(from)? + from.len();
    let rest = text.get(at..)?;
    let found = rest.get(..rest.find(to).unwrap_or(rest.len()))?.trim();
    (!found.is_empty() && found.len() <= 64).then_some(found)
}

/// What a message complains of, and of which device.
fn trouble(text: &str) -> Option<(TroubleKind, &str)> {
    use TroubleKind as Kind;
    // The words that every message of the list has one of; most lines of a log end here.
    const WORDS: &[&str] = &[
        "rror",
        "ailed",
        "imeout",
        "timed out",
        "blocked for more",
        "resetting",
        "link",
        "down",
        "errupt",
        "shut",
        "ailure",
        "read-only",
        "readonly",
        "csum",
        "bort",
        "out of",
        "out-of",
        "no free",
        "FAILED",
        "timing out",
        "TIME_OUT",
        "rescheduling",
        "no space",
        "hung",
        "not ready",
        "suspended",
        "reset",
        "xception",
        "vdev=",
        "is missing",
        "nvalidating",
        "annot continue",
    ];
    if !WORDS.iter().any(|word| text.contains(word)) {
        return None;
    }
    let is = |part: &str| text.contains(part);
    let stop: &[char] = &[' ', ',', ':', ')', ']', ';'];
    if is(" blocked for more than ") && is("INFO: task ") {
        let task = between(text, "INFO: task ", &[' '])?;
        return Some((
            Kind::HungTask,
            task.rsplit_once(':').map_or(task, |(name, _)| name),
        ));
    }
    for (prefix, name) in [
        ("BTRFS", "btrfs"),
        ("EXT4-fs", "ext4"),
        ("XFS", "xfs"),
        ("F2FS-fs", "f2fs"),
    ] {
        if text.starts_with(prefix) {
            return filesystem(text, name);
        }
    }
    if text.starts_with("JBD2: ") || text.starts_with("Aborting journal on device ") {
        let device = between(text, " on device ", stop)
            .or_else(|| between(text, "dev=", stop))
            .or_else(|| between(text, " on ", stop))?;
        let device = with_journal(device);
        return (is("rror") || is("bort")).then_some((Kind::Filesystem, device));
    }
    if is("critical medium error, dev ") {
        // A disk that cannot write a sector says the same.
        let kind = if is(":(WRITE)") {
            Kind::IoError
        } else {
            Kind::MediumError
        };
        return Some((kind, between(text, ", dev ", stop)?));
    }
    if is("critical space allocation error, dev ") {
        return Some((Kind::OutOfSpace, between(text, ", dev ", stop)?));
    }
    if is(" error, dev ") {
        return Some((Kind::IoError, between(text, " error, dev ", stop)?));
    }
    if let Some(device) = text.strip_prefix("Buffer I/O error on dev") {
        return Some((
            Kind::IoError,
            between(device.strip_prefix("ice").unwrap_or(device), " ", stop)?,
        ));
    }
    if let Some(rest) = text.strip_prefix("ata") {
        let port = text.split(':').next().filter(|port| port.len() <= 12)?;
        let numbered = rest.starts_with(|c: char| c.is_ascii_digit());
        let link = is("hard resetting link")
            || is("soft resetting link")
            || is("limiting SATA link speed")
            || is("SATA link down")
            || is("link is slow to respond")
            || is("COMRESET failed");
        let failed = is("failed command:") || is("exception Emask") || is("failed to IDENTIFY");
        // The port, not the drive on it: `ata1` of `ata1.00`.
        let whole = port.split('.').next().unwrap_or(port);
        return match (numbered, link, failed) {
            // An empty port is no trouble.
            (true, true, _) if is("SATA link down") => None,
            (true, true, _) => Some((Kind::LinkReset, whole)),
            (true, _, true) => Some((Kind::CommandFailed, whole)),
            _ => None,
        };
    }
    if text.starts_with("nvme") {
        // `nvme nvme0: …` of the controller, `nvme0n1: …` of a namespace.
        let name = text
            .strip_prefix("nvme nvme")
            .map_or(text, |_| text.get(5..).unwrap_or(text));
        let name = name.split([':', ' ']).next().filter(|name| name.len() <= 16)?;
        return if is("timeout, ") || is("Device not ready") {
            Some((Kind::Timeout, name))
        } else if is("controller is down")
            || is("Removing after probe failure")
            || is("Disabling device after reset failure")
        {
            Some((Kind::ControllerDown, name))
        } else if is("I/O Error") || is("I/O error") {
            Some((Kind::IoError, name))
        } else {
            None
        };
    }
    // `sd 0:0:0:0: [sda] tag#0 …`
    if let Some(device) =
        between(text, ": [", &[']']).filter(|_| text.starts_with("sd ") || text.starts_with("sr "))
    {
        return if is("Sense Key : Medium Error") || is("Unrecovered read error") {
            Some((Kind::MediumError, device))
        } else if is("timing out command") || is("DID_TIME_OUT") {
            Some((Kind::Timeout, device))
        } else if is("FAILED Result")
            || is("Sense Key : Hardware Error")
            || is("Sense Key : Aborted Command")
            || is("Synchronize Cache(10) failed")
        {
            Some((Kind::CommandFailed, device))
        } else if is("uas_eh_abort_handler") || is("uas_eh_device_reset_handler") {
            Some((Kind::LinkReset, device))
        } else {
            None
        };
    }
    if text.starts_with("scsi host") && is("uas_eh_") {
        return Some((Kind::LinkReset, between(text, "scsi ", &[':'])?));
    }
    if text.starts_with("md/")
        && (is("Disk failure on ") || is("rescheduling sector") || is("Cannot continue operation"))
    {
        let kind = if is("rescheduling sector") {
            Kind::IoError
        } else {
            Kind::ArrayDegraded
        };
        let array = between(text, ":", &[':'])?;
        return Some((kind, between(text, "Disk failure on ", stop).unwrap_or(array)));
    }
    if text.starts_with("device-mapper: thin")
        && (is("out of data space") || is("out-of-data-space") || is("no free"))
    {
        return Some((
            Kind::OutOfSpace,
            between(text, "thin: ", &[' '])
                .unwrap_or("")
                .trim_end_matches(':'),
        ));
    }
    if text.starts_with("device-mapper: snapshots: Invalidating snapshot") {
        // It does not tell which.
        return Some((Kind::OutOfSpace, ""));
    }
    if text.starts_with("loop: Write error") {
        return Some((Kind::IoError, "loop"));
    }
    if text.starts_with("mmc") && (is("imeout") || is("error -")) {
        return Some((Kind::Timeout, text.split(':').next()?));
    }
    if text.starts_with("zio pool=") {
        // ECKSUM is EBADE, 52 (include/sys/spa.h of OpenZFS).
        let kind = if is("error=52 ") {
            Kind::Checksum
        } else {
            Kind::IoError
        };
        return Some((kind, between(text, "vdev=", &[' '])?));
    }
    if is("WARNING: Pool '") {
        let pool = between(text, "Pool '", &['\''])?;
        return Some((
            if is("suspended") {
                Kind::ReadOnly
            } else {
                Kind::Filesystem
            },
            pool,
        ));
    }
    None
}

/// The device of a journal: one inside the filesystem is called after its inode too, `dm-4-8` or `sda1-8.`
fn with_journal(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    match name.rsplit_once('-') {
        Some((device, inode)) if device != "dm" && inode.bytes().all(|b| b.is_ascii_digit()) => device,
        _ => name,
    }
}

/// Messages of filesystems: `BTRFS error (device dm-0: state EA): …`, `EXT4-fs (sda1): …`, `XFS (dm-0): …`.
fn filesystem<'t>(text: &'t str, name: &str) -> Option<(TroubleKind, &'t str)> {
    use TroubleKind as Kind;
    let device = between(text, "device ", &[':', ')', ' '])
        .filter(|_| text.contains("(device "))
        .or_else(|| between(text, "(", &[':', ')']))?;
    let head = text.split(')').next().unwrap_or(text);
    let is = |part: &str| text.contains(part);
    // What has been repaired was told before, as what it was.
    if is("fixed up error at ") || is("read error corrected") {
        return None;
    }
    let bad = head.contains(" error") || head.contains(" critical") || head.contains("crit ");
    if is("csum failed")
        || is("checksum verify failed")
        || is("checksum error")
        || is("CRC error")
        || is("csum mismatch")
        || is("checksum invalid")
        || is("invalid checksum")
        || is("unable to fixup")
    {
        return Some((Kind::Checksum, device));
    }
    if is("Remounting filesystem read-only")
        || is("forced readonly")
        || is("has been shut down")
        || is("Shutting down filesystem")
        || is("shutting down filesystem")
    {
        return Some((Kind::ReadOnly, device));
    }
    // `BTRFS warning (device sdb1): devid 2 uuid … is missing`
    if name == "btrfs" && is(" devid ") && is(" is missing") {
        return Some((Kind::ArrayDegraded, device));
    }
    let worse = match name {
        "btrfs" => bad || is("lost page write") || is("lost super block write") || is("Transaction aborted"),
        "xfs" => is("I/O error") || is("Corruption") || is("corruption") || is("log I/O"),
        _ => bad || is("I/O error ") || is("failed to convert"),
    };
    worse.then_some((Kind::Filesystem, device))
}

/// What is gathered over a log.
#[derive(Default)]
struct Log {
    found: Vec<KernelTrouble>,
    index: HashMap<(TroubleKind, Arc<str>), usize>,
    left_out: bool,
}

impl Log {
    fn add(&mut self, text: &str, sourced: impl FnOnce() -> Sourced<Arc<str>>) {
        let Some((kind, subject)) = trouble(text) else {
            return;
        };
        let key = (kind, Arc::from(subject));
        if let Some(known) = self.index.get(&key).and_then(|at| self.found.get_mut(*at)) {
            known.count += 1;
            known.last = sourced();
        } else if self.found.len() < MOST {
            self.index.insert(key.clone(), self.found.len());
            let first = sourced();
            self.found.push(KernelTrouble {
                kind,
                subject: key.1,
                count: 1,
                last: first.clone(),
                first,
            });
        } else {
            self.left_out = true;
        }
    }

    fn finish(self, place: &mut Place<'_>, facts: &mut Facts) {
        if self.left_out {
            place.tell_file("more than 10000 devices have troubles; the rest is left out");
        }
        facts.kernel_log.extend(self.found);
    }
}

/// `dmesg` and `journalctl -k`, of any length.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut log = Log::default();
    let named = is_name(&place.name);
    while let Some(line) = lines.next() {
        if let Some(text) = message(line.text).or_else(|| named.then(|| line.text.trim())) {
            log.add(text, || line.text_at(text));
        }
    }
    log.finish(place, facts);
}

/// Whether a document is `dmesg -J`.
pub(crate) fn is_json(root: &Json) -> bool {
    root.get("dmesg").is_some()
}

/// `dmesg -J`.
pub(crate) fn json(place: &mut Place<'_>, doc: &Doc<'_>, root: &Json, facts: &mut Facts) {
    let mut log = Log::default();
    for value in root.get("dmesg").map_or(&[][..], Json::list) {
        if let Some((value, text)) = value.get("msg").and_then(|value| Some((value, value.text()?))) {
            log.add(text, || doc.sourced(Arc::clone(text), value));
        }
    }
    log.finish(place, facts);
}
