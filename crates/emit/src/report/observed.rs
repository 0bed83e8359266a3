//! Every figure of [`Facts`], one row each, with the line that it was read from.

use std::sync::Arc;

use machine::facts::{
    BlockKind, Fact, Facts, Kstat, Media, PropertySource, Series, Stall, Version, Window, ZfsProperty,
};
use serde_json::{Value, json};
use source::{Bytes, BytesPerSecond, Millis, Origin, PerSecond, Percent, Ratio, Sourced};

/// One figure.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// What it is of: `disk sda`, `btrfs /home`, `memory`.
    pub(super) subject: String,
    /// Which one.
    pub(super) name: String,
    /// The value for programs: sizes in bytes, times in milliseconds, rates a second, shares in percent.
    pub(super) value: Value,
    /// The value for people.
    pub(super) text: String,
    /// Where it is from.
    pub(super) origin: Origin,
}

/// A value that can be shown.
pub(super) trait Shown {
    fn value(&self) -> Value;
    fn text(&self) -> String;
}

macro_rules! shown {
    ($($of:ty: $it:ident => $value:expr, $text:expr;)*) => {$(
        impl Shown for $of {
            fn value(&self) -> Value { let $it = self; json!($value) }
            fn text(&self) -> String { let $it = self; $text }
        }
    )*};
}

shown! {
    Bytes: it => it.0, it.to_string();
    Percent: it => tidy(it.0), it.to_string();
    Ratio: it => tidy(it.0 * 100.0), it.to_string();
    Millis: it => tidy(it.0), it.to_string();
    PerSecond: it => tidy(it.0), it.to_string();
    BytesPerSecond: it => tidy(it.0), it.to_string();
    bool: it => *it, if *it { "yes" } else { "no" }.to_owned();
    u64: it => *it, it.to_string();
    i64: it => *it, it.to_string();
    f64: it => tidy(*it), format!("{}", tidy(*it));
    Arc<str>: it => **it, it.to_string();
    String: it => it, it.clone();
    Version: it => it.as_str(), it.as_str().to_owned();
    Media: it => it.to_string(), it.to_string();
    machine::facts::Scheduler: it => &*it.active, it.to_string();
    machine::facts::Transport: it => it.to_string(), it.to_string();
    machine::facts::Unreal: it => it.to_string(), it.to_string();
    machine::facts::Profile: it => it.to_string(), it.to_string();
}

/// A number with three decimals at most: more were never measured.
fn tidy(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

impl<T: Shown> Shown for Series<T> {
    fn value(&self) -> Value {
        json!({
            "samples": self.samples,
            "mean": self.mean.value(),
            "p50": self.p50.value(),
            "p95": self.p95.value(),
            "p99": self.p99.value(),
            "max": self.max.value(),
        })
    }

    fn text(&self) -> String {
        if self.samples == 1 {
            return self.mean.text();
        }
        format!(
            "mean {}, p95 {}, p99 {}, max {} ({} samples)",
            self.mean.text(),
            self.p95.text(),
            self.p99.text(),
            self.max.text(),
            self.samples
        )
    }
}

/// Gathers figures.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) rows: Vec<Figure>,
}

impl Figures {
    fn one<T: Shown>(&mut self, subject: &str, name: &str, fact: &Sourced<T>) {
        self.rows.push(Figure {
            subject: subject.to_owned(),
            name: name.to_owned(),
            value: fact.value.value(),
            text: fact.value.text(),
            origin: fact.origin.clone(),
        });
    }

    fn fact<T: Shown>(&mut self, subject: &str, name: &str, fact: &Fact<T>) {
        if let Some(fact) = fact {
            self.one(subject, name, fact);
        }
    }

    /// Several facts of one type of one subject.
    fn all<T: Shown>(&mut self, subject: &str, facts: &[(&str, &Fact<T>)]) {
        for (name, fact) in facts {
            self.fact(subject, name, fact);
        }
    }

    /// Every figure.
    pub(super) fn of(facts: &Facts) -> Self {
        let mut figures = Self::default();
        figures.machine(facts);
        figures.disks(facts);
        figures.blocks(facts);
        figures.measured(facts);
        figures.mounts(facts);
        figures.btrfs(facts);
        figures.zfs(facts);
        figures.programs(facts);
        figures.arrays_and_volumes(facts);
        figures.complaints(facts);
        figures.sampled(facts);
        figures.zfs_tools(facts);
        figures
    }

