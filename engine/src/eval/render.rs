//! A value as alert text shows it. `docs/semantics.md`, "Alerts".
//!
//! Control characters are escaped, so that a name chosen by an attacker cannot forge a line of the output, and each
//! value is cut, so that it cannot drown it.

use std::fmt::Write as _;

use crate::event::instant;
use crate::limits::VALUE_CHARS_MAX;
use crate::matches::Value;

/// Puts a value behind `out`: escaped, and cut after [`VALUE_CHARS_MAX`] characters.
pub(crate) fn render(value: &Value, out: &mut String) {
    let mut raw = String::new();
    plain(value, &mut raw);
    let mut chars = 0;
    for c in raw.chars() {
        // Counted in characters of the result: what is shown is what is bounded.
        let mut piece = String::new();
        escaped(c, &mut piece);
        for c in piece.chars() {
            if chars == VALUE_CHARS_MAX {
                out.push('…');
                return;
            }
            out.push(c);
            chars += 1;
        }
    }
}

fn escaped(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        c => out.push(c),
    }
}

fn plain(value: &Value, out: &mut String) {
    match value {
        Value::Unknown => out.push('?'),
        Value::Absent => out.push('-'),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => {
            let _ = write!(out, "{n}");
        }
        Value::Text(text) => out.push_str(text),
        Value::Time(t) => out.push_str(&instant::format(*t)),
        Value::Duration(d) => duration(*d, out),
        Value::TimeOfDay(m) => {
            let _ = write!(out, "{:02}:{:02}", m / 60, m % 60);
        }
        Value::List { items, .. } | Value::Spread { items, .. } => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                plain(item, out);
            }
        }
        Value::Map { .. } => json(value, out),
    }
}

fn duration(nanos: i64, out: &mut String) {
    if nanos < 0 {
        out.push('-');
    }
    let total = nanos.unsigned_abs();
    let (hours, minutes) = (total / 3_600_000_000_000, total / 60_000_000_000 % 60);
    let (seconds, fraction) = (total / 1_000_000_000 % 60, total % 1_000_000_000);
    if hours > 0 {
        let _ = write!(out, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(out, "{minutes}m");
    }
    let _ = write!(out, "{seconds}");
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
    out.push('s');
}

/// Compact JSON; what has no JSON stands as its text.
fn json(value: &Value, out: &mut String) {
    match value {
        Value::Absent => out.push_str("null"),
        Value::Bool(_) | Value::Number(_) => plain(value, out),
        Value::List { items, .. } | Value::Spread { items, .. } => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                json(item, out);
            }
            out.push(']');
        }
        Value::Map { entries, .. } => {
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                quoted(key, out);
                out.push(':');
                json(value, out);
            }
            out.push('}');
        }
        scalar => {
            let mut text = String::new();
            plain(scalar, &mut text);
            quoted(&text, out);
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // The control characters that JSON must escape; the others are escaped with the whole.
            c => escaped(c, out),
        }
    }
    out.push('"');
}
