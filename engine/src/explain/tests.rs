//! Explanations: what they show of an event.

use serde_json::{Value as Js, json};

use super::*;
use crate::eval::tests::{event, plan};
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
