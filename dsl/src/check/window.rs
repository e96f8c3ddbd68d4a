//! Windows: how long, over what condition, and how little of it is enough to keep.

use super::lists::Values;
use super::lower::{AggregatesAt, Lower, Role, Scope, WrittenPart};
use super::report::Report;
use super::warn::children;
use crate::diag::Code;
use crate::ir::{self, Aggregate, AggregateKind, CompareOp, ExprKind, Literal, Shape, Type};
use crate::limits::{DAY_NANOS, WINDOW_NANOS_MAX};
use crate::syntax::ast::{self, DurationAt, WindowKind};

/// A length of time that must not be zero, and not longer than may be.
pub(crate) fn length(of: &DurationAt, what: &str, report: &mut Report) -> Option<i64> {
    if of.node <= 0 {
        report.error_help(
            Code::ZeroDuration,
            of.span,
            format!("{what} has no length"),
            "write a time such as `5m`",
        );
        return None;
    }
    kept(of, what, report)
}

/// A length of time that may be zero, and is not longer than may be. One that is longer than state is kept works, and is
/// doubtful.
fn kept(of: &DurationAt, what: &str, report: &mut Report) -> Option<i64> {
    if of.node > WINDOW_NANOS_MAX {
        let days = WINDOW_NANOS_MAX / DAY_NANOS;
        let message = format!("{what} is longer than {days} days");
        report.error(Code::WindowTooLong, of.span, message);
        return None;
    }
    let state = report.limits.state_nanos;
    if of.node > state {
        let message = format!("{what} is longer than state is kept, which is {}", text(state));
        let help = "it must be remembered for as long, over restarts too: is a shorter one enough?";
        report.error_help(Code::WindowOverState, of.span, message, help);
    }
    Some(of.node)
}

/// A length of time as people say it, down to seconds.
fn text(nanos: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    let units = [(DAY_NANOS, "day"), (3600 * SECOND, "hour"), (60 * SECOND, "minute")];
    let (unit, word) = units.into_iter().find(|(unit, _)| nanos % unit == 0).unwrap_or((SECOND, "second"));
    let many = nanos / unit;
    format!("{many} {word}{}", if many == 1 { "" } else { "s" })
}

impl<'a> Lower<'a, '_> {
    /// The shape of a rule with a window, under the scope of its `where`; `parts` is its key. `None` if something is wrong
    /// with it, which is reported.
    pub(crate) fn window(&mut self, window: &'a ast::Window, parts: &[WrittenPart]) -> Option<Shape> {
        match &window.kind {
            WindowKind::Within { condition, within } => {
                let condition = self.over(condition);
                let within = length(within, "this window", self.report)?;
                Some(Shape::Sliding { condition, within })
            }
            WindowKind::Tumbling { condition, length: of } => {
                let condition = self.over(condition);
                let length = length(of, "this window", self.report)?;
                Some(Shape::Tumbling { condition, length })
            }
            WindowKind::Session { condition, gap, within } => {
                let condition = self.over(condition);
                let pause = length(gap, "this gap", self.report);
                let within = length(within, "this session", self.report)?;
                let pause = pause?;
                if pause > within {
                    let message = "the gap is longer than the session may be, so it never ends one";
                    let help = "write the longest pause first, then how long a session may be as a whole";
                    self.report.error_help(Code::GapTooLong, gap.span, message, help);
                    return None;
                }
                Some(Shape::Session { condition, gap: pause, within })
            }
            WindowKind::FirstSeen { values, within, learning } => {
                let mut good = true;
                let mut lowered = Vec::new();
                for value in values {
                    let value = self.value(value);
                    good &= self.single(&value, "`first_seen` takes");
                    lowered.push(value.expr);
                }
                let within = length(within, "this memory", self.report)?;
                let learning = kept(learning, "this time of learning", self.report)?;
                good.then_some(Shape::FirstSeen { values: lowered, within, learning })
            }
            WindowKind::Silent { length: of, among } => {
                let after = length(of, "this silence", self.report);
                let among = match among {
                    Some(name) => Some(self.among(name, parts)?),
                    None => None,
                };
                Some(Shape::Silent { after: after?, among })
            }
            WindowKind::Error => None,
        }
    }

    /// The condition of a window, with how little of it is enough to keep.
    fn over(&mut self, condition: &'a ast::Expr) -> ir::Expr {
        let counted = Scope {
            role: Role::Window,
            aggregates: AggregatesAt::Here,
            readable: 0,
            bound: Vec::new(),
            ..self.scope.clone()
        };
        let condition = self.within(counted, |lower| lower.condition(condition));
        lower_bounds(&condition, &mut self.aggregates);
        condition
    }

    /// The values that are waited for, each once.
    fn among(&mut self, name: &ast::Name, parts: &[WrittenPart]) -> Option<Vec<Literal>> {
        let Some(values) = self.lists.get(&name.node) else {
            if !self.names.is_lost(&name.node) {
                let near = crate::diag::nearest(&name.node, self.names.lists.keys().copied());
                let message = format!("no list is called `{}`", name.node);
                self.report.error_near(Code::UnknownName, name.span, message, near);
            }
            return None;
        };
        let values = match values {
            Values::Literals(values) => values.clone(),
            Values::Networks(_) => {
                let message = format!("`{}` holds networks, and `among` waits for texts", name.node);
                self.report.error(Code::TypesDiffer, name.span, message);
                return None;
            }
            Values::Poison => return None,
        };
        if !values.iter().all(|value| matches!(value, Literal::Text(_))) {
            let message = format!("`{}` does not hold texts alone, and `among` waits for texts", name.node);
            self.report.error(Code::TypesDiffer, name.span, message);
            return None;
        }
        let why = match parts {
            [part] if part.ty.may(|ty| *ty == Type::Text) => None,
            [part] if part.ty.is_poison() => return None,
            [part] => Some(format!("and `{}` is {}", part.text, part.ty.says())),
            parts => Some(format!("and this rule's key has {} parts", parts.len())),
        };
        if let Some(why) = why {
            let message = format!("`among` waits for the values of a key of one text, {why}");
            let help = "say whose values they are, as in `by cluster`";
            self.report.error_help(Code::AmongKey, name.span, message, help);
            return None;
        }
        self.count(name.span, values.len() / 16);
        let mut seen = std::collections::BTreeSet::new();
        let text = |value: &Literal| match value {
            Literal::Text(text) => text.clone(),
            _ => String::new(),
        };
        Some(values.into_iter().filter(|value| seen.insert(text(value))).collect())
    }
}

