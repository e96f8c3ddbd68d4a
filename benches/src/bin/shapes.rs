//! The shipped rules over the same events in every shape in which they arrive: `shapes [EVENTS]`.
//!
//! Lines of level Metadata and with all bodies, long ones and very long ones, lists and records as collectors write them, pretty-printed,
//! behind a container runtime's prefix. One thread, from bytes to alerts; of three turns the best, by what a processor spent. That the
//! alerts depend neither on the shape nor on the decoder is asserted, and that there is no cliff: no shape takes more than [`CLIFF`] times what the
//! same bytes take as plain lines of its level when the general decoder alone reads them.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use benches::worked;
use engine::frame::blocks::{BLOCK_BYTES, Blocks};
use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::matching::{Decoding, Scratch, match_block};
use engine::plan::Plan;
use engine::state::State;
use generate::{Form, Generator, Options, Profile};
use mimalloc::MiMalloc;

/// The one that the shipped program has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// See the module.
const CLIFF: f64 = 3.0;
const TURNS: usize = 3;

/// A log in one shape.
struct Shape {
    name: String,
    text: Vec<u8>,
    /// Whose plain lines it is beside.
    of: &'static str,
    /// It is made of these lines, and so has the same alerts; the generator throws its dice anew for lists.
    same: bool,
}

