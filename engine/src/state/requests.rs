//! The table of a rule about requests themselves: what such a rule remembers of each request, in a few dozen bytes.
//!
//! Such a rule ([`dsl::ir::OfRequests`]) matches every event. Run as other rules are, each request would be a key with a
//! group, a timer and two entries among the requests told, made in order to find out that its answer came. Here it is one
//! entry: when it was taken, when its answer was, and until that came the match itself, packed. Which of several matches of
//! a request is taken, and what an answer ends, is exactly what the ordinary machine would say; as all of it is about one
//! request (one `auditID`), each entry stands for itself. What may have something to tell leaves the table and goes on into
//! the ordinary machine: a request whose wait is over, and the first request of an id that comes a second time.
//!
//! A table has room for so many bytes. Past it the entry that was touched longest ago is forgotten, as requests told are;
//! if its request still waits it goes on early, which is dearer and not wrong. Matches come in the one order of time, so
//! that what is forgotten is a function of the events alone. Until when one that was forgotten could be known is
//! remembered: what is taken meanwhile is in doubt.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use super::hash::{GroupId, Keyed};
use crate::limits::{REQUEST_BYTES, REQUEST_HELD_BYTES};
use crate::matches::{Nanos, RequestId, SourceId};
use crate::planted::planted;
use crate::time::Order;

/// A match of a rule about requests themselves, with its place in time.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(super) order: Order,
    /// Its key's place in the table.
    pub(super) place: GroupId,
    pub(super) rule: u32,
    pub(super) step: u32,
    /// Its event's number in its block.
    pub(super) event: u32,
    pub(super) dry_run_unknown: bool,
    pub(super) packed: Box<[u8]>,
}

impl Held {
    pub(super) fn at(&self) -> Nanos {
        self.order.effective
    }

    pub(super) fn request(&self) -> RequestId {
        RequestId(self.order.request)
    }

    pub(super) fn source(&self) -> SourceId {
        SourceId(self.order.source)
    }

    /// By how much it was dated up.
    pub(super) fn moved(&self) -> Nanos {
        self.at().saturating_sub(self.order.stage_timestamp)
    }

    pub(super) fn bytes(&self) -> usize {
        REQUEST_HELD_BYTES + self.packed.len()
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == std::cmp::Ordering::Equal
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    /// As waiting matches of other rules.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |of: &Self| (of.order, of.rule, of.step, of.event);
        key(self).cmp(&key(other))
    }
}

/// What is remembered of one request, or of one id.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// When the request was taken by the step that is told.
    pub(super) taken: Option<Nanos>,
    /// When it was taken by the step that forbids.
    pub(super) answered: Option<Nanos>,
    /// The match that was taken, as long as it may have something to tell.
    pub(super) held: Option<Box<Held>>,
}

impl Entry {
    pub(super) fn newest(&self) -> Nanos {
        self.taken.max(self.answered).unwrap_or(Nanos::MIN)
    }

    fn bytes(&self) -> usize {
        REQUEST_BYTES + self.held.as_ref().map_or(0, |held| held.bytes())
    }
}

/// What a match of the step that is told means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Its request was taken before.
    Duplicate,
    /// Its answer is of its own time and has come.
    Settled,
    /// It waits.
    Waits,
}

/// What a match of the step that forbids means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// Its request was taken before.
    Duplicate,
    /// It was waited for.
    Settled,
    /// Nothing in the table waits for it.
    Alone,
}

/// What a match of an id means.
#[derive(Debug)]
pub(super) enum Repeated {
    /// Its request was taken before.
    Duplicate,
    /// Nothing is remembered of its id.
    New(Held),
    /// It is another one than the first, which no longer stands in the table.
    Second(Box<Held>, Held),
}

/// The table of one rule in one virtual shard.
#[derive(Clone, Debug)]
pub(super) struct Table {
    entries: HashMap<GroupId, Entry, Keyed>,
    /// By the time at which each was touched; those touched again since stand in it twice.
    order: VecDeque<(Nanos, GroupId)>,
    bytes: usize,
    max: usize,
    /// Until when an entry could be known that was forgotten.
    lost: Option<Nanos>,
}

