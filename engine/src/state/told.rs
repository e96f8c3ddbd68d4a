//! Which requests were taken: one match a request, rule and step.
//!
//! Matches alone are remembered, by event time: a request is known for as long as its rule's memory after the event that
//! was taken. Past the limit of a shard the one that would be forgotten first is forgotten now, and counted: a request may
//! then be told twice, with the same alert id, and never not at all. Until when that can happen is remembered of each rule,
//! so that what is taken meanwhile is known to be in doubt.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Of each rule until when a request could be known that was forgotten.
    lost: BTreeMap<u32, Nanos>,
    max: usize,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taking {
    /// It was not known, and is taken.
    pub(crate) new: bool,
    /// It may have been taken before, and been forgotten.
    pub(crate) in_doubt: bool,
    /// So many others had to be forgotten for it.
    pub(crate) forgotten: u64,
}

impl Told {
    pub(crate) fn new(keyed: Keyed, max: usize) -> Self {
        Self {
            taken: HashMap::with_hasher(keyed),
            by_end: BTreeSet::new(),
            lost: BTreeMap::new(),
            max: max.max(1),
        }
    }

    /// Takes a request at `at` if it is new.
    pub(crate) fn take(&mut self, key: ToldKey, at: Nanos, memory: Nanos) -> Taking {
        let mut taking = Taking { new: false, in_doubt: false, forgotten: 0 };
        // What does not wait comes in order of arrival, so a request may meet itself from either side.
        if self.knows(&key, at, memory) {
            return taking;
        }
        if let Some(before) = self.taken.get(&key).copied() {
            self.by_end.remove(&(before.saturating_add(memory), key));
        }
        if self.taken.len() >= self.max && crate::planted::planted(78) {
            return taking;
        }
        taking.new = true;
        taking.in_doubt = self.lost.get(&key.rule).is_some_and(|until| *until >= at);
        self.insert(key, at, memory);
        if self.taken.len() > self.max
            && let Some((end, oldest)) = self.by_end.pop_first()
        {
            self.taken.remove(&oldest);
            self.lose(oldest.rule, end);
            taking.forgotten = 1;
        }
        taking
    }

    /// A request of a rule that could be known until then is not.
    pub(crate) fn lose(&mut self, rule: u32, until: Nanos) {
        let lost = self.lost.entry(rule).or_insert(until);
        *lost = until.max(*lost);
    }

    /// Of each rule of which some were forgotten: until when they could be known.
    pub(crate) fn lost(&self) -> &BTreeMap<u32, Nanos> {
        &self.lost
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
        self.lost.retain(|_, until| *until >= watermark);
    }

    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    /// All, in the order in which they will be forgotten, each with the time at which it was taken.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (ToldKey, Nanos)> {
        self.by_end.iter().map(|(end, key)| (*key, self.taken.get(key).copied().unwrap_or(*end)))
    }
}
