//! What rules read that listen to something else than requests: other rules' alerts, and lines that are no event.
//!
//! The reasons why a line is no event are the engine's; they stand here as well, so that a rule that tests for one that
//! is never given is refused. A test beside the engine holds both lists equal.

use std::sync::Arc;

use crate::ir::{AlertField, Root, Type, UndecodableField};

/// A field of an alert, or of what is no event.
#[derive(Clone, Copy, Debug)]
pub struct ListenedField {
    /// Its two words: `["alert", "rule"]`.
    pub path: [&'static str; 2],
    /// What it is.
    pub root: Root,
    /// The only values there are; empty if it may be any.
    pub values: &'static [&'static str],
    ty: Holds,
}

#[derive(Clone, Copy, Debug)]
enum Holds {
    Text,
    Texts,
    Number,
    Bool,
    Map,
}

impl ListenedField {
    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self.ty {
            Holds::Text => Type::Text,
            Holds::Texts => Type::List(Arc::new(Type::Text)),
            Holds::Number => Type::Number,
            Holds::Bool => Type::Bool,
            Holds::Map => Type::Map(Arc::new(Type::Any)),
        }
    }
}

/// The words of severities, as `alert.severity` has them.
pub const SEVERITIES: [&str; 6] = ["none", "info", "low", "medium", "high", "critical"];

/// Why something is no event, as `undecodable.reason` has it.
pub const UNDECODABLE_REASONS: [&str; 8] = [
    "cut_off",
    "not_json",
    "not_an_event",
    "no_time",
    "bad_event",
    "too_large",
    "too_deep",
    "google_cloud_entry",
];

/// What of an event's own and derived fields something has that is none.
pub const UNDECODABLE_HAS: [&str; 3] = ["source", "cluster", "stageTimestamp"];

/// Every field of an alert and of what is no event, in the order of the reference.
pub const LISTENED: [ListenedField; 9] = [
    alert("rule", AlertField::Rule, Holds::Text),
    ListenedField { values: &SEVERITIES, ..alert("severity", AlertField::Severity, Holds::Text) },
    alert("tags", AlertField::Tags, Holds::Texts),
    alert("message", AlertField::Message, Holds::Text),
    alert("count", AlertField::Count, Holds::Number),
    alert("key", AlertField::Key, Holds::Map),
    alert("approximate", AlertField::Approximate, Holds::Bool),
    ListenedField {
        values: &UNDECODABLE_REASONS,
        ..undecodable("reason", UndecodableField::Reason, Holds::Text)
    },
    undecodable("offset", UndecodableField::Offset, Holds::Number),
];

const fn alert(name: &'static str, field: AlertField, ty: Holds) -> ListenedField {
    ListenedField { path: ["alert", name], root: Root::Alert(field), values: &[], ty }
}

const fn undecodable(name: &'static str, field: UndecodableField, ty: Holds) -> ListenedField {
    ListenedField { path: ["undecodable", name], root: Root::Undecodable(field), values: &[], ty }
}

/// The field of those two words.
#[must_use]
pub fn listened(path: [&str; 2]) -> Option<&'static ListenedField> {
    LISTENED.iter().find(|field| field.path == path)
}
