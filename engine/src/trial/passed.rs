//! The events of a test that the rule passed over, each with the reason: what would have had to be otherwise.
//!
//! Of several steps the one is told of that came closest: whose `on` takes the event. Of a condition that part is told
//! that decided it, with what it read, since that is what the test's author got wrong.

use std::sync::Arc;

use dsl::ir::Test;

use super::Moment;
use crate::eval::Truth;
use crate::explain::{self, Explained, Node, Step};
use crate::frame::blocks::Blocks;
use crate::limits::Limits;
use crate::matches::{SourceId, SourceInfo};
use crate::plan::Plan;

/// The events of a test's log that match no step of a rule, if it listens to events at all.
pub(super) fn over(plan: &Arc<Plan>, rule: usize, test: &Test, log: &[u8]) -> Vec<Moment> {
    let of = plan.rules.get(rule);
    if of.is_none_or(|rule| rule.steps.iter().all(|step| step.on.events().is_none())) {
        return Vec::new();
    }
    let source = SourceInfo { name: "test".into(), cluster: None };
    let mut blocks = Blocks::new(SourceId(0), log.len().max(1), Limits::default().line_bytes_max);
    blocks.push(log);
    blocks.finish();
    let events = std::iter::from_fn(|| blocks.pop())
        .flat_map(|block| explain::block(plan, rule, &source, &block, None))
        .collect::<Vec<Explained>>();
    let unmatched = events.into_iter().filter(|event| event.steps.iter().all(|step| !step.matched));
    unmatched
        .filter_map(|event| {
            let closest = event.steps.iter().find(|step| step.passed_over.is_none());
            let step = closest.or(event.steps.first())?;
            Some(Moment {
                at: event.time.saturating_sub(test.start),
                event: event.what.clone(),
                step: step.name.clone().filter(|_| closest.is_some()),
                outcome: format!("no match: {}", why(step)),
            })
        })
        .collect()
}

/// Why a step does not take an event.
fn why(step: &Step) -> String {
    if let Some(reason) = step.passed_over {
        return format!("`on` passes it over: {reason}");
    }
    if let Some(except) = step.excepts.iter().find(|except| except.truth == Truth::True) {
        return format!("let go by `except {}`", except.text);
    }
    match &step.condition {
        Some(condition) => blame(condition),
        None => "it takes no part".to_owned(),
    }
}

/// The smallest part of a condition that kept it from being true, in words.
fn blame(condition: &Node) -> String {
    let mut node = condition;
    // Of parts that had to be true together the first that was not; where several could have been, the whole is told.
    loop {
        let mut short = node.parts.iter().filter(|part| part.truth == node.truth);
        match (short.next(), short.next()) {
            (Some(only), None) if node.truth != Truth::True => node = only,
            _ => break,
        }
    }
    let word = if node.truth == Truth::Unknown { "unknown" } else { "not true" };
    let values: Vec<String> = node
        .values
        .iter()
        .map(|read| match read.why {
            Some(why) => format!("{} is unknown: {why}", read.text),
            None => format!("{} is {}", read.text, read.value),
        })
        .collect();
    match values.as_slice() {
        [] => format!("`{}` is {word}", node.text),
        some => format!("`{}` is {word} ({})", node.text, some.join(", ")),
    }
}
