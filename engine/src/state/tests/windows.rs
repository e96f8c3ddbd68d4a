//! Windows that close, first sights, silences and what is measured: from rule text to alerts.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Js, json};

use crate::alert::Alert;
use crate::eval::tests::{event, plan};
use crate::frame::blocks::Blocks;
use crate::limits::{Limits, VIRTUAL_SHARDS};
use crate::matches::{Nanos, SourceId, SourceInfo};
use crate::matching::{Scratch, match_block};
use crate::plan::Plan;
use crate::state::{RunTally, State};

pub(super) const SECOND: Nanos = 1_000_000_000;
/// Midnight, so that stretches of the clock begin at round times.
pub(super) const START: Nanos = 1_767_571_200 * SECOND;

/// A `get` by a user of a pod at so many milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Get {
    pub(super) at: i64,
    pub(super) user: &'static str,
    pub(super) pod: &'static str,
    pub(super) code: i64,
    pub(super) cluster: usize,
}

pub(super) fn get(at: i64, user: &'static str, pod: &'static str) -> Get {
    Get { at, user, pod, code: 200, cluster: 0 }
}

pub(super) fn line(number: usize, get: &Get) -> String {
    let time = |at: i64| {
        let mut out = Vec::new();
        crate::time::write_rfc3339(START + at * 1_000_000, &mut out);
        String::from_utf8(out).unwrap()
    };
    let mut event = event(json!({
        "auditID": format!("id-{number}"),
        "stageTimestamp": time(get.at),
        "requestReceivedTimestamp": time(get.at - get.code),
        "user": {"username": get.user},
        "objectRef": {"resource": "pods", "namespace": "n", "name": get.pod},
        "responseStatus": {"code": get.code},
    }));
    if get.user == "-" {
        event.as_object_mut().unwrap().remove("user");
    }
    event.to_string() + "\n"
}

pub(super) const CLUSTERS: [&str; 2] = ["east", "west"];

fn state(plan: &Arc<Plan>, limits: Limits) -> (State, [SourceId; 2]) {
    let mut state = State::new(plan.clone(), limits);
    let sources = CLUSTERS.map(|name| state.add_source(info(name)));
    (state, sources)
}

pub(super) fn info(name: &str) -> SourceInfo {
    SourceInfo { name: name.into(), cluster: Some(name.into()) }
}

pub(super) fn take(state: &mut State, plan: &Plan, source: SourceId, cluster: usize, bytes: &str) {
    let mut blocks = Blocks::new(source, usize::MAX, 1 << 20);
    blocks.push(bytes.as_bytes());
    blocks.finish();
    let block = blocks.pop().unwrap();
    state.take(source, match_block(plan, &info(CLUSTERS[cluster]), &block, &mut Scratch::default()));
}

fn run_until(rules: &str, gets: &[Get], limits: Limits, until: i64) -> (Vec<Alert>, RunTally) {
    let plan = Arc::new(plan(rules));
    let (mut state, sources) = state(&plan, limits);
    for (number, get) in gets.iter().enumerate() {
        take(&mut state, &plan, sources[get.cluster], get.cluster, &line(number, get));
    }
    state.finish_at(START + until * 1_000_000);
    let mut alerts = Vec::new();
    state.drain(&mut alerts);
    crate::alert::sort(&mut alerts);
    (alerts, state.tally().clone())
}

fn limits() -> Limits {
    Limits { lateness: 1000 * SECOND, ..Limits::default() }
}

/// Millisecond and message of each alert.
fn told(rules: &str, gets: &[Get]) -> Vec<(i64, String)> {
    told_until(rules, gets, 0)
}

fn told_until(rules: &str, gets: &[Get], until: i64) -> Vec<(i64, String)> {
    let alerts = run_until(rules, gets, limits(), until).0;
    alerts.iter().map(|alert| (millis(alert.time), alert.message.clone())).collect()
}

