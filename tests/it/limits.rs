//! Windows under a lower bound keep only the newest: what random cases, which are small, never reach.

use dsl::source::SourceMap;
use engine::limits::Limits;
use serde_json::json;
use tests::harness::run;
use tests::reference::{Arrival, Poison, Settings, Source, answer};

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
            let stamp = chrono::DateTime::from_timestamp_nanos(1_767_571_200_000_000_000 + n * 1_000_000_000);
            let stamp = stamp.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            let event = json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
                "stage": "ResponseComplete", "verb": "get", "requestURI": "/x", "user": {"username": "alice"},
                "objectRef": {"resource": "pods", "name": format!("pod-{n}")},
                "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
            });
            Arrival::event(0, event)
        })
        .collect();
    let limits = Limits::default();
    let settings = Settings { lateness: limits.lateness, request_memory: limits.request_memory, until: None };
    let source = [Source { name: "log".to_owned(), cluster: None }];
    let expected = answer(&rules, &source, &arrivals, settings, &Poison::default()).alerts;
    let bytes = arrivals.iter().flat_map(|a| format!("{}\n", a.json).into_bytes()).collect();
    let (found, _) = run(&rules, limits, 1 << 16, &[("log".to_owned(), None, bytes)]);
    // Evidence that fell out of the window cannot be shown, nor counted; ids, times, texts and notes are the same.
    let told = |all: &[tests::reference::RefAlert]| {
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
