//! What becomes of a match of a rule about requests themselves: it waits for its time like any other, then the rule's table
//! ([`super::requests`]) says whether anybody need look at it.
//!
//! What goes on is unpacked and decided by the ordinary machine as if it had just come, at its own time. That time may be
//! past: of its key nothing else was decided since, and nothing that was decided besides can have been changed by it. Once
//! the ordinary machine remembers something of a key its matches go there directly, until it has forgotten it.

use std::collections::VecDeque;
use std::sync::Arc;

use dsl::ir::OfRequests;

use super::groups::GroupKey;
use super::hash::{GroupId, group};
use super::packed::{Head, unpack, unpack_cluster};
use super::requests::{Answered, Asked, Held, Repeated, Table};
use super::rules::TableSpec;
use super::sequence::Entered;
use super::{Pending, State};
use crate::event::identity;
use crate::matches::{Counted, Match, Matches, Nanos, RequestMatch, Value};
use crate::plan::AggregateKind;
use crate::planted::planted;
use crate::time::Order;

/// Places that are looked through before it is asked how many of them are of no use.
const PLACES_MIN: usize = 1024;

/// What of a rule's tables stands in no shard.
#[derive(Clone, Debug)]
pub(super) struct Outstanding {
    rule: u32,
    /// When the wait of each request is over, in order, with its place and since when it waits. Most have been answered.
    due: VecDeque<(Nanos, GroupId, Nanos)>,
    /// How many wait.
    pub(super) waiting: u64,
    /// Until when the ordinary machine may remember something of a key.
    gone_on: Option<Nanos>,
    /// Until when it may remember that it took a request.
    told: Option<Nanos>,
}

impl Outstanding {
    pub(super) fn new(rule: u32) -> Self {
        Self { rule, due: VecDeque::new(), waiting: 0, gone_on: None, told: None }
    }

    /// Nothing was seen.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.rule);
    }
}

impl State {
    /// A match of a rule about requests themselves waits for its time.
    pub(super) fn await_request(&mut self, m: RequestMatch, stage_timestamp: Nanos, effective: Nanos) {
        self.tally.rule(m.rule).matched += 1;
        let Some(spec) = self.rules.get(m.rule as usize) else { return };
        let place = self.keyed.place(&spec.id, &m.subject);
        let event = (m.request.0, Some(m.stage), (m.source, m.offset));
        self.coming.push(Held {
            order: Order::new(effective, stage_timestamp, event),
            place,
            rule: m.rule,
            step: m.step,
            event: m.event,
            dry_run_unknown: m.dry_run_unknown,
            packed: m.packed,
        });
    }

    /// When something is to be done next about requests; what others do next is at `others`.
    pub(super) fn next_request(&mut self, others: Option<Nanos>) -> Option<Nanos> {
        let coming = self.coming.peek().map(Held::at);
        let mut next = [others, coming].into_iter().flatten().min();
        for (slot, of) in self.outstanding.iter_mut().enumerate() {
            while let Some((due, place, since)) = of.due.front().copied() {
                if next.is_some_and(|next| next < due) {
                    break;
                }
                let table = self.shards.get(place.shard()).and_then(|shard| shard.requests.get(slot));
                if table.is_some_and(|table| table.waits(place, since)) {
                    next = Some(due);
                    break;
                }
                of.due.pop_front();
            }
        }
        next
    }

    /// Requests whose wait is over by `at` go on, then those of that time are decided. Those that complete a sequence come
    /// back to be judged.
    pub(super) fn requests_of(&mut self, at: Nanos, completing: &mut Vec<Entered>) {
        for slot in 0..self.outstanding.len() {
            let over = |of: &mut Outstanding| of.due.pop_front_if(|(due, ..)| *due <= at);
            while let Some((_, place, since)) = self.outstanding.get_mut(slot).and_then(over) {
                let held = self.requests_at(slot, place).and_then(|table| table.overdue(place, since));
                if let Some(held) = held {
                    self.goes_on_waiting(&held);
                }
            }
        }
        while self.coming.peek().is_some_and(|next| next.at() <= at) {
            let Some(held) = self.coming.pop() else { break };
            self.decide_request(held, completing);
        }
    }

    fn requests_at(&mut self, slot: usize, place: GroupId) -> Option<&mut Table> {
        self.shards.get_mut(place.shard())?.requests.get_mut(slot)
    }

    /// What stands in no shard, of a rule.
    fn outstanding(&mut self, rule: u32) -> Option<&mut Outstanding> {
        let slot = self.rules.get(rule as usize)?.table?.slot;
        self.outstanding.get_mut(slot)
    }

