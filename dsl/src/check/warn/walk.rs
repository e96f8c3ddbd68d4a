//! One walk over conditions that every check shares.
//!
//! It tells each node together with what must be true for the node to matter: the conditions that stand beside it under
//! `and`, from the top down. Recursion is as deep as conditions nest, which the checker bounds.

use super::facts::{Constraint, constraint};
use crate::ir::{Expr, ExprKind, Segment, Set, VarId};

/// The most conditions beside another that are looked at: more make a warning slower, not better.
pub(super) const BESIDE_MAX: usize = 64;

/// What is known at a node.
#[derive(Clone, Default)]
pub(super) struct Scope<'e> {
    /// Conditions that hold beside it.
    pub(super) beside: Vec<Constraint<'e>>,
    /// The lists of the variables in scope.
    pub(super) lists: Vec<(VarId, &'e Expr)>,
    /// Whether the whole condition is false if this one is.
    pub(super) needed: bool,
    /// Whether it is a condition, and not a part of a test that was told as a whole.
    pub(super) condition: bool,
}

impl<'e> Scope<'e> {
    /// The scope of something that must be true.
    pub(super) fn top() -> Self {
        Self { needed: true, condition: true, ..Self::default() }
    }

    /// With the leaves of a condition known to hold.
    pub(super) fn given(mut self, condition: Option<&'e Expr>) -> Self {
        if let Some(condition) = condition {
            self.beside.extend(leaves(condition).into_iter().take(BESIDE_MAX));
        }
        self
    }

    /// The list that a variable is an element of.
    pub(super) fn list(&self, var: VarId) -> Option<&'e Expr> {
        self.lists.iter().rev().find(|(own, _)| *own == var).map(|(_, list)| *list)
    }
}

/// Tells every condition and value under `expr`, parents first.
pub(super) fn walk<'e>(expr: &'e Expr, scope: &Scope<'e>, tell: &mut dyn FnMut(&'e Expr, &Scope<'e>)) {
    tell(expr, scope);
    let inner = Scope { needed: false, ..scope.clone() };
    match &expr.kind {
        ExprKind::And(parts) => {
            let tests: Vec<(usize, Constraint<'e>)> = parts
                .iter()
                .enumerate()
                .flat_map(|(at, part)| leaves(part).into_iter().map(move |test| (at, test)))
                .take(BESIDE_MAX)
                .collect();
            for (i, part) in parts.iter().enumerate() {
                let mut inner = scope.clone();
                // Of two that contradict each other, the later one is told; what is no leaf sees all others.
                let leaf = constraint(part).is_some();
                let others = tests.iter().filter(|(j, _)| *j < i || (*j != i && !leaf));
                inner.beside.extend(others.map(|(_, test)| test.clone()));
                inner.beside.truncate(BESIDE_MAX);
                walk(part, &inner, tell);
            }
        }
        ExprKind::Or(parts) => parts.iter().for_each(|part| walk(part, &inner, tell)),
        ExprKind::Not(of) => walk(of, &Scope { condition: constraint(expr).is_none(), ..inner }, tell),
        ExprKind::Quantified { all, var, list, body } => {
            walk(list, &Scope { condition: false, ..inner }, tell);
            let mut scope = Scope { needed: scope.needed && !all, ..scope.clone() };
            scope.lists.push((*var, list));
            walk(body, &scope, tell);
        }
        _ => {
            let inner = Scope { condition: false, ..inner };
            children(expr).into_iter().for_each(|child| walk(child, &inner, tell));
        }
    }
}

/// The values and conditions right below a node.
pub(crate) fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => Vec::new(),
        ExprKind::Read(place) => in_segments(&place.segments).collect(),
        ExprKind::Call(_, arguments) => arguments.iter().collect(),
        ExprKind::Part(of, segments) => std::iter::once(&**of).chain(in_segments(segments)).collect(),
        ExprKind::Arith(_, left, right) | ExprKind::Compare { left, right, .. } => vec![left, right],
        ExprKind::Not(of) | ExprKind::IsTrue(of) | ExprKind::Lookup(_, of) => vec![of],
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().collect(),
        ExprKind::In { left, set: Set::Value(set), .. } => vec![left, set],
        ExprKind::In { left, .. } => vec![left],
        ExprKind::Quantified { list, body, .. } => vec![list, body],
    }
}

fn in_segments(segments: &[Segment]) -> impl Iterator<Item = &Expr> {
    segments.iter().filter_map(|segment| match segment {
        Segment::Computed(of) => Some(&**of),
        Segment::Key(_) | Segment::Index(_) | Segment::Each => None,
    })
}

/// The conditions that must all be true for `expr` to be, as far as they are tests of one place.
pub(super) fn leaves(expr: &Expr) -> Vec<Constraint<'_>> {
    match &expr.kind {
        ExprKind::And(parts) => parts.iter().flat_map(leaves).collect(),
        _ => constraint(expr).into_iter().collect(),
    }
}
