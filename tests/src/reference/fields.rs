//! What an event says under each root: `docs/semantics.md`, "Fields".

use dsl::ir::{AlertField, Derived, Stage, UndecodableField};

use super::bodies;
use super::event::{Event, Nature, dated};
use super::feature::{Feature, Poison};
use super::identity;
use super::patch;
use super::text;
use super::value::{Extent, Step, V};

/// A field of the event itself. `steps` are all that follow, of which the first is its key.
pub(super) fn own(event: &Event, steps: &[Step], poison: &Poison) -> V {
    let Some((Step::Key(first), rest)) = steps.split_first() else { return V::Absent };
    let whole = match first.as_str() {
        "stageTimestamp" | "requestReceivedTimestamp" => dated(&event.whole, first),
        _ => event.whole.key(first),
    };
    if event.stage == Some(Stage::RequestReceived) && !poison.hits("unknown at RequestReceived") {
        let late = matches!(first.as_str(), "responseStatus" | "annotations" | "impersonatedUser");
        if late && whole.is_absent() {
            return down(V::Unknown, rest, false);
        }
        let name = first == "objectRef" && matches!(rest.first(), Some(Step::Key(key)) if key == "name");
        if name && event.verb == "create" && whole.key("name").is_absent() {
            return down(V::Unknown, &rest[1..], false);
        }
    }
    down(whole, rest, false)
}

/// Down step by step.
pub(super) fn down(value: V, steps: &[Step], patch: bool) -> V {
    steps.iter().fold(value, |value, step| value.step(step, patch))
}

/// `requestObject`, `responseObject`: not there is unknown.
pub(super) fn body(event: &Event, key: &str) -> V {
    match &event.whole {
        V::Map(map, _) => map.get(key).cloned().unwrap_or(V::Unknown),
        _ => V::Unknown,
    }
}

/// A derived field, by its name in tables.
pub(super) fn name(derived: Derived) -> Feature {
    match derived {
        Derived::Desired => "desired",
        Derived::PodSpec => "pod_spec",
        Derived::Containers => "containers",
        Derived::ObjectName => "object.name",
        Derived::SourceIp => "source_ip",
        Derived::PeerIp => "peer_ip",
        Derived::ClientProgram => "client.program",
        Derived::ClientVersion => "client.version",
        Derived::CredentialId => "credential.id",
        Derived::CredentialNode => "credential.node",
        Derived::CredentialPod => "credential.pod",
        Derived::ExecArgs => "exec_args",
        Derived::ExecCommand => "exec_command",
        Derived::ExecContainer => "exec_container",
        Derived::CsrCommonName => "csr_common_name",
        Derived::CsrOrganizations => "csr_organizations",
        Derived::Decision => "decision",
        Derived::DryRun => "dry_run",
        Derived::RequestId => "request_id",
        Derived::Cluster => "cluster",
        Derived::Source => "source",
    }
}

/// A derived field.
pub(super) fn derived(event: &Event, derived: Derived, poison: &Poison) -> V {
    let maybe = |text: Option<String>| text.map_or(V::Absent, V::Text);
    match derived {
        Derived::Desired => desired(event, poison),
        Derived::PodSpec => pod_spec(event, poison),
        Derived::Containers => containers(&pod_spec(event, poison), event.verb == "patch"),
        Derived::ObjectName => object_name(event, poison),
        Derived::SourceIp => end_of(&event.whole.key("sourceIPs"), false),
        Derived::PeerIp => end_of(&event.whole.key("sourceIPs"), true),
        Derived::ClientProgram => maybe(client(event).and_then(|(program, _)| program)),
        Derived::ClientVersion => maybe(client(event).and_then(|(_, version)| version)),
        Derived::CredentialId => credential(event, "credential-id"),
        Derived::CredentialNode => credential(event, "node-name"),
        Derived::CredentialPod => credential(event, "pod-name"),
        Derived::ExecArgs => match query(event, "command") {
            args if args.is_empty() => V::Absent,
            args => V::List(args.into_iter().map(V::Text).collect(), Extent::Closed),
        },
        Derived::ExecCommand => match query(event, "command") {
            args if args.is_empty() => V::Absent,
            args => V::Text(args.join(" ")),
        },
        Derived::ExecContainer => maybe(query(event, "container").into_iter().next()),
        Derived::CsrCommonName => csr(event, poison).map_or_else(|v| v, |(name, _)| maybe(name)),
        Derived::CsrOrganizations => csr(event, poison)
            .map_or_else(|v| v, |(_, all)| V::List(all.into_iter().map(V::Text).collect(), Extent::Closed)),
        Derived::Decision => {
            let path = ["annotations", "authorization.k8s.io/decision"];
            own(event, &path.map(|key| Step::Key(key.to_owned())), poison)
        }
        Derived::DryRun => dry_run(event),
        Derived::RequestId => V::Text(identity::hex(&event.request)),
        Derived::Cluster => maybe(event.cluster.clone()),
        Derived::Source if event.nature == Nature::Nothing => V::Absent,
        Derived::Source => V::Text(event.source_name.clone()),
    }
}

