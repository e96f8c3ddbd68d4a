//! Layouts from the text of rules: where what stands, and which equalities joins demand.

use proptest::prelude::*;
use serde_json::{Value as Js, json};

use super::super::Plan;
use super::*;
use crate::eval::tests::{event, plan};
use crate::matching::tests::matches;

fn layout(plan: &Plan) -> &Layout {
    plan.rules[0].layout().unwrap()
}

fn sequence(head: &str, steps: &str) -> Plan {
    plan(&format!("rule r \"t\" {{ severity low {head} within 5m {{ {steps} }} alert \"x\" }}"))
}

/// Per equality its steps in ascending order.
fn joined(plan: &Plan) -> Vec<(usize, usize)> {
    let steps = layout(plan).equalities.iter().map(|Equality(a, b)| (a.step.min(b.step), a.step.max(b.step)));
    let mut steps: Vec<_> = steps.collect();
    steps.sort_unstable();
    steps
}

fn demanded(condition: &str) -> Vec<(usize, usize)> {
    joined(&sequence(
        "sequence",
        &format!(
            "a: on get of secrets b: on create of rolebindings where verb == \"create\" and {condition}"
        ),
    ))
}

#[test]
fn equalities_are_found_at_the_top_and_in_any() {
    for condition in [
        "user.username == a.user.username",
        "a.user.username == user.username",
        "lower(user.username) == a.user.username",
        "a.user.username in user.groups",
        "user.username in a.user.groups",
        "any s in desired.subjects: (s.name == a.user.username)",
        "any s in desired.subjects: (s.kind == \"User\" and lower(s.name) == a.user.username)",
        "any g in a.user.groups: (g == user.username)",
        "user.groups[] == a.user.username",
    ] {
        assert_eq!(demanded(condition), [(0, 1)], "{condition}");
    }
    for condition in [
        "user.username != a.user.username",
        "user.username == a.user.username ignoring case",
        "user.username in a.user.groups ignoring case",
        "(user.username == a.user.username or source_ip == \"10.0.0.1\")",
        "all s in desired.subjects: (s.name == a.user.username)",
        "not any s in desired.subjects: (s.name == a.user.username)",
        "user.username startswith a.user.username",
    ] {
        assert_eq!(demanded(condition), [], "{condition}");
    }
}

#[test]
fn an_equality_over_one_single_value_leads_on() {
    let steps = |second: &str| {
        format!(
            "a: on get of secrets b: on create of rolebindings where {second} \
             c: on get of pods where user.username == a.user.username"
        )
    };
    let plan = sequence("sequence", &steps("any s in desired.subjects: (s.name == a.user.username)"));
    assert_eq!(joined(&plan), [(0, 1), (0, 2), (1, 2)]);
    // One of several of `a`, and another of them: nothing follows.
    let plan = sequence("sequence", &steps("user.username in a.user.groups"));
    assert_eq!(joined(&plan), [(0, 1), (0, 2)]);
    let each = layout(&plan).equalities.iter().flat_map(|Equality(a, b)| [a, b]);
    let single: Vec<bool> = each.map(|side| side.single).collect();
    assert_eq!(single.iter().filter(|single| !**single).count(), 1);
}

#[test]
fn several_of_a_step_equal_one_another_if_all_equal_one() {
    let plan = sequence(
        "sequence",
        "a: on get of secrets b: 3 times on get of pods where user.username == a.user.username c: on get of nodes",
    );
    assert_eq!(joined(&plan), [(0, 1)]);
    let Equality(a, b) = layout(&plan).equalities[0];
    assert!(a.each != b.each, "each of the three, and the one");
    assert_eq!(layout(&plan).slots, [0, 1, 1, 1, 2]);
    assert_eq!(layout(&plan).last(1), Some(3));
}

