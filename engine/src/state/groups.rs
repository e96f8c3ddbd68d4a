//! The group keys that one virtual shard remembers, and what happens when there are too many.
//!
//! A group lives as long as its window or its throttle can still matter and is dropped by a timer just after, which no
//! answer can show. What its throttle held back, and since when a key is known whose values are looked at, is remembered
//! beyond that, in a table of its own.
//!
//! Each rule may have so many groups in a shard. Past that the safe side is taken: where more events only make the
//! condition truer (lower bounds, sequences without a `no`), new keys share one window of the shard, run by the same code, which counts
//! too much and never misses, and says `approximate`; a throttle alone is simply not remembered, so that more is told, nor is a
//! first sight, which is then told as if it were one; for all other conditions new keys are refused and counted.
//!
//! When there is room again a key that gets its own group may have been without before. For as long as that can matter
//! its matches go to the shared window too, or its alerts say that they are approximate.

use std::collections::{BTreeMap, HashMap};

use super::hash::{GroupId, Keyed};
use super::pool::Pool;
use super::rules::{RuleSpec, ShapeSpec};
use super::sequence::Chain;
use crate::limits::KEPT_KEY_BYTES_MAX;
use crate::matches::{Nanos, Value};
use crate::planted::planted;
use crate::window::closing::{Closing, ClosingSpec, Reach};
use crate::window::first_seen::FirstSeen;
use crate::window::silent::Silence;
use crate::window::sliding::Sliding;
use crate::window::weight;

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
    /// Until when what it tells may rest on less than there was: its key may have been without room before.
    pub(crate) unsure: Nanos,
    /// The timer at which to look whether it is idle.
    pub(crate) idle: Option<Nanos>,
    /// What its window has that can go for want of room, in bytes, as it was counted last.
    pub(crate) spare: u64,
}

/// When a rule told last of whom it shall not tell too often.
pub(crate) struct Throttle<'a> {
    pub(crate) last_told: &'a mut Option<Nanos>,
    /// What was held back since.
    pub(crate) suppressed: &'a mut u64,
}

impl Group {
    pub(crate) fn throttle(&mut self) -> Throttle<'_> {
        Throttle { last_told: &mut self.last_told, suppressed: &mut self.suppressed }
    }

    /// Until when its window or its throttle can matter: both ends are in.
    pub(crate) fn alive(&self, spec: &RuleSpec) -> Nanos {
        let window = match (&self.window, &spec.shape) {
            // What is of the newest event's own time is still to come.
            (Window::Sequence(chain), ShapeSpec::Sequence(layout)) => chain.alive(layout).max(self.newest),
            // What comes within its gap goes on from what is remembered of it.
            (
                Window::Closing(_),
                ShapeSpec::Closing(ClosingSpec { reach: Reach::Session { gap, .. }, .. }),
            ) => self.newest.saturating_add(*gap),
            // Over once they are judged.
            (Window::Closing(_) | Window::Silent(_), _) => self.window.due().unwrap_or(Nanos::MIN),
            _ => self.newest.saturating_add(spec.window),
        };
        let throttle = self.last_told.map_or(Nanos::MIN, |told| told.saturating_add(spec.throttle));
        window.max(throttle)
    }
}

/// The state machine of a group.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    None,
    Sliding(Sliding),
    Sequence(Chain),
    /// The one that is open.
    Closing(Option<Box<Closing>>),
    FirstSeen(FirstSeen),
    /// The one that runs.
    Silent(Option<Box<Silence>>),
}

impl Window {
    fn new(spec: &RuleSpec, began: Option<Nanos>, at: Nanos, unsure: bool) -> Self {
        match &spec.shape {
            ShapeSpec::Each => Self::None,
            ShapeSpec::Sliding(sliding) => Self::Sliding(Sliding::new(sliding)),
            ShapeSpec::Sequence(layout) => Self::Sequence(Chain::new(layout)),
            ShapeSpec::Closing(_) => Self::Closing(None),
            ShapeSpec::FirstSeen(memory) => Self::FirstSeen(match began {
                // Nor is it known of one that was taken in like this before since when it is.
                None | Some(Nanos::MIN) if unsure && !planted(76) => FirstSeen::forgotten(memory, at),
                Some(began) if unsure => FirstSeen::short(began, at),
                began => FirstSeen::new(began.unwrap_or(at)),
            }),
            ShapeSpec::Silent { .. } => Self::Silent(None),
        }
    }

