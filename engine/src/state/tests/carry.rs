//! Snapshots under other rules: what goes over, what begins anew, what is refused.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value as Js;

use super::windows::{ALL, CLUSTERS, Get, SECOND, any_log, get, info, js, line, take};
use crate::alert::Alert;
use crate::eval::tests::plan;
use crate::limits::Limits;
use crate::matches::SourceId;
use crate::plan::Plan;
use crate::state::{Dropped, LoadError, State, Why};

/// Beside [`ALL`].
const MORE: &str = "
rule plain \"t\" { severity low on get of pods where responseStatus.code == 404 alert \"{objectRef.name}\" }
rule held \"t\" { severity low on get of pods by user.username throttle 5s alert \"{objectRef.name} {responseStatus.code}\" }
rule then \"t\" { severity low by user.username sequence within 6s {
    one: on get of pods where responseStatus.code == 404
    no bad: on get of pods where responseStatus.code == 1
    two: on get of pods where objectRef.name == one.objectRef.name
    } alert \"{one.responseStatus.code} {two.objectRef.name}\" }
rule unanswered \"t\" { severity low by user.username sequence within 5s {
    one: on get of pods where responseStatus.code == 500
    no answer: on get of pods where responseStatus.code == 200 and objectRef.name == one.objectRef.name
    } alert \"{one.objectRef.name}\" }
";

const PEOPLE: &str = "list people = [\"a\", \"nobody\"]";

fn limits() -> Limits {
    Limits { lateness: 2 * SECOND, request_memory: 20 * SECOND, ..Limits::default() }
}

/// Each rule's name, text, and whose alerts it hears.
fn pool() -> Vec<(String, String, Vec<String>)> {
    let all = format!("{}{MORE}", ALL.replace(PEOPLE, ""));
    let texts = all.split("\nrule ").skip(1);
    texts
        .map(|text| {
            let name = text.split(' ').next().unwrap().to_owned();
            let heard = text.split("on alert of ").nth(1).map(|rest| rest.split(" when").next().unwrap());
            let heard = heard.map_or_else(Vec::new, |heard| heard.split(", ").map(str::to_owned).collect());
            (name, format!("rule {text}\n"), heard)
        })
        .collect()
}

fn numbers() -> Vec<usize> {
    (0..pool().len()).collect()
}

/// A state over both sources, in that order, and the number of each cluster's.
fn fresh(plan: &Arc<Plan>, swapped: bool) -> (State, [SourceId; 2]) {
    let mut state = State::with_key(plan.clone(), limits(), [7; 32]);
    let mut ids = [SourceId(0); 2];
    for cluster in if swapped { [1, 0] } else { [0, 1] } {
        ids[cluster] = state.add_source(info(CLUSTERS[cluster]));
    }
    (state, ids)
}

struct Run {
    alerts: Vec<Alert>,
    dropped: Vec<Dropped>,
}

/// Runs a log, from a place on under other rules.
fn run(before: &str, after: &str, gets: &[Get], cut: Option<usize>, swapped: bool) -> Run {
    let mut plan_now = Arc::new(plan(before));
    let (mut state, mut ids) = fresh(&plan_now, false);
    let mut run = Run { alerts: Vec::new(), dropped: Vec::new() };
    for (n, get) in gets.iter().enumerate() {
        if cut == Some(n) {
            state.drain(&mut run.alerts);
            let snapshot = state.snapshot();
            plan_now = Arc::new(plan(after));
            (state, ids) = fresh(&plan_now, swapped);
            run.dropped = state.restore(&snapshot).unwrap();
        }
        take(&mut state, &plan_now, ids[get.cluster], get.cluster, &line(n, get));
    }
    state.finish();
    state.drain(&mut run.alerts);
    crate::alert::sort(&mut run.alerts);
    run
}

/// The alerts of these rules, without what rules say of themselves for people.
fn texts(alerts: &[Alert], names: &[&str]) -> Vec<Js> {
    let alerts = alerts.iter().filter(|alert| names.contains(&&*alert.rule.name)).map(js);
    let mut alerts: Vec<Js> = alerts
        .map(|mut alert| {
            for key in ["title", "severity", "tags"] {
                alert.as_object_mut().unwrap().remove(key);
            }
            alert
        })
        .collect();
    alerts.sort_by_key(ToString::to_string);
    alerts
}

fn dropped(before: &str, after: &str) -> Vec<(String, Why)> {
    let gets = [get(0, "a", "p"), get(1, "a", "q")];
    let dropped = run(before, after, &gets, Some(1), false).dropped;
    dropped.into_iter().map(|dropped| (dropped.rule.to_string(), dropped.why)).collect()
}

