//! The stages of the engine one by one, each over a load of its own, with what it must find.
//!
//! Criterion times them (`cargo bench -p auditd-rules-benches --bench stages`), and callgrind counts their instructions
//! (`cargo run --release -p auditd-rules-benches --bin instructions`), which is repeatable where time is not. What a stage needs is
//! made before, so that only the stage is measured; that what it finds is right is asserted each time.

use std::sync::Arc;

use dsl::source::SourceMap;
use engine::alert::Alert;
use engine::frame::blocks::{BLOCK_BYTES, Block, Blocks};
use engine::limits::Limits;
use engine::matches::{Matches, SourceId, SourceInfo};
use engine::matching::{Decoding, Scratch, match_block};
use engine::plan::Plan;
use engine::run::Run;
use engine::state::State;
use generate::{Generator, Options, Profile};

use crate::flood::{self, KINDS, Kind};
use crate::shipped;

/// What is measured; it says how much it found.
pub type Work<'s> = Box<dyn FnOnce() -> u64 + 's>;

/// A stage and its load.
pub struct Stage {
    /// As tables name it.
    pub name: String,
    /// How many events it goes through.
    pub events: u64,
    /// What it must find.
    expected: u64,
    ready: Box<dyn FnMut() -> Work<'static>>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("name", &self.name)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// What it does, with all that it needs.
    pub fn ready(&mut self) -> Work<'static> {
        (self.ready)()
    }

    /// Looks whether what it found is what it must find.
    ///
    /// # Panics
    /// If it is not.
    pub fn assert_found(&self, found: u64) {
        assert_eq!(found, self.expected, "{}: what it found", self.name);
    }
}

/// Events of a stage that reads lines.
const EVENTS: u64 = 4_000;
/// Events of a window: each is a match.
const MATCHES: u64 = 6_000;

/// The names of all stages.
#[must_use]
pub fn names() -> Vec<String> {
    let fixed = ["frame", "pass", "scan", "walk", "tape", "index", "rule by rule", "bodies", "alert"];
    let windows = KINDS.iter().map(|kind| format!("window: {}", kind.name));
    fixed.into_iter().map(str::to_owned).chain(windows).chain(["two sources".to_owned()]).collect()
}

/// A stage by its name.
///
/// # Panics
/// If there is none of that name, or its load cannot be made.
#[must_use]
pub fn stage(name: &str) -> Stage {
    match name {
        "frame" => frame(),
        // No rule reads requests received; all other events are rows that no rule takes.
        "pass" => {
            lines(name, "metadata", 1.0, &nothing(), Decoding::Auto, true, |matches| matches.tally.passed)
        }
        "scan" => lines(name, "metadata", 0.0, &nothing(), Decoding::Scan, true, decoded),
        "walk" => lines(name, "metadata", 0.0, &nothing(), Decoding::Walk, true, decoded),
        "tape" => lines(name, "metadata", 0.0, &nothing(), Decoding::Tape, true, decoded),
        "index" => lines(name, "metadata", 0.0, &shipped(), Decoding::Auto, true, found),
        "rule by rule" => lines(name, "metadata", 0.0, &shipped(), Decoding::Auto, false, found),
        "bodies" => lines(name, "requestresponse", 0.0, &shipped(), Decoding::Auto, true, found),
        "alert" => alerts(),
        "two sources" => two_sources(),
        _ => {
            let kind = name.strip_prefix("window: ");
            let kind = KINDS.iter().find(|of| Some(of.name) == kind);
            window(*kind.unwrap_or_else(|| panic!("no stage is called {name}")))
        }
    }
}

fn decoded(matches: &Matches) -> u64 {
    matches.tally.decoded
}

fn found(matches: &Matches) -> u64 {
    matches.found.len() as u64
}

fn info() -> SourceInfo {
    SourceInfo { name: "bench".into(), cluster: None }
}

fn text(profile: &str, received: f64) -> Vec<u8> {
    let options = Options { events: EVENTS, received, ..Options::default() };
    Generator::new(Profile::named(profile).expect("the profile is there"), options).text()
}

/// A rule that takes nothing.
fn nothing() -> SourceMap {
    let mut sources = SourceMap::default();
    let nothing = "rule nothing \"N\" { severity low on create of leases where user.username == \"nobody\" alert \"x\" }";
    sources.add("nothing.rule", nothing.to_owned());
    sources
}

fn plan(rules: &SourceMap) -> Arc<Plan> {
    let rules = dsl::check::compile(rules).rules.expect("the rules compile");
    Arc::new(Plan::new(&rules, Limits::default()))
}

