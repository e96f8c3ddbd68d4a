//! A topic gives what a file with the same events gives, whatever its messages hold.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

use super::*;

/// Alerts by id, without what says where their events lay.
fn by_id(lines: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for mut alert in lines {
        for event in alert["events"].as_array_mut().unwrap() {
            let event = event.as_object_mut().unwrap();
            assert!(event.remove("source").is_some() && event.remove("offset").is_some());
        }
        let id = alert["id"].as_str().unwrap().to_owned();
        assert!(all.insert(id, alert).is_none(), "an alert came twice");
    }
    all
}

/// The recorded log that comes with the repository.
fn sample() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/attack.log.gz");
    let mut log = String::new();
    let mut packed = flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap());
    packed.read_to_string(&mut log).unwrap();
    log
}

#[test]
fn a_topic_gives_what_its_file_gives() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, alerts, group) = (fresh("audit"), fresh("alerts"), fresh("group"));
    broker.topic(&topic, 3);
    broker.topic(&alerts, 2);
    let log = sample();
    place.write("audit.log", &log);
    let file = place.run(&["run", "--from", "audit.log", "--lateness", "10s"]).ends(0);
    let want = by_id(file.json());
    assert!(want.len() > 10, "the log must have something in it: {}", want.len());

    // Events of a request to one partition: of those of several a rule tells the one that came first.
    let mut partitions: [Vec<&str>; 3] = Default::default();
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let sum: usize = event["auditID"].as_str().unwrap().bytes().map(usize::from).sum();
        partitions[sum % 3].push(line);
    }
    for (partition, lines) in (0..).zip(&partitions) {
        broker.produce(&topic, lines.iter().map(|line| (partition, Some(line.as_bytes()))));
    }
    let from = broker.from(&topic, &group);
    let words = ["run", "--from", &from, "--until", "end", "--summary", "s.json", "--to"];
    let ran = place.run(&[&words[..], &["-"]].concat()).ends(0);
    assert_eq!(by_id(ran.json()), want);
    // Of which partition and offset an event is.
    let first = &ran.json()[0]["events"][0];
    let (source, offset) = (first["source"].as_str().unwrap(), first["offset"].as_u64().unwrap());
    let partition: usize = source.strip_prefix(&format!("kafka:{topic}/")).unwrap().parse().unwrap();
    let event: Value = serde_json::from_str(partitions[partition][usize::try_from(offset).unwrap()]).unwrap();
    assert_eq!(event["auditID"], first["auditID"]);
    let summary: Value = serde_json::from_str(&place.read("s.json")).unwrap();
    assert_eq!(summary["events"]["read"], log.lines().count());

    // The group has read it: nothing is left, and another group begins anew, with alerts to a topic.
    place.run(&[&words[..], &["-"]].concat()).ends(0).says("events      0 read");
    let from = broker.from(&topic, &fresh("group"));
    place.run(&["run", "--from", &from, "--until", "end", "--to", &broker.to(&alerts)]).ends(0);
    let seen = broker.committed(&alerts);
    assert_eq!(by_id(seen.iter().map(|seen| serde_json::from_str(&seen.value).unwrap())), want);
    for message in &seen {
        let alert: Value = serde_json::from_str(&message.value).unwrap();
        let headers: BTreeMap<_, _> = message.headers.iter().cloned().collect();
        assert_eq!((&message.key, &alert["rule"]), (&headers["rule"], &Value::from(message.key.clone())));
        assert_eq!(alert["id"], headers["id"].as_str());
        assert_eq!(alert["severity"], headers["severity"].as_str());
    }
}

#[test]
fn a_message_is_whatever_a_file_could_hold() {
    let Some(broker) = broker() else { return };
    let place = place();
    let topic = fresh("framings");
    broker.topic(&topic, 1);
    let reads = reads(0, 8);
    let pretty =
        |line: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(line).unwrap()).unwrap();
    let list = format!(
        "{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{},{}]}}",
        reads[1].trim(),
        reads[2].trim()
    );
    let large = event(50, "eve", "get", "secrets", &"x".repeat(3 << 20));
    let messages: [Option<String>; 8] = [
        Some(reads[0].clone()),
        Some(list),
        Some(format!("{}{}", reads[3], reads[4].trim())),
        None,
        Some(pretty(&reads[5])),
        Some("{\"kind\":".to_owned()),
        Some(large),
        Some(format!(" {}\r\n{}", reads[6].trim(), reads[7])),
    ];
    broker.produce(&topic, messages.iter().map(|value| (0, value.as_ref().map(String::as_bytes))));
    let from = broker.from(&topic, &fresh("group"));
    let words =
        ["run", "once.rule", "--from", &from, "--until", "end", "--max-line", "1MiB", "--summary", "s.json"];
    let ran = place.run(&words).ends(0).says("1 messages without a value");
    let names: Vec<String> = (0..8).map(|n| format!("eve read s{n}")).collect();
    assert_eq!(ran.texts("message"), names);
    let offsets: Vec<u64> =
        ran.json().iter().map(|alert| alert["events"][0]["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [0, 1, 1, 2, 2, 4, 7, 7]);
    let summary: Value = serde_json::from_str(&place.read("s.json")).unwrap();
    assert_eq!(summary["events"]["tombstones"], 1);
    let broken: Vec<_> = summary["undecodable"].as_array().unwrap().iter().collect();
    let of = |reason: &str| broken.iter().find(|of| of["reason"] == reason).unwrap()["first"].clone();
    assert_eq!(
        (broken.len(), &of("cut_off")["offset"], &of("too_large")["offset"]),
        (2, &5.into(), &6.into())
    );
}

#[test]
fn a_silent_topic_lets_time_pass_and_an_empty_partition_holds_none_back() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, alerts) = (fresh("silent"), fresh("alerts"));
    broker.topic(&topic, 3);
    broker.topic(&alerts, 1);
    let deletes: Vec<String> = (0..3).map(|n| event(n, "eve", "delete", "pods", &format!("p{n}"))).collect();
    // To two of three partitions, far fewer than a clock needs.
    broker.spread(&topic, 2, &deletes);
    let (from, to) = (broker.from(&topic, &fresh("group")), broker.to(&alerts));
    let running =
        Running::start(&place, &["run", "set.rule", "--from", &from, "--to", &to, "--lateness", "1s"]);
    let seen = broker.until_committed(&alerts, 1);
    assert!(seen[0].value.contains("eve deleted 3 pods"), "{seen:?}");
    running.terminate();
}
