//! What is unknown of an event, and why: the one place that says so. `docs/semantics.md`, "Fields".
//!
//! | read | unknown | [`Why`] |
//! |---|---|---|
//! | `responseStatus`, `annotations`, `impersonatedUser`, and so `decision` | at `RequestReceived`, unless there | `BeforeResponse` |
//! | `objectRef.name` | at `RequestReceived` of a create, unless there | `BeforeResponse` |
//! | `requestObject`, `responseObject` | the event does not carry it, whatever the stage and the reason: the level, a server that cut the event for its size (`audit.k8s.io/truncated`), a collector that drops bodies | `NoRequestBody`, `NoResponseBody` |
//! | below `responseObject` | it is no map | `ResponseNoObject` |
//! | | it is of another kind than the path speaks of | `OtherKind` |
//! | `managedFields` of anything | it is not there: the policy may leave it out of bodies (`omitManagedFields`) | `LeftOut` |
//! | `desired`, what is derived of it | verbs but create, update, patch | `NoObjectSent` |
//! | | the body is not there | `NoRequestBody` |
//! | | the body is no object | `NoObject` |
//! | | what a patch does not mention | `Patch` |
//! | `pod_spec`, `containers` | a resource that makes no pods | `NoPods` |
//! | `object.name` | a create that tells none | `Nameless` |
//! | `dry_run` | a delete whose body is not there and whose query does not say | `DeleteBody` |
//!
//! Each row is a function below. Who reads a value takes what is known of it ([`val`]); who explains one takes the reason
//! ([`why`]), which asks the same functions.

use dsl::ir::{BodyKinds, Derived, Root, Segment, Stage};

use crate::event::document::{Json, Node};
use crate::event::row::{Row, Slot};

use super::val::Val;

/// Why something is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    BeforeResponse,
    NoRequestBody,
    NoResponseBody,
    ResponseNoObject,
    OtherKind,
    LeftOut,
    NoObjectSent,
    NoObject,
    Patch,
    NoPods,
    Nameless,
    DeleteBody,
}

impl Why {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 12] = [
        Self::BeforeResponse,
        Self::NoRequestBody,
        Self::NoResponseBody,
        Self::ResponseNoObject,
        Self::OtherKind,
        Self::LeftOut,
        Self::NoObjectSent,
        Self::NoObject,
        Self::Patch,
        Self::NoPods,
        Self::Nameless,
        Self::DeleteBody,
    ];

    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::BeforeResponse => "it is not known before the response",
            Self::NoRequestBody => "the event does not carry the request's body",
            Self::NoResponseBody => "the event does not carry the response's body",
            Self::ResponseNoObject => "the response is no object",
            Self::OtherKind => "the response is of another kind",
            Self::LeftOut => "it is not there, and a policy may leave it out",
            Self::NoObjectSent => "the verb sends no object",
            Self::NoObject => "the body is no object",
            Self::Patch => "the patch does not say",
            Self::NoPods => "the resource makes no pods",
            Self::Nameless => "a create that does not tell the name",
            Self::DeleteBody => "the body of the delete was not recorded",
        }
    }
}

/// What is known of something, or why nothing is.
pub(super) type Known<T> = Result<T, Why>;

/// As evaluation has it.
pub(super) fn val(known: Known<Val<'_>>) -> Val<'_> {
    known.unwrap_or(Val::Unknown)
}

/// The one key that a policy may take out of a body that it otherwise records whole.
const LEFT_OUT: &str = "managedFields";

/// A field of the event by its key.
pub(super) fn field<'a>(row: &Row<'a>, key: &str) -> Known<Val<'a>> {
    let value = match Slot::of_event(key) {
        Some(slot) => Val::slot(row, slot),
        None => row.other(key).map(Val::json),
    };
    match value {
        Some(value) => Ok(value),
        None if row.stage == Stage::RequestReceived
            && matches!(key, "responseStatus" | "annotations" | "impersonatedUser") =>
        {
            Err(Why::BeforeResponse)
        }
        None => Ok(Val::Absent),
    }
}

/// `objectRef.name`
pub(super) fn object_name<'a>(row: &Row<'a>) -> Known<Val<'a>> {
    match Val::slot(row, Slot::Name) {
        Some(value) => Ok(value),
        None if row.stage == Stage::RequestReceived && row.verb() == "create" => Err(Why::BeforeResponse),
        None => Ok(Val::Absent),
    }
}

/// `requestObject` as a whole.
pub(super) fn request_object<'a>(row: &Row<'a>) -> Known<Val<'a>> {
    row.raw(Slot::RequestObject).map(Val::json).ok_or(Why::NoRequestBody)
}

