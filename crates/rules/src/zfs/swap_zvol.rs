//! Swap on a volume of a ZFS pool.

use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-swap-zvol",
    summary: "swap on a ZFS volume can lock the machine up",
    page: include_str!("swap_zvol.md"),
    severity: Severity::Error,
    check: Check::Swap(check),
    sources: &[
        Source::new(
            "OpenZFS FAQ, using a zvol for a swap device on Linux",
            "https://openzfs.github.io/openzfs-docs/Project%20and%20Community/FAQ.html#using-a-zvol-for-a-swap-device-on-linux",
        ),
        Source::new(
            "openzfs#7734: swap deadlock",
            "https://github.com/openzfs/zfs/issues/7734",
        ),
    ],
    verified: "OpenZFS documentation of 2.4",
};

fn check(swap: Swap<'_>) -> Known<Verdict> {
    if swap.backing() != SwapBacking::Zvol {
        return Ok(NotApplicable);
    }
    let Some(device) = swap.device() else {
        return Ok(NotApplicable);
    };
    let node = swap.declared.device.as_deref().unwrap_or("the volume");
    let mut placed = Draft::new(
        swap.subject(),
        "swap lies on a ZFS volume: the machine can lock up when memory runs out",
    )
    .at(
        &named_at(&device.bindings, &device.origin),
        "swap on a ZFS volume",
    );
    let zvol = swap
        .machine()
        .layout
        .devices
        .iter()
        .find(|it| matches!(it.kind, Kind::Zvol(_)) && Some(it.id) == device.parent);
    if let Some(zvol) = zvol {
        placed = placed.and(&named_at(&zvol.bindings, &zvol.origin), "this volume");
    }
    let in_use = swap
        .machine()
        .facts
        .swaps
        .iter()
        .find(|it| it.path.value.starts_with("/dev/zd") || &*it.path.value == node);
    if let Some(used) = in_use {
        placed = placed.and(&used.path.origin, "in use as swap right now");
    }
    Ok(placed
        .because("to write a page out, ZFS needs memory of its own (buffers, compression, checksums, the transaction group); when swap is asked for because there is none left, the two wait for each other and nothing runs any more")
        .cost("a partition must be found for it, or memory for zram; without any swap at all the kernel kills processes earlier")
        .command(format!("swapoff {node}"), "takes it out of use at once, if what it holds fits into memory")
        .verify("swapon --show lists no /dev/zd* device")
        .rollback(format!("swapon {node}"))
        .advise(
            Reach::Live,
            "give swap a partition of its own beside the pool, or use `zramSwap.enable = true`, and take the volume out of the layout. The layout is not edited: only you know where there is room",
        ))
}
