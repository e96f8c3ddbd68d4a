//! What of a sequence began: which step waited, until when, and what came to nothing without a word from the engine.
//!
//! A sequence is silent about what never completes, so progress is followed here: per key and slot the latest beginning of a
//! chain of matches that fills all slots up to it, each not before the one in front. When the time of such a chain is over and
//! nothing completed it, the step is named that did not come behind it. Conditions between steps are not asked for that:
//! what is said is that no match of the next step came, not that one would have fitted. Where a later match begins the
//! same anew the earlier chain is passed over, so that a burst is told of once.
//!
//! Costs a few words a slot and the times of each step's latest matches, for each of [`KEYS_MAX`] keys.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::{KEYS_MAX, key_of, length};
use crate::matches::{Nanos, Value};
use crate::plan::Rule;
use crate::plan::sequence::Layout;
use crate::state::{Outcome, Watched};

/// Which event a match is of.
type EventId = ([u8; 16], Option<dsl::ir::Stage>);

/// A partial choice of a sequence whose time is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Expired {
    /// From its first match on.
    pub from: Nanos,
    /// Until when it could have been completed, an effective time.
    pub until: Nanos,
    /// The input ended before that.
    pub cut: bool,
    /// The parts of its key under their names.
    pub key: Vec<(Arc<str>, Value)>,
    /// The cluster of its first match.
    pub cluster: Option<Arc<str>>,
    /// The step that was missing; of several the first.
    pub step: Option<Arc<str>>,
    /// What was missing, in words.
    pub words: String,
}

/// The steps of one rule.
#[derive(Debug)]
pub(super) struct Chains {
    layout: Layout,
    names: Vec<Arc<str>>,
    times: Vec<usize>,
    keys: HashMap<String, Chain>,
    /// When something of a key may be over.
    due: BTreeSet<(Nanos, String)>,
}

/// What is known of a key.
#[derive(Debug)]
struct Chain {
    key: Vec<(Arc<str>, Value)>,
    cluster: Option<Arc<str>>,
    /// Per step the latest matches, as many as it asks for.
    last: Vec<VecDeque<(Nanos, EventId)>>,
    /// Per slot but the last.
    levels: Vec<Level>,
    /// Events whose answer waits, with their step: they are shown again.
    waits: BTreeSet<(EventId, u32)>,
}

/// The latest beginning of a chain up to a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    start: Option<Nanos>,
    /// The event in the slot.
    event: Option<EventId>,
    /// The beginning before that event came, which cannot stand in front of itself.
    before: Option<Nanos>,
    /// Something came that could have completed it, and did not.
    tried: bool,
}

impl Level {
    fn set(&mut self, start: Nanos, event: EventId) {
        if self.event != Some(event) {
            self.before = self.start;
        }
        *self = Self { start: Some(start), event: Some(event), before: self.before, tried: false };
    }

    /// Where a chain began that this event can go on.
    fn for_event(&self, event: EventId) -> Option<Nanos> {
        if self.event == Some(event) { self.before } else { self.start }
    }
}

impl Chains {
    pub(super) fn new(rule: &Rule) -> Option<Self> {
        let layout = rule.layout()?.clone();
        let name = |(n, step): (usize, &crate::plan::Step)| {
            step.name.clone().unwrap_or_else(|| Arc::from(format!("step {}", n + 1)))
        };
        let times = rule.source.steps.iter().map(|step| step.times.max(1) as usize).collect();
        let names = rule.steps.iter().enumerate().map(name).collect();
        Some(Self { layout, names, times, keys: HashMap::new(), due: BTreeSet::new() })
    }

    fn name(&self, step: usize) -> &str {
        self.names.get(step).map_or("", |name| name)
    }

    /// What a step lacks of which only so many wait, beside a match that could complete.
    pub(super) fn missing(&self, watched: &Watched, step: usize, waiting: usize) -> String {
        let (name, event) = (self.name(step), event_of(watched));
        let times = self.times.get(step).copied().unwrap_or(1);
        let last = self.keys.get(&key_of(watched)).and_then(|chain| chain.last.get(step));
        // The one before those that wait.
        let others = last.into_iter().flatten().rev().filter(|(_, of)| *of != event);
        let own = usize::from(step == watched.step as usize);
        let next = others.map(|(at, _)| *at).nth(waiting.saturating_sub(own));
        let from = watched.effective.saturating_sub(self.layout.within);
        let early = next.map(|at| from.saturating_sub(at));
        let had = if own > 0 { "came" } else { "waited" };
        let in_front = self.layout.ordered && self.layout.slots.first() != Some(&step);
        match (early, waiting) {
            (Some(early), 0) if early > 0 => format!("`{name}` came {} too early", length(early)),
            (Some(_), 0) if in_front => format!("`{name}` came, but before what has to stand in front of it"),
            (Some(early), n) if early > 0 => {
                format!("{n} of {times} {had} at `{name}`, and one more came {} too early", length(early))
            }
            (_, 0) => format!("nothing waited at `{name}`"),
            (_, n) => format!("{n} of {times} {had} at `{name}`"),
        }
    }