fn millis(at: Nanos) -> i64 {
    (at - START) / 1_000_000
}

fn rule(body: &str) -> String {
    format!("rule r \"t\" {{ severity low on get of pods {body} }}")
}

pub(super) fn js(alert: &Alert) -> Js {
    let mut out = Vec::new();
    alert.to_json(&mut out);
    serde_json::from_slice(&out).unwrap()
}

const TUMBLING: &str = "by user.username when count() >= 2 tumbling 10s alert \"{count()} {distinct(objectRef.name)} {objectRef.name}\"";

#[test]
fn a_stretch_of_the_clock_has_its_start_and_not_its_end() {
    let gets = [
        get(0, "a", "p"),
        get(9_999, "a", "q"),
        get(10_000, "a", "r"),
        get(19_999, "a", "r"),
        get(25_000, "a", "s"),
    ];
    assert_eq!(told(&rule(TUMBLING), &gets), [(10_000, "2 2 q".into()), (20_000, "2 1 r".into())]);
    // The match of the end is decided before the timer, and is of the next one all the same.
    let gets = [get(1, "a", "p"), get(10_000, "a", "q")];
    assert_eq!(told(&rule(TUMBLING), &gets), []);
    let alerts =
        run_until(&rule(TUMBLING), &[get(1, "a", "p"), get(2, "a", "q"), get(10_000, "b", "r")], limits(), 0)
            .0;
    let alert = js(&alerts[0]);
    assert_eq!(alert["window"], json!({"from": "2026-01-05T00:00:00Z", "to": "2026-01-05T00:00:10Z"}));
    assert_eq!((&alert["time"], &alert["count"]), (&json!("2026-01-05T00:00:10Z"), &json!(2)));
    assert_eq!((&alert["key"], &alert["notes"]), (&json!({"user.username": "a"}), &json!([])));
    assert_eq!(alert["events"].as_array().unwrap().len(), 2);
}

#[test]
fn what_the_end_of_input_leaves_open_is_judged_as_it_stands() {
    let (alerts, tally) = run_until(&rule(TUMBLING), &[get(1, "a", "p"), get(2, "a", "q")], limits(), 0);
    let alert = js(&alerts[0]);
    assert_eq!((alerts.len(), &alert["notes"]), (1, &json!(["the input ended before the window"])));
    assert_eq!((&alert["time"], tally.rules[0].pending), (&json!("2026-01-05T00:00:10Z"), 0));
    let alerts = run_until(&rule(TUMBLING), &[get(1, "a", "p"), get(2, "a", "q")], limits(), 10_000).0;
    assert_eq!(alerts[0].notes, [] as [&str; 0], "time went on to its end");
}

#[test]
fn a_session_ends_after_a_gap_or_when_it_is_too_long() {
    let body =
        "by user.username when count() >= 2 session gap 5s within 12s alert \"{count()} {objectRef.name}\"";
    let at = |at, pod| get(at, "a", pod);
    // Both ends of the gap are in.
    let gets = [at(0, "p"), at(5_000, "q"), at(10_001, "r"), at(11_000, "s"), at(30_000, "t")];
    assert_eq!(told(&rule(body), &gets), [(5_000, "2 q".into()), (11_000, "2 s".into())]);
    // 12 s after its first it is over, the match there is in.
    let gets =
        [at(0, "p"), at(4_000, "q"), at(8_000, "r"), at(12_000, "s"), at(12_001, "t"), at(40_000, "u")];
    assert_eq!(told(&rule(body), &gets), [(12_000, "4 s".into())]);
    let alerts = run_until(&rule(body), &[at(0, "p"), at(5_000, "q"), at(11_000, "r")], limits(), 0).0;
    let alert = js(&alerts[0]);
    assert_eq!(alert["window"], json!({"from": "2026-01-05T00:00:00Z", "to": "2026-01-05T00:00:05Z"}));
    assert_eq!(alert["time"], "2026-01-05T00:00:05Z");
}

