//! The reference evaluator: `docs/semantics.md` as a program.
//!
//! The idea: every event is kept, whole, as one value; every condition is evaluated by walking its tree; every order is made by
//! sorting. There is no plan, no index, no capture, no ring and no watermark: what a watermark decides early is, by the rules
//! of effective time, what sorting everything decides late. So this is quadratic and slow, and that is its worth:
//! it shares no code and no idea with the engine, and where the two differ, one of them has not read the page.
//!
//! It refuses nothing but events that are none (no `stageTimestamp` that is a time; no text under `stage`, `verb`, `auditID`), which it
//! counts as the engine does.

mod aggregate;
mod alerts;
mod arithmetic;
mod bodies;
mod decide;
mod eval;
mod event;
mod feature;
mod fields;
mod functions;
mod identity;
mod image;
mod logic;
mod matching;
mod patch;
mod place;
mod render;
mod select;
mod sequence;
mod silence;
mod tables;
mod text;
mod time;
mod value;
mod window;

pub use decide::{Answer, Settings, Tally, answer, answer_placed, waits};
pub use event::{Arrival, Event, Line, Silence, Source};
pub use feature::{Feature, Poison};

/// An alert of the reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefAlert {
    /// `stageTimestamp` of the completing event, or when a window or a wait ended; nanoseconds since the Unix epoch.
    pub time: i64,
    /// The rule's name.
    pub rule: String,
    /// 32 hex digits.
    pub id: String,
    /// The key's parts, each by its name and as `Text("..")`, `Number(..)` and the like.
    pub key: Vec<(String, String)>,
    /// 1, the matches in the window, the number of slots of a sequence, or 0 of a silence.
    pub count: u64,
    /// From when to when, if it has a window.
    pub window: Option<(i64, i64)>,
    /// The aggregates but a plain `count()`, by their text, written as the key's parts are.
    pub values: Vec<(String, String)>,
    /// The rendered text.
    pub message: String,
    /// How many alerts of the rule and key were held back since the last one told.
    pub suppressed: u64,
    /// Identities of the evidence (requests, alerts, what is no event), in order, 32 hex digits each; of more than 20 the first and last 10.
    pub events: Vec<String>,
    /// Such as `late event`, sorted.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests;
