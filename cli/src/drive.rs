//! The loop of a run: blocks in, matches on as many threads as there are, matches taken in order.
//!
//! Of several sources the one furthest behind by the engine's clocks is read next; one that has no clock yet is furthest
//! behind, so that every source is heard before time moves. Where none is live its turn is [`TURN`] blocks, however many threads
//! there are: which of two copies of an event comes first must not depend on them. They are matched side by side on threads that
//! stay (`workers`) and taken in their order. In a live run the order is that in which things come, and a turn is as many blocks as
//! there are threads.
//!
//! In a live run a pipe that has been silent for a second lets time pass, by the monotonic clock: what its events wait for
//! comes although nothing comes behind them. The wall clock holds that back where events are dated ahead of it, and the clock of
//! a pipe believes no event more than the time at which it was read. And one that
//! has nothing to give is passed over for a moment: it may hold time back, but keeps no other source from being read.
//!
//! A run that remembers (`keeping`) also knows up to where each source has been taken, and when what it knows is still true of a
//! log that goes on.

pub(crate) mod keeping;
mod workers;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use connect::Error;
use connect::feed::{Feed, Given};
use engine::frame::blocks::Block;
use engine::matches::{Matches, Nanos, SourceId, SourceInfo};
use engine::matching::{Decoding, Scratch, match_block};
use engine::plan::Plan;
use engine::state::{HashKey, State};
use engine::time::Tick;

use crate::exit;
use crate::figures::Figures;
use keeping::{Keeping, Moment};

/// Sources, engine and threads of a run.
pub(crate) struct Drive {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: State,
    pub(crate) feed: Feed,
    infos: Vec<SourceInfo>,
    /// Of each source whether it is one.
    pipes: Vec<bool>,
    /// One a thread.
    scratch: Vec<Scratch>,
    stop: Arc<AtomicBool>,
    /// Sources that are not at their end.
    open: Vec<SourceId>,
    /// Time runs on while sources are silent; that of a bounded run is its events' alone.
    live: bool,
    /// Sources that had nothing to give, and when that was seen.
    empty: Vec<(SourceId, Instant)>,
    /// What could not be read, in words that have been told.
    pub(crate) failed: Vec<String>,
    /// Of a run that remembers.
    pub(crate) keeping: Option<Keeping>,
    pub(crate) figures: Figures,
}

/// For so long, times the sources there are, one that had nothing to give is not asked again, unless none has: asking takes
/// as long, and each must have its turn.
const EMPTY_FOR: Duration = Duration::from_millis(50);

/// What comes behind some blocks of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// More, or nothing yet.
    More,
    /// What its present end makes of what is left of it. Of a run that remembers alone.
    Ending,
    /// Nothing.
    Ended,
}

/// Blocks that are read of a source before it is asked again which is furthest behind.
const TURN: usize = 8;

impl Drive {
    /// For these sources; `live`: time runs on while they are silent, and nobody shall foresee what shares a shard with what.
    pub(crate) fn new(
        plan: Arc<Plan>,
        feed: Feed,
        (threads, live): (usize, bool),
        stop: Arc<AtomicBool>,
    ) -> Self {
        let mut state = fresh(&plan, live);
        for name in feed.names() {
            state.add_source(info(name));
        }
        Self::with_state(plan, (feed, state), (threads, live), stop)
    }

    /// With a state to which all sources of the feed have been added, in their order.
    pub(crate) fn with_state(
        plan: Arc<Plan>,
        (feed, state): (Feed, State),
        (threads, live): (usize, bool),
        stop: Arc<AtomicBool>,
    ) -> Self {
        let infos: Vec<SourceInfo> = feed.names().iter().map(|name| info(name)).collect();
        let open = (0..).map(SourceId).take(infos.len()).collect();
        let pipes = feed.progress().iter().map(|of| of.size.is_none()).collect();
        let scratch = (0..threads.max(1)).map(|_| Scratch::default()).collect();
        Self {
            plan,
            state,
            feed,
            infos,
            pipes,
            scratch,
            stop,
            open,
            live,
            empty: Vec::new(),
            failed: Vec::new(),
            keeping: None,
            figures: Figures::default(),
        }
    }

    /// Chooses which decoders read events.
    pub(crate) fn decode_with(&mut self, decoding: Decoding) {
        self.scratch.iter_mut().for_each(|scratch| scratch.decode_with(decoding));
    }

    /// Tells of something that could not be read and goes on with what can.
    pub(crate) fn failed(&mut self, error: &Error) {
        exit::tell(error);
        self.failed.push(error.to_string());
    }

    /// Whether a signal asked for the end.
    pub(crate) fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Reads all sources to their end, or until a signal comes, and decides everything. `look` sees every block as it is
    /// read, and `each` is called after every few of them.
    pub(crate) fn run(
        &mut self,
        mut look: impl FnMut(&SourceInfo, &Block) -> Result<(), Error>,
        mut each: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut each = |drive: &mut Self| {
            drive.figures.show(&drive.plan, &drive.state);
            each(drive)
        };
        if self.scratch.len() > 1 && !self.live {
            self.side_by_side(&mut look, &mut each)?;
        } else {
            self.in_turns(&mut look, &mut each)?;
        }
        if self.keeping.is_some() {
            if self.interrupted() {
                return self.at(Moment::Stopped, &mut each);
            }
            self.turn(&mut each)?;
        }
        self.state.finish();
        self.at(Moment::Finished, &mut each)
    }