#[test]
fn a_window_that_closes_shows_the_first_and_the_last_events() {
    let gets: Vec<Get> = (0..50).map(|n| get(n, "a", "p")).chain([get(10_000, "b", "p")]).collect();
    let alerts = run_until(&rule(TUMBLING), &gets, limits(), 0).0;
    let shown: Vec<_> = alerts[0].events.iter().map(|event| millis(event.meta.stage_timestamp)).collect();
    assert_eq!(shown, (0..10).chain(40..50).collect::<Vec<i64>>());
    assert_eq!(alerts[0].count, 50);
}

#[test]
fn values_are_measured_over_sliding_and_closing_windows() {
    let text = "alert \"{sum(responseStatus.code)} {avg(responseStatus.code)} {min(responseStatus.code)} {max(responseStatus.code)} \
        {percentile(responseStatus.code, 50)} {max(stageTimestamp - requestReceivedTimestamp)} {avg(stageTimestamp - requestReceivedTimestamp)} \
        {min(stageTimestamp)} {sum(responseStatus.code where responseStatus.code == 999)} {max(responseStatus.code where responseStatus.code == 999)}\"";
    let code = |at, code| Get { code, ..get(at, "a", "p") };
    let gets = [code(0, 7), code(1_000, 200), code(2_000, 404), code(4_000, 500), code(20_000, 1)];
    let sliding = told(
        &rule(&format!("by user.username when sum(responseStatus.code) > 1000 within 3s throttle 0s {text}")),
        &gets,
    );
    let words: Vec<&str> = sliding[0].1.split_whitespace().collect();
    assert_eq!(sliding.len(), 1);
    assert_eq!(
        words,
        ["1104", "368", "200", "500", "404", "0.5s", "0.368s", "2026-01-05T00:00:01Z", "0", "-"]
    );
    let closing = told(
        &rule(&format!("by user.username when sum(responseStatus.code) > 1000 tumbling 10s {text}")),
        &gets,
    );
    let words: Vec<&str> = closing[0].1.split_whitespace().collect();
    assert_eq!(
        words,
        ["1111", "277.75", "7", "500", "200", "0.5s", "0.27775s", "2026-01-05T00:00:00Z", "0", "-"]
    );
}

const SEEN: &str =
    "by user.username when first_seen(objectRef.name) within 100s learning 10s alert \"{objectRef.name}\"";

#[test]
fn a_key_learns_first_and_then_tells_what_is_new() {
    let at = |s: i64, pod| get(s * 1000, "a", pod);
    let gets = [
        at(0, "p"),
        at(9, "q"),
        at(10, "r"),
        at(11, "q"),
        at(12, "r"),
        at(111, "q"),
        at(113, "r"),
        at(114, "r"),
    ];
    // `p` was last shown 100 s before 111 at 0; `q` at 11 is in to the last moment; `r` at 12 is out by 113.
    assert_eq!(told(&rule(SEEN), &gets), [(10_000, "r".into()), (113_000, "r".into())]);
    let alert = js(&run_until(&rule(SEEN), &gets, limits(), 0).0[0]);
    assert_eq!((&alert["window"], &alert["count"], &alert["values"]), (&Js::Null, &json!(1), &json!({})));
    let first = rule(&SEEN.replace("learning 10s", "learning 0s"));
    assert_eq!(told(&first, &[at(0, "p"), at(1, "p")]), [(0, "p".into())]);
}

#[test]
fn a_dormant_key_need_not_learn_again() {
    let at = |s: i64, user, pod| get(s * 1000, user, pod);
    let gets = [at(0, "a", "p"), at(5_000, "b", "p"), at(10_000, "a", "p"), at(10_001, "c", "p")];
    assert_eq!(told(&rule(SEEN), &gets), [(10_000_000, "p".into())]);
}

