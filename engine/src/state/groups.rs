//! The group keys that one virtual shard remembers, and what happens when there are too many.
//!
//! A group lives as long as its window or its throttle can still matter and is dropped by a timer just after, which no
//! answer can show. What its throttle held back is remembered beyond that, in a table of its own.
//!
//! Each rule may have so many groups in a shard. Past that the safe side is taken: where more events only make the
//! condition truer (lower bounds, sequences), new keys share one window of the shard, run by the same code, which counts
//! too much and never misses, and says `approximate`; a throttle alone is simply not remembered, so that more is told;
//! for all other conditions new keys are refused and counted.

use std::collections::{BTreeMap, HashMap};

use super::hash::{GroupId, Keyed};
use super::rules::{RuleSpec, ShapeSpec};
use crate::matches::Nanos;
use crate::window::sequence::Sequence;
use crate::window::sliding::Sliding;

/// A rule and one of its groups.
pub(crate) type GroupKey = (u32, GroupId);

/// What is remembered of one group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) window: Window,
    /// Effective time of the event that completed the last alert told.
    pub(crate) last_told: Option<Nanos>,
    /// Alerts held back since.
    pub(crate) suppressed: u64,
    /// Effective time of its newest event.
    pub(crate) newest: Nanos,
    /// Many keys share it.
    pub(crate) shared: bool,
    /// The next timer at which its window is to be judged.
    pub(crate) due: Option<Nanos>,
    /// The timer at which to look whether it is idle.
    pub(crate) idle: Option<Nanos>,
}

impl Group {
    /// Until when its window or its throttle can matter: both ends are in.
    pub(crate) fn alive(&self, spec: &RuleSpec) -> Nanos {
        let window = self.newest.saturating_add(spec.window);
        let throttle = self.last_told.map_or(Nanos::MIN, |told| told.saturating_add(spec.throttle));
        window.max(throttle)
    }
}

/// The state machine of a group.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    None,
    Sliding(Sliding),
    Sequence(Sequence),
}

impl Window {
    fn new(spec: &RuleSpec) -> Self {
        match &spec.shape {
            ShapeSpec::Each => Self::None,
            ShapeSpec::Sliding(sliding) => Self::Sliding(Sliding::new(sliding)),
            ShapeSpec::Sequence { steps } => Self::Sequence(Sequence::new(*steps)),
        }
    }

    /// When it is to be judged next by a timer, as things stand.
    pub(crate) fn due(&self) -> Option<Nanos> {
        match self {
            Self::None | Self::Sliding(_) | Self::Sequence(_) => None,
        }
    }

    /// How many alerts it may still give by waiting.
    pub(crate) fn pending(&self) -> u64 {
        match self {
            Self::None | Self::Sliding(_) | Self::Sequence(_) => 0,
        }
    }
}

/// Which group a match goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Its own.
    Own,
    /// The one that all keys without room share.
    Shared,
    /// None.
    Refused,
}

/// All groups of a shard.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    pub(crate) all: HashMap<GroupKey, Group, Keyed>,
    per_rule: Vec<usize>,
    per_rule_max: usize,
    /// What throttles of idle groups held back, with the order in which to forget.
    held: HashMap<GroupKey, (u64, u64), Keyed>,
    held_order: BTreeMap<u64, GroupKey>,
    held_next: u64,
}

impl Groups {
    pub(crate) fn new(keyed: Keyed, rules: usize, per_rule_max: usize) -> Self {
        Self {
            all: HashMap::with_hasher(keyed),
            per_rule: vec![0; rules],
            per_rule_max: per_rule_max.max(1),
            held: HashMap::with_hasher(keyed),
            held_order: BTreeMap::new(),
            held_next: 0,
        }
    }

    /// Where there is room for a group.
    pub(crate) fn room(&self, key: GroupKey, spec: &RuleSpec) -> Room {
        let known = self.all.contains_key(&key);
        let room = self.per_rule.get(key.0 as usize).is_some_and(|n| *n < self.per_rule_max);
        match (known || room, spec.monotone) {
            (true, _) => Room::Own,
            (false, true) => Room::Shared,
            (false, false) => Room::Refused,
        }
    }

    /// The group of that key, made if it is new, for an event at `at`.
    pub(crate) fn enter(&mut self, key: GroupKey, spec: &RuleSpec, at: Nanos, shared: bool) -> &mut Group {
        let groups = &mut self.all;
        let group = groups.entry(key).or_insert_with(|| {
            if !shared && let Some(n) = self.per_rule.get_mut(key.0 as usize) {
                *n += 1;
            }
            let suppressed = self.held.remove(&key).map_or(0, |(suppressed, order)| {
                self.held_order.remove(&order);
                suppressed
            });
            Group {
                window: Window::new(spec),
                last_told: None,
                suppressed,
                newest: at,
                shared,
                due: None,
                idle: None,
            }
        });
        group.newest = group.newest.max(at);
        group
    }

    /// Puts a saved group back.
    pub(crate) fn restore(&mut self, key: GroupKey, group: Group) {
        if !group.shared
            && let Some(n) = self.per_rule.get_mut(key.0 as usize)
        {
            *n += 1;
        }
        self.all.insert(key, group);
    }

    /// Drops a group that nothing can meet any more. Gives how many held-back counts had to be forgotten for want of room.
    pub(crate) fn drop(&mut self, key: GroupKey) -> u64 {
        let Some(group) = self.all.remove(&key) else { return 0 };
        if !group.shared
            && let Some(n) = self.per_rule.get_mut(key.0 as usize)
        {
            *n = n.saturating_sub(1);
        }
        if group.suppressed > 0 { self.hold(key, group.suppressed) } else { 0 }
    }

    /// Remembers what was held back of a group that is gone.
    pub(crate) fn hold(&mut self, key: GroupKey, suppressed: u64) -> u64 {
        self.held.insert(key, (suppressed, self.held_next));
        self.held_order.insert(self.held_next, key);
        self.held_next += 1;
        if self.held.len() <= self.per_rule_max {
            return 0;
        }
        if let Some((_, oldest)) = self.held_order.pop_first() {
            self.held.remove(&oldest);
        }
        1
    }

    /// What was held back of groups that are gone, the oldest first.
    pub(crate) fn held(&self) -> impl ExactSizeIterator<Item = (GroupKey, u64)> {
        self.held_order.values().map(|key| (*key, self.held.get(key).map_or(0, |(n, _)| *n)))
    }

    /// All groups in the order of their keys.
    pub(crate) fn sorted(&self) -> Vec<(GroupKey, &Group)> {
        let mut all: Vec<_> = self.all.iter().map(|(key, group)| (*key, group)).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }
}
