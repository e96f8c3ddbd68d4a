//! A sliding window of one key: its requests, and what is counted over them.

use std::collections::VecDeque;

use super::aggregate::{Counter, Spec};
use super::slices::Slices;
use super::{Cap, Past, Seen, Shortfall, shrink, weight};
use crate::limits::EVIDENCE_EDGE;
use crate::matches::{Counted, Nanos, Value};
use crate::plan::{Aggregate, AggregateKind};
use crate::planted::planted;

/// What a rule's windows are like; the same for all its keys.
#[derive(Clone, Debug)]
pub(crate) struct SlidingSpec {
    pub(crate) within: Nanos,
    /// How many requests are kept.
    ring: Cap,
    pub(crate) aggregates: Vec<Spec>,
}

impl SlidingSpec {
    pub(crate) fn new(within: Nanos, aggregates: &[Aggregate], matches_per_key_max: usize) -> Self {
        let aggregates: Vec<Spec> =
            aggregates.iter().map(|of| Spec::new(of, matches_per_key_max).within(within)).collect();
        let counts = aggregates.iter().filter(|spec| spec.kind == AggregateKind::Count && !spec.filtered);
        // Of two counts one may ask for more than is kept for the other, and the other for all there are.
        let ring = counts.map(|spec| spec.cap).reduce(|a, b| Cap {
            kept_max: a.kept_max.max(b.kept_max),
            enough: a.enough.max(b.enough),
            past: if a.past == b.past { a.past } else { Past::Approximate },
            slice: a.slice,
        });
        // Where nobody counts the requests they are kept for the evidence alone.
        Self { within, ring: ring.unwrap_or_else(Spec::evidence), aggregates }
    }
}

/// The window of one key.
#[derive(Clone, Debug)]
pub(crate) struct Sliding {
    pub(crate) ring: VecDeque<Seen>,
    /// What they take.
    bytes: u64,
    /// The latest time at which a request was let go of because there were too many.
    pub(crate) dropped: Option<Nanos>,
    /// Those of them that are still counted.
    pub(crate) gone: Slices,
    /// The latest time of what its rule had no room for though the answer may need it, and of a match with too many tuples.
    pub(crate) squeezed: Option<Nanos>,
    late: usize,
    dry_run_unknown: usize,
    approximate: usize,
    pub(crate) counters: Vec<Counter>,
}

impl Sliding {
    pub(crate) fn new(spec: &SlidingSpec) -> Self {
        let counters = spec.aggregates.iter().map(Counter::new).collect();
        Self {
            ring: VecDeque::new(),
            bytes: 0,
            dropped: None,
            gone: Slices::default(),
            squeezed: None,
            late: 0,
            dry_run_unknown: 0,
            approximate: 0,
            counters,
        }
    }

    /// A request enters, and those leave that are too old beside it. Gives how many are missed for want of room.
    pub(crate) fn enter(&mut self, spec: &SlidingSpec, seen: Seen, counted: &[Counted]) -> u64 {
        let at = seen.effective;
        self.leave(Self::start(spec, at));
        let mut shed = 0;
        for ((counter, spec), counted) in self.counters.iter_mut().zip(&spec.aggregates).zip(counted) {
            shed += counter.enter(spec, at, counted);
            if counted.cut() > 0 && !planted(96) {
                self.squeezed = self.squeezed.max(Some(at));
            }
        }
        self.push(seen);
        while self.ring.len() > spec.ring.kept_max {
            let gone = self.pop();
            self.dropped = self.dropped.max(gone);
            if let (Some(t), Past::Approximate) = (gone, spec.ring.past) {
                self.gone.add(t, spec.ring.slice);
            }
            shed += spec.ring.missed(1);
        }
        shed
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        let counters: u64 = self.counters.iter().map(Counter::spare).sum();
        counters.saturating_add(self.spare_ring()).saturating_add(self.gone.spare())
    }

    fn spare_ring(&self) -> u64 {
        self.ring.back().map_or(0, |newest| self.bytes.saturating_sub(weight::seen(newest)))
    }

    /// Lets go of what is too old at `at`, as it would with its next match.
    pub(crate) fn pass(&mut self, spec: &SlidingSpec, at: Nanos) {
        self.leave(Self::start(spec, at));
    }

