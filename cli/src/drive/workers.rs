//! Blocks on threads that stay for the run: while they match some, the next are read and those before are taken.
//!
//! What is under way stands in a queue in the order in which it was read, and is taken in that order, whoever was done first. As
//! much is under way as keeps every thread busy, and no more is read: the source waits.
//!
//! Of several sources which is read next depends on what was taken, so only blocks of one turn are under way then, as many for
//! any number of threads. Once one source is left, as from the start of most runs, nothing depends on it, and blocks are read
//! ahead.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;

use connect::Error;
use connect::feed::Given;
use crossbeam_channel::{Receiver, Sender, bounded};
use engine::frame::blocks::Block;
use engine::matches::{Matches, SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;

use super::{Drive, TURN};

/// Blocks under way for each thread: one that is matched, and some to go on with.
const FOR_EACH: usize = 4;

/// A block to be matched.
struct Task<'i> {
    info: &'i SourceInfo,
    block: Block,
    give: Sender<Done>,
}

/// The block comes back, for its memory.
struct Done {
    matches: Matches,
    block: Block,
}

/// What reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    More,
    Nothing,
    Ended,
}

/// Blocks that were given to threads, in the order in which they were read.
struct UnderWay<'i> {
    tasks: Sender<Task<'i>>,
    queue: VecDeque<Receiver<Done>>,
}

fn work(plan: &Plan, tasks: &Receiver<Task<'_>>, mut scratch: Scratch) -> Scratch {
    for Task { info, block, give } in tasks {
        let matches = match_block(plan, info, &block, &mut scratch);
        // If nobody waits for it any more, the run has failed.
        let _failed = give.send(Done { matches, block });
    }
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
            let (tasks, taken) = bounded(FOR_EACH * threads);
            let begin = |scratch| {
                let (plan, taken) = (&*plan, taken.clone());
                scope.spawn(move || work(plan, &taken, scratch))
            };
            let workers: Vec<_> = scratch.into_iter().map(begin).collect();
            drop(taken);
            let under_way = UnderWay { tasks, queue: VecDeque::new() };
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
            let mut read = Read::More;
            while read == Read::More && under_way.queue.len() < most {
                read = self.read_one((source, info), &mut under_way, &mut look)?;
            }
            let stays = if alone && read == Read::More { most - 1 } else { 0 };
            self.take_until(stays, source, &mut under_way, &mut each)?;
            if read == Read::Ended {
                self.open.retain(|open| *open != source);
                self.state.end(source);
                each(self)?;
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
                let (give, done) = bounded(1);
                under_way.queue.push_back(done);
                // If no thread is left, the block never comes back, which is seen there.
                let _none_left = under_way.tasks.send(Task { info, block, give });
                Ok(Read::More)
            }
            Given::Nothing(_) => Ok(Read::Nothing),
            Given::Failed(error) => {
                self.failed(&error);
                Ok(Read::More)
            }
            Given::End => Ok(Read::Ended),
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
        while under_way.queue.len() > stays {
            let Some(done) = under_way.queue.pop_front() else { break };
            let Ok(Done { matches, block }) = done.recv() else {
                return Err(Error::failed("a thread that matches events has ended"));
            };
            self.state.take(source, matches);
            self.feed.take_back(block);
            each(self)?;
        }
        Ok(())
    }
}
