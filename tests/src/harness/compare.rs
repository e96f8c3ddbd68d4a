//! What must be equal, and what may differ.
//!
//! All of it, in a bounded run: every alert with id, rule, time, key, count, text, what was held back, evidence and notes, as
//! multisets. One thing is outside the promise: rules that answer at once tell a request by the first of its events that
//! comes, and which comes first of several sources nobody says. There ids, rules and counts are compared, as sets.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use dsl::ir::{On, RuleSet};

use crate::reference::{RefAlert, waits};

/// How much of the alerts of rules that answer at once is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AtOnce {
    /// Nothing.
    Nothing,
    /// Ids, rules, counts.
    Ids,
    /// All.
    Whole,
}

/// What differs, if anything.
#[must_use]
pub fn difference(
    rules: &RuleSet,
    reference: &[RefAlert],
    engine: &[RefAlert],
    at_once: AtOnce,
) -> Option<String> {
    let mut text = String::new();
    for (n, rule) in rules.rules.iter().enumerate() {
        let of = |all: &[RefAlert]| -> Vec<RefAlert> {
            let mut all: Vec<RefAlert> = all.iter().filter(|a| a.rule == rule.name).cloned().collect();
            all.sort();
            all
        };
        let (expected, found) = (of(reference), of(engine));
        let ids = |all: &[RefAlert]| all.iter().map(|a| (a.id.clone(), a.count)).collect::<BTreeSet<_>>();
        let same = match promised(rules, n, at_once) {
            AtOnce::Whole => expected == found,
            AtOnce::Ids => ids(&expected) == ids(&found),
            AtOnce::Nothing => true,
        };
        if !same {
            let _ = writeln!(text, "rule `{}`:", rule.name);
            for alert in expected.iter().filter(|a| !found.contains(a)) {
                let _ = writeln!(text, "  reference only: {alert:?}");
            }
            for alert in found.iter().filter(|a| !expected.contains(a)) {
                let _ = writeln!(text, "  engine only:    {alert:?}");
            }
            let _ = writeln!(text, "  ({} and {} alerts)", expected.len(), found.len());
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The rules to whose alerts a rule listens.
fn heard(rules: &RuleSet, rule: usize) -> impl Iterator<Item = usize> {
    let steps = rules.rules[rule].steps.iter();
    let lists = steps.filter_map(|step| if let On::Alerts(of) = &step.on { Some(of) } else { None });
    lists.flatten().copied()
}

/// Whether what a rule tells rests on what is no event, which is known by its place in its source.
#[must_use]
pub fn rests_on_places(rules: &RuleSet, rule: usize) -> bool {
    rules.rules[rule].steps.iter().any(|step| step.on == On::Undecodable)
        || heard(rules, rule).any(|of| rests_on_places(rules, of))
}

/// Whether what is counted of a rule is promised: which event a rule that answers at once tells decides what others hear.
#[must_use]
pub fn counts_promised(rules: &RuleSet, rule: usize, at_once: AtOnce) -> bool {
    heard(rules, rule).all(|of| promised(rules, of, at_once) == AtOnce::Whole)
}

/// What is promised of a rule, where so much is of those that answer at once. Which event these tell decides when their
/// alerts come to others, so of what waits for them nothing is if not all.
fn promised(rules: &RuleSet, rule: usize, at_once: AtOnce) -> AtOnce {
    let of_others = heard(rules, rule).map(|of| promised(rules, of, at_once)).min().unwrap_or(AtOnce::Whole);
    match (waits(rules, rule), of_others) {
        (true, AtOnce::Whole) => AtOnce::Whole,
        (true, _) => AtOnce::Nothing,
        (false, _) => at_once.min(of_others),
    }
}
