//! The tree of a condition: parts first made ready (compiled, named), then asked of the event.
//!
//! Two passes, since what is asked must outlive the asking: elements of a list are bound while their conditions are.

use dsl::ir::{Expr, ExprKind, Rule, Segment, Set, VarId};

use crate::eval::{self, Cx, Truth};
use crate::matches::Value;
use crate::plan::compile::Compiler;
use crate::plan::expr;

use super::{At, Node, Read, here, shown, text, why};

/// Elements of a list that are shown one by one.
const ELEMENTS_MAX: usize = 20;

/// The condition as a tree.
pub(super) fn explain(rule: &Rule, step: u32, condition: &Expr, at: At<'_>) -> Node {
    let mut maker = Maker { compiler: Compiler::new(rule), step, bound: Vec::new() };
    let ready = maker.ready(condition);
    let event = at.event();
    ask(&ready, &here(&event))
}

/// What the parts of a condition that read this event alone are of it.
pub(super) fn alone(rule: &Rule, step: u32, condition: &Expr, at: At<'_>) -> Truth {
    let mut compiler = Compiler::new(rule);
    let parts: Vec<expr::Expr> = crate::plan::conjuncts(condition)
        .into_iter()
        .filter(|part| compiler.deps(part, step, &[]).steps.iter().all(|read| *read == step))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|part| compiler.own(part, step))
        .collect();
    let event = at.event();
    eval::all(parts.iter().map(|part| &part.0), &here(&event))
}

/// A value of the event.
pub(super) fn value(rule: &Rule, step: u32, value: &Expr, at: At<'_>) -> Value {
    let compiled = Compiler::new(rule).own(value, step);
    let event = at.event();
    eval::value(&compiled.0, &here(&event)).to_owned()
}

struct Ready<'r> {
    expr: &'r Expr,
    text: String,
    /// Reads another step's event, which is not at hand.
    joins: bool,
    node: expr::Node,
    values: Vec<(&'r Expr, String, expr::Node)>,
    parts: Vec<Ready<'r>>,
    /// Of a quantifier: its variable, its list, its condition.
    each: Option<(VarId, expr::Node, Box<Ready<'r>>)>,
}

struct Maker<'r> {
    compiler: Compiler<'r>,
    step: u32,
    bound: Vec<VarId>,
}

impl<'r> Maker<'r> {
    fn compiled(&mut self, expr: &Expr) -> expr::Node {
        self.compiler.inside(expr, self.step, &self.bound)
    }

    fn ready(&mut self, expr: &'r Expr) -> Ready<'r> {
        let joins =
            self.compiler.deps(expr, self.step, &self.bound).steps.iter().any(|read| *read != self.step);
        let mut ready = Ready {
            expr,
            text: text::spell(expr),
            joins,
            node: self.compiled(expr),
            values: Vec::new(),
            parts: Vec::new(),
            each: None,
        };
        match &expr.kind {
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                ready.parts = parts.iter().map(|part| self.ready(part)).collect();
            }
            // `!=` and the `not` words are one condition to people.
            ExprKind::Not(inner) if !matches!(inner.kind, ExprKind::Compare { .. } | ExprKind::In { .. }) => {
                ready.parts.push(self.ready(inner));
            }
            ExprKind::Quantified { var, list, body, .. } => {
                self.values(list, &mut ready.values);
                let list = self.compiled(list);
                self.bound.push(*var);
                let body = self.ready(body);
                self.bound.pop();
                ready.each = Some((*var, list, Box::new(body)));
            }
            _ => self.values(expr, &mut ready.values),
        }
        ready
    }

    /// The values below a condition that has no parts of its own: what is read, and what is computed of it.
    fn values(&mut self, expr: &'r Expr, out: &mut Vec<(&'r Expr, String, expr::Node)>) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => return,
            ExprKind::Not(inner) | ExprKind::IsTrue(inner) => return self.values(inner, out),
            ExprKind::Compare { left, right, .. } => {
                self.values(left, out);
                return self.values(right, out);
            }
            ExprKind::In { left, set, .. } => {
                self.values(left, out);
                if let Set::Value(list) = set {
                    self.values(list, out);
                }
                return;
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                return parts.iter().for_each(|part| self.values(part, out));
            }
            ExprKind::Quantified { .. } => {}
            ExprKind::Read(place) => {
                for segment in &place.segments {
                    if let Segment::Computed(inner) = segment {
                        self.values(inner, out);
                    }
                }
            }
            ExprKind::Call(_, args) => args.iter().for_each(|arg| self.values(arg, out)),
            ExprKind::Part(inner, _) | ExprKind::Lookup(_, inner) => self.values(inner, out),
            ExprKind::Arith(_, left, right) => {
                self.values(left, out);
                self.values(right, out);
            }
        }
        let spelled = text::spell(expr);
        if out.iter().all(|(_, known, _)| *known != spelled) {
            let node = self.compiled(expr);
            out.push((expr, spelled, node));
        }
    }
}

fn ask<'a>(ready: &'a Ready<'_>, cx: &Cx<'_, 'a>) -> Node {
    let mut node = Node {
        text: ready.text.clone(),
        span: ready.expr.span,
        truth: if ready.joins { Truth::Unknown } else { eval::truth(&ready.node, cx) },
        values: Vec::new(),
        parts: ready.parts.iter().map(|part| ask(part, cx)).collect(),
    };
    if ready.joins && ready.parts.is_empty() {
        let (text, value) = (ready.text.clone(), "?".to_owned());
        node.values.push(Read { text, value, why: Some("it reads an earlier step of a sequence") });
        return node;
    }
    for (expr, text, compiled) in &ready.values {
        let value = eval::value(compiled, cx).to_owned();
        let why = (value == Value::Unknown).then(|| why::unknown(expr, cx));
        node.values.push(Read { text: text.clone(), value: shown(&value), why });
    }
    if let Some((var, list, body)) = &ready.each {
        let name = text::list(ready.expr);
        for (n, (element, patch)) in eval::list(list, cx).into_iter().take(ELEMENTS_MAX).enumerate() {
            let mut part = cx.with(var.0, element, patch, || ask(body, cx));
            part.text = format!("{name}[{n}]: {}", part.text);
            node.parts.push(part);
        }
    }
    node
}
