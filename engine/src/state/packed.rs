//! What a match of a rule about requests themselves brings along, as bytes: one piece of memory in place of twenty.
//!
//! Nearly all of them are forgotten unread, so packing must cost little and unpacking hardly counts. What such a rule
//! brings with all its matches (its key, what it counts) follows from the request and is made when it is unpacked.

use std::borrow::Cow;
use std::sync::Arc;

use super::wire::{Reader, Result, Writer};
use crate::event::document::Json;
use crate::limits::{AUDIT_ID_CHARS_MAX, EVENT_LIST_BYTES_MAX, EVENT_LIST_MAX, EVENT_TEXT_BYTES_MAX};
use crate::matches::{EventMeta, Nanos, RequestId, SourceId, Value};

/// What an alert tells of an event, where it stands in its row. See [`EventMeta`] for what is not said here.
#[derive(Debug)]
pub(crate) struct Face<'a> {
    pub(crate) request_received: Option<Nanos>,
    /// Whole.
    pub(crate) audit_id: &'a str,
    pub(crate) cluster: Option<&'a str>,
    pub(crate) username: Option<&'a str>,
    /// A list, if it is there.
    pub(crate) groups: Option<Json<'a>>,
    pub(crate) impersonated: Option<&'a str>,
    /// A list, if it is there.
    pub(crate) source_ips: Option<Json<'a>>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) verb: &'a str,
    pub(crate) resource: Option<&'a str>,
    pub(crate) subresource: Option<&'a str>,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) code: Option<i64>,
}

/// What of an event is known without its face.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) source: SourceId,
    pub(crate) offset: u64,
    pub(crate) request: RequestId,
    pub(crate) stage: Option<dsl::ir::Stage>,
    pub(crate) stage_timestamp: Nanos,
}

/// Stands behind a text that was cut, and for the rest of a list.
const CUT: &str = "…";

/// As many texts of a list as are kept for people.
fn texts<'a>(list: Option<Json<'a>>) -> Vec<Cow<'a, str>> {
    let mut kept: Vec<Cow<'a, str>> = Vec::new();
    let mut bytes = 0;
    for text in list.into_iter().flat_map(Json::items).filter_map(Json::as_text) {
        let text = shown(text);
        bytes += text.len();
        if kept.len() >= EVENT_LIST_MAX || bytes > EVENT_LIST_BYTES_MAX && !kept.is_empty() {
            kept.push(CUT.into());
            break;
        }
        kept.push(text);
    }
    kept
}

/// As much of a text as is kept for people.
fn shown(text: &str) -> Cow<'_, str> {
    if text.len() <= EVENT_TEXT_BYTES_MAX {
        return text.into();
    }
    let end = text.floor_char_boundary(EVENT_TEXT_BYTES_MAX);
    format!("{}{CUT}", &text[..end]).into()
}

/// As much of an `auditID` as is kept for people.
fn cut(audit_id: &str) -> &str {
    let end = audit_id.char_indices().nth(AUDIT_ID_CHARS_MAX).map_or(audit_id.len(), |(at, _)| at);
    &audit_id[..end]
}

