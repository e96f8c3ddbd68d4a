//! Conditions that are never true, or always: constants, tests that exclude each other, tests against `on`.
//!
//! A test inside of a `let` is told only if the rule can then never fire at all: a `let` speaks for many rules, and part of
//! it being idle in one of them is what it is for. `and` of a place with itself under `not` is found wherever it stands.

use std::collections::BTreeMap;

use super::Subject;
use super::facts::{Candidate, Constraint, by_selector, by_tests, constraint, exclude, literal, order};
use super::walk::{BESIDE_MAX, Scope, walk};
use crate::diag::{Code, Diagnostic};
use crate::ir::{CompareOp, Expr, ExprKind, Literal, Place, Rule, Selector, Set, Step};
use crate::source::Span;

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    // A rule's own `where` is judged once for each step: how often each condition was, and what came of it.
    let mut judged: BTreeMap<Span, usize> = BTreeMap::new();
    let mut found: BTreeMap<(Span, Code), Vec<Finding>> = BTreeMap::new();
    for (number, step) in rule.steps.iter().enumerate() {
        let mut tell = |expr: &Expr, scope: &Scope<'_>| {
            if scope.condition {
                *judged.entry(expr.span).or_default() += 1;
                if let Some(finding) = judge(rule, step, number, expr, scope) {
                    found
                        .entry((finding.diagnostic.primary, finding.diagnostic.code))
                        .or_default()
                        .push(finding);
                }
            }
        };
        if let Some(condition) = &step.condition {
            walk(condition, &Scope::top(), &mut |expr, scope| tell(expr, scope));
        }
        for except in &step.excepts {
            let scope = Scope { needed: false, ..Scope::top().given(step.condition.as_ref()) };
            walk(except, &scope, &mut |expr, scope| tell(expr, scope));
        }
    }
    for ((span, _), findings) in found {
        let fatal = findings.iter().any(|finding| finding.fatal);
        // What is idle in one step may be what another needs it for.
        let everywhere = judged.get(&span).is_none_or(|times| *times <= findings.len());
        let Some(finding) = findings.into_iter().next() else { continue };
        // In a `let` only what kills the rule is told, and what is always true is not.
        if subject.owns(span) && (fatal || everywhere) {
            subject.warn(finding.diagnostic);
        } else if fatal {
            let help = format!("so rule `{}` never fires", rule.name);
            subject.warn(Diagnostic { help: Some(help), ..finding.diagnostic });
        }
    }
}

/// What a condition of a step is of every event that its `on` takes, if that is always the same. Then no event can make it otherwise, which is
/// what a `let` that speaks for many rules often is in one of them.
#[must_use]
pub fn decided_by_on(rule: &Rule, step: usize, expr: &Expr) -> Option<bool> {
    let test = constraint(expr)?;
    let selector = selector_of(rule, rule.steps.get(step)?, step, test.place)?;
    let mut truths = by_selector(test.place, selector)?.into_iter().map(|value| test.holds(value));
    let first = truths.next()??;
    truths.all(|truth| truth == Some(first)).then_some(first)
}

struct Finding {
    diagnostic: Diagnostic,
    /// The rule can never fire.
    fatal: bool,
}

fn judge(rule: &Rule, step: &Step, number: usize, expr: &Expr, scope: &Scope<'_>) -> Option<Finding> {
    let never = |diagnostic| Some(Finding { diagnostic, fatal: scope.needed });
    let always = |diagnostic| Some(Finding { diagnostic, fatal: false });
    if let Some(Literal::Bool(truth)) = literal(expr) {
        return match truth {
            true => always(Diagnostic::new(Code::AlwaysTrue, expr.span, "this condition is always true")),
            false => never(Diagnostic::new(Code::NeverTrue, expr.span, "this condition is never true")),
        };
    }
    if let ExprKind::Or(parts) = &expr.kind {
        return opposites(parts).and_then(always);
    }
    if let Some(truth) = constants(expr) {
        let (code, word) = if truth { (Code::AlwaysTrue, "always") } else { (Code::NeverTrue, "never") };
        let told = Diagnostic::new(code, expr.span, format!("this compares constants and is {word} true"));
        return if truth { always(told) } else { never(told) };
    }
    let test = constraint(expr)?;
    if let Some(selector) = selector_of(rule, step, number, test.place)
        && let Some(told) = against_selector(&test, selector)
    {
        return if told.code == Code::NeverTrue { never(told) } else { always(told) };
    }
    against_tests(&test, &scope.beside).and_then(never)
}