fn rule(body: &str) -> String {
    format!("rule r \"t\" {{ severity low on get of pods {body} }}")
}

const MANY: &str = "by user.username when count() >= 2 and distinct(objectRef.name) > 1 within 5m throttle 1m
    alert \"{objectRef.name} {objectRef.namespace}\"";

#[test]
fn what_is_for_people_may_change() {
    let moved = format!(
        "# more\nrule other \"o\" {{ severity low on list of pods alert \"x\" }}\n\n{}",
        rule(MANY)
            .replace("\"t\"", "\"another\"")
            .replace("severity low", "severity high tags a.b about \"much\"")
            .replace("by user.username", "by who = user.username")
            .replace("{objectRef.name} {objectRef.namespace}", "in {objectRef.namespace}")
    );
    assert_eq!(dropped(&rule(MANY), &moved), []);
}

#[test]
fn each_change_of_meaning_has_its_name() {
    let changed = |from: &str, to: &str| {
        let after = rule(&MANY.replace(from, to));
        assert_ne!(after, rule(MANY));
        match dropped(&rule(MANY), &after).as_slice() {
            [(name, why)] if name == "r" => why.clone(),
            other => panic!("{from} -> {to}: {other:?}"),
        }
    };
    assert_eq!(changed("within 5m", "within 6m"), Why::Shape);
    assert_eq!(changed("within 5m", "tumbling 5m"), Why::Shape);
    assert_eq!(changed("count() >= 2", "count() == 2"), Why::Shape);
    assert_eq!(changed("throttle 1m", "throttle 2m"), Why::Throttle);
    assert_eq!(changed("by user.username", "where user.username != \"x\" by user.username"), Why::Steps);
    assert_eq!(changed("by user.username", "by verb"), Why::Key);
    assert_eq!(changed("by user.username", "across clusters by user.username"), Why::Key);
    assert_eq!(changed("distinct(objectRef.name)", "distinct(objectRef.namespace)"), Why::Counted);
    assert_eq!(changed("{objectRef.namespace}", "{userAgent}"), Why::Reads);
    let seen = |what: &str| {
        rule(&format!("by user.username when first_seen({what}) within 1h learning 0s alert \"x\""))
    };
    assert_eq!(dropped(&seen("verb"), &seen("userAgent")), [("r".into(), Why::Counted)]);
    assert_eq!(dropped(&rule(MANY), &rule(MANY).replace("rule r", "rule s")), [("r".into(), Why::Gone)]);
    let shown = Dropped { rule: "r".into(), why: Why::Throttle }.to_string();
    assert_eq!(shown, "rule `r` begins anew: its throttle changed");
}

#[test]
fn a_rule_that_keeps_no_match_may_read_something_else() {
    let text = |what: &str| rule(&format!("alert \"{{{what}}}\""));
    assert_eq!(dropped(&text("verb"), &text("userAgent")), []);
}

#[test]
fn a_rule_on_alerts_goes_over_if_all_that_it_heard_does() {
    let teller = |name: &str, verb: &str| {
        format!("rule {name} \"t\" {{ severity low on {verb} of pods throttle 1s alert \"x\" }}\n")
    };
    let listener = |heard: &str, what: &str| {
        format!(
            "rule hear \"t\" {{ severity low on alert of {heard} by {what} when count() >= 2 within 1h alert \"x\" }}\n"
        )
    };
    let (one, two) = (teller("one", "get"), teller("two", "list"));
    let before = format!("{one}{two}{}", listener("one, two", "user.username"));
    let hears = |name: &str| ("hear".to_owned(), Why::Hears(name.into()));
    let more = format!(
        "{}{two}{}{one}",
        teller("three", "watch"),
        listener("one, three, two", "user.username").replace("hear \"t\"", "hear \"u\"")
    );
    assert_eq!(dropped(&before, &more), []);
    let less = format!("{one}{}", listener("one", "user.username"));
    assert_eq!(dropped(&before, &less), [("two".into(), Why::Gone), hears("two")]);
    let other = format!("{one}{}{}", teller("two", "watch"), listener("one, two", "user.username"));
    assert_eq!(dropped(&before, &other), [("two".into(), Why::Steps), hears("two")]);
    let deaf = format!("{one}{two}{}", listener("one", "user.username"));
    assert_eq!(dropped(&before, &deaf), [hears("two")]);
    // What a new listener reads was not kept of what waits: who tells begins anew, who heard it does not.
    let reads = format!(
        "{before}rule late \"t\" {{ severity low on alert of one where userAgent == \"x\" alert \"x\" }}\n"
    );
    assert_eq!(dropped(&before, &reads), [("one".into(), Why::Reads)]);
}

