//! Sequences: every choice is tried, the preferred first: `docs/semantics.md`, "Sequences".
//!
//! Slots are filled from the last to the first, each with the latest match that fits, and given up for the next latest where nothing fits
//! in front of it. So choices come in the order in which they are preferred, and the first that nothing forbids is the answer.
//! A part of a condition is looked at as soon as all the steps that it reads have their match, only to give up early.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use dsl::ir::{Expr, Step};

use super::alerts::{Raised, span};
use super::decide::{Judge, Tally};
use super::eval::Scope;
use super::event::Event;
use super::logic::Truth;
use super::matching::{Group, Match, parts, reads_steps, steps_read};
use super::place::{Moment, Order};
use super::window::{nanos, time};

/// A sequence at work.
struct Sequence<'r> {
    judge: Judge<'r>,
    /// The matches of each step, in the order of deciding.
    steps: &'r [Vec<Match>],
    ordered: bool,
    within: i128,
    /// The step of each slot.
    slots: Vec<usize>,
}

/// A match in each slot; on the way there, in some.
type Choice = Vec<Option<Match>>;

/// What becomes of a completing match.
enum Verdict {
    Told(Box<Told>),
    /// The input ends before it is known.
    Pending,
}

/// A choice that nothing forbids.
struct Told {
    choice: Vec<Match>,
    completing: Match,
    decided: Moment,
    /// The end of its own wait, if it waits.
    wait: Option<i128>,
}

/// An alert for each completing match to which some choice leads.
pub(super) fn choose(
    judge: Judge<'_>,
    steps: &[Vec<Match>],
    (ordered, within): (bool, i64),
    tally: &mut Tally,
) -> Vec<Raised> {
    let times = |step: &Step| if judge.poison.hits("times") { 1 } else { step.times as usize };
    let positive = |(_, step): &(usize, &Step)| step.no.is_none();
    let positives = judge.rule.steps.iter().enumerate().filter(positive);
    let slots: Vec<usize> =
        positives.flat_map(|(n, step)| vec![n; if step.times > 1 { times(step) } else { 1 }]).collect();
    let sequence = Sequence { judge, steps, ordered, within: i128::from(within), slots };
    // At one time what is judged with the matches of that time comes before the timers.
    let mut raised: Vec<((Moment, bool, Order), Raised)> = Vec::new();
    for ((order, _), completing) in sequence.completing() {
        match sequence.complete(&completing) {
            Some(Verdict::Told(told)) => {
                let timer = told.decided > told.completing.at();
                raised.push(((told.decided, timer, order), sequence.raise(*told)));
            }
            Some(Verdict::Pending) => tally.pending += 1,
            None => {}
        }
    }
    raised.sort_by_key(|(order, _)| *order);
    raised.into_iter().map(|(_, raised)| raised).collect()
}

