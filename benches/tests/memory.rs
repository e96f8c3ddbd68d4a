//! What rules remember, in real bytes: never more than the bounds that `rules` prints. An allocator counts.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use benches::counting::{Counting, held};
use dsl::source::SourceMap;
use engine::frame::blocks::Blocks;
use engine::limits::{Limits, VIRTUAL_SHARDS};
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::plan::cost::{RECORD_BYTES, cost};
use engine::state::State;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The first key of the events that only let time pass.
const CLOCK: usize = 60_000;
/// Events fed in one go.
const CHUNK: usize = 128;

/// One request for what is remembered of requests in each shard, and no wait for what is late, so that neither counts; queues of two
/// hundred.
fn limits() -> Limits {
    Limits { requests_told_max: VIRTUAL_SHARDS, matches_per_key_max: 200, lateness: 0, ..Limits::default() }
}

/// An event like those of a busy cluster, with much to keep.
fn event(key: usize, number: usize) -> String {
    let stamp = format!("2026-01-05T00:{:02}:{:02}.{key:06}Z", number / 60, number % 60);
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\
         \"auditID\":\"27908381-5cd4-4cfd-8929-{key:04x}{number:08x}\",\"stage\":\"ResponseComplete\",\
         \"requestURI\":\"/api/v1/namespaces/kube-system/secrets/bootstrap-{number}\",\"verb\":\"get\",\
         \"user\":{{\"username\":\"system:serviceaccount:monitoring-{key}:prometheus-kube-state-metrics\",\
         \"groups\":[\"system:serviceaccounts\",\"system:serviceaccounts:monitoring-{key}\",\"system:authenticated\"]}},\
         \"sourceIPs\":[\"2001:db8:1234:5678:9abc:def0:1234:5678\",\"10.240.17.203\"],\
         \"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36\",\
         \"objectRef\":{{\"resource\":\"secrets\",\"namespace\":\"kube-system\",\"name\":\"bootstrap-{number}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":200}},\
         \"requestReceivedTimestamp\":\"{stamp}\",\"stageTimestamp\":\"{stamp}\"}}\n"
    )
}

/// So long a text somebody puts into one header or object: four of them make a megabyte.
const LONG: usize = 250_000;

/// An event of somebody who wants to fill the memory: he has a very long name, comes by very many addresses, with a very long
/// agent, and what he asks for is as long.
fn hostile(key: usize, number: usize) -> String {
    let stamp = format!("2026-01-05T00:{:02}:{:02}.{key:06}Z", number / 60, number % 60);
    let long = |with: String| format!("{}{with}", "x".repeat(LONG));
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
        "auditID": format!("{key}-{number}"), "verb": "get", "requestURI": format!("/api/v1/secrets/{key}/{number}"),
        "user": {"username": long(format!("{key}")), "groups": vec!["g"; 20_000]},
        "sourceIPs": vec!["203.0.113.7"; 20_000],
        "userAgent": long(format!("{number}")),
        "objectRef": {"resource": "secrets", "namespace": format!("{key}"), "name": long(format!("-{number}")), "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": stamp, "stageTimestamp": stamp,
    })
    .to_string()
        + "\n"
}

/// What comes.
struct Flood {
    event: fn(usize, usize) -> String,
    /// What lets time pass.
    clock: fn(usize, usize) -> String,
    /// So many keys of that are remembered.
    clocks: usize,
    limits: Limits,
}

/// An event that no rule here takes.
fn passing(key: usize, number: usize) -> String {
    event(key, number).replace("\"verb\":\"get\"", "\"verb\":\"list\"")
}

