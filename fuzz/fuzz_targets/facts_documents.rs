//! JSON documents: hardware reports, lsblk, findmnt and others, cut and mixed.
#![no_main]

use facts::Input;
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    const BEGINNINGS: [&str; 9] = [
        "{\"hardware\":{\"disk\":[",
        "{\"blockdevices\":[",
        "{\"filesystems\":[",
        "{",
        "{\"report\":[{\"lv\":[{\"lv_name\":\"a\",\"lv_size\":\"",
        "{\"flbas\":0,\"lbafs\":[{\"ds\":9,\"ms\":0,\"rp\":",
        "{\"critical_warning\":0,\"data_units_read\":",
        "{\"dmesg\":[{\"msg\":\"",
        "[{\"wal_records\":1,\"wal_bytes\":",
    ];
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let beginning = BEGINNINGS[*first as usize % BEGINNINGS.len()];
    let text = [beginning.as_bytes(), rest].concat();
    let files = Files::new();
    let (facts, _) = facts::read(&files, [Input::new("nvme0n1.json", &text)]);
    for disk in &facts.disks {
        assert!(
            disk.size.as_ref().is_none_or(|size| size.value.0 > 0),
            "no disk has size 0"
        );
        let _ = disk.media();
    }
    for namespace in &facts.nvme {
        let _ = (namespace.in_use(), namespace.better());
    }
    for volume in &facts.lvs {
        let _ = (volume.is_damaged(), volume.is_thin(), volume.is_snapshot());
    }
    for block in &facts.blocks {
        let _ = facts.disks_under(&block.name.value);
    }
});