    /// Lets go of something for want of room: of what takes most the oldest. Gives how much of it is missed.
    pub(crate) fn squeeze(&mut self, spec: &SlidingSpec) -> u64 {
        let (ring, gone) = (self.spare_ring(), self.gone.spare());
        let counters = self.counters.iter_mut().zip(&spec.aggregates).rev();
        let widest = counters.max_by_key(|(counter, _)| counter.spare());
        let went = match widest.filter(|(counter, _)| counter.spare() > ring.max(gone)) {
            Some((counter, spec)) => counter.squeeze(spec),
            None if gone > ring => {
                self.gone.squeeze();
                None
            }
            None => self.squeeze_ring(spec),
        };
        match went {
            Some((t, Past::Approximate)) => {
                self.squeezed = self.squeezed.max(Some(t));
                1
            }
            Some((_, Past::AtLeast)) | None => 0,
        }
    }

    fn squeeze_ring(&mut self, spec: &SlidingSpec) -> Option<(Nanos, Past)> {
        let approximate = self.ring.front()?.meta.approximate();
        let t = self.pop()?;
        shrink(&mut self.ring);
        self.dropped = self.dropped.max(Some(t));
        if self.ring.len() < spec.ring.enough {
            if !planted(83) {
                self.gone.add(t, spec.ring.slice);
            }
            return Some((t, Past::Approximate));
        }
        // What rests on an alert that is approximate is so, wherever that alert went.
        Some((t, if approximate { Past::Approximate } else { Past::AtLeast }))
    }

    /// The earliest effective time that is in a window that ends at `at`.
    fn start(spec: &SlidingSpec, at: Nanos) -> Nanos {
        let exclusive = i64::from(crate::planted::planted(14));
        at.saturating_sub(spec.within).saturating_add(exclusive)
    }

    pub(crate) fn push(&mut self, seen: Seen) {
        self.late += usize::from(seen.late);
        self.dry_run_unknown += usize::from(seen.dry_run_unknown);
        self.approximate += usize::from(seen.meta.approximate());
        self.bytes = self.bytes.saturating_add(weight::seen(&seen));
        self.ring.push_back(seen);
    }

    fn pop(&mut self) -> Option<Nanos> {
        let seen = self.ring.pop_front()?;
        self.bytes = self.bytes.saturating_sub(weight::seen(&seen));
        self.late -= usize::from(seen.late);
        self.dry_run_unknown -= usize::from(seen.dry_run_unknown);
        self.approximate -= usize::from(seen.meta.approximate());
        Some(seen.effective)
    }

    fn leave(&mut self, from: Nanos) {
        while self.ring.front().is_some_and(|seen| seen.effective < from) {
            self.pop();
        }
        self.gone.leave(from);
        self.counters.iter_mut().for_each(|counter| counter.leave(from));
    }

    /// How many requests are in the window: past its limit no fewer than there were.
    pub(crate) fn count(&self) -> u64 {
        (self.ring.len() as u64).saturating_add(self.gone.count())
    }

    /// The value of each aggregate.
    pub(crate) fn values(&self, spec: &SlidingSpec) -> Vec<Value> {
        let counters = self.counters.iter().zip(&spec.aggregates);
        counters.map(|(counter, spec)| counter.get(spec, self.count())).collect()
    }

    /// What is missing in the window as it stands at `at`.
    pub(crate) fn shortfall(&self, spec: &SlidingSpec, at: Nanos) -> Shortfall {
        let from = Self::start(spec, at);
        let mut short = Shortfall::default();
        short.add(self.dropped, from, spec.ring.past);
        if !planted(85) {
            short.add(self.squeezed, from, Past::Approximate);
        }
        for (counter, spec) in self.counters.iter().zip(&spec.aggregates) {
            counter.shortfall(spec, from, &mut short);
        }
        short
    }

    /// Whether one of its requests came late.
    pub(crate) fn any_late(&self) -> bool {
        self.late > 0
    }

    /// Whether one of its requests may have been a dry run.
    pub(crate) fn any_dry_run_unknown(&self) -> bool {
        self.dry_run_unknown > 0
    }

    /// Whether one of its matches is an alert that is approximate.
    pub(crate) fn any_approximate(&self) -> bool {
        self.approximate > 0
    }

    /// The requests that an alert shows: all, of very many the first and the last.
    pub(crate) fn evidence(&self) -> impl Iterator<Item = &Seen> {
        let len = self.ring.len();
        let shown = move |at: usize| at < EVIDENCE_EDGE || at + EVIDENCE_EDGE >= len;
        self.ring.iter().enumerate().filter(move |(at, _)| shown(*at)).map(|(_, seen)| seen)
    }
}
