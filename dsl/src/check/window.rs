//! Windows: how long, over what condition, and how little of it is enough to keep.

use super::lower::{AggregatesAt, Lower, Role, Scope};
use super::report::Report;
use crate::diag::Code;
use crate::ir::{self, Aggregate, CompareOp, ExprKind, Literal};
use crate::limits::WINDOW_NANOS_MAX;
use crate::source::Span;
use crate::syntax::ast::{self, DurationAt, WindowKind};

/// What `when` says.
#[derive(Debug)]
pub(crate) enum Window {
    /// A condition over aggregates within some time.
    Sliding { condition: ir::Expr, within: i64 },
    /// Of a kind that is not built, or wrong; reported.
    Poison,
}

const DAY_NANOS: i64 = 86_400_000_000_000;

/// A length of time that must not be zero, and not longer than state is kept.
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
    if of.node > WINDOW_NANOS_MAX {
        let days = WINDOW_NANOS_MAX / DAY_NANOS;
        let message = format!("{what} is longer than {days} days");
        report.error(Code::WindowTooLong, of.span, message);
        return None;
    }
    Some(of.node)
}

impl<'a> Lower<'a, '_> {
    /// What stands in a window behind its condition.
    fn behind(&self, condition: Span, window: Span) -> Span {
        let span = Span { start: condition.end, ..window };
        let text = self.names.sources.text(span);
        let blank = text.len() - text.trim_start().len();
        Span { start: span.start + u32::try_from(blank).unwrap_or(0), ..span }
    }

    /// The window of a rule, under the scope of its `where`.
    pub(crate) fn window(&mut self, window: &'a ast::Window) -> Window {
        let counted = Scope {
            role: Role::Window,
            aggregates: AggregatesAt::Here,
            readable: 0,
            bound: Vec::new(),
            ..self.scope.clone()
        };
        match &window.kind {
            WindowKind::Within { condition, within } => {
                let condition = self.within(counted, |lower| lower.condition(condition));
                let within = length(within, "this window", self.report);
                lower_bounds(&condition, &mut self.aggregates);
                within.map_or(Window::Poison, |within| Window::Sliding { condition, within })
            }
            WindowKind::Tumbling { condition, .. } => {
                let span = self.behind(condition.span, window.span);
                self.report.not_built(span, "`tumbling` windows are");
                self.within(counted, |lower| lower.condition(condition));
                Window::Poison
            }
            WindowKind::Session { condition, .. } => {
                let span = self.behind(condition.span, window.span);
                self.report.not_built(span, "`session` windows are");
                self.within(counted, |lower| lower.condition(condition));
                Window::Poison
            }
            WindowKind::FirstSeen { values, .. } => {
                self.report.not_built(window.span, "`first_seen` is");
                for value in values {
                    let value = self.value(value);
                    self.single(&value, "`first_seen` takes");
                }
                Window::Poison
            }
            WindowKind::Silent { among, .. } => {
                self.report.not_built(window.span, "`silent` is");
                if let Some(name) = among
                    && !self.names.lists.contains_key(name.node.as_str())
                {
                    let near = crate::diag::nearest(&name.node, self.names.lists.keys().copied());
                    let message = format!("no list is called `{}`", name.node);
                    self.report.error_near(Code::UnknownName, name.span, message, near);
                }
                Window::Poison
            }
            WindowKind::Error => Window::Poison,
        }
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
        aggregate.enough = bound.filter(|_| !exact);
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
        match &expr.kind {
            ExprKind::Aggregate(number) => {
                if let Some(found) = found.get_mut(*number as usize) {
                    *found = true;
                }
            }
            ExprKind::Literal(_) | ExprKind::Read(_) | ExprKind::Key(_) => {}
            ExprKind::Call(_, parts) | ExprKind::And(parts) | ExprKind::Or(parts) => rest.extend(parts),
            ExprKind::Part(of, _) | ExprKind::Not(of) | ExprKind::IsTrue(of) | ExprKind::Lookup(_, of) => {
                rest.push(of);
            }
            ExprKind::Arith(_, left, right) | ExprKind::Compare { left, right, .. } => {
                rest.extend([&**left, &**right]);
            }
            ExprKind::In { left, .. } => rest.push(left),
            ExprKind::Quantified { list, body, .. } => rest.extend([&**list, &**body]),
        }
    }
}
