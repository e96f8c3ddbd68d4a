//! What a rule says when there are more keys than it may remember: once for all of them.
//!
//! The windows that keys without room share are one to a shard, but a flood is one thing: what they tell is held back by a
//! throttle that a rule has once, not once a shard. A rule that must refuse keys counts what it refuses in windows of its
//! own length, aligned to the epoch and a minute at least, and tells at the end of each how much that was. How many different
//! keys there were is not known: to know it would be to remember them.
//!
//! A window of one key has a limit of its own. What a rule that is not monotone says past that may be wrong in both ways, so
//! how much went from such windows is told by the same alert.
//!
//! So is a request that may have been taken before and was forgotten, which counts twice then. Alerts of windows in which
//! there is one say that they are approximate; a rule that more events make less true may miss something by it.
//!
//! And so is a match that comes when its time was decided since more waited than may: it is dated up, so that it is missed where
//! it belongs. What is decided in such a hurry, and what such a match may be part of, is approximate.
//!
//! A few words per rule and window that is open, whatever comes.

use std::collections::BTreeMap;

use super::State;
use super::carry::Origin;
use super::groups::Throttle;
use super::hash::Fields;
use super::make::{Notes, Subject};
use super::timeline::Timer;
use super::wire::{Reader, Result, Writer};
use crate::alert::Alert;
use crate::matches::{Counted, Nanos};
use crate::plan::{Shape, WaitsFor};
use crate::planted::planted;

/// The shortest window over which refusals are told.
const WINDOW_MIN: Nanos = 60_000_000_000;

/// How many windows may be open at once.
const WINDOWS_MAX: usize = 1_024;

/// Of all rules, by their numbers.
#[derive(Clone, Debug)]
pub(super) struct Overflow(Vec<Over>);

#[derive(Clone, Debug, Default)]
struct Over {
    /// When an alert of what is shared was told last.
    last_told: Option<Nanos>,
    /// How many were held back since.
    suppressed: u64,
    /// When the last request was taken that may have been taken before.
    doubted: Option<Nanos>,
    /// Up to when the last match was dated up since its time had been decided in a hurry.
    overtaken: Option<Nanos>,
    /// By where their windows begin: what is not yet decided may be ahead of what is.
    refused: BTreeMap<Nanos, Refused>,
}

/// What was refused in one window.
#[derive(Clone, Copy, Debug)]
struct Refused {
    end: Nanos,
    count: u64,
    /// How many matches and values went from windows of keys that have one.
    gone: u64,
    /// How many requests may have been taken before.
    again: u64,
    /// How many matches came when their time had been decided in a hurry.
    overtaken: u64,
}

/// What a rule could not do exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    /// A match was refused.
    Refused,
    /// So many matches and values went from a window for want of room.
    Gone(u64),
    /// A request was taken that may have been taken before.
    Again,
    /// A match came when its time had been decided in a hurry.
    Overtaken,
}

impl Refused {
    fn message(&self) -> String {
        let were = |n: u64, one: &str, many: &str| match n {
            0 => String::new(),
            1 => format!("1 {one}"),
            n => format!("{n} {many}"),
        };
        let refused = were(self.count, "match was refused", "matches were refused");
        let gone = were(self.gone, "match or value was left out", "matches or values were left out");
        let again = were(self.again, "request may count twice", "requests may count twice");
        let overtaken = were(self.overtaken, "match came too late", "matches came too late");
        let texts = [
            (
                refused,
                "this rule remembers as many keys as it may, and these were of others. How many different ones is not known",
            ),
            (gone, "the windows of some keys hold as much as they may, and what they say may be wrong"),
            (
                again,
                "more are remembered than there is room for, so that which were taken before is not known",
            ),
            (
                overtaken,
                "more waited for their time than may, so that it was decided before all of it had come",
            ),
        ];
        let told = texts.into_iter().filter(|(what, _)| !what.is_empty());
        told.map(|(what, why)| format!("{what}: {why}")).collect::<Vec<_>>().join(". ")
    }
}

impl Overflow {
    pub(super) fn new(rules: usize) -> Self {
        // One behind them all for a number that is none, of which nothing is ever asked.
        Self(vec![Over::default(); rules + 1])
    }

