//! Rules on alerts: which rules there are to listen to, by number, and that none of them listens to itself.
//!
//! `alert of any` is every rule that listens to no alerts itself, so only names can lead in a circle. Circles are found
//! without recursion, in time and memory of the names that stand behind `on alert of`.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::report::Report;
use crate::diag::{Code, Diagnostic};
use crate::syntax::ast::{self, ClauseKind, File, Item, SelectorKind};

/// The rules of a set by number.
#[derive(Debug, Default)]
pub(crate) struct Rules<'a> {
    numbers: BTreeMap<&'a str, usize>,
    /// Those that `alert of any` means: on, and not built on alerts.
    any: Vec<usize>,
}

impl<'a> Rules<'a> {
    /// Of all files, in their order, some of them tuned; circles are reported.
    pub(crate) fn gather(
        names: &Names<'a>,
        files: &'a [File],
        tuned: &BTreeMap<&str, ast::Rule>,
        report: &mut Report,
    ) -> Self {
        let mut rules = Self::default();
        let all = files.iter().flat_map(|file| &file.items).filter_map(|item| match item {
            Item::Rule(rule) => Some(rule),
            _ => None,
        });
        for (number, rule) in all.enumerate() {
            let name = rule.name.node.as_str();
            // Of two rules with one name the first holds.
            if !names.rules.get(name).is_some_and(|known| std::ptr::eq(*known, rule)) {
                continue;
            }
            rules.numbers.insert(name, number);
            let rule = tuned.get(name).unwrap_or(rule);
            let on_alerts = selectors(rule).any(|on| matches!(on.kind, SelectorKind::Alert(_)));
            let off = rule.clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Disable));
            if !on_alerts && !off {
                rules.any.push(number);
            }
        }
        find_circles(names, report);
        rules
    }

    /// The numbers of the rules that `alert of` means, ascending. `None` if one of them does not exist; that is reported.
    pub(crate) fn told(
        &self,
        of: Option<&[ast::Name]>,
        names: &Names<'a>,
        report: &mut Report,
    ) -> Option<Vec<usize>> {
        let Some(of) = of else { return Some(self.any.clone()) };
        let mut numbers = BTreeSet::new();
        let mut good = true;
        for name in of {
            let number = names.rule(name, report).and_then(|rule| self.numbers.get(rule.name.node.as_str()));
            good &= number.is_some();
            numbers.extend(number);
        }
        good.then(|| numbers.into_iter().collect())
    }
}

/// What a rule listens to, step by step.
fn selectors(rule: &ast::Rule) -> impl Iterator<Item = &ast::Selector> {
    rule.clauses.iter().flat_map(|clause| match &clause.kind {
        ClauseKind::On(on) => vec![on],
        ClauseKind::Steps(steps) => steps.steps.iter().map(|step| &step.on).collect(),
        _ => Vec::new(),
    })
}

/// The rules that a rule listens to by name, last first.
fn heard<'a>(names: &Names<'a>, rule: &'a ast::Rule) -> Vec<&'a str> {
    let mut heard: Vec<&str> = selectors(rule)
        .filter_map(|on| match &on.kind {
            SelectorKind::Alert(Some(of)) => Some(of),
            _ => None,
        })
        .flatten()
        .filter_map(|name| names.rules.get(name.node.as_str()).map(|rule| rule.name.node.as_str()))
        .collect();
    heard.reverse();
    heard
}

/// Reports each rule that hears its own alerts, once a circle.
fn find_circles(names: &Names<'_>, report: &mut Report) {
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for (start, rule) in &names.rules {
        if done.contains_key(start) {
            continue;
        }
        done.insert(start, false);
        let mut row = vec![(*start, heard(names, rule))];
        while let Some((name, rest)) = row.last_mut() {
            let name = *name;
            let Some(next) = rest.pop() else {
                done.insert(name, true);
                row.pop();
                continue;
            };
            match done.get(next) {
                Some(true) => {}
                Some(false) => report_circle(names, &row, next, report),
                None => {
                    done.insert(next, false);
                    let heard = names.rules.get(next).map(|rule| heard(names, rule)).unwrap_or_default();
                    row.push((next, heard));
                }
            }
        }
    }
}

fn report_circle(names: &Names<'_>, row: &[(&str, Vec<&str>)], at: &str, report: &mut Report) {
    let Some(rule) = names.rules.get(at) else { return };
    let circle: Vec<_> = row.iter().map(|(name, _)| *name).skip_while(|name| *name != at).skip(1).collect();
    let others: Vec<_> = circle.iter().map(|name| format!("`{name}`")).collect();
    let through = if others.is_empty() { String::new() } else { format!(" through {}", others.join(", ")) };
    let message = format!("`{at}` listens to its own alerts{through}");
    report.add(
        Diagnostic::new(Code::RuleCircle, rule.name.span, message)
            .help("let one of them listen to what the other does: requests"),
    );
}
