//! The choice that a match completes: the preferred one that nothing forbids.
//!
//! Slots are filled from the back, each with the latest match that can stand there, so the first choice that is whole is
//! the preferred one. Where an equality joins a slot to one that is filled, only matches with the right value are walked,
//! and before anything is filled every slot is asked whether it has any match at all that the completing one would take.
//!
//! Where a slot finds no match, the search goes back to the last slot that is to *blame* for it: one that a failed
//! condition read, that took the same event, or that a `no` step which forbade depends on. All slots between are passed
//! over at once; other matches in them would change nothing. (An earlier match in the slot behind only leaves fewer
//! matches to choose from, so it is not blamed for what is later; what kept a later one out of it is.) Otherwise
//! `5 times` and a `no` would try every five of what waits.
//!
//! A search costs a try for each match that it looks at, and is given up after
//! [`crate::limits::SEQUENCE_TRIES_MAX`] of them.

use std::sync::Arc;

use super::blame::Blame;
use super::queue::{Cursor, Keys};
use super::{Sequence, Waiting, start};
use crate::limits::SEQUENCE_TRIES_MAX;
use crate::matches::{Nanos, Value};
use crate::plan::sequence::{Column, Equality, JoinLayout, Layout, Place, Role};
use crate::planted::planted;

/// What is asked of a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) layout: &'a Layout,
    /// The step that the match completes.
    pub(crate) step: usize,
    pub(crate) completing: &'a Arc<Waiting>,
    /// Waits that end later are not over.
    pub(crate) now: Nanos,
}

/// What a search found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// The choice that decides.
    Choice {
        /// A match per slot. Where the search was given up: those that were chosen last, `None` for those that were not.
        slots: Vec<Option<Arc<Waiting>>>,
        /// When its wait ended, if it had to.
        until: Option<Nanos>,
        /// The search was given up, or what could have forbidden it had to go.
        approximate: bool,
    },
    /// The next choice waits so long.
    Waits(Nanos),
    /// None that nothing forbids.
    None {
        /// The choice that came furthest.
        deepest: Vec<Option<Arc<Waiting>>>,
        /// What forbade the first that was whole, and at which step.
        forbidden: Option<(usize, Arc<Waiting>)>,
        /// What had to go for want of room might have been part of one.
        short: bool,
    },
}

/// Looks for the choice that a match completes. `holds` is asked whether a join of the layout holds, with the captures of
/// every step. `tries` is counted up.
pub(crate) fn look(
    sequence: &Sequence,
    asked: Asked<'_>,
    tries: &mut usize,
    holds: impl FnMut(usize, &[&[Value]]) -> bool,
) -> Found {
    let Some(slot) = asked.layout.completes(asked.step) else {
        return Found::None { deepest: Vec::new(), forbidden: None, short: false };
    };
    let mut search = Search::new(sequence, asked, slot, *tries, holds);
    let found = search.run();
    *tries = search.tries;
    found
}

/// Looking up so many values costs as much as a try.
const KEYS_PER_TRY: usize = 8;

/// What an equality leaves of a step.
pub(super) struct Joined<'a> {
    pub(super) cursor: Cursor<'a>,
    /// The slot whose match demands it.
    other: usize,
    /// In tries.
    cost: usize,
}

/// Given up.
pub(super) struct TooMany;

pub(super) struct Search<'a, H> {
    pub(super) layout: &'a Layout,
    pub(super) sequence: &'a Sequence,
    pub(super) completing: &'a Arc<Waiting>,
    /// The slot in which it stands.
    pub(super) slot: usize,
    now: Nanos,
    holds: H,
    pub(super) chosen: Vec<Option<&'a Arc<Waiting>>>,
    /// Per step those of the match in its last slot.
    captures: Vec<&'a [Value]>,
    /// The slot of each level; the completing one is on none.
    pub(super) order: Vec<usize>,
    levels: Vec<Level<'a>>,
    from: Nanos,
    tries: usize,
    deepest: Vec<Option<&'a Arc<Waiting>>>,
    depth: usize,
    forbidden: Option<(usize, Arc<Waiting>)>,
}