    /// The throttle of all that keys without room share.
    pub(super) fn throttle(&mut self, rule: usize) -> Throttle<'_> {
        let at = rule.min(self.0.len() - 1);
        let Over { last_told, suppressed, .. } = &mut self.0[at];
        Throttle { last_told, suppressed }
    }

    /// At `at` a rule takes a request that it may have taken before and forgotten.
    pub(super) fn doubt(&mut self, rule: u32, at: Nanos) {
        if let Some(over) = self.0.get_mut(rule as usize) {
            over.doubted = over.doubted.max(Some(at));
        }
    }

    /// What a rule has is dated up to `at`, since its time was decided in a hurry.
    fn overtake(&mut self, rule: u32, at: Nanos) {
        if let Some(over) = self.0.get_mut(rule as usize) {
            over.overtaken = over.overtaken.max(Some(at));
        }
    }

    pub(super) fn save(&self, w: &mut Writer) {
        w.list(self.0.iter(), |w, over| {
            w.maybe(over.last_told, Writer::i64);
            w.u64(over.suppressed);
            w.maybe(over.doubted, Writer::i64);
            w.maybe(over.overtaken, Writer::i64);
            w.list(over.refused.iter(), |w, (start, refused)| {
                w.i64(*start);
                w.i64(refused.end);
                w.u64(refused.count);
                w.u64(refused.gone);
                w.u64(refused.again);
                w.u64(refused.overtaken);
            });
        });
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self> {
        let all = r.list(|r| {
            Ok(Over {
                last_told: r.maybe(Reader::i64)?,
                suppressed: r.u64()?,
                doubted: r.maybe(Reader::i64)?,
                overtaken: r.maybe(Reader::i64)?,
                refused: r.list(|r| Ok((r.i64()?, load_refused(r)?)))?.into_iter().collect(),
            })
        })?;
        Ok(Self(all))
    }

    /// What of it is of the rules there are now.
    pub(super) fn carry(self, origin: &Origin, rules: usize) -> Result<Self> {
        let rules_then = self.0.len().saturating_sub(1);
        let mut now = Self::new(rules);
        for (number, over) in (0..).zip(self.0.into_iter().take(rules_then)) {
            let place = origin.rule(number)?.and_then(|carried| now.0.get_mut(carried.rule as usize));
            if let Some(place) = place {
                *place = over;
            }
        }
        Ok(now)
    }

    /// Whether it is of so many rules.
    pub(super) fn fits(&self, rules: usize) -> bool {
        self.0.len() == rules + 1
    }
}

fn load_refused(r: &mut Reader<'_>) -> Result<Refused> {
    Ok(Refused { end: r.i64()?, count: r.u64()?, gone: r.u64()?, again: r.u64()?, overtaken: r.u64()? })
}

/// In which window what falls into the one from `start` on is counted: where so many are open that it cannot be opened too, in the
/// next one, or in the last. Events of as many minutes of which none has passed: somebody makes up times.
fn counted_in(open: &BTreeMap<Nanos, Refused>, start: Nanos) -> Nanos {
    if open.len() < WINDOWS_MAX || open.contains_key(&start) {
        return start;
    }
    let next = open.range(start..).next().or_else(|| open.last_key_value());
    next.map_or(start, |(start, _)| *start)
}

impl State {
    /// A match at `at` has a key for which its rule has no room.
    pub(super) fn refuse(&mut self, rule: u32, at: Nanos) {
        self.tally.shed.refused += 1;
        self.fall_short(rule, at, Short::Refused);
    }

    /// So much went at `at` from a window of a key that has one. Of a rule that more events only make truer it does not make
    /// a difference to the safe side; of any other nobody would know.
    pub(super) fn let_go(&mut self, rule: u32, at: Nanos, gone: u64) {
        self.tally.shed.window += gone;
        self.tell_gone(rule, at, gone);
    }

    fn tell_gone(&mut self, rule: u32, at: Nanos, gone: u64) {
        let monotone = self.rules.get(rule as usize).is_some_and(|spec| spec.monotone);
        if gone > 0 && !monotone && !planted(73) {
            self.fall_short(rule, at, Short::Gone(gone));
        }
    }

    /// A match at `at` brought so many more tuples than are told apart. They are counted as if all were different, so this
    /// too matters to a rule alone that more events do not only make truer.
    pub(super) fn cut_tuples(&mut self, rule: u32, at: Nanos, counted: &[Counted]) {
        let cut = counted.iter().fold(0, |sum: u64, counted| sum.saturating_add(counted.cut()));
        self.tally.shed.tuples = self.tally.shed.tuples.saturating_add(cut);
        self.tell_gone(rule, at, cut);
    }

    /// At `at` a rule with a window took a request that it may have taken before and forgotten. `misses`: by that it may also
    /// miss something.
    pub(super) fn doubt(&mut self, rule: u32, at: Nanos, misses: bool) {
        self.overflow.doubt(rule, at);
        self.count_doubt(rule, at, misses);
    }

    /// Counts such a request, and tells of it where something may be missed.
    pub(super) fn count_doubt(&mut self, rule: u32, at: Nanos, misses: bool) {
        self.tally.shed.again += 1;
        if misses && !planted(89) {
            self.fall_short(rule, at, Short::Again);
        }
    }

    /// Whether a rule took such a request at `from` or later.
    pub(super) fn doubted(&self, rule: u32, from: Nanos) -> bool {
        let doubted = self.overflow.0.get(rule as usize).and_then(|over| over.doubted);
        doubted >= Some(from) && !planted(88)
    }

