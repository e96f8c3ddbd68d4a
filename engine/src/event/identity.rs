//! Identities and canonical bytes. `docs/semantics.md`, "Identity".

use crate::matches::{RequestId, Value};
use crate::plan::cost::VALUE_BYTES;
use crate::planted::planted;

use super::instant;
use super::row::{Row, Slot};

/// Puts parts behind one another so that no two rows of parts give the same bytes: of each 0 if it is absent, else 1,
/// its length as 8 bytes, its bytes.
pub fn fields<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>, out: &mut Vec<u8>) {
    for part in parts {
        match part {
            None => out.push(0),
            Some(bytes) => {
                out.push(1);
                out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }
}

/// The first 16 bytes of BLAKE3.
#[must_use]
pub fn hash(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    out
}

/// Lower case hexadecimal.
#[must_use]
pub fn hex(id: &RequestId) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    id.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Puts the canonical bytes of a scalar behind `out`; what is none (a list, a map) counts as absent. What is unknown has
/// bytes too, for the keys of rules that need none to fire.
pub fn scalar(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Unknown => out.push(b'?'),
        Value::Absent | Value::List { .. } | Value::Map { .. } | Value::Spread { .. } => {
            out.push(b'-');
        }
        Value::Bool(b) => out.extend_from_slice(if *b { b"b1" } else { b"b0" }),
        Value::Number(n) => {
            out.push(b'n');
            // -0 is 0.
            out.extend_from_slice(&(n + 0.0).to_le_bytes());
        }
        Value::Text(text) => {
            out.push(b't');
            out.extend_from_slice(text.as_bytes());
        }
        Value::Time(n) => {
            out.push(b'T');
            out.extend_from_slice(&n.to_le_bytes());
        }
        Value::Duration(n) => {
            out.push(b'D');
            out.extend_from_slice(&n.to_le_bytes());
        }
        Value::TimeOfDay(m) => {
            out.push(b'm');
            out.extend_from_slice(&m.to_le_bytes());
        }
    }
}

/// A tuple of values that is counted; of one that takes more than [`VALUE_BYTES`] a hash, which tells it from all others as
/// well.
pub(crate) fn tuple(tuple: &[&Value]) -> Box<[u8]> {
    let (mut bytes, mut out) = (Vec::new(), Vec::new());
    for value in tuple {
        bytes.clear();
        scalar(value, &mut bytes);
        fields([Some(bytes.as_slice())], &mut out);
    }
    short(out)
}

/// Bytes, or where they are too many what stands for them: nothing that is short begins like it.
pub(crate) fn short(bytes: Vec<u8>) -> Box<[u8]> {
    if bytes.len() <= SHORT {
        return bytes.into_boxed_slice();
    }
    if planted(98) {
        let mut begins = bytes;
        begins.truncate(SHORT);
        return begins.into_boxed_slice();
    }
    let mut hashed = vec![HASHED];
    hashed.extend_from_slice(blake3::hash(&bytes).as_bytes());
    hashed.into_boxed_slice()
}

#[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
const SHORT: usize = VALUE_BYTES as usize;

/// Neither `fields` nor the bytes of a scalar begin with it.
const HASHED: u8 = 2;

/// The identity of an event's request.
pub(crate) fn request(row: &Row<'_>, cluster: Option<&str>) -> RequestId {
    let received = row.text(Slot::RequestReceived);
    let nanos = received.and_then(instant::parse).map(|nanos| nanos.to_string());
    let parts = [
        cluster,
        row.text(Slot::AuditId),
        nanos.as_deref().or(received),
        row.text(Slot::Verb),
        row.text(Slot::RequestUri),
    ];
    let mut bytes = b"request".to_vec();
    fields(parts.iter().map(|part| part.map(str::as_bytes)), &mut bytes);
    RequestId(hash(&bytes))
}
