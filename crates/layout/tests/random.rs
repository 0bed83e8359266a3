//! No input stops the reader: any tree, and any tree that looks like a layout.

use std::collections::BTreeMap;
use std::sync::Arc;

use layout::btrfs::{effective_options, first_mounted};
use layout::report::LayoutReport;
use layout::{Order, Plain, overlay_plain, read, read_plain};
use proptest::prelude::*;
use source::{Attr, FileId, Node, Origin, Problem, Span, Tree, Unknown};

/// Words that mean something in a layout, so that random trees get further than their first node.
const WORDS: [&str; 66] = [
    "disk",
    "zpool",
    "lvm_vg",
    "mdadm",
    "nodev",
    "bcachefs_filesystems",
    "type",
    "name",
    "device",
    "content",
    "partitions",
    "subvolumes",
    "datasets",
    "lvs",
    "mountpoint",
    "mountOptions",
    "options",
    "rootFsOptions",
    "mode",
    "topology",
    "vdev",
    "special",
    "members",
    "settings",
    "allowDiscards",
    "swap",
    "size",
    "path",
    "priority",
    "format",
    "fsType",
    "vg",
    "pool",
    "filesystem",
    "uuid",
    "label",
    "gpt",
    "table",
    "luks",
    "btrfs",
    "lvm_pv",
    "mdraid",
    "zfs",
    "bcachefs",
    "zfs_fs",
    "zfs_volume",
    "canmount",
    "off",
    "none",
    "legacy",
    "/",
    "/nix",
    "/home",
    "/dev/sda",
    "/dev/mapper/a",
    "a",
    "b",
    "compress=zstd",
    "nodatacow,ssd",
    "subvol=a",
    "100%",
    "resumeDevice",
    "randomEncryption",
    "__root",
    "neededForBoot",
    "hybrid",
];

fn word() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![
        9 => prop::sample::select(&WORDS[..]).prop_map(Arc::from),
        1 => prop::collection::vec(any::<char>(), 0..8)
            .prop_map(|characters| characters.into_iter().collect::<String>().into()),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        (any::<u32>(), any::<u32>()).prop_map(|(start, end)| Origin::Nix(Span::new(FileId(0), start, end))),
        Just(Origin::Derived(Box::new([]))),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Bool),
        any::<i64>().prop_map(Node::Int),
        any::<f64>().prop_map(Node::Float),
        word().prop_map(Node::Str),
        word().prop_map(Node::Path),
        Just(Node::Function),
        word().prop_map(|name| Node::Unknown(Arc::new(Unknown {
            name,
            because: "nobody gave it".into(),
            span: None,
        }))),
        word().prop_map(|why| Node::Failed(Arc::new(Problem::error(&*why)))),
    ];
    let leaf = (leaf, origin()).prop_map(|(node, origin)| Tree::new(node, origin));
    leaf.prop_recursive(10, 200, 8, |inner| {
        let sets = prop::collection::btree_map(word(), inner.clone(), 0..8).prop_map(attrs);
        let lists = prop::collection::vec(inner, 0..5).prop_map(Node::List);
        (prop_oneof![6 => sets, 1 => lists], origin()).prop_map(|(node, origin)| Tree::new(node, origin))
    })
}

fn attrs(trees: BTreeMap<Arc<str>, Tree>) -> Node {
    let attr = |tree: Tree| Attr {
        tree,
        bindings: Vec::new(),
    };
    Node::Attrs(trees.into_iter().map(|(name, tree)| (name, attr(tree))).collect())
}

/// A random set as a disk's content, so that the reader gets into the node types at once.
fn layout_tree() -> impl Strategy<Value = Tree> {
    let kinds = prop::sample::select(
        &[
            "gpt",
            "table",
            "luks",
            "btrfs",
            "swap",
            "filesystem",
            "zfs",
            "odd",
        ][..],
    );
    (prop::collection::btree_map(word(), tree(), 0..8), kinds, tree()).prop_map(
        |(mut content, kind, rest)| {
            let plain = |node: Node| Tree::new(node, Origin::Derived(Box::new([])));
            content.insert("type".into(), plain(Node::Str(kind.into())));
            let disk = BTreeMap::from([("content".into(), plain(attrs(content)))]);
            let disks = BTreeMap::from([("a".into(), plain(attrs(disk)))]);
            let pools = BTreeMap::from([("tank".into(), rest)]);
            plain(attrs(BTreeMap::from([
                ("disk".into(), plain(attrs(disks))),
                ("zpool".into(), plain(attrs(pools))),
            ])))
        },
    )
}

fn check(layout: &layout::Layout, devices: &Tree) {
    for (index, device) in layout.devices.iter().enumerate() {
        assert_eq!(device.id.0 as usize, index);
        assert!(device.parent.is_none_or(|parent| parent.0 < device.id.0));
        let _ = first_mounted(layout, device.id);
        let _ = effective_options(layout, device.id);
    }
    assert!(
        layout
            .mounts
            .is_sorted_by_key(|mount| mount.mountpoint.value.clone())
    );
    for mount in &layout.mounts {
        assert!(layout.device(mount.device_id).is_some());
    }
    let report = serde_json::to_string(&LayoutReport::new(layout, Some(devices)));
    assert!(report.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_tree_is_read(
        devices in prop_oneof![tree(), layout_tree()],
        beside in tree(),
        imported in any::<bool>(),
    ) {
        let mut layout = read(&devices);
        check(&layout, &devices);
        let order = if imported { Order::Imported } else { Order::Beside };
        let plain = Plain {
            file_systems: Some(&beside),
            swap_devices: Some(&beside),
            luks: Some(&devices),
            priorities: None,
        };
        overlay_plain(&mut layout, &plain, order);
        check(&layout, &devices);
        check(&read_plain(&devices, Some(&beside), Some(&beside)), &devices);
    }
}