impl Sequence<'_> {
    fn hits(&self, part: &'static str) -> bool {
        self.judge.poison.hits(part)
    }

    fn step(&self, step: usize) -> &Step {
        &self.judge.rule.steps[step]
    }

    /// The events that may complete, in the order of deciding; each, of one group, as a match of the steps that it completes
    /// at, the last one first.
    fn completing(&self) -> BTreeMap<(Order, &Group), Vec<&Match>> {
        let mut all: BTreeMap<(Order, &Group), Vec<&Match>> = BTreeMap::new();
        let mut steps = self.slots.clone();
        steps.dedup();
        let last = if self.ordered { steps.len().saturating_sub(1) } else { 0 };
        for m in steps[last..].iter().rev().flat_map(|step| &self.steps[*step]) {
            all.entry((m.order(), &m.group)).or_default().push(m);
        }
        all
    }

    fn complete(&self, completing: &[&Match]) -> Option<Verdict> {
        let mut looked = i128::MIN;
        for m in completing {
            let mut verdict = None;
            let mut choice = vec![None; self.slots.len()];
            let own = self.slots.iter().rposition(|step| *step == m.step)?;
            choice[own] = Some((*m).clone());
            let _ = self.fill(self.slots.len(), &mut choice, m, &mut |choice| {
                let wait = self.wait(choice, m);
                looked = looked.max(wait.unwrap_or_else(|| time(m)));
                let decided = match wait {
                    Some(_) => self.judge.log.timer(looked),
                    None => m.at(),
                };
                if self.forbidden(choice, m, decided) {
                    return ControlFlow::Continue(());
                }
                if wait.is_some() && decided.ended && !self.hits("pending") {
                    verdict = Some(Verdict::Pending);
                    return ControlFlow::Break(());
                }
                let (choice, completing) = (choice.to_vec(), (*m).clone());
                let told = Told { choice, completing, decided, wait };
                verdict = Some(Verdict::Told(Box::new(told)));
                ControlFlow::Break(())
            });
            if verdict.is_some() {
                return verdict;
            }
        }
        None
    }

    /// Fills the slots below `to`, from the last to the first, and shows each whole choice.
    fn fill(
        &self,
        to: usize,
        choice: &mut Choice,
        completing: &Match,
        show: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !self.may_hold(choice) {
            return ControlFlow::Continue(());
        }
        let Some(slot) = to.checked_sub(1) else {
            let whole: Vec<Match> = choice.iter().flatten().cloned().collect();
            return show(&whole);
        };
        if choice[slot].is_some() {
            return self.fill(slot, choice, completing, show);
        }
        let from = time(completing) - self.within;
        let near = |m: &&Match| time(m) >= from || self.hits("within");
        for candidate in self.steps[self.slots[slot]].iter().rev().take_while(near) {
            if self.fits(slot, candidate, choice, completing) {
                choice[slot] = Some(candidate.clone());
                self.fill(slot, choice, completing, show)?;
                choice[slot] = None;
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether a match may stand in a slot beside the others.
    fn fits(&self, slot: usize, candidate: &Match, choice: &Choice, completing: &Match) -> bool {
        let there = || choice.iter().enumerate().filter_map(|(n, m)| Some((n, m.as_ref()?)));
        candidate.group == completing.group
            && candidate.at() <= completing.at()
            && (self.ordered || candidate.order() < completing.order())
            && there().all(|(n, other)| {
                let (first, second) = if slot < n { (candidate, other) } else { (other, candidate) };
                !candidate.same_event(other)
                    && (!self.ordered || first.time() <= second.time())
                    && (self.slots[slot] != self.slots[n] || first.order() < second.order())
            })
    }

    /// The events that others read: of each step that has it, that of its last slot.
    fn events(&self, choice: &[Option<Match>]) -> Vec<Option<Rc<Event>>> {
        let mut events = vec![None; self.judge.rule.steps.len()];
        for (slot, m) in choice.iter().enumerate() {
            if self.slots.get(slot + 1) != Some(&self.slots[slot]) {
                events[self.slots[slot]] = m.as_ref().map(|m| Rc::clone(&m.placed.event));
            }
        }
        events
    }

    /// Whether what the steps ask of each other is so, as far as it can be told of the slots that are filled.
    fn may_hold(&self, choice: &Choice) -> bool {
        let events = self.events(choice);
        let mut filled = choice.iter().enumerate().filter_map(|(n, m)| Some((self.slots[n], m.as_ref()?)));
        filled.all(|(step, m)| self.joins(step, m, &events))
    }

    /// Whether what a step asks of others is so of this match beside those events. What reads a step without one is left out.
    fn joins(&self, step: usize, m: &Match, events: &[Option<Rc<Event>>]) -> bool {
        let poison = self.judge.poison;
        let mut scope = Scope::of(m.event(), poison);
        scope.steps = events;
        let known = |e: &&Expr| {
            reads_steps(e)
                && steps_read(e).iter().all(|n| events.get(*n as usize).is_some_and(Option::is_some))
        };
        let step = self.step(step);
        let mut joined = parts(step.condition.as_ref()).into_iter().filter(known);
        let mut excepts = step.excepts.iter().filter(known);
        joined.all(|part| poison.truth("a condition over steps", scope.truth(part)) == Truth::True)
            && !excepts.any(|e| poison.truth("except", scope.truth(e)) == Truth::True)
    }

    /// When it is over that something behind the last step may forbid a choice.
    fn wait(&self, choice: &[Match], completing: &Match) -> Option<i128> {
        let last = *self.slots.last()?;
        let behind = self.judge.rule.steps.iter().skip(last + 1);
        let waits = behind.filter_map(|step| match step.no?.within {
            Some(within) => Some(time(completing) + i128::from(within)),
            None if self.ordered => Some(first(choice) + self.within),
            None => None,
        });
        waits.max()
    }

    fn forbidden(&self, choice: &[Match], completing: &Match, decided: Moment) -> bool {
        let events = self.events(&choice.iter().cloned().map(Some).collect::<Vec<_>>());
        let all = self.judge.rule.steps.iter().enumerate();
        let mut forbidding = all.filter(|(_, step)| step.no.is_some());
        forbidding.any(|(n, _)| {
            self.steps[n].iter().any(|m| {
                m.group == completing.group
                    && m.at() <= decided
                    && self.in_reach(n, m, choice, completing)
                    && !choice.iter().any(|chosen| m.same_event(chosen))
                    && self.joins(n, m, &events)
            })
        })
    }

    /// Whether a match of a step that forbids stands where it does.
    fn in_reach(&self, step: usize, m: &Match, choice: &[Match], completing: &Match) -> bool {
        let within = self.step(step).no.and_then(|no| no.within).map(i128::from);
        let (a, x, z) = (first(choice), time(m), time(completing));
        // The first slot behind it.
        let next = self.slots.iter().position(|slot| *slot > step);
        match (next, within) {
            (Some(0), Some(within)) => !self.hits("no before") && a - within <= x && x <= a,
            (None, Some(within)) => !self.hits("no after") && z <= x && x <= z + within,
            (None, None) if self.ordered => !self.hits("no after") && z <= x && x <= a + self.within,
            (Some(next), _) if self.ordered && next > 0 => {
                let (a, b) = (time(&choice[next - 1]), time(&choice[next]));
                let within = within.filter(|_| !self.hits("no between within"));
                !self.hits("no between") && a < x && x < b && within.is_none_or(|within| x <= a + within)
            }
            (_, within) => {
                !self.hits("no between") && a < x && x < z && within.is_none_or(|within| x <= a + within)
            }
        }
    }

    fn raise(&self, told: Told) -> Raised {
        let steps = self.events(&told.choice.iter().cloned().map(Some).collect::<Vec<_>>());
        let mut evidence = told.choice;
        if !self.ordered {
            evidence.sort_by_key(Match::order);
        }
        let raised = Raised::on(&told.completing);
        Raised {
            decided: told.decided,
            time: told.wait.map_or(raised.time, nanos),
            count: evidence.len() as u64,
            window: span(&evidence),
            evidence,
            steps,
            ..raised
        }
    }
}

/// The first effective time of a choice.
fn first(choice: &[Match]) -> i128 {
    choice.iter().map(time).min().unwrap_or(i128::MAX)
}
