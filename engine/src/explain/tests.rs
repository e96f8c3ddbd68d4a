//! Explanations: what they show of an event.

use serde_json::{Value as Js, json};

use super::*;
use crate::eval::tests::{event, plan};
use crate::eval::unknown::Why;
use crate::frame::blocks::Blocks;
use crate::matches::SourceId;

fn explained(plan: &Plan, over: Js) -> Explained {
    let bytes = event(over).to_string();
    let all =
        block(plan, 0, &SourceInfo::default(), &Blocks::whole(SourceId(0), bytes.as_bytes()), Some("a"));
    all.into_iter().next().unwrap()
}

/// The tree as indented text.
fn drawn(node: &Node, depth: usize, out: &mut String) {
    let values: Vec<String> = node
        .values
        .iter()
        .map(|read| {
            format!("{}={}{}", read.text, read.value, read.why.map_or(String::new(), |w| format!(" ({w})")))
        })
        .collect();
    out.push_str(&format!(
        "{}{:?} {} {{{}}}\n",
        "  ".repeat(depth),
        node.truth,
        node.text,
        values.join("; ")
    ));
    node.parts.iter().for_each(|part| drawn(part, depth + 1, out));
}

#[test]
fn a_tree_tells_values_and_why_they_are_unknown() {
    let plan = plan(
        "rule r \"t\" { severity low on create, update of pods at any
            where responseStatus.code < 300 and (not any c in containers: (c.image like \"a*\") or user.username != \"u\")
            except lower(userAgent) in [\"x\", \"y\"] alert \"x\" }",
    );
    let body = json!({"spec": {"containers": [{"image": "b"}, {"image": "ab"}]}});
    let got = explained(&plan, json!({"verb": "create", "requestObject": body, "userAgent": "X"}));
    let step = &got.steps[0];
    let mut out = String::new();
    drawn(step.condition.as_ref().unwrap(), 0, &mut out);
    drawn(&step.excepts[0], 0, &mut out);
    let wanted = "\
False responseStatus.code < 300 and (not any c in containers: (c.image like \"a*\") or user.username != \"u\") {}
  True responseStatus.code < 300 {responseStatus.code=200}
  False not any c in containers: (c.image like \"a*\") or user.username != \"u\" {}
    False not any c in containers: (c.image like \"a*\") {}
      True any c in containers: (c.image like \"a*\") {containers={\"image\":\"b\"}, {\"image\":\"ab\"}}
        False containers[0]: c.image like \"a*\" {c.image=b}
        True containers[1]: c.image like \"a*\" {c.image=ab}
    False user.username != \"u\" {user.username=u}
True lower(userAgent) in [\"x\", \"y\"] {userAgent=X; lower(userAgent)=x}
";
    assert_eq!(out, wanted);
    assert!(!step.matched);
    assert_eq!(step.passed_over, None);

    let got = explained(&plan, json!({"verb": "create", "stage": "RequestReceived", "responseStatus": null}));
    let mut out = String::new();
    drawn(got.steps[0].condition.as_ref().unwrap(), 0, &mut out);
    assert!(out.contains("responseStatus.code=? (it is not known before the response)"), "{out}");
    assert!(out.contains("containers=? (the event does not carry the request's body)"), "{out}");
    assert_eq!(explained(&plan, json!({})).steps[0].passed_over, Some("it is of another verb"));
}

#[test]
fn joins_are_open() {
    let plan = plan(
        "rule r \"t\" { severity low by user.username sequence within 5m {
            one: on get of secrets
            two: on get of pods where verb == \"get\" and objectRef.namespace == one.objectRef.namespace
        } alert \"x\" }",
    );
    let got = explained(&plan, json!({}));
    assert_eq!(got.steps[0].passed_over, Some("it is about another resource or path"));
    assert!(got.steps[1].matched);
    let condition = got.steps[1].condition.as_ref().unwrap();
    assert_eq!(condition.truth, Truth::Unknown);
    assert_eq!(condition.parts[0].truth, Truth::True);
    assert_eq!(condition.parts[1].values[0].why, Some("it reads an earlier step of a sequence"));
    assert_eq!(got.steps[1].key, [("user.username".into(), "u".to_owned())]);
}

/// Every row of the table in `eval/unknown.rs`: what is read, of what kind of event, why it is unknown there; and where it is
/// not.
#[test]
fn what_is_unknown_and_why_is_as_the_table_says() {
    let received = |over: Js| {
        let mut event = json!({"stage": "RequestReceived", "verb": "create", "responseStatus": null});
        over.as_object().unwrap().iter().for_each(|(key, value)| event[key] = value.clone());
        event
    };
    let of = |resource: &str| json!({"resource": resource, "namespace": "n", "name": "p"});
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
    let wrote = |verb: &str, body: Js| json!({"verb": verb, "requestObject": body});
    let add = json!([{"op": "add", "path": "/metadata/name", "value": "a"}]);
    let answered = |body: Js| json!({"responseObject": body});
    let unnamed = json!({"resource": "pods", "namespace": "n"});
    // Whatever took the body away: the level, the server's limit of size, a collector.
    let bare = [
        json!({"verb": "create", "level": "Metadata"}),
        json!({"verb": "create", "annotations": {"audit.k8s.io/truncated": "true"}}),
        json!({"verb": "create"}),
        received(json!({})),
    ];
    let mut rows: Vec<(&str, Js, Why)> = vec![
        ("responseStatus.code", received(json!({})), Why::BeforeResponse),
        ("annotations[\"a\"]", received(json!({})), Why::BeforeResponse),
        ("impersonatedUser.username", received(json!({})), Why::BeforeResponse),
        ("decision", received(json!({})), Why::BeforeResponse),
        ("objectRef.name", received(json!({"objectRef": unnamed})), Why::BeforeResponse),
        ("responseObject.spec", answered(json!("x")), Why::ResponseNoObject),
        ("responseObject.spec", answered(json!({"kind": "Table"})), Why::OtherKind),
        ("responseObject.spec", answered(json!({"kind": "PartialObjectMetadata"})), Why::OtherKind),
        ("responseObject.spec", answered(json!({"kind": "Status"})), Why::OtherKind),
        ("responseObject.metadata.managedFields", answered(json!({"metadata": {}})), Why::LeftOut),
        ("requestObject.metadata.managedFields", wrote("create", json!({"metadata": {}})), Why::LeftOut),
        ("desired.metadata.managedFields", wrote("create", json!({"metadata": {}})), Why::LeftOut),
        ("desired.spec", wrote("get", pod.clone()), Why::NoObjectSent),
        ("containers", wrote("delete", pod.clone()), Why::NoObjectSent),
        ("desired.spec", wrote("create", json!([])), Why::NoObject),
        ("desired.spec", wrote("patch", json!("x")), Why::NoObject),
        ("desired.spec", wrote("patch", json!({"metadata": {}})), Why::Patch),
        ("desired.spec", wrote("patch", add.clone()), Why::Patch),
        ("desired.metadata.name.x", wrote("patch", add.clone()), Why::Patch),
        ("pod_spec", wrote("patch", add.clone()), Why::Patch),
        ("object.name", json!({"verb": "create", "objectRef": unnamed}), Why::Nameless),
        ("dry_run", json!({"verb": "delete"}), Why::DeleteBody),
        ("dry_run", json!({"verb": "deletecollection"}), Why::DeleteBody),
    ];
    for (value, resource) in [("pod_spec", "services"), ("containers", "nodes")] {
        let mut event = wrote("create", pod.clone());
        event["objectRef"] = of(resource);
        rows.push((value, event, Why::NoPods));
    }
    for event in bare {
        for value in ["requestObject.spec", "desired.spec", "pod_spec", "containers", "csr_common_name"] {
            rows.push((value, event.clone(), Why::NoRequestBody));
        }
        rows.push(("responseObject.spec", event.clone(), Why::NoResponseBody));
    }
    for (value, event, why) in &rows {
        assert_eq!(unknown(value, event.clone()), Some(Some(why.text())), "{value} of {event}");
    }
    for why in Why::ALL {
        assert!(rows.iter().any(|(.., of)| *of == why), "{why:?}");
    }

    for (value, event) in [
        ("responseStatus.code", json!({"responseStatus": null})),
        ("responseStatus.code", received(json!({"responseStatus": {"code": 200}}))),
        ("decision", json!({})),
        ("impersonatedUser.username", json!({})),
        ("objectRef.name", json!({"verb": "create", "objectRef": unnamed})),
        ("objectRef.name", received(json!({"verb": "delete", "objectRef": unnamed}))),
        ("userAgent", received(json!({}))),
        ("requestObject.spec", wrote("get", json!("null"))),
        ("responseObject.spec", answered(json!("null"))),
        ("responseObject.spec", answered(json!({"kind": "Pod"}))),
        ("responseObject.metadata.labels", answered(json!({"kind": "PartialObjectMetadata"}))),
        ("desired.spec", wrote("create", json!({}))),
        ("desired.spec", wrote("create", json!("null"))),
        ("desired.metadata.name", wrote("patch", add)),
        ("containers", wrote("update", pod)),
        ("object.name", json!({"verb": "delete", "objectRef": unnamed})),
        ("dry_run", json!({"verb": "delete", "requestObject": {}})),
        ("dry_run", json!({"verb": "delete", "requestURI": "/x?dryRun=All"})),
        ("dry_run", json!({"verb": "create"})),
    ] {
        assert_eq!(unknown(value, event.clone()), None, "{value} of {event}");
    }
}

/// If a value is unknown: why.
#[track_caller]
fn unknown(value: &str, over: Js) -> Option<Option<&'static str>> {
    let text = format!(
        "rule r \"t\" {{ severity low on any of any at any including dry_run where present({value}) alert \"x\" }}"
    );
    let got = explained(&plan(&text), over);
    let condition = got.steps[0].condition.as_ref().unwrap();
    let read = condition.values.iter().find(|read| read.text == value).unwrap();
    assert_eq!(condition.truth == Truth::Unknown, read.value == "?", "{value}");
    (condition.truth == Truth::Unknown).then_some(read.why)
}
