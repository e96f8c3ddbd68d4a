//! Rules about requests themselves: with a table and without one their answers are the same.

use std::sync::Arc;

use dsl::source::SourceMap;
use proptest::prelude::*;
use serde_json::{Value as Js, json};

use super::windows::{SECOND, js};
use crate::alert::Alert;
use crate::frame::blocks::Blocks;
use crate::limits::{Limits, REQUEST_BYTES, VIRTUAL_SHARDS};
use crate::matches::{Nanos, SourceId, SourceInfo, Value};
use crate::matching::{Scratch, match_block};
use crate::plan::Plan;
use crate::state::hash::{group_of, rule_id};
use crate::state::tally::{RuleCounts, Shed};
use crate::state::{Dropped, State, Why};

const RULES: &str = r#"
rule never "t" { severity low by request_id sequence within 4s {
    asked: on any of any at RequestReceived including dry_run
    no answered: on any of any including dry_run
    } alert "{asked.user.username} {asked.requestURI} {request_id}" }
rule soon "t" { severity low by id = request_id sequence within 6s {
    asked: on any of any at RequestReceived where verb == "get"
    no answered within 1s: on any of any where responseStatus.code < 500
    } throttle 30s alert "{id} {asked.verb} {asked.user.groups}" }
rule ended "t" { severity low by request_id across clusters sequence within 2s {
    asked: on any of any at RequestReceived where user.username != "bob"
    no answered: on any of any at ResponseComplete
    } alert "{asked.sourceIPs} {asked.objectRef.name}" }
rule twice "t" { severity low on any of any by auditID when distinct(request_id) >= 2 within 5s
    alert "{auditID} {distinct(request_id)} {user.username}" }
rule thrice "t" { severity low on any of any where verb == "get" by id = auditID when count() > 2 within 8s throttle 3s
    alert "{id} {count()} {requestURI}" }
rule received "t" { severity low on any of any at RequestReceived by auditID across clusters
    when count() >= 2 and distinct(request_id) < 4 within 3s throttle 0s alert "{auditID} {count()} {user.username}" }
rule heard "t" { severity low on alert of never, twice, ended by alert.rule when count() >= 2 within 5s throttle 1s
    alert "{alert.message} {user.username} {objectRef.name}" }
rule chain "t" { severity low sequence within 5s { a: on alert of twice b: on alert of never } alert "{b.auditID}" }
"#;

/// One event on its way.
#[derive(Clone, Debug)]
struct Event {
    source: usize,
    request: u32,
    stage: &'static str,
    /// When it happened, in quarters of a second.
    at: i64,
    code: u16,
}

impl Event {
    fn line(&self) -> String {
        let time = |quarters: i64| {
            let at = chrono::DateTime::from_timestamp_nanos(1_767_571_200 * SECOND + quarters * SECOND / 4);
            at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        };
        let n = self.request;
        let user = if n.is_multiple_of(2) { "ann" } else { "bob" };
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
            // Which stands for several requests.
            "auditID": format!("id-{}", n % 5), "requestReceivedTimestamp": time(i64::from(n)),
            "stage": self.stage, "verb": if n.is_multiple_of(3) { "patch" } else { "get" },
            "requestURI": format!("/api/v1/pods/p{n}"), "stageTimestamp": time(self.at),
            "user": {"username": user, "groups": ["a", "b\n"]},
            "sourceIPs": ["10.0.0.1"], "objectRef": {"resource": "pods", "name": format!("p{n}")},
        });
        if self.stage != "RequestReceived" {
            event["responseStatus"] = json!({"code": self.code});
        }
        event.to_string() + "\n"
    }
}

fn limits(table: usize) -> Limits {
    Limits {
        lateness: SECOND,
        // As short as a window may be: requests are taken anew.
        request_memory: 7 * SECOND,
        request_table_bytes_max: table * VIRTUAL_SHARDS,
        ..Limits::default()
    }
}

const PLENTY: usize = 1 << 20;

