//! Verbs: what is done with resources, and with what is none.

/// What is done with resources.
pub const RESOURCE_VERBS: [&str; 8] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What `read` stands for.
pub const READ_VERBS: [&str; 3] = ["get", "list", "watch"];

/// What `write` stands for.
pub const WRITE_VERBS: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// The verbs of requests for no resource: HTTP's methods in lower case.
pub const NONRESOURCE_VERBS: [&str; 9] =
    ["get", "post", "put", "patch", "delete", "head", "options", "connect", "trace"];

/// Verbs of RBAC that no event ever has, for the help of the error.
pub const RBAC_ONLY_VERBS: [&str; 7] =
    ["impersonate", "bind", "escalate", "approve", "sign", "use", "attest"];

/// Whether any event has the verb: those of resources, of other requests, and `proxy`, which old servers wrote.
#[must_use]
pub fn is_verb(word: &str) -> bool {
    word == "proxy" || RESOURCE_VERBS.contains(&word) || NONRESOURCE_VERBS.contains(&word)
}
