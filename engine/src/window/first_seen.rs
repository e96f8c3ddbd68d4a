//! What values a key has shown, and since when it is known.
//!
//! Each tuple is kept with the last time it was shown, until it is older than the window. Past the limit the oldest go: what
//! was forgotten is told again as new, and never is anything taken for known that was not shown. A key that has shown
//! nothing for a whole window is kept as the time of its first match alone, so that it need not learn again.

use super::Cap;
use super::distinct::Distinct;
use crate::matches::Nanos;
use crate::planted::planted;

/// How a rule's memories work; the same for all keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstSeenSpec {
    pub(crate) within: Nanos,
    pub(crate) learning: Nanos,
    cap: Cap,
}

impl FirstSeenSpec {
    pub(crate) fn new(within: Nanos, learning: Nanos, matches_per_key_max: usize) -> Self {
        Self { within, learning, cap: Cap::whole(matches_per_key_max) }
    }
}

/// The memory of one key.
#[derive(Clone, Debug)]
pub(crate) struct FirstSeen {
    /// Its first match.
    pub(crate) began: Nanos,
    pub(crate) tuples: Distinct,
}

/// What a match brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// A tuple that is new. It may have been forgotten, if `unsure`.
    New { unsure: bool },
    /// Something new, but the key only learns yet.
    Learned,
    /// Nothing new.
    Known,
}

impl FirstSeen {
    pub(crate) fn new(began: Nanos) -> Self {
        Self { began, tuples: Distinct::default() }
    }

    /// Of a key that comes at `at` and may have been here before, unremembered: it need not learn, and for as long as that
    /// could show nothing is surely new.
    pub(crate) fn forgotten(spec: &FirstSeenSpec, at: Nanos) -> Self {
        let more = spec.learning.saturating_sub(spec.within).max(0);
        let mut this = Self::new(Nanos::MIN);
        this.tuples.dropped = Some(at.saturating_add(more));
        this
    }

    /// Of a key that is known since `began`, but may have shown something before `at` for which there was no room.
    pub(crate) fn short(began: Nanos, at: Nanos) -> Self {
        let mut this = Self::new(began);
        this.tuples.dropped = Some(at);
        this
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        self.tuples.spare()
    }

    /// Forgets what is too old at `at`.
    pub(crate) fn leave(&mut self, spec: &FirstSeenSpec, at: Nanos) {
        self.tuples.leave(at.saturating_sub(spec.within));
    }

    /// Forgets the oldest tuple for want of room. Gives how many went.
    pub(crate) fn squeeze(&mut self) -> u64 {
        u64::from(self.tuples.squeeze().is_some())
    }

    /// A match shows these tuples, and has so many more that are not told apart: one of them may be new, and is not
    /// remembered. Gives also how many others had to be forgotten for them.
    pub(crate) fn show(
        &mut self,
        spec: &FirstSeenSpec,
        at: Nanos,
        (tuples, more): (&[Box<[u8]>], u64),
    ) -> (Sight, u64) {
        let from = at.saturating_sub(spec.within).saturating_add(i64::from(planted(32)));
        self.tuples.leave(from);
        if more > 0 {
            self.tuples.dropped = self.tuples.dropped.max(Some(at));
        }
        let new = more > 0 || tuples.iter().any(|tuple| !self.tuples.contains(tuple));
        let unsure = self.tuples.dropped.is_some_and(|dropped| dropped >= from);
        let renewed = |tuple: &&[u8]| !(planted(33) && self.tuples.contains(tuple));
        let tuples: Vec<&[u8]> = tuples.iter().map(|tuple| &**tuple).filter(renewed).collect();
        let gone = tuples.into_iter().filter_map(|tuple| self.tuples.enter(at, tuple, spec.cap));
        let shed = gone.count() as u64;
        let sight = match new {
            true if at.saturating_sub(self.began) >= spec.learning.saturating_add(i64::from(planted(31))) => {
                Sight::New { unsure }
            }
            true => Sight::Learned,
            false => Sight::Known,
        };
        (sight, shed)
    }
}