    /// What of it can go for want of room, in bytes.
    fn spare(&self) -> u64 {
        match self {
            Self::None | Self::Silent(None) | Self::Closing(None) => 0,
            Self::Silent(Some(silence)) => silence.owner.spare(),
            Self::Sliding(window) => window.spare(),
            Self::Sequence(chain) => chain.spare(),
            Self::Closing(Some(open)) => open.spare(),
            Self::FirstSeen(seen) => seen.spare(),
        }
    }

    /// When it is to be judged next by a timer, as things stand.
    pub(crate) fn due(&self) -> Option<Nanos> {
        match self {
            Self::None | Self::Sliding(_) | Self::FirstSeen(_) => None,
            Self::Closing(open) => open.as_ref().map(|open| open.end),
            Self::Silent(running) => running.as_ref().map(|silence| silence.deadline),
            Self::Sequence(chain) => chain.due(),
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

impl Room {
    /// Where a match goes whose key cannot have a group of its own.
    fn without(spec: &RuleSpec) -> Self {
        if spec.monotone && !planted(74) { Self::Shared } else { Self::Refused }
    }

    /// If the key of a match is too long for a rule whose windows must keep it, where that goes.
    pub(crate) fn of_long(spec: &RuleSpec, key: &[Value]) -> Option<Self> {
        let kept = matches!(spec.shape, ShapeSpec::Closing(_) | ShapeSpec::Silent { .. });
        (kept && weight::texts(key) > KEPT_KEY_BYTES_MAX).then(|| Self::without(spec))
    }
}

/// All groups of a shard.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    pub(crate) all: HashMap<GroupKey, Group, Keyed>,
    per_rule: Vec<usize>,
    per_rule_max: usize,
    /// Per rule what its windows keep.
    pub(super) pools: Vec<Pool>,
    /// Of each rule, in bytes.
    pub(super) room: u64,
    /// Per rule until when a key without a group may be missed: there was no room for one that may be it.
    without_room: Vec<Nanos>,
    /// What is left of idle groups, per rule.
    dormant: Vec<Dormant>,
}

/// What is left of a rule's groups that are gone.
#[derive(Clone, Debug)]
struct Dormant {
    groups: HashMap<GroupId, (Left, u64), Keyed>,
    /// In which order to forget.
    order: BTreeMap<u64, GroupId>,
    next: u64,
}

/// What is left of a group that is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// What its throttle held back.
    pub(crate) suppressed: u64,
    /// Of a rule about first sights: its first match.
    pub(crate) began: Option<Nanos>,
}

impl Groups {
    /// With so many groups and bytes for each of the rules.
    pub(crate) fn new(keyed: Keyed, rules: usize, per_rule_max: usize, room: u64) -> Self {
        Self {
            pools: vec![Pool::default(); rules],
            room,
            all: HashMap::with_hasher(keyed),
            per_rule: vec![0; rules],
            without_room: vec![Nanos::MIN; rules],
            per_rule_max: per_rule_max.max(1),
            dormant: (0..rules)
                .map(|_| Dormant { groups: HashMap::with_hasher(keyed), order: BTreeMap::new(), next: 0 })
                .collect(),
        }
    }

    /// Where there is room for a group.
    pub(crate) fn room(&self, key: GroupKey, spec: &RuleSpec) -> Room {
        let known = self.all.contains_key(&key);
        let room = self.per_rule.get(key.0 as usize).is_some_and(|n| *n < self.per_rule_max);
        if known || room { Room::Own } else { Room::without(spec) }
    }

    /// There was no room for the group of a match at `at`.
    pub(crate) fn turn_away(&mut self, key: GroupKey, spec: &RuleSpec, at: Nanos) {
        let until = match spec.shape {
            // Since when a key is known matters for good.
            ShapeSpec::FirstSeen(_) => Nanos::MAX,
            _ => at.saturating_add(spec.window.max(spec.throttle)),
        };
        self.missing(key.0, until);
    }

    fn missing(&mut self, rule: u32, until: Nanos) {
        if let Some(known) = self.without_room.get_mut(rule as usize) {
            *known = until.max(*known);
        }
    }

    /// Whether a match at `at` is of a key of which something may be missing.
    pub(crate) fn unsure(&self, key: GroupKey, at: Nanos) -> bool {
        let without_room =
            || self.without_room.get(key.0 as usize).is_some_and(|until| *until >= at) && !planted(72);
        self.all.get(&key).map_or_else(without_room, |group| group.unsure >= at)
    }

    /// Per rule until when keys may be missed, for saving.
    pub(crate) fn without_room(&self) -> &[Nanos] {
        &self.without_room
    }

    /// Takes over what was saved of that.
    pub(crate) fn restore_without_room(&mut self, rule: u32, until: Nanos) {
        self.missing(rule, until);
    }

