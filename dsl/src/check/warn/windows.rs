//! Windows and sequences whose memory or meaning is not what it seems.

use super::Subject;
use super::facts::event_field;
use super::walk::{Scope, leaves, walk};
use crate::diag::{Code, Diagnostic};
use crate::ir::{AggregateKind, CompareOp, Derived, Expr, ExprKind, Literal, Place, Root, Rule, Shape, Step};
use crate::ir::{Subresource, Target, Targets, Verbs};
use crate::schema;

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    let mut found = Vec::new();
    match &rule.shape {
        Shape::Each | Shape::FirstSeen { .. } | Shape::Silent { .. } => {}
        Shape::Tumbling { condition, .. } | Shape::Session { condition, .. } => {
            never_empty(rule, condition, &mut found);
        }
        Shape::Sliding { condition, .. } => {
            never_empty(rule, condition, &mut found);
            if found.is_empty() {
                upper_bounds(rule, condition, &mut found);
            }
        }
        Shape::Sequence { .. } => {
            let unjoined = unjoined(rule);
            if unjoined.is_none() && !subject.says_throttle {
                found.extend(silences_itself(rule));
            }
            found.extend(unjoined);
            rule.steps.iter().for_each(|step| found.extend(absent_key(step)));
        }
    }
    // Of a rule about requests themselves no key fills state of its own.
    if (rule.throttle > 0 || !matches!(rule.shape, Shape::Each)) && rule.of_requests().is_none() {
        rule.steps.iter().for_each(|step| found.extend(endless_key(step)));
    }
    found.into_iter().for_each(|diagnostic| subject.warn(diagnostic));
}

/// `count() == 0`: a window is there because something came.
fn never_empty(rule: &Rule, condition: &Expr, found: &mut Vec<Diagnostic>) {
    bounds(condition, true, &mut |bound| {
        let aggregate = rule.aggregates.get(bound.aggregate as usize);
        let plain = aggregate.is_some_and(|a| matches!(a.kind, AggregateKind::Count) && a.filter.is_none());
        let none = match bound.op {
            CompareOp::Lt => bound.constant <= 1.0,
            _ => bound.constant < 1.0,
        };
        if plain && bound.upper && none {
            let message = "this is never true: a window without events is not judged";
            let help = "`silent for 5m` tells that nothing came";
            found.push(Diagnostic::new(Code::NeverTrue, bound.expr.span, message).help(help));
        }
    });
}

/// `count() < 75`: in a sliding window it holds at the first event already.
fn upper_bounds(rule: &Rule, condition: &Expr, found: &mut Vec<Diagnostic>) {
    let lower = has_lower_bound(condition, true);
    bounds(condition, true, &mut |bound| {
        let aggregate = rule.aggregates.get(bound.aggregate as usize);
        let filtered = aggregate.is_some_and(|a| a.filter.is_some());
        // More events make no mean, least value or percentile larger for certain.
        let grows = aggregate.is_some_and(|a| {
            matches!(a.kind, AggregateKind::Count | AggregateKind::Distinct(_) | AggregateKind::Sum(_))
        });
        // `count(where succeeded) == 0 and count() >= 10` says what it means: none among those that came so far.
        if !bound.upper || !grows || (filtered && lower) {
            return;
        }
        let message = "an upper bound in a sliding window holds as soon as the first event comes, as it is judged after each";
        let help = "only a window that is over knows the whole: `tumbling` or `session`";
        found.push(Diagnostic::new(Code::UpperBound, bound.expr.span, message).help(help));
    });
}

fn has_lower_bound(condition: &Expr, positive: bool) -> bool {
    let mut any = false;
    bounds(condition, positive, &mut |bound| any |= !bound.upper);
    any
}

/// A comparison of an aggregate with a constant.
struct Bound<'e> {
    expr: &'e Expr,
    aggregate: u32,
    /// As it stands with the aggregate on the left, under no `not`.
    op: CompareOp,
    /// Of a duration its nanoseconds.
    constant: f64,
    /// Bounds it from above.
    upper: bool,
}

