//! Outputs in lines: df, btrfs, mounts, ZFS, pressure, versions and others, by what begins them.
#![no_main]

use facts::Input;
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    const BEGINNINGS: [&str; 25] = [
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
    if let Some(arc) = &facts.arc {
        let _ = (arc.hits(), arc.0.rate("hits"));
    }
});