fn plan(rules: &str, limits: Limits) -> Arc<Plan> {
    let mut sources = SourceMap::default();
    sources.add("a.rule", rules);
    let outcome = dsl::check::compile(&sources);
    let rules = outcome.rules.unwrap_or_else(|| panic!("{:?}", outcome.diagnostics));
    Arc::new(Plan::new(&rules, limits))
}

/// What came of a run.
struct Ran {
    alerts: Vec<Alert>,
    rules: Vec<RuleCounts>,
    shed: Shed,
    dropped: Vec<Dropped>,
}

impl Ran {
    fn told(&self) -> Vec<(String, Nanos, String)> {
        let told = self.alerts.iter().map(|a| (a.rule.name.to_string(), a.time, a.message.clone()));
        told.collect()
    }

    fn js(&self) -> Vec<Js> {
        self.alerts.iter().map(js).collect()
    }
}

/// A run over two sources; what each says is cut into blocks of `block` events, and at each of `cuts` another state goes
/// on, under the limits that stand there.
fn run(rules: &str, start: Limits, events: &[Event], block: usize, cuts: &[(usize, Limits)]) -> Ran {
    let infos = ["a", "b"].map(|name| SourceInfo { name: name.into(), cluster: Some(name.into()) });
    let fresh = |limits: Limits| {
        let mut state = State::with_key(plan(rules, limits), limits, [3; 32]);
        let ids = infos.clone().map(|info| state.add_source(info));
        (state, ids)
    };
    let (mut state, mut ids) = fresh(start);
    let mut ran = Ran { alerts: Vec::new(), rules: Vec::new(), shed: Shed::default(), dropped: Vec::new() };
    let mut scratch = Scratch::default();
    let mut offsets = [0_usize; 2];
    for (n, some) in events.chunks(block.max(1)).enumerate() {
        for (_, limits) in cuts.iter().filter(|(at, _)| *at == n) {
            state.drain(&mut ran.alerts);
            let snapshot = state.snapshot();
            (state, ids) = fresh(*limits);
            ran.dropped.extend(state.restore(&snapshot).unwrap());
        }
        for (source, id) in ids.into_iter().enumerate() {
            let lines: String = some.iter().filter(|e| e.source == source).map(Event::line).collect();
            let mut block = Blocks::whole(id, lines.as_bytes());
            for part in &mut block.parts {
                part.offset += offsets[source] as u64;
            }
            offsets[source] += lines.len();
            let matches = match_block(&state.plan, &infos[source], &block, &mut scratch);
            state.take(id, matches);
        }
    }
    ids.into_iter().for_each(|id: SourceId| state.end(id));
    state.finish();
    state.drain(&mut ran.alerts);
    crate::alert::sort(&mut ran.alerts);
    ran.rules.clone_from(&state.tally().rules);
    ran.shed = state.tally().shed;
    ran
}

fn event(request: u32, stage: &'static str, at: i64) -> Event {
    Event { source: 0, request, stage, at, code: 200 }
}

const RECEIVED: &str = "RequestReceived";
const STARTED: &str = "ResponseStarted";
const COMPLETE: &str = "ResponseComplete";

