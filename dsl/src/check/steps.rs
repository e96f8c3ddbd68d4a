//! The steps of a rule as they are written: their names, how often each is to happen, which of them forbid.

use std::rc::Rc;

use super::bodies::Bodies;
use super::clauses::Clauses;
use super::hears::Hears;
use super::lower::StepScope;
use super::names::{self, Giver, Names};
use super::report::Report;
use super::window;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, On};
use crate::limits::STEP_TIMES_MAX;
use crate::syntax::ast::{self, SelectorKind};

/// A step as it is written; a rule's own `on` is one without a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub step: Option<&'a ast::Step>,
    pub on: Option<&'a ast::Selector>,
}

impl<'a> Written<'a> {
    /// Whether it forbids.
    pub(crate) fn is_no(self) -> bool {
        self.step.is_some_and(|step| step.no.is_some())
    }

    /// Its own parts of the key.
    pub(crate) fn by(self) -> &'a [ast::KeyPart] {
        self.step.and_then(|step| step.by.as_deref()).unwrap_or_default()
    }
}

/// What the events of a step are.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    pub bodies: Rc<Bodies>,
    pub hears: Hears,
}

impl Events {
    /// Of what a step listens to; `None`: it is wrong, which was reported.
    pub(crate) fn of(on: Option<&On>) -> Self {
        // Alerts come of rules on anything; their bodies are not held to a schema.
        let selector = on.and_then(On::events);
        Self { bodies: Rc::new(selector.map_or_else(Bodies::untyped, Bodies::of)), hears: Hears::of(on) }
    }
}

/// The steps of a rule: those written, or its `on`; never none.
pub(crate) fn written<'a>(clauses: &Clauses<'a>) -> Vec<Written<'a>> {
    match clauses.steps {
        Some(steps) if clauses.on.is_none() && !steps.steps.is_empty() => {
            steps.steps.iter().map(|step| Written { step: Some(step), on: Some(&step.on) }).collect()
        }
        _ => vec![Written { step: None, on: clauses.on }],
    }
}

/// The steps whose match may complete the rule, by number: all that forbid nothing of an `unordered`, else the last.
pub(crate) fn completing(clauses: &Clauses<'_>, written: &[Written<'_>]) -> Vec<usize> {
    let mut positive: Vec<usize> = (0..written.len()).filter(|at| !written[*at].is_no()).collect();
    if clauses.steps.is_none_or(|steps| steps.ordered) {
        positive.drain(..positive.len().saturating_sub(1));
    }
    if positive.is_empty() { vec![written.len() - 1] } else { positive }
}

/// What every step can see of the others.
pub(crate) fn scopes<'a>(
    written: &[Written<'a>],
    on: &[Option<On>],
    events: &[Events],
) -> Vec<StepScope<'a>> {
    let mut scopes = Vec::new();
    for (at, written) in written.iter().enumerate() {
        let Some(step) = written.step else { continue };
        scopes.push(StepScope {
            name: &step.name,
            bodies: Rc::clone(&events[at].bodies),
            hears: events[at].hears,
            no: step.no.is_some(),
            number: u32::try_from(at).ok().filter(|_| on[at].is_some()),
        });
    }
    scopes
}

/// Verbs that stand in quotes.
pub(crate) fn quoted_verbs(written: &[Written<'_>]) -> Vec<String> {
    let selectors = written.iter().filter_map(|written| written.on);
    let verbs = selectors.filter_map(|on| match &on.kind {
        SelectorKind::Events { verbs, .. } => Some(&verbs.list),
        _ => None,
    });
    verbs.flatten().filter(|verb| verb.quoted).map(|verb| verb.name.node.clone()).collect()
}

/// Holds the names and the order of steps to what they must be.
pub(crate) fn check(clauses: &Clauses<'_>, written: &[Written<'_>], names: &Names<'_>, report: &mut Report) {
    let steps: Vec<&ast::Step> = written.iter().filter_map(|written| written.step).collect();
    let mut seen: Vec<&ast::Name> = Vec::new();
    for step in &steps {
        if let Some(first) = seen.iter().find(|name| name.node == step.name.node) {
            let message = format!("two steps are called `{}`", step.name.node);
            report.add(
                Diagnostic::new(Code::NameTwice, step.name.span, message)
                    .related(first.span, "first given here"),
            );
        } else if names::check_free(Giver::Step, &step.name, report) {
            names.warn_hidden(Giver::Step, &step.name, report);
        }
        seen.push(&step.name);
    }
    let positive = steps.iter().position(|step| step.no.is_none());
    let (Some(first), None) = (steps.first(), positive) else {
        let ordered = clauses.steps.is_some_and(|steps| steps.ordered);
        let before = steps.iter().take(positive.unwrap_or_default()).filter(|_| ordered);
        for (step, no) in before.filter_map(|step| Some((step, step.no.as_ref()?))) {
            if no.within.is_none() {
                let name = &step.name.node;
                let message =
                    format!("`no {name}` stands before the first step and does not say for how long");
                let help = format!("say how far back to look: `no {name} within 1h: ..`");
                report.error_help(Code::NoWithoutWithin, no.span.to(step.name.span), message, help);
            }
        }
        return;
    };
    report.error_help(
        Code::OnlyNoSteps,
        first.name.span,
        "all of these steps are forbidden, and none is there to forbid them for",
        "what did not happen is told of something that did: add a step without `no`, or use `when silent for ..`",
    );
}

/// How many matches a step takes; what is wrong with it is reported.
pub(crate) fn times(step: Option<&ast::Step>, report: &mut Report) -> u32 {
    let Some(times) = step.and_then(|step| step.times.as_ref()) else { return 1 };
    let whole = times.node.fract() == 0.0 && (1.0..=f64::from(STEP_TIMES_MAX)).contains(&times.node);
    if !whole {
        let message = format!("a step happens once or several times, at most {STEP_TIMES_MAX}");
        report.error_help(
            Code::StepTimes,
            times.span,
            message,
            "to count more, use `when count() >= .. within ..`",
        );
        return 1;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    let times = times.node as u32;
    times
}

/// What a `no` adds.
pub(crate) fn no(step: Option<&ast::Step>, report: &mut Report) -> Option<ir::No> {
    let no = step?.no.as_ref()?;
    let within = no.within.as_ref().and_then(|within| window::length(within, "this `no`", report));
    Some(ir::No { within })
}
