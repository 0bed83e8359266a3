//! What is read of layouts that are wrong, unknown in part, or joined over several devices.
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at what is wrong")]

mod trees;

use expect_test::{Expect, expect};
use layout::{Kind, Layout, ZpoolMode};
use source::Files;
use trees::{dump, tree};

fn check(text: &str, expected: Expect) -> Layout {
    let files = Files::new();
    let layout = layout::read(&tree(&files, text));
    expected.assert_eq(&dump(&layout, &files));
    layout
}

#[test]
fn wrong_types_are_problems_and_the_rest_is_read() {
    check(
        r#"{
  "disk": {
    "main": {
      "device": 7,
      "destroy": "no",
      "content": {
        "type": "gpt",
        "partitions": {
          "root": {
            "size": "100%",
            "content": {
              "type": "btrfs",
              "mountOptions": "noatime",
              "mountpoint": "relative",
              "subvolumes": {
                "@": { "mountpoint": "/", "mountOptions": [ "noatime", 1, null ] },
                "@nix": [],
                "@home": { "mountpoint": "/home", "mountOption": [ "noatime" ] }
              }
            }
          },
          "luks": { "content": { "type": "luks", "settings": { "allowDiscards": "true" }, "content": { "type": "swap", "priority": 1.5 } } },
          "other": { "content": { "type": "filesystem", "mountpoint": "/data" } },
          "typeless": { "content": { "mountpoint": "/typeless" } },
          "empty": null
        }
      }
    },
    "list": []
  },
  "zpool": { "tank": { "mode": [], "options": { "ashift": 12, "autotrim": "on" }, "datasets": { "a": { "mountpoint": "/a" } } } },
  "nodev": { "/tmp": {}, "relative": { "fsType": "tmpfs" } },
  "raid": {}
}"#,
        expect![[r#"
            0 Disk disk.main - on []
            1 Gpt disk.main.content - on [0]
            2 Partition disk.main.content.partitions.luks /dev/disk/by-partlabel/disk-main-luks on [1]
            3 Luks disk.main.content.partitions.luks.content /dev/disk/by-partlabel/disk-main-luks on [2]
            4 Swap disk.main.content.partitions.luks.content.content - on [3]
            5 Partition disk.main.content.partitions.other /dev/disk/by-partlabel/disk-main-other on [1]
            6 Other disk.main.content.partitions.other.content /dev/disk/by-partlabel/disk-main-other on [5]
            7 Partition disk.main.content.partitions.root /dev/disk/by-partlabel/disk-main-root on [1]
            8 Btrfs disk.main.content.partitions.root.content /dev/disk/by-partlabel/disk-main-root on [7]
            9 Subvolume disk.main.content.partitions.root.content.subvolumes."@" /dev/disk/by-partlabel/disk-main-root on [8]
            10 Subvolume disk.main.content.partitions.root.content.subvolumes."@home" /dev/disk/by-partlabel/disk-main-root on [8]
            11 Partition disk.main.content.partitions.typeless /dev/disk/by-partlabel/disk-main-typeless on [1]
            12 Other disk.main.content.partitions.typeless.content /dev/disk/by-partlabel/disk-main-typeless on [11]
            13 Other nodev."/tmp" - on []
            14 Nodev nodev.relative tmpfs on []
            15 Zpool zpool.tank - on []
            16 Dataset zpool.tank.datasets.__root - on [15]
            17 Other zpool.tank.datasets.a - on [15]
            mount / /dev/disk/by-partlabel/disk-main-root btrfs ["noatime", "subvol=@"]
            mount /home /dev/disk/by-partlabel/disk-main-root btrfs ["defaults", "subvol=@home"]
            swap - priority=None discard=None random=false ["defaults"]
            unknown disko.devices.disk.list: is a list, not a set
            unknown disko.devices.disk.main.content.partitions.empty: is null, not a set
            unknown disko.devices.disk.main.content.partitions.luks.content.content.priority: is a float, not an integer
            unknown disko.devices.disk.main.content.partitions.luks.content.settings.allowDiscards: is a string, not a Boolean
            unknown disko.devices.disk.main.content.partitions.root.content.mountOptions: is a string, not a list of strings
            unknown disko.devices.disk.main.content.partitions.root.content.mountpoint: is a string, not an absolute path
            unknown disko.devices.disk.main.content.partitions.root.content.subvolumes."@".mountOptions."[definition 1-entry 2]": is an integer, not a string
            unknown disko.devices.disk.main.content.partitions.root.content.subvolumes."@".mountOptions."[definition 1-entry 3]": is null, not a string
            unknown disko.devices.disk.main.content.partitions.root.content.subvolumes."@nix": is a list, not a set
            unknown disko.devices.disk.main.destroy: is a string, not a Boolean
            unknown disko.devices.disk.main.device: is an integer, not a string
            unknown disko.devices.zpool.tank.mode: is a list, not a string or a set
            unknown disko.devices.zpool.tank.options.ashift: is an integer, not a string
            Warning disko.devices.raid is not an option; ignored at "raid"
            Error disko.devices.disk.list is a list, not a set at []
            Error disko.devices.disk.main.device is an integer, not a string at 7
            Error disko.devices.disk.main.destroy is a string, not a Boolean at "no"
            Error disko.devices.disk.main.content.partitions.empty is null, not a set at null
            Error disko.devices.disk.main.content.partitions.luks.content has no `name`, which disko requires at "content"
            Error disko.devices.disk.main.content.partitions.luks.content.settings.allowDiscards is a string, not a Boolean at "true"
            Error disko.devices.disk.main.content.partitions.luks.content.content.priority is a float, not an integer at 1.5
            Error disko.devices.disk.main.content.partitions.other.content has no `format`, which disko requires at "content"
            Error disko.devices.disk.main.content.partitions.root.content.mountOptions is a string, not a list of strings at "noatime"
            Error disko.devices.disk.main.content.partitions.root.content.mountpoint is a string, not an absolute path at "relative"
            Error disko.devices.disk.main.content.partitions.root.content.subvolumes."@nix" is a list, not a set at []
            Error disko.devices.disk.main.content.partitions.root.content.subvolumes."@".mountOptions."[definition 1-entry 2]" is an integer, not a string at 1
            Error disko.devices.disk.main.content.partitions.root.content.subvolumes."@".mountOptions."[definition 1-entry 3]" is null, not a string at null
            Warning disko.devices.disk.main.content.partitions.root.content.subvolumes."@home".mountOption is not an option of `btrfs subvolume`; ignored at "mountOption"
            Error disko.devices.disk.main.content.partitions.typeless.content has no `type`, which disko requires at "content"
            Error disko.devices.nodev."/tmp" has no `fsType`, which disko requires at "/tmp"
            Error disko.devices.nodev.relative: the name of a `nodev` without `mountpoint` is not an absolute path at "relative"
            Error disko.devices.zpool.tank.mode is a list, not a string or a set at []
            Error disko.devices.zpool.tank.options.ashift is an integer, not a string at 12
            Error disko.devices.zpool.tank.datasets.a has no `type`, which disko requires at "a"
        "#]],
    );
}

#[test]
fn unknown_and_failed_parts_are_named_and_the_rest_is_read() {
    let layout = check(
        r#"{
  "disk": {
    "main": {
      "device": "?device",
      "content": {
        "type": "gpt",
        "partitions": {
          "root": {
            "size": "100%",
            "content": {
              "type": "luks",
              "name": "?config.networking.hostName",
              "settings": { "allowDiscards": "?config.ssd" },
              "content": {
                "type": "btrfs",
                "subvolumes": {
                  "@": { "mountpoint": "/", "mountOptions": [ "noatime", "?options" ] },
                  "@home": { "mountpoint": "?home" },
                  "@nix": { "mountpoint": "/nix", "mountOptions": "!division by zero" },
                  "@var": "!infinite recursion"
                }
              }
            }
          }
        }
      }
    },
    "unknown": "?inputs.disks"
  },
  "zpool": {
    "tank": {
      "rootFsOptions": "?rootFsOptions",
      "mountpoint": "/tank",
      "datasets": { "a": { "type": "zfs_fs", "mountpoint": "/a", "options": { "mountpoint": "?legacy", "atime": "off" } } }
    }
  }
}"#,
        expect![[r#"
            0 Disk disk.main - on []
            1 Gpt disk.main.content - on [0]
            2 Partition disk.main.content.partitions.root /dev/disk/by-partlabel/disk-main-root on [1]
            3 Luks disk.main.content.partitions.root.content /dev/disk/by-partlabel/disk-main-root on [2]
            4 Btrfs disk.main.content.partitions.root.content.content - on [3]
            5 Subvolume disk.main.content.partitions.root.content.content.subvolumes."@" - on [4]
            6 Subvolume disk.main.content.partitions.root.content.content.subvolumes."@home" - on [4]
            7 Subvolume disk.main.content.partitions.root.content.content.subvolumes."@nix" - on [4]
            8 Zpool zpool.tank - on []
            9 Dataset zpool.tank.datasets.__root - on [8]
            10 Dataset zpool.tank.datasets.a - on [8]
            mount / - btrfs ["noatime", "subvol=@"]
            mount /nix - btrfs ["subvol=@nix"]
            unknown disko.devices.disk.main.content.partitions.root.content.content.subvolumes."@".mountOptions."[definition 1-entry 2]": depends on options: nobody gave it
            unknown disko.devices.disk.main.content.partitions.root.content.content.subvolumes."@home".mountpoint: depends on home: nobody gave it
            unknown disko.devices.disk.main.content.partitions.root.content.content.subvolumes."@nix".mountOptions: failed: division by zero
            unknown disko.devices.disk.main.content.partitions.root.content.content.subvolumes."@var": failed: infinite recursion
            unknown disko.devices.disk.main.content.partitions.root.content.name: depends on config.networking.hostName: nobody gave it
            unknown disko.devices.disk.main.content.partitions.root.content.settings.allowDiscards: depends on config.ssd: nobody gave it
            unknown disko.devices.disk.main.device: depends on device: nobody gave it
            unknown disko.devices.disk.unknown: depends on inputs.disks: nobody gave it
            unknown disko.devices.zpool.tank.datasets.a.options.mountpoint: depends on legacy: nobody gave it
            unknown disko.devices.zpool.tank.rootFsOptions: depends on rootFsOptions: nobody gave it
            Error disko.devices.disk.main.content.partitions.root.content.content.subvolumes."@var": infinite recursion at "!infinite recursion"
            Error disko.devices.disk.main.content.partitions.root.content.content.subvolumes."@nix".mountOptions: division by zero at "!division by zero"
        "#]],
    );
    let luks = layout
        .devices
        .iter()
        .find(|device| matches!(device.kind, Kind::Luks(_)))
        .expect("the LUKS container");
    let settings = luks.path.join("settings");
    assert!(layout.unknown_at(&settings.join("allowDiscards")).is_some());
    assert!(layout.unknown_at(&settings.join("bypassWorkqueues")).is_none());
}

#[test]
fn a_layout_that_is_no_set_is_one_problem() {
    for text in [
        "[]",
        "1",
        "\"?config.disko.devices\"",
        "\"!no such file\"",
        "null",
    ] {
        let files = Files::new();
        let layout = layout::read(&tree(&files, text));
        assert!(layout.devices.is_empty());
        assert_eq!(layout.unknown.len(), usize::from(text != "null"), "{text}");
    }
}

#[test]
fn what_lies_in_an_unknown_type_is_found() {
    check(
        r#"{
  "disk": {
    "main": {
      "device": "/dev/sda",
      "content": {
        "type": "bcache",
        "set": "cache",
        "content": {
          "type": "btrfs",
          "subvolumes": { "@": { "mountpoint": "/", "mountOptions": [ "compress=zstd" ] } }
        },
        "partitions": [ { "content": { "type": "swap", "device": "/dev/bcache1" } } ]
      }
    }
  },
  "zpool": { "tank": { "datasets": { "x": { "type": "zfs_bookmark" } } } }
}"#,
        expect![[r#"
            0 Disk disk.main /dev/sda on []
            1 Other disk.main.content /dev/sda on [0]
            2 Btrfs disk.main.content.content - on [1]
            3 Subvolume disk.main.content.content.subvolumes."@" - on [2]
            4 Swap disk.main.content.partitions."[definition 1-entry 1]".content /dev/bcache1 on [1]
            5 Zpool zpool.tank - on []
            6 Dataset zpool.tank.datasets.__root - on [5]
            7 Other zpool.tank.datasets.x - on [5]
            mount / - btrfs ["compress=zstd", "subvol=@"]
            swap /dev/bcache1 priority=None discard=None random=false ["defaults"]
            Warning disko.devices.disk.main.content: `bcache` is not a type of disko's that is known here; only what lies in it is read at "bcache"
            Warning disko.devices.zpool.tank.datasets.x: `zfs_bookmark` is not a type of dataset that is known here; only what lies in it is read at "zfs_bookmark"
        "#]],
    );
}

#[test]
fn two_mounts_at_one_mountpoint_conflict() {
    check(
        r#"{
  "nodev": {
    "/a": { "fsType": "tmpfs", "mountOptions": [ "size=1G" ] },
    "b": { "fsType": "ramfs", "mountpoint": "/a", "mountOptions": [] },
    "/c/": { "fsType": "tmpfs" }
  },
  "disk": {
    "a": { "device": "/dev/a", "content": { "type": "luks", "name": "same", "content": { "type": "swap", "resumeDevice": true } } },
    "b": { "device": "/dev/b", "content": { "type": "luks", "name": "same", "settings": { "allowDiscards": true } } },
    "c": { "device": "/dev/c", "content": { "type": "swap", "resumeDevice": true } }
  }
}"#,
        expect![[r#"
            0 Disk disk.a /dev/a on []
            1 Luks disk.a.content /dev/a on [0]
            2 Swap disk.a.content.content /dev/mapper/same on [1]
            3 Disk disk.b /dev/b on []
            4 Luks disk.b.content /dev/b on [3]
            5 Disk disk.c /dev/c on []
            6 Swap disk.c.content /dev/c on [5]
            7 Nodev nodev."/a" tmpfs on []
            8 Nodev nodev."/c/" tmpfs on []
            9 Nodev nodev.b ramfs on []
            mount /a tmpfs tmpfs ["size=1G"]
            mount /c/ tmpfs tmpfs ["defaults"]
            swap /dev/mapper/same priority=None discard=None random=false ["defaults"]
            swap /dev/c priority=None discard=None random=false ["defaults"]
            luks same /dev/a allowDiscards=true
            resume /dev/mapper/same
            Error the mountpoint `/c/` ends with a slash, which NixOS refuses at "/c/"
            Error disko.devices.nodev.b.mountOptions is empty: NixOS takes no empty list of mount options at []
            Error fileSystems."/a".device is defined twice with different values, `tmpfs` and `ramfs`; the first is taken here at "/a"
            Error fileSystems."/a".fsType is defined twice with different values, `tmpfs` and `ramfs`; the first is taken here at "/a"
            Error boot.initrd.luks.devices.same.device is defined twice with different values, `/dev/a` and `/dev/b`; the first is taken here at "content"
            Error boot.resumeDevice is defined twice with different values, `/dev/mapper/same` and `/dev/c`; the first is taken here at true
        "#]],
    );
}

#[test]
fn disks_and_labels_that_disko_cannot_name() {
    check(
        r#"{
  "disk": {
    "odd": {
      "device": "/dev/fancy",
      "content": { "type": "table", "partitions": [ { "name": "a", "content": { "type": "filesystem", "format": "ext4", "mountpoint": "/" } } ] }
    },
    "placeholder": {
      "device": "{{mainDisk}}",
      "content": {
        "type": "gpt",
        "partitions": {
          "é": { "content": { "type": "swap" } },
          "gpt": { "content": { "type": "gpt", "partitions": { "inner": { "content": { "type": "swap" } } } } }
        }
      }
    },
    "swapfile": { "device": "/dev/sdx", "content": { "type": "btrfs", "swap": { "file": { "size": "1G" } } } }
  }
}"#,
        expect![[r#"
            0 Disk disk.odd /dev/fancy on []
            1 Table disk.odd.content /dev/fancy on [0]
            2 Partition disk.odd.content.partitions."[definition 1-entry 1]" - on [1]
            3 Filesystem disk.odd.content.partitions."[definition 1-entry 1]".content - on [2]
            4 Disk disk.placeholder {{mainDisk}} on []
            5 Gpt disk.placeholder.content {{mainDisk}} on [4]
            6 Partition disk.placeholder.content.partitions.gpt /dev/disk/by-partlabel/disk-placeholder-gpt on [5]
            7 Gpt disk.placeholder.content.partitions.gpt.content /dev/disk/by-partlabel/disk-placeholder-gpt on [6]
            8 Partition disk.placeholder.content.partitions.gpt.content.partitions.inner - on [7]
            9 Swap disk.placeholder.content.partitions.gpt.content.partitions.inner.content - on [8]
            10 Partition disk.placeholder.content.partitions."é" - on [5]
            11 Swap disk.placeholder.content.partitions."é".content - on [10]
            12 Disk disk.swapfile /dev/sdx on []
            13 Btrfs disk.swapfile.content /dev/sdx on [12]
            mount / - ext4 ["defaults"]
            swap - priority=None discard=None random=false ["defaults"]
            swap - priority=None discard=None random=false ["defaults"]
            Error disko.devices.disk.odd.content: disko does not know how the partitions of `/dev/fancy` are named at "content"
            Error disko.devices.disk.placeholder.content.partitions.gpt.content: disko lets no partition table lie here at "gpt"
            Error disko.devices.disk.placeholder.content.partitions."é": disko makes no device name of the label `disk-placeholder-é`, which is not plain ASCII at "é"
            Error disko.devices.disk.swapfile.content has swap files but no `mountpoint`, so disko cannot name them at "swap"
        "#]],
    );
}

#[test]
fn members_are_joined_with_their_groups() {
    let layout = check(
        r#"{
  "disk": {
    "a": { "device": "/dev/sda", "content": { "type": "gpt", "partitions": { "zfs": { "content": { "type": "zfs", "pool": "tank" } } } } },
    "b": { "device": "/dev/sdb", "content": { "type": "zfs", "pool": "tank" } },
    "c": { "device": "/dev/sdc", "content": { "type": "gpt", "partitions": { "log": { "content": { "type": "zfs", "pool": "tank" } } } } },
    "two": { "device": "/dev/sdh", "content": { "type": "gpt", "partitions": { "a": { "content": { "type": "zfs", "pool": "tank" } }, "b": { "content": { "type": "zfs", "pool": "tank" } } } } },
    "d": { "device": "/dev/sdd", "content": { "type": "lvm_pv", "vg": "vg" } },
    "e": { "device": "/dev/sde", "content": { "type": "mdraid", "name": "md" } },
    "f": { "device": "/dev/sdf", "content": { "type": "bcachefs", "filesystem": "cache" } },
    "g": { "device": "/dev/sdg", "content": { "type": "lvm_pv", "vg": "another" } }
  },
  "lvm_vg": { "vg": {} },
  "mdadm": { "md": {} },
  "bcachefs_filesystems": { "cache": { "type": "bcachefs_filesystem" } },
  "zpool": {
    "tank": {
      "mode": { "topology": { "type": "topology", "vdev": [ { "mode": "mirror", "members": [ "a", "/dev/sdb" ] } ], "log": [ { "members": [ "c" ] } ], "special": [ { "members": [ "nowhere", "two" ] } ] } }
    }
  }
}"#,
        expect![[r#"
            0 Bcachefs bcachefs_filesystems.cache /dev/disk/by-uuid/5e1ecee0-6a7f-c06f-305a-e5c12acfe7a7 on [16]
            1 Disk disk.a /dev/sda on []
            2 Gpt disk.a.content /dev/sda on [1]
            3 Partition disk.a.content.partitions.zfs /dev/disk/by-partlabel/disk-a-zfs on [2]
            4 ZfsMember disk.a.content.partitions.zfs.content /dev/disk/by-partlabel/disk-a-zfs on [3]
            5 Disk disk.b /dev/sdb on []
            6 ZfsMember disk.b.content /dev/sdb on [5]
            7 Disk disk.c /dev/sdc on []
            8 Gpt disk.c.content /dev/sdc on [7]
            9 Partition disk.c.content.partitions.log /dev/disk/by-partlabel/disk-c-log on [8]
            10 ZfsMember disk.c.content.partitions.log.content /dev/disk/by-partlabel/disk-c-log on [9]
            11 Disk disk.d /dev/sdd on []
            12 LvmPv disk.d.content /dev/sdd on [11]
            13 Disk disk.e /dev/sde on []
            14 Mdraid disk.e.content /dev/sde on [13]
            15 Disk disk.f /dev/sdf on []
            16 BcachefsMember disk.f.content /dev/sdf on [15]
            17 Disk disk.g /dev/sdg on []
            18 LvmPv disk.g.content /dev/sdg on [17]
            19 Disk disk.two /dev/sdh on []
            20 Gpt disk.two.content /dev/sdh on [19]
            21 Partition disk.two.content.partitions.a /dev/disk/by-partlabel/disk-two-a on [20]
            22 ZfsMember disk.two.content.partitions.a.content /dev/disk/by-partlabel/disk-two-a on [21]
            23 Partition disk.two.content.partitions.b /dev/disk/by-partlabel/disk-two-b on [20]
            24 ZfsMember disk.two.content.partitions.b.content /dev/disk/by-partlabel/disk-two-b on [23]
            25 LvmVg lvm_vg.vg - on [12]
            26 Mdadm mdadm.md /dev/md/md on [14]
            27 Zpool zpool.tank - on [4 6 10 22 24]
            28 Dataset zpool.tank.datasets.__root - on [27]
        "#]],
    );
    let pool = layout
        .devices
        .iter()
        .find_map(|device| match &device.kind {
            Kind::Zpool(pool) => Some(pool),
            _ => None,
        })
        .expect("the pool");
    let ZpoolMode::Topology(topology) = &pool.mode else {
        panic!("a topology");
    };
    let paths = |vdev: &layout::Vdev| -> Vec<String> {
        let path = |id: &layout::DeviceId| layout.device(*id).map(|device| device.path.to_string());
        vdev.devices.iter().filter_map(path).collect()
    };
    let found: Vec<_> = [&topology.vdev, &topology.log, &topology.special]
        .into_iter()
        .flatten()
        .map(paths)
        .collect();
    expect![[r#"
        [
            [
                "disko.devices.disk.a.content.partitions.zfs.content",
                "disko.devices.disk.b.content",
            ],
            [
                "disko.devices.disk.c.content.partitions.log.content",
            ],
            [],
        ]
    "#]]
    .assert_debug_eq(&found);
}

#[test]
fn every_value_keeps_the_place_where_it_was_written() {
    let files = Files::new();
    let text = r#"{ "disk": { "main": { "device": "/dev/sda", "content": { "type": "btrfs", "mountpoint": "/", "mountOptions": [ "noatime", "compress=zstd" ] } } } }"#;
    let layout = layout::read(&tree(&files, text));
    let mount = layout.mount("/").expect("the mount");
    let written = |origin: &source::Origin| origin.span().map(|span| files.text(span));
    assert_eq!(written(&mount.mountpoint.origin).as_deref(), Some("\"/\""));
    let options: Vec<_> = mount
        .options
        .iter()
        .map(|option| written(&option.origin))
        .collect();
    assert_eq!(
        options,
        [
            Some("\"noatime\"".to_owned()),
            Some("\"compress=zstd\"".to_owned())
        ]
    );
    let binding = mount.declared.place.bindings.first().expect("what sets the list");
    assert_eq!(files.text(binding.name), "\"mountOptions\"");
    assert_eq!(files.text(binding.value), "[ \"noatime\", \"compress=zstd\" ]");
    assert_eq!(
        mount.declared.place.path.to_string(),
        "disko.devices.disk.main.content.mountOptions"
    );
}

#[test]
fn nesting_without_end_is_cut() {
    let mut text = r#"{"type":"swap"}"#.to_owned();
    for _ in 0..80 {
        text = format!(r#"{{"type":"luks","name":"l","initrdUnlock":false,"content":{text}}}"#);
    }
    let files = Files::new();
    let layout = layout::read(&tree(
        &files,
        &format!(r#"{{"disk":{{"a":{{"content":{text}}}}}}}"#),
    ));
    let cut: Vec<_> = layout
        .problems
        .iter()
        .filter(|problem| problem.message.contains("levels deep"))
        .collect();
    assert_eq!(cut.len(), 1);
    assert_eq!(layout.unknown.len(), 1);
    assert!(layout.devices.len() > 50);
}
