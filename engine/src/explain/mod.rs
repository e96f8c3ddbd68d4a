//! Why a rule took an event or not: every condition with its answer, every value that it read, and why what is unknown is.
//!
//! For people, one event at a time: each part of a condition is compiled on its own and asked, also where the answer was
//! clear before. The answers come from the evaluator that rules run on, so a tree cannot tell another story than they do.

mod condition;
mod lacks;
pub mod text;
mod why;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use lacks::{Expired, Lack, Lookout};

use dsl::ir::{self, Stage};

use crate::eval::{Cx, Event, EventCx, Truth, render};
use crate::event::Decoder;
use crate::event::document::Json;
use crate::event::row::{Row, Slot};
use crate::frame::blocks::Block;
use crate::index::selector;
use crate::matches::{EventMeta, Nanos, RequestId, SourceInfo, Value};
use crate::plan::Plan;

/// A part of a condition and what it is of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// In canonical spelling; of an element of a quantified list, which one.
    pub text: String,
    /// Where it stands in the rules.
    pub span: dsl::source::Span,
    /// What it is.
    pub truth: Truth,
    /// The values that it read: each in canonical spelling, and as alert text shows it.
    pub values: Vec<Read>,
    /// Its parts.
    pub parts: Vec<Node>,
}

/// A value that a condition read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// What was read.
    pub text: String,
    /// Its value, as alert text shows it.
    pub value: String,
    /// Why it is unknown, if it is.
    pub why: Option<&'static str>,
}

/// One step of a rule, and what it says of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name in a sequence.
    pub name: Option<Arc<str>>,
    /// Whether `on` takes the event; if not, why.
    pub passed_over: Option<&'static str>,
    /// It cannot be known whether it was a dry run.
    pub dry_run_unknown: bool,
    /// `where`, if there is one.
    pub condition: Option<Node>,
    /// Each `except`.
    pub excepts: Vec<Node>,
    /// Whether the event matches, as far as it alone can tell: conditions that read earlier steps are open.
    pub matched: bool,
    /// The parts of the key, as alert text shows them.
    pub key: Vec<(Arc<str>, String)>,
}

/// One event, and what a rule says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The event's `auditID`.
    pub audit_id: String,
    /// Such as `delete deployments prod/web by dev-user`.
    pub what: String,
    /// The identity of its request.
    pub request: RequestId,
    /// Its stage.
    pub stage: Stage,
    /// Its `stageTimestamp`.
    pub time: Nanos,
    /// Of its document in the source.
    pub offset: u64,
    /// Every step of the rule.
    pub steps: Vec<Step>,
}

/// What the rule of that number in the plan says of a block's events: of all, or of those with that `auditID`.
#[must_use]
pub fn block(
    plan: &Plan,
    rule: usize,
    source: &SourceInfo,
    block: &Block,
    audit_id: Option<&str>,
) -> Vec<Explained> {
    let Some(rule) = plan.rules.get(rule) else { return Vec::new() };
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    block.each(|part| {
        decoder.frame(part.bytes(block), part.kind, &mut |event| {
            let Ok(row) = event else { return };
            let id = row.text(Slot::AuditId).unwrap_or("");
            if audit_id.is_none_or(|wanted| wanted == id) {
                out.push(explain(&rule.source, source, row, part.offset));
            }
        });
    });
    out
}

/// The event at hand and its source.
#[derive(Clone, Copy)]
struct At<'a> {
    row: &'a Row<'a>,
    source: &'a SourceInfo,
}

impl<'a> At<'a> {
    fn event(self) -> EventCx<'a> {
        EventCx::new(self.row, self.source)
    }
}

fn explain(rule: &ir::Rule, source: &SourceInfo, row: &Row<'_>, offset: u64) -> Explained {
    let at = At { row, source };
    let event = at.event();
    let steps = (0..).zip(&rule.steps).map(|(number, step)| explain_step(rule, number, step, at)).collect();
    Explained {
        audit_id: row.text(Slot::AuditId).unwrap_or("").to_owned(),
        what: what(row),
        request: event.request(),
        stage: row.stage,
        time: row.stage_timestamp,
        offset,
        steps,
    }
}

fn explain_step(rule: &ir::Rule, number: u32, step: &ir::Step, at: At<'_>) -> Step {
    let on = step.on.events();
    let mut passed_over = match on {
        Some(on) => selector::passed_over(on, at.row),
        None => Some("it takes no requests"),
    };
    let excludes_dry_runs = on.is_some_and(|on| !on.including_dry_run);
    let dry_run = at.event().dry_run();
    if passed_over.is_none() && excludes_dry_runs && dry_run == Truth::True {
        passed_over = Some("it is a dry run");
    }
    let condition = step.condition.as_ref().map(|c| condition::explain(rule, number, c, at));
    let excepts: Vec<Node> = step.excepts.iter().map(|e| condition::explain(rule, number, e, at)).collect();
    // Joins are open here; of the event alone they neither make nor break a match.
    let alone = step.condition.as_ref().map_or(Truth::True, |c| condition::alone(rule, number, c, at));
    let let_go = excepts.iter().any(|e| e.truth == Truth::True);
    let key = step.key.iter().map(|part| {
        let value = condition::value(rule, number, &part.value, at);
        (Arc::from(part.name.as_str()), shown(&value))
    });
    Step {
        name: step.name.as_deref().map(Arc::from),
        dry_run_unknown: excludes_dry_runs && dry_run == Truth::Unknown,
        matched: passed_over.is_none() && alone == Truth::True && !let_go,
        passed_over,
        condition,
        excepts,
        key: key.collect(),
    }
}

fn what(row: &Row<'_>) -> String {
    let user = row.get(Slot::User).and_then(|user| user.get("username")).and_then(Json::as_text);
    headline(Headline {
        verb: row.verb(),
        resource: row.text(Slot::Resource),
        subresource: row.text(Slot::Subresource),
        namespace: row.text(Slot::Namespace),
        name: row.text(Slot::Name),
        user,
    })
}

/// What a line about an event says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Headline<'a> {
    pub(crate) verb: &'a str,
    pub(crate) resource: Option<&'a str>,
    pub(crate) subresource: Option<&'a str>,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
}

/// Such as `delete deployments prod/web by dev-user`.
pub(crate) fn headline(of: Headline<'_>) -> String {
    let mut text = of.verb.to_owned();
    for (before, part) in [(' ', of.resource), ('/', of.subresource)] {
        if let Some(part) = part {
            text.push(before);
            text.push_str(part);
        }
    }
    match (of.namespace, of.name) {
        (Some(namespace), Some(name)) => text.push_str(&format!(" {namespace}/{name}")),
        (Some(one), None) | (None, Some(one)) => text.push_str(&format!(" {one}")),
        (None, None) => {}
    }
    if let Some(user) = of.user {
        text.push_str(&format!(" by {user}"));
    }
    text
}

/// What a match is about: `delete deployments prod/web by dev-user`.
#[must_use]
pub fn about(meta: &EventMeta) -> String {
    headline(Headline {
        verb: &meta.verb,
        resource: meta.resource.as_deref(),
        subresource: meta.subresource.as_deref(),
        namespace: meta.namespace.as_deref(),
        name: meta.name.as_deref(),
        user: meta.username.as_deref(),
    })
}

/// A value as alert text shows it.
#[must_use]
pub fn shown(value: &Value) -> String {
    let mut out = String::new();
    render::render(value, &mut out);
    out
}

/// A context that reads an event at hand.
fn here<'e, 'a>(event: &'e EventCx<'a>) -> Cx<'e, 'a> {
    Cx::new(Event::Here(event), None)
}
