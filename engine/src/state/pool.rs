//! What the windows of one rule keep in one virtual shard, and who gives way when that is too much.
//!
//! Of each thing that a window keeps (matches, values, stretches of time, the queue of a step) a key may always have one.
//! What there is besides is spare: it is counted in bytes, as [`crate::plan::cost`] counts them, and a rule has so much room for
//! it in a shard. Past that the window which has most spare gives way, whoever it was that brought more: it lets go of what
//! is oldest in it, as it does past the limit of a key. So a key loses nothing by what others bring as long as it has no more
//! than an even share of the room, and who wants to harm the keys that have `n` matches needs as many keys with `n` each as
//! fill the room.
//!
//! All of this follows from what the windows hold and from nothing else: of equals the one with the highest id gives way. So
//! nothing of it need be saved. While there is room it costs one addition a match; once there is none, windows stand in
//! an ordered tree and a match costs O(log n).

use std::collections::BTreeSet;

use super::State;
use super::groups::{GroupKey, Groups, Window};
use super::hash::GroupId;
use super::rules::ShapeSpec;
use crate::matches::Nanos;
use crate::planted::planted;

/// Of one rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    /// What all windows have spare, in bytes.
    spent: u64,
    /// Those that have any, once it was too much in all.
    fullest: Option<BTreeSet<(u64, GroupId)>>,
}

impl Pool {
    /// A window that had so much spare has so much now; there is `room` for so much in all.
    pub(crate) fn change(&mut self, id: GroupId, before: u64, now: u64, room: u64) {
        if before == now {
            return;
        }
        self.spent = self.spent.saturating_sub(before).saturating_add(now);
        let Some(fullest) = &mut self.fullest else { return };
        fullest.remove(&(before, id));
        if now > 0 {
            fullest.insert((now, id));
        }
        if self.spent < room / 2 {
            self.fullest = None;
        }
    }
}

impl Groups {
    /// The window of a rule that must give way, if one must.
    fn gives_way(&mut self, rule: u32) -> Option<GroupKey> {
        let pool = self.pools.get_mut(rule as usize)?;
        if pool.spent <= self.room {
            return None;
        }
        let all = &self.all;
        let fullest = pool.fullest.get_or_insert_with(|| {
            let of_rule = all.iter().filter(|((of, _), group)| *of == rule && group.spare > 0);
            of_rule.map(|((_, id), group)| (group.spare, *id)).collect()
        });
        Some((rule, fullest.last()?.1))
    }
}

impl State {
    /// Something came at `at` into the window of that group: where it is too much for the rule, windows give way.
    pub(super) fn squeeze(&mut self, of: GroupKey, at: Nanos) {
        let mut gone = 0;
        while let Some(shard) = self.shards.get_mut(of.1.shard())
            && let Some(key) = shard.groups.gives_way(of.0)
        {
            match self.give_way(key, at) {
                Some(went) => gone += went,
                None => self.cut_wait(key, at),
            }
            self.arm(key);
        }
        if gone == 0 {
            return;
        }
        match self.rules.get(of.0 as usize).map(|spec| &spec.shape) {
            Some(ShapeSpec::Sliding(_) | ShapeSpec::Closing(_) | ShapeSpec::Silent { .. }) => {
                self.let_go(of.0, at, gone);
            }
            // A memory tells what it forgot again, and a sequence alerts where what went may have mattered.
            _ => self.tally.shed.window += gone,
        }
    }

    /// A window lets go of what is too old, or else of something that is not. Gives how much of it is missed; nothing if it is
    /// an answer that must wait no longer.
    fn give_way(&mut self, key: GroupKey, at: Nanos) -> Option<u64> {
        let max = self.limits.matches_per_key_max;
        let spec = self.rules.get(key.0 as usize)?;
        let groups = &mut self.shards.get_mut(key.1.shard())?.groups;
        let group = groups.all.get_mut(&key)?;
        let before = group.spare;
        let went = match (&mut group.window, &spec.shape) {
            (Window::Sliding(window), ShapeSpec::Sliding(sliding)) => {
                window.pass(sliding, at);
                if window.spare() < before { 0 } else { window.squeeze(sliding) }
            }
            (Window::Closing(Some(open)), ShapeSpec::Closing(closing)) => open.squeeze(closing),
            (Window::Silent(Some(silence)), _) => silence.owner.squeeze(),
            (Window::FirstSeen(seen), ShapeSpec::FirstSeen(memory)) => {
                seen.leave(memory, at);
                if seen.spare() < before { 0 } else { seen.squeeze() }
            }
            (Window::Sequence(chain), ShapeSpec::Sequence(layout)) => {
                chain.pass(layout, at, max);
                if chain.spare() < before { 0 } else { chain.squeeze()? }
            }
            _ => 0,
        };
        Some(if planted(84) { 0 } else { went })
    }
}
