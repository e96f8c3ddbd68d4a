//! What something that is kept takes, in bytes: what the room of windows, and of what waits, is counted in.
//!
//! A constant for each match would be a lie that whoever writes the events can choose: of a header that a client sends a
//! hundred kilobytes may stand in every one. So texts are counted as long as they are, with what the allocator needs
//! besides, and never as less than the constants of [`crate::plan::cost`], which stand for a share of queues and tables.
//!
//! Cost: a look at twenty texts for each match that enters or leaves, and at each value that it brought along.

use std::sync::Arc;

use super::Seen;
use super::sequence::Waiting;
use crate::matches::{Counted, EventMeta, Match, Value};
use crate::plan::cost::{RECORD_BYTES, VALUE_BYTES};

/// What a piece of memory takes beside what is in it: its counters, and the allocator's rounding.
const PIECE: usize = 32;

fn text(text: &Arc<str>) -> usize {
    PIECE + text.len()
}

/// All that is told of an event.
fn event(meta: &EventMeta) -> usize {
    let some = [
        &meta.cluster,
        &meta.username,
        &meta.impersonated,
        &meta.user_agent,
        &meta.resource,
        &meta.subresource,
        &meta.namespace,
        &meta.name,
    ];
    let some: usize = some.into_iter().flatten().map(text).sum();
    let lists = meta.groups.iter().chain(&meta.source_ips);
    let lists: usize = lists.map(|item| size_of::<Arc<str>>() + text(item)).sum();
    let alert = if meta.alert.is_some() { PIECE + size_of::<crate::matches::HeardAlert>() } else { 0 };
    PIECE + size_of::<EventMeta>() + text(&meta.audit_id) + text(&meta.verb) + some + lists + alert
}

/// Values that were brought along. They are no deeper than a document may be.
pub(crate) fn values(all: &[Value]) -> usize {
    size_of_val(all) + texts(all)
}

/// What of values has a length that somebody chose.
pub(crate) fn texts(all: &[Value]) -> usize {
    all.iter().map(inside).sum()
}

pub(crate) fn inside(value: &Value) -> usize {
    match value {
        Value::Text(of) => text(of),
        Value::List { items, .. } | Value::Spread { items, .. } => PIECE + values(items),
        Value::Map { entries, .. } => {
            let entry =
                |(key, value): &(Arc<str>, Value)| size_of::<(Arc<str>, Value)>() + text(key) + inside(value);
            PIECE + entries.iter().map(entry).sum::<usize>()
        }
        _ => 0,
    }
}

/// A match that is shown, or only counted.
pub(crate) fn seen(seen: &Seen) -> u64 {
    RECORD_BYTES.max((event(&seen.meta) + 2 * size_of::<Seen>()) as u64)
}

/// A match that waits at a step, with what it brought along for the others.
pub(crate) fn waiting(waiting: &Waiting) -> u64 {
    self::seen(&waiting.seen).saturating_add(VALUE_BYTES.max(values(&waiting.captures) as u64))
}

/// A match whose time has not come: what it really takes.
pub(crate) fn undecided(m: &Match) -> u64 {
    let counted = |counted: &Counted| match counted {
        Counted::No | Counted::One => 0,
        Counted::Tuples(tuples) | Counted::Cut(tuples, _) => {
            tuples.iter().map(|tuple| PIECE + tuple.len()).sum()
        }
        Counted::Values(values) => PIECE + size_of_val(values.as_slice()),
    };
    let counted: usize = m.counted.iter().map(|of| size_of::<Counted>() + counted(of)).sum();
    (event(&m.meta) + PIECE + size_of::<Match>() + values(&m.key) + values(&m.captures) + counted) as u64
}

#[cfg(test)]
mod tests;
