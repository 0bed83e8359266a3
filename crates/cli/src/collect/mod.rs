//! `collect`: gathers a bundle on a live machine, and changes nothing there.

mod bundle;
mod mask;
mod tool;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use disko_advise::facts::{self, BlockKind, Facts, Input};
use disko_advise::source::Files;

use crate::args::Collect;
use crate::live_world::reason;
use crate::output;

use bundle::{Bundle, LeftOut, Step};
pub(crate) use bundle::{MANIFEST, Manifest, schema};
use mask::Masker;

/// The exit status of a program that was interrupted, as shells count it.
const INTERRUPTED: u8 = 130;

/// How long a hardware report may take: it probes every bus.
const FACTER_LIMIT: Duration = Duration::from_secs(120);

/// How long a read from `/proc` or `/sys` may take.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// The most devices of one kind that are asked one by one.
const MOST_DEVICES: usize = 256;

/// The most volumes of pools whose links are told.
const MOST_LINKS: usize = 10_000;

/// How deep datasets nest: `zfs_max_dataset_nesting` of OpenZFS.
const DEEPEST_DATASET: usize = 50;

/// Queue attributes of `/sys/block` that are copied; the kernel describes them in
/// `Documentation/ABI/stable/sysfs-block`.
const QUEUE: [&str; 18] = [
    "queue/scheduler",
    "queue/rotational",
    "queue/nr_requests",
    "queue/read_ahead_kb",
    "queue/logical_block_size",
    "queue/physical_block_size",
    "queue/discard_granularity",
    "queue/discard_max_bytes",
    "queue/max_sectors_kb",
    "queue/optimal_io_size",
    "queue/minimum_io_size",
    "queue/write_cache",
    "queue/zoned",
    "queue/wbt_lat_usec",
    "queue/rq_affinity",
    "queue/nomerges",
    "queue/iostats",
    "removable",
];

/// The capabilities that the tools need, with their bits in `linux/capability.h`; one of the bits will do.
const NEEDED: [(&str, &[u32]); 4] = [
    // Trees of btrfs, device-mapper, RAID, commands to NVMe.
    ("CAP_SYS_ADMIN", &[21]),
    // Commands to SCSI and ATA disks.
    ("CAP_SYS_RAWIO", &[17]),
    // Opening disks, which belong to root; CAP_DAC_OVERRIDE allows more still.
    ("CAP_DAC_READ_SEARCH", &[2, 1]),
    // The kernel's log, where `kernel.dmesg_restrict` is set.
    ("CAP_SYSLOG", &[34]),
];

pub(crate) fn run(args: &Collect) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        // A second one ends the program where it stands.
        signal_hook::flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let as_root = rustix::process::geteuid().is_root();
    let bundle = Bundle::begin(
        &args.output,
        Manifest {
            version: 1,
            made_by: format!("disko-advise {}", env!("CARGO_PKG_VERSION")),
            started: utc(SystemTime::now()),
            as_root,
            lacking: lacking(as_root),
            masked: !args.unmasked,
            left_out: left_out(),
            ..Manifest::default()
        },
    )?;
    let mut collector = Collector {
        bundle,
        masker: Masker::new(!args.unmasked),
        stop,
        limit: args.limit,
        missing: BTreeSet::new(),
        texts: Vec::new(),
        number: 0,
    };
    collector.identity();
    collector.gather()?;
    if let Some(duration) = args.duration {
        collector.sample(duration)?;
    }
    let interrupted = collector.stopped();
    let manifest = &mut collector.bundle.manifest;
    manifest.complete = !interrupted;
    manifest.interrupted = interrupted;
    manifest.not_installed = collector.missing.into_iter().collect();
    collector.bundle.write_manifest()?;
    closing(args, &collector.bundle.manifest);
    Ok(if interrupted {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    })
}

/// What is not in a bundle unless a person puts it there.
fn left_out() -> Vec<LeftOut> {
    let one = |what: &str, because: &str, obtain: &str| LeftOut {
        what: what.to_owned(),
        because: because.to_owned(),
        obtain: obtain.to_owned(),
    };
    vec![
        one(
            "iotop",
            "command lines may hold passwords",
            "iotop -b -o -k -t -d 5 -n 12 > iotop.txt",
        ),
        one(
            "compsize and lsattr",
            "they read every file below a folder",
            "compsize -b /nix > compsize.txt",
        ),
        one(
            "PostgreSQL's settings",
            "they need a login",
            "psql --csv -c 'select * from pg_settings' > pg_settings.csv",
        ),
    ]
}

