//! What becomes of a match: `docs/semantics.md`, "Deciding".

use super::groups::{Group, GroupKey, Room, Throttle, Window};
use super::hash::overflow_group;
use super::make::{Notes, Raised, Subject, What};
use super::rules::ShapeSpec;
use super::sequence::Entered;
use super::watch::{Outcome, WindowSeen};
use super::{Pending, State};
use crate::matches::{Counted, Nanos, Value};
use crate::plan::Shape;
use crate::plan::late::{self, LateCx, Truth};
use crate::planted::planted;
use crate::window::Seen;

/// Where a match found room, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) key: GroupKey,
    pub(super) shard: usize,
    pub(super) shared: bool,
    /// Something of its key may be missing.
    pub(super) unsure: bool,
}

impl Place {
    /// Whether it says less than all: only what many share says more.
    pub(super) fn short(self) -> bool {
        self.unsure && !self.shared
    }
}

impl State {
    /// Decides a match; one that completes a sequence comes back to be judged.
    pub(super) fn decide(&mut self, pending: Pending) -> Vec<Entered> {
        let in_doubt = match self.admit(&pending) {
            Ok(in_doubt) => in_doubt,
            Err(outcome) => {
                self.watched(&pending, outcome);
                return Vec::new();
            }
        };
        let (rule, at) = (pending.m.rule, pending.effective());
        let Some(spec) = self.rules.get(rule as usize) else { return Vec::new() };
        let misses = !spec.monotone;
        if in_doubt {
            self.overflow.doubt(rule, at);
        }
        let refused = self.tally.shed.refused;
        let mut entered = Vec::new();
        match &spec.shape {
            ShapeSpec::Each => self.each(&pending),
            ShapeSpec::Sliding(_) => self.slide(pending),
            ShapeSpec::Sequence(_) => entered = self.step(pending),
            ShapeSpec::Closing(_) => self.gather(pending),
            ShapeSpec::FirstSeen(_) => self.sight(&pending),
            ShapeSpec::Silent { .. } => self.hear(&pending),
        }
        // What was refused is told as that.
        if in_doubt && self.tally.shed.refused == refused {
            self.count_doubt(rule, at, misses);
        }
        entered
    }

    /// Whether a match takes part, and takes its request if it does. Gives whether it may have been taken before.
    fn admit(&mut self, pending: &Pending) -> Result<bool, Outcome> {
        let m = &pending.m;
        let Some(spec) = self.rules.get(m.rule as usize) else { return Err(Outcome::Refused) };
        if spec.windowed() {
            if pending.moved() > spec.within {
                self.tally.rule(m.rule).left_out_late += 1;
                return Err(Outcome::LeftOutLate);
            }
            let unknown = m.key.iter().any(|part| matches!(part, Value::Unknown));
            if unknown && !planted(24) {
                self.tally.rule(m.rule).key_unknown += 1;
                return Err(Outcome::KeyUnknown);
            }
        }
        if matches!(spec.shape, ShapeSpec::Sequence(_)) && !m.key.is_empty() && m.key.iter().all(absent) {
            return Err(Outcome::KeyAbsent);
        }
        let key = spec.told((m.rule, m.step), m.meta.request.0, m.meta.stage);
        let Some(shard) = self.shards.get_mut(key.shard(self.keyed, &spec.id)) else {
            return Err(Outcome::Refused);
        };
        let taking = shard.told.take(key, pending.effective(), spec.memory);
        self.tally.shed.requests += taking.forgotten;
        if !taking.new && !planted(18) {
            self.tally.rule(m.rule).duplicates += 1;
            return Err(Outcome::Duplicate);
        }
        Ok(taking.in_doubt && spec.windowed())
    }