/// Fills so many keys, each with so many events and gives what a rule is said to take at most for a key, and takes.
fn per_key(flood: &Flood, clauses: &str, keys: usize, events: usize) -> (u64, u64) {
    let Flood { event, clock, clocks, limits } = *flood;
    // What a rule keeps to tell of it later.
    let alert = if clauses.contains("sequence") || clauses.contains("unordered") {
        "\"x\""
    } else {
        "\"{userAgent}\""
    };
    let mut sources = SourceMap::default();
    sources.add("memory.rule", format!("rule memory \"M\" {{ severity low {clauses} alert {alert} }}"));
    let outcome = dsl::check::compile(&sources);
    let rules = outcome.rules.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
    let bound = cost(&rules.rules[0], &limits).bytes_per_key;
    let plan = Arc::new(Plan::new(&rules, limits));
    let info = SourceInfo { name: "memory".into(), cluster: None };
    let mut state = State::new(plan.clone(), limits);
    let source = state.add_source(info.clone());
    let (mut scratch, mut alerts) = (Scratch::default(), Vec::new());
    let mut feed = |state: &mut State, text: &str| {
        let block = Blocks::whole(source, text.as_bytes());
        state.take(source, match_block(&plan, &info, &block, &mut scratch));
        state.drain(&mut alerts);
        alerts.clear();
    };
    // What all share grows once: buffers, and the queue of what waits.
    let pass = |second: usize| (0..CHUNK).map(|n| clock(CLOCK + n, second)).collect::<String>();
    feed(&mut state, &(0..keys.min(CHUNK)).map(|n| event(CLOCK + n, 0)).collect::<String>());
    feed(&mut state, &pass(0));
    let before = held();
    for number in 1..=events {
        for chunk in (0..keys).step_by(CHUNK) {
            let text: String = (chunk..keys.min(chunk + CHUNK)).map(|key| event(key, number)).collect();
            feed(&mut state, &text);
        }
    }
    // Past the lateness all of it is decided.
    feed(&mut state, &pass(events + 6));
    feed(&mut state, &pass(events + 12));
    let (_, groups) = state.remembered();
    assert_eq!(groups, keys + clocks, "{clauses}: every key is remembered");
    let real = held().saturating_sub(before) / keys as u64;
    (bound, real)
}