/// A field of an alert.
pub(super) fn alert(event: &Event, field: AlertField, poison: &Poison) -> V {
    let Some(alert) = &event.alert else { return V::Absent };
    let text = |text: &str| V::Text(text.to_owned());
    match field {
        AlertField::Rule => poison.value("alert.rule", text(&alert.rule)),
        AlertField::Severity => poison.value("alert.severity", text(alert.severity)),
        AlertField::Message => poison.value("alert.message", text(&alert.message)),
        AlertField::Count => poison.value("alert.count", V::Number(alert.count as f64)),
        // Nothing here is approximate, unless poisoned: absent would be as good as false.
        AlertField::Approximate => V::Bool(poison.hits("alert.approximate")),
        AlertField::Tags => {
            let tags = alert.tags.iter().map(|tag| text(tag)).collect();
            poison.value("alert.tags", V::List(tags, Extent::Closed))
        }
        AlertField::Key => {
            poison.value("alert.key", V::Map(alert.key.iter().cloned().collect(), Extent::Closed))
        }
    }
}

/// A field of what is no event.
pub(super) fn undecodable(event: &Event, field: UndecodableField, poison: &Poison) -> V {
    let Some(undecodable) = &event.undecodable else { return V::Absent };
    match field {
        UndecodableField::Reason => {
            poison.value("undecodable.reason", V::Text(undecodable.reason.to_owned()))
        }
        UndecodableField::Offset => poison.value("undecodable.offset", V::Number(undecodable.offset as f64)),
    }
}

fn desired(event: &Event, poison: &Poison) -> V {
    match (event.verb.as_str(), body(event, "requestObject")) {
        ("create" | "update", body @ (V::Map(..) | V::Absent)) => body,
        ("patch", body) => patch::desired(&body, poison),
        _ => V::Unknown,
    }
}

fn pod_spec(event: &Event, poison: &Poison) -> V {
    let (resource, subresource) = (event.reference("resource"), event.reference("subresource"));
    let path = match (resource.as_deref(), subresource.as_deref()) {
        (Some("pods"), None | Some("ephemeralcontainers")) => "spec",
        (Some("podtemplates"), None) => "template.spec",
        (
            Some(
                "replicationcontrollers"
                | "deployments"
                | "statefulsets"
                | "daemonsets"
                | "replicasets"
                | "jobs",
            ),
            None,
        ) => "spec.template.spec",
        (Some("cronjobs"), None) => "spec.jobTemplate.spec.template.spec",
        _ => return V::Unknown,
    };
    let steps: Vec<Step> = path.split('.').map(|key| Step::Key(key.to_owned())).collect();
    down(desired(event, poison), &steps, event.verb == "patch")
}

fn containers(spec: &V, patch: bool) -> V {
    if spec.is_unknown() || spec.is_absent() {
        return spec.clone();
    }
    let mut all = Vec::new();
    let mut extent = Extent::Closed;
    for key in ["containers", "initContainers", "ephemeralContainers"] {
        match spec.step(&Step::Key(key.to_owned()), patch) {
            V::List(items, more) => {
                all.extend(items);
                extent = extent.or(more);
            }
            V::Unknown => extent = Extent::Open,
            _ => {}
        }
    }
    V::List(all, extent)
}

