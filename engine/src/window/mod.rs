//! What one group key of one rule remembers: the requests of its window or what was measured over them, what waits at each
//! step of its sequence, what values it has shown, when it was last heard of.
//!
//! Everything here is fed in the one order of time, so that rings stay sorted by being appended to, and what is too old
//! leaves at the front: entering and leaving are O(1) amortised (O(log n) for distinct values). A window never looks at
//! an event; a match brought with it all that is counted.
//!
//! Each memory has a limit. Past it the oldest goes, and the window knows since when it is short of something: an alert
//! decided while that would still count says so. Under a lower bound the condition stays exact and the count becomes
//! "at least"; otherwise the answer is marked as approximate. It then leans to the side of too much: counts and sums hold
//! on to what went until it would have left by itself ([`slices`]), a lowest or highest value stays too long, what cannot
//! be told from what is known counts as different. So a condition that more events only make truer is never missed.

pub(crate) mod aggregate;
pub(crate) mod closing;
pub(crate) mod distinct;
pub(crate) mod first_seen;
pub(crate) mod sequence;
pub(crate) mod silent;
pub(crate) mod slices;
pub(crate) mod sliding;
#[cfg(test)]
mod tests;
pub(crate) mod weight;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::limits::{LATER_BYTES_MAX, LATER_HELD_BYTES_MAX};
use crate::matches::{EventMeta, Nanos, Value};

/// A request in somebody's evidence.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) effective: Nanos,
    pub(crate) late: bool,
    pub(crate) dry_run_unknown: bool,
    pub(crate) meta: Arc<EventMeta>,
}

/// Whom a window belongs to that is judged by a timer, when no match is at hand: from its last match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    /// The parts of the group's key.
    pub(crate) key: Vec<Value>,
    pub(crate) cluster: Option<Arc<str>>,
    /// What the last match brought along; empty if there was none.
    pub(crate) captures: Vec<Value>,
    /// For want of room some of that is unknown.
    pub(crate) short: bool,
}

impl Owner {
    /// With as much of what it brought along as is kept at all.
    pub(crate) fn new(key: Vec<Value>, cluster: Option<Arc<str>>, captures: Vec<Value>) -> Self {
        let mut owner = Self { key, cluster, captures, short: false };
        if weight::texts(&owner.captures) > LATER_HELD_BYTES_MAX {
            owner.squeeze();
        }
        owner
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        weight::texts(&self.captures).saturating_sub(LATER_BYTES_MAX) as u64
    }

    /// Lets go of what takes room. Gives how much is missed.
    pub(crate) fn squeeze(&mut self) -> u64 {
        let long = self.captures.iter_mut().filter(|value| weight::inside(value) > 0);
        long.for_each(|value| *value = Value::Unknown);
        self.short = true;
        1
    }
}

/// How much is kept of something, and what it means if there was more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cap {
    pub(crate) kept_max: usize,
    /// With so many the answer is still exact, whatever else there was.
    pub(crate) enough: usize,
    pub(crate) past: Past,
    /// In stretches of which length a window that slides counts what went.
    pub(crate) slice: Nanos,
}

impl Cap {
    /// Of what counts to the last one.
    pub(crate) fn whole(kept_max: usize) -> Self {
        Self { kept_max: kept_max.max(1), enough: usize::MAX, past: Past::Approximate, slice: 1 }
    }

    /// Of what matters no more past so many: the newest of them are kept, and some more.
    pub(crate) fn newest(kept_max: usize, enough: usize) -> Self {
        Self { kept_max: kept_max.max(1), enough, past: Past::AtLeast, slice: 1 }
    }

    /// How much of what went is missed: nothing where only a lower bound is asked, whose answer stays exact.
    pub(crate) fn missed(self, gone: u64) -> u64 {
        match self.past {
            Past::AtLeast => 0,
            Past::Approximate => gone,
        }
    }
}

/// What of so many that are kept takes so many bytes each can go for want of room: all but one.
pub(crate) fn spare(len: usize, bytes: u64) -> u64 {
    (len as u64).saturating_sub(1).saturating_mul(bytes)
}

/// Gives back what a queue had room for when it was longer.
pub(crate) fn shrink<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > SHRUNK_MIN && queue.len() < queue.capacity() / 4 {
        queue.shrink_to(queue.len() * 2);
    }
}

/// Queues with so little room stay as they are.
const SHRUNK_MIN: usize = 16;

/// What a count means past its cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Only a lower bound is asked: the count reads "at least", the condition is exact.
    AtLeast,
    /// The answer may be wrong.
    Approximate,
}

/// How well a window knows what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shortfall {
    pub(crate) at_least: bool,
    pub(crate) approximate: bool,
}

impl Shortfall {
    /// Adds what a memory that let go of something at `dropped` is short of, in a window that begins at `from`.
    fn add(&mut self, dropped: Option<Nanos>, from: Nanos, past: Past) {
        if dropped.is_some_and(|t| t >= from) {
            match past {
                Past::AtLeast => self.at_least = true,
                Past::Approximate => self.approximate = true,
            }
        }
    }
}
