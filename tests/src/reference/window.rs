//! Windows over the matches of one step: `docs/semantics.md`, "Deciding".
//!
//! Each kind is a walk over all the matches of a group in the order of deciding; what a window holds is looked at whole for
//! each judgement.

use std::collections::BTreeMap;

use dsl::ir::Expr;

use super::aggregate::{aggregates, tuples};
use super::alerts::{Raised, What, span};
use super::decide::Judge;
use super::eval::Scope;
use super::logic::Truth;
use super::matching::{Group, Match};
use super::place::Moment;

/// Longer than all of time.
const FOREVER: i128 = 1 << 70;

/// The matches of each group, in their order.
pub(super) fn groups(matches: &[Match]) -> BTreeMap<&Group, Vec<&Match>> {
    let mut groups: BTreeMap<&Group, Vec<&Match>> = BTreeMap::new();
    for m in matches {
        groups.entry(&m.group).or_default().push(m);
    }
    groups
}

/// Where sums of times cannot be out of range.
pub(super) fn time(m: &Match) -> i128 {
    i128::from(m.time())
}

/// As close as the range of times allows.
pub(super) fn nanos(time: i128) -> i64 {
    i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
}

/// Whether a moment comes before the timers of a time fire.
pub(super) fn before_timers(moment: Moment, time: i128) -> bool {
    let at = i128::from(moment.time);
    // What comes once the input has ended comes after the timers of that time.
    at < time || (at == time && !moment.ended)
}

/// Judges what a window holds; its last match completes it.
fn judged(judge: Judge<'_>, window: &[&Match], condition: &Expr, closing: bool) -> Option<Raised> {
    let last = window.last()?;
    let (aggregates, at_least) = aggregates(judge, window, closing);
    let mut scope = Scope::of(last.event(), judge.poison);
    scope.aggregates = &aggregates;
    if scope.truth(condition) != Truth::True {
        return None;
    }
    let evidence: Vec<Match> = window.iter().map(|m| (*m).clone()).collect();
    let (count, window) = (evidence.len() as u64, span(&evidence));
    Some(Raised { evidence, count, window, aggregates, at_least, ..Raised::on(last) })
}

pub(super) fn slide(judge: Judge<'_>, matches: &[Match], condition: &Expr, within: i64) -> Vec<Raised> {
    let within = if judge.poison.hits("within") { FOREVER } else { i128::from(within) };
    let mut raised = Vec::new();
    for group in groups(matches).into_values() {
        let mut from = 0;
        for (n, newest) in group.iter().enumerate() {
            while time(group[from]) < time(newest) - within {
                from += 1;
            }
            raised.extend(judged(judge, &group[from..=n], condition, false));
        }
    }
    raised
}

/// Judges a window that closes at that time, or at the input's end.
fn closed(judge: Judge<'_>, window: &[&Match], condition: &Expr, over: i128) -> Option<Raised> {
    let decided = judge.log.timer(over);
    if decided.ended && judge.poison.hits("end of input") {
        return None;
    }
    let raised = judged(judge, window, condition, true)?;
    Some(Raised { decided, input_ended: decided.ended, ..raised })
}

pub(super) fn tumble(judge: Judge<'_>, matches: &[Match], condition: &Expr, length: i64) -> Vec<Raised> {
    let length = i128::from(length);
    let mut raised = Vec::new();
    for group in groups(matches).into_values() {
        let mut windows: BTreeMap<i128, Vec<&Match>> = BTreeMap::new();
        for m in group {
            windows.entry(time(m).div_euclid(length) * length).or_default().push(m);
        }
        for (start, window) in windows {
            let (from, to) = (nanos(start), nanos(start + length));
            let closed = closed(judge, &window, condition, start + length);
            let (what, window) = (What::Time(from), Some((from, to)));
            raised.extend(closed.map(|raised| Raised { time: to, what, window, ..raised }));
        }
    }
    raised
}

pub(super) fn sessions(
    judge: Judge<'_>,
    matches: &[Match],
    condition: &Expr,
    (gap, within): (i64, i64),
) -> Vec<Raised> {
    let gap = if judge.poison.hits("gap") { i128::from(within) } else { i128::from(gap) };
    let over = |first: &Match, last: &Match| (time(last) + gap).min(time(first) + i128::from(within));
    let mut raised = Vec::new();
    for group in groups(matches).into_values() {
        let mut rest = group.as_slice();
        while let Some(first) = rest.first() {
            let mut many = 1;
            while rest.get(many).is_some_and(|m| before_timers(m.at(), over(first, rest[many - 1]))) {
                many += 1;
            }
            let (session, after) = rest.split_at(many);
            let closed = closed(judge, session, condition, over(first, session[many - 1]));
            let what = What::Time(first.time());
            raised.extend(closed.map(|raised| Raised { what, ..raised }));
            rest = after;
        }
    }
    raised
}

pub(super) fn first_seen(
    judge: Judge<'_>,
    matches: &[Match],
    values: &[Expr],
    (within, learning): (i64, i64),
) -> Vec<Raised> {
    let learning = if judge.poison.hits("learning") { 0 } else { i128::from(learning) };
    let within = if judge.poison.hits("within") { FOREVER } else { i128::from(within) };
    let mut raised = Vec::new();
    for group in groups(matches).into_values() {
        // When each tuple was seen last.
        let mut seen: BTreeMap<Vec<Vec<u8>>, i128> = BTreeMap::new();
        for m in &group {
            let tuples = tuples(judge, values, m.event());
            let new = tuples.iter().any(|tuple| seen.get(tuple).is_none_or(|at| *at < time(m) - within));
            if new && time(m) - time(group[0]) >= learning {
                raised.push(Raised::on(m));
            }
            seen.extend(tuples.into_iter().map(|tuple| (tuple, time(m))));
        }
    }
    raised
}
