//! What the facts mean: samples and intervals, joins, media, units.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "these tests read the samples"
)]

use std::path::Path;

use expect_test::expect;
use facts::{BlockGroup, Facts, Input, Profile, Window};
use source::{Files, Problem};

fn sample(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(path)).unwrap()
}

fn read(inputs: &[(&str, &[u8])]) -> (Facts, Vec<Problem>) {
    let inputs = inputs.iter().map(|(path, bytes)| Input::new(*path, bytes));
    facts::read(&Files::new(), inputs)
}

#[test]
fn what_stores_the_data_in_twelve_machines() {
    let mut shown = String::new();
    for name in [
        "desktop",
        "desktop-nvme-sata",
        "laptop-nvme",
        "laptop-sata",
        "server-1tb-ram",
        "server-arm",
        "server-mixed-disks",
        "server-raid-controller",
        "server-sata-4-disks",
        "vm-small",
        "vm-vmware",
        "workstation-4-disks",
    ] {
        let report = sample(&format!("facter/{name}.json"));
        let (facts, problems) = read(&[("facter.json", &report)]);
        assert_eq!(problems, []);
        shown.push_str(&format!(
            "{name}: {}, {} cores, aes {:?}\n",
            facts
                .memory
                .size()
                .map_or("?".to_owned(), |size| size.value.to_string()),
            facts.cpu.cores.as_ref().map_or(0, |cores| cores.value),
            facts.cpu.has("aes"),
        ));
        for disk in &facts.disks {
            let media = match (&disk.unreal, disk.media()) {
                (Some(unreal), _) => format!("no disk: {}", unreal.value),
                (None, Ok((media, sure))) => format!("{} ({sure:?})", media.value),
                (None, Err(missing)) => missing.to_string(),
            };
            shown.push_str(&format!(
                "  {} {} {}{}: {media}\n",
                disk.shown_name(),
                disk.size
                    .as_ref()
                    .map_or("?".to_owned(), |size| size.value.to_string()),
                disk.model.as_ref().map_or("", |model| &model.value),
                disk.behind_raid
                    .as_ref()
                    .map_or(String::new(), |driver| format!(" behind {}", driver.value)),
            ));
        }
    }
    expect![[r#"
        desktop: 32 GiB, 10 cores, aes Some(true)
          nvme0n1 931.5 GiB KINGSTON SNV2S1000G: NVMe (Certain)
          sdb 2.7 TiB ST3000DM001-1CH166: HDD (Guess)
          sda 465.8 GiB Samsung SSD 860 EVO 500GB: SSD (Guess)
        desktop-nvme-sata: 64 GiB, 16 cores, aes Some(true)
          nvme0n1 1.8 TiB Samsung SSD 980 PRO 2TB: NVMe (Certain)
          nvme1n1 3.6 TiB CT4000P3PSSD8: NVMe (Certain)
          sda 231.1 GiB Lexar USB Flash Drive: whether sda is rotational (`lsblk -J -O -b > lsblk.json`)
        laptop-nvme: 64 GiB, 12 cores, aes Some(true)
          nvme0n1 1.8 TiB WD_BLACK SN850X 2000GB: NVMe (Certain)
        laptop-sata: 24 GiB, 4 cores, aes Some(true)
          nvme0n1 476.9 GiB 512GB PCIe SSD: NVMe (Certain)
          sda 57.3 GiB USB SanDisk 3.2Gen1: whether sda is rotational (`lsblk -J -O -b > lsblk.json`)
        server-1tb-ram: 1 TiB, 64 cores, aes Some(true)
          nvme0n1 1.5 TiB Dell Ent NVMe AGN MU AIC 1.6TB: NVMe (Certain)
          nvme1n1 3.5 TiB SAMSUNG MZ1L23T8HBLA-00A07: NVMe (Certain)
        server-arm: 60 GiB, 0 cores, aes Some(true)
          nvme0n1 1.8 TiB Samsung SSD 980 PRO 2TB: NVMe (Certain)
          mmcblk0 59.2 GiB DG4064: MMC (Certain)
          mmcblk0boot0 4 MiB : no disk: a boot area of eMMC
          mmcblk0boot1 4 MiB : no disk: a boot area of eMMC
        server-mixed-disks: 64 GiB, 6 cores, aes Some(true)
          nvme0n1 476.9 GiB SAMSUNG MZVLB512HBJQ-00000: NVMe (Certain)
          nvme1n1 476.9 GiB SAMSUNG MZVLB512HBJQ-00000: NVMe (Certain)
          sda 14.6 TiB ST16000NM003G-2KH113: HDD (Guess)
        server-raid-controller: 128 GiB, 20 cores, aes Some(true)
          nvme0n1 1.5 TiB Dell Ent NVMe P5600 MU U.2 1.6TB: NVMe (Certain)
          sdb 447.1 GiB MTFDDAK480TDT behind megaraid_sas: SSD (Guess)
          sdc 447.1 GiB MTFDDAK480TDT behind megaraid_sas: SSD (Guess)
          sda 447.1 GiB MTFDDAK480TDT behind megaraid_sas: SSD (Guess)
        server-sata-4-disks: 64 GiB, 4 cores, aes Some(true)
          sdd 3.6 TiB ST4000NM0245-1Z2107: HDD (Guess)
          sdb 238.5 GiB Micron 1100 MTFDDAK256TBN: SSD (Guess)
          sdc 1.7 TiB Micron 5200 MTFDDAK1T9TDC: SSD (Guess)
          sda 238.5 GiB Micron 1100 MTFDDAK256TBN: SSD (Guess)
        vm-small: 512 MiB, 1 cores, aes Some(true)
          zram0 230.5 MiB : no disk: compressed memory
          vda 10 GiB : whether vda is rotational (`lsblk -J -O -b > lsblk.json`)
        vm-vmware: 8 GiB, 4 cores, aes Some(true)
          sda 60 GiB VMware Virtual S: whether sda is rotational (`lsblk -J -O -b > lsblk.json`)
          zram0 3.9 GiB : no disk: compressed memory
        workstation-4-disks: 96 GiB, 16 cores, aes Some(true)
          nvme0n1 1.8 TiB Samsung SSD 980 PRO with Heatsink 2TB: NVMe (Certain)
          sdb 233.3 GiB USB SanDisk 3.2Gen1: whether sdb is rotational (`lsblk -J -O -b > lsblk.json`)
          nvme1n1 1.8 TiB Samsung SSD 980 PRO with Heatsink 2TB: NVMe (Certain)
          sda 28.7 GiB USB SanDisk 3.2Gen1: whether sda is rotational (`lsblk -J -O -b > lsblk.json`)
    "#]]
    .assert_eq(&shown);
}

#[test]
fn the_first_report_of_iostat_is_dropped_unless_it_is_an_interval() {
    let log = sample("iostat/xzy.json");
    let writes = |input: Input<'_>| {
        let (facts, _) = facts::read(&Files::new(), [input]);
        let io = facts.io_of("/dev/loop5").unwrap();
        (io.window, io.writes.as_ref().unwrap().value.samples)
    };
    assert_eq!(writes(Input::new("iostat.json", &log)), (Window::Intervals, 2));
    assert_eq!(
        writes(Input::new("iostat-xzy.json", &log)),
        (Window::Intervals, 3)
    );
    let known = Input::new("iostat.json", &log).made_by("iostat -xzy -o JSON 1 3");
    assert_eq!(writes(known), (Window::Intervals, 3));
    let once = sample("iostat/x-once.json");
    assert_eq!(writes(Input::new("iostat.json", &once)), (Window::SinceBoot, 1));
}

#[test]
fn a_log_that_is_cut_off_gives_the_reports_before_the_cut() {
    let log = sample("iostat/x.json");
    let (facts, problems) = read(&[("iostat.json", &log[..log.len() * 3 / 4])]);
    assert_eq!(
        facts
            .io_of("loop0")
            .unwrap()
            .writes
            .as_ref()
            .unwrap()
            .value
            .samples,
        2
    );
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    expect!["iostat.json:35: the log is cut off here, after 3 reports"].assert_eq(&told.join("\n"));
}

#[test]
fn json_and_text_of_the_same_seconds_tell_the_same() {
    let (json, text) = (sample("iostat/x.json"), sample("iostat/x.txt"));
    let (json, _) = read(&[("x.json", &json)]);
    let (text, _) = read(&[("x.txt", &text)]);
    for (json, text) in json.io.iter().zip(&text.io) {
        assert_eq!(json.name, text.name);
        // The two programs ran side by side and read the counters some milliseconds apart.
        let largest = |io: &facts::DeviceIo| {
            [
                io.writes.as_ref().map(|series| series.value.max.0),
                io.write_rate.as_ref().map(|series| series.value.max.0),
                io.write_wait.as_ref().map(|series| series.value.max.0),
                io.busy.as_ref().map(|series| series.value.max.0),
            ]
        };
        for (json, text) in largest(json).into_iter().zip(largest(text)) {
            let (json, text) = (json.unwrap(), text.unwrap());
            assert!((json - text).abs() <= 0.05 * json, "{json} and {text}");
        }
    }
    assert_eq!(json.io.len(), 4);
}

#[test]
fn a_decimal_comma_is_no_new_number() {
    let plain = sample("iostat/x.json");
    let comma = String::from_utf8(plain.clone()).unwrap();
    // What printf makes of the same figures in a locale with a comma.
    let comma: String = comma
        .split_inclusive('\n')
        .map(|line| match line.contains("disk_device") {
            true => line.replace('.', ","),
            false => line.to_owned(),
        })
        .collect();
    let (plain, _) = read(&[("x.json", &plain)]);
    let (comma, problems) = read(&[("x.json", comma.as_bytes())]);
    assert_eq!(problems, []);
    let figures = |facts: &Facts| {
        facts
            .io
            .iter()
            .map(|io| format!("{:?}", io.write_wait.as_ref().map(|series| series.value)))
            .collect::<Vec<_>>()
    };
    assert_eq!(figures(&plain), figures(&comma));
}

#[test]
fn values_that_cannot_be_are_problems_with_their_place() {
    let (facts, problems) = read(&[
        ("df", b"Filesystem 1B-blocks Used Available Use% Mounted on\n/dev/sda1 99999999999999999999 5 5 400% /\n"),
        ("psi-io", b"some avg10=180.00 avg60=0.00 avg300=0.00 total=0\n"),
        ("meminfo", b"MemTotal: 99999999999999999999 kB\n"),
        ("iostat.json", br#"{"sysstat": {"hosts": [{"statistics": [{"disk": [{"disk_device": "sda", "r/s": 18446744073709551616.00, "util": 3.00}]}]}]}}"#),
        ("lsblk.json", br#"{"blockdevices": [{"name": "sda", "type": "disk", "log-sec": 513, "size": -5, "rota": "perhaps"}]}"#),
        ("facter.json", br#"{"hardware": {"disk": [{"sysfs_id": "/class/block/sdb", "resources": [{"type": "size", "value_1": 99999999999999999, "value_2": 4096}]}]}}"#),
        ("btrfs", b"Overall:\n    Device size: 100\n    Device allocated: 200\n    Data ratio: 77.00\n"),
    ]);
    assert!(facts.disk_by_name("sda").unwrap().size.is_none());
    assert!(facts.io_of("sda").unwrap().reads.is_none());
    let told: Vec<_> = problems
        .iter()
        .map(|problem| format!("{problem}{}", if problem.span.is_some() { " (span)" } else { "" }))
        .collect();
    expect![[r#"
        99999999999999999999 is not a size in range (span)
        400% is not a share (span)
        avg10=180.00 is not a share of the time (span)
        a row of pressure stall information without its averages (span)
        MemTotal is not a size that memory can have (span)
        iostat.json:1: sda: "18446744073709551616.00" cannot be what iostat measured
        `size` is not a size in range (span)
        a sector of 513 bytes (span)
        `rota` is neither true nor false (span)
        Data ratio cannot be 77.00 (span)
        btrfs: more is allocated than the devices hold; both figures are left out
        a disk of 99999999999999999 sectors of 4096 bytes (span)"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn two_samples_of_counters_are_an_interval() {
    let first = b"13 1 0x01 147 39984 4238290155 60000000000\nname type data\nhits 4 1000\nmisses 4 500\nsize 4 7\nc_max 4 9\n";
    let later = b"13 1 0x01 147 39984 4238290155 120000000000\nname type data\nhits 4 1900\nmisses 4 600\nsize 4 8\nc_max 4 9\n";
    let (facts, problems) = read(&[("arcstats-60s-later", later), ("arcstats", first)]);
    assert_eq!(problems, []);
    let arc = facts.arc.unwrap();
    assert_eq!(arc.window(), Window::Intervals);
    assert_eq!(arc.hits().unwrap().value.to_string(), "90 %");
    assert_eq!(arc.0.rate("hits").unwrap().value.to_string(), "15/s");
    assert_eq!(arc.size().unwrap().value.0, 8);

    let (facts, _) = read(&[("arcstats", first)]);
    let arc = facts.arc.unwrap();
    assert_eq!(arc.window(), Window::SinceBoot);
    assert_eq!(arc.hits().unwrap().value.to_string(), "67 %");
    assert_eq!(arc.0.rate("hits"), None);
}

#[test]
fn pressure_between_two_samples() {
    let (first, later) = (sample("proc/psi-io"), sample("proc/psi-io-2s-later"));
    let (facts, _) = read(&[("psi-io", &first), ("psi-io-2s-later", &later)]);
    let some = facts.pressure.io.unwrap().some.unwrap();
    expect!["39 % of the interval, 16 % of the last minute"].assert_eq(&format!(
        "{} of the interval, {} of the last minute",
        some.interval.unwrap().value,
        some.avg60.value
    ));
}

#[test]
fn a_filesystem_lies_on_its_disk_through_all_layers() {
    // As `lsblk -J -o NAME,KNAME,PATH,TYPE,FSTYPE,UUID` lists LUKS on a partition with LVM in it.
    let listing = br#"{"blockdevices": [
        {"name": "nvme0n1", "kname": "nvme0n1", "path": "/dev/nvme0n1", "type": "disk", "fstype": null, "uuid": null, "children": [
            {"name": "nvme0n1p2", "kname": "nvme0n1p2", "path": "/dev/nvme0n1p2", "type": "part", "fstype": "crypto_LUKS", "uuid": "11111111-2222-3333-4444-555555555555", "children": [
                {"name": "crypted", "kname": "dm-0", "path": "/dev/mapper/crypted", "type": "crypt", "fstype": "LVM2_member", "uuid": null, "children": [
                    {"name": "pool-root", "kname": "dm-1", "path": "/dev/mapper/pool-root", "type": "lvm", "fstype": "btrfs", "uuid": "66666666-7777-8888-9999-000000000000"}
                ]}
            ]}
        ]},
        {"name": "sda", "kname": "sda", "path": "/dev/sda", "type": "disk", "fstype": null, "uuid": null}
    ]}"#;
    let (facts, problems) = read(&[("lsblk.json", listing)]);
    assert_eq!(problems, []);
    for device in [
        "/dev/mapper/pool-root",
        "dm-1",
        "/dev/disk/by-uuid/66666666-7777-8888-9999-000000000000",
        "/dev/mapper/crypted",
        "/dev/nvme0n1p2",
        "/dev/nvme0n1",
    ] {
        let disk = facts.disk_under(device).map(|disk| disk.shown_name());
        assert_eq!(disk, Some("nvme0n1"), "{device}");
    }
    assert!(facts.disk_under("/dev/mapper/other").is_none());
    // Without a listing the names alone tell it.
    let report = sample("facter/desktop.json");
    let (facts, _) = read(&[("facter.json", &report)]);
    let link = "/dev/disk/by-id/nvme-KINGSTON_SNV2S1000G_4BEB3ED7EDAAE317-part2";
    assert_eq!(
        facts.disk_under(link).map(|disk| disk.shown_name()),
        Some("nvme0n1")
    );
    assert_eq!(
        facts.disk_under("/dev/sda1").map(|disk| disk.shown_name()),
        Some("sda")
    );
}

#[test]
fn usage_of_several_filesystems_keeps_their_paths() {
    let both = sample("btrfs/usage-two-b.txt");
    let input =
        Input::new("btrfs-usage.txt", &both).made_by("btrfs filesystem usage -b /mnt/f/single /mnt/f/raid1");
    let (facts, _) = facts::read(&Files::new(), [input]);
    let raid1 = facts.btrfs_of("/mnt/f/raid1").unwrap();
    let data = raid1.of(BlockGroup::Data).next().unwrap();
    assert_eq!((data.profile.value, data.devices.len()), (Profile::Raid1, 2));
    assert!(
        facts
            .btrfs_of("/dev/loop0")
            .is_some_and(|usage| usage.mountpoint.as_ref().unwrap().value.as_ref() == "/mnt/f/single")
    );
}

/// A listing of ten thousand disks is joined with a report of the same ones in a moment.
#[test]
fn ten_thousand_disks() {
    let entry = |at: usize| {
        format!(
            r#"{{"name": "sd{at}x", "type": "disk", "size": {}, "rota": true, "serial": "SERIAL{at:06}"}}"#,
            (at + 1) << 30
        )
    };
    let report = |at: usize| {
        format!(
            r#"{{"sysfs_id": "/class/block/sd{at}x", "serial": "SERIAL{at:06}", "unix_device_names": ["/dev/disk/by-id/ata-MODEL_SERIAL{at:06}", "/dev/sd{at}x"], "resources": [{{"type": "size", "value_1": {}, "value_2": 512}}]}}"#,
            (at + 1) << 21
        )
    };
    let all = |one: &dyn Fn(usize) -> String| (0..10_000).map(one).collect::<Vec<_>>().join(",\n");
    let listing = format!(r#"{{"blockdevices": [{}]}}"#, all(&entry));
    let report = format!(r#"{{"hardware": {{"disk": [{}]}}}}"#, all(&report));
    let (facts, problems) = read(&[
        ("facter.json", report.as_bytes()),
        ("lsblk.json", listing.as_bytes()),
    ]);
    assert_eq!(
        (facts.disks.len(), facts.contradictions.len(), problems.len()),
        (10_000, 0, 0)
    );
    let disk = facts
        .disk_by_name("/dev/disk/by-id/ata-MODEL_SERIAL009999")
        .unwrap();
    assert_eq!(
        disk.rotational.as_ref().map(|rotational| rotational.value),
        Some(true)
    );
}

/// Rows as `zpool iostat -Hp -v` prints them: flat, reports not separated, classes after an empty line.
#[test]
fn a_flat_listing_of_zpool_iostat_is_told_apart_by_its_sums() {
    let report = |reads: u64| {
        format!(
            "tank\t300\t700\t{reads}\t1\t4096\t0\nmirror-0\t100\t200\t1\t1\t1\t1\nsda\t-\t-\t1\t1\t1\t1\n\
             mirror-1\t200\t500\t1\t1\t1\t1\n\nzroot\t50\t50\t7\t1\t1\t1\nnvme0n1p3\t50\t50\t7\t1\t1\t1\n"
        )
    };
    let text = [report(1000), report(10), report(30)].concat();
    let (facts, problems) = read(&[("zpool-iostat-Hpv.txt", text.as_bytes())]);
    assert_eq!(problems, []);
    let shown: Vec<_> = facts
        .zpool_io
        .iter()
        .map(|io| {
            let reads = io.reads.as_ref().unwrap();
            (
                &*io.pool,
                &*io.name.value,
                io.depth,
                io.window,
                reads.value.samples,
                reads.value.mean.0,
            )
        })
        .collect();
    expect![[r#"
        [
            (
                "tank",
                "tank",
                0,
                Intervals,
                2,
                20.0,
            ),
            (
                "tank",
                "mirror-0",
                1,
                Intervals,
                2,
                1.0,
            ),
            (
                "tank",
                "sda",
                1,
                Intervals,
                2,
                1.0,
            ),
            (
                "tank",
                "mirror-1",
                1,
                Intervals,
                2,
                1.0,
            ),
            (
                "zroot",
                "zroot",
                0,
                Intervals,
                2,
                7.0,
            ),
            (
                "zroot",
                "nvme0n1p3",
                1,
                Intervals,
                2,
                7.0,
            ),
        ]
    "#]]
    .assert_debug_eq(&shown);
}

#[test]
fn figures_of_vmstat_are_in_the_unit_that_the_command_set() {
    let sample = sample("vmstat/S-M.txt");
    let of = |path: &str, command: Option<&str>| {
        let mut input = Input::new(path, &sample);
        if let Some(command) = command {
            input = input.made_by(command);
        }
        let (facts, problems) = facts::read(&Files::new(), [input]);
        assert_eq!(problems, []);
        let vmstat = facts.vmstat.unwrap();
        (
            vmstat.window,
            vmstat.free.unwrap().value.max,
            vmstat.read.unwrap().value.samples,
        )
    };
    let shown = [
        of("vmstat-S-M.txt", None),
        of("vmstat.txt", None),
        of("vmstat.txt", Some("vmstat -S m 1 3")),
        of("vmstat.txt", Some("vmstat -y -SM 1 3")),
    ];
    expect![[r#"
        [
            (
                Intervals,
                Bytes(
                    4775215104,
                ),
                2,
            ),
            (
                Intervals,
                Bytes(
                    4663296,
                ),
                2,
            ),
            (
                Intervals,
                Bytes(
                    4554000000,
                ),
                2,
            ),
            (
                Intervals,
                Bytes(
                    4775215104,
                ),
                3,
            ),
        ]
    "#]]
    .assert_debug_eq(&shown);
}

#[test]
fn counters_of_postgresql_become_rates_between_two_samples() {
    let early = sample("services/pg_stat_wal.csv");
    let late = String::from_utf8(early.clone())
        .unwrap()
        .replace("43915", "44915")
        .replace("73678083", "73778083");
    let (facts, problems) = read(&[
        ("pg_stat_wal.csv", &early),
        ("pg_stat_wal-10s-later.csv", late.as_bytes()),
    ]);
    assert_eq!(problems, []);
    let wal = facts.pg_stat_of("pg_stat_wal").next().unwrap();
    assert_eq!(wal.window(), Window::Intervals);
    assert_eq!(wal.rate("wal_records").unwrap().value.0, 100.0);
    assert_eq!(wal.rate("wal_bytes").unwrap().value.0, 10_000.0);
    // A reset in between gives no rate rather than a wrong one.
    let (facts, _) = read(&[
        ("pg_stat_wal.csv", late.as_bytes()),
        ("pg_stat_wal-10s-later.csv", &early),
    ]);
    assert!(
        facts
            .pg_stat_of("pg_stat_wal")
            .next()
            .unwrap()
            .rate("wal_records")
            .is_none()
    );
}

#[test]
fn what_the_stacks_say() {
    let (facts, problems) = read(&[
        ("mdstat", &sample("md/mdstat-degraded")),
        ("mdadm-detail.txt", &sample("md/mdadm-detail-degraded.txt")),
        ("lvs.json", &sample("lvm/lvs.json")),
        ("nvme0n1-id-ns.json", &sample("nvme/nvme0n1-id-ns.json")),
        ("nvme0n1-smart-log.json", &sample("nvme/nvme0n1-smart-log.json")),
        ("dmesg", &sample("kernel/dmesg.txt")),
    ]);
    assert_eq!(problems, []);
    let md: Vec<_> = facts
        .md
        .iter()
        .map(|md| {
            (
                &*md.name.value,
                md.is_degraded().map(|it| it.value),
                md.uuid.is_some(),
                md.members.len(),
            )
        })
        .collect();
    let lvs: Vec<_> = facts
        .lvs
        .iter()
        .map(|lv| (&*lv.name.value, lv.is_snapshot(), lv.is_thin(), lv.is_damaged()))
        .collect();
    let namespace = facts.nvme_namespace("/dev/nvme0n1").unwrap();
    let formats = [namespace.in_use(), namespace.better()]
        .map(|format| format.map(|format| (format.number, format.sector.value)));
    let troubles: Vec<_> = ["sda", "/dev/vdl", "vda"]
        .iter()
        .map(|name| {
            facts
                .troubles_of(name)
                .map(|it| (it.kind, it.count))
                .collect::<Vec<_>>()
        })
        .collect();
    let health = &facts.disk_by_name("nvme0n1").unwrap().health;
    let read = health.read.as_ref().map(|read| read.value);
    expect![[r#"
        (
            [
                (
                    "md1",
                    Some(
                        true,
                    ),
                    true,
                    3,
                ),
                (
                    "md0",
                    Some(
                        false,
                    ),
                    false,
                    2,
                ),
            ],
            [
                (
                    "mirror",
                    Some(
                        false,
                    ),
                    Some(
                        false,
                    ),
                    Some(
                        false,
                    ),
                ),
                (
                    "pool",
                    Some(
                        false,
                    ),
                    Some(
                        true,
                    ),
                    Some(
                        false,
                    ),
                ),
                (
                    "root",
                    Some(
                        false,
                    ),
                    Some(
                        false,
                    ),
                    Some(
                        false,
                    ),
                ),
                (
                    "snap",
                    Some(
                        true,
                    ),
                    Some(
                        false,
                    ),
                    Some(
                        false,
                    ),
                ),
                (
                    "thin",
                    Some(
                        false,
                    ),
                    Some(
                        true,
                    ),
                    Some(
                        false,
                    ),
                ),
            ],
            [
                Some(
                    (
                        0,
                        Bytes(
                            512,
                        ),
                    ),
                ),
                Some(
                    (
                        4,
                        Bytes(
                            4096,
                        ),
                    ),
                ),
            ],
            [
                [
                    (
                        CommandFailed,
                        2,
                    ),
                    (
                        MediumError,
                        6,
                    ),
                ],
                [
                    (
                        Filesystem,
                        11,
                    ),
                    (
                        Checksum,
                        10,
                    ),
                ],
                [],
            ],
            Some(
                Bytes(
                    512000,
                ),
            ),
        )
    "#]]
    .assert_debug_eq(&(md, lvs, formats, troubles, read));
}

/// Values that cannot be are told with their place, and are no figures.
#[test]
fn values_out_of_range_are_problems() {
    let cases: &[(&str, &str)] = &[
        ("vmstat", " r  b   swpd   free\n 1  0  18446744073709551616  5\n"),
        (
            "mdstat",
            "md0 : active raid1 vda[0]\n      99999999999999999999 blocks [2/2] [UU]\n",
        ),
        (
            "mdstat",
            "md0 : active raid1 vda[0]\n      1 blocks [2/x] [UU]\n      [>..]  recovery = 120.0% (1/1)\n",
        ),
        (
            "lvs.json",
            r#"{"report": [{"lv": [{"lv_name": "a", "lv_size": "99999999e", "data_percent": "120.00"}]}]}"#,
        ),
        (
            "nvme0n1.json",
            r#"{"critical_warning": 0, "data_units_read": 1, "percent_used": 300, "avail_spare": -1}"#,
        ),
        (
            "nvme0n1.json",
            r#"{"flbas": 0, "lbafs": [{"ds": 99, "ms": 0, "rp": 0}]}"#,
        ),
        (
            "nvme.json",
            r#"{"flbas": 0, "lbafs": [{"ds": 9, "ms": 0, "rp": 0}]}"#,
        ),
        (
            "zpool-iostat",
            "pool alloc free read write read write\n---\ntank 99999999E 1G 1 1 1 1\n",
        ),
        (
            "arcstat",
            "    time  read  hit%   size\n09:28:35   1  50  1G\n09:28:36   1  500  1X\n",
        ),
        (
            "arc_summary",
            "ARC size (current):   14.2 %  106.5 QiB\nARC total accesses:  1\n\tTotal hits:   400.0 %  1\n",
        ),
        ("pg.csv", "wal_records,wal_bytes,x\n1,2\n"),
        ("filefrag", "a: 99999999999999999999999 extents found\n"),
        (
            "diskstats",
            "8 0 sda 1 2 3 4 5 6 7 8 0 9 10\n8 0 sdb 1 2 3 4 5 6 7 8 0 9 99999999999999999999\n",
        ),
        ("iostat", "Device r/s w/s\nsda 1.00 18446744073709551616.00\n"),
    ];
    let mut shown = String::new();
    for (path, text) in cases {
        let files = Files::new();
        let (_, problems) = facts::read(&files, [Input::new(*path, text.as_bytes())]);
        for problem in problems {
            let place = problem
                .span
                .map(|span| files.place(span).to_string())
                .unwrap_or_default();
            shown.push_str(&format!("{place} {problem}\n"));
        }
    }
    expect![[r#"
        vmstat:2:8 18446744073709551616 cannot be vmstat's `swpd`
        mdstat:2:7 not a size in range
        mdstat:2:19 not a count of devices
        mdstat:3:25 not a share of an array
        lvs.json:1:50 `lv_size` is "99999999e", not a size in range
        lvs.json:1:79 `data_percent` is "120.00", not a share
        nvme0n1.json:1:63 `percent_used` is 300, more than 255
        nvme0n1.json:1:83 `avail_spare` is "-1", not a whole number in range
        nvme0n1.json:1:24 no format that an NVMe namespace can have
         nvme.json: it does not say which NVMe device this is of; a name such as nvme0n1-smart-log.json does
        zpool-iostat:3:6 not a size in range
        arcstat:3:15 500 cannot be what arcstat measured
        arcstat:3:20 1X cannot be what arcstat measured
        arc_summary:1:23 not a size in range
        arc_summary:3:16 not a share
        pg.csv:2:1 not a whole row of the view
        filefrag:1:4 not a count of extents
        diskstats:2:1 not a row of /proc/diskstats
        iostat:2:10 sda: 18446744073709551616.00 cannot be what iostat measured
    "#]]
    .assert_eq(&shown);
}

/// Ten thousand disks in the logs too, with rates of each.
#[test]
fn ten_thousand_disks_in_logs() {
    let diskstats = |add: u64| {
        (0..10_000)
            .map(|at| {
                format!(
                    "   8 {at:7} sd{at}x {} 0 {} 5 1 0 8 1 0 9 10\n",
                    10 + add,
                    80 + 8 * add
                )
            })
            .collect::<String>()
    };
    let (first, later) = (diskstats(0), diskstats(100));
    let (facts, problems) = read(&[
        ("diskstats", first.as_bytes()),
        ("diskstats-10s-later", later.as_bytes()),
    ]);
    assert_eq!(
        (facts.io.len(), facts.disks.len(), problems.len()),
        (10_000, 10_000, 0)
    );
    let io = facts.io_of("/dev/sd9999x").unwrap();
    assert_eq!(io.reads.as_ref().unwrap().value.mean.0, 10.0);

    let report: String = (0..10_000)
        .map(|at| format!("sd{at}x 1.00 {at}.00 0.50\n"))
        .collect();
    let log = format!("Device r/s rkB/s r_await\n{report}\n").repeat(3);
    let (facts, problems) = read(&[("iostat.txt", log.as_bytes())]);
    assert_eq!((facts.io.len(), problems.len()), (10_000, 0));
    assert_eq!(
        facts
            .io_of("sd9999x")
            .unwrap()
            .read_rate
            .as_ref()
            .unwrap()
            .value
            .samples,
        2
    );
}

/// A log of samples keeps what requests took in each interval; a machine that was started anew takes nothing away.
#[test]
fn a_log_of_diskstats_keeps_percentiles() {
    let row = |reads: u64, millis: u64| {
        format!(
            "   8       0 sda {reads} 0 {} {millis} 0 0 0 0 0 0 0\n",
            reads * 8
        )
    };
    let log = [
        row(100, 100),
        row(110, 110),
        row(120, 620),
        row(120, 620),
        row(5, 5),
        row(15, 35),
    ]
    .concat();
    let (facts, problems) = read(&[("diskstats.log", log.as_bytes())]);
    assert_eq!(problems, []);
    let wait = facts.io_of("sda").unwrap().read_wait.clone().unwrap();
    assert_eq!(
        (wait.value.samples, wait.value.p50.0, wait.value.max.0),
        (3, 3.0, 51.0)
    );
    assert_eq!(wait.origin.quote().map(|quote| quote.line), Some(3));
}

/// A reader without a medium has no sectors. A disk that nobody could open tells nothing of them, and is
/// no less a disk.
#[test]
fn an_empty_reader_is_told_from_a_disk_that_could_not_be_opened() {
    let report = br#"{"hardware": {"disk": [
        {"sysfs_id": "/class/block/sdb", "resources": [{"type": "size", "value_1": 0, "value_2": 512}]},
        {"sysfs_id": "/class/block/sdc", "resources": []}
    ]}}"#;
    let (facts, problems) = read(&[("facter.json", report)]);
    assert_eq!(problems, []);
    let disks: Vec<_> = facts
        .disks
        .iter()
        .map(|disk| (disk.shown_name(), disk.is_disk()))
        .collect();
    assert_eq!(disks, [("sdb", false), ("sdc", true)]);
}
