//! All sources of a run and the watermark over them.

use super::Clock;
use crate::matches::{Nanos, SourceId, SourceInfo};
use crate::planted::planted;

/// What the reader of a live source knows that its events do not: it is read to its end and nothing comes.
///
/// `wall` may hold time back and never moves it: without it one forged time in the future would be the highest.
#[derive(Clone, Copy, Debug)]
pub struct Tick {
    /// For how long nothing has come, by a monotonic clock, in nanoseconds.
    pub silent: Nanos,
    /// The wall clock, in nanoseconds since the Unix epoch.
    pub wall: Nanos,
}

/// For less than this long a source is not held to be silent, in nanoseconds.
const SILENT_MIN: Nanos = 1_000_000_000;

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct SourceState {
    pub(crate) info: SourceInfo,
    pub(crate) clock: Clock,
    pub(crate) lateness: Nanos,
    /// What it has reached by silence; forgotten with the next event.
    pub(crate) idle: Option<Nanos>,
    pub(crate) ended: bool,
}

impl SourceState {
    /// Where its time is, for the watermark: what its events say or, while it is silent, what has passed since.
    pub(crate) fn now(&self) -> Option<Nanos> {
        self.clock.now().max(self.idle)
    }
}

/// All sources and the time that they have left behind together.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) all: Vec<SourceState>,
    /// Every time below is decided. Never falls.
    pub(crate) watermark: Nanos,
    /// Up to where it was last moved on though not all sources had come so far.
    pub(crate) hurried: Nanos,
}

impl Sources {
    pub(crate) fn new() -> Self {
        Self { all: Vec::new(), watermark: Nanos::MIN, hurried: Nanos::MIN }
    }

    pub(crate) fn add(&mut self, info: SourceInfo, lateness: Nanos) -> SourceId {
        let id = SourceId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(SourceState { info, clock: Clock::new(), lateness, idle: None, ended: false });
        id
    }

    pub(crate) fn get(&self, id: SourceId) -> Option<&SourceState> {
        self.all.get(id.0 as usize)
    }

    /// The next event of a source has this time, and may be stamped: gives its effective time and moves the clock, to no
    /// later than the stamp.
    pub(crate) fn date(&mut self, id: SourceId, stage_timestamp: Nanos, stamp: Option<Nanos>) -> Nanos {
        let watermark = self.watermark;
        let Some(source) = self.all.get_mut(id.0 as usize) else { return stage_timestamp };
        let edge = if planted(16) { None } else { source.clock.now() };
        let edge = edge.map_or(Nanos::MIN, |now| now.saturating_sub(source.lateness));
        let stamp = stamp.filter(|_| !planted(97));
        source.clock.observe(stamp.map_or(stage_timestamp, |stamp| stamp.min(stage_timestamp)));
        source.idle = None;
        // In a run whose sources are all known from the start and never idle, the watermark is never above the edge.
        let edge = if planted(59) { edge } else { edge.max(watermark) };
        stage_timestamp.max(edge)
    }

    /// Moves the watermark on to a time behind it, whatever the sources have reached.
    pub(crate) fn hurry(&mut self, until: Nanos) {
        self.watermark = self.watermark.max(until);
        self.hurried = self.watermark;
    }

    /// Whether what comes with the time `own` and is dated up to `effective` would have come in time without that.
    pub(crate) fn overtook(&self, own: Nanos, effective: Nanos) -> bool {
        own < effective && effective <= self.hurried
    }

    /// What the clock of a source shows to what has no time: before it runs the highest time that the source has shown,
    /// and the Unix epoch before that.
    pub(crate) fn shows(&self, id: SourceId) -> Nanos {
        let source = self.get(id);
        let highest = || source.and_then(|source| source.clock.witnesses().last().copied());
        source.and_then(SourceState::now).or_else(highest).unwrap_or(0)
    }

    /// A source is silent: time runs on with the monotonic clock, at most to the wall clock.
    pub(crate) fn tick(&mut self, id: SourceId, tick: Tick) {
        let Some(source) = self.all.get_mut(id.0 as usize) else { return };
        let least = if planted(61) { SILENT_MIN / 2 } else { SILENT_MIN };
        if tick.silent < least {
            return;
        }
        let reached = source.clock.highest_up_to(tick.wall);
        let most = if planted(60) { Nanos::MAX } else { tick.wall };
        source.idle = reached.map(|t| t.saturating_add(tick.silent).min(most)).max(source.idle);
    }

    pub(crate) fn end(&mut self, id: SourceId) {
        if let Some(source) = self.all.get_mut(id.0 as usize) {
            source.ended = true;
        }
    }

    /// Moves the watermark to the lowest (clock less lateness) of the sources that are not at their end; it stays while
    /// one of them has no clock. Gives it.
    pub(crate) fn advance(&mut self) -> Nanos {
        let mut lowest = None;
        for source in self.all.iter().filter(|source| !source.ended) {
            let Some(now) = source.now() else { return self.watermark };
            let reached = now.saturating_sub(source.lateness);
            lowest = Some(lowest.map_or(reached, |l: Nanos| l.min(reached)));
        }
        // With no source left open time stands still until the run says that nothing more comes.
        if let Some(lowest) = lowest {
            self.watermark = self.watermark.max(lowest);
        }
        self.watermark
    }
}
