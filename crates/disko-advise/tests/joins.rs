//! What is declared, joined with what was observed where no listing names it as the layout does, and what
//! is left apart because it could be another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "reads the table of services from the repository"
)]

use std::collections::BTreeMap;
use std::path::Path;

use disko_advise::eval::{Evaluator, Options, TreeLimits};
use disko_advise::facts::Input;
use disko_advise::machine::{Layer, LayerKind, Machine, Stack};
use disko_advise::source::{Files, MemoryWorld};
use disko_advise::{Advice, Evaluation, Question, advise, declare};
use serde_json::json;

/// The advice on a layout, the inside of a module of NixOS, with the facts.
fn of(layout: &str, facts: &[(&str, &str)]) -> Advice {
    let world = MemoryWorld::new().with("/layout.nix", format!("{{\n{layout}\n}}"));
    let evaluation = Evaluation::default();
    let mut question = Question::new(&world, Path::new("/layout.nix"), &evaluation);
    question.facts = facts
        .iter()
        .map(|(name, text)| Input::new(*name, text.as_bytes()))
        .collect();
    advise(question)
}

/// A device of lsblk; what it has beside a name, a type and a size comes from `more`.
fn device(name: &str, kind: &str, size: u64, more: serde_json::Value) -> serde_json::Value {
    let mut device =
        json!({ "name": name, "kname": name, "path": format!("/dev/{name}"), "type": kind, "size": size });
    device
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    device
}

fn lsblk(devices: &[serde_json::Value]) -> String {
    json!({ "blockdevices": devices }).to_string()
}

fn layer<'s, 'a>(stack: &'s Stack<'a>, kind: LayerKind, name: &str) -> (usize, &'s Layer<'a>) {
    let mut layers = stack.layers.iter().enumerate();
    layers
        .find(|(_, it)| it.kind == kind && it.name == name)
        .unwrap_or_else(|| panic!("no {} {name}", kind.name()))
}

/// The kernel name of a layer's device, and by what it was inferred.
fn joined<'s>(stack: &'s Stack<'_>, kind: LayerKind, name: &str) -> (Option<&'s str>, Option<&'s str>) {
    let (_, layer) = layer(stack, kind, name);
    let block = layer.block.map(|it| &*it.name.value);
    (
        block.or_else(|| layer.disk.and_then(|it| it.kernel_name())),
        layer.inferred.as_deref(),
    )
}

const POOL: &str = r#"
  disko.devices.disk.main = {
    type = "disk"; device = "/dev/sda";
    content = { type = "gpt"; partitions.zfs = { size = "100%"; content = { type = "zfs"; pool = "tank"; }; }; };
  };
  disko.devices.zpool.tank.type = "zpool";
"#;

fn volume(name: &str, content: &str) -> String {
    format!(
        r#"disko.devices.zpool.tank.datasets."{name}" = {{ type = "zfs_volume"; size = "1G"; content = {content}; }};"#
    )
}

