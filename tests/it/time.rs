//! Time, end to end: one event dated ahead, servers whose clocks differ, a collector that stalls.
//!
//! Logs here are long enough that clocks run (a source's clock looks back over sixteen times), the rules are of every
//! shape, and each answer is held to the reference as well as to what the page promises in words.

mod skewed;
mod stalled;
mod stamped;

use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use engine::limits::Limits;
use engine::state::RunTally;
use serde_json::{Value, json};
use tests::harness::run;
use tests::reference::{Answer, Arrival, Poison, RefAlert, Settings, Source, answer};

use super::cli::Place;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Monday, 2026-01-05T08:00:00Z.
const START: i64 = 1_767_600_000 * SECOND;

/// One rule of every shape.
const RULES: &str = r#"
rule each "t" { severity low on get of secrets alert "{user.username} {objectRef.name}" }
rule burst "t" { severity low on delete of pods by user.username when count() >= 3 within 20s throttle 0s
    alert "{user.username} {count()}" }
rule calm "t" { severity low on delete of pods by user.username when count() >= 2 within 1m throttle 2m
    alert "{user.username} {count()}" }
rule minute "t" { severity low on delete of pods when count() >= 2 tumbling 1m alert "{count()}" }
rule spree "t" { severity low on any of secrets, pods by user.username when count() >= 2 session gap 20s within 5m
    alert "{count()}" }
rule fresh "t" { severity low on get of secrets by user.username when first_seen(objectRef.name) within 5m learning 1m
    alert "{objectRef.name}" }
rule quiet "t" { severity low on any of secrets, pods by user.username when silent for 90s alert "{user.username}" }
rule pair "t" { severity low by user.username sequence within 30s {
        read: on get of secrets
        no made: on create of pods
        gone: on delete of pods
        no undone within 10s: on create of pods } throttle 0s alert "{read.objectRef.name} {objectRef.name}" }
rule bursts "t" { severity low on alert of burst by user.username when count() >= 2 within 5m alert "{count()}" }
"#;

fn rules() -> RuleSet {
    let mut sources = SourceMap::default();
    sources.add("time.rule", RULES);
    let outcome = dsl::check::compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics))
}

/// A number that looks random.
fn mixed(n: i64) -> usize {
    let mut z = (n as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 31)) as usize >> 8
}

/// A request of its own for each number: mostly one that no rule asks for, every fortieth or so one that several do.
fn event(n: i64, at: i64) -> Value {
    let drawn = mixed(n);
    let user = ["eve", "eve", "bob"][drawn % 3];
    let (user, verb, resource) = match drawn % 41 {
        0 => (user, "get", "secrets"),
        1 if drawn % 5 < 4 => (user, "delete", "pods"),
        1 => (user, "create", "pods"),
        _ => ("ann", "get", "configmaps"),
    };
    let stamp =
        chrono::DateTime::from_timestamp_nanos(at).to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
        "stage": "ResponseComplete", "verb": verb, "requestURI": format!("/api/v1/namespaces/shop/{resource}/o{n}"),
        "user": {"username": user}, "sourceIPs": ["203.0.113.7"], "responseStatus": {"code": 200},
        "objectRef": {"resource": resource, "namespace": "shop", "name": format!("o{}", drawn % 7), "apiVersion": "v1"},
        "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
    })
}

/// An event that no rule asks for.
fn passing(n: i64, at: i64) -> Value {
    json!({"user": {"username": "ann"}, "verb": "list", "objectRef": {"resource": "configmaps", "apiVersion": "v1"}})
        .as_object()
        .into_iter()
        .flatten()
        .fold(event(n, at), |mut event, (key, value)| {
            event[key] = value.clone();
            event
        })
}

fn bytes(events: &[Value]) -> Vec<u8> {
    events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect()
}

fn settings() -> Settings {
    let limits = Limits::default();
    Settings { lateness: limits.lateness, request_memory: limits.request_memory, until: None }
}

/// What the engine says of these sources, read in blocks of about so many bytes.
fn told(sources: &[&[Value]], block: usize) -> (Vec<RefAlert>, RunTally) {
    let (mut found, tally) = run(&rules(), Limits::default(), block, &fed(sources));
    found.sort();
    (found, tally)
}

fn fed(sources: &[&[Value]]) -> Vec<(String, Option<String>, Vec<u8>)> {
    sources.iter().enumerate().map(|(n, of)| (format!("log-{n}"), None, bytes(of))).collect()
}

/// The same, once the reference said the same.
fn both(sources: &[&[Value]], block: usize) -> (Vec<RefAlert>, RunTally) {
    let (rules, fed) = (rules(), fed(sources));
    let (found, tally) = told(sources, block);
    let names: Vec<_> = fed.iter().map(|(name, ..)| Source { name: name.clone(), cluster: None }).collect();
    let arrivals: Vec<Arrival> = sources
        .iter()
        .enumerate()
        .flat_map(|(source, of)| of.iter().map(move |json| Arrival::event(source, json.clone())))
        .collect();
    let expected = answer(&rules, &names, &arrivals, settings(), &Poison::default());
    let Answer { mut alerts, late, .. } = expected;
    alerts.sort();
    assert_eq!(alerts, found);
    assert_eq!(late, tally.late);
    (found, tally)
}

