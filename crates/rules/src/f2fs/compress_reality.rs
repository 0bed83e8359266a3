//! Compression that is set up on f2fs, but for no file.

use crate::options::known;
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "f2fs-compress-reality",
    summary: "compression is set up, but for no file",
    page: include_str!("compress_reality.md"),
    severity: Severity::Warning,
    check: Check::Filesystem(check),
    sources: &[Source::new(
        "f2fs, kernel documentation: compression implementation",
        "https://docs.kernel.org/filesystems/f2fs.html#compression-implementation",
    )],
    verified: "documentation of Linux 6.18, disko 878ec37",
};

fn check(filesystem: Filesystem<'_>) -> Known<Verdict> {
    if filesystem.format() != "f2fs" {
        return Ok(NotApplicable);
    }
    let options = filesystem.options();
    known(filesystem.mount)?;
    let Some(algorithm) = options.last(&["compress_algorithm"]) else {
        return Ok(NotApplicable);
    };
    if options.has("compress_extension") || options.has("compress_mode") {
        return Ok(Clear);
    }
    let mountpoint = filesystem.mountpoint();
    let asked = algorithm.value.unwrap_or("an algorithm");
    Ok(Draft::new(
        filesystem.subject(),
        format!("nothing on {mountpoint} is compressed by itself: `{asked}` is chosen, but for no file"),
    )
    .at(
        &algorithm.element.origin,
        "chooses how, not what: no `compress_extension`",
    )
    .because("`compress_algorithm` says how f2fs compresses; what it compresses is told by `compress_extension`, or by `chattr +c` on a file or folder")
    .because("compression on f2fs saves writes, not room: the blocks that are left over stay reserved for the file until a program releases them, which makes the file read-only")
    .confidence(Confidence::Likely)
    .impact(Impact::unmeasured("bytes written to the drive"))
    .cost("CPU time when files are written and read; `df` shows no more room than before")
    .cost("if you mark folders with `chattr +c` yourself, everything is as you want it: allow this finding, or name the extensions instead of `*`")
    .verify(format!("findmnt -no OPTIONS {mountpoint} shows compress_extension; lsattr shows c on a new file"))
    .rollback("remove the option; files that were written meanwhile stay compressed")
    .change(
        EditReach::Reboot,
        [LayoutEdit::Options {
            list: options.place.path.clone(),
            edits: vec![ListEdit::Add("compress_extension=*".to_owned())],
        }],
    ))
}
