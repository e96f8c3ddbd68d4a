//! Windows under a lower bound keep only the newest: what random cases, which are small, never reach.

use dsl::source::SourceMap;
use engine::limits::Limits;
use serde_json::json;
use tests::harness::run;
use tests::reference::{Arrival, Poison, RefAlert, Settings, Source, answer};

/// What the reference says of events of one source under the limits that there are unless told.
fn expected(rules: &dsl::ir::RuleSet, arrivals: &[Arrival]) -> Vec<RefAlert> {
    let limits = Limits::default();
    let settings = Settings { lateness: limits.lateness, request_memory: limits.request_memory, until: None };
    let source = [Source { name: "log".to_owned(), cluster: None }];
    answer(rules, &source, arrivals, settings, &Poison::default()).alerts
}

/// The same events as lines for the engine.
fn found(
    rules: &dsl::ir::RuleSet,
    limits: Limits,
    arrivals: &[Arrival],
) -> (Vec<RefAlert>, engine::state::RunTally) {
    let bytes = arrivals.iter().flat_map(|a| format!("{}\n", a.json).into_bytes()).collect();
    run(rules, limits, 1 << 16, &[("log".to_owned(), None, bytes)])
}

/// A time as events have it, so many nanoseconds after the first.
fn stamp(nanos: i64) -> String {
    let stamp = chrono::DateTime::from_timestamp_nanos(1_767_571_200_000_000_000 + nanos);
    stamp.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[test]
fn past_what_a_window_keeps_the_same_requests_alert_and_the_count_says_at_least() {
    let mut sources = SourceMap::default();
    let rule = |name: &str, condition: &str| {
        format!(
            "rule {name} \"Many\" {{ severity low on any of any when {condition} within 1h throttle 0s alert \"{{count()}} {{distinct(objectRef.name)}}\" }}\n"
        )
    };
    let text = rule("bound", "count() >= 3 and distinct(objectRef.name) >= 2")
        + &rule("exact", "count() >= 3 and count() < 5000 and distinct(objectRef.name) != 7");
    sources.add("limits.rule", text);
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let arrivals: Vec<Arrival> = (0..1_100)
        .map(|n| {
            let stamp = stamp(n * 1_000_000_000);
            let event = json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
                "stage": "ResponseComplete", "verb": "get", "requestURI": "/x", "user": {"username": "alice"},
                "objectRef": {"resource": "pods", "name": format!("pod-{n}")},
                "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
            });
            Arrival::event(0, event)
        })
        .collect();
    let expected = expected(&rules, &arrivals);
    let (found, _) = found(&rules, Limits::default(), &arrivals);
    // Evidence that fell out of the window cannot be shown, nor counted; ids, times, texts and notes are the same.
    let told = |all: &[RefAlert]| {
        let mut all: Vec<_> = all
            .iter()
            .map(|a| (a.rule.clone(), a.time, a.id.clone(), a.message.clone(), a.notes.clone()))
            .collect();
        all.sort();
        all
    };
    assert_eq!(told(&expected), told(&found));
    let last = |rule: &str| found.iter().rfind(|a| a.rule == rule).unwrap();
    assert_eq!(
        (last("bound").message.as_str(), last("bound").notes.as_slice()),
        ("1000 1000", &["at least".to_owned()][..])
    );
    assert_eq!((last("exact").message.as_str(), last("exact").notes.len()), ("1100 1100", 0));
}

