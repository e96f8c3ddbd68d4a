//! What becomes of a match of a sequence: it waits at its step, forbids, or completes. `docs/semantics.md`, "Sequences".
//!
//! An event that completes is judged once all matches of its time are in. Where a `no` step stands behind the last one its
//! answer may wait; it is then kept with the key and judged again by the key's timer. Each look begins anew, so that
//! nothing of a search need be remembered or saved; all looks for one event share its tries.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decide::{Place, seen, throttled};
use super::groups::{GroupKey, Window};
use super::make::{Notes, Raised, Subject, What};
use super::watch::{Outcome, SequenceSeen};
use super::{Pending, Shard, State};
use crate::eval::Coverage;
use crate::matches::{Nanos, Value};
use crate::plan::Rule;
use crate::plan::cost::STEP_BYTES_MAX;
use crate::plan::late::{self, LateCx, Truth};
use crate::plan::sequence::Layout;
use crate::window::sequence::{Asked, Found, Keep, Sequence, Waiting, look, unfit};
use crate::window::weight;

/// The sequence of one key.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) sequence: Sequence,
    /// The events whose answer waits, by their place in the order of deciding.
    waits: BTreeMap<u64, Wait>,
    /// What they take.
    bytes: u64,
    /// When the wait of each ends.
    due: BTreeSet<(Nanos, u64)>,
}

/// An event whose answer waits.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) completing: Completing,
    pub(super) until: Nanos,
    pub(super) tries: usize,
}

/// An event that completes, with its match at each step that it completes, in the order of the steps.
#[derive(Clone, Debug)]
pub(super) struct Completing {
    pub(super) places: Vec<(Pending, Arc<Waiting>)>,
}

/// A match that completes, to be judged once all of its time are in.
pub(super) struct Entered {
    pending: Pending,
    waiting: Arc<Waiting>,
    group: GroupKey,
}

/// What a look at a completing event said, and with which of its places.
struct Judged {
    place: usize,
    found: Found,
}

impl Completing {
    /// What it takes: what waits at its steps, where that is its own, and its values once more.
    fn bytes(&self) -> u64 {
        let place = |(pending, waiting): &(Pending, Arc<Waiting>)| {
            let once = weight::waiting(waiting).max(weight::undecided(&pending.m));
            once.saturating_add(weight::values(&pending.m.captures) as u64)
        };
        self.places.iter().map(place).fold(0, u64::saturating_add)
    }

    fn number(&self) -> u64 {
        self.places.first().map_or(0, |(_, waiting)| waiting.number)
    }

    fn at(&self) -> Nanos {
        self.places.first().map_or(Nanos::MIN, |(_, waiting)| waiting.seen.effective)
    }
}

impl Chain {
    pub(super) fn new(layout: &Layout) -> Self {
        Self { sequence: Sequence::new(layout), waits: BTreeMap::new(), bytes: 0, due: BTreeSet::new() }
    }

    /// When the next wait ends.
    pub(super) fn due(&self) -> Option<Nanos> {
        self.due.first().map(|(until, _)| *until)
    }

    /// Until when it can matter: both ends are in.
    pub(super) fn alive(&self, layout: &Layout) -> Nanos {
        let waits = self.due.last().map(|(until, _)| *until);
        self.sequence.alive(layout).max(waits).unwrap_or(Nanos::MIN)
    }

    /// The events whose answer waits, in the order of deciding.
    pub(super) fn waits(&self) -> impl ExactSizeIterator<Item = &Wait> {
        self.waits.values()
    }

    /// How many of them something still leads to, as far as is known: of all that came so far a `no` may have forbidden
    /// what an answer waits for, and nobody has looked since.
    pub(super) fn pending(&self, rule: &Rule) -> u64 {
        let may_come = |wait: &&Wait| {
            let mut tries = wait.tries;
            let judged = judge(rule, None, &self.sequence, &wait.completing, Nanos::MAX, &mut tries);
            !matches!(judged.found, Found::None { short: false, .. })
        };
        self.waits().filter(may_come).count() as u64
    }

