use std::io::Write;
use std::path::PathBuf;

use super::*;
use crate::Kind;

fn topic(properties: Option<PathBuf>) -> Topic {
    Topic { brokers: "127.0.0.1:1".to_owned(), name: "t".to_owned(), properties }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn of(text: &str) -> Result<(), Error> {
    let file = file(text);
    let source = Events { topic: topic(Some(file.path().to_owned())), group: "g".to_owned() };
    consumer(&source, 64 << 20).map(|_| ())
}

#[test]
fn properties_of_a_file_are_librdkafkas_own() {
    of("# a comment\n\nsecurity.protocol = sasl_ssl\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=eve\nsasl.password=x=y\n").unwrap();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let file = file(&format!("compression.type={codec}\n"));
        let to = Alerts {
            topic: topic(Some(file.path().to_owned())),
            interval: std::time::Duration::from_millis(1),
        };
        assert!(producer(&to, "t").is_ok(), "{codec}");
    }
}

#[test]
fn what_is_wrong_with_properties_is_told_without_their_values() {
    for (text, words) in [
        ("sasl.passwrod=hunter2", "No such configuration property: \"sasl.passwrod\""),
        ("session.timeout.ms=soon", "session.timeout.ms"),
        ("hunter2", "line 1 of "),
        ("group.id=hunter2", "the property `group.id` in "),
        ("auto.offset.reset=latest", "is not for a file to set"),
        ("bootstrap.servers=hunter2:9092", "is not for a file to set"),
    ] {
        let error = of(text).unwrap_err();
        let told = error.to_string();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn words_of_librdkafka_stand_alone() {
    assert_eq!(said_of(RDKafkaErrorCode::UnknownTopicOrPartition), "Unknown topic or partition");
}
