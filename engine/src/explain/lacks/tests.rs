//! What is said of matches over time, through the tests of rules: each line of their timeline that is about a match, and
//! about what came to nothing.

use crate::trial::Trial;

/// The timeline of a rule's only test, each moment as `when what: outcome`.
fn told(rule: &str, test: &str) -> Vec<String> {
    let text = format!(
        "rule r \"t\" {{ severity low {rule} alert \"x\" throttle 0s }}
        test r \"t\" {{ given {{ verb: \"get\", objectRef: {{ resource: \"pods\", namespace: \"n\", name: \"p\" }},
            user.username: \"u\" }} {test} expect no alert }}"
    );
    let mut sources = dsl::source::SourceMap::default();
    sources.add("test.rule", &text);
    let outcome = dsl::check::compile(&sources);
    let Some(rules) = outcome.rules else { panic!("{:#?}", outcome.diagnostics) };
    let mut trial = Trial::new(&rules, 0).unwrap();
    let moments = trial.run(&rules.tests[0]).timeline;
    let line = |moment: crate::trial::Moment| {
        let step = moment.step.map(|step| format!(" ({step})")).unwrap_or_default();
        let what =
            if moment.event.starts_with("what") { format!(" {}", moment.event) } else { String::new() };
        format!("{}s{what}{step}: {}", moment.at / 1_000_000_000, moment.outcome)
    };
    moments.into_iter().map(line).collect()
}

#[test]
fn a_count_that_came_late() {
    let got = told("on get of pods when count() >= 3 within 5m", "at 0s {} at 1m {} at 341s {} at 342s {}");
    assert_eq!(
        got,
        [
            "0s: counted, count() is 1 of 3 within 5m0s",
            "60s: counted, count() is 2 of 3 within 5m0s",
            "341s: counted, count() is 2 of 3 within 5m0s; number 3 came 41s late",
            "342s: alert, count() is 3",
        ]
    );
}

