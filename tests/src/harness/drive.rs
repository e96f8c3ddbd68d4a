//! The engine driven as a program drives it: blocks cut anywhere, matched on several threads, taken in order, the state
//! saved and loaded on the way.

use std::sync::Arc;
use std::thread;

use engine::alert::Alert;
use engine::frame::blocks::{Block, Blocks};
use engine::limits::{Limits, VIRTUAL_SHARDS};
use engine::matches::{Matches, SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::state::State;

use crate::generate::Choices;

/// A source: its name, its cluster, its bytes.
pub(super) type Fed = (String, Option<String>, Vec<u8>);

/// How a log is driven through the engine; nothing of it may show in the answer.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// So many blocks are matched side by side.
    pub(super) threads: usize,
    /// About so many bytes are read at once; each is a block of its own, or not.
    pub(super) piece: usize,
    /// So many times the state is saved and another one goes on from there.
    pub(super) cuts: usize,
    /// What is drawn on the way.
    pub(super) seed: u64,
}

impl Way {
    /// Some way.
    #[must_use]
    pub(super) fn random(choices: &mut Choices<'_>) -> Self {
        Self {
            threads: *choices.pick(&[1, 2, 7]),
            piece: *choices.pick(&[100, 700, 3_000, 1 << 20]),
            cuts: *choices.pick(&[0, 1, 1, 2]),
            seed: choices.below(1 << 30) as u64,
        }
    }
}

/// A run on its way.
struct Drive {
    plan: Arc<Plan>,
    limits: Limits,
    state: State,
    infos: Vec<SourceInfo>,
    /// The blocks of each source that are still to come, the next one last.
    left: Vec<Vec<Block>>,
    open: Vec<SourceId>,
    scratch: Vec<Scratch>,
    alerts: Vec<Alert>,
}

/// The alerts of sources that are driven this way.
///
/// # Errors
/// If a state that was saved cannot be loaded.
pub(super) fn drive(
    plan: &Arc<Plan>,
    limits: Limits,
    sources: &[Fed],
    way: &Way,
) -> Result<Vec<Alert>, String> {
    let mut choices = Choices::seeded(way.seed);
    let mut state = State::new(Arc::clone(plan), limits);
    let info = |(name, cluster, _): &Fed| SourceInfo {
        name: name.as_str().into(),
        cluster: cluster.as_deref().map(Into::into),
    };
    let infos: Vec<SourceInfo> = sources.iter().map(info).collect();
    let open: Vec<SourceId> = infos.iter().map(|info| state.add_source(info.clone())).collect();
    let cut = |(id, fed): (&SourceId, &Fed)| cut(*id, &fed.2, way.piece, limits, &mut choices);
    let left: Vec<Vec<Block>> = open.iter().zip(sources).map(cut).collect();
    let all: usize = left.iter().map(Vec::len).sum();
    let cuts: Vec<usize> = (0..way.cuts).map(|_| choices.below(all + 1)).collect();
    let scratch = (0..way.threads.max(1)).map(|_| Scratch::default()).collect();
    let plan = Arc::clone(plan);
    let mut drive = Drive { plan, limits, state, infos, left, open, scratch, alerts: Vec::new() };
    drive.run(&cuts)?;
    Ok(drive.alerts)
}

/// A source's blocks, the last one first.
fn cut(id: SourceId, bytes: &[u8], piece: usize, limits: Limits, choices: &mut Choices<'_>) -> Vec<Block> {
    let mut blocks = Blocks::new(id, piece, limits.line_bytes_max);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, after) = rest.split_at(rest.len().min(1 + choices.below(2 * piece)));
        blocks.push(now);
        if choices.chance(40) {
            blocks.flush();
        }
        rest = after;
    }
    blocks.finish();
    let mut all: Vec<Block> = std::iter::from_fn(|| blocks.pop()).collect();
    all.reverse();
    all
}

impl Drive {
    fn run(&mut self, cuts: &[usize]) -> Result<(), String> {
        let mut taken = 0;
        loop {
            let behind = self.open.iter().copied().min_by_key(|source| (self.state.clock(*source), source.0));
            let Some(source) = behind else { break };
            let left = &mut self.left[source.0 as usize];
            let some = left.split_off(left.len().saturating_sub(self.scratch.len()));
            for matches in self.matched(source, some.into_iter().rev().collect()) {
                if cuts.contains(&taken) {
                    self.reload()?;
                }
                self.state.take(source, matches);
                taken += 1;
            }
            if self.left[source.0 as usize].is_empty() {
                self.open.retain(|open| *open != source);
                self.state.end(source);
            }
        }
        if cuts.contains(&taken) {
            self.reload()?;
        }
        self.state.finish();
        self.state.drain(&mut self.alerts);
        Ok(())
    }

    fn matched(&mut self, source: SourceId, blocks: Vec<Block>) -> Vec<Matches> {
        let (plan, info) = (&*self.plan, &self.infos[source.0 as usize]);
        thread::scope(|scope| {
            let run =
                |(block, scratch): (Block, _)| scope.spawn(move || match_block(plan, info, &block, scratch));
            let running: Vec<_> = blocks.into_iter().zip(&mut self.scratch).map(run).collect();
            let joined = running.into_iter().map(thread::ScopedJoinHandle::join);
            joined.map(|of| of.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    }

    /// Another state goes on from what this one leaves.
    fn reload(&mut self) -> Result<(), String> {
        self.state.drain(&mut self.alerts);
        let mut next = State::new(Arc::clone(&self.plan), self.limits);
        let told = |error| format!("a saved state is not loaded: {error}");
        next.load_head(&self.state.save_head()).map_err(told)?;
        for shard in 0..VIRTUAL_SHARDS {
            next.load(shard, &self.state.save(shard)).map_err(told)?;
        }
        self.state = next;
        Ok(())
    }
}
