//! What is not there, not ours, or gone: each told in words.

use super::*;

/// Words for a run over a topic, with a file of properties that the test has written.
fn with(broker: &str, topic: &str) -> String {
    format!("kafka://{broker}/{topic}?group=g&properties=own.properties")
}

#[test]
fn a_topic_that_is_missing_is_named() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, group) = (fresh("audit"), fresh("group"));
    let from = broker.from("no-such", &group);
    let run = ["run", "once.rule", "--until", "end", "--from"];
    place.run(&[&run[..], &[&from]].concat()).ends(4).says("there is no topic `no-such`");
    broker.topic(&topic, 1);
    let from = broker.from(&topic, &group);
    let to = broker.to("no-such-either");
    place.run(&[&run[..], &[&from, "--to", &to]].concat()).ends(4).says("there is no topic `no-such-either`");
}

#[test]
fn a_broker_that_does_not_answer_is_waited_for() {
    let Some(broker) = broker() else { return };
    let place = place();
    // A port that nobody listens on, as it was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = format!("kafka://127.0.0.1:{port}/audit?group=g");
    let mut running = Running::start(&place, &["run", "once.rule", "--from", &away]);
    running.says(&format!("waiting for kafka://127.0.0.1:{port}"));
    running.terminate();
    // It goes on once there is one: what stood in its place passes everything on.
    let (topic, alerts) = (fresh("audit"), fresh("alerts"));
    broker.topic(&topic, 1);
    broker.topic(&alerts, 1);
    broker.spread(&topic, 1, &reads(0, 1));
    let there = format!("{},127.0.0.1:{port}", broker.bootstrap);
    let from = format!("kafka://{there}/{topic}?group={}&properties=quick.properties", fresh("group"));
    let to = format!("kafka://{there}/{alerts}");
    place.run(&["run", "once.rule", "--from", &from, "--to", &to, "--until", "end"]).ends(0);
    assert_eq!(broker.committed(&alerts).len(), 1, "one of two brokers is enough to begin with");
}

#[test]
fn who_may_come_in_does_and_who_may_not_is_told() {
    let Some(broker) = broker() else { return };
    let place = place();
    let topic = fresh("audit");
    broker.topic(&topic, 1);
    broker.spread(&topic, 1, &reads(0, 1));
    let tls = broker.folder.join("tls");
    let (cert, keys) = (tls.join("cert.pem"), tls.join("all.p12"));
    let sasl = |mechanism: &str, password: &str| {
        format!(
            "security.protocol=SASL_SSL\nssl.ca.location={}\nsasl.mechanism={mechanism}\nsasl.username=audit\n\
             sasl.password={password}\nsession.timeout.ms=2000\nheartbeat.interval.ms=300\n",
            cert.display()
        )
    };
    let mtls = format!(
        "security.protocol=SSL\nssl.ca.location={}\nssl.keystore.location={}\nssl.keystore.password=secret\n",
        cert.display(),
        keys.display()
    );
    let reader = |at: &str, properties: &str| {
        place.write("own.properties", properties);
        let from = with(at, &topic).replace("group=g", &format!("group={}", fresh("group")));
        place.run(&["run", "once.rule", "--until", "end", "--from", &from])
    };
    for (at, properties) in [
        (&broker.sasl, sasl("PLAIN", "right")),
        (&broker.sasl, sasl("SCRAM-SHA-512", "right")),
        (&broker.mtls, mtls),
    ] {
        assert_eq!(reader(at, &properties).ends(0).texts("message"), ["eve read s0"]);
    }
    for (at, properties) in [
        (&broker.sasl, sasl("PLAIN", "hunter2")),
        (&broker.sasl, sasl("SCRAM-SHA-512", "hunter2")),
        // A broker that nobody vouches for.
        (&broker.sasl, sasl("PLAIN", "right").replace("ssl.ca.location", "# ssl.ca.location")),
    ] {
        let ran = reader(at, &properties).ends(4).says("the broker refuses us");
        assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    }
}

#[test]
fn what_retention_took_is_told_loudly() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, group) = (fresh("audit"), fresh("group"));
    broker.topic(&topic, 1);
    broker.spread(&topic, 1, &reads(0, 10));
    let from = broker.from(&topic, &group);
    let run = ["run", "once.rule", "--until", "end", "--from", &from];
    assert_eq!(place.run(&run).ends(0).json().len(), 10);
    broker.spread(&topic, 1, &reads(10, 10));
    broker.forget(&topic, 0, 15);
    let ran = place.run(&run).ends(4).says("5 messages were gone before they could be read");
    assert_eq!(ran.texts("message")[0], "eve read s15");
    assert_eq!(ran.json().len(), 5);
}

#[test]
fn a_file_of_alerts_is_not_written_over() {
    let Some(broker) = broker() else { return };
    let place = place();
    let topic = fresh("audit");
    broker.topic(&topic, 1);
    broker.spread(&topic, 1, &reads(0, 3));
    let from = broker.from(&topic, &fresh("group"));
    let words = ["run", "once.rule", "--from", &from, "--to", "file:alerts.jsonl"];
    let running = Running::start(&place, &words);
    let deadline = Instant::now() + PATIENCE;
    let told =
        || std::fs::read_to_string(place.path().join("alerts.jsonl")).unwrap_or_default().lines().count();
    while told() < 3 {
        assert!(Instant::now() < deadline, "{} alerts of 3", told());
        std::thread::sleep(Duration::from_millis(50));
    }
    running.terminate();
    place.run(&words).ends(2).says("alerts.jsonl holds alerts of a run before");
    assert_eq!(told(), 3);
}