/// What was gathered and what was not, on stderr.
fn closing(args: &Collect, manifest: &Manifest) {
    let files: BTreeSet<_> = manifest
        .steps
        .iter()
        .filter_map(|it| it.file.as_deref())
        .collect();
    let failed = manifest.steps.iter().filter(|it| it.error.is_some()).count();
    let mut line = format!("{}: {} files", args.output.display(), files.len());
    if failed > 0 {
        let _ = write!(line, ", {failed} could not be read or not wholly");
    }
    if !manifest.not_installed.is_empty() {
        let _ = write!(line, "; not installed: {}", manifest.not_installed.join(", "));
    }
    output::hint(&line);
    if manifest.interrupted {
        output::hint("interrupted: the bundle holds what was gathered until then");
    }
    if !manifest.lacking.is_empty() {
        // Root in a container lacks some too; another user may hold them all.
        let who = if manifest.as_root {
            "root here is"
        } else {
            "not run as root and"
        };
        output::hint(&format!(
            "{who} without {}: SMART, NVMe, LUKS, LVM, RAID, the kernel's log and parts of btrfs say little or nothing",
            manifest.lacking.join(", ")
        ));
    }
    output::hint(&format!(
        "read it with `disko-advise facts {0}`, judge with `disko-advise check --facts {0}`",
        args.output.display()
    ));
}

struct Collector {
    bundle: Bundle,
    masker: Masker,
    stop: Arc<AtomicBool>,
    limit: Duration,
    missing: BTreeSet<String>,
    /// The texts that tell what else to ask, as they came.
    texts: Vec<(&'static str, Vec<u8>)>,
    number: usize,
}

/// A program to run, and the heading above what it prints where a file holds several outputs.
struct Call {
    heading: Option<String>,
    argv: Vec<String>,
}

fn call(argv: &[&str]) -> Call {
    Call {
        heading: None,
        argv: argv.iter().map(|it| (*it).to_owned()).collect(),
    }
}

impl Call {
    fn under(mut self, heading: &str) -> Self {
        self.heading = Some(heading.to_owned());
        self
    }
}

impl Collector {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// One line for each step, as it ends.
    fn tell(&mut self, what: &str, step: &Step) {
        self.number += 1;
        let seconds = step.milliseconds as f64 / 1000.0;
        let result = match &step.error {
            Some(error) => error.clone(),
            None => format!("{} bytes", step.bytes),
        };
        output::hint(&format!("[{:>3}] {what}  {seconds:.1} s, {result}", self.number));
    }