fn any_log() -> impl Strategy<Value = Vec<Event>> {
    let stage = prop_oneof![4 => Just(RECEIVED), 2 => Just(STARTED), 3 => Just(COMPLETE), 1 => Just("Panic")];
    // Time goes on by what stands in the pauses, and events come before or behind it.
    let one = (0..2_usize, 0..12_u32, stage, prop_oneof![6 => 0..3_i64, 1 => 8..60_i64], -3..4_i64, 0..6_u8);
    prop::collection::vec(one, 1..90).prop_map(|all| {
        let (mut now, mut log) = (0, Vec::<Event>::new());
        for (source, request, stage, pause, beside, kind) in all {
            now += pause;
            match (kind, log.last().cloned()) {
                // Twice in a row, or again by the other source.
                (0, Some(last)) => log.push(last),
                (1, Some(last)) => log.push(Event { source: 1 - last.source, ..last }),
                // The answer of what was just received.
                (2 | 3, Some(last)) if last.stage == RECEIVED => {
                    log.push(Event { stage: COMPLETE, at: now + beside, ..last });
                }
                _ => {
                    let code = if kind == 4 { 503 } else { 200 };
                    log.push(Event { source, request, stage, at: now + beside, code });
                }
            }
        }
        log
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(500)))]

    #[test]
    fn a_table_does_not_show(
        log in any_log(),
        block in 1..20_usize,
        cuts in prop::collection::vec(0..20_usize, 0..3),
    ) {
        let without = run(RULES, limits(0), &log, 1, &[]);
        let cuts: Vec<_> = cuts.into_iter().map(|at| (at, limits(PLENTY))).collect();
        let with = run(RULES, limits(PLENTY), &log, block, &cuts);
        prop_assert_eq!(with.told(), without.told());
        prop_assert_eq!(with.js(), without.js());
        prop_assert_eq!(&with.rules, &without.rules);
        prop_assert_eq!((with.shed, without.shed), (Shed::default(), Shed::default()));
        prop_assert!(with.dropped.is_empty());
    }

    #[test]
    fn a_table_that_is_full_misses_no_request(log in any_log(), room in 0..3_usize, cut in 0..90_usize) {
        // Each event comes once: what was forgotten is then not taken anew.
        let mut log = log;
        let mut known = Vec::new();
        log.retain(|e| {
            let this = (e.request, e.stage);
            let new = !known.contains(&this) && e.stage != STARTED && e.stage != "Panic";
            known.push(this);
            new
        });
        let rules = &RULES[..RULES.find("rule twice").unwrap()];
        let without = run(rules, limits(0), &log, 1, &[]);
        let small = limits(1 + room * 2 * REQUEST_BYTES);
        let with = run(rules, small, &log, 1, &[(cut, small)]);
        prop_assert_eq!(with.told(), without.told());
        // What was forgotten may have been taken before, for all that the table knows.
        let but_for_doubt = |mut ran: Ran| {
            for alert in ran.alerts.iter_mut().filter(|alert| alert.notes == ["too many requests: some may count twice"]) {
                alert.notes.clear();
                alert.approximate = false;
            }
            ran.js()
        };
        prop_assert_eq!(but_for_doubt(with), without.js());
    }
}

#[test]
fn what_has_an_answer_leaves_nothing_behind() {
    let log: Vec<Event> = (0..200)
        .flat_map(|n| [event(n, RECEIVED, i64::from(n)), event(n, COMPLETE, i64::from(n) + 1)])
        .collect();
    let rules = &RULES[..RULES.find("rule soon").unwrap()];
    let limits = limits(PLENTY);
    let mut state = State::new(plan(rules, limits), limits);
    let id = state.add_source(SourceInfo::default());
    let lines: String = log.iter().map(Event::line).collect();
    let block = Blocks::whole(id, lines.as_bytes());
    let matches = match_block(&state.plan, &SourceInfo::default(), &block, &mut Scratch::default());
    assert_eq!((matches.found.len(), matches.requests.len()), (0, 400));
    state.take(id, matches);
    state.end(id);
    state.finish();
    let shown = |shard: &super::Shard| (shard.told.len(), shard.groups.all.len());
    assert!(state.shards.iter().all(|shard| shown(shard) == (0, 0)));
    assert_eq!(state.tally().rules[0], RuleCounts { selected: 400, matched: 400, ..RuleCounts::default() });
}

