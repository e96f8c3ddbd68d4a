//! Bodies that are not there, or not of the kind that is read.
//!
//! For each read of a body all pairs of verb and resource that the step takes are asked, narrowed by what stands
//! beside the read (`objectRef.resource == "pods" and …`). A pair of which nothing is known has everything: a warning
//! needs knowledge.

use std::collections::BTreeMap;

use super::Subject;
use super::facts::{Candidate, Constraint, event_field};
use super::walk::{Scope, walk};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Derived, Expr, ExprKind, Function, Groups, Piece, Place, Root, Rule, Segment};
use crate::ir::{Selector, Shape, Step, Subresource, Target, Targets, Type, Verbs};
use crate::schema::{self, Lookup, RequestBody};
use crate::source::Span;

/// The verbs whose request carries what the object shall be.
const WRITES: [&str; 3] = ["create", "update", "patch"];

/// The most questions that one step asks of the schema. No rule that people write comes near; one that does is judged no
/// further.
const QUESTIONS_MAX: usize = 1_000_000;

/// What every object, every `Status` and every delete's options have: read without naming a resource, it is no riddle.
const COMMON: [&str; 14] = [
    "apiVersion",
    "code",
    "details",
    "dryRun",
    "gracePeriodSeconds",
    "items",
    "kind",
    "message",
    "metadata",
    "orphanDependents",
    "preconditions",
    "propagationPolicy",
    "reason",
    "status",
];

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    let mut found = Vec::new();
    let last = rule.steps.iter().rposition(|step| step.no.is_none());
    let unordered = matches!(rule.shape, Shape::Sequence { ordered: false, .. });
    for (number, step) in rule.steps.iter().enumerate() {
        let mut look =
            Look { rule, number, alone: None, in_alert: false, left: QUESTIONS_MAX, found: Vec::new() };
        for condition in step.condition.iter() {
            walk(condition, &Scope::top(), &mut |expr, scope| look.at(expr, scope));
        }
        let matched = Scope::top().given(step.condition.as_ref());
        for value in step.excepts.iter().chain(step.key.iter().map(|part| &part.value)) {
            walk(value, &matched, &mut |expr, scope| look.at(expr, scope));
        }
        if Some(number) == last {
            let first_seen: &[Expr] = match &rule.shape {
                Shape::FirstSeen { values, .. } => values,
                _ => &[],
            };
            for value in rule.aggregates.iter().flat_map(aggregated).chain(first_seen) {
                walk(value, &matched, &mut |expr, scope| look.at(expr, scope));
            }
            look.in_alert = true;
            let pieces = rule.alert.iter().filter_map(|piece| match piece {
                Piece::Value(of) => Some(of),
                Piece::Literal(_) => None,
            });
            for value in pieces {
                walk(value, &matched, &mut |expr, scope| {
                    // A bare field of an `unordered` is of whichever step came last.
                    let whose = matches!(&expr.kind, ExprKind::Read(place) if place.step.is_none());
                    if !(unordered && whose) {
                        look.at(expr, scope);
                    }
                });
            }
        }
        found.extend(look.found);
        found.extend(pods_alone(rule, step, look.alone));
    }
    found.into_iter().for_each(|diagnostic| subject.warn(diagnostic));
}

fn aggregated(aggregate: &crate::ir::Aggregate) -> impl Iterator<Item = &Expr> {
    aggregate.kind.values().iter().chain(&aggregate.filter)
}

/// One step's reads, as they are found.
struct Look<'r> {
    rule: &'r Rule,
    number: usize,
    /// The first read of a pod's spec.
    alone: Option<Span>,
    in_alert: bool,
    /// How many questions to the schema are left for this step.
    left: usize,
    found: Vec<Diagnostic>,
}

