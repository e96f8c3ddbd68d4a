//! Bodies: objects of the few kinds, and what answers requests.

use serde_json::{Value, json};

use super::choices::Choices;
use super::requests::REQUESTS;
use super::world::{ADDRESSES, GROUPS, IMAGES, Kind, NAMES, PATHS, USERS};

/// A scalar of any kind, for custom resources.
pub(super) fn scalar(choices: &mut Choices<'_>) -> Value {
    match choices.below(10) {
        8 => [json!(1e300), json!(9_007_199_254_740_993_u64), json!(-0.0), json!(1e-7)][choices.below(4)]
            .clone(),
        9 => match choices.below(3) {
            0 => json!("tab\t, bell\u{7}, line\u{2028}, del\u{7f}"),
            1 => json!("\u{e4}".repeat(300)),
            _ => json!(["1", null, {"k": 1}]),
        },
        0 => json!(1),
        1 => json!(2.5),
        2 => json!(-3),
        3 => json!("1"),
        4 => json!("a"),
        5 => json!(true),
        6 => Value::Null,
        _ => json!("2026-01-05T09:00:00Z"),
    }
}

pub(super) fn labels(choices: &mut Choices<'_>) -> Value {
    let mut labels = json!({});
    for key in ["app", "tier"] {
        if choices.chance(60) {
            labels[key] = match choices.below(6) {
                0 => Value::Null,
                _ => json!(choices.word(NAMES)),
            };
        }
    }
    labels
}

fn metadata(choices: &mut Choices<'_>) -> Value {
    let mut metadata = json!({});
    if choices.chance(60) {
        metadata["name"] = json!(choices.word(NAMES));
    }
    if choices.chance(70) {
        metadata["labels"] = labels(choices);
    }
    if choices.chance(20) {
        let times = ["2026-01-05T07:59:00Z", "2026-01-06T07:59:00-03:00", "2026-13-01T00:00:00Z"];
        metadata["managedFields"] =
            (0..choices.below(3)).map(|_| json!({"time": choices.word(&times)})).collect();
    }
    if choices.chance(15) {
        metadata["creationTimestamp"] = json!(choices.word(&[
            "2026-01-05T07:59:00Z",
            "2026-01-05T09:00:00.5Z",
            "yesterday",
            "2026-01-05T16:00:00+08:00"
        ]));
    }
    metadata
}

pub(super) fn container(choices: &mut Choices<'_>) -> Value {
    let mut container = json!({"name": choices.word(NAMES), "image": choices.word(IMAGES)});
    if choices.chance(60) {
        container["securityContext"] = json!({"privileged": choices.chance(60)});
    }
    if choices.chance(50) {
        let env: Vec<Value> = (0..choices.below(3))
            .map(|_| json!({"name": choices.word(&["A", "B"]), "value": choices.word(&["1", "2"])}))
            .collect();
        container["env"] = json!(env);
    }
    if choices.chance(40) {
        let memory = choices.word(&["64Mi", "1Gi", "2G", "1500m", "1e9", "lots"]);
        container["resources"] = json!({"limits": {"memory": memory}});
    }
    if choices.chance(20) {
        container["args"] = json!(["-c", choices.word(&["sh", "cat"])]);
    }
    container
}

pub(super) fn volume(choices: &mut Choices<'_>) -> Value {
    json!({"name": "v", "hostPath": {"path": choices.word(PATHS)}})
}

pub(super) fn pod_spec(choices: &mut Choices<'_>) -> Value {
    let mut spec = json!({});
    for (key, percent) in [("containers", 90), ("initContainers", 25), ("ephemeralContainers", 15)] {
        if choices.chance(percent) {
            spec[key] = match choices.below(20) {
                0 => Value::Null,
                1 => json!("odd"),
                _ => (0..1 + choices.below(2)).map(|_| container(choices)).collect(),
            };
        }
    }
    if choices.chance(40) {
        spec["hostNetwork"] = json!(choices.chance(70));
    }
    if choices.chance(50) {
        spec["volumes"] = (0..1 + choices.below(2)).map(|_| volume(choices)).collect();
    }
    spec
}

pub(super) fn subject(choices: &mut Choices<'_>) -> Value {
    let (kind, name) = match choices.below(2) {
        0 => ("User", choices.word(USERS)),
        _ => ("Group", choices.word(GROUPS)),
    };
    json!({"kind": kind, "name": name})
}

pub(super) fn taint(choices: &mut Choices<'_>) -> Value {
    json!({"key": choices.word(NAMES), "effect": choices.word(&["NoSchedule", "NoExecute"])})
}

