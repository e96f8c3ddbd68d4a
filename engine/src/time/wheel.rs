//! One wheel for all timers: windows that close, silences, waits that end, groups that nobody needs any more.
//!
//! Levels instead of slots: a timer lies in the level of the highest bit in which its time differs from the time that has
//! been reached. As time moves only the timers of one level come closer, each of them by at least one level, so that a
//! timer is moved at most 64 times however far ahead it was set, mostly once or twice, and setting one costs a shift and a
//! push. Looking for the next one costs one look at 64 levels, each of which knows its lowest time.
//!
//! Nothing is ever taken out before its time: whoever changes his mind ignores the timer when it comes. Time never runs
//! backwards; a timer that is set for a time that is over fires next.

#[cfg(test)]
mod tests;

use crate::matches::Nanos;

/// One level for each bit of a time, and one for the time that has been reached.
const LEVELS: usize = 65;

/// Timers, each with whatever tells what is due; of one time they fire in the order of that.
#[derive(Clone, Debug)]
pub(crate) struct Wheel<T> {
    levels: Vec<Level<T>>,
    /// The time that has been reached.
    now: Nanos,
    /// Whether what is due now is in its order.
    sorted: bool,
}

#[derive(Clone, Debug)]
struct Level<T> {
    timers: Vec<(Nanos, T)>,
    lowest: Nanos,
}

impl<T> Level<T> {
    const EMPTY: Self = Self { timers: Vec::new(), lowest: Nanos::MAX };
}

impl<T: Ord> Wheel<T> {
    pub(crate) fn new() -> Self {
        let levels = std::iter::repeat_with(|| Level::EMPTY).take(LEVELS).collect();
        Self { levels, now: Nanos::MIN, sorted: true }
    }

    /// Sets a timer.
    pub(crate) fn arm(&mut self, at: Nanos, what: T) {
        let at = at.max(self.now);
        let differs = (at ^ self.now).unsigned_abs_bits();
        let Some(level) = self.levels.get_mut(differs) else { return };
        level.lowest = if level.timers.is_empty() { at } else { level.lowest.min(at) };
        level.timers.push((at, what));
        self.sorted &= differs != 0;
    }

    /// The time of the next timer.
    pub(crate) fn next(&self) -> Option<Nanos> {
        // All of a level come before all of the levels above.
        self.levels.iter().find(|level| !level.timers.is_empty()).map(|level| level.lowest)
    }

    /// How many timers are set, those that nobody waits for any more among them.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.levels.iter().map(|level| level.timers.len()).sum()
    }

    /// Moves time on, to the time of the next timer at most; what is due then can be taken.
    pub(crate) fn reach(&mut self, now: Nanos) {
        if now <= self.now {
            return;
        }
        let differs = (now ^ self.now).unsigned_abs_bits();
        self.now = now;
        // What lay in lower levels was before `now`: it is still to be taken, and due.
        for level in 0..=differs {
            let Some(level) = self.levels.get_mut(level) else { return };
            if level.timers.is_empty() {
                continue;
            }
            for (at, what) in std::mem::replace(level, Level::EMPTY).timers {
                self.arm(at, what);
            }
        }
    }

    /// Takes the first timer that is due now and for which `wanted` holds; it must hold for all in front of one for which
    /// it holds.
    pub(crate) fn take(&mut self, wanted: impl Fn(&T) -> bool) -> Option<T> {
        let due = &mut self.levels.first_mut()?.timers;
        if !self.sorted {
            // The first stands last, from where it is taken cheaply.
            due.sort_unstable_by(|(_, a), (_, b)| b.cmp(a));
            self.sorted = true;
        }
        due.pop_if(|(_, what)| wanted(what)).map(|(_, what)| what)
    }
}

/// How many bits a difference has.
trait Bits {
    fn unsigned_abs_bits(self) -> usize;
}

impl Bits for Nanos {
    fn unsigned_abs_bits(self) -> usize {
        (Nanos::BITS - self.leading_zeros()) as usize
    }
}