    fn machine(&mut self, facts: &Facts) {
        let it = "machine";
        self.all(
            it,
            &[
                ("system", &facts.system),
                ("virtualisation", &facts.virtualisation),
                ("product", &facts.product),
                ("form factor", &facts.form_factor),
            ],
        );
        self.fact(it, "uefi", &facts.uefi);
        self.all(
            "processor",
            &[
                ("model", &facts.cpu.model),
                ("architecture", &facts.cpu.architecture),
            ],
        );
        self.all(
            "processor",
            &[
                ("sockets", &facts.cpu.sockets),
                ("cores", &facts.cpu.cores),
                ("threads", &facts.cpu.threads),
            ],
        );
        let memory = &facts.memory;
        self.all(
            "memory",
            &[
                ("modules", &memory.modules),
                ("physical", &memory.physical),
                ("total", &memory.total),
                ("available", &memory.available),
                ("free", &memory.free),
                ("cached", &memory.cached),
                ("dirty", &memory.dirty),
                ("writeback", &memory.writeback),
                ("swap total", &memory.swap_total),
                ("swap free", &memory.swap_free),
                ("zswap", &memory.zswap),
                ("committed", &memory.committed),
            ],
        );
        let versions = &facts.versions;
        self.all(
            "versions",
            &[
                ("kernel", &versions.kernel),
                ("btrfs-progs", &versions.btrfs_progs),
                ("openzfs", &versions.openzfs),
                ("openzfs module", &versions.openzfs_module),
                ("nix", &versions.nix),
                ("nixos", &versions.nixos),
                ("postgresql", &versions.postgresql),
                ("redis", &versions.redis),
                ("docker", &versions.docker),
                ("podman", &versions.podman),
                ("systemd", &versions.systemd),
                ("cryptsetup", &versions.cryptsetup),
                ("xfsprogs", &versions.xfsprogs),
                ("e2fsprogs", &versions.e2fsprogs),
            ],
        );
        for controller in &facts.controllers {
            let kind = controller.kind.as_ref();
            let subject = format!("controller {}", kind.value);
            self.all(
                &subject,
                &[("driver", &controller.driver), ("model", &controller.model)],
            );
        }
        for swap in &facts.swaps {
            let subject = format!("swap {}", swap.path.value);
            self.fact(&subject, "kind", &swap.kind);
            self.all(&subject, &[("size", &swap.size), ("used", &swap.used)]);
            self.fact(&subject, "priority", &swap.priority);
        }
        for (name, value) in &facts.sysctl {
            self.one("kernel parameters", name, value);
        }
    }

    fn disks(&mut self, facts: &Facts) {
        for disk in &facts.disks {
            let subject = format!("disk {}", disk.shown_name());
            if let Ok((media, _)) = disk.media() {
                self.one(&subject, "medium", &media);
            }
            self.all(
                &subject,
                &[
                    ("model", &disk.model),
                    ("vendor", &disk.vendor),
                    ("serial", &disk.serial),
                    ("driver", &disk.driver),
                    ("behind RAID", &disk.behind_raid),
                ],
            );
            self.fact(&subject, "transport", &disk.transport);
            self.fact(&subject, "is no disk", &disk.unreal);
            self.fact(&subject, "scheduler", &disk.scheduler);
            let queue = &disk.queue;
            self.all(
                &subject,
                &[
                    ("size", &disk.size),
                    ("logical sector", &disk.logical_sector),
                    ("physical sector", &disk.physical_sector),
                    ("read-ahead", &queue.read_ahead),
                    ("discard granularity", &queue.discard_granularity),
                    ("largest discard", &queue.discard_max),
                    ("largest request", &queue.max_request),
                    ("optimal request", &queue.optimal_io),
                    ("smallest request", &queue.minimum_io),
                ],
            );
            self.all(
                &subject,
                &[("write cache", &queue.write_cache), ("zoned", &queue.zoned)],
            );
            self.all(
                &subject,
                &[
                    ("rotational", &disk.rotational),
                    ("removable", &disk.removable),
                    ("counts requests", &queue.io_stats),
                    ("passed its self-test", &disk.health.passed),
                ],
            );
            self.all(
                &subject,
                &[
                    ("rotations a minute", &disk.rotation),
                    ("queued requests at most", &queue.requests),
                    ("write-back latency target in µs", &queue.writeback_latency),
                    ("request affinity", &queue.affinity),
                    ("merging off", &queue.no_merges),
                    ("reallocated sectors", &disk.health.reallocated),
                    ("pending sectors", &disk.health.pending),
                    ("uncorrectable sectors", &disk.health.uncorrectable),
                    ("transfer errors", &disk.health.transfer_errors),
                    ("critical warning", &disk.health.critical_warning),
                    ("temperature in °C", &disk.health.temperature),
                    ("hours", &disk.health.hours),
                ],
            );
            self.all(
                &subject,
                &[("worn", &disk.health.used), ("spare", &disk.health.spare)],
            );
            for failed in &disk.health.failed_attributes {
                self.one(&subject, "failed attribute", failed);
            }
            for link in &disk.links {
                self.one(&subject, "link", link);
            }
        }
    }

