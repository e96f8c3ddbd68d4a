//! An explanation as one JSON object.

use connect::Error;
use engine::explain::{Expired, Node, Step, shown};
use engine::matches::Value;
use engine::state::{Judged, Outcome, WindowSeen};
use serde::Serialize;

use super::human::truth;
use super::{Found, outcome_word};
use crate::human::time;
use crate::output;

#[derive(Serialize)]
struct EventTree<'a> {
    rule: &'a str,
    #[serde(rename = "auditID")]
    audit_id: &'a str,
    stage: String,
    time: String,
    source: &'a str,
    offset: u64,
    steps: Vec<StepTree<'a>>,
    became: Vec<BecameTree<'a>>,
}

#[derive(Serialize)]
struct StepTree<'a> {
    name: Option<&'a str>,
    passed_over: Option<&'a str>,
    dry_run_unknown: bool,
    matched: bool,
    #[serde(rename = "where")]
    condition: Option<Tree<'a>>,
    except: Vec<Tree<'a>>,
    key: Vec<(&'a str, &'a str)>,
}

#[derive(Serialize)]
struct Tree<'a> {
    text: &'a str,
    truth: &'static str,
    values: Vec<ReadTree<'a>>,
    parts: Vec<Tree<'a>>,
}

#[derive(Serialize)]
struct ReadTree<'a> {
    text: &'a str,
    value: &'a str,
    unknown_why: Option<&'static str>,
}

#[derive(Serialize)]
struct BecameTree<'a> {
    outcome: &'static str,
    alert: Option<String>,
    effective: String,
    window: Option<WindowTree<'a>>,
    choice: Vec<Place<'a>>,
    lacks: Option<&'a str>,
    /// Of one that waits at its step: until when at most.
    until: Option<String>,
}

#[derive(Serialize)]
struct WindowTree<'a> {
    count: u64,
    values: Vec<(&'a str, serde_json::Value)>,
    when: &'static str,
    events: Vec<Place<'a>>,
}

#[derive(Serialize)]
pub(super) struct Place<'a> {
    #[serde(rename = "auditID")]
    audit_id: &'a str,
    step: Option<&'a str>,
    time: String,
    source: &'a str,
    offset: u64,
}

/// One line.
pub(super) fn explained(rule: &str, found: &Found, became: &[&super::Became]) -> Result<String, Error> {
    let event = &found.explained;
    output::json(&EventTree {
        rule,
        audit_id: &event.audit_id,
        stage: format!("{:?}", event.stage),
        time: time(event.time),
        source: &found.source,
        offset: event.offset,
        steps: event.steps.iter().map(step).collect(),
        became: became.iter().map(|one| what(one)).collect(),
    })
}

fn step(step: &Step) -> StepTree<'_> {
    StepTree {
        name: step.name.as_deref(),
        passed_over: step.passed_over,
        dry_run_unknown: step.dry_run_unknown,
        matched: step.matched,
        condition: step.condition.as_ref().map(tree),
        except: step.excepts.iter().map(tree).collect(),
        key: step.key.iter().map(|(name, value)| (&**name, value.as_str())).collect(),
    }
}

/// Conditions nest no deeper than the language lets them.
fn tree(node: &Node) -> Tree<'_> {
    let read = |read: &'_ engine::explain::Read| read.why;
    Tree {
        text: &node.text,
        truth: truth(node.truth),
        values: node
            .values
            .iter()
            .map(|value| ReadTree { text: &value.text, value: &value.value, unknown_why: read(value) })
            .collect(),
        parts: node.parts.iter().map(tree).collect(),
    }
}

/// The id of the alert that a match told.
pub(super) fn alert(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Fired(id) => Some(id.iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => None,
    }
}

fn what(became: &super::Became) -> BecameTree<'_> {
    let super::Became { watched, lacks } = became;
    BecameTree {
        outcome: outcome_word(&watched.outcome),
        alert: alert(&watched.outcome),
        effective: time(watched.effective),
        window: watched.window.as_ref().map(WindowTree::new),
        choice: watched.choice.iter().flatten().flatten().map(place).collect(),
        lacks: lacks.words.as_deref(),
        until: lacks.until.map(time),
    }
}

impl<'a> WindowTree<'a> {
    fn new(window: &'a WindowSeen) -> Self {
        Self {
            count: window.count,
            values: window.aggregates.iter().map(|(text, value)| (&**text, plain(value))).collect(),
            when: truth(window.truth),
            events: window.events.iter().map(place).collect(),
        }
    }
}

/// A window that closed, or a silence that lasted.
#[derive(Serialize)]
pub(super) struct Ended<'a> {
    /// Of a silence from what was heard last.
    start: String,
    end: String,
    /// The end of input came before its own.
    cut: bool,
    key: Vec<(&'a str, String)>,
    outcome: &'static str,
    alert: Option<String>,
    /// Of a silence none.
    window: Option<WindowTree<'a>>,
    lacks: Option<String>,
}

impl<'a> Ended<'a> {
    pub(super) fn new(judged: &'a Judged, lacks: Option<String>) -> Self {
        let (start, end) = judged.span;
        Self {
            start: time(start),
            end: time(end),
            cut: judged.cut,
            key: judged.key.iter().map(|(name, value)| (&**name, shown(value))).collect(),
            outcome: outcome_word(&judged.outcome),
            alert: alert(&judged.outcome),
            window: judged.window.as_ref().map(WindowTree::new),
            lacks,
        }
    }
}

/// What of a sequence began and was not completed.
#[derive(Serialize)]
pub(super) struct Unfinished<'a> {
    start: String,
    end: String,
    /// The end of input came before its own.
    cut: bool,
    key: Vec<(&'a str, String)>,
    outcome: &'static str,
    /// The step that was missing.
    step: Option<&'a str>,
    lacks: &'a str,
}

impl<'a> Unfinished<'a> {
    pub(super) fn new(expired: &'a Expired) -> Self {
        Self {
            start: time(expired.from),
            end: time(expired.until),
            cut: expired.cut,
            key: expired.key.iter().map(|(name, value)| (&**name, shown(value))).collect(),
            outcome: if expired.cut { "still_waits" } else { "came_to_nothing" },
            step: expired.step.as_deref(),
            lacks: &expired.words,
        }
    }
}

/// A number as a number, all else as text shows it.
fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Absent | Value::Unknown => serde_json::Value::Null,
        #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
        Value::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => serde_json::Value::from(*n as i64),
        Value::Number(n) => serde_json::Value::from(*n),
        other => serde_json::Value::from(shown(other)),
    }
}

/// Which event, and where it stands.
pub(super) fn place(evidence: &engine::alert::Evidence) -> Place<'_> {
    Place {
        audit_id: &evidence.meta.audit_id,
        step: evidence.step.as_deref(),
        time: time(evidence.meta.stage_timestamp),
        source: &evidence.source,
        offset: evidence.meta.offset,
    }
}
