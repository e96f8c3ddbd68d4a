//! Looking over the engine's shoulder: what became of one event at one rule, and why; and of what no event decides, windows
//! that close and silences that last.
//!
//! A watch records at the moment of judging, so that what it tells is what was, not what could be worked out again later.
//! Events that nobody watches cost one look at an empty list.

use std::sync::Arc;

use super::close::Over;
use super::{Pending, State};
use crate::alert::Evidence;
use crate::limits::AUDIT_ID_CHARS_MAX;
use crate::matches::{Counted, EventMeta, Nanos, Value};
use crate::plan::late::Truth;
pub use crate::window::sequence::Unfit;

/// The number of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchId(usize);

/// What became of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An alert of this id was told.
    Fired([u8; 16]),
    /// The rule's throttle held the alert back, since the one told by an event at that effective time.
    Throttled {
        /// Effective time.
        since: Nanos,
    },
    /// It is in the window, whose condition is not true.
    NotTrue,
    /// It is in a window that is judged when it closes.
    Counted,
    /// It shows something new, but its key only learns yet.
    Learned,
    /// It shows nothing that its key has not shown before.
    Known,
    /// It breaks the silence of its key.
    Heard,
    /// It waits at its step for later ones.
    Waits,
    /// It is of a `no` step of a sequence.
    Forbids,
    /// It completes a sequence whose answer waits for a `no` step, so long at least: an effective time.
    WaitsUntil(Nanos),
    /// It could complete a sequence, and there is no choice of earlier ones that it does complete.
    NoChoice,
    /// All choices that it completes are forbidden by `no` steps.
    Forbidden,
    /// Its request was taken before.
    Duplicate,
    /// It was dated up by more than the rule's window.
    LeftOutLate,
    /// A part of its key is unknown.
    KeyUnknown,
    /// No part of its key is there: nothing does not join with nothing.
    KeyAbsent,
    /// Its key is one too many.
    Refused,
}

/// A window as it was when the event was judged.
#[derive(Clone, Debug)]
pub struct WindowSeen {
    /// Its events, this one last; of very many the first and the last.
    pub events: Vec<Evidence>,
    /// How many there are.
    pub count: u64,
    /// The value of each aggregate, by its text.
    pub aggregates: Vec<(Arc<str>, Value)>,
    /// What the condition was.
    pub truth: Truth,
}

/// What became of one match of the event that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The event.
    pub meta: Arc<EventMeta>,
    /// When it took effect; later than its `stageTimestamp` if it came late.
    pub effective: Nanos,
    /// The step it matched.
    pub step: u32,
    /// The parts of its key under their names.
    pub key: Vec<(Arc<str>, Value)>,
    /// What else it brought along.
    pub captures: Vec<Value>,
    /// Of a rule over a window, if it took part.
    pub window: Option<WindowSeen>,
    /// Of the same, if the window slides: what it adds to each aggregate.
    pub counted: Vec<Counted>,
    /// Of one that could complete a sequence, once judged: how many matches waited at each step.
    pub waiting: Vec<usize>,
    /// Of the same: the choice that was made, or else the one that came furthest, slot by slot.
    pub choice: Option<Vec<Option<Evidence>>>,
    /// Of the same: what forbade the first choice, under the name of its `no` step.
    pub forbidden: Option<Evidence>,
    /// Of the same, if nothing forbade it: the step of which no match that waited fits, and the condition that the latest
    /// failed, by its number among those of the rule that read other steps.
    pub unfit: Option<Unfit>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A window that was over, or a silence that was too long, and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// How many matches the watch had seen before.
    pub after: u64,
    /// When: an effective time.
    pub at: Nanos,
    /// The end of input came before its own end.
    pub cut: bool,
    /// From when to when it was: of a silence from what was heard last.
    pub span: (Nanos, Nanos),
    /// The parts of its key under their names.
    pub key: Vec<(Arc<str>, Value)>,
    /// The cluster that it is of; none where clusters do not stand apart.
    pub cluster: Option<Arc<str>>,
    /// What was in it; `None` of a silence.
    pub window: Option<WindowSeen>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A watch and what it saw.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    rule: u32,
    /// `None` watches all events.
    audit_id: Option<String>,
    seen: Vec<Watched>,
    judged: Vec<Judged>,
    /// How many matches it has seen.
    matches: u64,
    window: Option<WindowSeen>,
    waiting: Vec<usize>,
    choice: Option<Vec<Option<Evidence>>>,
    forbidden: Option<Evidence>,
    unfit: Option<Unfit>,
    counted: Vec<Counted>,
}

/// What was there when an event that could complete a sequence was judged.
#[derive(Clone, Debug, Default)]
pub(super) struct SequenceSeen {
    pub(super) waiting: Vec<usize>,
    pub(super) choice: Vec<Option<Evidence>>,
    pub(super) forbidden: Option<Evidence>,
    pub(super) unfit: Option<Unfit>,
}

impl Watch {
    fn new(rule: u32, audit_id: Option<String>) -> Self {
        Self {
            rule,
            audit_id,
            seen: Vec::new(),
            judged: Vec::new(),
            matches: 0,
            window: None,
            waiting: Vec::new(),
            choice: None,
            forbidden: None,
            unfit: None,
            counted: Vec::new(),
        }
    }

