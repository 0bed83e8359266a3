//! Runs one program: an argument vector and never a shell, with a time limit, a size limit, and an
//! end for everything that it started.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// The most that one program may print, or one file hold; the rest is left out and the manifest says so.
pub(super) const LARGEST: usize = 8 << 20;

/// The most of what a program says on stderr that is kept.
const LARGEST_COMPLAINT: usize = 16 << 10;

/// How long a program may take to end itself when it is asked to.
const GRACE: Duration = Duration::from_millis(700);

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Folders with programs of the administrator that an ordinary user's `PATH` leaves out.
const MORE_FOLDERS: [&str; 5] = [
    "/run/wrappers/bin",
    "/run/current-system/sw/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
];

/// What became of a program.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// What it printed.
    pub(super) stdout: Vec<u8>,
    /// What it said on stderr.
    pub(super) stderr: Vec<u8>,
    /// Its exit status; `None` when a signal ended it, or when it could not be ended at all.
    pub(super) status: Option<i32>,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
    /// It took longer than it may.
    pub(super) timed_out: bool,
    /// It printed more than it may.
    pub(super) cut: bool,
    /// The person interrupted it.
    pub(super) interrupted: bool,
    /// How long it ran.
    pub(super) took: Duration,
}

/// Where a program is; `None` when it is not installed.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_FOLDERS.iter().map(PathBuf::from))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// Runs a program until it ends, prints more than [`LARGEST`], takes longer than `limit`, or
/// `stop` is set. Its whole process group is ended then, politely first.
///
/// # Errors
/// When it cannot be started.
pub(super) fn run(
    program: &Path,
    args: &[OsString],
    limit: Duration,
    stop: &AtomicBool,
) -> std::io::Result<Ran> {
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        // One language and one form of numbers, whoever runs it.
        .env("LC_ALL", "C")
        .env("LANG", "C")
        .env_remove("LANGUAGE")
        .env_remove("POSIXLY_CORRECT")
        .env_remove("BLOCK_SIZE")
        .env_remove("DF_BLOCK_SIZE")
        .env_remove("S_COLORS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: it is ended with its children, and a Ctrl-C is ours to handle.
        .process_group(0)
        .spawn()?;
    let full = Arc::new(AtomicBool::new(false));
    let out = gather(child.stdout.take(), LARGEST, Some(Arc::clone(&full)));
    let err = gather(child.stderr.take(), LARGEST_COMPLAINT, None);

    let mut ran = Ran::default();
    let deadline = started + limit;
    let mut status = None;
    loop {
        if let Some(ended) = child.try_wait()? {
            status = Some(ended);
            break;
        }
        ran.cut = full.load(Ordering::Relaxed);
        ran.interrupted = stop.load(Ordering::Relaxed);
        ran.timed_out = Instant::now() >= deadline;
        if ran.cut || ran.interrupted || ran.timed_out {
            break;
        }
        std::thread::sleep(TICK);
    }
    if status.is_none() {
        // sysstat closes its JSON on SIGINT; a program that is stuck in the kernel is left behind.
        for signal in [Signal::INT, Signal::KILL] {
            end_group(&child, signal);
            status = wait_for(&mut child, GRACE)?;
            if status.is_some() {
                break;
            }
        }
    }
    // What it left running in the background holds the pipes open and goes with it.
    end_group(&child, Signal::KILL);
    let patience = Instant::now() + GRACE;
    while !(out.is_done() && err.is_done()) && Instant::now() < patience {
        std::thread::sleep(TICK);
    }
    ran.cut |= full.load(Ordering::Relaxed);
    ran.stdout = out.take();
    ran.stderr = err.take();
    ran.status = status.and_then(|it| it.code());
    ran.signal = status.and_then(|it| it.signal());
    ran.took = started.elapsed();
    Ok(ran)
}

/// Sends a signal to the group that the program leads. That it is gone already is no failure.
fn end_group(child: &Child, signal: Signal) {
    let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(leader) = leader {
        let _ = kill_process_group(leader, signal);
    }
}

fn wait_for(child: &mut Child, patience: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let until = Instant::now() + patience;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= until {
            return Ok(status);
        }
        std::thread::sleep(TICK);
    }
}

