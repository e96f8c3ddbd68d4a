//! Values in alert texts: `docs/semantics.md`, "Alerts".

use super::time;
use super::value::V;

/// How many characters of a value are shown.
const SHOWN: usize = 256;

/// A value in a text.
pub(super) fn render(value: &V) -> String {
    let text: String = plain(value).chars().map(escaped).collect();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

fn escaped(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    }
}

fn plain(value: &V) -> String {
    match value {
        V::Unknown => "?".to_owned(),
        V::Absent => "-".to_owned(),
        V::Text(text) => text.clone(),
        V::Bool(b) => b.to_string(),
        V::Number(n) => n.to_string(),
        V::Time(at) => time::render(*at),
        V::Duration(d) => time::render_duration(*d),
        V::Minute(m) => format!("{:02}:{:02}", m / 60, m % 60),
        V::List(items, _) | V::Spread(items, _) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        V::Map(..) => json(value),
    }
}

/// Compact, in the order of the keys' bytes.
fn json(value: &V) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    match value {
        V::Absent => "null".to_owned(),
        V::Bool(_) | V::Number(_) => plain(value),
        V::List(items, _) | V::Spread(items, _) => {
            format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(","))
        }
        V::Map(map, _) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}:{}", text(k), json(v))).collect();
            format!("{{{}}}", entries.join(","))
        }
        other => text(&plain(other)),
    }
}