struct Level<'a> {
    cursor: Cursor<'a>,
    /// What is to blame that matches were passed over here.
    rejected: Blame,
    /// What is to blame that later ones were not reached.
    bound: Blame,
}

impl<'a, H: FnMut(usize, &[&[Value]]) -> bool> Search<'a, H> {
    fn new(sequence: &'a Sequence, asked: Asked<'a>, slot: usize, tries: usize, holds: H) -> Self {
        let Asked { layout, completing, now, .. } = asked;
        Self {
            layout,
            sequence,
            completing,
            slot,
            now,
            holds,
            chosen: vec![None; layout.slots.len()],
            captures: vec![&[]; layout.steps.len()],
            order: (0..layout.slots.len()).rev().filter(|other| *other != slot).collect(),
            levels: Vec::new(),
            from: start(completing.at(), layout.within),
            tries,
            deepest: Vec::new(),
            depth: 0,
            forbidden: None,
        }
    }

    /// Counts what is looked at.
    pub(super) fn count(&mut self) -> Result<(), TooMany> {
        self.tries += 1;
        if self.tries > SEQUENCE_TRIES_MAX { Err(TooMany) } else { Ok(()) }
    }

    fn run(&mut self) -> Found {
        let own = self.assign(self.slot, self.completing);
        self.deepest = self.chosen.clone();
        if own.is_err() || !self.any_for_all(|_| false) {
            let short = own.is_ok() && self.some_went() && self.any_for_all(|slot| self.went(slot));
            return self.nothing(short);
        }
        match self.walk() {
            Ok(found) => found,
            Err(TooMany) => Found::Choice {
                slots: owned(if self.levels.len() < self.order.len() { &self.deepest } else { &self.chosen }),
                until: None,
                approximate: true,
            },
        }
    }

    /// There is no choice; `short`: what had to go might have been part of one.
    fn nothing(&self, short: bool) -> Found {
        let (deepest, forbidden) = (owned(&self.deepest), self.forbidden.clone());
        Found::None { deepest, forbidden, short: short && !planted(80) }
    }

    /// Whether each slot has a match that the completing one alone would take, or `else_by` says that it had.
    fn any_for_all(&self, else_by: impl Fn(usize) -> bool) -> bool {
        self.order.iter().all(|slot| {
            let (mut cursor, ..) = self.candidates(*slot);
            cursor.next().is_some() || else_by(*slot)
        })
    }

    /// Whether a match that had to go for want of room might have stood in a slot.
    fn went(&self, slot: usize) -> bool {
        let dropped = self.sequence.steps[self.layout.slots[slot]].dropped;
        dropped.is_some_and(|dropped| dropped >= self.from)
    }

    /// Whether one went that might have stood beside the completing match.
    fn some_went(&self) -> bool {
        self.order.iter().any(|slot| self.went(*slot))
    }

    /// Fills the slots, walking back and forth with one cursor per level instead of recursing.
    fn walk(&mut self) -> Result<Found, TooMany> {
        loop {
            let level = self.levels.len();
            if level < self.order.len() {
                self.open(level);
            } else {
                if let Some(wait) = self.wait().filter(|wait| *wait > self.now) {
                    return Ok(Found::Waits(wait));
                }
                let Some(forbid) = self.forbidden()? else { return Ok(self.whole()) };
                self.forbidden.get_or_insert_with(|| (forbid.step, forbid.by.clone()));
                if planted(51) || !self.back(forbid.blame, forbid.cut) {
                    return Ok(self.nothing(self.some_went()));
                }
            }
            while !self.advance()? {
                let Some(level) = self.levels.last() else { return Ok(self.nothing(self.some_went())) };
                let mut blame = level.rejected.clone();
                blame.join(&level.bound);
                if !self.leave(blame) {
                    return Ok(self.nothing(self.some_went()));
                }
            }
        }
    }