    /// The group of that key, made if it is new, for an event at `at`.
    pub(crate) fn enter(&mut self, key: GroupKey, spec: &RuleSpec, at: Nanos, shared: bool) -> &mut Group {
        let until = self.without_room.get(key.0 as usize).copied();
        let until = until.filter(|until| !shared && *until >= at && !planted(72));
        let unsure = match (until, &spec.shape) {
            (None, _) => Nanos::MIN,
            // Where one begins says where all begin that follow without a gap.
            (_, ShapeSpec::Closing(ClosingSpec { reach: Reach::Session { .. }, .. })) => Nanos::MAX,
            (Some(until), _) => until,
        };
        let groups = &mut self.all;
        let group = groups.entry(key).or_insert_with(|| {
            if !shared && let Some(n) = self.per_rule.get_mut(key.0 as usize) {
                *n += 1;
            }
            let left = self.dormant.get_mut(key.0 as usize).map(|dormant| dormant.take(key.1));
            let left = left.unwrap_or_default();
            Group {
                window: Window::new(spec, left.began, at, until.is_some()),
                last_told: None,
                suppressed: left.suppressed,
                newest: at,
                shared,
                unsure,
                due: None,
                idle: None,
                spare: 0,
            }
        });
        group.newest = group.newest.max(at);
        group
    }

    /// A group that has changed, with what its window keeps counted anew.
    pub(crate) fn weigh(&mut self, key: GroupKey) -> Option<&mut Group> {
        let group = self.all.get_mut(&key)?;
        let before = std::mem::replace(&mut group.spare, group.window.spare());
        if let Some(pool) = self.pools.get_mut(key.0 as usize) {
            pool.change(key.1, before, group.spare, self.room);
        }
        Some(group)
    }

    /// Puts a saved group back.
    pub(crate) fn restore(&mut self, key: GroupKey, mut group: Group) {
        group.spare = if planted(87) { group.window.spare() } else { 0 };
        if !group.shared
            && let Some(n) = self.per_rule.get_mut(key.0 as usize)
        {
            *n += 1;
        }
        self.all.insert(key, group);
        self.weigh(key);
    }

    /// Drops a group that nothing can meet any more. Gives how many held-back counts had to be forgotten for want of room.
    pub(crate) fn drop(&mut self, key: GroupKey) -> u64 {
        let Some(group) = self.all.remove(&key) else { return 0 };
        if let Some(pool) = self.pools.get_mut(key.0 as usize) {
            pool.change(key.1, group.spare, 0, self.room);
        }
        if !group.shared
            && let Some(n) = self.per_rule.get_mut(key.0 as usize)
        {
            *n = n.saturating_sub(1);
        }
        let began = match &group.window {
            Window::FirstSeen(seen) => Some(seen.began),
            _ => None,
        };
        self.leave(key, Left { suppressed: group.suppressed, began })
    }

    /// Remembers what is left of a group that is gone. Gives how many others had to be forgotten for it.
    pub(crate) fn leave(&mut self, key: GroupKey, left: Left) -> u64 {
        let max = self.per_rule_max;
        let Some(dormant) = self.dormant.get_mut(key.0 as usize) else { return 0 };
        if left == Left::default() {
            return 0;
        }
        let forgotten = dormant.put(key.1, left, max);
        if forgotten > 0 && left.began.is_some() {
            // Whoever was known and is not any more must not learn again in silence.
            self.missing(key.0, Nanos::MAX);
        }
        forgotten
    }

    /// What is left of groups that are gone, by rule, the oldest first.
    pub(crate) fn left(&self) -> Vec<(GroupKey, Left)> {
        let left = |(rule, dormant): (u32, &Dormant)| {
            let ids = dormant.order.values();
            ids.filter_map(|id| Some(((rule, *id), dormant.groups.get(id)?.0))).collect::<Vec<_>>()
        };
        (0..).zip(&self.dormant).flat_map(left).collect()
    }

    /// All groups in the order of their keys.
    pub(crate) fn sorted(&self) -> Vec<(GroupKey, &Group)> {
        let mut all: Vec<_> = self.all.iter().map(|(key, group)| (*key, group)).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }
}

impl Dormant {
    fn take(&mut self, id: GroupId) -> Left {
        self.groups.remove(&id).map_or_else(Left::default, |(left, order)| {
            self.order.remove(&order);
            left
        })
    }

    fn put(&mut self, id: GroupId, left: Left, max: usize) -> u64 {
        self.take(id);
        self.groups.insert(id, (left, self.next));
        self.order.insert(self.next, id);
        self.next += 1;
        if self.groups.len() <= max {
            return 0;
        }
        if let Some((_, oldest)) = self.order.pop_first() {
            self.groups.remove(&oldest);
        }
        1
    }
}
