//! Takes out of a bundle what names the machine or its parts, and keeps what joins its layers.
//!
//! Masked are host names, serial numbers, world wide names, UUIDs, and addresses of networks.
//! The same input gives the same token in the whole bundle, so that a filesystem's UUID in one file
//! is still that of another; tokens are numbered as they come, so nothing can be computed back.
//! Sizes, models, mountpoints, labels and names of volumes stay: advice is about them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// How every masked UUID begins.
const OWN_UUID: &str = "00000000-0000-4000-8000-";

/// Host names that say nothing, or that are words of this trade: masking them would make nonsense
/// of `vm.dirty_ratio`.
const COMMON: [&str; 16] = [
    "nixos",
    "localhost",
    "linux",
    "debian",
    "ubuntu",
    "server",
    "desktop",
    "laptop",
    "router",
    "system",
    "machine",
    "unknown",
    "default",
    "storage",
    "media",
    "backup",
];

/// Knows what to mask, and what it has masked.
#[derive(Debug, Default)]
pub(super) struct Masker {
    /// Whether anything is masked at all.
    pub(super) active: bool,
    hosts: BTreeSet<String>,
    /// Secrets by their letters, with their tokens.
    secrets: BTreeMap<String, String>,
    uuids: BTreeMap<String, String>,
    macs: BTreeMap<String, String>,
    addresses: BTreeMap<IpAddr, String>,
    names: BTreeMap<String, String>,
    /// UUIDs that are the same everywhere, such as the types of partitions.
    public: BTreeSet<String>,
}

impl Masker {
    /// One that masks, or one that leaves all as it is.
    pub(super) fn new(active: bool) -> Self {
        Self {
            active,
            ..Self::default()
        }
    }

    /// The machine's name.
    pub(super) fn learn_host(&mut self, name: &str) {
        let name = name.trim();
        if !name.is_empty() && name != "(none)" && name != "localhost" {
            self.hosts.insert(name.to_owned());
            if let Some((short, _)) = name.split_once('.').filter(|(short, _)| !short.is_empty()) {
                self.hosts.insert(short.to_owned());
            }
        }
    }

    /// A serial number or a world wide name. What is too short or holds no digit is no serial number:
    /// firmware fills the field with words.
    pub(super) fn learn_serial(&mut self, serial: &str) {
        let serial = serial.trim();
        let shape = |it: &str| {
            it.len() >= 4
                && it.bytes().any(|b| b.is_ascii_digit())
                && !it.bytes().all(|b| b == b'0' || b == b'.')
        };
        if !shape(serial) || is_uuid(serial) {
            return;
        }
        let number = self.secrets.values().collect::<BTreeSet<_>>().len() as u64 + 1;
        // Digits stay digits: in JSON they may be a number.
        let token = if serial.bytes().all(|b| b.is_ascii_digit()) {
            (1_000_000_000 + number).to_string()
        } else {
            format!("serial-{number}")
        };
        for form in [
            serial.to_owned(),
            // As udev writes it into links.
            serial.split_whitespace().collect::<Vec<_>>().join("_"),
            // World wide names stand in links with their prefix and without.
            serial.trim_start_matches("0x").to_owned(),
            serial.split_once('.').map_or(serial, |(_, rest)| rest).to_owned(),
        ] {
            if shape(&form) {
                self.secrets.entry(form).or_insert_with(|| token.clone());
            }
        }
    }

    /// A filesystem's UUID that need not look like one: those of FAT and NTFS are short.
    fn learn_uuid(&mut self, uuid: &str) {
        let uuid = uuid.trim();
        if uuid.len() < 6 || is_uuid(uuid) || !uuid.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        if !self.secrets.contains_key(uuid) {
            let number = self.secrets.len() + 1;
            let hex = uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
            let token = if hex {
                // The same shape, so that readers know it for what it is.
                let digits = format!("{number:0width$X}", width = uuid.len());
                uuid.bytes()
                    .zip(digits.bytes().skip(digits.len().saturating_sub(uuid.len())))
                    .map(|(old, new)| if old == b'-' { '-' } else { char::from(new) })
                    .collect()
            } else {
                format!("uuid-{number}")
            };
            self.secrets.insert(uuid.to_owned(), token);
        }
    }

