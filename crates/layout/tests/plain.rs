//! Hosts without disko, and what files set beside it.
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at what is wrong")]

mod trees;

use expect_test::{Expect, expect};
use layout::{Order, Plain, overlay_plain, read, read_plain};
use source::Files;
use trees::{dump, tree};

fn plain(file_systems: &str, swap_devices: Option<&str>, luks: Option<&str>, expected: Expect) {
    let files = Files::new();
    let part = |text: &str| tree(&files, text);
    let (file_systems, swap_devices, luks) = (part(file_systems), swap_devices.map(part), luks.map(part));
    let layout = read_plain(&file_systems, swap_devices.as_ref(), luks.as_ref());
    expected.assert_eq(&dump(&layout, &files));
}

#[test]
fn the_mounts_of_one_btrfs_device_are_one_filesystem() {
    plain(
        r#"{
  "/": { "device": "/dev/mapper/root", "fsType": "btrfs", "options": [ "subvol=@", "compress=zstd" ] },
  "/home": { "device": "/dev/mapper/root", "fsType": "btrfs", "options": [ "noatime,subvol=@home" ] },
  "/mnt/top": { "device": "/dev/mapper/root", "fsType": "btrfs", "options": [ "subvolid=5" ] },
  "/mnt/again": { "device": "/dev/mapper/root", "fsType": "btrfs", "options": [ "subvol=/" ] },
  "/data": { "device": "/dev/disk/by-uuid/1234", "fsType": "btrfs" },
  "/snap": { "device": "/dev/disk/by-uuid/1234", "fsType": "btrfs", "options": [ "subvolid=256" ] },
  "/boot": { "device": "/dev/disk/by-label/BOOT", "fsType": "vfat", "options": [ "umask=0077" ] },
  "/tmp": { "fsType": "tmpfs", "options": [ "size=1G" ] },
  "/tank": { "device": "tank/data", "fsType": "zfs" },
  "/old": { "label": "old" },
  "/off": { "device": "/dev/sdz", "fsType": "ext4", "enable": false }
}"#,
        Some(
            r#"[ { "device": "/dev/disk/by-uuid/99", "randomEncryption": { "enable": true, "allowDiscards": true }, "priority": 5 }, { "label": "swap", "randomEncryption": true }, { "device": "/swap/file", "options": [ "nofail" ], "discardPolicy": "once" } ]"#,
        ),
        Some(
            r#"{ "root": { "device": "/dev/disk/by-uuid/77", "allowDiscards": true }, "b": { "name": "other", "device": "/dev/sdb" } }"#,
        ),
        expect![[r#"
            0 Luks boot.initrd.luks.devices.b /dev/sdb on []
            1 Luks boot.initrd.luks.devices.root /dev/disk/by-uuid/77 on []
            2 Btrfs fileSystems."/" /dev/mapper/root on [1]
            3 Subvolume fileSystems."/" /dev/mapper/root on [2]
            4 PlainMount fileSystems."/boot" /dev/disk/by-label/BOOT on []
            5 Btrfs fileSystems."/data" /dev/disk/by-uuid/1234 on []
            6 Subvolume fileSystems."/home" /dev/mapper/root on [2]
            7 Subvolume fileSystems."/mnt/top" /dev/mapper/root on [2]
            8 PlainMount fileSystems."/old" /dev/disk/by-label/old on []
            9 Subvolume fileSystems."/snap" /dev/disk/by-uuid/1234 on [5]
            10 PlainMount fileSystems."/tank" tank/data on []
            11 PlainMount fileSystems."/tmp" tmpfs on []
            12 Swap swapDevices."[definition 1-entry 1]" /dev/disk/by-uuid/99 on []
            13 Swap swapDevices."[definition 1-entry 2]" /dev/disk/by-label/swap on []
            14 Swap swapDevices."[definition 1-entry 3]" /swap/file on []
            mount / /dev/mapper/root btrfs ["subvol=@", "compress=zstd"]
            mount /boot /dev/disk/by-label/BOOT vfat ["umask=0077"]
            mount /data /dev/disk/by-uuid/1234 btrfs ["defaults"]
            mount /home /dev/mapper/root btrfs ["noatime,subvol=@home"]
            mount /mnt/again /dev/mapper/root btrfs ["subvol=/"]
            mount /mnt/top /dev/mapper/root btrfs ["subvolid=5"]
            mount /old /dev/disk/by-label/old auto ["defaults"]
            mount /snap /dev/disk/by-uuid/1234 btrfs ["subvolid=256"]
            mount /tank tank/data zfs ["defaults"]
            mount /tmp tmpfs tmpfs ["size=1G"]
            swap /dev/disk/by-uuid/99 priority=Some(5) discard=None random=true ["defaults"]
            swap /dev/disk/by-label/swap priority=None discard=None random=true ["defaults"]
            swap /swap/file priority=None discard=Some("once") random=false ["nofail"]
            luks other /dev/sdb 
            luks root /dev/disk/by-uuid/77 allowDiscards=true
        "#]],
    );
}

#[test]
fn what_is_wrong_in_plain_options_is_a_problem() {
    plain(
        r#"{ "/": { "fsType": "ext4" }, "relative": { "device": "?d", "fsType": "?t" }, "/x": 1, "/y": { "device": "/dev/y", "fsType": "ext4", "options": [] } }"#,
        Some(r#"[ 1, { "device": 2 } ]"#),
        Some("[]"),
        expect![[r#"
            0 PlainMount fileSystems."/" - on []
            1 PlainMount fileSystems."/y" /dev/y on []
            2 Swap swapDevices."[definition 1-entry 2]" - on []
            mount / - ext4 ["defaults"]
            mount /y /dev/y ext4 []
            swap - priority=None discard=None random=false ["defaults"]
            unknown boot.initrd.luks.devices: is a list, not a set
            unknown fileSystems."/x": is an integer, not a set
            unknown fileSystems.relative.device: depends on d: nobody gave it
            unknown fileSystems.relative.fsType: depends on t: nobody gave it
            unknown swapDevices."[definition 1-entry 1]": is an integer, not a set
            unknown swapDevices."[definition 1-entry 2]".device: is an integer, not a string
            Error boot.initrd.luks.devices is a list, not a set at []
            Error fileSystems."/x" is an integer, not a set at 1
            Warning fileSystems."/" names no `device`, and nothing in the layout is mounted there at "/"
            Error fileSystems."/y".options is empty: NixOS takes no empty list of mount options at []
            Error swapDevices."[definition 1-entry 1]" is an integer, not a set at 1
            Error swapDevices."[definition 1-entry 2]".device is an integer, not a string at 2
        "#]],
    );
}

#[test]
fn options_beside_disko_are_merged_into_its_mounts() {
    let files = Files::new();
    let devices = tree(
        &files,
        r#"{
  "disk": { "main": { "device": "/dev/sda", "content": { "type": "gpt", "partitions": {
    "root": { "content": { "type": "luks", "name": "root", "content": { "type": "btrfs", "subvolumes": { "@": { "mountpoint": "/" }, "@p": { "mountpoint": "/persist", "mountOptions": [ "noatime" ] } } } } },
    "swap": { "content": { "type": "swap" } }
  } } } },
  "lvm_vg": { "my-vg": { "lvs": { "my-lv": { "size": "1G" } } } },
  "nodev": { "/tmp": { "fsType": "tmpfs" } }
}"#,
    );
    let file_systems = tree(
        &files,
        r#"{
  "/": { "options": [ "compress=zstd" ] },
  "/persist": { "neededForBoot": true, "device": "/dev/sdb", "fsType": "ext4", "options": [ "?more" ] },
  "/tmp": { "enable": false },
  "/log": { "device": "/dev/mapper/root", "fsType": "btrfs", "options": [ "subvol=@log" ], "neededForBoot": true },
  "/lv": { "device": "/dev/mapper/my--vg-my--lv", "fsType": "ext4" },
  "/typo": { "neededForBoot": true, "fsType": "ext4" }
}"#,
    );
    let swap_devices = tree(&files, r#"[ { "device": "/swapfile" } ]"#);
    let luks = tree(
        &files,
        r#"{ "root": { "bypassWorkqueues": true, "device": "/dev/other" }, "new": { "device": "/dev/mapper/root" } }"#,
    );
    let beside = Plain {
        file_systems: Some(&file_systems),
        swap_devices: Some(&swap_devices),
        luks: Some(&luks),
        priorities: None,
    };
    let mut layout = read(&devices);
    overlay_plain(&mut layout, &beside, Order::Beside);
    expect![[r#"
        0 Disk disk.main /dev/sda on []
        1 Gpt disk.main.content /dev/sda on [0]
        2 Partition disk.main.content.partitions.root /dev/disk/by-partlabel/disk-main-root on [1]
        3 Luks disk.main.content.partitions.root.content /dev/disk/by-partlabel/disk-main-root on [2]
        4 Btrfs disk.main.content.partitions.root.content.content /dev/mapper/root on [3]
        5 Subvolume disk.main.content.partitions.root.content.content.subvolumes."@" /dev/mapper/root on [4]
        6 Subvolume disk.main.content.partitions.root.content.content.subvolumes."@p" /dev/mapper/root on [4]
        7 Partition disk.main.content.partitions.swap /dev/disk/by-partlabel/disk-main-swap on [1]
        8 Swap disk.main.content.partitions.swap.content /dev/disk/by-partlabel/disk-main-swap on [7]
        9 LvmVg lvm_vg.my-vg - on []
        10 LvmLv lvm_vg.my-vg.lvs.my-lv /dev/my-vg/my-lv on [9]
        11 Nodev nodev."/tmp" tmpfs on []
        12 Luks boot.initrd.luks.devices.new /dev/mapper/root on [3]
        13 Subvolume fileSystems."/log" /dev/mapper/root on [4]
        14 PlainMount fileSystems."/lv" /dev/mapper/my--vg-my--lv on [10]
        15 PlainMount fileSystems."/typo" - on []
        16 Swap swapDevices."[definition 1-entry 1]" /swapfile on []
        mount / /dev/mapper/root btrfs ["defaults", "subvol=@", "compress=zstd"]
        mount /log /dev/mapper/root btrfs ["subvol=@log"] neededForBoot=true
        mount /lv /dev/mapper/my--vg-my--lv ext4 ["defaults"]
        mount /persist /dev/mapper/root btrfs ["noatime", "subvol=@p"] neededForBoot=true
        mount /typo - ext4 ["defaults"] neededForBoot=true
        swap /swapfile priority=None discard=None random=false ["defaults"]
        swap /dev/disk/by-partlabel/disk-main-swap priority=None discard=None random=false ["defaults"]
        luks new /dev/mapper/root 
        luks root /dev/disk/by-partlabel/disk-main-root bypassWorkqueues=true
        unknown fileSystems."/persist".options."[definition 1-entry 1]": depends on more: nobody gave it
        Error boot.initrd.luks.devices.root.device is defined twice with different values, `/dev/disk/by-partlabel/disk-main-root` and `/dev/other`; the first is taken here at "content"
        Error fileSystems."/persist".device is defined twice with different values, `/dev/mapper/root` and `/dev/sdb`; the first is taken here at "/persist"
        Error fileSystems."/persist".fsType is defined twice with different values, `btrfs` and `ext4`; the first is taken here at "/persist"
        Warning fileSystems."/typo" names no `device`, and nothing in the layout is mounted there at "/typo"
    "#]].assert_eq(&dump(&layout, &files));
    let mut layout = read(&devices);
    overlay_plain(&mut layout, &beside, Order::Imported);
    let root = layout.mount("/").expect("the root");
    let options: Vec<&str> = root.options.iter().map(|option| &*option.value).collect();
    assert_eq!(options, ["compress=zstd", "defaults", "subvol=@"]);
}