impl Face<'_> {
    /// As matches of other rules have it.
    pub(crate) fn meta(&self, head: Head) -> EventMeta {
        let text = |text: Option<&str>| text.map(|text| Arc::<str>::from(shown(text)));
        let all = |list| texts(list).into_iter().map(Arc::<str>::from).collect();
        EventMeta {
            source: head.source,
            offset: head.offset,
            request: head.request,
            stage: head.stage,
            stage_timestamp: head.stage_timestamp,
            request_received: self.request_received,
            audit_id: cut(self.audit_id).into(),
            // A part of keys and identities.
            cluster: self.cluster.map(Arc::from),
            username: text(self.username),
            groups: all(self.groups),
            impersonated: text(self.impersonated),
            source_ips: all(self.source_ips),
            user_agent: text(self.user_agent),
            verb: shown(self.verb).into(),
            resource: text(self.resource),
            subresource: text(self.subresource),
            namespace: text(self.namespace),
            name: text(self.name.as_deref()),
            code: self.code,
            alert: None,
        }
    }

    /// With what the match captured; `buffer` is used again and again.
    pub(crate) fn pack(&self, captures: &[Value], buffer: &mut Vec<u8>) -> Box<[u8]> {
        let mut w = Writer::over(std::mem::take(buffer));
        w.list(captures.iter(), Writer::value);
        w.maybe(self.request_received, Writer::i64);
        w.bytes(self.audit_id.as_bytes());
        let part = |w: &mut Writer, text: Option<&str>| {
            w.maybe(text, |w, text| w.bytes(shown(text).as_bytes()));
        };
        let all = |w: &mut Writer, list| w.list(texts(list).iter(), |w, text| w.bytes(text.as_bytes()));
        w.maybe(self.cluster, |w, cluster| w.bytes(cluster.as_bytes()));
        part(&mut w, self.username);
        all(&mut w, self.groups);
        part(&mut w, self.impersonated);
        all(&mut w, self.source_ips);
        part(&mut w, self.user_agent);
        w.bytes(shown(self.verb).as_bytes());
        part(&mut w, self.resource);
        part(&mut w, self.subresource);
        part(&mut w, self.namespace);
        part(&mut w, self.name.as_deref());
        w.maybe(self.code, Writer::i64);
        let packed = w.out.as_slice().into();
        *buffer = w.out;
        packed
    }
}

/// Of a match that nobody is shown: the cluster, which is a part of its key.
pub(crate) fn pack_cluster(cluster: Option<&str>) -> Box<[u8]> {
    let mut w = Writer::default();
    if let Some(cluster) = cluster {
        w.bytes(cluster.as_bytes());
    }
    w.out.into()
}

/// What was packed.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) meta: EventMeta,
    /// Whole; empty where only the cluster was packed.
    pub(super) audit_id: Arc<str>,
    pub(super) captures: Vec<Value>,
}

/// Reads what [`Face::pack`] wrote.
pub(super) fn unpack(packed: &[u8], head: Head) -> Result<Unpacked> {
    let mut r = Reader::new(packed);
    let captures = r.list(Reader::value)?;
    let request_received = r.maybe(Reader::i64)?;
    let audit_id = r.text()?;
    let meta = EventMeta {
        request_received,
        audit_id: cut(&audit_id).into(),
        cluster: r.maybe(Reader::text)?,
        username: r.maybe(Reader::text)?,
        groups: r.list(Reader::text)?,
        impersonated: r.maybe(Reader::text)?,
        source_ips: r.list(Reader::text)?,
        user_agent: r.maybe(Reader::text)?,
        verb: r.text()?,
        resource: r.maybe(Reader::text)?,
        subresource: r.maybe(Reader::text)?,
        namespace: r.maybe(Reader::text)?,
        name: r.maybe(Reader::text)?,
        code: r.maybe(Reader::i64)?,
        ..nothing(head)
    };
    r.end()?;
    Ok(Unpacked { meta, audit_id, captures })
}

/// Reads what [`pack_cluster`] wrote.
pub(super) fn unpack_cluster(packed: &[u8], head: Head) -> Result<Unpacked> {
    let mut r = Reader::new(packed);
    let cluster = if packed.is_empty() { None } else { Some(r.text()?) };
    r.end()?;
    let meta = EventMeta { cluster, ..nothing(head) };
    Ok(Unpacked { meta, audit_id: "".into(), captures: Vec::new() })
}

/// The same with other captures.
pub(super) fn repack(
    packed: &[u8],
    captures: impl FnOnce(Vec<Value>) -> Result<Vec<Value>>,
) -> Result<Box<[u8]>> {
    let mut r = Reader::new(packed);
    let captures = captures(r.list(Reader::value)?)?;
    let mut w = Writer::default();
    w.list(captures.iter(), Writer::value);
    w.out.extend_from_slice(r.rest());
    Ok(w.out.into())
}

fn nothing(head: Head) -> EventMeta {
    EventMeta {
        request: head.request,
        stage: head.stage,
        stage_timestamp: head.stage_timestamp,
        ..super::hear::no_event(head.source, head.offset)
    }
}
