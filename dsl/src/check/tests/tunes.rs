//! Tunes: what they make of rules and lists, and which are refused.

use super::told;
use crate::check::compile;
use crate::ir::{ExprKind, Literal, Rule, RuleSet, Set, Severity, Shape};
use crate::source::SourceMap;

fn set(files: &[&str]) -> RuleSet {
    let mut sources = SourceMap::default();
    for text in files {
        sources.add("r.rule", *text);
    }
    let outcome = compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{files:?}\n{:#?}", outcome.diagnostics))
}

const WINDOW: &str = "rule w \"W\" { severity low on get of secrets by user.username when count() >= 3 within 5m alert \"{count()}\" }";
const STEPS: &str = "rule s \"S\" { severity low by user.username sequence within 5m { a: on get of secrets b: on create of pods/exec no c: on delete of pods } alert \"x\" disable }";

const SECOND: i64 = 1_000_000_000;

fn pair(set: &RuleSet) -> (&Rule, &Rule) {
    (&set.untuned[0], &set.rules[0])
}

fn within(rule: &Rule) -> i64 {
    match rule.shape {
        Shape::Sliding { within, .. } | Shape::Sequence { within, .. } => within / SECOND,
        _ => 0,
    }
}

#[test]
fn without_a_tune_nothing_stands_twice() {
    let set = set(&[WINDOW]);
    assert_eq!((set.rules.len(), set.untuned.len()), (1, 0));
}

#[test]
fn a_tune_changes_its_rule_alone_and_leaves_the_written_one() {
    let tune = "tune w { except objectRef.namespace == \"a\" severity high when count() >= 30 within 10m }";
    let other = "rule o \"O\" { severity low on get of pods alert \"x\" }";
    // It may stand in a file before the rule's.
    let set = set(&[tune, WINDOW, other]);
    let (written, tuned) = pair(&set);
    assert_eq!((written.severity, tuned.severity), (Severity::Low, Severity::High));
    assert_eq!((written.steps[0].excepts.len(), tuned.steps[0].excepts.len()), (0, 1));
    assert_eq!((within(written), within(tuned)), (300, 600));
    assert_eq!((written.throttle / SECOND, tuned.throttle / SECOND), (300, 600));
    assert_eq!((written.aggregates[0].enough, tuned.aggregates[0].enough), (Some(3), Some(30)));
    assert_eq!(format!("{:?}", set.untuned[1]), format!("{:?}", set.rules[1]));
}

#[test]
fn a_throttle_that_is_written_stays() {
    let rule = WINDOW.replace("alert", "throttle 1m alert");
    let set = set(&[&rule, "tune w { when count() > 3 within 10m }", "tune w { throttle 2m }"]);
    let (written, tuned) = pair(&set);
    assert_eq!((written.throttle / SECOND, tuned.throttle / SECOND), (60, 120));
    let set = self::set(&[&rule, "tune w { when count() > 3 within 10m }"]);
    assert_eq!(set.rules[0].throttle / SECOND, 60);
}

#[test]
fn rules_go_off_and_on() {
    let set = set(&[WINDOW, "tune w { disable }"]);
    assert_eq!((set.untuned[0].disabled, set.rules[0].disabled), (false, true));
    let off = WINDOW.replace("alert", "disable alert");
    let set = self::set(&[&off, "tune w { enable }"]);
    assert_eq!((set.untuned[0].disabled, set.rules[0].disabled), (true, false));
}

fn values(set: &[Rule], at: usize) -> Vec<Literal> {
    match &set[at].steps[0].condition.as_ref().unwrap().kind {
        ExprKind::In { set: Set::Literals(values), .. } => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_are_tuned_wherever_they_stand() {
    let rules = "list a = [\"x\", \"y\"] list b = [\"z\", a] cidr list n = [\"10.0.0.0/8\"] \
        rule r \"R\" { severity low on get of secrets where user.username in a alert \"x\" } \
        rule s \"S\" { severity low on get of secrets where user.username in b alert \"x\" } \
        rule t \"T\" { severity low on get of secrets where source_ip in n alert \"x\" }";
    let tunes = "tune list a { add [\"new\", \"y\"] remove [\"x\"] } tune list n { add [\"::/0\"] remove [\"10.9.9.9/8\"] }";
    let set = set(&[tunes, rules]);
    let text = |text: &str| Literal::Text(text.into());
    assert_eq!(values(&set.untuned, 0), ["x", "y"].map(text));
    assert_eq!(values(&set.rules, 0), ["y", "new"].map(text));
    assert_eq!(values(&set.rules, 1), ["z", "y", "new"].map(text));
    let ExprKind::In { set: Set::Networks(networks), .. } =
        &set.rules[2].steps[0].condition.as_ref().unwrap().kind
    else {
        panic!()
    };
    assert_eq!(networks.len(), 1);
    assert_eq!(networks[0].bits, 0);
}

#[test]
fn tests_are_of_the_version_that_they_name() {
    let tests = "test w \"three\" { at 0s {} expect alert { count(): 3 } } test tuned w \"thirty\" { at 0s {} expect alert { user.username: \"a\", count(): 30 } }";
    let set = set(&[WINDOW, tests, "tune w { when count() >= 30 within 10m }"]);
    assert_eq!(set.tests.iter().map(|test| test.tuned).collect::<Vec<_>>(), [false, true]);
    assert_eq!((set.untuned[0].probes.len(), set.rules[0].probes.len()), (1, 2));
    // Without a tune both are of the same rule.
    let set = self::set(&[WINDOW, tests]);
    assert_eq!((set.tests.len(), set.rules[0].probes.len()), (2, 2));
}

#[test]
fn what_does_not_fit_is_told() {
    let each = "rule e \"E\" { severity low on get of secrets alert \"x\" }";
    let with = |rule: &str, tune: &str| told(&format!("{rule} {tune}"));
    assert_eq!(
        with(WINDOW, "tune w { severity high } tune w { severity low disable enable }"),
        ["E402 [severity] `severity` of `w` is tuned twice", "E402 [enable] `enable` of `w` is tuned twice"]
    );
    assert_eq!(
        with(WINDOW, "tune w { within 3m }"),
        [
            "E606 [within] `within` is of steps, and `w` has none -- a window is replaced whole: `when count() >= 30 within 10m`"
        ]
    );
    assert_eq!(
        with(each, "tune e { when count() > 3 within 5m }"),
        ["E606 [when] `e` has no `when` that could be replaced -- `except` and `severity` fit every rule"]
    );
    let steps = STEPS.replace(" no c: on delete of pods", "");
    assert_eq!(
        with(&steps, "tune s { when count() > 3 within 5m }"),
        [
            "E606 [when] `s` has no `when` that could be replaced -- of steps the time can be changed: `within 10m`"
        ]
    );
    assert_eq!(within(&set(&[&steps, "tune s { within 3m }"]).rules[0]), 180);
    assert_eq!(
        with(each, "tune ee { disable } tune list l { add [\"x\"] }"),
        [
            "W140 [ee] no rule is called `ee`, so this tune changes nothing",
            "W140 [l] no list is called `l`, so this tune changes nothing",
        ]
    );
    assert_eq!(
        with("list l = [\"a\"]", "tune list l { remove [\"b\", \"a\"] add [\"b\"] }"),
        ["W141 [\"b\"] the list `l` has no such value to remove"]
    );
    assert_eq!(with("cidr list l = []", "tune list l { add [\"a\"] }").len(), 1);
    assert_eq!(with("list l = [\"a\"]", "tune list l { add [m] }").len(), 1);
    assert_eq!(with("list l = [\"a\"]", "tune list l { add [l] }").len(), 1);
    // What is wrong in a tune is told where it stands, and once.
    assert_eq!(with(each, "tune e { except user.nam == \"x\" }").len(), 1);
    assert_eq!(
        with(
            "rule e \"E\" { severity low on get of secrets where user.nam == \"x\" alert \"x\" }",
            "tune e { disable }"
        )
        .len(),
        1
    );
}
