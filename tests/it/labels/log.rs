//! The recorded logs: what each request was, and what its recorder says of it.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::table::Needs;

/// All events of one `auditID` together: in these logs none is used twice among labelled requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) user: String,
    pub(super) verb: String,
    /// With its subresource: `pods/exec`.
    pub(super) resource: String,
    pub(super) uri: String,
    pub(super) code: Option<i64>,
    /// Whether its body was recorded.
    pub(super) body: bool,
    /// Whether its answer was.
    pub(super) answer: bool,
    pub(super) labels: Vec<(String, String)>,
    /// Made by a component of what an attacker made.
    pub(super) consequence: bool,
}

impl Request {
    pub(super) fn has(&self, label: &str) -> bool {
        self.labels.iter().any(|(name, _)| name == label)
    }

    pub(super) fn attack(&self) -> bool {
        self.labels.iter().any(|(_, expected)| expected == "attack")
    }

    pub(super) fn shows(&self, needs: Needs) -> bool {
        match needs {
            Needs::Metadata => true,
            Needs::Body => self.body,
            Needs::Answer => self.answer,
        }
    }

    /// For messages.
    pub(super) fn text(&self) -> String {
        format!("{} {} {} {:?} {:?}", self.user, self.verb, self.uri, self.code, self.labels)
    }
}

/// The recordings, or nothing where they are not at hand.
pub(super) fn recorded() -> Option<PathBuf> {
    let data = std::env::var_os("AUDIT_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let recorded = data.join("recorded");
    recorded.is_dir().then_some(recorded)
}

/// The files of a log.
pub(super) fn files(recorded: &Path, name: &str) -> Vec<PathBuf> {
    let plain = recorded.join(format!("{name}.log"));
    let packed = recorded.join(format!("{name}.log.gz"));
    if plain.is_file() {
        return vec![plain];
    }
    if packed.is_file() {
        return vec![packed];
    }
    let mut files: Vec<PathBuf> = fs::read_dir(recorded.join(name))
        .expect("a log, or a folder of rotated ones")
        .map(|entry| entry.expect("a folder that can be listed").path())
        .collect();
    files.sort();
    files
}

/// A file, unpacked.
pub(super) fn open(path: &Path) -> Box<dyn Read> {
    let file = fs::File::open(path).expect("a log that can be read");
    if path.extension().is_some_and(|e| e == "gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    }
}

/// Every request of a log by its `auditID`, with its labels.
pub(super) fn requests(recorded: &Path, name: &str) -> HashMap<String, Request> {
    let mut requests: HashMap<String, Request> = HashMap::new();
    for path in files(recorded, name) {
        for line in BufReader::new(open(&path)).split(b'\n') {
            let event: Value = {
                let line = line.expect("a log that can be read");
                serde_json::from_slice(&line).expect("recorded lines are JSON")
            };
            note(&event, requests.entry(text(&event["auditID"])).or_default());
        }
    }
    for row in rows(&recorded.join(format!("{name}.labels.tsv"))) {
        let request = requests.entry(row[0].clone()).or_default();
        request.labels.push((row[1].clone(), row[2].clone()));
    }
    for row in rows(&recorded.join(format!("{name}.consequences.tsv"))) {
        requests.entry(row[0].clone()).or_default().consequence = true;
    }
    requests
}

fn note(event: &Value, request: &mut Request) {
    let object = &event["objectRef"];
    request.user = text(&event["user"]["username"]);
    request.verb = text(&event["verb"]);
    request.uri = text(&event["requestURI"]);
    request.resource = text(&object["resource"]);
    if let Some(subresource) = object["subresource"].as_str() {
        request.resource = format!("{}/{subresource}", request.resource);
    }
    request.code = event["responseStatus"]["code"].as_i64().or(request.code);
    request.body |= !event["requestObject"].is_null();
    request.answer |= !event["responseObject"].is_null();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The rows of a table without its head; none if there is no table.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}
