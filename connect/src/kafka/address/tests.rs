use super::*;
use crate::Kind;

#[test]
fn what_is_written_is_read() {
    let from = Events::parse("kafka-0:9092,[::1]:9093/audit.v1?group=g&properties=k.properties").unwrap();
    let topic = Topic {
        brokers: "kafka-0:9092,[::1]:9093".to_owned(),
        name: "audit.v1".to_owned(),
        properties: Some("k.properties".into()),
    };
    assert_eq!(from, Events { topic: topic.clone(), group: "g".to_owned() });
    let to = Alerts::parse("b:9092/alerts?as=json").unwrap();
    assert_eq!((to.topic.name.as_str(), to.interval), ("alerts", Duration::from_millis(100)));
    assert_eq!(Alerts::parse("b:9092/alerts?interval=1s").unwrap().interval, Duration::from_secs(1));
}

#[test]
fn mistakes_are_told_with_what_was_meant() {
    for (text, words) in [
        (
            "b:9092/audit",
            "kafka:// needs a group, in whose name the offsets are kept: …/audit?group=auditd-rules",
        ),
        ("b:9092", "kafka://b:9092 names no topic; write kafka://b:9092/TOPIC"),
        ("b/audit?group=g", "the broker `b` has no port; mostly it is b:9092"),
        ("b:99999/audit?group=g", "the broker `b:99999` has no port; mostly it is b:9092"),
        ("b:1,/audit?group=g", "`` is no broker; one is HOST:PORT, such as kafka-0.kafka:9092"),
        ("b:1/a/b?group=g", "a topic's name has letters, digits, `.`, `_` and `-`; `a/b` has `/`"),
        ("b:1/..?group=g", "`..` can be no topic's name"),
        ("b:1/a?gruop=g", "kafka:// knows no `gruop` here; did you mean `group`?"),
        ("b:1/a?group=g&x=1", "kafka:// knows no `x` here; there are group, properties"),
        ("b:1/a?group=", "`group` needs a value: group=…"),
        ("b:1/a?group=g&group=h", "`group` is given twice"),
    ] {
        let error = Events::parse(text).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, words));
    }
    for (text, words) in [
        ("b:1/a?interval=0ms", "an interval is from 1ms to 30s, such as 100ms, not `0ms`"),
        ("b:1/a?interval=1h", "an interval is from 1ms to 30s, such as 100ms, not `1h`"),
        ("b:1/a?as=ecs", "alerts as ecs on kafka:// are not built yet"),
        ("b:1/a?group=g", "kafka:// knows no `group` here; there are as, interval, properties"),
    ] {
        assert_eq!(Alerts::parse(text).unwrap_err().to_string(), words);
    }
}

#[test]
fn nothing_secret_is_taken_from_an_argument() {
    for text in ["eve:hunter2@b:1/a?group=g", "b:1/a?group=g&sasl.password=hunter2", "b:1/a?password=hunter2"]
    {
        let words = Events::parse(text).unwrap_err().to_string();
        assert!(words.contains("every process") && words.contains("?properties="), "{words}");
        assert!(!words.contains("hunter2"), "{words}");
    }
}
