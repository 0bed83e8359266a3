//! The queues of dm-crypt, on drives that need none and on drives that do.

use super::{DM_CRYPT, flash_below, medium, refresh};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "luks-bypass-workqueues",
    summary: "dm-crypt's queues do not suit the drive below",
    page: include_str!("bypass_workqueues.md"),
    severity: Severity::Info,
    check: Check::Luks(check),
    sources: &[
        DM_CRYPT,
        Source::new(
            "dm crypt: add flags to optionally bypass kcryptd workqueues (commit 39d42fa96ba1)",
            "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/commit/?id=39d42fa96ba1",
        ),
        Source::new(
            "Speeding up Linux disk encryption",
            "https://blog.cloudflare.com/speeding-up-linux-disk-encryption/",
        ),
    ],
    verified: "Linux 6.18, disko 878ec37",
};

fn check(luks: Luks<'_>) -> Known<Verdict> {
    if luks.declared.initrd_unlock.as_ref().is_some_and(|it| !it.value) {
        return Ok(NotApplicable);
    }
    let declared = luks.declared.bypass_workqueues.as_ref();
    if declared.is_none() {
        luks.known_setting("bypassWorkqueues")?;
    }
    if let Some(on) = declared.filter(|it| it.value) {
        return on_rotating(&luks, on);
    }
    // Turned off in so many words: the person has decided.
    if declared.is_some() {
        return Ok(Clear);
    }
    let Some((media, sure)) = flash_below(&luks)? else {
        return Ok(NotApplicable);
    };
    let facts = &luks.machine().facts;
    let old = |version: &Sourced<Version>| !version.value.at_least(5, 9);
    if media.value == Media::Mmc || facts.versions.kernel.as_ref().is_some_and(old) {
        return Ok(NotApplicable);
    }
    if sure == Sureness::Guess {
        return Err(Missing::new(
            format!("whether what {} lies on is really an SSD", luks.subject()),
            "`lsblk -J -O -b > lsblk.json`",
        ));
    }
    let aes = facts.cpu.features.as_ref().ok_or_else(|| {
        Missing::new(
            "whether the processor encrypts in hardware",
            "`nixos-facter > facter.json` as root",
        )
    })?;
    if !aes.value.contains("aes") {
        return Ok(NotApplicable);
    }
    let argued = Draft::new(
        luks.subject(),
        format!(
            "each read and write of the {} makes a detour through dm-crypt's queues",
            medium(media.value)
        ),
    )
    .at(&luks.settings_origin(), "opened without `bypassWorkqueues`")
    .and(&media.origin, format!("the {} below it", medium(media.value)))
    .and(&aes.origin, "the processor encrypts in hardware")
    .because("dm-crypt hands each request to another thread, and writes to a sorting one after that: a gain on rotating disks, while on flash the hand-over takes longer than the encryption that it puts off")
    // The detour is certain, what it costs here is not.
    .confidence(Confidence::Likely)
    .impact(Impact::unmeasured("latency of small reads and writes"))
    .cost("encryption then runs where the request was made: a single program that writes one large stream can become slower, since no other core helps it. Measure with your own work before and after")
    .rollback("remove the setting and reboot");
    Ok(with_commands(argued, &luks).change(
        EditReach::Reboot,
        [LayoutEdit::Set {
            path: luks.setting("bypassWorkqueues"),
            value: true.into(),
        }],
    ))
}

/// The setting on a rotating disk does harm.
fn on_rotating(luks: &Luks<'_>, on: &Sourced<bool>) -> Known<Verdict> {
    let disks = luks.disks();
    if disks.is_empty() {
        luks.media()?;
    }
    let rotating = find_known(disks.iter().map(Disk::media), |(media, sure)| {
        media.value == Media::Hdd && *sure != Sureness::Guess
    })?;
    let Some((media, _)) = rotating else {
        return Ok(Clear);
    };
    let argued = Draft::new(
        luks.subject(),
        "writes reach the hard disk unsorted: `bypassWorkqueues` is meant for flash",
    )
    .at(&on.origin, "takes the queue away that sorts the writes")
    .and(&media.origin, "the disk below rotates")
    .because("the queue that is left out collects encrypted writes and sorts them by sector; without it the disk seeks more")
    .severity(Severity::Warning)
    .impact(Impact::unmeasured("random writes"))
    .cost("none that is known on a rotating disk")
    .rollback("set it to `true` again and reboot");
    let mut argued = argued;
    if let Some(name) = luks.mapper_name() {
        argued = argued.verify(format!(
            "after the next boot: dmsetup table {name} (no_read_workqueue is not listed)"
        ));
    }
    Ok(argued.change(
        EditReach::Reboot,
        [LayoutEdit::Set {
            path: luks.setting("bypassWorkqueues"),
            value: false.into(),
        }],
    ))
}

fn with_commands(argued: crate::Argued, luks: &Luks<'_>) -> crate::Argued {
    match luks.mapper_name() {
        Some(name) => argued
            .command(
                refresh(luks, "--perf-no_read_workqueue --perf-no_write_workqueue", name),
                "tries it at once, until the container is closed",
            )
            .verify(format!(
                "after the next boot: dmsetup table {name} (lists no_read_workqueue no_write_workqueue)"
            )),
        None => {
            argued.verify("after the next boot: dmsetup table (lists no_read_workqueue no_write_workqueue)")
        }
    }
}