    fn blocks(&mut self, facts: &Facts) {
        for block in facts
            .blocks
            .iter()
            .filter(|it| it.kind != BlockKind::Disk || it.fstype.is_some())
        {
            let subject = format!("block device {}", block.name.value);
            self.all(
                &subject,
                &[
                    ("mapped as", &block.mapped),
                    ("content", &block.fstype),
                    ("uuid", &block.uuid),
                    ("label", &block.label),
                    ("partition uuid", &block.partuuid),
                    ("partition label", &block.partlabel),
                ],
            );
            for parent in &block.parents {
                self.one(&subject, "lies on", parent);
            }
            for mountpoint in &block.mountpoints {
                self.one(&subject, "mounted at", mountpoint);
            }
            self.all(
                &subject,
                &[
                    ("size", &block.size),
                    ("start", &block.start),
                    ("logical sector", &block.logical_sector),
                    ("physical sector", &block.physical_sector),
                    ("discard granularity", &block.discard_granularity),
                    ("largest discard", &block.discard_max),
                ],
            );
        }
        for luks in &facts.luks {
            let name = luks.name.as_ref().or(luks.device.as_ref());
            let subject = format!("luks {}", name.map_or("", |it| &it.value));
            self.all(
                &subject,
                &[
                    ("device", &luks.device),
                    ("uuid", &luks.uuid),
                    ("cipher", &luks.cipher),
                ],
            );
            self.fact(&subject, "version", &luks.version);
            self.fact(&subject, "sector", &luks.sector);
            for flag in &luks.flags {
                self.one(&subject, "flag", flag);
            }
        }
    }

    fn measured(&mut self, facts: &Facts) {
        for io in &facts.io {
            let subject = match io.window {
                Window::SinceBoot => format!("load of {} since boot", io.name),
                Window::Intervals => format!("load of {}", io.name),
            };
            self.all(
                &subject,
                &[
                    ("reads", &io.reads),
                    ("writes", &io.writes),
                    ("discards", &io.discards),
                    ("flushes", &io.flushes),
                    ("transfers", &io.transfers),
                ],
            );
            self.all(
                &subject,
                &[
                    ("read rate", &io.read_rate),
                    ("write rate", &io.write_rate),
                    ("discard rate", &io.discard_rate),
                    ("rate", &io.rate),
                ],
            );
            self.all(
                &subject,
                &[
                    ("read wait", &io.read_wait),
                    ("write wait", &io.write_wait),
                    ("discard wait", &io.discard_wait),
                    ("flush wait", &io.flush_wait),
                    ("wait", &io.wait),
                ],
            );
            self.all(
                &subject,
                &[
                    ("read size", &io.read_size),
                    ("write size", &io.write_size),
                    ("request size", &io.request_size),
                ],
            );
            self.fact(&subject, "queue", &io.queue);
            self.all(
                &subject,
                &[
                    ("reads merged", &io.reads_merged),
                    ("writes merged", &io.writes_merged),
                    ("time with requests", &io.busy),
                ],
            );
        }
        if let Some(cpu) = &facts.cpu_use {
            let all = [
                ("user", &cpu.user),
                ("system", &cpu.system),
                ("iowait", &cpu.iowait),
                ("steal", &cpu.steal),
                ("idle", &cpu.idle),
            ];
            self.all("processor use", &all);
        }
        let pressure = &facts.pressure;
        for (of, pressure) in [
            ("io", &pressure.io),
            ("memory", &pressure.memory),
            ("cpu", &pressure.cpu),
            ("irq", &pressure.irq),
        ] {
            let Some(pressure) = pressure else { continue };
            for (who, stall) in [("some", &pressure.some), ("full", &pressure.full)] {
                if let Some(stall) = stall {
                    self.stall(&format!("pressure {of} {who}"), stall);
                }
            }
        }
        for process in &facts.processes {
            let subject = format!("process {}", process.command);
            self.one(&subject, "reads", &process.read);
            self.one(&subject, "writes", &process.write);
            self.all(
                &subject,
                &[
                    ("waits for a disk", &process.waiting),
                    ("waits for swap", &process.swapping),
                ],
            );
        }
        self.fact("kernel", "accounts for delays", &facts.delay_accounting);
        for job in &facts.fio {
            let subject = format!("fio {}", job.name.as_ref().map_or("", |it| &it.value));
            for (side, it) in [("read", &job.read), ("write", &job.write)] {
                let Some(it) = it else { continue };
                self.fact(&subject, &format!("{side} requests"), &it.iops);
                self.fact(&subject, &format!("{side} rate"), &it.rate);
                self.fact(&subject, &format!("{side} mean"), &it.mean);
                self.fact(&subject, &format!("{side} p99"), &it.p99);
            }
            self.fact(&subject, "sync p99", &job.sync_p99);
        }
    }