/// Of each rule, how many alerts.
fn by_rule(alerts: &[RefAlert]) -> Vec<(&str, usize)> {
    let names = ["bursts", "burst", "calm", "each", "fresh", "minute", "pair", "quiet", "spree"];
    names.map(|name| (name, alerts.iter().filter(|alert| alert.rule == name).count())).to_vec()
}

/// Thirty thousand events, ten a second, each up to four seconds late in coming: within what is allowed.
fn many() -> Vec<Value> {
    let mut all: Vec<(i64, i64)> = (0..30_000).map(|n| (n, START + n * SECOND / 10)).collect();
    all.sort_by_key(|(n, at)| at + [0, 0, 0, SECOND, 4 * SECOND][mixed(n + 7) % 5]);
    all.into_iter().map(|(n, at)| event(n, at)).collect()
}

/// The same with events dated a day ahead at these places. Their times differ unless `same`.
fn with_forged(log: &[Value], places: &[usize], same: bool) -> Vec<Value> {
    let forged = (0_i64..).zip(places).map(|(k, _)| {
        let at = START + DAY + if same { 0 } else { k * SECOND };
        passing(1_000_000 + k, at)
    });
    let mut forged = forged.zip(places).peekable();
    let mut all = Vec::new();
    for (n, event) in log.iter().enumerate() {
        while let Some((event, _)) = forged.next_if(|(_, at)| **at <= n) {
            all.push(event);
        }
        all.push(event.clone());
    }
    all.extend(forged.map(|(event, _)| event));
    all
}

/// What `run` counts as late, and what it ends with where that is asked for.
fn late_by_cli(log: &[Value]) -> (u64, Vec<String>) {
    let place = Place::new();
    place.write("set.rule", RULES);
    place.write("audit.log", bytes(log));
    let words = ["run", "set.rule", "--from", "audit.log", "--summary", "sum.json", "--fail-on", "late"];
    let ran = place.run(&words);
    let summary: Value = serde_json::from_str(&place.read("sum.json")).unwrap();
    let late = summary["events"]["late"].as_u64().unwrap();
    let ran = ran.ends(if late > 0 { 3 } else { 0 });
    (late, ran.texts("id"))
}

#[test]
fn events_dated_a_day_ahead_make_none_late_and_change_no_alert() {
    let log = many();
    // The log goes on to the next day: what is dated there is dated right, at its end.
    let ends = |k: usize| with_forged(&log, &vec![usize::MAX; k], false);
    for places in [vec![10_000], (0..15).map(|k| 3_000 + k * 1_700).collect::<Vec<_>>()] {
        let (want, _) = told(&[&ends(places.len())], 1 << 20);
        let some = by_rule(&want).iter().all(|(_, alerts)| *alerts >= 2);
        assert!(some, "every rule tells enough: {:?}", by_rule(&want));
        let forged = with_forged(&log, &places, false);
        let (found, tally) = both(&[&forged], 1 << 16);
        assert_eq!(tally.late, 0);
        assert_eq!(found, want);
        let (late, mut ids) = late_by_cli(&forged);
        let mut known: Vec<String> = want.iter().map(|alert| alert.id.clone()).collect();
        known.sort();
        ids.sort();
        assert_eq!((late, ids), (0, known));
    }
}

/// Fifteen forged times are passed over, whoever repeats them; the sixteenth is believed, and then all that is true is late.
#[test]
fn the_sixteenth_event_dated_ahead_is_believed() {
    let log = many();
    let repeated = with_forged(&log, &[20_000; 400], true);
    assert_eq!(told(&[&repeated], 1 << 20).1.late, 0, "one time is one time, however often it comes");
    let places: Vec<usize> = (0..16).map(|k| 18_000 + 100 * k).collect();
    let forged = with_forged(&log, &places, false);
    let (found, tally) = both(&[&forged], 1 << 20);
    let after = &log[19_500..];
    assert_eq!(tally.late, after.len() as u64, "all behind the sixteenth is late");
    assert_eq!(late_by_cli(&forged).0, after.len() as u64);
    // What is dated up by a day stays out of every window; a rule without one tells it, and says that it was late.
    let late: Vec<&RefAlert> =
        found.iter().filter(|alert| alert.notes.iter().any(|note| note == "late event")).collect();
    let reads =
        after.iter().filter(|e| e["verb"] == "get" && e["objectRef"]["resource"] == "secrets").count();
    assert_eq!((late.len(), late.iter().all(|alert| alert.rule == "each")), (reads, true));
    // And what was decided before stays as it was.
    let (want, _) = told(&[&with_forged(&log, &[usize::MAX; 16], false)], 1 << 20);
    let before = START + 1_900 * SECOND;
    let then = |all: &[RefAlert]| all.iter().filter(|a| a.time < before).cloned().collect::<Vec<_>>();
    assert_eq!(then(&found), then(&want));
}
