//! `run --state` with the real binary: killed, cut off, gone on with.
//!
//! `STATE_KILLS=N` kills in N runs of the program instead of a few.

mod faults;
mod folders;
mod grown;
mod kills;

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::{Place, event};

/// One of each way to remember: at once, sliding, tumbling, a session, an order of things, a silence, a throttle, a rule on alerts.
pub(crate) const RULES: &str = r#"
rule secret_get "A secret is read" {
    severity high
    on       get of secrets
    alert    "{user.username} read {objectRef.name}"
}
rule many_deletes "Many pods are deleted" {
    severity critical
    on       delete of pods
    by       user.username
    when     count() >= 3 within 30s
    alert    "{user.username} deleted {count()} pods"
}
rule per_minute "Deletes by the minute" {
    severity low
    on       delete of pods
    by       user.username
    when     count() >= 2 tumbling 1m
    alert    "{count()} in a minute"
}
rule read_then_delete "A secret is read and then a pod deleted" {
    severity high
    by       user.username
    sequence within 1m {
        read: on get of secrets
        drop: on delete of pods
    }
    alert    "{user.username} read {read.objectRef.name}"
}
rule quiet "Nobody reads pods any more" {
    severity low
    on       get of pods
    by       user.username
    when     silent for 45s
    alert    "silent"
}
rule now_and_then "A delete, told once a minute" {
    severity low
    on       delete of pods
    by       user.username
    throttle 1m
    alert    "deleted"
}
rule twice "Two alerts of one user" {
    severity critical
    on       alert of many_deletes, secret_get
    by       user.username
    when     count() >= 2 within 5m
    alert    "twice"
}
"#;

/// A folder with the rules and no log.
pub(crate) fn place() -> Place {
    let place = Place::new();
    place.write("set.rule", RULES);
    std::fs::remove_file(place.path().join("audit.log")).unwrap();
    place
}

/// Numbers that look like chance and are the same each time.
#[derive(Clone, Copy)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }
}

/// So many events, a second apart: mostly of no interest.
pub(crate) fn log(events: u32, seed: u64) -> Vec<String> {
    let mut chance = Chance(seed);
    let mut line = |second: u32| {
        let user = ["ann", "bob", "eve", "sam"][chance.below(4) as usize];
        let (verb, resource) = match chance.below(12) {
            0 | 1 => ("delete", "pods"),
            2 => ("get", "secrets"),
            3 => ("get", "pods"),
            _ => ("list", "nodes"),
        };
        let name = format!("x{}", chance.below(50));
        event(second % 3600, user, verb, resource, &name)
            .replace("T12:", &format!("T{:02}:", second / 3600))
            .replace(&format!("\"{user}-{}\"", second % 3600), &format!("\"{user}-{second}\""))
    };
    (0..events).map(&mut line).collect()
}

/// Alerts by their ids, each there once.
#[track_caller]
pub(crate) fn alerts(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for line in text.lines() {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        let before = all.insert(alert["id"].as_str().unwrap().to_owned(), line.to_owned());
        assert_eq!(before, None, "an id came twice: {line}");
    }
    all
}

/// The ids.
#[track_caller]
pub(crate) fn ids(text: &str) -> BTreeSet<String> {
    alerts(text).into_keys().collect()
}

/// What a run that remembers nothing says of a log.
pub(crate) fn undisturbed(place: &Place, log: &str) -> BTreeMap<String, String> {
    place.write("whole/audit.log", log);
    let ran = place.run(&["run", "set.rule", "--from", "whole/audit.log"]).ends(0);
    let all = alerts(&ran.out.replace("whole/audit.log", "audit.log"));
    let rules: BTreeSet<&str> =
        ["secret_get", "many_deletes", "per_minute", "read_then_delete", "quiet", "now_and_then"]
            .into_iter()
            .filter(|rule| all.values().any(|line| line.contains(&format!("\"rule\":\"{rule}\""))))
            .collect();
    assert_eq!(rules.len(), 6, "each rule has something to tell: {rules:?}");
    all
}
