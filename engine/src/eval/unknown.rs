//! What is unknown of an event, and why: the one place that says so. `docs/semantics.md`, "Fields".
//!
//! | read | unknown |
//! |---|---|
//! | `responseStatus`, `annotations`, `impersonatedUser` | at `RequestReceived`, unless there |
//! | `objectRef.name` | at `RequestReceived` of a create, unless there |
//! | `requestObject`, `responseObject` | the event does not carry it, whatever the stage and the reason: the level, a server that cut the event for its size (`audit.k8s.io/truncated`), a collector that drops bodies |
//! | below `responseObject` | it is of another kind than the path speaks of, or no map |
//! | `managedFields` of anything | it is not there: the policy may leave it out of bodies (`omitManagedFields`) |
//! | `desired` | verbs but create, update, patch; a body that is not there; what a patch does not mention |
//! | `pod_spec`, `containers` | `desired` is; a resource that makes no pods |
//! | `object.name` | a create that tells none |
//! | `dry_run` | a delete whose body is not there and whose query does not say |

use dsl::ir::{BodyKinds, Stage};

use crate::event::document::Json;
use crate::event::row::{Row, Slot};

use super::val::Val;

/// The one key that a policy may take out of a body that it otherwise records whole.
pub(super) const LEFT_OUT: &str = "managedFields";

/// A field of the event by its key.
pub(super) fn field<'a>(row: &Row<'a>, key: &str) -> Val<'a> {
    let value = match Slot::of_event(key) {
        Some(slot) => Val::slot(row, slot),
        None => row.other(key).map(Val::json),
    };
    match value {
        Some(value) => value,
        None if row.stage == Stage::RequestReceived
            && matches!(key, "responseStatus" | "annotations" | "impersonatedUser") =>
        {
            Val::Unknown
        }
        None => Val::Absent,
    }
}

/// `objectRef.name`
pub(super) fn object_name<'a>(row: &Row<'a>) -> Val<'a> {
    match Val::slot(row, Slot::Name) {
        Some(value) => value,
        None if row.stage == Stage::RequestReceived && row.verb() == "create" => Val::Unknown,
        None => Val::Absent,
    }
}

/// `requestObject` or `responseObject` as a whole.
pub(super) fn body<'a>(row: &Row<'a>, slot: Slot) -> Val<'a> {
    row.raw(slot).map_or(Val::Unknown, Val::json)
}

/// Whether a path that speaks of `kinds` and goes down by `key` (nothing: not by a key) can be read in a response.
pub(super) fn readable(body: Json<'_>, kinds: BodyKinds, key: Option<&str>) -> bool {
    let kind = body.get("kind").and_then(Json::as_text);
    match kind {
        None => kinds.object,
        Some("Table") => matches!(key, Some("kind" | "apiVersion")),
        Some("PartialObjectMetadata") => matches!(key, Some("kind" | "apiVersion" | "metadata")),
        Some("PartialObjectMetadataList") => {
            matches!(key, Some("kind" | "apiVersion" | "metadata" | "items"))
        }
        Some("Status") => kinds.status,
        Some(kind) if kind.ends_with("List") => kinds.list,
        Some(_) => kinds.object,
    }
}
