//! The derived fields. `docs/semantics.md`, "Fields".
//!
//! What is costly (the patched object, the identity, the dry run) is made once per event, when it is first read.

use std::cell::OnceCell;

use dsl::ir::Derived;

use crate::event::document::Json;
use crate::event::identity;
use crate::event::row::{Row, Slot};
use crate::matches::{RequestId, SourceInfo};
use crate::planted::planted;

use super::val::Val;
use super::{Truth, csr, desired, query, unknown};

/// An event at hand, with what has been derived of it.
pub(crate) struct EventCx<'a> {
    pub(crate) row: &'a Row<'a>,
    pub(crate) source: &'a SourceInfo,
    desired: OnceCell<Val<'a>>,
    dry_run: OnceCell<Truth>,
    request: OnceCell<RequestId>,
}

/// Whether a field is `desired` or a part of it.
pub(super) fn is_desired(derived: Derived) -> bool {
    matches!(derived, Derived::Desired | Derived::PodSpec | Derived::Containers)
}

impl<'a> EventCx<'a> {
    pub(crate) fn new(row: &'a Row<'a>, source: &'a SourceInfo) -> Self {
        Self { row, source, desired: OnceCell::new(), dry_run: OnceCell::new(), request: OnceCell::new() }
    }

    /// The cluster: of the source, else of the envelope.
    pub(crate) fn cluster(&self) -> Option<&'a str> {
        self.source.cluster.as_deref().or(self.row.cluster)
    }

    pub(crate) fn request(&self) -> RequestId {
        *self.request.get_or_init(|| identity::request(self.row, self.cluster()))
    }

    pub(crate) fn dry_run(&self) -> Truth {
        *self.dry_run.get_or_init(|| dry_run(self.row))
    }

    pub(super) fn derived(&self, field: Derived) -> Val<'a> {
        let row = self.row;
        match field {
            Derived::Desired => self.desired(),
            Derived::PodSpec => self.pod_spec(),
            Derived::Containers => self.containers(),
            Derived::ObjectName => self.object_name(),
            Derived::SourceIp => {
                addresses(row).map_or(Val::Absent, |list| Val::option(list.items().next().map(Val::json)))
            }
            Derived::PeerIp => {
                addresses(row).map_or(Val::Absent, |list| Val::option(list.items().last().map(Val::json)))
            }
            Derived::ClientProgram => client(row).0,
            Derived::ClientVersion => client(row).1,
            Derived::CredentialId => credential(row, "authentication.kubernetes.io/credential-id"),
            Derived::CredentialNode => credential(row, "authentication.kubernetes.io/node-name"),
            Derived::CredentialPod => credential(row, "authentication.kubernetes.io/pod-name"),
            Derived::ExecArgs => Val::option(exec_args(row).map(|args| Val::list(args, false))),
            Derived::ExecCommand => Val::option(exec_args(row).map(|args| {
                let texts = args.iter().map(|arg| if let Val::Text(text) = arg { &**text } else { "" });
                Val::text(texts.collect::<Vec<_>>().join(" "))
            })),
            Derived::ExecContainer => {
                let uri = row.text(Slot::RequestUri).unwrap_or("");
                Val::option(query::values(uri, "container").next().map(Val::Text))
            }
            Derived::CsrCommonName => self.csr(|subject| Val::option(subject.common_name.map(Val::text))),
            Derived::CsrOrganizations => self
                .csr(|subject| Val::list(subject.organizations.into_iter().map(Val::text).collect(), false)),
            Derived::Decision => {
                unknown::val(unknown::field(row, "annotations")).key("authorization.k8s.io/decision", false)
            }
            Derived::DryRun => self.dry_run().val(),
            Derived::RequestId => Val::text(identity::hex(&self.request())),
            Derived::Cluster => Val::option(self.cluster().map(Val::text)),
            Derived::Source => Val::text(&*self.source.name),
        }
    }

    fn desired(&self) -> Val<'a> {
        self.desired.get_or_init(|| desired::desired(self.row)).clone()
    }

    fn pod_spec(&self) -> Val<'a> {
        let Ok(path) = unknown::pod_path(self.row) else { return Val::Unknown };
        let patch = self.row.verb() == "patch";
        path.iter().fold(self.desired(), |val, key| val.key(key, patch))
    }

    fn containers(&self) -> Val<'a> {
        let spec = self.pod_spec();
        if matches!(spec, Val::Unknown | Val::Absent) {
            return spec;
        }
        let patch = self.row.verb() == "patch";
        let (mut all, mut open) = (Vec::new(), false);
        for key in ["containers", "initContainers", "ephemeralContainers"] {
            match spec.key(key, patch) {
                Val::Unknown => open = true,
                list => {
                    if let Some((items, more)) = list.elements() {
                        all.extend(items);
                        open |= more;
                    }
                }
            }
        }
        Val::list(all, open)
    }

    fn object_name(&self) -> Val<'a> {
        let row = self.row;
        if let Some(name) = row.text(Slot::Name) {
            return Val::text(name);
        }
        if let Some(name) = row
            .get(Slot::ResponseObject)
            .filter(|body| names(*body))
            .and_then(|body| body.path(&["metadata", "name"])?.as_text())
        {
            return Val::text(name);
        }
        let patch = row.verb() == "patch";
        let name = self.desired().key("metadata", patch).key("name", patch);
        match name {
            Val::Text(_) => name,
            _ => unknown::val(unknown::nameless(row)),
        }
    }

    fn csr(&self, f: impl Fn(csr::Subject) -> Val<'a>) -> Val<'a> {
        let patch = self.row.verb() == "patch";
        match self.desired().key("spec", patch).key("request", patch) {
            Val::Unknown => Val::Unknown,
            Val::Text(text) => csr::subject(&text).map_or(Val::Absent, f),
            _ => Val::Absent,
        }
    }
}

