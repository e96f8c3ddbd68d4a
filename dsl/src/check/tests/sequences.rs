//! Sequences in any order, repeated and forbidden steps: what they become, and what is said of mistakes.

use super::lowering::rule;
use super::told;
use crate::ir::{ExprKind, No, Piece, Root, Shape, Type};

const SECOND: i64 = 1_000_000_000;

#[test]
fn steps_repeat_and_forbid() {
    let rule = rule(
        "rule r \"R\" { severity low by user.username where responseStatus.code < 300 except dry_run
        sequence within 10m {
            no before within 1h: on list of secrets
            miss: 5 times on get of secrets
            no listing: on list of secrets where objectRef.namespace == miss.objectRef.namespace
            hit: on create of pods where any c in containers: (c.image == miss.verb)
            no undo within 5m: on delete, deletecollection of pods where any d in user.groups: (d == hit.verb)
        } alert \"{c.image} {hit.verb} {object.name} {desired.spec.nodeName}\" }",
    );
    assert!(matches!(rule.shape, Shape::Sequence { ordered: true, within } if within == 600 * SECOND));
    assert_eq!(rule.throttle, 600 * SECOND);
    let steps: Vec<_> = rule.steps.iter().map(|step| (step.times, step.no)).collect();
    let no = |seconds: Option<i64>| Some(No { within: seconds.map(|of| of * SECOND) });
    assert_eq!(steps, [(1, no(Some(3600))), (5, None), (1, no(None)), (1, None), (1, no(Some(300)))]);
    // The rule's own conditions are those of what comes, and the alert is about the last of it.
    assert!(rule.steps[0].condition.is_none() && rule.steps[0].excepts.is_empty());
    assert!(rule.steps[1].condition.is_some() && rule.steps[1].excepts.len() == 1);
    assert_eq!((rule.steps[3].lent.len(), rule.steps[4].lent.len()), (1, 0));
    assert!(rule.steps.iter().all(|step| step.key.len() == 1));
    let Piece::Value(lent) = &rule.alert[0] else { panic!() };
    assert!(matches!(&lent.kind, ExprKind::Read(place) if matches!(place.root, Root::Element(_))));
    let Piece::Value(node) = &rule.alert[6] else { panic!() };
    assert_eq!(node.ty, Type::Text);
}

#[test]
fn any_order_reads_any_step() {
    let rule = rule(
        "rule r \"R\" { severity low unordered within 5m {
            a: on create of pods where verb == b.verb by who = user.username
            b: on create of deployments where any c in containers: (c.image == a.object.name) by who = responseStatus.code
            no d: on get of secrets where verb == a.verb and verb == b.verb by who = user.username
        } alert \"{a.verb} {b.verb} {desired.spec.anything} {who}\" }",
    );
    assert!(matches!(rule.shape, Shape::Sequence { ordered: false, .. }));
    assert!(rule.steps.iter().all(|step| step.lent.is_empty()));
    let types: Vec<_> = rule
        .alert
        .iter()
        .filter_map(|piece| match piece {
            Piece::Value(value) => Some(value.ty.clone()),
            Piece::Literal(_) => None,
        })
        .collect();
    // What came last may be of either step, so nothing is known of its body and of its key's type.
    assert_eq!(types, [Type::Text, Type::Text, Type::Any, Type::Any]);
}

#[test]
fn bodies_are_typed_where_all_steps_agree() {
    let text = |second: &str| {
        format!(
            "rule r \"R\" {{ severity low by user.username unordered within 5m {{
            a: on create of deployments where dry_run b: on create of {second} where present(user.username) }}
            alert \"{{desired.spec.nodeName}}\" }}"
        )
    };
    assert_eq!(
        told(&text("deployments")),
        [
            "E207 [nodeName] `desired.spec` has no field `nodeName` in the bodies of deployments -- it has `minReadySeconds`, `paused`, `progressDeadlineSeconds`, `replicas`, `revisionHistoryLimit`, `selector`, `strategy`, `template`"
        ]
    );
    assert_eq!(told(&text("pods")), [""; 0]);
}

fn steps(kind: &str, steps: &str, alert: &str) -> Vec<String> {
    told(&format!(
        "rule r \"R\" {{ severity low by user.username {kind} within 5m {{ {steps} }} alert \"{alert}\" }}"
    ))
}

