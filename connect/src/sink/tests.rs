use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn names_of_sinks() {
    assert_eq!(parse("-").unwrap(), Target::Stdout);
    assert_eq!(parse("-?as=json").unwrap(), Target::Stdout);
    assert_eq!(parse("file:a/b.jsonl?as=json").unwrap(), Target::File("a/b.jsonl".into()));
    assert_eq!(parse("file:///var/alerts").unwrap(), Target::File("/var/alerts".into()));
    for (name, words) in [
        ("file:", "file: needs a path behind it, such as file:alerts.jsonl"),
        ("alerts.jsonl", "alerts.jsonl is no sink; for a file write file:alerts.jsonl"),
        ("https://b:9092/t", "sinks of kind https:// are not built yet"),
        ("kafka://b:9092", "kafka://b:9092 names no topic; write kafka://b:9092/TOPIC"),
        ("ftp://b", "there is no sink of kind ftp://"),
        ("-?as=ocsf", "alerts as ocsf are not built yet"),
        ("-?shape=json", "a sink takes as=json behind its ?, not shape=json"),
    ] {
        assert_eq!(parse(name).unwrap_err().to_string(), words);
    }
}

#[test]
fn a_file_is_its_owners_alone_and_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    for text in ["first, and longer", "second"] {
        let mut sink = Sink::open(&Target::File(path.clone())).unwrap();
        sink.line(text).unwrap();
        sink.flush().unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "second\n");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let error = Sink::open(&Target::File("no/such/folder/a".into())).unwrap_err();
    assert_eq!(error.to_string(), "cannot write to no/such/folder/a: there is no such file");
}