#[test]
fn what_had_to_be_forgotten_is_told_again_and_nothing_is_taken_for_known() {
    let mut limits = limits();
    limits.matches_per_key_max = 2;
    let at = |s: i64, pod| get(s * 1000, "a", pod);
    let gets = [at(0, "p"), at(11, "q"), at(12, "r"), at(13, "p"), at(14, "r")];
    let alerts = run_until(&rule(SEEN), &gets, limits, 0).0;
    let told: Vec<_> = alerts.iter().map(|alert| (&*alert.message, alert.approximate)).collect();
    assert_eq!(told, [("q", false), ("r", false), ("p", true)]);
}

const SILENT: &str =
    "by user.username when silent for 10s alert \"{user.username} {objectRef.name} {count()}\"";

#[test]
fn a_silence_is_told_once_and_begins_anew_with_a_match() {
    let rules = rule(&SILENT.replace(" {count()}", ""));
    let at = |s: i64, user, pod| get(s * 1000, user, pod);
    let gets = [at(0, "a", "p"), at(10, "a", "q"), at(25, "b", "r"), at(50, "a", "s"), at(59, "b", "t")];
    let want = [(20_000, "a q".into()), (35_000, "b r".into())];
    assert_eq!(told(&rules, &gets), want);
    let (alerts, tally) = run_until(&rules, &gets, limits(), 0);
    assert_eq!(tally.rules[0].pending, 2, "a until 60, b until 69");
    let alert = js(&alerts[0]);
    assert_eq!(alert["window"], json!({"from": "2026-01-05T00:00:10Z", "to": "2026-01-05T00:00:20Z"}));
    assert_eq!((&alert["count"], &alert["key"]), (&json!(0), &json!({"user.username": "a"})));
    assert_eq!(alert["events"][0]["auditID"], "id-1");
    let later = told_until(&rules, &gets, 60_000);
    assert_eq!(later.last(), Some(&(60_000, "a s".into())));
}

#[test]
fn what_a_throttle_holds_back_without_an_event_is_counted() {
    let gets = [0, 5, 10, 40].map(|s| get(s * 1000, "a", "p"));
    for shape in ["silent for 2s", "count() >= 1 tumbling 2s"] {
        let rules = rule(&format!("by user.username when {shape} throttle 30s alert \"x\""));
        let (alerts, tally) = run_until(&rules, &gets, limits(), 41_000);
        let told: Vec<_> = alerts.iter().map(|alert| (millis(alert.time), alert.suppressed)).collect();
        assert_eq!((told[0], tally.rules[0].suppressed), ((2_000, 0), 2), "{shape}");
    }
}

#[test]
fn what_is_over_is_shown_with_its_cluster_unless_it_is_of_all() {
    for (shape, across) in
        [("silent for 10s", false), ("silent for 10s", true), ("count() > 9 tumbling 10s", true)]
    {
        let of_all = if across { "across clusters" } else { "" };
        let rules = rule(&format!("by user.username {of_all} when {shape} alert \"x\""));
        let plan = Arc::new(plan(&rules));
        let (mut state, sources) = state(&plan, limits());
        let watch = state.watch_all(0);
        for (number, get) in [get(1_000, "a", "p"), get(60_000, "b", "p")].iter().enumerate() {
            take(&mut state, &plan, sources[0], 0, &line(number, get));
        }
        state.finish();
        let shown = state.judged(watch).first().map(|judged| judged.cluster.as_deref());
        assert_eq!(shown, Some((!across).then_some("east")), "{shape}");
    }
}

#[test]
fn what_a_new_rule_waits_for_begins_in_its_shard() {
    let names: Vec<String> = (0..50).map(|n| format!("\"u{n}\"")).collect();
    let rules = format!(
        "list people = [{}]\n{}",
        names.join(", "),
        rule("by user.username when silent for 10s among people alert \"x\"")
    );
    let (mut state, _) = state(&Arc::new(plan(&rules)), limits());
    let mut begun = 0;
    for shard in 0..VIRTUAL_SHARDS {
        state.begin_rule(0, &None, 0, Some(shard));
        let others = state.shards.iter().skip(shard + 1);
        assert_eq!(others.map(|shard| shard.groups.all.len()).sum::<usize>(), 0);
        begun += state.shards[shard].groups.all.len();
    }
    assert_eq!(begun, 50);
}