fn main() -> ExitCode {
    let events = std::env::args().nth(1).map_or(40_000, |text| text.parse().expect("a number of events"));
    let rules = dsl::check::compile(&benches::shipped()).rules.expect("they compile");
    let plan = Arc::new(Plan::new(&rules, Limits::default()));
    let mut known: Vec<(&str, u64, u64, f64)> = Vec::new();
    let mut failed = false;
    println!(
        "| shape | bytes an event | events/s | MB/s | of the tape on its plain lines, by bytes | alerts |"
    );
    println!("|---|---|---|---|---|---|");
    for shape in shapes(events) {
        let (took, read, alerts) = best(&plan, &shape.text, Decoding::Auto);
        let bytes = shape.text.len() as f64;
        let of = known.iter().find(|(of, ..)| *of == shape.of).copied();
        // The first of its events is their plain lines.
        let (_, told, events, tape) = of.unwrap_or_else(|| {
            let (slow, ..) = best(&plan, &shape.text, Decoding::Tape);
            let of = (shape.of, alerts, read, bytes / slow.as_secs_f64());
            known.push(of);
            of
        });
        let expected = if shape.same { told } else { once(&plan, &shape.text, Decoding::Tape).2 };
        assert_eq!((alerts, read), (expected, events), "{}: the shape changes nothing", shape.name);
        let rate = bytes / took.as_secs_f64();
        let share = rate / tape;
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {share:.2} | {alerts} |",
            shape.name,
            bytes / read as f64,
            read as f64 / took.as_secs_f64(),
            rate / 1e6,
        );
        if share * CLIFF < 1.0 {
            failed = true;
            eprintln!("{}: a cliff", shape.name);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The time at work, how many events were read, and how many alerts came.
fn best(plan: &Arc<Plan>, text: &[u8], decoding: Decoding) -> (Duration, u64, u64) {
    let turns = (0..TURNS).map(|_| once(plan, text, decoding));
    turns.min_by_key(|(took, ..)| *took).expect("there are turns")
}

fn once(plan: &Arc<Plan>, text: &[u8], decoding: Decoding) -> (Duration, u64, u64) {
    let limits = Limits::default();
    let info = SourceInfo { name: "shapes".into(), cluster: None };
    let mut state = State::new(Arc::clone(plan), limits);
    let source = state.add_source(info.clone());
    let mut scratch = Scratch::default();
    scratch.decode_with(decoding);
    let mut blocks = Blocks::new(source, BLOCK_BYTES, limits.line_bytes_max);
    let began = worked();
    for piece in text.chunks(BLOCK_BYTES) {
        blocks.push(piece);
        take(&mut blocks, &mut state, |block| match_block(plan, &info, block, &mut scratch));
    }
    blocks.finish();
    take(&mut blocks, &mut state, |block| match_block(plan, &info, block, &mut scratch));
    state.end(source);
    state.finish();
    let mut told = Vec::new();
    state.drain(&mut told);
    let took = worked().saturating_sub(began);
    let tally = state.tally();
    assert_eq!(tally.undecodable.len(), 0, "all of it is events");
    (took, tally.read, told.len() as u64)
}

fn take(
    blocks: &mut Blocks,
    state: &mut State,
    mut matched: impl FnMut(&engine::frame::blocks::Block) -> engine::matches::Matches,
) {
    while let Some(block) = blocks.pop() {
        let matches = matched(&block);
        state.take(block.source, matches);
        blocks.take_back(block);
    }
}

/// Every shape, the plain lines of its events first.
fn shapes(events: u64) -> Vec<Shape> {
    let made_with = |profile: &str, events: u64, form: Form, received: f64| {
        let options = Options { events, form, received, ..Options::default() };
        Generator::new(Profile::named(profile).expect("it is there"), options).text()
    };
    let made = |profile: &str, events: u64, form: Form| made_with(profile, events, form, 1.0);
    let mut shapes = Vec::new();
    for (profile, few) in [("metadata", events), ("requestresponse", events / 3)] {
        let lines = made(profile, few, Form::Lines);
        let mut put = |name: &str, text: Vec<u8>, same: bool| {
            shapes.push(Shape { name: format!("{profile}, {name}"), text, of: profile, same });
        };
        put("lines", lines.clone(), true);
        for (name, form) in Form::ALL.into_iter().filter(|(_, form)| *form != Form::Lines) {
            put(name, made(profile, few, form), false);
        }
        let mut add = |name: &str, text: Vec<u8>| put(name, text, true);
        add(
            "lines behind a runtime's prefix",
            each_line(&lines, |line, out| {
                out.extend_from_slice(b"2026-01-05T00:00:00.123456789Z stdout F ");
                out.extend_from_slice(line);
            }),
        );
        add(
            "lines that end in \\r\\n",
            each_line(&lines, |line, out| {
                out.extend_from_slice(line);
                out.push(b'\r');
            }),
        );
        add("over many lines each", each_line(&lines, pretty));
    }
    for (name, bytes, of) in [("12 KB", 12_000, "12 KB"), ("1 MB", 1_000_000, "1 MB")] {
        let few = (events * 1_000 / bytes as u64).max(40);
        let lines = made_with("metadata", few, Form::Lines, 0.0);
        let text = each_line(&lines, |line, out| with_body(line, bytes, out));
        shapes.push(Shape { name: format!("bodies of {name}"), text, of, same: true });
    }
    shapes
}

fn each_line(text: &[u8], mut with: impl FnMut(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        with(line, &mut out);
        out.push(b'\n');
    }
    out
}

/// The same JSON with a line for each part of it.
fn pretty(line: &[u8], out: &mut Vec<u8>) {
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    let broken = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    for byte in line {
        let text = inside;
        match byte {
            b'"' if !escaped => inside = !inside,
            b'}' | b']' if !text => {
                depth -= 1;
                broken(out, depth);
            }
            _ => {}
        }
        escaped = text && *byte == b'\\' && !escaped;
        out.push(*byte);
        match byte {
            b'{' | b'[' if !text => {
                depth += 1;
                broken(out, depth);
            }
            b',' if !text => broken(out, depth),
            b':' if !text => out.push(b' '),
            _ => {}
        }
    }
}

/// The line with an answer of about so many bytes.
fn with_body(line: &[u8], bytes: usize, out: &mut Vec<u8>) {
    let before = b",\"requestReceivedTimestamp\":\"";
    let at = line.windows(before.len()).position(|part| part == before).expect("an event has its time");
    let (front, behind) = line.split_at(at);
    out.extend_from_slice(front);
    out.extend_from_slice(
        b",\"responseObject\":{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[",
    );
    let item = br#"{"metadata":{"name":"settings","namespace":"shop","labels":{"app":"cart"}},"data":{"a.conf":"one=1\ntwo=\"2\"\n"}}"#;
    for number in 0..bytes / (item.len() + 1) {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item);
    }
    out.extend_from_slice(b"]}");
    out.extend_from_slice(behind);
}