#[test]
fn what_a_no_step_demands_is_no_demand_on_the_choice() {
    let plan = sequence(
        "sequence",
        "a: on get of secrets b: on get of pods where objectRef.name == a.objectRef.name \
         no n: on get of nodes where user.username == a.user.username and a.verb == b.verb \
         c: on get of pods where user.username == a.user.username",
    );
    assert_eq!(
        joined(&plan),
        [(0, 1), (0, 2), (0, 3), (2, 3)],
        "of two steps that are no `no` only their own"
    );
    let layout = layout(&plan);
    assert_eq!(layout.steps[2].role, Role::No { place: Place::Between(1, 2), within: None });
    assert_eq!(layout.joins.iter().map(|join| join.owner).collect::<Vec<_>>(), [1, 2, 2, 3]);
    assert!(layout.steps[0].columns.contains(&Column::Identity));
    assert!(layout.steps[3].columns.is_empty(), "it only completes");
}

#[test]
fn places_say_where_a_no_step_stands_and_who_waits() {
    let places = |head: &str, steps: &str| {
        let plan = sequence(head, steps);
        let layout = layout(&plan);
        let places: Vec<Place> = layout.noes().map(|(_, place, _)| place).collect();
        (places, layout.waits(), layout.no_within(), layout.slots.len())
    };
    let minute = 60_000_000_000;
    assert_eq!(
        places(
            "sequence",
            "no m within 1m: on get of pods a: 2 times on get of nodes no n: on get of secrets b: on list of nodes"
        ),
        (vec![Place::Before, Place::Between(1, 2)], false, minute, 3)
    );
    let behind = "a: on get of nodes b: on list of nodes no n: on get of secrets";
    assert_eq!(places("sequence", behind), (vec![Place::Behind], true, 0, 2));
    assert_eq!(places("unordered", behind), (vec![Place::Behind], false, 0, 2));
    let behind = "a: on get of nodes b: on list of nodes no n within 2m: on get of secrets";
    assert_eq!(places("unordered", behind), (vec![Place::Behind], true, 2 * minute, 2));
}

#[test]
fn in_order_the_last_completes_and_otherwise_all_do() {
    let steps = "a: on get of nodes no n: on get of secrets b: 2 times on list of nodes c: on get of pods";
    let completes = |head: &str| {
        let plan = sequence(head, steps);
        let layout = layout(&plan);
        let texts: Vec<bool> = plan.rules[0].texts.iter().map(Option::is_some).collect();
        let completes: Vec<Option<usize>> = (0..4).map(|step| layout.completes(step)).collect();
        let kept: Vec<bool> = (0..4).map(|step| layout.kept(step)).collect();
        assert_eq!(texts, completes.iter().map(Option::is_some).collect::<Vec<_>>());
        (completes, kept)
    };
    assert_eq!(completes("sequence"), (vec![None, None, None, Some(3)], vec![true, true, true, false]));
    assert_eq!(completes("unordered"), (vec![Some(0), None, Some(2), Some(3)], vec![true; 4]));
}

#[test]
fn where_coverage_is_counted_nothing_is_passed_over() {
    let text = "rule r \"t\" { severity low sequence within 5m { a: on get of secrets \
                b: on get of pods where user.username == a.user.username } alert \"x\" }";
    let rules = crate::eval::tests::rules(text);
    let covering = Plan::covering(&rules, crate::limits::Limits::default());
    assert_eq!(layout(&covering).equalities, []);
    assert_eq!(layout(&plan(text)).equalities.len(), 1);
}

/// Joins of all forms that give equalities, over values that are often equal, absent, unknown, lists or of a patch.
const JOINS: [&str; 10] = [
    "user.username == a.user.username",
    "desired.metadata.name == a.desired.metadata.name",
    "any s in desired.subjects: (s.name == a.user.username)",
    "any s in desired.subjects: (s.name == a.desired.metadata.name and s.kind != a.user.username)",
    "any s in desired.subjects: (any g in a.user.groups: (g == s.name))",
    "a.user.username in user.groups",
    "desired.metadata.name in a.user.groups",
    "desired.metadata.labels == a.desired.metadata.labels",
    "desired.metadata.annotations[\"x\"] == a.desired.metadata.annotations[\"x\"]",
    "lower(desired.subjects[].name) == a.user.username",
];