    fn stall(&mut self, subject: &str, stall: &Stall) {
        self.one(subject, "10 s", &stall.avg10);
        self.one(subject, "60 s", &stall.avg60);
        self.one(subject, "300 s", &stall.avg300);
        self.fact(subject, "while it was watched", &stall.interval);
        self.fact(subject, "total in µs", &stall.total);
    }

    fn mounts(&mut self, facts: &Facts) {
        for mount in &facts.mounts {
            let subject = format!("mount {}", mount.mountpoint.value);
            self.one(&subject, "of", &mount.source);
            self.one(&subject, "type", &mount.fstype);
            self.fact(&subject, "uuid", &mount.uuid);
            if let Some(first) = mount.options.first() {
                let options: Vec<&str> = mount.options.iter().map(|it| &*it.value).collect();
                self.one(
                    &subject,
                    "options",
                    &Sourced::new(options.join(","), first.origin.clone()),
                );
            }
        }
        for row in &facts.df {
            let name = row.mountpoint.as_ref().or(row.source.as_ref());
            let subject = format!("space of {}", name.map_or("", |it| &it.value));
            self.all(
                &subject,
                &[
                    ("size", &row.size),
                    ("used", &row.used),
                    ("available", &row.available),
                ],
            );
            self.fact(&subject, "used share", &row.used_share);
            self.all(
                &subject,
                &[("inodes", &row.inodes), ("inodes used", &row.inodes_used)],
            );
        }
    }

