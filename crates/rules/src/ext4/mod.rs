//! ext4.

use crate::options::{edit, known, without, written};

pub(crate) mod discard;
pub(crate) mod no_barrier0;
pub(crate) mod noatime_lazytime;

/// A filesystem that discards at each delete although it is trimmed every week.
pub(crate) fn online_discard(
    filesystem: &machine::Filesystem<'_>,
    format: &str,
    reason: &'static str,
) -> source::Known<crate::Verdict> {
    use crate::prelude::*;

    if filesystem.format() != format {
        return Ok(NotApplicable);
    }
    let options = filesystem.options();
    let asks = options.last(&["discard", "nodiscard"]);
    let Some(option) = asks.filter(|it| it.key == "discard") else {
        return known(filesystem.mount).map(|()| Clear);
    };
    let mountpoint = filesystem.mountpoint();
    let fstrim = filesystem.machine().config.set(&["services", "fstrim", "enable"]);
    let off = fstrim.filter(|tree| tree.node == source::Node::Bool(false));
    let mut placed = Draft::new(
        filesystem.subject(),
        match off {
            None => format!("{mountpoint} discards at every delete, and is trimmed every week as well"),
            Some(_) => format!("{mountpoint} discards at every delete, where a weekly trim would do"),
        },
    )
    .at(&option.element.origin, "a discard for each extent that is freed");
    if let Some(off) = off {
        placed = placed.and(&off.origin, "the weekly trim is turned off");
    }
    let mut argued = placed
        .because(reason)
        .because("`services.fstrim.enable` is on by default since NixOS 24.11 and tells the drive the same once a week")
        .impact(Impact::unmeasured("latency while much is deleted"))
        .cost("until the weekly trim, the drive counts deleted blocks as used; that matters only to a drive that is nearly full and written all the time, and to thin storage that is billed or shared by the block")
        .verify("systemctl list-timers fstrim.timer; findmnt -no OPTIONS without discard")
                .rollback(format!("put the option back; on the running system: mount -o remount,discard {mountpoint}"));
    // Both filesystems keep the option through a remount that no longer names it, and xfs even through
    // one that names `nodiscard` (tried on Linux 6.18).
    if format == "ext4" {
        argued = argued.command(
            format!("mount -o remount,nodiscard {mountpoint}"),
            "turns it off at once; a remount that only leaves the option out does not",
        );
    }
    if off.is_some() {
        return Ok(argued.advise(
            Reach::Reboot,
            "turn `services.fstrim.enable` on again and take the option out, both together",
        ));
    }
    Ok(argued.change(
        EditReach::Reboot,
        [edit(options, without(filesystem.mount, &[written(&option)]))],
    ))
}
