//! Discards at every delete on xfs.

use crate::ext4::online_discard;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "xfs-discard",
    summary: "a discard at every delete, beside the weekly trim",
    page: include_str!("discard.md"),
    severity: Severity::Info,
    check: Check::Filesystem(check),
    sources: &[
        Source::new(
            "The SGI XFS Filesystem: mount options",
            "https://docs.kernel.org/admin-guide/xfs.html#mount-options",
        ),
        Source::new(
            "nixpkgs#345285: fstrim is on by default",
            "https://github.com/NixOS/nixpkgs/pull/345285",
        ),
    ],
    verified: "Linux 6.18, NixOS 25.05",
};

fn check(filesystem: Filesystem<'_>) -> Known<Verdict> {
    online_discard(
        &filesystem,
        "xfs",
        "the kernel's documentation advises fstrim in its place, because the cost of this option is quite severe: the log waits for the discards of what it freed",
    )
}
