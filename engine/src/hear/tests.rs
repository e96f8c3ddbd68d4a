//! Rules on alerts and on what is no event, from rule text to their alerts.

use std::sync::Arc;

use serde_json::{Value as Js, json};

use crate::eval::tests::{event, plan};
use crate::limits::Limits;
use crate::matches::SourceInfo;
use crate::run::{Answer, Run};

const READ: &str = "rule read \"t\" { severity low tags a.b, c on get of pods alert \"{user.username} read {objectRef.name}\" }\n";

/// An event so many seconds after the first, with a request of its own.
fn at(second: u32, over: Js) -> Js {
    let time = format!("2026-01-05T00:{:02}:{:02}Z", second / 60, second % 60);
    let mut event = event(over);
    event["stageTimestamp"] = json!(time);
    event["auditID"] = json!(format!("id-{second}"));
    event
}

fn by(second: u32, user: &str, pod: &str) -> Js {
    let object = json!({"resource": "pods", "namespace": "n", "name": pod});
    at(second, json!({"user": {"username": user, "groups": ["g", user]}, "objectRef": object}))
}

fn answer(rules: &str, lines: &[String]) -> Answer {
    let mut run = Run::new(Arc::new(plan(rules)), Limits::default());
    run.add(SourceInfo { name: "s".into(), cluster: Some("c".into()) }, lines.join("\n").as_bytes());
    run.finish()
}

fn lines(events: &[Js]) -> Vec<String> {
    events.iter().map(Js::to_string).collect()
}

/// Rule, second of the alert and message of each alert, but those of `read`.
fn told(answer: &Answer) -> Vec<(String, i64, String)> {
    let start = 1_767_571_200;
    let others = answer.alerts.iter().filter(|alert| &*alert.rule.name != "read");
    others.map(|a| (a.rule.name.to_string(), a.time / 1_000_000_000 - start, a.message.clone())).collect()
}

fn messages(rules: &str, events: &[Js]) -> Vec<String> {
    told(&answer(&format!("{READ}{rules}"), &lines(events))).into_iter().map(|(_, _, text)| text).collect()
}

