//! Hashes and how they are written.

use sha2::Digest;

/// The hash algorithms of Nix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a digest in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    pub(crate) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(bytes).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

/// The letters of Nix's own base 32: no `e`, `o`, `t`, `u`.
const BASE32: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Nix's base 32, which counts the bits from the last byte to the first.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let length = (bytes.len() * 8).div_ceil(5);
    (0..length)
        .rev()
        .map(|digit| {
            let bit = digit * 5;
            let (byte, shift) = (bit / 8, bit % 8);
            let low = u16::from(bytes.get(byte).copied().unwrap_or(0)) >> shift;
            let high = (u16::from(bytes.get(byte + 1).copied().unwrap_or(0)) << 8) >> shift;
            let index = usize::from((low | high) & 0x1f);
            BASE32.get(index).copied().unwrap_or(b'0') as char
        })
        .collect()
}

fn from_base32(text: &str, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; length];
    for (digit, letter) in text.bytes().rev().enumerate() {
        let value = BASE32.iter().position(|&known| known == letter)? as u16;
        let bit = digit * 5;
        let (byte, shift) = (bit / 8, bit % 8);
        let spread = value << shift;
        *bytes.get_mut(byte)? |= (spread & 0xff) as u8;
        let carry = (spread >> 8) as u8;
        match bytes.get_mut(byte + 1) {
            Some(next) => *next |= carry,
            None if carry != 0 => return None,
            None => {}
        }
    }
    Some(bytes)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let part = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for digit in 0..4 {
            if digit <= chunk.len() {
                let index = (bits >> (18 - digit * 6) & 0x3f) as usize;
                text.push(BASE64.get(index).copied().unwrap_or(b'A') as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut bits = 0u32;
    let mut count = 0;
    for letter in text.bytes() {
        if letter == b'=' {
            break;
        }
        let value = BASE64.iter().position(|&known| known == letter)? as u32;
        bits = (bits << 6 | value) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    Some(
        pairs
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

/// A hash in any of the usual notations.
pub(crate) fn parse(text: &str, algorithm: Option<&str>) -> Result<(Algorithm, Vec<u8>), String> {
    let (prefix, rest, sri) = match (text.split_once(':'), text.split_once('-')) {
        (Some((name, rest)), _) => (Some(name), rest, false),
        (None, Some((name, rest))) => (Some(name), rest, true),
        (None, None) => (None, text, false),
    };
    let unknown = |name: &str| format!("unknown hash algorithm '{name}'");
    let given = algorithm
        .map(|name| Algorithm::named(name).ok_or_else(|| unknown(name)))
        .transpose()?;
    let algorithm = match (prefix, given) {
        (Some(name), given) => {
            let found = Algorithm::named(name).ok_or_else(|| unknown(name))?;
            if let Some(given) = given
                && given != found
            {
                return Err(format!("hash '{text}' should have type '{}'", given.name()));
            }
            found
        }
        (None, Some(given)) => given,
        (None, None) => {
            return Err(format!(
                "hash '{text}' does not include a type, nor is the type otherwise known from context"
            ));
        }
    };
    let length = algorithm.length();
    let bytes = if sri {
        from_base64(rest)
    } else if rest.len() == length * 2 {
        from_hex(rest)
    } else if rest.len() == (length * 8).div_ceil(5) {
        from_base32(rest, length)
    } else {
        from_base64(rest)
    };
    match bytes {
        Some(bytes) if bytes.len() == length => Ok((algorithm, bytes)),
        _ => Err(format!(
            "hash '{rest}' has wrong length for hash algorithm '{}'",
            algorithm.name()
        )),
    }
}

/// Rewrites a hash in another notation.
pub(crate) fn convert(text: &str, algorithm: Option<&str>, format: &str) -> Result<String, String> {
    let (algorithm, bytes) = parse(text, algorithm)?;
    Ok(match format {
        "base16" => hex(&bytes),
        "nix32" | "base32" => base32(&bytes),
        "base64" => base64(&bytes),
        "sri" => format!("{}-{}", algorithm.name(), base64(&bytes)),
        other => return Err(format!("unknown hash format '{other}'")),
    })
}
