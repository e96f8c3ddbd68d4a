//! Windows and sequences whose memory or meaning is not what it seems.

use super::Subject;
use super::facts::event_field;
use super::walk::{Scope, leaves, walk};
use crate::diag::{Code, Diagnostic};
use crate::ir::{CompareOp, Derived, Expr, ExprKind, Place, Root, Rule, Shape, Step};
use crate::ir::{Subresource, Target, Targets, Verbs};
use crate::schema;

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    let mut found = Vec::new();
    match &rule.shape {
        Shape::Each
        | Shape::Tumbling { .. }
        | Shape::Session { .. }
        | Shape::FirstSeen { .. }
        | Shape::Silent { .. } => {}
        Shape::Sliding { condition, .. } => upper_bounds(rule, condition, &mut found),
        Shape::Sequence { .. } => {
            found.extend(unjoined(rule));
            rule.steps.iter().for_each(|step| found.extend(absent_key(step)));
        }
    }
    if rule.throttle > 0 || !matches!(rule.shape, Shape::Each) {
        rule.steps.iter().for_each(|step| found.extend(endless_key(step)));
    }
    found.into_iter().for_each(|diagnostic| subject.warn(diagnostic));
}

/// `count() < 75`: in a sliding window it holds at the first event already.
fn upper_bounds(rule: &Rule, condition: &Expr, found: &mut Vec<Diagnostic>) {
    let lower = has_lower_bound(condition, true);
    bounds(condition, true, &mut |expr, aggregate, upper| {
        let filtered = rule.aggregates.get(aggregate as usize).is_some_and(|a| a.filter.is_some());
        // `count(where succeeded) == 0 and count() >= 10` says what it means: none among those that came so far.
        if !upper || (filtered && lower) {
            return;
        }
        let message = "an upper bound in a sliding window holds as soon as the first event comes, as it is judged after each";
        let help = "only a window that is over knows the whole: `tumbling` or `session`";
        found.push(Diagnostic::new(Code::UpperBound, expr.span, message).help(help));
    });
}

fn has_lower_bound(condition: &Expr, positive: bool) -> bool {
    let mut any = false;
    bounds(condition, positive, &mut |_, _, upper| any |= !upper);
    any
}

/// Tells each comparison of an aggregate with a constant, and whether it bounds it from above.
fn bounds<'e>(expr: &'e Expr, positive: bool, tell: &mut dyn FnMut(&'e Expr, u32, bool)) {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter().for_each(|part| bounds(part, positive, tell))
        }
        ExprKind::Not(of) => bounds(of, !positive, tell),
        ExprKind::Compare { op, left, right, .. } => {
            let (aggregate, op) = match (&left.kind, &right.kind) {
                (ExprKind::Aggregate(n), _) if constant(right) => (*n, *op),
                (_, ExprKind::Aggregate(n)) if constant(left) => (*n, turned(*op)),
                _ => return,
            };
            match (op, positive) {
                (CompareOp::Lt | CompareOp::Le, true) | (CompareOp::Gt | CompareOp::Ge, false) => {
                    tell(expr, aggregate, true);
                }
                (CompareOp::Eq, true) => tell(expr, aggregate, true),
                (CompareOp::Gt | CompareOp::Ge, true) | (CompareOp::Lt | CompareOp::Le, false) => {
                    tell(expr, aggregate, false);
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn constant(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(_))
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

/// A sequence that neither a key nor a condition holds together: any two events of the cluster make it.
fn unjoined(rule: &Rule) -> Option<Diagnostic> {
    if rule.steps.iter().any(|step| !step.key.is_empty()) {
        return None;
    }
    let joined = rule.steps.iter().filter_map(|step| step.condition.as_ref()).any(joins);
    let message = format!("nothing says that the steps of `{}` belong together", rule.name);
    let help = "add `by`, or compare a field with one of an earlier step by `==`";
    (!joined).then(|| Diagnostic::new(Code::Unjoined, rule.span, message).help(help))
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