/// For each aggregate of which the condition asks only for lower bounds, joined by `and` and `or`: the highest of them.
fn lower_bounds(condition: &ir::Expr, aggregates: &mut [Aggregate]) {
    let mut bounds: Vec<Option<u64>> = vec![None; aggregates.len()];
    let mut exact = vec![false; aggregates.len()];
    let mut rest = vec![condition];
    while let Some(expr) = rest.pop() {
        match &expr.kind {
            ExprKind::And(parts) | ExprKind::Or(parts) => rest.extend(parts),
            _ => match bound(expr) {
                Some((number, least)) => {
                    if let Some(bound) = bounds.get_mut(number as usize) {
                        *bound = Some(bound.map_or(least, |known| known.max(least)));
                    }
                }
                None => mark(expr, &mut exact),
            },
        }
    }
    for ((aggregate, bound), exact) in aggregates.iter_mut().zip(bounds).zip(exact) {
        // Of a sum or a percentile no part of the window is enough.
        let counts = matches!(aggregate.kind, AggregateKind::Count | AggregateKind::Distinct(_));
        aggregate.enough = bound.filter(|_| counts && !exact);
    }
}

/// `count() >= 3`, `count() > 2`, `3 <= count()`, `2 < count()`: which aggregate must reach what.
fn bound(expr: &ir::Expr) -> Option<(u32, u64)> {
    let ExprKind::Compare { op, left, right, .. } = &expr.kind else { return None };
    let (number, constant, or_equal) = match (op, &left.kind, &right.kind) {
        (CompareOp::Ge, ExprKind::Aggregate(number), ExprKind::Literal(Literal::Number(least)))
        | (CompareOp::Le, ExprKind::Literal(Literal::Number(least)), ExprKind::Aggregate(number)) => {
            (*number, *least, true)
        }
        (CompareOp::Gt, ExprKind::Aggregate(number), ExprKind::Literal(Literal::Number(least)))
        | (CompareOp::Lt, ExprKind::Literal(Literal::Number(least)), ExprKind::Aggregate(number)) => {
            (*number, *least, false)
        }
        _ => return None,
    };
    let least = if or_equal { constant.ceil() } else { constant.floor() + 1.0 };
    if least > COUNT_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    let least = least.max(0.0) as u64;
    Some((number, least))
}

/// Counts above this are not told apart from their neighbours by a double.
const COUNT_MAX: f64 = 9e15;

/// Notes every aggregate below an expression.
fn mark(expr: &ir::Expr, found: &mut [bool]) {
    let mut rest = vec![expr];
    while let Some(expr) = rest.pop() {
        if let ExprKind::Aggregate(number) = &expr.kind
            && let Some(found) = found.get_mut(*number as usize)
        {
            *found = true;
        }
        rest.extend(children(expr));
    }
}
