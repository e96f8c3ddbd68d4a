//! What the event at hand may be: a request's, an alert, a line that is no event; and so which fields it has.
//!
//! A bare field in the alert of an `unordered` rule is of whichever step came last, so it must be one that the events of
//! all steps have. Of a `let` looked at alone nobody knows, and everything holds.

use crate::diag::{Code, Diagnostic};
use crate::ir::{On, Root};
use crate::schema;
use crate::source::Span;

/// What a place may be about; nothing at all where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hears {
    requests: bool,
    alerts: bool,
    lines: bool,
}

impl Hears {
    /// Of what a step listens to; `None`: it is wrong, which was reported.
    pub(crate) fn of(on: Option<&On>) -> Self {
        let mut hears = Self::default();
        match on {
            Some(On::Events(_)) => hears.requests = true,
            Some(On::Alerts(_)) => hears.alerts = true,
            Some(On::Undecodable) => hears.lines = true,
            None => {}
        }
        hears
    }

    /// One or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::default() || other == Self::default() {
            return Self::default();
        }
        Self {
            requests: self.requests || other.requests,
            alerts: self.alerts || other.alerts,
            lines: self.lines || other.lines,
        }
    }

    /// What is wrong with reading a field of an alert or of what is no event here.
    pub(crate) fn refuses_listened(self, text: &str, root: Root, span: Span) -> Option<Diagnostic> {
        let (own, kind) = match root {
            Root::Alert(_) => (!self.requests && !self.lines, "on alert of .."),
            _ => (!self.requests && !self.alerts, "on undecodable"),
        };
        let message = format!("`{text}` holds in rules and steps `{kind}` only");
        (!own).then(|| Diagnostic::new(Code::NotHere, span, message))
    }

    /// What is wrong with reading an event's own or derived field here.
    pub(crate) fn refuses_field(self, name: &str, span: Span) -> Option<Diagnostic> {
        if !self.lines || schema::UNDECODABLE_HAS.contains(&name) {
            return None;
        }
        let message = format!("what is no event has no `{name}`");
        let help =
            "there is `undecodable.reason`, `undecodable.offset`, `source`, `cluster` and `stageTimestamp`";
        Some(Diagnostic::new(Code::NotHere, span, message).help(help))
    }
}
