//! How long an alert is in coming, while events come at a steady rate.
//!
//! A thread writes each event into a pipe when it is due, whatever became of those before; the other end is run over as
//! `run` does it. What counts is from the moment an event was due, not from when it could be written: a reader that falls behind
//! is not asked less for it (coordinated omission). An alert that waits for the watermark counts from the moment at which the
//! event that moves the watermark past it was due.
//!
//! When an alert is out is seen once its sink was flushed, so what a batch of alerts takes counts for each in it.

use std::collections::BTreeSet;
use std::io::{PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use connect::Error;
use connect::source::Source;
use engine::alert::Alert;
use engine::event::instant;
use engine::plan::Plan;
use generate::{Generator, Options, Profile};
use hdrhistogram::Histogram;

use super::measure;

/// Events a second.
pub(super) const RATE: u64 = 100_000;
/// More are not written: three seconds.
const EVENTS_MAX: u64 = 3 * RATE;
/// Nor fewer: the watermark, which is [`LATENESS`] behind, must reach some.
const EVENTS_MIN: u64 = RATE / 2;
/// Nanoseconds. The log's time runs as fast as ours, so what waits for the watermark does not wait for seconds.
pub(super) const LATENESS: i64 = 200_000_000;
/// What takes longer, in nanoseconds, counts as this.
const LONGEST: u64 = 60_000_000_000;
/// So many distinct times make a clock (`docs/semantics.md`).
const WITNESSES: usize = 16;
/// The writer looks so often whether an event is due.
const TICK: Duration = Duration::from_micros(50);

/// Nanoseconds from when an alert was due to when it was out.
pub(super) struct Found {
    pub(super) at_once: Histogram<u64>,
    pub(super) waits: Histogram<u64>,
}

/// The load: where each line begins, and when the watermark has reached what.
struct Load {
    text: Vec<u8>,
    offsets: Vec<u64>,
    times: Vec<i64>,
    /// What the watermark is behind each event.
    watermarks: Vec<i64>,
}

impl Load {
    fn new(profile: Profile, seed: u64, events: u64, lateness: i64) -> Self {
        let options = Options { events, seed, rate: RATE, ..Options::default() };
        let text = Generator::new(profile, options).text();
        let mut load = Self { text, offsets: Vec::new(), times: Vec::new(), watermarks: Vec::new() };
        let (mut offset, mut highest) = (0, BTreeSet::new());
        for line in load.text.split_inclusive(|byte| *byte == b'\n') {
            let time = time(line).unwrap_or(i64::MIN);
            highest.insert(time);
            if highest.len() > WITNESSES {
                highest.pop_first();
            }
            let clock = if highest.len() < WITNESSES { None } else { highest.first().copied() };
            load.offsets.push(offset);
            load.times.push(time);
            load.watermarks.push(clock.map_or(i64::MIN, |clock| clock - lateness));
            offset += line.len() as u64;
        }
        load
    }

    /// The number of the event behind which an alert about the event at `offset` is due.
    fn due(&self, offset: u64, waits: bool) -> Option<usize> {
        let event = self.offsets.binary_search(&offset).ok()?;
        if !waits {
            return Some(event);
        }
        let time = *self.times.get(event)?;
        let passed = self.watermarks.partition_point(|watermark| *watermark <= time);
        (passed < self.watermarks.len()).then(|| passed.max(event))
    }

    /// Writes every event when it is due.
    fn write(&self, mut pipe: PipeWriter, start: Instant) {
        let (mut sent, mut bytes) = (0, 0);
        while sent < self.offsets.len() {
            let due = (start.elapsed().as_secs_f64() * RATE as f64) as usize;
            let until = (due + 1).min(self.offsets.len());
            if until <= sent {
                thread::sleep(TICK);
                continue;
            }
            let end = self.offsets.get(until).map_or(self.text.len(), |offset| *offset as usize);
            // Nobody reads any more: the run has failed, and says so.
            if pipe.write_all(self.text.get(bytes..end).unwrap_or_default()).is_err() {
                return;
            }
            (sent, bytes) = (until, end);
        }
    }
}

/// The stage's time, which stands behind all bodies.
fn time(line: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(line).ok()?;
    let at = text.rfind("\"stageTimestamp\":\"")? + "\"stageTimestamp\":\"".len();
    instant::parse(text.get(at..at + text.get(at..)?.find('"')?)?)
}

/// Runs `rules`, of which one waits, over events at [`RATE`]; an error if either rule told nothing.
pub(super) fn measure(rules: &Arc<Plan>, profile: Profile, seed: u64, events: u64) -> Result<Found, Error> {
    let load = Load::new(profile, seed, events.clamp(EVENTS_MIN, EVENTS_MAX), rules.limits.lateness);
    let new = || {
        Histogram::new_with_max(LONGEST, 3).map_err(|cause| Error::failed(format!("no histogram: {cause}")))
    };
    let mut found = Found { at_once: new()?, waits: new()? };
    let (take, give) = std::io::pipe().map_err(|cause| Error::named("make", "a pipe", &cause))?;
    generate::widen(&give);
    let source = Source::File(PathBuf::from(format!("/dev/fd/{}", take.as_raw_fd())));
    let start = Instant::now();
    let see = |alerts: &[Alert]| {
        let now = start.elapsed();
        for alert in alerts {
            let waits = alert.window.is_some();
            let Some(due) = alert.events.last().and_then(|event| load.due(event.meta.offset, waits)) else {
                continue;
            };
            let due = Duration::from_secs_f64(due as f64 / RATE as f64);
            let nanos = u64::try_from(now.saturating_sub(due).as_nanos()).unwrap_or(u64::MAX);
            let histogram = if waits { &mut found.waits } else { &mut found.at_once };
            histogram.saturating_record(nanos.max(1));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| load.write(give, start));
        measure::live(rules, source, see)
    })?;
    drop(take);
    if found.at_once.is_empty() || found.waits.is_empty() {
        return Err(Error::failed("no alert came of events at a steady rate"));
    }
    Ok(found)
}
