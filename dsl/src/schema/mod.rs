//! What the language knows of Kubernetes: the fields of an event, the bodies of requests, resources, verbs, functions.
//!
//! Everything is a table: `event.txt` and `resources.txt` are kept by hand, `kubernetes.txt` is generated from
//! Kubernetes' published types (`cargo xtask schema`; `docs/schema.md` says how and why). They are embedded as text
//! (under 100 KB) and parsed once, on first use; a normal build never sees the generator's
//! dependencies. Nothing in here fails at run time: that the tables are whole is held by the tests beside them.
//!
//! The tables say what *may* be there. A name that is in none of them is a custom resource, whose bodies are
//! [`Type::Any`](crate::ir::Type::Any) all the way down.

mod bodies;
mod derived;
mod functions;
mod listened;
mod resources;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use bodies::{OPERATION, RequestBody, ResponseBodies, request_body, response_bodies};
pub use derived::{CONTAINER, DERIVED, DerivedField, derived};
pub use functions::{AGGREGATES, AggregateName, AggregateSignature, FUNCTIONS, Param, Signature, function};
pub use listened::{LISTENED, ListenedField, SEVERITIES, UNDECODABLE_HAS, UNDECODABLE_REASONS, listened};
pub use resources::{
    BuiltIn, SubresourceOf, WORKLOADS, built_in, built_ins, long_name, resources_with_subresource,
    subresource_names,
};
pub use table::{Field, Lookup, Object, event, field, object};
pub use words::{NONRESOURCE_VERBS, RBAC_ONLY_VERBS, READ_VERBS, RESOURCE_VERBS, WRITE_VERBS, is_verb};