    pub(super) fn wait(&mut self, wait: Wait) {
        let number = wait.completing.number();
        self.due.insert((wait.until, number));
        self.bytes = self.bytes.saturating_add(wait.completing.bytes());
        self.waits.insert(number, wait);
    }

    fn take(&mut self, number: u64) -> Option<Wait> {
        let wait = self.waits.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(wait.completing.bytes());
        self.due.remove(&(wait.until, number));
        Some(wait)
    }

    /// What of it can go for want of room, in bytes.
    pub(super) fn spare(&self) -> u64 {
        self.sequence.spare().0.saturating_add(self.spare_waits())
    }

    fn spare_waits(&self) -> u64 {
        let last = self.waits.last_key_value().map(|(_, last)| &last.completing);
        let usual = |last: &Completing| (2 * last.places.len() as u64).saturating_mul(STEP_BYTES_MAX);
        self.bytes.saturating_sub(last.map_or(0, |last| last.bytes().min(usual(last))))
    }

    /// Lets go of what no choice can use any more at `now`.
    pub(super) fn pass(&mut self, layout: &Layout, now: Nanos, max: usize) {
        let keep = self.keep(now, max);
        self.sequence.prune(layout, keep);
    }

    /// Lets go of a match for want of room, and gives how many went; nothing if an answer must wait no longer instead.
    pub(super) fn squeeze(&mut self) -> Option<u64> {
        (self.sequence.spare().1 >= self.spare_waits()).then(|| self.sequence.squeeze())
    }

    fn keep(&self, now: Nanos, max: usize) -> Keep {
        let oldest = self.waits.first_key_value().map(|(_, wait)| wait.completing.at());
        Keep { now, oldest, max }
    }
}

impl State {
    /// A match of a sequence's step. One that can complete comes back to be judged.
    pub(super) fn step(&mut self, pending: Pending) -> Vec<Entered> {
        let Some((place, beside)) = self.places(&pending) else {
            self.refused(&pending);
            return Vec::new();
        };
        let beside = beside.and_then(|beside| self.step_in(pending.clone(), beside));
        self.step_in(pending, place).into_iter().chain(beside).collect()
    }

    fn step_in(&mut self, pending: Pending, place: Place) -> Option<Entered> {
        let (number, at) = (pending.m.rule as usize, pending.effective());
        let plan = self.plan.clone();
        let layout = plan.rules.get(number)?.layout()?;
        let spec = self.rules.get(number)?;
        let shard = self.shards.get_mut(place.shard)?;
        let group = shard.groups.enter(place.key, spec, at, place.shared);
        let Window::Sequence(chain) = &mut group.window else { return None };
        let waiting = Arc::new(Waiting {
            seen: seen(&pending),
            number: chain.sequence.number(),
            captures: pending.m.captures.clone(),
        });
        let step = pending.m.step as usize;
        let keep = chain.keep(at, self.limits.matches_of(place.shared));
        self.tally.shed.window += chain.sequence.enter(layout, step, waiting.clone(), keep);
        if layout.completes(step).is_some() {
            self.arm(place.key);
            self.squeeze(place.key, at);
            return Some(Entered { pending, waiting, group: place.key });
        }
        if layout.last(step).is_some() {
            self.watched(&pending, Outcome::Waits);
        } else {
            self.watched(&pending, Outcome::Forbids);
            self.settle(place.key, at);
        }
        self.arm(place.key);
        self.squeeze(place.key, at);
        None
    }

