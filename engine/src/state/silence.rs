//! Silences: a key that was heard of, or is waited for, and then is not heard of for too long.

use std::sync::Arc;

use super::close::{Over, owner};
use super::decide::{seen, throttled};
use super::firsts::Whose;
use super::groups::{Group, GroupKey, Room, Window};
use super::hash::group_of;
use super::make::{Notes, Raised, Subject, What};
use super::rules::ShapeSpec;
use super::watch::Outcome;
use super::{Pending, State};
use crate::matches::{Nanos, Value};
use crate::plan::{Shape, WaitsFor};
use crate::planted::planted;
use crate::window::Owner;
use crate::window::silent::Silence;

impl State {
    /// A match breaks the silence of its key, or begins the first.
    pub(super) fn hear(&mut self, pending: &Pending) {
        let at = pending.effective();
        let Some(place) = self.place(pending) else { return self.refused(pending) };
        let (last, owner) = (Some(seen(pending)), owner(pending));
        self.let_go(pending.m.rule, at, u64::from(owner.short));
        self.begin(place.key, at, place.shared, last, owner);
        self.watched(pending, Outcome::Heard);
    }

    fn begin(
        &mut self,
        key: GroupKey,
        at: Nanos,
        shared: bool,
        last: Option<crate::window::Seen>,
        owner: Owner,
    ) {
        let Some(spec) = self.rules.get(key.0 as usize) else { return };
        let ShapeSpec::Silent { after } = spec.shape else { return };
        let Some(shard) = self.shards.get_mut(key.1.shard()) else { return };
        let group = shard.groups.enter(key, spec, at, shared);
        if let Window::Silent(running) = &mut group.window {
            *running = Some(Box::new(Silence::new(at, after, last, owner)));
        }
        self.arm(key);
        self.squeeze(key, at);
    }

    /// The first events at all, or of a cluster, are of this time: what is waited for from then on begins.
    pub(super) fn begin_waiting(&mut self, at: Nanos) {
        for first in self.firsts.take(at) {
            let plan = self.plan.clone();
            for (rule, _) in (0..).zip(&plan.rules) {
                self.begin_rule(rule, &first, at, None);
            }
        }
    }

    /// What a rule waits for from such a first event on begins; if a shard is named, only what is of it.
    pub(super) fn begin_rule(&mut self, rule: u32, first: &Whose, at: Nanos, shard: Option<usize>) {
        let plan = self.plan.clone();
        let Some(Shape::Silent { waits_for, .. }) = plan.rules.get(rule as usize).map(|rule| &rule.shape)
        else {
            return;
        };
        match (waits_for, first) {
            (WaitsFor::All, None) => self.wait(rule, at, None, Vec::new(), shard),
            (WaitsFor::EachCluster, Some(cluster)) => {
                self.wait(rule, at, cluster.clone(), Vec::new(), shard);
            }
            (WaitsFor::Keys(keys), None) => {
                keys.iter().for_each(|key| self.wait(rule, at, None, vec![key.clone()], shard));
            }
            _ => {}
        }
    }

    fn wait(
        &mut self,
        rule: u32,
        at: Nanos,
        cluster: Option<Arc<str>>,
        key: Vec<Value>,
        shard: Option<usize>,
    ) {
        let Some(spec) = self.rules.get(rule as usize) else { return };
        let id = group_of(&self.key, &spec.id, cluster.as_deref(), &key);
        if shard.is_some_and(|shard| shard != id.shard()) {
            return;
        }
        let group = (rule, id);
        let Some(groups) = self.shards.get(id.shard()).map(|shard| &shard.groups) else { return };
        let running = |group: &Group| matches!(group.window, Window::Silent(Some(_)));
        if planted(35) || groups.all.get(&group).is_some_and(running) {
            return;
        }
        if groups.room(group, spec) != Room::Own {
            self.refuse(rule, at);
            return;
        }
        // What is read of an event that never came.
        let nothing = self.plan.rules.get(rule as usize).and_then(|rule| rule.steps.first());
        let captures = nothing.map_or_else(Vec::new, |step| step.nothing(cluster.as_deref()));
        self.begin(group, at, false, None, Owner::new(key, cluster, captures));
    }

    /// A key was silent for too long.
    pub(super) fn fell_silent(&mut self, at: Nanos, key: GroupKey) {
        let plan = self.plan.clone();
        let number = key.0 as usize;
        let (Some(rule), Some(spec)) = (plan.rules.get(number), self.rules.get(number)) else { return };
        let groups = self.shards.get_mut(key.1.shard()).map(|shard| &mut shard.groups);
        let Some(group) = groups.and_then(|groups| groups.all.get_mut(&key)) else { return };
        let Window::Silent(running) = &mut group.window else { return };
        let Some(silence) = running.take() else { return };
        let shared = group.shared;
        let told = throttled(group.throttle(), at, spec.throttle);
        let Silence { since, deadline, last, owner } = *silence;
        let over = (!self.watches.is_empty()).then(|| Over::of(rule, &owner, (since, deadline), at));
        let suppressed = match told {
            Ok(suppressed) => suppressed,
            Err(told) => {
                self.tally.rule(key.0).suppressed += 1;
                return self.was_judged(key.0, over, Outcome::Throttled { since: told });
            }
        };
        let captures = [owner.captures.as_slice()];
        let raised = Raised {
            events: last.iter().map(|seen| (seen.meta.clone(), None)).collect(),
            count: 0,
            window: Some((since, deadline)),
            aggregates: Vec::new(),
            notes: Notes {
                late: last.as_ref().is_some_and(|seen| seen.late),
                dry_run_unknown: last.as_ref().is_some_and(|seen| seen.dry_run_unknown),
                shared,
                later_lost: owner.short,
                rests: last.as_ref().is_some_and(|seen| seen.meta.approximate()),
                ..Notes::default()
            },
            suppressed,
            time: deadline,
            decided_at: at,
            what: What::Time(deadline),
        };
        let subject = Subject {
            rule: key.0,
            step: 0,
            key: &owner.key,
            cluster: owner.cluster.as_ref(),
            completing: last.as_ref().map(|seen| &seen.meta),
            captures: &captures,
        };
        let id = self.raise(rule, subject, raised);
        self.was_judged(key.0, over, Outcome::Fired(id));
    }
}