/// Whether a response is an object with a name of its own.
fn names(body: Json<'_>) -> bool {
    let kind = body.get("kind").and_then(Json::as_text).unwrap_or("");
    body.is_map() && kind != "Table" && kind != "Status" && !kind.ends_with("List")
}

fn addresses<'a>(row: &Row<'a>) -> Option<Json<'a>> {
    row.get(Slot::SourceIps).filter(|json| !json.is_map())
}

/// `client.program` and `client.version`.
fn client<'a>(row: &Row<'a>) -> (Val<'a>, Val<'a>) {
    let Some(agent) = row.text(Slot::UserAgent) else { return (Val::Absent, Val::Absent) };
    let end = agent.find(['/', ' ']).unwrap_or(agent.len());
    let (program, rest) = agent.split_at(end);
    let version = rest.strip_prefix('/').map(|rest| rest.split(' ').next().unwrap_or(""));
    let val = |text: &'a str| if text.is_empty() { Val::Absent } else { Val::text(text) };
    (val(program), version.map_or(Val::Absent, val))
}

fn credential<'a>(row: &Row<'a>, key: &str) -> Val<'a> {
    let list = row.get(Slot::UserExtra).and_then(|extra| extra.get(key));
    Val::option(list.and_then(|list| list.items().next()).map(Val::json))
}

fn exec_args<'a>(row: &Row<'a>) -> Option<Vec<Val<'a>>> {
    let args: Vec<_> = query::values(row.text(Slot::RequestUri)?, "command").map(Val::Text).collect();
    (!args.is_empty()).then_some(args)
}

fn dry_run(row: &Row<'_>) -> Truth {
    let uri = row.text(Slot::RequestUri).unwrap_or("");
    if query::values(uri, "dryRun").any(|value| value == "All") {
        return Truth::True;
    }
    let body = match unknown::delete_options(row) {
        Ok(Some(body)) => body,
        Ok(None) => return Truth::False,
        Err(_) => return if planted(13) { Truth::True } else { Truth::Unknown },
    };
    let all = body.get("dryRun").is_some_and(|list| list.items().any(|item| item.as_text() == Some("All")));
    Truth::of(all)
}