    /// Learns the numbers that name a pool and its datasets from `zpool get -H` and `zfs get -H`.
    pub(super) fn learn_properties(&mut self, text: &[u8]) {
        if !self.active {
            return;
        }
        for line in String::from_utf8_lossy(text).lines() {
            let mut fields = line.split('\t').skip(1);
            if let (Some("guid" | "load_guid"), Some(value)) = (fields.next(), fields.next()) {
                self.learn_serial(value);
            }
        }
    }

    /// Learns from a JSON document what its fields name secrets.
    pub(super) fn learn_json(&mut self, text: &[u8]) {
        if !self.active {
            return;
        }
        let Ok(document) = serde_json::from_slice::<Value>(text) else {
            return;
        };
        let mut todo = vec![&document];
        while let Some(value) = todo.pop() {
            match value {
                Value::Array(items) => todo.extend(items),
                Value::Object(members) => {
                    for (name, value) in members {
                        self.learn_member(name, value);
                        todo.push(value);
                    }
                }
                _ => {}
            }
        }
    }

    fn learn_member(&mut self, name: &str, value: &Value) {
        let name = name.to_ascii_lowercase();
        let one = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match &*name {
            "parttype" => self.public.extend(one(value).map(|it| it.to_ascii_lowercase())),
            "uuid" | "partuuid" | "ptuuid" => {
                if let Some(uuid) = one(value) {
                    self.learn_uuid(&uuid);
                }
            }
            // smartctl splits the world wide name into numbers.
            "wwn" if value.is_object() => {
                for part in ["id", "oui"] {
                    if let Some(number) = value.get(part).and_then(one).filter(|it| it.len() >= 5) {
                        self.learn_serial(&number);
                    }
                }
            }
            "hostname" | "nodename" => {
                if let Some(host) = one(value) {
                    self.learn_host(&host);
                }
            }
            _ if name.contains("serial")
                || matches!(&*name, "wwn" | "sn" | "eui64" | "nguid" | "asset_tag") =>
            {
                if let Some(serial) = one(value) {
                    self.learn_serial(&serial);
                }
            }
            _ => {}
        }
    }

    /// A text without what names the machine.
    pub(super) fn text(&mut self, text: &str) -> String {
        if !self.active {
            return text.to_owned();
        }
        let mut masked = text.to_owned();
        // The longest first: a name may hold a shorter one.
        let mut secrets: Vec<_> = self.secrets.iter().collect();
        secrets.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        for (secret, token) in secrets {
            if masked.contains(&**secret) {
                masked = replace(&masked, secret, token, secret.len() < 8);
            }
        }
        // The whole name before its first part.
        let mut hosts: Vec<&String> = self.hosts.iter().collect();
        hosts.sort_by_key(|host| std::cmp::Reverse(host.len()));
        for host in hosts {
            if host.len() >= 5 && !COMMON.contains(&&*host.to_ascii_lowercase()) {
                masked = replace(&masked, host, "host-1", true);
            }
            // Short names stand where a name is certain to be the host's.
            for (before, after) in [
                ("(", ")"),
                ("<", ">"),
                ("nodename\": \"", "\""),
                ("nodename\":\"", "\""),
                ("hostname\": \"", "\""),
                ("hostname\":\"", "\""),
                ("hostname=", "\n"),
            ] {
                masked = masked.replace(
                    &format!("{before}{host}{after}"),
                    &format!("{before}host-1{after}"),
                );
            }
        }
        self.shapes(&masked)
    }

