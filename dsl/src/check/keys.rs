//! The group key: its parts by name, the same in each step, each a single value of the step's own event.

use super::lower::{KeyScope, Lower, Scope, StepScope};
use super::names::{self, Giver};
use super::steps::Written;
use super::ty::Ty;
use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::syntax::ast;

/// A part of the group key, as one step computes it.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    pub name: String,
    /// Its given name.
    pub given: Option<&'a ast::Name>,
    pub value: &'a ast::Expr,
}

/// The parts of the key in each step: the rule's, with those that the step gives itself in place of them.
pub(crate) fn parts<'a>(
    by: &'a [ast::KeyPart],
    written: &[Written<'a>],
    steps: &[StepScope<'a>],
    lower: &mut Lower<'a, '_>,
) -> Vec<Vec<Part<'a>>> {
    let rule = named(by, steps, lower);
    let mut all = Vec::new();
    for written in written {
        let mut parts = rule.clone();
        for own in named(written.by(), steps, lower) {
            match parts.iter_mut().find(|part| part.name == own.name) {
                Some(part) => *part = own,
                None => parts.push(own),
            }
        }
        all.push(parts);
    }
    // The steps of a rule meet in its key, so all of them must have the same parts, in one order.
    let mut order: Vec<Part<'a>> = rule;
    for part in all.iter().flatten() {
        if !order.iter().any(|known| known.name == part.name) {
            order.push(part.clone());
        }
    }
    for (parts, written) in all.iter_mut().zip(written) {
        let sorted: Vec<_> = order
            .iter()
            .filter_map(|want| parts.iter().find(|part| part.name == want.name).cloned())
            .collect();
        if let Some(missing) = order.iter().find(|want| !parts.iter().any(|part| part.name == want.name))
            && let Some(step) = written.step
        {
            let message =
                format!("the step `{}` does not say what `{}` is in its event", step.name.node, missing.name);
            let name = missing.given.map_or("who", |name| name.node.as_str());
            let help = format!("add `by {name} = ..` to it, or to the rule for all steps");
            let diagnostic = Diagnostic::new(Code::KeysDiffer, step.name.span, message).help(help);
            lower.report.add(diagnostic.related(missing.value.span, "a part of the key is given here"));
        }
        *parts = sorted;
    }
    all
}

/// Parts with their names; a name that cannot be given is reported.
fn named<'a>(parts: &'a [ast::KeyPart], steps: &[StepScope<'a>], lower: &mut Lower<'a, '_>) -> Vec<Part<'a>> {
    let mut named: Vec<Part<'a>> = Vec::new();
    for part in parts {
        let report = &mut *lower.report;
        if let Some(name) = &part.name {
            let step = steps.iter().find(|step| step.name.node == name.node);
            if let Some(step) = step {
                let message = format!("`{}` is a step and a key", name.node);
                let diagnostic = Diagnostic::new(Code::NameTwice, name.span, message);
                report.add(diagnostic.related(step.name.span, "the step").help("choose another name"));
            } else if names::check_free(Giver::Key, name, report) {
                lower.names.warn_hidden(Giver::Key, name, report);
            }
        }
        let given = part.name.as_ref();
        let name = given.map_or_else(|| lower.canonical(&part.value), |name| name.node.clone());
        if let Some(first) = named.iter().find(|known| known.name == name) {
            let span = given.map_or(part.value.span, |name| name.span);
            let message = format!("`{name}` is twice in the key");
            let first = first.given.map_or(first.value.span, |name| name.span);
            let diagnostic = Diagnostic::new(Code::NameTwice, span, message);
            lower.report.add(diagnostic.related(first, "first here"));
            continue;
        }
        named.push(Part { name, given, value: &part.value });
    }
    named
}

/// The key of a step, and the types of its parts.
pub(crate) fn lowered<'a>(
    scope: Scope<'a>,
    parts: &[Part<'a>],
    lower: &mut Lower<'a, '_>,
) -> (Vec<ir::KeyPart>, Vec<Ty>) {
    lower.within(scope, |lower| {
        let mut key = Vec::new();
        let mut types = Vec::new();
        for part in parts {
            let value = lower.value(part.value);
            lower.single(&value, "a key has");
            if value.each {
                let quote = lower.quote(part.value.span);
                let message = format!("a key has single values, and `{quote}` is each element of a list");
                lower.tell(Diagnostic::new(Code::KeyNotSingle, part.value.span, message));
            }
            types.push(value.ty);
            key.push(ir::KeyPart { name: part.name.clone(), value: value.expr });
        }
        (key, types)
    })
}

/// The named parts, as conditions and alerts see them.
pub(crate) fn scopes<'a: 'p, 'p>(parts: impl Iterator<Item = (&'p Part<'a>, Ty)>) -> Vec<KeyScope<'a>> {
    let mut scopes = Vec::new();
    for (at, (part, ty)) in parts.enumerate() {
        let Some(name) = part.given else { continue };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        scopes.push(KeyScope { name: &name.node, value: part.value, number, ty });
    }
    scopes
}
