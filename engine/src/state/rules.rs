//! What deciding must know of each rule, worked out once.

use std::sync::Arc;

use dsl::ir::{self, Expr, ExprKind};

use super::hash::Fields;
use crate::alert::RuleFace;
use crate::limits::Limits;
use crate::matches::Nanos;
use crate::plan::{Plan, Rule, Shape, Step};
use crate::window::sliding::SlidingSpec;

/// One rule, for deciding.
#[derive(Clone, Debug)]
pub(crate) struct RuleSpec {
    pub(crate) face: Arc<RuleFace>,
    pub(crate) shape: ShapeSpec,
    pub(crate) waits: bool,
    /// See [`Rule::stratum`].
    pub(crate) stratum: u32,
    /// A match that was moved by more is left out; 0 without a window.
    pub(crate) within: Nanos,
    /// How far back its matches can matter.
    pub(crate) window: Nanos,
    pub(crate) throttle: Nanos,
    /// How long its requests are remembered.
    pub(crate) memory: Nanos,
    /// More events only make its condition truer.
    pub(crate) monotone: bool,
    /// Per step whether a match is identified by its stage too.
    pub(crate) by_stage: Vec<bool>,
}

/// What a rule's groups are.
#[derive(Clone, Debug)]
pub(crate) enum ShapeSpec {
    Each,
    Sliding(SlidingSpec),
    Sequence { steps: usize },
}

impl RuleSpec {
    pub(crate) fn new(rule: &Rule, limits: &Limits) -> Self {
        let within = rule.within();
        let (shape, monotone) = match &rule.shape {
            Shape::Each => (ShapeSpec::Each, false),
            Shape::Sliding { .. } => {
                let spec = SlidingSpec::new(within, &rule.aggregates, limits.matches_per_key_max);
                (ShapeSpec::Sliding(spec), asks_only_lower_bounds(&rule.source))
            }
            Shape::Sequence { .. } => (ShapeSpec::Sequence { steps: rule.steps.len() }, true),
        };
        let source = &rule.source;
        Self {
            face: Arc::new(RuleFace {
                name: rule.name.clone(),
                title: source.title.as_str().into(),
                severity: source.severity,
                tags: source.tags.iter().map(|tag| tag.as_str().into()).collect(),
            }),
            shape,
            waits: rule.waits(),
            stratum: rule.stratum,
            within,
            window: within,
            throttle: rule.throttle,
            memory: limits.request_memory.max(within),
            monotone,
            by_stage: rule.steps.iter().map(Step::by_stage).collect(),
        }
    }

    /// It leaves out what came too late, or has a key that is not known.
    pub(crate) fn windowed(&self) -> bool {
        !matches!(self.shape, ShapeSpec::Each)
    }
}

/// Whether the condition of a rule's window asks all that it asks for lower bounds of numbers that only grow.
fn asks_only_lower_bounds(rule: &ir::Rule) -> bool {
    let ir::Shape::Sliding { condition, .. } = &rule.shape else { return false };
    // The nesting of conditions is bounded by the language; the list here is all that waits to be looked at.
    let mut left: Vec<&Expr> = vec![condition];
    while let Some(expr) = left.pop() {
        match &expr.kind {
            ExprKind::Aggregate(n) => {
                if rule.aggregates.get(*n as usize).is_none_or(|aggregate| aggregate.enough.is_none()) {
                    return false;
                }
            }
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Call(_, parts) => left.extend(parts),
            ExprKind::Not(part) | ExprKind::IsTrue(part) => left.push(part),
            ExprKind::Arith(_, a, b) | ExprKind::Compare { left: a, right: b, .. } => {
                left.extend([&**a, &**b])
            }
            ExprKind::In { left: part, set, .. } => {
                left.push(part);
                if let ir::Set::Value(list) = set {
                    left.push(list);
                }
            }
            ExprKind::Quantified { list, body, .. } => left.extend([&**list, &**body]),
            ExprKind::Part(part, _) | ExprKind::Lookup(_, part) => left.push(part),
            ExprKind::Literal(_) | ExprKind::Read(_) | ExprKind::Key(_) => {}
        }
    }
    true
}

/// What a saved state must have in common with the rules that load it: everything that a remembered match was made by.
pub(crate) fn fingerprint(plan: &Plan) -> [u8; 16] {
    let mut fields = Fields::tagged("rules");
    for rule in &plan.rules {
        fields.part(Some(rule.name.as_bytes()));
        // Spans are in it too, so that an edit anywhere in front of a rule costs its state: this errs on the safe side.
        fields.part(Some(format!("{:?}", rule.source).as_bytes()));
    }
    fields.identity()
}
