//! Saving and loading, a head and one part per virtual shard.
//!
//! The head has the rules it was saved under ([`super::carry`]), the sources with their clocks, the watermark and the counts; a
//! shard has what it remembers and what waits in it. A state that is loaded under the same rules goes on exactly as the one
//! that was saved would have: the answer does not show where it was cut. Under other rules this is so of each rule that is
//! carried over. What stands for a rule has its length in front where its form depends on the rule, so that it can be passed
//! over by those who do not know the rule any more.
//!
//! Alerts that were not drained, and watches, are not saved. Parts come from a disk, so loading never panics, whatever the
//! bytes; it leaves the state unusable for the rest of the run if it fails, and the caller starts anew.

use std::sync::Arc;

use super::carry::{Carried, Dropped, Origin, Table};
use super::envelope::{HEAD, LoadError, Part, open_only, seal};
use super::firsts::Firsts;
use super::groups::{Group, GroupKey, Left, Window};
use super::hash::{Fields, GroupId, Keyed, group};
use super::overflow::Overflow;
use super::rules::ShapeSpec;
use super::save_window::{load_counter, load_slices, load_window, save_counter, save_slices, save_window};
use super::tally::{RuleCounts, Shed, Undecoded};
use super::told::ToldKey;
use super::wire::{Reader, Result, Writer, stage_number, stage_of};
use super::{Outstanding, Pending, RunTally, Shard, State, save_sequence};
use crate::matches::{Match, Nanos, Reason, SourceId, SourceInfo};
use crate::plan::Measure;
use crate::planted::planted;
use crate::time::{Clock, Order, SourceState, Sources, Wheel};
use crate::window::Seen;
use crate::window::sliding::Sliding;

impl State {
    /// Clocks, watermark and counts. Drain the alerts before saving.
    #[must_use]
    pub fn save_head(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.table().save(&mut w);
        w.i64(self.sources.watermark);
        w.i64(if planted(93) { i64::MIN } else { self.sources.hurried });
        w.maybe(self.highest, Writer::i64);
        w.list(self.firsts.earliest.iter(), |w, (whose, at)| {
            w.maybe(whose.as_ref(), |w, cluster| {
                w.maybe(cluster.as_ref(), |w, cluster| w.bytes(cluster.as_bytes()));
            });
            w.maybe(*at, Writer::i64);
        });
        w.list(self.sources.all.iter(), |w, source| {
            w.bytes(source.info.name.as_bytes());
            w.maybe(source.info.cluster.as_ref(), |w, cluster| w.bytes(cluster.as_bytes()));
            w.i64(source.lateness);
            w.maybe(source.idle, Writer::i64);
            w.truth(source.ended);
            w.list(source.clock.witnesses().iter(), |w, t| w.i64(*t));
        });
        save_tally(&self.tally, &mut w);
        self.overflow.save(&mut w);
        self.seal(HEAD, &w.out)
    }

    /// Takes over a head, on a state that has seen nothing; the shards come after it. Sources are dealt with as
    /// [`State::restore`] says; if none was added before, all have the numbers that they had. Gives the rules that begin
    /// anew although they are known to the saved state.
    ///
    /// # Errors
    /// If the bytes are no head.
    pub fn load_head(&mut self, bytes: &[u8]) -> Result<Vec<Dropped>> {
        let Part { number, rules, moment, key, payload } = open_only(bytes)?;
        if number != HEAD {
            return Err(LoadError::WrongShard);
        }
        let mut r = Reader::new(payload);
        let table = Table::load(&mut r)?;
        let (watermark, hurried, highest) = (r.i64()?, r.i64()?, r.maybe(Reader::i64)?);
        let begun = r.list(|r| Ok((r.maybe(|r| r.maybe(Reader::text))?, r.maybe(Reader::i64)?)))?;
        let all = r.list(|r| {
            let info = SourceInfo { name: r.text()?, cluster: r.maybe(Reader::text)? };
            let (lateness, idle, ended) = (r.i64()?, r.maybe(Reader::i64)?, r.truth()?);
            let mut clock = Clock::new();
            r.list(Reader::i64)?.into_iter().for_each(|t| clock.observe(t));
            Ok(SourceState { info, clock, lateness, idle, ended })
        })?;
        let tally = load_tally(&mut r)?;
        let overflow = Overflow::load(&mut r)?;
        r.end()?;
        if tally.rules.len() != table.len() || !overflow.fits(table.len()) || table.hash != rules {
            return Err(LoadError::Corrupt);
        }
        let numbers = self.take_sources(all, (watermark, hurried));
        let (origin, dropped) = Origin::new(&table, self.table(), &self.plan, moment, numbers);
        self.tally = carry_tally(tally, &origin, self.rules.len())?;
        self.highest = highest;
        self.firsts = Firsts::new(self.limits.keys_per_rule_max);
        begun.into_iter().for_each(|(whose, at)| self.firsts.put(whose, at));
        self.waiting.clear();
        self.coming.clear();
        self.outstanding.iter_mut().for_each(Outstanding::clear);
        self.timers = Wheel::new();
        self.overflow = overflow.carry(&origin, self.rules.len())?;
        self.arm_refused();
        self.key = key;
        self.keyed = Keyed::new(&key);
        for shard in &mut self.shards {
            *shard = Shard::new(self.keyed, (self.rules.len(), self.outstanding.len()), &self.limits);
        }
        self.origin = Some(Arc::new(origin));
        Ok(dropped)
    }

