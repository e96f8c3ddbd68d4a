//! The shipped rules against the recorded logs: every labelled attack that a rule covers is found, and nothing is told of what is
//! none. What a policy did not record a rule cannot see; such attacks are counted apart.
//!
//! The logs are no part of the repository (AUDIT_DATA, or `../shared/data` beside it): without them the tests say so and pass.

mod examples;
mod log;
mod requests;
pub(crate) mod run;
mod table;

use std::collections::{BTreeSet, HashMap};

use log::Request;
use run::Told;
use table::{COVERS, Cover, EXPLAINED, Explained, Found};

/// Long ones with every body, with none, with three policies in use; one without any attack; rotated files.
const LOGS: &[&str] = &[
    "requestresponse",
    "metadata",
    "seed-policy",
    "kce-policy",
    "falco-policy",
    "small",
    "benign",
    "rotation",
];

/// What came of one row of the table in one log: requests, or where many make one alert, users.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    labelled: usize,
    visible: usize,
    found: usize,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.labelled += other.labelled;
        self.visible += other.visible;
        self.found += other.found;
    }
}

fn print(cover: &Cover, score: Score) {
    println!(
        "  {:<24} found {:>3} of {:>3} visible, {:>3} labelled  {}",
        cover.rule,
        score.found,
        score.visible,
        score.labelled,
        cover.labels.join(" ")
    );
}

#[test]
fn labelled_attacks_are_found_and_nothing_else_is_told() {
    let Some(recorded) = log::recorded() else {
        println!("no recorded logs here: nothing was measured");
        return;
    };
    let rules = run::shipped();
    let mut failures = Vec::new();
    for name in LOGS {
        let requests = log::requests(&recorded, name);
        let told = run::alerts(&rules, &log::files(&recorded, name));
        println!("{name}: {} alerts", told.len());
        let (mut each, mut users) = (Score::default(), Score::default());
        for cover in COVERS {
            let score = score(cover, &requests, &told, &mut failures);
            if score.labelled > 0 {
                print(cover, score);
            }
            if cover.found == Found::Each { &mut each } else { &mut users }.add(score);
        }
        println!(
            "  in all: {} of {} visible requests found, {} not recorded; {} of {} bursts",
            each.found,
            each.visible,
            each.labelled - each.visible,
            users.found,
            users.labelled
        );
        explain(name, &requests, &told, &mut failures);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn score(
    cover: &Cover,
    requests: &HashMap<String, Request>,
    told: &[Told],
    failures: &mut Vec<String>,
) -> Score {
    let evidence: BTreeSet<&str> = told
        .iter()
        .filter(|t| t.rule == cover.rule)
        .flat_map(|t| t.events.iter().map(String::as_str))
        .collect();
    let meant: Vec<(&String, &Request)> = requests
        .iter()
        .filter(|(_, r)| r.attack() && cover.labels.iter().any(|l| r.has(l)) && (cover.only)(r))
        .collect();
    if cover.found == Found::Burst {
        return users(cover, requests, &meant, &evidence, failures);
    }
    let mut score = Score { labelled: meant.len(), ..Score::default() };
    for (id, request) in meant.into_iter().filter(|(_, r)| r.shows(cover.needs)) {
        score.visible += 1;
        if evidence.contains(id.as_str()) {
            score.found += 1;
        } else {
            failures.push(format!("{}: missed {id} {}", cover.rule, request.text()));
        }
    }
    score
}

/// The same for users instead of requests.
fn users(
    cover: &Cover,
    requests: &HashMap<String, Request>,
    meant: &[(&String, &Request)],
    evidence: &BTreeSet<&str>,
    failures: &mut Vec<String>,
) -> Score {
    let labelled: BTreeSet<&str> = meant.iter().map(|(_, r)| r.user.as_str()).collect();
    let told: BTreeSet<&str> = evidence
        .iter()
        .map(|id| &requests[*id])
        .filter(|r| r.attack() || explained(cover.rule, r).is_some())
        .map(|r| r.user.as_str())
        .collect();
    let missed = labelled.difference(&told);
    failures.extend(missed.map(|user| format!("{}: nothing of {user}'s {:?}", cover.rule, cover.labels)));
    let found = labelled.intersection(&told).count();
    Score { labelled: labelled.len(), visible: labelled.len(), found }
}

fn explained(rule: &str, request: &Request) -> Option<&'static Explained> {
    EXPLAINED.iter().find(|e| e.rule == rule && (e.is)(request))
}

/// Every request that an alert rests on is an attack's, a controller's answer to one, or explained.
fn explain(name: &str, requests: &HashMap<String, Request>, told: &[Told], failures: &mut Vec<String>) {
    let mut near = 0;
    let mut by_reason: HashMap<(&str, &str), usize> = HashMap::new();
    for alert in told {
        for id in &alert.events {
            let request = &requests[id];
            if request.attack() || request.consequence {
                continue;
            }
            match explained(&alert.rule, request) {
                Some(explained) => *by_reason.entry((explained.rule, explained.why)).or_default() += 1,
                None => {
                    near += 1;
                    failures.push(format!("{name}: {} tells of {id} {}", alert.rule, request.text()));
                }
            }
        }
    }
    let labelled =
        requests.values().filter(|r| r.labels.iter().any(|(_, expected)| expected == "near-miss")).count();
    println!("  near-misses: {labelled}; told without a reason, of these or of anything benign: {near}");
    let mut reasons: Vec<_> = by_reason.into_iter().collect();
    reasons.sort();
    for ((rule, why), count) in reasons {
        println!("  {rule}: {count} times, {why}");
    }
}

/// What the README's first command shows: the sample is real, and tells of these.
#[test]
fn the_sample_shows_what_the_rules_find() {
    let told = run::alerts(&run::shipped(), &[run::folder("samples").join("attack.log.gz")]);
    let rules: BTreeSet<&str> = told.iter().map(|t| t.rule.as_str()).collect();
    for rule in [
        "secret_read",
        "cluster_admin_bound",
        "exec_in_pod",
        "sensitive_host_path",
        "namespace_deleted",
        "bulk_delete",
        "login_failures",
        "node_tainted",
        "secret_then_exec",
    ] {
        assert!(rules.contains(rule), "{rule} is silent on the sample; it tells {rules:?}");
    }
}

#[test]
fn the_shipped_rules_pass_their_own_tests() {
    let failures = run::failing(&run::shipped());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
