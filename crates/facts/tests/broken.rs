//! Broken, hostile and huge input: no panic, bounded time, and what can be read is read.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "these tests read the samples"
)]

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use facts::{Facts, Input, Kind};
use proptest::prelude::*;
use source::{Files, Problem};

fn read(path: &str, bytes: &[u8]) -> (Facts, Vec<Problem>) {
    facts::read(&Files::new(), [Input::new(path, bytes)])
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found = Vec::new();
    let mut todo: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Every sample cut at every byte. Reports of more than 12 KB are cut at every byte of their first KiB,
/// and at a byte in 211 behind it: the tokens are the same.
#[test]
fn every_sample_may_end_anywhere() {
    for (path, bytes) in samples() {
        let mut end = 0;
        while end < bytes.len() {
            let (facts, problems) = read(&path, &bytes[..end]);
            assert!(
                !facts.files.is_empty() || !problems.is_empty(),
                "{path} cut at {end} was passed over in silence"
            );
            end += if end < 1024 || bytes.len() < 12_000 {
                1
            } else {
                211
            };
        }
    }
}

/// Every sample with a byte changed in many places still reads, and nothing in it panics.
#[test]
fn every_sample_may_have_wrong_bytes() {
    for (path, bytes) in samples() {
        let step = (bytes.len() / 60).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for wrong in [0, b'-', b'9', 0xff] {
                let mut changed = bytes.clone();
                changed[at] = wrong;
                read(&path, &changed);
            }
        }
    }
}

#[test]
fn what_is_nothing_known_is_named() {
    let show = |path: &str, bytes: &[u8]| {
        let (facts, problems) = read(path, bytes);
        assert!(facts.files.is_empty());
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(100_000);
    let shown: Vec<_> = [
        ("empty.txt", &b""[..]),
        ("blank.txt", b" \n\n"),
        ("notes.md", b"# Notes\n\nThe disk is slow.\n"),
        ("binary", b"\x7fELF\x02\x01\x01\0\0\0"),
        ("other.json", b"{\"hello\": [1, 2, 3]}"),
        ("half.json", b"{\"hel"),
        ("deep.json", deep.as_bytes()),
        ("deep-object.json", deep_object.as_bytes()),
        ("closed.json", b"{}}}}"),
        ("quote.json", b"{\"blockdevices"),
    ]
    .map(|(path, bytes)| show(path, bytes))
    .into();
    expect_test::expect![[r#"
        [
            "empty.txt: the file is empty",
            "blank.txt: the file is empty",
            "notes.md: not understood: it is no output that is known here",
            "binary: not understood: it is no output that is known here",
            "other.json: not understood: it is no output that is known here",
            "half.json:1: the file ends in the middle of a value\nhalf.json: not understood: it is no output that is known here",
            "deep.json:1: values are nested deeper than 256 levels\ndeep.json: not understood: it is no output that is known here",
            "deep-object.json:1: values are nested deeper than 256 levels\ndeep-object.json: not understood: it is no output that is known here",
            "closed.json: not understood: it is no output that is known here",
            "quote.json:1: the file ends in the middle of a value\nquote.json: not understood: it is no output that is known here",
        ]
    "#]].assert_debug_eq(&shown);
}

#[test]
fn a_document_of_deep_nesting_gives_what_came_before_it() {
    let mut text = r#"{"blockdevices": [{"name": "sda", "type": "disk", "rota": true, "deep": "#.to_owned();
    text.push_str(&"[".repeat(100_000));
    let (facts, problems) = read("lsblk.json", text.as_bytes());
    assert!(
        facts
            .disk_by_name("sda")
            .is_some_and(|disk| disk.rotational.is_some())
    );
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "lsblk.json:1: values are nested deeper than 256 levels"
    );
}

/// Lines as a source of bytes of any length, without their being in memory.
struct Again<'a> {
    head: &'a [u8],
    again: &'a [u8],
    left: usize,
    at: usize,
}

impl Read for Again<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let from = if self.head.is_empty() {
            &self.again[self.at..]
        } else {
            self.head
        };
        let count = from.len().min(to.len()).min(self.left);
        to[..count].copy_from_slice(&from[..count]);
        self.left -= count;
        if self.head.is_empty() {
            self.at = (self.at + count) % self.again.len();
        } else {
            self.head = &self.head[count..];
        }
        Ok(count)
    }
}

