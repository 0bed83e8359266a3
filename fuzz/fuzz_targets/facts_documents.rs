//! JSON documents: hardware reports, lsblk, findmnt and others, cut and mixed.
#![no_main]

use facts::Input;
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    const BEGINNINGS: [&str; 4] = [
        "{\"hardware\":{\"disk\":[",
        "{\"blockdevices\":[",
        "{\"filesystems\":[",
        "{",
    ];
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let beginning = BEGINNINGS[*first as usize % BEGINNINGS.len()];
    let text = [beginning.as_bytes(), rest].concat();
    let files = Files::new();
    let (facts, _) = facts::read(&files, [Input::new("document.json", &text)]);
    for disk in &facts.disks {
        assert!(
            disk.size.as_ref().is_none_or(|size| size.value.0 > 0),
            "no disk has size 0"
        );
        let _ = disk.media();
    }
    for block in &facts.blocks {
        let _ = facts.disks_under(&block.name.value);
    }
});
