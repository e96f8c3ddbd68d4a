//! A sliding window of one key: its requests, and what is counted over them.

use std::collections::VecDeque;

use super::distinct::Distinct;
use super::{Cap, Past, Seen, Shortfall};
use crate::limits::{EVIDENCE_EDGE, WINDOW_KEPT_MIN};
use crate::matches::{Counted, Nanos};
use crate::plan::Aggregate;

/// What a rule's windows are like; the same for all its keys.
#[derive(Clone, Debug)]
pub(crate) struct SlidingSpec {
    pub(crate) within: Nanos,
    /// How many requests are kept.
    ring: Cap,
    counters: Vec<CounterSpec>,
}

#[derive(Clone, Copy, Debug)]
enum CounterSpec {
    /// All requests of the window.
    Requests,
    /// Those that its filter takes.
    Filtered(Cap),
    /// Different values.
    Distinct(Cap),
}

impl SlidingSpec {
    pub(crate) fn new(within: Nanos, aggregates: &[Aggregate], matches_per_key_max: usize) -> Self {
        let whole = Cap { kept_max: matches_per_key_max.max(1), past: Past::Approximate };
        let newest = |n: u64| Cap {
            kept_max: usize::try_from(n.max(WINDOW_KEPT_MIN)).unwrap_or(usize::MAX),
            past: Past::AtLeast,
        };
        // Where nobody counts the requests they are kept for the evidence alone.
        let mut ring: Option<Cap> = None;
        let counters =
            aggregates
                .iter()
                .map(|aggregate| {
                    let cap = match aggregate.enough {
                        Some(n) if !aggregate.filtered => newest(n),
                        _ => whole,
                    };
                    match (aggregate.counts, aggregate.filtered) {
                        (true, false) => {
                            ring = Some(ring.map_or(cap, |other| {
                                if other.kept_max >= cap.kept_max { other } else { cap }
                            }));
                            CounterSpec::Requests
                        }
                        (true, true) => CounterSpec::Filtered(cap),
                        (false, _) => CounterSpec::Distinct(cap),
                    }
                })
                .collect();
        Self { within, ring: ring.unwrap_or_else(|| newest(0)), counters }
    }
}

/// The window of one key.
#[derive(Clone, Debug)]
pub(crate) struct Sliding {
    pub(crate) ring: VecDeque<Seen>,
    /// The latest time at which a request was let go of because there were too many.
    pub(crate) dropped: Option<Nanos>,
    late: usize,
    dry_run_unknown: usize,
    approximate: usize,
    pub(crate) counters: Vec<Counter>,
}

/// One aggregate's memory.
#[derive(Clone, Debug)]
pub(crate) enum Counter {
    Requests,
    Filtered { times: VecDeque<Nanos>, dropped: Option<Nanos> },
    Distinct(Distinct),
}

impl Sliding {
    pub(crate) fn new(spec: &SlidingSpec) -> Self {
        let counters = spec
            .counters
            .iter()
            .map(|counter| match counter {
                CounterSpec::Requests => Counter::Requests,
                CounterSpec::Filtered(_) => Counter::Filtered { times: VecDeque::new(), dropped: None },
                CounterSpec::Distinct(_) => Counter::Distinct(Distinct::default()),
            })
            .collect();
        Self { ring: VecDeque::new(), dropped: None, late: 0, dry_run_unknown: 0, approximate: 0, counters }
    }

    /// A request enters, and those leave that are too old beside it. Gives how many had to go for want of room.
    pub(crate) fn enter(&mut self, spec: &SlidingSpec, seen: Seen, counted: &[Counted]) -> u64 {
        let at = seen.effective;
        self.leave(Self::start(spec, at));
        let mut shed = 0;
        for ((counter, counter_spec), counted) in self.counters.iter_mut().zip(&spec.counters).zip(counted) {
            match (counter, counter_spec, counted) {
                (Counter::Filtered { times, dropped }, CounterSpec::Filtered(cap), Counted::One) => {
                    times.push_back(at);
                    if times.len() > cap.kept_max {
                        *dropped = (*dropped).max(times.pop_front());
                        shed += 1;
                    }
                }
                (Counter::Distinct(distinct), CounterSpec::Distinct(cap), Counted::Tuples(tuples)) => {
                    shed += tuples.iter().map(|tuple| distinct.enter(at, tuple, *cap)).sum::<u64>();
                }
                _ => {}
            }
        }
        self.push(seen);
        if self.ring.len() > spec.ring.kept_max {
            self.dropped = self.dropped.max(self.pop());
            shed += 1;
        }
        shed
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
        self.ring.push_back(seen);
    }

    fn pop(&mut self) -> Option<Nanos> {
        let seen = self.ring.pop_front()?;
        self.late -= usize::from(seen.late);
        self.dry_run_unknown -= usize::from(seen.dry_run_unknown);
        self.approximate -= usize::from(seen.meta.approximate());
        Some(seen.effective)
    }

    fn leave(&mut self, from: Nanos) {
        while self.ring.front().is_some_and(|seen| seen.effective < from) {
            self.pop();
        }
        for counter in &mut self.counters {
            match counter {
                Counter::Requests => {}
                Counter::Filtered { times, .. } => {
                    while times.front().is_some_and(|t| *t < from) {
                        times.pop_front();
                    }
                }
                Counter::Distinct(distinct) => distinct.leave(from),
            }
        }
    }

    /// How many requests are in the window.
    pub(crate) fn count(&self) -> u64 {
        self.ring.len() as u64
    }

    /// The value of each aggregate.
    pub(crate) fn values(&self) -> Vec<u64> {
        let value = |counter: &Counter| match counter {
            Counter::Requests => self.ring.len() as u64,
            Counter::Filtered { times, .. } => times.len() as u64,
            Counter::Distinct(distinct) => distinct.len() as u64,
        };
        self.counters.iter().map(value).collect()
    }

    /// What is missing in the window as it stands at `at`.
    pub(crate) fn shortfall(&self, spec: &SlidingSpec, at: Nanos) -> Shortfall {
        let from = Self::start(spec, at);
        let mut short = Shortfall::default();
        short.add(self.dropped, from, spec.ring.past);
        for (counter, counter_spec) in self.counters.iter().zip(&spec.counters) {
            match (counter, counter_spec) {
                (Counter::Filtered { dropped, .. }, CounterSpec::Filtered(cap)) => {
                    short.add(*dropped, from, cap.past)
                }
                (Counter::Distinct(distinct), CounterSpec::Distinct(cap)) => {
                    short.add(distinct.dropped, from, cap.past)
                }
                _ => {}
            }
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