    fn whole(&self) -> Found {
        Found::Choice { slots: owned(&self.chosen), until: self.wait(), approximate: self.may_be_forbidden() }
    }

    /// Begins with a level's slot.
    fn open(&mut self, level: usize) {
        let slot = self.order[level];
        let (cursor, mut rejected, cost) = self.candidates(slot);
        self.tries += cost;
        if planted(20) {
            rejected = Blame::below(level);
        }
        let mut bound = Blame::default();
        let coupled = self.layout.ordered || self.layout.slots.get(slot) == self.layout.slots.get(slot + 1);
        if coupled
            && slot + 1 != self.slot
            && let Some(behind) = self.levels.last()
        {
            bound.join(&behind.rejected);
            bound.join(&behind.bound);
        }
        self.levels.push(Level { cursor, rejected, bound });
    }

    /// Puts the next match that can stand into the slot of the last level.
    fn advance(&mut self) -> Result<bool, TooMany> {
        let Some(level) = self.levels.len().checked_sub(1) else { return Ok(true) };
        let slot = self.order[level];
        let step = self.layout.slots[slot];
        self.chosen[slot] = None;
        while let Some(position) = self.levels[level].cursor.next() {
            self.count()?;
            let queue = &self.sequence.steps[step];
            let position = if planted(20) {
                // The earliest instead of the latest.
                let (first, until) = self.range(slot);
                (first + until).saturating_sub(position + 1)
            } else {
                position
            };
            let Some(candidate) = queue.get(position) else { continue };
            match self.fits(slot, candidate) {
                Ok(()) => {
                    if level + 1 > self.depth {
                        self.depth = level + 1;
                        self.deepest.clone_from(&self.chosen);
                    }
                    return Ok(true);
                }
                Err(mut blame) => {
                    blame.remove(level);
                    self.levels[level].rejected.join(&blame);
                }
            }
            self.chosen[slot] = None;
        }
        Ok(false)
    }

    /// The last level has no match that fits: back to the last of those to blame. Whether there is one.
    fn leave(&mut self, mut blame: Blame) -> bool {
        let Some(to) = blame.last() else { return false };
        while self.levels.len() > to + 1 {
            let slot = self.order[self.levels.len() - 1];
            self.chosen[slot] = None;
            self.levels.pop();
        }
        blame.remove(to);
        if let Some(level) = self.levels.last_mut() {
            level.rejected.join(&blame);
        }
        true
    }

    /// The choice is whole and forbidden: back to the last level to blame, or to the last one if it can bring another.
    /// There matches from a time on would be forbidden too, if `cut` says so.
    fn back(&mut self, mut blame: Blame, cut: Option<(usize, Nanos)>) -> bool {
        if let Some(last) = self.levels.last()
            && blame.last() != Some(self.levels.len() - 1)
        {
            blame.join(&last.rejected);
            blame.join(&last.bound);
        }
        if !self.leave(blame) {
            return false;
        }
        if let Some((at, from)) = cut
            && at + 1 == self.levels.len()
        {
            let position = self.sequence.steps[self.layout.slots[self.order[at]]].not_before(from);
            self.levels[at].cursor.cut(position);
        }
        true
    }

    /// Puts a match into a slot, if it can stand there beside what is chosen.
    fn fits(&mut self, slot: usize, candidate: &'a Arc<Waiting>) -> Result<(), Blame> {
        let step = self.layout.slots[slot];
        for (other, chosen) in self.chosen.iter().enumerate() {
            let Some(chosen) = chosen else { continue };
            if same(self.layout, (step, candidate), (self.layout.slots[other], chosen)) && !planted(21) {
                return Err(self.blame([other]));
            }
        }
        self.assign(slot, candidate)
    }

