//! RFC 3339 times to nanoseconds and back, and nothing else of time.
//!
//! Written by hand since every event has two of them, and since what is let through is fixed in `docs/semantics.md`:
//! capital `T` and `Z`, no leap second, digits beyond nanoseconds cut off, only what 64 bits of nanoseconds can hold.

use crate::matches::Nanos;

const NANOS: i128 = 1_000_000_000;

/// Nanoseconds since the Unix epoch, or nothing if `text` is no such time.
#[must_use]
pub fn parse(text: &str) -> Option<Nanos> {
    parse_bytes(text.as_bytes())
}

/// As [`parse`].
#[inline]
pub(crate) fn parse_bytes(text: &[u8]) -> Option<Nanos> {
    match <&[u8; 27]>::try_from(text).ok().and_then(microseconds) {
        Some(nanos) => Some(nanos),
        None => general(text),
    }
}

/// `2026-11-22T02:15:30.000001Z`, which is how the API server writes it; years that need no care about ranges.
#[inline]
fn microseconds(text: &[u8; 27]) -> Option<Nanos> {
    const SIGNS: [(usize, u8); 7] =
        [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
    let mut odd = SIGNS.iter().fold(0, |odd, (at, sign)| odd | (text[*at] ^ sign));
    let mut number = |at: usize, len: usize| {
        text[at..at + len].iter().fold(0_i64, |n, byte| {
            let digit = byte.wrapping_sub(b'0');
            odd |= u8::from(digit > 9);
            n * 10 + i64::from(digit)
        })
    };
    let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
    let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2));
    let micros = number(20, 6);
    let there = odd == 0
        && (1970..2200).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && day <= days_of(year, month)
        && hour <= 23
        && minute <= 59
        && second <= 59;
    if !there {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000_000 + micros * 1000)
}

fn general(b: &[u8]) -> Option<Nanos> {
    if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || b[10] != b'T' || b[13] != b':' || b[16] != b':' {
        return None;
    }
    let (year, month, day) = (digits(&b[0..4])?, digits(&b[5..7])?, digits(&b[8..10])?);
    let (hour, minute, second) = (digits(&b[11..13])?, digits(&b[14..16])?, digits(&b[17..19])?);
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_of(year, month)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let mut rest = &b[19..];
    let mut fraction: i64 = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let count = after.iter().take_while(|c| c.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        for digit in after[..count].iter().chain(b"00000000").take(9) {
            fraction = fraction * 10 + i64::from(digit - b'0');
        }
        rest = &after[count..];
    }
    let offset = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    i64::try_from(i128::from(seconds) * NANOS + i128::from(fraction)).ok()
}

/// RFC 3339 in UTC, with as many digits of fraction as needed in steps of three, none if it is 0.
#[must_use]
pub fn format(nanos: Nanos) -> String {
    use std::fmt::Write as _;
    let (seconds, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    // Writing to a String cannot fail.
    let _ = match fraction {
        0 => Ok(()),
        f if f % 1_000_000 == 0 => write!(out, ".{:03}", f / 1_000_000),
        f if f % 1_000 == 0 => write!(out, ".{:06}", f / 1_000),
        f => write!(out, ".{f:09}"),
    };
    out.push('Z');
    out
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, years counted from March (Hinnant's algorithm).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