#[test]
fn of_very_many_requests_those_that_are_not_answered_are_told() {
    // So many are waited for at a time that places of those with an answer are given back.
    let mut log: Vec<Event> = (0..4_000).map(|n| event(n, RECEIVED, i64::from(n) / 400)).collect();
    let answered = log.iter().filter(|event| event.request % 500 != 7);
    log.extend(answered.map(|e| event(e.request, COMPLETE, e.at + 1)).collect::<Vec<_>>());
    log.push(event(4_000, COMPLETE, 60));
    log.sort_by_key(|event| event.at);
    let rules = &RULES[..RULES.find("rule soon").unwrap()];
    let ran = run(rules, limits(PLENTY), &log, 100, &[]);
    let told: Vec<&str> = ran.alerts.iter().map(|alert| &*alert.message).collect();
    assert_eq!((told.len(), ran.rules[0].pending), (8, 0), "{told:?}");
    for n in [7, 507, 1007, 1507, 2007, 2507, 3007, 3507] {
        assert!(told.iter().any(|message| message.contains(&format!("/p{n} "))), "{n} in {told:?}");
    }
}

/// The text of one of the rules.
fn only(name: &str) -> &'static str {
    let from = RULES.find(&format!("rule {name} ")).unwrap();
    let rest = &RULES[from..];
    &rest[..rest[1..].find("\nrule ").map_or(rest.len(), |at| at + 1)]
}

/// Events of both sources at twenty times, so that whatever comes then is dated five seconds before `at` or later.
fn clocks_at(at: i64) -> impl Iterator<Item = Event> {
    let times = at - 20..at;
    times.flat_map(|at| [0, 1].map(|source| Event { source, ..event(3, COMPLETE, at) }))
}

#[test]
fn what_was_told_of_an_id_is_known_behind_a_cut() {
    for n in 0..150 {
        // Their window is over at 30, but they are known until 36 and 38.
        let (first, second, third) = (event(1, COMPLETE, 8), event(6 + 5 * n, COMPLETE, 10), 6 + 5 * (n + 1));
        let log = [first, second.clone(), Event { at: 37, ..second }, event(third, COMPLETE, 39)];
        for cut in 0..4 {
            let told = run(only("twice"), limits(PLENTY), &log, 1, &[(cut, limits(PLENTY))]).told();
            assert_eq!(told.len(), 1, "{n} {cut}");
        }
    }
}

#[test]
fn what_a_full_table_let_go_on_meets_its_answer_behind_a_cut() {
    let mut log = vec![event(1, RECEIVED, 8)];
    log.extend(clocks_at(30));
    let cut = log.len();
    log.extend([event(1, COMPLETE, 20), event(2, COMPLETE, 60)]);
    let told = |log: &[Event]| run(only("never"), limits(1), log, 1, &[(cut, limits(1))]).told().len();
    assert_eq!(told(&log), 0);
    log.retain(|event| event.request != 1 || event.stage == RECEIVED);
    assert_eq!(told(&log), 1);
}

/// A rule whose keys `id-0`, `id-1` and `id-2` of cluster `a` are of one shard.
fn rule_of_one_shard(clauses: &str) -> String {
    let shard = |name: &str, id: &str| {
        let key = [Value::Text(id.into())];
        group_of(&[3; 32], &rule_id(name), Some("a"), &key).shard()
    };
    let mut names = (0..).map(|n| format!("r{n}"));
    let name = names.find(|name| {
        let of_first = shard(name, "id-0");
        ["id-1", "id-2"].into_iter().all(|id| shard(name, id) == of_first)
    });
    format!("rule {} \"t\" {{ severity low {clauses} }}", name.unwrap())
}

#[test]
fn while_a_key_without_room_may_matter_others_of_its_shard_are_asked_where_it_is() {
    let limits = |table| Limits { keys_per_rule_max: VIRTUAL_SHARDS, ..limits(table) };
    for (within, throttle) in [(5, 0), (2, 5)] {
        let rule = rule_of_one_shard(&format!(
            "on any of any by auditID when distinct(request_id) >= 2 within {within}s throttle {throttle}s alert \"{{auditID}}\""
        ));
        // The first id has the only window until five seconds later; the second one finds none. Of the third it is not known
        // then whether it was there before, up to five seconds after the second.
        let twice = |n: u32, at| [event(n, COMPLETE, at), event(n + 5, COMPLETE, at + 1)];
        let log: Vec<Event> =
            [twice(0, 0), twice(1, 16)].into_iter().flatten().chain([event(2, COMPLETE, 33)]).collect();
        let asked = |table: usize| {
            let ran = run(&rule, limits(table), &log, 1, &[]);
            (
                ran.told(),
                ran.shed.shared,
                ran.alerts.iter().map(|alert| alert.approximate).collect::<Vec<_>>(),
            )
        };
        let (with, without) = (asked(PLENTY), asked(0));
        assert_eq!(with, without, "{within}");
        assert_eq!(with.1, 3, "{within}");
    }
}

