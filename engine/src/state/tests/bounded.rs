//! With little room, against a run with all the room there is: nothing is missed in silence.
//!
//! The one who chooses the keys has the source: all of them are of a few shards, by the hash key that everybody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::windows::{Get, SECOND, START, info, line, texts};
use crate::alert::Alert;
use crate::eval::tests::plan;
use crate::frame::blocks::Blocks;
use crate::limits::{Limits, VIRTUAL_SHARDS};
use crate::matches::{Nanos, SourceId, Value};
use crate::matching::{Scratch, match_block};
use crate::plan::Plan;
use crate::plan::cost::{RECORD_BYTES, VALUE_BYTES};
use crate::state::hash::{group_of, rule_id};
use crate::state::{Outcome, RunTally, State};

/// How many keys there are.
const KEYS: usize = 12;

/// More events only make them truer.
const MONOTONE: &[&str] = &[
    "by user.username when count() >= 2 within 6s THROTTLE alert \"x\"",
    "by user.username when distinct(objectRef.name) >= 2 and count(where responseStatus.code == 403) >= 1 within 5s THROTTLE alert \"x\"",
    "by user.username when max(responseStatus.code) > 403 and count() >= 2 or count() * 2 > 7 within 4s THROTTLE alert \"x\"",
    "by user.username when count() * 2 - 3 > 9 within 6s THROTTLE alert \"x\"",
    "by user.username when sum(len(objectRef.name)) + count(where responseStatus.code == 403) * 3 > 12 within 5s THROTTLE alert \"{avg(responseStatus.code)}\"",
    "by user.username when distinct(objectRef.name, responseStatus.code) * 2 + 1 > 8 within 6s THROTTLE alert \"x\"",
    "by user.username when distinct(objectRef.name, responseStatus.code) * 2 > 7 tumbling 6s THROTTLE alert \"x\"",
    "by user.username when min(responseStatus.code) <= 200 and max(responseStatus.code) >= 500 within 6s THROTTLE alert \"x\"",
    "by user.username when count() >= 3 and min(responseStatus.code) < 300 tumbling 7s THROTTLE alert \"x\"",
];
const MONOTONE_SEQUENCES: &[&str] = &[
    "{ by user.username sequence within 6s { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 and objectRef.name == a.objectRef.name } THROTTLE alert \"x\" }",
    "{ by user.username unordered within 7s { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 } THROTTLE alert \"x\" }",
];

/// Of these keys are refused; how long a match of theirs matters, if there is an end to it.
const REFUSING: &[(&str, Option<i64>)] = &[
    ("by user.username when count() == 2 within 6s THROTTLE alert \"x\"", Some(6)),
    ("by user.username when avg(responseStatus.code) > 300 tumbling 7s THROTTLE alert \"x\"", Some(7)),
    ("by user.username when count() >= 2 session gap 3s within 8s THROTTLE alert \"x\"", None),
    ("by user.username when silent for 5s THROTTLE alert \"x\"", Some(5)),
];

const MEMORIES: &[&str] = &[
    "by user.username when first_seen(objectRef.name) within 9s learning 3s THROTTLE alert \"x\"",
    "by user.username when first_seen(objectRef.name, responseStatus.code) within 4s learning 9s THROTTLE alert \"x\"",
    "by user.username when first_seen(objectRef.name) within 9s learning 0s THROTTLE alert \"x\"",
    "by user.username THROTTLE alert \"x\"",
];

pub(super) fn rules(bodies: &[&str], throttle: i64) -> String {
    let one = |(n, body): (usize, &&str)| {
        let body = body.replace("THROTTLE", &format!("throttle {throttle}s"));
        match body.strip_prefix('{') {
            Some(body) => format!("rule r{n} \"t\" {{ severity low {body}\n"),
            None => format!("rule r{n} \"t\" {{ severity low on get of pods {body} }}\n"),
        }
    };
    bodies.iter().enumerate().map(one).collect()
}

/// Users that all fall into one shard, of a rule that is the first.
pub(super) fn users() -> [&'static str; KEYS] {
    let key = *b"auditd-rules: a run over a file.";
    let mut found = (0..).map(|n| format!("u{n}")).filter(|user| {
        let id = group_of(&key, &rule_id("r0"), Some("east"), &[Value::Text(user.as_str().into())]);
        id.shard() == 0
    });
    std::array::from_fn(|_| &*Box::leak(found.next().unwrap().into_boxed_str()))
}

