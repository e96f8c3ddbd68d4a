//! What must be equal, and what may differ.
//!
//! All of it, in a bounded run: every alert with id, rule, time, key, count, text, what was held back, evidence and notes, as
//! multisets. One thing is outside the promise: rules that answer at once tell a request by the first of its events that
//! comes, and which comes first of several sources nobody says. There ids, rules and counts are compared, as sets.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use dsl::ir::{Rule, RuleSet, Shape};

use crate::reference::RefAlert;

/// Whether a rule waits for the watermark.
#[must_use]
pub fn waits(rule: &Rule) -> bool {
    !matches!(rule.shape, Shape::Each) || rule.throttle > 0
}

/// How much of the alerts of rules that answer at once is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// All.
    Whole,
    /// Ids, rules, counts.
    Ids,
    /// Nothing.
    Nothing,
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
    for rule in &rules.rules {
        let of = |all: &[RefAlert]| -> Vec<RefAlert> {
            let mut all: Vec<RefAlert> = all.iter().filter(|a| a.rule == rule.name).cloned().collect();
            all.sort();
            all
        };
        let (expected, found) = (of(reference), of(engine));
        let ids = |all: &[RefAlert]| all.iter().map(|a| (a.id.clone(), a.count)).collect::<BTreeSet<_>>();
        let same = match if waits(rule) { AtOnce::Whole } else { at_once } {
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
