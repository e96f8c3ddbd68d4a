//! Evaluation: what conditions and values are of given events, from rule text on.
//!
//! Tables of a condition, an event and the answer; each row is a sentence of `docs/semantics.md`.

use dsl::source::SourceMap;
use serde_json::{Value as Js, json};

use super::*;
use crate::event::Decoder;
use crate::frame::Kind;
use crate::limits::Limits;
use crate::matches::{SourceInfo, Value};
use crate::plan::{Piece, Plan};

/// The plan of rule texts that have no mistakes.
#[track_caller]
pub(crate) fn plan(text: &str) -> Plan {
    Plan::new(&rules(text), Limits::default())
}

pub(crate) fn rules(text: &str) -> dsl::ir::RuleSet {
    let mut sources = SourceMap::default();
    sources.add("test.rule", text);
    let outcome = dsl::check::compile(&sources);
    let Some(rules) = outcome.rules else { panic!("{text}\n{:#?}", outcome.diagnostics) };
    rules
}

/// An event with `over` laid over what every event has; `null` takes out, `"null"` stands for null.
pub(crate) fn event(over: Js) -> Js {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a",
        "stage": "ResponseComplete", "requestURI": "/x", "verb": "get", "user": {"username": "u"},
        "sourceIPs": ["10.0.0.1", "::ffff:192.0.2.7"], "objectRef": {"resource": "pods", "namespace": "n", "name": "p"},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-01-05T00:00:00.5Z",
        "stageTimestamp": "2026-01-05T00:00:01Z",
    });
    for (key, value) in over.as_object().unwrap() {
        match value {
            Js::Null => {
                event.as_object_mut().unwrap().remove(key);
            }
            value if value == "null" => event[key] = Js::Null,
            value => event[key] = value.clone(),
        }
    }
    event
}

/// What a rule's own conditions are of an event.
pub(crate) fn ask(plan: &Plan, event: &Js) -> Truth {
    let mut decoder = Decoder::default();
    let mut answer = None;
    let source = SourceInfo { name: "s".into(), cluster: None };
    decoder.frame(event.to_string().as_bytes(), Kind::Document, &mut |row| {
        let here = EventCx::new(row.unwrap(), &source);
        let cx = Cx::new(Event::Here(&here), None);
        answer = Some(all(plan.rules[0].steps[0].conditions.iter().map(|c| &c.0), &cx));
    });
    answer.unwrap()
}

fn rule(on: &str, condition: &str, alert: &str) -> String {
    format!(
        "rule r \"t\" {{ severity low on {on} at any including dry_run where {condition} alert \"{alert}\" }}"
    )
}

#[track_caller]
fn truths(on: &str, table: &[(&str, Js, Truth)]) {
    for (condition, over, wanted) in table {
        let plan = plan(&rule(on, condition, "x"));
        assert_eq!(ask(&plan, &event(over.clone())), *wanted, "{condition} of {over}");
    }
}

/// The text that alerts would show of a value.
#[track_caller]
fn shown(on: &str, value: &str, over: Js) -> String {
    let plan = plan(&rule(on, "verb == verb", &format!("{{{}}}", value.replace('"', "'"))));
    let mut decoder = Decoder::default();
    let mut out = String::new();
    let source = SourceInfo { name: "s".into(), cluster: Some("c".into()) };
    decoder.frame(event(over).to_string().as_bytes(), Kind::Document, &mut |row| {
        let here = EventCx::new(row.unwrap(), &source);
        let cx = Cx::new(Event::Here(&here), None);
        let step = &plan.rules[0].steps[0];
        let captures: Vec<Value> = step.captures.iter().map(|c| value_of(&c.0, &cx)).collect();
        let late = LateCx { captures: &[&captures], ..LateCx::default() };
        out = crate::plan::late::render(&plan.rules[0].text(0).unwrap().alert, &late);
    });
    assert!(plan.rules[0].text(0).unwrap().alert.iter().any(|piece| matches!(piece, Piece::Value(_))));
    out
}

fn value_of<'a>(node: &'a Node, cx: &Cx<'_, 'a>) -> Value {
    super::value(node, cx).to_owned()
}

use Truth::{False, True, Unknown};

