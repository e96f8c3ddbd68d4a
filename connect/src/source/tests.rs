use super::*;
use crate::Kind;

fn names(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

/// The files that a glob over these names finds, in its order.
fn order(files: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        std::fs::write(folder.path().join(file), "").unwrap();
    }
    let found = find(&[folder.path().join("*").into_os_string()]).unwrap();
    let name = |source: &Source| match source {
        Source::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
        Source::Stdin | Source::Kafka(_) => unreachable!("a glob finds files"),
    };
    found.iter().map(name).collect()
}

#[test]
fn the_api_servers_rotation_is_read_from_old_to_new() {
    let want = [
        "audit-2025-12-31T23-59-59.999.log.gz",
        "audit-2026-11-22T02-15-30.123.log",
        "audit-2026-11-22T02-15-30.124.log.zst",
        "audit.log",
    ];
    let mut files = want;
    files.reverse();
    assert_eq!(order(&files), want);
}

#[test]
fn logrotates_numbers_count_backwards() {
    let want = ["audit.log.10.gz", "audit.log.2.gz", "audit.log.1", "audit.log"];
    assert_eq!(order(&want), want);
    let want = ["audit.log-20261121", "audit.log-20261122", "audit.log"];
    assert_eq!(order(&want), want);
}

#[test]
fn numbers_that_are_no_date_are_part_of_the_name() {
    assert_eq!(split_age("node-10-0-0-17.log"), ("node-10-0-0-17.log".to_owned(), Age::Now));
    assert_eq!(split_age("audit-20269922.log"), ("audit-20269922.log".to_owned(), Age::Now));
    assert_eq!(order(&["b.log.1", "a.log", "b.log"]), ["a.log", "b.log.1", "b.log"]);
}

#[test]
fn what_is_not_built_is_refused_and_never_looked_for_on_the_disk() {
    for (name, words) in [
        (
            "kafka://broker:9092/audit",
            "kafka:// needs a group, in whose name the offsets are kept: …/audit?group=auditd-rules",
        ),
        ("webhook://0.0.0.0:8443/audit", "sources of kind webhook:// are not built yet"),
        ("s3://bucket", "there is no source of kind s3://; a source is -, a path, a glob or kafka://"),
    ] {
        let error = find(&names(&[name])).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, words));
    }
}

#[test]
fn a_glob_that_finds_nothing_says_so() {
    let error = find(&names(&["no/such/*.log"])).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Io, "no file fits no/such/*.log"));
    assert_eq!(find(&names(&["a[".to_owned().as_str()])).unwrap_err().kind(), Kind::Usage);
}

#[test]
fn a_name_that_exists_is_itself_and_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a[1].log");
    std::fs::write(&path, "").unwrap();
    let name = path.clone().into_os_string();
    assert_eq!(find(&[name.clone(), "-".into(), name]).unwrap(), [Source::File(path), Source::Stdin]);
}
