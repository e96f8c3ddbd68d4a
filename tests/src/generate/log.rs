//! Random logs: requests with their stages, then what happens to logs on their way.

use serde_json::{Value, json};

use super::bodies::{self, ANNOTATIONS};
use super::choices::Choices;
use super::interludes;
use super::patches;
use super::world::{self, ADDRESSES, AGENTS, CODES, COMMANDS, GROUPS, Kind, NAMES, NAMESPACES, World};
use crate::reference::{Arrival, Source};

const SECOND: i64 = 1_000_000_000;
/// Monday, 2026-01-05T00:00:00Z.
const START: i64 = 1_767_571_200 * SECOND;

/// An event on its way: when it happened, when it comes in.
struct Sent {
    arrives: i64,
    arrival: Arrival,
}

/// Sources, and all events in the order of arrival.
pub(super) fn log(choices: &mut Choices<'_>, world: &World) -> (Vec<Source>, Vec<Arrival>) {
    let sources: Vec<Source> = (0..*choices.pick(&[1, 1, 1, 2, 3]))
        .map(|n| Source {
            name: format!("log-{n}"),
            cluster: choices.chance(40).then(|| choices.word(world::CLUSTERS).to_owned()),
        })
        .collect();
    // Often at the edge of a clock range of some rule.
    let second = if choices.chance(50) { world.hour * 3_600 } else { choices.below(86_400) };
    // Some sources wrap their events, and the wrapping names a cluster.
    let wrapped = choices.chance(12);
    let mut at = START + i64::try_from(second).unwrap_or(0) * SECOND;
    let mut sent = Vec::new();
    let requests = if world.long { 20 + choices.below(20) } else { 4 + choices.below(14) };
    for _ in 0..requests {
        let pauses: &[i64] = if world.dense {
            &[0, SECOND / 1000, SECOND / 10, SECOND / 3]
        } else {
            &[0, 0, SECOND / 1000, SECOND, SECOND, 3 * SECOND, 10 * SECOND, 40 * SECOND]
        };
        at += if world.timed {
            world.unit / 2 * choices.pick(&[0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 4, 5, 6, 8])
        } else {
            *choices.pick(pauses)
        };
        // Just beside an edge is not at it.
        let now = at + if world.timed { *choices.pick(&[0, 0, 0, 0, 0, 0, 1_000, -1_000]) } else { 0 };
        let source = choices.below(sources.len());
        let envelope_cluster = wrapped.then(|| choices.word(world::CLUSTERS).to_owned());
        for (stamp, json) in request(choices, world, now) {
            let mut arrives = stamp + delay(choices, world);
            sent.push(Sent {
                arrives,
                arrival: Arrival {
                    envelope_cluster: envelope_cluster.clone(),
                    ..Arrival::event(source, json.clone())
                },
            });
            while choices.chance(8) {
                arrives += delay(choices, world);
                let source = if choices.chance(70) { source } else { choices.below(sources.len()) };
                sent.push(Sent {
                    arrives,
                    arrival: Arrival {
                        envelope_cluster: envelope_cluster.clone(),
                        ..Arrival::event(source, json.clone())
                    },
                });
            }
        }
    }
    sent.sort_by_key(|sent| sent.arrives);
    let mut sent: Vec<(i64, Arrival)> = sent.into_iter().map(|sent| (sent.arrives, sent.arrival)).collect();
    if world.garbage {
        interludes::lines(choices, sources.len(), &mut sent);
    }
    if world.live {
        interludes::silences(choices, world, sources.len(), &mut sent);
    }
    if world.live && choices.chance(60) || choices.chance(8) {
        interludes::stamps(choices, world, &mut sent);
    }
    (sources, sent.into_iter().map(|(_, arrival)| arrival).collect())
}

/// Mostly in order, sometimes late within what is allowed, rarely beyond.
fn delay(choices: &mut Choices<'_>, world: &World) -> i64 {
    match choices.below(20) {
        0..15 => 0,
        15..18 => world.lateness / 4 * i64::try_from(choices.below(4)).unwrap_or(0),
        18 => world.lateness + SECOND,
        // A clock looks back over sixteen times: to be late takes long.
        _ => 60 * world.lateness,
    }
}