fn js(alert: &crate::alert::Alert) -> Js {
    let mut out = Vec::new();
    alert.to_json(&mut out);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn an_alert_brings_its_own_fields_and_those_of_its_event() {
    let text = "rule loud \"t\" { severity high on alert of read
        where alert.rule == \"read\" and alert.severity == \"low\" and \"c\" in alert.tags and alert.count == 1
            and not alert.approximate and any g in user.groups: (g startswith \"a\")
        except objectRef.name == \"quiet\" or alert.message contains \"secret\"
        by who = user.username
        alert \"{alert.message}: {who}, {g}, {len(user.groups)} groups, {keys(alert.key)} {alert.tags}\" }
        rule off \"t\" { severity low on alert of read alert \"x\" disable }";
    let events = [by(1, "ann", "web"), by(2, "ann", "quiet"), by(3, "bob", "web"), by(4, "al", "secret")];
    assert_eq!(messages(text, &events), ["ann read web: ann, ann, 2 groups,  a.b, c"]);
}

#[test]
fn what_rests_on_an_alert_shows_the_event_and_the_alert() {
    let rules = format!("{READ}rule loud \"t\" {{ severity high on alert of read alert \"x\" }}");
    let answer = answer(&rules, &lines(&[by(7, "ann", "web")]));
    let [loud, read] = &answer.alerts[..] else { panic!("two alerts: {:#?}", answer.alerts) };
    let (loud, read) = (js(loud), js(read));
    assert_eq!((&loud["rule"], &read["rule"]), (&json!("loud"), &json!("read")));
    assert_ne!(loud["id"], read["id"]);
    let mut evidence = read["events"][0].clone();
    evidence["alert"] = read["id"].clone();
    assert_eq!(loud["events"], json!([evidence]));
    for same in ["time", "cluster", "actor", "object", "count"] {
        assert_eq!(loud[same], read[same]);
    }
    assert_eq!((answer.tally.rules[1].selected, answer.tally.rules[1].matched), (1, 1));
}

#[test]
fn strata_go_up_and_captures_go_down() {
    let text = "rule top \"t\" { severity low on alert of middle where user.username == \"ann\" and alert.count >= 2
            and (requestObject.kind == \"Pod\" or alert.rule == \"?\") alert \"{alert.message} of {userAgent}\" }
        rule middle \"t\" { severity low on alert of read by user.username when count() >= 2 within 1m throttle 0s
            alert \"{count()} by {user.username}\" }
        rule each \"t\" { severity low on alert of any alert \"all: {alert.message}\" }";
    let pod = |second, user| {
        let mut event = by(second, user, "p");
        event["requestObject"] = json!({"kind": "Pod"});
        event["userAgent"] = json!(format!("agent {second}"));
        event
    };
    let events = [pod(1, "ann"), pod(2, "bob"), pod(3, "ann"), pod(4, "bob"), by(5, "ann", "p")];
    assert_eq!(
        messages(text, &events),
        [
            "all: ann read p",
            "all: bob read p",
            "all: ann read p",
            "2 by ann",
            "2 by ann of agent 3",
            "all: bob read p",
            "2 by bob",
            "all: ann read p",
            "3 by ann",
        ]
    );
}

#[test]
fn what_is_unknown_stays_unknown_and_is_counted() {
    let text = "rule r \"t\" { severity low on alert of read where requestObject.kind == \"Pod\" alert \"x\" }
        rule p \"t\" { severity low on alert of read where any c in containers: (c.image like \"a*\") alert \"{c.image}\" }";
    let patch = |second, image: &str| {
        let body = json!({"spec": {"containers": [{"name": "c", "image": image}, "scalar"]}});
        at(second, json!({"verb": "get", "requestObject": body}))
    };
    let answer = answer(&format!("{READ}{text}"), &lines(&[by(1, "a", "b"), patch(2, "ab")]));
    assert_eq!(told(&answer), []);
    let unknown: Vec<u64> = answer.tally.rules.iter().map(|rule| rule.unknown_decided).collect();
    assert_eq!(unknown, [0, 1, 2]);
}

#[test]
fn steps_of_a_sequence_hear_alerts_beside_events() {
    let text = "rule s \"t\" { severity low by user.username sequence within 1m {
            seen: on alert of read
            gone: on delete of pods where objectRef.name == seen.objectRef.name and seen.alert.rule == \"read\"
            again: on alert of read where alert.message != seen.alert.message
        } alert \"{seen.alert.message}, {gone.verb}, {again.alert.message}\" }";
    let gone = |second, pod| {
        let mut event = by(second, "ann", pod);
        event["verb"] = json!("delete");
        event
    };
    let events = [by(1, "ann", "a"), by(2, "ann", "b"), gone(3, "b"), by(4, "ann", "b"), by(5, "ann", "c")];
    assert_eq!(messages(text, &events), ["ann read b, delete, ann read c"]);
}

#[test]
fn what_is_no_event_has_rules_too() {
    let text = "rule lost \"t\" { severity low on undecodable where undecodable.reason != \"not_json\"
            alert \"{undecodable.reason} at {undecodable.offset} of {source} in {cluster}, {stageTimestamp}\" }
        rule many \"t\" { severity low on alert of lost by source when count() >= 3 within 1m throttle 0s
            alert \"{count()}: {source} {user.username} {stageTimestamp}\" }";
    let mut log = lines(&(0..18).map(|n| by(n, "u", "p")).collect::<Vec<_>>());
    log.insert(1, "{\"a\":".into());
    log.insert(2, "nope".into());
    log.insert(19, "{\"a\":".into());
    log.push("{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{},{}]}".into());
    let begin = |n: usize| log[..n].iter().map(|line| line.len() + 1).sum::<usize>();
    let answer = answer(&format!("{READ}{text}"), &log);
    let lost = |reason: &str, line: usize, second: i64| {
        let text = format!("{reason} at {} of s in c, 2026-01-05T00:00:0{second}Z", begin(line));
        ("lost".to_owned(), second, text)
    };
    let many = |count: u64| ("many".to_owned(), 2, format!("{count}: s - 2026-01-05T00:00:02Z"));
    let mut found = told(&answer);
    found.sort();
    // The clock runs with the 16th time; before, the highest time is shown.
    let mut wanted = vec![
        lost("cut_off", 1, 0),
        lost("cut_off", 19, 1),
        lost("bad_event", 21, 2),
        lost("bad_event", 21, 2),
        many(3),
        many(4),
    ];
    wanted.sort();
    assert_eq!(found, wanted);
    let of_many = answer.alerts.iter().find(|alert| alert.count == 4).map(js).unwrap();
    assert_eq!((&of_many["actor"], &of_many["object"]), (&Js::Null, &Js::Null));
    let last = &of_many["events"][3];
    assert_eq!((&last["auditID"], &last["stage"], &last["source"]), (&Js::Null, &Js::Null, &json!("s")));
    assert_eq!((&last["offset"], &last["time"]), (&json!(begin(21)), &json!("2026-01-05T00:00:02Z")));
    let ids: std::collections::BTreeSet<_> = answer.alerts.iter().map(|alert| alert.id).collect();
    assert_eq!(ids.len(), answer.alerts.len());
}

/// Cuts a run in two after so many lines, its state saved and loaded between.
fn in_two(rules: &str, log: &[String], cut: usize) -> Vec<Vec<u8>> {
    let plan = Arc::new(plan(rules));
    let limits = Limits { lateness: 3_000_000_000, ..Limits::default() };
    let info = SourceInfo { name: "s".into(), cluster: None };
    let mut state = crate::state::State::new(plan.clone(), limits);
    let source = state.add_source(info.clone());
    let mut scratch = crate::matching::Scratch::default();
    let mut alerts = Vec::new();
    for (half, lines) in [&log[..cut], &log[cut..]].into_iter().enumerate() {
        let bytes: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let block = crate::frame::blocks::Blocks::whole(source, bytes.as_bytes());
        let matches = crate::matching::match_block(&plan, &info, &block, &mut scratch);
        state.take(source, matches);
        state.drain(&mut alerts);
        if half == 0 {
            let mut next = crate::state::State::new(plan.clone(), limits);
            next.load_head(&state.save_head()).unwrap();
            for shard in 0..crate::limits::VIRTUAL_SHARDS {
                next.load(shard, &state.save(shard)).unwrap();
            }
            state = next;
        }
    }
    state.end(source);
    state.finish();
    state.drain(&mut alerts);
    crate::alert::sort(&mut alerts);
    let json = |alert: &crate::alert::Alert| {
        let mut out = Vec::new();
        alert.to_json(&mut out);
        out
    };
    alerts.iter().map(json).collect()
}

#[test]
fn alerts_that_wait_to_be_heard_are_saved() {
    let rules = format!(
        "{READ}rule two \"t\" {{ severity low on alert of read by user.username when count() >= 2 within 8s throttle 3s
            alert \"{{count()}} {{objectRef.name}}\" }}
        rule three \"t\" {{ severity low by user.username sequence within 20s {{ a: on alert of two b: on alert of two, read
            where b.objectRef.name != a.objectRef.name }} alert \"{{a.objectRef.name}} {{b.alert.message}}\" }}"
    )
    .replace("b.objectRef", "objectRef");
    let log: Vec<String> =
        (0..40).map(|n| by(n, ["ann", "bob"][n as usize % 2], &format!("p{n}")).to_string()).collect();
    // Offsets count from the begin of what is matched, so the whole is cut as well.
    let whole: Vec<Vec<u8>> = in_two(&rules, &log, 0);
    assert!(whole.len() > 60, "{}", whole.len());
    let without_offset = |alerts: Vec<Vec<u8>>| -> Vec<Js> {
        let clean = |alert: Vec<u8>| {
            let mut js: Js = serde_json::from_slice(&alert).unwrap();
            js["events"].as_array_mut().unwrap().iter_mut().for_each(|event| event["offset"] = Js::Null);
            js
        };
        alerts.into_iter().map(clean).collect()
    };
    let whole = without_offset(whole);
    for cut in [1, 17, 25, 39] {
        assert_eq!(without_offset(in_two(&rules, &log, cut)), whole, "cut after {cut}");
    }
}