/// `responseObject` for a path that speaks of `kinds` and goes down from it, by `first` if that is a key; `None`: the path
/// ends there.
pub(super) fn response_object<'a>(
    row: &Row<'a>,
    kinds: BodyKinds,
    first: Option<Option<&str>>,
) -> Known<Val<'a>> {
    let body = row.raw(Slot::ResponseObject).map(Val::json).ok_or(Why::NoResponseBody)?;
    match (&body, first) {
        (_, None) | (Val::Absent, _) => Ok(body),
        (Val::Json(json), Some(key)) if json.is_map() => {
            if readable(*json, kinds, key) {
                Ok(body)
            } else {
                Err(Why::OtherKind)
            }
        }
        _ => Err(Why::ResponseNoObject),
    }
}

/// What a map does not have, of which there may be more than is known if it is `open`.
#[inline]
pub(super) fn missing<'a>(key: &str, open: bool) -> Known<Val<'a>> {
    match open {
        true => Err(Why::Patch),
        false if key == LEFT_OUT => Err(Why::LeftOut),
        false => Ok(Val::Absent),
    }
}

/// A step down where there is none: of a `patch` there may be something else by then.
#[inline]
pub(super) fn misfit<'a>(patch: bool) -> Known<Val<'a>> {
    if patch { Err(Why::Patch) } else { Ok(Val::Absent) }
}

/// The body that `desired` is made of: a map, `null`, or of a patch a list.
pub(super) fn asked<'a>(row: &Row<'a>) -> Known<Json<'a>> {
    let patch = match row.verb() {
        "create" | "update" => false,
        "patch" => true,
        _ => return Err(Why::NoObjectSent),
    };
    let body = row.raw(Slot::RequestObject).ok_or(Why::NoRequestBody)?;
    match body.node() {
        Node::Null | Node::Map { .. } => Ok(body),
        Node::List { .. } if patch => Ok(body),
        _ => Err(Why::NoObject),
    }
}

/// Where in `desired` the pod's spec is.
pub(super) fn pod_path(row: &Row<'_>) -> Known<&'static [&'static str]> {
    match (row.text(Slot::Resource).unwrap_or(""), row.text(Slot::Subresource)) {
        ("pods", None | Some("ephemeralcontainers")) => Ok(&["spec"]),
        ("podtemplates", None) => Ok(&["template", "spec"]),
        (
            "replicationcontrollers" | "deployments" | "statefulsets" | "daemonsets" | "replicasets" | "jobs",
            None,
        ) => Ok(&["spec", "template", "spec"]),
        ("cronjobs", None) => Ok(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => Err(Why::NoPods),
    }
}

/// `object.name` where nothing tells it.
pub(super) fn nameless<'a>(row: &Row<'a>) -> Known<Val<'a>> {
    if row.verb() == "create" { Err(Why::Nameless) } else { Ok(Val::Absent) }
}

/// The options of a delete, which may say that it is a dry run; of other verbs there are none.
pub(super) fn delete_options<'a>(row: &Row<'a>) -> Known<Option<Json<'a>>> {
    match row.verb() {
        "delete" | "deletecollection" => row.raw(Slot::RequestObject).map(Some).ok_or(Why::DeleteBody),
        _ => Ok(None),
    }
}

/// Why what is at a place is unknown; nothing if it is not known to be so by itself.
pub(crate) fn why(root: Root, path: &[Segment], row: &Row<'_>) -> Option<Why> {
    let key = |segment: &'_ Segment| match segment {
        Segment::Key(key) => Some(key.clone()),
        Segment::Index(_) | Segment::Computed(_) | Segment::Each => None,
    };
    let keys: Vec<Option<String>> = path.iter().map(key).collect();
    let first = keys.first().map(Option::as_deref);
    let mut of_patch = false;
    let whole = match root {
        Root::Event => match (first.flatten(), keys.get(1).and_then(Option::as_deref)) {
            (Some("objectRef"), Some("name")) => object_name(row).err(),
            (Some(key), _) => field(row, key).err(),
            (None, _) => None,
        },
        Root::RequestObject => request_object(row).err(),
        Root::ResponseObject(kinds) => response_object(row, kinds, first).err(),
        Root::Derived(Derived::Decision) => field(row, "annotations").err(),
        Root::Derived(Derived::ObjectName) => nameless(row).err(),
        Root::Derived(Derived::DryRun) => delete_options(row).err(),
        Root::Derived(
            of @ (Derived::Desired
            | Derived::PodSpec
            | Derived::Containers
            | Derived::CsrCommonName
            | Derived::CsrOrganizations),
        ) => {
            of_patch = row.verb() == "patch";
            let pods = matches!(of, Derived::PodSpec | Derived::Containers);
            asked(row).err().or_else(|| pod_path(row).err().filter(|_| pods))
        }
        Root::Element(_) => {
            of_patch = true;
            None
        }
        Root::Derived(_) | Root::Alert(_) | Root::Undecodable(_) => None,
    };
    let left_out = || keys.iter().flatten().find_map(|key| missing(key, false).err());
    whole.or_else(left_out).or_else(|| misfit(of_patch).err())
}

/// Whether a path that speaks of `kinds` and goes down by `key` (nothing: not by a key) can be read in a response.
fn readable(body: Json<'_>, kinds: BodyKinds, key: Option<&str>) -> bool {
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
