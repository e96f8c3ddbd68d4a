//! Logs that do not fit: a flood now and then, and quiet times in which room is made.

use std::sync::LazyLock;

use serde_json::json;

use super::SECOND;
use super::kinds::{Kind, clusters, users};
use crate::generate::Choices;
use crate::reference::Arrival;

/// The first second of the log.
const START: i64 = 1_767_571_200;

/// Names of objects: some are so long that they are not kept whole, and differ at their very end.
static NAMES: LazyLock<[String; 14]> = LazyLock::new(|| {
    let long = |end: &str| format!("{}{end}", "x".repeat(3_000));
    let [one, two] = [long("1"), long("2")];
    let short = ["p", "qq", "rrr"];
    let all = short.into_iter().cycle().take(12).chain([one.as_str(), two.as_str()]);
    let mut all = all.map(str::to_owned);
    std::array::from_fn(|_| all.next().unwrap_or_default())
});

/// Events of a few users, or of a few clusters. Some come `again`, at once or later.
pub(super) fn log(kind: &Kind, again: bool, choices: &mut Choices<'_>) -> Vec<Arrival> {
    let mut at = START * SECOND;
    let mut arrivals: Vec<(i64, Arrival)> = Vec::new();
    // Seldom all of them, so that keys come back.
    let names = 2 + choices.below(9);
    for n in 0..choices.below(70) {
        let gap = match choices.below(9) {
            0..6 => choices.below(800),
            6 | 7 => 800 + choices.below(3_200),
            _ => 4_000 + choices.below(8_000),
        };
        at += i64::try_from(gap).unwrap_or(0) * (SECOND / 1_000);
        let name = choices.below(names);
        let (user, cluster) = match kind.clusters {
            true => ("u", Some(clusters()[name.min(clusters().len() - 1)].to_owned())),
            false => (users()[name.min(users().len() - 1)], None),
        };
        let stamp = stamped(at);
        // A cluster that only shows itself is waited for as well.
        let verb = if kind.clusters && choices.chance(40) { "list" } else { "get" };
        let some = |choices: &mut Choices<'_>, of: &[&'static str]| -> Vec<&'static str> {
            (0..choices.below(4)).map(|_| choices.word(of)).collect()
        };
        let (groups, addresses) =
            (some(choices, &["g", "h", "i"]), some(choices, &["192.0.2.1", "192.0.2.2", "192.0.2.3"]));
        let json = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
            "stage": "ResponseComplete", "verb": verb, "requestURI": "/x", "user": {"username": user, "groups": groups}, "sourceIPs": addresses,
            "objectRef": {"resource": "pods", "name": choices.pick(&*NAMES)},
            "responseStatus": {"code": *choices.pick(&[200, 200, 403, 500])},
            "stageTimestamp": stamp, "requestReceivedTimestamp": stamp,
        });
        // Not in order, but within the lateness.
        let delay = if choices.chance(20) { i64::try_from(choices.below(450)).unwrap_or(0) } else { 0 };
        let arrival = Arrival { envelope_cluster: cluster, ..Arrival::event(0, json) };
        let comes = at + delay * (SECOND / 1_000);
        arrivals.push((comes, arrival.clone()));
        while again && choices.chance(25) {
            // Some with a later time, so that others are between.
            let later = if choices.chance(50) { i64::try_from(choices.below(6_000)).unwrap_or(0) } else { 0 };
            let later = later * (SECOND / 1_000);
            let mut copy = arrival.clone();
            copy.json["stageTimestamp"] = stamped(at + later).into();
            arrivals.push((comes + 1 + later, copy));
        }
    }
    arrivals.sort_by_key(|(comes, _)| *comes);
    arrivals.into_iter().map(|(_, arrival)| arrival).collect()
}

fn stamped(at: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(at).to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// As a source has it.
pub(super) fn bytes(arrivals: &[Arrival]) -> Vec<u8> {
    let line = |arrival: &Arrival| match &arrival.envelope_cluster {
        Some(cluster) => {
            let message = arrival.json.to_string();
            format!("{}\n", json!({"verb": "x", "message": message, "cluster_uuid": cluster}))
        }
        None => format!("{}\n", arrival.json),
    };
    arrivals.iter().flat_map(|arrival| line(arrival).into_bytes()).collect()
}
