//! Patches: merge, strategic merge, and JSON patch.

use serde_json::{Value, json};

use super::bodies;
use super::choices::Choices;
use super::world::{IMAGES, Kind, NAMES, PATHS};

type Make = fn(&mut Choices<'_>) -> Value;

/// A body of a `patch` of that resource.
pub(super) fn patch(choices: &mut Choices<'_>, kind: &Kind) -> Value {
    match choices.below(20) {
        0 => Value::Null,
        1 => json!("odd"),
        2..=8 => {
            let mut body = bodies::object(choices, kind);
            thin(choices, &mut body);
            if choices.chance(50) {
                direct(choices, &mut body);
            }
            body
        }
        _ => operations(choices, kind),
    }
}

/// Some keys are taken out, some are set to null.
fn thin(choices: &mut Choices<'_>, body: &mut Value) {
    if let Some(map) = body.as_object_mut() {
        let keys: Vec<String> = map.keys().cloned().collect();
        for key in keys {
            match choices.below(10) {
                0..2 => {
                    map.remove(&key);
                }
                2 => {
                    map.insert(key, Value::Null);
                }
                _ => thin(choices, &mut map[&key]),
            }
        }
    }
}

/// Directives of a strategic merge patch.
fn direct(choices: &mut Choices<'_>, body: &mut Value) {
    if let Some(map) = body.as_object_mut() {
        match choices.below(3) {
            0 => map.insert("$patch".to_owned(), json!("replace")),
            1 => map.insert("$setElementOrder/containers".to_owned(), json!([{"name": "web"}])),
            _ => map.insert("$retainKeys".to_owned(), json!(["name"])),
        };
        let keys: Vec<String> = map.keys().cloned().collect();
        let key = choices.pick(&keys).clone();
        direct(choices, &mut map[&key]);
    }
}

fn operations(choices: &mut Choices<'_>, kind: &Kind) -> Value {
    let places = places(kind);
    let mut all = Vec::new();
    let at_numbers: Vec<_> =
        places.iter().filter(|(path, _)| path.ends_with(|c: char| c.is_ascii_digit())).collect();
    if !at_numbers.is_empty() && choices.chance(25) {
        // The second raises the number of the first.
        let (path, make) = *choices.pick(&at_numbers);
        for _ in 0..2 {
            all.push(json!({"op": "add", "path": path, "value": make(choices)}));
        }
    }
    let at_ends: Vec<_> = places.iter().filter(|(path, _)| path.ends_with("/-")).collect();
    if !at_ends.is_empty() && choices.chance(20) {
        let (path, make) = *choices.pick(&at_ends);
        all.push(json!({"op": "add", "path": path, "value": make(choices)}));
    }
    for _ in 0..1 + choices.below(4) {
        let (path, make) = choices.pick(&places).clone();
        let from = choices.pick(&places).0.clone();
        let operation = match choices.below(20) {
            0..7 => json!({"op": "add", "path": path, "value": make(choices)}),
            7..11 => json!({"op": "replace", "path": path, "value": make(choices)}),
            11..14 => json!({"op": "remove", "path": path}),
            14..16 => json!({"op": "test", "path": path, "value": make(choices)}),
            16 => json!({"op": "move", "from": from, "path": path}),
            17 => json!({"op": "copy", "from": from, "path": path}),
            18 => moved(choices, &path, make, &mut all),
            _ => odd(choices, &path, make),
        };
        all.push(operation);
    }
    json!(all)
}

/// A value made elsewhere and then moved or copied to where rules look.
fn moved(choices: &mut Choices<'_>, path: &str, make: Make, all: &mut Vec<Value>) -> Value {
    all.push(json!({"op": "add", "path": "/spare", "value": make(choices)}));
    json!({"op": choices.word(&["move", "copy"]), "from": "/spare", "path": path})
}

fn odd(choices: &mut Choices<'_>, path: &str, make: Make) -> Value {
    let value = make(choices);
    // Deeper than any object, and no reason to know less of the rest.
    let deep = || format!("{}{path}", "/deep".repeat(64));
    match choices.below(10) {
        0 => json!({"op": "add", "path": "", "value": {"spec": value}}),
        1 => json!({"op": "remove", "path": ""}),
        2 => json!({"op": 1, "path": path, "value": value}),
        3 => json!({"op": "add", "path": "spec", "value": value}),
        4 => json!({"op": "frob", "path": path, "value": value}),
        5 => json!({"op": "add", "path": path}),
        6 => json!({"op": choices.word(&["add", "remove", "test"]), "path": deep(), "value": value}),
        7 => json!({"op": choices.word(&["copy", "move"]), "from": path, "path": deep()}),
        8 => json!({"op": choices.word(&["copy", "move"]), "from": deep(), "path": path}),
        _ => json!("odd"),
    }
}

/// Pointers to where rules look, and what stands there.
fn places(kind: &Kind) -> Vec<(String, Make)> {
    let mut all: Vec<(String, Make)> = vec![
        ("/metadata/labels/app".to_owned(), |c| json!(c.word(NAMES))),
        ("/metadata/labels".to_owned(), bodies::labels),
        ("/metadata/name".to_owned(), |c| json!(c.word(NAMES))),
    ];
    let spec = match (kind.plural, kind.subresource) {
        ("pods", _) => "/spec",
        ("deployments", None) => "/spec/template/spec",
        ("cronjobs", _) => "/spec/jobTemplate/spec/template/spec",
        _ => "",
    };
    let mut place = |path: String, make: Make| all.push((path, make));
    match kind.plural {
        _ if !spec.is_empty() => {
            for list in ["containers", "initContainers"] {
                place(format!("{spec}/{list}/0/securityContext/privileged"), |c| json!(c.chance(70)));
                place(format!("{spec}/{list}/1/image"), |c| json!(c.word(IMAGES)));
                place(format!("{spec}/{list}/0/env/-"), |_| json!({"name": "A", "value": "1"}));
                place(format!("{spec}/{list}/-"), bodies::container);
                place(format!("{spec}/{list}/0"), bodies::container);
                place(format!("{spec}/{list}"), |c| json!([bodies::container(c), bodies::container(c)]));
            }
            place(format!("{spec}/hostNetwork"), |c| json!(c.chance(70)));
            place(format!("{spec}/volumes/0/hostPath/path"), |c| json!(c.word(PATHS)));
            place(format!("{spec}/volumes/-"), bodies::volume);
            place(spec.to_owned(), bodies::pod_spec);
        }
        "clusterrolebindings" => {
            for path in ["/subjects/-", "/subjects/0", "/subjects/1"] {
                place(path.to_owned(), bodies::subject);
            }
            place("/subjects".to_owned(), |c| json!([bodies::subject(c)]));
            place("/roleRef/name".to_owned(), |c| json!(c.word(&["cluster-admin", "view"])));
        }
        "nodes" => {
            place("/spec/taints/-".to_owned(), bodies::taint);
            place("/spec/taints".to_owned(), |c| json!([bodies::taint(c)]));
            place("/spec/taints/0/effect".to_owned(), |c| json!(c.word(&["NoSchedule", "NoExecute"])));
            place("/spec/unschedulable".to_owned(), |c| json!(c.chance(50)));
        }
        "secrets" | "configmaps" => {
            place("/data".to_owned(), bodies::data);
            place("/data/encoded".to_owned(), |_| json!("aGk="));
            place("/data/json".to_owned(), |_| json!(r#"{"a":1,"l":["x"]}"#));
        }
        "deployments" => place("/spec/replicas".to_owned(), |c| json!(c.below(3))),
        "certificatesigningrequests" => {
            place("/spec/request".to_owned(), |c| json!(c.word(super::requests::REQUESTS)));
        }
        _ => {
            for path in ["/spec/x", "/spec/list/0/a", "/spec/list/1/a", "/spec/map/k", "/spec/map/l/0"] {
                place(path.to_owned(), bodies::scalar);
            }
            for path in ["/spec/list/0", "/spec/list/1", "/spec/list/-", "/spec/list/01", "/spec/list/2"] {
                place(path.to_owned(), |c| json!({"a": bodies::scalar(c)}));
            }
            place("/spec/list".to_owned(), |c| json!([{"a": bodies::scalar(c)}, bodies::scalar(c)]));
            place("/spec/map/a~1b~0".to_owned(), bodies::scalar);
            place("/spec/x/y/z".to_owned(), bodies::scalar);
            place("/spec".to_owned(), bodies::widget);
        }
    }
    all
}
