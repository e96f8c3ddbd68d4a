//! Why what waits at a step does not fit beside what was chosen: for people, after a search found nothing.
//!
//! The search itself asks an index first and goes back at the first condition that fails, so it has no answer to this. Here the
//! latest matches of each step that was left empty are asked one by one, with the choice that came furthest.

use std::sync::Arc;

use super::search::same;
use super::{Sequence, Waiting, start};
use crate::matches::Value;
use crate::plan::sequence::{JoinLayout, Layout, Role};

/// Matches of a step that are asked; of more nothing is said.
const ASKED_MAX: usize = 1_000;

/// What kept the matches of a step out of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The step.
    pub step: u32,
    /// The condition that the latest of them failed, by its number among those of the rule that read other steps.
    pub join: u32,
}

/// The first step, from the back, of which matches wait and none fits beside `chosen` and the completing match of a step.
pub(crate) fn unfit(
    sequence: &Sequence,
    layout: &Layout,
    (step, completing): (usize, &Arc<Waiting>),
    chosen: &[Option<Arc<Waiting>>],
    mut holds: impl FnMut(usize, &[&[Value]]) -> bool,
) -> Option<Unfit> {
    let own = layout.completes(step)?;
    let at = |slot: usize| match chosen.get(slot).and_then(Option::as_ref) {
        _ if slot == own => Some(completing),
        other => other,
    };
    let from = start(completing.at(), layout.within);
    for slot in (0..layout.slots.len()).rev().filter(|slot| at(*slot).is_none()) {
        let of = *layout.slots.get(slot)?;
        let queue = sequence.steps.get(of)?;
        let (first, until) = (queue.not_before(from), queue.after(completing.at()));
        if usize::try_from(until.saturating_sub(first)).map_or(true, |many| many > ASKED_MAX) {
            continue;
        }
        let other = |candidate: &Arc<Waiting>| {
            let taken = |n: usize| {
                let of_slot = layout.slots.get(n).copied();
                at(n).zip(of_slot).is_some_and(|(taken, step)| same(layout, (of, candidate), (step, taken)))
            };
            !(0..layout.slots.len()).any(taken)
        };
        let mut latest = None;
        let candidates = (first..until).rev().filter_map(|position| queue.get(position));
        for candidate in candidates.filter(|candidate| other(candidate)) {
            let captures: Vec<&[Value]> = (0..layout.steps.len())
                .map(|n| match layout.last(n).and_then(at) {
                    _ if n == of => candidate.captures.as_slice(),
                    Some(taken) => taken.captures.as_slice(),
                    None => &[],
                })
                .collect();
            let there = |n: usize| n == of || layout.last(n).and_then(at).is_some();
            let asked = |join: &JoinLayout| {
                let positive =
                    matches!(layout.steps.get(join.owner).map(|of| of.role), Some(Role::Slots { .. }));
                let reads_it = join.owner == of || join.reads.contains(&of) && layout.last(of) == Some(slot);
                positive && reads_it && there(join.owner) && join.reads.iter().all(|read| there(*read))
            };
            let mut joins = layout.joins.iter().enumerate().filter(|(_, join)| asked(join));
            match joins.find(|(number, _)| !holds(*number, &captures)) {
                Some((failed, _)) => latest = latest.or(Some(failed)),
                None => {
                    latest = None;
                    break;
                }
            }
        }
        if let Some(join) = latest {
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            return Some(Unfit { step: number(of), join: number(join) });
        }
    }
    None
}
