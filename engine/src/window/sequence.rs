//! A sequence of one key: what waits at each step, and the choice that a match of the last step completes.
//!
//! The choice is searched from the back: the latest match of the step before last that can stand, then of the one before
//! it, and so on, going back where none fits. A condition between steps is asked as soon as all steps it reads are
//! chosen. Without such conditions the first try is the answer; with them the search costs at most a fixed number of
//! tries, past which it gives up and says so, and the answer leans to the safe side.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Seen, Shortfall};
use crate::limits::SEQUENCE_TRIES_MAX;
use crate::matches::{Nanos, Value};

/// A match that waits at its step.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) seen: Seen,
    pub(crate) captures: Vec<Value>,
}

/// What waits at one step, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepQueue {
    pub(crate) waiting: VecDeque<Arc<Waiting>>,
    /// The latest time at which a match was let go of because there were too many.
    pub(crate) dropped: Option<Nanos>,
}

/// The sequence of one key.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    /// One queue for each step but the last.
    pub(crate) steps: Vec<StepQueue>,
}

/// What the search for a choice found.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// A match per step, the completing one last. Where the search was cut: the steps that were chosen last, `None` for
    /// those that were not.
    pub(crate) steps: Vec<Option<Arc<Waiting>>>,
    pub(crate) shortfall: Shortfall,
}

impl Sequence {
    pub(crate) fn new(steps: usize) -> Self {
        Self { steps: vec![StepQueue::default(); steps.saturating_sub(1)] }
    }

    /// A match of a step but the last comes to wait. Gives how many had to go for want of room.
    pub(crate) fn enter(
        &mut self,
        step: usize,
        waiting: Arc<Waiting>,
        within: Nanos,
        kept_max: usize,
    ) -> u64 {
        let from = start(waiting.seen.effective, within);
        let Some(queue) = self.steps.get_mut(step) else { return 0 };
        while queue.waiting.front().is_some_and(|first| first.seen.effective < from) {
            queue.waiting.pop_front();
        }
        queue.waiting.push_back(waiting);
        if queue.waiting.len() <= kept_max.max(1) {
            return 0;
        }
        queue.dropped = queue.dropped.max(queue.waiting.pop_front().map(|first| first.seen.effective));
        1
    }

    /// How many matches wait at each step that are not too old beside `at`.
    pub(crate) fn waiting(&self, at: Nanos, within: Nanos) -> Vec<usize> {
        let from = start(at, within);
        let count = |queue: &StepQueue| queue.waiting.iter().filter(|w| w.seen.effective >= from).count();
        self.steps.iter().map(count).collect()
    }

    /// The choice that `last` completes. `holds` is asked with a choice from some step on to the last (those before are
    /// `None`) and the step chosen last, whether all conditions hold that can be decided with it and could not before.
    pub(crate) fn complete(
        &self,
        last: &Arc<Waiting>,
        within: Nanos,
        holds: impl FnMut(&[Option<Arc<Waiting>>], usize) -> bool,
    ) -> Option<Choice> {
        let from = start(last.seen.effective, within);
        let mut search = Search { queues: &self.steps, from, holds, tries: 0, deepest: Vec::new() };
        let mut chosen = vec![None; self.steps.len()];
        chosen.push(Some(last.clone()));
        let found = (search.holds)(&chosen, self.steps.len()) && search.descend(&mut chosen);
        if found {
            return Some(Choice { steps: chosen, shortfall: Shortfall::default() });
        }
        // What was shed, or not tried, might have been the choice: a rule must not be silenced by drowning it.
        let mut shortfall =
            Shortfall { approximate: search.tries > SEQUENCE_TRIES_MAX, ..Shortfall::default() };
        for queue in &self.steps {
            shortfall.add(queue.dropped, from, super::Past::Approximate);
        }
        let mut steps = search.deepest;
        if steps.is_empty() {
            steps = vec![None; self.steps.len()];
            steps.push(Some(last.clone()));
        }
        shortfall.approximate.then_some(Choice { steps, shortfall })
    }
}

/// The earliest effective time that belongs to a sequence that ends at `at`.
fn start(at: Nanos, within: Nanos) -> Nanos {
    at.saturating_sub(within).saturating_add(i64::from(crate::planted::planted(14)))
}

struct Search<'a, H> {
    queues: &'a [StepQueue],
    from: Nanos,
    holds: H,
    tries: usize,
    /// The longest choice so far that could not be completed.
    deepest: Vec<Option<Arc<Waiting>>>,
}

impl<H: FnMut(&[Option<Arc<Waiting>>], usize) -> bool> Search<'_, H> {
    /// Fills in the steps before the last, walking back and forth with one position per step instead of recursing.
    fn descend(&mut self, chosen: &mut [Option<Arc<Waiting>>]) -> bool {
        let steps = self.queues.len();
        // Per step: how many of its matches, from the front, are still to be tried.
        let mut left = vec![0; steps];
        let mut step = steps;
        let mut depth = usize::MAX;
        loop {
            if step == 0 {
                return true;
            }
            // Down to the step before: everything not after the one just chosen may stand there.
            step -= 1;
            left[step] = self.reachable(step, chosen);
            while !self.next(step, chosen, &mut left) {
                chosen[step] = None;
                if step < depth {
                    depth = step;
                    self.deepest = chosen.to_vec();
                }
                step += 1;
                if step == steps || self.tries > SEQUENCE_TRIES_MAX {
                    return false;
                }
            }
        }
    }

    /// How many matches of a step have an effective time not after that of the step behind it.
    fn reachable(&self, step: usize, chosen: &[Option<Arc<Waiting>>]) -> usize {
        let until =
            chosen.get(step + 1).and_then(Option::as_ref).map_or(Nanos::MIN, |next| next.seen.effective);
        self.queues[step].waiting.partition_point(|w| w.seen.effective <= until)
    }

    /// Puts the latest match of a step that is left and can stand into the choice.
    fn next(&mut self, step: usize, chosen: &mut [Option<Arc<Waiting>>], left: &mut [usize]) -> bool {
        let queue = &self.queues[step].waiting;
        let first = queue.partition_point(|w| w.seen.effective < self.from);
        let until = left[step].max(first);
        while left[step] > first {
            left[step] -= 1;
            self.tries += 1;
            if self.tries > SEQUENCE_TRIES_MAX {
                return false;
            }
            let at = if crate::planted::planted(20) { first + (until - 1 - left[step]) } else { left[step] };
            let Some(candidate) = queue.get(at) else { continue };
            let request = candidate.seen.meta.request;
            let taken = chosen[step + 1..].iter().flatten().any(|other| other.seen.meta.request == request);
            if taken && !crate::planted::planted(21) {
                continue;
            }
            chosen[step] = Some(candidate.clone());
            if (self.holds)(chosen, step) {
                return true;
            }
        }
        false
    }
}
