//! The bytes of a saved state: numbers little endian, everything with a length in front, nothing clever.
//!
//! The reader trusts nothing. Each length is held against what is left before anything is made room for, each tag against
//! what there is; whatever does not fit is [`LoadError::Corrupt`] and never a panic.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::ir::Stage;

use super::envelope::LoadError;
use crate::limits::JSON_DEPTH_MAX;
use crate::matches::{Counted, EventMeta, HeardAlert, RequestId, SourceId, Value};

pub(super) type Result<T> = std::result::Result<T, LoadError>;

/// Writes values, and each event only once.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
    metas: Vec<Arc<EventMeta>>,
    by_address: HashMap<usize, u32>,
}

impl Writer {
    /// Over memory that was used before.
    pub(super) fn over(mut out: Vec<u8>) -> Self {
        out.clear();
        Self { out, ..Self::default() }
    }

    pub(super) fn u8(&mut self, n: u8) {
        self.out.push(n);
    }

    pub(super) fn truth(&mut self, b: bool) {
        self.u8(u8::from(b));
    }

    pub(super) fn u32(&mut self, n: u32) {
        self.out.extend_from_slice(&n.to_le_bytes());
    }

    pub(super) fn u64(&mut self, n: u64) {
        self.out.extend_from_slice(&n.to_le_bytes());
    }

    pub(super) fn i64(&mut self, n: i64) {
        self.out.extend_from_slice(&n.to_le_bytes());
    }

    /// Seven bits a byte, the lowest first: most lengths are short.
    pub(super) fn len(&mut self, n: usize) {
        let mut left = n as u64;
        while left >= 0x80 {
            self.u8(left.to_le_bytes()[0] | 0x80);
            left >>= 7;
        }
        self.u8(left.to_le_bytes()[0]);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.len(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.truth(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.len(items.len());
        for item in items {
            write(self, item);
        }
    }

    /// Something with its length in front, so that a reader can pass over it.
    pub(super) fn framed(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.out.len();
        self.u64(0);
        write(self);
        let len = (self.out.len() - at - 8) as u64;
        self.out[at..at + 8].copy_from_slice(&len.to_le_bytes());
    }

    fn text(&mut self, text: Option<&Arc<str>>) {
        self.maybe(text, |w, text| w.bytes(text.as_bytes()));
    }

    fn texts(&mut self, texts: &[Arc<str>]) {
        self.list(texts.iter(), |w, text| w.bytes(text.as_bytes()));
    }

    /// A reference to an event, which [`Writer::metas`] writes out.
    pub(super) fn meta(&mut self, meta: &Arc<EventMeta>) {
        let next = u32::try_from(self.metas.len()).unwrap_or(u32::MAX);
        let number = *self.by_address.entry(Arc::as_ptr(meta) as usize).or_insert(next);
        if number == next {
            self.metas.push(meta.clone());
        }
        self.u32(number);
    }

    /// All events that were referred to.
    pub(super) fn metas(&self) -> Vec<u8> {
        let mut w = Self::default();
        w.list(self.metas.iter(), |w, meta| {
            w.u32(meta.source.0);
            w.u64(meta.offset);
            w.out.extend_from_slice(&meta.request.0);
            w.maybe(meta.stage, |w, stage| w.u8(stage_number(stage)));
            w.i64(meta.stage_timestamp);
            w.maybe(meta.request_received, Self::i64);
            w.bytes(meta.audit_id.as_bytes());
            w.text(meta.cluster.as_ref());
            w.text(meta.username.as_ref());
            w.texts(&meta.groups);
            w.text(meta.impersonated.as_ref());
            w.texts(&meta.source_ips);
            w.text(meta.user_agent.as_ref());
            w.bytes(meta.verb.as_bytes());
            w.text(meta.resource.as_ref());
            w.text(meta.subresource.as_ref());
            w.text(meta.namespace.as_ref());
            w.text(meta.name.as_ref());
            w.maybe(meta.code, Self::i64);
            w.maybe(meta.alert.as_ref(), |w, alert| {
                w.bytes(alert.rule.as_bytes());
                w.maybe(alert.event_time, Self::i64);
                w.truth(alert.late);
                w.truth(alert.approximate);
            });
        });
        w.out
    }

    /// A value. Its depth is that of a document's JSON, which is limited.
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Unknown => self.u8(0),
            Value::Absent => self.u8(1),
            Value::Bool(b) => {
                self.u8(2);
                self.truth(*b);
            }
            Value::Number(n) => {
                self.u8(3);
                self.u64(n.to_bits());
            }
            Value::Text(t) => {
                self.u8(4);
                self.bytes(t.as_bytes());
            }
            Value::Time(t) => {
                self.u8(5);
                self.i64(*t);
            }
            Value::Duration(d) => {
                self.u8(6);
                self.i64(*d);
            }
            Value::TimeOfDay(m) => {
                self.u8(7);
                self.u32(u32::from(*m));
            }
            Value::List { items, open } | Value::Spread { items, open } => {
                self.u8(if matches!(value, Value::List { .. }) { 8 } else { 9 });
                self.truth(*open);
                self.list(items.iter(), |w, item| w.value(item));
            }
            Value::Map { entries, open } => {
                self.u8(10);
                self.truth(*open);
                self.list(entries.iter(), |w, (key, item)| {
                    w.bytes(key.as_bytes());
                    w.value(item);
                });
            }
        }
    }