    fn btrfs(&mut self, facts: &Facts) {
        for usage in &facts.btrfs {
            let subject = format!("btrfs {}", usage.mountpoint.as_ref().map_or("", |it| &it.value));
            self.all(
                &subject,
                &[
                    ("size", &usage.device_size),
                    ("allocated", &usage.allocated),
                    ("unallocated", &usage.unallocated),
                    ("missing", &usage.missing),
                    ("used", &usage.used),
                    ("free, estimated", &usage.free_estimated),
                    ("free, at least", &usage.free_min),
                    ("free, as statfs says", &usage.free_statfs),
                    ("global reserve", &usage.global_reserve),
                    ("global reserve used", &usage.global_reserve_used),
                ],
            );
            self.all(
                &subject,
                &[
                    ("data ratio", &usage.data_ratio),
                    ("metadata ratio", &usage.metadata_ratio),
                ],
            );
            self.fact(&subject, "several profiles", &usage.multiple_profiles);
            for profile in &usage.profiles {
                let kind = format!("{} {}", profile.kind, profile.profile.value);
                self.one(&subject, &format!("{kind} size"), &profile.size);
                self.one(&subject, &format!("{kind} used"), &profile.used);
            }
            for space in &usage.unallocated_on {
                self.one(
                    &subject,
                    &format!("unallocated on {}", space.device.value),
                    &space.size,
                );
            }
        }
        for errors in &facts.btrfs_errors {
            let subject = format!("btrfs device {}", errors.device.value);
            self.all(
                &subject,
                &[
                    ("write errors", &errors.write),
                    ("read errors", &errors.read),
                    ("flush errors", &errors.flush),
                    ("corruption errors", &errors.corruption),
                    ("generation errors", &errors.generation),
                ],
            );
        }
        for subvolume in &facts.subvolumes {
            let subject = format!("subvolume {}", subvolume.path.value);
            self.one(&subject, "id", &subvolume.id);
            self.fact(&subject, "taken", &subvolume.taken);
        }
        for group in &facts.qgroups {
            let subject = format!("qgroup {}", group.id.value);
            self.all(
                &subject,
                &[("referenced", &group.referenced), ("exclusive", &group.exclusive)],
            );
        }
        for scrub in &facts.scrubs {
            let subject = format!("scrub {}", scrub.uuid.as_ref().map_or("", |it| &it.value));
            self.all(
                &subject,
                &[
                    ("status", &scrub.status),
                    ("started", &scrub.started),
                    ("took", &scrub.duration),
                    ("errors", &scrub.errors),
                ],
            );
            self.fact(&subject, "total", &scrub.total);
            for count in &scrub.counts {
                self.one(&subject, "count", count);
            }
        }
        for balance in &facts.balances {
            self.one(
                &format!("balance {}", balance.mountpoint.value),
                "status",
                &balance.status,
            );
        }
        for commits in &facts.btrfs_commits {
            let subject = format!("commits of btrfs {}", commits.uuid.as_deref().unwrap_or(""));
            self.fact(&subject, "number", &commits.commits);
            self.all(
                &subject,
                &[
                    ("last", &commits.last),
                    ("longest", &commits.max),
                    ("total", &commits.total),
                ],
            );
        }
        for compression in &facts.compression {
            let path = compression.path.as_ref().map_or("", |it| &it.value);
            for row in &compression.rows {
                let subject = format!("compression {path} {}", row.kind.value);
                self.fact(&subject, "share", &row.share);
                self.all(
                    &subject,
                    &[
                        ("on disk", &row.disk),
                        ("uncompressed", &row.uncompressed),
                        ("referenced", &row.referenced),
                    ],
                );
            }
        }
        for flags in &facts.file_flags {
            self.one("file flags", &flags.path.value, &flags.flags);
        }
    }

    fn zfs(&mut self, facts: &Facts) {
        for pool in &facts.zpools {
            let subject = format!("pool {}", pool.name.value);
            self.all(
                &subject,
                &[
                    ("size", &pool.size),
                    ("allocated", &pool.allocated),
                    ("free", &pool.free),
                ],
            );
            self.all(
                &subject,
                &[
                    ("fragmentation", &pool.fragmentation),
                    ("capacity", &pool.capacity),
                ],
            );
            self.fact(&subject, "dedup ratio", &pool.dedup_ratio);
            self.fact(&subject, "health", &pool.health);
        }
        for status in &facts.zpool_status {
            let subject = format!("pool {}", status.pool.value);
            self.all(
                &subject,
                &[
                    ("state", &status.state),
                    ("status", &status.status),
                    ("scan", &status.scan),
                    ("errors", &status.errors),
                ],
            );
            for vdev in &status.vdevs {
                let name = &vdev.name.value;
                self.fact(&subject, &format!("{name} state"), &vdev.state);
                self.fact(&subject, &format!("{name} read errors"), &vdev.read);
                self.fact(&subject, &format!("{name} write errors"), &vdev.write);
                self.fact(&subject, &format!("{name} checksum errors"), &vdev.checksum);
                self.fact(&subject, &format!("{name} note"), &vdev.note);
            }
        }
        for row in &facts.zfs {
            self.property(row);
        }
        if let Some(arc) = &facts.arc {
            self.all(
                "ARC",
                &[
                    ("size", &arc.size()),
                    ("target", &arc.target()),
                    ("largest", &arc.max()),
                    ("smallest", &arc.min()),
                ],
            );
            self.all(
                "ARC",
                &[
                    ("hits", &arc.hits()),
                    ("hits of demand data", &arc.demand_data_hits()),
                    ("hits of demand metadata", &arc.demand_metadata_hits()),
                ],
            );
        }
        if let Some(zil) = &facts.zil {
            let last: &Kstat = &zil.last;
            for (name, value) in &last.values {
                self.one("intent log", name, value);
            }
        }
    }