/// What a comparison of two constants says.
fn constants(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Not(of) => constants(of).map(|truth| !truth),
        ExprKind::Compare { op, left, right, ignoring_case: false } => {
            let (left, right) = (literal(left)?, literal(right)?);
            match (op, left, right) {
                (CompareOp::Eq, left, right) => Some(left == right),
                (op, Literal::Number(left), Literal::Number(right)) => order(*op, *left, *right),
                _ => None,
            }
        }
        ExprKind::In { left, set: Set::Literals(values), ignoring_case: false } => {
            Some(values.contains(literal(left)?))
        }
        // Nothing is in an empty list.
        ExprKind::In { set: Set::Literals(values), .. } if values.is_empty() => Some(false),
        _ => None,
    }
}

/// The `on` of the event that a place is read from.
fn selector_of<'r>(rule: &'r Rule, step: &'r Step, number: usize, place: &Place) -> Option<&'r Selector> {
    match place.step {
        None => step.on.events(),
        Some(at) if at as usize == number => step.on.events(),
        Some(at) => rule.steps.get(at as usize).and_then(|step| step.on.events()),
    }
}

fn against_selector(test: &Constraint<'_>, on: &Selector) -> Option<Diagnostic> {
    let candidates = by_selector(test.place, on)?;
    let text = &test.place.text;
    let only = candidates.iter().map(show).collect::<Vec<_>>().join(", ");
    if candidates.iter().all(|value| test.holds(*value) == Some(false)) {
        let message = format!("this is never true: `on` takes only events whose `{text}` is {only}");
        return Some(
            Diagnostic::new(Code::NeverTrue, test.span, message).help("mend `on`, or leave the test out"),
        );
    }
    if candidates.iter().all(|value| test.holds(*value) == Some(true)) {
        let message = format!("this is always true: `on` takes only events whose `{text}` is {only}");
        return Some(Diagnostic::new(Code::AlwaysTrue, test.span, message).help("leave the test out"));
    }
    None
}

fn show(value: &Candidate<'_>) -> String {
    match value {
        Candidate::Absent => "absent".into(),
        Candidate::Text(text) => format!("`{text}`"),
        Candidate::Value(Literal::Text(text)) => format!("`{text}`"),
        Candidate::Value(_) => "another".into(),
    }
}

/// Together with those beside it, no value of the place is left.
fn against_tests(test: &Constraint<'_>, beside: &[Constraint<'_>]) -> Option<Diagnostic> {
    let others: Vec<_> = beside.iter().filter(|other| other.same_place(test.place)).cloned().collect();
    let contradicted = others.iter().find(|other| exclude(other, test)).cloned().or_else(|| {
        let mut all = others.clone();
        all.push(test.clone());
        let candidates = by_tests(test.place, &all)?;
        let fits = |value: &Candidate<'_>| all.iter().all(|test| test.holds(*value) != Some(false));
        (!candidates.iter().any(fits)).then(|| others.first().cloned()).flatten()
    })?;
    let text = &test.place.text;
    let message = format!("this is never true together with the other test of `{text}`");
    Some(Diagnostic::new(Code::NeverTrue, test.span, message).related(contradicted.span, "the other test"))
}

/// `x or not x` of one and the same test.
fn opposites(parts: &[Expr]) -> Option<Diagnostic> {
    let tests: Vec<_> = parts.iter().filter_map(constraint).take(BESIDE_MAX).collect();
    for (i, test) in tests.iter().enumerate() {
        let opposite = |other: &&Constraint<'_>| {
            other.same_place(test.place) && other.positive != test.positive && other.test == test.test
        };
        let differing = |other: &&Constraint<'_>| both_differ(test, other);
        if let Some(other) = tests[..i].iter().find(|other| opposite(other) || differing(other)) {
            let message = format!("one of these two tests of `{}` is always true", test.place.text);
            let diagnostic =
                Diagnostic::new(Code::AlwaysTrue, test.span, message).related(other.span, "the other test");
            return Some(diagnostic.help("`and` was perhaps meant"));
        }
    }
    None
}

/// `x != "a" or x != "b"`: no value equals both.
fn both_differ(a: &Constraint<'_>, b: &Constraint<'_>) -> bool {
    use super::facts::Test;
    let (Test::Is { values: one, ignoring_case: false }, Test::Is { values: two, ignoring_case: false }) =
        (&a.test, &b.test)
    else {
        return false;
    };
    a.same_place(b.place) && !a.positive && !b.positive && !one.iter().any(|value| two.contains(value))
}
