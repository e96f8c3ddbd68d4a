//! Where in time things stand: `docs/semantics.md`, "Time and order".
//!
//! All events are known before anything is decided, so nothing waits for the watermark: a sort does what it does. What is left of
//! time are the clocks of the sources, which date late events up, and the end of the input. Only where sources fell silent the watermark is looked at:
//! it may then have left an event behind that its own source's clock has not.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use dsl::ir::Stage;

use super::decide::Settings;
use super::event::{Arrival, Event, Silence, Source};
use super::feature::Poison;

/// How many distinct times a clock looks back.
const CLOCK_DEPTH: usize = 16;

/// For less than this long a source is not silent, in nanoseconds.
const SILENT_MIN: i64 = 1_000_000_000;

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

/// What a source has shown of time.
#[derive(Clone, Default)]
struct Clock {
    times: BTreeSet<i64>,
    /// How far it ran on while the source was silent; forgotten with its next event.
    silent: Option<i64>,
}

impl Clock {
    /// What its events say.
    fn shown(&self) -> Option<i64> {
        self.times.iter().rev().nth(CLOCK_DEPTH - 1).copied()
    }

    fn now(&self) -> Option<i64> {
        self.shown().max(self.silent)
    }

    fn fell_silent(&mut self, silence: &Silence) {
        if silence.silent < SILENT_MIN || self.times.is_empty() {
            return;
        }
        let highest = self.times.range(..=silence.wall).next_back().copied().unwrap_or(silence.wall);
        self.silent = self.silent.max(Some(highest.saturating_add(silence.silent).min(silence.wall)));
    }
}

/// The clocks of all sources, and what is decided of time.
struct Clocks {
    all: Vec<Clock>,
    lateness: i64,
    watermark: Option<i64>,
}

impl Clocks {
    fn advance(&mut self) {
        let now: Option<Vec<i64>> = self.all.iter().map(Clock::now).collect();
        let lowest = now.and_then(|all| all.into_iter().min());
        self.watermark = self.watermark.max(lowest.map(|lowest| lowest.saturating_sub(self.lateness)));
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
        let mut clocks = Clocks {
            all: vec![Clock::default(); sources.len()],
            lateness: settings.lateness,
            watermark: None,
        };
        let live = arrivals.iter().any(|arrival| !arrival.silences.is_empty());
        let mut numbers: BTreeMap<(usize, u64), u64> = BTreeMap::new();
        let mut log = Self::default();
        for (place, arrival) in arrivals.iter().enumerate() {
            if arrival.line.is_some() && poison.hits("a line that is no event") {
                continue;
            }
            let clock = &mut clocks.all[arrival.source];
            match Event::new(arrival, sources) {
                Ok(event) => {
                    let stamp = event.stage_timestamp;
                    let edge = clock.shown().map(|clock| clock.saturating_sub(settings.lateness));
                    let edge = edge.max(clocks.watermark).unwrap_or(i64::MIN);
                    let late = edge > stamp && !poison.hits("late event");
                    let time = if late { edge } else { stamp };
                    let read = arrival.read.filter(|_| !poison.hits("a time of reading"));
                    clock.times.insert(read.map_or(stamp, |read| stamp.min(read)));
                    clock.silent = None;
                    let (at, moved) = (Moment::at(time), time.saturating_sub(stamp));
                    log.events.push(Placed { event: Rc::new(event), at, moved, place });
                }
                Err(reason) => {
                    let time = clock.now().or(clock.times.last().copied()).unwrap_or(0);
                    let time = clocks.watermark.map_or(time, |watermark| time.max(watermark));
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
            if live && !poison.hits("a silent source") {
                clocks.advance();
                for silence in &arrival.silences {
                    clocks.all[silence.source].fell_silent(silence);
                    clocks.advance();
                }
            }
        }
        let highest = log.events.iter().chain(&log.undecodable).map(|p| p.at.time).max();
        let lived = clocks.watermark.map(|watermark| watermark.saturating_sub(1));
        let until = settings.until.filter(|_| !poison.hits("until"));
        // Where nothing ever came, there is nothing to go on.
        log.end = highest.max(lived).map_or(0, |end| until.map_or(end, |until| end.max(until)));
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
