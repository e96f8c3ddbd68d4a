//! Identities: `docs/semantics.md`, "Identity".

use super::event::dated;
use super::time;
use super::value::V;

/// The first 16 bytes of BLAKE3 over the domain and the fields.
fn hash(domain: &str, fields: &[Option<Vec<u8>>]) -> [u8; 16] {
    let mut bytes = domain.as_bytes().to_vec();
    for field in fields {
        match field {
            None => bytes.push(0),
            Some(field) => {
                bytes.push(1);
                bytes.extend((field.len() as u64).to_le_bytes());
                bytes.extend(field);
            }
        }
    }
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
    id
}

/// Who a request is.
pub(super) fn request(cluster: Option<&str>, event: &V) -> [u8; 16] {
    let text = |key: &str| event.key(key).as_text().map(|t| t.as_bytes().to_vec());
    let received = dated(event, "requestReceivedTimestamp");
    let received = received.as_text().map(|text| match time::parse(text) {
        Some(nanos) => nanos.to_string().into_bytes(),
        None => text.as_bytes().to_vec(),
    });
    let cluster = cluster.map(|c| c.as_bytes().to_vec());
    hash("request", &[cluster, text("auditID"), received, text("verb"), text("requestURI")])
}

/// Who is what is no event.
pub(super) fn undecodable(source: &str, offset: u64, number: u64) -> [u8; 16] {
    let fields = [source.to_owned(), offset.to_string(), number.to_string()];
    hash("undecodable", &fields.map(|field| Some(field.into_bytes())))
}

/// Who an alert is. `what` is the completing event's identity, or a time.
pub(super) fn alert(
    rule: &str,
    cluster: Option<&str>,
    key: &[V],
    what: &[u8],
    stage: Option<&str>,
) -> [u8; 16] {
    let mut fields = vec![Some(rule.as_bytes().to_vec()), cluster.map(|c| c.as_bytes().to_vec())];
    fields.extend(key.iter().map(|part| Some(scalar(part))));
    fields.push(Some(what.to_vec()));
    fields.push(stage.map(|s| s.as_bytes().to_vec()));
    hash("alert", &fields)
}

/// A scalar as bytes; lists and maps are as absent.
pub(super) fn scalar(value: &V) -> Vec<u8> {
    let with = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    match value {
        V::Bool(b) => with(b'b', if *b { b"1" } else { b"0" }),
        V::Number(n) => with(b'n', &(if *n == 0.0 { 0.0 } else { *n }).to_le_bytes()),
        V::Text(t) => with(b't', t.as_bytes()),
        V::Time(t) => with(b'T', &t.to_le_bytes()),
        V::Duration(d) => with(b'D', &d.to_le_bytes()),
        V::Minute(m) => with(b'm', &m.to_le_bytes()),
        V::Unknown => b"?".to_vec(),
        V::Absent | V::List(..) | V::Map(..) | V::Spread(..) => b"-".to_vec(),
    }
}

/// As people see it.
pub(super) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
