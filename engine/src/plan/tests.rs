//! Plans: what matches bring along, and that what is decided later from that is what the event would have said.

use serde_json::{Value as Js, json};

use super::late::{LateCx, Truth, render, truth, value};
use super::*;
use crate::eval::tests::{event, plan};
use crate::matches::Value;
use crate::matching::tests::matches;

/// The captures of the first match of each step.
fn captures(plan: &Plan, events: &[Js]) -> Vec<Vec<Value>> {
    let found = matches(plan, events).found;
    let steps = 0..plan.rules[0].steps.len();
    steps
        .map(|step| {
            let of_step = found.iter().find(|m| m.step as usize == step);
            of_step.unwrap_or_else(|| panic!("no match of step {step}")).captures.clone()
        })
        .collect()
}

fn late<'a>(captures: &'a [&'a [Value]]) -> LateCx<'a> {
    LateCx { captures, ..LateCx::default() }
}

const SEQUENCE: &str = "rule r \"t\" { severity low sequence within 5m {
        denied: on get of secrets where responseStatus.code == 403
        bound: on create, update, patch of rolebindings
            where responseStatus.code == 200 and any s in desired.subjects: (s.name == denied.user.username)
            and (verb == \"create\" or objectRef.namespace == denied.objectRef.namespace)
        used: on get of pods where user.extra[denied.user.username][0] == bound.user.username
            and any g in user.groups: (g == denied.user.username and g like \"u*\")
    } alert \"{denied.user.username} {bound.objectRef.name} {used.verb} {g} {user.groups[]}\" }";

fn secret() -> Js {
    event(json!({"objectRef": {"resource": "secrets", "namespace": "n"}, "responseStatus": {"code": 403}}))
}

fn binding(over: Js) -> Js {
    let mut all = json!({"verb": "create", "user": {"username": "boss"},
        "objectRef": {"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io", "namespace": "m", "name": "b"},
        "requestObject": {"subjects": [{"name": "x"}, {"name": "u"}]}});
    all.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    event(all)
}

fn pod() -> Js {
    event(json!({"user": {"username": "v", "groups": ["t", "u"], "extra": {"u": ["boss"]}}}))
}

#[test]
fn joins_say_what_they_read_and_bring_it_along() {
    let plan = plan(SEQUENCE);
    let rule = &plan.rules[0];
    assert!(rule.waits());
    assert_eq!(rule.within(), 300_000_000_000);
    let joins: Vec<Vec<&[u32]>> =
        rule.steps.iter().map(|s| s.joins.iter().map(|j| j.reads.as_slice()).collect()).collect();
    assert_eq!(joins, [vec![], vec![&[0, 1][..], &[0, 1]], vec![&[0, 1, 2][..], &[0, 2]]]);
    assert_eq!(
        rule.steps.iter().map(|s| s.captured).collect::<Vec<_>>(),
        captures(&plan, &[secret(), binding(json!({})), pod()]).iter().map(Vec::len).collect::<Vec<_>>()
    );

    let all = captures(&plan, &[secret(), binding(json!({})), pod()]);
    let all: Vec<&[Value]> = all.iter().map(Vec::as_slice).collect();
    for (step, join) in rule.steps.iter().flat_map(|s| s.joins.iter().map(move |j| (s, j))) {
        assert_eq!(truth(&join.condition, &late(&all)), Truth::True, "{:?} {join:?}", step.name);
    }
    assert_eq!(render(&rule.text(2).unwrap().alert, &late(&all)), "u b get u t, u");
}

#[test]
fn joins_keep_what_is_unknown() {
    let plan = plan(SEQUENCE);
    let joined = |over: Js| {
        let all = captures(&plan, &[secret(), binding(over), pod()]);
        let all: Vec<&[Value]> = all.iter().map(Vec::as_slice).collect();
        plan.rules[0].steps[1].joins.iter().map(|j| truth(&j.condition, &late(&all))).collect::<Vec<_>>()
    };
    let patch = |body: Js| joined(json!({"verb": "patch", "requestObject": body}))[0];
    assert_eq!(patch(json!({"subjects": [{"name": "u"}]})), Truth::True);
    assert_eq!(patch(json!({"subjects": [{"name": "x"}]})), Truth::Unknown);
    // A step into a scalar of a patch is unknown, of what is whole it is absent: the difference outlives the event.
    assert_eq!(patch(json!([{"op": "add", "path": "/subjects", "value": ["scalar"]}])), Truth::Unknown);
    assert_eq!(joined(json!({"requestObject": {"subjects": ["scalar"]}}))[0], Truth::False);
    assert_eq!(joined(json!({"requestObject": {"subjects": []}})), [Truth::False, Truth::True]);
    assert_eq!(joined(json!({"verb": "update", "requestObject": null}))[0], Truth::Unknown);
}

#[test]
fn windows_are_asked_with_their_counts() {
    let plan = plan(
        "rule r \"t\" { severity low on any of any by user.username, actor = source_ip
            when count() >= 3 and distinct(objectRef.name) / count() > 0.5 within 5m
            alert \"{count()} of {distinct(objectRef.name)} by {actor} {user.username}\" }",
    );
    let rule = &plan.rules[0];
    assert_eq!(
        rule.aggregates.iter().map(|a| &*a.text).collect::<Vec<_>>(),
        ["count()", "distinct(objectRef.name)"]
    );
    assert_eq!(rule.steps[0].key_names.iter().map(|n| &**n).collect::<Vec<_>>(), ["user.username", "actor"]);
    let Shape::Sliding { condition, .. } = &rule.shape else { panic!("a window") };
    let asked = |counts: &[f64]| {
        let aggregates: Vec<Value> = counts.iter().map(|n| Value::Number(*n)).collect();
        truth(condition, &LateCx { aggregates: &aggregates, ..LateCx::default() })
    };
    assert_eq!(asked(&[3.0, 2.0]), Truth::True);
    assert_eq!(asked(&[2.0, 2.0]), Truth::False);
    assert_eq!(asked(&[4.0, 2.0]), Truth::False);
    let all = captures(&plan, &[event(json!({}))]);
    let key = [Value::Text("u".into()), Value::Text("10.0.0.1".into())];
    let cx = LateCx {
        captures: &[&all[0]],
        aggregates: &[Value::Number(4.0), Value::Number(2.0)],
        key: &key,
        ..LateCx::default()
    };
    assert_eq!(render(&rule.text(0).unwrap().alert, &cx), "4 of 2 by 10.0.0.1 u");
}

#[test]
fn a_name_of_a_key_stands_for_its_value() {
    let text =
        "rule r \"t\" { severity low on any of any by actor = source_ip throttle 1m alert \"{actor}\" }
        test r \"x\" { at 0s { verb: \"get\" } expect alert { actor: \"10.0.0.1\", objectRef.name: \"p\" } }";
    let plan = plan(text);
    let rule = &plan.rules[0];
    let all = captures(&plan, &[event(json!({}))]);
    let key = [Value::Text("10.0.0.1".into())];
    let cx = LateCx { captures: &[&all[0]], key: &key, ..LateCx::default() };
    let probes: Vec<Value> = rule.text(0).unwrap().probes.iter().map(|probe| value(probe, &cx)).collect();
    assert_eq!(probes, [Value::Text("10.0.0.1".into()), Value::Text("p".into())]);
    // Out of bounds is absent, not a crash.
    assert_eq!(value(&rule.text(0).unwrap().probes[1], &LateCx::default()), Value::Absent);
}

#[test]
fn rules_that_ship_off_are_not_run() {
    let plan = plan(
        "rule a \"t\" { severity low on get of pods alert \"x\" disable }
         rule b \"t\" { severity low on get of pods alert \"x\" }",
    );
    assert_eq!(plan.rules.len(), 1);
    assert_eq!((plan.rules[0].ir, plan.rule("b"), plan.rule("a")), (1, Some(0), None));
    assert!(!plan.rules[0].waits());
}

#[test]
fn equal_captures_are_brought_once() {
    let plan = plan(
        "rule r \"t\" { severity low on get of pods alert \"{user.username} {user.username} {user.groups[0]} {len(user.username)}\" }",
    );
    assert_eq!(plan.rules[0].steps[0].captured, 3);
}

/// The stratum of each rule, and which it hears: `(rule, step)` of each that hears it.
fn strata(hears: &[&[usize]]) -> Vec<(u32, Vec<(u32, u32)>)> {
    use crate::testing::{rule, step};
    let rules = hears.iter().enumerate().map(|(n, hears)| {
        let mut step = step(None, ir::StagePick::Outcome, 0);
        if !hears.is_empty() {
            step.on = ir::On::Alerts(hears.to_vec());
        }
        ir::Rule { disabled: n == 9, ..rule(&format!("r{n}"), ir::Shape::Each, 0, vec![step]) }
    });
    let set = ir::RuleSet { rules: rules.collect(), ..ir::RuleSet::default() };
    let plan = Plan::new(&set, Limits::default());
    let heard = |rule: &Rule| rule.heard.iter().map(|hearing| (hearing.rule, hearing.step)).collect();
    plan.rules.iter().map(|rule| (rule.stratum, heard(rule))).collect()
}

#[test]
fn a_stratum_is_above_all_that_it_hears() {
    assert_eq!(
        strata(&[&[1, 2], &[2], &[], &[2]]),
        [(2, vec![]), (1, vec![(0, 0)]), (0, vec![(0, 0), (1, 0), (3, 0)]), (1, vec![])]
    );
    // Whoever stands in a circle, or above one, hears only those that do not.
    assert_eq!(
        strata(&[&[1], &[0, 2], &[], &[3], &[0, 2]]),
        [(0, vec![]), (1, vec![]), (0, vec![(1, 0), (4, 0)]), (0, vec![]), (1, vec![])]
    );
    let mut many: Vec<&[usize]> = vec![&[]; 10];
    many[1] = &[9];
    assert_eq!(strata(&many)[1], (0, vec![]), "one that is off tells nothing");
    // As long as one likes: nothing here goes down by recursion.
    let chain: Vec<Vec<usize>> = (0..3000).map(|n| if n < 2999 { vec![n + 1] } else { vec![] }).collect();
    let chain: Vec<&[usize]> = chain.iter().map(Vec::as_slice).collect();
    // The tenth is off, and no longer in the plan.
    assert_eq!((strata(&chain)[9].0, strata(&chain)[8].0), (2989, 0));
}

#[test]
fn a_rule_waits_if_one_that_it_hears_does() {
    let plan = plan(
        "rule a \"t\" { severity low on get of pods alert \"x\" }
         rule b \"t\" { severity low on get of pods throttle 1s alert \"x\" }
         rule c \"t\" { severity low on alert of a alert \"x\" }
         rule d \"t\" { severity low on alert of a, e alert \"x\" }
         rule e \"t\" { severity low on alert of b, c alert \"x\" }",
    );
    assert_eq!(plan.rules.iter().map(Rule::waits).collect::<Vec<_>>(), [false, true, false, true, true]);
    assert_eq!(plan.rules.iter().map(|rule| rule.stratum).collect::<Vec<_>>(), [0, 0, 1, 3, 2]);
}

#[test]
fn what_is_read_of_an_alerts_event_is_captured_when_that_is_matched() {
    let plan = plan(
        "rule a \"t\" { severity low on get of pods alert \"{verb}\" }
         rule b \"t\" { severity low on alert of a where user.username == \"u\" and alert.count == 1
             by verb alert \"{objectRef.name} {alert.rule}\" }
         rule c \"t\" { severity low on alert of b where len(user.groups) > 1 alert \"{objectRef.name} {verb}\" }",
    );
    // The verb, once; the name, once; whether the user is `u`; whether there are groups.
    assert_eq!(plan.rules[0].steps[0].captured, 4);
    // The name and the rule for its own text; whether there are groups, name and verb for `c`.
    assert_eq!(plan.rules[1].steps[0].captured, 4);
    let nothing = plan.rules[0].steps[0].nothing(Some("c"));
    assert_eq!(nothing[0], Value::Absent);
    assert!(nothing.contains(&Value::Bool(false)));
}
