//! LUKS.

use machine::{Disk, Luks, Media, Sureness};
use source::{Known, Sourced};

use crate::{Confidence, Source, find_known};

pub(crate) mod allow_discards;
pub(crate) mod bypass_workqueues;

/// The kernel's page of dm-crypt and its options.
pub(crate) const DM_CRYPT: Source = Source::new(
    "dm-crypt, kernel documentation",
    "https://docs.kernel.org/admin-guide/device-mapper/dm-crypt.html",
);

/// The first flash medium below a container and how sure that is; `None` when all of them rotate.
///
/// # Errors
/// [`source::Missing`] when none is known to be flash and one is not known at all.
pub(crate) fn flash_below(luks: &Luks<'_>) -> Known<Option<(Sourced<Media>, Sureness)>> {
    let disks = luks.disks();
    if disks.is_empty() {
        luks.media()?;
    }
    find_known(disks.iter().map(Disk::media), |(media, _)| {
        media.value != Media::Hdd
    })
}

/// How sure a finding is that rests on what the medium is.
pub(crate) fn confidence(sure: Sureness) -> Confidence {
    match sure {
        Sureness::Certain => Confidence::Certain,
        Sureness::Likely => Confidence::Likely,
        Sureness::Guess => Confidence::Possible,
    }
}

/// What people call a medium.
pub(crate) fn medium(media: Media) -> &'static str {
    match media {
        Media::Hdd => "hard disk",
        Media::Ssd => "SSD",
        Media::Nvme => "NVMe drive",
        Media::Mmc => "memory card or eMMC",
    }
}

/// A medium with its article.
pub(crate) fn a_medium(media: Media) -> String {
    let article = if matches!(media, Media::Ssd | Media::Nvme) {
        "an"
    } else {
        "a"
    };
    format!("{article} {}", medium(media))
}

/// The command that opens a container anew with more flags. `cryptsetup refresh` forgets those that
/// it is not given, so what is declared already is named too.
pub(crate) fn refresh(luks: &Luks<'_>, flags: &str, name: &str) -> String {
    let on = |setting: &Option<Sourced<bool>>| setting.as_ref().is_some_and(|it| it.value);
    let mut command = format!("cryptsetup refresh {flags}");
    for (declared, flag) in [
        (&luks.declared.allow_discards, "--allow-discards"),
        (
            &luks.declared.bypass_workqueues,
            "--perf-no_read_workqueue --perf-no_write_workqueue",
        ),
    ] {
        if on(declared) && flags != flag {
            command.push(' ');
            command.push_str(flag);
        }
    }
    command.push(' ');
    command.push_str(name);
    command
}