fn rfc3339(nanos: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// The events of one request with their time stamps.
fn request(choices: &mut Choices<'_>, world: &World, now: i64) -> Vec<(i64, Value)> {
    let kind = *choices.pick(&world.kinds);
    let resource = choices.chance(94);
    let verb = if resource { world::verb(choices, world, &kind) } else { choices.word(&["get", "post"]) };
    let code = if choices.chance(65) { 200 } else { *choices.pick(CODES) };
    let mut common = common(choices, world, verb, now);
    if resource {
        common["objectRef"] = reference(choices, &kind, verb);
    }
    common["requestURI"] = json!(uri(choices, &kind, resource));
    let level =
        choices.word(&["RequestResponse", "RequestResponse", "RequestResponse", "Request", "Metadata"]);
    common["level"] = json!(level);
    let mut answered = common.clone();
    answered["responseStatus"] = json!({"code": code});
    answered["annotations"] = annotations(choices, code);
    if choices.chance(15) {
        answered["impersonatedUser"] =
            json!({"username": choices.pick(&world.users), "groups": [choices.word(GROUPS)]});
    }
    let bodies = resource && kind.subresource != Some("exec");
    if bodies && level != "Metadata" {
        if let Some(body) = request_body(choices, &kind, verb) {
            answered["requestObject"] = body;
        }
        if level == "RequestResponse" && choices.chance(85) {
            answered["responseObject"] = bodies::response(choices, &kind, verb, code);
        }
    }
    let stages: &[&str] = match choices.below(12) {
        0..5 => &["ResponseComplete"],
        5..8 => &["RequestReceived", "ResponseComplete"],
        8 => &["RequestReceived", "ResponseStarted", "ResponseComplete"],
        9 => &["ResponseStarted"],
        10 => &["ResponseStarted", "ResponseComplete"],
        _ if choices.chance(40) => &["RequestReceived"],
        _ if choices.chance(50) => &["RequestReceived", "Panic"],
        _ => &["Panic"],
    };
    let mut stamp = now;
    let mut events = Vec::new();
    for stage in stages {
        let mut event = if *stage == "RequestReceived" { common.clone() } else { answered.clone() };
        if *stage == "RequestReceived" && verb == "create" {
            take(&mut event["objectRef"], "name");
        }
        if *stage == "ResponseStarted" && choices.chance(40) {
            take(&mut event, "responseObject");
        }
        event["stage"] = json!(stage);
        let forged = choices.chance(2);
        event["stageTimestamp"] = json!(rfc3339(if forged { stamp + 86_400 * 365 * SECOND } else { stamp }));
        if choices.chance(8) {
            spoil(choices, &mut event);
        }
        events.push((stamp, event));
        stamp += match world.timed {
            true => world.unit / 2 * choices.pick(&[0, 0, 1, 2]),
            false => *choices.pick(&[0, SECOND / 100, SECOND / 2, 2 * SECOND]),
        };
    }
    // What was asked and answered is asked once more, under the same name.
    if let [(_, first), _, ..] = events.as_slice()
        && choices.chance(12)
    {
        let mut again = first.clone();
        again["stageTimestamp"] = json!(rfc3339(stamp));
        events.push((stamp, again));
    }
    events
}

fn take(value: &mut Value, key: &str) {
    if let Some(map) = value.as_object_mut() {
        map.remove(key);
    }
}

fn common(choices: &mut Choices<'_>, world: &World, verb: &str, now: i64) -> Value {
    let mut user = json!({"username": choices.pick(&world.users)});
    if choices.chance(80) {
        user["groups"] = (0..choices.below(4)).map(|_| json!(choices.word(GROUPS))).collect();
    }
    if choices.chance(60) {
        user["extra"] = json!({
            "authentication.kubernetes.io/credential-id": [format!("cred-{}", choices.below(2))],
            "authentication.kubernetes.io/node-name": [choices.word(&["n1", "n2"])],
            "authentication.kubernetes.io/pod-name": [choices.word(NAMES)],
            "scopes": ["a", choices.word(&["b", "c"])],
        });
        if choices.chance(20) {
            user["extra"]["authentication.kubernetes.io/pod-name"] = json!([]);
        }
    }
    let mut event = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        // The client's choice: it repeats.
        "auditID": format!("id-{}", choices.below(6)),
        "verb": verb,
        "user": user,
        "requestReceivedTimestamp": rfc3339(now - choices.pick(&[0, SECOND / 10, 2 * SECOND])),
    });
    if choices.chance(85) {
        event["sourceIPs"] = (0..1 + choices.below(2)).map(|_| json!(choices.word(ADDRESSES))).collect();
    }
    if choices.chance(85) {
        event["userAgent"] = json!(choices.word(AGENTS));
    }
    event
}

