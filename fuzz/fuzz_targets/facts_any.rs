//! A bundle of any files: names and contents from the input, split at zero bytes.
#![no_main]

use facts::Input;
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    let inputs = parts.chunks(2).map(|pair| {
        let name = String::from_utf8_lossy(pair.first().copied().unwrap_or(b""));
        Input::new(name.as_ref(), pair.get(1).copied().unwrap_or(b""))
    });
    let files = Files::new();
    let (facts, problems) = facts::read(&files, inputs);
    for problem in &problems {
        if let Some(span) = problem.span {
            assert!(
                files.get(span.file).text.get(span.range()).is_some(),
                "a problem's span lies in its file"
            );
        }
    }
    for disk in &facts.disks {
        let _ = (
            disk.media(),
            facts.disks_under(disk.shown_name()),
            facts.io_of(disk.shown_name()),
        );
    }
});