    /// A property that is not the default: those that are say nothing of this machine.
    fn property(&mut self, row: &ZfsProperty) {
        if row.source != PropertySource::Default {
            self.one(&format!("zfs {}", row.dataset), &row.property, &row.value);
        }
    }

    /// Software RAID, LVM, and how NVMe namespaces are formatted.
    fn arrays_and_volumes(&mut self, facts: &Facts) {
        for array in &facts.md {
            let subject = format!("array {}", array.name.value);
            self.all(
                &subject,
                &[
                    ("level", &array.level),
                    ("state", &array.state),
                    ("layout", &array.layout),
                    ("bitmap", &array.bitmap),
                    ("doing", &array.action),
                ],
            );
            self.all(&subject, &[("size", &array.size), ("chunk", &array.chunk)]);
            self.all(
                &subject,
                &[("devices", &array.devices), ("working", &array.working)],
            );
            self.fact(&subject, "done", &array.progress);
            self.fact(&subject, "degraded", &array.is_degraded());
        }
        for group in &facts.vgs {
            let subject = format!("volume group {}", group.name.value);
            let sizes = [
                ("size", &group.size),
                ("free", &group.free),
                ("extent", &group.extent),
            ];
            self.all(&subject, &sizes);
        }
        for volume in &facts.pvs {
            let subject = format!("physical volume {}", volume.device.value);
            self.fact(&subject, "group", &volume.group);
            self.all(&subject, &[("size", &volume.size), ("free", &volume.free)]);
        }
        for volume in &facts.lvs {
            let group = volume.group.as_ref().map_or("", |it| &it.value);
            let subject = format!("logical volume {group}/{}", volume.name.value);
            self.all(
                &subject,
                &[
                    ("layout", &volume.layout),
                    ("pool", &volume.pool),
                    ("origin", &volume.origin),
                    ("devices", &volume.devices),
                ],
            );
            self.all(&subject, &[("size", &volume.size), ("chunk", &volume.chunk)]);
            self.all(
                &subject,
                &[
                    ("data used", &volume.data),
                    ("metadata used", &volume.metadata),
                    ("synced", &volume.synced),
                ],
            );
        }
        for namespace in &facts.nvme {
            let subject = format!("disk {}", namespace.device);
            if let Some(format) = namespace.in_use() {
                self.one(&subject, "formatted with sectors of", &format.sector);
            }
            if let Some(format) = namespace.better() {
                self.one(&subject, "would be faster with sectors of", &format.sector);
            }
        }
    }

    /// What the kernel complained of, and what took long at boot.
    fn complaints(&mut self, facts: &Facts) {
        for trouble in &facts.kernel_log {
            let subject = format!("kernel log, {}", trouble.subject);
            let count = Sourced::new(trouble.count, trouble.last.origin.clone());
            self.one(&subject, &trouble.kind.to_string(), &count);
        }
        for unit in &facts.unit_times {
            self.one(&format!("unit {}", unit.unit.value), "time to start", &unit.time);
        }
        for file in &facts.file_extents {
            let subject = format!("file {}", file.path.value);
            self.one(&subject, "extents", &file.extents);
            self.fact(&subject, "size", &file.size);
        }
    }

    /// `vmstat`, and PostgreSQL's counters.
    fn sampled(&mut self, facts: &Facts) {
        if let Some(vmstat) = &facts.vmstat {
            let it = "vmstat";
            self.all(it, &[("running", &vmstat.running), ("blocked", &vmstat.blocked)]);
            self.all(
                it,
                &[
                    ("swapped", &vmstat.swapped),
                    ("free", &vmstat.free),
                    ("buffers", &vmstat.buffers),
                    ("cache", &vmstat.cache),
                    ("inactive", &vmstat.inactive),
                    ("active", &vmstat.active),
                ],
            );
            self.all(
                it,
                &[
                    ("swapped in", &vmstat.swap_in),
                    ("swapped out", &vmstat.swap_out),
                    ("read", &vmstat.read),
                    ("written", &vmstat.written),
                ],
            );
            self.all(
                it,
                &[
                    ("interrupts", &vmstat.interrupts),
                    ("context switches", &vmstat.switches),
                ],
            );
            self.all(
                it,
                &[
                    ("user", &vmstat.user),
                    ("system", &vmstat.system),
                    ("idle", &vmstat.idle),
                    ("waiting for disks", &vmstat.iowait),
                    ("stolen", &vmstat.steal),
                ],
            );
        }
        for row in &facts.pg_stat {
            let subject = if row.key.is_empty() {
                row.view.to_owned()
            } else {
                format!("{} {}", row.view, row.key)
            };
            for (column, value) in &row.values {
                // Between two samples, the difference says more than a sum since who knows when.
                match row.delta(column) {
                    Some(delta) => self.one(&subject, &format!("{column}, between the samples"), &delta),
                    None => self.one(&subject, column, value),
                }
            }
        }
    }

