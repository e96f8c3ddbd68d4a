//! Exact sums, from which values can be taken back without a trace.
//!
//! Every double is a whole multiple of 2^-1074, so a sum of doubles is one large whole number of these. Of the 2,100 bits
//! that it may have only the words in use are kept: three or four for what people count. It is rounded once, when it is
//! read. Durations are whole numbers anyway.

use super::number;
use crate::matches::Value;
use crate::plan::Measure;

/// More words than any sum of 2^64 doubles needs.
pub(crate) const WORDS_MAX: usize = 36;

/// A sum of doubles: a whole number in two's complement, times 2^-1074.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exact {
    /// How many words of zeros stand below the first.
    pub(crate) low: usize,
    /// Lowest first. The last one, if any, is the sign: all zeros or all ones.
    pub(crate) words: Vec<u64>,
}

impl Exact {
    /// Adds a finite number, or takes it away.
    pub(crate) fn add(&mut self, n: f64, away: bool) {
        let bits = n.to_bits();
        let field = usize::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
        let fraction = bits & ((1 << 52) - 1);
        // The smallest doubles have no hidden bit and the exponent of those with the lowest one.
        let (whole, shift) = if field == 0 { (fraction, 0) } else { (fraction | 1 << 52, field - 1) };
        if whole == 0 {
            return;
        }
        let (word, bit) = (shift / 64, shift % 64);
        let value = i128::from(whole) << bit;
        let value = if (bits >> 63 == 1) == away { value } else { -value };
        self.reach(word);
        let mut carry = value;
        for at in self.words.iter_mut().skip(word - self.low) {
            if carry == 0 {
                break;
            }
            // A word of the carry is added; what is above it is carried on, with its sign.
            let sum = i128::from(*at) + i128::from(low_word(carry));
            *at = low_word(sum);
            carry = (carry >> 64) + (sum >> 64);
        }
        // The sign's word took part; where it is no plain sign any more, or the carry ran out of it, there is one more.
        let sign = self.words.last().copied().unwrap_or(0);
        let above = u64::from(sign >> 63 == 1).wrapping_neg();
        if sign != above {
            self.words.push(above);
        }
    }

    /// Adds another sum, or takes it away.
    pub(crate) fn join(&mut self, other: &Self, away: bool) {
        if other.words.is_empty() {
            return;
        }
        let low = if self.words.is_empty() { other.low } else { self.low.min(other.low) };
        // One more for the sign, which both go on with above their last word.
        let end = (self.low + self.words.len()).max(other.low + other.words.len()) + 1;
        // To take away is to add what has all bits the other way round, and one.
        let mut carry = away;
        let words = (low..end).map(|at| {
            let theirs = if away { !other.word(at) } else { other.word(at) };
            let (sum, over) = self.word(at).overflowing_add(theirs);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            carry = over || more;
            sum
        });
        let mut words: Vec<u64> = words.collect();
        while words.len() > 1 && words.last() == words.get(words.len() - 2) {
            words.pop();
        }
        *self = Self { low, words };
    }

    /// The word at a place, as if there were words without end on both sides.
    fn word(&self, at: usize) -> u64 {
        match at.checked_sub(self.low) {
            Some(at) => self.words.get(at).or(self.words.last()).copied().unwrap_or(0),
            None => 0,
        }
    }

    /// Makes words from `word` on, two more than a number needs: one for its carry and one for the sign.
    fn reach(&mut self, word: usize) {
        if self.words.is_empty() {
            self.low = word;
        }
        if word < self.low {
            let missing = self.low - word;
            self.words.splice(0..0, std::iter::repeat_n(0, missing));
            self.low = word;
        }
        let sign = self.words.last().copied().unwrap_or(0);
        let len = (word - self.low + 3).max(self.words.len());
        self.words.resize(len, sign);
    }

    /// Rounded to the nearest double, ties to even; nothing if that is not finite.
    pub(crate) fn round(&self) -> Option<f64> {
        let negative = self.words.last().is_some_and(|sign| *sign != 0);
        let mut words = self.words.clone();
        if negative {
            let mut carry = true;
            for word in &mut words {
                (*word, carry) = (!*word).overflowing_add(u64::from(carry));
            }
        }
        let Some(top) = words.iter().rposition(|word| *word != 0) else { return Some(0.0) };
        let bit = |at: usize| words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
        let highest = top * 64 + 63 - words.get(top).map_or(0, |word| word.leading_zeros() as usize);
        // From here on bits are counted from 2^-1074.
        let below = self.low * 64;
        let last = (highest + below).saturating_sub(52);
        let mut whole = 0_u64;
        for at in (last..=highest + below).rev() {
            whole = whole << 1 | u64::from(at >= below && bit(at - below));
        }
        let half = last > below && bit(last - below - 1);
        let rest = last > below && (0..last - below - 1).any(bit);
        if last > 2045 {
            return None;
        }
        // A carry out of the 53 bits raises the exponent, as it should.
        let magnitude =
            (u64::try_from(last).ok()? << 52) + whole + u64::from(half && (rest || whole & 1 == 1));
        let n = f64::from_bits(magnitude | u64::from(negative) << 63);
        n.is_finite().then_some(n)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the lowest word is what is asked for"
)]
fn low_word(n: i128) -> u64 {
    n as u64
}

/// The sum of an aggregate's values.
#[derive(Clone, Debug)]
pub(crate) enum Total {
    Numbers(Exact),
    Nanos(i128),
}

impl Total {
    pub(crate) fn new(measure: Measure) -> Self {
        match measure {
            Measure::Number => Self::Numbers(Exact::default()),
            Measure::Duration | Measure::Time => Self::Nanos(0),
        }
    }

    pub(crate) fn add(&mut self, bits: i64, away: bool) {
        match self {
            Self::Numbers(exact) => exact.add(number(bits), away),
            Self::Nanos(sum) if away => *sum -= i128::from(bits),
            Self::Nanos(sum) => *sum += i128::from(bits),
        }
    }

    /// Adds another one of the same measure, or takes it away.
    pub(crate) fn join(&mut self, other: &Self, away: bool) {
        match (self, other) {
            (Self::Numbers(exact), Self::Numbers(other)) => exact.join(other, away),
            (Self::Nanos(sum), Self::Nanos(other)) if away => *sum = sum.saturating_sub(*other),
            (Self::Nanos(sum), Self::Nanos(other)) => *sum = sum.saturating_add(*other),
            _ => {}
        }
    }

    pub(crate) fn sum(&self) -> Value {
        match self {
            Self::Numbers(exact) => exact.round().map_or(Value::Absent, Value::Number),
            Self::Nanos(sum) => i64::try_from(*sum).map_or(Value::Absent, Value::Duration),
        }
    }

    /// The average of so many values.
    #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
    pub(crate) fn average(&self, n: usize) -> Value {
        if n == 0 {
            return Value::Absent;
        }
        match self.sum() {
            Value::Number(sum) => Value::Number(sum / n as f64),
            Value::Duration(sum) => {
                let (sum, n) = (i128::from(sum), n as i128);
                let nearest = (2 * sum.abs() + n) / (2 * n) * sum.signum();
                i64::try_from(nearest).map_or(Value::Absent, Value::Duration)
            }
            _ => Value::Absent,
        }
    }
}
