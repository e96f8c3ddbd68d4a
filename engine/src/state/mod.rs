//! Everything that remembers: clocks, requests told, windows, throttles. Matches in, in order; alerts out.
//!
//! Each source's matches are taken in the order of its bytes. Rules that do not wait are decided at once; the matches of
//! all others wait in one heap until the watermark has passed them and are then decided in the one order of time, so that
//! neither the blocks nor the order of arrival between sources can show in an answer.
//!
//! What is remembered lives in [`crate::limits::VIRTUAL_SHARDS`] shards: requests told by request, groups by rule and key.
//! A shard can be saved and loaded by itself; every limit is divided among them, so that what is shed does not depend on
//! who owns which. Memory is flat as time moves: what no later event can meet is dropped with the watermark.
//!
//! Cost: nothing per event but its clock; per match one hash and, if its rule waits, one heap entry and one keyed hash.

mod carry;
mod close;
mod decide;
mod envelope;
mod firsts;
mod groups;
mod hash;
mod hear;
mod make;
pub(crate) mod monotone;
mod overflow;
pub(crate) mod packed;
mod pool;
mod queue;
mod request;
mod requests;
mod rules;
mod save;
mod save_requests;
mod save_sequence;
mod save_window;
mod sequence;
mod sight;
mod silence;
mod snapshot;
mod tally;
#[cfg(test)]
mod tests;
mod timeline;
mod told;
mod watch;
mod wire;

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

pub use carry::{Dropped, Why};
pub use envelope::LoadError;
pub use hash::HashKey;
pub use snapshot::Restored;
pub use tally::{RuleCounts, RunTally, Shed, Undecoded};
pub use watch::{Judged, Outcome, Unfit, WatchId, Watched, WindowSeen};

use crate::alert::Alert;
use crate::eval::Coverage;
use crate::limits::{Limits, VIRTUAL_SHARDS};
use crate::matches::{Match, Matches, Nanos, SourceId, SourceInfo};
use crate::plan::{Plan, Shape, WaitsFor};
use crate::time::{Order, Sources, Tick, Wheel};
use carry::{Origin, Table};
use firsts::Firsts;
use groups::Groups;
use hash::{GroupId, Keyed, group};
use hear::Lost;
#[cfg(test)]
pub(crate) use hear::no_event;
use overflow::Overflow;
use queue::Queue;
use request::{Outstanding, requests};
use requests::{Held, Table as RequestTable};
use rules::RuleSpec;
use timeline::Timer;
use told::Told;
use watch::Watch;

/// The remembering half of the engine.
#[derive(Debug)]
pub struct State {
    plan: Arc<Plan>,
    rules: Vec<RuleSpec>,
    limits: Limits,
    key: HashKey,
    keyed: Keyed,
    sources: Sources,
    waiting: Queue<Pending>,
    /// Matches of rules about requests themselves that wait.
    coming: Queue<Held>,
    /// Per rule about requests themselves, in the order of the plan.
    outstanding: Vec<Outstanding>,
    timers: Wheel<Timer>,
    /// What is decided now is decided before its time.
    hurrying: bool,
    /// The highest effective time of anything that came.
    highest: Option<Nanos>,
    /// A rule waits for something from the first event on.
    waits_for_first: bool,
    firsts: Firsts,
    shards: Vec<Shard>,
    overflow: Overflow,
    alerts: Vec<Alert>,
    /// Matches of alerts for rules that do not wait.
    at_once: VecDeque<Pending>,
    /// Per rule of the plan, if it is counted: what conditions have been found to be that are not asked of an event at hand.
    coverage: Option<Vec<Coverage>>,
    tally: RunTally,
    watches: Vec<Watch>,
    /// Of the rules, once something is saved or loaded.
    table: OnceLock<Table>,
    /// Under which rules what was loaded was saved.
    origin: Option<Arc<Origin>>,
}

/// What one virtual shard remembers.
#[derive(Clone, Debug)]
struct Shard {
    told: Told,
    groups: Groups,
    /// Per rule about requests themselves, in the order of the plan.
    requests: Vec<RequestTable>,
}

/// A match with its place in time.
#[derive(Clone, Debug)]
struct Pending {
    order: Order,
    /// Of its rule.
    stratum: u32,
    /// Of rules that wait.
    group: GroupId,
    m: Box<Match>,
}

impl Pending {
    fn effective(&self) -> Nanos {
        self.order.effective
    }

    /// By how much it was dated up. An alert is decided when it is decided, and never late itself.
    fn moved(&self) -> Nanos {
        match self.m.meta.alert {
            Some(_) => 0,
            None => self.order.effective.saturating_sub(self.m.meta.stage_timestamp),
        }
    }