    /// `zpool iostat`, `arc_summary`, `arcstat`, and copies of sysfs.
    fn zfs_tools(&mut self, facts: &Facts) {
        for io in &facts.zpool_io {
            let subject = if io.is_pool() {
                format!("pool {}", io.pool)
            } else {
                format!("pool {}, {}", io.pool, io.name.value)
            };
            self.all(&subject, &[("allocated", &io.allocated), ("free", &io.free)]);
            self.all(&subject, &[("reads", &io.reads), ("writes", &io.writes)]);
            self.all(&subject, &[("read", &io.read_rate), ("written", &io.write_rate)]);
            self.all(
                &subject,
                &[
                    ("wait of reads", &io.read_wait),
                    ("wait of writes", &io.write_wait),
                    ("wait of reads on disk", &io.disk_read_wait),
                    ("wait of writes on disk", &io.disk_write_wait),
                    ("wait of synchronous reads", &io.sync_read_wait),
                    ("wait of synchronous writes", &io.sync_write_wait),
                    ("wait of asynchronous reads", &io.async_read_wait),
                    ("wait of asynchronous writes", &io.async_write_wait),
                    ("wait of scrubs", &io.scrub_wait),
                ],
            );
        }
        if let Some(arc) = &facts.arc_summary {
            let it = "ARC, arc_summary";
            self.fact(it, "health", &arc.health);
            self.all(
                it,
                &[
                    ("size", &arc.size),
                    ("target", &arc.target),
                    ("least", &arc.min),
                    ("most", &arc.max),
                    ("size of L2ARC", &arc.l2_size),
                ],
            );
            self.all(
                it,
                &[
                    ("hits", &arc.hits),
                    ("hits of demanded data", &arc.demand_data_hits),
                    ("hits of demanded metadata", &arc.demand_metadata_hits),
                    ("hits of L2ARC", &arc.l2_hits),
                ],
            );
        }
        if let Some(arc) = &facts.arc_samples {
            let it = "ARC, arcstat";
            self.all(
                it,
                &[
                    ("accesses", &arc.accesses),
                    ("misses", &arc.misses),
                    ("accesses of L2ARC", &arc.l2_accesses),
                ],
            );
            self.all(
                it,
                &[
                    ("hits", &arc.hits),
                    ("hits of demanded data", &arc.demand_data_hits),
                    ("hits of demanded metadata", &arc.demand_metadata_hits),
                    ("hits of prefetching", &arc.prefetch_hits),
                    ("hits of L2ARC", &arc.l2_hits),
                ],
            );
            self.all(
                it,
                &[
                    ("size", &arc.size),
                    ("target", &arc.target),
                    ("available", &arc.available),
                ],
            );
        }
        for (name, value) in &facts.zfs_parameters {
            self.one("module zfs", name, value);
        }
        for filesystem in &facts.btrfs_attributes {
            let subject = format!("btrfs {}, sysfs", filesystem.uuid);
            for (name, value) in &filesystem.values {
                self.one(&subject, name, value);
            }
        }
    }

    fn programs(&mut self, facts: &Facts) {
        for (name, setting) in &facts.postgres {
            let unit = setting.unit.as_ref().map_or("", |it| &*it.value);
            let value = Sourced::new(
                format!("{} {unit}", setting.value.value).trim_end().to_owned(),
                setting.value.origin.clone(),
            );
            self.one("postgresql", name, &value);
        }
        for (name, value) in &facts.redis {
            self.one("redis", name, value);
        }
    }
}
