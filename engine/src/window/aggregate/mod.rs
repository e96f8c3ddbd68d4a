//! What is counted and measured over the matches of a window.
//!
//! Values are numbers, durations or times, and an aggregate has values of one kind only, so that each is kept as 64 bits
//! which sort as the values do ([`Measure`]). A window that slides must be able to take a value back: sums are exact, so
//! that taking one back leaves no trace; the lowest and the highest stand at the front of a queue of all that may yet be;
//! a percentile is looked up in all values in their order. A window that closes is asked once and only adds.
//!
//! Entering and leaving are O(1) amortised, for distinct values and percentiles O(log n). What a key may keep is limited;
//! past that the oldest go and the answer says so. Sums, counts and extremes of a closing window keep no values and know no
//! limit.
//!
//! Past a limit no count, sum of what is never below 0 or highest value is lower than the exact one, and no lowest value
//! is higher: [`Slices`](super::slices::Slices) and [`Extreme`] have the reasons.

mod extreme;
mod gauge;
mod ranked;
mod slide;
mod sum;
#[cfg(test)]
mod tests;

pub(crate) use extreme::Extreme;
pub(crate) use gauge::Gauge;
pub(crate) use ranked::{Ranked, rank};
pub(crate) use slide::{Counter, Kept};
pub(crate) use sum::{Exact, Total, WORDS_MAX};

use super::Cap;
use super::slices::slice_of;
use crate::limits::WINDOW_KEPT_MIN;
use crate::matches::{Nanos, Value};
use crate::plan::{Aggregate, AggregateKind, Measure};

impl Measure {
    /// The bits of a value that sort as the values do; nothing for what is none of these.
    pub(crate) fn bits(self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Number, Value::Number(n)) if n.is_finite() => Some(sortable(*n)),
            (Self::Duration, Value::Duration(n)) | (Self::Time, Value::Time(n)) => Some(*n),
            _ => None,
        }
    }

    /// The value of such bits.
    pub(crate) fn value(self, bits: i64) -> Value {
        match self {
            Self::Number => Value::Number(number(bits)),
            Self::Duration => Value::Duration(bits),
            Self::Time => Value::Time(bits),
        }
    }
}

fn sortable(n: f64) -> i64 {
    // -0 is 0.
    flipped((n + 0.0).to_bits().cast_signed())
}

pub(crate) fn number(bits: i64) -> f64 {
    f64::from_bits(flipped(bits).cast_unsigned())
}

/// Below 0 doubles sort by their bits the other way round.
fn flipped(bits: i64) -> i64 {
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// How one aggregate of a rule is kept; the same for all keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) kind: AggregateKind,
    pub(crate) measure: Measure,
    /// Counts only some of the matches.
    pub(crate) filtered: bool,
    /// How many matches or values are kept.
    pub(crate) cap: Cap,
}

impl Spec {
    pub(crate) fn new(aggregate: &Aggregate, matches_per_key_max: usize) -> Self {
        let whole = Cap::whole(matches_per_key_max);
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let newest = |n: u64| Cap::newest(size(n.max(WINDOW_KEPT_MIN)), size(n));
        let cap = match (aggregate.enough, aggregate.kind) {
            (Some(n), AggregateKind::Count) if !aggregate.filtered => newest(n),
            (Some(n), AggregateKind::Distinct) => newest(n),
            _ => whole,
        };
        Self { kind: aggregate.kind, measure: aggregate.measure, filtered: aggregate.filtered, cap }
    }

    /// What is kept where nobody counts the matches: enough for the evidence.
    pub(crate) fn evidence() -> Cap {
        let kept_max = usize::try_from(WINDOW_KEPT_MIN).unwrap_or(usize::MAX);
        Cap::newest(kept_max, 0)
    }

    /// For a window that slides and is so long.
    pub(crate) fn within(mut self, within: Nanos) -> Self {
        self.cap.slice = slice_of(within);
        self
    }
}

/// A count as a value of the language.
#[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
pub(crate) fn count(n: u64) -> Value {
    Value::Number(n as f64)
}