/// What a thread reads from a pipe.
struct Gathered {
    bytes: Arc<Mutex<Vec<u8>>>,
    done: Arc<AtomicBool>,
}

impl Gathered {
    fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// What has come so far: a process that escaped its group may hold the pipe for ever.
    fn take(&self) -> Vec<u8> {
        self.bytes
            .lock()
            .map(|mut bytes| std::mem::take(&mut *bytes))
            .unwrap_or_default()
    }
}

/// Reads a pipe in a thread of its own, up to `most` bytes; beyond, `full` is set and the rest is
/// thrown away.
fn gather(pipe: Option<impl Read + Send + 'static>, most: usize, full: Option<Arc<AtomicBool>>) -> Gathered {
    let gathered = Gathered {
        bytes: Arc::default(),
        done: Arc::default(),
    };
    let (bytes, done) = (Arc::clone(&gathered.bytes), Arc::clone(&gathered.done));
    std::thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        let Some(mut pipe) = pipe else {
            done.store(true, Ordering::Release);
            return;
        };
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            let Ok(mut bytes) = bytes.lock() else { break };
            let room = most.saturating_sub(bytes.len()).min(read);
            bytes.extend_from_slice(buffer.get(..room).unwrap_or_default());
            if room < read
                && let Some(full) = &full
            {
                full.store(true, Ordering::Relaxed);
            }
        }
        done.store(true, Ordering::Release);
    });
    gathered
}

/// Reads a file of `/proc` or `/sys` in a thread, so that a device that does not answer holds
/// nothing up. The flag tells whether it was cut at [`LARGEST`].
///
/// # Errors
/// When it cannot be read, or not in time.
pub(super) fn read_file(path: &Path, limit: Duration) -> std::io::Result<(Vec<u8>, bool)> {
    let (send, receive) = std::sync::mpsc::channel();
    let owned = path.to_owned();
    std::thread::spawn(move || {
        let read = std::fs::File::open(&owned).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let _ = send.send(read);
    });
    let mut bytes = receive
        .recv_timeout(limit)
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::TimedOut, "the kernel does not answer"))??;
    let cut = bytes.len() > LARGEST;
    bytes.truncate(LARGEST);
    Ok((bytes, cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Ran {
        // A shell is the tool under test here; the verb itself never runs one.
        let args = ["-c", script].map(OsString::from);
        run(Path::new("/bin/sh"), &args, limit, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_its_children() {
        let started = Instant::now();
        let ran = sh(
            "trap '' INT; echo begun; sleep 1000 & sleep 1000",
            Duration::from_millis(300),
        );
        assert!(ran.timed_out);
        assert_eq!(ran.stdout, b"begun\n");
        assert_eq!(ran.signal, Some(9));
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_program_that_prints_without_end_is_cut() {
        let ran = sh(
            "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done | cat",
            Duration::from_secs(60),
        );
        assert!(ran.cut && !ran.timed_out);
        assert_eq!(ran.stdout.len(), LARGEST);
    }

    #[test]
    fn status_and_complaint_are_kept() {
        let ran = sh("echo fine; echo bad >&2; exit 3", Duration::from_secs(10));
        assert_eq!((ran.status, ran.signal), (Some(3), None));
        assert_eq!((&*ran.stdout, &*ran.stderr), (&b"fine\n"[..], &b"bad\n"[..]));
        assert!(!ran.timed_out && !ran.cut && !ran.interrupted);
    }

    #[test]
    fn a_child_left_in_the_background_holds_nothing_up() {
        let started = Instant::now();
        let ran = sh("sleep 1000 & echo done", Duration::from_secs(60));
        assert_eq!(ran.status, Some(0));
        assert_eq!(ran.stdout, b"done\n");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn interruption_ends_it_at_once() {
        let args = ["1000"].map(OsString::from);
        let ran = run(
            Path::new("/bin/sleep"),
            &args,
            Duration::from_secs(1000),
            &AtomicBool::new(true),
        )
        .unwrap();
        assert!(ran.interrupted);
        // What a shell in the background starts ignores SIGINT, and is killed.
        assert!(matches!(ran.signal, Some(2 | 9)), "{:?}", ran.signal);
    }
}