pub(super) fn few(keys: usize) -> Limits {
    Limits { keys_per_rule_max: keys * VIRTUAL_SHARDS, ..plenty() }
}

pub(super) fn plenty() -> Limits {
    Limits { lateness: SECOND, request_memory: 20 * SECOND, ..Limits::default() }
}

pub(super) struct Ran {
    pub(super) alerts: Vec<Alert>,
    tally: RunTally,
    /// Per rule when which user was refused.
    refused: Vec<Vec<(String, Nanos)>>,
}

fn take(state: &mut State, plan: &Plan, source: SourceId, bytes: &str) {
    let mut blocks = Blocks::new(source, usize::MAX, 1 << 20);
    blocks.push(bytes.as_bytes());
    blocks.finish();
    let Some(block) = blocks.pop() else { return };
    state.take(source, match_block(plan, &info("east"), &block, &mut Scratch::default()));
}

/// Runs a log; a cut is where the state is saved and loaded.
pub(super) fn run(rules: &str, log: &[Get], limits: Limits, cuts: &[usize]) -> Ran {
    let plan = Arc::new(plan(rules));
    let mut state = State::new(plan.clone(), limits);
    let source = state.add_source(info("east"));
    let watch = cuts.is_empty();
    let watches: Vec<_> =
        (0..plan.rules.len()).filter(|_| watch).map(|rule| state.watch_all(rule as u32)).collect();
    let mut alerts = Vec::new();
    for (n, get) in log.iter().enumerate() {
        if cuts.contains(&n) {
            state.drain(&mut alerts);
            let head = state.save_head();
            let shards: Vec<_> = (0..VIRTUAL_SHARDS).map(|shard| state.save(shard)).collect();
            state = State::new(plan.clone(), limits);
            state.load_head(&head).unwrap();
            for (shard, bytes) in shards.iter().enumerate() {
                state.load(shard, bytes).unwrap();
                assert_eq!(&state.save(shard), bytes);
            }
            assert_eq!(state.save_head(), head);
        }
        take(&mut state, &plan, source, &line(n, get));
    }
    state.finish();
    state.drain(&mut alerts);
    crate::alert::sort(&mut alerts);
    let refused = watches.iter().map(|watch| {
        let of = state.seen(*watch).iter().filter(|seen| seen.outcome == Outcome::Refused);
        of.map(|seen| (seen.meta.username.as_deref().unwrap_or_default().to_owned(), seen.effective))
            .collect()
    });
    Ran { refused: refused.collect(), alerts, tally: state.tally().clone() }
}

pub(super) fn user(alert: &Alert) -> Option<&str> {
    match alert.key.first() {
        Some((_, Value::Text(user))) => Some(user),
        _ => None,
    }
}

fn tells_refusals(alert: &Alert) -> bool {
    alert.notes.contains(&"too many keys: new ones were refused")
}

/// Each alert of the exact run is told in the other one, of its own key or of what many share, then or within the
/// throttle before. The end of input closes windows that are still open: then they are decided, whatever their end.
fn covered(exact: &[Alert], bounded: &[Alert], log: &[Get], throttle: i64) -> Result<(), TestCaseError> {
    let end = log.iter().map(|get| START + get.at * 1_000_000).max().unwrap_or(START);
    for alert in exact {
        let near = |told: &&Alert| {
            let ago = alert.time.min(end) - told.time.min(end);
            told.rule.name == alert.rule.name
                && (told.time == alert.time || ago >= 0 && ago < throttle * SECOND)
                && (told.approximate || told.key == alert.key)
        };
        prop_assert!(bounded.iter().any(|told| near(&told)), "{:?} {} missed", alert.key, alert.rule.name);
    }
    Ok(())
}

