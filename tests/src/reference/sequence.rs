//! Sequences: every choice is tried, the latest first.

use super::decide::{Judge, Match, Raised, parts, reads_steps};
use super::eval::Scope;
use super::event::Event;
use super::logic::Truth;

/// An alert for each match of the last step that some choice of earlier ones leads to.
pub(super) fn choose<'a>(judge: Judge<'_>, steps: &[Vec<Match<'a>>], within: i64) -> Vec<Raised<'a>> {
    let Some((last, earlier)) = steps.split_last() else { return vec![] };
    last.iter().filter_map(|completing| complete(judge, earlier, completing, within)).collect()
}

fn complete<'a>(
    judge: Judge<'_>,
    earlier: &[Vec<Match<'a>>],
    completing: &Match<'a>,
    within: i64,
) -> Option<Raised<'a>> {
    let from =
        if judge.poison.hits("within") { i64::MIN } else { completing.effective().saturating_sub(within) };
    // From the last step to the first.
    let mut chosen = vec![completing.clone()];
    if !extend(judge, earlier, from, &mut chosen) {
        return None;
    }
    chosen.reverse();
    Some(Raised {
        steps: chosen.iter().map(Match::event).collect(),
        count: chosen.len() as u64,
        evidence: chosen,
        aggregates: vec![],
        at_least: false,
    })
}

/// Puts matches of the earlier steps behind those chosen, the latest that lead to a whole choice.
fn extend<'a>(judge: Judge<'_>, earlier: &[Vec<Match<'a>>], from: i64, chosen: &mut Vec<Match<'a>>) -> bool {
    let Some((step, rest)) = earlier.split_last() else { return holds(judge, chosen) };
    for candidate in step.iter().rev() {
        let fits = chosen.iter().all(|later| {
            candidate.group == later.group
                && candidate.event().request != later.event().request
                && candidate.effective() <= later.effective()
        });
        if fits && candidate.effective() >= from {
            chosen.push(candidate.clone());
            if extend(judge, rest, from, chosen) {
                return true;
            }
            chosen.pop();
        }
    }
    false
}

/// Whether what steps ask of earlier ones is so. `chosen` is from the last to the first.
fn holds(judge: Judge<'_>, chosen: &[Match<'_>]) -> bool {
    let events: Vec<&Event> = chosen.iter().rev().map(Match::event).collect();
    judge.rule.steps.iter().zip(&events).all(|(step, event)| {
        let mut scope = Scope::of(event, judge.poison);
        scope.steps = &events;
        let joined = parts(step.condition.as_ref()).into_iter().filter(|part| reads_steps(part));
        let truth = judge.poison.truth("a condition over steps", Truth::and(joined.map(|p| scope.truth(p))));
        let let_go = step.excepts.iter().filter(|e| reads_steps(e)).any(|e| scope.truth(e) == Truth::True);
        truth == Truth::True && !let_go
    })
}