#[test]
fn absent_and_unknown_differ() {
    let received = || json!({"stage": "RequestReceived", "verb": "create", "objectRef": {"resource": "pods"}, "responseStatus": null});
    truths(
        "any of any",
        &[
            ("objectRef.subresource == userAgent", json!({}), True),
            ("objectRef.subresource == \"x\"", json!({}), False),
            ("objectRef.subresource != \"x\"", json!({}), True),
            ("userAgent startswith \"x\"", json!({}), False),
            ("userAgent not startswith \"x\"", json!({}), True),
            ("present(userAgent)", json!({"userAgent": "null"}), False),
            ("present(userAgent)", json!({"userAgent": ""}), True),
            ("not present(impersonatedUser)", json!({"impersonatedUser": "null"}), True),
            ("responseStatus.code < 300", json!({}), True),
            ("responseStatus.code < 300", json!({"responseStatus": null}), False),
            ("responseStatus.code < 300", json!({"responseStatus": {}}), False),
            ("responseStatus.code < 300", received(), Unknown),
            ("not responseStatus.code < 300", received(), Unknown),
            ("present(responseStatus)", received(), Unknown),
            ("present(annotations[\"x\"])", received(), Unknown),
            ("present(impersonatedUser.username)", received(), Unknown),
            ("decision == \"allow\"", received(), Unknown),
            ("objectRef.name == \"p\"", received(), Unknown),
            ("present(objectRef.namespace)", received(), False),
            ("object.name == \"p\"", received(), Unknown),
            ("objectRef.name == \"p\"", json!({"stage": "RequestReceived"}), True),
            ("responseStatus.code == 200 or verb == \"create\"", received(), True),
            ("responseStatus.code == 200 and verb == \"get\"", received(), False),
        ],
    );
}

#[test]
fn bodies_are_unknown_when_not_carried() {
    let code = |o: Js| json!({"verb": "update", "requestObject": o});
    truths(
        "create, update, patch of pods",
        &[
            ("present(requestObject)", json!({}), Unknown),
            ("present(requestObject)", code(json!("null")), False),
            ("requestObject.metadata.name == \"a\"", json!({}), Unknown),
            ("requestObject.metadata.name == \"a\"", code(json!("null")), False),
            ("requestObject.metadata.name == \"a\"", code(json!({"metadata": {"name": "a"}})), True),
            ("desired.metadata.name == \"a\"", code(json!({"metadata": {}})), False),
            ("desired.metadata.name == \"a\"", code(json!([1])), Unknown),
            ("desired.metadata.name == \"a\"", code(json!("null")), False),
            ("present(desired.metadata.name)", json!({"verb": "get", "requestObject": {}}), Unknown),
            ("not present(desired)", code(json!("null")), True),
            ("present(desired.metadata.managedFields)", code(json!({"metadata": {}})), Unknown),
            (
                "present(desired.metadata.managedFields)",
                code(json!({"metadata": {"managedFields": []}})),
                True,
            ),
            ("present(desired.metadata.managedFields)", code(json!({})), False),
        ],
    );
    let answer = |o: Js| json!({"responseObject": o});
    let object = |kind: &str| answer(json!({"kind": kind, "metadata": {"name": "a"}, "code": 200}));
    truths(
        "get of pods",
        &[
            ("responseObject.metadata.name == \"a\"", object("Pod"), True),
            ("responseObject.metadata.name == \"a\"", answer(json!({"metadata": {"name": "a"}})), True),
            ("responseObject.metadata.name == \"a\"", object("Table"), Unknown),
            ("responseObject.metadata.name == \"a\"", object("Status"), Unknown),
            ("responseObject.metadata.name == \"a\"", object("PartialObjectMetadata"), True),
            ("responseObject.spec.nodeName == \"a\"", object("PartialObjectMetadata"), Unknown),
            ("responseObject.kind == \"Table\"", object("Table"), True),
            ("responseObject.metadata.name == \"a\"", answer(json!("text")), Unknown),
            ("responseObject.metadata.name == \"a\"", answer(json!("null")), False),
            ("responseObject.metadata.name == \"a\"", json!({}), Unknown),
        ],
    );
}

