//! The tests in a rule set bring what the reference says of their events.

use dsl::ir::{On, RuleSet, Test};
use engine::limits::Limits;
use engine::trial::Trial;

use super::run::plain;
use super::{AtOnce, difference};
use crate::reference::{Arrival, Poison, RefAlert, Settings, Source, answer_placed};

/// What each test of a rule set brings, by the reference.
pub type Tests = Vec<Vec<RefAlert>>;

/// The part of the language that a test of a rule on alerts is counted as.
pub(super) const ON_ALERTS: &str = "a test of a rule on alerts";

/// Runs all tests of a rule set through both.
///
/// # Errors
/// What differs, as text.
pub(super) fn trials(rules: &RuleSet, poison: &Poison) -> Result<Tests, String> {
    let brought = expected(rules, poison);
    for (test, expected) in rules.tests.iter().zip(&brought) {
        let Some(mut trial) = Trial::new(rules, test.rule) else { continue };
        let found: Vec<RefAlert> = trial.run(test).alerts.iter().map(plain).collect();
        if let Some(text) = difference(&alone(rules, test), expected, &found, AtOnce::Whole) {
            return Err(format!("the events of the test {:?} of rule {}:\n{text}", test.title, test.rule));
        }
    }
    Ok(brought)
}

/// What the tests bring, by the reference.
pub(super) fn expected(rules: &RuleSet, poison: &Poison) -> Tests {
    rules.tests.iter().map(|test| brings(rules, test, poison)).collect()
}

/// The rule set as a test meets it: as written or as tuned, the rule itself on, of the others those whose alerts it hears.
fn alone(rules: &RuleSet, test: &Test) -> RuleSet {
    let tuned = test.tuned || rules.untuned.is_empty();
    let mut all = if tuned { rules.rules.clone() } else { rules.untuned.clone() };
    let mut on = vec![false; all.len()];
    let mut left = vec![test.rule];
    while let Some(next) = left.pop() {
        if std::mem::replace(&mut on[next], true) {
            continue;
        }
        for step in &all[next].steps {
            if let On::Alerts(heard) = &step.on {
                left.extend(heard.iter().copied().filter(|heard| !all[*heard].disabled));
            }
        }
    }
    all.iter_mut().zip(on).for_each(|(rule, on)| rule.disabled = !on);
    RuleSet { rules: all, ..RuleSet::default() }
}

fn brings(rules: &RuleSet, test: &Test, poison: &Poison) -> Vec<RefAlert> {
    // What a tune turns off is silent in the tests that are tuned; what ships off is on in all.
    let off = |all: &[dsl::ir::Rule]| all.get(test.rule).is_some_and(|rule| rule.disabled);
    if test.tuned && !rules.untuned.is_empty() && off(&rules.rules) && !off(&rules.untuned) {
        return Vec::new();
    }
    let set = alone(rules, test);
    let rule = &set.rules[test.rule];
    let hears = rule.steps.iter().any(|step| matches!(step.on, On::Alerts(_)));
    if hears && poison.hits(ON_ALERTS) {
        return Vec::new();
    }
    let source = Source { name: "test".to_owned(), cluster: None };
    let mut events: Vec<(i64, String)> = test.events().collect();
    events.sort_by_key(|(at, _)| *at);
    // A line each.
    let lengths = events.iter().map(|(_, line)| line.len() as u64 + 1);
    let offsets: Vec<u64> = lengths.scan(0, |at, length| Some(std::mem::replace(at, *at + length))).collect();
    let event = |(_, line): &(i64, String)| {
        let json = serde_json::from_str(line).unwrap_or_default();
        Arrival::event(0, json)
    };
    let arrivals: Vec<Arrival> = events.iter().map(event).collect();
    let request_memory = Limits::default().request_memory;
    let settings = Settings { lateness: i64::MAX, request_memory, until: test.until };
    let mut alerts = answer_placed(&set, &[source], &arrivals, &offsets, settings, poison).alerts;
    alerts.retain(|alert| alert.rule == rule.name);
    alerts
}
