//! Rules about requests themselves, known by their form: every event is a match of theirs, and nearly none ever matters.
//!
//! `never_answered` asks of each request whether its answer came; `audit_id_repeated` whether an id stands for a second
//! one. Each request is a key of its own, or nearly so, and at most one in many thousands has anything to tell. Who runs
//! such a rule need not remember a request as other rules remember a key; what the rule means does not change by it. The
//! forms are narrow on purpose: what is not recognised here is run as any other rule is, which is never wrong.

use super::{
    Aggregate, AggregateKind, Derived, Expr, ExprKind, Literal, Place, Root, Rule, Segment, Set, Shape,
    Stage, StagePick, Step,
};
use crate::syntax::ast::CompareOp;

/// What a rule asks about requests themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfRequests {
    /// A step that takes each request as it is received, and a `no` behind it that takes its answer, by `request_id`.
    Unanswered {
        /// For how long after the first the other one forbids, in nanoseconds.
        wait: i64,
    },
    /// A sliding window by `auditID` (or by `request_id`) whose condition one request alone cannot meet.
    Repeated {
        /// The key is `auditID`.
        by_audit_id: bool,
    },
}

impl Rule {
    /// What it asks about requests themselves, if it is such a rule.
    #[must_use]
    pub fn of_requests(&self) -> Option<OfRequests> {
        match (&self.shape, self.steps.as_slice()) {
            (Shape::Sequence { ordered: true, within }, [asked, answered]) => {
                unanswered(asked, answered, *within)
            }
            (Shape::Sliding { condition, .. }, [step]) => repeated(self, step, condition),
            _ => None,
        }
    }
}

fn unanswered(asked: &Step, answered: &Step, within: i64) -> Option<OfRequests> {
    // No event is both, and each step takes a request once.
    let apart = match (asked.on.events()?.stage, answered.on.events()?.stage) {
        (StagePick::Only(Stage::RequestReceived), StagePick::Outcome) => true,
        (StagePick::Only(asked), StagePick::Only(answered)) => asked != answered,
        _ => false,
    };
    let no = answered.no.filter(|_| asked.no.is_none() && asked.times == 1)?;
    let keyed = [asked, answered].into_iter().all(|step| key(step) == Some(Key::Request));
    // Whether an answer counts must be known from the answer alone.
    let alone = [asked, answered]
        .into_iter()
        .all(|step| step.condition.iter().chain(&step.excepts).all(|condition| !reads_steps(condition)));
    (apart && keyed && alone).then(|| OfRequests::Unanswered { wait: no.within.unwrap_or(within) })
}

fn repeated(rule: &Rule, step: &Step, condition: &Expr) -> Option<OfRequests> {
    // A request is taken once, at whichever stage.
    let once = matches!(step.on.events()?.stage, StagePick::Outcome | StagePick::Only(_));
    let counted = rule.aggregates.iter().all(counts_requests);
    let key = key(step)?;
    let several = match &condition.kind {
        ExprKind::And(parts) => parts.iter().any(asks_for_two),
        _ => asks_for_two(condition),
    };
    (once && counted && several).then_some(OfRequests::Repeated { by_audit_id: key == Key::AuditId })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Request,
    AuditId,
}

fn key(step: &Step) -> Option<Key> {
    let [part] = step.key.as_slice() else { return None };
    let place = read(&part.value)?;
    match (place.root, place.segments.as_slice()) {
        (Root::Derived(Derived::RequestId), []) => Some(Key::Request),
        (Root::Event, [Segment::Key(field)]) if field == "auditID" => Some(Key::AuditId),
        _ => None,
    }
}

/// A value of the event at hand.
fn read(value: &Expr) -> Option<&Place> {
    match &value.kind {
        ExprKind::Read(place) if place.step.is_none() => Some(place),
        _ => None,
    }
}

fn counts_requests(aggregate: &Aggregate) -> bool {
    let of_request = |parts: &[Expr]| match parts {
        [part] => read(part).is_some_and(|place| {
            place.root == Root::Derived(Derived::RequestId) && place.segments.is_empty()
        }),
        _ => false,
    };
    aggregate.filter.is_none()
        && match &aggregate.kind {
            AggregateKind::Count => true,
            AggregateKind::Distinct(parts) => of_request(parts),
            _ => false,
        }
}

/// A lower bound that one request does not reach.
fn asks_for_two(condition: &Expr) -> bool {
    let ExprKind::Compare { op, left, right, .. } = &condition.kind else { return false };
    let (ExprKind::Aggregate(_), ExprKind::Literal(Literal::Number(bound))) = (&left.kind, &right.kind)
    else {
        return false;
    };
    match op {
        CompareOp::Ge => *bound > 1.0,
        CompareOp::Gt => *bound >= 1.0,
        _ => false,
    }
}

/// Whether a condition reads what came to another step.
fn reads_steps(condition: &Expr) -> bool {
    let mut left = vec![condition];
    while let Some(expr) = left.pop() {
        let mut segments: &[Segment] = &[];
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => {}
            ExprKind::Read(place) if place.step.is_some() => return true,
            ExprKind::Read(place) => segments = &place.segments,
            ExprKind::Part(of, below) => {
                left.push(of);
                segments = below;
            }
            ExprKind::Call(_, parts) | ExprKind::And(parts) | ExprKind::Or(parts) => left.extend(parts),
            ExprKind::Lookup(_, of) | ExprKind::Not(of) | ExprKind::IsTrue(of) => left.push(of),
            ExprKind::Arith(_, a, b) | ExprKind::Compare { left: a, right: b, .. } => {
                left.extend([&**a, &**b])
            }
            ExprKind::In { left: of, set, .. } => {
                left.push(of);
                if let Set::Value(list) = set {
                    left.push(list);
                }
            }
            ExprKind::Quantified { list, body, .. } => left.extend([&**list, &**body]),
        }
        left.extend(segments.iter().filter_map(|segment| match segment {
            Segment::Computed(inner) => Some(&**inner),
            _ => None,
        }));
    }
    false
}

#[cfg(test)]
mod tests;
