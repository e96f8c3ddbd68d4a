//! Whether more events only make a rule's condition truer, so that keys may share a window and nothing is missed.
//!
//! A count, a number of different values, a sum of lengths and a highest value only grow as events are added, a lowest one
//! only falls (any other sum may go either way, for all that is known of its values). A
//! condition that asks the former for lower bounds and the latter for upper ones, joined by `and` and `or`, only becomes
//! truer. What is not seen to be so is taken not to be.

use dsl::ir::{AggregateKind, ArithOp, CompareOp, Expr, ExprKind, Function, Literal, Rule, Set, Shape};

/// Whether more events only make a rule's condition truer.
pub(crate) fn is(rule: &Rule) -> bool {
    match &rule.shape {
        Shape::Sliding { condition, .. } | Shape::Tumbling { condition, .. } => {
            truer(rule, condition, Way::Up)
        }
        // One that forbids is made less true by more of what it forbids.
        Shape::Sequence { .. } => rule.steps.iter().all(|step| step.no.is_none()),
        // More events make one session of two; what comes breaks a silence; what is known is no news.
        Shape::Each | Shape::Session { .. } | Shape::FirstSeen { .. } | Shape::Silent { .. } => false,
    }
}

/// Where a value goes as events are added, if it moves at all.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Up,
    Down,
}

impl Way {
    fn other(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// Whether a condition only becomes truer (less true, for `Down`). The nesting of conditions is bounded by the language.
fn truer(rule: &Rule, expr: &Expr, way: Way) -> bool {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().all(|part| truer(rule, part, way)),
        ExprKind::Not(inner) => truer(rule, inner, way.other()),
        ExprKind::Compare { op, left, right, .. } => {
            let left_goes = match op {
                CompareOp::Gt | CompareOp::Ge => way,
                CompareOp::Lt | CompareOp::Le => way.other(),
                _ => return still(expr),
            };
            // Of nothing a highest and a lowest value are absent, and every comparison with that is false: as `not` of it
            // is true before there is any, such a comparison may only become truer.
            let may_be_absent = way == Way::Down && !(always(rule, left) && always(rule, right));
            still(expr)
                || !may_be_absent && goes(rule, left, left_goes) && goes(rule, right, left_goes.other())
        }
        _ => still(expr),
    }
}

/// Whether a value moves that way only, as events are added.
fn goes(rule: &Rule, expr: &Expr, way: Way) -> bool {
    match &expr.kind {
        ExprKind::Aggregate(n) => {
            let kind = rule.aggregates.get(*n as usize).map(|aggregate| &aggregate.kind);
            let goes = match kind {
                Some(AggregateKind::Count | AggregateKind::Distinct(_) | AggregateKind::Max(_)) => Way::Up,
                // What is never below 0, and never out of range.
                Some(AggregateKind::Sum(value)) if length(value) => Way::Up,
                Some(AggregateKind::Min(_)) => Way::Down,
                _ => return false,
            };
            goes == way
        }
        // A highest value is whatever somebody sent: what is made of it may leave the range of numbers and be absent.
        ExprKind::Arith(..) if !(always(rule, expr)) => still(expr),
        ExprKind::Arith(ArithOp::Add, left, right) => goes(rule, left, way) && goes(rule, right, way),
        ExprKind::Arith(ArithOp::Sub, left, right) => goes(rule, left, way) && goes(rule, right, way.other()),
        ExprKind::Arith(ArithOp::Mul, left, right) => match (factor(left), factor(right)) {
            (_, Some(positive)) => goes(rule, left, if positive { way } else { way.other() }),
            (Some(positive), _) => goes(rule, right, if positive { way } else { way.other() }),
            _ => still(expr),
        },
        ExprKind::Arith(ArithOp::Div, left, right) => match factor(right) {
            Some(positive) => goes(rule, left, if positive { way } else { way.other() }),
            None => still(expr),
        },
        _ => still(expr),
    }
}

/// Whether a constant factor is above 0.
fn factor(expr: &Expr) -> Option<bool> {
    match expr.kind {
        ExprKind::Literal(Literal::Number(n)) if n != 0.0 => Some(n > 0.0),
        ExprKind::Literal(Literal::Duration(n)) if n != 0 => Some(n > 0),
        _ => None,
    }
}

/// Whether a value is never absent for want of events.
fn always(rule: &Rule, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregate(n) => {
            rule.aggregates.get(*n as usize).is_some_and(|aggregate| match &aggregate.kind {
                AggregateKind::Count | AggregateKind::Distinct(_) => true,
                AggregateKind::Sum(value) => length(value),
                _ => false,
            })
        }
        ExprKind::Arith(_, left, right) => always(rule, left) && always(rule, right),
        ExprKind::Literal(_) => true,
        _ => false,
    }
}

/// Whether a value is how long something is.
fn length(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Call(Function::Len, _))
}

/// Whether it is the same whatever events there are.
fn still(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => parts.iter().all(still),
        ExprKind::Not(part) | ExprKind::IsTrue(part) => still(part),
        ExprKind::Arith(_, a, b) | ExprKind::Compare { left: a, right: b, .. } => still(a) && still(b),
        ExprKind::In { left, set, .. } => still(left) && !matches!(set, Set::Value(_)),
        _ => false,
    }
}
