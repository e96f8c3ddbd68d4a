//! `responseObject`, whose reads depend on what came: `docs/semantics.md`, "Fields".

use dsl::ir::BodyKinds;

use super::feature::Poison;
use super::value::{Step, V};

/// A read of `responseObject` begins here: what the first step leads down from.
pub(super) fn response(body: V, kinds: BodyKinds, first: Option<&Step>, poison: &Poison) -> V {
    let Some(first) = first else { return body };
    let key = match first {
        Step::Key(key) => key.as_str(),
        _ => "",
    };
    let map = match &body {
        V::Unknown | V::Absent => return body,
        V::Map(..) => &body,
        _ => return V::Unknown,
    };
    let kind = map.key("kind");
    let told = match kind.as_text() {
        Some("Table") => poison.hits("body Table") || matches!(key, "kind" | "apiVersion"),
        Some("PartialObjectMetadata") => matches!(key, "kind" | "apiVersion" | "metadata"),
        Some("PartialObjectMetadataList") => matches!(key, "kind" | "apiVersion" | "metadata" | "items"),
        Some("Status") => poison.hits("body Status") || kinds.status,
        Some(kind) if kind.ends_with("List") => poison.hits("body List") || kinds.list,
        _ => kinds.object,
    };
    if told { body } else { V::Unknown }
}

/// Whether a response body is an object with a name of its own.
pub(super) fn names_object(body: &V) -> bool {
    match (body, body.key("kind").as_text()) {
        (V::Map(..), Some(kind)) => kind != "Table" && kind != "Status" && !kind.ends_with("List"),
        (V::Map(..), None) => true,
        _ => false,
    }
}