/// `spec` of a custom resource, of any shape.
pub(super) fn widget(choices: &mut Choices<'_>) -> Value {
    let mut spec = json!({"x": scalar(choices)});
    if choices.chance(70) {
        spec["list"] = (0..choices.below(4))
            .map(|_| if choices.chance(70) { json!({"a": scalar(choices)}) } else { scalar(choices) })
            .collect();
    }
    if choices.chance(40) {
        spec["map"] = json!({"k": scalar(choices), "l": [scalar(choices)]});
    }
    if choices.chance(20) {
        spec["x"] = json!([1, "a"]);
    }
    spec
}

/// The whole object of a create or an update.
pub(super) fn object(choices: &mut Choices<'_>, kind: &Kind) -> Value {
    let mut object = json!({"kind": kind.kind, "metadata": metadata(choices)});
    match kind.plural {
        "pods" => object["spec"] = pod_spec(choices),
        "deployments" if kind.subresource.is_some() => object["spec"] = json!({"replicas": choices.below(3)}),
        "deployments" => {
            object["spec"] = json!({"replicas": choices.below(3), "template": {"spec": pod_spec(choices)}});
        }
        "cronjobs" => {
            object["spec"] = json!({"jobTemplate": {"spec": {"template": {"spec": pod_spec(choices)}}}});
        }
        "secrets" | "configmaps" => object["data"] = data(choices),
        "clusterrolebindings" => {
            object["roleRef"] =
                json!({"kind": "ClusterRole", "name": choices.word(&["cluster-admin", "view"])});
            if choices.chance(80) {
                object["subjects"] = (0..choices.below(3)).map(|_| subject(choices)).collect();
            }
        }
        "nodes" => {
            let taints: Vec<Value> = (0..choices.below(3)).map(|_| taint(choices)).collect();
            object["spec"] = json!({"taints": taints, "unschedulable": choices.chance(50)});
        }
        "certificatesigningrequests" => object["spec"] = json!({"request": choices.word(REQUESTS)}),
        _ => object["spec"] = widget(choices),
    }
    object
}

pub(super) fn data(choices: &mut Choices<'_>) -> Value {
    json!({
        "encoded": choices.word(&["aGk=", "aGk", "aGl=", "/w==", "%%"]),
        "json": choices.word(&[
            r#"{"a":1,"l":["x","y"]}"#,
            r#"{"a":2,"a":1}"#,
            r#"{"a":"1","l":[]}"#,
            "[1]",
            "{",
            "null"
        ]),
    })
}

/// What answers, besides what is asked for.
pub(super) fn response(choices: &mut Choices<'_>, kind: &Kind, verb: &str, code: i64) -> Value {
    match choices.below(14) {
        0 => return Value::Null,
        1 | 4 => return json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "web"}}),
        5 | 6 => return json!({"kind": format!("{}List", kind.kind), "metadata": {}, "items": []}),
        2 => {
            return json!({"kind": "PartialObjectMetadata", "metadata": metadata(choices), "spec": {"x": 1}});
        }
        3 => return json!("text"),
        _ => {}
    }
    if code >= 300 {
        let reason = choices.word(&["Forbidden", "NotFound"]);
        return json!({"kind": "Status", "reason": reason, "code": code, "metadata": {"name": "web"}});
    }
    if verb == "list" || verb == "deletecollection" {
        let items: Vec<Value> = (0..choices.below(3)).map(|_| object(choices, kind)).collect();
        return json!({"kind": format!("{}List", kind.kind), "items": items});
    }
    let mut object = object(choices, kind);
    if choices.chance(20)
        && let Some(map) = object.as_object_mut()
    {
        map.remove("kind");
    }
    object
}

/// Values that annotations have, for the functions: key and values.
pub(super) const ANNOTATIONS: &[(&str, &[&str])] = &[
    ("n", &["1", "2.5", "-3", "1e3", "x", "+1", ""]),
    ("q", &["1Gi", "500m", "1e3", "2k", "1073741824", "1.5", "0.5Ki", "1x", "3u"]),
    (
        "at",
        &[
            "2026-01-05T08:00:01Z",
            "2026-01-05T20:00:00+08:00",
            "2026-01-05 08:00:00Z",
            "2027-01-01T00:00:00.25Z",
        ],
    ),
    ("b", &["aGk=", "aGk", "aGl=", "/w==", "IQ=="]),
    ("u", &["a+b", "a%20b", "%zz", "%ff", "%41%"]),
    ("j", &[r#"{"a":1,"l":["x","y"]}"#, r#"{"a":2,"a":1}"#, r#"{"l":[{"a":"x"}]}"#, "[1]", "{", "null"]),
    ("p", PATHS),
    ("i", IMAGES),
    ("ip", ADDRESSES),
    ("s", &["a,b", "b", ",", "a,,c", "A"]),
];