#[test]
fn a_new_rule_about_silence_waits_from_the_cut_on() {
    let silent = |name: &str, s: u32| {
        format!(
            "rule {name} \"t\" {{ severity low on list of pods across clusters when silent for {s}s alert \"x\" }}\n"
        )
    };
    let gets: Vec<Get> = (0..60).map(|n| get(n * 1000, "a", "p")).collect();
    let plan = |text: &str| Arc::new(plan(text));
    let before = plan(&silent("old", 10));
    let only = |plan: &Arc<Plan>| {
        let mut state = State::new(plan.clone(), limits());
        let id = state.add_source(info(CLUSTERS[0]));
        (state, id)
    };
    let (mut state, id) = only(&before);
    for (n, get) in gets[..40].iter().enumerate() {
        take(&mut state, &before, id, 0, &line(n, get));
    }
    let watermark = state.sources.watermark;
    let mut alerts = Vec::new();
    state.drain(&mut alerts);
    assert_eq!(alerts.len(), 1);
    let after = plan(&format!("{}{}", silent("new", 10), silent("old", 10)));
    let (mut next, id) = only(&after);
    assert_eq!(next.restore(&state.snapshot()), Ok(Vec::new()));
    for (n, get) in gets.iter().enumerate().skip(40) {
        take(&mut next, &after, id, 0, &line(n, get));
    }
    next.finish();
    let mut alerts = Vec::new();
    next.drain(&mut alerts);
    let told: Vec<_> = alerts.iter().map(|alert| (&*alert.rule.name, alert.time)).collect();
    assert_eq!(told, [("new", watermark + 10 * SECOND)]);
}

/// A state that has seen something.
fn seen(gets: i64) -> State {
    let plan = Arc::new(plan(&rule(MANY)));
    let (mut state, ids) = fresh(&plan, false);
    for n in 0..gets {
        take(&mut state, &plan, ids[0], 0, &line(usize::try_from(n).unwrap(), &get(n, "a", "p")));
    }
    state
}

fn refusal(snapshot: &[u8]) -> LoadError {
    fresh(&Arc::new(plan(&rule(MANY))), false).0.restore(snapshot).unwrap_err()
}

fn sealed_anew(mut part: Vec<u8>) -> Vec<u8> {
    let until = part.len() - 16;
    let sum = blake3::hash(&part[..until]);
    part[until..].copy_from_slice(&sum.as_bytes()[..16]);
    part
}

#[test]
fn each_refusal_has_its_name() {
    let (state, later) = (seen(20), seen(21));
    let whole = state.snapshot();
    assert_eq!(refusal(b"something else entirely"), LoadError::NotAState);
    for len in 0..whole.len().min(2000) {
        assert_eq!(refusal(&whole[..len]), LoadError::Truncated, "{len}");
    }
    assert_eq!(refusal(&whole[..whole.len() - 1]), LoadError::Truncated);
    assert_eq!(refusal(&[&whole[..], b"more"].concat()), LoadError::Corrupt);
    assert_eq!(refusal(&[&whole[..], &state.save(0)].concat()), LoadError::Corrupt);

    let mut newer = state.save_head();
    newer[8] += 1;
    let newer = refusal(&sealed_anew(newer));
    assert!(matches!(newer, LoadError::Version(_)) && newer.to_string().contains("a newer version"));
    let mut older = state.save_head();
    older[8] -= 1;
    assert!(refusal(&sealed_anew(older)).to_string().contains("an older version"));

    let mut flipped = whole.clone();
    flipped[200] ^= 1;
    assert_eq!(refusal(&flipped), LoadError::Corrupt);

    // A head of one moment and shards of another: a file that was written over in part.
    let mut torn = later.save_head();
    torn.extend_from_slice(&whole[state.save_head().len()..]);
    assert_eq!(refusal(&torn), LoadError::Torn);

    let mut next = fresh(&state.plan, false).0;
    next.load_head(&state.save_head()).unwrap();
    assert_eq!(next.load(1, &state.save(0)), Err(LoadError::WrongShard));
    assert_eq!(next.load(0, &state.save_head()), Err(LoadError::WrongShard));
    assert_eq!(next.load_head(&state.save(0)), Err(LoadError::WrongShard));
    let mut other = State::with_key(state.plan.clone(), limits(), [8; 32]);
    assert_eq!(other.load(0, &state.save(0)), Err(LoadError::OtherKey));
    assert_eq!(refusal(&[state.save_head(), state.save(1)].concat()), LoadError::WrongShard);
}

