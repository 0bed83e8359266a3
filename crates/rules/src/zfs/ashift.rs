//! The sector size that a pool is made for.

use crate::luks::{a_medium, confidence, medium};
use crate::prelude::*;

pub(crate) const RULE: Rule = Rule {
    id: "zfs-ashift",
    summary: "the pool is made for smaller sectors than its disks work in",
    page: include_str!("ashift.md"),
    severity: Severity::Warning,
    check: Check::Pool(check),
    sources: &[
        Source::new(
            "OpenZFS, workload tuning: alignment shift",
            "https://openzfs.github.io/openzfs-docs/Performance%20and%20Tuning/Workload%20Tuning.html#alignment-shift-ashift",
        ),
        Source::new(
            "OpenZFS FAQ, advanced format disks",
            "https://openzfs.github.io/openzfs-docs/Project%20and%20Community/FAQ.html#advanced-format-disks",
        ),
        Source::new(
            "zpoolprops(7), ashift",
            "https://openzfs.github.io/openzfs-docs/man/master/7/zpoolprops.7.html#ashift",
        ),
    ],
    verified: "OpenZFS 2.4 documentation, disko 878ec37",
};

const FOUR_KIB: Bytes = Bytes::kib(4);

fn check(pool: Pool<'_>) -> Known<Verdict> {
    let declared = super::declared(&pool.declared.options, "ashift")?;
    // 0 asks for the default.
    let shift = declared
        .and_then(|it| it.value.value.trim().parse::<u32>().ok())
        .filter(|shift| *shift != 0);
    if shift.is_some_and(|shift| shift >= 12) {
        return Ok(Clear);
    }
    let disks = pool.disks();
    if disks.is_empty() {
        return Err(Missing::new(
            format!("which disks the pool {} is on", pool.declared.name),
            "`lsblk -J -O -b > lsblk.json`",
        ));
    }
    if container_of_4k(&pool) {
        return Ok(match shift {
            None => Clear,
            Some(_) => below_container(&pool, declared),
        });
    }
    match shift {
        Some(shift) => explicit(&pool, declared, shift, &disks),
        None => left_to_zfs(&pool, declared, &disks),
    }
}

/// Whether the pool lies in a LUKS container that was made with sectors of 4 KiB.
fn container_of_4k(pool: &Pool<'_>) -> bool {
    pool.machine().luks().any(|luks| {
        let args: Vec<&str> = luks
            .declared
            .extra_format_args
            .iter()
            .flat_map(|arg| arg.value.split([' ', '=']))
            .collect();
        let large = args.windows(2).any(|pair| pair == ["--sector-size", "4096"]);
        large && luks.holds().iter().any(|device| device.id == pool.device.id)
    })
}

/// A smaller shift than 12 was written down.
fn explicit(pool: &Pool<'_>, declared: Option<&Property>, shift: u32, disks: &[Disk<'_>]) -> Known<Verdict> {
    let sector = Bytes(1 << shift.min(32));
    let large = find_known(disks.iter().map(Disk::physical_sector), |it| it.value > sector);
    if let Ok(Some(found)) = large {
        let draft = Draft::new(
            pool.subject(),
            format!(
                "the pool writes in units of {sector}, its disk in sectors of {}",
                found.value
            ),
        )
        .at(&written(pool, declared), format!("units of {sector}"))
        .and(
            &found.origin,
            format!("the disk writes {} at a time", found.value),
        );
        return Ok(remedy(
            pool,
            draft.because("for each smaller write the disk reads a whole sector, changes a part of it and writes it back"),
        ));
    }
    let flash = find_known(disks.iter().map(Disk::media), |(media, _)| {
        matches!(media.value, Media::Ssd | Media::Nvme | Media::Mmc)
    })?;
    match flash {
        Some((media, sure)) => Ok(flash_finding(pool, declared, &media, sure, None)),
        // A rotating disk whose sectors really are that small; the unknown ones are told.
        None => large.map(|_| Clear),
    }
}

/// A flash drive that reports small sectors: the sector, the medium, and how sure that is.
type SmallSectors = (Sourced<Bytes>, Sourced<Media>, Sureness);

