//! Comparisons that mean less than they seem to: `== false` where absent means false, one level where two have the body.

use super::Subject;
use super::facts::{event_field, literal, place};
use super::walk::{Scope, walk};
use crate::diag::{Code, Diagnostic};
use crate::ir::{CompareOp, Expr, ExprKind, Literal, Place, Root, Segment, Type};

/// Fields of bodies whose absence means true, or that are always there: with these `== false` says what it means.
const FALSE_IS_MEANT: [&str; 7] = [
    "allowed",
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "attachRequired",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "hostUsers",
];

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    let mut found = Vec::new();
    for step in &rule.steps {
        let conditions: Vec<&Expr> = step.condition.iter().chain(&step.excepts).collect();
        let mut answers = false;
        for condition in &conditions {
            walk(condition, &Scope::top(), &mut |expr, _| {
                answers |= matches!(&expr.kind, ExprKind::Read(place) if matches!(place.root, Root::ResponseObject(_)));
            });
        }
        for condition in conditions {
            walk(condition, &Scope::top(), &mut |expr, _| {
                found.extend(absent_as_false(expr));
                if !answers {
                    found.extend(one_level(expr));
                }
            });
        }
    }
    found.into_iter().for_each(|diagnostic| subject.warn(diagnostic));
}

/// `PLACE == CONSTANT`, either way round; the place may have `[]` in it.
fn equality(expr: &Expr) -> Option<(&Place, &Literal)> {
    let ExprKind::Compare { op: CompareOp::Eq, left, right, .. } = &expr.kind else { return None };
    let read = |expr| match expr {
        &Expr { kind: ExprKind::Read(ref place), .. } => Some(place),
        _ => None,
    };
    match (read(&**left), literal(right), literal(left), read(&**right)) {
        (Some(place), Some(value), ..) | (.., Some(value), Some(place)) => Some((place, value)),
        _ => None,
    }
}

fn absent_as_false(expr: &Expr) -> Option<Diagnostic> {
    let (place, Literal::Bool(false)) = equality(expr)? else { return None };
    let ExprKind::Compare { left, right, .. } = &expr.kind else { return None };
    let typed = left.ty == Type::Bool && right.ty == Type::Bool;
    // `dry_run` is never absent; of what is untyped nobody knows.
    let Some(Segment::Key(last)) = place.segments.last() else { return None };
    if !typed || FALSE_IS_MEANT.contains(&last.as_str()) {
        return None;
    }
    let each = place.segments.iter().any(|segment| matches!(segment, Segment::Each));
    let text = &place.text;
    let help = if each { format!("write `not {text} == true`") } else { format!("write `{text} != true`") };
    let message =
        format!("`{text}` is mostly left out when it is false, and what is absent does not equal `false`");
    Some(Diagnostic::new(Code::FalseWhenAbsent, expr.span, message).help(help))
}

fn one_level(expr: &Expr) -> Option<Diagnostic> {
    let (place, value) = match &expr.kind {
        ExprKind::In { left, set: crate::ir::Set::Literals(values), .. } => {
            let [value] = values.as_slice() else { return None };
            (self::place(left)?, value)
        }
        _ => equality(expr)?,
    };
    let Literal::Text(level) = value else { return None };
    let other = match level.as_str() {
        "Request" => "RequestResponse",
        "RequestResponse" => "Request",
        _ => return None,
    };
    if event_field(place)?.as_slice() != ["level"] {
        return None;
    }
    let message =
        format!("events of level `{other}` carry the request's body too, and this passes over them");
    let help = "leave the test out (a body that was not recorded is unknown, and fires nothing), or write \
                `level in [\"Request\", \"RequestResponse\"]`";
    Some(Diagnostic::new(Code::OneLevel, expr.span, message).help(help))
}