#[test]
fn a_silence_is_heard_without_an_event() {
    let text = "rule quiet \"t\" { severity low on delete of pods when silent for 5s alert \"nothing of {cluster}\" }
        rule heard \"t\" { severity low on alert of quiet
            where not present(user.username) and not any g in user.groups: (g == \"x\") and alert.count == 0
                and desired.metadata.name != \"x\"
            alert \"{alert.message}: {cluster} {source} {user.username} {present(verb)} {stageTimestamp}\" }";
    let answer = answer(text, &lines(&[by(0, "ann", "p"), by(60, "ann", "p")]));
    let told = told(&answer);
    assert_eq!(told[0], ("heard".into(), 5, "nothing of c: c - - false -".into()));
    assert_eq!(told[1], ("quiet".into(), 5, "nothing of c".into()));
    let heard = js(&answer.alerts[0]);
    let evidence = json!([{"auditID": null, "requestReceived": null, "stage": null, "time": "2026-01-05T00:00:05Z",
        "step": null, "source": null, "offset": null, "alert": answer.alerts[1].id_text()}]);
    assert_eq!((&heard["events"], &heard["actor"], &heard["cluster"]), (&evidence, &Js::Null, &json!("c")));
}

#[test]
fn windows_that_close_tell_of_their_last_event() {
    let text = "rule hour \"t\" { severity low on alert of read when count() >= 2 tumbling 10s alert \"{count()}\" }
        rule top \"t\" { severity low on alert of hour when sum(alert.count) >= 5 within 1m throttle 0s
            alert \"{sum(alert.count)} {objectRef.name} {max(stageTimestamp)}\" }
        rule session \"t\" { severity low on alert of read by user.username when count() > 1 session gap 3s within 1m
            alert \"{count()} {objectRef.name}\" }
        rule fresh \"t\" { severity low on alert of read when first_seen(alert.message) within 1h learning 0s alert \"{alert.message}\" }";
    let events: Vec<Js> =
        [1, 2, 11, 12, 13, 21].iter().map(|n| by(*n, "ann", &format!("p{}", n % 3))).collect();
    let mut told = told(&answer(&format!("{READ}{text}"), &lines(&events)));
    told.sort();
    let told: Vec<(&str, i64, &str)> = told.iter().map(|(rule, at, text)| (&**rule, *at, &**text)).collect();
    assert_eq!(
        told,
        [
            ("fresh", 1, "ann read p1"),
            ("fresh", 2, "ann read p2"),
            ("fresh", 12, "ann read p0"),
            ("hour", 10, "2"),
            ("hour", 20, "3"),
            ("session", 2, "2 p2"),
            ("session", 13, "3 p1"),
            ("top", 20, "5 p1 2026-01-05T00:00:13Z"),
        ]
    );
}
