//! A run over sources in memory, in one thread: what tests, fuzz targets, benches and [`crate::trial`] need.
//!
//! It does what every driver does: of the sources that are not at their end the one whose clock is furthest behind is read
//! next, a block at a time. Whoever reads files or streams does the same with threads between.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::alert::{self, Alert};
use crate::frame::blocks::{BLOCK_BYTES, Block, Blocks};
use crate::limits::Limits;
use crate::matches::{Nanos, SourceId, SourceInfo};
use crate::matching::{Scratch, match_block};
use crate::plan::Plan;
use crate::state::{RunTally, State};

/// A run that is being put together.
#[derive(Debug)]
pub struct Run {
    plan: Arc<Plan>,
    limits: Limits,
    block_bytes: usize,
    /// What remembers; sources may be added and events watched through it.
    pub state: State,
    /// Where blocks are matched; coverage is counted in it.
    pub scratch: Scratch,
    feeds: Vec<Feed>,
}

/// A source and what of it is still to be read.
#[derive(Debug)]
struct Feed {
    id: SourceId,
    info: SourceInfo,
    left: VecDeque<Block>,
    ended: bool,
}

/// What a run told.
#[derive(Debug)]
pub struct Answer {
    /// In the order of time, rule and id.
    pub alerts: Vec<Alert>,
    /// What was counted.
    pub tally: RunTally,
}

impl Run {
    /// A run without sources.
    #[must_use]
    pub fn new(plan: Arc<Plan>, limits: Limits) -> Self {
        let state = State::new(plan.clone(), limits);
        Self { plan, limits, block_bytes: BLOCK_BYTES, state, scratch: Scratch::default(), feeds: Vec::new() }
    }

    /// Cuts the sources that are added from now on into blocks of about so many bytes.
    #[must_use]
    pub fn block_bytes(mut self, block_bytes: usize) -> Self {
        self.block_bytes = block_bytes.max(1);
        self
    }

    /// Adds a source with all that is in it.
    pub fn add(&mut self, info: SourceInfo, bytes: &[u8]) -> SourceId {
        let id = self.state.add_source(info.clone());
        let mut blocks = Blocks::new(id, self.block_bytes, self.limits.line_bytes_max);
        blocks.push(bytes);
        blocks.finish();
        let left = std::iter::from_fn(|| blocks.pop()).collect();
        self.feeds.push(Feed { id, info, left, ended: false });
        id
    }

    /// Reads all sources to their end.
    pub fn read(&mut self) {
        self.read_until(Nanos::MIN);
    }

    /// Reads all sources to their end; if `until` is later than all events, time goes on to there.
    pub fn read_until(&mut self, until: Nanos) {
        while let Some(feed) = self.behind() {
            let Some(feed) = self.feeds.get_mut(feed) else { break };
            match feed.left.pop_front() {
                Some(block) => {
                    let matches = match_block(&self.plan, &feed.info, &block, &mut self.scratch);
                    self.state.take(feed.id, matches);
                }
                None => {
                    feed.ended = true;
                    self.state.end(feed.id);
                }
            }
        }
        self.state.finish_at(until);
    }

    /// Reads all sources to their end and gives what came of it.
    #[must_use]
    pub fn finish(mut self) -> Answer {
        self.read();
        let mut alerts = Vec::new();
        self.state.drain(&mut alerts);
        alert::sort(&mut alerts);
        Answer { alerts, tally: self.state.tally().clone() }
    }

    /// The source that is furthest behind; one without a clock is behind all others.
    fn behind(&self) -> Option<usize> {
        let open = self.feeds.iter().enumerate().filter(|(_, feed)| !feed.ended);
        open.min_by_key(|(_, feed)| self.state.clock(feed.id)).map(|(at, _)| at)
    }
}