#[test]
fn different_values_parts_and_sums_that_came_late() {
    let names =
        "at 0s { objectRef.name: \"a\" } at 30s { objectRef.name: \"bb\" } at 40s { objectRef.name: \"bb\" }
        at 71s { objectRef.name: \"c\" } at 72s { objectRef.name: \"bb\" } at 73s { objectRef.name: \"dd\" }";
    let got = told("on get of pods when distinct(objectRef.name) >= 3 within 1m", names);
    assert_eq!(got[2], "40s: counted, distinct(objectRef.name) is 2 of 3 within 1m0s");
    assert_eq!(got[3], "71s: counted, distinct(objectRef.name) is 2 of 3 within 1m0s; it came 11s late");
    // What is there already was not needed.
    assert_eq!(got[4], "72s: counted, distinct(objectRef.name) is 2 of 3 within 1m0s");
    assert_eq!(got[5], "73s: alert, distinct(objectRef.name) is 3");

    let got = told("on get of pods when count(where objectRef.name == \"bb\") >= 3 within 35s", names);
    let ends: Vec<_> = got.iter().map(|line| line.rsplit("within 35s").next().unwrap_or_default()).collect();
    assert_eq!(ends, ["", "", "", "", "; it came 7s late", ""], "{got:#?}");

    // 1, 2, 2 and 1 of the lengths: only with the first are they six.
    let got = told("on get of pods when sum(len(objectRef.name)) >= 6 within 1m", names);
    assert_eq!(got[3], "71s: counted, sum(len(objectRef.name)) is 5 within 1m0s; it came 11s late");
    // More events may make this less true, so nothing is said of when.
    let got = told(
        "on get of pods when count() == 3 and distinct(user.username) < 2 within 1m",
        "at 0s {} at 1s {} at 62s {}",
    );
    assert_eq!(got[2], "62s: counted, count() is 1 within 1m0s; distinct(user.username) is 1 within 1m0s");
}

#[test]
fn sessions_that_began_anew() {
    let got = told(
        "on get of pods when count() >= 3 session gap 1m within 100s",
        "at 0s {} at 30s {} at 101s {} at 160s {} at 202s {}",
    );
    let counted: Vec<_> = got.iter().filter(|line| line.contains("is in a window")).collect();
    assert_eq!(
        counted[2],
        "101s: is in a window that is still open: a new session: it came 11s after the gap of 1m0s"
    );
    assert_eq!(
        counted[4],
        "202s: is in a window that is still open: a new session: it came 1s after the session's 1m40s"
    );
    assert!(got.iter().any(|line| line.ends_with("no alert, count() is 2 of 3")), "{got:#?}");
}

const PAIR: &str = "by user.username sequence within 1m { read: on get of pods drop: on delete of pods }";

#[test]
fn steps_that_came_too_early_and_what_came_to_nothing() {
    let got = told(
        PAIR,
        "at 0s {} at 101s { verb: \"delete\" } at 110s {} at 115s {} at 200s { verb: \"delete\", user.username: \"v\" }",
    );
    assert_eq!(
        got,
        [
            "0s (read): waits for the next step: for 1m0s at most",
            "60s what began at 0s is over (drop): no alert: no `drop` came after `read` within 1m0s",
            "101s (drop): completes no sequence: `read` came 41s too early",
            "110s (read): waits for the next step: for 1m0s at most",
            "115s (read): waits for the next step: for 1m0s at most",
            "175s what began at 1m55s is over (drop): no alert: no `drop` came after `read` within 1m0s",
            "200s (drop): completes no sequence: nothing waited at `read`",
        ]
    );
    let got = told(PAIR, "at 0s {} at 60s { verb: \"delete\" } at 70s {}");
    assert_eq!(
        got,
        [
            "0s (read): waits for the next step: for 1m0s at most",
            "60s (drop): alert",
            "70s (read): waits for the next step: for 1m0s at most",
            "130s what began at 1m10s still waits at the end (drop): no alert: no `drop` came after `read` within 1m0s",
        ]
    );
}

#[test]
fn the_step_in_the_middle_that_was_missing_and_how_many_of_one() {
    let three = "by user.username sequence within 1m { a: on get of pods b: 2 times on list of pods c: on delete of pods }";
    let got = told(
        three,
        "at 0s { verb: \"list\" } at 1s {} at 10s { verb: \"list\" } at 20s { verb: \"delete\" } at 90s { verb: \"delete\" }",
    );
    assert_eq!(
        got,
        [
            "0s (b): waits for the next step: nothing waited at `a`",
            "1s (a): waits for the next step: for 1m0s at most",
            "10s (b): waits for the next step: for 51s at most",
            "20s (c): completes no sequence: 1 of 2 waited at `b`",
            "61s what began at 1s is over (b): no alert: 1 of 2 came at `b` within 1m0s",
            "90s (c): completes no sequence: `a` came 29s too early; `b` came 20s too early",
        ]
    );
    // Of one time each may stand in front of the other: the alert leaves nothing that came to nothing.
    let same = told(PAIR, "at 0s { verb: \"delete\" } at 0s {}");
    assert!(same.iter().any(|line| line == "0s (drop): alert") && same.len() == 2, "{same:#?}");
    let times = "sequence within 1m { a: on get of pods c: 3 times on delete of pods }";
    let got = told(times, "at 0s {} at 1s { verb: \"delete\" } at 2s { verb: \"delete\" }");
    assert_eq!(got[2], "2s (c): completes no sequence: 2 of 3 came at `c`");
}

#[test]
fn which_condition_between_steps_failed() {
    let join = "sequence within 1m { a: on get of pods
        b: on list of pods where user.username == a.user.username
        c: on delete of pods where objectRef.namespace == b.objectRef.namespace and objectRef.name != a.objectRef.name }";
    let other = "objectRef.namespace: \"m\"";
    let all = format!("at 0s {{}} at 1s {{ verb: \"list\" }} at 2s {{ verb: \"delete\", {other} }} at 3s {{ verb: \"delete\" }}
        at 4s {{ verb: \"delete\", objectRef.name: \"q\" }}");
    let got = told(join, &all);
    assert_eq!(
        got[2],
        "2s (c): completes no sequence: what waited at `b` does not fit: `objectRef.namespace == b.objectRef.namespace` is not true"
    );
    assert_eq!(
        got[3],
        "3s (c): completes no sequence: what waited at `a` does not fit: `objectRef.name != a.objectRef.name` is not true"
    );
    assert_eq!(got[4], "4s (c): alert");
    let two = "at 0s { user.username: \"v\" } at 500ms { user.username: \"w\" } at 1s { verb: \"list\" } at 2s { verb: \"delete\", objectRef.name: \"q\" }";
    let got = told(join, two);
    assert_eq!(
        got[3],
        "2s (c): completes no sequence: 2 waited at `a`, and none fits: of the last `user.username == a.user.username` is not true"
    );
    let differ = "sequence within 1m { a: on get of pods c: on delete of pods where objectRef.name != a.objectRef.name }";
    let got = told(differ, "at 0s {} at 1s { verb: \"delete\" } at 100s {} at 170s {}");
    assert_eq!(
        got[1],
        "1s (c): completes no sequence: what waited at `a` does not fit: `objectRef.name != a.objectRef.name` is not true"
    );
    assert_eq!(
        got[2],
        "60s what began at 0s is over (c): no alert: what came at `c` did not complete it within 1m0s"
    );
}

#[test]
fn in_any_order_the_steps_that_did_not_come() {
    let any =
        "by user.username unordered within 1m { a: on get of pods b: on list of pods c: on delete of pods }";
    let got = told(any, "at 0s {} at 10s { verb: \"delete\" } at 75s { verb: \"list\" } at 500s {}");
    assert_eq!(got[1], "10s (c): completes no sequence: nothing waited at `b`");
    assert_eq!(got[2], "70s what began at 0s is over (b): no alert: nothing came at `b` within 1m0s");
    assert_eq!(got[3], "75s (b): completes no sequence: `a` came 15s too early; `c` came 5s too early");
}
