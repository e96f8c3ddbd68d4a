//! What `on` passes over though it is the same deed: `get` of what connects, `deletecollection` of what deletes.

use super::Subject;
use super::facts::event_field;
use super::walk::{Scope, walk};
use crate::diag::{Code, Diagnostic};
use crate::ir::{
    Derived, Expr, ExprKind, Place, Resource, Root, Selector, Step, Subresource, Target, Targets, Verbs,
};
use crate::schema;
use crate::source::Span;
use crate::syntax::ast;

/// The subresources whose requests open a connection: by a websocket `get`, by SPDY `create`.
const CONNECTS: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

pub(super) fn check(subject: &mut Subject<'_>) {
    for (number, step) in subject.rule.steps.iter().enumerate() {
        let Some(on) = step.on.events() else { continue };
        let Targets::Only(targets) = &on.targets else { continue };
        let resources: Vec<&Resource> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Resource(resource) => Some(resource),
                Target::NonResource { .. } => None,
            })
            .collect();
        let at = subject.selector(number);
        let found = [
            connects_by_get(on, at, &resources),
            deletes_collections(step, on, at, &resources),
            never_done(subject.written(number), &resources),
        ];
        found.into_iter().flatten().for_each(|diagnostic| subject.warn(diagnostic));
    }
}

fn takes(on: &Selector, verb: &str) -> bool {
    match &on.verbs {
        Verbs::Only(verbs) => verbs.iter().any(|own| own == verb),
        Verbs::AllBut(verbs) => !verbs.iter().any(|own| own == verb),
    }
}

fn connects_by_get(on: &Selector, at: Span, resources: &[&Resource]) -> Option<Diagnostic> {
    if !takes(on, "create") || takes(on, "get") {
        return None;
    }
    let name = resources.iter().find_map(|resource| match &resource.subresource {
        Subresource::Only(name) if CONNECTS.contains(&name.as_str()) => {
            Some(format!("{}/{name}", resource.name.as_deref().unwrap_or("*")))
        }
        _ => None,
    })?;
    let message =
        format!("a connection to `{name}` is a `get` with recent clients, a `create` only with older ones");
    Some(Diagnostic::new(Code::ConnectByGet, at, message).help("write `on create, get of …`"))
}

fn deletes_collections(step: &Step, on: &Selector, at: Span, resources: &[&Resource]) -> Option<Diagnostic> {
    if !takes(on, "delete") || takes(on, "deletecollection") {
        return None;
    }
    let name = resources.iter().find_map(|resource| {
        let name = resource.name.as_deref()?;
        let built_in = schema::built_in(name)?;
        let whole = resource.subresource == Subresource::None && built_in.verbs.contains(&"deletecollection");
        whole.then_some(name)
    })?;
    // A rule about one object by its name does not ask for what has no name.
    if step.key.iter().any(|part| reads_name(&part.value)) {
        return None;
    }
    let message = format!("many `{name}` at once are deleted by `deletecollection`, which this passes over");
    Some(
        Diagnostic::new(Code::DeleteCollection, at, message).help("write `on delete, deletecollection of …`"),
    )
}

fn reads_name(expr: &Expr) -> bool {
    let mut reads = false;
    walk(expr, &Scope::default(), &mut |expr, _| {
        reads |= matches!(&expr.kind, ExprKind::Read(place) if is_name(place));
    });
    reads
}

fn is_name(place: &Place) -> bool {
    place.root == Root::Derived(Derived::ObjectName)
        || event_field(place).is_some_and(|path| path.as_slice() == ["objectRef", "name"])
}

/// A verb that was written out, and that none of the resources has. Only where all of them are Kubernetes' own.
fn never_done(written: Option<&ast::Selector>, resources: &[&Resource]) -> Option<Diagnostic> {
    let ast::SelectorKind::Events { verbs, targets, .. } = &written?.kind else { return None };
    if verbs.any.is_some() || resources.is_empty() || targets.list.len() > resources.len() {
        return None;
    }
    let known: Option<Vec<&[&str]>> = resources.iter().map(|resource| verbs_of(resource)).collect();
    let known = known?;
    let verb = verbs.list.iter().find(|verb| {
        let name = verb.name.node.as_str();
        let plain = !verb.quoted && schema::RESOURCE_VERBS.contains(&name);
        plain && !known.iter().any(|verbs| verbs.contains(&name))
    })?;
    let message = format!("nothing that this names can be asked to `{}`", verb.name.node);
    let help = "leave the verb out, or put it in quotes if attempts are meant";
    Some(Diagnostic::new(Code::VerbWithoutResource, verb.name.span, message).help(help))
}

fn verbs_of(resource: &Resource) -> Option<&'static [&'static str]> {
    let built_in = schema::built_in(resource.name.as_deref()?)?;
    match &resource.subresource {
        Subresource::None => Some(&built_in.verbs),
        Subresource::Only(name) => built_in.subresource(name).map(|sub| sub.verbs.as_slice()),
        Subresource::Any => None,
    }
}
