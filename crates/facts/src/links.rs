//! The names that udev gives disks and volumes of ZFS pools, one `LINK -> DEVICE` a line:
//! `/dev/disk/by-id/ata-X -> /dev/sda`, `/dev/zvol/tank/vm -> /dev/zd0`.
//!
//! `disko-advise collect` writes them, and so does
//! `find /dev/disk /dev/zvol -type l -printf '%p -> ' -exec realpath {} \;`.

use std::sync::Arc;

use crate::disk::{self, DiskFacts, Index, Unreal};
use crate::facts::{Facts, kernel_name, whole_disk};
use crate::input::{Lines, Place};

/// The most links that are read.
const MOST: usize = 200_000;

/// Where OpenZFS's `zvol_id` and its rule for udev name volumes.
const VOLUMES: &str = "/dev/zvol/";

fn link(line: &str) -> Option<(&str, &str)> {
    let (link, device) = line.trim().split_once(" -> ")?;
    let known = link.starts_with("/dev/disk/by-") || link.starts_with(VOLUMES);
    (known && device.starts_with("/dev/")).then_some((link, device))
}

/// Whether a line names a device by a link.
pub(crate) fn is(line: &str) -> bool {
    link(line).is_some()
}

/// Adds the links of whole disks and of volumes; those of partitions follow from them and from lsblk.
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
        let wanted = match Unreal::of_name(name) {
            None => true,
            Some(unreal) => unreal == Unreal::Zvol && link.starts_with(VOLUMES),
        };
        if layered || whole_disk(name).is_some() || !wanted {
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
    fn links_name_volumes_of_pools() {
        let links = b"/dev/zvol/tank/vm -> /dev/zd0\n\
            /dev/zvol/tank/vms/web -> /dev/zd16\n\
            /dev/zvol/tank/vms/web-part1 -> /dev/zd16p1\n";
        let listing = br#"{"blockdevices": [{"name": "zd16", "type": "disk", "size": 4096}]}"#;
        let files = source::Files::new();
        let inputs = [
            Input::new("dev-disk.txt", links),
            Input::new("lsblk.json", listing),
        ];
        let (facts, problems) = crate::read(&files, inputs);
        assert!(problems.is_empty());
        assert_eq!(facts.disks.len(), 2);
        assert!(facts.disks.iter().all(|it| !it.is_disk()));
        let web = facts.block_by_name("/dev/zvol/tank/vms/web").unwrap();
        assert_eq!(&*web.name.value, "zd16");
        assert_eq!(
            facts
                .disk_by_name("/dev/zvol/tank/vm")
                .and_then(|it| it.kernel_name()),
            Some("zd0")
        );
        assert!(facts.block_by_name("/dev/zvol/tank/vm").is_none());
    }

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