    /// Reads some blocks, matches them, takes them, and so on.
    fn in_turns(
        &mut self,
        mut look: impl FnMut(&SourceInfo, &Block) -> Result<(), Error>,
        mut each: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut turn = None;
        while !self.interrupted() {
            let next = turn.take().or_else(|| Some((self.furthest_behind()?, 0)));
            let Some((source, before)) = next else { break };
            let (blocks, then) = self.read(source);
            let stamp = self.stamp(source);
            let goes_on = !self.live && !blocks.is_empty() && then == Then::More && before + 1 < TURN;
            turn = goes_on.then_some((source, before + 1));
            if let Some(info) = self.infos.get(source.0 as usize) {
                blocks.iter().try_for_each(|block| look(info, block))?;
            }
            for matches in self.matched(source, &blocks) {
                self.state.take(source, matches.stamped(stamp));
            }
            for block in blocks {
                self.took(&block);
                self.feed.take_back(block);
            }
            each(self)?;
            self.come_to(then, source, &mut each)?;
        }
        Ok(())
    }

    /// When what was just read of a source was read, if it is a pipe of a live run. It holds the source's clock back where
    /// events are dated ahead of it; a file was written before, and has none.
    fn stamp(&self, source: SourceId) -> Option<Nanos> {
        let pipe = self.pipes.get(source.0 as usize).copied().unwrap_or(false);
        (self.live && pipe).then(wall)
    }

    fn furthest_behind(&mut self) -> Option<SourceId> {
        let turns = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        self.empty.retain(|(_, seen)| seen.elapsed() < EMPTY_FOR.saturating_mul(turns));
        let passed_over = |source: &&SourceId| !self.empty.iter().any(|(empty, _)| empty == *source);
        // `None` is below every time; of equals the one that was named first.
        let behind = |source: &&SourceId| (self.state.clock(**source), source.0);
        let some = self.open.iter().filter(passed_over).min_by_key(behind);
        some.or_else(|| self.open.iter().min_by_key(behind)).copied()
    }

    /// As many blocks as there are threads, and what is behind them.
    fn read(&mut self, source: SourceId) -> (Vec<Block>, Then) {
        let mut blocks = Vec::with_capacity(self.scratch.len());
        while blocks.len() < self.scratch.len() {
            match self.feed.next(source) {
                Given::Block(block) => blocks.push(block),
                Given::Nothing(silent) => {
                    if self.live {
                        self.state.tick(source, tick(silent));
                        self.empty.push((source, Instant::now()));
                    }
                    break;
                }
                Given::Failed(error) => self.failed(&error),
                Given::Ending if self.keeping.is_none() => {}
                Given::Ending => return (blocks, Then::Ending),
                Given::End => return (blocks, Then::Ended),
            }
        }
        (blocks, Then::More)
    }

    fn matched(&mut self, source: SourceId, blocks: &[Block]) -> Vec<Matches> {
        let Some(info) = self.infos.get(source.0 as usize) else { return Vec::new() };
        let blocks: Vec<_> = blocks.iter().map(|block| (info, block)).collect();
        match_all(&self.plan, &blocks, &mut self.scratch)
    }
}

/// Matches blocks side by side, no more than there is scratch for, each with the source that it is of.
pub(crate) fn match_all(
    plan: &Plan,
    blocks: &[(&SourceInfo, &Block)],
    scratch: &mut [Scratch],
) -> Vec<Matches> {
    let tasks = blocks.iter().zip(scratch);
    let one = |((info, block), scratch): (&(&SourceInfo, &Block), &mut Scratch)| {
        match_block(plan, info, block, scratch)
    };
    if blocks.len() < 2 {
        return tasks.map(one).collect();
    }
    thread::scope(|scope| {
        let running: Vec<_> = tasks.map(|task| scope.spawn(move || one(task))).collect();
        let joined = running.into_iter().map(|thread| {
            // A broken invariant of the engine ends the process, in whichever thread it shows.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    })
}

/// A state that has seen nothing; of a live run nobody shall foresee what shares a shard with what.
pub(crate) fn fresh(plan: &Arc<Plan>, live: bool) -> State {
    match live {
        true => State::with_key(Arc::clone(plan), plan.limits, random_key()),
        false => State::new(Arc::clone(plan), plan.limits),
    }
}

/// A source under a name.
pub(crate) fn info(name: &str) -> SourceInfo {
    SourceInfo { name: name.into(), cluster: None }
}

/// The key of the hashes of a live run. What a bounded run sheds must be the same each time; who writes to a live one must not
/// be able to choose keys that all want the same room.
fn random_key() -> HashKey {
    let random = RandomState::new();
    let mut key = HashKey::default();
    for (number, part) in (0_u64..).zip(key.chunks_exact_mut(8)) {
        part.copy_from_slice(&random.hash_one(number).to_le_bytes());
    }
    key
}

/// What the engine, which has no clock, is told of a silence.
pub(crate) fn tick(silent: Duration) -> Tick {
    Tick { silent: nanos(silent), wall: wall() }
}

/// The wall clock, which may hold time back and never moves it.
fn wall() -> Nanos {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, nanos)
}

fn nanos(duration: Duration) -> Nanos {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::random_key;

    #[test]
    fn two_live_runs_have_two_keys() {
        let keys = [random_key(), random_key()];
        assert_ne!(keys[0], keys[1]);
        // All of it is drawn.
        let parts: std::collections::BTreeSet<&[u8]> = keys.iter().flat_map(|key| key.chunks(8)).collect();
        assert_eq!(parts.len(), 8);
    }
}