    /// Whether it is late, or rests on what was.
    fn late(&self) -> bool {
        self.moved() > 0 || self.m.meta.alert.as_ref().is_some_and(|alert| alert.late)
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pending {}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        // Events of one document (an EventList) share its offset; their number in the block tells them apart.
        let key = |of: &Self| (of.order.effective, of.stratum, of.order, of.m.rule, of.m.step, of.m.event);
        key(self).cmp(&key(other))
    }
}

impl State {
    /// A state that has seen nothing. Its hash key is fixed, as is right for a bounded run; see [`State::with_key`].
    #[must_use]
    pub fn new(plan: Arc<Plan>, limits: Limits) -> Self {
        Self::with_key(plan, limits, *b"auditd-rules: a run over a file.")
    }

    /// A state whose keyed hashes nobody outside can foresee, if the key is random. It is saved with the state.
    #[must_use]
    pub fn with_key(plan: Arc<Plan>, limits: Limits, key: HashKey) -> Self {
        let rules = RuleSpec::all(&plan, &limits);
        let with_table = (0..).zip(&rules).filter(|(_, spec)| spec.table.is_some());
        let outstanding: Vec<Outstanding> = with_table.map(|(rule, _)| Outstanding::new(rule)).collect();
        let keyed = Keyed::new(&key);
        let tally = RunTally::new(rules.len());
        let waits_for_first = plan.rules.iter().any(|rule| {
            matches!(&rule.shape, Shape::Silent { waits_for: WaitsFor::All | WaitsFor::Keys(_), .. })
        });
        let shard = || Shard::new(keyed, (rules.len(), outstanding.len()), &limits);
        let shards = std::iter::repeat_with(shard).take(VIRTUAL_SHARDS).collect();
        let number_of_rules = rules.len();
        Self {
            plan,
            rules,
            limits,
            key,
            keyed,
            sources: Sources::new(),
            waiting: Queue::new(),
            coming: Queue::new(),
            outstanding,
            timers: Wheel::new(),
            hurrying: false,
            highest: None,
            waits_for_first,
            firsts: Firsts::new(limits.keys_per_rule_max),
            overflow: Overflow::new(number_of_rules),
            shards,
            alerts: Vec::new(),
            at_once: VecDeque::new(),
            coverage: None,
            tally,
            watches: Vec::new(),
            table: OnceLock::new(),
            origin: None,
        }
    }

    /// Adds a source with the lateness of the limits. Sources that are known from the start must be added before the first
    /// matches are taken: time may pass a source that comes later.
    pub fn add_source(&mut self, info: SourceInfo) -> SourceId {
        let lateness = self.limits.lateness;
        self.add_source_with(info, lateness)
    }

    /// Adds a source with a lateness of its own, in nanoseconds.
    pub fn add_source_with(&mut self, info: SourceInfo, lateness: Nanos) -> SourceId {
        self.sources.add(info, lateness.max(0))
    }

    /// Takes what a block gave. The blocks of a source must come in their order.
    pub fn take(&mut self, source: SourceId, mut matches: Matches) {
        self.tally.add(source, &matches.tally, &matches.times);
        let mut of_requests = requests(&mut matches);
        let mut found = matches.found.into_iter().peekable();
        let mut lost = Lost::new(&matches.tally.undecodable);
        let mut clusters = matches.clusters.into_iter().peekable();
        let mut stamps = matches.stamps.into_iter().peekable();
        let (mut cluster, mut stamp) = (None, None);
        for (event, t) in (0_u32..).zip(matches.times) {
            self.lose(source, &mut lost, event);
            while let Some((_, next)) = stamps.next_if(|(from, _)| *from <= event) {
                stamp = Some(next);
            }
            let effective = self.sources.date(source, t, stamp);
            self.tally.late += u64::from(effective > t);
            self.highest = self.highest.max(Some(effective));
            if self.waits_for_first {
                self.firsts.see(&None, effective);
            }
            if let Some((_, next)) = clusters.next_if(|(from, _)| *from <= event) {
                cluster = Some(next);
            }
            if cluster.is_some() && !self.firsts.see(&cluster, effective) && !crate::planted::planted(81) {
                self.refuse_cluster(effective);
            }
            while let Some(m) = found.next_if(|m| m.event == event) {
                self.arrive(m, effective, t);
            }
            while let Some(m) = of_requests.next_if(|m| m.event == event) {
                self.overtaken(m.rule, t, effective);
                self.await_request(m, t, effective);
            }
            self.hurry();
        }
        self.lose(source, &mut lost, u32::MAX);
        self.advance();
    }

    /// A match that came with the input and has the time `own`: decided now, with all that hear of it, or once its time has
    /// come.
    fn arrive(&mut self, m: Match, effective: Nanos, own: Nanos) {
        self.overtaken(m.rule, own, effective);
        if let Some(now) = self.place_in_time(m, effective) {
            self.decide(now);
        }
        while let Some(heard) = self.at_once.pop_front() {
            self.decide(heard);
        }
    }

