//! What is decided when the events are gone: joins, windows' conditions, alert text. Reads what matches brought along.
//!
//! The evaluator is the one of events; only its leaves differ. An index that is out of bounds (a capture of a step that
//! has no match yet) reads as absent.

use crate::eval::{Coverage, Cx, Event};
use crate::hear::AlertFacts;
use crate::matches::Value;

use super::{Expr, Piece};

pub use crate::eval::Truth;

/// The values at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct LateCx<'a> {
    /// Per step the captures of its match, [`crate::matches::Match::captures`]; empty for a step without one.
    pub captures: &'a [&'a [Value]],
    /// Per aggregate its value.
    pub aggregates: &'a [Value],
    /// The key's parts.
    pub key: &'a [Value],
    /// The alert at hand, for a step that takes alerts.
    pub(crate) alert: Option<&'a AlertFacts>,
    /// Where no event is at hand at all: the cluster that it would be of.
    pub(crate) cluster: Option<&'a str>,
    /// Where the answers of conditions are counted, if they are.
    pub(crate) coverage: Option<&'a Coverage>,
}

/// Asks a condition.
#[must_use]
pub fn truth(expr: &Expr, cx: &LateCx<'_>) -> Truth {
    crate::eval::truth(&expr.0, &Cx::new(Event::Gone(*cx), cx.coverage))
}

/// Reads a value.
#[must_use]
pub fn value(expr: &Expr, cx: &LateCx<'_>) -> Value {
    crate::eval::value(&expr.0, &Cx::new(Event::Gone(*cx), None)).to_owned()
}

/// The text of an alert.
#[must_use]
pub fn render(pieces: &[Piece], cx: &LateCx<'_>) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Value(expr) => crate::eval::render::render(&value(expr, cx), &mut out),
        }
    }
    out
}
