//! `explain`: of one event, and over time.

use super::{Place, event};

#[test]
fn the_timeline_tells_what_each_match_lacked() {
    let place = Place::new();
    place.write(
        "r.rule",
        r#"
rule burst "Three in a minute" {
    severity low
    on       delete of pods
    by       user.username
    when     count() >= 3 within 1m
    alert    "x"
}
rule pair "A secret, then a pod" {
    severity low
    by       user.username
    sequence within 1m { read: on get of secrets  drop: on delete of pods }
    alert    "x"
}
"#,
    );
    let at = |second, user| event(second, user, "delete", "pods", "p");
    let log = [at(0, "eve"), at(20, "eve"), at(71, "eve"), at(72, "ann"), at(73, "eve")].concat();
    place.write("log", log);
    let ask = |more: &[&str]| {
        let words = ["explain", "r.rule", "--from", "log", "--timeline", "--format", "human"];
        place.run(&[&words, more].concat()).ends(0).out
    };
    let told = ask(&["--rule", "burst", "--key", "eve"]);
    let (lines, windows): (Vec<&str>, Vec<&str>) = told.lines().partition(|line| !line.starts_with(' '));
    assert_eq!(lines.len(), 4, "{told}");
    assert!(lines[0].ends_with("(count() is 1 of 3 within 1m0s)"), "{told}");
    assert!(lines[2].ends_with("(count() is 2 of 3 within 1m0s; number 3 came 11s late)"), "{told}");
    assert!(lines[3].contains("it told an alert"), "{told}");
    // What was in the window when: the first had left it.
    let wanted = [
        "    in the window: 2026-11-22T12:00:00Z eve-0, 2026-11-22T12:00:20Z eve-20",
        "    in the window: 2026-11-22T12:00:20Z eve-20, 2026-11-22T12:01:11Z eve-71",
        "    in the window: 2026-11-22T12:00:20Z eve-20, 2026-11-22T12:01:11Z eve-71, 2026-11-22T12:01:13Z eve-73",
    ];
    assert_eq!(windows, wanted, "{told}");
    let told = ask(&["--rule", "pair"]);
    assert!(told.lines().all(|line| line.ends_with("(nothing waited at `read`)")), "{told}");

    let words = ["explain", "r.rule", "--from", "log", "--rule", "burst", "--format", "json"];
    let json = place.run(&[&words[..], &["--timeline", "--key", "eve"]].concat()).ends(0).json();
    let ids = |events: &serde_json::Value| -> Vec<String> {
        let events = events.as_array().unwrap().iter();
        events.map(|event| event["auditID"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&json[2]["events"]), ["eve-20", "eve-71"]);
    assert_eq!(
        (&json[2]["window"], &json[2]["events"][1]["time"]),
        (&2.into(), &"2026-11-22T12:01:11Z".into())
    );
    assert_eq!(json[2]["lacks"], "count() is 2 of 3 within 1m0s; number 3 came 11s late");
    // Of one event too: what came before it is looked at, though nothing is told of it.
    let of_one = place.run(&[&words[..], &["--event", "eve-71"]].concat()).ends(0).json();
    assert_eq!(of_one.len(), 1, "{of_one:#?}");
    let became = &of_one[0]["became"];
    assert_eq!(became.as_array().map(Vec::len), Some(1), "{became:#?}");
    assert_eq!(became[0]["lacks"], "count() is 2 of 3 within 1m0s; number 3 came 11s late");
    let human = ["--event", "eve-71", "--format", "human"];
    let text = place.run(&[&words[..6], &human].concat()).ends(0).out;
    assert!(text.contains("(count() is 2 of 3 within 1m0s; number 3 came 11s late)"), "{text}");
}

#[test]
fn a_long_window_is_shown_by_its_first_and_last_events() {
    let place = Place::new();
    let rule =
        r#"rule burst "Many" { severity low on delete of pods when count() >= 99 within 5m alert "x" }"#;
    place.write("r.rule", rule);
    place.write("log", (0..30).map(|second| event(second, "eve", "delete", "pods", "p")).collect::<String>());
    let words = ["explain", "r.rule", "--from", "log", "--rule", "burst", "--timeline"];
    let told = place.run(&[&words[..], &["--format", "human"]].concat()).ends(0).out;
    let last = told.lines().last().unwrap();
    let names: Vec<&str> = last.split(' ').filter(|word| word.starts_with("eve-")).collect();
    assert_eq!(names, ["eve-0,", "eve-1,", "eve-2,", "eve-27,", "eve-28,", "eve-29"], "{last}");
    assert!(last.contains(", … 24 more …, "), "{last}");
    let json = place.run(&[&words[..], &["--format", "json"]].concat()).ends(0).json();
    assert_eq!((&json[29]["window"], json[29]["events"].as_array().map(Vec::len)), (&30.into(), Some(20)));
}

/// One sequence by user, and one by a condition between its steps.
const SEQUENCES: &str = r#"
rule pair "A secret, then a pod" {
    severity low
    by       user.username
    sequence within 1m { read: on get of secrets  drop: on delete of pods }
    alert    "x"
}
rule joined "A secret, then a pod of that name" {
    severity low
    sequence within 1m { read: on get of secrets  drop: on delete of pods where objectRef.name == read.objectRef.name }
    alert    "x"
    throttle 0s
}
"#;

#[test]
fn the_timeline_tells_which_step_waited_how_long_and_what_was_missing() {
    let place = Place::new();
    place.write("r.rule", SEQUENCES);
    let log = [
        event(0, "eve", "get", "secrets", "p"),
        event(5, "ann", "get", "secrets", "p"),
        event(10, "ann", "delete", "pods", "p"),
        event(101, "eve", "delete", "pods", "p"),
        event(110, "bob", "get", "secrets", "p"),
    ];
    place.write("log", log.concat());
    let ask = |more: &[&str]| {
        let words = ["explain", "r.rule", "--from", "log", "--rule", "pair"];
        place.run(&[&words, more].concat()).ends(0)
    };
    let told = ask(&["--timeline", "--format", "human"]).out;
    let wanted = [
        "12:00:00Z  read: get secrets shop/p by eve  [user.username=eve]  it waits for a later step (for 1m0s at most)",
        "12:00:05Z  read: get secrets shop/p by ann  [user.username=ann]  it waits for a later step (for 1m0s at most)",
        "12:00:10Z  drop: delete pods shop/p by ann  [user.username=ann]  it told an alert, ",
        "12:01:00Z  what began at 2026-11-22T12:00:00Z came to nothing  [user.username=eve]  (no `drop` came after `read` within 1m0s)",
        "12:01:41Z  drop: delete pods shop/p by eve  [user.username=eve]  it completes no sequence (`read` came 41s too early)",
        "12:01:50Z  read: get secrets shop/p by bob  [user.username=bob]  it waits for a later step (for 1m0s at most)",
        "12:02:50Z  what began at 2026-11-22T12:01:50Z still waits, and the input ends  [user.username=bob]  (no `drop` came after `read` within 1m0s)",
    ];
    assert_eq!(told.lines().count(), wanted.len(), "{told}");
    for (line, wanted) in told.lines().zip(wanted) {
        assert!(
            line.strip_prefix("2026-11-22T").is_some_and(|line| line.starts_with(wanted)),
            "{wanted}\n{told}"
        );
    }
    let json = ask(&["--timeline", "--key", "eve", "--format", "json"]).json();
    assert_eq!(json.len(), 3, "{json:#?}");
    assert_eq!((&json[0]["until"], &json[0]["outcome"]), (&"2026-11-22T12:01:00Z".into(), &"waits".into()));
    let over = &json[1];
    assert_eq!(
        (&over["outcome"], &over["step"], &over["cut"]),
        (&"came_to_nothing".into(), &"drop".into(), &false.into())
    );
    assert_eq!(
        (&over["start"], &over["end"]),
        (&"2026-11-22T12:00:00Z".into(), &"2026-11-22T12:01:00Z".into())
    );
    assert_eq!(over["lacks"], "no `drop` came after `read` within 1m0s");
    assert_eq!(json[2]["lacks"], "`read` came 41s too early");
    assert_eq!(json[2]["waiting"], serde_json::json!([["read", 0], ["drop", 0]]));
    // Of one event: what it lacked, and what came of it.
    let of_one = ask(&["--event", "eve-101", "--format", "human"]).out;
    assert!(of_one.contains("so it completes no sequence (`read` came 41s too early)"), "{of_one}");
    assert!(!of_one.contains("came to nothing"), "{of_one}");
    let of_one = ask(&["--event", "eve-0", "--format", "human"]).out;
    assert!(of_one.contains("so it waits for a later step (for 1m0s at most)"), "{of_one}");
    assert_eq!(of_one.matches("came to nothing").count(), 1, "{of_one}");
}

#[test]
fn the_timeline_names_the_condition_between_steps_that_failed() {
    let place = Place::new();
    place.write("r.rule", SEQUENCES);
    let log = [
        event(0, "eve", "get", "secrets", "p"),
        event(1, "eve", "get", "secrets", "q"),
        event(2, "eve", "delete", "pods", "r"),
        event(3, "eve", "delete", "pods", "p"),
    ];
    place.write("log", log.concat());
    let words = ["explain", "r.rule", "--from", "log", "--rule", "joined", "--format", "json"];
    let json = place.run(&[&words[..], &["--timeline"]].concat()).ends(0).json();
    let failed =
        "2 waited at `read`, and none fits: of the last `objectRef.name == read.objectRef.name` is not true";
    assert_eq!(json[2]["lacks"], failed, "{json:#?}");
    assert_eq!((&json[3]["outcome"], &json[3]["lacks"]), (&"alert".into(), &serde_json::Value::Null));
    let of_one = place.run(&[&words[..], &["--event", "eve-2"]].concat()).ends(0).json();
    assert_eq!(of_one[0]["became"][0]["lacks"], failed, "{of_one:#?}");
}

#[test]
fn the_timeline_tells_lateness_of_parts_of_different_values_and_of_sessions() {
    let place = Place::new();
    place.write(
        "r.rule",
        r#"
rule names "Three of them" {
    severity low
    on       delete of pods
    when     distinct(objectRef.name) >= 3 within 1m
    alert    "x"
}
rule part "Two of one" {
    severity low
    on       delete of pods
    when     count(where objectRef.name == "a") >= 2 within 1m
    alert    "x"
}
rule session "Three, with no minute between" {
    severity low
    on       delete of pods
    when     count() >= 9 session gap 1m within 1h
    alert    "x"
}
"#,
    );
    let at = |second, name| event(second, "eve", "delete", "pods", name);
    place.write("log", [at(0, "a"), at(30, "b"), at(71, "c"), at(72, "a"), at(150, "d")].concat());
    let ask = |rule: &str| -> Vec<String> {
        let words = ["explain", "r.rule", "--from", "log", "--timeline", "--format", "json", "--rule", rule];
        let json = place.run(&words).ends(0).json();
        let matches = json.iter().filter(|line| line["auditID"].is_string());
        matches.map(|line| line["lacks"].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(ask("names")[2], "distinct(objectRef.name) is 2 of 3 within 1m0s; it came 11s late");
    let of_part = "count(where objectRef.name == \"a\") is 1 of 2 within 1m0s";
    assert_eq!(
        ask("part")[2..4],
        [
            "count(where objectRef.name == \"a\") is 0 of 2 within 1m0s".to_owned(),
            format!("{of_part}; it came 12s late")
        ]
    );
    assert_eq!(ask("session")[4], "a new session: it came 18s after the gap of 1m0s");
}

#[test]
fn the_timeline_tells_what_became_of_windows_that_closed_and_of_silences() {
    let place = Place::new();
    place.write(
        "r.rule",
        r#"
rule session "Three, with no minute between" {
    severity low
    on       delete of pods
    by       user.username
    when     count() >= 3 session gap 1m within 1h
    throttle 1h
    alert    "x"
}
rule quiet "No more of them" {
    severity low
    on       delete of pods
    by       user.username
    when     silent for 30s
    alert    "x"
}
"#,
    );
    let at = |second, user| event(second, user, "delete", "pods", "p");
    let eve = |from: u32| (from..from + 3).map(|second| at(second, "eve")).collect::<String>();
    let log = [at(0, "ann"), eve(10), at(80, "ann"), eve(100), eve(200)].concat();
    place.write("log", log);
    let ask = |rule: &str, more: &[&str]| {
        let words = ["explain", "r.rule", "--from", "log", "--rule", rule];
        place.run(&[&words, more].concat()).ends(0)
    };
    let told = ask("session", &["--timeline", "--format", "human"]).out;
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("closes with")).collect();
    let ends = [
        "closes with 1 event  [user.username=ann]  `when` is not true (count() is 1 of 3)",
        "closes with 3 events  [user.username=eve]  it told an alert, ",
        "closes with 1 event  [user.username=ann]  `when` is not true (count() is 1 of 3)",
        "closes with 3 events  [user.username=eve]  its alert was held back by the throttle, since ",
        "the input ends  [user.username=eve]  its alert was held back by the throttle, since ",
    ];
    assert_eq!(lines.len(), ends.len(), "{told}");
    assert!(lines.iter().zip(ends).all(|(line, end)| line.contains(end)), "{told}");
    let order = told.lines().position(|line| line.contains("closes with 1 event  [user.username=ann]"));
    assert_eq!(order, Some(4), "it closes before the matches that come later:\n{told}");
    let json = ask("session", &["--timeline", "--key", "eve", "--format", "json"]).json();
    let over: Vec<_> = json.iter().filter(|line| line["start"].is_string()).collect();
    assert_eq!(over.len(), 3, "{json:#?}");
    assert_eq!((&over[0]["outcome"], &over[0]["window"]["count"]), (&"alert".into(), &3.into()));
    assert_eq!(over[2]["cut"], true);
    let of_one = ask("session", &["--event", "ann-80", "--format", "human"]).out;
    assert!(of_one.contains("in a window that is judged when it closes"), "{of_one}");
    assert_eq!(of_one.matches("closes with").count(), 1, "{of_one}");
    let told = ask("quiet", &["--timeline", "--format", "human"]).out;
    assert_eq!(told.matches("nothing came since ").count(), 4, "{told}");
}

#[test]
fn explain_shows_each_leaf_with_its_value_and_what_was_in_a_window() {
    let place = Place::new();
    let ran = place
        .run(&[
            "explain",
            "set.rule",
            "--rule",
            "secret_get",
            "--from",
            "audit.log",
            "--event",
            "eve-20",
            "--format",
            "human",
        ])
        .ends(0);
    assert!(
        ran.out.contains("user.username")
            && ran.out.contains("user.username = eve")
            && ran.out.contains("true"),
        "{}",
        ran.out
    );
    let ran = place
        .run(&[
            "explain",
            "set.rule",
            "--rule",
            "many_deletes",
            "--from",
            "audit.log",
            "--event",
            "eve-23",
            "--format",
            "human",
        ])
        .ends(0);
    assert!(ran.out.contains("count()") && ran.out.contains("eve-21"), "{}", ran.out);
    place
        .run(&["explain", "set.rule", "--rule", "none", "--from", "audit.log"])
        .ends(2)
        .says("there is no rule `none`");
    place
        .run(&["explain", "set.rule", "--rule", "secret_get", "--from", "audit.log", "--event", "nobody"])
        .ends(1);
}
