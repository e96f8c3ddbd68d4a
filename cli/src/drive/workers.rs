//! Blocks on threads that stay for the run: while they match some, the next are read and those before are taken.
//!
//! What is under way stands in a ring in the order in which it was read, and is taken in that order, whoever was done first
//! ([`connect::handover`]). As much is under way as keeps every thread busy, and no more is read: the source waits.
//!
//! Of several sources which is read next depends on what was taken, so only blocks of one turn are under way then, as many for
//! any number of threads. Once one source is left, as from the start of most runs, nothing depends on it, and blocks are read
//! ahead.

use std::sync::Arc;
use std::thread;

use connect::Error;
use connect::feed::Given;
use connect::handover::{Giver, Lost, Worker, hand_over};
use engine::frame::blocks::Block;
use engine::matches::{Matches, SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;

use super::{Drive, TURN, Then};

/// Blocks under way for each thread: one that is matched, and some to go on with.
const FOR_EACH: usize = 4;

/// A block to be matched.
struct Task<'i> {
    info: &'i SourceInfo,
    block: Block,
}

/// The block comes back, for its memory.
struct Done {
    matches: Matches,
    block: Block,
}

/// What reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Block,
    Nothing,
    Behind(Then),
}

/// Blocks that were given to threads, in the order in which they were read.
type UnderWay<'i> = Giver<Task<'i>, Done>;

fn work(plan: &Plan, tasks: &Worker<Task<'_>, Done>, mut scratch: Scratch) -> Scratch {
    let mut one = |Task { info, block }: Task<'_>| {
        let matches = match_block(plan, info, &block, &mut scratch);
        Done { matches, block }
    };
    while tasks.work(&mut one) {}
    scratch
}

impl Drive {
    /// Reads all sources, of which none is live, to their end or until a signal comes.
    pub(super) fn side_by_side(
        &mut self,
        look: impl FnMut(&SourceInfo, &Block) -> Result<(), Error>,
        each: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (plan, infos) = (Arc::clone(&self.plan), self.infos.clone());
        let scratch = std::mem::take(&mut self.scratch);
        let threads = scratch.len();
        thread::scope(|scope| {
            let (under_way, worker) = hand_over(TURN.max(FOR_EACH * threads));
            let begin = |scratch| {
                let (plan, worker) = (&*plan, worker.clone());
                scope.spawn(move || work(plan, &worker, scratch))
            };
            let workers: Vec<_> = scratch.into_iter().map(begin).collect();
            let outcome = self.keep_busy(&infos, threads, under_way, look, each);
            // A broken invariant of the engine ends the process, in whichever thread it shows.
            let joined = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            self.scratch = joined.collect();
            outcome
        })
    }

    fn keep_busy<'i>(
        &mut self,
        infos: &'i [SourceInfo],
        threads: usize,
        mut under_way: UnderWay<'i>,
        mut look: impl FnMut(&SourceInfo, &Block) -> Result<(), Error>,
        mut each: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while !self.interrupted() {
            let Some(source) = self.furthest_behind() else { break };
            let Some(info) = infos.get(source.0 as usize) else { break };
            let alone = self.open.len() == 1;
            let most = if alone { FOR_EACH * threads } else { TURN };
            let mut read = Read::Block;
            while read == Read::Block && under_way.under_way() < most {
                read = self.read_one((source, info), &mut under_way, &mut look)?;
            }
            let stays = if alone && read == Read::Block { most - 1 } else { 0 };
            self.take_until(stays, source, &mut under_way, &mut each)?;
            if let Read::Behind(then) = read {
                self.come_to(then, source, &mut each)?;
            }
        }
        // After a signal what was read still counts; it is all of the one source that was left.
        match self.open.first().copied() {
            Some(source) => self.take_until(0, source, &mut under_way, &mut each),
            None => Ok(()),
        }
    }

    /// Reads a block, if there is one, and gives it to the threads.
    fn read_one<'i>(
        &mut self,
        (source, info): (SourceId, &'i SourceInfo),
        under_way: &mut UnderWay<'i>,
        look: &mut impl FnMut(&SourceInfo, &Block) -> Result<(), Error>,
    ) -> Result<Read, Error> {
        match self.feed.next(source) {
            Given::Block(block) => {
                look(info, &block)?;
                // There are as many places as are ever under way.
                let given = under_way.give(Task { info, block });
                given.map_or_else(|_| Err(lost(Lost)), |()| Ok(Read::Block))
            }
            Given::Nothing(_) => Ok(Read::Nothing),
            Given::Failed(error) => {
                self.failed(&error);
                Ok(Read::Block)
            }
            Given::Ending if self.keeping.is_none() => Ok(Read::Block),
            Given::Ending => Ok(Read::Behind(Then::Ending)),
            Given::End => Ok(Read::Behind(Then::Ended)),
        }
    }

    /// Takes what has been matched, in order, until only so many blocks are under way.
    fn take_until(
        &mut self,
        stays: usize,
        source: SourceId,
        under_way: &mut UnderWay<'_>,
        each: &mut impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while under_way.under_way() > stays {
            let Some(done) = under_way.take() else { break };
            let Done { matches, block } = done.map_err(lost)?;
            self.state.take(source, matches);
            self.took(&block);
            self.feed.take_back(block);
            each(self)?;
        }
        Ok(())
    }
}

fn lost(_: Lost) -> Error {
    Error::failed("a thread that matches events has ended")
}