    /// Takes over the sources of a saved state. Gives the number that each has now.
    fn take_sources(
        &mut self,
        saved: Vec<SourceState>,
        (watermark, hurried): (Nanos, Nanos),
    ) -> Vec<SourceId> {
        let mut all = std::mem::take(&mut self.sources.all);
        let mut known: Vec<bool> = vec![false; all.len()];
        let mut numbers = Vec::with_capacity(saved.len());
        for source in saved {
            let same = |(now, known): (&SourceState, &bool)| !known && now.info.name == source.info.name;
            let at = all.iter().zip(&known).position(same);
            let at = match at.and_then(|at| Some((at, all.get_mut(at)?, known.get_mut(at)?))) {
                Some((at, now, known)) => {
                    now.clock = source.clock;
                    now.idle = source.idle;
                    *known = true;
                    at
                }
                None => {
                    all.push(source);
                    known.push(true);
                    all.len() - 1
                }
            };
            numbers.push(SourceId(u32::try_from(at).unwrap_or(u32::MAX)));
        }
        self.sources = Sources { all, watermark, hurried };
        numbers
    }

    /// What a virtual shard remembers, and what waits in it.
    #[must_use]
    pub fn save(&self, shard: usize) -> Vec<u8> {
        let mut w = Writer::default();
        if let Some(this) = self.shards.get(shard) {
            w.list(this.told.iter(), |w, (key, at)| {
                w.u32(key.rule);
                w.u32(key.step);
                w.out.extend_from_slice(&key.request);
                w.maybe(key.stage, |w, stage| w.u8(stage_number(stage)));
                w.i64(at);
            });
            w.list(this.told.lost().iter(), |w, (rule, until)| {
                w.u32(*rule);
                w.i64(*until);
            });
            w.list(this.groups.sorted().into_iter(), |w, (key, group)| {
                save_key(key, w);
                w.framed(|w| save_group(group, w));
            });
            w.list(this.groups.left().into_iter(), |w, (key, left)| {
                save_key(key, w);
                w.u64(left.suppressed);
                w.maybe(left.began, Writer::i64);
            });
            w.list(this.groups.without_room().iter(), |w, until| w.i64(*until));
        }
        let mut waiting: Vec<&Pending> = self.waiting.iter().filter(|p| p.group.shard() == shard).collect();
        waiting.sort_unstable();
        w.list(waiting.into_iter(), save_pending);
        self.save_requests(shard, &mut w);
        let mut payload = w.metas();
        payload.extend_from_slice(&w.out);
        self.seal(u32::try_from(shard).unwrap_or(HEAD), &payload)
    }

