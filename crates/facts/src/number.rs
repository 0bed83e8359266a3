//! Numbers as tools print them.

use source::Bytes;

/// The largest size that is believed: 8 EiB, the largest file or device that Linux can address.
/// <https://www.kernel.org/doc/html/latest/filesystems/ext4/overview.html> names the same bound.
const LARGEST_SIZE: f64 = 9_223_372_036_854_775_808.0;

/// A decimal number with a point, or with a comma as some locales have it.
/// No exponent, no infinity, no letters.
pub(crate) fn float(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut separators = 0;
    let mut any = false;
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => any = true,
            b'.' | b',' => separators += 1,
            _ => return None,
        }
    }
    if !any || separators > 1 {
        return None;
    }
    if text.contains(',') {
        text.replace(',', ".").parse().ok()
    } else {
        text.parse().ok()
    }
}

/// A float that is a rate, a time or a share: a number, not below zero.
pub(crate) fn amount(text: &str) -> Option<f64> {
    match leading_decimal(text.as_bytes()) {
        Some((value, length)) if length == text.len() => Some(value),
        // A sign, a comma, more digits than are exact, or no number at all.
        _ => float(text).filter(|number| *number >= 0.0),
    }
}

/// The number of at most 15 digits that the bytes begin with, and its length.
/// This is what most bytes of a log are, so it takes no detour over text.
#[inline]
pub(crate) fn leading_decimal(bytes: &[u8]) -> Option<(f64, usize)> {
    const SCALES: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let digit = |at: usize| {
        bytes
            .get(at)
            .map(|byte| byte.wrapping_sub(b'0'))
            .filter(|digit| *digit < 10)
    };
    let mut number = 0_u64;
    let mut at = 0;
    while let Some(digit) = digit(at) {
        if at == 15 {
            return None;
        }
        number = number * 10 + u64::from(digit);
        at += 1;
    }
    if bytes.get(at) != Some(&b'.') {
        return (at > 0).then_some((number as f64, at));
    }
    let whole = at;
    at += 1;
    while let Some(digit) = digit(at) {
        if at == 16 {
            return None;
        }
        number = number * 10 + u64::from(digit);
        at += 1;
    }
    let fraction = at - whole - 1;
    // Both are exact below 2^53, so the quotient is the nearest float.
    (whole + fraction > 0).then(|| (number as f64 / SCALES.get(fraction).copied().unwrap_or(1.0), at))
}

/// The whole number that the bytes begin with, and its length.
#[inline]
pub(crate) fn leading_whole(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    let mut length = 0;
    // 19 digits always fit.
    for byte in bytes.iter().take(19) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (length > 0).then_some((number, length));
        }
        number = number * 10 + u64::from(digit);
        length += 1;
    }
    for byte in bytes.get(length..)? {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
        length += 1;
    }
    (length > 0).then_some((number, length))
}

/// A whole number without a sign.
pub(crate) fn whole(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A size as coreutils, btrfs-progs, util-linux and OpenZFS print it:
/// `1073741824`, `1.00GiB`, `1,5G`, `512B`, `4.0K`, `0.00B`.
/// A letter alone counts in powers of 1024; `kB`, `MB` and so on in powers of 1000.
pub(crate) fn size(text: &str) -> Option<Bytes> {
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split)?;
    let unit = unit.trim();
    if unit.is_empty()
        && let Some(bytes) = whole(number)
    {
        return (bytes as f64 <= LARGEST_SIZE).then_some(Bytes(bytes));
    }
    let bytes = amount(number)? * factor(unit)?;
    // The cast rounds to the nearest byte; the bound keeps it exact enough to be one.
    (bytes <= LARGEST_SIZE).then(|| Bytes(bytes.round() as u64))
}

/// What a unit of size is worth in bytes.
fn factor(unit: &str) -> Option<f64> {
    if unit.is_empty() || unit == "B" {
        return Some(1.0);
    }
    let mut letters = unit.chars();
    let power = match letters.next()?.to_ascii_uppercase() {
        'K' => 1,
        'M' => 2,
        'G' => 3,
        'T' => 4,
        'P' => 5,
        'E' => 6,
        _ => return None,
    };
    match letters.as_str() {
        "" | "iB" | "i" => Some(1024_f64.powi(power)),
        "B" => Some(1000_f64.powi(power)),
        _ => None,
    }
}

/// A percentage: `12%`, `12.50%`, `12,5`.
pub(crate) fn percent(text: &str) -> Option<f64> {
    amount(text.strip_suffix('%').unwrap_or(text).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_every_tool() {
        let shown: Vec<_> = [
            "0",
            "512B",
            "0.00B",
            "4.0K",
            "1,5G",
            "1.00GiB",
            "252G",
            "1kB",
            "8EiB",
            "9EiB",
            "16777216.00PiB",
            "-1",
            "",
            "G",
            "1.2.3G",
            "1e9",
            "nan",
            "18446744073709551615",
        ]
        .map(|text| (text, size(text).map(|bytes| bytes.0)))
        .into();
        expect_test::expect![[r#"
            [
                (
                    "0",
                    Some(
                        0,
                    ),
                ),
                (
                    "512B",
                    Some(
                        512,
                    ),
                ),
                (
                    "0.00B",
                    Some(
                        0,
                    ),
                ),
                (
                    "4.0K",
                    Some(
                        4096,
                    ),
                ),
                (
                    "1,5G",
                    Some(
                        1610612736,
                    ),
                ),
                (
                    "1.00GiB",
                    Some(
                        1073741824,
                    ),
                ),
                (
                    "252G",
                    Some(
                        270582939648,
                    ),
                ),
                (
                    "1kB",
                    Some(
                        1000,
                    ),
                ),
                (
                    "8EiB",
                    Some(
                        9223372036854775808,
                    ),
                ),
                (
                    "9EiB",
                    None,
                ),
                (
                    "16777216.00PiB",
                    None,
                ),
                (
                    "-1",
                    None,
                ),
                (
                    "",
                    None,
                ),
                (
                    "G",
                    None,
                ),
                (
                    "1.2.3G",
                    None,
                ),
                (
                    "1e9",
                    None,
                ),
                (
                    "nan",
                    None,
                ),
                (
                    "18446744073709551615",
                    None,
                ),
            ]
        "#]]
        .assert_debug_eq(&shown);
    }
}
