//! Discards at every delete on ext4.

use super::online_discard;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "ext4-discard",
    summary: "a discard at every delete, beside the weekly trim",
    page: include_str!("discard.md"),
    severity: Severity::Info,
    check: Check::Filesystem(check),
    sources: &[
        Source::new(
            "ext4, kernel documentation: mount options",
            "https://docs.kernel.org/admin-guide/ext4.html#options",
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
        "ext4",
        "ext4 sends a discard for each extent that a transaction freed, when the transaction commits; on many drives a discard holds up reads and writes for milliseconds, so deleting a large tree stalls the rest",
    )
}