impl Table {
    pub(super) fn new(keyed: Keyed, max: usize) -> Self {
        Self { entries: HashMap::with_hasher(keyed), order: VecDeque::new(), bytes: 0, max, lost: None }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A request is taken by the step that is told.
    pub(super) fn asked(&mut self, held: Held, memory: Nanos) -> Asked {
        let (place, at) = (held.place, held.at());
        let Some(entry) = self.entries.get_mut(&place) else {
            self.insert(place, Entry { taken: Some(at), answered: None, held: Some(Box::new(held)) });
            return Asked::Waits;
        };
        if taken(entry.taken, at, memory) {
            return Asked::Duplicate;
        }
        entry.taken = Some(at);
        self.order.push_back((at, place));
        // What came just before it in the order of its time is behind it as well.
        if entry.answered == Some(at) {
            return Asked::Settled;
        }
        self.bytes += held.bytes();
        let before = entry.held.replace(Box::new(held));
        self.bytes -= before.map_or(0, |held| held.bytes());
        Asked::Waits
    }

    /// A request is taken by the step that forbids.
    pub(super) fn answered(&mut self, place: GroupId, at: Nanos, memory: Nanos) -> Answered {
        let Some(entry) = self.entries.get_mut(&place) else {
            self.insert(place, Entry { taken: None, answered: Some(at), held: None });
            return Answered::Alone;
        };
        if taken(entry.answered, at, memory) {
            return Answered::Duplicate;
        }
        entry.answered = Some(at);
        self.order.push_back((at, place));
        let Some(held) = entry.held.take() else { return Answered::Alone };
        self.bytes -= held.bytes();
        if planted(56) {
            self.remove(place);
        }
        Answered::Settled
    }

    /// A request of an id.
    pub(super) fn repeated(&mut self, held: Held, memory: Nanos) -> Repeated {
        let (place, at) = (held.place, held.at());
        let Some(entry) = self.entries.get(&place) else { return Repeated::New(held) };
        if !taken(entry.taken, at, memory) {
            self.remove(place);
            return Repeated::New(held);
        }
        let same = entry.held.as_ref().is_some_and(|first| first.request() == held.request());
        if same {
            return Repeated::Duplicate;
        }
        match self.remove(place).and_then(|entry| entry.held) {
            Some(first) => Repeated::Second(first, held),
            None => Repeated::New(held),
        }
    }

    /// The first request of an id.
    pub(super) fn first(&mut self, held: Held) {
        let entry = Entry { taken: Some(held.at()), answered: None, held: Some(Box::new(held)) };
        if let Some(held) = &entry.held {
            self.insert(held.place, entry);
        }
    }

    /// Puts an entry in, behind all others.
    pub(super) fn insert(&mut self, place: GroupId, entry: Entry) {
        self.order.push_back((entry.newest(), place));
        self.bytes += entry.bytes();
        if let Some(before) = self.entries.insert(place, entry) {
            self.bytes -= before.bytes();
        }
    }

    fn remove(&mut self, place: GroupId) -> Option<Entry> {
        let entry = self.entries.remove(&place)?;
        self.bytes -= entry.bytes();
        Some(entry)
    }

    /// The entry that was touched longest ago, if the table is too full.
    pub(super) fn too_much(&mut self) -> Option<Entry> {
        while self.bytes > self.max {
            let (at, place) = self.order.pop_front()?;
            if let Some(entry) = self.untouched(place, at) {
                return Some(entry);
            }
        }
        None
    }

    /// An entry that could be known until then is not.
    pub(super) fn lose(&mut self, until: Nanos) {
        self.lost = self.lost.max(Some(until));
    }

    /// Until when an entry could be known that was forgotten.
    pub(super) fn lost(&self) -> Option<Nanos> {
        self.lost
    }

    /// Lets go of all that no match at or after `now` can meet.
    pub(super) fn forget(&mut self, now: Nanos, memory: Nanos) {
        while let Some((at, place)) = self.order.pop_front_if(|(at, _)| at.saturating_add(memory) < now) {
            self.untouched(place, at);
        }
    }

    /// Takes an entry out if it was not touched since.
    fn untouched(&mut self, place: GroupId, since: Nanos) -> Option<Entry> {
        (self.entries.get(&place)?.newest() == since).then(|| self.remove(place))?
    }

    /// Whether what was taken at a time still waits.
    pub(super) fn waits(&self, place: GroupId, since: Nanos) -> bool {
        let held = self.entries.get(&place).and_then(|entry| entry.held.as_ref());
        held.is_some_and(|held| held.at() == since)
    }

    /// Takes what waits since then out; that it was taken stays known.
    pub(super) fn overdue(&mut self, place: GroupId, since: Nanos) -> Option<Held> {
        let entry = self.entries.get_mut(&place)?;
        let held = entry.held.take_if(|held| held.at() == since)?;
        self.bytes -= held.bytes();
        Some(*held)
    }

    /// All that is remembered, what was touched longest ago first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (GroupId, &Entry)> {
        self.order.iter().filter_map(|(at, place)| {
            let entry = self.entries.get(place)?;
            (entry.newest() == *at).then_some((*place, entry))
        })
    }
}

/// Whether what was taken then is known at `at`.
fn taken(then: Option<Nanos>, at: Nanos, memory: Nanos) -> bool {
    then.is_some_and(|then| at.saturating_sub(then) <= memory)
}
