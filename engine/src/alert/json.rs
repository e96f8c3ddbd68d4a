//! The JSON of an alert, written by hand: the order of its keys is part of what people script against.

use super::{Alert, Evidence};
use crate::eval::render::render;
use crate::matches::{EventMeta, Nanos, Value};
use crate::time::write_rfc3339;
use dsl::ir::Stage;

pub(super) fn alert(alert: &Alert, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    hex(&alert.id, out);
    out.push(b'"');
    named(out, "rule", |out| text(&alert.rule.name, out));
    named(out, "title", |out| text(&alert.rule.title, out));
    named(out, "severity", |out| text(alert.rule.severity.word(), out));
    named(out, "message", |out| text(&alert.message, out));
    named(out, "tags", |out| list(&alert.rule.tags, out, |tag, out| text(tag, out)));
    named(out, "time", |out| time(alert.time, out));
    named(out, "cluster", |out| maybe(alert.cluster.as_deref(), out));
    named(out, "window", |out| match alert.window {
        Some((from, to)) => {
            out.extend_from_slice(b"{\"from\":");
            time(from, out);
            named(out, "to", |out| time(to, out));
            out.push(b'}');
        }
        None => out.extend_from_slice(b"null"),
    });
    named(out, "key", |out| map(&alert.key, out, value));
    named(out, "count", |out| integer(alert.count, out));
    named(out, "values", |out| map(&alert.values, out, value));
    let completing = |out: &mut Vec<u8>, write: fn(&EventMeta, &mut Vec<u8>)| match &alert.completing {
        Some(meta) => write(meta, out),
        None => out.extend_from_slice(b"null"),
    };
    named(out, "actor", |out| completing(out, actor));
    named(out, "object", |out| completing(out, object));
    named(out, "events", |out| list(&alert.events, out, evidence));
    named(out, "suppressed", |out| integer(alert.suppressed, out));
    named(out, "approximate", |out| truth(alert.approximate, out));
    named(out, "notes", |out| list(&alert.notes, out, |note, out| text(note, out)));
    out.push(b'}');
}

fn actor(meta: &EventMeta, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"username\":");
    maybe(meta.username.as_deref(), out);
    named(out, "groups", |out| list(&meta.groups, out, |group, out| text(group, out)));
    named(out, "impersonated", |out| maybe(meta.impersonated.as_deref(), out));
    named(out, "sourceIPs", |out| list(&meta.source_ips, out, |ip, out| text(ip, out)));
    named(out, "userAgent", |out| maybe(meta.user_agent.as_deref(), out));
    out.push(b'}');
}

fn object(meta: &EventMeta, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"verb\":");
    text(&meta.verb, out);
    named(out, "resource", |out| maybe(meta.resource.as_deref(), out));
    named(out, "subresource", |out| maybe(meta.subresource.as_deref(), out));
    named(out, "namespace", |out| maybe(meta.namespace.as_deref(), out));
    named(out, "name", |out| maybe(meta.name.as_deref(), out));
    named(out, "code", |out| match meta.code {
        Some(code) => out.extend_from_slice(code.to_string().as_bytes()),
        None => out.extend_from_slice(b"null"),
    });
    out.push(b'}');
}

fn evidence(evidence: &Evidence, out: &mut Vec<u8>) {
    let meta = &evidence.meta;
    let heard = meta.alert.as_deref();
    out.extend_from_slice(b"{\"auditID\":");
    maybe(meta.stage.map(|_| &*meta.audit_id), out);
    named(out, "requestReceived", |out| match meta.request_received {
        Some(t) => time(t, out),
        None => out.extend_from_slice(b"null"),
    });
    named(out, "stage", |out| maybe(meta.stage.map(stage_name), out));
    // A match of an alert has the alert's time; here the event is told of, if there is one.
    let at = heard.and_then(|heard| heard.event_time).unwrap_or(meta.stage_timestamp);
    named(out, "time", |out| time(at, out));
    named(out, "step", |out| maybe(evidence.step.as_deref(), out));
    let nowhere = heard.is_some_and(|heard| heard.event_time.is_none());
    named(out, "source", |out| maybe((!nowhere).then_some(&evidence.source), out));
    named(out, "offset", |out| match nowhere {
        true => out.extend_from_slice(b"null"),
        false => integer(meta.offset, out),
    });
    if heard.is_some() {
        named(out, "alert", |out| {
            out.push(b'"');
            hex(&meta.request.0, out);
            out.push(b'"');
        });
    }
    out.push(b'}');
}

/// The API's name of a stage.
pub(crate) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::RequestReceived => "RequestReceived",
        Stage::ResponseStarted => "ResponseStarted",
        Stage::ResponseComplete => "ResponseComplete",
        Stage::Panic => "Panic",
    }
}

fn named(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write(out);
}

fn list<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn map<K: AsRef<str>, T>(entries: &[(K, T)], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'{');
    for (at, (name, item)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(name.as_ref(), out);
        out.push(b':');
        write(item, out);
    }
    out.push(b'}');
}

/// Scalars as they are in JSON; what JSON has no form for as alert texts show it; absent and unknown as `null`.
fn value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Unknown | Value::Absent => out.extend_from_slice(b"null"),
        Value::Bool(b) => truth(*b, out),
        Value::Number(n) => number(*n, out),
        Value::Text(t) => text(t, out),
        Value::Time(t) => time(*t, out),
        other => {
            let mut shown = String::new();
            render(other, &mut shown);
            text(&shown, out);
        }
    }
}

fn maybe(value: Option<&str>, out: &mut Vec<u8>) {
    match value {
        Some(value) => text(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn time(t: Nanos, out: &mut Vec<u8>) {
    out.push(b'"');
    write_rfc3339(t, out);
    out.push(b'"');
}

fn integer(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(n.to_string().as_bytes());
}

fn number(n: f64, out: &mut Vec<u8>) {
    // The values of the language are finite; JSON has no others.
    let n = if n.is_finite() { n } else { 0.0 };
    out.extend_from_slice(n.to_string().as_bytes());
}

fn truth(b: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if b { b"true" } else { b"false" });
}

/// Writes bytes as lower case hex.
pub(crate) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Writes a JSON string. Everything that could steer a terminal is escaped, also where JSON would let it stand.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let short: &[u8] = match c {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            '\u{8}' => b"\\b",
            '\u{c}' => b"\\f",
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => b"",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[from..at]);
        from = at + c.len_utf8();
        if short.is_empty() {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        } else {
            out.extend_from_slice(short);
        }
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
    out.push(b'"');
}