fn object_name(event: &Event, poison: &Poison) -> V {
    if let Some(name) = event.reference("name") {
        return V::Text(name);
    }
    let response = body(event, "responseObject");
    if bodies::names_object(&response)
        && let name @ V::Text(_) = response.key("metadata").key("name")
    {
        return name;
    }
    let steps = ["metadata", "name"].map(|key| Step::Key(key.to_owned()));
    match down(desired(event, poison), &steps, event.verb == "patch") {
        name @ V::Text(_) => name,
        _ if event.verb == "create" => V::Unknown,
        _ => V::Absent,
    }
}

fn end_of(list: &V, last: bool) -> V {
    match list {
        V::List(items, _) => if last { items.last() } else { items.first() }.cloned().unwrap_or(V::Absent),
        _ => V::Absent,
    }
}

/// `client.program` and `client.version`.
fn client(event: &Event) -> Option<(Option<String>, Option<String>)> {
    let agent = event.whole.key("userAgent");
    let agent = agent.as_text()?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let end = agent.find(['/', ' ']).unwrap_or(agent.len());
    let version = agent[end..].strip_prefix('/').map(|rest| rest.split(' ').next().unwrap_or(""));
    Some((some(&agent[..end]), version.and_then(some)))
}

fn credential(event: &Event, name: &str) -> V {
    let key = format!("authentication.kubernetes.io/{name}");
    end_of(&event.whole.key("user").key("extra").key(&key), false)
}

/// The values of a key in the query of the URI.
fn query(event: &Event, key: &str) -> Vec<String> {
    let uri = event.whole.key("requestURI");
    let Some(uri) = uri.as_text() else { return vec![] };
    let before_fragment = uri.split('#').next().unwrap_or("");
    let Some((_, query)) = before_fragment.split_once('?') else { return vec![] };
    let decoded = |text: &str| String::from_utf8_lossy(&text::percent_decoded(text, true)).into_owned();
    let pairs = query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")));
    pairs.filter(|(name, _)| decoded(name) == key).map(|(_, value)| decoded(value)).collect()
}

/// The path of the URI, decoded, for `nonresource`.
pub(super) fn path(event: &Event) -> Option<Vec<u8>> {
    let uri = event.whole.key("requestURI");
    let path = uri.as_text()?.split(['?', '#']).next().unwrap_or("").to_owned();
    Some(text::percent_decoded(&path, false))
}

fn dry_run(event: &Event) -> V {
    if query(event, "dryRun").iter().any(|value| value == "All") {
        return V::Bool(true);
    }
    if event.verb != "delete" && event.verb != "deletecollection" {
        return V::Bool(false);
    }
    match body(event, "requestObject") {
        V::Unknown => V::Unknown,
        options => match options.key("dryRun") {
            V::List(items, _) => V::Bool(items.contains(&V::Text("All".to_owned()))),
            _ => V::Bool(false),
        },
    }
}

/// The subject's common name and organizations of the request in `desired`; else what both fields are.
fn csr(event: &Event, poison: &Poison) -> Result<(Option<String>, Vec<String>), V> {
    use x509_parser::prelude::FromDer;
    let steps = ["spec", "request"].map(|key| Step::Key(key.to_owned()));
    let text = match down(desired(event, poison), &steps, event.verb == "patch") {
        V::Unknown => return Err(V::Unknown),
        V::Text(text) => text,
        _ => return Err(V::Absent),
    };
    let read = || {
        let pem = text::base64_decoded(&text)?;
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).ok()?;
        if pem.label != "CERTIFICATE REQUEST" {
            return None;
        }
        let (_, request) =
            x509_parser::certification_request::X509CertificationRequest::from_der(&pem.contents).ok()?;
        let subject = &request.certification_request_info.subject;
        let text =
            |part: &x509_parser::x509::AttributeTypeAndValue<'_>| part.as_str().ok().map(str::to_owned);
        let name = subject.iter_common_name().next().and_then(text);
        Some((name, subject.iter_organization().filter_map(text).collect()))
    };
    read().ok_or(V::Absent)
}