/// Nothing was written down: `zpool create` goes by what the disks report.
fn left_to_zfs(pool: &Pool<'_>, declared: Option<&Property>, disks: &[Disk<'_>]) -> Known<Verdict> {
    let small = |disk: &Disk<'_>| -> Known<Option<SmallSectors>> {
        let sector = disk.physical_sector()?;
        if sector.value >= FOUR_KIB {
            return Ok(None);
        }
        let (media, sure) = disk.media()?;
        Ok((media.value != Media::Hdd).then(|| (sector.clone(), media, sure)))
    };
    match find_known(disks.iter().map(small), Option::is_some)?.flatten() {
        Some((sector, media, sure)) => Ok(flash_finding(pool, declared, &media, sure, Some(&sector))),
        None => Ok(Clear),
    }
}

/// Flash that reports small sectors: its pages are larger than it says.
fn flash_finding(
    pool: &Pool<'_>,
    declared: Option<&Property>,
    media: &Sourced<Media>,
    sure: Sureness,
    sector: Option<&Sourced<Bytes>>,
) -> Verdict {
    let what = medium(media.value);
    let message = match declared {
        Some(property) => format!(
            "`ashift` is {} on {}: the pool writes smaller units than flash does",
            property.value.value,
            a_medium(media.value)
        ),
        None => format!("`ashift` is left to what the {what} reports, and it reports 512-byte sectors"),
    };
    let mut placed = Draft::new(pool.subject(), message).at(
        &written(pool, declared),
        match declared {
            Some(_) => "smaller than a page of flash",
            None => "no `ashift`: `zpool create` goes by the reported sector",
        },
    );
    if let Some(sector) = sector {
        placed = placed.and(
            &sector.origin,
            format!("reports {}, which makes `ashift` 9", sector.value),
        );
    }
    placed = placed.and(&media.origin, a_medium(media.value));
    let argued = placed
        .because("drives report 512-byte sectors for the sake of old software; inside, flash is written in pages of 4 KiB and more, and smaller writes make the drive read, merge and write again")
        .severity(Severity::Info)
        .confidence(confidence(sure).min(Confidence::Likely));
    remedy(pool, argued)
}

/// A smaller shift than 12 on a container with sectors of 4 KiB.
fn below_container(pool: &Pool<'_>, declared: Option<&Property>) -> Verdict {
    let draft = Draft::new(
        pool.subject(),
        "`ashift` is smaller than the sectors of the LUKS container below",
    )
    .at(
        &written(pool, declared),
        "smaller than the container's 4096-byte sectors",
    );
    remedy(
        pool,
        draft.because("the container encrypts whole sectors: for a smaller write it reads, decrypts, changes and encrypts one again"),
    )
}

/// Where `ashift` is written, or else the pool.
fn written(pool: &Pool<'_>, declared: Option<&Property>) -> source::Origin {
    match declared {
        Some(property) => property.value.origin.clone(),
        None => named_at(&pool.device.bindings, &pool.device.origin),
    }
}

fn remedy(pool: &Pool<'_>, mut argued: crate::Argued) -> Verdict {
    let name = &pool.declared.name;
    for inferred in pool.disks().iter().filter_map(Disk::inferred) {
        argued = argued.because(inferred);
    }
    argued
        .because("a vdev keeps its `ashift` for life, and disks with larger sectors cannot be attached to it or replace its members")
        .impact(Impact::unmeasured("small writes, and which disks can replace a failed one"))
        .cost("the pool must be made anew: all data has to be copied off and back. Blocks then take up multiples of 4 KiB, so small records compress less")
        .verify(format!("zdb -C {name} | grep ashift (12 on each vdev)"))
        .rollback("none: a pool keeps the `ashift` that it was made with")
        .advise(
            Reach::Recreate,
            format!("before the pool is next created, set `disko.devices.zpool.{name}.options.ashift = \"12\"`. On a pool that exists the option changes nothing; look at what it has first: zdb -C {name} | grep ashift"),
        )
}