    /// Takes over a virtual shard, after the head that it was saved with.
    ///
    /// # Errors
    /// If the bytes are not that shard of the state whose head was loaded.
    pub fn load(&mut self, shard: usize, bytes: &[u8]) -> Result<()> {
        let Part { number, rules, moment, key, payload } = open_only(bytes)?;
        let origin = self.origin.clone().unwrap_or_else(|| Arc::new(self.origin_of_its_own()));
        if usize::try_from(number) != Ok(shard) {
            return Err(LoadError::WrongShard);
        }
        if key != self.key {
            return Err(LoadError::OtherKey);
        }
        if (rules, moment) != (origin.rules, origin.moment) {
            return Err(LoadError::Torn);
        }
        let mut r = Reader::new(payload);
        r.metas(|then| origin.source(then))?;
        let told = r.list(|r| {
            let (rule, step, request) = (r.u32()?, r.u32()?, r.array()?);
            let stage = r.maybe(|r| stage_of(r.u8()?))?;
            let (carried, at) = (origin.rule(rule)?, r.i64()?);
            Ok(carried.map(|carried| (ToldKey { rule: carried.rule, step, request, stage }, at)))
        })?;
        let lost = r.list(|r| {
            let (rule, until) = (r.u32()?, r.i64()?);
            Ok(origin.rule(rule)?.map(|carried| (carried.rule, until)))
        })?;
        let groups = r.list(|r| {
            let (rule, id) = load_key(r)?;
            let mut framed = r.framed()?;
            let Some(carried) = origin.rule(rule)? else { return Ok(None) };
            let group = self.load_group(&origin, carried, &mut framed)?;
            framed.end()?;
            Ok(Some(((carried.rule, id), group)))
        })?;
        let left = r.list(|r| {
            let (rule, id) = load_key(r)?;
            let left = Left { suppressed: r.u64()?, began: r.maybe(Reader::i64)? };
            Ok(origin.rule(rule)?.map(|carried| ((carried.rule, id), left)))
        })?;
        let without_room = r.list(Reader::i64)?;
        let waiting = r.list(|r| self.load_pending(&origin, r))?;
        let requests = self.load_requests(&origin, shard, &mut r)?;
        r.end()?;

        let keyed = self.keyed;
        let mut fresh = Shard::new(keyed, (self.rules.len(), self.outstanding.len()), &self.limits);
        let mut known: Vec<GroupKey> = Vec::new();
        for (key, at) in told.into_iter().flatten() {
            let spec = self.rules.get(key.rule as usize).ok_or(LoadError::Corrupt)?;
            if key.shard(keyed, &spec.id) != shard {
                return Err(LoadError::Corrupt);
            }
            fresh.told.insert(key, at, spec.memory);
        }
        for (rule, until) in lost.into_iter().flatten().filter(|_| !crate::planted::planted(90)) {
            fresh.told.lose(rule, until);
        }
        for (key, group) in groups.into_iter().flatten() {
            known.push(key);
            fresh.groups.restore(key, group);
        }
        for (key, left) in left.into_iter().flatten() {
            fresh.groups.leave(key, left);
        }
        for (rule, until) in (0..).zip(without_room) {
            if let Some(carried) = origin.rule(rule)? {
                fresh.groups.restore_without_room(carried.rule, until);
            }
        }
        fresh.requests = requests.tables;
        let waiting: Vec<Pending> = waiting.into_iter().flatten().collect();
        let fits = known.iter().all(|key| key.1.shard() == shard)
            && waiting.iter().all(|pending| pending.group.shard() == shard);
        match self.shards.get_mut(shard) {
            Some(place) if fits => *place = fresh,
            _ => return Err(LoadError::Corrupt),
        }
        waiting.into_iter().for_each(|pending| self.waiting.push(pending));
        requests.coming.into_iter().for_each(|held| self.coming.push(held));
        self.resume_requests(shard);
        if !crate::planted::planted(46) {
            known.into_iter().for_each(|key| self.arm(key));
        }
        self.begin_fresh(&origin, shard);
        Ok(())
    }

    /// What new rules wait for begins now where the first event is long past: at the watermark.
    fn begin_fresh(&mut self, origin: &Origin, shard: usize) {
        let at = self.sources.watermark;
        if origin.fresh.is_empty() {
            return;
        }
        let passed = self.firsts.earliest.iter().filter(|(_, earliest)| earliest.is_none());
        let passed: Vec<_> = passed.map(|(whose, _)| whose.clone()).collect();
        for first in &passed {
            for rule in &origin.fresh {
                self.begin_rule(*rule, first, at, Some(shard));
            }
        }
    }

    fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::new(&self.plan))
    }

    /// For shards that this very state has saved.
    fn origin_of_its_own(&self) -> Origin {
        let table = self.table();
        Origin::new(table, table, &self.plan, self.moment_of_run(), Vec::new()).0
    }

    /// How far the run has come: head and shards that are saved together have it in common, and others do not.
    fn moment_of_run(&self) -> [u8; 16] {
        let mut w = Writer::default();
        let RunTally { read, bytes, late, .. } = self.tally;
        [read, bytes, late].into_iter().for_each(|n| w.u64(n));
        w.i64(self.sources.watermark);
        w.maybe(self.highest, Writer::i64);
        for source in &self.sources.all {
            w.maybe(source.idle, Writer::i64);
            w.truth(source.ended);
            w.list(source.clock.witnesses().iter(), |w, t| w.i64(*t));
        }
        let mut fields = Fields::tagged("moment");
        fields.part(Some(&w.out));
        fields.identity()
    }

    fn seal(&self, number: u32, payload: &[u8]) -> Vec<u8> {
        let (rules, moment) = (self.table().hash, self.moment_of_run());
        seal(&Part { number, rules, moment, key: self.key, payload })
    }

    fn load_group(&self, origin: &Origin, carried: &Carried, r: &mut Reader<'_>) -> Result<Group> {
        let spec = self.rules.get(carried.rule as usize).ok_or(LoadError::Corrupt)?;
        let (newest, last_told) = (r.i64()?, r.maybe(Reader::i64)?);
        let (suppressed, shared, unsure) = (r.u64()?, r.truth()?, r.i64()?);
        let window = match &spec.shape {
            ShapeSpec::Each => Window::None,
            ShapeSpec::Sliding(sliding) => {
                let mut window = Sliding::new(sliding);
                window.dropped = r.maybe(Reader::i64)?;
                window.squeezed = r.maybe(Reader::i64)?;
                load_slices(&mut window.gone, Measure::Number, r)?;
                r.list(load_seen)?.into_iter().for_each(|seen| window.push(seen));
                for (counter, spec) in window.counters.iter_mut().zip(&sliding.aggregates) {
                    load_counter(counter, spec, r)?;
                }
                Window::Sliding(window)
            }
            ShapeSpec::Sequence(layout) => Window::Sequence(self.load_chain(origin, carried, layout, r)?),
            shape => load_window(shape, carried, r)?.ok_or(LoadError::Corrupt)?,
        };
        Ok(Group { window, last_told, suppressed, newest, shared, unsure, due: None, idle: None, spare: 0 })
    }

    /// A match that waits; nothing if its rule is not carried over.
    pub(super) fn load_pending(&self, origin: &Origin, r: &mut Reader<'_>) -> Result<Option<Pending>> {
        let (effective, meta) = (r.i64()?, r.meta()?);
        let mut m = Match {
            rule: r.u32()?,
            step: r.u32()?,
            event: r.u32()?,
            meta,
            key: r.list(Reader::value)?,
            captures: r.list(Reader::value)?,
            counted: r.list(Reader::counted)?,
            dry_run_unknown: r.truth()?,
        };
        let Some(carried) = origin.rule(m.rule)? else { return Ok(None) };
        m.rule = carried.rule;
        m.captures = carried.captures(m.step, m.captures)?;
        let spec = self.rules.get(m.rule as usize).ok_or(LoadError::Corrupt)?;
        let stratum = spec.stratum;
        let group = group(&self.key, &m, &spec.id, spec.across_clusters);
        Ok(Some(Pending { order: Order::of(&m.meta, effective), stratum, group, m: Box::new(m) }))
    }
}

/// Counts of a run that goes on: those of rules that begin anew begin anew.
fn carry_tally(mut tally: RunTally, origin: &Origin, rules: usize) -> Result<RunTally> {
    let saved = std::mem::take(&mut tally.rules);
    let mut now = RunTally { rules: vec![RuleCounts::default(); rules], ..tally };
    for (number, counts) in (0..).zip(&saved) {
        if let Some(carried) = origin.rule(number)? {
            *now.rule(carried.rule) = *counts;
        }
    }
    for found in now.undecodable.values_mut() {
        found.source = origin.source(found.source);
    }
    Ok(now)
}

fn save_key(key: GroupKey, w: &mut Writer) {
    w.u32(key.0);
    w.out.extend_from_slice(&key.1.0);
}

fn load_key(r: &mut Reader<'_>) -> Result<GroupKey> {
    Ok((r.u32()?, GroupId(r.array()?)))
}

fn save_group(group: &Group, w: &mut Writer) {
    w.i64(group.newest);
    w.maybe(group.last_told, Writer::i64);
    w.u64(group.suppressed);
    w.truth(group.shared);
    w.i64(group.unsure);
    match &group.window {
        Window::None => {}
        Window::Sliding(window) => {
            w.maybe(window.dropped, Writer::i64);
            w.maybe(window.squeezed, Writer::i64);
            save_slices(&window.gone, w);
            w.list(window.ring.iter(), save_seen);
            window.counters.iter().for_each(|counter| save_counter(counter, w));
        }
        Window::Sequence(chain) => save_sequence::save(chain, w),
        other => save_window(other, w),
    }
}

pub(super) fn save_seen(w: &mut Writer, seen: &Seen) {
    w.i64(seen.effective);
    w.truth(seen.late);
    w.truth(seen.dry_run_unknown);
    w.meta(&seen.meta);
}