impl<'r> Look<'r> {
    fn at(&mut self, expr: &'r Expr, scope: &Scope<'r>) {
        if let ExprKind::Call(Function::Len, arguments) = &expr.kind {
            let argument = arguments.first();
            self.found.extend(argument.and_then(|of| self.length_of_patch(expr.span, of, scope)));
        }
        let ExprKind::Read(place) = &expr.kind else { return };
        let Some((root, segments)) = from_root(place, scope) else { return };
        let body = matches!(
            root,
            Root::RequestObject
                | Root::ResponseObject(_)
                | Root::Derived(
                    Derived::Desired
                        | Derived::PodSpec
                        | Derived::Containers
                        | Derived::CsrCommonName
                        | Derived::CsrOrganizations
                )
        );
        let Some(on) = self.selector(place).filter(|_| body) else { return };
        let pairs = match pairs(on) {
            Pairs::Unnamed => {
                self.found.extend(self.unnamed(expr.span, place, root, &segments, scope));
                return;
            }
            Pairs::Unknown => return,
            Pairs::Known(pairs) => {
                let Some(left) = self.left.checked_sub(pairs.len() * (scope.beside.len() + 3)) else {
                    return;
                };
                self.left = left;
                narrowed(pairs, place, scope)
            }
        };
        let mut pairs = pairs;
        // What the list of a variable lacks is told where the list is read.
        let list = &segments[..segments.len() - place.segments.len()];
        if !list.is_empty() {
            pairs.retain(|pair| pair.has(root, list) == Has::Path);
        }
        if pairs.is_empty() {
            return;
        }
        if pairs.iter().all(|pair| pair.has(root, &segments) == Has::NoBody) {
            self.found.push(no_body(expr.span, place, &pairs));
            return;
        }
        if self.in_alert {
            return;
        }
        self.found.extend(only_some(expr.span, place, root, &segments, &pairs));
        if self.alone.is_none() && reads_pod_spec(root, &segments) {
            self.alone = Some(expr.span);
        }
    }

    fn selector(&self, place: &Place) -> Option<&'r Selector> {
        let step = place.step.map_or(self.number, |step| step as usize);
        self.rule.steps.get(step).and_then(|step| step.on.events())
    }

    fn unnamed(
        &self,
        span: Span,
        place: &Place,
        root: Root,
        segments: &[&Segment],
        scope: &Scope<'_>,
    ) -> Option<Diagnostic> {
        let typed_by_name =
            matches!(root, Root::RequestObject | Root::ResponseObject(_) | Root::Derived(Derived::Desired));
        let first = segments
            .iter()
            .find_map(|s| if let Segment::Key(key) = s { Some(key.as_str()) } else { None })?;
        let named = scope
            .beside
            .iter()
            .any(|test| test.positive && is_field(test, place, &["objectRef", "resource"]));
        if !typed_by_name || self.in_alert || named || COMMON.contains(&first) {
            return None;
        }
        let message = format!("`on` names no resource, so nothing says whether any has `{}`", place.text);
        let help = "name the resources in `on`; then each field of their bodies is checked";
        Some(Diagnostic::new(Code::BodyWithoutResource, span, message).help(help))
    }

    fn length_of_patch(&self, span: Span, of: &Expr, scope: &Scope<'_>) -> Option<Diagnostic> {
        let ExprKind::Read(place) = &of.kind else { return None };
        let (root, _) = from_root(place, scope)?;
        let desired =
            matches!(root, Root::Derived(Derived::Desired | Derived::PodSpec | Derived::Containers));
        if !desired || !matches!(of.ty, Type::List(_) | Type::Map(_) | Type::Object(_)) {
            return None;
        }
        let Pairs::Known(pairs) = pairs(self.selector(place)?) else { return None };
        if !narrowed(pairs, place, scope).iter().any(|pair| pair.verb == "patch") {
            return None;
        }
        let message = format!("a patch does not tell the length of `{}`, only what it sets", place.text);
        let help = "of patches this is unknown; read `responseObject`, or take `patch` out of `on`";
        Some(Diagnostic::new(Code::LengthOfPatch, span, message).help(help))
    }
}

/// Where a place begins, variables followed to the list they come from; `None` if that is no place.
fn from_root<'e>(place: &'e Place, scope: &Scope<'e>) -> Option<(Root, Vec<&'e Segment>)> {
    let mut parts = vec![place.segments.iter().collect::<Vec<_>>()];
    let mut root = place.root;
    // Each round goes out by one quantifier, so there are no more rounds than variables.
    for _ in 0..=scope.lists.len() {
        let Root::Element(var) = root else {
            return Some((root, parts.into_iter().rev().flatten().collect()));
        };
        let ExprKind::Read(list) = &scope.list(var)?.kind else { return None };
        let mut part: Vec<_> = list.segments.iter().collect();
        part.push(&Segment::Each);
        parts.push(part);
        root = list.root;
    }
    None
}

/// One kind of request that a step takes.
#[derive(Clone, Copy)]
struct Pair<'r> {
    verb: &'r str,
    name: &'r str,
    group: &'r str,
    subresource: Option<&'r str>,
}