    /// Follows a match. Gives what it lacks that waits at its step, and until when it does at most.
    pub(super) fn enter(&mut self, watched: &Watched) -> (Option<String>, Option<Nanos>) {
        let whole = match &watched.outcome {
            Outcome::Waits | Outcome::NoChoice | Outcome::Forbidden => false,
            Outcome::Fired(_) | Outcome::Throttled { .. } | Outcome::WaitsUntil(_) => true,
            _ => return (None, None),
        };
        let key = key_of(watched);
        if !self.keys.contains_key(&key) && self.keys.len() >= KEYS_MAX {
            return (None, None);
        }
        let (slots, within) = (self.layout.slots.len(), self.layout.within);
        let chain = self.keys.entry(key.clone()).or_insert_with(|| Chain {
            key: watched.key.clone(),
            cluster: watched.meta.cluster.clone(),
            last: vec![VecDeque::new(); self.layout.steps.len()],
            levels: vec![Level::default(); slots.saturating_sub(1)],
            waits: BTreeSet::new(),
        });
        let (step, event, at) = (watched.step as usize, event_of(watched), watched.effective);
        let shown = (event, watched.step);
        if !matches!(watched.outcome, Outcome::WaitsUntil(_)) && chain.waits.remove(&shown) {
            return (None, None);
        }
        if matches!(watched.outcome, Outcome::WaitsUntil(_)) && !chain.waits.insert(shown) {
            return (None, None);
        }
        let times = self.times.get(step).copied().unwrap_or(1);
        if let Some(last) = chain.last.get_mut(step) {
            last.push_back((at, event));
            if last.len() > times + 1 {
                last.pop_front();
            }
        }
        if !self.layout.ordered {
            if whole {
                chain.last.iter_mut().for_each(VecDeque::clear);
            } else if slots > 1 {
                self.due.insert((at.saturating_add(within), key));
            }
            return (None, None);
        }
        if whole {
            chain.completed();
            return (None, None);
        }
        let began = chain.advance(&self.layout, step, event, at);
        if let Some(start) = began {
            self.due.insert((start.saturating_add(within), key));
        }
        if watched.outcome != Outcome::Waits {
            return (None, None);
        }
        match began {
            Some(start) => {
                let until = start.saturating_add(within);
                (Some(format!("for {} at most", length(until.saturating_sub(at)))), Some(until))
            }
            None => {
                let first = self.layout.slots.iter().position(|of| *of == step).unwrap_or(0);
                let front = first.checked_sub(1).and_then(|slot| self.layout.slots.get(slot)).copied();
                (Some(format!("nothing waited at `{}`", self.name(front.unwrap_or(0)))), None)
            }
        }
    }

    /// What came to nothing before `now`.
    pub(super) fn expired(&mut self, now: Nanos) -> Vec<Expired> {
        let mut out = Vec::new();
        while let Some((until, _)) = self.due.first()
            && *until < now
        {
            let Some((until, key)) = self.due.pop_first() else { break };
            out.extend(self.over(until, &key, false));
        }
        out
    }

    /// What still waits.
    pub(super) fn ended(&mut self) -> Vec<Expired> {
        let due = std::mem::take(&mut self.due);
        due.into_iter().filter_map(|(until, key)| self.over(until, &key, true)).collect()
    }

    /// What of a key is over at a time; nothing if it has gone on since.
    fn over(&mut self, until: Nanos, key: &str, cut: bool) -> Option<Expired> {
        let from = until.saturating_sub(self.layout.within);
        let (from, step, words) =
            if self.layout.ordered { self.unfinished(from, key)? } else { self.apart(from, key)? };
        let words = format!("{words} within {}", length(self.layout.within));
        let chain = self.keys.get(key)?;
        let (key, cluster) = (chain.key.clone(), chain.cluster.clone());
        Some(Expired { from, until, cut, key, cluster, step: self.names.get(step).cloned(), words })
    }