    /// A match waits for its time, or comes back if its rule does not wait.
    fn place_in_time(&mut self, m: Match, effective: Nanos) -> Option<Pending> {
        self.tally.rule(m.rule).matched += 1;
        let spec = self.rules.get(m.rule as usize)?;
        let order = Order::of(&m.meta, effective);
        let stratum = spec.stratum;
        if !spec.waits {
            return Some(Pending { order, stratum, group: GroupId::NONE, m: Box::new(m) });
        }
        let group = group(&self.key, &m, &spec.id, spec.across_clusters);
        self.waiting.push(Pending { order, stratum, group, m: Box::new(m) });
        None
    }

    /// A live source is read to its end and silent: its time runs on.
    pub fn tick(&mut self, source: SourceId, tick: Tick) {
        self.sources.tick(source, tick);
        self.advance();
    }

    /// Nothing more comes from a source.
    pub fn end(&mut self, source: SourceId) {
        self.sources.end(source);
        self.advance();
    }

    /// Hands over the alerts made so far, in the order in which they became certain.
    pub fn drain(&mut self, into: &mut Vec<Alert>) {
        into.append(&mut self.alerts);
    }

    /// How far a source has come; `None` before its clock runs. Of several the one furthest behind is read next.
    #[must_use]
    pub fn clock(&self, source: SourceId) -> Option<Nanos> {
        self.sources.get(source).and_then(|source| source.now())
    }

    /// Up to when everything is decided; `None` while no time is known.
    #[must_use]
    pub fn watermark(&self) -> Option<Nanos> {
        Some(self.sources.watermark).filter(|at| *at > Nanos::MIN)
    }

    /// All sources, those that a snapshot brought along too. Of these the ones that nobody reads any more must be told
    /// to have [ended](Self::end), or time waits for them.
    pub fn sources(&self) -> impl Iterator<Item = (SourceId, &SourceInfo)> {
        (0..).map(SourceId).zip(self.sources.all.iter().map(|source| &source.info))
    }

    /// A source has another name from now on, as a file that was rotated; its clock and its number stay.
    pub fn rename_source(&mut self, source: SourceId, name: Arc<str>) {
        if let Some(source) = self.sources.all.get_mut(source.0 as usize) {
            source.info.name = name;
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> &RunTally {
        &self.tally
    }

    /// How many matches wait for the watermark.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len() + self.coming.len()
    }

    /// How much is remembered: requests, and groups of keys.
    #[must_use]
    pub fn remembered(&self) -> (usize, usize) {
        let of_rules = |shard: &Shard| shard.requests.iter().map(RequestTable::len).sum::<usize>();
        let requests = self.shards.iter().map(|shard| shard.told.len() + of_rules(shard)).sum();
        (requests, self.shards.iter().map(|shard| shard.groups.all.len()).sum())
    }

    fn advance(&mut self) {
        let before = self.sources.watermark;
        let watermark = self.sources.advance();
        if watermark == before {
            return;
        }
        self.release(watermark);
        for shard in &mut self.shards {
            shard.told.forget(watermark);
        }
        self.forget_requests(watermark);
    }

    fn too_much_waits(&self) -> bool {
        let bytes = self.waiting.bytes().saturating_add(self.coming.bytes());
        self.waiting() > self.limits.waiting_matches_max || bytes > self.limits.waiting_bytes_max as u64
    }

    /// Where time stands still (a source without a clock, a log of a single time) what waits must not grow without bound:
    /// the earliest are decided as if time had passed them, and what comes later from before is dated up. Both is told:
    /// [`overflow`]. Asked once an event has brought all its matches, for they are of one time.
    fn hurry(&mut self) {
        if !self.too_much_waits() {
            return;
        }
        // What the watermark has passed is only held until the end of a block, which must not show.
        self.advance();
        while self.too_much_waits() {
            let matches = self.waiting.peek().map(Pending::effective);
            let requests = self.coming.peek().map(Held::at);
            let Some(first) = [matches, requests].into_iter().flatten().min() else { break };
            let until = first.saturating_add(1);
            let before = self.waiting();
            self.sources.hurry(until);
            self.hurrying = true;
            self.release(until);
            self.hurrying = false;
            if self.waiting() == before {
                break;
            }
            self.tally.shed.hurried += (before - self.waiting()) as u64;
        }
    }
}

impl Shard {
    /// Of so many rules, of which so many have tables.
    fn new(keyed: Keyed, (rules, tables): (usize, usize), limits: &Limits) -> Self {
        let table = || RequestTable::new(keyed, limits.request_table_bytes_max / VIRTUAL_SHARDS);
        Self {
            requests: std::iter::repeat_with(table).take(tables).collect(),
            told: Told::new(keyed, limits.requests_told_max / VIRTUAL_SHARDS),
            groups: Groups::new(
                keyed,
                rules,
                limits.keys_per_rule_max / VIRTUAL_SHARDS,
                limits.window_bytes_per_shard(),
            ),
        }
    }
}
