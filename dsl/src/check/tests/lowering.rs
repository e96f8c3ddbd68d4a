//! What rules become: the facts of the IR that others rely on.

use crate::check::compile;
use crate::ir::{
    BodyKinds, CompareOp, Derived, Expected, Expr, ExprKind, Literal, Piece, Root, Rule, RuleSet, Segment,
    Set, Shape, StagePick, Target, Targets, Type, Verbs,
};
use crate::source::SourceMap;

pub(super) fn set(text: &str) -> RuleSet {
    let mut sources = SourceMap::default();
    sources.add("r.rule", text);
    let outcome = compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{text}\n{:#?}", outcome.diagnostics))
}

pub(super) fn rule(text: &str) -> Rule {
    set(text).rules.remove(0)
}

fn condition(on: &str, text: &str) -> Expr {
    let rule = rule(&format!("rule r \"R\" {{ severity low on {on} where {text} alert \"x\" }}"));
    rule.steps[0].condition.clone().unwrap()
}

fn read(expr: &Expr) -> &crate::ir::Place {
    match &expr.kind {
        ExprKind::Read(place) => place,
        other => panic!("{other:?}"),
    }
}

fn left(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Compare { left, .. } | ExprKind::In { left, .. } => left,
        other => panic!("{other:?}"),
    }
}

#[test]
fn negations_stand_in_front_of_plain_forms() {
    for text in [
        "verb != \"get\"",
        "user.username not like \"a*\"",
        "user.username not in [\"a\"]",
        "not dry_run",
        "user.username not matches 'a'",
    ] {
        let expr = condition("get of secrets", text);
        let ExprKind::Not(inner) = &expr.kind else { panic!("{text}: {expr:?}") };
        assert!(!matches!(inner.kind, ExprKind::Not(_)), "{text}");
        assert!(!matches!(inner.kind, ExprKind::Compare { op: CompareOp::Ne, .. }), "{text}");
    }
    assert!(matches!(condition("get of secrets", "dry_run").kind, ExprKind::IsTrue(_)));
    assert!(matches!(condition("get of secrets", "dry_run == true").kind, ExprKind::Compare { .. }));
}

#[test]
fn lets_are_put_in_and_their_places_go_on() {
    let text = "let spec = desired.spec let many = spec.replicas > 3 and dry_run
        rule r \"R\" { severity low on create of deployments where many or verb == \"get\" alert \"{spec.replicas}\" }";
    let rule = rule(text);
    let ExprKind::Or(parts) = &rule.steps[0].condition.as_ref().unwrap().kind else { panic!() };
    let ExprKind::And(inner) = &parts[0].kind else { panic!() };
    let place = read(left(&inner[0]));
    assert_eq!(place.text, "desired.spec.replicas");
    assert_eq!(place.root, Root::Derived(Derived::Desired));
    assert_eq!(left(&inner[0]).ty, Type::Number);
    let Piece::Value(value) = &rule.alert[0] else { panic!() };
    assert_eq!(read(value).segments.len(), 2);
}

#[test]
fn reads_say_their_type_and_kinds_of_response() {
    let kinds = |on: &str, text: &str| match read(left(&condition(on, text))).root {
        Root::ResponseObject(BodyKinds { object, list, status }) => (object, list, status),
        other => panic!("{other:?}"),
    };
    assert_eq!(kinds("get of pods", "responseObject.spec.nodeName == \"a\""), (true, false, false));
    assert_eq!(kinds("get, list of pods", "responseObject.metadata.name == \"a\""), (true, false, false));
    assert_eq!(kinds("list of pods", "responseObject.items[0].spec.nodeName == \"a\""), (false, true, false));
    assert_eq!(kinds("get, list of pods", "responseObject.kind == \"Status\""), (true, true, true));
    assert_eq!(kinds("create of pods", "responseObject.reason == \"Forbidden\""), (false, false, true));
    let time = condition(
        "create of pods",
        "responseObject.metadata.creationTimestamp > time(\"2026-01-01T00:00:00Z\")",
    );
    assert_eq!(left(&time).ty, Type::Time);
    let event = condition("get of pods", "annotations[\"a/b.c\"] == user.extra[\"k\"][0]");
    assert!(
        matches!(&read(left(&event)).segments[..], [Segment::Key(a), Segment::Key(b)] if a == "annotations" && b == "a/b.c")
    );
    assert_eq!(read(left(&event)).text, "annotations[\"a/b.c\"]");
    let custom = condition("create of issuers.cert-manager.io", "desired.spec.anything[0].at.all == 5");
    assert_eq!(left(&custom).ty, Type::Any);
    let patch = condition("patch of deployments", "any p in requestObject: (p.path == \"/x\")");
    assert!(matches!(patch.kind, ExprKind::Quantified { all: false, .. }));
}