fn huge(path: &str, head: &[u8], again: &[u8]) -> (Facts, Vec<Problem>) {
    let bytes = Again {
        head,
        again,
        left: 100 << 20,
        at: 0,
    };
    facts::read(&Files::new(), [Input::streamed(path, BufReader::new(bytes))])
}

/// 100 MB of each kind: read to the end, or refused with a clear problem, with what came before kept.
#[test]
fn files_of_a_hundred_megabytes() {
    type Case<'a> = (&'a str, &'a [u8], &'a [u8], Option<Kind>);
    let cases: &[Case<'_>] = &[
        (
            "df",
            b"Filesystem 1K-blocks Used Available Use% Mounted on\n",
            b"/dev/sda1 100 50 50 50% /mnt\n",
            Some(Kind::Df),
        ),
        (
            "mounts",
            b"",
            b"/dev/sda1 /mnt btrfs rw,noatime 0 0\n",
            Some(Kind::Mounts),
        ),
        ("meminfo", b"", b"MemTotal: 1000 kB\n", Some(Kind::Meminfo)),
        (
            "psi-io",
            b"",
            b"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
            Some(Kind::Pressure),
        ),
        (
            "btrfs",
            b"Overall:\n    Device size: 100\n\n",
            b"Data,single: Size:1, Used:1 (1%)\n   /dev/sda 1\n",
            Some(Kind::BtrfsUsage),
        ),
        (
            "stats",
            b"",
            b"[/dev/sda].write_io_errs 0\n",
            Some(Kind::BtrfsDeviceStats),
        ),
        ("zfs-get", b"", b"tank\tatime\ton\tdefault\n", Some(Kind::ZfsGet)),
        ("versions", b"", b"btrfs-progs v6.2\n", Some(Kind::Versions)),
        (
            "arcstats",
            b"6 1 0x01 91 4368 1 2\nname type data\nhits 4 1\nc_max 4 1\n",
            b"misses 4 5\n",
            Some(Kind::Kstat),
        ),
        (
            "zpool-status",
            b"  pool: a\n state: ONLINE\nconfig:\n",
            b"\ta ONLINE 0 0 0\n",
            Some(Kind::ZpoolStatus),
        ),
        (
            "one-line",
            b"Filesystem 1K-blocks Used Available Use% Mounted on\n",
            b"x",
            Some(Kind::Df),
        ),
        ("zeroes", b"", b"\0", None),
        ("facter.json", b"{\"hardware\": [", b"1, ", None),
        (
            "iostat.json",
            b"{\"sysstat\": {\"hosts\": [{\"statistics\": [",
            b"{\"disk\": [{\"disk_device\": \"sda\", \"r/s\": 1.00}]},\n",
            Some(Kind::IostatJson),
        ),
        (
            "iostat-one-string.json",
            b"{\"sysstat\": {\"hosts\": [{\"statistics\": [\"",
            b"x",
            Some(Kind::IostatJson),
        ),
        (
            "iostat.txt",
            b"Device r/s w/s\n",
            b"sda 1.00 2.00\n",
            Some(Kind::IostatText),
        ),
        (
            "diskstats",
            b"",
            b"   8       0 sda 1 2 3 4 5 6 7 8 0 9 10\n",
            Some(Kind::Diskstats),
        ),
        (
            "iotop",
            b"",
            b"7 be/4 root 1.00 K/s 2.00 K/s 0.00 % 1.00 % fio\n",
            Some(Kind::Iotop),
        ),
        (
            "vmstat",
            b" r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n",
            b" 7  0      0   4554    114  13156    0    0  6431  4010  325  964 51 14 34  0  1\n",
            Some(Kind::Vmstat),
        ),
        (
            "zpool-iostat",
            b"pool alloc free read write read write\n---- - -\n",
            b"tank 1G 2G 3 4 5K 6K\n",
            Some(Kind::ZpoolIostat),
        ),
        (
            "arcstat",
            b"    time  read  ddread  ddh%  dmread  dmh%  pread  ph%   size      c  avail\n",
            b"09:28:35   154       0     0     154   100      0    0    62G    62G   1.8G\n",
            Some(Kind::Arcstat),
        ),
        (
            "dmesg",
            b"",
            b"[  265.311275] nvme nvme1: I/O 775 QID 2 timeout, aborting\n",
            Some(Kind::KernelLog),
        ),
        (
            "mdstat",
            b"Personalities : [raid1]\n",
            b"md0 : active raid1 vdb[1] vda[0]\n",
            Some(Kind::Mdstat),
        ),
        (
            "mdadm",
            b"/dev/md0:\n  Raid Level : raid1\n    Number   Major   Minor   RaidDevice State\n",
            b"  0 254 0 0 active sync /dev/vda\n",
            Some(Kind::Mdadm),
        ),
        (
            "pg-stat-bgwriter.csv",
            b"checkpoints_timed,buffers_clean,maxwritten_clean\n",
            b"1,2,3\n",
            Some(Kind::PgStat),
        ),
        ("filefrag", b"", b"a: 40 extents found\n", Some(Kind::Filefrag)),
        (
            "blame",
            b"",
            b"35.418s zfs-import-cache.service\n",
            Some(Kind::Blame),
        ),
        (
            "lvs.json",
            b"{\"report\": [{\"lv\": [",
            b"{\"lv_name\": \"a\"},",
            None,
        ),
    ];
    for (path, head, again, kind) in cases {
        let (facts, problems) = huge(path, head, again);
        let read = facts.files.first().map(|file| file.kind);
        assert_eq!(read, *kind, "{path}: {problems:?}");
        assert!(problems.len() <= 25, "{path} told {} problems", problems.len());
        if kind.is_none() {
            assert_eq!(problems.len(), 1, "{path}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..4096), name in "[a-z/-]{0,20}") {
        read(&name, &bytes);
    }

    /// Words that the readers look for, in any order.
    #[test]
    fn any_words(words in proptest::collection::vec(prop_oneof![
        Just("Overall:\n"), Just("    Device size:"), Just("Data,single: Size:"), Just(", Used:"),
        Just("Filesystem"), Just("Mounted on"), Just("1K-blocks"), Just("Use%"), Just("[/dev/sda].write_io_errs"),
        Just("some avg10="), Just(" avg60="), Just(" avg300=1.0"), Just("MemTotal:"), Just("Device"), Just("%util"),
        Just("r/s"), Just("avg-cpu:"), Just("%user"), Just("  pool: "), Just(" state: "), Just("config:\n"),
        Just("NAME"), Just("0x01"), Just("name type data\n"), Just("hits 4 "), Just("c_max 4 "), Just("==> /a <==\n"),
        Just("{\"sysstat\":"), Just("{\"blockdevices\":["), Just("{\"name\":"), Just("\"disk\":["), Just("{\"hardware\":"),
        Just("\"statistics\":["), Just("{\"disk_device\":"), Just("\"sda\""), Just("}"), Just("]"), Just(","), Just(":"),
        Just("18446744073709551616"), Just("-1"), Just("99999999999999999999999.5"), Just("1,5"), Just("\t"), Just("\n"),
        Just(" "), Just("/"), Just("\\"), Just("\""), Just("é"), Just("rw"), Just("0 0\n"), Just("-"), Just("ONLINE"),
        Just("[    1.5] "), Just("BTRFS error (device "), Just("md0 : active "), Just("raid1 "), Just("sda[0](F)"),
        Just(" blocks "), Just("recovery = "), Just(" r  b   swpd free\n"), Just("pool alloc free read write\n"),
        Just("----"), Just("5ms"), Just("{\"report\":["), Just("\"lv\":["), Just("\"lv_name\":"), Just("{\"lbafs\":["),
        Just("\"flbas\":"), Just("\"ds\":"), Just("1min 2.5s "), Just("a.service\n"), Just(": 3 extents found\n"),
        Just("ARC size (current):"), Just("Tunables:\n"), Just("Time read miss% arcsz\n"), Just("GiB"),
    ], 0..60), name in "(psi-io|arcstats-60s-later|block/sda/queue/rotational|iostat-y.json|x)") {
        let text = words.concat();
        read(&name, text.as_bytes());
        let spaced = words.join(" ");
        read(&name, spaced.as_bytes());
    }
}
