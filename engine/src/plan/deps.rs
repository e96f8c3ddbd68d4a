//! What an expression reads: whose events, what only a window knows, which elements of a quantifier around it.
//!
//! This decides what a match must bring with it. Asked anew at each level of an expression; both are bounded by the
//! language's limits of nesting and size.

use std::collections::BTreeSet;

use dsl::ir::{Expr, ExprKind, Place, Root, Segment, Set, VarId};

use super::compile::lent;

/// What an expression reads.
#[derive(Debug, Default)]
pub(crate) struct Deps {
    /// The steps whose events it reads.
    pub(crate) steps: BTreeSet<u32>,
    /// What an alert says of itself.
    pub(crate) alert: bool,
    /// Anything else of those events.
    pub(crate) event: bool,
    /// Aggregates or parts of the key.
    pub(crate) window: bool,
    /// Elements that a quantifier outside of it binds.
    pub(crate) outer: bool,
}

/// What to look it up in.
pub(crate) struct Scope<'a> {
    pub(crate) rule: &'a dsl::ir::Rule,
    /// The step whose event is at hand.
    pub(crate) step: u32,
    /// Variables bound around the expression, outside of it.
    pub(crate) outer: &'a [VarId],
}

pub(crate) fn deps(expr: &Expr, scope: &Scope<'_>) -> Deps {
    let mut out = Deps::default();
    Walk { scope, inner: Vec::new(), step: scope.step, out: &mut out }.expr(expr);
    out
}

struct Walk<'a> {
    scope: &'a Scope<'a>,
    inner: Vec<VarId>,
    step: u32,
    out: &'a mut Deps,
}

impl Walk<'_> {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(_) => {}
            ExprKind::Read(place) => self.place(place),
            ExprKind::Call(_, args) => args.iter().for_each(|a| self.expr(a)),
            ExprKind::Part(base, segments) => {
                self.expr(base);
                self.segments(segments);
            }
            ExprKind::Arith(_, left, right) | ExprKind::Compare { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Aggregate(_) | ExprKind::Key(_) => self.out.window = true,
            ExprKind::Not(inner) | ExprKind::IsTrue(inner) | ExprKind::Lookup(_, inner) => self.expr(inner),
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(|p| self.expr(p)),
            ExprKind::In { left, set, .. } => {
                self.expr(left);
                if let Set::Value(list) = set {
                    self.expr(list);
                }
            }
            ExprKind::Quantified { var, list, body, .. } => {
                self.expr(list);
                self.inner.push(*var);
                self.expr(body);
                self.inner.pop();
            }
        }
    }

    fn place(&mut self, place: &Place) {
        let step = place.step.unwrap_or(self.step);
        match place.root {
            Root::Element(var) if self.inner.contains(&var) => {}
            Root::Element(var) if self.scope.outer.contains(&var) => self.out.outer = true,
            Root::Element(var) => {
                self.out.steps.insert(step);
                if let Some((list, body)) = lent(self.scope.rule, step, var) {
                    let around = std::mem::replace(&mut self.step, step);
                    self.expr(list);
                    self.inner.push(var);
                    self.expr(body);
                    self.inner.pop();
                    self.step = around;
                }
            }
            Root::Alert(_) => {
                self.out.steps.insert(step);
                self.out.alert = true;
            }
            _ => {
                self.out.steps.insert(step);
                self.out.event = true;
            }
        }
        self.segments(&place.segments);
    }

    fn segments(&mut self, segments: &[Segment]) {
        for segment in segments {
            if let Segment::Computed(inner) = segment {
                self.expr(inner);
            }
        }
    }
}