    /// Where an event completes by itself alone and something came that forbids it, its answer is known before its wait is
    /// over. So a rule about requests that are not answered remembers one only until it is.
    fn settle(&mut self, group: GroupKey, at: Nanos) {
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(group.0 as usize) else { return };
        let alone = rule.layout().is_some_and(|layout| layout.slots.len() == 1);
        let Some(chain) = chain_of(&mut self.shards, group) else { return };
        if !alone || chain.waits.len() != 1 {
            return;
        }
        let Some(wait) = chain.waits.first_key_value().map(|(_, wait)| wait.clone()) else { return };
        let coverage = self.coverage.as_deref().and_then(|of| of.get(group.0 as usize));
        let mut tries = 0;
        let judged = judge(rule, coverage, &chain.sequence, &wait.completing, Nanos::MAX, &mut tries);
        let Found::None { forbidden: Some(_), .. } = judged.found else { return };
        if let Some(chain) = chain_of(&mut self.shards, group) {
            chain.take(wait.completing.number());
        }
        self.settled(group, wait, judged, at);
    }

    /// Judges what completes at one time, in order.
    pub(super) fn complete(&mut self, entered: Vec<Entered>) {
        let mut all: Vec<(GroupKey, Completing)> = Vec::new();
        for Entered { pending, waiting, group } in entered {
            let of_event = |(_, other): &&mut (GroupKey, Completing)| {
                other.places.first().is_some_and(|(first, _)| {
                    (first.order, first.m.event) == (pending.order, pending.m.event)
                })
            };
            // Matches of one event stand together.
            let mut same = all.iter_mut().rev().take_while(of_event);
            match same.find(|(of, _)| *of == group) {
                Some((_, completing)) => completing.places.push((pending, waiting)),
                None => all.push((group, Completing { places: vec![(pending, waiting)] })),
            }
        }
        for (group, completing) in all {
            let at = completing.at();
            self.judge(group, Wait { completing, until: at, tries: 0 }, at, at);
            self.arm(group);
            self.squeeze(group, at);
        }
    }

    /// Waits of a key end.
    pub(super) fn waits_end(&mut self, group: GroupKey, at: Nanos) {
        let Some(chain) = chain_of(&mut self.shards, group) else { return };
        let mut over: Vec<u64> =
            chain.due.iter().take_while(|(end, _)| *end <= at).map(|(_, n)| *n).collect();
        over.sort_unstable();
        for number in over {
            let Some(chain) = chain_of(&mut self.shards, group) else { return };
            if let Some(wait) = chain.take(number) {
                self.judge(group, wait, at, at);
            }
        }
    }

    /// Looks at a completing event, as if it were `now`, at the time `at`.
    fn judge(&mut self, group: GroupKey, mut wait: Wait, now: Nanos, at: Nanos) {
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(group.0 as usize) else { return };
        let coverage = self.coverage.as_deref().and_then(|of| of.get(group.0 as usize));
        let Some(chain) = chain_of(&mut self.shards, group) else { return };
        let judged = judge(rule, coverage, &chain.sequence, &wait.completing, now, &mut wait.tries);
        let Found::Waits(until) = judged.found else { return self.settled(group, wait, judged, at) };
        wait.until = until;
        let shown: Vec<Pending> = match self.watches.is_empty() {
            true => Vec::new(),
            false => wait.completing.places.iter().map(|(pending, _)| pending.clone()).collect(),
        };
        let Some(shared) = self.group(group).map(|group| group.shared) else { return };
        let max = self.limits.matches_of(shared);
        let Some(chain) = chain_of(&mut self.shards, group) else { return };
        chain.wait(wait);
        let full = chain.waits.len() > max;
        for pending in &shown {
            self.watched(pending, Outcome::WaitsUntil(until));
        }
        if full {
            self.cut_wait(group, at);
        }
    }

    /// There is no room for the first answer of a key to wait any longer: what is known now must do.
    pub(super) fn cut_wait(&mut self, group: GroupKey, at: Nanos) {
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(group.0 as usize) else { return };
        let Some(chain) = chain_of(&mut self.shards, group) else { return };
        let first = chain.waits.first_key_value().map(|(number, _)| *number);
        let Some(mut over) = first.and_then(|first| chain.take(first)) else { return };
        self.tally.shed.window += 1;
        let coverage = self.coverage.as_deref().and_then(|of| of.get(group.0 as usize));
        let mut judged =
            judge(rule, coverage, &chain.sequence, &over.completing, Nanos::MAX, &mut over.tries);
        if let Found::Choice { approximate, .. } = &mut judged.found {
            *approximate = true;
        }
        self.settled(group, over, judged, at);
    }

