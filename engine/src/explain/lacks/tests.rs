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

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const VERBS: [(&str, &str); 3] = [("a", "get"), ("b", "list"), ("c", "delete")];

/// The earliest end of a chain of the first steps that begins at a time, if there is one.
fn reached(events: &[(u64, usize)], from: u64, steps: usize) -> Option<u64> {
    (1..steps).try_fold(from, |at, step| {
        let of_step = events.iter().filter(|(time, of)| *of == step && *time >= at);
        of_step.map(|(time, _)| *time).min()
    })
}

#[test]
fn what_is_said_of_random_sequences_is_so() {
    let rule =
        "by user.username sequence within 20s { a: on get of pods b: on list of pods c: on delete of pods }";
    let mut numbers = Numbers(7);
    let (mut over, mut early) = (0, 0);
    for _ in 0..200 {
        let mut events: Vec<(u64, usize)> =
            (0..12).map(|_| (numbers.below(80), usize::try_from(numbers.below(3)).unwrap())).collect();
        events.sort_unstable();
        let at = |(time, step): &(u64, usize)| format!("at {time}s {{ verb: \"{}\" }} ", VERBS[*step].1);
        for line in told(rule, &events.iter().map(at).collect::<String>()) {
            let (until, words) = line.split_once("s ").unwrap();
            let until: u64 = until.parse().unwrap();
            let step = |name: &str| VERBS.iter().position(|(of, _)| *of == name).unwrap();
            if let Some((_, words)) = words.split_once("no alert: no `") {
                over += 1;
                let (missing, after) = (step(&words[..1]), step(&words[15..16]));
                assert_eq!(missing, after + 1, "{line}");
                let from = until - 20;
                assert!(events.contains(&(from, 0)), "{line}\n{events:?}");
                let end = reached(&events, from, missing).filter(|end| *end <= until);
                assert!(end.is_some(), "{line}\n{events:?}");
                let next = reached(&events, from, missing + 1);
                assert!(next.is_none_or(|next| next > until), "{line}\n{events:?}");
            }
            assert!(!words.contains("did not complete"), "{line}: nothing is asked between the steps");
            for words in words.split("; ").filter(|words| words.contains("too early")) {
                early += 1;
                let words = words.rsplit_once(": ").map_or(words, |(_, words)| words);
                let of = step(&words[1..2]);
                let last = events
                    .iter()
                    .filter(|(time, step)| *step == of && *time <= until)
                    .map(|(time, _)| *time)
                    .max();
                let by = until - 20 - last.unwrap();
                assert_eq!(words, format!("`{}` came {by}s too early", VERBS[of].0), "{line}\n{events:?}");
            }
        }
    }
    assert!(over > 200 && early > 100, "{over} {early}");
}

#[test]
fn how_late_different_values_of_random_windows_came_is_so() {
    let mut numbers = Numbers(11);
    let mut late = 0;
    for _ in 0..100 {
        let events: std::collections::BTreeMap<u64, u64> =
            (0..14).map(|_| (numbers.below(120), numbers.below(4))).collect();
        let at = |(time, name): (&u64, &u64)| format!("at {time}s {{ objectRef.name: \"n{name}\" }} ");
        let test = events.iter().map(at).collect::<String>();
        let lines = told("on get of pods when distinct(objectRef.name) >= 3 within 20s", &test);
        assert_eq!(lines.len(), events.len());
        for ((time, _), line) in events.iter().zip(&lines) {
            let different = |from: u64, until: u64| {
                let names: std::collections::BTreeSet<u64> =
                    events.range(from..until).map(|(_, name)| *name).collect();
                names.len()
            };
            let holds = |longer: &u64| different(time.saturating_sub(20 + longer), time + 1) >= 3;
            let longer = (0..=120).find(holds);
            let needed = |longer: &u64| different(time.saturating_sub(20 + longer), *time) < 3;
            let wanted = match longer {
                Some(0) => format!("{time}s: alert, "),
                Some(by) if needed(&by) => {
                    format!("; it came {} late", super::length(i64::try_from(by).unwrap() * 1_000_000_000))
                }
                _ => " of 3 within 20s".to_owned(),
            };
            late += usize::from(line.contains("late"));
            let fits =
                if wanted.ends_with("alert, ") { line.starts_with(&wanted) } else { line.ends_with(&wanted) };
            assert!(fits, "{line}\n{wanted}\n{events:?}");
        }
    }
    assert!(late > 50, "{late}");
}
