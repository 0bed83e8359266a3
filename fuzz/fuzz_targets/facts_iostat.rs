//! Logs of iostat, JSON and text.
#![no_main]

use facts::Input;
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    const BEGINNINGS: [&str; 4] = [
        "{\"sysstat\":{\"hosts\":[{\"statistics\":[{\"disk\":[{\"disk_device\":\"sda\",",
        "{\"sysstat\":{\"hosts\":[",
        "Device r/s rkB/s r_await %util\nsda ",
        "avg-cpu: %user %idle\n",
    ];
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let beginning = BEGINNINGS[*first as usize % BEGINNINGS.len()];
    let text = [beginning.as_bytes(), rest].concat();
    let (facts, _) = facts::read(&Files::new(), [Input::new("iostat", &text)]);
    for io in &facts.io {
        for series in [&io.read_wait, &io.write_wait, &io.wait].into_iter().flatten() {
            let series = &series.value;
            assert!(series.p50.0 <= series.p95.0 && series.p95.0 <= series.p99.0);
            assert!(series.p99.0 <= series.max.0 && series.max.0.is_finite());
        }
    }
});
