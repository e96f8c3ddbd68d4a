//! The rules about requests themselves, which are off, over recorded logs: they tell nothing as the logs stand, and exactly
//! what is done to a log when answers are taken out of it and ids given to other requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::ir::RuleSet;
use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::plan::Plan;
use engine::run::Run;
use serde_json::Value;

use super::{log, run};

const HOUR: i64 = 3_600_000_000_000;

/// The two rules alone, on.
fn rules() -> RuleSet {
    let mut rules = run::shipped();
    for rule in &mut rules.rules {
        rule.disabled = !["never_answered", "audit_id_repeated"].contains(&rule.name.as_str());
    }
    rules
}

/// The rule and the `auditID` of each alert, an hour after the end of the log.
fn told(rules: &RuleSet, limits: Limits, logs: &[String]) -> BTreeSet<(String, String)> {
    let mut run = Run::new(Arc::new(Plan::new(rules, limits)), limits);
    for (number, log) in logs.iter().enumerate() {
        run.add(SourceInfo { name: number.to_string().into(), cluster: None }, log.as_bytes());
    }
    let last = |log: &String| {
        let stamps = log.split("\"stageTimestamp\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        stamps.max().map(str::to_owned)
    };
    let last = logs.iter().filter_map(last).max().expect("a log with events");
    let last = chrono::DateTime::parse_from_rfc3339(&last).expect("a time").timestamp_nanos_opt();
    run.read_until(last.expect("a time of these years") + HOUR);
    let mut alerts = Vec::new();
    run.state.drain(&mut alerts);
    let id = |alert: &engine::alert::Alert| {
        let event = alert.events.last().expect("evidence");
        (alert.rule.name.to_string(), event.meta.audit_id.to_string())
    };
    let told: BTreeSet<_> = alerts.iter().map(id).collect();
    assert_eq!(told.len(), alerts.len(), "each is told once");
    told
}

fn text(recorded: &std::path::Path, name: &str) -> Vec<String> {
    let read = |path| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut log::open(path), &mut text).expect("a log of text");
        text
    };
    log::files(recorded, name).iter().map(|path| read(path)).collect()
}

#[test]
fn nothing_is_unanswered_or_repeated_but_what_was_made_so() {
    let Some(recorded) = log::recorded() else {
        println!("no recorded logs here: nothing was measured");
        return;
    };
    let rules = rules();
    let (with, without) = (Limits::default(), Limits { request_table_bytes_max: 0, ..Limits::default() });
    for name in ["requestresponse", "rotation", "benign"] {
        assert_eq!(told(&rules, with, &text(&recorded, name)), BTreeSet::new(), "{name}");
    }

    let log = text(&recorded, "requestresponse").concat();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let id = |event: &Value| event["auditID"].as_str().unwrap_or("").to_owned();
    let received: Vec<String> = events.iter().filter(|e| e["stage"] == "RequestReceived").map(id).collect();
    let lost: BTreeSet<String> = received.iter().step_by(997).cloned().collect();
    // Each of these comes under the id of the one that was received before it.
    let pairs = received.windows(2).skip(500).step_by(1_499);
    let apart = pairs.filter(|pair| pair.iter().all(|id| !lost.contains(id)));
    let taken: Vec<(String, String)> = apart.map(|pair| (pair[1].clone(), pair[0].clone())).collect();
    let mut changed = String::new();
    for mut event in events {
        let this = id(&event);
        if lost.contains(&this) && event["stage"] != "RequestReceived" {
            continue;
        }
        if let Some((_, other)) = taken.iter().find(|(of, _)| *of == this) {
            event["auditID"] = other.as_str().into();
        }
        changed += &format!("{event}\n");
    }
    let expected = lost.iter().map(|id| ("never_answered".to_owned(), id.clone()));
    let repeated = taken.iter().map(|(_, other)| ("audit_id_repeated".to_owned(), other.clone()));
    let expected: BTreeSet<_> = expected.chain(repeated).collect();
    assert!(expected.len() > 20, "{}", expected.len());
    let logs = [changed];
    assert_eq!(told(&rules, with, &logs), expected);
    assert_eq!(told(&rules, without, &logs), expected);
}
