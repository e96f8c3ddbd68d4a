//! The engine driven as a program drives it: blocks cut anywhere, matched on several threads, taken in order, the state
//! saved and loaded on the way, under the same rules or others; or live, in the order of arrival, with silences between.

use std::sync::Arc;
use std::thread;

use engine::alert::Alert;
use engine::frame::blocks::{Block, Blocks};
use engine::limits::{Limits, VIRTUAL_SHARDS};
use engine::matches::{Matches, SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::state::{RunTally, State};
use engine::time::Tick;

use super::frame;
use super::run::{fed, limits};
use crate::generate::{Case, Choices};
use crate::reference::Silence;

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
    /// Rules about requests themselves have tables.
    pub(super) tables: bool,
    /// What is drawn on the way.
    pub(super) seed: u64,
}

impl Way {
    /// Some way on so many threads.
    #[must_use]
    pub(super) fn random(threads: usize, choices: &mut Choices<'_>) -> Self {
        Self {
            threads,
            piece: *choices.pick(&[100, 700, 3_000, 1 << 20]),
            cuts: *choices.pick(&[0, 1, 1, 2]),
            tables: choices.chance(80),
            seed: choices.below(1 << 30) as u64,
        }
    }
}

/// A run on its way.
struct Drive {
    plan: Arc<Plan>,
    /// The rules that the next state goes on with, if it is others.
    other: Option<Arc<Plan>>,
    /// Rules of which a state that was loaded said that they begin anew.
    dropped: Vec<String>,
    limits: Limits,
    state: State,
    infos: Vec<SourceInfo>,
    /// The blocks of each source that are still to come, the next one last.
    left: Vec<Vec<Block>>,
    open: Vec<SourceId>,
    scratch: Vec<Scratch>,
    /// In which every condition is asked by itself.
    plain: Scratch,
    alerts: Vec<Alert>,
}

/// The alerts of a case that is driven this way.
///
/// # Errors
/// If a state that was saved cannot be loaded.
pub(super) fn drive(plan: &Arc<Plan>, case: &Case, way: &Way) -> Result<(Vec<Alert>, RunTally), String> {
    let (mut drive, mut choices) = Drive::new(plan, case, way);
    drive.go(case, way, &mut choices)?;
    Ok((drive.alerts, drive.state.tally().clone()))
}

