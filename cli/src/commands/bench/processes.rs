//! What only a process of its own can show: how much memory a run takes, and how long it is in starting.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use connect::{Error, pack};
use dsl::source::SourceMap;
use generate::rules;
use serde_json::Value;

use super::files::{Files, Log};

/// At least so many keys are idle, and at most.
const KEYS: (u64, u64) = (20_000, 200_000);

/// A run over a log; gives its summary.
fn run(rules: &[PathBuf], log: &Path) -> Result<Value, Error> {
    let summary = log.with_extension("summary");
    let failed = |cause| Error::named("run", "auditd-rules", &cause);
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    let words: [OsString; 6] = [
        "--from".into(),
        log.into(),
        "--to".into(),
        "file:/dev/null".into(),
        "--summary".into(),
        summary.clone().into(),
    ];
    command.arg("run").args(rules).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().map_err(failed)?;
    if !status.success() {
        return Err(Error::failed(format!("a run over made-up events ended with {status}")));
    }
    let text = std::fs::read(&summary).map_err(|cause| Error::io("read", &summary, &cause))?;
    serde_json::from_slice(&text).map_err(|cause| Error::failed(format!("a summary is no JSON: {cause}")))
}

/// The most memory that a run had, in bytes.
pub(super) fn memory(log: &Log, rules: &[PathBuf]) -> Result<f64, Error> {
    let peak = run(rules, &log.path)?.get("memory_peak_bytes").and_then(Value::as_f64);
    peak.ok_or_else(|| Error::failed("this system does not tell how much memory a process had"))
}

/// How many bytes a key takes of which one event was seen, and how many keys there were: what a run has more than one
/// that reads the same events and remembers nothing.
pub(super) fn key(files: &Files, keys: u64) -> Result<(f64, u64), Error> {
    let keys = keys.clamp(KEYS.0, KEYS.1);
    let mut text = String::new();
    for key in 0..keys {
        let (minute, second, micro) = (key / 60_000 % 60, key / 1_000 % 60, key % 1_000);
        let time = format!("2026-01-05T00:{minute:02}:{second:02}.{micro:06}Z");
        let _infallible = writeln!(
            text,
            "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"id-{key}\",\
             \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/pods\",\"verb\":\"list\",\
             \"user\":{{\"username\":\"user-{key}\",\"groups\":[\"system:authenticated\"]}},\"sourceIPs\":[\"10.1.2.3\"],\
             \"objectRef\":{{\"resource\":\"pods\",\"apiVersion\":\"v1\"}},\"responseStatus\":{{\"metadata\":{{}},\"code\":200}},\
             \"requestReceivedTimestamp\":\"{time}\",\"stageTimestamp\":\"{time}\"}}"
        );
    }
    let log = files.write("keys", text.as_bytes())?;
    let with = |name: &str, text: &str| -> Result<f64, Error> {
        let rules = files.write(name, text.as_bytes())?;
        memory(&log, std::slice::from_ref(&rules.path))
    };
    let more = with("keys.rule", rules::KEYS)? - with("ten.rule", rules::TEN)?;
    Ok((more / keys as f64, keys))
}

/// How long a run of one event takes from its start to its end, in seconds, the best of several.
pub(super) fn start(files: &Files, rules: String, turns: usize) -> Result<f64, Error> {
    let mut sources = SourceMap::default();
    sources.add("many.rule", rules);
    let pack = files.write("many.adrp", &pack::write("bench", &sources))?;
    let log = files.one_event()?;
    let mut best = f64::INFINITY;
    for _ in 0..turns {
        let began = Instant::now();
        run(std::slice::from_ref(&pack.path), &log.path)?;
        best = best.min(began.elapsed().as_secs_f64());
    }
    Ok(best)
}
