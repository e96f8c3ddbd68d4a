//! Times as alerts write them.

use crate::matches::Nanos;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Writes a time as RFC 3339 in UTC, with as many digits of fraction as needed in steps of three, none if it is zero.
pub fn write_rfc3339(t: Nanos, out: &mut Vec<u8>) {
    let (seconds, fraction) = (t.div_euclid(SECOND), t.rem_euclid(SECOND));
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    number(year, 4, out);
    for (before, n) in
        [(b'-', month), (b'-', day), (b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)]
    {
        out.push(before);
        number(n, 2, out);
    }
    if fraction != 0 {
        out.push(b'.');
        match fraction {
            f if f % 1_000_000 == 0 => number(f / 1_000_000, 3, out),
            f if f % 1_000 == 0 => number(f / 1_000, 6, out),
            f => number(f, 9, out),
        }
    }
    out.push(b'Z');
}

/// Year, month and day of a number of days since the Unix epoch, by the proleptic Gregorian calendar: years are
/// counted from March, so that the leap day is their last, in eras of 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn number(n: i64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        let digit = n / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}