#[test]
fn what_never_came_is_waited_for_from_the_first_event_on() {
    let rules = format!(
        "list people = [\"a\", \"b\"]\n{}",
        rule("by user.username when silent for 10s among people alert \"{user.username} {objectRef.name}\"")
    );
    let at = |s: i64, user, pod| get(s * 1000, user, pod);
    let gets = [at(3, "c", "p"), at(5, "a", "q"), at(30, "c", "r")];
    // `c` is not waited for, but came and fell silent.
    let want = [(13_000, "b -".into()), (13_000, "c p".into()), (15_000, "a q".into())];
    let mut got = told(&rules, &gets);
    got.sort();
    assert_eq!(got, want);
    let alerts = run_until(&rules, &gets, limits(), 0).0;
    let never = js(alerts.iter().find(|alert| alert.completing.is_none()).unwrap());
    assert_eq!((&never["actor"], &never["object"], &never["events"]), (&Js::Null, &Js::Null, &json!([])));
    assert_eq!(never["key"], json!({"user.username": "b"}));
    assert_eq!(never["window"], json!({"from": "2026-01-05T00:00:03Z", "to": "2026-01-05T00:00:13Z"}));
}

#[test]
fn without_a_key_each_cluster_is_waited_for() {
    let rules = "rule r \"t\" { severity low on delete of pods when silent for 10s alert \"quiet\" }";
    let west = |s: i64| Get { cluster: 1, ..get(s * 1000, "a", "p") };
    let gets = [get(1_000, "a", "p"), west(4), get(2_000, "a", "p"), west(5), get(40_000, "a", "p")];
    let alerts = run_until(rules, &gets, limits(), 0).0;
    let told: Vec<_> = alerts.iter().map(|a| (millis(a.time), a.cluster.as_deref())).collect();
    assert_eq!(told, [(11_000, Some("east")), (14_000, Some("west"))]);
    let across = rules.replace("when", "across clusters when");
    let alerts = run_until(&across, &gets, limits(), 0).0;
    let told: Vec<_> = alerts.iter().map(|a| (millis(a.time), a.cluster.as_deref())).collect();
    assert_eq!(told, [(11_000, None)]);
}

#[test]
fn across_clusters_events_of_all_are_of_one_key() {
    let body = "by user.username when count() >= 2 within 10s alert \"x\"";
    let gets = [get(0, "a", "p"), Get { cluster: 1, ..get(1_000, "a", "q") }];
    assert_eq!(told(&rule(body), &gets), []);
    let across = rule(&body.replace("when", "across clusters when"));
    assert_eq!(told(&across, &gets), [(1_000, "x".into())]);
}

#[test]
fn a_closed_window_is_told_to_who_listens_also_at_the_end() {
    let rules = rule(TUMBLING)
        + "\nrule s \"t\" { severity low on alert of r when count() >= 2 within 1m alert \"{count()}\" }";
    let two = |at, user| [get(at, user, "p"), get(at + 1, user, "q")];
    let gets = [two(0, "a"), two(5_000, "b"), two(12_000, "a")].concat();
    let alerts = run_until(&rules, &gets, limits(), 0).0;
    let mut got: Vec<_> = alerts.iter().map(|a| (&*a.rule.name, millis(a.time), &*a.message)).collect();
    got.retain(|(rule, ..)| *rule == "s");
    assert_eq!(got, [("s", 10_000, "2")], "the one of the end is held back by the throttle");
    let gets = [two(0, "a"), two(5_000, "b")].concat();
    let alerts = run_until(&rules, &gets, limits(), 0).0;
    assert_eq!(alerts.iter().filter(|a| &*a.rule.name == "s").count(), 1);
}