/// Tells each comparison of an aggregate with a constant.
fn bounds<'e>(expr: &'e Expr, positive: bool, tell: &mut dyn FnMut(Bound<'e>)) {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter().for_each(|part| bounds(part, positive, tell))
        }
        ExprKind::Not(of) => bounds(of, !positive, tell),
        ExprKind::Compare { op, left, right, .. } => {
            let (aggregate, constant, op) = match (&left.kind, &right.kind) {
                (ExprKind::Aggregate(n), _) => (*n, constant(right), *op),
                (_, ExprKind::Aggregate(n)) => (*n, constant(left), turned(*op)),
                _ => return,
            };
            let Some(constant) = constant else { return };
            let op = match (op, positive) {
                (op, true) => op,
                (CompareOp::Lt, false) => CompareOp::Ge,
                (CompareOp::Le, false) => CompareOp::Gt,
                (CompareOp::Gt, false) => CompareOp::Le,
                (CompareOp::Ge, false) => CompareOp::Lt,
                _ => return,
            };
            let upper = match op {
                CompareOp::Lt | CompareOp::Le | CompareOp::Eq => true,
                CompareOp::Gt | CompareOp::Ge => false,
                _ => return,
            };
            tell(Bound { expr, aggregate, op, constant, upper });
        }
        _ => {}
    }
}

#[expect(clippy::cast_precision_loss, reason = "compared with small numbers only")]
fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(Literal::Number(number)) => Some(*number),
        ExprKind::Literal(Literal::Duration(nanos)) => Some(*nanos as f64),
        _ => None,
    }
}

fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        other => other,
    }
}

/// A sequence that neither a key nor a condition holds together: any two events of the cluster make it, and any event at
/// a `no` step that nothing joins forbids it.
fn unjoined(rule: &Rule) -> Option<Diagnostic> {
    if rule.steps.iter().any(|step| !step.key.is_empty()) {
        return None;
    }
    let joined = |step: &Step| step.condition.as_ref().is_some_and(joins);
    let mut positive = rule.steps.iter().filter(|step| step.no.is_none());
    let alone = positive.clone().count() == 1;
    if !alone && !positive.any(joined) {
        let message = format!("nothing says that the steps of `{}` belong together", rule.name);
        let help = "add `by`, or compare a field with one of an earlier step by `==`";
        return Some(Diagnostic::new(Code::Unjoined, rule.span, message).help(help));
    }
    let no = rule.steps.iter().find(|step| step.no.is_some() && !joined(step))?;
    let name = no.name.as_deref().unwrap_or_default();
    let message =
        format!("nothing says that `no {name}` belongs to the other steps, so any such event forbids");
    let help = "add `by`, or compare a field with one of another step by `==`";
    Some(Diagnostic::new(Code::Unjoined, rule.span, message).help(help))
}

/// A sequence without a key has one throttle for all: what one user did keeps it silent about all others. Steps that are
/// joined by conditions do not say so; of those that nothing joins everybody is meant.
fn silences_itself(rule: &Rule) -> Option<Diagnostic> {
    let keyed = rule.steps.iter().any(|step| !step.key.is_empty());
    let Shape::Sequence { within, .. } = rule.shape else { return None };
    // A tune may have said another time.
    if keyed || rule.throttle != within {
        return None;
    }
    let message =
        format!("after an alert of `{}` it is silent about everybody, for as long as its time", rule.name);
    let help = "add `by` for a throttle per key, or say how long one alert is enough for all: `throttle 0s` tells each";
    Some(Diagnostic::new(Code::SilencesItself, rule.span, message).help(help))
}

/// Whether a condition asks, under no `not`, that something equals a value of an earlier step.
fn joins(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().any(joins),
        ExprKind::Quantified { body, .. } => joins(body),
        ExprKind::Compare { op: CompareOp::Eq, .. } | ExprKind::In { .. } => {
            let mut earlier = false;
            walk(condition, &Scope::default(), &mut |expr, _| {
                earlier |= matches!(&expr.kind, ExprKind::Read(place) if place.step.is_some());
            });
            earlier
        }
        _ => false,
    }
}

