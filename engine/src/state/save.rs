//! Saving and loading, a head and one blob per virtual shard.
//!
//! The head has the sources with their clocks, the watermark and the counts; a shard has what it remembers and what
//! waits in it. Each blob says what it is, for which rules and which hash key, and ends in a checksum. A state that is
//! loaded goes on exactly as the one that was saved would have: the answer does not show where it was cut.
//!
//! Alerts that were not drained, and watches, are not saved. Blobs come from a disk, so loading never panics, whatever the
//! bytes; it leaves the state unusable for the rest of the run if it fails, and the caller starts anew.

use std::fmt;

use super::firsts::Firsts;
use super::groups::{Group, GroupKey, Left, Window};
use super::hash::{GroupId, Keyed, group};
use super::rules::{ShapeSpec, fingerprint};
use super::save_window::{load_counter, load_window, save_counter, save_window};
use super::tally::{RuleCounts, Shed, Undecoded};
use super::told::ToldKey;
use super::wire::{Reader, Result, Writer, stage_number, stage_of};
use super::{Pending, RunTally, Shard, State, save_sequence};
use crate::matches::{Match, Reason, SourceId, SourceInfo};
use crate::time::{Clock, Order, SourceState, Sources, Wheel};
use crate::window::Seen;
use crate::window::sliding::Sliding;
use std::cmp::Reverse;

const MAGIC: &[u8; 8] = b"adrstate";
const VERSION: u32 = 2;
const CHECKSUM_BYTES: usize = 16;
/// What stands where a shard's number is, in the head.
const HEAD: u32 = u32::MAX;

/// Why a saved state was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// It is no saved state.
    NotAState,
    /// It was saved by a version that this one does not read.
    Version(u32),
    /// Its checksum does not hold, or its contents contradict themselves.
    Corrupt,
    /// The rules are not those that it was saved under.
    OtherRules,
    /// Its hash key is not that of the head that was loaded.
    OtherKey,
    /// It is another shard, or a head where a shard is expected.
    WrongShard,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAState => f.write_str("this is no saved state"),
            Self::Version(version) => {
                write!(f, "saved by another version (format {version}, this one reads {VERSION})")
            }
            Self::Corrupt => f.write_str("the saved state is damaged"),
            Self::OtherRules => f.write_str("the state was saved under other rules"),
            Self::OtherKey => f.write_str("the shard does not belong to this head"),
            Self::WrongShard => f.write_str("the saved state is of another shard"),
        }
    }
}

impl std::error::Error for LoadError {}

impl State {
    /// Clocks, watermark and counts. Drain the alerts before saving.
    #[must_use]
    pub fn save_head(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.i64(self.sources.watermark);
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
        self.seal(HEAD, &w.out)
    }

