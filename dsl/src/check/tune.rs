//! Tunes: what a rule set's user changes of rules and lists without editing them.
//!
//! A tuned rule is the rule's tree with other clauses, checked like any other; so a tune has no meaning of its own. Rules
//! are lowered twice, as they were written (their tests run on that) and tuned. Neither the order of tunes nor that of
//! files matters: nothing may be changed twice. A name that is gone is a warning, as shipped rules come and go.

use std::collections::BTreeMap;

use super::names::Names;
use super::report::Report;
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::ast::{self, Change, ChangeKind, Clause, ClauseKind, Item};

/// What is added to a list (`true`), and what taken out.
pub(crate) type ListTunes<'a> = BTreeMap<&'a str, Vec<(bool, &'a ast::Literals)>>;

/// All tunes of a set.
#[derive(Debug, Default)]
pub(crate) struct Tunes<'a> {
    /// The rules that are tuned, with their changes put in.
    pub rules: BTreeMap<&'a str, ast::Rule>,
    /// The changes of lists.
    pub lists: ListTunes<'a>,
}

impl Tunes<'_> {
    /// Whether they change nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.lists.is_empty()
    }
}

/// Gathers the tunes of all files; what does not fit is reported.
pub(crate) fn gather<'a>(names: &Names<'a>, files: &'a [ast::File], report: &mut Report) -> Tunes<'a> {
    let mut tunes = Tunes::default();
    let mut seen: BTreeMap<(&str, &str), Span> = BTreeMap::new();
    for item in files.iter().flat_map(|file| &file.items) {
        match item {
            Item::Tune(tune) => {
                let name = tune.name.node.as_str();
                let Some(rule) = names.rules.get(name) else {
                    gone(names, "rule", &tune.name, names.rules.keys().copied(), report);
                    continue;
                };
                let tuned = tunes.rules.entry(&rule.name.node).or_insert_with(|| (*rule).clone());
                for change in &tune.changes {
                    if once(rule, change, &mut seen, report) {
                        put(tuned, change, report);
                    }
                }
            }
            Item::TuneList(tune) => {
                let Some(list) = names.lists.get(tune.name.node.as_str()) else {
                    gone(names, "list", &tune.name, names.lists.keys().copied(), report);
                    continue;
                };
                let changes = tune.changes.iter().map(|(add, literals)| (*add, literals));
                tunes.lists.entry(&list.name.node).or_default().extend(changes);
            }
            _ => {}
        }
    }
    tunes
}

fn gone<'n>(
    names: &Names<'_>,
    what: &str,
    name: &ast::Name,
    known: impl Iterator<Item = &'n str>,
    report: &mut Report,
) {
    if names.is_lost(&name.node) {
        return;
    }
    let message = format!("no {what} is called `{}`, so this tune changes nothing", name.node);
    report.error_near(Code::TuneOfNothing, name.span, message, nearest(&name.node, known));
}

/// The word that a change begins with, and what it excludes.
fn words(kind: &ChangeKind) -> (&'static str, &'static str) {
    match kind {
        ChangeKind::Except(_) => ("except", ""),
        ChangeKind::Severity(_) => ("severity", "severity"),
        ChangeKind::Within(_) => ("within", "within"),
        ChangeKind::When(_) => ("when", "when"),
        ChangeKind::Throttle(_) => ("throttle", "throttle"),
        ChangeKind::Disable => ("disable", "disable"),
        ChangeKind::Enable => ("enable", "disable"),
        ChangeKind::Error => ("", ""),
    }
}

fn keyword(change: &Change) -> Span {
    let length = u32::try_from(words(&change.kind).0.len()).unwrap_or(0);
    Span { end: change.span.start + length, ..change.span }
}

/// Whether this is the first such change of the rule; else that is reported.
fn once<'a>(
    rule: &'a ast::Rule,
    change: &Change,
    seen: &mut BTreeMap<(&'a str, &'static str), Span>,
    report: &mut Report,
) -> bool {
    let (word, group) = words(&change.kind);
    if group.is_empty() {
        return true;
    }
    let span = keyword(change);
    let name = rule.name.node.as_str();
    if let Some(first) = seen.get(&(name, group)) {
        let message = format!("`{word}` of `{name}` is tuned twice");
        report.add(Diagnostic::new(Code::ClauseTwice, span, message).related(*first, "first here"));
        return false;
    }
    seen.insert((name, group), span);
    true
}

/// Puts a change into a rule.
fn put(rule: &mut ast::Rule, change: &Change, report: &mut Report) {
    let name = rule.name.node.clone();
    let misfit = |message: String, help: &str, report: &mut Report| {
        let found = Diagnostic::new(Code::TuneMisfit, keyword(change), message);
        report.add(found.related(rule.name.span, "the rule").help(help));
    };
    let has = |word: &str| rule.clauses.iter().any(|clause| clause.kind.word() == word);
    // What did not parse may be what is missing.
    let lost = has("");
    let kind = match &change.kind {
        ChangeKind::Except(condition) => ClauseKind::Except(condition.clone()),
        ChangeKind::Severity(severity) => ClauseKind::Severity(severity.clone()),
        ChangeKind::Throttle(time) => ClauseKind::Throttle(time.clone()),
        ChangeKind::When(window) if has("when") && !has("sequence") && !has("unordered") => {
            ClauseKind::When(window.clone())
        }
        ChangeKind::When(_) if lost => return,
        ChangeKind::When(_) => {
            let help = if has("sequence") || has("unordered") {
                "of steps the time can be changed: `within 10m`"
            } else {
                "`except` and `severity` fit every rule"
            };
            return misfit(format!("`{name}` has no `when` that could be replaced"), help, report);
        }
        ChangeKind::Within(time) => {
            let steps = rule.clauses.iter_mut().find_map(|clause| match &mut clause.kind {
                ClauseKind::Steps(steps) => Some(steps),
                _ => None,
            });
            match steps {
                Some(steps) => steps.within = time.clone(),
                None if lost => {}
                None => {
                    let help = "a window is replaced whole: `when count() >= 30 within 10m`";
                    misfit(format!("`within` is of steps, and `{name}` has none"), help, report);
                }
            }
            return;
        }
        ChangeKind::Disable => ClauseKind::Disable,
        ChangeKind::Enable => {
            rule.clauses.retain(|clause| !matches!(clause.kind, ClauseKind::Disable));
            return;
        }
        ChangeKind::Error => return,
    };
    if !matches!(kind, ClauseKind::Except(_)) {
        rule.clauses.retain(|clause| clause.kind.word() != kind.word());
    }
    rule.clauses.push(Clause { kind, span: change.span });
}
