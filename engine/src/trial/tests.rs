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

fn test(expected: Vec<Expected>) -> Test {
    Test {
        rule: 1,
        tuned: false,
        title: "a test".into(),
        happens: Vec::new(),
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
    Trial::new(&rules(), 1).unwrap().run_on(&test(expected), events)
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
fn a_rule_that_a_tune_turns_off_is_silent_in_its_tuned_tests_alone() {
    let mut set = rules();
    set.untuned = set.rules.clone();
    set.untuned[1].disabled = false;
    let events = [event(0, 1, "a"), event(5, 2, "a")];
    let untuned = test(vec![alert(5, "2")]);
    let tuned = Test { tuned: true, ..test(vec![Expected::None]) };
    let mut trial = Trial::new(&set, 1).unwrap();
    assert!(trial.run_on(&untuned, events.to_vec()).passed());
    assert!(trial.run_on(&tuned, events.to_vec()).passed());
    // One that ships off is on in all its tests.
    set.untuned[1].disabled = true;
    assert!(!Trial::new(&set, 1).unwrap().run_on(&tuned, events.to_vec()).passed());
}

#[test]
fn a_timeline_says_what_became_of_each_match() {
    let events = vec![event(0, 1, "a"), event(5, 2, "b"), event(6, 3, "a"), event(6, 3, "a")];
    let outcome = run(events, vec![Expected::Count(1, span())]);
    let told: Vec<_> = outcome.timeline.iter().map(|m| (m.at / SECOND, &*m.event, &*m.outcome)).collect();
    assert_eq!(
        told,
        [
            (0, "get secrets prod/s1 by a", "counted, count() is 1 of 2 within 10s"),
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

/// What came of the tests of a rule, and what each of its conditions was found to be: false, unknown, true.
fn tried(text: &str, rule: &str) -> (Vec<TrialOutcome>, Vec<(String, [u64; 3])>) {
    let mut sources = dsl::source::SourceMap::default();
    sources.add("test.rule", text);
    let outcome = dsl::check::compile(&sources);
    let Some(rules) = outcome.rules else { panic!("{:#?}", outcome.diagnostics) };
    let number = rules.rules.iter().position(|of| of.name == rule).unwrap();
    let mut trial = Trial::new(&rules, number).unwrap();
    let tests = rules.tests.iter().filter(|test| test.rule == number);
    let outcomes = tests.map(|test| trial.run(test)).collect();
    let condition = |condition: &Condition| {
        let text = sources.text(condition.span).to_owned();
        (text, [condition.falses, condition.unknowns, condition.trues])
    };
    (outcomes, trial.conditions().iter().map(condition).collect())
}

const ON_ALERTS: &str = "
    rule read \"t\" { severity low on get of secrets where user.username != \"boss\" alert \"{user.username} read\" }
    rule off \"t\" { severity low on get of secrets alert \"x\" disable }
    rule far \"t\" { severity low on get of secrets alert \"x\" }
    rule many \"t\" { severity low on alert of read, off by user.username when count() >= 2 or count() > 100 within 1m
        throttle 0s alert \"{count()}\" }
    rule top \"t\" { severity low on alert of many
        where alert.count == 2 and any g in user.groups: (g == \"dev\" or g == \"ops\")
        except verb == \"list\"
        alert \"{alert.message} by {user.username} of {g}\" disable }
    test top \"two reads\" {
        given { user: { username: \"ann\", groups: [\"all\", \"ops\"] }, verb: \"get\", objectRef.resource: \"secrets\" }
        at 0s 3 times every 1s { }
        at 4s { user.username: \"boss\" }
        expect alert at 1s { alert.rule: \"many\", user.username: \"ann\" }
    }";

#[test]
fn a_rule_on_alerts_is_tested_with_all_that_it_hears() {
    let (outcomes, conditions) = tried(ON_ALERTS, "top");
    assert_eq!(outcomes[0].differences, []);
    let told: Vec<_> = outcomes[0].alerts.iter().map(|alert| alert.message.as_str()).collect();
    assert_eq!(told, ["2 by ann of ops"]);
    let moments: Vec<_> =
        outcomes[0].timeline.iter().map(|m| (m.at / SECOND, &*m.event, &*m.outcome)).collect();
    assert!(moments.contains(&(0, "read: get secrets by ann", "alert")), "{moments:#?}");
    assert!(moments.contains(&(1, "many: alert of read: get secrets by ann", "alert, count() is 2")));
    assert!(moments.contains(&(1, "alert of many: get secrets by ann", "alert")), "{moments:#?}");
    // Every single condition is counted, also those whose event is gone when they are asked.
    let counts: Vec<_> = conditions.iter().map(|(text, counts)| (text.as_str(), *counts)).collect();
    assert_eq!(
        counts,
        [
            ("alert.count == 2", [1, 0, 1]),
            ("g == \"dev\"", [4, 0, 0]),
            ("g == \"ops\"", [2, 0, 2]),
            ("any g in user.groups: (g == \"dev\" or g == \"ops\")", [0, 0, 2]),
            ("verb == \"list\"", [2, 0, 0]),
        ]
    );
}

#[test]
fn the_condition_of_a_window_is_covered() {
    let text = "rule w \"t\" { severity low on get of secrets where user.username != \"x\" by user.username
            when count() >= 2 and (count(where user.username != \"y\") > 5 or distinct(user.username) == 1) within 1m
            throttle 0s alert \"{count()}\" }
        test w \"two\" { given { user.username: \"a\", verb: \"get\", objectRef.resource: \"secrets\" }
            at 0s 2 times every 1s { } expect 1 alerts }";
    let (outcomes, conditions) = tried(text, "w");
    assert_eq!(outcomes[0].differences, []);
    let find = |text: &str| conditions.iter().find(|(of, _)| of == text).map(|(_, counts)| *counts);
    assert_eq!(find("count() >= 2"), Some([1, 0, 1]));
    assert_eq!(find("count(where user.username != \"y\") > 5"), Some([2, 0, 0]));
    assert_eq!(find("distinct(user.username) == 1"), Some([0, 0, 2]));
    assert_eq!(find("user.username != \"y\""), Some([0, 0, 2]));
    assert_eq!(find("user.username != \"x\""), Some([0, 0, 2]));
}

#[test]
fn a_test_runs_on_the_rules_as_written_and_a_tuned_one_on_the_tuned() {
    let mut rules = rules();
    rules.untuned.clone_from(&rules.rules);
    rules.rules[1].shape = at_least(3.0, 10 * SECOND);
    let events = vec![event(0, 1, "a"), event(5, 2, "a")];
    let written = test(vec![alert(5, "2")]);
    let tuned = Test { tuned: true, ..test(vec![Expected::None]) };
    let mut trial = Trial::new(&rules, 1).unwrap();
    assert_eq!(trial.run_on(&written, events.clone()).differences, []);
    assert_eq!(trial.run_on(&tuned, events.clone()).differences, []);
    // Without tunes there is but one version.
    rules.untuned.clear();
    let mut trial = Trial::new(&rules, 1).unwrap();
    assert_eq!(trial.run_on(&written, events.clone()).differences.len(), 1);
    assert_eq!(trial.run_on(&tuned, events.clone()).differences, []);
}

#[test]
fn a_timeline_says_what_became_of_windows_that_close() {
    let (outcomes, _) = tried(
        "rule busy \"t\" { severity low on get of secrets by user.username when count() >= 2 tumbling 10s alert \"x\" }
         test busy \"one, then two\" {
            given { verb: \"get\", user.username: \"a\", objectRef.resource: \"secrets\" }
            at 1s {}
            at 11s 2 times every 1s {}
            until 15s
            expect 1 alerts
         }",
        "busy",
    );
    assert_eq!(outcomes[0].differences, []);
    let of_windows = outcomes[0].timeline.iter().filter(|moment| moment.event.contains("window"));
    let told: Vec<_> = of_windows.map(|moment| format!("{}: {}", moment.event, moment.outcome)).collect();
    assert_eq!(
        told,
        [
            "the window since 0s closes: no alert, count() is 1 of 2",
            "the window since 10s is cut short by the end: alert, count() is 2"
        ]
    );
}