    /// Learns the names and numbers that are to be masked, before anything is written.
    fn identity(&mut self) {
        if !self.masker.active {
            return;
        }
        let text = |path: &Path| {
            let (bytes, _) = tool::read_file(path, READ_LIMIT).ok()?;
            Some(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        for path in [
            "/proc/sys/kernel/hostname",
            "/proc/sys/kernel/domainname",
            "/etc/hostname",
        ] {
            if let Some(name) = text(Path::new(path)) {
                self.masker.learn_host(&name);
            }
        }
        let mut serials = Vec::new();
        for name in ["product_serial", "board_serial", "chassis_serial", "product_uuid"] {
            serials.push(Path::new("/sys/class/dmi/id").join(name));
        }
        for device in entries(Path::new("/sys/block")) {
            for name in ["wwid", "serial", "device/serial", "device/wwid", "device/cid"] {
                serials.push(device.join(name));
            }
        }
        for path in serials {
            if let Some(serial) = text(&path) {
                self.masker.learn_serial(&serial);
            }
        }
    }

    /// Runs programs and writes what they print into one file.
    ///
    /// # Errors
    /// When the bundle cannot be written to.
    fn programs(&mut self, file: &str, calls: Vec<Call>, or_stderr: bool) -> anyhow::Result<Vec<u8>> {
        let limit = self.limit;
        self.programs_within(file, calls, or_stderr, limit)
    }

    fn programs_within(
        &mut self,
        file: &str,
        calls: Vec<Call>,
        or_stderr: bool,
        limit: Duration,
    ) -> anyhow::Result<Vec<u8>> {
        let mut whole: Vec<u8> = Vec::new();
        let mut steps = Vec::new();
        for Call { heading, argv } in calls {
            if self.stopped() {
                break;
            }
            let [program, args @ ..] = &argv[..] else { continue };
            let Some(found) = tool::find(program) else {
                self.missing.insert(program.clone());
                continue;
            };
            let shown = argv.join(" ");
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let mut step = Step {
                command: argv.clone(),
                ..Step::default()
            };
            match tool::run(&found, &args, limit, &self.stop) {
                Err(error) => step.error = Some(reason(&error)),
                Ok(ran) => {
                    step.status = ran.status;
                    step.signal = ran.signal;
                    step.timed_out = ran.timed_out;
                    step.cut = ran.cut;
                    step.milliseconds = ran.took.as_millis() as u64;
                    let mut bytes = ran.stdout.clone();
                    // Some programs tell their version on stderr; a complaint is no version.
                    if or_stderr && bytes.is_empty() && ran.status == Some(0) {
                        bytes.clone_from(&ran.stderr);
                    }
                    if ran.cut || ran.timed_out {
                        // The line that it was printing is no line.
                        let whole_lines = bytes
                            .iter()
                            .rposition(|byte| *byte == b'\n')
                            .map_or(0, |at| at + 1);
                        bytes.truncate(whole_lines);
                        // Half a document is none; the manifest says what became of it.
                        if file.ends_with(".json")
                            && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err()
                        {
                            bytes.clear();
                        }
                    }
                    step.bytes = bytes.len() as u64;
                    step.error = complaint(&ran, limit, bytes.is_empty());
                    if !bytes.iter().all(u8::is_ascii_whitespace) {
                        if let Some(heading) = &heading {
                            whole.extend_from_slice(format!("==> {heading} <==\n").as_bytes());
                        }
                        whole.extend_from_slice(&bytes);
                        if !whole.ends_with(b"\n") {
                            whole.push(b'\n');
                        }
                        step.file = Some(file.to_owned());
                    }
                }
            }
            self.tell(&shown, &step);
            steps.push(step);
        }
        self.keep(file, &whole, steps)?;
        Ok(whole)
    }

    /// Copies a file of the kernel's.
    ///
    /// # Errors
    /// When the bundle cannot be written to.
    fn copy(&mut self, file: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
        if self.stopped() || !path.exists() {
            return Ok(Vec::new());
        }
        let (bytes, step) = read_step(file, path);
        self.tell(&path.display().to_string(), &step);
        self.keep(file, &bytes, vec![step])?;
        Ok(bytes)
    }

    /// Masks and writes a file, if there is anything to write, and notes the steps that made it.
    fn keep(&mut self, file: &str, bytes: &[u8], steps: Vec<Step>) -> anyhow::Result<()> {
        if !bytes.is_empty() {
            self.masker.learn_json(bytes);
            if file.starts_with("zpool-get") || file.starts_with("zfs-get") {
                self.masker.learn_properties(bytes);
            }
            if self.masker.active {
                let masked = self.masker.text(&String::from_utf8_lossy(bytes));
                self.bundle.write(file, masked.as_bytes())?;
            } else {
                self.bundle.write(file, bytes)?;
            }
        }
        for mut step in steps {
            step.error = step.error.map(|it| self.masker.text(&it));
            step.command = step.command.iter().map(|it| self.masker.text(it)).collect();
            step.path = step.path.map(|it| self.masker.text(&it));
            self.bundle.note(step)?;
        }
        Ok(())
    }

    /// Everything that is read once.
    fn gather(&mut self) -> anyhow::Result<()> {
        // What tells serial numbers and what there is comes first.
        let lsblk = self.programs("lsblk.json", vec![call(&["lsblk", "-J", "-O", "-b"])], false)?;
        self.texts.push(("lsblk.json", lsblk));
        let mounts = self.copy("proc-mounts", Path::new("/proc/mounts"))?;
        self.texts.push(("proc-mounts", mounts));
        self.hardware()?;
        for (file, path) in [
            ("proc-swaps", "/proc/swaps"),
            ("meminfo", "/proc/meminfo"),
            ("mdstat", "/proc/mdstat"),
            ("osrelease", "/proc/sys/kernel/osrelease"),
        ] {
            self.copy(file, Path::new(path))?;
        }
        self.counters(None)?;
        self.programs(
            "findmnt.json",
            vec![call(&[
                "findmnt",
                "-J",
                "-l",
                "--real",
                "-o",
                "SOURCE,TARGET,FSTYPE,OPTIONS,UUID",
            ])],
            false,
        )?;
        self.programs("df.txt", vec![call(&["df", "-P", "-T", "-B1"])], false)?;
        self.sysfs()?;
        self.sysctl()?;
        self.links()?;
        self.versions()?;
        let found = self.found();
        self.btrfs(&found)?;
        self.zfs()?;
        self.disks(&found)?;
        self.layers(&found)?;
        self.programs(
            "dmesg.txt",
            vec![call(&[
                "dmesg",
                "--notime",
                "--level",
                "emerg,alert,crit,err,warn",
            ])],
            false,
        )?;
        Ok(())
    }

    /// What the first outputs say there is.
    fn found(&self) -> Facts {
        let inputs = self
            .texts
            .iter()
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(name, bytes)| Input::new(*name, bytes));
        facts::read(&Files::new(), inputs).0
    }

    /// A report of nixos-facter: the one that the configuration uses, or a new one.
    fn hardware(&mut self) -> anyhow::Result<()> {
        let kept = ["/etc/nixos/facter.json", "/etc/facter.json"];
        if let Some(path) = kept.iter().map(Path::new).find(|path| path.is_file()) {
            self.copy("facter.json", path)?;
            return Ok(());
        }
        let report = call(&["nixos-facter"]);
        self.programs_within("facter.json", vec![report], false, FACTER_LIMIT)?;
        Ok(())
    }

    /// Counters and pressures; `later` is the part of the name that tells how much later it is.
    fn counters(&mut self, later: Option<u64>) -> anyhow::Result<()> {
        let suffix = later.map_or_else(String::new, |seconds| format!("-{seconds}s-later"));
        for (file, path) in [
            ("psi-io", "/proc/pressure/io"),
            ("psi-memory", "/proc/pressure/memory"),
            ("psi-cpu", "/proc/pressure/cpu"),
            ("diskstats", "/proc/diskstats"),
            ("arcstats", "/proc/spl/kstat/zfs/arcstats"),
            ("zil", "/proc/spl/kstat/zfs/zil"),
        ] {
            let path = Path::new(path);
            if !path.exists() {
                continue;
            }
            // Read even when interrupted: a second sample is what makes rates of the first.
            let (bytes, step) = read_step(&format!("{file}{suffix}"), path);
            self.tell(&path.display().to_string(), &step);
            self.keep(&format!("{file}{suffix}"), &bytes, vec![step])?;
        }
        Ok(())
    }

    /// The attributes of block devices' queues, and the commits of btrfs, under headings in one file each.
    fn sysfs(&mut self) -> anyhow::Result<()> {
        let mut paths = Vec::new();
        for device in entries(Path::new("/sys/block")) {
            // A device without a medium, and the many unused loop devices and RAM disks.
            let size = tool::read_file(&device.join("size"), READ_LIMIT);
            if size.is_ok_and(|(size, _)| size.trim_ascii() == b"0") {
                continue;
            }
            paths.extend(QUEUE.iter().map(|attribute| device.join(attribute)));
            paths.extend(
                ["dm/name", "md/level"]
                    .iter()
                    .map(|attribute| device.join(attribute)),
            );
        }
        self.under_headings("sys-block.txt", "/sys/block/*/queue", &paths)?;
        let commits: Vec<_> = entries(Path::new("/sys/fs/btrfs"))
            .into_iter()
            .map(|filesystem| filesystem.join("commit_stats"))
            .collect();
        self.under_headings("sys-fs-btrfs.txt", "/sys/fs/btrfs/*/commit_stats", &commits)
    }

    /// Copies small files of the kernel's into one, each under its path.
    fn under_headings(&mut self, file: &str, shown: &str, paths: &[PathBuf]) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut whole = String::new();
        let mut silent: Option<PathBuf> = None;
        let mut error_of: Option<String> = None;
        for path in paths {
            if self.stopped() {
                break;
            }
            // One attribute of a queue that is frozen waits for ever, and so do its others.
            if silent.as_ref().is_some_and(|folder| path.starts_with(folder)) {
                continue;
            }
            let bytes = match tool::read_file(path, READ_LIMIT) {
                Ok((bytes, _)) => bytes,
                Err(error) => {
                    if error.kind() == std::io::ErrorKind::TimedOut {
                        let folder = path.ancestors().find(|it| it.parent().is_some_and(is_class));
                        error_of.get_or_insert_with(|| format!("{}: {}", path.display(), reason(&error)));
                        silent = folder.map(Path::to_owned);
                    }
                    continue;
                }
            };
            let text = String::from_utf8_lossy(&bytes);
            if !text.trim().is_empty() {
                let name = path.display().to_string();
                let _ = writeln!(
                    whole,
                    "==> {} <==\n{}",
                    name.trim_start_matches('/'),
                    text.trim_end()
                );
            }
        }
        if whole.is_empty() && error_of.is_none() {
            return Ok(());
        }
        let step = Step {
            file: (!whole.is_empty()).then(|| file.to_owned()),
            path: Some(shown.to_owned()),
            milliseconds: started.elapsed().as_millis() as u64,
            bytes: whole.len() as u64,
            error: error_of,
            ..Step::default()
        };
        self.tell(shown, &step);
        self.keep(file, whole.as_bytes(), vec![step])
    }