    /// A match of a rule that waits for its time, and comes at `own`, is dated up to `at`: if that is since the time was
    /// decided in a hurry the rule says so, for by that it may miss something.
    pub(super) fn overtaken(&mut self, rule: u32, own: Nanos, at: Nanos) {
        // Asked of every match that comes, and hardly ever so.
        if !self.sources.overtook(own, at) || !self.rules.get(rule as usize).is_some_and(|spec| spec.waits) {
            return;
        }
        self.tally.shed.overtaken += 1;
        if !planted(92) {
            self.overflow.overtake(rule, at);
            self.fall_short(rule, at, Short::Overtaken);
        }
    }

    /// Whether an alert of a rule, with a window from `from` on, may lack something that comes too late, or came so.
    pub(super) fn in_a_hurry(&self, rule: u32, from: Nanos) -> bool {
        let Some(spec) = self.rules.get(rule as usize) else { return false };
        let overtaken = self.overflow.0.get(rule as usize).and_then(|over| over.overtaken);
        let reached = overtaken >= Some(from.saturating_sub(spec.throttle));
        spec.waits && (self.hurrying || reached) && !planted(91)
    }

    fn fall_short(&mut self, rule: u32, at: Nanos, short: Short) {
        let Some(spec) = self.rules.get(rule as usize) else { return };
        let (length, stratum) = (spec.window.max(WINDOW_MIN), spec.stratum);
        let Some(over) = self.overflow.0.get_mut(rule as usize) else { return };
        let start = at.div_euclid(length).saturating_mul(length);
        let start = counted_in(&over.refused, start);
        let open = over.refused.entry(start).or_insert_with(|| {
            let end = start.saturating_add(length);
            self.timers.arm(end, Timer::refused(stratum, rule));
            Refused { end, count: 0, gone: 0, again: 0, overtaken: 0 }
        });
        match short {
            Short::Refused => open.count += 1,
            Short::Gone(gone) => open.gone = open.gone.saturating_add(gone),
            Short::Again => open.again += 1,
            Short::Overtaken => open.overtaken += 1,
        }
    }

    /// An event at `at`, which may be ahead of what is decided, has a cluster of which it cannot be remembered that it was
    /// there.
    pub(super) fn refuse_cluster(&mut self, at: Nanos) {
        let at = if planted(82) { at.min(self.sources.watermark) } else { at };
        let plan = self.plan.clone();
        for (number, rule) in (0..).zip(&plan.rules) {
            if matches!(rule.shape, Shape::Silent { waits_for: WaitsFor::EachCluster, .. }) {
                self.refuse(number, at);
            }
        }
    }

    /// Sets the timers for what was loaded.
    pub(super) fn arm_refused(&mut self) {
        for (number, (over, spec)) in (0..).zip(self.overflow.0.iter().zip(&self.rules)) {
            for refused in over.refused.values() {
                self.timers.arm(refused.end, Timer::refused(spec.stratum, number));
            }
        }
    }

    /// Tells what a rule refused in a window that is over at `at`; `cut`: since the input is.
    pub(super) fn tell_refused(&mut self, at: Nanos, rule: u32, cut: bool) {
        loop {
            let Some(over) = self.overflow.0.get_mut(rule as usize) else { return };
            let Some(first) = over.refused.first_entry().filter(|first| cut || first.get().end <= at) else {
                return;
            };
            let (start, refused) = first.remove_entry();
            if !planted(71) {
                self.tell_window(at, rule, (start, refused), cut);
            }
        }
    }

    fn tell_window(&mut self, at: Nanos, rule: u32, (start, refused): (Nanos, Refused), cut: bool) {
        let plan = self.plan.clone();
        let (Some(of), Some(spec)) = (plan.rules.get(rule as usize), self.rules.get(rule as usize)) else {
            return;
        };
        let face = spec.face.clone();
        let notes = Notes {
            refused: refused.count > 0,
            cut: refused.gone > 0,
            again: refused.again > 0,
            hurried: refused.overtaken > 0,
            ended: cut,
            ..Notes::default()
        };
        let counts = [refused.count, refused.gone, refused.again, refused.overtaken];
        let mut id = Fields::tagged("refused");
        id.part(Some(face.name.as_bytes()));
        id.part(Some(&start.to_le_bytes()));
        let alert = Alert {
            id: id.identity(),
            message: refused.message(),
            rule: face,
            time: refused.end,
            cluster: None,
            window: Some((start, refused.end)),
            key: Vec::new(),
            count: counts.into_iter().fold(0, u64::saturating_add),
            values: Vec::new(),
            completing: None,
            events: Vec::new(),
            suppressed: 0,
            approximate: true,
            notes: notes.texts(),
            probes: Vec::new(),
        };
        self.tally.rule(rule).alerts += 1;
        let subject = Subject { rule, step: 0, key: &[], cluster: None, completing: None, captures: &[] };
        self.tell(of, &alert, &subject, at, notes);
        self.alerts.push(alert);
    }
}

#[cfg(test)]
mod tests;