#[test]
fn the_end_of_input_tells_of_windows_that_begin_where_others_end() {
    let [own, other, ..] = users();
    // Windows of seven seconds begin at 25 and at 32.
    let times = [28_000, 29_000, 30_000, 32_000, 32_000, 32_000];
    let get = |at, user| Get { at, user, pod: "p", code: 200, cluster: 0 };
    let log: Vec<Get> = std::iter::once(get(27_000, own)).chain(times.map(|at| get(at, other))).collect();
    let body = "by user.username when count() >= 3 tumbling 7s THROTTLE alert \"x\"";
    let exact = run(&rules(&[body], 0), &log, plenty(), &[]);
    let times: Vec<Nanos> = exact.alerts.iter().map(|alert| alert.time - START).collect();
    assert_eq!(times, [32 * SECOND, 39 * SECOND]);
    for throttle in [0, 5] {
        let bounded = run(&rules(&[body], throttle), &log, few(1), &[]);
        covered(&exact.alerts, &bounded.alerts, &log, throttle).unwrap();
        assert_eq!(bounded.alerts.len(), if throttle == 0 { 2 } else { 1 });
    }
}

fn any_log() -> impl Strategy<Value = Vec<Get>> {
    let users = users();
    // A flood now and then, and quiet times in which room is made.
    let gap = prop_oneof![6 => 0..800_i64, 2 => 800..4_000_i64, 1 => 4_000..12_000_i64];
    let code = prop::sample::select(vec![200, 200, 403, 500]);
    let one = (gap, 0..KEYS, prop::sample::select(vec!["p", "q"]), code);
    prop::collection::vec(one, 0..70).prop_map(move |all| {
        let mut at = 0;
        let get = |(gap, user, pod, code): (i64, usize, &'static str, i64)| {
            at += gap;
            Get { at, user: users[user], pod, code, cluster: 0 }
        };
        all.into_iter().map(get).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(60)))]

    #[test]
    fn a_monotone_rule_misses_nothing(
        log in any_log(), keys in 1..4_usize, throttle in 0..6_i64, cap in prop::sample::select(vec![1, 2, 4, 100])
    ) {
        for body in MONOTONE.iter().chain(MONOTONE_SEQUENCES) {
            let exact = run(&rules(&[body], 0), &log, plenty(), &[]);
            // What one window keeps may be short too.
            let limits = Limits { matches_per_key_max: cap, ..few(keys) };
            let bounded = run(&rules(&[body], throttle), &log, limits, &[]);
            prop_assert_eq!(bounded.tally.shed.refused, 0);
            covered(&exact.alerts, &bounded.alerts, &log, throttle)?;
        }
    }

    #[test]
    fn what_is_refused_is_counted_and_told_and_the_rest_is_exact(log in any_log(), keys in 1..4_usize) {
        for (body, reach) in REFUSING {
            let text = rules(&[body], 0);
            let exact = run(&text, &log, plenty(), &[]);
            let bounded = run(&text, &log, few(keys), &[]);
            prop_assert!(exact.refused[0].is_empty());
            let (counts, told): (Vec<_>, Vec<_>) = bounded.alerts.into_iter().partition(tells_refusals);
            let refused = &bounded.refused[0];

            // One for each minute in which there was something, with how much it was.
            let mut minutes: BTreeMap<Nanos, u64> = BTreeMap::new();
            for (_, at) in refused {
                *minutes.entry(at.div_euclid(60 * SECOND) * 60 * SECOND).or_default() += 1;
            }
            let said: BTreeMap<Nanos, u64> =
                counts.iter().map(|alert| (alert.window.unwrap().0, alert.count)).collect();
            prop_assert_eq!(counts.len(), said.len());
            prop_assert_eq!(said, minutes);

            let sure: BTreeSet<String> =
                texts(&told.iter().filter(|alert| !alert.approximate).cloned().collect::<Vec<_>>()).into_iter().collect();
            let all: BTreeSet<String> = texts(&exact.alerts).into_iter().collect();
            prop_assert!(sure.is_subset(&all), "{:?} {:?}", sure, all);
            let ids: BTreeSet<[u8; 16]> = told.iter().map(|alert| alert.id).collect();
            for missing in exact.alerts.iter().filter(|alert| !ids.contains(&alert.id)) {
                let from = reach.map_or(Nanos::MIN, |reach| missing.time - reach * SECOND);
                let was = |(key, at): &(String, Nanos)| {
                    Some(key.as_str()) == user(missing) && (from..=missing.time.max(from)).contains(at)
                };
                prop_assert!(refused.iter().any(was), "{:?} was not refused by {}", missing.key, body);
            }
        }
    }

    #[test]
    fn memories_forget_and_never_remember_what_was_not(
        log in any_log(), keys in 1..4_usize, requests in 1..9_usize, values in 1..3_usize
    ) {
        let limits = Limits {
            requests_told_max: requests * VIRTUAL_SHARDS / 2,
            matches_per_key_max: values,
            ..few(keys)
        };
        // The same request comes more than once: a log that is sent again.
        let again: Vec<Get> = log.iter().chain(log.iter().rev().take(5)).cloned().collect();
        for (log, throttle) in [(&log, 0), (&log, 4), (&again, 0)] {
            for body in MEMORIES {
                let exact = run(&rules(&[body], 0), log, plenty(), &[]);
                let bounded = run(&rules(&[body], throttle), log, limits, &[]);
                prop_assert_eq!(bounded.tally.shed.refused, 0);
                covered(&exact.alerts, &bounded.alerts, log, throttle)?;
                let ids: BTreeSet<[u8; 16]> = bounded.alerts.iter().map(|alert| alert.id).collect();
                prop_assert!(throttle > 0 || exact.alerts.iter().all(|alert| ids.contains(&alert.id)));
            }
        }
    }

    #[test]
    fn what_is_shed_outlives_the_process(
        log in any_log(), keys in 1..3_usize, cuts in prop::collection::vec(0..70_usize, 1..4)
    ) {
        let refusing = REFUSING.iter().map(|(body, _)| body);
        for body in MONOTONE.iter().chain(MONOTONE_SEQUENCES).chain(refusing).chain(MEMORIES) {
            let text = rules(&[body], 2);
            let whole = run(&text, &log, few(keys), &[]);
            let cut = run(&text, &log, few(keys), &cuts);
            prop_assert_eq!(texts(&whole.alerts), texts(&cut.alerts));
            prop_assert_eq!(whole.tally, cut.tally);
        }
    }
}