#[test]
fn too_many_keys_share_windows_only_where_nothing_can_be_missed() {
    let mut few = limits();
    few.keys_per_rule_max = 0; // one a shard
    let users: Vec<&'static str> = (0..1000).map(|n| &*Box::leak(format!("u{n}").into_boxed_str())).collect();
    let gets: Vec<Get> =
        users.iter().chain(&users).enumerate().map(|(n, user)| get(n as i64, user, "p")).collect();
    let told = |body: &str| {
        let (alerts, tally) = run_until(&rule(body), &gets, few, 0);
        (alerts.iter().filter(|alert| alert.approximate).count(), alerts.len(), tally.shed.refused > 0)
    };
    let shared =
        "by user.username when count() >= 2 and max(responseStatus.code) >= 200 tumbling 10s alert \"x\"";
    // What the shards share closes at once and is told once.
    assert_eq!(told(shared), (1, VIRTUAL_SHARDS + 1, false));
    for exact in [
        "by user.username when count() == 2 tumbling 10s alert \"x\"",
        "by user.username when avg(responseStatus.code) > 100 tumbling 10s alert \"x\"",
        "by user.username when count() >= 2 session gap 5s within 10s alert \"x\"",
        "by user.username when not max(responseStatus.code) < 100 tumbling 10s alert \"x\"",
    ] {
        let (approximate, all, refused) = told(exact);
        // The one that is approximate says how many were refused.
        assert_eq!((approximate, all, refused), (1, VIRTUAL_SHARDS + 1, true), "{exact}");
    }
}

#[test]
fn memory_is_flat_as_time_moves() {
    let rules = format!(
        "{}{}{}{}",
        rule(TUMBLING),
        rule("by user.username when count() >= 2 session gap 2s within 20s alert \"x\"")
            .replace("rule r", "rule s"),
        rule("by user.username when silent for 2s alert \"x\"").replace("rule r", "rule q"),
        rule("by user.username when sum(responseStatus.code) > 1 within 2s alert \"x\"")
            .replace("rule r", "rule v"),
    );
    let plan = Arc::new(plan(&rules));
    let limits = Limits { lateness: SECOND, request_memory: SECOND, ..Limits::default() };
    let mut state = State::new(plan.clone(), limits);
    let source = state.add_source(info(CLUSTERS[0]));
    let mut most = 0;
    for n in 0..2000_usize {
        let user = &*Box::leak(format!("u{n}").into_boxed_str());
        take(&mut state, &plan, source, 0, &line(n, &get(n as i64 * 100, user, "p")));
        most = most.max(state.remembered().1);
    }
    assert!((100..600).contains(&most), "{most}");
    state.finish();
    // A throttle of each is over by then, but those of what was told in the end.
    assert!(state.timers.len() < 800, "{}", state.timers.len());
}

