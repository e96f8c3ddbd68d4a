//! An alert: plain data, complete when it is made, and its JSON.
//!
//! An alert shares what its rule says and what its events were with everybody else who holds them, so making one costs
//! its text and a few pointers. It never changes afterwards; sinks choose a shape, the engine knows only this one.

mod json;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use dsl::ir::Severity;

pub(crate) use json::{hex, stage_name};

use crate::matches::{EventMeta, Nanos, Value};

/// What all alerts of a rule say.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the clauses of a rule, by their names")]
pub struct RuleFace {
    pub name: Arc<str>,
    pub title: Arc<str>,
    pub severity: Severity,
    pub tags: Vec<Arc<str>>,
}

/// An event that an alert rests on.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What is known of it.
    pub meta: Arc<EventMeta>,
    /// The step of a sequence that it took.
    pub step: Option<Arc<str>>,
    /// The name of its source.
    pub source: Arc<str>,
}

/// A rule has found what it looks for.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Hash of rule, key and completing request: the same whatever the evidence, order or number of runs.
    pub id: [u8; 16],
    /// Whose it is.
    pub rule: Arc<RuleFace>,
    /// The rule's text with its values.
    pub message: String,
    /// The `stageTimestamp` of the event that completed it; of a window that closes its end, of a silence or a wait the
    /// time at which it is over.
    pub time: Nanos,
    /// That of the completing event; of a silence without one, of the key.
    pub cluster: Option<Arc<str>>,
    /// From the first to the last event of the evidence, in effective time, or as long as a window or a silence was; none
    /// for a rule without a window.
    pub window: Option<(Nanos, Nanos)>,
    /// The parts of the key under their names.
    pub key: Vec<(Arc<str>, Value)>,
    /// Requests in the window, or steps, or 1.
    pub count: u64,
    /// Aggregates but a plain `count()`, in canonical spelling.
    pub values: Vec<(Arc<str>, Value)>,
    /// The event that completed it, of a silence the last one: actor and object are its. None if the key never came.
    pub completing: Option<Arc<EventMeta>>,
    /// What made it, oldest first; of very many the first and the last.
    pub events: Vec<Evidence>,
    /// How many alerts its rule's throttle held back since the last one told.
    pub suppressed: u64,
    /// Shared or shortened state stood in for exact state.
    pub approximate: bool,
    /// What else a person must know.
    pub notes: Vec<&'static str>,
    /// The values of the rule's probes, for tests.
    pub probes: Vec<Value>,
}

impl Alert {
    /// Writes it as one JSON object, without a line's end.
    pub fn to_json(&self, out: &mut Vec<u8>) {
        json::alert(self, out);
    }

    /// Its id as people see it.
    #[must_use]
    pub fn id_text(&self) -> String {
        let mut out = Vec::with_capacity(32);
        hex(&self.id, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Puts the alerts of a bounded run into their order: time, rule, id.
pub fn sort(alerts: &mut [Alert]) {
    // A request told a second time, once it is forgotten, has the same id: the order of the decisions stays.
    alerts.sort_by(|a, b| (a.time, &a.rule.name, a.id).cmp(&(b.time, &b.rule.name, b.id)));
}
