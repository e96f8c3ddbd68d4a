//! The lowest or the highest value of a sliding window.
//!
//! A value that a newer one beats can never be the answer again and goes at once; what is left is a queue in the order of
//! time whose front is the answer. Past its limit the two oldest become one, the more extreme value with the later time:
//! it then stays too long and is never missed by a condition that asks whether anything was as extreme as that.
//!
//! Why nothing is missed: for each entry (t, v) of the queue that has all the room there is, the one with a limit holds an
//! entry (t', v') with t' at or after t and v' as extreme as v or more. It is so for a value that just came. It stays so when
//! a newer value beats v': it then beats v as well. It stays so when two entries become one, which has the later time of
//! both and the more extreme value of both. And when (t', v') leaves for its time, (t, v) has left before. So the front of
//! the one with a limit, whose values descend as those of the other do, is never less extreme than the true answer.

use std::collections::VecDeque;

use super::super::{Cap, spare};
use crate::matches::Nanos;
use crate::plan::cost::NUMBER_BYTES;
use crate::planted::planted;

/// Values by time, the most extreme first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extreme {
    pub(crate) queue: VecDeque<(Nanos, i64)>,
    /// The latest time at which a value was kept for longer than its time.
    pub(crate) dropped: Option<Nanos>,
}

impl Extreme {
    /// A value comes; gives how many had to go for want of room.
    pub(crate) fn enter(&mut self, at: Nanos, bits: i64, highest: bool, cap: Cap) -> u64 {
        let beaten = |last: i64| if highest { last <= bits } else { last >= bits };
        while self.queue.back().is_some_and(|(_, last)| beaten(*last) || planted(38)) {
            self.queue.pop_back();
        }
        self.queue.push_back((at, bits));
        if self.queue.len() <= cap.kept_max {
            return 0;
        }
        u64::from(self.squeeze().is_some())
    }

    /// The two oldest values become one for want of room; gives until when that shows. Of a single one nothing can go.
    pub(crate) fn squeeze(&mut self) -> Option<Nanos> {
        let (_, most) = *self.queue.front()?;
        let next = self.queue.get_mut(1)?;
        next.1 = if planted(77) { next.1 } else { most };
        let until = next.0;
        self.queue.pop_front();
        self.dropped = self.dropped.max(Some(until));
        Some(until)
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        spare(self.queue.len(), NUMBER_BYTES)
    }

    pub(crate) fn leave(&mut self, from: Nanos) {
        while self.queue.front().is_some_and(|(t, _)| *t < from) {
            self.queue.pop_front();
        }
    }

    pub(crate) fn get(&self) -> Option<i64> {
        self.queue.front().map(|(_, bits)| *bits)
    }
}
