//! One aggregate of a window that slides: values enter at the back and leave at the front.

use std::collections::VecDeque;

use super::super::distinct::Distinct;
use super::super::slices::Slices;
use super::super::{Cap, Past, Shortfall};
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
    /// And the values that had to go, each counted again if it came again: never fewer than there were.
    Distinct(Distinct, Slices),
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
    /// What of that is still counted.
    pub(crate) gone: Slices,
}

impl Kept {
    /// Puts a value behind; gives the one that had to go for it.
    fn push(&mut self, at: Nanos, bits: i64, cap: Cap) -> Option<(Nanos, i64)> {
        self.values.push_back((at, bits));
        if self.values.len() <= cap.kept_max {
            return None;
        }
        let (t, bits) = self.values.pop_front()?;
        self.dropped = self.dropped.max(Some(t));
        Some((t, bits))
    }

    /// Takes the first value out if it is too old.
    fn pop(&mut self, from: Nanos) -> Option<i64> {
        let (_, bits) = self.values.pop_front_if(|(t, _)| *t < from)?;
        Some(bits)
    }

    /// How many there are, those that went included.
    fn count(&self) -> u64 {
        (self.values.len() as u64).saturating_add(self.gone.count())
    }
}

impl Counter {
    pub(crate) fn new(spec: &Spec) -> Self {
        match spec.kind {
            AggregateKind::Count if !spec.filtered => Self::Requests,
            AggregateKind::Count => Self::Filtered(Kept::default()),
            AggregateKind::Distinct => Self::Distinct(Distinct::default(), Slices::default()),
            AggregateKind::Sum | AggregateKind::Avg => Self::Total(Kept::default(), Total::new(spec.measure)),
            AggregateKind::Min | AggregateKind::Max => Self::Extreme(Extreme::default()),
            AggregateKind::Percentile(_) => Self::Ranked(Kept::default(), Ranked::default()),
        }
    }

    /// Takes what a match adds; gives how much is missed for want of room.
    pub(crate) fn enter(&mut self, spec: &Spec, at: Nanos, counted: &Counted) -> u64 {
        let gone = match (self, counted) {
            (counter @ Self::Filtered(_), Counted::One) => counter.value(spec, at, 0),
            (Self::Distinct(distinct, gone), Counted::Tuples(tuples)) => {
                let mut went = 0;
                for t in tuples.iter().filter_map(|tuple| distinct.enter(at, tuple, spec.cap)) {
                    went += 1;
                    if spec.cap.past == Past::Approximate {
                        gone.add(t, spec.cap.slice);
                    }
                }
                went
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
                let Some((t, bits)) = kept.push(at, bits, spec.cap) else { return 0 };
                // It stays in the sum; its stretch knows what to take out again.
                let slice = kept.gone.add(t, spec.cap.slice);
                slice.total.get_or_insert_with(|| Total::new(spec.measure)).add(bits, false);
                1
            }
            Self::Extreme(extreme) => {
                extreme.enter(at, bits, matches!(spec.kind, AggregateKind::Max), spec.cap)
            }
            Self::Ranked(kept, ranked) => {
                ranked.insert(bits);
                let gone = kept.push(at, bits, spec.cap);
                gone.into_iter().map(|(_, bits)| ranked.remove(bits)).count() as u64
            }
            Self::Filtered(kept) => {
                let Some((t, _)) = kept.push(at, bits, spec.cap) else { return 0 };
                kept.gone.add(t, spec.cap.slice);
                1
            }
            Self::Requests | Self::Distinct(..) => 0,
        }
    }

    /// Lets go of all that is of before `from`.
    pub(crate) fn leave(&mut self, from: Nanos) {
        match self {
            Self::Requests => {}
            Self::Filtered(kept) => {
                while kept.pop(from).is_some() {}
                kept.gone.leave(from);
            }
            Self::Distinct(distinct, gone) => {
                distinct.leave(from);
                gone.leave(from);
            }
            Self::Total(kept, total) => {
                while let Some(bits) = kept.pop(from) {
                    if crate::planted::planted(37) {
                        continue;
                    }
                    total.add(bits, true);
                }
                while let Some(slice) = kept.gone.pop(from) {
                    slice.total.iter().for_each(|of| total.join(of, true));
                }
                if kept.count() == 0
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
    pub(crate) fn get(&self, spec: &Spec, matches: u64) -> Value {
        let of = |bits: Option<i64>| bits.map_or(Value::Absent, |bits| spec.measure.value(bits));
        match (self, spec.kind) {
            (Self::Requests, _) => count(matches),
            (Self::Filtered(kept), _) => count(kept.count()),
            (Self::Distinct(distinct, gone), _) => {
                count((distinct.len() as u64).saturating_add(gone.count()))
            }
            (Self::Total(kept, total), AggregateKind::Avg) => {
                total.average(usize::try_from(kept.count()).unwrap_or(usize::MAX))
            }
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
            Self::Distinct(distinct, _) => distinct.dropped,
            Self::Extreme(extreme) => extreme.dropped,
        };
        short.add(dropped, from, spec.cap.past);
    }
}
