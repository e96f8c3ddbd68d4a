//! The lowest or the highest value of a sliding window.
//!
//! A value that a newer one beats can never be the answer again and goes at once; what is left is a queue in the order of
//! time whose front is the answer. Past its limit the two oldest become one, the more extreme value with the later time:
//! it then stays too long and is never missed by a condition that asks whether anything was as extreme as that.

use std::collections::VecDeque;

use super::super::Cap;
use crate::matches::Nanos;
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
        let Some((_, most)) = self.queue.pop_front() else { return 0 };
        match self.queue.front_mut() {
            Some(front) => {
                front.1 = most;
                self.dropped = self.dropped.max(Some(front.0));
            }
            None => self.queue.push_back((at, most)),
        }
        1
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
