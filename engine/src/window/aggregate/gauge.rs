//! One aggregate of a window that closes: values are added, and it is read once.

use std::collections::BTreeSet;

use super::super::{Past, Shortfall, spare};
use super::{Spec, Total, count, rank};
use crate::matches::{Counted, Value};
use crate::plan::AggregateKind;
use crate::plan::cost::{NUMBER_BYTES, VALUE_BYTES};

/// One aggregate's memory.
#[derive(Clone, Debug)]
pub(crate) enum Gauge {
    Count(u64),
    /// Different values; how many more came for which there was no room, each counted again if it came again; and how many
    /// had to go that the answer may need, or were too many of one match, which are always counted.
    Distinct(BTreeSet<Box<[u8]>>, u64, u64),
    /// With how many they are.
    Total(Total, u64),
    Extreme(Option<i64>),
    /// In the order in which they came, and whether there were more.
    Ranked(Vec<i64>, bool),
}

impl Gauge {
    pub(crate) fn new(spec: &Spec) -> Self {
        match spec.kind {
            AggregateKind::Count => Self::Count(0),
            AggregateKind::Distinct => Self::Distinct(BTreeSet::new(), 0, 0),
            AggregateKind::Sum | AggregateKind::Avg => Self::Total(Total::new(spec.measure), 0),
            AggregateKind::Min | AggregateKind::Max => Self::Extreme(None),
            AggregateKind::Percentile(_) => Self::Ranked(Vec::new(), false),
        }
    }

    /// Takes what a match adds; gives how much is missed for want of room.
    pub(crate) fn enter(&mut self, spec: &Spec, counted: &Counted) -> u64 {
        let room = |len: usize| len < spec.cap.kept_max;
        let mut shed = 0;
        match (self, counted) {
            (Self::Count(n), Counted::One) => *n += 1,
            (Self::Distinct(values, more, gone), Counted::Tuples(tuples) | Counted::Cut(tuples, _)) => {
                *gone = gone.saturating_add(counted.cut());
                for tuple in tuples {
                    if room(values.len()) {
                        values.insert(tuple.clone());
                    } else if !values.contains(tuple) {
                        *more += 1;
                        shed += 1;
                    }
                }
            }
            (Self::Total(total, n), Counted::Values(values)) => {
                values.iter().for_each(|bits| total.add(*bits, false));
                *n += values.len() as u64;
            }
            (Self::Extreme(most), Counted::Values(values)) => {
                let all = most.iter().chain(values).copied();
                *most = if matches!(spec.kind, AggregateKind::Max) { all.max() } else { all.min() };
            }
            (Self::Ranked(all, more), Counted::Values(values)) => {
                let fitting = values.len().min(spec.cap.kept_max.saturating_sub(all.len()));
                all.extend(values.iter().take(fitting));
                shed += (values.len() - fitting) as u64;
                *more |= shed > 0;
            }
            _ => {}
        }
        spec.cap.missed(shed)
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        match self {
            Self::Distinct(values, ..) => spare(values.len(), NUMBER_BYTES + VALUE_BYTES),
            Self::Ranked(values, _) => spare(values.len(), NUMBER_BYTES),
            Self::Count(_) | Self::Total(..) | Self::Extreme(_) => 0,
        }
    }

    /// Lets go of a value for want of room; gives how many are missed.
    pub(crate) fn squeeze(&mut self, spec: &Spec) -> u64 {
        match self {
            Self::Distinct(values, more, gone) => {
                values.pop_last();
                let missed = u64::from(values.len() < spec.cap.enough);
                *gone = gone.saturating_add(missed);
                *more += 1 - missed;
                missed
            }
            Self::Ranked(values, more) => {
                values.pop();
                if values.len() < values.capacity() / 4 {
                    values.shrink_to(values.len() * 2);
                }
                *more = true;
                1
            }
            Self::Count(_) | Self::Total(..) | Self::Extreme(_) => 0,
        }
    }

    /// Its value.
    pub(crate) fn get(&self, spec: &Spec) -> Value {
        match (self, spec.kind) {
            (Self::Count(n), _) => count(*n),
            // Above a bound that is asked it need not be known.
            (Self::Distinct(values, more, gone), _) => {
                let more = if spec.cap.past == Past::Approximate { *more } else { 0 };
                count((values.len() as u64).saturating_add(more).saturating_add(*gone))
            }
            (Self::Total(total, n), AggregateKind::Avg) => {
                total.average(usize::try_from(*n).unwrap_or(usize::MAX))
            }
            (Self::Total(total, _), _) => total.sum(),
            (Self::Extreme(most), _) => most.map_or(Value::Absent, |bits| spec.measure.value(bits)),
            (Self::Ranked(all, _), AggregateKind::Percentile(p)) => {
                let mut sorted = all.clone();
                sorted.sort_unstable();
                let found = sorted.get(rank(p, sorted.len()));
                found.map_or(Value::Absent, |bits| spec.measure.value(*bits))
            }
            (Self::Ranked(..), _) => Value::Absent,
        }
    }

    /// Adds what it is short of.
    pub(crate) fn shortfall(&self, spec: &Spec, short: &mut Shortfall) {
        let more = match self {
            Self::Distinct(_, more, gone) => {
                short.approximate |= *gone > 0;
                *more > 0
            }
            Self::Ranked(_, more) => *more,
            Self::Count(_) | Self::Total(..) | Self::Extreme(_) => false,
        };
        match spec.cap.past {
            Past::AtLeast => short.at_least |= more,
            Past::Approximate => short.approximate |= more,
        }
    }
}
