//! Windows that close: matches gather in them, a timer judges them.

use std::sync::Arc;

use super::decide::{Place, seen, throttled};
use super::groups::{GroupKey, Window};
use super::make::{Notes, Raised, Subject, What};
use super::rules::ShapeSpec;
use super::watch::{Outcome, WindowSeen};
use super::{Pending, State};
use crate::matches::{Counted, Nanos, Value};
use crate::plan::late::{self, LateCx, Truth};
use crate::plan::{Rule, Shape};
use crate::planted::planted;
use crate::window::Owner;
use crate::window::closing::{Closing, Reach};

/// A window or a silence that is over, for who watches.
pub(super) struct Over {
    pub(super) at: Nanos,
    pub(super) cut: bool,
    pub(super) span: (Nanos, Nanos),
    pub(super) key: Vec<Value>,
    pub(super) cluster: Option<Arc<str>>,
    pub(super) window: Option<WindowSeen>,
}

impl Over {
    /// A silence, or what a window has beside what was in it.
    pub(super) fn of(rule: &Rule, owner: &Owner, span: (Nanos, Nanos), at: Nanos) -> Self {
        let cluster = owner.cluster.clone().filter(|_| !rule.across_clusters);
        Self { at, cut: false, span, key: owner.key.clone(), cluster, window: None }
    }
}

impl State {
    /// A match enters the open window of its key, or opens one.
    pub(super) fn gather(&mut self, mut pending: Pending) {
        let Some((place, beside)) = self.places(&pending) else { return self.refused(&pending) };
        let counted = std::mem::take(&mut pending.m.counted);
        self.gather_in(&pending, place, &counted);
        if let Some(beside) = beside {
            self.gather_in(&pending, beside, &counted);
        }
        self.watched(&pending, Outcome::Counted);
    }

    fn gather_in(&mut self, pending: &Pending, place: Place, counted: &[Counted]) {
        let at = pending.effective();
        let over = |window: &Window, spec: &ShapeSpec| match (window, spec) {
            (Window::Closing(Some(open)), ShapeSpec::Closing(spec)) => !open.takes(spec, at),
            _ => false,
        };
        let group = self.group(place.key).zip(self.rules.get(place.key.0 as usize));
        if group.is_some_and(|(group, spec)| over(&group.window, &spec.shape)) {
            // Its timer is of this very time: what is of the next window is decided before timers are.
            self.close(at, place.key, false);
        }
        let (owner, seen) = (owner(pending), seen(pending));
        let Some(spec) = self.rules.get(place.key.0 as usize) else { return };
        let ShapeSpec::Closing(closing) = &spec.shape else { return };
        let Some(shard) = self.shards.get_mut(place.shard) else { return };
        let group = shard.groups.enter(place.key, spec, at, place.shared);
        let Window::Closing(open) = &mut group.window else { return };
        let open = open.get_or_insert_with(|| Box::new(Closing::new(closing, at)));
        let gone = u64::from(owner.short) + open.enter(closing, seen, owner, counted);
        self.arm(place.key);
        self.let_go(pending.m.rule, at, gone);
        self.cut_tuples(pending.m.rule, at, counted);
        self.squeeze(place.key, at);
    }

    /// Judges the open window of a key, which is over; `cut`: since the input is.
    pub(super) fn close(&mut self, at: Nanos, key: GroupKey, cut: bool) {
        let plan = self.plan.clone();
        let number = key.0 as usize;
        let (Some(rule), Some(spec)) = (plan.rules.get(number), self.rules.get(number)) else { return };
        let (Shape::Tumbling { condition, .. } | Shape::Session { condition, .. }) = &rule.shape else {
            return;
        };
        let ShapeSpec::Closing(closing) = &spec.shape else { return };
        let groups = self.shards.get_mut(key.1.shard()).map(|shard| &mut shard.groups);
        let Some(group) = groups.and_then(|groups| groups.all.get_mut(&key)) else { return };
        let Window::Closing(window) = &mut group.window else { return };
        let Some(open) = window.take() else { return };
        let aggregates = open.values(closing);
        let captures = [open.owner.captures.as_slice()];
        let cx = LateCx {
            captures: &captures,
            aggregates: &aggregates,
            key: &open.owner.key,
            coverage: self.coverage.as_deref().and_then(|coverage| coverage.get(number)),
            ..LateCx::default()
        };
        let (shared, short) = (group.shared, open.shortfall(closing));
        let truth = late::truth(condition, &cx);
        let unsure = !shared && group.unsure >= open.start;
        let told_at = if planted(45) { open.start } else { at };
        let (throttle, told_at, length) = match shared {
            // Windows that close close at once: those of all shards that end together are told as one. The end of input may
            // close the next ones at the time at which these end.
            true if spec.throttle == 0 => (self.overflow.throttle(number), open.end, 1),
            true => (self.overflow.throttle(number), told_at, spec.throttle),
            false => (group.throttle(), told_at, spec.throttle),
        };
        let told = (truth == Truth::True).then(|| throttled(throttle, told_at, length));
        let over = (!self.watches.is_empty()).then(|| self.over(rule, &open, &aggregates, (truth, at, cut)));
        let suppressed = match told {
            None => return self.was_judged(key.0, over, Outcome::NotTrue),
            Some(Err(since)) => {
                self.tally.rule(key.0).suppressed += 1;
                return self.was_judged(key.0, over, Outcome::Throttled { since });
            }
            Some(Ok(suppressed)) => suppressed,
        };
        let (time, window, what) = match (closing.reach, open.newest()) {
            (Reach::Tumbling(_), _) | (_, None) => (open.end, (open.start, open.end), open.start),
            (Reach::Session { .. }, Some(last)) => {
                (last.meta.stage_timestamp, (open.start, last.effective), open.start)
            }
        };
        let raised = Raised {
            events: open.evidence().map(|seen| (seen.meta.clone(), None)).collect(),
            count: open.count,
            window: Some(window),
            aggregates,
            notes: Notes {
                at_least: short.at_least,
                late: open.late,
                dry_run_unknown: open.dry_run_unknown,
                shared,
                unsure,
                cut: short.approximate,
                few_shown: open.few_shown,
                later_lost: open.owner.short,
                ended: cut,
                rests: open.approximate,
                ..Notes::default()
            },
            suppressed,
            time,
            decided_at: at,
            what: What::Time(if planted(44) { at } else { what }),
        };
        let subject = Subject {
            rule: key.0,
            step: 0,
            key: &open.owner.key,
            cluster: open.owner.cluster.as_ref(),
            completing: open.completing(),
            captures: &captures,
        };
        let id = self.raise(rule, subject, raised);
        self.was_judged(key.0, over, Outcome::Fired(id));
    }

    /// A window as it was when it was judged.
    fn over(&self, rule: &Rule, open: &Closing, values: &[Value], how: (Truth, Nanos, bool)) -> Over {
        let (truth, at, cut) = how;
        let texts = rule.aggregates.iter().map(|aggregate| aggregate.text.clone());
        let window = WindowSeen {
            events: open.evidence().map(|seen| self.evidence(&seen.meta, None)).collect(),
            count: open.count,
            aggregates: texts.zip(values.iter().cloned()).collect(),
            truth,
        };
        Over { cut, window: Some(window), ..Over::of(rule, &open.owner, (open.start, open.end), at) }
    }
}

/// Whom a window belongs to that this match is the last of.
pub(super) fn owner(pending: &Pending) -> Owner {
    let m = &pending.m;
    Owner::new(m.key.clone(), m.meta.cluster.clone(), m.captures.clone())
}