#[test]
fn steps_happen_a_whole_number_of_times() {
    for times in ["0", "1.5", "101"] {
        let told = steps("sequence", &format!("a: {times} times on get of pods b: on get of secrets"), "x");
        let expected = format!(
            "E414 [{times}] a step happens once or several times, at most 100 -- to count more, use `when count() >= .. within ..`"
        );
        assert_eq!(told, [expected]);
    }
    assert_eq!(steps("sequence", "a: 100 times on get of pods b: on get of secrets", "x"), [""; 0]);
}

#[test]
fn something_must_happen() {
    let help = "what did not happen is told of something that did: add a step without `no`, or use `when silent for ..`";
    for kind in ["sequence", "unordered"] {
        assert_eq!(
            steps(kind, "no a within 5m: on get of pods no b: on list of pods", "x"),
            [format!(
                "E415 [a] all of these steps are forbidden, and none is there to forbid them for -- {help}"
            )]
        );
    }
    assert_eq!(
        steps("sequence", "no a: on get of pods b: on get of secrets no c: on get of pods", "x"),
        [
            "E416 [no a] `no a` stands before the first step and does not say for how long -- say how far back to look: `no a within 1h: ..`"
        ]
    );
    assert_eq!(steps("unordered", "no a: on get of pods b: on get of secrets", "x"), [""; 0]);
    assert_eq!(
        steps("sequence", "b: on get of secrets no a within 0s: on get of pods", "x"),
        ["E408 [0s] this `no` has no length -- write a time such as `5m`"]
    );
}

#[test]
fn nothing_is_read_of_what_did_not_come() {
    let read = "is a `no` step, of which there is nothing to read -- only events that came can be read";
    assert_eq!(
        steps(
            "sequence",
            "a: on get of pods where c.verb == verb no b: on list of pods where b.verb == a.verb and c.verb == \"get\"
            c: on get of secrets where b.verb == a.verb",
            "{b.verb} {b}"
        ),
        [
            "E211 [c] `c` is a later step and cannot be read here -- a step can read the steps above it".to_owned(),
            "E211 [b] `b` is this step itself and cannot be read here -- a bare field is this step's own".to_owned(),
            "E211 [c] `c` is a later step and cannot be read here -- a step can read the steps above it".to_owned(),
            format!("E211 [b] `b` {read}"),
            format!("E211 [b] `b` {read}"),
            format!("E211 [b] `b` {read}"),
        ]
    );
    assert_eq!(
        steps(
            "unordered",
            "a: on get of pods where a.verb == b.verb no b: on list of pods where c.verb == verb c: on get of secrets",
            "x"
        ),
        [
            "E211 [a] `a` is this step itself and cannot be read here -- a bare field is this step's own"
                .to_owned(),
            format!("E211 [b] `b` {read}"),
        ]
    );
}

#[test]
fn what_joins_nothing_is_doubted() {
    let codes = |text: &str| {
        let told = told(&format!("rule r \"R\" {{ severity low {text} alert \"x\" }}"));
        told.iter().map(|line| line[..4].to_owned()).collect::<Vec<_>>()
    };
    let joined = "b: on get of pods where verb == a.verb";
    assert_eq!(codes(&format!("sequence within 5m {{ a: on get of secrets {joined} }}")), ["W120"]);
    assert_eq!(
        codes(&format!("sequence within 5m {{ a: on get of secrets {joined} }} throttle 5m")),
        [""; 0]
    );
    assert_eq!(
        codes(&format!("sequence within 5m {{ a: on get of secrets no c: on list of pods {joined} }}")),
        ["W117"]
    );
    assert_eq!(
        codes(&format!(
            "sequence within 5m {{ a: on get of secrets no c: on list of pods where user.username == a.user.username {joined} }}"
        )),
        ["W120"]
    );
    assert_eq!(codes("sequence within 5m { a: on get of secrets no c: on list of pods }"), ["W117"]);
    assert_eq!(
        codes("by user.username sequence within 5m { a: on get of secrets no c: on list of pods }"),
        [""; 0]
    );
    assert_eq!(codes("unordered within 5m { a: on get of secrets b: on list of pods }"), ["W117"]);
    // Each request has an id of its own; a rule about requests themselves has a table for them.
    let steps = "a: on get of secrets at RequestReceived no c: on get of secrets";
    assert_eq!(codes(&format!("by request_id sequence within 5m {{ {steps} }}")), [""; 0]);
    assert_eq!(codes(&format!("by request_id, verb sequence within 5m {{ {steps} }}")), ["W115"]);
}