    /// A completing event has been judged for good.
    fn settled(&mut self, key: GroupKey, wait: Wait, judged: Judged, at: Nanos) {
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(key.0 as usize) else { return };
        let Some(layout) = rule.layout() else { return };
        let Wait { completing, tries, .. } = wait;
        let Judged { place, found } = judged;
        let Some((pending, last)) = completing.places.get(place) else { return };
        let watched = !self.watches.is_empty();
        let (slots, until, approximate, forbidden) = match found {
            Found::Choice { slots, until, approximate } => (slots, until, approximate, None),
            Found::Waits(_) => return,
            Found::None { deepest, short: true, .. } => (deepest, None, true, None),
            Found::None { deepest, forbidden, .. } => {
                if watched {
                    self.show(key, (&completing, place), &deepest, forbidden.as_ref());
                }
                let outcome = if forbidden.is_some() { Outcome::Forbidden } else { Outcome::NoChoice };
                return completing
                    .places
                    .iter()
                    .for_each(|(pending, _)| self.watched(pending, outcome.clone()));
            }
        };
        if watched {
            self.show(key, (&completing, place), &slots, forbidden.as_ref());
        }
        let given_up = tries > crate::limits::SEQUENCE_TRIES_MAX;
        self.tally.shed.searches += u64::from(given_up);
        let Some(spec) = self.rules.get(key.0 as usize) else { return };
        let shard = self.shards.get_mut(key.1.shard());
        let Some(group) = shard.and_then(|shard| shard.groups.all.get_mut(&key)) else { return };
        let shared = group.shared;
        let unsure = !shared && group.unsure >= completing.at();
        let throttle = if shared { self.overflow.throttle(key.0 as usize) } else { group.throttle() };
        let outcome = match throttled(throttle, at, spec.throttle) {
            Err(since) => {
                self.tally.rule(pending.m.rule).suppressed += 1;
                Outcome::Throttled { since }
            }
            Ok(suppressed) => {
                let mut raised = raised(rule, layout, &slots, last);
                raised.notes.shared = shared;
                raised.notes.unsure = unsure;
                raised.notes.cut = approximate && !given_up;
                raised.notes.search_cut = given_up;
                raised.suppressed = suppressed;
                raised.time = until.unwrap_or(raised.time);
                raised.decided_at = at;
                let of_step = |step: usize| {
                    let slot = slots.get(layout.last(step)?)?.as_ref()?;
                    Some(slot.captures.as_slice())
                };
                let captures: Vec<&[Value]> =
                    (0..rule.steps.len()).map(|step| of_step(step).unwrap_or(&[])).collect();
                Outcome::Fired(self.raise(rule, Subject::of(pending, &captures), raised))
            }
        };
        completing.places.iter().for_each(|(pending, _)| self.watched(pending, outcome.clone()));
    }

    /// Shows watches what was there when an event was judged.
    fn show(
        &mut self,
        key: GroupKey,
        (completing, place): (&Completing, usize),
        slots: &[Option<Arc<Waiting>>],
        forbidden: Option<&(usize, Arc<Waiting>)>,
    ) {
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(key.0 as usize) else { return };
        let Some(layout) = rule.layout() else { return };
        let chain = chain_of(&mut self.shards, key);
        let (waiting, unfit) = match (chain, completing.places.get(place)) {
            (Some(chain), Some((pending, last))) => (
                chain.sequence.waiting(layout, completing.at()),
                unfit(&chain.sequence, layout, (pending.m.step as usize, last), slots, holds(rule, None))
                    .filter(|_| forbidden.is_none()),
            ),
            _ => (Vec::new(), None),
        };
        let name = |step: usize| rule.steps.get(step).and_then(|step| step.name.clone());
        let of_slot = |slot: usize| slots.get(slot).and_then(Option::as_ref);
        let choice = (0..layout.slots.len()).map(|slot| {
            Some(
                self.evidence(&of_slot(slot)?.seen.meta, layout.slots.get(slot).and_then(|step| name(*step))),
            )
        });
        let choice: Vec<_> = choice.collect();
        let forbidden = forbidden.map(|(step, by)| self.evidence(&by.seen.meta, name(*step)));
        let seen = SequenceSeen { waiting, choice, forbidden, unfit };
        completing.places.iter().for_each(|(pending, _)| self.watched_sequence(pending, &seen));
    }
}

