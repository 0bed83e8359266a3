//! Outputs in lines: df, btrfs, mounts, ZFS, pressure, versions and others, by what begins them.
#![no_main]

use facts::Input;
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    const BEGINNINGS: [&str; 39] = [
        "Filesystem 1K-blocks Used Available Use% Mounted on\n",
        "Overall:\n    Device size: 10\n",
        "Overall:\n    Device size: 10\n\n  Data\nId Path single Unallocated\n 1 ",
        "[/dev/sda].write_io_errs 0\n",
        "/dev/sda / btrfs rw 0 0\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "MemTotal: 1 kB\n",
        "Filename Type Size Used Priority\n",
        "  pool: a\n state: ONLINE\nconfig:\n\tNAME STATE READ WRITE CKSUM\n",
        "tank\tatime\ton\tlocal\n",
        "6 1 0x01 91 4368 1 2\nname type data\nhits 4 1\nc_max 4 1\n",
        "btrfs-progs v6.2\n",
        "Data, single: total=1, used=1\n",
        "ID 256 gen 8 top level 5 path root\nID ",
        "ID\tgen\ttop level\tpath\t\n",
        "Qgroupid    Referenced    Exclusive   Path \n0/5 ",
        "UUID: 1\nError summary:    no errors found\n",
        "Balance on '/mnt' is running\n",
        "commits 7\ncur_commit_ms 0\n",
        "Type       Perc     Disk Usage   Uncompressed Referenced\nzstd ",
        "---------------C------ /db\n",
        "LUKS header information\nVersion: 2\n",
        "vm.dirty_ratio = 20\n",
        "7 be/4 root 1.00 K/s 2.00 K/s 0.00 % 1.00 % fio\n",
        "name,setting,unit\n",
        "Personalities : [raid1]\nmd0 : active raid1 vda[0]\n",
        "/dev/md0:\n  Raid Level : raid1\n",
        "[    1.5] BTRFS error (device ",
        "[    1.5] ata1.00: ",
        "Jan 29 16:41:37 host kernel: nvme nvme0: ",
        " r  b   swpd   free   si   bi us st\n 1 0 0 ",
        "pool alloc free read write read write\n---\ntank 1G 2G ",
        "tank\t1\t2\t3\t4\t5\t6\n",
        "    time  read  ddread  ddh%  ph%   size      c  avail\n09:28:35   1  1  1  1  1G  1G  ",
        "ARC size (current):   14.2 %  106.5 MiB\nTunables:\n",
        "a: 40 extents found\n",
        "1min 35.418s zfs-import-cache.service\n",
        "wal_records,wal_bytes,x\n1,2,",
        "   8       0 sda 1 2 3 4 5 6 7 8 0 9 10\n   8 0 sda ",
    ];
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let beginning = BEGINNINGS[*first as usize % BEGINNINGS.len()];
    let text = [beginning.as_bytes(), rest].concat();
    let name = if *first >= 128 {
        "psi-io-5s-later"
    } else {
        "psi-io"
    };
    let inputs = [Input::new("psi-io", &text), Input::new(name, &text)];
    let (facts, _) = facts::read(&Files::new(), inputs);
    for process in &facts.processes {
        assert!(process.read.value.max.0.is_finite() && process.write.value.max.0.is_finite());
    }
    for io in &facts.zpool_io {
        assert!(io.reads.as_ref().is_none_or(|reads| reads.value.max.0.is_finite()));
    }
    for row in &facts.pg_stat {
        for column in row.values.keys() {
            assert!(row.rate(column).is_none_or(|rate| rate.value.0.is_finite()));
        }
    }
    for array in &facts.md {
        let _ = array.is_degraded();
    }
    if let Some(arc) = &facts.arc {
        let _ = (arc.hits(), arc.0.rate("hits"));
    }
});