fn frame() -> Stage {
    let text = Arc::new(text("metadata", 1.0));
    let expected = text.len() as u64;
    let ready = move || -> Work<'static> {
        let text = Arc::clone(&text);
        Box::new(move || {
            let mut blocks = Blocks::new(SourceId(0), BLOCK_BYTES, 64 << 20);
            let (mut rest, mut length) = (text.as_slice(), 0);
            let mut pop = |blocks: &mut Blocks| {
                while let Some(block) = blocks.pop() {
                    length += block.length;
                    blocks.take_back(block);
                }
            };
            loop {
                let got = blocks.read(|room| {
                    let few = room.len().min(rest.len());
                    room[..few].copy_from_slice(&rest[..few]);
                    Ok::<_, std::convert::Infallible>(few)
                });
                let Ok(got @ 1..) = got else { break };
                rest = &rest[got..];
                pop(&mut blocks);
            }
            blocks.finish();
            pop(&mut blocks);
            length
        })
    };
    Stage { name: "frame".to_owned(), events: EVENTS, expected, ready: Box::new(ready) }
}

/// A stage that makes matches of lines.
fn lines(
    name: &str,
    profile: &str,
    received: f64,
    rules: &SourceMap,
    decoding: Decoding,
    together: bool,
    what: fn(&Matches) -> u64,
) -> Stage {
    let (plan, info) = (plan(rules), info());
    let block: Arc<Block> = Arc::new(Blocks::whole(SourceId(0), &text(profile, received)));
    let scratch = || {
        let mut scratch = Scratch::default();
        scratch.decode_with(decoding);
        scratch.index_conditions(together);
        scratch
    };
    // The other way to ask, and the general decoder: what they find is what must be found.
    let expected = match name {
        "pass" => EVENTS - received_left(&block),
        "scan" | "walk" | "tape" => EVENTS,
        _ => {
            let mut slow = Scratch::default();
            slow.decode_with(Decoding::Tape);
            slow.index_conditions(!together);
            what(&match_block(&plan, &info, &block, &mut slow))
        }
    };
    assert!(expected > 0, "{name}: there is nothing to find");
    let warm = Arc::new(std::sync::Mutex::new(scratch()));
    let ready = move || -> Work<'static> {
        let (plan, info, block, warm) =
            (Arc::clone(&plan), info.clone(), Arc::clone(&block), Arc::clone(&warm));
        Box::new(move || {
            let mut scratch = warm.lock().expect("no stage panicked");
            what(&match_block(&plan, &info, &block, &mut scratch))
        })
    };
    Stage { name: name.to_owned(), events: EVENTS, expected, ready: Box::new(ready) }
}

/// Lines that are no requests received.
fn received_left(block: &Block) -> u64 {
    let received = b"\"stage\":\"RequestReceived\"";
    let lines = block.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.filter(|line| !line.windows(received.len()).any(|part| part == received)).count() as u64
}

/// Deciding alone: matches of a few keys, made before.
fn window(kind: Kind) -> Stage {
    let limits = Limits::default();
    let (plan, text) = flood::load(kind, MATCHES, limits);
    let matches =
        |text: &[u8]| match_block(&plan, &info(), &Blocks::whole(SourceId(0), text), &mut Scratch::default());
    let matches = matches(&text);
    let run = move |matches: Matches| {
        let mut state = State::new(Arc::clone(&plan), limits);
        let source = state.add_source(info());
        state.take(source, matches);
        state.end(source);
        state.finish();
        state
    };
    let expected = flood::told_of_few(kind, MATCHES);
    let run = Arc::new(run);
    let ready = move || -> Work<'static> {
        let (matches, run) = (matches.clone(), Arc::clone(&run));
        Box::new(move || {
            let mut told = Vec::new();
            run(matches).drain(&mut told);
            told.len() as u64
        })
    };
    Stage { name: format!("window: {}", kind.name), events: MATCHES, expected, ready: Box::new(ready) }
}

/// Bringing what comes from two sources into one order, from lines to alerts.
fn two_sources() -> Stage {
    let kind = KINDS[0];
    let (plan, text) = flood::load(kind, MATCHES, Limits::default());
    let mut parts = [Vec::new(), Vec::new()];
    for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        parts[number % 2].extend_from_slice(line);
    }
    let parts = Arc::new(parts);
    let ready = move || -> Work<'static> {
        let (plan, parts) = (Arc::clone(&plan), Arc::clone(&parts));
        Box::new(move || {
            let mut run = Run::new(plan, Limits::default()).block_bytes(32 << 10);
            for text in parts.iter() {
                run.add(info(), text);
            }
            run.finish().alerts.len() as u64
        })
    };
    let expected = flood::told_of_few(kind, MATCHES);
    Stage { name: "two sources".to_owned(), events: MATCHES, expected, ready: Box::new(ready) }
}

/// Writing alerts.
fn alerts() -> Stage {
    let mut run = Run::new(plan(&shipped()), Limits::default());
    run.add(info(), &text("requestresponse", 0.0));
    let alerts: Arc<Vec<Alert>> = Arc::new(run.finish().alerts);
    let expected = alerts.len() as u64;
    assert!(expected > 0, "the load raises no alerts");
    let ready = move || -> Work<'static> {
        let alerts = Arc::clone(&alerts);
        Box::new(move || {
            let mut out = Vec::new();
            alerts.iter().for_each(|alert| {
                alert.to_json(&mut out);
                out.push(b'\n');
            });
            out.iter().filter(|byte| **byte == b'\n').count() as u64
        })
    };
    Stage { name: "alert".to_owned(), events: expected, expected, ready: Box::new(ready) }
}