    /// Finds room for the group of a match.
    pub(super) fn place(&mut self, pending: &Pending) -> Option<Place> {
        let rule = pending.m.rule;
        let id = pending.group;
        let shard = id.shard();
        let spec = self.rules.get(rule as usize)?;
        let (key, at) = ((rule, id), pending.effective());
        let groups = &mut self.shards.get_mut(shard)?.groups;
        let unsure = groups.unsure(key, at);
        let room = Room::of_long(spec, &pending.m.key).unwrap_or_else(|| {
            let room = groups.room(key, spec);
            if room != Room::Own {
                groups.turn_away(key, spec, at);
            }
            room
        });
        match room {
            Room::Own => Some(Place { key, shard, shared: false, unsure }),
            Room::Shared => self.shared(key, shard),
            Room::Refused => None,
        }
    }

    fn shared(&mut self, of: GroupKey, shard: usize) -> Option<Place> {
        let id = overflow_group(&self.key, &self.rules.get(of.0 as usize)?.id, shard);
        self.tally.shed.shared += 1;
        Some(Place { key: (of.0, id), shard, shared: true, unsure: true })
    }

    /// Finds room as [`Self::place`] does, and the window that many share beside it for a key that may have been in there
    /// before it had its own.
    pub(super) fn places(&mut self, pending: &Pending) -> Option<(Place, Option<Place>)> {
        let place = self.place(pending)?;
        let monotone = self.rules.get(pending.m.rule as usize).is_some_and(|spec| spec.monotone);
        let beside = monotone && place.short();
        let beside = if beside { self.shared(place.key, place.shard) } else { None };
        Some((place, beside))
    }

    fn each(&mut self, pending: &Pending) {
        let number = pending.m.rule as usize;
        let Some(spec) = self.rules.get(number) else { return };
        let (plan, throttle) = (self.plan.clone(), spec.throttle);
        let Some(rule) = plan.rules.get(number) else { return };
        let mut raised = Raised::one(pending);
        if throttle > 0 {
            match self.place(pending) {
                Some(place) => {
                    let at = pending.effective();
                    let told = match self.enter(place, at) {
                        Some(group) => throttled(group.throttle(), at, throttle),
                        None => return,
                    };
                    self.arm(place.key);
                    // What came of it when there was no room is not known.
                    raised.notes.throttle_lost = place.unsure && !planted(99);
                    match told {
                        Ok(suppressed) => raised.suppressed = suppressed,
                        Err(since) => return self.held_back(pending, since),
                    }
                }
                // Not remembered, so the next one is told too.
                None if planted(79) => return self.held_back(pending, pending.effective()),
                None => {
                    self.tally.shed.throttles += 1;
                    raised.notes.throttle_lost = !planted(99);
                }
            }
        }
        let id = self.raise(rule, Subject::of(pending, &[&pending.m.captures]), raised);
        self.watched(pending, Outcome::Fired(id));
    }

    fn slide(&mut self, mut pending: Pending) {
        let Some((place, beside)) = self.places(&pending) else { return self.refused(&pending) };
        let counted = std::mem::take(&mut pending.m.counted);
        self.slide_in(&pending, place, &counted);
        if let Some(beside) = beside {
            self.slide_in(&pending, beside, &counted);
        }
    }