#[test]
fn two_long_lists_have_more_tuples_than_are_told_apart_and_none_is_missed() {
    const LENGTH: usize = 320;
    let mut sources = SourceMap::default();
    let rule = |name: &str, window: &str| {
        format!(
            "rule {name} \"Many\" {{ severity low on any of any when {window} throttle 0s alert \"x\" }}\n"
        )
    };
    let pairs = "distinct(user.groups[], sourceIPs[])";
    let many = LENGTH * LENGTH;
    let text = rule("sliding", &format!("{pairs} >= {many} within 1h"))
        + &rule("exact", &format!("{pairs} * 2 >= {} within 1h", 2 * many))
        + &rule("closing", &format!("{pairs} >= {many} tumbling 1h"))
        + &rule("seen", "first_seen(user.groups[], sourceIPs[]) within 1h learning 0s")
        + &rule("below", &format!("{pairs} < {many} within 1h"))
        + "rule limits \"Not exact\" { severity low on alert of any where alert.approximate == true by alert.rule alert \"{alert.rule}\" }";
    sources.add("limits.rule", text);
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let names = |of: &str| (0..LENGTH).map(|n| format!("{of}{n}")).collect::<Vec<_>>();
    let stamp = "2026-01-05T00:00:00Z";
    let event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a",
        "stage": "ResponseComplete", "verb": "get", "requestURI": "/x",
        "user": {"username": "alice", "groups": names("g")}, "sourceIPs": names("i"),
        "objectRef": {"resource": "pods", "name": "p"}, "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
    });
    let limits = Limits::default();
    let arrivals = [Arrival::event(0, event)];
    let expected = expected(&rules, &arrivals);
    let told = |limits| found(&rules, limits, &arrivals);
    let of = |all: &[RefAlert]| {
        let all = all.iter().map(|alert| (alert.rule.clone(), alert.message.clone()));
        all.collect::<std::collections::BTreeSet<_>>()
    };

    let (found, tally) = told(limits);
    let beside = (many - limits.tuples_per_match_max) as u64;
    // Of each of the five rules.
    assert_eq!(tally.shed.tuples, 5 * beside);
    let exactly = ["sliding", "exact", "closing", "seen"];
    assert_eq!(expected.len(), exactly.len());
    for name in exactly {
        let found: Vec<_> = found.iter().filter(|alert| alert.rule == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        assert!(expected.iter().any(|alert| alert.id == found[0].id), "{name}");
        assert!(
            found[0].notes.iter().any(|note| note.starts_with("too many")),
            "{name}: {:?}",
            found[0].notes
        );
    }
    // The shipped rule `limits` hears each of them, and what is told of the rule that may miss something by it.
    let heard = ["sliding", "exact", "closing", "seen", "below"];
    let heard: Vec<_> = heard.map(|name| ("limits".to_owned(), name.to_owned())).into();
    assert!(heard.iter().all(|alert| of(&found).contains(alert)), "{found:#?}");

    // With room for all it is exact.
    let (found, tally) = told(Limits { tuples_per_match_max: many, matches_per_key_max: many, ..limits });
    assert_eq!((of(&found), tally.shed.tuples), (of(&expected), 0));
}

#[test]
fn the_longest_windows_end_where_the_reference_says() {
    const DAY: i64 = 86_400_000_000_000;
    let mut sources = SourceMap::default();
    let rule = |name: &str, rest: &str| {
        format!("rule {name} \"Long\" {{ severity low {rest} alert \"{{objectRef.name}}\" }}\n")
    };
    let text = rule("sliding", "on any of any by user.username when count() >= 3 within 366d throttle 0s")
        + &rule("tumbling", "on any of any when count() >= 1 tumbling 366d")
        + &rule("session", "on any of any when count() >= 2 session gap 200d within 366d")
        + &rule("seen", "on any of any when first_seen(objectRef.name) within 90d learning 31d")
        + &rule("silent", "on any of any by user.username when silent for 366d")
        + &rule(
            "undone",
            "by user.username sequence within 366d { a: on get of any b: on get of any no n within 366d: on list of any }",
        );
    sources.add("limits.rule", text);
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let days = [0, 31, 89, 90, 121, 122, 300, 365, 366, 367, 732, 733, 734, 1_099, 1_101, 1_500];
    let arrivals: Vec<Arrival> = (0..)
        .zip(days)
        .map(|(n, day)| {
            let stamp = stamp(day * DAY);
            let event = json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
                "stage": "ResponseComplete", "verb": if n == 13 { "list" } else { "get" }, "requestURI": "/x",
                "user": {"username": "alice"}, "objectRef": {"resource": "pods", "name": format!("pod-{}", n % 3)},
                "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
            });
            Arrival::event(0, event)
        })
        .collect();
    let mut expected = expected(&rules, &arrivals);
    let (mut found, _) = found(&rules, Limits::default(), &arrivals);
    expected.sort();
    found.sort();
    assert_eq!(expected, found);
    let told: std::collections::BTreeSet<_> = found.iter().map(|alert| alert.rule.as_str()).collect();
    assert_eq!(told.len(), 6, "{told:?}");
}