pub(super) fn load_seen(r: &mut Reader<'_>) -> Result<Seen> {
    Ok(Seen { effective: r.i64()?, late: r.truth()?, dry_run_unknown: r.truth()?, meta: r.meta()? })
}

pub(super) fn save_pending(w: &mut Writer, pending: &Pending) {
    let m = &pending.m;
    w.i64(pending.effective());
    w.meta(&m.meta);
    w.u32(m.rule);
    w.u32(m.step);
    w.u32(m.event);
    w.list(m.key.iter(), Writer::value);
    w.list(m.captures.iter(), Writer::value);
    w.list(m.counted.iter(), Writer::counted);
    w.truth(m.dry_run_unknown);
}

fn save_tally(tally: &RunTally, w: &mut Writer) {
    let RunTally { read, decoded, passed, bytes, duplicate_keys, mended, comments, late, .. } = *tally;
    [read, decoded, passed, bytes, duplicate_keys, mended, comments, late].into_iter().for_each(|n| w.u64(n));
    w.maybe(tally.span, |w, (from, to)| {
        w.i64(from);
        w.i64(to);
    });
    w.list(tally.undecodable.iter(), |w, (reason, found)| {
        w.u8(reason_number(*reason));
        w.u32(found.source.0);
        [found.count, found.offset, found.length].into_iter().for_each(|n| w.u64(n));
    });
    // What is pending is counted at the end only.
    w.list(tally.rules.iter(), |w, rule| {
        let RuleCounts { selected, unknown_decided, matched, key_unknown, .. } = *rule;
        let RuleCounts { left_out_late, duplicates, alerts, suppressed, .. } = *rule;
        [selected, unknown_decided, matched, key_unknown, left_out_late, duplicates, alerts, suppressed]
            .into_iter()
            .for_each(|n| w.u64(n));
    });
    let Shed {
        hurried,
        overtaken,
        requests,
        shared,
        refused,
        keys,
        window,
        searches,
        throttles,
        early,
        again,
        tuples,
    } = tally.shed;
    [hurried, overtaken, requests, shared, refused, keys, window, searches, throttles, early, again, tuples]
        .into_iter()
        .for_each(|n| w.u64(n));
}

fn load_tally(r: &mut Reader<'_>) -> Result<RunTally> {
    Ok(RunTally {
        read: r.u64()?,
        decoded: r.u64()?,
        passed: r.u64()?,
        bytes: r.u64()?,
        duplicate_keys: r.u64()?,
        mended: r.u64()?,
        comments: r.u64()?,
        late: r.u64()?,
        span: r.maybe(|r| Ok((r.i64()?, r.i64()?)))?,
        undecodable: r
            .list(|r| {
                let (reason, source) = (r.u8()?, SourceId(r.u32()?));
                let reason = REASONS.get(usize::from(reason)).ok_or(LoadError::Corrupt)?;
                let found = Undecoded { count: r.u64()?, source, offset: r.u64()?, length: r.u64()? };
                Ok((*reason, found))
            })?
            .into_iter()
            .collect(),
        rules: r.list(|r| {
            Ok(RuleCounts {
                selected: r.u64()?,
                unknown_decided: r.u64()?,
                matched: r.u64()?,
                key_unknown: r.u64()?,
                left_out_late: r.u64()?,
                duplicates: r.u64()?,
                alerts: r.u64()?,
                suppressed: r.u64()?,
                pending: 0,
            })
        })?,
        shed: Shed {
            hurried: r.u64()?,
            overtaken: r.u64()?,
            requests: r.u64()?,
            shared: r.u64()?,
            refused: r.u64()?,
            keys: r.u64()?,
            window: r.u64()?,
            searches: r.u64()?,
            throttles: r.u64()?,
            early: r.u64()?,
            again: r.u64()?,
            tuples: r.u64()?,
        },
    })
}

/// In the order of their numbers in a saved state; new ones go behind.
const REASONS: [Reason; 8] = [
    Reason::CutOff,
    Reason::NotJson,
    Reason::NotAnEvent,
    Reason::NoTime,
    Reason::BadEvent,
    Reason::TooLarge,
    Reason::TooDeep,
    Reason::GoogleCloudEntry,
];

fn reason_number(reason: Reason) -> u8 {
    match reason {
        Reason::CutOff => 0,
        Reason::NotJson => 1,
        Reason::NotAnEvent => 2,
        Reason::NoTime => 3,
        Reason::BadEvent => 4,
        Reason::TooLarge => 5,
        Reason::TooDeep => 6,
        Reason::GoogleCloudEntry => 7,
    }
}