    /// The kernel's parameters of memory and files, in the form of `sysctl -a`.
    fn sysctl(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut whole = String::new();
        let mut paths = entries(Path::new("/proc/sys/vm"));
        paths.extend(
            [
                "fs/aio-max-nr",
                "fs/aio-nr",
                "fs/file-max",
                "kernel/task_delayacct",
            ]
            .map(|name| Path::new("/proc/sys").join(name)),
        );
        for path in paths {
            if self.stopped() || !path.is_file() {
                continue;
            }
            let Ok((bytes, _)) = tool::read_file(&path, READ_LIMIT) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            let name = path
                .strip_prefix("/proc/sys")
                .unwrap_or(&path)
                .display()
                .to_string();
            if !text.trim().is_empty() && !text.trim().contains('\n') {
                let _ = writeln!(whole, "{} = {}", name.replace('/', "."), text.trim());
            }
        }
        if whole.is_empty() {
            return Ok(());
        }
        let step = Step {
            file: Some("sysctl.txt".to_owned()),
            path: Some("/proc/sys".to_owned()),
            milliseconds: started.elapsed().as_millis() as u64,
            bytes: whole.len() as u64,
            ..Step::default()
        };
        self.tell("/proc/sys", &step);
        self.keep("sysctl.txt", whole.as_bytes(), vec![step])
    }

