//! The versions of what runs on the machine, from any mix of lines that tell them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use source::Sourced;

use crate::facts::{Fact, Facts, put};
use crate::input::{Line, Lines, Place};

/// A version: its numbers, and how it was written.
///
/// Two versions compare by their numbers; a number that one lacks counts as zero,
/// and what follows the numbers (`-rc1`, `-fc-v595`, `pre1234`) does not count.
#[derive(Clone, Debug)]
pub struct Version {
    numbers: Vec<u64>,
    text: Arc<str>,
}

impl Version {
    /// Reads a version. It begins with a digit; the numbers end where no `.` and digit follows.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = Vec::new();
        for part in text.split('.') {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            match part.get(..digits).map(str::parse) {
                Some(Ok(number)) => numbers.push(number),
                _ => break,
            }
            if digits < part.len() || numbers.len() == 8 {
                break;
            }
        }
        (!numbers.is_empty()).then(|| Self {
            numbers,
            text: Arc::from(text),
        })
    }

    /// Whether it is `major.minor` or later.
    pub fn at_least(&self, major: u64, minor: u64) -> bool {
        self.number(0).cmp(&major).then(self.number(1).cmp(&minor)) != Ordering::Less
    }

    /// The number at a place, zero where there is none: 18 of `6.18.44` at 1.
    pub fn number(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or(0)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.numbers.len().max(other.numbers.len());
        (0..longest)
            .map(|at| self.number(at).cmp(&other.number(at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The versions of what runs there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Versions {
    /// `uname -r`, `uname -a`, `/proc/version`
    pub kernel: Fact<Version>,
    /// `btrfs --version`
    pub btrfs_progs: Fact<Version>,
    /// The programs of `zfs version`.
    pub openzfs: Fact<Version>,
    /// The kernel module of `zfs version`.
    pub openzfs_module: Fact<Version>,
    /// `nix --version`
    pub nix: Fact<Version>,
    /// `nixos-version`, or `VERSION_ID` of `/etc/os-release` on NixOS.
    pub nixos: Fact<Version>,
    /// `postgres --version`, `psql --version`
    pub postgresql: Fact<Version>,
    /// `redis-server --version`
    pub redis: Fact<Version>,
    /// `docker --version`
    pub docker: Fact<Version>,
    /// `podman --version`
    pub podman: Fact<Version>,
    /// `systemctl --version`
    pub systemd: Fact<Version>,
    /// `cryptsetup --version`
    pub cryptsetup: Fact<Version>,
    /// `mkfs.xfs -V`
    pub xfsprogs: Fact<Version>,
    /// `mke2fs -V`
    pub e2fsprogs: Fact<Version>,
}

/// Which version a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Kernel,
    BtrfsProgs,
    Openzfs,
    OpenzfsModule,
    Nix,
    Nixos,
    Postgresql,
    Redis,
    Docker,
    Podman,
    Systemd,
    Cryptsetup,
    Xfsprogs,
    E2fsprogs,
}

/// What a line tells, and the words of the version in it.
fn told(text: &str) -> Option<(Of, &str)> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let digit = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let found = match words.as_slice() {
        // `Linux host 6.18.44 #1 SMP …`, `Linux version 6.18.44 (…`
        ["Linux", _, version, ..] if digit(version) => (Of::Kernel, *version),
        ["btrfs-progs", version, ..] => (Of::BtrfsProgs, version.trim_start_matches('v')),
        ["nix", "(Nix)", version, ..]
        | ["nix", "(Nix,", _, version, ..]
        | ["nix-env", "(Nix)", version, ..]
        | ["nix-build", "(Nix)", version, ..] => (Of::Nix, *version),
        // Lix and Determinate Nix put their names in the parentheses.
        ["nix", rest @ ..] if text.contains("Nix") => (Of::Nix, *rest.iter().rev().find(|word| digit(word))?),
        ["postgres" | "psql" | "postgresql", "(PostgreSQL)", version, ..] => (Of::Postgresql, *version),
        ["PostgreSQL", version, "on", ..] => (Of::Postgresql, *version),
        ["Redis", "server", version, ..] => (Of::Redis, version.strip_prefix("v=")?),
        ["redis-server" | "redis-cli", version] if digit(version) => (Of::Redis, *version),
        ["Docker", "version", version, ..] => (Of::Docker, version.trim_end_matches(',')),
        ["podman", "version", version] => (Of::Podman, *version),
        ["systemd", version, ..] if digit(version) => (Of::Systemd, *version),
        ["cryptsetup", version, ..] if digit(version) => (Of::Cryptsetup, *version),
        ["mkfs.xfs", "version", version] | ["xfs_repair", "version", version] => (Of::Xfsprogs, *version),
        ["mke2fs" | "e2fsck" | "tune2fs", version, ..] if digit(version) => (Of::E2fsprogs, *version),
        // `25.05.20250612.fd48718 (Warbler)`
        [version, codename] if nixos(version) && codename.starts_with('(') => (Of::Nixos, *version),
        [only] => {
            if let Some(version) = only.strip_prefix("zfs-kmod-") {
                (Of::OpenzfsModule, version.trim_start_matches('v'))
            } else if let Some(version) = only.strip_prefix("zfs-") {
                (Of::Openzfs, version.trim_start_matches('v'))
            } else if nixos(only) {
                (Of::Nixos, *only)
            } else {
                return None;
            }
        }
        _ => return None,
    };
    digit(found.1).then_some(found)
}

/// Whether a word is a version of NixOS: the year, `05` or `11`, and more behind it.
fn nixos(word: &str) -> bool {
    let mut parts = word.splitn(3, '.');
    let year = parts
        .next()
        .is_some_and(|year| year.len() == 2 && year.bytes().all(|b| b.is_ascii_digit()));
    let month = parts
        .next()
        .is_some_and(|month| month.starts_with("05") || month.starts_with("11"));
    year && month
}

/// Whether a line tells a version.
pub(crate) fn is(line: &str) -> bool {
    told(line.trim()).is_some()
        || line.starts_with("ID=")
        || line.starts_with("VERSION_ID=")
        || line.starts_with("PRETTY_NAME=")
}

/// Lines such as `uname -a`, `zfs version`, `btrfs --version`, `/etc/os-release`, in any order.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut on_nixos = false;
    let mut release: Option<Sourced<Version>> = None;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if let Some(id) = text.strip_prefix("ID=") {
            on_nixos = id.trim_matches('"') == "nixos";
            continue;
        }
        if let Some(id) = text.strip_prefix("VERSION_ID=") {
            let id = id.trim_matches('"');
            release = Version::parse(id).map(|version| line.sourced(version, id));
            continue;
        }
        if let Some((of, version)) = told(text) {
            add(facts, &line, of, version);
        } else if file_name(&place.name) == "osrelease" {
            add(facts, &line, Of::Kernel, text);
        }
    }
    if on_nixos && facts.versions.nixos.is_none() {
        facts.versions.nixos = release;
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn add(facts: &mut Facts, line: &Line<'_>, of: Of, text: &str) {
    let Some(version) = Version::parse(text) else {
        return;
    };
    let versions = &mut facts.versions;
    let (slot, name) = match of {
        Of::Kernel => (&mut versions.kernel, "the kernel"),
        Of::BtrfsProgs => (&mut versions.btrfs_progs, "btrfs-progs"),
        Of::Openzfs => (&mut versions.openzfs, "OpenZFS"),
        Of::OpenzfsModule => (&mut versions.openzfs_module, "OpenZFS's kernel module"),
        Of::Nix => (&mut versions.nix, "Nix"),
        Of::Nixos => (&mut versions.nixos, "NixOS"),
        Of::Postgresql => (&mut versions.postgresql, "PostgreSQL"),
        Of::Redis => (&mut versions.redis, "Redis"),
        Of::Docker => (&mut versions.docker, "Docker"),
        Of::Podman => (&mut versions.podman, "Podman"),
        Of::Systemd => (&mut versions.systemd, "systemd"),
        Of::Cryptsetup => (&mut versions.cryptsetup, "cryptsetup"),
        Of::Xfsprogs => (&mut versions.xfsprogs, "xfsprogs"),
        Of::E2fsprogs => (&mut versions.e2fsprogs, "e2fsprogs"),
    };
    let new = Some(line.sourced(version, text));
    put(slot, new, name, "the version", &mut facts.contradictions);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("6.9") < version("6.18.44-fc-v595"));
        assert!(version("2.3.0-rc1") == version("2.3"));
        assert!(version("2.30pre2024") >= version("2.30"));
        assert!(version("6.11").at_least(6, 2) && !version("5.15").at_least(6, 2));
        assert!(Version::parse("v6").is_none() && Version::parse("").is_none());
        assert_eq!(Version::parse("99999999999999999999.1"), None);
        assert_eq!(version("2.3x.9").number(1), 3);
        assert_eq!(version("2.3x.9").number(2), 0);
    }

    #[test]
    fn lines_of_many_tools() {
        let shown: Vec<_> = [
            "Linux vm 6.18.44-fc-v595 #1 SMP PREEMPT_DYNAMIC @0 x86_64 GNU/Linux",
            "Linux version 6.12.30 (nixbld@localhost) (gcc) #1-NixOS SMP",
            "btrfs-progs v6.2",
            "zfs-2.3.2-1",
            "zfs-kmod-2.3.2-1",
            "nix (Nix) 2.28.3",
            "nix (Lix, like Nix) 2.91.1",
            "nix (Determinate Nix 3.6.2) 2.29.0",
            "25.05.20250612.fd48718 (Warbler)",
            "postgres (PostgreSQL) 17.5",
            "psql (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)",
            "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1",
            "Docker version 28.2.2, build v28.2.2",
            "podman version 5.5.1",
            "systemd 257 (257.6)",
            "hello world",
            "vm",
        ]
        .map(|line| (line, told(line)))
        .into();
        expect_test::expect![[r#"
            [
                (
                    "Linux vm 6.18.44-fc-v595 #1 SMP PREEMPT_DYNAMIC @0 x86_64 GNU/Linux",
                    Some(
                        (
                            Kernel,
                            "6.18.44-fc-v595",
                        ),
                    ),
                ),
                (
                    "Linux version 6.12.30 (nixbld@localhost) (gcc) #1-NixOS SMP",
                    Some(
                        (
                            Kernel,
                            "6.12.30",
                        ),
                    ),
                ),
                (
                    "btrfs-progs v6.2",
                    Some(
                        (
                            BtrfsProgs,
                            "6.2",
                        ),
                    ),
                ),
                (
                    "zfs-2.3.2-1",
                    Some(
                        (
                            Openzfs,
                            "2.3.2-1",
                        ),
                    ),
                ),
                (
                    "zfs-kmod-2.3.2-1",
                    Some(
                        (
                            OpenzfsModule,
                            "2.3.2-1",
                        ),
                    ),
                ),
                (
                    "nix (Nix) 2.28.3",
                    Some(
                        (
                            Nix,
                            "2.28.3",
                        ),
                    ),
                ),
                (
                    "nix (Lix, like Nix) 2.91.1",
                    Some(
                        (
                            Nix,
                            "2.91.1",
                        ),
                    ),
                ),
                (
                    "nix (Determinate Nix 3.6.2) 2.29.0",
                    Some(
                        (
                            Nix,
                            "2.29.0",
                        ),
                    ),
                ),
                (
                    "25.05.20250612.fd48718 (Warbler)",
                    Some(
                        (
                            Nixos,
                            "25.05.20250612.fd48718",
                        ),
                    ),
                ),
                (
                    "postgres (PostgreSQL) 17.5",
                    Some(
                        (
                            Postgresql,
                            "17.5",
                        ),
                    ),
                ),
                (
                    "psql (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)",
                    Some(
                        (
                            Postgresql,
                            "15.13",
                        ),
                    ),
                ),
                (
                    "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1",
                    Some(
                        (
                            Redis,
                            "7.0.15",
                        ),
                    ),
                ),
                (
                    "Docker version 28.2.2, build v28.2.2",
                    Some(
                        (
                            Docker,
                            "28.2.2",
                        ),
                    ),
                ),
                (
                    "podman version 5.5.1",
                    Some(
                        (
                            Podman,
                            "5.5.1",
                        ),
                    ),
                ),
                (
                    "systemd 257 (257.6)",
                    Some(
                        (
                            Systemd,
                            "257",
                        ),
                    ),
                ),
                (
                    "hello world",
                    None,
                ),
                (
                    "vm",
                    None,
                ),
            ]
        "#]]
        .assert_debug_eq(&shown);
    }
}