#[test]
fn what_went_from_windows_of_rules_that_are_not_monotone_is_told() {
    let users = users();
    let log: Vec<Get> = (0..9)
        .map(|n| Get {
            at: n * 100,
            user: users[0],
            pod: ["p", "q", "r"][n as usize % 3],
            code: 200,
            cluster: 0,
        })
        .collect();
    let limits = Limits { matches_per_key_max: 2, ..plenty() };
    let bodies = [
        "by user.username when count() == 9 within 6s THROTTLE alert \"{count()}\"",
        "by user.username when percentile(responseStatus.code, 50) > 300 within 6s THROTTLE alert \"x\"",
        "by user.username when distinct(objectRef.name) == 3 session gap 3s within 8s THROTTLE alert \"x\"",
        "by user.username when sum(responseStatus.code) - min(responseStatus.code) > 1000 within 6s THROTTLE alert \"x\"",
    ];
    for (body, went) in bodies.into_iter().zip([7, 7, 3, 7]) {
        let ran = run(&rules(&[body], 0), &log, limits, &[]);
        let told: Vec<&Alert> = ran.alerts.iter().filter(|alert| alert.key.is_empty()).collect();
        let [told] = told.as_slice() else { panic!("{body}: {:?}", texts(&ran.alerts)) };
        assert_eq!((told.count, told.approximate, ran.tally.shed.window), (went, true, went), "{body}");
        let text = "matches or values were left out: the windows of some keys hold as much as they may, and what they say may be wrong";
        assert_eq!(told.message, format!("{went} {text}"));
        assert_eq!(
            told.notes,
            ["too many events: the oldest were left out", "the input ended before the window"]
        );
    }
    // What more events only make truer is on the safe side, and says so itself.
    let ran = run(
        &rules(&["by user.username when count() * 2 > 5 within 6s THROTTLE alert \"x\""], 0),
        &log,
        limits,
        &[],
    );
    assert_eq!(ran.alerts.iter().filter(|alert| alert.key.is_empty()).count(), 0);
    assert_eq!(ran.alerts.iter().filter(|alert| alert.approximate).count(), 7);
}

