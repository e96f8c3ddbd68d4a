//! A rule that its own exception never lets fire: whenever `where` is true, `except` is too.

use super::Subject;
use super::facts::{Constraint, Test, by_selector, by_tests, constraint, literal};
use super::walk::leaves;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Expr, ExprKind, Literal, Step};

pub(super) fn check(subject: &mut Subject<'_>) {
    for step in &subject.rule.steps {
        let given = step.condition.as_ref().map(leaves).unwrap_or_default();
        for except in &step.excepts {
            if implied(except, step, &given) {
                let name = &subject.rule.name;
                let message = format!("this exception covers all that rule `{name}` asks for");
                let help = "the rule never fires; make the exception narrower";
                subject.warn(Diagnostic::new(Code::Shadowed, except.span, message).help(help));
            }
        }
    }
}

/// Whether a condition is true wherever all of `given` are.
fn implied(expr: &Expr, step: &Step, given: &[Constraint<'_>]) -> bool {
    match &expr.kind {
        ExprKind::And(parts) => parts.iter().all(|part| implied(part, step, given)),
        ExprKind::Or(parts) => parts.iter().any(|part| implied(part, step, given)),
        _ if matches!(literal(expr), Some(Literal::Bool(true))) => true,
        _ => constraint(expr).is_some_and(|test| implied_test(&test, step, given)),
    }
}

fn implied_test(test: &Constraint<'_>, step: &Step, given: &[Constraint<'_>]) -> bool {
    let same = |other: &&Constraint<'_>| other.same_place(test.place);
    let stated = given.iter().filter(same).any(|other| {
        (other.test == test.test && other.positive == test.positive)
            || (other.positive && test.positive && test.test == Test::Present)
    });
    let own = step.on.events().filter(|_| test.place.step.is_none());
    let candidates = by_tests(test.place, given).or_else(|| by_selector(test.place, own?));
    stated || candidates.is_some_and(|values| values.iter().all(|value| test.holds(*value) == Some(true)))
}