/// The alerts of a case that goes on under other rules somewhere, and the rules that began anew then.
///
/// # Errors
/// If a state that was saved cannot be loaded.
pub(super) fn drive_over(
    plan: &Arc<Plan>,
    other: Arc<Plan>,
    case: &Case,
    way: &Way,
) -> Result<(Vec<Alert>, Vec<String>), String> {
    let (mut drive, mut choices) = Drive::new(plan, case, way);
    drive.other = Some(other);
    drive.go(case, &Way { cuts: 1, ..way.clone() }, &mut choices)?;
    Ok((drive.alerts, drive.dropped))
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
    fn new<'a>(plan: &Arc<Plan>, case: &Case, way: &Way) -> (Self, Choices<'a>) {
        let (choices, limits) = (Choices::seeded(way.seed), limits(case));
        // While there is room nothing of the key may show.
        let mut state = match way.seed {
            0 => State::new(Arc::clone(plan), limits),
            seed => State::with_key(
                Arc::clone(plan),
                limits,
                [seed.to_le_bytes(); 4].as_flattened().try_into().unwrap_or_default(),
            ),
        };
        let infos: Vec<SourceInfo> = case
            .sources
            .iter()
            .map(|source| SourceInfo {
                name: source.name.as_str().into(),
                cluster: source.cluster.as_deref().map(Into::into),
            })
            .collect();
        let open: Vec<SourceId> = infos.iter().map(|info| state.add_source(info.clone())).collect();
        let scratch = (0..way.threads.max(1)).map(|_| Scratch::default()).collect();
        let mut plain = Scratch::default();
        plain.index_conditions(false);
        let drive = Self {
            plan: Arc::clone(plan),
            other: None,
            dropped: Vec::new(),
            limits,
            state,
            infos,
            left: Vec::new(),
            open,
            scratch,
            plain,
            alerts: Vec::new(),
        };
        (drive, choices)
    }

    fn go(&mut self, case: &Case, way: &Way, choices: &mut Choices<'_>) -> Result<(), String> {
        if case.live() { self.live(case, way, choices) } else { self.bounded(case, way, choices) }
    }

    fn bounded(&mut self, case: &Case, way: &Way, choices: &mut Choices<'_>) -> Result<(), String> {
        let (sources, limits) = (fed(case), self.limits);
        let cut = |(id, fed): (&SourceId, &Fed)| cut(*id, &fed.2, way.piece, limits, choices);
        self.left = self.open.iter().zip(&sources).map(cut).collect();
        let all: usize = self.left.iter().map(Vec::len).sum();
        let cuts: Vec<usize> = (0..way.cuts).map(|_| choices.below(all + 1)).collect();
        self.run(&cuts)
    }

    /// In the order of arrival, each source as far as it goes until another one speaks or somebody looks.
    fn live(&mut self, case: &Case, way: &Way, choices: &mut Choices<'_>) -> Result<(), String> {
        let framed = frame(case);
        let blocks = |id: &SourceId| Blocks::new(*id, way.piece, self.limits.line_bytes_max);
        let mut blocks: Vec<Blocks> = self.open.iter().map(blocks).collect();
        let mut read = vec![0; case.sources.len()];
        let cuts: Vec<usize> = (0..way.cuts).map(|_| choices.below(case.arrivals.len() + 1)).collect();
        for (at, arrival) in case.arrivals.iter().enumerate() {
            if cuts.contains(&at) {
                self.reload()?;
            }
            let (source, end) = (arrival.source, framed.ends[at]);
            let mut rest = framed.bytes[source].get(read[source]..end).unwrap_or_default();
            read[source] = end.max(read[source]);
            while !rest.is_empty() {
                let (now, after) = rest.split_at(rest.len().min(1 + choices.below(2 * way.piece)));
                blocks[source].push(now);
                rest = after;
            }
            // What of a row of events comes together nobody says.
            let next = case.arrivals.get(at + 1);
            let goes_on = arrival.silences.is_empty()
                && next.is_some_and(|next| next.source == source && next.read == arrival.read);
            if !goes_on || choices.chance(50) {
                blocks[source].flush();
            }
            let ready = std::iter::from_fn(|| blocks[source].pop()).collect();
            for matches in self.matched(self.open[source], ready)? {
                self.state.take(self.open[source], matches.stamped(arrival.read));
            }
            for Silence { source, silent, wall } in &arrival.silences {
                self.state.tick(self.open[*source], Tick { silent: *silent, wall: *wall });
            }
        }
        if cuts.contains(&case.arrivals.len()) {
            self.reload()?;
        }
        // All end at once: of two that are silent the one that ended first would let time run on with the other.
        self.state.finish();
        self.state.drain(&mut self.alerts);
        Ok(())
    }

    fn run(&mut self, cuts: &[usize]) -> Result<(), String> {
        let mut taken = 0;
        loop {
            let behind = self.open.iter().copied().min_by_key(|source| (self.state.clock(*source), source.0));
            let Some(source) = behind else { break };
            // Matches of other rules would be none of the next state's.
            if self.other.is_some()
                && cuts.iter().any(|cut| (taken..taken + self.scratch.len()).contains(cut))
            {
                self.reload()?;
            }
            let left = &mut self.left[source.0 as usize];
            let some = left.split_off(left.len().saturating_sub(self.scratch.len()));
            for matches in self.matched(source, some.into_iter().rev().collect())? {
                if self.other.is_none() && cuts.contains(&taken) {
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

    fn matched(&mut self, source: SourceId, blocks: Vec<Block>) -> Result<Vec<Matches>, String> {
        let (plan, info) = (&*self.plan, &self.infos[source.0 as usize]);
        let plain: Vec<Matches> =
            blocks.iter().map(|block| match_block(plan, info, block, &mut self.plain)).collect();
        if let [scratch] = &mut *self.scratch {
            let found: Vec<Matches> =
                blocks.iter().map(|block| match_block(plan, info, block, scratch)).collect();
            return same_either_way(plain, found);
        }
        let mut done = Vec::new();
        let mut blocks = blocks.into_iter().peekable();
        while blocks.peek().is_some() {
            let some: Vec<Block> = blocks.by_ref().take(self.scratch.len()).collect();
            done.extend(side_by_side(plan, info, some, &mut self.scratch));
        }
        same_either_way(plain, done)
    }

    /// Another state goes on from what this one leaves.
    fn reload(&mut self) -> Result<(), String> {
        self.state.drain(&mut self.alerts);
        if let Some(other) = self.other.take() {
            self.plan = other;
            self.scratch.iter_mut().for_each(|scratch| *scratch = Scratch::default());
        }
        let mut next = State::new(Arc::clone(&self.plan), self.limits);
        let told = |error| format!("a saved state is not loaded: {error}");
        let dropped = next.load_head(&self.state.save_head()).map_err(told)?;
        self.dropped.extend(dropped.iter().map(|dropped| dropped.rule.to_string()));
        for shard in 0..VIRTUAL_SHARDS {
            next.load(shard, &self.state.save(shard)).map_err(told)?;
        }
        self.state = next;
        Ok(())
    }
}

/// What was found with conditions asked together, which must be all that is found where each is asked by itself.
fn same_either_way(plain: Vec<Matches>, together: Vec<Matches>) -> Result<Vec<Matches>, String> {
    for (plain, together) in plain.iter().zip(&together) {
        let same = plain.found == together.found
            && plain.requests == together.requests
            && plain.tally.rules == together.tally.rules;
        if !same {
            return Err(format!("with an index of conditions\n{together:#?}\nwithout\n{plain:#?}"));
        }
    }
    (plain.len() == together.len()).then_some(together).ok_or_else(|| "blocks are missing".to_owned())
}

fn side_by_side(plan: &Plan, info: &SourceInfo, blocks: Vec<Block>, scratch: &mut [Scratch]) -> Vec<Matches> {
    thread::scope(|scope| {
        let run =
            |(block, scratch): (Block, _)| scope.spawn(move || match_block(plan, info, &block, scratch));
        let running: Vec<_> = blocks.into_iter().zip(scratch).map(run).collect();
        let joined = running.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|of| of.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