#[test]
fn who_has_most_gives_way_and_nobody_else() {
    let users = users();
    // One of five does nearly all; the others do two things each, and then more until the room is evenly shared.
    let one = |at, who: usize| Get { at, user: users[who], pod: "p", code: 200, cluster: 0 };
    let mut log: Vec<Get> = (0..40).map(|n| one(n * 20, 0)).collect();
    log.extend((0..8).map(|n| one(1_000 + n * 20, 1 + n as usize % 4)));
    let room = |matches: u64| usize::try_from(matches * RECORD_BYTES).unwrap() * VIRTUAL_SHARDS;
    let limits = |matches| Limits { window_bytes_per_rule_max: room(matches), ..plenty() };
    let text = rules(&["by user.username when count() == 2 within 6s THROTTLE alert \"x\""], 0);
    let ran = run(&text, &log, limits(10), &[]);
    let of = |user: &str, ran: &Ran| {
        let told: Vec<bool> = ran
            .alerts
            .iter()
            .filter(|alert| self::user(alert) == Some(user))
            .map(|alert| alert.approximate)
            .collect();
        told
    };
    for user in &users[..5] {
        assert_eq!(of(user, &ran), [false], "{user}");
    }
    // The others have four matches beside their first ones; where the one counts on what went takes the room of two.
    let told: Vec<&Alert> = ran.alerts.iter().filter(|alert| alert.key.is_empty()).collect();
    assert_eq!((told.len(), told[0].count, ran.tally.shed.window), (1, 35, 35));
    // With less room than all five have in common nobody has more than an even share.
    let ran = run(&text, &log, limits(3), &[]);
    assert!(ran.tally.shed.window > 35);
    // A lower bound is exact as long as it has what it asks for.
    let text = rules(&["by user.username when count() >= 2 within 6s THROTTLE alert \"x\""], 5);
    let ran = run(&text, &log, limits(10), &[]);
    assert_eq!(ran.tally.shed.window, 0);
    for user in &users[..5] {
        assert_eq!(of(user, &ran), [false], "{user}");
    }
}

#[test]
fn of_a_sequence_that_gives_way_what_is_too_old_goes_first() {
    let [old, new, ..] = users();
    let one = |at, user| Get { at, user, pod: "p", code: 200, cluster: 0 };
    // At 6.5 four of the first five are too old.
    let mut log: Vec<Get> = [0, 10, 20, 30, 5_000].map(|at| one(at, old)).to_vec();
    log.extend([6_500, 6_510, 6_520, 6_530].map(|at| one(at, new)));
    let room = usize::try_from(5 * (RECORD_BYTES + VALUE_BYTES)).unwrap() * VIRTUAL_SHARDS;
    let limits = Limits { window_bytes_per_rule_max: room, ..plenty() };
    let ran = run(&rules(&MONOTONE_SEQUENCES[..1], 0), &log, limits, &[]);
    assert_eq!(ran.tally.shed.window, 0);
    let less = Limits { window_bytes_per_rule_max: room / 2, ..plenty() };
    assert!(run(&rules(&MONOTONE_SEQUENCES[..1], 0), &log, less, &[]).tally.shed.window > 0);
}

#[test]
fn refusals_reach_rules_on_alerts() {
    let users = users();
    let log: Vec<Get> = (0..40)
        .map(|n| Get { at: n * 100, user: users[n as usize % KEYS], pod: "p", code: 200, cluster: 0 })
        .chain([Get { at: 70_000, user: users[0], pod: "p", code: 200, cluster: 0 }])
        .collect();
    let text = rules(&[REFUSING[0].0], 0)
        + "rule shed \"Shed\" { severity low on alert of r0 where alert.approximate == true by alert.rule throttle 1h alert \"{alert.rule}: {alert.message}\" }";
    let ran = run(&text, &log, few(1), &[]);
    let told: Vec<&Alert> = ran.alerts.iter().filter(|alert| &*alert.rule.name == "shed").collect();
    let refused = ran.refused[0].len();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].message.starts_with(&format!("r0: {refused} matches were refused")),
        "{}",
        told[0].message
    );
    assert!(told[0].approximate);
    assert_eq!(told[0].time, START + 60 * SECOND);
}

