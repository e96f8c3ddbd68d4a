//! What a rule says when there are more keys than it may remember: once for all of them.
//!
//! The windows that keys without room share are one to a shard, but a flood is one thing: what they tell is held back by a
//! throttle that a rule has once, not once a shard. A rule that must refuse keys counts what it refuses in windows of its
//! own length, aligned to the epoch and a minute at least, and tells at the end of each how much that was. How many different
//! keys there were is not known: to know it would be to remember them.
//!
//! A few words per rule, whatever comes.

use super::State;
use super::carry::Origin;
use super::groups::Throttle;
use super::hash::Fields;
use super::make::{Notes, Subject};
use super::timeline::Timer;
use super::wire::{Reader, Result, Writer};
use crate::alert::Alert;
use crate::matches::Nanos;
use crate::plan::{Shape, WaitsFor};

/// The shortest window over which refusals are told.
const WINDOW_MIN: Nanos = 60_000_000_000;

/// Of all rules, by their numbers.
#[derive(Clone, Debug)]
pub(super) struct Overflow(Vec<Over>);

#[derive(Clone, Copy, Debug, Default)]
struct Over {
    /// When an alert of what is shared was told last.
    last_told: Option<Nanos>,
    /// How many were held back since.
    suppressed: u64,
    refused: Option<Refused>,
}

/// What was refused in one window.
#[derive(Clone, Copy, Debug)]
struct Refused {
    start: Nanos,
    end: Nanos,
    count: u64,
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

    pub(super) fn save(&self, w: &mut Writer) {
        w.list(self.0.iter(), |w, over| {
            w.maybe(over.last_told, Writer::i64);
            w.u64(over.suppressed);
            w.maybe(over.refused, |w, refused| {
                w.i64(refused.start);
                w.i64(refused.end);
                w.u64(refused.count);
            });
        });
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self> {
        let all = r.list(|r| {
            Ok(Over {
                last_told: r.maybe(Reader::i64)?,
                suppressed: r.u64()?,
                refused: r.maybe(|r| Ok(Refused { start: r.i64()?, end: r.i64()?, count: r.u64()? }))?,
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

impl State {
    /// A match at `at` has a key for which its rule has no room.
    pub(super) fn refuse(&mut self, rule: u32, at: Nanos) {
        self.tally.shed.refused += 1;
        let Some(spec) = self.rules.get(rule as usize) else { return };
        let (length, stratum) = (spec.window.max(WINDOW_MIN), spec.stratum);
        let open = |over: &Overflow| over.0.get(rule as usize).and_then(|over| over.refused);
        if open(&self.overflow).is_some_and(|open| open.end <= at) {
            // Its timer is of this very time.
            self.tell_refused(at, rule, false);
        }
        let Some(over) = self.overflow.0.get_mut(rule as usize) else { return };
        let open = over.refused.get_or_insert_with(|| {
            let start = at.div_euclid(length).saturating_mul(length);
            let end = start.saturating_add(length);
            self.timers.arm(end, Timer::refused(stratum, rule));
            Refused { start, end, count: 0 }
        });
        open.count += 1;
    }

    /// An event has a cluster of which it cannot be remembered that it was there.
    pub(super) fn refuse_cluster(&mut self, at: Nanos) {
        // Of what is still to come nothing may be told yet, and time may not have begun.
        let at = if self.sources.watermark == Nanos::MIN { at } else { at.min(self.sources.watermark) };
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
            if let Some(refused) = over.refused {
                self.timers.arm(refused.end, Timer::refused(spec.stratum, number));
            }
        }
    }

    /// Tells what a rule refused in a window that is over at `at`; `cut`: since the input is.
    pub(super) fn tell_refused(&mut self, at: Nanos, rule: u32, cut: bool) {
        let Some(over) = self.overflow.0.get_mut(rule as usize) else { return };
        let Some(refused) = over.refused.take_if(|refused| cut || refused.end <= at) else { return };
        let plan = self.plan.clone();
        let (Some(of), Some(spec)) = (plan.rules.get(rule as usize), self.rules.get(rule as usize)) else {
            return;
        };
        let face = spec.face.clone();
        let notes = Notes { refused: true, ended: cut, ..Notes::default() };
        let mut id = Fields::tagged("refused");
        id.part(Some(face.name.as_bytes()));
        id.part(Some(&refused.start.to_le_bytes()));
        let (matches, were) = if refused.count == 1 { ("match", "was") } else { ("matches", "were") };
        let alert = Alert {
            id: id.identity(),
            message: format!(
                "{} {matches} {were} refused: this rule remembers as many keys as it may, and these were of others. How many different ones is not known",
                refused.count
            ),
            rule: face,
            time: refused.end,
            cluster: None,
            window: Some((refused.start, refused.end)),
            key: Vec::new(),
            count: refused.count,
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
