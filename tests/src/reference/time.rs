//! RFC 3339, strictly, and its way back; minutes and days in a zone.

use chrono::{Datelike, Offset, TimeZone, Timelike};

/// Date, time, fraction, offset.
const RFC3339: &str = r"\A([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))\z";
const SECOND: i128 = 1_000_000_000;

/// Nanoseconds since the Unix epoch.
pub(super) fn parse(text: &str) -> Option<i64> {
    thread_local!(static PATTERN: std::cell::OnceCell<Option<regex::Regex>> = const { std::cell::OnceCell::new() });
    PATTERN.with(|cell| {
        let caught = cell.get_or_init(|| regex::Regex::new(RFC3339).ok()).as_ref()?.captures(text)?;
        let number = |i: usize| caught.get(i).and_then(|m| m.as_str().parse::<i64>().ok());
        let (year, month, day) = (number(1)?, number(2)?, number(3)?);
        let (hour, minute, second) = (number(4)?, number(5)?, number(6)?);
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let fraction = caught.get(7).map_or("", |m| m.as_str());
        let nanos: i128 = format!("{fraction:0<9}")[..9].parse().ok()?;
        let offset = match (caught.get(8), number(9), number(10)) {
            (Some(sign), Some(hours), Some(minutes)) => {
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let minutes = hours * 60 + minutes;
                if sign.as_str() == "-" { -minutes } else { minutes }
            }
            _ => 0,
        };
        let days = (1..month).map(|m| days_in(year, m)).sum::<i64>() + day - 1 + days_before(year);
        let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
        i64::try_from(i128::from(seconds) * SECOND + nanos).ok()
    })
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// From 1970-01-01 to the first of January of that year.
fn days_before(year: i64) -> i64 {
    let leaps = |y: i64| y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
}

/// In UTC, with 0, 3, 6 or 9 digits of fraction.
pub(super) fn render(nanos: i64) -> String {
    let at = chrono::DateTime::from_timestamp_nanos(nanos);
    let fraction = format!("{:09}", nanos.rem_euclid(1_000_000_000));
    let mut digits = fraction.as_str();
    while let Some(shorter) = digits.strip_suffix("000") {
        digits = shorter;
    }
    let date = format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day());
    let time = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    if digits.is_empty() { format!("{date}T{time}Z") } else { format!("{date}T{time}.{digits}Z") }
}

/// As `1h2m3.5s`.
pub(super) fn render_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    let (seconds, rest) = (all / 1_000_000_000, all % 1_000_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = format!("{rest:09}");
    let fraction = fraction.trim_end_matches('0');
    let seconds = if fraction.is_empty() { format!("{seconds}s") } else { format!("{seconds}.{fraction}s") };
    let text = match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m{seconds}"),
        _ => format!("{hours}h{minutes}m{seconds}"),
    };
    format!("{sign}{text}")
}

/// Seconds since the epoch as the zone's clocks show them.
fn local_seconds(nanos: i64, zone: &str) -> Option<i64> {
    let zone: chrono_tz::Tz = zone.parse().ok()?;
    let utc = chrono::DateTime::from_timestamp_nanos(nanos).naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    Some(nanos.div_euclid(1_000_000_000) + i64::from(offset))
}

/// The minute of the day in the zone.
pub(super) fn minute_of_day(nanos: i64, zone: &str) -> Option<u16> {
    u16::try_from(local_seconds(nanos, zone)?.rem_euclid(86_400) / 60).ok()
}

/// The day of the week in the zone.
pub(super) fn weekday(nanos: i64, zone: &str) -> Option<&'static str> {
    // 1970-01-01 was a Thursday.
    let days = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    let day = local_seconds(nanos, zone)?.div_euclid(86_400).rem_euclid(7);
    usize::try_from(day).ok().and_then(|day| days.get(day)).copied()
}
