//! Where the events are in a document: known wrappings, recognised by what is in them, never by being told.
//!
//! | shape | events |
//! |---|---|
//! | `kind: Event` of `audit.k8s.io` | itself, a collector's own keys beside it |
//! | `EventList` | its `items`, with or without `kind` |
//! | an array | each element |
//! | CloudWatch | `logEvents[].message` |
//! | Azure | `records[].properties.log` or `properties.log`, a text or an object |
//! | collectors | `message` or `log`, a text or an object |
//! | a map with `auditID`, and `stage` or `verb` | itself |
//!
//! The last comes last, since records repeat an event's fields beside the text that holds it. An entry of Google
//! Cloud's schema is told as such.

use crate::limits::WRAPPINGS_MAX;
use crate::matches::Reason;

use super::document::{Json, Node};
use super::has;

/// Something that a document holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    /// The map at this place is an event; `record` is the one that it stands in, itself if it is the outermost.
    Event { at: u32, record: u32 },
    /// The text at this place holds events; `record` is the map that it stands in.
    Text { at: u32, record: u32 },
    /// No event.
    Bad(Reason),
}

/// Puts what is in a value into `out`, in order. An empty list holds nothing, and is no mistake.
pub(super) fn collect(json: Json<'_>, depth: usize, out: &mut Vec<Item>) {
    inside(json, json.at, depth, out);
}

fn inside(json: Json<'_>, record: u32, depth: usize, out: &mut Vec<Item>) {
    match json.node() {
        Node::List { .. } if depth < WRAPPINGS_MAX => {
            json.items().for_each(|item| collect(item, depth + 1, out));
        }
        Node::Map { .. } => map(json, record, depth, out),
        Node::Text { .. } => out.push(Item::Text { at: json.at, record }),
        _ => out.push(Item::Bad(Reason::NotAnEvent)),
    }
}

fn map(json: Json<'_>, record: u32, depth: usize, out: &mut Vec<Item>) {
    let of_audit = has(json, "apiVersion", "audit.k8s.io/");
    let kind = json.get("kind").and_then(Json::as_text);
    let list = |key: &str| json.get(key).filter(|v| matches!(v.node(), Node::List { .. }));
    match kind {
        Some("Event") if of_audit || json.get("apiVersion").is_none() => {
            return out.push(Item::Event { at: json.at, record });
        }
        Some("EventList") => {
            for item in list("items").into_iter().flat_map(Json::items) {
                out.push(match item.is_map() {
                    true => Item::Event { at: item.at, record },
                    false => Item::Bad(Reason::NotAnEvent),
                });
            }
            return;
        }
        _ => {}
    }
    if json.get("protoPayload").is_some_and(Json::is_map) {
        return out.push(Item::Bad(Reason::GoogleCloudEntry));
    }
    for records in ["logEvents", "records"] {
        if let Some(list) = list(records).filter(|_| depth < WRAPPINGS_MAX) {
            return list.items().for_each(|item| collect(item, depth + 1, out));
        }
    }
    let inner =
        json.path(&["properties", "log"]).into_iter().chain(json.get("message")).chain(json.get("log"));
    for value in inner {
        match value.node() {
            // A text that holds no JSON is a line of its own kind beside the event, if there is one.
            Node::Text { .. } if looks_like_json(value) || !is_event(json) => {
                return out.push(Item::Text { at: value.at, record: json.at });
            }
            Node::Map { .. } if depth < WRAPPINGS_MAX => return inside(value, json.at, depth + 1, out),
            _ => {}
        }
    }
    out.push(match is_event(json) {
        true => Item::Event { at: json.at, record },
        false => Item::Bad(Reason::NotAnEvent),
    });
}

fn looks_like_json(value: Json<'_>) -> bool {
    value.as_text().is_some_and(|text| text.trim_start().starts_with(['{', '[']))
}

fn is_event(json: Json<'_>) -> bool {
    json.get("auditID").is_some() && (json.get("stage").is_some() || json.get("verb").is_some())
}

/// The cluster that a record names.
pub(super) fn cluster(record: Json<'_>) -> Option<String> {
    let name = record.get("cluster_uuid").and_then(Json::as_text)?;
    (!name.is_empty()).then(|| name.to_owned())
}