    /// Masks by shape alone: UUIDs, MAC and IP addresses, names of disks that hold their serial number.
    fn shapes(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':' || c == '.';
        while let Some(start) = rest.find(in_word) {
            let (before, from) = rest.split_at(start);
            masked.push_str(before);
            let end = from.find(|c| !in_word(c)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            self.word(word, &mut masked);
            rest = after;
        }
        masked.push_str(rest);
        masked
    }

    fn word(&mut self, word: &str, masked: &mut String) {
        // Punctuation at the end is the sentence's.
        let core = word.trim_end_matches(['.', ':', '-']);
        let tail = word.get(core.len()..).unwrap_or_default();
        if let Some(at) = uuid_at(core) {
            let (before, from) = core.split_at(at);
            let (uuid, after) = from.split_at(36);
            masked.push_str(before);
            let token = self.uuid(uuid);
            masked.push_str(&token);
            self.word(after, masked);
        } else if let Some(at) = bare_uuid_at(core) {
            // device-mapper and systemd write UUIDs without their dashes.
            let (before, from) = core.split_at(at);
            let (hex, after) = from.split_at(32);
            masked.push_str(before);
            let part = |range| hex.get(range).unwrap_or_default();
            let dashed = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-");
            let token = self.uuid(&dashed).replace('-', "");
            masked.push_str(&token);
            self.word(after, masked);
        } else if is_mac(core) {
            let number = self.macs.len() + 1;
            let token = self
                .macs
                .entry(core.to_ascii_lowercase())
                .or_insert_with(|| format!("02:00:00:00:{:02x}:{:02x}", number >> 8 & 0xff, number & 0xff));
            masked.push_str(token);
        } else if let Some(address) = address(core) {
            let number = self.addresses.len() as u32 + 1;
            let token = self.addresses.entry(address).or_insert_with(|| match address {
                IpAddr::V4(_) => Ipv4Addr::from(0xc612_0000 | (number & 0x1_ffff)).to_string(),
                IpAddr::V6(_) => Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(number)).to_string(),
            });
            masked.push_str(token);
        } else if is_disk_name(core) {
            let number = self.names.len() + 1;
            let token = self
                .names
                .entry(core.to_owned())
                .or_insert_with(|| format!("name-{number}"));
            masked.push_str(token);
        } else {
            masked.push_str(core);
        }
        masked.push_str(tail);
    }

    fn uuid(&mut self, uuid: &str) -> String {
        let uuid = uuid.to_ascii_lowercase();
        if uuid.starts_with(OWN_UUID) || self.public.contains(&uuid) {
            return uuid;
        }
        let number = self.uuids.len() + 1;
        self.uuids
            .entry(uuid)
            .or_insert_with(|| format!("{OWN_UUID}{number:012x}"))
            .clone()
    }
}

/// Puts `token` in the place of each `secret`; with `whole`, only where it stands as a word.
fn replace(text: &str, secret: &str, token: &str, whole: bool) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, from) = rest.split_at(at);
        let after = from.get(secret.len()..).unwrap_or_default();
        let inside = before.ends_with(|c: char| c.is_ascii_alphanumeric())
            || after.starts_with(|c: char| c.is_ascii_alphanumeric());
        masked.push_str(before);
        masked.push_str(if whole && inside { secret } else { token });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Where in a word a UUID stands.
fn uuid_at(word: &str) -> Option<usize> {
    (0..word.len().saturating_sub(35)).find(|&at| {
        word.get(at..at + 36).is_some_and(is_uuid)
            && !word
                .get(at + 36..)
                .is_some_and(|it| it.starts_with(|c: char| c.is_ascii_hexdigit()))
    })
}

/// Where in a word 32 hexadecimal digits stand by themselves.
fn bare_uuid_at(word: &str) -> Option<usize> {
    let mut start = 0;
    for part in word.split(['-', '.', ':']) {
        let ours = OWN_UUID.replace('-', "");
        let hex = part.len() == 32 && part.bytes().all(|b| b.is_ascii_hexdigit());
        if hex && !part.starts_with(&ours) {
            return Some(start);
        }
        start += part.len() + 1;
    }
    None
}

fn is_mac(word: &str) -> bool {
    word.len() == 17
        && word.bytes().enumerate().all(|(at, byte)| match at % 3 {
            2 => byte == b':',
            _ => byte.is_ascii_hexdigit(),
        })
        && !word.starts_with("02:00:00:00:")
}

