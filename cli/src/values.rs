//! Values of arguments that clap does not know: durations and sizes.

/// A duration as the language writes it: `5s`, `1m30s`, `250ms`; in nanoseconds.
pub(crate) fn duration(text: &str) -> Result<i64, String> {
    const UNITS: [(&str, i64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    let wrong = || "a duration is numbers with units, such as 5s, 1m30s or 250ms".to_owned();
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, behind) = split(rest, |c| c.is_ascii_digit());
        let (unit, behind) = split(behind, |c| c.is_ascii_alphabetic());
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let part = number.checked_mul(*size);
        total = part.and_then(|part| total.checked_add(part)).ok_or("that is longer than 292 years")?;
        rest = behind;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

/// A size: a number of bytes, or of `KiB`, `MiB`, `GiB` (`K`, `M`, `G` for short).
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let wrong = || "a size is a number with KiB, MiB or GiB behind it, such as 64MiB".to_owned();
    let (number, unit) = split(text, |c| c.is_ascii_digit());
    let shift = match unit {
        "" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        _ => return Err(wrong()),
    };
    let number: usize = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(1 << shift) {
        Some(0) | None => Err(wrong()),
        Some(bytes) => Ok(bytes),
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, want) in
            [("5s", 5_000_000_000), ("1m30s", 90_000_000_000), ("250ms", 250_000_000), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(want));
        }
        for text in ["", "5", "s", "5 s", "-5s", "5x", "1.5s", "99999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, want) in [("1", 1), ("64MiB", 64 << 20), ("2K", 2048), ("1GiB", 1 << 30)] {
            assert_eq!(size(text), Ok(want));
        }
        for text in ["", "0", "MiB", "1MB", "-1", "99999999999999999999G"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