    /// Of a sequence in order: the chain that began then.
    fn unfinished(&mut self, from: Nanos, key: &str) -> Option<(Nanos, usize, String)> {
        let levels = &mut self.keys.get_mut(key)?.levels;
        let slot = levels.iter().rposition(|level| level.start == Some(from))?;
        let tried = levels.get(slot).is_some_and(|level| level.tried);
        levels
            .iter_mut()
            .filter(|level| level.start == Some(from))
            .for_each(|level| *level = Level::default());
        let (here, next) = (*self.layout.slots.get(slot)?, *self.layout.slots.get(slot + 1)?);
        let (name, after) = (self.name(next), self.name(here));
        let words = if tried {
            format!("what came at `{name}` did not complete it")
        } else if next == here {
            let first = self.layout.slots.iter().position(|of| *of == here).unwrap_or(0);
            format!("{} of {} came at `{name}`", slot + 1 - first, self.times.get(here).copied().unwrap_or(1))
        } else {
            format!("no `{name}` came after `{after}`")
        };
        Some((from, next, words))
    }

    /// Of a sequence in any order: what came last of it came then.
    fn apart(&self, last: Nanos, key: &str) -> Option<(Nanos, usize, String)> {
        let chain = self.keys.get(key)?;
        if chain.last.iter().flatten().map(|(at, _)| *at).max() != Some(last) {
            return None;
        }
        let begin = last.saturating_sub(self.layout.within);
        let there = |step: usize| {
            let of = chain.last.get(step).into_iter().flatten();
            of.map(|(at, _)| *at).filter(|at| *at >= begin).collect::<Vec<_>>()
        };
        let positive = (0..self.names.len()).filter(|step| self.layout.last(*step).is_some());
        let short = |step: &usize| there(*step).len() < self.times.get(*step).copied().unwrap_or(1);
        let missing: Vec<usize> = positive.filter(short).collect();
        let from = (0..self.names.len()).flat_map(there).min()?;
        let names: Vec<String> = missing.iter().map(|step| format!("`{}`", self.name(*step))).collect();
        let words = match missing.as_slice() {
            [] => "what came at its steps did not fit together".to_owned(),
            some if some.iter().any(|step| !there(*step).is_empty()) => {
                format!("too few came at {}", names.join(", "))
            }
            _ => format!("nothing came at {}", names.join(", ")),
        };
        Some((from, missing.first().copied().unwrap_or(0), words))
    }
}

impl Chain {
    /// The chain that was furthest is whole, and all that began before it is told with it.
    fn completed(&mut self) {
        let start = self.levels.last().and_then(|level| level.start);
        // Of what was not followed so far all may be told: rather nothing is said than something wrong.
        let told = |level: &Level| start.is_none() || level.start <= start;
        self.levels.iter_mut().filter(|level| told(level)).for_each(|level| *level = Level::default());
    }

    /// A match goes on chains, or begins one. Gives the latest beginning of those that it is in.
    fn advance(&mut self, layout: &Layout, step: usize, event: EventId, at: Nanos) -> Option<Nanos> {
        let old = at.saturating_sub(layout.within);
        let mut latest: Option<Nanos> = None;
        let last = layout.slots.len() - 1;
        for slot in (0..=last).rev().filter(|slot| layout.slots.get(*slot) == Some(&step)) {
            let start = match slot.checked_sub(1).and_then(|front| self.levels.get(front)) {
                None => Some(at),
                Some(front) => front.for_event(event).filter(|start| *start >= old),
            };
            let Some(start) = start else { continue };
            if slot == last {
                // It could have completed the chain in front.
                if let Some(front) = self.levels.last_mut() {
                    front.tried = true;
                }
                continue;
            }
            let Some(level) = self.levels.get_mut(slot) else { continue };
            level.set(start, event);
            latest = latest.max(Some(start));
            // Of one time each may stand in front of the other, whichever was decided first.
            for next in slot + 1..last {
                let of = layout.slots.get(next).filter(|of| **of != step);
                let same_time = |(time, other): &&(Nanos, EventId)| *time == at && *other != event;
                let last = of.and_then(|of| self.last.get(*of)?.back()).filter(same_time);
                let (Some((_, other)), Some(level)) = (last, self.levels.get_mut(next)) else { break };
                level.set(start, *other);
            }
        }
        latest
    }
}

fn event_of(watched: &Watched) -> EventId {
    (watched.meta.request.0, watched.meta.stage)
}
