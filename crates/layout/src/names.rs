//! The names of block devices, as disko computes them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A GPT holds 72 bytes of UTF-16 for a label; disko counts bytes of UTF-8 against this.
const LONGEST_LABEL: usize = 36;

/// The SHA-256 of a text in hexadecimal.
fn sha256(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The label that a GPT partition gets when none was set: the kinds and names of what it lies in
/// and its own, or the start of the hash of that when it is too long for a GPT.
pub(crate) fn partition_label(parent_type: &str, parent_name: &str, name: &str) -> String {
    let label = format!("{parent_type}-{parent_name}-{name}");
    if label.len() > LONGEST_LABEL {
        let mut hash = sha256(&label);
        hash.truncate(LONGEST_LABEL);
        hash
    } else {
        label
    }
}

/// The UUID that a bcachefs filesystem gets when none was set.
pub(crate) fn bcachefs_uuid(name: &str) -> String {
    let hash = sha256(name);
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// A label as it stands in the name of a udev link.
///
/// Letters, digits and `#+,-.:=@_/` stay (the comma because disko's character class has the range
/// `+-.`), everything else of ASCII becomes `\x` and the hexadecimal number without leading zeros,
/// as nixpkgs' `toHexString` prints it.
/// `None` where disko's evaluation fails: nixpkgs' table knows tab, line feed, carriage return
/// and the printable characters of ASCII.
pub(crate) fn escape_udev_link(label: &str) -> Option<String> {
    let mut link = String::with_capacity(label.len());
    for c in label.chars() {
        match c {
            '0'..='9' | 'A'..='Z' | 'a'..='z' | '#' | '+' | ',' | '-' | '.' | ':' | '=' | '@' | '_' | '/' => {
                link.push(c)
            }
            '\t' | '\n' | '\r' | ' '..='~' => {
                let _ = write!(link, "\\x{:X}", u32::from(c));
            }
            _ => return None,
        }
    }
    Some(link)
}

/// The device file of a partition of a disk, by its number, as the kernel and udev name it.
/// `None` for a disk whose naming disko does not know: its evaluation stops there.
pub(crate) fn numbered_device(device: &str, number: usize) -> Option<String> {
    let rest = device.strip_prefix("/dev/")?;
    let after = |prefix: &str| rest.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if ["v", "s", "xvd"].iter().any(|prefix| after(prefix)) {
        Some(format!("{device}{number}"))
    } else if after("disk/") || after("zvol/") {
        Some(format!("{device}-part{number}"))
    } else if after("nvme")
        || after("mmcblk")
        || rest
            .strip_prefix("md/")
            .is_some_and(|name| name.ends_with(|c: char| c.is_ascii_digit()))
    {
        Some(format!("{device}p{number}"))
    } else if after("md/") || after("mapper/") {
        Some(format!("{device}{number}"))
    } else if rest.strip_prefix("loop").is_some_and(digits) {
        Some(format!("{device}p{number}"))
    } else {
        None
    }
}
