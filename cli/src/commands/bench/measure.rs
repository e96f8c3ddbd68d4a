//! One run each: the product's own, and the bounds that it is compared with.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use connect::Error;
use connect::feed::Feed;
use connect::feed::range::{Buffer, Plain};
use connect::sink::Target;
use connect::source::Source;
use engine::alert::Alert;
use engine::event::bare::Bare;
use engine::matching::Decoding;
use engine::plan::Plan;
use rustix::time::{ClockId, clock_gettime};

use super::files::Log;
use crate::commands::run::each_alert;
use crate::drive::Drive;
use crate::sinks::Sinks;

/// What a thread of the bare scan reads in one go.
const RANGE_BYTES: u64 = 256 << 10;
/// Asked for at once of a pipe that is read and let go.
const READ_BYTES: usize = 256 << 10;

/// What a run found and what it took.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) wall: Duration,
    pub(super) cpu: Duration,
    pub(super) events: u64,
    pub(super) undecodable: u64,
    /// The ids of its alerts, sorted.
    pub(super) alerts: Vec<[u8; 16]>,
}

impl Ran {
    /// Events a second.
    pub(super) fn rate(&self) -> f64 {
        self.events as f64 / self.wall.as_secs_f64()
    }

    /// Processor time an event, of all threads of this process.
    pub(super) fn cpu_ns(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e9 / self.events.max(1) as f64
    }
}

/// The best of several turns, with the least processor time of any.
#[derive(Debug, Default)]
pub(super) struct Best(pub(super) Option<Ran>);

impl Best {
    pub(super) fn add(&mut self, ran: Ran) {
        self.0 = Some(match self.0.take() {
            None => ran,
            Some(best) => {
                let cpu = best.cpu.min(ran.cpu);
                Ran { cpu, ..if ran.wall < best.wall { ran } else { best } }
            }
        });
    }
}

/// How a file is run over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) threads: usize,
    pub(super) decoding: Decoding,
    /// As from a pipe: what there is is given at once.
    pub(super) live: bool,
}

impl Way {
    pub(super) fn threads(threads: usize) -> Self {
        Self { threads, decoding: Decoding::Auto, live: false }
    }
}

/// Wall clock and processor time from here on.
struct Watch(Instant, Duration);

impl Watch {
    fn start() -> Self {
        Self(Instant::now(), worked())
    }

    fn stop(&self) -> (Duration, Duration) {
        (self.0.elapsed(), worked().saturating_sub(self.1))
    }
}

fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Rules over a file, as `run` does it.
pub(super) fn file(plan: &Arc<Plan>, log: &Log, way: Way) -> Result<Ran, Error> {
    run(plan, Source::File(log.path.clone()), way, |_| {})
}

/// Rules over a pipe; `see` is called with alerts that are out.
pub(super) fn live(plan: &Arc<Plan>, source: Source, see: impl FnMut(&[Alert])) -> Result<Ran, Error> {
    run(plan, source, Way { live: true, ..Way::threads(1) }, see)
}

fn run(plan: &Arc<Plan>, source: Source, way: Way, mut see: impl FnMut(&[Alert])) -> Result<Ran, Error> {
    let watch = Watch::start();
    let (feed, errors) = Feed::open(&[source], plan.limits.line_bytes_max, way.live);
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let mut sinks = Sinks::new(vec![Target::File(PathBuf::from("/dev/null"))], false).open(way.live)?;
    let mut drive =
        Drive::new(Arc::clone(plan), feed, (way.threads, way.live), Arc::new(AtomicBool::new(false)));
    drive.decode_with(way.decoding);
    let mut ids = Vec::new();
    each_alert(&mut drive, |alerts| {
        if !alerts.is_empty() {
            sinks.take(alerts)?;
            ids.extend(alerts.iter().map(|alert| alert.id));
            see(alerts);
        }
        Ok(())
    })?;
    sinks.finish()?;
    let (wall, cpu) = watch.stop();
    if let Some(failed) = drive.failed.first() {
        return Err(Error::failed(failed.clone()));
    }
    ids.sort_unstable();
    let tally = drive.state.tally();
    let undecodable = tally.read - tally.decoded - tally.passed;
    Ok(Ran { wall, cpu, events: tally.read, undecodable, alerts: ids })
}

/// The bare scan over a file, each thread with ranges of its own.
pub(super) fn scan(log: &Log, threads: usize) -> Result<Ran, Error> {
    let watch = Watch::start();
    let file = File::open(&log.path).map_err(|cause| Error::io("open", &log.path, &cause))?;
    let plain = Plain::new(log.path.display().to_string(), file);
    let next = AtomicU64::new(0);
    let one = || -> Result<(u64, u64), Error> {
        let (mut bare, mut buffer) = (Bare::default(), Buffer::default());
        loop {
            let start = next.fetch_add(1, Ordering::Relaxed) * RANGE_BYTES;
            let lines = plain.lines(start..start + RANGE_BYTES, usize::MAX, &mut buffer)?;
            bare.lines(lines.bytes);
            if lines.last {
                return Ok((bare.scanned, bare.declined));
            }
        }
    };
    let (scanned, declined) = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(one)).collect();
        let (mut scanned, mut declined) = one()?;
        for other in others {
            let more = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            (scanned, declined) = (scanned + more.0, declined + more.1);
        }
        Ok((scanned, declined))
    })?;
    let (wall, cpu) = watch.stop();
    Ok(Ran { wall, cpu, events: scanned + declined, undecodable: declined, alerts: Vec::new() })
}

/// `cat` of a file into a pipe, and the end that is read from.
fn cat(path: &Path) -> Result<(Child, std::io::PipeReader), Error> {
    let failed = |cause| Error::named("make", "a pipe", &cause);
    let (take, give) = std::io::pipe().map_err(failed)?;
    let child = Command::new("cat").arg(path).stdin(Stdio::null()).stdout(give).spawn();
    Ok((child.map_err(|cause| Error::named("run", "cat", &cause))?, take))
}

fn wait(mut child: Child) -> Result<(), Error> {
    child.wait().map_err(|cause| Error::named("run", "cat", &cause)).map(|_| ())
}

/// What goes through the pipe if nothing is done with it; events are not counted.
pub(super) fn discard(log: &Log) -> Result<Ran, Error> {
    let watch = Watch::start();
    let (child, mut take) = cat(&log.path)?;
    generate::widen(&take);
    let mut buffer = vec![0; READ_BYTES];
    while take.read(&mut buffer).map_err(|cause| Error::named("read", "a pipe", &cause))? > 0 {}
    wait(child)?;
    let (wall, cpu) = watch.stop();
    Ok(Ran { wall, cpu, events: 0, undecodable: 0, alerts: Vec::new() })
}

/// Rules over the pipe, as `cat FILE | auditd-rules run` does it: the pipe is opened once more, by its name.
pub(super) fn pipe(plan: &Arc<Plan>, log: &Log) -> Result<Ran, Error> {
    let watch = Watch::start();
    let (child, take) = cat(&log.path)?;
    let name = format!("/dev/fd/{}", take.as_raw_fd());
    let ran = live(plan, Source::File(PathBuf::from(name)), |_| {})?;
    drop(take);
    wait(child)?;
    let (wall, cpu) = watch.stop();
    Ok(Ran { wall, cpu, ..ran })
}