#[test]
fn what_still_waits_behind_a_cut_is_counted() {
    let log = [event(1, RECEIVED, 8), event(2, RECEIVED, 9), event(2, COMPLETE, 10)];
    for cut in 0..3 {
        let ran = run(only("never"), limits(PLENTY), &log, 1, &[(cut, limits(PLENTY))]);
        assert_eq!((ran.told().len(), ran.rules[0].pending), (0, 1), "{cut}");
    }
}

#[test]
fn a_request_that_comes_later_than_its_window_is_left_out() {
    let mut log: Vec<Event> = clocks_at(100).collect();
    // Four seconds are sixteen quarters: one is moved by as many, one by one more.
    log.extend([event(1, RECEIVED, 64), event(2, RECEIVED, 63)]);
    let ran = run(only("never"), limits(PLENTY), &log, 1, &[]);
    assert_eq!((ran.rules[0].left_out_late, ran.told().len()), (1, 1));
}

#[test]
fn an_early_answer_does_not_settle_and_a_late_one_comes_too_late() {
    let never = |log: &[Event]| {
        let told = run(RULES, limits(PLENTY), log, 1, &[]).told();
        told.iter().filter(|(rule, ..)| rule == "never").count()
    };
    assert_eq!(never(&[event(1, RECEIVED, 8), event(1, COMPLETE, 9)]), 0);
    assert_eq!(never(&[event(1, RECEIVED, 8), event(1, COMPLETE, 24)]), 0, "at the end of its wait");
    assert_eq!(never(&[event(1, RECEIVED, 8), event(1, COMPLETE, 25)]), 1);
    assert_eq!(never(&[event(1, RECEIVED, 8), event(1, COMPLETE, 7), event(2, COMPLETE, 30)]), 1);
    assert_eq!(never(&[event(1, RECEIVED, 8), event(2, COMPLETE, 24)]), 1, "another's answer");
}

#[test]
fn rules_go_over_from_table_to_table_only() {
    let log = [event(1, RECEIVED, 8), event(2, RECEIVED, 9), event(3, COMPLETE, 40)];
    let dropped = |from: usize, to: usize| {
        let ran = run(RULES, limits(from), &log, 1, &[(2, limits(to))]);
        let names = ran.dropped.iter().filter(|of| of.why == Why::Table).count();
        (names, ran.told().len())
    };
    assert_eq!(dropped(PLENTY, PLENTY).0, 0);
    assert_eq!(dropped(0, 0).0, 0);
    assert_eq!((dropped(PLENTY, 0).0, dropped(0, PLENTY).0), (6, 6));
}

#[test]
fn what_is_forgotten_for_want_of_room_is_counted() {
    let rules = &RULES[RULES.find("rule twice").unwrap()..RULES.find("rule thrice").unwrap()];
    let log: Vec<Event> = (0..100).map(|n| event(n, COMPLETE, 8)).collect();
    let log: Vec<Event> =
        log.into_iter().map(|e| Event { request: e.request.wrapping_mul(5), ..e }).collect();
    assert!(run(rules, limits(1), &log[..1], 1, &[]).shed.requests == 1);
    assert_eq!(run(rules, limits(PLENTY), &log[..1], 1, &[]).shed, Shed::default());
    let early = &RULES[..RULES.find("rule soon").unwrap()];
    let ran = run(early, limits(1), &[event(1, RECEIVED, 8)], 1, &[]);
    assert_eq!((ran.shed.early, ran.shed.requests, ran.rules[0].pending), (1, 0, 1));
}