/// An address that names a machine: not the loopback, not our own.
fn address(word: &str) -> Option<IpAddr> {
    let dotted = word.bytes().filter(|b| *b == b'.').count() == 3;
    let coloned = word.bytes().filter(|b| *b == b':').count() >= 2;
    if !dotted && !coloned {
        return None;
    }
    let address: IpAddr = word.parse().ok()?;
    let ours = match address {
        IpAddr::V4(it) => u32::from(it) >> 17 == 0xc612_0000 >> 17,
        IpAddr::V6(it) => it.segments().starts_with(&[0x2001, 0xdb8]),
    };
    (!ours && !address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Names that the kernel or udev make of a disk's own identity: `naa.5000…`, `eui.0025…`,
/// `nvme.144d-…`, `0x5000…`.
fn is_disk_name(word: &str) -> bool {
    let hex =
        |it: &str, least: usize| it.len() >= least && it.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    ["naa.", "eui.", "t10.", "uuid.", "nvme."]
        .iter()
        .any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| hex(rest, 12)))
        || ["wwn-0x", "0x5", "0x6"]
            .iter()
            .any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| hex(rest, 15)))
        || word.strip_prefix("nvme-").is_some_and(is_disk_name)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn what_names_the_machine_goes_and_what_joins_stays() {
        let mut masker = Masker::new(true);
        masker.learn_host("vm");
        masker.learn_host("treasury.example.org");
        masker.learn_json(
            br#"{"blockdevices": [{"name": "sda", "serial": "S2RB NX0H123456", "wwn": "0x5002538d40123456",
                 "uuid": "A1B2-C3D4", "parttype": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
                {"name": "sdb", "serial": "None", "vendor": "ATA"}],
                "wwn": {"naa": 5, "oui": 9528, "id": 12345678901}}"#,
        );
        let text = "\
vm.dirty_ratio = 20
Linux 6.18 (vm) 11/21/26 x86_64
treasury kernel: treasury.example.org up since 04:44:14, version 6.18.44
/dev/disk/by-id/ata-Samsung_SSD_850_S2RB_NX0H123456-part1 -> /dev/sda1
/dev/disk/by-id/wwn-0x5002538d40123456 -> /dev/sda
/dev/disk/by-id/scsi-35002538d40123456 -> /dev/sda
/dev/disk/by-id/nvme-nvme.144d-533352424e583048-53616d73756e67-00000001 -> /dev/nvme0n1
\"id\": 12345678901, UUID=A1B2-C3D4, c12a7328-f81f-11d2-ba4b-00a0c93ec93b
root=UUID=6f1c7a0e-1111-2222-3333-444455556666 and CRYPT-LUKS2-6f1c7a0e111122223333444455556666-crypted
by-uuid/6F1C7A0E-1111-2222-3333-444455556666. eth0 00:1b:21:aa:bb:cc at 10.1.2.3, 127.0.0.1, fe80::1, 0000:00:1f.2
again 10.1.2.3 and 00:1B:21:AA:BB:CC.
";
        let masked = masker.text(text);
        expect![[r#"
            vm.dirty_ratio = 20
            Linux 6.18 (host-1) 11/21/26 x86_64
            host-1 kernel: host-1 up since 04:44:14, version 6.18.44
            /dev/disk/by-id/ata-Samsung_SSD_850_serial-2-part1 -> /dev/sda1
            /dev/disk/by-id/wwn-serial-4 -> /dev/sda
            /dev/disk/by-id/scsi-3serial-4 -> /dev/sda
            /dev/disk/by-id/name-1 -> /dev/nvme0n1
            "id": 1000000001, UUID=0000-0004, c12a7328-f81f-11d2-ba4b-00a0c93ec93b
            root=UUID=00000000-0000-4000-8000-000000000001 and CRYPT-LUKS2-00000000000040008000000000000001-crypted
            by-uuid/00000000-0000-4000-8000-000000000001. eth0 02:00:00:00:00:01 at 198.18.0.1, 127.0.0.1, 2001:db8::2, 0000:00:1f.2
            again 198.18.0.1 and 02:00:00:00:00:01.
        "#]]
        .assert_eq(&masked);
        // Masking again changes nothing.
        assert_eq!(masker.text(&masked), masked);
    }

    #[test]
    fn pools_lose_their_numbers_and_keep_their_names() {
        let mut masker = Masker::new(true);
        let text = "tank\tguid\t12060368138527189668\t-\ntank\tload_guid\t3579007627161247681\t-\ntank\tsize\t3019898880\t-\n";
        masker.learn_properties(text.as_bytes());
        assert_eq!(
            masker.text(text),
            "tank\tguid\t1000000001\t-\ntank\tload_guid\t1000000002\t-\ntank\tsize\t3019898880\t-\n"
        );
    }

    #[test]
    fn unmasked_is_untouched() {
        let mut masker = Masker::new(false);
        masker.learn_serial("S2RBNX0H123456");
        assert_eq!(masker.text("S2RBNX0H123456 10.0.0.1"), "S2RBNX0H123456 10.0.0.1");
    }
}