enum Pairs<'r> {
    /// `any`, `any resource`.
    Unnamed,
    /// `*/status` and the like: named, but of no kind that is known.
    Unknown,
    Known(Vec<Pair<'r>>),
}

fn pairs(on: &Selector) -> Pairs<'_> {
    let Targets::Only(targets) = &on.targets else { return Pairs::Unnamed };
    let verbs: Vec<&str> = match &on.verbs {
        Verbs::Only(verbs) => verbs.iter().map(String::as_str).collect(),
        Verbs::AllBut(but) => {
            schema::RESOURCE_VERBS.into_iter().filter(|verb| !but.iter().any(|out| out == verb)).collect()
        }
    };
    let mut pairs = Vec::new();
    for target in targets {
        let Target::Resource(resource) = target else { return Pairs::Unknown };
        let (Some(name), Groups::OneOf(groups)) = (&resource.name, &resource.groups) else {
            return Pairs::Unknown;
        };
        let subresource = match &resource.subresource {
            Subresource::None => None,
            Subresource::Only(name) => Some(name.as_str()),
            Subresource::Any => return Pairs::Unknown,
        };
        for group in groups {
            pairs.extend(verbs.iter().map(|verb| Pair { verb, name, group, subresource }));
        }
    }
    Pairs::Known(pairs)
}

fn is_field(test: &Constraint<'_>, place: &Place, path: &[&str]) -> bool {
    test.place.step == place.step && event_field(test.place).is_some_and(|own| own.as_slice() == path)
}

fn narrowed<'r>(mut pairs: Vec<Pair<'r>>, place: &Place, scope: &Scope<'_>) -> Vec<Pair<'r>> {
    for test in &scope.beside {
        let value: fn(&Pair<'r>) -> Option<&'r str> = if is_field(test, place, &["verb"]) {
            |pair| Some(pair.verb)
        } else if is_field(test, place, &["objectRef", "resource"]) {
            |pair| Some(pair.name)
        } else if is_field(test, place, &["objectRef", "subresource"]) {
            |pair| pair.subresource
        } else {
            continue;
        };
        pairs
            .retain(|pair| test.holds(value(pair).map_or(Candidate::Absent, Candidate::Text)) != Some(false));
    }
    pairs
}

/// Whether a request has what is read.
#[derive(Clone, Copy, PartialEq)]
enum Has {
    Path,
    /// A body, but nothing in it of that name.
    OtherBody,
    NoBody,
}

impl Pair<'_> {
    fn has(&self, root: Root, segments: &[&Segment]) -> Has {
        let writes = WRITES.contains(&self.verb);
        let types = match root {
            Root::RequestObject | Root::Derived(Derived::Desired) => {
                match schema::request_body(self.name, self.group, self.subresource, self.verb) {
                    RequestBody::Object(ty) => vec![ty],
                    RequestBody::Patch(ty, _) if root != Root::RequestObject => vec![ty],
                    RequestBody::Patch(ty, operations) => vec![ty, operations],
                    RequestBody::DeleteOptions(ty) if root == Root::RequestObject => vec![ty],
                    RequestBody::DeleteOptions(_) | RequestBody::Never => vec![],
                }
            }
            Root::ResponseObject(_) => {
                let answer = schema::response_bodies(self.name, self.group, self.subresource, self.verb);
                // Anything may be refused: a Status counts only for those who read one.
                if answer.status.as_ref().is_some_and(|status| has_path(status, segments)) {
                    return Has::Path;
                }
                answer.object.into_iter().chain(answer.list).collect()
            }
            Root::Derived(Derived::CsrCommonName | Derived::CsrOrganizations) => {
                return if writes && self.name == "certificatesigningrequests" {
                    Has::Path
                } else {
                    Has::NoBody
                };
            }
            _ => {
                let makes_pods = schema::WORKLOADS.contains(&(self.name, self.subresource));
                return if writes && makes_pods { Has::Path } else { Has::NoBody };
            }
        };
        // What says how to merge stands beside any field of a patch.
        let directive =
            segments.iter().position(|part| matches!(part, Segment::Key(key) if key.starts_with('$')));
        let segments = match directive {
            Some(at) if root == Root::RequestObject && self.verb == "patch" => &segments[..at],
            _ => segments,
        };
        match types.as_slice() {
            [] => Has::NoBody,
            types if types.iter().any(|ty| has_path(ty, segments)) => Has::Path,
            _ => Has::OtherBody,
        }
    }

    fn shown(&self) -> String {
        self.subresource.map_or_else(|| self.name.to_owned(), |sub| format!("{}/{sub}", self.name))
    }
}