pub(super) const ALL: &str = "
list people = [\"a\", \"nobody\"]
rule tumbling \"t\" { severity low on get of pods by user.username
    when count() >= 2 and distinct(objectRef.name) > 1 or percentile(responseStatus.code, 90) > 450 tumbling 7s
    throttle 9s alert \"{count()} {sum(responseStatus.code)} {avg(responseStatus.code)} {distinct(objectRef.name)} {objectRef.name}\" }
rule session \"t\" { severity low on get of pods by user.username
    when count(where responseStatus.code > 300) >= 1 session gap 3s within 8s
    alert \"{count()} {max(stageTimestamp - requestReceivedTimestamp)} {min(responseStatus.code)} {percentile(responseStatus.code, 50)}\" }
rule sliding \"t\" { severity low on get of pods by user.username
    when sum(responseStatus.code) > 800 or avg(responseStatus.code) < 10 within 5s
    throttle 2s alert \"{sum(responseStatus.code)} {min(responseStatus.code)} {max(responseStatus.code)} {percentile(responseStatus.code, 75)}\" }
rule seen \"t\" { severity low on get of pods by user.username
    when first_seen(objectRef.name, responseStatus.code) within 6s learning 4s alert \"{objectRef.name}\" }
rule hushed \"t\" { severity low on get of pods by user.username when silent for 4s alert \"{user.username} {objectRef.name}\" }
rule among \"t\" { severity low on get of pods by user.username when silent for 5s among people alert \"{user.username} {objectRef.name}\" }
rule refused \"t\" { severity low on get of pods where responseStatus.code == 404 when silent for 6s alert \"{objectRef.name}\" }
rule wide \"t\" { severity low on get of pods where responseStatus.code == 404 across clusters when silent for 6s alert \"{objectRef.name}\" }
rule heard \"t\" { severity low on alert of tumbling, hushed, sliding when count() >= 2 tumbling 11s alert \"{count()} {distinct(alert.rule)}\" }
rule quiet \"t\" { severity low on alert of heard, seen when silent for 9s alert \"quiet\" }
";

pub(super) fn any_log() -> impl Strategy<Value = Vec<(Get, i64)>> {
    let user = prop::sample::select(vec!["a", "a", "b", "-"]);
    let pod = prop::sample::select(vec!["p", "q", "r"]);
    let code = prop::sample::select(vec![1, 200, 404, 500]);
    let one = (0..60_i64, user, pod, code, 0..2_usize, 0..4_i64);
    let one = one.prop_map(|(at, user, pod, code, cluster, jitter)| {
        (Get { at: at * 500, user, pod, code, cluster }, jitter * 500)
    });
    prop::collection::vec(one, 0..60)
}

pub(super) fn texts(alerts: &[Alert]) -> Vec<String> {
    alerts.iter().map(|alert| js(alert).to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(150)))]

    /// Out of order within the lateness, and through saves and loads on the way, the answer is the same.
    #[test]
    fn neither_order_nor_cuts_show(log in any_log(), cuts in prop::collection::vec(0..60_usize, 0..4)) {
        let plan = Arc::new(plan(ALL));
        let limits = Limits { lateness: 2 * SECOND, request_memory: 20 * SECOND, ..Limits::default() };
        // Each event has its place in its source whatever the order, as its line says.
        let mut lines: Vec<(i64, i64, usize, String)> = log.iter().enumerate()
            .map(|(n, (get, jitter))| (get.at, get.at + jitter, get.cluster, line(n, get)))
            .collect();
        lines.sort();
        let mut answers: Vec<(Vec<String>, RunTally)> = Vec::new();
        for shuffled in [false, true] {
            if shuffled {
                lines.sort_by_key(|(_, arrives, ..)| *arrives);
            }
            for cut in [false, true] {
                let (mut state, sources) = state(&plan, limits);
                let mut alerts = Vec::new();
                for (n, (.., cluster, line)) in lines.iter().enumerate() {
                    if cut && cuts.contains(&n) {
                        state.drain(&mut alerts);
                        let head = state.save_head();
                        let shards: Vec<_> = (0..VIRTUAL_SHARDS).map(|shard| state.save(shard)).collect();
                        state = State::with_key(plan.clone(), limits, [n as u8; 32]);
                        state.load_head(&head).unwrap();
                        for (shard, bytes) in shards.iter().enumerate() {
                            state.load(shard, bytes).unwrap();
                            prop_assert_eq!(&state.save(shard), bytes);
                        }
                        prop_assert_eq!(state.save_head(), head);
                    }
                    take(&mut state, &plan, sources[*cluster], *cluster, line);
                }
                state.finish();
                state.drain(&mut alerts);
                crate::alert::sort(&mut alerts);
                answers.push((texts(&alerts), state.tally().clone()));
            }
        }
        prop_assert_eq!(&answers[1], &answers[0]);
        prop_assert_eq!(&answers[3], &answers[2]);
        prop_assert_eq!(&answers[2].0, &answers[0].0);
    }
}
