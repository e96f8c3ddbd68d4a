use dsl::ir::{Expected, RuleSet, Shape, StagePick, Test};

use super::compare::same;
use super::*;
use crate::matches::Value;
use crate::testing::{at_least, expr, line, rule, span, step};

const START: Nanos = 1_767_571_200_000_000_000;
const SECOND: Nanos = 1_000_000_000;

fn event(at: Nanos, n: u32, user: &str) -> (Nanos, String) {
    let at = START + at * SECOND;
    (at, line(at, n, user))
}

fn rules() -> RuleSet {
    let mut sliding =
        rule("sliding", at_least(2.0, 10 * SECOND), 5 * SECOND, vec![step(None, StagePick::Outcome, 0)]);
    sliding.disabled = true;
    sliding.probes = vec![expr(dsl::ir::ExprKind::Aggregate(0), dsl::ir::Type::Number)];
    let other = rule("other", Shape::Each, 0, vec![step(None, StagePick::Outcome, 0)]);
    RuleSet { rules: vec![other, sliding], ..RuleSet::default() }
}

fn test(events: Vec<(Nanos, String)>, expected: Vec<Expected>) -> Test {
    Test {
        rule: 1,
        tuned: false,
        title: "a test".into(),
        events,
        start: START,
        until: None,
        expected,
        span: span(),
    }
}

fn alert(at: Nanos, count: &str) -> Expected {
    Expected::Alert { at: Some(START + at * SECOND), probes: vec![(0, count.into())], span: span() }
}

fn run(events: Vec<(Nanos, String)>, expected: Vec<Expected>) -> TrialOutcome {
    Trial::new(&rules(), 1).unwrap().run(&test(events, expected))
}

fn differences(events: &[(Nanos, String)], expected: Vec<Expected>) -> Vec<(String, String)> {
    let outcome = run(events.to_vec(), expected);
    outcome.differences.into_iter().map(|d| (d.expected, d.got)).collect()
}

#[test]
fn a_test_passes_only_if_all_is_as_expected() {
    let events = [event(0, 1, "a"), event(30, 3, "a"), event(31, 4, "a"), event(5, 2, "a")];
    let want = vec![alert(5, "2"), alert(31, "2.0")];
    assert_eq!(differences(&events, want.clone()), []);
    assert_eq!(differences(&events, vec![Expected::Count(2, span())]), []);
    assert_eq!(differences(&events, vec![alert(5, "2"), Expected::Count(1, span())]), []);
    let none = differences(&events, vec![Expected::None]);
    assert_eq!(none, [("no other alert".into(), "2 more, the first at 5s: it took place".into())]);
    assert_eq!(differences(&events, vec![alert(5, "3"), alert(31, "2")]), [("3".into(), "2".into())]);
    let late = differences(&events, vec![alert(6, "2"), alert(31, "2")]);
    assert_eq!(late, [("an alert at 6s".into(), "one at 5s".into())]);
    let more = differences(&events, [want, vec![alert(40, "2")]].concat());
    assert_eq!(more, [("an alert at 40s".into(), "none".into())]);
    let three = differences(&events, vec![Expected::Count(3, span())]);
    assert_eq!(three, [("3 alerts".into(), "2 alerts".into())]);
    assert_eq!(differences(&[(START, "no event".into())], vec![Expected::None]).len(), 1);
}

#[test]
fn a_timeline_says_what_became_of_each_match() {
    let events = vec![event(0, 1, "a"), event(5, 2, "b"), event(6, 3, "a"), event(6, 3, "a")];
    let outcome = run(events, vec![Expected::Count(1, span())]);
    let told: Vec<_> = outcome.timeline.iter().map(|m| (m.at / SECOND, &*m.event, &*m.outcome)).collect();
    assert_eq!(
        told,
        [
            (0, "get secrets prod/s1 by a", "counted, count() is 1"),
            (5, "get secrets prod/s2 by b", "alert, count() is 2"),
            (6, "get secrets prod/s3 by a", "held back by the throttle since 5s, count() is 3"),
            (6, "get secrets prod/s3 by a", "its request was taken before"),
        ]
    );
}

#[test]
fn values_are_compared_as_alerts_show_them() {
    assert!(same(&Value::Absent, "null") && !same(&Value::Unknown, "null"));
    assert!(same(&Value::Number(3.0), "3") && !same(&Value::Number(3.0), "\"3\""));
    assert!(same(&Value::Text("a\n".into()), "\"a\\n\"") && !same(&Value::Text("3".into()), "3"));
    assert!(same(&Value::Duration(90 * SECOND), "\"1m30s\""));
    let list = Value::List { items: vec![Value::Bool(true), Value::Text("x".into())], open: false };
    assert!(same(&list, "[true, \"x\"]") && !same(&list, "[true]") && !same(&list, "not json"));
}