/// The sequence of a group.
fn chain_of(shards: &mut [Shard], group: GroupKey) -> Option<&mut Chain> {
    match &mut shards.get_mut(group.1.shard())?.groups.all.get_mut(&group)?.window {
        Window::Sequence(chain) => Some(chain),
        _ => None,
    }
}

/// Looks for what an event completes, at its last step first.
fn judge(
    rule: &Rule,
    coverage: Option<&Coverage>,
    sequence: &Sequence,
    completing: &Completing,
    now: Nanos,
    tries: &mut usize,
) -> Judged {
    let mut best =
        Judged { place: 0, found: Found::None { deepest: Vec::new(), forbidden: None, short: false } };
    let Some(layout) = rule.layout() else { return best };
    let mut holds = holds(rule, coverage);
    for (place, (pending, waiting)) in completing.places.iter().enumerate().rev() {
        let asked = Asked { layout, step: pending.m.step as usize, completing: waiting, now };
        let found = look(sequence, asked, tries, &mut holds);
        let told = |found: &Found| match found {
            Found::Choice { .. } | Found::Waits(_) => 3,
            Found::None { short: true, .. } => 2,
            Found::None { forbidden: Some(_), .. } => 1,
            Found::None { deepest, .. } => i32::from(!deepest.is_empty()) - 1,
        };
        if told(&found) > told(&best.found) {
            best = Judged { place, found };
        }
        if told(&best.found) == 3 {
            break;
        }
    }
    best
}

/// Whether a join of a rule, by its number, holds with the captures of every step.
fn holds<'a>(rule: &'a Rule, coverage: Option<&'a Coverage>) -> impl FnMut(usize, &[&[Value]]) -> bool + 'a {
    let joins: Vec<_> = rule.steps.iter().flat_map(|step| &step.joins).collect();
    move |join, captures| {
        let cx = LateCx { captures, coverage, ..LateCx::default() };
        joins.get(join).is_some_and(|join| late::truth(&join.condition, &cx) == Truth::True)
    }
}

/// An alert about a choice, of which some slots may be empty.
fn raised(rule: &Rule, layout: &Layout, slots: &[Option<Arc<Waiting>>], last: &Waiting) -> Raised {
    let steps = slots.iter().zip(&layout.slots);
    let mut chosen: Vec<(&Arc<Waiting>, usize)> =
        steps.filter_map(|(chosen, step)| Some((chosen.as_ref()?, *step))).collect();
    if !layout.ordered {
        chosen.sort_by_key(|(chosen, _)| chosen.number);
    }
    let at = last.seen.effective;
    let first = chosen.iter().map(|(chosen, _)| chosen.seen.effective).min();
    Raised {
        count: layout.slots.len() as u64,
        window: Some((first.unwrap_or(at), at)),
        notes: Notes {
            late: chosen.iter().any(|(chosen, _)| chosen.seen.late),
            dry_run_unknown: chosen.iter().any(|(chosen, _)| chosen.seen.dry_run_unknown),
            rests: chosen.iter().any(|(chosen, _)| chosen.seen.meta.approximate()),
            ..Notes::default()
        },
        events: chosen
            .into_iter()
            .map(|(chosen, step)| {
                let name = rule.steps.get(step).and_then(|step| step.name.clone());
                (chosen.seen.meta.clone(), name)
            })
            .collect(),
        aggregates: Vec::new(),
        suppressed: 0,
        time: last.seen.meta.stage_timestamp,
        decided_at: at,
        what: What::Request,
    }
}