fn body() -> impl Strategy<Value = Js> {
    let word = || {
        prop_oneof![Just(json!("u")), Just(json!("v")), Just(json!("U")), Just(Js::Null), Just(json!(["u"]))]
    };
    let subject = (word(), word()).prop_map(|(name, kind)| json!({"name": name, "kind": kind}));
    let map = |key: &'static str| {
        prop_oneof![
            1 => Just(Js::Null),
            3 => word().prop_map(move |value| json!({key: value})),
        ]
    };
    let metadata = (word(), map("l"), map("x"));
    let metadata = metadata.prop_map(|(name, l, x)| json!({"name": name, "labels": l, "annotations": x}));
    (metadata, prop::collection::vec(subject, 0..3))
        .prop_map(|(metadata, subjects)| json!({"metadata": metadata, "subjects": subjects}))
}

fn events() -> impl Strategy<Value = Vec<Js>> {
    let verb = prop_oneof![Just("create"), Just("patch")];
    let groups = prop::collection::vec(prop_oneof![Just("u"), Just("v")], 0..3);
    let user = prop_oneof![Just("u"), Just("v"), Just("w")];
    let one = (verb, user, groups, prop::option::weighted(0.9, body())).prop_map(|(verb, user, groups, body)| {
        let mut event = json!({
            "verb": verb,
            "user": {"username": user, "groups": groups},
            "objectRef": {"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io", "namespace": "n"},
        });
        if let Some(body) = body {
            event["requestObject"] = body;
        }
        event
    });
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let all = all.into_iter().enumerate().map(|(n, mut over)| {
            over["auditID"] = json!(format!("id{n}"));
            over["stageTimestamp"] = json!(format!("2026-01-05T00:00:{:02}Z", n / 2));
            event(over)
        });
        all.collect()
    })
}

fn alerts(plan: Plan, events: &[Js]) -> Vec<String> {
    let plan = std::sync::Arc::new(plan);
    let mut state = crate::state::State::new(plan.clone(), plan.limits);
    let source = state.add_source(crate::matches::SourceInfo::default());
    state.take(source, matches(&plan, events));
    state.finish();
    let mut alerts = Vec::new();
    state.drain(&mut alerts);
    let audit_id = |event: &crate::alert::Evidence| event.meta.audit_id.to_string();
    alerts.iter().map(|alert| alert.events.iter().map(audit_id).collect::<Vec<_>>().join(" ")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(400)))]
    #[test]
    fn an_equality_never_takes_a_choice_away(
        first in prop::sample::select(&JOINS[..]),
        second in prop::sample::select(&JOINS[..]),
        head in prop::sample::select(&["sequence", "unordered"][..]),
        no in any::<bool>(),
        events in events(),
    ) {
        let no = if no { format!("no n: on create, patch of rolebindings where {first}") } else { String::new() };
        let text = format!(
            "rule r \"t\" {{ severity low {head} within 5m {{ a: on create, patch of rolebindings \
             b: on create, patch of rolebindings where {first} {no} \
             c: on create, patch of rolebindings where {second} }} throttle 0s alert \"x\" }}"
        );
        let rules = crate::eval::tests::rules(&text);
        let limits = crate::limits::Limits::default();
        let (indexed, scanning) = (Plan::new(&rules, limits), Plan::covering(&rules, limits));
        prop_assert!(!layout(&indexed).equalities.is_empty() && layout(&scanning).equalities.is_empty());
        prop_assert_eq!(alerts(indexed, &events), alerts(scanning, &events), "{}", text);
    }
}
