// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Numbers as the flags of `docker run` are written: whole numbers with the prefixes of Go, sizes,
//! durations, shares of a processor.

use super::flags::quoted;

type Read<T> = Result<T, String>;

/// `true`, `false` and their short forms.
pub(crate) fn boolean(text: &str) -> Read<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("{} is neither true nor false", quoted(text))),
    }
}

/// A whole number: decimal, or with 0x, 0o, 0b or a leading 0.
pub(crate) fn integer(text: &str) -> Read<i64> {
    let wrong = || format!("{} is no whole number", quoted(text));
    let (is_negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if digits.starts_with(['-', '+']) {
        return Err(wrong());
    }
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match (lower.get(..2), lower.len()) {
        (Some("0x"), _) => (16, lower.get(2..)),
        (Some("0o"), _) => (8, lower.get(2..)),
        (Some("0b"), _) => (2, lower.get(2..)),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.get(1..)),
        _ if lower.starts_with('_') => return Err(wrong()),
        _ => (10, Some(lower.as_str())),
    };
    let body = body.unwrap_or_default();
    if body.ends_with('_') || body.contains("__") {
        return Err(wrong());
    }
    let body: String = body.chars().filter(|c| *c != '_').collect();
    if body.starts_with(['-', '+']) {
        return Err(wrong());
    }
    let sign = if is_negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{body}"), radix).map_err(|_| wrong())
}

/// A whole number between bounds.
pub(crate) fn within(text: &str, least: i64, most: i64) -> Read<i64> {
    let number = integer(text)?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{number} is not between {least} and {most}"))
    }
}

/// A weight of block I/O.
pub(crate) fn weight(text: &str) -> Read<u16> {
    let number = within(text, 0, i64::from(u16::MAX))?;
    u16::try_from(number).map_err(|_| format!("{number} is too large"))
}

/// Bytes: a number, and b, k, m, g, t or p with multiples of 1024.
pub(crate) fn size(text: &str) -> Read<i64> {
    let wrong = || format!("{} is no size: write a number and b, k, m, g, t or p", quoted(text));
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').ok_or_else(wrong)?;
    let (number, unit) = (text.get(..=end).unwrap_or_default(), text.get(end + 1..));
    let number = number.strip_suffix(' ').unwrap_or(number);
    // Rust's own reading takes a little more than Go's.
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !number.chars().all(is_plain) {
        return Err(wrong());
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(wrong()),
    };
    let bytes = number * 1024f64.powi(factor);
    // 2^63, the first that no longer fits.
    if (0.0..9_223_372_036_854_775_808.0).contains(&bytes) {
        #[expect(clippy::cast_possible_truncation, reason = "the range has been looked at")]
        return Ok(bytes as i64);
    }
    Err(wrong())
}

/// As [`size`], and -1 for no limit.
pub(crate) fn swap(text: &str) -> Read<i64> {
    if text == "-1" { Ok(-1) } else { size(text) }
}

/// A share of a processor as billionths: `1.5`, `1/2`, `5e-1`.
pub(crate) fn processors(text: &str) -> Read<i64> {
    let wrong = || format!("{} is no number of processors: write 2, 1.5 or 1/2", quoted(text));
    let billion = 1_000_000_000i128;
    let exact = |above: i128, below: i128| {
        let above = above.checked_mul(billion)?;
        (below != 0 && above % below == 0).then(|| above / below)
    };
    let nanos = match text.split_once('/') {
        Some((above, below)) => {
            let is_number = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
            if !is_number(below) {
                return Err(wrong());
            }
            let above: i64 = above.parse().map_err(|_| wrong())?;
            let below: i64 = below.parse().map_err(|_| wrong())?;
            exact(above.into(), below.into())
        }
        None => {
            let (digits, power) = decimal(text).ok_or_else(wrong)?;
            match u32::try_from(power.unsigned_abs()).ok().and_then(|p| 10i128.checked_pow(p)) {
                Some(ten) if power >= 0 => digits.checked_mul(ten).and_then(|n| exact(n, 1)),
                Some(ten) => exact(digits, ten),
                None => None,
            }
        }
    };
    let nanos = nanos.ok_or_else(|| format!("{} is too precise or too large", quoted(text)))?;
    i64::try_from(nanos).map_err(|_| wrong())
}

/// Digits and the power of ten that they are multiplied with.
fn decimal(text: &str) -> Option<(i128, i64)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let digits = format!("{unsigned}{part}");
    if digits.is_empty() || digits.len() > 30 || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: i128 = digits.parse().ok()?;
    let number = if whole.starts_with('-') { -number } else { number };
    let places = i64::try_from(part.len()).ok()?;
    Some((number, i64::from(exponent) - places))
}

/// A duration as nanoseconds: `1m30s`, `1.5h`, `100ms`; a unit is needed.
pub(crate) fn duration(text: &str) -> Read<i64> {
    let wrong = || format!("{} is no duration: write 30s, 500ms or 1m30s", quoted(text));
    let (is_negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() || text.len() > 100 {
        return Err(wrong());
    }
    let mut total = 0i128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at_checked(end).ok_or_else(wrong)?;
        let next = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(next).ok_or_else(wrong)?;
        total += part_of_duration(number, unit).ok_or_else(wrong)?;
        rest = after;
    }
    let total = if is_negative { -total } else { total };
    i64::try_from(total).map_err(|_| wrong())
}

fn part_of_duration(number: &str, unit: &str) -> Option<i128> {
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || part.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part = part.get(..part.len().min(15)).unwrap_or_default();
    let places = u32::try_from(part.len()).ok()?;
    let part: i128 = if part.is_empty() { 0 } else { part.parse().ok()? };
    Some(i128::from(whole) * unit + part * unit / 10i128.pow(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("1.5g"), Ok(1_610_612_736));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1e3"), Ok(1000));
        for wrong in ["", "-1", "1x", "g", "1kbb", "9223372036854775808", "1e999", "1e1e1", "٣"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(swap("-1"), Ok(-1));
    }

    #[test]
    fn durations_need_a_unit_that_exists() {
        assert_eq!(duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(duration("1.5h"), Ok(5_400_000_000_000));
        assert_eq!(duration("-1s"), Ok(-1_000_000_000));
        assert_eq!(duration("0"), Ok(0));
        for wrong in ["", "5", "s", "1y", "1s1", ".s", "1.2.3s", "9223372037s", "+", "1µ"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn processors_are_exact() {
        assert_eq!(processors("1.5"), Ok(1_500_000_000));
        assert_eq!(processors("1/2"), Ok(500_000_000));
        assert_eq!(processors("5e-1"), Ok(500_000_000));
        for wrong in ["", "1/3", "0.0000000001", "1/0", "x", "1e99999999", "1/-2", "--1"] {
            assert!(processors(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn whole_numbers_know_prefixes() {
        assert_eq!(integer("0x10"), Ok(16));
        assert_eq!(integer("-017"), Ok(-15));
        assert_eq!(integer("1_000"), Ok(1000));
        assert_eq!(integer("0"), Ok(0));
        for wrong in ["", "1_", "_1", "08", "--1", "0x", "0x-1", "9223372036854775808", "1.0"] {
            assert!(integer(wrong).is_err(), "{wrong}");
        }
    }
}
