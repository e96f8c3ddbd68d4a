//! Times as the API server writes them, `2026-01-05T00:00:00.000000Z`: the text of a second is made once.

/// How wide a time is.
pub(crate) const WIDTH: usize = 27;
const MICROS: u64 = 1_000_000;

/// Writes times.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    second: u64,
    text: [u8; WIDTH],
}

impl Stamp {
    pub(crate) fn new() -> Self {
        let mut this = Self { second: 0, text: *b"1970-01-01T00:00:00.000000Z" };
        this.turn(0);
        this
    }

    /// The text of a time in microseconds since the Unix epoch.
    pub(crate) fn text(&mut self, micros: u64) -> &[u8; WIDTH] {
        if micros / MICROS != self.second {
            self.turn(micros / MICROS);
        }
        digits(&mut self.text[20..26], micros % MICROS);
        &self.text
    }

    /// Days to a date as Howard Hinnant's `civil_from_days` does it, for days since the epoch.
    fn turn(&mut self, second: u64) {
        self.second = second;
        let (days, of_day) = (second / 86_400, second % 86_400);
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        digits(&mut self.text[0..4], year);
        digits(&mut self.text[5..7], month);
        digits(&mut self.text[8..10], day);
        digits(&mut self.text[11..13], of_day / 3_600);
        digits(&mut self.text[14..16], of_day / 60 % 60);
        digits(&mut self.text[17..19], of_day % 60);
    }
}

/// A number in as many digits as there is room for.
fn digits(at: &mut [u8], mut number: u64) {
    for digit in at.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}