    fn decide_request(&mut self, held: Held, completing: &mut Vec<Entered>) {
        let (rule, place) = (held.rule, held.place);
        let Some(spec) = self.rules.get(rule as usize) else { return };
        let (Some(TableSpec { of, slot }), memory) = (spec.table, spec.memory) else { return };
        if held.moved() > spec.within {
            self.tally.rule(rule).left_out_late += 1;
            return;
        }
        let at = held.at();
        let Some(table) = self.requests_at(slot, place) else { return };
        let in_doubt = table.lost() >= Some(at);
        match of {
            OfRequests::Unanswered { wait } if held.step == 0 => match table.asked(held, memory) {
                Asked::Duplicate => self.tally.rule(rule).duplicates += 1,
                Asked::Settled => {}
                Asked::Waits => {
                    self.waits_from(rule, (at.saturating_add(wait), place, at));
                    if in_doubt {
                        self.doubt(rule, at, false);
                    }
                }
            },
            OfRequests::Unanswered { .. } => match table.answered(place, at, memory) {
                Answered::Duplicate => self.tally.rule(rule).duplicates += 1,
                Answered::Settled => self.waits_no_more(rule),
                Answered::Alone => {
                    if let Some(pending) = self.gone_on(&held) {
                        completing.extend(self.goes_on(pending));
                    }
                }
            },
            OfRequests::Repeated { .. } => match table.repeated(held, memory) {
                Repeated::Duplicate => self.tally.rule(rule).duplicates += 1,
                Repeated::New(held) => {
                    // If the first of its id was forgotten, this is a second.
                    if in_doubt {
                        self.doubt(rule, at, true);
                    }
                    match self.gone_on(&held) {
                        Some(pending) => completing.extend(self.goes_on(pending)),
                        None => {
                            if let Some(table) = self.requests_at(slot, place) {
                                table.first(held);
                            }
                        }
                    }
                }
                Repeated::Second(first, held) => {
                    let both = [(!planted(57)).then_some(*first), Some(held)];
                    for held in both.into_iter().flatten() {
                        if let Some(pending) = self.whole(&held) {
                            completing.extend(self.goes_on(pending));
                        }
                    }
                }
            },
        }
        self.make_room((of, memory), slot, place);
    }

    /// What there is no room for is forgotten, or goes on early.
    fn make_room(&mut self, (of, memory): (OfRequests, Nanos), slot: usize, place: GroupId) {
        let waits = matches!(of, OfRequests::Unanswered { .. });
        while let Some(gone) = self.requests_at(slot, place).and_then(Table::too_much) {
            let known_until = gone.newest().saturating_add(memory);
            match gone.held.filter(|_| waits) {
                Some(held) => {
                    self.tally.shed.early += 1;
                    self.goes_on_waiting(&held);
                }
                None => {
                    self.tally.shed.requests += 1;
                    if let Some(table) = self.requests_at(slot, place) {
                        table.lose(known_until);
                    }
                }
            }
        }
    }

    fn waits_from(&mut self, rule: u32, due: (Nanos, GroupId, Nanos)) {
        let Some(slot) = self.rules.get(rule as usize).and_then(|spec| spec.table).map(|table| table.slot)
        else {
            return;
        };
        let Some(of) = self.outstanding.get_mut(slot) else { return };
        of.waiting += 1;
        of.due.push_back(due);
        if of.due.len() < PLACES_MIN || of.due.len() as u64 / 2 < of.waiting {
            return;
        }
        let shards = &self.shards;
        of.due.retain(|(_, place, since)| {
            let table = shards.get(place.shard()).and_then(|shard| shard.requests.get(slot));
            table.is_some_and(|table| table.waits(*place, *since))
        });
    }

    fn waits_no_more(&mut self, rule: u32) {
        if let Some(of) = self.outstanding(rule) {
            of.waiting = of.waiting.saturating_sub(1);
        }
    }

    /// A request that still waits is left to the ordinary machine.
    fn goes_on_waiting(&mut self, held: &Held) {
        self.waits_no_more(held.rule);
        if let Some(pending) = self.whole(held) {
            let entered = self.goes_on(pending);
            self.complete(entered);
            self.remember_gone_on(held.rule, self.whole(held).map(|pending| pending.group), held.at());
        }
    }

    /// The ordinary machine takes over.
    fn goes_on(&mut self, pending: Pending) -> Vec<Entered> {
        let (rule, group, at) = (pending.m.rule, pending.group, pending.effective());
        let entered = self.decide(pending);
        self.remember_gone_on(rule, Some(group), at);
        entered
    }

    fn remember_gone_on(&mut self, rule: u32, group: Option<GroupId>, at: Nanos) {
        let Some(spec) = self.rules.get(rule as usize) else { return };
        let known = group.and_then(|group| self.group((rule, group)));
        let until = match known {
            Some(group) => group.alive(spec).saturating_add(spec.throttle),
            // There was no room for it.
            None => at.saturating_add(spec.window.max(spec.throttle)),
        };
        let told = at.saturating_add(spec.memory);
        if let Some(of) = self.outstanding(rule) {
            of.gone_on = of.gone_on.max(Some(until));
            of.told = of.told.max(Some(told));
        }
    }