#[test]
fn quantifiers_and_spreads() {
    let groups = |list: Js| json!({"user": {"username": "u", "groups": list}});
    truths(
        "any of any",
        &[
            ("any g in user.groups: (g == \"a\")", groups(json!(["b", "a"])), True),
            ("any g in user.groups: (g == \"a\")", groups(json!([])), False),
            ("any g in user.groups: (g == \"a\")", json!({}), False),
            ("all g in user.groups: (g == \"a\")", groups(json!(["a", "b"])), False),
            ("all g in user.groups: (g == \"a\")", groups(json!([])), True),
            ("all g in user.groups: (g == \"a\")", json!({}), True),
            ("user.groups[] == \"a\"", groups(json!(["b", "a"])), True),
            ("user.groups[] == \"c\"", groups(json!(["b", "a"])), False),
            ("not user.groups[] == \"c\"", groups(json!(["b", "a"])), True),
            ("\"a\" in user.groups", groups(json!(["b", "a"])), True),
            ("\"a\" in user.groups", json!({}), False),
            ("user.groups[] in [\"x\", \"a\"]", groups(json!(["b", "a"])), True),
            ("user.groups[0] == \"b\"", groups(json!(["b", "a"])), True),
            ("user.groups[2] == userAgent", groups(json!(["b", "a"])), True),
            ("len(user.groups) == 2", groups(json!(["b", "a"])), True),
            ("len(user.groups) == 2", groups(json!(["b", null])), True),
            ("len(user.groups[]) == 3", groups(json!(["b", "abc"])), True),
            ("present(user.groups[])", groups(json!([null])), False),
            ("present(user.groups[])", groups(json!([null, ""])), True),
            ("user.groups[] + \"x\" == \"ax\"", groups(json!(["b", "a"])), True),
            ("user.groups[] == sourceIPs[]", groups(json!(["b", "10.0.0.1"])), True),
            (
                "any k in keys(user.extra): (user.extra[k][] == \"1\")",
                json!({"user": {"extra": {"a": [], "b": ["1"]}}}),
                True,
            ),
            (
                "user.extra[user.username][0] == \"1\"",
                json!({"user": {"username": "k", "extra": {"k": ["1"]}}}),
                True,
            ),
        ],
    );
}

fn patch(body: Js) -> Js {
    json!({"verb": "patch", "requestObject": body})
}

