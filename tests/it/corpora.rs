//! The shipped rules over recorded logs: nothing crashes, every event is accounted for, engine and reference agree.
//!
//! The logs are those of `AUDIT_DATA`, else `../shared/data` beside the repository; where there are none the tests say so
//! and pass. What the labels of the recordings ask of the rules is in [`super::labels`].

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use dsl::ir::RuleSet;
use engine::limits::Limits;
use flate2::read::MultiGzDecoder;
use tests::harness::{AtOnce, difference, run};
use tests::reference::{Arrival, Poison, Settings, Source, answer};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The logs, or nothing where they are not at hand.
fn data() -> Option<PathBuf> {
    let data = std::env::var_os("AUDIT_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    if data.is_dir() {
        return Some(data);
    }
    println!("no recorded logs at {}: nothing was tested", data.display());
    None
}

/// The shipped rules.
fn pack() -> RuleSet {
    let sources = connect::rules::load(&[root().join("rules")]).unwrap().sources;
    let outcome = dsl::check::compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics))
}

/// All files below a folder with one of these endings, sorted.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(files(&path, endings));
        } else if endings.iter().any(|ending| name.ends_with(&format!(".{ending}"))) {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn bytes(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut plain = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        return plain;
    }
    bytes
}

#[test]
fn every_log_runs_through_and_is_accounted_for() {
    let Some(data) = data() else { return };
    let rules = pack();
    let mut logs = files(&data.join("recorded"), &["log", "log.gz", "jsonl.gz"]);
    logs.extend(files(&data.join("third-party/audit-logs"), &["log", "json"]));
    assert!(logs.len() > 10, "{logs:?}");
    for log in logs {
        let source = (log.display().to_string(), None, bytes(&log));
        let (alerts, tally) = run(&rules, Limits::default(), 1 << 20, &[source]);
        let undecodable: u64 = tally.undecodable.values().map(|of| of.count).sum();
        println!(
            "{}: read {}, decoded {}, undecodable {:?}, {} alerts",
            log.strip_prefix(&data).unwrap().display(),
            tally.read,
            tally.decoded,
            tally.undecodable,
            alerts.len()
        );
        assert_eq!(tally.read, tally.decoded + tally.passed + undecodable, "{}", log.display());
        assert!(tally.read > 0, "{}", log.display());
        if log.starts_with(data.join("recorded")) {
            assert_eq!(undecodable, 0, "all that was recorded is events: {}", log.display());
        }
    }
}

/// One event a line.
fn agree_on(data: &Path, name: &str) {
    let rules = pack();
    let plain = bytes(&data.join("recorded").join(name));
    let events = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let arrivals: Vec<Arrival> =
        events.map(|line| Arrival::event(0, serde_json::from_slice(line).unwrap())).collect();
    let limits = Limits::default();
    let settings = Settings { lateness: limits.lateness, request_memory: limits.request_memory, until: None };
    let sources = [Source { name: name.to_owned(), cluster: None }];
    let expected = answer(&rules, &sources, &arrivals, settings, &Poison::default());
    let (alerts, tally) = run(&rules, limits, 1 << 18, &[(name.to_owned(), None, plain)]);
    let differs = difference(&rules, &expected.alerts, &alerts, AtOnce::Whole);
    assert!(differs.is_none(), "{name}: {}", differs.unwrap_or_default());
    assert_eq!((tally.decoded + tally.passed, tally.late), (expected.decoded, expected.late), "{name}");
    for (rule, counted) in rules.rules.iter().filter(|rule| !rule.disabled).zip(&tally.rules) {
        assert_eq!(
            counted.unknown_decided, expected.rules[&rule.name].unknown_decided,
            "{name}: {}",
            rule.name
        );
    }
    println!("{name}: {} events, {} alerts from both", tally.decoded + tally.passed, alerts.len());
}

#[test]
fn engine_and_reference_agree_on_recordings() {
    let Some(data) = data() else { return };
    for name in
        ["small.log", "benign.log.gz", "kce-policy.log.gz", "falco-policy.log.gz", "seed-policy.log.gz"]
    {
        agree_on(&data, name);
    }
}
