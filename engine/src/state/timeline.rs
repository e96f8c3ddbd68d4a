//! One line of time for all rules: what waits for the watermark and what timers do, moment by moment.
//!
//! At each time, for each stratum: first its matches are decided in their order, then sequences are judged whose
//! completing match is of that time, then timers fire. An alert reaches the rules that listen to it as a match of a higher
//! stratum at the same time, so it is met on the same walk.
//!
//! A group has at most one timer at which its window is judged and one at which it is looked at for being idle. Neither is
//! moved when its time does: a timer that comes too early sets itself anew. Groups are saved, timers are not.

use super::State;
use super::groups::{Group, GroupKey, Window};
use super::hash::GroupId;
use super::requests::Held;
use crate::matches::Nanos;
use crate::planted::planted;

/// What is due at a timer's time. Of one time they come in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    stratum: u32,
    group: GroupKey,
    what: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// Its window is to be judged.
    Judge,
    /// It may be idle.
    Idle,
    /// What its rule refused in a window is to be told; of no group.
    Refused,
}

impl Timer {
    /// For what a rule refuses.
    pub(super) fn refused(stratum: u32, rule: u32) -> Self {
        Self { stratum, group: (rule, GroupId::NONE), what: Due::Refused }
    }
}

impl State {
    /// Nothing more comes at all: everything that waits is decided, as is what timers do up to the highest time of all
    /// events; then the windows that are still open are judged.
    pub fn finish(&mut self) {
        self.finish_at(Nanos::MIN);
    }

    /// As [`Self::finish`], but if `until` is later, time goes on to there.
    pub fn finish_at(&mut self, until: Nanos) {
        let last = self.waiting.iter().map(super::Pending::effective).max();
        // Silences may have moved time past all events.
        let lived = self.sources.watermark.checked_sub(1);
        let requests = self.coming.iter().map(Held::at).max();
        let Some(end) = self.highest.max(last).max(requests).max(lived) else { return };
        let end = end.max(until);
        self.release(end.saturating_add(1));
        for stratum in 0..=self.top_stratum() {
            self.moment(end, stratum);
            if !planted(42) {
                self.cut_short(end, stratum);
            }
        }
        let groups = self.shards.iter().flat_map(|shard| &shard.groups.all);
        let groups = groups.map(|(key, group)| (key.0, self.pending(key.0, &group.window)));
        let pending: Vec<(u32, u64)> = groups.chain(self.unanswered()).collect();
        for (rule, pending) in pending {
            self.tally.rule(rule).pending += pending;
        }
    }

    /// How many alerts a window may still give by waiting.
    fn pending(&self, rule: u32, window: &Window) -> u64 {
        match window {
            Window::None | Window::Sliding(_) | Window::Closing(_) | Window::FirstSeen(_) => 0,
            Window::Silent(running) => u64::from(running.is_some()),
            Window::Sequence(chain) => {
                self.plan.rules.get(rule as usize).map_or(0, |rule| chain.pending(rule))
            }
        }
    }

    fn top_stratum(&self) -> u32 {
        self.rules.iter().map(|spec| spec.stratum).max().unwrap_or(0)
    }

    /// Lives through all that is below a time.
    pub(super) fn release(&mut self, until: Nanos) {
        let top = self.top_stratum();
        loop {
            let matches = self.waiting.peek().map(super::Pending::effective);
            let next = [matches, self.timers.next(), self.firsts.next()].into_iter().flatten().min();
            let next = self.next_request(next);
            let Some(at) = next.filter(|next| *next < until) else { return };
            self.begin_waiting(at);
            for stratum in 0..=top {
                self.moment(at, stratum);
            }
        }
    }

    /// Lives through what is of a time and a stratum.
    fn moment(&mut self, at: Nanos, stratum: u32) {
        if planted(34) {
            self.timers_of(at, stratum);
        }
        let mut completing = Vec::new();
        if stratum == 0 {
            self.requests_of(at, &mut completing);
        }
        let of_now = |next: &super::Pending| (next.effective(), next.stratum) <= (at, stratum);
        while self.waiting.peek().is_some_and(of_now) {
            let Some(pending) = self.waiting.pop() else { break };
            completing.extend(self.decide(pending));
        }
        self.complete(completing);
        self.timers_of(at, stratum);
    }

