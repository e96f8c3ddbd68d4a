//! One aggregate of a window that slides: values enter at the back and leave at the front.

use std::collections::VecDeque;

use super::super::distinct::Distinct;
use super::super::slices::Slices;
use super::super::{Cap, Past, Shortfall, shrink, spare};
use super::{Extreme, Ranked, Spec, Total, count, rank};
use crate::matches::{Counted, Nanos, Value};
use crate::plan::AggregateKind;
use crate::plan::cost::NUMBER_BYTES;
use crate::planted::planted;

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
        self.squeeze()
    }

    /// Takes out the first value for want of room.
    fn squeeze(&mut self) -> Option<(Nanos, i64)> {
        let (t, bits) = self.values.pop_front()?;
        self.dropped = self.dropped.max(Some(t));
        Some((t, bits))
    }

    fn spare(&self) -> u64 {
        spare(self.values.len(), NUMBER_BYTES)
    }

    /// A value that went for want of room is still counted, and stays in the sum: its stretch knows what to take out again.
    fn went(&mut self, spec: &Spec, (t, bits): (Nanos, i64)) {
        let slice = self.gone.add(t, spec.cap.slice);
        if matches!(spec.kind, AggregateKind::Sum | AggregateKind::Avg) {
            slice.total.get_or_insert_with(|| Total::new(spec.measure)).add(bits, false);
        }
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
            (Self::Distinct(distinct, gone), Counted::Tuples(tuples) | Counted::Cut(tuples, _)) => {
                let mut went = 0;
                for t in tuples.iter().filter_map(|tuple| distinct.enter(at, tuple, spec.cap)) {
                    went += 1;
                    if spec.cap.past == Past::Approximate {
                        gone.add(t, spec.cap.slice);
                    }
                }
                if counted.cut() > 0 && !planted(95) {
                    gone.add_many(at, counted.cut(), spec.cap.slice);
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
                let gone = kept.push(at, bits, spec.cap);
                gone.into_iter().map(|gone| kept.went(spec, gone)).count() as u64
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
                let gone = kept.push(at, bits, spec.cap);
                gone.into_iter().map(|gone| kept.went(spec, gone)).count() as u64
            }
            Self::Requests | Self::Distinct(..) => 0,
        }
    }

    /// What of it can go for want of room, in bytes: of values, and of stretches of time.
    fn spares(&self) -> (u64, u64) {
        match self {
            Self::Requests => (0, 0),
            Self::Filtered(kept) | Self::Total(kept, _) | Self::Ranked(kept, _) => {
                (kept.spare(), kept.gone.spare())
            }
            Self::Distinct(distinct, gone) => (distinct.spare(), gone.spare()),
            Self::Extreme(extreme) => (extreme.spare(), 0),
        }
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        let (values, stretches) = self.spares();
        values.saturating_add(stretches)
    }

    /// Lets go of the oldest value for want of room, or makes one of two stretches of time. Gives the time of the value,
    /// and what its going means.
    pub(crate) fn squeeze(&mut self, spec: &Spec) -> Option<(Nanos, Past)> {
        let (values, stretches) = self.spares();
        match self {
            Self::Filtered(Kept { gone, .. })
            | Self::Total(Kept { gone, .. }, _)
            | Self::Ranked(Kept { gone, .. }, _)
            | Self::Distinct(_, gone)
                if stretches > values =>
            {
                gone.squeeze();
                None
            }
            Self::Requests => None,
            Self::Filtered(kept) | Self::Total(kept, _) => {
                let gone = kept.squeeze()?;
                shrink(&mut kept.values);
                kept.went(spec, gone);
                Some((gone.0, Past::Approximate))
            }
            Self::Ranked(kept, ranked) => {
                let (t, bits) = kept.squeeze()?;
                shrink(&mut kept.values);
                ranked.remove(bits);
                Some((t, Past::Approximate))
            }
            Self::Distinct(distinct, gone) => {
                let t = distinct.squeeze()?;
                if distinct.len() >= spec.cap.enough {
                    return Some((t, Past::AtLeast));
                }
                gone.add(t, spec.cap.slice);
                Some((t, Past::Approximate))
            }
            Self::Extreme(extreme) => {
                let t = extreme.squeeze()?;
                shrink(&mut extreme.queue);
                Some((t, Past::Approximate))
            }
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
                    if planted(37) {
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
