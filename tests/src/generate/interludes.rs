//! What comes between events: lines that are none, silences, and when events were read.

use super::choices::Choices;
use super::world::World;
use crate::reference::{Arrival, Line, Silence};

const SECOND: i64 = 1_000_000_000;

/// Puts lines between the events that are no JSON or no event, among them events that were cut.
pub(super) fn lines(choices: &mut Choices<'_>, sources: usize, sent: &mut Vec<(i64, Arrival)>) {
    let mut at = 0;
    while at <= sent.len() {
        if choices.chance(14) {
            let (time, before) = match at.checked_sub(1).and_then(|at| sent.get(at)) {
                Some((time, arrival)) => (*time, Some(&arrival.json)),
                None => (i64::MIN, None),
            };
            let cut = before.filter(|_| choices.chance(60)).and_then(|json| cut(choices, &json.to_string()));
            let line = cut.unwrap_or_else(|| {
                let (text, reason) = *choices.pick(LINES);
                Line { text: text.to_owned(), reason }
            });
            let source = choices.below(sources);
            sent.insert(
                at,
                (time, Arrival { line: Some(line), ..Arrival::event(source, serde_json::Value::Null) }),
            );
            at += 1;
        }
        at += 1;
    }
}

/// What is no event, and what it is told as.
const LINES: &[(&str, &str)] = &[
    ("panic: no space left on device", "not_json"),
    (r#"{"kind":"Event" "auditID":"id-1"}"#, "not_json"),
    (r#"{"kind":"Status","code":500}"#, "not_an_event"),
    (r#"{"protoPayload":{"verb":"get"}}"#, "google_cloud_entry"),
];

/// An event up to somewhere in a text of it.
fn cut(choices: &mut Choices<'_>, event: &str) -> Option<Line> {
    let from = choices.below(event.len());
    let (mut inside, mut escaped) = (false, false);
    for (at, c) in event.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = inside,
            '"' => inside = !inside,
            _ => {}
        }
        if at >= from && inside && !escaped {
            return Some(Line { text: event[..at + c.len_utf8()].to_owned(), reason: "cut_off" });
        }
    }
    None
}

/// Lets somebody see, behind some events, that sources are silent.
pub(super) fn silences(
    choices: &mut Choices<'_>,
    world: &World,
    sources: usize,
    sent: &mut [(i64, Arrival)],
) {
    for (now, arrival) in sent.iter_mut() {
        if !choices.chance(22) {
            continue;
        }
        // Time moves on only where all are silent.
        let all = choices.chance(70);
        for source in 0..sources {
            if !(all || choices.chance(50)) {
                continue;
            }
            let silent = match choices.below(5) {
                0 => *choices.pick(&[SECOND / 2, SECOND - 1, SECOND]),
                1 => *choices.pick(&[60 * SECOND, 3_600 * SECOND]),
                _ => world.lateness + world.unit / 2 * choices.pick(&[0, 1, 2, 3, 4, 8]),
            };
            let wall = match choices.below(6) {
                0 => now.saturating_add(*choices.pick(&[-SECOND, 0, SECOND, 10 * SECOND])),
                1 => now.saturating_sub(3_600 * SECOND),
                _ => now.saturating_add(86_400 * SECOND),
            };
            arrival.silences.push(Silence { source, silent, wall });
        }
    }
}

/// Says when events were read: mostly soon after they came in, in some logs long before their time, since it is their clocks
/// that are wrong; some of them at once.
pub(super) fn stamps(choices: &mut Choices<'_>, world: &World, sent: &mut [(i64, Arrival)]) {
    let behind = *choices.pick(&[0, 0, SECOND, world.lateness, 10 * world.lateness, 60 * world.lateness]);
    let mut read = i64::MIN;
    for (now, arrival) in sent.iter_mut() {
        // A line before the first event has no time, and was not read before all time.
        if *now == i64::MIN {
            continue;
        }
        let here = now.saturating_sub(behind).saturating_add(*choices.pick(&[0, 1_000, SECOND / 2]));
        if read == i64::MIN || choices.chance(60) {
            read = read.max(here);
        }
        arrival.read = Some(read);
    }
}
