//! A few values and answers by hand, from the page.
use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use serde_json::{Value, json};

use super::*;

mod listening;
mod sequences;
mod windows;

const SECOND: i64 = 1_000_000_000;

/// One rule, or more.
fn rules(text: &str) -> RuleSet {
    let mut sources = SourceMap::default();
    sources.add("test.rule", text.to_owned());
    let outcome = dsl::check::compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics))
}

/// Events, each as `SECONDS VERB USER NAME CODE`, all but the first two as they may; seconds since the Unix epoch.
fn events(text: &str) -> Vec<Arrival> {
    let event = |(n, line): (usize, &str)| {
        let mut words = line.split_whitespace();
        let mut word = |or: &str| words.next().unwrap_or(or).to_owned();
        let at: f64 = word("0").parse().unwrap();
        let stamp = time::render((at * SECOND as f64) as i64);
        let (verb, user, name) = (word("get"), word("u"), word("x"));
        let code: i64 = word("200").parse().unwrap();
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
            "stage": "ResponseComplete", "verb": verb, "requestURI": "/x", "user": {"username": user},
            "objectRef": {"resource": "pods", "name": name}, "responseStatus": {"code": code},
            "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
        })
    };
    let lines = text.split(';').map(str::trim).enumerate();
    lines.map(|at| Arrival::event(0, event(at))).collect()
}

fn answered(text: &str, arrivals: &[Arrival], sources: &[Source]) -> Answer {
    let settings = Settings { lateness: 5 * SECOND, request_memory: 3_600 * SECOND, until: None };
    answer(&rules(text), sources, arrivals, settings, &Poison::default())
}

fn source(cluster: Option<&str>) -> Source {
    Source { name: "log".to_owned(), cluster: cluster.map(str::to_owned) }
}

/// The alerts, each as `SECONDS RULE COUNT: TEXT`, then its notes; and how much is pending.
fn told(rules: &str, log: &str) -> (Vec<String>, u64) {
    let answer = answered(rules, &events(log), &[source(None)]);
    let pending = answer.rules.values().map(|rule| rule.pending).sum();
    (answer.alerts.iter().map(shown).collect(), pending)
}

fn shown(alert: &RefAlert) -> String {
    let at = alert.time as f64 / SECOND as f64;
    let notes: String = alert.notes.iter().map(|note| format!(" [{note}]")).collect();
    format!("{at} {} {}: {}{notes}", alert.rule, alert.count, alert.message)
}

#[test]
fn times() {
    assert_eq!(time::parse("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(time::parse("2026-01-05T00:00:00+08:00"), Some(1_767_542_400_000_000_000));
    assert_eq!(time::parse("2024-02-29T23:59:59.1234567891Z"), Some(1_709_251_199_123_456_789));
    for bad in
        ["2023-02-29T00:00:00Z", "2026-01-05 00:00:00Z", "2026-01-05T00:00:60Z", "1600-01-01T00:00:00Z"]
    {
        assert_eq!(time::parse(bad), None, "{bad}");
    }
    assert_eq!(time::render(1_709_251_199_120_000_000), "2024-02-29T23:59:59.120Z");
    assert_eq!(time::render_duration(3_723_500_000_000), "1h2m3.5s");
    assert_eq!(time::weekday(0, "UTC"), Some("thu"));
    assert_eq!(time::minute_of_day(0, "Asia/Shanghai"), Some(480));
}

#[test]
fn texts() {
    assert!(text::like("a\nb*", "a*\\*", false) && text::like("ABC", "a?c", true));
    assert!(!text::like("ab", "a", false) && !text::like("ab", "a??", false));
    assert!(text::equal_folded("\u{212a}", "k"));
    assert_eq!(text::base64_decoded("aGk"), Some(b"hi".to_vec()));
    assert_eq!(text::base64_decoded("aGl"), None);
}

#[test]
fn json_patches() {
    let operations = serde_json::json!([
        {"op": "add", "path": "/spec/list/1/name", "value": "x"},
        {"op": "add", "path": "/spec/list/-", "value": {"name": "y"}},
        {"op": "add", "path": "/spec/list/0", "value": null},
        {"op": "remove", "path": "/metadata/labels/app"},
        {"op": "test", "path": "/status", "value": 1},
    ]);
    let desired = patch::desired(&value::V::closed(&operations), &Poison::default());
    let list = desired.key("spec").key("list");
    let value::V::List(items, value::Extent::Open) = &list else { panic!("{list:?}") };
    assert_eq!(items.len(), 3);
    assert_eq!(items[1].key("name"), value::V::Text("x".to_owned()));
    assert_eq!(items[2].key("name"), value::V::Text("y".to_owned()));
    assert_eq!(desired.key("metadata").key("labels").key("app"), value::V::Absent);
    assert_eq!(desired.key("status"), value::V::Unknown);
}

#[test]
fn json_patches_that_are_too_much() {
    let known = |operations: serde_json::Value, path: &[&str]| {
        let desired = patch::desired(&value::V::closed(&operations), &Poison::default());
        path.iter().fold(desired, |value, key| value.key(key))
    };
    let a = value::V::Text("a".to_owned());
    let set = serde_json::json!({"op": "add", "path": "/name", "value": "a"});
    for tokens in [63, 64, 65, 500] {
        let deep = "/x".repeat(tokens);
        let add = serde_json::json!({"op": "add", "path": deep, "value": "a"});
        let operations = serde_json::json!([set, add]);
        assert_eq!(known(operations.clone(), &["name"]), a);
        let there = if tokens <= 64 { a.clone() } else { value::V::Unknown };
        assert_eq!(known(operations, &vec!["x"; tokens]), there, "{tokens}");
    }
    let copy = |from: &str, path: &str| serde_json::json!({"op": "copy", "from": from, "path": path});
    let doubling = (0..30).map(|n| copy("", &format!("/{n}")));
    let all: Vec<_> = std::iter::once(set.clone()).chain(doubling).chain([copy("/name", "/last")]).collect();
    assert_eq!(known(serde_json::json!(all), &["name"]), a);
    assert_eq!(known(serde_json::json!(all), &["last"]), value::V::Unknown);
    assert_eq!(known(serde_json::json!(vec![set.clone(); 10_000]), &["name"]), a);
    assert_eq!(known(serde_json::json!(vec![set; 10_001]), &["name"]), value::V::Unknown);
}
