//! A sequence of one key: what waits at each step, and the choice that a match completes.
//!
//! Every step has a queue of its matches, in the order of deciding ([`queue`]). A completing match is looked at once all
//! matches of its time are in ([`search`]): slot by slot from the back the latest match that can stand is chosen, going
//! back where none fits, until a choice stands that no `no` step forbids ([`forbid`]). What is kept is what a later
//! completing match, or one whose answer still waits, can use; the rest leaves at the front of its queue, so that keeping
//! costs O(1) amortised (and a little more for each value by which a step is indexed).
//!
//! A queue has a limit. Past it the oldest match goes, and the sequence knows since when it is short of something: an
//! answer that it may have changed leans to the side of telling, and says that it is approximate. So does a search that
//! was given up. This is so with `no` steps too: a match that forbids may have been forgotten, but nobody can silence a
//! rule by drowning it.

mod blame;
mod forbid;
mod queue;
mod search;
#[cfg(test)]
mod tests;
mod unfit;

use std::sync::Arc;

use super::Seen;
use crate::matches::{Nanos, Value};
use crate::plan::sequence::{Layout, Place, Role};

pub(crate) use queue::StepQueue;
pub(crate) use search::{Asked, Found, look};
pub use unfit::Unfit;
pub(crate) use unfit::unfit;

/// A match of a step.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) seen: Seen,
    /// Its place in the order of deciding, among the matches of its key.
    pub(crate) number: u64,
    pub(crate) captures: Vec<Value>,
}

impl Waiting {
    fn at(&self) -> Nanos {
        self.seen.effective
    }

    /// Of its request, or of the alert: with the stage which event it is.
    fn id(&self) -> &[u8; 16] {
        &self.seen.meta.request.0
    }
}

/// The sequence of one key.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    /// Per step what waits there; nothing, of a step that only completes.
    pub(crate) steps: Vec<StepQueue>,
    /// How many matches have come.
    pub(crate) come: u64,
}

/// What is kept for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// Nothing comes from before it.
    pub(crate) now: Nanos,
    /// The effective time of the first completing match whose answer waits.
    pub(crate) oldest: Option<Nanos>,
    /// How many matches a step may keep.
    pub(crate) max: usize,
}

impl Sequence {
    pub(crate) fn new(layout: &Layout) -> Self {
        let queue = |step: &crate::plan::sequence::StepLayout| StepQueue::new(&step.columns);
        Self { steps: layout.steps.iter().map(queue).collect(), come: 0 }
    }

    /// The number of the next match.
    pub(crate) fn number(&mut self) -> u64 {
        let number = self.come;
        self.come += 1;
        number
    }

    /// A match comes to wait at its step. Gives how many had to go for want of room.
    pub(crate) fn enter(&mut self, layout: &Layout, step: usize, waiting: Arc<Waiting>, keep: Keep) -> u64 {
        self.prune(layout, keep);
        let Some(queue) = self.steps.get_mut(step) else { return 0 };
        if !layout.kept(step) {
            return 0;
        }
        queue.push(waiting);
        if queue.len() <= keep.max.max(1) {
            return 0;
        }
        queue.squeeze()
    }

    /// What of it can go for want of room, in bytes: of all steps, and of the one with most.
    pub(crate) fn spare(&self) -> (u64, u64) {
        let all = self.steps.iter().map(StepQueue::spare);
        all.fold((0, 0), |(sum, most), of| (of.saturating_add(sum), of.max(most)))
    }

    /// The step where most waits lets go of its first match for want of room. Gives how many went.
    pub(crate) fn squeeze(&mut self) -> u64 {
        let Some(queue) = self.steps.iter_mut().rev().max_by_key(|queue| queue.spare()) else { return 0 };
        queue.squeeze()
    }

    /// Lets go of what no choice can use any more.
    pub(crate) fn prune(&mut self, layout: &Layout, keep: Keep) {
        let base = keep.oldest.map_or(keep.now, |oldest| oldest.min(keep.now));
        // The earliest match of the positive step before.
        let mut before: Option<Option<Nanos>> = None;
        for (number, step) in layout.steps.iter().enumerate() {
            let from = start(base, layout.reach(number));
            let useless = |queue: &StepQueue, usable: &dyn Fn(Nanos) -> bool| {
                queue.front().is_some_and(|first| {
                    let at = first.at();
                    at < from || at < keep.now && !usable(at)
                })
            };
            let Some(queue) = self.steps.get_mut(number) else { continue };
            match step.role {
                // What comes later can stand in front of it no more.
                Role::Slots { .. } => {
                    let usable = |at| before.is_none_or(|before| before.is_some_and(|before| before <= at));
                    while useless(queue, &usable) {
                        queue.pop();
                    }
                    if layout.ordered {
                        before = Some(queue.front().map(|first| first.at()));
                    }
                }
                Role::No { place: Place::Between(..), .. } if layout.ordered => {
                    let usable = |at| before.is_none_or(|before| before.is_some_and(|before| before < at));
                    while useless(queue, &usable) {
                        queue.pop();
                    }
                }
                Role::No { .. } => {
                    while useless(queue, &|_| true) {
                        queue.pop();
                    }
                }
            }
        }
    }

    /// How many matches wait at each step that are not too old beside `at`.
    pub(crate) fn waiting(&self, layout: &Layout, at: Nanos) -> Vec<usize> {
        let count = |(step, queue): (usize, &StepQueue)| {
            let first = queue.not_before(start(at, layout.reach(step)));
            usize::try_from(queue.end().saturating_sub(first)).unwrap_or(usize::MAX)
        };
        self.steps.iter().enumerate().map(count).collect()
    }

    /// Until when what waits, or had to go, can be of use: both ends are in. None if there is nothing.
    pub(crate) fn alive(&self, layout: &Layout) -> Option<Nanos> {
        let last = |(step, queue): (usize, &StepQueue)| {
            let last = queue.back().map(|last| last.at()).max(queue.dropped)?;
            Some(last.saturating_add(layout.reach(step)))
        };
        self.steps.iter().enumerate().filter_map(last).max()
    }
}

/// The earliest effective time that belongs to a sequence that ends at `at`.
fn start(at: Nanos, within: Nanos) -> Nanos {
    at.saturating_sub(within).saturating_add(i64::from(crate::planted::planted(14)))
}