    fn slide_in(&mut self, pending: &Pending, place: Place, counted: &[Counted]) {
        let (number, at) = (pending.m.rule as usize, pending.effective());
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(number) else { return };
        let Shape::Sliding { condition, .. } = &rule.shape else { return };
        let seen = seen(pending);
        let Some(spec) = self.rules.get(number) else { return };
        let ShapeSpec::Sliding(sliding) = &spec.shape else { return };
        let Some(shard) = self.shards.get_mut(place.shard) else { return };
        let group = shard.groups.enter(place.key, spec, at, place.shared);
        let Group { window, last_told, suppressed, .. } = group;
        let Window::Sliding(window) = window else { return };
        let gone = window.enter(sliding, seen, counted);

        let values = window.values(sliding);
        let cx = LateCx {
            captures: &[&pending.m.captures],
            aggregates: &values,
            key: &pending.m.key,
            coverage: self.coverage.as_deref().and_then(|coverage| coverage.get(number)),
            ..LateCx::default()
        };
        let truth = late::truth(condition, &cx);
        let short = window.shortfall(sliding, at);
        let watched = self.watches.iter().any(|watch| watch.wants(pending));
        let shown = watched.then(|| (window.evidence().cloned().collect::<Vec<_>>(), window.count()));
        let told = (truth == Truth::True).then(|| {
            let own = Throttle { last_told, suppressed };
            throttled(if place.shared { self.overflow.throttle(number) } else { own }, at, spec.throttle)
        });
        // Evidence is gathered for what is told alone: in a burst most is held back.
        let raised = matches!(told, Some(Ok(_))).then(|| {
            let notes = Notes {
                at_least: short.at_least,
                late: window.any_late(),
                dry_run_unknown: window.any_dry_run_unknown(),
                shared: place.shared,
                unsure: place.short(),
                cut: short.approximate,
                rests: window.any_approximate(),
                ..Notes::default()
            };
            let from = window.ring.front().map_or(at, |first| first.effective);
            Raised {
                events: window.evidence().map(|seen| (seen.meta.clone(), None)).collect(),
                count: window.count(),
                window: Some((from, at)),
                aggregates: values.clone(),
                notes,
                suppressed: 0,
                time: pending.m.meta.stage_timestamp,
                decided_at: at,
                what: What::Request,
            }
        });
        self.arm(place.key);
        self.let_go(pending.m.rule, at, gone);
        self.cut_tuples(pending.m.rule, at, counted);
        self.squeeze(place.key, at);
        if let Some((events, count)) = shown {
            let events = events.into_iter().map(|seen| self.evidence(&seen.meta, None)).collect();
            let texts = rule.aggregates.iter().map(|aggregate| aggregate.text.clone());
            let aggregates = texts.zip(values).collect();
            self.watched_window(pending, WindowSeen { events, count, aggregates, truth }, counted);
        }
        match (raised, told) {
            (Some(mut raised), Some(Ok(suppressed))) => {
                raised.suppressed = suppressed;
                let id = self.raise(rule, Subject::of(pending, &[&pending.m.captures]), raised);
                self.watched(pending, Outcome::Fired(id));
            }
            (_, Some(Err(since))) => self.held_back(pending, since),
            _ => self.watched(pending, Outcome::NotTrue),
        }
    }

    fn enter(&mut self, place: Place, at: Nanos) -> Option<&mut Group> {
        let spec = self.rules.get(place.key.0 as usize)?;
        let shard = self.shards.get_mut(place.shard)?;
        Some(shard.groups.enter(place.key, spec, at, place.shared))
    }

    pub(super) fn held_back(&mut self, pending: &Pending, since: Nanos) {
        self.tally.rule(pending.m.rule).suppressed += 1;
        self.watched(pending, Outcome::Throttled { since });
    }

    pub(super) fn refused(&mut self, pending: &Pending) {
        self.refuse(pending.m.rule, pending.effective());
        self.watched(pending, Outcome::Refused);
    }
}

/// Whether an alert at `at` may be told: how many were held back before it, or else since when it must be silent.
pub(super) fn throttled(of: Throttle<'_>, at: Nanos, throttle: Nanos) -> Result<u64, Nanos> {
    let Throttle { last_told, suppressed: held_back } = of;
    if let Some(told) = *last_told {
        let gap = at.saturating_sub(told);
        if gap < throttle || (gap == throttle && throttle > 0 && planted(15)) {
            *held_back += 1;
            return Err(told);
        }
    }
    *last_told = Some(at);
    let suppressed = *held_back;
    if !planted(22) {
        *held_back = 0;
    }
    Ok(suppressed)
}

/// A match as evidence.
pub(super) fn seen(pending: &Pending) -> Seen {
    Seen {
        effective: pending.effective(),
        late: pending.late(),
        dry_run_unknown: pending.m.dry_run_unknown,
        meta: pending.m.meta.clone(),
    }
}

fn absent(part: &Value) -> bool {
    matches!(part, Value::Absent | Value::List { .. } | Value::Map { .. } | Value::Spread { .. })
}
