//! The names that udev gives disks, one `LINK -> DEVICE` a line: `/dev/disk/by-id/ata-X -> /dev/sda`.
//!
//! `disko-advise collect` writes them, and so does
//! `find /dev/disk -type l -printf '%p -> ' -exec realpath {} \;`.

use std::sync::Arc;

use crate::disk::{self, DiskFacts, Index, Unreal};
use crate::facts::{Facts, kernel_name, whole_disk};
use crate::input::{Lines, Place};

/// The most links that are read.
const MOST: usize = 200_000;

fn link(line: &str) -> Option<(&str, &str)> {
    let (link, device) = line.trim().split_once(" -> ")?;
    (link.starts_with("/dev/disk/by-") && device.starts_with("/dev/")).then_some((link, device))
}

/// Whether a line names a device by a link.
pub(crate) fn is(line: &str) -> bool {
    link(line).is_some()
}

/// Adds the links of whole disks; those of partitions follow from them and from lsblk.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts, index: &mut Index) {
    let mut count = 0;
    while let Some(line) = lines.next() {
        let Some((link, device)) = link(line.text) else {
            continue;
        };
        count += 1;
        if count > MOST {
            place.tell_file("more than 200000 links; the rest is left out");
            return;
        }
        let name = kernel_name(device);
        let layered = ["dm-", "md", "sr"].iter().any(|prefix| name.starts_with(prefix));
        if layered || whole_disk(name).is_some() || Unreal::of_name(name).is_some() {
            continue;
        }
        disk::add(
            facts,
            index,
            DiskFacts {
                name: Some(line.sourced(Arc::from(name), device)),
                links: vec![line.text_at(link)],
                ..DiskFacts::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::Input;

    #[test]
    fn links_name_whole_disks() {
        let links = b"/dev/disk/by-id/ata-Example_SSD_S1 -> /dev/sda\n\
            /dev/disk/by-id/ata-Example_SSD_S1-part1 -> /dev/sda1\n\
            /dev/disk/by-id/dm-name-crypted -> /dev/dm-0\n\
            /dev/disk/by-path/pci-0000:00:1f.2-ata-1 -> /dev/sda\n";
        let files = source::Files::new();
        let (facts, problems) = crate::read(&files, [Input::new("dev-disk.txt", links)]);
        assert!(problems.is_empty());
        assert_eq!(facts.disks.len(), 1);
        let disk = facts.disk_by_name("/dev/disk/by-id/ata-Example_SSD_S1").unwrap();
        assert_eq!(disk.kernel_name(), Some("sda"));
        assert!(
            facts
                .disk_by_name("/dev/disk/by-path/pci-0000:00:1f.2-ata-1")
                .is_some()
        );
        // A partition's link leads to its disk.
        let under = facts
            .disk_under("/dev/disk/by-id/ata-Example_SSD_S1-part1")
            .unwrap();
        assert_eq!(under.kernel_name(), Some("sda"));
    }
}
