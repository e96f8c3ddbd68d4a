//! Silences: `docs/semantics.md`, "Deciding", `Silent`.
//!
//! A group's life is the row of what kept it alive: at first perhaps that it is waited for, then its matches. Where the next one is
//! further off than allowed, there was a silence.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use dsl::ir::Literal;

use super::alerts::{Raised, What};
use super::decide::{Judge, Tally};
use super::eval::constant;
use super::event::Event;
use super::identity;
use super::matching::{Group, Match};
use super::place::Moment;
use super::value::V;
use super::window::{before_timers, groups, nanos};

/// What kept a group alive.
struct Life<'m> {
    at: Moment,
    /// None if it is only waited for.
    last: Option<&'m Match>,
}

pub(super) fn silences(
    judge: Judge<'_>,
    matches: &[Match],
    after: i64,
    among: Option<&[Literal]>,
    tally: &mut Tally,
) -> Vec<Raised> {
    let awaited = awaited(judge, among);
    let known = groups(matches);
    let all: BTreeSet<&Group> = awaited.keys().chain(known.keys().copied()).collect();
    let mut raised = Vec::new();
    for group in all {
        let of = known.get(group).map_or(&[][..], Vec::as_slice);
        let mut lives: Vec<Life<'_>> = of.iter().map(|m| Life { at: m.at(), last: Some(m) }).collect();
        let key = awaited.get(group).map(|(from, key)| {
            let begins = Moment::at(*from);
            let earlier = lives.iter().take_while(|life| life.at < begins).count();
            let alive = |life: &Life<'_>| before_timers(begins, deadline(life.at, after));
            if !lives[..earlier].last().is_some_and(alive) {
                lives.insert(earlier, Life { at: begins, last: None });
            }
            key
        });
        for (n, life) in lives.iter().enumerate() {
            let deadline = deadline(life.at, after);
            let decided = judge.log.timer(deadline);
            if lives.get(n + 1).is_some_and(|next| before_timers(next.at, deadline)) {
                continue;
            }
            if decided.ended && !judge.poison.hits("pending") {
                tally.pending += 1;
                continue;
            }
            let deadline = nanos(deadline);
            let silence = match life.last {
                Some(last) => Raised::on(last),
                None => nothing(group, key.cloned().unwrap_or_default(), life.at),
            };
            raised.push(Raised {
                decided,
                time: deadline,
                what: What::Time(deadline),
                count: 0,
                window: Some((life.at.time, deadline)),
                ..silence
            });
        }
    }
    raised
}

fn deadline(since: Moment, after: i64) -> i128 {
    i128::from(since.time) + i128::from(after)
}

/// The groups that begin without a match: when, and their keys.
fn awaited(judge: Judge<'_>, among: Option<&[Literal]>) -> BTreeMap<Group, (i64, Vec<V>)> {
    let events = || judge.log.events.iter();
    let Some(first) = events().map(|p| p.at.time).min() else { return BTreeMap::new() };
    if let Some(all) = among {
        let all = if judge.poison.hits("among") { &[] } else { all };
        let group = |value: &Literal| {
            let key = vec![constant(value)];
            ((None, key.iter().map(identity::scalar).collect()), (first, key))
        };
        return all.iter().map(group).collect();
    }
    if !judge.rule.steps[0].key.is_empty() || judge.poison.hits("silent without by") {
        return BTreeMap::new();
    }
    let mut awaited: BTreeMap<Group, (i64, Vec<V>)> = BTreeMap::new();
    for placed in events() {
        let cluster = placed.event.cluster.clone().filter(|_| !judge.rule.across_clusters);
        let (from, _) = awaited.entry((cluster, vec![])).or_insert((placed.at.time, vec![]));
        *from = placed.at.time.min(*from);
    }
    awaited
}

/// A silence of what was never heard.
fn nothing(group: &Group, key: Vec<V>, since: Moment) -> Raised {
    Raised {
        decided: since,
        time: since.time,
        event: Rc::new(Event::nothing(group.0.clone(), since.time)),
        step: 0,
        key,
        group: group.clone(),
        what: What::Time(since.time),
        evidence: vec![],
        count: 0,
        window: None,
        aggregates: vec![],
        at_least: false,
        input_ended: false,
        steps: vec![],
    }
}