    /// The whole match, if the ordinary machine remembers something of its key, or may do so.
    fn gone_on(&self, held: &Held) -> Option<Pending> {
        let at = held.at();
        let spec = self.rules.get(held.rule as usize)?;
        let TableSpec { of, slot } = spec.table?;
        let outstanding = self.outstanding.get(slot)?;
        // Whether an answer was taken before the table itself knows.
        let told = matches!(of, OfRequests::Repeated { .. }) && outstanding.told >= Some(at) && {
            let key = spec.told((held.rule, held.step), held.order.request, held.order.stage);
            let shard = self.shards.get(key.shard(self.keyed, &spec.id))?;
            shard.told.knows(&key, at, spec.memory)
        };
        if planted(69) || !told && outstanding.gone_on < Some(at) {
            return None;
        }
        let pending = self.whole(held)?;
        let key: GroupKey = (held.rule, pending.group);
        let groups = &self.shards.get(pending.group.shard())?.groups;
        (told || groups.all.contains_key(&key) || groups.unsure(key, at)).then_some(pending)
    }

    /// The match as other rules have it. What was packed here can be unpacked.
    pub(super) fn whole(&self, held: &Held) -> Option<Pending> {
        let spec = self.rules.get(held.rule as usize)?;
        let head = Head {
            source: held.source(),
            offset: held.order.offset,
            request: held.request(),
            stage: held.order.stage,
            stage_timestamp: held.order.stage_timestamp,
        };
        let shown = held.step == 0;
        let packed = &held.packed;
        let unpacked = if shown { unpack(packed, head) } else { unpack_cluster(packed, head) }.ok()?;
        let request = Value::Text(identity::hex(&held.request()).into());
        let key = match spec.table?.of {
            OfRequests::Repeated { by_audit_id: true } => Value::Text(unpacked.audit_id),
            OfRequests::Repeated { .. } | OfRequests::Unanswered { .. } => request.clone(),
        };
        let aggregates = self.plan.rules.get(held.rule as usize)?.aggregates.iter();
        let m = Match {
            rule: held.rule,
            step: held.step,
            event: held.event,
            meta: Arc::new(unpacked.meta),
            key: vec![key],
            captures: unpacked.captures,
            counted: aggregates
                .map(|aggregate| match aggregate.kind {
                    AggregateKind::Distinct => Counted::Tuples(vec![identity::tuple(&[&request])]),
                    _ => Counted::One,
                })
                .collect(),
            dry_run_unknown: held.dry_run_unknown,
        };
        let group = group(&self.key, &m, &spec.id, spec.across_clusters);
        Some(Pending { order: held.order, stratum: spec.stratum, group, m: Box::new(m) })
    }

    /// How many requests a rule still waits for the answer of.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = (u32, u64)> {
        self.outstanding.iter().map(|of| (of.rule, of.waiting))
    }

    /// Lets go of all that no match at or after `now` can meet.
    pub(super) fn forget_requests(&mut self, now: Nanos) {
        for shard in &mut self.shards {
            for (table, of) in shard.requests.iter_mut().zip(&self.outstanding) {
                if let Some(spec) = self.rules.get(of.rule as usize) {
                    table.forget(now, spec.memory);
                }
            }
        }
    }

    /// What was loaded into a shard's tables and groups is waited for, and known to have gone on.
    pub(super) fn resume_requests(&mut self, shard: usize) {
        let Some(loaded) = self.shards.get(shard) else { return };
        for (table, of) in loaded.requests.iter().zip(&mut self.outstanding) {
            let Some(spec) = self.rules.get(of.rule as usize) else { continue };
            let groups = loaded.groups.all.iter().filter(|((rule, _), _)| *rule == of.rule);
            let until = |newest: Nanos| newest.saturating_add(spec.window).saturating_add(spec.throttle);
            let known = groups.map(|(_, group)| until(group.newest)).max();
            let without_room = loaded.groups.without_room().get(of.rule as usize).copied();
            let taken = loaded.told.iter().filter(|(key, _)| key.rule == of.rule);
            of.told = of.told.max(taken.map(|(_, at)| at.saturating_add(spec.memory)).max());
            of.gone_on = of.gone_on.max(known).max(without_room.filter(|until| *until > Nanos::MIN));
            let Some(OfRequests::Unanswered { wait }) = spec.table.map(|table| table.of) else { continue };
            let held = table.iter().filter_map(|(place, entry)| Some((place, entry.held.as_ref()?.at())));
            let before = of.due.len();
            of.due.extend(held.map(|(place, at)| (at.saturating_add(wait), place, at)));
            of.waiting += (of.due.len() - before) as u64;
            of.due.make_contiguous().sort_unstable();
        }
    }
}

/// The matches of rules about requests themselves in a block, event by event.
pub(super) type Requests = std::iter::Peekable<std::vec::IntoIter<RequestMatch>>;

/// Takes those of a block out.
pub(super) fn requests(matches: &mut Matches) -> Requests {
    std::mem::take(&mut matches.requests).into_iter().peekable()
}
