//! By how much a match came too late for a window that slides: the smallest longer window in which it would have completed.
//!
//! That is said of conditions that more events only make truer (as lower bounds on counts, also of a part, on different
//! values, and on sums of lengths): walking back from the match through those that had left the window, it is the first of them
//! with which the condition is true. Nothing is said where the match is not needed for that, since then another one was late.
//! Of one plain `count()` the times of the latest matches are enough, so that bounds of thousands are told too; of
//! all else [`KEPT_OF_KEY_MAX`] matches of a key are looked at.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use dsl::ir::AggregateKind;

use super::{KEYS_MAX, key_of, length};
use crate::limits::Limits;
use crate::matches::{Counted, Nanos, Value};
use crate::plan::late::{self, LateCx, Truth};
use crate::plan::{Plan, Shape};
use crate::state::{Outcome, Watched, monotone};
use crate::window::aggregate::{Gauge, Spec};

/// Times kept of a key; of a bound above this lateness is not told.
const TIMES_MAX: u64 = 10_000;
/// Matches kept of a key.
const KEPT_OF_KEY_MAX: usize = 512;
/// Matches kept of all keys together. Past it all is forgotten, and lateness told again of what comes from then on.
const KEPT_MAX: usize = 200_000;

/// The latest matches of each key.
#[derive(Debug)]
pub(super) struct History {
    plan: Arc<Plan>,
    rule: usize,
    within: Nanos,
    specs: Vec<Spec>,
    /// How many requests the window asks for, if that is all that it asks.
    bound: Option<u64>,
    times: HashMap<String, VecDeque<Nanos>>,
    matches: HashMap<String, VecDeque<(Nanos, Vec<Counted>)>>,
    kept: usize,
}

impl History {
    /// Nothing where nothing can be said exactly.
    pub(super) fn new(plan: Arc<Plan>, number: usize) -> Option<Self> {
        let rule = plan.rules.get(number)?;
        let Shape::Sliding { within, .. } = rule.shape else { return None };
        if !monotone::is(&rule.source) {
            return None;
        }
        let bound = match rule.source.aggregates.as_slice() {
            [one] if matches!(one.kind, AggregateKind::Count) && one.filter.is_none() => one.enough,
            _ => None,
        };
        let bound = bound.filter(|bound| (2..=TIMES_MAX).contains(bound));
        let most = Limits::default().matches_per_key_max;
        let specs = rule.aggregates.iter().map(|of| Spec::new(of, most)).collect();
        let (times, matches) = (HashMap::new(), HashMap::new());
        Some(Self { within, specs, bound, rule: number, plan, times, matches, kept: 0 })
    }

    /// By how much the match came too late to be the last that is asked for.
    pub(super) fn late(&mut self, watched: &Watched) -> Option<String> {
        watched.window.as_ref()?;
        let key = key_of(watched);
        match self.bound {
            Some(bound) => self.late_by_count(watched, key, bound),
            None => self.late_by_all(watched, key),
        }
    }

    fn late_by_count(&mut self, watched: &Watched, key: String, bound: u64) -> Option<String> {
        let before = usize::try_from(bound - 1).ok()?;
        if !self.times.contains_key(&key) && self.times.len() >= KEYS_MAX {
            return None;
        }
        let recent = self.times.entry(key).or_default();
        let oldest = (recent.len() >= before).then(|| recent.front().copied()).flatten();
        recent.push_back(watched.effective);
        if recent.len() > before {
            recent.pop_front();
        }
        let over = watched.effective.saturating_sub(oldest?).saturating_sub(self.within);
        (over > 0).then(|| format!("number {bound} came {} late", length(over)))
    }

    fn late_by_all(&mut self, watched: &Watched, key: String) -> Option<String> {
        let past = self.matches.get(&key).filter(|_| watched.outcome == Outcome::NotTrue);
        let over = past.and_then(|past| self.over(watched, past));
        if self.kept >= KEPT_MAX {
            self.matches.clear();
            self.kept = 0;
        }
        let past = self.matches.entry(key).or_default();
        past.push_back((watched.effective, watched.counted.clone()));
        self.kept += 1;
        if past.len() > KEPT_OF_KEY_MAX {
            past.pop_front();
            self.kept -= 1;
        }
        over.map(|over| format!("it came {} late", length(over)))
    }

    /// How much longer the window would have to be for the match to complete it.
    fn over(&self, watched: &Watched, past: &VecDeque<(Nanos, Vec<Counted>)>) -> Option<Nanos> {
        let from = watched.effective.saturating_sub(self.within);
        let mut gauges = self.gauges();
        self.add(&mut gauges, &watched.counted);
        let mut newest_first = past.iter().rev().peekable();
        while let Some((at, counted)) = newest_first.next() {
            self.add(&mut gauges, counted);
            let whole = newest_first.peek().is_none_or(|(next, _)| next < at);
            if *at >= from || !whole || !self.holds(watched, &gauges) {
                continue;
            }
            let mut without = self.gauges();
            let same = past.iter().filter(|(of, _)| of >= at);
            same.for_each(|(_, counted)| self.add(&mut without, counted));
            return (!self.holds(watched, &without)).then(|| from.saturating_sub(*at));
        }
        None
    }

    fn gauges(&self) -> Vec<Gauge> {
        self.specs.iter().map(Gauge::new).collect()
    }

    fn add(&self, gauges: &mut [Gauge], counted: &[Counted]) {
        for ((gauge, spec), counted) in gauges.iter_mut().zip(&self.specs).zip(counted) {
            gauge.enter(spec, counted);
        }
    }

    fn holds(&self, watched: &Watched, gauges: &[Gauge]) -> bool {
        let rule = self.plan.rules.get(self.rule);
        let Some(Shape::Sliding { condition, .. }) = rule.map(|rule| &rule.shape) else { return false };
        let values: Vec<Value> =
            gauges.iter().zip(&self.specs).map(|(gauge, spec)| gauge.get(spec)).collect();
        let key: Vec<Value> = watched.key.iter().map(|(_, value)| value.clone()).collect();
        let captures = [watched.captures.as_slice()];
        let cx = LateCx { captures: &captures, aggregates: &values, key: &key, ..LateCx::default() };
        late::truth(condition, &cx) == Truth::True
    }
}
