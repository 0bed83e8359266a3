//! Encrypted devices: `cryptsetup luksDump` and `cryptsetup status`.

use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::number;

/// A LUKS container, from its header or from the open mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Luks {
    /// The open mapping's name, from `cryptsetup status`.
    pub name: Fact<Arc<str>>,
    /// The device that holds it; of a LUKS2 header the tool does not tell it.
    pub device: Fact<Arc<str>>,
    /// The header's UUID.
    pub uuid: Fact<Arc<str>>,
    /// 1 or 2.
    pub version: Fact<u64>,
    /// `aes-xts-plain64`
    pub cipher: Fact<Arc<str>>,
    /// The sector that is encrypted at once: 512 or 4096.
    pub sector: Fact<Bytes>,
    /// What is set in the header or in force: `allow-discards`, `no-read-workqueue`,
    /// `discards`, `no_write_workqueue` …
    pub flags: Vec<Sourced<Arc<str>>>,
    /// Whether this tells what is in force (`status`) rather than what the header holds.
    pub open: bool,
}

impl Luks {
    /// Whether discards pass through.
    pub fn allows_discards(&self) -> bool {
        self.flags
            .iter()
            .any(|flag| matches!(&*flag.value, "allow-discards" | "discards"))
    }
}

/// Whether a line begins `cryptsetup luksDump`.
pub(crate) fn is_dump(line: &str) -> bool {
    line.starts_with("LUKS header information")
}

/// Whether a line begins `cryptsetup status`.
pub(crate) fn is_status(line: &str) -> bool {
    line.starts_with("/dev/mapper/") && line.contains(" is active")
}

/// Any of the two, several after one another too.
pub(crate) fn read(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut current: Option<Luks> = None;
    // The header's own fields end where the keyslots begin.
    let mut in_keyslots = false;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if is_dump(text) || is_status(text) {
            if facts.luks.len() >= 10_000 {
                place.tell_file("more than 10000 encrypted devices; the rest is left out");
                return;
            }
            facts.luks.extend(current.take());
            let open = is_status(text);
            let name = text
                .strip_prefix("/dev/mapper/")
                .and_then(|rest| rest.split(' ').next())
                .filter(|_| open);
            let device = text.strip_prefix("LUKS header information for ").map(str::trim);
            current = Some(Luks {
                name: name.map(|name| line.text_at(name)),
                device: device.map(|device| line.text_at(device)),
                open,
                ..Luks::default()
            });
            in_keyslots = false;
            continue;
        }
        let Some(luks) = &mut current else { continue };
        if text.starts_with("Keyslots:") || text.starts_with("Key Slot ") {
            in_keyslots = true;
        }
        let Some((name, value)) = text.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if in_keyslots || value.is_empty() || value.starts_with("(no ") {
            continue;
        }
        let fact = Some(line.text_at(value));
        match name {
            "UUID" => luks.uuid = fact,
            "Version" => luks.version = number::whole(value).map(|version| line.sourced(version, value)),
            "type" => {
                let version = value.strip_prefix("LUKS").and_then(number::whole);
                luks.version = version.map(|version| line.sourced(version, value));
            }
            "device" => luks.device = fact,
            "cipher" | "Cipher name" => luks.cipher = fact,
            "Cipher mode" => {
                if let Some(cipher) = &mut luks.cipher {
                    cipher.value = Arc::from(format!("{}-{value}", cipher.value));
                }
            }
            "sector" | "sector size" => {
                let digits = value.split(' ').next().unwrap_or("");
                let size = number::whole(digits).filter(|size| [512, 1024, 2048, 4096].contains(size));
                match size {
                    Some(size) => luks.sector = Some(line.sourced(Bytes(size), digits)),
                    None => place.warn(&line, value, "LUKS has no such sector"),
                }
            }
            "Flags" | "flags" => {
                luks.flags = value
                    .split_ascii_whitespace()
                    .map(|flag| line.text_at(flag))
                    .collect();
            }
            _ => {}
        }
    }
    facts.luks.extend(current);
}