#[test]
fn merge_patches_are_open() {
    let c = "any c in containers: (c.securityContext.privileged == true)";
    let spec = |containers: Js| patch(json!({"spec": {"containers": containers}}));
    truths(
        "create, update, patch of pods",
        &[
            (c, spec(json!([{"name": "a", "securityContext": {"privileged": true}}])), True),
            (c, spec(json!([{"name": "a", "securityContext": {"privileged": false}}])), Unknown),
            (c, spec(json!([{"name": "a"}])), Unknown),
            (c, patch(json!({"metadata": {"labels": {"a": "b"}}})), Unknown),
            (
                "not present(desired.metadata.labels[\"app\"])",
                patch(json!({"metadata": {"labels": {"app": null}}})),
                True,
            ),
            (
                "not present(desired.metadata.labels[\"app\"])",
                patch(json!({"metadata": {"labels": {}}})),
                Unknown,
            ),
            ("not present(desired.metadata.labels[\"app\"])", patch(json!({"metadata": null})), True),
            (
                "present(desired.metadata.labels[\"$patch\"])",
                patch(json!({"metadata": {"labels": {"$patch": "x"}}})),
                Unknown,
            ),
            ("len(desired.spec.containers) == 1", spec(json!([{}])), Unknown),
            ("desired.spec.containers[0].name == \"a\"", spec(json!([{"name": "a"}])), Unknown),
            ("desired.spec.containers[].name == \"a\"", spec(json!([{"name": "a"}])), True),
            ("desired.spec.containers[].name == \"b\"", spec(json!([{"name": "a"}])), Unknown),
            // A step into a scalar: absent of an update, unknown of a patch.
            ("present(desired.metadata.labels[\"a\"])", patch(json!({"metadata": "x"})), Unknown),
            (
                "present(desired.metadata.labels[\"a\"])",
                json!({"verb": "update", "requestObject": {"metadata": "x"}}),
                False,
            ),
            ("present(desired)", patch(json!("null")), False),
            ("present(desired.metadata)", patch(json!("text")), Unknown),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of patches")]
fn json_patches_are_laid_over_the_unknown() {
    let op = |op: &str, path: &str, value: Js| json!({"op": op, "path": path, "value": value});
    let name = "desired.metadata.name == \"a\"";
    let label = "desired.metadata.labels[\"k/x\"] == \"v\"";
    let first = "any c in desired.spec.containers: (c.name == \"a\" and c.image == \"i\")";
    let tags = "desired.spec.containers[].name == \"a\"";
    truths(
        "create, update, patch of pods",
        &[
            (name, patch(json!([])), Unknown),
            (name, patch(json!([op("add", "/metadata/name", json!("a"))])), True),
            (name, patch(json!([op("replace", "/metadata/name", json!("b"))])), False),
            (name, patch(json!([op("test", "/metadata/name", json!("a"))])), Unknown),
            (name, patch(json!([op("add", "metadata/name", json!("a"))])), Unknown),
            (name, patch(json!([op("add", "", json!({"metadata": {"name": "a"}}))])), True),
            (name, patch(json!([op("add", "/metadata", json!({}))])), False),
            (name, patch(json!([op("remove", "/metadata/name", json!(0))])), False),
            (name, patch(json!([op("remove", "", json!(0))])), False),
            (name, patch(json!([{"op": 1}, "x", op("add", "/metadata/name", json!("a"))])), True),
            (
                "not present(desired.metadata.name)",
                patch(json!([op("remove", "/metadata/name", json!(0))])),
                True,
            ),
            // Escapes, and a missing map in a closed one: no effect.
            (label, patch(json!([op("add", "/metadata/labels/k~1x", json!("v"))])), True),
            (
                label,
                patch(json!([
                    op("add", "/metadata", json!({})),
                    op("add", "/metadata/labels/k~1x", json!("v"))
                ])),
                False,
            ),
            // Two operations on one element meet in it.
            (
                first,
                patch(json!([
                    op("add", "/spec/containers/0/name", json!("a")),
                    op("add", "/spec/containers/0/image", json!("i"))
                ])),
                True,
            ),
            (
                first,
                patch(json!([
                    op("add", "/spec/containers/0/name", json!("a")),
                    op("add", "/spec/containers/1/image", json!("i"))
                ])),
                Unknown,
            ),
            (
                first,
                patch(json!([op("add", "/spec/containers/-", json!({"name": "a", "image": "i"}))])),
                True,
            ),
            (
                first,
                patch(json!([op("add", "/spec/containers", json!([{"name": "a", "image": "i"}]))])),
                True,
            ),
            (first, patch(json!([op("add", "/spec/containers", json!([{"name": "b"}]))])), False),
            (
                first,
                patch(json!([
                    op("add", "/spec/containers", json!([{"name": "b"}])),
                    op("add", "/spec/containers/0/image", json!("i"))
                ])),
                Unknown,
            ),
            // An element put in front moves those behind it.
            (
                first,
                patch(json!([
                    op("add", "/spec/containers/0/name", json!("a")),
                    op("add", "/spec/containers/0", json!({})),
                    op("add", "/spec/containers/1/image", json!("i"))
                ])),
                True,
            ),
            (
                first,
                patch(json!([
                    op("add", "/spec/containers/1/name", json!("a")),
                    op("remove", "/spec/containers/0", json!(0)),
                    op("add", "/spec/containers/0/image", json!("i"))
                ])),
                True,
            ),
            (
                tags,
                patch(json!([
                    op("add", "/spec/containers/0/name", json!("a")),
                    op("remove", "/spec/containers/0", json!(0))
                ])),
                Unknown,
            ),
            (tags, patch(json!([op("replace", "/spec/containers/-", json!({"name": "a"}))])), Unknown),
            // No number: the unknown became a map, and what is no list has no elements.
            (tags, patch(json!([op("add", "/spec/containers/00", json!({"name": "a"}))])), False),
            // Moved and copied.
            (
                name,
                patch(
                    json!([op("add", "/metadata/labels/x", json!("a")), {"op": "copy", "from": "/metadata/labels/x", "path": "/metadata/name"}]),
                ),
                True,
            ),
            (
                name,
                patch(json!([{"op": "copy", "from": "/metadata/labels/x", "path": "/metadata/name"}])),
                Unknown,
            ),
            (
                "present(desired.metadata.labels[\"x\"])",
                patch(
                    json!([op("add", "/metadata/labels/x", json!("a")), {"op": "move", "from": "/metadata/labels/x", "path": "/metadata/name"}]),
                ),
                False,
            ),
            (
                "desired.metadata.labels[\"x\"] == \"a\"",
                patch(
                    json!([op("add", "/metadata/labels/x", json!("a")), {"op": "copy", "from": "/metadata/labels/x", "path": "/metadata/name"}]),
                ),
                True,
            ),
        ],
    );
}

/// What a condition is of a JSON patch of a pod.
#[track_caller]
fn named(condition: &str, body: Vec<Js>) -> Truth {
    ask(&plan(&rule("patch of any", condition, "x")), &event(patch(json!(body))))
}

fn deep(tokens: usize) -> String {
    "/x".repeat(tokens)
}

#[test]
fn no_operation_of_a_patch_hides_the_others() {
    let name = "desired.metadata.name == \"a\"";
    let set = json!({"op": "add", "path": "/metadata/name", "value": "a"});
    let spare = json!({"op": "add", "path": "/spare", "value": {"name": "a", "more": {"k": null}}});
    for tokens in [63, 64, 65, 66, 5_000] {
        let deep = deep(tokens);
        for operation in [
            json!({"op": "test", "path": deep, "value": 1}),
            json!({"op": "add", "path": deep, "value": 1}),
            json!({"op": "replace", "path": format!("/metadata{deep}"), "value": 1}),
            json!({"op": "remove", "path": deep}),
            json!({"op": "copy", "from": "", "path": deep}),
            json!({"op": "move", "from": "/status", "path": deep}),
            json!({"op": "move", "from": deep, "path": "/status"}),
        ] {
            assert_eq!(named(name, vec![set.clone(), operation.clone()]), True, "{operation}");
            assert_eq!(named(name, vec![operation.clone(), set.clone()]), True, "{operation}");
        }
        // There and back: what is moved stays what it was, however deep that was in between.
        let there = format!("{deep}/name");
        let back = vec![
            json!({"op": "move", "from": "/spare", "path": deep}),
            json!({"op": "add", "path": format!("{deep}/more/l/m"), "value": 1}),
            json!({"op": "copy", "from": there, "path": "/metadata/name"}),
            json!({"op": "move", "from": deep, "path": "/metadata/labels"}),
        ];
        let all = [vec![spare.clone()], back].concat();
        assert_eq!(named(name, all.clone()), True);
        assert_eq!(named("desired.metadata.labels[\"name\"] == \"a\"", all), True);
    }
}

#[test]
fn what_a_patch_opens_is_known_so_deep() {
    let place = |tokens: usize| format!("desired.metadata.labels{}", "[\"x\"]".repeat(tokens));
    let add = |tokens: usize| vec![op_at(&format!("/metadata/labels{}", deep(tokens)), json!(["a", "b"]))];
    // Two tokens and 62 more lead to the value.
    assert_eq!(named(&format!("\"b\" in {}", place(62)), add(62)), True);
    assert_eq!(named(&format!("\"b\" in {}", place(63)), add(63)), Unknown);
    assert_eq!(named(&format!("present({})", place(61)), add(63)), True);
    assert_eq!(named(&format!("present({})", place(62)), add(63)), Unknown);
    // What the patch gives whole is known whole.
    let whole = (0..100).fold(json!("a"), |inner, _| json!({"x": inner}));
    assert_eq!(named(&format!("{} == \"a\"", place(100)), vec![op_at("/metadata/labels", whole)]), True);
}

fn op_at(path: &str, value: Js) -> Js {
    json!({"op": "add", "path": path, "value": value})
}

#[test]
fn copies_of_a_patch_are_bounded() {
    let (name, first) = ("desired.metadata.name == \"a\"", "desired.metadata.labels[\"l\"][\"a\"] == \"x\"");
    let set = op_at("/metadata/name", json!("a"));
    let mut doubling = vec![set.clone(), op_at("/metadata/labels", json!({"l": {"a": "x"}}))];
    for _ in 0..60 {
        doubling.push(json!({"op": "copy", "from": "", "path": "/metadata/labels/b"}));
        doubling.push(json!({"op": "copy", "from": "", "path": "/spec"}));
    }
    assert_eq!(named(name, doubling.clone()), True);
    assert_eq!(named(first, doubling.clone()), True);
    assert_eq!(named("present(desired.spec)", doubling.clone()), Unknown);
    // No more is copied then.
    doubling.push(json!({"op": "copy", "from": "/metadata/name", "path": "/metadata/namespace"}));
    assert_eq!(named("present(desired.metadata.namespace)", doubling), Unknown);
    // A whole list counts with all that is in it.
    let many = |times: usize| -> Vec<Js> {
        let copies = (0..times).map(|n| json!({"op": "copy", "from": "/l", "path": format!("/copies/{n}")}));
        let last = json!({"op": "copy", "from": "/metadata/name", "path": "/metadata/namespace"});
        let first = [set.clone(), op_at("/l", json!(vec![0; 99_999]))];
        first.into_iter().chain(copies).chain([last]).collect()
    };
    assert_eq!(named("desired.metadata.namespace == \"a\"", many(15)), True);
    assert_eq!(named("desired.metadata.namespace == \"a\"", many(16)), Unknown);
}

#[test]
fn keys_that_a_patch_removed_come_along_with_copies() {
    let removed = |copies: usize| -> Vec<Js> {
        let remove = (0..1_000).map(|n| json!({"op": "remove", "path": format!("/spare/{n}")}));
        let copies =
            (0..copies).map(|n| json!({"op": "copy", "from": "/spare", "path": format!("/copies/{n}")}));
        let last = json!({"op": "copy", "from": "/spare", "path": "/metadata/labels"});
        let first = op_at("/spare/name", json!("a"));
        [first].into_iter().chain(remove).chain(copies).chain([last]).collect()
    };
    let label = |key: &str| format!("present(desired.metadata.labels[\"{key}\"])");
    assert_eq!(named(&label("7"), removed(99)), False);
    assert_eq!(named(&label("7"), removed(100)), Unknown);
    assert_eq!(named(&label("name"), removed(100)), True);
}

#[test]
fn a_patch_of_more_operations_than_the_server_takes_is_unknown() {
    let set = op_at("/metadata/name", json!("a"));
    let front = (0..9_999).map(|n| op_at("/spec/containers/0", json!(n)));
    let mut many: Vec<Js> = front.chain([set.clone()]).collect();
    assert_eq!(named("desired.metadata.name == \"a\"", many.clone()), True);
    many.push(set);
    assert_eq!(named("desired.metadata.name == \"a\"", many), Unknown);
}

#[test]
fn workloads_have_their_pod_spec() {
    let spec = json!({"initContainers": [{"name": "i"}], "containers": [{"name": "c"}]});
    let condition = "containers[].name == \"i\" and containers[1].name == \"i\"";
    let with = |resource: &str, sub: Option<&str>, body: Js| {
        let mut reference = json!({"resource": resource});
        if let Some(sub) = sub {
            reference["subresource"] = sub.into();
        }
        json!({"verb": "create", "objectRef": reference, "requestObject": body})
    };
    truths(
        "any of workloads",
        &[
            (condition, with("pods", None, json!({"spec": spec})), True),
            (condition, with("pods", Some("ephemeralcontainers"), json!({"spec": spec})), True),
            (condition, with("pods", Some("status"), json!({"spec": spec})), Unknown),
            (condition, with("podtemplates", None, json!({"template": {"spec": spec}})), True),
            (condition, with("deployments", None, json!({"spec": {"template": {"spec": spec}}})), True),
            (
                condition,
                with("deployments", Some("scale"), json!({"spec": {"template": {"spec": spec}}})),
                Unknown,
            ),
            (
                condition,
                with(
                    "cronjobs",
                    None,
                    json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}),
                ),
                True,
            ),
            (condition, with("pods", None, json!({})), False),
            ("present(containers)", with("pods", None, json!({})), False),
            ("len(containers) == 0", with("pods", None, json!({"spec": {"containers": "x"}})), True),
        ],
    );
}

#[test]
fn texts_sets_and_clocks() {
    let agent = |text: &str| json!({"userAgent": text});
    truths(
        "any of any",
        &[
            ("userAgent like \"a*c?\"", agent("abbc\n"), True),
            ("userAgent like \"a*c?\"", agent("xabbcd"), False),
            ("userAgent like \"*\"", agent(""), True),
            ("userAgent like 'a\\*b'", agent("a*b"), True),
            ("userAgent like 'a\\*b'", agent("axb"), False),
            ("userAgent like \"a*b*c*d\"", agent("a-b-b-c-d-d"), True),
            ("userAgent like \"*aab*ab\"", agent("aaabab"), True),
            ("userAgent like \"aa*aa\"", agent("aaa"), False),
            ("userAgent like (\"K\" + \"*\") ignoring case", agent("\u{212a}x"), True),
            ("userAgent == \"STRASSE\" ignoring case", agent("stra\u{17f}se"), True),
            ("userAgent == \"strasse\" ignoring case", agent("straße"), False),
            ("userAgent in [\"ÉA\", \"x\"] ignoring case", agent("éa"), True),
            ("userAgent contains \"ÉA\" ignoring case", agent("xéay"), True),
            ("userAgent matches '^a+$'", agent("aaa"), True),
            ("userAgent matches 'A' ignoring case", agent("xa"), True),
            ("userAgent matches 'A'", json!({}), False),
            ("source_ip in cidr(\"10.0.0.0/8\")", json!({}), True),
            ("source_ip in cidr(\"10.0.0.2/31\")", json!({}), False),
            ("source_ip in cidr(\"0.0.0.0/0\")", json!({}), True),
            ("peer_ip in cidr(\"192.0.2.0/24\")", json!({}), True),
            ("peer_ip in cidr(\"::/0\")", json!({}), False),
            ("source_ip in cidr(\"fe80::/10\")", json!({"sourceIPs": ["fe80::1"]}), True),
            ("source_ip in cidr(\"fe80::/10\")", json!({"sourceIPs": ["fe80::1%eth0"]}), False),
            ("source_ip not in cidr(\"10.0.0.0/8\")", json!({"sourceIPs": null}), True),
            ("public_ip(peer_ip)", json!({}), True),
            ("public_ip(source_ip)", json!({}), False),
            ("present(public_ip(userAgent))", agent("x"), False),
            ("time_of_day(stageTimestamp) in 00:00..01:00", json!({}), True),
            ("time_of_day(stageTimestamp, \"Asia/Shanghai\") in 07:00..08:00", json!({}), False),
            ("time_of_day(stageTimestamp, \"Asia/Shanghai\") in 08:00..07:00", json!({}), True),
            ("time_of_day(stageTimestamp, \"Asia/Shanghai\") in 22:00..08:00", json!({}), False),
            ("weekday(stageTimestamp, \"America/New_York\") == \"sun\"", json!({}), True),
            ("stageTimestamp - requestReceivedTimestamp == 500ms", json!({}), True),
            ("stageTimestamp - 1s < requestReceivedTimestamp", json!({}), True),
            ("1m / 7 * 7 > 59s", json!({}), True),
            ("present(1 / len(userAgent))", agent(""), False),
        ],
    );
}

#[test]
fn functions() {
    let cases = [
        ("image_registry(userAgent)", "nginx", "docker.io"),
        ("image_repository(userAgent)", "nginx:1", "docker.io/library/nginx"),
        ("image_repository(userAgent)", "index.docker.io/a/b", "docker.io/a/b"),
        ("image_repository(userAgent)", "localhost:5000/x/y:1@sha256:ab", "localhost:5000/x/y"),
        ("image_tag(userAgent)", "localhost:5000/x/y", "-"),
        ("image_tag(userAgent)", "a/b:1.2@sha256:ab", "1.2"),
        ("image_digest(userAgent)", "a/b:1.2@sha256:ab", "sha256:ab"),
        ("image_registry(userAgent)", "a b", "-"),
        ("clean_path(userAgent)", "//a/./b/../c/", "/a/c"),
        ("clean_path(userAgent)", "../a/..", ".."),
        ("clean_path(userAgent)", "/..", "/"),
        ("clean_path(userAgent)", "", "."),
        ("quantity(userAgent)", "2Gi", "2147483648"),
        ("quantity(userAgent)", "100m", "0.1"),
        ("quantity(userAgent)", "1e3", "1000"),
        ("quantity(userAgent)", "1.5E", "1500000000000000000"),
        ("quantity(userAgent)", "+5.", "5"),
        ("quantity(userAgent)", "-.5k", "-500"),
        ("quantity(userAgent)", ".", "-"),
        ("quantity(userAgent)", "1.2.3", "-"),
        ("quantity(userAgent)", "1e", "-"),
        ("quantity(userAgent)", "1e999", "-"),
        ("quantity(userAgent)", "1X", "-"),
        ("number(userAgent)", "-1.50e1", "-15"),
        ("number(userAgent)", "1.", "-"),
        ("number(userAgent)", " 1", "-"),
        ("number(userAgent)", "inf", "-"),
        ("base64(userAgent)", "w6k=", "é"),
        ("base64(userAgent)", "w6k", "é"),
        ("base64(userAgent)", "w6l=", "-"),
        ("base64(userAgent)", "/w==", "-"),
        ("url_decode(userAgent)", "a+b%20c%zz%C3%A9", "a b c%zzé"),
        ("url_decode(userAgent)", "%ff", "-"),
        ("lower(userAgent)", "ÀΣ", "àς"),
        ("split(userAgent, \",\")[1]", "a,b,c", "b"),
        ("split(userAgent, \",\")", "a,b,", "a, b, "),
        ("parse_json(userAgent).a[]", "{\"a\":[1,null,\"x\",{\"b\":[true]}]}", "1, -, x, {\"b\":[true]}"),
        ("parse_json(userAgent)", "nope", "-"),
        ("time(userAgent)", "2026-01-05T01:00:00.120+01:00", "2026-01-05T00:00:00.120Z"),
        ("time(userAgent)", "2026-01-05t01:00:00Z", "-"),
        ("time_of_day(time(userAgent))", "2026-01-05T01:05:00Z", "01:05"),
        ("client.program", "kubectl/v1.2 (x)", "kubectl"),
        ("client.version", "kubectl/v1.2 (x)", "v1.2"),
        ("client.version", "kubectl v1.2", "-"),
        ("userAgent", "a\n\u{7f}\u{2028}", "a\\n\\u007f\\u2028"),
        ("len(userAgent)", "é1", "2"),
    ];
    for (value, agent, wanted) in cases {
        assert_eq!(shown("any of any", value, json!({"userAgent": agent})), wanted, "{value} of {agent:?}");
    }
    let long = "x".repeat(300);
    assert_eq!(shown("any of any", "userAgent", json!({"userAgent": long})), format!("{}…", "x".repeat(256)));
    assert_eq!(shown("any of any", "userAgent", json!({"userAgent": "é".repeat(256)})), "é".repeat(256));
}

#[test]
fn derived_fields() {
    let uri = |uri: &str| json!({"requestURI": uri});
    for (value, over, wanted) in [
        ("exec_command", uri("/x?command=sh&command=-c&command=a%20%2Bb+c&container=c1"), "sh -c a +b c"),
        ("exec_args", uri("/x?comm%61nd=a&x=1&command"), "a, "),
        ("exec_args", uri("/x"), "-"),
        ("exec_args", uri("/x?command=%ff#&command=y"), "\u{fffd}"),
        ("exec_container", uri("/x?container=c1&container=c2"), "c1"),
        ("source_ip", json!({}), "10.0.0.1"),
        ("peer_ip", json!({"sourceIPs": []}), "-"),
        ("dry_run", uri("/x?dryRun=All"), "true"),
        ("dry_run", uri("/x?dryRun=None"), "false"),
        ("dry_run", json!({"verb": "delete"}), "?"),
        ("dry_run", json!({"verb": "delete", "requestObject": "null"}), "false"),
        ("dry_run", json!({"verb": "delete", "requestObject": {"dryRun": ["All"]}}), "true"),
        ("dry_run", json!({"verb": "create", "requestObject": {"dryRun": ["All"]}}), "false"),
        ("object.name", json!({"objectRef": {}, "responseObject": {"metadata": {"name": "r"}}}), "r"),
        (
            "object.name",
            json!({"objectRef": {}, "responseObject": {"kind": "PodList", "metadata": {"name": "r"}}}),
            "-",
        ),
        (
            "object.name",
            json!({"verb": "create", "objectRef": {}, "requestObject": {"metadata": {"name": "d"}}}),
            "d",
        ),
        ("object.name", json!({"verb": "create", "objectRef": {}}), "?"),
        (
            "credential.id",
            json!({"user": {"extra": {"authentication.kubernetes.io/credential-id": ["JTI=1"]}}}),
            "JTI=1",
        ),
        ("cluster", json!({}), "c"),
        ("source", json!({}), "s"),
        (
            "stageTimestamp",
            json!({"stageTimestamp": "2026-01-05T00:00:01.000100Z"}),
            "2026-01-05T00:00:01.000100Z",
        ),
        ("stageTimestamp - requestReceivedTimestamp", json!({}), "0.5s"),
        ("1m", json!({}), "1m0s"),
        ("user.groups", json!({"user": {"groups": ["a", "b"]}}), "a, b"),
        ("user", json!({"user": {"uid": "1", "groups": ["\"a"]}}), "{\"groups\":[\"\\\"a\"],\"uid\":\"1\"}"),
    ] {
        assert_eq!(shown("any of any", value, over.clone()), wanted, "{value} of {over}");
    }
}

#[test]
fn a_lent_element_is_the_first_that_met_the_condition() {
    let text = "rule r \"t\" { severity low on create of pods at any
        where any c in containers: (c.name startswith \"b\") alert \"{c.name} {c.image}\" }";
    let plan = plan(text);
    let over = json!({"verb": "create", "requestObject": {"spec": {"containers":
        [{"name": "a"}, {"name": "b1", "image": "i"}, {"name": "b2"}]}}});
    let found = crate::matching::tests::matches(&plan, &[event(over)]).found;
    let late = LateCx { captures: &[&found[0].captures], ..LateCx::default() };
    assert_eq!(crate::plan::late::render(&plan.rules[0].text(0).unwrap().alert, &late), "b1 i");
}

#[test]
fn a_signing_request_has_its_subject() {
    // openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=system:masters/O=two/CN=eve"
    let pem = include_str!("csr.pem");
    let request = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem);
    let over = |request: &str| {
        json!({"verb": "create", "objectRef": {"resource": "certificatesigningrequests"},
            "requestObject": {"spec": {"request": request}}})
    };
    let on = "create of certificatesigningrequests";
    assert_eq!(shown(on, "csr_common_name", over(&request)), "eve");
    assert_eq!(shown(on, "csr_organizations", over(&request)), "system:masters, two");
    assert_eq!(shown(on, "csr_common_name", over("bm9uZQ==")), "-");
    assert_eq!(shown(on, "csr_common_name", json!({"verb": "create"})), "?");
}

#[test]
fn two_long_lists_make_no_more_pairs_than_fit_and_the_rest_is_unknown() {
    let long = |n: usize| Val::Spread((0..n).map(|i| Val::Number(i as f64)).collect(), false);
    let sum = |a: usize, b: usize| {
        functions::pairs(long(a), long(b), &|a, b| functions::arith(dsl::ir::ArithOp::Add, a, b))
    };
    let Val::Spread(items, open) = sum(1_000, 1_000) else { panic!() };
    assert_eq!((items.len(), open), (crate::limits::PAIRS_MAX, false));
    let Val::Spread(items, open) = sum(2, 600_000) else { panic!() };
    assert_eq!((items.len(), open), (crate::limits::PAIRS_MAX, true));
}
