//! One aggregate of a window that slides: values enter at the back and leave at the front.

use std::collections::VecDeque;

use super::super::distinct::Distinct;
use super::super::{Cap, Shortfall};
use super::{Extreme, Ranked, Spec, Total, count, rank};
use crate::matches::{Counted, Nanos, Value};
use crate::plan::AggregateKind;

/// One aggregate's memory.
#[derive(Clone, Debug)]
pub(crate) enum Counter {
    /// All matches of the window.
    Requests,
    /// Those that its filter takes.
    Filtered(Kept),
    Distinct(Distinct),
    Total(Kept, Total),
    Extreme(Extreme),
    Ranked(Kept, Ranked),
}

/// Values with their times, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) values: VecDeque<(Nanos, i64)>,
    /// The latest time at which a value was let go of because there were too many.
    pub(crate) dropped: Option<Nanos>,
}

impl Kept {
    /// Puts a value behind; gives the one that had to go for it.
    fn push(&mut self, at: Nanos, bits: i64, cap: Cap) -> Option<i64> {
        self.values.push_back((at, bits));
        if self.values.len() <= cap.kept_max {
            return None;
        }
        let (t, bits) = self.values.pop_front()?;
        self.dropped = self.dropped.max(Some(t));
        Some(bits)
    }

    /// Takes the first value out if it is too old.
    fn pop(&mut self, from: Nanos) -> Option<i64> {
        let (_, bits) = self.values.pop_front_if(|(t, _)| *t < from)?;
        Some(bits)
    }
}

impl Counter {
    pub(crate) fn new(spec: &Spec) -> Self {
        match spec.kind {
            AggregateKind::Count if !spec.filtered => Self::Requests,
            AggregateKind::Count => Self::Filtered(Kept::default()),
            AggregateKind::Distinct => Self::Distinct(Distinct::default()),
            AggregateKind::Sum | AggregateKind::Avg => Self::Total(Kept::default(), Total::new(spec.measure)),
            AggregateKind::Min | AggregateKind::Max => Self::Extreme(Extreme::default()),
            AggregateKind::Percentile(_) => Self::Ranked(Kept::default(), Ranked::default()),
        }
    }

    /// Takes what a match adds; gives how much is missed for want of room.
    pub(crate) fn enter(&mut self, spec: &Spec, at: Nanos, counted: &Counted) -> u64 {
        let gone = match (self, counted) {
            (Self::Filtered(kept), Counted::One) => u64::from(kept.push(at, 0, spec.cap).is_some()),
            (Self::Distinct(distinct), Counted::Tuples(tuples)) => {
                tuples.iter().map(|tuple| distinct.enter(at, tuple, spec.cap)).sum()
            }
            (counter, Counted::Values(values)) => {
                values.iter().map(|bits| counter.value(spec, at, *bits)).sum()
            }
            _ => 0,
        };
        spec.cap.missed(gone)
    }

    /// Takes one value; gives how many had to go for it.
    pub(crate) fn value(&mut self, spec: &Spec, at: Nanos, bits: i64) -> u64 {
        match self {
            Self::Total(kept, total) => {
                total.add(bits, false);
                let gone = kept.push(at, bits, spec.cap);
                gone.into_iter().map(|bits| total.add(bits, true)).count() as u64
            }
            Self::Extreme(extreme) => {
                extreme.enter(at, bits, matches!(spec.kind, AggregateKind::Max), spec.cap)
            }
            Self::Ranked(kept, ranked) => {
                ranked.insert(bits);
                let gone = kept.push(at, bits, spec.cap);
                gone.into_iter().map(|bits| ranked.remove(bits)).count() as u64
            }
            Self::Filtered(kept) => u64::from(kept.push(at, bits, spec.cap).is_some()),
            Self::Requests | Self::Distinct(_) => 0,
        }
    }

    /// Lets go of all that is of before `from`.
    pub(crate) fn leave(&mut self, from: Nanos) {
        match self {
            Self::Requests => {}
            Self::Filtered(kept) => while kept.pop(from).is_some() {},
            Self::Distinct(distinct) => distinct.leave(from),
            Self::Total(kept, total) => {
                while let Some(bits) = kept.pop(from) {
                    if crate::planted::planted(37) {
                        continue;
                    }
                    total.add(bits, true);
                }
                if kept.values.is_empty()
                    && let Total::Numbers(exact) = total
                {
                    // It is 0 already; only the words go.
                    *exact = super::Exact::default();
                }
            }
            Self::Extreme(extreme) => extreme.leave(from),
            Self::Ranked(kept, ranked) => {
                while let Some(bits) = kept.pop(from) {
                    ranked.remove(bits);
                }
            }
        }
    }

    /// Its value, in a window of so many matches.
    pub(crate) fn get(&self, spec: &Spec, matches: usize) -> Value {
        let of = |bits: Option<i64>| bits.map_or(Value::Absent, |bits| spec.measure.value(bits));
        match (self, spec.kind) {
            (Self::Requests, _) => count(matches as u64),
            (Self::Filtered(kept), _) => count(kept.values.len() as u64),
            (Self::Distinct(distinct), _) => count(distinct.len() as u64),
            (Self::Total(kept, total), AggregateKind::Avg) => total.average(kept.values.len()),
            (Self::Total(_, total), _) => total.sum(),
            (Self::Extreme(extreme), _) => of(extreme.get()),
            (Self::Ranked(_, ranked), AggregateKind::Percentile(p)) => of(ranked.get(rank(p, ranked.len()))),
            (Self::Ranked(..), _) => Value::Absent,
        }
    }

    /// Adds what it is short of in a window that begins at `from`.
    pub(crate) fn shortfall(&self, spec: &Spec, from: Nanos, short: &mut Shortfall) {
        let dropped = match self {
            Self::Requests => None,
            Self::Filtered(kept) | Self::Total(kept, _) | Self::Ranked(kept, _) => kept.dropped,
            Self::Distinct(distinct) => distinct.dropped,
            Self::Extreme(extreme) => extreme.dropped,
        };
        short.add(dropped, from, spec.cap.past);
    }
}