fn has_path(ty: &Type, segments: &[&Segment]) -> bool {
    let mut ty = ty.clone();
    for segment in segments {
        ty = match (segment, &ty) {
            (_, Type::Any) => return true,
            (Segment::Key(key), _) => match schema::field(&ty, key) {
                Lookup::Field(field) => field.ty.clone(),
                Lookup::Key => match &ty {
                    Type::Map(of) => (**of).clone(),
                    _ => return true,
                },
                Lookup::Any => return true,
                Lookup::Missing(_) | Lookup::NoFields => return false,
            },
            (Segment::Index(_) | Segment::Each | Segment::Computed(_), Type::List(of) | Type::Map(of)) => {
                (**of).clone()
            }
            (Segment::Computed(_), _) => return true,
            (Segment::Index(_) | Segment::Each, _) => return false,
        };
    }
    true
}

fn no_body(span: Span, place: &Place, pairs: &[Pair<'_>]) -> Diagnostic {
    let text = &place.text;
    let all = |verbs: &[&str]| pairs.iter().all(|pair| verbs.contains(&pair.verb));
    let message = if all(&["delete", "deletecollection"]) {
        format!("a delete carries no object, so `{text}` is never known here")
    } else if all(&["get", "list", "watch"]) && pairs.iter().all(|pair| pair.subresource.is_none()) {
        format!("a request that only reads carries no such body, so `{text}` is never known here")
    } else {
        format!("no request that `on` takes carries `{text}`, so it is never known here")
    };
    Diagnostic::new(Code::NeverABody, span, message)
        .help("what is unknown fires nothing; read it where it is written")
}

/// The path is in the bodies of some of the resources, and not in those of others.
fn only_some(
    span: Span,
    place: &Place,
    root: Root,
    segments: &[&Segment],
    pairs: &[Pair<'_>],
) -> Option<Diagnostic> {
    let mut by_resource: BTreeMap<String, Has> = BTreeMap::new();
    for pair in pairs {
        let has = pair.has(root, segments);
        let best = by_resource.entry(pair.shown()).or_insert(has);
        if has == Has::Path || *best == Has::NoBody {
            *best = has;
        }
    }
    let without: Vec<_> = by_resource.iter().filter(|(_, has)| **has != Has::Path).collect();
    // One that has no body at all (`pods/exec` beside `pods`) is as blind as one with another body.
    if without.is_empty() || without.len() == by_resource.len() {
        return None;
    }
    let names: Vec<_> = without.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("{} has no `{}`", names.join(", "), place.text);
    let help =
        "of these it is never there: give them a rule of their own, or test `objectRef.resource` beside it";
    Some(Diagnostic::new(Code::PathOfSome, span, message).help(help))
}

/// Whether what is read is (a part of) the spec of a pod that somebody wrote.
fn reads_pod_spec(root: Root, segments: &[&Segment]) -> bool {
    match root {
        Root::Derived(Derived::PodSpec | Derived::Containers) => true,
        Root::Derived(Derived::Desired) | Root::RequestObject => {
            matches!(segments.first(), Some(Segment::Key(key)) if key == "spec")
        }
        _ => false,
    }
}

/// Rules about pods that somebody writes, and not about what makes pods. In a sequence the pod itself may be what joins.
fn pods_alone(rule: &Rule, step: &Step, read: Option<Span>) -> Option<Diagnostic> {
    let span = read?;
    let Pairs::Known(pairs) = pairs(step.on.events()?) else { return None };
    let of_pods = |pair: &Pair<'_>| {
        pair.name == "pods" && matches!(pair.subresource, None | Some("ephemeralcontainers"))
    };
    let asked = pairs
        .iter()
        .any(|pair| pair.name == "pods" && pair.subresource.is_none() && WRITES.contains(&pair.verb));
    if matches!(rule.shape, Shape::Sequence { .. }) || !asked || !pairs.iter().all(of_pods) {
        return None;
    }
    let message =
        "deployments, jobs and others make pods too, in the name of a controller, and this passes over them";
    let help = "write `workloads` and read `pod_spec` or `containers`, which know where each keeps its pod";
    Some(Diagnostic::new(Code::PodsAlone, span, message).help(help))
}
