//! The shipped rules over a log.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use tests::reference::{Arrival, Poison, Settings, Source, answer};

use super::log;

/// As much of an alert as is measured.
pub(super) struct Told {
    pub(super) rule: String,
    pub(super) message: String,
    /// The `auditID`s of its evidence.
    pub(super) events: Vec<String>,
}

/// The rules in `rules/`, without an error and without a warning.
pub(super) fn shipped() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "rule"));
    files.sort();
    let mut map = SourceMap::default();
    for file in files {
        map.add(file.display().to_string(), std::fs::read_to_string(&file).unwrap());
    }
    let outcome = dsl::check::compile(&map);
    let said = dsl::diag::render::human(&map, &outcome.diagnostics, false);
    assert!(outcome.rules.is_some(), "{said}");
    outcome.rules.unwrap()
}

pub(super) fn alerts(rules: &RuleSet, files: &[PathBuf]) -> Vec<Told> {
    let mut arrivals = Vec::new();
    let mut ids: HashMap<String, String> = HashMap::new();
    for path in files {
        for line in BufReader::new(log::open(path)).split(b'\n') {
            let json: serde_json::Value = serde_json::from_slice(&line.unwrap()).unwrap();
            let t = chrono::DateTime::parse_from_rfc3339(json["requestReceivedTimestamp"].as_str().unwrap())
                .unwrap()
                .timestamp_nanos_opt()
                .unwrap()
                .to_string();
            let mut h = blake3::Hasher::new();
            h.update(b"request");
            h.update(&[0]);
            for f in [
                json["auditID"].as_str().unwrap(),
                &t,
                json["verb"].as_str().unwrap(),
                json["requestURI"].as_str().unwrap(),
            ] {
                h.update(&[1]);
                h.update(&(f.len() as u64).to_le_bytes());
                h.update(f.as_bytes());
            }
            let id: String = h.finalize().as_bytes()[..16].iter().map(|b| format!("{b:02x}")).collect();
            ids.insert(id, json["auditID"].as_str().unwrap().to_owned());
            arrivals.push(Arrival { source: 0, envelope_cluster: None, json });
        }
    }
    let sources = [Source { name: String::new(), cluster: None }];
    let settings = Settings { lateness: 5_000_000_000, request_memory: 3_600_000_000_000 };
    let answer = answer(rules, &sources, &arrivals, settings, &Poison::default());
    answer
        .alerts
        .into_iter()
        .map(|a| Told {
            rule: a.rule,
            message: a.message,
            events: a.events.iter().map(|e| ids[e].clone()).collect(),
        })
        .collect()
}