    /// Puts a match into a slot, and asks all conditions that can be asked with it and could not before.
    fn assign(&mut self, slot: usize, candidate: &'a Arc<Waiting>) -> Result<(), Blame> {
        let layout = self.layout;
        let step = layout.slots[slot];
        self.chosen[slot] = Some(candidate);
        let last = layout.last(step) == Some(slot);
        if last {
            self.captures[step] = &candidate.captures;
        }
        for (number, join) in layout.joins.iter().enumerate() {
            let Role::Slots { first, last: end } = layout.steps[join.owner].role else { continue };
            let ready = join.reads.iter().all(|read| self.last_of(*read).is_some());
            if join.owner == step && ready {
                self.ask(number, slot, None)?;
            } else if last && ready && join.reads.contains(&step) {
                for own in (first..=end).rev() {
                    if self.chosen[own].is_some() {
                        self.ask(number, own, Some(own))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks a join of a match in one of its own step's slots. Who is to blame if it does not hold: all that it reads but
    /// the slot that was filled just now, which is its own if no other is said.
    fn ask(&mut self, join: usize, own: usize, other: Option<usize>) -> Result<(), Blame> {
        let layout = self.layout;
        let JoinLayout { owner, reads } = &layout.joins[join];
        let Some(match_) = self.chosen[own] else { return Ok(()) };
        let around = std::mem::replace(&mut self.captures[*owner], &match_.captures);
        let holds = (self.holds)(join, &self.captures);
        self.captures[*owner] = around;
        if holds {
            return Ok(());
        }
        let read = reads.iter().filter_map(|read| layout.last(*read));
        Err(self.blame(read.chain(other)))
    }

    /// The levels of slots.
    pub(super) fn blame(&self, slots: impl IntoIterator<Item = usize>) -> Blame {
        let mut blame = Blame::default();
        slots.into_iter().filter_map(|slot| self.level(slot)).for_each(|level| blame.add(level));
        blame
    }

    /// The level of a slot; the completing one has none.
    pub(super) fn level(&self, slot: usize) -> Option<usize> {
        let from_back = self.layout.slots.len() - 1 - slot;
        match slot.cmp(&self.slot) {
            std::cmp::Ordering::Less => Some(from_back - 1),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(from_back),
        }
    }

    /// The match in the last slot of a positive step.
    pub(super) fn last_of(&self, step: usize) -> Option<&'a Arc<Waiting>> {
        self.chosen.get(self.layout.last(step)?).copied().flatten()
    }

    /// The positions that may stand in a slot by their time and place in the order.
    fn range(&self, slot: usize) -> (u64, u64) {
        let layout = self.layout;
        let step = layout.slots[slot];
        let queue = &self.sequence.steps[step];
        let behind = self.chosen.get(slot + 1).copied().flatten();
        let until = match behind {
            Some(behind) if layout.slots[slot + 1] == step => queue.numbered(behind.number),
            _ if !layout.ordered && !planted(54) => queue.numbered(self.completing.number),
            Some(behind) => queue.after(behind.at()),
            None => queue.after(self.completing.at()),
        };
        (queue.not_before(self.from), until)
    }

    /// The matches that may stand in a slot, the latest first, whom to blame that there are no more, and how many tries it
    /// is to look for them.
    fn candidates(&self, slot: usize) -> (Cursor<'a>, Blame, usize) {
        let step = self.layout.slots[slot];
        let queue = &self.sequence.steps[step];
        let (first, until) = self.range(slot);
        match self.joined(step, Some(slot), (first, until)) {
            Some(joined) => (joined.cursor, self.blame([joined.other]), joined.cost),
            None => (queue.all(first, until), Blame::default(), 0),
        }
    }

    /// The matches of a step that have the value which an equality with what is chosen demands: of several equalities the
    /// one with the fewest. None if there is no equality.
    pub(super) fn joined(
        &self,
        step: usize,
        slot: Option<usize>,
        (first, until): (u64, u64),
    ) -> Option<Joined<'a>> {
        let layout = self.layout;
        let queue = &self.sequence.steps[step];
        let sides = layout.equalities.iter().flat_map(|Equality(a, b)| [(a, b), (b, a)]);
        let mut best: Option<Joined<'a>> = None;
        let mut cost = 0;
        for (own, other) in sides.filter(|(own, _)| own.step == step) {
            let Some(at) = layout.last(other.step).filter(|at| Some(*at) != slot) else { continue };
            let Some(chosen) = self.chosen[at] else { continue };
            if slot.is_some() && !own.each && slot != layout.last(step) {
                continue;
            }
            let keys = Keys::of(Column::Capture(other.slot), chosen);
            cost += keys.len() / KEYS_PER_TRY;
            let cursor = queue.having(Column::Capture(own.slot), &keys, first, until);
            if best.as_ref().is_none_or(|best| cursor.len() < best.cursor.len()) {
                best = Some(Joined { cursor, other: at, cost: 0 });
            }
        }
        best.map(|best| Joined { cost, ..best })
    }

    /// Whether the conditions of a `no` step are true beside the choice.
    pub(super) fn forbids(&mut self, step: usize, by: &'a Arc<Waiting>) -> bool {
        let layout = self.layout;
        self.captures[step] = &by.captures;
        let mut joins = layout.joins.iter().enumerate().filter(|(_, join)| join.owner == step);
        let holds = planted(52) || joins.all(|(number, _)| (self.holds)(number, &self.captures));
        self.captures[step] = &[];
        holds
    }

    /// When the wait of the choice ends, if there is one.
    fn wait(&self) -> Option<Nanos> {
        let layout = self.layout;
        let ends = layout.noes().filter(|(_, place, within)| layout.waits_for(*place, *within));
        ends.map(|(_, _, within)| self.behind(within)).max()
    }

    /// Until when what comes behind the last step forbids the choice.
    pub(super) fn behind(&self, within: Option<Nanos>) -> Nanos {
        match within {
            Some(within) => self.completing.at().saturating_add(within),
            None => self.first().saturating_add(self.layout.within),
        }
    }

    /// The first effective time of the choice.
    pub(super) fn first(&self) -> Nanos {
        self.chosen.iter().flatten().map(|chosen| chosen.at()).min().unwrap_or(self.completing.at())
    }

    /// Whether what had to go for want of room might have forbidden the choice.
    fn may_be_forbidden(&self) -> bool {
        self.layout.noes().any(|(step, place, within)| {
            let (from, _) = self.span(place, within);
            self.sequence.steps[step].dropped.is_some_and(|dropped| dropped >= from)
        })
    }

    /// From when to when, both ends in, a match forbids the choice.
    pub(super) fn span(&self, place: Place, within: Option<Nanos>) -> (Nanos, Nanos) {
        let z = self.completing.at();
        let (former, latter) = match place {
            _ if !self.layout.ordered => (self.first(), z),
            Place::Between(former, latter) => {
                let at = |slot: usize| self.chosen[slot].map_or(z, |chosen| chosen.at());
                (at(former), at(latter))
            }
            Place::Before | Place::Behind => (self.first(), z),
        };
        match (place, within) {
            (Place::Before, Some(within)) => {
                (former.saturating_sub(within).saturating_add(i64::from(planted(48))), former)
            }
            (Place::Behind, _) if self.layout.waits_for(place, within) => {
                (z, self.behind(within).saturating_sub(i64::from(planted(49))))
            }
            _ if planted(47) => (former, latter),
            (_, Some(within)) if !planted(50) => {
                (former.saturating_add(1), latter.saturating_sub(1).min(former.saturating_add(within)))
            }
            (_, _) => (former.saturating_add(1), latter.saturating_sub(1)),
        }
    }
}

/// Whether two matches are of the same event.
pub(super) fn same(layout: &Layout, one: (usize, &Waiting), other: (usize, &Waiting)) -> bool {
    let outcome = |step: usize| layout.steps.get(step).is_some_and(|step| step.outcome);
    one.1.id() == other.1.id()
        && (one.1.seen.meta.stage == other.1.seen.meta.stage || outcome(one.0) && outcome(other.0))
}

fn owned(slots: &[Option<&Arc<Waiting>>]) -> Vec<Option<Arc<Waiting>>> {
    slots.iter().map(|slot| slot.cloned()).collect()
}