/// Every kind of window: keys that are filled as far as they can be.
#[test]
fn a_key_takes_no_more_than_the_printed_bound() {
    let kinds = [
        ("on get of secrets by user.username throttle 1h", 2),
        ("on get of secrets by user.username when count() >= 3 within 1h", 1_200),
        ("on get of secrets by user.username when count() == 3 within 1h", 300),
        (
            "on get of secrets by user.username when count(where responseStatus.code == 200) >= 3 within 1h",
            300,
        ),
        ("on get of secrets by user.username when distinct(objectRef.name) >= 3 within 1h", 1_200),
        ("on get of secrets by user.username when distinct(objectRef.name, userAgent) == 3 within 1h", 300),
        ("on get of secrets by user.username when sum(responseStatus.code) > 300 within 1h", 300),
        ("on get of secrets by user.username when avg(responseStatus.code) > 300 within 1h", 300),
        ("on get of secrets by user.username when min(responseStatus.code) > 300 within 1h", 300),
        ("on get of secrets by user.username when percentile(responseStatus.code, 95) > 300 within 1h", 300),
        ("on get of secrets by user.username when count() >= 3 tumbling 1h", 300),
        ("on get of secrets by user.username when distinct(objectRef.name) == 3 tumbling 1h", 300),
        (
            "on get of secrets by user.username when percentile(responseStatus.code, 95) > 300 tumbling 1h",
            300,
        ),
        ("on get of secrets by user.username when count() >= 3 session gap 30m within 1h", 300),
        (
            "on get of secrets by user.username when first_seen(objectRef.name, userAgent) within 1h learning 1h",
            300,
        ),
        ("on get of secrets by user.username when silent for 1h", 2),
        ("by user.username sequence within 1h { a: on get of secrets b: on create of pods/exec }", 300),
        (
            "by user.username sequence within 1h { a: on get of secrets b: on get of secrets where objectRef.name == a.objectRef.name and userAgent != a.userAgent }",
            300,
        ),
        ("by user.username unordered within 1h { a: on get of secrets b: on create of pods/exec }", 300),
    ];
    let mut over = Vec::new();
    for (clauses, events) in kinds {
        // Where a key keeps little, so many that the table of a shard has just doubled is the worst there is.
        let keys = if events < 100 { 3_700 } else { 64 };
        let flood = Flood { event, clock: event, clocks: CHUNK, limits: limits() };
        let (bound, real) = per_key(&flood, clauses, keys, events);
        eprintln!("{real:>9} of {bound:>9} bytes a key: {clauses}");
        assert!(real > 100, "{clauses}: something is remembered");
        if real > bound {
            over.push(format!("{real} of {bound}: {clauses}"));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

/// Whoever chooses the texts chooses what a match takes; but not more of it than is said.
#[test]
fn nor_where_every_text_is_very_long() {
    // Room for a megabyte in each shard.
    let limits = Limits { window_bytes_per_rule_max: VIRTUAL_SHARDS << 20, ..limits() };
    let flood = Flood { event: hostile, clock: passing, clocks: 6, limits };
    // Those that must keep their key have a short one: a long one is not kept.
    let kinds = [
        "on get of secrets by user.username throttle 1h",
        "on get of secrets by user.username when count() >= 3 within 1h",
        "on get of secrets by user.username when count() == 3 within 1h",
        "on get of secrets by user.username when distinct(objectRef.name, userAgent) >= 3 within 1h",
        "on get of secrets by objectRef.namespace when distinct(userAgent) == 3 tumbling 1h",
        "on get of secrets by objectRef.namespace when count() >= 3 session gap 30m within 1h",
        "on get of secrets by user.username when first_seen(objectRef.name) within 1h learning 1h",
        "on get of secrets by objectRef.namespace when silent for 1h",
        "by user.username sequence within 1h { a: on get of secrets b: on get of secrets where objectRef.name == a.objectRef.name and userAgent != a.userAgent }",
        "by user.username unordered within 1h { a: on get of secrets b: on create of pods/exec where userAgent != a.userAgent }",
    ];
    let mut over = Vec::new();
    for clauses in kinds {
        let (bound, real) = per_key(&flood, clauses, 6, 16);
        // And what all of them share: tables of a few kilobytes.
        let bound = bound + 10_000;
        eprintln!("{real:>9} of {bound:>9} bytes a key: {clauses}");
        if real > bound {
            over.push(format!("{real} of {bound}: {clauses}"));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

/// Matches that wait for their time are as long as somebody likes: of what the rule reads later all is kept.
#[test]
fn what_waits_for_its_time_has_so_many_bytes() {
    let limits = Limits { waiting_bytes_max: 4 << 20, lateness: 3_600_000_000_000, ..limits() };
    let mut sources = SourceMap::default();
    sources.add(
        "memory.rule",
        "rule memory \"M\" { severity low on get of secrets by user.username throttle 1h alert \"{userAgent} {objectRef.name}\" }",
    );
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let plan = Arc::new(Plan::new(&rules, limits));
    let info = SourceInfo { name: "memory".into(), cluster: None };
    let mut state = State::new(plan.clone(), limits);
    let source = state.add_source(info.clone());
    let (mut scratch, mut told, mut most, mut before) = (Scratch::default(), Vec::new(), 0, 0);
    for number in 0..60 {
        let text = hostile(number, number);
        let block = Blocks::whole(source, text.as_bytes());
        state.take(source, match_block(&plan, &info, &block, &mut scratch));
        drop((block, text));
        state.drain(&mut told);
        told.clear();
        // The buffers have grown.
        if number == 2 {
            before = held();
        }
        most = most.max(held());
    }
    assert!(state.tally().shed.hurried > 40, "{:?}", state.tally().shed);
    assert!(most.saturating_sub(before) < 5 << 20, "{most} after {before}");
}

/// The bundled sample, and the recorded logs where they are.
fn logs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("AUDIT_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let mut logs = vec![root.join("samples/attack.log.gz")];
    match std::fs::read_dir(data.join("recorded")) {
        Ok(all) => {
            let all = all.filter_map(|entry| Some(entry.ok()?.path()));
            logs.extend(all.filter(|path| {
                let name = path.to_string_lossy();
                name.ends_with(".log") || name.ends_with(".log.gz") || name.ends_with(".jsonl.gz")
            }));
        }
        Err(_) => eprintln!("no recorded logs here: only the sample is looked at"),
    }
    logs
}

fn text(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("a log can be read");
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).expect("a log is whole");
    text
}

/// What a match keeps of each event of real logs, as an alert or a window holds on to it.
#[test]
fn what_is_kept_of_a_real_event_is_below_what_is_counted_for_it() {
    let mut sources = SourceMap::default();
    sources.add(
        "all.rule",
        "rule everything \"A\" { severity low on any of any including dry_run alert \"x\" }",
    );
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let limits = Limits::default();
    let plan = Plan::new(&rules, limits);
    let info = SourceInfo { name: "log".into(), cluster: None };
    let mut scratch = Scratch::default();
    for path in logs() {
        let bytes = text(&path);
        let (mut most, mut sum, mut events) = (0, 0, 0);
        let mut blocks = Blocks::new(SourceId(0), 1, limits.line_bytes_max);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            blocks.push(line);
            blocks.flush();
            while let Some(block) = blocks.pop() {
                let mut found = match_block(&plan, &info, &block, &mut scratch).found;
                while let Some(m) = found.pop() {
                    let with = held();
                    drop(m);
                    let kept = with - held();
                    (most, sum, events) = (most.max(kept), sum + kept, events + 1);
                }
                drop(found);
            }
        }
        assert!(events > 500, "{}: {events} events", path.display());
        eprintln!("{}: {events} events, {} bytes on average, {most} at most", path.display(), sum / events);
        assert!(most < RECORD_BYTES, "{}: {most}", path.display());
    }
}
