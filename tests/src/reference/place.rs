//! Where in time things stand: `docs/semantics.md`, "Time and order".
//!
//! All events are known before anything is decided, so there is no watermark: a sort does what it does. What is left of time are the
//! clocks of the sources, which date late events up, and the end of the input.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use dsl::ir::Stage;

use super::decide::Settings;
use super::event::{Arrival, Event, Source};
use super::feature::Poison;

/// How many distinct times a clock looks back.
const CLOCK_DEPTH: usize = 16;

/// When something is decided: a time, and whether the input had ended, since what is judged at its end comes after all
/// else of that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) time: i64,
    pub(super) ended: bool,
}

impl Moment {
    pub(super) fn at(time: i64) -> Self {
        Self { time, ended: false }
    }
}

/// Something with its place in time.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) event: Rc<Event>,
    pub(super) at: Moment,
    /// By how much it was dated up, in nanoseconds.
    pub(super) moved: i64,
    /// Its place among those that came: the last resort of the order.
    pub(super) place: usize,
}

/// What the order of deciding goes by.
pub(super) type Order = (Moment, i64, [u8; 16], Option<Stage>, usize, usize);

impl Placed {
    pub(super) fn order(&self) -> Order {
        let (identity, stage) = self.event.known_by();
        (self.at, self.event.stage_timestamp, identity, stage, self.event.source, self.place)
    }
}

/// All that came.
#[derive(Default)]
pub(super) struct Log {
    /// In order of arrival.
    pub(super) events: Vec<Placed>,
    /// What was none, in order of arrival.
    pub(super) undecodable: Vec<Placed>,
    /// The highest effective time of an event.
    pub(super) end: i64,
}

impl Log {
    /// Dates what came. `offsets` says where each arrival begins in its source; what it does not say is 0.
    pub(super) fn new(
        sources: &[Source],
        arrivals: &[Arrival],
        offsets: &[u64],
        settings: Settings,
        poison: &Poison,
    ) -> Self {
        let mut shown: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        let mut numbers: BTreeMap<(usize, u64), u64> = BTreeMap::new();
        let mut log = Self::default();
        for (place, arrival) in arrivals.iter().enumerate() {
            let times = shown.entry(arrival.source).or_default();
            let clock = times.iter().rev().nth(CLOCK_DEPTH - 1).copied();
            match Event::new(arrival, sources) {
                Ok(event) => {
                    let stamp = event.stage_timestamp;
                    let edge = clock.map_or(i64::MIN, |clock| clock.saturating_sub(settings.lateness));
                    let late = edge > stamp && !poison.hits("late event");
                    let time = if late { edge } else { stamp };
                    times.insert(stamp);
                    let (at, moved) = (Moment::at(time), time.saturating_sub(stamp));
                    log.events.push(Placed { event: Rc::new(event), at, moved, place });
                }
                Err(reason) => {
                    let time = clock.or(times.last().copied()).unwrap_or(0);
                    let offset = offsets.get(place).copied().unwrap_or(0);
                    let number = numbers.entry((arrival.source, offset)).or_default();
                    let source = sources.get(arrival.source).cloned().unwrap_or_default();
                    let event =
                        Event::undecodable((arrival.source, &source), (reason, offset, *number), time);
                    *number += 1;
                    let at = Moment::at(time);
                    log.undecodable.push(Placed { event: Rc::new(event), at, moved: 0, place });
                }
            }
        }
        log.end = log.events.iter().map(|p| p.at.time).max().unwrap_or(0);
        log
    }

    /// When a timer fires: at its time, or, where the input ends before, at the end.
    pub(super) fn timer(&self, time: i128) -> Moment {
        match i64::try_from(time) {
            Ok(time) if time <= self.end => Moment::at(time),
            _ => Moment { time: self.end, ended: true },
        }
    }
}