/// A key of which every part can be absent: such events take no part in a sequence.
fn absent_key(step: &Step) -> Option<Diagnostic> {
    // What an alert is of is the business of the rule that told it.
    step.on.events()?;
    let mut absent = Vec::new();
    for part in &step.key {
        let ExprKind::Read(place) = &part.value.kind else { return None };
        if !can_be_absent(place, step) {
            return None;
        }
        absent.push(place);
    }
    let first = step.key.first()?;
    let names: Vec<_> = absent.iter().map(|place| format!("`{}`", place.text)).collect();
    let message = format!(
        "{} can be absent, and an event without a key takes no part in the sequence",
        names.join(" and ")
    );
    let help = format!("if that is meant, say so in `where`: `present({})`", absent.first()?.text);
    Some(Diagnostic::new(Code::KeyAbsent, first.value.span, message).help(help))
}

fn can_be_absent(place: &Place, step: &Step) -> bool {
    // Any test that is true only of a value says that it is there.
    let tested = step.condition.as_ref().map(leaves).unwrap_or_default();
    if tested.iter().any(|test| test.positive && test.same_place(place)) {
        return false;
    }
    match place.root {
        Root::Derived(field) => matches!(
            field,
            Derived::CredentialId
                | Derived::CredentialNode
                | Derived::CredentialPod
                | Derived::ClientVersion
                | Derived::ExecCommand
                | Derived::ExecContainer
                | Derived::CsrCommonName
        ),
        Root::RequestObject | Root::ResponseObject(_) => true,
        Root::Element(_) | Root::Alert(_) | Root::Undecodable(_) => false,
        Root::Event => match event_field(place).unwrap_or_default().as_slice() {
            ["annotations" | "impersonatedUser" | "authenticationMetadata", ..] => true,
            ["user", "extra", ..] => true,
            ["objectRef", "namespace"] => !always_in_a_namespace(step),
            ["objectRef", "subresource"] => tells_no_subresource(step),
            _ => false,
        },
    }
}

/// Whether each request that the step takes names a namespace: no `list` over all of them, no cluster-wide resource.
fn always_in_a_namespace(step: &Step) -> bool {
    let Some(on) = step.on.events() else { return false };
    let Targets::Only(targets) = &on.targets else { return false };
    let Verbs::Only(verbs) = &on.verbs else { return false };
    let namespaced = |target: &Target| match target {
        // What is in no table is not judged.
        Target::Resource(resource) => {
            resource.name.as_deref().and_then(schema::built_in).is_none_or(|own| own.namespaced)
        }
        Target::NonResource { .. } => false,
    };
    // Lists over all namespaces are a habit of controllers; a rule keyed by namespace knows that it passes them over.
    !verbs.is_empty() && targets.iter().all(namespaced)
}

fn tells_no_subresource(step: &Step) -> bool {
    let Some(Targets::Only(targets)) = step.on.events().map(|on| &on.targets) else { return true };
    targets.iter().any(|target| match target {
        Target::Resource(resource) => !matches!(resource.subresource, Subresource::Only(_)),
        Target::NonResource { .. } => true,
    })
}

/// A key that one client can make as many of as it likes, each with state of its own.
fn endless_key(step: &Step) -> Option<Diagnostic> {
    let (part, place) = step.key.iter().find_map(|part| {
        let mut of_client = None;
        walk(&part.value, &Scope::default(), &mut |expr, _| {
            if let ExprKind::Read(place) = &expr.kind
                && is_endless(place)
            {
                of_client.get_or_insert(place);
            }
        });
        Some((part, of_client?))
    })?;
    let message =
        format!("a client can make up any number of `{}`, each of which fills state of its own", place.text);
    let help =
        "key by what the server knows (`user.username`, `peer_ip`), and count the other with `distinct(..)`";
    Some(Diagnostic::new(Code::EndlessKey, part.value.span, message).help(help))
}

fn is_endless(place: &Place) -> bool {
    match place.root {
        Root::Derived(field) => matches!(
            field,
            Derived::ClientProgram
                | Derived::ClientVersion
                | Derived::ExecArgs
                | Derived::ExecCommand
                | Derived::ExecContainer
                | Derived::RequestId
        ),
        Root::Event => {
            matches!(
                event_field(place).unwrap_or_default().as_slice(),
                ["userAgent" | "requestURI" | "auditID"]
            )
        }
        _ => false,
    }
}
