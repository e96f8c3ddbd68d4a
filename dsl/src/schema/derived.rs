//! The derived fields: names that the event does not have, computed from what it has.

use std::sync::Arc;

use crate::ir::{Derived, Type};

/// The object type of the elements of `containers`.
pub const CONTAINER: &str = "container";

/// A derived field.
#[derive(Clone, Copy, Debug)]
pub struct DerivedField {
    /// Its words: `["client", "program"]` is `client.program`.
    pub path: &'static [&'static str],
    /// What it is.
    pub field: Derived,
    /// The only values there are; empty if it may be any.
    pub values: &'static [&'static str],
    ty: Holds,
}

#[derive(Clone, Copy, Debug)]
enum Holds {
    Body,
    PodSpec,
    Containers,
    Text,
    Texts,
    Bool,
}

impl DerivedField {
    /// Its type. That of `desired` is by resource: see [`super::request_body`]; here it is [`Type::Any`].
    #[must_use]
    pub fn ty(&self) -> Type {
        let list = |of| Type::List(Arc::new(of));
        match self.ty {
            Holds::Body => Type::Any,
            Holds::PodSpec => Type::Object("core.PodSpec".into()),
            Holds::Containers => list(Type::Object(CONTAINER.into())),
            Holds::Text => Type::Text,
            Holds::Texts => list(Type::Text),
            Holds::Bool => Type::Bool,
        }
    }
}

/// Every derived field of an event, in the order of the reference.
pub const DERIVED: [DerivedField; 21] = [
    new(&["desired"], Derived::Desired, Holds::Body),
    new(&["pod_spec"], Derived::PodSpec, Holds::PodSpec),
    new(&["containers"], Derived::Containers, Holds::Containers),
    new(&["object", "name"], Derived::ObjectName, Holds::Text),
    new(&["source_ip"], Derived::SourceIp, Holds::Text),
    new(&["peer_ip"], Derived::PeerIp, Holds::Text),
    new(&["client", "program"], Derived::ClientProgram, Holds::Text),
    new(&["client", "version"], Derived::ClientVersion, Holds::Text),
    new(&["credential", "id"], Derived::CredentialId, Holds::Text),
    new(&["credential", "node"], Derived::CredentialNode, Holds::Text),
    new(&["credential", "pod"], Derived::CredentialPod, Holds::Text),
    new(&["exec_args"], Derived::ExecArgs, Holds::Texts),
    new(&["exec_command"], Derived::ExecCommand, Holds::Text),
    new(&["exec_container"], Derived::ExecContainer, Holds::Text),
    new(&["csr_common_name"], Derived::CsrCommonName, Holds::Text),
    new(&["csr_organizations"], Derived::CsrOrganizations, Holds::Texts),
    DerivedField {
        path: &["decision"],
        field: Derived::Decision,
        values: &["allow", "forbid"],
        ty: Holds::Text,
    },
    new(&["dry_run"], Derived::DryRun, Holds::Bool),
    new(&["request_id"], Derived::RequestId, Holds::Text),
    new(&["cluster"], Derived::Cluster, Holds::Text),
    new(&["source"], Derived::Source, Holds::Text),
];

const fn new(path: &'static [&'static str], field: Derived, ty: Holds) -> DerivedField {
    DerivedField { path, field, values: &[], ty }
}

/// The derived field whose words `path` begins with; how many words it took is the length of its `path`.
#[must_use]
pub fn derived(path: &[&str]) -> Option<&'static DerivedField> {
    DERIVED.iter().find(|field| path.starts_with(field.path))
}