#[test]
fn constants_are_folded_and_lists_are_put_in() {
    let text = "list a = [\"x\", b] list b = [\"y\", \"z\"] cidr list net = [\"10.1.2.3/8\", \"::ffff:192.168.1.1/120\", \"2001:db8::1/32\"]
        rule r \"R\" { severity low on get of secrets where user.username in [a, \"w\"] and source_ip in net and responseStatus.code > quantity(\"1Ki\") + 2 * 3 alert \"x\" }";
    let rule = rule(text);
    let ExprKind::And(parts) = &rule.steps[0].condition.as_ref().unwrap().kind else { panic!() };
    let ExprKind::In { set: Set::Literals(values), .. } = &parts[0].kind else { panic!() };
    let texts: Vec<_> = ["x", "y", "z", "w"].map(|text| Literal::Text(text.to_owned())).into();
    assert_eq!(*values, texts);
    let ExprKind::In { set: Set::Networks(networks), .. } = &parts[1].kind else { panic!() };
    let shown: Vec<_> = networks.iter().map(|net| format!("{}/{}", net.address, net.bits)).collect();
    assert_eq!(shown, ["10.0.0.0/8", "192.168.1.0/24", "2001:db8::/32"]);
    let ExprKind::Compare { right, .. } = &parts[2].kind else { panic!() };
    assert!(matches!(right.kind, ExprKind::Literal(Literal::Number(1030.0))));
}

#[test]
fn selectors_are_spelled_out() {
    let rule = rule(
        "rule r \"R\" { severity low on any but watch, read of deployments, nonresource \"/api*\" at any including dry_run alert \"x\" }",
    );
    let on = rule.steps[0].on.events().unwrap();
    assert_eq!(on.verbs, Verbs::AllBut(["watch", "get", "list"].map(str::to_owned).into()));
    assert_eq!(on.stage, StagePick::Any);
    assert!(on.including_dry_run);
    let Targets::Only(targets) = &on.targets else { panic!() };
    let Target::Resource(deployments) = &targets[0] else { panic!() };
    assert_eq!(
        deployments.groups,
        crate::ir::Groups::OneOf(["apps", "extensions"].map(str::to_owned).into())
    );
    assert_eq!(targets[1], Target::NonResource { path: "/api".to_owned(), prefix: true });
}

#[test]
fn bounds_say_what_is_enough() {
    let enough = |when: &str| {
        let rule = rule(&format!(
            "rule r \"R\" {{ severity low on get of secrets when {when} within 5m alert \"{{count()}}\" }}"
        ));
        let Shape::Sliding { within: 300_000_000_000, .. } = rule.shape else { panic!() };
        assert_eq!(rule.throttle, 300_000_000_000);
        rule.aggregates.iter().map(|one| (one.text.clone(), one.enough)).collect::<Vec<_>>()
    };
    let one = |text: &str, enough| (text.to_owned(), enough);
    assert_eq!(enough("count() >= 3"), [one("count()", Some(3))]);
    assert_eq!(enough("count() > 3"), [one("count()", Some(4))]);
    assert_eq!(enough("3.5 <= count() or 7 < count()"), [one("count()", Some(8))]);
    assert_eq!(enough("not count() < 3"), [one("count()", None)]);
    assert_eq!(enough("count() >= 3 and count() < 9"), [one("count()", None)]);
    assert_eq!(
        enough("distinct(verb) >= 2 and count() * 2 >= 3"),
        [one("distinct(verb)", Some(2)), one("count()", None)]
    );
    assert_eq!(
        enough("count(where decision == 'forbid') >= 2"),
        [one("count(where decision == \"forbid\")", Some(2)), one("count()", None)]
    );
}