#[test]
fn the_first_whole_snapshot_is_taken() {
    let (old, new) = (seen(20).snapshot(), seen(30).snapshot());
    let make = || fresh(&Arc::new(plan(&rule(MANY))), true).0;
    let found = State::restore_first(make, [&new[..new.len() / 2], &b"?"[..], &old]);
    assert_eq!((found.taken, found.state.tally().read), (Some(2), 20));
    assert_eq!(found.refused, [LoadError::Truncated, LoadError::NotAState]);
    let none = State::restore_first(make, [&new[..9]]);
    assert_eq!((none.taken, none.state.tally().read, none.refused.len()), (None, 0, 1));
}

#[test]
fn sources_are_known_by_their_names() {
    let before = seen(30);
    let plan = before.plan.clone();
    let mut state = State::new(plan, limits());
    let third = state.add_source(info("third"));
    let west = state.add_source(info("west"));
    state.restore(&before.snapshot()).unwrap();
    let names: Vec<(u32, &str)> = state.sources().map(|(id, info)| (id.0, &*info.name)).collect();
    assert_eq!(names, [(third.0, "third"), (west.0, "west"), (2, "east")]);
    assert_eq!((state.clock(third), state.clock(west)), (None, None));
    assert_eq!(state.clock(SourceId(2)), before.clock(SourceId(0)));
    assert!(state.clock(SourceId(2)).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(200)))]

    /// Rules that mean what they meant answer as if nothing had been cut, whatever becomes of the others.
    #[test]
    fn rules_that_are_unchanged_go_on(
        log in any_log(),
        cut in 0..60_usize,
        swapped: bool,
        orders in (Just(numbers()).prop_shuffle(), Just(numbers()).prop_shuffle()),
        fates in prop::collection::vec(0..8_u8, 20),
    ) {
        let names: Vec<String> = pool().into_iter().map(|(name, ..)| name).collect();
        let fate = |name: &str| fates[names.iter().position(|other| other == name).unwrap()];
        let is_in = |set: &[String], heard: &[String]| heard.iter().all(|name| set.contains(name));
        // 0: only before; 1: only after; 2: changed; else: in both. Who hears comes behind in the pool.
        let (mut before, mut after, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for (name, text, heard) in pool() {
            let now = if fate(&name) == 2 { text.replace("on get of", "on get, delete of") } else { text.clone() };
            let (old, new) = (fate(&name) != 1 && is_in(&before, &heard), fate(&name) != 0 && is_in(&after, &heard));
            if old && new && now == text && is_in(&kept, &heard) {
                kept.push(name.clone());
            }
            if old {
                before.push(name.clone());
            }
            if new {
                after.push(name);
            }
        }
        let pool = pool();
        let text = |order: &[usize], set: &[String], change: bool| -> String {
            let rules = order.iter().map(|number| &pool[*number]).filter(|(name, ..)| set.contains(name));
            rules.map(|(name, text, _)| match (change, fate(name)) {
                (true, 2) => text.replace("on get of", "on get, delete of"),
                (true, 3 | 4) => text.replace("\"t\" { severity low", "\"other\" { severity high tags x"),
                (true, 5) => format!("# moved\n\n{text}"),
                _ => text.clone(),
            }).chain([format!("\n{PEOPLE}\n")]).collect()
        };
        let gets: Vec<Get> = {
            let mut log = log;
            log.sort_by_key(|(get, jitter)| get.at + jitter);
            log.into_iter().map(|(get, _)| get).collect()
        };
        let (old, new) = (text(&orders.0, &before, false), text(&orders.1, &after, true));
        let got = run(&old, &new, &gets, Some(cut % (gets.len() + 1)), swapped);
        let want = run(&text(&numbers(), &kept, false), "", &gets, None, false);
        let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
        prop_assert_eq!(texts(&got.alerts, &kept), texts(&want.alerts, &kept));
        if cut % (gets.len() + 1) < gets.len() {
            let mut lost: Vec<String> = got.dropped.iter().map(|dropped| dropped.rule.to_string()).collect();
            let mut all: Vec<String> = before.into_iter().filter(|name| !kept.contains(&&**name)).collect();
            lost.sort();
            all.sort();
            prop_assert_eq!(lost, all);
        }
    }
}
