//! What a thousand rules cost over fifty and ten: `many-rules [EVENTS] [SEED] [RULES]`.
//!
//! The same log under the first 10, the first 50 and all 1,000 rules of one mix (`generate::Many`), each with the index of
//! conditions and without, in turns in one run and one thread. What is timed is what a processor spent on decoding, matching and deciding;
//! of several turns the best counts. Every turn's matches and alerts must be the same with and without the index. The
//! table goes to standard output; the run fails if a thousand rules are slower than half the speed of fifty. With RULES only so many run, with
//! the index and many times, for a profiler to look at.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use benches::worked;
use engine::frame::blocks::{BLOCK_BYTES, Block, Blocks};
use engine::limits::Limits;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::state::State;
use generate::{Many, Profile};
use mimalloc::MiMalloc;

/// The one that the shipped program has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const SIZES: [usize; 3] = [10, 50, 1_000];
const TURNS: usize = 5;
const PROFILED_TURNS: usize = 30;

/// What a turn found, and what it took.
struct Turn {
    /// Matches, matches a rule, how many conditions stayed unknown, alerts.
    found: (u64, Vec<(u64, u64)>, u64),
    matching: Duration,
    all: Duration,
}

fn turn(log: &[Block], events: u64, plan: &Arc<Plan>, indexed: bool) -> Turn {
    let limits = Limits::default();
    let mut state = State::new(plan.clone(), limits);
    let info = SourceInfo::default();
    let source = state.add_source(info.clone());
    let mut scratch = Scratch::default();
    scratch.index_conditions(indexed);
    let (mut matches, mut alerts, mut matching) = (0, Vec::new(), Duration::ZERO);
    let began = worked();
    for block in log {
        let before = worked();
        let found = match_block(plan, &info, block, &mut scratch);
        matching += worked().saturating_sub(before);
        matches += found.found.len() as u64;
        state.take(source, found);
    }
    state.end(source);
    state.finish();
    state.drain(&mut alerts);
    let all = worked().saturating_sub(began);
    let tally = state.tally();
    assert_eq!(tally.decoded + tally.passed, events);
    let rules = tally.rules.iter().map(|rule| (rule.selected, rule.unknown_decided)).collect();
    Turn { found: (matches, rules, alerts.len() as u64), matching, all }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let events = args.next().unwrap_or(100_000);
    let seed = args.next().unwrap_or(1);
    let most = SIZES.iter().copied().max().unwrap_or(0);
    let profile = Profile::named("metadata").expect("the profile is there");
    let many = Many::new(most, profile, events, seed).expect("enough rules match a few events");
    let mut blocks = Blocks::new(SourceId(0), BLOCK_BYTES, 64 << 20);
    blocks.push(many.log.as_bytes());
    blocks.finish();
    let log: Vec<Block> = std::iter::from_fn(|| blocks.pop()).collect();
    if let Some(rules) = args.next() {
        let rules = usize::try_from(rules).expect("a number of rules");
        let plan = Arc::new(Plan::new(&many.compiled(rules).expect("the rules compile"), Limits::default()));
        let turns = (0..PROFILED_TURNS).map(|_| turn(&log, events, &plan, true));
        let best = turns.map(|turn| turn.matching).min().unwrap_or_default();
        println!("{rules} rules: {:.0} ns an event", best.as_secs_f64() * 1e9 / events as f64);
        return ExitCode::SUCCESS;
    }
    println!(
        "| rules | plan made in | conditions | events/s, matching | events/s, with windows and alerts | of 50 rules | matches | alerts |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let plans = SIZES.map(|size| {
        let rules = many.compiled(size).expect("the rules compile");
        let made = (0..TURNS).map(|_| {
            let began = worked();
            let plan = Plan::new(&rules, Limits::default());
            (worked().saturating_sub(began), plan)
        });
        let (time, plan) = made.min_by_key(|(time, _)| *time).expect("there are turns");
        (size, Arc::new(plan), time)
    });
    let mut best: Vec<[Option<Turn>; 2]> = SIZES.iter().map(|_| [None, None]).collect();
    for _ in 0..TURNS {
        for ((_, plan, _), best) in plans.iter().zip(&mut best) {
            for indexed in [true, false] {
                let turn = turn(&log, events, plan, indexed);
                let best = &mut best[usize::from(!indexed)];
                if best.as_ref().is_none_or(|best| turn.all < best.all) {
                    *best = Some(turn);
                }
            }
        }
    }
    let rate = |time: Duration| events as f64 / time.as_secs_f64();
    let mut shares = Vec::new();
    for indexed in [true, false] {
        let of = |size: usize| {
            let at = SIZES.iter().position(|one| *one == size)?;
            best[at][usize::from(!indexed)].as_ref()
        };
        let fifty = of(50).expect("fifty rules have run");
        for (size, _, made) in &plans {
            let turn = of(*size).expect("each has run");
            let share = fifty.all.as_secs_f64() / turn.all.as_secs_f64();
            if indexed {
                shares.push((*size, share));
            }
            println!(
                "| {size} | {:.0} ms | {} | {:.0} | {:.0} | {share:.2} | {} | {} |",
                made.as_secs_f64() * 1e3,
                if indexed { "indexed" } else { "one by one" },
                rate(turn.matching),
                rate(turn.all),
                turn.found.0,
                turn.found.2,
            );
        }
    }
    for ((size, ..), best) in plans.iter().zip(&best) {
        let [Some(with), Some(without)] = best else { continue };
        assert_eq!(with.found, without.found, "{size} rules find the same either way");
    }
    let slow = shares.iter().any(|(size, share)| *size == most && *share < 0.5);
    if slow {
        eprintln!("missed: {most} rules are slower than half of 50");
    }
    if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