    /// The links of udev: how layouts name disks, and which block device a volume of a pool is.
    fn links(&mut self) -> anyhow::Result<()> {
        let mut whole = String::new();
        let mut steps = Vec::new();
        let by_name: Vec<PathBuf> = ["by-id", "by-path", "by-partlabel"]
            .iter()
            .flat_map(|folder| entries(&Path::new("/dev/disk").join(folder)))
            // Volumes and containers are named by their UUIDs here; other listings tell them better.
            .filter(|link| {
                let name = link.file_name().unwrap_or_default().to_string_lossy();
                !["dm-", "lvm-", "md-"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            })
            .collect();
        for (folder, links) in [
            ("/dev/disk", by_name),
            ("/dev/zvol", links_below(Path::new("/dev/zvol"))),
        ] {
            if self.stopped() {
                break;
            }
            let before = whole.len();
            for link in links {
                if let Ok(device) = link.canonicalize() {
                    let _ = writeln!(whole, "{} -> {}", link.display(), device.display());
                }
            }
            if whole.len() > before {
                let step = Step {
                    file: Some("dev-disk.txt".to_owned()),
                    path: Some(folder.to_owned()),
                    bytes: (whole.len() - before) as u64,
                    ..Step::default()
                };
                self.tell(folder, &step);
                steps.push(step);
            }
        }
        self.keep("dev-disk.txt", whole.as_bytes(), steps)
    }

    fn versions(&mut self) -> anyhow::Result<()> {
        let calls = [
            &["cat", "/etc/os-release"][..],
            &["nixos-version"],
            &["nix", "--version"],
            &["btrfs", "--version"],
            &["zfs", "version"],
            &["cryptsetup", "--version"],
            &["mkfs.xfs", "-V"],
            &["mke2fs", "-V"],
            &["systemctl", "--version"],
            &["postgres", "--version"],
            &["redis-server", "--version"],
            &["docker", "--version"],
            &["podman", "--version"],
        ];
        let calls = calls.into_iter().map(call).collect();
        self.programs("versions.txt", calls, true)?;
        Ok(())
    }

    /// Each btrfs once, by the mountpoint that is mounted first.
    fn btrfs(&mut self, found: &Facts) -> anyhow::Result<()> {
        let mut seen = BTreeSet::new();
        let mut mountpoints = Vec::new();
        for mount in found.mounts.iter().filter(|it| &*it.fstype.value == "btrfs") {
            // Every device of a filesystem has its UUID; the source names one of them.
            let uuid = found
                .block_by_name(&mount.source.value)
                .and_then(|it| it.uuid.as_ref());
            let key = uuid.map_or_else(|| mount.source.value.to_string(), |it| it.value.to_string());
            if seen.insert(key) && mountpoints.len() < MOST_DEVICES {
                mountpoints.push(mount.mountpoint.value.to_string());
            }
        }
        if mountpoints.is_empty() {
            return Ok(());
        }
        for (file, args) in [
            ("btrfs-usage.txt", &["filesystem", "usage", "-b"][..]),
            ("btrfs-df.txt", &["filesystem", "df", "-b"]),
            ("btrfs-device-stats.txt", &["device", "stats"]),
            ("btrfs-subvolumes.txt", &["subvolume", "list"]),
            ("btrfs-qgroups.txt", &["qgroup", "show", "--raw"]),
            ("btrfs-scrub.txt", &["scrub", "status"]),
            ("btrfs-balance.txt", &["balance", "status"]),
        ] {
            let calls = mountpoints
                .iter()
                .map(|mountpoint| {
                    let argv: Vec<&str> = std::iter::once("btrfs")
                        .chain(args.iter().copied())
                        .chain([&**mountpoint])
                        .collect();
                    call(&argv).under(mountpoint)
                })
                .collect();
            self.programs(file, calls, false)?;
        }
        Ok(())
    }

    fn zfs(&mut self) -> anyhow::Result<()> {
        // Without the module the tools only complain.
        if !Path::new("/proc/spl/kstat/zfs").exists() {
            return Ok(());
        }
        for (file, argv) in [
            ("zpool-list.txt", &["zpool", "list", "-H", "-p"][..]),
            ("zpool-status.txt", &["zpool", "status", "-P", "-p"]),
            ("zpool-get.txt", &["zpool", "get", "-H", "-p", "all"]),
            (
                "zfs-get.txt",
                &["zfs", "get", "-H", "-p", "-t", "filesystem,volume", "all"],
            ),
        ] {
            self.programs(file, vec![call(argv)], false)?;
        }
        Ok(())
    }

    /// What each disk says of itself. A sleeping disk is left asleep.
    fn disks(&mut self, found: &Facts) -> anyhow::Result<()> {
        let disks: Vec<String> = found
            .disks
            .iter()
            .filter(|disk| disk.is_disk())
            .filter_map(|disk| disk.kernel_name().map(str::to_owned))
            .filter(|name| !name.starts_with("vd") && !name.starts_with("loop"))
            .take(MOST_DEVICES)
            .collect();
        for name in disks {
            let device = format!("/dev/{name}");
            let file = name.replace('/', "!");
            self.programs(
                &format!("smartctl-{file}.json"),
                vec![call(&["smartctl", "-j", "-a", "-n", "standby", &device])],
                false,
            )?;
            if name.starts_with("nvme") {
                for (kind, verb) in [("smart-log", "smart-log"), ("id-ns", "id-ns")] {
                    self.programs(
                        &format!("nvme-{kind}-{file}.json"),
                        vec![call(&["nvme", verb, "-o", "json", &device])],
                        false,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Encryption, volume groups and arrays, where there are any.
    fn layers(&mut self, found: &Facts) -> anyhow::Result<()> {
        let path = |block: &facts::BlockDevice| match &block.path {
            Some(path) => path.value.to_string(),
            None => format!("/dev/{}", block.name.value),
        };
        let of_kind = |kind: &dyn Fn(&BlockKind) -> bool| -> Vec<&facts::BlockDevice> {
            found
                .blocks
                .iter()
                .filter(|it| kind(&it.kind))
                .take(MOST_DEVICES)
                .collect()
        };
        let open: Vec<String> = of_kind(&|kind| *kind == BlockKind::Crypt)
            .iter()
            .filter_map(|block| block.mapped.as_ref().map(|it| it.value.to_string()))
            .collect();
        let calls = open.iter().map(|name| call(&["cryptsetup", "status", name]));
        self.programs("cryptsetup-status.txt", calls.collect(), false)?;
        let headers: Vec<String> = found
            .blocks
            .iter()
            .filter(|it| it.fstype.as_ref().is_some_and(|it| &*it.value == "crypto_LUKS"))
            .take(MOST_DEVICES)
            .map(path)
            .collect();
        self.luks_headers(&headers)?;
        let arrays: Vec<String> = of_kind(&|kind| matches!(kind, BlockKind::Raid(_)))
            .into_iter()
            .map(path)
            .collect();
        let calls = arrays
            .iter()
            .map(|array| call(&["mdadm", "--detail", array]).under(array));
        self.programs("mdadm-detail.txt", calls.collect(), false)?;
        if !of_kind(&|kind| *kind == BlockKind::Lvm).is_empty() {
            // Without locks nothing waits for another command or is written. `--readonly` would not
            // ask the kernel either, and only that knows how full a pool or a snapshot is.
            let volumes: Vec<String> = found
                .blocks
                .iter()
                .filter(|it| it.fstype.as_ref().is_some_and(|it| &*it.value == "LVM2_member"))
                .take(MOST_DEVICES)
                .map(path)
                .collect();
            let config = only_these(&volumes);
            for (file, verb) in [("lvs.json", "lvs"), ("vgs.json", "vgs")] {
                let argv = [
                    verb,
                    "--nolocking",
                    "--config",
                    &config,
                    "-a",
                    "--units",
                    "b",
                    "--reportformat",
                    "json",
                ];
                self.programs(file, vec![call(&argv)], false)?;
            }
        }
        Ok(())
    }

    /// The headers of LUKS containers without salts and digests, which are nobody's business.
    fn luks_headers(&mut self, devices: &[String]) -> anyhow::Result<()> {
        for (number, device) in devices.iter().enumerate() {
            let Some(program) = tool::find("cryptsetup") else {
                self.missing.insert("cryptsetup".to_owned());
                return Ok(());
            };
            if self.stopped() {
                return Ok(());
            }
            let argv = ["cryptsetup", "luksDump", device];
            let file = format!("cryptsetup-luksdump-{number}.txt");
            let args: Vec<OsString> = argv.iter().skip(1).map(OsString::from).collect();
            let mut step = Step {
                command: argv.iter().map(|it| (*it).to_owned()).collect(),
                ..Step::default()
            };
            let mut bytes = Vec::new();
            match tool::run(&program, &args, self.limit, &self.stop) {
                Err(error) => step.error = Some(reason(&error)),
                Ok(ran) => {
                    bytes = without_keys(&String::from_utf8_lossy(&ran.stdout)).into_bytes();
                    step.status = ran.status;
                    step.signal = ran.signal;
                    step.timed_out = ran.timed_out;
                    step.milliseconds = ran.took.as_millis() as u64;
                    step.bytes = bytes.len() as u64;
                    step.error = complaint(&ran, self.limit, bytes.is_empty());
                    step.file = (!bytes.is_empty()).then(|| file.clone());
                }
            }
            self.tell(&argv.join(" "), &step);
            self.keep(&file, &bytes, vec![step])?;
        }
        Ok(())
    }

    /// Watches counters for a while: with sysstat by iostat too, and always by reading them twice.
    fn sample(&mut self, duration: Duration) -> anyhow::Result<()> {
        if self.stopped() {
            return Ok(());
        }
        let seconds = duration.as_secs().max(1);
        output::hint(&format!(
            "watching for {seconds} s; Ctrl-C ends it earlier and keeps what came"
        ));
        // What was read before is stale by now; these are the first samples.
        self.counters(None)?;
        let started = Instant::now();
        let interval = (seconds / 12).clamp(1, 60);
        let count = (seconds / interval).max(1).to_string();
        let interval = interval.to_string();
        let limit = duration + Duration::from_secs(10);
        let tools: [(&str, &[&str]); 3] = [
            (
                "iostat.json",
                &["iostat", "-x", "-y", "-o", "JSON", &interval, &count],
            ),
            ("vmstat.txt", &["vmstat", "-n", &interval, &count]),
            (
                "zpool-iostat.txt",
                &["zpool", "iostat", "-v", "-l", "-y", "-H", "-p", &interval, &count],
            ),
        ];
        let mut running = Vec::new();
        for (file, argv) in tools {
            let Some(program) = tool::find(argv.first().copied().unwrap_or_default()) else {
                self.missing.extend(argv.first().map(|it| (*it).to_owned()));
                continue;
            };
            if file.starts_with("zpool") && !Path::new("/proc/spl/kstat/zfs").exists() {
                continue;
            }
            let args: Vec<OsString> = argv.iter().skip(1).map(OsString::from).collect();
            let stop = Arc::clone(&self.stop);
            let thread = std::thread::spawn(move || tool::run(&program, &args, limit, &stop));
            running.push((file, argv, thread));
        }
        while started.elapsed() < duration && !self.stopped() {
            std::thread::sleep(Duration::from_millis(20).min(duration.saturating_sub(started.elapsed())));
        }
        // Names tell whole seconds, so the second sample waits for one.
        let passed = started.elapsed();
        let whole = if passed >= duration {
            seconds
        } else {
            passed.as_secs() + 1
        };
        std::thread::sleep(Duration::from_secs(whole).saturating_sub(started.elapsed()));
        self.counters(Some(whole))?;
        self.bundle.manifest.sampled_seconds = whole;
        for (file, argv, thread) in running {
            let mut step = Step {
                command: argv.iter().map(|it| (*it).to_owned()).collect(),
                ..Step::default()
            };
            let mut bytes = Vec::new();
            match thread.join() {
                Ok(Ok(ran)) => {
                    step.status = ran.status;
                    step.signal = ran.signal;
                    step.timed_out = ran.timed_out;
                    step.cut = ran.cut;
                    step.milliseconds = ran.took.as_millis() as u64;
                    step.bytes = ran.stdout.len() as u64;
                    step.error = complaint(&ran, limit, ran.stdout.is_empty());
                    step.file = (!ran.stdout.is_empty()).then(|| file.to_owned());
                    bytes = ran.stdout;
                }
                Ok(Err(error)) => step.error = Some(reason(&error)),
                Err(_) => step.error = Some("could not be watched".to_owned()),
            }
            self.tell(&argv.join(" "), &step);
            self.keep(file, &bytes, vec![step])?;
        }
        Ok(())
    }
}

/// Reads a file, and what became of that.
fn read_step(file: &str, path: &Path) -> (Vec<u8>, Step) {
    let started = Instant::now();
    let read = tool::read_file(path, READ_LIMIT);
    let mut step = Step {
        path: Some(path.display().to_string()),
        milliseconds: started.elapsed().as_millis() as u64,
        ..Step::default()
    };
    match read {
        Ok((bytes, cut)) => {
            step.bytes = bytes.len() as u64;
            step.cut = cut;
            step.file = (!bytes.is_empty()).then(|| file.to_owned());
            if cut {
                step.error = Some("larger than what is kept".to_owned());
            }
            (bytes, step)
        }
        Err(error) => {
            step.error = Some(reason(&error));
            (Vec::new(), step)
        }
    }
}

/// Why a program gave nothing, or not everything; `None` when all is well.
fn complaint(ran: &tool::Ran, limit: Duration, nothing: bool) -> Option<String> {
    if ran.timed_out {
        let late = format!("did not end within {} s", limit.as_secs_f64());
        // Nothing ends a process that sleeps in the kernel until its request is answered.
        return Some(match (ran.status, ran.signal) {
            (None, None) => format!("{late}, nor when it was killed: a device does not answer it"),
            _ => late,
        });
    }
    if ran.cut {
        return Some(format!("printed more than {} MiB", tool::LARGEST >> 20));
    }
    if ran.interrupted {
        return Some("interrupted".to_owned());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let said = said.lines().map(str::trim).find(|line| !line.is_empty());
    match (ran.status, said) {
        (Some(0), _) if !nothing => None,
        (Some(0), None) => None,
        (_, Some(said)) => Some(said.to_owned()),
        (Some(status), None) => Some(format!("exit status {status}")),
        (None, None) => Some("ended by a signal".to_owned()),
    }
}

/// The configuration with which LVM reads no other devices than these, as `devices/filter` of lvm.conf(5)
/// wants them: looking for its labels it would wait for a device that does not answer for ever.
fn only_these(devices: &[String]) -> String {
    let suspended = "devices/ignore_suspended_devices=1";
    let plain = |name: &String| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_-.+:=@".contains(&b))
    };
    if devices.is_empty() || !devices.iter().all(plain) {
        return suspended.to_owned();
    }
    let taken: Vec<String> = devices
        .iter()
        .map(|name| format!("\"a|^{}$|\"", name.replace('.', "\\\\.").replace('+', "\\\\+")))
        .collect();
    format!("{suspended} devices/filter=[{},\"r|.*|\"]", taken.join(","))
}

/// A LUKS header without its salts, digests and other bytes in hexadecimal.
fn without_keys(dump: &str) -> String {
    let hex = |line: &str| {
        let value = line.rsplit(':').next().unwrap_or(line);
        let mut pairs = value.split_whitespace().peekable();
        pairs.peek().is_some()
            && value.split_whitespace().count() >= 8
            && pairs.all(|it| it.len() == 2 && it.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    dump.lines()
        .filter(|line| !hex(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// What this process may not do of what the tools need, by the names of capabilities(7).
fn lacking(as_root: bool) -> Vec<String> {
    let held = tool::read_file(Path::new("/proc/self/status"), READ_LIMIT)
        .ok()
        .and_then(|(status, _)| held(&String::from_utf8_lossy(&status)))
        .unwrap_or(if as_root { u64::MAX } else { 0 });
    NEEDED
        .iter()
        .filter(|(_, bits)| bits.iter().all(|bit| held & (1 << bit) == 0))
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

/// The effective capabilities in `/proc/self/status`, a bit for each.
fn held(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// Whether a folder of `/sys` holds one folder for each device or filesystem.
fn is_class(folder: &Path) -> bool {
    ["/sys/block", "/sys/fs/btrfs"]
        .iter()
        .any(|class| folder == Path::new(class))
}

/// What a folder holds, sorted; nothing when it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|it| Some(it.ok()?.path())).collect())
        .unwrap_or_default();
    found.sort();
    found
}

/// The links below a folder, sorted. Folders are entered as deep as names of datasets nest, and no link is
/// followed.
fn links_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = todo.pop() {
        for path in entries(&folder) {
            match path.symlink_metadata() {
                Ok(it) if it.is_symlink() && found.len() < MOST_LINKS => found.push(path),
                Ok(it) if it.is_dir() && depth < DEEPEST_DATASET => todo.push((path, depth + 1)),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// A moment as `2026-11-21T04:44:14Z` (the civil calendar of Howard Hinnant's `civil_from_days`,
/// <https://howardhinnant.github.io/date_algorithms.html>).
fn utc(moment: SystemTime) -> String {
    let since = moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, second) = (since / 86_400, since % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

/// A length of time as a person types it: `90`, `90s`, `2min`, `1h`.
///
/// # Errors
/// When it is none, is zero, or longer than a day.
pub(crate) fn duration(text: &str) -> anyhow::Result<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "" | "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => anyhow::bail!("{text} is no length of time: 60s, 5min, 1h"),
    };
    let number: u64 = number
        .parse()
        .ok()
        .with_context(|| format!("{text} is no length of time: 60s, 5min, 1h"))?;
    let seconds = number.checked_mul(scale).filter(|it| (1..=86_400).contains(it));
    Ok(Duration::from_secs(seconds.with_context(|| {
        format!("{text}: between one second and a day")
    })?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(utc(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
        let leap = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_210_096);
        assert_eq!(utc(leap), "2024-02-29T12:34:56Z");
        assert_eq!(duration("60s").unwrap(), Duration::from_secs(60));
        assert_eq!(duration("2min").unwrap(), Duration::from_secs(120));
        for wrong in ["", "0", "-1", "1d", "99999999999999999999", "25h", "s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_hangs_in_the_kernel_is_told_from_what_is_slow() {
        let ran = |signal| tool::Ran {
            timed_out: true,
            signal,
            ..tool::Ran::default()
        };
        let said = |ran| complaint(&ran, Duration::from_secs(20), true).unwrap();
        assert_eq!(said(ran(Some(9))), "did not end within 20 s");
        assert_eq!(
            said(ran(None)),
            "did not end within 20 s, nor when it was killed: a device does not answer it"
        );
    }

    #[test]
    fn lvm_looks_at_its_own_devices_only() {
        let devices =
            |names: &[&str]| only_these(&names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            devices(&["/dev/sda2", "/dev/mapper/luks-1.0"]),
            r#"devices/ignore_suspended_devices=1 devices/filter=["a|^/dev/sda2$|","a|^/dev/mapper/luks-1\\.0$|","r|.*|"]"#
        );
        assert_eq!(
            devices(&["/dev/mapper/a|b"]),
            "devices/ignore_suspended_devices=1"
        );
    }

    #[test]
    fn capabilities_are_read() {
        assert_eq!(held("Name:\tcat\nCapEff:\t0000000000220006\n"), Some(0x22_0006));
        assert_eq!(held("CapEff:\tnone\n"), None);
        assert_eq!(held(""), None);
    }

    #[test]
    fn links_are_found_at_every_depth_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("tank/vms")).unwrap();
        for (link, target) in [
            ("tank/swap", "../zd0"),
            ("tank/vms/web", "../../zd16"),
            ("loop", "tank"),
        ] {
            std::os::unix::fs::symlink(target, at(link)).unwrap();
        }
        std::fs::write(at("tank/file"), "").unwrap();
        assert_eq!(
            links_below(folder.path()),
            [at("loop"), at("tank/swap"), at("tank/vms/web")]
        );
        assert!(links_below(&at("none")).is_empty());
    }

    #[test]
    fn salts_and_digests_do_not_leave_the_machine() {
        let dump = "LUKS header information\nVersion:       \t2\nKeyslots:\n  0: luks2\n\
            \tSalt:       9a 1f 00 11 22 33 44 55 66 77 88 99 aa bb cc dd \n\
            \t            9a 1f 00 11 22 33 44 55 66 77 88 99 aa bb cc dd \n\tAF stripes: 4000\n";
        assert_eq!(
            without_keys(dump),
            "LUKS header information\nVersion:       \t2\nKeyslots:\n  0: luks2\n\tAF stripes: 4000\n"
        );
    }
}
