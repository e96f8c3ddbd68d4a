//! A window of one key that is judged when it closes: a stretch of the clock, or a session.
//!
//! Only what is measured is kept, with the first and the last few events for the alert: memory does not grow with how many
//! match, save for distinct values and percentiles, which have limits. It knows when it is over and is asked by a timer.

use std::collections::VecDeque;
use std::sync::Arc;

use super::aggregate::{Gauge, Spec};
use super::{Owner, Seen, Shortfall, weight};
use crate::limits::EVIDENCE_EDGE;
use crate::matches::{Counted, EventMeta, Nanos, Value};
use crate::plan::Aggregate;
use crate::planted::planted;

/// What a rule's windows are like; the same for all its keys.
#[derive(Clone, Debug)]
pub(crate) struct ClosingSpec {
    pub(crate) reach: Reach,
    pub(crate) aggregates: Vec<Spec>,
}

/// From where to where a window goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Stretches of that length since the Unix epoch.
    Tumbling(Nanos),
    /// Until `gap` after its last match, at most `within` from its first.
    Session { gap: Nanos, within: Nanos },
}

impl ClosingSpec {
    pub(crate) fn new(reach: Reach, aggregates: &[Aggregate], matches_per_key_max: usize) -> Self {
        let aggregates = aggregates.iter().map(|of| Spec::new(of, matches_per_key_max)).collect();
        Self { reach, aggregates }
    }
}

/// An open window.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    /// Where it began: of a session its first match.
    pub(crate) start: Nanos,
    /// When it is judged, as things stand.
    pub(crate) end: Nanos,
    pub(crate) count: u64,
    pub(crate) first: Vec<Seen>,
    pub(crate) last: VecDeque<Seen>,
    /// What they take.
    bytes: u64,
    /// One of its matches came late.
    pub(crate) late: bool,
    /// One of its matches may have been a dry run.
    pub(crate) dry_run_unknown: bool,
    /// One of its matches is an alert that is approximate.
    pub(crate) approximate: bool,
    /// There was no room for all that an alert shows.
    pub(crate) few_shown: bool,
    pub(crate) gauges: Vec<Gauge>,
    /// Of its last match.
    pub(crate) owner: Owner,
}

impl Closing {
    /// A window that a match at `at` opens.
    pub(crate) fn new(spec: &ClosingSpec, at: Nanos) -> Self {
        let (start, end) = match spec.reach {
            Reach::Tumbling(length) => {
                let start = at.div_euclid(length.max(1)).saturating_mul(length);
                let start = if planted(27) { at } else { start };
                (start, start.saturating_add(length))
            }
            Reach::Session { gap, .. } => (at, at.saturating_add(gap)),
        };
        Self {
            start,
            end,
            count: 0,
            first: Vec::new(),
            last: VecDeque::new(),
            bytes: 0,
            late: false,
            dry_run_unknown: false,
            approximate: false,
            few_shown: false,
            gauges: spec.aggregates.iter().map(Gauge::new).collect(),
            owner: Owner::default(),
        }
    }

    /// Whether a match at `at` is of this window.
    pub(crate) fn takes(&self, spec: &ClosingSpec, at: Nanos) -> bool {
        match spec.reach {
            Reach::Tumbling(_) if planted(26) => at <= self.end,
            Reach::Tumbling(_) => at < self.end,
            Reach::Session { .. } if planted(28) => at < self.end,
            Reach::Session { .. } => at <= self.end,
        }
    }

    /// A match enters. Gives for how much there was no room.
    pub(crate) fn enter(&mut self, spec: &ClosingSpec, seen: Seen, owner: Owner, counted: &[Counted]) -> u64 {
        if let Reach::Session { gap, within } = spec.reach {
            let from = if planted(30) { self.start } else { seen.effective };
            let most = if planted(29) { Nanos::MAX } else { self.start.saturating_add(within) };
            self.end = from.saturating_add(gap).min(most);
        }
        self.count += 1;
        self.late |= seen.late;
        self.dry_run_unknown |= seen.dry_run_unknown;
        self.approximate |= seen.meta.approximate();
        self.owner = owner;
        self.bytes = self.bytes.saturating_add(weight::seen(&seen));
        if self.last.is_empty() && self.first.len() < EVIDENCE_EDGE {
            self.first.push(seen);
        } else {
            self.last.push_back(seen);
            let gone = if self.last.len() > EVIDENCE_EDGE { self.last.pop_front() } else { None };
            self.shows_no_more(gone);
        }
        let gauges = self.gauges.iter_mut().zip(&spec.aggregates).zip(counted);
        gauges.map(|((gauge, spec), counted)| gauge.enter(spec, counted)).sum()
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        let gauges: u64 = self.gauges.iter().map(Gauge::spare).sum();
        gauges.saturating_add(self.spare_shown()).saturating_add(self.owner.spare())
    }

    fn spare_shown(&self) -> u64 {
        self.newest().map_or(0, |newest| self.bytes.saturating_sub(weight::seen(newest)))
    }

    /// Lets go of something for want of room, of what takes most. Gives how much of it is missed.
    pub(crate) fn squeeze(&mut self, spec: &ClosingSpec) -> u64 {
        let (shown, later) = (self.spare_shown(), self.owner.spare());
        let gauges = self.gauges.iter_mut().zip(&spec.aggregates).rev();
        let most = gauges.max_by_key(|(gauge, _)| gauge.spare());
        match most.filter(|(gauge, _)| gauge.spare() > shown.max(later)) {
            Some((gauge, spec)) => gauge.squeeze(spec),
            None if later > shown => self.owner.squeeze(),
            None => {
                self.show_less();
                0
            }
        }
    }

    /// An alert will show one event less: from the middle, and never the last.
    fn show_less(&mut self) {
        self.few_shown = true;
        if self.last.is_empty()
            && let Some(newest) = self.first.pop()
        {
            self.last.push_back(newest);
        }
        let gone = if self.last.len() > 1 { self.last.pop_front() } else { self.first.pop() };
        self.shows_no_more(gone);
    }

    fn shows_no_more(&mut self, gone: Option<Seen>) {
        self.bytes = self.bytes.saturating_sub(gone.as_ref().map_or(0, weight::seen));
    }

    /// Puts back what an alert would show.
    pub(crate) fn restore(&mut self, first: Vec<Seen>, last: VecDeque<Seen>) {
        self.bytes = first.iter().chain(&last).map(weight::seen).fold(0, u64::saturating_add);
        (self.first, self.last) = (first, last);
    }

    /// The value of each aggregate.
    pub(crate) fn values(&self, spec: &ClosingSpec) -> Vec<Value> {
        self.gauges.iter().zip(&spec.aggregates).map(|(gauge, spec)| gauge.get(spec)).collect()
    }

    /// What is missing in it.
    pub(crate) fn shortfall(&self, spec: &ClosingSpec) -> Shortfall {
        let mut short = Shortfall::default();
        for (gauge, spec) in self.gauges.iter().zip(&spec.aggregates) {
            gauge.shortfall(spec, &mut short);
        }
        short
    }

    /// The requests that an alert shows: all, of very many the first and the last.
    pub(crate) fn evidence(&self) -> impl Iterator<Item = &Seen> {
        self.first.iter().chain(&self.last)
    }

    /// Its last match.
    pub(crate) fn newest(&self) -> Option<&Seen> {
        self.last.back().or(self.first.last())
    }

    /// The event of its last match.
    pub(crate) fn completing(&self) -> Option<&Arc<EventMeta>> {
        self.newest().map(|seen| &seen.meta)
    }
}
