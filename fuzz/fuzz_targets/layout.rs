//! Any bytes as the JSON of an evaluated layout, and of the options beside it.
#![no_main]

use layout::btrfs::effective_options;
use layout::report::LayoutReport;
use layout::{Order, Plain, overlay_plain, read, read_plain};
use libfuzzer_sys::fuzz_target;
use source::Files;

fuzz_target!(|bytes: &[u8]| {
    let files = Files::new();
    let file = files.add("layout.json", String::from_utf8_lossy(bytes));
    let (tree, _) = source::json::parse(&files, file);

    let mut layout = read(&tree);
    for device in &layout.devices {
        let _ = effective_options(&layout, device.id);
    }
    let plain = Plain {
        file_systems: tree.get("nodev").map(|attr| &attr.tree),
        swap_devices: tree.get("disk").map(|attr| &attr.tree),
        luks: tree.get("lvm_vg").map(|attr| &attr.tree),
        priorities: None,
    };
    overlay_plain(&mut layout, &plain, Order::Beside);
    let report = serde_json::to_string(&LayoutReport::new(&layout, Some(&tree)));
    assert!(report.is_ok(), "every report is JSON");

    let alone = read_plain(&tree, Some(&tree), Some(&tree));
    assert!(alone.devices.iter().all(|device| device.parent < Some(device.id)));
});
