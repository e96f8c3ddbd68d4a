//! A state that is loaded under other rules: one is gone, has another name, is new, stands elsewhere. The others answer as if
//! nothing had happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::ir::{On, Rule, RuleSet};
use engine::plan::Plan;

use super::drive::{Way, drive_over};
use super::run::{limits, plain};
use super::{AtOnce, compile_text, difference};
use crate::generate::{Case, Choices};
use crate::reference::{Answer, RefAlert};

/// A rule that no case has, to come in new.
const NEW: &str = "rule newcomer \"New\" { severity low on any of any by user.username when count() >= 2 within 10s throttle 0s
    alert \"{user.username} {count()}\" }\n";

/// Goes over to other rules in the middle. False: the other rules are none.
///
/// # Errors
/// What differs, as text.
pub(super) fn changed(
    case: &Case,
    rules: &RuleSet,
    answer: &Answer,
    at_once: AtOnce,
    choices: &mut Choices<'_>,
) -> Result<bool, String> {
    let Some((what, named, text)) = another(case, choices) else { return Ok(false) };
    // Others may listen to what is gone.
    let Ok(other) = compile_text(text) else { return Ok(false) };
    let same = unchanged(rules, &other, &named);
    let way = Way::random(*choices.pick(&[1, 2, 7]), choices);
    let plans = [rules, &other].map(|rules| Arc::new(Plan::new(rules, limits(case))));
    let [plan, after] = plans;
    let (alerts, dropped) = drive_over(&plan, after, case, &way)?;
    if let Some(rule) = dropped.iter().find(|rule| same.contains(rule.as_str())) {
        return Err(format!("{what}: rule `{rule}` begins anew, though it did not change\n"));
    }
    let of = |all: &[RefAlert]| -> Vec<RefAlert> {
        all.iter().filter(|alert| same.contains(alert.rule.as_str())).cloned().collect()
    };
    let found: Vec<RefAlert> = alerts.iter().map(plain).collect();
    difference(rules, &of(&answer.alerts), &of(&found), at_once)
        .map_or(Ok(true), |text| Err(format!("{what}, {way:?}:\n{text}")))
}

/// What rules that get another name are called then.
const RENAMED: &str = "renamed";

/// What is done to which rule, and the other rule set, without tests.
fn another(case: &Case, choices: &mut Choices<'_>) -> Option<(String, String, String)> {
    let (mut rules, rest): (Vec<String>, Vec<String>) =
        case.rules.rules.iter().cloned().partition(|text| text.starts_with("rule "));
    let rest: String = rest.into_iter().filter(|text| text.starts_with("tune ")).collect();
    let at = choices.below(rules.len());
    let named = rules.get(at)?.split_whitespace().nth(1)?.to_owned();
    let what = match choices.below(4) {
        0 => {
            rules.remove(at);
            format!("`{named}` is gone")
        }
        1 => {
            rules[at] = rules[at].replacen(&named, RENAMED, 1);
            format!("`{named}` has another name")
        }
        2 => {
            rules.insert(at, NEW.to_owned());
            "a rule is new".to_owned()
        }
        _ => {
            rules.remove(at);
            rules.insert(0, NEW.to_owned());
            format!("`{named}` is gone and another is new")
        }
    };
    if choices.chance(50) {
        rules.reverse();
    }
    let text = format!("{}\n{}\n{rest}", case.rules.head, rules.join("\n"));
    Some((format!("a state goes on under other rules, {what}"), named, text))
}

/// The rules that both have, that hear the same of both, and that no rule hears anew: it may read of their events what nobody
/// kept. `named` may have another name now.
fn unchanged<'r>(rules: &'r RuleSet, other: &RuleSet, named: &str) -> BTreeSet<&'r str> {
    let find =
        |of: &RuleSet, name: &str| of.rules.iter().position(|rule| rule.name == name && !rule.disabled);
    let mut same: BTreeSet<&str> = rules
        .rules
        .iter()
        .map(|rule| rule.name.as_str())
        .filter(|name| find(rules, name).is_some() && find(other, name).is_some())
        .collect();
    // A tune by the old name does not turn it off any more.
    let was = |name: &str| find(rules, if name == RENAMED { named } else { name }).is_some();
    let mut anew: Vec<&Rule> = other.rules.iter().filter(|rule| !rule.disabled && !was(&rule.name)).collect();
    while let Some(rule) = anew.pop() {
        // What an alert tells of another one's event, it reads of it too.
        let heard = hears(other, rule);
        anew.extend(other.rules.iter().filter(|rule| heard.contains(&rule.name)));
        same.retain(|name| !heard.contains(*name));
    }
    loop {
        let lost: Vec<&str> = same
            .iter()
            .copied()
            .filter(|name| {
                let heard =
                    |of: &RuleSet| find(of, name).map(|n| hears(of, &of.rules[n])).unwrap_or_default();
                let then = heard(rules);
                then != heard(other) || then.iter().any(|heard| !same.contains(heard.as_str()))
            })
            .collect();
        if lost.is_empty() {
            return same;
        }
        same.retain(|name| !lost.contains(name));
    }
}

/// The rules, but those that are off, whose alerts a rule takes.
fn hears(rules: &RuleSet, rule: &Rule) -> BTreeSet<String> {
    let steps =
        rule.steps.iter().filter_map(|step| if let On::Alerts(of) = &step.on { Some(of) } else { None });
    let on = steps.flatten().map(|n| &rules.rules[*n]).filter(|rule| !rule.disabled);
    on.map(|rule| rule.name.clone()).collect()
}
