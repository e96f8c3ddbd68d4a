//! Ten million keys that were never seen before, past a rule of each kind of memory: `many-keys [EVENTS] [KIND]...`.
//!
//! Each kind is run twice with the same number of events, of a thousand keys and of as many keys as events, each run in a
//! process of its own so that its memory is its own. What is timed is the engine, in one thread, by what a
//! processor spent on it. The table goes to standard
//! output; the run fails if what must be told was not, if memory still grew after the first half, or if a flood
//! is slower than a third of the same number of events of few keys.

use std::process::{Command, ExitCode};

use benches::flood::{KINDS, Kind, Outcome, assert_told, planted, run};
use engine::limits::Limits;
use mimalloc::MiMalloc;

/// The one that the shipped program has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [one, events, name, mode] = args.as_slice()
        && one == "--one"
    {
        let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
        child(*kind, events.parse().expect("a number"), mode == "many");
        return ExitCode::SUCCESS;
    }
    let events: u64 = args.first().map_or(10_000_000, |text| text.parse().expect("a number of events"));
    let wanted = |kind: &&Kind| args.len() < 2 || args.iter().skip(1).any(|name| name == kind.name);
    println!(
        "| memory | few keys, events/s | all new, events/s | share | MB at half | MB at the end | alerts | shed |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut missed = Vec::new();
    for kind in KINDS.iter().filter(wanted) {
        let (few, many) = (measure(kind, events, "few"), measure(kind, events, "many"));
        let share = many.rate / few.rate;
        println!(
            "| {} | {:.0} | {:.0} | {share:.2} | {:.0} | {:.0} | {} | {} |",
            kind.name, few.rate, many.rate, many.half, many.end, many.alerts, many.shed
        );
        if share < 1.0 / 3.0 {
            missed.push(format!("{}: {share:.2} of the rate with few keys", kind.name));
        }
        // Of ids those that come again are keys, and there is room for all of them.
        let keys = if kind.name == "auditID" { planted(events) / 2 } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "a bound for people")]
        let more = keys as f64 * KEY_MB;
        if many.end > many.half * 1.03 + more {
            missed.push(format!("{}: memory grew from {:.0} to {:.0} MB", kind.name, many.half, many.end));
        }
    }
    missed.iter().for_each(|what| eprintln!("missed: {what}"));
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a key with three matches takes at most, in megabytes.
const KEY_MB: f64 = 1.0 / 128.0;

struct Measured {
    rate: f64,
    half: f64,
    end: f64,
    alerts: String,
    shed: String,
}

fn measure(kind: &Kind, events: u64, mode: &str) -> Measured {
    let this = std::env::current_exe().expect("this program has a path");
    let out = Command::new(this).args(["--one", &events.to_string(), kind.name, mode]).output();
    let out = out.expect("this program can be run");
    assert!(out.status.success(), "{}: {}", kind.name, String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut fields = text.trim_end().split('\t');
    let mut field = || fields.next().unwrap_or_default().to_owned();
    let mut number = || field().parse::<f64>().expect("a number");
    Measured { rate: number(), half: number(), end: number(), alerts: field(), shed: field() }
}

/// One run, told in one line: events a second, megabytes at half and at most in the second half, alerts, what was shed.
fn child(kind: Kind, events: u64, each_new: bool) {
    let mut resident = Vec::new();
    let outcome = run(kind, events, each_new, Limits::default(), &mut || resident.push(megabytes()));
    assert_told(kind, &outcome, each_new);
    let half = resident.get(resident.len() / 2).copied().unwrap_or_default();
    let end = resident.iter().skip(resident.len() / 2).copied().fold(0.0, f64::max);
    let Outcome { alerts: (exact, approximate), tally, took, .. } = &outcome;
    let shed = tally.shed;
    let named = [
        ("requests", shed.requests),
        ("in doubt", shed.again),
        ("shared", shed.shared),
        ("refused", shed.refused),
        ("keys", shed.keys),
        ("window", shed.window),
        ("throttles", shed.throttles),
        ("hurried", shed.hurried),
        ("searches", shed.searches),
    ];
    let named: Vec<String> =
        named.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = events as f64 / took.as_secs_f64();
    println!("{rate}\t{half}\t{end}\t{exact} + {approximate}\t{}", named.join(", "));
}

/// What of this process is in memory.
fn megabytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