fn ext4(mountpoint: &str) -> String {
    format!(r#"{{ type = "filesystem"; format = "ext4"; mountpoint = "{mountpoint}"; }}"#)
}

const SWAP: &str = r#"{ type = "swap"; }"#;

#[test]
fn a_volume_of_a_pool_is_its_link() {
    let layout = format!(
        "{POOL}{}{}",
        volume("vm", &ext4("/vm")),
        volume("vms/web", "null")
    );
    let disks = lsblk(&[
        device("sda", "disk", 1 << 40, json!({})),
        device("zd0", "disk", 1 << 30, json!({})),
        device("zd16", "disk", 1 << 30, json!({})),
        device("zd32", "disk", 1 << 30, json!({})),
    ]);
    let links = "/dev/zvol/tank/vms/web -> /dev/zd0\n/dev/zvol/tank/vm -> /dev/zd16\n\
                 /dev/zvol/tank/scratch -> /dev/zd32\n";
    // What is mounted there would say something else: a link is surer.
    let mounts = "/dev/zd0 /vm ext4 rw 0 0\n";
    let advice = of(
        &layout,
        &[
            ("dev-disk.txt", links),
            ("lsblk.json", &disks),
            ("proc-mounts", mounts),
        ],
    );
    let stack = Stack::of(&advice.machine);
    assert_eq!(joined(&stack, LayerKind::Zvol, "tank/vm"), (Some("zd16"), None));
    assert_eq!(
        joined(&stack, LayerKind::Zvol, "tank/vms/web"),
        (Some("zd0"), None)
    );
    // One that the layout does not have lies on its pool too, and through it on the disk.
    let (scratch, _) = layer(&stack, LayerKind::Zvol, "tank/scratch");
    let (main, _) = layer(&stack, LayerKind::Disk, "main");
    assert!(stack.below(scratch).contains(&main) && stack.above(main).contains(&scratch));
    assert!(
        !stack
            .layers
            .iter()
            .any(|it| it.kind == LayerKind::Disk && it.name.starts_with("zd"))
    );
}

#[test]
fn a_volume_without_a_link_is_what_is_used_where_it_is_declared() {
    let volumes = [volume("vm", &ext4("/vm")), volume("swap", SWAP)].concat();
    let layout = format!("{POOL}{volumes}");
    let disks = lsblk(&[
        device("zd0", "disk", 1 << 30, json!({ "fstype": "ext4" })),
        device("zd16", "disk", 1 << 30, json!({ "fstype": "swap" })),
    ]);
    let mounts = "/dev/zd0 /vm ext4 rw 0 0\n";
    let swaps = "Filename\tType\tSize\tUsed\tPriority\n/dev/zd16 partition 1048572 0 -2\n";
    let facts = [
        ("lsblk.json", &*disks),
        ("proc-mounts", mounts),
        ("proc-swaps", swaps),
    ];
    let advice = of(&layout, &facts);
    let stack = Stack::of(&advice.machine);
    assert_eq!(
        joined(&stack, LayerKind::Zvol, "tank/vm"),
        (Some("zd0"), Some("what is mounted at /vm"))
    );
    assert_eq!(
        joined(&stack, LayerKind::Zvol, "tank/swap"),
        (Some("zd16"), Some("what is swapped to"))
    );
    let (_, swap) = layer(&stack, LayerKind::Swap, "swap");
    assert!(swap.live_swap.is_some());

    // lsblk alone tells what is mounted too.
    let mounted = json!({ "fstype": "ext4", "mountpoints": ["/vm"] });
    let alone = lsblk(&[device("zd0", "disk", 1 << 30, mounted)]);
    let advice = of(&layout, &[("lsblk.json", &alone)]);
    let stack = Stack::of(&advice.machine);
    assert_eq!(joined(&stack, LayerKind::Zvol, "tank/vm").0, Some("zd0"));

    // Another size is another volume.
    let other = "tank/vm\tvolsize\t2147483648\tlocal\ntank/swap\tvolsize\t1073741824\tlocal\n";
    let with = [&facts[..], &[("zfs-get.txt", other)]].concat();
    let advice = of(&layout, &with);
    let stack = Stack::of(&advice.machine);
    assert_eq!(joined(&stack, LayerKind::Zvol, "tank/vm"), (None, None));
    assert_eq!(joined(&stack, LayerKind::Zvol, "tank/swap").0, Some("zd16"));

    // Two that swap could be either.
    let layout = format!("{layout}{}", volume("more", SWAP));
    let advice = of(&layout, &facts);
    let stack = Stack::of(&advice.machine);
    for name in ["tank/swap", "tank/more"] {
        assert_eq!(joined(&stack, LayerKind::Zvol, name), (None, None));
    }
}

#[test]
fn a_volume_that_nothing_uses_is_the_only_one_of_its_size() {
    let layout = format!("{POOL}{}{}", volume("a", "null"), volume("b", "null"));
    let disks = lsblk(&[
        device("zd0", "disk", 1 << 30, json!({})),
        device("zd16", "disk", 2 << 30, json!({})),
    ]);
    let sizes = |a: u64, b: u64| format!("tank/a\tvolsize\t{a}\tlocal\ntank/b\tvolsize\t{b}\tlocal\n");
    let different = sizes(2 << 30, 1 << 30);
    let advice = of(&layout, &[("lsblk.json", &disks), ("zfs-get.txt", &different)]);
    let stack = Stack::of(&advice.machine);
    assert_eq!(
        joined(&stack, LayerKind::Zvol, "tank/a"),
        (Some("zd16"), Some("the only volume of its size"))
    );
    assert_eq!(joined(&stack, LayerKind::Zvol, "tank/b").0, Some("zd0"));
    let same = sizes(1 << 30, 1 << 30);
    let advice = of(&layout, &[("lsblk.json", &disks), ("zfs-get.txt", &same)]);
    let stack = Stack::of(&advice.machine);
    for name in ["tank/a", "tank/b"] {
        assert_eq!(joined(&stack, LayerKind::Zvol, name), (None, None));
    }
}

const GROUP: &str = r#"
  disko.devices.disk.main = {
    type = "disk"; device = "/dev/sda"; content = { type = "lvm_pv"; vg = "my-vg"; };
  };
  disko.devices.lvm_vg.my-vg = {
    type = "lvm_vg";
    lvs.pool = { size = "9G"; lvm_type = "thin-pool"; };
    lvs.data = { size = "1G"; lvm_type = "thinlv"; pool = "pool"; content = { type = "filesystem"; format = "ext4"; mountpoint = "/data"; }; };
    lvs.twice = { size = "1G"; lvm_type = "raid1"; };
  };
"#;

#[test]
fn what_lvm_makes_for_a_volume_is_part_of_it() {
    let dm = |number: usize, name: &str, parents: &[&str]| {
        let children = |upper: serde_json::Value| {
            parents
                .iter()
                .map(move |parent| (parent.to_string(), upper.clone()))
                .collect::<Vec<_>>()
        };
        let name = format!("my--vg-{name}");
        children(json!({
            "name": name, "kname": format!("dm-{number}"), "path": format!("/dev/mapper/{name}"),
            "type": "lvm", "size": 1 << 30,
        }))
    };
    // As `lsblk -l` lists them: each once for every device that it lies on.
    let mut rows = vec![device("sda", "disk", 1 << 40, json!({ "fstype": "LVM2_member" }))];
    for (parent, mut upper) in [
        dm(0, "pool_tmeta", &["sda"]),
        dm(1, "pool_tdata_rimage_0", &["sda"]),
        dm(2, "pool_tdata_rmeta_0", &["sda"]),
        dm(3, "pool_tdata", &["dm-1", "dm-2"]),
        dm(4, "pool-tpool", &["dm-0", "dm-3"]),
        dm(5, "pool", &["dm-4"]),
        dm(6, "data", &["dm-4"]),
        dm(7, "twice_rimage_0", &["sda"]),
        dm(8, "twice", &["dm-7"]),
        dm(9, "by_hand_tdata", &["sda"]),
    ]
    .concat()
    {
        upper["pkname"] = json!(parent);
        rows.push(upper);
    }
    let advice = of(GROUP, &[("lsblk.json", &lsblk(&rows))]);
    let stack = Stack::of(&advice.machine);
    let (pool, thin) = layer(&stack, LayerKind::LogicalVolume, "pool");
    assert_eq!(thin.block.map(|it| &*it.name.value), Some("dm-5"));
    // The load of the volumes in it passes through the inner device.
    assert_eq!(thin.carrier.map(|it| &*it.name.value), Some("dm-4"));
    let (data, _) = layer(&stack, LayerKind::LogicalVolume, "data");
    assert!(stack.layers[data].on.contains(&pool));
    let (disk, _) = layer(&stack, LayerKind::Disk, "main");
    for part in [
        "pool_tmeta",
        "pool_tdata",
        "pool_tdata_rimage_0",
        "pool_tdata_rmeta_0",
    ] {
        let (at, it) = layer(&stack, LayerKind::LogicalVolume, part);
        assert_eq!(it.part_of.as_deref(), Some("pool"), "{part}");
        assert!(
            stack.above(at).contains(&data) && stack.below(at).contains(&disk),
            "{part}"
        );
        assert!(it.is_declared(), "{part}");
    }
    let (_, image) = layer(&stack, LayerKind::LogicalVolume, "twice_rimage_0");
    assert_eq!(image.part_of.as_deref(), Some("twice"));
    // Nobody declared that one.
    let (_, other) = layer(&stack, LayerKind::LogicalVolume, "my--vg-by_hand_tdata");
    assert!(!other.is_declared());
    for at in 0..stack.layers.len() {
        assert!(
            !stack.below(at).contains(&at),
            "{} lies on itself",
            stack.layers[at].name
        );
    }
}

#[test]
fn a_thin_volume_lies_on_its_pool_without_any_facts() {
    let advice = of(GROUP, &[]);
    let stack = Stack::of(&advice.machine);
    let (pool, _) = layer(&stack, LayerKind::LogicalVolume, "pool");
    let (_, data) = layer(&stack, LayerKind::LogicalVolume, "data");
    assert_eq!(data.on, [pool]);
}

fn disk(name: &str, link: &str, content: &str) -> String {
    format!(
        r#"disko.devices.disk.{name} = {{ type = "disk"; device = "/dev/disk/by-id/{link}"; content = {content}; }};"#
    )
}

const BY_HAND: (Option<&str>, Option<&str>) = (None, None);
const ONLY: Option<&str> = Some("the only disk left that its masked name can mean");

#[test]
fn the_only_disk_that_a_mask_can_mean_is_inferred() {
    let layout = disk("main", "ata-Example_SSD_S123", &ext4("/"));
    let sda = |more| device("sda", "disk", 1 << 40, more);
    let one = "/dev/disk/by-id/ata-Example_SSD_serial-1 -> /dev/sda\n";
    let joins = |layout: &str, devices: &[serde_json::Value], more: &[(&str, &str)]| {
        let listing = lsblk(devices);
        let advice = of(layout, &[&[("lsblk.json", &*listing)], more].concat());
        let stack = Stack::of(&advice.machine);
        let (name, by) = joined(&stack, LayerKind::Disk, "main");
        (name.map(str::to_owned), by.map(str::to_owned))
    };
    let is = |found: &(Option<String>, Option<String>), wanted: (Option<&str>, Option<&str>)| {
        assert_eq!((found.0.as_deref(), found.1.as_deref()), wanted);
    };
    let plain = [sda(json!({}))];
    is(
        &joins(&layout, &plain, &[("dev-disk.txt", one)]),
        (Some("sda"), ONLY),
    );

    // Two disks of one model could each be it, unless something names one of them.
    let both = format!("{one}/dev/disk/by-id/ata-Example_SSD_serial-2 -> /dev/sdb\n");
    let two = [sda(json!({})), device("sdb", "disk", 1 << 40, json!({}))];
    is(&joins(&layout, &two, &[("dev-disk.txt", &both)]), BY_HAND);
    let named = format!(
        r#"{layout} disko.devices.disk.other = {{ type = "disk"; device = "/dev/sdb"; content = {}; }};"#,
        ext4("/other")
    );
    is(
        &joins(&named, &two, &[("dev-disk.txt", &both)]),
        (Some("sda"), ONLY),
    );
    // Two declared disks could be the same one.
    let rivals = format!(
        "{layout}{}",
        disk("rival", "ata-Example_SSD_S456", &ext4("/rival"))
    );
    is(&joins(&rivals, &plain, &[("dev-disk.txt", one)]), BY_HAND);
    // Another model, another bus, and the name of a bus alone, are no mask of it.
    for other in ["ata-Another_SSD_serial-1", "wwn-serial-1", "nvme-serial-1"] {
        let link = format!("/dev/disk/by-id/{other} -> /dev/sda\n");
        is(&joins(&layout, &plain, &[("dev-disk.txt", &link)]), BY_HAND);
    }
    let nvme = disk("main", "nvme-Example_SSD_S123", &ext4("/"));
    let bus = "/dev/disk/by-id/nvme-serial-1 -> /dev/nvme0n1\n";
    let device_of_nvme = [device("nvme0n1", "disk", 1 << 40, json!({}))];
    is(&joins(&nvme, &device_of_nvme, &[("dev-disk.txt", bus)]), BY_HAND);
    let number = disk("main", "nvme-eui.0025385b71b00001", &ext4("/"));
    is(
        &joins(&number, &device_of_nvme, &[("dev-disk.txt", bus)]),
        (Some("nvme0n1"), ONLY),
    );
}

/// lsblk tells the world wide number of a disk and no other of its links: that it has none of a declared
/// name says nothing.
#[test]
fn a_disk_is_missed_only_where_links_of_its_kind_are_told() {
    let layout = disk("main", "ata-Example_SSD_S123", &ext4("/"));
    let missed = |layout: &str, links: &str| {
        let listing = lsblk(&[device(
            "sda",
            "disk",
            1 << 40,
            json!({ "wwn": "0x5002538d40123456" }),
        )]);
        let advice = of(layout, &[("dev-disk.txt", links), ("lsblk.json", &listing)]);
        let all = advice.machine.disagreements();
        all.iter()
            .any(|it| it.fact == "the disk is not among those that are there")
    };
    assert!(!missed(&layout, ""));
    assert!(missed(
        &layout,
        "/dev/disk/by-id/ata-Another_SSD_S456 -> /dev/sda\n"
    ));
    let by_number = disk("main", "wwn-0x5002538d40999999", &ext4("/"));
    assert!(missed(&by_number, ""));
}

#[test]
fn what_speaks_against_a_disk_keeps_it_from_being_inferred() {
    let link = "/dev/disk/by-id/ata-Example_SSD_serial-1 -> /dev/sda\n";
    let gpt = |size: &str| {
        format!(
            r#"{{ type = "gpt"; partitions.root = {{ size = "{size}"; content = {}; }}; }}"#,
            ext4("/")
        )
    };
    let root = |more| json!({ "children": [device("sda1", "part", 1 << 30, more)] });
    let found = |content: &str, more: serde_json::Value, mounts: &str| {
        let layout = disk("main", "ata-Example_SSD_S123", content);
        let devices = [
            device("sda", "disk", 1 << 40, more),
            device("sdb", "disk", 1 << 40, json!({ "fstype": "ext4" })),
        ];
        let listing = lsblk(&devices);
        let facts = [
            ("dev-disk.txt", link),
            ("lsblk.json", &*listing),
            ("proc-mounts", mounts),
        ];
        let advice = of(&layout, &facts);
        let stack = Stack::of(&advice.machine);
        joined(&stack, LayerKind::Disk, "main").0.map(str::to_owned)
    };
    let sda = Some("sda".to_owned());
    // Nothing does.
    assert_eq!(
        found(
            &ext4("/"),
            json!({ "fstype": "ext4" }),
            "/dev/sda / ext4 rw 0 0\n"
        ),
        sda
    );
    assert_eq!(
        found(&gpt("900G"), root(json!({})), "/dev/sda1 / ext4 rw 0 0\n"),
        sda
    );
    // Another content.
    assert_eq!(found(&ext4("/"), json!({ "fstype": "btrfs" }), ""), None);
    assert_eq!(found(&ext4("/"), root(json!({})), ""), None);
    assert_eq!(found(&gpt("900G"), json!({ "fstype": "ext4" }), ""), None);
    // Partitions with other labels; one that is larger than the disk.
    assert_eq!(
        found(&gpt("900G"), root(json!({ "partlabel": "disk-backup-data" })), ""),
        None
    );
    assert_eq!(found(&gpt("2T"), root(json!({})), ""), None);
    // What it holds is mounted from another disk.
    assert_eq!(
        found(
            &ext4("/"),
            json!({ "fstype": "ext4" }),
            "/dev/sdb / ext4 rw 0 0\n"
        ),
        None
    );
}

#[test]
fn a_finding_says_that_its_disk_is_inferred() {
    let layout = disk("main", "ata-Example_SSD_S123", &ext4("/"));
    let listing = lsblk(&[device(
        "sda",
        "disk",
        1 << 40,
        json!({ "rota": false, "tran": "sata" }),
    )]);
    let failing = r#"{ "json_format_version": [1, 0], "smartctl": { "version": [7, 3] }, "device": { "name": "/dev/sda", "type": "sat" }, "smart_status": { "passed": false } }"#;
    let masked = "/dev/disk/by-id/ata-Example_SSD_serial-1 -> /dev/sda\n";
    let named = "/dev/disk/by-id/ata-Example_SSD_S123 -> /dev/sda\n";
    let reasons = |links: &str| {
        let facts = [
            ("dev-disk.txt", links),
            ("lsblk.json", &*listing),
            ("smartctl.json", failing),
        ];
        let advice = of(&layout, &facts);
        let found = advice.judgement.findings.iter();
        let mut found = found.filter(|it| it.rule.id == "blk-failing-disk");
        let reasons = found.next().unwrap().finding.because.join("\n");
        assert!(found.next().is_none());
        reasons
    };
    assert!(
        reasons(masked).contains("that sda is `disko.devices.disk.main` is inferred"),
        "{}",
        reasons(masked)
    );
    assert!(!reasons(named).contains("inferred"));
}

/// Every service that the NixOS module finds is found in the configuration itself, with the same folder.
#[test]
fn every_service_stands_on_its_disk_and_above_it() {
    let table =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nix/workloads.nix"))
            .unwrap();
    // Options without which a service has no folder that could be known.
    let told = r#"
      services.litestream.settings.dbs = [ { path = "/srv/litestream/db.sqlite"; } ];
      services.nfs.server.exports = "/srv/nfs *(rw)\n/srv/nfs2 *(ro)";
      services.samba.settings.global.workgroup = "HOME";
      services.samba.settings.files.path = "/srv/samba";
      services.redis.servers."".enable = true;
      services.redis.servers.cache.enable = true;
      services.redis.servers.off.enable = false;
      services.prometheus.stateDir = "prometheus2";
      services.victoriametrics.stateDir = "victoriametrics";
    "#;
    let names = |text: &str, after: &str, before: &str| -> Vec<String> {
        let part = text.split(after).nth(1).unwrap().split(before).next().unwrap();
        part.lines()
            .filter_map(|line| Some(line.trim().split_once(" = ")?.0.to_owned()))
            .filter(|it| it.bytes().all(|b| b.is_ascii_alphanumeric()))
            .collect()
    };
    let mut on = names(&table, "have a fixed one.\n", "}\n");
    on.extend(
        [
            "samba",
            "prometheus",
            "victoriametrics",
            "litestream",
            "nfs.server",
            "xserver",
        ]
        .map(str::to_owned),
    );
    let on = on.iter().map(|it| format!("services.{it}.enable = true;"));
    let virtual_machines = ["containerd", "docker", "incus", "libvirtd", "podman"];
    let on = on.chain(virtual_machines.map(|it| format!("virtualisation.{it}.enable = true;")));
    let services: String = on.collect();
    let layout = format!(
        "{} {told} {services}",
        disk("main", "ata-Example_SSD_S123", &ext4("/"))
    );
    let advice = of(&layout, &[]);
    let stack = Stack::of(&advice.machine);
    let (main, _) = layer(&stack, LayerKind::Disk, "main");
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for at in stack.above(main) {
        let Some(workload) = &stack.layers[at].workload else {
            continue;
        };
        assert!(stack.below(at).contains(&main), "{}", workload.name);
        let folder = workload.mountpoint.as_deref().unwrap_or_default();
        folders
            .entry(workload.name.to_string())
            .or_default()
            .push(folder.to_owned());
    }
    let known = folders.keys().cloned().collect::<Vec<_>>();

    // The same by the program's own evaluation of what the module reads; options that only nixpkgs
    // has a default for are given it.
    let given: String = folders
        .iter()
        .filter(|(name, _)| table.contains(&format!("        {name} = services.{name}.")))
        .filter_map(|(name, of)| {
            let line = table
                .lines()
                .find(|line| line.trim().starts_with(&format!("{name} = ")))?;
            let option = line.split(" = ").nth(1)?.split(" or ").next()?;
            Some(format!("{option} = \"{}\";", of[0]))
        })
        .collect();
    let world = MemoryWorld::new().with("/workloads.nix", table).with(
        "/all.nix",
        format!("import ./workloads.nix {{ {told} {services} {given} }}"),
    );
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let value = evaluator.file(Path::new("/all.nix")).unwrap();
    let tree = evaluator.tree(&value, TreeLimits::default());
    let module: BTreeMap<String, Option<String>> = tree
        .as_attrs()
        .unwrap()
        .iter()
        .map(|(name, it)| (name.to_string(), it.tree.as_str().map(str::to_owned)))
        .collect();
    assert_eq!(known, module.keys().cloned().collect::<Vec<_>>());
    for (name, folder) in &module {
        assert_eq!(folder.as_ref(), folders[name].first(), "{name}");
    }
}

/// What is declared and what is there by the ten thousand is joined in a moment.
#[test]
fn ten_thousand_of_each_are_joined() {
    const MANY: usize = 10_000;
    let layout = r#"
      disko.devices.disk = builtins.listToAttrs (builtins.genList (at: {
        name = "d${toString at}";
        value = {
          type = "disk"; device = "/dev/disk/by-id/ata-M${toString at}X_S1";
          content = { type = "filesystem"; format = "ext4"; mountpoint = "/d${toString at}"; };
        };
      }) 10000);
      disko.devices.zpool.tank = { type = "zpool"; datasets = builtins.listToAttrs (builtins.genList (at: {
        name = "v${toString at}";
        value = {
          type = "zfs_volume"; size = "1G";
          content = { type = "filesystem"; format = "ext4"; mountpoint = "/v${toString at}"; };
        };
      }) 10000); };
      disko.devices.lvm_vg.group = { type = "lvm_vg"; lvs = builtins.listToAttrs (builtins.genList (at: {
        name = "l${toString at}"; value = { size = "1G"; lvm_type = "thin-pool"; };
      }) 10000); };
    "#;
    let mut devices = Vec::new();
    let (mut links, mut mounts) = (String::new(), String::new());
    for at in 0..MANY {
        devices.push(device(
            &format!("xvd{at}"),
            "disk",
            1 << 40,
            json!({ "fstype": "ext4" }),
        ));
        devices.push(device(
            &format!("zd{at}"),
            "disk",
            1 << 30,
            json!({ "fstype": "ext4" }),
        ));
        for (number, end) in ["_tdata", "-tpool", ""].iter().enumerate() {
            let more = json!({ "name": format!("group-l{at}{end}"), "path": format!("/dev/mapper/group-l{at}{end}") });
            devices.push(device(&format!("dm-{}", 3 * at + number), "lvm", 1 << 30, more));
        }
        links += &format!("/dev/disk/by-id/ata-M{at}X_serial-{at} -> /dev/xvd{at}\n");
        mounts += &format!("/dev/xvd{at} /d{at} ext4 rw 0 0\n/dev/zd{at} /v{at} ext4 rw 0 0\n");
    }
    let listing = lsblk(&devices);
    let facts = [
        ("dev-disk.txt", &*links),
        ("lsblk.json", &listing),
        ("proc-mounts", &mounts),
    ];
    // Not judged: what is asked here is the join alone.
    let world = MemoryWorld::new().with("/layout.nix", format!("{{\n{layout}\n}}"));
    let files = Files::new();
    let entry = Path::new("/layout.nix");
    let declared = declare(&world, &files, entry, &Evaluation::default(), &|| false);
    let inputs = facts
        .iter()
        .map(|(name, text)| Input::new(*name, text.as_bytes()));
    let machine = Machine {
        layout: declared.layout,
        facts: disko_advise::facts::read(&files, inputs).0,
        ..Machine::default()
    };
    let stack = Stack::of(&machine);
    let inferred = |kind| {
        let layers = stack.layers.iter().filter(|it| it.kind == kind);
        layers
            .filter(|it| it.inferred.is_some() && it.block.is_some())
            .count()
    };
    assert_eq!(
        (inferred(LayerKind::Disk), inferred(LayerKind::Zvol)),
        (MANY, MANY)
    );
    assert_eq!(
        stack.layers.iter().filter(|it| it.part_of.is_some()).count(),
        MANY
    );
    assert_eq!(
        stack.layers.iter().filter(|it| it.carrier.is_some()).count(),
        MANY
    );
}