    /// Takes over a head, on a state that has seen nothing; the shards come after it. Sources have the numbers that they
    /// had.
    ///
    /// # Errors
    /// If the bytes are no head that these rules can go on from.
    pub fn load_head(&mut self, bytes: &[u8]) -> Result<()> {
        let (key, payload) = self.unseal(HEAD, bytes)?;
        let mut r = Reader::new(payload);
        let (watermark, highest) = (r.i64()?, r.maybe(Reader::i64)?);
        let begun = r.list(|r| Ok((r.maybe(|r| r.maybe(Reader::text))?, r.maybe(Reader::i64)?)))?;
        let all = r.list(|r| {
            let info = SourceInfo { name: r.text()?, cluster: r.maybe(Reader::text)? };
            let (lateness, idle, ended) = (r.i64()?, r.maybe(Reader::i64)?, r.truth()?);
            let mut clock = Clock::new();
            r.list(Reader::i64)?.into_iter().for_each(|t| clock.observe(t));
            Ok(SourceState { info, clock, lateness, idle, ended })
        })?;
        let tally = load_tally(&mut r)?;
        r.end()?;
        if tally.rules.len() != self.rules.len() {
            return Err(LoadError::Corrupt);
        }
        self.sources = Sources { all, watermark };
        self.tally = tally;
        self.highest = highest;
        self.firsts = Firsts::new(self.limits.keys_per_rule_max);
        begun.into_iter().for_each(|(whose, at)| self.firsts.put(whose, at));
        self.waiting.clear();
        self.timers = Wheel::new();
        self.key = key;
        self.keyed = Keyed::new(&key);
        for shard in &mut self.shards {
            *shard = Shard::new(self.keyed, self.rules.len(), &self.limits);
        }
        Ok(())
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
            w.list(this.groups.sorted().into_iter(), |w, (key, group)| {
                save_key(key, w);
                save_group(group, w);
            });
            w.list(this.groups.left().into_iter(), |w, (key, left)| {
                save_key(key, w);
                w.u64(left.suppressed);
                w.maybe(left.began, Writer::i64);
            });
        }
        let mut waiting: Vec<&Pending> =
            self.waiting.iter().map(|Reverse(p)| p).filter(|p| p.group.shard() == shard).collect();
        waiting.sort_unstable();
        w.list(waiting.into_iter(), save_pending);
        let mut payload = w.metas();
        payload.extend_from_slice(&w.out);
        self.seal(u32::try_from(shard).unwrap_or(HEAD), &payload)
    }

    /// Takes over a virtual shard, after the head that it was saved with.
    ///
    /// # Errors
    /// If the bytes are not that shard of the state whose head was loaded.
    pub fn load(&mut self, shard: usize, bytes: &[u8]) -> Result<()> {
        let number = u32::try_from(shard).map_err(|_| LoadError::WrongShard)?;
        let (key, payload) = self.unseal(number, bytes)?;
        if key != self.key {
            return Err(LoadError::OtherKey);
        }
        let mut r = Reader::new(payload);
        r.metas()?;
        let told = r.list(|r| {
            let (rule, step, request) = (r.u32()?, r.u32()?, r.array()?);
            let stage = r.maybe(|r| stage_of(r.u8()?))?;
            Ok((ToldKey { rule, step, request, stage }, r.i64()?))
        })?;
        let groups = r.list(|r| {
            let key = load_key(r)?;
            Ok((key, self.load_group(key, r)?))
        })?;
        let left = r.list(|r| {
            let key = load_key(r)?;
            Ok((key, Left { suppressed: r.u64()?, began: r.maybe(Reader::i64)? }))
        })?;
        let waiting = r.list(|r| self.load_pending(r))?;
        r.end()?;

        let keyed = self.keyed;
        let fits = told.iter().all(|(key, _)| key.shard(keyed) == shard)
            && groups.iter().all(|(key, _)| key.1.shard() == shard)
            && waiting.iter().all(|p| p.group.shard() == shard);
        let mut fresh = Shard::new(keyed, self.rules.len(), &self.limits);
        for (key, at) in told {
            let spec = self.rules.get(key.rule as usize).ok_or(LoadError::Corrupt)?;
            fresh.told.insert(key, at, spec.memory);
        }
        let known: Vec<GroupKey> = groups.iter().map(|(key, _)| *key).collect();
        for (key, group) in groups {
            fresh.groups.restore(key, group);
        }
        for (key, left) in left {
            fresh.groups.leave(key, left);
        }
        match self.shards.get_mut(shard) {
            Some(place) if fits => *place = fresh,
            _ => return Err(LoadError::Corrupt),
        }
        self.waiting.extend(waiting.into_iter().map(Reverse));
        if !crate::planted::planted(46) {
            known.into_iter().for_each(|key| self.arm(key));
        }
        Ok(())
    }

    fn fingerprint(&self) -> &[u8; 16] {
        self.fingerprint.get_or_init(|| fingerprint(&self.plan))
    }

    fn seal(&self, shard: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(payload.len() + 96);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&shard.to_le_bytes());
        out.extend_from_slice(self.fingerprint());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(payload);
        let sum = blake3::hash(&out);
        out.extend_from_slice(&sum.as_bytes()[..CHECKSUM_BYTES]);
        out
    }

    /// The hash key and the contents of a blob.
    fn unseal<'a>(&self, shard: u32, bytes: &'a [u8]) -> Result<([u8; 32], &'a [u8])> {
        let body = bytes.strip_prefix(MAGIC).ok_or(LoadError::NotAState)?;
        let mut r = Reader::new(body);
        let version = r.u32()?;
        if version != VERSION {
            return Err(LoadError::Version(version));
        }
        let until = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(LoadError::Corrupt)?;
        let (sealed, sum) = bytes.split_at(until);
        if blake3::hash(sealed).as_bytes()[..CHECKSUM_BYTES] != *sum {
            return Err(LoadError::Corrupt);
        }
        let number = r.u32()?;
        let rules: [u8; 16] = r.array()?;
        let key: [u8; 32] = r.array()?;
        if rules != *self.fingerprint() {
            return Err(LoadError::OtherRules);
        }
        if number != shard {
            return Err(LoadError::WrongShard);
        }
        let from = MAGIC.len() + 4 + 4 + 16 + 32;
        sealed.get(from..).map(|payload| (key, payload)).ok_or(LoadError::Corrupt)
    }

    fn load_group(&self, key: GroupKey, r: &mut Reader<'_>) -> Result<Group> {
        let spec = self.rules.get(key.0 as usize).ok_or(LoadError::Corrupt)?;
        let (newest, last_told) = (r.i64()?, r.maybe(Reader::i64)?);
        let (suppressed, shared) = (r.u64()?, r.truth()?);
        let window = match &spec.shape {
            ShapeSpec::Each => Window::None,
            ShapeSpec::Sliding(sliding) => {
                let mut window = Sliding::new(sliding);
                window.dropped = r.maybe(Reader::i64)?;
                r.list(load_seen)?.into_iter().for_each(|seen| window.push(seen));
                for (counter, spec) in window.counters.iter_mut().zip(&sliding.aggregates) {
                    load_counter(counter, spec, r)?;
                }
                Window::Sliding(window)
            }
            ShapeSpec::Sequence(layout) => Window::Sequence(self.load_chain(key.0, layout, r)?),
            shape => load_window(shape, r)?.ok_or(LoadError::Corrupt)?,
        };
        Ok(Group { window, last_told, suppressed, newest, shared, due: None, idle: None })
    }

    pub(super) fn load_pending(&self, r: &mut Reader<'_>) -> Result<Pending> {
        let (effective, meta) = (r.i64()?, r.meta()?);
        let m = Match {
            rule: r.u32()?,
            step: r.u32()?,
            event: r.u32()?,
            meta,
            key: r.list(Reader::value)?,
            captures: r.list(Reader::value)?,
            counted: r.list(Reader::counted)?,
            dry_run_unknown: r.truth()?,
        };
        self.check_step(m.rule, m.step, m.captures.len())?;
        let spec = self.rules.get(m.rule as usize).ok_or(LoadError::Corrupt)?;
        let stratum = spec.stratum;
        let group = group(&self.key, &m, spec.across_clusters);
        Ok(Pending { order: Order::of(&m.meta, effective), stratum, group, m: Box::new(m) })
    }

    pub(super) fn check_step(&self, rule: u32, step: u32, captured: usize) -> Result<()> {
        let step = self.plan.rules.get(rule as usize).and_then(|rule| rule.steps.get(step as usize));
        if step.is_some_and(|step| step.captured == captured) { Ok(()) } else { Err(LoadError::Corrupt) }
    }
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
    match &group.window {
        Window::None => {}
        Window::Sliding(window) => {
            w.maybe(window.dropped, Writer::i64);
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
    let RunTally { read, decoded, bytes, duplicate_keys, mended, comments, late, .. } = *tally;
    [read, decoded, bytes, duplicate_keys, mended, comments, late].into_iter().for_each(|n| w.u64(n));
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
    let Shed { hurried, requests, shared, refused, window, searches, throttles } = tally.shed;
    [hurried, requests, shared, refused, window, searches, throttles].into_iter().for_each(|n| w.u64(n));
}

fn load_tally(r: &mut Reader<'_>) -> Result<RunTally> {
    Ok(RunTally {
        read: r.u64()?,
        decoded: r.u64()?,
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
            requests: r.u64()?,
            shared: r.u64()?,
            refused: r.u64()?,
            window: r.u64()?,
            searches: r.u64()?,
            throttles: r.u64()?,
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