    pub(super) fn counted(&mut self, counted: &Counted) {
        match counted {
            Counted::No => self.u8(0),
            Counted::One => self.u8(1),
            Counted::Tuples(tuples) => {
                self.u8(2);
                self.list(tuples.iter(), |w, tuple| w.bytes(tuple));
            }
            Counted::Cut(tuples, more) => {
                self.u8(4);
                self.list(tuples.iter(), |w, tuple| w.bytes(tuple));
                self.u64(*more);
            }
            Counted::Values(values) => {
                self.u8(3);
                self.list(values.iter(), |w, bits| w.i64(*bits));
            }
        }
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    metas: Arc<[Arc<EventMeta>]>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, metas: Arc::new([]) }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(LoadError::Corrupt) }
    }

    /// What [`Writer::framed`] wrote.
    pub(super) fn framed(&mut self) -> Result<Self> {
        let len = usize::try_from(self.u64()?).map_err(|_| LoadError::Corrupt)?;
        Ok(Self { rest: self.take(len)?, metas: self.metas.clone() })
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (front, rest) = self.rest.split_at_checked(n).ok_or(LoadError::Corrupt)?;
        self.rest = rest;
        Ok(front)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| LoadError::Corrupt)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[n]| n)
    }

    pub(super) fn truth(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(LoadError::Corrupt),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn len(&mut self) -> Result<usize> {
        let mut len = 0;
        for shift in (0..64).step_by(7) {
            let byte = u64::from(self.u8()?);
            let bits = byte & 0x7f;
            if bits << shift >> shift != bits {
                break;
            }
            len |= bits << shift;
            if byte < 0x80 {
                return usize::try_from(len).map_err(|_| LoadError::Corrupt);
            }
        }
        Err(LoadError::Corrupt)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    pub(super) fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.truth()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let len = self.len()?;
        // Everything takes at least a byte, so a length that lies is found before room is made for it.
        if len > self.rest.len() {
            return Err(LoadError::Corrupt);
        }
        let mut items = Vec::new();
        for _ in 0..len {
            items.push(read(self)?);
        }
        Ok(items)
    }

    pub(super) fn text(&mut self) -> Result<Arc<str>> {
        std::str::from_utf8(self.bytes()?).map(Arc::from).map_err(|_| LoadError::Corrupt)
    }

    pub(super) fn meta(&mut self) -> Result<Arc<EventMeta>> {
        let number = self.u32()? as usize;
        self.metas.get(number).cloned().ok_or(LoadError::Corrupt)
    }

    /// All events, each of the source that now has the name of its source.
    pub(super) fn metas(&mut self, source_of: impl Fn(SourceId) -> SourceId) -> Result<()> {
        let metas = self.list(|r| {
            Ok(Arc::new(EventMeta {
                source: source_of(SourceId(r.u32()?)),
                offset: r.u64()?,
                request: RequestId(r.array()?),
                stage: r.maybe(|r| stage_of(r.u8()?))?,
                stage_timestamp: r.i64()?,
                request_received: r.maybe(Self::i64)?,
                audit_id: r.text()?,
                cluster: r.maybe(Self::text)?,
                username: r.maybe(Self::text)?,
                groups: r.list(Self::text)?,
                impersonated: r.maybe(Self::text)?,
                source_ips: r.list(Self::text)?,
                user_agent: r.maybe(Self::text)?,
                verb: r.text()?,
                resource: r.maybe(Self::text)?,
                subresource: r.maybe(Self::text)?,
                namespace: r.maybe(Self::text)?,
                name: r.maybe(Self::text)?,
                code: r.maybe(Self::i64)?,
                alert: r.maybe(|r| {
                    Ok(Arc::new(HeardAlert {
                        rule: r.text()?,
                        event_time: r.maybe(Self::i64)?,
                        late: r.truth()?,
                        approximate: r.truth()?,
                    }))
                })?,
            }))
        })?;
        self.metas = metas.into();
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<Value> {
        // A spread of lists goes one deeper than the documents they are from.
        self.value_within(JSON_DEPTH_MAX + 8)
    }

    fn value_within(&mut self, depth: usize) -> Result<Value> {
        let deeper = depth.checked_sub(1).ok_or(LoadError::Corrupt)?;
        Ok(match self.u8()? {
            0 => Value::Unknown,
            1 => Value::Absent,
            2 => Value::Bool(self.truth()?),
            3 => Value::Number(f64::from_bits(self.u64()?)),
            4 => Value::Text(self.text()?),
            5 => Value::Time(self.i64()?),
            6 => Value::Duration(self.i64()?),
            7 => Value::TimeOfDay(u16::try_from(self.u32()?).map_err(|_| LoadError::Corrupt)?),
            8 => Value::List { open: self.truth()?, items: self.list(|r| r.value_within(deeper))? },
            9 => Value::Spread { open: self.truth()?, items: self.list(|r| r.value_within(deeper))? },
            10 => Value::Map {
                open: self.truth()?,
                entries: self.list(|r| Ok((r.text()?, r.value_within(deeper)?)))?,
            },
            _ => return Err(LoadError::Corrupt),
        })
    }

    pub(super) fn counted(&mut self) -> Result<Counted> {
        Ok(match self.u8()? {
            0 => Counted::No,
            1 => Counted::One,
            2 => Counted::Tuples(self.list(|r| r.bytes().map(Box::from))?),
            3 => Counted::Values(self.list(Self::i64)?),
            4 => Counted::Cut(self.list(|r| r.bytes().map(Box::from))?, self.u64()?),
            _ => return Err(LoadError::Corrupt),
        })
    }
}

pub(super) fn stage_number(stage: Stage) -> u8 {
    match stage {
        Stage::RequestReceived => 0,
        Stage::ResponseStarted => 1,
        Stage::ResponseComplete => 2,
        Stage::Panic => 3,
    }
}

pub(super) fn stage_of(number: u8) -> Result<Stage> {
    Ok(match number {
        0 => Stage::RequestReceived,
        1 => Stage::ResponseStarted,
        2 => Stage::ResponseComplete,
        3 => Stage::Panic,
        _ => return Err(LoadError::Corrupt),
    })
}
