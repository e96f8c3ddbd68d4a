//! Whether a value is what a test expects, given as JSON.

use simd_json::prelude::*;
use simd_json::{OwnedValue, StaticNode};

use crate::eval::render::render;
use crate::matches::Value;

/// Whether a value is the one of that JSON text. What JSON has no form for (times, durations, minutes of the day, the
/// unknown) is given as alert text shows it; absent is `null`.
pub(super) fn same(value: &Value, json: &str) -> bool {
    let mut bytes = json.as_bytes().to_vec();
    simd_json::to_owned_value(&mut bytes).is_ok_and(|wanted| equal(value, &wanted))
}

/// A value as a difference shows it: text in quotes, anything else as alerts show it.
pub(super) fn shown(value: &Value) -> String {
    let mut out = String::new();
    render(value, &mut out);
    match value {
        Value::Text(_) => format!("\"{out}\""),
        Value::Absent => "nothing (absent)".into(),
        Value::Unknown => "unknown".into(),
        _ => out,
    }
}

/// Both come from documents whose depth is limited.
fn equal(value: &Value, wanted: &OwnedValue) -> bool {
    match (value, wanted) {
        (Value::Absent, OwnedValue::Static(StaticNode::Null)) => true,
        (Value::Bool(a), wanted) => wanted.as_bool() == Some(*a),
        (Value::Number(a), wanted) => wanted.cast_f64() == Some(*a),
        (Value::Text(a), wanted) => wanted.as_str() == Some(a),
        (Value::List { items, .. } | Value::Spread { items, .. }, OwnedValue::Array(wanted)) => {
            items.len() == wanted.len() && items.iter().zip(wanted.iter()).all(|(a, b)| equal(a, b))
        }
        (Value::Map { entries, .. }, OwnedValue::Object(wanted)) => {
            entries.len() == wanted.len()
                && entries.iter().all(|(key, a)| wanted.get(&**key).is_some_and(|b| equal(a, b)))
        }
        (
            Value::Unknown | Value::Time(_) | Value::Duration(_) | Value::TimeOfDay(_),
            OwnedValue::String(wanted),
        ) => {
            let mut text = String::new();
            render(value, &mut text);
            text == *wanted
        }
        _ => false,
    }
}
