//! The tests in a rule set bring what the reference says of their events.

use dsl::ir::{On, RuleSet, Test};
use engine::limits::Limits;
use engine::trial::Trial;

use super::run::plain;
use super::{AtOnce, difference};
use crate::reference::{Arrival, Poison, RefAlert, Settings, Source, answer};

/// Runs all tests of a rule set.
///
/// # Errors
/// What differs, as text.
pub(super) fn trials(rules: &RuleSet) -> Result<(), String> {
    for test in &rules.tests {
        let tuned = test.tuned || rules.untuned.is_empty();
        let all = if tuned { &rules.rules } else { &rules.untuned };
        let Some(rule) = all.get(test.rule) else { continue };
        let hears = rule.steps.iter().any(|step| matches!(step.on, On::Alerts(_)));
        // Off, it tells nothing; the reference knows no later end of input.
        if rule.disabled || hears || test.until.is_some() {
            continue;
        }
        let Some(mut trial) = Trial::new(rules, test.rule) else { continue };
        let found: Vec<RefAlert> = trial.run(test).alerts.iter().map(plain).collect();
        let alone = RuleSet { rules: vec![rule.clone()], ..RuleSet::default() };
        let expected = expected(&alone, test);
        if let Some(text) = difference(&alone, &expected, &found, AtOnce::Whole) {
            return Err(format!("the events of a test:\n{text}"));
        }
    }
    Ok(())
}

fn expected(rules: &RuleSet, test: &Test) -> Vec<RefAlert> {
    let source = Source { name: "test".to_owned(), cluster: None };
    let mut events: Vec<&(i64, String)> = test.events.iter().collect();
    events.sort_by_key(|(at, _)| *at);
    let arrival = |(_, line): &(i64, String)| {
        let json = serde_json::from_str(line).ok()?;
        Some(Arrival { source: 0, envelope_cluster: None, json })
    };
    let arrivals: Vec<Arrival> = events.into_iter().filter_map(arrival).collect();
    let settings = Settings { lateness: i64::MAX, request_memory: Limits::default().request_memory };
    answer(rules, &[source], &arrivals, settings, &Poison::default()).alerts
}
