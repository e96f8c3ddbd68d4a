//! Whether a `no` step forbids a choice, and if so, how far back the search must go before it could be otherwise.
//!
//! A match forbids by its time beside one or two slots, and by conditions beside those that it reads. As long as the
//! search keeps these slots as they are, every other choice is forbidden as well, unless the match that forbids became one
//! of the choice's own events; so where some step has that event waiting, everything is tried.

use std::sync::Arc;

use super::Waiting;
use super::blame::Blame;
use super::queue::Keys;
use super::search::{Search, TooMany, same};
use crate::matches::{Nanos, Value};
use crate::plan::sequence::{Column, Place, Role};
use crate::planted::planted;

/// A choice is forbidden.
pub(super) struct Forbid<'a> {
    /// At which `no` step.
    pub(super) step: usize,
    pub(super) by: &'a Arc<Waiting>,
    /// The levels without a change in which it stays so.
    pub(super) blame: Blame,
    /// The last of them, and the time from which on all of its matches (that are not after the chosen one) would be
    /// forbidden too.
    pub(super) cut: Option<(usize, Nanos)>,
}

impl<'a, H: FnMut(usize, &[&[Value]]) -> bool> Search<'a, H> {
    /// What forbids the choice, which is whole.
    pub(super) fn forbidden(&mut self) -> Result<Option<Forbid<'a>>, TooMany> {
        let layout = self.layout;
        for (step, place, within) in layout.noes() {
            let (from, until) = self.span(place, within);
            let queue = &self.sequence.steps[step];
            let range = (queue.not_before(from), queue.after(until));
            let mut cursor = match self.joined(step, None, range) {
                Some(joined) => joined.cursor,
                None => queue.all(range.0, range.1),
            };
            let mut own = None;
            while let Some(position) = cursor.next() {
                self.count()?;
                let Some(by) = queue.get(position) else { continue };
                let chosen = self.chosen.iter().zip(&layout.slots);
                let taken = chosen.into_iter().any(|(chosen, slot)| {
                    chosen.is_some_and(|chosen| same(layout, (step, by), (*slot, chosen)))
                });
                if taken && !planted(55) || !self.forbids(step, by) {
                    continue;
                }
                if !self.waits_anywhere(step, by) {
                    return Ok(Some(self.surely((step, place, within), by)));
                }
                own = own.or(Some(by));
            }
            if let Some(by) = own {
                return Ok(Some(Forbid { step, by, blame: Blame::below(self.order.len()), cut: None }));
            }
        }
        Ok(None)
    }

    /// Whether some positive step has that event waiting.
    fn waits_anywhere(&self, step: usize, by: &Arc<Waiting>) -> bool {
        let keys = Keys::of(Column::Identity, by);
        self.layout.steps.iter().enumerate().any(|(other, layout)| {
            if !matches!(layout.role, Role::Slots { .. }) || !self.layout.kept(other) {
                return false;
            }
            let queue = &self.sequence.steps[other];
            let mut cursor = queue.having(Column::Identity, &keys, 0, queue.end());
            std::iter::from_fn(|| cursor.next())
                .filter_map(|position| queue.get(position))
                .any(|waiting| same(self.layout, (step, by), (other, waiting)))
        })
    }

    /// A match that is none of the choice's events, whatever is chosen, forbids it.
    fn surely(
        &self,
        (step, place, within): (usize, Place, Option<Nanos>),
        by: &'a Arc<Waiting>,
    ) -> Forbid<'a> {
        let layout = self.layout;
        let x = by.at();
        // Of which slots the time matters, and from when on one of them would be forbidden as well.
        let (slots, moved, from) = match place {
            _ if layout.waits_for(place, within) && within.is_some() => (Vec::new(), None, x),
            Place::Behind if layout.ordered => (vec![0], Some(0), x.saturating_sub(layout.within)),
            Place::Before if layout.ordered => (vec![0], Some(0), x),
            Place::Between(former, latter) if layout.ordered => {
                let from = within.map_or(Nanos::MIN, |within| x.saturating_sub(within));
                (vec![former, latter], Some(former), from)
            }
            // Any slot before it is enough; best one that was filled early.
            _ if within.is_none() => {
                let before = |slot: &usize| self.chosen[*slot].is_some_and(|chosen| chosen.at() < x);
                let slot = (0..layout.slots.len()).rev().find(before);
                (slot.into_iter().collect(), slot, Nanos::MIN)
            }
            _ => ((0..layout.slots.len()).collect(), None, x),
        };
        let joins = layout.joins.iter().filter(|join| join.owner == step);
        let read: Vec<usize> =
            joins.flat_map(|join| &join.reads).filter_map(|read| layout.last(*read)).collect();
        let blame = self.blame(slots.into_iter().chain(read.iter().copied()));
        // An answer that waits for what comes after its first event is decided no earlier than the waits of all choices
        // before it: there none may be passed over that begins later than those that were looked at.
        let counted = layout.ordered
            && !matches!(place, Place::Before | Place::Behind)
            && layout.noes().any(|(_, place, within)| place == Place::Behind && within.is_none());
        let moved = moved.filter(|slot| !read.contains(slot) && !counted).and_then(|slot| self.level(slot));
        let cut = moved.filter(|level| blame.last() == Some(*level)).map(|level| (level, from));
        Forbid { step, by, blame, cut }
    }
}
