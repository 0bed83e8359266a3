//! Every rule, in the order of their names. `cargo xtask new-rule` adds to it.

use crate::Rule;

/// Every rule, in the order of their names.
pub const RULES: &[Rule] = &[
    crate::bcachefs::out_of_tree::RULE,
    crate::block::failing_disk::RULE,
    crate::block::scheduler_hdd::RULE,
    crate::block::scheduler_on_dm::RULE,
    crate::btrfs::autodefrag::RULE,
    crate::btrfs::commit_interval::RULE,
    crate::btrfs::compress_force::RULE,
    crate::btrfs::compress_missing_on_root::RULE,
    crate::btrfs::dev_errors::RULE,
    crate::btrfs::discard_async::RULE,
    crate::btrfs::drop_legacy_options::RULE,
    crate::btrfs::enospc_unallocated::RULE,
    crate::btrfs::metadata_single::RULE,
    crate::btrfs::multidev_metadata_raid1::RULE,
    crate::btrfs::noatime::RULE,
    crate::btrfs::nobarrier::RULE,
    crate::btrfs::nocow_never_global::RULE,
    crate::btrfs::raid56_warn::RULE,
    crate::btrfs::ssd_spread::RULE,
    crate::btrfs::swapfile_rules::RULE,
    crate::btrfs::uniform_fs_options::RULE,
    crate::btrfs::zstd_level_too_high::RULE,
    crate::ext4::discard::RULE,
    crate::ext4::no_barrier0::RULE,
    crate::ext4::noatime_lazytime::RULE,
    crate::f2fs::compress_reality::RULE,
    crate::filesystem::damaged::RULE,
    crate::filesystem::unknown_option::RULE,
    crate::luks::allow_discards::RULE,
    crate::luks::bypass_workqueues::RULE,
    crate::lvm::full::RULE,
    crate::metrics::psi_io::RULE,
    crate::md::degraded::RULE,
    crate::memory::dirty_bytes::RULE,
    crate::xfs::discard::RULE,
    crate::xfs::removed_options::RULE,
    crate::zfs::arc_max_explicit::RULE,
    crate::zfs::ashift::RULE,
    crate::zfs::atime::RULE,
    crate::zfs::capacity::RULE,
    crate::zfs::compression_off::RULE,
    crate::zfs::dedup_off::RULE,
    crate::zfs::pool_faults::RULE,
    crate::zfs::swap_zvol::RULE,
    crate::zfs::sync_disabled::RULE,
    crate::memory::zram::RULE,
];

/// The rule of that name.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_in_order_and_named_once() {
        let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn a_rule_has_sources_and_a_page_with_every_heading() {
        const HEADINGS: [&str; 8] = [
            "## What it finds",
            "## Why it matters",
            "## When it does not apply",
            "## Fires",
            "## Stays silent",
            "## Undecided",
            "## What the change does, and what it does not",
            "## Sources",
        ];
        for rule in RULES {
            assert!(!rule.sources.is_empty(), "{} has no source", rule.id);
            assert!(
                !rule.verified.is_empty(),
                "{} says nothing of what it was checked against",
                rule.id
            );
            assert!(
                rule.page.starts_with(&format!("# {}\n", rule.id)),
                "the page of {} is another's",
                rule.id
            );
            let found: Vec<_> = rule
                .page
                .lines()
                .filter(|line| line.starts_with("## ") && *line != "## Cases")
                .collect();
            assert_eq!(found, HEADINGS, "the page of {}", rule.id);
            for source in rule.sources {
                assert!(
                    rule.page.contains(source.url),
                    "the page of {} does not name {}",
                    rule.id,
                    source.url
                );
            }
        }
    }

    #[test]
    fn every_rule_file_is_registered() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut pages = 0;
        #[expect(
            clippy::disallowed_methods,
            reason = "a test of the source tree reads the source tree"
        )]
        for area in std::fs::read_dir(root)
            .unwrap()
            .flatten()
            .filter(|it| it.path().is_dir())
        {
            for file in std::fs::read_dir(area.path()).unwrap().flatten() {
                let path = file.path();
                let twin = |other: &str| path.with_extension(other).exists();
                match path.extension().and_then(|it| it.to_str()) {
                    Some("md") => {
                        assert!(twin("rs"), "{} has no rule beside it", path.display());
                        pages += 1;
                    }
                    Some("rs") if !path.ends_with("mod.rs") => {
                        assert!(twin("md"), "{} has no page beside it", path.display());
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(pages, RULES.len(), "a rule that is not in the registry");
    }
}