    fn timers_of(&mut self, at: Nanos, stratum: u32) {
        self.timers.reach(at);
        while let Some(timer) = self.timers.take(|timer| timer.stratum <= stratum) {
            self.fire(at, timer);
        }
    }

    fn fire(&mut self, at: Nanos, timer: Timer) {
        let key = timer.group;
        if timer.what == Due::Refused {
            return self.tell_refused(at, key.0, false);
        }
        let Some(spec) = self.rules.get(key.0 as usize) else { return };
        let Some(groups) = self.shards.get_mut(key.1.shard()).map(|shard| &mut shard.groups) else { return };
        let Some(group) = groups.all.get_mut(&key) else { return };
        match timer.what {
            Due::Judge if group.due.is_some_and(|due| due <= at) => {
                group.due = None;
                if group.window.due().is_some_and(|due| due <= at) {
                    self.due(at, key);
                }
            }
            Due::Idle if group.idle.is_some_and(|idle| idle <= at) => {
                group.idle = None;
                if group.alive(spec) < at {
                    if planted(75) {
                        return;
                    }
                    self.tally.shed.throttles += groups.drop(key);
                }
            }
            Due::Judge | Due::Idle | Due::Refused => return,
        }
        self.arm(key);
    }

    /// A group's window is to be judged now, by a timer. What it does next must be later: [`Window::due`] is asked anew.
    fn due(&mut self, at: Nanos, key: GroupKey) {
        match self.group(key).map(|group| &group.window) {
            None | Some(Window::None | Window::Sliding(_) | Window::FirstSeen(_)) => {}
            Some(Window::Closing(_)) => self.close(at, key, false),
            Some(Window::Silent(_)) => self.fell_silent(at, key),
            Some(Window::Sequence(_)) => self.waits_end(key, at),
        }
    }

    /// Judges the windows of a stratum that the end of input leaves open, in the order of their rules and groups.
    fn cut_short(&mut self, end: Nanos, stratum: u32) {
        let of_stratum =
            |rule: u32| self.rules.get(rule as usize).is_some_and(|spec| spec.stratum == stratum);
        let groups = self.shards.iter().flat_map(|shard| &shard.groups.all);
        let open = groups
            .filter(|(key, group)| matches!(group.window, Window::Closing(Some(_))) && of_stratum(key.0));
        let mut open: Vec<GroupKey> = open.map(|(key, _)| *key).collect();
        open.sort_unstable();
        open.into_iter().for_each(|key| self.close(end, key, true));
        for rule in (0..)
            .zip(&self.rules)
            .filter(|(_, spec)| spec.stratum == stratum)
            .map(|(n, _)| n)
            .collect::<Vec<u32>>()
        {
            self.tell_refused(end, rule, true);
        }
    }

    /// A group that is remembered.
    pub(super) fn group(&self, key: GroupKey) -> Option<&Group> {
        self.shards.get(key.1.shard())?.groups.all.get(&key)
    }

    /// Sets the timers that a group needs, and counts what it keeps: after each change of it.
    pub(super) fn arm(&mut self, key: GroupKey) {
        let Some(spec) = self.rules.get(key.0 as usize) else { return };
        let shard = self.shards.get_mut(key.1.shard());
        let Some(group) = shard.and_then(|shard| shard.groups.weigh(key)) else { return };
        let stratum = spec.stratum;
        if let Some(due) = group.window.due()
            && group.due.is_none_or(|armed| due < armed)
        {
            group.due = Some(due);
            self.timers.arm(due, Timer { stratum, group: key, what: Due::Judge });
        }
        // What is of the same time may still come, from a window that the end of input closes. Behind the end of time
        // nothing is left to be done.
        if let Some(idle) = group.alive(spec).checked_add(1)
            && group.idle.is_none_or(|armed| idle < armed)
        {
            group.idle = Some(idle);
            self.timers.arm(idle, Timer { stratum, group: key, what: Due::Idle });
        }
    }
}