fn reference(choices: &mut Choices<'_>, kind: &Kind, verb: &str) -> Value {
    let mut reference = json!({"resource": kind.plural, "apiVersion": "v1"});
    if !kind.group.is_empty() {
        reference["apiGroup"] = json!(kind.group);
    }
    if let Some(subresource) = kind.subresource {
        reference["subresource"] = json!(subresource);
    }
    if kind.namespaced && choices.chance(85) {
        reference["namespace"] = json!(choices.word(NAMESPACES));
    }
    if choices.chance(if matches!(verb, "list" | "deletecollection" | "create") { 40 } else { 95 }) {
        reference["name"] = json!(choices.word(NAMES));
    }
    reference
}

fn uri(choices: &mut Choices<'_>, kind: &Kind, resource: bool) -> String {
    let mut path = match resource {
        true => format!("/api/v1/{}/web", kind.plural),
        false => choices.word(&["/healthz", "/heal%74hz/ping", "/version", "/api%zz"]).to_owned(),
    };
    let mut parts: Vec<String> = Vec::new();
    if kind.subresource == Some("exec") || choices.chance(10) {
        for _ in 0..choices.below(3) {
            let command = choices.word(COMMANDS);
            let encoded = command.replace('/', "%2F").replace(' ', choices.word(&["+", "%20"]));
            parts.push(format!("{}={encoded}", choices.word(&["command", "command", "com%6Dand"])));
        }
        if choices.chance(50) {
            parts.push(format!("container={}", choices.word(&["web", "db%2D1", "%ff", ""])));
        }
    }
    if choices.chance(15) {
        parts.push(
            choices.word(&["dryRun=All", "dryRun=All", "dryRun=", "dry%52un=All", "dryRun=all"]).to_owned(),
        );
    }
    if !parts.is_empty() {
        path = format!("{path}?{}", parts.join("&"));
    }
    path
}

fn annotations(choices: &mut Choices<'_>, code: i64) -> Value {
    let mut annotations = json!({});
    if choices.chance(85) {
        let refused = code == 403 || choices.chance(10);
        annotations["authorization.k8s.io/decision"] = json!(if refused { "forbid" } else { "allow" });
    }
    for _ in 0..choices.below(12) {
        let (key, values) = choices.pick(ANNOTATIONS);
        annotations[*key] = json!(choices.pick(values));
    }
    annotations
}

fn request_body(choices: &mut Choices<'_>, kind: &Kind, verb: &str) -> Option<Value> {
    match verb {
        "create" | "update" if choices.chance(4) => Some(choices.pick(&[Value::Null, json!("odd")]).clone()),
        "create" | "update" => Some(bodies::object(choices, kind)),
        "patch" => Some(patches::patch(choices, kind)),
        "delete" | "deletecollection" if choices.chance(70) => Some(match choices.below(4) {
            0 => json!({"kind": "DeleteOptions", "dryRun": ["All"]}),
            1 => json!({"kind": "DeleteOptions", "dryRun": []}),
            2 => Value::Null,
            _ => json!({"kind": "DeleteOptions"}),
        }),
        _ => None,
    }
}

/// One thing about the event is not as it should be.
fn spoil(choices: &mut Choices<'_>, event: &mut Value) {
    match choices.below(16) {
        0 => take(event, "user"),
        1 => event["user"] = json!({}),
        2 => event["user"]["username"] = json!(7),
        3 => take(event, "objectRef"),
        4 => event["sourceIPs"] = json!([]),
        5 => event["sourceIPs"] = json!("10.0.0.1"),
        6 => event["impersonatedUser"] = Value::Null,
        7 => event["annotations"] = Value::Null,
        8 => event["responseStatus"] = json!({"code": "200"}),
        9 => take(event, "requestReceivedTimestamp"),
        10 => event["requestReceivedTimestamp"] = json!("yesterday"),
        11 => {
            let stamp = event["stageTimestamp"].clone();
            take(event, "stageTimestamp");
            take(event, "requestReceivedTimestamp");
            event["timestamp"] = stamp;
            event["apiVersion"] = json!("audit.k8s.io/v1beta1");
        }
        12 => event["userAgent"] = json!(5),
        13 => event["user"]["groups"] = json!(["dev", null, 3]),
        14 => event["stageTimestamp"] = json!("soon"),
        _ => take(event, "auditID"),
    }
}