#[test]
fn an_aggregate_in_other_quotes_is_the_same() {
    let rule = rule(
        "rule r \"R\" { severity low on get of secrets when count(where (decision == \"forbid\")) >= 2 within 5m alert \"{count(where decision == 'forbid')}\" }",
    );
    assert_eq!(rule.aggregates.len(), 1);
}

#[test]
fn sequences_carry_keys_conditions_and_elements() {
    let text = "rule r \"R\" { severity low
        by user.username, who = credential.id
        where responseStatus.code < 300
        except dry_run
        sequence within 10m {
            a: on create of serviceaccounts/token by who = annotations[\"x\"]
            b: on any of any where any g in user.groups: (g == a.user.username) and who == \"z\"
        }
        throttle 1h
        alert \"{who} {g} {a.verb} {verb}\" }";
    let rule = rule(text);
    assert!(matches!(rule.shape, Shape::Sequence { ordered: true, within: 600_000_000_000 }));
    assert_eq!(rule.throttle, 3_600_000_000_000);
    let names: Vec<_> = rule
        .steps
        .iter()
        .map(|step| step.key.iter().map(|part| part.name.as_str()).collect::<Vec<_>>())
        .collect();
    assert_eq!(names, [["user.username", "who"], ["user.username", "who"]]);
    assert_eq!(read(&rule.steps[0].key[1].value).text, "annotations[\"x\"]");
    assert_eq!(read(&rule.steps[1].key[1].value).text, "credential.id");
    assert_eq!(rule.steps[0].excepts.len(), 1);
    let ExprKind::And(parts) = &rule.steps[1].condition.as_ref().unwrap().kind else { panic!() };
    assert_eq!(parts.len(), 3, "the rule's and the step's, flat");
    assert_eq!(read(left(&parts[2])).text, "credential.id", "a key's name is what it is computed from");
    assert_eq!(rule.steps[1].lent.len(), 1);
    let values: Vec<_> = rule
        .alert
        .iter()
        .filter_map(|piece| match piece {
            Piece::Value(value) => Some(&value.kind),
            Piece::Literal(_) => None,
        })
        .collect();
    assert!(matches!(values[0], ExprKind::Key(1)));
    assert!(matches!(values[1], ExprKind::Read(place) if matches!(place.root, Root::Element(_))));
    assert!(matches!(values[2], ExprKind::Read(place) if place.step == Some(0)));
    assert!(matches!(values[3], ExprKind::Read(place) if place.step.is_none()));
}

#[test]
fn zones_are_always_there_and_texts_are_read_as_times() {
    let expr = condition("get of secrets", "weekday(annotations[\"t\"]) == \"mon\"");
    let ExprKind::Call(_, arguments) = &left(&expr).kind else { panic!() };
    assert_eq!(arguments.len(), 2);
    assert_eq!(arguments[0].ty, Type::Time);
    let part = condition("get of secrets", "split(user.username, \":\")[2] == \"x\"");
    assert!(
        matches!(&left(&part).kind, ExprKind::Part(_, segments) if matches!(segments[..], [Segment::Index(2)]))
    );
}

#[test]
fn tests_become_lines_of_json_and_probes() {
    let text = "rule r \"R\" { severity low on delete of deployments by user.username when count() >= 2 within 5m alert \"x\" }
        test r \"two\" {
            given { verb: \"delete\", objectRef: { resource: \"deployments\", namespace: \"shop\" }, responseStatus.code: 200, annotations[\"a/b\"]: \"c\" }
            at 1s 2 times every 2s { objectRef.name: \"d{n}\", level: null }
            at 10s as one { stage: \"ResponseStarted\" }
            at 11s as one { objectRef.apiGroup: null, responseStatus: { code: 404 } }
            until 1m
            expect alert at 3s { user.username: null, count(): 2, objectRef.name: \"d2\" }
            expect 3 alerts
        }";
    let set = set(text);
    let test = &set.tests[0];
    let start = 1_767_571_200_000_000_000;
    let second = 1_000_000_000;
    assert_eq!(test.start, start);
    assert_eq!(test.until, Some(start + 60 * second));
    let times: Vec<_> = test.events().map(|(at, _)| (at - start) / second).collect();
    assert_eq!(times, [1, 3, 10, 11]);
    let events: Vec<serde_json::Value> =
        test.events().map(|(_, line)| serde_json::from_str(&line).unwrap()).collect();
    let expected = serde_json::json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "verb": "delete",
        "auditID": "00000000-0000-4000-8000-000000000002",
        "requestReceivedTimestamp": "2026-01-05T00:00:03.000000Z", "stageTimestamp": "2026-01-05T00:00:03.000000Z",
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/d2",
        "objectRef": { "apiGroup": "apps", "resource": "deployments", "namespace": "shop", "name": "d2" },
        "responseStatus": { "code": 200 }, "annotations": { "a/b": "c" },
    });
    assert_eq!(events[1], expected);
    assert_eq!(events[2]["auditID"], events[3]["auditID"]);
    assert_eq!(events[3]["requestReceivedTimestamp"], "2026-01-05T00:00:10.000000Z");
    assert_eq!(events[3]["objectRef"].get("apiGroup"), None);
    assert_eq!(events[2]["level"], "RequestResponse");
    let [Expected::Alert { at, probes, .. }, Expected::Count(3, _)] = &test.expected[..] else { panic!() };
    assert_eq!(*at, Some(start + 3 * second));
    let values: Vec<_> = probes.iter().map(|(number, value)| (*number, value.as_str())).collect();
    assert_eq!(values, [(0, "null"), (1, "2"), (2, "\"d2\"")]);
    assert_eq!(set.rules[0].probes.len(), 3);
    assert!(matches!(set.rules[0].probes[1].kind, ExprKind::Aggregate(0)));
}

#[test]
fn a_test_puts_an_event_into_a_cluster_by_a_record_around_it() {
    let text = "rule r \"R\" { severity low on get of pods alert \"x\" }
        test r \"two clusters\" {
            given { verb: \"get\", objectRef.resource: \"pods\", cluster: \"prod-{n}\" }
            at 0s 2 times every 1s {}
            at 2s { cluster: null }
            expect 3 alerts
        }";
    let set = set(text);
    let events: Vec<serde_json::Value> =
        set.tests[0].events().map(|(_, line)| serde_json::from_str(&line).unwrap()).collect();
    assert_eq!(events[1]["cluster_uuid"], "prod-2");
    assert_eq!(events[1]["log"]["verb"], "get");
    assert_eq!(events[1]["log"].get("cluster"), None);
    assert_eq!(events[2]["verb"], "get");
    assert_eq!(events[2].get("log"), None);
}

#[test]
fn a_null_takes_out_and_in_a_body_is_itself_where_nothing_was() {
    let text = "rule r \"R\" { severity low on patch of nodes alert \"x\" }
        test r \"nulls\" {
            given { verb: \"patch\", objectRef.resource: \"nodes\", requestObject: { spec: { podCIDR: \"x\" } } }
            at 0s { userAgent: null, annotations: { a: null }, requestObject: { spec: { taints: null, podCIDR: null } } }
            at 1s { requestObject: [{ op: \"replace\", path: \"/spec/taints\", value: null }] }
            at 2s { requestObject: null, responseObject: null }
            expect no alert
        }";
    let set = set(text);
    let events: Vec<serde_json::Value> =
        set.tests[0].events().map(|(_, line)| serde_json::from_str(&line).unwrap()).collect();
    assert_eq!(events[0].get("userAgent"), None);
    assert_eq!(events[0]["annotations"], serde_json::json!({}));
    assert_eq!(events[0]["requestObject"], serde_json::json!({ "spec": { "taints": null } }));
    assert_eq!(
        events[1]["requestObject"],
        serde_json::json!([{ "op": "replace", "path": "/spec/taints", "value": null }])
    );
    assert_eq!((events[2].get("requestObject"), events[2].get("responseObject")), (None, None));
}
