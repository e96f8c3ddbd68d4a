//! Which body a request has, by resource, subresource and verb.
//!
//! A rule's `on` may name many resources; the checker asks for each pair of resource and verb and puts the answers
//! together: a path must be in one of them at least. Groups matter where a name has kinds of its own in several
//! (`events`); an unknown group or resource is a custom one, whose bodies are untyped.

use crate::ir::{BodyKinds, Type};

/// What `requestObject` holds.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestBody {
    /// This verb on this resource never has one: `get`, `list`, `watch`, all of `pods/exec`.
    Never,
    /// The options of a `delete` or `deletecollection`, where a client sends them.
    DeleteOptions(Type),
    /// The whole object, of `create` and `update`.
    Object(Type),
    /// A patch: fields of the object (the first type), or a list of operations (the second).
    Patch(Type, Type),
}

/// What `responseObject` may hold: an object type for each kind of body it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseBodies {
    /// The object itself, as an answer to one; `None`: never.
    pub object: Option<Type>,
    /// The kind's list, as an answer to `list` and `deletecollection`; `None`: never.
    pub list: Option<Type>,
    /// A `Status`, of what was refused or has no other answer. Everything but `watch` may have one.
    pub status: Option<Type>,
}

impl ResponseBodies {
    /// The types with the kind of body that each stands for.
    pub fn each(&self) -> impl Iterator<Item = (BodyKinds, &Type)> {
        let none = BodyKinds { object: false, list: false, status: false };
        [
            (BodyKinds { object: true, ..none }, &self.object),
            (BodyKinds { list: true, ..none }, &self.list),
            (BodyKinds { status: true, ..none }, &self.status),
        ]
        .into_iter()
        .filter_map(|(kinds, ty)| Some((kinds, ty.as_ref()?)))
    }
}

/// The body of a request. `subresource` is `None` for the resource itself; `verb` is an event's verb.
#[must_use]
pub fn request_body(plural: &str, group: &str, subresource: Option<&str>, verb: &str) -> RequestBody {
    let object = match object_type(plural, group, subresource) {
        Answer::Type(ty) => ty,
        Answer::NoBody => return RequestBody::Never,
    };
    match verb {
        "create" | "update" | "post" | "put" => RequestBody::Object(object),
        "patch" => RequestBody::Patch(object, patch_list()),
        "delete" | "deletecollection" => RequestBody::DeleteOptions(named("meta.DeleteOptions")),
        _ => RequestBody::Never,
    }
}

/// What may answer a request.
#[must_use]
pub fn response_bodies(plural: &str, group: &str, subresource: Option<&str>, verb: &str) -> ResponseBodies {
    let status = Some(named("meta.Status"));
    let object = match object_type(plural, group, subresource) {
        Answer::Type(ty) => ty,
        Answer::NoBody => return ResponseBodies { object: None, list: None, status },
    };
    // An eviction and a binding are answered by a Status, a token request by itself with the token taken out.
    let answers_itself = !matches!(subresource, Some("eviction" | "binding")) && plural != "bindings";
    match verb {
        "watch" => ResponseBodies { object: None, list: None, status },
        "list" => ResponseBodies { object: None, list: Some(list_of(&object)), status },
        "deletecollection" => ResponseBodies { object: None, list: Some(list_of(&object)), status },
        _ => ResponseBodies { object: answers_itself.then_some(object), list: None, status },
    }
}

enum Answer {
    Type(Type),
    NoBody,
}

fn object_type(plural: &str, group: &str, subresource: Option<&str>) -> Answer {
    let Some(resource) = super::built_in(plural).filter(|resource| resource.groups.contains(&group)) else {
        return Answer::Type(custom(subresource));
    };
    let object = match subresource {
        None => resource.object_in(group),
        Some(name) => match resource.subresource(name) {
            // What streams (`exec`) or passes through (`proxy`) is not recorded.
            Some(sub) if sub.object.is_none() && sub.name != "rollback" => return Answer::NoBody,
            Some(sub) => sub.object,
            None => None,
        },
    };
    Answer::Type(object.map_or(Type::Any, named))
}

/// A custom resource may have two subresources, of which one is Kubernetes' own kind.
fn custom(subresource: Option<&str>) -> Type {
    if subresource == Some("scale") { named("autoscaling.Scale") } else { Type::Any }
}

fn list_of(object: &Type) -> Type {
    match object {
        Type::Object(name) => Type::Object(super::table::list_name(name).into()),
        _ => Type::Any,
    }
}

/// The type of an operation of a JSON patch.
pub const OPERATION: &str = "JSONPatchOperation";

fn patch_list() -> Type {
    Type::List(std::sync::Arc::new(named(OPERATION)))
}

fn named(name: &str) -> Type {
    Type::Object(name.into())
}