/// Requests of one user, a tenth of a second apart.
fn requests(count: usize) -> Vec<Get> {
    let user = users()[0];
    (0..count).map(|n| Get { at: 100 * n as i64, user, pod: "p", code: 200, cluster: 0 }).collect()
}

#[test]
fn requests_that_may_count_twice_are_counted_and_told() {
    // One is remembered in each shard, so that of two hundred most are forgotten, and all that come then are in doubt.
    let limits = Limits { requests_told_max: VIRTUAL_SHARDS, ..plenty() };
    let noted = |alert: &Alert| alert.notes.contains(&"too many requests: some may count twice");
    for (body, tells) in [(REFUSING[0].0, true), (MONOTONE[0], false)] {
        let text = rules(&[body], 0);
        assert!(!run(&text, &requests(200), plenty(), &[]).alerts.iter().any(noted));
        let ran = run(&text, &requests(200), limits, &[]);
        assert!(ran.tally.shed.again > 50, "{:?}", ran.tally.shed);
        let (of_all, of_keys): (Vec<&Alert>, Vec<&Alert>) =
            ran.alerts.iter().partition(|alert| alert.events.is_empty());
        // What was decided before it had come to that is exact.
        assert!(!noted(of_keys[0]) && !of_keys[0].approximate, "{body}");
        assert!(of_keys.iter().all(|alert| noted(alert) == alert.approximate), "{body}");
        let doubtful: Vec<bool> = of_keys.iter().map(|alert| alert.approximate).collect();
        assert!(tells || doubtful[doubtful.len() / 2..].iter().all(|doubt| *doubt), "{body}: {doubtful:?}");
        let told: Vec<_> = of_all.iter().map(|alert| (alert.count, alert.window, noted(alert))).collect();
        let window = Some((START, START + 60 * SECOND));
        assert_eq!(told, if tells { vec![(ran.tally.shed.again, window, true)] } else { vec![] }, "{body}");
    }
}

#[test]
fn what_is_refused_is_not_told_as_in_doubt_too() {
    let limits = Limits { requests_told_max: VIRTUAL_SHARDS, ..few(1) };
    let log: Vec<Get> =
        requests(200).into_iter().enumerate().map(|(n, get)| Get { user: users()[n % 2], ..get }).collect();
    let ran = run(&rules(&[REFUSING[0].0], 0), &log, limits, &[]);
    let shed = ran.tally.shed;
    assert!(shed.refused == 100 && shed.again > 25, "{shed:?}");
    let told: Vec<u64> =
        ran.alerts.iter().filter(|alert| alert.events.is_empty()).map(|alert| alert.count).collect();
    assert_eq!(told, [shed.refused + shed.again]);
}

#[test]
fn what_comes_when_its_time_was_decided_in_a_hurry_is_counted_and_told() {
    // Two may wait; of a log of one second in which the first comes last its time has been decided.
    let limits = Limits { waiting_matches_max: 2, lateness: 30 * SECOND, ..plenty() };
    let mut log = requests(10);
    log.rotate_left(1);
    log.push(Get { at: 100_000, ..log[0].clone() });
    for body in [REFUSING[0].0, MONOTONE[0]] {
        let text = rules(&[body], 0);
        assert!(
            run(&text, &log, Limits { waiting_matches_max: 100, ..limits }, &[])
                .alerts
                .iter()
                .all(|alert| !alert.approximate)
        );
        let ran = run(&text, &log, limits, &[]);
        let shed = ran.tally.shed;
        assert!(shed.hurried > 5 && shed.overtaken == 1, "{shed:?}");
        let noted = |alert: &&Alert| alert.notes.iter().any(|note| note.starts_with("too many events wait"));
        let told: Vec<&Alert> = ran.alerts.iter().filter(|alert| alert.events.is_empty()).collect();
        assert_eq!(told.iter().map(|alert| alert.count).collect::<Vec<_>>(), [1], "{body}");
        assert!(told.iter().all(noted), "{body}");
        // The window of the match that came too late is one of those.
        let last =
            ran.alerts.iter().rfind(|alert| !alert.events.is_empty() && alert.time < START + 50 * SECOND);
        assert!(last.is_some_and(|alert| alert.approximate && noted(&alert)), "{body}: {last:?}");
    }
}