    /// Of an event alone what it had a part in is wanted.
    fn wants_judged(&self, rule: u32, over: &Over) -> bool {
        let (from, to) = over.span;
        let has_part = |watched: &Watched| {
            (from..=to).contains(&watched.effective)
                && (over.cluster.is_none() || watched.meta.cluster == over.cluster)
                && watched.key.iter().map(|(_, value)| value).eq(&over.key)
        };
        self.rule == rule && (self.audit_id.is_none() || self.seen.iter().any(has_part))
    }

    pub(super) fn wants(&self, pending: &Pending) -> bool {
        let audit_id = self.audit_id.as_deref();
        self.rule == pending.m.rule && audit_id.is_none_or(|id| *id == *pending.m.meta.audit_id)
    }
}

impl State {
    /// Watches what becomes of the events of an `auditID` at a rule, by the rule's number in the plan.
    pub fn watch(&mut self, rule: u32, audit_id: &str) -> WatchId {
        let audit_id = audit_id.chars().take(AUDIT_ID_CHARS_MAX).collect();
        self.watch_what(rule, Some(audit_id))
    }

    /// Watches what becomes of all matches of a rule. Of a long log what was seen is to be taken out now and then.
    pub fn watch_all(&mut self, rule: u32) -> WatchId {
        self.watch_what(rule, None)
    }

    fn watch_what(&mut self, rule: u32, audit_id: Option<String>) -> WatchId {
        self.watches.push(Watch::new(rule, audit_id));
        WatchId(self.watches.len() - 1)
    }

    /// What a watch saw so far, in the order in which it was decided. A match that still waits is not yet in it.
    #[must_use]
    pub fn seen(&self, watch: WatchId) -> &[Watched] {
        self.watches.get(watch.0).map_or(&[], |watch| &watch.seen)
    }

    /// Takes out what a watch saw since it was last taken.
    pub fn take_seen(&mut self, watch: WatchId) -> Vec<Watched> {
        self.watches.get_mut(watch.0).map(|watch| std::mem::take(&mut watch.seen)).unwrap_or_default()
    }

    /// The windows and silences of the rule that were over, in the order in which they were judged.
    #[must_use]
    pub fn judged(&self, watch: WatchId) -> &[Judged] {
        self.watches.get(watch.0).map_or(&[], |watch| &watch.judged)
    }

    /// Takes out those since they were last taken.
    pub fn take_judged(&mut self, watch: WatchId) -> Vec<Judged> {
        self.watches.get_mut(watch.0).map(|watch| std::mem::take(&mut watch.judged)).unwrap_or_default()
    }

    /// What no event decides was decided.
    pub(super) fn was_judged(&mut self, rule: u32, over: Option<Over>, outcome: Outcome) {
        let Some(over) = over else { return };
        let step = self.plan.rules.get(rule as usize).and_then(|rule| rule.steps.first());
        let names = step.map_or(&[][..], |step| &step.key_names);
        for watch in self.watches.iter_mut().filter(|watch| watch.wants_judged(rule, &over)) {
            let Over { at, cut, span, .. } = over;
            watch.judged.push(Judged {
                after: watch.matches,
                at,
                cut,
                span,
                key: names.iter().cloned().zip(over.key.iter().cloned()).collect(),
                cluster: over.cluster.clone(),
                window: over.window.clone(),
                outcome: outcome.clone(),
            });
        }
    }

    pub(super) fn watched(&mut self, pending: &Pending, outcome: Outcome) {
        if self.watches.is_empty() {
            return;
        }
        let m = &pending.m;
        let step = self.plan.rules.get(m.rule as usize).and_then(|rule| rule.steps.get(m.step as usize));
        let names = step.map_or(&[][..], |step| &step.key_names);
        for watch in self.watches.iter_mut().filter(|watch| watch.wants(pending)) {
            watch.matches += 1;
            watch.seen.push(Watched {
                meta: m.meta.clone(),
                effective: pending.effective(),
                step: m.step,
                key: names.iter().cloned().zip(m.key.iter().cloned()).collect(),
                captures: m.captures.clone(),
                window: watch.window.take(),
                counted: std::mem::take(&mut watch.counted),
                waiting: std::mem::take(&mut watch.waiting),
                choice: watch.choice.take(),
                forbidden: watch.forbidden.take(),
                unfit: watch.unfit.take(),
                outcome: outcome.clone(),
            });
        }
    }

    pub(super) fn watched_window(&mut self, pending: &Pending, window: WindowSeen, counted: &[Counted]) {
        for watch in self.watches.iter_mut().filter(|watch| watch.wants(pending)) {
            watch.window = Some(window.clone());
            watch.counted = counted.to_vec();
        }
    }

    pub(super) fn watched_sequence(&mut self, pending: &Pending, seen: &SequenceSeen) {
        for watch in self.watches.iter_mut().filter(|watch| watch.wants(pending)) {
            watch.waiting.clone_from(&seen.waiting);
            watch.choice = Some(seen.choice.clone());
            watch.forbidden.clone_from(&seen.forbidden);
            watch.unfit = seen.unfit;
        }
    }
}
